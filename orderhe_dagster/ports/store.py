"""Store: objects by key, with conditional writes. Promises only, no driver.

Every implementation passes the suite of its port in `orderhe_dagster_tests/contracts/`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from orderhe_dagster.ports.errors import PortError


@dataclass(frozen=True)
class Object:
    """A stored object and its etag."""

    body: bytes
    etag: str


@dataclass(frozen=True)
class Listed:
    """An object as a listing has it: its key, size in bytes, and when it was written (UTC)."""

    key: str
    size: int
    modified_at: datetime


@dataclass(frozen=True)
class Upload:
    """An upload in pieces that was begun (UTC) and neither finished nor given up: it costs, unseen."""

    key: str
    id: str
    begun_at: datetime


@dataclass(frozen=True)
class Link:
    """An address by which whoever has it reads an object, without credentials, until then (UTC).

    `sooner` says why it may end before that; "" where nothing is known to.
    """

    url: str
    until: datetime
    sooner: str = ""


LONGEST_LINK = timedelta(days=7)
"""What a signature of S3 lasts at most."""


class Store(ABC):
    """The object store (S3). Keys use forward slashes and no leading slash."""

    @property
    def requests_at_once(self) -> int:
        """How many threads may use it with profit: one on a disk, several where each request travels."""
        return 1

    @property
    def writes_at_once(self) -> int:
        """How many threads may write with profit: a disk makes several objects durable in the time of one."""
        return self.requests_at_once

    @abstractmethod
    def create(self) -> None:
        """Make the bucket (or folder) if it is not there."""

    @abstractmethod
    def url(self, key: str) -> str:
        """The full address, `s3://bucket/prefix/key`, as COPY and manifests write it."""

    @abstractmethod
    def get(self, key: str) -> Object | None:
        """The object, or None where there is none."""

    def get_many(self, keys: Sequence[str]) -> list[Object | None]:
        """`get` for each key, in order. Remote stores do it side by side."""
        return [self.get(key) for key in keys]

    @abstractmethod
    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        """Write an object whole or not at all; return its etag.

        `if_none_match`: only where nothing is; `if_match`: only over that etag. PreconditionFailed otherwise.
        """

    @abstractmethod
    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        """Store each local file under its key. The files are not kept: they may be moved."""

    @abstractmethod
    def sizes(self, keys: Sequence[str]) -> list[int | None]:
        """The size in bytes of each object, None where there is none."""

    def hashes(self, keys: Sequence[str]) -> list[str | None]:
        """The sha256 (hex) of each object as it lies there, None where there is none."""
        import hashlib

        return [
            None if stored is None else hashlib.sha256(stored.body).hexdigest()
            for stored in map(self.get, keys)
        ]

    def listing(self, prefix: str) -> Sequence[tuple[str, int]]:
        """The keys that begin with `prefix`, and their sizes, for COPY and UNLOAD of whoever asks.

        The road itself never lists: what to load is in its records.
        """
        raise PortError(f"this store cannot list the keys {prefix!r}; name the objects one by one")

    def inventory(self, prefix: str) -> Sequence[Listed]:
        """The objects whose keys begin with `prefix`, for whoever cleans up."""
        raise PortError(
            f"this store cannot list the keys {prefix!r}; nothing can be cleaned up in it"
        )

    def unfinished_uploads(self, prefix: str) -> Sequence[Upload]:
        """The uploads below `prefix` that were never finished; none where a store has no such."""
        return ()

    def abort(self, uploads: Iterable[Upload]) -> None:
        """Give uploads up; those that are not there are passed over."""
        for upload in uploads:
            raise PortError(f"this store has no uploads in pieces: {upload.key} cannot be given up")

    @abstractmethod
    def download(self, key: str, path: Path) -> None:
        """Copy an object to a local file."""

    def link(self, key: str, lifetime: timedelta, media_type: str = "") -> Link | None:
        """A link to an object, which is tried before it is given; None where a store has no such.

        Browsers are told that it is of this `media_type`. PortError where it would be refused.
        """
        return None

    @abstractmethod
    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects; those that are not there are passed over."""
