"""`import_file`: a file into a raw table, all of it or nothing. Reading, typing and keys are elsewhere.

The file is first judged as a whole, its typed rows kept aside on the disk; only then is the shop's
database opened, so that nobody waits for a file that is being read.
"""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.types import arrow_type
from orderhe_dagster.intake.files.refusals import Unreadable
from orderhe_dagster.intake.importing.column_map import ColumnMap
from orderhe_dagster.intake.importing.constraints import violations
from orderhe_dagster.intake.importing.csv_rows import Passed, row_chunks
from orderhe_dagster.intake.importing.duplicate_keys import KeyCheck, key_checks
from orderhe_dagster.intake.importing.habits import (
    MOMENTS,
    NUMBERS,
    Habits,
    Survey,
    unusual_digits,
)
from orderhe_dagster.intake.importing.hints import Hints
from orderhe_dagster.intake.importing.object_rows import json_rows, module_rows, object_chunks
from orderhe_dagster.intake.importing.plan import Plan, known_names, plan_of
from orderhe_dagster.intake.importing.problems import Findings
from orderhe_dagster.intake.importing.recognise import is_plain, recognise, told_of
from orderhe_dagster.intake.importing.source_file import Chunk, Damaged, SourceFile, fault_of
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
    recognised: str = ""  # what the file was taken for


def import_file(
    table: Table,
    path: Path | str,
    source: Source,
    store: Store,
    progress: Callable[[int], None] | None = None,
    *,
    scratch: Path,
    force: bool = False,
    hints: Hints | None = None,
    mapped: ColumnMap | None = None,
) -> Imported:
    """Append the rows of a file to a raw table, and archive the file.

    What the file is (CSV, a workbook, JSON lines; how packed and encoded) is told by its bytes and by
    `hints`; which of its columns is which, by its header and by `mapped`. A Python file is run, and
    only where `hints.run_python`; `path` may then be the dotted name of a module. `progress` is told
    the rows read so far. The file is kept in the store under `imports/<table>/<sha256>-<name>`. A table
    without a key takes the same bytes once, unless `force`. Days in the shop's time zone; of a child,
    its parent's are not looked up. What is hashed, read and archived is a copy made at once in a folder
    of its own under `scratch`.

    ImportProblems lists what is wrong with the file; nothing is loaded then.
    """
    table = table.in_source
    file, module = _located(path)
    mapped = mapped or ColumnMap()
    hints = (hints or Hints()).over(mapped.hints)
    findings = Findings(file.name)
    _refuse_at_once(file, module, hints, findings)
    with scratch_folder(scratch, label=f"import {file.name} into {table.ref}") as folder:
        copy = folder / "original" / file.name
        sha256 = _copied(file, copy)
        mark = f"imports/{table.name}/{sha256}.json"
        if not key_checks(table, folder) and not force and store.get(mark) is not None:
            message = (
                f"this file was imported into {table.ref} before, and the table has no key that "
                "would tell its rows from new ones; repeat with force (--force) to load them again"
            )
            findings.add(1, "", None, message)
            findings.stop_if_any()
        runs = _is_python(file)  # where it stands, since it may look around itself
        content: _Content
        if runs:
            content = _Module(table, file, module, findings)
        else:
            content = _opened(table, copy, hints, mapped, findings, folder)
        judged = _judged(table, content, hints, findings, folder, progress)
        if runs and _copied(file, folder / "again") != sha256:
            findings.add(0, "", None, "the file changed while it was read; import it again")
        for key in judged.keys:
            key.find_in_file(findings)
        findings.stop_if_any()
        plain_name = re.sub(r"[^\w.-]", "_", file.name)
        archive_key = f"imports/{table.name}/{sha256}-{plain_name}"
        first, last = (_day(table, value) for value in judged.days)
        recognised = f"{file.name}: {content.told(judged.habits, judged.rows)}"
        imported = Imported(judged.rows, first, last, archive_key, sha256, recognised)
        with source.writing() as transaction:
            for key in judged.keys:
                key.find_in_table(transaction, findings)
            findings.stop_if_any()
            for batch in _batches(judged.aside):
                transaction.append(table, batch)
            _archive(store, copy, imported, mark)
    return imported


