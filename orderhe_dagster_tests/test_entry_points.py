"""The same work through Dagster's own commands, each a process of its own, as people start them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import dagster as dg
import pytest

from orderhe_dagster.settings import home
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.shops import TestShop
from orderhe_dagster_tests.walked import blocks_of

DEFINITIONS = ("-m", "orderhe_dagster.definitions")


@pytest.fixture
def run_command(sales_shop: TestShop, tmp_path: Path, project: Path) -> Run:
    """Run a command of the environment in the checkout, on the state of `sales_shop`."""
    return Run(sales_shop, tmp_path, project)


class Run:
    """A command line, run in the checkout as in an activated environment; gives what it printed."""

    def __init__(self, shop: TestShop, folder: Path, project: Path) -> None:
        self.shop, self.folder, self.project = shop, folder, project

    def __call__(self, *command: str, with_home: bool = False) -> str:
        scripts = Path(sys.executable).parent
        environ = {
            **os.environ,
            **self.shop.environ,
            "ORDERHE_HOME": str(self.shop.settings.home),
            "PATH": f"{scripts}{os.pathsep}{os.environ['PATH']}",
            "VIRTUAL_ENV": sys.prefix,
            "HOME": str(self.folder),  # where Dagster writes when it has no home
            "PYTHONPATH": str(self.project),
            "COLUMNS": "200",
        }
        if with_home:
            environ["DAGSTER_HOME"] = str(home.prepare_home(self.shop.settings).dagster)
        done = subprocess.run(
            command,
            cwd=self.project,
            env=environ,
            capture_output=True,
            text=True,
            check=False,
        )
        said = done.stdout + done.stderr
        assert done.returncode == 0, said[-5000:]
        return done.stdout

    def days_loaded(self) -> list[str]:
        """The days of sales that the warehouse has loaded."""
        sql = "select segment from warehouse._loads where table_name = 'warehouse.sales' order by 1"
        return [day for (day,) in self.shop.rows(sql)]


def runs_of(shop: TestShop) -> Sequence[dg.DagsterRun]:
    """What the prepared home remembers, the latest first."""
    with dg.DagsterInstance.from_config(str(home.use_home(shop.settings).dagster)) as instance:
        return instance.get_runs()


def test_dagster_materializes_a_day_without_a_home(run_command: Run) -> None:
    selection = "backup/sales,warehouse/sales"
    command = ("dagster", "asset", "materialize", *DEFINITIONS, "--select", selection)
    run_command(*command, "--partition", "2026-01-01")
    assert run_command.days_loaded() == ["2026-01-01"]


def test_dagster_materializes_a_range_as_one_run_in_the_home(run_command: Run) -> None:
    command = ("dagster", "asset", "materialize", *DEFINITIONS, "--select", "*")
    run_command(*command, "--partition-range", "2026-01-01...2026-01-04", with_home=True)
    assert run_command.days_loaded() == [f"2026-01-0{day}" for day in (1, 2, 3, 4)]
    assert (run_command.shop.folder / "home/exports/takings.csv").is_file()
    (run,) = runs_of(run_command.shop)
    assert run.status is dg.DagsterRunStatus.SUCCESS


def test_dg_launches_assets_in_the_home(run_command: Run) -> None:
    run_command(
        *("dg", "launch", "--assets", "backup/sales,warehouse/sales"),
        *("--partition-range", "2026-01-02...2026-01-03"),
        with_home=True,
    )
    assert run_command.days_loaded() == ["2026-01-02", "2026-01-03"]
    assert len(runs_of(run_command.shop)) == 1


def test_dagster_validates_the_workspace(run_command: Run) -> None:
    said = run_command("dagster", "definitions", "validate", "-w", "workspace.yaml")
    assert "All code locations passed validation" in said


def test_dagster_lists_the_assets(run_command: Run) -> None:
    listed = run_command("dagster", "asset", "list", *DEFINITIONS).split()
    assert {"backup/sales", "warehouse/sales", "mart/takings", "export/takings"} <= set(listed)


def test_dg_lists_what_there_is(run_command: Run) -> None:
    listed = json.loads(run_command("dg", "list", "defs", "--json"))
    assert {job["name"] for job in listed["jobs"]} == {
        *("daily", "answers", "prove", "restore_drill", "janitor")
    }
    assert {schedule["name"] for schedule in listed["schedules"]} == {
        *("daily_schedule", "restore_drill_schedule", "janitor_schedule")
    }
    keys = {asset["asset_key"] for asset in listed["assets"]}
    assert {"backup/sales", "warehouse/sales", "mart/takings", "export/takings"} <= keys


@pytest.fixture(scope="module")
def team(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A copy of the checkout where a team adds its own, on a shop whose days have run."""
    root, folder = Path(__file__).resolve().parents[1], tmp_path_factory.mktemp("team")
    copy = folder / "checkout"
    shutil.copytree(
        root / "orderhe_dagster",
        copy / "orderhe_dagster",
        ignore=lambda at, names: set(names) - {"__init__.py"} if Path(at).name == "defs" else set(),
    )
    for name in ("pyproject.toml", "workspace.yaml"):
        shutil.copy(root / name, copy)
    shop = shops.sales_shop(folder / "shop")
    assert shop.run("backup/*,warehouse/*,mart/takings", "2026-01-01", "2026-01-04").succeeded
    return Run(shop, folder, copy)


