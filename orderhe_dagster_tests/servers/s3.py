"""An S3 for the tests: moto's server in a process of its own, on a free loopback port, gone afterwards.

Fixtures: `s3_server` (one a session, which holds users to their policies) and `s3` (the same, with an
administrator's credentials in the environment); each test takes a bucket of its own. As moto neither
holds uploads to their checksums, nor links to their signatures and ends, nor takes writes of one object
one after the other, all are added here, as Amazon's documentation has them. Run as a program, this
file is the server: it says its port and ends with its standard input.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import io
import itertools
import json
import os
import socket
import ssl
import subprocess
import sys
import threading
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode

import pytest

EVERYTHING = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}],
}
_NUMBERS = itertools.count(1)


@dataclass
class S3Server:
    """A running server; `ca`: its CA's file where it speaks TLS; `environ`: who may do everything."""

    url: str
    ca: str = ""
    pid: int = 0
    environ: dict[str, str] = field(default_factory=dict)
    _clients: dict[tuple[str, str], Any] = field(default_factory=dict, repr=False)

    def bucket_name(self, stem: str = "shop-backup") -> str:
        """A name that no other test has."""
        return f"{stem}-{os.getpid()}-{next(_NUMBERS)}"

    def user(self, name: str, policy: Mapping[str, Any]) -> dict[str, str]:
        """Make a user with that policy alone; gives the variables of its credentials."""
        iam = self.client("iam")
        iam.create_user(UserName=name)
        self.allow(name, policy)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return {
            "AWS_ACCESS_KEY_ID": key["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": key["SecretAccessKey"],
        }

    def allow(self, name: str, policy: Mapping[str, Any]) -> None:
        """Give a user another policy."""
        document = json.dumps(policy)
        self.client("iam").put_user_policy(
            UserName=name, PolicyName="only", PolicyDocument=document
        )

    def client(self, service: str = "s3") -> Any:
        """A client of the server, with every right."""
        import botocore.session

        given = self.environ.get("AWS_ACCESS_KEY_ID", "nobody")
        if (service, given) not in self._clients:
            self._clients[service, given] = botocore.session.Session().create_client(
                service,
                endpoint_url=self.url,
                region_name="us-east-1",
                aws_access_key_id=given,
                aws_secret_access_key=self.environ.get("AWS_SECRET_ACCESS_KEY", "nothing"),
                verify=self.ca or None,
            )
        return self._clients[service, given]


@contextmanager
def running(
    certificate: Path | None = None, key: Path | None = None, ca: str = ""
) -> Iterator[S3Server]:
    """A server for the block; it speaks TLS where it is given a certificate and its key."""
    command = [sys.executable, "-W", "ignore", str(Path(__file__))]
    if certificate and key:
        command += [str(certificate), str(key)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=_plain_environment()
    )
    try:
        assert process.stdout is not None
        port = int(process.stdout.readline())
        url = f"http{'s' if certificate else ''}://127.0.0.1:{port}"
        server = S3Server(url, ca, process.pid)
        server.environ.update(server.user("administrator", EVERYTHING))
        trusted = ssl.create_default_context(cafile=ca) if ca else None
        guard = urllib.request.Request(
            f"{server.url}/moto-api/reset-auth", b"0", {"Content-Type": "text/plain"}
        )
        with urllib.request.urlopen(guard, timeout=10, context=trusted) as answer:
            assert answer.status == 200
        yield server
    finally:
        process.communicate(timeout=30)  # its standard input is closed: it ends


@pytest.fixture(scope="session")
def s3_server() -> Iterator[S3Server]:
    """The session's server. Others use it too: each test takes a bucket of its own."""
    with running() as server:
        yield server


@pytest.fixture
def s3(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """The session's server, and credentials for it in the environment."""
    use(monkeypatch, s3_server.environ)
    return s3_server


def use(monkeypatch: pytest.MonkeyPatch, credentials: Mapping[str, str]) -> None:
    """Have AWS's clients take these credentials and no others."""
    from orderhe_dagster.resources.s3.client import forget_clients

    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    for name, value in {**NOWHERE, **credentials}.items():
        monkeypatch.setenv(name, value)
    forget_clients()


NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_DEFAULT_REGION": "us-east-1",
}
"""Nothing of whoever runs the tests is read."""


def _plain_environment() -> dict[str, str]:
    return {
        name: value for name, value in os.environ.items() if not name.startswith("AWS_")
    } | NOWHERE


class _AsAmazonHasIt:
    """Before moto: an upload that is not what its checksum says is refused; writes come one by one."""

    def __init__(self, app: Callable[..., Any]) -> None:
        self._app, self._lock = app, threading.Lock()

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        body = b""
        if length := int(environ.get("CONTENT_LENGTH") or 0):
            body = environ["wsgi.input"].read(length)
            environ["wsgi.input"] = io.BytesIO(body)
            if len(body) < length:  # the sender is gone
                return _refuse(start_response, "IncompleteBody", "The body ended early.")
        given = environ.get("HTTP_X_AMZ_CHECKSUM_SHA256")
        if given and given != base64.b64encode(hashlib.sha256(body).digest()).decode():
            return _refuse(start_response, "BadDigest", "The SHA256 you specified did not match.")
        if "HTTP_AUTHORIZATION" not in environ and "/moto-api/" not in environ["PATH_INFO"]:
            refusal = _sign_what_was_presigned(environ)
            if refusal:
                return _refuse(start_response, *refusal, "403 Forbidden")
        if environ["REQUEST_METHOD"] in ("GET", "HEAD"):
            return self._app(environ, start_response)
        with self._lock:
            return self._app(environ, start_response)


def _refuse(
    start_response: Callable[..., Any], code: str, message: str, status: str = "400 Bad Request"
) -> list[bytes]:
    body = f"<?xml version='1.0'?><Error><Code>{code}</Code><Message>{message}</Message></Error>"
    start_response(status, [("Content-Type", "application/xml")])
    return [body.encode()]


def _sign_what_was_presigned(environ: dict[str, Any]) -> tuple[str, str] | None:
    """Hold a link to its signature and its end, and sign its request as moto knows it; else why not.

    Moto itself looks at neither: it asks for a header.
    """
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    given = dict(parse_qsl(environ["QUERY_STRING"], keep_blank_values=True))
    claimed = given.pop("X-Amz-Signature", "")
    if not claimed:
        return "AccessDenied", "Access Denied"
    name, day, region, service, _ = given["X-Amz-Credential"].split("/")
    secret = _secrets().get(name)
    if secret is None:
        return "InvalidAccessKeyId", "The AWS Access Key Id you provided does not exist."
    path = environ["REQUEST_URI"].partition("?")[0]
    begun = given["X-Amz-Date"]
    canonical = "\n".join(
        [
            environ["REQUEST_METHOD"],
            path,
            "&".join(f"{quote(k, '~')}={quote(v, '~')}" for k, v in sorted(given.items())),
            f"host:{environ['HTTP_HOST']}\n",
            "host",
            "UNSIGNED-PAYLOAD",
        ]
    )
    scope = f"{day}/{region}/{service}/aws4_request"
    text = f"AWS4-HMAC-SHA256\n{begun}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    key = f"AWS4{secret}".encode()
    for part in scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), claimed):
        return "SignatureDoesNotMatch", "The request signature we calculated does not match."
    at = datetime.strptime(begun, "%Y%m%dT%H%M%SZ").replace(tzinfo=timezone.utc)
    if datetime.now(timezone.utc) >= at + timedelta(seconds=int(given["X-Amz-Expires"])):
        return "AccessDenied", "Request has expired"
    rest = urlencode({k: v for k, v in given.items() if not k.startswith("X-Amz-")})
    environ["QUERY_STRING"], environ["REQUEST_URI"] = rest, f"{path}?{rest}"
    environ["RAW_URI"] = environ["REQUEST_URI"]
    signed = AWSRequest("GET", f"http://{environ['HTTP_HOST']}{environ['REQUEST_URI']}")
    S3SigV4Auth(Credentials(name, secret), service, region).add_auth(signed)
    for header, value in signed.headers.items():
        environ[f"HTTP_{header.upper().replace('-', '_')}"] = value
    return None


