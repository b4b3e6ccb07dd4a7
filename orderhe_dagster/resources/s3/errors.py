"""Errors of S3 and of AWS's client, worded with their remedies. What is retried is decided elsewhere."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from orderhe_dagster.ports.errors import PortError, Symptom
from orderhe_dagster.resources.s3.policy import bucket_arn

ACTIONS = {
    "GetObject": "s3:GetObject",
    "HeadObject": "s3:GetObject",
    "DeleteObjects": "s3:DeleteObject",
    "HeadBucket": "s3:ListBucket",
    "ListObjectsV2": "s3:ListBucket",
    "CreateBucket": "s3:CreateBucket",
    "PutPublicAccessBlock": "s3:PutBucketPublicAccessBlock",
    "AbortMultipartUpload": "s3:AbortMultipartUpload",
}
"""The right that each request needs; those that are not here write: s3:PutObject."""
_OF_BUCKET = {"HeadBucket", "ListObjectsV2", "CreateBucket", "PutPublicAccessBlock"}
EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired", "TokenRefreshRequired"}
_UNREACHED = {
    "EndpointConnectionError",
    "ConnectTimeoutError",
    "ConnectionClosedError",
    "ReadTimeoutError",
    "ProxyConnectionError",
    "HTTPClientError",
    "ResponseStreamingError",
    "IncompleteReadError",
}
_NO_TLS = re.compile(r"wrong.version.number|record.layer.failure", re.IGNORECASE)
"""OpenSSL's words, older and newer, for an answer that is no TLS."""
_UNTRUSTED = re.compile("certificate|hostname", re.IGNORECASE)
LOGIN = (
    "set AWS_PROFILE (and run `aws sso login`), or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
    "(and AWS_SESSION_TOKEN), or give the machine a role"
)
"""How credentials of AWS are had."""


@dataclass(frozen=True)
class Place:
    """What a request is about: an object's (or the bucket's) address, and where the server is.

    `limits`: how long an answer is waited for, and until when it is asked for again, in seconds.
    """

    url: str
    bucket: str
    prefix: str = ""
    endpoint_url: str = ""
    region: str = ""
    limits: tuple[float, float] = (0.0, 0.0)

    @property
    def server(self) -> str:
        """The server without what could be secret in its address."""
        if not self.endpoint_url:
            return f"S3 in {self.region or 'the region that AWS_DEFAULT_REGION names'}"
        parts = urlsplit(self.endpoint_url)
        port = f":{parts.port}" if parts.port else ""
        return f"{parts.scheme}://{parts.hostname}{port}"


def code_of(error: Any) -> str:
    """S3's code of a ClientError: `NoSuchKey`; the number of its status where it gives none."""
    return str(error.response.get("Error", {}).get("Code", ""))


def status_of(error: Any) -> int:
    """The HTTP status of a ClientError; 0 where none is known."""
    return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))


def quotes_credentials(error: BaseException) -> bool:
    """Whether the error's own words hold a header, and so a token: they are for nobody's log."""
    return "Invalid header value" in str(error)


def s3_error(error: Any, doing: str, place: Place) -> PortError:
    """The PortError for an error of the client: `doing` is like `read`."""
    response = getattr(error, "response", None)
    if quotes_credentials(error):
        text = "a header of the request would hold a line break"
        remedy = (
            "AWS's credentials hold a line break or another sign that cannot be sent. Set "
            "AWS_ACCESS_KEY_ID and AWS_SESSION_TOKEN, or the profile, again without it"
        )
    elif isinstance(response, dict):
        message = response.get("Error", {}).get("Message", "")
        text = f"{code_of(error)}: {message}" if message else code_of(error)
        remedy = _answer_remedy(error, place)
    else:
        text, remedy = one_line(error), _no_answer_remedy(error, place)
    result = PortError(f"cannot {doing} {place.url}: {remedy} (said: {text})")
    result.symptom = _symptom(error, text, place)
    return result


def _symptom(error: Any, text: str, place: Place) -> Symptom:
    operation = str(getattr(error, "operation_name", ""))
    facts = {
        "bucket": place.bucket,
        "prefix": place.prefix,
        "region": place.region,
        "endpoint": place.server if place.endpoint_url else "",
        "operation": operation,
        "action": ACTIONS.get(operation, "s3:PutObject") if operation else "",
        "scope": "bucket" if operation in _OF_BUCKET else "objects" if operation else "",
    }
    is_answer = isinstance(getattr(error, "response", None), dict)
    kinds = [
        kind.__name__ for kind in type(error).__mro__ if kind.__module__.startswith("botocore")
    ]
    code = code_of(error) if is_answer else kinds[0] if kinds else type(error).__name__
    return Symptom("s3", text, code, {name: value for name, value in facts.items() if value})


