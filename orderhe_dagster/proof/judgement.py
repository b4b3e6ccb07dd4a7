"""Who judges what: nothing is built on rows that the claims of their table have not judged.

A load and a build commit before their claims are judged, and a run may be killed between, or be of some
assets alone. So it is kept which content of a table all of its claims have judged: its segments'
versions, those of the tables that the claims compare it with, and the claims' own text. What finds
another content judges it first. Claims that held for the very rows that are there now stand, and nobody
needs to ask them again. The claims' SQL is in `claims`, what they came to in `check_results`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, Outside, Segment
from orderhe_dagster.catalog.table import Catalogue, Table, TableRef
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.proof.check_results import (
    AGREES,
    HELD_BACK,
    CheckResult,
    claim_names,
    record,
    refuse_failed,
    results_of,
)
from orderhe_dagster.proof.claims import Claim, Finding, claims_of, judge
from orderhe_dagster.proof.quarantine_limit import FEW_IN_QUARANTINE, Excess, excess
from orderhe_dagster.road import audit, index
from orderhe_dagster.road.audit import JUDGED, LOADS, UNDEFINED_SCHEMA, Loaded, literal
from orderhe_dagster.road.inputs import stands_on

_HOLDS = " holds"
"""Behind a table's name: the content for which all claims that read no clock held, no row pending."""


@dataclass(frozen=True)
class Content:
    """What the claims of a table look at, as digests.

    `judged` counts in when parents were read, for which an orphan may wait; `rows` does not.
    """

    judged: str
    rows: str


@dataclass(frozen=True)
class Standing:
    """What is kept of a table's checks, and its content now.

    `results` are the latest; `claims`, those of them that stand: what they look at is what they held for.
    `is_judged`: all of the claims have judged what is there now.
    """

    content: Content | None = None
    results: Mapping[str, CheckResult] = field(default_factory=dict)
    claims: Mapping[str, CheckResult] = field(default_factory=dict)
    is_judged: bool = False


@dataclass(frozen=True)
class Judgement:
    """What claims of a table came to, and which content they judged; `is_whole` where all of them did.

    `excess` is what of a loaded table is in quarantine beyond the limit, where that was asked.
    `standing` has what was not asked again.
    """

    ref: TableRef
    findings: Sequence[tuple[Claim, Finding]]
    excess: Excess | None
    content: Content | None
    is_whole: bool
    standing: Standing = field(default_factory=Standing)

    @property
    def holds(self) -> bool:
        """Whether all claims that read no clock held, and no row waits for another to be judged."""
        return not any(
            finding.wrong or finding.pending or finding.behind
            for claim, finding in self.findings
            if claim.is_steady
        )

    @property
    def is_news(self) -> bool:
        """Whether there is anything to keep that is not kept already."""
        kept, excess = self.standing.results.get(FEW_IN_QUARANTINE), self.excess
        is_known = excess is None or (kept is not None and kept.wrong_rows == excess.rows)
        return bool(self.findings) or not is_known or not self.standing.is_judged


