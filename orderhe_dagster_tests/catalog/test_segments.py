"""What a segment is called, how segments sort, and which rows of a table they hold."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import (
    OUTSIDE,
    WHOLE,
    Segment,
    condition,
    days_of,
    segments_of,
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
    with pytest.raises(ValueError, match="no segment was named"):  # or a deletion would take all
        condition(visits, [])
