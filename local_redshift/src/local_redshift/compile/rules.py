"""Every rule of the compiler by the kind of node that it is for: three tables, no kind in two modules.

A kind is sqlglot's `key` of a node, so that no tree is loaded here. Where one kind means several things
(a cast to `regclass`, a bracket behind `current_schemas`, GROUPING among the calls), the one rule for
it asks first for the rare meaning, by the name of a function of the module that knows it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from local_redshift.compile import (
    calls,
    catalogue_forms,
    comparisons,
    conversions,
    literals,
    operators,
    queries,
    references,
    sources,
)

_R = TypeVar("_R")


def together(*tables: Mapping[str, _R]) -> dict[str, _R]:
    """The tables as one. ValueError where two of them have a rule for one kind of node."""
    rules: dict[str, _R] = {}
    for table in tables:
        if twice := sorted(rules.keys() & table.keys()):
            raise ValueError(f"two rules for one kind of node: {', '.join(twice)}")
        rules.update(table)
    return rules


VALUES = together(
    literals.VALUES,
    references.VALUES,
    operators.VALUES,
    comparisons.VALUES,
    conversions.VALUES,
    calls.VALUES,
    catalogue_forms.VALUES,
)
"""What stands in an expression."""
QUERIES = together(queries.QUERIES)
"""What is a query."""
SOURCES = together(sources.SOURCES)
"""What stands in FROM."""
