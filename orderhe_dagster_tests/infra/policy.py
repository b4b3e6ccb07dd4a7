"""What no stack may come to, whatever its parameters: one function a rule, each gives what breaks it.

The rules read resolved templates (`templates.resolved`), so a default or a condition hides nothing.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from orderhe_dagster_tests.infra.templates import Stack, Template

WITHOUT_RESOURCE: Mapping[str, str] = {
    **dict.fromkeys(
        (
            "redshift-data:DescribeStatement",
            "redshift-data:GetStatementResult",
            "redshift-data:CancelStatement",
        ),
        "a statement has no ARN; the condition lets each see its own alone",
    ),
    **dict.fromkeys(
        (
            "redshift-serverless:ListUsageLimits",
            "redshift-serverless:CreateUsageLimit",
            "redshift-serverless:UpdateUsageLimit",
            "redshift-serverless:DeleteUsageLimit",
        ),
        "believed: AWS lists no resource for them; the role is that of one small function",
    ),
    "ecr:GetAuthorizationToken": "a login to the registry, which has no ARN; the image's rights do",
    **dict.fromkeys(
        ("ecs:DescribeTaskDefinition", "ec2:DescribeNetworkInterfaces"),
        "AWS knows no resource for them; they change nothing",
    ),
    **dict.fromkeys(
        (
            "ssmmessages:CreateControlChannel",
            "ssmmessages:CreateDataChannel",
            "ssmmessages:OpenControlChannel",
            "ssmmessages:OpenDataChannel",
        ),
        "AWS knows no resource for Session Manager's channels",
    ),
}
"""Actions that are allowed on `*`, as AWS knows no narrower resource for them, and why each is here."""
_TAGLESS = {
    "AWS::CloudFormation::CustomResource",
    "AWS::EC2::Route",
    "AWS::EC2::SecurityGroupIngress",
    "AWS::EC2::SubnetRouteTableAssociation",
    "AWS::EC2::VPCGatewayAttachment",
    "AWS::EFS::MountTarget",
    "AWS::IAM::ManagedPolicy",
    "AWS::S3::BucketPolicy",
    "Custom::WorkgroupSettings",
}
"""What CloudFormation gives no tags (an endpoint's, a policy's and an access point's have others' form)."""
_SECRET = re.compile(r"password|secret|token|key", re.IGNORECASE)
_NO_SECRET = re.compile(r"arn|name|stack|^$", re.IGNORECASE)


def of_type(stack: Stack, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """The resources of a type: name and properties."""
    for name, resource in stack.resources.items():
        if resource["Type"] == kind:
            yield name, resource["Properties"]


def ingress(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """All inbound rules, those within their groups and those beside them."""
    for name, properties in of_type(stack, "AWS::EC2::SecurityGroup"):
        for rule in properties.get("SecurityGroupIngress", []):
            yield name, rule
    yield from of_type(stack, "AWS::EC2::SecurityGroupIngress")


def statements(stack: Stack) -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements of all policies that give rights."""
    for name, resource in stack.resources.items():
        properties = resource["Properties"]
        documents = [one["PolicyDocument"] for one in properties.get("Policies", [])]
        if resource["Type"] in (
            "AWS::IAM::ManagedPolicy",
            "AWS::IAM::Policy",
            "AWS::S3::BucketPolicy",
        ):
            documents.append(properties["PolicyDocument"])
        if resource["Type"] == "AWS::EFS::FileSystem":
            documents += filter(None, [properties.get("FileSystemPolicy")])
        for document in documents:
            for statement in document["Statement"]:
                yield name, statement


def listed(value: Any) -> list[Any]:
    """One or many, as policies have them."""
    return value if isinstance(value, list) else [value]


def open_to_the_world(stack: Stack) -> list[str]:
    """Inbound rules that let in more than a /20, or come without an address."""
    wrong = []
    for name, rule in ingress(stack):
        cidr = rule.get("CidrIp") or rule.get("CidrIpv6")
        if cidr is None:
            if not rule.get("SourceSecurityGroupId"):
                wrong.append(f"{name}: nobody in particular")
            continue
        network = ipaddress.ip_network(cidr)
        if network.prefixlen < (20 if network.version == 4 else 48):
            wrong.append(f"{name}: {cidr}")
    return wrong


def wordless(stack: Stack) -> list[str]:
    """Rules of groups without a text, or with one that EC2 refuses."""
    rules = list(ingress(stack))
    for name, properties in of_type(stack, "AWS::EC2::SecurityGroup"):
        rules += [(name, one) for one in properties.get("SecurityGroupEgress", [])]
        rules.append((name, {"Description": properties["GroupDescription"]}))
    return [
        name
        for name, rule in rules
        if not re.fullmatch(
            r"[a-zA-Z0-9. _\-:/()#,@\[\]+=&;{}!$*]{1,255}", rule.get("Description", "")
        )
    ]