def _refuse_at_once(file: Path, module: str | None, hints: Hints, findings: Findings) -> None:
    if not file.is_file():
        findings.add(0, "", None, "there is no such file")
    elif (module or _is_python(file)) and not hints.run_python:
        what = f"module {module}" if module else "file"
        message = (
            f"a Python {what} is run when it is imported, with all that it does; if you trust it, "
            "say so by --run-python"
        )
        findings.add(0, "", None, message)
    findings.stop_if_any()


def _is_python(file: Path) -> bool:
    return file.suffix.lower() == ".py"


class _Content(ABC):
    """The rows of a file, which can be read more than once."""

    @abstractmethod
    def chunks(self) -> Iterator[Chunk]:
        """The rows from the first on."""

    @abstractmethod
    def told(self, habits: Habits | None, rows: int | None) -> str:
        """What the file was taken for."""

    @property
    def days(self) -> frozenset[str]:
        """Columns that take the day of a moment."""
        return frozenset()

    @property
    def separator(self) -> str:
        """What parts the cells."""
        return ","


class _Module(_Content):
    """The list of a Python file, which is run once."""

    def __init__(self, table: Table, file: Path, module: str | None, findings: Findings) -> None:
        self.table, self.findings = table, findings
        self.rows = module_rows(table, file, module, findings)

    def chunks(self) -> Iterator[Chunk]:
        """The rows of the list."""
        return object_chunks(self.table, iter(self.rows), iter(self.rows), self.findings)

    def told(self, habits: Habits | None, rows: int | None) -> str:
        """That it was run."""
        return f"Python, which was run, {len(self.rows):,} rows"


class _Objects(_Content):
    """The lines of a file of JSON."""

    def __init__(
        self, table: Table, source: SourceFile, mapped: ColumnMap, findings: Findings
    ) -> None:
        self.table, self.source, self.mapped, self.findings = table, source, mapped, findings

    def chunks(self) -> Iterator[Chunk]:
        """The rows, read twice for the columns that any of them names."""
        path, damage = self.source.path, self.source.damage
        try:
            yield from object_chunks(
                self.table,
                json_rows(self.table, path, damage, self.mapped),
                json_rows(self.table, path, damage, self.mapped),
                self.findings,
            )
        except Damaged as error:
            self.findings.add(error.line, "", None, str(error))

    def told(self, habits: Habits | None, rows: int | None) -> str:
        """Packing and encoding."""
        return told_of(self.source, None, Passed(), habits.notes if habits else (), rows)


class _Rows(_Content):
    """The rows of a CSV file or a sheet."""

    def __init__(self, table: Table, source: SourceFile, plan: Plan, findings: Findings) -> None:
        self.table, self.source, self.plan, self.findings = table, source, plan, findings
        self.passed = Passed()

    def chunks(self) -> Iterator[Chunk]:
        """The rows behind the header."""
        self.passed = Passed()
        try:
            for chunk in row_chunks(self.table, self.source, self.plan, self.findings, self.passed):
                yield self._filled(chunk) if self.source.sheet else chunk
        except Damaged as error:
            self.findings.add(error.line, "", None, str(error))

    def _filled(self, chunk: Chunk) -> Chunk:
        """A sheet has no empty texts: where a text is needed, an empty cell is one."""
        import pyarrow.compute as pc

        columns = dict(chunk.columns)
        for name, text in columns.items():
            column = self.table.column(name)
            if column.type.kind == "varchar" and column.required and not column.values:
                columns[name] = pc.fill_null(text, "")
        return Chunk(columns, chunk.lines)

    def told(self, habits: Habits | None, rows: int | None) -> str:
        """Packing, encoding, layout and what was passed over."""
        notes = habits.notes if habits else ()
        return told_of(self.source, self.plan, self.passed, notes, rows)

    @property
    def days(self) -> frozenset[str]:
        """Columns that the map makes take the day of a moment."""
        return self.plan.days

    @property
    def separator(self) -> str:
        """What parts the cells."""
        return self.source.layout.separator


