"""The ends of an expression's tree: literals, names, clocks; and how a node finds its rule."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import json_texts, times
from local_redshift.functions import registry as functions
from local_redshift.read.dialect import name, string
from local_redshift.values import arithmetic
from local_redshift.values.arguments import Moment
from local_redshift.values.scope import Cte, Query, Scope
from local_redshift.values.types import (
    BIGINT,
    BOOLEAN,
    INTEGER,
    UNKNOWN,
    Type,
    decimal,
)
from local_redshift.values.value import Value, settle, vary

if TYPE_CHECKING:
    from sqlglot import exp

    Node = exp.Expression

_SIGNS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "mod": "%"}
_COMPARED = {"eq": "=", "neq": "<>", "lt": "<", "lte": "<=", "gt": ">", "gte": ">="}


def only(node: Any, *known: str) -> None:
    """Refuse a node that says more than the rule for it reads."""
    for key, value in node.args.items():
        if key not in known and value not in (None, False, []) and not key.startswith("_"):
            raise refuse(f"{key.strip('_').replace('_', ' ')} in {node.sql('redshift')[:80]}")


class Leaves:
    """Finds the rule of each node by its kind; has those of nodes without operands."""

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
            try:
                return scope.column(str(node.name).lower(), str(table.name).lower(), within)
            except RedshiftError as error:
                if error.code not in ("42P01", "42703"):
                    raise
                return self._members(node, scope, error)
        return scope.column(name(node.this), None)

    def _on_dot(self, node: Any, scope: Scope) -> Value:
        """`value.key` of a super; after a bracket, as `a.b` alone is read as a column."""
        value = self._stepped(node, scope)
        if node.expression.key != "identifier":
            raise refuse(f"{node.sql('redshift')[:80]}", "only a super has members")
        return json_texts.step(value, str(node.expression.name).lower())

    def _on_bracket(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "expressions")
        value, places = self._stepped(node, scope), node.expressions
        if len(places) != 1 or not str(places[0].name).isdigit():
            raise refuse(f"{node.sql('redshift')[:80]}", "write a super and a literal place")
        return json_texts.element(value, int(places[0].name))

    def _members(self, node: Any, scope: Scope, missing: RedshiftError) -> Value:
        """`column.key` and `column.key.key` of a super, which read like a table's column."""
        names = [str(part.name).lower() for part in node.parts]
        try:
            value, rest = scope.column(names[1], names[0]), names[2:]
        except RedshiftError:
            try:
                value, rest = scope.column(names[0]), names[1:]
            except RedshiftError:
                raise missing from None
        if value.type.kind != "super":
            raise missing
        for key in rest:
            value = json_texts.step(value, key)
        return value

    def _stepped(self, node: Any, scope: Scope) -> Value:
        """What a step starts from: a column, or a step in one, as Amazon's examples have it."""
        if node.this.key in ("column", "dot", "bracket"):
            value = self.raw(node.this, scope)
            if value.type.kind == "super":
                return value
        raise refuse(f"{node.sql('redshift')[:80]}", "only a column of super has members")

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
        only(node, "this", "unit", "fraction_in_string")
        unit = node.args.get("unit")
        if node.this.key != "literal":
            raise refuse(f"the interval {node.sql('redshift')}", "write it as '3 days'")
        return times.interval(f"{node.this.name} {unit.name if unit else ''}")

    def _on_attimezone(self, node: Any, scope: Scope) -> Value:
        only(node, "this", "zone")
        return times.at_zone(self.value(node.this, scope), self.value(node.args["zone"], scope))
