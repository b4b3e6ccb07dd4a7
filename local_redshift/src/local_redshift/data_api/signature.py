"""Who sends a request: AWS's Signature Version 4, verified. What the request asks for: `operations`."""

from __future__ import annotations

import calendar
import hashlib
import hmac
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

from local_redshift.data_api.faults import ApiError

SERVICE = "redshift-data"
_ALGORITHM = "AWS4-HMAC-SHA256"
_HEADER = re.compile(
    rf"{_ALGORITHM} Credential=([^/\s,]+)/(\d{{8}})/([\w-]+)/([\w-]+)/aws4_request,"
    r"\s*SignedHeaders=([\w;-]+),\s*Signature=([0-9a-f]{64})"
)
_LATE_S = 5 * 60


@dataclass(frozen=True)
class Key:
    """An access key: its secret, and the database user whom its requests come from."""

    user: str
    secret: str = field(repr=False)


@dataclass(frozen=True)
class Request:
    """What is signed of a request over HTTP; the names of headers are in lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


def caller(request: Request, keys: Mapping[str, Key], now: float | None = None) -> str:
    """The user whose key signed the request. ApiError where nobody's did."""
    given = request.headers.get("authorization", "")
    if not given:
        raise ApiError("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
    found = _HEADER.fullmatch(given)
    stamp = request.headers.get("x-amz-date", "")
    if found is None or not re.fullmatch(r"\d{8}T\d{6}Z", stamp):
        raise ApiError(
            "IncompleteSignatureException",
            "Authorization header requires 'Credential', 'SignedHeaders' and 'Signature', beside an "
            "X-Amz-Date",
            403,
        )
    name, day, region, service, signed, signature = found.groups()
    key = keys.get(name)
    if key is None:
        raise ApiError(
            "UnrecognizedClientException",
            "The security token included in the request is invalid.",
            403,
        )
    names = signed.split(";")
    if service != SERVICE or day != stamp[:8] or not {"host", "x-amz-date"} <= {*names}:
        raise _wrong(
            "Credential should be scoped to this service, the date of the request, and host"
        )
    sent = calendar.timegm(time.strptime(stamp, "%Y%m%dT%H%M%SZ"))
    if abs((time.time() if now is None else now) - sent) > _LATE_S:
        raise _wrong(f"Signature expired: {stamp} is more than 5 minutes away: set the clock")
    scope = f"{day}/{region}/{service}/aws4_request"
    text = "\n".join([_ALGORITHM, stamp, scope, _digest(_canonical(request, names).encode())])
    derived = f"AWS4{key.secret}".encode()
    for part in scope.split("/"):
        derived = hmac.new(derived, part.encode(), "sha256").digest()
    wanted = hmac.new(derived, text.encode(), "sha256").hexdigest()
    if not hmac.compare_digest(wanted, signature):
        raise _wrong(
            "The request signature we calculated does not match the signature you provided. Check "
            "your AWS Secret Access Key and signing method. Consult the service documentation for "
            "details."
        )
    return key.user


def _wrong(message: str) -> ApiError:
    return ApiError("InvalidSignatureException", message, 403)


def _canonical(request: Request, names: list[str]) -> str:
    path, _, query = request.path.partition("?")
    headers = "".join(
        f"{name}:{' '.join(request.headers.get(name, '').split())}\n" for name in names
    )
    return "\n".join(
        [
            request.method,
            quote(path, safe="/-_.~%"),
            query,
            headers,
            ";".join(names),
            _digest(request.body),
        ]
    )


def _digest(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()
