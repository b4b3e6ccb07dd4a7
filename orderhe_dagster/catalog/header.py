"""The leading comment of a file: prose, then `-- @key value` lines. Knows no SQL and no column."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from orderhe_dagster.catalog.errors import Problem, Problems, listing

KEYS: Mapping[str, str] = {
    "partition": "column that cuts the table into days",
    "cursor": "column that moves whenever a row changes",
    "grain": "columns that are unique together and never null",
    "distkey": "column Redshift distributes the rows by",
    "sortkey": "columns Redshift sorts the rows by",
    "owner": "who answers for the table: team:name or an e-mail address",
    "freshness": "how long ago it may have been materialized: 90m, 26h, 2d",
    "plot": "columns of a picture: across, up, told apart by",
    "pii": "columns that hold personal data",
    "leave_out": "columns of the shop's table that are left out on purpose",
    "bad_values": "columns and what becomes of their values that cannot be carried",
}
"""Every key there is, with its meaning."""

UNITS = {"m": "minutes", "h": "hours", "d": "days"}

_KEY_LINE = re.compile(r"@(\w*)\s*(.*)", re.DOTALL)
_PART = re.compile(r"""(?:\s*(?:`(?:[^`]|``)*`|"(?:[^"]|"")*"))?[^,]*""")
_STRAY_KEY = re.compile(r"\s*(?:--|#|/\*)\s*@(\w+)")


@dataclass(frozen=True)
class Entry:
    """The value of one key and the line (1-based) it stands on."""

    value: str
    line: int

    @property
    def names(self) -> tuple[str, ...]:
        """The value as a list of column names; quotes around a name are dropped."""
        return tuple(name for name in map(unquoted, parts_of(self.value)) if name)


@dataclass(frozen=True)
class Header:
    """The prose of a leading comment and its keys."""

    description: str
    entries: Mapping[str, Entry]

    def entry(self, key: str) -> Entry | None:
        """The entry of `key`, or None where the file does not have it."""
        return self.entries.get(key)

    def names(self, key: str) -> tuple[str, ...]:
        """The column names under `key`; () where the file does not have it."""
        entry = self.entries.get(key)
        return entry.names if entry else ()


def as_written(name: str) -> str:
    """A column's name as a header writes it: in backticks where it needs them."""
    return name if name.isidentifier() else f"`{name.replace('`', '``')}`"


def on_one_line(name: str) -> str:
    """`as_written` of a name that may have breaks of lines: a key and its value stand on one line."""
    return as_written(re.sub(r"\s", " ", name))


def parts_of(value: str) -> list[str]:
    """What stands between the commas of a list; a comma within quotes belongs to a name."""
    parts, at = list[str](), 0
    while at <= len(value):
        match = _PART.match(value, at)
        assert match is not None, "the pattern matches nothing at all, too"
        parts.append(match[0])
        at = match.end() + 1
    return parts


def unquoted(name: str) -> str:
    """A name as it is meant: without the backticks or quotes around it, and theirs within it undone."""
    text = name.strip()
    for mark in ("`", '"'):
        if len(text) > 1 and text[0] == text[-1] == mark:
            return text[1:-1].replace(mark * 2, mark)
    return text


def read_header(path: str, text: str, problems: Problems) -> Header:
    """Read the leading comment of `text`; what is wrong with it goes to `problems`."""
    prose: list[str] = []
    entries: dict[str, Entry] = {}
    comment, body_line = _leading_comment(text)
    for number, content in comment:
        match = _KEY_LINE.fullmatch(content)
        if match is None:
            if content and entries:
                problems.add(
                    path,
                    number,
                    "prose after a key: put prose before the first key, and a key's value on one line",
                )
            prose.append(content)
            continue
        key, value = match[1], match[2].strip()
        if key not in KEYS:
            problems.add(path, number, f"unknown key @{key}; the keys are {_all_keys()}")
        elif key in entries:
            problems.add(
                path, number, f"@{key} is given twice, here and on line {entries[key].line}"
            )
        elif not value:
            problems.add(path, number, f"@{key} has no value: it names the {KEYS[key]}")
        else:
            entries[key] = Entry(value, number)
    for number, line in enumerate(text.split("\n")[body_line - 1 :], start=body_line):
        stray = _STRAY_KEY.match(line)
        if stray and stray[1] in KEYS:
            problems.add(path, number, f"@{stray[1]} belongs in the comment at the top of the file")
    return Header("\n".join(prose).strip(), entries)


def freshness(path: str, header: Header) -> timedelta | None:
    """The value of @freshness: a whole number of minutes (m), hours (h) or days (d)."""
    entry = header.entry("freshness")
    if entry is None:
        return None
    match = re.fullmatch(r"([1-9]\d{0,5})\s*([mhd])", entry.value)
    if match is None:
        raise Problem(
            path,
            entry.line,
            f"@freshness {entry.value!r} is not a number with a unit; write 90m, 26h or 2d",
        )
    return timedelta(**{UNITS[match[2]]: int(match[1])})


def owner(path: str, header: Header) -> str | None:
    """The value of @owner: `team:name` or an e-mail address, the two forms Dagster takes."""
    entry = header.entry("owner")
    if entry is None:
        return None
    if not re.fullmatch(r"team:[\w.-]+|[^@\s:]+@[^@\s]+\.[A-Za-z]{2,}", entry.value):
        raise Problem(
            path,
            entry.line,
            f"@owner {entry.value!r} is neither team:name nor an e-mail address",
        )
    return entry.value


def _all_keys() -> str:
    return listing([f"@{key}" for key in KEYS])


def _leading_comment(text: str) -> tuple[list[tuple[int, str]], int]:
    """The comment lines before the first word of SQL, marks removed, and the line SQL begins on."""
    comment: list[tuple[int, str]] = []
    inside = False  # a /* ... */ comment
    lines = text.split("\n")
    for number, line in enumerate(lines, start=1):
        content = line.strip()
        if inside or content.startswith("/*"):
            content = content[2:] if not inside else content
            inside = "*/" not in content
            content, _, rest = content.partition("*/")
            comment.append((number, content.strip().removeprefix("* ").strip("*").strip()))
            if rest.strip():
                return comment, number
        elif content.startswith("--") or content.startswith("#"):
            comment.append((number, content.lstrip("-#").strip()))
        elif content:
            return comment, number
    return comment, len(lines) + 1
