"""Which rows differ between two copies of one segment, by key and column. No Dagster, no driver.

One select finds them, in Redshift (a stage against the table) and in DuckDB (Parquet against
Parquet). Rows are compared as a multiset: equal rows of both sides are counted against each other,
and what is left over is looked at by key. So a repeated key never multiplies rows, and a table
without a key is compared just so. What a difference is called and how it reads: `row_differences`.

NULL equals NULL. Texts are equal where all their bytes are. In Redshift a float's zero has no sign.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from orderhe_dagster.catalog.ddl import Dialect, quoted, string
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.rendering.masking import masked
from orderhe_dagster.road.row_differences import KINDS, Kind, RowDifference, RowDifferences

SHOWN = 20
Query = Callable[[str], Sequence[tuple[Any, ...]]]
"""Runs one select of DuckDB's and gives its rows."""


def warehouse_differences(
    session: Session,
    table: Table,
    left_relation: str,
    right_relation: str,
    left_where: str = "",
    right_where: str = "",
    names: tuple[str, str] = ("backup", "warehouse"),
    limit: int = SHOWN,
) -> RowDifferences:
    """Compare two relations of the warehouse that have the columns of `table`, in one statement.

    The relations are names as SQL writes them, the conditions SQL without `where`.
    """
    comparison = _Comparison(table, table.columns, "redshift", limit)
    left = _selected(left_relation, left_where)
    right = _selected(right_relation, right_where)
    return comparison.result(names, session.execute(comparison.select(left, right)).rows)


def parquet_differences(
    query: Query,
    table: Table,
    left_paths: Sequence[Path],
    right_paths: Sequence[Path],
    names: tuple[str, str] = ("source", "backup"),
    limit: int = SHOWN,
) -> RowDifferences:
    """Compare the rows of Parquet files with those of others, by DuckDB; either may be none.

    Columns are found by name, those of the contract alone. One that a side does not have is left
    out, and named in the result; without a column of the key, rows are compared as wholes.
    """
    if not left_paths and not right_paths:
        return RowDifferences(names, dict.fromkeys(KINDS, 0))
    sides = [_parquet(paths) if paths else None for paths in (left_paths, right_paths)]
    left_out: dict[str, str] = {}
    for name, side in zip(names, sides, strict=True):
        if side is not None:
            there = {str(row[0]).lower() for row in query(f"describe select * from {side}")}
            for column in table.columns:
                if column.name.lower() not in there:
                    left_out[column.name] = f"it is not in the {name}"
    columns = [column for column in table.columns if column.name not in left_out]
    if not columns:
        raise ValueError(f"{table.ref}: {' and '.join(names)} have no column of the contract")
    left, right = (
        side or f"(select * from {sides[1 - n]} limit 0)" for n, side in enumerate(sides)
    )
    comparison = _Comparison(table, columns, "duckdb", limit)
    return comparison.result(names, query(comparison.select(left, right)), left_out)


def _selected(relation: str, where: str) -> str:
    return f"{relation} where {where}" if where else relation


def _parquet(paths: Sequence[Path]) -> str:
    files = ", ".join(string(path.as_posix()) for path in paths)
    return f"read_parquet([{files}], hive_partitioning = false, union_by_name = true)"


@dataclass(frozen=True)
class _Compared:
    """A column in the select: `value` is its alias, `token` what it is compared by."""

    column: Column
    value: str
    token: str
    expression: str  # of the token, from the column's own name

    @property
    def is_own_token(self) -> bool:
        return self.value == self.token


