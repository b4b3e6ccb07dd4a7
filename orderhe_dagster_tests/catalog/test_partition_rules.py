"""`@partition` of a select is believed only where it can be verified."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster_tests.catalog.folders import SHOP, read, refused

KEPT = {
    "plain rows": "select order_date::date as d from warehouse.orders where amount > 0",
    "no cast": "select order_date as d from warehouse.orders",
    "groups": "select order_date::date as d, sum(amount)::int as n from warehouse.orders group by 1",
    "groups by name, having": (
        "select order_date::date as d, count(*)::int as n from warehouse.orders "
        "group by order_date, status having count(*) > 1"
    ),
    "through CTEs": (
        "with a as (select * from warehouse.orders), "
        "b as (select order_date as x, sum(amount) as n from a group by order_date) "
        "select x::date as d, n::int as n from b"
    ),
    "parents without a partition": (
        "select o.order_date::date as d, c.city::varchar(80) as city from warehouse.orders as o "
        "left join warehouse.customers as c on o.customer_id = c.customer_id"
    ),
    "a parent first": (
        "select o.order_date::date as d from warehouse.customers as c "
        "inner join warehouse.orders as o on o.customer_id = c.customer_id"
    ),
    "day of a datetime": "select paid_at::date as d from warehouse.payments",
    "trunc of a datetime": "select trunc(paid_at)::date as d from warehouse.payments",
    "date_trunc of a datetime": "select date_trunc('day', paid_at)::date as d from warehouse.payments",
    "the moment itself": "select paid_at::timestamp as d from warehouse.payments",
    "the instant itself": "select happened_at::timestamp as d from warehouse.events",
    "two partitioned tables on the day": (
        "select o.order_date::date as d from warehouse.orders as o inner join warehouse.payments as p "
        "on o.order_id = p.order_id and p.paid_at::date = o.order_date"
    ),
    "on the day in where": (
        "select o.order_date::date as d from warehouse.orders as o, warehouse.payments as p "
        "where o.order_id = p.order_id and p.paid_at::date = o.order_date"
    ),
    "left join on the day": (
        "select o.order_date::date as d, p.amount::int as a from warehouse.orders as o "
        "left join warehouse.payments as p "
        "on p.paid_at::date = o.order_date and o.order_id = p.order_id"
    ),
    "using the day": (
        "select order_date::date as d from warehouse.orders as a "
        "left join mart.other as b using (order_date)"
    ),
    "window by the day": (
        "select order_date::date as d, row_number() over (partition by order_date, status "
        "order by amount)::int as n from warehouse.orders"
    ),
    "distinct": "select distinct order_date::date as d, status from warehouse.orders",
    "union": (
        "select order_date::date as d from warehouse.orders "
        "union all select order_date from mart.other"
    ),
    "functions that stay": (
        "select order_date::date as d, left(upper(status), 2)::varchar(8) as s, "
        "datediff(day, order_date, '2026-01-01')::int as n, nvl(customer_id, 0)::int as c, "
        "extract(dow from order_date)::int as w, len(status)::int as l, "
        "case when status = 'paid' then 1 else 0 end::int as p, "
        "date_trunc('month', order_date)::date as m, mod(order_id, 7)::int as o, "
        "dateadd(day, 1, order_date)::date as e, to_char(placed_at, 'HH24:MI')::varchar(5) as h, "
        "round(amount / nullif(order_id, 0), 2)::decimal(12, 2) as r, md5(status)::varchar(32) as x, "
        "isnull(customer_id, 0)::int as i, split_part(status, '-', 1)::varchar(40) as y, "
        "lag(amount) over (partition by order_date order by order_id)::decimal(12, 2) as z, "
        "btrim(status)::varchar(40) as b, decode(status, 'paid', 1, 0)::int as f, "
        "regexp_replace(status, 'a', 'b')::varchar(40) as g, strtol('ff', 16)::bigint as k "
        "from warehouse.orders"
    ),
    "in a subquery of a CTE of parents": (
        "with c as (select * from warehouse.customers) select order_date::date as d "
        "from warehouse.orders where customer_id in (select customer_id from c)"
    ),
    "in a subquery of parents": (
        "select order_date::date as d from warehouse.orders where customer_id in "
        "(select customer_id from warehouse.customers)"
    ),
}

REFUSED = {
    "aggregate without the day": (
        "select max(order_date)::date as d, status from warehouse.orders group by status",
        "group by has no column of the day",
    ),
    "aggregate of all": (
        "select max(order_date)::date as d from warehouse.orders",
        "aggregate over all days",
    ),
    "aggregate in a CTE": (
        (
            "with a as (select customer_id, count(*) as n from warehouse.orders group by customer_id) "
            "select o.order_date::date as d, a.n::int as n from warehouse.orders as o "
            "inner join a on a.customer_id = o.customer_id"
        ),
        "group by has no column of the day",
    ),
    "window over all": (
        (
            "select order_date::date as d, sum(amount) over (order by order_date "
            "rows unbounded preceding)::int as n from warehouse.orders"
        ),
        "not partitioned by the day",
    ),
    "window of another partition": (
        (
            "select order_date::date as d, row_number() over (partition by customer_id "
            "order by order_date)::int as n from warehouse.orders"
        ),
        "not partitioned by the day",
    ),
    "window in qualify": (
        (
            "select order_date::date as d from warehouse.orders "
            "qualify row_number() over (partition by customer_id order by order_date) = 1"
        ),
        "not partitioned by the day",
    ),
    "limit": ("select order_date::date as d from warehouse.orders limit 5", "limit"),
    "limit in a CTE": (
        (
            "with a as (select * from warehouse.orders order by amount limit 5) "
            "select order_date::date as d from a"
        ),
        "limit",
    ),
    "distinct without the day": (
        (
            "with a as (select distinct customer_id from warehouse.orders) "
            "select o.order_date::date as d from warehouse.orders as o inner join a "
            "on a.customer_id = o.customer_id"
        ),
        "distinct without the day",
    ),
    "join not on the day": (
        (
            "select o.order_date::date as d from warehouse.orders as o "
            "inner join warehouse.payments as p on o.order_id = p.order_id"
        ),
        "p is joined without its day being equal",
    ),
    "join on the next day": (
        (
            "select o.order_date::date as d from warehouse.orders as o "
            "inner join warehouse.payments as p on p.paid_at::date = o.order_date + 1"
        ),
        "without its day being equal",
    ),
    "left join on the day only in where": (
        (
            "select o.order_date::date as d from warehouse.orders as o left join warehouse.payments as p "
            "on o.order_id = p.order_id where p.paid_at::date = o.order_date"
        ),
        "without its day being equal",
    ),
    "either or": (
        (
            "select o.order_date::date as d from warehouse.orders as o inner join warehouse.payments as p "
            "on p.paid_at::date = o.order_date or o.order_id = p.order_id"
        ),
        "without its day being equal",
    ),
    "parents kept": (
        (
            "select o.order_date::date as d from warehouse.customers as c "
            "left join warehouse.orders as o on o.customer_id = c.customer_id"
        ),
        "left join keeps rows",
    ),
    "full join": (
        (
            "select o.order_date::date as d from warehouse.orders as o "
            "full join warehouse.customers as c on o.customer_id = c.customer_id"
        ),
        "a full join",
    ),
    "shifted day": (
        "select (order_date + 1)::date as d from warehouse.orders",
        "not plainly the day",
    ),
    "another date": (
        "select placed_at::date as d, order_id from warehouse.orders",
        "not plainly the day",
    ),
    "the day of an instant": (
        "select happened_at::date as d from warehouse.events",
        "depends on the shop's time zone",
    ),
    "the emptied side": (
        (
            "select p.paid_at::date as d from warehouse.orders as o left join warehouse.payments as p "
            "on p.paid_at::date = o.order_date"
        ),
        "not plainly the day",
    ),
    "nothing partitioned": (
        "select '2026-01-01'::date as d from warehouse.customers",
        "none is partitioned",
    ),
    "subquery": (
        (
            "select order_date::date as d from warehouse.orders where order_date < "
            "(select max(order_date) from mart.other)"
        ),
        "a subquery reads a partitioned table",
    ),
    "subquery of a CTE": (
        (
            "with o as (select * from warehouse.orders) select order_date::date as d, "
            "(select sum(amount) from o)::int as n from o"
        ),
        "a subquery reads a partitioned table",
    ),
    "in a subquery of a CTE": (
        (
            "with q as (select * from warehouse.payments) select order_date::date as d "
            "from warehouse.orders where order_id in (select order_id from q)"
        ),
        "a subquery reads a partitioned table",
    ),
    "exists over a CTE": (
        (
            "with q as (select * from warehouse.payments) select o.order_date::date as d from "
            "warehouse.orders as o where exists (select 1 from q where q.order_id = o.order_id)"
        ),
        "a subquery reads a partitioned table",
    ),
    "a CTE of parents filtered by a CTE": (
        (
            "with q as (select * from warehouse.payments), c as (select * from warehouse.customers "
            "where customer_id in (select payment_id from q)) "
            "select o.order_date::date as d from warehouse.orders as o where o.customer_id in "
            "(select customer_id from c)"
        ),
        "a subquery reads a partitioned table",
    ),
    "subquery of an aggregate in a CTE": (
        (
            "with n as (select max(amount) as m from warehouse.orders) "
            "select order_date::date as d, (select m from n)::int as m from warehouse.orders"
        ),
        "a subquery reads a partitioned table",
    ),
    "subquery of a union in a CTE of a CTE": (
        (
            "with a as (select payment_id as i from warehouse.payments), b as (select customer_id "
            "as i from warehouse.customers union all select i from a), c as (select i from b) "
            "select order_date::date as d from warehouse.orders where order_id in (select i from c)"
        ),
        "a subquery reads a partitioned table",
    ),
    "localtimestamp": (
        "select order_date::date as d from warehouse.orders where placed_at < localtimestamp",
        "differs from run to run",
    ),
    "a clock by another name": (
        "select order_date::date as d from warehouse.orders where placed_at < transaction_timestamp()",
        "differs from run to run",
    ),
    "a function that is not known": (
        "select order_date::date as d, pg_backend_pid()::int as n from warehouse.orders",
        "differs from run to run",
    ),
    "a clock in a text": (
        "select order_date::date as d from warehouse.orders where placed_at < 'now'::timestamp",
        "a time that moves",
    ),
    "a clock in a bare text": (
        "select order_date::date as d from warehouse.orders where order_date < ' Today'",
        "a time that moves",
    ),
    "clock": (
        "select order_date::date as d from warehouse.orders where order_date < current_date",
        "differs from run to run",
    ),
    "union with parents": (
        (
            "select order_date::date as d from warehouse.orders "
            "union all select '2026-01-01'::date from warehouse.customers"
        ),
        "reads no partitioned table",
    ),
    "union of other columns": (
        (
            "select order_date::date as d, placed_at::date as e from warehouse.orders "
            "union select placed_at::date, order_date from warehouse.orders"
        ),
        "no column of the day in common",
    ),
    "rollup": (
        (
            "select order_date::date as d, count(*)::int as n from warehouse.orders "
            "group by rollup (order_date, status)"
        ),
        "rollup",
    ),
}

OTHER = {"mart/other.sql": "-- @partition order_date\nselect order_date from warehouse.orders"}


@pytest.mark.parametrize("title", KEPT)
def test_partition_is_kept_when_days_stand_apart(title: str, tmp_path: Path) -> None:
    catalogue = read(
        tmp_path, {**SHOP, **OTHER, "mart/m.sql": f"-- M.\n-- @partition d\n{KEPT[title]}\n"}
    )
    (table,) = (table for table in catalogue.layer("mart") if table.name == "m")
    assert table.partition == "d"


@pytest.mark.parametrize("title", REFUSED)
def test_partition_is_refused_when_days_may_mix(title: str, tmp_path: Path) -> None:
    select, reason = REFUSED[title]
    files = {**SHOP, **OTHER, "mart/m.sql": f"-- M.\n-- @partition d\n{select}\n"}
    (problem,) = refused(tmp_path, files)
    assert problem.startswith("mart/m.sql:")
    assert reason in problem
    assert "leave @partition out" in problem


def test_instant_stays_an_instant_through_a_cast(tmp_path: Path) -> None:
    select = f"-- @partition d\n{KEPT['the instant itself']}"
    catalogue = read(tmp_path, {**SHOP, "mart/m.sql": select})
    assert catalogue.layer("mart")[0].column("d").type.instant
