"""Runs of real processes that are killed: the next one records them, and nothing of them is left."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from itertools import permutations, product
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orderhe_dagster.runs import LIFE_TAG
from orderhe_dagster.settings.dagster_yaml import TEXT
from orderhe_dagster.settings.home import use_home
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.shops import TestShop

ROOT = Path(__file__).resolve().parents[2]
GUARD_S = 90.0
DAY = "2026-01-01"
MODULE = ["-m", "orderhe_dagster.definitions"]
COMMANDS: dict[str, list[str]] = {
    "orderhe run": ["-m", "orderhe_dagster.cli", "run", "backup/buyers,warehouse/buyers"],
    "dagster asset materialize": [
        *("-m", "dagster", "asset", "materialize", *MODULE),
        *("--select", "backup/buyers,warehouse/buyers"),
    ],
}
LAUNCH = (
    "mutation Launch($params: ExecutionParams!) { launchPipelineExecution(executionParams: $params) "
    "{ __typename ... on LaunchRunSuccess { run { runId } } } }"
)
BACKFILL = (
    "mutation Fill($params: LaunchBackfillParams!) { launchPartitionBackfill(backfillParams: $params) "
    "{ __typename ... on LaunchBackfillSuccess { backfillId } } }"
)


def environment(shop: TestShop) -> dict[str, str]:
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("ORDERHE_")},
        **shop.environ,
        "ORDERHE_HOME": str(shop.home),
        "DAGSTER_HOME": str(shop.home / "dagster"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUNBUFFERED": "1",
    }


@contextmanager
def started(shop: TestShop, words: Sequence[str]) -> Iterator[subprocess.Popen[str]]:
    """A process of the shop's, in a session of its own; it and all it started are killed after the block."""
    process = subprocess.Popen(
        [sys.executable, *words],
        cwd=shop.folder,
        env=environment(shop),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        yield process
    finally:
        kill_all(process.pid)
        process.communicate()


def family(pid: int) -> set[int]:
    """A process and all that descend from it, as far as their parents live."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            with suppress(OSError):
                parent = (folder / "stat").read_text("utf-8").rpartition(")")[2].split()[1]
                children.setdefault(int(parent), []).append(int(folder.name))
    found, waiting = set[int](), [pid]
    while waiting:
        one = waiting.pop()
        found.add(one)
        waiting += children.get(one, [])
    return found


def living(processes: set[int]) -> set[int]:
    """Those that still are, and are no mere entries of the dead."""
    there = set()
    for pid in processes:
        with suppress(OSError):
            if Path(f"/proc/{pid}/stat").read_text("utf-8").rpartition(")")[2].split()[0] != "Z":
                there.add(pid)
    return there


def kill_all(pid: int) -> set[int]:
    """Kill a process and its descendants at once; gives them."""
    killed = family(pid)
    for one in killed:
        with suppress(ProcessLookupError):
            os.kill(one, signal.SIGKILL)
    return killed


def until(happens: Callable[[], Any], what: str) -> Any:
    """What happens gives, once it gives something."""
    never = threading.Event()
    for _ in range(int(GUARD_S / 0.2)):
        if result := happens():
            return result
        never.wait(0.2)
    raise AssertionError(f"{what}: not in {GUARD_S:g} s")


def statuses(shop: TestShop) -> dict[str, str]:
    """Run id -> status."""
    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        return {run.run_id: run.status.value for run in instance.get_runs()}


def in_the_middle(shop: TestShop, known: Sequence[str] = ()) -> str:
    """The run that has begun and hangs, besides those that are known."""

    def begun() -> str:
        ids = [run for run, status in statuses(shop).items() if status == "STARTED"]
        return next((run for run in ids if run not in known and steps(shop, run)), "")

    return str(until(begun, "a run is in the middle"))


def steps(shop: TestShop, run: str) -> int:
    """How many steps of a run have begun."""
    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        return len(instance.all_logs(run, of_type=dg.DagsterEventType.STEP_START))


@contextmanager
def warehouse_in_use(shop: TestShop) -> Iterator[None]:
    """Whoever wants the warehouse waits."""
    with file_lock(use_home(shop.settings).warehouse, label="a test"):
        yield


@pytest.mark.parametrize(
    ("killed", "following"), cases(product(COMMANDS, COMMANDS), permutations(COMMANDS, 2))
)
def test_a_killed_run_is_recorded_as_failed_by_the_next_one(
    sales_shop: TestShop, killed: str, following: str
) -> None:
    with warehouse_in_use(sales_shop), started(sales_shop, COMMANDS[killed]) as process:
        run = in_the_middle(sales_shop)
        kill_all(process.pid)
        process.wait()
        assert statuses(sales_shop) == {run: "STARTED"}
    with started(sales_shop, COMMANDS[following]) as process:
        said, _ = process.communicate(timeout=GUARD_S)
        assert process.returncode == 0, said
    assert sorted(statuses(sales_shop).values()) == ["FAILURE", "SUCCESS"]
    assert statuses(sales_shop)[run] == "FAILURE"
    with dg.DagsterInstance.from_config(str(use_home(sales_shop.settings).dagster)) as instance:
        (failure,) = instance.all_logs(run, of_type=dg.DagsterEventType.RUN_FAILURE)
    assert "ended without finishing this run: it was killed" in failure.message


@pytest.mark.parametrize("following", cases(COMMANDS, ["orderhe run"]))
def test_a_living_run_is_left_alone_by_the_next_one(ran_shop: TestShop, following: str) -> None:
    state = use_home(ran_shop.settings)
    known = list(statuses(ran_shop))
    other = [word.replace(",warehouse/buyers", "") for word in COMMANDS[following]]
    words = ["-m", "dagster", "asset", "materialize", *MODULE, "--select", "export/takings"]
    with started(ran_shop, words) as process:
        with file_lock(state.scratch / "export-takings", label="a test"):
            run = in_the_middle(ran_shop, known)
            with started(ran_shop, other) as next_one:
                said, _ = next_one.communicate(timeout=GUARD_S)
                assert next_one.returncode == 0, said
            assert statuses(ran_shop)[run] == "STARTED"
        said, _ = process.communicate(timeout=GUARD_S)
        assert process.returncode == 0, said
    assert len(statuses(ran_shop)) == len(known) + 2
    assert set(statuses(ran_shop).values()) == {"SUCCESS"}


@pytest.mark.parametrize("following", cases(COMMANDS, ["dagster asset materialize"]))
def test_a_killed_run_keeps_no_slot_of_a_pool(sales_shop: TestShop, following: str) -> None:
    folder = use_home(sales_shop.settings).dagster
    with warehouse_in_use(sales_shop), started(sales_shop, COMMANDS["orderhe run"]) as process:
        run = in_the_middle(sales_shop)
        with dg.DagsterInstance.from_config(str(folder)) as instance:
            pools = instance.event_log_storage
            pools.set_concurrency_slots("a pool", 1)
            assert pools.claim_concurrency_slot("a pool", run, "a step").is_claimed
        kill_all(process.pid)
    with started(sales_shop, COMMANDS[following]) as process:
        said, _ = process.communicate(timeout=GUARD_S)
        assert process.returncode == 0, said
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        pools = instance.event_log_storage
        assert pools.get_concurrency_run_ids() == set()
        assert pools.claim_concurrency_slot("a pool", "another run", "a step").is_claimed


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def serving(process: subprocess.Popen[str], port: int) -> None:
    """Comes back when the UI can be asked; what it says later is read by nobody."""

    def answers() -> bool:
        with suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return True
        return False

    assert process.stdout is not None
    for line in process.stdout:
        if "Serving dagster-webserver on " in line:
            threading.Thread(target=process.stdout.read, daemon=True).start()
            until(answers, "the UI answers")  # it says so before it listens
            return
    raise AssertionError("orderhe dev ended")


def ask(port: int, query: str, params: dict[str, Any]) -> str:
    """Send a mutation to the UI; what it answers."""
    body = json.dumps({"query": query, "variables": {"params": params}}).encode()
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/graphql", body, {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:
        text = str(answer.read().decode())
    assert "Success" in text, text
    return text


def launch_by_ui(port: int) -> None:
    selector = {
        "repositoryName": "__repository__",
        "repositoryLocationName": "orderhe_dagster",
        "pipelineName": "__ASSET_JOB",
        "assetSelection": [{"path": ["backup", "buyers"]}, {"path": ["warehouse", "buyers"]}],
    }
    ask(port, LAUNCH, {"selector": selector, "mode": "default", "runConfigData": "{}"})


def worker_of(shop: TestShop, run: str) -> int:
    """The process of a run."""
    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        record = instance.get_run_by_id(run)
    assert record is not None
    return int(record.tags[LIFE_TAG].split("-")[0])


def test_a_killed_worker_is_seen_by_the_daemon_and_sigterm_ends_everything(
    sales_shop: TestShop,
) -> None:
    state = use_home(sales_shop.settings)
    quick = TEXT.replace(
        "  enabled: true\n  free", "  enabled: true\n  poll_interval_seconds: 1\n  free"
    )
    assert quick != TEXT
    state.instance.write_text(quick, "utf-8")
    port = free_port()
    words = ["-m", "orderhe_dagster.cli", "dev", "--port", str(port)]
    with warehouse_in_use(sales_shop), started(sales_shop, words) as process:
        serving(process, port)
        launch_by_ui(port)
        first = in_the_middle(sales_shop)
        os.kill(worker_of(sales_shop, first), signal.SIGKILL)
        until(lambda: statuses(sales_shop)[first] == "FAILURE", "the daemon ends the run")
        # Another one is told who has the port.
        with started(sales_shop, words) as second:
            said, _ = second.communicate(timeout=GUARD_S)
            assert second.returncode == 1
            assert f"cannot listen on 127.0.0.1:{port}" in said
            assert "by process " in said
            assert f"orderhe dev --port {port + 1}" in said
        launch_by_ui(port)
        last = in_the_middle(sales_shop, [first])
        all_of_them = family(process.pid)
        assert worker_of(sales_shop, last) in all_of_them
        assert len(all_of_them) > 5
        process.send_signal(signal.SIGTERM)
        assert process.wait(GUARD_S) == 0
        assert living(all_of_them) == set()
    assert statuses(sales_shop) == {first: "FAILURE", last: "FAILURE"}
    assert sales_shop.run("backup/buyers,warehouse/buyers").succeeded


@pytest.mark.skipif(not IS_LONG, reason="takes a minute and a half: make waits")
def test_a_backfill_whose_processes_are_all_killed_is_over_after_the_next_start(
    sales_shop: TestShop,
) -> None:
    port = free_port()
    words = ["-m", "orderhe_dagster.cli", "dev", "--port", str(port)]
    days = ["2026-01-01", "2026-01-02"]
    keys = [{"path": ["backup", "sales"]}, {"path": ["warehouse", "sales"]}]
    with warehouse_in_use(sales_shop), started(sales_shop, words) as process:
        serving(process, port)
        ask(port, BACKFILL, {"partitionNames": days, "assetSelection": keys, "tags": []})
        run = in_the_middle(sales_shop)
        killed = kill_all(process.pid)
        until(lambda: not living(killed), "they end")
        assert statuses(sales_shop) == {run: "STARTED"}
    with started(sales_shop, words) as process:
        serving(process, port)
        assert statuses(sales_shop)[run] == "FAILURE"
        state = until(lambda: backfill_end(sales_shop), "the backfill is over")
        assert state in ("COMPLETED_FAILED", "FAILED")
        process.send_signal(signal.SIGTERM)
        assert process.wait(GUARD_S) == 0


def backfill_end(shop: TestShop) -> str:
    """How the shop's one backfill ended; "" while it goes on."""
    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        (backfill,) = instance.get_backfills()
    going_on = ("REQUESTED", "FAILING", "CANCELING")
    return "" if backfill.status.value in going_on else str(backfill.status.value)
