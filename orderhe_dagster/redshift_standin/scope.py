"""Names in a query: its sources, their columns, the queries around it. No SQL is read here."""

from __future__ import annotations

from dataclasses import dataclass, field

from orderhe_dagster.redshift_standin.casts import Value
from orderhe_dagster.redshift_standin.dialect import quote
from orderhe_dagster.redshift_standin.errors import RedshiftError
from orderhe_dagster.redshift_standin.types import Type

Columns = tuple[tuple[str, Type], ...]
"""Names and types, in order."""


@dataclass(frozen=True)
class Query:
    """A translated query: DuckDB text and the columns it gives."""

    sql: str
    columns: Columns


@dataclass(frozen=True)
class Source:
    """Something in FROM: its alias and columns. A name can stand twice; only using it is an error."""

    alias: str
    columns: Columns
    schema: str | None = None  # where the alias is the table's own name

    def value(self, name: str) -> Value:
        """The column of that name, qualified."""
        found = [type_ for column, type_ in self.columns if column == name]
        if len(found) != 1:
            raise RedshiftError("42702", f'column reference "{name}" is ambiguous')
        return Value(f"{quote(self.alias)}.{quote(name)}", found[0], name)

    def has(self, name: str) -> bool:
        """Whether it has a column of that name."""
        return any(column == name for column, _ in self.columns)


@dataclass(frozen=True)
class Cte:
    """A query of WITH: its name in DuckDB, its columns there, and as Redshift names them."""

    inside: str
    listed: tuple[str, ...]
    columns: Columns


@dataclass
class Scope:
    """What the names in one SELECT can mean."""

    ctes: dict[str, Cte]
    parent: Scope | None = None
    sources: list[Source] = field(default_factory=list)
    merged: dict[str, Value] = field(default_factory=dict)  # columns joined by USING
    labels: dict[str, Value] = field(default_factory=dict)  # of the select list so far

    def add(self, source: Source) -> None:
        """Put a source into FROM."""
        if any(source.alias == other.alias for other in self.sources):
            raise RedshiftError("42712", f'table name "{source.alias}" specified more than once')
        self.sources.append(source)

    def source(self, alias: str, schema: str | None = None) -> Source:
        """The source of that alias, or table of that schema, here or in a query around."""
        for source in self.sources:
            if source.alias == alias and schema in (None, source.schema):
                return source
        if self.parent is not None:
            return self.parent.source(alias, schema)
        shown = f"{schema}.{alias}" if schema else alias
        raise RedshiftError("42P01", f'relation "{shown}" is not in the FROM clause')

    def column(self, name: str, alias: str | None = None, schema: str | None = None) -> Value:
        """The column that a name means; RedshiftError when none or several do."""
        if alias is not None:
            source = self.source(alias, schema)
            if not source.has(name):
                raise RedshiftError("42703", f"column {alias}.{name} does not exist")
            return source.value(name)
        if name in self.merged:
            return self.merged[name]
        found = [source for source in self.sources if source.has(name)]
        if len(found) > 1:
            tables = ", ".join(source.alias for source in found)
            raise RedshiftError(
                "42702", f'column reference "{name}" is ambiguous: it is in {tables}'
            )
        if found:
            return found[0].value(name)
        if name in self.labels:
            return self.labels[name]
        if self.parent is not None:
            return self.parent.column(name)
        there = ", ".join(source.alias for source in self.sources) or "a query without FROM"
        raise RedshiftError("42703", f'column "{name}" does not exist in {there}')
