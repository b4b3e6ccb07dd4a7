"""What is wrong now, by what Dagster keeps: failed steps, checks, ticks; lateness. Telling is `alerts`'."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import TYPE_CHECKING, Any

import dagster as dg
from dagster._core.events import JobFailureData

from orderhe_dagster.rendering.alerts import Incident, Told
from orderhe_dagster.road.remedies import run_command

if TYPE_CHECKING:
    from dagster._core.scheduler.instigation import InstigatorState

_FIRST_LOOK = timedelta(days=1)
_OVERLAP = timedelta(minutes=2)
"""Runs of one moment are not written in the order of their ends: they are looked at again."""
_MOST_RUNS = 2_000
"""So many runs are looked at, the earliest first, which takes seconds; the next look goes on."""
_DEAD = timedelta(minutes=10)
_FINISHED = [dg.DagsterRunStatus.SUCCESS, dg.DagsterRunStatus.FAILURE]
_OF_A_RUN = {
    dg.DagsterEventType.STEP_SUCCESS,
    dg.DagsterEventType.STEP_FAILURE,
    dg.DagsterEventType.RUN_FAILURE,
}
_ASSET_JOB = "__ASSET_JOB"
REMEDY = "remedy"
"""Of a check's metadata: what to do where it failed, and its description does not say that."""


def look(
    instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, told: Told, now: datetime
) -> None:
    """Bring what is known of incidents to how things stand `now`: what begins, goes on and has ended."""
    view = _View(instance, repository, now)
    of_runs = {subject: one for subject, one in told.incidents.items() if _is_of_a_run(subject)}
    told.looked_at = _follow_runs(view, of_runs, told.looked_at)
    incidents = _that_can_end(view, of_runs)
    for one in (*_checks(view, told.incidents), *_late(view), *_ticks(view), *_daemon(view)):
        incidents[one.subject] = one
    told.incidents = {
        subject: _begun_before(one, told.incidents.get(subject))
        for subject, one in sorted(incidents.items(), key=lambda item: (item[1].since, item[0]))
    }


def failure_text(event: dg.DagsterEvent) -> str:
    """What a person needs of a failed step, without Dagster's frames."""
    data = event.step_failure_data
    if data.user_failure_data and data.user_failure_data.description:
        return str(data.user_failure_data.description)
    return f"{event.step_key}: {_innermost(data.error)}"


def run_failure_text(event: dg.DagsterEvent) -> str:
    """What ended a run outside its steps."""
    data = event.event_specific_data  # there is none where another process noted that it is gone
    why = f" {_innermost(data.error)}" if isinstance(data, JobFailureData) and data.error else ""
    return f"{event.message or 'the run failed'}{why}"


def is_of_checks(event: dg.DagsterEvent) -> bool:
    """Whether a step failed for nothing but checks that failed."""
    error = event.step_failure_data.error
    return error is not None and error.cls_name == "DagsterAssetCheckFailedError"


