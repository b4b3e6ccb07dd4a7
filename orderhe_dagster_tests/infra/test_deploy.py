"""The templates deployed into moto: made, found as they are written, changed, left as they are, deleted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest

from orderhe_dagster_tests.doctor.aws import ControlPlane
from orderhe_dagster_tests.infra import made, templates
from orderhe_dagster_tests.infra.made import DESCRIBED, NOT_KEPT
from orderhe_dagster_tests.infra.moto_stacks import NOT_DELETED, NOT_IN_MOTO, NOT_TAKEN, Account
from orderhe_dagster_tests.infra.templates import STACKS, Template
from orderhe_dagster_tests.servers.s3 import S3Server

PLAYED = [name for name in STACKS if name != "budget"]
"""The stacks of which moto can play something."""
BY_GROUP = "AWS::EC2::SecurityGroupIngress"
BY_TABLE = "AWS::EC2::SubnetRouteTableAssociation"


@pytest.fixture(scope="module")
def account(s3_server: S3Server) -> Iterator[Account]:
    """All stacks, deployed."""
    deployed = Account(s3_server, ControlPlane(), s3_server.bucket_name("shop"))
    for name in STACKS:
        assert deployed.deploy(name) == ("CREATE" if name in PLAYED else "")
    yield deployed
    deployed.clear()


@pytest.mark.parametrize("name", PLAYED)
def test_moto_made_what_the_template_has(account: Account, name: str) -> None:
    """Each resource is there with what the template says of it, or stands on a list with the reason."""
    stack, names = account.stack(name, played=True), account.physical(name)
    for key, resource in account.stack(name).resources.items():
        kind = resource["Type"]
        if kind in NOT_IN_MOTO:
            assert key not in names, f"{key}: moto makes it now: take {kind} from the list"
            continue
        assert key in names, f"{key} was not made, and {kind} is not listed"
        if kind in (BY_GROUP, BY_TABLE):
            continue
        found = account.asked(DESCRIBED[kind], names[key])
        assert found is not None, f"{key}: {names[key]} is not there"
        expected = stack.resources[key]["Properties"]
        for one in expected:
            if one == "Tags" and "Tags" not in found:
                continue
            if (kind, one) in NOT_KEPT:
                assert json.dumps(found.get(one)) != json.dumps(expected[one]), (
                    f"{key}: moto keeps {one} now: take it from the list"
                )
                continue
            assert one in found, f"{key}: {one} is not told, and not listed"
            if one == "ManagedPolicyArns":  # in no order
                assert sorted(found[one]) == sorted(expected[one]), key
                continue
            assert found[one] == expected[one], f"{key}: {one}"


@pytest.mark.parametrize("name", PLAYED)
def test_groups_have_the_inbound_rules_of_the_template_and_no_others(
    account: Account, name: str
) -> None:
    stack, names = account.stack(name, played=True), account.physical(name)
    groups = [key for key, one in stack.resources.items() if one["Type"].endswith("SecurityGroup")]
    for key in groups:
        expected = list(stack.resources[key]["Properties"].get("SecurityGroupIngress", []))
        expected += [
            {name: one["Properties"][name] for name in one["Properties"] if name != "GroupId"}
            for one in stack.resources.values()
            if one["Type"] == BY_GROUP and one["Properties"]["GroupId"] == names[key]
        ]
        wanted = [{name: one[name] for name in one if name != "Description"} for one in expected]
        found = made.inbound(account.client, names[key])
        assert in_order(found) == in_order(wanted), key
    assert groups or name == "bucket"


def in_order(rules: list[dict[str, Any]]) -> list[str]:
    return sorted(json.dumps(rule, sort_keys=True) for rule in rules)


def test_each_subnet_has_the_routes(account: Account) -> None:
    names = account.physical("network")
    (table,) = account.client("ec2").describe_route_tables(RouteTableIds=[names["RouteTable"]])[
        "RouteTables"
    ]
    subnets = {one.get("SubnetId") for one in table["Associations"] if not one.get("Main")}
    assert subnets == {names["SubnetA"], names["SubnetB"], names["SubnetC"]}


@pytest.mark.parametrize("name", PLAYED)
def test_everything_is_tagged_for_the_bill(account: Account, name: str) -> None:
    """Of what has tags at moto, each has the project's."""
    for key, physical in account.physical(name).items():
        if physical.startswith(("sg-", "vpc-", "subnet-")):  # of others moto drops them
            tags = account.client("ec2").describe_tags(
                Filters=[{"Name": "resource-id", "Values": [physical]}]
            )["Tags"]
            assert {"project": account.given[name].get("Project", "orderhe")}.items() <= {
                t["Key"]: t["Value"] for t in tags
            }.items(), key


