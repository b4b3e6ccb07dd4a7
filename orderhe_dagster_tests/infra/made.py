"""What moto's services say was made of each resource, in the words of the template: to be compared with it.

One function a type, from the physical name to properties as the template has them. What moto does not keep
is listed with the reason; all else must be equal.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Mapping
from typing import Any

Client = Callable[[str], Any]
Made = Mapping[str, Any] | None

NOT_KEPT: Mapping[tuple[str, str], str] = {
    ("AWS::EC2::VPC", "EnableDnsHostnames"): "moto's CloudFormation does not hand it on",
    ("AWS::EC2::VPC", "EnableDnsSupport"): "it is an attribute of its own; on by default",
    ("AWS::EC2::VPCEndpoint", "RouteTableIds"): "moto's CloudFormation does not hand it on",
    ("AWS::EC2::SecurityGroup", "SecurityGroupEgress"): "moto's CloudFormation lets all out",
    ("AWS::EC2::SecurityGroup", "SecurityGroupIngress"): "compared with the rules beside them",
    ("AWS::RDS::DBInstance", "DeleteAutomatedBackups"): "it is told by nobody",
    ("AWS::RDS::DBInstance", "DeletionProtection"): "moto's CloudFormation does not hand it on",
    (
        "AWS::RDS::DBInstance",
        "EnableCloudwatchLogsExports",
    ): "moto's CloudFormation does not hand it on",
    ("AWS::RDS::DBInstance", "EngineLifecycleSupport"): "moto does not know it",
    (
        "AWS::RDS::DBInstance",
        "ManageMasterUserPassword",
    ): "moto's CloudFormation does not hand it on",
    ("AWS::IAM::ManagedPolicy", "Description"): "moto's CloudFormation does not hand it on",
    (
        "AWS::Lambda::Function",
        "Code",
    ): "it is told as an archive: the test runs the template's text",
    ("AWS::ECR::Repository", "EmptyOnDelete"): "it is told by nobody",
    ("AWS::ECR::Repository", "ImageScanningConfiguration"): "moto tells it empty",
    ("AWS::ECR::Repository", "LifecyclePolicy"): "moto's CloudFormation does not hand it on",
    ("AWS::EFS::FileSystem", "BackupPolicy"): "moto tells one that is on alone",
    ("AWS::ECS::Cluster", "Configuration"): "moto's CloudFormation does not hand it on",
    **{
        ("AWS::ECS::TaskDefinition", name): "moto's CloudFormation does not hand it on"
        for name in (
            *("Cpu", "Memory", "NetworkMode", "RequiresCompatibilities", "Volumes"),
            *("ExecutionRoleArn", "TaskRoleArn"),
        )
    },
    **{
        ("AWS::ECS::Service", name): "moto's CloudFormation does not hand it on"
        for name in (
            *("LaunchType", "NetworkConfiguration", "DeploymentConfiguration"),
            *("EnableExecuteCommand", "EnableECSManagedTags", "PropagateTags"),
        )
    },
}
"""Properties that moto's services do not tell as they were given, and why."""


def _vpc(client: Client, name: str) -> Made:
    ec2 = client("ec2")
    (vpc,) = ec2.describe_vpcs(VpcIds=[name])["Vpcs"]
    return {"CidrBlock": vpc["CidrBlock"]}


def _subnet(client: Client, name: str) -> Made:
    (subnet,) = client("ec2").describe_subnets(SubnetIds=[name])["Subnets"]
    return {
        "CidrBlock": subnet["CidrBlock"],
        "VpcId": subnet["VpcId"],
        "AvailabilityZone": subnet["AvailabilityZone"],
        "MapPublicIpOnLaunch": subnet["MapPublicIpOnLaunch"],
    }


def _gateway(client: Client, name: str) -> Made:
    found = client("ec2").describe_internet_gateways(InternetGatewayIds=[name])
    return {} if found["InternetGateways"] else None


