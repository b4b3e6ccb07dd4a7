"""What Redshift answers, by its documentation: the local one answers the same, in value and in type."""

from __future__ import annotations

from datetime import date, datetime, timezone
from decimal import Decimal
from typing import Any

import pytest

from local_redshift.session.engine import Engine

D = Decimal
# title: (expression or select, value of the first row, type; None: not judged)
ANSWERS: dict[str, tuple[str, Any, str | None]] = {
    # numbers
    "integers divide to integers": ("7 / 2", 3, "integer"),
    "a negative quotient is cut towards zero": ("-7 / 2", -3, "integer"),
    "columns divide to integers": (
        "select quantity / 2 from sales where order_id = 1",
        3,
        "integer",
    ),
    "smallint and integer make integer": ("2::smallint * 3", 6, "integer"),
    "smallints stay smallint": ("2::smallint * 3::smallint", 6, "smallint"),
    "integer and bigint make bigint": ("2 + 3::bigint", 5, "bigint"),
    "a large literal is bigint": ("3000000000", 3_000_000_000, "bigint"),
    "remainder": ("mod(7, 3) + 7 % 3", 2, "integer"),
    "decimals add up": ("1.10 + 2.205", D("3.305"), "decimal(5,3)"),
    "decimals multiply": (
        "select total * 1.2 from sales where order_id = 1",
        D("12.600"),
        "decimal(15,3)",
    ),
    "a decimal and an integer divide as decimals": (
        "10.50::decimal(12,2) / 3",
        D("3.5"),
        "decimal(23,13)",
    ),
    "the documented example of scale": (
        "9.00::decimal(8,2) / 3.00::decimal(8,2)",
        D("3.000000000"),
        "decimal(17,9)",
    ),
    "a rounded quotient is certain": ("round(2.0 / 3, 2)", D("0.67"), None),
    "a quotient cast at once is certain": ("(2.0 / 3)::decimal(5,2)", D("0.67"), "decimal(5,2)"),
    "a quotient cut and rounded alike is certain": (
        "1.0 / 3",
        D("0.333333333333"),
        "decimal(13,12)",
    ),
    "percentages": ("round(100.0 * 2 / 3, 1)", D("66.7"), None),
    "a decimal rounds half away from zero": ("round(2.5::decimal(5,1))", D("3.0"), "decimal(6,1)"),
    "decimal to integer rounds": ("2.5::decimal(3,1)::integer", 3, "integer"),
    "decimal to fewer places rounds": ("1.235::decimal(5,2)", D("1.24"), "decimal(5,2)"),
    "trunc cuts": ("trunc(2.789, 2)", D("2.780"), "decimal(4,3)"),
    "ceil and floor": ("ceil(1.2) + floor(1.8)", D(3), None),
    "bits": ("5 & 3 | 8", 9, "integer"),
    "powers": ("power(2, 3)", 8.0, "double"),
    "sign and abs": ("sign(-3) * abs(-4)", -4, "integer"),
    "greatest leaves NULL out": ("greatest(1, null, 3)", 3, "integer"),
    "least leaves NULL out": ("least(1, null, 3)", 1, "integer"),
    "text that is a number": ("'12' + 3", 15, "integer"),
    # text
    "|| with NULL is NULL": ("'a' || null", None, None),
    "concat with NULL is NULL": ("concat('a', null)", None, None),
    "|| takes numbers": ("'n' || 12 || 'm'", "n12m", None),
    "|| of many": (
        "upper('a') || '|' || 1::int || '' || (0.5::decimal(2, 2) || '!') || lower('É') || 'x'",
        "A|10.50!éx",
        None,
    ),
    "|| of many with NULL is NULL": (
        "upper('a') || 1::int || null::varchar || 2::int || lower('B')",
        None,
        None,
    ),
    "a || of many that is long": (
        "len(repeat('x', 65000) || repeat('y', 535) || upper('') || lower('') || trim(' '))",
        65535,
        None,
    ),
    "characters are counted": ("len('héé')", 3, "integer"),
    "bytes are counted": ("octet_length('é')", 2, "integer"),
    "blanks at the end of varchar count in len": ("len('ab '::varchar(5))", 3, "integer"),
    "blanks at the end do not count in comparisons": ("'a'::varchar(5) = 'a  '", True, "boolean"),
    "blanks at the end do not count in IN": (
        "select count(*) from pairs where name in ('a', 'c')",
        2,
        "bigint",
    ),
    "a cast cuts to characters that fit in bytes": ("'abcdef'::varchar(3)", "abc", "varchar(3)"),
    "a cast to fewer bytes keeps NULL": ("null::varchar(9)::varchar(3)", None, "varchar(3)"),
    "no half characters": ("'한글'::varchar(4)", "한", "varchar(4)"),
    "left and right": ("left('abc', 2) || right('abc', 1)", "abc", None),
    "substring from the start": ("substring('abcdef' from 2 for 3)", "bcd", None),
    "substring from before the start": ("substring('caterpillar', 0, 4)", "cat", None),
    "substring from far before the start": ("substring('caterpillar', -2, 4)", "c", None),
    "trim both": ("trim(both 'x' from 'xax') || btrim('xxbxx', 'x')", "ab", None),
    "ltrim and rtrim": ("ltrim(' a ') || rtrim(' b ')", "a  b", None),
    "lpad": ("lpad('7', 3, '0') || lpad('7', 2)", "007 7", None),
    "split_part": ("split_part('a-b-c', '-', 2)", "b", None),
    "positions": ("charindex('b', 'abc') * 10 + strpos('abc', 'c')", 23, "integer"),
    "position in": ("position('c' in 'abc')", 3, "integer"),
    "replace": ("replace('aa', 'a', 'bc')", "bcbc", None),
    "translate": ("translate('mint tea', 'inea', 'osin')", "most tin", None),
    "reverse and repeat": ("reverse('ab') || repeat('x', 2)", "baxx", None),
    "chr and ascii": ("chr(65) || ascii('A')", "A65", None),
    "upper and lower": ("upper('é') || lower('Ä')", "Éä", None),
    "md5": ("md5('abc')", "900150983cd24fb0d6963f7d28e17f72", "varchar(32)"),
    "sha1": ("sha1('abc')", "a9993e364706816aba3e25717850c26c9cd0d89d", None),
    "sha2": (
        "sha2('abc', 256)",
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
        None,
    ),
    "strtol": ("strtol('ff', 16)", 255, "bigint"),
    "a digest's first 60 bits": ("strtol(left(md5('abc'), 15), 16)", 0x900150983CD24FB, "bigint"),
    "like": ("select count(*) from sales where status like 'pa%'", 2, "bigint"),
    "like sees blanks": ("'abc ' like 'abc'", False, "boolean"),
    "like with escape": ("'50%' like '50!%' escape '!'", True, "boolean"),
    "not like": ("'b' not like 'a%'", True, "boolean"),
    "ilike": ("'PAID' ilike 'pa%'", True, "boolean"),
    "posix match": ("select count(*) from sales where status ~ '^(paid|new)$'", 3, "bigint"),
    "posix no match, any case": ("select count(*) from sales where status !~* '^PA'", 2, "bigint"),
    "regexp_replace replaces all": ("regexp_replace('a1b22', '[0-9]+', '#')", "a#b#", None),
    "regexp_substr": ("regexp_substr('ab-123-cd', '[0-9]+')", "123", None),
    "regexp_count": ("regexp_count('a1b2', '[0-9]')", 2, "integer"),
    # choices
    "nvl": ("nvl(null, null, 3)", 3, "integer"),
    "nvl2": ("select nvl2(total, 'y', 'n') from sales where order_id = 4", "n", None),
    "decode": ("decode('new', 'paid', 1, 'new', 2, 0)", 2, "integer"),
    "decode finds NULL": (
        "select decode(country, null, 'none', 'some') from sales where order_id = 4",
        "none",
        None,
    ),
    "nullif and coalesce": ("coalesce(nullif('', ''), 'z')", "z", None),
    "case": ("case when 1 > 2 then 1 else 2.5 end", D("2.5"), "decimal(11,1)"),
    "case with a subject": ("case 'a ' when 'a' then 'same' end", "same", None),
    "an empty text is not NULL": ("'' is null", False, "boolean"),
    "is true": ("null::boolean is true", False, "boolean"),
    "words of booleans": ("'yes'::boolean", True, "boolean"),
    "boolean to integer": ("true::int", 1, "integer"),
    # days and moments
    "adding a month stays in the month": (
        "dateadd(month, 1, '2024-01-31'::date)",
        datetime(2024, 2, 29),
        "timestamp",
    ),
    "adding to text": (
        "dateadd(hour, 2, '2024-01-01 10:00:00')",
        datetime(2024, 1, 1, 12),
        "timestamp",
    ),
    "add_months keeps the last day": (
        "add_months('2024-02-29'::date, 1)",
        datetime(2024, 3, 31),
        "timestamp",
    ),
    "datediff counts boundaries": (
        "datediff(month, '2024-01-31'::date, '2024-02-01'::date)",
        1,
        "bigint",
    ),
    "datediff of hours": (
        "datediff('hour', '2024-01-01 10:59:00'::timestamp, '2024-01-01 11:00:00'::timestamp)",
        1,
        "bigint",
    ),
    "date_trunc gives a timestamp": (
        "date_trunc('month', '2024-02-10'::date)",
        datetime(2024, 2, 1),
        "timestamp",
    ),
    "weeks begin on Monday": (
        "date_trunc('week', '2024-02-11'::timestamp)",
        datetime(2024, 2, 5),
        "timestamp",
    ),
    "trunc of a timestamp is its day": (
        "trunc('2024-02-10 11:12:13'::timestamp)",
        date(2024, 2, 10),
        "date",
    ),
    "Sunday is 0": ("date_part(dow, '2024-02-11'::date)", 0.0, "double"),
    "ISO weeks": ("extract(week from '2024-12-30'::date)", 1, "integer"),
    "epoch": ("extract(epoch from '2024-01-01'::date)", 1_704_067_200, "bigint"),
    "last_day": ("last_day('2024-02-10'::date)", date(2024, 2, 29), "date"),
    "days add": ("'2024-02-28'::date + 2", date(2024, 3, 1), "date"),
    "days subtract": ("'2024-03-01'::date - '2024-02-01'::date", 29, "integer"),
    "intervals": (
        "'2024-01-01'::timestamp + interval '3 days' - interval '1 hour'",
        datetime(2024, 1, 3, 23),
        "timestamp",
    ),
    "zones": (
        "convert_timezone('Asia/Seoul', '2024-07-01 20:00:00'::timestamp)",
        datetime(2024, 7, 2, 5),
        "timestamp",
    ),
    "zones, both given": (
        "convert_timezone('Europe/Paris', 'UTC', '2024-07-01 12:00:00')",
        datetime(2024, 7, 1, 10),
        "timestamp",
    ),
    "timestamptz is in UTC": (
        "select seen_at from sales where order_id = 1",
        datetime(2024, 1, 31, 10, 15, 30, tzinfo=timezone.utc),
        "timestamptz",
    ),
    "to_char": (
        "to_char('2024-02-10 15:04:05.000006'::timestamp, 'YYYY-MM-DD HH24:MI:SS.US')",
        "2024-02-10 15:04:05.000006",
        None,
    ),
    "to_char with signs of all kinds": (
        """to_char('2024-02-10 15:04:05'::timestamp, 'YYYY%% "it''s %H" Q%MI%')""",
        "2024%% it's %H 1%04%",
        None,
    ),
    "to_char of names and quarters": (
        "to_char('2024-02-10'::date, 'Dy DD Mon \"Q\"Q')",
        "Sat 10 Feb Q1",
        None,
    ),
    "to_date": ("to_date('20240210', 'YYYYMMDD')", date(2024, 2, 10), "date"),
    "dates are compared with text": (
        "select count(*) from sales where sold_on >= '2024-02-01' and placed_at < '2024-12-01'",
        1,
        "bigint",
    ),
    "between": (
        "select count(*) from sales where sold_on between '2024-01-01' and '2024-02-29'",
        2,
        "bigint",
    ),
    # aggregates
    "count": ("select count(*) from sales", 4, "bigint"),
    "count distinct": ("select count(distinct customer_id) from sales", 2, "bigint"),
    "sum of integers": ("select sum(quantity) from sales", 12, "bigint"),
    "sum of bigints": ("select sum(order_id) from sales", D(10), "decimal(38,0)"),
    "sum of decimals": ("select sum(total) from sales", D("35.75"), "decimal(38,2)"),
    "sum of nothing": ("select sum(total) from sales where order_id > 9", None, "decimal(38,2)"),
    "avg of integers is cut": ("select avg(quantity) from sales where order_id < 3", 4, "bigint"),
    "avg of decimals keeps the scale": (
        "select avg(total) from sales where order_id <> 2",
        D("7.75"),
        "decimal(38,2)",
    ),
    "avg of nothing": ("select avg(quantity) from sales where order_id > 9", None, "bigint"),
    "avg of floats": ("select avg(rate) from sales", 1.5, "double"),
    "min and max": ("select max(sold_on) from sales", date(2024, 12, 31), "date"),
    "bool_or": ("select bool_or(status = 'new') from sales", True, "boolean"),
    "listagg": (
        (
            "select listagg(status, ',') within group (order by order_id desc) from sales"
            " where order_id < 4"
        ),
        "new,paid,paid",
        None,
    ),
    "listagg distinct": (
        "select listagg(distinct status, '|') within group (order by status) from sales",
        "new|paid|refund",
        None,
    ),
    "median of floats": ("select median(rate) from sales", 1.5, "double"),
    "stddev": ("select round(stddev_samp(rate), 3) from sales", 1.0, "double"),
    # windows
    "row_number": (
        (
            "select order_id from sales qualify row_number() over (partition by customer_id"
            " order by placed_at desc) = 1 order by 1 limit 1"
        ),
        2,
        "bigint",
    ),
    "a frame": (
        (
            "select sum(quantity) over (order by order_id rows between 1 preceding and current row)"
            " from sales where order_id < 4 order by order_id desc limit 1"
        ),
        5,
        "bigint",
    ),
    "lag": (
        (
            "select lag(total) ignore nulls over (order by order_id) from sales order by"
            " order_id desc limit 1"
        ),
        D("5.00"),
        "decimal(12,2)",
    ),
    "last_value": (
        (
            "select last_value(total ignore nulls) over (order by order_id rows between unbounded"
            " preceding and unbounded following) from sales limit 1"
        ),
        D("5.00"),
        "decimal(12,2)",
    ),
    "ntile": (
        "select ntile(2) over (order by order_id) from sales order by 1 limit 1",
        1,
        "bigint",
    ),
    "ratio_to_report": (
        (
            "select ratio_to_report(quantity) over (partition by customer_id) from sales"
            " where order_id = 3"
        ),
        1.0,
        "double",
    ),
    # queries
    "NULL is the highest": ("select quantity from sales order by quantity limit 1", 2, "integer"),
    "NULL is first in descending order": (
        "select quantity from sales order by quantity desc limit 1",
        None,
        None,
    ),
    "NULL is last in a window": (
        "select order_id from sales qualify row_number() over (order by quantity) = 4",
        4,
        "bigint",
    ),
    "labels in the same list": (
        (
            "select q + 1 from (select quantity * 2 as q, q + 1 as r from sales where"
            " order_id = 1) as t"
        ),
        15,
        "integer",
    ),
    "a column hides a label": (
        (
            "select b from (select quantity + 1 as quantity, quantity as b from sales where"
            " order_id = 1) as t"
        ),
        7,
        "integer",
    ),
    "group by label, place and column": (
        (
            "select date_trunc('year', sold_on) as y, country, count(*) from sales group by"
            " y, 2 order by 3 desc"
        ),
        datetime(2024, 1, 1),
        "timestamp",
    ),
    "having": (
        "select country from sales group by country having count(*) > 1",
        "FR",
        "varchar(10)",
    ),
    "top": ("select top 1 order_id from sales order by order_id desc", 4, "bigint"),
    "limit and offset": (
        "select order_id from sales order by order_id limit 1 offset 1",
        2,
        "bigint",
    ),
    "with, and a name that is also a table's": (
        "with sales as (select order_id from sales where order_id > 2) select count(*) from sales",
        2,
        "bigint",
    ),
    "union joins types": (
        "select max(x) from (select 1 as x union all select 2.5) as t",
        D("2.5"),
        "decimal(11,1)",
    ),
    "minus": (
        "select count(*) from (select order_id from sales minus select order_id from later) as t",
        2,
        "bigint",
    ),
    "intersect": (
        (
            "select count(*) from (select order_id from sales intersect select order_id from"
            " later) as t"
        ),
        2,
        "bigint",
    ),
    "left join": (
        (
            "select count(*) from sales left join later on sales.order_id = later.order_id"
            " where later.order_id is null"
        ),
        2,
        "bigint",
    ),
    "join using": ("select count(order_id) from sales join later using (order_id)", 2, "bigint"),
    "full join using": (
        "select min(order_id) from later full join sales using (order_id)",
        1,
        "bigint",
    ),
    "join on text": (
        "select count(*) from pairs as a join pairs as b on a.name = b.name",
        5,
        "bigint",
    ),
    "in a query": (
        "select count(*) from sales where order_id in (select order_id from later)",
        2,
        "bigint",
    ),
    "not exists": (
        (
            "select count(*) from sales as s where not exists (select 1 from later as l"
            " where l.order_id = s.order_id)"
        ),
        2,
        "bigint",
    ),
    "a correlated value": (
        (
            "select (select max(l.total) from later as l where l.order_id = s.order_id) from"
            " sales as s where order_id = 3"
        ),
        D("5.00"),
        "decimal(12,2)",
    ),
    "except some columns": (
        "select * exclude (id) from pairs order by name limit 1",
        "a",
        "varchar(5)",
    ),
    "distinct": ("select count(*) from (select distinct country from sales) as t", 3, "bigint"),
    "names are folded": ('select "ORDER_ID" from SALES order by Order_Id limit 1', 1, "bigint"),
    "quotes in text": ("'it''s'", "it's", None),
}


