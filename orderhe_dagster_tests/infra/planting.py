"""Faults that are planted in templates, and the walls among them that the doctor finds by their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orderhe_dagster_tests.infra.templates import ACCOUNT, REGION, Template

Plant = Callable[[Template], None]


def put(*path: Any, value: Any) -> Plant:
    """Sets one value of a template."""

    def plant(template: Template) -> None:
        place: Any = template["Resources"]
        for step in path[:-1]:
            place = place[step]
        if isinstance(place, list) and path[-1] == "+":
            place.append(value)
        else:
            place[path[-1]] = value

    return plant


def drop(*path: Any) -> Plant:
    """Takes one value out of a template."""

    def plant(template: Template) -> None:
        place: Any = template["Resources"]
        for step in path[:-1]:
            place = place[step]
        del place[path[-1]]

    return plant


def without_limit(template: Template) -> None:
    """Nothing sets a limit; the secret is named outright."""

    def named(value: Any) -> Any:
        if value == {"Fn::GetAtt": ["WorkgroupSettings", "SecretArn"]}:
            return f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:named-Ab1"
        if isinstance(value, dict):
            return {key: named(one) for key, one in value.items()}
        return [named(one) for one in value] if isinstance(value, list) else value

    del template["Resources"]["WorkgroupSettings"]
    template |= named(template)


WALLS: tuple[tuple[str, str, str, Plant], ...] = (
    ("no-inbound-rule", "MySQL way in (AWS)", "mysql", drop("CallerRule")),
    (
        "no-inbound-rule",
        "MySQL way in (AWS)",
        "mysql",
        put("CallerRule", "Properties", "CidrIp", value="198.51.100.9/32"),
    ),
    (
        "no-inbound-rule",
        "MySQL way in (AWS)",
        "mysql",
        put("CallerRule", "Properties", "ToPort", value=3305),
    ),
    (
        "group-open-to-all",
        "MySQL way in (AWS)",
        "mysql",
        put("CallerRule", "Properties", "CidrIp", value="0.0.0.0/0"),
    ),
    (
        "instance-not-public",
        "MySQL way in (AWS)",
        "mysql",
        put("Database", "Properties", "PubliclyAccessible", value=False),
    ),
    ("no-route-to-internet", "MySQL way in (AWS)", "network", drop("RouteToInternet")),
    (
        "role-lacks-rights",
        "Redshift role's rights (AWS)",
        "redshift",
        put(
            *("CopyRole", "Properties", "Policies", 0, "PolicyDocument", "Statement", 1),
            *("Resource",),
            value="arn:aws:s3:::a-bucket/elsewhere/*",
        ),
    ),
    (
        "role-lacks-rights",
        "Redshift role's rights (AWS)",
        "redshift",
        drop("CopyRole", "Properties", "Policies"),
    ),
    (
        "role-is-denied",
        "Redshift role's rights (AWS)",
        "redshift",
        put(
            *("CopyRole", "Properties", "Policies", 0, "PolicyDocument", "Statement", 1, "Effect"),
            value="Deny",
        ),
    ),
    (
        "trust-lacks-a-service",
        "Redshift role's trust (AWS)",
        "redshift",
        put(
            *("CopyRole", "Properties", "AssumeRolePolicyDocument", "Statement", 0),
            *("Principal", "Service"),
            value=["redshift.amazonaws.com"],
        ),
    ),
    (
        "role-not-in-namespace",
        "Redshift role attached (AWS)",
        "redshift",
        put("Namespace", "Properties", "IamRoles", value=[]),
    ),
    (
        "no-usage-limit",
        "Redshift usage limit (AWS)",
        "redshift",
        without_limit,
    ),
)
