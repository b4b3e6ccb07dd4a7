"""What DuckDB holds of its own is bounded, by a setting and by how few rows of a day wait to be written."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.resources.build import build_parquet_query, build_source, build_warehouse
from orderhe_dagster.resources.extract.duckdb_extract import LONG_ROWS_A_GROUP, copy_statement
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster.settings.config import MEMORY_MB, load_settings
from orderhe_dagster_tests.catalog.folders import read

EVENTS = """\
-- What happened.
-- @partition day
create table events (id int not null primary key, day date not null);
"""
DAY = date(2026, 1, 1)


@pytest.fixture
def limits(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The memory that every engine was opened with since."""
    given: list[str] = []
    connect = duckdb.connect

    def noted(*args: Any, **more: Any) -> Any:
        given.append(str((more.get("config") or {}).get("memory_limit")))
        return connect(*args, **more)

    monkeypatch.setattr(duckdb, "connect", noted)
    return given


@pytest.mark.parametrize(("given", "wanted"), [("", MEMORY_MB), ("123", 123)])
def test_every_engine_is_opened_with_the_setting(
    given: str, wanted: int, tmp_path: Path, limits: list[str]
) -> None:
    environ = {"ORDERHE_HOME": str(tmp_path), "ORDERHE_MEMORY_MB": given}
    settings = load_settings(environ, tmp_path)
    table = read(tmp_path, {"raw/events.sql": EVENTS}).in_zone("Asia/Seoul").tables[0]
    source = build_source(settings)
    source.create([table])
    source.extract(table, Window.of(DAY), tmp_path / "out")
    with build_parquet_query(settings)(tmp_path / "spilled") as query:
        assert query("select 1") == [(1,)]
    assert limits == [f"{wanted}MB"] * 4
    with build_warehouse(settings).session("look") as session:
        ((held,),) = session._engine.connection.execute(  # type: ignore[attr-defined]
            "select current_setting('memory_limit')"
        ).fetchall()
    assert held == f"{wanted * 1_000_000 / 2**20:.1f} MiB"
    mysql = {"ORDERHE_SOURCE": "mysql", "ORDERHE_MYSQL_HOST": "h", "ORDERHE_MYSQL_USER": "u"}
    source = build_source(
        load_settings(environ | mysql | {"ORDERHE_MYSQL_DATABASE": "d"}, tmp_path)
    )
    assert isinstance(source, MySQLSource)
    assert source.memory_mb == wanted


@pytest.mark.parametrize(
    ("days", "column", "rows"),
    [
        (1, "int", 122_880),
        (365, "int", 8_219),
        (3_000, "int", 4_096),
        (365, "longtext", LONG_ROWS_A_GROUP),
    ],
)
def test_of_many_days_fewer_rows_of_each_wait_to_be_written(
    days: int, column: str, rows: int, tmp_path: Path
) -> None:
    text = EVENTS.replace("id int not null", f"note {column}, id int not null")
    table = read(tmp_path, {"raw/events.sql": text}).in_zone("Asia/Seoul").tables[0]
    window = Window(DAY, DAY + timedelta(days))
    statement = copy_statement(table, window, tmp_path / "out", "events")
    assert f"row_group_size {rows})" in statement


@pytest.mark.parametrize(("columns", "days"), [(2, 1), (60, 40), (60, 300)])
def test_a_wide_table_with_many_days_is_written_within_its_memory(
    columns: int, days: int, tmp_path: Path
) -> None:
    """Side by side, by one thread, and some days at a time: DuckDB holds a vector of each day."""
    more = ", ".join(f"c{number} varchar(40)" for number in range(columns))
    contract = EVENTS.replace("day date not null", f"day date not null, {more}")
    table = read(tmp_path, {"raw/events.sql": contract}).in_zone("Asia/Seoul").tables[0]
    source = EmbeddedSource(path=str(tmp_path / "shop.duckdb"), memory_mb=100)
    source.create([table])
    values = ", ".join(f"'{number} of ' || i" for number in range(columns))
    with source.writing() as transaction:
        transaction.execute(
            f"insert into events select i, date '{DAY}' + (i % {days})::int, {values}"
            f" from range({10 * days}) as r(i)"
        )
    window = Window(DAY, DAY + timedelta(days=days))
    extract = source.extract(table, window, tmp_path / "out")
    assert [len(parts) for parts in extract.parts.values()] == [1] * days
    assert {measure.rows for measure in extract.measures.values()} == {10}
    assert extract.measures == source.measure(table, window)
    assert not [path for path in tmp_path.iterdir() if "all.parquet" in path.name]
    with duckdb.connect() as connection:
        files = [str(path) for parts in extract.parts.values() for path in parts]
        written = connection.read_parquet(files).columns
    assert written == list(table.column_names)
