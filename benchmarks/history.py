"""What Dagster's history costs: a chain of assets over a range of days, stock storage against ours.

    python benchmarks/history.py [--assets 3] [--days 365] [--checks 1]

Prints wall and CPU seconds of `materialize` alone (imports and instance made before).
"""

import argparse
import os
import tempfile
import time
from datetime import date, timedelta
from typing import Any

import dagster as dg

FIRST_DAY = date(2025, 1, 1)


def chain(assets: int, checks: int) -> list[dg.AssetsDefinition]:
    """Make assets that feed one another, daily, a range being one run, with a few checks each."""
    daily = dg.DailyPartitionsDefinition(start_date=FIRST_DAY.isoformat())

    def build(number: int) -> dg.AssetsDefinition:
        key = dg.AssetKey([f"asset_{number}"])

        @dg.asset(
            key=key,
            deps=[f"asset_{number - 1}"] if number else [],
            partitions_def=daily,
            backfill_policy=dg.BackfillPolicy.single_run(),
            check_specs=[dg.AssetCheckSpec(f"check_{n}", asset=key) for n in range(checks)],
        )
        def run(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
            for day in context.partition_keys:
                context.add_asset_metadata({"rows": 1}, partition_key=day)
            return dg.MaterializeResult(
                metadata={"rows": 1},
                check_results=[
                    dg.AssetCheckResult(check_name=f"check_{n}", passed=True) for n in range(checks)
                ],
            )

        return run

    return [build(number) for number in range(assets)]


def measure(storage: dict[str, Any] | None, assets: int, days: int, checks: int) -> str:
    """Materialise the chain once on a fresh instance and say what it cost."""
    with tempfile.TemporaryDirectory() as folder:
        overrides: dict[str, Any] = {"telemetry": {"enabled": False}}
        if storage:
            overrides["storage"] = {"custom": storage | {"config": {"base_dir": folder}}}
        with dg.DagsterInstance.local_temp(folder, overrides=overrides) as instance:
            wall, cpu = time.perf_counter(), time.process_time()
            result = dg.materialize(
                chain(assets, checks),
                instance=instance,
                tags={
                    "dagster/asset_partition_range_start": FIRST_DAY.isoformat(),
                    "dagster/asset_partition_range_end": (
                        FIRST_DAY + timedelta(days=days - 1)
                    ).isoformat(),
                },
            )
            wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
            events = len(instance.all_logs(result.run_id))
            return f"{wall:.2f} s wall, {cpu:.2f} s CPU, {events} events"


def main() -> None:
    """Measure both storages."""
    import logging
    import warnings

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--assets", type=int, default=3)
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--checks", type=int, default=1)
    given = parser.parse_args()
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    logging.getLogger("dagster").setLevel(logging.CRITICAL)
    ours = {"module": "orderhe_dagster.history", "class": "History"}
    for name, storage in (("stock", None), ("history", ours), ("history, again", ours)):
        os.environ.pop("DAGSTER_EVENT_BATCH_SIZE", None)
        print(f"{name}: {measure(storage, given.assets, given.days, given.checks)}", flush=True)


if __name__ == "__main__":
    main()
