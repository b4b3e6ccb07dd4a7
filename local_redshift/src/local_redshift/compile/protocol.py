"""What a rule is, and what it may ask of the compiler. The compiler itself: `compiler`; the rules: beside."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from local_redshift.errors import refuse
from local_redshift.values.arguments import Context
from local_redshift.values.scope import Cte, Query, Scope
from local_redshift.values.types import Type
from local_redshift.values.uses import Uses
from local_redshift.values.value import Value

if TYPE_CHECKING:
    from sqlglot import exp

    Node = exp.Expression

Lookup = Callable[[str | None, str], Query]
"""Schema (None: the search path) and name of a table, to what it stands for in FROM."""


class Compiler(Protocol):
    """Turns the tree of a query, and of what stands in one, into DuckDB text by a table of rules.

    A rule is a plain function that is given the compiler first, and asks it for the parts of its node.
    """

    context: Context
    lookup: Lookup
    uses: Uses
    """What was compiled so far needs this, and whatever is written puts what it needs here."""

    def value(self, node: Node, scope: Scope) -> Value:
        """The compiled expression, its digits certain. RedshiftError names what has no rule."""

    def raw(self, node: Node, scope: Scope) -> Value:
        """The compiled expression; it may carry others that differ in a digit not documented."""

    def test(self, node: Node, scope: Scope) -> str:
        """A condition: an expression that must be boolean."""

    def query(self, node: Node, parent: Scope | None, ctes: dict[str, Cte]) -> Query:
        """Any query: a select, a set operation, or one of them in brackets."""

    def source(self, node: Node, scope: Scope) -> str:
        """A table or a subquery in FROM: adds it to the scope and gives its text."""

    def cast(self, value: Value, target: Type) -> Value:
        """What CAST(value AS target) gives."""

    def assign(self, value: Value, target: Type, column: str) -> str:
        """`value` as INSERT and UPDATE store it in a column of that type."""


ValueRule = Callable[[Compiler, Any, Scope], Value]
"""One kind of node in an expression: the compiler, the node, the names around it."""
QueryRule = Callable[[Compiler, Any, Scope | None, dict[str, Cte]], Query]
"""One kind of query: the compiler, the node, the names around it, the queries that WITH has named."""
SourceRule = Callable[[Compiler, Any, Scope], str]
"""One kind of thing in FROM: the compiler, the node, the scope that it is added to."""


def only(node: Any, *known: str) -> None:
    """Refuse a node that says more than the rule for it reads."""
    for key, value in node.args.items():
        if key not in known and value not in (None, False, []) and not key.startswith("_"):
            raise refuse(f"{key.strip('_').replace('_', ' ')} in {node.sql('redshift')[:80]}")


def both(compiler: Compiler, node: Any, scope: Scope) -> tuple[Value, Value]:
    """The two sides of an operator."""
    return compiler.value(node.this, scope), compiler.value(node.expression, scope)
