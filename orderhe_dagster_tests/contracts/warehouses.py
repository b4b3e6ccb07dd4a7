"""Warehouses under contract. An implementation joins by one line, and lists its differences.

Differences, with their reasons:

- embedded: a reading session cannot write (the file is opened so); on Redshift the user's rights say
  what may be written.
- embedded: one session at a time may write to the file, so a writer waits for others to end, where
  on Redshift it waits for a table.
- data_api: a stream comes once the query is done, page by page; the driver's begins before.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest

from local_redshift.data_api.operations import WORKGROUP
from local_redshift.data_api.server import DataApi
from local_redshift.database.database import Database
from local_redshift.testing import data_api
from local_redshift.testing import server as wire
from local_redshift.testing.certificates import Authority
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.redshift.data_api import DataApiWarehouse
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import RedshiftSettings
from orderhe_dagster.settings.secret import Secret
from orderhe_dagster_tests.servers.s3 import use


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


@contextmanager
def _data_api(home: Path, store: FolderStore, authority: Authority) -> Iterator[Warehouse]:
    """The production adapter and AWS's client, with TLS and signatures, to the local Redshift's Data API."""
    with (
        ExitStack() as stack,
        Database(home / "w.duckdb", resolver=resolver(store, stack)) as database,
        data_api.asked(database, authority) as api,
        pytest.MonkeyPatch.context() as patch,
    ):
        use(patch, CREDENTIALS)
        yield by_the_data_api(api, str(authority.file))


CREDENTIALS = {"AWS_ACCESS_KEY_ID": wire.USER, "AWS_SECRET_ACCESS_KEY": wire.PASSWORD}
"""The access key of the local Redshift's own user."""


def by_the_data_api(api: DataApi, ca: str = "", **more: Any) -> DataApiWarehouse:
    """The production adapter to a Data API of the tests; `more` are settings of another kind."""
    given: dict[str, Any] = {"workgroup": WORKGROUP, "endpoint_url": api.url, "ssl_ca": ca}
    return DataApiWarehouse(RedshiftSettings(**{**given, **more}))


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
    "data_api": _data_api,
}


def counted_at_once(made: Warehouse, adders: int, times: int) -> int:
    """What several sessions add up to that count one row up, each so many times, at once.

    Each reads first, so that its snapshot is older than what the others commit: Redshift's 1023.
    """
    with made.session("make") as session:
        session.execute("create table counted (id int, held int)")
        session.execute("insert into counted values (1, 0)")
    errors: list[BaseException] = []

    def add(number: int) -> None:
        try:
            with made.session(f"adder {number}") as session:
                for _ in range(times):
                    session.transaction(
                        [
                            "select held from counted",
                            "update counted set held = held + 1 where id = 1",
                        ]
                    )
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(adders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    held: int = made.query("select held from counted").scalar()
    return held
