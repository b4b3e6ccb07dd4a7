"""Jobs, schedules and a sensor: what there is to launch and what runs by itself, on one screen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import dagster as dg

from orderhe_dagster.assets.policy import PROVE_TAG
from orderhe_dagster.catalog.table import LAYERS, Catalogue
from orderhe_dagster.dashboard.panels import readable

HOUR, MINUTE = 0, 30
"""When the daily chain runs, in the shop's time zone: the day is over, late commits have landed."""


@dataclass(frozen=True)
class Automation:
    """What a code location runs besides single assets."""

    jobs: Sequence[dg.UnresolvedAssetJobDefinition]
    schedules: Sequence[dg.ScheduleDefinition | dg.UnresolvedPartitionedAssetScheduleDefinition]
    sensors: Sequence[dg.SensorDefinition] = field(default_factory=tuple)


def build_automation(catalogue: Catalogue, time_zone: str) -> Automation:
    """The daily chain and its schedule, the rebuild of what comes from the warehouse, the page's job.

    `time_zone` is the shop's: a schedule of partitions has it from them, any other is told.
    """
    daily = dg.define_asset_job(
        "daily",
        selection=dg.AssetSelection.groups(*LAYERS),  # of a team's own, those that ask for it
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
    proof = dg.define_asset_job(
        "prove",
        selection=dg.AssetSelection.groups("backup", "warehouse", "mart"),
        description="Prove every segment of every table and model, whatever that costs: source, backup "
        "and warehouse against one another, models against their builds. What differs is told by the "
        "checks `nothing_differed` and mended, on whichever day. For any one day, best the last.",
        tags={PROVE_TAG: "all"},
        executor_def=dg.in_process_executor,
    )
    jobs = [daily, marts, proof]
    sensors = []
    if readable(catalogue):
        page = dg.define_asset_job(
            "page",
            selection=dg.AssetSelection.assets(["export", "dashboard"]),
            description="Draw the dashboard anew from the exports that are there.",
            executor_def=dg.in_process_executor,
        )
        jobs.append(page)
        sensors.append(_page_after_failure(daily, page))
    partitioned = any(table.partition for table in catalogue.tables)
    if not partitioned:
        return Automation(
            jobs,
            [
                dg.ScheduleDefinition(
                    name="daily_schedule",
                    job=daily,
                    cron_schedule=f"{MINUTE} {HOUR} * * *",
                    execution_timezone=time_zone,
                    description="Half an hour after midnight: every table, whole.",
                )
            ],
            sensors,
        )
    schedule = dg.build_schedule_from_partitioned_job(
        daily,
        name="daily_schedule",
        hour_of_day=HOUR,
        minute_of_hour=MINUTE,
        description="Half an hour after midnight: yesterday, and days touched since their backup.",
    )
    return Automation(jobs, [schedule], sensors)


def _page_after_failure(
    daily: dg.UnresolvedAssetJobDefinition, page: dg.UnresolvedAssetJobDefinition
) -> dg.SensorDefinition:
    """A chain that fails stops before the dashboard, which would tell nobody what failed.

    On by itself: it does nothing before a daily run fails, and those are what one chooses.
    """

    @dg.run_failure_sensor(
        name="page_after_failure",
        monitored_jobs=[daily],
        request_job=page,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="After a daily run that failed, draw the dashboard anew: it tells what failed.",
    )
    def page_after_failure(context: dg.RunFailureSensorContext) -> dg.RunRequest:
        return dg.RunRequest(run_key=context.dagster_run.run_id)

    return page_after_failure
