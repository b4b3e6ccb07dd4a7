"""Kill a restore at every boundary, look, and run the same command again: nothing torn, nothing half.

`python -m orderhe_dagster_tests.faults.restore_kills --help`; the tests run a few points of it.
Two restores of the sales shop: the warehouse as it was at an earlier moment, and a lost source.
"""

from __future__ import annotations

import argparse
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.faults.fuse import FUSE, fused_resources, light
from orderhe_dagster_tests.faults.kills import (
    PART,
    SIGNALS,
    forked,
    load_modules,
    run_once,
    see,
    spread,
    watched,
)
from orderhe_dagster_tests.reliability.results import record_suite
from orderhe_dagster_tests.shops import TestShop, sales_shop

BUYERS, SALES = "select * from buyers order by 1", "select * from sales order by 1, 2"


@dataclass(frozen=True)
class Scene:
    """A shop with two generations of its days; `moment` lies between them."""

    folder: Path
    moment: str

    def copied(self, folder: Path) -> TestShop:
        """The shop in a folder of its own."""
        shutil.copytree(self.folder, folder)
        return _shop(folder)


def _shop(folder: Path) -> TestShop:
    environ = {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_START_DATE": oracle.FIRST}
    return TestShop(folder, environ)


def prepare(folder: Path) -> Scene:
    """Make the scene."""

    def work() -> str:
        shop = sales_shop(folder)
        selection = f"backup/buyers,warehouse/buyers,{PART}"
        lines = run_once(shop, selection)
        moment = datetime.now(timezone.utc).isoformat()
        shop.change(*oracle.CHANGES[0])
        lines += run_once(shop, selection)
        assert not lines, lines
        return moment

    moment, status = forked(work)
    assert status == 0
    return Scene(folder, moment)


def _restore(shop: TestShop, what: str, moment: str) -> list[str]:
    """The command; what it said where it did not succeed."""
    from orderhe_dagster.commands.restore import Asked, restore_source, restore_warehouse
    from orderhe_dagster.errors import OrderheError

    lines: list[str] = []
    try:
        if what == "source":
            restore_source(shop.settings, Asked(), "", lines.append)
            return []
        asked = Asked(tables=("sales", "buyers"), as_of=moment)
        return [] if restore_warehouse(shop.settings, asked, lines.append) else lines
    except OrderheError as error:
        return [*lines, str(error)]


def _fused(shop: TestShop) -> None:
    """Wire what this process restores with to the fuse."""
    from orderhe_dagster.resources import build
    from orderhe_dagster.resources.laptop.embedded_source import _Transaction

    given: Any = fused_resources(shop.settings)
    build.build_store = lambda _: given["store"]
    build.build_warehouse = lambda *_: given["warehouse"]
    append, measure = _Transaction.append_files, _Transaction.measure

    def appended(self: Any, table: Any, paths: Any) -> int:
        FUSE.reach(f"before rows of {table.name}")
        rows = append(self, table, paths)
        FUSE.reach(f"after rows of {table.name}")
        return rows

    def measured(self: Any, table: Any, scope: Any) -> Any:
        FUSE.reach(f"before measure {table.name}")
        found = measure(self, table, scope)
        FUSE.reach(f"after measure {table.name}")
        return found

    _Transaction.append_files = appended  # type: ignore[method-assign]
    _Transaction.measure = measured  # type: ignore[method-assign]


def boundaries(scene: Scene, folder: Path, what: str) -> list[str]:
    """Every boundary of an undisturbed restore."""

    def work() -> list[str]:
        shop = _lost(scene.copied(folder), what)
        fuse = light(0, signal.SIGKILL)
        _fused(shop)
        return [*_restore(shop, what, scene.moment), *fuse.passed]

    names, status = forked(work)
    assert status == 0, names
    shutil.rmtree(folder)
    return list(names)


def _lost(shop: TestShop, what: str) -> TestShop:
    if what == "source":
        (shop.home / "shop.duckdb").unlink()
    return shop


def _source(shop: TestShop) -> list[Any]:
    """The rows of a source; none where it is not there."""
    if not (shop.home / "shop.duckdb").exists():
        return [[], []]
    with shop.source.writing() as transaction:
        there = transaction.table_names()
    return [
        [list(row) for row in oracle.source_rows(shop, sql)] if name in there else []
        for name, sql in (("buyers", BUYERS), ("sales", SALES))
    ]


def attack(scene: Scene, folder: Path, what: str, by: int, at: int) -> list[str]:
    """Kill a restore at boundary `at`, look, run it again, look again: what was wrong."""
    shop = scene.copied(folder)
    whole, _ = forked(lambda: _source(shop))
    before, _ = forked(lambda: see(shop))
    _lost(shop, what)
    with watched(shop) as watch:

        def doomed() -> list[str]:
            light(at, by)
            _fused(shop)
            return _restore(shop, what, scene.moment)

        forked(doomed)
        between, _ = forked(lambda: _source(shop))
        again, status = forked(lambda: _restore(shop, what, scene.moment))
    after, _ = forked(lambda: [see(shop), _source(shop)])
    problems = [] if status == 0 else [f"the second restore ended with {status}"]
    if what == "source":
        if between not in (whole, [[], []]):
            problems.append(f"a source that is half there: {between}")
        if again and between != whole:
            problems.append(f"the second restore failed: {again}")
        if after[1] != whole:
            problems.append(f"the source is not as it was: {after[1]}")
    else:
        problems += again
        states = {name: [before[name], after[0][name]] for name in before}
        if states["warehouse.sales"][0] == states["warehouse.sales"][1]:
            problems.append("nothing was restored")
        for state in watch():
            for name, value in state.items():
                if value not in states[name]:
                    problems.append(f"a reader saw {name} between two states: {value}")
    daily, _ = forked(lambda: [*run_once(shop, "*"), *oracle.wrong(shop, True)])
    problems += daily if daily is not None else ["the daily run after it did not end"]
    if not problems:
        shutil.rmtree(folder)
    return problems


def main(arguments: Sequence[str] | None = None) -> int:
    """Attack the points asked for; 0 where none did harm."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--signal", choices=sorted(SIGNALS), action="append")
    parser.add_argument("--points", type=int, default=0, help="so many, evenly spread (0: all)")
    asked = parser.parse_args(arguments)
    load_modules()
    root, done, bad = Path(tempfile.mkdtemp(prefix="orderhe-kills-")), 0, 0
    began = time.monotonic()
    scene = prepare(root / "scene")
    for what in ("warehouse", "source"):
        names = boundaries(scene, root / "dry", what)
        for by in asked.signal or ["KILL"]:
            for at in spread(len(names), asked.points):
                problems = attack(scene, root / f"{what}-{done}", what, SIGNALS[by], at)
                done, bad = done + 1, bad + bool(problems)
                verdict = "BAD" if problems else "ok "
                print(
                    f"{verdict} restore {what} {by} {at}/{len(names)} {names[at - 1]}", flush=True
                )
                for text in problems:
                    print(f"      {text}", flush=True)
    print(f"{done} points, {bad} bad" + (f"; see {root}" if bad else ""))
    by = ", ".join(asked.signal or ["KILL"])
    took = time.monotonic() - began
    record_suite("restore_kills", f"{by} of a restore at boundaries", done, bad, took)
    if not bad:
        shutil.rmtree(root)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