@dataclass(frozen=True)
class Judge:
    """One run's judge: of what the warehouse holds, by the claims of `catalogue`.

    The source is asked whether it has rows of a parent on days that were never read: a child is not
    judged by a parent that is held in part only. Without one (None) the backups are.
    """

    catalogue: Catalogue
    history: Window
    source: Source | None
    store: Store
    run_id: str

    def claims(self, ref: TableRef) -> list[Claim]:
        """The claims of the table that SQL calls `ref`."""
        return claims_of(self.catalogue, self.catalogue.get(ref), ref.layer)

    def judge(
        self,
        session: Session,
        ref: TableRef,
        names: Collection[str] | None = None,
        before: Judgement | None = None,
        standing: Standing | None = None,
    ) -> Judgement:
        """Judge a table's claims, all or those of these names; not those that were just `before`.

        Nor those that stand, where that is known. What is loaded meanwhile stays unjudged.
        """
        all_of, table = self.claims(ref), self.catalogue.get(ref)
        own = {*(claim.name for claim in all_of), *self._of_backups(table)}
        chosen = own if names is None else own & {*names}
        if before or standing:
            content = before.content if before else standing.content if standing else None
        else:
            content = self._contents(session, {ref: all_of}).get(ref)
        known = {claim.name: finding for claim, finding in before.findings} if before else {}
        spared = {*known, *(standing.claims if standing else ())}
        claims = [one for one in all_of if one.name in chosen and one.name not in spared]
        for claim, finding in judge(session, self.catalogue, claims, self._unread):
            known[claim.name] = replace(finding, segments=self._cut(finding.segments))
        return Judgement(
            ref,
            [(claim, known[claim.name]) for claim in all_of if claim.name in known],
            self.excess(table) if FEW_IN_QUARANTINE in chosen else None,
            content,
            chosen == own,
            standing or Standing(),
        )

    def standing(self, session: Session, ref: TableRef) -> Standing:
        """What is kept of a table's checks, and which of its claims need not be asked again.

        A claim that reads the clock must be, and so must one that failed: its rows are to be shown.
        """
        claims = self.claims(ref)
        content = self._contents(session, {ref: claims}).get(ref)
        results = results_of(session, str(ref))
        if content is None:
            return Standing(content, results)
        judged = _judged(session, [ref])
        if judged.get(f"{ref}{_HOLDS}") != content.rows:
            return Standing(content, results, is_judged=judged.get(str(ref)) == content.judged)
        stand = {
            claim.name: results[claim.name]
            for claim in claims
            if claim.is_steady and claim.name in results and results[claim.name].passed
        }
        return Standing(content, results, stand, is_judged=True)

    def _cut(self, segments: Collection[Segment]) -> tuple[Segment, ...]:
        """Segments as copies have them: rows of other days than the shop's lie outside."""
        days = self.history
        return tuple(sorted({s if not s.day or s.day in days else OUTSIDE for s in segments}))

    def excess(self, table: Table) -> Excess:
        """What a raw table has in quarantine beyond the limit."""
        return excess(table, self.history, self.store)

    def _of_backups(self, table: Table) -> set[str]:
        """The checks that are judged by the backups of a table."""
        return {FEW_IN_QUARANTINE} if table.layer == "raw" else set()

    def keep(
        self, session: Session, judgement: Judgement, others: Sequence[CheckResult] = ()
    ) -> None:
        """Keep what claims came to, and `others` of the same table, for later runs."""
        ref, results = judgement.ref, [*others]
        kept = set(claim_names(self.catalogue, ref))
        for claim, finding in judgement.findings:
            if not finding.behind:  # what could not be judged leaves the result as it was
                results.append(self._result(ref, claim.name, finding.wrong))
            elif any(stands_on(self.catalogue, other, ref) for other in finding.behind):
                # What would be judged by is built from this table: kept, a failure would stop that
                # from being built, and so from ever being judged again.
                kept.discard(claim.name)
        if judgement.excess is not None:
            results.append(self._result(ref, FEW_IN_QUARANTINE, judgement.excess.rows))
        contents: dict[str, str] = {}
        if judgement.is_whole and judgement.content is not None:
            contents[str(ref)] = judgement.content.judged
            contents[f"{ref}{_HOLDS}"] = judgement.content.rows if judgement.holds else ""
        record(session, str(ref), results, kept, contents)

    def require_passed(self, session: Session, table: Table) -> None:
        """Judge what `table` reads and nobody has judged as it is now; then refuse what failed.

        Raises FailedCheckError.
        """
        for ref in self._unjudged(session, table):
            self.keep(session, self.judge(session, ref))
        self._refuse_failed(session, table)

    def require_passed_of(self, warehouse: Warehouse, table: Table, label: str) -> None:
        """The same in a session of its own, which keeps no reader out unless something is to be judged."""
        with warehouse.session(label, read_only=True) as session:
            if not self._unjudged(session, table):
                self._refuse_failed(session, table)
                return
        with warehouse.session(label) as session:
            self.require_passed(session, table)

    def _refuse_failed(self, session: Session, table: Table) -> None:
        def where(ref: TableRef, failed: Collection[str]) -> Collection[Segment]:
            return self._wrong_segments(session, ref, failed)

        refuse_failed(session, self.catalogue, table, where)

    def _wrong_segments(
        self, session: Session, ref: TableRef, failed: Collection[str]
    ) -> set[Segment]:
        """Where what failed lies, as far as it tells: kept is only how much it is."""
        judgement = self.judge(session, ref, failed)
        segments = {one for _, finding in judgement.findings for one in finding.segments}
        if judgement.excess:
            segments |= judgement.excess.segments.keys()
        if AGREES in failed:
            held = _held(session, [str(ref)]).get(str(ref), {})
            segments |= {s for s, row in held.items() if row.version.startswith(audit.DISPUTED)}
        return segments | (self._not_loaded(session, ref) if HELD_BACK in failed else set())

    def _not_loaded(self, session: Session, ref: TableRef) -> set[Segment]:
        """The segments of which the warehouse does not hold the newest backup."""
        held = _held(session, [str(ref)]).get(str(ref), {})
        return {
            segment
            for segment, record in index.read(self.store, ref.name).records.items()
            if (segment.day is None or segment.day in self.history)
            and (segment not in held or held[segment].version != record.version)
        }

    def _unjudged(self, session: Session, table: Table) -> list[TableRef]:
        """The tables with claims that `table` reads, and whose content now is not the one that was judged."""
        claims = {
            ref: claims
            for ref in table.depends_on
            if (claims := self.claims(ref)) or self._of_backups(self.catalogue.get(ref))
        }
        contents = self._contents(session, claims)
        judged = _judged(session, contents)
        return [
            ref
            for ref, content in contents.items()
            if judged.get(str(ref)) != content.judged
            and judged.get(f"{ref}{_HOLDS}") != content.rows
        ]

    def _contents(
        self, session: Session, claims: Mapping[TableRef, Sequence[Claim]]
    ) -> dict[TableRef, Content]:
        """What the claims of each table look at; nothing of a table that was never loaded."""
        names = {str(ref): _names(ref, its) for ref, its in claims.items()}
        held = _versions(session, sorted({name for its in names.values() for name in its}))
        return {
            ref: _content(its, names[str(ref)], held)
            for ref, its in claims.items()
            if str(ref) in held
        }

    def _unread(self, parent: Table, loaded: Collection[Segment]) -> bool:
        """Whether the source has rows of a partitioned parent that are in none of these segments."""
        if self.source is None:
            records = index.read(self.store, parent.name).records
            return any(one.touch.rows and segment not in loaded for segment, one in records.items())
        if OUTSIDE not in loaded and self.source.outside(parent, Outside.of(self.history)).total:
            return True
        there = self.source.touches(parent, self.history)
        return any(segment not in loaded for segment in there)

    def _result(self, ref: TableRef, claim: str, wrong: int) -> CheckResult:
        return CheckResult(
            table_name=str(ref),
            claim=claim,
            passed=not wrong,
            wrong_rows=wrong,
            checked_at=datetime.now(timezone.utc),
            run_id=self.run_id,
        )