def _opened(
    table: Table, copy: Path, hints: Hints, mapped: ColumnMap, findings: Findings, folder: Path
) -> _Content:
    """The file as it was recognised. ImportProblems where it cannot be read, or its header is wrong."""
    try:
        source = recognise(copy, hints, known_names(table, mapped), folder / "recognised")
    except Unreadable as error:
        findings.unit = error.unit
        findings.add(error.line, "", None, str(error))
        findings.stop_if_any()
        raise
    if not is_plain(source):
        findings.recognised = f"{findings.file}: {told_of(source, None, Passed(), (), None)}"
    if source.kind == "json":
        return _Objects(table, source, mapped, findings)
    layout = source.layout
    findings.unit = "row" if source.sheet else "line"
    if source.damage and not layout.header:
        raise_damaged = Damaged(0, source.damage)
        findings.add(1, "", None, str(raise_damaged))
    elif not layout.header:
        findings.add(1, "", None, "the file is empty; its first line must name the columns")
    elif any(map(fault_of, layout.header)):
        message = "a header that is no UTF-8 text; save the file as UTF-8"
        findings.add(layout.header_line, "", None, message)
    findings.stop_if_any()
    plan = plan_of(table, layout.header, mapped, findings, layout.header_line)
    return _Rows(table, source, plan, findings)


@dataclass
class _Judged:
    """The typed rows of a file, kept aside, and what is known of them."""

    aside: Path
    keys: list[KeyCheck]
    habits: Habits | None = None
    rows: int = 0
    days: tuple[Any, Any] = (None, None)
    doubtful: set[str] = field(default_factory=set)  # columns with texts that are no value


def _judged(
    table: Table,
    content: _Content,
    hints: Hints,
    findings: Findings,
    folder: Path,
    progress: Callable[[int], None] | None,
) -> _Judged:
    """Judge the whole file: as it stands, and where that fails, as its values are written."""
    judged = _Judged(folder / "rows.arrow", key_checks(table, folder))
    told = hints.decimal or hints.dates or hints.null
    surveyed = bool(told or content.days or content.separator == ";")
    if not surveyed:
        _judge(table, content.chunks(), judged, findings, progress, stops=True)
        surveyed = bool(judged.doubtful)
    if not surveyed:
        return judged
    survey = Survey(table, hints, content.separator, content.days)
    findings.forget()
    for chunk in content.chunks():
        survey.add(chunk)
    findings.forget()  # what is wrong with rows is told below
    habits = survey.habits(findings)
    findings.stop_if_any()
    second = folder / "second"
    second.mkdir(exist_ok=True)
    judged = _Judged(second / "rows.arrow", key_checks(table, second), habits)
    _judge(table, content.chunks(), judged, findings, progress)
    return judged


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
    chunks: Iterator[Chunk],
    judged: _Judged,
    findings: Findings,
    progress: Callable[[int], None] | None,
    *,
    stops: bool = False,
) -> None:
    """Type every chunk and keep it aside; with `stops`, only until a column is in doubt."""
    import pyarrow as pa
    import pyarrow.compute as pc

    ends: list[Any] = []
    writer: pa.RecordBatchFileWriter | None = None
    try:
        for chunk in chunks:
            batch = _typed(table, chunk, findings, judged)
            if stops and judged.doubtful:
                return
            findings.cells.clear()  # no later chunk speaks of these
            judged.rows += batch.num_rows
            for key in judged.keys:
                key.add(batch, chunk.lines)
            if table.partition in batch.column_names:
                both = pc.min_max(batch[table.partition]).as_py()
                ends += [value for value in both.values() if value is not None]
                ends = [min(ends), max(ends)] if ends else []
            if not findings.count:  # rows that will not be loaded need not be kept
                writer = writer or pa.ipc.new_file(str(judged.aside), batch.schema)
                writer.write_table(batch)
            if progress:
                progress(judged.rows)
    finally:
        if writer:
            writer.close()
    first, last = ends or (None, None)
    judged.days = first, last


def _typed(table: Table, chunk: Chunk, findings: Findings, judged: _Judged) -> pa.Table:
    """The chunk in the contract's types; what is no value is reported, and NULL in the result."""
    import pyarrow as pa
    import pyarrow.compute as pc

    texts = chunk.columns
    if judged.habits:
        texts = {name: judged.habits.rewritten(name, text) for name, text in texts.items()}
    wrong = list(violations(table, texts))
    arrays = {}
    for name, text in texts.items():
        column = table.column(name)
        arrays[name], faults = convert(column, text)
        if faults and column.type.kind in NUMBERS | MOMENTS | {"boolean"}:
            judged.doubtful.add(name)
        pattern = "" if judged.habits else unusual_digits(column)
        if pattern and pc.any(pc.match_substring_regex(text, pattern)).as_py():
            judged.doubtful.add(name)
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
