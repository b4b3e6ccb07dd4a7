"""Forms of queries: grouping sets, recursion, pivots, outer joins by (+), joins, set operations.

The tables and rows of the first tests are those of Amazon's pages of the clauses.
"""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

TABLES = (
    """create table orders (
        id int, product varchar(20), category varchar(20), pre_owned varchar(1), cost decimal)""",
    """insert into orders values
        (0, 'laptop', 'computers', 'T', 1000), (1, 'smartphone', 'cellphones', 'T', 800),
        (2, 'smartphone', 'cellphones', 'T', 810), (3, 'laptop', 'computers', 'F', 1050),
        (4, 'mouse', 'computers', 'F', 50)""",
    "create table part (manufacturer varchar, quality int, price decimal(12,2))",
    """insert into part values
        ('local', 2, 10.00), ('big', null, 9.00), ('small', 1, 12.00),
        ('local', 1, 2.50), ('big', 2, 3.75), ('small', null, 1.90),
        ('local', null, 7.50), ('big', 1, 15.20), ('small', null, 11.80)""",
    "create table colours (quality varchar, red int, green int, blue int)",
    "insert into colours values ('high', 15, 20, 7), ('normal', 35, null, 40), ('low', 10, 23, null)",
    "create table staff (id int, name varchar(20), manager_id int)",
    """insert into staff values
        (1, 'ann', null), (2, 'bob', 1), (3, 'cy', 1), (4, 'dee', 2), (5, 'eve', 4)""",
    "create table a (x int, y int)",
    "insert into a values (1, 10), (2, 20), (3, 30), (null, 40)",
    "create table b (x int, z int)",
    "insert into b values (1, 100), (2, 200), (4, 400)",
    "create table c (z int, w int)",
    "insert into c values (100, 7)",
    "create table blank (t varchar(5))",
    "insert into blank values ('k'), ('k ')",
)


@pytest.fixture(scope="module")
def shop() -> Iterator[Engine]:
    """An engine with the tables above; the tests only read."""
    with Engine() as made:
        for statement in TABLES:
            made.execute(statement)
        yield made


