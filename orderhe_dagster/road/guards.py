"""What stops a backup before it copies damage, and what a person may accept of it. Nothing is read of rows.

A run mends by itself what it finds to differ. It stops and asks where that would carry a loss on: a table
or a day that lost more than a share of its rows, another server than the one that was read before, an
index or many objects of the store that are gone.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.ports.measures import Touch
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, index, index_objects, index_repair
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.backups import BackupError, Record
from orderhe_dagster.road.findings import Finding
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Index, NewerFormatError, Origin
from orderhe_dagster.road.rota import Budget
from orderhe_dagster.road.step import Step

MAY_BE_EMPTY_TAG = "orderhe/allow_empty"
"""Tag of a run that may back up a table as empty which was not."""
ACCEPT_TAG = "orderhe/accept"
"""Tag of a run: what it may carry on, some of `REASONS` with commas between."""
FEWER_ROWS, LOST_BACKUPS, OTHER_SERVER = "fewer_rows", "lost_backups", "other_server"
REASONS = {
    FEWER_ROWS: "a table or a day may have lost most of its rows",
    LOST_BACKUPS: "backups that are gone are filled again from the source",
    OTHER_SERVER: "the source may be another server than before",
}
_FEW = 20
"""So many lost rows are followed, whatever share of a day they are."""
_MOST_LOST_BACKUPS = 0.1
_FEW_BACKUPS = 3


@dataclass(frozen=True)
class Rules:
    """How far a run may go by itself: what it proves, and what it may carry on.

    `most_lost`: the share of its rows that a table or a day may have lost since its backup. `replayed`:
    the run is for what stands in quarantine of these tables; it reads those segments again, whatever their
    fingerprints are, and nothing else merely because it was asked for. None: it is none of that kind.
    """

    budget: Budget = field(default_factory=Budget)
    accepted: Collection[str] = frozenset()
    may_be_empty: bool = False
    most_lost: float = 0.5
    replayed: Collection[str] | None = None

    def proves(self, step: Step) -> bool:
        """Whether a step looks after all of the past too: a daily one by turns, any where all is proven."""
        return step.is_daily or self.budget.everything


AS_USUAL = Rules()


def open_index(
    step: Step, source: Source, store: Store, warehouse: Warehouse, rules: Rules
) -> tuple[Index, list[Finding]]:
    """The table's index: made from earlier versions' pointers where it is not there yet.

    Where it is damaged or gone, it is made anew if what else lies there tells of all that the warehouse has
    loaded: a finding. BackupError where it does not, where another server answers, and where a newer
    version wrote it.
    """
    name = step.table.name
    found = list[Finding]()
    held: Mapping[Segment, Loaded] = {}
    try:
        known = taken_over(step, store, warehouse)
        if known.etag is None:
            held = {s: one for s, one in _held(warehouse, name).items() if one.rows}
            if held and LOST_BACKUPS not in rules.accepted:
                raise BackupError(_lost_index(step.table, store, held))
    except NewerFormatError:
        raise
    except BackupError as error:
        found.append(_heal_index(step, source, store, warehouse, error))
        known = index.read(store, name)
    floor = max((loaded.generation for loaded in held.values()), default=0)
    if OTHER_SERVER not in rules.accepted:
        check_server(step, known, source)
    origin = Origin(source.identity, source.server())
    return index.commit(store, name, Change(origin=origin, floor=0 if known.etag else floor)), found


def _heal_index(
    step: Step, source: Source, store: Store, warehouse: Warehouse, error: BackupError
) -> Finding:
    """Make a damaged or lost index anew; the finding of it. The error, where it might not be right then."""
    name = step.table.name
    try:
        held = _held(warehouse, name)
        loaded = {segment: one.generation for segment, one in held.items() if one.rows}
        origin = _origin(step.table, source, store)
        done = index_repair.remake(store, name, loaded, origin)
    except NewerFormatError:
        raise
    except PreconditionFailed:
        done = None  # another run has made it anew meanwhile
    except PortError:
        raise error from None
    url = store.url(index_objects.root_key(name))
    text = done.sentence() if done else f"{name}: its index was made anew by another run"
    why = str(error).partition(". Nothing was changed")[0]
    return Finding(step.cut[0], "index", f"{why}. {text} ({url}); all of it is proven anew")


def _origin(table: Table, source: Source, store: Store) -> Origin | None:
    """The source's server, where the damaged index says no other: none, or its wrong byte is of the name.

    None: it names another, and is believed.
    """
    now = Origin(source.identity, source.server())
    said = index_repair.origin_of(store.get(index_objects.root_key(table.name)), now)
    return now if said in (Origin(), now) else None


def taken_over(step: Step, store: Store, warehouse: Warehouse) -> Index:
    """The table's index; where there is none, made of what an earlier version of orderhe kept instead."""
    name = step.table.name
    known = index.read(store, name)
    if known.etag is None:
        own = segments_of(step.history if step.window else None)
        return index.take_over(store, name, sorted({*own, *_held(warehouse, name)}))
    return index.take_over(store, name, ()) if known.pointers else known


