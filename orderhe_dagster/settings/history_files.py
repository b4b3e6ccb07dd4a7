"""The files of Dagster's history in a home: which of them SQLite finds damaged. Nothing is read of runs.

SQLite keeps no checksum: its `integrity_check` sees a page that cannot be, not a letter that is another.
"""

from __future__ import annotations

import shlex
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

_PARTS = {
    "history": "a new history begins; no rows are kept there",
    "schedules": "which schedules and sensors are on begins anew; no rows are kept there",
}
"""The folders of a Dagster home with SQLite files, and what becomes of one that is moved away."""
_WAIT_S = 5.0


@dataclass(frozen=True)
class DamagedFile:
    """A file that SQLite cannot read as it should be, what it says of it, and what helps."""

    file: Path
    problem: str
    folder: Path
    then: str

    def sentence(self) -> str:
        """The file, what is wrong with it, and the command that helps."""
        return (
            f"{self.file}: {self.problem}. Stop what uses it, and move {self.folder} away: {self.command}; "
            f"{self.then}"
        )

    @property
    def command(self) -> str:
        """The command that moves the folder of the file away."""
        aside = self.folder.with_name(f"{self.folder.name}.damaged")
        return f"mv {shlex.quote(str(self.folder))} {shlex.quote(str(aside))}"


def damaged(dagster: Path) -> Iterator[DamagedFile]:
    """The damaged files of the Dagster home at `dagster`; one that is in use for long is passed over."""
    for name, then in _PARTS.items():
        for file in sorted((dagster / name).rglob("*.db")):
            problem = _problem(file)
            if problem:
                yield DamagedFile(file, problem, dagster / name, then)


def _problem(file: Path) -> str:
    """What SQLite says of a file; '' of a sound one."""
    try:
        with closing(sqlite3.connect(file, timeout=_WAIT_S)) as connection:
            (first, *_), *_ = connection.execute("pragma integrity_check(1)").fetchall()
            return "" if first == "ok" else str(first).splitlines()[0]
    except sqlite3.OperationalError as error:  # locked, or no disk left: not of the file's bytes
        return "" if "lock" in str(error) or "full" in str(error) else str(error)
    except sqlite3.DatabaseError as error:
        return str(error)
