"""Stacks: what CloudFormation has made here, by name, with what each tells. Only read."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Stack:
    """A stack, how it stands in CloudFormation's own words, and its outputs."""

    name: str
    status: str
    outputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def stands(self) -> bool:
        """Whether it is as its template has it, so that its outputs are true."""
        return self.status in (
            *("CREATE_COMPLETE", "UPDATE_COMPLETE", "UPDATE_ROLLBACK_COMPLETE"),
            "IMPORT_COMPLETE",
        )


class Stacks(ABC):
    """The stacks of an account and region. PortError where AWS does not tell."""

    @property
    @abstractmethod
    def region(self) -> str:
        """The region that is asked."""

    @abstractmethod
    def stack(self, name: str) -> Stack | None:
        """The stack of that name, None where there is none."""
