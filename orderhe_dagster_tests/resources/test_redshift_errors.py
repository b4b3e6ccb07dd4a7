"""What a client of Redshift is told when nothing answers, and how the server's own words are read."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
import redshift_connector

from orderhe_dagster.doctor.explain import explain
from orderhe_dagster.ports.errors import ConnectionLost, PortError, StatementError
from orderhe_dagster.rendering.masking import without_values
from orderhe_dagster.resources.redshift.errors import (
    connect_error,
    is_retryable,
    message_of,
    shown,
    statement_error,
)
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import RedshiftSettings
from orderhe_dagster.settings.secret import Secret

SECRET = "needle-in-no-error"


def warehouse(port: int, host: str = "127.0.0.1", **more: object) -> RedshiftWarehouse:
    given: dict[str, Any] = {"host": host, "port": port, "user": "loader", "connect_timeout": 1}
    return RedshiftWarehouse(RedshiftSettings(password=Secret.of(SECRET), **{**given, **more}))


@pytest.fixture
def free_port() -> int:
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


@pytest.fixture
def silent_port() -> Iterator[int]:
    """Accepts connections and never says anything."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


def refusal(made: RedshiftWarehouse) -> str:
    with pytest.raises(PortError) as raised, made.session("x"):
        raise AssertionError("there is no server")
    assert SECRET not in str(raised.value)
    assert SECRET not in repr(made)
    assert SECRET not in repr((made.settings, made.settings.password))
    return str(raised.value)


def test_nothing_listens(free_port: int) -> None:
    told = refusal(warehouse(free_port))
    assert f"127.0.0.1:{free_port}/dev" in told
    assert "nothing listens there" in told


@pytest.mark.parametrize("sslmode", ["verify-full", "disable"])
def test_nothing_answers(silent_port: int, sslmode: str) -> None:
    told = refusal(warehouse(silent_port, sslmode=sslmode))
    assert f"127.0.0.1:{silent_port}/dev takes connections, but did not let us in" in told
    assert "ORDERHE_REDSHIFT_CONNECT_TIMEOUT" in told


def test_a_host_that_is_not_known(free_port: int) -> None:
    told = refusal(warehouse(free_port, host="no-such-workgroup.invalid"))
    assert "ORDERHE_REDSHIFT_HOST is no name that is known" in told


def test_a_server_without_tls_is_not_spoken_to_in_clear() -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(8)
                client.sendall(b"N")

        thread = threading.Thread(target=answer)
        thread.start()
        assert "What answers there speaks no TLS" in refusal(warehouse(listener.getsockname()[1]))
        thread.join(10)


@pytest.mark.parametrize(
    "said", [b"HTTP/1.1 400 Bad Request\r\n\r\n", b"\x5b\0\0\0\x0a8.0.36\0"], ids=["web", "MySQL"]
)
def test_another_service_is_told_from_a_redshift(said: bytes) -> None:
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1000)
                client.sendall(said)
                assert client.recv(1000) == b""  # the client hung up

        thread = threading.Thread(target=answer)
        thread.start()
        told = refusal(warehouse(listener.getsockname()[1], sslmode="disable"))
        assert "is no Redshift: another service has that port" in told
        thread.join(10)
        assert not thread.is_alive()


def test_a_server_that_hangs_up_is_told_without_the_drivers_advice() -> None:
    """Which is a longer timeout."""
    with closing(socket.socket()) as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        listener.settimeout(10)

        def answer() -> None:
            client, _ = listener.accept()
            with client:
                client.recv(1000)

        thread = threading.Thread(target=answer)
        thread.start()
        told = refusal(warehouse(listener.getsockname()[1], sslmode="disable"))
        thread.join(10)
    assert "took the connection and hung up" in told
    assert "timeout" not in told


