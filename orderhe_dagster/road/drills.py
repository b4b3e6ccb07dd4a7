"""The drill of a restore: a random range, by its seed, into scratch; and the certificate of what came of it.

The rows go the two ways that a restore goes: by COPY into a temporary table of the warehouse, and from the
Parquet parts into a source of its own. Nothing that anybody reads is touched. The certificate lies in the
store, carries its own SHA-256, and says of each segment which objects were equal to which measure::

    restore/drills/<moment>-<seed>.json     a certificate, written once
    restore/drills/latest.json              the same as the latest of them
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import backups, loads, source_restores
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.extracts import Parquet
from orderhe_dagster.road.load_sql import STAGE
from orderhe_dagster.road.measures import difference, measures
from orderhe_dagster.road.object_check import check
from orderhe_dagster.road.points import Choice, RestoreError, everything
from orderhe_dagster.road.seals import check_fields, check_seal, sealed

FORMAT = 1
LATEST = "restore/drills/latest.json"
MOST_DAYS = 31
MOST_ROWS = 2_000_000
SEEDS = 1 << 32
_FIELDS = {
    *("format", "seed", "days", "drilled_at", "seconds", "store", "warehouse", "equal"),
    *("differences", "left_out", "tables"),
}


@dataclass
class Drill:
    """What a drill came to. `days`: its range, where tables have days; `left_out`: what it could not do."""

    seed: int
    days: Window | None
    choices: Sequence[Choice]
    differences: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)
    seconds: float = 0.0
    key: str = ""

    @property
    def equal(self) -> bool:
        """Whether all that was restored is what the backups have."""
        return not self.differences

    def sentence(self) -> str:
        """What was restored, how long it took and whether it is equal, for a person."""
        segments = sum(len(choice.records) for choice in self.choices)
        rows = sum(choice.rows for choice in self.choices)
        names = ", ".join(choice.table.name for choice in self.choices)
        days = f", days {self.days}" if self.days else ""
        came = "equal to the backups" if self.equal else "NOT equal to the backups"
        what = f"{counted(rows, 'row')} of {counted(segments, 'segment')} of {names}"
        how = f"restored into scratch in {self.seconds:.1f} s"
        return f"drill with seed {self.seed}: {what}{days} {how}: {came}"


def drill(
    tables: Sequence[Table],
    history: Window,
    store: Store,
    warehouse: Warehouse,
    source: Source | None,
    folder: Path,
    seed: int,
    parquet: Parquet,
) -> Drill:
    """Restore what `seed` draws into scratch, and keep the certificate. PortError where it cannot be drawn.

    `source` is an empty one in `folder`, which is the caller's to remove; None: rows are put into none.
    `parquet` measures what is put into it.
    """
    began, moment = time.monotonic(), datetime.now(timezone.utc)
    run_id = f"drill-{moment:%Y%m%d%H%M%S}-{seed}"
    done = draw([everything(table, history, store) for table in tables], seed)
    if not done.choices:
        raise RestoreError(
            "; ".join(
                [
                    f"there is nothing that a drill could restore in {store.url('backup')}",
                    *done.left_out,
                    "make backups first: orderhe run 'backup/*'",
                ]
            )
        )
    done.choices = [
        replace(choice, step=replace(choice.step, run_id=run_id)) for choice in done.choices
    ]
    damaged = check(store, done.choices)
    done.differences += [one.sentence() for one in damaged]
    if not any(one.has_rows for one in damaged):
        for choice in done.choices:
            done.differences += _by_copy(choice, store, warehouse)
        if source is not None:
            done.differences += _by_parts(done, source, store, folder, parquet)
    done.seconds = time.monotonic() - began
    done.key = _keep(done, moment, store, warehouse)
    return done


def draw(all_of: Sequence[Choice], seed: int) -> Drill:
    """A range of days, and the tables without days, as many as `MOST_ROWS` allow; the same for one seed."""
    drawn = random.Random(seed)
    cut = [choice for choice in all_of if choice.table.partition]
    days = sorted({s.day for choice in cut for s in choice.records if s.day})
    window = None
    if days:
        start = drawn.randrange(len(days))
        chosen = days[start : start + drawn.randint(1, MOST_DAYS)]
        while len(chosen) > 1 and _rows(cut, Window.of(chosen[0], chosen[-1])) > MOST_ROWS:
            chosen = chosen[: len(chosen) // 2]
        window = Window.of(chosen[0], chosen[-1])
    choices, left_out = list[Choice](), list[str]()
    for whole in all_of:
        choice = _within(whole, window)
        if choice.rows > MOST_ROWS:
            left_out.append(f"{choice.table.name}: {counted(choice.rows, 'row')} are many")
        elif choice.records:
            choices.append(choice)
        others = len(whole.records) - len(_within(whole, None).records)
        if others:
            many = counted(others, "segment")
            left_out.append(
                f"{choice.table.name}: {many} of other columns than its contract has now"
            )
    return Drill(seed, window, choices, left_out=left_out)


def _within(choice: Choice, window: Window | None) -> Choice:
    """What a choice has of a window's days and of the contract's columns; None: of any days."""
    columns = backups.schema_fingerprint(choice.table)
    records = {
        segment: record
        for segment, record in choice.records.items()
        if record.schema == columns
        and (
            window is None or not choice.table.partition or (segment.day and segment.day in window)
        )
    }
    days = (window or choice.step.window) if choice.table.partition else None
    step = replace(choice.step, window=days, chosen=(*records,))
    return replace(choice, records=records, step=step)


def _rows(choices: Sequence[Choice], window: Window) -> int:
    return sum(
        record.measure.rows
        for choice in choices
        for segment, record in choice.records.items()
        if segment.day and segment.day in window
    )


def _by_copy(choice: Choice, store: Store, warehouse: Warehouse) -> list[str]:
    """What differs of the rows that COPY brings into a temporary table."""
    step, table = choice.step, choice.table
    try:
        with warehouse.session(f"drill of {table.name} run {step.run_id}") as session:
            loads.stage(session, step, choice.records, store, warehouse)
            there = measures(session, table, STAGE, choice.records, step.outside_of_days)
    except PortError as error:
        return [f"{table.name} into the warehouse: {error}"]
    finally:
        store.delete([loads.manifest_key(step)])
    return _differing(choice, there, "warehouse")


def _by_parts(
    done: Drill, source: Source, store: Store, folder: Path, parquet: Parquet
) -> list[str]:
    """What differs of the rows that are put into a source."""
    fitting = [
        choice
        for choice in done.choices
        if not any(column.generated for column in choice.table.columns)
    ]
    for choice in done.choices:
        if choice not in fitting:
            text = "it has columns that MySQL computes"
            done.left_out.append(f"{choice.table.name} into a source: {text}")
    try:
        source_restores.restore(fitting, source, store, folder / "parts", parquet)
    except PortError as error:
        return [f"into a source: {error}"]
    return []


def _differing(choice: Choice, there: Mapping[Segment, Measure], where: str) -> list[str]:
    return [
        f"{choice.table.name} {segment} into the {where}: {text}"
        for segment, record in sorted(choice.records.items())
        if (text := difference(there.get(segment, Measure(0)), record.measure))
    ]


# The certificate ---------------------------------------------------------------------------------


def _keep(done: Drill, moment: datetime, store: Store, warehouse: Warehouse) -> str:
    """Write the certificate; its key."""
    body = {
        "format": FORMAT,
        "seed": done.seed,
        "days": str(done.days or ""),
        "drilled_at": moment.isoformat(),
        "seconds": round(done.seconds, 3),
        "store": store.url("restore/drills").removesuffix("/restore/drills"),
        "warehouse": warehouse.identity,
        "equal": done.equal,
        "differences": done.differences,
        "left_out": done.left_out,
        "tables": {
            choice.table.name: {
                segment.text: _certified(record)
                for segment, record in sorted(choice.records.items())
            }
            for choice in done.choices
        },
    }
    text = sealed(body, indent=1)
    key = f"restore/drills/{moment:%Y-%m-%dT%H%M%S.%fZ}-{done.seed}.json"
    store.put(key, text, if_none_match=True)
    store.put(LATEST, text)
    return key


def _certified(record: Record) -> dict[str, Any]:
    return {
        "generation": record.generation,
        "run_id": record.run_id,
        "rows": record.measure.rows,
        "sums": {name: str(total) for name, total in sorted(record.measure.sums.items())},
        "digest": str(record.measure.digest),
        "objects": {part.key: part.sha256 for part in record.parts},
    }


@dataclass(frozen=True)
class Verified:
    """What the look at a certificate came to: what it says, and what is not so (any more)."""

    body: Mapping[str, Any]
    wrong: Sequence[str]

    def sentence(self) -> str:
        """What the certificate says, for a person."""
        tables: Mapping[str, Mapping[str, Mapping[str, Any]]] = self.body["tables"]
        rows = sum(int(one["rows"]) for of_table in tables.values() for one in of_table.values())
        days = f", days {self.body['days']}" if self.body["days"] else ""
        return (
            f"drill of {self.body['drilled_at']} with seed {self.body['seed']}: {counted(rows, 'row')} of "
            f"{', '.join(tables)}{days} in {self.body['seconds']} s, equal: {str(self.body['equal']).lower()}"
        )


def verify(body: bytes, store: Store) -> Verified:
    """Hold a certificate to its own SHA-256, and what it says to the store as it is. RestoreError.

    Each record must still say the same, and each object must be the one that was restored.
    """
    try:
        raw: Mapping[str, Any] = json.loads(body)
        check_seal(raw, body)
        check_fields(raw, _FIELDS)
        if raw["format"] != FORMAT or "sha256" not in raw:
            raise ValueError(f"it is not of format {FORMAT}")
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise RestoreError(
            f"this is no certificate as a drill has written it ({error}). Make a new one: "
            "orderhe restore --drill"
        ) from error
    wrong = [*raw["differences"]]
    for name, segments in raw["tables"].items():
        for text, said in segments.items():
            wrong += _not_so(name, Segment(text), said, store)
    return Verified(raw, wrong)


def _not_so(name: str, segment: Segment, said: Mapping[str, Any], store: Store) -> list[str]:
    """What of a segment's line does not hold."""
    if said["generation"]:
        record = backups.read_generation(store, name, segment, said["generation"])
        if record is None:
            return [f"{name} {segment}: generation {said['generation']} is not kept any more"]
        if _certified(record) != said:
            return [f"{name} {segment}: its record says something else"]
    keys = [*said["objects"]]
    return [
        f"{name} {segment}: {store.url(key)} is not the object that was restored"
        for key, found in zip(keys, store.hashes(keys), strict=True)
        if found != said["objects"][key]
    ]
