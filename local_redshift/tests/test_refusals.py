"""What has no rule is refused by name, and what Redshift rejects is rejected: nothing passes by chance."""

from __future__ import annotations

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

# statement: what the refusal must name
REFUSED = {
    "select sold_on at time zone 'UTC' from sales": "date at time zone",
    "select datediff(week, '2024-01-06', '2024-01-07')": "week",
    "select to_char(1234.5, '9.99EEEE')": "9.99EEEE",
    "select to_char(sold_on, 'YYYY-RM') from sales": "'R'",
    "select to_number('12.3', '9')": "12.3",
    "select to_timestamp('2024', 'YY')": "YY",
    "select '2024-01-01'::timestamp + interval '1.5 months'": "fraction of a month",
    "select json_extract_path_text('{\"a\": {\"b\": 1}}', 'a')": "blanks",
    "select json_extract_path_text('{\"a\":null}', 'a')": "JSON null",
    "select json_extract_path_text('', 'a')": "empty text",
    "select distinct s from (select json_parse('[1]') as s) as t": "select distinct of a super",
    "select json_parse('[1]') union select json_parse('[1]')": "union of a super",
    "select count(distinct s) from (select json_parse('[1]') as s) as t": "super",
    "select max(s) from (select json_parse('[1]') as s) as t": "super",
    "select s from (select json_parse('[1]') as s) as t order by s": "super",
    "select rank() over (partition by s order by 1) from (select json_parse('1') as s) as t": "super",
    'select s.a::int from (select json_parse(\'{"a":"5"}\') as s) as t': "JSON string",
    "select s.a::int from (select json_parse('{\"a\":1.5}') as s) as t": "JSON number",
    'select s.a::varchar(2) from (select json_parse(\'{"a":"abc"}\') as s) as t': "longer",
    "select json_parse('1.50')": "zeros",
    "select json_parse('{\"a\":1}') = json_parse('{\"a\":1}')": "super",
    "select convert_timezone('+09:00', placed_at) from sales": "+09:00",
    "select percentile_disc(0.5) within group (order by quantity) from sales": "percentile_disc",
    "select regexp_substr('ab', 'a|ab')": "a|ab",
    "select median(total) from sales where order_id < 3": "more than 2 places",
    "select percentile_cont(0.333) within group (order by quantity) from sales": "more than 1 places",
    "select regexp_replace('ab', '(a|b)', '$1')": "(a|b)",
    "select regexp_replace('ab', '(a)', '$2')": "$2",
    "select regexp_substr('ab', '^a', 2)": "^",
    "select regexp_instr('ab', 'a', 1, 2)": "occurrence",
    "select 'a' similar to '(a'": "(a",
    "select fnv_hash(null::varchar(1))": "fnv_hash of NULL",
    "select try_cast(1 as varchar(3))": "try_cast",
    "select approximate sum(quantity) from sales": "approximate",
    "select round(2.5::float8, -1)": "double",
    "select '05 Jan 2024'::date": "05 Jan 2024",
    "select status::date from sales": "another form",
    "select 'now'::timestamp": "now",
    "select charindex('', 'abc')": "empty text",
    "select power(-8, 0.5)": "not whole",
    "select 2 ^ 3": "^",
    "select regexp_count('abc', '')": "empty text",
    "select regexp_replace('abc', 'x*', '-')": "empty text",
    "select regexp_substr('abc', '[0-9]?', 1, 2)": "empty text",
    "select to_char(-5, 'SG9')": "SG9",
    "select @ -5": "@",
    "select sha2('a', 128)": "128",
    "select farmfingerprint64('abc')": "farmfingerprint64",
    "select hll(customer_id) from sales": "hll",
    "select width_bucket(5.0, 0, 10, 5)": "width_bucket",
    "select note::super from sales": "super",
    "select rate::int from sales": "double to integer",
    "select 1e5": "1e5",
    "select count(*) from generate_series(1, 5)": "generate_series",
    "select * from sales tablesample (10)": "sample",
    "select sum(quantity) filter (where is_gift) from sales": "filter",
    "select distinct on (country) order_id from sales": "on in distinct",
    "select e'a\\n'": "begins with E",
    "select 'a\\101'": "escape",
    "select typeof(1)": "typeof",
    "select list_value(1)": "list_value",
    "select sum(quantity) over (order by order_id range unbounded preceding) from sales": "range",
    "select current_timestamp from sales": "current_timestamp",
    "create table t as select current_timestamp": "current_timestamp",
    "select 3.5 % 2": "%",
    "select status || is_gift from sales": "boolean",
    "select (note || repeat('x', 300))::text from sales": "256 bytes",
    "select (rate * 0)::varchar(20) from sales": "text of a float",
    "select sold_on = status from sales": "date and varchar",
    "select case when true then 1 else status end from sales": "integer and varchar",
    "select 1::decimal(38,20) * 1::decimal(38,20)": "38 digits",
    "select * from other.public.sales": "another database",
    "unload ('select ''a''::char(3) as a') to 's3://b/o/' iam_role default": "char column a",
    "create external schema s from data catalog database 'x' iam_role 'r'": "external",
    "create or replace procedure p() as $$ begin end; $$ language plpgsql": "create or replace",
    "create function f(float) returns float stable as $$ select $1 $$ language sql": "function",
    "create index i on sales (order_id)": "index",
    "call p(1)": "call",
    "unload ('select 1 as a') to 's3://b/o/' iam_role default json": "json",
    "explain insert into pairs values (1, 'a')": "explain",
    "show tables": "tables",
    "analyze compression sales": "compression",
    "begin isolation level snapshot": "isolation",
    "set enable_case_sensitive_identifier to true": "enable_case_sensitive_identifier",
    "set timezone to 'Asia/Seoul'": "timezone",
    "select * from svv_alter_table_recommendations": "svv_alter",
    "select * from stl_wlm_query": "stl_wlm_query",
    "copy sales from 's3://b/k' iam_role default json 'auto'": "json",
    "prepare p as select 1": "prepare",
    "attach 'x.db' as x": "attach",
    "pragma database_list": "pragma",
    "insert into pairs values (1, 'a') on conflict do nothing": "conflict",
    "insert into pairs values (1, 'a') returning id": "returning",
    "delete from pairs returning id": "returning",
}


