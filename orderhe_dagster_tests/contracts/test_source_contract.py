"""What every Source promises of reading: extracts, measures, windows, touches."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet as pq
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import (
    OUTSIDE,
    WHOLE,
    Outside,
    Scope,
    Segment,
    condition,
    segments_of,
)
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure, OutsideRows, Touch
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster_tests.contracts.sources import (
    DAY,
    NAMES,
    PHOTO_ROWS,
    PHOTOS,
    PHOTOS_DIGEST,
    SEGMENT,
    TYPES,
    ZONED,
    count,
    dayless,
    fill,
    rows_of,
    rows_read,
    sale,
    tables,
)


def test_create_again_keeps_the_rows(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1)])
    source.create([sales])
    assert count(source) == 1


def test_the_commonest_values_stand_first_and_are_counted_together(
    source: Source, sales: Table
) -> None:
    kinds = [("done", "한글"), ("done", "한글"), ("new", None), ("new", "b"), ("done", "한글")]
    rows = [sale(number, state=state, note=note) for number, (state, note) in enumerate(kinds)]
    fill(source, sales, rows)
    assert source.commonest(sales, ["state", "note"], 1) == [(("done", "한글"), 3)]
    assert source.commonest(sales, ["state"], 9) == [(("done",), 3), (("new",), 2)]
    assert (("new", None), 1) in source.commonest(sales, ["state", "note"], 9)
    assert source.commonest(sales, ["amount"], 9) == [(("10.50",), 5)]


def test_identity_tells_no_path(source: Source, tmp_path: Path) -> None:
    assert str(tmp_path) not in source.identity


def test_every_type_passes_through_parquet_unchanged(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, types=TYPES)["types"]
    source.create([table])
    big = 2**63 - 1
    values: list[dict[str, Any]] = [
        {
            "a_bit": True, "a_tiny": 7, "a_small": -(2**15), "a_medium": 2**24 - 1, "an_int": -(2**31),
            "an_unsigned": 2**32 - 1, "a_big": -big - 1,
            "a_big_unsigned": Decimal(2**64 - 1),
            "a_decimal": Decimal("-1234567890123456789012345678.0123456789"), "a_float": 0.5,
            "a_double": 1e-300, "a_date": date(1000, 1, 1), "a_datetime": datetime.max,
            "a_whole_second": datetime(2026, 2, 28, 23, 59, 59),
            "a_timestamp": datetime(2038, 1, 19, 3, 14, 7),
            "a_text": "🙂 '\"\\\n\t|!N\r\n", "an_enum": "한", "some_bytes": b"\x00\xff",
        },
        {
            "a_bit": False, "a_tiny": -128, "a_small": 2**15 - 1, "a_medium": 0, "an_int": 2**31 - 1,
            "an_unsigned": 0, "a_big": big, "a_big_unsigned": Decimal(0), "a_decimal": Decimal("0E-10"),
            "a_float": -0.0, "a_double": 1.7976931348623157e308, "a_date": date(9999, 12, 31),
            "a_datetime": datetime(1000, 1, 1), "a_whole_second": datetime(2026, 1, 1),
            "a_timestamp": datetime(1970, 1, 1, 0, 0, 1), "a_text": "", "an_enum": "a", "some_bytes": b"",
        },
        dict.fromkeys(table.column_names[2:]),
        dict.fromkeys(table.column_names[2:]) | {"a_text": "NULL"},
    ]  # fmt: skip
    rows = [{"id": number, "on_day": DAY, **row} for number, row in enumerate(values)]
    fill(source, table, rows)
    extract = source.extract(table, Window.of(DAY), tmp_path / "out")
    read = sorted(rows_read(extract, SEGMENT), key=lambda row: row["id"])
    assert read == [{name: row[name] for name in table.column_names} for row in rows]
    assert extract.measures == source.measure(table, Window.of(DAY))
    (part,) = extract.parts[SEGMENT]
    schema = pq.read_schema(part)
    assert schema.names == list(table.column_names), "the contract's columns in its order, no other"
    assert [str(field.type) for field in schema] == [
        "int64", "date32[day]", "bool", "int16", "int16", "int32", "int32", "int64", "int64",
        "decimal128(20, 0)", "decimal128(38, 10)", "float", "double", "date32[day]",
        "timestamp[us]", "timestamp[us]", "timestamp[us]", "string", "string", "binary",
    ]  # fmt: skip
    assert pq.ParquetFile(part).metadata.row_group(0).column(0).compression == "ZSTD"


def test_an_extract_takes_the_window_and_counts_every_day(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    days = [DAY + timedelta(offset) for offset in (-1, 0, 0, 2, 3)]
    fill(source, sales, [sale(number, day) for number, day in enumerate(days)])
    window = Window(DAY, DAY + timedelta(3))
    before = datetime.now(timezone.utc)
    extract = source.extract(sales, window, tmp_path / "out")
    assert before - timedelta(seconds=2) <= extract.snapshot_at <= datetime.now(timezone.utc)
    assert set(extract.parts) == {SEGMENT, Segment.of(DAY + timedelta(2))}
    assert {row["number"] for row in rows_read(extract, SEGMENT)} == {1, 2}
    assert list(extract.measures) == segments_of(window)
    assert [measure.rows for measure in extract.measures.values()] == [2, 0, 1]
    empty = extract.measures[Segment.of(DAY + timedelta(1))]
    assert empty == Measure(0, dict.fromkeys(("number", "amount", "small"), Decimal(0)), 0)
    assert extract.measures[SEGMENT].sums == {"number": 3, "amount": Decimal("21.00"), "small": 0}
    assert source.outside(sales, Outside.of(window)) == OutsideRows(0, 1, 1)
    written = sorted(
        file.relative_to(tmp_path / "out") for file in (tmp_path / "out").rglob("*.parquet")
    )
    assert [file.as_posix() for file in written] == [
        "2026-03-01/part-00000.parquet",
        "2026-03-03/part-00000.parquet",
    ]


def test_no_rows_at_all_is_an_extract_too(source: Source, sales: Table, tmp_path: Path) -> None:
    extract = source.extract(sales, Window.of(DAY), tmp_path / "out")
    assert (extract.parts, extract.touches, extract.measures[SEGMENT].rows) == ({}, {}, 0)


def test_an_unpartitioned_table_is_one_piece(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, order=NAMES)["order"]
    source.create([table])
    empty = source.extract(table, None, tmp_path / "empty")
    assert empty.parts == {}
    assert empty.measures[WHOLE].rows == 0
    assert empty.touches == source.touches(table, None) == {WHOLE: Touch(0)}
    fill(source, table, [{"key": "a|b", "select": 1}, {"key": "!N", "select": None}])
    extract = source.extract(table, None, tmp_path / "out")
    assert sorted(row["key"] for row in rows_read(extract, WHOLE)) == ["!N", "a|b"]
    assert extract.measures == source.measure(table, None)
    assert extract.measures[WHOLE].sums == {"select": 1}
    assert extract.touches == source.touches(table, None) == {WHOLE: Touch(2, 0)}


@pytest.mark.parametrize("scope", [None, Window.of(DAY), Outside(DAY, DAY)])
def test_a_scope_must_suit_the_table(
    source: Source, sales: Table, tmp_path: Path, scope: Scope
) -> None:
    plain = tables(tmp_path, order=NAMES)["order"]
    source.create([plain])
    table = sales if scope is None else plain
    for reading in (
        lambda: source.extract(table, scope, tmp_path / "out"),
        lambda: source.measure(table, scope),
        lambda: source.touches(table, scope),
        lambda: source.outside(plain, Outside(DAY, DAY)),
        lambda: source.calendar(plain),
    ):
        with pytest.raises(PortError, match="partition"):
            reading()


def test_the_digest_sees_values_and_not_their_order(source: Source, sales: Table) -> None:
    rows = [sale(number, note=note) for number, note in enumerate(["a", "b", None, "", "|!"])]

    def digest(rows: Sequence[dict[str, Any]]) -> int:
        with source.writing() as transaction:
            transaction.execute("delete from sales")
            transaction.append(sales, rows_of(rows))
        return source.measure(sales, Window.of(DAY))[SEGMENT].digest

    first = digest(rows)
    assert digest(rows[::-1]) == first
    swapped = [{**row} for row in rows]
    swapped[0]["note"], swapped[1]["note"] = "b", "a"
    assert digest(swapped) != first, "the same values at other keys"


def test_the_digest_sees_bytes(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, photos=PHOTOS)["photos"]
    source.create([table])
    fill(source, table, PHOTO_ROWS)
    assert source.measure(table, None)[WHOLE].digest == PHOTOS_DIGEST
    extract = source.extract(table, None, tmp_path / "out")
    assert extract.measures[WHOLE].digest == PHOTOS_DIGEST
    assert rows_read(extract, WHOLE) == PHOTO_ROWS


def test_touches_move_with_the_cursor(source: Source, sales: Table, tmp_path: Path) -> None:
    fill(source, sales, [sale(1), sale(2), sale(3, DAY + timedelta(1))])
    window = Window(DAY, DAY + timedelta(5))
    before = source.touches(sales, window)
    next_day = Segment.of(DAY + timedelta(1))
    assert set(before) == {SEGMENT, next_day}
    assert source.extract(sales, window, tmp_path / "out").touches == before
    with source.writing() as transaction:
        transaction.execute(
            "update sales set updated_at = '2026-03-05 12:00:00.251' where number = 1"
        )
    after = source.touches(sales, window)
    assert after[SEGMENT] == Touch(2, before[SEGMENT].cursor_sum + 1000)
    assert after[next_day] == before[next_day]


@pytest.mark.parametrize(
    ("declared", "first", "after"),
    [
        ("date", "2026-03-01", "2026-03-02"),
        ("datetime(6)", "2026-03-01 00:00:00", "2026-03-02 00:00:00"),
        ("timestamp(6)", "2026-02-28 15:00:00", "2026-03-01 15:00:00"),  # midnight in Seoul
    ],
)
def test_a_day_begins_at_the_shops_midnight(
    source: Source, tmp_path: Path, declared: str, first: str, after: str
) -> None:
    table = tables(tmp_path, zoned=ZONED.format(name="zoned", type=declared))["zoned"]
    source.create([table])
    step = timedelta(days=1) if declared == "date" else timedelta(microseconds=1)
    begin, end = datetime.fromisoformat(first), datetime.fromisoformat(after)
    moments: list[Any] = [begin - step, begin, end - step, end]
    if declared == "date":
        moments = [moment.date() for moment in moments]
    fill(source, table, [{"id": id_, "moment": moment} for id_, moment in enumerate(moments)])
    extract = source.extract(table, Window.of(DAY), tmp_path / "out")
    assert {row["id"] for row in rows_read(extract, SEGMENT)} == {1, 2}
    assert source.outside(table, Outside.of(Window.of(DAY))) == OutsideRows(0, 1, 1)
    wide = source.extract(table, Window(DAY - timedelta(1), DAY + timedelta(2)), tmp_path / "w")
    assert [measure.rows for measure in wide.measures.values()] == [1, 2, 1]


@dataclass(frozen=True)
class Days:
    """A table of seven rows about two days of a shop, from `DAY` on: the ids tell where they lie."""

    table: Table
    moments: dict[int, Any]
    on_days: dict[date, int]

    outside = Outside(DAY, DAY + timedelta(days=2))
    undated, before, within, after = {1}, {2, 3}, {4, 5}, {6, 7}


LONG_AGO = {"date": datetime(1000, 1, 1), "datetime(6)": datetime(1000, 1, 1)}
FAR_AHEAD = {"date": datetime(9999, 12, 31), "datetime(6)": datetime.max}


@pytest.fixture(params=["date", "datetime(6)", "timestamp(6)"])
def declared(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(params=["Asia/Seoul", "America/New_York"])
def days(request: pytest.FixtureRequest, source: Source, declared: str, tmp_path: Path) -> Days:
    table = replace(dayless(tmp_path, "moments", declared), time_zone=request.param)
    source.create([table])
    zone = ZoneInfo(request.param) if declared.startswith("timestamp") else timezone.utc
    step = timedelta(days=1) if declared == "date" else timedelta(microseconds=1)

    def begin(day: date) -> datetime:
        midnight = datetime(day.year, day.month, day.day, tzinfo=zone)
        return midnight.astimezone(timezone.utc).replace(tzinfo=None)

    first, end = begin(Days.outside.start), begin(Days.outside.end)
    listed = [
        *(None, LONG_AGO.get(declared, datetime(1970, 1, 2)), first - step, first, end - step),
        *(end, FAR_AHEAD.get(declared, datetime(2038, 1, 19, 3, 14, 7))),
    ]
    moments = {
        number: moment.date() if declared == "date" and moment else moment
        for number, moment in enumerate(listed, start=1)
    }
    fill(source, table, [{"id": id_, "moment": moment} for id_, moment in moments.items()])
    on_days = Counter(
        moment.replace(tzinfo=timezone.utc).astimezone(zone).date() for moment in listed if moment
    )
    return Days(table, moments, on_days)


def ids(extract: Extract, segment: Segment) -> set[int]:
    return {row["id"] for row in rows_read(extract, segment)}


def test_what_lies_outside_of_the_days_is_one_piece(
    source: Source, days: Days, tmp_path: Path
) -> None:
    table, outside = days.table, days.outside
    extract = source.extract(table, outside, tmp_path / "out")
    assert list(extract.parts) == list(extract.measures) == [OUTSIDE]
    assert ids(extract, OUTSIDE) == days.undated | days.before | days.after
    assert {row["id"]: row["moment"] for row in rows_read(extract, OUTSIDE)}.items() <= (
        days.moments.items()
    )
    assert extract.measures == source.measure(table, outside)
    assert extract.measures[OUTSIDE].sums == {"id": 1 + 2 + 3 + 6 + 7}
    assert extract.touches == source.touches(table, outside) == {OUTSIDE: Touch(5)}
    assert source.outside(table, outside) == OutsideRows(undated=1, before=2, after=2)
    assert source.outside(table, outside).total == 5
    files = [file for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert files == [tmp_path / "out" / "part-00000.parquet"]


def test_the_days_and_what_lies_outside_of_them_are_the_whole(
    source: Source, days: Days, tmp_path: Path
) -> None:
    table, window = days.table, Window(days.outside.start, days.outside.end)
    within, beyond = source.measure(table, window), source.measure(table, days.outside)
    assert [measure.rows for measure in within.values()] == [1, 1]
    whole = source.measure(replace(table, partition=None), None)[WHOLE]
    pieces = [*within.values(), *beyond.values()]
    assert sum(piece.rows for piece in pieces) == whole.rows == 7
    assert sum(piece.digest for piece in pieces) == whole.digest


def test_the_condition_tells_the_rows_outside_too(source: Source, days: Days) -> None:
    first = Segment.of(days.outside.start)
    for segments, wanted in (
        ([OUTSIDE], days.undated | days.before | days.after),
        ([first, OUTSIDE], days.undated | days.before | {4} | days.after),
    ):
        where = condition(days.table, segments, days.outside)
        with source.writing() as transaction:
            rows = transaction.fetch(f"select id from moments where {where}")
        assert set(rows["id"].to_pylist()) == wanted


def test_the_bounds_may_lie_at_the_ends_of_time(
    source: Source, days: Days, declared: str, tmp_path: Path
) -> None:
    everything = Outside(DAY, DAY)
    assert source.measure(days.table, everything)[OUTSIDE].rows == 7
    assert source.outside(days.table, everything).total == 7
    most = Outside(date.min, date.max)
    last = set() if declared.startswith("timestamp") else {7}  # 9999-12-31 is not before itself
    assert ids(source.extract(days.table, most, tmp_path / "out"), OUTSIDE) == {1} | last
    assert source.outside(days.table, most) == OutsideRows(1, 0, len(last))
    assert source.touches(days.table, most) == {OUTSIDE: Touch(1 + len(last))}


def test_the_calendar_counts_every_day_there_is(source: Source, days: Days) -> None:
    calendar = source.calendar(days.table)
    assert calendar == days.on_days
    assert list(calendar) == sorted(calendar)


def test_nothing_outside_is_an_extract_too(source: Source, sales: Table, tmp_path: Path) -> None:
    assert source.calendar(sales) == {}
    fill(source, sales, [sale(1)])
    outside = Outside.of(Window.of(DAY))
    extract = source.extract(sales, outside, tmp_path / "out")
    assert extract.parts == {}
    nothing = Measure(0, dict.fromkeys(("number", "amount", "small"), Decimal(0)), 0)
    assert extract.measures == source.measure(sales, outside) == {OUTSIDE: nothing}
    assert extract.touches == source.touches(sales, outside) == {OUTSIDE: Touch(0)}
    assert source.outside(sales, outside) == OutsideRows()
    assert not [path for path in (tmp_path / "out").rglob("*") if path.is_file()]


def test_a_row_that_is_given_a_day_of_the_shop_moves_there(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1, date(2062, 3, 1)), sale(2)])
    window = Window.of(DAY)
    outside = Outside.of(window)
    one = source.touches(sales, outside)[OUTSIDE].cursor_sum
    before = source.measure(sales, outside)[OUTSIDE], source.measure(sales, window)[SEGMENT]
    assert source.touches(sales, window) == {SEGMENT: Touch(1, one)}
    with source.writing() as transaction:
        transaction.execute("update sales set sold_on = '2026-03-01' where number = 1")
    assert source.touches(sales, outside) == {OUTSIDE: Touch(0, 0)}
    assert source.touches(sales, window) == {SEGMENT: Touch(2, 2 * one)}
    after = source.measure(sales, outside)[OUTSIDE], source.measure(sales, window)[SEGMENT]
    assert [piece.rows for piece in (*before, *after)] == [1, 1, 0, 2]
    assert before[0].digest != after[1].digest - before[1].digest, "the day is a value of the row"


def test_a_server_is_known_without_any_table(source: Source, tmp_path: Path) -> None:
    """As what it calls itself: MariaDB's is tried with its servers. No path, no name of a database."""
    name = source.server()
    assert name
    assert str(tmp_path) not in name
    if isinstance(source, EmbeddedSource):
        assert name == source.identity


