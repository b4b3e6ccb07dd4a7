"""What people are told of incidents: once when one begins, and once when it has ended.

What is an incident is `assets.incidents`' to say, how a message is sent `resources.notify`'s.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from orderhe_dagster.errors import counted

_MOST_TOLD = 20
"""Of more incidents at once the others are counted."""
_LONGEST = 1_200
"""Letters of one incident: the whole text stands in the Dagster UI."""


@dataclass(frozen=True)
class Incident:
    """Something that is wrong. `subject` names it among all: of one subject there is one incident.

    `what` happened, with its remedy; `where` else it can be seen; `since` is in UTC.
    """

    subject: str
    what: str
    where: str
    since: datetime
    is_warning: bool = False

    def lines(self, time_zone: str) -> list[str]:
        """The incident for a person."""
        what = self.what if len(self.what) <= _LONGEST else f"{self.what[:_LONGEST]} …"
        kind = "warning: " if self.is_warning else ""
        return [f"{kind}{self.subject}, since {_moment(self.since, time_zone)}", what, self.where]


@dataclass(frozen=True)
class Message:
    """What is sent: a title of one line, and a plain text."""

    title: str
    text: str


@dataclass
class Told:
    """What is known of incidents from before: those that are open, and who was told of which.

    `addresses`: a mark of each address -> the subjects that it was told of, and not yet that they
    ended, and since when they were. `looked_at`: until when runs were looked at.
    """

    incidents: dict[str, Incident] = field(default_factory=dict)
    addresses: dict[str, dict[str, str]] = field(default_factory=dict)
    looked_at: float | None = None

    @classmethod
    def read(cls, text: str | None) -> Told:
        """What `text` keeps; nothing where there is none, or another version's: rather told twice."""
        try:
            kept = json.loads(text or "{}")
            return cls(
                {one["subject"]: _incident(one) for one in kept.get("incidents", [])},
                kept.get("addresses", {}),
                kept.get("looked_at"),
            )
        except (TypeError, KeyError, ValueError):
            return cls()

    def text(self) -> str:
        """All of it, to be kept."""
        return json.dumps(
            {
                "incidents": [
                    {**asdict(one), "since": one.since.isoformat()}
                    for one in self.incidents.values()
                ],
                "addresses": self.addresses,
                "looked_at": self.looked_at,
            }
        )

    def news(self, mark: str, shop: str, time_zone: str) -> Message | None:
        """What the address has not been told; None where that is nothing."""
        told = self.addresses.get(mark, {})
        begun = [one for subject, one in self.incidents.items() if subject not in told]
        ended = [
            f"{subject}, since {_moment(datetime.fromisoformat(since), time_zone)}"
            for subject, since in told.items()
            if subject not in self.incidents
        ]
        if not begun and not ended:
            return None
        heads = [
            *([counted(len(begun), "problem begins", "problems begin")] if begun else []),
            *([counted(len(ended), "problem has", "problems have") + " ended"] if ended else []),
        ]
        lines = [line for one in begun[:_MOST_TOLD] for line in (*one.lines(time_zone), "")]
        if len(begun) > _MOST_TOLD:
            lines += [f"… and {len(begun) - _MOST_TOLD} more: orderhe alerts lists all", ""]
        lines += [f"ended: {text}" for text in ended[:_MOST_TOLD]]
        if len(ended) > _MOST_TOLD:
            lines.append(f"… and {len(ended) - _MOST_TOLD} more")
        still = len(self.incidents) - len(begun)
        if still:
            lines.append(f"still open: {counted(still, 'problem')} told before")
        return Message(f"{shop}: {', '.join(heads)}", "\n".join(lines).strip())

    def note(self, mark: str) -> None:
        """The address has been told all there is."""
        self.addresses[mark] = {
            subject: one.since.isoformat() for subject, one in self.incidents.items()
        }


def _moment(at: datetime, time_zone: str) -> str:
    return f"{at.astimezone(ZoneInfo(time_zone)):%Y-%m-%d %H:%M %Z}"


def _incident(kept: Mapping[str, Any]) -> Incident:
    return Incident(**{**kept, "since": datetime.fromisoformat(kept["since"])})


def open_lines(incidents: Iterable[Incident], time_zone: str) -> Sequence[str]:
    """All that is open, for a terminal."""
    shown = list(incidents)
    lines = [line for one in shown for line in (*one.lines(time_zone), "")]
    return [*lines, counted(len(shown), "problem is", "problems are") + " open"]
