"""What Redshift and redshift-connector say, as the port's errors with their remedies. Nothing is sent here.

The driver's classes say little (nearly everything the server sends is a ProgrammingError), so errors
are told apart by the server's own fields: C (SQLSTATE), M (message), D (detail).
"""

from __future__ import annotations

import json
import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any

from orderhe_dagster.ports.errors import ConnectionLost, PortError, StatementError, Symptom
from orderhe_dagster.resources.s3.policy import bucket_arn
from orderhe_dagster.settings.config import RedshiftSettings

_SECRET = re.compile(
    r"(\b(?:password|credentials|access_key_id|secret_access_key|session_token)\b[^'$\"]*)"
    r"(?:'(?:[^'\\]|\\.|'')*'?|\$(\w*)\$.*?(?:\$\2\$|\Z)|\"[^\"]*\"?)",
    re.IGNORECASE | re.DOTALL,
)
_HUNG_UP = "server socket closed"  # the driver's words
_EMPTY = "query was empty"  # the driver's words for text that is blank or all comment
RETRIED_CODES = ("40001", "40P01")
_RETRIED = re.compile(
    r"^1023\b|\b1023: |Serializable isolation violation|deadlock detected|could not open relation"
    r"|conflict with concurrent transaction|^1018\b|transaction.{0,40}\bwas aborted"
    # Two that `create … if not exists` at once: one meets the other's row of the system's tables.
    r'|duplicate key( value)? violates unique constraint "?pg_',
    re.IGNORECASE,
)
_CONTEXT = re.compile(r"^\s*context:\s*(.*?)\s*$", re.MULTILINE)
_RULE = re.compile(r"-{5,}")


def statement_error(
    error: Exception, sql: str, settings: RedshiftSettings
) -> StatementError | ConnectionLost:
    """The port's error for what a statement raised: the server's words, or a lost connection."""
    fields = server_fields(error)
    if fields is None and _EMPTY in str(error):
        return StatementError("there is no statement in this text", "42601", sql)
    if fields is None:
        said = _client_message(error)
        text = f"the connection to Redshift was lost while it ran {shown(sql)}: {said}"
        lost = ConnectionLost(text + _silence(settings) if _is_timeout(error) else text)
        lost.symptom = Symptom("redshift", said, "", facts_of(settings, sql))
        return lost
    return server_error(fields, sql, settings)


def server_error(fields: Mapping[str, str], sql: str, settings: RedshiftSettings) -> StatementError:
    """The port's error for the fields of a server's error: C (SQLSTATE), M (message), D (detail)."""
    message = message_of(fields)
    code, facts = fields.get("C", "XX000"), facts_of(settings, sql)
    refused = StatementError(message + _remedy(message, facts), code, sql)
    refused.symptom = Symptom("redshift", message, code, facts)
    return refused


def facts_of(settings: RedshiftSettings, sql: str = "") -> dict[str, str]:
    """What is known of a Redshift, and of the object that a statement names; nothing secret."""
    facts = {
        "host": settings.host,
        "port": str(settings.port),
        "database": settings.database,
        "user": settings.user,
        "workgroup": settings.workgroup,
        "cluster": settings.cluster,
        "role": settings.iam_role,
    }
    address = _ADDRESS.search(sql)
    if address:
        facts |= {"bucket": address[1], "key": address[2]}
        facts["action"] = "s3:PutObject" if sql.lstrip()[:6].lower() == "unload" else "s3:GetObject"
    return {name: text for name, text in facts.items() if text}


def unreadable(error: Exception, sql: str) -> ConnectionLost:
    """For an answer that the driver cannot read."""
    return ConnectionLost(
        f"the connection to Redshift was lost while it ran {shown(sql)}: what came is no message of "
        f"Redshift's ({type(error).__name__}: {error}). Bytes were lost or altered on the way, which TLS "
        "would refuse: set ORDERHE_REDSHIFT_SSLMODE=verify-full, and run it again"
    )


def not_let_in(settings: RedshiftSettings) -> PortError:
    """For a server that takes the connection, and is not done with letting us in."""
    within_s = settings.connect_timeout
    error = PortError(
        f"redshift://{settings.where} takes connections, but did not let us in within {within_s} s. The "
        "server stands still, its network does, or it is no Redshift: see whether it runs (`orderhe "
        "warehouse serve` for the local Redshift), and ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT, "
        "then run this again. One that is only slow (a paused workgroup wakes up) needs a higher "
        "ORDERHE_REDSHIFT_CONNECT_TIMEOUT."
    )
    text = f"takes connections, but did not let us in within {within_s} s"
    error.symptom = Symptom("redshift", text, "", facts_of(settings) | {"connecting": "yes"})
    return error


