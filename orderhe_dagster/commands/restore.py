"""`orderhe restore`: warehouse or source made again from the backups alone, and proven; the drill of it.

What is chosen, checked and brought is in `road`; here: whose, of which days, and what a person reads.
"""

from __future__ import annotations

import os
import secrets
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import partial
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.days import LaunchError, check_over
from orderhe_dagster.commands.selection import raw_tables
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.ports.source import Source
    from orderhe_dagster.ports.store import Store
    from orderhe_dagster.ports.warehouse import Warehouse
    from orderhe_dagster.road.points import Choice
    from orderhe_dagster.road.restores import Restored
    from orderhe_dagster.road.source_restores import SourceRestored

Say = Callable[[str], None]
_ALL_ROWS = 1 << 62
_SHOWN = 5
_UNCHANGED = (
    "Nothing was changed: this was a dry run. All objects are as they were written; what stands where they "
    "would be restored was not asked."
)


@dataclass(frozen=True)
class Asked:
    """What a person asks for: some tables (none: all), days (None: all), and a state (none: the current one).

    `as_of` is a moment as it was typed; `generation` the number of one.
    """

    tables: Sequence[str] = ()
    window: Window | None = None
    as_of: str = ""
    generation: int | None = None

    @property
    def is_everything(self) -> bool:
        """Whether nothing is left out: then the models are built again too."""
        return not (self.tables or self.window)


def restore_warehouse(settings: Settings, asked: Asked, say: Say, *, dry_run: bool = False) -> bool:
    """Bring the backups into the warehouse, build the models on them; whether all went well.

    A table is as before or restored, and what became of each is said. OrderheError where nothing can be.
    """
    from orderhe_dagster.proof.staging import Stage
    from orderhe_dagster.resources.build import build_store, build_warehouse, close_idle
    from orderhe_dagster.road import restores
    from orderhe_dagster.settings.project import read_catalogue

    catalogue, store = read_catalogue(settings), build_store(settings)
    history = _history(settings, catalogue, store)
    choices = _choices(settings, catalogue, asked, history, store)
    _announce(choices, store, "orderhe restore warehouse", say)
    if dry_run:
        say(_UNCHANGED)
        return True
    warehouse = build_warehouse(settings, 1.0)
    failures: list[str] = []
    try:
        for choice in choices:
            judge = Stage(catalogue, choice.step.run_id)
            try:
                done = restores.restore(choice, store, warehouse, judge)
            except PortError as error:
                failures.append(choice.table.name)
                say(f"FAILED {choice.table.name}: {error}")
                continue
            say(_outcome(done))
        if asked.is_everything and not failures:
            failures += _build_models(catalogue, choices[0].step.history, store, warehouse, say)
    finally:
        close_idle()
    say(_verdict(asked, choices, failures))
    return not failures


def restore_source(
    settings: Settings, asked: Asked, into: str, say: Say, *, dry_run: bool = False
) -> None:
    """Put the backups into an empty source: the one of the settings, or the database that `into` names.

    All of it is there in the end and equal to the backups, or nothing. OrderheError.
    """
    from orderhe_dagster.resources.build import (
        build_named_source,
        build_parquet_query,
        build_source,
        build_store,
    )
    from orderhe_dagster.road import source_restores
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.settings.scratch import scratch_folder

    catalogue, store = read_catalogue(settings), build_store(settings)
    history = _history(settings, catalogue, store)
    choices = _choices(settings, catalogue, asked, history, store)
    if settings.shop == "simulated" and not into:
        raise LaunchError(_simulated(choices))
    target = build_named_source(settings, into) if into else build_source(settings)
    _announce(choices, store, "orderhe restore source", say)
    if dry_run:
        say(_UNCHANGED)
        return
    scratch = scratch_folder(home_of(settings).scratch, label=f"restore {target.identity}")
    with _for_its_owner_alone(), scratch as folder:
        restored = source_restores.restore(
            choices, target, store, folder, build_parquet_query(settings)
        )
    for done in restored:
        for line in _of_source(done):
            say(line)
    names = ", ".join(choice.table.name for choice in choices)
    say(f"{target.identity}: restored and proven equal to the backups: {names}.")
    if not into:
        say(_next(choices[0], target))


