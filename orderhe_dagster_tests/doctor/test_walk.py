"""The walk: every road by itself, each check as it comes out, and what AWS's silence leaves unknown."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NoReturn

import pytest

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.doctor import home_road as of_home
from orderhe_dagster.doctor.home_road import History, home_road
from orderhe_dagster.doctor.mysql_road import mysql_road
from orderhe_dagster.doctor.probe import Probe
from orderhe_dagster.doctor.signatures.of_aws import SIGNATURES as OF_AWS
from orderhe_dagster.doctor.signatures.of_home import SIGNATURES as OF_HOME
from orderhe_dagster.doctor.store_road import store_road
from orderhe_dagster.doctor.walk import Check, Found, Outcome, Road, ok
from orderhe_dagster.doctor.warehouse_road import warehouse_road
from orderhe_dagster.ports.cloud import Cloud
from orderhe_dagster.ports.errors import PortError, Symptom
from orderhe_dagster.ports.source import Look
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.settings.config import MySQLSettings, Settings, load_settings
from orderhe_dagster.settings.dagster_yaml import TEXT
from orderhe_dagster.settings.home import Home, prepare_home
from orderhe_dagster.settings.project import read_catalogue
from orderhe_dagster_tests.doctor.clouds import (
    BOTH,
    MINE,
    ROLE,
    GivenCloud,
    SilentCloud,
    allow,
    trust,
)
from orderhe_dagster_tests.doctor.peers import network
from orderhe_dagster_tests.shops import TestShop

RDS = "shop.abc123def456.eu-west-1.rds.amazonaws.com"
SERVERLESS = "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com"
NOW = datetime.now(timezone.utc)


def named(outcomes: Sequence[Outcome]) -> dict[str, Found]:
    return {outcome.check: outcome.found for outcome in outcomes}


def why(found: Found) -> list[str]:
    return [one.name for one in found.explanations]


# -- the walk itself --------------------------------------------------------------------------------


def test_what_comes_after_a_stop_is_skipped_and_says_what_comes_first() -> None:
    def stop() -> Found:
        return Found("failed", "no", stops=True)

    road = Road(
        "r",
        [
            Check("a", lambda: ok("")),
            Check("b", stop),
            Check("c", lambda: ok("")),
            Check("d", lambda: ok(""), needs=()),
            Check("e", lambda: ok(""), needs=("b",)),
        ],
    )
    found = named(list(road.walk()))
    assert [one.status for one in found.values()] == ["ok", "failed", "skipped", "ok", "skipped"]
    assert found["c"].text == found["e"].text == "b comes first"


# -- MySQL --------------------------------------------------------------------------------------------


class FakeSource:
    """A server that a session finds like that."""

    def __init__(self, look: Look | PortError) -> None:
        self._look, self.logins = look, 0

    def look(self, tables: Sequence[Table]) -> Look:
        self.logins += 1
        if isinstance(self._look, PortError):
            raise self._look
        return self._look


def look(**more: Any) -> Look:
    given: dict[str, Any] = {
        "version": "8.0.40",
        "tls": "TLS_AES_256_GCM_SHA384",
        "zone": "+00:00",
        "own_zone": "SYSTEM",
        "modes": "STRICT_TRANS_TABLES,NO_ZERO_DATE",
        "charset": "utf8mb4",
        "clock": datetime.now(timezone.utc).replace(tzinfo=None),
    }
    return Look(**{**given, **more})


def of_mysql(
    found: Look | PortError,
    cloud: Cloud | None = None,
    probe: Probe | None = None,
    tables: Sequence[Table] = (),
    **more: Any,
) -> dict[str, Found]:
    settings = MySQLSettings(**{"host": RDS, "user": "etl", "database": "shop", **more})
    source: Any = FakeSource(found)
    road = mysql_road(settings, source, tables, cloud or GivenCloud(), probe or network())
    outcomes = named(list(road.walk()))
    assert source.logins <= 1, "one login is enough"
    return outcomes


def refused(text: str, code: str) -> PortError:
    error = PortError(text)
    error.symptom = Symptom("mysql", text, code, {"host": RDS, "port": "3306", "user": "etl"})
    return error


def test_a_mysql_that_is_as_it_should_be_is_ok_all_along() -> None:
    found = of_mysql(look())
    assert {one.status for one in found.values()} == {"ok"}
    assert list(found)[:4] == ["DNS", "TCP", "TLS", "login"]


def test_a_name_that_is_none_stops_before_the_port() -> None:
    found = of_mysql(look(), probe=network(resolves=OSError(-2, "Name or service not known")))
    assert why(found["DNS"]) == ["mysql-host-unknown"]
    assert found["TCP"].status == found["login"].status == "skipped"
    assert found["way in (AWS)"].status == "ok", "AWS is asked all the same"


def test_a_wrong_certificate_is_tls_s_and_a_wrong_password_the_login_s() -> None:
    certificate = refused("CERTIFICATE_VERIFY_FAILED (2003)", "2003")
    found = of_mysql(certificate)
    assert why(found["TLS"]) == ["mysql-ca-missing"]
    assert found["login"].status == "skipped"
    found = of_mysql(refused("Access denied (using password: YES) (1045)", "1045"))
    assert found["TLS"].status == "ok"
    assert why(found["login"]) == ["mysql-login"]
    assert found["privileges"].status == "skipped"


def test_rights_zone_modes_and_charset_are_judged_each() -> None:
    denied = refused("SELECT command denied (1142)", "1142")
    found = of_mysql(look(refused={"orders": denied}, zone="SYSTEM", modes="", charset="latin1"))
    assert why(found["privileges"]) == ["mysql-no-right-to-table"]
    assert "orders" in found["privileges"].text
    for name in ("time zone", "sql_mode", "charset"):
        assert found[name].status == "failed", name


def test_clocks_that_differ_are_told() -> None:
    apart = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(minutes=9)
    assert why(of_mysql(look(clock=apart))["time zone"]) == ["clock-differs"]


def test_an_index_is_asked_of_large_tables_alone(sales_shop: TestShop) -> None:
    catalogue = read_catalogue(sales_shop.settings)
    tables = catalogue.layer("raw")
    assert of_mysql(look(rows={"sales": 10}), tables=tables)["cursor's index"].status == "ok"
    large = look(rows={"sales": 2_000_000})
    found = of_mysql(large, tables=tables)["cursor's index"]
    assert why(found) == ["no-index"]
    expected = "create index `sales_sold_on_changed_at` on `sales` (`sold_on`, `changed_at`);"
    assert found.explanations[0].command == expected
    there = replace(large, indexes={"sales": [("sold_on", "changed_at", "price")]})
    assert of_mysql(there, tables=tables)["cursor's index"].status == "ok"


# -- what AWS says: each signature of AWS's by what it answers ----------------------------------------


def database(**more: Any) -> Any:
    given = GivenCloud().database
    assert given is not None
    return replace(given, **more)


def workgroup(**more: Any) -> Any:
    given = GivenCloud().group
    assert given is not None
    return replace(given, **more)


SHUT = TimeoutError("timed out")
MYSQL_AWS = {
    "group-open-to-all": GivenCloud(cidrs=("0.0.0.0/0",)),
    "no-route-to-internet": GivenCloud(unrouted=["subnet-1"]),
    "instance-not-public": GivenCloud(database=database(is_public=False)),
    "instance-not-running": GivenCloud(database=database(status="stopped")),
    "instance-other-port": GivenCloud(database=database(port=3307)),
    "no-inbound-rule": GivenCloud(cidrs=("198.51.100.0/24",)),
    "workgroup-not-there": GivenCloud(database=None),
}
REDSHIFT_AWS = {
    ("workgroup-not-public", "way in (AWS)"): GivenCloud(group=workgroup(is_public=False)),
    ("workgroup-not-available", "way in (AWS)"): GivenCloud(group=workgroup(status="MODIFYING")),
    ("no-inbound-rule", "way in (AWS)"): GivenCloud(cidrs=()),
    ("trust-lacks-a-service", "role's trust (AWS)"): GivenCloud(trusts=trust(BOTH[0])),
    ("no-such-role", "role's trust (AWS)"): GivenCloud(has_role=False),
    ("role-not-in-namespace", "role attached (AWS)"): GivenCloud(roles={}),
    ("role-no-default", "role attached (AWS)"): GivenCloud(default_role=""),
    ("role-lacks-rights", "role's rights (AWS)"): GivenCloud(
        policies={"p": allow("s3:ListBucket")}
    ),
    ("role-is-denied", "role's rights (AWS)"): GivenCloud(
        policies={"p": allow("s3:*"), "guard": allow("s3:GetObject", effect="Deny")}
    ),
    ("role-is-bounded", "role's rights (AWS)"): GivenCloud(boundary=allow("s3:List*", "s3:Put*")),
    ("role-bound-denies", "role's rights (AWS)"): GivenCloud(
        boundary={
            "Statement": [
                *allow("s3:*")["Statement"],
                *allow("s3:GetBucketLocation", effect="Deny")["Statement"],
            ]
        }
    ),
    ("region-differs", "region (AWS)"): GivenCloud(region_of_bucket="us-east-1"),
    ("s3-no-bucket", "region (AWS)"): GivenCloud(region_of_bucket=None),
    ("no-usage-limit", "usage limit (AWS)"): GivenCloud(limits=0),
}


@pytest.mark.parametrize("name", MYSQL_AWS)
def test_what_aws_says_of_the_way_to_mysql(name: str) -> None:
    found = of_mysql(look(), MYSQL_AWS[name], network(opens=SHUT))["way in (AWS)"]
    assert why(found) == [name]
    assert found.status == ("unknown" if name == "workgroup-not-there" else "failed")
    assert "<" not in found.explanations[0].command or name == "no-route-to-internet"


def test_whom_the_port_lets_in_no_rule_keeps_out(tmp_path: Path) -> None:
    """A VPN, or a group that names another group: what AWS's rules say of our address is no wall then."""
    for name, cloud in MYSQL_AWS.items():
        found = of_mysql(look(), cloud)["way in (AWS)"]
        expected = {"group-open-to-all": "failed", "workgroup-not-there": "unknown"}
        assert found.status == expected.get(name, "ok"), name
    private = GivenCloud(group=workgroup(is_public=False))
    assert of_redshift(tmp_path, private)["way in (AWS)"].status == "ok"


