"""What Redshift's Data API says, as the port's errors with their remedies. No request is sent here.

A request is refused by an exception of its service; a statement that was taken in fails later, by a
text that has no SQLSTATE beside it.
"""

from __future__ import annotations

import json
import re
from typing import Any

from orderhe_dagster.ports.errors import ConnectionLost, PortError, StatementError, Symptom
from orderhe_dagster.resources.redshift.errors import facts_of, server_error, shown
from orderhe_dagster.resources.s3.errors import (
    EXPIRED,
    LOGIN,
    code_of,
    is_unreached,
    of_configuration,
    one_line,
    quotes_credentials,
    status_of,
)
from orderhe_dagster.settings.config import RedshiftSettings


class SessionGone(ConnectionLost):
    """The session ended before the request came: what was asked for was not run."""


BUSY = {
    "ActiveStatementsExceededException",
    "ActiveSessionsExceededException",
    "ActiveWaitingRequestsExceededException",
    "ThrottlingException",
    "TooManyRequestsException",
}
"""The exceptions by which a request was not taken in, and may be a little later."""
_NO_STATEMENT = "there is no statement in this text"
_TAIL = re.compile(r"\s*\[ErrorId: [^\]]*\]\s*$")
_CONTEXT = re.compile(r"\bcontext:\s+(.*?)\s+query:\s", re.DOTALL)
_DETAIL = re.compile(r"\s+(?:Detail:\s|-{20,})")
_HINT = re.compile(r"\n\s+Hint:\s.*", re.DOTALL)
_SERVER = re.compile(r"\s*(?:ERROR|FATAL|PANIC):\s+")
_ACTION = re.compile(r"perform:? ([\w-]+:\w+)")
_NAME = r'(?:"[^"]*"|\S+)'
_CODES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (code, re.compile(pattern, re.IGNORECASE))
    for code, pattern in (
        ("42P01", rf"(?:relation|table|view) {_NAME} (?:does not exist|is not in the from clause)"),
        ("3F000", rf"schema {_NAME} does not exist"),
        ("3D000", rf"database {_NAME} does not exist"),
        ("42703", rf"column {_NAME}(?: of (?:relation )?{_NAME})? does not exist"),
        ("42704", rf"(?:user|group|role|constraint) {_NAME} (?:of .* )?does not exist"),
        ("42P07", rf"(?:relation|table) {_NAME} already exists"),
        ("42P06", rf"schema {_NAME} already exists"),
        ("42701", rf"column {_NAME} (?:of relation {_NAME} )?(?:already exists|specified more)"),
        ("42710", rf"(?:user|group|role|constraint) {_NAME} already exists"),
        ("42601", r"syntax error\b"),
        ("42601", r"cannot insert multiple commands into a prepared statement"),
        ("42883", r"function \S+ (?:does not exist|does not take|takes )"),
        ("42501", r"(?:permission denied|must be owner)\b"),
        ("42803", rf"column {_NAME} must appear in the group by clause"),
        ("0A000", r"the local redshift has no rule for "),
        ("0A000", r"[\w ,]+ (?:is|are) not supported\b"),
        ("2BP01", r"cannot drop .* because .* depends? on it"),
        ("22012", r"division by zero|divide by zero"),
        ("22001", r"value too long for type"),
        ("22003", r"(?:value|numeric value|\w+) out of range|numeric data overflow|overflow\b"),
        ("22P02", r"invalid input syntax for"),
        ("22023", r"invalid value for parameter"),
        ("23502", r"cannot insert a null value into column|null value in column"),
        (
            "25001",
            r"\S.* cannot run inside a transaction block|a transaction is already in progress",
        ),
        ("25006", r"transaction is read-only"),
        ("25P02", r"current transaction is aborted"),
        ("40001", r"could not serialize access"),
        ("40P01", r"deadlock detected"),
        ("53100", r"disk full\b"),
        ("54000", r"packet for query is too large|database response exceeded size limit"),
        ("57014", r"(?:query .*)?cancelled on user's request|canceling statement due to"),
        ("57014", r"query cancelled on user's request"),
    )
)
"""SQLSTATE by the beginning of a message: what a value of a row says in the midst of one is no sign."""


