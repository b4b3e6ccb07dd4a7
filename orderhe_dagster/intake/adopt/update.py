"""A contract brought up to the table that its MySQL has: only what stops or is told is changed.

Header, comments, descriptions and the order of the columns stay as their owner wrote them. What
differs is `catalog.drift`'s to say; nothing is read from a database or written to a file here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from orderhe_dagster.catalog.contract import items_of, read_contract, type_span
from orderhe_dagster.catalog.day_links import ARROW
from orderhe_dagster.catalog.drift import Change
from orderhe_dagster.catalog.errors import Problem, Problems
from orderhe_dagster.catalog.header import (
    Header,
    as_written,
    on_one_line,
    parts_of,
    read_header,
    unquoted,
)
from orderhe_dagster.catalog.header_keys import apply_keys
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.tokens import Cursor, Word, tokenize
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.intake.adopt.contract_text import items_by_name

_TYPES = ("widened", "narrowed", "re-typed", "enum members added")
_KEY_WORDS = frozenset(
    {"PRIMARY", "UNIQUE", "KEY", "INDEX", "FULLTEXT", "SPATIAL", "CONSTRAINT", "FOREIGN", "CHECK"}
)
_NAMING = ("partition", "cursor", "grain", "distkey", "sortkey", "pii", "leave_out", "bad_values")
"""Keys of a header that name columns."""


class NotUpdated(OrderheError):
    """A contract cannot be brought up to its table by itself; the text says why and what to do."""


@dataclass
class _Item:
    """One item between the brackets, with what stands around it: `lead text before [,] trailing`."""

    words: Sequence[Word]
    text: str
    lead: str = ""
    before: str = ""  # between the item and its comma
    trailing: str = ""  # behind the comma, on its line
    edits: list[tuple[Word, Word, str]] = field(default_factory=list)  # from, to, what instead

    @property
    def is_key(self) -> bool:
        """Whether it is a key or constraint, no column."""
        first = self.words[0]
        return first.sort == "word" and first.upper in _KEY_WORDS

    @property
    def name(self) -> str:
        """The column's name in lower case."""
        return self.words[0].text.lower()

    def edited(self) -> str:
        """The text with all edits."""
        start, result = self.words[0].start, self.text
        for first, last, new in sorted(self.edits, key=lambda edit: -edit[0].start):
            result = result[: first.start - start] + new + result[last.stop - start :]
        return result

    def take_out(self, at: int, count: int) -> None:
        """Take `count` words out, with the blank before them."""
        before, last = self.words[at - 1], self.words[at + count - 1]
        gap = Word("symbol", "", before.line, before.stop, before.stop)
        self.edits.append((gap, last, ""))


@dataclass
class _Contract:
    """A contract's text in pieces."""

    head: str
    items: list[_Item] = field(default_factory=list)
    tail: str = ""

    def joined(self) -> str:
        """The text again."""
        last = len(self.items) - 1
        body = "".join(
            f"{item.lead}{item.edited()}{item.before}{',' if at < last else ''}{item.trailing}"
            for at, item in enumerate(self.items)
        )
        return f"{self.head}{body}{self.tail}"

    @property
    def columns(self) -> list[_Item]:
        """The items that are columns."""
        return [item for item in self.items if not item.is_key]

    @property
    def keys(self) -> list[_Item]:
        """The items that are keys and constraints."""
        return [item for item in self.items if item.is_key]


def updated(
    table: Table, text: str, server_text: str, changes: Sequence[Change]
) -> tuple[str, Table]:
    """The contract's `text` with what stops or is told put right, and what it reads as.

    `server_text`: show create table. NotUpdated where the result would be no contract.
    """
    wanted = [change for change in changes if change.effect != "noted"]
    if not wanted:
        return text, table
    columns, keys, _ = items_by_name(table.name, server_text)
    contract = _cut(table.path, text)
    server = read_contract(table.path, table.name, server_text, Header("", {}), Problems())
    renamed = {c.column.lower(): c.renamed_to for c in wanted if c.kind == "renamed"}
    dropped = {c.column.lower() for c in wanted if c.kind == "dropped"}
    left_out = [c.column for c in wanted if c.kind == "added" and c.column.lower() not in columns]
    for item in contract.columns:
        for change in wanted:
            if change.column.lower() == item.name:
                _alter(table.path, text, item, change, server)
    for change in wanted:
        if change.kind == "primary key":
            _replace_primary_key(contract, keys)
    _rename(contract, renamed)
    for change in wanted:
        if change.kind == "added" and change.column.lower() in columns:
            order = [_renamed_back(column.source_name, renamed) for column in server.columns]
            _insert(contract, change.column, columns[change.column.lower()], order)
    _drop(contract, dropped)
    result = _header(contract.joined(), renamed, dropped, left_out)
    return result, _checked(table, result)


