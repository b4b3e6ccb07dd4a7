"""Reads the examples of a folder of SQL: whose they are, and what their cells mean. Nothing is run here."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.errors import Problem, Problems, close_to, listing
from orderhe_dagster.catalog.sql_files import SqlFile
from orderhe_dagster.catalog.table import Catalogue, Column, Layer, Table, TableRef
from orderhe_dagster.examples.document import Grid, Written, WrittenRows, read_document
from orderhe_dagster.examples.problems import FOLDER, ExamplesError, UnknownModel
from orderhe_dagster.examples.values import counted_value, plain_value, read_value

Row = tuple[Any, ...]
LAYERS: tuple[Layer, ...] = ("warehouse", "mart", "export")
"""The layers whose tables are selects, and can have examples."""


@dataclass(frozen=True)
class Given:
    """What an upstream table holds: every column of it that the example or the table needs."""

    table: Table
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Example:
    """Rows in, rows out: of the answer only `columns` are compared. `path` and `line`: where it stands."""

    table: Table
    title: str
    path: str
    line: int
    given: tuple[Given, ...]
    columns: tuple[Column, ...]
    expected: tuple[Row, ...]

    @property
    def name(self) -> str:
        """`mart/daily_sales: the title`."""
        return f"{self.table.layer}/{self.table.name}: {self.title}"


def example_files(root: Path) -> list[SqlFile]:
    """The files under `<root>/examples`, sorted; hidden ones are passed over."""
    return sorted(
        (
            SqlFile(file.relative_to(root).as_posix(), file.read_bytes())
            for file in (root / FOLDER).rglob("*")
            if file.is_file()
            and not any(part.startswith(".") for part in file.relative_to(root).parts)
        ),
        key=lambda file: file.path,
    )


def models_named(catalogue: Catalogue, names: Sequence[str]) -> list[Table]:
    """The models called `mart/daily_sales` or `mart.daily_sales`, or all of `mart/*`; of no name, every one.

    UnknownModel names what is near a name that no model has.
    """
    models = [table for table in catalogue.tables if table.layer in LAYERS]
    if not names:
        return models
    groups: dict[str, list[Table]] = {}
    for table in models:
        groups.setdefault(f"{table.layer}/*", []).append(table)
    known = {f"{table.layer}/{table.name}": [table] for table in models}
    chosen: list[Table] = []
    unknown = []
    for written in names:
        name = written.replace(".", "/")
        tables = groups.get(name) or known.get(name)
        if tables is None:
            near = close_to(name, known) or f"; there are {listing(sorted(known))}"
            unknown.append(f"no model is called {written!r}{near}")
        else:
            chosen += tables
    if unknown:
        raise UnknownModel("\n".join(unknown))
    return [table for table in models if table in chosen]


def read_examples(catalogue: Catalogue) -> list[Example]:
    """Every example of the catalogue's folder, by file. ExamplesError lists everything wrong with them."""
    problems = Problems()
    examples: list[Example] = []
    for file in example_files(Path(catalogue.root)):
        of_file = problems.attempt(lambda f=file: _of_file(f, catalogue, problems))  # type: ignore[misc]
        examples += of_file or []
    if problems.items:
        raise ExamplesError(catalogue.root, problems.items)
    return examples


def _of_file(file: SqlFile, catalogue: Catalogue, problems: Problems) -> list[Example]:
    table = _table_of(file, catalogue)
    before = len(problems.items)
    written = read_document(file.path, file.text, problems)
    reading = _Reading(file.path, catalogue, table, problems)
    examples = [reading.example(one) for one in written]
    reading.unread()
    return examples if len(problems.items) == before else []


def _table_of(file: SqlFile, catalogue: Catalogue) -> Table:
    parts = file.path.split("/")
    if len(parts) != 3 or parts[1] not in LAYERS or not parts[2].endswith(".md"):
        places = listing([f"{FOLDER}/{layer}/<table>.md" for layer in LAYERS])
        raise Problem(file.path, 0, f"examples lie in {places}, nowhere else")
    name = parts[2].removesuffix(".md")
    layer = parts[1]
    known = {table.name: table for table in catalogue.tables if table.layer == layer}
    if name not in known:
        hint = close_to(name, known) or f"; there are {listing(sorted(known)) or 'none'}"
        raise Problem(file.path, 0, f"there is no table {layer}/{name}.sql{hint}")
    return known[name]


