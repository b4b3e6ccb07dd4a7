"""COPY: finds the files by prefix or manifest, loads them by their format, and keeps what happened.

The text is read by `copy_options`, Parquet by `copy_parquet`, CSV and delimited text by `copy_text`.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from local_redshift.copy.options import Copy, read_copy
from local_redshift.copy.parquet import parquet_statement
from local_redshift.copy.text import TextReading, read_text, text_statement
from local_redshift.database.load_errors import LoadFailure, blocked
from local_redshift.database.load_log import Load, now
from local_redshift.database.results import Notice, Rows
from local_redshift.database.session import Session, permit_role
from local_redshift.database.storage import Access, bucket_and_key
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.uses import Uses

_File = tuple[str, str]  # address, local path
_PROBLEM = "Problem reading manifest file - "


def run_copy(session: Session, words: Words, sql: str) -> Rows:
    """COPY, after the word itself. What failed is kept, whether or not the transaction is."""
    copy = read_copy(words, session.catalog)
    database = session.database
    log, number = database.loads, session.entry.query_id if session.entry else 0
    load = log.begin(
        Load(
            number, session.user, session.process_id, "copy", str(copy.table), copy.address,
            copy.format, now(),
        )
    )  # fmt: skip
    try:
        with log.keeping(load):
            rows = _loaded(session, copy, load)
    finally:
        database.resolver.release()
    session.last_copy_count, session.last_copy_id = load.rows, load.query_id
    return rows


def _loaded(session: Session, copy: Copy, load: Load) -> Rows:
    permit_role(session, copy.role, "copy")
    session.catalog.permit(copy.table, "insert")
    role = session.database.roles.assume(copy.role, session.user)
    access = Access(session.database.resolver, role, copy["region"] or "")
    files = manifest_files(copy, access) if copy["manifest"] else _prefix_files(copy, access)
    load.addresses = tuple(address for address, _ in files)
    load.files, load.file_bytes = len(files), sum(Path(local).stat().st_size for _, local in files)
    if copy.format == "parquet":
        text = parquet_statement(copy, files, session.connection)
        load.rows = session.run([_inserting(copy, text)]).row_count
        return Rows(row_count=load.rows, notices=(_completed(copy, load.rows),))
    scratch = session.database.scratch
    scratch.mkdir(mode=0o700, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=scratch) as folder:
        aside = Path(folder) / "rows.parquet"
        reading = read_text(copy, files, aside)
        session.database.loads.failed(load, now(), reading.errors)
        if reading.failed:
            raise _failure(copy, reading)
        if copy["noload"]:
            return Rows(row_count=0, notices=(_valid(copy, reading.rows),))
        load.rows = session.run([_inserting(copy, text_statement(copy, aside))]).row_count
    return Rows(row_count=load.rows, notices=_notices(copy, load.rows, reading))


def _inserting(copy: Copy, text: str) -> Command:
    return Command(text, Uses(), copy.table, Mode.APPEND)


def _failure(copy: Copy, reading: TextReading) -> RedshiftError:
    error = reading.errors[-1]
    where = f"{error.file}, line {error.line}" + (
        f", column {error.column}" if error.column else ""
    )
    return RedshiftError(
        "XX000",
        f"Load into table '{copy.table.name}' failed.  Check 'stl_load_errors' system table for "
        "details.",
        f"{where}: code {error.code}, {_without_value(error.code, error.reason)}",
        "select * from sys_load_error_detail order by start_time desc",
    )


def _without_value(code: int, reason: str) -> str:
    """A load error's reason without what it quotes of the data, for errors and logs."""
    return reason.split(", Value", maxsplit=1)[0] if code == 1207 else reason


def _completed(copy: Copy, rows: int) -> Notice:
    return Notice(
        "INFO", "00000",
        f"Load into table '{copy.table.name}' completed, {rows} record(s) loaded successfully.",
    )  # fmt: skip


