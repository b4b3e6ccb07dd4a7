"""What every Source promises, with attacks. An implementation joins by one line in SOURCES."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.resources.local_source import EmbeddedSource
from orderhe_dagster.resources.ports import Measure, PortError, Source, Touch

SOURCES: dict[str, Callable[[Path], Source]] = {
    "embedded": lambda home: EmbeddedSource(path=str(home / "shop.duckdb"), lock_timeout_s=30),
}
SEOUL = "Asia/Seoul"
DAY = date(2026, 3, 1)

SALES = """
-- Sales.
-- @partition sold_on
-- @cursor updated_at
-- @pii note, mail
create table sales (
    region varchar(8) not null,
    number int not null,
    sold_on date not null,
    amount decimal(12, 2) not null,
    state enum('new', 'done') not null default 'new',
    note varchar(5),
    mail varchar(40),
    small tinyint not null default 0,
    updated_at datetime(3) not null,
    primary key (region, number),
    unique key sales_mail (mail)
);
"""
TYPES = """
-- Every carried type.
-- @partition on_day
create table types (
    id bigint not null,
    on_day date not null,
    a_bit bit(1),
    a_tiny tinyint(1),
    a_small smallint,
    a_medium mediumint unsigned,
    an_int int,
    an_unsigned int unsigned,
    a_big bigint,
    a_big_unsigned bigint unsigned,
    a_decimal decimal(38, 10),
    a_float float,
    a_double double,
    a_date date,
    a_datetime datetime(6),
    a_whole_second datetime,
    a_timestamp timestamp(6),
    a_text text,
    an_enum enum('a', '한'),
    some_bytes varbinary(16),
    primary key (id)
);
"""
NAMES = """
-- A table without days, with names that SQL uses itself.
create table `order` (`key` varchar(10) not null, `select` int, primary key (`key`));
"""
ZONED = """
-- @partition moment
create table {name} (id int not null, moment {type} not null, primary key (id));
"""


def tables(folder: Path, **contracts: str) -> dict[str, Table]:
    raw = folder / "sql" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    for name, text in contracts.items():
        (raw / f"{name}.sql").write_text(text, "utf-8")
    return {table.name: table for table in read_catalogue(folder / "sql").layer("raw")}


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return SOURCES[request.param](tmp_path)


@pytest.fixture
def sales(source: Source, tmp_path: Path) -> Table:
    table = tables(tmp_path, sales=SALES)["sales"]
    source.create([table])
    return table


def sale(number: int, day: date = DAY, **more: Any) -> dict[str, Any]:
    moment = datetime(2026, 3, 5, 12, 0, 0, 250_000)
    row = {"region": "kr", "number": number, "sold_on": day, "amount": Decimal("10.50")}
    return {**row, "updated_at": moment, "mail": f"{number}@shop", **more}


def rows_of(rows: Sequence[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist(list(rows))


def fill(source: Source, table: Table, rows: Sequence[dict[str, Any]]) -> None:
    with source.writing() as transaction:
        transaction.append(table, rows_of(rows))


def count(source: Source, table: str = "sales") -> int:
    with source.writing() as transaction:
        return int(transaction.fetch(f"select count(*) as n from {table}")["n"][0].as_py())


def parts_of(found: Any, key: date | None) -> list[dict[str, Any]]:
    return [row for part in found.parts.get(key, ()) for row in pq.read_table(part).to_pylist()]


def test_create_again_keeps_the_rows(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1)])
    source.create([sales])
    assert count(source) == 1


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
    found = source.extract(table, Window.of(DAY), tmp_path / "out", SEOUL)
    read = sorted(parts_of(found, DAY), key=lambda row: row["id"])
    assert read == [{name: row[name] for name in table.column_names} for row in rows]
    assert found.measures == source.measure(table, Window.of(DAY), SEOUL)
    (part,) = found.parts[DAY]
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
    found = source.extract(sales, window, tmp_path / "out", SEOUL)
    assert before - timedelta(seconds=2) <= found.snapshot_at <= datetime.now(timezone.utc)
    assert set(found.parts) == {DAY, DAY + timedelta(2)}
    assert {row["number"] for row in parts_of(found, DAY)} == {1, 2}
    assert list(found.measures) == list(window)
    assert [measure.rows for measure in found.measures.values()] == [2, 0, 1]
    empty = found.measures[DAY + timedelta(1)]
    assert empty == Measure(0, dict.fromkeys(("number", "amount", "small"), Decimal(0)), 0)
    assert found.measures[DAY].sums == {"number": 3, "amount": Decimal("21.00"), "small": 0}
    assert source.outside(sales, window, SEOUL) == (1, 1)
    written = sorted(
        file.relative_to(tmp_path / "out") for file in (tmp_path / "out").rglob("*.parquet")
    )
    assert [file.as_posix() for file in written] == [
        "2026-03-01/part-00000.parquet",
        "2026-03-03/part-00000.parquet",
    ]


def test_no_rows_at_all_is_an_extract_too(source: Source, sales: Table, tmp_path: Path) -> None:
    found = source.extract(sales, Window.of(DAY), tmp_path / "out", SEOUL)
    assert (found.parts, found.touches, found.measures[DAY].rows) == ({}, {}, 0)


def test_an_unpartitioned_table_is_one_piece(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, order=NAMES)["order"]
    source.create([table])
    empty = source.extract(table, None, tmp_path / "empty", SEOUL)
    assert empty.parts == {}
    assert empty.measures[None].rows == 0
    fill(source, table, [{"key": "a|b", "select": 1}, {"key": "!N", "select": None}])
    found = source.extract(table, None, tmp_path / "out", SEOUL)
    assert sorted(row["key"] for row in parts_of(found, None)) == ["!N", "a|b"]
    assert found.measures == source.measure(table, None, SEOUL)
    assert found.measures[None].sums == {"select": 1}
    assert found.touches == source.touches(table, None, SEOUL) == {None: Touch(2, 0)}


@pytest.mark.parametrize("window", [None, Window.of(DAY)])
def test_a_window_must_suit_the_table(
    source: Source, sales: Table, tmp_path: Path, window: Window | None
) -> None:
    plain = tables(tmp_path, order=NAMES)["order"]
    source.create([plain])
    with pytest.raises(PortError, match="partition"):
        source.extract(sales if window is None else plain, window, tmp_path / "out", SEOUL)


def test_the_digest_sees_values_and_not_their_order(source: Source, sales: Table) -> None:
    rows = [sale(number, note=note) for number, note in enumerate(["a", "b", None, "", "|!"])]

    def digest(rows: Sequence[dict[str, Any]]) -> int:
        with source.writing() as transaction:
            transaction.execute("delete from sales")
            transaction.append(sales, rows_of(rows))
        return source.measure(sales, Window.of(DAY), SEOUL)[DAY].digest

    first = digest(rows)
    assert digest(rows[::-1]) == first
    swapped = [{**row} for row in rows]
    swapped[0]["note"], swapped[1]["note"] = "b", "a"
    assert digest(swapped) != first, "the same values at other keys"


def test_touches_move_with_the_cursor(source: Source, sales: Table, tmp_path: Path) -> None:
    fill(source, sales, [sale(1), sale(2), sale(3, DAY + timedelta(1))])
    window = Window(DAY, DAY + timedelta(5))
    before = source.touches(sales, window, SEOUL)
    assert set(before) == {DAY, DAY + timedelta(1)}
    assert source.extract(sales, window, tmp_path / "out", SEOUL).touches == before
    with source.writing() as transaction:
        transaction.execute(
            "update sales set updated_at = '2026-03-05 12:00:00.251' where number = 1"
        )
    after = source.touches(sales, window, SEOUL)
    assert after[DAY] == Touch(2, before[DAY].cursor_sum + 1000)
    assert after[DAY + timedelta(1)] == before[DAY + timedelta(1)]


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
    found = source.extract(table, Window.of(DAY), tmp_path / "out", SEOUL)
    assert {row["id"] for row in parts_of(found, DAY)} == {1, 2}
    assert source.outside(table, Window.of(DAY), SEOUL) == (1, 1)
    wide = source.extract(
        table, Window(DAY - timedelta(1), DAY + timedelta(2)), tmp_path / "w", SEOUL
    )
    assert [measure.rows for measure in wide.measures.values()] == [1, 2, 1]


def test_a_failed_extract_leaves_nothing(source: Source, sales: Table, tmp_path: Path) -> None:
    fill(source, sales, [sale(1)])
    with source.writing() as transaction:
        transaction.execute("alter table sales rename column amount to paid")
    with pytest.raises(PortError, match=r"raw\.sales") as caught:
        source.extract(sales, Window.of(DAY), tmp_path / "out", SEOUL)
    assert "amount" in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_table_that_is_not_there_is_named_with_the_remedy(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    missing = tables(tmp_path, order=NAMES)["order"]
    with pytest.raises(PortError, match="orderhe create"):
        source.measure(missing, None, SEOUL)


def test_an_existing_folder_is_not_written_into(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(FileExistsError):
        source.extract(sales, Window.of(DAY), tmp_path / "out", SEOUL)
    assert (tmp_path / "out").is_dir()


def test_an_append_may_leave_out_what_has_a_default(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1)])
    with source.writing() as transaction:
        row = transaction.fetch("select state, small, note from sales").to_pylist()
    assert row == [{"state": "new", "small": 0, "note": None}]


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": Decimal("12345678901.00")}, ["amount", "12345678901.00", "number 2"]),
        ({"amount": Decimal("1.005")}, ["amount", "exactly", "1.005"]),
        ({"amount": 0.1 + 0.2}, ["amount", "exactly"]),
        ({"amount": "ten"}, ["amount", "string"]),
        ({"amount": None}, ["amount", "NOT NULL"]),
        ({"small": 128}, ["small", "-128 to 127", "128"]),
        ({"number": 2**31}, ["number", "2147483648"]),
        ({"state": "gone"}, ["state", "new, done", "gone"]),
        ({"state": "New"}, ["state", "New"]),
        ({"region": "123456789"}, ["region", "8 characters"]),
        ({"note": "sechs!"}, ["note", "5 characters", "•••"]),
        ({"updated_at": datetime(2026, 1, 1, 0, 0, 0, 1)}, ["updated_at", "3 digits"]),
        ({"updated_at": datetime(999, 1, 1)}, ["updated_at", "out of range"]),
        ({"unknown": 1}, ["unknown", "no such column"]),
        ({"number": 1}, ["duplicate key", "region 'kr'", "number 1"]),
        ({"mail": "1@shop"}, ["duplicate key", "mail •••"]),
    ],
)
def test_a_strict_database_refuses(
    source: Source, sales: Table, change: dict[str, Any], words: list[str]
) -> None:
    fill(source, sales, [sale(1)])
    with pytest.raises(PortError) as caught:
        fill(source, sales, [{**sale(2), **change}])
    text = str(caught.value)
    assert [word for word in ["raw.sales", *words] if word not in text] == [], text
    assert "sechs!" not in text
    assert "1@shop" not in text
    assert count(source) == 1


def test_a_missing_column_without_default_is_named(source: Source, sales: Table) -> None:
    rows = rows_of([sale(1)]).drop_columns(["amount"])
    with pytest.raises(PortError, match=r"raw\.sales\.amount"), source.writing() as transaction:
        transaction.append(sales, rows)


def test_characters_are_counted_and_not_bytes(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1, note="한글이름🙂")])
    assert count(source) == 1


def test_a_zoned_moment_enters_an_instant_in_utc_and_no_wall_clock(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    table = tables(tmp_path, zoned=ZONED.format(name="zoned", type="timestamp"))["zoned"]
    source.create([table])
    nine = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    fill(source, table, [{"id": 1, "moment": nine}])
    with source.writing() as transaction:
        assert transaction.fetch("select moment from zoned")["moment"][0].as_py() == datetime(
            2026, 3, 1
        )
    with pytest.raises(PortError, match="updated_at"):
        fill(source, sales, [sale(1, updated_at=nine)])


def test_a_transaction_is_all_or_nothing(source: Source, sales: Table) -> None:
    with pytest.raises(ZeroDivisionError), source.writing() as transaction:
        transaction.append(sales, rows_of([sale(1)]))
        transaction.execute("delete from sales where number = 7")
        raise ZeroDivisionError
    assert count(source) == 0


def test_rows_may_be_replaced_inside_one_transaction(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(number) for number in range(100)])
    with source.writing() as transaction:
        for _ in range(2):
            transaction.execute("delete from sales where number >= 50")
            transaction.append(sales, rows_of([sale(number) for number in range(50, 120)]))
    assert count(source) == 120


def test_a_statement_that_fails_is_shown_without_values(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1)])
    with pytest.raises(PortError) as caught, source.writing() as transaction:
        transaction.execute("update sales set number = cast(mail as int)")
    assert "update sales" in str(caught.value)
    assert "1@shop" not in str(caught.value)


def test_writers_and_readers_take_turns(source: Source, sales: Table, tmp_path: Path) -> None:
    """Each write puts in two rows that belong together: no reader may see one alone."""
    errors: list[BaseException] = []
    seen: list[int] = []

    def write(who: int) -> None:
        for number in range(5):
            rows = [sale(1000 * who + 2 * number + which) for which in (0, 1)]
            fill(source, sales, rows)

    def read(who: int) -> None:
        for number in range(5):
            found = source.extract(sales, Window.of(DAY), tmp_path / f"{who}-{number}", SEOUL)
            seen.append(found.measures[DAY].rows)

    def guarded(work: Callable[[int], None], who: int) -> None:
        try:
            work(who)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=guarded, args=(work, who))
        for who in (1, 2)
        for work in (write, read)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(seen) == 10
    assert all(rows % 2 == 0 for rows in seen)
    assert count(source) == 20


def test_a_shop_that_is_not_there_is_named_with_the_remedy(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, sales=SALES)["sales"]
    with pytest.raises(PortError, match="orderhe create"):
        source.touches(table, Window.of(DAY), SEOUL)
