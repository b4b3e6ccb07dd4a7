"""One seed: a shop on real systems, a run that is attacked, one rerun, and what was wrong after all.

The source moves before, during and after the attack, and another process reads the warehouse all the while.
"""

from __future__ import annotations

import os
import random
import re
import resource
import select
import shutil
import signal
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from local_redshift.testing.certificates import Authority
from orderhe_dagster.catalog.days import Window
from orderhe_dagster_tests.chaos.network import Fault
from orderhe_dagster_tests.chaos.processes import Child, begin, forked
from orderhe_dagster_tests.chaos.reader import Seen, look_once, reader
from orderhe_dagster_tests.chaos.scenarios import Scenario, signal_of
from orderhe_dagster_tests.chaos.source import (
    DAYS,
    SecondWriter,
    Writer,
    filling,
    second_writer,
)
from orderhe_dagster_tests.chaos.systems import HASTY, Systems, limit_files, systems, use_aws
from orderhe_dagster_tests.faults import oracle
from orderhe_dagster_tests.faults.fuse import FUSE, light
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import SALES, TestShop, shop_of

PATIENCE_S = 30.0
"""So long the newer run may take: it is kept waiting by one that stands still in a transaction."""
INTERRUPTED = (130, 0)
_RAW = re.compile(r"\w+: [\w.]+: ")
"""How an error reads that nobody has put into words: the step and the exception's class."""


@dataclass
class Verdict:
    """What became of a seed. `met`: the attack came to pass; `run`: how the attacked run ended.

    `overtaken`: of a run that stood still, whether the newer one was over before it went on.
    """

    problems: list[str] = field(default_factory=list)
    met: bool = False
    run: str = ""
    overtaken: bool | None = None
    boundaries: int = 0
    looks: int = 0
    writes: int = 0
    traffic: dict[str, dict[str, int]] = field(default_factory=dict)


@dataclass
class Stage:
    """What a seed is played on."""

    scenario: Scenario
    systems: Systems
    shop: TestShop
    direct: TestShop
    first: date
    states: Path

    @property
    def window(self) -> Window:
        """All days of the shop: a daily run, which looks after all of them."""
        return Window(self.first, self.first + timedelta(days=DAYS))

    def writer(self, salt: str) -> Writer:
        """A second writer; `salt` has it draw otherwise than another one."""
        number = {"before": 2000, "beside": 3000, "newer": 4000, "after": 5000}[salt]
        rng = random.Random(f"{self.scenario.seed} {salt}")
        return Writer(self.direct, self.first, self.states, rng, number)

    def hasty(self, shop: TestShop) -> TestShop:
        """A shop with little time."""
        limits = {f"ORDERHE_{name}": value for name, value in HASTY.items()}
        return TestShop(shop.folder, {**shop.environ, **limits})

    def run(self, shop: TestShop) -> list[str]:
        """Run the selection in this process; what went wrong."""
        from orderhe_dagster.errors import OrderheError
        from orderhe_dagster_tests.faults.kills import run_once

        use_aws(self.systems)
        try:
            return run_once(shop, self.scenario.selection, window=self.window)
        except OrderheError as error:
            return [f"{type(error).__name__}: {error}"]


def play(scenario: Scenario, folder: Path, mariadb: MariaDB, authority: Authority) -> Verdict:
    """Play a seed in `folder`, which stays where something was wrong."""
    verdict = Verdict()
    with (
        systems(folder, mariadb, authority if scenario.tls else None) as made,
        ExitStack() as stack,
    ):
        stage = _stage(scenario, made, folder)
        before = forked(lambda: _prepare(stage))
        reading = reader(stage.hasty(stage.direct))
        stack.callback(reading.child.end)
        lines, status, writes = _attacked(stage, verdict)
        verdict.run = "; ".join(lines or []) if lines is not None else f"ended with {status}"
        verdict.problems += _of_the_end(scenario, lines, status, verdict.met)
        made.connect()
        after = forked(lambda: _look(stage))
        again, asked = begin(lambda: _again(stage)).result()
        seen = reading.stop()
        verdict.writes, verdict.looks = writes, len(seen.sales)
        verdict.problems += after["problems"]
        if again is None:
            verdict.problems.append(f"the rerun ended with {asked}")
            again = {}
        verdict.problems += again.get("problems", ())
        now = again.get("generations", {})
        for kept in (before, after["generations"]):
            verdict.problems += [f"{key} was changed" for key in kept if now.get(key) != kept[key]]
        verdict.problems += _of_the_reader(stage, seen, again.get("findings", ()))
    if not verdict.problems:
        shutil.rmtree(folder)
    return verdict


