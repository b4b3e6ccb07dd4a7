"""What policies of IAM allow: a small evaluator of our own, for a few actions. It asks nobody.

It knows Allow and Deny, Action and NotAction, Resource and NotResource, `*` and `?`; of conditions those
that can be told here. What depends on others is said to depend, never guessed.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from orderhe_dagster.ports.cloud import Document

SERVICES = ("redshift.amazonaws.com", "redshift-serverless.amazonaws.com")
"""Who must be let assume the role: both, for clusters and for Serverless."""
BOUNDARY = "the permissions boundary"
Answer = Literal["allowed", "denied", "not allowed", "depends"]


@dataclass(frozen=True)
class Verdict:
    """What the policies say; `policy` and `statement` name what decided, where something did."""

    answer: Answer
    policy: str = ""
    statement: str = ""


def evaluate(
    policies: Mapping[str, Document],
    action: str,
    resource: str,
    *,
    boundary: Document | None = None,
    context: Mapping[str, str] | None = None,
) -> Verdict:
    """Whether an action on a resource is allowed: a Deny outweighs every Allow, and without one it is not.

    `context`: keys of conditions that are known, such as `aws:SecureTransport`.
    """
    known = {"aws:securetransport": "true"} | {
        name.lower(): value for name, value in (context or {}).items()
    }
    verdict = _of(policies, action, resource, known)
    if boundary is None or verdict.answer in ("denied", "not allowed"):
        return verdict
    bound = _of({BOUNDARY: boundary}, action, resource, known)
    return verdict if bound.answer == "allowed" else replace(bound, policy=BOUNDARY)


def widened(document: Document, wanted: Mapping[str, str]) -> Document:
    """A policy as it is, and a statement more that allows these actions, each on its resource."""
    by_resource: dict[str, list[str]] = {}
    for action, resource in wanted.items():
        by_resource.setdefault(resource, []).append(action)
    added = [
        {"Effect": "Allow", "Action": actions, "Resource": resource}
        for resource, actions in by_resource.items()
    ]
    statements = [*_listed(document.get("Statement")), *added]
    return {"Version": "2012-10-17", **document, "Statement": statements}


def trusting(document: Document, services: Iterable[str]) -> Document:
    """A trust policy as it is, and a statement more that lets these services assume the role."""
    added = {
        "Effect": "Allow",
        "Principal": {"Service": list(services)},
        "Action": "sts:AssumeRole",
    }
    statements = [*_listed(document.get("Statement")), added]
    return {"Version": "2012-10-17", **document, "Statement": statements}


def trusted(document: Document) -> dict[str, Answer]:
    """Whether each of Redshift's services may assume the role whose trust policy this is."""
    return {service: _trusts(document, service) for service in SERVICES}


def _trusts(document: Document, service: str) -> Answer:
    answers: list[Answer] = []
    is_sure = True  # no Deny may come in between
    for statement in _listed(document.get("Statement")):
        principal = statement.get("Principal", {})
        services = ["*"] if principal == "*" else _listed(_get(principal, "Service"))
        is_named = service in services or "*" in services
        if not is_named or not _matches(_listed(statement.get("Action")), "sts:AssumeRole"):
            continue
        if statement.get("Effect") == "Deny":
            if not statement.get("Condition"):
                return "denied"
            is_sure = False
            continue
        answers.append("depends" if statement.get("Condition") else "allowed")
    if "allowed" in answers and is_sure:
        return "allowed"
    return "depends" if answers else "not allowed"


def _get(mapping: Any, name: str) -> Any:
    return mapping.get(name) if isinstance(mapping, Mapping) else None


def _of(
    policies: Mapping[str, Document], action: str, resource: str, known: Mapping[str, str]
) -> Verdict:
    allowed: Verdict | None = None
    perhaps: Verdict | None = None
    is_allowable = False
    for policy, document in policies.items():
        for number, statement in enumerate(_listed(document.get("Statement")), 1):
            if not _covers(statement, action, resource):
                continue
            is_allowable |= statement.get("Effect") == "Allow"
            holds = _holds(statement.get("Condition") or {}, known)
            sid = str(statement.get("Sid") or f"number {number}")
            if statement.get("Effect") == "Deny":
                if holds is True:
                    return Verdict("denied", policy, sid)
                if holds is None:
                    perhaps = Verdict("depends", policy, sid)
            elif holds is True:
                allowed = allowed or Verdict("allowed", policy, sid)
            elif holds is None:
                perhaps = perhaps or Verdict("depends", policy, sid)
    if not is_allowable:
        return Verdict("not allowed")  # whatever an uncertain Deny comes to
    if perhaps and (allowed or perhaps.answer == "depends"):
        return _preferred(allowed, perhaps, policies)
    return allowed or Verdict("not allowed")


def _preferred(
    allowed: Verdict | None, perhaps: Verdict, policies: Mapping[str, Document]
) -> Verdict:
    """An Allow without conditions decides, unless a Deny with unknown ones may outweigh it."""
    if allowed is None:
        return perhaps
    statements = _listed(policies[perhaps.policy].get("Statement"))
    named = {str(one.get("Sid") or f"number {n}"): one for n, one in enumerate(statements, 1)}
    is_deny = named[perhaps.statement].get("Effect") == "Deny"
    return perhaps if is_deny else allowed


def _covers(statement: Mapping[str, Any], action: str, resource: str) -> bool:
    if "NotAction" in statement:
        acts = not _matches(_listed(statement["NotAction"]), action)
    else:
        acts = _matches(_listed(statement.get("Action")), action)
    if not acts:
        return False
    if "NotResource" in statement:
        return not _reaches(_listed(statement["NotResource"]), resource)
    return _reaches(_listed(statement.get("Resource")), resource)


def _matches(patterns: Iterable[Any], action: str) -> bool:
    """Actions are compared without case."""
    return any(_like(str(pattern).lower(), action.lower()) for pattern in patterns)


def _reaches(patterns: Iterable[Any], resource: str) -> bool:
    """Resources are compared with case. A resource that ends in * stands for all below it."""
    return any(_like(str(pattern), resource) for pattern in patterns)


def _like(pattern: str, text: str) -> bool:
    """IAM's wildcards: `*` and `?` alone; brackets mean themselves."""
    escaped = re.sub(r"\[", "[[]", pattern)
    return fnmatch.fnmatchcase(text, escaped)


def _holds(condition: Mapping[str, Any], known: Mapping[str, str]) -> bool | None:
    """Whether a condition holds; None where a key of it is not known here."""
    is_unknown = False
    for operator, keys in condition.items():
        for key, expected in keys.items():
            value = known.get(str(key).lower())
            answer = None if value is None else _compared(str(operator), value, _listed(expected))
            if answer is False:
                return False
            is_unknown |= answer is None
    return None if is_unknown else True


def _compared(operator: str, value: str, expected: list[Any]) -> bool | None:
    texts = [str(one) for one in expected]
    name = operator.removesuffix("IfExists")
    if name == "Bool":
        return value.lower() in [text.lower() for text in texts]
    if name == "StringEquals":
        return value in texts
    if name == "StringNotEquals":
        return value not in texts
    if name in ("StringLike", "ArnLike"):
        return any(_like(text, value) for text in texts)
    return None


def _listed(value: Any) -> list[Any]:
    """One or many, as JSON has them."""
    if value is None:
        return []
    return list(value) if isinstance(value, (list, tuple)) else [value]
