"""An account at moto into which the templates are deployed; each test module has one of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from orderhe_dagster_tests.doctor.aws import at_moto, control_plane
from orderhe_dagster_tests.doctor.conftest import one_loader
from orderhe_dagster_tests.infra.moto_stacks import Account
from orderhe_dagster_tests.servers.s3 import S3Server

__all__ = ["one_loader"]


@pytest.fixture
def new_account(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account without stacks; boto3 finds it, and the control plane of Redshift Serverless."""
    at_moto(monkeypatch, s3_server)
    with control_plane(monkeypatch) as plane:
        account = Account(s3_server, plane, s3_server.bucket_name("shop"))
        yield account
        account.clear()
