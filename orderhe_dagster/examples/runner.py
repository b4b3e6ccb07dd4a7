"""Runs examples: fills the tables that are given, builds the model on them, and looks at its rows.

The warehouse is the caller's: a private one, since what is done in it is rolled back, never kept.
How rows are compared is `compare`'s.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import Catalogue, Layer, Table, TableRef
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.examples.compare import Difference, difference
from orderhe_dagster.examples.reader import Example, Given, tables_read_for
from orderhe_dagster.examples.values import sql_value


class Answer(Protocol):
    """What a statement gives."""

    @property
    def rows(self) -> Sequence[tuple[Any, ...]]:
        """Its rows, none where it is no query."""


class Session(Protocol):
    """A warehouse that nobody else uses."""

    def execute(self, sql: str) -> Answer:
        """Run one Redshift statement. An OrderheError where it fails."""


@dataclass(frozen=True)
class Verdict:
    """How an example went: no `difference` and no `failure` is a pass.

    `failure` is what the warehouse said where a table could not be filled or built.
    """

    example: Example
    difference: Difference | None = None
    failure: str = ""

    @property
    def passed(self) -> bool:
        """Whether the rows are the ones expected."""
        return self.difference is None and not self.failure


def run_examples(
    catalogue: Catalogue, examples: Iterable[Example], session: Session
) -> Iterator[Verdict]:
    """Run the examples one after another and say how each went."""
    bench = _Bench(catalogue, session)
    for example in examples:
        yield bench.verdict(example)


class _Bench:
    """A warehouse on which tables are made once, and emptied by rolling back."""

    def __init__(self, catalogue: Catalogue, session: Session) -> None:
        self._catalogue, self._session = catalogue, session
        self._schemas: set[Layer] = set()
        self._tables: set[TableRef] = set()

    def verdict(self, example: Example) -> Verdict:
        """Run one example."""
        given = {one.table.ref: one for one in example.given}
        read = tables_read_for(self._catalogue, example.table, given.keys()) | {example.table.ref}
        needed = [table for table in self._catalogue.tables if table.ref in read]
        for table in needed:
            self._make(table)
        self._session.execute("begin")
        at = example.table
        try:
            for at in needed:
                if at.ref in given:
                    self._fill(given[at.ref])
                elif at.layer not in ("raw", "export"):
                    self._session.execute(ddl.redshift_insert(at))
            rows = self._session.execute(_reading(example.table)).rows
        except OrderheError as error:
            return Verdict(example, failure=f"{at.read_as}: {error}")
        finally:
            self._session.execute("rollback")
        return Verdict(example, difference(example, rows))

    def _make(self, table: Table) -> None:
        """Make a table that is not there yet, outside of any transaction: it stays."""
        ref = table.read_as
        if ref in self._tables or table.layer == "export":
            return
        if ref.layer not in self._schemas:
            self._session.execute(f"create schema if not exists {ref.layer}")
            self._schemas.add(ref.layer)
        self._session.execute(ddl.redshift_create(table))
        self._tables.add(ref)

    def _fill(self, given: Given) -> None:
        if not given.rows:
            return
        columns = ddl.quoted_names(column.name for column in given.columns)
        kinds = [column.type for column in given.columns]
        rows = ",\n".join("(" + ", ".join(map(sql_value, row, kinds)) + ")" for row in given.rows)
        target = ddl.qualified(given.table.read_as)
        self._session.execute(f"insert into {target} ({columns}) values\n{rows}")


def _reading(table: Table) -> str:
    """The select that gives the rows of a table: an export's own, in its order."""
    if table.layer == "export":
        return table.sql
    return f"select {ddl.quoted_names(table.column_names)} from {ddl.qualified(table.ref)}"
