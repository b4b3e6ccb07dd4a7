"""What waits for what besides what a select reads: foreign keys and checks, made free of circles."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Mapping
from functools import wraps
from typing import Literal, TypeVar

from orderhe_dagster.catalog.table import Catalogue, Table, TableRef

Node = TypeVar("Node", bound=Hashable)
Derived = TypeVar("Derived")
Step = tuple[Literal["table", "checks"], TableRef]
"""A table is built, or the checks of a table are judged."""


def _once(derive: Callable[[Catalogue], Derived]) -> Callable[[Catalogue], Derived]:
    """Derive it from a catalogue once, and give the same again."""

    @wraps(derive)
    def derived(catalogue: Catalogue) -> Derived:
        known = catalogue.derived
        if derive.__name__ not in known:
            known[derive.__name__] = derive(catalogue)
        result: Derived = known[derive.__name__]
        return result

    return derived


@_once
def foreign_key_parents(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Raw table -> the other raw tables that its foreign keys name, or that tell its rows their days.

    Such that nobody waits in a circle.

    Where tables refer to each other, directly or around others, only references to a table that
    stands earlier in the catalogue count; a table's reference to itself never does.
    """
    tables = catalogue.layer("raw")
    place = {table.name: number for number, table in enumerate(tables)}
    refers = {
        table.name: {name for name in _parents(table) if name in place} - {table.name}
        for table in tables
    }
    ancestors = {name: _reachable(name, refers) for name in refers}
    return {
        child: tuple(
            sorted(
                parent
                for parent in parents
                if child not in ancestors[parent] or place[parent] < place[child]
            )
        )
        for child, parents in refers.items()
    }


def _parents(table: Table) -> list[str]:
    steps = [step.parent.name for step in table.day_through]
    return [*steps, *(key.parent for key in table.foreign_keys)]


@_once
def check_dependencies(catalogue: Catalogue) -> dict[TableRef, tuple[TableRef, ...]]:
    """Table -> the other tables that its checks of `sql/checks/` read and are to wait for.

    Whatever waits for a table waits for its checks, too. So a table that is itself built or checked
    after these checks is left out: both would wait for ever. Names are SQL's: `warehouse.x` for a
    contract.
    """
    follows: dict[Step, set[Step]] = {}

    def add(first: Step, then: Step) -> None:
        follows.setdefault(first, set()).add(then)

    parents = foreign_key_parents(catalogue)
    for table in catalogue.tables:
        own = table.read_as
        add(("table", own), ("checks", own))
        for ref in table.depends_on:
            add(("checks", ref), ("table", own))
        for parent in parents.get(table.name, ()) if table.layer == "raw" else ():
            add(("checks", TableRef("warehouse", parent)), ("checks", own))
    awaited: dict[TableRef, list[TableRef]] = {}
    for check in catalogue.checks:
        checks: Step = ("checks", check.table)
        for ref in check.reads:
            others = awaited.setdefault(check.table, [])
            if ref not in others and ("checks", ref) not in _reachable(checks, follows):
                add(("checks", ref), checks)
                others.append(ref)
    return {table: tuple(refs) for table, refs in awaited.items()}


def _reachable(start: Node, graph: Mapping[Node, Iterable[Node]]) -> set[Node]:
    """Every node that the arrows lead to from `start`; `start` itself if they come back."""
    reachable: set[Node] = set()
    open_ends = [start]
    while open_ends:
        for node in graph.get(open_ends.pop(), ()):
            if node not in reachable:
                reachable.add(node)
                open_ends.append(node)
    return reachable
