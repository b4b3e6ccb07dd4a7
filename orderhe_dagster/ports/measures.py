"""What equality and change are judged by, as values. How they are computed is the adapters' affair."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal


@dataclass(frozen=True)
class Measure:
    """What equality is judged by: rows, the exact sum of each numeric column, an order-free digest.

    `sums` leaves NULLs out; `digest` is the sum over the rows of 60 bits of the MD5 of the row's
    canonical text (see `catalog.measure`), so it does not depend on the order of the rows.
    """

    rows: int
    sums: Mapping[str, Decimal] = field(default_factory=dict)
    digest: int = 0


@dataclass(frozen=True)
class Touch:
    """A cheap fingerprint of a segment in the source: rows, and the sum of the cursor in microseconds."""

    rows: int
    cursor_sum: int = 0


@dataclass(frozen=True)
class OutsideRows:
    """How many rows of a table lie outside of its days: without a day, before them, and after."""

    undated: int = 0
    before: int = 0
    after: int = 0

    @property
    def total(self) -> int:
        """All of them."""
        return self.undated + self.before + self.after
