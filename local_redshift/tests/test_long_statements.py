"""Long and wide statements: what Redshift takes is taken, in time that grows with the length alone."""

from __future__ import annotations

import sys
from decimal import Decimal
from threading import Barrier, Thread

import pytest

from local_redshift import Engine, RedshiftError

COLUMNS = 1_600  # the most of a table in Redshift
OPERANDS = 2_000
NESTED = 300
LIMIT = "inside one another; name inner parts in WITH, or run it on Amazon Redshift"


@pytest.fixture(scope="module")
def one() -> Engine:
    """A session with one row."""
    engine = Engine()
    engine.execute("create table t (a integer, n integer, d decimal(12, 2), s varchar(20))")
    engine.execute("insert into t values (1, null, 1.25, 'x')")
    return engine


def asked(engine: Engine, sql: str) -> object:
    """The one value that a query gives."""
    ((value,),) = engine.execute(sql).rows
    return value


def test_a_table_has_1600_columns() -> None:
    with Engine() as engine:
        names = [f"c{number}" for number in range(COLUMNS)]
        engine.execute(f"create table wide ({', '.join(f'{name} integer' for name in names)})")
        row = tuple(range(COLUMNS))
        engine.execute(f"insert into wide values {row}")
        assert engine.execute("select * from wide").rows == [row]
        sums = ", ".join(f"sum({name}) as total_{name}" for name in names)
        assert engine.execute(f"select {sums} from (select * from wide) as w").rows == [row]
        texts = " || '|' || ".join(f"coalesce(cast({name} as varchar), '!N')" for name in names)
        assert asked(engine, f"select {texts} from wide") == "|".join(map(str, row))
        assert asked(engine, f"select {' + '.join(names)} from wide") == sum(row)


def test_lists_of_ten_thousand(one: Engine) -> None:
    numbers = ", ".join(map(str, range(10_000)))
    assert asked(one, f"select count(*) from t where a in ({numbers})") == 1
    assert asked(one, f"select count(*) from t where a not in ({numbers})") == 0


@pytest.mark.parametrize(
    ("condition", "joint", "wanted"),
    [
        ("a = {}", " or ", 1),
        ("(a = {0} and length(s) = {0})", " or ", 1),
        ("s like 'x{}'", " or ", 0),
        ("a <> -{}", " and ", 1),
    ],
)
def test_conditions_of_thousands(one: Engine, condition: str, joint: str, wanted: int) -> None:
    tests = joint.join(condition.format(number) for number in range(1, OPERANDS))
    assert asked(one, f"select count(*) from t where {tests}") == wanted


def test_a_long_or_knows_three_answers(one: Engine) -> None:
    unknown = " or ".join(f"n = {number}" for number in range(200))
    assert asked(one, f"select {unknown} from t") is None
    assert asked(one, f"select not ({unknown}) from t") is None
    assert asked(one, f"select {unknown} or a = 1 from t") is True


@pytest.mark.parametrize("word", ["union all", "union"])
def test_set_operations_of_thousands(one: Engine, word: str) -> None:
    queries = f" {word} ".join(f"select {number} as a" for number in range(2_000))
    rows = one.execute(f"{queries} order by a").rows
    assert rows == [(number,) for number in range(2_000)]


def test_set_operations_keep_their_order_and_types(one: Engine) -> None:
    mixed = (
        "select 1 as a union all select 1 union select 2 union all select 2.5 union all select 2"
    )
    values = [
        str(value) for (value,) in one.execute(f"select a from ({mixed}) as q order by a").rows
    ]
    assert values == ["1.0", "2.0", "2.0", "2.5"]
    assert one.execute("select 1 as a except select 2 except select 1").rows == []


@pytest.mark.parametrize(
    ("sql", "wanted"),
    [
        (" + ".join(["a"] * OPERANDS), OPERANDS),
        ("0 - " + " - ".join(["a"] * OPERANDS), -OPERANDS),
        (" + ".join(["a"] * 1_000 + ["n"]), None),
        (" * ".join(["a"] * OPERANDS), 1),
        (" + ".join(["a - a"] * 1_000), 0),
        (" - ".join(["d + a * 2"] * 300) + " - n", None),
        ("a::bigint + " + " + ".join(["a"] * 1_000), 1_001),
        (" + ".join(["d"] * 1_000), Decimal("1250.00")),
        (" + ".join(["d", "a"] * 300), Decimal("675.00")),
        (" + ".join(["d::float8"] * 1_000), 1250.0),
        ("sum(a) + " + " + ".join(["sum(a)"] * 1_000), 1_001),
        (" || ".join(["s"] * OPERANDS), "x" * OPERANDS),
        (" || ".join([*["s"] * OPERANDS, "n::varchar"]), None),
    ],
)
def test_chains_of_operators(one: Engine, sql: str, wanted: object) -> None:
    assert asked(one, f"select {sql} as x from t") == wanted


def test_a_long_sum_overflows_where_it_is_written(one: Engine) -> None:
    ones = " + ".join(["a"] * 100)
    for sql in (f"{ones} + 2147483647 - 2147483647", f"{ones} + {ones} + 2147483647 + -2147483647"):
        with pytest.raises(RedshiftError) as raised:
            one.execute(f"select {sql} from t")
        assert raised.value.code == "22003"


@pytest.mark.parametrize(
    "sql",
    [
        f"select {'(' * NESTED}a{')' * NESTED} from t",
        f"select {'abs(' * NESTED}a{')' * NESTED} from t",
        f"select {'case when a = 1 then ' * NESTED}a{' end' * NESTED} from t",
        f"select a from {'(select a from ' * NESTED}t{') as q' * NESTED}",
        f"select a from t where {'not ' * NESTED}a = 1",
        f"select a{'::integer' * NESTED} from t",
    ],
)
def test_deep_statements(one: Engine, sql: str) -> None:
    before = sys.getrecursionlimit()
    assert asked(one, sql) == 1
    assert one.describe(sql)[1] == ("integer",)
    assert sys.getrecursionlimit() == before


def test_deep_statements_change_rows(one: Engine) -> None:
    deep = f"{'(' * NESTED}a{')' * NESTED}"
    with Engine() as engine:
        engine.execute("create table t as select 1 as a")
        assert engine.execute(f"update t set a = {deep} + 1 where {deep} = 1").row_count == 1
        engine.execute(f"create view v as select {deep} as b from t")
        assert asked(engine, "select b from v") == 2


@pytest.mark.parametrize("depth", [1_000, 10_000])
def test_what_is_too_deep_is_the_local_redshifts_limit(one: Engine, depth: int) -> None:
    for sql in (f"select {'(' * depth}a{')' * depth} from t", f"select {'- ' * depth} a from t"):
        with pytest.raises(RedshiftError, match=LIMIT) as raised:
            one.execute(sql)
        assert raised.value.code == "0A000"
    assert asked(one, "select a from t") == 1  # the session goes on


def test_what_duckdb_calls_too_deep_is_told_alike(one: Engine) -> None:
    with pytest.raises(RedshiftError, match=LIMIT) as raised:
        one.execute(f"select {'abs(' * 1_100}a{')' * 1_100} from t")
    assert raised.value.code == "0A000"


def test_sessions_are_deep_side_by_side() -> None:
    before, start = sys.getrecursionlimit(), Barrier(4)
    results: list[object] = []

    def ask() -> None:
        with Engine() as engine:
            start.wait()
            results.append(asked(engine, f"select {'(' * NESTED}1{')' * NESTED}"))

    threads = [Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == [1] * 4
    assert sys.getrecursionlimit() == before
