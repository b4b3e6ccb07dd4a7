"""Asset checks: claims of the catalogue and of `sql/checks/`, and the agreement. The SQL is in `proof`."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, cast

import dagster as dg

from orderhe_dagster.assets.calendar import Calendar
from orderhe_dagster.assets.common import failing_clearly
from orderhe_dagster.assets.policy import Policy
from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.catalog.table import Catalogue, Layer, Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.proof.ages import Ages, ages
from orderhe_dagster.proof.agreement import Agreement, prove
from orderhe_dagster.proof.check_results import AGREES, CheckResult
from orderhe_dagster.proof.claims import Claim, Finding, claims_of, wrong_rows_markdown
from orderhe_dagster.proof.judgement import Judge, Judgement
from orderhe_dagster.proof.orphans import ReadAgain, read_again
from orderhe_dagster.proof.quarantine_limit import FEW_IN_QUARANTINE, LIMIT, Excess
from orderhe_dagster.road import audit, index
from orderhe_dagster.road.extracts import Parquet, Road
from orderhe_dagster.road.guards import Rules
from orderhe_dagster.road.quarantine_report import markdown
from orderhe_dagster.road.remedies import again_command
from orderhe_dagster.road.step import Step

FIRST_WRONG, LAST_WRONG = "first_wrong_day", "last_wrong_day"
"""Metadata of a failed check."""


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
    built = [_model_checks(catalogue, table, calendar) for table in models]
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
    agreement = dg.AssetCheckSpec(
        AGREES,
        asset=asset,
        description="Source, backup and warehouse hold the same of all that the run loaded: rows, the "
        "exact sum of each numeric column, and a digest of all values. What a run does not load is "
        "proven by turns: see how old the oldest proof is.",
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
        with failing_clearly(f"checks of warehouse/{table.name}", None):
            segments = {*_loaded_segments(step, store, warehouse)}
            of_keys, again = _judged_keys(
                judge,
                table,
                keys,
                Road(source, store, warehouse, scratch, parquet),
                policy.of_source(context.run.tags),
                policy.of_copies(context.run.tags),
            )
            others = []
            if AGREES in wanted:
                read = again.segments if again else ()
                agreement = prove(step, segments.union(read), source, store, warehouse)
                _dispute(table, agreement, warehouse, run_id)
                proofs = ages(step, store, warehouse)
                others.append(_agreement_result(agreement, proofs, run_id))
                yield _shown_agreement(asset, agreement, proofs)
            yield from _judged(asset, judge, wanted, warehouse, of_keys, again, others)

    return checks


def _model_checks(
    catalogue: Catalogue, table: Table, calendar: Calendar
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
        with failing_clearly(f"checks of {layer}/{table.name}", None):
            yield from _judged(asset, judge, wanted, warehouse)

    return checks


def _judged_keys(
    judge: Judge,
    table: Table,
    names: Collection[str],
    road: Road,
    of_source: Rules,
    of_copies: Rules,
) -> tuple[Judgement | None, ReadAgain | None]:
    """What the foreign key claims of these names come to, after rows without a parent were read again."""
    if not names:
        return None, None
    with road.warehouse.session("foreign keys", read_only=True) as session:
        judgement = judge.judge(session, table.read_as, names)
    again = read_again(judge, table, judgement, road, of_source, of_copies)
    return (None if again else judgement), again


def _judged(
    asset: dg.AssetKey,
    judge: Judge,
    wanted: Collection[str],
    warehouse: Warehouse,
    before: Judgement | None = None,
    again: ReadAgain | None = None,
    others: Sequence[CheckResult] = (),
) -> Iterator[dg.AssetCheckResult]:
    """Judge the claims that the step was asked for, and keep all results for later runs."""
    ref = TableRef(cast("Layer", asset.path[0]), asset.path[1])
    with warehouse.session("checks", read_only=True) as session:
        judgement = judge.judge(session, ref, wanted, before)
    for claim, finding in judgement.findings:
        yield _shown_claim(asset, claim, finding, again.sentence(claim.name) if again else "")
    if judgement.excess is not None:
        yield _shown_excess(asset, judgement.excess)
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
    asset: dg.AssetKey, claim: Claim, finding: Finding, done: str
) -> dg.AssetCheckResult:
    """The result of a claim; `done` is what was done before it was judged for good."""
    metadata: dict[str, Any] = {
        "wrong_rows": finding.wrong,
        "sql": dg.MetadataValue.md(f"```sql\n{claim.sql}\n```"),
        **wrong_days(finding.segments),
    }
    if finding.pending:
        metadata["pending_rows"] = finding.pending
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


def _dispute(table: Table, agreement: Agreement, warehouse: Warehouse, run_id: str) -> None:
    """Keep in the audit where an agreement found a copy wrong, so that no later run passes it over."""
    segments = sorted({difference.segment for difference in agreement.wrong})
    if segments:
        with warehouse.session(f"dispute {table.name}") as session:
            audit.dispute(session, f"warehouse.{table.name}", segments, run_id)


def _loaded_segments(step: Step, store: Store, warehouse: Warehouse) -> list[Segment]:
    """The segments this run loaded; where it loaded none, every one there is."""
    name = f"warehouse.{step.table.name}"
    with warehouse.session(f"checks of {name}", read_only=True) as session:
        held = audit.read(session, [name])[name]
    by_run = [segment for segment, loaded in held.items() if loaded.run_id == step.run_id]
    known = index.read(store, step.table.name).records
    return by_run or sorted({*held, *known} & set(step.cut))