def _answer_remedy(error: Any, place: Place) -> str:
    """What to do about an answer of the server."""
    code, message = code_of(error), str(error.response.get("Error", {}).get("Message", ""))
    if code.startswith("KMS.") or "kms:" in message:
        return (
            "the encryption key refuses. Allow kms:GenerateDataKey and kms:Decrypt on it, in its "
            "own policy and in yours, or see whether it is disabled (ORDERHE_S3_KMS_KEY_ID)"
        )
    if code in EXPIRED:
        return f"the credentials have expired. Renew them: {LOGIN}"
    remedy = _BY_CODE.get(code)
    if remedy is not None:
        clear = code == "400" and place.server.startswith(
            "http://"
        )  # what web servers answer to it
        tls = ". If {server} speaks TLS, write https:// in ORDERHE_S3_ENDPOINT_URL" if clear else ""
        return (remedy + tls).format(bucket=place.bucket, server=place.server)
    if code in {"AccessDenied", "403", "Forbidden", "AllAccessDisabled"}:
        return _denied(error, place)
    if status_of(error) >= 500:
        return f"{place.server} did not manage, in all tries. Run it again a little later"
    return "that is not expected. Read what S3 says of it, mend it there and run it again"


def _denied(error: Any, place: Place) -> str:
    operation = error.operation_name
    action = ACTIONS.get(operation, "s3:PutObject")
    arn = bucket_arn(place.bucket, place.region)
    of_bucket = operation in _OF_BUCKET
    objects = f"{arn}/{place.prefix}/*" if place.prefix else f"{arn}/*"
    statement = {
        "Effect": "Allow",
        "Action": action,
        "Resource": arn if of_bucket else objects,
    }
    reads = operation in ("GetObject", "HeadObject")
    again = " (or it is not there, and s3:ListBucket on the bucket is not allowed)" if reads else ""
    return (
        f"{action} on it is not allowed{again}. Add this statement to the policy of whoever runs "
        f"this, or take back what denies it: {json.dumps(statement)}. The whole policy is in docs/s3.md"
    )


_BY_CODE = {
    "NoSuchBucket": "there is no bucket {bucket!r}. Run `orderhe create`, or mend ORDERHE_S3_BUCKET",
    "404": "there is no bucket {bucket!r}. Run `orderhe create`, or mend ORDERHE_S3_BUCKET",
    "BucketAlreadyExists": "the name {bucket!r} belongs to another account: names of buckets are unique "
    "in the world. Choose another as ORDERHE_S3_BUCKET",
    "InvalidBucketName": "{bucket!r} is not a bucket's name on {server}. Mend ORDERHE_S3_BUCKET",
    "InvalidAccessKeyId": "the access key is not known to {server}. Mend AWS's credentials: "
    + LOGIN,
    "SignatureDoesNotMatch": "the secret does not belong to the access key. Mend AWS_SECRET_ACCESS_KEY "
    "or the profile",
    "InvalidToken": "the session token does not belong to the access key. Renew them: " + LOGIN,
    "AuthorizationHeaderMalformed": "the bucket is in another region. Set AWS_DEFAULT_REGION to its own",
    "PermanentRedirect": "the bucket is in another region. Set AWS_DEFAULT_REGION to its own",
    "301": "the bucket is in another region. Set AWS_DEFAULT_REGION to its own",
    "BadDigest": "its bytes were altered on the way, in all tries. See whether the network or this "
    "machine's memory is sound, then run it again",
    "IllegalLocationConstraintException": "a bucket is made in the region that is spoken to. Set "
    "AWS_DEFAULT_REGION to the region wanted",
    "RequestTimeTooSkewed": "this machine's clock is wrong by more than 15 minutes. Set it (NTP)",
    "SlowDown": "{server} asks for fewer requests, and went on asking. Run it again a little later, "
    "with fewer runs at once",
    "400": "the request is refused without a reason: expired credentials or another region. Renew the "
    "credentials and see that AWS_DEFAULT_REGION is the bucket's",
    "OperationAborted": "somebody else is making or removing the bucket. Run it again in a minute",
    "ConditionalRequestConflict": "others kept writing it at the same moment. Run it again when they "
    "are done",
    "InvalidObjectState": "the object lies in an archive (Glacier). Restore it, then run it again",
    "QuotaExceeded": "{server} has no room left. Make room and run it again",
    "XMinioStorageFull": "{server} has no room left. Make room and run it again",
}


