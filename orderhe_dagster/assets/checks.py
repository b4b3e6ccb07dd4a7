"""Asset checks: claims of the catalogue and of `sql/checks/`, and the agreement. The SQL is in `proof`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import failing_clearly
from orderhe_dagster.assets.incidents import REMEDY
from orderhe_dagster.assets.policy import Policy
from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.catalog.table import Catalogue, Layer, Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Session, Warehouse
from orderhe_dagster.proof.ages import Ages, ages
from orderhe_dagster.proof.agreement import Agreement, prove
from orderhe_dagster.proof.check_results import AGREES, CheckResult, note_ages, remedy
from orderhe_dagster.proof.claims import Claim, Finding, claims_of, wrong_rows_markdown
from orderhe_dagster.proof.judgement import Judge, Judgement, Standing
from orderhe_dagster.proof.orphans import ReadAgain, read_again
from orderhe_dagster.proof.quarantine_limit import FEW_IN_QUARANTINE, LIMIT, Excess
from orderhe_dagster.road import audit, index
from orderhe_dagster.road.extracts import Parquet, Road
from orderhe_dagster.road.guards import Rules
from orderhe_dagster.road.index_objects import Proven
from orderhe_dagster.road.quarantine_report import markdown
from orderhe_dagster.road.remedies import again_command
from orderhe_dagster.road.rota import Budget, Turn, choose
from orderhe_dagster.road.step import Step

FIRST_WRONG, LAST_WRONG = "first_wrong_day", "last_wrong_day"
"""Metadata of a failed check."""
_MINUTE = "%Y-%m-%d %H:%M"


def build_checks(
    catalogue: Catalogue, calendar: Calendar, scratch: Path, policy: Policy, parquet: Parquet
) -> list[dg.AssetChecksDefinition]:
    """One definition a table, with all its checks; a failed one stops what follows.

    The last three are for the rows whose parent is gone: they are read again.
    """
    loaded = [
        _loaded_checks(catalogue, table, calendar, scratch, policy, parquet)
        for table in catalogue.layer("raw")
    ]
    models = (*catalogue.layer("warehouse"), *catalogue.layer("mart"))
    built = [_model_checks(catalogue, table, calendar, policy) for table in models]
    return [*loaded, *(checks for checks in built if checks is not None)]


def _spec(asset: dg.AssetKey, claim: Claim) -> dg.AssetCheckSpec:
    return dg.AssetCheckSpec(
        claim.name,
        asset=asset,
        description=claim.description,
        blocking=True,
        additional_deps=[dg.AssetKey(list(path)) for path in claim.needs],
    )


def _loaded_checks(
    catalogue: Catalogue,
    table: Table,
    calendar: Calendar,
    scratch: Path,
    policy: Policy,
    parquet: Parquet,
) -> dg.AssetChecksDefinition:
    asset = dg.AssetKey(["warehouse", table.name])
    claims = claims_of(catalogue, table, "warehouse")
    names = [one.name for one in catalogue.layer("raw")]
    agreement = dg.AssetCheckSpec(
        AGREES,
        asset=asset,
        description="Source, backup and warehouse hold the same of all that the run loaded, as far as the "
        "night's budget of the proof goes: rows, the exact sum of each numeric column, and a digest of "
        "all values. All else is proven by turns: see how old the oldest proof is.",
        blocking=True,
    )
    few = dg.AssetCheckSpec(FEW_IN_QUARANTINE, asset=asset, description=LIMIT, blocking=True)

    @dg.multi_asset_check(
        name=f"check_warehouse_{table.name}",
        specs=[agreement, few, *(_spec(asset, claim) for claim in claims)],
        can_subset=True,
    )
    def checks(
        context: dg.AssetCheckExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Iterator[dg.AssetCheckResult]:
        run_id, history = context.run.run_id, calendar.history()
        judge = Judge(catalogue, history, source, store, run_id)
        step = Step(table, history if table.partition else None, run_id, history)
        wanted = {key.name for key in context.selected_asset_check_keys}
        keys = {claim.name for claim in claims if claim.foreign_key} & wanted
        of_source = policy.of_source(context.run.tags)
        of_copies = policy.of_copies(context.run.tags)
        with failing_clearly(f"checks of warehouse/{table.name}", None):
            with warehouse.session(
                f"checks of {asset.to_user_string()}", read_only=True
            ) as session:
                segments = _loaded_segments(session, step)
                standing = _standing(judge, session, table.read_as, of_copies)
                of_keys = _judged_keys(judge, session, table, keys, standing)
            again = None
            if of_keys is not None:
                road = Road(source, store, warehouse, scratch, parquet)
                again = read_again(judge, table, of_keys, road, of_source, of_copies)
            if again:
                of_keys, standing = None, Standing()
            others = []
            if AGREES in wanted:
                segments |= {*again.segments} if again else set()
                before = standing.results.get(AGREES)
                asked = of_source.budget.everything or not _loads(context, asset)
                if segments or asked or before is None or not before.passed:
                    chosen = segments or _segments_there(step, store, warehouse)
                    if segments and not asked:
                        totals = index.TOTALS.of(run_id, store, names)
                        share = of_source.budget.share(totals, table.name)
                        chosen = _in_turn(segments, step, store, share)
                    agreement = prove(step, chosen, source, store, warehouse)
                    _dispute(table, agreement, warehouse, run_id)
                    proofs = ages(step, store, warehouse)
                    others.append(_agreement_result(agreement, proofs, run_id))
                    yield _shown_agreement(asset, agreement, proofs)
                else:
                    proofs = ages(step, store, warehouse)
                    _keep_ages(before, proofs, warehouse)
                    yield _shown_as_before(asset, before, proofs)
            yield from _judged(asset, judge, wanted, warehouse, standing, (of_keys, again), others)

    return checks


def _model_checks(
    catalogue: Catalogue, table: Table, calendar: Calendar, policy: Policy
) -> dg.AssetChecksDefinition | None:
    layer: Layer = table.layer
    asset = dg.AssetKey([layer, table.name])
    claims = claims_of(catalogue, table, layer)
    if not claims:
        return None

    @dg.multi_asset_check(
        name=f"check_{layer}_{table.name}",
        specs=[_spec(asset, claim) for claim in claims],
        can_subset=True,
    )
    def checks(
        context: dg.AssetCheckExecutionContext,
        source: dg.ResourceParam[Source],
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> Iterator[dg.AssetCheckResult]:
        judge = Judge(catalogue, calendar.history(), source, store, context.run.run_id)
        wanted = {key.name for key in context.selected_asset_check_keys}
        rules = policy.of_copies(context.run.tags)
        with failing_clearly(f"checks of {layer}/{table.name}", None):
            with warehouse.session(f"checks of {layer}/{table.name}", read_only=True) as session:
                standing = _standing(judge, session, table.read_as, rules)
            yield from _judged(asset, judge, wanted, warehouse, standing)

    return checks


def _standing(judge: Judge, session: Session, ref: TableRef, rules: Rules) -> Standing:
    """Which claims need not be asked again; all need, of a run that proves everything."""
    standing = judge.standing(session, ref)
    return replace(standing, claims={}) if rules.budget.everything else standing


def _judged_keys(
    judge: Judge, session: Session, table: Table, names: Collection[str], standing: Standing
) -> Judgement | None:
    """What the foreign key claims of these names come to; None where there are none to be judged."""
    left = {*names} - standing.claims.keys()
    return judge.judge(session, table.read_as, left, standing=standing) if left else None


def _judged(
    asset: dg.AssetKey,
    judge: Judge,
    wanted: Collection[str],
    warehouse: Warehouse,
    standing: Standing,
    keys: tuple[Judgement | None, ReadAgain | None] = (None, None),
    others: Sequence[CheckResult] = (),
) -> Iterator[dg.AssetCheckResult]:
    """Judge the claims that the step was asked for, and keep all results for later runs.

    `keys`: what those of foreign keys came to, and what was read again for them.
    """
    ref = TableRef(cast("Layer", asset.path[0]), asset.path[1])
    before, again = keys
    with warehouse.session(f"checks of {asset.to_user_string()}", read_only=True) as session:
        judgement = judge.judge(session, ref, wanted, before, standing)
    for claim, finding in judgement.findings:
        mend = remedy(judge.catalogue, ref, {claim.name}, finding.segments)
        done = again.sentence(claim.name) if again else ""
        yield _shown_claim(asset, claim, finding, done, mend)
    for claim in judge.claims(ref):
        if claim.name in wanted and claim.name in standing.claims:
            yield _shown_standing(asset, claim, standing.claims[claim.name])
    if judgement.excess is not None:
        yield _shown_excess(asset, judgement.excess)
    if judgement.is_news or others:
        with warehouse.session(f"check results of {ref}") as session:
            judge.keep(session, judgement, others)


def wrong_days(segments: Iterable[Segment]) -> dict[str, str]:
    """The first and the last day of what is wrong, as metadata: for the command that mends it."""
    days = sorted(days_of(segments))
    return {FIRST_WRONG: days[0].isoformat(), LAST_WRONG: days[-1].isoformat()} if days else {}


def _now() -> datetime:
    return datetime.now(timezone.utc)


def _agreement_result(agreement: Agreement, proofs: Ages, run_id: str) -> CheckResult:
    return CheckResult(
        table_name=f"warehouse.{agreement.table}",
        claim=AGREES,
        passed=agreement.agrees,
        wrong_rows=len(agreement.differences),
        only_stale=not agreement.agrees and not agreement.wrong,
        checked_at=_now(),
        run_id=run_id,
        days=agreement.segments,
        source_rows=agreement.source.rows,
        backup_rows=agreement.backup.rows,
        warehouse_rows=agreement.warehouse.rows,
        segments_held=proofs.segments,
        never_proven=proofs.never,
        oldest_proof=proofs.oldest,
    )


def _shown_claim(
    asset: dg.AssetKey, claim: Claim, finding: Finding, done: str, mend: str
) -> dg.AssetCheckResult:
    """The result of a claim; `done` is what was done before it was judged for good."""
    metadata: dict[str, Any] = {
        "wrong_rows": finding.wrong,
        "sql": dg.MetadataValue.md(f"```sql\n{claim.sql}\n```"),
        **wrong_days(finding.segments),
    }
    if finding.pending:
        metadata["pending_rows"] = finding.pending
    if finding.wrong:
        metadata[REMEDY] = mend
    if finding.wrong or finding.pending:
        metadata["rows"] = dg.MetadataValue.md(wrong_rows_markdown(finding))
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=claim.name,
        passed=not finding.wrong,
        severity=dg.AssetCheckSeverity.ERROR,
        description="; ".join(filter(None, [finding.sentence(claim), done])),
        metadata=metadata,
    )


def _shown_standing(asset: dg.AssetKey, claim: Claim, result: CheckResult) -> dg.AssetCheckResult:
    """The result of a claim that held for the very rows that are there now."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=claim.name,
        passed=True,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"unchanged since {result.checked_at:{_MINUTE}} UTC: holds for every row",
        metadata={
            "wrong_rows": 0,
            "judged_at": dg.MetadataValue.timestamp(result.checked_at),
            "sql": dg.MetadataValue.md(f"```sql\n{claim.sql}\n```"),
        },
    )


