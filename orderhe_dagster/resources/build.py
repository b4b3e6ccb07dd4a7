"""The doors to the outside: settings to Source, Store and Warehouse. No adapter imports this."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from orderhe_dagster.settings.home import home_of

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from pathlib import Path

    from local_redshift.database.database import Database
    from local_redshift.database.storage import Roles
    from orderhe_dagster.ports.cloud import Cloud
    from orderhe_dagster.ports.source import Source
    from orderhe_dagster.ports.stacks import Stacks
    from orderhe_dagster.ports.store import Store
    from orderhe_dagster.ports.warehouse import Warehouse
    from orderhe_dagster.resources.laptop.memory_warehouse import MemorySession
    from orderhe_dagster.settings.config import Settings

LINGER_S = 1.0
"""How long a run leaves the embedded databases open after a session."""


def send_alert(address: str, title: str, text: str) -> None:
    """Hand a message over to one address of ORDERHE_ALERTS. NotSent."""
    from orderhe_dagster.resources.notify import send

    send(address, title, text)


def build_cloud() -> Cloud:
    """AWS's control plane, with the credentials that AWS's own settings name."""
    from orderhe_dagster.resources.aws.cloud import AWSCloud

    return AWSCloud()


def build_stacks() -> Stacks:
    """CloudFormation's stacks, with the credentials and in the region that AWS's own settings name."""
    from orderhe_dagster.resources.aws.stacks import AWSStacks

    return AWSStacks()


def build_source(settings: Settings, linger_s: float = 0.0) -> Source:
    """The shop's database that the settings choose; `linger_s` is for many sessions (`EmbeddedSource`)."""
    if settings.source == "mysql":
        from orderhe_dagster.resources.mysql.source import MySQLSource

        return MySQLSource(settings.mysql, settings.memory_mb)

    from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource

    return EmbeddedSource(
        str(home_of(settings).shop),
        lock_timeout_s=settings.lock_timeout,
        linger_s=linger_s,
        memory_mb=settings.memory_mb,
    )


def build_named_source(settings: Settings, text: str) -> Source:
    """The database that a person names: `mysql://user:password@host:port/database`, `duckdb:FILE`.

    What it does not say (password, TLS, timeouts) is the settings' ORDERHE_MYSQL_*. SettingsError.
    """
    from pathlib import Path

    from orderhe_dagster.settings.databases import mysql_of

    scheme, _, rest = text.partition(":")
    if scheme == "duckdb" and rest:
        from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource

        return EmbeddedSource(str(Path(rest).absolute()), memory_mb=settings.memory_mb)

    from orderhe_dagster.resources.mysql.source import MySQLSource

    return MySQLSource(mysql_of(text, settings.mysql), settings.memory_mb)


def build_scratch_source(settings: Settings, folder: Path) -> Source:
    """An empty source of its own in a folder, gone with it: for drills."""
    from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource

    return EmbeddedSource(str(folder / "drill.duckdb"), memory_mb=settings.memory_mb)


def build_store(settings: Settings) -> Store:
    """The object store that the settings choose."""
    if settings.store == "s3":
        from orderhe_dagster.resources.s3.store import S3Store

        return S3Store(settings.s3)

    from orderhe_dagster.resources.laptop.folder_store import FolderStore

    given = settings.s3
    return FolderStore(
        str(home_of(settings).store),
        bucket=given.bucket,
        prefix=given.prefix,
        lock_timeout_s=settings.lock_timeout,
    )


def build_warehouse(settings: Settings, linger_s: float = 0.0) -> Warehouse:
    """The warehouse that the settings choose; `linger_s` is for many sessions (`EmbeddedWarehouse`)."""
    if settings.warehouse == "redshift":
        from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse

        return RedshiftWarehouse(settings.redshift, store=build_store(settings))

    if settings.warehouse == "data_api":
        from orderhe_dagster.resources.redshift.data_api import DataApiWarehouse

        return DataApiWarehouse(settings.redshift, store=build_store(settings))

    from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse

    path = str(home_of(settings).warehouse)
    return EmbeddedWarehouse(
        path,
        store=build_store(settings),
        lock_timeout_s=settings.lock_timeout,
        linger_s=linger_s,
        memory_mb=settings.memory_mb,
    )


def requests_to_s3(settings: Settings) -> dict[str, int]:
    """How many requests of each kind this process has sent to S3 so far; none where the store is a folder."""
    if settings.store != "s3":
        return {}
    from orderhe_dagster.resources.s3.client import requests_made

    return requests_made()


def build_ahead(settings: Settings, store: Store, folder: Path) -> Store:
    """A store that reads `store`, and writes into a folder of this machine instead, gone with it."""
    from orderhe_dagster.resources.laptop.ahead_store import AheadStore
    from orderhe_dagster.resources.laptop.folder_store import FolderStore

    given = settings.s3
    return AheadStore(store, FolderStore(str(folder), bucket=given.bucket, prefix=given.prefix))


def build_rehearsal(settings: Settings, store: Store, folder: Path) -> tuple[Store, Warehouse]:
    """Store and warehouse as a run would leave them, in a folder of this machine, gone with it.

    The embedded warehouse is copied, `store` is read; neither is changed. Only for an embedded warehouse.
    """
    import shutil

    from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
    from orderhe_dagster.settings.locks import file_lock

    file, copy = home_of(settings).warehouse, folder / "warehouse.duckdb"
    ahead = build_ahead(settings, store, folder / "s3")
    close_idle()
    with file_lock(file, shared=True, timeout_s=settings.lock_timeout, label="copy for a plan"):
        for ending in ("", ".wal"):  # the second, where a process died
            if (there := file.with_name(file.name + ending)).exists():
                shutil.copyfile(there, copy.with_name(copy.name + ending))
    warehouse = EmbeddedWarehouse(
        str(copy), store=ahead, linger_s=LINGER_S, memory_mb=settings.memory_mb
    )
    return ahead, warehouse


def close_idle() -> None:
    """Close what adapters of this machine keep open between two sessions."""
    from orderhe_dagster.resources.laptop.kept_open import IDLE

    IDLE.close()


def build_served_warehouse(
    settings: Settings, where: str, roles: Roles | None, isolation: str
) -> AbstractContextManager[Database]:
    """The embedded warehouse for a server at `where`, whatever warehouse the settings choose."""
    from orderhe_dagster.resources.laptop.served_warehouse import served_database
    from orderhe_dagster.settings.home import home_of

    store = build_store(settings)
    return served_database(
        home_of(settings).warehouse, store, where, roles, isolation, settings.memory_mb
    )


def build_parquet_query(
    settings: Settings,
) -> Callable[[Path], AbstractContextManager[Callable[[str], list[tuple[Any, ...]]]]]:
    """What opens a DuckDB without a file, to ask Parquet files of this machine.

    It is given a folder, which takes what memory does not.
    """

    def opened(folder: Path) -> AbstractContextManager[Callable[[str], list[tuple[Any, ...]]]]:
        from orderhe_dagster.resources.extract.parquet_query import parquet_query

        return parquet_query(folder, settings.memory_mb)

    return opened


def build_memory_warehouse() -> AbstractContextManager[MemorySession]:
    """A warehouse in memory for one user, gone afterwards: for examples."""
    from orderhe_dagster.resources.laptop.memory_warehouse import memory_session

    return memory_session()


def build_resources(settings: Settings) -> dict[str, Source | Store | Warehouse]:
    """All three, by the names that assets ask for: for a run, whose sessions follow one another."""
    return {
        "source": build_source(settings, LINGER_S),
        "store": build_store(settings),
        "warehouse": build_warehouse(settings, LINGER_S),
    }
