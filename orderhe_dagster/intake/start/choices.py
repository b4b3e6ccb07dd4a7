"""A choice among tables or columns: by a flag, by a person, or by the best guess. No shop is known here."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from orderhe_dagster.errors import OrderheError

Ask = Callable[[str, str | None, Sequence[str]], str]
"""Ask a person: the question, the guess that Enter takes, what else there is. Returns the answer."""
NONE = "none"
MOST_QUESTIONS = 10


class StartError(OrderheError):
    """The marts cannot be written. The text names the flag that says what is what."""


@dataclass
class Choices:
    """The choices of one run: what flags say, whom to ask where it is unsure, and what came of it."""

    answers: Mapping[str, str] = field(default_factory=dict)  # flag, without dashes -> value
    ask: Ask | None = None
    asked: int = 0
    notes: list[str] = field(default_factory=list)
    """What was guessed without being sure, with the flag that says otherwise."""

    def one(
        self,
        flag: str,
        question: str,
        scored: Iterable[tuple[float, str]],
        known: Sequence[str],
        margin: float = 2,
    ) -> str | None:
        """The name with the highest score, or what the flag says; None where there is none.

        It is sure where no other comes within `margin`. `known`: what the flag may say. StartError.
        """
        if flag in self.answers:
            return self._said(flag, self.answers[flag], known)
        ranked = [name for _, name in sorted(scored, key=lambda one: -one[0])]
        scores = sorted((score for score, _ in scored), reverse=True)
        if not ranked:
            return None
        if len(ranked) == 1 or scores[0] - scores[1] >= margin:
            return ranked[0]
        guess = ranked[0]
        if self.ask is not None and self.asked < MOST_QUESTIONS:
            self.asked += 1
            return self._said(flag, self.ask(question, guess, ranked[1:6]), known)
        self.notes.append(f"{question}: {guess} was taken; --{flag} names another ({ranked[1]}, …)")
        return guess

    def words(self, flag: str, guess: Sequence[str]) -> tuple[str, ...]:
        """Values that a flag lists with commas between, or the guess."""
        if flag not in self.answers:
            return tuple(guess)
        text = self.answers[flag].strip()
        listed = [word.strip() for word in text.split(",")]
        return () if text == NONE else tuple(word for word in listed if word)

    def _said(self, flag: str, said: str, known: Sequence[str]) -> str | None:
        bare = said.strip()
        if bare.lower() == NONE:
            return None
        for name in known:
            if name.lower() == bare.lower():
                return name
        near = difflib.get_close_matches(bare, known, n=3)
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
        raise StartError(f"--{flag} {bare}: there is none of that name; {hint}")