@contextmanager
def _for_its_owner_alone() -> Iterator[None]:
    """Files that are made in the block may be read by nobody else: they hold customers."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def restore_index(settings: Settings, asked: Asked, say: Say) -> None:
    """Make the indexes of tables anew where they are damaged or gone. OrderheError."""
    from orderhe_dagster.resources.build import build_store
    from orderhe_dagster.road import index
    from orderhe_dagster.road.index_repair import remake
    from orderhe_dagster.settings.project import read_catalogue

    index.forget()
    store = build_store(settings)
    for table in _tables(read_catalogue(settings), asked):
        done = remake(store, table.name)
        say(done.sentence() if done else f"{table.name}: its index is sound, nothing was changed")
    say("Look at all of it: orderhe restore --check")


def check_backups(settings: Settings, asked: Asked, say: Say) -> bool:
    """Look at every object that the indexes name, byte for byte; name each that is not as it was written."""
    from orderhe_dagster.resources.build import build_store
    from orderhe_dagster.road import index
    from orderhe_dagster.road.object_check import check_all, check_others
    from orderhe_dagster.road.points import everything
    from orderhe_dagster.settings.project import read_catalogue

    index.forget()
    catalogue, store = read_catalogue(settings), build_store(settings)
    tables = _tables(catalogue, asked)
    history = _history(settings, catalogue, store)
    choices: list[Choice] = []
    damaged = 0
    for table in tables:
        try:
            choices.append(everything(table, history, store))
        except PortError as error:  # the index itself, or a part of it
            damaged += 1
            say(str(error))
    for damage in check_all(store, choices):
        damaged += 1
        say(damage.sentence())
    if not asked.tables:
        for text in check_others(store):
            damaged += 1
            say(text)
    segments = sum(len(choice.records) for choice in choices)
    say(
        f"{counted(damaged, 'object')} of the backups not as written."
        if damaged
        else f"All objects of {counted(len(choices), 'table')}, {counted(segments, 'segment')} (days, rows "
        "outside of all days, whole tables), are as they were written, byte for byte."
    )
    return not damaged


def run_drill(settings: Settings, seed: int | None, say: Say) -> bool:
    """Restore a random range into scratch, and keep the certificate; whether it is equal. OrderheError."""
    from orderhe_dagster.resources.build import (
        build_parquet_query,
        build_scratch_source,
        build_store,
        build_warehouse,
    )
    from orderhe_dagster.road import index
    from orderhe_dagster.road.drills import SEEDS, drill
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.settings.scratch import scratch_folder

    catalogue, store = read_catalogue(settings), build_store(settings)
    history = _history(settings, catalogue, store)
    tables = [table for table in catalogue.layer("raw") if index.read(store, table.name).entries]
    seed = secrets.randbelow(SEEDS) if seed is None else seed
    say(f"seed {seed}: the same range again with --seed {seed}")
    with scratch_folder(home_of(settings).scratch, label=f"drill {seed}") as folder:
        source = build_scratch_source(settings, folder)
        warehouse, parquet = build_warehouse(settings), build_parquet_query(settings)
        done = drill(tables, history, store, warehouse, source, folder, seed, parquet)
    for text in done.differences:
        say(f"DIFFERENT {text}")
    for text in done.left_out:
        say(f"left out: {text}")
    say(done.sentence())
    say(f"the certificate is {store.url(done.key)}: orderhe restore --verify {done.key}")
    return done.equal


def verify_certificate(settings: Settings, name: str, say: Say) -> bool:
    """Verify a certificate of a drill, by its key or a file; the latest where it is `latest`."""
    from pathlib import Path

    from orderhe_dagster.resources.build import build_store
    from orderhe_dagster.road.drills import LATEST, verify
    from orderhe_dagster.road.points import RestoreError

    store = build_store(settings)
    key = LATEST if name == "latest" else name.removeprefix(store.url("x").removesuffix("x"))
    file = Path(name)
    if file.is_file():
        body = file.read_bytes()
    else:
        stored = store.get(key)
        if stored is None:
            raise LaunchError(
                f"there is no certificate {store.url(key)}: make one with orderhe restore --drill"
            )
        body = stored.body
    try:
        found = verify(body, store)
    except RestoreError as error:
        raise LaunchError(f"{file if file.is_file() else store.url(key)}: {error}") from error
    say(found.sentence())
    for text in found.wrong:
        say(f"NOT SO: {text}")
    say("The certificate does not hold." if found.wrong else "The certificate holds.")
    return not found.wrong


# What is asked for -------------------------------------------------------------------------------


def _choices(
    settings: Settings, catalogue: Catalogue, asked: Asked, history: Window, store: Store
) -> list[Choice]:
    """What of each table is restored. OrderheError, before anything is changed."""
    from orderhe_dagster.road.points import Point, choose

    tables = _tables(catalogue, asked)
    if asked.window is not None:
        check_over(settings, asked.window)
    point = Point(_moment(asked.as_of, settings.time_zone), asked.generation)
    run_id = f"restore-{uuid.uuid4()}"
    return [choose(table, asked.window, history, run_id, store, point) for table in tables]


def _tables(catalogue: Catalogue, asked: Asked) -> list[Table]:
    """The raw tables that are meant. LaunchError where one is none, or the request contradicts itself."""
    tables = raw_tables(catalogue, asked.tables)
    if asked.generation is not None:
        _check_one_generation(asked, tables)
    if asked.window is None:
        return tables
    dated = [table for table in tables if table.partition]
    whole = [table.name for table in tables if not table.partition]
    if whole and (asked.tables or not dated):
        raise LaunchError(
            f"{', '.join(whole)}: without days; leave out --from and --to, or name tables that have days"
        )
    return dated


def _check_one_generation(asked: Asked, tables: Sequence[Table]) -> None:
    if asked.as_of:
        raise LaunchError("--as-of and --generation are two ways to say it: give one of them")
    if len(tables) > 1:
        raise LaunchError(
            "generations are numbered by table and day: name one table, as in --table "
            f"{tables[0].name} --generation {asked.generation}"
        )
    if tables[0].partition and asked.window is None:
        raise LaunchError(
            f"generations of {tables[0].name} are numbered by day: name the days with --from and --to, or "
            "ask for a moment with --as-of"
        )


def _moment(text: str, time_zone: str) -> datetime | None:
    """A moment as it was typed, in the shop's time zone where it names none. LaunchError."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text[:-1] + "+00:00" if text.endswith("Z") else text)
    except ValueError:
        raise LaunchError(
            f"--as-of {text!r} is no moment like 2026-11-01T03:00 (in {time_zone}) or "
            "2026-11-01T03:00+00:00"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=ZoneInfo(time_zone))
    if moment > datetime.now(timezone.utc):
        raise LaunchError(
            f"--as-of {text} has not come yet: leave it out for what the backups have now"
        )
    return moment


