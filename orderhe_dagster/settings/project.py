"""The shop that the settings name: its catalogue, its first day, today. No table is opened here."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.settings import home
from orderhe_dagster.settings.config import Settings


def read_catalogue(settings: Settings) -> Catalogue:
    """The catalogue of `settings.sql`, in the shop's time zone, by way of the cache in the home."""
    from orderhe_dagster.catalog.cache import load_catalogue

    catalogue = load_catalogue(settings.sql, home.home_of(settings).cache)
    return catalogue.in_zone(settings.time_zone)


def today(time_zone: str) -> date:
    """Today in a time zone."""
    return datetime.now(ZoneInfo(time_zone)).date()


def year_ago(time_zone: str) -> date:
    """The day a history begins where nothing else was said: 365 days that end yesterday."""
    return today(time_zone) - timedelta(days=365)


def first_day(settings: Settings) -> date:
    """The first day of the shop's history; where it was never said, a year ago, and remembered."""
    known = home.first_day(settings)
    if known is not None:
        return known
    state = home.prepare_home(settings)
    return home.remember_start(state, year_ago(settings.time_zone))