def test_the_lists_hold_nothing_that_no_template_has() -> None:
    kinds = {
        (one["Type"], name)
        for stack in STACKS
        for one in templates.template(stack)["Resources"].values()
        for name in one["Properties"]
    }
    assert {*NOT_IN_MOTO, *NOT_DELETED} <= {kind for kind, _ in kinds}
    assert set(NOT_KEPT) | set(NOT_TAKEN) <= kinds
    assert {kind for kind, _ in kinds} == {*DESCRIBED, *NOT_IN_MOTO, BY_GROUP, BY_TABLE}


@pytest.mark.parametrize("name", PLAYED)
def test_a_second_deployment_without_a_change_does_nothing(account: Account, name: str) -> None:
    before = account.physical(name)
    assert account.deploy(name) == ""
    assert account.physical(name) == before


# -- changes ------------------------------------------------------------------------------------------


def another_address(template: Template) -> None:
    """A second address that may ask the database."""
    rule = json.loads(json.dumps(template["Resources"]["CallerRule"]))
    rule["Properties"]["CidrIp"] = "198.51.100.9/32"
    template["Resources"]["SecondCaller"] = rule


def test_an_address_that_is_added_is_let_in(account: Account) -> None:
    template = templates.template("mysql")
    another_address(template)
    group = account.physical("mysql")["DatabaseGroup"]
    assert account.deploy("mysql", template) == "UPDATE"
    cidrs = [one.get("CidrIp") for one in made.inbound(account.client, group)]
    assert "198.51.100.9/32" in cidrs
    assert account.deploy("mysql", template) == ""
    assert account.deploy("mysql") == "UPDATE"


def test_a_bucket_keeps_its_objects_through_a_change(account: Account) -> None:
    s3, bucket = account.client("s3"), account.outputs("bucket")["BucketName"]
    s3.put_object(Bucket=bucket, Key="backup/one", Body=b"kept")
    assert account.deploy("bucket", NoncurrentDays="45") == "UPDATE"
    found = account.asked(DESCRIBED["AWS::S3::Bucket"], bucket)
    assert found is not None
    rules = found["LifecycleConfiguration"]["Rules"]
    assert rules[0]["NoncurrentVersionExpiration"] == {"NoncurrentDays": 45}
    assert s3.get_object(Bucket=bucket, Key="backup/one")["Body"].read() == b"kept"
    assert account.deploy("bucket") == "UPDATE"
    s3.delete_object(Bucket=bucket, Key="backup/one")


def test_the_warehouse_opens_for_bi_and_closes_again(new_account: Account) -> None:
    account, plane = new_account, new_account.plane
    for name in ("network", "bucket", "bi", "redshift"):
        account.deploy(name)
    alone = [account.physical("redshift")["WarehouseGroup"]]
    assert (plane.workgroup["publiclyAccessible"], plane.workgroup["securityGroupIds"]) == (
        False,
        alone,
    )
    assert account.deploy("redshift", BiStack=account.stack_name("bi")) == "UPDATE"
    both = [*alone, account.outputs("bi")["BiGroupId"]]
    assert (plane.workgroup["publiclyAccessible"], plane.workgroup["securityGroupIds"]) == (
        True,
        both,
    )
    assert account.deploy("redshift") == "UPDATE"
    assert (plane.workgroup["publiclyAccessible"], plane.workgroup["securityGroupIds"]) == (
        False,
        alone,
    )


# -- deletion -----------------------------------------------------------------------------------------