def _history(settings: Settings, catalogue: Catalogue, store: Store) -> Window:
    """The days that the shop has. A home that does not know the first asks the backups, not the source."""
    from orderhe_dagster.road import index
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import today

    first = home.first_day(settings)
    end = today(settings.time_zone)
    if first is None:
        tables = [table.name for table in catalogue.layer("raw") if table.partition]
        days = [day for name in tables for day in days_of(index.read(store, name).entries)]
        if days:
            first = home.remember_start(home.prepare_home(settings), min(days))
    first = first or end - ONE_DAY
    if first >= end:
        raise LaunchError(
            f"this shop's history begins on {first}, and no day of it is over yet in "
            f"{settings.time_zone}: there is nothing to restore"
        )
    return Window(first, end)


# Models ------------------------------------------------------------------------------------------


def _build_models(
    catalogue: Catalogue,
    history: Window,
    store: Store,
    warehouse: Warehouse,
    say: Say,
) -> list[str]:
    """Build the models on what was restored, again where they are not as they were built; what failed."""
    from orderhe_dagster.proof.judgement import Judge
    from orderhe_dagster.road.builds import build
    from orderhe_dagster.road.guards import Rules
    from orderhe_dagster.road.rota import Budget
    from orderhe_dagster.road.step import Step

    judge = Judge(catalogue, history, None, store, f"restore-{uuid.uuid4()}")
    rules, failures = Rules(budget=Budget(rows=_ALL_ROWS)), list[str]()
    for table in (*catalogue.layer("warehouse"), *catalogue.layer("mart")):
        asset = f"{table.layer}/{table.name}"
        step = Step(table, history if table.partition else None, judge.run_id, history)
        if table.partition:
            step = replace(step, chosen=_days_upstream(catalogue, table, history, warehouse))
        try:
            built = build(
                step, catalogue, warehouse, partial(judge.require_passed, table=table), rules
            )
        except PortError as error:
            failures.append(asset)
            say(f"FAILED {asset}: {error}")
            continue
        rows = counted(built.total, "row")
        say(f"{asset}: built anew, {rows}" if built.rows else f"{asset}: as it was built")
    return failures


def _days_upstream(
    catalogue: Catalogue, table: Table, history: Window, warehouse: Warehouse
) -> tuple[Segment, ...]:
    """The days that the warehouse has of all that a model reads by day."""
    from orderhe_dagster.road import audit

    names = [str(ref) for ref in table.depends_on if catalogue.get(ref).partition]
    with warehouse.session(f"days of what {table.name} reads", read_only=True) as session:
        held = audit.read(session, names)
    common = set[Segment].intersection(*({s for s in held[name] if s.day} for name in names))
    return tuple(sorted(segment for segment in common if segment.day in history))


# What is said ------------------------------------------------------------------------------------


def _announce(choices: Sequence[Choice], store: Store, verb: str, say: Say) -> None:
    """Say what is to be restored. RestoreError where an object that it needs is lost or altered."""
    from orderhe_dagster.road import restores

    for damage in restores.require_sound(choices, store, verb):
        say(f"note: {damage.sentence()} (no row of the restore depends on it)")
    for choice in choices:
        say(_plan(choice))