def test_a_rule_by_a_list_or_a_group_is_judged_by_who_is_in_it() -> None:
    """Or is unknown, where AWS does not tell: it is no reason to add a rule then."""

    def way_in(**cloud: Any) -> Found:
        closed = GivenCloud(cidrs=("198.51.100.0/24",), **cloud)
        return of_mysql(look(), closed, network(opens=SHUT))["way in (AWS)"]

    assert why(way_in(more_of_rule={"listed": ("192.0.2.0/24",)})) == ["no-inbound-rule"]
    assert way_in(more_of_rule={"listed": ("203.0.113.0/24",)}).status == "ok"
    unread = way_in(more_of_rule={"unread": ("pl-1",)})
    assert (unread.status, "pl-1" in unread.text) == ("unknown", True)
    group = {"groups": ("sg-9",)}
    assert why(way_in(more_of_rule=group)) == ["no-inbound-rule"]
    for address in (MINE, "192.168.0.7"):  # its public address, or the one towards that host
        assert way_in(more_of_rule=group, in_groups=frozenset((address,))).status == "ok"
    untold = way_in(more_of_rule=group, in_groups=None)
    assert (untold.status, "sg-9" in untold.text) == ("unknown", True)
    both = way_in(
        more_of_rule=group, in_groups=None, database=database(is_public=False), unrouted=["s"]
    )
    assert why(both) == ["instance-not-public", "no-route-to-internet"], (
        "walls are told all the same"
    )


