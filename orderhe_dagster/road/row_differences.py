"""What differs between two copies of a table's rows, row by row, and its words. Nothing is compared here.

Which rows differ is found in `rows`. Personal data is masked when a difference is made, so that no
report, log or file made of it can show any.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, Literal

from orderhe_dagster.errors import counted
from orderhe_dagster.rendering.masking import MASK

Kind = Literal["only_left", "only_right", "changed", "repeated"]
KINDS: tuple[Kind, ...] = ("only_left", "only_right", "changed", "repeated")
SHOWN_CHARACTERS = 60  # of a text, or of the hexadecimal digits of bytes
_BEFORE = 10  # characters shown before the first that differs, of a long text


@dataclass(frozen=True)
class RowDifference:
    """One key, or one row of a table without a key, that is not the same on both sides.

    `only_left`, `only_right`: no row of that key on the other side; `left` or `right` is the row.
    `changed`: one row on each side is not the other's; `columns` are those that differ, `left` and
    `right` their values. `repeated`: the key is on both sides, more than once on one of them, and
    not the same rows; how often is in `left_count` and `right_count`, the values are not shown.
    `only_…` without a key: the row may be on both sides, more often on that one.
    """

    kind: Kind
    key: Mapping[str, Any]  # by column name; the whole row of a table without a key
    columns: tuple[str, ...] = ()
    left: Mapping[str, Any] | None = None
    right: Mapping[str, Any] | None = None
    left_count: int = 0  # rows of this key
    right_count: int = 0

    @property
    def weight(self) -> int:
        """What it counts for in the totals: the surplus rows of one side, or one."""
        if self.kind == "only_left":
            return self.left_count - self.right_count
        return self.right_count - self.left_count if self.kind == "only_right" else 1

    def sentence(self, names: tuple[str, str]) -> str:
        """The difference for a person; `names` are those of the two sides."""
        return f"{self.named()}: {self.words(names)}"

    def named(self) -> str:
        """The key for a person, or the row where there is no key."""
        return ", ".join(f"{name} {shown(value)}" for name, value in self.key.items())

    def words(self, names: tuple[str, str]) -> str:
        """What differs of it, without its key."""
        left, right = names
        if self.kind == "changed":
            return "; ".join(self._column(name, names) for name in self.columns)
        if self.kind == "repeated" or (self.left_count and self.right_count):
            counts = f"{_times(self.left_count)} in the {left}, {_times(self.right_count)} in the {right}"
            return counts + (", not the same rows" if self.left_count == self.right_count else "")
        count = self.left_count + self.right_count
        only = f"only in the {left if self.kind == 'only_left' else right}"
        return f"{only}, {_times(count)}" if count > 1 else only

    def _column(self, name: str, names: tuple[str, str]) -> str:
        left, right = shown_pair((self.left or {}).get(name), (self.right or {}).get(name))
        return f"{name} {left} in the {names[0]}, {right} in the {names[1]}"


@dataclass(frozen=True)
class RowDifferences:
    """Every difference between two copies, counted, and the first of them in the order of their keys.

    Counts are of rows for `only_left` and `only_right`, of keys for `changed` and `repeated`.
    """

    names: tuple[str, str]
    counts: Mapping[Kind, int]
    rows: Sequence[RowDifference] = ()
    left_out: Mapping[str, str] | None = None  # column -> why it was not compared

    @property
    def total(self) -> int:
        """All of them; 0: both copies hold the same rows."""
        return sum(self.counts.values())

    def __bool__(self) -> bool:
        return self.total > 0

    def first(self, most: int) -> RowDifferences:
        """The same, with so many rows shown at most."""
        return replace(self, rows=self.rows[:most])

    def summary(self) -> str:
        """All counts in one line: `2 rows only in the source, 1 row changed`."""
        left, right = self.names
        words: dict[Kind, str] = {
            "only_left": counted(self.counts["only_left"], "row") + f" only in the {left}",
            "only_right": counted(self.counts["only_right"], "row") + f" only in the {right}",
            "changed": counted(self.counts["changed"], "row") + " changed",
            "repeated": counted(self.counts["repeated"], "key") + " not as often in both",
        }
        found = [words[kind] for kind in KINDS if self.counts[kind]]
        return ", ".join(found) or f"the same rows in the {left} and the {right}"

    def sentences(self) -> Iterator[str]:
        """One line a difference, then how many more there are, then the columns left out."""
        for row in self.rows:
            yield row.sentence(self.names)
        more = self.total - sum(row.weight for row in self.rows)
        if more > 0:
            yield f"and {more:,} more"
        for name, reason in (self.left_out or {}).items():
            yield f"column {name} was not compared: {reason}"


def shown(value: Any, start: int = 0) -> str:
    """A value so that any two that differ look different; a long one is cut, from `start` on."""
    if value is None:
        return "NULL"
    if value is True or value is False:
        return str(value).lower()
    if isinstance(value, str):
        return value if value == MASK else _shown_text(value, start)
    if isinstance(value, bytes | bytearray | memoryview):
        digits = bytes(value).hex()
        cut = f"{'…' if start else ''}{digits[2 * start : 2 * start + SHOWN_CHARACTERS]}"
        whole = len(digits) - 2 * start <= SHOWN_CHARACTERS and not start
        return f"0x{cut}" + ("" if whole else f"… ({counted(len(digits) // 2, 'byte')})")
    if isinstance(value, datetime):
        return value.isoformat(" ")
    return value.isoformat() if isinstance(value, date) else str(value)


def shown_pair(left: Any, right: Any) -> tuple[str, str]:
    """Two values that differ, so that the eye sees where.

    Long ones are cut shortly before the place; letters that only look alike are written as codes.
    """
    start = 0
    if isinstance(left, str) and isinstance(right, str) and MASK not in (left, right):
        if max(len(left), len(right)) > SHOWN_CHARACTERS:
            start = max(_first_difference(left, right) - _BEFORE, 0)
        if unicodedata.normalize("NFKC", left) == unicodedata.normalize("NFKC", right):
            return _shown_text(left, start, ascii), _shown_text(right, start, ascii)
    elif (
        isinstance(left, bytes)
        and isinstance(right, bytes)
        and max(len(left), len(right)) > SHOWN_CHARACTERS // 2
    ):
        start = max(_first_difference(left, right) - _BEFORE, 0)
    return shown(left, start), shown(right, start)


def _shown_text(value: str, start: int = 0, written: Any = repr) -> str:
    """In quotation marks, with what is not printed as codes."""
    cut = value[start : start + SHOWN_CHARACTERS]
    text: str = written(cut)
    if cut == value:
        return text
    before, after = "…" if start else "", "…" if start + len(cut) < len(value) else ""
    return f"{before}{text}{after} ({counted(len(value), 'character')})"


def _first_difference(left: str | bytes, right: str | bytes) -> int:
    """The place of the first character or byte that differs."""
    pairs = enumerate(zip(left, right, strict=False))
    return next((n for n, (one, two) in pairs if one != two), min(len(left), len(right)))


def _times(count: int) -> str:
    return {0: "not", 1: "once", 2: "twice"}.get(count, f"{count:,} times")
