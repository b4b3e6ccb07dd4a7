"""Presigned links to objects: signed with the credentials at hand, and tried. What is linked: elsewhere."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import LONGEST_LINK, Link
from orderhe_dagster.resources.s3.bucket import Bucket


def presigned(bucket: Bucket, key: str, lifetime: timedelta, media_type: str) -> Link:
    """A link by SigV4 that reads one object and nothing else. PortError where S3 refuses it."""
    if not timedelta(seconds=1) <= lifetime <= LONGEST_LINK:
        raise PortError(
            f"a link to {bucket.url(key)} lasts from a second to {LONGEST_LINK.days} days, which is what "
            f"S3 lets a signature last; not {lifetime}"
        )
    with bucket.client("make a link to", key):
        client, credentials = _signing(bucket)
        asked = {"Bucket": bucket.name, "Key": bucket.place(key)}
        if media_type:
            asked["ResponseContentType"] = media_type
        now = datetime.now(timezone.utc)
        url = client.generate_presigned_url(
            "get_object", Params=asked, ExpiresIn=int(lifetime.total_seconds())
        )
        _try(client, url)
    return _link(url, now + lifetime, credentials)


def _signing(bucket: Bucket) -> tuple[Any, Any]:
    """A client that signs as links are to be, and the credentials it signs with."""
    import botocore.session
    from botocore.config import Config

    session = botocore.session.Session()
    given = bucket.connection.endpoint_url
    client = session.create_client(
        "s3",
        endpoint_url=given or None,
        config=Config(
            connect_timeout=bucket.connection.connect_timeout_s,
            read_timeout=bucket.connection.read_timeout_s,
            # Else it is an older signature in some regions, which ends with no more than seven days either.
            signature_version="s3v4",
            s3={"addressing_style": "path"} if given else None,
        ),
    )
    return client, session.get_credentials()


def _try(client: Any, url: str) -> None:
    """Open a link as a stranger would. ClientError where it is refused; no error quotes the link."""
    from botocore.awsrequest import AWSRequest
    from botocore.exceptions import BotoCoreError, ClientError

    request = AWSRequest("GET", url, headers={"Range": "bytes=0-0"})
    try:
        answer = client._endpoint.http_session.send(request.prepare())
    except BotoCoreError as error:
        told = {**error.kwargs, "endpoint_url": url.partition("?")[0]}
        raise type(error)(**told) from None
    if answer.status_code in (200, 206):
        return
    tags = dict(re.findall(r"<(Code|Message)>([^<]*)<", answer.content.decode(errors="replace")))
    tags.setdefault("Code", str(answer.status_code))
    raise ClientError(
        {"Error": tags, "ResponseMetadata": {"HTTPStatusCode": answer.status_code}},
        "GetObject",
    )


def _link(url: str, until: datetime, credentials: Any) -> Link:
    """The link, with when it ends: credentials that end take their links along."""
    if credentials is None or not credentials.get_frozen_credentials().token:
        return Link(url, until)
    ends = getattr(credentials, "_expiry_time", None)
    if ends is not None and ends >= until:
        return Link(url, until)
    sooner = "it was signed with temporary credentials, and ends with them"
    return Link(url, until if ends is None else ends, sooner)
