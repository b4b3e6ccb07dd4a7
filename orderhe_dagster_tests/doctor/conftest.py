"""What describes AWS's services is read and parsed once for these tests, not once a session of botocore's."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import botocore.session
import pytest

from orderhe_dagster_tests.doctor.aws import ControlPlane, at_moto, control_plane
from orderhe_dagster_tests.servers.s3 import S3Server

_SHARED = cache(botocore.session.create_loader)


@pytest.fixture(autouse=True)
def one_loader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every session takes the same loader."""
    monkeypatch.setattr(botocore.session, "create_loader", _SHARED)


@pytest.fixture
def plane(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> Iterator[ControlPlane]:
    """An account at moto, and a control plane of Redshift Serverless beside it."""
    at_moto(monkeypatch, s3_server)
    with control_plane(monkeypatch) as made:
        yield made
