"""Nights of the drill: damage the shop, run all of it as the nightly schedule does, ask what became of it.

`python -m orderhe_dagster_tests.drill.nights --help` is the long form (`make drill`): a thousand damages
in ten nights on the embedded systems and on the real ones, then untouched nights in three time zones.
"""

from __future__ import annotations

import argparse
import random
import shutil
import sys
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from local_redshift.testing.certificates import LOOPBACK, Authority
from orderhe_dagster_tests.drill.damages import Damage, Damager
from orderhe_dagster_tests.drill.shop import DAYS, DrillShop, drill_shop
from orderhe_dagster_tests.drill.verdicts import Drill, Verdict, alarms, check_mended, look
from orderhe_dagster_tests.reliability.results import record_suite
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.servers import mariadb, s3

ZONES = ("Asia/Seoul", "America/New_York", "Pacific/Auckland")
SERVER_ZONES = ("+09:00", "-05:00", "+13:00")


def begin(
    folder: Path, seed: int, days: int = DAYS, environ: Mapping[str, str] | None = None
) -> DrillShop:
    """A shop whose whole history is backed up, loaded, built and exported."""
    shop = drill_shop(folder, random.Random(seed), days, environ)
    outcome = shop.shop.run("*", str(shop.first), str(shop.history[-1]))
    assert outcome.succeeded, outcome.lines()
    return shop


def drill(
    shop: DrillShop, seed: int, nights: int, a_night: int, *, later: int = 0, told: bool = False
) -> Drill:
    """So many nights with so many damages each; then `later` ones, for what is found by turns.

    `told` prints each night as it goes.
    """
    result = Drill()
    damager = Damager(shop, random.Random(seed))
    for night in range(1, nights + 1):
        inflict(shop, damager.night(a_night), result)
        _run(shop, night, result, told, may_fail=later > 0)
    for night in range(nights + 1, nights + later + 1):
        _run(shop, night, result, told, may_fail=night < nights + later)
    check_mended(shop, result)
    return result


def inflict(shop: DrillShop, damages: Sequence[Damage], result: Drill) -> None:
    """Do the damages, and note that they wait for their verdict."""
    for damage in damages:
        damage.inflict(shop)
        result.verdicts.append(Verdict(damage))


def nights_of(shop: DrillShop, budget: int) -> int:
    """In how many nights all rows come round, as the product says it: of the layer that has the most."""
    (rows,) = zip(*shop.shop.rows("select sum(row_count) from warehouse._loads"), strict=True)
    return -(-int(rows[0]) // budget)


def _run(shop: DrillShop, night: int, result: Drill, told: bool, *, may_fail: bool = False) -> None:
    began, cpu = time.monotonic(), time.process_time()
    outcome = shop.shop.run("*")
    spent = f"{time.monotonic() - began:.0f} s, {time.process_time() - cpu:.0f} CPU s"
    look(shop, night, outcome, result, may_fail=may_fail)
    if told:
        missing = sum(one.found_in is None for one in result.verdicts)
        print(
            f"  night {night}: {len(result.verdicts)} damages, {missing} not found; {spent}",
            flush=True,
        )


def untouched(shop: DrillShop, nights: int = 1) -> list[str]:
    """What so many nights told where nothing was done: to be nothing."""
    return [text for _ in range(nights) for text in alarms(shop.shop.run("*"))]


@contextmanager
def real_systems(folder: Path) -> Iterator[tuple[dict[str, str], mariadb.MariaDB]]:
    """The variables of a shop on MariaDB, an S3 and the local Redshift's server, and that MariaDB."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        authority = Authority(folder / "tls")
        certificate, key = authority.sign(*LOOPBACK)
        database = stack.enter_context(mariadb.running())
        store = stack.enter_context(s3.running(certificate, key, str(authority.file)))
        servers = {"mariadb": database, "s3_with_tls": store}
        systems = Systems(folder, servers.__getitem__, patch, stack)
        yield systems.environ(ALL, folder / "shop" / "home"), database


def main(arguments: Sequence[str] | None = None) -> int:
    """The long form; 0 where all was found, named and mended, and nothing else told."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--on", choices=["embedded", "real"], action="append")
    parser.add_argument("--damages", type=int, default=1000, help="in all, of each")
    parser.add_argument("--nights", type=int, default=10)
    parser.add_argument("--untouched", type=int, default=10, help="nights in each time zone")
    parser.add_argument("--seed", type=int, default=None)
    asked = parser.parse_args(arguments)
    seed = asked.seed if asked.seed is not None else random.randrange(10**6)
    problems: list[str] = []
    for name in asked.on or ["embedded", "real"]:
        root, began = Path(tempfile.mkdtemp(prefix="orderhe-drill-")), time.monotonic()
        try:
            found = (_embedded if name == "embedded" else _real)(root, seed, asked)
        finally:
            shutil.rmtree(root, ignore_errors=True)
        took = time.monotonic() - began
        where = "on the laptop" if name == "embedded" else "on the real systems"
        record_suite("drill", f"damages {where}", asked.damages, len(found), took, seed)
        problems += found
    for text in problems:
        print(f"BAD {text}")
    print(f"{len(problems)} bad; seed {seed}")
    return 1 if problems else 0


def _embedded(root: Path, seed: int, asked: argparse.Namespace) -> list[str]:
    print(f"embedded, seed {seed}", flush=True)
    shop = begin(root / "shop", seed)
    problems = _damaged(shop, seed, asked)
    for zone in ZONES:
        there = begin(root / zone.replace("/", "-"), seed, environ={"ORDERHE_TIME_ZONE": zone})
        problems += _quiet(there, asked.untouched, f"shop in {zone}")
    return problems


def _real(root: Path, seed: int, asked: argparse.Namespace) -> list[str]:
    print(f"MariaDB, S3 and Redshift's wire, seed {seed}", flush=True)
    with real_systems(root) as (environ, database):
        shop = begin(root / "shop", seed, environ=environ)
        problems = _damaged(shop, seed, asked)
        for zone in SERVER_ZONES:
            database.run(f"set global time_zone = '{zone}'")
            problems += _quiet(shop, asked.untouched, f"server at {zone}")
    return problems


def _damaged(shop: DrillShop, seed: int, asked: argparse.Namespace) -> list[str]:
    cpu = time.process_time()
    result = drill(shop, seed, asked.nights, -(-asked.damages // asked.nights), told=True)
    print(*result.table(), sep="\n")
    print(f"{time.process_time() - cpu:.0f} CPU s", flush=True)
    return result.problems


def _quiet(shop: DrillShop, nights: int, where: str) -> list[str]:
    told = untouched(shop, nights)
    print(f"{nights} untouched nights, {where}: {len(told)} alarms", flush=True)
    return [f"{where}: {text}" for text in told]


if __name__ == "__main__":
    sys.exit(main())