def _attachment(client: Client, name: str) -> Made:
    by_network = [{"Name": "attachment.vpc-id", "Values": [name]}]
    found = client("ec2").describe_internet_gateways(Filters=by_network)["InternetGateways"]
    return {"VpcId": name, "InternetGatewayId": found[0]["InternetGatewayId"]} if found else None


def _table(client: Client, name: str) -> Made:
    (table,) = client("ec2").describe_route_tables(RouteTableIds=[name])["RouteTables"]
    return {"VpcId": table["VpcId"]}


def _route(client: Client, name: str) -> Made:
    table, _, cidr = name.partition("~")
    (found,) = client("ec2").describe_route_tables(RouteTableIds=[table])["RouteTables"]
    routes = [one for one in found["Routes"] if one.get("DestinationCidrBlock") == cidr]
    if not routes:
        return None
    return {
        "RouteTableId": table,
        "DestinationCidrBlock": cidr,
        "GatewayId": routes[0]["GatewayId"],
    }


def _endpoint(client: Client, name: str) -> Made:
    (found,) = client("ec2").describe_vpc_endpoints(VpcEndpointIds=[name])["VpcEndpoints"]
    return {name: found[name] for name in ("VpcId", "ServiceName", "VpcEndpointType")}


def _rule(permission: Mapping[str, Any]) -> list[dict[str, Any]]:
    """A permission of EC2 as the rules that a template would have for it."""
    ports = {
        name: permission[name]
        for name in ("IpProtocol", "FromPort", "ToPort")
        if name in permission
    }
    rules = []
    for block in permission.get("IpRanges", []):
        text = {"Description": block["Description"]} if "Description" in block else {}
        rules.append({**ports, "CidrIp": block["CidrIp"], **text})
    for pair in permission.get("UserIdGroupPairs", []):
        text = {"Description": pair["Description"]} if "Description" in pair else {}
        rules.append({**ports, "SourceSecurityGroupId": pair["GroupId"], **text})
    return rules


def _group(client: Client, name: str) -> Made:
    (group,) = client("ec2").describe_security_groups(GroupIds=[name])["SecurityGroups"]
    return {
        "GroupDescription": group["Description"],
        "VpcId": group["VpcId"],
    }


def inbound(client: Client, name: str) -> list[dict[str, Any]]:
    """A group's inbound rules, as a template would have them. Moto keeps no text for those of a group."""
    (group,) = client("ec2").describe_security_groups(GroupIds=[name])["SecurityGroups"]
    rules = [rule for one in group["IpPermissions"] for rule in _rule(one)]
    return [{key: one[key] for key in one if key != "Description"} for one in rules]


def _bucket(client: Client, name: str) -> Made:
    s3 = client("s3")
    encryption = s3.get_bucket_encryption(Bucket=name)["ServerSideEncryptionConfiguration"]
    rules = s3.get_bucket_lifecycle_configuration(Bucket=name)["Rules"]
    lifecycle = []
    for rule in rules:
        kept = {key: rule[key] for key in rule if key not in ("ID", "Filter", "Prefix")}
        lifecycle.append({"Id": rule["ID"], **kept})
    return {
        "BucketName": name,
        "VersioningConfiguration": {"Status": s3.get_bucket_versioning(Bucket=name)["Status"]},
        "BucketEncryption": {
            "ServerSideEncryptionConfiguration": [
                {
                    "ServerSideEncryptionByDefault": one["ApplyServerSideEncryptionByDefault"],
                }
                for one in encryption["Rules"]
            ]
        },
        "LifecycleConfiguration": {"Rules": lifecycle},
        "PublicAccessBlockConfiguration": s3.get_public_access_block(Bucket=name)[
            "PublicAccessBlockConfiguration"
        ],
        "OwnershipControls": {
            "Rules": s3.get_bucket_ownership_controls(Bucket=name)["OwnershipControls"]["Rules"]
        },
    }


