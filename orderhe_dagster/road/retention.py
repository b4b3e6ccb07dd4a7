"""Which generations of a backup stay, and for how long what nothing names. Nothing is removed here."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone, tzinfo

from orderhe_dagster.road.index_objects import Entry


@dataclass(frozen=True)
class Retention:
    """How many of a segment's last generations stay, and since when something may be nobody's.

    The first generation of each month, in the shop's time zone, stays too. What is younger than `grace`
    may be of a run that is at work, and what ceased to count since then may be read by one.
    """

    generations: int = 14
    grace: timedelta = timedelta(hours=24)
    time_zone: tzinfo = timezone.utc

    def expired(self, entry: Entry, held: Collection[int], now: datetime) -> frozenset[int]:
        """The numbers of a segment's generations that are to go; `held` are in use elsewhere."""
        if len(entry.became) <= self.generations:
            return frozenset()
        firsts: dict[tuple[int, int], int] = {}
        for number, at in entry.became:
            then = at.astimezone(self.time_zone)
            firsts.setdefault((then.year, then.month), number)
        recent = {
            number
            for (number, _), (_, ended) in zip(entry.became, entry.became[1:], strict=False)
            if now - ended < self.grace
        }
        last = {number for number, _ in entry.became[-max(self.generations, 1) :]}
        kept = {entry.record.generation, *held, *firsts.values(), *recent, *last}
        return frozenset(number for number, _ in entry.became if number not in kept)
