"""Names in a query: its sources, their columns, the queries around it. No SQL is read here."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.values.types import Type
from local_redshift.values.uses import Uses
from local_redshift.values.value import Value

Columns = tuple[tuple[str, Type], ...]
"""Names and types, in order."""


def listed_names(columns: Columns) -> list[str]:
    """Names that differ from one another, for DuckDB: it would rename the second of two itself."""
    seen: dict[str, int] = {}
    names = []
    for column, _ in columns:
        seen[column] = seen.get(column, 0) + 1
        names.append(column if seen[column] == 1 else f"{column}\x01{seen[column]}")
    return names


@dataclass(frozen=True)
class Query:
    """A compiled query, or what a name in FROM stands for: DuckDB text, its columns, what it uses."""

    sql: str
    columns: Columns
    uses: Uses


@dataclass(frozen=True)
class Source:
    """Something in FROM: its alias and columns. A name can stand twice; only using it is an error."""

    alias: str
    columns: Columns
    schema: str | None = None  # where the alias is the table's own name
    hidden: str = ""  # a column that a star leaves out, as PostgreSQL's own number of a row

    def value(self, name: str) -> Value:
        """The column of that name, qualified."""
        type_ = self._types[name]
        if type_ is None:
            raise RedshiftError("42702", f'column reference "{name}" is ambiguous')
        return Value(f"{quote(self.alias)}.{quote(name)}", type_, name)

    def all(self) -> list[Value]:
        """Every column in order, as a star means them: those of one name, too, and those without one."""
        inside = listed_names(self.columns)
        return [
            Value(f"{quote(self.alias)}.{quote(listed)}", type_, column)
            for listed, (column, type_) in zip(inside, self.columns, strict=True)
            if column != self.hidden
        ]

    def has(self, name: str) -> bool:
        """Whether it has a column of that name."""
        return name in self._types

    @cached_property
    def _types(self) -> dict[str, Type | None]:
        """The type of each name; None of one that stands twice."""
        types: dict[str, Type | None] = {}
        for name, type_ in self.columns:
            types[name] = None if name in types else type_
        return types


@dataclass(frozen=True)
class Cte:
    """A query of WITH: its name in DuckDB, its columns there, and as Redshift names them."""

    inside: str
    listed: tuple[str, ...]
    columns: Columns
    recursive: bool = False


@dataclass
class Scope:
    """What the names in one SELECT can mean."""

    ctes: dict[str, Cte]
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Value] = field(default_factory=dict)  # columns joined by USING
    labels: dict[str, Value] = field(default_factory=dict)  # of the select list so far
    group: int = 0  # where the sources after the last comma begin: ON sees only these
    outer_on: bool = False  # the names of an outer join's ON
    correlated: bool = False  # a name of a query around was used
    of_catalogue: bool = False  # the system's own relations are read, and no others
    grouping: list[str] = field(default_factory=list)  # what GROUPING() was asked of

    def add(self, source: Source) -> None:
        """Put a source into FROM."""
        if any(source.alias == other.alias for other in self.sources):
            raise RedshiftError("42712", f'table name "{source.alias}" specified more than once')
        self.sources.append(source)

    def joined(self, outer: bool) -> Scope:
        """What ON sees: the sources since the last comma."""
        seen = self.sources[self.group :]
        return Scope(self.ctes, self.parent, seen, self.merged, outer_on=outer)

    def _reached(self, name: str, level: int) -> None:
        """Refuse the correlations that Amazon lists as not supported."""
        if level > 1:
            raise refuse(
                f"{name} of a query that is not the next one around", "join it in the query between"
            )
        if level and self.outer_on:
            raise refuse(
                f"{name} of the query around a subquery in the ON of an outer join",
                "join a subquery instead",
            )

    def source(self, alias: str, schema: str | None = None, level: int = 0) -> Source:
        """The source of that alias, or table of that schema, here or `level` queries around."""
        for source in self.sources:
            if source.alias == alias and schema in (None, source.schema):
                self._reached(alias, level)
                return source
        if self.parent is not None:
            self.correlated = True
            return self.parent.source(alias, schema, level + 1)
        shown = f"{schema}.{alias}" if schema else alias
        raise RedshiftError("42P01", f'relation "{shown}" is not in the FROM clause')

    def column(
        self, name: str, alias: str | None = None, schema: str | None = None, level: int = 0
    ) -> Value:
        """The column that a name means; RedshiftError when none or several do."""
        if alias is not None:
            source = self.source(alias, schema)
            if not source.has(name):
                raise RedshiftError("42703", f"column {alias}.{name} does not exist")
            return source.value(name)
        if name in self.merged:
            self._reached(name, level)
            return self.merged[name]
        sources = [source for source in self.sources if source.has(name)]
        if len(sources) > 1:
            tables = ", ".join(source.alias for source in sources)
            raise RedshiftError(
                "42702", f'column reference "{name}" is ambiguous: it is in {tables}'
            )
        if sources:
            self._reached(name, level)
            return sources[0].value(name)
        if name in self.labels:
            return self.labels[name]
        if self.parent is not None:
            self.correlated = True
            return self.parent.column(name, level=level + 1)
        there = ", ".join(source.alias for source in self.sources) or "a query without FROM"
        raise RedshiftError("42703", f'column "{name}" does not exist in {there}')