def test_a_wall_of_the_policies_and_one_of_the_boundary_are_both_told(tmp_path: Path) -> None:
    cloud = GivenCloud(policies={"p": allow("s3:List*")}, boundary=allow("s3:Put*"))
    found = of_redshift(tmp_path, cloud)["role's rights (AWS)"]
    assert why(found) == ["role-lacks-rights", "role-is-bounded"]
    amazons = "arn:aws:iam::aws:policy/ReadOnlyAccess"
    cloud = GivenCloud(boundary=allow("s3:Get*", "s3:List*"), boundary_arn=amazons)
    (bounded,) = of_redshift(tmp_path, cloud)["role's rights (AWS)"].explanations
    assert "aws iam put-role-permissions-boundary" in bounded.command
    assert amazons not in bounded.command


def test_a_denial_of_a_managed_policy_is_looked_for_there(tmp_path: Path) -> None:
    guard = "arn:aws:iam::123456789012:policy/guard"
    denies = allow("s3:GetObject", effect="Deny")
    cloud = GivenCloud(policies={"p": allow("s3:*"), guard: denies})
    (reason,) = of_redshift(tmp_path, cloud)["role's rights (AWS)"].explanations
    assert reason.name == "role-is-denied"
    assert f"aws iam get-policy-version --policy-arn {guard} " in reason.command
    assert "get-role-policy" not in reason.command


