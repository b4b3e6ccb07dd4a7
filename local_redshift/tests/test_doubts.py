"""What is not certain stays refused wherever it passes through; what a rule repeats is computed once."""

from __future__ import annotations

from decimal import Decimal

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

D = Decimal
QUOTIENT = "last digit"
DOUBTED = {
    # the last digit of a quotient
    "select 2.00/3.00": QUOTIENT,
    "select case when 1=1 then 2.00/3.00 else 0.00 end": QUOTIENT,
    "select case when 1=2 then 0 else 2.00/3.00 end": QUOTIENT,
    "select case when true then case when true then 2.00/3.00 end end": QUOTIENT,
    "select coalesce(2.00/3.00, 0)": QUOTIENT,
    "select nvl(2.00/3.00, 0)": QUOTIENT,
    "select nvl2(1, 2.00/3.00, 0)": QUOTIENT,
    "select decode(1, 1, 2.00/3.00, 0)": QUOTIENT,
    "select nullif(2.00/3.00, 0)": QUOTIENT,
    "select greatest(2.00/3.00, 0)": QUOTIENT,
    "select 'x' || case when true then 2.00/3.00 end": QUOTIENT,
    # how many places a rounded decimal has
    "select 'x' || round(28.05)": "scale",
    "select round(28.05, 1)::varchar(10)": "scale",
    "select trunc(28.05) || 'x'": "scale",
    "select coalesce(ceil(28.05), 0)::varchar(10)": "scale",
    "select listagg(floor(total), ',') within group (order by 1) from sales": "scale",
    "select round(28.05, 1) / 3": "scale",
    "select x / 3 from (select round(28.05, 1) as x) as d": "scale",
    "select (round(28.05, 1) * 2)::varchar(10)": "scale",
    "select avg(round(total, 1)) from sales": "scale",
    # whether a sum of bigint is a bigint
    "select sum(order_id) / 3 from sales": "precision",
    "select 100.0 * sum(order_id) / 3 from sales": "precision",
    "select n / 3 from (select sum(order_id) as n from sales) as d": "precision",
    # fractions
    "select date_part(epoch, '2024-01-01 00:00:00.5'::timestamp)": "date_trunc",
}


@pytest.mark.parametrize("sql", DOUBTED)
def test_doubtful_digits_are_refused(reading: Engine, sql: str) -> None:
    with pytest.raises(RedshiftError, match=DOUBTED[sql]) as caught:
        reading.execute(sql)
    assert caught.value.code == "0A000"


CERTAIN = {
    "case when true then 1.00/4.00 end": D("0.25"),
    "round(case when true then 2.00/3.00 end, 2)": D("0.67"),
    "round(28.05, 1)::decimal(10,1)::varchar(10)": "28.1",
    "round(28.05, 1)::decimal(10,1) / 2": D("14.05"),
    "round(28.05) = 28": True,
    "sum(order_id)::bigint / 4 from sales": 2,
    "sum(order_id) || '' from sales": "10",
    "sum(quantity) / 5 from sales": 2,
    "round(9.9)": D(10),
    "round(0.5)": D(1),
    "ceil(9.5)": D(10),
    "round(99.99::decimal(4,2))": D(100),
    "'x' || 0.25": "x0.25",
    "'x' || (-0.25)": "x-0.25",
    "0.07::decimal(4,4)::varchar(10)": "0.0700",
    "1.25::varchar(4)": "1.25",
    "substring('abc', null::integer)": None,
    "substring('abc', null::integer, 2)": None,
    "substring('abc', 1, null::integer)": None,
    "reverse('e' || chr(65) || '\u0301x')": "x\u0301Ae",
    "date_part(epoch, '2024-01-01 00:00:01'::timestamp)": 1704067201.0,
    "date_part(epoch, date_trunc('second', '2024-01-01 00:00:01.5'::timestamp))": 1704067201.0,
    "date_part(epoch, '2024-01-01'::date)": 1704067200.0,
}


@pytest.mark.parametrize("expression", CERTAIN)
def test_certain_digits_are_given(reading: Engine, expression: str) -> None:
    assert reading.execute(f"select {expression}").rows[0][0] == CERTAIN[expression]


