"""The demo: a year of the shop through every layer, the proof, and where to look."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Table
    from orderhe_dagster.proof.agreement import Agreement

Say = Callable[[str], None]
_DIFFERENCES = 20


def run_demo(settings: Settings, say: Say) -> bool:
    """Run everything from the shop's first day to yesterday, and say what came of it.

    Returns whether all went well. May be interrupted and started again at any time. LaunchError
    where no day of the shop is over yet.
    """
    from orderhe_dagster.commands.create import create_all
    from orderhe_dagster.commands.days import whole_days
    from orderhe_dagster.commands.run import launch
    from orderhe_dagster.proof.report import agreement_table
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
    agreements = prove_all(settings)
    say("")
    say(agreement_table(agreements))
    say("")
    differences = [(table, one) for table, made in agreements for one in made.differences]
    for table, difference in differences[:_DIFFERENCES]:
        say(f"{difference.severity} {table.name} {difference}")
    agreed = not differences
    say(
        "Source, backup and warehouse agree on every table and day."
        if agreed
        else "Source, backup and warehouse DIFFER: see above. To mend it: orderhe prove --repair"
    )
    say(f"Done in {time.monotonic() - began:.0f} s. Where to look:")
    for line in where_to_look(settings):
        say(f"  {line}")
    return agreed


def prove_all(settings: Settings, window: Window | None = None) -> list[tuple[Table, Agreement]]:
    """Compare source, backup and warehouse for every raw table: the days of `window`, else all of it."""
    from orderhe_dagster.commands.prove import prove
    from orderhe_dagster.settings.project import read_catalogue

    names = [f"raw/{table.name}" for table in read_catalogue(settings).layer("raw")]
    return [(one.table, one.agreement) for one in prove(settings, names, window).tables]


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
