"""The doctor before the stacks at moto: nothing to find as they are; each wall in a template, by its name.

The settings are those that `orderhe infra env` prints of the stacks.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.commands.infra import env_of_stacks
from orderhe_dagster.doctor.mysql_road import mysql_road
from orderhe_dagster.doctor.store_road import store_road
from orderhe_dagster.doctor.walk import Found
from orderhe_dagster.doctor.warehouse_road import warehouse_road
from orderhe_dagster.ports.source import Look
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.resources.aws import cloud
from orderhe_dagster.resources.aws.cloud import AWSCloud
from orderhe_dagster.resources.build import build_store
from orderhe_dagster.settings.config import Settings, load_settings
from orderhe_dagster_tests.doctor.aws import address_page
from orderhe_dagster_tests.doctor.peers import network
from orderhe_dagster_tests.infra import templates
from orderhe_dagster_tests.infra.moto_stacks import Account
from orderhe_dagster_tests.infra.planting import WALLS, Plant, drop
from orderhe_dagster_tests.infra.templates import ACCOUNT, CALLER, REGION

SHUT = TimeoutError("timed out")


class GoodSource:
    """A MySQL whose session is as it should be."""

    def look(self, tables: Sequence[Table]) -> Look:
        return Look(
            version="8.4.3",
            tls="TLS_AES_256_GCM_SHA384",
            zone="+00:00",
            own_zone="SYSTEM",
            modes="STRICT_TRANS_TABLES,NO_ZERO_DATE",
            charset="utf8mb4",
            clock=datetime.now(timezone.utc).replace(tzinfo=None),
        )


class SilentWarehouse(Warehouse):
    """A Redshift that nothing is sent to."""

    @property
    def identity(self) -> str:
        return "redshift://here"

    def knock(self) -> str:
        return "TLSv1.3"

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[Session]:
        raise AssertionError("a statement would be billed")
        yield

    @property
    def copy_authorization(self) -> str:
        return "iam_role default"


@pytest.fixture
def account(new_account: Account, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account, and this machine's address as its page tells it."""
    with address_page(CALLER) as url:
        monkeypatch.setattr(cloud, "ADDRESS_URL", url)
        yield new_account


def settings_of(account: Account, folder: Path, **more: str) -> Settings:
    """The settings that the stacks there are tell."""
    folder.joinpath("global-bundle.pem").touch()
    lines = env_of_stacks(account.stem).lines
    pairs = dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))
    return load_settings({**pairs, **more, "ORDERHE_HOME": str(folder / "home")}, folder)


def walked(account: Account, folder: Path, opens: Any = None, **more: str) -> dict[str, Found]:
    """What the doctor finds on the roads of the stacks that there are."""
    settings = settings_of(account, folder, **more)
    probe = network(opens=opens) if opens else network()
    asked: list[Any] = []
    if settings.source == "mysql":
        source: Any = GoodSource()
        asked.append(mysql_road(settings.mysql, source, [], AWSCloud(), probe))
    if settings.store == "s3":
        asked.append(store_road(settings.s3, build_store(settings), AWSCloud(), is_s3=True))
    if settings.warehouse != "embedded":
        store = build_store(settings)
        redshift = SilentWarehouse()
        asked.append(warehouse_road(settings, store, redshift, [], AWSCloud(), probe, asks=False))
    return {f"{one.road} {one.check}": one.found for road in asked for one in road.walk()}


def walls(found: Mapping[str, Found]) -> dict[str, list[str]]:
    """Check -> what it was explained by, of those that failed."""
    return {
        check: [why.name for why in one.explanations]
        for check, one in found.items()
        if one.status == "failed"
    }


def by_wire(account: Account) -> dict[str, str]:
    """The same workgroup by its own port."""
    return {
        "ORDERHE_WAREHOUSE": "redshift",
        "ORDERHE_REDSHIFT_HOST": f"{account.stem}.{ACCOUNT}.{REGION}.redshift-serverless.amazonaws.com",
        "ORDERHE_REDSHIFT_USER": "orderhe",
    }


def test_the_doctor_finds_nothing_wrong_with_what_was_deployed(
    account: Account, tmp_path: Path
) -> None:
    for name in ("network", "bucket", "mysql", "redshift"):
        account.deploy(name)
    found = walked(account, tmp_path)
    assert walls(found) == {}
    looked = {check for check, one in found.items() if one.status == "ok"}
    assert looked >= {
        *("MySQL way in (AWS)", "S3 bucket", "S3 conditional write", "S3 read"),
        *("Redshift way in (AWS)", "Redshift role's trust (AWS)", "Redshift usage limit (AWS)"),
        *("Redshift role attached (AWS)", "Redshift role's rights (AWS)"),
    }
    assert {one.status for one in found.values()} <= {"ok", "skipped", "not asked"}, found
    # By its port it is not reached from outside, as it was meant, and is told so.
    found = walked(account, tmp_path, opens=SHUT, **by_wire(account))
    wanted = "workgroup-not-public"
    assert wanted in walls(found)["Redshift way in (AWS)"]


@pytest.mark.parametrize(
    ("wall", "check", "name", "plant"), WALLS, ids=[f"{n}-{w[0]}" for n, w in enumerate(WALLS)]
)
def test_a_wall_in_a_template_is_found_by_its_name(
    account: Account, tmp_path: Path, wall: str, check: str, name: str, plant: Plant
) -> None:
    changed = templates.template(name)
    plant(changed)
    needed = ("network", "mysql") if "MySQL" in check else ("network", "bucket", "redshift")
    for one in needed:
        account.deploy(one, changed if one == name else None)
    found = walked(account, tmp_path, opens=SHUT)
    assert found[check].status == "failed", found[check]
    assert [why.name for why in found[check].explanations] == [wall]


def test_a_workgroup_that_keeps_bi_out_is_found(account: Account, tmp_path: Path) -> None:
    """Opened by bi.yaml it is public, and lets in the tool's ranges alone: this machine is none of them."""
    for name in ("network", "bucket", "bi"):
        account.deploy(name)
    account.deploy("redshift", BiStack=account.stack_name("bi"))
    found = walked(account, tmp_path, opens=SHUT, **by_wire(account))
    assert walls(found)["Redshift way in (AWS)"] == ["no-inbound-rule"]


def test_a_role_without_the_default_is_told_where_default_is_asked(
    account: Account, tmp_path: Path
) -> None:
    changed = templates.template("redshift")
    drop("Namespace", "Properties", "DefaultIamRoleArn")(changed)
    for one in ("network", "bucket"):
        account.deploy(one)
    account.deploy("redshift", changed)
    found = walked(account, tmp_path, ORDERHE_REDSHIFT_IAM_ROLE="default")
    assert walls(found)["Redshift role attached (AWS)"] == ["role-no-default"]


def test_what_is_not_deployed_stays_on_the_laptop(account: Account, tmp_path: Path) -> None:
    for name in ("network", "bucket"):
        account.deploy(name)
    settings = settings_of(account, tmp_path)
    assert (settings.store, settings.source, settings.warehouse) == ("s3", "embedded", "embedded")
