"""What policies of IAM allow, as the evaluator of our own has it."""

from __future__ import annotations

from typing import Any

import pytest

from orderhe_dagster.doctor.policies import evaluate, trusted
from orderhe_dagster.resources.s3.policy import role_policy

BUCKET, OBJECT = "arn:aws:s3:::shop", "arn:aws:s3:::shop/one/backup/orders/p.parquet"


def statement(effect: str = "Allow", **more: Any) -> dict[str, Any]:
    return {"Effect": effect, "Action": "s3:GetObject", "Resource": f"{BUCKET}/*", **more}


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


DENY = statement("Deny", Sid="NoReads")
NOT = "not allowed"
GET = "s3:GetObject"
CASES: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("nothing", document(), GET, OBJECT, NOT),
    ("one statement, no list", {"Statement": statement()}, GET, OBJECT, "allowed"),
    ("case of actions", document(statement(Action="S3:getobject")), GET, OBJECT, "allowed"),
    ("wildcard in the action", document(statement(Action=["s3:Get*"])), GET, OBJECT, "allowed"),
    ("all actions", document(statement(Action="*", Resource="*")), GET, OBJECT, "allowed"),
    ("one sign", document(statement(Action="s3:GetObjec?")), GET, OBJECT, "allowed"),
    ("another action", document(statement(Action="s3:PutObject")), GET, OBJECT, NOT),
    ("another bucket", document(statement(Resource="arn:aws:s3:::shop2/*")), GET, OBJECT, NOT),
    ("another prefix", document(statement(Resource=f"{BUCKET}/two/*")), GET, OBJECT, NOT),
    ("case of resources", document(statement(Resource=f"{BUCKET}/ONE/*")), GET, OBJECT, NOT),
    ("the bucket is none of its objects", document(statement(Resource=BUCKET)), GET, OBJECT, NOT),
    ("objects are not the bucket", document(statement(Action="s3:ListBucket")), "s3:ListBucket", BUCKET, NOT),
    ("brackets mean themselves", document(statement(Resource=f"{BUCKET}/[o]ne/*")), GET, OBJECT, NOT),
    ("a deny outweighs", document(statement(), DENY), GET, OBJECT, "denied"),
    ("a deny before", document(DENY, statement()), GET, OBJECT, "denied"),
    ("a deny of another prefix", document(statement(), statement("Deny", Resource=f"{BUCKET}/two/*")),
     GET, OBJECT, "allowed"),
    ("all but one action", document({"Effect": "Allow", "NotAction": "s3:Put*", "Resource": "*"}),
     GET, OBJECT, "allowed"),
    ("all but this action", document({"Effect": "Allow", "NotAction": "s3:Get*", "Resource": "*"}),
     GET, OBJECT, NOT),
    ("denied but below", document(statement(), {"Effect": "Deny", "Action": "s3:*",
                                                "NotResource": f"{BUCKET}/one/*"}),
     GET, OBJECT, "allowed"),
    ("denied but elsewhere", document(statement(), {"Effect": "Deny", "Action": "s3:*",
                                                    "NotResource": f"{BUCKET}/two/*"}),
     GET, OBJECT, "denied"),
    ("deny without TLS", document(statement(), statement(
        "Deny", Condition={"Bool": {"aws:SecureTransport": "false"}})), GET, OBJECT, "allowed"),
    ("allow from an address", document(statement(
        Condition={"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}})), GET, OBJECT, "depends"),
    ("deny from an address", document(statement(), statement(
        "Deny", Condition={"NotIpAddress": {"aws:SourceIp": "10.0.0.0/8"}})), GET, OBJECT, "depends"),
    ("one allow of two has no condition",
     document(statement(Condition={"IpAddress": {"aws:SourceIp": "1.1.1.1"}}),
                                                   statement()), GET, OBJECT, "allowed"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("policy", "action", "resource", "answer"), [c[1:] for c in CASES], ids=[c[0] for c in CASES]
)
def test_an_action_is_judged(
    policy: dict[str, Any], action: str, resource: str, answer: str
) -> None:
    assert evaluate({"own": policy}, action, resource).answer == answer


def test_policies_are_judged_together_and_what_decides_is_named() -> None:
    policies = {"reads": document(statement()), "guard": document(DENY)}
    verdict = evaluate(policies, "s3:GetObject", OBJECT)
    assert (verdict.answer, verdict.policy, verdict.statement) == ("denied", "guard", "NoReads")


def test_a_boundary_bounds() -> None:
    policies = {"all": document(statement(Action="s3:*", Resource="*"))}
    narrow = document(statement(Action="s3:ListBucket", Resource="*"))
    assert evaluate(policies, "s3:GetObject", OBJECT, boundary=narrow).answer == "not allowed"
    assert evaluate(policies, "s3:ListBucket", BUCKET, boundary=narrow).answer == "allowed"


def test_a_condition_on_the_prefix_is_told_where_the_prefix_is_known() -> None:
    policy = document(
        statement(Action="s3:ListBucket", Resource=BUCKET,
                  Condition={"StringLike": {"s3:prefix": ["one/*"]}})
    )  # fmt: skip
    assert evaluate({"p": policy}, "s3:ListBucket", BUCKET).answer == "depends"
    for prefix, answer in (("one/backup/", "allowed"), ("two/", "not allowed")):
        verdict = evaluate({"p": policy}, "s3:ListBucket", BUCKET, context={"s3:prefix": prefix})
        assert verdict.answer == answer


def test_the_documented_role_may_do_what_the_road_needs_and_no_more() -> None:
    policies = {"copy": role_policy("shop", "one")}
    for action, resource in (
        ("s3:ListBucket", BUCKET),
        ("s3:GetBucketLocation", BUCKET),
        ("s3:GetObject", OBJECT),
        ("s3:PutObject", f"{BUCKET}/one/unload/x"),
    ):
        assert evaluate(policies, action, resource).answer == "allowed", action
    for action, resource in (
        ("s3:PutObject", OBJECT),
        ("s3:DeleteObject", OBJECT),
        ("s3:GetObject", f"{BUCKET}/two/backup/x"),
    ):
        assert evaluate(policies, action, resource).answer == "not allowed", action


BOTH = ["redshift.amazonaws.com", "redshift-serverless.amazonaws.com"]


@pytest.mark.parametrize(
    ("principal", "answers"),
    [
        ({"Service": BOTH}, ("allowed", "allowed")),
        ({"Service": "redshift.amazonaws.com"}, ("allowed", "not allowed")),
        ({"Service": "redshift-serverless.amazonaws.com"}, ("not allowed", "allowed")),
        ({"AWS": "arn:aws:iam::123456789012:root"}, ("not allowed", "not allowed")),
        ("*", ("allowed", "allowed")),
    ],
)
def test_who_may_assume_a_role(principal: Any, answers: tuple[str, str]) -> None:
    trust = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})
    assert tuple(trusted(trust).values()) == answers


def test_a_trust_with_conditions_depends() -> None:
    one = {"Effect": "Allow", "Principal": {"Service": BOTH}, "Action": "sts:AssumeRole"}
    conditional = {**one, "Condition": {"StringEquals": {"sts:ExternalId": "x"}}}
    assert set(trusted(document(conditional)).values()) == {"depends"}
    assert set(trusted(document(one, {**one, "Effect": "Deny"})).values()) == {"denied"}


def test_a_deny_alone_allows_nothing_whatever_its_conditions() -> None:
    deny = {
        "Effect": "Deny",
        "Action": "s3:*",
        "Resource": "*",
        "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    }
    policies = {"guard": {"Statement": [deny]}}
    assert evaluate(policies, "s3:GetObject", OBJECT).answer == "not allowed"


def test_a_denial_of_trust_with_conditions_depends() -> None:
    allow = {"Effect": "Allow", "Principal": {"Service": BOTH}, "Action": "sts:AssumeRole"}
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "sts:AssumeRole",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    for statements in ([allow, deny], [deny, allow]):
        assert {*trusted({"Statement": statements}).values()} == {"depends"}
