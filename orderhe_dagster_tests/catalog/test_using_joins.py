"""A column that `using` makes of several, a union's column and a subquery's conditions hide nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import Table
from orderhe_dagster_tests.catalog.folders import SHOP, read, refused


def mart(folder: Path, select: str) -> Table:
    return read(folder, {**SHOP, "mart/m.sql": f"-- M.\n{select}\n"}).layer("mart")[0]


@pytest.mark.parametrize("join", ["full join", "right join", "inner join", "left join"])
def test_personal_data_of_either_side_is_seen_through_using(join: str, tmp_path: Path) -> None:
    note = "with a as (select note::varchar(200) as k from warehouse.orders), "
    city = "b as (select city::varchar(200) as k from warehouse.customers) "
    for n, (left, right) in enumerate((("a", "b"), ("b", "a"))):
        for m, select in enumerate(
            (
                f"select k::varchar(50) as k from {left} {join} {right} using (k)",
                f", c as (select * from {left} {join} {right} using (k)) select k from c",
            )
        ):
            text = note + city.rstrip() * (m == 1) + city * (m == 0) + select
            (problem,) = refused(tmp_path / f"{n}{m}", {**SHOP, "mart/m.sql": text})
            assert "warehouse.orders.note" in problem


@pytest.mark.parametrize(
    ("join", "nullable"),
    [("inner join", False), ("left join", True), ("right join", False), ("full join", True)],
)
def test_null_of_a_merged_column_is_that_of_the_side_it_shows(
    join: str, nullable: bool, tmp_path: Path
) -> None:
    select = (
        f"select customer_id from warehouse.orders {join} warehouse.customers using (customer_id)"
    )
    assert mart(tmp_path, select).column("customer_id").nullable is nullable


def test_null_of_a_merged_column_is_seen_behind_another_join(tmp_path: Path) -> None:
    select = (
        "select order_id from warehouse.orders as o inner join warehouse.payments as p "
        "using (order_id) full join warehouse.customers as c on c.city = p.amount::varchar(9)"
    )
    assert mart(tmp_path, select).column("order_id").nullable


def test_type_of_a_merged_column_is_the_widest(tmp_path: Path) -> None:
    select = (
        "with a as (select customer_id::smallint as k from warehouse.orders), "
        "b as (select order_id as k from warehouse.payments) select k from a full join b using (k)"
    )
    assert mart(tmp_path, select).column("k").type.kind == "bigint"


def test_star_over_using_gives_each_column_and_the_merged_one_first(tmp_path: Path) -> None:
    select = (
        "with a as (select amount, order_id as k from warehouse.orders), "
        "b as (select amount as b, payment_id as k from warehouse.payments), "
        "j as (select * from a left join b using (k)), "
        "u as (select * from j union all select order_id, amount, amount::int from warehouse.orders) "
        "select k::bigint as k, amount::decimal(12, 2) as x, b::int as b from u"
    )
    lineage = mart(tmp_path, select).lineage
    assert {ref.column for ref in lineage["x"]} == {"amount"}
    assert {ref.column for ref in lineage["k"]} == {"order_id", "payment_id"}


REFUSED = {
    "a column that star gives twice": (
        (
            "with j as (select * from warehouse.orders as o left join warehouse.payments as p "
            "using (order_id) inner join warehouse.events as e on e.event_id = o.order_id "
            "inner join warehouse.payments as q on q.order_id = o.order_id) "
            "select order_id::bigint as a from j"
        ),
        "two columns called 'order_id'",
    ),
    "a star over a star with a column twice": (
        (
            "with j as (select * from warehouse.orders as o inner join warehouse.payments as p "
            "on p.order_id = o.order_id), k as (select * from j) select note from k"
        ),
        "two columns called",
    ),
    "a merged column beside another": (
        (
            "select order_id::bigint as a from warehouse.orders as o inner join warehouse.payments as p "
            "using (order_id) inner join warehouse.payments as q on q.payment_id = p.payment_id"
        ),
        "write which one",
    ),
    "using of no column": (
        "select 1::int as a from warehouse.orders inner join warehouse.events using (nope)",
        "using (nope)",
    ),
    "using of a column of one side": (
        "select 1::int as a from warehouse.orders inner join warehouse.events using (event_id)",
        "using (event_id)",
    ),
    "using of two columns on the left": (
        (
            "select 1::int as a from warehouse.orders as o inner join warehouse.payments as p "
            "on p.payment_id = o.order_id inner join warehouse.payments as q using (order_id)"
        ),
        "using (order_id)",
    ),
    "union of a date and a time": (
        (
            "select order_date::date as a from warehouse.orders "
            "union all select paid_at::timestamp from warehouse.payments"
        ),
        "the parts of the union differ in type (date, timestamp)",
    ),
    "union of two scales in a CTE": (
        (
            "with u as (select amount::decimal(4, 1) as a from warehouse.orders "
            "union all select amount::decimal(8, 4) from warehouse.orders) select a from u"
        ),
        "differ in type (decimal(4, 1), decimal(8, 4))",
    ),
    "union with a part that has no type": (
        (
            "select city::varchar(20) as a from warehouse.customers "
            "union all select translate(city, 'a', 'b') from warehouse.customers"
        ),
        "do not all have a type",
    ),
    "using of two types": (
        (
            "with a as (select order_date::date as k from warehouse.orders), "
            "b as (select paid_at as k from warehouse.payments) select k from a join b using (k)"
        ),
        "the columns of using (k) differ in type",
    ),
}


@pytest.mark.parametrize("title", REFUSED)
def test_refused(title: str, tmp_path: Path) -> None:
    select, reason = REFUSED[title]
    problems = refused(tmp_path, {**SHOP, "mart/m.sql": f"-- M.\n{select}\n"})
    assert any(reason in problem for problem in problems), problems


@pytest.mark.parametrize(
    ("first", "second", "expected"),
    [
        ("customer_id::int", "order_id::bigint", "bigint"),
        ("status::varchar(5)", "note::varchar(80)", "varchar"),
        ("order_id::bigint", "null", "bigint"),
        ("null", "customer_id", "integer"),
    ],
)
def test_union_takes_the_widest(first: str, second: str, expected: str, tmp_path: Path) -> None:
    text = (
        f"select {first} as a from warehouse.orders union all select {second} from warehouse.orders"
    )
    table = read(tmp_path, {**SHOP, "warehouse/m.sql": text}).layer("warehouse")[0]
    kind = table.column("a").type
    assert kind.kind == expected
    assert kind.length == (80 if expected == "varchar" else 0)


def test_union_of_instants_stays_an_instant(tmp_path: Path) -> None:
    select = (
        "with u as (select happened_at from warehouse.events union all "
        "select happened_at from warehouse.events) select happened_at::timestamp as a from u"
    )
    assert mart(tmp_path, select).column("a").type.instant


@pytest.mark.parametrize(
    "subquery",
    [
        (
            "exists(select 1 from warehouse.customers c where c.customer_id = o.customer_id "
            "and c.email = 'Bob')"
        ),
        (
            "(select count(*) from warehouse.customers c inner join warehouse.events e on "
            "c.email = e.event_id::varchar(9) where c.customer_id = o.customer_id) > 0"
        ),
        "(select max(city) from warehouse.customers group by city having max(email) = 'Bob') = 'x'",
        (
            "exists(select 1 from (select customer_id from warehouse.customers where email = 'Bob') c "
            "where c.customer_id = o.customer_id)"
        ),
        "exists(select 1 from bobs where bobs.customer_id = o.customer_id)",
        (
            "exists(select 1 from warehouse.events e where e.event_id in (select customer_id from "
            "warehouse.customers where email = 'Bob'))"
        ),
        "(o.customer_id in (select customer_id from warehouse.customers where email = 'Bob'))",
    ],
)
def test_personal_data_in_the_conditions_of_a_selected_subquery_is_seen(
    subquery: str, tmp_path: Path
) -> None:
    text = (
        "with bobs as (select customer_id from warehouse.customers where email = 'Bob') "
        f"select o.order_id, ({subquery})::boolean as is_bob from warehouse.orders as o"
    )
    (problem,) = refused(tmp_path, {**SHOP, "mart/m.sql": text})
    assert "column 'is_bob' shows personal data (warehouse.customers.email" in problem


def test_a_selected_subquery_without_personal_data_is_kept(tmp_path: Path) -> None:
    select = (
        "select o.order_id, exists(select 1 from warehouse.customers c where c.city = 'Seoul' "
        "and c.customer_id = o.customer_id)::boolean as is_local from warehouse.orders as o"
    )
    assert mart(tmp_path, select).column("is_local").type.kind == "boolean"
