"""What a child that is cut by its parent's day costs beside the same table with a date of its own, and whole.

Starts a MariaDB of its own on the loopback, without TLS, with orders of a year and three lines each, and asks
of each copy of the lines what a night asks: fingerprints, a day, all days, measures. CPU seconds of the
server and of this process, since a busy machine stretches the clock. Run: `python -m benchmarks.children`.
"""

from __future__ import annotations

import argparse
import resource
import shutil
import tempfile
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.segments import Outside, Scope
from orderhe_dagster.catalog.table import Table
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source, running

LINE = "line_id int not null, order_id int not null, sku varchar(20), quantity int, price decimal(12, 2)"
CONTRACTS = {
    "orders": "-- @partition order_date\ncreate table orders (order_id int not null, order_date date "
    "not null, customer_id int, total decimal(12, 2), primary key (order_id), key (order_date))",
    "by_parent": "-- @partition order_id -> orders.order_date\n"
    f"create table by_parent ({LINE}, primary key (line_id), key (order_id))",
    "dated": f"-- @partition order_date\ncreate table dated ({LINE}, order_date date not null, "
    "primary key (line_id), key (order_date))",
    "whole": f"create table whole ({LINE}, primary key (line_id))",
}
FIRST, DAYS, LINES = date(2025, 1, 1), 365, 3
YEAR = Window(FIRST, FIRST + timedelta(DAYS))


def fill(server: MariaDB, database: str, orders: int) -> None:
    """Orders evenly over the days, and their lines in each copy."""
    at = f"{database}."
    server.run(
        f"insert into {at}orders select seq, date '{FIRST}' + interval floor((seq - 1) * {DAYS} / {orders}) "
        f"day, seq % 1000, 10 from {at}seq_1_to_{orders}"
    )
    server.run(
        f"insert into {at}whole select seq, floor((seq + {LINES - 1}) / {LINES}), concat('sku', seq % 500),"
        f" seq % 7, 1.5 from {at}seq_1_to_{orders * LINES}"
    )
    server.run(f"insert into {at}by_parent select * from {at}whole")
    server.run(
        f"insert into {at}dated select w.*, o.order_date from {at}whole w inner join {at}orders o on "
        "w.order_id = o.order_id order by w.line_id"
    )
    server.run(f"analyze table {at}orders, {at}by_parent, {at}dated, {at}whole")


def questions(
    source: Any, table: Table, folder: Path
) -> Iterator[tuple[str, Callable[[], object]]]:
    """What a night asks of a table, by its name."""

    def extract(scope: Scope) -> None:
        source.extract(table, scope, folder / "out")
        shutil.rmtree(folder / "out")

    if table.partition is None:
        yield "fingerprint", lambda: source.touches(table, None)
        yield "read all", lambda: extract(None)
        yield "measure all", lambda: source.measure(table, None)
        return
    rest = Outside(YEAR.start, YEAR.end + ONE_DAY)
    yield "fingerprints of all days", lambda: source.touches(table, YEAR)
    yield "fingerprint of the rest", lambda: source.touches(table, rest)
    yield "count of the rest", lambda: source.outside(table, rest)
    yield "read a day", lambda: extract(Window.of(FIRST + timedelta(180)))
    yield "read all days", lambda: extract(YEAR)
    yield "measure all days", lambda: source.measure(table, YEAR)


def seconds(server: MariaDB, ask: Callable[[], object], rounds: int) -> tuple[float, float]:
    """CPU seconds of the server and of this process, the mean of some rounds after one."""
    ask()
    before = (_of_server(server), _of_us())
    for _ in range(rounds):
        ask()
    return (_of_server(server) - before[0]) / rounds, (_of_us() - before[1]) / rounds


def _of_us() -> float:
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def _of_server(server: MariaDB) -> float:
    fields = Path(f"/proc/{server.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / 100


def main() -> None:
    """Print a table of Markdown."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("--orders", type=int, default=200_000)
    options.add_argument("--rounds", type=int, default=3)
    given = options.parse_args()
    with (
        tempfile.TemporaryDirectory() as made,
        running(tls=False, options=["--innodb-buffer-pool-size=512M"]) as server,
        server.database() as database,
    ):
        folder = Path(made)
        (folder / "sql" / "raw").mkdir(parents=True)
        for name, text in CONTRACTS.items():
            (folder / "sql" / "raw" / f"{name}.sql").write_text(text, "utf-8")
        tables = {table.name: table for table in read_catalogue(folder / "sql").tables}
        source = mysql_source(server, database)
        source.create([*tables.values()])
        fill(server, database, given.orders)
        print("| lines | asked | source CPU s | our CPU s |\n|---|---|---:|---:|")
        for name in ("by_parent", "dated", "whole"):
            for what, ask in questions(source, tables[name], folder):
                theirs, ours = seconds(server, ask, given.rounds)
                print(f"| {name} | {what} | {theirs:.2f} | {ours:.2f} |", flush=True)


if __name__ == "__main__":
    main()
