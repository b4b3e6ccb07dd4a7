"""The SQL of a load's one transaction, from the stage and the incoming audit rows. Nothing is run here."""

from __future__ import annotations

from collections.abc import Mapping

from orderhe_dagster.catalog import ddl, measure
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment, condition
from orderhe_dagster.road import audit
from orderhe_dagster.road.audit import LOADS, asserting, literal
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.step import Step

STAGE, INCOMING = "_stage", "_incoming"  # no table is called so: names of files begin with a letter
SUPERSEDED = "superseded"
MOVED = "moved by "
PUT_ASIDE = (audit.DISPUTED, MOVED)
"""How the versions of segments begin that are known not to be what was loaded."""
MOMENT = "%Y-%m-%d %H:%M:%S.%f"
_COLUMNS = (
    "table_name, segment, version, generation, run_id, row_count, digest, inputs, snapshot_at,"
    " loaded_at, column_versions"
)


def incoming_rows(
    step: Step,
    records: Mapping[Segment, Record],
    inputs: Mapping[Segment, str],
    column_versions: Mapping[Segment, str],
) -> list[str]:
    """The statements that put the audit rows to be into the incoming table; `inputs`: see `loads.Load`."""
    rows = (
        "("
        + ", ".join(
            (
                literal(f"warehouse.{step.table.name}"),
                literal(record.segment.text),
                literal(record.version),
                str(record.generation),
                literal(step.run_id),
                str(record.measure.rows),
                literal(str(record.measure.digest)),
                literal(inputs.get(record.segment, "")),
                literal(f"{record.verified_at:{MOMENT}}"),
                "getdate()",
                audit.expression(column_versions.get(record.segment, "")),
            )
        )
        + ")"
        for record in records.values()
    )
    return audit.inserts(f"{INCOMING} ({_COLUMNS})", rows)


def load_statements(step: Step, records: Mapping[Segment, Record]) -> list[str]:
    """The statements of the one transaction, from the stage and the incoming audit rows.

    The fence comes first: whatever comes before it would fix an older snapshot.
    """
    table = step.table
    target = f"warehouse.{ddl.quoted(table.name)}"
    columns = ", ".join(ddl.quoted(name) for name in table.column_names)
    of_these = condition(table, records, step.outside_of_days)
    where = f" where {of_these}" if of_these else ""
    rows = sum(record.measure.rows for record in records.values())
    return [
        f"lock table {audit.fence('warehouse', table.name)}",
        asserting(
            "count(*) = 0",
            f"'{SUPERSEDED}: a newer generation is loaded already for ' || count(*) || ' days'",
            f"{LOADS} as held inner join {INCOMING} as arriving on held.table_name = arriving.table_name"
            " and held.segment = arriving.segment and held.generation > arriving.generation",
        ),
        f"delete from {target}{where}",
        *(_moved_rows(step, target) if table.partition else ()),
        f"insert into {target} ({columns}) select {columns} from {STAGE}",
        asserting(
            f"count(*) = {rows}",
            f"'warehouse.{table.name} holds ' || count(*) || ' rows of these days, expected {rows}'",
            f"{target}{where}",
        ),
        (
            f"delete from {LOADS} using {INCOMING} where _loads.table_name = {INCOMING}.table_name"
            f" and _loads.segment = {INCOMING}.segment"
        ),
        f"insert into {LOADS} ({_COLUMNS}) select {_COLUMNS} from {INCOMING}",
        *(_forgotten_days(step) if OUTSIDE in records else ()),
    ]


def _forgotten_days(step: Step) -> list[str]:
    """Take days out of the audit that the shop has no more: their rows are outside now."""
    history = step.history
    return [
        (
            f"delete from {LOADS} where table_name = {literal('warehouse.' + step.table.name)}"
            f" and segment not in ('{WHOLE}', '{OUTSIDE}')"
            f" and (segment < '{history.start}' or segment >= '{history.end}')"
        )
    ]


def segment_expression(step: Step) -> str:
    """The text of the segment that a row of a table with partitions lies in, as SQL."""
    day = measure.day_expression(step.table, "redshift")
    outside = condition(step.table, [OUTSIDE], step.outside_of_days)
    return f"case when {outside} then '{OUTSIDE}' else to_char({day}, 'YYYY-MM-DD') end"


def _moved_rows(step: Step, target: str) -> list[str]:
    """Take out rows whose day was edited, so that none is counted twice; their old days become stale."""
    table = step.table
    if not table.grain:
        return []
    equal = []
    for name in table.grain:
        mine, theirs = f"{ddl.quoted(table.name)}.{ddl.quoted(name)}", f"{STAGE}.{ddl.quoted(name)}"
        equal.append(f"{mine} = {theirs}")
        if table.column(name).type.kind == "varchar":
            # = passes over blanks at the end, len does not.
            equal.append(f"len({mine}) = len({theirs})")
    joined = " and ".join(equal)
    moved = f"select {segment_expression(step)} from {target}"
    return [
        (
            f"update {LOADS} set version = {literal(MOVED + step.run_id[:80])}"
            f" where table_name = {literal('warehouse.' + table.name)} and segment in"
            f" ({moved} where exists (select 1 from {STAGE} where {joined}))"
        ),
        f"delete from {target} using {STAGE} where {joined}",
    ]