def test_a_failed_extract_leaves_nothing(source: Source, sales: Table, tmp_path: Path) -> None:
    fill(source, sales, [sale(1)])
    with source.writing() as transaction:
        transaction.execute("alter table sales rename column amount to paid")
    with pytest.raises(PortError, match=r"raw\.sales") as caught:
        source.extract(sales, Window.of(DAY), tmp_path / "out")
    assert "amount" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_contract_that_is_not_the_tables_any_more_rounds_nothing(
    source: Source, tmp_path: Path
) -> None:
    text = (
        "-- @partition sold_on\ncreate table paid (id int primary key, sold_on date not null, {});"
    )
    was = tables(tmp_path / "was", paid=text.format("amount decimal(14,4), note text, seen int"))
    now = tables(tmp_path / "now", paid=text.format("amount decimal(12,3), note text, by_whom int"))
    source.create([was["paid"]])
    row = {"id": 1, "sold_on": DAY, "amount": Decimal("1.2345"), "note": "a", "seen": 1}
    fill(source, was["paid"], [row])
    with pytest.raises(PortError, match=r"raw\.paid.*raw/paid\.sql") as caught:
        source.extract(now["paid"], Window.of(DAY), tmp_path / "out")
    message = str(caught.value)
    sides = f"paid.amountisdecimal(14,4)in{source.identity},decimal(12,3)inraw/paid.sql"
    assert sides in message.replace(" ", "")
    assert (
        f"paid.by_whom is int in raw/paid.sql, and {source.identity} does not have it: it has paid.seen "
        "of the same type in its place"
    ) in message
    assert "Write the contract as the table is" in message
    assert "note" not in message
    assert not (tmp_path / "out").exists()


def test_a_table_may_have_more_columns_than_its_contract(source: Source, tmp_path: Path) -> None:
    text = "create table paid (id int primary key{});"
    was = tables(tmp_path / "was", paid=text.format(", secret text"))
    now = tables(tmp_path / "now", paid=text.format(""))
    source.create([was["paid"]])
    fill(source, was["paid"], [{"id": 1, "secret": "s"}])
    extract = source.extract(now["paid"], None, tmp_path / "out")
    assert rows_read(extract, WHOLE) == [{"id": 1}]


def test_a_table_that_is_not_there_is_named_with_the_remedy(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    missing = tables(tmp_path, order=NAMES)["order"]
    with pytest.raises(PortError, match=r"orderhe create|there are .*sales.*orderhe adopt"):
        source.measure(missing, None)


def test_an_existing_folder_is_not_written_into(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        source.extract(sales, Window.of(DAY), tmp_path / "out")
    assert (tmp_path / "out").is_dir()
