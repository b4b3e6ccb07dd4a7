"""Who is told of what is wrong: of runs, checks, lateness, ticks and the daemon, over a real webhook."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, HTTPServer

import dagster as dg
import pytest
from click.testing import CliRunner, Result
from dagster._core.definitions.repository_definition import SINGLETON_REPOSITORY_NAME
from dagster._core.definitions.run_request import InstigatorType
from dagster._core.remote_origin import (
    RegisteredCodeLocationOrigin,
    RemoteInstigatorOrigin,
    RemoteRepositoryOrigin,
)
from dagster._core.scheduler.instigation import (
    InstigatorState,
    InstigatorStatus,
    ScheduleInstigatorData,
    TickData,
    TickStatus,
)
from dagster._daemon.types import DaemonHeartbeat
from dagster_shared.error import SerializableErrorInfo

from orderhe_dagster.assets import incidents
from orderhe_dagster.assets.incidents import look
from orderhe_dagster.cli import main
from orderhe_dagster.commands.run import history
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.rendering.alerts import Incident, Told
from orderhe_dagster.settings.home import use_home
from orderhe_dagster_tests.shops import TestShop

SECRET = "quite-secret-0815"


class Hook:
    """A webhook: what was posted to it, as title and text; `status` is what it answers."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.status = 200
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if hook.status == 200:
                    sent = json.loads(body)
                    hook.messages.append((sent["title"], sent["message"]))
                self.send_response(hook.status)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                pass

        self._server = HTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"json://user:{SECRET}@127.0.0.1:{self._server.server_port}/shop"

    def news(self) -> list[tuple[str, str]]:
        """What has come since the last time."""
        messages, self.messages = self.messages, []
        return messages

    @contextmanager
    def serving(self) -> Iterator[Hook]:
        thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        thread.start()
        try:
            yield self
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()


@pytest.fixture
def hook() -> Iterator[Hook]:
    with Hook().serving() as serving:
        yield serving


@pytest.fixture
def shop(ran_shop: TestShop, hook: Hook) -> TestShop:
    ran_shop.environ["ORDERHE_ALERTS"] = hook.address
    return ran_shop


def asked(shop: TestShop, *words: str, **environ: str) -> Result:
    env = {**shop.environ, "ORDERHE_HOME": str(shop.home), **environ}
    return CliRunner().invoke(main, words, env=env)


@contextmanager
def seen(shop: TestShop) -> Iterator[tuple[dg.DagsterInstance, dg.RepositoryDefinition]]:
    with history(use_home(shop.settings).dagster) as instance:
        yield instance, build_definitions(shop.settings).get_repository_def()


def test_a_run_that_fails_is_told_once_and_once_when_it_is_well_again(
    shop: TestShop, hook: Hook
) -> None:
    away = shop.home / "shop.away"
    (shop.home / "shop.duckdb").rename(away)
    for _ in range(2):
        assert not shop.run("backup/sales", "2026-01-04").succeeded
    ((title, text),) = hook.news()
    assert title.endswith(": 1 problem begins")
    assert text.startswith("asset backup/sales, since ")
    assert "there is no shop at" in text
    assert "`orderhe create`" in text  # the remedy
    away.rename(shop.home / "shop.duckdb")
    for _ in range(2):
        assert shop.run("backup/sales", "2026-01-04").succeeded
    ((title, text),) = hook.news()
    assert title.endswith(": 1 problem has ended")
    assert text.startswith("ended: asset backup/sales, since ")
    assert SECRET not in shop.run("backup/sales", "2026-01-04").lines()[0]


def test_a_check_that_fails_is_told_as_the_check_and_not_as_its_step_too(
    shop: TestShop, hook: Hook
) -> None:
    price = "update sales set price = {}, changed_at = timestamp '{} 00:00:00' where sale_no = 3"
    shop.change(price.format(-1, "2026-02-01"))
    assert not shop.run("*", "2026-01-04").succeeded
    ((title, text),) = hook.news()
    assert title.endswith(": 1 problem begins")
    assert text.startswith("check prices_are_positive of warehouse/sales, since ")
    assert "then: orderhe run 'backup/sales,warehouse/sales'\n" in text
    before = Incident("asset warehouse/sales", "it failed", "run 1", datetime.now(timezone.utc))
    with seen(shop) as (instance, repository):
        told = Told({before.subject: before})
        look(instance, repository, told, datetime.now(timezone.utc))
    assert [*told.incidents] == ["check prices_are_positive of warehouse/sales"], "it was made"
    shop.change(price.format(1, "2026-02-02"))
    assert shop.run("*", "2026-01-04").succeeded
    ((title, text),) = hook.news()
    assert title.endswith(": 1 problem has ended")


