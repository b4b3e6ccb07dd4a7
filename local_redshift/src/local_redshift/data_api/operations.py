"""The operations of the Data API: a request's members to what they do, and to the answer's members."""

from __future__ import annotations

import base64
import binascii
import re
import uuid
from collections.abc import Callable, Mapping
from typing import Any

from local_redshift.data_api.faults import (
    ApiError,
    constraint,
    invalid,
    no_result,
    no_such_statement,
)
from local_redshift.data_api.statements import Asked, Part, Statement, Statements
from local_redshift.read.secrets import without_secrets

WORKGROUP = "local"
"""What the local Redshift's workgroup is called."""
Members = Mapping[str, Any]
_ID = re.compile(r"[a-z0-9]{8}(?:-[a-z0-9]{4}){3}-[a-z0-9]{12}")
_PART_ID = re.compile(rf"({_ID.pattern})(?::(\d{{1,2}}))?")
_WHERE = ("Database", "WorkgroupName", "ClusterIdentifier", "DbUser", "SecretArn")
_RUN = {
    *(*_WHERE, "ClientToken", "SessionId", "SessionKeepAliveSeconds", "StatementName"),
    *("WaitTimeSeconds", "ResultFormat", "WithEvent", "Parameters"),
}


def answer(statements: Statements, user: str, operation: str, members: Members) -> dict[str, Any]:
    """What an operation answers. ApiError where it refuses."""
    run = _OPERATIONS.get(operation)
    if run is None:
        raise ApiError(
            "UnknownOperationException",
            f"the local Redshift has no Data API operation {operation}; there are "
            + ", ".join(sorted(_OPERATIONS)),
        )
    return run(statements, user, members)


# -- to run ----------------------------------------------------------------------------------------


def _execute(statements: Statements, user: str, members: Members) -> dict[str, Any]:
    _known(members, {"Sql", *_RUN})
    sql = _text(members, "Sql", required=True)
    return _submitted(statements, _asked(statements, user, members, (sql,)), members)


def _batch(statements: Statements, user: str, members: Members) -> dict[str, Any]:
    _known(members, {"Sqls", "ExecutionMode", *_RUN})
    texts = members.get("Sqls")
    if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
        raise constraint("sqls", "Member must not be null")
    most = statements.limits.batch_statements
    if not 1 <= len(texts) <= most:
        bound = f"less than or equal to {most}" if texts else "greater than or equal to 1"
        raise constraint("sqls", f"Member must have length {bound}")
    mode = _text(members, "ExecutionMode") or "TRANSACTION"
    if mode not in ("TRANSACTION", "AUTO_COMMIT"):
        raise constraint(
            "executionMode", "Member must satisfy enum value set: [TRANSACTION, AUTO_COMMIT]"
        )
    asked = _asked(statements, user, members, tuple(texts), mode)
    return _submitted(statements, asked, members)


def _asked(
    statements: Statements, user: str, members: Members, texts: tuple[str, ...], mode: str = ""
) -> Asked:
    """What the members of a request to run something mean."""
    limits = statements.limits
    for text in texts:
        try:
            size = len(text.encode("utf-8"))
        except UnicodeEncodeError:  # half a pair of surrogates, which JSON can write
            raise ApiError("SerializationException", "the SQL is no Unicode text") from None
        if not text.strip():
            raise invalid("SQL statement is empty")
        if size > limits.statement_bytes:
            raise invalid(
                f"Query text is too large: {size} bytes; a statement has {limits.statement_bytes} at "
                "most"
            )
    for name in ("Parameters", "WithEvent"):
        if members.get(name):
            raise invalid(f"the local Redshift has no rule for {name}; leave it out")
    if members.get("ResultFormat", "JSON") != "JSON":
        raise invalid("the local Redshift gives results as JSON; leave ResultFormat out")
    session_id = _text(members, "SessionId")
    keep_alive_s = _number(members, "SessionKeepAliveSeconds", 0, limits.keep_alive_s)
    if session_id:
        if not _ID.fullmatch(session_id):
            raise constraint("sessionId", f"Member must satisfy regular expression: {_ID.pattern}")
        if given := [name for name in _WHERE if members.get(name)]:
            raise invalid(
                f"{', '.join(given)} can't be given with SessionId: a session has its own"
            )
    else:
        _check_where(members)
    name = _text(members, "StatementName")
    if len(name) > 2048:
        raise constraint("statementName", "Member must have length less than or equal to 2048")
    return Asked(
        user,
        texts,
        is_batch=bool(mode),
        is_transaction=mode == "TRANSACTION",
        database=_text(members, "Database"),
        session_id=session_id,
        keep_alive_s=keep_alive_s,
        name=name,
    )