def _shown_excess(asset: dg.AssetKey, excess: Excess) -> dg.AssetCheckResult:
    shown = {str(segment): apart for segment, (apart, _) in sorted(excess.segments.items())[:20]}
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=FEW_IN_QUARANTINE,
        passed=not excess.segments,
        severity=dg.AssetCheckSeverity.ERROR,
        description=excess.sentence(),
        metadata={
            "rows_in_quarantine": excess.rows,
            **(
                {"days": shown, "rows": dg.MetadataValue.md(markdown(excess.report))}
                if shown
                else {}
            ),
            **wrong_days(excess.segments),
        },
    )


def _shown_agreement(asset: dg.AssetKey, agreement: Agreement, proofs: Ages) -> dg.AssetCheckResult:
    shown = "\n".join(f"- {difference}" for difference in agreement.differences[:20])
    metadata: Mapping[str, Any] = {
        "segments": agreement.segments,
        "source_rows": agreement.source.rows,
        "backup_rows": agreement.backup.rows,
        "warehouse_rows": agreement.warehouse.rows,
        "differing_segments": len(agreement.differences),
        "segments_held": proofs.segments,
        "never_proven": proofs.never,
        **({"oldest_proof": proofs.oldest.isoformat()} if proofs.oldest else {}),
        **({"differences": dg.MetadataValue.md(shown)} if shown else {}),
        **wrong_days([difference.segment for difference in agreement.differences]),
    }
    stale = agreement.differences and not agreement.wrong
    again = again_command(agreement.table, [one.segment for one in agreement.differences])
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=AGREES,
        passed=agreement.agrees,
        severity=dg.AssetCheckSeverity.WARN if stale else dg.AssetCheckSeverity.ERROR,
        description=(
            f"{counted(agreement.source.rows, 'row agrees', 'rows agree')} of "
            f"{counted(agreement.segments, 'segment')}; {proofs.sentence()}"
            if agreement.agrees
            else f"the source or the backup has moved on: {again}"
            if stale
            else f"{counted(len(agreement.wrong), 'segment differs', 'segments differ')}: {again}"
        ),
        metadata=metadata,
    )


