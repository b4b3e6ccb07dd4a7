"""A day's rows against the same weekday's past."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from orderhe_dagster.road.volume import unusual

DAY = date(2026, 3, 13)  # a Friday


def past(*rows: int) -> dict[date, int]:
    """Fridays before the day, the latest first, with other weekdays of no account between."""
    others = {DAY - timedelta(days=days): 9_999 for days in range(1, 60) if days % 7}
    return others | {DAY - timedelta(weeks=n): one for n, one in enumerate(rows, 1)}


@pytest.mark.parametrize("rows", [200, 100, 51, 50, 599, 600])
def test_a_day_within_half_the_least_and_thrice_the_most_is_usual(rows: int) -> None:
    assert unusual(past(100, 200, 150, 120) | {DAY: rows}, [DAY]) == []


@pytest.mark.parametrize("rows", [0, 49, 601, 10_000])
def test_a_day_beyond_that_is_told_with_its_range(rows: int) -> None:
    (found,) = unusual(past(100, 200, 150, 120) | {DAY: rows}, [DAY])
    assert str(found) == (f"2026-03-13 has {rows:,} rows, the 4 Fridays before it had 100 to 200")


def test_a_range_of_one_number_is_told_as_one() -> None:
    (found,) = unusual(past(40, 40, 40, 40) | {DAY: 1}, [DAY])
    assert str(found) == "2026-03-13 has 1 row, the 4 Fridays before it had 40"


def test_of_too_short_a_past_and_of_few_rows_nothing_is_said() -> None:
    assert unusual(past(100, 100, 100) | {DAY: 0}, [DAY]) == []
    assert unusual(past(0, 3, 1, 2) | {DAY: 12}, [DAY]) == []
    assert unusual(past(10, 10, 10, 10) | {DAY: 0}, [DAY]) == []


def test_only_the_last_eight_weeks_count() -> None:
    assert unusual(past(*[100] * 8, 0) | {DAY: 20}, [DAY]) != []
    assert unusual(past(*[100] * 7, 0) | {DAY: 20}, [DAY]) == []


def test_a_day_that_is_not_known_is_not_judged() -> None:
    assert unusual(past(100, 100, 100, 100), [DAY]) == []