def test_an_address_that_fails_does_not_fail_the_run_and_is_told_later(
    shop: TestShop, hook: Hook
) -> None:
    hook.status = 500
    (shop.home / "shop.duckdb").rename(shop.home / "shop.away")
    outcome = shop.run("backup/sales", "2026-01-04")
    assert "could be sent to json://" in outcome.untold
    assert SECRET not in outcome.untold
    assert any(line.startswith("warning alerts: ") for line in outcome.lines())
    (shop.home / "shop.away").rename(shop.home / "shop.duckdb")
    done = asked(shop, "alerts")
    assert done.exit_code == 1
    assert "asset backup/sales" in done.output
    hook.status = 200
    done = asked(shop, "alerts")
    assert done.exit_code == 0
    assert len(hook.news()) == 1
    assert done.output.splitlines()[-1] == "1 problem is open"


def test_a_trial_goes_to_every_address(shop: TestShop, hook: Hook) -> None:
    done = asked(shop, "alerts", "--test")
    assert done.output.splitlines() == ["address 1, json://…: sent"]
    assert len(hook.news()) == 1
    both = f"{hook.address} nonsense://{SECRET}@x json://127.0.0.1:1/{SECRET}"
    done = asked(shop, "alerts", "--test", ORDERHE_ALERTS=both)
    assert done.exit_code == 1
    assert "address 2: ORDERHE_ALERTS has an address nonsense://… that apprise" in done.output
    assert "address 3: no message could be sent to json://127.0.0.1:1/…: A Conn" in done.output
    assert ".. Put" not in done.output
    assert SECRET not in done.output
    assert len(hook.news()) == 1


def test_without_addresses_what_is_open_is_shown_and_nobody_told(ran_shop: TestShop) -> None:
    done = asked(ran_shop, "alerts")
    assert done.exit_code == 0
    assert "ORDERHE_ALERTS is not set" in done.output
    assert asked(ran_shop, "alerts", "--test").exit_code == 1
    assert "alerts" not in {
        sensor.name for sensor in build_definitions(ran_shop.settings).sensors or ()
    }


def test_the_sensor_is_on_by_itself_and_tells(shop: TestShop, hook: Hook) -> None:
    with seen(shop) as (instance, repository):
        sensor = repository.get_sensor_def("alerts")
        assert sensor.default_status == dg.DefaultSensorStatus.RUNNING
        context = dg.build_sensor_context(instance, repository_def=repository)
        said = sensor(context)
        assert isinstance(said, dg.SkipReason)
        assert said.skip_message == "0 problems are open"
    assert hook.news() == []


def test_what_is_late_is_told_with_the_command_that_brings_it(shop: TestShop) -> None:
    text = (shop.folder / "sql/mart/takings.sql").read_text()
    shop.write({"mart/takings.sql": text.replace("-- @grain", "-- @freshness 26h\n-- @grain")})
    now = datetime.now(timezone.utc)
    with seen(shop) as (instance, repository):
        told = Told()
        look(instance, repository, told, now)
        assert told.incidents == {}
        look(instance, repository, told, now + timedelta(hours=27))
        (late,) = told.incidents.values()
        assert late.subject == "lateness of mart/takings"
        assert "within 26 hours" in late.what
        assert now + timedelta(hours=20) < late.since < now + timedelta(hours=27)
        look(instance, repository, told, now)
        assert told.incidents == {}
    assert "materialized" in shop.paste(late.what)


@pytest.fixture
def schedule(shop: TestShop) -> InstigatorState:
    """The nightly schedule, as the daemon keeps it when somebody has switched it on."""
    place = RegisteredCodeLocationOrigin("orderhe_dagster")
    origin = RemoteInstigatorOrigin(
        RemoteRepositoryOrigin(place, SINGLETON_REPOSITORY_NAME), "daily_schedule"
    )
    return InstigatorState(
        origin,
        InstigatorType.SCHEDULE,
        InstigatorStatus.RUNNING,
        ScheduleInstigatorData("30 0 * * *"),
    )


def open_incidents(shop: TestShop) -> dict[str, Incident]:
    with seen(shop) as (instance, repository):
        told = Told()
        look(instance, repository, told, datetime.now(timezone.utc))
        return told.incidents


def test_a_schedule_whose_tick_failed_is_told_until_one_goes_well(
    shop: TestShop, schedule: InstigatorState
) -> None:
    def tick(status: TickStatus) -> None:
        error = SerializableErrorInfo("Boom: the code could not be loaded\n", [], "Boom")
        with seen(shop) as (instance, _):
            instance.create_tick(
                TickData(
                    *(schedule.instigator_origin_id, schedule.instigator_name),
                    *(schedule.instigator_type, status, datetime.now(timezone.utc).timestamp()),
                    error=error if status == TickStatus.FAILURE else None,
                    selector_id=schedule.selector_id,
                )
            )

    with seen(shop) as (instance, _):
        instance.add_instigator_state(schedule)
    assert open_incidents(shop) == {}
    tick(TickStatus.FAILURE)
    (incident,) = open_incidents(shop).values()
    assert incident.subject == "schedule daily_schedule"
    assert "Boom: the code could not be loaded" in incident.what
    tick(TickStatus.STARTED)  # the next is under way: nothing is known yet
    assert [*open_incidents(shop)] == ["schedule daily_schedule"]
    tick(TickStatus.SKIPPED)
    assert open_incidents(shop) == {}


