"""Writes an export: a select's rows to its files, unless what lies there was made from the same.

Where the files lie is `export_files`' to say, how a row looks there `csv_files`'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.rendering import csv_files, csv_lines, printing, table_schema
from orderhe_dagster.rendering.csv_files import SHEET_ROWS, Written, csv_file
from orderhe_dagster.road import audit, export_months, export_order
from orderhe_dagster.road.audit import UNDEFINED_SCHEMA
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.road.export_months import Held, MonthsFolder, load_lines, months_of
from orderhe_dagster.road.export_order import MonthOrder, month_order
from orderhe_dagster.road.export_records import Exported, ExportRecord, MonthFiles
from orderhe_dagster.road.inputs import missing
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.scratch import scratch_folder

_WRITERS = (csv_files, csv_lines, export_months, export_order, printing, table_schema)
"""The modules that decide on the bytes of an export's files."""
BY_MONTHS = 200_000
"""From so many rows on, an export with days is written month by month."""


@dataclass(frozen=True)
class Export:
    """One export: its table, the record of its files, the most bytes of a part, when it goes by months."""

    table: Table
    record: ExportRecord
    part_bytes: int
    by_months: int = BY_MONTHS

    @property
    def files(self) -> ExportFiles:
        """Where its files lie."""
        return self.record.files

    @property
    def label(self) -> str:
        """The asset."""
        return f"export/{self.table.name}"

    def order_by_months(self, rows: int) -> MonthOrder | None:
        """How to sort each month, where it is written month by month: it has about so many rows."""
        by_months = self.table.partition and self.table.grain and rows >= self.by_months
        return month_order(self.table) if by_months else None


@dataclass(frozen=True)
class Outcome:
    """What lies there now, whether any of it was written by this run, and which months of it."""

    exported: Exported
    is_new: bool
    months: Sequence[str] = ()


def export(wanted: Export, warehouse: Warehouse, require_passed: Callable[[], None]) -> Outcome:
    """Write the files, or leave them where they were made from the same and nobody touched them.

    `require_passed` raises where what is read has failed a check.
    """
    table, label, scratch = wanted.table, wanted.label, wanted.record.scratch
    # A slower run must not put what it read before over what another has read since.
    with file_lock(scratch / f"export-{table.name}", label=label):
        held = _held(wanted, warehouse)
        content = content_of(wanted, warehouse.identity, held)
        require_passed()
        kept = wanted.record.kept(content)
        if kept is not None:
            return Outcome(kept, False)
        with scratch_folder(scratch, label=f"export {table.name}") as aside:
            about = _most_rows(held)
            order = wanted.order_by_months(about) if content else None
            if order is not None:
                written = _write_months(wanted, order, warehouse, held, aside)
            else:
                written = _write_whole(wanted, warehouse, aside, about)
            # What was built meanwhile may be what was read.
            require_passed()
            if held != _held(wanted, warehouse):
                content = None
            if content is None and written.new_months:
                # Months of several moments make no whole: one select does.
                written = _write_whole(wanted, warehouse, aside, about)
                require_passed()
            parts = wanted.files.publish(written.whole, table, written.cut)
        exported = wanted.record.keep(content, written.whole, parts, written.months)
        return Outcome(exported, True, written.new_months)


@dataclass(frozen=True)
class _Files:
    """Files that were written aside; `cut` is the folder of the parts, where they are cut already."""

    whole: Written
    cut: Path | None = None
    months: Mapping[str, MonthFiles] = field(default_factory=dict)
    new_months: Sequence[str] = ()


def _write_whole(wanted: Export, warehouse: Warehouse, aside: Path, about: int) -> _Files:
    path = aside / wanted.files.csv.name
    return _Files(_write(wanted, warehouse, wanted.table.sql, about, path))


def _write(wanted: Export, warehouse: Warehouse, select: str, about: int, path: Path) -> Written:
    try:
        with csv_file(path, wanted.table.column_names, wanted.part_bytes) as file:
            warehouse.write(select, file, wanted.label, about)
            return file.written(path)
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        raise missing(wanted.table, error.message) from error


def _write_months(
    wanted: Export, order: MonthOrder, warehouse: Warehouse, held: Held, aside: Path
) -> _Files:
    """The months that are others than before, with those that are not; all rows in one file, too.

    Where one part would hold them all there are no parts, and no months are kept.
    """
    table, files = wanted.table, wanted.files
    before, new = wanted.record.months_there(), list[str]()
    folder = MonthsFolder(aside / "months", table.name)
    for month in months_of(table, held, _made_by(wanted, warehouse.identity)):
        kept = before.get(month.name)
        if kept is not None and kept.content == month.content:
            folder.keep(month.name, kept, files.parts)
            continue
        path = aside / f"{month.name}.csv"
        select = month.select(table, order)
        folder.add(month, _write(wanted, warehouse, select, month.about, path))
        new.append(month.name)
    whole = folder.joined(aside / files.csv.name, table.column_names)
    if whole.size <= wanted.part_bytes and whole.rows <= SHEET_ROWS:
        return _Files(whole, new_months=new)
    return _Files(whole, folder.folder, folder.months, new)


def _held(wanted: Export, warehouse: Warehouse) -> Held:
    """What the audit says of the tables that an export reads."""
    names = sorted(map(str, wanted.table.depends_on))
    try:
        with warehouse.session(wanted.label, read_only=True) as session:
            return audit.read(session, names)
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return {name: {} for name in names}


def _most_rows(held: Held) -> int:
    """The rows of the largest table that is read: mostly about as many are written."""
    return max((sum(row.rows for row in rows.values()) for rows in held.values()), default=0)


def content_of(wanted: Export, identity: str, held: Held) -> str | None:
    """What the files of an export are made from, as a digest: the loads it reads, its text, the writer.

    None where nobody can say: an upstream was never loaded, or the select may give other rows of the
    same ones, as one that reads the clock.
    """
    if not all(held.values()) or not wanted.table.is_steady:
        return None
    lines = [*_made_by(wanted, identity), *load_lines(held)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


def _made_by(wanted: Export, identity: str) -> list[str]:
    """What makes other bytes of the same loads."""
    schema = table_schema.json_text(table_schema.table_schema(wanted.table))
    sizes = f"{wanted.part_bytes} {wanted.by_months}"
    return [identity, _writer(), sizes, wanted.table.sql, schema]


@cache
def _writer() -> str:
    """The writer's code, as a digest: after any change of it the bytes may be others."""
    digest = hashlib.sha256()
    for module in _WRITERS:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()
