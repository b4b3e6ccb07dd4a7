"""One altered byte in each of many objects of the backups: is each found, and named with day and command?

    python -m orderhe_dagster_tests.faults.flips [--objects 200] [--days 60] [--seed 1]

On the demo's shop with two generations of some days: objects are drawn from all that the indexes name (roots,
chunks, records, manifests, parts; those of generations before too). Each gets one byte altered, is looked for
by what `orderhe restore --check` does, and is put right again. Ends with code 1 where one was not found.
"""

from __future__ import annotations

import argparse
import os
import random
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path

from orderhe_dagster.commands.restore import Asked, check_backups
from orderhe_dagster.ports.store import Store
from orderhe_dagster.road import backups, index
from orderhe_dagster_tests.reliability.results import record_suite
from orderhe_dagster_tests.shops import TestShop


def objects(store: Store, tables: list[str]) -> list[str]:
    """The keys of all that the indexes name and a restore may come to."""
    keys: set[str] = set()
    for name in tables:
        known = index.read(store, name)
        keys |= {f"backup/{name}/index.json", *known.chunks.values()}
        for segment, entry in known.entries.items():
            for number, _ in entry.became:
                record = backups.read_generation(store, name, segment, number)
                assert record is not None, (name, segment, number)
                keys |= {record.key, *(part.key for part in (*record.parts, *record.quarantine))}
                if number == entry.record.generation and record.parts:
                    keys.add(record.manifest)
    return sorted(keys)


def flip(store: Store, key: str, draw: random.Random) -> bytes:
    """Alter one byte of an object; what it was before."""
    stored = store.get(key)
    assert stored is not None, key
    altered = bytearray(stored.body)
    altered[draw.randrange(len(altered))] ^= draw.randint(1, 255)
    store.put(key, bytes(altered))
    index.forget()  # as in a process of its own
    return stored.body


def is_named(key: str, lines: list[str]) -> bool:
    """Whether a line names the object with a command, and with its day where it is of one."""
    day = key.split("/")[2]
    is_day = day[:1].isdigit()
    return any(
        key in line and "orderhe r" in line and (not is_day or f" {day}" in line) for line in lines
    )


def look(shop: TestShop) -> tuple[bool, list[str]]:
    """What `orderhe restore --check` finds."""
    lines: list[str] = []
    return check_backups(shop.settings, Asked(), lines.append), lines


def main() -> int:
    """Make the shop, alter, look, print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--objects", type=int, default=200)
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    given, began = parser.parse_args(), time.monotonic()
    for name in [name for name in os.environ if name.startswith(("ORDERHE_", "DAGSTER_"))]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="orderhe-flips-") as folder:
        shop = _shop(Path(folder), given.days)
        store, names = shop.store, [table.name for table in shop.catalogue.layer("raw")]
        sound, lines = look(shop)
        assert sound, lines
        draw, all_of = random.Random(given.seed), objects(store, names)
        chosen = draw.sample(all_of, min(given.objects, len(all_of)))
        missed = []
        for key in chosen:
            body = flip(store, key, draw)
            sound, lines = look(shop)
            if sound or not is_named(key, lines):
                missed.append(key)
                print(f"NOT NAMED {key}: {lines}")
            store.put(key, body)
            index.forget()
        print(
            f"{len(chosen):,} of {len(all_of):,} objects altered by one byte (seed {given.seed}): "
            f"{len(chosen) - len(missed):,} found and named"
        )
    took = time.monotonic() - began
    record_suite("flips", "one byte of an object", len(chosen), len(missed), took, given.seed)
    return 1 if missed else 0


def _shop(folder: Path, days: int) -> TestShop:
    """The demo's shop, its days carried in two steps, so that rows of early days have moved on."""
    first = date.today() - timedelta(days=days)
    environ = {"ORDERHE_START_DATE": first.isoformat(), "ORDERHE_SHOP": "simulated"}
    shop = TestShop(folder, environ)
    shop.create()
    middle = first + timedelta(days=days // 2)
    last = date.today() - timedelta(days=1)
    for start, end in ((first, middle), (middle + timedelta(days=1), last)):
        outcome = shop.run("raw/*,backup/*", start.isoformat(), end.isoformat())
        assert outcome.succeeded, outcome.lines()
    return shop


if __name__ == "__main__":
    sys.exit(main())
