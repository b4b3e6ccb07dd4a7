"""What every function is given: its arguments' kinds, and the session's facts. No function lives here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from local_redshift.errors import refuse
from local_redshift.values.casts import as_text, cast, convert
from local_redshift.values.catalog import Catalog
from local_redshift.values.types import BIGINT, DOUBLE
from local_redshift.values.uses import Uses
from local_redshift.values.value import Value


@dataclass(frozen=True)
class Context:
    """What rules know of the session and the statement: None means "not fixed yet", as inside a view."""

    now: datetime | None = None  # UTC, start of the statement
    began: datetime | None = None  # UTC, start of the transaction
    user: str = "admin"
    schema: str = "public"
    process_id: int = 0
    last_copy_count: int = 0
    last_query_id: int = -1
    last_copy_id: int = -1
    catalog: Catalog | None = None  # what relations there are
    uses: Uses = field(default_factory=Uses)  # what is compiled puts here what it needs


Arguments = list[Value]
Rule = Callable[[str, Arguments, Context], Value]


def text(value: Value, name: str) -> Value:
    """An argument that must be text."""
    if value.type.kind not in ("varchar", "char", "unknown"):
        raise refuse(f"{name} of {value.type}", "cast the argument to varchar(n)")
    return as_text(value)


def whole(value: Value, name: str) -> str:
    """An argument that must be an integer."""
    if not value.type.is_integer:
        raise refuse(f"{name} with {value.type}", "give an integer")
    return convert(value, BIGINT)


def constant(value: Value, name: str) -> str:
    """An argument that must be a literal: its text."""
    if value.literal is None:
        raise refuse(f"{name} with a computed argument", "give a literal")
    return value.literal


def number(value: Value, name: str) -> Value:
    """An argument that must be a number; a bare text is read as one."""
    if value.type.kind == "unknown":
        return cast(value, DOUBLE)
    if not value.type.is_number:
        raise refuse(f"{name} of {value.type}", "cast the argument to a number")
    return value
