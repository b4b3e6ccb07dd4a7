"""Passwords that Secrets Manager keeps: moto's, for a MariaDB and a local Redshift that want them."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from local_redshift.testing.server import Redshift
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.aws.secrets import password_of
from orderhe_dagster.resources.mysql import extract as mysql_extract
from orderhe_dagster.resources.mysql.connection import connect
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import RedshiftSettings
from orderhe_dagster.settings.secret import NO_SECRET
from orderhe_dagster_tests.doctor.aws import at_moto
from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB, mysql_source
from orderhe_dagster_tests.servers.s3 import S3Server, use

GONE = "arn:aws:secretsmanager:us-east-1:123456789012:secret:gone-Ab1"
Keep = Callable[[Any], str]


@pytest.fixture
def keep(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Keep:
    """Keeps what it is given in Secrets Manager; gives the ARN."""
    at_moto(monkeypatch, s3_server)
    client = s3_server.client("secretsmanager")

    def kept(content: Any) -> str:
        text = content if isinstance(content, str) else json.dumps(content)
        name = s3_server.bucket_name("secret")
        return str(client.create_secret(Name=name, SecretString=text)["ARN"])

    return kept


@pytest.mark.parametrize("client", ["pymysql", "scanner"])
def test_mysql_is_reached_by_a_secret(
    mariadb: MariaDB, shop_database: str, keep: Keep, client: str
) -> None:
    arn = keep({"username": OWNER.user, "password": OWNER.password, "engine": "mysql"})
    settings = mysql_source(mariadb, shop_database, password=NO_SECRET, secret_arn=arn).settings
    if client == "scanner":
        with mysql_extract.by_scanner(settings, "select 7 as n") as (engine, relation):
            assert engine.execute(f"from {relation}").fetchall() == [(7,)]
        return
    with connect(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select 7")
        assert cursor.fetchall() == ((7,),)


def test_a_rotated_secret_is_the_next_connections(
    mariadb: MariaDB, shop_database: str, keep: Keep, s3_server: S3Server
) -> None:
    arn = keep({"username": OWNER.user, "password": "an old one"})
    settings = mysql_source(mariadb, shop_database, password=NO_SECRET, secret_arn=arn).settings
    with pytest.raises(PortError, match="1045"):
        connect(settings)
    now = json.dumps({"username": OWNER.user, "password": OWNER.password})
    s3_server.client("secretsmanager").put_secret_value(SecretId=arn, SecretString=now)
    connect(settings).close()


def test_redshift_is_reached_by_a_secret(redshift: Redshift, keep: Keep) -> None:
    arn = keep({"username": redshift.user, "password": redshift.password})
    given = RedshiftSettings(
        **{"host": redshift.host, "port": redshift.port, "user": redshift.user},
        **{"secret_arn": arn, "ssl_ca": redshift.ca},
    )
    with RedshiftWarehouse(given).session("by a secret", read_only=True) as session:
        assert session.execute("select 7").scalar() == 7


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("needle", "does not hold"),
        ({"username": "etl", "pass": "needle"}, "does not hold"),
        (["needle"], "does not hold"),
        ({"username": "other", "password": "needle"}, "of the user other, not of etl"),
    ],
)
def test_a_secret_that_is_none_is_told_without_its_text(
    keep: Keep, content: Any, says: str
) -> None:
    arn = keep(content)
    with pytest.raises(PortError, match=says) as caught:
        password_of(arn, "etl")
    assert "needle" not in str(caught.value)
    assert arn in str(caught.value)


def test_a_secret_without_a_user_is_anybodys(keep: Keep) -> None:
    assert password_of(keep({"password": "p"}), "etl") == "p"


def test_who_may_not_ask_is_told_what_lacks(
    keep: Keep, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(PortError, match=r"ResourceNotFoundException\. There is no such secret"):
        password_of(GONE, "etl")
    arn = keep({"password": "needle"})
    nothing = {
        "Version": "2012-10-17",
        "Statement": [{"Effect": "Deny", "Action": "*", "Resource": "*"}],
    }
    use(monkeypatch, s3_server.user(s3_server.bucket_name("nobody"), nothing))
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url)
    with pytest.raises(PortError, match=r"told: 403\. Whoever .* needs secretsmanager:Get"):
        password_of(arn, "etl")


def test_without_credentials_it_is_told_so(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, {})
    with pytest.raises(PortError, match="NoCredentialsError"):
        password_of(GONE, "etl")
