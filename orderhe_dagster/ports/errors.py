"""What goes wrong at a port. Words of one system's own errors belong to its adapter.

::

    PortError                 what, where and the remedy, in one text
    ├── PreconditionFailed    a conditional write lost: somebody else wrote first
    ├── LockTimeout           a file or table stayed locked; names who holds it
    ├── StatementError        a statement failed; carries Redshift's code and message
    ├── NotSent               a message to people could not be handed over
    └── ConnectionLost        the server went away; an open transaction is rolled back
        └── CommitUnknown     it went away while it committed: look, do not repeat blindly
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from orderhe_dagster.errors import OrderheError


@dataclass(frozen=True)
class Symptom:
    """What a system said, and what was asked of it: by these a cause is known. Nothing secret, no values.

    `system`: mysql, redshift, s3, aws or home. `code` is its own: MySQL's number, an SQLSTATE, S3's code.
    """

    system: str
    text: str
    code: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


class PortError(OrderheError):
    """The base of every error of a port. The text names the thing and the next action."""

    symptom: Symptom | None = None


_Error = TypeVar("_Error", bound=PortError)


def as_told_by(error: PortError, other: _Error) -> _Error:
    """The other error, which says more of what one error told: with the system's own words of that one."""
    other.symptom = other.symptom or error.symptom
    return other


class PreconditionFailed(PortError):
    """A conditional write lost to another writer."""


class LockTimeout(PortError):
    """A lock was not had in the time allowed."""


UNDEFINED_TABLE = "42P01"
"""The SQLSTATE of a statement that names a relation which is not there."""


class StatementError(PortError):
    """A warehouse statement failed. `code` is an SQLSTATE, `statement` the SQL that failed."""

    def __init__(self, message: str, code: str = "XX000", statement: str = "") -> None:
        super().__init__(message)
        self.message, self.code, self.statement = message, code, statement


class NotSent(PortError):
    """A message could not be handed over. The text names the address, without what is secret of it."""


class ConnectionLost(PortError):
    """The connection broke. What was not committed is rolled back; temporary tables are gone."""


class CommitUnknown(ConnectionLost):
    """The connection broke while a COMMIT was under way: it may have happened."""
