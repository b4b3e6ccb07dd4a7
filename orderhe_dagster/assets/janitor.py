"""The janitor: takes away what has had its time, of backups, of Dagster's history and of this home.

What of a table's backups may go is `road.janitor`'s to say, what of the history `history`'s.
"""

import logging
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Protocol, runtime_checkable
from zoneinfo import ZoneInfo

import dagster as dg

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.store import Listed, Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.road import audit, published
from orderhe_dagster.road.backups import BackupError
from orderhe_dagster.road.janitor import Keeping, Sweep, plan, sweep
from orderhe_dagster.road.retention import Retention
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.history_files import DamagedFile, damaged
from orderhe_dagster.settings.home import Home, home_of
from orderhe_dagster.settings.scratch import scratch_folder

logger = logging.getLogger("orderhe.janitor")

_UNFINISHED = (
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
)
_CACHE_KEPT = timedelta(days=30)


@runtime_checkable
class Prunable(Protocol):
    """A storage of events that can forget runs, as `orderhe_dagster.history` does."""

    def logged(self, run_ids: Iterable[str]) -> list[str]:
        """Those of the runs that have a log of their own still."""

    def prune(self, run_ids: Collection[str]) -> set[str]:
        """Forget what these runs logged, but what tells the state; give the runs that it is of."""

    def compact(self) -> None:
        """Give the disk what is not used any more."""


@dataclass(frozen=True)
class Rules:
    """What stays, by the settings; `everything` looks at old objects too, `dry_run` removes nothing."""

    retention: Retention
    run_days: int
    home: Home
    dry_run: bool = False
    everything: bool = False

    @classmethod
    def of(cls, settings: Settings) -> "Rules":
        """The rules of these settings."""
        retention = Retention(
            settings.keep_generations,
            timedelta(hours=settings.keep_orphan_hours),
            ZoneInfo(settings.time_zone),
        )
        return cls(retention, settings.keep_run_days, home_of(settings))


@dataclass
class Report:
    """What went, or would go: of the backups by table, runs of the history, paths of the home.

    `runs`: those that have had their time, of which some stay for what they say; `logs`: of those, the
    ones that had a log until now. `damaged`: files of the history that SQLite finds not as they should be.
    `published`: copies whose links have ended.
    """

    sweeps: list[Sweep] = field(default_factory=list)
    runs: Sequence[str] = ()
    logs: Sequence[str] = ()
    paths: list[Path] = field(default_factory=list)
    freed: int = 0
    damaged: Sequence[DamagedFile] = ()
    published: Sequence[Listed] = ()

    def lines(self, store: Store, rules: Rules) -> Iterator[str]:
        """A line for each kind of thing; of a dry run one for each thing."""
        would = "would be " if rules.dry_run else ""
        for one in self.sweeps:
            if rules.dry_run:
                yield from _listed(one, store)
            if one.objects or one.orphans or one.uploads or one.generations:
                yield (
                    f"backup/{one.table}: {counted(one.generations, 'generation')} and "
                    f"{counted(len(one.objects) + len(one.orphans), 'object')} {would}removed, "
                    f"{len(one.orphans):,} of them of no record; "
                    f"{counted(len(one.uploads), 'unfinished upload')} {would}given up; {_mb(one.size)}"
                )
            yield from (f"warning {text}" for text in one.unclear)
        if self.published:
            if rules.dry_run:
                yield from (f"{store.url(one.key)}: its link has ended" for one in self.published)
            yield f"published: {counted(len(self.published), 'object')} {would}removed"
        yield from (f"warning Dagster's history: {one.sentence()}" for one in self.damaged)
        if self.logs:
            yield (
                f"history: the logs of {counted(len(self.logs), 'run')} of more than "
                f"{rules.run_days} days ago {would}removed"
            )
        if self.paths:
            if rules.dry_run:
                yield from map(str, self.paths)
            yield f"home: {counted(len(self.paths), 'file')} {would}removed"
        size = sum(one.size for one in self.sweeps) + self.freed
        size += sum(one.size for one in self.published)
        yield f"{_mb(size)} {would}freed"


def _listed(one: Sweep, store: Store) -> Iterator[str]:
    for kind, listed in (("of a generation that goes", one.objects), ("of no record", one.orphans)):
        for item in listed:
            yield f"{store.url(item.key)}: {item.size:,} bytes, {kind}"
    for upload in one.uploads:
        yield f"{store.url(upload.key)}: an upload begun {upload.begun_at:%Y-%m-%d %H:%M} UTC"


def _mb(size: int) -> str:
    return f"{size / 1_000_000:,.1f} MB"


