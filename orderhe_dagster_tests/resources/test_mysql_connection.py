"""How MySQL is connected to: whom it trusts, what it tells, what it keeps to itself; by both clients."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import dagster as dg
import duckdb
import pytest

from local_redshift.testing.certificates import Authority
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.resources.build import build_source
from orderhe_dagster.resources.mysql import extract as mysql_extract
from orderhe_dagster.resources.mysql.connection import ca_file, connect
from orderhe_dagster.resources.mysql.errors import MySQLError
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster.settings.config import SettingsError, load_settings
from orderhe_dagster.settings.secret import NO_SECRET, Secret
from orderhe_dagster_tests.contracts.sources import NAMES, tables
from orderhe_dagster_tests.servers.mariadb import (
    OTHER_HOST,
    OWNER,
    READER,
    MariaDB,
    free_port,
    mysql_source,
    running,
)


@pytest.fixture(scope="module")
def stranger(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The file of a CA that signed nothing here."""
    return str(Authority(tmp_path_factory.mktemp("stranger")).file)


@pytest.fixture(scope="module")
def plain() -> Iterator[MariaDB]:
    """A server without TLS."""
    with running(tls=False) as server:
        yield server


def asked(source: MySQLSource, client: str) -> Any:
    """What the server says to the client of the version of TLS they speak."""
    select = "show status like 'Ssl_version'"
    if client == "scanner":
        with mysql_extract.by_scanner(source.settings, select) as (engine, relation):
            return engine.execute(f"from {relation}").fetchall()[0][1]
    connection = connect(source.settings, texts=True)
    with connection, connection.cursor() as cursor:
        cursor.execute(select)
        return cursor.fetchall()[0][1]


def refused(source: MySQLSource, client: str) -> str:
    with pytest.raises((PortError, duckdb.Error)) as caught:
        asked(source, client)
    assert source.settings.password.reveal() not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("client", ["pymysql", "scanner"])
def test_a_certificate_is_verified(
    mariadb: MariaDB, shop_database: str, stranger: str, client: str
) -> None:
    good = mysql_source(mariadb, shop_database)
    assert asked(good, client).startswith("TLSv1")
    assert "certificate" in refused(mysql_source(mariadb, shop_database, ssl_ca=stranger), client)
    # Signed by nobody whom this machine trusts by itself.
    assert "certificate" in refused(mysql_source(mariadb, shop_database, ssl_ca=""), client)
    name = refused(mysql_source(mariadb, shop_database, host=OTHER_HOST), client)
    assert "mismatch" in name or "Hostname verification failed" in name


def test_verify_ca_takes_another_name(mariadb: MariaDB, shop_database: str, stranger: str) -> None:
    other: dict[str, Any] = {"host": OTHER_HOST, "sslmode": "verify-ca"}
    assert asked(mysql_source(mariadb, shop_database, **other), "pymysql").startswith("TLSv1")
    refused(mysql_source(mariadb, shop_database, **other, ssl_ca=stranger), "pymysql")
    # The scanner's library always looks at the name: stricter than asked, never laxer.
    refused(mysql_source(mariadb, shop_database, **other), "scanner")


class Named(MySQLSource):
    """A server that calls itself by these names."""

    names: ClassVar[dict[str, str]] = {}

    def _server_names(self, what: str) -> dict[str, str]:
        return self.names


def test_a_server_is_known_by_its_own_name_wherever_it_is_reached(
    mariadb: MariaDB, shop_database: str
) -> None:
    ((own,),) = mariadb.run("select @@server_uid")
    other: dict[str, Any] = {"host": OTHER_HOST, "sslmode": "verify-ca"}
    assert mysql_source(mariadb, shop_database).server() == own
    assert mysql_source(mariadb, shop_database, READER, **other).server() == own