def _stage(scenario: Scenario, made: Systems, folder: Path) -> Stage:
    from orderhe_dagster.settings.project import today

    first = today("Asia/Seoul") - timedelta(days=DAYS)
    environ = {**made.variables, "ORDERHE_START_DATE": str(first)}
    shop = shop_of(folder / "shop", SALES, **environ)
    direct = TestShop(shop.folder, {**shop.environ, **made.direct()})
    return Stage(scenario, made, shop, direct, first, folder / "states.jsonl")


def _prepare(stage: Stage) -> dict[str, str]:
    """The shop, filled; in the scene `again` it has run, and its source has moved since: its generations."""
    use_aws(stage.systems)
    stage.shop.create()
    rng = random.Random(stage.scenario.seed)
    writer = stage.writer("before")
    writer.once(filling(stage.first, rng))
    if stage.scenario.scene == "again":
        lines = stage.run(stage.shop)
        assert lines == [], lines
        for _ in range(rng.randint(1, 3)):
            writer.once()
    return oracle.generations_of(stage.direct)


# -- the attack -----------------------------------------------------------------------------------


def _attacked(stage: Stage, verdict: Verdict) -> tuple[list[str] | None, int, int]:
    """The attacked run: what it told (None where it did not end by itself), its status, the writes beside."""
    scenario, made = stage.scenario, stage.systems
    faults: dict[str, Fault] = {}
    if scenario.fault is not None:
        faults[scenario.victim] = scenario.fault
    made.connect(faults)
    writing = second_writer(stage.writer("beside"), scenario.gap_s)
    came, tell = os.pipe()
    report, reported = os.pipe()
    try:
        run = begin(lambda: _doomed(stage, writing, tell, reported))
        os.close(tell)
        os.close(reported)
        told = _supervise(stage, run, came, verdict)
        lines, status = run.result()
        met = bool(os.read(came, 1)) or told
        with os.fdopen(os.dup(report), "rb") as pipe:
            verdict.boundaries = len(pipe.read())
        made.go_on()
        verdict.traffic = made.network.stop()
        if scenario.fault is not None:
            met = verdict.traffic.get(scenario.victim, {}).get("hits", 0) > 0
        verdict.met = met and verdict.overtaken is not False
    finally:
        os.close(came)
        os.close(report)
    return lines, status, writing.stop()


def _doomed(stage: Stage, writing: SecondWriter, tell: int, reported: int) -> list[str]:
    """The run that is attacked, in its own process."""
    from orderhe_dagster_tests.chaos.boundaries import wire

    scenario = stage.scenario
    os.set_blocking(reported, False)

    def beside(number: int) -> None:
        os.write(reported, b".")
        if number in scenario.writes_at:
            writing.now()

    def does() -> None:
        os.write(tell, b".")
        _strike(stage)

    light(scenario.at, signal.SIGKILL)
    FUSE.does, FUSE.beside = does, beside
    wire()
    _wait_less()
    return stage.run(stage.hasty(stage.shop))


def _wait_less() -> None:
    """What is waited for between two tries of reading is not what is tested here."""
    from orderhe_dagster.resources.mysql import source

    source._WAITS_S = (0.1, 0.3)


def _strike(stage: Stage) -> None:
    """Do it: from within the run, at a boundary."""
    scenario, victim = stage.scenario, stage.scenario.victim
    pid = os.getpid() if victim == "run" else stage.systems.pid(victim)
    if scenario.most_bytes:
        if victim == "run":
            _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
            resource.setrlimit(resource.RLIMIT_FSIZE, (scenario.most_bytes, hard))
        else:
            limit_files(pid, scenario.most_bytes)
        return
    os.kill(pid, signal_of(scenario.signal))


