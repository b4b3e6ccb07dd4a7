"""Warehouses under contract. An implementation joins by one line, and lists its differences.

Differences, with their reasons:

- embedded: a reading session cannot write (the file is opened so); on Redshift the user's rights say
  what may be written.
- embedded: one session at a time may write to the file, so a writer waits for others to end, where
  on Redshift it waits for a table.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from local_redshift.testing import server as wire
from local_redshift.testing.certificates import Authority
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import RedshiftSettings
from orderhe_dagster.settings.secret import Secret


@contextmanager
def _embedded(home: Path, store: FolderStore, _authority: Authority) -> Iterator[Warehouse]:
    yield EmbeddedWarehouse(path=str(home / "w.duckdb"), store=store, lock_timeout_s=60)


@contextmanager
def _redshift(home: Path, store: FolderStore, authority: Authority) -> Iterator[Warehouse]:
    """The production adapter and driver, with TLS, to the local Redshift's wire server."""
    with (
        ExitStack() as stack,
        wire.serving(
            home / "w.duckdb", authority=authority, resolver=resolver(store, stack)
        ) as server,
    ):
        yield over_the_wire(server)


def over_the_wire(server: wire.Redshift, **more: Any) -> RedshiftWarehouse:
    """The production adapter to a server of the tests; `more` are settings of another kind."""
    given: dict[str, Any] = {
        "host": server.host,
        "port": server.port,
        "user": server.user,
        "password": Secret.of(server.password),
        "database": server.database_name,
        "ssl_ca": server.ca,
    }
    return RedshiftWarehouse(RedshiftSettings(**{**given, **more}))


WAREHOUSES: dict[
    str, Callable[[Path, FolderStore, Authority], AbstractContextManager[Warehouse]]
] = {
    "embedded": _embedded,
    "redshift": _redshift,
}
