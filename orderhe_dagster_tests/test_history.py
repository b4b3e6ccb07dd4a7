"""Our run history answers as Dagster's own storage does: the same runs, the same questions.

Several processes on one history are in test_home.py.
"""

import logging
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
import sqlalchemy
from dagster._core.events import DagsterEventType
from dagster._core.events.log import EventLogEntry
from dagster._core.storage.event_log.sqlite.sqlite_event_log import SqliteEventLogStorage

from orderhe_dagster.history import History
from orderhe_dagster.history.batches import BATCH_SIZE_VARIABLE
from orderhe_dagster.history.sqlite import BatchedEventLog

DAYS = dg.DailyPartitionsDefinition("2025-01-01", end_date="2025-03-01")
RANGE = {
    "dagster/asset_partition_range_start": "2025-01-03",
    "dagster/asset_partition_range_end": "2025-01-12",
}
KEYS = [dg.AssetKey(name) for name in ("good", "broken", "plain", "watched")]
PLANNED = DagsterEventType.ASSET_MATERIALIZATION_PLANNED
MATERIALIZED = DagsterEventType.ASSET_MATERIALIZATION
CUSTOM = {"module": "orderhe_dagster.history", "class": "History"}


@dg.asset(
    partitions_def=DAYS,
    backfill_policy=dg.BackfillPolicy.single_run(),
    check_specs=[
        dg.AssetCheckSpec("passes", asset="good"),
        dg.AssetCheckSpec("fails", asset="good"),
    ],
    code_version="1",
)
def good(context: dg.AssetExecutionContext) -> dg.MaterializeResult:
    for number, day in enumerate(context.partition_keys):
        context.add_asset_metadata({"rows_of_day": number}, partition_key=day)
    return dg.MaterializeResult(
        metadata={"rows": 10},
        data_version=dg.DataVersion("v1"),
        tags={"color": "blue"},
        check_results=[
            dg.AssetCheckResult(check_name="passes", passed=True),
            dg.AssetCheckResult(check_name="fails", passed=False),
        ],
    )


@dg.asset(deps=[good], partitions_def=DAYS, backfill_policy=dg.BackfillPolicy.single_run())
def broken() -> None:
    raise dg.Failure("on purpose", allow_retries=False)


@dg.asset
def plain() -> dg.MaterializeResult:
    return dg.MaterializeResult(data_version=dg.DataVersion("fixed"))


@contextmanager
def instance_in(folder: Path, storage: dict[str, Any] | None) -> Iterator[dg.DagsterInstance]:
    overrides: dict[str, Any] = {"telemetry": {"enabled": False}}
    if storage:
        overrides["storage"] = {"custom": storage | {"config": {"base_dir": str(folder)}}}
    with dg.DagsterInstance.local_temp(str(folder), overrides=overrides) as instance:
        logging.getLogger("dagster").setLevel(logging.CRITICAL)
        yield instance


def materialize_all(instance: dg.DagsterInstance) -> list[str]:
    """Run a day, a range around it with a failing step, and an unpartitioned asset."""
    days = [good, broken]
    runs = [
        dg.materialize([good], instance=instance, partition_key="2025-01-05"),
        dg.materialize(days, instance=instance, tags=RANGE, raise_on_error=False),
        dg.materialize([plain], instance=instance),
    ]
    instance.report_runless_asset_event(dg.AssetObservation("watched", tags={"a": "b"}))
    return [run.run_id for run in runs]


