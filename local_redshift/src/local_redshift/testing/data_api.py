"""The Data API of a local Redshift for tests: in this process, on a free port of the loopback.

The access key is that of `server`'s user: its name, and its password as the secret.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from local_redshift.data_api.server import DataApi
from local_redshift.data_api.signature import Key
from local_redshift.database.database import Database
from local_redshift.testing.certificates import LOOPBACK, Authority
from local_redshift.testing.server import PASSWORD, USER


@contextmanager
def asked(database: Database, authority: Authority | None = None, **more: Any) -> Iterator[DataApi]:
    """The Data API of a database for the block, with TLS where there is an authority."""
    context = None
    if authority is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*authority.sign(*LOOPBACK))
    with DataApi(database, {USER: Key(USER, PASSWORD)}, context, **more) as api:
        yield api