def _valid(copy: Copy, rows: int) -> Notice:
    return Notice(
        "INFO",
        "00000",
        f"Load into table '{copy.table.name}': {rows} record(s) are valid (noload).",
    )


def _notices(copy: Copy, rows: int, reading: TextReading) -> tuple[Notice, ...]:
    notices = [_completed(copy, rows)]
    if reading.errors:
        notices.append(
            Notice(
                "INFO", "00000",
                f"Load into table '{copy.table.name}' completed, {len(reading.errors)} record(s) could "
                "not be loaded.  Check 'stl_load_errors' system table for details.",
            )
        )  # fmt: skip
    if reading.replaced:
        notices.append(
            Notice(
                "INFO", "00000",
                f"Load into table '{copy.table.name}' completed, {reading.replaced} record(s) had "
                "invalid characters replaced.",
            )
        )  # fmt: skip
    return tuple(notices)


def _prefix_files(copy: Copy, access: Access) -> list[_File]:
    """Every object whose address begins with the COPY's: one that is meant alone is found alone."""
    objects = access.list(copy.address)
    if not objects:
        _, key = bucket_and_key(copy.address)
        raise blocked(
            f"The specified S3 prefix '{key}' does not exist", 8001,
            f"S3 key being read : {copy.address}",
        )  # fmt: skip
    return [(address, access.file(address)) for address, _ in objects]


def manifest_files(copy: Copy, access: Access) -> list[_File]:
    """The files that a manifest names; for Parquet their sizes must be there and exact."""
    if not access.may("get", copy.address):  # as misleading as Redshift says it
        raise blocked(
            "COPY with MANIFEST parameter requires full path of an S3 object", 8001, copy.address
        )
    entries = _entries(access.read(copy.address, _PROBLEM), copy.address)
    if not entries:
        raise refuse(f"an empty manifest ({copy.address})", "leave the COPY out")
    files = [file for entry in entries if (file := _entry_file(copy, entry, access)) is not None]
    if not files:
        raise refuse(f"a manifest none of whose parts is there ({copy.address})", "back up again")
    return files


def _entry_file(copy: Copy, entry: Any, access: Access) -> _File | None:
    """The file of one entry of a manifest; None: it is not there and need not be."""
    address = _entry_address(copy, entry)
    size = (entry.get("meta") or {}).get("content_length")
    if size is None and copy.format == "parquet":
        raise blocked("File entry does not have 'meta' key.", 15003, address)
    local = access.find(address) if not entry.get("mandatory") else access.file(address)
    if local is None:
        return None
    actual = Path(local).stat().st_size
    if size is not None and actual != size and copy.format == "parquet":
        raise blocked(
            f"the manifest says {size} bytes of {address}, there are {actual}", 15003,
            f"{copy.address}: write the manifest anew",
        )  # fmt: skip
    return address, local


def _entry_address(copy: Copy, entry: Any) -> str:
    if not isinstance(entry, dict):
        raise RedshiftError("XX000", f"{_PROBLEM}an entry is not an object at {copy.address}")
    address = str(entry.get("url", ""))
    key = address.removeprefix("s3://").partition("/")[2]
    if not address.startswith("s3://") or not key or key.endswith("/"):
        raise blocked(
            "COPY with MANIFEST parameter requires full path of an S3 object", 8001,
            f"{address or 'an entry without url'} in {copy.address}",
        )  # fmt: skip
    return address


def _entries(text: bytes, address: str) -> list[Any]:
    try:
        entries = json.loads(text)["entries"]
    except (ValueError, KeyError, TypeError):
        raise RedshiftError("XX000", f"{_PROBLEM}no JSON with entries at {address}") from None
    if not isinstance(entries, list):
        raise RedshiftError("XX000", f"{_PROBLEM}entries is no list at {address}")
    return entries


__all__ = ["LoadFailure", "manifest_files", "run_copy"]