def _check_where(members: Members) -> None:
    """A new statement names a database and a warehouse; here there is one of each."""
    if not _text(members, "Database"):
        raise invalid("Database is required: name it, or a SessionId")
    workgroup, cluster = _text(members, "WorkgroupName"), _text(members, "ClusterIdentifier")
    if bool(workgroup) == bool(cluster):
        raise invalid("either ClusterIdentifier or WorkgroupName must be given, and not both")
    if cluster or workgroup != WORKGROUP:
        raise invalid("Redshift endpoint doesn't exist in this region.")
    for name in ("DbUser", "SecretArn"):
        if members.get(name):
            raise invalid(
                f"the local Redshift takes no {name}: an access key stands for a user of the database"
            )


def _submitted(statements: Statements, asked: Asked, members: Members) -> dict[str, Any]:
    token = _text(members, "ClientToken") or str(uuid.uuid4())
    if len(token) > 64:
        raise constraint("clientToken", "Member must have length less than or equal to 64")
    seconds = _wait(statements, members)
    statement = statements.submit(asked, token)
    if seconds:
        statements.wait(statement, seconds)
    result = {
        "Id": statement.id,
        "CreatedAt": statement.created,
        "Database": asked.database or "dev",
        "DbUser": asked.user,
        "WorkgroupName": WORKGROUP,
        "Status": statement.status,
        "HasResultSet": statement.has_result,
        "RedshiftPid": statement.process_id,
    }
    if statement.session is not None:
        result["SessionId"] = statement.session.id
    return result


# -- to ask after it -------------------------------------------------------------------------------


def _describe(statements: Statements, user: str, members: Members) -> dict[str, Any]:
    _known(members, {"Id", "WaitTimeSeconds"})
    statement, place = _named(statements, user, members)
    if seconds := _wait(statements, members):
        statements.wait(statement, seconds)
    if place is not None:
        return {**_part(statement, place), "Status": statement.parts[place].status}
    # Read before the parts: what is over is complete.
    status, error = statement.status, statement.error
    parts = statement.parts
    over = [part for part in parts if part.duration_ns]
    result: dict[str, Any] = {
        "Id": statement.id,
        "CreatedAt": statement.created,
        "UpdatedAt": statement.updated,
        "Database": statement.asked.database or "dev",
        "DbUser": user,
        "WorkgroupName": WORKGROUP,
        "Status": status,
        "HasResultSet": statement.has_result,
        "Duration": sum(part.duration_ns for part in over),
        "QueryString": without_secrets(parts[0].text) if not statement.asked.is_batch else "",
        "RedshiftPid": statement.process_id,
        "RedshiftQueryId": parts[-1].query_id if not statement.asked.is_batch else 0,
        "ResultFormat": "JSON",
        "ResultRows": parts[0].rows if not statement.asked.is_batch else -1,
        "ResultSize": _size(parts[0]) if not statement.asked.is_batch else -1,
    }
    if error:
        result["Error"] = error
    if statement.session is not None:
        result["SessionId"] = statement.session.id
    if statement.asked.is_batch:
        result["ExecutionMode"] = "TRANSACTION" if statement.asked.is_transaction else "AUTO_COMMIT"
        result["SubStatements"] = [_part(statement, place) for place in range(len(parts))]
    return result


