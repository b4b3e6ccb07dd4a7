"""The shop's calendar: which days there are, and which a run is about. Nothing is computed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cached_property
from typing import Any

import dagster as dg

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.settings.project import today


@dataclass(frozen=True)
class Calendar:
    """Days from `start` (the first of the shop's history) on, in the shop's `time_zone`."""

    start: date
    time_zone: str

    @cached_property
    def partitions(self) -> dg.DailyPartitionsDefinition:
        """One partition a day, up to yesterday."""
        return dg.DailyPartitionsDefinition(
            start_date=self.start.isoformat(), timezone=self.time_zone
        )

    def today(self) -> date:
        """Today in the shop's time zone."""
        return today(self.time_zone)

    def history(self) -> Window:
        """Every day there is a partition for, and at least the first."""
        return Window(self.start, max(self.today(), self.start + ONE_DAY))

    def window(self, context: dg.AssetExecutionContext) -> Window:
        """The days that this step of a partitioned asset was asked for: one, or a range."""
        keys = context.partition_key_range
        return Window.of(date.fromisoformat(keys.start), date.fromisoformat(keys.end))


def report_days(
    context: dg.AssetExecutionContext,
    window: Window,
    figures: Mapping[date, Mapping[str, Any]],
) -> None:
    """Attach figures to each day of the run, and record the days beyond it that were brought too.

    Dagster gives every day of a run the metadata of the whole, so each gets its own besides.
    """
    for day, values in sorted(figures.items()):
        if day not in window:
            context.log_event(
                dg.AssetMaterialization(
                    context.asset_key, partition=day.isoformat(), metadata=dict(values)
                )
            )
        else:
            context.add_asset_metadata(dict(values), partition_key=day.isoformat())


def days_text(days: Iterable[date]) -> str:
    """Days for a person: how many, and from when to when."""
    ordered = sorted(set(days))
    if not ordered:
        return "no days"
    if len(ordered) == 1:
        return ordered[0].isoformat()
    whole = ordered[-1] - ordered[0] == timedelta(days=len(ordered) - 1)
    return f"{len(ordered)} days{'' if whole else ' among'} {ordered[0]}...{ordered[-1]}"
