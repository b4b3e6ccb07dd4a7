"""A strict local Redshift: its SQL, COPY, transactions and wire protocol on DuckDB. Its public names.

Each is loaded when it is first asked for, so that to import this package costs nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local_redshift.database.database import Database
    from local_redshift.database.folder import folder_store
    from local_redshift.database.passwords import Verifier
    from local_redshift.database.results import Rows, Stream
    from local_redshift.database.roles_file import read_roles
    from local_redshift.database.storage import NoSuchBucket, Resolver, Roles
    from local_redshift.errors import RedshiftError
    from local_redshift.session.engine import Engine, connect
    from local_redshift.wire.certificates import own_certificates, own_password
    from local_redshift.wire.handshake import Door
    from local_redshift.wire.server import Server

__all__ = [
    "Database",
    "Door",
    "Engine",
    "NoSuchBucket",
    "RedshiftError",
    "Resolver",
    "Roles",
    "Rows",
    "Server",
    "Stream",
    "Verifier",
    "connect",
    "folder_store",
    "own_certificates",
    "own_password",
    "read_roles",
]

_MODULES = {
    "database.database": ("Database",),
    "database.folder": ("folder_store",),
    "database.results": ("Rows", "Stream"),
    "database.roles_file": ("read_roles",),
    "database.storage": ("NoSuchBucket", "Resolver", "Roles"),
    "errors": ("RedshiftError",),
    "session.engine": ("Engine", "connect"),
    "database.passwords": ("Verifier",),
    "wire.certificates": ("own_certificates", "own_password"),
    "wire.handshake": ("Door",),
    "wire.server": ("Server",),
}


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})


def __getattr__(name: str) -> Any:
    from importlib import import_module

    for module, names in _MODULES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