def _is_timeout(error: BaseException) -> bool:
    return any(isinstance(one, TimeoutError) for one in (error, *error.args))


def _silence(settings: RedshiftSettings) -> str:
    return (
        f" from redshift://{settings.where}. The server stands still, or its network does: see whether "
        "it runs, and run this again. A statement may run for ORDERHE_REDSHIFT_STATEMENT_TIMEOUT "
        f"({settings.statement_timeout} s), and its answer may come ORDERHE_REDSHIFT_CONNECT_TIMEOUT "
        f"({settings.connect_timeout} s) later"
    )


def server_fields(error: BaseException) -> Mapping[str, str] | None:
    """The fields of the server's ErrorResponse; None where the error is the client's own."""
    first = error.args[0] if error.args else None
    return first if isinstance(first, dict) and "M" in first else None


def message_of(fields: Mapping[str, str]) -> str:
    """Message and detail on one line; of Redshift's block of details, the part that says something.

    An assertion of ours arrives in the detail: the message is `Invalid digit, Value …` then.
    """
    message, detail = fields.get("M", "").strip(), fields.get("D", "")
    context = _CONTEXT.search(detail)
    text = context[1] if context else "" if _RULE.search(detail) else " ".join(detail.split())
    if text and message.startswith("Invalid digit"):  # a value of a row: told as one, to be masked
        text = f'"{text}"'
    return f"{message}: {text}" if text and text not in message else message


def is_retryable(error: StatementError) -> bool:
    """Whether another transaction was in the way, so that the same statements may pass later."""
    return error.code in RETRIED_CODES or bool(_RETRIED.search(error.message))


def connect_error(error: Exception, settings: RedshiftSettings) -> PortError:
    """Why no connection was made, and what to do."""
    fields, where = server_fields(error), f"redshift://{settings.where}"
    facts = facts_of(settings) | {"connecting": "yes"}
    if fields is not None:
        message = fields.get("M", "")
        refused = PortError(f"{where} refused the connection: {message}. {_refusal(fields)}")
        refused.symptom = Symptom("redshift", message, fields.get("C", ""), facts)
        return refused
    if _HUNG_UP in str(error):  # whose advice, a longer timeout, does not help
        gone = PortError(
            f"{where} took the connection and hung up: the server ended, or a proxy or tunnel is in "
            "between. See whether it runs, and ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT, then "
            "run this again."
        )
        gone.symptom = Symptom("redshift", _client_message(error), "", facts)
        return gone
    cause = next((arg for arg in error.args if isinstance(arg, BaseException)), error)
    said = _client_message(error)
    lost = PortError(f"no connection to {where}: {said}. {_unreached(cause, error)}")
    lost.symptom = Symptom("redshift", said, "", facts)
    return lost


def no_redshift(settings: RedshiftSettings, reason: str) -> PortError:
    """For what answers and speaks another protocol."""
    error = PortError(
        f"what answers at redshift://{settings.where} is no Redshift: another service has that "
        "port. See ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT."
    )
    text = f"what answers is no Redshift: {reason}"
    error.symptom = Symptom("redshift", text, "", facts_of(settings) | {"connecting": "yes"})
    return error


def _refusal(fields: Mapping[str, str]) -> str:
    code, message = fields.get("C", ""), fields.get("M", "")
    if "pg_hba.conf" in message and "SSL off" in message:
        return "The server takes TLS only: set ORDERHE_REDSHIFT_SSLMODE=verify-full."
    if code in ("28000", "28P01"):
        return (
            "See ORDERHE_REDSHIFT_USER and ORDERHE_REDSHIFT_PASSWORD; a new password is set with "
            "`alter user … password …`, or for the administrator in the namespace's settings. That "
            "of `orderhe warehouse serve` is in the file redshift/password of its ORDERHE_HOME."
        )
    if code == "3D000":
        return "Set ORDERHE_REDSHIFT_DATABASE to a database that is there; a new one is called dev."
    if code == "53300" or "too many connections" in message:
        return "Close other clients, or wait: too many are connected."
    return "See the server's message."