def test_reals_make_a_real(reading: Engine) -> None:
    found = reading.execute("select 1::real * 0.1::real, 1::real + 1, 1::real + 1::float8")
    assert found.types == ("real", "double", "double")


@pytest.mark.parametrize(
    "expression",
    [
        "1::float8 * '1e308'::float8 * 10",
        "'1e308'::float8 + '1e308'::float8",
        "'3e38'::real * '10'::real",
        "exp(1000)",
        "sum('1e308'::float8) from sales",
        "'1e308'::float8 / '0.1'::float8",
    ],
)
def test_floats_beyond_their_range_are_an_error(reading: Engine, expression: str) -> None:
    with pytest.raises(RedshiftError, match="out of range") as caught:
        reading.execute(f"select {expression}")
    assert caught.value.code == "22003"


NESTED = {
    "ratios": "select 2.0::decimal(9,2) as a, round(5 / a, 2)::decimal(9,2) as b, "
    + ", ".join(
        f"round({new} / {old}, 2)::decimal(9,2) as {new}2, 1.0 as {new}3"
        for new, old in (("a", "b"), ("b", "a2"))
    ),
    "lateral": "select 3.5::decimal(9,2) as r0"
    + "".join(f", (7.0 / nullif(r{n}, 0))::decimal(9,2) as r{n + 1}" for n in range(7)),
    "months": f"select {'add_months(' * 8}'2024-01-31'::timestamp{', 1)' * 8}",
    "nullif": f"select {'6.5 / nullif((' * 3}2.0{')::decimal(9,2), 0)' * 3}",
    "floats": f"select {'(2 * ' * 12}x{') / 3' * 12} from (select 1.5::float8 as x) as t",
}


@pytest.mark.parametrize("title", NESTED)
def test_text_grows_with_the_statement_only(reading: Engine, title: str) -> None:
    text = reading.compiled(NESTED[title]).sql
    assert len(text) < 250 * len(NESTED[title])
    assert len(reading.execute(NESTED[title]).rows) == 1


def test_add_months_keeps_the_last_day_through_nesting(reading: Engine) -> None:
    found = reading.execute(NESTED["months"]).rows[0][0]
    assert f"{found:%Y-%m-%d}" == "2024-09-30"


def test_an_expression_that_grows_too_far_is_refused(reading: Engine) -> None:
    wide = " || ".join(["note"] * 3)
    sql = f"select {wide} as a0"
    sql += "".join(f", replace(a{n}, 'a', 'b') || a{n} || a{n} as a{n + 1}" for n in range(14))
    with pytest.raises(RedshiftError, match="characters"):
        reading.execute(f"{sql} from sales")


def test_update_from_is_refused_where_a_row_matches_twice(engine: Engine) -> None:
    with pytest.raises(RedshiftError, match="match one row of"):
        engine.execute("update later set note = p.name from pairs p where p.id = 1")
    assert engine.execute("select note from later order by order_id").rows == [("b",), ("c",)]


def test_update_from_counts_the_rows_of_the_table(engine: Engine) -> None:
    sql = "update sales set note = p.name from pairs p where p.id = sales.order_id and p.id = 2"
    assert engine.execute(sql).row_count == 1
    engine.execute("begin")
    assert engine.execute("update sales as s set note = 'x' from later where true and "
                          "later.order_id = s.order_id").row_count == 2  # fmt: skip
    engine.execute("rollback")


def test_an_average_goes_by_way_of_floats_when_it_is_rounded_first(engine: Engine) -> None:
    engine.execute("create table prices (g integer, a decimal(12,2))")
    engine.execute("insert into prices values (1, 2.67), (1, 2.69), (2, 1), (2, 1.01)")
    rounded = "select g, round(avg(a::float8), 2)::decimal(18, 2) as price from prices"
    assert engine.execute(f"{rounded} where g = 1 group by g").rows == [(1, D("2.68"))]
    for refused in ("avg(a::float8)::decimal(18, 2)", "round(avg(a::float8), 2)::decimal(18, 1)"):
        with pytest.raises(RedshiftError, match="round it first"):
            engine.execute(f"select {refused} from prices")
