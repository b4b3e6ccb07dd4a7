"""The system views of what runs and who holds what. What is kept: `query_log`, `locks`, `database`.

Redshift shows an ordinary user his own statements only; so it is here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from local_redshift.database.session import Session
from local_redshift.values.catalog import DATABASE
from local_redshift.values.scope import Columns
from local_redshift.values.types import BIGINT, BOOLEAN, INTEGER, TIMESTAMP, varchar

_Facts = Iterable[dict[str, Any]]
_USER_ID = 100  # the first user that is not Amazon's own
_TEXT, _LONG = varchar(256), varchar(4000)


def _queries(session: Session) -> _Facts:
    """Every statement that is kept, under the names that the older views have, too."""
    access = session.catalog.access
    for entry in session.database.log.entries:
        if access is not None and entry.user != session.user:
            continue
        failed = entry.status == "failed"
        yield {
            "user_id": _USER_ID, "userid": _USER_ID, "usename": entry.user,
            "query_id": entry.query_id, "query": entry.query_id,
            "query_label": entry.label, "label": entry.label,
            "transaction_id": entry.transaction, "xid": entry.transaction,
            "session_id": entry.process_id, "pid": entry.process_id,
            "database_name": DATABASE, "database": DATABASE,
            "query_type": entry.kind, "status": entry.status, "result_cache_hit": False,
            "start_time": entry.started, "starttime": entry.started,
            "end_time": entry.ended, "endtime": entry.ended,
            "elapsed_time": entry.elapsed_us, "elapsed": entry.elapsed_us,
            "returned_rows": entry.rows if entry.kind == "SELECT" else 0,
            "error_message": entry.error[:512] if failed else None,
            "query_text": entry.text, "querytxt": entry.text, "substring": entry.text[:60],
            "aborted": int(failed),
        }  # fmt: skip


def _locks(session: Session) -> _Facts:
    for held in session.database.locks:
        transaction = session.database.transaction_of(held.owner.process_id)
        began = None if transaction is None else transaction.began
        if held.granted:
            yield {
                "table_id": session.database.oid(held.table), "last_update": began,
                "lock_owner": held.owner.number, "lock_owner_pid": held.owner.process_id,
                "lock_owner_start_ts": began, "lock_owner_end_ts": None,
                "lock_status": "Holding insert lock" if held.mode.name == "APPEND"
                else "Holding write lock",
            }  # fmt: skip


def _transactions(session: Session) -> _Facts:
    database = session.database
    users = {other.process_id: other.user for other in database.sessions}
    for held in database.locks:
        transaction = database.transaction_of(held.owner.process_id)
        yield {
            "txn_owner": users.get(held.owner.process_id), "txn_db": DATABASE,
            "xid": held.owner.number, "pid": held.owner.process_id,
            "txn_start": None if transaction is None else transaction.began,
            "lock_mode": held.mode.label, "lockable_object_type": "relation",
            "relation": database.oid(held.table), "granted": held.granted,
        }  # fmt: skip


def _sessions(session: Session) -> _Facts:
    for other in session.database.sessions:
        yield {
            "starttime": other.since, "process": other.process_id, "user_name": other.user,
            "db_name": DATABASE, "user_id": _USER_ID, "session_id": other.process_id,
            "database_name": DATABASE, "status": "active" if other is session else "idle",
            "start_time": other.since, "end_time": None,
        }  # fmt: skip


def _isolation(session: Session) -> _Facts:
    level = session.database.transactions.level
    shown = "Snapshot Isolation" if level == "SNAPSHOT" else "Serializable"
    return [{"db_id": 100, "db_name": DATABASE, "isolation_level": shown}]


VIEWS: dict[str, tuple[Columns, Callable[[Session], _Facts]]] = {
    "stl_query": (
        (
            ("userid", INTEGER), ("query", INTEGER), ("label", _TEXT), ("xid", BIGINT),
            ("pid", INTEGER), ("database", _TEXT), ("querytxt", _LONG), ("starttime", TIMESTAMP),
            ("endtime", TIMESTAMP), ("aborted", INTEGER),
        ),
        _queries,
    ),
    "stv_db_isolation_level": (
        (("db_id", INTEGER), ("db_name", _TEXT), ("isolation_level", _TEXT)),
        _isolation,
    ),
    "stv_locks": (
        (
            ("table_id", INTEGER), ("last_update", TIMESTAMP), ("lock_owner", BIGINT),
            ("lock_owner_pid", BIGINT), ("lock_owner_start_ts", TIMESTAMP),
            ("lock_owner_end_ts", TIMESTAMP), ("lock_status", _TEXT),
        ),
        _locks,
    ),
    "stv_sessions": (
        (
            ("starttime", TIMESTAMP), ("process", INTEGER), ("user_name", _TEXT),
            ("db_name", _TEXT),
        ),
        _sessions,
    ),
    "svl_qlog": (
        (
            ("userid", INTEGER), ("query", INTEGER), ("xid", BIGINT), ("pid", INTEGER),
            ("starttime", TIMESTAMP), ("endtime", TIMESTAMP), ("elapsed", BIGINT),
            ("aborted", INTEGER), ("label", _TEXT), ("substring", _TEXT),
        ),
        _queries,
    ),
    "svv_transactions": (
        (
            ("txn_owner", _TEXT), ("txn_db", _TEXT), ("xid", BIGINT), ("pid", INTEGER),
            ("txn_start", TIMESTAMP), ("lock_mode", _TEXT), ("lockable_object_type", _TEXT),
            ("relation", INTEGER), ("granted", BOOLEAN),
        ),
        _transactions,
    ),
    "sys_query_history": (
        (
            ("user_id", INTEGER), ("query_id", BIGINT), ("query_label", _TEXT),
            ("transaction_id", BIGINT), ("session_id", INTEGER), ("database_name", _TEXT),
            ("query_type", _TEXT), ("status", _TEXT), ("result_cache_hit", BOOLEAN),
            ("start_time", TIMESTAMP), ("end_time", TIMESTAMP), ("elapsed_time", BIGINT),
            ("returned_rows", BIGINT), ("error_message", _TEXT), ("query_text", _LONG),
        ),
        _queries,
    ),
    "sys_session_history": (
        (
            ("user_id", INTEGER), ("session_id", INTEGER), ("database_name", _TEXT),
            ("status", _TEXT), ("start_time", TIMESTAMP), ("end_time", TIMESTAMP),
        ),
        _sessions,
    ),
}  # fmt: skip
