"""Every way a folder can be wrong is told with file, line and what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster_tests.catalog.folders import SHOP, refused

MART = "mart/m.sql"

CASES: dict[str, tuple[dict[str, str], str, tuple[str, ...]]] = {
    # title: (files beside the shop, where, words of the message)
    "unknown key": (
        {MART: "-- M.\n-- @partitoin d\nselect order_id::int as a from warehouse.orders"},
        "mart/m.sql:2",
        ("@partitoin", "@partition, @cursor, @grain, @distkey, @sortkey, @owner", "@pii"),
    ),
    "key twice": (
        {MART: "-- @grain a\n-- @grain a\nselect order_id::int as a from warehouse.orders"},
        "mart/m.sql:2",
        ("@grain is given twice", "line 1"),
    ),
    "key without a value": (
        {MART: "-- @grain\nselect order_id::int as a from warehouse.orders"},
        "mart/m.sql:1",
        ("@grain has no value",),
    ),
    "key below the top": (
        {MART: "-- M.\nselect\n-- @grain a\norder_id::int as a from warehouse.orders"},
        "mart/m.sql:3",
        ("@grain belongs in the comment at the top",),
    ),
    "prose behind a key": (
        {MART: "-- @grain a,\n-- b\nselect 1::int as a, 2::int as b from warehouse.orders"},
        "mart/m.sql:2",
        ("prose after a key",),
    ),
    "freshness without a unit": (
        {MART: "-- @freshness 26\nselect order_id::int as a from warehouse.orders"},
        "mart/m.sql:1",
        ("'26'", "26h"),
    ),
    "owner that is nobody": (
        {MART: "-- @owner data\nselect order_id::int as a from warehouse.orders"},
        "mart/m.sql:1",
        ("team:name",),
    ),
    "grain of no column": (
        {
            MART: "-- @grain a, ordr_id\nselect 1::int as a, 2::int as order_id from warehouse.orders"
        },
        "mart/m.sql:1",
        ("@grain names 'ordr_id'", "did you mean order_id"),
    ),
    "two columns where one goes": (
        {MART: "-- @distkey a, b\nselect 1::int as a, 2::int as b from warehouse.orders"},
        "mart/m.sql:1",
        ("@distkey takes one column",),
    ),
    "partition by a number": (
        {"raw/x.sql": "-- @partition a\ncreate table x (a int not null)"},
        "raw/x.sql:1",
        ("a int has no day", "date, datetime or timestamp"),
    ),
    "cursor that does not count": (
        {"raw/x.sql": "-- @cursor a\ncreate table x (a text)"},
        "raw/x.sql:1",
        ("does not count up",),
    ),
    "unparsable select": (
        {MART: "-- M.\nselect order_id::int as a\nfrom warehouse.orders\nwhere (order_id > 1\n"},
        "mart/m.sql:4",
        ("cannot be read as Redshift SQL", "Expecting )"),
    ),
    "unclosed string": (
        {MART: "-- M.\nselect 1::int as a\nfrom warehouse.orders where status = 'paid\n"},
        "mart/m.sql:3",
        ("cannot be read as SQL",),
    ),
    "empty column": (
        {MART: "select order_id::int as a,\nfrom warehouse.orders"},
        "mart/m.sql:2",
        ("a column is expected before 'from'",),
    ),
    "two statements": (
        {MART: "select order_id::int as a from warehouse.orders;\nselect 1"},
        "mart/m.sql:2",
        ("a second statement", "exactly one select"),
    ),
    "no statement": ({MART: "-- only prose\n"}, "mart/m.sql:1", ("no statement",)),
    "no select": (
        {MART: "insert into mart.x select 1"},
        "mart/m.sql:1",
        ("a select is expected",),
    ),
    "select star": (
        {MART: "select\n    *\nfrom warehouse.orders"},
        "mart/m.sql:2",
        ("select *", "list the columns"),
    ),
    "select star of one table": (
        {MART: "select o.order_id::int as a,\n o.*\nfrom warehouse.orders as o"},
        "mart/m.sql:2",
        ("select *",),
    ),
    "select star in a part of a union": (
        {
            MART: "select 1::int as a from warehouse.orders\nunion all\nselect * from warehouse.orders"
        },
        "mart/m.sql:3",
        ("select *",),
    ),
    "column twice": (
        {MART: "select\n 1::int as a,\n 2::int as A\nfrom warehouse.orders"},
        "mart/m.sql:3",
        ("'a' stands twice", "line 2"),
    ),
    "column without a type": (
        {MART: "select\n translate(city, 'a', 'b') as n\nfrom warehouse.customers"},
        "mart/m.sql:2",
        ("'n' has no type", "add a cast", "like …::integer or …::decimal(18, 2)"),
    ),
    "column without a name": (
        {MART: "select\n (1 + 1)::int\nfrom warehouse.orders"},
        "mart/m.sql:2",
        ("has no name",),
    ),
    "unknown column": (
        {MART: "select 1::int as a\nfrom warehouse.orders\nwhere ordr_id = 1"},
        "mart/m.sql:3",
        ("'ordr_id'", "did you mean order_id"),
    ),
    "unknown column of a CTE": (
        {
            MART: "with o as (select order_id as x from warehouse.orders)\nselect o.y::int as a from o"
        },
        "mart/m.sql:2",
        ("no column 'y' in o",),
    ),
    "ambiguous column": (
        {
            MART: "select customer_id::int as a\nfrom warehouse.orders, warehouse.customers",
        },
        "mart/m.sql:1",
        ("is in orders, customers", "write which one"),
    ),
    "type that pads": (
        {MART: "select\n status::char(4) as a\nfrom warehouse.orders"},
        "mart/m.sql:2",
        ("char pads", "varchar(n)"),
    ),
    "decimal without digits": (
        {MART: "select amount::numeric as a from warehouse.orders"},
        "mart/m.sql:1",
        ("drops the fraction", "decimal(precision, scale)"),
    ),
    "super": (
        {MART: "select json_parse(status)::super as a from warehouse.orders"},
        "mart/m.sql:1",
        ("json_serialize",),
    ),
    "missing dependency": (
        {MART: "select 1::int as a\nfrom warehouse.order"},
        "mart/m.sql:2",
        ("no table warehouse.order", "did you mean orders"),
    ),
    "missing dependency like nothing": (
        {MART: "select 1::int as a\nfrom mart.zzz"},
        "mart/m.sql:2",
        ("add mart/zzz.sql",),
    ),
    "raw is not read": (
        {MART: "select 1::int as a\nfrom raw.orders"},
        "mart/m.sql:2",
        ("raw tables live in MySQL", "warehouse.orders"),
    ),
    "backup is not read": (
        {MART: "select 1::int as a\nfrom backup.orders"},
        "mart/m.sql:2",
        ("backups are files",),
    ),
    "export is not read": (
        {MART: "select 1::int as a\nfrom export.orders"},
        "mart/m.sql:2",
        ("exports are files",),
    ),
    "no schema": (
        {MART: "select 1::int as a\nfrom orders"},
        "mart/m.sql:2",
        ("has no schema", "warehouse.orders"),
    ),
    "no schema, and a column of it is read": (
        {MART: "select orders.order_id\nfrom orders"},
        "mart/m.sql:2",
        ("has no schema", "warehouse.orders"),
    ),
    "raw is not read, nor are its columns": (
        {MART: "select order_id\nfrom raw.orders"},
        "mart/m.sql:2",
        ("raw.orders", "warehouse.orders"),
    ),
    "a comma too many in a contract": (
        {"raw/x.sql": "create table x (\n  a int,\n  b int,\n)"},
        "raw/x.sql:3",
        ("comma",),
    ),
    "another schema": (
        {MART: "select 1::int as a\nfrom pg_catalog.pg_class"},
        "mart/m.sql:2",
        ("no schema 'pg_catalog'",),
    ),
    "a table hidden in a subquery": (
        {MART: "select 1::int as a from warehouse.orders\nwhere 1 in (select a from mart.nil)"},
        "mart/m.sql:2",
        ("no table mart.nil",),
    ),
    "cycle": (
        {
            "mart/a.sql": "-- A.\nselect x::int as x\nfrom mart.b",
            "mart/b.sql": "select x::int as x from mart.a",
        },
        "mart/a.sql:3",
        ("mart.a -> mart.b -> mart.a",),
    ),
    "cycle of one": (
        {MART: "select a::int as a from mart.m"},
        "mart/m.sql:1",
        ("mart.m -> mart.m",),
    ),
    "name taken": (
        {"warehouse/orders.sql": "select 1::int as a from warehouse.customers"},
        "warehouse/orders.sql",
        ("already the loaded table of raw/orders.sql",),
    ),
    "file name in capitals": (
        {"mart/Daily.sql": "select 1::int as a from warehouse.orders"},
        "mart/Daily.sql",
        ("lower-case",),
    ),
    "file in no layer": (
        {"marts/x.sql": "select 1"},
        "marts/x.sql",
        ("raw/, warehouse/, mart/, export/",),
    ),
    "check of no table": (
        {"checks/mart/nil__claim.sql": "select 1 from warehouse.orders"},
        "checks/mart/nil__claim.sql",
        ("no table mart.nil to check",),
    ),
    "check without a claim": (
        {"checks/warehouse/orders.sql": "select 1 from warehouse.orders"},
        "checks/warehouse/orders.sql",
        ("<table>__<claim>.sql",),
    ),
    "check of an unknown column": (
        {"checks/warehouse/orders__x.sql": "select 1 from warehouse.orders\nwhere amout < 0"},
        "checks/warehouse/orders__x.sql:2",
        ("'amout'", "did you mean amount"),
    ),
    "check with keys": (
        {"checks/warehouse/orders__x.sql": "-- @grain a\nselect order_id from warehouse.orders"},
        "checks/warehouse/orders__x.sql:1",
        ("takes no keys",),
    ),
    "personal data in a mart": (
        {MART: "select order_id::int as a,\n upper(note)::varchar(9) as n\nfrom warehouse.orders"},
        "mart/m.sql:2",
        ("'n' shows personal data", "warehouse.orders.note", "count()"),
    ),
    "personal data through a CTE, a union and a subquery": (
        {
            "warehouse/w.sql": "select email::varchar(200) as mail from warehouse.customers",
            MART: (
                "with a as (select * from warehouse.w union all select note from warehouse.orders)\n"
                "select\n (select max(mail) from a)::varchar(9) as n\nfrom warehouse.orders"
            ),
        },
        "mart/m.sql:3",
        ("warehouse.orders.note", "warehouse.w.mail"),
    ),
    "personal data in a window beside count": (
        {MART: "select\n count(*) over (partition by note)::int as n from warehouse.orders"},
        "mart/m.sql:2",
        ("warehouse.orders.note",),
    ),
    "pii key in a mart": (
        {MART: "-- @pii a\nselect 1::int as a from warehouse.orders"},
        "mart/m.sql:1",
        ("personal data stays in the warehouse",),
    ),
    "two contracts of one table": (
        {
            "raw/x.sql": "-- X.\ncreate table `Y Z` (a int)",
            "raw/y.sql": "create table `Y Z` (b int)",
        },
        "raw/y.sql",
        ("raw/x.sql", "'Y Z'", "delete one of the two files"),
    ),
    "name that no table of MySQL can have": (
        {"raw/x.sql": f"-- X.\ncreate table `{'é' * 65}` (a int)"},
        "raw/x.sql:2",
        ("1 to 64 characters",),
    ),
    "foreign key to a table that has other capitals twice": (
        {
            "raw/x.sql": "create table X (a int primary key)",
            "raw/x_2.sql": "create table x (a int primary key)",
            "raw/y.sql": "create table y (a int, foreign key (a) references `X ` (a))",
        },
        "raw/y.sql:1",
        ("'X '", "has no contract; did you mean X"),
    ),
    "contract that is a select": (
        {"raw/x.sql": "select 1"},
        "raw/x.sql:1",
        ("one MySQL create table",),
    ),
    "contract with a schema": (
        {"raw/x.sql": "create table shop.x (a int)"},
        "raw/x.sql:1",
        ("stands alone",),
    ),
    "contract like another": ({"raw/x.sql": "create table x like y"}, "raw/x.sql:1", ("columns",)),
    "contract with a slip": (
        {"raw/x.sql": "create table x (\n a int nott null\n)"},
        "raw/x.sql:2",
        ("'nott' is no option of column 'a'",),
    ),
    "contract never closed": (
        {"raw/x.sql": "create table x (\n a int"},
        "raw/x.sql:1",
        ("never closed",),
    ),
    "contract with a column twice": (
        {"raw/x.sql": "create table x (\n a int,\n A int\n)"},
        "raw/x.sql:3",
        ("'A' stands twice", "line 2"),
    ),
    "key of no column": (
        {"raw/x.sql": "create table x (\n a int,\n primary key (b)\n)"},
        "raw/x.sql:3",
        ("column 'b'",),
    ),
    "foreign key to no contract": (
        {"raw/x.sql": "create table x (\n a int,\n foreign key (a) references nil (b)\n)"},
        "raw/x.sql:2",
        ("'nil'", "add raw/nil.sql"),
    ),
    "foreign key to no column": (
        {"raw/x.sql": "create table x (\n a int,\n foreign key (a) references customers (b)\n)"},
        "raw/x.sql:2",
        ("column 'b' of customers",),
    ),
    "year of two digits": (
        {"raw/x.sql": "create table x (\n a int,\n b year(2)\n)"},
        "raw/x.sql:3",
        ("'b' is year(2)", "alter the column to year"),
    ),
    "decimal too wide": (
        {"raw/x.sql": "create table x (\n a decimal(66, 2)\n)"},
        "raw/x.sql:2",
        ("'66'", "from 0 to 65"),
    ),
    "bits": ({"raw/x.sql": "create table x (\n a bit(65)\n)"}, "raw/x.sql:2", ("from 1 to 64",)),
    "vector": ({"raw/x.sql": "create table x (\n a vector(3)\n)"}, "raw/x.sql:2", ("a vector",)),
    "leave out: a column that is there": (
        {"raw/x.sql": "-- @leave_out b, A\ncreate table x (a int)"},
        "raw/x.sql:1",
        ("@leave_out names 'A'", "take out one of the two"),
    ),
    "leave out of a select": (
        {"mart/m.sql": "-- @leave_out id\nselect orders.order_id as nr from warehouse.orders"},
        "mart/m.sql:1",
        ("only a contract",),
    ),
    "bad values: no policy": (
        {"raw/x.sql": "-- @bad_values a skip\ncreate table x (a int, b int not null)"},
        "raw/x.sql:1",
        ("'a skip'", "quarantine, null, fail"),
    ),
    "bad values: no column": (
        {"raw/x.sql": "-- @bad_values nil null\ncreate table x (a int, b int not null)"},
        "raw/x.sql:1",
        ("names 'nil'",),
    ),
    "bad values: twice": (
        {"raw/x.sql": "-- @bad_values a null, A fail\ncreate table x (a int, b int not null)"},
        "raw/x.sql:1",
        ("names 'a' twice",),
    ),
    "bad values of a key": (
        {"raw/x.sql": "-- @bad_values b null\ncreate table x (a int, b int primary key)"},
        "raw/x.sql:1",
        ("b null: it is of the key", "write quarantine or fail"),
    ),
    "bad values of what is said to be the key": (
        {
            "raw/x.sql": "-- @grain a, b\n-- @bad_values b null\ncreate table x (a int, b int not null)"
        },
        "raw/x.sql:2",
        ("b null: it is of the key",),
    ),
    "bad values of a select": (
        {
            "mart/m.sql": "-- @bad_values id null\nselect orders.order_id as id from warehouse.orders"
        },
        "mart/m.sql:1",
        ("only a contract",),
    ),
    "spatial": ({"raw/x.sql": "create table x (\n a point\n)"}, "raw/x.sql:2", ("spatial",)),
    "unknown type": (
        {"raw/x.sql": "create table x (\n a money\n)"},
        "raw/x.sql:2",
        ("'a' is money",),
    ),
    "clock of the file": (
        {"raw/x.sql": "create table x (a int);\ncreate table y (a int)"},
        "raw/x.sql:2",
        ("a second statement",),
    ),
}


@pytest.mark.parametrize("title", CASES)
def test_problem_names_place_and_remedy(title: str, tmp_path: Path) -> None:
    files, where, words = CASES[title]
    problems = refused(tmp_path, {**SHOP, **files})
    found = [text for text in problems if text.startswith(where + ":")]
    assert len(found) == 1, problems
    for word in words:
        assert word in found[0]
    assert problems == found, "one slip, one problem"


def test_all_problems_are_told_at_once_and_in_order(tmp_path: Path) -> None:
    problems = refused(
        tmp_path,
        {
            **SHOP,
            "raw/x.sql": "-- @nil 1\ncreate table x (\n a point,\n b polygon\n)",
            "mart/a.sql": "select * from warehouse.orders",
            "mart/b.sql": "select nil::int as a from mart.a",
            "export/c.sql": "select null as n from warehouse.orders",
        },
    )
    places = [text.split(": ")[0] for text in problems]
    assert places == ["export/c.sql:1", "mart/a.sql:1", "raw/x.sql:1", "raw/x.sql:3", "raw/x.sql:4"]


def test_every_unknown_column_of_a_file_is_told(tmp_path: Path) -> None:
    select = "select\n nil::int as a,\n b.x::int as b\nfrom warehouse.orders\nwhere zip > 1"
    problems = refused(tmp_path, {**SHOP, "mart/m.sql": select})
    assert [text.split(": ")[0] for text in problems] == [f"mart/m.sql:{n}" for n in (2, 3, 5)]


def test_file_that_is_not_utf8_names_the_line(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw/x.sql").write_bytes(b"-- x\n-- \xff\ncreate table x (a int)")
    assert refused(tmp_path, {}) == ["raw/x.sql:2: not UTF-8; save the file as UTF-8"]


def test_empty_folder_names_the_setting(tmp_path: Path) -> None:
    assert "ORDERHE_SQL" in refused(tmp_path, {})[0]