@pytest.mark.parametrize("sql", REFUSED)
def test_what_has_no_rule_is_refused_by_name(sql: str, reading: Engine) -> None:
    with pytest.raises(RedshiftError) as raised:
        reading.execute(sql)
    assert raised.value.code in ("0A000", "42601")
    assert REFUSED[sql].lower() in raised.value.message.lower()


# statement: (SQLSTATE, a part of the text)
REJECTED = {
    "select 1 / 0": ("22012", "division by zero"),
    "select 1.5 / 0": ("22012", "division by zero"),
    "select 1::float8 / 0": ("22012", "division by zero"),
    "select quantity % (quantity - 7) from sales": ("22012", "division by zero"),
    "select 2147483647 + 1": ("22003", "verflow"),
    "select 40000::smallint": ("22003", "does not fit"),
    "select '12.7'::int": ("22P02", '"12.7"'),
    "select status::int from sales": ("XX000", "Invalid digit, Value 'p', Pos 0, Type: Integer"),
    "select 'x'::date": ("22P02", '"x"'),
    "select '2024-02-30'::date": ("22P02", "2024-02-30"),
    "select 2.0 / 3": ("0A000", "last digit"),
    "select avg(total) from sales": ("0A000", "last digit"),
    "select nothing from sales": ("42703", '"nothing"'),
    "select sales.nothing from sales": ("42703", "sales.nothing"),
    "select * from nowhere": ("42P01", '"nowhere"'),
    "select * from mart.nowhere": ("3F000", '"mart"'),
    "select x.order_id from sales": ("42P01", '"x"'),
    "select order_id from sales, later": ("42702", "ambiguous"),
    "select order_id from sales, sales": ("42712", "more than once"),
    "select order from sales": ("42601", "order"),
    "select 1 as a from sales where a = 1": ("42703", '"a"'),
    "select country, count(*) from sales": ("42803", "country"),
    "select sum(quantity) over (order by order_id) from sales": ("42601", "frame"),
    "select first_value(total) over (order by order_id) from sales": ("42601", "frame"),
    "select row_number() from sales": ("42809", "OVER"),
    "select (select order_id from sales)": ("XX000", "More than one row"),
    "select (select order_id, total from sales)": ("42601", "one column"),
    "select 1 union select 1, 2": ("42601", "number of columns"),
    "select 1 intersect all select 1": ("0A000", "INTERSECT ALL"),
    "select 1 order by 3": ("42P10", "position 3"),
    "select distinct country from sales order by total": ("42P10", "must be selected"),
    "select 1; select 2": ("42601", "one at a time"),
    "select 'open": ("42601", "syntax error"),
    "select from": ("42601", ""),
    "selec 1": ("0A000", "selec"),
    "": ("42601", "empty"),
    "-- nothing": ("42601", "empty"),
    "select left('abc')": ("42883", "left"),
    "vacuum nowhere": ("42P01", "nowhere"),
    "analyze nowhere": ("42P01", "nowhere"),
    "lock table nowhere": ("42P01", "nowhere"),
    "grant select on nowhere to bob": ("42P01", "nowhere"),
    "grant everything on sales to bob": ("42601", "privilege"),
    "comment on column sales.nothing is 'x'": ("42703", "nothing"),
    "set search_path to nowhere": ("3F000", "nowhere"),
    "insert into nowhere values (1)": ("42P01", "nowhere"),
    "insert into pairs values (1, 'a', 2)": ("42601", "more expressions"),
    "insert into pairs (id, name) values (1)": ("42601", "more target columns"),
    "insert into pairs (id, nothing) values (1, 2)": ("42703", "nothing"),
    "insert into pairs values (1, 'abcdef')": ("22001", "column name, 6 bytes"),
    "insert into pairs values (1, '한글')": ("22001", "column name, 6 bytes"),
    "insert into pairs (id) select status from sales": ("42804", "integer"),
    "insert into sales (status) values ('x')": ("23502", "order_id"),
    "update pairs set name = 'abcdef'": ("22001", "column name"),
    "update pairs set nothing = 1": ("42703", "nothing"),
    "delete from nowhere": ("42P01", "nowhere"),
    "create table sales (a int)": ("42P07", "already exists"),
    "create table nowhere.t (a int)": ("3F000", "nowhere"),
    "create table t (a int, a int)": ("42701", "more than once"),
    "create table t (order int)": ("42601", "order"),
    "create table t (a varchar(70000))": ("22023", "65535"),
    "create table t (a decimal(39, 0))": ("22023", "38"),
    "create table t (a int) distkey(b)": ("42703", '"b"'),
    "create table t (a int) diststyle all distkey(a)": ("42601", "DISTSTYLE KEY"),
    "create table t as select 1, 2": ("42701", "?column?"),
    "create schema public": ("42P06", "already exists"),
    "drop table nowhere": ("42P01", "nowhere"),
    "drop view sales": ("42809", "table"),
    "alter default privileges in schema public grant select on tables to group r": (
        "42704", 'group "r"',
    ),
    "refresh materialized view nowhere": ("42P01", "nowhere"),
    "alter table sales owner to bob": ("42704", 'user "bob"'),
    "drop schema public": ("2BP01", "in it"),
    "alter table sales add column x int not null": ("42601", "default"),
    "alter table sales rename column nothing to x": ("42703", "nothing"),
    "copy sales from 's3://b/k' iam_role default encrypted auto": ("0A000", "encrypted"),
    "alter table sales alter column total type varchar(5)": ("0A000", "varchar"),
    "create table t as select 1 as a, 2 as a": ("42701", "specified more than once"),
    "copy nowhere from 's3://b/k' iam_role default format as parquet": ("XX000", "nonexistent"),
    "copy sales from 's3://b/k' format as parquet": ("XX000", "IAM_ROLE"),
    "copy sales from 's3://b/k' iam_role default format as parquet region 'x'": ("0A000", "REGION"),
    "copy sales from 's3://b/k' iam_role default format as parquet maxerror 3": ("0A000", "MAXERROR"),
    "copy sales from 's3://b/m' iam_role default format as parquet manifest": (
        "XX000", "Problem reading manifest file - S3ServiceException",
    ),
    "copy sales from 's3://b/k' iam_role default format as parquet": ("XX000", "prefix 'k' does not"),
}  # fmt: skip


