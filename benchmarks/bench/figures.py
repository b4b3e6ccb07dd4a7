"""What the bench measured: samples, their median and spread, and their form as JSON. Nothing is run here."""

from __future__ import annotations

import json
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

EQUAL = "equal"
"""What `Result.content` says where the copy has been compared with the source and is the same."""


@dataclass(frozen=True)
class Sample:
    """One run as a whole process. Seconds and megabytes.

    `client_cpu_s`: user and system, of the process and all that it started. `servers_cpu_s`: of each
    server meanwhile. `own`: what the process has measured of itself. `others_cores`: how many cores
    everybody else on the machine kept busy. None: not measured.
    """

    wall_s: float
    client_cpu_s: float
    peak_mb: float
    servers_cpu_s: Mapping[str, float] = field(default_factory=dict)
    own: Mapping[str, float] = field(default_factory=dict)
    longest_query_s: float | None = None
    longest_snapshot_s: float | None = None
    others_cores: float = 0.0


@dataclass
class Result:
    """One contestant of a scenario: its samples, or why there are none.

    `content`: EQUAL, or what was found wrong; "": there is nothing to compare. `does`: what it does and
    does not do. `missing`: why it was not run.
    """

    name: str
    samples: list[Sample] = field(default_factory=list)
    content: str = ""
    does: str = ""
    missing: str = ""
    rows: int = 0

    @property
    def wall_s(self) -> list[float]:
        """Wall seconds of each sample."""
        return [sample.wall_s for sample in self.samples]

    @property
    def client_cpu_s(self) -> list[float]:
        """CPU seconds of the client, of each sample."""
        return [sample.client_cpu_s for sample in self.samples]

    @property
    def peak_mb(self) -> list[float]:
        """Peak memory of each sample."""
        return [sample.peak_mb for sample in self.samples]

    def server_cpu_s(self, server: str) -> list[float]:
        """CPU seconds of a server, of each sample that had it."""
        return [s.servers_cpu_s[server] for s in self.samples if server in s.servers_cpu_s]

    def own(self, name: str) -> list[float]:
        """What the process measured of itself under a name."""
        return [sample.own[name] for sample in self.samples if name in sample.own]


@dataclass
class Scenario:
    """What was measured beside what. `reference`: the name of the result that ratios are of.

    `rows`, `days`: of the shop's orders. `failed`: why it was ended early.
    """

    name: str
    title: str
    reference: str = ""
    results: list[Result] = field(default_factory=list)
    failed: str = ""
    made_on: str = ""
    rows: int = 0
    days: int = 0

    def result(self, name: str) -> Result | None:
        """The contestant of that name."""
        return next((one for one in self.results if one.name == name), None)


@dataclass
class Report:
    """Runs of the bench on one machine."""

    machine: Mapping[str, str] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    scenarios: list[Scenario] = field(default_factory=list)

    def scenario(self, name: str) -> Scenario | None:
        """The scenario of that name."""
        return next((one for one in self.scenarios if one.name == name), None)


def median(values: Sequence[float]) -> float | None:
    """The median, None of nothing."""
    return statistics.median(values) if values else None


def spread(values: Sequence[float]) -> tuple[float, float] | None:
    """The least and the most, None of nothing."""
    return (min(values), max(values)) if values else None


def ratio(values: Sequence[float], reference: Sequence[float]) -> float | None:
    """How many times the reference's median a median is; None where either lacks or is nothing."""
    own, other = median(values), median(reference)
    return own / other if own is not None and other else None


def to_json(report: Report) -> str:
    """The report as text, figures cut to what they are worth."""
    return json.dumps(_rounded(asdict(report)), indent=1, ensure_ascii=False) + "\n"


def from_json(text: str) -> Report:
    """The report that `to_json` wrote."""
    given = json.loads(text)
    scenarios = [
        Scenario(
            **{
                **scenario,
                "results": [
                    Result(**{**one, "samples": [Sample(**sample) for sample in one["samples"]]})
                    for one in scenario["results"]
                ],
            }
        )
        for scenario in given.pop("scenarios")
    ]
    return Report(**given, scenarios=scenarios)


def merged(before: Report, now: Report) -> Report:
    """The scenarios of `now` in place of those of the same names; the others stay as they were."""
    ours = {one.name: one for one in now.scenarios}
    kept = [ours.pop(one.name, one) for one in before.scenarios]
    versions = {**before.versions, **now.versions}
    return Report(now.machine, versions, [*kept, *ours.values()])


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_rounded(one) for one in value]
    return value
