"""The start commands of `deploy/`, run outside of a container on real servers: webserver, daemon, code.

The commands and their variables are read out of the recipes, and so is how their health is asked. History in
Postgres, shop in MariaDB, backups in S3, warehouse over Redshift's wire.
"""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.scheduler.instigation import InstigatorState, ScheduleInstigatorData

from orderhe_dagster.runs import LIFE_TAG
from orderhe_dagster.settings.project import today
from orderhe_dagster_tests.deploy import recipes
from orderhe_dagster_tests.deploy.recipes import DEPLOY, ROLES, Start
from orderhe_dagster_tests.faults.test_run_ends import family, kill_all, living, until
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.servers.mariadb import HOST, free_port
from orderhe_dagster_tests.servers.postgres import PASSWORD, Postgres
from orderhe_dagster_tests.shops import SALES, TestShop, shop_of

GUARD_S = 90
ZONE = "Asia/Seoul"
WAYS: dict[str, Callable[[str], Start]] = {
    "compose": recipes.by_compose,
    "systemd": recipes.by_systemd,
}
SELECTOR = {
    "repositoryLocationName": "orderhe_dagster",
    "repositoryName": "__repository__",
    "scheduleName": "daily_schedule",
}
START = (
    "mutation Start($selector: ScheduleSelector!) { startSchedule(scheduleSelector: $selector) "
    "{ __typename ... on PythonError { message } } }"
)
HEALTH = "{ instance { daemonHealth { allDaemonStatuses { daemonType healthy required } } } }"


