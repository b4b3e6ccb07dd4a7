"""Expressions: each kind of node of the tree has a method here, or is refused. Queries: `translate`."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orderhe_dagster.redshift_standin import arithmetic, functions, times
from orderhe_dagster.redshift_standin.arguments import Moment, text
from orderhe_dagster.redshift_standin.casts import (
    Value,
    cast,
    comparable,
    convert,
    settle,
    text_length,
    vary,
)
from orderhe_dagster.redshift_standin.dialect import name, string
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.scope import Cte, Query, Scope
from orderhe_dagster.redshift_standin.texts import pattern
from orderhe_dagster.redshift_standin.types import (
    BIGINT,
    BOOLEAN,
    INTEGER,
    INTERVAL,
    UNKNOWN,
    Type,
    decimal,
    parse_type,
    unify,
    varchar,
)

if TYPE_CHECKING:
    from sqlglot import exp

    Node = exp.Expression

_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}
_COMPARED = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}
_LABELS = {"integer": "int4", "bigint": "int8", "smallint": "int2", "double": "float8",
           "real": "float4", "decimal": "numeric", "boolean": "bool"}  # fmt: skip


def only(node: Any, *known: str) -> None:
    """Refuse a node that says more than the rule for it reads."""
    for key, value in node.args.items():
        if key not in known and value not in (None, False, []) and not key.startswith("_"):
            raise refuse(f"{key.strip('_').replace('_', ' ')} in {node.sql('redshift')[:80]}")


class Expressions:
    """Turns the tree of an expression into DuckDB text with a Redshift type."""

    moment: Moment

    def query(self, node: Node, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        """Translate a subquery; given by `translate`."""
        raise RedshiftError("XX000", "an expression cannot hold a query here")

    def value(self, node: Node, scope: Scope) -> Value:
        """The translated expression, its digits certain. RedshiftError names what has no rule."""
        return settle(self.raw(node, scope))

    def raw(self, node: Node, scope: Scope) -> Value:
        """The translated expression; it may carry others that differ in a digit not documented."""
        key = type(node).__name__.lower()
        if key in _SIGNS:
            only(node, "this", "expression", "typed", "safe")
            sign = _SIGNS[key]
            return vary(lambda both: arithmetic.arithmetic(sign, *both), self._raws(node, scope))
        if key in _COMPARED:
            only(node, "this", "expression")
            compared = _COMPARED[key]
            return vary(
                lambda both: arithmetic.comparison(compared, *both), self._raws(node, scope)
            )
        rule = getattr(self, f"_on_{key}", None)
        if rule is None:
            raise refuse(f"{key} ({node.sql('redshift')[:80]})")
        value: Value = rule(node, scope)
        return value

    def test(self, node: Node, scope: Scope) -> str:
        """A condition: an expression that must be boolean."""
        value = self.value(node, scope)
        if value.type.kind == "unknown" and value.literal is None:
            return "NULL::BOOLEAN"
        if value.type.kind != "boolean":
            raise RedshiftError("42804", f"a condition must be boolean, not {value.type}")
        return value.sql

    def _both(self, node: Any, scope: Scope) -> tuple[Value, Value]:
        return self.value(node.this, scope), self.value(node.expression, scope)

    def _raws(self, node: Any, scope: Scope) -> list[Value]:
        return [self.raw(node.this, scope), self.raw(node.expression, scope)]

    # -- leaves ------------------------------------------------------------------------------------

    def _on_literal(self, node: Any, scope: Scope) -> Value:
        text = str(node.this)
        if node.args.get("is_string"):
            if "\\" in text:
                raise refuse(f"a backslash in {text!r}", "write chr(92) for a backslash")
            if "\0" in text:
                raise RedshiftError("22021", "a text cannot hold the character 0")
            length = max(len(text.encode("utf-8")), 1)
            return Value(string(text), Type("unknown", length=length), literal=text)
        if text.isdigit():
            number = int(text)
            type_ = INTEGER if number < 2**31 else BIGINT if number < 2**63 else decimal(38, 0)
            return Value(f"CAST({text} AS {type_.carrier})", type_, literal=text)
        whole, _, places = text.partition(".")
        if not (whole + places).isdigit():
            raise refuse(f"the number {text}", "write it without an exponent, or as '…'::float8")
        scale = len(places)
        type_ = decimal(max(len(whole.lstrip("0")) + scale, 1), scale)
        return Value(f"CAST('{text}' AS {type_.carrier})", type_, literal=text)

    def _on_null(self, node: Any, scope: Scope) -> Value:
        return Value("NULL", UNKNOWN)

    def _on_boolean(self, node: Any, scope: Scope) -> Value:
        return Value("true" if node.this else "false", BOOLEAN, "bool")

    def _on_column(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "table", "db")
        table, schema = node.args.get("table"), node.args.get("db")
        if table is not None:
            within = str(schema.name).lower() if schema else None
            return scope.column(str(node.name).lower(), str(table.name).lower(), within)
        return scope.column(name(node.this), None)

    def _on_paren(self, node: Any, scope: Scope) -> Value:
        value = self.raw(node.this, scope)
        return value if value.literal is not None else replace(value, sql=f"({value.sql})")

    def _on_currentdate(self, node: Any, scope: Scope) -> Value:
        only(node)
        return times.today(self.moment.now)

    def _on_currenttimestamp(self, node: Any, scope: Scope) -> Value:
        if not node.args.get("sysdate"):
            raise refuse("current_timestamp", "use getdate() or sysdate")
        return replace(times.fixed(self.moment.began, True), label="timestamp")

    def _on_currentuser(self, node: Any, scope: Scope) -> Value:
        return functions.call("current_user", [], self.moment)

    def _on_currentschema(self, node: Any, scope: Scope) -> Value:
        return functions.call("current_schema", [], self.moment)

    def _on_interval(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "unit")
        unit, count = node.args.get("unit"), node.this
        if unit is None or not str(count.name).lstrip("-").isdigit():
            raise refuse(f"the interval {node.sql('redshift')}", "write it as '3 days'")
        word = times.part(
            Value("", varchar(1), str(unit.name)), "interval", ("dow", "doy", "epoch")
        )
        return Value(f"INTERVAL '{count.name} {word}'", INTERVAL)

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
        escape = mark or ("" if two.literal is not None else " ESCAPE '\\'")
        negated = "NOT " if node.args.get("negate") else ""
        return Value(f"({one.sql} {negated}{word} {two.sql}{escape})", BOOLEAN)

    def _on_escape(self, node: Any, scope: Scope) -> Value:
        mark = node.expression
        if type(node.this).__name__ not in ("Like", "ILike") or len(str(mark.this)) != 1:
            raise refuse(node.sql("redshift")[:80], "escape with one character")
        rule = self._on_like if type(node.this).__name__ == "Like" else self._on_ilike
        return rule(node.this, scope, f" ESCAPE {string(str(mark.this))}")

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
        plain = str(node.to.this.name) == "TEXT" and not node.to.expressions
        target = parse_type("text" if plain else node.to.sql("redshift"))
        value = self.raw(node.this, scope)
        if target.kind == "varchar" and not node.to.expressions and text_length(value.type) > 256:
            raise refuse(
                f"a cast of {value.type} to varchar without a length",
                "write the length: Redshift takes 256 bytes where none is given",
            )
        named = value.label not in ("?column?", "case") and value.literal is None
        label = value.label if named else _LABELS.get(target.kind, target.kind)
        made = vary(lambda one: cast(one[0], target), [value])
        return replace(made, label=label, places=None)

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
