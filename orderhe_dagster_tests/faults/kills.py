"""Kill a run at every boundary of the road, run it once more, and ask whether all is as it must be.

`python -m orderhe_dagster_tests.faults.kills --help`; the tests run a few points of it. Every point
is a process forked from this one, which has the modules loaded and opens no database itself.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.days import Window
from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.faults.fuse import fused_resources, light
from orderhe_dagster_tests.reliability.results import record_suite
from orderhe_dagster_tests.shops import TestShop, sales_shop

SIGNALS = {"KILL": signal.SIGKILL, "INT": signal.SIGINT, "TERM": signal.SIGTERM}
PART = "backup/sales,warehouse/sales,mart/takings"
"""The shortest road with every kind of step; '*' is all of it."""
DEADLINE_S = 120.0


def forked(work: Callable[[], Any]) -> tuple[Any, int]:
    """Run `work` in a process of its own; its result (None where it did not end) and exit status."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        status = 1
        try:
            signal.alarm(int(DEADLINE_S))  # every wait has an end
            with os.fdopen(writer, "w") as pipe:
                json.dump(work(), pipe)
            status = 0
        except KeyboardInterrupt:
            status = 130
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(status)
    os.close(writer)
    with os.fdopen(reader) as pipe:
        text = pipe.read()
    _, status = os.waitpid(child, 0)
    return (json.loads(text) if text else None), os.waitstatus_to_exitcode(status)


@dataclass(frozen=True)
class Scene:
    """A shop to be broken: `first` has never run; `again` has, and its source changed since."""

    name: str
    folder: Path
    selection: str

    def copied(self, folder: Path) -> TestShop:
        """The shop as it was, in a folder of its own."""
        shutil.copytree(self.folder, folder)
        return _shop(folder)