def any_port(stack: Stack) -> list[str]:
    """Inbound rules for more than one port, or for every protocol."""
    return [
        name
        for name, rule in ingress(stack)
        if rule["IpProtocol"] != "tcp" or rule.get("FromPort") != rule.get("ToPort")
    ]


def wildcards(stack: Stack) -> list[str]:
    """Rights with a wildcard among actions, or on every resource of a service or of all."""
    wrong = []
    for name, statement in statements(stack):
        if statement["Effect"] == "Deny":
            continue
        actions = listed(statement["Action"]) if "Action" in statement else ["NotAction"]
        wrong += [f"{name}: {action}" for action in actions if "*" in action or ":" not in action]
        for resource in listed(statement.get("Resource", "*")):
            if _is_everything(resource) and not set(actions) <= set(WITHOUT_RESOURCE):
                wrong.append(f"{name}: {', '.join(actions)} on {resource}")
        if statement.get("Principal") == "*" or statement.get("Principal") == {"AWS": "*"}:
            wrong.append(f"{name}: everybody is let in")
    return wrong


def _is_everything(resource: str) -> bool:
    """`*`, or an ARN that names nothing before its wildcard: `arn:aws:s3:::*`."""
    if "*" not in resource:
        return False
    parts = resource.split(":", 5)
    named = re.split(r"[/:]", parts[5].partition("*")[0]) if len(parts) == 6 else [""]
    return not any(named)


def managed_by_aws(stack: Stack) -> list[str]:
    """Policies of AWS's that are attached: they are wider than what is needed here."""
    return [
        f"{name}: {arn}"
        for name, resource in stack.resources.items()
        for arn in resource["Properties"].get("ManagedPolicyArns", [])
        if ":aws:policy/" in str(arn)
    ]


def public_buckets(stack: Stack) -> list[str]:
    """Buckets that are not private, encrypted, versioned, kept, and HTTPS alone."""
    wrong = []
    for name, bucket in of_type(stack, "AWS::S3::Bucket"):
        block = bucket.get("PublicAccessBlockConfiguration", {})
        owner = bucket.get("OwnershipControls", {}).get("Rules", [{}])[0]
        facts = {
            "private": list(block.values()) == [True] * 4,
            "without ACLs": owner.get("ObjectOwnership") == "BucketOwnerEnforced",
            "encrypted": bool(bucket.get("BucketEncryption")),
            "versioned": bucket.get("VersioningConfiguration", {}).get("Status") == "Enabled",
            "kept": stack.resources[name].get("DeletionPolicy") == "Retain"
            and stack.resources[name].get("UpdateReplacePolicy") == "Retain",
            "HTTPS alone": any(_is_https_alone(one) for _, one in statements(stack)),
        }
        wrong += [f"{name}: not {fact}" for fact, holds in facts.items() if not holds]
    return wrong


def _is_https_alone(statement: Mapping[str, Any]) -> bool:
    return (
        statement["Effect"] == "Deny"
        and statement.get("Principal") == "*"
        and statement["Action"] == "s3:*"
        and len(statement["Resource"]) == 2
        and statement.get("Condition") == {"Bool": {"aws:SecureTransport": "false"}}
    )


def ends_what_is_current(stack: Stack) -> list[str]:
    """Lifecycle rules that do more than end what was replaced or never finished."""
    harmless = {"Id", "Status", "NoncurrentVersionExpiration", "AbortIncompleteMultipartUpload"}
    return [
        f"{name}: {rule['Id']}: {', '.join(sorted(set(rule) - harmless))}"
        for name, bucket in of_type(stack, "AWS::S3::Bucket")
        for rule in bucket.get("LifecycleConfiguration", {}).get("Rules", [])
        if set(rule) - harmless
    ]


def reachable(stack: Stack) -> list[str]:
    """Databases with a public address that nobody asked for."""
    wrong = []
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        if database.get("PubliclyAccessible") is not False and not stack.parameters.get(
            "CallerAddress"
        ):
            wrong.append(name)
    for name, workgroup in of_type(stack, "AWS::RedshiftServerless::Workgroup"):
        if workgroup.get("PubliclyAccessible") is not False and not stack.parameters.get("BiStack"):
            wrong.append(name)
    for name, service in of_type(stack, "AWS::ECS::Service"):
        if service.get("LoadBalancers"):
            wrong.append(name)
    return wrong


