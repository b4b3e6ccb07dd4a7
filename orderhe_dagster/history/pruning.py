"""What goes of Dagster's event log when runs are forgotten, as SQL for its tables. Which runs: the caller's.

Their ids stand in a table `pruned (run_id text)`. Of every asset and partition the newest event of each
kind stays, and of every check the newest evaluation: what is materialized stays so.
"""

from __future__ import annotations

from collections.abc import Sequence

_OF_ASSETS = "('ASSET_MATERIALIZATION', 'ASSET_OBSERVATION')"
NAMED = "select distinct run_id from event_logs where run_id in (select run_id from pruned)"
"""The runs of which something stays."""


def statements(same: str) -> Sequence[str]:
    """What to run, in order. `same`: the database's word for equality that takes two nulls as equal."""
    return (
        # Older evaluations of a check, of each partition.
        """
        delete from asset_check_executions
        where run_id in (select run_id from pruned) and id not in (
            select max(id) from asset_check_executions group by asset_key, check_name, partition
        )
        """,
        # Events that tell the state no more. A partition that was planned, and has nothing since, failed.
        f"""
        delete from event_logs where run_id in (select run_id from pruned)
        and id not in (
            select max(id) from event_logs where dagster_event_type in {_OF_ASSETS}
            group by dagster_event_type, asset_key, partition
        )
        and id not in (
            select max(planned.id) from event_logs as planned
            where planned.dagster_event_type = 'ASSET_MATERIALIZATION_PLANNED' and not exists (
                select 1 from event_logs as later
                where later.dagster_event_type = 'ASSET_MATERIALIZATION' and later.id > planned.id
                and later.asset_key = planned.asset_key
                and later.partition {same} planned.partition
            )
            group by planned.asset_key, planned.partition
        )
        and id not in (
            select evaluation_event_storage_id from asset_check_executions
            where evaluation_event_storage_id is not null
        )
        """,
        "delete from asset_event_tags where event_id not in (select id from event_logs)",
    )
