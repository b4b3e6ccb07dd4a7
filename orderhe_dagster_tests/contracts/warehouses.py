"""Warehouses under contract. An implementation joins by one line, and lists its differences.

Differences, with their reasons:

- embedded: a reading session cannot write (the file is opened so); on Redshift the user's rights say
  what may be written.
- embedded: one session at a time may write to the file, so a writer waits for others to end, where
  on Redshift it waits for a table.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from orderhe_dagster.resources.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.local_store import FolderStore
from orderhe_dagster.resources.ports import Warehouse

WAREHOUSES: dict[str, Callable[[Path, FolderStore], Warehouse]] = {
    "embedded": lambda home, store: EmbeddedWarehouse(
        path=str(home / "w.duckdb"), store=store, lock_timeout_s=60
    ),
}
