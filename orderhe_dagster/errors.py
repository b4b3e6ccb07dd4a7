"""The root of the errors that are worded for the person who meets them, and how they count.

::

    OrderheError
    ├── ports.errors.PortError (and what it roots)
    ├── commands.days.LaunchError
    ├── intake.files.refusals.Unreadable
    └── intake.importing.ImportProblems, WrongHint
"""


class OrderheError(Exception):
    """What went wrong, where, and the next action: shown as it is, without a traceback."""


def counted(number: int, one: str, more: str = "") -> str:
    """A number and what it counts: `1 row`, `1,200 rows`; `more` where an `s` does not make the plural."""
    return f"{number:,} {one if number == 1 else more or one + 's'}"
