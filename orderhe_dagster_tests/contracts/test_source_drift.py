"""A contract against the table that is there, on every implementation: each kind of difference."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.drift import Change, sentence
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source
from orderhe_dagster_tests.contracts.sources import tables

HERE = {"embedded", "mysql"}
MYSQL = {"mysql"}
"""What DuckDB does not know, MySQL alone can tell."""

# Title: the columns of the shop's table, those of the contract, the differences (kind, column, effect).
CASES: dict[str, tuple[str, str, list[tuple[str, str, str]], set[str]]] = {
    "none": ("a int, b varchar(9)", "a int(11), b character varying(9)", [], HERE),
    "added": ("a int, c date", "a int", [("added", "c", "told")], HERE),
    "added, and left out on purpose": ("a int, secret text", "a int", [], HERE),
    "dropped": ("a int", "a int, gone int", [("dropped", "gone", "stops")], HERE),
    "renamed": (
        "a int, paid decimal(9,2), z int",
        "a int, amount decimal(9,2), z int",
        [("renamed", "amount", "stops")],
        HERE,
    ),
    "dropped and added elsewhere": (
        "a int, z int, paid decimal(9,2)",
        "a int, amount decimal(9,2), z int",
        [("dropped", "amount", "stops"), ("added", "paid", "told")],
        HERE,
    ),
    "dropped and added with another type": (
        "a int, paid date",
        "a int, amount decimal(9,2)",
        [("dropped", "amount", "stops"), ("added", "paid", "told")],
        HERE,
    ),
    "integer widened": ("a bigint", "a int", [("widened", "a", "stops")], HERE),
    "integer widened within what is carried": (
        "a smallint",
        "a tinyint",
        [("widened", "a", "told")],
        MYSQL,
    ),
    "integer narrowed": ("a int", "a bigint", [("narrowed", "a", "noted")], HERE),
    "unsigned": ("a int unsigned", "a int", [("re-typed", "a", "stops")], HERE),
    "signed": ("a int", "a int unsigned", [("re-typed", "a", "told")], MYSQL),
    "longest unsigned": ("a bigint unsigned", "a bigint", [("re-typed", "a", "stops")], HERE),
    "decimal widened": ("a decimal(12,2)", "a decimal(10,2)", [("widened", "a", "stops")], HERE),
    "decimal narrowed": ("a decimal(10,2)", "a decimal(12,2)", [("narrowed", "a", "noted")], HERE),
    "decimal with other digits": (
        "a decimal(12,1)",
        "a decimal(12,3)",
        [("re-typed", "a", "stops")],
        HERE,
    ),
    "text widened": ("a varchar(200)", "a varchar(20)", [("widened", "a", "stops")], HERE),
    "text narrowed": ("a varchar(20)", "a varchar(200)", [("narrowed", "a", "noted")], HERE),
    "text without a length": ("a mediumtext", "a text", [("re-typed", "a", "noted")], MYSQL),
    "text for a number": ("a varchar(9)", "a int", [("re-typed", "a", "stops")], HERE),
    "day for a moment": ("a date", "a datetime(6)", [("re-typed", "a", "stops")], HERE),
    "moment for a day": ("a datetime", "a date", [("re-typed", "a", "stops")], HERE),
    "wall clock for an instant": (
        "a datetime(6)",
        "a timestamp(6) null",
        [("re-typed", "a", "stops")],
        MYSQL,
    ),
    "more digits of a second": (
        "a datetime(6)",
        "a datetime(3)",
        [("widened", "a", "stops")],
        MYSQL,
    ),
    "bytes widened": ("a varbinary(9)", "a varbinary(8)", [("widened", "a", "stops")], MYSQL),
    "bits": ("a bit(1)", "a tinyint(1)", [("re-typed", "a", "stops")], HERE),
    "null allowed": ("a int", "a int not null", [("null allowed", "a", "told")], HERE),
    "null refused": ("a int not null", "a int", [("null refused", "a", "noted")], HERE),
    "re-ordered": ("b int, a int", "a int, b int", [("re-ordered", "", "noted")], HERE),
    "enum members added": (
        "a enum('new','it''s, x')",
        "a enum('new','longest of all')",
        [("enum members added", "a", "told"), ("enum members removed", "a", "noted")],
        HERE,
    ),
    "enum members added, too long": (
        "a enum('new','done')",
        "a enum('new')",
        [("widened", "a", "stops")],
        HERE,
    ),
    "enum re-ordered": ("a enum('b','a')", "a enum('a','b')", [], HERE),
    "enum for a text": ("a enum('b')", "a varchar(9)", [("re-typed", "a", "stops")], HERE),
    "set members added": (
        "a set('x','y')",
        "a set('x')",
        [("widened", "a", "stops")],
        MYSQL,
    ),
    "character set": (
        "a varchar(9) character set latin1",
        "a varchar(9) character set utf8mb4",
        [("character set", "a", "noted")],
        MYSQL,
    ),
    "collation": (
        "a varchar(9) character set utf8mb4 collate utf8mb4_bin",
        "a varchar(9) character set utf8mb4 collate utf8mb4_general_ci",
        [("character set", "a", "noted")],
        MYSQL,
    ),
    "primary key": (
        "a int not null, b int not null, primary key (a)",
        "a int not null, b int not null, primary key (a, b)",
        [("primary key", "", "told")],
        HERE,
    ),
    "unique key gone, another there": (
        "a int, b int, unique key (a)",
        "a int, b int, unique key (b)",
        [("unique key", "", "noted"), ("unique key", "", "noted")],
        HERE,
    ),
    "all at once": (
        "a bigint, extra int, c varchar(9)",
        "a int, c varchar(3), gone int",
        [
            ("dropped", "gone", "stops"),
            ("widened", "a", "stops"),
            ("widened", "c", "stops"),
            ("added", "extra", "told"),
        ],
        HERE,
    ),
}


def contract(folder: Path, columns: str, header: str = "-- Paid.") -> Table:
    text = f"{header}\ncreate table paid (k0 int not null, {columns});"
    return tables(folder, paid=text)["paid"]


@pytest.mark.parametrize("title", CASES)
def test_each_difference_is_named_with_both_sides(
    source: Source, tmp_path: Path, title: str
) -> None:
    theirs, ours, wanted, where = CASES[title]
    name = "embedded" if source.identity.startswith("duckdb") else "mysql"
    header = "-- Paid.\n-- @leave_out Secret, never_there" if "purpose" in title else "-- Paid."
    source.create([contract(tmp_path / "theirs", theirs)])
    table = contract(tmp_path / "ours", ours, header)
    changes = source.drift(table)
    told = [(change.kind, change.column, change.effect) for change in changes]
    if name in where:
        assert told == wanted
    else:
        assert [one for one in told if one[2] == "stops"] == []
    stops = [change for change in changes if change.stops]
    if not stops:
        assert source.extract(table, None, tmp_path / "out").parts == {}
        return
    with pytest.raises(PortError) as caught:
        source.extract(table, None, tmp_path / "out")
    message = str(caught.value)
    for change in stops:
        assert sentence(change, table, source.identity) in message
        assert f"paid.{change.column} is " in message
    assert "raw/paid.sql" in message
    assert source.identity in message
    assert ("`orderhe adopt --update paid`" in message) == (name == "mysql")
    assert not (tmp_path / "out").exists()


SENTENCES = {
    Change("widened", "price", "decimal(10,2)", "decimal(12,2)", "stops"): (
        "paid.price is decimal(12,2) in mysql://shop, decimal(10,2) in raw/paid.sql"
    ),
    Change("added", "coupon", "", "varchar(20)", "told"): (
        "paid.coupon is varchar(20) in mysql://shop, and raw/paid.sql does not have it"
    ),
    Change("dropped", "coupon", "varchar(20)", "", "stops"): (
        "paid.coupon is varchar(20) in raw/paid.sql, and mysql://shop does not have it"
    ),
    Change("renamed", "amount", "int", "int", "stops", "sum"): (
        "paid.amount is int in raw/paid.sql, and mysql://shop does not have it: it has paid.sum of the "
        "same type in its place, so it seems to be renamed"
    ),
    Change("null allowed", "price", "not null", "null", "told"): (
        "paid.price is null in mysql://shop, not null in raw/paid.sql"
    ),
    Change("enum members added", "state", "", "'lost'", "told"): (
        "paid.state can be 'lost' in mysql://shop, and not in raw/paid.sql"
    ),
    Change("enum members removed", "state", "'lost'", "", "noted"): (
        "paid.state can be 'lost' in raw/paid.sql, and not in mysql://shop"
    ),
    Change("re-ordered", "", "a, b", "b, a", "noted"): (
        "paid: the columns stand b, a in mysql://shop, a, b in raw/paid.sql"
    ),
    Change("primary key", "", "(a)", "", "told"): (
        "paid: the primary key is none in mysql://shop, (a) in raw/paid.sql"
    ),
}


@pytest.mark.parametrize("change", SENTENCES, ids=lambda change: change.kind)
def test_a_sentence_says_which_side_has_what(tmp_path: Path, change: Change) -> None:
    table = contract(tmp_path, "a int")
    assert sentence(change, table, "mysql://shop") == SENTENCES[change]


def test_a_foreign_key_is_compared_where_the_source_has_them(
    source: Source, tmp_path: Path
) -> None:
    buyers = "create table buyers (code varchar(9) not null primary key);"
    paid = "create table paid (id int primary key, code varchar(9){});"
    key = ", constraint by_whom foreign key (code) references buyers (code)"
    theirs = tables(tmp_path / "theirs", buyers=buyers, paid=paid.format(""))
    ours = tables(tmp_path / "ours", buyers=buyers, paid=paid.format(key))
    source.create([*theirs.values()])
    changes = source.drift(ours["paid"])
    wanted = [Change("foreign key", "", "(code) to buyers (code)", "", "noted")]
    assert changes == ([] if source.identity.startswith("duckdb") else wanted)


def test_a_table_that_is_gone_is_named(source: Source, tmp_path: Path) -> None:
    source.create([contract(tmp_path, "a int")])
    lost = tables(tmp_path / "lost", lost="create table lost (id int primary key);")["lost"]
    with pytest.raises(PortError, match=r"raw\.lost.*(no table lost|no such table)"):
        source.drift(lost)
