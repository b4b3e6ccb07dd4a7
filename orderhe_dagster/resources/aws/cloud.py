"""AWSCloud: what AWS says of the road's places, by boto3. Nothing is changed, nothing secret asked for."""

from __future__ import annotations

import ipaddress
import json
import re
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TypeVar

from orderhe_dagster.ports.cloud import (
    Cloud,
    Document,
    Instance,
    Namespace,
    Role,
    Rule,
    Untold,
    Workgroup,
)
from orderhe_dagster.resources.s3.errors import quotes_credentials

_T = TypeVar("_T")
ADDRESS_URL = "https://checkip.amazonaws.com"
_TIMEOUT_S = 5.0
_MISSING = {
    *("DBInstanceNotFound", "DBInstanceNotFoundFault", "ResourceNotFoundException", "NoSuchEntity"),
    *("NoSuchBucket", "404", "InvalidGroup.NotFound"),
}
_ROLE_STATUS = re.compile(r"iamRoleArn=([^,)\s]+)|applyStatus=([\w-]+)")


@dataclass(frozen=True)
class AWSCloud(Cloud):
    """AWS as its own settings name it: profile, credentials, region. Each answer is waited for 5 s."""

    address_url: str = ""
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False, compare=False)
    _sessions: list[Any] = field(default_factory=list, repr=False, compare=False)

    def caller(self) -> str:
        """The ARN of whoever asks."""
        with _asking("sts:GetCallerIdentity"):
            return str(self._client("sts").get_caller_identity()["Arn"])

    def my_address(self) -> str:
        """The address of this machine, as a page of Amazon's tells it."""
        url = self.address_url or ADDRESS_URL
        try:
            with urllib.request.urlopen(url, timeout=_TIMEOUT_S) as answer:
                text = answer.read(64).decode("ascii").strip()
            return str(ipaddress.ip_address(text))
        except (OSError, ValueError) as error:
            raise Untold(f"{url} did not tell this machine's address: {error}") from None

    def instance(self, host: str, region: str) -> Instance | None:
        """The instance whose endpoint is `host`."""
        with _asking("rds:DescribeDBInstances"):
            pages = self._client("rds", region).get_paginator("describe_db_instances").paginate()
            for found in (one for page in pages for one in page["DBInstances"]):
                endpoint = found.get("Endpoint") or {}
                if str(endpoint.get("Address", "")).lower() == host.lower():
                    return Instance(
                        found["DBInstanceIdentifier"],
                        host,
                        int(endpoint.get("Port", 0)),
                        str(found.get("DBInstanceStatus", "")),
                        bool(found.get("PubliclyAccessible")),
                        tuple(
                            group["VpcSecurityGroupId"]
                            for group in found.get("VpcSecurityGroups", [])
                        ),
                        tuple(
                            subnet["SubnetIdentifier"]
                            for subnet in (found.get("DBSubnetGroup") or {}).get("Subnets", [])
                        ),
                    )
        return None

    def workgroup(self, name: str, region: str) -> Workgroup | None:
        """The workgroup of that name."""

        def ask() -> Workgroup:
            found = self._client("redshift-serverless", region).get_workgroup(workgroupName=name)
            one = found["workgroup"]
            return Workgroup(
                str(one.get("workgroupName", name)),
                str(one.get("namespaceName", "")),
                str(one.get("workgroupArn", "")),
                str(one.get("status", "")),
                bool(one.get("publiclyAccessible")),
                int((one.get("endpoint") or {}).get("port", 5439)),
                tuple(one.get("securityGroupIds", [])),
                tuple(one.get("subnetIds", [])),
                int(one.get("baseCapacity") or 0),
            )

        return _or_none("redshift-serverless:GetWorkgroup", ask)

    def namespace(self, name: str, region: str) -> Namespace | None:
        """The namespace of that name."""

        def ask() -> Namespace:
            found = self._client("redshift-serverless", region).get_namespace(namespaceName=name)
            one = found["namespace"]
            roles = dict(_role_status(text) for text in one.get("iamRoles", []))
            return Namespace(name, roles, str(one.get("defaultIamRoleArn", "")))

        return _or_none("redshift-serverless:GetNamespace", ask)

    def rules(self, groups: Sequence[str], region: str) -> Mapping[str, Sequence[Rule]]:
        """The inbound TCP rules of each security group."""
        with _asking("ec2:DescribeSecurityGroups"):
            found = self._client("ec2", region).describe_security_groups(GroupIds=list(groups))
            return {
                group["GroupId"]: [
                    self._rule(rule, region)
                    for rule in group.get("IpPermissions", [])
                    if rule.get("IpProtocol") in ("tcp", "6", "-1")
                ]
                for group in found["SecurityGroups"]
            }

    def _rule(self, rule: Mapping[str, Any], region: str) -> Rule:
        """An inbound rule, with what stands in the lists of addresses that it names."""
        listed: list[str] = []
        unread: list[str] = []
        for one in rule.get("PrefixListIds", []):
            try:
                listed += self._entries(one["PrefixListId"], region)
            except Untold:
                unread.append(one["PrefixListId"])
        return Rule(
            int(rule.get("FromPort", 0)),
            int(rule.get("ToPort", 65535)),
            (
                *(block["CidrIp"] for block in rule.get("IpRanges", [])),
                *(block["CidrIpv6"] for block in rule.get("Ipv6Ranges", [])),
            ),
            tuple(
                pair["GroupId"] for pair in rule.get("UserIdGroupPairs", []) if "GroupId" in pair
            ),
            tuple(listed),
            tuple(unread),
            str(rule["IpProtocol"]),
        )

    def _entries(self, name: str, region: str) -> list[str]:
        with _asking("ec2:GetManagedPrefixListEntries"):
            client = self._client("ec2", region)
            pages = client.get_paginator("get_managed_prefix_list_entries").paginate(
                PrefixListId=name
            )
            return [entry["Cidr"] for page in pages for entry in page["Entries"]]

    def members(self, groups: Sequence[str], region: str) -> frozenset[str]:
        """The addresses of the network interfaces in any of these security groups."""
        with _asking("ec2:DescribeNetworkInterfaces"):
            pages = (
                self._client("ec2", region)
                .get_paginator("describe_network_interfaces")
                .paginate(Filters=[{"Name": "group-id", "Values": list(groups)}])
            )
            own = [
                address
                for page in pages
                for interface in page["NetworkInterfaces"]
                for address in (interface, *interface.get("PrivateIpAddresses", []))
            ]
        private = {str(one["PrivateIpAddress"]) for one in own if one.get("PrivateIpAddress")}
        shown = [(one.get("Association") or {}).get("PublicIp") for one in own]
        return frozenset(private | {str(address) for address in shown if address})

    def without_gateway(self, subnets: Sequence[str], region: str) -> Sequence[str]:
        """The subnets whose routes (their own, or their network's main ones) lead to no internet gateway."""
        if not subnets:
            return []
        ec2 = self._client("ec2", region)
        with _asking("ec2:DescribeSubnets and ec2:DescribeRouteTables"):
            found = ec2.describe_subnets(SubnetIds=list(subnets))["Subnets"]
            networks = sorted({one["VpcId"] for one in found})
            tables = ec2.describe_route_tables(Filters=[{"Name": "vpc-id", "Values": networks}])
        own: dict[str, bool] = {}
        for table in tables["RouteTables"]:
            leads = any(
                str(route.get("GatewayId", "")).startswith("igw-")
                and route.get("DestinationCidrBlock") == "0.0.0.0/0"
                for route in table.get("Routes", [])
            )
            for association in table.get("Associations", []):
                name = association.get("SubnetId")
                if name or association.get("Main"):
                    own[name or table["VpcId"]] = leads
        return [
            one["SubnetId"]
            for one in found
            if not own.get(one["SubnetId"], own.get(one["VpcId"], False))
        ]

    def role(self, arn: str) -> Role | None:
        """The role of that ARN, with its own policies and those that are attached."""
        name = arn.rpartition("/")[2]

        def ask() -> Role | None:
            iam = self._client("iam")
            one = iam.get_role(RoleName=name)["Role"]
            if one["Arn"] != arn:
                return None
            policies: dict[str, Document] = {}
            for own in iam.list_role_policies(RoleName=name)["PolicyNames"]:
                answer = iam.get_role_policy(RoleName=name, PolicyName=own)
                policies[own] = _document(answer["PolicyDocument"])
            for other in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]:
                policies[other["PolicyArn"]] = _managed(iam, other["PolicyArn"])
            bound = (one.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
            trust = _document(one.get("AssumeRolePolicyDocument") or {})
            document = _managed(iam, bound) if bound else None
            return Role(arn, name, trust, policies, document, str(bound or ""))

        return _or_none("iam:GetRole and iam:ListRolePolicies", ask)

    def bucket_region(self, bucket: str) -> str | None:
        """The region that a bucket lies in."""

        def ask() -> str:
            found = self._client("s3").get_bucket_location(Bucket=bucket)["LocationConstraint"]
            return {None: "us-east-1", "": "us-east-1", "EU": "eu-west-1"}.get(found, str(found))

        return _or_none("s3:GetBucketLocation", ask)

    def usage_limits(self, workgroup_arn: str, region: str) -> int:
        """How many usage limits a workgroup has."""
        with _asking("redshift-serverless:ListUsageLimits"):
            found = self._client("redshift-serverless", region).list_usage_limits(
                resourceArn=workgroup_arn
            )
            return len(found["usageLimits"])

    def _client(self, service: str, region: str = "") -> Any:
        from botocore.config import Config

        session = self._session()
        key = (service, region)
        if key not in self._clients:
            with _asking(service):
                self._clients[key] = session.client(
                    service,
                    region_name=region or None,
                    config=Config(
                        connect_timeout=_TIMEOUT_S,
                        read_timeout=_TIMEOUT_S,
                        retries={"total_max_attempts": 1},
                    ),
                )
        return self._clients[key]

    def _session(self) -> Any:
        """AWS's session; Untold where it has no credentials: that takes seconds, so it is found out once."""
        import boto3

        if not self._sessions:
            with _asking("AWS"):
                session = boto3.Session()
                self._sessions.append(session if session.get_credentials() else None)
        if self._sessions[0] is None:
            raise Untold("there are no AWS credentials here (AWS_PROFILE, AWS_ACCESS_KEY_ID, …)")
        return self._sessions[0]


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Whatever goes wrong with a question is Untold, without a header or a token in its words."""
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        yield
    except ClientError as error:
        answer = error.response.get("Error", {})
        code = str(answer.get("Code", ""))
        untold = Untold(f"{what} was not answered: {code or 'no reason given'}")
        raise untold from (error if code in _MISSING else None)
    except (BotoCoreError, KeyError, ValueError, TypeError) as error:
        words = "its settings hold a line break" if quotes_credentials(error) else str(error)
        shown = f"{type(error).__name__}: {' '.join(words.split())[:200]}"
        raise Untold(f"{what} was not answered: {shown}") from None


def _or_none(what: str, ask: Callable[[], _T]) -> _T | None:
    """What `ask` gives, None where AWS knows no such thing."""
    from botocore.exceptions import ClientError

    try:
        with _asking(what):
            return ask()
    except Untold as error:
        cause = error.__cause__
        if isinstance(cause, ClientError):
            return None
        raise


def _role_status(text: Any) -> tuple[str, str]:
    """A namespace's role, given as `IamRole(applyStatus=in-sync, iamRoleArn=arn:…)`, or as its ARN alone."""
    found = {"arn": "", "status": ""}
    for match in _ROLE_STATUS.finditer(str(text)):
        found["arn" if match[1] else "status"] = match[1] or match[2]
    return (found["arn"] or str(text), found["status"] or "in-sync")


def _document(document: Any) -> Document:
    """A policy, which some servers give as text."""
    if isinstance(document, str):
        document = json.loads(urllib.parse.unquote(document))
    return document if isinstance(document, dict) else {}


def _managed(iam: Any, arn: str) -> Document:
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    answer = iam.get_policy_version(PolicyArn=arn, VersionId=version)
    return _document(answer["PolicyVersion"]["Document"])
