"""`import_file`: a file into a raw table, all of it or nothing. Reading, typing and keys are elsewhere.

The file is first judged as a whole, its typed rows kept aside on the disk; only then is the shop's
database opened, so that nobody waits for a file that is being read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.types import arrow_type
from orderhe_dagster.intake.importing.constraints import violations
from orderhe_dagster.intake.importing.duplicate_keys import KeyCheck, key_checks
from orderhe_dagster.intake.importing.file_formats import read_chunks
from orderhe_dagster.intake.importing.problems import Findings
from orderhe_dagster.intake.importing.source_file import Chunk
from orderhe_dagster.intake.importing.values import convert
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.settings.scratch import scratch_folder

if TYPE_CHECKING:
    import pyarrow as pa

_READ_BYTES = 1 << 20


@dataclass(frozen=True)
class Imported:
    """What an import did. The days are those of the rows' partition column; None: it has none."""

    rows: int
    first_day: date | None
    last_day: date | None
    archive_key: str
    sha256: str


def import_file(
    table: Table,
    path: Path | str,
    source: Source,
    store: Store,
    progress: Callable[[int], None] | None = None,
    *,
    scratch: Path,
    force: bool = False,
) -> Imported:
    """Append the rows of a CSV, JSON lines or Python file to a raw table, and archive the file.

    `path` may be the dotted name of a Python module. `progress` is told the rows read so far.
    The file is kept in the store under `imports/<table>/<sha256>-<name>`. A table without a key
    takes the same bytes once, unless `force`. Days in the shop's time zone; of a child, its parent's are not
    looked up. What is hashed, read
    and archived is a copy made at once in a folder of its own under `scratch`.

    ImportProblems lists what is wrong with the file; nothing is loaded then.
    """
    table = table.in_source
    file, module = _located(path)
    findings = Findings(file.name)
    if not file.is_file():
        findings.add(0, "", None, "there is no such file")
        findings.stop_if_any()
    with scratch_folder(scratch, label=f"import {file.name} into {table.ref}") as folder:
        copy = folder / "original" / file.name
        sha256 = _copied(file, copy)
        mark = f"imports/{table.name}/{sha256}.json"
        keys = key_checks(table, folder)
        if not keys and not force and store.get(mark) is not None:
            message = (
                f"this file was imported into {table.ref} before, and the table has no key that "
                "would tell its rows from new ones; repeat with force (--force) to load them again"
            )
            findings.add(1, "", None, message)
            findings.stop_if_any()
        runs = file.suffix.lower() == ".py"  # where it stands, since it may look around itself
        chunks = read_chunks(table, file if runs else copy, findings, module)
        aside = folder / "rows.arrow"
        rows, days = _judge(table, chunks, keys, findings, aside, progress)
        if runs and _copied(file, folder / "again") != sha256:
            findings.add(0, "", None, "the file changed while it was read; import it again")
        for key in keys:
            key.find_in_file(findings)
        findings.stop_if_any()
        plain_name = re.sub(r"[^\w.-]", "_", file.name)
        archive_key = f"imports/{table.name}/{sha256}-{plain_name}"
        first, last = (_day(table, value) for value in days)
        imported = Imported(rows, first, last, archive_key, sha256)
        with source.writing() as transaction:
            for key in keys:
                key.find_in_table(transaction, findings)
            findings.stop_if_any()
            for batch in _batches(aside):
                transaction.append(table, batch)
            _archive(store, copy, imported, mark)
    return imported


def _located(path: Path | str) -> tuple[Path, str | None]:
    """The file, and the module's dotted name where that was given."""
    file = Path(path)
    name = str(path)
    if file.exists() or not re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", name):
        return file, None
    try:
        spec = importlib.util.find_spec(name)
    except ModuleNotFoundError:
        return file, None
    if spec is None or spec.origin is None or not spec.origin.endswith(".py"):
        return file, None
    return Path(spec.origin), name


def _copied(file: Path, copy: Path) -> str:
    """Copy a file, and give the sha256 of what was copied."""
    digest = hashlib.sha256()
    copy.parent.mkdir(exist_ok=True)
    with file.open("rb") as reader, copy.open("wb") as writer:
        while block := reader.read(_READ_BYTES):
            digest.update(block)
            writer.write(block)
    return digest.hexdigest()


def _judge(
    table: Table,
    chunks: Any,
    keys: list[KeyCheck],
    findings: Findings,
    aside: Path,
    progress: Callable[[int], None] | None,
) -> tuple[int, tuple[Any, Any]]:
    """Type every chunk and keep it in `aside`; gives the rows and the ends of the partition column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    count = 0
    ends: list[Any] = []
    writer: pa.RecordBatchFileWriter | None = None
    try:
        for chunk in chunks:
            batch = _typed(table, chunk, findings)
            findings.cells.clear()  # no later chunk speaks of these
            count += batch.num_rows
            for key in keys:
                key.add(batch, chunk.lines)
            if table.partition in batch.column_names:
                both = pc.min_max(batch[table.partition]).as_py()
                ends += [value for value in both.values() if value is not None]
                ends = [min(ends), max(ends)] if ends else []
            if not findings.count:  # rows that will not be loaded need not be kept
                writer = writer or pa.ipc.new_file(str(aside), batch.schema)
                writer.write_table(batch)
            if progress:
                progress(count)
    finally:
        if writer:
            writer.close()
    first, last = ends or (None, None)
    return count, (first, last)


def _typed(table: Table, chunk: Chunk, findings: Findings) -> pa.Table:
    """The chunk in the contract's types; what is no value is reported, and NULL in the result."""
    import pyarrow as pa

    wrong = list(violations(table, chunk.columns))
    arrays = {}
    for name, text in chunk.columns.items():
        column = table.column(name)
        arrays[name], faults = convert(column, text)
        wrong += [(row, column, reason) for row, reason in faults]
    for row, column, reason in sorted(wrong, key=lambda one: one[0]):
        value = chunk.columns[column.name][row].as_py()
        findings.add(chunk.lines[row], column, value, reason)
    schema = pa.schema([(name, arrow_type(table.column(name).type)) for name in arrays])
    return pa.table(arrays, schema=schema)


def _batches(aside: Path) -> Any:
    import pyarrow as pa

    if not aside.exists():
        return
    with pa.OSFile(str(aside)) as file, pa.ipc.open_file(file) as reader:
        for number in range(reader.num_record_batches):
            yield pa.Table.from_batches([reader.get_batch(number)])


def _day(table: Table, value: Any) -> date | None:
    """The shop's day of a value of the partition column."""
    if not isinstance(value, datetime):
        return value if isinstance(value, date) else None
    if table.partition and table.column(table.partition).type.instant:
        return value.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(table.time_zone)).date()
    return value.date()


def _archive(store: Store, copy: Path, imported: Imported, mark: str) -> None:
    """Give the copy to the store, with a record of its import; the same file again is the same keys."""
    if store.sizes([imported.archive_key]) != [copy.stat().st_size]:
        store.upload([(imported.archive_key, copy)])
    record = {
        "file": copy.name,
        "rows": imported.rows,
        "first_day": str(imported.first_day) if imported.first_day else None,
        "last_day": str(imported.last_day) if imported.last_day else None,
        "archive_key": imported.archive_key,
        "imported_at": datetime.now(timezone.utc).isoformat(timespec="seconds"),
    }
    store.put(mark, json.dumps(record, ensure_ascii=False, indent=1).encode())
