"""The DDL is run, not read: DuckDB takes what MySQL would take and refuses what MySQL would refuse."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest

from orderhe_dagster.catalog.ddl import duckdb_create, qualified, quoted, redshift_create, string
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster_tests.catalog.folders import read

CONTRACT = """\
-- @partition day
-- @distkey select
create table `order` (
    `select` bigint not null,
    `a b` varchar(3) not null default 'x''y',
    day date not null,
    small tinyint default 7,
    big bigint unsigned,
    flag bit(1) not null default b'1',
    kind enum('it''s', 'b') default 'b',
    made datetime(6) not null default current_timestamp(6),
    uid char(36) default (uuid()),
    raw_bytes varbinary(8),
    primary key (`select`, `a b`),
    unique key (small)
);
"""


@pytest.fixture
def connection() -> duckdb.DuckDBPyConnection:
    return duckdb.connect()


def test_duckdb_table_takes_rows_and_defaults(
    connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (table,) = read(tmp_path, {"raw/order.sql": CONTRACT}).tables
    connection.execute(duckdb_create(table))
    connection.execute(duckdb_create(table))  # a second time changes nothing
    connection.execute("""insert into "order" ("select", day) values (1, '2026-01-01')""")
    row = connection.execute(
        """select "a b", small, big, flag, kind, uid, abs(epoch(made) - epoch(now())) < 3600
        from "order" """
    ).fetchone()
    assert row == ("x'y", 7, None, True, "b", None, True)
    names = [name for name, *_ in connection.execute('describe "order"').fetchall()]
    assert names == list(table.column_names)


@pytest.mark.parametrize(
    "values",
    [
        {"small": "200"},
        {"big": "-1"},
        {"big": "18446744073709551616"},
        {"kind": "'c'"},
        {'"a b"': "'four'"},
        {"flag": "null"},
        {"small": "5", '"select"': "1"},
    ],
)
def test_duckdb_table_refuses_what_mysql_refuses(
    values: dict[str, str], connection: duckdb.DuckDBPyConnection, tmp_path: Path
) -> None:
    (table,) = read(tmp_path, {"raw/order.sql": CONTRACT}).tables
    connection.execute(duckdb_create(table))
    connection.execute("""insert into "order" ("select", day, small) values (1, '2026-01-01', 5)""")
    row = {'"select"': "2", "day": "'2026-01-01'", "small": "6", **values}
    if values.get("small") == "5":
        row['"select"'] = "3"  # another primary key, the same unique key
    with pytest.raises(duckdb.ConstraintException):
        connection.execute(
            f'insert into "order" ({", ".join(row)}) values ({", ".join(row.values())})'
        )


def test_redshift_table_carries_no_keys_but_sorts_by_day(tmp_path: Path) -> None:
    (table,) = read(tmp_path, {"raw/order.sql": CONTRACT}).tables
    text = redshift_create(table)
    assert text.startswith('create table if not exists "warehouse"."order" (\n')
    assert '    "a b" varchar(12) not null,\n' in text
    assert '    "big" decimal(20, 0),\n' in text
    assert text.endswith('\ndistkey("select")\nsortkey("day")')
    assert "primary" not in text
    assert "unique" not in text
    assert redshift_create(table, TableRef("mart", "x")).split("(")[0].endswith('"mart"."x" ')


def test_every_demo_table_has_redshift_ddl_that_parses(project: Path) -> None:
    from sqlglot import exp, parse_one

    for table in read_catalogue(project / "sql").tables:
        tree = parse_one(redshift_create(table), dialect="redshift")
        assert isinstance(tree, exp.Create)
        assert [column.name for column in tree.find_all(exp.ColumnDef)] == list(table.column_names)


def test_names_and_strings_are_quoted() -> None:
    assert quoted('a"b') == '"a""b"'
    assert quoted("a`b", "mysql") == "`a``b`"
    assert qualified(TableRef("mart", "m")) == '"mart"."m"'
    assert string("it's \\") == "'it''s \\'"
