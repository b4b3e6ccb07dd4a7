"""The restore of a table in the warehouse from its backups alone: the source is not asked.

A state other than the current one becomes current first: generation n + 1, which names the parts of n,
is what the load brings then. So index and warehouse say the same, and the next daily run, which holds
both against the source, brings back what the source has. Which generations: `points`; into a source:
`source_restores`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, index, loads
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.findings import Finding
from orderhe_dagster.road.guards import Rules
from orderhe_dagster.road.held_back import StageJudge
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.index_objects import Index, Proven
from orderhe_dagster.road.load_sql import MOVED
from orderhe_dagster.road.measures import difference, measures
from orderhe_dagster.road.object_check import Damage, check
from orderhe_dagster.road.points import Choice, RestoreError
from orderhe_dagster.road.remedies import again_command, segments_text
from orderhe_dagster.road.rota import Budget
from orderhe_dagster.settings.interrupts import raise_if_interrupted

_SHOWN = 20
UNDONE = "-undone"
"""What is put behind the run of generations that a restore which failed has taken back."""


@dataclass(frozen=True)
class Restored:
    """What the restore of one table came to; all its segments were seen to be equal to their backups.

    `loaded` were brought; the others of `choice` were there, and were measured. `findings` are those
    that were altered or gone. `moved`: days beside, whose rows the restored ones have taken: they stood on
    another day then.
    """

    choice: Choice
    loaded: Mapping[Segment, Record] = field(default_factory=dict)
    made_current: Sequence[Segment] = ()
    findings: Sequence[Finding] = ()
    moved: Sequence[Segment] = ()


def require_sound(choices: Sequence[Choice], store: Store, verb: str) -> list[Damage]:
    """RestoreError where rows of these choices lie in objects that are lost or altered; each is named.

    Gives the damage that does not keep rows from being restored.
    """
    found = check(store, choices)
    lost = [one for one in found if one.has_rows]
    if not lost:
        return found
    shown = "\n".join(f"  {one.sentence(verb)}" for one in lost[:_SHOWN])
    more = f"\n  and {len(lost) - _SHOWN:,} more" if len(lost) > _SHOWN else ""
    raise RestoreError(
        f"{counted(len(lost), 'object')} of the backups cannot be restored. Nothing was changed.\n"
        f"{shown}{more}\nOr bring the object back from the bucket's versions, or from a copy."
    )


def restore(
    choice: Choice, store: Store, warehouse: Warehouse, judge: StageJudge | None = None
) -> Restored:
    """Bring the chosen records into `warehouse.<table>`, and prove what is there. PortError.

    The table is as it was, or all of it is restored; segments whose rows break a claim are held back
    (`judge`) and named by the error, as by any load. What was made current is taken back where its
    load fails.
    """
    made = _make_current(choice, store)
    try:
        done = loads.load(
            choice.step, store, warehouse, Rules(budget=Budget(everything=True)), judge
        )
    except PortError as error:
        if not made:
            raise
        raise RestoreError(f"{error}\n{_take_back(choice, store, warehouse)}") from error
    except BaseException:
        if made:
            _take_back(choice, store, warehouse)
        raise
    moved = _prove(choice, done.records, warehouse)
    now = datetime.now(timezone.utc)
    proven = {
        segment: (record, Proven(backup=now))
        for segment, record in done.current.items()
        if segment in choice.records
    }
    index.commit(store, choice.table.name, Change(proven=proven))
    return Restored(choice, done.records, sorted(made), done.findings, moved)


def _make_current(choice: Choice, store: Store) -> set[Segment]:
    """Make the chosen records that are not current the next generation of their segments; which ones."""
    run_id, known = choice.step.run_id, choice.known.records
    fresh = [replace(record, run_id=run_id) for _, record in sorted(choice.others.items())]
    if not fresh:
        return set()
    before = {record.segment: known[record.segment] for record in fresh}
    after = index.commit(store, choice.table.name, Change(fresh=fresh, known=before))
    made = {record.segment for record in fresh}
    lost = sorted(segment for segment in made if after.records[segment].run_id != run_id)
    if lost:
        _undo(choice, store, made)
        raise RestoreError(
            f"{choice.table.name} {lost[0]}: another run backed it up meanwhile. Nothing was changed. Run "
            "this again when it is done"
        )
    _require_named(choice, after, store, made)
    return made


def _require_named(choice: Choice, after: Index, store: Store, made: set[Segment]) -> None:
    """RestoreError where a chosen generation was forgotten meanwhile: the janitor removes its objects.

    Once the new one is in the index beside it, the janitor keeps them.
    """
    forgotten = sorted(
        segment
        for segment in made
        if (number := choice.records[segment].generation)
        and number not in {one for one, _ in after.entries[segment].became}
    )
    if forgotten:
        _undo(choice, store, made)
        number = choice.records[forgotten[0]].generation
        raise RestoreError(
            f"{choice.table.name} {forgotten[0]}: generation {number} had its time, and the janitor took it "
            "away meanwhile. The backups count as they did before. Choose a later one, or a later moment: "
            "--generation or --as-of"
        )


def _take_back(choice: Choice, store: Store, warehouse: Warehouse) -> str:
    """Make current again what was before, of the segments that were not loaded; a sentence on it."""
    name = f"warehouse.{choice.table.name}"
    try:
        with warehouse.session(f"look up {name}", read_only=True) as session:
            held = audit.read_or_nothing(session, name)
        loaded = {s for s, row in held.items() if row.run_id == choice.step.run_id}
        _undo(choice, store, choice.others.keys() - loaded)
    except PortError as error:
        raise_if_interrupted()
        return (
            f"Its backups name the restored state as current, and the warehouse does not hold it ({error}): "
            "run the same command again, or bring what the source has: orderhe run '*'"
        )
    return f"The backups of {choice.table.name} count again as they did before."


def _undo(choice: Choice, store: Store, segments: set[Segment]) -> None:
    now, before = index.read(store, choice.table.name).records, choice.known.records
    ours = {s for s in segments if s in now and now[s].run_id == choice.step.run_id}
    fresh = [replace(before[s], run_id=f"{choice.step.run_id}{UNDONE}") for s in sorted(ours)]
    known = {segment: now[segment] for segment in ours}
    if fresh:
        index.commit(store, choice.table.name, Change(fresh=fresh, known=known))


def _prove(choice: Choice, loaded: Mapping[Segment, Record], warehouse: Warehouse) -> list[Segment]:
    """Measure what was loaded where it lies now; RestoreError where it is not what the backups have.

    What another run has loaded since is that run's to prove. Gives the days beside that rows were taken from.
    """
    if not loaded:
        return []
    table, name = choice.table, f"warehouse.{choice.table.name}"
    with warehouse.session(f"prove what was restored of {name}") as session:
        outside = choice.step.outside_of_days
        there = measures(session, table, ddl.qualified(table.read_as), loaded, outside)
        held = audit.read(session, [name])[name]
        ours = {s: r for s, r in loaded.items() if s in held and held[s].version == r.version}
        wrong = {
            segment: text
            for segment, record in sorted(ours.items())
            if (text := difference(there.get(segment, Measure(0)), record.measure))
        }
        equal = {s: record.version for s, record in ours.items() if s not in wrong}
        audit.note_proven(session, name, equal)
    if wrong:
        first = next(iter(wrong))
        raise RestoreError(
            f"{name} {first} and {len(wrong) - 1} others are not what was restored: {wrong[first]}. Somebody "
            "wrote into the table meanwhile: run the same command again"
        )
    moved = sorted(s for s, row in held.items() if row.version == f"{MOVED}{choice.step.run_id}")
    twice = [segment for segment in moved if segment in choice.records]
    if twice:
        raise RestoreError(
            f"{table.name} {segments_text(twice)}: rows of it stand in the backup of another day too, as "
            "they moved; they are there once, on the day that was restored last. The source tells which is "
            f"right: {again_command(table.name, twice)}"
        )
    return moved