@pytest.mark.parametrize("region", ["us-east-1", "eu-west-1"])
def test_a_bucket_is_made_as_its_region_wants_it(tmp_path: Path, region: str) -> None:
    host = SERVERLESS.replace("eu-west-1", region)
    cloud = GivenCloud(region_of_bucket="us-west-2")
    (reason,) = of_redshift(tmp_path, cloud, ORDERHE_REDSHIFT_HOST=host)[
        "region (AWS)"
    ].explanations
    assert ("LocationConstraint" in reason.command) == (region != "us-east-1")
    assert f"--region {region}" in reason.command


def test_an_aurora_cluster_is_not_looked_up() -> None:
    host = "shop.cluster-abc123def456.eu-west-1.rds.amazonaws.com"
    assert of_mysql(look(), SilentCloud(), host=host)["way in (AWS)"].status == "skipped"


@pytest.mark.parametrize("name", MYSQL_AWS)
def test_a_port_that_opens_has_no_wall_but_one_that_lets_everybody_in(name: str) -> None:
    """From inside of the network a private place is reached: AWS's way in is not the one taken."""
    found = of_mysql(look(), MYSQL_AWS[name])["way in (AWS)"]
    if name == "group-open-to-all":
        assert why(found) == [name]
    else:
        assert found.status == ("unknown" if name == "workgroup-not-there" else "ok"), found.text


def test_who_refuses_before_tls_shows_no_tls() -> None:
    found = of_mysql(refused("Too many connections (1040)", "1040"))
    assert found["TLS"].status == "skipped"
    assert why(found["login"]) == ["mysql-too-many-connections"]


@pytest.mark.parametrize("host", ["a..example", f"{'a' * 70}.example"])
def test_a_name_that_cannot_be_one_is_told_as_unknown(host: str) -> None:
    found = of_mysql(look(), probe=Probe(reach=network().reach), host=host)
    assert why(found["DNS"]) == ["mysql-host-unknown"]


def test_an_error_without_a_signature_is_told_to_its_end() -> None:
    remedy = f"no. Add this statement: {'x' * 400} end"

    def refuses() -> Found:
        raise PortError(remedy)

    (outcome,) = Road("r", [Check("a", refuses)]).walk()
    assert outcome.found.text == remedy


def test_a_look_that_nobody_expected_to_fail_ends_no_walk() -> None:
    def broken() -> Found:
        raise RuntimeError("what\nnobody expected")

    road = Road(
        "r", [Check("a", broken), Check("b", lambda: ok("")), Check("c", lambda: ok(""), ())]
    )
    found = named(list(road.walk()))
    assert found["a"].text == "could not be looked at: RuntimeError: what"
    assert [one.status for one in found.values()] == ["failed", "skipped", "ok"]


class NoStatements(Warehouse):
    """A warehouse that nothing may be sent to."""

    def __init__(self, *answers: str) -> None:
        self.sent: list[str] = []

    @property
    def identity(self) -> str:
        return "redshift://here"

    def knock(self) -> str:
        return "TLSv1.3"

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[Session]:
        self.sent.append(label)
        raise AssertionError("a statement would be billed")
        yield

    @property
    def copy_authorization(self) -> str:
        return "iam_role default"


