"""The walk: checks in their order along a road, each with what it came to. What is checked is beside it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from orderhe_dagster.doctor.explain import explain
from orderhe_dagster.doctor.signature import Explanation
from orderhe_dagster.ports.cloud import Untold
from orderhe_dagster.ports.errors import PortError

log = logging.getLogger("orderhe.doctor")
Status = Literal["ok", "failed", "unknown", "skipped", "not asked"]


@dataclass(frozen=True)
class Found:
    """What one look came to. `stops`: what comes after it on the road cannot be tried.

    `mends` changes a file or mode of this machine; `will` says what it does, for whoever is asked.
    """

    status: Status
    text: str
    explanations: tuple[Explanation, ...] = ()
    stops: bool = False
    mends: Callable[[], None] | None = None
    will: str = ""


@dataclass(frozen=True)
class Check:
    """A look at one thing. `needs`: names of checks of the same road that must not have failed."""

    name: str
    look: Callable[[], Found]
    needs: tuple[str, ...] | None = None


@dataclass(frozen=True)
class Outcome:
    """A row of the doctor's table."""

    road: str
    check: str
    found: Found

    def record(self) -> Mapping[str, Any]:
        """The same for programs."""
        return {
            "road": self.road,
            "check": self.check,
            "status": self.found.status,
            "text": self.found.text,
            "explanations": [one.record() for one in self.found.explanations],
        }


@dataclass(frozen=True)
class Road:
    """Checks in order: after one that stops, the others are skipped, but those that need other ones only."""

    name: str
    checks: Sequence[Check] = field(default_factory=tuple)

    def walk(self) -> Iterator[Outcome]:
        """Look at everything that can be looked at."""
        stopped, failed = "", set[str]()
        for check in self.checks:
            missing = [name for name in check.needs or () if name in failed]
            before = missing[0] if missing else stopped if check.needs is None else ""
            found = ok_or_error(check.look) if not before else skipped(f"{before} comes first")
            if found.status in ("failed", "skipped"):
                failed.add(check.name)
            if found.stops:
                stopped = stopped or check.name
            yield Outcome(self.name, check.name, found)


def ok_or_error(look: Callable[[], Found]) -> Found:
    """What a look came to; a port's error is a failure that stops the road, AWS's silence is unknown.

    What nobody expected is a failure, too, which keeps no other road from being told.
    """
    try:
        return look()
    except Untold as error:
        return Found("unknown", str(error))
    except PortError as error:
        return failure(error)
    except Exception as error:
        log.debug("a check of the doctor's ended", exc_info=True)
        words = next(iter(str(error).splitlines()), "")[:200]
        return failed(f"could not be looked at: {type(error).__name__}: {words}", stops=True)


def failure(error: PortError, *, stops: bool = True) -> Found:
    """A failure that an error tells; its own words, in one line, and why.

    Where no signature says what mends it, the error itself does, and is told to its end.
    """
    why = explain(error)
    text = " ".join(str(error.symptom.text if error.symptom else error).split())
    return Found("failed", text[:300] if why else text, (why,) if why else (), stops)


def ok(text: str) -> Found:
    """It is as it should be."""
    return Found("ok", text)


def skipped(why: str) -> Found:
    """It was not looked at, and why."""
    return Found("skipped", why)


def failed(text: str, *why: Explanation | None, stops: bool = False) -> Found:
    """It is not as it should be."""
    return Found("failed", text, tuple(one for one in why if one), stops)
