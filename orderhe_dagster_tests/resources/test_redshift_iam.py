"""Temporary credentials by IAM: the driver asks AWS's control plane, here a small server of the test."""

from __future__ import annotations

import json
import threading
import traceback
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from local_redshift.testing.server import Redshift
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import RedshiftSettings


class ControlPlane(ThreadingHTTPServer):
    """What redshift-serverless answers to GetWorkgroup and GetCredentials."""

    daemon_threads = True

    def __init__(self, redshift: Redshift) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.redshift = redshift
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.denies = False


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        plane = self.server
        assert isinstance(plane, ControlPlane)
        body = json.loads(self.rfile.read(int(self.headers["content-length"])))
        action = self.headers["x-amz-target"].rpartition(".")[2]
        plane.asked.append((action, body))
        answer: dict[str, Any] = {
            "GetWorkgroup": {
                "workgroup": {
                    "endpoint": {"address": plane.redshift.host, "port": plane.redshift.port}
                }
            },
            "GetCredentials": {
                "dbUser": plane.redshift.user,
                "dbPassword": plane.redshift.password,
                "expiration": 4_000_000_000,
            },
        }[action]
        if plane.denies:
            answer = {"__type": "AccessDeniedException", "message": "not authorized to perform"}
        data = json.dumps(answer).encode()
        self.send_response(400 if plane.denies else 200)
        self.send_header("content-type", "application/x-amz-json-1.1")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def plane(redshift: Redshift, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    with ControlPlane(redshift) as made:
        thread = threading.Thread(target=made.serve_forever)
        thread.start()
        address = f"http://127.0.0.1:{made.server_address[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_REDSHIFT_SERVERLESS", address)
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        monkeypatch.setenv("AWS_DEFAULT_REGION", "ap-northeast-2")
        monkeypatch.setenv("AWS_CONFIG_FILE", "/dev/null")
        yield made
        made.shutdown()
        thread.join(10)


def by_iam(redshift: Redshift, **more: Any) -> RedshiftWarehouse:
    return RedshiftWarehouse(
        RedshiftSettings(auth="iam", workgroup="shop", ssl_ca=redshift.ca, **more)
    )


def test_a_workgroup_is_reached_by_credentials_that_aws_gives(
    redshift: Redshift, plane: ControlPlane
) -> None:
    made = by_iam(redshift)
    assert made.query("select 1").scalar() == 1
    assert made.query("select current_user").scalar() == redshift.user
    asked = dict(plane.asked)
    assert asked["GetWorkgroup"] == {"workgroupName": "shop"}
    assert asked["GetCredentials"] == {"workgroupName": "shop", "dbName": "dev"}
    assert redshift.password not in repr(made)


def test_a_caller_without_the_right_is_told_which(redshift: Redshift, plane: ControlPlane) -> None:
    plane.denies = True
    made = by_iam(redshift, database="other")  # the driver keeps credentials of a database it knows
    with pytest.raises(PortError, match="redshift-serverless:GetCredentials"), made.session("x"):
        raise AssertionError("connected")


def test_a_token_with_a_line_break_is_not_shown(
    redshift: Redshift, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SESSION_TOKEN", "needle\n")
    made = by_iam(redshift, database="a third")  # the driver keeps credentials of those it knows
    with pytest.raises(PortError, match="hold a line break") as raised, made.session("x"):
        raise AssertionError("connected")
    assert "needle" not in "".join(traceback.format_exception(raised.value))


def test_a_missing_region_is_named(
    redshift: Redshift, plane: ControlPlane, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("AWS_DEFAULT_REGION")
    made = by_iam(redshift)
    with pytest.raises(PortError, match="AWS_DEFAULT_REGION"), made.session("x"):
        raise AssertionError("connected")
