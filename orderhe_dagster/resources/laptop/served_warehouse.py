"""The embedded warehouse as a database of many sessions, for a server. Nobody connects here."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.laptop.duckdb_file import remedy, remove_stillborn
from orderhe_dagster.resources.laptop.embedded_warehouse import REBUILD
from orderhe_dagster.resources.laptop.local_redshift import require_local_redshift
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.settings.config import MEMORY_MB
from orderhe_dagster.settings.folders import make_private
from orderhe_dagster.settings.locks import file_lock

if TYPE_CHECKING:
    from local_redshift.database.database import Database
    from local_redshift.database.storage import Roles

_LOCK_TIMEOUT_S = 10.0  # a person waits for the server to start


@contextmanager
def served_database(
    path: Path,
    store: Store,
    where: str,
    roles: Roles | None = None,
    isolation: str = "snapshot",
    memory_mb: int = MEMORY_MB,
) -> Iterator[Database]:
    """Hold the file for the block. Other processes that want it are told to connect to `where`.

    COPY and UNLOAD reach `store` as `roles` may; None: as they like, but the backups are written by
    nobody. The engine holds `memory_mb`.
    LockTimeout: somebody has the file; PortError: it cannot be read.
    """
    import duckdb

    require_local_redshift()
    from local_redshift.database.database import Database
    from local_redshift.database.storage import Role, Roles

    make_private(path.parent)
    instead = f"set ORDERHE_WAREHOUSE=redshift and the variables that it printed to use {where}, or stop it"
    kept = Role("default", everything=True, kept=(f"{store.url('backup')}/",))
    lock = file_lock(
        path, timeout_s=_LOCK_TIMEOUT_S, label=f"orderhe warehouse serve, {where}", remedy=instead
    )
    with lock, ExitStack() as stack:
        remove_stillborn(path)
        try:
            database = Database(
                path,
                resolver=resolver(store, stack),
                roles=roles or Roles(unlisted=kept),
                isolation=isolation,
                memory_mb=memory_mb,
            )
        except duckdb.IOException as error:
            raise PortError(remedy(path, str(error), REBUILD)) from error
        with database:
            yield database
