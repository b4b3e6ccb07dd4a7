"""What MySQL's signatures say is seen, made to happen: on MariaDB, at wrong peers, in networks of a probe."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import Any

import pytest

from orderhe_dagster.doctor.network import Place, checks
from orderhe_dagster.doctor.probe import Probe
from orderhe_dagster.doctor.walk import Road
from orderhe_dagster.ports.errors import PortError, Symptom
from orderhe_dagster.resources.mysql.connection import close, connect
from orderhe_dagster.resources.mysql.errors import mysql_error
from orderhe_dagster.settings.config import MySQLSettings
from orderhe_dagster.settings.secret import NO_SECRET, Secret
from orderhe_dagster_tests.doctor.peers import (
    GREETING_WITHOUT_TLS,
    hangs_up,
    network,
    peer,
    says,
)
from orderhe_dagster_tests.servers.mariadb import OTHER_HOST, OWNER, READER, MariaDB, mysql_source
from orderhe_dagster_tests.servers.standstill import silent_peer

RDS = "shop.abc123def456.eu-west-1.rds.amazonaws.com"


class Bench:
    """A MariaDB, a database on it, and what a test needs of them."""

    def __init__(self, server: MariaDB, database: str) -> None:
        self.server, self.database = server, database

    def settings(self, account: Any = OWNER, **more: Any) -> MySQLSettings:
        """The settings of a client; it gives up after 2 s."""
        given: MySQLSettings = mysql_source(self.server, self.database, account).settings
        return replace(given, **{"connect_timeout": 2, **more})

    def refused(self, **more: Any) -> Symptom:
        """What connecting ends with."""
        return symptom_of(lambda: close(connect(self.settings(**more))))

    def said_to(self, sql: str, account: Any = OWNER, **more: Any) -> Symptom:
        """What a statement ends with."""
        return symptom_of(lambda: self._run(self.settings(account, **more), sql))

    def _run(self, settings: MySQLSettings, sql: str) -> None:
        import pymysql

        connection = connect(settings)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                cursor.fetchall()
        except pymysql.MySQLError as error:
            raise mysql_error(error, settings.where, settings.user) from None
        finally:
            close(connection)

    @contextmanager
    def globally(self, name: str, value: str, back: str) -> Iterator[None]:
        """A global setting of the server, for the block."""
        self.server.run(f"set global {name} = {value}")
        try:
            yield
        finally:
            self.server.run(f"set global {name} = {back}")

    @contextmanager
    def user(self, options: str = "", grant: str = "select") -> Iterator[dict[str, Any]]:
        """A user of its own, for the block."""
        self.server.run(f"create user short identified by 'x' {options}")
        self.server.run(f"grant {grant} on {self.database}.* to short")
        try:
            yield {"user": "short", "password": Secret.of("x")}
        finally:
            self.server.run("drop user short")


def symptom_of(work: Callable[[], object]) -> Symptom:
    """The symptom of the error that `work` ends with."""
    with pytest.raises(PortError) as caught:
        work()
    assert caught.value.symptom is not None, caught.value
    return caught.value.symptom


def on_the_way(system: str, facts: Mapping[str, str], probe: Probe) -> Symptom:
    """The first failure on the way to a server in a network of a probe."""
    place = Place(system, dict(facts), 1, probe)
    for outcome in Road(system, checks(place)).walk():
        if outcome.found.status == "failed":
            code = "2003" if system == "mysql" else ""
            return Symptom(system, outcome.found.text, code, place.known)
    raise AssertionError("nothing failed")


def _way(host: str = RDS, **net: Any) -> Symptom:
    facts = {"host": host, "port": "3306", "user": "etl", "database": "shop"}
    return on_the_way("mysql", facts, network(**net))


def _at(port: int, bench: Bench, facts: Mapping[str, str] | None = None) -> Symptom:
    symptom = bench.refused(host="127.0.0.1", port=port)
    return replace(symptom, facts={**symptom.facts, **(facts or {})})


def _silent(bench: Bench, facts: Mapping[str, str] | None = None) -> Symptom:
    with silent_peer() as port:
        symptom = bench.refused(host="127.0.0.1", port=port, connect_timeout=1)
    return replace(symptom, facts={**symptom.facts, **(facts or {})})


def _peer(act: Callable[[socket.socket], None]) -> Callable[[Bench], Symptom]:
    def happens(bench: Bench) -> Symptom:
        with peer(act) as port:
            return _at(port, bench)

    return happens


def _free_port(bench: Bench) -> Symptom:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return _at(taken.getsockname()[1], bench)


def _stands_still(bench: Bench) -> Symptom:
    return bench.said_to("select sleep(4)", read_timeout=1)


def _lost(bench: Bench) -> Symptom:
    import pymysql

    settings = bench.settings()
    connection = connect(settings)
    try:
        bench.server.run(f"kill {connection.thread_id()}")
        with pytest.raises(pymysql.MySQLError) as caught, connection.cursor() as cursor:
            cursor.execute("select 1")
        symptom = mysql_error(caught.value, settings.where, settings.user).symptom
        assert symptom is not None
        return symptom
    finally:
        close(connection)


def _no_right_to_table(bench: Bench) -> Symptom:
    bench.server.run(f"create table {bench.database}.orders (id int)")
    with bench.user(grant="create") as user:
        return bench.said_to("select * from orders", **user)


def _no_right_to_database(bench: Bench) -> Symptom:
    with bench.user() as user:
        return bench.refused(**user, database="mysql")


def _too_many(bench: Bench) -> Symptom:
    with bench.globally("max_connections", "10", "60"), ExitStack() as stack:
        for _ in range(10):
            try:
                connection = connect(bench.settings())
            except PortError:
                break
            stack.callback(close, connection)
        return bench.refused()


def _user_limit(bench: Bench) -> Symptom:
    with bench.user("with max_user_connections 1") as user:
        held = connect(bench.settings(**user))
        try:
            return bench.refused(**user)
        finally:
            close(held)


def _expired(bench: Bench) -> Symptom:
    with bench.user("password expire") as user:
        return bench.said_to("select 1", **user)


def _time_limit(bench: Bench) -> Symptom:
    with bench.user("with max_statement_time 0.01") as user:
        return bench.said_to("select sleep(1), benchmark(5000000, md5('x'))", **user)


def _read_only(bench: Bench) -> Symptom:
    with bench.globally("read_only", "1", "0"):
        return bench.said_to("create table t (id int)")


def _lock(bench: Bench) -> Symptom:
    bench.server.run(f"create table {bench.database}.held (id int primary key)")
    bench.server.run(f"insert into {bench.database}.held values (1)")
    holder = connect(bench.settings())
    try:
        with holder.cursor() as cursor:
            cursor.execute("start transaction")
            cursor.execute("update held set id = 2")
        return bench.said_to("select * from held for update nowait")
    finally:
        close(holder)


HAPPENS: Mapping[str, Callable[[Bench], Symptom]] = {
    "mysql-is-a-redshift": lambda bench: _silent(bench, {"port": "5439"}),
    "mysql-private-address": lambda _: _way(resolves="172.31.5.9", opens=TimeoutError("timed out")),
    "mysql-silent": _silent,
    "mysql-no-inbound-rule": lambda _: _way(opens=TimeoutError("timed out")),
    "mysql-timed-out": lambda _: _way("db.shop.example", opens=TimeoutError("timed out")),
    "mysql-not-started-here": _free_port,
    "mysql-nothing-listens": lambda _: _way(
        opens=ConnectionRefusedError(111, "Connection refused")
    ),
    "mysql-no-name-server": lambda _: _way(
        resolves=socket.gaierror(-3, "Temporary failure in name resolution")
    ),
    "mysql-host-unknown": lambda _: _way(resolves=socket.gaierror(-2, "Name or service not known")),
    "mysql-no-route": lambda _: _way("10.9.8.7", opens=OSError(101, "Network is unreachable")),
    "mysql-name-differs": lambda bench: bench.refused(host=OTHER_HOST),
    "mysql-ca-missing": lambda bench: bench.refused(ssl_ca=""),
    "mysql-without-tls": _peer(says(GREETING_WITHOUT_TLS)),
    "mysql-another-service": _peer(says(b"HTTP/1.1 400 Bad Request\r\n\r\n")),
    "mysql-hung-up": _peer(hangs_up),
    "mysql-stands-still": _stands_still,
    "mysql-lost": _lost,
    "mysql-no-password": lambda bench: bench.refused(password=NO_SECRET),
    "mysql-login": lambda bench: bench.refused(password=Secret.of("wrong")),
    "mysql-no-right-to-database": _no_right_to_database,
    "mysql-no-right-to-table": _no_right_to_table,
    "mysql-no-privilege": lambda bench: bench.said_to("flush tables", READER),
    "mysql-no-database": lambda bench: bench.refused(database="shop_none"),
    "mysql-too-many-connections": _too_many,
    "mysql-user-limit": _user_limit,
    "mysql-password-expired": _expired,
    "mysql-read-only": _read_only,
    "mysql-time-limit": _time_limit,
    "mysql-lock": _lock,
    "mysql-no-table": lambda bench: bench.said_to("select * from orders"),
}
"""Signature -> how it comes about."""