def _names(ref: TableRef, claims: Sequence[Claim]) -> list[str]:
    """The tables that claims look at, as the audit calls them."""
    read = {str(other) for claim in claims for other in claim.reads}
    return sorted({str(ref), *read, *map(_parent, claims)} - {""})


def _parent(claim: Claim) -> str:
    return f"warehouse.{claim.foreign_key.parent}" if claim.foreign_key else ""


@dataclass
class _Versions:
    """What the audit says of the rows of a table: a line a segment, and when it was read last."""

    lines: list[str] = field(default_factory=list)
    read_at: str = ""


def _content(
    claims: Sequence[Claim], names: Sequence[str], held: Mapping[str, _Versions]
) -> Content:
    """Digests of the claims as they are now, and of all that they look at."""
    nothing = _Versions()
    lines = [f"{claim.name}: {claim.sql}" for claim in claims]
    lines += [line for name in names for line in held.get(name, nothing).lines]
    read = [f"{name} {held.get(name, nothing).read_at}" for name in map(_parent, claims) if name]
    return Content(_digest([*lines, *read]), _digest(lines))


def _versions(session: Session, names: Sequence[str]) -> dict[str, _Versions]:
    """Of each table that was ever loaded, the versions of its segments.

    `inputs` of a loaded table tells rows that were altered and put right from those before.
    """
    if not names:
        return {}
    listed = ", ".join(map(literal, names))
    try:
        result = session.execute(
            "select table_name, segment, version, inputs, snapshot_at"
            f" from {LOADS} where table_name in ({listed})"
        )
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return {}  # a warehouse that was never written to
    held: dict[str, _Versions] = {}
    for name, segment, version, inputs, at in result.rows:
        of_table = held.setdefault(name, _Versions())
        of_table.lines.append(f"{name} {segment}={version}@{inputs}")
        of_table.read_at = max(of_table.read_at, at.isoformat())
    for of_table in held.values():
        of_table.lines.sort()
    return held


def _digest(lines: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def _held(session: Session, names: Sequence[str]) -> dict[str, dict[Segment, Loaded]]:
    try:
        return audit.read(session, names)
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return {}  # a warehouse that was never written to


def _judged(session: Session, refs: Collection[TableRef]) -> dict[str, str]:
    """Which content of these tables was judged last, and which held."""
    if not refs:
        return {}
    names = ", ".join(literal(f"{ref}{kind}") for ref in refs for kind in ("", _HOLDS))
    try:
        result = session.execute(
            f"select table_name, content from {JUDGED} where table_name in ({names})"
        )
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
            raise
        return {}  # a warehouse that was filled before this was kept
    return dict(result.rows)