_RENEW = f"the credentials cannot be had, or have expired. Renew them: {LOGIN}"
_CONFIGURATION = "AWS's configuration is wrong. Mend AWS_PROFILE or the files in ~/.aws"
_REGION = "the region is missing or wrong. Set AWS_DEFAULT_REGION"
_BY_NAME = {
    "NoCredentialsError": f"AWS's credentials are missing: {LOGIN}",
    "PartialCredentialsError": f"AWS's credentials are missing in part: {LOGIN}",
    "TokenRetrievalError": _RENEW,
    "CredentialRetrievalError": _RENEW,
    "ProfileNotFound": _CONFIGURATION,
    "ConfigNotFound": _CONFIGURATION,
    "ConfigParseError": _CONFIGURATION,
    "InvalidConfigError": _CONFIGURATION,
    "NoRegionError": _REGION,
    "InvalidRegionError": _REGION,
}


def _no_answer_remedy(error: Exception, place: Place) -> str:
    """What to do where no answer came."""
    name = type(error).__name__
    bases = {base.__name__ for base in type(error).__mro__}
    if "SSLError" in bases and "[Errno 2]" in str(error):
        return (
            f"the file of CAs is not there: {_ca_bundle()}. Mend AWS_CA_BUNDLE (or ca_bundle in "
            "~/.aws/config), or take it away"
        )
    if "SSLError" in bases and _NO_TLS.search(str(error)):
        return (
            f"what answers at {place.server} speaks no TLS. See its port; an address without TLS "
            "begins with http:// in ORDERHE_S3_ENDPOINT_URL"
        )
    if "SSLError" in bases and not _UNTRUSTED.search(str(error)):
        return (
            f"the TLS connection to {place.server} broke off: it hung up or stood still, or bytes were "
            "altered on the way, which TLS refuses. See the network and the proxy (HTTPS_PROXY), then "
            "run it again"
        )
    if "SSLError" in bases:
        return (
            f"the certificate of {place.server} is not trusted here. Give its CA as AWS_CA_BUNDLE, "
            "or mend the host name of ORDERHE_S3_ENDPOINT_URL"
        )
    if bases & _UNREACHED:
        hung_up = name == "ConnectionClosedError" and place.server.startswith("http://")
        tls = " but hangs up: if it speaks TLS, write https://" if hung_up else ""
        late = ""
        if bases & {"ReadTimeoutError", "ConnectTimeoutError"} and place.limits[0]:
            late = (
                " in time: {:g} s are given to each try (ORDERHE_S3_READ_TIMEOUT), and none begins "
                "after {:g} s (ORDERHE_S3_TIMEOUT)"
            ).format(*place.limits)
        return (
            f"{place.server} does not answer{tls}{late}. See that the address, the network and the proxy are "
            "right (ORDERHE_S3_ENDPOINT_URL, AWS_DEFAULT_REGION, HTTPS_PROXY), then run it again"
        )
    return of_configuration(error) or (
        "the client of AWS gave up. Read what it says, mend it and run it again"
    )


def of_configuration(error: Exception) -> str:
    """What to do about credentials, region or profile that AWS's client cannot use; "": it is not that."""
    name = type(error).__name__
    return _BY_NAME.get("TokenRetrievalError" if "SSO" in name else name, "")


def is_unreached(error: Exception) -> bool:
    """Whether no answer came, or none that was whole."""
    return bool({base.__name__ for base in type(error).__mro__} & _UNREACHED)


def _ca_bundle() -> str:
    """The file of CAs that AWS's client reads, as its variables and configuration name it."""
    import botocore.session

    named = botocore.session.get_session().get_config_variable("ca_bundle")
    return str(named or "what REQUESTS_CA_BUNDLE names")


def one_line(error: Exception) -> str:
    """An error in one line, without an address's user, password or query."""
    words = (str(error) or type(error).__name__).split()
    return " ".join(_without_secrets(word) for word in words)


def _without_secrets(word: str) -> str:
    """A word; of an address, what can be shown."""
    if "://" not in word:
        return word
    before, _, rest = word.partition("://")
    host = rest.partition("?")[0].rpartition("@")[2].rstrip('".,')
    return f"{before.lstrip(chr(34))}://{host}"