class _Reading:
    """The reading of one file; what is the same for all its examples is read once."""

    def __init__(self, path: str, catalogue: Catalogue, table: Table, problems: Problems) -> None:
        self.path, self.catalogue, self.table, self.problems = path, catalogue, table, problems
        self._upstream = _upstream(catalogue, table)
        self._read: dict[int, Given | None] = {}  # by line
        self._used: set[int] = set()

    def example(self, written: Written) -> Example:
        """The example with values for texts; what cannot be read is noted, and left out of it."""
        given = self._all_given(written)
        grid = written.expected.grid
        columns = self._columns(self.table, grid)
        expected = self._rows(columns, grid)
        return Example(
            *(self.table, written.title, self.path, written.line),
            *(tuple(given), columns, expected),
        )

    def unread(self) -> None:
        """Note what is given to every example and read by none of them."""
        for line in sorted(self._read.keys() - self._used):
            if (given := self._read[line]) is not None:
                self.problems.add(self.path, line, f"no example reads {given.table.read_as}")

    def _all_given(self, written: Written) -> list[Given]:
        """What the example is given and reads: not by way of a table only that is given itself."""
        given = {rows.line: one for rows in written.given if (one := self._given(rows)) is not None}
        cut = {one.table.ref for one in given.values()}
        reached = tables_read_for(self.catalogue, self.table, cut)
        for line, one in given.items():
            for_all = line < written.line
            if one.table.ref in reached or not for_all:
                self._used.add(line)
            if one.table.ref not in reached and not for_all:
                over = listing(sorted(str(ref) for ref in cut & reached))
                message = f"{one.table.read_as} is given in vain: {over} is given too, and not built of it"
                self.problems.add(self.path, line, message)
        return [one for one in given.values() if one.table.ref in reached]

    def _given(self, rows: WrittenRows) -> Given | None:
        if rows.line not in self._read:  # what is given to every example is told of once
            self._read[rows.line] = self.problems.attempt(lambda: self._given_rows(rows))
        return self._read[rows.line]

    def _given_rows(self, rows: WrittenRows) -> Given:
        table = self._upstream.get(rows.table)
        if table is None:
            known = close_to(rows.table, self._upstream)
            known = known or f"; it reads {listing(sorted(self._upstream)) or 'no table'}"
            raise Problem(self.path, rows.line, f"{self.table.ref} reads no {rows.table}{known}")
        columns = self._columns(table, rows.grid)
        values = self._rows(columns, rows.grid)
        self._keys_are_unique(table, columns, values, rows.grid)
        return _completed(table, columns, values)

    def _columns(self, table: Table, grid: Grid) -> tuple[Column, ...]:
        columns = []
        for name in grid.names:
            if name in table.column_names:
                columns.append(table.column(name))
            else:
                hint = close_to(name, table.column_names)
                known = hint or f"; it has {listing(table.column_names)}"
                self.problems.add(
                    self.path, grid.line, f"{table.read_as} has no column {name!r}{known}"
                )
        # Rows cannot be read by columns that are not known.
        return tuple(columns) if len(columns) == len(grid.names) else ()

    def _rows(self, columns: Sequence[Column], grid: Grid) -> tuple[Row, ...]:
        rows = []
        for at, texts in enumerate(grid.rows if columns else ()):
            row = []
            for column, text in zip(columns, texts, strict=True):
                try:
                    value = read_value(column, text)
                    if value is None and not column.nullable:
                        raise ValueError("null is not accepted")
                    row.append(value)
                except ValueError as error:
                    self.problems.add(self.path, grid.line_of(at), f"column {column.name}: {error}")
            rows.append(tuple(row))
        return tuple(rows)

    def _keys_are_unique(
        self, table: Table, columns: Sequence[Column], rows: Sequence[Row], grid: Grid
    ) -> None:
        """A key that is written whole does not come twice: no table of the warehouse would have it."""
        names = [column.name for column in columns]
        for key in (table.grain, *table.unique):
            if not key or not set(key) <= set(names):
                continue
            seen: dict[Row, int] = {}
            for at, row in enumerate(rows):
                if len(row) < len(names):
                    return  # a cell of it cannot be read
                value = tuple(row[names.index(name)] for name in key)
                if None not in value and seen.setdefault(value, at) != at:
                    line = grid.line_of(seen[value])
                    message = f"the same {listing(key)} as line {line}; rows of {table.read_as} differ in it"
                    self.problems.add(self.path, grid.line_of(at), message)


def _completed(table: Table, columns: Sequence[Column], rows: Sequence[Row]) -> Given:
    """The rows with the columns that are not written and may not be NULL; keys count the rows."""
    written = {column.name for column in columns}
    keys = {name for key in (table.grain, *table.unique) for name in key}
    filled = [
        column
        for column in table.columns
        if column.name not in written and (not column.nullable or column.name in table.grain)
    ]
    return Given(
        table,
        (*columns, *filled),
        tuple(
            (
                *row,
                *(
                    counted_value(column, number) if column.name in keys else plain_value(column)
                    for column in filled
                ),
            )
            for number, row in enumerate(rows, 1)
        ),
    )


def _upstream(catalogue: Catalogue, table: Table) -> dict[str, Table]:
    """Every table that a model is built from, by the name that SQL reads it under."""
    refs = tables_read_for(catalogue, table, set())
    return {str(one.read_as): one for one in catalogue.tables if one.ref in refs}


def tables_read_for(
    catalogue: Catalogue, table: Table, given: Collection[TableRef]
) -> set[TableRef]:
    """The tables that are read to build `table`, where those that are given are not built themselves."""
    refs: set[TableRef] = set()
    waiting = list(table.depends_on)
    while waiting:
        one = catalogue.get(waiting.pop())
        if one.ref not in refs:
            refs.add(one.ref)
            waiting += [] if one.ref in given else one.depends_on
    return refs