COLUMNS = "Unmatched number of columns between table and file. Table columns: 2, Data columns: 1"
CYCLE = "Serializable isolation violation on table - 1, transactions forming the cycle are: 7, 8 (pid:9)"
BLOCK = f"""
  -----------------------------------------------
  error:  Spectrum Scan Error
  code:      15007
  context:   {COLUMNS}
  query:     123
  location:  dory_util.cpp:1509
  process:   worker_thread [pid=1]
  -----------------------------------------------
"""
FIELDS: list[tuple[dict[str, str], str, bool]] = [
    ({"C": "XX000", "M": "1023", "D": CYCLE}, f"1023: {CYCLE}", True),
    ({"C": "XX000", "M": "Spectrum Scan Error", "D": BLOCK},
     f"Spectrum Scan Error: {COLUMNS}", False),
    ({"C": "40P01", "M": "deadlock detected"}, "deadlock detected", True),
    ({"C": "XX000", "M": "could not open relation with OID 5"}, "could not open relation with OID 5",
     True),
    ({"C": "XX000", "M": "could not complete because of conflict with concurrent transaction"},
     "could not complete because of conflict with concurrent transaction", True),
    ({"C": "23505", "M": 'duplicate key violates unique constraint "pg_class_relname_nsp_index"'},
     'duplicate key violates unique constraint "pg_class_relname_nsp_index"', True),
    ({"C": "22012", "M": "division by zero"}, "division by zero", False),
    ({"C": "XX000", "M": "Disk Full", "D": "no space for 1023 blocks"},
     "Disk Full: no space for 1023 blocks", False),
    ({"C": "57014", "M": "Query cancelled on user's request"}, "Query cancelled on user's request",
     False),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "message", "again"), FIELDS)
def test_the_servers_words_are_read(fields: dict[str, str], message: str, again: bool) -> None:
    assert message_of(fields) == message
    error = statement_error(
        redshift_connector.ProgrammingError(fields), "select 1", RedshiftSettings()
    )
    assert isinstance(error, StatementError)
    assert error.code == fields["C"]
    assert is_retryable(error) is again


@pytest.mark.parametrize(
    "message",
    [
        "COPY with MANIFEST parameter requires full path of an S3 object",
        "S3ServiceException:Access Denied,Status 403,Error AccessDenied,CanRetry 1",
    ],
)
def test_a_denial_names_the_role_the_setting_and_the_statement(message: str) -> None:
    role = "arn:aws:iam::123456789012:role/shop-copy"
    sql = "copy t from 's3://shop/one/backup/orders/m.json' iam_role default format as parquet"
    fields = {"C": "XX000", "M": message}
    error = statement_error(
        redshift_connector.ProgrammingError(fields), sql, RedshiftSettings(iam_role=role)
    )
    told = str(error)
    for words in (role, "ORDERHE_REDSHIFT_IAM_ROLE", "docs/redshift.md", "s3:GetObject"):
        assert words in told
    assert '"Resource": "arn:aws:s3:::shop/one/backup/*"' in told
    assert "materialize" not in told
    why = explain(error)
    assert why is not None
    assert why.name in ("copy-manifest-denied", "copy-denied")
    assert "--role-name shop-copy" in why.command


def test_no_text_advises_to_switch_tls_off() -> None:
    settings = RedshiftSettings(host="db", port=3306)
    told = str(connect_error(redshift_connector.InterfaceError("Server refuses SSL"), settings))
    assert "SSLMODE=disable" not in told
    assert "ORDERHE_MYSQL_*" in told


def test_an_assertion_in_the_detail_is_told() -> None:
    detail = BLOCK.replace("Spectrum Scan Error", "Invalid digit").replace(
        COLUMNS,
        "superseded: a newer generation is loaded already for 2 days",
    )
    fields = {"C": "22P02", "M": "Invalid digit, Value 's', Pos 0, Type: Integer", "D": detail}
    message = message_of(fields)
    assert message.endswith(': "superseded: a newer generation is loaded already for 2 days"')
    assert "superseded" not in without_values(message)  # it may be the value of a row


def test_a_lost_connection_is_no_statement_error() -> None:
    lost = redshift_connector.InterfaceError("BrokenPipe: server socket closed.")
    error = statement_error(lost, "insert into t values (1)", RedshiftSettings())
    assert isinstance(error, ConnectionLost)
    assert "insert into t" in str(error)


@pytest.mark.parametrize("written", ["'{}'", "$${}$$", "$a${}$a$", '"{}"', "$a${}"])
def test_a_message_shows_no_secret_of_a_statement_in_whatever_quotes(written: str) -> None:
    text = shown(f"create user x password {written.format('Needle_12345')}")
    assert text == "\"create user x password '***'\""