def _plan(choice: Choice) -> str:
    """What is to be restored of a table."""
    rows = counted(choice.rows, "row")
    parts = [f"{choice.table.name}: {_segments(choice)}, {rows} in the backups"]
    if choice.others:
        parts.append(f"{len(choice.others):,} of them not as they count now")
    if choice.unknown_then:
        parts.append(
            f"{_days(choice.unknown_then)} had no backup at that moment: they become empty"
        )
    return "; ".join(parts)


def _outcome(done: Restored) -> str:
    """What became of a table."""
    from orderhe_dagster.road.remedies import segments_text

    choice = done.choice
    loaded = sum(record.measure.rows for record in done.loaded.values())
    if not done.loaded:
        return f"{choice.table.name}: {_segments(choice)}: as loaded, and equal to the backups"
    text = (
        f"{choice.table.name}: {counted(loaded, 'row')} of {_loaded(done)} restored, {_segments(choice)} "
        "equal to the backups"
    )
    if done.made_current:
        text += f"; {counted(len(done.made_current), 'generation')} made current"
    if done.moved:
        text += (
            f"; rows of {segments_text(done.moved)}, stood on these days then: they are taken from there "
            "until the next daily run"
        )
    found = [f"{one.segment}: {one.text}" for one in done.findings[:_SHOWN]]
    return "\n  ".join([text, *found])


def _loaded(done: Restored) -> str:
    return _days(done.loaded) if done.choice.table.partition else "the whole table"


def _of_source(done: SourceRestored) -> Iterator[str]:
    """What became of a table of a source, and what of it is in no backup."""
    name = done.choice.table.name
    rows = sum(measure.rows for measure in done.measures.values())
    yield f"{name}: {counted(rows, 'row')}, {_segments(done.choice)} equal to the backups"
    if done.apart:
        shown = ", ".join(done.told[:_SHOWN])
        more = f" and {len(done.told) - _SHOWN:,} more" if len(done.told) > _SHOWN else ""
        yield (
            f"  not in the backups: {counted(done.apart, 'row')} that could not be carried (quarantine); "
            f"their keys and the reasons: {shown}{more}"
        )
    for column, many in sorted(done.nulled.items()):
        values = counted(many, "value")
        yield f"  {column}: {values} NULL here, as the backups have it; the source had what cannot be carried"


def _simulated(choices: Sequence[Choice]) -> str:
    """Why the simulated shop's own source is not restored, and the two ways there are."""
    days = [choice.step.history for choice in choices if choice.table.partition]
    span = f" --from {days[0].start} --to {days[0].end - ONE_DAY}" if days else ""
    return (
        "this shop is simulated: which days were made is in no backup, so the simulation could not go on "
        f"with restored rows. Nothing was changed. Its days are made again, the same, by: orderhe simulate"
        f"{span}; its backups become a database of their own with: orderhe restore source "
        "--into duckdb:restored.duckdb; to leave the simulation for good, set ORDERHE_SHOP=external"
    )


def _next(choice: Choice, target: Source) -> str:
    """What is to be done with a source that was restored where the shop's was."""
    before = choice.known.origin.server
    if before and before != target.server():
        return (
            "It is another server than the one that was backed up. Say once that it took over, and all of "
            "it is proven: orderhe run '*' --accept other_server"
        )
    return "To hold it against backups and warehouse: orderhe prove"


def _segments(choice: Choice) -> str:
    return _days(choice.records) if choice.table.partition else "all of it"


def _days(segments: Iterable[Segment]) -> str:
    """How many days these are; what lies outside of all days is none, and is said beside them."""
    texts = list(segments)
    days = sum(segment.day is not None for segment in texts)
    beside = "the rows outside of all days"
    if days == len(texts):
        return counted(days, "day")
    return f"{counted(days, 'day')} and {beside}" if days else beside


def _verdict(asked: Asked, choices: Sequence[Choice], failures: Sequence[str]) -> str:
    """How it ended, and the next command."""
    if failures:
        return (
            f"NOT RESTORED: {', '.join(failures)}. Each table is as it was before, or restored whole; the "
            "same command goes on from here"
        )
    names = ", ".join(choice.table.name for choice in choices)
    lines = [f"Restored and proven equal to the backups: {names}."]
    if asked.as_of or asked.generation is not None:
        lines.append(
            "This is an older state: the next daily run brings what the source has now. Where the source "
            "is what went wrong, restore it first: see docs/restore.md"
        )
    if asked.is_everything:
        lines.append("Exports and dashboard come from the marts: orderhe run 'export/*'")
    else:
        lines.append("Models on it, and what else the warehouse lacks: orderhe restore warehouse")
    return "\n".join(lines)