def _secrets() -> dict[str, str]:
    """The users' keys, with their secrets."""
    from moto.iam.models import iam_backends

    return {
        key.access_key_id: key.secret_access_key
        for backends in iam_backends.values()
        for user in backends["aws"].list_users("/", None, None)
        for key in user.access_keys
    }


def _ask_for_the_rights_that_amazon_asks_for() -> None:
    """Moto has other names for two, and asks for the deletion of objects on the bucket."""
    import xmltodict
    from moto.s3.responses import ACTION_MAP, S3Response

    ACTION_MAP["BUCKET"]["HEAD"]["DEFAULT"] = "ListBucket"
    ACTION_MAP["BUCKET"]["PUT"]["publicAccessBlock"] = "PutBucketPublicAccessBlock"
    name = "_authenticate_and_authorize_s3_action"
    authorize = getattr(S3Response, name)

    def of_objects(self: Any, bucket_name: str | None = None, key_name: str | None = None) -> None:
        if self.data["Action"] != "DeleteObject" or key_name is not None:
            authorize(self, bucket_name=bucket_name, key_name=key_name)
            return
        asked = xmltodict.parse(self.body, force_list=("Object",))["Delete"]["Object"]
        for one in asked:
            authorize(self, bucket_name=bucket_name, key_name=one["Key"])

    setattr(S3Response, name, of_objects)


def server_on(listener: socket.socket, *tls: str) -> Any:
    """The server itself at a socket that listens; `tls`: the files of its certificate and key."""
    import logging

    from moto.moto_server.werkzeug_app import (
        DomainDispatcherApplication,
        MotoRequestHandler,
        create_backend_app,
    )
    from werkzeug.serving import make_server

    _ask_for_the_rights_that_amazon_asks_for()
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    app: Any = _AsAmazonHasIt(DomainDispatcherApplication(create_backend_app))
    host, port = listener.getsockname()[:2]
    return make_server(
        host,
        port,
        app,
        threaded=True,
        request_handler=MotoRequestHandler,
        ssl_context=tls or None,  # type: ignore[arg-type]
        fd=listener.fileno(),
    )


def main(*tls: str) -> None:
    """Serve until the standard input ends."""
    with socket.create_server(("127.0.0.1", 0), backlog=128) as listener:
        server = server_on(listener, *tls)
        print(listener.getsockname()[1], flush=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
