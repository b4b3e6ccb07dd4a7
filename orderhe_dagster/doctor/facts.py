"""What is known of a place by its name alone: loopback, private, an endpoint of AWS. Nothing is asked."""

from __future__ import annotations

import hashlib
import ipaddress
import re
import shlex
from collections.abc import Mapping

_RDS = re.compile(
    r"(?P<instance>[a-z0-9-]+)\.[a-z0-9-]+\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.rds\.amazonaws\.com(?:\.cn)?"
)
_SERVERLESS = re.compile(
    r"(?P<workgroup>[a-z0-9-]+)\.(?P<account>\d{12})\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)"
    r"\.redshift-serverless\.amazonaws\.com(?:\.cn)?"
)
_CLUSTER = re.compile(
    r"(?P<cluster>[a-z0-9-]+)\.[a-z0-9]+\.(?P<region>[a-z]{2}(?:-[a-z]+)+-\d)\.redshift\.amazonaws\.com(?:\.cn)?"
)
_ROLE = re.compile(r"arn:aws[a-z-]*:iam::(?P<account>\d{12}):role/(?:.*/)?(?P<role_name>[^/]+)")
_LAYER = re.compile(r"(?:(.*)/)?(?:backup|unload)/")
_PRIVATE = tuple(
    map(
        ipaddress.ip_network,
        ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "fc00::/7"),
    )
)
_UNUSUAL = re.compile(r"[^\w+=,.@-]")  # in the name of a policy
_NAME_LENGTH = 100
REDSHIFT_PORT = 5439
MYSQL_PORTS = {3306, 33060}
DEFAULT_ROLE = "the namespace's default role"
OF_AWS = ("rds", "serverless", "cluster")
"""The kinds of endpoints that AWS can be asked about."""


def completed(facts: Mapping[str, str]) -> dict[str, str]:
    """The facts, and what follows from them: the kind of endpoint, its parts, ARNs of bucket and role."""
    known = {name: text for name, text in facts.items() if text}
    host = known.get("host", "")
    for kind, pattern in (("rds", _RDS), ("serverless", _SERVERLESS), ("cluster", _CLUSTER)):
        if match := pattern.fullmatch(host.lower()):
            known = {"endpoint_kind": kind, **match.groupdict(), **known}
    if is_loopback(host):
        known.setdefault("endpoint_kind", "loopback")
    if host:  # how a command is run on the server itself
        known["on_host"] = "" if is_loopback(host) else f"ssh {shlex.quote(host)} "
    if is_private(known.get("address", "") or host):
        known.setdefault("is_private", "yes")
    role = known.get("role", "")
    if role:
        is_default = role == "default"
        known.setdefault("role_text", DEFAULT_ROLE if is_default else role)
    if match := _ROLE.fullmatch(role):
        known = {**match.groupdict(), **known}
    elif role == "default":
        del known["role"]  # a command needs its ARN
    if bucket := known.get("bucket"):
        partition = _partition(known.get("region", ""))
        known.setdefault("bucket_arn", f"arn:{partition}:s3:::{bucket}")
        match = _LAYER.match(known.get("key", ""))
        prefix = known.get("prefix") or (match[1] if match and match[1] else "")
        known["prefix"] = prefix
        known.setdefault("objects_arn", f"{known['bucket_arn']}/{prefix + '/' if prefix else ''}")
        known.setdefault("place_name", _policy_part(f"{bucket}/{prefix}".rstrip("/")))
    if key := known.get("kms_key_arn"):
        known.setdefault("key_name", _policy_part(key.rpartition("/")[2]))
    return known


def is_own(facts: Mapping[str, str]) -> bool:
    """Whether the server is none of AWS's, as far as its name and the settings tell."""
    named = facts.get("workgroup") or facts.get("cluster") or facts.get("endpoint_kind") in OF_AWS
    host = facts.get("host", "")
    return bool(host) and not named and "amazonaws" not in host


def is_cluster(facts: Mapping[str, str]) -> bool:
    """Whether it is a cluster of Redshift's, which Serverless's commands know nothing of."""
    return bool(facts.get("cluster")) and not facts.get("workgroup")


def own_store(facts: Mapping[str, str]) -> bool:
    """Whether the store is a server other than Amazon's, whose users and rights AWS's IAM does not know."""
    endpoint = facts.get("endpoint", "")
    return "://" in endpoint and "amazonaws.com" not in endpoint


def _policy_part(text: str) -> str:
    """A part of a policy's name that is another one for every other text."""
    part = _UNUSUAL.sub("_", text.replace("/", "+"))
    if part.replace("+", "/") == text and len(part) <= _NAME_LENGTH:
        return part
    return f"{part[:_NAME_LENGTH]}-{hashlib.sha256(text.encode()).hexdigest()[:8]}"


def number(facts: Mapping[str, str], name: str) -> int:
    """A fact as a number; 0 where it is none."""
    text = facts.get(name, "")
    return int(text) if text.isdigit() else 0


def is_loopback(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def is_private(address: str) -> bool:
    """Whether an address is one of a private network, which nobody outside reaches."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in network for network in _PRIVATE if network.version == parsed.version)


def _partition(region: str) -> str:
    if region.startswith("cn-"):
        return "aws-cn"
    return "aws-us-gov" if region.startswith("us-gov-") else "aws"
