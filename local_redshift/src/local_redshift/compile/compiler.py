"""The compiler of queries: finds the rule for each node. What a rule does: the modules of `rules`.

Nothing of the input passes through: the text is made from what the rules know, so a construct
without a rule cannot run. Stars are expanded, columns qualified, types known everywhere.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from local_redshift.compile.catalogue_forms import is_true
from local_redshift.compile.protocol import Lookup
from local_redshift.compile.rules import QUERIES, SOURCES, VALUES
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions import json_texts
from local_redshift.values import casts
from local_redshift.values.arguments import Context
from local_redshift.values.scope import Cte, Query, Scope
from local_redshift.values.types import Type
from local_redshift.values.value import Value, settle

if TYPE_CHECKING:
    from local_redshift.compile.protocol import Node


class RuleCompiler:
    """Compiles queries against the tables that `lookup` knows, by the tables of `rules`."""

    def __init__(self, lookup: Lookup, context: Context) -> None:
        self.lookup, self.context = lookup, context
        self.uses = context.uses

    def query(self, node: Node, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        """Any query: a select, a set operation, or one of them in brackets."""
        rule = QUERIES.get(node.key)
        if rule is None:
            raise refuse(f"{node.key} as a query ({node.sql('redshift')[:60]})", "write a select")
        return rule(self, node, parent, ctes)

    def source(self, node: Node, scope: Scope) -> str:
        """A table or a subquery in FROM: adds it to the scope and gives its text."""
        rule = SOURCES.get(node.key)
        if rule is None:
            raise refuse(
                f"{node.sql('redshift')[:60]} in FROM", "select from tables and subqueries"
            )
        return rule(self, node, scope)

    def raw(self, node: Node, scope: Scope) -> Value:
        """The compiled expression; it may carry others that differ in a digit not documented."""
        rule = VALUES.get(node.key)
        if rule is None:
            raise refuse(f"{node.key} ({node.sql('redshift')[:80]})")
        return rule(self, node, scope)

    def value(self, node: Node, scope: Scope) -> Value:
        """The compiled expression, its digits certain. RedshiftError names what has no rule."""
        return settle(self.raw(node, scope))

    def test(self, node: Node, scope: Scope) -> str:
        """A condition: an expression that must be boolean."""
        if is_true(node, scope):
            return "true"
        value = self.value(node, scope)
        if value.type.kind == "unknown" and value.literal is None:
            return "NULL::BOOLEAN"
        if value.type.kind != "boolean":
            raise RedshiftError("42804", f"a condition must be boolean, not {value.type}")
        return value.sql

    def cast(self, value: Value, target: Type) -> Value:
        """What CAST(value AS target) gives."""
        return json_texts.cast(value, target, self.uses)

    def assign(self, value: Value, target: Type, column: str) -> str:
        """`value` as INSERT and UPDATE store it in a column of that type."""
        return casts.assign(value, target, column, self.cast)
