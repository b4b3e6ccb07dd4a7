"""What is advised by an error's words alone, pasted into a shell at moto: afterwards, the wall is gone."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from orderhe_dagster.doctor.explain import explain_symptom, of_name
from orderhe_dagster.doctor.policies import trusted
from orderhe_dagster.ports.errors import Symptom
from orderhe_dagster.resources.aws.cloud import AWSCloud
from orderhe_dagster_tests.doctor.aws import REGION, ControlPlane, commands, in_a_shell
from orderhe_dagster_tests.doctor.clouds import MINE, trust
from orderhe_dagster_tests.servers.s3 import S3Server

SERVERLESS = f"shop.123456789012.{REGION}.redshift-serverless.amazonaws.com"


def client(service: str) -> Any:
    return boto3.Session().client(service, region_name=REGION)


def pasted(system: str, said: str, code: str, **facts: str) -> str:
    """Have the fix of an error run; its name."""
    why = explain_symptom(Symptom(system, said, code, facts))
    assert why is not None
    assert commands(why.command), why.text()
    for line in commands(why.command):
        in_a_shell(line, MINE)
    return why.name


def a_role(name: str, *services: str) -> str:
    document = json.dumps({"Version": "2012-10-17", **trust(*services)})
    made = client("iam").create_role(RoleName=name, AssumeRolePolicyDocument=document)
    return str(made["Role"]["Arn"])


def test_an_instance_lets_this_machine_in(plane: ControlPlane) -> None:
    ec2, rds = client("ec2"), client("rds")
    group = ec2.create_security_group(GroupName="pasted", Description="pasted")["GroupId"]
    rds.create_db_instance(
        DBInstanceIdentifier="pasted",
        DBInstanceClass="db.t4g.micro",
        Engine="mysql",
        MasterUsername="etl",
        MasterUserPassword="a-password",
        VpcSecurityGroupIds=[group],
        PubliclyAccessible=False,
    )
    (instance,) = rds.describe_db_instances(DBInstanceIdentifier="pasted")["DBInstances"]
    place = {"host": f"pasted.abc123def456.{REGION}.rds.amazonaws.com", "port": "3306"}
    timed_out = "(timed out) (2003)"
    assert pasted("mysql", timed_out, "2003", **place) == "mysql-no-inbound-rule"
    (rule,) = AWSCloud().rules([group], REGION)[group]
    assert (rule.first_port, rule.cidrs) == (3306, (f"{MINE}/32",))
    private = {**place, "address": "172.31.5.9"}
    assert pasted("mysql", timed_out, "2003", **private) == "mysql-private-address"
    rds.stop_db_instance(DBInstanceIdentifier="pasted")
    assert pasted("mysql", "refused (2003)", "2003", **place) == "mysql-nothing-listens"
    found = AWSCloud().instance(instance["Endpoint"]["Address"], REGION)
    assert found is not None
    assert (found.is_public, found.status) == (True, "available")


def test_a_role_is_attached_and_trusted_and_the_others_stay(plane: ControlPlane) -> None:
    role, other = a_role("pasted-copy"), "arn:aws:iam::123456789012:role/other"
    plane.workgroup = {
        "workgroupName": "shop",
        "namespaceName": "shop-ns",
        "workgroupArn": f"arn:aws:redshift-serverless:{REGION}:123456789012:workgroup/1",
        "securityGroupIds": ["sg-1"],
    }
    plane.namespace = {
        "namespaceName": "shop-ns",
        "iamRoles": [f"IamRole(applyStatus=in-sync, iamRoleArn={other})"],
        "defaultIamRoleArn": other,
    }
    place = {"host": SERVERLESS, "role": role}
    said = f"The requested role {role} is not associated to cluster"
    assert pasted("redshift", said, "XX000", **place) == "role-not-attached"
    namespace = AWSCloud().namespace("shop-ns", REGION)
    assert namespace is not None
    assert set(namespace.roles) == {role, other}
    assert plane.namespace["defaultIamRoleArn"] == other
    said = f"Not authorized to get credentials of role {role}"
    assert pasted("redshift", said, "XX000", **place) == "role-not-trusted"
    found = AWSCloud().role(role)
    assert found is not None
    assert set(trusted(found.trust).values()) == {"allowed"}
    arn = plane.workgroup["workgroupArn"]
    assert AWSCloud().usage_limits(arn, REGION) == 0
    facts = {"workgroup": "shop", "region": REGION}
    for line in commands(of_name("no-usage-limit", facts).command):
        in_a_shell(line)
    assert AWSCloud().usage_limits(arn, REGION) == 1


def test_a_caller_gets_what_the_store_needs_below_each_prefix(
    plane: ControlPlane, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = s3_server.bucket_name("caller")
    client("s3").create_bucket(Bucket=name)
    nothing = {"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": "iam:*", "Resource": "*"}]}  # fmt: skip
    with monkeypatch.context() as patch:
        for variable, value in s3_server.user(name, nothing).items():
            patch.setenv(variable, value)
        s3 = client("s3")
        for prefix in ("one", "two"):
            key = f"{prefix}/backup/x"
            with pytest.raises(ClientError, match="AccessDenied"):
                s3.put_object(Bucket=name, Key=key, Body=b"x")
            facts = {"bucket": name, "prefix": prefix, "action": "s3:PutObject", "scope": "objects"}
            assert pasted("s3", "AccessDenied: no", "AccessDenied", **facts) == "s3-denied"
            s3.put_object(Bucket=name, Key=key, Body=b"x")
        assert s3.get_object(Bucket=name, Key="one/backup/x")["Body"].read() == b"x"