def answers(instance: dg.DagsterInstance, run_ids: list[str]) -> dict[str, Any]:
    """What the UI and the daemon ask, without what differs by nature: ids of runs and times."""
    log = instance.event_log_storage
    named = {run_id: f"run {number}" for number, run_id in enumerate(run_ids)}
    found: dict[str, Any] = {"keys": sorted(key.to_user_string() for key in log.all_asset_keys())}
    for run_id, name in named.items():
        records = log.get_records_for_run(run_id).records
        found[f"events of {name}"] = [
            (record.storage_id, *described(record.event_log_entry)) for record in records
        ]
        steps = log.get_step_stats_for_run(run_id)
        found[f"steps of {name}"] = [(step.step_key, step.status) for step in steps]
        found[f"status of {name}"] = instance.get_runs(dg.RunsFilter([run_id]))[0].status
    for key in KEYS:
        name = key.to_user_string()
        found[f"materialized {name}"] = sorted(log.get_materialized_partitions(key))
        for kind in (PLANNED, MATERIALIZED):
            newest = log.get_latest_storage_id_by_partition(key, kind)
            found[f"newest {kind.value} {name}"] = sorted(newest.items())
        tags = log.get_event_tags_for_asset(key)
        found[f"tags {name}"] = [sorted(each.items()) for each in tags]
        records = instance.fetch_materializations(key, limit=100).records
        found[f"metadata {name}"] = [
            (record.storage_id, record.partition_key, named[record.run_id], figures(record))
            for record in records
        ]
        for asset in log.get_asset_records([key]):
            latest = asset.asset_entry.last_materialization_record
            found[f"latest {name}"] = (
                latest and (latest.storage_id, latest.partition_key),
                named.get(asset.asset_entry.last_run_id or ""),
            )
    for check in ("passes", "fails"):
        asked = dg.AssetCheckKey(dg.AssetKey("good"), check)
        found[f"check {check}"] = [
            (named[record.run_id], record.status.value, record.event and described(record.event))
            for record in log.get_asset_check_execution_history(asked, limit=50)
        ]
    return found


def figures(record: dg.EventLogRecord) -> list[tuple[str, object]]:
    assert record.asset_materialization is not None
    return sorted(
        (label, value.value) for label, value in record.asset_materialization.metadata.items()
    )


def described(entry: EventLogEntry) -> tuple[object, ...]:
    event = entry.dagster_event
    if event is None:
        return ("log", entry.level)
    key = event.asset_key
    return (event.event_type_value, entry.step_key, key and key.to_user_string(), event.partition)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    """The answers of stock storage, of ours, and of stock storage on what ours wrote."""
    found = {}
    with pytest.MonkeyPatch.context() as patch:
        patch.delenv(BATCH_SIZE_VARIABLE, raising=False)
        with instance_in(tmp_path_factory.mktemp("stock"), None) as instance:
            assert type(instance.event_log_storage) is SqliteEventLogStorage
            found["stock"] = answers(instance, materialize_all(instance))
        patch.setenv(BATCH_SIZE_VARIABLE, "1000")
        folder = tmp_path_factory.mktemp("ours")
        with instance_in(folder, CUSTOM) as instance:
            assert type(instance.event_log_storage) is BatchedEventLog
            runs = materialize_all(instance)
            found["ours"] = answers(instance, runs)
        with instance_in(folder, None) as instance:
            found["stock on ours"] = answers(instance, runs)
    return found


@pytest.fixture(scope="module")
def instance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dg.DagsterInstance]:
    with (
        pytest.MonkeyPatch.context() as patch,
        instance_in(tmp_path_factory.mktemp("shared"), CUSTOM) as instance,
    ):
        patch.setenv(BATCH_SIZE_VARIABLE, "1000")
        yield instance


@pytest.mark.parametrize("other", ["ours", "stock on ours"])
def test_every_answer_is_the_stock_storages(other: str, told: dict[str, dict[str, Any]]) -> None:
    assert told[other].keys() == told["stock"].keys()
    for question, answer in told["stock"].items():
        assert told[other][question] == answer, question


def test_the_answers_are_those_of_the_runs(told: dict[str, dict[str, Any]]) -> None:
    """The comparison above means something: the runs did what was asked."""
    ours = told["ours"]
    assert ours["keys"] == ["broken", "good", "plain", "watched"]
    assert len(ours["materialized good"]) == 10
    assert ours["materialized broken"] == []
    assert len(ours["newest ASSET_MATERIALIZATION_PLANNED broken"]) == 10
    assert len(ours["metadata good"]) == 11
    assert ours["latest good"][0][1] == "2025-01-12"
    assert ours["status of run 1"] == dg.DagsterRunStatus.FAILURE
    assert [status for _, status, _ in ours["check fails"]].count("FAILED") == 2
    assert [status for _, status, _ in ours["check passes"]].count("SUCCEEDED") == 2
    assert any(("dagster/data_version", "v1") in tags for tags in ours["tags good"])


