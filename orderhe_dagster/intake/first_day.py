"""The first day of a shop whose tables others fill: asked of the rows that are there. No row is read.

A calendar holds at least 99.9 % of a table's rows. What lies before by itself (an order dated 1970, a
test row of long ago) makes no partitions of all the years between: it is carried outside of the days.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import date, timedelta

from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source

log = logging.getLogger("orderhe.intake")
_STRAY_SHARE = 0.001
_FEW_STRAYS = 3
"""So many rows may lie by themselves in a table that is too small for a share of it to mean anything."""
_FEW_SHARE = 0.05
_GAP = timedelta(days=366)
"""A shop that sold nothing for longer had not begun before."""


def first_day(catalogue: Catalogue, source: Source, today: date) -> date | None:
    """The first day of the shop's history by the rows of all its tables with days; None: there are none.

    PortError where the source cannot be asked.
    """
    firsts = [
        day
        for table in catalogue.layer("raw")
        if table.partition and not _tells_its_parent_s(table, catalogue)
        if (day := first_of(source.calendar(table), today))
    ]
    return min(firsts, default=None)


def _tells_its_parent_s(table: Table, catalogue: Catalogue) -> bool:
    """Whether the days of a table are those of another one that is asked for them anyhow."""
    if not table.day_through:
        return False
    parent = table.day_through[-1].parent
    return catalogue.get(parent.ref).partition == parent.partition


def first_day_if_known(catalogue: Catalogue, source: Source, today: date) -> date | None:
    """`first_day`; None, and a warning, where the source cannot be asked: what needs it will say so."""
    try:
        return first_day(catalogue, source, today)
    except PortError as error:
        log.warning(
            "the shop's first day is not known yet, so its days are the last year's: %s", error
        )
        return None


def first_of(rows: Mapping[date, int], today: date) -> date | None:
    """The first day of a calendar, by how many rows each day has; days from `today` on do not count."""
    days = sorted(day for day in rows if day < today)
    if not days:
        return None
    total = sum(rows[day] for day in days)
    allowed = max(total * _STRAY_SHARE, min(_FEW_STRAYS, total * _FEW_SHARE))
    place = dropped = 0
    while place < len(days) - 1 and dropped + rows[days[place]] <= allowed:
        dropped += rows[days[place]]
        place += 1
    # What was passed over belongs to the history as long as nothing parts it from what follows.
    while place and days[place] - days[place - 1] <= _GAP:
        place -= 1
    return days[place]
