"""A run that was interrupted or killed: what the history says of it, and what it leaves."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, timedelta

import dagster as dg
import pytest

from orderhe_dagster import runs
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.commands.run import launch
from orderhe_dagster.resources.build import build_resources
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedSession, EmbeddedWarehouse
from orderhe_dagster.runs import HOME_TAG, LIFE_TAG
from orderhe_dagster.settings.home import home_of, use_home
from orderhe_dagster.settings.scratch import scratch_folder
from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.shops import TestShop

DAY = "2026-01-01"


class InterruptedWarehouse(EmbeddedWarehouse):
    """Ctrl-C comes when a load opens its session."""

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[EmbeddedSession]:
        with super().session(label, read_only=read_only) as session:
            if label.startswith("load"):
                raise KeyboardInterrupt
            yield session


def statuses(shop: TestShop) -> dict[str, str]:
    """Run id -> status."""
    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        return {run.run_id: run.status.value for run in instance.get_runs()}


def test_an_interrupt_ends_the_whole_run_and_the_history_says_so(sales_shop: TestShop) -> None:
    settings = sales_shop.settings
    home = home_of(settings)
    resources = build_resources(settings) | {
        "warehouse": InterruptedWarehouse(path=str(home.warehouse), store=sales_shop.store)
    }
    with pytest.raises(KeyboardInterrupt):
        launch(settings, "*", Window.of(date(2026, 1, 1)), resources)
    assert list(statuses(sales_shop).values()) == ["FAILURE"]
    assert oracle.left_lying(home.folder) == []
    assert sales_shop.run("backup/sales,warehouse/sales", DAY).succeeded


def test_the_next_run_records_a_killed_one_as_failed_and_leaves_a_living_one(
    sales_shop: TestShop,
) -> None:
    home = use_home(sales_shop.settings)
    started = dg.DagsterRunStatus.STARTED
    with scratch_folder(home.scratch, "another run") as living:
        with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
            for name, tags in (
                ("killed", {LIFE_TAG: "1-gone"}),
                ("living", {LIFE_TAG: living.name}),
                ("others", {}),
                ("of another home", {LIFE_TAG: "1-there", HOME_TAG: "other-machine:/srv/shop"}),
            ):
                run = dg.DagsterRun(job_name="road", run_id=name, status=started, tags=tags)
                instance.add_run(run)
        assert sales_shop.run("backup/buyers").succeeded
        ended = statuses(sales_shop)
    names = ("killed", "living", "others", "of another home")
    assert {name: ended[name] for name in names} == {
        "killed": "FAILURE",
        "living": "STARTED",
        "others": "STARTED",
        "of another home": "STARTED",
    }


def test_what_was_to_be_canceled_is_canceled_and_what_never_began_has_failed(
    sales_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = use_home(sales_shop.settings)
    monkeypatch.setattr(runs, "_UNBORN", timedelta(seconds=-10))
    states = dg.DagsterRunStatus
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        for name, status, tags in (
            ("canceling", states.CANCELING, {LIFE_TAG: "1-gone"}),
            ("starting", states.STARTING, {}),
            ("not started", states.NOT_STARTED, {}),
        ):
            instance.add_run(dg.DagsterRun(job_name="road", run_id=name, status=status, tags=tags))
        ended = runs.end_abandoned_runs(instance)
    assert sorted(ended) == ["canceling", "not started", "starting"]
    assert statuses(sales_shop) == {
        "canceling": "CANCELED",
        "starting": "FAILURE",
        "not started": "FAILURE",
    }


def test_a_run_that_is_executed_again_is_not_taken_for_the_one_before_it(
    sales_shop: TestShop,
) -> None:
    """Dagster's page and its retries give it all tags of a run whose process is gone."""
    home = use_home(sales_shop.settings)
    with dg.DagsterInstance.from_config(str(home.dagster)) as instance:
        tags = {LIFE_TAG: "1-gone", HOME_TAG: runs.home_name(home.dagster)}
        before = dg.DagsterRun("all", status=dg.DagsterRunStatus.FAILURE, tags=tags)
        again = dg.DagsterRun(
            "all",
            status=dg.DagsterRunStatus.STARTED,
            tags=tags,
            parent_run_id=before.run_id,
            root_run_id=before.run_id,
        )
        for run in (before, again):
            instance.add_run(run)
        assert runs.end_abandoned_runs(instance) == []
        runs.begin(instance, again.run_id)
        begun = instance.get_run_by_id(again.run_id)
        assert begun is not None
        assert begun.tags[LIFE_TAG] != "1-gone"
        assert runs.lives(begun, home.dagster)
        assert runs.end_abandoned_runs(instance) == []
