"""Writes an export: a select's rows to its files, unless what lies there was made from the same.

Where the files lie is `export_files`' to say, how a row looks there `csv_files`'.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.catalog.volatility import is_steady
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.rendering import csv_files, csv_lines, printing, table_schema
from orderhe_dagster.rendering.csv_files import csv_file
from orderhe_dagster.road import audit
from orderhe_dagster.road.audit import UNDEFINED_SCHEMA, Loaded
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.road.export_records import Exported, ExportRecord
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.scratch import scratch_folder

Held = Mapping[str, Mapping[Segment, Loaded]]
_WRITERS = (csv_files, csv_lines, printing, table_schema)
"""The modules that decide on the bytes of an export's files."""


@dataclass(frozen=True)
class Export:
    """One export: its table, the record of its files, and the most bytes of a part."""

    table: Table
    record: ExportRecord
    part_bytes: int

    @property
    def files(self) -> ExportFiles:
        """Where its files lie."""
        return self.record.files

    @property
    def label(self) -> str:
        """The asset."""
        return f"export/{self.table.name}"


def export(
    wanted: Export, warehouse: Warehouse, require_passed: Callable[[], None]
) -> tuple[Exported, bool]:
    """Write the files, or leave them where they were made from the same and nobody touched them.

    Returns what lies there, and whether that was written now. `require_passed` raises where what is
    read has failed a check.
    """
    table, label, scratch = wanted.table, wanted.label, wanted.record.scratch
    # A slower run must not put what it read before over what another has read since.
    with file_lock(scratch / f"export-{table.name}", label=label):
        held = _held(wanted, warehouse)
        content = content_of(wanted, warehouse.identity, held)
        require_passed()
        kept = wanted.record.kept(content)
        if kept is not None:
            return kept, False
        with scratch_folder(scratch, label=f"export {table.name}") as aside:
            path = aside / wanted.files.csv.name
            with csv_file(path, table.column_names, wanted.part_bytes) as file:
                warehouse.write(table.sql, file, label, about=_most_rows(held))
                whole = file.written(path)
            # What was built meanwhile may be what was read.
            require_passed()
            if held != _held(wanted, warehouse):
                content = None
            parts = wanted.files.publish(whole, table)
        return wanted.record.keep(content, whole, parts), True


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
    if not all(held.values()) or not is_steady(wanted.table.sql):
        return None
    schema = table_schema.json_text(table_schema.table_schema(wanted.table))
    lines = [identity, _writer(), str(wanted.part_bytes), wanted.table.sql, schema]
    lines += [
        f"{name} {segment}={row.version} {row.rows} {row.digest} {row.inputs}"
        for name, rows in sorted(held.items())
        for segment, row in sorted(rows.items())
    ]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:32]


@cache
def _writer() -> str:
    """The writer's code, as a digest: after any change of it the bytes may be others."""
    digest = hashlib.sha256()
    for module in _WRITERS:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()