def test_a_server_without_a_name_of_its_own_is_known_by_its_address(
    mariadb: MariaDB, shop_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = Named(mysql_source(mariadb, shop_database).settings)
    assert source.server() == f"{mariadb.host}:{mariadb.port}"
    monkeypatch.setattr(Named, "names", {"server_uid": "b=", "server_uuid": "a-1"})
    assert source.server() == "a-1"


def test_a_server_that_cannot_be_asked_says_why(mariadb: MariaDB, shop_database: str) -> None:
    with pytest.raises(MySQLError, match=r"Access denied.*ORDERHE_MYSQL_USER") as caught:
        mysql_source(mariadb, shop_database, password=Secret.of("wrong")).server()
    assert caught.value.code == 1045


@pytest.mark.parametrize("client", ["pymysql", "scanner"])
def test_no_tls_is_spoken_only_where_it_is_said(
    plain: MariaDB, mariadb: MariaDB, client: str
) -> None:
    with plain.database() as name:
        assert asked(mysql_source(plain, name), client) == ""
        strict = mysql_source(plain, name, sslmode="verify-full", ssl_ca=mariadb.ca)
        assert "SSL" in refused(strict, client)
    with mariadb.database() as name:
        assert asked(mysql_source(mariadb, name, sslmode="disable"), client) == ""


def test_a_file_that_is_no_certificate_is_named(mariadb: MariaDB, tmp_path: Path) -> None:
    wrong = tmp_path / "ca.pem"
    wrong.write_text("nothing")
    with pytest.raises(PortError, match=r"ca\.pem cannot be read.*ORDERHE_MYSQL_SSL_CA"):
        connect(mysql_source(mariadb, "shop_x", ssl_ca=str(wrong)).settings)


def test_a_machine_without_certificates_is_told_where_to_name_them(
    mariadb: MariaDB, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", "/nowhere/at/all.pem")
    monkeypatch.setattr("ssl.get_default_verify_paths", lambda: type("P", (), {"cafile": None}))
    with pytest.raises(PortError, match="ORDERHE_MYSQL_SSL_CA"):
        ca_file(mysql_source(mariadb, "shop_x", ssl_ca="").settings)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"password": NO_SECRET}, ["(1045)", "ORDERHE_MYSQL_PASSWORD", OWNER.user]),
        (
            {"database": "shop_nowhere"},
            ["(1049)", "orderhe create", "create database shop_nowhere"],
        ),
        ({"database": "other"}, ["(1044)", f"grant select, show view on other.* to {OWNER.user}"]),
        ({"host": "nowhere.invalid"}, ["2003", "nowhere.invalid", "ORDERHE_MYSQL_HOST"]),
    ],
)
def test_a_refusal_names_its_remedy(
    mariadb: MariaDB, shop_database: str, change: dict[str, str], words: list[str]
) -> None:
    with pytest.raises(PortError) as caught:
        connect(mysql_source(mariadb, **{"database": shop_database, **change}).settings)
    assert [word for word in words if word not in str(caught.value)] == [], str(caught.value)


def test_where_nothing_listens_the_port_is_named(mariadb: MariaDB) -> None:
    source = mysql_source(mariadb, "shop_x", port=free_port())
    with pytest.raises(PortError, match=r"\(2003\).*nothing listens there.*ORDERHE_MYSQL_PORT"):
        connect(source.settings)


