"""What is closed when its `with` block ends. What closing means is each class's own."""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import TypeVar

_C = TypeVar("_C", bound="Closing")


class Closing(ABC):
    """Its `with` block gives the object itself, and closes it at the end."""

    @abstractmethod
    def close(self) -> None:
        """Let go of everything."""

    def __enter__(self: _C) -> _C:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