def _shop(folder: Path) -> TestShop:
    return TestShop(
        folder, {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_START_DATE": oracle.FIRST}
    )


def run_once(
    shop: TestShop,
    selection: str,
    resources: dict[str, Any] | None = None,
    window: Window = oracle.WINDOW,
) -> list[str]:
    """Run the selection; what went wrong, nothing where it succeeded."""
    from orderhe_dagster.commands.run import launch

    outcome = launch(shop.settings, selection, window, resources)
    return [] if outcome.succeeded else [*outcome.failures, *outcome.failed_checks, "run failed"]


def prepare(name: str, folder: Path, selection: str) -> Scene:
    """Make the scene's shop."""

    def work() -> list[str]:
        shop = sales_shop(folder)
        lines = []
        if name == "again":
            lines = run_once(shop, selection)
            shop.change(*oracle.CHANGES[0])
        return lines

    lines, status = forked(work)
    if lines or status:
        raise AssertionError(f"the scene could not be made: {lines}")
    return Scene(name, folder, selection)


def boundaries(scene: Scene, folder: Path) -> list[str]:
    """Every boundary of an undisturbed run, in order."""

    def work() -> list[str]:
        shop = scene.copied(folder)
        fuse = light(0, signal.SIGKILL)
        lines = run_once(shop, scene.selection, fused_resources(shop.settings))
        return [*lines, *fuse.passed]

    problems, status = forked(work)
    assert status == 0, problems
    shutil.rmtree(folder)
    return list(problems)


def attack(
    scene: Scene, folder: Path, by: int, at: int | str = 0, after_s: float = 0.0
) -> list[str]:
    """Kill a run, look, change the source, run once more, look again: what was wrong.

    The run is killed by signal `by` at boundary `at`, or, where that is 0, `after_s` after it began.
    """
    whole = scene.selection == "*"
    shop = scene.copied(folder)
    before, _ = forked(lambda: [oracle.state_of_source(shop), see(shop)])
    with watched(shop) as watch:

        def doomed() -> list[str]:
            light(at, by)
            if not at:
                _signal_later(after_s, by)
            return run_once(shop, scene.selection, fused_resources(shop.settings))

        lines, status = forked(doomed)
        after, looked = forked(lambda: see(shop))
        kept = oracle.generations(shop.settings.home)

        def again() -> list[Any]:
            shop.change(*oracle.CHANGES[1])
            lines = run_once(shop, scene.selection)
            return [oracle.state_of_source(shop), [*lines, *oracle.wrong(shop, whole)]]

        rerun, ended = forked(again)
    if rerun is None:
        return [f"the rerun ended with {ended}"]
    problems = list(rerun[1])
    if by == signal.SIGKILL and at and status != -signal.SIGKILL:
        problems.append(f"the run was not killed but ended with {status}: {lines}")
    if by != signal.SIGKILL and status not in (130, 0):
        problems.append(f"the interrupted run ended with {status}, not 130: {lines}")
    if looked:
        problems.append(f"after the kill the warehouse could not be read ({looked})")
    allowed = [before[0], rerun[0]]
    for state in [after, *watch()]:
        for name, value in (state or {}).items():
            if value not in [*allowed, before[1][name]]:
                problems.append(f"a reader saw {name} between two states: {value}")
    now = oracle.generations(shop.settings.home)
    problems += [f"{name} was changed" for name, body in kept.items() if now.get(name) != body]
    if not problems:
        shutil.rmtree(folder)
    return problems


def see(shop: TestShop) -> dict[str, Any]:
    """What a reader of the warehouse sees now."""
    return {name: oracle.seen(shop, name) for name in ("warehouse.sales", "mart.takings")}


def _signal_later(after_s: float, by: int) -> None:
    """Let a helper send the signal: a timer of this process would be inherited by nobody."""
    victim = os.getpid()
    if os.fork() == 0:
        time.sleep(after_s)
        if os.getppid() == victim:
            os.kill(victim, by)
        os._exit(0)


@contextmanager
def watched(shop: TestShop) -> Iterator[Callable[[], list[Any]]]:
    """Read the warehouse over and over meanwhile; gives what was seen, once the block has ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        signal.alarm(int(3 * DEADLINE_S))
        stop = []
        signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
        states: list[Any] = []
        try:
            while not stop:
                state = see(shop)
                if state not in states:
                    states.append(state)
                time.sleep(0.3)
        except BaseException:
            traceback.print_exc()
            states.append({"reader": traceback.format_exc()})
        with os.fdopen(writer, "w") as pipe:
            json.dump(states, pipe)
        os._exit(0)
    os.close(writer)
    problems: list[Any] = []
    try:
        yield lambda: problems
    finally:
        os.kill(child, signal.SIGTERM)
        with os.fdopen(reader) as pipe:
            problems += json.loads(pipe.read() or "[]")
        os.waitpid(child, 0)


def load_modules() -> None:
    """Import what a run needs, once, before forking; nothing is opened."""
    import dagster
    import duckdb
    import pyarrow
    import sqlglot

    from local_redshift.session import engine
    from orderhe_dagster import definitions, history
    from orderhe_dagster.commands import run as launch

    assert all((dagster, duckdb, pyarrow, sqlglot, definitions, history, launch, engine))
    warnings.filterwarnings("ignore")


def main(arguments: list[str] | None = None) -> int:
    """Attack the points asked for; 0 where none did harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", choices=["first", "again"], action="append")
    parser.add_argument("--select", default="*", help=f"assets to run; short: {PART}")
    parser.add_argument("--signal", choices=sorted(SIGNALS), action="append")
    parser.add_argument("--points", type=int, default=0, help="so many, evenly spread (0: all)")
    parser.add_argument(
        "--random", type=int, default=0, help="so many kills at random times instead"
    )
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args(arguments)
    load_modules()
    seed = asked.seed if asked.seed is not None else random.randrange(10**6)
    dice, bad, done = random.Random(seed), 0, 0
    root = Path(tempfile.mkdtemp(prefix="orderhe-kills-"))
    began = time.monotonic()
    for name in asked.scene or ["first", "again"]:
        scene = prepare(name, root / name, asked.select)
        started = time.monotonic()
        names = boundaries(scene, root / "dry")
        length_s = time.monotonic() - started
        for by in asked.signal or ["KILL"]:
            for at, after_s in _moments(asked, names, length_s, dice):
                where = names[at - 1] if at else f"after {after_s:.3f} s"
                problems = attack(scene, root / f"{name}-{by}-{done}", SIGNALS[by], at, after_s)
                done, bad = done + 1, bad + bool(problems)
                print(
                    f"{'BAD' if problems else 'ok '} {name} {by} {at}/{len(names)} {where}",
                    flush=True,
                )
                for text in problems:
                    print(f"      {text}", flush=True)
    took = time.monotonic() - began
    print(f"{done} points, {bad} bad, {took:.0f} s; seed {seed}" + (f"; see {root}" if bad else ""))
    where = "at any time" if asked.random else "at boundaries"
    by = ", ".join(asked.signal or ["KILL"])
    record_suite("kills", f"{by} {where}", done, bad, took, seed if asked.random else None)
    if not bad:
        shutil.rmtree(root)
    return 1 if bad else 0


def _moments(
    asked: argparse.Namespace, names: list[str], length_s: float, dice: random.Random
) -> list[tuple[int, float]]:
    if asked.random:
        return [(0, dice.uniform(0, length_s)) for _ in range(asked.random)]
    return [(at, 0.0) for at in spread(len(names), asked.points)]


def spread(count: int, points: int) -> list[int]:
    """Numbers of boundaries, from 1: `points` of `count`, evenly spread; 0: all of them."""
    points = points or count
    return [1 + index * (count - 1) // max(points - 1, 1) for index in range(points)]


if __name__ == "__main__":
    sys.exit(main())
