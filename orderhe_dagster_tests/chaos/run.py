"""Chaos on the real systems: seed after seed, each one attack on one run. `make chaos` is this.

    python -m orderhe_dagster_tests.chaos.run [--seeds 0-299] [--minutes 30]

MariaDB, an S3, Redshift's wire server, the network between them, a second writer and a reader are
processes of their own. Each seed is one line of results, appended to a file; seeds that the file has of
this commit are not played again, so that the same command goes on where it was stopped; where something
was changed since the commit, all are. Ends with 1 where a seed was bad, now or before on this commit, and
leaves what is needed to look at it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from local_redshift.testing.certificates import Authority
from orderhe_dagster_tests.chaos.attack import Verdict, play
from orderhe_dagster_tests.chaos.scenarios import Scenario, scenario
from orderhe_dagster_tests.faults import broken, kills
from orderhe_dagster_tests.reliability.results import (
    CHANGED,
    RESULTS,
    ROOT,
    Result,
    commit,
    read,
    record,
)
from orderhe_dagster_tests.servers import mariadb

FOLDER = ROOT / ".orderhe" / "chaos" / "seeds"
SUITE = "chaos"
# What the server has told to be committed is there after a kill of it.
_OPTIONS = ("--innodb-flush-log-at-trx-commit=2",)


def load_modules() -> None:
    """Import what the forked processes need, once; nothing is opened."""
    kills.load_modules()
    import pymysql
    import redshift_connector
    from moto.moto_server import werkzeug_app

    from local_redshift.wire import server
    from orderhe_dagster.commands import create, serve
    from orderhe_dagster.resources.mysql import source
    from orderhe_dagster.resources.redshift import warehouse
    from orderhe_dagster.resources.s3.client import Connection, client_of

    assert all(
        (pymysql, redshift_connector, werkzeug_app, server, create, serve, source, warehouse)
    )
    os.environ |= {"AWS_DEFAULT_REGION": "us-east-1", "AWS_EC2_METADATA_DISABLED": "true"}
    client_of(Connection("http://127.0.0.1:1", 1, 1, 1, 1))  # what describes S3 is read once
    warnings.filterwarnings("ignore")


def run(seeds: Sequence[int], minutes: float, results: Path, folder: Path, told: bool) -> int:
    """Play the seeds, as many as the time allows; how many were bad, with those played before."""
    until = time.monotonic() + 60 * minutes
    at, bad, played = commit(), 0, Counter[str]()
    done = played_before(results, at)
    left = [seed for seed in seeds if seed not in done]
    bad_before = [seed for seed in seeds if done.get(seed)]
    for seed in bad_before:
        print(f"BAD {seed}: on this commit before; its line in {results} tells what of it was")
    with mariadb.running(options=_OPTIONS) as server:
        authority = server.authority
        assert authority is not None
        for number, seed in enumerate(left):
            if time.monotonic() >= until:
                print(
                    f"the time is over: {len(left) - number} seeds are left; the same command goes on"
                )
                break
            one, began = scenario(seed), time.monotonic()
            verdict = _played(one, folder / f"seed-{seed}", server, authority)
            took = time.monotonic() - began
            record(_result(one, verdict, took, at), results)
            played["met" if verdict.met else "did not come to pass"] += 1
            bad += bool(verdict.problems)
            _tell(one, verdict, took, told)
    bad += len(bad_before)
    many = ", ".join(f"{count} {word}" for word, count in sorted(played.items()))
    print(f"{sum(played.values())} seeds ({many}), {bad} bad; {results}")
    if bad:
        print(f"see {folder}")
    return bad


def played_before(results: Path, at: str) -> dict[int, bool]:
    """The seeds that were played on this commit, each with whether it ever was bad.

    None where there is no commit that tells what was played: no git, or something was changed since.
    """
    done: dict[int, bool] = {}
    if not at or at.endswith(CHANGED):
        return done
    for one in read(results):
        if one.suite == SUITE and one.commit == at and one.seed is not None:
            done[one.seed] = done.get(one.seed, False) or bool(one.bad)
    return done


def _played(one: Scenario, folder: Path, server: mariadb.MariaDB, authority: Authority) -> Verdict:
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        return play(one, folder, server, authority)
    except Exception:
        return Verdict([f"it could not be played: {traceback.format_exc()}"])
    finally:
        if server.is_down():
            server.kill()
            server.start()


def _result(one: Scenario, verdict: Verdict, took: float, at: str) -> Result:
    return Result(
        *(SUITE, one.attack, 1, int(bool(verdict.problems)), round(took, 1), one.seed),
        met=int(verdict.met),
        problems=verdict.problems,
        scenario={**one.told(), "run": verdict.run[:300], "writes": verdict.writes},
        commit=at,
    )


def _tell(one: Scenario, verdict: Verdict, took: float, told: bool) -> None:
    word = "BAD" if verdict.problems else "ok " if verdict.met else "-- "
    print(f"{word} {one.seed} {took:.1f} s {one.attack}", flush=True)
    if told:
        looks = f"{verdict.boundaries} boundaries, {verdict.looks} looks, {verdict.writes} writes"
        print(
            f"      {one.told()}\n      {looks}; {verdict.traffic}\n      {verdict.run}", flush=True
        )
    for text in verdict.problems:
        print(f"      {text}", flush=True)


def _range(text: str) -> list[int]:
    first, _, last = text.partition("-")
    return list(range(int(first), int(last or first) + 1))


def main(arguments: Sequence[str] | None = None) -> int:
    """Play the seeds asked for; 0 where none did harm."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seeds", type=_range, default=list(range(300)), metavar="FIRST-LAST")
    parser.add_argument(
        "--minutes", type=float, default=30.0, help="begin no seed later (%(default)s)"
    )
    parser.add_argument("--results", type=Path, default=RESULTS, help="the file of results")
    parser.add_argument("--folder", type=Path, default=FOLDER, help="where what was bad stays")
    parser.add_argument("--told", action="store_true", help="tell each scenario, too")
    parser.add_argument("--attack", default="", help="only seeds whose attack has these words")
    asked = parser.parse_args(arguments)
    seeds = [seed for seed in asked.seeds if asked.attack in scenario(seed).attack]
    for name in [name for name in os.environ if name.startswith(("ORDERHE_", "DAGSTER_", "AWS_"))]:
        del os.environ[name]
    load_modules()
    broken.apply()
    return 1 if run(seeds, asked.minutes, asked.results, asked.folder, asked.told) else 0


if __name__ == "__main__":
    sys.exit(main())
