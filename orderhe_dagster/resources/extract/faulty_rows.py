"""What becomes of rows that cannot be carried, once an extract has written them: told, counted, set aside.

The engine writes a folder for each day and, in it, one for each code of faults (`mysql_projection`). From
these come the parts, and the JSON lines of the quarantine. What was asked of MySQL is not known here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog import mysql_projection
from orderhe_dagster.catalog.ddl import quoted, string
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Scope, Segment, days_of
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.resources.extract.duckdb_extract import (
    cursor_number,
    homes,
    relation_of,
    unused_name,
)

if TYPE_CHECKING:
    import duckdb

SOUND = "sound"
"""The code that stands for no fault: NULL makes no name of a folder."""
MASK = "•••"
WHY = "quarantined_because"
_KEYLESS_COLUMNS = 8  # that are told of a row of a table without a key
_CODES_A_FILE = 200
_PARTS_A_DAY = 8  # above this, the parts of a day are written again as one


def faults_name(table: Table) -> str:
    """A column name for the code of faults that no column of the table has."""
    return unused_name(table, "__faults")


@dataclass
class SortedRows:
    """What an extract wrote, sorted: the parts, and the rows that are in none."""

    parts: dict[Segment, Sequence[Path]] = field(default_factory=dict)
    faulty: dict[Segment, dict[str, Sequence[Path]]] = field(default_factory=dict)  # by code
    quarantine: dict[Segment, Sequence[Path]] = field(default_factory=dict)
    quarantined: dict[Segment, int] = field(default_factory=dict)
    nulled: dict[Segment, dict[str, int]] = field(default_factory=dict)


def sort_rows(
    reader: duckdb.DuckDBPyConnection, table: Table, scope: Scope, folder: Path
) -> SortedRows:
    """Sort what the engine wrote under `folder`. PortError where a fault's policy is `fail`."""
    result = SortedRows()
    for segment, home in homes(table, scope, folder):
        sound: list[Path] = []
        for code, files in _by_code(table, home):
            faults = [] if code == SOUND else mysql_projection.decode_faults(table, code)
            if not mysql_projection.is_carried(faults):
                result.faulty.setdefault(segment, {})[code] = files
                continue
            sound += files
            for fault in faults:
                nulled = result.nulled.setdefault(segment, {})
                nulled[fault.column] = nulled.get(fault.column, 0) + _count(reader, files)
        if sound:
            result.parts[segment] = _numbered(reader, home, sound)
    _stop_at_failures(reader, table, result)
    for segment, by_code in result.faulty.items():
        files = [file for files in by_code.values() for file in files]
        result.quarantined[segment] = _count(reader, files)
        home = folder / segment.text if segment.day else folder
        result.quarantine[segment] = list(_write_quarantine(reader, table, by_code, home))
    return result


def add_quarantined(
    reader: duckdb.DuckDBPyConnection,
    table: Table,
    touches: Mapping[Segment, Touch],
    sorted_rows: SortedRows,
) -> dict[Segment, Touch]:
    """The fingerprints of the parts, with the quarantined rows counted in."""
    all_of = dict(touches)
    for segment, by_code in sorted_rows.faulty.items():
        relation = relation_of({segment: [file for files in by_code.values() for file in files]})
        row = reader.execute(
            f"select count(*), coalesce(sum({cursor_number(table)}), 0) from {relation}"
        ).fetchone()
        assert row is not None
        before = all_of.get(segment, Touch(0))
        all_of[segment] = Touch(before.rows + row[0], before.cursor_sum + int(row[1]))
    return all_of


def _by_code(table: Table, home: Path) -> Iterator[tuple[str, list[Path]]]:
    prefix = f"{faults_name(table)}="
    for inner in sorted(home.iterdir()):
        files = sorted(inner.iterdir(), key=lambda file: (len(file.name), file.name))
        yield inner.name.removeprefix(prefix), files


def _numbered(reader: duckdb.DuckDBPyConnection, home: Path, files: list[Path]) -> list[Path]:
    """The parts under their final names; many small ones as one."""
    if len(files) > _PARTS_A_DAY:
        target = home / "part-00000.parquet"
        rows = relation_of({WHOLE: files})
        reader.execute(
            f"copy (select * from {rows}) to {string(target.as_posix())} "
            "(format parquet, compression zstd)"
        )
        return [target]
    return [file.rename(home / f"part-{number:05d}.parquet") for number, file in enumerate(files)]


def _count(reader: duckdb.DuckDBPyConnection, files: Sequence[Path]) -> int:
    row = reader.execute(f"select count(*) from {relation_of({WHOLE: files})}").fetchone()
    assert row is not None
    return int(row[0])


def _stop_at_failures(
    reader: duckdb.DuckDBPyConnection, table: Table, sorted_rows: SortedRows
) -> None:
    wrong: dict[str, int] = {}
    for by_code in sorted_rows.faulty.values():
        for code, files in by_code.items():
            for fault in mysql_projection.decode_faults(table, code):
                if fault.policy == "fail":
                    text = f"{fault.column} {fault.text}"
                    wrong[text] = wrong.get(text, 0) + _count(reader, files)
    if not wrong:
        return
    days = sorted(days_of(sorted_rows.faulty))
    where = f" of {days[0]}{f' to {days[-1]}' if len(days) > 1 else ''}" if days else ""
    if OUTSIDE in sorted_rows.faulty:
        where = " outside of the shop's days"
    reasons = "; ".join(
        f"{text} ({counted(count, 'row')})" for text, count in sorted(wrong.items())[:5]
    )
    raise PortError(
        f"{table.ref}: rows{where} hold values that cannot be carried, and @bad_values in {table.path} "
        f"says fail: {reasons}. Nothing was stored. Mend them in the source, or write quarantine or null."
    )


def _write_quarantine(
    reader: duckdb.DuckDBPyConnection,
    table: Table,
    by_code: Mapping[str, Sequence[Path]],
    home: Path,
) -> Iterator[Path]:
    """Write the keys of the faulty rows and what is wrong with them, as JSON lines."""
    names = table.grain or next(iter(table.unique), ())
    columns = [table.column(name) for name in names] or [
        column for column in table.columns if not column.pii and column.type.kind != "varbyte"
    ][:_KEYLESS_COLUMNS]
    shown = [_shown(column) for column in columns]
    codes = sorted(by_code)
    for number, start in enumerate(range(0, len(codes), _CODES_A_FILE)):
        selects = []
        for code in codes[start : start + _CODES_A_FILE]:
            faults = mysql_projection.decode_faults(table, code)
            why = "; ".join(f"{fault.column} {fault.text}".strip() for fault in faults)
            items = ", ".join([*shown, f"{string(why)} as {unused_name(table, WHY)}"])
            selects.append(f"select {items} from {relation_of({WHOLE: by_code[code]})}")
        target = home / f"quarantine-{number:05d}.jsonl"
        reader.execute(
            f"copy (select * from ({' union all '.join(selects)}) order by all) "
            f"to {string(target.as_posix())} (format json)"
        )
        yield target


def _shown(column: Column) -> str:
    name = quoted(column.name)
    if column.pii:
        return f"case when {name} is not null then {string(MASK)} end as {name}"
    return name
