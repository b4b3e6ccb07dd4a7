"""Batches of Dagster's events: what may be one, and what the index across runs is told of it.

Dagster reports a range of partitions as one event per asset and day, and stores each by itself. How a
storage writes the events themselves is its own matter (`sqlite`, `postgres`).
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from dagster._core.events import ASSET_EVENTS, BATCH_WRITABLE_EVENTS, DagsterEventType
from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus
from dagster._core.storage.event_log.schema import AssetCheckExecutionsTable

if TYPE_CHECKING:
    from dagster._core.definitions.asset_checks.asset_check_evaluation import (
        AssetCheckEvaluationPlanned,
    )
    from dagster._core.events.log import EventLogEntry
    from dagster._core.storage.event_log import SqlEventLogStorage
    from sqlalchemy.engine import Connection

BATCH_SIZE_VARIABLE = "DAGSTER_EVENT_BATCH_SIZE"
BATCH_EVENTS = 1000

Numbered = Sequence[tuple[int, "EventLogEntry"]]
"""Events with the ids of their rows."""


def ask_for() -> None:
    """Let Dagster hand over batches; an environment that sets their size itself is left alone."""
    os.environ.setdefault(BATCH_SIZE_VARIABLE, str(BATCH_EVENTS))


def is_batch(events: Sequence[EventLogEntry]) -> bool:
    """Whether these are of one run, and of the kinds alone that Dagster promises of a batch."""
    return len({event.run_id for event in events}) == 1 and all(map(_is_batchable, events))


def index(log: SqlEventLogStorage, connection: Connection, numbered: Numbered) -> None:
    """Tell the index of the assets and of the planned checks of a batch."""
    _store_assets(log, connection, [one for one in numbered if _type(one[1]) in ASSET_EVENTS])
    _store_planned_checks(
        log, connection, [one for one in numbered if _type(one[1]) not in ASSET_EVENTS]
    )


def _store_assets(log: SqlEventLogStorage, connection: Connection, numbered: Numbered) -> None:
    """Tell the index of each asset: tags of every event, the newest event of each type."""
    if not numbered:
        return
    log._store_asset_event_tags(
        connection, [event for _, event in numbered], [number for number, _ in numbered]
    )
    newest: dict[tuple[object, object], tuple[int, EventLogEntry]] = {}
    for number, event in numbered:
        newest[event.get_dagster_event().asset_key, _type(event)] = (number, event)
    for number, event in sorted(newest.values(), key=lambda pair: pair[0]):
        log._store_asset_event(connection, event, number)


def _store_planned_checks(
    log: SqlEventLogStorage, connection: Connection, numbered: Numbered
) -> None:
    """Note the checks that a run intends to execute: a row per partition, or one in all."""
    rows = []
    for number, event in numbered:
        planned = cast("AssetCheckEvaluationPlanned", event.get_dagster_event().event_specific_data)
        subset = planned.partitions_subset
        row = log._event_to_row(event)
        rows += [
            {
                "asset_key": planned.asset_key.to_string(),
                "check_name": planned.check_name,
                "partition": partition,
                "run_id": event.run_id,
                "execution_status": AssetCheckExecutionRecordStatus.PLANNED.value,
                "evaluation_event": row["event"],
                "evaluation_event_timestamp": row["timestamp"],
                "evaluation_event_storage_id": number,
            }
            for partition in (subset.get_partition_keys() if subset else [None])
        ]
    if rows:
        connection.execute(AssetCheckExecutionsTable.insert(), rows)


def _type(event: EventLogEntry) -> DagsterEventType | None:
    return event.dagster_event_type


def _is_batchable(event: EventLogEntry) -> bool:
    kind = _type(event)
    if kind not in BATCH_WRITABLE_EVENTS:
        return False
    return kind not in ASSET_EVENTS or event.get_dagster_event().asset_key is not None