def _held(warehouse: Warehouse, name: str) -> dict[Segment, Loaded]:
    with warehouse.session(f"look for loads of {name}", read_only=True) as session:
        return audit.read_or_nothing(session, f"warehouse.{name}")


def _lost_index(table: Table, store: Store, held: Mapping[Segment, Loaded]) -> str:
    rows = counted(sum(loaded.rows for loaded in held.values()), "row")
    where = store.url(index_objects.root_key(table.name))
    return (
        f"the backups of {table.name} are gone: {where} is not there, but the warehouse has loaded {rows} "
        f"of {counted(len(held), 'segment')} from it. Is it another bucket, prefix or ORDERHE_HOME than "
        "before? Then set the right one; or bring the bucket back. Nothing was "
        f"changed. To fill the backups again from the source: {_accepting(LOST_BACKUPS)} (where the index "
        f"alone is gone, it is made anew: orderhe restore index --table {table.name})"
    )


def _other_server(table: Table, before: Origin, now: Origin) -> str:
    return (
        f"{table.source_name} was read from the server {before.server} ({before.identity}) before; now "
        f"{now.server} ({now.identity}) answers. Nothing was changed. If that is the same shop (a failover, "
        "an upgrade, a copy that took over), say so once, and all of it is proven anew: "
        f"{_accepting(OTHER_SERVER)}"
    )


def _accepting(reason: str, table: Table | None = None) -> str:
    """The command that goes on; of all tables, where all of them stop for one reason."""
    selection = f"backup/{table.name},warehouse/{table.name}" if table else "*"
    return f"orderhe run '{selection}' --accept {reason}"


def check_rows(
    step: Step, known: Mapping[Segment, Record], touches: Mapping[Segment, Touch], rules: Rules
) -> list[Finding]:
    """BackupError where a table with days has lost its rows: all of them, or most, or most of a day's.

    What a person accepts of that is a finding, day by day.
    """
    table = step.table
    rows = sum(record.touch.rows for record in known.values())
    if not touches and rows and not rules.may_be_empty:
        # Days without a backup are not counted before they are read: there may be rows of them.
        some = any(segment not in known for segment in step.segments)
        raise _emptied(table, rows, of_days=" of the days that have a backup" if some else "")
    accepted = FEWER_ROWS in rules.accepted or rules.may_be_empty
    now = sum(touch.rows for touch in touches.values())
    if _lost(rows, now, rules) and not accepted:
        raise _fewer(table, f"table {table.source_name} has", now, rows, step.history)
    lost = []
    for segment, record in sorted(known.items()):
        there, before = touches.get(segment, Touch(0)).rows, record.touch.rows
        if segment.day and _lost(before, there, rules):
            if not accepted:
                window = Window.of(segment.day)
                raise _fewer(table, f"{table.source_name} {segment} has", there, before, window)
            lost.append(_accepted(segment, there, before))
    return lost


