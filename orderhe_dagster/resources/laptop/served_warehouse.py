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

_KEPT = ("backup/", "imports/", "restore/")
"""What the platform keeps in a store, by itself or below the prefix of another shop in the same bucket."""
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

    COPY and UNLOAD reach `store` as `roles` may; None: as they like, but what the platform keeps there is
    written by nobody. A role is named by those users alone who were granted it. The engine holds
    `memory_mb`.
    LockTimeout: somebody has the file; PortError: it cannot be read.
    """
    import duckdb

    require_local_redshift()
    from local_redshift.database.database import Database
    from local_redshift.database.storage import Role, Roles

    make_private(path.parent)
    instead = f"set ORDERHE_WAREHOUSE=redshift and the variables that it printed to use {where}, or stop it"
    kept = tuple(f"{store.url('k')[:-1]}**/{folder}" for folder in _KEPT)
    lock = file_lock(
        path, timeout_s=_LOCK_TIMEOUT_S, label=f"orderhe warehouse serve, {where}", remedy=instead
    )
    with lock, ExitStack() as stack:
        remove_stillborn(path)
        try:
            database = Database(
                path,
                resolver=resolver(store, stack),
                roles=roles or Roles(unlisted=Role("default", everything=True, kept=kept)),
                isolation=isolation,
                memory_mb=memory_mb,
            )
        except duckdb.IOException as error:
            raise PortError(remedy(path, str(error), REBUILD)) from error
        with database:
            _let_nobody_name_a_role(database)
            yield database


def _let_nobody_name_a_role(database: Database) -> None:
    """Take from everybody what Redshift gives everybody: a reader of marts could COPY the backups by a role.

    Superusers may all the same, and whoever was granted it.
    """
    from local_redshift.session.engine import connect
    from local_redshift.values.rights import PUBLIC

    with connect(database) as session:
        rights = session.catalog.rights
        if any(right.kind == "assumerole" and right.grantee == PUBLIC for right in rights):
            session.execute("revoke assumerole on all from public for all")
