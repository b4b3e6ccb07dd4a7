"""The file that says which IAM roles a local Redshift knows, and what each may do on which bucket. No SQL."""

from __future__ import annotations

import json
import re
from typing import Any

from local_redshift.database.storage import ACTIONS, Grant, Role, Roles

_ARN = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+")
EXAMPLE = """{
  "default": "arn:aws:iam::123456789012:role/shop-copy",
  "roles": [
    {
      "arn": "arn:aws:iam::123456789012:role/shop-copy",
      "attached": true,
      "trusted": true,
      "grants": [{"bucket": "shop", "prefix": "backup/", "actions": ["get", "list"]}]
    }
  ]
}"""


class RolesError(ValueError):
    """The file of roles is not as it should be; the text says where and how."""


def read_roles(text: str) -> Roles:
    """The roles of a file like `EXAMPLE`. RolesError says what is wrong with it.

    `default` may be left out: then `iam_role default` is refused, as on a namespace without one.
    `attached` and `trusted` are true unless said; a grant without actions has them all.
    """
    try:
        content = json.loads(text)
    except json.JSONDecodeError as error:
        raise RolesError(f"line {error.lineno} is no JSON: {error.msg}") from None
    _keys(content, {"default", "roles"}, "the file")
    roles = tuple(_role(one) for one in _listed(content, "roles", "the file"))
    arns = [role.arn for role in roles]
    twice = next((arn for arn in arns if arns.count(arn) > 1), None)
    if twice:
        raise RolesError(f"the role {twice} stands twice")
    default = str(content.get("default", ""))
    if default and default not in arns:
        raise RolesError(f"default is {default!r}, which is none of the roles")
    return Roles(roles, default)


def _role(content: Any) -> Role:
    _keys(content, {"arn", "attached", "trusted", "grants"}, "a role")
    arn = str(content.get("arn", ""))
    if not _ARN.fullmatch(arn):
        raise RolesError(f"arn is {arn!r}; write one like arn:aws:iam::123456789012:role/shop-copy")
    flags = {name: content.get(name, True) for name in ("attached", "trusted")}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise RolesError(f"{name} of {arn} is {value!r}; write true or false")
    grants = tuple(_grant(one, arn) for one in _listed(content, "grants", arn))
    return Role(arn, grants, **flags)


def _grant(content: Any, arn: str) -> Grant:
    _keys(content, {"bucket", "prefix", "actions"}, f"a grant of {arn}")
    if not content.get("bucket"):
        raise RolesError(f"a grant of {arn} names no bucket")
    actions = _listed(content, "actions", f"a grant of {arn}") if "actions" in content else ACTIONS
    unknown = [action for action in actions if action not in ACTIONS]
    if unknown:
        raise RolesError(f"{unknown[0]!r} is no action; there are {', '.join(ACTIONS)}")
    return Grant(str(content["bucket"]), str(content.get("prefix", "")), tuple(actions))


def _keys(content: Any, good: set[str], where: str) -> None:
    if not isinstance(content, dict):
        raise RolesError(f"{where} is no JSON object")
    unknown = sorted(set(content) - good)
    if unknown:
        raise RolesError(f"{where} has the key {unknown[0]!r}; there are {', '.join(sorted(good))}")


def _listed(content: dict[str, Any], name: str, where: str) -> list[Any]:
    items = content.get(name, [])
    if not isinstance(items, list):
        raise RolesError(f"{name} of {where} is no list")
    return items
