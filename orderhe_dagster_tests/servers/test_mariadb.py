"""The tests' own MariaDB is what the other tests take it for."""

from __future__ import annotations

import pymysql
import pytest

from orderhe_dagster_tests.servers.mariadb import OTHER_HOST, OWNER, READER, Account, MariaDB


def connect(server: MariaDB, account: Account, database: str, **more: object) -> pymysql.Connection:
    given = {
        "host": server.host, "ssl_ca": server.ca, "ssl_verify_cert": True,
        "ssl_verify_identity": True, **more,
    }  # fmt: skip
    return pymysql.connect(
        port=server.port,
        user=account.user,
        password=account.password.encode(),
        database=database,
        **given,
    )


def test_its_certificate_holds_for_its_name_alone(mariadb: MariaDB, shop_database: str) -> None:
    with connect(mariadb, OWNER, shop_database) as connection, connection.cursor() as cursor:
        cursor.execute("show status like 'Ssl_version'")
        assert cursor.fetchall()[0][1].startswith("TLSv1")
    with pytest.raises(pymysql.err.OperationalError, match="CERTIFICATE_VERIFY_FAILED"):
        connect(mariadb, OWNER, shop_database, host=OTHER_HOST)


def test_the_reader_only_reads(mariadb: MariaDB, shop_database: str) -> None:
    mariadb.run(f"create table {shop_database}.t (id int)")
    with connect(mariadb, READER, shop_database) as connection, connection.cursor() as cursor:
        assert cursor.execute("select * from t") == 0
        with pytest.raises(pymysql.err.OperationalError, match="denied"):
            cursor.execute("insert into t values (1)")
