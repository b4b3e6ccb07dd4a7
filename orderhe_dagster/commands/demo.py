"""The demo: a year of the shop through every layer, the proof, and where to look."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Table
    from orderhe_dagster.proof.agreement import Agreement

Say = Callable[[str], None]


def run_demo(settings: Settings, say: Say) -> bool:
    """Run everything from the shop's first day to yesterday, and say what came of it.

    Returns whether all went well. May be interrupted and started again at any time. LaunchError
    where no day of the shop is over yet.
    """
    from orderhe_dagster.commands.create import create_all
    from orderhe_dagster.commands.days import whole_days
    from orderhe_dagster.commands.run import launch
    from orderhe_dagster.settings import home

    began = time.monotonic()
    home.prepare_home(settings)
    window = whole_days(settings)
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
    agreed = all(agreement.agrees for _, agreement in agreements)
    say(
        "Source, backup and warehouse agree on every table and day."
        if agreed
        else "Source, backup and warehouse DIFFER: see above."
    )
    say(f"Done in {time.monotonic() - began:.0f} s. Where to look:")
    for line in where_to_look(settings):
        say(f"  {line}")
    return agreed


def prove_all(settings: Settings, window: Window) -> list[tuple[Table, Agreement]]:
    """Compare source, backup and warehouse for every raw table, over the days of `window`."""
    from orderhe_dagster.proof.agreement import prove
    from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
    from orderhe_dagster.road.step import Step
    from orderhe_dagster.settings.project import read_catalogue

    source, store = build_source(settings), build_store(settings)
    warehouse = build_warehouse(settings)
    agreements = []
    for table in read_catalogue(settings).layer("raw"):
        step = Step(table, window if table.partition else None, "", window)
        agreement = prove(step, step.segments, source, store, warehouse)
        agreements.append((table, agreement))
    return agreements


def agreement_table(agreements: Sequence[tuple[Table, Agreement]]) -> str:
    """Rows and sums of each table in source, backup and warehouse, and the verdict.

    Sums of keys say nothing to a person, so they are left out; the digest has them.
    """
    from orderhe_dagster.errors import counted
    from orderhe_dagster.rendering.printing import table

    lines = []
    for contract, agreement in agreements:
        keys = {*contract.grain, *(name for key in contract.foreign_keys for name in key.columns)}
        three = (agreement.source, agreement.backup, agreement.warehouse)
        verdict = (
            "equal"
            if agreement.agrees
            else counted(len(agreement.differences), "day differs", "days differ")
        )
        lines.append([agreement.table, "rows", *(f"{m.rows:,}" for m in three), verdict])
        for name in sorted({name for m in three for name in m.sums} - keys):
            lines.append(_three(f"sum of {name}", [f"{m.sums.get(name, 0):,}" for m in three]))
        lines.append(_three("digest", [f"{m.digest % 16**8:08x}" for m in three]))
        lines += [
            ["", f"  {difference}", "", "", "", ""] for difference in agreement.differences[:5]
        ]
    return table(["table", "measure", "source", "backup", "warehouse", ""], lines, right=(2, 3, 4))


def _three(measure: str, values: list[str]) -> list[str]:
    return ["", measure, *values, "equal" if len(set(values)) == 1 else "DIFFER"]


def where_to_look(settings: Settings) -> list[str]:
    """The next commands and files, as they are called from the working folder."""
    from orderhe_dagster.dashboard.panels import readable
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.project import read_catalogue

    state = home_of(settings)
    orderhe = _command()
    catalogue = read_catalogue(settings)
    marts = catalogue.layer("mart")
    page = [f"the dashboard           {_near(state.dashboard / 'index.html')}"]
    return [
        *(page if readable(catalogue) else []),
        f"the Dagster UI          {orderhe} dev",
        *(f'the rows of a mart      {orderhe} query "{_newest(mart)}"' for mart in marts[:1]),
        f"where columns come from {_near(state.dashboard / 'lineage.html')}",
        f"CSV files for BI        {_near(state.exports)}",
        f"Parquet backups         {_near(state.store)}",
    ]


def _newest(mart: Table) -> str:
    """A query for some rows of a mart: its last days, where it has days."""
    if mart.partition is None:
        return f"select * from {mart.ref} limit 7"
    place = mart.column_names.index(mart.partition) + 1  # any name, without quotes in quotes
    return f"select * from {mart.ref} order by {place} desc limit 7"


def _command() -> str:
    """How a person types `orderhe` here: the bare name where it is found, else its path."""
    import shutil
    import sys

    return "orderhe" if shutil.which("orderhe") else _near(Path(sys.argv[0]))


def _near(path: Path) -> str:
    """A path as seen from the working folder, when it lies below it."""
    try:
        return str(path.resolve().relative_to(Path.cwd()))
    except ValueError:
        return str(path)
