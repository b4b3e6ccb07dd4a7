"""Which assets or tables a person asks for. Which days: `days`. Nothing is run here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.table import LAYERS, Catalogue, Table
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    import dagster as dg


def selected_keys(definitions: dg.Definitions, selection: str) -> set[dg.AssetKey]:
    """The assets that `selection` names: names, `mart/*` and Dagster's selections, with commas between.

    Raises LaunchError where it cannot be read, names nothing, or names only what others fill.
    """
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    known = {"/".join(key.path) for key in graph.materializable_asset_keys}
    parts = [_of_layer(part.strip()) for part in selection.split(",")]
    try:
        assets = dg.AssetSelection.from_coercible(parts)
    except dg.DagsterError as error:
        raise LaunchError(_unreadable(selection, known)) from error
    try:
        keys = assets.resolve(graph)
    except dg.DagsterError as error:
        raise LaunchError(_unknown(selection, known)) from error
    except NotImplementedError as error:  # Dagster's UI alone knows what `status:` means
        raise LaunchError(_unreadable(selection, known)) from error
    chosen = {key for key in keys if key in graph.materializable_asset_keys}
    if not chosen:
        observed = sorted("/".join(key.path) for key in keys)
        if not observed:
            raise LaunchError(_unknown(selection, known))
        raise LaunchError(
            f"{', '.join(observed)} cannot be materialized: the shop itself fills raw tables here. "
            "Load a file with `orderhe import`, or select backup/… and what follows."
        )
    return chosen


def by_day(settings: Settings, definitions: dg.Definitions, keys: set[dg.AssetKey]) -> bool:
    """Whether some of these assets are cut by days, so that a run of them is for a day or a range.

    LaunchError where a team's own are cut otherwise: one run is for partitions of one kind.
    """
    from orderhe_dagster.assets.calendar import Calendar
    from orderhe_dagster.settings.project import first_day

    graph = definitions.resolve_asset_graph()
    cut = {key: graph.get(key).partitions_def for key in keys if graph.get(key).is_partitioned}
    days = Calendar(first_day(settings), settings.time_zone).partitions
    others = sorted("/".join(key.path) for key, partitions in cut.items() if partitions != days)
    if others:
        left_out = " and not ".join(["*", *(f'key:"{name}"' for name in others)])
        raise LaunchError(
            f"{', '.join(others)}: cut otherwise than by the shop's days. Run it by itself, with "
            f"`dg launch --assets {others[0]} --partition …`, and leave it out here, as in '{left_out}'"
        )
    return bool(cut)


def raw_tables(catalogue: Catalogue, names: Sequence[str]) -> list[Table]:
    """The raw tables of these names (none: all), with or without a layer before them. LaunchError."""
    import difflib

    raw = {table.name: table for table in catalogue.layer("raw")}
    bare = [name.rpartition("/")[2].rpartition(".")[2] for name in names]
    for name, given in zip(bare, names, strict=True):
        if name not in raw:
            near = difflib.get_close_matches(name, raw, n=3)
            hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(raw)}."
            raise LaunchError(
                f"there is no table {given!r} with backups; {hint} Models are built from tables: "
                "orderhe run 'mart/*'"
            )
    return [table for name, table in raw.items() if not bare or name in bare]


def _of_layer(part: str) -> str:
    """`mart/*` as Dagster says it: the assets of a layer are a group."""
    layer, _, rest = part.partition("/")
    return f"group:{layer}" if rest == "*" and layer in LAYERS else part


def _unreadable(selection: str, known: set[str]) -> str:
    one = max(sorted(known), key=lambda name: name.startswith("mart/"), default="mart/daily_sales")
    return (
        f"the selection {selection!r} cannot be read. Write names with commas between them ({one}), "
        f"mart/* for a layer, '*' for everything, or one of Dagster's selections, with names in quotes "
        f'(key:"{one}" or group:export)'
    )


def _unknown(selection: str, known: set[str]) -> str:
    import difflib

    near = difflib.get_close_matches(selection, sorted(known), n=3)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(sorted(known))}"
    return f"the selection {selection!r} names no asset; {hint}"
