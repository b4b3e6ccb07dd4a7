"""What the person says of a file beside its name: by flags, and by the lines of a map."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace

from orderhe_dagster.errors import OrderheError


class WrongHint(OrderheError):
    """A flag or a line of a map that says nothing that can be followed; the text says what can."""


@dataclass(frozen=True)
class Hints:
    """None, or an empty text: the file is looked at."""

    encoding: str | None = None
    sheet: str | None = None
    member: str | None = None
    separator: str | None = None
    decimal: str | None = None
    dates: str | None = None
    null: tuple[str, ...] = ()
    run_python: bool = False

    def __post_init__(self) -> None:
        if self.separator in {"tab", r"\t"}:
            object.__setattr__(self, "separator", "\t")
        if self.separator is not None and len(self.separator) != 1:
            raise WrongHint("--separator takes one sign: , ; | or tab")
        if self.decimal not in {None, ".", ","}:
            raise WrongHint("--decimal takes the sign before the fraction: . or ,")
        if self.dates not in {None, "dmy", "mdy"}:
            raise WrongHint("--dates takes the order of day, month and year: dmy or mdy")

    def over(self, other: Hints) -> Hints:
        """These hints, and the other's where these say nothing."""
        own = {
            field.name: getattr(self, field.name)
            for field in fields(self)
            if getattr(self, field.name)
        }
        return replace(other, **own)
