"""Operators that compare: `=` and its kind, BETWEEN, IN, LIKE, patterns, and subqueries beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from local_redshift.compile import catalogue_forms
from local_redshift.compile.protocol import Compiler, ValueRule, both, only
from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.functions.patterns import pattern, similar
from local_redshift.read.dialect import string
from local_redshift.values import arithmetic
from local_redshift.values.arguments import text
from local_redshift.values.casts import comparable, compared
from local_redshift.values.scope import Scope
from local_redshift.values.subexpressions import bind
from local_redshift.values.types import BOOLEAN
from local_redshift.values.value import Value, vary

_SIGNS = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_QUERIES = ("select", "union", "except", "intersect")


def _compared(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """`a = b`. What stands on the right decides: any (…), all (…), a row, or a plain value."""
    right = node.expression
    if right.key in ("any", "all"):
        return _quantified(compiler, node, scope)
    if node.key == "eq" and node.this.key == right.key == "tuple":
        return catalogue_forms.equal_rows(compiler, node.this.expressions, right.expressions, scope)
    only(node, "this", "expression")
    sign = _SIGNS[node.key]
    sides = [compiler.raw(node.this, scope), compiler.raw(right, scope)]
    return vary(lambda given: arithmetic.comparison(sign, *given), sides)


def _quantified(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """`= any (query)` and `<> all (query)` are IN and NOT IN; `= any (array)`, a client's question."""
    from sqlglot import exp

    right = node.expression
    kind = (node.key, right.key)
    if kind == ("eq", "any") and catalogue_forms.is_array(right.this):
        return catalogue_forms.equal_any(compiler, node.this, right.this.unnest(), scope)
    if kind not in (("eq", "any"), ("neq", "all")):
        raise refuse(f"{node.sql('redshift')[:60]}", "compare with a min() or max() of it")
    inner = right.this if right.this.key == "subquery" else exp.Subquery(this=right.this)
    if inner.unnest().key not in _QUERIES:
        raise refuse(f"{node.sql('redshift')[:60]}", "give any and all a query")
    value = _in(compiler, exp.In(this=node.this.copy(), query=inner.copy()), scope)
    return value if node.key == "eq" else replace(value, sql=f"(NOT {value.sql})")


def _any_elsewhere(compiler: Compiler, node: Any, scope: Scope) -> Value:
    raise refuse(f"{node.parent.sql('redshift')[:60]}", "compare with a min() or max() of it")


def _is(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "expression")
    if node.expression.key == "null":
        return Value(f"({compiler.value(node.this, scope).sql} IS NULL)", BOOLEAN)
    if node.expression.key != "boolean":
        raise refuse(node.sql("redshift")[:80])
    word = "true" if node.expression.this else "false"
    return Value(f"({compiler.test(node.this, scope)} IS NOT DISTINCT FROM {word})", BOOLEAN)


def _between(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "low", "high")
    values = [compiler.value(node.args[key], scope) for key in ("this", "low", "high")]
    if any(arithmetic.beyond(values[0].type, other.type) for other in values[1:]):
        tests = [
            arithmetic.comparison(sign, values[0], other).sql
            for sign, other in zip((">=", "<="), values[1:], strict=True)
        ]
        return Value(f"({' AND '.join(tests)})", BOOLEAN)
    common = compared((value.type for value in values), "between")
    one, low, high = (comparable(value, common) for value in values)
    return Value(f"({one} BETWEEN {low} AND {high})", BOOLEAN)


def _in(compiler: Compiler, node: Any, scope: Scope) -> Value:
    only(node, "this", "expressions", "query")
    if node.this.key == "tuple":
        return _rows_in(compiler, node, scope)
    value = compiler.value(node.this, scope)
    inner = node.args.get("query")
    if inner is None:
        values = [compiler.value(item, scope) for item in node.expressions]
        common = compared([value.type, *(item.type for item in values)], "in")
        listed = ", ".join(comparable(item, common) for item in values)
        return Value(f"({comparable(value, common)} IN ({listed}))", BOOLEAN)
    query = compiler.query(inner, scope, scope.ctes)
    if len(query.columns) != 1:
        raise RedshiftError("42601", "the subquery of IN must give one column")
    member = Value('"_in"."value"', query.columns[0][1])
    common = compared((value.type, member.type), "in")
    members = f'SELECT {comparable(member, common)} FROM ({query.sql}) AS "_in"("value")'
    return Value(f"({comparable(value, common)} IN ({members}))", BOOLEAN)