def aws_settings(tmp_path: Path, **more: str) -> Settings:
    given = {
        "ORDERHE_PROFILE": "aws",
        "ORDERHE_MYSQL_HOST": RDS,
        "ORDERHE_MYSQL_USER": "etl",
        "ORDERHE_MYSQL_DATABASE": "shop",
        "ORDERHE_S3_BUCKET": "shop-backup",
        "ORDERHE_S3_PREFIX": "one",
        "ORDERHE_REDSHIFT_HOST": SERVERLESS,
        "ORDERHE_REDSHIFT_USER": "loader",
        "ORDERHE_REDSHIFT_PASSWORD": "needle",
        "ORDERHE_HOME": str(tmp_path / "home"),
    }
    return load_settings({**given, **more}, tmp_path)


def of_redshift(
    tmp_path: Path, cloud: Cloud, probe: Probe | None = None, **more: str
) -> dict[str, Found]:
    store: Any = FolderStore(root=str(tmp_path / "s3"), bucket="shop-backup")
    warehouse = NoStatements()
    settings = aws_settings(tmp_path, **more)
    road = warehouse_road(settings, store, warehouse, (), cloud, probe or network(), asks=False)
    outcomes = named(list(road.walk()))
    assert warehouse.sent == []
    return outcomes


@pytest.mark.parametrize("name", REDSHIFT_AWS, ids="-".join)
def test_what_aws_says_of_redshift(name: tuple[str, str], tmp_path: Path) -> None:
    found = of_redshift(tmp_path, REDSHIFT_AWS[name], network(opens=SHUT))
    assert why(found[name[1]]) == [name[0]]


def test_the_data_api_needs_no_way_in_and_no_host(tmp_path: Path) -> None:
    """A private workgroup is what the Data API is for: it is never advised to be made public."""
    private = GivenCloud(group=workgroup(is_public=False), cidrs=(), unrouted=["subnet-1"])
    given = {"ORDERHE_WAREHOUSE": "data_api", "ORDERHE_REDSHIFT_WORKGROUP": "shop"}
    shut = network(opens=SHUT)  # the host's, which is not asked
    found = of_redshift(tmp_path, private, shut, **given)
    assert {one.status for one in found.values()} == {"ok", "skipped", "not asked"}
    assert "the Data API needs no way in" in found["way in (AWS)"].text
    busy = GivenCloud(group=workgroup(status="MODIFYING", is_public=False))
    found = of_redshift(tmp_path, busy, shut, **given)
    assert why(found["way in (AWS)"]) == ["workgroup-not-available"]
    here = {"ORDERHE_REDSHIFT_ENDPOINT_URL": "http://127.0.0.1:5440"}
    found = of_redshift(tmp_path, private, shut, **given, **here)
    assert found["way in (AWS)"].status == "skipped"


def test_a_data_api_of_ones_own_is_reached_for_as_any_server(tmp_path: Path) -> None:
    """Else a road is called passable on which nobody has knocked."""
    given = {
        "ORDERHE_WAREHOUSE": "data_api",
        "ORDERHE_REDSHIFT_WORKGROUP": "local",
        "ORDERHE_REDSHIFT_ENDPOINT_URL": "http://127.0.0.1:5440",
        "ORDERHE_STORE": "folder",
    }
    refused = ConnectionRefusedError(111, "Connection refused")
    found = of_redshift(tmp_path, SilentCloud(), network(opens=refused), **given)
    assert why(found["TCP"]) == ["redshift-not-started-here"]
    assert "--data-api" in found["TCP"].explanations[0].command
    assert {one.status for one in found.values()} == {"ok", "failed", "skipped"}
    found = of_redshift(tmp_path, SilentCloud(), **given)
    assert {found[name].status for name in ("DNS", "TCP")} == {"ok"}
    assert {one.status for one in found.values()} == {"ok", "skipped", "not asked"}


def test_a_role_of_another_account_is_not_called_missing(tmp_path: Path) -> None:
    cloud = GivenCloud(has_role=False, who="arn:aws:iam::999999999999:user/etl")
    found = of_redshift(tmp_path, cloud)
    assert {found[f"role's {look} (AWS)"].status for look in ("trust", "rights")} == {"unknown"}


