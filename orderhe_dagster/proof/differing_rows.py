"""The rows behind the differences of an agreement, by key and column. What differs at all: `agreement`.

The source's rows are extracted into a folder of their own and held against the backup's parts; those of
the warehouse against the backup, copied to a stage. Nothing is changed, and nothing of it stays.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.proof.agreement import Agreement, Difference
from orderhe_dagster.road import audit, backups, loads
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.extracts import Road, rows_moved
from orderhe_dagster.road.rota import scopes
from orderhe_dagster.road.row_differences import RowDifferences
from orderhe_dagster.road.rows import SHOWN
from orderhe_dagster.road.step import Step

SEGMENTS_IN_FULL = 20
"""Of how many segments of a table, for each copy, the rows are looked for."""


def name_rows(step: Step, agreement: Agreement, road: Road, limit: int = SHOWN) -> None:
    """Give each difference the rows that differ, or the reason why none is named."""
    rows: dict[int, RowDifferences] = {}
    why: dict[int, str] = {}
    wanted: dict[str, dict[int, Segment]] = {"source": {}, "warehouse": {}}
    damaged = {one.segment for one in agreement.differences if one.copy == "backup"}
    for place, one in enumerate(agreement.differences):
        if one.copy == "backup":
            continue  # its text names the objects
        reason = _unreadable(step, agreement.doubted.get(one.segment), one.segment in damaged)
        if not reason and len(wanted[one.copy]) >= SEGMENTS_IN_FULL:
            reason = f"no rows are named of more than {SEGMENTS_IN_FULL} segments: name fewer days"
        if reason:
            why[place] = reason
        else:
            wanted[one.copy][place] = one.segment
    of_source = _of_source(step, list(wanted["source"].values()), agreement.doubted, road, limit)
    rows |= {place: of_source[segment] for place, segment in wanted["source"].items()}
    of_warehouse = _of_warehouse(
        step, list(wanted["warehouse"].values()), agreement.doubted, road, limit
    )
    for place, segment in wanted["warehouse"].items():
        if segment in of_warehouse:
            rows[place] = of_warehouse[segment]
        else:
            why[place] = f"warehouse.{step.table.name} is not there"
    agreement.differences = [
        _told(one, rows.get(place), why.get(place, ""))
        for place, one in enumerate(agreement.differences)
    ]


def _told(one: Difference, rows: RowDifferences | None, why: str) -> Difference:
    if rows is not None and not rows:
        why = "no row differs any more: something changed meanwhile, prove it again"
    if why:
        return one.without_rows(why)
    return one if rows is None else one.with_rows(rows)


def _unreadable(step: Step, record: Record | None, is_damaged: bool) -> str:
    """Why the rows of a backup cannot be held against others; '' where they can."""
    if record is None:
        return "no rows are named: there is no backup to hold them against"
    if is_damaged:
        return "no rows are named: the backup that they would be held against is damaged"
    if record.schema != backups.schema_fingerprint(step.table):
        return f"no rows are named: the backup has other columns than {step.table.path} has now"
    return ""


def _of_source(
    step: Step,
    segments: Sequence[Segment],
    records: Mapping[Segment, Record],
    road: Road,
    limit: int,
) -> dict[Segment, RowDifferences]:
    table, result = step.table, dict[Segment, RowDifferences]()
    for scope in scopes(segments, {}, step.outside, most_rows=1):
        with road.folder(f"prove {table.name}") as folder:
            extract = road.source.extract(table, scope, folder / "parts")
            for segment in segments_of(scope):
                record = records[segment]
                result[segment] = rows_moved(table, extract, record, road, folder, limit)
    return result


def _of_warehouse(
    step: Step,
    segments: Sequence[Segment],
    records: Mapping[Segment, Record],
    road: Road,
    limit: int,
) -> dict[Segment, RowDifferences]:
    """Nothing where the table is not there."""
    if not segments:
        return {}
    chosen = {segment: records[segment] for segment in segments}
    own = replace(step, run_id=f"{step.run_id}-rows")  # the manifest's name is no other step's
    try:
        with road.warehouse.session(f"rows of {step.table.name} that differ") as session:
            loads.stage(session, own, chosen, road.store, road.warehouse)
            return {
                segment: loads.staged_differences(session, own, segment, limit)
                for segment in segments
            }
    except StatementError as error:
        if error.code not in (UNDEFINED_TABLE, audit.UNDEFINED_SCHEMA):
            raise
        return {}
    finally:
        road.store.delete([loads.manifest_key(own)])
