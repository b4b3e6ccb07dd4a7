"""A bucket of S3 and the requests that read it: heads and bytes, held to their SHA-256. No writing here."""

from __future__ import annotations

import hashlib
import random
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import Listed, Upload
from orderhe_dagster.resources.s3.client import Connection, client_of, forget_clients
from orderhe_dagster.resources.s3.errors import (
    EXPIRED,
    Place,
    code_of,
    quotes_credentials,
    s3_error,
    status_of,
)
from orderhe_dagster.resources.s3.hashes import SHA256
from orderhe_dagster.resources.store_keys import split_key

_T = TypeVar("_T")
REQUESTS_AT_ONCE = 16
_MOST_READS = 5
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Bucket:
    """A bucket, what comes before its keys, how it is spoken to and how what is written is encrypted."""

    name: str
    prefix: str
    connection: Connection
    sse: str = ""
    kms_key_id: str = ""

    def place(self, key: str) -> str:
        """The key with the prefix before it; PortError where it could lead elsewhere."""
        return "/".join([*split_key(self.prefix, "prefix", empty=True), *split_key(key, "key")])

    def url(self, key: str) -> str:
        """`s3://bucket/prefix/key`."""
        return f"s3://{self.name}/{self.place(key)}"

    def encrypted(self, metadata: dict[str, str]) -> dict[str, Any]:
        """What every write sends besides its body: `noted` is the object's metadata."""
        arguments: dict[str, Any] = {"Metadata": metadata, "ChecksumAlgorithm": "SHA256"}
        if self.sse:
            arguments["ServerSideEncryption"] = self.sse
        if self.kms_key_id:
            arguments["SSEKMSKeyId"] = self.kms_key_id
        return arguments

    @contextmanager
    def client(self, doing: str, key: str | None = None) -> Iterator[Any]:
        """The client; its errors in the block come out as PortError, with their remedies."""
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        url = f"s3://{self.name}/{self.prefix}" if key is None else self.url(key)
        limits = (self.connection.read_timeout_s, self.connection.timeout_s)
        place = Place(url, self.name, self.prefix, self.connection.endpoint_url, limits=limits)
        try:
            client = client_of(self.connection)
            place = replace(place, region=client.meta.region_name or "")
            yield client
        except ClientError as error:
            reason = self._with_reason(client, error, key)
            if code_of(reason) in EXPIRED:
                forget_clients()
            raise s3_error(reason, doing, place) from error
        except (BotoCoreError, HTTPError) as error:
            # Dagster writes causes into its event log, too.
            cause = None if quotes_credentials(error) else error
            raise s3_error(error, doing, place) from cause

    def _with_reason(self, client: Any, error: Any, key: str | None) -> Any:
        """The error; of a HEAD, whose refusal has no text, that of a request which is told why."""
        from botocore.exceptions import ClientError

        if not code_of(error).isdigit() or status_of(error) not in (400, 403):
            return error
        try:
            if error.operation_name == "HeadBucket" or key is None:
                client.list_objects_v2(Bucket=self.name, MaxKeys=1)
            else:
                client.get_object(Bucket=self.name, Key=self.place(key), Range="bytes=0-0")
        except ClientError as reason:
            return reason
        return error

    def head(self, key: str) -> Any:
        """What S3 tells of an object without its body; None where there is none."""
        from botocore.exceptions import ClientError

        with self.client("look at", key) as client:
            try:
                return client.head_object(
                    Bucket=self.name, Key=self.place(key), ChecksumMode="ENABLED"
                )
            except ClientError as error:
                if status_of(error) != 404:
                    raise
                return None

    def listing(self, prefix: str) -> list[Listed]:
        """The objects whose keys begin with `prefix`, which may end within a name."""
        own = self._own(prefix)
        with self.client("list") as client:
            pages = client.get_paginator("list_objects_v2").paginate(Bucket=self.name, Prefix=own)
            return [
                Listed(self._key(entry["Key"]), entry["Size"], entry["LastModified"])
                for page in pages
                for entry in page.get("Contents", [])
            ]

    def uploads(self, prefix: str) -> list[Upload]:
        """The uploads in pieces below `prefix` that were neither finished nor given up."""
        own = self._own(prefix)
        with self.client("list the uploads of") as client:
            pages = client.get_paginator("list_multipart_uploads").paginate(
                Bucket=self.name, Prefix=own
            )
            return [
                Upload(self._key(entry["Key"]), entry["UploadId"], entry["Initiated"])
                for page in pages
                for entry in page.get("Uploads", [])
            ]

    def abort(self, upload: Upload) -> None:
        """Give an upload up; one that is not there is passed over."""
        from botocore.exceptions import ClientError

        with self.client("give an upload up in", upload.key) as client:
            try:
                client.abort_multipart_upload(
                    Bucket=self.name, Key=self.place(upload.key), UploadId=upload.id
                )
            except ClientError as error:
                if status_of(error) != 404:
                    raise

    def _own(self, prefix: str) -> str:
        return "".join(f"{name}/" for name in split_key(self.prefix, "prefix", empty=True)) + prefix

    def _key(self, place: str) -> str:
        return place[len(self._own("")) :]

    def heads(self, keys: Sequence[str]) -> list[Any]:
        """`head` for each key, side by side, in order. PortError where the bucket is missing."""
        heads = side_by_side(self.head, keys)
        if None in heads:  # a HEAD does not tell a missing object from a missing bucket
            with self.client("look into") as client:
                client.head_bucket(Bucket=self.name)
        return heads

    def read(self, key: str, take: Callable[[bytes], object], again: Callable[[], object]) -> Any:
        """Give the object's bytes to `take`, and S3's answer back; None where there is none.

        `again` undoes what was taken: the connection broke, or the bytes have another SHA-256. After
        some attempts that is a PortError.
        """
        from botocore.exceptions import BotoCoreError, ClientError
        from urllib3.exceptions import HTTPError

        sha256 = expected = ""
        began = time.monotonic()
        for attempt in range(1, _MOST_READS + 1):
            with self.client("read", key) as client:
                hashing, answer = hashlib.sha256(), None
                try:
                    answer = client.get_object(Bucket=self.name, Key=self.place(key))
                    with closing(answer["Body"]) as body:
                        for chunk in body.iter_chunks(_CHUNK_BYTES):
                            hashing.update(chunk)
                            take(chunk)
                except ClientError as error:
                    if code_of(error) == "NoSuchKey":
                        return None
                    raise
                # TLS that breaks off within a body, a refusal's too, is no error of botocore's.
                except (BotoCoreError, HTTPError) as error:
                    if answer is None and isinstance(error, BotoCoreError):
                        raise  # the client has tried it again
                    late = time.monotonic() - began >= self.connection.timeout_s
                    if attempt == _MOST_READS or late:
                        raise
                else:
                    sha256 = hashing.hexdigest()
                    expected = answer["Metadata"].get(SHA256, sha256)
                    if sha256 == expected:
                        return answer
            again()
            pause(attempt)
        raise PortError(
            f"{self.url(key)} is damaged: its bytes have the sha256 {sha256}, it was stored with "
            f"{expected}. Put an older version of it back, or make its backup again"
        )

    def hash(self, key: str) -> str | None:
        """The SHA-256 (hex) of an object that is read for it; None where there is none."""
        chunks: list[Any] = [hashlib.sha256()]

        def again() -> None:
            chunks[0] = hashlib.sha256()

        def take(chunk: bytes) -> None:
            chunks[0].update(chunk)

        answer = self.read(key, take, again)
        return None if answer is None else str(chunks[0].hexdigest())


def etag(answer: Any) -> str:
    """The etag in an answer of S3, without its quotes."""
    return str(answer["ETag"]).strip('"')


def pause(attempt: int) -> None:
    """Wait before the next attempt: a random part of a time that doubles, two seconds at most."""
    time.sleep(random.uniform(0, min(2.0, 0.05 * 2**attempt)))


def side_by_side(work: Callable[[str], _T], keys: Sequence[str]) -> list[_T]:
    """The answers in order; the first error ends the rest."""
    if len(keys) < 2:
        return [work(key) for key in keys]
    with ThreadPoolExecutor(min(REQUESTS_AT_ONCE, len(keys))) as pool:
        return list(pool.map(work, keys))
