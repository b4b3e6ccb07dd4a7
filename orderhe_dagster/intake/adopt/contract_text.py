"""MySQL's own `show create table`, as the text of a contract: what cannot be carried is left out and told.

A table is refused as a whole (`Refused`) only where nothing of it can be carried. What we call it is
`names`'.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field

from orderhe_dagster.catalog.contract import items_of, read_contract
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.errors import Problem, Problems
from orderhe_dagster.catalog.header import Header
from orderhe_dagster.catalog.reader import named_in_source
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.tokens import Cursor, Word, tokenize
from orderhe_dagster.errors import OrderheError

_KEYS = (
    "PRIMARY",
    "UNIQUE",
    "KEY",
    "INDEX",
    "FULLTEXT",
    "SPATIAL",
    "CONSTRAINT",
    "FOREIGN",
    "CHECK",
)
_VERSIONS = re.compile(r"\s*WITH SYSTEM VERSIONING", re.IGNORECASE)
_COUNTER = re.compile(r"\s*AUTO_INCREMENT=\d+", re.IGNORECASE)


class Refused(OrderheError):
    """No contract can be written of this table; the text says why and what to do."""


@dataclass(frozen=True)
class Written:
    """The text of a contract without its header, the table it reads as, and what was left out."""

    body: str
    table: Table
    left_out: tuple[str, ...]
    columns_left_out: tuple[str, ...] = ()


@dataclass
class _Items:
    """The items between the brackets, as texts; and what was left out of them."""

    columns: dict[str, str] = field(default_factory=dict)
    keys: list[tuple[str, list[Word]]] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    columns_left_out: list[str] = field(default_factory=list)


def contract_of(name: str, source_name: str, text: str, parents: Collection[str]) -> Written:
    """The contract `name` of the source's table `source_name`, which `text` (show create table) makes.

    `parents`: the source's names of the tables that have contracts too.
    """
    path = f"raw/{name}.sql"
    words = tokenize(path, text, "mysql")
    cursor = Cursor(path, text, words)
    while cursor.here.sort != "end" and not cursor.sees("("):
        cursor.next()
    inside = cursor.block()
    items = _items(path, text, inside)
    kept = [*items.columns.values()]
    if not kept:
        raise Refused(f"none of its columns can be carried: {'; '.join(items.left_out)}")
    for key, key_words in items.keys:
        why = _not_kept(path, key, key_words, items, parents)
        if why:
            items.left_out.append(why)
        else:
            kept.append(key)
    options = _COUNTER.sub("", _VERSIONS.sub("", _plain_options(text[words[cursor.at - 1].stop :])))
    listed = ",\n".join(f"  {item}" for item in kept)
    body = f"CREATE TABLE {quoted(source_name, 'mysql')} (\n{listed}\n){options}".rstrip()
    problems = Problems()
    try:
        table = read_contract(path, name, body, Header("", {}), problems)
    except Problem as problem:
        raise Refused(problem.message) from None
    if problems.items:
        raise Refused("; ".join(problem.message for problem in problems.items))
    return Written(body, table, tuple(items.left_out), tuple(items.columns_left_out))


def items_by_name(name: str, text: str) -> tuple[dict[str, str], list[str], list[str]]:
    """Of a `create table`: its columns' texts by name, its keys' texts, the columns no contract can hold.

    Names of columns are in lower case.
    """
    path = f"raw/{name}.sql"
    cursor = Cursor(path, text, tokenize(path, text, "mysql"))
    while cursor.here.sort != "end" and not cursor.sees("("):
        cursor.next()
    items = _items(path, text, cursor.block())
    return items.columns, [key for key, _ in items.keys], items.columns_left_out


def _items(path: str, text: str, inside: Sequence[Word]) -> _Items:
    """What stands between the brackets, sorted: columns, keys, and what no contract can hold."""
    items, computed = _Items(), dict[str, list[Word]]()
    for words in filter(None, items_of(inside)):
        item = text[words[0].start : words[-1].stop]
        if words[0].sort == "word" and words[0].upper in _KEYS:
            items.keys.append((item, words))
        elif words[0].upper == "PERIOD":
            items.left_out.append("period for system_time: the versions of rows stay in MariaDB")
        elif words[0].text.lower() in items.columns:
            other = items.columns[words[0].text.lower()]
            items.left_out.append(
                f"column {words[0].text!r}: to the warehouse it is called like another, {_short(other)}"
            )
            items.columns_left_out.append(words[0].text)
        elif why := _unreadable(path, item):
            items.left_out.append(why)
            items.columns_left_out.append(words[0].text)
        else:
            items.columns[words[0].text.lower()] = item
            if any(word.upper == "AS" for word in words):
                computed[words[0].text.lower()] = words
    _leave_out_computed(items, computed)
    return items


def _leave_out_computed(items: _Items, computed: dict[str, list[Word]]) -> None:
    """Leave out the columns that are computed from one that is left out, directly or around others."""
    lost = True
    while lost:
        lost = False
        for name, words in list(computed.items()):
            names = [word.text for word in words if word.sort == "name"]
            missing = [other for other in names if other.lower() not in items.columns]
            if missing:
                items.left_out.append(f"column {name!r} is computed from {', '.join(missing)}")
                items.columns_left_out.append(words[0].text)
                del items.columns[name], computed[name]
                lost = True


def _unreadable(path: str, item: str) -> str | None:
    """Why a contract cannot hold this item; None where it can."""
    problems = Problems()
    try:
        read_contract(path, "t", f"create table t (\n{item}\n)", Header("", {}), problems)
    except Problem as problem:
        return problem.message
    return problems.items[0].message if problems.items else None


def _not_kept(
    path: str, key: str, words: list[Word], items: _Items, parents: Collection[str]
) -> str | None:
    """Why a key or constraint is left out; None where it is kept."""
    cursor = Cursor(path, key, words)
    kind = {word.upper for word in words if word.sort == "word"}
    missing = [name for name in _columns_of(cursor) if name not in items.columns]
    why = None
    if words[0].upper in ("FULLTEXT", "SPATIAL"):
        why = "an index that nothing of the road uses"
    elif missing:
        why = f"it needs {', '.join(missing)}, which is left out"
    elif "REFERENCES" in kind:
        parent = _parent(words)
        named = named_in_source(parent, dict.fromkeys(parents, parent))
        why = None if named else f"{parent} has no contract here"
    elif {"PRIMARY", "UNIQUE"} & kind:
        why = _unreadable(path, ",\n".join([*items.columns.values(), key]))
    return f"{_short(key)}: {why}" if why else None


def _columns_of(cursor: Cursor) -> list[str]:
    """The columns that a key or check names in its first brackets, in lower case."""
    while cursor.here.sort != "end" and not cursor.sees("("):
        cursor.next()
    return [word.text.lower() for word in cursor.block() if word.sort == "name"]


def _parent(words: Sequence[Word]) -> str:
    """The table that a foreign key refers to; with its database where that is told."""
    at = next(number for number, word in enumerate(words) if word.upper == "REFERENCES")
    names = []
    for word in words[at + 1 :]:
        if word.upper == "(":
            break
        names.append(word.text)
    return "".join(names)


def _plain_options(text: str) -> str:
    """The options behind the brackets, without what MySQL hides in comments (its own partitions)."""
    return re.sub(r"\s*/\*.*?\*/", "", text, flags=re.DOTALL)


def _short(key: str) -> str:
    shown = " ".join(key.split())
    return shown if len(shown) <= 60 else shown[:59] + "…"
