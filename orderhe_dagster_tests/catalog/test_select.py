"""Columns of a select: type, description, nulls, personal data, lineage."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import ColumnRef, Table, TableRef
from orderhe_dagster_tests.catalog.folders import SHOP, read


def model(folder: Path, select: str, layer: str = "mart", **more: str) -> Table:
    files = {**SHOP, **{path.replace("__", "/") + ".sql": sql for path, sql in more.items()}}
    catalogue = read(folder, {**files, f"{layer}/m.sql": select})
    return next(table for table in catalogue.tables if table.name == "m")


def test_type_comes_from_the_cast_or_the_upstream_column(tmp_path: Path) -> None:
    table = model(
        tmp_path,
        "with a as (select *, count(*) over () as n from warehouse.orders), b as (select * from a)\n"
        "select\n  amount, -- the amount\n  (n)::BIGINT as n /* how many */\n"
        "  , status::varchar(max) as s, cast(order_id as double precision) as f\n"
        "  , placed_at, true::boolean as is_quiet, upper(status)::varchar(8)  as u -- loud\n"
        "from b",
    )
    assert {c.name: (c.type.kind, c.description) for c in table.columns} == {
        "amount": ("decimal", "the amount"),
        "n": ("bigint", "how many"),
        "s": ("varchar", ""),
        "f": ("double", "Number"),
        "placed_at": ("timestamp", ""),
        "is_quiet": ("boolean", ""),
        "u": ("varchar", "loud"),
    }
    assert (table.column("amount").type.precision, table.column("amount").type.scale) == (12, 2)
    assert table.column("s").type.length == 65535
    assert table.column("s").values == ("paid", "sent")
    assert table.column("u").values == ()
    assert [c.line for c in table.columns] == [3, 4, 5, 5, 6, 6, 6]


@pytest.mark.parametrize(
    ("expression", "nullable"),
    [
        ("o.order_id::int", False),
        ("o.customer_id::int", True),
        ("c.customer_id::int", True),
        ("coalesce(c.customer_id, 0)::int", False),
        ("count(*)::int", False),
        ("sum(o.amount)::int", False),
        ("sum(o.customer_id)::int", True),
        ("max(case when o.amount > 0 then o.amount end)::int", True),
        ("max(case when o.amount > 0 then o.amount else 0 end)::int", False),
        ("nullif(o.order_id, 1)::int", True),
    ],
)
def test_null_is_excluded_only_where_it_is_certain(
    expression: str, nullable: bool, tmp_path: Path
) -> None:
    table = model(
        tmp_path,
        f"select {expression} as x from warehouse.orders as o left join warehouse.customers as c "
        "on o.customer_id = c.customer_id group by o.order_id, o.customer_id, c.customer_id",
    )
    assert table.column("x").nullable is nullable


def test_null_of_an_outer_join_is_seen_through_a_star(tmp_path: Path) -> None:
    table = model(
        tmp_path,
        "with a as (select c.*, o.order_id from warehouse.orders as o left join warehouse.customers "
        "as c on o.customer_id = c.customer_id) select customer_id, order_id from a",
    )
    assert [c.nullable for c in table.columns] == [True, False]


def test_null_of_a_rollup_is_seen(tmp_path: Path) -> None:
    table = model(
        tmp_path,
        "select order_id, count(*)::int as n from warehouse.orders group by rollup(order_id)",
    )
    assert [c.nullable for c in table.columns] == [True, False]


def test_personal_data_follows_the_columns_of_the_warehouse(tmp_path: Path) -> None:
    table = model(
        tmp_path,
        "-- @pii city\nselect customer_id, lower(email)::varchar(200) as mail, city, "
        "(count(email) over ())::int as n from warehouse.customers",
        layer="warehouse",
    )
    assert {c.name: c.pii for c in table.columns} == {
        "customer_id": False,
        "mail": True,
        "city": True,
        "n": False,
    }


def test_personal_data_may_be_counted_and_filtered_by(tmp_path: Path) -> None:
    table = model(
        tmp_path,
        "select city, count(distinct email)::int as n from warehouse.customers "
        "where email like '%@%' group by city",
    )
    assert table.lineage["n"] == (ColumnRef(TableRef("warehouse", "customers"), "email"),)


def names(table: Table, column: str) -> list[str]:
    return [f"{ref.table.name}.{ref.column}" for ref in table.lineage[column]]


def test_lineage_goes_through_everything(tmp_path: Path) -> None:
    table = model(
        tmp_path,
        "with a (x, y) as (select o.order_id, o.amount from warehouse.orders as o),\n"
        "u as (select x, y from a union all select payment_id, amount from warehouse.payments),\n"
        "w as (select *, row_number() over (partition by x order by y) as r from u)\n"
        "select\n"
        " w.x::int as x,\n"
        " (select max(e.happened_at) from warehouse.events as e where e.event_id = w.x)::timestamp as e,\n"
        " case when w.x in (select customer_id from warehouse.customers) then 1 else 0 end::int as i,\n"
        " w.r::int as r,\n"
        " (x + 1)::int as z,\n"
        " (z + y)::int as zz\n"
        "from w inner join (select amount as q from warehouse.payments) as d on d.q = w.y",
    )
    assert names(table, "x") == ["orders.order_id", "payments.payment_id"]
    assert names(table, "e") == ["events.happened_at"]
    assert names(table, "i") == ["customers.customer_id", "orders.order_id", "payments.payment_id"]
    both = ["orders.amount", "orders.order_id", "payments.amount", "payments.payment_id"]
    assert names(table, "r") == both
    assert names(table, "zz") == both
    assert [str(ref) for ref in table.depends_on] == [
        "warehouse.customers",
        "warehouse.events",
        "warehouse.orders",
        "warehouse.payments",
    ]


def test_capitals_do_not_matter(tmp_path: Path) -> None:
    files = {"raw/x.sql": "create table x (`OrderId` int primary key, `Order` int)"}
    files["mart/m.sql"] = 'SELECT ORDERID AS "Id", X."order"::INT AS o FROM Warehouse.X'
    table = read(tmp_path, files).layer("mart")[0]
    assert table.column_names == ("id", "o")
    assert names(table, "id") == ["x.OrderId"]


def test_tables_come_after_what_they_read(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        {
            **SHOP,
            "mart/a.sql": "select z::int as a from mart.z",
            "mart/z.sql": "select b::int as z from warehouse.b",
            "warehouse/b.sql": "select order_id::int as b from warehouse.orders",
            "export/a.sql": "select a::int as a from mart.a",
        },
    )
    models = [str(t.ref) for t in catalogue.tables if t.layer != "raw"]
    assert models == ["warehouse.b", "mart.z", "mart.a", "export.a"]


def test_code_version_moves_with_every_byte(tmp_path: Path) -> None:
    first = model(tmp_path, "select order_id from warehouse.orders")
    second = model(tmp_path, "select order_id from warehouse.orders ")
    assert first.sql == second.sql
    assert first.code_version != second.code_version


# Title: a select, and what it says without comments.
COMMENTED = {
    "comments and breaks": (
        "-- Head.\nselect 1 /* a\nb */ as a, -- The one\n  2  as b",
        "select 1 as a, 2 as b",
    ),
    "what is quoted stays": (
        "select '--  x' as a, \"/*\"\n as b",
        "select '--  x' as a, \"/*\" as b",
    ),
    "a quote in a comment": (
        "select 1 -- it's one\n as a, 'it''s' as b",
        "select 1 as a, 'it''s' as b",
    ),
    "what may be read in two ways": ("select 'a\\' -- ' as a\n", "select 'a\\' -- ' as a\n"),
    "comments in comments": ("select 1 /* a /* b */ c */ as a", "select 1 /* a /* b */ c */ as a"),
}


@pytest.mark.parametrize("title", COMMENTED)
def test_a_select_without_its_comments(tmp_path: Path, title: str) -> None:
    sql, plain = COMMENTED[title]
    assert (
        replace(model(tmp_path, "select order_id from warehouse.orders"), sql=sql).without_comments
        == plain
    )
