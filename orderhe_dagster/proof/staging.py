"""Claims judged on the stage, before a load commits: columns that are filled, keys, accepted values.

What a load brings is held back where it breaks one (`road.held_back`). A key that stands in the stage and
in rows that stay in the table is judged after the load, like every other claim (`judgement`).
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.proof.check_results import (
    HELD_BACK,
    CheckResult,
    claim_names,
    has_failed,
    record,
)
from orderhe_dagster.proof.claims import Claim, claims_of, grouped_by, personal_columns
from orderhe_dagster.rendering.masking import hiding_values, masked
from orderhe_dagster.road.held_back import Refusal
from orderhe_dagster.road.load_sql import segment_expression
from orderhe_dagster.road.step import Step

_SHOWN = 3


@dataclass(frozen=True)
class Stage:
    """One run's judge of stages; see `road.held_back.StageJudge`."""

    catalogue: Catalogue
    run_id: str

    def refusals(self, session: Session, step: Step, stage: str) -> Sequence[Refusal]:
        """The claims that rows of the relation `stage` break."""
        personal = personal_columns(self.catalogue)
        claims = claims_of(self.catalogue, step.table, "warehouse", stage)
        with hiding_values(bool(personal)):
            found = [_refusal(session, step, stage, one, personal) for one in claims if one.columns]
        return [refusal for refusal in found if refusal is not None]

    def keep(self, session: Session, table: Table, refusals: Sequence[Refusal]) -> None:
        """Keep, for later runs, that these rows are held back; or that none are."""
        name = str(table.read_as)
        if not refusals and not has_failed(session, name, HELD_BACK):
            return
        result = CheckResult(
            table_name=name,
            claim=HELD_BACK,
            passed=not refusals,
            wrong_rows=sum(refusal.rows for refusal in refusals),
            checked_at=datetime.now(timezone.utc),
            run_id=self.run_id,
        )
        record(session, name, [result], claim_names(self.catalogue, table.read_as))


def _refusal(
    session: Session, step: Step, stage: str, claim: Claim, personal: Collection[str]
) -> Refusal | None:
    count = session.execute(f"select count(*) from (\n{claim.sql}\n) as wrong").scalar()
    if not count:
        return None
    columns = claim.columns
    if not claim.is_key:
        columns = tuple(dict.fromkeys((*step.table.grain, *columns)))
    shown = session.execute(
        f"select {', '.join(map(ddl.quoted, columns))} from (\n{claim.sql}\n) as wrong limit {_SHOWN}"
    )
    rows = masked(columns, shown.rows, personal)
    return Refusal(
        claim.name,
        claim.description,
        count,
        frozenset(_segments(session, step, stage, claim)),
        [_row(columns, row) for row in rows],
    )


def _segments(session: Session, step: Step, stage: str, claim: Claim) -> set[Segment]:
    """Where the rows lie that break the claim."""
    if not step.table.partition:
        return {WHOLE}
    segment, wrong = segment_expression(step), f"(\n{claim.sql}\n) as wrong"
    if claim.is_key:
        grouped = ", ".join(grouped_by(step.table, claim.columns))
        filled = " and ".join(f"{ddl.quoted(column)} is not null" for column in claim.columns)
        counted = f"count(*) over (partition by {grouped}) as row_count"
        keyed = f"(select {segment} as segment, {counted} from {stage} where {filled}) as keyed"
        segment, wrong = "segment", f"{keyed} where row_count > 1"
    result = session.execute(f"select distinct {segment} as segment from {wrong}")
    return {Segment(text) for (text,) in result.rows}


def _row(columns: Sequence[str], values: Sequence[Any]) -> str:
    return ", ".join(
        f"{name} = {'NULL' if value is None else value}"
        for name, value in zip(columns, values, strict=True)
    )
