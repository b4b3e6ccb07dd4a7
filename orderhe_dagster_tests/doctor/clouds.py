"""Clouds that a test makes up: one that says nothing, and one that says what it is given."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

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

ROLE = "arn:aws:iam::123456789012:role/shop-copy"
BOTH = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]
MINE = "203.0.113.7"


def trust(*services: str) -> Document:
    """A trust policy for these services."""
    return {
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": list(services)},
                "Action": "sts:AssumeRole",
            }
        ]
    }


def allow(*actions: str, on: str = "*", effect: str = "Allow") -> Document:
    """A policy of one statement."""
    return {
        "Statement": [{"Effect": effect, "Action": list(actions), "Resource": on, "Sid": "One"}]
    }


class SilentCloud(Cloud):
    """AWS without credentials."""

    def caller(self) -> str:
        raise Untold("nobody")

    def my_address(self) -> str:
        raise Untold("nobody")

    def instance(self, host: str, region: str) -> Instance | None:
        raise Untold("nobody")

    def workgroup(self, name: str, region: str) -> Workgroup | None:
        raise Untold("nobody")

    def namespace(self, name: str, region: str) -> Namespace | None:
        raise Untold("nobody")

    def rules(self, groups: Sequence[str], region: str) -> Mapping[str, Sequence[Rule]]:
        raise Untold("nobody")

    def members(self, groups: Sequence[str], region: str) -> frozenset[str]:
        raise Untold("nobody")

    def without_gateway(self, subnets: Sequence[str], region: str) -> Sequence[str]:
        raise Untold("nobody")

    def role(self, arn: str) -> Role | None:
        raise Untold("nobody")

    def bucket_region(self, bucket: str) -> str | None:
        raise Untold("nobody")

    def usage_limits(self, workgroup_arn: str, region: str) -> int:
        raise Untold("nobody")


@dataclass
class GivenCloud(Cloud):
    """AWS as it should be, but for what a test changes."""

    who: str = "arn:aws:iam::123456789012:user/etl"
    database: Instance | None = field(
        default_factory=lambda: Instance(
            "shop", "", 3306, "available", True, ("sg-1",), ("subnet-1",)
        )
    )
    group: Workgroup | None = field(
        default_factory=lambda: Workgroup(
            "shop", "ns", "arn:w", "AVAILABLE", True, 5439, ("sg-2",), ("subnet-1",)
        )
    )
    roles: Mapping[str, str] = field(default_factory=lambda: {ROLE: "in-sync"})
    default_role: str = ROLE
    cidrs: tuple[str, ...] = (f"{MINE}/32",)
    more_of_rule: Mapping[str, Any] = field(default_factory=dict)
    in_groups: frozenset[str] | None = frozenset()  # None: AWS does not tell
    unrouted: Sequence[str] = ()
    trusts: Document = field(default_factory=lambda: trust(*BOTH))
    policies: Mapping[str, Document] = field(default_factory=lambda: {"copy": allow("s3:*")})
    boundary: Document | None = None
    boundary_arn: str = "arn:aws:iam::123456789012:policy/bound"
    has_role: bool = True
    region_of_bucket: str | None = "eu-west-1"
    limits: int = 1

    def caller(self) -> str:
        return self.who

    def my_address(self) -> str:
        return MINE

    def instance(self, host: str, region: str) -> Instance | None:
        return self.database

    def workgroup(self, name: str, region: str) -> Workgroup | None:
        return self.group

    def namespace(self, name: str, region: str) -> Namespace | None:
        return Namespace(name, self.roles, self.default_role)

    def rules(self, groups: Sequence[str], region: str) -> Mapping[str, Sequence[Rule]]:
        return {group: [Rule(0, 65535, self.cidrs, **self.more_of_rule)] for group in groups}

    def members(self, groups: Sequence[str], region: str) -> frozenset[str]:
        if self.in_groups is None:
            raise Untold("ec2:DescribeNetworkInterfaces was not answered: UnauthorizedOperation")
        return self.in_groups

    def without_gateway(self, subnets: Sequence[str], region: str) -> Sequence[str]:
        return self.unrouted

    def role(self, arn: str) -> Role | None:
        name = arn.rpartition("/")[2]
        if not self.has_role:
            return None
        bound = self.boundary_arn if self.boundary is not None else ""
        return Role(arn, name, self.trusts, self.policies, self.boundary, bound)

    def bucket_region(self, bucket: str) -> str | None:
        return self.region_of_bucket

    def usage_limits(self, workgroup_arn: str, region: str) -> int:
        return self.limits
