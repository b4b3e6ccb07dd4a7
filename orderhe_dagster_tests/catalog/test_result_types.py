"""The type of an expression without a cast is what the local Redshift gives, or a cast is asked for."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local_redshift.session.engine import Engine
from orderhe_dagster.catalog.ddl import redshift_create
from orderhe_dagster.catalog.types import redshift_text
from orderhe_dagster_tests.catalog.folders import read, refused

SALES = """\
-- Sales of all types.
create table sales (
    id int primary key,
    small smallint not null,
    whole int,
    big bigint,
    price decimal(12, 2) not null,
    rate decimal(5, 4),
    share double,
    ratio float,
    day date,
    at datetime,
    seen timestamp,
    is_new bit(1),
    name varchar(20),
    code char(2)
);
"""

ROWS = """
1 | 3000000000 | 9223372036854775808 | 12.50 | 0.05 | true | small | (price) | -price
small + small | small + 1 | whole * big | big / 7 | whole % 10 | mod(big, whole)
price + 1 | price * whole | price * 1.1 | price - rate | price / 3 | price / rate | whole / 2.5
rate * rate
share * 2 | ratio * ratio | ratio + price | share / whole | - share
abs(price) | abs(whole) | sign(whole) | ceil(share) | floor(whole) | round(whole) | round(share, 2)
power(price, 2) | sqrt(whole) | ln(share) | exp(share) | random() | pi()
day + 1 | day - 7 | day - day | day + interval '1 day' | at - interval '2 hours' | at + interval '1 month'
date_trunc('month', day) | date_trunc('hour', at) | dateadd(day, 1, day) | dateadd(month, -1, at)
datediff(month, day, at) | extract(year from day) | extract(epoch from at) | last_day(at)
add_months(at, 2) | months_between(at, day) | next_day(day, 'mon') | trunc(at)
convert_timezone('UTC', 'Asia/Seoul', at) | to_date(name, 'YYYY-MM-DD') | to_char(day, 'YYYY-MM')
to_char(at, 'HH24')
current_date | getdate() | sysdate
coalesce(whole, 0) | coalesce(big, small) | nvl(price, 0) | nvl(rate, price) | coalesce(share, price)
coalesce(name, '-') | coalesce(name, 'a long text that nobody wrote') | coalesce(day, at)
coalesce(day, '2026-01-01')
nvl2(day, price, 0) | nullif(whole, 0) | nullif(name, '') | greatest(whole, big) | least(price, rate)
case when is_new then 1 else 0 end | case when is_new then price else 0 end
case when is_new then price end
case when is_new then 'new' else 'returning' end | case when is_new then name else code end
case small when 1 then day when 2 then at end | decode(small, 1, 'one', 2, 'two', 'many')
decode(small, 1, price, 0)
whole > 5 | name like 'a%' | is_new and whole = 1 | not is_new | day is null | small in (1, 2)
whole between 1 and 5
is_new or price > 2 | name ilike 'x' | name ~ 'x'
upper(name) | lower(code) | initcap(name) | reverse(name) | trim(name) | ltrim(name) | rtrim(name, 'x')
len(name) | octet_length(name) | left(name, 3) | right(name, 30) | substring(name, 2, 3)
substring(name, 2)
replace(name, '-', '') | replace(name, 'a', 'abc') | split_part(name, '-', 1) | lpad(code, 5, '0')
rpad(name, 3)
name || code | name || '-' || code | whole || '' | price || ' won' | day || 'T' | concat(name, code)
strpos(name, 'x') | position('x' in name) | charindex('x', name) | md5(name) | sha1(name)
sha2(name, 256) | ascii(name)
regexp_substr(name, '[0-9]') | regexp_count(name, '[0-9]') | regexp_instr(name, '[0-9]')
regexp_replace(name, '[0-9]')
json_extract_path_text(name, 'x') | is_valid_json(name) | fnv_hash(whole)
whole::bigint + 1 | (price::decimal(18, 4)) * 2 | seen | coalesce(seen, at) | dateadd(hour, 9, seen)
row_number() over (order by id) | rank() over (order by price) | dense_rank() over (order by day)
ntile(4) over (order by id)
percent_rank() over (order by id) | lag(price) over (order by id) | lead(name) over (order by id)
first_value(day) over (order by id rows unbounded preceding) | count(*) over ()
sum(whole) over (partition by small)
sum(price) over (partition by small) | max(day) over () | avg(price) over (partition by day)
ratio_to_report(price) over ()
(select max(s.day) from warehouse.sales as s) | (select count(*) from warehouse.sales as s)
"""
GROUPS = """
count(*) | count(name) | count(distinct name) | approximate count(distinct name)
sum(small) | sum(whole) | sum(price) | sum(rate) | sum(share) | sum(ratio) | sum(distinct whole)
avg(whole) | avg(price) | avg(share) | min(day) | max(at) | min(name) | max(price) | max(small)
any_value(code)
sum(price * whole) | sum(case when is_new then 1 else 0 end) | sum(case when is_new then price else 0 end)
sum(price) / count(*) | sum(whole) - sum(small) | coalesce(sum(price), 0) | coalesce(sum(whole), 0)
count(*) * 100 / 7
max(day) - min(day) | datediff(day, min(day), max(day)) | date_trunc('month', max(day)) | bool_or(is_new)
bool_and(is_new)
listagg(name, ',') within group (order by name) | stddev(price) | variance(share) | median(share)
percentile_cont(0.5) within group (order by share) | sum(price)::decimal(18, 2) | min(seen)
upper(max(name))
100.0 * sum(case when is_new then 1 else 0 end) / count(*) | sum(price) * 0.5
"""


def _expressions(text: str) -> list[str]:
    return [part.strip() for part in re.split(r" \| |\n", text.strip())]


@pytest.mark.parametrize("text", [ROWS, GROUPS], ids=["rows", "groups"])
def test_type_is_the_one_that_redshift_gives(text: str, tmp_path: Path) -> None:
    expressions = _expressions(text)
    listed = ",\n".join(f"{one} as c{number}" for number, one in enumerate(expressions))
    select = f"select\n{listed}\nfrom warehouse.sales"
    catalogue = read(tmp_path, {"raw/sales.sql": SALES, "warehouse/m.sql": f"-- M.\n{select}\n"})
    raw, model = catalogue.tables
    with Engine() as engine:
        engine.execute("create schema warehouse")
        engine.execute(redshift_create(raw))
        _, theirs = engine.describe(select)
    ours = [redshift_text(column.type) for column in model.columns]
    told = [kind.replace(",", ", ").replace("double", "double precision") for kind in theirs]
    assert dict(zip(expressions, ours, strict=True)) == dict(zip(expressions, told, strict=True))
    assert len(ours) == len(expressions) > 40


REFUSED = {
    "sum(big)": "write sum(big)::bigint (an error beyond 19 digits), or ::decimal(38, 0)",
    "coalesce(sum(big), 0)": "write sum(big)::bigint",
    "round(sum(price), 1)": "write round(sum(price), 1)::decimal(38, 2)",
    "floor(max(price))": "write floor(max(price))::decimal(12, 2)",
    "median(price)": "cast what it is of to float8",
    "percentile_cont(0.5) within group (order by whole)": "is not documented",
    "null": "write null::integer",
    "'web'": "write 'web'::varchar(3)",
    "case when max(id) > 1 then 1 else max(day) end": "differ in type (integer, date): write the same cast",
    "max(rate) + max(price)::decimal(38, 6)": "more than 38 digits",
    "date_part(year, max(day))": "date_part gives a double precision",
    "max(at) - min(at)": "has no type that is known here: add a cast",
    "chr(max(small))": "has no type that is known here: add a cast",
}


@pytest.mark.parametrize("expression", REFUSED)
def test_cast_is_asked_for_with_the_text_to_write(expression: str, tmp_path: Path) -> None:
    select = f"-- M.\nselect {expression} as c from warehouse.sales\n"
    (problem,) = refused(tmp_path, {"raw/sales.sql": SALES, "warehouse/m.sql": select})
    assert "column 'c'" in problem
    assert REFUSED[expression] in problem


def test_the_cast_that_is_asked_for_is_taken(tmp_path: Path) -> None:
    files = {"raw/sales.sql": SALES}
    for expression, remedy in REFUSED.items():
        written = re.search(r"write ([^:]+::[a-z]+(?:\([\d, ]+\))?)", remedy)
        if written is None or not expression.startswith(written[1].partition("::")[0]):
            continue
        select = f"-- M.\nselect {written[1]} as c from warehouse.sales\n"
        (model,) = read(tmp_path, {**files, "warehouse/m.sql": select}).layer("warehouse")
        assert redshift_text(model.columns[0].type) == written[1].partition("::")[2]


def test_type_is_known_through_ctes_and_unions(tmp_path: Path) -> None:
    select = """\
-- M.
with days as (
    select day, sum(price) as amount, count(*) as sale_count, 'web'::varchar(8) as channel
    from warehouse.sales group by day
),
more as (
    select day, amount, sale_count, channel from days
    union all
    select day + 1, 0::decimal(38, 2), small, 'shop' || code from warehouse.sales
)
select day, max(amount) as amount, max(sale_count) as sale_count, upper(max(channel)) as channel
from more group by day
"""
    (model,) = read(tmp_path, {"raw/sales.sql": SALES, "warehouse/m.sql": select}).layer(
        "warehouse"
    )
    assert [redshift_text(column.type) for column in model.columns] == [
        "date",
        "decimal(38, 2)",
        "bigint",
        "varchar(12)",
    ]
