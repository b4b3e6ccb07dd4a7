"""The lock beside a file: exclusion, sharing, the bound, the name of the holder, no starving."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orderhe_dagster.ports.errors import LockTimeout
from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
from orderhe_dagster.settings import locks
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster.settings.locks import file_lock, holder
from orderhe_dagster_tests.servers.standstill import ended, stopped


def test_second_exclusive_holder_is_refused_with_name_and_remedy(tmp_path: Path) -> None:
    guarded = tmp_path / "deep" / "warehouse.duckdb"
    with (
        file_lock(guarded, label="load of orders"),
        pytest.raises(LockTimeout, match=r"warehouse.duckdb .*\(load of orders\); wait for it"),
        file_lock(guarded, timeout_s=0),
    ):
        raise AssertionError("two exclusive holders")
    with file_lock(guarded, timeout_s=0):
        assert holder(guarded).label == ""


@pytest.mark.skipif(sys.platform == "win32", reason="every lock is exclusive on Windows")
def test_shared_holders_admit_one_another_but_no_writer(tmp_path: Path) -> None:
    guarded = tmp_path / "x"
    with (
        file_lock(guarded, shared=True, timeout_s=0),
        file_lock(guarded, shared=True, timeout_s=0),
        pytest.raises(LockTimeout),
        file_lock(guarded, timeout_s=0),
    ):
        raise AssertionError("a writer beside readers")


@pytest.mark.skipif(sys.platform == "win32", reason="every lock is exclusive on Windows")
def test_waiting_writer_keeps_new_readers_behind_it(tmp_path: Path) -> None:
    guarded = tmp_path / "x"
    order: list[str] = []
    queued = threading.Event()

    def write() -> None:
        with file_lock(guarded, timeout_s=30):
            order.append("writer")

    def read() -> None:
        with file_lock(guarded, shared=True, timeout_s=30):
            order.append("reader")

    with file_lock(guarded, shared=True):
        writer = threading.Thread(target=write)
        writer.start()
        while not _queued(guarded):
            queued.wait(0.001)
        reader = threading.Thread(target=read)
        reader.start()
        reader.join(0.05)
        assert order == []  # the reader could share, but a writer was there first
    writer.join(30)
    reader.join(30)
    assert order == ["writer", "reader"]


def _queued(guarded: Path) -> bool:
    """Somebody stands in the queue of `guarded`."""
    queue = Path(f"{guarded}.queue")
    if not queue.exists():
        return False
    descriptor = locks._open(queue)
    try:
        free = locks._take(descriptor, False)
        if free:
            locks._drop(descriptor)
        return not free
    finally:
        locks.os.close(descriptor)


def test_waiting_says_who_holds_the_lock(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "SPEAK_AFTER_S", 0.0)
    guarded = tmp_path / "shop.duckdb"
    with (
        caplog.at_level(logging.WARNING, logger="orderhe"),
        file_lock(guarded, label="simulate"),
        pytest.raises(LockTimeout),
        file_lock(guarded, timeout_s=0.01),
    ):
        raise AssertionError("two exclusive holders")
    assert caplog.messages == ["waiting for shop.duckdb, held by this very process (simulate)"]


def test_death_of_the_holder_frees_the_lock(tmp_path: Path) -> None:
    guarded = tmp_path / "x"
    code = (
        "import sys, os\n"
        "from orderhe_dagster.settings.locks import file_lock\n"
        "with file_lock(sys.argv[1], label='doomed'):\n"
        "    print('held', flush=True)\n"
        "    sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(guarded)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with (
            pytest.raises(LockTimeout, match=rf"process {child.pid} \(doomed\)"),
            file_lock(guarded, timeout_s=0),
        ):
            raise AssertionError("two exclusive holders")
        child.kill()
    with file_lock(guarded, timeout_s=0):
        pass


HOLDS = """
import sys
from datetime import date
from pathlib import Path
from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
from orderhe_dagster.resources.laptop import folder_store
from orderhe_dagster.settings.config import load_settings

def hold(*_):
    print("held", flush=True)
    sys.stdin.read()

settings = load_settings({"ORDERHE_HOME": sys.argv[1]}, Path("/"))
if sys.argv[2] == "source":
    with build_source(settings).writing():
        hold()
elif sys.argv[2] == "warehouse":
    with build_warehouse(settings).session("load of orders"):
        hold()
else:
    folder_store.FolderStore._check = hold
    build_store(settings).put("k", b"1")
"""
"""A process that stands still in the middle of what it has a lock for, until its input ends."""


@pytest.mark.skipif(sys.platform != "linux", reason="only there is seen that a process is stopped")
@pytest.mark.parametrize("what", ["source", "warehouse", "store"])
def test_a_file_of_a_process_that_is_stopped_is_not_waited_for(tmp_path: Path, what: str) -> None:
    settings = load_settings({"ORDERHE_HOME": str(tmp_path), "ORDERHE_LOCK_TIMEOUT": "1"}, tmp_path)
    build_source(settings).create([])

    def use() -> None:
        if what == "source":
            with build_source(settings).writing():
                pass
        elif what == "warehouse":
            with build_warehouse(settings).session("a test"):
                pass
        else:
            build_store(settings).put("k", b"2")

    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(tmp_path), what],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == b"held\n"
        with (
            stopped(child.pid),
            pytest.raises(
                LockTimeout,
                match=rf"locked for 1 s by process {child.pid} .*`kill -CONT {child.pid}` lets it go on",
            ),
        ):
            ended(use)
        child.communicate(timeout=60)
        assert child.returncode == 0
    use()


def test_error_inside_the_block_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_lock(tmp_path / "x"):
        raise ZeroDivisionError
    with file_lock(tmp_path / "x", timeout_s=0):
        pass
