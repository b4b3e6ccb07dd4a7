"""What happens in a seed: drawn from its number alone, so that the number tells all of it again."""

from __future__ import annotations

import random
import signal
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from orderhe_dagster_tests.chaos.network import Fault
from orderhe_dagster_tests.faults.kills import PART

SHORT = 12
"""The first seeds are what the tests play: the shorter selection, and mostly on a shop that is new."""
GOLDEN = 0.6180339887498949
"""Multiples of it, without their whole part, spread evenly however many there are."""
BOUNDARIES = {PART: 190, "*": 350}
"""About so many a run has: a few less, so that none is drawn that does not come."""
SECONDS = {PART: 3.0, "*": 5.0}
"""About so long a run takes."""
BYTES = {
    "mysql": (14_000, 80_000),
    "s3": (60_000, 33_000),
    "redshift": (33_000, 30_000),
    "copy": (4_400, 12_500),
}
"""About so many bytes a short run sends up each line, and gets down."""
MORE = {PART: 1.0, "*": 1.25, "TLS": 1.3}
"""So many times of that with the longer selection, and with TLS."""
CONNECTIONS = {"s3": 45, "copy": 6}


@dataclass(frozen=True)
class Scenario:
    """One attack on one run. `at`: the boundary where it comes; 0: `after_s` after the run began.

    `victim`: run, mysql, s3 or redshift; of a network fault the line. `lasts_s`: how long a server is
    down or stands still. `writes_at`: boundaries at which the second writer commits, besides when it
    likes. `most_bytes`: no file may be larger, as on a full disk.
    """

    seed: int
    attack: str
    scene: str
    selection: str
    tls: bool
    victim: str = "run"
    at: int = 0
    after_s: float = 0.0
    lasts_s: float = 0.0
    signal: str = ""
    fault: Fault | None = None
    most_bytes: int = 0
    writes_at: tuple[int, ...] = ()
    gap_s: float = 0.7

    @property
    def is_unseen(self) -> bool:
        """Whether a bit is flipped where nothing of the connection would see it."""
        return self.fault is not None and self.fault.what == "flip" and not self.tls

    def told(self) -> dict[str, Any]:
        """All of it that is not as in any other, for the results."""
        given = {name: value for name, value in asdict(self).items() if value or name == "tls"}
        return {name: value for name, value in given.items() if name not in ("seed", "attack")}


@dataclass
class Draw:
    """The draws of a seed."""

    seed: int
    rng: random.Random = field(init=False)
    share: float = field(init=False)
    scene: str = field(init=False)
    selection: str = field(init=False)

    def __post_init__(self) -> None:
        self.rng = random.Random(self.seed)
        self.share = (self.seed + 1) * GOLDEN % 1
        self.scene = self.rng.choice(("first", "again", "again"))
        self.selection = self.rng.choice((PART, PART, "*"))
        if self.seed < SHORT:
            self.scene, self.selection = "again" if self.seed % 3 == 2 else "first", PART

    @property
    def boundary(self) -> int:
        """One of the run's."""
        return 1 + round(self.share * BOUNDARIES[self.selection])

    @property
    def moment(self) -> dict[str, Any]:
        """A boundary, or any time."""
        if self.rng.random() < 0.7:
            return {"at": self.boundary}
        return {"after_s": round(self.share * SECONDS[self.selection], 3)}


Drawn = dict[str, Any]


def _killed(draw: Draw) -> Drawn:
    return {"signal": "KILL", "at": draw.boundary}


def _killed_at_any_time(draw: Draw) -> Drawn:
    return {"signal": "KILL", "after_s": round(draw.share * SECONDS[draw.selection], 3)}


def _interrupted(draw: Draw) -> Drawn:
    return {"signal": draw.rng.choice(("INT", "TERM")), **draw.moment}


def _overtaken(draw: Draw) -> Drawn:
    return {"signal": "STOP", "at": draw.boundary}


def _cut(draw: Draw) -> Drawn:
    lasts_s = draw.rng.choice((0.0, 0.5, 3.0))
    return {"victim": "network", "signal": "KILL", "lasts_s": lasts_s, "at": draw.boundary}


def _server(name: str, by: str) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        lasts_s = draw.rng.choice((0.3, 1.0)) if by == "KILL" else draw.rng.choice((0.5, 4.0, 8.0))
        return {"victim": name, "signal": by, "lasts_s": lasts_s, **draw.moment}

    return drawn


def _line(name: str, what: str, tls: bool | None = None) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        by_tls = draw.rng.random() < 0.5 if tls is None else tls
        up, bit = draw.rng.random() < 0.4, draw.rng.randrange(8)
        most, times = float(BYTES[name][not up]), draw.rng.choice((1, 1, 2, 1000))
        if what == "503":
            most, times = CONNECTIONS[name], draw.rng.choice((1, 4, 40))
        elif what == "flip":
            times = 1
        if what != "503":
            most *= MORE[draw.selection] * (MORE["TLS"] if by_tls else 1)
        after = int(draw.share * most)
        return {"victim": name, "fault": Fault(what, up, after, times, bit), "tls": by_tls}

    return drawn


