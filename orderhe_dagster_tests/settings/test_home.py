"""The laptop's state folder: made once, by any number of processes, and usable by Dagster."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from orderhe_dagster.history import BatchedEventLog
from orderhe_dagster.settings.config import SettingsError, load_settings
from orderhe_dagster.settings.home import (
    Home,
    first_day,
    home_of,
    prepare_home,
    remember_start,
    remembered_start,
    use_home,
)

START_TOGETHER = """
import os, sys
import alembic.command, dagster as dg
import orderhe_dagster.history  # as all else that takes time, before the start
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster.settings.home import use_home

days = dg.DailyPartitionsDefinition("2025-01-01", end_date="2025-03-01")

@dg.asset(partitions_def=days, backfill_policy=dg.BackfillPolicy.single_run())
def good() -> None: ...

os.environ["ORDERHE_HOME"] = sys.argv[1]
settings = load_settings()
sys.stdout.write("ready")
sys.stdout.flush()
sys.stdin.read(1)
use_home(settings)
with dg.DagsterInstance.get() as instance:
    for _ in range(4):
        dg.materialize([good], instance=instance, tags={
            "dagster/asset_partition_range_start": "2025-01-03",
            "dagster/asset_partition_range_end": "2025-01-12",
        })
"""


def test_naming_a_home_makes_nothing(tmp_path: Path) -> None:
    home = home_of(load_settings({}, tmp_path))
    assert home.shop == tmp_path / ".orderhe" / "shop.duckdb"
    assert not home.folder.exists()


def test_dagster_takes_the_prepared_home(tmp_path: Path) -> None:
    home = use_home(load_settings({}, tmp_path))
    assert os.environ["DAGSTER_HOME"] == str(home.dagster)
    with dg.DagsterInstance.get() as instance:
        assert isinstance(instance.event_log_storage, BatchedEventLog)
        assert instance.telemetry_enabled is False
        assert instance.nux_enabled is False
        assert Path(instance.root_directory) == home.dagster
    assert (home.dagster / "history" / "runs" / "index.db").is_file()


def test_preparing_again_mends_dagster_yaml_and_keeps_the_rest(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    yaml = home.dagster / "dagster.yaml"
    written = yaml.read_text("utf-8")
    (home.exports / "kept.csv").touch()
    yaml.write_text("storage: {}", "utf-8")
    prepare_home(settings)
    assert yaml.read_text("utf-8") == written
    assert (home.exports / "kept.csv").exists()
    assert [path.name for path in home.dagster.iterdir()] == ["dagster.yaml"]


def test_a_moved_home_writes_where_it_is_now(tmp_path: Path) -> None:
    home = prepare_home(load_settings({}, tmp_path))
    moved = Home(home.folder.rename(tmp_path / "moved"))
    os.environ["DAGSTER_HOME"] = str(moved.dagster)
    with dg.DagsterInstance.get() as instance:
        assert instance.get_runs_count() == 0
    assert (moved.dagster / "history" / "runs.db").is_file()
    assert not home.folder.exists()


def test_first_starts_at_the_same_moment_all_work_and_lose_nothing(tmp_path: Path) -> None:
    started = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", START_TOGETHER, str(tmp_path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(3)
    ]
    for process in started:
        assert process.stdout is not None
        assert process.stdout.read(len("ready")) == "ready"
    for process in started:
        assert process.stdin is not None
        process.stdin.write("g")
        process.stdin.flush()
    for process in started:
        said = process.communicate(timeout=120)[1]
        assert process.returncode == 0, said
        assert "Exception while storing event batch" not in said
    os.environ["DAGSTER_HOME"] = str(Home(tmp_path).dagster)
    with dg.DagsterInstance.get() as instance:
        runs = instance.get_runs()
        assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS] * 12
        records = instance.fetch_materializations(dg.AssetKey("good"), limit=200).records
        assert len({record.storage_id for record in records}) == 120
        kind = dg.DagsterEventType.ASSET_MATERIALIZATION
        for run in runs:
            assert len(instance.all_logs(run.run_id, of_type=kind)) == 10


def test_the_first_day_is_remembered_and_only_moves_earlier(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = home_of(settings)
    assert remembered_start(home) is None
    assert first_day(settings) is None
    assert remember_start(home, date(2025, 3, 1)) == date(2025, 3, 1)
    assert remember_start(home, date(2025, 4, 1)) == date(2025, 3, 1)
    assert remember_start(home, date(2025, 2, 1)) == date(2025, 2, 1)
    assert remembered_start(home) == date(2025, 2, 1)
    assert first_day(settings) == date(2025, 2, 1)


def test_the_setting_wins_over_the_remembered_day(tmp_path: Path) -> None:
    settings = load_settings({"ORDERHE_START_DATE": "2024-01-01"}, tmp_path)
    remember_start(home_of(settings), date(2023, 1, 1))
    assert first_day(settings) == date(2024, 1, 1)


def test_a_spoilt_start_date_is_named_with_the_remedy(tmp_path: Path) -> None:
    home = Home(tmp_path)
    home.start_date.write_text("yesterday", "utf-8")
    with pytest.raises(SettingsError, match=r"start_date holds 'yesterday'.*ORDERHE_START_DATE"):
        remembered_start(home)
