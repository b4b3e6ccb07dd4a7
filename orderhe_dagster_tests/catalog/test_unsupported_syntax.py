"""Selects that cannot be followed, or that no client runs, are problems of their file, never crashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster_tests.catalog.folders import SHOP, read, refused

LONG = "a" * 128
REFUSED = {
    "one alias for two tables": (
        "select 1::int as x from warehouse.orders a, warehouse.payments A",
        "two tables are called 'a'",
    ),
    "one table twice": (
        "select 1::int as x from warehouse.orders inner join warehouse.orders using (order_id)",
        "two tables are called 'orders'",
    ),
    "one name for two CTEs": (
        "with a as (select 1 as x), A as (select 2 as x) select x::int as x from a",
        "two tables are called 'a'",
    ),
    "a comma behind the last column": ("select 1::int as x,", "behind the last comma"),
    "a length that is no number": (
        "select note::varchar(x) as x from warehouse.orders",
        "1 to 65535",
    ),
    "a broken length": ("select city::varchar(3.2) as x from warehouse.customers", "1 to 65535"),
    "digits that are no number": (
        "select amount::decimal(10, x) as x from warehouse.orders",
        "must be a whole number",
    ),
    "more digits behind the point than Redshift holds": (
        "select amount::decimal(38, 38) as x from warehouse.orders",
        "37 digits at most",
    ),
    "many brackets": (
        f"select {'(' * 400}1{')' * 400}::int as x from warehouse.orders",
        "nested too deeply",
    ),
    "a long sum": (
        f"select ({'1 + ' * 3000}1)::int as x from warehouse.orders",
        "nested too deeply",
    ),
    "no column": ("select from warehouse.orders", "no columns"),
    "no column in a CTE": (
        "with a as (select from warehouse.orders) select 1::int as x from warehouse.orders",
        "no columns",
    ),
    "natural join": (
        "select 1::int as x from warehouse.orders natural join warehouse.payments",
        "a natural join is not read",
    ),
    "joins in brackets": (
        (
            "select 1::int as x from (warehouse.orders o inner join warehouse.payments p "
            "on p.order_id = o.order_id)"
        ),
        "joins in brackets",
    ),
    "joins inside one another": (
        (
            "select 1::int as x from warehouse.orders o left join (warehouse.payments p inner join "
            "warehouse.events e on true) on p.order_id = o.order_id"
        ),
        "joins in brackets",
    ),
    "a join on a subquery": (
        (
            "select 1::int as x from warehouse.orders o inner join warehouse.customers c on "
            "(select max(amount) > 1 from warehouse.payments)"
        ),
        "a join on nothing but a subquery",
    ),
    "a numbered parameter": ("select $1::int as x from warehouse.orders", "is a parameter"),
    "a named parameter": ("select (:a)::int as x from warehouse.orders", "is a parameter"),
    "a variable": ("select @x::int as x from warehouse.orders", "is a parameter"),
    "a change in a CTE": (
        "with x as (delete from warehouse.orders returning order_id) select order_id from x",
        "DELETE changes tables",
    ),
    "a long name": (f"select 1::int as {LONG} from warehouse.orders", "longer than 127 bytes"),
    "a long name of a CTE": (
        f"with {LONG} as (select 1 as x) select x::int as x from {LONG}",
        "longer than 127 bytes",
    ),
}


@pytest.mark.parametrize("title", REFUSED)
def test_refused_as_a_problem_of_its_file(title: str, tmp_path: Path) -> None:
    select, reason = REFUSED[title]
    good = "select order_id from warehouse.orders"
    problems = refused(tmp_path, {**SHOP, "mart/m.sql": f"-- M.\n{select}\n", "mart/n.sql": good})
    assert all(problem.startswith("mart/m.sql") for problem in problems)
    assert any(reason in problem for problem in problems), problems


def test_joins_one_after_another_are_read(tmp_path: Path) -> None:
    select = (
        "select o.order_id from warehouse.customers, warehouse.orders o left join "
        "(select order_id from warehouse.payments) p on p.order_id = o.order_id"
    )
    assert read(tmp_path, {**SHOP, "mart/m.sql": select}).layer("mart")