D = Decimal
ANSWERS: dict[str, list[tuple[Any, ...]]] = {
    # -- grouping sets: Amazon's own tables of results
    "select category, product, sum(cost) from orders group by grouping sets (category, product) "
    "order by 1, 2": [
        ("cellphones", None, D(1610)), ("computers", None, D(2100)), (None, "laptop", D(2050)),
        (None, "mouse", D(50)), (None, "smartphone", D(1610)),
    ],
    "select category, product, sum(cost) from orders group by rollup (category, product) "
    "order by 1, 2": [
        ("cellphones", "smartphone", D(1610)), ("cellphones", None, D(1610)),
        ("computers", "laptop", D(2050)), ("computers", "mouse", D(50)),
        ("computers", None, D(2100)), (None, None, D(3710)),
    ],
    "select category, product, grouping(category), grouping(category, product), sum(cost) "
    "from orders group by cube (category, product) order by 4, 1, 2": [
        ("cellphones", "smartphone", 0, 0, D(1610)), ("computers", "laptop", 0, 0, D(2050)),
        ("computers", "mouse", 0, 0, D(50)), ("cellphones", None, 0, 1, D(1610)),
        ("computers", None, 0, 1, D(2100)), (None, "laptop", 1, 2, D(2050)),
        (None, "mouse", 1, 2, D(50)), (None, "smartphone", 1, 2, D(1610)),
        (None, None, 1, 3, D(3710)),
    ],
    "select pre_owned, category, grouping_id(category, pre_owned) as g, sum(cost) from orders "
    "group by pre_owned, rollup (category) order by 3, 1, 2": [
        ("F", "computers", 0, D(1100)), ("T", "cellphones", 0, D(1610)),
        ("T", "computers", 0, D(1000)), ("F", None, 2, D(1100)), ("T", None, 2, D(2610)),
    ],
    "select count(*) from (select 1 from orders group by cube (category, product), "
    "grouping sets (pre_owned, ()))": [(22,)],
    "select upper(category), count(*) from orders group by rollup (1) order by 1": [
        ("CELLPHONES", 2), ("COMPUTERS", 3), (None, 5),
    ],
    "select pre_owned, category || '!' as c, sum(cost) from orders group by all order by 1, 2": [
        ("F", "computers!", D(1100)), ("T", "cellphones!", D(1610)), ("T", "computers!", D(1000)),
    ],
    # -- recursion
    "with recursive n(i) as (select 1 union all select i + 1 from n where i < 5) "
    "select max(i), count(*) from n": [(5, 5)],
    "with recursive org(id, name, level) as (select id, name, 1 from staff where name = 'bob' "
    "union all select s.id, s.name, level + 1 from staff s, org o where s.manager_id = o.id), "
    "plain as (select 1 as one) select name, level + one - 1 from org, plain order by 2": [
        ("bob", 1), ("dee", 2), ("eve", 3),
    ],
    # -- pivots: Amazon's own
    "select * from (select quality, manufacturer from part) pivot (count(*) for quality in "
    "(1, 2, null)) order by 1": [("big", 1, 1, 1), ("local", 1, 1, 1), ("small", 1, 0, 2)],
    "select low_s, na_s from (select quality, price from part) pivot (sum(price) as s for quality "
    "in (2 as low, null as na)) as p": [(D("13.75"), D("30.20"))],
    "select p.one from (select quality, price, manufacturer from part) pivot (max(price) for "
    "quality in (1 as one, 9 as nine)) p where p.nine is null order by 1": [
        (D("2.50"),), (D("12.00"),), (D("15.20"),),
    ],
    "select * from colours unpivot (cnt for colour in (red as r, green, blue)) order by 2, 3": [
        ("high", "blue", 7), ("normal", "blue", 40), ("high", "green", 20), ("low", "green", 23),
        ("low", "r", 10), ("high", "r", 15), ("normal", "r", 35),
    ],
    "select count(*), count(cnt) from (select red, green, blue from colours) unpivot include nulls "
    "(cnt for colour in (red, green, blue)) as u": [(9, 7)],
    # -- (+)
    "select a.x, z from a, b where a.x = b.x(+) order by 1": [
        (1, 100), (2, 200), (3, None), (None, None),
    ],
    "select a.x, z from a, b where b.x = a.x(+) order by 2": [(1, 100), (2, 200), (None, 400)],
    "select y, z from a, b where a.x = b.x(+) and b.z(+) > 100 and y < 40 order by 1": [
        (10, None), (20, 200), (30, None),
    ],
    "select y, w from a, b, c where a.x = b.x(+) and b.z = c.z(+) order by 1": [
        (10, 7), (20, None), (30, None), (40, None),
    ],
    "select count(*) from a one, a two where one.x(+) = two.x + 1": [(4,)],
    # -- joins
    "select * from a natural join b order by 1": [(1, 10, 100), (2, 20, 200)],
    "select * from a natural full join b order by 1, 2": [
        (1, 10, 100), (2, 20, 200), (3, 30, None), (4, None, 400), (None, 40, None),
    ],
    "select count(*) from a natural join c": [(4,)],  # no common column: a cross join
    "select count(*) from a cross join b": [(12,)],
    "select x, y, z from a join b using (x) where x = 2": [(2, 20, 200)],
    "select count(*) from (select x from a minus select x from b)": [(2,)],
    "select s from (select sum(y) as s from a), b where b.x = 1": [(100,)],
    "select a.x, b.z, c.w from a left join (b join c on b.z = c.z) on a.x = b.x order by 1": [
        (1, 100, 7), (2, None, None), (3, None, None), (None, None, None),
    ],
    "select count(*) from (a cross join b) join c on b.z = c.z": [(4,)],
    "select x, w from (a join b using (x)) left join c using (z) order by x": [(1, 7), (2, None)],
    # -- subqueries in conditions
    "select x from a where x = any (select x from b) order by 1": [(1,), (2,)],
    "select x from a where x = some (select b.x from b where b.z = a.y * 10)": [(1,), (2,)],
    "select x from a where x <> all (select x from b)": [(3,)],
    # -- set operations: intersect binds before union and except
    "select 1 union select 2 intersect select 3": [(1,)],
    "(select 1 union select 3) intersect select 3": [(3,)],
    "select x from a except select x from b where x = 1 order by x limit 1": [(2,)],
    "(select x from a union select x from b) order by 1 desc limit 2 offset 1": [(4,), (3,)],
    # -- counts of rows
    "select top 2 x from a order by x": [(1,), (2,)],
    "select x from a order by x limit all offset 2": [(3,), (None,)],
    "select count(distinct t) from blank where t = 'k' and t <> 'k '": [(0,)],
}  # fmt: skip


