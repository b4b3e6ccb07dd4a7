"""What every Source promises of a child that is cut by its parent's day, over the join with it."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.column_names import carried_name
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, Outside, Scope, Segment, scope_condition
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import OutsideRows, Touch
from orderhe_dagster.ports.source import Source
from orderhe_dagster_tests.contracts.sources import DAY, fill, rows_read, tables

ORDERS = """
-- @partition {day}
create table orders (
    order_id int not null, order_no varchar(12) not null, uid binary(4), {day} {type} null,
    primary key (order_id), unique key (order_no), unique key (uid)
);
"""
LINES = """
-- @partition {way}
create table order_lines (
    line_id int not null, order_id int, order_no varchar(12), order_uid binary(4), amount decimal(12, 2),
    text varchar(40), primary key (line_id)
);
"""
OPTIONS = """
-- @partition line_id -> order_lines.order_id -> orders.sold_on
create table line_options (option_id int not null, line_id int not null, primary key (option_id));
"""
WINDOW = Window(DAY, DAY + timedelta(3))
NEXT = DAY + timedelta(1)


def shop(
    source: Source,
    folder: Path,
    way: str = "order_id -> orders.sold_on",
    day: tuple[str, str] = ("sold_on", "date"),
) -> dict[str, Table]:
    made = tables(
        folder,
        orders=ORDERS.format(day=day[0], type=day[1]),
        order_lines=LINES.format(way=way),
        **({"line_options": OPTIONS} if day[0] == "sold_on" else {}),
    )
    source.create([*made.values()])
    return made


def order(number: int, day: date | None, column: str = "sold_on") -> dict[str, Any]:
    return {"order_id": number, "order_no": f"no {number}|", "uid": uid(number), column: day}


def uid(number: int) -> bytes:
    """Bytes of which some are no letters."""
    return number.to_bytes(2, "big") + b"\xff\x00"


def line(number: int, parent: int | None, text: str = "") -> dict[str, Any]:
    return {
        "line_id": number,
        "order_id": parent,
        "order_no": None if parent is None else f"no {parent}|",
        "order_uid": None if parent is None else uid(parent),
        "text": text,
    }


def days_read(source: Source, table: Table, folder: Path) -> dict[Any, Any]:
    """What an extract of the days and of the rest brings: the day of each row, by its key and segment."""
    found = {}
    scopes: list[Scope] = [WINDOW, Outside.of(WINDOW)]
    for number, scope in enumerate(scopes):
        extract = source.extract(table, scope, folder / f"out {number}")
        assert extract.measures == source.measure(table, scope)
        assert extract.measures == source.measure(table, scope, extract.measures), (
            "as they are known"
        )
        touches = source.touches(table, scope)
        assert extract.touches == touches
        with source.writing() as transaction:
            assert transaction.measure(table, scope) == extract.measures
        for segment in extract.measures:
            for row in rows_read(extract, segment):
                assert list(row) == list(table.column_names)
                found[segment.text, row[table.grain[0]]] = row["_day"]
    return found


@pytest.mark.parametrize("by", ["order_id", "order_no", "order_uid"])
def test_rows_have_the_day_of_their_parent(source: Source, tmp_path: Path, by: str) -> None:
    key = {"order_id": "", "order_no": "(order_no)", "order_uid": "(uid)"}[by]
    made = shop(source, tmp_path, f"{by} -> orders{key}.sold_on")
    long_ago = date(1999, 1, 2)
    parents = [(1, DAY), (2, NEXT), (3, None), (4, long_ago), (5, WINDOW.end), (6, NEXT)]
    fill(source, made["orders"], [order(number, day) for number, day in parents])
    fill(
        source,
        made["order_lines"],
        [line(*one, text="|!'`") for one in ((10, 1), (11, 1), (12, 2), (13, 6))]
        + [line(*one) for one in ((20, 3), (21, 4), (22, 5), (23, 99), (24, None))],
    )
    assert days_read(source, made["order_lines"], tmp_path) == {
        (str(DAY), 10): DAY,
        (str(DAY), 11): DAY,
        (str(NEXT), 12): NEXT,
        (str(NEXT), 13): NEXT,
        ("outside", 20): None,
        ("outside", 21): long_ago,
        ("outside", 22): WINDOW.end,
        ("outside", 23): None,
        ("outside", 24): None,
    }
    assert source.outside(made["order_lines"], Outside.of(WINDOW)) == OutsideRows(3, 1, 1)
    assert source.calendar(made["order_lines"]) == {long_ago: 1, DAY: 2, NEXT: 2, WINDOW.end: 1}
    assert source.drift(made["order_lines"]) == []


@pytest.mark.parametrize(
    ("of_orders", "of_lines"),
    [
        ("charset=utf8mb4 collate=utf8mb4_unicode_ci", "charset=utf8mb4"),
        ("charset=utf8mb4", "charset=utf8mb4 collate=utf8mb4_unicode_ci"),
        ("charset=utf8mb4 collate=utf8mb4_unicode_ci", "charset=latin1"),
    ],
)
def test_parents_are_named_by_texts_of_another_collation(
    source: Source,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    of_orders: str,
    of_lines: str,
) -> None:
    monkeypatch.setitem(globals(), "ORDERS", ORDERS.replace("\n);", f"\n) default {of_orders};"))
    monkeypatch.setitem(globals(), "LINES", LINES.replace("\n);", f"\n) default {of_lines};"))
    made = shop(source, tmp_path, "order_no -> orders(order_no).sold_on")
    fill(source, made["orders"], [order(1, DAY)])
    fill(source, made["order_lines"], [line(10, 1), line(11, 2)])
    assert days_read(source, made["order_lines"], tmp_path) == {
        (str(DAY), 10): DAY,
        ("outside", 11): None,
    }


def test_rows_have_the_day_of_a_parent_two_steps_away(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # As the source calls them: our names, in the ways, are others.
    orders = ORDERS.replace("table orders", "table `Shop-Orders`")
    lines = LINES.replace("table order_lines", "table `Order lines`")
    monkeypatch.setitem(globals(), "ORDERS", orders.replace("order_id", "ctid"))
    monkeypatch.setitem(globals(), "LINES", lines)
    made = shop(source, tmp_path)
    assert made["line_options"].day_through[1].parent.source_name == "Shop-Orders"
    key = made["orders"].grain[0]
    assert key == carried_name("ctid") != "ctid"
    rows = [order(1, DAY), order(2, NEXT)]
    fill(source, made["orders"], [{key: row.pop("order_id"), **row} for row in rows])
    fill(source, made["order_lines"], [line(10, 1), line(11, 2), line(12, 77)])
    options = [(1, 10), (2, 11), (3, 12), (4, 13)]
    fill(source, made["line_options"], [{"option_id": n, "line_id": of} for n, of in options])
    assert days_read(source, made["line_options"], tmp_path) == {
        (str(DAY), 1): DAY,
        (str(NEXT), 2): NEXT,
        ("outside", 3): None,
        ("outside", 4): None,
    }


def test_a_child_may_be_called_like_what_its_parents_are_called_beside_it(
    source: Source, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = LINES.replace("table order_lines", "table _parent_1")
    monkeypatch.setitem(globals(), "LINES", named)
    made = shop(source, tmp_path)
    fill(source, made["orders"], [order(1, DAY)])
    fill(source, made["order_lines"], [line(1, 2), line(2, 1)])
    assert days_read(source, made["order_lines"], tmp_path) == {
        (str(DAY), 2): DAY,
        ("outside", 1): None,
    }


@pytest.mark.parametrize(
    ("declared", "moments"),
    [
        ("datetime(3)", (datetime(2026, 3, 1), datetime(2026, 3, 1, 23, 59, 59, 999_000))),
        ("timestamp", (datetime(2026, 2, 28, 15), datetime(2026, 3, 1, 14, 59, 59))),
    ],
)
def test_the_day_of_a_moment_is_the_shop_s(
    source: Source, tmp_path: Path, declared: str, moments: tuple[datetime, datetime]
) -> None:
    made = shop(source, tmp_path, "order_id -> orders.sold_at", ("sold_at", declared))
    second = timedelta(seconds=1)
    times = [*moments, moments[0] - second, moments[1] + second]
    fill(source, made["orders"], [order(n, at, "sold_at") for n, at in enumerate(times)])
    fill(source, made["order_lines"], [line(n, n) for n in range(4)])
    found = days_read(source, made["order_lines"], tmp_path)
    assert {key: day for (_, key), day in found.items()} == {
        **{0: DAY, 1: DAY, 2: DAY - timedelta(1)},
        3: NEXT,
    }
    assert {segment for segment, key in found if key in (0, 1)} == {str(DAY)}


@pytest.mark.parametrize(
    "changes",
    [
        ["update orders set sold_on = '2026-03-02' where order_id = 1"],
        # As many lines on each day as before, of parents whose numbers add up to the same.
        [
            "update orders set sold_on = '2026-03-05' where order_id in (1, 4)",
            "update orders set sold_on = '2026-03-01' where order_id in (2, 3)",
            "update orders set sold_on = '2026-03-02' where order_id in (1, 4)",
        ],
    ],
    ids=["moved", "swapped"],
)
def test_a_parent_that_moves_is_seen_on_both_days(
    source: Source, tmp_path: Path, changes: list[str]
) -> None:
    made = shop(source, tmp_path)
    days = {1: DAY, 4: DAY, 2: NEXT, 3: NEXT}
    fill(source, made["orders"], [order(number, day) for number, day in days.items()])
    fill(source, made["order_lines"], [line(10 + number, number) for number in days])
    before = source.touches(made["order_lines"], WINDOW)
    with source.writing() as transaction:
        for change in changes:
            transaction.execute(change)
    after = source.touches(made["order_lines"], WINDOW)
    assert before.keys() == after.keys() == {Segment.of(DAY), Segment.of(NEXT)}
    assert all(before[segment] != after[segment] for segment in before)


def test_a_late_parent_takes_its_lines_out_of_outside(source: Source, tmp_path: Path) -> None:
    made = shop(source, tmp_path)
    fill(source, made["order_lines"], [line(10, 1)])
    rest = Outside.of(WINDOW)
    assert source.touches(made["order_lines"], rest)[OUTSIDE].rows == 1
    assert source.touches(made["order_lines"], WINDOW) == {}
    fill(source, made["orders"], [order(1, DAY)])
    assert source.touches(made["order_lines"], rest) == {OUTSIDE: Touch(0)}
    assert source.touches(made["order_lines"], WINDOW)[Segment.of(DAY)].rows == 1
    with source.writing() as transaction:
        transaction.execute("update orders set sold_on = null")
    assert source.touches(made["order_lines"], rest)[OUTSIDE].rows == 1


def test_the_parts_go_back_without_the_day(source: Source, tmp_path: Path) -> None:
    made = shop(source, tmp_path)
    fill(source, made["orders"], [order(1, DAY)])
    fill(source, made["order_lines"], [line(10, 1), line(11, 1)])
    extract = source.extract(made["order_lines"], WINDOW, tmp_path / "out")
    with source.writing() as transaction:
        transaction.execute("delete from order_lines")
        assert transaction.append_files(made["order_lines"], extract.parts[Segment.of(DAY)]) == 2
        assert transaction.measure(made["order_lines"], WINDOW) == extract.measures


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("alter table orders rename column sold_on to day", "does not have it"),
        ("alter table orders drop column sold_on", "does not have it"),
    ],
)
def test_a_parent_that_is_another_stops(
    source: Source, tmp_path: Path, change: str, words: str
) -> None:
    made = shop(source, tmp_path)
    with source.writing() as transaction:
        transaction.execute(change)
    with pytest.raises(PortError) as caught:
        source.extract(made["order_lines"], WINDOW, tmp_path / "out")
    text = str(caught.value)
    assert "raw.order_lines: its days are told by `@partition order_id -> orders.sold_on`" in text
    assert words in text
    assert "orders.sold_on" in text


def test_a_parent_whose_key_is_none_any_more_stops(source: Source, tmp_path: Path) -> None:
    made = shop(source, tmp_path)
    with source.writing() as transaction:
        transaction.execute(
            "create table others (order_id int not null, order_no varchar(12), sold_on date)"
        )
    lines = made["order_lines"]
    (step,) = lines.day_through
    # The contract says that it has a key; the table does not.
    parent = replace(step.parent, source_name="others")
    lines = replace(lines, day_through=(replace(step, parent=parent),))
    with pytest.raises(PortError, match="could have two parents"):
        source.extract(lines, WINDOW, tmp_path / "out")


def test_mysql_cuts_by_the_parent_s_own_column(tmp_path: Path) -> None:
    made = tables(
        tmp_path,
        orders=ORDERS.format(day="sold_at", type="timestamp"),
        order_lines=LINES.format(way="order_id -> orders.sold_at"),
    )
    assert scope_condition(made["order_lines"], Window.of(DAY), "mysql") == (
        "`_day_read` >= '2026-02-28 15:00:00' and `_day_read` < '2026-03-01 15:00:00'"
    )
    assert scope_condition(made["order_lines"], Window.of(DAY)) == (
        "\"_day\" >= '2026-03-01' and \"_day\" < '2026-03-02'"
    )