def _innermost(error: Any) -> str:
    """The message at the bottom of a chain of causes."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message.strip() if error else "failed"


@dataclass
class _View:
    """What is looked at, and when."""

    instance: dg.DagsterInstance
    repository: dg.RepositoryDefinition
    now: datetime
    assets: Mapping[str, dg.AssetKey] = field(init=False)

    def __post_init__(self) -> None:
        keys = self.repository.asset_graph.get_all_asset_keys()
        self.assets = {key.to_python_identifier(): key for key in keys}


def _is_of_a_run(subject: str) -> bool:
    return subject.startswith(("asset ", "step ", "run of "))


def _begun_before(now: Incident, before: Incident | None) -> Incident:
    """The incident as it is now, since when it was first seen."""
    if before is None or before.since >= now.since:
        return now
    return Incident(now.subject, now.what, now.where, before.since, now.is_warning)


def _follow_runs(view: _View, incidents: dict[str, Incident], after: float | None) -> float:
    """Let the runs that have ended since `after` begin and end incidents, in their order.

    Gives until when runs were looked at.
    """
    begin = datetime.fromtimestamp(after, timezone.utc) if after else view.now - _FIRST_LOOK
    records = view.instance.get_run_records(
        dg.RunsFilter(statuses=_FINISHED, updated_after=begin - _OVERLAP)
    )
    # Of an earlier end, a tag was added since: what it came to is known.
    ended = sorted(
        (
            (at, record.dagster_run)
            for record in records
            if (at := _ended_at(record)) >= begin - _OVERLAP
        ),
        key=lambda item: (item[0], item[1].run_id),
    )[:_MOST_RUNS]
    for at, run in ended:
        for subject, one in _ends_of(view, run, at):
            if one is None:
                incidents.pop(subject, None)
            else:
                incidents[subject] = _begun_before(one, incidents.get(subject))
    return max([begin, *(at for at, _ in ended)]).timestamp()


def _ended_at(record: dg.RunRecord) -> datetime:
    return datetime.fromtimestamp(
        record.end_time or record.update_timestamp.timestamp(), timezone.utc
    )


def _ends_of(
    view: _View, run: dg.DagsterRun, at: datetime
) -> Iterator[tuple[str, Incident | None]]:
    """What a run came to, by subject: None where it went well."""
    job = "" if run.job_name == _ASSET_JOB else f" of job {run.job_name}"
    where = f"run {run.run_id}{job}"
    whole = f"run of {run.job_name if job else _selection(run)}"
    failed = False
    for entry in view.instance.all_logs(run.run_id, of_type=_OF_A_RUN):
        event = entry.get_dagster_event()
        if event.event_type == dg.DagsterEventType.RUN_FAILURE:
            if not failed:
                yield whole, Incident(whole, run_failure_text(event), where, at)
            return
        key = view.assets.get(event.step_key or "")
        subject = f"asset {key.to_user_string()}" if key else f"step {event.step_key}"
        if event.event_type == dg.DagsterEventType.STEP_SUCCESS:
            yield subject, None
        else:
            failed = True
            if is_of_checks(event):  # it was made, and which those are is told of each check
                yield subject, None
            else:
                yield subject, Incident(subject, failure_text(event), where, at)
    if run.status == dg.DagsterRunStatus.SUCCESS:
        yield whole, None


def _selection(run: dg.DagsterRun) -> str:
    """A few of the assets that a run without a job of its own was for."""
    names = sorted(key.to_user_string() for key in run.asset_selection or ())
    more = f" and {len(names) - 3} more" if len(names) > 3 else ""
    return ", ".join(names[:3]) + more or "assets"


def _that_can_end(view: _View, incidents: Mapping[str, Incident]) -> dict[str, Incident]:
    """Those of assets and steps that there are still: another cannot be run again."""
    steps = {subject for subject in incidents if subject.startswith("step ")}
    if steps:
        nodes = (job.graph.node_dict for job in view.repository.get_all_jobs())
        steps &= {f"step {name}" for names in nodes for name in names}
    assets = {f"asset {key.to_user_string()}" for key in view.assets.values()}
    return {
        subject: one
        for subject, one in incidents.items()
        if subject in steps
        or subject in assets
        or (subject.startswith("run of ") and not _is_made_up_for(view, one))
    }


def _is_made_up_for(view: _View, incident: Incident) -> bool:
    """Whether all that a run was for has been materialized since it began, by whichever runs.

    Of a run that is not kept any more nothing is known, and a job that is gone is run by nobody.
    """
    record = view.instance.get_run_record_by_id(incident.where.split()[1])
    if record is None:
        return True
    run = record.dagster_run
    if run.asset_selection is not None:
        assets = {*run.asset_selection}
    elif view.repository.has_job(run.job_name):
        assets = {*view.repository.get_job(run.job_name).asset_layer.executable_asset_keys}
    else:
        return True
    began = record.start_time or record.create_timestamp.timestamp()
    last = [
        one.asset_entry.last_materialization
        for one in view.instance.event_log_storage.get_asset_records([*assets])
    ]
    done = sum(event is not None and event.timestamp > began for event in last)
    return bool(assets) and done == len(assets)


def _checks(view: _View, before: Mapping[str, Incident]) -> Iterator[Incident]:
    """Every check whose latest result is a failure; of one that is being judged, what was before."""
    from dagster._core.storage.asset_check_execution_record import AssetCheckExecutionRecordStatus

    keys = [*view.repository.asset_graph.asset_check_keys]
    latest = view.instance.event_log_storage.get_latest_asset_check_execution_by_key(keys)
    for key, record in latest.items():
        asset = key.asset_key.to_user_string()
        subject = f"check {key.name} of {asset}"
        is_judged = record.status != AssetCheckExecutionRecordStatus.PLANNED
        evaluation = record.evaluation if is_judged else None
        if evaluation is None:
            if subject in before:
                yield before[subject]
        elif not evaluation.passed:
            mend = evaluation.metadata.get(REMEDY)
            texts = [evaluation.description or "failed", *([str(mend.value)] if mend else [])]
            yield Incident(
                subject,
                ". ".join(texts),
                f"run {record.run_id}; the Dagster UI shows it under Assets, {asset}, Checks",
                datetime.fromtimestamp(record.create_timestamp, timezone.utc),
                evaluation.severity == dg.AssetCheckSeverity.WARN,
            )


def _late(view: _View) -> Iterator[Incident]:
    """Every asset that was last materialized longer ago than its freshness policy admits."""
    limits = {}
    for key in view.assets.values():
        policy = view.repository.asset_graph.get(key).freshness_policy_or_from_metadata
        window = getattr(policy, "fail_window", None)
        if window is not None:
            limits[key] = window if isinstance(window, timedelta) else window.to_timedelta()
    for record in view.instance.event_log_storage.get_asset_records([*limits]):
        entry = record.asset_entry
        if entry.last_materialization is None:
            continue
        done = datetime.fromtimestamp(entry.last_materialization.timestamp, timezone.utc)
        since = done + limits[entry.asset_key]
        if view.now > since:
            name = entry.asset_key.to_user_string()
            yield Incident(
                f"lateness of {name}",
                f"{name} was last materialized at {done:%Y-%m-%d %H:%M} UTC, and is to be so within "
                f"{limits[entry.asset_key] / timedelta(hours=1):g} hours. See whether the nightly run "
                f"is started, and why it fails; then: {run_command('*')}",
                f"the Dagster UI shows it under Assets, {name}",
                since,
            )


def _ticks(view: _View) -> Iterator[Incident]:
    """Every schedule and sensor of ours that runs, and whose last tick has failed."""
    from dagster._core.scheduler.instigation import TickStatus

    ended = [TickStatus.SUCCESS, TickStatus.SKIPPED, TickStatus.FAILURE]
    for state in _instigators(view):
        if not state.is_running:
            continue
        ticks = view.instance.get_ticks(
            state.instigator_origin_id, state.selector_id, limit=1, statuses=ended
        )
        for tick in ticks:
            if tick.status == TickStatus.FAILURE:
                kind = state.instigator_type.value.lower()
                yield Incident(
                    f"{kind} {state.instigator_name}",
                    f"its last tick failed: {_innermost(tick.error)}",
                    f"the Dagster UI shows it under Automation, {state.instigator_name}",
                    datetime.fromtimestamp(tick.timestamp, timezone.utc),
                )


def _instigators(view: _View) -> Iterable[InstigatorState]:
    names = {one.name for one in view.repository.schedule_defs}
    names |= {one.name for one in view.repository.sensor_defs}
    return [
        state for state in view.instance.all_instigator_state() if state.instigator_name in names
    ]


def _daemon(view: _View) -> Iterator[Incident]:
    """Dagster's daemon, where a schedule was switched on and nothing has started it for long."""
    from dagster._core.definitions.run_request import InstigatorType

    scheduled = [
        state.instigator_name
        for state in _instigators(view)
        if state.is_running and state.instigator_type == InstigatorType.SCHEDULE
    ]
    beats = [beat.timestamp for beat in view.instance.get_daemon_heartbeats().values()]
    if not scheduled or not beats:
        return
    last = datetime.fromtimestamp(max(beats), timezone.utc)
    if view.now - last > _DEAD:
        yield Incident(
            "the daemon of Dagster",
            f"it was last seen at {last:%Y-%m-%d %H:%M} UTC, so nothing starts {', '.join(scheduled)}. "
            "Start it again: `orderhe dev`, or the service that runs dagster-daemon",
            "the Dagster UI shows it under Deployment, Daemons",
            last,
        )
