"""What a segment is called, how segments sort, and which rows of a table they hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.catalog.days import Window, bound
from orderhe_dagster.catalog.segments import (
    OUTSIDE,
    WHOLE,
    Outside,
    Segment,
    condition,
    days_of,
    segments_of,
    uncut,
)
from orderhe_dagster_tests.catalog.folders import read

FIRST, LAST = Segment("2026-02-27"), Segment("2026-03-01")
VISITS = (
    "-- @partition seen_at\ncreate table visits (id int primary key, seen_at timestamp not null)"
)


def test_a_segment_is_called_as_it_is_stored() -> None:
    assert [f"{segment}" for segment in (FIRST, WHOLE, OUTSIDE)] == ["2026-02-27", "all", "outside"]
    assert Segment("all") == WHOLE and Segment("outside") == OUTSIDE
    assert Segment.of(date(2026, 2, 27)) == FIRST
    assert {Segment("2026-02-27"): 1}[FIRST] == 1
    assert [segment.day for segment in (FIRST, WHOLE, OUTSIDE)] == [date(2026, 2, 27), None, None]


@pytest.mark.parametrize(
    "text", ["", "whole", "20260227", "2026-2-27", "2026-02-30", "2026-02-27 "]
)
def test_any_other_text_is_no_segment(text: str) -> None:
    with pytest.raises(ValueError):
        Segment(text)


def test_days_sort_as_days_before_the_others() -> None:
    early = Segment.of(date(1, 1, 1))
    assert sorted([OUTSIDE, LAST, WHOLE, FIRST, early]) == [early, FIRST, LAST, WHOLE, OUTSIDE]


def test_a_window_is_cut_into_its_days() -> None:
    window = Window.of(date(2026, 2, 27), date(2026, 3, 1))
    assert segments_of(window) == [FIRST, Segment("2026-02-28"), LAST]
    assert days_of(segments_of(window)) == list(window)
    assert segments_of(None) == [WHOLE]
    assert days_of([WHOLE, OUTSIDE]) == []


def test_what_lies_outside_of_the_days_is_a_segment_of_its_own() -> None:
    window = Window.of(date(2026, 2, 27), date(2026, 3, 1))
    assert Outside.of(window) == Outside(date(2026, 2, 27), date(2026, 3, 2))
    assert segments_of(Outside.of(window)) == [OUTSIDE]
    assert [uncut(scope) for scope in (window, Outside.of(window), None)] == [None, OUTSIDE, WHOLE]
    Outside(date(2026, 2, 27), date(2026, 2, 27))  # a shop without days: all is outside
    with pytest.raises(ValueError, match="end before they start"):
        Outside(date(2026, 2, 28), date(2026, 2, 27))


def test_the_rows_of_segments_are_told_by_the_bounds_of_their_days(tmp_path: Path) -> None:
    catalogue = read(tmp_path, {"raw/visits.sql": VISITS})
    (visits,) = catalogue.in_zone("Asia/Seoul").tables
    assert condition(visits, [LAST, FIRST]) == (
        "(\"seen_at\" >= '2026-02-26 15:00:00' and \"seen_at\" < '2026-02-27 15:00:00')"
        " or (\"seen_at\" >= '2026-02-28 15:00:00' and \"seen_at\" < '2026-03-01 15:00:00')"
    )
    assert condition(visits, [WHOLE]) is None
    with pytest.raises(ValueError, match="outside of the days"):
        condition(visits, [FIRST, OUTSIDE])
    outside = Outside(date(2026, 2, 27), date(2026, 3, 2))
    beyond = (
        '("seen_at" is null or "seen_at" < \'2026-02-26 15:00:00\''
        " or \"seen_at\" >= '2026-03-01 15:00:00')"
    )
    assert condition(visits, [OUTSIDE], outside) == beyond
    assert condition(visits, [OUTSIDE, FIRST], outside) == (
        "(\"seen_at\" >= '2026-02-26 15:00:00' and \"seen_at\" < '2026-02-27 15:00:00')"
        f" or {beyond}"
    )
    assert condition(visits, [FIRST], outside) == condition(visits, [FIRST])
    with pytest.raises(ValueError, match="no segment was named"):  # or a deletion would take all
        condition(visits, [])


@pytest.mark.parametrize(
    ("kind", "zone", "first", "last"),
    [
        ("date", "Asia/Seoul", "0001-01-01", "9999-12-31"),
        ("datetime", "Asia/Seoul", "0001-01-01 00:00:00", "9999-12-31 00:00:00"),
        ("timestamp", "Asia/Seoul", "0001-01-01 00:00:00", "9999-12-30 15:00:00"),
        ("timestamp", "Pacific/Honolulu", "0001-01-01 10:31:26", "9999-12-31 10:00:00"),
    ],
)
def test_the_first_and_the_last_of_all_days_have_bounds(
    tmp_path: Path, kind: str, zone: str, first: str, last: str
) -> None:
    text = VISITS.replace("timestamp", kind)
    (visits,) = read(tmp_path, {"raw/visits.sql": text}).in_zone(zone).tables
    bounds = [bound(visits, day) for day in (date.min, date.max)]
    assert bounds == [f"'{first}'", f"'{last}'"]