@pytest.mark.parametrize("sql", REJECTED)
def test_what_redshift_rejects_is_rejected(sql: str, reading: Engine) -> None:
    code, text = REJECTED[sql]
    with pytest.raises(RedshiftError) as raised:
        reading.execute(sql)
    assert (raised.value.code, text in raised.value.message) == (code, True), raised.value.message


def test_every_refusal_says_what_to_do_next(reading: Engine) -> None:
    with pytest.raises(
        RedshiftError,
        match=r"no rule for the function hll_cardinality; see docs/reference",
    ):
        reading.execute("select hll_cardinality(null)")


def test_statement_nested_too_deeply_is_an_error_not_a_crash(reading: Engine) -> None:
    with pytest.raises(RedshiftError):
        reading.execute("select " + "(" * 5000 + "1" + ")" * 5000)
    assert reading.execute("select 1").rows == [(1,)]


def test_long_chains_of_conditions_are_read(reading: Engine) -> None:
    chain = " or ".join(f"(order_id = {number} and true)" for number in range(3000))
    assert reading.execute(f"select count(*) from sales where {chain}").rows == [(4,)]


def test_statement_beyond_16_mb_is_rejected(reading: Engine) -> None:
    with pytest.raises(RedshiftError, match="16 MB"):
        reading.execute(f"select '{'x' * (16 * 1024 * 1024)}'")


TOO_LONG = [
    "repeat(s, 2)",
    "repeat('x', 1000000000)",
    "s || 'x'",
    "concat(s, s)",
    "lpad(s, 65536)",
    "rpad('x', 70000, 'y')",
    "replace(s, 'x', 'yy')",
    "regexp_replace(s, 'x', 'yy')",
    "translate(s, 'x', 'é')",
    "quote_literal(s)",
]


@pytest.mark.parametrize("made", TOO_LONG)
def test_a_text_longer_than_the_longest_is_refused(made: str) -> None:
    with Engine() as engine:
        engine.execute("create table longest (s varchar(max))")
        engine.execute("insert into longest values (repeat('x', 65535)), ('x'), (null)")
        for what in (made, f"{made}::varchar(65535)", f"left({made}, 1)"):
            with pytest.raises(RedshiftError, match="more than 65535 bytes"):
                engine.execute(f"select {what} from longest")
        engine.execute("delete from longest where len(s) > 1")
        if "1000000000" not in made and "6" not in made and "7" not in made:
            assert len(engine.execute(f"select {made} from longest").rows) == 2