def _part(statement: Statement, place: int) -> dict[str, Any]:
    """A statement of a batch."""
    part = statement.parts[place]
    result = {
        "Id": f"{statement.id}:{place + 1}",
        "CreatedAt": part.created,
        "UpdatedAt": part.updated,
        "Status": part.status,
        "Duration": part.duration_ns,
        "QueryString": without_secrets(part.text),
        "HasResultSet": part.pages is not None,
        "ResultRows": part.rows,
        "ResultSize": _size(part),
        "RedshiftQueryId": part.query_id,
    }
    if part.error:
        result["Error"] = part.error
    return result


def _size(part: Part) -> int:
    return part.pages.bytes if part.pages is not None else -1


def _result(statements: Statements, user: str, members: Members) -> dict[str, Any]:
    _known(members, {"Id", "NextToken", "WaitTimeSeconds"})
    statement, place = _named(statements, user, members)
    if seconds := _wait(statements, members):
        statements.wait(statement, seconds)
    if statement.asked.is_batch and place is None:
        raise invalid("BatchExecuteStatement result can only be retrieved with sub-statement id.")
    part = statement.parts[place or 0]
    if not statement.over.is_set() or statement.status != "FINISHED" or part.pages is None:
        raise no_result()
    token = _text(members, "NextToken")
    whose = f"{statement.id}:{place or 0}"
    number = _page_number(token, whose) if token else 0
    pages = part.pages
    if not 0 <= number < pages.count:
        raise invalid("NextToken is invalid")
    result: dict[str, Any] = {
        "Records": pages.page(number),
        "ColumnMetadata": pages.columns,
        "TotalNumRows": pages.rows,
    }
    if number + 1 < pages.count:
        result["NextToken"] = base64.b64encode(f"{whose} {number + 1}".encode()).decode()
    return result


def _page_number(token: str, whose: str) -> int:
    """The page that a token names of this result; -1 where it is another's, or none."""
    try:
        of, _, number = base64.b64decode(token, validate=True).decode("ascii").partition(" ")
    except (binascii.Error, UnicodeDecodeError):
        return -1
    return int(number) if of == whose and number.isdigit() else -1


def _cancel(statements: Statements, user: str, members: Members) -> dict[str, Any]:
    _known(members, {"Id"})
    statement, _ = _named(statements, user, members)
    statements.cancel(statement)
    return {"Status": statement.status == "ABORTED"}


_OPERATIONS: Mapping[str, Callable[[Statements, str, Members], dict[str, Any]]] = {
    "ExecuteStatement": _execute,
    "BatchExecuteStatement": _batch,
    "DescribeStatement": _describe,
    "GetStatementResult": _result,
    "CancelStatement": _cancel,
}


# -- members ---------------------------------------------------------------------------------------


def _known(members: Members, names: set[str]) -> None:
    unknown = sorted(set(members) - names)
    if unknown:
        raise invalid(f"the local Redshift has no rule for the member {unknown[0]}; leave it out")


def _text(members: Members, name: str, required: bool = False) -> str:
    value = members.get(name)
    if value is None and not required:
        return ""
    if not isinstance(value, str):
        raise constraint(name[0].lower() + name[1:], "Member must not be null")
    return value


def _number(members: Members, name: str, least: int, most: int) -> int | None:
    value = members.get(name)
    if value is None:
        return None
    if not isinstance(value, int) or isinstance(value, bool):
        raise ApiError("SerializationException", f"{name} is no number")
    if not least <= value <= most:
        bound = (
            f"greater than or equal to {least}"
            if value < least
            else f"less than or equal to {most}"
        )
        raise constraint(name[0].lower() + name[1:], f"Member must have value {bound}")
    return value


def _wait(statements: Statements, members: Members) -> int:
    return _number(members, "WaitTimeSeconds", 1, statements.limits.wait_s) or 0


def _named(statements: Statements, user: str, members: Members) -> tuple[Statement, int | None]:
    """The statement of an Id, and the place of its part where the Id names one."""
    found = _PART_ID.fullmatch(_text(members, "Id", required=True))
    if found is None:
        raise constraint("id", f"Member must satisfy regular expression: {_PART_ID.pattern}")
    statement = statements.find(user, found[1])
    if found[2] is None:
        return statement, None
    place = int(found[2]) - 1
    if not statement.asked.is_batch or not 0 <= place < len(statement.parts):
        raise no_such_statement()
    return statement, place
