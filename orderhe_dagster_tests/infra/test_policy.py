"""The templates keep the rules of `policy`, with every choice of parameters; each planted fault is red."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from orderhe_dagster_tests.infra import policy, templates
from orderhe_dagster_tests.infra.planting import Plant, drop, put
from orderhe_dagster_tests.infra.templates import IN_PLACES_OF_YOURS, STACKS, Stack

ALERTS = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:alerts-a1b2c3"
CHOICES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "as a beginner deploys them": {},
    "a database without a caller": {"mysql": {"CallerAddress": ""}},
    "a protected database": {"mysql": {"IsProtected": "yes"}},
    "the warehouse open for BI": {
        "bi": {"Range2": "198.51.100.0/24", "Range3": "192.0.2.0/28"},
        "redshift": {"BiStack": "orderhe-bi", "BaseCapacity": "4"},
    },
    "a named bucket with a prefix": {"bucket": {"BucketName": "my-shop", "Prefix": "one"}},
    "Dagster running": {"dagster": {"IsRunning": "yes"}},
    "Dagster that tells people": {"dagster": {"AlertsSecretArn": ALERTS}},
    "what is there already": IN_PLACES_OF_YOURS,
}


def broken(stacks: Mapping[str, Stack]) -> dict[str, list[str]]:
    """Rule -> what breaks it."""
    found = {
        rule.__name__: [f"{name}: {one}" for name, stack in stacks.items() for one in rule(stack)]
        for rule in policy.RULES
    }
    return {rule: wrong for rule, wrong in found.items() if wrong}


@pytest.mark.parametrize("choice", CHOICES)
def test_the_stacks_keep_every_rule(choice: str) -> None:
    assert broken(templates.resolved(CHOICES[choice])) == {}


def test_every_template_is_among_the_stacks() -> None:
    assert set(templates.names()) == set(STACKS)


@pytest.mark.parametrize("name", STACKS)
def test_no_secret_is_a_parameter(name: str) -> None:
    assert policy.secrets_in_defaults(templates.template(name)) == []


@pytest.mark.parametrize("name", STACKS)
def test_a_beginner_is_told_what_each_thing_is(name: str) -> None:
    template = templates.template(name)
    assert 40 < len(template["Description"]) <= 1024
    assert (templates.FOLDER / f"{name}.yaml").stat().st_size < 51_200, "as much as is taken"
    for parameter, declared in template["Parameters"].items():
        assert len(declared["Description"]) > 20, parameter
        assert "Default" in declared or parameter == "Email"
    for output, declared in template["Outputs"].items():
        assert declared["Description"], output
    grouped = template["Metadata"]["AWS::CloudFormation::Interface"]["ParameterGroups"]
    listed = [parameter for group in grouped for parameter in group["Parameters"]]
    assert sorted(listed) == sorted(template["Parameters"])


def test_what_is_there_already_is_left_as_it_is() -> None:
    """With a network, bucket, database and workgroup of one's own: groups, rules, roles and rights alone."""
    stacks = templates.resolved(IN_PLACES_OF_YOURS)
    kinds = {
        name: sorted({one["Type"].split("::", 1)[1] for one in stacks[name].resources.values()})
        for name in IN_PLACES_OF_YOURS
    }
    assert kinds == {
        "network": ["EC2::SecurityGroup"],
        "bucket": ["IAM::ManagedPolicy"],
        "mysql": ["EC2::SecurityGroupIngress", "IAM::ManagedPolicy"],
        "redshift": ["IAM::ManagedPolicy", "IAM::Role"],
    }
    assert stacks["network"].outputs["VpcId"] == IN_PLACES_OF_YOURS["network"]["VpcId"]
    copy = stacks["redshift"].resources["CopyRole"]["Properties"]["Policies"][0]
    resources = [one["Resource"] for one in copy["PolicyDocument"]["Statement"]]
    assert resources == [
        "arn:aws:s3:::a-bucket-of-mine",
        "arn:aws:s3:::a-bucket-of-mine/shops/one/backup/*",
        "arn:aws:s3:::a-bucket-of-mine/shops/one/unload/*",
    ]


# -- planted faults -----------------------------------------------------------------------------------

