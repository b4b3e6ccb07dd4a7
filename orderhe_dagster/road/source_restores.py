"""The restore of a source from the backups: into tables that have no rows there, in one transaction, proven.

Rows are put as they were backed up, and measured before anything is committed: each segment is equal to
its record, or nothing is there. Children that are cut by their parent's day may come without the parent, or
it has another day since: their rows are held against the parts themselves, without the day.
Which records: `points`; into the warehouse: `restores`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orderhe_dagster.catalog.ddl import quoted, string
from orderhe_dagster.catalog.measure import measure_select, measured
from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.source import Source, SourceTransaction
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.road.extracts import Parquet
from orderhe_dagster.road.measures import add, difference
from orderhe_dagster.road.points import Choice, RestoreError
from orderhe_dagster.road.remedies import again_command
from orderhe_dagster.road.rota import scopes

_ALL_ROWS = 1 << 62
_BATCH_BYTES = 64 << 20
_SHOWN = 3


@dataclass(frozen=True)
class SourceRestored:
    """What the restore of one table into a source came to.

    What the backup itself does not have: `apart` rows that were in quarantine, in the objects `told`,
    and, by column, values that had become NULL.
    """

    choice: Choice
    measures: Mapping[Segment, Measure]
    apart: int = 0
    told: Sequence[str] = ()
    nulled: Mapping[str, int] = field(default_factory=dict)


def restore(
    choices: Sequence[Choice],
    target: Source,
    store: Store,
    folder: Path,
    parquet: Parquet,
) -> list[SourceRestored]:
    """Put the chosen records into `target`, whose tables are made where they are not there. PortError.

    Parts pass through `folder`, which is the caller's to remove; `parquet` measures them. RestoreError
    where a table has rows where some are to come, or other columns than the contract, or where what is
    there then is not what the backups have. All of it is there in the end, or none.
    """
    target.create([choice.table for choice in choices])
    _require_columns(choices, target)
    folder.mkdir(exist_ok=True)
    with target.writing() as transaction:
        for choice in choices:
            _require_empty(choice, transaction, target)
        measures = {}
        for choice in choices:
            if choice.table.day_through:
                measures[choice.table.name] = _children(
                    choice, transaction, target, _batches(choice, store, folder), parquet
                )
                continue
            for paths in _batches(choice, store, folder):
                _append(choice, paths, transaction)
            measures[choice.table.name] = _proven(choice, transaction, target)
    return [_restored(choice, measures[choice.table.name], store) for choice in choices]


def _children(
    choice: Choice,
    transaction: SourceTransaction,
    target: Source,
    batches: Iterable[Sequence[Path]],
    parquet: Parquet,
) -> dict[Segment, Measure]:
    """Put the rows of children, whose days only their parents tell: as many more are there then, and these.

    Sums and digests add up: what came is what is there afterwards less what was there before.
    """
    own = choice.table.in_source
    wanted = transaction.measure(own, None)[WHOLE]
    for paths in batches:
        with parquet(paths[0].parent / "measured") as query:
            files = ", ".join(string(path.as_posix()) for path in paths)
            relation = f"read_parquet([{files}], hive_partitioning = false)"
            came = measured(own, query(measure_select(own, relation, "duckdb"))[0])
        wanted = add(wanted, Measure(came.rows, came.sums, came.digest))
        _append(choice, paths, transaction)
    if text := difference(transaction.measure(own, None)[WHOLE], wanted):
        raise RestoreError(
            f"{own.source_name} in {target.identity} would not be what the backups have: {text}. Nothing "
            "was changed: all of it was rolled back. A trigger of the table may change rows"
        )
    return {segment: record.measure for segment, record in choice.records.items()}


def _append(choice: Choice, paths: Sequence[Path], transaction: SourceTransaction) -> None:
    try:
        transaction.append_files(choice.table, paths)
    except PortError as error:
        if "duplicate key" not in str(error):
            raise
        raise RestoreError(
            f"{error}. Nothing was changed: all of it was rolled back. In the backups a row may stand on two "
            "days, where it moved and only one of them was backed up since: restore all of it as of another "
            "moment (--as-of), or the days apart (--from and --to), the later first"
        ) from error


def _require_columns(choices: Sequence[Choice], target: Source) -> None:
    """RestoreError where a table that is there could not take the rows as they were."""
    for choice in choices:
        stops = [change for change in target.drift(choice.table) if change.stops]
        if stops:
            raise RestoreError(
                f"{choice.table.source_name} in {target.identity} is another table than {choice.table.path} "
                f"says: {'; '.join(map(str, stops[:_SHOWN]))}. Nothing was changed. Take it away there (it "
                "is made anew), or name an empty database with --into"
            )


def _require_empty(choice: Choice, transaction: SourceTransaction, target: Source) -> None:
    """RestoreError where rows lie where some are to come: they are never written over."""
    table = choice.table
    parents = {step.parent.source_name.lower() for step in table.day_through}
    there_too = {name.lower() for name in transaction.table_names()} if parents else set()
    if choice.is_whole or parents - there_too:  # without its parents, no row of a child has a day
        result = transaction.fetch(f"select count(*) as n from {quoted(table.source_name)}")
        rows = int(result.column(0)[0].as_py())
        if rows:
            raise RestoreError(_occupied(f"{table.source_name} has {counted(rows, 'row')}", target))
        return
    there = _measured(choice, transaction)
    for segment, measure in sorted(there.items()):
        if measure.rows:
            text = f"{table.source_name} {segment} has {counted(measure.rows, 'row')}"
            raise RestoreError(_occupied(text, target))


def _occupied(text: str, target: Source) -> str:
    return (
        f"{text} in {target.identity}, and a restore never writes over rows. Nothing was changed. Restore "
        "into an empty database (orderhe restore source --into mysql://user@host/database, or "
        "--into duckdb:copy.duckdb), or take the rows away there first; only days that are lost come back "
        "with --table, --from and --to"
    )


def _measured(choice: Choice, transaction: SourceTransaction) -> dict[Segment, Measure]:
    """What is there of the chosen segments."""
    found: dict[Segment, Measure] = {}
    for scope in scopes(choice.records, {}, choice.step.outside, _ALL_ROWS):
        found |= transaction.measure(choice.table, scope)
    return {segment: found[segment] for segment in choice.records}


def _batches(choice: Choice, store: Store, scratch: Path) -> Iterator[list[Path]]:
    """The parts of the records, some at a time, each as it was written; gone when the next are asked for."""
    paths: list[Path] = []
    size = 0
    for record, part in _parts(choice):
        path = scratch / f"{len(paths):05d}.parquet"
        store.download(part.key, path)
        if _sha256(path) != part.sha256:
            raise RestoreError(
                f"{record.table} {record.segment}: {store.url(part.key)} is not as it was written (SHA-256). "
                f"Nothing was changed. From the source: {again_command(record.table, [record.segment])}"
            )
        paths.append(path)
        size += part.size
        if size >= _BATCH_BYTES:
            yield paths
            for one in paths:
                one.unlink()
            paths, size = [], 0
    if paths:
        yield paths
        for one in paths:
            one.unlink()


def _parts(choice: Choice) -> Iterator[tuple[Record, Part]]:
    for _, record in sorted(choice.records.items()):
        for part in record.parts:
            yield record, part


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while block := file.read(1 << 20):
            digest.update(block)
    return digest.hexdigest()


def _proven(
    choice: Choice, transaction: SourceTransaction, target: Source
) -> dict[Segment, Measure]:
    """The measure of each segment as it lies there now; RestoreError where it is not its record's."""
    there = _measured(choice, transaction)
    wrong = {
        segment: text
        for segment, record in sorted(choice.records.items())
        if (text := difference(there[segment], record.measure))
    }
    if wrong:
        shown = "; ".join(f"{segment}: {text}" for segment, text in [*wrong.items()][:_SHOWN])
        raise RestoreError(
            f"{choice.table.source_name} in {target.identity} would not be what the backups have, in "
            f"{counted(len(wrong), 'segment')}: {shown}. Nothing was changed: all of it was rolled back. A "
            "trigger of the table may change rows, or a row stands in the backups of two days: restore the "
            "others with --from and --to, and these days at another moment with --as-of"
        )
    return there


def _restored(choice: Choice, measures: Mapping[Segment, Measure], store: Store) -> SourceRestored:
    nulled: dict[str, int] = {}
    for record in choice.records.values():
        for column, many in record.nulled.items():
            nulled[column] = nulled.get(column, 0) + many
    told = [
        store.url(part.key)
        for _, record in sorted(choice.records.items())
        for part in record.quarantine
    ]
    apart = sum(record.quarantined for record in choice.records.values())
    return SourceRestored(choice, measures, apart, told, nulled)
