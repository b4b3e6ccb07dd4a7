"""How the values of a file are written, by evidence over the whole of it; and texts rewritten so.

A file whose values are written as the contract wants them (1234.56, 2026-03-01 12:00:00) never comes
here. What can be read in two ways is asked for, not guessed.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.intake.importing.dates_written import canonical, moment_of, shows_order
from orderhe_dagster.intake.importing.hints import Hints
from orderhe_dagster.intake.importing.numbers_written import (
    decimal_sign_of,
    plain_number,
    written,
)
from orderhe_dagster.intake.importing.problems import Findings
from orderhe_dagster.intake.importing.source_file import Chunk

if TYPE_CHECKING:
    import pyarrow as pa

WHOLE = frozenset({"smallint", "integer", "bigint"})
NUMBERS = WHOLE | {"decimal", "real", "double"}
MOMENTS = frozenset({"date", "timestamp"})
WORDS_OF_NOTHING = frozenset(
    {"", "null", "n/a", "#n/a", "na", "-", "(null)", "none", "nil", "undefined"}
)
"""What stands for no value in a column that takes none of them as a value."""
_ALSO_IN_TEXTS = frozenset({"NULL", "(null)", "null", "#N/A"})
_GROUP = 3  # digits between signs of thousands
_YES = {"yes": "1", "y": "1", "t": "1", "true": "1", "no": "0", "n": "0", "f": "0", "false": "0"}


@dataclass(frozen=True)
class Habits:
    """How values are written. Columns that are not named here are taken as they stand."""

    table: Table
    columns: frozenset[str] = frozenset()
    decimal: str = "."
    order: str = ""
    nothing: frozenset[str] = frozenset()  # what stands for no value in texts too
    days: frozenset[str] = frozenset()
    notes: tuple[str, ...] = ()

    def rewritten(self, name: str, text: pa.Array) -> pa.Array:
        """The values of a column as the contract wants them; what cannot be read stays as it is."""
        import pyarrow as pa

        if name not in self.columns:
            return text
        rewrite = self._rewriting(self.table.column(name))
        known: dict[str, str | None] = {}
        values: list[str | None] = []
        for value in text.to_pylist():
            if value is not None and value not in known:
                if len(known) > 50_000:
                    known.clear()
                known[value] = rewrite(value)
            values.append(None if value is None else known[value])
        return pa.array(values, pa.string())

    def _rewriting(self, column: Column) -> Callable[[str], str | None]:
        kind = column.type.kind
        rewrite: Callable[[str], str | None] = lambda text: text  # noqa: E731
        nothing = self.nothing
        if kind in NUMBERS:
            rewrite = self._number
            if column.type.declared.lower().startswith(("tinyint", "bool")):
                rewrite = self._flag
        elif kind in MOMENTS:
            wants = "date" if kind == "date" else "instant" if column.type.instant else "datetime"
            rewrite = self._moment_for(wants, column.name in self.days)
        elif kind == "boolean":
            rewrite = self._flag
        if kind not in {"varchar", "varbyte"}:
            nothing |= WORDS_OF_NOTHING
        if column.required:
            return rewrite

        def or_nothing(text: str) -> str | None:
            bare = text.strip()
            return None if bare in nothing or _is_nothing(bare, kind) else rewrite(text)

        return or_nothing

    def _number(self, text: str) -> str:
        number = written(text)
        return text if number is None else plain_number(number, self.decimal) or text

    def _flag(self, text: str) -> str:
        return _YES.get(text.strip().lower()) or self._number(text)

    def _moment_for(self, wants: str, only_day: bool) -> Callable[[str], str]:
        def rewrite(text: str) -> str:
            moment = moment_of(text)
            if moment is None:
                return text
            zone = self.table.time_zone
            return canonical(moment, self.order, zone, wants=wants, only_day=only_day) or text

        return rewrite


def _is_nothing(text: str, kind: str) -> bool:
    return kind not in {"varchar", "varbyte"} and text.lower() in WORDS_OF_NOTHING


def unusual_digits(column: Column) -> str:
    """The pattern of numbers that fit the column, but as no program writes them; '': there are none.

    1.250 in a decimal(8, 2) is 1.25, or 1250 by somebody who writes thousands so.
    """
    if column.type.kind != "decimal" or column.type.scale > _GROUP - 1:
        return ""
    fraction = f"[0-9]{{{column.type.scale}}}{'0' * (_GROUP - column.type.scale)}"
    return rf"^\s*[+-]?[1-9][0-9]{{0,2}}\.{fraction}\s*$"


Place = tuple[int, str, str]
"""(line, column, text) of a value that was seen."""


@dataclass
class Survey:
    """What the values of a whole file show of how they are written."""

    table: Table
    hints: Hints
    separator: str = ","
    days: frozenset[str] = frozenset()
    decimals: dict[str, Place] = field(default_factory=dict)  # by sign, the first that shows it
    doubtful: dict[str, Place] = field(default_factory=dict)  # by the one sign of the number
    unusual: dict[str, Place] = field(default_factory=dict)  # 1.250 where two digits are usual
    currencies: dict[str, dict[str, int]] = field(default_factory=dict)  # by column: sign, line
    orders: dict[str, Place] = field(default_factory=dict)
    nothing: set[str] = field(default_factory=set)
    words: set[str] = field(default_factory=set)  # that stand for no value, in texts or not
    with_offset: bool = False
    seen_columns: set[str] = field(default_factory=set)

    def add(self, chunk: Chunk) -> None:
        """Look at the values of a chunk."""
        for name, text in chunk.columns.items():
            column = self.table.column(name)
            kind = column.type.kind
            self.seen_columns.add(name)
            if kind not in NUMBERS | MOMENTS:
                continue
            first: dict[str, int] = {}
            for row, value in enumerate(text.to_pylist()):
                if value is not None and value not in first:
                    first[value] = row
            for value, row in first.items():
                line = chunk.lines[row]
                bare = value.strip()
                if not column.required and bare.lower() in WORDS_OF_NOTHING:
                    self.words |= {bare} if bare else set()
                    self.nothing |= {bare} & _ALSO_IN_TEXTS
                elif kind in NUMBERS:
                    self._number(column, value, line)
                else:
                    self._moment(column, value, line)

    def _number(self, column: Column, value: str, line: int) -> None:
        number = written(value)
        if number is None:
            return
        place = (line, column.name, value)
        if number.currency:
            self.currencies.setdefault(column.name, {}).setdefault(number.currency, line)
        sign = decimal_sign_of(number.body)
        if sign.startswith("?"):
            # A whole number has no fraction, so that three digits behind a comma are thousands. A point
            # among commas may as well be a fraction that does not belong there.
            whole = column.type.kind in WHOLE and number.body[-3:].strip("0")
            if whole and (sign[1] == "," or self.separator == ";"):
                self.decimals.setdefault("," if sign[1] == "." else ".", place)
            elif (pattern := unusual_digits(column)) and re.match(pattern, value):
                self.unusual.setdefault(".", place)
            else:
                self.doubtful.setdefault(sign[1], place)
        elif sign in {".", ","}:
            self.decimals.setdefault(sign, place)

    def _moment(self, column: Column, value: str, line: int) -> None:
        moment = moment_of(value)
        only_day = column.name in self.days
        if moment is None or (moment.time is None and column.type.kind != "date" and not only_day):
            return
        self.with_offset |= moment.offset is not None
        if order := shows_order(moment):
            self.orders.setdefault(order, (line, column.name, value))

    def habits(self, findings: Findings) -> Habits:
        """How the file is written. What is in doubt, or contradicts itself, goes to `findings`."""
        notes: list[str] = []
        decimal = self._decimal(findings)
        order = self._order(findings)
        for name, signs in self.currencies.items():
            if len(signs) > 1:
                (one, first), (other, line) = list(signs.items())[:2]
                message = (
                    f"amounts in {other} and, on {findings.unit} {first}, in {one}: one column holds "
                    "one currency; split the file by currency, or give it a column of its own"
                )
                findings.add(line, name, None, message)
        if decimal == ",":
            notes.append("decimal comma")
        elif self.decimals or self.doubtful:
            notes += ["decimal point"] if "," in self._commas() else []
        if signs_seen := sorted({sign for signs in self.currencies.values() for sign in signs}):
            notes.append(f"{', '.join(signs_seen)} taken off the amounts")
        if order:
            words = {"dmy": "day, month, year", "mdy": "month, day, year"}[order]
            notes.append(f"dates as {words}")
        if self.with_offset:
            notes.append(f"moments with an offset turned into {self.table.time_zone}")
        nothing = frozenset({*self.nothing, *self.hints.null})
        if words_seen := sorted({*nothing, *self.words}):
            notes.append(f"{', '.join(map(repr, words_seen))} taken as no value")
        columns = {
            name
            for name in self.seen_columns
            if self.table.column(name).type.kind in NUMBERS | MOMENTS | {"boolean"} or nothing
        }
        return Habits(
            self.table, frozenset(columns), decimal, order, nothing, self.days, tuple(notes)
        )

    def _commas(self) -> str:
        return "".join(place[2] for place in (*self.decimals.values(), *self.doubtful.values()))

    def _decimal(self, findings: Findings) -> str:
        if self.hints.decimal:
            return self.hints.decimal
        if len(self.decimals) == 2:
            (_, (first, one, value)), (_, (line, name, other)) = sorted(
                self.decimals.items(), key=lambda item: item[1][0]
            )
            message = (
                f"this number and {value!r} ({findings.unit} {first}, column {one}) have different "
                "signs before the fraction; write both with the same"
            )
            pii = self.table.column(name)
            findings.add(line, pii, other, message)
            return "."
        if self.decimals:
            return next(iter(self.decimals))
        doubtful = dict(self.doubtful)
        if self.separator != ";":
            doubtful.pop(".", None)  # 1.250 among commas is the point that programs write
        doubtful |= self.unusual
        if doubtful:
            line, name, value = next(iter(doubtful.values()))
            number = written(value)
            assert number is not None
            readings = {each: plain_number(number, each) for each in ".,"}
            message = (
                f"is {readings['.']} if the point is the decimal sign (--decimal .), or "
                f"{readings[',']} if the comma is (--decimal ,): say which, or write plain digits"
            )
            findings.add(line, self.table.column(name), value, message)
        return "."

    def _order(self, findings: Findings) -> str:
        if self.hints.dates:
            return self.hints.dates
        orders: Mapping[str, Place] = self.orders
        if {"dmy", "mdy"} <= set(orders):
            (first, _, value), (line, name, other) = sorted(
                (orders["dmy"], orders["mdy"]), key=lambda place: place[0]
            )
            message = (
                f"day and month stand in another order than in {value!r} ({findings.unit} {first}); "
                "write all as YYYY-MM-DD"
            )
            findings.add(line, self.table.column(name), other, message)
            return ""
        if "dmy" in orders or "mdy" in orders:
            return "dmy" if "dmy" in orders else "mdy"
        if "?" in orders:
            line, name, value = orders["?"]
            message = (
                "the day may stand first (--dates dmy) or the month (--dates mdy): say which, or "
                "write YYYY-MM-DD"
            )
            findings.add(line, self.table.column(name), value, message)
        return ""
