"""How far a run goes by itself: what it proves and what it may carry on, by settings and its own tags."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from orderhe_dagster.road.guards import ACCEPT_TAG, MAY_BE_EMPTY_TAG, REASONS, Rules
from orderhe_dagster.road.rota import Budget
from orderhe_dagster.settings.config import Settings

PROVE_TAG = "orderhe/prove"
"""Tag of a run: `all` lets it prove every segment of every table, whatever that costs."""
REPLAY_TAG = "orderhe/replay"
"""Tag of a run: the raw tables, with commas between, of which what stands in quarantine is read again."""


@dataclass(frozen=True)
class Policy:
    """What the settings say: how much of the source a daily run proves, how much of backups and warehouse."""

    source: Budget = field(default_factory=Budget)
    copies: Budget = field(default_factory=Budget)
    most_lost: float = 0.5

    @classmethod
    def of(cls, settings: Settings) -> Policy:
        """The policy of these settings."""
        rows = settings.proof_rows
        is_server = settings.source == "mysql"
        return cls(
            source=Budget(
                rows or (1_000_000 if is_server else 5_000_000),
                float(settings.proof_seconds) if is_server else None,
            ),
            copies=Budget(rows or 5_000_000),
            most_lost=settings.most_lost / 100,
        )

    def of_source(self, tags: Mapping[str, str]) -> Rules:
        """The rules of a run that reads the source."""
        return self._rules(self.source, tags)

    def of_copies(self, tags: Mapping[str, str]) -> Rules:
        """The rules of a run that measures what is in the warehouse."""
        return self._rules(self.copies, tags)

    def _rules(self, budget: Budget, tags: Mapping[str, str]) -> Rules:
        accepted = _words(tags.get(ACCEPT_TAG, ""))
        return Rules(
            budget=replace(budget, everything=tags.get(PROVE_TAG) == "all"),
            accepted=accepted & REASONS.keys(),
            may_be_empty=tags.get(MAY_BE_EMPTY_TAG) == "true",
            most_lost=self.most_lost,
            replayed=_words(tags[REPLAY_TAG]) if REPLAY_TAG in tags else None,
        )


def _words(value: str) -> set[str]:
    """The words of a tag, with commas between."""
    return {word.strip() for word in value.split(",")}
