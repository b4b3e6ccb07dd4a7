"""What Redshift's signatures say is seen, made to happen: on the local one, at wrong peers, by roles."""

from __future__ import annotations

import io
import json
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local_redshift.database.database import Database
from local_redshift.database.roles_file import read_roles
from local_redshift.database.storage import Resolver, Roles
from local_redshift.testing.certificates import Authority
from local_redshift.testing.server import PASSWORD, USER, Redshift
from local_redshift.wire.auth import Verifier
from local_redshift.wire.handshake import Door
from local_redshift.wire.server import Server
from orderhe_dagster.ports.errors import Symptom
from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.mysql.connection import close, connect
from orderhe_dagster.resources.redshift.data_errors import request_error
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import MySQLSettings, RedshiftSettings
from orderhe_dagster.settings.secret import Secret
from orderhe_dagster_tests.doctor.peers import network, peer, says, tls_of
from orderhe_dagster_tests.doctor.reproduced_mysql import on_the_way, symptom_of
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.servers.proxy import fault_proxy
from orderhe_dagster_tests.servers.standstill import silent_peer

SERVERLESS = "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com"
CLUSTER = "shop.abc123.eu-west-1.redshift.amazonaws.com"
ROLE = "arn:aws:iam::123456789012:role/shop-copy"
_VERIFIER = Verifier.of(PASSWORD)


class Bench:
    """A local Redshift with TLS, a MariaDB's port, and a place for files."""

    def __init__(self, served: Redshift, mariadb: MariaDB, folder: Path) -> None:
        self.served, self.mariadb, self.folder = served, mariadb, folder

    def settings(self, **more: Any) -> RedshiftSettings:
        """The settings of a client; it gives up after 2 s."""
        given: dict[str, Any] = {
            "host": self.served.host,
            "port": self.served.port,
            "user": self.served.user,
            "password": Secret.of(self.served.password),
            "ssl_ca": self.served.ca,
            "connect_timeout": 2,
        }
        return RedshiftSettings(**{**given, **more})

    def refused(self, **more: Any) -> Symptom:
        """What opening a session ends with."""
        return symptom_of(lambda: self.run("select 1", **more))

    def run(self, sql: str, **more: Any) -> None:
        """Run a statement in a session of its own."""
        with RedshiftWarehouse(self.settings(**more)).session("test") as session:
            session.execute(sql)


@contextmanager
def with_roles(folder: Path, roles: Roles, alter: Callable[[Resolver], Resolver]) -> Iterator[Any]:
    """A warehouse in memory with a folder store, and roles that COPY may name; `alter` bends the way."""
    store = FolderStore(root=str(folder / "s3"), bucket="shop-backup", prefix="one")
    door = Door({USER: _VERIFIER}, None)
    with ExitStack() as stack:
        reach = alter(resolver(store, stack))
        database = stack.enter_context(Database(":memory:", resolver=reach, roles=roles))
        server = stack.enter_context(Server(database, door))
        settings = RedshiftSettings(
            host="127.0.0.1",
            port=server.port,
            user=USER,
            password=Secret.of(PASSWORD),
            sslmode="disable",
            iam_role=ROLE,
            connect_timeout=5,
        )
        yield store, RedshiftWarehouse(settings)


def roles(
    prefix: str = "one/", actions: tuple[str, ...] = ("get", "list", "put"), **flags: bool
) -> Roles:
    """One role and what it may do."""
    grant = {"bucket": "shop-backup", "prefix": prefix, "actions": list(actions)}
    return read_roles(json.dumps({"roles": [{"arn": ROLE, "grants": [grant], **flags}]}))


