"""Rows whose parent is gone: their segments are read again before the foreign key claim is called broken.

A database that keeps foreign keys changes the children of a deleted row itself (`on delete set null`)
and moves no cursor for it. Nothing else is mended here: what is still wrong then, is.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.proof.judgement import Judge, Judgement
from orderhe_dagster.proof.staging import Stage
from orderhe_dagster.road.extracts import Road, back_up
from orderhe_dagster.road.findings import Finding
from orderhe_dagster.road.guards import Rules
from orderhe_dagster.road.loads import load
from orderhe_dagster.road.remedies import segments_text
from orderhe_dagster.road.step import Step

log = logging.getLogger("orderhe.checks")


@dataclass(frozen=True)
class ReadAgain:
    """The segments of rows without a parent that were read again, and what of them had changed unseen."""

    segments: Collection[Segment]
    broken: Mapping[str, int]  # claim -> rows that broke it before
    changed: Collection[Segment]
    findings: Sequence[Finding]

    def sentence(self, claim: str) -> str:
        """What was done for a claim; '' where it had not failed."""
        if claim not in self.broken:
            return ""
        rows = counted(self.broken[claim], "row")
        text = f"{rows} had no parent, so {segments_text(self.segments)}, was read again first"
        if not self.changed:
            return f"{text}: the source has them still"
        if not self.findings:
            return f"{text}: changed meanwhile"
        listed = "; ".join(map(str, self.findings[:3]))
        return f"{text}: changed in the source without its cursor: {listed}"


def read_again(
    judge: Judge,
    table: Table,
    judgement: Judgement,
    road: Road,
    of_source: Rules,
    of_copies: Rules,
) -> ReadAgain | None:
    """Read the segments of the rows that break a foreign key claim again, and load them.

    `judgement` is of the table's foreign key claims. None where no row breaks one. Raises what a backup
    and a load raise.
    """
    broken = {claim.name: finding.wrong for claim, finding in judgement.findings if finding.wrong}
    segments = sorted({one for _, finding in judgement.findings for one in finding.segments})
    if not (broken and segments):
        return None
    days = days_of(segments) or [judge.history.end - ONE_DAY]
    step = Step(
        table,
        Window.of(min(days), max(days)) if table.partition else None,
        f"{judge.run_id}-orphans",  # this run may have written the same segments before
        judge.history,
        tuple(segments),
    )
    done = back_up(step, road, _of_these(of_source))
    changed = tuple(sorted(done.written & set(segments)))
    if changed:
        # What is as it was keeps the moment it was read at: before its parents were, so it is judged.
        of_these = replace(step, run_id=judge.run_id, chosen=changed)
        stage = Stage(judge.catalogue, judge.run_id)
        load(of_these, road.store, road.warehouse, _of_these(of_copies), stage)
    findings = [finding for finding in done.findings if finding.kind == "silent"]
    again = ReadAgain(segments, broken, changed, findings)
    for claim in broken:
        log.warning("warehouse/%s: %s: %s", table.name, claim, again.sentence(claim))
    return again


def _of_these(rules: Rules) -> Rules:
    """The rules without the proof of all else, which the run has seen to before."""
    return replace(rules, budget=replace(rules.budget, everything=False))
