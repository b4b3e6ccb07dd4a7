"""CSV files of a few rows, as the product writes them."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from orderhe_dagster.rendering.csv_files import Written, csv_file


def write_csv(
    path: Path,
    columns: Sequence[str],
    rows: Iterable[Sequence[Any]],
    part_bytes: int = sys.maxsize,
) -> Written:
    """A new CSV file at `path` with these rows."""
    with csv_file(path, columns, part_bytes) as file:
        file.add(rows)
        return file.written(path)
