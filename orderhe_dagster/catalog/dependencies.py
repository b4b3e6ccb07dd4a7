"""Which raw tables come before which by their foreign keys, made free of circles. No SQL is read here."""

from __future__ import annotations

from collections.abc import Mapping

from orderhe_dagster.catalog.table import Catalogue


def parents_of(catalogue: Catalogue) -> dict[str, tuple[str, ...]]:
    """Raw table -> the other raw tables that its foreign keys name, such that nobody waits in a circle.

    Where tables refer to each other, directly or around others, only references to a table that
    stands earlier in the catalogue count; a table's reference to itself never does.
    """
    tables = catalogue.layer("raw")
    place = {table.name: number for number, table in enumerate(tables)}
    refers = {
        table.name: {key.parent for key in table.foreign_keys if key.parent in place} - {table.name}
        for table in tables
    }
    ancestors = {name: _reached(name, refers) for name in refers}
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


def _reached(start: str, refers: Mapping[str, set[str]]) -> set[str]:
    """Every table that the references lead to from `start`; `start` itself if they come back."""
    found: set[str] = set()
    todo = list(refers[start])
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo.extend(refers[name])
    return found
