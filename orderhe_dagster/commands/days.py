"""The days that a verb is about, held against the shop's history. Which assets run: `selection`."""

from __future__ import annotations

from datetime import date

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.settings import home
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.project import first_day, read_catalogue, today, year_ago


class LaunchError(OrderheError):
    """The selection or the days cannot be run. The text names the next action."""


def settle_first_day(settings: Settings, *, anew: bool = False) -> None:
    """See that the first day of a shop that others fill is known, where there are rows: it is asked of them.

    `anew`: also where it is known, since rows have come; it only moves earlier.
    """
    if settings.shop != "external" or settings.start_date is not None:
        return
    if home.first_day(settings) is not None and not anew:
        return
    from orderhe_dagster.intake.first_day import first_day_if_known
    from orderhe_dagster.resources.build import build_source

    now = today(settings.time_zone)
    day = first_day_if_known(read_catalogue(settings), build_source(settings), now)
    if day is not None:
        home.remember_start(home.prepare_home(settings), day)


def check_over(settings: Settings, window: Window) -> None:
    """See that the last day of `window` has ended in the shop's time zone. LaunchError."""
    end = today(settings.time_zone)
    if window.end > end:
        raise LaunchError(
            f"{window.end - ONE_DAY} is not over yet in {settings.time_zone}: "
            f"the last whole day is {end - ONE_DAY}."
        )


def whole_days(settings: Settings) -> Window:
    """Every day of the shop's history that is over. LaunchError where there is none yet."""
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


def check_within_history(settings: Settings, window: Window) -> None:
    """See that the shop's history begins no later than `window`. LaunchError where it is fixed.

    Where others fill the tables, the remembered first day moves to an earlier day that is asked for:
    partitions are days, so none of them changes. A simulated shop begins when it was begun.
    """
    begin = earlier_first_day(settings, home.first_day(settings), window)
    if begin is not None:
        home.remember_start(home.prepare_home(settings), begin)


def earlier_first_day(settings: Settings, first: date | None, window: Window) -> date | None:
    """The first day that a history from `first` on gets by `window`; None: it keeps its own. LaunchError."""
    if first is not None and window.start >= first:
        return None
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
    return begin
