"""Expressions: each kind of node of the tree has a method here, or is refused. Queries: `translate`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.compile.literals import Leaves, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import json_texts
from local_redshift.functions import registry as functions
from local_redshift.functions.patterns import pattern, similar
from local_redshift.read.dialect import string
from local_redshift.values import arithmetic
from local_redshift.values.arguments import text
from local_redshift.values.casts import assign, comparable, convert, text_length
from local_redshift.values.scope import Scope
from local_redshift.values.types import (
    BOOLEAN,
    Type,
    parse_type,
    unify,
)
from local_redshift.values.value import Value, vary

__all__ = ["Expressions", "only"]

_LABELS = {"integer": "int4", "bigint": "int8", "smallint": "int2", "double": "float8",
           "real": "float4", "decimal": "numeric", "boolean": "bool"}  # fmt: skip


class Expressions(Leaves):
    """Turns the tree of an expression into DuckDB text with a Redshift type."""

    # -- operators ---------------------------------------------------------------------------------

    def _on_and(self, node: Any, scope: Scope) -> Value:
        """A chain of AND, without recursion on its length."""
        parts = [self.test(part, scope) for part in node.flatten()]
        return Value(f"({' AND '.join(parts)})", BOOLEAN)

    def _on_or(self, node: Any, scope: Scope) -> Value:
        parts = [self.test(part, scope) for part in node.flatten()]
        return Value(f"({' OR '.join(parts)})", BOOLEAN)

    def _on_not(self, node: Any, scope: Scope) -> Value:
        return Value(f"(NOT {self.test(node.this, scope)})", BOOLEAN)

    def _on_neg(self, node: Any, scope: Scope) -> Value:
        return vary(lambda one: arithmetic.negative(*one), [self.raw(node.this, scope)])

    def _on_pow(self, node: Any, scope: Scope) -> Value:
        """`a ^ b`, of floats as in Amazon's example."""
        only(node, "this", "expression")
        both = list(self._both(node, scope))
        if not any(value.type.kind in ("real", "double") for value in both):
            raise refuse(f"{both[0].type} ^ {both[1].type}", "write power(a, b)")
        return replace(functions.call("power", both, self.moment), label="?column?")

    def _on_dpipe(self, node: Any, scope: Scope) -> Value:
        return arithmetic.joined(*self._both(node, scope))

    def _on_bitwiseand(self, node: Any, scope: Scope) -> Value:
        return arithmetic.bitwise("&", *self._both(node, scope))

    def _on_bitwiseor(self, node: Any, scope: Scope) -> Value:
        return arithmetic.bitwise("|", *self._both(node, scope))

    def _on_is(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "expression")
        kind = type(node.expression).__name__
        if kind == "Null":
            return Value(f"({self.value(node.this, scope).sql} IS NULL)", BOOLEAN)
        if kind != "Boolean":
            raise refuse(node.sql("redshift")[:80])
        word = "true" if node.expression.this else "false"
        return Value(f"({self.test(node.this, scope)} IS NOT DISTINCT FROM {word})", BOOLEAN)

    def _on_between(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "low", "high")
        values = [self.value(node.args[key], scope) for key in ("this", "low", "high")]
        common = unify((value.type for value in values), "between")
        one, low, high = (comparable(value, common) for value in values)
        return Value(f"({one} BETWEEN {low} AND {high})", BOOLEAN)

    def _on_in(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "expressions", "query")
        value = self.value(node.this, scope)
        inner = node.args.get("query")
        if inner is None:
            values = [self.value(item, scope) for item in node.expressions]
            common = unify([value.type, *(item.type for item in values)], "in")
            listed = ", ".join(comparable(item, common) for item in values)
            return Value(f"({comparable(value, common)} IN ({listed}))", BOOLEAN)
        query = self.query(inner, scope, scope.ctes)
        if len(query.columns) != 1:
            raise RedshiftError("42601", "the subquery of IN must give one column")
        given = Value('"_in"."value"', query.columns[0][1])
        common = unify((value.type, given.type), "in")
        made = f'SELECT {comparable(given, common)} FROM ({query.sql}) AS "_in"("value")'
        return Value(f"({comparable(value, common)} IN ({made}))", BOOLEAN)

    def _on_exists(self, node: Any, scope: Scope) -> Value:
        query = self.query(node.this, scope, scope.ctes)
        return Value(f"(EXISTS ({query.sql}))", BOOLEAN, "exists")

    def _on_subquery(self, node: Any, scope: Scope) -> Value:
        query = self.query(node, scope, scope.ctes)
        if len(query.columns) != 1:
            raise RedshiftError("42601", "subquery must return only one column")
        return Value(f"({query.sql})", query.columns[0][1], query.columns[0][0])

    def _on_like(self, node: Any, scope: Scope, mark: str = "") -> Value:
        only(node, "this", "expression", "negate")
        return self._matched("LIKE", node, scope, mark)

    def _on_ilike(self, node: Any, scope: Scope, mark: str = "") -> Value:
        only(node, "this", "expression", "negate")
        if not str(getattr(node.expression, "this", "é")).isascii():
            raise refuse("ilike with a pattern beyond ASCII", "use lower() on both sides and like")
        return self._matched("ILIKE", node, scope, mark)

    def _matched(self, word: str, node: Any, scope: Scope, mark: str) -> Value:
        one, two = (text(side, word.lower()) for side in self._both(node, scope))
        plain = two.literal is not None and "\\" not in two.literal
        escape = mark or ("" if plain else " ESCAPE '\\'")
        negated = "NOT " if node.args.get("negate") else ""
        return Value(f"({one.sql} {negated}{word} {two.sql}{escape})", BOOLEAN)

    def _on_escape(self, node: Any, scope: Scope) -> Value:
        mark = node.expression
        if type(node.this).__name__ == "SimilarTo" and len(str(mark.this)) == 1:
            return self._on_similarto(node.this, scope, str(mark.this))
        if type(node.this).__name__ not in ("Like", "ILike") or len(str(mark.this)) != 1:
            raise refuse(node.sql("redshift")[:80], "escape with one character")
        rule = self._on_like if type(node.this).__name__ == "Like" else self._on_ilike
        return rule(node.this, scope, f" ESCAPE {string(str(mark.this))}")

    def _on_similarto(self, node: Any, scope: Scope, escape: str = "\\") -> Value:
        only(node, "this", "expression")
        one, two = self._both(node, scope)
        found = similar(two, escape)
        return Value(f"regexp_full_match({text(one, 'similar to').sql}, {found}, 's')", BOOLEAN)

    def _on_regexplike(self, node: Any, scope: Scope, flags: str = "s") -> Value:
        only(node, "this", "expression")
        one, two = self._both(node, scope)
        found = pattern(two, "~", test=True)
        return Value(f"regexp_matches({text(one, '~').sql}, {found}, '{flags}')", BOOLEAN)

    def _on_regexpilike(self, node: Any, scope: Scope) -> Value:
        return self._on_regexplike(node, scope, "si")

    # -- casts and choices -------------------------------------------------------------------------

    def _on_cast(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "to")
        target = _target(node.to)
        value = self.raw(node.this, scope)
        if target.kind == "varchar" and not node.to.expressions and text_length(value.type) > 256:
            raise refuse(
                f"a cast of {value.type} to varchar without a length",
                "write the length: Redshift takes 256 bytes where none is given",
            )
        named = value.label not in ("?column?", "case") and value.literal is None
        label = value.label if named else _LABELS.get(target.kind, target.kind)
        made = vary(lambda one: self.cast(one[0], target), [value])
        return replace(made, label=label, places=None)

    def cast(self, value: Value, target: Type) -> Value:
        """What CAST(value AS target) gives, of whatever type."""
        return json_texts.cast(value, target)

    def assign(self, value: Value, target: Type, column: str) -> str:
        """`value` as INSERT and UPDATE store it in a column of that type."""
        return assign(value, target, column, self.cast)

    def _on_case(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "ifs", "default")
        subject = self.value(node.this, scope) if node.this else None
        tests, values = [], []
        for branch in node.args["ifs"]:
            if subject is None:
                tests.append(self.test(branch.this, scope))
            else:
                tests.append(
                    arithmetic.comparison("=", subject, self.value(branch.this, scope)).sql
                )
            values.append(self.raw(branch.args["true"], scope))
        default = node.args.get("default")
        if default is not None:
            values.append(self.raw(default, scope))

        def make(given: list[Value]) -> Value:
            common = unify((value.type for value in given), "case")
            made = [convert(value, common) for value in given]
            cases = " ".join(
                f"WHEN {test} THEN {then}" for test, then in zip(tests, made, strict=False)
            )
            other = f" ELSE {made[-1]}" if default is not None else ""
            return Value(f"(CASE {cases}{other} END)", common, "case")

        return vary(make, values)


_PLAIN: dict[Any, Type] = {}


def _target(node: Any) -> Type:
    """The type that a cast names; sqlglot takes its time to write one, so plain ones are asked once."""
    plain = not any(value for name, value in node.args.items() if name not in ("this", "nested"))
    if not plain or node.args.get("nested"):
        return parse_type(node.sql("redshift"))
    if node.this not in _PLAIN:
        text = "text" if str(node.this.name) == "TEXT" else node.sql("redshift")
        _PLAIN[node.this] = parse_type(text)
    return _PLAIN[node.this]
