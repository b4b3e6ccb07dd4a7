"""A file of `sql/raw/`: one MySQL `create table`, read into a Table. Selects are read elsewhere.

The reader takes what a contract means for the road (names, types, nulls, keys, comments) and
passes over what only MySQL cares for (indexes, engine, character set).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache

from orderhe_dagster.catalog.column_names import carried_name, spelling_of
from orderhe_dagster.catalog.errors import Problem, Problems, TypeRefused
from orderhe_dagster.catalog.header import Header
from orderhe_dagster.catalog.mysql_types import base_of, mysql_type
from orderhe_dagster.catalog.table import Column, ColumnType, ForeignKey, Table, TableRef
from orderhe_dagster.catalog.tokens import Cursor, Word, single_statement, tokenize

SOURCE_NAME_LENGTH = 64

# Types of two words, by their first.
_SECOND_WORDS = {
    "double": ("precision",),
    "national": ("char", "character", "varchar"),
    "char": ("varying",),
    "character": ("varying",),
    "long": ("varchar",),
}
_KEY_STARTS = ("KEY", "INDEX", "FULLTEXT", "SPATIAL")
# Options of a column that mean nothing to the road, by the number of words that follow.
_PASSED_OVER = {
    **dict.fromkeys(("AUTO_INCREMENT", "VISIBLE", "INVISIBLE", "ENFORCED", "BINARY"), 0),
    **dict.fromkeys(("ASCII", "UNICODE", "SIGNED", "VIRTUAL", "STORED", "PERSISTENT"), 0),
    **dict.fromkeys(("COLLATE", "CHARSET", "COLUMN_FORMAT", "STORAGE", "SRID"), 1),
}


@dataclass
class _Body:
    """What stands between the brackets, as far as it has been read."""

    columns: list[Column] = field(default_factory=list)
    primary: tuple[str, ...] = ()
    unique: list[tuple[str, ...]] = field(default_factory=list)
    foreign: list[tuple[ForeignKey, int]] = field(default_factory=list)
    key_lines: list[tuple[tuple[str, ...], int]] = field(default_factory=list)


def read_contract(path: str, name: str, text: str, header: Header, problems: Problems) -> Table:
    """The Table of a contract, called `name` by us and by its text in the source.

    Keys of the header are not judged here (see `header_keys`); the parents of its foreign keys are
    names of the source.
    """
    sql, words = single_statement(path, text, tokenize(path, text, "mysql"), "MySQL create table")
    cursor = Cursor(path, text, words)
    if not cursor.takes("CREATE", "TABLE"):
        raise cursor.problem("a file of sql/raw holds one MySQL create table and nothing else")
    cursor.takes("IF", "NOT", "EXISTS")
    named = cursor.name("the table")
    if cursor.sees("."):
        raise cursor.problem(
            "the name of the table stands alone: which database it is in is a setting"
        )
    if not named.text or len(named.text) > SOURCE_NAME_LENGTH:
        raise cursor.problem(
            f"the name of a table has 1 to {SOURCE_NAME_LENGTH} characters in MySQL", named
        )
    if not cursor.sees("("):
        raise cursor.problem("the columns are expected here, in brackets; like and as are not read")
    inside, body = cursor.block(), _Body()
    line = named.line
    for item in items_of(inside):
        if item:
            problems.attempt(lambda item=item: _item(path, text, item, body))  # type: ignore[misc]
            line = item[-1].line
        else:
            problems.add(path, line, "a comma with nothing behind it: take it out")
    if any(word.upper in ("SELECT", "AS", "LIKE") for word in words[cursor.at :]):
        raise cursor.problem("create table … as select is no contract: list the columns")
    _check_names(path, named, body, problems)
    primary = _spelt(body.primary, body.columns)
    columns = tuple(
        replace(column, nullable=False) if column.name in primary else column
        for column in body.columns
    )
    return Table(
        ref=TableRef("raw", name),
        path=path,
        sql=sql,
        code_version="",
        description=header.description or _table_comment(words[cursor.at :]),
        columns=columns,
        grain=primary,
        source_name=named.text,
        unique=tuple(_spelt(key, body.columns) for key in body.unique),
        foreign_keys=tuple(
            ForeignKey(_spelt(key.columns, body.columns), key.parent, key.parent_columns)
            for key, _ in body.foreign
        ),
    )


def source_name_of(path: str, text: str) -> str | None:
    """The name of the table that a contract's text creates; None where it cannot be read as far as that."""
    try:
        cursor = Cursor(path, text, tokenize(path, text, "mysql"))
        if not cursor.words or not cursor.takes("CREATE", "TABLE"):
            return None
        cursor.takes("IF", "NOT", "EXISTS")
        return cursor.name("the table").text
    except Problem:
        return None


