"""By which parent a table without a day of its own is cut: order lines by their order. Guesses only.

A foreign key leads there, or a column that is named after the parent and whose values are its keys.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.drift import contract_keys
from orderhe_dagster.catalog.header import as_written
from orderhe_dagster.catalog.table import Column, ForeignKey, Table
from orderhe_dagster.intake.adopt.choose import Choice, Seen
from orderhe_dagster.intake.adopt.words import event_of, is_part_of, nouns_of, singular, words_of
from orderhe_dagster.ports.source import Reference

LEAST_MATCHING = 0.98
"""So many of the values that were looked at must be keys of the parent."""
_MEANS_NOTHING = frozenset(("id", "uid", "uuid", "code", "key", "name", "value", "number", "no"))


@dataclass(frozen=True)
class Link:
    """A child's column and the parent's key that its values are; `is_declared`: by a foreign key."""

    child: Seen
    parent: Seen
    column: str
    key: str
    is_declared: bool

    @property
    def reference(self) -> Reference:
        """What the source is asked about it."""
        return Reference(self.child.table, self.column, self.parent.table, self.key)


def candidates(tables: Sequence[Seen], days: Mapping[str, Choice]) -> list[Link]:
    """The links by which tables without a day of their own could have a parent's.

    `days`: each table's own column, by its name. Only what happens on a day passes its day on.
    """
    undated = [one for one in tables if days[one.table.name].column is None]
    parents = [one for one in tables if one.is_event]
    return [
        link
        for child in undated
        for parent in parents
        if parent is not child and (link := _link(child, parent)) is not None
    ]


def through_parents(
    tables: Sequence[Seen], days: Mapping[str, Choice], links: Sequence[Link]
) -> dict[str, Choice]:
    """The way to a parent's day for each table that has one, by its name."""
    ways: dict[str, Choice] = {}
    of_child: dict[str, list[Link]] = {}
    for link in links:
        of_child.setdefault(link.child.table.name, []).append(link)
    last: dict[str, str] = {
        name: f".{as_written(choice.column)}" for name, choice in days.items() if choice.column
    }
    is_new = True
    while is_new:
        is_new = False
        for seen in tables:
            name = seen.table.name
            there = [link for link in of_child.get(name, ()) if link.parent.table.name in last]
            if name in last or not there:
                continue
            link = min(there, key=_order)
            parent = link.parent.table.name
            step = f"{as_written(link.column)} -> {_named(link)}"
            way = f"{step}{last[parent]}"
            ways[name] = Choice(way, _why(link), tuple(_costs(link)))
            last[name] = f".{as_written(link.column)} -> {_named(link)}{last[parent]}"
            is_new = True
    return ways


def _link(child: Seen, parent: Seen) -> Link | None:
    """The link from one table to the other; None where none is seen."""
    keys = _keys(parent.table)
    declared = _declared(child.table, parent, keys)
    if declared is not None:
        return Link(child, parent, *declared, is_declared=True)
    is_part = is_part_of(child.source_name, parent.source_name)
    for key in keys:
        for column in child.table.columns:
            called = _is_called_like(column.name, key) and (is_part or child.is_event)
            if not called and not (is_part and _is_named_after(column.name, parent, key)):
                continue
            if _alike(column, parent.table.column(key)):
                return Link(child, parent, column.name, key, is_declared=False)
    return None


def _declared(child: Table, parent: Seen, keys: Sequence[str]) -> tuple[str, str] | None:
    for foreign in child.foreign_keys:
        if len(foreign.columns) == 1 and _is_of(foreign, parent):
            key = next((k for k in keys if k.lower() == foreign.parent_columns[0].lower()), None)
            if key is not None and _alike(
                child.column(foreign.columns[0]), parent.table.column(key)
            ):
                return foreign.columns[0], key
    return None


def _is_of(foreign: ForeignKey, parent: Seen) -> bool:
    names = {parent.table.name.lower(), parent.source_name.lower()}
    return bool(foreign.parent_columns) and foreign.parent.lower() in names


def _keys(table: Table) -> list[str]:
    """The columns that are unique by themselves, the primary key first."""
    spelling = {column.name.lower(): column.name for column in table.columns}
    keys = contract_keys(table)
    alone = [key[0] for key in (keys.primary, *sorted(keys.unique)) if len(key) == 1]
    return [spelling[name] for name in dict.fromkeys(alone) if name in spelling]


def _is_called_like(column: str, key: str) -> bool:
    """Whether a child's column has the very name of the parent's key, and that says something."""
    words = words_of(column)
    return words == words_of(key) and not {*words} <= _MEANS_NOTHING


def _is_named_after(column: str, parent: Seen, key: str) -> bool:
    """Whether a child's column is called like the parent, with the name of its key or without."""
    words = tuple(singular(word) for word in words_of(column))
    of_key = tuple(singular(word) for word in words_of(key))
    name = event_of(parent.source_name)
    return words in ((*name, *of_key), (*of_key, *name), (*name, "id"), ("id", *name), name)


def _alike(ours: Column, theirs: Column) -> bool:
    """Whether values of the two can be equal for certain: numbers of one scale, or one kind."""
    numbers = ("smallint", "integer", "bigint", "decimal")
    if ours.type.kind in numbers and theirs.type.kind in numbers:
        return ours.type.scale == theirs.type.scale
    return ours.type.kind == theirs.type.kind and ours.type.kind not in ("real", "double")


def _order(link: Link) -> tuple[bool, bool, bool, int]:
    """Which of several links is taken: to what the table is part of, by a key, by its first columns."""
    child, parent = link.child, link.parent
    places = [column.name for column in child.table.columns]
    return (
        not is_part_of(child.source_name, parent.source_name),
        link.column not in child.table.grain,
        not link.is_declared,
        places.index(link.column),
    )


def _named(link: Link) -> str:
    """The parent as @partition names it: with its key where that is not its own."""
    table, keys = link.parent.table, _keys(link.parent.table)
    primary = contract_keys(table).primary
    own = keys[0] if len(primary) == 1 or len(keys) == 1 else ""
    return table.name if link.key == own else f"{table.name}({as_written(link.key)})"


def _why(link: Link) -> str:
    by = "foreign key" if link.is_declared else "its values are keys there"
    return f"no day of its own: that of its row in {link.parent.source_name} ({by})"


def _costs(link: Link) -> Iterator[str]:
    if link.column not in link.child.indexed and link.child.rows:
        child = link.child
        index = quoted(f"{nouns_of(child.source_name)[-1]}_{link.column}"[:64], "mysql")
        yield (
            f"no index on {link.column}: every night reads all {child.rows:,} rows; create index {index} "
            f"on {quoted(child.source_name, 'mysql')} "
            f"({quoted(child.table.source_column(link.column), 'mysql')})"
        )