def test_a_private_workgroup_that_is_reached_is_no_wall(tmp_path: Path) -> None:
    private = GivenCloud(group=workgroup(is_public=False), cidrs=(), unrouted=["subnet-1"])
    assert of_redshift(tmp_path, private)["way in (AWS)"].status == "ok"


def test_a_redshift_that_is_as_it_should_be_is_not_asked_without_sql(tmp_path: Path) -> None:
    found = of_redshift(tmp_path, GivenCloud())
    assert [check for check, one in found.items() if one.status == "not asked"] == [
        "login",
        "COPY",
        "marts",
    ]
    assert {one.status for one in found.values()} == {"ok", "not asked"}


def test_by_the_data_api_no_host_is_looked_for(tmp_path: Path) -> None:
    closed = network(resolves=OSError(-2, "unknown"), opens=TimeoutError("timed out"))
    more = {"ORDERHE_WAREHOUSE": "data_api", "ORDERHE_REDSHIFT_WORKGROUP": "shop"}
    private = GivenCloud(group=workgroup(is_public=False))
    found = of_redshift(tmp_path, private, closed, **more)
    assert {found[name].status for name in ("DNS", "TCP")} == {"skipped"}
    assert {found[name].status for name in ("login", "COPY", "marts")} == {"not asked"}
    for name in ("role's trust (AWS)", "role attached (AWS)", "usage limit (AWS)", "way in (AWS)"):
        assert found[name].status == "ok", name


def test_the_base_capacity_is_told_with_the_limit(tmp_path: Path) -> None:
    found = of_redshift(tmp_path, GivenCloud(group=workgroup(base_rpu=128)))["usage limit (AWS)"]
    assert (
        found.text
        == "1 limit; base capacity 128 RPU, of which each hour is dear: 4 to 8 are enough"
    )
    found = of_redshift(tmp_path, GivenCloud(group=workgroup(base_rpu=8)))["usage limit (AWS)"]
    assert found.text == "1 limit; base capacity 8 RPU"


def test_the_fix_of_an_unattached_role_keeps_the_others(tmp_path: Path) -> None:
    other = f"{ROLE}-other"
    cloud = GivenCloud(roles={other: "in-sync"})
    (reason,) = of_redshift(tmp_path, cloud)["role attached (AWS)"].explanations
    assert reason.command.endswith(f"--iam-roles {other} {ROLE}"), "the default stays what it is"
    assert "--namespace-name ns" in reason.command


def test_a_trust_or_policy_with_conditions_is_unknown(tmp_path: Path) -> None:
    conditional: dict[str, Any] = dict(trust(*BOTH))
    conditional["Statement"][0]["Condition"] = {"StringEquals": {"sts:ExternalId": "x"}}
    policy: dict[str, Any] = dict(allow("s3:*"))
    policy["Statement"][0]["Condition"] = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}
    found = of_redshift(tmp_path, GivenCloud(trusts=conditional, policies={"p": policy}))
    assert found["role's trust (AWS)"].status == "unknown"
    assert found["role's rights (AWS)"].status == "unknown"


def test_the_rights_on_a_key_and_below_a_prefix_are_judged(tmp_path: Path) -> None:
    key = "arn:aws:kms:eu-west-1:123456789012:key/1"
    encrypted = {"ORDERHE_S3_SSE": "aws:kms", "ORDERHE_S3_KMS_KEY_ID": key}
    found = of_redshift(tmp_path, GivenCloud(), **encrypted)["role's rights (AWS)"]
    assert why(found) == ["copy-kms"]
    assert key in found.explanations[0].command
    both = {"p": allow("s3:*"), "k": allow("kms:*", on=key)}
    found = of_redshift(tmp_path, GivenCloud(policies=both), **encrypted)["role's rights (AWS)"]
    assert found.status == "ok"
    listing: dict[str, Any] = dict(allow("s3:ListBucket"))
    listing["Statement"][0]["Condition"] = {"StringLike": {"s3:prefix": "one/*"}}
    rest = allow("s3:GetBucketLocation", "s3:GetObject", "s3:PutObject")
    cloud = GivenCloud(policies={"l": listing, "r": rest})
    assert of_redshift(tmp_path, cloud)["role's rights (AWS)"].status == "ok"