def items_of(inside: Sequence[Word]) -> list[list[Word]]:
    """The comma-separated items between the brackets."""
    items: list[list[Word]] = [[]]
    depth = 0
    for word in inside:
        depth += (word.upper == "(") - (word.upper == ")")
        if word.upper == "," and depth == 0:
            items.append([])
        else:
            items[-1].append(word)
    return items


def _item(path: str, text: str, item: list[Word], body: _Body) -> None:
    cursor = Cursor(path, text, item)
    named = cursor.takes("CONSTRAINT")
    if named and not any(map(cursor.sees, ("PRIMARY", "UNIQUE", "FOREIGN", "CHECK"))):
        cursor.name("the constraint")
    if cursor.takes("PRIMARY", "KEY"):
        body.primary = _key(cursor, body)
    elif cursor.takes("UNIQUE"):
        body.unique.append(_key(cursor, body))
    elif cursor.takes("FOREIGN", "KEY"):
        line = cursor.here.line
        columns = _key(cursor, body)
        body.foreign.append((_references(cursor, columns), line))
    elif cursor.sees("CHECK", "(") or (any(map(cursor.sees, _KEY_STARTS)) and not named):
        return
    else:
        body.columns.append(_column(cursor, body))


def _key(cursor: Cursor, body: _Body) -> tuple[str, ...]:
    """The columns of a key; its name, its index type, prefix lengths and directions are passed over."""
    while not cursor.sees("("):
        cursor.name("the key")
    line = cursor.here.line
    parts = items_of(cursor.block())
    for part in parts:
        if not part or part[0].sort not in ("word", "name"):
            raise cursor.problem(
                "a key over an expression is not read; name columns", part[0] if part else None
            )
        if len(part) > 1 and part[1].upper == "(":
            raise cursor.problem(
                f"a key over the beginning of {part[0].text!r} only is not unique for the whole "
                "value; leave it out of the contract or make it an ordinary key",
                part[0],
            )
    names = tuple(part[0].text for part in parts)  # the source's
    body.key_lines.append((names, line))
    return names


def _references(cursor: Cursor, columns: tuple[str, ...]) -> ForeignKey:
    cursor.needs("REFERENCES")
    parent = cursor.name("the parent table").text
    if cursor.takes("."):
        parent = cursor.name("the parent table").text
    parents = tuple(part[0].text for part in items_of(cursor.block())) if cursor.sees("(") else ()
    while cursor.takes("ON") or cursor.takes("MATCH"):
        if cursor.takes("DELETE") or cursor.takes("UPDATE"):
            _ = cursor.takes("SET") or cursor.takes("NO")
        cursor.next()
    return ForeignKey(columns, parent, parents)


def _column(cursor: Cursor, body: _Body) -> Column:
    named = cursor.name("a column")
    kind, arguments = _type(cursor, named)
    enum = base_of(kind) == "enum"
    if enum or base_of(kind) == "set":
        _check_alike(cursor, named, arguments)
    column = Column(
        carried_name(named.text),
        kind,
        values=arguments if enum else (),
        line=named.line,
        source_name=named.text,
    )
    while cursor.here.sort != "end":
        if cursor.takes("GENERATED", "ALWAYS") or cursor.sees("AS"):
            column = _generated(cursor, column)
        else:
            column = _option(cursor, column, body)
    return column


def type_span(path: str, text: str, item: Sequence[Word]) -> tuple[int, int]:
    """Where the type of a column's item stands in the text: its first offset and the one behind it."""
    cursor = Cursor(path, text, list(item))
    named = cursor.name("a column")
    start = cursor.here.start
    _type(cursor, named)
    return start, cursor.words[cursor.at - 1].stop


@lru_cache(maxsize=4096)
def read_type(declared: str) -> tuple[ColumnType, tuple[str, ...]]:
    """A type as MySQL prints it, and the arguments in its brackets. Problem where it is not carried."""
    cursor = Cursor("", declared, tokenize("", declared, "mysql"))
    return _type(cursor, cursor.here)


def _type(cursor: Cursor, named: Word) -> tuple[ColumnType, tuple[str, ...]]:
    """The type of the column called `named`, and the arguments in its brackets."""
    start = cursor.here
    base = cursor.name(f"the type of column {named.text!r}").text
    second = _SECOND_WORDS.get(base.lower(), ())
    if cursor.here.text.lower() in second and cursor.here.sort == "word":
        base += " " + cursor.next().text
        if base.lower() == "national char" and cursor.takes("VARYING"):
            base = "national varchar"
    arguments = [w.text for w in cursor.block() if w.upper != ","] if cursor.sees("(") else []
    unsigned = False
    while cursor.here.upper in ("UNSIGNED", "SIGNED", "ZEROFILL"):
        unsigned |= cursor.next().upper != "SIGNED"
    declared = " ".join(cursor.text[start.start : cursor.words[cursor.at - 1].stop].split())
    try:
        kind = mysql_type(base, arguments, unsigned=unsigned, declared=declared)
    except (TypeRefused, ValueError) as error:
        raise cursor.problem(f"column {named.text!r} is {declared}: {error}", start) from None
    return kind, tuple(arguments)


