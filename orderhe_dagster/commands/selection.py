"""What a person asks to run: which assets, which days. Nothing is run here."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.table import LAYERS
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    import dagster as dg


class LaunchError(OrderheError):
    """The selection or the days cannot be run. The text names the next action."""


def selected(definitions: dg.Definitions, selection: str) -> set[dg.AssetKey]:
    """The assets that `selection` names: names, `mart/*` and Dagster's selections, with commas between.

    Raises LaunchError where it cannot be read, names nothing, or names only what others fill.
    """
    import dagster as dg

    graph = definitions.resolve_asset_graph()
    known = {"/".join(key.path) for key in graph.materializable_asset_keys}
    parts = [_of_layer(part.strip()) for part in selection.split(",")]
    try:
        asked = dg.AssetSelection.from_coercible(parts)
    except dg.DagsterError as error:
        raise LaunchError(_unreadable(selection, known)) from error
    try:
        keys = asked.resolve(graph)
    except dg.DagsterError as error:
        raise LaunchError(_unknown(selection, known)) from error
    except NotImplementedError as error:  # Dagster's UI alone knows what `status:` means
        raise LaunchError(_unreadable(selection, known)) from error
    found = {key for key in keys if key in graph.materializable_asset_keys}
    if not found:
        observed = sorted("/".join(key.path) for key in keys)
        if not observed:
            raise LaunchError(_unknown(selection, known))
        raise LaunchError(
            f"{', '.join(observed)} cannot be materialized: the shop itself fills raw tables here. "
            "Load a file with `orderhe import`, or select backup/… and what follows."
        )
    return found


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


def is_over(settings: Settings, window: Window) -> None:
    """See that the last day of `window` has ended in the shop's time zone. LaunchError."""
    from orderhe_dagster.assets.calendar import today

    end = today(settings.time_zone)
    if window.end > end:
        raise LaunchError(
            f"{window.end - ONE_DAY} is not over yet in {settings.time_zone}: "
            f"the last whole day is {end - ONE_DAY}."
        )


def whole_days(settings: Settings) -> Window:
    """Every day of the shop's history that is over. LaunchError where there is none yet."""
    from orderhe_dagster.assets.calendar import today
    from orderhe_dagster.definitions import first_day

    first, end = first_day(settings), today(settings.time_zone)
    if first >= end:
        raise LaunchError(
            f"this shop's history begins on {first}, and no day of it is over yet in "
            f"{settings.time_zone}. Set ORDERHE_START_DATE to {end - ONE_DAY} or earlier, or run this "
            f"again on {first + ONE_DAY}."
        )
    return Window(first, end)


def yesterday(settings: Settings) -> Window:
    """The last day that is over. LaunchError where the shop's history has none yet."""
    return Window.of(whole_days(settings).end - ONE_DAY)


def within_history(settings: Settings, window: Window) -> None:
    """See that the shop's history begins no later than `window`. LaunchError where it is fixed.

    Where others fill the tables, the remembered first day moves to an earlier day that is asked for:
    partitions are days, so none of them changes. A simulated shop begins when it was begun.
    """
    from orderhe_dagster.assets.calendar import year_ago
    from orderhe_dagster.settings import home

    first = home.first_day(settings)
    if first is not None and window.start >= first:
        return
    if settings.start_date is not None:
        raise LaunchError(
            f"{window.start} is before ORDERHE_START_DATE={first}, the first day of this shop's "
            f"history. Set it to {window.start}, or begin later."
        )
    if first is not None and settings.shop == "simulated":
        raise LaunchError(
            f"{window.start} is before {first}, the first day of this shop's history. Begin later, "
            f"or set ORDERHE_START_DATE={window.start} to let the shop begin then."
        )
    begin = window.start
    if settings.shop == "simulated":  # a year of history, as the demo has it
        begin = min(begin, year_ago(settings.time_zone))
    home.remember_start(home.prepare_home(settings), begin)
