"""The shop that the settings name: its catalogue, its first day, today. No table is opened here."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.settings import home
from orderhe_dagster.settings.config import Settings


def read_catalogue(settings: Settings, *, cached: bool = True) -> Catalogue:
    """The catalogue of `settings.sql`, in the shop's time zone; `cached`: by way of the cache in the home."""
    from orderhe_dagster.catalog.cache import load_catalogue

    catalogue = load_catalogue(settings.sql, home.home_of(settings).cache if cached else None)
    return catalogue.in_zone(settings.time_zone)


def today(time_zone: str) -> date:
    """Today in a time zone."""
    return datetime.now(ZoneInfo(time_zone)).date()


def year_ago(time_zone: str) -> date:
    """The day a history begins where nothing else was said: 365 days that end yesterday."""
    return today(time_zone) - timedelta(days=365)


def first_day(settings: Settings, ask: Callable[[], date | None] | None = None) -> date:
    """The first day of the shop's history.

    Where it was never said: a simulated shop begins a year ago, and that is remembered. Of any other,
    `ask` tells it of the rows that are there; as long as it does not know, it is a year ago for now.
    """
    known = home.first_day(settings)
    if known is not None:
        return known
    begin = year_ago(settings.time_zone)
    if settings.shop == "external":
        asked = ask() if ask else None
        if asked is None:
            return begin
        begin = asked
    return home.remember_start(home.prepare_home(settings), begin)