def code_of_message(message: str) -> str:
    """The SQLSTATE that belongs to a message of Redshift's; XX000 where none is known."""
    return next((code for code, pattern in _CODES if pattern.match(message)), "XX000")


def failed_statement(
    text: str, sql: str, settings: RedshiftSettings
) -> StatementError | ConnectionLost:
    """The port's error for a statement that ended with this text; ConnectionLost: not the server's words."""
    words = _TAIL.sub("", text).strip()
    begin = _SERVER.match(words)
    if begin is None:
        lost = ConnectionLost(
            f"the Data API lost its connection to Redshift while it ran {shown(sql)}: {words or 'no word'}"
        )
        lost.symptom = Symptom("redshift", words or "no word", "", facts_of(settings, sql))
        return lost
    body = _HINT.sub("", words[begin.end() :])
    detail = _DETAIL.search(body)
    message = " ".join((body[: detail.start()] if detail else body).split())
    if message == "the statement is empty":
        return StatementError(_NO_STATEMENT, "42601", sql)
    context = _CONTEXT.search(body)
    fields = {"M": message, "C": code_of_message(message)}
    if context is not None:
        fields["D"] = f"context: {' '.join(context[1].split())}"
    elif detail is not None and "-----" not in body:
        fields["D"] = " ".join(body[detail.end() :].split())
    return server_error(fields, sql, settings)


def request_error(error: Exception, settings: RedshiftSettings, doing: str, sql: str) -> PortError:
    """The port's error for a request that was refused, or not answered; `doing` is like `run select 1`.

    ConnectionLost where it may have been taken in, and where the session is gone.
    """
    result = _request_error(error, settings, doing, sql)
    result.symptom = _symptom(error, settings, sql)
    return result


def _symptom(error: Exception, settings: RedshiftSettings, sql: str) -> Symptom:
    """What AWS's client or the service said; `DATA` tells it from what Redshift itself says."""
    facts = {name: text for name, text in facts_of(settings, sql).items() if name != "host"}
    if settings.endpoint_url:
        facts["data_endpoint"] = settings.endpoint_url
    if quotes_credentials(error):
        return Symptom("redshift", "AWS's credentials hold a line break", "DATA", facts)
    response = getattr(error, "response", None)
    if isinstance(response, dict):
        said = f"{code_of(error)}: {response.get('Error', {}).get('Message', '')}"
        named = _ACTION.search(said)
        facts["action"] = named[1] if named else f"redshift-data:{error.operation_name}"  # type: ignore[attr-defined]
        return Symptom("redshift", said, "DATA", facts)
    kinds = [kind.__name__ for kind in type(error).__mro__]
    return Symptom("redshift", f"{' '.join(kinds[:2])}: {one_line(error)}", "DATA", facts)


def _request_error(error: Exception, settings: RedshiftSettings, doing: str, sql: str) -> PortError:
    response = getattr(error, "response", None)
    where = place(settings)
    if quotes_credentials(error):
        return PortError(
            f"cannot {doing} by {where}: AWS's credentials hold a line break. Set them again: {LOGIN}"
        )
    if isinstance(response, dict):
        return _refused(error, settings, doing, sql)
    if remedy := of_configuration(error):
        return PortError(f"cannot {doing} by {where}: {remedy} (said: {one_line(error)})")
    if is_unreached(error):
        return ConnectionLost(
            f"no answer from {where} when asked to {doing}: {one_line(error)}. See that the network and "
            "the proxy let HTTPS out (AWS_DEFAULT_REGION, ORDERHE_REDSHIFT_ENDPOINT_URL, HTTPS_PROXY), "
            "and run this again"
        )
    return PortError(f"cannot {doing} by {where}: {one_line(error)}")


