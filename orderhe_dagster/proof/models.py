"""Models held to their own builds and to what they stand on. How tables are proven: `agreement`.

A model is *wrong* where its rows are not those that were built, or not those that its select gives of what
the warehouse holds now, and *stale* where what it is built from has moved on since.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment, condition
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.proof.ages import Ages, ages_of_model
from orderhe_dagster.proof.agreement import Difference
from orderhe_dagster.rendering.masking import hiding_values, reads_personal_data
from orderhe_dagster.road import altered, audit
from orderhe_dagster.road.altered import Look
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.findings import Finding
from orderhe_dagster.road.inputs import Inputs
from orderhe_dagster.road.measures import measures, same
from orderhe_dagster.road.rows import SHOWN, warehouse_differences

SEGMENTS_IN_FULL = 20
"""Of how many segments of a model the rows are looked for."""
_NO_DIGEST = "an earlier version built it, which kept no digest that it could be held to"
_OTHER_ROWS = "as it was built, but its select gives other rows of what the warehouse holds now"


@dataclass
class ModelProof:
    """What the look at one model came to; the figures are totals over all that was looked at."""

    table: Table
    ages: Ages
    segments: int = 0
    rows: int = 0
    digest: int = 0
    built_rows: int = 0
    built_digest: int = 0
    computed_again: bool = False  # its rows were held against what its select gives, too
    differences: list[Difference] = field(default_factory=list)

    @property
    def asset(self) -> str:
        """The name of its asset."""
        return f"{self.table.layer}/{self.table.name}"

    @property
    def agrees(self) -> bool:
        """Whether all that was looked at is as it was built, of what there is now."""
        return not self.differences

    @property
    def was_built_of_others(self) -> bool:
        """Whether some rows are as they were built, but of other rows: only computing again shows it."""
        return bool(self.of_other_rows)

    @property
    def of_other_rows(self) -> list[Difference]:
        """What is as it was built, but of other rows than there are now."""
        return [one for one in self.differences if one.text == _OTHER_ROWS]


def prove_model(
    catalogue: Catalogue,
    table: Table,
    window: Window | None,
    warehouse: Warehouse,
    settled: Collection[str] = (),
    limit: int = SHOWN,
) -> ModelProof:
    """Hold every segment of a model, or its days in `window`, to its build, and note what was seen.

    Where all that it reads is among the `settled` tables, known to be right on these days, its rows are held
    against its select too: it may have been built from rows that were altered then and are mended now.
    """
    with warehouse.session(f"prove {table.ref}") as session:
        audit.prepare(session)
        held = audit.read(session, [str(table.ref)])[str(table.ref)]
        own = altered.own_segments(table, held)
        chosen = sorted(s for s in own if not (window and s.day) or s.day in window)
        proof = ModelProof(table, ages_of_model(own), len(chosen))
        lagging = _lagging(session, catalogue, table, {})
        if window and table.partition:
            lagging = {segment for segment in lagging if segment.day in window}
        look = _look(session, proof, own, chosen)
        findings = look.findings
        proof.differences = [
            _with_rows(session, catalogue, table, _difference(one), lagging, limit)
            for one in findings[:SEGMENTS_IN_FULL]
        ] + [_difference(one) for one in findings[SEGMENTS_IN_FULL:]]
        told = {one.segment for one in findings}
        unknown = {s for s in chosen if not own[s].digest} - told
        proof.differences += [Difference(s, "stale", _NO_DIGEST) for s in sorted(unknown)]
        told |= unknown
        if _reads_only(catalogue, table, window, settled) and table.is_steady:
            again = [s for s in chosen if s not in told and s not in lagging]
            proof.differences += _computed_again(session, catalogue, table, look, again, limit)
            proof.computed_again = True
        proof.differences += [
            Difference(segment, "stale", _why_stale(segment, held))
            for segment in sorted(lagging - told)
        ]
        proof.ages = ages_of_model(
            altered.own_segments(table, audit.read(session, [str(table.ref)])[str(table.ref)])
        )
    return proof


def _look(
    session: Session,
    proof: ModelProof,
    own: Mapping[Segment, Loaded],
    chosen: Collection[Segment],
) -> Look:
    """What was altered; a table that is gone has no rows of any segment."""
    if not own:
        return Look()
    try:
        look = altered.look(session, proof.table, own, chosen)
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        audit.note_doubted(session, str(proof.table.ref), chosen)
        return Look({}, [Finding(segment, "altered", "its table is gone") for segment in chosen])
    proof.rows = sum(one.rows for one in look.measures.values())
    proof.digest = sum(one.digest for one in look.measures.values())
    proof.built_rows = sum(own[segment].rows for segment in chosen)
    proof.built_digest = sum(int(own[segment].digest or 0) for segment in chosen)
    return look


def _reads_only(
    catalogue: Catalogue, table: Table, window: Window | None, settled: Collection[str]
) -> bool:
    """Whether all that a model reads is settled; of a window, what is read whole was not looked at."""
    upstream = [catalogue.get(ref) for ref in table.depends_on]
    if window and not table.partition and any(one.partition for one in upstream):
        return False
    return all(str(one.read_as) in settled for one in upstream)


def _computed_again(
    session: Session,
    catalogue: Catalogue,
    table: Table,
    look: Look,
    segments: Collection[Segment],
    limit: int,
) -> list[Difference]:
    """The segments whose rows are as they were built, but not what the select gives."""
    if not segments:
        return []
    with hiding_values(reads_personal_data(catalogue, table.depends_on)):
        now = measures(session, table, ddl.redshift_model(table), segments)
    result = []
    for segment in segments:
        there = look.measures.get(segment, Measure(0))
        if not same(now.get(segment, Measure(0)), there):
            result.append(Difference(segment, "wrong", _OTHER_ROWS))
    audit.note_doubted(session, str(table.ref), [one.segment for one in result])
    return [
        *(_with_rows(session, catalogue, table, d, (), limit) for d in result[:SEGMENTS_IN_FULL]),
        *result[SEGMENTS_IN_FULL:],
    ]


def _difference(finding: Finding) -> Difference:
    return Difference(finding.segment, "wrong", finding.text)


def _why_stale(segment: Segment, held: Mapping[Segment, Loaded]) -> str:
    if segment not in held:
        return "never built"
    return "what it is built from has moved on since it was built"


def _with_rows(
    session: Session,
    catalogue: Catalogue,
    table: Table,
    difference: Difference,
    lagging: Collection[Segment],
    limit: int,
) -> Difference:
    """The difference with the rows that differ from what the select gives, where that is the same as then."""
    segment = difference.segment
    if segment == OUTSIDE or difference.text == "its table is gone":
        return difference
    if segment in lagging:
        return difference.without_rows(
            "no rows are named: what it is built from has moved on as well"
        )
    where = condition(table, [segment]) or ""
    target = ddl.qualified(table.ref)
    with hiding_values(reads_personal_data(catalogue, table.depends_on)):
        rows = warehouse_differences(
            session,
            table,
            ddl.redshift_model(table),
            target,
            where,
            where,
            names=("select", table.layer),
            limit=limit,
        )
    if not rows:
        why = "no row differs from what the select gives now: it was built from other rows"
        return difference.without_rows(why)
    return difference.with_rows(rows)


def _lagging(
    session: Session, catalogue: Catalogue, table: Table, known: dict[str, set[Segment]]
) -> set[Segment]:
    """The segments of a model that were built from other rows than there are now, or never.

    What stands on a model that lags, lags too.
    """
    name = str(table.ref)
    if table.layer == "raw":
        return set()
    if name not in known:
        held = audit.read(session, [name, *map(str, table.depends_on)])
        inputs = Inputs(session, catalogue, table, held)
        mine = set(inputs.days) if table.partition else {WHOLE}
        result = {segment for segment in mine if inputs.changed(segment)}
        for ref in table.depends_on:
            upstream = catalogue.get(ref)
            of_upstream = _lagging(session, catalogue, upstream, known)
            by_day = upstream.partition and table.partition
            if of_upstream:
                result |= of_upstream if by_day else mine
        known[name] = result
    return known[name]