@pytest.mark.parametrize("greets", [False, True])
def test_a_server_that_says_no_more_is_not_waited_for(mariadb: MariaDB, greets: bool) -> None:
    """Also where it greets and is then silent in the middle of the TLS handshake."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        real = socket.create_connection((mariadb.host, mariadb.port))
        held: list[socket.socket] = []

        def answer() -> None:
            client, _ = listener.accept()
            held.append(client)
            if greets:
                client.sendall(real.recv(4096))

        thread = threading.Thread(target=answer)
        thread.start()
        source = mysql_source(
            mariadb, "shop_x", port=listener.getsockname()[1],
            connect_timeout=1, read_timeout=1, write_timeout=1,
        )  # fmt: skip
        with pytest.raises(PortError, match="greeting was not complete within 1 s"):
            connect(source.settings)
        thread.join()
        for link in (real, *held):
            link.close()


def test_too_many_connections_are_named(plain: MariaDB) -> None:
    with plain.database() as name:
        plain.run("set global max_connections = 10")
        open_ones = [connect(mysql_source(plain, name).settings) for _ in range(10)]
        try:
            with pytest.raises(PortError, match=r"1040.*max_connections"):
                connect(mysql_source(plain, name).settings)
        finally:
            for connection in open_ones:
                connection.close()
            plain.run("set global max_connections = 60")


def test_the_password_stays_out_of_what_dagster_shows(mariadb: MariaDB, shop_database: str) -> None:
    environ = {
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": mariadb.host,
        "ORDERHE_MYSQL_PORT": str(mariadb.port),
        "ORDERHE_MYSQL_USER": OWNER.user,
        "ORDERHE_MYSQL_PASSWORD": OWNER.password,
        "ORDERHE_MYSQL_DATABASE": shop_database,
        "ORDERHE_MYSQL_SSL_CA": mariadb.ca,
    }
    seen: list[str] = []
    source = build_source(load_settings(environ, Path("/")))
    assert isinstance(source, MySQLSource)

    @dg.asset
    def look(source: dg.ResourceParam[Source]) -> None:
        assert isinstance(source, MySQLSource)
        seen.extend([repr(source), str(source), asked(source, "scanner")])

    with dg.DagsterInstance.ephemeral() as instance:
        result = dg.materialize([look], instance=instance, resources={"source": source})
    assert result.success
    assert seen[2].startswith("TLSv1")
    shown = [*seen, repr(result.run_config if hasattr(result, "run_config") else "")]
    shown += [repr(event) for event in result.all_events]
    assert [text for text in shown if OWNER.password in text or "pass\\" in text] == []
    assert source.identity == f"mysql://{mariadb.host}:{mariadb.port}/{shop_database}"


def test_a_password_that_was_rotated_is_taken_at_the_next_connect(
    mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    """By the source of a process that goes on running, as a code server does."""
    file = tmp_path / ".env"
    lines = {
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": mariadb.host,
        "ORDERHE_MYSQL_PORT": str(mariadb.port),
        "ORDERHE_MYSQL_USER": "rotated",
        "ORDERHE_MYSQL_DATABASE": shop_database,
        "ORDERHE_MYSQL_SSL_CA": mariadb.ca,
    }

    def write(password: str, **more: str) -> None:
        given = {**lines, "ORDERHE_MYSQL_PASSWORD": password, **more}
        file.write_text("".join(f"{name}='{value}'\n" for name, value in given.items()), "utf-8")

    mariadb.run("create user rotated identified by 'the old one'")
    try:
        mariadb.run(f"grant select on {shop_database}.* to rotated")
        write("the old one")
        source = build_source(load_settings({}, tmp_path))
        assert isinstance(source, MySQLSource)
        assert asked(source, "pymysql").startswith("TLSv1")
        mariadb.run("alter user rotated identified by 'the new one'")
        refused(source, "scanner")
        write("the new one")
        assert asked(source, "pymysql").startswith("TLSv1")
        assert asked(source, "scanner").startswith("TLSv1")
        write("")
        with pytest.raises(SettingsError, match=r"ORDERHE_MYSQL_PASSWORD is not set any more"):
            asked(source, "pymysql")
        write("the new one", ORDERHE_MYSQL_HOST="elsewhere.example.com")
        with pytest.raises(SettingsError, match=r"ORDERHE_MYSQL_\* has changed.*reload"):
            asked(source, "pymysql")  # the other server's password goes to no other
    finally:
        mariadb.run("drop user rotated")


def test_an_extension_that_was_tampered_with_is_not_loaded(
    mariadb: MariaDB, shop_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = bytearray(mysql_extract.extension_file().read_bytes())
    body[len(body) // 2] ^= 1
    copy = tmp_path / "mysql_scanner.duckdb_extension"
    copy.write_bytes(body)
    monkeypatch.setattr(mysql_extract, "extension_file", lambda: copy)
    with pytest.raises(PortError, match=r"signature.*ORDERHE_MYSQL_EXTRACT=arrow"):
        asked(mysql_source(mariadb, shop_database), "scanner")


def test_without_the_extension_arrow_is_proposed_and_never_taken_in_silence(
    mariadb: MariaDB, shop_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = tables(tmp_path, order=NAMES)["order"]
    source = mysql_source(mariadb, shop_database)
    source.create([table])
    monkeypatch.setattr(mysql_extract, "EXTENSION", "no_such_package")
    with pytest.raises(PortError, match="ORDERHE_MYSQL_EXTRACT=arrow"):
        source.extract(table, None, tmp_path / "out")
    assert not (tmp_path / "out").exists()
    by_arrow = mysql_source(mariadb, shop_database, READER, extract="arrow")
    assert by_arrow.extract(table, None, tmp_path / "out").parts == {}


def test_nothing_is_written_into_the_home_folder(
    mariadb: MariaDB, shop_database: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert asked(mysql_source(mariadb, shop_database), "scanner").startswith("TLSv1")
    assert list(tmp_path.iterdir()) == []