def _generated(cursor: Cursor, column: Column) -> Column:
    cursor.needs("AS")
    if not cursor.sees("("):
        raise cursor.problem(
            f"column {column.name!r} is kept by MariaDB (versions of a row): leave it out"
        )
    cursor.block()
    return replace(column, generated=True)


def _check_alike(cursor: Cursor, named: Word, values: Sequence[str]) -> None:
    """Refuse values that MySQL's collations take for one, unless a collation is named that does not."""
    if re.search(r"_(bin|cs)\b|\bbinary\b", cursor.text, re.IGNORECASE):
        return
    seen: dict[str, str] = {}
    for value in values:
        parts = unicodedata.normalize("NFKD", value.casefold())
        plain = "".join(c for c in parts if not unicodedata.combining(c))
        if plain in seen:
            raise cursor.problem(
                f"column {named.text!r}: MySQL takes {seen[plain]!r} and {value!r} for one value; "
                "leave one out, or add collate utf8mb4_bin to the column",
                named,
            )
        seen[plain] = value


def _option(cursor: Cursor, column: Column, body: _Body) -> Column:
    """Read one option of a column; an unknown one is an error, so that no typing slip is passed over."""
    word = cursor.here
    if cursor.takes("NOT", "NULL"):
        return replace(column, nullable=False)
    if cursor.takes("COMMENT"):
        return replace(column, description=cursor.next().text)
    if cursor.takes("DEFAULT"):
        return replace(column, default=_value(cursor))
    if cursor.takes("PRIMARY", "KEY") or cursor.takes("KEY"):
        body.primary = (column.source_name,)
    elif cursor.takes("UNIQUE"):
        cursor.takes("KEY")
        body.unique.append((column.source_name,))
    elif cursor.sees("REFERENCES"):
        body.foreign.append((_references(cursor, (column.source_name,)), word.line))
    elif not _pass_over(cursor):
        raise cursor.problem(f"{word.text!r} is no option of column {column.name!r} that is known")
    return column


def _pass_over(cursor: Cursor) -> bool:
    """Take an option that means nothing to the road; False where the next one is none of these."""
    if cursor.takes("ON", "UPDATE"):
        _value(cursor)
    elif cursor.takes("CHECK"):
        cursor.block()
    elif cursor.takes("CHARACTER", "SET"):
        cursor.next()
    elif cursor.takes("CONSTRAINT"):
        if not cursor.sees("CHECK"):
            cursor.next()  # the constraint's name
    elif cursor.here.upper in _PASSED_OVER:
        cursor.at += 1 + _PASSED_OVER[cursor.here.upper]
    else:
        return cursor.takes("NOT", "ENFORCED") or cursor.takes("NULL")
    return True


def _value(cursor: Cursor) -> str:
    """A default: a literal, a function with its arguments or an expression in brackets, as written."""
    start = cursor.here.start
    if cursor.sees("("):
        cursor.block()
    else:
        if cursor.here.upper in ("-", "+") or cursor.here.upper.startswith("_"):
            cursor.next()
        cursor.next()
        if cursor.sees("("):
            cursor.block()
    return cursor.text[start : cursor.words[cursor.at - 1].stop]


def _spelt(names: Sequence[str], columns: Sequence[Column]) -> tuple[str, ...]:
    """Our names of the columns that the source's names name: it does not tell capitals apart in them."""
    spelling = spelling_of(columns)
    return tuple(spelling.get(name.lower(), name) for name in names)


def _check_names(path: str, named: Word, body: _Body, problems: Problems) -> None:
    if not body.columns and not problems.items:
        problems.add(path, named.line, f"table {named.text!r} has no columns")
    seen: dict[str, int] = {}
    for column in body.columns:
        name = column.source_name
        if name.lower() in seen:
            first = seen[name.lower()]
            problems.add(path, column.line, f"column {name!r} stands twice, first on line {first}")
        seen.setdefault(name.lower(), column.line)
    refused = any(problem.path == path for problem in problems.items)
    for names, line in body.key_lines:
        for name in names:
            if name.lower() not in seen and not refused:
                problems.add(
                    path, line, f"a key names column {name!r}, which the table does not have"
                )


def _table_comment(options: Sequence[Word]) -> str:
    for number, word in enumerate(options):
        if word.upper == "COMMENT":
            return next(
                (w.text for w in options[number + 1 : number + 3] if w.sort == "string"), ""
            )
    return ""
