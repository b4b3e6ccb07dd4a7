"""The compiler's table of rules: complete, without two rules for one kind, and its names those of sqlglot."""

from __future__ import annotations

import pytest
from sqlglot import exp

from local_redshift.compile.protocol import Compiler, ValueRule
from local_redshift.compile.rules import QUERIES, SOURCES, VALUES, together
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine
from local_redshift.values.scope import Scope
from local_redshift.values.value import Value


def _rule(compiler: Compiler, node: exp.Expression, scope: Scope) -> Value:
    raise AssertionError("no statement is compiled here")


RULE: ValueRule = _rule


def test_two_rules_for_one_kind_are_refused() -> None:
    with pytest.raises(ValueError, match="two rules for one kind of node: cast, like"):
        together({"like": RULE, "cast": RULE, "null": RULE}, {"cast": RULE, "like": RULE})


def test_rules_of_several_modules_are_one_table() -> None:
    assert together({"like": RULE}, {"cast": RULE}) == {"like": RULE, "cast": RULE}


def test_every_rule_is_for_a_kind_that_sqlglot_has() -> None:
    kinds = {
        kind.key
        for kind in vars(exp).values()
        if isinstance(kind, type) and issubclass(kind, exp.Expression)
    }
    assert {*VALUES, *QUERIES, *SOURCES} <= kinds


def test_a_kind_without_a_rule_is_refused_by_name(engine: Engine) -> None:
    compiler = engine.compiler()
    for compiled in (
        lambda node: compiler.raw(node, Scope({})),
        lambda node: compiler.query(node, None, {}),
        lambda node: compiler.source(node, Scope({})),
    ):
        with pytest.raises(RedshiftError, match=r"placeholder|FROM") as error:
            compiled(exp.Placeholder())
        assert error.value.code == "0A000"


@pytest.mark.parametrize(
    ("sql", "rows"),
    [
        ("select 'public.sales'::regclass::oid = 'sales'::regclass::oid", [(True,)]),
        ("select 1::varchar(1)", [("1",)]),
        ("select (current_schemas(true))[1]", [("pg_catalog",)]),
        ("select s.v[1] from (select json_parse('[1,2]') as v) s", [("2",)]),
        ("select grouping(status) from sales where order_id = 1 group by status", [(0,)]),
        ("select 1 where 1 = any (select 1)", [(1,)]),
        ("select 1 where 1 <> all (select 2)", [(1,)]),
        ("select 1 where 1 = any (array[1, 2])", [(1,)]),
        ("select 1 where (1, 2) = (1, 2)", [(1,)]),
    ],
)
def test_a_kind_with_several_meanings_has_each_of_them(
    engine: Engine, sql: str, rows: list[tuple[object, ...]]
) -> None:
    assert engine.execute(sql).rows == rows
