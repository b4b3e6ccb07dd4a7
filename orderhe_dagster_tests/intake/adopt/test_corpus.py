"""Any table of any name: adopted, backed up and loaded; each value as the source has it, or told."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.ddl import quoted, quoted_names
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.intake.adopt.adopter import Adopted, Asked, adopt
from orderhe_dagster.ports.source import Source
from orderhe_dagster.resources.extract.parquet_query import parquet_query
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.kept_open import IDLE
from orderhe_dagster.road.extracts import Road, back_up
from orderhe_dagster.road.loads import load
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.intake.adopt import oracle
from orderhe_dagster_tests.intake.adopt.corpus import corpus
from orderhe_dagster_tests.intake.adopt.strange import run
from orderhe_dagster_tests.long_tests import IS_LONG
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

TABLES = 280 if IS_LONG else 25
HISTORY = Window(date(2020, 1, 1), date(2020, 3, 1))


@dataclass
class Tally:
    """What became of the corpus, and what is not as it should be."""

    tables: int = 0
    columns: int = 0
    rows: int = 0
    quarantined: int = 0
    left_out: int = 0
    partitioned: int = 0
    nulled: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def test_every_table_arrives_as_it_is_or_says_what_does_not(
    mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    made = corpus(seed=15, count=TABLES)
    run(mariadb, shop_database, [sql for one in made for sql in (one.create, *one.rows)])
    ways = ("arrow", "scanner")  # in turn
    source, other = (mysql_source(mariadb, shop_database, extract=one) for one in ways)
    tables_told = adopt(source, tmp_path / "sql", Asked()).tables
    adopted = {one.source_name: one for one in tables_told}
    tables = {table.source_name: table for table in read_catalogue(tmp_path / "sql").tables}
    tally = Tally()
    with reading(mariadb, shop_database) as cursor, road(source, tmp_path) as way:
        for number, one in enumerate(made):
            of = way if number % 3 else replace(way, source=other)
            try:
                judge(cursor, of, adopted[one.name], tables.get(one.name), tally)
            except Exception as error:
                tally.wrong.append(f"{one.name!r}: {type(error).__name__}: {error}\n{one.create}")
    print(tally)
    assert not tally.wrong, "\n".join(tally.wrong)
    assert len({one.name for one in adopted.values()}) == len(made) == tally.tables
    assert min(tally.columns, tally.rows, tally.quarantined, tally.left_out, tally.partitioned) > 0


@contextmanager
def reading(mariadb: MariaDB, database: str) -> Iterator[Any]:
    """A cursor whose values are MariaDB's own texts."""
    import pymysql
    from pymysql.converters import encoders

    with (
        pymysql.connect(
            unix_socket=str(mariadb.folder / "s"),
            user="root",
            database=database,
            charset="utf8mb4",
            conv=encoders,
            init_command="set time_zone = '+00:00'",
        ) as connection,
        connection.cursor() as cursor,
    ):
        yield cursor


@contextmanager
def road(source: Source, folder: Path) -> Iterator[Road]:
    """The road from the source to a warehouse of its own."""
    store = FolderStore(root=str(folder / "s3"), bucket="b")
    store.create()
    warehouse = EmbeddedWarehouse(str(folder / "warehouse.duckdb"), store=store, linger_s=60)
    with warehouse.session("create") as session:
        session.execute("create schema warehouse")
    try:
        yield Road(source, store, warehouse, folder / "scratch", parquet_query)
    finally:
        IDLE.close()


def judge(cursor: Any, way: Road, adopted: Adopted, table: Table | None, tally: Tally) -> None:
    """Carry a table, and hold what arrived against what the source says."""
    tally.tables += 1
    there = columns_there(cursor, adopted.source_name)
    carried = set() if table is None else {one.source_name for one in table.in_source.columns}
    told = " ".join(adopted.left_out)
    for name in there - carried:
        tally.left_out += 1
        assert repr(name)[1:-1] in told or name in told, (
            f"column {name!r} is left out silently: {adopted.left_out}"
        )
    if table is None:
        assert adopted.outcome == "refused"
        return
    assert carried <= there
    tally.columns += len(carried)
    tally.partitioned += table.partition is not None
    step = Step(table, HISTORY if table.partition else None, "run-1", HISTORY)
    done = back_up(step, way)
    load(step, way.store, way.warehouse)
    names = quoted_names(table.in_source.column_names)
    found = oracle.rows_of(
        way.warehouse.query(f"select {names} from warehouse.{quoted(table.name)}").rows
    )
    want = oracle.wanted(cursor, table)
    assert found == want.rows, f"{found - want.rows} for {want.rows - found}"
    records = done.records.values()
    assert sum(record.quarantined for record in records) == want.quarantined
    nulled = sum((Counter(record.nulled) for record in records), Counter[str]())
    assert nulled == want.nulled
    tally.rows += want.rows.total()
    tally.quarantined += want.quarantined
    tally.nulled += want.nulled


def columns_there(cursor: Any, name: str) -> set[str]:
    """The columns that the table has, but those that MariaDB keeps of the versions of its rows."""
    cursor.execute(
        "select column_name from information_schema.columns where table_schema = database() "
        "and table_name = %s and coalesce(generation_expression, '') not like 'ROW %%'",
        (name,),
    )
    return {str(found) for (found,) in cursor.fetchall()}
