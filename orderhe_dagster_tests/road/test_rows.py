"""Which rows differ: every kind of damage over every kind of column, in Redshift's SQL and in DuckDB's."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_redshift.testing.server import Redshift
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Table, TableRef
from orderhe_dagster.catalog.types import arrow_type, redshift_text
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.rendering.masking import MASK
from orderhe_dagster.resources.extract.parquet_query import parquet_query
from orderhe_dagster.resources.laptop.memory_warehouse import memory_session
from orderhe_dagster.road.row_differences import (
    SHOWN_CHARACTERS,
    RowDifference,
    RowDifferences,
    shown,
    shown_pair,
)
from orderhe_dagster.road.rows import parquet_differences, warehouse_differences
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.contracts.warehouses import over_the_wire

COLUMNS = """\
    flag bit(1),
    tiny tinyint,
    whole int,
    wide bigint unsigned,
    amount decimal(12, 2),
    deep decimal(38, 10),
    ratio float,
    weight double,
    born_on date,
    seen_at datetime(6),
    sent_at timestamp null,
    lasts time,
    status enum('paid', 'shipped'),
    note varchar(200),
    doc json,
    token binary(4),
    picture blob
"""
BY_NUMBER = f"-- @pii note\ncreate table x (id bigint primary key,\n{COLUMNS});"
BY_TWO = f"create table x (code varchar(20), line int,\n{COLUMNS}, primary key (code, line));"
WITHOUT = f"create table x (id bigint,\n{COLUMNS});"
Row = tuple[Any, ...]


def values(n: int) -> Row:
    return (
        n % 2 == 0,
        n % 100,
        n * 1000,
        2**63 + n,
        Decimal(n) + Decimal("0.25"),
        Decimal(n) + Decimal("0.0000000001"),
        float(n) + 0.5,
        n / 7,
        date(2026, 1, 1) + timedelta(days=n),
        datetime(2026, 1, 1, 10, 0, 0, n) + timedelta(minutes=n),
        datetime(2026, 1, 1, 23, 0, 0) + timedelta(seconds=n),
        f"{n:02d}:00:00",
        "paid" if n % 3 else "shipped",
        f"Note {n}",
        f'{{"n": {n}}}',
        bytes([0, 255, n % 256, 1]),
        bytes([n % 256]) * 40,
    )


ROWS = [(n, *values(n)) for n in range(1, 31)]
NAMES = ("id", *(line.split()[0] for line in COLUMNS.splitlines()))


class Compared:
    """Two copies under one engine: fill them, compare them."""

    def __init__(self, compare: Callable[..., RowDifferences]) -> None:
        self._compare = compare

    def __call__(
        self, table: Table, left: Sequence[Row], right: Sequence[Row], limit: int = 20
    ) -> RowDifferences:
        return self._compare(table, left, right, limit)


def literal(value: Any) -> str:
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"from_hex('{value.hex()}')" if value else "cast('' as varbyte)"
    if isinstance(value, float):
        return f"'{value!r}'::float8"
    if isinstance(value, bool | int | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def fill(session: Any, table: Table, name: str, rows: Sequence[Row]) -> None:
    columns = ", ".join(f"{ddl.quoted(c.name)} {redshift_text(c.type)}" for c in table.columns)
    session.execute(f"create temp table {name} ({columns})")
    if rows:
        texts = ", ".join(f"({', '.join(map(literal, row))})" for row in rows)
        session.execute(f"insert into {name} values {texts}")


def in_redshift(session: Any) -> Compared:
    def compare(table: Table, left: Sequence[Row], right: Sequence[Row], limit: int) -> Any:
        for name, rows in (("_stage", left), ("copied", right)):
            fill(session, table, name, rows)
        try:
            return warehouse_differences(session, table, "_stage", "copied", limit=limit)
        finally:
            session.execute("drop table _stage")
            session.execute("drop table copied")

    return Compared(compare)


def parquet(table: Table, folder: Path, name: str, rows: Sequence[Row]) -> list[Path]:
    """The rows in two parts; no file where there are none."""
    schema = pa.schema([(column.name, arrow_type(column.type)) for column in table.columns])
    paths = []
    for number, some in enumerate((rows[::2], rows[1::2])):
        if some:
            lines = [dict(zip(table.column_names, row, strict=True)) for row in some]
            paths.append(folder / f"{name}-{number}.parquet")
            pq.write_table(pa.Table.from_pylist(lines, schema), paths[-1])
    return paths


def in_duckdb(folder: Path) -> Compared:
    def compare(table: Table, left: Sequence[Row], right: Sequence[Row], limit: int) -> Any:
        files = [parquet(table, folder, name, r) for name, r in (("left", left), ("right", right))]
        with parquet_query(folder / "spilled") as query:
            return parquet_differences(query, table, *files, ("backup", "warehouse"), limit)

    return Compared(compare)


@pytest.fixture(params=["redshift", "duckdb"])
def compared(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Compared]:
    if request.param == "duckdb":
        yield in_duckdb(tmp_path)
    else:
        with memory_session() as session:
            yield in_redshift(session)


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return read(tmp_path / "sql", {"raw/x.sql": BY_NUMBER}).tables[0]


def changed(rows: Sequence[Row], place: int, **new: Any) -> list[Row]:
    """The rows, with values of the row at `place` replaced."""
    row = list(rows[place])
    for name, value in new.items():
        row[NAMES.index(name)] = value
    return [*rows[:place], tuple(row), *rows[place + 1 :]]


CHANGES: dict[str, Any] = {  # by column; row 4 (id 5) is changed
    "flag": True,
    "tiny": 6,
    "whole": -5000,
    "wide": 2**63 + 6,
    "amount": Decimal("5.26"),
    "deep": Decimal("5.0000000002"),
    "ratio": 5.75,
    "weight": 5 / 7 + 1.2e-16,
    "born_on": date(2026, 1, 7),
    "seen_at": datetime(2026, 1, 1, 11, 5, 0, 5),
    "sent_at": datetime(2026, 1, 2, 0, 0, 5),
    "lasts": "-05:00:00",
    "status": "shipped",
    "note": "Note 6",
    "doc": '{"n":5}',
    "token": b"\x00\xff\x05\x00",
    "picture": bytes([5]) * 39 + b"\x06",
}


def test_equal_copies_have_no_difference(compared: Compared, table: Table) -> None:
    found = compared(table, ROWS, ROWS[::-1])
    assert not found
    assert (found.total, list(found.rows), list(found.sentences())) == (0, [], [])
    assert found.summary() == "the same rows in the backup and the warehouse"


@pytest.mark.parametrize("column", CHANGES)
def test_one_changed_value_is_named_by_key_and_column(
    column: str, compared: Compared, table: Table
) -> None:
    value = CHANGES[column]
    found = compared(table, ROWS, changed(ROWS, 4, **{column: value}))
    (row,) = found.rows
    before, after = ROWS[4][NAMES.index(column)], value
    if column == "note":
        before = after = MASK
    assert row == RowDifference(
        "changed", {"id": 5}, (column,), {column: before}, {column: after}, 1, 1
    )
    assert found.summary() == "1 row changed"


@pytest.mark.parametrize("column", CHANGES)
def test_null_is_a_value_of_its_own(column: str, compared: Compared, table: Table) -> None:
    emptied = changed(ROWS, 4, **{column: None})
    assert not compared(table, emptied, emptied)
    (row,) = compared(table, ROWS, emptied).rows
    assert (row.key, row.columns, row.right) == ({"id": 5}, (column,), {column: None})
    (back,) = compared(table, emptied, ROWS).rows
    assert (back.columns, back.left) == ((column,), {column: None})


@pytest.mark.parametrize(
    ("one", "two"),
    [
        ("a", "a "),
        ("a", "A"),
        ("", " "),
        ("", None),
        (" ", None),
        ("é", "e\u0301"),
        ("a", "a\u00a0"),
        ("x" * 199 + "a", "x" * 199 + "b"),
        ("a\nb", "a\r\nb"),
        ("\u200b", ""),
    ],
)
def test_texts_that_look_alike_are_told_apart(
    one: str, two: str | None, compared: Compared, tmp_path: Path
) -> None:
    table = read(tmp_path / "sql", {"raw/x.sql": BY_NUMBER.replace("-- @pii note\n", "")}).tables[0]
    found = compared(table, changed(ROWS, 4, note=one), changed(ROWS, 4, note=two))
    (row,) = found.rows
    assert (row.kind, row.columns, row.left, row.right) == (
        "changed",
        ("note",),
        {"note": one},
        {"note": two},
    )
    (sentence,) = found.sentences()
    first, second = (
        sentence.removeprefix("id 5: note ")
        .removesuffix(" in the warehouse")
        .split(" in the backup, ")
    )
    assert first != second


def test_swapped_values_are_two_changed_rows(compared: Compared, table: Table) -> None:
    swapped = changed(changed(ROWS, 4, amount=ROWS[8][5]), 8, amount=ROWS[4][5])
    found = compared(table, ROWS, swapped)
    assert list(found.sentences()) == [
        "id 5: amount 5.25 in the backup, 9.25 in the warehouse",
        "id 9: amount 9.25 in the backup, 5.25 in the warehouse",
    ]


def test_several_columns_of_one_row_are_one_difference(compared: Compared, table: Table) -> None:
    (sentence,) = compared(
        table, ROWS, changed(ROWS, 4, whole=None, born_on=date(2026, 1, 7))
    ).sentences()
    assert sentence == (
        "id 5: whole 5000 in the backup, NULL in the warehouse; "
        "born_on 2026-01-06 in the backup, 2026-01-07 in the warehouse"
    )


def test_dropped_and_added_rows_are_on_one_side_only(compared: Compared, table: Table) -> None:
    found = compared(table, [*ROWS[:3], *ROWS[4:]], [*ROWS[:10], *ROWS[12:]])
    assert found.counts == {"only_left": 2, "only_right": 1, "changed": 0, "repeated": 0}
    assert list(found.sentences()) == [
        "id 4: only in the warehouse",
        "id 11: only in the backup",
        "id 12: only in the backup",
    ]
    (added, *_) = found.rows
    assert added.left is None
    assert added.right is not None
    assert (added.right["amount"], added.right["note"]) == (Decimal("4.25"), MASK)
    assert found.summary() == "2 rows only in the backup, 1 row only in the warehouse"


def test_a_changed_key_is_a_row_on_each_side(compared: Compared, table: Table) -> None:
    found = compared(table, ROWS, changed(ROWS, 4, id=500))
    assert list(found.sentences()) == ["id 5: only in the backup", "id 500: only in the warehouse"]


@pytest.mark.parametrize(
    ("left", "right", "sentences", "counts"),
    [
        (
            ROWS,
            [*ROWS, ROWS[4]],
            ["id 5: once in the backup, twice in the warehouse"],
            (0, 0, 0, 1),
        ),
        (
            ROWS,
            [*ROWS, *changed(ROWS, 4, amount=Decimal(1))[4:5]],
            ["id 5: once in the backup, twice in the warehouse"],
            (0, 0, 0, 1),
        ),
        (
            [*ROWS, *[ROWS[4]] * 3],
            [*ROWS[:4], *ROWS[5:]],
            ["id 5: only in the backup, 4 times"],
            (4, 0, 0, 0),
        ),
        (
            [*ROWS, ROWS[4]],
            [*changed(ROWS, 4, amount=Decimal(1)), ROWS[4]],
            ["id 5: amount 5.25 in the backup, 1.00 in the warehouse"],
            (0, 0, 1, 0),
        ),
        (
            [*ROWS, ROWS[4]],
            [*changed(ROWS, 4, amount=Decimal(1)), *changed(ROWS, 4, amount=Decimal(2))[4:5]],
            ["id 5: twice in the backup, twice in the warehouse, not the same rows"],
            (0, 0, 0, 1),
        ),
        ([*ROWS, ROWS[4]], [ROWS[4], *ROWS], [], (0, 0, 0, 0)),
    ],
)
def test_a_repeated_key_is_told_once_and_multiplies_nothing(
    left: list[Row],
    right: list[Row],
    sentences: list[str],
    counts: tuple[int, ...],
    compared: Compared,
    table: Table,
) -> None:
    found = compared(table, left, right)
    assert list(found.sentences()) == sentences
    assert tuple(found.counts.values()) == counts


def test_the_first_of_many_are_shown_in_the_order_of_their_keys(
    compared: Compared, table: Table
) -> None:
    damaged = [(*row[:2], 99, *row[3:]) for row in ROWS if row[0] not in (2, 30)]
    found = compared(
        table, ROWS[::-1], [*damaged, (2000, *values(1)), *[(31, *values(1))] * 2], limit=3
    )
    assert found.counts == {"only_left": 2, "only_right": 3, "changed": 28, "repeated": 0}
    assert [row.key["id"] for row in found.rows] == [1, 2, 3]
    assert list(found.sentences())[-1] == "and 30 more"
    whole = compared(table, ROWS, damaged, limit=0)
    assert (len(whole.rows), whole.total, list(whole.sentences())) == (0, 30, ["and 30 more"])


def test_one_side_may_be_empty(compared: Compared, table: Table) -> None:
    assert compared(table, ROWS, [], limit=1).counts["only_left"] == 30
    assert compared(table, [], ROWS, limit=1).counts["only_right"] == 30
    assert not compared(table, [], [])


def test_keys_of_two_columns_keep_blanks_and_capitals_apart(
    compared: Compared, tmp_path: Path
) -> None:
    table = read(tmp_path / "sql", {"raw/x.sql": BY_TWO}).tables[0]
    left = [("a", 1, *values(1)), ("a", 2, *values(2)), ("B", 1, *values(3))]
    right = [("a ", 1, *values(1)), ("a", 2, *values(4)), ("b", 1, *values(3))]
    assert not compared(table, left, left[::-1])
    found = compared(table, left, right)
    assert found.counts == {"only_left": 2, "only_right": 2, "changed": 1, "repeated": 0}
    sentences = set(found.sentences())
    assert {
        "code 'a', line 1: only in the backup",
        "code 'a ', line 1: only in the warehouse",
        "code 'B', line 1: only in the backup",
        "code 'b', line 1: only in the warehouse",
    } < sentences
    (row,) = (row for row in found.rows if row.kind == "changed")
    assert row.key == {"code": "a", "line": 2}
    assert "amount" in row.columns


def test_keys_of_bytes_come_in_their_order(compared: Compared, tmp_path: Path) -> None:
    contract = (
        "create table x (code binary(2), line int, city varchar(9), primary key (code, line));"
    )
    table = read(tmp_path / "sql", {"raw/x.sql": contract}).tables[0]
    left = [(b"\x00\xff", 2, "a"), (b"\x00\x01", 3, "b"), (b"\xff\x00", 1, "c")]
    found = compared(table, left, [(*row[:2], "z") for row in left[::-1]])
    assert list(found.sentences()) == [
        "code 0x0001, line 3: city 'b' in the backup, 'z' in the warehouse",
        "code 0x00ff, line 2: city 'a' in the backup, 'z' in the warehouse",
        "code 0xff00, line 1: city 'c' in the backup, 'z' in the warehouse",
    ]


def test_a_key_that_is_null_is_one_all_the_same(compared: Compared, table: Table) -> None:
    left = changed(ROWS, 4, id=None)
    assert not compared(table, left, left)
    assert list(compared(table, left, ROWS).sentences()) == (
        ["id 5: only in the warehouse", "id NULL: only in the backup"]
    )
    (sentence,) = compared(table, left, changed(left, 4, tiny=0)).sentences()
    assert sentence == "id NULL: tiny 5 in the backup, 0 in the warehouse"


def test_rows_without_a_key_are_compared_as_wholes(compared: Compared, tmp_path: Path) -> None:
    table = read(tmp_path / "sql", {"raw/x.sql": WITHOUT}).tables[0]
    assert table.grain == ()
    assert not compared(table, [*ROWS, ROWS[3]], [ROWS[3], *ROWS])
    found = compared(
        table, [*ROWS, ROWS[3], ROWS[3]], changed(ROWS, 4, amount=Decimal(1), note=None)
    )
    assert found.counts == {"only_left": 3, "only_right": 1, "changed": 0, "repeated": 0}
    kinds = [(row.kind, row.key["id"], row.left_count, row.right_count) for row in found.rows]
    assert sorted(kinds) == [
        ("only_left", 4, 3, 1),
        ("only_left", 5, 1, 0),
        ("only_right", 5, 0, 1),
    ]
    sentences = list(found.sentences())
    assert sentences[0].endswith(": 3 times in the backup, once in the warehouse")
    assert any("note NULL" in text and text.endswith("only in the warehouse") for text in sentences)


def test_personal_data_is_masked_keys_too(compared: Compared, tmp_path: Path) -> None:
    contract = (
        "-- @pii email, born_on\n"
        "create table x (email varchar(50) primary key, born_on date, city varchar(9));"
    )
    table = read(tmp_path / "sql", {"raw/x.sql": contract}).tables[0]
    left = [("ada@lovelace.uk", date(1815, 12, 10), "London"), ("b@b.de", None, "Bonn")]
    right = [("ada@lovelace.uk", date(1815, 12, 11), "Londn"), ("c@c.de", None, "Bonn")]
    found = compared(table, left, right)
    assert "lovelace" not in repr(found)
    assert "1815" not in repr(found)
    assert list(found.sentences()) == [
        (
            f"email {MASK}: born_on {MASK} in the backup, {MASK} in the warehouse; "
            "city 'London' in the backup, 'Londn' in the warehouse"
        ),
        f"email {MASK}: only in the backup",
        f"email {MASK}: only in the warehouse",
    ]


def test_floats_are_equal_to_the_last_bit(compared: Compared, tmp_path: Path) -> None:
    table = read(
        tmp_path / "sql", {"raw/x.sql": "create table x (id int primary key, f double, r float);"}
    ).tables[0]
    rows = [(1, 0.1, 0.1), (2, 1e300, 1e30), (3, 0.0, 0.0)]
    assert not compared(table, rows, rows)
    (row,) = compared(table, rows, [*rows[:2], (3, 5e-324, 0.0)]).rows
    assert (row.columns, row.right) == (("f",), {"f": 5e-324})


def test_conditions_choose_the_rows_of_each_side(table: Table) -> None:
    with memory_session() as session:
        fill(session, table, "_stage", ROWS[:10])
        fill(session, table, "copied", ROWS)
        inside = warehouse_differences(session, table, "_stage", "copied", right_where="id <= 10")
        moved = warehouse_differences(
            session, table, "_stage", "copied", 'id > 5 or "id" = 1', "id <= 10 and id > 5"
        )
    assert not inside
    assert list(moved.sentences()) == ["id 1: only in the backup"]


def test_the_production_driver_gives_the_same_differences(redshift: Redshift, table: Table) -> None:
    damaged = changed(ROWS, 4, **{name: value for name, value in CHANGES.items() if name != "note"})
    with over_the_wire(redshift).session("rows") as session:
        found = in_redshift(session)(table, ROWS, [*damaged, ROWS[7]])
    first, second = found.rows
    assert first.columns == tuple(name for name in CHANGES if name != "note")
    assert first.right == {name: value for name, value in CHANGES.items() if name != "note"}
    assert (second.kind, second.key, second.right_count) == ("repeated", {"id": 8}, 2)


def test_columns_of_parquet_are_found_by_name(tmp_path: Path) -> None:
    """Another order is no difference; a column that a side has not is left out and named."""
    contract = "create table x (id int primary key, a int, b varchar(9), c int);"
    table = read(tmp_path / "sql", {"raw/x.sql": contract}).tables[0]
    left, right = tmp_path / "l.parquet", tmp_path / "r.parquet"
    pq.write_table(pa.table({"id": [1, 2], "a": [1, 2], "b": ["x", "y"], "c": [1, 1]}), left)
    pq.write_table(pa.table({"b": ["x", "z"], "a": [1, 2], "ID": [1, 2], "extra": [0, 0]}), right)
    with parquet_query(tmp_path / "spilled") as query:
        found = parquet_differences(query, table, [left], [right])
        assert list(found.sentences()) == [
            "id 2: b 'y' in the source, 'z' in the backup",
            "column c was not compared: it is not in the backup",
        ]
        pq.write_table(pa.table({"a": [1, 2], "b": ["x", "z"]}), right)
        keyless = parquet_differences(query, table, [left], [right])
        assert (keyless.counts["only_left"], keyless.counts["only_right"]) == (1, 1)
        assert set(keyless.left_out or {}) == {"id", "c"}
        pq.write_table(pa.table({"other": [1]}), right)
        with pytest.raises(ValueError, match=r"raw\.x: source and backup have no column"):
            parquet_differences(query, table, [left], [right])
        assert parquet_differences(query, table, [left], []).counts["only_left"] == 2
        left.write_bytes(left.read_bytes()[:50])
        with pytest.raises(PortError, match=r"l\.parquet"):
            parquet_differences(query, table, [left], [])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, "NULL"),
        (True, "true"),
        (7, "7"),
        (Decimal("1.50"), "1.50"),
        (0.1, "0.1"),
        ("it's ", '"it\'s "'),
        (date(2026, 1, 2), "2026-01-02"),
        (datetime(2026, 1, 2, 3, 4, 5), "2026-01-02 03:04:05"),
        (datetime(2026, 1, 2, 3, 4, 5, 60), "2026-01-02 03:04:05.000060"),
        (b"\x00\xff", "0x00ff"),
        (b"\x00" * 31, f"0x{'00' * 30}… (31 bytes)"),
        ("x" * 61, f"'{'x' * 60}'… (61 characters)"),
        ("NULL", "'NULL'"),
    ],
)
def test_values_are_shown_so_that_they_can_be_told_apart(value: Any, text: str) -> None:
    assert shown(value) == text


def test_long_values_are_cut_shortly_before_they_differ() -> None:
    assert shown_pair("y" * 500 + "a", "y" * 500 + "b") == (
        "…'yyyyyyyyyya' (501 characters)",
        "…'yyyyyyyyyyb' (501 characters)",
    )
    one, two = shown_pair(bytes(500) + b"\x01", bytes(500) + b"\x02")
    assert one == f"0x…{'00' * 10}01… (501 bytes)"
    assert two.replace("02", "01") == one
    assert len(shown("z" * 10_000)) < 2 * SHOWN_CHARACTERS


def test_the_sign_of_a_zero_and_what_is_no_number_count_in_parquet(tmp_path: Path) -> None:
    contract = "create table x (id int primary key, f double);"
    table = read(tmp_path / "sql", {"raw/x.sql": contract}).tables[0]
    compare = in_duckdb(tmp_path)
    rows = [(1, 0.0), (2, float("nan"))]
    assert not compare(table, rows, rows)
    (sentence,) = compare(table, rows, [(1, -0.0), rows[1]]).sentences()
    assert sentence == "id 1: f 0.0 in the backup, -0.0 in the warehouse"


def test_the_select_is_of_names_in_quotes(tmp_path: Path) -> None:
    contract = (
        "create table x (`select` int primary key, `in_left` int, `c0` varchar(9), `kind` int);"
    )
    table = read(tmp_path / "sql", {"raw/x.sql": contract}).tables[0]
    assert table.ref == TableRef("raw", "x")
    with memory_session() as session:
        found = in_redshift(session)(table, [(1, 2, "a", 3)], [(1, 2, "b", 3)])
    assert list(found.sentences()) == ["select 1: c0 'a' in the backup, 'b' in the warehouse"]