BUCKET = ("Bucket", "Properties")
LIFECYCLE = (*BUCKET, "LifecycleConfiguration", "Rules")
COPY = ("CopyRole", "Properties", "Policies", 0, "PolicyDocument", "Statement")
TRUST = ("CopyRole", "Properties", "AssumeRolePolicyDocument", "Statement", 0)
DATABASE = ("Database", "Properties")
WORKGROUP = ("Workgroup", "Properties")
WEBSERVER = ("ServerTask", "Properties", "ContainerDefinitions", 2)
RUNS = ("ServerRole", "Properties", "Policies", 0, "PolicyDocument", "Statement")
WORLD = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIp": "0.0.0.0/0"}
WORLD_6 = {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "CidrIpv6": "::/0"}
EXPIRY = {"Id": "old", "Status": "Enabled", "ExpirationInDays": 365}
FAULTS: tuple[tuple[str, str, Plant], ...] = (
    ("open_to_the_world", "mysql", put("CallerRule", "Properties", "CidrIp", value="0.0.0.0/0")),
    ("open_to_the_world", "mysql", put("CallerRule", "Properties", "CidrIp", value="0.0.0.0/1")),
    ("open_to_the_world", "mysql", drop("WorkerRule", "Properties", "SourceSecurityGroupId")),
    (
        "open_to_the_world",
        "network",
        put("WorkerGroup", "Properties", "SecurityGroupIngress", value=[WORLD]),
    ),
    (
        "open_to_the_world",
        "network",
        put("WorkerGroup", "Properties", "SecurityGroupIngress", value=[WORLD_6]),
    ),
    ("open_to_the_world", "bi", put("Rule1", "Properties", "CidrIp", value="142.0.0.0/8")),
    ("wordless", "mysql", drop("CallerRule", "Properties", "Description")),
    ("wordless", "mysql", put("CallerRule", "Properties", "Description", value="the shop's")),
    ("any_port", "mysql", put("CallerRule", "Properties", "IpProtocol", value="-1")),
    ("any_port", "mysql", put("CallerRule", "Properties", "ToPort", value=65535)),
    ("wildcards", "redshift", put(*COPY, 1, "Action", value="s3:*")),
    ("wildcards", "redshift", put(*COPY, 1, "Action", value="s3:Get*")),
    ("wildcards", "redshift", put(*COPY, 1, "Action", value="*")),
    ("wildcards", "redshift", put(*COPY, 1, "Resource", value="*")),
    ("wildcards", "redshift", put(*COPY, 1, "Resource", value="arn:aws:s3:::*")),
    (
        "wildcards",
        "redshift",
        put(*COPY, "+", value={"Effect": "Allow", "NotAction": "iam:PassRole", "Resource": "*"}),
    ),
    (
        "wildcards",
        "bucket",
        put(
            "BucketPolicy", "Properties", "PolicyDocument", "Statement", 0, "Effect", value="Allow"
        ),
    ),
    (
        "managed_by_aws",
        "redshift",
        put(
            *("CopyRole", "Properties", "ManagedPolicyArns"),
            value=["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"],
        ),
    ),
    *(
        (
            "public_buckets",
            "bucket",
            put(*BUCKET, "PublicAccessBlockConfiguration", name, value=False),
        )
        for name in (
            *("BlockPublicAcls", "BlockPublicPolicy"),
            *("IgnorePublicAcls", "RestrictPublicBuckets"),
        )
    ),
    ("public_buckets", "bucket", drop(*BUCKET, "PublicAccessBlockConfiguration")),
    ("public_buckets", "bucket", drop(*BUCKET, "BucketEncryption")),
    ("public_buckets", "bucket", drop(*BUCKET, "OwnershipControls")),
    (
        "public_buckets",
        "bucket",
        put(*BUCKET, "VersioningConfiguration", "Status", value="Suspended"),
    ),
    ("public_buckets", "bucket", drop("Bucket", "DeletionPolicy")),
    ("public_buckets", "bucket", put("Bucket", "UpdateReplacePolicy", value="Delete")),
    ("public_buckets", "bucket", drop("BucketPolicy")),
    ("ends_what_is_current", "bucket", put(*LIFECYCLE, "+", value=EXPIRY)),
    ("ends_what_is_current", "bucket", put(*LIFECYCLE, 0, "Transitions", value=[])),
    ("reachable", "mysql", put(*DATABASE, "PubliclyAccessible", value=True)),
    ("reachable", "mysql", drop(*DATABASE, "PubliclyAccessible")),
    ("reachable", "redshift", put(*WORKGROUP, "PubliclyAccessible", value=True)),
    ("plain", "mysql", put(*DATABASE, "StorageEncrypted", value=False)),
    ("plain", "mysql", put(*DATABASE, "MasterUserPassword", value="a-password")),
    ("plain", "mysql", drop(*DATABASE, "ManageMasterUserPassword")),
    ("plain", "mysql", put("ParameterGroup", "Properties", "Parameters", value={})),
    ("plain", "redshift", drop("Namespace", "Properties", "ManageAdminPassword")),
    ("plain", "redshift", put(*WORKGROUP, "ConfigParameters", 0, "ParameterValue", value="false")),
    ("dear", "redshift", put(*WORKGROUP, "BaseCapacity", value=128)),
    ("dear", "redshift", drop(*WORKGROUP, "BaseCapacity")),
    ("dear", "redshift", drop(*WORKGROUP, "MaxCapacity")),
    ("dear", "redshift", put("WorkgroupSettings", "Type", value="Custom::Nothing")),
    ("dear", "network", put("S3Endpoint", "Properties", "VpcEndpointType", value="Interface")),
    (
        "dear",
        "network",
        put("Nat", value={"Type": "AWS::EC2::NatGateway", "Properties": {"Tags": []}}),
    ),
    ("untagged", "mysql", drop(*DATABASE, "Tags")),
    ("untagged", "budget", drop("Budget", "Properties", "ResourceTags")),
    ("logs_for_ever", "redshift", drop("LimitLog", "Properties", "RetentionInDays")),
    ("trusts", "redshift", put(*TRUST, "Principal", value={"AWS": "*"})),
    ("containers", "dagster", drop(*WEBSERVER, "User")),
    ("containers", "dagster", put(*WEBSERVER, "User", value="0:0")),
    ("containers", "dagster", put(*WEBSERVER, "Privileged", value=True)),
    ("containers", "dagster", put(*WEBSERVER, "PortMappings", value=[{"ContainerPort": 3000}])),
    ("containers", "dagster", drop(*WEBSERVER, "LogConfiguration")),
    (
        "containers",
        "dagster",
        put(*WEBSERVER, "Environment", "+", value={"Name": "PGPASSWORD", "Value": "x"}),
    ),
    ("reachable", "dagster", put("Service", "Properties", "LoadBalancers", value=[{}])),
    ("reachable", "dagster", put("History", "Properties", "PubliclyAccessible", value=True)),
    ("plain", "dagster", put("Home", "Properties", "Encrypted", value=False)),
    ("plain", "dagster", put("HistoryParameters", "Properties", "Parameters", value={})),
    (
        "open_to_the_world",
        "dagster",
        put("HistoryGroup", "Properties", "SecurityGroupIngress", "+", value=WORLD),
    ),
    ("wildcards", "dagster", put(*RUNS, 0, "Resource", value="*")),
    ("wildcards", "dagster", put(*RUNS, 4, "Resource", value="*")),
    ("wildcards", "dagster", put(*RUNS, 0, "Action", value="ecs:*")),
    ("logs_for_ever", "dagster", drop("Log", "Properties", "RetentionInDays")),
    ("trusts", "redshift", put(*TRUST, "Principal", "Service", value=["redshift.amazonaws.com"])),
)


