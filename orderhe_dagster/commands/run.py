"""Materialize a selection of assets in this process, as `orderhe run` and the demo do."""

from __future__ import annotations

import uuid
import warnings
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.commands.backed_up import check_backed_up
from orderhe_dagster.commands.days import (
    LaunchError,
    check_over,
    check_within_history,
    settle_first_day,
    yesterday,
)
from orderhe_dagster.commands.selection import by_day, selected_keys
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    import dagster as dg


@dataclass
class Outcome:
    """How a run ended."""

    run_id: str
    succeeded: bool
    assets: Sequence[str] = ()
    failures: list[str] = field(default_factory=list)
    failed_checks: list[str] = field(default_factory=list)
    warned_checks: list[str] = field(default_factory=list)
    passed_checks: int = 0
    untold: str = ""
    """Why people could not be told what is wrong."""
    selection: str = ""
    window: Window | None = None
    """The days that it was for; None where nothing of it is cut by days."""
    began: datetime | None = None
    ended: datetime | None = None
    figures: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    """What each step came to, by the numbers of its metadata."""
    requests: Mapping[str, int] = field(default_factory=dict)
    """What it has sent to S3, by kind; what COPY reads there, Redshift sends."""

    def lines(self) -> list[str]:
        """The outcome for a person."""
        head = (
            f"{counted(len(self.assets), 'asset')} materialized, "
            f"{counted(self.passed_checks, 'check')} passed"
        )
        if self.warned_checks:
            head += f", {counted(len(self.warned_checks), 'warning')}"
        return [
            *(f"FAILED {text}" for text in _told_once(self.failures)),
            *(f"CHECK FAILED {text}" for text in self.failed_checks),
            *(f"warning {text}" for text in self.warned_checks),
            *([f"warning alerts: {self.untold}"] if self.untold else []),
            head if self.succeeded else f"run {self.run_id} failed",
        ]


def _told_once(failures: Sequence[str]) -> Iterator[str]:
    """Each failure; an explanation that several have (what follows an empty line) behind the first alone."""
    told: set[str] = set()
    for text in failures:
        head, _, why = text.partition("\n\n")
        yield f"{head} (the same reason as above)" if why in told else text
        told |= {why} if why else set()


