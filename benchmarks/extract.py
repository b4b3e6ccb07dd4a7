"""Rows a second, CPU seconds and memory of an extract: by the scanner, by Arrow, and by pandas.

Starts a MariaDB of its own on the loopback, without TLS, fills a table of nine columns over a year and
reads all of it to Parquet, each way in a process of its own. pandas writes one file and proves
nothing; the other two cut by day and measure what they wrote. Run: `python benchmarks/extract.py`.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

CONTRACT = """
-- @partition order_date
-- @cursor updated_at
create table orders (
    order_id bigint not null, customer_id int not null, product_id int not null,
    order_date date not null, quantity smallint not null, amount decimal(12, 2) not null,
    status enum('paid', 'shipped', 'returned') not null, created_at datetime(6) not null,
    updated_at datetime(6) not null, primary key (order_id), key (order_date)
);
"""
FILL = """
insert into orders select seq, seq % 200000, seq % 2000, date '2025-01-01' + interval seq % 365 day,
1 + seq % 5, (seq % 100000) / 100, elt(1 + seq % 3, 'paid', 'shipped', 'returned'),
timestamp '2025-01-01 00:00:00' + interval seq * 31 microsecond,
timestamp '2025-02-01 00:00:00' + interval seq * 77 microsecond from seq_1_to_{rows}
"""
DAYS = 365
WAYS = ("scanner", "arrow", "pandas")


def by_source(source: Any, folder: Path) -> int:
    """The rows of an extract by our own source, cut by day and measured."""
    from orderhe_dagster.catalog.days import Window
    from orderhe_dagster.catalog.reader import read_catalogue

    (folder / "sql" / "raw").mkdir(parents=True)
    (folder / "sql" / "raw" / "orders.sql").write_text(CONTRACT)
    (table,) = read_catalogue(folder / "sql").layer("raw")
    first = date(2025, 1, 1)
    found = source.extract(table, Window(first, first + timedelta(DAYS)), folder / "out")
    return sum(measure.rows for measure in found.measures.values())


def by_pandas(given: dict[str, Any], folder: Path) -> int:
    """The rows of a plain `select *` into one Parquet file, as notebooks do it."""
    import pandas as pd
    import pymysql

    connection = pymysql.connect(**given)
    with connection, connection.cursor() as cursor:
        cursor.execute("select * from orders")
        names = [column[0] for column in cursor.description]
        frame = pd.DataFrame(list(cursor.fetchall()), columns=names)
    folder.mkdir(parents=True, exist_ok=True)
    frame.to_parquet(folder / "orders.parquet", compression="zstd")
    return len(frame)


def one(way: str, port: int, database: str, folder: Path) -> dict[str, float]:
    """Extract once in this process; seconds by the clock and of the processor, megabytes, rows."""
    from orderhe_dagster_tests.servers.mariadb import HOST, OWNER

    started = time.perf_counter()
    if way == "pandas":
        given = {"host": HOST, "port": port, "database": database, "ssl_disabled": True}
        password = OWNER.password.encode()
        rows = by_pandas({**given, "user": OWNER.user, "password": password}, folder)
    else:
        from orderhe_dagster.resources.mysql.source import MySQLSource
        from orderhe_dagster.settings.config import MySQLSettings
        from orderhe_dagster.settings.secret import Secret

        source = MySQLSource(
            MySQLSettings(
                host=HOST,
                port=port,
                user=OWNER.user,
                password=Secret.of(OWNER.password),
                database=database,
                sslmode="disable",
                extract=way,
            )
        )
        rows = by_source(source, folder)
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "rows": rows,
        "wall": time.perf_counter() - started,
        "cpu": used.ru_utime + used.ru_stime,
        "mb": used.ru_maxrss / 1024,
    }


def main() -> None:
    """Print a line for each way, and how many times the scanner's cost the others have."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, default=500_000)
    parser.add_argument("--one", nargs=4, metavar=("WAY", "PORT", "DATABASE", "FOLDER"))
    asked = parser.parse_args()
    if asked.one:
        way, port, database, folder = asked.one
        print(json.dumps(one(way, int(port), database, Path(folder))))
        return
    from orderhe_dagster_tests.servers.mariadb import running

    with running(tls=False) as server, server.database() as database:
        server.run(
            CONTRACT.split("\n", 3)[3]
            .strip()
            .rstrip(";")
            .replace("create table orders", f"create table {database}.orders")
        )
        server.run(
            FILL.format(rows=asked.rows)
            .replace("into orders", f"into {database}.orders")
            .replace("from seq", f"from {database}.seq")
        )
        found: dict[str, dict[str, float]] = {}
        for way in WAYS:
            with tempfile.TemporaryDirectory(prefix="orderhe-extract-") as folder:
                done = subprocess.run(
                    [sys.executable, __file__, "--one", way, str(server.port), database, folder],
                    capture_output=True, text=True, check=True,
                )  # fmt: skip
            found[way] = json.loads(done.stdout.splitlines()[-1])
            assert found[way]["rows"] == asked.rows, found[way]
        best = found["scanner"]
        print(f"{asked.rows:,} rows, {DAYS} days; processes of their own, imports included")
        for way, figures in found.items():
            print(
                f"{way:8} {asked.rows / figures['wall']:>9,.0f} rows/s  {figures['wall']:6.2f} s  "
                f"{figures['cpu']:6.2f} CPU s ({figures['cpu'] / best['cpu']:4.1f} x)  "
                f"{figures['mb']:5.0f} MB"
            )


if __name__ == "__main__":
    main()
