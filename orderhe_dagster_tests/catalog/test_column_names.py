"""What we call columns: as the source does, wherever Redshift can have the name."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.column_names import NAME_BYTES, SYSTEM_COLUMNS, carried_name
from orderhe_dagster.catalog.header import parts_of
from orderhe_dagster_tests.catalog.folders import read

KEPT = (
    "id",
    "Id",
    "order",
    "two words",
    "a.b",
    "a`b",
    "it's",
    "주문번호",
    "é☃",
    "2026",
    "x" * 64,
    "oid",
    "가" * 42,
)
DERIVED = {
    "XMIN": "XMIN_94a414",
    " lead": "lead_e3e3c4",
    "tab\tx": "tab_x_99f805",
    'a"b': "a_b_39a012",
    "\u200b": "__f4e48e",
    "가" * 43: f"{'가' * 40}_d7655b",
}


@pytest.mark.parametrize("name", KEPT)
def test_a_name_that_redshift_can_have_stays(name: str) -> None:
    assert carried_name(name) == name


@pytest.mark.parametrize("name", DERIVED)
def test_any_other_is_made_of_what_is_left_and_its_hash(name: str) -> None:
    assert carried_name(name) == DERIVED[name]
    assert carried_name(DERIVED[name]) == DERIVED[name]


def test_every_derived_name_is_one_that_stays() -> None:
    for name in (*SYSTEM_COLUMNS, '"' * 64, "\n" * 64, "ﾀ" * 64, " " + "한" * 63):
        ours = carried_name(name)
        assert ours != name
        assert carried_name(ours) == ours
        assert len(ours.encode()) <= NAME_BYTES


def test_a_contract_and_its_header_take_either_name(tmp_path: Path) -> None:
    ours = carried_name("xmin")
    catalogue = read(
        tmp_path,
        {
            "raw/t.sql": f"-- @pii xmin\n-- @bad_values {ours} fail, `a, ``b` null\n-- @leave_out `c, d`, e\n"
            "create table T (xmin date, `a, ``b` date, primary key (xmin))",
            "raw/u.sql": "create table u (x date, foreign key (x) references T (xmin))",
            "mart/m.sql": f"select count(t.{ours})::bigint as a from warehouse.t",
        },
    )
    tables = {table.name: table for table in catalogue.tables}
    first, second = tables["t"].columns
    assert (first.name, first.source_name, first.pii, first.bad_values) == (
        ours,
        "xmin",
        True,
        "fail",
    )
    assert (second.name, second.bad_values) == ("a, `b", "null")
    assert tables["t"].grain == (ours,)
    assert [tables["t"].source_column(name) for name in tables["t"].column_names] == [
        "xmin",
        "a, `b",
    ]
    assert tables["t"].leave_out == ("c, d", "e")
    assert tables["u"].foreign_keys[0].parent_columns == (ours,)
    assert (tables["u"].source_column("x"), tables["u"].source_column(None)) == ("x", "")


@pytest.mark.parametrize(
    ("value", "parts"),
    [
        ("a, b", ["a", " b"]),
        ("`a,b` null, c", ["`a,b` null", " c"]),
        ('"a,""b", `c``,`', ['"a,""b"', " `c``,`"]),
        ("a`b, c`d", ["a`b", " c`d"]),
        ("`open, x", ["`open", " x"]),
        ("a,,b,", ["a", "", "b", ""]),
        ("", [""]),
    ],
)
def test_a_comma_within_quotes_belongs_to_the_name(value: str, parts: list[str]) -> None:
    assert parts_of(value) == parts