@pytest.mark.parametrize(("minutes", "told"), [(1, False), (11, True)])
def test_a_daemon_that_is_gone_is_told_where_a_schedule_is_on(
    shop: TestShop, schedule: InstigatorState, minutes: int, told: bool
) -> None:
    beat = datetime.now(timezone.utc) - timedelta(minutes=minutes)
    with seen(shop) as (instance, _):
        instance.add_daemon_heartbeat(DaemonHeartbeat(beat.timestamp(), "SCHEDULER", "1", []))
    assert open_incidents(shop) == {}  # nothing waits for it
    with seen(shop) as (instance, _):
        instance.add_instigator_state(schedule)
    assert [*open_incidents(shop)] == ["the daemon of Dagster"] * told


def test_what_is_gone_from_the_shop_is_no_problem_any_more(shop: TestShop, hook: Hook) -> None:
    odd = "-- Odd.\nselect buyers.buyer_code::int as odd -- Odd\nfrom warehouse.buyers;"
    shop.write({"mart/odd.sql": odd})
    assert not shop.run("mart/odd").succeeded
    assert len(hook.news()) == 1
    (shop.folder / "sql/mart/odd.sql").unlink()
    assert asked(shop, "alerts").output.splitlines()[-1] == "0 problems are open"
    ((title, _),) = hook.news()
    assert title.endswith("1 problem has ended")


def test_of_very_many_runs_a_look_takes_the_earliest_and_the_next_goes_on(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (shop.home / "shop.duckdb").rename(shop.home / "shop.away")
    del shop.environ["ORDERHE_ALERTS"]
    for asset in ("sales", "buyers"):
        assert not shop.run(f"backup/{asset}", "2026-01-04").succeeded
    with seen(shop) as (instance, repository):
        earlier = len(instance.get_runs()) - 2
        monkeypatch.setattr(incidents, "_MOST_RUNS", earlier + 1)
        told = Told()
        look(instance, repository, told, datetime.now(timezone.utc))
        assert [*told.incidents] == ["asset backup/sales"]
        monkeypatch.setattr(incidents, "_OVERLAP", timedelta())
        look(instance, repository, told, datetime.now(timezone.utc))
        assert [*told.incidents] == ["asset backup/sales", "asset backup/buyers"]


def test_an_unusual_day_is_told_as_a_warning(shop: TestShop, hook: Hook) -> None:
    at = "timestamp '2026-06-01 00:00:00'"
    rows = ", ".join(
        f"(9, {100 * week + n}, null, date '2026-01-07' + {7 * week}, 1, 'paid', {at})"
        for week in range(5)
        for n in range(3 if week == 4 else 30)
    )
    shop.change(f"insert into sales values {rows}")
    outcome = shop.run("backup/sales", "2026-01-05", "2026-02-04")
    assert outcome.succeeded
    ((_, text),) = hook.news()
    assert "warning: check usual_volume of backup/sales, since " in text
    assert "2026-02-04 has 3 rows, the 4 Wednesdays before it had 30" in text
    assert "orderhe prove sales --from 2026-02-04 --to 2026-02-04" in text


def test_a_run_that_was_killed_is_made_up_for_by_runs_of_its_parts(shop: TestShop) -> None:
    with seen(shop) as (instance, repository):
        told = Told()
        keys = {dg.AssetKey(["backup", "sales"]), dg.AssetKey(["backup", "buyers"])}
        run = instance.create_run_for_job(
            repository.get_job("__ASSET_JOB"), asset_selection=frozenset(keys)
        )
        instance.report_run_failed(run, "its process was killed")
        look(instance, repository, told, datetime.now(timezone.utc))
        assert [*told.incidents] == ["run of backup/buyers, backup/sales"]
    for asset, still in (("backup/sales", 1), ("backup/buyers", 0)):
        assert shop.run(asset, "2026-01-04").succeeded
        with seen(shop) as (instance, repository):
            look(instance, repository, told, datetime.now(timezone.utc))
        assert len(told.incidents) == still


def test_a_tag_that_is_added_to_an_old_failure_does_not_begin_it_again(shop: TestShop) -> None:
    away = shop.home / "shop.away"
    (shop.home / "shop.duckdb").rename(away)
    failed = shop.run("backup/sales", "2026-01-04")
    away.rename(shop.home / "shop.duckdb")
    assert shop.run("backup/sales", "2026-01-04").succeeded
    with seen(shop) as (instance, repository):
        told = Told(looked_at=(datetime.now(timezone.utc) + timedelta(minutes=3)).timestamp())
        instance.add_run_tags(failed.run_id, {"team": "night"})
        look(instance, repository, told, datetime.now(timezone.utc))
        assert told.incidents == {}
        told = Told()
        look(instance, repository, told, datetime.now(timezone.utc))
        assert told.incidents == {}
