"""MySQL goes through many rows one after another, through few by an index, and is told what would help."""

from __future__ import annotations

import logging
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Outside, Scope, Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.resources.mysql import scans
from orderhe_dagster.resources.mysql.connection import connect
from orderhe_dagster.resources.mysql.extract import mysql_select
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

CONTRACT = """\
-- What happened.
-- @partition day
-- @cursor changed_at
create table events (
    id int not null primary key,
    day date not null,
    note varchar(200) not null,
    changed_at datetime(6) not null,
    key events_day (day)
);
"""
FIRST, DAYS, ROWS = date(2026, 1, 1), 50, 5_000
ALL = Window(FIRST, FIRST + timedelta(DAYS))
ONE = Window.of(FIRST + timedelta(7))


@pytest.fixture
def events(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> tuple[MySQLSource, Table]:
    table = read(tmp_path, {"raw/events.sql": CONTRACT}).in_zone("Asia/Seoul").tables[0]
    source: MySQLSource = mysql_source(mariadb, shop_database)
    source.create([table])
    mariadb.run(
        f"insert into {shop_database}.events select seq, date '2026-01-01' + interval seq % {DAYS} day, "
        f"repeat('x', 200), '2026-03-01 00:00:00.000001' from {shop_database}.seq_1_to_{ROWS}"
    )
    mariadb.run(f"analyze table {shop_database}.events")
    return source, table


@pytest.fixture
def hints(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What MySQL was told of the selects since."""
    told: list[str] = []
    decide = scans.hint

    def hint(*given: Any) -> str:
        told.append(decide(*given))
        return told[-1]

    monkeypatch.setattr(scans, "hint", hint)
    return told


@pytest.mark.parametrize(
    ("scope", "wanted"), [(ALL, " use index ()"), (ONE, ""), (Outside.of(ALL), "")]
)
def test_an_index_is_left_where_all_rows_are_read(
    scope: Scope, wanted: str, events: tuple[MySQLSource, Table], hints: list[str]
) -> None:
    source, table = events
    touches, measures = source.touches(table, scope), source.measure(table, scope)
    assert hints == [wanted, wanted]
    assert {s: touch.rows for s, touch in touches.items()} == {
        s: measure.rows for s, measure in measures.items()
    }
    assert source.measure(table, scope, measures) == measures


def test_an_index_of_all_the_columns_is_read_alone(
    mariadb: MariaDB, events: tuple[MySQLSource, Table], hints: list[str]
) -> None:
    source, table = events
    before = source.touches(table, ALL)
    database = source.settings.database
    mariadb.run(f"create index both_of_them on {database}.events (day, changed_at)")
    mariadb.run(f"analyze table {database}.events")
    assert source.touches(table, ALL) == before
    assert hints == [" use index ()", ""]
    assert before[Segment.of(FIRST)].rows == ROWS // DAYS


def test_the_index_that_would_help_is_named_where_rows_are_many(
    mariadb: MariaDB,
    events: tuple[MySQLSource, Table],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source, table = events
    caplog.set_level(logging.INFO, "orderhe.mysql")
    source.touches(table, ALL)
    assert not caplog.records, "of few rows nothing is said"
    monkeypatch.setattr(scans, "_WORTH_AN_INDEX", ROWS)
    source.touches(table, ONE)
    source.touches(table, ALL)
    (record,) = caplog.records
    statement = "create index `events_day_changed_at` on `events` (`day`, `changed_at`)"
    assert record.levelno == logging.INFO
    assert record.getMessage().endswith(statement)
    mariadb.run(statement.replace(" on ", f" on {source.settings.database}."))
    mariadb.run(f"analyze table {source.settings.database}.events")
    caplog.clear()
    source.touches(table, ALL)
    assert not caplog.records


def test_a_segment_that_is_not_as_it_is_known_is_measured(
    mariadb: MariaDB, events: tuple[MySQLSource, Table]
) -> None:
    source, table = events
    known = source.measure(table, ALL)
    changed = [
        Segment.of(FIRST),
        Segment.of(FIRST + timedelta(3)),
        Segment.of(FIRST + timedelta(4)),
    ]
    for number, segment in enumerate(changed):
        mariadb.run(
            f"update {source.settings.database}.events set note = 'other' "
            f"where day = '{segment}' limit {number + 1}"
        )
    now = source.measure(table, ALL, known)
    assert now == source.measure(table, ALL)
    assert [segment for segment in known if now[segment] != known[segment]] == changed
    assert source.touches(table, ALL)[changed[0]] == Touch(ROWS // DAYS, 100 * 1772323200000001)


ORDERS = """\
-- @partition day
create table orders (id int not null primary key, day date not null, key orders_day (day));
"""
LINES = """\
-- @partition order_id -> orders.day
create table order_lines (
    id int not null primary key, order_id int not null, note varchar(200) not null, key lines_order (order_id)
);
"""


def test_a_child_is_found_by_few_parents_and_gone_through_for_many(
    mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    files = {"raw/orders.sql": ORDERS, "raw/order_lines.sql": LINES}
    tables = {table.name: table for table in read(tmp_path, files).in_zone("Asia/Seoul").tables}
    lines = tables["order_lines"]
    source: MySQLSource = mysql_source(mariadb, shop_database)
    source.create([*tables.values()])
    at = f"{shop_database}."
    days = f"date '{FIRST}' + interval seq % {DAYS} day"
    for text in (
        f"insert into {at}orders select seq, {days} from {at}seq_1_to_1000",
        f"insert into {at}order_lines select seq, seq div 3, repeat('x', 200) from {at}seq_1_to_3000",
        f"analyze table {at}orders, {at}order_lines",
    ):
        mariadb.run(text)

    connection = connect(source.settings, texts=True)
    with closing(connection), connection.cursor() as cursor:

        def plan(window: Window, hint: str = "") -> list[tuple[str, str]]:
            select = mysql_select(lines, window, hint)
            cursor.execute(f"explain {select}")
            names = [field[0] for field in cursor.description]
            rows = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
            return [(row["table"], row["key"]) for row in rows]

        def hint(window: Window) -> str:
            return scans.child_hint(cursor, lines, mysql_select(lines, window))

        assert hint(ONE) == ""
        assert plan(ONE) == [("_parent_1", "orders_day"), ("order_lines", "lines_order")]
        assert plan(ALL, " use index ()") == [("order_lines", None), ("_parent_1", "PRIMARY")]
        assert hint(ALL) in ("", " use index ()"), "as the server plans"
        assert plan(ALL, hint(ALL))[0][0] == "order_lines"
