"""Draws depend on what they are for and on nothing else."""

from __future__ import annotations

import numpy as np
import pytest

from orderhe_dagster.shop.draws import Table, bell, distinct, keys, uniform, whole

MANY = np.arange(200_000, dtype=np.int64)


def test_a_draw_is_the_same_alone_and_among_many() -> None:
    together = uniform(keys(7, "order", MANY, MANY % 31), "price")
    for index in (0, 1, 17, 199_999):
        one = MANY[index : index + 1]
        assert uniform(keys(7, "order", one, one % 31), "price")[0] == together[index]


@pytest.mark.parametrize(
    "other",
    [
        lambda: uniform(keys(8, "order", MANY), "price"),
        lambda: uniform(keys(7, "person", MANY), "price"),
        lambda: uniform(keys(7, "order", MANY), "status"),
        lambda: uniform(keys(7, "order", MANY + 1), "price"),
    ],
    ids=["seed", "kind", "stream", "part"],
)
def test_draws_for_different_things_are_unrelated(other: object) -> None:
    first = uniform(keys(7, "order", MANY), "price")
    second = other()  # type: ignore[operator]
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.01


def test_numbers_are_even_over_their_range() -> None:
    drawn = uniform(keys(1, "order", MANY), "x")
    assert drawn.min() >= 0.0
    assert drawn.max() < 1.0
    counts = np.histogram(drawn, bins=20, range=(0, 1))[0]
    assert counts.min() > 9_500
    assert counts.max() < 10_500


def test_whole_numbers_reach_both_ends_and_no_further() -> None:
    assert set(whole(keys(1, "order", MANY), "x", 3, 6).tolist()) == {3, 4, 5, 6}


def test_the_bell_has_mean_zero_and_deviation_one() -> None:
    drawn = bell(keys(1, "order", MANY), "x")
    assert abs(drawn.mean()) < 0.01
    assert abs(drawn.std() - 1) < 0.01


def test_a_table_gives_each_index_its_weight() -> None:
    drawn = Table([1, 0, 3]).pick(uniform(keys(1, "order", MANY), "x"))
    shares = np.bincount(drawn, minlength=3) / len(MANY)
    assert shares == pytest.approx([0.25, 0.0, 0.75], abs=0.01)


def test_a_table_never_runs_over_its_last_index() -> None:
    table = Table([0.1] * 10)
    almost_one = np.array([1.0 - 2.0**-53])
    assert table.pick(almost_one).tolist() == [9]
    assert table.position(almost_one)[0] < 10


def test_distinct_is_sorted_and_holds_each_number_once() -> None:
    found = distinct(np.array([3, 1, 3]), np.array([2, 1]))
    assert found.tolist() == [1, 2, 3]
    assert distinct(np.zeros(0, dtype=np.int64)).tolist() == []
