"""Writing to S3: conditional writes whose answers may be lost, and files in parts. No reading here."""

from __future__ import annotations

import hashlib
import uuid
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.resources.s3 import hashes as s3_hashes
from orderhe_dagster.resources.s3.bucket import Bucket, etag, pause
from orderhe_dagster.resources.s3.errors import code_of, status_of

PART_BYTES = 64 << 20
"""A file of this size or more is uploaded in parts of this size, each tried again by itself."""
_UPLOADS_AT_ONCE = 8
_MOST_WRITES = 12
_WRITE_AGAIN = {
    *("ConditionalRequestConflict", "OperationAborted"),  # somebody writes it at this moment
    *("BadDigest", "XAmzContentChecksumMismatch", "XAmzContentSHA256Mismatch", "IncompleteBody"),
}


def put(bucket: Bucket, key: str, body: bytes, if_none_match: bool, if_match: str | None) -> str:
    """Write an object and return its etag. PreconditionFailed where another's write is there.

    Each write carries a mark of its own. The client repeats a request whose answer was lost, and the
    repetition is then refused because of the first; so a refusal is believed only after a look at
    whose mark the object has.
    """
    from botocore.exceptions import BotoCoreError, ClientError

    sha256 = hashlib.sha256(body).hexdigest()
    metadata = {s3_hashes.SHA256: sha256, s3_hashes.WRITE: uuid.uuid4().hex}
    arguments = bucket.encrypted(metadata) | {
        "ChecksumSHA256": s3_hashes.checksum(sha256),
        "Body": body,
    }
    if if_none_match:
        arguments["IfNoneMatch"] = "*"
    elif if_match is not None:
        arguments["IfMatch"] = f'"{if_match}"'
    attempt = 0
    with bucket.client("write", key) as client:
        while True:
            attempt += 1
            lost = False
            try:
                return etag(
                    client.put_object(Bucket=bucket.name, Key=bucket.place(key), **arguments)
                )
            except ClientError as error:
                if code_of(error) in _WRITE_AGAIN and attempt < _MOST_WRITES:
                    pause(attempt)
                    continue
                lost = status_of(error) == 412 or code_of(error) == "NoSuchKey"
                if not lost and status_of(error) < 500:
                    raise
                failed: Exception = error
            except BotoCoreError as error:
                failed = error
            return _own_write(bucket, key, metadata, if_match, failed, lost)


def _own_write(
    bucket: Bucket,
    key: str,
    metadata: Mapping[str, str],
    expected: str | None,
    failed: Exception,
    lost: bool,
) -> str:
    """The etag where our write lies there, although `failed` says otherwise; the error where not."""
    try:
        head = bucket.head(key)
    except PortError:
        raise failed from None  # nothing can be seen beyond it, and it says what to do
    mark = s3_hashes.WRITE
    if head is not None and head["Metadata"].get(mark) == metadata[mark]:
        return etag(head)
    if not lost:
        raise failed
    now = "gone" if head is None else f"etag {etag(head)}"
    if expected is None:
        raise PreconditionFailed(
            f"{bucket.url(key)} is there already ({now}); read it and decide again"
        ) from failed
    raise PreconditionFailed(
        f"{bucket.url(key)} was changed by another writer (expected etag {expected}, now {now}); "
        "read it again and decide again"
    ) from failed


def upload(bucket: Bucket, files: Iterable[tuple[str, Path]]) -> None:
    """Store each local file under its key, several at once; large ones in parts."""
    from boto3.s3.transfer import TransferConfig, create_transfer_manager

    config = TransferConfig(
        multipart_threshold=PART_BYTES,
        multipart_chunksize=PART_BYTES,
        max_concurrency=_UPLOADS_AT_ONCE,
        preferred_transfer_client="classic",
    )
    in_parts: dict[str, s3_hashes.Hashed] = {}
    under_way: deque[tuple[str, Any]] = deque()
    with (
        bucket.client("upload to") as client,
        create_transfer_manager(client, config) as manager,
    ):
        for key, file in files:
            hashed = s3_hashes.hash_file(file, PART_BYTES)
            metadata = {s3_hashes.SHA256: hashed.sha256}
            if hashed.size >= PART_BYTES:
                in_parts[key] = hashed
                extra = bucket.encrypted(metadata | {s3_hashes.PARTS: hashed.parts})
            else:
                extra = bucket.encrypted(metadata)
                extra["ChecksumSHA256"] = s3_hashes.checksum(hashed.sha256)
            future = manager.upload(str(file), bucket.name, bucket.place(key), extra_args=extra)
            under_way.append((key, future))
            while under_way and under_way[0][1].done():
                _finish(bucket, *under_way.popleft())
        while under_way:
            _finish(bucket, *under_way.popleft())
    _verify(bucket, in_parts)


def _finish(bucket: Bucket, key: str, upload: Any) -> None:
    with bucket.client("upload", key):
        upload.result()


def _verify(bucket: Bucket, uploaded: Mapping[str, s3_hashes.Hashed]) -> None:
    """Hold what came in parts to what was read of the file."""
    for key, head in zip(uploaded, bucket.heads(list(uploaded)), strict=True):
        sent, size = uploaded[key], 0 if head is None else head["ContentLength"]
        sha256 = None if head is None else s3_hashes.known_sha256(head)
        silent = head is not None and "ChecksumSHA256" not in head
        if size != sent.size or (sha256 != sent.sha256 and not silent):
            raise PortError(
                f"{bucket.url(key)} did not arrive as it was sent: {sent.size:,} bytes with the sha256 "
                f"{sent.sha256}; there are {size:,} with {sha256}. Nothing names it yet: run it again"
            )
