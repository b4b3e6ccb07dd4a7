"""The check `contract_matches_source`: what differs between a contract and its table, and stops nothing.

What each difference means is `catalog.drift`'s; what stops, an extract says by itself.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import dagster as dg

from orderhe_dagster.catalog.drift import Change, choices, sentence
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.source import Source

CONTRACT_MATCHES = "contract_matches_source"
log = logging.getLogger("orderhe.backup")


def contract_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check's specification, for an asset that makes it while it is materialized."""
    return dg.AssetCheckSpec(
        CONTRACT_MATCHES,
        asset=asset,
        description="The shop's table is what the contract says. What could lose a value stops the "
        "backup; this tells of the rest, a new column first of all.",
    )


def drift_of(table: Table, source: Source) -> list[Change]:
    """What differs, with a line of the log for each. Of what stops, the error tells that follows."""
    changes = source.drift(table)
    for change in changes:
        if not change.stops:
            level = logging.WARNING if change.effect == "told" else logging.INFO
            log.log(level, "backup/%s: %s", table.name, sentence(change, table, source.identity))
    return changes


def contract_matches(table: Table, changes: Sequence[Change], where: str) -> dg.AssetCheckResult:
    """Its result: a warning where something is told; `where` is the source's identity."""
    told = [change for change in changes if change.effect == "told"]
    noted = [change for change in changes if change.effect == "noted"]
    metadata: dict[str, Any] = {
        name: [sentence(change, table, where) for change in some]
        for name, some in (("differs", told), ("differs_harmlessly", noted))
        if some
    }
    return dg.AssetCheckResult(
        check_name=CONTRACT_MATCHES,
        passed=not told,
        severity=dg.AssetCheckSeverity.WARN,
        description=f"{'; '.join(metadata['differs'])}. {choices(told, table, where)}"
        if told
        else f"nothing that matters differs between {table.path} and {where}",
        metadata=metadata,
    )
