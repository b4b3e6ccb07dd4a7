"""Which generations stay: a model of its own says it too."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo

from hypothesis import given
from hypothesis import strategies as st

from orderhe_dagster.catalog.segments import WHOLE
from orderhe_dagster.road.index_objects import Entry, empty_record
from orderhe_dagster.road.retention import Retention

NOW = datetime(2026, 11, 30, 3, tzinfo=timezone.utc)


def entry(*hours_ago: int) -> Entry:
    """A segment whose generations 1, 2, … became current so many hours ago."""
    became = [(n, NOW - timedelta(hours=ago)) for n, ago in enumerate(hours_ago, start=1)]
    record = empty_record("customers", WHOLE, "", NOW)
    return Entry(replace(record, generation=len(became)), tuple(became))


def test_the_last_and_the_first_of_each_month_stay() -> None:
    nightly = entry(*(24 * days for days in range(90, 0, -1)))
    gone = Retention(14).expired(nightly, (), NOW)
    kept = [at for number, at in nightly.became if number not in gone]
    assert [f"{at:%m-%d}" for at in kept[:-14]] == ["09-01", "10-01", "11-01"]
    assert len(kept) == 17


def test_months_begin_where_the_shop_is() -> None:
    """At 18:00 UTC on 31 October it is November in Seoul."""
    nightly = entry(*(24 * days - 15 for days in range(61, 0, -1)))
    gone = Retention(14, time_zone=ZoneInfo("Asia/Seoul")).expired(nightly, (), NOW)
    kept = [at for number, at in nightly.became if number not in gone]
    assert [f"{at:%m-%d %H}" for at in kept[:-14]] == ["09-30 18", "10-31 18"]


def test_what_counted_within_the_grace_stays() -> None:
    hourly = entry(*range(50, 0, -1))
    gone = Retention(2, timedelta(hours=24)).expired(hourly, (), NOW)
    assert gone == {*range(2, 27)}  # 26 ceased to count 24 hours ago, 1 is the first of its month


def test_what_is_held_elsewhere_stays() -> None:
    assert 5 not in Retention(1).expired(entry(*range(900, 0, -30)), (5,), NOW)


@given(
    st.lists(st.integers(0, 4_000), min_size=1, max_size=40),
    st.integers(1, 20),
    st.integers(1, 100),
    st.sets(st.integers(1, 40)),
)
def test_nothing_that_is_promised_expires(
    ages: list[int], generations: int, grace: int, held: set[int]
) -> None:
    given = entry(*sorted(ages, reverse=True))
    gone = Retention(generations, timedelta(hours=grace)).expired(given, held, NOW)
    numbers = [number for number, _ in given.became]
    assert not gone & {*numbers[-generations:]}
    assert not gone & held
    seen: set[str] = set()
    for place, (number, at) in enumerate(given.became):
        is_first = f"{at:%Y-%m}" not in seen
        seen.add(f"{at:%Y-%m}")
        ended = given.became[place + 1][1] if place + 1 < len(given.became) else NOW
        if is_first or NOW - ended < timedelta(hours=grace):
            assert number not in gone
