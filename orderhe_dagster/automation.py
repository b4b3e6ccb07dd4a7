"""Jobs and schedules: what there is to launch and what runs by itself, on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import dagster as dg

from orderhe_dagster.catalog.table import Catalogue

HOUR, MINUTE = 0, 30
"""When the daily chain runs, in the shop's time zone: the day is over, late commits have landed."""


@dataclass(frozen=True)
class Automation:
    """What a code location runs besides single assets."""

    jobs: Sequence[dg.UnresolvedAssetJobDefinition]
    schedules: Sequence[dg.ScheduleDefinition | dg.UnresolvedPartitionedAssetScheduleDefinition]


def build_automation(catalogue: Catalogue, time_zone: str) -> Automation:
    """The daily chain and its schedule, and the rebuild of what comes from the warehouse alone.

    `time_zone` is the shop's: a schedule of partitions has it from them, any other is told.
    """
    daily = dg.define_asset_job(
        "daily",
        selection=dg.AssetSelection.all(),
        description="The whole road for a day: raw, backup, warehouse, marts, exports, checks. "
        "Its assets materialized for a range of days are one run: one scan, one COPY and one "
        "transaction a table.",
        executor_def=dg.in_process_executor,
    )
    marts = dg.define_asset_job(
        "answers",
        selection=dg.AssetSelection.groups("mart", "export"),
        description="Build marts and exports again from what the warehouse holds.",
        executor_def=dg.in_process_executor,
    )
    partitioned = any(table.partition for table in catalogue.tables)
    if not partitioned:
        return Automation(
            [daily, marts],
            [
                dg.ScheduleDefinition(
                    name="daily_schedule",
                    job=daily,
                    cron_schedule=f"{MINUTE} {HOUR} * * *",
                    execution_timezone=time_zone,
                    description="Half an hour after midnight: every table, whole.",
                )
            ],
        )
    schedule = dg.build_schedule_from_partitioned_job(
        daily,
        name="daily_schedule",
        hour_of_day=HOUR,
        minute_of_hour=MINUTE,
        description="Half an hour after midnight: yesterday, and days touched since their backup.",
    )
    return Automation([daily, marts], [schedule])