def _renamed_back(name: str, renamed: Mapping[str, str]) -> str:
    """The contract's name, in lower case, of a column that is called `name` in the shop now."""
    return next((old for old, new in renamed.items() if new == name), name.lower())


def _cut(path: str, text: str) -> _Contract:
    cursor = Cursor(path, text, tokenize(path, text, "mysql"))
    while cursor.here.sort != "end" and not cursor.sees("("):
        cursor.next()
    at = cursor.here.stop
    inside = cursor.block()
    end = cursor.words[cursor.at - 1].start
    contract = _Contract(text[:at])
    items = [item for item in items_of(inside) if item]
    for words, following in zip(items, [*items[1:], None], strict=True):
        start, stop = words[0].start, words[-1].stop
        item = _Item(words, text[start:stop], text[at:start])
        at, behind = stop, end
        if following is not None:
            comma = inside[1 + next(n for n, word in enumerate(inside) if word is words[-1])]
            item.before = text[stop : comma.start]
            at, behind = comma.stop, following[0].start
        if "\n" in text[at:behind]:
            item.trailing = text[at:behind].partition("\n")[0]
        at += len(item.trailing)
        contract.items.append(item)
    contract.tail = text[at:]
    return contract


def _alter(path: str, text: str, item: _Item, change: Change, server: Table) -> None:
    """Put a column's type and nulls right; its comments, default and description stay."""
    if change.kind == "null allowed":
        upper = [word.upper for word in item.words]
        at = next((n for n, pair in enumerate(pairwise(upper)) if pair == ("NOT", "NULL")), 0)
        if at:
            item.take_out(at, 2)
    elif change.kind in _TYPES:
        start, stop = type_span(path, text, item.words)
        words = [word for word in item.words if start <= word.start < stop]
        values = next(
            (one.values for one in server.columns if one.source_name.lower() == item.name), ()
        )
        both = bool(values) and words[0].text.lower() == "enum"
        new = _enum(words, values) if both else change.in_source
        item.edits.append((words[0], words[-1], new))


def _enum(words: Sequence[Word], theirs: Sequence[str]) -> str:
    """Our members, then the server's new ones: older rows may have what the server has no more."""
    ours = [word.text for word in words if word.sort == "string"]
    members = [*ours, *(value for value in theirs if value not in ours)]
    texts = ["'" + member.replace("\\", "\\\\").replace("'", "''") + "'" for member in members]
    return f"enum({', '.join(texts)})"


def _insert(contract: _Contract, name: str, text: str, order: Sequence[str]) -> None:
    """Put a new column behind the one that it follows in the shop's table; `order`: its columns.

    It may be null: the days that were loaded before it have no value of it.
    """
    places = {item.name: at for at, item in enumerate(contract.items) if not item.is_key}
    before = [one for one in order[: order.index(name.lower())] if one in places]
    at = places[before[-1]] if before else -1
    item = _Item(tokenize("", text, "mysql"), text)
    item.edits.append((item.words[0], item.words[0], as_written(name)))
    upper = [word.upper for word in item.words]
    null = next((n for n, pair in enumerate(pairwise(upper)) if pair == ("NOT", "NULL")), 0)
    if null:
        item.take_out(null, 2)
    beside = contract.items[max(at, 0)]
    _, line, indent = beside.lead.rpartition("\n")
    item.lead = f"\n{indent}" if line else " "
    if at < 0 and not line:
        item.lead, beside.lead = beside.lead, " "
    contract.items.insert(at + 1, item)


