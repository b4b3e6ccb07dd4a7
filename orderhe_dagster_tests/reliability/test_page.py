"""The page on reliability is what the committed results make of it, and names attacks that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderhe_dagster_tests.chaos.scenarios import ATTACKS, scenario
from orderhe_dagster_tests.reliability.page import (
    PAGE,
    Sum,
    part,
    ranges,
    read_summary,
    sums,
    written,
)
from orderhe_dagster_tests.reliability.promises import PROMISES, Attack
from orderhe_dagster_tests.reliability.results import ROOT, Result, read, record

ALL = [attack for promise in PROMISES for attack in promise.attacks]


def test_the_page_is_what_the_committed_results_make_of_it() -> None:
    page = PAGE.read_text("utf-8")
    assert written(page, read_summary()) == page, "make reliability writes it anew"


@pytest.mark.parametrize("attack", ALL, ids=lambda attack: attack.what)
def test_every_attack_of_the_page_exists(attack: Attack) -> None:
    for name in attack.tests:
        text = (ROOT / "orderhe_dagster_tests" / name).read_text("utf-8")
        assert "def test_" in text
    if attack.target:
        target = attack.target.removeprefix("make ")
        recipe = re.search(
            rf"^{target}:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text("utf-8"), re.M
        )
        assert recipe is not None
        assert attack.suite in recipe[0]
    if attack.suite == "chaos":
        assert set(attack.names) <= set(ATTACKS)


def test_every_attack_of_chaos_is_on_the_page_and_drawn_by_the_first_hundred_seeds() -> None:
    named = {name for attack in ALL if attack.suite == "chaos" for name in attack.names}
    assert named == set(ATTACKS)
    assert {scenario(seed).attack for seed in range(100)} == set(ATTACKS)


def test_a_seed_tells_all_of_its_scenario() -> None:
    assert [scenario(seed) for seed in range(50)] == [scenario(seed) for seed in range(50)]
    assert scenario(7) != scenario(8)


def test_every_boundary_has_a_seed() -> None:
    for thousand in (1_000, 2_000, 3_000):
        every = [scenario(thousand + n) for n in range(1, 200)]
        assert [one.at for one in every] == [*range(1, 200)]
        assert {one.attack for one in every} == {every[0].attack}


def test_results_are_summed_by_attack_for_the_last_commit_of_each_suite(tmp_path: Path) -> None:
    file = tmp_path / "results.jsonl"
    for commit, seed, bad in (("old", 1, 1), ("new", 1, 1), ("new", 2, 0), ("new", 1, 0)):
        record(Result("chaos", "reset", 1, bad, 1.5, seed, met=seed - 1, commit=commit), file)
    record(Result("kills", "KILL", 31, 0, 60.0, commit="old"), file)
    with file.open("a") as lines:
        lines.write('{"suite": "chaos", "att')  # killed while it wrote
    chaos, kills = sums(read(file))
    assert (chaos.count, chaos.met, chaos.bad, chaos.seeds) == (2, 1, 0, "1–2")
    assert (kills.suite, kills.count, kills.met, kills.commit) == ("kills", 31, 31, "old")


def test_only_attacks_that_came_to_pass_are_counted_on_the_page() -> None:
    sum_ = Sum("chaos", "503 run-s3", 9, 7, 1, "1–9", "abc", "2026-01-01")
    (row,) = [line for line in part([sum_]).splitlines() if "503 of S3" in line]
    assert "| 7: 1 | 1–9 |" in row


def test_numbers_are_written_as_ranges() -> None:
    assert ranges([5, 1, 2, 3, 9]) == "1–3, 5, 9"