def launch(
    settings: Settings,
    selection: str,
    window: Window | None = None,
    resources: Mapping[str, Any] | None = None,
    *,
    may_be_empty: bool = False,
    accept: Collection[str] = (),
    prove_all: bool = False,
    replayed: Collection[str] = (),
) -> Outcome:
    """Materialize what `selection` names (Dagster's selection syntax) for the days of `window`.

    Partitioned assets without a window: yesterday. A range is one run. `resources` replaces the
    ones that the settings choose; `may_be_empty` lets tables be backed up as empty that were not,
    `accept` carries on what a run stops at else (`guards.REASONS`), `prove_all` proves every segment.
    `replayed`: the tables of which what stands in quarantine is read again, and little else.
    Raises LaunchError; KeyboardInterrupt when it was interrupted, with the run recorded as failed.
    """
    from orderhe_dagster.assets.policy import PROVE_TAG, REPLAY_TAG
    from orderhe_dagster.definitions import build_definitions
    from orderhe_dagster.resources.build import build_store, close_idle, requests_to_s3
    from orderhe_dagster.road.guards import ACCEPT_TAG, MAY_BE_EMPTY_TAG
    from orderhe_dagster.runs import HOME_TAG, LIFE_TAG, end_abandoned_runs, home_name
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.interrupts import raise_if_interrupted, remember_interrupts
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.settings.scratch import scratch_folder

    state = home.use_home(settings)
    # In a notebook a loop of events runs already: Dagster leaves the end of its own out, Python warns.
    warnings.filterwarnings("ignore", "coroutine '.*shutdown_asyncgens'", RuntimeWarning)
    settle_first_day(settings)
    if window is not None:
        check_over(settings, window)
        check_within_history(settings, window)
    definitions = build_definitions(settings, resources)
    keys = selected_keys(definitions, selection)
    of = (window or yesterday(settings)) if by_day(settings, definitions, keys) else None
    store = (resources or {}).get("store") or build_store(settings)
    check_backed_up(definitions, keys, selection, of, read_catalogue(settings), store)
    tags = _tags(of) if of else {}
    job = definitions.resolve_implicit_global_asset_job_def()
    run_id = str(uuid.uuid4())
    allowed = {
        **({MAY_BE_EMPTY_TAG: "true"} if may_be_empty else {}),
        **({ACCEPT_TAG: ",".join(sorted(accept))} if accept else {}),
        **({PROVE_TAG: "all"} if prove_all else {}),
        **({REPLAY_TAG: ",".join(sorted(replayed))} if replayed else {}),
    }
    with (
        remember_interrupts(),
        scratch_folder(state.scratch, label=f"run {selection}") as life,
        history(state.dagster) as instance,
    ):
        end_abandoned_runs(instance)
        began, before = datetime.now(timezone.utc), Counter(requests_to_s3(settings))
        try:
            result = job.execute_in_process(
                run_id=run_id,
                instance=instance,
                asset_selection=sorted(keys),
                tags={**tags, **allowed, LIFE_TAG: life.name, HOME_TAG: home_name(state.folder)},
                raise_on_error=False,
                run_config={"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}},
            )
        except BaseException:
            run = instance.get_run_by_id(run_id)
            if run is not None and not run.is_finished:
                instance.report_run_failed(run, "The run was interrupted.")
            raise
        finally:
            close_idle()
        if _was_interrupted(result):
            raise KeyboardInterrupt
        raise_if_interrupted()
        assets = sorted("/".join(key.path) for key in keys)
        outcome = _outcome(result, assets, read_catalogue(settings))
        outcome.selection, outcome.window = selection, of
        outcome.began, outcome.ended = began, datetime.now(timezone.utc)
        outcome.requests = Counter(requests_to_s3(settings)) - before
        outcome.untold = _tell(settings, instance, definitions)
        return outcome


def _tell(settings: Settings, instance: dg.DagsterInstance, definitions: dg.Definitions) -> str:
    """Tell people of what is wrong, where some are to be told; why they could not be, or nothing."""
    from orderhe_dagster.assets.alerts import alerts_of, tell
    from orderhe_dagster.ports.errors import PortError
    from orderhe_dagster.resources.build import send_alert

    alerts = alerts_of(settings, send_alert)
    if alerts is None:
        return ""
    try:
        tell(alerts, instance, definitions.get_repository_def())
    except PortError as error:
        return str(error)
    except Exception as error:  # the run is over, and stays what it is
        return f"{type(error).__name__}: {error}"
    return ""


@contextmanager
def history(folder: Path) -> Iterator[dg.DagsterInstance]:
    """Dagster's instance at `folder`. LaunchError where dagster.yaml or the history cannot be used."""
    import sqlite3

    from sqlalchemy.exc import DBAPIError

    from orderhe_dagster.settings.history_files import damaged

    try:
        with _opened(folder) as instance:
            yield instance
    except DBAPIError as error:
        if not isinstance(error.orig, sqlite3.Error):
            raise LaunchError(
                f"the storage that {folder / 'dagster.yaml'} names cannot be used: {error.orig}. Bring its "
                "server back, or put the setting right, and run this again; no rows are kept there."
            ) from error
        found = next(damaged(folder), None)
        if found is not None:
            raise LaunchError(
                f"Dagster's run history in {folder} cannot be used: {found.sentence()}"
            ) from error
        raise LaunchError(
            f"Dagster's run history in {folder} cannot be used: {error.orig}. If its disk is full, free "
            f"space and run this again. If a file is damaged, move {folder / 'history'} away: a new "
            "history begins; no rows are kept there."
        ) from error


def _opened(folder: Path) -> dg.DagsterInstance:
    """The instance as dagster.yaml says, but what is printed goes where the caller reads it.

    Capturing it, Dagster starts four processes that Ctrl-C ends with tracebacks, and turns the
    terminal into a file. What the run logs is in its events all the same.
    """
    import dagster as dg
    from dagster._core.instance.ref import InstanceRef
    from dagster_shared.check import CheckError

    silent = {
        "module": "dagster._core.storage.noop_compute_log_manager",
        "class": "NoOpComputeLogManager",
    }
    try:
        reference = InstanceRef.from_dir(str(folder), overrides={"compute_logs": silent})
        return dg.DagsterInstance.from_ref(reference)
    except (dg.DagsterError, CheckError, ImportError) as error:
        raise LaunchError(
            f"{folder / 'dagster.yaml'} cannot be used as it stands. {_briefly(error)}"
        ) from error


def _briefly(error: Exception) -> str:
    """What Dagster has to say, without its frames and the list of all that there could be."""
    text = str(error).split("\n\nStack Trace")[0]
    return "\n".join(line if len(line) < 300 else f"{line[:300]} …" for line in text.splitlines())


def _was_interrupted(result: dg.ExecuteInProcessResult) -> bool:
    """Whether a signal ended the run: Dagster takes the interrupt and records the run as failed."""
    import dagster as dg

    return any(
        getattr(event.job_failure_data.failure_reason, "value", "") == "UNEXPECTED_TERMINATION"
        for event in result.all_events
        if event.event_type == dg.DagsterEventType.RUN_FAILURE
    )


def _tags(window: Window) -> dict[str, str]:
    """How Dagster is told of one day, or of a range as one run."""
    last = window.end - ONE_DAY
    if last == window.start:
        return {"dagster/partition": last.isoformat()}
    return {
        "dagster/asset_partition_range_start": window.start.isoformat(),
        "dagster/asset_partition_range_end": last.isoformat(),
    }


def _outcome(
    result: dg.ExecuteInProcessResult, assets: Sequence[str], catalogue: Catalogue
) -> Outcome:
    import dagster as dg

    from orderhe_dagster.assets.incidents import failure_text, is_of_checks, run_failure_text

    outcome = Outcome(result.run_id, result.success, assets, figures=_figures(result))
    steps_failed = False
    for event in result.all_events:
        if event.event_type == dg.DagsterEventType.STEP_FAILURE:
            steps_failed = True
            if not is_of_checks(event):  # which those are is told below
                outcome.failures.append(failure_text(event))
        elif event.event_type == dg.DagsterEventType.RUN_FAILURE and not steps_failed:
            outcome.failures.append(run_failure_text(event))
    failed: dict[dg.AssetKey, list[dg.AssetCheckEvaluation]] = {}
    for check in result.get_asset_check_evaluations():
        name = f"{'/'.join(check.asset_key.path)}: {check.check_name}"
        text = f"{name}: {check.description}" if check.description else name
        if check.passed:
            outcome.passed_checks += 1
        elif check.severity == dg.AssetCheckSeverity.WARN:
            outcome.warned_checks.append(text)
        else:
            outcome.failed_checks.append(text)
            failed.setdefault(check.asset_key, []).append(check)
    outcome.failures += [_of_checks(key, checks, catalogue) for key, checks in failed.items()]
    return outcome


def _figures(result: dg.ExecuteInProcessResult) -> dict[str, dict[str, float]]:
    """The numbers in the metadata of each asset that was materialized, that of its step, not of a day."""
    import dagster as dg

    figures: dict[str, dict[str, float]] = {}
    for event in result.all_events:
        if event.event_type != dg.DagsterEventType.ASSET_MATERIALIZATION:
            continue
        materialization = event.materialization
        named = figures.setdefault("/".join(materialization.asset_key.path), {})
        for name, value in materialization.metadata.items():
            if isinstance(value.value, (int, float)):
                named[name] = value.value
    return figures


def _of_checks(
    key: dg.AssetKey, checks: Sequence[dg.AssetCheckEvaluation], catalogue: Catalogue
) -> str:
    """Which checks of an asset failed, and what to do; each with its rows is told elsewhere."""
    from orderhe_dagster.assets.checks import FIRST_WRONG, LAST_WRONG
    from orderhe_dagster.proof.check_results import remedy

    failed = [check.check_name for check in checks]
    days = {
        Segment(str(check.metadata[name].value))
        for check in checks
        for name in (FIRST_WRONG, LAST_WRONG)
        if name in check.metadata
    }
    refs = (table.read_as for table in catalogue.tables if table.read_as.path == tuple(key.path))
    ref = next(refs, None)  # None: an asset of the team's own
    mend = remedy(catalogue, ref, failed, days) if ref else "Mend it and run it again"
    asset, many = "/".join(key.path), len(failed)
    return (
        f"{asset}: {counted(many, 'check')} failed ({', '.join(failed)}), so nothing is built from it. "
        f"{mend}; the wrong rows are shown by `orderhe dev`, under Checks of {asset}."
    )
