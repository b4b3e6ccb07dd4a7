"""The janitor at work beside loads that are killed, doubled and repeated: nothing that is needed goes.

`python -m orderhe_dagster_tests.faults.janitor_beside --help`. The grace is a minute instead of a day, so
that an hour stands for two months; runs take seconds, as those of a shop take a small part of a day.
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
from collections import Counter
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.road import backups, index
from orderhe_dagster.road.index_objects import Entry
from orderhe_dagster.road.janitor import Keeping, keys_of, plan, sweep
from orderhe_dagster.road.retention import Retention
from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.faults.kills import (
    DEADLINE_S,
    PART,
    Scene,
    forked,
    load_modules,
    prepare,
    run_once,
)
from orderhe_dagster_tests.reliability.results import record_suite
from orderhe_dagster_tests.shops import TestShop

TABLES = ("buyers", "sales")
_DAYS = 5


@dataclass
class Tally:
    """What was done, and what of it was wrong."""

    problems: list[str] = field(default_factory=list)
    runs: Counter[str] = field(default_factory=Counter)
    removed: Counter[str] = field(default_factory=Counter)


def cleaned(shop: TestShop, retention: Retention, *, everything: bool) -> dict[str, int]:
    """Let the janitor work once; how much it removed."""
    from orderhe_dagster.assets.janitor import Rules, clean
    from orderhe_dagster.commands.run import history
    from orderhe_dagster.settings.home import use_home

    home = use_home(shop.settings)
    rules = Rules(retention, 0, home, everything=everything)
    with history(home.dagster) as instance:
        report = clean(shop.catalogue, shop.store, shop.warehouse, instance, rules)
    return {
        "generations": sum(one.generations for one in report.sweeps),
        "objects of generations": sum(len(one.objects) for one in report.sweeps),
        "objects of no record": sum(len(one.orphans) for one in report.sweeps),
        "logs of runs": len(report.logs),
    }


def sweeping(shop: TestShop, retention: Retention, seed: int, journal: Path) -> int:
    """A process that lets the janitor work over and over until it is told to end; its id."""
    child = os.fork()
    if child:
        return child
    dice, stop = random.Random(seed), list[int]()
    signal.signal(signal.SIGTERM, lambda *_: stop.append(1))
    with journal.open("a") as lines:
        while not stop:
            everything = dice.random() < 0.5
            removed, status = forked(lambda e=everything: cleaned(shop, retention, everything=e))
            print(json.dumps({"removed": removed, "status": status}), file=lines, flush=True)
            time.sleep(dice.uniform(0, 2))
    os._exit(0)


def change(shop: TestShop, dice: random.Random) -> None:
    """A row gets another price, one goes and comes again, one moves to another day."""
    now = datetime.now(timezone.utc).replace(tzinfo=None).isoformat(sep=" ")
    day = date.fromisoformat(oracle.FIRST) + timedelta(days=dice.randrange(_DAYS))
    number, price = dice.randrange(1, 40), dice.randrange(1, 10**6)
    shop.change(
        f"delete from sales where shop_no = 7 and sale_no = {number}",
        f"insert into sales values (7, {number}, null, date '{day}', {price}, 'open', timestamp '{now}')",
        f"delete from sales where shop_no = 7 and sale_no = {dice.randrange(1, 40)}",
    )


def named(shop: TestShop) -> dict[str, dict[str, Entry]]:
    """What the indexes name now."""
    return {
        table: {segment.text: entry for segment, entry in index.read(shop.store, table).entries.items()}
        for table in TABLES
    }  # fmt: skip


def missing(shop: TestShop) -> list[str]:
    """Objects that are not there, of generations that the index names before and after the look."""
    lost: dict[tuple[str, str, int], str] = {}
    for table, entries in named(shop).items():
        for text, entry in entries.items():
            for number, _ in entry.became:
                record = (
                    entry.record
                    if number == entry.record.generation
                    else backups.read_generation(shop.store, table, Segment(text), number)
                )
                if record is None:
                    lost[table, text, number] = "its record is gone"
                    continue
                gone = [key for key in keys_of(record) if shop.store.get(key) is None]
                if gone:
                    lost[table, text, number] = f"gone: {', '.join(gone)}"
    after = named(shop)
    return [
        f"{table} {text}: generation {number} is named, and {what}"
        for (table, text, number), what in lost.items()
        if number in {n for n, _ in after[table][text].became}
    ]


def kept(shop: TestShop, retention: Retention, before: dict[str, Any]) -> list[str]:
    """Generations that were named before and are not any more, though the settings promise them."""
    problems = []
    for table, entries in named(shop).items():
        for text, entry in entries.items():
            then = {
                number: datetime.fromisoformat(at)
                for number, at in before.get(table, {}).get(text, ())
            }
            all_of_them = {**then, **dict(entry.became)}
            grown = Entry(entry.record, tuple(sorted(all_of_them.items())))
            may_go = retention.expired(grown, (), datetime.now(timezone.utc))
            for number in then.keys() - dict(entry.became).keys() - may_go:
                problems.append(
                    f"{table} {text}: generation {number} is forgotten, and was promised"
                )
    return problems  # fmt: skip


def look(shop: TestShop, retention: Retention, before: dict[str, Any], whole: bool) -> list[Any]:
    """What is wrong now, and what the indexes name."""
    problems = [*missing(shop), *kept(shop, retention, before)]
    if whole:
        problems += [
            text for text in oracle.wrong(shop, False) if not text.startswith("left lying")
        ]
    became = {
        table: {text: [(n, at.isoformat()) for n, at in entry.became] for text, entry in entries.items()}
        for table, entries in named(shop).items()
    }  # fmt: skip
    return [problems, became]


def started(shop: TestShop, window: Window) -> int:
    """A run in a process of its own; its id."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        signal.alarm(int(DEADLINE_S))
        lines = run_once(shop, PART, window=window)
        print(*lines, sep="\n", file=sys.stderr)
        status = 1 if lines else 0
    finally:
        os._exit(status)


