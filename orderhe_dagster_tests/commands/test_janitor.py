"""`orderhe janitor`, the job of the same name, and what a run on a laptop does unasked."""

from __future__ import annotations

import os
import re
import time
from datetime import datetime, timedelta, timezone
from pathlib import Path

import dagster as dg
import pytest
from click.testing import CliRunner

from orderhe_dagster.assets import janitor as janitor_module
from orderhe_dagster.cli import main
from orderhe_dagster.commands.run import history
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.road import published
from orderhe_dagster_tests.shops import TestShop, shop_of

LOADED = "backup/sales,warehouse/sales"


def asked(shop: TestShop, *words: str, **environ: str) -> str:
    env = {**shop.environ, "ORDERHE_HOME": str(shop.home), **environ}
    done = CliRunner().invoke(main, words, env=env)
    assert done.exit_code == 0, done.output
    return done.output


def objects(shop: TestShop) -> set[str]:
    return {one.key for one in shop.store.inventory("backup/")}


class Later(datetime):
    """The clock in a month."""

    @classmethod
    def now(cls, tz: object = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + timedelta(days=31)  # type: ignore[arg-type]


@pytest.fixture
def used(ran_shop: TestShop) -> TestShop:
    """A shop with remains of a run that was killed days ago, and an old catalogue in its cache."""
    key = "backup/sales/2026-01-02/a-dead-run/part-00000.parquet"
    ran_shop.store.put(key, b"rows")
    old = time.time() - timedelta(days=3).total_seconds()
    path = next(ran_shop.home.glob("s3/**/a-dead-run/part-00000.parquet"))
    os.utime(path, (old, old))
    cached = ran_shop.home / "cache" / "catalogue-old.json"
    cached.parent.mkdir(exist_ok=True)
    cached.write_text("{}")
    older = time.time() - timedelta(days=40).total_seconds()
    os.utime(cached, (older, older))
    return ran_shop


def test_a_dry_run_lists_what_a_run_then_removes(used: TestShop) -> None:
    before = objects(used)
    listed = asked(used, "janitor", "--dry-run")
    assert objects(used) == before
    assert "backup/sales/2026-01-02/a-dead-run/part-00000.parquet: 4 bytes, of no record" in listed
    assert "catalogue-old.json" in listed
    assert "would be removed" in listed
    done = asked(used, "janitor")
    assert "backup/sales: 0 generations and 1 object removed, 1 of them of no record" in done
    assert "home: 1 file removed" in done
    assert before - objects(used) == {"backup/sales/2026-01-02/a-dead-run/part-00000.parquet"}
    assert not (used.home / "cache" / "catalogue-old.json").exists()
    assert asked(used, "janitor").splitlines() == ["0.0 MB freed"]


def test_what_was_published_goes_when_its_link_has_ended(used: TestShop) -> None:
    now = datetime.now(timezone.utc)
    over, open_still = (published.new_folder(now + timedelta(hours=h)) for h in (-1, 1))
    for key in (f"{over}/a.csv", f"{open_still}/a.csv", "published/by-hand.csv"):
        used.store.put(key, b"rows")
    assert f"{over}/a.csv: its link has ended" in asked(used, "janitor", "--dry-run")
    assert "published: 1 object removed" in asked(used, "janitor")
    left = {one.key for one in used.store.inventory("published/")}
    assert left == {f"{open_still}/a.csv", "published/by-hand.csv"}


def test_logs_of_old_runs_go_and_the_state_stays(
    used: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    runs = used.home / "dagster" / "history" / "runs"
    assert used.run(LOADED, "2026-01-05").succeeded
    with history(used.home / "dagster") as instance:
        keys = instance.all_asset_keys()
        state = {key: sorted(instance.get_materialized_partitions(key)) for key in keys}
        many = len(instance.get_runs())
    assert many > 1
    monkeypatch.setattr(janitor_module, "datetime", Later)
    told = asked(used, "janitor")
    assert f"history: the logs of {many} runs of more than 30 days ago removed" in told
    assert not [path for path in runs.glob("*.db") if path.stem != "index"]
    assert "history" not in asked(used, "janitor"), "it went, and goes no more"
    with history(used.home / "dagster") as instance:
        assert {key: sorted(instance.get_materialized_partitions(key)) for key in keys} == state
    assert used.run("*", "2026-01-05").succeeded


def test_a_run_on_a_laptop_cleans_up_once_a_day(used: TestShop) -> None:
    words = ("run", LOADED, "--from", "2026-01-05")
    first = asked(used, *words)
    assert "janitor: backup/sales: 0 generations and 1 object removed" in first
    assert "janitor" not in asked(used, *words)
    stamp = used.home / "cache" / "janitor"
    old = time.time() - timedelta(hours=21).total_seconds()
    os.utime(stamp, (old, old))
    asked(used, *words)
    assert time.time() - stamp.stat().st_mtime < 3600


def test_a_damaged_index_keeps_no_other_table_from_being_cleaned_up(used: TestShop) -> None:
    used.store.put("backup/buyers/index.json", b"{")
    done = asked(used, "janitor")
    assert "warning backup of buyers: backup/buyers/index.json: it is no index" in done
    assert "backup/sales: 0 generations and 1 object removed" in done


def test_a_run_that_went_well_did_whatever_the_janitor_meets(
    used: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(*given: object) -> object:
        raise PortError("the bucket cannot be listed")

    monkeypatch.setattr(janitor_module, "clean", refused)
    for _ in range(2):  # and it is tried again behind the next
        done = asked(used, "run", LOADED, "--from", "2026-01-05")
        assert "janitor: not this time: the bucket cannot be listed" in done


def test_the_job_does_the_same_and_its_schedule_is_on_where_the_store_is_a_folder(
    used: TestShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(used.home / "dagster"))
    definitions = build_definitions(used.settings)
    job = definitions.resolve_job_def("janitor")
    with history(used.home / "dagster") as instance:
        assert job.execute_in_process(instance=instance).success
    assert not [key for key in objects(used) if "a-dead-run" in key]
    schedule = definitions.resolve_schedule_def("janitor_schedule")
    assert schedule.default_status is dg.DefaultScheduleStatus.RUNNING
    remote = shop_of(
        tmp_path / "remote",
        {"raw/buyers.sql": "create table buyers (id int not null, primary key (id));"},
        ORDERHE_STORE="s3",
        ORDERHE_S3_BUCKET="shop-backup",
    )
    off = build_definitions(remote.settings).resolve_schedule_def("janitor_schedule")
    assert off.default_status is dg.DefaultScheduleStatus.STOPPED


def test_how_long_things_stay_is_set(ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> None:
    for price in (1, 2, 3):
        ran_shop.change(
            f"update sales set price = {price}, changed_at = changed_at + interval 1 second"
            " where shop_no = 1 and sale_no = 2"
        )
        assert ran_shop.run(LOADED, "2026-01-02").succeeded
    few = {"ORDERHE_KEEP_GENERATIONS": "1"}
    assert "generation" not in asked(ran_shop, "janitor", **few)  # they counted an hour ago
    monkeypatch.setattr(janitor_module, "datetime", Later)
    assert "backup/sales: 0 generations" in asked(ran_shop, "janitor")  # but a load's manifest
    assert "backup/sales: 2 generations" in asked(ran_shop, "janitor", **few)
    env = {**ran_shop.environ, "ORDERHE_HOME": str(ran_shop.home), "ORDERHE_KEEP_RUN_DAYS": "0"}
    refused = CliRunner().invoke(main, ["janitor"], env=env)
    assert refused.exit_code == 1
    assert re.search(r"ORDERHE_KEEP_RUN_DAYS.*0", refused.output)
