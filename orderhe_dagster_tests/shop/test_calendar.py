"""How busy days are, and when they begin."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from orderhe_dagster.shop.calendar import (
    FIRST_DAY,
    LAST_DAY,
    Calendar,
    campaigns,
    date_of,
    instants,
    midnight,
    number_of,
)


def orders(calendar: Calendar, first: date, last: date) -> np.ndarray:
    return calendar.orders[number_of(first) - calendar.start : number_of(last) - calendar.start + 1]


@pytest.mark.parametrize("seed", [0, 1, 2, 3, 42, -9, 2**62])
def test_a_year_of_the_default_shop_has_160_000_orders(seed: int) -> None:
    calendar = Calendar(seed, 1.0)
    year = orders(calendar, date(2025, 11, 22), date(2026, 11, 21))
    assert 160_000 <= year.sum() <= 190_000
    assert year.min() > 50


def test_the_shop_grows_and_the_growth_ends() -> None:
    calendar = Calendar(1, 1.0)
    years = [orders(calendar, date(y, 1, 1), date(y, 12, 31)).sum() for y in (2018, 2022, 2026)]
    assert years == sorted(years)
    late = [orders(calendar, date(y, 1, 1), date(y, 12, 31)).sum() for y in (2060, 2090)]
    assert late[1] == pytest.approx(late[0], rel=0.02)


def test_volume_follows_the_scale() -> None:
    days = date(2026, 1, 1), date(2026, 12, 31)
    small, large = (orders(Calendar(1, scale), *days).sum() for scale in (0.5, 2.0))
    assert large / small == pytest.approx(4.0, rel=0.03)


def test_campaign_days_are_busy() -> None:
    calendar = Calendar(1, 1.0)
    sale = orders(calendar, date(2026, 11, 10), date(2026, 11, 11)).mean()
    usual = orders(calendar, date(2026, 11, 2), date(2026, 11, 8)).mean()
    assert sale > 2 * usual


@pytest.mark.parametrize(
    ("chuseok", "seollal"),
    [
        (date(2022, 9, 10), date(2022, 2, 1)),
        (date(2023, 9, 29), date(2023, 1, 22)),
        (date(2024, 9, 17), date(2024, 2, 10)),
        (date(2025, 10, 6), date(2025, 1, 29)),
        (date(2026, 9, 25), date(2026, 2, 17)),
    ],
)
def test_lunar_feasts_are_near_their_day(chuseok: date, seollal: date) -> None:
    sales = {sale.name: sale for sale in campaigns(chuseok.year)}
    for name, feast in (("Chuseok holiday", chuseok), ("Seollal holiday", seollal)):
        middle = sales[name].first + timedelta(days=1)
        assert abs((middle - feast).days) <= 2


def test_campaigns_of_a_year_stay_in_it_and_have_names_of_their_own() -> None:
    for year in range(2000, 2100):
        sales = campaigns(year)
        assert len({sale.name for sale in sales}) == len(sales)
        assert all(sale.first.year == sale.last.year == year for sale in sales)


@pytest.mark.parametrize("day", [FIRST_DAY - timedelta(days=1), LAST_DAY + timedelta(days=1)])
def test_a_day_outside_the_calendar_is_refused_with_its_bounds(day: date) -> None:
    with pytest.raises(ValueError, match=rf"{day}.*{FIRST_DAY} to {LAST_DAY}"):
        number_of(day)


def test_midnight_is_the_shops() -> None:
    instant = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(
        microseconds=midnight(number_of(date(2026, 11, 21)), "Asia/Seoul")
    )
    assert instant == datetime(2026, 11, 20, 15, tzinfo=timezone.utc)


@pytest.mark.parametrize("day", [date(2026, 3, 29), date(2026, 10, 25), date(2026, 7, 1)])
def test_instants_stay_in_their_day_where_clocks_change(day: date) -> None:
    zone = ZoneInfo("Europe/Berlin")
    fractions = np.array([0.0, 0.05, 0.1, 0.5, 0.99, 1.0 - 2.0**-53])
    found = instants(np.full(6, number_of(day)), fractions, "Europe/Berlin")
    assert np.all(np.diff(found) > 0)
    for instant in found.tolist():
        local = datetime.fromtimestamp(0, timezone.utc) + timedelta(microseconds=instant)
        assert local.astimezone(zone).date() == day


def test_date_of_reverses_number_of() -> None:
    assert date_of(number_of(date(2024, 2, 29))) == date(2024, 2, 29)
