"""The measure of a table inside MySQL: the select, and the reading of its rows. Nothing is connected here."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from orderhe_dagster.catalog import mysql_projection
from orderhe_dagster.catalog.measure import measure_select, measured, summed
from orderhe_dagster.catalog.segments import Scope, Segment, segments_of, uncut
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.resources.extract.duckdb_extract import where_of


def measuring_select(table: Table, scope: Scope, hint: str = "") -> str:
    """The select that measures what can be carried of `scope`, with a hint after the table's name."""
    rows = mysql_projection.relation(table, where_of(table, scope, "mysql"), hint)
    return measure_select(table, rows, "mysql", by_day=uncut(scope) is None)


def measures_of_rows(
    table: Table, scope: Scope, rows: Iterable[tuple[Any, ...]]
) -> dict[Segment, Measure]:
    """The measure of every segment of `scope`, by the rows of its `measuring_select`."""
    one = uncut(scope)
    nothing = Measure(0, {column.name: Decimal(0) for column in summed(table)}, 0)
    measures = dict.fromkeys(segments_of(scope), nothing)
    for row in rows:
        segment, count, sums, digest = measured(table, row, by_day=one is None)
        measures[one or segment] = Measure(count, sums, digest)
    return measures