def test_without_a_right_to_look_every_check_of_aws_is_unknown(tmp_path: Path) -> None:
    explicit = {"ORDERHE_REDSHIFT_IAM_ROLE": ROLE}
    found = of_redshift(tmp_path, SilentCloud(), **explicit)
    asked = {check: one.status for check, one in found.items() if check.endswith("(AWS)")}
    assert len(asked) == 6
    assert set(asked.values()) == {"unknown"}
    assert of_mysql(look(), SilentCloud())["way in (AWS)"].status == "unknown"


def test_places_that_are_not_on_aws_are_not_asked_for(tmp_path: Path) -> None:
    found = of_mysql(look(), SilentCloud(), host="10.1.2.3")["way in (AWS)"]
    assert found.status == "skipped"
    local = of_redshift(tmp_path, SilentCloud(), ORDERHE_REDSHIFT_HOST="127.0.0.1")
    assert local["way in (AWS)"].status == "skipped"


# -- the store ----------------------------------------------------------------------------------------


def test_a_store_is_listed_written_and_read_and_nothing_is_left(tmp_path: Path) -> None:
    store = FolderStore(root=str(tmp_path), bucket="shop")
    store.create()
    settings = load_settings({}, tmp_path).s3
    outcomes = list(store_road(settings, store, SilentCloud(), is_s3=False).walk())
    assert {outcome.found.status for outcome in outcomes} == {"ok"}
    assert list(store.listing("")) == []


def test_a_store_that_ignores_conditions_is_told(tmp_path: Path) -> None:
    class Careless(FolderStore):
        def put(self, key: str, body: bytes, **_: Any) -> str:
            return super().put(key, body)

    store = Careless(root=str(tmp_path), bucket="shop")
    store.create()
    settings = load_settings({}, tmp_path).s3
    found = named(list(store_road(settings, store, SilentCloud(), is_s3=False).walk()))
    assert why(found["conditional write"]) == ["s3-no-conditional-writes"]


def test_who_may_not_list_may_write_all_the_same(tmp_path: Path) -> None:
    class Unlisted(FolderStore):
        def listing(self, prefix: str) -> NoReturn:
            error = PortError("no")
            facts = {"bucket": "shop", "scope": "bucket", "action": "s3:ListBucket"}
            error.symptom = Symptom("s3", "AccessDenied", "AccessDenied", facts)
            raise error

    store = Unlisted(root=str(tmp_path), bucket="shop")
    store.create()
    settings = load_settings({}, tmp_path).s3
    found = named(list(store_road(settings, store, SilentCloud(), is_s3=False).walk()))
    assert why(found["bucket"]) == ["s3-denied-bucket"]
    assert {found[name].status for name in ("write", "conditional write", "read")} == {"ok"}


def test_the_root_user_is_told(tmp_path: Path) -> None:
    store = FolderStore(root=str(tmp_path), bucket="shop")
    store.create()
    cloud = GivenCloud(who="arn:aws:iam::123456789012:root")
    settings = load_settings({}, tmp_path).s3
    found = named(list(store_road(settings, store, cloud, is_s3=True).walk()))
    assert why(found["caller (AWS)"]) == ["root-credentials"]


# -- this machine -------------------------------------------------------------------------------------


def of_machine(home: Home, env: Path, history: History | None = None) -> dict[str, Found]:
    known = history or History({"daily_schedule": True}, {"backup/orders": NOW})
    return named(list(home_road(home, env, lambda: known).walk()))


@pytest.fixture
def home(tmp_path: Path) -> Home:
    return prepare_home(load_settings({"ORDERHE_HOME": str(tmp_path / "home")}, tmp_path))


