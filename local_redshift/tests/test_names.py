"""Which names a query sees, and columns without a type: what Redshift refuses is refused."""

from __future__ import annotations

from datetime import date

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

REFUSED = {
    # correlations that Amazon lists
    "select id from pairs p where not exists (select 1 from sales s where not exists "
    "(select 1 from later l where l.order_id = p.id))": "not the next one",
    "select id from pairs p where exists (select 1 from (select order_id from later where "
    "order_id = p.id) as x)": "not the next one",
    "select s.order_id from sales s left join later l on l.order_id = s.order_id and l.quantity = "
    "(select max(id) from pairs where id = l.order_id)": "outer join",
    "select order_id from sales s where quantity not in (select sum(id) over () from pairs p "
    "where p.id = s.order_id)": "window",
    # ON sees the tables since the last comma
    "select 1 from sales s, later l left join pairs p on p.id = s.order_id": "not in the FROM",
    # names
    "with a as (select 1 as x), a as (select 2 as x) select x from a": "more than once",
    "create table z (a integer, primary key (zz))": "zz",
    "create table z (a integer, unique (zz))": "zz",
    "select row_number() over (order by id rows unbounded preceding) from pairs": "frame",
    "select lag(id) over (order by id rows unbounded preceding) from pairs": "frame",
    # untyped columns
    "select s from (select 'all' as s) as d where s = 'all'": "untyped literal",
    "select s from (select 'all' as s) as d where s in ('all', 'b')": "untyped literal",
    "select s, count(*) from (select 'all' as s) as d group by s": "untyped literal",
    "with d as (select 'all' as s from pairs) select s, count(*) from d group by 1": "untyped",
    "select 1 from pairs join (select 'a' as s) as d on d.s = pairs.name": "untyped literal",
    "select s from (select null as s) as d where s = 'x'": "untyped null",
    # a table keeps no digits that are not certain
    "create table z as select round(2.345, 1) as r": "scale",
    "create view z as select sum(order_id) as n from sales": "precision",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_refused_by_name(reading: Engine, sql: str) -> None:
    with pytest.raises(RedshiftError, match=REFUSED[sql]):
        reading.execute(sql)


ANSWERS = {
    "select count(*) from sales s where exists (select 1 from later l where l.order_id = "
    "s.order_id)": [(2,)],
    "select count(*) from sales s, later l left join pairs p on p.id = l.order_id": [(8,)],
    "select count(*) from (select 1 as a where false) as e, later l right join pairs p "
    "on p.id = l.order_id": [(0,)],
    "select 'all' as s, count(*) from pairs group by 1": [("all", 3)],
    "select s, count(*) from (select 'all'::varchar(3) as s from pairs) as d group by s": [
        ("all", 3)
    ],
    "select id from pairs where id = 2 union all select null": [(2,), (None,)],
    "select null as a union all select id from pairs where id = 2": [(None,), (2,)],
    "select sold_on from sales where order_id = 1 union all select '2024-03-01'": [
        (date(2024, 1, 31),),
        (date(2024, 3, 1),),
    ],
    "select 'b' as a union all select name from pairs where id = 2": [("b",), ("a ",)],
    "select id + 1 from (select id from pairs union all select null) as d where id = 2": [(3,)],
}


@pytest.mark.parametrize("sql", ANSWERS)
def test_answers(reading: Engine, sql: str) -> None:
    assert reading.execute(sql).rows == ANSWERS[sql]


def test_a_literal_in_a_union_must_be_of_the_other_sides_type(reading: Engine) -> None:
    with pytest.raises(RedshiftError, match="Invalid digit"):
        reading.execute("select id from pairs union all select '1.5'")