def _document(document: Any) -> Any:
    return json.loads(urllib.parse.unquote(document)) if isinstance(document, str) else document


def _managed(client: Client, name: str) -> Made:
    iam = client("iam")
    version = iam.get_policy(PolicyArn=name)["Policy"]["DefaultVersionId"]
    found = iam.get_policy_version(PolicyArn=name, VersionId=version)["PolicyVersion"]
    return {"PolicyDocument": _document(found["Document"])}


def _role(client: Client, name: str) -> Made:
    iam = client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    policies = []
    for one in iam.list_role_policies(RoleName=name)["PolicyNames"]:
        answer = iam.get_role_policy(RoleName=name, PolicyName=one)
        policies.append({"PolicyName": one, "PolicyDocument": _document(answer["PolicyDocument"])})
    attached = iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]
    return {
        "AssumeRolePolicyDocument": _document(role["AssumeRolePolicyDocument"]),
        "Policies": policies,
        "ManagedPolicyArns": [one["PolicyArn"] for one in attached],
        "Description": role.get("Description"),
    }


def _database(client: Client, name: str) -> Made:
    (one,) = client("rds").describe_db_instances(DBInstanceIdentifier=name)["DBInstances"]
    return {
        "Engine": one["Engine"],
        "EngineVersion": one["EngineVersion"],
        "DBInstanceClass": one["DBInstanceClass"],
        "StorageType": one["StorageType"],
        "AllocatedStorage": str(one["AllocatedStorage"]),
        "StorageEncrypted": one["StorageEncrypted"],
        "DBName": one["DBName"],
        "Port": str(one["Endpoint"]["Port"]),
        "MasterUsername": one["MasterUsername"],
        "VpcSecurityGroupIds": [group["VpcSecurityGroupId"] for group in one["VpcSecurityGroups"]],
        "PubliclyAccessible": one["PubliclyAccessible"],
        "MultiAZ": one["MultiAZ"],
        "BackupRetentionPeriod": one["BackupRetentionPeriod"],
        "CopyTagsToSnapshot": one["CopyTagsToSnapshot"],
        "DBSubnetGroupName": one["DBSubnetGroup"]["DBSubnetGroupName"],
        "AutoMinorVersionUpgrade": one["AutoMinorVersionUpgrade"],
    }


def _subnets(client: Client, name: str) -> Made:
    found = client("rds").describe_db_subnet_groups(DBSubnetGroupName=name)["DBSubnetGroups"][0]
    return {
        "DBSubnetGroupDescription": found["DBSubnetGroupDescription"],
        "SubnetIds": [one["SubnetIdentifier"] for one in found["Subnets"]],
    }


def _parameters(client: Client, name: str) -> Made:
    rds = client("rds")
    (group,) = rds.describe_db_parameter_groups(DBParameterGroupName=name)["DBParameterGroups"]
    found = rds.describe_db_parameters(DBParameterGroupName=name)["Parameters"]
    return {
        "Description": group["Description"],
        "Family": group["DBParameterGroupFamily"],
        "Parameters": {one["ParameterName"]: one["ParameterValue"] for one in found},
    }


def _logs(client: Client, name: str) -> Made:
    found = client("logs").describe_log_groups(logGroupNamePrefix=name)["logGroups"]
    return {"RetentionInDays": found[0]["retentionInDays"]} if found else None


def _function(client: Client, name: str) -> Made:
    found = client("lambda").get_function_configuration(FunctionName=name)
    wanted = ("Runtime", "Handler", "Timeout", "Role", "Description")
    return {one: found[one] for one in wanted}


def _repository(client: Client, name: str) -> Made:
    (found,) = client("ecr").describe_repositories(repositoryNames=[name])["repositories"]
    return {
        "RepositoryName": found["repositoryName"],
        "ImageTagMutability": found["imageTagMutability"],
    }


