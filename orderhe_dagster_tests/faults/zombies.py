"""Pause a run at a boundary, let another run carry over newer rows, and wake the first: the newer ones stay.

`python -m orderhe_dagster_tests.faults.zombies --help`; the tests run a few points of it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from pathlib import Path

from orderhe_dagster.resources import build
from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.faults.fuse import fused_resources, light
from orderhe_dagster_tests.faults.kills import (
    DEADLINE_S,
    PART,
    Scene,
    boundaries,
    forked,
    load_modules,
    prepare,
    run_once,
    spread,
)
from orderhe_dagster_tests.reliability.results import record_suite

PATIENCE_S = 3.0
"""How long a run may be paused that holds a lock: the other one waits for it meanwhile."""


def overtake(scene: Scene, folder: Path, at: int | str, holds_lock: bool) -> list[str]:
    """Pause a run at boundary `at`, change the source, run again, wake the first; what was wrong after."""
    shop = scene.copied(folder)
    zombie = os.fork()
    if zombie == 0:
        status = 1
        try:
            signal.alarm(int(DEADLINE_S))
            light(at, signal.SIGSTOP)
            # Else it is paused in the moment for which it leaves a database open behind a session.
            build.LINGER_S = 0.0
            lines = run_once(shop, scene.selection, fused_resources(shop.settings))
            print(*lines, sep="\n", end="", file=sys.stderr)
            status = 1 if lines else 0
        finally:
            os._exit(status)
    _, state = os.waitpid(zombie, os.WUNTRACED)
    if not os.WIFSTOPPED(state):
        return [f"the run was not paused but ended with {os.waitstatus_to_exitcode(state)}"]
    waker = os.fork()
    if waker == 0:
        time.sleep(PATIENCE_S if holds_lock else DEADLINE_S)
        os.kill(zombie, signal.SIGCONT)
        os._exit(0)

    def newer() -> list[str]:
        shop.change(*oracle.CHANGES[1])
        return run_once(shop, scene.selection)

    lines, ended = forked(newer)
    if not holds_lock:
        os.kill(waker, signal.SIGKILL)
        os.kill(zombie, signal.SIGCONT)
    os.waitpid(waker, 0)
    _, state = os.waitpid(zombie, 0)
    wrong, asked = forked(lambda: oracle.wrong(shop, scene.selection == "*"))
    problems = [*(lines or []), *(wrong or [])]
    if ended or asked:
        problems.append(f"the newer run ended with {ended}, the questions with {asked}")
    if os.waitstatus_to_exitcode(state):
        problems.append(f"the run that was paused ended with {os.waitstatus_to_exitcode(state)}")
    if not problems:
        shutil.rmtree(folder)
    return problems


def holds_lock(name: str) -> bool:
    """Whether a run paused at this boundary keeps others waiting."""
    if "/loads/" in name:  # written in a session of the warehouse
        return True
    if (
        "/generations/" in name
    ):  # written side by side: another thread has an object's lock meanwhile
        return True
    outside = ("before put", "after put", "before upload", "after upload", "before session")
    return not name.startswith((*outside, "before extract", "after extract"))


def main(arguments: list[str] | None = None) -> int:
    """Pause at the points asked for; 0 where the newer rows always stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--select", default="*", help=f"assets to run; short: {PART}")
    parser.add_argument("--points", type=int, default=0, help="so many, evenly spread (0: all)")
    asked = parser.parse_args(arguments)
    load_modules()
    root = Path(tempfile.mkdtemp(prefix="orderhe-zombies-"))
    began, bad = time.monotonic(), 0
    scene = prepare("again", root / "again", asked.select)
    names = boundaries(scene, root / "dry")
    points = spread(len(names), asked.points)
    for at in points:
        name = names[at - 1]
        problems = overtake(scene, root / f"at-{at}", at, holds_lock(name))
        bad += bool(problems)
        print(f"{'BAD' if problems else 'ok '} STOP {at}/{len(names)} {name}", flush=True)
        for text in problems:
            print(f"      {text}", flush=True)
    took = time.monotonic() - began
    print(f"{len(points)} points, {bad} bad, {took:.0f} s" + (f"; see {root}" if bad else ""))
    record_suite("zombies", "STOP at boundaries", len(points), bad, took)
    if not bad:
        shutil.rmtree(root)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
