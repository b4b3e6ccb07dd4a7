"""Duplicate keys: inside a file, and between a file and its table.

Of each key 8 bytes stay in memory, a hash; the keys themselves wait on the disk, and only those are
looked at whose hashes meet.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.intake.importing.collation import folded_columns, folded_text
from orderhe_dagster.intake.importing.problems import MASK, Findings
from orderhe_dagster.intake.importing.source_file import CHUNK_ROWS
from orderhe_dagster.ports.source import SourceTransaction

if TYPE_CHECKING:
    import pyarrow as pa

logger = logging.getLogger("orderhe.import")

_LINE = "__line"
_RANGED = frozenset({"smallint", "integer", "bigint", "decimal", "date", "timestamp"})
_HASH_FACTOR = 1_000_003
_AT_ONCE = 100_000  # keys that are compared as Python values at a time


class KeyCheck:
    """One key of the table (its primary key, or a unique one) and its values in the file's rows."""

    def __init__(self, table: Table, names: tuple[str, ...], aside: Path) -> None:
        self.table, self.names, self.aside = table, names, aside
        self._folded = folded_columns(table, names)
        self._hashes: list[Any] = []
        self._folded_hashes: list[Any] = []
        self._ends: list[Any] = []
        self._writer: pa.RecordBatchFileWriter | None = None

    def add(self, rows: pa.Table, lines: Sequence[int]) -> None:
        """Note the keys of a batch; a key with a NULL in it is equal to none, and is left out."""
        import pyarrow as pa

        if any(name not in rows.column_names for name in self.names):
            return
        keys = rows.select(list(self.names)).append_column(_LINE, pa.array(lines, pa.int64()))
        keys = keys.drop_null()
        if not keys.num_rows:
            return
        self._hashes.append(_hashes_of(keys, self.names))
        if self._folded:
            self._folded_hashes.append(_hashes_of(keys, self.names, self._folded))
        self._widen(keys)
        if self._writer is None:
            self._writer = pa.ipc.new_file(str(self.aside), keys.schema)
        self._writer.write_table(keys.combine_chunks())

    def find_in_file(self, findings: Findings) -> None:
        """Report every row whose key stands on an earlier line, naming both lines."""
        import numpy as np

        self._close()
        twice = _meeting(self._hashes)
        parts = len(twice) // _AT_ONCE + 1
        for part in range(parts if len(twice) else 0):
            among = twice[twice % parts == part]
            first: dict[tuple[Any, ...], int] = {}
            for number, batch in enumerate(self._batches()):
                findings.cells.clear()
                for row in batch.filter(np.isin(self._hashes[number], among)).to_pylist():
                    key = tuple(row[name] for name in self.names)
                    if key not in first:
                        first[key] = row[_LINE]
                        continue
                    message = f"a duplicate {self._kind}: {findings.unit} {first[key]} has it too"
                    self._report(findings, row, message)
        if not findings.count:
            self._warn_of_neighbours(findings)

    def find_in_table(self, transaction: SourceTransaction, findings: Findings) -> None:
        """Report every row whose key the table holds already."""
        import numpy as np
        import pyarrow as pa

        if not self._hashes:
            return
        listed = ", ".join(map(self._in_source, self.names))
        sql = f"select {listed} from {_quoted(self.table.source_name)}{self._near()}"
        there = transaction.fetch(sql).rename_columns(list(self.names)).drop_null()
        if not there.num_rows:
            return
        with pa.OSFile(str(self.aside)) as file, pa.ipc.open_file(file) as reader:
            schema = reader.schema
        there = there.cast(schema.remove(schema.get_field_index(_LINE)))
        known = _hashed(there, self.names)
        order = np.argsort(known)
        known = known[order]
        for number, batch in enumerate(self._batches()):
            findings.cells.clear()
            mine = self._hashes[number]
            left, right = np.searchsorted(known, mine), np.searchsorted(known, mine, "right")
            same = right > left
            if not same.any():
                continue
            spans = zip(left[same], right[same], strict=True)
            places = np.concatenate([order[low:high] for low, high in spans])
            held = {tuple(row.values()) for row in there.take(places).to_pylist()}
            for row in batch.filter(same).to_pylist():
                if tuple(row[name] for name in self.names) in held:
                    message = f"a duplicate {self._kind}: {self.table.ref} holds it already"
                    self._report(findings, row, message)
        if self._folded and not findings.count:
            self._warn_of_the_table(there, findings)

    def _batches(self) -> Iterator[pa.Table]:
        import pyarrow as pa

        if not self._hashes:
            return
        with pa.OSFile(str(self.aside)) as file, pa.ipc.open_file(file) as reader:
            for number in range(reader.num_record_batches):
                yield pa.Table.from_batches([reader.get_batch(number)])

    def _close(self) -> None:
        if self._writer:
            self._writer.close()
            self._writer = None

    def _widen(self, keys: pa.Table) -> None:
        """Keep the ends of the first column that has an order which every engine agrees on."""
        import pyarrow.compute as pc

        for name in self.names:
            if self.table.column(name).type.kind in _RANGED:
                range_ = pc.min_max(keys[name]).as_py()
                ends = [*self._ends[1:], *range_.values()]
                self._ends = [name, min(ends), max(ends)]
                return

    def _in_source(self, name: str) -> str:
        return _quoted(self.table.column(name).source_name)

    def _near(self) -> str:
        """A condition that leaves out rows of the table far from the file's, where one is plain."""
        if not self._ends:
            return ""
        name, low, high = self._ends
        return f" where {self._in_source(name)} between '{low}' and '{high}'"

    def _warn_of_neighbours(self, findings: Findings) -> None:
        """Name two keys of the file that are one under MySQL's usual collation."""
        import numpy as np

        twice = _meeting(self._folded_hashes)
        if not len(twice):
            return
        pair: list[dict[str, Any]] = []
        for number, batch in enumerate(self._batches()):
            pair += batch.filter(np.isin(self._folded_hashes[number], twice[:1])).to_pylist()
        where = " and ".join(f"{findings.unit} {row[_LINE]}" for row in pair[:2])
        self._warn(findings, where, *(self._shown(row) for row in pair[:2]))

    def _warn_of_the_table(self, there: pa.Table, findings: Findings) -> None:
        import numpy as np

        known = np.sort(_hashed(there, self.names, self._folded))
        for number, batch in enumerate(self._batches()):
            near = np.isin(self._folded_hashes[number], known)
            if near.any():
                row = batch.filter(near).slice(0, 1).to_pylist()[0]
                where = f"{findings.unit} {row[_LINE]}"
                self._warn(findings, where, self._shown(row), f"one that {self.table.ref} holds")
                return

    def _warn(self, findings: Findings, where: str, one: str, other: str) -> None:
        logger.warning(
            "%s, %s: the %s %s and %s are two here, but one under MySQL's usual collation, which "
            "tells neither capitals nor accents apart. If they are two, declare %s in %s with "
            "`collate utf8mb4_bin`, there and in the shop; if they are one, mend the file",
            findings.file,
            where,
            self._kind,
            one,
            other,
            ", ".join(self._folded),
            self.table.path,
        )

    def _shown(self, row: dict[str, Any]) -> str:
        if any(self.table.column(name).pii for name in self.names):
            return MASK
        return repr(", ".join(str(row[name]) for name in self.names))

    @property
    def _kind(self) -> str:
        return "primary key" if self.names == self.table.grain else "unique key"

    def _report(self, findings: Findings, row: dict[str, Any], message: str) -> None:
        named = [self.table.column(name) for name in self.names]
        if len(named) == 1:
            value = row[named[0].name]
            findings.add(row[_LINE], named[0], _plain(value), message)
            return
        # Of several columns the values are shown in the text, unless one of them is personal.
        hidden = any(column.pii for column in named)
        value = None if hidden else ", ".join(str(row[name]) for name in self.names)
        findings.add(row[_LINE], ", ".join(self.names), value, message)


