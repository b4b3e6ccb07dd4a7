"""`orderhe plan` on the real systems: MySQL, S3 and the Redshift wire, rows set apart, what was charged."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.cli import main
from orderhe_dagster.commands.costs import Capacity, PriceError, Prices, capacity_of, traps
from orderhe_dagster.commands.plan import RunPlan, make_plan
from orderhe_dagster.commands.plan_report import plan_run
from orderhe_dagster.ports.cloud import Workgroup
from orderhe_dagster.settings.config import Settings, load_settings
from orderhe_dagster_tests.commands.planned import DAYS, LATER, Done, done, planned_shop, written
from orderhe_dagster_tests.doctor.clouds import GivenCloud, SilentCloud
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.shops import TestShop

NUL = "concat('a', char(0 using utf8mb4))"


def assert_within(plan: RunPlan, did: Done) -> None:
    """Backups and loads are as planned; of models and exports those that are certain, and none besides."""
    for step in plan.steps:
        layer = step.asset.partition("/")[0]
        sure = {s.text for s in (step.new if layer == "backup" else step.does)}
        there = did.segments.get(step.asset, set())
        if layer in ("backup", "warehouse"):
            assert sure == there, step.asset
            rows = step.files if layer == "backup" else step.rows
            of = did.files if layer == "backup" else did.rows
            assert rows == of.get(step.asset, 0), step.asset
        assert sure <= there <= sure | {s.text for s in step.perhaps}, step.asset


def test_plans_agree_with_runs_on_the_real_systems(
    systems: Systems, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    folder = tmp_path / "shop"
    shop = planned_shop(folder, systems.environ(ALL, folder / "home"))
    shop.change(f"update sales set note = {NUL} where sale = 11")
    plan, stamps = make_plan(shop.settings, "*"), written(shop)
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert_within(plan, done(shop, outcome.run_id, stamps))
    (step,) = [step for step in plan.steps if step.asset == "backup/sales"]
    assert step.notes == [f"{DAYS[1]}: 1 row cannot be carried: quarantine"]
    assert not any(step.perhaps for step in plan.steps)

    def orderhe(*words: str) -> str:
        environ = {**shop.environ, "ORDERHE_HOME": str(shop.home)}
        result = CliRunner().invoke(main, [*words], env=environ)
        assert result.exit_code == 0, result.output
        return result.output

    shop.change(f"update sales set note = {NUL}, changed_at = {LATER} where sale = 21")
    shop.change(f"update sales set price = 9, changed_at = {LATER} where sale = 31")
    plan, stamps = make_plan(shop.settings, "*"), written(shop)
    assert "60 s were billed for it" in orderhe("plan", "*")
    assert "as planned" in orderhe("run", "*")
    _, _, text = (shop.home / "cache" / "last_run.json").read_text("utf-8").partition("\n")
    kept = json.loads(text)
    did = done(shop, kept["run"]["id"], stamps)
    sent, wanted = kept["run"]["requests"], kept["plan"]["cost"]["put_requests"]
    assert abs(sent["PUT"] - wanted) <= 2, "about as many as were planned"
    assert_within(plan, did)
    assert did.segments["warehouse/sales"] == {DAYS[2], DAYS[3]}
    assert any(step.perhaps for step in plan.steps)

    assert "SYS_SERVERLESS_USAGE cannot be read" in orderhe("plan", "--last")
    with shop.warehouse.session("what Serverless keeps") as session:
        session.execute(
            "create table sys_serverless_usage"
            " (start_time timestamp, end_time timestamp, charged_seconds integer)"
        )
        assert "has no row of that time" in orderhe("plan", "--last")
        session.execute(
            "insert into sys_serverless_usage values (getdate(), getdate(), 200),"
            " (getdate(), getdate(), 280), ('2026-01-01', '2026-01-01', 9000)"
        )
    text = orderhe("plan", "--last")
    assert "charged  480 RPU-seconds, $0.0500 (SYS_SERVERLESS_USAGE)" in text
    assert "planned  480 RPU-seconds, $0.0500" in text


def settings_of(folder: Path) -> Settings:
    host = "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com"
    of = {"HOST": host, "USER": "etl", "PASSWORD": "x"}
    environ = {f"ORDERHE_REDSHIFT_{name}": text for name, text in of.items()}
    return load_settings({"ORDERHE_WAREHOUSE": "redshift", **environ}, folder)


def test_the_base_capacity_is_what_aws_says(tmp_path: Path) -> None:
    settings, prices = settings_of(tmp_path), Prices.read()
    group = Workgroup("shop", "ns", "arn:w", "AVAILABLE", True, base_rpu=128)
    cloud = GivenCloud(group=group, limits=0)
    capacity = capacity_of(settings, None, prices, cloud)
    assert capacity == Capacity(128, 0, is_told=True)
    told = "\n".join(traps(capacity, prices, is_serverless=True))
    assert "NO USAGE LIMIT" in told
    assert "BASE CAPACITY 128 RPU: $48.00 for each hour" in told
    assert capacity_of(settings, 4, prices, cloud) == Capacity(4, 0)
    assert capacity_of(settings, None, prices, SilentCloud()) == Capacity(8)
    assert "NO USAGE" not in "\n".join(traps(Capacity(8, 1), prices, is_serverless=True))


def test_a_table_of_prices_that_is_broken_is_named(tmp_path: Path) -> None:
    file = tmp_path / "prices.json"
    file.write_text('{"written": "2026-11-30"}')
    with pytest.raises(PriceError, match=r"prices\.json.*pip install"):
        Prices.read(file)


def test_a_shop_that_is_not_there_is_told(tmp_path: Path) -> None:
    shop = TestShop(tmp_path, {"ORDERHE_SHOP": "external"})
    with pytest.raises(Exception, match="orderhe create"):
        plan_run(shop.settings, "*", None, False, (), "text", None)