def _refused(error: Any, settings: RedshiftSettings, doing: str, sql: str) -> PortError:
    """What an exception of the service's means."""
    code, where = code_of(error), place(settings)
    message = str(error.response.get("Error", {}).get("Message", "")) or code
    if code == "ValidationException" and "SQL statement is empty" in message:
        return StatementError(_NO_STATEMENT, "42601", sql)
    if code == "ValidationException" and re.search(r"\bSession\b", message):
        if error.response.get("ResponseMetadata", {}).get(
            "RetryAttempts"
        ):  # by AWS's client itself
            return ConnectionLost(
                f"no answer from {where} when first asked to {doing}; then: {message}"
            )
        return SessionGone(
            f"the session of {where} is gone ({message}), and its temporary tables with it: run this again"
        )
    if code == "ValidationException" and "too large" in message:
        return StatementError(message, "54000", sql)
    if status_of(error) >= 500 or (code == "ResourceNotFoundException" and not sql):
        return ConnectionLost(f"{where} did not manage to {doing}: {code}: {message}")
    remedy = _remedy(code, message, error.operation_name, settings)
    return PortError(f"cannot {doing} by {where}: {remedy} (said: {code}: {message})")


def _remedy(code: str, message: str, operation: str, settings: RedshiftSettings) -> str:
    if code in {"AccessDeniedException", "AccessDenied", "UnauthorizedException"}:
        return _denied(message, operation, settings)
    if code in {*EXPIRED, "UnrecognizedClientException", "InvalidSignatureException"}:
        return f"AWS's credentials are not right, or have expired: {LOGIN}. See also this machine's clock"
    if code == "MissingAuthenticationTokenException":
        return f"AWS's credentials are missing: {LOGIN}"
    if "endpoint doesn't exist" in message:
        own = "the local Redshift's are `local` and `us-east-1`"
        amazons = "`aws redshift-serverless list-workgroups` lists them"
        return (
            "there is no such warehouse in the region. See ORDERHE_REDSHIFT_WORKGROUP (or _CLUSTER) and "
            f"AWS_DEFAULT_REGION: {own if settings.endpoint_url else amazons}"
        )
    if code not in BUSY and "secret" in message.lower():
        return "see ORDERHE_REDSHIFT_SECRET_ARN, and secretsmanager:GetSecretValue on it"
    return _TOO_MUCH if code in BUSY else "read what it says, mend it and run it again"


_TOO_MUCH = (
    "the Data API has all it can do, and went on saying so. Run it again a little later, with fewer "
    "runs at once"
)


def _denied(message: str, operation: str, settings: RedshiftSettings) -> str:
    """What the caller lacks, as the statement to add."""
    named = _ACTION.search(message)
    action = named[1] if named else f"redshift-data:{operation}"
    statement: dict[str, Any] = {
        "Effect": "Allow",
        "Action": action,
        "Resource": "arn:aws:redshift-serverless:REGION:ACCOUNT:workgroup/WORKGROUP-ID"
        if settings.workgroup
        else f"arn:aws:redshift:REGION:ACCOUNT:cluster:{settings.cluster}",
    }
    if action == "redshift:GetClusterCredentials":
        cluster, where = settings.cluster, "arn:aws:redshift:REGION:ACCOUNT"
        statement["Resource"] = [
            f"{where}:dbuser:{cluster}/{settings.user}",
            f"{where}:dbname:{cluster}/{settings.database}",
        ]
    if action.startswith("redshift-data:") and operation in _BY_STATEMENT:
        statement["Resource"] = "*"
    return (
        f"{action} is not allowed. Add this statement to the policy of whoever runs this: "
        f"{json.dumps(statement)}. The whole policy is in docs/redshift.md"
    )


_BY_STATEMENT = {"DescribeStatement", "GetStatementResult", "CancelStatement"}
"""The requests about a statement of one's own, whose rights are of no warehouse."""


def place(settings: RedshiftSettings) -> str:
    """The warehouse as the Data API names it, without secrets."""
    return f"redshift-data://{settings.workgroup or settings.cluster}/{settings.database}"