def _rows_in(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """(a, b) in ((1, 2), …), and (a, b) in (query): unknown where a NULL leaves it open."""
    left, inner = node.this.expressions, node.args.get("query")
    if inner is None:
        rows = node.expressions
        if any(row.key != "tuple" for row in rows):
            raise RedshiftError("42601", "unequal number of entries in row expressions")
        tests = [catalogue_forms.equal_rows(compiler, left, row.expressions, scope) for row in rows]
        return Value(f"({' OR '.join(test.sql for test in tests)})", BOOLEAN)
    query = compiler.query(inner, scope, scope.ctes)
    if len(query.columns) != len(left):
        raise RedshiftError("42601", f"the subquery of IN must give {len(left)} columns")
    names = [f"v{place}" for place in range(len(left))]
    members = [
        Value(f'"_in"."{name}"', type_)
        for name, (_, type_) in zip(names, query.columns, strict=True)
    ]
    equal = [
        arithmetic.comparison("=", compiler.value(one, scope), member).sql
        for one, member in zip(left, members, strict=True)
    ]
    origin = f'SELECT 1 FROM ({query.sql}) AS "_in"({", ".join(names)}) WHERE '
    found = f"EXISTS ({origin}{' AND '.join(equal)})"
    if _only_true_counts(node):
        return Value(f"({found})", BOOLEAN)
    open_ = " AND ".join(f"{test} IS DISTINCT FROM false" for test in equal)
    return Value(
        f"(CASE WHEN {found} THEN true WHEN EXISTS ({origin}{open_}) THEN NULL ELSE false END)",
        BOOLEAN,
    )


def _only_true_counts(node: Any) -> bool:
    """Whether a condition of WHERE or ON stands there, in which NULL is no better than false."""
    above = node.parent
    while above is not None and above.key in ("and", "paren"):
        above = above.parent
    return above is not None and above.key in ("where", "join")


def _exists(compiler: Compiler, node: Any, scope: Scope) -> Value:
    query = compiler.query(node.this, scope, scope.ctes)
    return Value(f"(EXISTS ({query.sql}))", BOOLEAN, "exists")


def _scalar_subquery(compiler: Compiler, node: Any, scope: Scope) -> Value:
    query = compiler.query(node, scope, scope.ctes)
    if len(query.columns) != 1:
        raise RedshiftError("42601", "subquery must return only one column")
    return Value(f"({query.sql})", query.columns[0][1], query.columns[0][0])


def _like(compiler: Compiler, node: Any, scope: Scope, escape: str = "") -> Value:
    only(node, "this", "expression", "negate")
    return _matched(compiler, "LIKE", node, scope, escape)


def _ilike(compiler: Compiler, node: Any, scope: Scope, escape: str = "") -> Value:
    only(node, "this", "expression", "negate")
    if not str(getattr(node.expression, "this", "é")).isascii():
        raise refuse("ilike with a pattern beyond ASCII", "use lower() on both sides and like")
    return _matched(compiler, "ILIKE", node, scope, escape)


def _matched(compiler: Compiler, word: str, node: Any, scope: Scope, escape: str) -> Value:
    sides = both(compiler, node, scope)
    one, two = (text(side, word.lower()) for side in sides)
    plain = two.literal is not None and "\\" not in two.literal
    escape = escape or ("" if plain else " ESCAPE '\\'")
    negated = "NOT " if node.args.get("negate") else ""
    end = f" {negated}{word} {two.sql}{escape})"
    if sides[0].type.kind == "char":
        return Value(_of_char(one.sql, sides[0].type.length, end), BOOLEAN)
    return Value(f"({one.sql}{end}", BOOLEAN)


_BLANKS = string(
    "the local Redshift has no rule for a pattern that the blanks at the end of a char decide; cast it "
    "to varchar(n)"
)


def _of_char(sql: str, length: int, end: str) -> str:
    """LIKE does not ignore the blanks of a char; where they decide, the pattern's own blanks would, too."""
    failing = f"CAST({raising('0A000', _BLANKS)} AS BOOLEAN)"

    def make(texts: Sequence[str]) -> str:
        (one,) = texts
        bare, padded = f"({one}{end}", f"(rpad({one}, {length}, ' '){end}"
        return f"(CASE WHEN {bare} IS NOT DISTINCT FROM {padded} THEN {padded} ELSE {failing} END)"

    return bind([sql], make, [end])


def _escaped(compiler: Compiler, node: Any, scope: Scope) -> Value:
    """LIKE, ILIKE and SIMILAR TO with an ESCAPE of their own."""
    inner, mark = node.this, str(node.expression.this)
    if len(mark) == 1:
        if inner.key == "similarto":
            return _similar(compiler, inner, scope, mark)
        if inner.key in ("like", "ilike"):
            rule = _like if inner.key == "like" else _ilike
            return rule(compiler, inner, scope, f" ESCAPE {string(mark)}")
    raise refuse(node.sql("redshift")[:80], "escape with one character")


def _similar(compiler: Compiler, node: Any, scope: Scope, escape: str = "\\") -> Value:
    only(node, "this", "expression")
    one, two = both(compiler, node, scope)
    whole = similar(two, escape)
    return Value(f"regexp_full_match({_tested(one, 'similar to')}, {whole}, 's')", BOOLEAN)


def _tested(value: Value, name: str) -> str:
    """A text that a pattern is held to; whether a char has its blanks there is not said."""
    if value.type.kind == "char":
        raise refuse(f"{name} of {value.type}", "cast it to varchar(n)")
    return text(value, name).sql


def _posix(compiler: Compiler, node: Any, scope: Scope, flags: str = "s") -> Value:
    only(node, "this", "expression")
    one, two = both(compiler, node, scope)
    words = pattern(two, "~", test=True)
    return Value(f"regexp_matches({_tested(one, '~')}, {words}, '{flags}')", BOOLEAN)


def _posix_ignoring_case(compiler: Compiler, node: Any, scope: Scope) -> Value:
    return _posix(compiler, node, scope, "si")


VALUES: dict[str, ValueRule] = {
    **dict.fromkeys(_SIGNS, _compared),
    **dict.fromkeys(("any", "all"), _any_elsewhere),
    "is": _is,
    "between": _between,
    "in": _in,
    "exists": _exists,
    "subquery": _scalar_subquery,
    "like": _like,
    "ilike": _ilike,
    "escape": _escaped,
    "similarto": _similar,
    "regexplike": _posix,
    "regexpilike": _posix_ignoring_case,
}