def _supervise(stage: Stage, run: Child, came: int, verdict: Verdict) -> bool:
    """Do what comes at a time, and what comes after it; whether something was done here."""
    scenario = stage.scenario
    if scenario.fault is not None or scenario.most_bytes:
        return False
    done = False
    if not scenario.at:
        if run.ends_within(scenario.after_s):
            return False
        done = True
        if scenario.victim == "run":
            run.send(signal_of(scenario.signal))
        else:
            os.kill(stage.systems.pid(scenario.victim), signal_of(scenario.signal))
    elif scenario.victim == "run" and scenario.signal == "STOP":
        if run.stands_still():
            verdict.problems += _overtake(stage, run, verdict)
        return False
    elif scenario.victim != "run":
        # The end of the run closes its side of the pipe, which wakes us as well.
        select.select([came], [], [])
    if scenario.victim != "run":
        run.ends_within(scenario.lasts_s)
        if scenario.signal == "KILL":
            if done or _is_down(stage):
                stage.systems.start_again(scenario.victim)
        else:
            stage.systems.go_on()
    return done


def _is_down(stage: Stage) -> bool:
    """Whether the victim was killed: the run may have ended before it came to that."""
    return stage.systems.is_down(stage.scenario.victim)


def _overtake(stage: Stage, run: Child, verdict: Verdict) -> list[str]:
    """Let another run carry newer rows over while the first stands still, then wake that; what was wrong."""

    def newer() -> list[str]:
        stage.writer("newer").once()
        return stage.run(stage.shop)

    other = begin(newer)
    verdict.overtaken = other.ends_within(PATIENCE_S)
    if not verdict.overtaken:  # it waits for what the first one holds
        run.send(signal.SIGCONT)
    lines, status = other.result()
    run.send(signal.SIGCONT)
    return [f"the newer run ended with {status}: {lines}"] if lines or status else []


# -- afterwards -----------------------------------------------------------------------------------


def _look(stage: Stage) -> dict[str, Any]:
    """What is there after the attack: the records that may never change, and whether it can be read."""
    from orderhe_dagster.ports.errors import PortError

    use_aws(stage.systems)
    problems = []
    try:
        problems = look_once(stage.direct).torn(stage.states, may_lack=True)
    except PortError as error:
        problems.append(f"after the attack the warehouse cannot be read: {error}")
    if stage.scenario.is_unseen:
        problems = []
    return {"generations": oracle.generations_of(stage.direct), "problems": problems}


def _again(stage: Stage) -> dict[str, Any]:
    """The one rerun, after the source has moved once more, and what is wrong after it."""
    use_aws(stage.systems)
    stage.writer("after").once()
    lines = stage.run(stage.shop)
    problems = [f"the rerun: {line}" for line in lines]
    if not lines:
        problems += oracle.wrong(stage.shop, stage.scenario.selection == "*", stage.window)
    named = stage.direct.rows("select distinct segment from warehouse._findings")
    return {
        "problems": problems,
        "generations": oracle.generations_of(stage.direct),
        "findings": [segment for (segment,) in named],
    }


def _of_the_end(scenario: Scenario, lines: list[str] | None, status: int, met: bool) -> list[str]:
    """What was wrong with how the attacked run ended."""
    if scenario.signal == "KILL" and scenario.victim == "run":
        if met and status not in (-signal.SIGKILL, 0):
            return [f"the run was not killed but ended with {status}: {lines}"]
        return []
    if scenario.signal in ("INT", "TERM"):
        return (
            [] if status in INTERRUPTED else [f"the interrupted run ended with {status}: {lines}"]
        )
    if status != 0:
        return [f"the run did not end by itself, but with {status}"]
    return _of_the_words(scenario, lines or [])


def _of_the_words(scenario: Scenario, lines: list[str]) -> list[str]:
    """What was wrong with what the attacked run told."""
    if raw := [line for line in lines if _RAW.match(line)]:
        return [f"nobody says what to do: {raw}"]
    if scenario.most_bytes and scenario.victim == "run" and lines and not _names_a_file(lines):
        return [f"no file is named: {lines}"]
    return []


def _names_a_file(lines: list[str]) -> bool:
    return any("/" in line and "home" in line for line in lines)


def _of_the_reader(stage: Stage, seen: Seen, named: Sequence[str]) -> list[str]:
    """What was wrong with what the reader saw; `named`: the days of which a run told that they differed."""
    scenario = stage.scenario
    problems = [] if scenario.victim == "redshift" else [f"the reader: {e}" for e in seen.errors]
    if not seen.sales:  # the rerun was good: there was something to be seen
        problems.append("the reader saw nothing")
    torn = seen.torn(stage.states, may_lack=scenario.scene == "first")
    if scenario.is_unseen:  # what a wire without TLS altered may have been carried, but is found
        torn = [
            f"nobody named it: {text}" for text in torn if not any(day in text for day in named)
        ]
    return problems + torn
