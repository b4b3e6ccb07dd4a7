"""The road, broken in each of eight ways, turns a test red; and the page lists them."""

from __future__ import annotations

import pytest

from orderhe_dagster_tests.faults.broken import PAGE, ROOT, VARIANTS, run
from orderhe_dagster_tests.long_tests import IS_LONG


# That one is seen by a file that runs here anyway, twice as long as all the others.
@pytest.mark.parametrize("name", [name for name in VARIANTS if IS_LONG or name != "no_transaction"])
def test_a_broken_road_turns_a_test_red(name: str) -> None:
    is_red, told = run(name)
    assert is_red, told


def test_the_page_lists_them_with_tests_that_are_there() -> None:
    rows = [line for line in PAGE.read_text("utf-8").splitlines() if "::test_" in line]
    assert [row.split("|")[1].strip() for row in rows] == [one.what for one in VARIANTS.values()]
    for row in rows:
        path, _, test = row.split("`")[1].partition("::")
        text = (ROOT / "orderhe_dagster_tests" / path).read_text("utf-8")
        assert f"def {test.partition('[')[0]}(" in text
