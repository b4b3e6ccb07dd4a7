"""Runs whose process is gone, recorded as what they are. Dagster watches over no process of this machine.

A run's process holds a lock for as long as it lives, and tags say where; the kernel drops it, however
the process ends. `orderhe run` holds one itself, any other run by way of `history`. How a run is
started, and where its history lies, is not said here. `dagster.yaml` names the launcher::

    run_launcher: {module: orderhe_dagster.runs, class: Launcher}
"""

from __future__ import annotations

import os
import socket
from contextlib import ExitStack
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from dagster._core.launcher import DefaultRunLauncher
from dagster._core.launcher.base import CheckRunHealthResult, WorkerStatus
from dagster._core.storage.dagster_run import FINISHED_STATUSES, DagsterRunStatus, RunsFilter

from orderhe_dagster.settings.scratch import is_alive, scratch_folder

if TYPE_CHECKING:
    from dagster import DagsterInstance, DagsterRun

LIFE_TAG = ".dagster/orderhe_process"
"""Tag of a run, which no page shows: the folder in the home's `scratch` that its living process holds."""
HOME_TAG = ".dagster/orderhe_home"
"""Tag of a run: the machine and the home that folder is of. Several homes may share one history."""
RUN_TAG = ".dagster/orderhe_run"
"""Tag of a run: its own id, where it bears the tags above. Dagster gives a run that is executed again all
tags of the run before it, whose process is gone."""
SCRATCH = "scratch"
_UNFINISHED = [
    *(DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING, DagsterRunStatus.STARTED),
    DagsterRunStatus.CANCELING,
]
_UNBORN = timedelta(minutes=10)
_LIVES: dict[str, ExitStack] = {}
"""The runs of this process that hold a lock of their own."""
_PARENTS: list[dict[str, ExitStack]] = []


def home_name(home: Path) -> str:
    """The machine and the folder of a home, as its runs are marked."""
    return f"{socket.gethostname()}:{home.resolve()}"


def begin(instance: DagsterInstance, run_id: str) -> None:
    """A run begins in this process: hold its lock, if none is held, and end the runs that were abandoned.

    It is held until the process ends, or begins another run: a run's last event comes before it counts
    as finished.
    """
    for finished in [name for name in _LIVES if _is_finished(instance, name)]:
        _LIVES.pop(finished).close()
    run = instance.get_run_by_id(run_id)
    if run is None or _life(run) is not None or run_id in _LIVES:
        return
    folder = Path(instance.root_directory)
    with ExitStack() as life:
        held = life.enter_context(scratch_folder(folder / SCRATCH, label=f"run {run_id}"))
        tags = {LIFE_TAG: held.name, HOME_TAG: home_name(folder), RUN_TAG: run_id}
        instance.add_run_tags(run_id, tags)
        end_abandoned_runs(instance)
        _LIVES[run_id] = life.pop_all()


def end_abandoned_runs(instance: DagsterInstance) -> list[str]:
    """Record as failed, or as canceled, the runs whose process is gone, and free their slots in pools.

    Gives their ids. Runs of other homes and machines, which may share the history, are theirs to judge.
    """
    ended = []
    for run in instance.get_runs(RunsFilter(statuses=_UNFINISHED)):
        if lives(run, Path(instance.root_directory)) is not False:
            continue
        if _is_finished(instance, run.run_id):  # meanwhile, before its process ended
            continue
        process = run.tags[LIFE_TAG].split("-")[0]
        message = (
            f"Process {process} ended without finishing this run: it was killed, or the "
            "machine stopped. Nothing is half done; run the same selection again."
        )
        if run.status == DagsterRunStatus.CANCELING:
            instance.report_run_canceled(run, message)
        else:
            instance.report_run_failed(run, message)
        ended.append(run.run_id)
    ended += _end_unborn_runs(instance)
    _free_slots(instance)
    return ended


def _end_unborn_runs(instance: DagsterInstance) -> list[str]:
    """Record as failed what Dagster's launcher of this machine has not begun for minutes."""
    if not isinstance(instance.run_launcher, DefaultRunLauncher):
        return []
    waiting = [DagsterRunStatus.NOT_STARTED, DagsterRunStatus.STARTING]
    until = datetime.now(timezone.utc) - _UNBORN
    ended = []
    for record in instance.get_run_records(RunsFilter(statuses=waiting, updated_before=until)):
        run = record.dagster_run
        if _life(run) is None and not _is_finished(instance, run.run_id):
            message = (
                "No process has begun this run: whoever was to start it was killed, or the machine "
                "stopped. Run the same selection again."
            )
            instance.report_run_failed(run, message)
            ended.append(run.run_id)
    return ended


def lives(run: DagsterRun, dagster_home: Path) -> bool | None:
    """Whether the run's process lives; None where that is not to be known here."""
    life = _life(run)
    homes = {home_name(folder): folder for folder in (dagster_home, dagster_home.parent)}
    home = homes.get(run.tags.get(HOME_TAG, home_name(dagster_home.parent)))
    if life is None or home is None:
        return None
    return is_alive(home / SCRATCH / life)


def _life(run: DagsterRun) -> str | None:
    """The folder that the run's own process holds; None where none has begun it."""
    is_another_runs = run.parent_run_id and run.tags.get(RUN_TAG) != run.run_id
    return None if is_another_runs else run.tags.get(LIFE_TAG)


def _is_finished(instance: DagsterInstance, run_id: str) -> bool:
    run = instance.get_run_by_id(run_id)
    return run is None or run.is_finished


def _free_slots(instance: DagsterInstance) -> None:
    """Free what finished runs hold of pools: Dagster's daemon would, where one runs, a minute later."""
    storage = instance.event_log_storage
    if not storage.supports_global_concurrency_limits:
        return
    holders = storage.get_concurrency_run_ids()
    if not holders:
        return
    finished = RunsFilter(run_ids=list(holders), statuses=FINISHED_STATUSES)
    for run in instance.get_runs(finished):
        storage.free_concurrency_slots_for_run(run.run_id)


class Launcher(DefaultRunLauncher):
    """DefaultRunLauncher, of which Dagster's daemon learns what runs to end: those that nobody works at."""

    @property
    def supports_check_run_worker_health(self) -> bool:
        """It can be asked."""
        return True

    def check_run_worker_health(self, run: DagsterRun) -> CheckRunHealthResult:
        """Whether the process of a run lives; of one that is not known here, that it does."""
        if lives(run, Path(self._instance.root_directory)) is not False:
            return CheckRunHealthResult(WorkerStatus.RUNNING)
        process = run.tags[LIFE_TAG].split("-")[0]
        return CheckRunHealthResult(WorkerStatus.FAILED, f"process {process} has ended")


def _forget() -> None:
    """A forked child has none of its parent's runs, and must not close what holds their locks."""
    _PARENTS.append(dict(_LIVES))
    _LIVES.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