def _unreached(cause: BaseException, error: Exception) -> str:
    if isinstance(cause, ConnectionRefusedError):
        return (
            "The host answered, but nothing listens there: see ORDERHE_REDSHIFT_PORT, and whether "
            "the server runs (`orderhe warehouse serve` for the local Redshift)."
        )
    if isinstance(cause, socket.gaierror):
        return (
            "ORDERHE_REDSHIFT_HOST is no name that is known: copy the endpoint from the workgroup."
        )
    if isinstance(cause, ssl.SSLCertVerificationError):
        return (
            "The server's certificate is not to be trusted: use the endpoint's own name as "
            "ORDERHE_REDSHIFT_HOST; for a certificate of your own, name its CA in "
            "ORDERHE_REDSHIFT_SSL_CA."
        )
    if "refuses SSL" in str(error):
        return (
            "What answers there speaks no TLS, or hung up. A Redshift always speaks it, so this is none: "
            "a MySQL (port 3306; its settings are ORDERHE_MYSQL_*), or a proxy or tunnel. See "
            "ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT."
        )
    if isinstance(cause, TimeoutError):
        return (
            "Nothing answered in time. From outside of its network a workgroup must be publicly "
            "accessible, its security group must let your address in on this port, and its subnets "
            "need a route to an internet gateway."
        )
    return "See ORDERHE_REDSHIFT_HOST and ORDERHE_REDSHIFT_PORT."


_ADDRESS = re.compile(r"'s3://([^/']+)/([^']*)'")
_DENIED = re.compile(
    r"Access ?Denied|COPY with MANIFEST parameter requires full path", re.IGNORECASE
)
_REMEDIES = (
    (
        re.compile(r"not (associated|authorized to (assume|get credentials))", re.IGNORECASE),
        (
            "attach the role of ORDERHE_REDSHIFT_IAM_ROLE to the namespace, and let both services, "
            "redshift and redshift-serverless, assume it"
        ),
    ),
    (
        re.compile(r"permission denied", re.IGNORECASE),
        "grant this user the right, or connect as another",
    ),
)


def is_denied(message: str) -> bool:
    """Whether Redshift's role may not reach an object; of a manifest, Redshift has other words for it."""
    return bool(_DENIED.search(message))


def _remedy(message: str, facts: Mapping[str, str]) -> str:
    if is_denied(message):
        return f" ({_denied(message, facts)})"
    remedy = next((text for sign, text in _REMEDIES if sign.search(message)), "")
    return f" ({remedy})" if remedy else ""


def _denied(message: str, facts: Mapping[str, str]) -> str:
    """Which role lacks which statement."""
    role = facts.get("role", "default")
    named = "the namespace's default role" if role == "default" else f"the role {role}"
    action = facts.get("action", "s3:GetObject")
    bucket, key = facts.get("bucket", "BUCKET"), facts.get("key", "")
    statements = [
        {"Effect": "Allow", "Action": action, "Resource": objects_arn(bucket, key)},
        {
            "Effect": "Allow",
            "Action": ["s3:ListBucket", "s3:GetBucketLocation"],
            "Resource": bucket_arn(bucket, ""),
        },
    ]
    misleading = (
        "Redshift says this where its role may not read the manifest: "
        if "MANIFEST" in message
        else ""
    )
    return (
        f"{misleading}{named} (ORDERHE_REDSHIFT_IAM_ROLE), by which Redshift reaches S3, may not do "
        f"{action} on s3://{bucket}/{key}. Add to its policy, or take back what denies it: "
        f"{json.dumps(statements)}. The whole policy is in docs/redshift.md"
    )


def objects_arn(bucket: str, key: str) -> str:
    """The ARN of the objects that a role needs, by one of their keys: all of a layer's."""
    below = re.match(r"(?:.*/)?(?:backup|unload)/", key)
    return f"{bucket_arn(bucket, '')}/{below[0] if below else ''}*"


def _client_message(error: Exception) -> str:
    """The error's own words, without the driver's nesting."""
    words: list[Any] = [arg for arg in error.args if arg] or [type(error).__name__]
    return "; ".join(str(word) or type(word).__name__ for word in words)


def shown(sql: str) -> str:
    """The beginning of a statement, for a message."""
    return repr(" ".join(_SECRET.sub(r"\1'***'", sql).split())[:80])