class _Comparison:
    """The select that compares two relations, and the reading of its rows."""

    def __init__(
        self, table: Table, columns: Sequence[Column], dialect: Dialect, limit: int
    ) -> None:
        self._columns = [_compared(n, column, dialect) for n, column in enumerate(columns)]
        by_name = {item.column.name: item for item in self._columns}
        has_key = bool(table.grain) and all(name in by_name for name in table.grain)
        self._key = [by_name[name] for name in table.grain] if has_key else self._columns
        self._has_key = has_key
        self._limit = limit
        self._personal = {column.name for column in columns if column.pii}

    def select(self, left: str, right: str) -> str:
        """The differing rows of the first keys, two at most of each, and the counts of all in each row."""
        totals = ", ".join(
            f"sum(case when kind = '{kind}' and row_place = 1 then weight else 0 end) over () as {kind}"
            for kind in KINDS
        )
        order = [item.value for item in self._key]
        order += [item.token for item in self._key if not item.is_own_token]
        values = ", ".join(item.value for item in self._columns)
        steps = [
            f"both_sides as (\n{self._side(left, 1)}\nunion all\n{self._side(right, 0)}\n)",
            f"unequal as (\n{self._unequal()}\n)",
            *(self._by_key() if self._has_key else self._by_row()),
            (
                f"placed as (\nselect judged.*, {totals}, dense_rank() over (order by "
                f"{', '.join(order)}) as key_place from judged\n)"
            ),
        ]
        return (
            "with "
            + ",\n".join(steps)
            + f"\nselect key_place, {', '.join(KINDS)}, kind, key_left, "
            f"key_right, {values} from placed where key_place <= {max(self._limit, 1)} "
            "and row_place <= 2 order by key_place, row_place"
        )

    def _side(self, relation: str, is_left: int) -> str:
        items = [f"{is_left} as in_left", f"{1 - is_left} as in_right"]
        for item in self._columns:
            items.append(f"{quoted(item.column.name)} as {item.value}")
            if not item.is_own_token:
                items.append(f"{item.expression} as {item.token}")
        return f"select {', '.join(items)} from {relation}"

    def _unequal(self) -> str:
        """Rows, equal ones as one, that are not on both sides equally often."""
        tokens = ", ".join(item.token for item in self._columns)
        values = "".join(
            f", max({item.value}) as {item.value}"
            for item in self._columns
            if not item.is_own_token
        )
        return (
            f"select {tokens}{values}, sum(in_left) as rows_left, sum(in_right) as rows_right\n"
            f"from both_sides group by {tokens} having sum(in_left) <> sum(in_right)"
        )

    def _by_row(self) -> list[str]:
        return [
            (
                "judged as (\nselect unequal.*, rows_left as key_left, rows_right as key_right, "
                "1 as row_place, abs(rows_left - rows_right) as weight, case when "
                "rows_left > rows_right then 'only_left' else 'only_right' end as kind from unequal\n)"
            )
        ]

    def _by_key(self) -> list[str]:
        """All rows of the keys that differ are counted, the equal ones among them too."""
        key = ", ".join(item.token for item in self._key)
        joined = " and ".join(
            f"both_sides.{item.token} = marked.{item.token}" for item in self._key
        )
        counted = " and ".join(
            f"marked.{item.token} = key_counts.{item.token}" for item in self._key
        )
        every = ", ".join(f"both_sides.{item.token}" for item in self._key)
        return [
            (
                "marked as (\nselect unequal.*, row_number() over (partition by "
                f"{key} order by rows_left - rows_right desc) as row_place, "
                "sum(case when rows_left > rows_right then rows_left - rows_right else 0 end) "
                f"over (partition by {key}) as more_left, "
                "sum(case when rows_right > rows_left then rows_right - rows_left else 0 end) "
                f"over (partition by {key}) as more_right from unequal\n)"
            ),
            (
                f"key_counts as (\nselect {every}, sum(in_left) as in_left, sum(in_right) as in_right "
                f"from both_sides inner join marked on {joined} and marked.row_place = 1 "
                f"group by {every}\n)"
            ),
            (  # a key with a NULL in it joins nothing: what is left over is all that is known of it
                "counted as (\nselect marked.*, coalesce(key_counts.in_left, more_left) as key_left, "
                "coalesce(key_counts.in_right, more_right) as key_right "
                f"from marked left join key_counts on {counted}\n)"
            ),
            (
                "named as (\nselect counted.*, case when more_left = 1 and more_right = 1 "
                "then 'changed' when key_right = 0 then 'only_left' when key_left = 0 "
                "then 'only_right' else 'repeated' end as kind from counted\n)"
            ),
            (
                "judged as (\nselect named.*, case kind when 'only_left' then more_left "
                "when 'only_right' then more_right else 1 end as weight from named\n)"
            ),
        ]

    def result(
        self,
        names: tuple[str, str],
        rows: Sequence[tuple[Any, ...]],
        left_out: dict[str, str] | None = None,
    ) -> RowDifferences:
        """The differences that the rows of `select` tell of."""
        counts: dict[Kind, int] = dict.fromkeys(KINDS, 0)
        if rows:
            counts = {kind: int(rows[0][1 + n]) for n, kind in enumerate(KINDS)}
        found = list(self._differences(rows))[: max(self._limit, 0)]
        return RowDifferences(names, counts, found, left_out or None)

    def _differences(self, rows: Sequence[tuple[Any, ...]]) -> Iterator[RowDifference]:
        head = 1 + len(KINDS)
        for _, group in groupby(rows, key=lambda row: row[0]):
            of_key = list(group)
            kind, left_count, right_count = of_key[0][head : head + 3]
            values = [self._values(row[head + 3 :]) for row in of_key]
            yield self._difference(cast(Kind, kind), values, int(left_count), int(right_count))

    def _values(self, row: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(
            _bytes(value) if item.column.type.kind == "varbyte" and value is not None else value
            for item, value in zip(self._columns, row, strict=True)
        )

    def _difference(
        self, kind: Kind, values: list[tuple[Any, ...]], left_count: int, right_count: int
    ) -> RowDifference:
        names = [item.column.name for item in self._columns]
        safe = [dict(zip(names, row, strict=True)) for row in masked(names, values, self._personal)]
        key = {item.column.name: safe[0][item.column.name] for item in self._key}
        if kind == "repeated":
            return RowDifference(kind, key, (), None, None, left_count, right_count)
        if kind != "changed":
            mine, theirs = (safe[0], None) if kind == "only_left" else (None, safe[0])
            return RowDifference(kind, key, (), mine, theirs, left_count, right_count)
        left, right = values
        columns = tuple(
            name for name, one, two in zip(names, left, right, strict=True) if not _same(one, two)
        ) or tuple(  # a driver that rounds floats shows two values as one
            item.column.name for item in self._columns if item.column.type.kind in _FLOATS
        )
        before, after = ({name: side[name] for name in columns} for side in safe)
        return RowDifference(kind, key, columns, before, after, left_count, right_count)


_FLOATS = ("real", "double")


def _compared(number: int, column: Column, dialect: Dialect) -> _Compared:
    """Redshift's = passes over blanks at the end of a text, its MD5 does not. DuckDB prints floats exact."""
    value, name, kind = f"c{number}", quoted(column.name), column.type.kind
    if dialect == "redshift" and kind == "varchar":
        return _Compared(column, value, f"t{number}", f"md5({name})")
    if dialect == "duckdb" and kind in _FLOATS:
        return _Compared(column, value, f"t{number}", f"cast({name} as varchar)")
    return _Compared(column, value, value, name)


def _bytes(value: Any) -> bytes:
    """Redshift's driver gives a varbyte as hexadecimal digits."""
    return bytes.fromhex(value) if isinstance(value, str) else bytes(value)


def _same(one: Any, two: Any) -> bool:
    """Floats by what they print: NaN is NaN, and a zero's sign counts."""
    if isinstance(one, float) and isinstance(two, float):
        return repr(one) == repr(two)
    return bool(one == two)
