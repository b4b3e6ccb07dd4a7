"""A local Redshift on its wire protocol for the tests: in this process, on a free port of the loopback.

Fixtures: `redshift` (a server on an empty database in memory, for one test) and `redshift_authority`
(the session's CA). A test that needs a file, a store or other limits starts a server by `serving`.
"""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

try:
    import pytest
except ModuleNotFoundError as error:
    raise ModuleNotFoundError(
        "local_redshift.testing.server holds fixtures of pytest, which is not installed: "
        "pip install pytest",
        name="pytest",
    ) from error

from local_redshift.database.database import NOWHERE, Database
from local_redshift.database.passwords import Verifier
from local_redshift.database.storage import Resolver
from local_redshift.testing.certificates import LOOPBACK, Authority
from local_redshift.wire.handshake import Door
from local_redshift.wire.server import Server

USER, PASSWORD, DATABASE = "admin", 'the pass\'word \\ of "admin"', "dev"
HOST = "127.0.0.1"
_VERIFIER = Verifier.of(PASSWORD)


@dataclass(frozen=True)
class Redshift:
    """A server that runs. `ca` is the file of the CA that signed its certificate; "": no TLS."""

    server: Server
    database: Database
    ca: str
    host: str = HOST
    user: str = USER
    password: str = PASSWORD
    database_name: str = DATABASE

    @property
    def port(self) -> int:
        """Where it listens."""
        return self.server.port

    def connect(self, **more: Any) -> Any:
        """A connection of the unmodified redshift-connector; `more` are arguments of its own."""
        import redshift_connector

        arguments: dict[str, Any] = {
            "host": self.host,
            "port": self.port,
            "user": self.user,
            "password": self.password,
            "database": self.database_name,
            "timeout": 60,
            **({"ssl": True, "sslmode": "verify-full"} if self.ca else {"ssl": False}),
        }
        with pytest.MonkeyPatch.context() as patch:
            if self.ca:  # the driver takes no CA file, but OpenSSL reads where its own are
                patch.setenv("SSL_CERT_FILE", self.ca)
            return redshift_connector.connect(**{**arguments, **more})

    @property
    def psql_environment(self) -> dict[str, str]:
        """What psql reads of its environment."""
        return {
            "PATH": os.environ["PATH"],
            "PGHOST": self.host,
            "PGPORT": str(self.port),
            "PGUSER": self.user,
            "PGPASSWORD": self.password,
            "PGDATABASE": self.database_name,
            **(
                {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": self.ca}
                if self.ca
                else {"PGSSLMODE": "disable"}
            ),
        }


@contextmanager
def serving(
    path: str | Path = ":memory:",
    *,
    authority: Authority | None = None,
    resolver: Resolver = NOWHERE,
    **limits: Any,
) -> Iterator[Redshift]:
    """A server for the block, with TLS where there is an authority. `limits` are `Server`'s."""
    context = None
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate, key = authority.sign(*LOOPBACK)
        context.load_cert_chain(certificate, key)
    door = Door({USER: _VERIFIER}, context)
    with Database(path, resolver=resolver) as database, Server(database, door, **limits) as server:
        yield Redshift(server, database, str(authority.file) if authority else "")


@pytest.fixture(scope="session")
def redshift_authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """The CA of the session's local Redshifts."""
    return Authority(tmp_path_factory.mktemp("redshift-tls"))


@pytest.fixture
def redshift(redshift_authority: Authority) -> Iterator[Redshift]:
    """A server with TLS on an empty database in memory, for this test alone."""
    with serving(authority=redshift_authority) as served:
        yield served
