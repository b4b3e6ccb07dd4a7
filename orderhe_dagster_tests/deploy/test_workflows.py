"""GitHub's workflows, ours and the example's: schema, an auditor of workflows, and what their steps run."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from orderhe_dagster.cli import main
from orderhe_dagster_tests.shops import TestShop

ROOT = Path(__file__).resolve().parents[2]
SCRIPTS = Path(sys.executable).parent
TESTS, EXAMPLE = ROOT / ".github/workflows/tests.yml", ROOT / "examples/github/materialize.yml"
WORKFLOWS = [*sorted((ROOT / ".github/workflows").iterdir()), *sorted(EXAMPLE.parent.iterdir())]


def workflow(path: Path) -> dict[Any, Any]:
    parsed: dict[Any, Any] = yaml.safe_load(path.read_text("utf-8"))
    return parsed


def steps(path: Path) -> list[dict[str, Any]]:
    return [step for job in workflow(path)["jobs"].values() for step in job["steps"]]


def test_the_workflows_are_these() -> None:
    assert WORKFLOWS == [TESTS, EXAMPLE]


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_a_workflow_keeps_the_schema_and_the_auditor_finds_nothing(path: Path) -> None:
    for command in (
        ["check-jsonschema", "--builtin-schema", "vendor.github-workflows"],
        ["zizmor", "--offline", "--no-config", "--no-progress", "--persona", "auditor"],
    ):
        program, *words = command
        done = subprocess.run(
            [SCRIPTS / program, *words, path], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_every_step_runs_what_there_is(path: Path) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    ran = "\n".join(step.get("run", "") for step in steps(path))
    asked = re.findall(r"\bmake ([a-z]+)", ran)
    verbs = re.findall(r"\borderhe ([a-z]+)", ran)
    files = re.findall(r"\bbash (\S+)", ran)
    assert set(asked) <= targets
    assert set(verbs) <= set(main.commands)
    assert all((ROOT / name).is_file() for name in files)
    assert asked + verbs + files, "a workflow that runs nothing of ours"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_tell_their_version(path: Path) -> None:
    used = re.findall(r"uses: (.+)", path.read_text("utf-8"))
    assert used
    for action in used:
        assert re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", action), action
    pins = {action.split("@")[0]: action for each in WORKFLOWS for action in uses(each)}
    assert all(action in pins.values() for action in used), "one action, one commit"


def uses(path: Path) -> list[str]:
    return re.findall(r"uses: (.+)", path.read_text("utf-8"))


def test_the_tests_run_on_every_python_that_the_project_is_for() -> None:
    listed = workflow(TESTS)["jobs"]["tests"]["strategy"]["matrix"]["python"]
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    bounds = re.search(r'requires-python = ">=3\.(\d+),<3\.(\d+)"', text)
    assert bounds is not None
    assert listed == [f"3.{minor}" for minor in range(int(bounds[1]), int(bounds[2]))]


def test_nobody_needs_a_key_of_aws() -> None:
    text = EXAMPLE.read_text("utf-8")
    assert not re.search("(?i)access.?key", text)
    (job,) = workflow(EXAMPLE)["jobs"].values()
    assert job["permissions"] == {"contents": "read", "id-token": "write"}
    assert workflow(EXAMPLE)["permissions"] == {}
    assert set(re.findall(r"secrets\.(\w+)", text)) == {"ORDERHE_MYSQL_PASSWORD"}
    assert workflow(TESTS)["permissions"] == {"contents": "read"}


def test_the_examples_settings_are_settings() -> None:
    from orderhe_dagster.settings.config import VARIABLES

    (job,) = workflow(EXAMPLE)["jobs"].values()
    given = {name for step in job["steps"] for name in step.get("env", {})} | set(job["env"])
    assert {name for name in given if name.startswith("ORDERHE_")} <= set(VARIABLES)


def test_the_examples_step_materializes_the_day(sales_shop: TestShop, tmp_path: Path) -> None:
    """The very script, on a laptop's shop: the settings alone are others than on AWS."""
    (step,) = [one for one in steps(EXAMPLE) if "asset materialize" in one.get("run", "")]
    folder = tmp_path / "checkout"
    folder.mkdir()
    (folder / ".venv").mkdir()
    (folder / ".venv/bin").symlink_to(SCRIPTS)
    environ = {
        **os.environ,
        **sales_shop.environ,
        "ORDERHE_HOME": str(folder / ".orderhe"),
        "ORDERHE_TIME_ZONE": "Asia/Seoul",
        "PYTHONPATH": str(ROOT),
        "DAY": "2026-01-01",
        "SELECTION": 'key:"backup/sales" or key:"warehouse/sales"',
    }
    (folder / ".orderhe").symlink_to(sales_shop.home)
    done = subprocess.run(
        ["bash", "-e", "-c", step["run"]],
        cwd=folder,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-5000:]
    loaded = "select segment from warehouse._loads where table_name = 'warehouse.sales'"
    assert sales_shop.rows(loaded) == [("2026-01-01",)]
