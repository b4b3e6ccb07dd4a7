"""What AWS says of the road's places: read from moto and a control plane, each silence an Untold."""

from __future__ import annotations

import json
from typing import Any

import pytest

from orderhe_dagster.doctor.explain import of_name
from orderhe_dagster.doctor.facts import completed
from orderhe_dagster.doctor.network import Place, ways_in
from orderhe_dagster.doctor.signature import Explanation
from orderhe_dagster.doctor.warehouse_road import judged
from orderhe_dagster.ports.cloud import Cloud, Untold
from orderhe_dagster.resources.aws.cloud import AWSCloud
from orderhe_dagster_tests.doctor.aws import (
    REGION,
    ControlPlane,
    address_page,
    commands,
    run,
)
from orderhe_dagster_tests.doctor.peers import network
from orderhe_dagster_tests.servers.s3 import S3Server, use

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "redshift.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ],
}
READS = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::b/*"}],
}


def client(service: str) -> Any:
    import boto3

    return boto3.Session().client(service, region_name=REGION)


def test_a_database_is_found_by_its_endpoint(plane: ControlPlane) -> None:
    ec2, rds = client("ec2"), client("rds")
    group = ec2.create_security_group(GroupName="db", Description="db")["GroupId"]
    ec2.authorize_security_group_ingress(
        GroupId=group, IpProtocol="tcp", FromPort=3306, ToPort=3306, CidrIp="198.51.100.0/24"
    )
    made = rds.create_db_instance(
        DBInstanceIdentifier="shop-cloud",
        DBInstanceClass="db.t4g.micro",
        Engine="mysql",
        AllocatedStorage=20,
        MasterUsername="etl",
        MasterUserPassword="a-password",
        VpcSecurityGroupIds=[group],
        PubliclyAccessible=True,
        Port=3307,
    )["DBInstance"]
    address = rds.describe_db_instances(DBInstanceIdentifier="shop-cloud")["DBInstances"][0][
        "Endpoint"
    ]["Address"]
    cloud = AWSCloud()
    found = cloud.instance(address, REGION)
    assert found is not None
    assert (found.name, found.port, found.is_public) == ("shop-cloud", 3307, True)
    assert found.groups == (group,)
    assert cloud.instance("other.example", REGION) is None
    (rule,) = cloud.rules([group], REGION)[group]
    assert rule.covers(3306)
    assert not rule.covers(3307)
    assert rule.cidrs == ("198.51.100.0/24",)
    assert made["DBInstanceIdentifier"] == "shop-cloud"


def test_a_rule_for_everybody_is_taken_back_as_it_is(plane: ControlPlane) -> None:
    """With its range of ports, its protocol and its kind of address; what else it lets in stays."""
    ec2 = client("ec2")
    group = ec2.create_security_group(GroupName="open", Description="open")["GroupId"]
    everybody, all_of_6 = [{"CidrIp": "0.0.0.0/0"}], [{"CidrIpv6": "::/0"}]
    office = {"CidrIp": "198.51.100.0/24"}
    some = [
        {"IpProtocol": "tcp", "FromPort": 3000, "ToPort": 4000, "IpRanges": [*everybody, office]},
        {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306, "Ipv6Ranges": all_of_6},
        {"IpProtocol": "-1", "IpRanges": everybody, "Ipv6Ranges": all_of_6},
        {"IpProtocol": "tcp", "FromPort": 22, "ToPort": 22, "IpRanges": everybody},
    ]
    ec2.authorize_security_group_ingress(GroupId=group, IpPermissions=some)
    reasons, _ = ways_in(place(), AWSCloud(), [group], [], {"my_address": "203.0.113.7"})
    assert [one.name for one in reasons] == ["group-open-to-all"]
    for command in commands(reasons[0].command):
        run(command)
    (left,) = ec2.describe_security_groups(GroupIds=[group])["SecurityGroups"]
    rules = {
        (one["IpProtocol"], one.get("FromPort"), address["CidrIp"])
        for one in left["IpPermissions"]
        for address in one["IpRanges"]
    }
    assert rules == {
        ("tcp", 22, "0.0.0.0/0"),
        ("tcp", 3000, "198.51.100.0/24"),
        ("tcp", 3306, "203.0.113.7/32"),
    }
    assert not any(one["Ipv6Ranges"] for one in left["IpPermissions"])


def place() -> Place:
    """A MySQL of AWS's that this machine does not reach."""
    host = f"shop.abc123def456.{REGION}.rds.amazonaws.com"
    return Place("mysql", {"host": host, "port": "3306"}, 1.0, network(opens=TimeoutError()))


def test_lists_of_addresses_and_the_members_of_groups_are_read(plane: ControlPlane) -> None:
    ec2 = client("ec2")
    group, other = (
        ec2.create_security_group(GroupName=name, Description=name)["GroupId"]
        for name in ("by-list", "by-group")
    )
    made = ec2.create_managed_prefix_list(
        PrefixListName="office",
        MaxEntries=5,
        AddressFamily="IPv4",
        Entries=[{"Cidr": "198.51.100.0/24"}, {"Cidr": "203.0.113.0/28"}],
    )["PrefixList"]["PrefixListId"]
    ports = {"IpProtocol": "tcp", "FromPort": 3306, "ToPort": 3306}
    ec2.authorize_security_group_ingress(
        GroupId=group,
        IpPermissions=[
            {**ports, "PrefixListIds": [{"PrefixListId": made}]},
            {**ports, "UserIdGroupPairs": [{"GroupId": other}]},
        ],
    )
    cloud = AWSCloud()
    rules = cloud.rules([group], REGION)[group]
    assert {address for one in rules for address in one.listed} == {
        "198.51.100.0/24",
        "203.0.113.0/28",
    }
    assert {name for one in rules for name in one.groups} == {other}
    subnet = ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    interface = ec2.create_network_interface(SubnetId=subnet, Groups=[other])["NetworkInterface"]
    assert interface["PrivateIpAddress"] in cloud.members([other], REGION)
    assert interface["PrivateIpAddress"] not in cloud.members([group], REGION)


def test_a_boundary_is_widened_by_what_is_printed(plane: ControlPlane) -> None:
    """And nothing that it allowed before is lost."""
    iam = client("iam")
    only_lists = {
        **READS,
        "Statement": [{"Effect": "Allow", "Action": "s3:List*", "Resource": "*"}],
    }
    bound = iam.create_policy(PolicyName="bound", PolicyDocument=json.dumps(only_lists))["Policy"]
    arn = iam.create_role(
        RoleName="copy-bound",
        AssumeRolePolicyDocument=json.dumps(TRUST),
        PermissionsBoundary=bound["Arn"],
    )["Role"]["Arn"]
    facts = completed({"role": arn, "bucket": "shop-backup", "prefix": "one"})
    wanted = {
        "s3:ListBucket": facts["bucket_arn"],
        "s3:GetObject": f"{facts['objects_arn']}backup/x",
        "s3:PutObject": f"{facts['objects_arn']}unload/x",
    }

    def reasons() -> list[Explanation]:
        role = AWSCloud().role(arn)
        assert role is not None
        return list(judged(role, wanted, facts).explanations)

    # Its own policies first: those of two places stay beside one another.
    for prefix in ("two", "one"):
        of_it = completed({"role": arn, "bucket": "shop-backup", "prefix": prefix})
        for command in commands(of_name("role-lacks-rights", of_it).command):
            run(command)
    names = iam.list_role_policies(RoleName="copy-bound")["PolicyNames"]
    assert names == ["orderhe-copy-shop-backup+two", "orderhe-copy-shop-backup+one"]
    (bounded,) = reasons()
    assert bounded.name == "role-is-bounded"
    assert "s3:GetObject, s3:PutObject" in bounded.cause
    for command in commands(bounded.command):
        run(command)
    assert reasons() == []


def test_routes_are_a_subnets_own_or_its_networks_main_ones(plane: ControlPlane) -> None:
    ec2 = client("ec2")
    vpc = ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
    outside = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.1.0/24")["Subnet"]["SubnetId"]
    inside = ec2.create_subnet(VpcId=vpc, CidrBlock="10.7.2.0/24")["Subnet"]["SubnetId"]
    gateway = ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
    ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=vpc)
    table = ec2.create_route_table(VpcId=vpc)["RouteTable"]["RouteTableId"]
    ec2.create_route(RouteTableId=table, DestinationCidrBlock="0.0.0.0/0", GatewayId=gateway)
    ec2.associate_route_table(RouteTableId=table, SubnetId=outside)
    cloud = AWSCloud()
    assert list(cloud.without_gateway([outside, inside], REGION)) == [inside]
    assert list(cloud.without_gateway([], REGION)) == []


def test_a_role_is_read_with_all_its_policies(plane: ControlPlane) -> None:
    iam = client("iam")
    arn = iam.create_role(RoleName="copy-cloud", AssumeRolePolicyDocument=json.dumps(TRUST))[
        "Role"
    ]["Arn"]
    iam.put_role_policy(RoleName="copy-cloud", PolicyName="own", PolicyDocument=json.dumps(READS))
    managed = iam.create_policy(PolicyName="managed-cloud", PolicyDocument=json.dumps(READS))
    iam.attach_role_policy(RoleName="copy-cloud", PolicyArn=managed["Policy"]["Arn"])
    cloud = AWSCloud()
    role = cloud.role(arn)
    assert role is not None
    assert role.trust == TRUST
    assert role.policies == {"own": READS, managed["Policy"]["Arn"]: READS}
    assert role.boundary is None
    assert cloud.role(arn + "-not") is None
    assert cloud.role(arn.replace("role/", "role/service-role/")) is None, "another path"


def test_a_workgroup_and_its_namespace_are_read(plane: ControlPlane) -> None:
    plane.workgroup = {
        "workgroupName": "shop",
        "namespaceName": "shop-ns",
        "workgroupArn": "arn:aws:redshift-serverless:us-east-1:123456789012:workgroup/1",
        "status": "AVAILABLE",
        "publiclyAccessible": False,
        "securityGroupIds": ["sg-1"],
        "subnetIds": ["subnet-1"],
        "endpoint": {"address": "x", "port": 5440},
    }
    role = "arn:aws:iam::123456789012:role/copy"
    plane.namespace = {
        "namespaceName": "shop-ns",
        "iamRoles": [f"IamRole(applyStatus=pending-addition, iamRoleArn={role})", f"{role}2"],
        "defaultIamRoleArn": role,
    }
    cloud = AWSCloud()
    workgroup = cloud.workgroup("shop", REGION)
    assert workgroup is not None
    assert (workgroup.namespace, workgroup.port, workgroup.is_public) == ("shop-ns", 5440, False)
    namespace = cloud.namespace("shop-ns", REGION)
    assert namespace is not None
    assert namespace.roles == {role: "pending-addition", f"{role}2": "in-sync"}
    assert namespace.default_role == role
    assert cloud.usage_limits(workgroup.arn, REGION) == 0
    assert cloud.workgroup("another", REGION) is None


def test_a_buckets_region_is_told(plane: ControlPlane, s3_server: S3Server) -> None:
    name = s3_server.bucket_name()
    s3 = client("s3")
    s3.create_bucket(Bucket=name)
    assert AWSCloud().bucket_region(name) == "us-east-1"
    assert AWSCloud().bucket_region(f"{name}-none") is None


def test_this_machines_address_is_a_page() -> None:
    with address_page("203.0.113.7\n") as url:
        assert AWSCloud(address_url=url).my_address() == "203.0.113.7"
    with address_page("<html>") as url, pytest.raises(Untold):
        AWSCloud(address_url=url).my_address()


def questions(cloud: Cloud) -> list[Any]:
    """All that is asked of AWS."""
    arn = "arn:aws:iam::123456789012:role/copy"
    return [
        lambda: cloud.instance("h", REGION),
        lambda: cloud.workgroup("shop", REGION),
        lambda: cloud.namespace("shop-ns", REGION),
        lambda: cloud.rules(["sg-1"], REGION),
        lambda: cloud.members(["sg-1"], REGION),
        lambda: cloud.without_gateway(["subnet-1"], REGION),
        lambda: cloud.role(arn),
        lambda: cloud.bucket_region("shop-backup"),
        lambda: cloud.usage_limits("arn", REGION),
    ]


@pytest.mark.parametrize("number", range(9))
def test_who_may_not_look_is_not_told(
    number: int, plane: ControlPlane, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
    nobody = s3_server.user(s3_server.bucket_name("nobody"), nothing)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", nobody["AWS_ACCESS_KEY_ID"])
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", nobody["AWS_SECRET_ACCESS_KEY"])
    plane.denies = True
    with pytest.raises(Untold) as caught:
        questions(AWSCloud())[number]()
    assert nobody["AWS_SECRET_ACCESS_KEY"] not in str(caught.value)


def test_without_credentials_nothing_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {})
    cloud = AWSCloud()
    for ask in [*questions(cloud), cloud.caller]:
        with pytest.raises(Untold):
            ask()