def _shown_as_before(asset: dg.AssetKey, before: CheckResult, proofs: Ages) -> dg.AssetCheckResult:
    """The agreement of a table of which the run has loaded nothing: what was found last."""
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=AGREES,
        passed=True,
        severity=dg.AssetCheckSeverity.ERROR,
        description=f"nothing loaded since {before.checked_at:{_MINUTE}} UTC, when all agreed; "
        f"{proofs.sentence()}",
        metadata={
            "segments": 0,
            "judged_at": dg.MetadataValue.timestamp(before.checked_at),
            "segments_held": proofs.segments,
            "never_proven": proofs.never,
            **({"oldest_proof": proofs.oldest.isoformat()} if proofs.oldest else {}),
        },
    )


def _keep_ages(before: CheckResult, proofs: Ages, warehouse: Warehouse) -> None:
    """Keep how old the proofs are now, where they were made or have grown since."""
    oldest = proofs.oldest and proofs.oldest.replace(microsecond=0)
    now = replace(
        before, segments_held=proofs.segments, never_proven=proofs.never, oldest_proof=oldest
    )
    if now != before:
        with warehouse.session(f"ages of the proofs of {before.table_name}") as session:
            note_ages(session, now)


def _dispute(table: Table, agreement: Agreement, warehouse: Warehouse, run_id: str) -> None:
    """Keep in the audit where an agreement found a copy wrong, so that no later run passes it over."""
    segments = sorted({difference.segment for difference in agreement.wrong})
    if segments:
        with warehouse.session(f"dispute {table.name}") as session:
            audit.dispute(session, f"warehouse.{table.name}", segments, run_id)