@pytest.mark.parametrize("sql", ANSWERS)
def test_answers(shop: Engine, sql: str) -> None:
    assert shop.execute(sql).rows == ANSWERS[sql]


NAMES = {
    "select * from (select quality, manufacturer from part) pivot (count(*) for quality in "
    "(1, null))": ("manufacturer", "1", "null"),
    "select * from (select quality, price from part) pivot (min(price) as m for quality in "
    "(1 as high))": ("high_m",),
    "select * from colours unpivot (cnt for colour in (red, green))": (
        "quality", "blue", "colour", "cnt",
    ),
    "select * from a natural join b": ("x", "y", "z"),
    "select grouping(x) from a group by rollup (x)": ("grouping",),
}  # fmt: skip


@pytest.mark.parametrize("sql", NAMES)
def test_names_of_columns(shop: Engine, sql: str) -> None:
    assert shop.execute(sql).columns == NAMES[sql]


REJECTED = {
    "select grouping(id) from orders group by category": ("42803", "grouping expressions"),
    "select x, count(*) over () from a group by all": ("0A000", "window"),
    "select count(*) from a group by all": ("0A000", "leave GROUP BY out"),
    "select * from a group by all": ("0A000", "star"),
    "select x from a group by (x, y)": ("0A000", "brackets"),
    "with recursive n as (select 1 as i union all select i + 1 from n) select i from n": (
        "42601", "list of columns",
    ),
    "with recursive n(i) as (select 1 union select i + 1 from n) select i from n": (
        "0A000", "UNION ALL",
    ),
    "with recursive n(i) as (select 1 union all select i + 1::bigint from n) select i from n": (
        "0A000", "integer in the first part and bigint",
    ),
    "with recursive n(i) as (select 'a' union all select i from n) select i from n": (
        "0A000", "untyped literal",
    ),
    "with recursive n(i) as (select 1 union all select max(i) from n) select i from n": (
        "42803", "aggregate",
    ),
    "with recursive n(i) as (select 1 union all select n.i from a left join n on n.i = a.x) "
    "select i from n": ("0A000", "outer join"),
    "with recursive n(i) as (select 1 union all select one.i from n one, n two) select i from n": (
        "0A000", "once",
    ),
    "select * from (with recursive n(i) as (select 1 union all select i from n) select i from n)": (
        "0A000", "subquery",
    ),
    "with n(i) as (select 1 union all select i + 1 from n) select i from n": ("42P01", '"n"'),
    "select * from part pivot (sum(price) for quality in ('FR')) p": ("0A000", "alias"),
    "select * from part pivot (sum(price) for quality in (1 + 1)) p": ("0A000", "alias"),
    "select * from part pivot (stddev(price) for quality in (1)) p": ("0A000", "PIVOT"),
    "select * from part pivot (sum(price) for quality in (select 1)) p": ("0A000", ""),
    "select * from colours unpivot (n for c in (quality, red))": ("0A000", "one type"),
    "select a.x from a, b where a.x = b.x(+) or a.x = 1": ("0A000", "operand of OR or IN"),
    "select a.x from a, b where a.x = b.x(+) and a.y = b.z": ("0A000", "without a warning"),
    "select a.x from a join b on a.x = b.x, c where b.z = c.z(+)": ("0A000", "beside joins"),
    "select 1 from a, b, c where b.x(+) = a.x and b.z(+) = c.z": ("0A000", "at most one"),
    "select 1 from a, b where a.x(+) = b.x and a.x = b.x(+)": ("0A000", "ring"),
    "select x(+) from a": ("0A000", "join mark"),
    "select 1 from a join b": ("42601", "end of input"),
    "select 1 from a left join b where a.x = 1": ("42601", '"where"'),
    "select 1 from a join b, c": ("42601", '","'),
    "select (select count(*) from a join b) from c": ("42601", '")"'),
    "select 1 from a join (b join c on a.x = b.x) on true": ("42P01", '"a"'),
    "select 1 from a join (b join c on b.z = c.z) as q on true": ("0A000", "alias"),
    "select 1 from a, (b join c on b.z = c.z) where a.x = b.x(+)": ("0A000", "beside joins"),
    "select x from a where x > all (select x from b)": ("0A000", "min() or max()"),
    "(select x from a limit 1) union select 2": ("0A000", "LIMIT may not be used"),
    "select 1 except all select 1": ("0A000", "EXCEPT ALL"),
    "select * from (values (1, 2)) as t": ("0A000", "values"),
    # a text that ends in blanks is told apart from none: which of them is shown is not documented
    "select t, count(*) from blank group by t": ("0A000", "rtrim"),
    "select t from blank group by rollup (t)": ("0A000", "rtrim"),
    "select distinct t from blank": ("0A000", "rtrim"),
    "select t from blank union select 'k'": ("0A000", "rtrim"),
    "select t, count(*) from blank group by t having count(*) > 5": ("0A000", "rtrim"),
    "select t, rank() over (order by t) from blank group by t": ("0A000", "rtrim"),
    "select x from a where exists (select 1 from b where b.x = a.x(+))": ("0A000", "query around"),
    "select x from a limit -1": ("0A000", "literal"),
    # in Redshift's words
    "select sum(sum(x)) from a": ("42803", "aggregate function calls may not have nested"),
    "select x from a where sum(x) > 1": ("42803", "aggregates not allowed in WHERE clause"),
    "select x, y from a group by x": ("42803", 'column "y" must appear in the GROUP BY clause or'),
}  # fmt: skip


