"""The doors to the outside: settings to Source, Store and Warehouse. No adapter imports this."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from local_redshift.copy.storage import Roles
    from local_redshift.session.database import Database
    from orderhe_dagster.ports.source import Source, Store, Warehouse
    from orderhe_dagster.resources.laptop.private_warehouse import PrivateSession
    from orderhe_dagster.settings.config import Settings


def build_source(settings: Settings) -> Source:
    """The shop's database that the settings choose."""
    if settings.source == "mysql":
        from orderhe_dagster.resources.mysql.source import MySQLSource
        from orderhe_dagster.resources.secrets import keep

        given = dataclasses.asdict(settings.mysql)
        for name in ("connect_timeout", "read_timeout", "write_timeout"):
            given[f"{name}_s"] = given.pop(name)
        password = keep("ORDERHE_MYSQL_PASSWORD", given.pop("password"))
        extract_by = given.pop("extract")
        return MySQLSource(**given, extract_by=extract_by, password_name=password)

    from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
    from orderhe_dagster.settings.home import home_of

    return EmbeddedSource(path=str(home_of(settings).shop))


def build_store(settings: Settings) -> Store:
    """The object store that the settings choose."""
    if settings.store == "s3":
        from orderhe_dagster.resources.s3.store import S3Store

        return S3Store(
            bucket=settings.s3_bucket,
            prefix=settings.s3_prefix,
            endpoint_url=settings.s3.endpoint_url,
            sse=settings.s3.sse,
            kms_key_id=settings.s3.kms_key_id,
        )
    from orderhe_dagster.resources.laptop.folder_store import FolderStore
    from orderhe_dagster.settings.home import home_of

    return FolderStore(
        root=str(home_of(settings).store), bucket=settings.s3_bucket, prefix=settings.s3_prefix
    )


def build_warehouse(settings: Settings) -> Warehouse:
    """The warehouse that the settings choose."""
    if settings.warehouse == "redshift":
        from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
        from orderhe_dagster.resources.secrets import keep

        given = dataclasses.asdict(settings.redshift)
        for name in ("connect_timeout", "statement_timeout"):
            given[f"{name}_s"] = given.pop(name)
        password = keep("ORDERHE_REDSHIFT_PASSWORD", given.pop("password"))
        return RedshiftWarehouse(**given, password_name=password)

    from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
    from orderhe_dagster.settings.home import home_of

    return EmbeddedWarehouse(path=str(home_of(settings).warehouse), store=build_store(settings))


def share_warehouse(
    settings: Settings, where: str, roles: Roles | None, isolation: str
) -> AbstractContextManager[Database]:
    """The laptop's warehouse for a server at `where`, whatever warehouse the settings choose."""
    from orderhe_dagster.resources.laptop.shared_warehouse import shared_database
    from orderhe_dagster.settings.home import home_of

    store = build_store(settings)
    return shared_database(home_of(settings).warehouse, store, where, roles, isolation)


def build_private_warehouse() -> AbstractContextManager[PrivateSession]:
    """A warehouse in memory for one user, gone afterwards: for examples. Loads no Dagster."""
    from orderhe_dagster.resources.laptop.private_warehouse import private_session

    return private_session()


def build_resources(settings: Settings) -> dict[str, Source | Store | Warehouse]:
    """All three, by the names that assets ask for."""
    return {
        "source": build_source(settings),
        "store": build_store(settings),
        "warehouse": build_warehouse(settings),
    }
