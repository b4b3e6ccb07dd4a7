"""Several runs at once over overlapping days, with a reader beside them: all succeed, nothing is torn.

`python -m orderhe_dagster_tests.faults.crowds --help`; the tests run one of each scene.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from orderhe_dagster.catalog.days import Window
from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.faults.kills import (
    DEADLINE_S,
    PART,
    Scene,
    forked,
    load_modules,
    prepare,
    run_once,
    see,
    watched,
)
from orderhe_dagster_tests.reliability.results import record_suite

RANGES = ((1, 4), (2, 5), (1, 5), (3, 3))
"""First and last day of January that the runs are about."""


def together(scene: Scene, folder: Path, runs: int) -> list[str]:
    """Start `runs` runs at once and read beside them; what was wrong when all had ended."""
    shop = scene.copied(folder)
    before, _ = forked(lambda: [oracle.state_of_source(shop), see(shop)])
    children = []
    with watched(shop) as watch:
        for first, last in RANGES[:runs]:
            window = Window.of(date(2026, 1, first), date(2026, 1, last))
            child = os.fork()
            if child == 0:
                status = 1
                try:
                    signal.alarm(int(DEADLINE_S))
                    lines = run_once(shop, scene.selection, window=window)
                    print(*lines, sep="\n", file=sys.stderr)
                    status = 1 if lines else 0
                finally:
                    os._exit(status)
            children.append(child)
        ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    wrong, asked = forked(lambda: oracle.wrong(shop, scene.selection == "*"))
    problems = list(wrong or [])
    if any(ended) or asked:
        problems.append(f"the runs ended with {ended}, the questions with {asked}")
    for state in watch():
        for name, value in state.items():
            torn = [row for row in value if row not in [*before[0], *before[1][name]]]
            if torn:
                problems.append(f"a reader saw {name} between two states: {torn}")
    if not problems:
        shutil.rmtree(folder)
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Run the crowds asked for; 0 where all went well."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scene", choices=["first", "again"], action="append")
    parser.add_argument("--select", default="*", help=f"assets to run; short: {PART}")
    parser.add_argument("--runs", type=int, default=len(RANGES), choices=range(2, len(RANGES) + 1))
    parser.add_argument("--times", type=int, default=1)
    asked = parser.parse_args(arguments)
    load_modules()
    root = Path(tempfile.mkdtemp(prefix="orderhe-crowds-"))
    bad, started, scenes = 0, time.monotonic(), asked.scene or ["first", "again"]
    for name in scenes:
        scene = prepare(name, root / name, asked.select)
        for number in range(asked.times):
            began = time.monotonic()
            problems = together(scene, root / f"{name}-{number}", asked.runs)
            bad += bool(problems)
            took = time.monotonic() - began
            print(
                f"{'BAD' if problems else 'ok '} {name} {asked.runs} runs {took:.0f} s", flush=True
            )
            for text in problems:
                print(f"      {text}", flush=True)
    took = time.monotonic() - started
    record_suite("crowds", f"{asked.runs} runs at once", len(scenes) * asked.times, bad, took)
    if bad:
        print(f"{bad} bad; see {root}")
    else:
        shutil.rmtree(root)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