@pytest.mark.parametrize("sql", REJECTED)
def test_rejected_or_refused_by_name(shop: Engine, sql: str) -> None:
    code, text = REJECTED[sql]
    with pytest.raises(RedshiftError) as raised:
        shop.execute(sql)
    assert (raised.value.code, text in raised.value.message) == (code, True), raised.value.message


def test_texts_with_blanks_at_their_end_are_told_apart_where_nobody_sees_which(
    shop: Engine,
) -> None:
    assert shop.execute("select count(distinct t) from blank").rows == [(1,)]
    rows = shop.execute("select count(*) over (partition by t) from blank").rows
    assert rows == [(2,), (2,)]
    # Of one text there is no doubt, whatever its end.
    rows = shop.execute(
        "select t, x, count(*) from blank, a where len(t) = 2 group by t, x order by x"
    )
    assert [(t, count) for t, _, count in rows.rows] == [("k ", 1)] * len(rows.rows)
    sql = "select t || '!', count(*) from blank where len(t) = 2 group by 1"
    assert shop.execute(sql).rows == [("k !", 1)]
    sql = "select x from a where x in (select max(x) from a where a.x > 0 group by y)"
    assert shop.execute(sql).rows


def test_texts_without_blanks_at_their_end_are_grouped(shop: Engine) -> None:
    rows = shop.execute("select rtrim(t) as t, count(*) from blank group by 1").rows
    assert rows == [("k", 2)]
    assert shop.execute("select distinct rtrim(t) from blank").rows == [("k",)]
    assert shop.execute("select rtrim(t) from blank union select 'k'").rows == [("k",)]


def test_a_grouped_text_is_cut_to_fewer_bytes(shop: Engine) -> None:
    sql = "select category::varchar(4) as short, count(*) from orders group by category order by 1"
    assert shop.execute(sql).rows == [("cell", 2), ("comp", 3)]


@pytest.mark.parametrize("length", range(1, 12))
def test_a_cut_text_ends_with_a_whole_character(shop: Engine, length: int) -> None:
    text = "a\u00e9\ud55c\U0001f600b"
    (row,) = shop.execute(f"select '{text}'::varchar(40)::varchar({length})").rows
    assert row == (text.encode()[:length].decode(errors="ignore"),)
