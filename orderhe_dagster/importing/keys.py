"""Duplicate keys: inside a file, and between a file and its table. Only key columns are held here."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.importing.problems import Findings
from orderhe_dagster.resources.ports import SourceTransaction

if TYPE_CHECKING:
    import pyarrow as pa

_LINE = "__line"
_RANGED = frozenset({"smallint", "integer", "bigint", "decimal", "date", "timestamp"})


class Keys:
    """The values of one key of the table (its primary key, or a unique one) in the file's rows."""

    def __init__(self, table: Table, names: tuple[str, ...]) -> None:
        self.table, self.names = table, names
        self._chunks: list[pa.Table] = []

    def add(self, rows: pa.Table, lines: Sequence[int]) -> None:
        """Note the keys of a batch; a key with a NULL in it is equal to none, and is left out."""
        import pyarrow as pa

        if any(name not in rows.column_names for name in self.names):
            return
        keys = rows.select(list(self.names)).append_column(_LINE, pa.array(lines, pa.int64()))
        self._chunks.append(keys.drop_null())

    def find_in_file(self, findings: Findings) -> None:
        """Report every row whose key stands on an earlier line, naming both lines."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if not self._chunks:
            return
        keys = pa.concat_tables(self._chunks)
        names = list(self.names)
        groups = keys.group_by(names).aggregate([(_LINE, "count"), (_LINE, "min")])
        twice = groups.filter(pc.greater(groups[f"{_LINE}_count"], 1))
        if not twice.num_rows:
            return
        first = {
            tuple(row[name] for name in names): row[f"{_LINE}_min"] for row in twice.to_pylist()
        }
        for row in keys.to_pylist():
            key = tuple(row[name] for name in names)
            earlier = first.get(key)
            if earlier is not None and earlier != row[_LINE]:
                unit = findings.unit
                self._report(
                    findings, row, f"a duplicate {self._called}: {unit} {earlier} has it too"
                )

    def find_in_table(self, transaction: SourceTransaction, findings: Findings) -> None:
        """Report every row whose key the table holds already."""
        import pyarrow as pa

        if not self._chunks:
            return
        keys = pa.concat_tables(self._chunks)
        names = list(self.names)
        listed = ", ".join(map(_quoted, names))
        there = transaction.fetch(
            f"select {listed} from {_quoted(self.table.name)}{self._near(keys)}"
        )
        if not there.num_rows or not keys.num_rows:
            return
        there = there.rename_columns(names).cast(keys.select(names).schema)
        both = keys.join(there, names, join_type="left semi").sort_by(_LINE)
        for row in both.to_pylist():
            self._report(
                findings, row, f"a duplicate {self._called}: {self.table.ref} holds it already"
            )

    def _near(self, keys: pa.Table) -> str:
        """A condition that leaves out rows of the table far from the file's, where one is plain."""
        import pyarrow.compute as pc

        for name in self.names:
            if self.table.column(name).type.kind in _RANGED and keys.num_rows:
                ends = pc.min_max(keys[name]).as_py()
                return f" where {_quoted(name)} between '{ends['min']}' and '{ends['max']}'"
        return ""

    @property
    def _called(self) -> str:
        return "primary key" if self.names == self.table.grain else "unique key"

    def _report(self, findings: Findings, row: dict[str, Any], says: str) -> None:
        named = [self.table.column(name) for name in self.names]
        if len(named) == 1:
            value = row[named[0].name]
            findings.add(row[_LINE], named[0], _plain(value), says)
            return
        # Of several columns the values are shown in the text, unless one of them is personal.
        hidden = any(column.pii for column in named)
        value = None if hidden else ", ".join(str(row[name]) for name in self.names)
        findings.add(row[_LINE], ", ".join(self.names), value, says)


def keys_of(table: Table) -> list[Keys]:
    """The keys that no two rows of the table may share."""
    names = dict.fromkeys(key for key in (table.grain, *table.unique) if key)
    return [Keys(table, key) for key in names]


def _plain(value: Any) -> Any:
    return value if isinstance(value, str | int) else str(value)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
