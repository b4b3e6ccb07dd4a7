"""A password: asked for at each connect, shown to nobody. Where it is read from: `config`."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn


class Secret:
    """What is secret, by the function that tells it now: a value that was rotated is the next answer.

    It has no text, no value in a comparison and no form in which it could be written down.
    """

    __slots__ = ("_ask",)

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask

    @classmethod
    def of(cls, value: str) -> Secret:
        """A secret that stays what it is."""
        return cls(lambda: value)

    def reveal(self) -> str:
        """The secret as it is now. SettingsError where it has gone."""
        return self._ask()

    def __repr__(self) -> str:
        return "Secret(…)"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a secret is not written down: it is asked for where it is needed")


NO_SECRET = Secret.of("")
"""There is no password."""
