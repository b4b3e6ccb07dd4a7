"""The file of IAM roles: what it means to COPY, and what is said of a wrong one."""

from __future__ import annotations

import json

import pytest

from local_redshift.database.roles_file import EXAMPLE, read_roles
from local_redshift.database.storage import Grant

ARN = "arn:aws:iam::123456789012:role/shop-copy"


def test_the_example_reads_as_it_says() -> None:
    roles = read_roles(EXAMPLE)
    assert roles.default == ARN
    assert roles.listed is not None
    (role,) = roles.listed
    assert role.grants == (Grant("shop", "backup/", ("get", "list")),)
    assert role.may("get", "shop", "backup/orders/part.parquet")
    assert not role.may("get", "shop", "exports/part.parquet")
    assert not role.may("put", "shop", "backup/x")
    assert not role.may("get", "other", "backup/x")


WRONG = [
    ("{", "line 1 is no JSON"),
    ("[]", "the file is no JSON object"),
    ('{"role": []}', "the key 'role'; there are default, roles"),
    ('{"roles": {}}', "roles of the file is no list"),
    ('{"roles": [{"arn": "shop-copy"}]}', "arn is 'shop-copy'"),
    (json.dumps({"default": ARN, "roles": []}), "none of the roles"),
    (json.dumps({"roles": [{"arn": ARN}, {"arn": ARN}]}), "stands twice"),
    (json.dumps({"roles": [{"arn": ARN, "trusted": "no"}]}), "write true or false"),
    (json.dumps({"roles": [{"arn": ARN, "grants": [{"prefix": "x"}]}]}), "names no bucket"),
    (
        json.dumps({"roles": [{"arn": ARN, "grants": [{"bucket": "b", "actions": ["read"]}]}]}),
        "'read' is no action; there are get, list, put, delete",
    ),
]


@pytest.mark.parametrize(("text", "told"), WRONG)
def test_a_wrong_file_is_told_what_is_wrong(text: str, told: str) -> None:
    with pytest.raises(ValueError, match=told.replace("(", r"\(")):
        read_roles(text)
