"""The build of a modelled table: delete and insert from its select, in one transaction.

A build knows what it was built from: the audit keeps, for every table and day, a fingerprint of the
upstream versions. Days that the upstream has and the model has not, or that changed beneath it, are
built along with the ones asked for, so that a partitioned model never lags behind unseen.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace

from orderhe_dagster.catalog import ddl, measure
from orderhe_dagster.catalog.measure import is_digested
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment, condition
from orderhe_dagster.catalog.table import Catalogue, Table, TableRef
from orderhe_dagster.ports.errors import (
    UNDEFINED_TABLE,
    CommitUnknown,
    ConnectionLost,
    StatementError,
)
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.rendering.masking import hiding_values, reads_personal_data
from orderhe_dagster.road import altered, audit, comments, parents
from orderhe_dagster.road.audit import LOADS, Loaded, literal
from orderhe_dagster.road.findings import SHOWN_ROWS, SHOWN_SEGMENTS, Finding
from orderhe_dagster.road.findings import rows_of as findings_rows
from orderhe_dagster.road.guards import AS_USUAL, Rules
from orderhe_dagster.road.inputs import BuildError, Inputs, missing
from orderhe_dagster.road.measures import share_of
from orderhe_dagster.road.rota import Turn, choose, utc
from orderhe_dagster.road.rows import warehouse_differences
from orderhe_dagster.road.step import Step

DEPENDENT_OBJECTS = "2BP01"
_ATTEMPTS = 3
_BUILT, _BEFORE = "_built_anew", "_built_before"


class _Changed(Exception):
    """The upstream was loaded anew between the look at the audit and the fence."""


@dataclass(frozen=True)
class Built:
    """What a build did: the rows of each segment that it built.

    `findings` are the segments whose rows were not those that had been built; they are built again.
    """

    rows: Mapping[Segment, int]
    remade: bool  # the table was made anew because its columns changed
    findings: Sequence[Finding] = ()
    left_out: int = (
        0  # rows of what it reads by day that are of no day: no day of the model has them
    )
    asked: Mapping[Segment, Loaded] = field(default_factory=dict)
    """What the audit says of the segments that were asked for."""

    @property
    def total(self) -> int:
        """Rows in the segments that were built."""
        return sum(self.rows.values())


def build(
    step: Step,
    catalogue: Catalogue,
    warehouse: Warehouse,
    require_passed: Callable[[Session], None],
    rules: Rules = AS_USUAL,
) -> Built:
    """Build what the step asks for, and the days that lag behind the upstream.

    A daily step also measures as many of the other segments as the budget lets it: those whose rows
    are not the ones that were built are built again. `require_passed` raises where an upstream has
    failed a check, as the warehouse holds it. Raises BuildError where an upstream is missing, lacks a
    day, or does not agree with its source; StatementError where the select fails.
    """
    for _ in range(_ATTEMPTS - 1):
        with suppress(_Changed, ConnectionLost):
            return _build(step, catalogue, warehouse, require_passed, rules)
    try:
        return _build(step, catalogue, warehouse, require_passed, rules)
    except _Changed as error:
        raise BuildError(
            f"{step.table.layer}/{step.table.name}: its upstream was loaded anew each time it was "
            f"built, {_ATTEMPTS} times. Run it again when they are done."
        ) from error.__cause__


@dataclass(frozen=True)
class Plan:
    """What a build is to do, by what the audit said when it began."""

    held: Mapping[str, Mapping[Segment, Loaded]]
    inputs: Inputs
    segments: set[Segment]
    is_new: bool  # the table was never made
    remade: bool  # it is made anew, because its columns changed
    findings: Sequence[Finding] = ()
    left: Collection[Segment] = ()  # days that the shop has no more: their rows are outside now
    of_parents: Sequence[str] = ()  # the statements that keep what was read of tables without days
    comments: str | None = None  # what is remembered of the table's; see `comments.keep`

    @property
    def may_keep_versions(self) -> bool:
        """Whether what is replaced was looked at, and may have the same version again."""
        return not (self.is_new or self.remade)

    @property
    def does_anything(self) -> bool:
        """Whether anything is to be written: rows, or what was read of tables without days."""
        return bool(self.segments or self.left or self.findings or self.of_parents)

    @property
    def left_out(self) -> int:
        """Rows of no day in the upstreams that are read by day."""
        return sum(
            self.held[name][OUTSIDE].rows
            for name in self.inputs.daily_upstreams
            if OUTSIDE in self.held[name]
        )


def _plan(session: Session, step: Step, catalogue: Catalogue, rules: Rules) -> Plan:
    table = step.table
    audit.prepare(session)
    audit.prepare_fence(session, table.layer, table.name)
    held = audit.read(session, [str(table.ref), *map(str, table.depends_on)])
    return plan_of(session, step, catalogue, rules, held)


def plan_of(
    session: Session,
    step: Step,
    catalogue: Catalogue,
    rules: Rules,
    held: Mapping[str, Mapping[Segment, Loaded]],
    coming: Mapping[TableRef, parents.Coming] | None = None,
    look: Callable[..., altered.Look] = altered.look,
) -> Plan:
    """Decide what a build is to do, by what the audit says (`held`) of the model and of what it reads.

    `coming` and a `held` of things to come are `orderhe plan`'s, which notes nothing: `altered.look_on`.
    """
    table = step.table
    stored, remembered = audit.stored(session, str(table.ref))
    remade = stored is not None and stored != audit.definition(table)
    inputs = Inputs(session, catalogue, table, held, coming)
    is_new, findings = stored is None, list[Finding]()
    own, target = held[str(table.ref)], ddl.qualified(table.ref)
    text = "its table, or a column of it, is gone"
    if not (is_new or remade or audit.is_there(session, target, table.column_names)):
        remade = True
        findings = [Finding(segment, "altered", text) for segment in own]
    # All that was asked for is made anew of a run that is to believe nothing, whatever its inputs say.
    anew = is_new or remade or rules.budget.everything
    segments = _to_build(step, inputs, anew)
    if not (is_new or remade):
        findings = _altered(session, step, own, segments, rules, look)
        if rules.proves(step):
            # What an earlier version built has no digest to be held to.
            segments |= {s for s, row in own.items() if not row.digest and s.day and step.has(s)}
    segments |= {one.segment for one in findings if step.has(one.segment)} - {OUTSIDE}
    if segments:
        inputs.look_closely()
        more = _to_build(step, inputs, anew) - segments
        if more and not (is_new or remade):
            seen = look(session, table, own, sorted(own.keys() & more)).findings
            findings += [one for one in seen if one.segment in more]
        segments |= more
    stays = table.partition is not None and not remade
    left = [segment for segment in own if segment.day and not step.has(segment)] if stays else []
    return Plan(
        held,
        inputs,
        segments,
        is_new,
        remade,
        findings,
        left,
        _statements_of_parents(session, catalogue, table, inputs),
        comments.NONE if is_new or remade else remembered,
    )


def _to_build(step: Step, inputs: Inputs, anew: bool) -> set[Segment]:
    """What was asked for and the days that lag behind; of what nothing has changed, nothing.

    A select that reads the clock is built each time.
    """
    wanted = {*step.segments, *(inputs.days if step.table.partition else ())}
    if anew:
        return wanted
    return {s for s in wanted if inputs.changed(s) or not step.table.is_steady}


def _statements_of_parents(
    session: Session, catalogue: Catalogue, table: Table, inputs: Inputs
) -> list[str]:
    """The statements that keep what the tables without days were that this build reads."""
    return [
        statement
        for ref, now in inputs.parents.items()
        for statement in parents.statements(
            session, catalogue, table, now, ref, inputs.before.get(str(ref))
        )
    ]


def _altered(
    session: Session,
    step: Step,
    held: Mapping[Segment, Loaded],
    building: Collection[Segment],
    rules: Rules,
    look: Callable[..., altered.Look],
) -> list[Finding]:
    """The segments whose rows are not those that were built, among the ones whose turn it is.

    And among those that are built in any case, as what is altered in them would be gone untold; and the
    days that were asked for, which are built again for that alone.
    """
    own = altered.own_segments(step.table, held)
    turns = {
        segment: Turn(loaded.rows, utc(loaded.proven_at))
        for segment, loaded in own.items()
        if step.has(segment)
    }
    share = share_of(session, str(step.table.ref), rules.budget) if turns else rules.budget
    by_turns = choose(turns, share) if rules.proves(step) else []
    asked = {segment for segment in step.segments if segment.day}
    chosen = sorted({*by_turns, *(own.keys() & {*building, *asked})})
    if not (chosen or rules.proves(step)):
        return []
    return look(session, step.table, own, chosen).findings


def _build(
    step: Step,
    catalogue: Catalogue,
    warehouse: Warehouse,
    require_passed: Callable[[Session], None],
    rules: Rules,
) -> Built:
    table = step.table
    with warehouse.session(f"build {table.layer}/{table.name} run {step.run_id}") as session:
        plan = _plan(session, step, catalogue, rules)
        plan.inputs.require_ready(plan.segments)
        require_passed(session)
        built = _carried_out(session, step, catalogue, warehouse, plan)
    comments.keep(warehouse, table, plan.comments, look=rules.budget.everything)
    return built


def _carried_out(
    session: Session, step: Step, catalogue: Catalogue, warehouse: Warehouse, plan: Plan
) -> Built:
    """Do what was planned."""
    table = step.table
    audit.note_confirmed(session, str(table.ref), {*step.segments} - plan.segments)
    if not plan.does_anything:
        return _built(session, step, plan)
    try:
        with hiding_values(reads_personal_data(catalogue, table.depends_on)):
            plan = replace(plan, findings=_with_rows(session, step.table, plan))
            # Before they are mended: rather twice than, after a kill, not at all.
            audit.note_findings(session, str(table.ref), findings_rows(plan.findings), step.run_id)
            _remember_versions(session, table, plan)
            session.transaction(_statements(step, plan))
    except StatementError as error:
        if audit.read(session, list(plan.held)) != plan.held:
            raise _Changed from error
        explained = _explained(error, table, plan.segments)
        if explained is None:
            raise
        raise explained from error
    except CommitUnknown:
        rows = _committed_rows(warehouse, step, plan)
        if rows is None:
            raise
        return Built(rows, plan.remade, plan.findings, plan.left_out)
    return _built(session, step, plan)


def _built(session: Session, step: Step, plan: Plan) -> Built:
    """What the build came to, as the audit has it now."""
    name = str(step.table.ref)
    own = audit.read(session, [name])[name] if plan.segments else plan.held[name]
    return Built(
        {segment: own[segment].rows for segment in plan.segments},
        plan.remade,
        plan.findings,
        plan.left_out,
        {segment: own[segment] for segment in step.segments if segment in own},
    )


def _remember_versions(session: Session, table: Table, plan: Plan) -> None:
    """Keep beside the transaction which versions stay, where the rows that are built turn out the same.

    Not those of what was altered: who read it meanwhile must know that it is others now.
    """
    if not (plan.segments and plan.may_keep_versions):
        return
    gone = [literal(s.text) for s in (*(one.segment for one in plan.findings),)]
    apart = f" and segment not in ({', '.join(gone)})" if gone else ""
    session.execute(
        f"create temp table {_BEFORE} as select segment, version, row_count, digest from {LOADS}"
        f" where table_name = {literal(str(table.ref))} and digest <> ''{apart}"
    )


def _with_rows(session: Session, table: Table, plan: Plan) -> list[Finding]:
    """The findings with the rows that differ: what the select gives now against what is there."""
    altered = [one for one in plan.findings if one.segment != OUTSIDE][:SHOWN_SEGMENTS]
    if plan.is_new or plan.remade or not altered:
        return [*plan.findings]
    target = ddl.qualified(table.ref)
    where = _where(table, {one.segment for one in altered})
    session.execute(f"create temp table {_BUILT} (like {target})")
    session.execute(ddl.redshift_insert(table, where, into=_BUILT))
    named: list[Finding] = []
    for finding in altered:
        of = condition(table, [finding.segment]) or ""
        rows = warehouse_differences(
            session, table, _BUILT, target, of, of, ("select", "table"), SHOWN_ROWS
        )
        named.append(finding.with_rows([*rows.sentences()]))
    session.execute(f"drop table {_BUILT}")
    return [*named, *(one for one in plan.findings if one not in altered)]


def _committed_rows(warehouse: Warehouse, step: Step, plan: Plan) -> dict[Segment, int] | None:
    """The rows of each segment by the audit, where it holds all of them by this run and these inputs."""
    held = audit.look_up(warehouse, str(step.table.ref))
    wanted = {segment: (step.run_id, plan.inputs.of(segment)) for segment in plan.segments}
    rows = {
        segment: held[segment].rows
        for segment in wanted
        if segment in held and (held[segment].run_id, held[segment].inputs) == wanted[segment]
    }
    return rows if len(rows) == len(wanted) else None


def _explained(
    error: StatementError, table: Table, segments: Collection[Segment]
) -> BuildError | None:
    """The error with what is to be done about it, where that is known."""
    asset = f"{table.layer}/{table.name}"
    if error.code == UNDEFINED_TABLE:
        return missing(table, error.message, segments)
    if error.code == DEPENDENT_OBJECTS:
        return BuildError(
            f"{error.message}. The columns of {asset} have changed, so its table is made anew, but "
            "views stand on it: drop them, or make them `with no schema binding`, and run this again."
        )
    return None


def _statements(step: Step, plan: Plan) -> list[str]:
    """The statements of the one transaction, the fence first.

    What was read above fixed what is built; behind the fence it must still hold.
    """
    table, target = step.table, ddl.qualified(step.table.ref)
    statements = [
        f"lock table {audit.fence(table.layer, table.name)}",
        *audit.unchanged(plan.held),
    ]
    if plan.remade:
        statements.append(f"drop table if exists {target}")
    if plan.is_new or plan.remade:
        statements.append(ddl.redshift_create(table))
        statements += audit.remember_definition(table, str(table.ref))
    if any(finding.segment == OUTSIDE for finding in plan.findings):
        days = condition(table, {*plan.held[str(table.ref)], *plan.segments} - {OUTSIDE})
        statements.append(f"delete from {target} where coalesce({days}, false) = false")
    if plan.left:
        listed = ", ".join(literal(segment.text) for segment in plan.left)
        mine = f"table_name = {literal(str(table.ref))}"
        statements.append(f"delete from {target}{_where(table, {*plan.left})}")
        statements.append(f"delete from {LOADS} where {mine} and segment in ({listed})")
    if plan.segments:
        where = _where(table, plan.segments)
        statements += [f"delete from {target}{where}", ddl.redshift_insert(table, where)]
    statements += plan.of_parents
    if plan.remade:
        statements.append(f"delete from {LOADS} where table_name = {literal(str(table.ref))}")
    return statements + (_audit_statements(step, plan) if plan.segments else [])


def _audit_statements(step: Step, plan: Plan) -> list[str]:
    """The statements that write the audit rows of what was built."""
    table, run_id = step.table, literal(step.run_id)
    name = literal(str(table.ref))
    ordered = sorted(plan.segments)
    listed = ", ".join(literal(segment.text) for segment in ordered)
    rows = (
        f"({name}, {literal(segment.text)}, {run_id}, 0, {run_id}, 0, '0', "
        f"{literal(plan.inputs.of(segment))}, getdate(), getdate(), getdate())"
        for segment in ordered
    )
    counted = (
        f"to_char({measure.day_expression(table, 'redshift')}, 'YYYY-MM-DD')"
        if table.partition
        else f"cast('{WHOLE}' as varchar(10))"  # a bare literal has no type in a derived table
    )
    return [
        f"delete from {LOADS} where table_name = {name}"
        + (f" and segment in ({listed})" if table.partition else ""),
        *audit.inserts(
            f"{LOADS} (table_name, segment, version, generation, run_id, row_count, digest,"
            " inputs, snapshot_at, loaded_at, proven_at)",
            rows,
        ),
        (
            f"update {LOADS} set row_count = counted.row_count, digest = counted.digest from"
            f" (select {counted} as segment, count(*) as row_count,"
            f" cast({measure.digest_expression(table, 'redshift')} as varchar(64)) as digest"
            f" from {ddl.qualified(table.ref)}{_where(table, plan.segments)} group by 1) as counted"
            f" where _loads.table_name = {name} and _loads.segment = counted.segment"
        ),
        *(_kept_versions(name) if plan.may_keep_versions and is_digested(table) else ()),
    ]


def _kept_versions(name: str) -> list[str]:
    """Let what turned out the same have the version that it had: nothing is built again for it."""
    return [
        (
            f"update {LOADS} set version = same.version from {_BEFORE} as same"
            f" where _loads.table_name = {name} and _loads.segment = same.segment"
            f" and _loads.digest = same.digest and _loads.row_count = same.row_count"
        )
    ]


def _where(table: Table, segments: set[Segment]) -> str:
    of_these = condition(table, segments)
    return f" where {of_these}" if of_these else ""
