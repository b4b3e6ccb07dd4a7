"""The laptop's state folder: made once, by any number of processes, and usable by Dagster."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import dagster as dg
import pytest

from orderhe_dagster.history.sqlite import BatchedEventLog
from orderhe_dagster.resources.build import build_source, build_store
from orderhe_dagster.settings import dagster_yaml
from orderhe_dagster.settings.config import SettingsError, load_settings
from orderhe_dagster.settings.dagster_yaml import DagsterYamlError
from orderhe_dagster.settings.home import (
    Home,
    advice,
    first_day,
    home_of,
    prepare_home,
    remember_start,
    remembered_start,
    use_home,
)
from orderhe_dagster.settings.project import read_catalogue
from orderhe_dagster.settings.scratch import scratch_folder

START_TOGETHER = """
import os, sys
import alembic.command, dagster as dg
import orderhe_dagster.history.sqlite  # as all else that takes time, before the start
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


def test_preparing_again_keeps_what_is_there(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    written = home.instance.read_text("utf-8")
    assert written == dagster_yaml.TEXT
    (home.exports / "kept.csv").touch()
    edited = written.replace("max_concurrent_runs: 2", "max_concurrent_runs: 5")
    assert edited != written
    home.instance.write_text(edited, "utf-8")
    prepare_home(settings)
    assert home.instance.read_text("utf-8") == edited
    assert (home.exports / "kept.csv").exists()
    assert [path.name for path in home.dagster.iterdir()] == ["dagster.yaml"]


def test_dagster_yaml_says_first_whose_it_is() -> None:
    for text in (dagster_yaml.TEXT, dagster_yaml.WORKSPACE):
        assert text.startswith("# Written once by orderhe, and yours from now on")


def earlier(text: str) -> str:
    """A text of ours as it was when every start overwrote it."""
    body = text[text.index("storage:") :].replace(LAUNCHER, "")
    return f"# Written by orderhe; changes here are overwritten. Paths follow DAGSTER_HOME.\n{body}"


LAUNCHER = """\
# Dagster's own, but that it sees when a run's process was killed; run_monitoring then ends the run.
run_launcher:
  module: orderhe_dagster.runs
  class: Launcher
"""
LOGS = "python_logs:\n  managed_python_loggers: [orderhe]\n  python_log_level: INFO\n"
EARLIER = {
    "with log lines": earlier(dagster_yaml.TEXT),
    "without log lines": earlier(dagster_yaml.TEXT).replace(LOGS, ""),
}


@pytest.mark.parametrize("version", EARLIER)
def test_what_an_earlier_version_wrote_is_written_anew(version: str, tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    home.instance.write_text(EARLIER[version], "utf-8")
    prepare_home(settings)
    assert home.instance.read_text("utf-8") == dagster_yaml.TEXT


def test_what_was_changed_in_an_earlier_version_is_kept(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    edited = EARLIER["with log lines"].replace("purge_after_days: 30", "purge_after_days: 90")
    home.instance.write_text(edited, "utf-8")
    prepare_home(settings)
    assert home.instance.read_text("utf-8") == edited


LACKING = {
    "no section": ("telemetry: {enabled: false}\n", "python_logs.managed_python_loggers does not"),
    "nothing at all": ("", "python_logs.managed_python_loggers does not name orderhe"),
    "other loggers": (
        LOGS.replace("orderhe", "mine"),
        "python_logs.managed_python_loggers does not name orderhe",
    ),
    "not a list": (LOGS.replace("[orderhe]", "orderhe"), "managed_python_loggers does not name"),
    "no level": (LOGS.replace("  python_log_level: INFO\n", ""), "python_log_level is not set, so"),
    "an empty section": (f"{LOGS}storage:\n", "storage has nothing below it"),
    "a section that is none": ("python_logs: orderhe\n", "python_logs is not a mapping"),
    "no sections": ("- a\n", "not a mapping of sections"),
    "no YAML": (f"{LOGS}storage: [\n", r"yaml, line 5: not YAML: expected the node content"),
    "no characters of YAML": (f"{LOGS}a: \x01\n", "not YAML: .*special characters"),
}


@pytest.mark.parametrize("name", LACKING)
def test_what_dagster_yaml_lacks_is_named_with_the_remedy(name: str, tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    text, problem = LACKING[name]
    home.instance.write_text(text, "utf-8")
    with pytest.raises(DagsterYamlError, match=f"(?s){problem}") as caught:
        prepare_home(settings)
    assert str(caught.value).startswith(str(home.instance))
    assert "move the file away" in str(caught.value) or "take it out" in str(caught.value)
    assert home.instance.read_text("utf-8") == text


def test_the_remedy_can_be_pasted(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    home.instance.write_text("", "utf-8")
    with pytest.raises(DagsterYamlError) as caught:
        prepare_home(settings)
    assert LOGS in str(caught.value)
    home.instance.write_text(LOGS, "utf-8")
    prepare_home(settings)
    home.instance.write_text(LOGS.replace("[orderhe]", "[root, mine]"), "utf-8")
    prepare_home(settings)


def test_bytes_that_are_no_text_are_named(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    home.instance.write_bytes(b"telemetry: \xff")
    with pytest.raises(DagsterYamlError, match=r"dagster\.yaml is not UTF-8 text: byte 12; save"):
        prepare_home(settings)


def test_what_may_not_be_meant_is_told_and_does_not_stop(tmp_path: Path) -> None:
    settings = load_settings({}, tmp_path)
    home = prepare_home(settings)
    assert advice(home) == []
    home.instance.write_text(LOGS, "utf-8")
    monitoring, telemetry = advice(prepare_home(settings))
    assert monitoring.startswith(f"{home.instance}: run_monitoring is not enabled, so a run whose")
    assert telemetry.startswith(f"{home.instance}: telemetry.enabled is not set, so Dagster sends")
    chosen = f"{LOGS}telemetry: {{enabled: true}}\nrun_monitoring: {{enabled: true}}\n"
    home.instance.write_text(chosen, "utf-8")
    (launcher,) = advice(prepare_home(settings))
    assert launcher.startswith(
        f"{home.instance}: run_launcher is not set, and Dagster's own does not"
    )
    home.instance.write_text(chosen + launcher.partition("Put in: ")[2] + "\n", "utf-8")
    assert advice(prepare_home(settings)) == []


def test_our_own_text_is_not_parsed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "yaml", None)  # whoever imports it fails
    settings = load_settings({}, tmp_path)
    prepare_home(settings)
    assert advice(prepare_home(settings)) == []


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


@pytest.mark.skipif(os.name != "posix", reason="no modes here")
@pytest.mark.parametrize("made_by", ["home", "catalogue", "source", "store", "lock", "scratch"])
def test_the_home_is_its_owners_alone_whoever_makes_it(made_by: str, tmp_path: Path) -> None:
    settings = load_settings({"ORDERHE_HOME": str(tmp_path / "state" / "home")}, tmp_path)
    before = os.umask(0)
    try:
        if made_by == "home":
            prepare_home(settings)
        elif made_by == "catalogue":
            read_catalogue(settings)
        elif made_by == "source":
            build_source(settings).create([])
        elif made_by == "store":
            build_store(settings).put("a/b", b"")
        elif made_by == "scratch":
            with scratch_folder(home_of(settings).scratch, "a test"):
                pass
        else:
            remember_start(home_of(settings), date(2026, 1, 1))
    finally:
        os.umask(before)
    for folder in (tmp_path / "state" / "home", *(tmp_path / "state" / "home").iterdir()):
        assert folder.exists()
        assert not folder.is_dir() or folder.stat().st_mode & 0o077 == 0, folder
    assert (tmp_path / "state").stat().st_mode & 0o777 == 0o777, "above it, the umask decides"


def test_a_home_that_is_there_keeps_its_mode(tmp_path: Path) -> None:
    """It may be shared on purpose: `orderhe doctor` tells."""
    settings = load_settings({"ORDERHE_HOME": str(tmp_path)}, tmp_path)
    tmp_path.chmod(0o750)
    prepare_home(settings)
    assert tmp_path.stat().st_mode & 0o777 == 0o750


@pytest.mark.parametrize("at", range(0, 56, 5))
def test_no_altered_byte_makes_another_first_day(tmp_path: Path, at: int) -> None:
    home, day = Home(tmp_path), date(2026, 1, 1)
    remember_start(home, day)
    body = bytearray(home.start_date.read_bytes())
    assert len(body) == 56
    body[at] ^= 0x83
    home.start_date.write_bytes(body)
    assert remembered_start(home) == day
    home.start_date.write_bytes(bytes(body[:8]))
    with pytest.raises(SettingsError, match="not a date like"):
        remembered_start(home)
    home.start_date.write_text("2026-02-01\n")  # by a person's hand
    assert remembered_start(home) == date(2026, 2, 1)