def test_a_machine_that_is_as_it_should_be(home: Home, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("ORDERHE_MYSQL_PASSWORD=needle\n", "utf-8")
    env.chmod(0o600)
    found = of_machine(home, env)
    assert {one.status for one in found.values()} == {"ok"}


def test_nothing_is_wrong_with_a_machine_on_which_nothing_ran(tmp_path: Path) -> None:
    found = of_machine(Home(tmp_path / "none"), tmp_path / ".env")
    assert {one.status for one in found.values()} == {"ok", "skipped"}


def test_modes_are_told_and_mended(home: Home, tmp_path: Path) -> None:
    env = tmp_path / ".env"
    env.write_text("export ORDERHE_REDSHIFT_PASSWORD=needle\n", "utf-8")
    env.chmod(0o644)
    home.folder.chmod(0o755)
    found = of_machine(home, env)
    assert why(found["its mode"]) == ["home-open-to-others"]
    assert why(found[".env"]) == ["env-open-to-others"]
    assert "needle" not in repr(found)
    for name in ("its mode", ".env"):
        mend = found[name].mends
        assert mend is not None
        mend()
    assert env.stat().st_mode & 0o777 == 0o600
    assert home.folder.stat().st_mode & 0o777 == 0o700
    assert of_machine(home, env)["its mode"].status == "ok"


def test_a_folder_that_cannot_be_written_stops(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(**_: Any) -> NoReturn:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(of_home.tempfile, "TemporaryFile", refuse)
    found = of_machine(home, tmp_path / ".env")
    assert why(found["state folder"]) == ["home-not-writable"]
    assert found["dagster.yaml"].status == "skipped"


def test_a_disk_that_is_nearly_full_is_told(
    home: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = type("Usage", (), {"free": 5_000_000})
    monkeypatch.setattr(of_home.shutil, "disk_usage", lambda _: usage)
    found = of_machine(home, tmp_path / ".env")["disk"]
    assert why(found) == ["disk-nearly-full"]
    assert "5 MB" in found.text


def test_what_dagster_lacks_is_told(home: Home, tmp_path: Path) -> None:
    home.instance.write_text(TEXT.replace("[orderhe]", "[]"), "utf-8")
    found = of_machine(home, tmp_path / ".env")["dagster.yaml"]
    assert why(found) == ["dagster-yaml"]
    assert found.mends is not None
    found.mends()
    assert not home.instance.exists()
    assert (home.dagster / "dagster.yaml.mine").is_file()


HISTORIES: Mapping[str, tuple[str, str, History]] = {
    "schedules off": ("schedules", "schedules-off", History({"daily_schedule": False})),
    "old": (
        "freshness",
        "not-fresh",
        History({"s": True}, {"backup/orders": NOW - timedelta(days=5)}),
    ),
}


@pytest.mark.parametrize("name", HISTORIES)
def test_what_dagsters_history_says(name: str, home: Home, tmp_path: Path) -> None:
    check, signature, history = HISTORIES[name]
    assert why(of_machine(home, tmp_path / ".env", history)[check]) == [signature]


def test_a_history_that_cannot_be_asked_is_unknown(home: Home, tmp_path: Path) -> None:
    found = of_machine(home, tmp_path / ".env", History(error="no"))
    assert found["schedules"].status == found["freshness"].status == "unknown"


def test_every_signature_that_a_check_finds_was_found_here() -> None:
    found = {*MYSQL_AWS, *(name for name, _ in REDSHIFT_AWS), "root-credentials"}
    assert {one.name for one in OF_AWS} - found == set()
    here = {
        *("settings-wrong", "home-open-to-others", "env-open-to-others", "home-not-writable"),
        *("disk-nearly-full", "dagster-yaml", "schedules-off", "not-fresh", "no-index"),
        *("clock-differs", "copy-other-store"),
    }
    assert {one.name for one in OF_HOME} == here


def test_the_fix_of_a_trust_keeps_whom_else_it_names(tmp_path: Path) -> None:
    cloud = GivenCloud(trusts=trust("glue.amazonaws.com", BOTH[0]))
    (reason,) = of_redshift(tmp_path, cloud)["role's trust (AWS)"].explanations
    (document,) = shlex.split(reason.command)[-1:]
    allowed = [one["Principal"]["Service"] for one in json.loads(document)["Statement"]]
    assert allowed == [["glue.amazonaws.com", BOTH[0]], [BOTH[1]]]
