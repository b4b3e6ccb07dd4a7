"""S3Store: the object store on Amazon S3, or on any server that speaks as it does. Requests are elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import Link, Listed, Object, Store, Upload
from orderhe_dagster.resources.s3 import hashes as s3_hashes
from orderhe_dagster.resources.s3 import links as s3_links
from orderhe_dagster.resources.s3 import writes as s3_writes
from orderhe_dagster.resources.s3.bucket import REQUESTS_AT_ONCE, Bucket, etag, side_by_side
from orderhe_dagster.resources.s3.client import Connection
from orderhe_dagster.resources.s3.errors import code_of, status_of
from orderhe_dagster.settings.config import S3Settings

_DELETED_AT_ONCE = 1000
_CLOSED = ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets")


@dataclass(frozen=True)
class S3Store(Store):
    """Objects of a bucket, below a prefix. Credentials and region are AWS's own variables.

    Every object carries its SHA-256: S3 holds an upload to it, and every reading is held to it here.
    Each request is tried `max_attempts` times, as long as there is time. No listing decides anything.
    """

    settings: S3Settings
    max_attempts: int = 8

    @property
    def requests_at_once(self) -> int:
        """Each request waits for the network, so a year of days is not asked one by one."""
        return REQUESTS_AT_ONCE

    def create(self) -> None:
        """Make the bucket, closed to the public, if it is not there; if it is, nothing is changed."""
        from botocore.exceptions import ClientError

        with self._bucket.client("make") as client:
            try:
                client.head_bucket(Bucket=self.settings.bucket)
            except ClientError as error:
                if status_of(error) != 404:
                    raise
            else:
                return
            region = client.meta.region_name
            where: dict[str, Any] = {}
            if region and region not in ("us-east-1", "aws-global"):
                where = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            try:
                client.create_bucket(Bucket=self.settings.bucket, **where)
            except ClientError as error:
                if code_of(error) != "BucketAlreadyOwnedByYou":
                    raise
            try:
                client.put_public_access_block(
                    Bucket=self.settings.bucket,
                    PublicAccessBlockConfiguration=dict.fromkeys(_CLOSED, True),
                )
            except ClientError as error:
                # Other servers need not know of this; in theirs nothing is public by itself.
                if not self.settings.endpoint_url or status_of(error) not in (400, 405, 501):
                    raise

    def url(self, key: str) -> str:
        """The full address, `s3://bucket/prefix/key`."""
        return self._bucket.url(key)

    def get(self, key: str) -> Object | None:
        """The object, or None where there is none. PortError where its bytes are not what was stored."""
        chunks: list[bytes] = []
        answer = self._bucket.read(key, chunks.append, chunks.clear)
        return None if answer is None else Object(b"".join(chunks), etag(answer))

    def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """`get` for each key, side by side, in order."""
        return side_by_side(self.get, keys)

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        """Write an object whole or not at all; return its etag.

        Where the answer is lost, the object is looked at: our own write is not taken for another's.
        """
        if if_none_match and if_match is not None:
            raise ValueError("if_none_match and if_match exclude each other")
        return s3_writes.put(self._bucket, key, body, if_none_match, if_match)

    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        """Store each local file under its key, several at once; large ones in parts, none half.

        The first failure stops the others and leaves no part of a file behind.
        """
        s3_writes.upload(self._bucket, files)

    def sizes(self, keys: Sequence[str]) -> list[int | None]:
        """The size in bytes of each object, None where there is none."""
        heads = self._bucket.heads(keys)
        return [None if head is None else head["ContentLength"] for head in heads]

    def hashes(self, keys: Sequence[str]) -> list[str | None]:
        """The sha256 (hex) of each object, None where there is none.

        The server answers from what it held the upload to; an object of which it cannot is read.
        """
        hashes: list[str | None] = []
        for key, head in zip(keys, self._bucket.heads(keys), strict=True):
            known = None if head is None else s3_hashes.known_sha256(head)
            hashes.append(self._bucket.hash(key) if head is not None and known is None else known)
        return hashes

    def listing(self, prefix: str) -> Sequence[tuple[str, int]]:
        """The keys that begin with `prefix`, and their sizes."""
        return [(listed.key, listed.size) for listed in self._bucket.listing(prefix)]

    def inventory(self, prefix: str) -> Sequence[Listed]:
        """The objects whose keys begin with `prefix`."""
        return self._bucket.listing(prefix)

    def unfinished_uploads(self, prefix: str) -> Sequence[Upload]:
        """The uploads in pieces below `prefix` that were neither finished nor given up."""
        return self._bucket.uploads(prefix)

    def abort(self, uploads: Iterable[Upload]) -> None:
        """Give uploads up; those that are not there are passed over."""
        for upload in uploads:
            self._bucket.abort(upload)

    def download(self, key: str, path: Path) -> None:
        """Copy an object to a local file, which appears whole or not at all."""
        aside = path.with_name(path.name + ".part")
        try:
            with aside.open("wb") as file:
                answer = self._bucket.read(key, file.write, lambda: file.truncate(file.seek(0)))
            if answer is None:
                raise PortError(f"there is no object {self.url(key)} to download; check the key")
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def link(self, key: str, lifetime: timedelta, media_type: str = "") -> Link:
        """A presigned address of an object: it was opened once, and works until it ends."""
        return s3_links.presigned(self._bucket, key, lifetime, media_type)

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, a thousand at a time; those that are not there are passed over."""
        from botocore.exceptions import ClientError

        named = [{"Key": self._bucket.place(key)} for key in dict.fromkeys(keys)]
        for start in range(0, len(named), _DELETED_AT_ONCE):
            some = {"Objects": named[start : start + _DELETED_AT_ONCE], "Quiet": True}
            with self._bucket.client("delete from") as client:
                refused = client.delete_objects(Bucket=self.settings.bucket, Delete=some).get(
                    "Errors", []
                )
                if refused:
                    raise ClientError({"Error": refused[0]}, "DeleteObjects")

    @property
    def _bucket(self) -> Bucket:
        given = self.settings
        timeouts = (given.connect_timeout, given.read_timeout, given.timeout)
        connection = Connection(given.endpoint_url, self.max_attempts, *timeouts)
        return Bucket(given.bucket, given.prefix, connection, given.sse, given.kms_key_id)
