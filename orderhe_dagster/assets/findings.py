"""The check `nothing_differed`: what a run found to differ where nothing had told it, and put right."""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence

import dagster as dg

from orderhe_dagster.road.findings import Finding, Kind, sentence

NOTHING_DIFFERED = "nothing_differed"
_SHOWN = 50
log = logging.getLogger("orderhe.findings")


def differed_spec(asset: dg.AssetKey) -> dg.AssetCheckSpec:
    """The check's specification, for an asset that makes it while it is materialized."""
    return dg.AssetCheckSpec(
        NOTHING_DIFFERED,
        asset=asset,
        description="Of what was proven, all was as it had been left: no row changed in the source without "
        "its cursor, none altered in a copy by another hand. What differed is put right, and told here.",
    )


def nothing_differed(
    asset: dg.AssetKey,
    findings: Sequence[Finding],
    done: str,
    usual: Collection[Kind] = (),
) -> dg.AssetCheckResult:
    """Its result: a warning where something differed; `done` says what was done about it.

    Findings of the `usual` kinds are told, and no alarm.
    """
    text = sentence(findings, done) if findings else "nothing differed"
    alarms = [finding for finding in findings if finding.kind not in usual]
    if findings:
        level = logging.WARNING if alarms else logging.INFO
        log.log(level, "%s: %s", "/".join(asset.path), text)
    listed = "\n".join(f"- {finding}" for finding in findings[:_SHOWN])
    return dg.AssetCheckResult(
        asset_key=asset,
        check_name=NOTHING_DIFFERED,
        passed=not alarms,
        severity=dg.AssetCheckSeverity.WARN,
        description=text,
        metadata={
            "segments": len(findings),
            **({"differences": dg.MetadataValue.md(listed)} if listed else {}),
        },
    )
