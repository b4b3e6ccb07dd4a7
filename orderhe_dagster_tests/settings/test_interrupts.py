"""Ctrl-C while DuckDB works: it comes out as itself, at once, and nothing stays locked or half done.

A timer's signal stands for Ctrl-C: DuckDB looks at signals alike.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.settings.interrupts import (
    interruptible,
    raise_if_interrupted,
    remember_interrupts,
)

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Windows has no such timer")

# Long enough that the signal comes first; it ends by itself, should the interrupt not be heard.
LONG = "select count(*) from {digits} a, {digits} b, {digits} c, {digits} d where a.n + b.n < c.n + d.n"


class Interrupted(BaseException):
    """What a handler of a framework raises instead of KeyboardInterrupt."""


@pytest.fixture(params=[KeyboardInterrupt, Interrupted])
def interrupt(request: pytest.FixtureRequest) -> Iterator[type[BaseException]]:
    """The exception that a signal will raise shortly."""

    def handler(*_: object) -> None:
        raise request.param

    before = signal.signal(signal.SIGALRM, handler)
    yield request.param
    signal.setitimer(signal.ITIMER_REAL, 0)
    signal.signal(signal.SIGALRM, before)


def test_interrupt_of_a_load_is_itself_and_rolls_back(
    tmp_path: Path, interrupt: type[BaseException]
) -> None:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="shop")
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store, lock_timeout_s=1)
    with warehouse.session("prepare") as session:
        session.execute("create table digits (n int)")
        values = ", ".join(f"({number})" for number in range(600))
        session.execute(f"insert into digits values {values}")
    with pytest.raises(interrupt), warehouse.session("load") as session:
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        session.transaction(
            ["update digits set n = 1000 where n = 1", LONG.format(digits="digits")]
        )
    assert warehouse.query("select count(*), max(n) from digits").rows == [(600, 599)]


def test_interrupt_of_a_writer_of_the_shop_is_itself_and_rolls_back(
    tmp_path: Path, interrupt: type[BaseException]
) -> None:
    source = EmbeddedSource(path=str(tmp_path / "shop.duckdb"), lock_timeout_s=1)
    source.create([])
    with source.writing() as transaction:
        transaction.execute("create table digits as select range as n from range(600)")
    with pytest.raises(interrupt), source.writing() as transaction:
        transaction.execute("update digits set n = 1000 where n = 1")
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        transaction.execute(LONG.format(digits="digits"))
    with source.writing() as transaction:
        assert transaction.fetch("select max(n) as m from digits").to_pylist() == [{"m": 599}]


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM"])
def test_an_interrupt_that_somebody_swallowed_is_remembered(name: str) -> None:
    number = getattr(signal, name)
    before = signal.signal(number, lambda *_: None)
    try:
        signal.raise_signal(number)
        with remember_interrupts():
            raise_if_interrupted()  # what came before the block is not its affair
            signal.raise_signal(number)
            for _ in range(2):
                with pytest.raises(KeyboardInterrupt):
                    raise_if_interrupted()
        raise_if_interrupted()
    finally:
        signal.signal(number, before)


def failing(error: BaseException, cause: BaseException | None) -> Callable[[], None]:
    def fail() -> None:
        raise error from cause

    return fail


@pytest.mark.parametrize("cause", [None, ValueError("bad")])
def test_an_error_that_is_no_interrupt_stays_what_it_is(cause: BaseException | None) -> None:
    stopped: list[bool] = []
    with (
        pytest.raises(RuntimeError, match="plain"),
        interruptible(lambda: stopped.append(True)),
    ):
        failing(RuntimeError("plain"), cause)()
    assert stopped == []
