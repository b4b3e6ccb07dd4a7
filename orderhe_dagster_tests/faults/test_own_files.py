"""A few of the files of a home, damaged: the short form of `own_files`, which tries all kinds."""

from __future__ import annotations

from pathlib import Path

from orderhe_dagster_tests.faults.own_files import Scene, experiment, undamaged
from orderhe_dagster_tests.shops import TestShop

RUN = "run '*' --from 2026-01-01 --to 2026-01-05"
CHOSEN = (
    ("index: its root", "half"),
    ("index: a part", "removed"),
    ("contracts as read", "flipped"),
)


def test_damaged_files_are_healed_and_stop_no_day(ran_shop: TestShop, tmp_path: Path) -> None:
    scene = Scene(ran_shop, undamaged(ran_shop, tmp_path / "undamaged", RUN), RUN, ())
    outcomes = experiment(scene, tmp_path, CHOSEN)
    assert [(one.kind, one.damage) for one in outcomes] == sorted(CHOSEN)
    assert not [one for one in outcomes if one.wrong]
    assert {one.verdict for one in outcomes} <= {"healed", "healed, and told"}
