"""The lock beside a file: exclusion, sharing, the bound, the name of the holder, no starving."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from orderhe_dagster.ports.errors import LockTimeout
from orderhe_dagster.settings import locks
from orderhe_dagster.settings.locks import file_lock, holder


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


def test_error_inside_the_block_frees_the_lock(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), file_lock(tmp_path / "x"):
        raise ZeroDivisionError
    with file_lock(tmp_path / "x", timeout_s=0):
        pass
