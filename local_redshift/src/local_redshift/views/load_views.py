"""The system views of loads: what COPY and UNLOAD did, and the rows that could not be loaded.

What is kept is `load_log`'s; the other system views are in `system_views`.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from local_redshift.database.load_log import Load
from local_redshift.database.session import Session
from local_redshift.values.catalog import DATABASE
from local_redshift.values.oids import oid
from local_redshift.values.types import BIGINT, INTEGER, TIMESTAMP, Type, varchar

_TEXT, _LONG = varchar(256), varchar(1024)
Shape = tuple[tuple[str, Type], ...]

SYS_LOAD_ERROR_DETAIL: Shape = (
    ("user_id", INTEGER), ("query_id", BIGINT), ("transaction_id", BIGINT), ("session_id", INTEGER),
    ("database_name", _TEXT), ("table_id", INTEGER), ("start_time", TIMESTAMP),
    ("file_name", _LONG), ("line_number", BIGINT), ("column_name", _TEXT), ("column_type", _TEXT),
    ("column_length", _TEXT), ("position", INTEGER), ("error_code", INTEGER),
    ("error_message", _LONG),
)  # fmt: skip
STL_LOAD_ERRORS: Shape = (
    ("userid", INTEGER), ("slice", INTEGER), ("tbl", INTEGER), ("starttime", TIMESTAMP),
    ("session", INTEGER), ("query", INTEGER), ("filename", _LONG), ("line_number", BIGINT),
    ("colname", _TEXT), ("type", _TEXT), ("col_length", _TEXT), ("position", INTEGER),
    ("raw_line", _LONG), ("raw_field_value", _LONG), ("err_code", INTEGER), ("err_reason", _TEXT),
)  # fmt: skip
SYS_LOAD_HISTORY: Shape = (
    ("user_id", INTEGER), ("query_id", BIGINT), ("transaction_id", BIGINT), ("session_id", INTEGER),
    ("database_name", _TEXT), ("status", _TEXT), ("table_name", _TEXT), ("start_time", TIMESTAMP),
    ("end_time", TIMESTAMP), ("duration", BIGINT), ("data_source", _LONG), ("file_format", _TEXT),
    ("loaded_rows", BIGINT), ("loaded_bytes", BIGINT), ("source_file_count", INTEGER),
    ("source_file_bytes", BIGINT), ("file_count_scanned", INTEGER), ("file_bytes_scanned", BIGINT),
    ("error_count", BIGINT),
)  # fmt: skip
SYS_UNLOAD_HISTORY: Shape = (
    ("user_id", INTEGER), ("query_id", BIGINT), ("transaction_id", BIGINT), ("session_id", INTEGER),
    ("database_name", _TEXT), ("status", _TEXT), ("start_time", TIMESTAMP),
    ("end_time", TIMESTAMP), ("duration", BIGINT), ("file_format", _TEXT),
    ("unload_location", _LONG), ("unloaded_rows", BIGINT), ("unloaded_files_count", BIGINT),
    ("unloaded_files_size", BIGINT), ("error_count", BIGINT),
)  # fmt: skip
STL_LOAD_COMMITS: Shape = (
    ("userid", INTEGER), ("query", INTEGER), ("slice", INTEGER), ("filename", _LONG),
    ("curtime", TIMESTAMP), ("status", INTEGER), ("file_format", _TEXT),
)  # fmt: skip
STL_UNLOAD_LOG: Shape = (
    ("userid", INTEGER), ("query", INTEGER), ("slice", INTEGER), ("pid", INTEGER), ("path", _LONG),
    ("start_time", TIMESTAMP), ("end_time", TIMESTAMP), ("file_format", _TEXT),
)  # fmt: skip


def _is_shown(session: Session, load: Load) -> bool:
    """Whether the user may know of a load: its rows may be anybody's."""
    return session.catalog.access is None or load.user == session.user


def errors(session: Session) -> Iterable[dict[str, Any]]:
    """A row of SYS_LOAD_ERROR_DETAIL and STL_LOAD_ERRORS for each row that was not loaded."""
    for failed in list(session.database.loads.errors):
        load, row = failed.load, failed.row
        if not _is_shown(session, load):
            continue
        yield {
            **_load_facts(load), "table_id": oid(load.table), "tbl": oid(load.table), "slice": 0,
            "start_time": failed.at, "starttime": failed.at,
            "file_name": row.file, "filename": row.file, "line_number": row.line,
            "column_name": row.column, "colname": row.column,
            "column_type": row.type, "type": row.type,
            "column_length": row.length, "col_length": row.length, "position": row.position,
            "raw_line": row.raw_line, "raw_field_value": row.raw_value,
            "error_code": row.code, "err_code": row.code,
            "error_message": row.reason, "err_reason": row.reason[:100],
        }  # fmt: skip


def _loads(session: Session) -> list[Load]:
    """The loads that the user may know of."""
    return [load for load in list(session.database.loads.loads) if _is_shown(session, load)]


def loads(session: Session) -> Iterable[dict[str, Any]]:
    """A row of SYS_LOAD_HISTORY for each COPY."""
    for load in _loads(session):
        if load.verb == "copy":
            yield {
                **_load_facts(load), "table_name": load.table.rpartition(".")[2],
                "data_source": load.source, "loaded_rows": load.rows,
                "loaded_bytes": load.file_bytes, "source_file_count": load.files,
                "source_file_bytes": load.file_bytes, "file_count_scanned": load.files,
                "file_bytes_scanned": load.file_bytes,
            }  # fmt: skip


def unloads(session: Session) -> Iterable[dict[str, Any]]:
    """A row of SYS_UNLOAD_HISTORY for each UNLOAD."""
    for load in _loads(session):
        if load.verb == "unload":
            yield {
                **_load_facts(load), "unload_location": load.source, "unloaded_rows": load.rows,
                "unloaded_files_count": load.files, "unloaded_files_size": load.file_bytes,
            }  # fmt: skip


def load_files(session: Session) -> Iterable[dict[str, Any]]:
    """A row of STL_LOAD_COMMITS for each file of a COPY that was completed."""
    return _files(session, "copy")


def unload_files(session: Session) -> Iterable[dict[str, Any]]:
    """A row of STL_UNLOAD_LOG for each file of an UNLOAD that was completed."""
    return _files(session, "unload")


def _files(session: Session, verb: str) -> Iterable[dict[str, Any]]:
    for load in _loads(session):
        if load.verb == verb and load.status == "completed":
            for address in load.addresses:
                facts = _load_facts(load)
                yield {**facts, "filename": address, "path": address, "status": 1, "slice": 0}


def _load_facts(load: Load) -> dict[str, Any]:
    lasted = (load.ended - load.began) if load.ended else None
    return {
        "user_id": 100, "userid": 100, "query_id": load.query_id, "query": load.query_id,
        "transaction_id": load.query_id, "session_id": load.process_id, "session": load.process_id,
        "pid": load.process_id, "database_name": DATABASE, "status": load.status,
        "start_time": load.began, "end_time": load.ended, "curtime": load.ended,
        "duration": int(lasted.total_seconds() * 1_000_000) if lasted is not None else None,
        "file_format": load.format, "error_count": load.error_count,
    }  # fmt: skip
