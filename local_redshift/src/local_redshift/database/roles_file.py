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
        said = json.loads(text)
    except json.JSONDecodeError as error:
        raise RolesError(f"line {error.lineno} is no JSON: {error.msg}") from None
    _keys(said, {"default", "roles"}, "the file")
    roles = tuple(_role(found) for found in _listed(said, "roles", "the file"))
    arns = [role.arn for role in roles]
    twice = next((arn for arn in arns if arns.count(arn) > 1), None)
    if twice:
        raise RolesError(f"the role {twice} stands twice")
    default = str(said.get("default", ""))
    if default and default not in arns:
        raise RolesError(f"default is {default!r}, which is none of the roles")
    return Roles(roles, default)


def _role(said: Any) -> Role:
    _keys(said, {"arn", "attached", "trusted", "grants"}, "a role")
    arn = str(said.get("arn", ""))
    if not _ARN.fullmatch(arn):
        raise RolesError(f"arn is {arn!r}; write one like arn:aws:iam::123456789012:role/shop-copy")
    flags = {name: said.get(name, True) for name in ("attached", "trusted")}
    for name, value in flags.items():
        if not isinstance(value, bool):
            raise RolesError(f"{name} of {arn} is {value!r}; write true or false")
    grants = tuple(_grant(found, arn) for found in _listed(said, "grants", arn))
    return Role(arn, grants, **flags)


def _grant(said: Any, arn: str) -> Grant:
    _keys(said, {"bucket", "prefix", "actions"}, f"a grant of {arn}")
    if not said.get("bucket"):
        raise RolesError(f"a grant of {arn} names no bucket")
    actions = _listed(said, "actions", f"a grant of {arn}") if "actions" in said else ACTIONS
    unknown = [action for action in actions if action not in ACTIONS]
    if unknown:
        raise RolesError(f"{unknown[0]!r} is no action; there are {', '.join(ACTIONS)}")
    return Grant(str(said["bucket"]), str(said.get("prefix", "")), tuple(actions))


def _keys(said: Any, good: set[str], where: str) -> None:
    if not isinstance(said, dict):
        raise RolesError(f"{where} is no JSON object")
    unknown = sorted(set(said) - good)
    if unknown:
        raise RolesError(f"{where} has the key {unknown[0]!r}; there are {', '.join(sorted(good))}")


def _listed(said: dict[str, Any], name: str, where: str) -> list[Any]:
    found = said.get(name, [])
    if not isinstance(found, list):
        raise RolesError(f"{name} of {where} is no list")
    return found
