"""Whether what a selection loads has a backup, asked before it runs. Which assets it names: `selection`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import index
from orderhe_dagster.road.remedies import run_command

if TYPE_CHECKING:
    import dagster as dg


def check_backed_up(
    definitions: dg.Definitions,
    keys: set[dg.AssetKey],
    selection: str,
    window: Window | None,
    catalogue: Catalogue,
    store: Store,
) -> None:
    """See that each table that is loaded, but not backed up, has a backup. LaunchError names the command.

    `+mart/x` is such a selection: one step up, as Dagster counts, which leaves the backups out.
    """
    named = {"/".join(key.path) for key in keys}
    for table in catalogue.layer("raw"):
        asset = f"backup/{table.name}"
        if f"warehouse/{table.name}" not in named or asset in named:
            continue
        segments = segments_of(window if table.partition else None)
        try:
            there = index.read(store, table.name).records
        except PortError:
            continue  # a damaged index, or no store to ask: the load says what is wrong
        absent = [segment for segment in segments if segment not in there]
        if absent:
            wanted = ",".join(f"*{name}" for name in _last(definitions, keys))
            again = run_command(wanted, segments_of(window) if window else ())
            raise LaunchError(_told(table, absent, selection, again))


def _told(table: Table, absent: Sequence[Segment], selection: str, again: str) -> str:
    days = ""
    if table.partition:
        days = f" of {counted(len(absent), 'day')}, the first {absent[0]}"
    return (
        f"{table.name} has no backup{days}, and {selection!r} leaves backup/{table.name} out (a plus is one "
        f"step up, a star is all of them). With all that it needs: {again}"
    )


def _last(definitions: dg.Definitions, keys: set[dg.AssetKey]) -> list[str]:
    """The assets that no other of the selection is built from."""
    graph = definitions.resolve_asset_graph()
    read = {parent for key in keys for parent in graph.get(key).parent_keys}
    return sorted("/".join(key.path) for key in keys - read)