def _flip(name: str, tls: bool) -> Callable[[Draw], Drawn]:
    return _line(name, "flip", tls)


_MOST_BYTES = {
    "run": (1, 1_000, 4_000, 30_000, 120_000, 400_000),
    "redshift": (1, 1_000, 4_000, 20_000),  # its log is cut now and then
}


def _disk(name: str) -> Callable[[Draw], Drawn]:
    def drawn(draw: Draw) -> Drawn:
        most = draw.rng.choice(_MOST_BYTES[name])
        return {"victim": name, "most_bytes": most, "at": max(1, draw.boundary // 2)}

    return drawn


ATTACKS: Mapping[str, Callable[[Draw], Drawn]] = {
    "kill -9 of the run at a boundary": _killed,
    "bit flip run-mysql, plain": _flip("mysql", False),
    "kill -9 of the Redshift server": _server("redshift", "KILL"),
    "reset run-s3": _line("s3", "reset"),
    "SIGSTOP of the run, overtaken by another": _overtaken,
    "disk full of the run": _disk("run"),
    "reset run-redshift": _line("redshift", "reset"),
    "SIGSTOP of the S3 server": _server("s3", "STOP"),
    "bit flip redshift-s3, plain": _flip("copy", False),
    "kill -9 of MariaDB": _server("mysql", "KILL"),
    "503 run-s3": _line("s3", "503"),
    "stall run-mysql": _line("mysql", "stall"),
    # So far SHORT.
    "kill -9 of the run at any time": _killed_at_any_time,
    "SIGINT or SIGTERM of the run": _interrupted,
    "every connection cut at a boundary": _cut,
    "SIGSTOP of MariaDB": _server("mysql", "STOP"),
    "SIGSTOP of the Redshift server": _server("redshift", "STOP"),
    "disk full of the Redshift server": _disk("redshift"),
    "reset run-mysql": _line("mysql", "reset"),
    "FIN run-mysql": _line("mysql", "fin"),
    "drip run-mysql": _line("mysql", "drip"),
    "bit flip run-mysql, TLS": _flip("mysql", True),
    "FIN run-s3": _line("s3", "fin"),
    "stall run-s3": _line("s3", "stall"),
    "drip run-s3": _line("s3", "drip"),
    "bit flip run-s3, TLS": _flip("s3", True),
    "bit flip run-s3, plain": _flip("s3", False),
    "FIN run-redshift": _line("redshift", "fin"),
    "stall run-redshift": _line("redshift", "stall"),
    "drip run-redshift": _line("redshift", "drip"),
    "bit flip run-redshift, TLS": _flip("redshift", True),
    "bit flip run-redshift, plain": _flip("redshift", False),
    "reset redshift-s3": _line("copy", "reset"),
    "FIN redshift-s3": _line("copy", "fin"),
    "stall redshift-s3": _line("copy", "stall"),
    "drip redshift-s3": _line("copy", "drip"),
    "bit flip redshift-s3, TLS": _flip("copy", True),
    "503 redshift-s3": _line("copy", "503"),
}
"""Every attack, by its name: what is drawn of it. Seeds take them in turn."""
EXTRA = ("kill -9 of the run at a boundary", "kill -9 of the run at any time")
"""These come more often: one seed in three."""


EVERY = (
    "kill -9 of the run at a boundary",
    "SIGSTOP of the run, overtaken by another",
    "every connection cut at a boundary",
)
"""Seeds 1001 and on, 2001 and on, 3001 and on: at every boundary, one after the other."""
LAST = 1_000 * len(EVERY) + 999


def scenario(seed: int) -> Scenario:
    """The scenario of a seed; ValueError where there is none."""
    if not 0 <= seed <= LAST:
        raise ValueError(f"{seed} is no seed: 0 to {LAST}")
    draw, place = Draw(seed), seed % 1_000
    if seed >= 1_000:
        name, draw.scene, draw.selection = EVERY[seed // 1_000 - 1], "again", PART
        draw.share = (place - 1) / BOUNDARIES[PART]
    elif seed >= SHORT and seed % 3 == 0:
        name = EXTRA[seed // 3 % 2]
    else:
        name = list(ATTACKS)[_turn(seed) % len(ATTACKS)]
    drawn: Drawn = {"tls": draw.rng.random() < 0.5, **ATTACKS[name](draw)}
    most = BOUNDARIES[draw.selection]
    writes = tuple(sorted(draw.rng.sample(range(1, most), draw.rng.randint(0, 3))))
    gap_s = draw.rng.choice((0.3, 0.7, 2.0))
    return Scenario(seed, name, draw.scene, draw.selection, **drawn, writes_at=writes, gap_s=gap_s)


def _turn(seed: int) -> int:
    """Whose turn it is among all attacks: seeds of the extra ones do not count."""
    return seed if seed < SHORT else seed - (seed - SHORT + 2) // 3


def signal_of(name: str) -> int:
    """Its number."""
    return int(signal.Signals[f"SIG{name}"])
