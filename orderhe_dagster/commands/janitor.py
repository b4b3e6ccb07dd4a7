"""`orderhe janitor`: what has had its time is removed, or listed; and once a day after a run, unasked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from time import time
from typing import TYPE_CHECKING

from orderhe_dagster.errors import OrderheError

if TYPE_CHECKING:
    from orderhe_dagster.settings.config import Settings

_OFTEN_ENOUGH = timedelta(hours=20)


def clean_up(settings: Settings, *, dry_run: bool = False, everything: bool = False) -> list[str]:
    """Remove what has had its time, or with `dry_run` list it; what to print. PortError, LaunchError."""
    from orderhe_dagster.assets.janitor import Rules, clean
    from orderhe_dagster.commands.run import history
    from orderhe_dagster.resources.build import build_store, build_warehouse
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import read_catalogue

    state = home.use_home(settings)
    rules = replace(Rules.of(settings), dry_run=dry_run, everything=everything)
    store, warehouse = build_store(settings), build_warehouse(settings)
    with history(state.dagster) as instance:
        report = clean(read_catalogue(settings), store, warehouse, instance, rules)
    return [*report.lines(store, rules)]


def after_a_run(settings: Settings) -> Iterator[str]:
    """On a laptop, whose schedules may never run: once a day after a run, green or red; what to print."""
    from orderhe_dagster.settings.home import home_of

    if settings.store != "folder":
        return
    stamp = home_of(settings).cache / "janitor"
    if stamp.exists() and time() - stamp.stat().st_mtime < _OFTEN_ENOUGH.total_seconds():
        return
    try:
        lines = clean_up(settings)
    except (
        OrderheError,
        OSError,
    ) as error:  # the run is over, whatever becomes of what lies behind
        yield f"janitor: not this time: {error}"
        return
    stamp.parent.mkdir(parents=True, exist_ok=True)
    stamp.touch()
    yield from (f"janitor: {line}" for line in lines[:-1])