def parquet(**columns: Any) -> bytes:
    """A Parquet file of one row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    out = io.BytesIO()
    pq.write_table(pa.table({name: pa.array([value]) for name, value in columns.items()}), out)
    return out.getvalue()


def _as_it_is(reach: Resolver) -> Resolver:
    return reach


def copying(
    given: Roles,
    *,
    body: bytes = b"",
    columns: str = "n bigint",
    manifest: bool = False,
    meta: Mapping[str, Any] | None = None,
    alter: Callable[[Resolver], Resolver] = _as_it_is,
    sql: str = "",
    stored: bool = True,
) -> Callable[[Bench], Symptom]:
    """What a COPY ends with."""

    def happens(bench: Bench) -> Symptom:
        with with_roles(bench.folder, given, alter) as (store, warehouse):
            key = "backup/t/part.parquet"
            content = body or parquet(n=1)
            if stored:
                store.put(key, content)
            address = store.url(key)
            if manifest:
                address = _manifest(store, address, meta, len(content))
            return symptom_of(lambda: _copied(warehouse, columns, sql, address, manifest))

    return happens


def _manifest(store: Store, address: str, meta: Mapping[str, Any] | None, size: int) -> str:
    entry: dict[str, Any] = {"url": address, "mandatory": True, "meta": {"content_length": size}}
    if meta is not None:
        entry["meta"] = meta
    if not entry["meta"]:
        del entry["meta"]
    store.put("backup/t/manifest.json", json.dumps({"entries": [entry]}).encode())
    return store.url("backup/t/manifest.json")


def _copied(
    warehouse: RedshiftWarehouse, columns: str, sql: str, address: str, manifest: bool
) -> None:
    with warehouse.session("test") as session:
        session.execute(f"create table t ({columns})")
        plain = f"copy t from '{address}' {warehouse.copy_authorization} format as parquet"
        session.execute(sql.format(address=address) or plain + (" manifest" if manifest else ""))


def _in_another_region(reach: Resolver) -> Resolver:
    return replace(reach, region=lambda _: "eu-west-1")


def _unloading(given: Roles, twice: bool = False) -> Callable[[Bench], Symptom]:
    def unload(warehouse: RedshiftWarehouse, store: Store) -> None:
        with warehouse.session("test") as session:
            for _ in range(2 if twice else 1):
                address = store.url("unload/x/a")
                session.execute(
                    f"unload ('select 1 as n') to '{address}' {warehouse.copy_authorization} parquet"
                )

    def happens(bench: Bench) -> Symptom:
        with with_roles(bench.folder, given, _as_it_is) as (store, warehouse):
            return symptom_of(lambda: unload(warehouse, store))

    return happens


def _default_role(bench: Bench) -> Symptom:
    with with_roles(bench.folder, roles(), _as_it_is) as (store, warehouse):
        unset = RedshiftWarehouse(replace(warehouse.settings, iam_role="default"))
        return symptom_of(lambda: _copied(unset, "n bigint", "", store.url("backup/x"), False))


def _way(host: str = SERVERLESS, **net: Any) -> Symptom:
    facts = {"host": host, "port": "5439", "user": "loader", "database": "dev"}
    return on_the_way("redshift", facts, network(**net))


def _at(bench: Bench, act: Callable[[socket.socket], None], **more: Any) -> Symptom:
    with peer(act) as port:
        return bench.refused(host="127.0.0.1", port=port, **more)


def _silent(bench: Bench) -> Symptom:
    with silent_peer() as port:
        return bench.refused(port=port, connect_timeout=1)


def _free_port(bench: Bench) -> Symptom:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return bench.refused(port=taken.getsockname()[1])


def _mysqls(bench: Bench) -> Symptom:
    symptom = bench.refused(host="127.0.0.1", port=bench.mariadb.port)
    return replace(symptom, facts={**symptom.facts, "port": "3306"})


def _another_name(bench: Bench) -> Symptom:
    authority = Authority(bench.folder / "other")
    act = tls_of(*authority.sign("other.example"))
    return _at(bench, act, ssl_ca=str(authority.file))


def _unknown_ca(bench: Bench) -> Symptom:
    return _at(bench, tls_of(*Authority(bench.folder / "own").sign("127.0.0.1")), ssl_ca="")


def _lost(bench: Bench) -> Symptom:
    with fault_proxy(bench.served.port) as proxy:
        warehouse = RedshiftWarehouse(bench.settings(port=proxy.port))
        with warehouse.session("test") as session:
            session.execute("select 1")
            proxy.close()
            return symptom_of(lambda: session.execute("select 1"))


def _stalls(bench: Bench) -> Symptom:
    with fault_proxy(bench.served.port) as proxy:
        given = bench.settings(port=proxy.port, statement_timeout=1, connect_timeout=1)
        with RedshiftWarehouse(given).session("test") as session:
            proxy.arm("stall", 0)
            return symptom_of(lambda: session.execute("select 1"))


def _by_iam(error: Exception) -> Callable[[Bench], Symptom]:
    """AWS's client, which the driver asks for a password, refuses."""

    def happens(bench: Bench) -> Symptom:
        import redshift_connector

        def refuse(**_: Any) -> None:
            raise error

        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(redshift_connector, "connect", refuse)
            patch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
            return bench.refused(auth="iam", workgroup="shop")

    return happens


def _client_error(code: str, operation: str, message: str) -> Exception:
    from botocore.exceptions import ClientError

    error: Exception = ClientError({"Error": {"Code": code, "Message": message}}, operation)
    return error


def _no_credentials() -> Exception:
    from botocore.exceptions import NoCredentialsError

    error: Exception = NoCredentialsError()
    return error


def _no_region(bench: Bench) -> Symptom:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_DEFAULT_REGION", "AWS_REGION", "AWS_PROFILE"):
            patch.delenv(name, raising=False)
        patch.setenv("AWS_CONFIG_FILE", "/dev/null")
        return bench.refused(auth="iam", workgroup="shop")


def _pymysql(bench: Bench) -> Symptom:
    """MySQL's client at a Redshift."""
    settings = MySQLSettings(
        host=bench.served.host,
        port=bench.served.port,
        user="etl",
        database="shop",
        connect_timeout=1,
    )
    symptom = symptom_of(lambda: close(connect(settings)))
    return replace(symptom, facts={**symptom.facts, "port": "5439"})