def one_round(shop: TestShop, dice: random.Random, tally: Tally) -> bool:
    """Change the shop and carry it: once, twice at once, or killed on the way; whether all must be there."""
    forked(lambda: change(shop, dice))
    dice.random()  # what the forked process drew is not drawn here
    kind = dice.choices(("one", "two at once", "killed"), (6, 2, 2))[0]
    tally.runs[kind] += 1
    children = [started(shop, oracle.WINDOW)]
    if kind == "two at once":
        first = date.fromisoformat(oracle.FIRST)
        children.append(
            started(shop, Window.of(first, first + timedelta(days=dice.randrange(_DAYS))))
        )
    if kind == "killed":
        time.sleep(dice.uniform(0, 3))
        os.kill(children[0], signal.SIGKILL)  # it may have ended: it is not waited for yet
    ended = [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]
    if any(ended) and kind != "killed":
        tally.problems.append(f"{kind}: ended with {ended}")
    return kind != "killed"


def beside(scene: Scene, folder: Path, seed: int, minutes: float, grace: timedelta) -> Tally:
    """Load and clean for so long; what was done and what was wrong."""
    shop, dice, tally = scene.copied(folder), random.Random(seed), Tally()
    retention = Retention(2, grace)
    journal, before = folder / "janitor.jsonl", dict[str, Any]()
    until = time.monotonic() + 60 * minutes
    janitor = sweeping(shop, retention, seed, journal)
    try:
        while time.monotonic() < until and not tally.problems:
            whole = one_round(shop, dice, tally)
            found, status = forked(lambda b=before, w=whole: look(shop, retention, b, w))
            if found is None:
                tally.problems.append(f"the look ended with {status}")
                break
            tally.problems += found[0]
            before = found[1]
    finally:
        os.kill(janitor, signal.SIGTERM)
        os.waitpid(janitor, 0)
    for line in journal.read_text().splitlines():
        done = json.loads(line)
        tally.removed.update(done["removed"] or {})
        if done["status"]:
            tally.problems.append(f"a janitor ended with {done['status']}")
    if not tally.problems:
        lines, _ = forked(lambda: after_all(shop, retention))
        tally.problems += lines if lines is not None else ["the last look did not end well"]
    return tally


def after_all(shop: TestShop, retention: Retention) -> list[str]:
    """Run once more, clean once more, later: what is wrong, and what lies there that nobody names."""
    problems = run_once(shop, PART)
    soon = datetime.now(timezone.utc) + 2 * retention.grace
    for table in TABLES:
        sweep(shop.store, plan(shop.store, table, retention, Keeping(), soon, everything=True))
    problems += [*missing(shop), *oracle.wrong(shop, False)]
    for table in TABLES:
        again = plan(shop.store, table, retention, Keeping(), soon, everything=True)
        problems += [f"left lying: {one.key}" for one in (*again.objects, *again.orphans)]
    return problems


def main(arguments: list[str] | None = None) -> int:
    """Let the janitor work beside loads; 0 where nothing that is needed went."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--grace", type=float, default=60, help="seconds")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args(arguments)
    load_modules()
    seed = asked.seed if asked.seed is not None else random.randrange(10**6)
    root = Path(tempfile.mkdtemp(prefix="orderhe-janitor-"))
    began = time.monotonic()
    scene = prepare("again", root / "again", PART)
    grace = timedelta(seconds=asked.grace)
    tally = beside(scene, root / "shop", seed, asked.minutes, grace)
    print(f"runs: {dict(tally.runs)}; removed: {dict(tally.removed)}")
    for text in tally.problems:
        print(f"BAD {text}")
    bad, rounds = bool(tally.problems), sum(tally.runs.values())
    if not tally.removed["objects of generations"]:
        print("BAD nothing had its time: nothing is shown", flush=True)
        bad = True
    took = time.monotonic() - began
    record_suite("janitor", "janitor beside loads", rounds, len(tally.problems), took, seed)
    print(
        f"{rounds} rounds, {len(tally.problems)} bad; seed {seed}"
        + (f"; see {root}" if bad else "")
    )
    if not bad:
        shutil.rmtree(root)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
