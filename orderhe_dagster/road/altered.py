"""Models held to what was built: the rows of each segment against the digest that the audit keeps.

Whether a model lags behind what it is built from is in `inputs`; nothing is built here.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import OUTSIDE, Segment, condition
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.findings import Finding
from orderhe_dagster.road.measures import measures


@dataclass
class Look:
    """What a look at some segments of a model came to: their measures, and those that were altered."""

    measures: Mapping[Segment, Measure] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    equal: Mapping[Segment, str] = field(default_factory=dict)
    """The versions of those whose rows are the ones that were built."""


def own_segments(table: Table, held: Mapping[Segment, Loaded]) -> dict[Segment, Loaded]:
    """What the audit says of a model as it is cut now: its days, or the whole."""
    return {
        segment: loaded
        for segment, loaded in held.items()
        if (segment.day is not None) == (table.partition is not None)
    }


def look(
    session: Session, table: Table, own: Mapping[Segment, Loaded], chosen: Collection[Segment]
) -> Look:
    """Measure the `chosen` ones of a model's `own` segments, and note in the audit what was seen.

    Rows of days that were never built, which are in no segment's turn, are found each time, as `OUTSIDE`.
    """
    seen, name = look_on(session, table, own, chosen), str(table.ref)
    altered = [finding.segment for finding in seen.findings if finding.segment in own]
    audit.note_doubted(session, name, altered)
    audit.note_proven(session, name, seen.equal)
    return seen


def look_on(
    session: Session, table: Table, own: Mapping[Segment, Loaded], chosen: Collection[Segment]
) -> Look:
    """The same look, and nothing is noted."""
    there = measures(session, table, ddl.qualified(table.ref), chosen) if chosen else {}
    findings: list[Finding] = []
    equal: dict[Segment, str] = {}
    for segment in chosen:
        loaded, found = own[segment], there.get(segment, Measure(0))
        if (found.rows, str(found.digest)) == (loaded.rows, loaded.digest):
            equal[segment] = loaded.version
        elif loaded.digest:
            text = f"{counted(found.rows, 'row')}, {loaded.rows:,} were built"
            if found.rows == loaded.rows:
                text = f"{counted(found.rows, 'row')} as built, but other values (digest)"
            findings.append(Finding(segment, "altered", text))
    if table.partition and own and (strays := _count_strays(session, table, own)):
        text = f"{counted(strays, 'row')} of days that were never built"
        findings.append(Finding(OUTSIDE, "altered", text))
    return Look(there, findings, equal)


def _count_strays(session: Session, table: Table, own: Iterable[Segment]) -> int:
    """Rows of no day that was built."""
    days = condition(table, own)
    there = f"select count(*) from {ddl.qualified(table.ref)} where coalesce({days}, false) = false"
    return int(session.execute(there).scalar())
