"""The demo: a year of the shop through every layer, the proof, and where to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.proof import Agreement

Say = Callable[[str], None]


def run_demo(settings: Settings, say: Say) -> bool:
    """Run everything from the shop's first day to yesterday, and say what came of it.

    Returns whether all went well. May be interrupted and started again at any time.
    """
    from orderhe_dagster import home
    from orderhe_dagster.assets.calendar import today
    from orderhe_dagster.definitions import first_day
    from orderhe_dagster.launch import launch
    from orderhe_dagster.setup_road import create_all

    began = time.monotonic()
    home.prepare_home(settings)
    window = Window(first_day(settings), today(settings.time_zone))
    say(f"The shop from {window.start} to yesterday, {len(window)} days, through every layer:")
    create_all(settings)
    outcome = launch(settings, "*", window)
    for line in outcome.lines():
        say(line)
    if not outcome.succeeded:
        return False
    agreements = prove_all(settings, window)
    say("")
    say(agreement_table(agreements))
    say("")
    agreed = all(found.agrees for found in agreements)
    say(
        "Source, backup and warehouse agree on every table and day."
        if agreed
        else "Source, backup and warehouse DIFFER: see above."
    )
    say(f"Done in {time.monotonic() - began:.0f} s. Where to look:")
    for line in where_to_look(settings):
        say(f"  {line}")
    return agreed


def prove_all(settings: Settings, window: Window) -> list[Agreement]:
    """Compare source, backup and warehouse for every raw table, over the days of `window`."""
    from orderhe_dagster.definitions import read_catalogue
    from orderhe_dagster.proof import prove
    from orderhe_dagster.resources import build_source, build_store, build_warehouse

    source, store = build_source(settings), build_store(settings)
    warehouse = build_warehouse(settings)
    return [
        prove(
            table, window if table.partition else None, source, store, warehouse, settings.time_zone
        )
        for table in read_catalogue(settings).layer("raw")
    ]


def agreement_table(agreements: Sequence[Agreement]) -> str:
    """Rows and sums of each table in source, backup and warehouse, and the verdict."""
    from orderhe_dagster.printing import table

    lines = []
    for found in agreements:
        three = (found.source, found.backup, found.warehouse)
        verdict = "equal" if found.agrees else f"{len(found.differences)} days differ"
        lines.append([found.table, "rows", *(f"{m.rows:,}" for m in three), verdict])
        for name in sorted({name for m in three for name in m.sums}):
            lines.append(_three(f"sum of {name}", [f"{m.sums.get(name, 0):,}" for m in three]))
        lines.append(_three("digest", [f"{m.digest % 16**8:08x}" for m in three]))
        lines += [["", f"  {difference}", "", "", "", ""] for difference in found.differences[:5]]
    return table(["table", "measure", "source", "backup", "warehouse", ""], lines)


def _three(measure: str, values: list[str]) -> list[str]:
    return ["", measure, *values, "equal" if len(set(values)) == 1 else "DIFFER"]


def where_to_look(settings: Settings) -> list[str]:
    """The next commands and files, as they are on this machine."""
    from orderhe_dagster.home import home_of

    state = home_of(settings)
    return [
        "make dev                      the Dagster UI, on http://127.0.0.1:3000",
        'orderhe query "select * from mart.daily_sales order by order_date desc limit 7"',
        f"{state.exports}    the CSV files for BI",
        f"{state.store}    the Parquet backups",
    ]


def serve_ui(settings: Settings, host: str, port: int) -> int:
    """Run the Dagster UI and daemon until they are stopped; return their exit code."""
    import subprocess
    import sys

    from orderhe_dagster import home

    home.use_home(settings)
    command = [sys.executable, "-m", "dagster", "dev", "-m", "orderhe_dagster.definitions"]
    process = subprocess.Popen([*command, "--host", host, "--port", str(port)])
    while True:
        try:
            return process.wait()
        except KeyboardInterrupt:  # the child had the same signal and is shutting down
            continue
