"""The drill of a restore as a job, and its schedule, which is off. What a drill does is `road.drills`'."""

import secrets
from collections.abc import Callable
from pathlib import Path
from typing import Any

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import failing_clearly
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import drills, index
from orderhe_dagster.road.extracts import Parquet
from orderhe_dagster.settings.scratch import scratch_folder

NAME = "restore_drill"


def build_drill(
    catalogue: Catalogue,
    calendar: Calendar,
    scratch: Path,
    source_in: Callable[[Path], Source],
    parquet: Parquet,
) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The job and its schedule, Sunday at four in the shop's time zone.

    `source_in` makes an empty source in a folder, which goes with it; `parquet` measures what comes into it.
    """

    @dg.op(
        name="restore_into_scratch",
        config_schema={"seed": dg.Field(int, is_required=False)},
        description="Restores a random range of the backups into a temporary table of the warehouse and "
        "into a source of its own, measures both, and keeps the certificate in the store.",
    )
    def restore_into_scratch(
        context: dg.OpExecutionContext,
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        seed = int(context.op_config.get("seed", secrets.randbelow(drills.SEEDS)))
        context.log.info("seed %d", seed)
        with failing_clearly(NAME, None):
            raw = catalogue.layer("raw")
            tables = [table for table in raw if index.read(store, table.name).entries]
            with scratch_folder(scratch, label=f"drill {seed}") as folder:
                source, history = source_in(folder), calendar.history()
                done = drills.drill(
                    tables, history, store, warehouse, source, folder, seed, parquet
                )
        context.log.info(done.sentence())
        metadata: dict[str, Any] = {
            "certificate": store.url(done.key),
            "seed": seed,
            "seconds": done.seconds,
            "rows": sum(choice.rows for choice in done.choices),
        }
        context.add_output_metadata(metadata)
        if not done.equal:
            raise dg.Failure(
                "; ".join([done.sentence(), *done.differences]),
                metadata=metadata,
                allow_retries=False,
            )

    @dg.job(
        name=NAME,
        description="Restore a random range of the backups into scratch and keep a certificate of it: "
        "what, when, how long, equal. Nothing that anybody reads is touched.",
        executor_def=dg.in_process_executor,
    )
    def restore_drill() -> None:
        restore_into_scratch()

    schedule = dg.ScheduleDefinition(
        name=f"{NAME}_schedule",
        job=restore_drill,
        cron_schedule="0 4 * * 0",
        execution_timezone=calendar.time_zone,
        default_status=dg.DefaultScheduleStatus.STOPPED,
        description="Every Sunday at four. Off until somebody turns it on.",
    )
    return restore_drill, schedule