def test_deleted_stacks_leave_the_bucket_and_nothing_else(new_account: Account) -> None:
    account = new_account
    for name in STACKS:
        account.deploy(name)
    bucket = account.outputs("bucket")["BucketName"]
    account.client("s3").put_object(Bucket=bucket, Key="backup/one", Body=b"kept")
    names = {name: account.physical(name) for name in PLAYED}
    kinds = {name: account.stack(name).resources for name in PLAYED}
    for name in reversed(PLAYED):
        account.delete(name)
        assert not account.stands(name)
    kept = account.client("s3").get_object(Bucket=bucket, Key="backup/one")["Body"].read()
    assert kept == b"kept"
    left = []
    for name, resources in kinds.items():
        for key, resource in resources.items():
            describe = DESCRIBED.get(resource["Type"])
            kept = resource.get("DeletionPolicy") == "Retain" or resource["Type"] in NOT_DELETED
            if describe is None or kept:
                continue
            if is_there(account, describe, names[name][key]):
                left.append(f"{name}: {key}")
    assert left == []


def is_there(account: Account, describe: Callable[..., Any], name: str) -> bool:
    """Whether a service still knows it."""
    from botocore.exceptions import ClientError

    try:
        return account.asked(describe, name) is not None
    except (ClientError, ValueError):  # none to unpack
        return False


# -- what moto cannot run: the function of the redshift stack ------------------------------------------


class Events:
    """CloudFormation's end of a custom resource: it sends an event and is answered by PUT."""

    def __init__(self, account: Account) -> None:
        code = templates.template("redshift")["Resources"]["LimitFunction"]["Properties"]["Code"]
        self._names: dict[str, Any] = {}
        exec(compile(code["ZipFile"], "index.py", "exec"), self._names)
        self._account = account

    def send(self, kind: str, rpu_hours: str = "8") -> Mapping[str, Any]:
        """What the function answers to an event."""
        import threading
        from http.server import BaseHTTPRequestHandler, HTTPServer

        answers: list[Mapping[str, Any]] = []

        class Handler(BaseHTTPRequestHandler):
            def do_PUT(self) -> None:
                size = int(self.headers["content-length"])
                assert self.headers["content-type"] == "", "the URL is signed for no type"
                answers.append(json.loads(self.rfile.read(size)))
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                return

        with HTTPServer(("127.0.0.1", 0), Handler) as server:
            thread = threading.Thread(target=server.handle_request)
            thread.start()
            event = {
                **{"RequestType": kind, "StackId": "s", "RequestId": "r"},
                "LogicalResourceId": "WorkgroupSettings",
                "ResponseURL": f"http://127.0.0.1:{server.server_address[1]}/signed?x=1",
                "ResourceProperties": {
                    "Namespace": "shop",
                    "WorkgroupArn": "arn:w",
                    "DailyRpuHours": rpu_hours,
                },
            }
            self._names["handler"](event, None)
            thread.join(10)
        (answer,) = answers
        return answer


def test_the_function_sets_changes_and_removes_the_limit(new_account: Account) -> None:
    plane, events = new_account.plane, Events(new_account)
    plane.namespace |= {"namespaceName": "shop", "adminPasswordSecretArn": "arn:secret"}
    answer = events.send("Create")
    assert answer == {
        **{"StackId": "s", "RequestId": "r", "LogicalResourceId": "WorkgroupSettings"},
        **{"Status": "SUCCESS", "PhysicalResourceId": "arn:w", "Data": {"SecretArn": "arn:secret"}},
    }
    (limit,) = plane.limits
    assert (limit["amount"], limit["period"], limit["breachAction"]) == (8, "daily", "deactivate")
    assert events.send("Update", "12")["Status"] == "SUCCESS"
    (limit,) = plane.limits
    assert (limit["amount"], limit["breachAction"]) == (12, "deactivate")
    assert events.send("Delete")["Status"] == "SUCCESS"
    assert plane.limits == []
    assert events.send("Delete")["Status"] == "SUCCESS", "deleting twice is no failure"
    plane.is_empty = True
    assert events.send("Delete")["Status"] == "SUCCESS", "what was never made can be deleted"
    answer = events.send("Create")
    assert answer["Status"] == "FAILED"
    assert "ResourceNotFoundException" in answer["Reason"]


def test_what_the_function_may_not_do_fails_the_stack_and_says_why(new_account: Account) -> None:
    new_account.plane.denies = True
    answer = Events(new_account).send("Create")
    assert answer["Status"] == "FAILED"
    assert "AccessDeniedException" in answer["Reason"]


def test_the_function_fits_into_a_template() -> None:
    code = templates.template("redshift")["Resources"]["LimitFunction"]["Properties"]["Code"]
    assert len(code["ZipFile"]) < 4096