@dataclass
class Production:
    """A deployment in a test's folder: a shop, the processes that were started, and their history."""

    way: str
    shop: TestShop
    variables: Mapping[str, str]
    stack: ExitStack
    ports: dict[str, int]
    started: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def recipe(self, role: str) -> Start:
        """What the recipe starts, at the places and ports of this test."""
        places = recipes.places(self.shop.folder, self.shop.home)
        given = {
            **self.variables,
            **{"DAGSTER_GRPC_HOST": HOST, "DAGSTER_GRPC_PORT": str(self.ports["code"])},
            **{"CODE_HOST": HOST, "CODE_PORT": str(self.ports["code"])},
            **{
                "DAGSTER_WEBSERVER_HOST": HOST,
                "DAGSTER_WEBSERVER_PORT": str(self.ports["webserver"]),
            },
        }
        return WAYS[self.way](role).at(places, given)

    def environ(self, role: str) -> dict[str, str]:
        """What the process sees: AWS's variables, as env_file and EnvironmentFile have them, and its own."""
        outer = {
            name: text
            for name, text in os.environ.items()
            if name.startswith("AWS_") or name in ("LANG", "TMPDIR", "DAGSTER_DISABLE_TELEMETRY")
        }
        own = dict(self.recipe(role).environ)
        # What env_file and EnvironmentFile would have: a recipe's socket is not the test's server.
        own |= self.variables
        own["PATH"] = f"{own['PATH']}{os.pathsep}{os.environ['PATH']}"
        return {**outer, **own, "PYTHONPATH": str(recipes.ROOT)}

    def start(self, role: str) -> None:
        """Start a role; its words go to a file of the shop's folder."""
        recipe = self.recipe(role)
        log = self.stack.enter_context((self.shop.folder / f"{role}.log").open("wb"))
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        process = subprocess.Popen(
            recipe.command,
            cwd=recipe.folder,
            env=self.environ(role),
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        signal.signal(signal.SIGINT, before)
        self.started[role] = process
        self.stack.callback(_end, process)

    def told(self, role: str) -> str:
        """What a role has said."""
        return (self.shop.folder / f"{role}.log").read_text("utf-8", "replace")[-5000:]

    def is_well(self, role: str) -> bool:
        """What the recipe's own check of a container says; a role that has ended fails the test."""
        assert self.started[role].poll() is None, self.told(role)
        check = (Production.recipe(self.by("compose"), role)).health
        done = subprocess.run(
            check, env=self.environ(role), cwd=self.shop.folder, capture_output=True, check=False
        )
        return done.returncode == 0

    def by(self, way: str) -> Production:
        """The same deployment, by another way's recipe."""
        return Production(way, self.shop, self.variables, self.stack, self.ports)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Ask the UI."""
        request = urllib.request.Request(
            f"http://{HOST}:{self.ports['webserver']}/graphql",
            json.dumps({"query": query, "variables": variables}).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=GUARD_S) as answer:
            told: dict[str, Any] = json.load(answer)
        assert "errors" not in told, told
        return dict(told["data"])

    @contextmanager
    def reached(self) -> Iterator[None]:
        """This process finds the history where the others do."""
        with pytest.MonkeyPatch.context() as patch:
            for name, text in self.environ("daemon").items():
                if name.startswith(("PG", "COMPUTE_LOGS_")):
                    patch.setenv(name, text)
            yield

    @contextmanager
    def history(self) -> Iterator[dg.DagsterInstance]:
        """Dagster's instance, as the processes have it."""
        folder = str(self.shop.home / "dagster")
        with self.reached(), dg.DagsterInstance.from_config(folder) as instance:
            yield instance


def _end(process: subprocess.Popen[bytes]) -> None:
    kill_all(process.pid)
    process.wait()


@pytest.fixture
def production(
    request: pytest.FixtureRequest, systems: Systems, postgres: Postgres, tmp_path: Path
) -> Iterator[Production]:
    """A shop of three days on real servers, as the page of deployment lays it out; nothing runs yet."""
    days = [today(ZONE) - timedelta(days=number) for number in (3, 2, 1)]
    folder = tmp_path / "shop"
    environ = systems.environ(ALL, folder / "home")
    switches = {"ORDERHE_SOURCE": "mysql", "ORDERHE_STORE": "s3", "ORDERHE_WAREHOUSE": "redshift"}
    assert environ.items() >= switches.items()
    environ = {name: text for name, text in environ.items() if name not in switches} | {
        "ORDERHE_PROFILE": "aws",
        "ORDERHE_SQL": str(folder / "sql"),
        "ORDERHE_START_DATE": str(days[0]),
        "ORDERHE_TIME_ZONE": ZONE,
    }
    shop = shop_of(folder, SALES, **environ)
    (shop.home / "dagster").mkdir(parents=True)
    text = (DEPLOY / "dagster.yaml").read_text("utf-8")
    if request.param == "systemd":  # what runs print, in S3
        text, url = recipes.with_section(text, "compute_logs"), environ["ORDERHE_S3_ENDPOINT_URL"]
        text = text.replace("    upload_interval", f"    endpoint_url: {url}\n    upload_interval")
    (shop.home / "dagster/dagster.yaml").write_text(text, "utf-8")
    settings = {name: text for name, text in environ.items() if name != "ORDERHE_HOME"}
    (folder / ".env").write_text(
        "".join(f"{name}={_quoted(text)}\n" for name, text in settings.items()), "utf-8"
    )
    (folder / "postgres_password").write_text(f"{PASSWORD}\n", "utf-8")
    shop.create()
    fill(shop, days)
    variables = postgres.database()
    if request.param == "compose":  # by a file
        del variables["PGPASSWORD"]
    variables["COMPUTE_LOGS_BUCKET"] = environ["ORDERHE_S3_BUCKET"]
    variables["COMPUTE_LOGS_PREFIX"] = f"{environ['ORDERHE_S3_PREFIX']}/compute-logs"
    ports = {role: free_port() for role in ROLES}
    with ExitStack() as stack:
        yield Production(request.param, shop, variables, stack, ports)


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


def fill(shop: TestShop, days: list[date]) -> None:
    """A buyer, and a sale on each day."""
    stamp = f"timestamp '{days[0]} 10:00:00'"
    rows = [
        f"(1, {number}, 'ann', date '{day}', {number}.500, 'paid', timestamp '{day} 10:00:00')"
        for number, day in enumerate(days, 1)
    ]
    shop.change(
        f"insert into buyers values ('ann', 'ann@example.com', {stamp})",
        f"insert into sales values {', '.join(rows)}",
    )


def start_what_is_asked(production: Production) -> None:
    """The code location and the webserver; compose waits for the first, systemd starts them at once."""
    production.start("code")
    if production.way == "compose":
        until(lambda: production.is_well("code"), "the code location is well")
    production.start("webserver")
    until(lambda: production.is_well("webserver"), "the webserver is well")
    until(lambda: production.is_well("code"), "the code location is well")


def switch_on_since_yesterday(production: Production) -> None:
    """Switch the schedule on in the UI, and let it have been on before last night: its time has come."""

    def is_on() -> bool:
        told = production.ask(START, selector=SELECTOR)["startSchedule"]
        # By systemd the webserver may have been there first: it asks the code location again.
        assert told["__typename"] in ("ScheduleStateResult", "ScheduleNotFoundError"), told
        return bool(told["__typename"] == "ScheduleStateResult")

    until(is_on, "the schedule is switched on")
    with production.history() as instance:
        (state,) = instance.all_instigator_state()
        assert isinstance(state, InstigatorState)
        data = state.instigator_data
        assert isinstance(data, ScheduleInstigatorData)
        since = (datetime.now(timezone.utc) - timedelta(days=1)).timestamp()
        instance.update_instigator_state(
            state.with_data(ScheduleInstigatorData(data.cron_schedule, since))
        )


def schedule_run(production: Production) -> dg.DagsterRun | None:
    """The run that the schedule started, once it is over."""
    with production.history() as instance:
        runs = [run for run in instance.get_runs() if run.is_finished]
    return runs[0] if runs else None


def printed(production: Production, run_id: str) -> list[str]:
    """Where what the run printed lies: in S3 or on the volume."""
    if production.way == "systemd":
        listed = production.shop.store.listing(f"compute-logs/storage/{run_id}/")
        return [key for key, _ in listed]
    logs = production.shop.home / "dagster/storage" / run_id / "compute_logs"
    return [path.name for path in logs.iterdir()]


@pytest.mark.parametrize("production", cases(WAYS, ["compose"]), indirect=True)
def test_the_schedule_runs_the_road_by_the_recipes_own_commands(production: Production) -> None:
    start_what_is_asked(production)
    switch_on_since_yesterday(production)
    production.start("daemon")
    run = until(lambda: schedule_run(production), "a run of the schedule is over")
    yesterday = today(ZONE) - timedelta(days=1)
    assert run.status is dg.DagsterRunStatus.SUCCESS, production.told("code")
    assert run.tags["dagster/schedule_name"] == "daily_schedule"
    assert run.tags["dagster/partition"] == str(yesterday)
    assert LIFE_TAG in run.tags  # a run whose process is killed will be known by it
    sales = production.shop.rows("select sold_on, price_total from mart.takings order by 1")
    assert [(str(day), float(total)) for day, total in sales] == [
        (str(yesterday - timedelta(days=2 - number)), number + 1.5) for number in range(3)
    ]
    assert (production.shop.home / "exports/takings.csv").is_file()
    assert printed(production, run.run_id)
    until(lambda: production.is_well("daemon"), "the daemon is well")
    statuses = production.ask(HEALTH)["instance"]["daemonHealth"]["allDaemonStatuses"]
    assert [one for one in statuses if one["required"] and not one["healthy"]] == []
    everything = set().union(*(family(one.pid) for one in production.started.values()))
    for process in production.started.values():
        process.send_signal(signal.SIGTERM)
    for role, process in production.started.items():
        process.wait(GUARD_S)
        assert "Traceback" not in production.told(role)
    until(lambda: not living(everything), "all that they started ends with them")


def process_of_the_run(production: Production) -> int:
    """The process of the run that is under way, once it says of itself that it lives."""
    with production.history() as instance:
        for run in instance.get_runs(dg.RunsFilter(statuses=[dg.DagsterRunStatus.STARTED])):
            if life := run.tags.get(LIFE_TAG):
                return int(life.split("-")[0])
    return 0


@pytest.mark.skipif(not IS_LONG, reason="takes a minute: make deployment")
@pytest.mark.parametrize("production", WAYS, indirect=True)
def test_a_run_whose_process_is_killed_is_ended_by_the_daemon(production: Production) -> None:
    """Another process than the one that started it, with the history in Postgres."""
    settings = production.shop.home / "dagster/dagster.yaml"
    text = settings.read_text("utf-8")
    quick = re.sub(r"poll_interval_seconds: \d+", "poll_interval_seconds: 1", text)
    assert quick != text
    settings.write_text(quick, "utf-8")
    start_what_is_asked(production)
    switch_on_since_yesterday(production)
    production.start("daemon")
    pid = until(lambda: process_of_the_run(production), "a run is under way")
    os.kill(pid, signal.SIGKILL)
    run = until(lambda: schedule_run(production), "the daemon ends the run")
    assert run.status is dg.DagsterRunStatus.FAILURE
    with production.reached():
        assert production.shop.run("*").succeeded
    assert len(production.shop.rows("select sold_on from mart.takings")) == 3
