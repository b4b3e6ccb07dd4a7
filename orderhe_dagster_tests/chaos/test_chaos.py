"""Twelve seeds of chaos on the real systems; `make chaos` plays hundreds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from orderhe_dagster_tests.chaos import attack
from orderhe_dagster_tests.chaos.attack import Stage, Verdict, _of_the_reader
from orderhe_dagster_tests.chaos.processes import Child
from orderhe_dagster_tests.chaos.reader import Seen
from orderhe_dagster_tests.chaos.run import played_before
from orderhe_dagster_tests.chaos.scenarios import SHORT, scenario
from orderhe_dagster_tests.chaos.source import Versions
from orderhe_dagster_tests.reliability.results import ROOT, Result, read, record
from orderhe_dagster_tests.servers.mariadb import needed


@pytest.mark.skipif(not hasattr(os, "fork"), reason="every server and run is a forked process")
def test_a_run_that_is_attacked_on_the_real_systems_tears_nothing_and_one_rerun_heals(
    tmp_path: Path,
) -> None:
    needed()
    results, folder = tmp_path / "results.jsonl", tmp_path / "seeds"
    # In a process of its own: forking this one, whose databases have threads, would not be safe.
    command = [sys.executable, "-W", "ignore", "-m", "orderhe_dagster_tests.chaos.run"]
    done = subprocess.run(
        [
            *(*command, "--seeds", f"0-{SHORT - 1}", "--minutes", "60", "--told"),
            *("--results", str(results), "--folder", str(folder)),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    played = [*read(results)]
    assert [one.seed for one in played] == [*range(SHORT)]
    assert sum(one.met or 0 for one in played) > SHORT / 2, "attacks do not come to pass any more"
    assert not list(folder.iterdir())


def row(number: int, day: str, price: str = "1.000") -> tuple[str, ...]:
    return ("1", str(number), day, price, "open", "")


BEFORE = [row(1, "d1"), row(2, "d1"), row(3, "d2")]
AFTER = [row(1, "d1", "2.000"), row(3, "d2"), row(2, "d2"), row(4, "d3")]


@pytest.fixture
def versions(tmp_path: Path) -> Versions:
    """Row 2 moves from d1 to d2, row 1 has another price, d3 begins."""
    file = tmp_path / "states.jsonl"
    file.write_text("".join(json.dumps(state) + "\n" for state in (BEFORE, AFTER)))
    return Versions.of(file)


def test_a_reader_may_see_each_day_before_or_after(versions: Versions) -> None:
    half = [*AFTER[:1], row(3, "d2")]  # d2 was not loaded yet; row 2 went with the load of d1
    assert versions.torn([[], BEFORE, half, AFTER], may_lack=True) == []
    assert versions.torn_takings([("d1", "2", "2.000"), ("d1", "1", "2.000")]) == []


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([[*BEFORE, row(1, "d2")]], "keys twice"),
        ([[row(1, "d1", "3.000"), *BEFORE[1:]]], "d1 is none of its"),
        ([BEFORE[1:]], "d1 is none of its"),
        ([BEFORE, BEFORE[2:]], "d1 is none of its"),
        ([AFTER, BEFORE], "d1 went back"),
    ],
)
def test_a_reader_may_not_see_anything_between(
    versions: Versions, states: list[list[tuple[str, ...]]], expected: str
) -> None:
    assert expected in versions.torn(states, may_lack=False)[0]


def test_a_day_that_was_there_does_not_vanish(versions: Versions) -> None:
    assert versions.torn([[], BEFORE], may_lack=True) == []
    assert "d1 is none of its" in versions.torn([BEFORE, BEFORE[2:]], may_lack=True)[0]


@pytest.mark.parametrize("is_over", [True, False])
def test_a_run_that_was_kept_waiting_has_overtaken_nobody(
    monkeypatch: pytest.MonkeyPatch, is_over: bool
) -> None:
    done: list[str] = []

    def ends_within(_seconds: float) -> bool:
        done.append("looked")
        return is_over

    other = SimpleNamespace(ends_within=ends_within, result=lambda: (done.append("over"), 0))
    run = SimpleNamespace(send=lambda _signal: done.append("woken"))
    monkeypatch.setattr(attack, "begin", lambda _work: other)
    verdict = Verdict()
    assert attack._overtake(cast("Stage", None), cast("Child", run), verdict) == []
    assert verdict.overtaken == is_over
    assert done == ["looked", *([] if is_over else ["woken"]), "over", "woken"]


def test_a_reader_that_saw_nothing_has_proven_nothing(tmp_path: Path) -> None:
    (tmp_path / "states.jsonl").write_text(json.dumps(BEFORE) + "\n")
    stage = SimpleNamespace(scenario=scenario(0), states=tmp_path / "states.jsonl")
    assert _of_the_reader(cast("Stage", stage), Seen(), ()) == ["the reader saw nothing"]
    assert _of_the_reader(cast("Stage", stage), Seen([BEFORE]), ()) == []


def test_seeds_are_passed_over_on_their_commit_alone_and_bad_ones_stay_bad(tmp_path: Path) -> None:
    results = tmp_path / "results.jsonl"
    for commit, seed, bad in (("a", 1, 1), ("a", 1, 0), ("a", 2, 0), ("b", 3, 0), ("a+", 4, 0)):
        record(Result("chaos", "reset", 1, bad, 1.0, seed, commit=commit), results)
    record(Result("kills", "KILL", 31, 0, 60.0, commit="a"), results)
    assert played_before(results, "a") == {1: True, 2: False}
    assert played_before(results, "a+") == {}, "who knows what was changed"
    assert played_before(results, "") == {}


def test_sums_of_a_mart_are_held_to_the_versions(versions: Versions) -> None:
    assert versions.torn_takings([("d1", "2", "9.000")]) != []
    assert versions.torn_takings([("d2", "3", "3.000")]) != []