@pytest.mark.parametrize("title", ANSWERS)
def test_answer_is_redshifts(title: str, reading: Engine) -> None:
    sql, value, type_ = ANSWERS[title]
    result = reading.execute(sql if sql.startswith(("select", "with")) else f"select {sql}")
    found = result.rows[0][0]
    assert (found, type(found)) == (value, type(value))
    assert type_ is None or result.types[0] == type_


LABELS = {
    "select count(*), sum(quantity) from sales": ("count", "sum"),
    "select 1, 'a', 1 + 1": ("?column?", "?column?", "?column?"),
    "select quantity::bigint, 1::bigint, count(*)::int from sales group by 1": (
        "quantity", "int8", "count",
    ),
    "select date '2024-01-31'::timestamp, '1'::int::bigint, (1::int)::text, quantity::int::bigint "
    "from sales": ("timestamp", "int8", "varchar", "quantity"),
    "select case when true then 1 end, coalesce(1, 2), extract(year from '2024-01-01'::date)": (
        "case", "coalesce", "date_part",
    ),
    'select status as "Big Name", s.* from (select 1 as x) as s, sales': ("big name", "x"),
}  # fmt: skip


@pytest.mark.parametrize("sql", LABELS)
def test_columns_are_labelled_as_redshift_does(sql: str, reading: Engine) -> None:
    assert reading.execute(sql).columns == LABELS[sql]


def test_clocks_stand_still_within_a_statement_and_a_transaction(engine: Engine) -> None:
    now, again, today = engine.execute("select getdate(), getdate(), current_date").rows[0]
    assert now == again
    assert now.microsecond == 0
    assert today == now.date()
    engine.begin()
    first = engine.execute("select sysdate").rows
    assert engine.execute("select sysdate").rows == first
