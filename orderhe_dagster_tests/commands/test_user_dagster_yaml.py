"""The commands on a dagster.yaml and a workspace.yaml that the user wrote: they work, and keep them."""

from __future__ import annotations

import re
import socket
from pathlib import Path

import dagster as dg
import pytest
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage
from dagster._core.storage.local_compute_log_manager import LocalComputeLogManager

from orderhe_dagster.cli import main
from orderhe_dagster.commands import dev
from orderhe_dagster.commands.create import create_all
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.commands.dev import serve_ui
from orderhe_dagster.settings.dagster_yaml import TEXT, WORKSPACE
from orderhe_dagster.settings.home import home_of, prepare_home
from orderhe_dagster_tests.shops import TestShop

LOGS = "python_logs:\n  managed_python_loggers: [orderhe, mine]\n  python_log_level: INFO\n"
USERS = f"""\
# Ours: the storage that Dagster has of itself, logs on another disk.
storage:
  sqlite:
    base_dir:
      env: DAGSTER_HOME
compute_logs:
  module: dagster._core.storage.local_compute_log_manager
  class: LocalComputeLogManager
  config:
    base_dir:
      env: LOGS_OF_RUNS
{LOGS}retention:
  sensor:
    purge_after_days: 90
telemetry:
  enabled: false
"""


def test_a_run_works_on_another_storage_and_the_edits_survive(
    sales_shop: TestShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LOGS_OF_RUNS", str(tmp_path / "logs"))
    home = prepare_home(sales_shop.settings)
    home.instance.write_text(USERS, "utf-8")
    assert sales_shop.run("backup/sales,warehouse/sales", "2026-01-01", "2026-01-02").succeeded
    *_, note = create_all(sales_shop.settings)
    assert note.startswith(f"note       {home.instance}: run_monitoring is not enabled")
    assert home.instance.read_text("utf-8") == USERS

    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        assert type(instance.event_log_storage) is SqliteEventLogStorage
        assert isinstance(instance.compute_log_manager, LocalComputeLogManager)
        assert Path(instance.compute_log_manager._base_dir) == tmp_path / "logs"
        retention = instance.get_tick_retention_settings(InstigatorType.SENSOR)
        assert set(retention.values()) == {90}
        (run,) = instance.get_runs()
        assert run.status is dg.DagsterRunStatus.SUCCESS
        lines = [entry.user_message for entry in instance.all_logs(run.run_id)]
    assert any(
        line.startswith("backup/sales: 2 days 2026-01-01...2026-01-02 read") for line in lines
    )


UNUSABLE = {
    "a section that there is not": (
        "retenton: {}\n",
        'unexpected config entry "retenton" at the root',
    ),
    "a package that is not installed": (
        "storage:\n  mysql:\n    mysql_url: mysql://db\n",
        "Couldn't import module dagster_mysql when attempting",
    ),
    "a driver that is not installed": (
        "storage:\n  postgres:\n    postgres_url: postgresql+psycopg://db\n",
        "No module named 'psycopg'",
    ),
    "a variable that is not set": (
        "storage:\n  sqlite:\n    base_dir:\n      env: NO_SUCH_VARIABLE\n",
        'the environment variable "NO_SUCH_VARIABLE" which is not set',
    ),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_what_dagster_cannot_use_is_told_with_the_file(name: str, sales_shop: TestShop) -> None:
    home = prepare_home(sales_shop.settings)
    text, problem = UNUSABLE[name]
    home.instance.write_text(LOGS + text, "utf-8")
    with pytest.raises(LaunchError, match=problem) as caught:
        sales_shop.run("backup/sales", "2026-01-01")
    assert str(caught.value).startswith(f"{home.instance} cannot be used as it stands. ")
    assert len(str(caught.value)) < 1200


@pytest.fixture
def started(sales_shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> list[list[str]]:
    """The command lines that `serve_ui` ran."""
    lines: list[list[str]] = []

    def serve(line: list[str]) -> int:
        lines.append(line)
        return 0

    monkeypatch.setattr(dev, "_serve", serve)
    monkeypatch.setattr("subprocess.call", serve)
    return lines


def test_dev_writes_the_workspace_once(sales_shop: TestShop, started: list[list[str]]) -> None:
    workspace = home_of(sales_shop.settings).dagster / "workspace.yaml"
    serve_ui(sales_shop.settings, "127.0.0.1", 0)
    assert started[0][started[0].index("-w") + 1] == str(workspace)
    assert workspace.read_text("utf-8") == WORKSPACE
    head, _, rest = WORKSPACE.partition("\n")
    edited = f"{head}\n{rest}  - python_file: another_shop.py\n"
    workspace.write_text(edited, "utf-8")
    serve_ui(sales_shop.settings, "127.0.0.1", 0)
    assert workspace.read_text("utf-8") == edited
    earlier = f"# Written by orderhe; the checkout's workspace.yaml says the same.\n{rest}"
    workspace.write_text(earlier, "utf-8")
    serve_ui(sales_shop.settings, "127.0.0.1", 0)
    assert workspace.read_text("utf-8") == WORKSPACE


def test_dev_tells_what_may_not_be_meant(
    sales_shop: TestShop, started: list[list[str]], capsys: pytest.CaptureFixture[str]
) -> None:
    home = prepare_home(sales_shop.settings)
    serve_ui(sales_shop.settings, "127.0.0.1", 0)
    told = capsys.readouterr().err
    assert told == f"{dev.FOR_DEVELOPMENT}\n"
    (page,) = re.findall(r"docs/\S+", told)
    assert (Path(__file__).resolve().parents[2] / page).is_file()
    home.instance.write_text(TEXT.replace("telemetry:\n  enabled: false\n", ""), "utf-8")
    serve_ui(sales_shop.settings, "127.0.0.1", 0)
    assert "telemetry.enabled is not set, so Dagster sends" in capsys.readouterr().err
    assert len(started) == 2


def test_a_line_that_is_missing_is_told_without_a_traceback(
    sales_shop: TestShop, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in sales_shop.environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("ORDERHE_HOME", str(sales_shop.settings.home))
    home = prepare_home(sales_shop.settings)
    home.instance.write_text("telemetry: {enabled: false}\n", "utf-8")
    with pytest.raises(SystemExit) as ended:
        main(["create"])
    assert ended.value.code == 1
    told = capsys.readouterr().err
    assert told.startswith(
        f"error: {home.instance}: python_logs.managed_python_loggers does not name"
    )


def test_dev_says_that_its_port_is_taken_and_starts_nothing(
    sales_shop: TestShop, started: list[list[str]]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(LaunchError, match=f"127.0.0.1:{port}.*orderhe dev --port {port + 1}"):
            serve_ui(sales_shop.settings, "127.0.0.1", port)
    assert started == []