def _loads(context: dg.AssetCheckExecutionContext, asset: dg.AssetKey) -> bool:
    """Whether the run has a step that loads the table: else its checks alone were asked for."""
    return asset.to_python_identifier() in (context.run.step_keys_to_execute or ())


def _loaded_segments(session: Session, step: Step) -> set[Segment]:
    """The segments that this run has loaded."""
    held = audit.read_or_nothing(session, f"warehouse.{step.table.name}")
    return {segment for segment, loaded in held.items() if loaded.run_id == step.run_id}


def _in_turn(segments: Set[Segment], step: Step, store: Store, budget: Budget) -> set[Segment]:
    """As many of these as the budget lets the source be asked for; the turn of the others comes."""
    known = index.read(store, step.table.name)
    turns = {
        segment: Turn(
            known.records[segment].measure.rows, known.proven.get(segment, Proven()).source
        )
        for segment in segments & known.records.keys()
    }
    return {*choose(turns, budget), *(segments - turns.keys())}


def _segments_there(step: Step, store: Store, warehouse: Warehouse) -> set[Segment]:
    """Every segment of a table that there is."""
    name = f"warehouse.{step.table.name}"
    with warehouse.session(f"checks of {name}", read_only=True) as session:
        held = audit.read_or_nothing(session, name)
    known = index.read(store, step.table.name).records
    return {*held, *known} & set(step.cut)