def test_a_range_is_written_in_batches_checks_included(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[int] = []
    single: set[DagsterEventType | None] = set()
    store_batch, store_one = BatchedEventLog.store_event_batch, SqliteEventLogStorage.store_event

    def note_batch(self: BatchedEventLog, events: list[EventLogEntry]) -> None:
        batches.append(len(events))
        store_batch(self, events)

    def note_one(self: SqliteEventLogStorage, event: EventLogEntry) -> None:
        single.add(event.dagster_event_type)
        store_one(self, event)

    monkeypatch.setenv(BATCH_SIZE_VARIABLE, "1000")
    monkeypatch.setattr(BatchedEventLog, "store_event_batch", note_batch)
    monkeypatch.setattr(SqliteEventLogStorage, "store_event", note_one)
    dg.materialize([good], instance=instance, tags=RANGE)
    assert batches == [12, 10]  # planned: ten days and two checks; then ten materializations
    assert DagsterEventType.STEP_START in single
    planned_check = DagsterEventType.ASSET_CHECK_EVALUATION_PLANNED
    assert not single & {PLANNED, MATERIALIZED, planned_check}


def test_a_batch_that_fails_leaves_nothing_in_either_file(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_id = dg.materialize([good], instance=instance, tags=RANGE).run_id
    log = instance.event_log_storage
    assert isinstance(log, BatchedEventLog)
    before = written(log, run_id)
    assert [len(rows) for rows in before] == [10, 10]
    batch = [
        record.event_log_entry
        for record in log.get_records_for_run(run_id, of_type=MATERIALIZED).records
    ]

    def refuse(*_: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(log, "_store_asset_event", refuse)
    with pytest.raises(OSError, match="disk full"):
        log.store_event_batch(batch)
    assert written(log, run_id) == before


def written(log: BatchedEventLog, run_id: str) -> list[list[int]]:
    """The ids of the run's materializations in the run's file and in the index."""
    query = sqlalchemy.text(
        "select id from event_logs where run_id = :run_id and dagster_event_type = :kind"
    ).bindparams(run_id=run_id, kind="ASSET_MATERIALIZATION")
    found = []
    for connection in (log.run_connection(run_id), log.index_connection()):
        with connection as open_connection:
            found.append(list(open_connection.scalars(query)))
    return found


def test_a_batch_of_two_runs_is_stored_one_by_one(instance: dg.DagsterInstance) -> None:
    runs = [
        dg.materialize([good], instance=instance, partition_key=day).run_id
        for day in ("2025-01-01", "2025-01-02")
    ]
    log = instance.event_log_storage
    batch = [
        log.get_records_for_run(run, of_type=MATERIALIZED).records[0].event_log_entry
        for run in runs
    ]
    log.store_event_batch(batch)
    for run in runs:
        assert len(log.get_records_for_run(run, of_type=MATERIALIZED).records) == 2


def test_dagster_yaml_makes_our_class_and_batches_are_asked_for(tmp_path: Path) -> None:
    made = History.from_config_value(None, {"base_dir": str(tmp_path / "not there yet")})
    assert type(made) is History
    assert isinstance(made.event_log_storage, BatchedEventLog)
    assert os.environ[BATCH_SIZE_VARIABLE] == "1000"
    made.dispose()


def test_a_batch_size_that_the_environment_sets_is_left_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(BATCH_SIZE_VARIABLE, "5")
    History(str(tmp_path)).dispose()
    assert os.environ[BATCH_SIZE_VARIABLE] == "5"


def test_a_new_file_is_made_as_the_stock_storage_makes_it(tmp_path: Path) -> None:
    files = []
    for kind in (SqliteEventLogStorage, BatchedEventLog):
        log = kind(str(tmp_path / kind.__name__))
        assert log.get_records_for_run("a-run").records == []
        log.dispose()
        files.append([look_into(Path(log.path_for_shard(name))) for name in ("index", "a-run")])
    stock, ours = files
    assert ours == stock
    assert all(len(tables) > 3 for tables, _, _ in ours)


def look_into(file: Path) -> tuple[list[str], list[Any], Any]:
    """The tables and indexes of an SQLite file, its version, and how it writes."""
    with closing(sqlite3.connect(file)) as connection:
        made = connection.execute(
            "select sql from sqlite_master where sql is not null order by sql"
        )
        return (
            [sql for (sql,) in made],
            connection.execute("select version_num from alembic_version").fetchall(),
            connection.execute("pragma journal_mode").fetchone(),
        )


BESIDE = """
import sys, time
from dagster._core.events.log import EventLogEntry
from orderhe_dagster.history.sqlite import BatchedEventLog

base, what, runs = sys.argv[1], sys.argv[2], int(sys.argv[3])
log = BatchedEventLog(base)
for number in range(runs):
    print("ready", flush=True)
    sys.stdin.readline()
    if what == "reader":
        log.get_records_for_run(f"run{number}")
    else:
        log.store_event(EventLogEntry(None, 20, "m", f"run{number}", time.time()))
"""


def test_a_page_that_reads_a_run_as_it_begins_hinders_neither(tmp_path: Path) -> None:
    """Both come upon a file that is not there, and one of them makes it."""
    runs = 25
    BatchedEventLog(str(tmp_path))
    processes = [
        subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", BESIDE, str(tmp_path), what, str(runs)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for what in ("reader", "writer", "reader")
    ]
    for _ in range(runs):
        for process in processes:
            assert process.stdout is not None
            if process.stdout.readline() != "ready\n":
                break  # it has failed, and says below how
        for process in processes:
            if process.poll() is None and process.stdin is not None:
                process.stdin.write("go\n")
                process.stdin.flush()
    ended = [(process.communicate()[1], process.returncode) for process in processes]
    assert ended == [("", 0)] * 3


def test_only_the_engines_used_last_are_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("orderhe_dagster.history.sqlite.OPEN_ENGINES", 2)
    log = BatchedEventLog(str(tmp_path))
    for shard in ("a", "b", "a", "c"):
        assert log.get_records_for_run(shard).records == []
    assert list(log._engines) == ["a", "c"]
    log.dispose()


def test_what_is_pruned_tells_the_same_state(tmp_path: Path) -> None:
    """Three runs of the same days: of the older ones nothing stays but what nothing newer says."""
    with instance_in(tmp_path, CUSTOM) as instance:
        log = instance.event_log_storage
        assert isinstance(log, BatchedEventLog)
        first = materialize_all(instance)
        again = materialize_all(instance)

        def state() -> dict[str, Any]:
            told = answers(instance, [*first, *again])
            kept = ("keys", "materialized ", "latest ", f"newest {MATERIALIZED.value} ")
            state = {name: answer for name, answer in told.items() if name.startswith(kept)}
            for check in ("passes", "fails"):
                state[check] = told[f"check {check}"][0]
            planned = log.get_latest_storage_id_by_partition(KEYS[1], PLANNED)
            return {**state, "failed days": sorted(planned.items())}

        before = state()
        assert log.prune(first) == set()  # each of their days and checks has something newer
        assert not any((tmp_path / "history" / "runs" / f"{run}.db").exists() for run in first)
        assert state() == before
        assert log.get_records_for_run(first[0]).records == []
        assert log.prune(again) == {*again[1:]}  # the range has the day of the first
        assert state() == before
        assert len(instance.fetch_materializations(KEYS[0], limit=100).records) == 10
        log.compact()
        assert state() == before
        assert len(materialize_all(instance)) == 3


def test_a_history_that_is_in_use_is_compacted_another_time(tmp_path: Path) -> None:
    with instance_in(tmp_path, CUSTOM) as instance:
        log = instance.event_log_storage
        assert isinstance(log, BatchedEventLog)
        for _ in range(3):
            log.prune([*materialize_all(instance)])
        index = tmp_path / "history" / "runs" / "index.db"
        size = index.stat().st_size
        with closing(sqlite3.connect(index)) as other:
            other.execute("begin immediate")
            other.execute("update asset_keys set last_run_id = last_run_id")
            with pytest.MonkeyPatch.context() as patch:
                patch.setattr("orderhe_dagster.history.sqlite._COMPACT_WAIT_MS", 10)
                log.compact()
            other.rollback()
        log.compact()
        assert index.stat().st_size <= size