def clean(
    catalogue: Catalogue,
    store: Store,
    warehouse: Warehouse,
    instance: dg.DagsterInstance,
    rules: Rules,
) -> Report:
    """Take away what has had its time. PortError where store or warehouse cannot be asked."""
    report = Report()
    now = datetime.now(timezone.utc)
    open_runs = {run.run_id for run in instance.get_runs(dg.RunsFilter(statuses=[*_UNFINISHED]))}
    for name in sorted(table.name for table in catalogue.layer("raw")):
        try:
            planned = _swept(store, warehouse, name, rules, Keeping(open_runs=open_runs), now)
        except BackupError as error:  # its index is damaged: the others are cleaned up all the same
            planned = Sweep(name, unclear=[str(error)])
        report.sweeps.append(planned)
    report.published = published.ended(store, now)
    if not rules.dry_run:
        store.delete(one.key for one in report.published)
    before = now - timedelta(days=rules.run_days)
    if isinstance(instance.event_log_storage, Prunable):
        report.damaged = [*damaged(rules.home.dagster)]
    if not report.damaged:
        report.runs, report.logs = _prune(instance, before, rules.dry_run)
    _tidy(rules, now, report)
    return report


def _swept(
    store: Store, warehouse: Warehouse, name: str, rules: Rules, keeping: Keeping, now: datetime
) -> Sweep:
    """What went of one table's backups, or would go. PortError, BackupError."""
    planned = plan(store, name, rules.retention, keeping, now, everything=rules.everything)
    if planned.expired:  # only then is the warehouse asked, which may have to wake up for it
        keeping = replace(keeping, held=_held(warehouse, name))
        planned = plan(store, name, rules.retention, keeping, now, everything=rules.everything)
    if not rules.dry_run:
        sweep(store, planned)
    return planned


def _held(warehouse: Warehouse, name: str) -> Mapping[Segment, Sequence[int]]:
    """The generations that the warehouse holds: a load tells from them what has changed."""
    with warehouse.session(f"janitor of {name}", read_only=True) as session:
        held = audit.read_or_nothing(session, f"warehouse.{name}")
    return {segment: [loaded.generation] for segment, loaded in held.items()}


def _prune(
    instance: dg.DagsterInstance, before: datetime, dry_run: bool
) -> tuple[list[str], list[str]]:
    """The runs of before then, forgotten but for what says how things stand; and whose logs went."""
    log = instance.event_log_storage
    if not isinstance(log, Prunable):
        return [], []  # of a storage of the user's own, its own tools take care
    ended = dg.RunsFilter(
        statuses=[one for one in dg.DagsterRunStatus if one not in _UNFINISHED],
        created_before=before,
    )
    runs = [run.run_id for run in instance.get_runs(ended)]
    logs = log.logged(runs)
    if runs and not dry_run:
        kept = log.prune(runs)
        for run_id in set(runs) - kept:
            instance.run_storage.delete_run(run_id)
        log.compact()
    return runs, logs


def _tidy(rules: Rules, now: datetime, report: Report) -> None:
    """Old files of this home that are made again at any time; folders of processes that are dead."""
    before = (now - _CACHE_KEPT).timestamp()
    report.paths = [
        path for path in rules.home.cache.glob("catalogue-*.json") if _is_older(path, before)
    ]
    logs = rules.home.dagster / "storage"
    report.paths += [logs / run_id for run_id in report.runs if (logs / run_id).is_dir()]
    if rules.dry_run:
        return
    for path in report.paths:
        report.freed += sum(map(_size, (path, *path.rglob("*"))))
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    if rules.home.scratch.is_dir():
        with scratch_folder(rules.home.scratch, label="janitor"):
            pass  # making one removes those of dead processes


def _is_older(path: Path, before: float) -> bool:
    try:
        return path.stat().st_mtime < before
    except FileNotFoundError:  # another one has removed it
        return False


def _size(path: Path) -> int:
    try:
        return path.stat().st_size if path.is_file() else 0
    except FileNotFoundError:
        return 0


def build_janitor(
    catalogue: Catalogue, settings: Settings
) -> tuple[dg.JobDefinition, dg.ScheduleDefinition]:
    """The janitor's job and its schedule, which is on by itself where the store is this machine's."""

    @dg.op(description="Remove what has had its time: see docs/janitor.md.")
    def clean_up(
        context: dg.OpExecutionContext,
        store: dg.ResourceParam[Store],
        warehouse: dg.ResourceParam[Warehouse],
    ) -> None:
        rules = Rules.of(settings)
        report = clean(catalogue, store, warehouse, context.instance, rules)
        for line in report.lines(store, rules):
            context.log.info(line)

    @dg.job(
        name="janitor",
        description="Remove old generations, old logs of runs, and what killed runs have left. "
        "Never what a record that counts names, the warehouse holds or an open run writes.",
        executor_def=dg.in_process_executor,
    )
    def janitor() -> None:
        clean_up()

    on = settings.store == "folder"
    schedule = dg.ScheduleDefinition(
        name="janitor_schedule",
        job=janitor,
        cron_schedule="0 4 * * *",
        execution_timezone=settings.time_zone,
        default_status=dg.DefaultScheduleStatus.RUNNING if on else dg.DefaultScheduleStatus.STOPPED,
        description="At four in the morning: what has had its time.",
    )
    return janitor, schedule