def _by_data_api(error: Exception) -> Callable[[Bench], Symptom]:
    """AWS's client refuses a request of the Data API, or the service does."""

    def happens(bench: Bench) -> Symptom:
        settings = RedshiftSettings(workgroup="shop")
        refused = request_error(error, settings, "run select 1", "select 1")
        assert refused.symptom is not None
        return refused.symptom

    return happens


def _botocores(name: str, **given: Any) -> Exception:
    from botocore import exceptions

    error: Exception = getattr(exceptions, name)(**given)
    return error


HAPPENS: Mapping[str, Callable[[Bench], Symptom]] = {
    "mysql-is-a-redshift": _pymysql,
    "redshift-is-a-mysql": _mysqls,
    "redshift-private-address": lambda _: _way(
        resolves="172.31.5.9", opens=TimeoutError("timed out")
    ),
    "redshift-silent": _silent,
    "redshift-not-reachable": lambda _: _way(opens=TimeoutError("timed out")),
    "redshift-timed-out": lambda _: _way(CLUSTER, opens=TimeoutError("timed out")),
    "redshift-not-started-here": _free_port,
    "redshift-nothing-listens": lambda _: _way(
        opens=ConnectionRefusedError(111, "Connection refused")
    ),
    "redshift-no-name-server": lambda _: _way(
        resolves=socket.gaierror(-3, "Temporary failure in name resolution")
    ),
    "redshift-host-unknown": lambda _: _way(
        resolves=socket.gaierror(-2, "Name or service not known")
    ),
    "redshift-no-route": lambda _: _way("10.9.8.7", opens=OSError(113, "No route to host")),
    "redshift-name-differs": _another_name,
    "redshift-certificate": _unknown_ca,
    "redshift-without-tls": lambda bench: _at(bench, says(b"N", waits=True)),
    "redshift-another-service": lambda bench: _at(
        bench, says(b"HTTP/1.1 400 Bad Request\r\n\r\n", waits=True), sslmode="disable"
    ),
    "redshift-wants-tls": lambda bench: bench.refused(sslmode="disable"),
    "redshift-login": lambda bench: bench.refused(password=Secret.of("wrong")),
    "redshift-no-database": lambda bench: bench.refused(database="nothing"),
    "redshift-lost": _lost,
    "redshift-stands-still": _stalls,
    "redshift-no-relation": lambda bench: symptom_of(
        lambda: bench.run("select * from mart.daily_sales")
    ),
    "redshift-iam-may-not": _by_iam(
        _client_error("AccessDeniedException", "GetCredentials", "is not authorized to perform")
    ),
    "redshift-iam-no-credentials": _by_iam(_no_credentials()),
    "redshift-iam-no-region": _no_region,
    "redshift-iam-no-workgroup": _by_iam(
        _client_error("ResourceNotFoundException", "GetWorkgroup", "workgroup shop not found")
    ),
    "data-may-not": _by_data_api(
        _client_error(
            "AccessDeniedException",
            "ExecuteStatement",
            "not authorized to perform: redshift-data:ExecuteStatement",
        )
    ),
    "data-no-credentials": _by_data_api(_no_credentials()),
    "data-no-workgroup": _by_data_api(
        _client_error(
            "ValidationException",
            "ExecuteStatement",
            "Redshift endpoint doesn't exist in this region.",
        )
    ),
    "data-no-region": _by_data_api(_botocores("NoRegionError")),
    "data-busy": _by_data_api(
        _client_error(
            "ActiveStatementsExceededException", "ExecuteStatement", "Active statements exceeded"
        )
    ),
    "data-unreached": _by_data_api(
        _botocores("EndpointConnectionError", endpoint_url="https://redshift-data.example")
    ),
    "copy-denied": copying(roles(actions=("list",))),
    "copy-manifest-denied": copying(roles(prefix="other/"), manifest=True),
    "unload-denied": _unloading(roles(actions=("get", "list"))),
    "unload-not-empty": _unloading(roles(), twice=True),
    "copy-no-bucket": copying(
        Roles(), sql="copy t from 's3://elsewhere/x' iam_role default format as parquet"
    ),
    "copy-no-object": copying(roles(), stored=False, manifest=True),
    "copy-other-region": copying(roles(), alter=_in_another_region),
    "copy-option": copying(
        roles(),
        sql="copy t from '{address}' access_key_id 'a' secret_access_key 'b' format as parquet",
    ),
    "role-not-attached": copying(roles(attached=False)),
    "role-not-trusted": copying(roles(trusted=False)),
    "role-no-default": _default_role,
    "copy-columns-differ": copying(roles(), columns="n bigint, m bigint"),
    "copy-types-differ": copying(roles(), columns="n integer"),
    "copy-text-too-long": copying(
        roles(), body=parquet(city="Konstanz"), columns="city varchar(4)"
    ),
    "copy-manifest-stale": copying(roles(), manifest=True, meta={}),
}
"""Signature -> how it comes about."""
