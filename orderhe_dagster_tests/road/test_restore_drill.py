"""`orderhe restore --drill`: a random range into scratch, and a certificate that can be verified."""

from __future__ import annotations

import json
import re
from pathlib import Path

import dagster as dg
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.road import drills
from orderhe_dagster.road.points import everything
from orderhe_dagster_tests.road.test_restore import contents, flip, restore
from orderhe_dagster_tests.shops import TestShop, days

HISTORY = days("2026-01-01", "2026-01-05")


def drawn(shop: TestShop, seed: int) -> drills.Drill:
    tables = shop.catalogue.layer("raw")
    return drills.draw([everything(table, HISTORY, shop.store) for table in tables], seed)


def keys(shop: TestShop, prefix: str) -> list[str]:
    return [name for name, _ in shop.store.listing(prefix)]


def test_a_drill_is_kept_and_verifies(ran_shop: TestShop) -> None:
    before, objects = contents(ran_shop), keys(ran_shop, "backup/")
    said = restore(ran_shop, "--drill", "--seed", "7")
    assert "seed 7: the same range again with --seed 7" in said and "equal to the backups" in said
    assert contents(ran_shop) == before
    assert keys(ran_shop, "backup/") == objects, "a drill leaves nothing beside the backups"
    assert not [path for path in (ran_shop.home / "scratch").iterdir() if path.is_dir()]
    assert "The certificate holds." in ran_shop.paste(said.rpartition(": ")[2])
    assert "with seed 7" in restore(ran_shop, "--verify", "latest")
    (key,) = keys(ran_shop, "restore/drills/2")
    stored = ran_shop.store.get(key)
    assert stored is not None
    body = json.loads(stored.body)
    assert body["equal"] is True and body["seed"] == 7 and body["seconds"] > 0
    assert {"buyers", "sales"} == set(body["tables"])


def test_a_seed_is_the_same_range_again_and_others_are_others(ran_shop: TestShop) -> None:
    windows = [drawn(ran_shop, seed).days for seed in range(40)]
    assert windows == [drawn(ran_shop, seed).days for seed in range(40)]
    assert len(set(windows)) > 5
    covered = {day for window in windows if isinstance(window, Window) for day in window}
    assert covered == set(HISTORY)


def test_a_range_keeps_to_the_rows_that_a_drill_may_take(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drills, "MOST_ROWS", 1)
    for seed in range(10):
        done = drawn(ran_shop, seed)
        assert all(choice.rows <= 1 for choice in done.choices)
        assert "buyers: 2 rows are many" in done.left_out


def test_a_damaged_part_makes_a_drill_fail_and_is_in_its_certificate(ran_shop: TestShop) -> None:
    (part,) = ran_shop.record("buyers", "all").parts
    flip(ran_shop, part.key, 50)
    said = restore(ran_shop, "--drill", code=1)
    assert f"DIFFERENT buyers all: s3://orderhe/{part.key}" in said and "NOT equal" in said
    assert "The certificate does not hold." in restore(ran_shop, "--verify", "latest", code=1)


def test_a_certificate_that_was_altered_is_none(ran_shop: TestShop, tmp_path: Path) -> None:
    restore(ran_shop, "--drill", "--seed", "1")
    stored = ran_shop.store.get(drills.LATEST)
    assert stored is not None
    file = tmp_path / "certificate.json"
    file.write_bytes(stored.body)
    assert "The certificate holds." in restore(ran_shop, "--verify", str(file))
    seconds = re.sub(rb'"seconds": [0-9.]+', b'"seconds": 0.001', stored.body)
    for place, body in [(0, seconds), *((p, stored.body) for p in range(0, len(stored.body), 211))]:
        altered = bytearray(body)
        if body is stored.body:
            altered[place] ^= 4
        file.write_bytes(altered)
        assert "no certificate" in restore(ran_shop, "--verify", str(file), code=1)


def test_a_certificate_says_what_was_true_when_objects_have_changed(ran_shop: TestShop) -> None:
    restore(ran_shop, "--drill", "--seed", "1")
    (part,) = ran_shop.record("buyers", "all").parts
    flip(ran_shop, part.key, 50)
    said = restore(ran_shop, "--verify", "latest", code=1)
    assert (
        f"NOT SO: buyers all: s3://orderhe/{part.key} is not the object that was restored" in said
    )


def test_a_wrong_use_is_refused(sales_shop: TestShop) -> None:
    assert "make backups first: orderhe run 'backup/*'" in restore(sales_shop, "--drill", code=1)
    assert "orderhe restore --drill" in restore(sales_shop, "--verify", "latest", code=1)
    said = restore(sales_shop, "warehouse", "--seed", "1", code=2)
    assert "--seed is not for warehouse, which takes --table, --from" in said
    said = restore(sales_shop, "--drill", "--table", "sales", code=2)
    assert "--table is not for --drill, which takes --seed" in said
    assert "say what to restore" in restore(sales_shop, code=2)
    said = restore(sales_shop, "--drill", "warehouse", code=2)
    assert "warehouse and --drill are asked for at once: give one of them" in said


def test_the_job_fails_where_there_is_nothing_to_restore(sales_shop: TestShop) -> None:
    job = build_definitions(sales_shop.settings).resolve_job_def("restore_drill")
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, raise_on_error=False)
    assert not result.success
    assert sales_shop.store.get(drills.LATEST) is None


def test_the_job_drills_and_its_schedule_is_off(ran_shop: TestShop) -> None:
    definitions = build_definitions(ran_shop.settings)
    schedule = definitions.resolve_schedule_def("restore_drill_schedule")
    assert schedule.default_status == dg.DefaultScheduleStatus.STOPPED
    job = definitions.resolve_job_def("restore_drill")
    config = {"ops": {"restore_into_scratch": {"config": {"seed": 3}}}}
    with dg.DagsterInstance.ephemeral() as instance:
        assert job.execute_in_process(run_config=config, instance=instance).success
        (part,) = ran_shop.record("buyers", "all").parts
        flip(ran_shop, part.key, 50)
        result = job.execute_in_process(run_config=config, instance=instance, raise_on_error=False)
    assert not result.success
    (failed,) = result.get_step_failure_events()
    data = failed.step_failure_data.user_failure_data
    assert data is not None and part.key in str(data.description)
