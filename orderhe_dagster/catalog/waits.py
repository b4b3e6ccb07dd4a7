"""Which tables a table's checks wait for because they read them too, made free of circles. No SQL here."""

from __future__ import annotations

from collections.abc import Mapping

from orderhe_dagster.catalog.dependencies import parents_of
from orderhe_dagster.catalog.table import Catalogue, TableRef


def waits_of(catalogue: Catalogue) -> dict[TableRef, tuple[TableRef, ...]]:
    """Table -> the other tables that its checks of `sql/checks/` read and are to wait for.

    Whatever waits for a table waits for its checks, too. So a table that is itself built or checked
    after these checks is left out: both would wait for ever. Names are SQL's: `warehouse.x` for a
    contract.
    """
    follows: dict[tuple[str, TableRef], set[tuple[str, TableRef]]] = {}

    def add(first: tuple[str, TableRef], then: tuple[str, TableRef]) -> None:
        follows.setdefault(first, set()).add(then)

    parents = parents_of(catalogue)
    for table in catalogue.tables:
        own = table.read_as
        add(("table", own), ("checks", own))
        for ref in table.depends_on:
            add(("checks", ref), ("table", own))
        for parent in parents.get(table.name, ()) if table.layer == "raw" else ():
            add(("checks", TableRef("warehouse", parent)), ("checks", own))
    found: dict[TableRef, list[TableRef]] = {}
    for check in catalogue.checks:
        checks = ("checks", check.table)
        for ref in check.reads:
            known = found.setdefault(check.table, [])
            if ref not in known and ("checks", ref) not in _reached(checks, follows):
                add(("checks", ref), checks)
                known.append(ref)
    return {table: tuple(refs) for table, refs in found.items()}


def _reached(
    start: tuple[str, TableRef], follows: Mapping[tuple[str, TableRef], set[tuple[str, TableRef]]]
) -> set[tuple[str, TableRef]]:
    """Everything that comes after `start`."""
    found: set[tuple[str, TableRef]] = set()
    todo = [start]
    while todo:
        for step in follows.get(todo.pop(), ()):
            if step not in found:
                found.add(step)
                todo.append(step)
    return found
