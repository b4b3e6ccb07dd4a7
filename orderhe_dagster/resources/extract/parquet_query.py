"""Selects over local Parquet files, by DuckDB, in bounded memory. What is asked is the caller's business."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.extract.engine import Options, bounded
from orderhe_dagster.settings.config import MEMORY_MB
from orderhe_dagster.settings.interrupts import interruptible


@contextmanager
def parquet_query(
    folder: Path, memory_mb: int = MEMORY_MB
) -> Iterator[Callable[[str], list[tuple[Any, ...]]]]:
    """Give what runs a select and returns its rows; it holds no more than `memory_mb` of its own.

    What does not fit goes into `folder`, which is the caller's to remove. PortError where a file
    cannot be read.
    """
    import duckdb

    config: Options = {**bounded(memory_mb, folder), "preserve_insertion_order": False}
    with closing(duckdb.connect(config=config)) as connection:

        def query(sql: str) -> list[tuple[Any, ...]]:
            try:
                with interruptible(connection.interrupt):
                    return connection.execute(sql).fetchall()
            except duckdb.Error as error:
                first = str(error).splitlines()[0]
                raise PortError(f"Parquet files cannot be compared: {first}") from error

        yield query
