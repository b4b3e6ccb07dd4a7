"""Errors of MySQL by their remedies: those that a server here can make, and the words of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql.connection import connect
from orderhe_dagster.resources.mysql.errors import (
    RETRIED,
    MySQLConnectionLost,
    MySQLError,
    code_of,
    mysql_error,
)
from orderhe_dagster.settings.secret import Secret
from orderhe_dagster_tests.contracts.sources import DAY, SALES, fill, sale, tables
from orderhe_dagster_tests.servers.mariadb import OWNER, READER, MariaDB, mysql_source, running

WHERE = "db:3306/shop"


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A server whose global settings may be changed."""
    with running() as found:
        yield found


def said(work: Any) -> str:
    with pytest.raises(PortError) as caught:
        work()
    return str(caught.value)


def test_a_server_that_wants_tls_says_so(server: MariaDB) -> None:
    with server.database() as name:
        server.run("set global require_secure_transport = on")
        try:
            plain = mysql_source(server, name, sslmode="disable")
            text = said(lambda: connect(plain.settings))
        finally:
            server.run("set global require_secure_transport = off")
    assert "ORDERHE_MYSQL_SSLMODE=disable" in text, text


def test_a_user_from_another_host_is_told(server: MariaDB) -> None:
    with server.database() as name:
        server.run("create user elsewhere@'10.0.0.1' identified by 'x'")
        stranger = mysql_source(server, name, user="elsewhere")
        text = said(lambda: connect(stranger.settings))
    # The server may hide that the user is known at all.
    assert "(1045)" in text or "(1130)" in text
    assert "elsewhere'@'%'" in text or "no user may come from this host" in text


def test_a_replica_is_told_from_the_primary(server: MariaDB, tmp_path: Any) -> None:
    table = tables(tmp_path, sales=SALES)["sales"]
    with server.database() as name:
        source = mysql_source(server, name)
        source.create([table])
        server.run("set global read_only = on")
        try:
            text = said(lambda: fill(source, table, [sale(1)]))
        finally:
            server.run("set global read_only = off")
    assert "(1290)" in text
    assert "to the primary" in text


def test_a_limit_of_time_and_one_of_connections_are_named(server: MariaDB, tmp_path: Any) -> None:
    table = tables(tmp_path, sales=SALES)["sales"]
    with server.database() as name:
        source = mysql_source(server, name)
        source.create([table])
        fill(source, table, [sale(number) for number in range(50)])
        slow = f"create or replace view {name}.slow as select sleep(1) as n from {name}.sales"
        server.run(slow)
        server.run(f"grant usage on *.* to {OWNER.user} with max_statement_time 0.01")
        try:

            def look() -> None:
                with source.writing() as writer:
                    writer.fetch("select sum(n) as n from slow")

            text = said(look)
        finally:
            server.run(f"grant usage on *.* to {OWNER.user} with max_statement_time 0")
        assert "(1969)" in text
        assert "raise it for this user" in text
        server.run(f"grant usage on *.* to {READER.user} with max_user_connections 1")
        try:
            reader = mysql_source(server, name, READER)
            held = connect(reader.settings)
            text = said(lambda: reader.measure(table, Window.of(DAY)))
            held.close()
        finally:
            server.run(f"grant usage on *.* to {READER.user} with max_user_connections 0")
        assert "(1226)" in text
        assert "alter user" in text