@pytest.mark.parametrize(
    ("rule", "name", "plant"),
    FAULTS,
    ids=[f"{number}-{rule}-{name}" for number, (rule, name, _) in enumerate(FAULTS)],
)
def test_a_fault_that_is_planted_breaks_its_rule(rule: str, name: str, plant: Plant) -> None:
    changed = templates.template(name)
    plant(changed)
    given = {"mysql": {"CallerAddress": ""}} if rule == "reachable" else {}
    assert rule in broken(templates.resolved(given, {name: changed}))


def test_every_rule_has_a_fault() -> None:
    assert {rule for rule, _, _ in FAULTS} == {rule.__name__ for rule in policy.RULES}


@pytest.mark.parametrize(
    "parameter",
    [
        {"MasterPassword": {"Type": "String", "Default": "a-password"}},
        {"ApiToken": {"Type": "String"}},
        {"Anything": {"Type": "String", "NoEcho": True, "Default": "x"}},
        {"Owner": {"Type": "String", "Default": "AKIAABCDEFGHIJKLMNOP"}},
    ],
)
def test_a_secret_that_is_planted_among_parameters_is_seen(parameter: Mapping[str, Any]) -> None:
    changed = templates.template("mysql")
    changed["Parameters"] |= parameter
    assert policy.secrets_in_defaults(changed) == list(parameter)


@pytest.mark.parametrize(
    ("name", "parameter", "value"),
    [
        ("mysql", "CallerAddress", "0.0.0.0/0"),
        ("mysql", "CallerAddress", "203.0.113.0/24"),
        ("bi", "Range1", "0.0.0.0/0"),
        ("bi", "Range2", "142.0.0.0/8"),
        ("redshift", "BaseCapacity", "128"),
        ("redshift", "MaxCapacity", "512"),
    ],
)
def test_a_dear_or_open_parameter_is_refused(name: str, parameter: str, value: str) -> None:
    with pytest.raises(AssertionError, match=parameter):
        templates.resolved({name: {parameter: value}})


def test_actions_without_a_resource_are_used() -> None:
    """The list of exceptions holds nothing that no policy needs."""
    used = {
        action
        for stack in templates.resolved().values()
        for _, statement in policy.statements(stack)
        for action in policy.listed(statement["Action"])
        if "*" in policy.listed(statement["Resource"])
    }
    assert used == set(policy.WITHOUT_RESOURCE)