def plain(stack: Stack) -> list[str]:
    """Databases that are not encrypted, take plain text, or have a password of ours."""
    wrong = []
    for name, database in of_type(stack, "AWS::RDS::DBInstance"):
        wrong += [f"{name}: not encrypted"] if database.get("StorageEncrypted") is not True else []
        if database.get("ManageMasterUserPassword") is not True or "MasterUserPassword" in database:
            wrong.append(f"{name}: its password is not AWS's")
    for name, group in of_type(stack, "AWS::RDS::DBParameterGroup"):
        parameters = group.get("Parameters", {})
        if "1" not in (parameters.get("require_secure_transport"), parameters.get("rds.force_ssl")):
            wrong.append(f"{name}: TLS is not required")
    for name, namespace in of_type(stack, "AWS::RedshiftServerless::Namespace"):
        if namespace.get("ManageAdminPassword") is not True or "AdminUserPassword" in namespace:
            wrong.append(f"{name}: its password is not AWS's")
    for name, workgroup in of_type(stack, "AWS::RedshiftServerless::Workgroup"):
        given = {
            one["ParameterKey"]: one["ParameterValue"] for one in workgroup["ConfigParameters"]
        }
        if given.get("require_ssl") != "true":
            wrong.append(f"{name}: TLS is not required")
    for name, system in of_type(stack, "AWS::EFS::FileSystem"):
        wrong += [f"{name}: not encrypted"] if system.get("Encrypted") is not True else []
    return wrong


def dear(stack: Stack) -> list[str]:
    """What costs more than a beginner knows: a large workgroup, none that stops it, a NAT gateway."""
    wrong = [name for name, _ in of_type(stack, "AWS::EC2::NatGateway")]
    for name, workgroup in of_type(stack, "AWS::RedshiftServerless::Workgroup"):
        if not 4 <= int(workgroup.get("BaseCapacity", 128)) <= 8:
            wrong.append(f"{name}: base capacity")
        if int(workgroup.get("MaxCapacity", 0)) not in range(4, 33):
            wrong.append(f"{name}: max capacity")
        if not any(of_type(stack, "Custom::WorkgroupSettings")):
            wrong.append(f"{name}: no usage limit")
    for name, endpoint in of_type(stack, "AWS::EC2::VPCEndpoint"):
        wrong += [name] if endpoint.get("VpcEndpointType") != "Gateway" else []
    return wrong


def untagged(stack: Stack) -> list[str]:
    """Resources without the tag `project`."""
    wrong = []
    for name, resource in stack.resources.items():
        if resource["Type"] in _TAGLESS or resource["Type"] == "AWS::EC2::VPCEndpoint":
            continue
        properties = resource["Properties"]
        tags = properties.get("Tags") or properties.get("ResourceTags") or []
        tags = tags or properties.get("FileSystemTags") or properties.get("AccessPointTags") or []
        if "project" not in [tag["Key"] for tag in tags]:
            wrong.append(name)
    return wrong


def logs_for_ever(stack: Stack) -> list[str]:
    """Log groups whose lines are billed for ever."""
    return [
        name
        for name, group in of_type(stack, "AWS::Logs::LogGroup")
        if not 1 <= int(group.get("RetentionInDays", 0)) <= 90
    ]


def trusts(stack: Stack) -> list[str]:
    """Roles that others than the services that they are for may assume."""
    wrong = []
    for name, role in of_type(stack, "AWS::IAM::Role"):
        for statement in role["AssumeRolePolicyDocument"]["Statement"]:
            services = listed(statement["Principal"].get("Service", []))
            if set(statement["Principal"]) != {"Service"} or "*" in services:
                wrong.append(name)
            if any("redshift" in one for one in services) and len(services) != 2:
                wrong.append(f"{name}: trusts one of Redshift's two services alone")
    return wrong


def containers(stack: Stack) -> list[str]:
    """Containers that are root, open a port, hold a secret in plain text, or print to nobody."""
    wrong = []
    for name, task in of_type(stack, "AWS::ECS::TaskDefinition"):
        for one in task["ContainerDefinitions"]:
            plain = [
                each["Name"]
                for each in one.get("Environment", [])
                if _SECRET.search(each["Name"])
                or re.search(r"(?i)password[=:]\s*\S", each["Value"])
            ]
            facts = {
                "root": not one.get("User") or str(one["User"]).split(":")[0] in ("0", "root"),
                "privileged": one.get("Privileged", False),
                "opens a port": bool(one.get("PortMappings")),
                f"{', '.join(plain)} in plain text": bool(plain),
                "prints to nobody": not one.get("LogConfiguration"),
            }
            wrong += [f"{name}, {one['Name']}: {fact}" for fact, holds in facts.items() if holds]
    return wrong


RULES: tuple[Callable[[Stack], list[str]], ...] = (
    *(open_to_the_world, any_port, wildcards, managed_by_aws, public_buckets),
    *(ends_what_is_current, reachable, plain, dear, untagged, logs_for_ever, trusts),
    *(containers, wordless),
)
"""All rules over a resolved stack."""


def secrets_in_defaults(template: Template) -> list[str]:
    """Parameters that are a secret and have a default, or that are no secret to CloudFormation."""
    wrong = []
    for name, parameter in template.get("Parameters", {}).items():
        is_secret = _SECRET.search(name) and not _NO_SECRET.search(name)
        if is_secret or parameter.get("NoEcho"):
            wrong.append(name)
        if re.search(r"(AKIA|ASIA)[A-Z0-9]{16}|-----BEGIN", str(parameter.get("Default", ""))):
            wrong.append(name)
    return wrong
