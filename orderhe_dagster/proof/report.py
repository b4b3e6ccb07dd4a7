"""What a proof came to, for people and programs: lines, Markdown, JSON. Nothing is measured here."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.proof.ages import Ages
from orderhe_dagster.proof.agreement import Agreement, Difference
from orderhe_dagster.proof.models import ModelProof
from orderhe_dagster.rendering.printing import markdown_table, table, text
from orderhe_dagster.road.row_differences import RowDifferences

FORMAT = 1
_ROWS_ON_SCREEN = 5
_SEGMENTS_ON_SCREEN = 20
_DIGITS = 16**8
_CELL = 1_000


@dataclass
class TableProof:
    """What the proof of one raw table came to."""

    table: Table
    agreement: Agreement
    ages: Ages

    @property
    def asset(self) -> str:
        """The name that a person calls it by."""
        return self.table.name

    @property
    def segments(self) -> int:
        """How many were looked at."""
        return self.agreement.segments

    @property
    def differences(self) -> Sequence[Difference]:
        """On which segments source, backup and warehouse do not agree."""
        return self.agreement.differences


@dataclass
class Repair:
    """What a repair came to. `mended` and `left` name asset, segment and severity."""

    run_id: str
    succeeded: bool
    messages: Sequence[str] = ()
    mended: Sequence[tuple[str, str, str]] = ()
    left: Sequence[tuple[str, str, str]] = ()


@dataclass
class Report:
    """A proof of some tables and models: all of their segments, or those of the days of `window`.

    `unproven`: what could not be looked at, and why, by the name of its table.
    """

    proven_at: datetime
    window: Window | None
    tables: Sequence[TableProof] = ()
    models: Sequence[ModelProof] = ()
    unproven: Mapping[str, str] = field(default_factory=dict)
    remedies: Sequence[str] = field(default_factory=tuple)
    repair: Repair | None = None

    @property
    def proofs(self) -> Sequence[TableProof | ModelProof]:
        """All that was looked at."""
        return [*self.tables, *self.models]

    @property
    def agrees(self) -> bool:
        """Whether all could be looked at, and nothing differed then."""
        return not self.unproven and not any(proof.differences for proof in self.proofs)

    def differing(self) -> Iterator[tuple[str, Difference]]:
        """Every difference, with the name of its table or model."""
        for proof in self.proofs:
            for difference in proof.differences:
                yield proof.asset, difference


# For a terminal ----------------------------------------------------------------------------------


def lines(report: Report) -> Iterator[str]:
    """The report for a terminal: figures, differences with their rows, ages, what to do."""
    if report.tables:
        yield agreement_table([(one.table, one.agreement) for one in report.tables])
        yield ""
    if report.models:
        yield model_table(report.models)
        yield ""
    yield from _difference_lines(report)
    for name, why in report.unproven.items():
        yield f"NOT PROVEN {name}: {why}"
        yield ""
    yield "How old the oldest proofs are:"
    yield from (f"  {proof.asset}: {proof.ages.sentence()}" for proof in report.proofs)
    yield ""
    yield verdict(report)
    yield from report.remedies


def _difference_lines(report: Report) -> Iterator[str]:
    for proof in report.proofs:
        for difference in proof.differences[:_SEGMENTS_ON_SCREEN]:
            yield f"{difference.severity} {proof.asset} {difference}"
            yield from (f"    {line}" for line in difference.sentences(_ROWS_ON_SCREEN))
        more = len(proof.differences) - _SEGMENTS_ON_SCREEN
        if more > 0:
            yield f"{proof.asset}: and {counted(more, 'difference')} more (--report writes all of them)"
    if any(proof.differences for proof in report.proofs):
        yield ""


def verdict(report: Report) -> str:
    """The outcome in one sentence, which speaks of nothing that was not looked at."""
    days = f" of {report.window}" if report.window else ""
    differing = [proof for proof in report.proofs if proof.differences]
    if differing:
        many = ", ".join(
            f"{counted(len({one.segment for one in proof.differences}), 'segment')} of {proof.asset}"
            for proof in differing
        )
        texts = [f"DIFFERENT{days}: {many}."]
    else:
        texts = list(_agreeing(report, days))
    if report.unproven:
        texts.insert(0, f"NOT PROVEN: {', '.join(report.unproven)}.")
    if report.window:
        texts.append("Other days, and rows outside of the days, were not looked at.")
    return " ".join(texts)


def _agreeing(report: Report, days: str) -> Iterator[str]:
    of_all = days or ", all there are,"
    if report.tables:
        looked = counted(sum(one.segments for one in report.tables), "segment")
        names = ", ".join(one.asset for one in report.tables)
        yield f"Source, backup and warehouse agree on {looked}{of_all} of {names}."
    if report.models:
        looked = counted(sum(one.segments for one in report.models), "segment")
        names = ", ".join(one.asset for one in report.models)
        yield f"As they were built: {looked}{of_all} of {names}."
        again = [one.asset for one in report.models if one.computed_again]
        if again:
            many = counted(len(again), "model")
            yield f"The selects of {many} give the same rows again{_but_of(report.models)}."


def agreement_table(agreements: Sequence[tuple[Table, Agreement]]) -> str:
    """Rows and sums of each table in source, backup and warehouse, and the verdict.

    Sums of keys say nothing to a person, so they are left out; the digest has them.
    """
    return table(_COPIES, _agreement_rows(agreements), right=(2, 3, 4))


def _but_of(models: Sequence[ModelProof]) -> str:
    others = [one.asset for one in models if not one.computed_again]
    return f"; those of {', '.join(others)} were not asked" if others else ""


_COPIES = ("table", "measure", "source", "backup", "warehouse", "")


def _agreement_rows(agreements: Sequence[tuple[Table, Agreement]]) -> list[list[str]]:
    rows = []
    for contract, agreement in agreements:
        keys = {*contract.grain, *(name for key in contract.foreign_keys for name in key.columns)}
        three = (agreement.source, agreement.backup, agreement.warehouse)
        differing = len({one.segment for one in agreement.differences})
        outcome = counted(differing, "segment differs", "segments differ") if differing else "equal"
        rows.append([agreement.table, "rows", *(f"{m.rows:,}" for m in three), outcome])
        for name in sorted({name for m in three for name in m.sums} - keys):
            rows.append(_three(f"sum of {name}", [f"{m.sums.get(name, 0):,}" for m in three]))
        rows.append(_three("digest", [f"{m.digest % _DIGITS:08x}" for m in three]))
    return rows


def _three(measure: str, values: list[str]) -> list[str]:
    return ["", measure, *values, "equal" if len(set(values)) == 1 else "DIFFER"]


def model_table(models: Sequence[ModelProof]) -> str:
    """Rows and digest of each model as it was built and as it is."""
    return table(_BUILDS, _model_rows(models), right=(2, 3))


_BUILDS = ("model", "measure", "built", "there", "")


def _model_rows(models: Sequence[ModelProof]) -> list[list[str]]:
    rows = []
    for one in models:
        differing = len({difference.segment for difference in one.differences})
        outcome = counted(differing, "segment differs", "segments differ") if differing else "equal"
        rows.append([one.asset, "rows", f"{one.built_rows:,}", f"{one.rows:,}", outcome])
        digests = [f"{digest % _DIGITS:08x}" for digest in (one.built_digest, one.digest)]
        same = "equal" if one.built_digest == one.digest else "DIFFER"
        rows.append(["", "digest", *digests, same])
    return rows


def repair_lines(repair: Repair) -> Iterator[str]:
    """What a repair came to, for a terminal."""
    yield from repair.messages
    for asset, segment, severity in repair.mended:
        yield f"mended {asset} {segment} ({severity})"
    for asset, segment, severity in repair.left:
        yield f"still different: {asset} {segment} ({severity})"


# For a file --------------------------------------------------------------------------------------


def markdown(report: Report) -> str:
    """The report as Markdown: a heading for each table, its differences and their rows as tables."""
    parts = ["# Proof", f"{report.proven_at:%Y-%m-%d %H:%M:%S} UTC. {verdict(report)}"]
    parts += report.remedies
    parts += [f"## {name}\n\nNot proven: {why}" for name, why in report.unproven.items()]
    if report.repair is not None:
        outcome = "succeeded" if report.repair.succeeded else "failed"
        listed = "\n".join(f"- {line}" for line in repair_lines(report.repair))
        parts += ["## Repair", f"Run `{report.repair.run_id}` {outcome}.", listed]
    for one in report.tables:
        parts.append(f"## {one.asset}")
        parts.append(markdown_table(_COPIES, _agreement_rows([(one.table, one.agreement)])))
        parts += _markdown_differences(one)
    for model in report.models:
        parts.append(f"## {model.asset}")
        parts.append(markdown_table(_BUILDS, _model_rows([model])))
        parts += _markdown_differences(model)
    return "\n\n".join(part for part in parts if part) + "\n"


def _markdown_differences(proof: TableProof | ModelProof) -> Iterator[str]:
    yield f"Proofs: {proof.ages.sentence()}."
    if not proof.differences:
        return
    rows = [(one.segment, one.severity, one.copy) for one in proof.differences]
    yield markdown_table(("segment", "severity", "copy"), rows)
    for one in proof.differences:
        yield f"### {proof.asset} {one.segment}: {one.severity}"
        yield one.text
        if one.no_rows:
            yield one.no_rows
        if one.rows is not None:
            yield one.rows.summary()
            shown = [(row.named(), row.words(one.rows.names)) for row in one.rows.rows]
            yield markdown_table(("row", "difference"), shown, _CELL)
            yield from (
                f"Column {name} was not compared: {why}."
                for name, why in (one.rows.left_out or {}).items()
            )


def encoded(report: Report) -> str:
    """The report as JSON; its keys stay. Decimals, dates and bytes are texts, exactly."""
    body = {
        "format": FORMAT,
        "proven_at": report.proven_at.isoformat(),
        "from": str(report.window.start) if report.window else None,
        "to": str([*report.window][-1]) if report.window else None,
        "agrees": report.agrees,
        "tables": [
            {
                "table": one.asset,
                "kind": "table",
                "figures": {
                    "source": _figures(one.agreement.source),
                    "backup": _figures(one.agreement.backup),
                    "warehouse": _figures(one.agreement.warehouse),
                },
                **_proof(one),
            }
            for one in report.tables
        ]
        + [
            {
                "table": model.asset,
                "kind": "model",
                "figures": {
                    "built": {"rows": model.built_rows, "digest": str(model.built_digest)},
                    "there": {"rows": model.rows, "digest": str(model.digest)},
                },
                "computed_again": model.computed_again,
                **_proof(model),
            }
            for model in report.models
        ],
        "unproven": dict(report.unproven),
        "remedies": list(report.remedies),
        "repair": _repair(report.repair),
    }
    return json.dumps(body, ensure_ascii=False, indent=1) + "\n"


def _figures(measure: Measure) -> dict[str, Any]:
    sums = {name: text(total) for name, total in sorted(measure.sums.items())}
    return {"rows": measure.rows, "sums": sums, "digest": str(measure.digest)}


def _proof(proof: TableProof | ModelProof) -> dict[str, Any]:
    ages = proof.ages
    return {
        "segments": proof.segments,
        "ages": {
            "segments": ages.segments,
            "never_proven": ages.never,
            "oldest_proof": ages.oldest.isoformat() if ages.oldest else None,
        },
        "differences": [
            {
                "segment": str(one.segment),
                "severity": one.severity,
                "copy": one.copy,
                "text": one.text,
                "rows": _rows(one.rows),
                "no_rows": one.no_rows or None,
            }
            for one in proof.differences
        ],
    }


def _rows(rows: RowDifferences | None) -> dict[str, Any] | None:
    if rows is None:
        return None
    left, right = rows.names
    return {
        "left": left,
        "right": right,
        "counts": dict(rows.counts),
        "not_compared": dict(rows.left_out or {}),
        "shown": [
            {
                "kind": row.kind,
                "key": _values(row.key),
                "columns": list(row.columns),
                "left": _values(row.left),
                "right": _values(row.right),
                "left_count": row.left_count,
                "right_count": row.right_count,
            }
            for row in rows.rows
        ],
    }


def _values(values: Mapping[str, Any] | None) -> dict[str, Any] | None:
    return None if values is None else {name: _value(value) for name, value in values.items()}


def _value(value: Any) -> Any:
    if value is None or isinstance(value, (bool, int)):
        return value
    return value if isinstance(value, float) and math.isfinite(value) else text(value)


def _repair(repair: Repair | None) -> dict[str, Any] | None:
    if repair is None:
        return None

    def listed(entries: Sequence[tuple[str, str, str]]) -> list[dict[str, str]]:
        return [dict(zip(("table", "segment", "severity"), one, strict=True)) for one in entries]

    return {
        "run_id": repair.run_id,
        "succeeded": repair.succeeded,
        "messages": list(repair.messages),
        "mended": listed(repair.mended),
        "left": listed(repair.left),
    }
