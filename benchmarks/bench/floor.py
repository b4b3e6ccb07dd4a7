"""The floors: what DuckDB alone takes to carry the same rows, without a proof, a record or an audit.

A program, `python -m benchmarks.bench.floor WHAT FOLDER`; the source is named by BENCH_SOURCE, as JSON.

    first           all rows -> one Parquet file a day -> a stage -> delete and insert
    one-piece       all rows -> one Parquet file -> the same
    day DAY         the rows of a day the same way, over what `first` has left
    dump            the shop's tables as Parquet files
    insert FILES    those files into the embedded source's empty tables
"""

from __future__ import annotations

import json
import os
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import duckdb

_SETTINGS = (
    "set mysql_tinyint1_as_boolean = false",
    "set mysql_session_time_zone = '+00:00'",
    "set mysql_aggregate_pushdown_enabled = false",
    "set mysql_query_timeout_enabled = false",
    "set mysql_sql_buffer_result = false",
)
DATABASE = "floor.duckdb"


def attach(connection: duckdb.DuckDBPyConnection, source: dict[str, str]) -> None:
    """Attach the source as `shop`, without compression: the largest lever of all."""
    import importlib.resources

    import duckdb as engine

    file = importlib.resources.files("duckdb_extension_mysql_scanner").joinpath(
        "extensions", f"v{engine.__version__}", "mysql_scanner.duckdb_extension"
    )
    connection.execute(f"load '{file}'")
    for sql in _SETTINGS:
        connection.execute(sql)
    connection.execute(
        "create secret (type mysql, host '{host}', port {port}, database '{database}', "
        "user '{user}', password '{password}')".format(**source)
    )
    connection.execute("attach 'compression=disabled' as shop (type mysql, read_only)")


def carry(connection: duckdb.DuckDBPyConnection, folder: Path, where: str, one_piece: bool) -> None:
    """Copy rows to Parquet, read them into a stage, and put them in place of those that are there."""
    files = folder / f"parts-{time.time_ns()}"
    target, options = (
        (f"{files}.parquet", "")
        if one_piece
        else (str(files), ", partition_by (order_date), write_partition_columns true")
    )
    if not one_piece:
        connection.execute("set partitioned_write_max_open_files = 1200")
    connection.execute(
        f"copy (from shop.orders {where}) to '{target}' (format parquet, compression zstd{options})"
    )
    read = f"read_parquet('{target if one_piece else f'{files}/*/*.parquet'}', hive_partitioning = false)"
    connection.execute(f"create temp table stage as from {read}")
    connection.execute("begin")
    connection.execute("create table if not exists orders as from stage limit 0")
    connection.execute(f"delete from orders {where}")
    connection.execute("insert into orders from stage")
    connection.execute("commit")


def dump(files: Path, source: dict[str, str]) -> None:
    """Write each table of a shop to a Parquet file, for `insert`."""
    import duckdb

    with closing(duckdb.connect()) as connection:
        attach(connection, source)
        for name in ("customers", "products", "orders"):
            connection.execute(f"copy shop.{name} to '{files / name}.parquet' (format parquet)")


def insert(database: Path, files: Path) -> None:
    """Insert each table's file, parents first, as one transaction."""
    import duckdb

    with closing(duckdb.connect(str(database))) as connection:
        connection.execute("begin")
        for name in ("customers", "products", "orders"):
            connection.execute(f"insert into {name} by name from '{files / name}.parquet'")
        connection.execute("commit")


def main(what: str, folder: str, day: str = "") -> None:
    """Do it, and say how long the work took."""
    import duckdb

    where = f"where order_date = date '{day}'" if what == "day" else ""
    if what == "dump":
        dump(Path(folder), json.loads(os.environ["BENCH_SOURCE"]))
        return
    if what == "insert":
        insert(Path(folder) / "shop.duckdb", Path(day))
        return
    wall, cpu = time.perf_counter(), time.process_time()
    with closing(duckdb.connect(str(Path(folder) / DATABASE))) as connection:
        attach(connection, json.loads(os.environ["BENCH_SOURCE"]))
        carry(connection, Path(folder), where, what == "one-piece")
    own = {"work_s": time.perf_counter() - wall, "work_cpu_s": time.process_time() - cpu}
    print("BENCH " + json.dumps(own))


if __name__ == "__main__":
    main(*sys.argv[1:])
