"""A shop of a chosen size in a MariaDB: the simulated one, its rows written by LOAD DATA.

A program, since making millions of rows takes memory that later processes would be measured with:

    python -m benchmarks.bench.shop SOCKET DATABASE --orders 5000000 --days 365 [--sql FOLDER]

Prints how many rows each table has. The server reads the files that this program writes, so both are of
one machine. It is the simulation of `orderhe simulate`, as it stands at the end of yesterday.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

    from orderhe_dagster.catalog.table import Table
    from orderhe_dagster.shop.model import Shop

CONTRACTS = Path(__file__).resolve().parents[2] / "sql" / "raw"
TABLES = ("customers", "products", "orders")
"""Parents first."""
ZONE = "Asia/Seoul"


class LoadData:
    """A transaction on a marked, empty shop that writes rows by LOAD DATA, in files of its own."""

    def __init__(self, cursor: Any, folder: Path) -> None:
        self._cursor, self._folder = cursor, folder
        self.rows: dict[str, int] = {}
        self.load_s = 0.0

    def execute(self, sql: str) -> None:
        """Pass over what marks the shop as simulated: here others fill it."""

    def table_names(self) -> list[str]:
        """Answer that the marker is there."""
        from orderhe_dagster.shop.marker import MARKER

        return [MARKER]

    def fetch(self, sql: str) -> pa.Table:
        """Answer that no row is there."""
        import pyarrow as pa

        columns = sql.removeprefix("select ").split(" from ")[0].split(", ")
        return pa.table({column: pa.array([], pa.int64()) for column in columns})

    def append(self, table: Table, rows: pa.Table) -> None:
        """Write the rows to a file and have the server read it."""
        import duckdb
        import pyarrow as pa

        file = self._folder / f"{table.name}.csv"
        texts = [f.name for f in rows.schema if f.type == pa.string()]
        with duckdb.connect() as connection:
            connection.register("rows", rows)
            connection.execute(
                f"copy rows to '{file}' (format csv, header false, nullstr 'NULL', "
                f"force_quote ({', '.join(texts)}))"
            )
        began = time.perf_counter()
        file.chmod(0o644)
        self._cursor.execute(
            f"load data infile '{file}' into table {table.name} character set utf8mb4 "
            "fields terminated by ',' optionally enclosed by '\"' escaped by '' "
            f"lines terminated by '\\n' ({', '.join(rows.column_names)})"
        )
        self.load_s += time.perf_counter() - began
        file.unlink()
        self.rows[table.name] = self.rows.get(table.name, 0) + rows.num_rows


def shop_of(orders: int, days: int, last: date) -> tuple[Shop, list[date]]:
    """The simulated shop that has about so many orders on so many days up to the last."""
    from orderhe_dagster.shop.calendar import Calendar, numbers_of
    from orderhe_dagster.shop.model import Shop

    chosen = [last - timedelta(days=back) for back in range(days - 1, -1, -1)]
    usual = Calendar(1, 1.0)
    scale = orders / float(usual.orders[usual.at(numbers_of(chosen))].sum())
    return Shop(seed=1, scale=min(500.0, max(0.001, scale)), time_zone=ZONE), chosen


def yesterday() -> date:
    """The last day that is over in the shop's zone."""
    from orderhe_dagster.settings.project import today

    return today(ZONE) - timedelta(days=1)


def fill(socket: str, database: str, orders: int, days: int, contracts: Path) -> dict[str, float]:
    """Make the tables and their rows; rows by table, and the seconds that LOAD DATA took."""
    import pymysql

    from orderhe_dagster.catalog.table import Table, TableRef
    from orderhe_dagster.shop import simulate

    shop, chosen = shop_of(orders, days, yesterday())
    tables = {
        name: Table(TableRef("raw", name), f"raw/{name}.sql", "", "", "", ()) for name in TABLES
    }
    connection = pymysql.connect(
        unix_socket=socket, user="root", database=database, charset="utf8mb4", autocommit=True
    )
    with (
        connection,
        connection.cursor() as cursor,
        tempfile.TemporaryDirectory(prefix="orderhe-bench-") as folder,
    ):
        Path(folder).chmod(0o755)
        cursor.execute("set foreign_key_checks = 0, unique_checks = 0")
        for name in TABLES:
            cursor.execute((contracts / f"{name}.sql").read_text("utf-8").rstrip().rstrip(";"))
        loaded = LoadData(cursor, Path(folder))
        simulate.make_days(shop, loaded, tables, chosen)
        for name in TABLES:
            cursor.execute(f"select count(*) from {name}")
            assert cursor.fetchone() == (loaded.rows[name],), f"{name}: rows were lost"
            cursor.execute(f"analyze table {name}")
            cursor.fetchall()
    return {**loaded.rows, "load_s": loaded.load_s}


def dump(socket: str, database: str, folder: Path) -> None:
    """Have the server write its tables to files, for `bulk_load`."""
    import pymysql

    connection = pymysql.connect(unix_socket=socket, user="root", database=database)
    with connection, connection.cursor() as cursor:
        for name in TABLES:
            cursor.execute(
                f"select * into outfile '{folder / name}' character set utf8mb4 from {name}"
            )


def bulk_load(socket: str, database: str, files: Path) -> None:
    """Have the server load the files that `dump` wrote into new tables, as one transaction."""
    import pymysql

    connection = pymysql.connect(unix_socket=socket, user="root", database=database)
    with connection, connection.cursor() as cursor:
        for name in TABLES:
            cursor.execute((CONTRACTS / f"{name}.sql").read_text("utf-8").rstrip().rstrip(";"))
        for name in TABLES:
            cursor.execute(
                f"load data infile '{files / name}' into table {name} character set utf8mb4"
            )
        connection.commit()


def main() -> None:
    """Fill a database; print what it holds now."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("socket")
    parser.add_argument("database")
    parser.add_argument("--orders", type=int, default=0)
    parser.add_argument("--days", type=int, default=0)
    parser.add_argument("--files", type=Path, help="load these instead of making rows")
    parser.add_argument("--sql", type=Path, default=CONTRACTS)
    given = parser.parse_args()
    if given.files:
        bulk_load(given.socket, given.database, given.files)
        return
    filled = fill(given.socket, given.database, given.orders, given.days, given.sql)
    print("BENCH " + json.dumps(filled))


if __name__ == "__main__":
    main()
