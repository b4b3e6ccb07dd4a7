"""Cloud: what AWS says of the places on the road: instance, workgroup, groups, routes, roles. Only read.

Whatever AWS does not tell (no right to look, no credentials, no network) is Untold, and never a crash.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from orderhe_dagster.ports.errors import PortError

Document = Mapping[str, Any]
"""A policy of IAM."""


class Untold(PortError):
    """AWS did not tell. The text says why: a right that lacks, no credentials, no answer."""


@dataclass(frozen=True)
class Instance:
    """A database instance of RDS."""

    name: str
    address: str
    port: int
    status: str
    is_public: bool
    groups: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()


@dataclass(frozen=True)
class Workgroup:
    """A workgroup of Redshift Serverless. `base_rpu`: its base capacity; 0: AWS did not say."""

    name: str
    namespace: str
    arn: str
    status: str
    is_public: bool
    port: int = 5439
    groups: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    base_rpu: int = 0


@dataclass(frozen=True)
class Namespace:
    """A namespace's roles (ARN -> whether it is in sync), and its default one."""

    name: str
    roles: Mapping[str, str] = field(default_factory=dict)
    default_role: str = ""


@dataclass(frozen=True)
class Rule:
    """An inbound rule: a range of ports, open to some addresses (CIDR), by themselves or by lists of them.

    `groups`: security groups whose members it lets in. `unread`: lists of addresses that AWS did not tell.
    `protocol` is AWS's own word, -1 for all.
    """

    first_port: int
    last_port: int
    cidrs: tuple[str, ...]
    groups: tuple[str, ...] = ()
    listed: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    protocol: str = "tcp"

    def covers(self, port: int) -> bool:
        """Whether the port is among its ports."""
        return self.first_port <= port <= self.last_port


@dataclass(frozen=True)
class Role:
    """A role of IAM: who may assume it, what its policies say, and what bounds them.

    `policies`: its own by their names, managed ones by their ARNs.
    """

    arn: str
    name: str
    trust: Document
    policies: Mapping[str, Document] = field(default_factory=dict)
    boundary: Document | None = None
    boundary_arn: str = ""


class Cloud(ABC):
    """AWS's own answers. Each of these raises Untold, and gives None where there is no such thing."""

    @abstractmethod
    def caller(self) -> str:
        """The ARN of whoever asks."""

    @abstractmethod
    def my_address(self) -> str:
        """The address of this machine as the internet sees it."""

    @abstractmethod
    def instance(self, host: str, region: str) -> Instance | None:
        """The instance whose endpoint is `host`."""

    @abstractmethod
    def workgroup(self, name: str, region: str) -> Workgroup | None:
        """The workgroup of that name."""

    @abstractmethod
    def namespace(self, name: str, region: str) -> Namespace | None:
        """The namespace of that name."""

    @abstractmethod
    def rules(self, groups: Sequence[str], region: str) -> Mapping[str, Sequence[Rule]]:
        """The inbound TCP rules of each security group."""

    @abstractmethod
    def members(self, groups: Sequence[str], region: str) -> frozenset[str]:
        """The addresses, private and public, of what is in any of these security groups."""

    @abstractmethod
    def without_gateway(self, subnets: Sequence[str], region: str) -> Sequence[str]:
        """The subnets whose routes lead to no internet gateway."""

    @abstractmethod
    def role(self, arn: str) -> Role | None:
        """The role of that ARN, with all its policies."""

    @abstractmethod
    def bucket_region(self, bucket: str) -> str | None:
        """The region that a bucket lies in."""

    @abstractmethod
    def usage_limits(self, workgroup_arn: str, region: str) -> int:
        """How many usage limits a workgroup has."""
