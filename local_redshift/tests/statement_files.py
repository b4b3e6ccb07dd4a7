"""Reads `statements/*.sql`: what Redshift is asked and what it answers. How it is judged: test_statements.

-- title [page of Amazon's documentation, or why it is not certain]
statements; the last one is judged
--: types of its columns, by commas
--> one row, values by bars; texts in quotes
--! SQLSTATE words of the error that Redshift gives
--? not certain, or left out of the local Redshift on purpose: only a refusal is right
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from local_redshift.read.words import split

FOLDER = Path(__file__).parent / "statements"
_TITLE = re.compile(r"-- (.+) \[(.+)\]")


@dataclass
class Case:
    """One judged statement: what runs, and what it must give."""

    file: str
    title: str
    source: str
    sql: str = ""
    types: str = ""
    rows: list[str] = field(default_factory=list)
    error: str = ""
    refused: bool = False
    later: bool = False

    @property
    def statements(self) -> list[str]:
        """Its statements, the judged one last."""
        return split(self.sql)


def tables() -> list[str]:
    """The statements that make what every case starts with."""
    return split((FOLDER / "tables.sql").read_text("utf-8"))


def cases() -> list[Case]:
    """Every case of every file. ValueError for a line that belongs to none."""
    found: list[Case] = []
    for path in sorted(FOLDER.glob("*.sql")):
        if path.name != "tables.sql":
            found += _read(path)
    return found


def _read(path: Path) -> list[Case]:
    found: list[Case] = []
    for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
        if title := _TITLE.fullmatch(line):
            found.append(Case(path.stem, title[1], title[2]))
            continue
        mark, words = line[:3], line[4:]
        if not found or (line.startswith("--") and mark not in ("--:", "-->", "--!", "--?", "--~")):
            raise ValueError(f"{path.name}:{number}: {line!r} belongs to no case")
        case = found[-1]
        if mark == "--:":
            case.types = words
        elif mark == "-->":
            case.rows.append(words)
        elif mark == "--!":
            case.error = words
        elif mark == "--~":
            case.later = True
        elif mark == "--?":
            case.refused = True
        else:
            case.sql += line + "\n"
    return found


def shown(row: tuple[Any, ...]) -> str:
    """A row as the files write it."""
    return " | ".join(map(_value, row))


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, str):
        return f"'{value}'"
    return value.isoformat(" ") if isinstance(value, datetime) else str(value)