def test_a_right_that_is_taken_away_stops_by_the_tables_name(
    server: MariaDB, tmp_path: Any
) -> None:
    table = tables(tmp_path, sales=SALES)["sales"]
    with server.database() as name:
        mysql_source(server, name).create([table])
        server.run("create user narrow identified by 'x'")
        server.run(f"grant select (region, number) on {name}.sales to narrow")
        text = said(
            lambda: mysql_source(server, name, user="narrow", password=Secret.of("x")).measure(
                table, Window.of(DAY)
            )
        )
        # Columns that the user may not read are not there for it.
        assert "raw.sales" in text
        assert "sales.amount is decimal(12, 2) in raw/sales.sql, and mysql://" in text
        assert "does not have it" in text
        server.run("drop user narrow")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("IO Error: Failed to execute MySQL query \"select 'a'\": Lost connection to server", 2013),
        ('IO Error: Failed to fetch result row for MySQL query "select 1": ', 2013),
        (
            'IO Error: Failed to execute MySQL query "x": Deadlock found when trying to get lock',
            1213,
        ),
        (
            "Failed to connect to MySQL database with parameters \"\": Access denied for user 'a'",
            1045,
        ),
        ("... Access denied for user 'a'@'%' to database 'nix'. Attempted host: x", 1044),
        ("TLS/SSL error: Hostname verification failed. Attempted host: 127.0.0.2", 2026),
        ("Unknown server host 'nowhere.invalid' (-2). Attempted host: nowhere.invalid", 2005),
        ("something new", 0),
    ],
)
def test_the_scanners_words_are_given_their_number(text: str, code: int) -> None:
    assert code_of(RuntimeError(text)) == code
    error = mysql_error(RuntimeError(text), WHERE, "etl", what="extract raw.orders")
    assert error.code == code
    assert str(error).startswith(f"extract raw.orders: mysql://{WHERE}: ")
    assert "select 'a'" not in str(error)
    assert "select 1" not in str(error)
    assert isinstance(error, MySQLConnectionLost) == (code == 2013)


@pytest.mark.parametrize(
    ("code", "text", "words"),
    [
        (2003, "Can't connect to MySQL server on 'db' (timed out)", "security group"),
        (2003, "Can't connect to MySQL server on 'db' ([Errno 111] Connection refused)", "nothing listens"),
        (2003, "Can't connect … ([Errno -2] Name or service not known)", "no name that is known"),
        (2003, "Can't connect … [SSL: CERTIFICATE_VERIFY_FAILED] …", "global-bundle.pem"),
        (2026, "SSL is required but the server doesn't support it", "speaks no TLS"),
        (2013, "Lost connection to MySQL server during query", "run this again"),
        (1129, "Host 'x' is blocked because of many connection errors", "flush hosts"),
        (3159, "Connections using insecure transport are prohibited", "SSLMODE=disable"),
        (1792, "Cannot execute statement in a READ ONLY transaction", "primary"),
        (3024, "Query execution was interrupted, maximum …", "max_execution_time"),
        (1114, "The table 'orders' is full", "full"),
        (1267, "Illegal mix of collations (a,IMPLICIT) and (b,IMPLICIT) …", "as `show create table` prints"),
    ],
)  # fmt: skip
def test_each_code_has_its_remedy(code: int, text: str, words: str) -> None:
    error = mysql_error(OSError(code, text), WHERE, "etl")
    assert isinstance(error, MySQLError)
    assert words in str(error)
    assert f"({code})" in str(error)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(2013, "Lost connection to MySQL server during query"), "so it may be no MySQL"),
        (RuntimeError("Packet sequence number wrong - got 80 expected 0"), "is no MySQL"),
        (OSError(2026, "SSL is required but the server doesn't support it"), "speaks no TLS"),
    ],
)
def test_what_is_no_mysql_is_told_where_nobody_was_let_in(error: Exception, words: str) -> None:
    told = str(mysql_error(error, "db:5439/shop", "etl", connecting=True))
    assert words in told
    assert "SSLMODE=disable" not in told
    assert "see its log" not in told


@pytest.mark.parametrize(
    "text",
    [
        "Incorrect integer value: 'me@shop' for column `shop`.`t`.`c` at row 1",
        "Data truncation: \"me@shop\"",
        "Duplicate entry 'it's me@shop' for key 'PRIMARY'",
    ],
)  # fmt: skip
def test_values_stay_out_of_errors(text: str) -> None:
    error = mysql_error(OSError(1366, text), WHERE, "etl", sql="update t set c = 1")
    assert "me@shop" not in str(error)
    assert "in: update t" in str(error)


def test_what_is_repeated_is_what_another_was_in_the_way_of() -> None:
    assert {2006, 2013, 1205, 1213, 1412, 1317} <= RETRIED
    assert not {1045, 1049, 1146, 1054, 2003, 1969, 1062} & RETRIED
