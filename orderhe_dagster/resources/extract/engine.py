"""DuckDB's engines for a read or a look at files: how much memory one takes. Nothing is asked here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from math import ceil
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.settings.config import MEMORY_MB
from orderhe_dagster.settings.interrupts import interruptible

if TYPE_CHECKING:
    import duckdb

_BASE_MB, _COLUMN_MB = 80, 0.25
"""What an engine takes besides, and of a column that it reads, sorts by days and writes."""
Options = dict[str, str | bool | int | float | list[str]]
"""What DuckDB is opened with."""


def bounded(memory_mb: int, spill: Path) -> Options:
    """The options of an engine that holds so much; the rest goes into the folder `spill`, until it closes."""
    return {"memory_limit": f"{memory_mb}MB", "temp_directory": spill.as_posix()}


def held_mb(memory_mb: int, columns: int) -> int:
    """How much an engine holds for a table of so many columns: some of each must be there at once."""
    return max(memory_mb, _BASE_MB + ceil(columns * _COLUMN_MB))


@contextmanager
def reader(folder: Path, memory_mb: int = MEMORY_MB) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine without a file, to read what was written into `folder`."""
    import duckdb

    options = bounded(memory_mb, spill_of(folder))
    with closing(duckdb.connect(config=options)) as connection, interruptible(connection.interrupt):
        yield connection


def spill_of(folder: Path) -> Path:
    """Where an engine that writes into a folder puts what its memory does not hold: beside it."""
    return folder.with_name(f"{folder.name}.spill")