def check_whole(before: Record | None, fresh: Record, table: Table, rules: Rules) -> list[Finding]:
    """BackupError where a table without days has lost its rows, all of them or most; see `check_rows`."""
    rows = before.measure.rows if before else 0
    if rows and not fresh.measure.rows and not rules.may_be_empty:
        raise _emptied(table, rows, fresh.quarantined)
    if before is None or not _lost(before.touch.rows, fresh.touch.rows, rules):
        return []
    if FEWER_ROWS in rules.accepted or rules.may_be_empty:
        return [_accepted(before.segment, fresh.touch.rows, before.touch.rows)]
    raise _fewer(table, f"table {table.source_name} has", fresh.touch.rows, before.touch.rows, None)


def _accepted(segment: Segment, now: int, before: int) -> Finding:
    text = f"{counted(now, 'row')} in the source, {before:,} in the backup: accepted and followed"
    return Finding(segment, "fewer", text)


def check_server(step: Step, known: Index, source: Source) -> None:
    """BackupError where another server or database answers than the backups were read from."""
    origin, before = Origin(source.identity, source.server()), known.origin
    if before.server and (before.server, _database(before)) != (origin.server, _database(origin)):
        raise BackupError(_other_server(step.table, known.origin, origin))


def _database(origin: Origin) -> str:
    """The database's name, whatever name its server is reached by."""
    return origin.identity.rpartition("/")[2]


def check_index(step: Step, known: Index, store: Store, warehouse: Warehouse) -> None:
    """BackupError where the index is gone though the warehouse has loads of it."""
    held = {} if known.etag else _held(warehouse, step.table.name)
    if any(loaded.rows for loaded in held.values()):
        raise BackupError(_lost_index(step.table, store, held))


def are_many(lost: int, of: int) -> bool:
    """Whether so many lost backups are more than happens singly."""
    return lost > max(_FEW_BACKUPS, of * _MOST_LOST_BACKUPS)


def check_lost(table: Table, unsound: Collection[Segment], looked_at: int, rules: Rules) -> None:
    """BackupError where more of the backups that were looked at are lost or damaged than happens singly."""
    if LOST_BACKUPS in rules.accepted or not are_many(len(unsound), looked_at):
        return
    raise BackupError(
        f"the backups of {table.name}: of {counted(len(unsound), 'segment')} among {looked_at:,} that were "
        f"looked at, the first {min(unsound)}, objects are lost or not as they were written. Is the bucket "
        "being emptied, by a rule of its own or by a hand? Nothing was changed. To fill them again from the "
        f"source: {_accepting(LOST_BACKUPS)}"
    )


def _lost(before: int, now: int, rules: Rules) -> bool:
    lost = before - now
    return lost > _FEW and lost > before * rules.most_lost


def _emptied(table: Table, rows: int, quarantined: int = 0, of_days: str = "") -> BackupError:
    why = f"has no row{of_days} in the source, where its backups have"
    question = "Was it emptied or made anew by mistake?"
    if quarantined:
        there = counted(quarantined, "row")
        why = f"has {there} in the source, and none that can be carried; its backups have"
        question = f"Mend the rows, or see @bad_values for {table.path}."
    return BackupError(
        f"table {table.source_name} {why} {rows:,}. {question} "
        "Nothing was changed. If it is meant to be empty: "
        f"orderhe run 'backup/{table.name},warehouse/{table.name}' --allow-empty "
        f"(in the Dagster UI: tag {MAY_BE_EMPTY_TAG} = true)"
    )


def _fewer(table: Table, what: str, now: int, before: int, window: Window | None) -> BackupError:
    where = f"days {window}" if window and len(window) > 1 else str(window or "the table")
    return BackupError(
        f"{what} {counted(now, 'row')} in the source, where its backup has {before:,}. Were rows of "
        f"{where} deleted by mistake? Nothing was changed. The backups have them still: docs/restore.md "
        f"brings them back into the shop. If that is right: {_accepting(FEWER_ROWS, table)} "
        f"(in the Dagster UI: tag {ACCEPT_TAG} = {FEWER_ROWS})"
    )
