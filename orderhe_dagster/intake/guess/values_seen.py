"""What the values of a column of a file show of its type. Names, keys and files are not known here."""

from __future__ import annotations

import re
from array import array
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from orderhe_dagster.intake.importing.dates_written import moment_of
from orderhe_dagster.intake.importing.habits import WORDS_OF_NOTHING
from orderhe_dagster.intake.importing.numbers_written import decimal_sign_of, written

if TYPE_CHECKING:
    import pyarrow as pa

_LENGTHS = (10, 20, 50, 100, 255, 500, 1000, 2000, 4000)
_TEXT_BYTES = 65_535
_PLAIN = re.compile(r"(-?)([0-9]+)(?:\.([0-9]+))?")
_TIME = re.compile(r"(.{10}) ([0-9:]{8})(?:\.([0-9]+))?")


@dataclass
class Kinds:
    """Of which kinds all values of a column can be, as they are written."""

    name: str
    filled: int = 0
    is_number: bool = True
    is_whole: bool = True
    is_moment: bool = True
    times: int = 0  # moments with a time of day
    has_digits_only: bool = True

    def add(self, text: pa.Array) -> None:
        """Look at the distinct values of a chunk."""
        for value in text.unique().to_pylist():
            if value is None or value.strip().lower() in WORDS_OF_NOTHING:
                continue
            self.filled += 1
            if self.is_number:
                self._number(value.strip())
            if self.is_moment:
                moment = moment_of(value)
                self.is_moment = moment is not None
                self.times += moment is not None and moment.time is not None
                self.has_digits_only &= value.strip().isdigit()

    def _number(self, value: str) -> None:
        number = written(value)
        # 0123 is a number of something, not a quantity; MySQL would drop the 0.
        if number is None or re.match(r"0[0-9]", number.body) or len(number.body) > 40:
            self.is_number = self.is_whole = False
            return
        sign = decimal_sign_of(number.body)
        if sign == "!":
            self.is_number = False
        parts = re.findall(r"[.,]", number.body)
        # 1,230 may be a whole number or not: that is asked, unless other values show it.
        if parts and (len(parts) == 1 or len(set(parts)) == 2):
            self.is_whole = False

    @property
    def provisional(self) -> str:
        """A type that takes all of them, until the exact one is known."""
        dated = re.search(r"date|day|_at$|time|일시|일자|날짜|日", self.name, re.IGNORECASE)
        if not self.filled:
            return "datetime(6)" if self.name.endswith("_at") else "longtext"
        if self.is_moment and (dated or not self.has_digits_only):
            return "datetime(6)" if self.times else "date"
        if self.is_number:
            return "bigint" if self.is_whole else "double"
        return "longtext"


@dataclass
class Sizes:
    """How large the values of a column are, once they are rewritten as the contract wants them."""

    provisional: str
    rows: int = 0
    nothing: int = 0  # NULLs
    empty: int = 0  # texts without a character
    characters: int = 0
    octets: int = 0
    whole: int = 0
    scale: int = 0
    low: int = 0
    high: int = 0
    fraction: int = 0
    is_midnight: bool = True
    misfits: bool = False
    is_unique: bool = True
    hashes: array[int] = field(default_factory=lambda: array("q"))  # of each row's value

    def add(self, text: pa.Array) -> None:
        """Look at the values of a chunk."""
        values = text.to_pylist()
        self.rows += len(values)
        kind = self.provisional
        for value in dict.fromkeys(values):
            if value is None:
                continue
            if kind == "longtext":
                self.characters = max(self.characters, len(value))
                self.octets = max(self.octets, len(value.encode("utf-8", "replace")))
            elif kind in {"bigint", "double"}:
                self._number(value)
            else:
                self._moment(value)
        self.nothing += values.count(None)
        self.empty += values.count("")
        if self.is_unique:
            kept = [hash(value.casefold()) for value in values if value]
            self.is_unique = len(kept) == len(values) == len(set(kept))
            self.hashes.extend(kept if self.is_unique else ())

    def _number(self, value: str) -> None:
        match = _PLAIN.fullmatch(value)
        if match is None:
            self.misfits = True
            return
        self.characters = max(self.characters, len(value))
        self.whole = max(self.whole, len(match[2].lstrip("0")))
        self.scale = max(self.scale, len(match[3] or ""))
        number = int(match[1] + match[2])
        self.low, self.high = min(self.low, number), max(self.high, number)

    def _moment(self, value: str) -> None:
        match = _TIME.fullmatch(value)
        if match is None:
            self.misfits |= self.provisional != "date"
            return
        self.is_midnight &= match[2] == "00:00:00" and not (match[3] or "").strip("0")
        self.fraction = max(self.fraction, len((match[3] or "").rstrip("0")))

    def unique(self) -> bool:
        """Whether no two rows have the same value, and every row has one."""
        import numpy as np

        return self.is_unique and 0 < self.rows == len(np.unique(np.asarray(self.hashes)))

    def declared(self) -> str:
        """The MySQL type that takes the values exactly, with some room."""
        if self.provisional == "longtext":
            return self._text()
        if self.provisional in {"date", "datetime(6)"}:
            is_day = self.is_midnight and self.nothing < self.rows
            if is_day or self.provisional == "date":
                return "date"
            return "datetime" + (f"({self.fraction})" if self.fraction else "")
        return self._numeric()

    def _numeric(self) -> str:
        if self.scale == 0:
            if self.low >= -(2**31) and self.high < 2**31:
                return "int"
            if self.low >= -(2**63) and self.high < 2**63:
                return "bigint"
        scale = max(self.scale, 2) if self.scale else 0
        precision = max(self.whole + 2, 8) + scale
        return f"decimal({precision}, {scale})" if precision <= 38 else self._text()

    def _text(self) -> str:
        if self.octets > _TEXT_BYTES:
            return "mediumtext"
        wanted = self.characters + self.characters // 4
        fitting = next((length for length in _LENGTHS if length >= wanted), None)
        return f"varchar({fitting})" if fitting else "text"

    def nullable(self) -> bool:
        """Whether a row may have no value."""
        return self.nothing > 0 or self.empty > 0 or self.rows == 0