DG = """
import json, sys
from dagster_dg_cli.cli import create_dg_cli
for command in json.loads(sys.argv[1]):
    create_dg_cli()(command, standalone_mode=False)
"""
"""Several commands of `dg` in one process: each takes seconds to start."""
LOADED = """
import sys

import dagster as dg


@dg.asset(key=["team", "loaded"])
def loaded() -> dg.MaterializeResult:
    return dg.MaterializeResult(metadata={"all components": "dagster_aws.components" in sys.modules})
"""
PAGE = Path(__file__).resolve().parents[1] / "docs" / "running.md"


def of_the_page(text: str) -> str:
    """The file of docs/running.md that holds `text`, for the tables of our smaller shop."""
    (block,) = [block for block in blocks_of(PAGE) if text in block.text]
    return block.text.replace("daily_sales", "takings").replace("net_amount", "price_total")


def test_a_team_adds_its_own_with_dagsters_tools(team: Run) -> None:
    own = team.project / "orderhe_dagster" / "defs"
    scaffolds = {
        "mornings.py": "dagster.schedule",
        "best_day.py": "dagster.asset",
        "watch.py": "dagster.sensor",
        "counted": "dagster.FunctionComponent",
    }
    commands = [["scaffold", "defs", kind, name] for name, kind in scaffolds.items()]
    team(sys.executable, "-c", DG, json.dumps(commands))
    assert {path.name for path in own.iterdir()} == {"__init__.py", *scaffolds}
    assert (own / "counted" / "defs.yaml").read_text("utf-8").startswith("type: dagster.Function")

    (own / "mornings.py").write_text(of_the_page("def mornings("), "utf-8")
    (own / "best_day.py").write_text(of_the_page("def best_day("), "utf-8")
    (own / "counted" / "defs.yaml").write_text(of_the_page("fn: .counted"), "utf-8")
    (own / "counted" / "code.py").write_text(of_the_page("def count("), "utf-8")
    (own / "loaded.py").write_text(LOADED, "utf-8")
    commands = [["check", "defs"], ["list", "defs", "--json"]]
    checked, _, listed = team(sys.executable, "-c", DG, json.dumps(commands)).partition("{")
    assert "All component YAML validated successfully" in checked
    assert "All definitions loaded successfully" in checked
    definitions = json.loads("{" + listed)
    keys = {asset["asset_key"] for asset in definitions["assets"]}
    assert {"team/best_day", "team/counted", "mart/takings"} <= keys
    assert {one["name"] for one in definitions["schedules"]} == {
        "daily_schedule",
        "restore_drill_schedule",
        "janitor_schedule",
        "mornings",
    }
    assert "watch" in {one["name"] for one in definitions["sensors"]}

    team("dg", "launch", "--assets", "team/best_day,team/counted,team/loaded", with_home=True)
    folder = str(home.use_home(team.shop.settings).dagster)
    with dg.DagsterInstance.from_config(folder) as instance:
        told = {}
        for name in ("best_day", "counted", "loaded"):
            event = instance.get_latest_materialization_event(dg.AssetKey(["team", name]))
            assert event is not None
            assert event.asset_materialization is not None
            told |= {k: v.value for k, v in event.asset_materialization.metadata.items()}
    assert told == {"price_total": "99999999.999", "days": 3, "all components": False}