def _drop(contract: _Contract, names: set[str]) -> None:
    """Take columns out, and the keys over them; comments on lines above stay."""
    for item in list(contract.items):
        here = (
            {word.text.lower() for word in _key_columns(item.words)} if item.is_key else {item.name}
        )
        if not here & names:
            continue
        at = contract.items.index(item)
        above = item.lead.rpartition("\n")[0]
        if above.strip() and at + 1 < len(contract.items):
            contract.items[at + 1].lead = above + contract.items[at + 1].lead
        contract.items.remove(item)


def _key_columns(words: Sequence[Word]) -> list[Word]:
    """The words in the first brackets of a key that can be columns."""
    found, depth = [], 0
    for word in words:
        depth += word.upper == "("
        if word.upper == ")":
            depth -= 1
            if depth == 0:
                break
        if depth and word.sort in ("word", "name"):
            found.append(word)
    return found


def _rename(contract: _Contract, renamed: Mapping[str, str]) -> None:
    for item in contract.items:
        for word in _key_columns(item.words) if item.is_key else item.words[:1]:
            if word.text.lower() in renamed:
                item.edits.append((word, word, as_written(renamed[word.text.lower()])))


def _replace_primary_key(contract: _Contract, keys: Sequence[str]) -> None:
    """Take the contract's primary key out and put the server's in, where it has one."""
    for item in list(contract.items):
        upper = [word.upper for word in item.words]
        if item.is_key and "PRIMARY" in upper:
            contract.items.remove(item)
        elif not item.is_key and "PRIMARY" in upper:
            item.take_out(upper.index("PRIMARY"), 2)
    for key in keys:
        if key.upper().startswith("PRIMARY"):
            _, line, indent = contract.items[-1].lead.rpartition("\n")
            lead = f"\n{indent}" if line else " "
            contract.items.append(_Item(tokenize("", key, "mysql"), key, lead))


def _header(
    text: str, renamed: Mapping[str, str], dropped: set[str], left_out: Sequence[str]
) -> str:
    """The header's keys with columns renamed and dropped; what cannot be carried goes to @leave_out."""
    lines: list[str | None] = [*text.split("\n")]
    entries = read_header("", text, Problems()).entries
    for key in _NAMING:
        entry = entries.get(key)
        if entry is None:
            continue
        kept = [_renamed(part.strip(), key, renamed, dropped) for part in parts_of(entry.value)]
        kept += [on_one_line(name) for name in left_out if key == "leave_out"]
        before = text.split("\n")[entry.line - 1].partition("@")[0]
        listed = ", ".join(filter(None, kept))
        lines[entry.line - 1] = f"{before}@{key} {listed}" if listed else None
    if left_out and "leave_out" not in entries:
        at = next(
            n for n, line in enumerate(lines) if line and re.match(r"\s*create\b", line, re.I)
        )
        lines.insert(at, f"-- @leave_out {', '.join(map(on_one_line, left_out))}")
    return "\n".join(line for line in lines if line is not None)


def _renamed(part: str, key: str, renamed: Mapping[str, str], dropped: set[str]) -> str:
    """One column of a header's list as it is called now; '' where it is gone."""
    name, blank, policy = part.rpartition(" ") if key == "bad_values" else (part, "", "")
    if (
        key == "partition" and ARROW in part
    ):  # the way to a parent begins with a column of this table
        first, _, rest = part.partition(ARROW)
        return f"{_renamed(first.strip(), key, renamed, dropped)} {ARROW} {rest.strip()}"
    plain = unquoted(name).lower()
    if plain in dropped and key not in ("partition", "cursor"):  # those have to be chosen anew
        return ""
    return f"{on_one_line(renamed[plain]) if plain in renamed else name}{blank}{policy}"


def _checked(table: Table, text: str) -> Table:
    """What the new text reads as; NotUpdated where it is no contract."""
    problems = Problems()
    header = read_header(table.path, text, problems)
    try:
        made = read_contract(table.path, table.name, text, header, problems)
        made = apply_keys(made, header, problems)
    except Problem as problem:
        raise NotUpdated(_refusal(table, [problem])) from None
    if problems.items:
        raise NotUpdated(_refusal(table, problems.items))
    return made


def _refusal(table: Table, problems: Sequence[Problem]) -> str:
    told = "; ".join(problem.message for problem in problems)
    return (
        f"{table.name}: {table.path} as the shop's table is would be no contract: {told}. Put that right "
        "in the file by hand, and run this again"
    )