def _file_system(client: Client, name: str) -> Made:
    (found,) = client("efs").describe_file_systems(FileSystemId=name)["FileSystems"]
    return {
        "Encrypted": found["Encrypted"],
        "ThroughputMode": found["ThroughputMode"],
        "FileSystemTags": found["Tags"],
    }


def _access_point(client: Client, name: str) -> Made:
    (found,) = client("efs").describe_access_points(AccessPointId=name)["AccessPoints"]
    user, info = found["PosixUser"], found["RootDirectory"]["CreationInfo"]
    return {
        "FileSystemId": found["FileSystemId"],
        "PosixUser": {key: str(user[key]) for key in user},
        "RootDirectory": {
            "Path": found["RootDirectory"]["Path"],
            "CreationInfo": {key: str(info[key]) for key in info},
        },
        "AccessPointTags": found["Tags"],
    }


def _mount_target(client: Client, name: str) -> Made:
    efs = client("efs")
    (found,) = efs.describe_mount_targets(MountTargetId=name)["MountTargets"]
    groups = efs.describe_mount_target_security_groups(MountTargetId=name)["SecurityGroups"]
    return {
        "FileSystemId": found["FileSystemId"],
        "SubnetId": found["SubnetId"],
        "SecurityGroups": groups,
    }


def _cluster(client: Client, name: str) -> Made:
    found = client("ecs").describe_clusters(clusters=[name])["clusters"]
    return {} if [one for one in found if one["status"] == "ACTIVE"] else None


def _task(client: Client, name: str) -> Made:
    found = client("ecs").describe_task_definition(taskDefinition=name)["taskDefinition"]
    wanted = []
    for one in found["containerDefinitions"]:
        kept = {key: one[key] for key in one if key not in ("cpu", "portMappings", "volumesFrom")}
        wanted.append(_as_in_a_template(kept))
    return {"Family": found["family"], "ContainerDefinitions": wanted}


def _as_in_a_template(value: Any, *, keeps: bool = False) -> Any:
    """An answer of ECS with its names in capitals, but those of a log's options."""
    if isinstance(value, list):
        return [_as_in_a_template(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        key if keeps else key[0].upper() + key[1:]: _as_in_a_template(one, keeps=key == "options")
        for key, one in value.items()
    }


def _service(client: Client, name: str) -> Made:
    cluster = name.split("/")[1]
    found = client("ecs").describe_services(cluster=cluster, services=[name])["services"]
    if not found or found[0]["status"] != "ACTIVE":
        return None
    return {
        "Cluster": found[0]["clusterArn"].rpartition("/")[2],
        "TaskDefinition": found[0]["taskDefinition"],
        "DesiredCount": found[0]["desiredCount"],
    }


DESCRIBED: Mapping[str, Callable[[Client, str], Made]] = {
    "AWS::EC2::VPC": _vpc,
    "AWS::EC2::Subnet": _subnet,
    "AWS::EC2::InternetGateway": _gateway,
    "AWS::EC2::VPCGatewayAttachment": _attachment,
    "AWS::EC2::RouteTable": _table,
    "AWS::EC2::Route": _route,
    "AWS::EC2::VPCEndpoint": _endpoint,
    "AWS::EC2::SecurityGroup": _group,
    "AWS::S3::Bucket": _bucket,
    "AWS::IAM::ManagedPolicy": _managed,
    "AWS::IAM::Role": _role,
    "AWS::RDS::DBInstance": _database,
    "AWS::RDS::DBSubnetGroup": _subnets,
    "AWS::RDS::DBParameterGroup": _parameters,
    "AWS::Logs::LogGroup": _logs,
    "AWS::Lambda::Function": _function,
    "AWS::ECR::Repository": _repository,
    "AWS::EFS::FileSystem": _file_system,
    "AWS::EFS::AccessPoint": _access_point,
    "AWS::EFS::MountTarget": _mount_target,
    "AWS::ECS::Cluster": _cluster,
    "AWS::ECS::TaskDefinition": _task,
    "AWS::ECS::Service": _service,
}
"""Type -> what the service says of one."""
