"""What Dagster alone costs: as many empty daily assets and checks as BENCH_ASSETS and BENCH_CHECKS say.

A code location for `dagster asset materialize -m benchmarks.bench.empty_assets`.
"""

from __future__ import annotations

import os
import warnings
from datetime import date, timedelta

import dagster as dg

warnings.filterwarnings("ignore", category=dg.BetaWarning)


def _asset(number: int, checks: int, first: str) -> dg.AssetsDefinition:
    name = f"asset_{number}"
    specs = [dg.AssetCheckSpec(f"check_{one}", asset=name) for one in range(checks)]

    @dg.asset(
        name=name,
        deps=[f"asset_{number - 1}"] if number else [],
        check_specs=specs,
        partitions_def=dg.DailyPartitionsDefinition(first),
        backfill_policy=dg.BackfillPolicy.single_run(),
    )
    def empty() -> dg.MaterializeResult:  # type: ignore[type-arg] # Dagster takes no other beside checks
        results = [dg.AssetCheckResult(check_name=spec.name, passed=True) for spec in specs]
        return dg.MaterializeResult(metadata={"rows": 0}, check_results=results)

    return empty


@dg.definitions
def defs() -> dg.Definitions:
    """The assets, the checks spread evenly."""
    assets = int(os.environ.get("BENCH_ASSETS", "1"))
    checks = int(os.environ.get("BENCH_CHECKS", "0"))
    first = (date.today() - timedelta(days=int(os.environ.get("BENCH_DAYS", "365")))).isoformat()
    return dg.Definitions(
        assets=[
            _asset(number, checks // assets + (number < checks % assets), first)
            for number in range(assets)
        ],
        executor=dg.in_process_executor,
    )
