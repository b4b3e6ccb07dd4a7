"""Measures in the warehouse, and how two are compared and added. What is compared with what, is not here."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal

from orderhe_dagster.catalog import measure
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Outside, Segment, condition
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit
from orderhe_dagster.road.rota import Budget


def measures(
    session: Session,
    table: Table,
    relation: str,
    segments: Iterable[Segment],
    outside: Outside | None = None,
) -> dict[Segment, Measure]:
    """Rows, sums and digest of `segments` of a relation in the warehouse; of each that has rows.

    `outside` says which days there are, where `OUTSIDE` is among the segments.
    """
    wanted = set(segments)
    result: dict[Segment, Measure] = {}
    if days := [segment for segment in wanted if segment.day]:
        where = condition(table, days)
        sql = measure.measure_select(table, relation, "redshift", where=where, by_day=True)
        for row in session.execute(sql).rows:
            measured = measure.measured(table, row, by_day=True)
            result[measured.segment] = Measure(measured.rows, measured.sums, measured.digest)
    for segment in wanted & {WHOLE, OUTSIDE}:
        where = condition(table, [segment], outside)
        sql = measure.measure_select(table, relation, "redshift", where=where)
        measured = measure.measured(table, session.execute(sql).rows[0])
        result[segment] = Measure(measured.rows, measured.sums, measured.digest)
    return result


def share_of(session: Session, name: str, budget: Budget) -> Budget:
    """How much of a table in the warehouse a run proves: all of it where its rows broke a claim."""
    if audit.failed_claims(session, name):
        return replace(budget, everything=True)
    return budget.share(audit.loaded_rows(session, name.partition(".")[0]), name)


_SUMS_SHOWN = 2


def same(one: Measure, other: Measure) -> bool:
    """Whether two measures are equal; a sum over no values is 0."""
    return not difference(one, other)


def difference(one: Measure, other: Measure) -> str:
    """What differs, for a person; '' where nothing does."""
    texts, sums = list[str](), list[str]()
    if one.rows != other.rows:
        texts.append(f"{counted(one.rows, 'row')}, not {other.rows:,}")
    for name in sorted({*one.sums, *other.sums}):
        left, right = one.sums.get(name, 0), other.sums.get(name, 0)
        if left != right:
            sums.append(f"sum of {name} {left:,}, not {right:,}")
    texts += sums[:_SUMS_SHOWN]
    if len(sums) > _SUMS_SHOWN:
        texts.append(f"{len(sums) - _SUMS_SHOWN} other sums")
    if not texts and one.digest != other.digest:
        texts.append("equal rows and sums, but other values (digest)")
    return "; ".join(texts)


def add(one: Measure, other: Measure) -> Measure:
    """The measure of both sets of rows together."""
    names = {*one.sums, *other.sums}
    sums = {n: one.sums.get(n, Decimal(0)) + other.sums.get(n, Decimal(0)) for n in names}
    return Measure(one.rows + other.rows, sums, one.digest + other.digest)