def key_checks(table: Table, folder: Path) -> list[KeyCheck]:
    """A check for each key that no two rows of the table may share; they keep their files in `folder`."""
    names = dict.fromkeys(key for key in (table.grain, *table.unique) if key)
    return [KeyCheck(table, key, folder / f"keys-{at}.arrow") for at, key in enumerate(names)]


def _hashed(there: pa.Table, names: Sequence[str], folded: Sequence[str] = ()) -> Any:
    import numpy as np
    import pyarrow as pa

    batches = there.to_batches(max_chunksize=CHUNK_ROWS)
    return np.concatenate(
        [_hashes_of(pa.Table.from_batches([one]), names, folded) for one in batches]
    )


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _hashes_of(rows: pa.Table, names: Sequence[str], folded: Sequence[str] = ()) -> Any:
    """A uint64 for each row, the same for equal keys; the columns `folded` as MySQL compares them."""
    import numpy as np
    from pandas.util import hash_array

    total = np.zeros(rows.num_rows, np.uint64)
    for name in names:
        column = folded_text(rows[name]) if name in folded else rows[name]
        with np.errstate(over="ignore"):
            total = total * np.uint64(_HASH_FACTOR) + hash_array(_values(column), categorize=False)
    return total


def _meeting(hashes: Sequence[Any]) -> Any:
    """The hashes that occur more than once, each once."""
    import numpy as np

    if not hashes:
        return np.zeros(0, np.uint64)
    in_order = np.sort(np.concatenate(hashes))
    return np.unique(in_order[1:][in_order[1:] == in_order[:-1]])


def _values(column: pa.ChunkedArray) -> Any:
    """NumPy values that are equal where the column's are; the column has no NULL."""
    import pyarrow as pa
    import pyarrow.types as is_

    kind = column.type
    if is_.is_date(kind):
        return column.cast(pa.int32()).to_numpy()
    if is_.is_timestamp(kind):
        return column.cast(pa.int64()).to_numpy()
    if is_.is_floating(kind):
        return column.to_numpy() + 0.0  # there are two zeros, and they are equal
    return (column.cast(pa.string()) if is_.is_decimal(kind) else column).to_numpy()
