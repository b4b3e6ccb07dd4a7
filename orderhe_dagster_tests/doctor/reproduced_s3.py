"""What S3's signatures say is seen, made to happen: on moto with IAM enforced, and by wrong answers."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Callable, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import Authority
from orderhe_dagster.ports.errors import Symptom
from orderhe_dagster.resources.s3.errors import Place, s3_error
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.doctor.peers import peer, says, tls_of
from orderhe_dagster_tests.doctor.reproduced_mysql import symptom_of
from orderhe_dagster_tests.servers.http_faults import answers, before
from orderhe_dagster_tests.servers.s3 import S3Server, use


class Bench:
    """An S3 with a bucket, and credentials that a test may bend."""

    def __init__(self, server: S3Server, patch: pytest.MonkeyPatch) -> None:
        self.server, self.patch = server, patch
        self.bucket = server.bucket_name()
        self.as_one(server.environ)
        self.store().create()

    def as_one(self, credentials: Mapping[str, str]) -> None:
        """Be somebody else."""
        use(self.patch, credentials)

    def store(self, **more: Any) -> S3Store:
        """The bucket's store; a request is tried once."""
        given: dict[str, Any] = {"bucket": self.bucket, "endpoint_url": self.server.url}
        settings = S3Settings(**{**given, "connect_timeout": 1, "read_timeout": 2, **more})
        return S3Store(settings, max_attempts=1)

    def refused(self, **more: Any) -> Symptom:
        """What writing an object ends with."""
        return symptom_of(lambda: self.store(**more).put("a", b"x"))


def _answered(status: int, code: str) -> Callable[[Bench], Symptom]:
    def happens(bench: Bench) -> Symptom:
        with before(bench.server.url) as proxy:
            proxy.faults.extend([answers(status, code)] * 8)  # each time it is asked again
            return bench.refused(endpoint_url=proxy.url)

    return happens


def _without(*actions: str) -> dict[str, Any]:
    allowed = {"s3:GetObject", "s3:PutObject", "s3:ListBucket"} - set(actions)
    statement = {"Effect": "Allow", "Action": sorted(allowed), "Resource": "*"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def _denied(bench: Bench) -> Symptom:
    bench.as_one(bench.server.user(f"{bench.bucket}-w", _without("s3:PutObject")))
    return bench.refused()


def _denied_bucket(bench: Bench) -> Symptom:
    bench.as_one(bench.server.user(f"{bench.bucket}-l", _without("s3:ListBucket")))
    return symptom_of(lambda: bench.store().listing(""))


def _keys(**given: str) -> Callable[[Bench], Symptom]:
    def happens(bench: Bench) -> Symptom:
        bench.as_one({**bench.server.environ, **given})
        return bench.refused()

    return happens


def _nobody(bench: Bench) -> Symptom:
    bench.as_one({})
    return bench.refused()


def _no_profile(bench: Bench) -> Symptom:
    bench.as_one({"AWS_PROFILE": "shop"})
    return bench.refused()


def _no_region(bench: Bench) -> Symptom:
    bench.as_one({**bench.server.environ, "AWS_DEFAULT_REGION": "Frankfurt!"})
    return bench.refused(endpoint_url="")


def _in_clear(bench: Bench) -> Symptom:
    with peer(says(b"HTTP/1.1 400 Bad Request\r\n\r\n", waits=True)) as port:
        return bench.refused(endpoint_url=f"https://127.0.0.1:{port}")


def _certificate(bench: Bench) -> Symptom:
    with tempfile.TemporaryDirectory() as folder:
        files = Authority(Path(folder)).sign("127.0.0.1")
        with peer(tls_of(*files, asked=False)) as port:
            return bench.refused(endpoint_url=f"https://127.0.0.1:{port}")


def _unreachable(bench: Bench) -> Symptom:
    with ExitStack() as stack:
        taken = stack.enter_context(socket.socket())
        taken.bind(("127.0.0.1", 0))
        return bench.refused(endpoint_url=f"http://127.0.0.1:{taken.getsockname()[1]}")


def _other_region(bench: Bench) -> Symptom:
    """Botocore follows a redirect of Amazon's by itself; where it cannot, that is its error."""
    from botocore.exceptions import ClientError

    answer = {"Error": {"Code": "PermanentRedirect", "Message": "another endpoint"}}
    error = s3_error(ClientError(answer, "GetObject"), "read", Place("s3://b/a", "b"))
    assert error.symptom is not None
    return error.symptom


HAPPENS: Mapping[str, Callable[[Bench], Symptom]] = {
    "s3-denied": _denied,
    "s3-denied-bucket": _denied_bucket,
    "s3-no-bucket": lambda bench: bench.refused(bucket=f"{bench.bucket}-none"),
    "s3-taken": _answered(409, "BucketAlreadyExists"),
    "s3-other-region": _other_region,
    "s3-unknown-key": _keys(AWS_ACCESS_KEY_ID="AKIAAAAAAAAAAAAAAAAA"),
    "s3-wrong-secret": _keys(AWS_SECRET_ACCESS_KEY="wrong"),
    "s3-expired": _answered(400, "ExpiredToken"),
    "s3-no-credentials": _nobody,
    "s3-no-profile": _no_profile,
    "s3-no-region": _no_region,
    "s3-clock": _answered(403, "RequestTimeTooSkewed"),
    "s3-slow-down": _answered(503, "SlowDown"),
    "s3-archived": _answered(403, "InvalidObjectState"),
    "s3-full": _answered(507, "XMinioStorageFull"),
    "s3-no-conditional-writes": _answered(501, "NotImplemented"),
    "s3-kms": _answered(400, "KMS.DisabledException"),
    "s3-no-tls": _in_clear,
    "s3-certificate": _certificate,
    "s3-unreachable": _unreachable,
}
"""Signature -> how it comes about."""
