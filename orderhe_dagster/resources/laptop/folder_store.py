"""FolderStore: the object store as a folder, with S3's keys and conditional writes; no network."""

from __future__ import annotations

import hashlib
import os
import shutil
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.ports.store import Listed, Object, Store
from orderhe_dagster.resources.store_keys import split_key
from orderhe_dagster.settings.folders import make_private, mode_of
from orderhe_dagster.settings.locks import file_lock

_STRIPES = 256
_REPLACE_ATTEMPTS = 50
_REPLACE_PAUSE_S = 0.02
_COPY_CHUNK_BYTES = 1 << 20
_SYNCED_AT_ONCE = 8


@dataclass(frozen=True)
class FolderStore(Store):
    """Objects as files: `s3://bucket/prefix/key` is `<root>/<bucket>/<prefix>/<key>`.

    A write holds a kernel lock, looks at the etag, writes a file aside, flushes it to the disk and
    renames it into place, so a reader (who takes no lock) sees the object before or after, never
    between, and the death of a writer leaves the object before. Locks and files aside lie in
    `<root>/.locks`, one pair for each of 256 shares of the keys: no bucket can have that name, and
    their number stays bounded.
    """

    root: str
    bucket: str
    prefix: str = ""
    lock_timeout_s: float = 60.0

    def create(self) -> None:
        """Make the bucket's folder if it is not there."""
        bucket = self._bucket_folder.joinpath(*split_key(self.prefix, "prefix", empty=True))
        for folder in (bucket, self._locks_folder):
            _make_folder(folder, self._state)

    def url(self, key: str) -> str:
        """The full address, `s3://bucket/prefix/key`."""
        return f"s3://{self.bucket}/{'/'.join(self._names(key))}"

    def path_of(self, url: str) -> Path:
        """The file behind an address of this bucket, whether or not it is there.

        PortError, worded as S3 says it to Redshift, when the address names another bucket.
        """
        scheme, separator, rest = url.partition("://")
        bucket, _, key = rest.partition("/")
        if not separator or scheme != "s3":
            raise PortError(f"{url!r} is no S3 address; write s3://{self.bucket}/<key>")
        if bucket != self.bucket:
            raise PortError(
                f"S3ServiceException: The specified bucket does not exist, Status 404, Error "
                f"NoSuchBucket, bucket {bucket!r}. This folder store holds {self.bucket!r} only"
            )
        return self._bucket_folder.joinpath(*split_key(key, "key"))

    @property
    def writes_at_once(self) -> int:
        """As many as are made durable at once."""
        return _SYNCED_AT_ONCE

    def get(self, key: str) -> Object | None:
        """The object, or None where there is none."""
        try:
            body = self._path(key).read_bytes()
        except (FileNotFoundError, IsADirectoryError, NotADirectoryError):
            return None
        return Object(body, _etag(body))

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        """Write an object whole or not at all; return its etag (the MD5 of the body, as S3's)."""
        if if_none_match and if_match is not None:
            raise ValueError("if_none_match and if_match exclude each other")
        path = self._path(key)
        with self._writing(key) as aside:
            self._check(key, path, if_none_match, if_match)
            with aside.open("wb") as file:
                file.write(body)
                file.flush()
                os.fsync(file.fileno())
            self._place(aside, path)
            _sync_folder(path.parent)
        return _etag(body)

    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        """Move each local file under its key (copy it from another disk); durable on return."""
        given = list(files)
        make_private(self._locks_folder, self._state)
        here = self._locks_folder.stat().st_dev
        touched: set[Path] = set()
        # A disk makes many things durable at once in little more time than one.
        with ThreadPoolExecutor(_SYNCED_AT_ONCE) as pool:
            list(pool.map(_sync_file, [file for _, file in given if file.stat().st_dev == here]))
            for key, file in given:
                path = self._path(key)
                with self._writing(key) as aside:
                    if file.stat().st_dev == here:
                        self._place(file, path, touched)
                    else:
                        _copy_durably(file, aside)
                        self._place(aside, path, touched)
                        file.unlink()
                touched.add(path.parent)
            list(pool.map(_sync_folder, touched))

    def sizes(self, keys: Sequence[str]) -> list[int | None]:
        """The size in bytes of each object, None where there is none."""
        sizes: list[int | None] = []
        for key in keys:
            path = self._path(key)
            sizes.append(path.stat().st_size if path.is_file() else None)
        return sizes

    def listing(self, prefix: str) -> Sequence[tuple[str, int]]:
        """The keys that begin with `prefix`, and their sizes; a prefix may end within a name."""
        return [(listed.key, listed.size) for listed in self.inventory(prefix)]

    def inventory(self, prefix: str) -> Sequence[Listed]:
        """The objects whose keys begin with `prefix`; a prefix may end within a name."""
        folder, root = self._bucket_folder, "".join(f"{name}/" for name in self._own_prefix)
        above = (root + prefix).rpartition("/")[0]
        start = folder.joinpath(*split_key(above, "prefix", empty=True))
        objects: dict[str, Listed] = {}
        for place, _, names in os.walk(start):
            for name in names:
                path = Path(place, name)
                key = path.relative_to(folder).as_posix()
                if not key.startswith(root + prefix):
                    continue
                with suppress(FileNotFoundError):  # another process removed it meanwhile
                    stat = path.stat()
                    at = datetime.fromtimestamp(stat.st_mtime, timezone.utc)
                    objects[key] = Listed(key[len(root) :], stat.st_size, at)
        return [objects[key] for key in sorted(objects)]

    def download(self, key: str, path: Path) -> None:
        """Copy an object to a local file, which appears whole or not at all."""
        source = self._path(key)
        if not source.is_file():
            raise PortError(f"there is no object {self.url(key)} to download; check the key")
        aside = path.with_name(path.name + ".part")
        try:
            shutil.copyfile(source, aside)
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise

    def delete(self, keys: Iterable[str]) -> None:
        """Remove objects, and the folders that this empties: in S3 there are none."""
        for key in keys:
            path = self._path(key)
            with self._writing(key):
                if not path.is_file():
                    continue
                path.unlink()
            self._remove_empty_folders(path.parent)

    @property
    def _bucket_folder(self) -> Path:
        (name,) = split_key(self.bucket, "bucket", parts=1)
        return Path(self.root) / name

    @property
    def _state(self) -> Path:
        """The folder that is its owner's alone: the state folder, in which the root lies."""
        return Path(self.root).parent

    @property
    def _locks_folder(self) -> Path:
        return Path(self.root) / ".locks"

    @property
    def _own_prefix(self) -> list[str]:
        return split_key(self.prefix, "prefix", empty=True)

    def _names(self, key: str) -> list[str]:
        return [*self._own_prefix, *split_key(key, "key")]

    def _path(self, key: str) -> Path:
        return self._bucket_folder.joinpath(*self._names(key))

    @contextmanager
    def _writing(self, key: str) -> Iterator[Path]:
        """Hold the lock of `key`; gives the one name aside that its writers use."""
        share = hashlib.sha256(self.url(key).encode()).digest()[0] % _STRIPES
        make_private(self._locks_folder, self._state)
        guarded = self._locks_folder / f"{share:02x}"
        with file_lock(guarded, timeout_s=self.lock_timeout_s, label=f"write {self.url(key)}"):
            yield guarded.with_suffix(".tmp")

    def _check(self, key: str, path: Path, if_none_match: bool, if_match: str | None) -> None:
        if path.is_dir():
            raise PortError(
                f"{self.url(key)} cannot be written: a folder store cannot hold an object where "
                "other keys begin with its name and a slash; choose another key"
            )
        if not if_none_match and if_match is None:
            return
        current = self.get(key)
        if if_none_match and current is not None:
            raise PreconditionFailed(
                f"{self.url(key)} is there already (etag {current.etag}); read it and decide again"
            )
        if if_match is not None and (current is None or current.etag != if_match):
            now = "gone" if current is None else f"etag {current.etag}"
            raise PreconditionFailed(
                f"{self.url(key)} was changed by another writer (expected etag {if_match}, now "
                f"{now}); read it again and decide again"
            )

    def _place(self, file: Path, path: Path, unsynced: set[Path] | None = None) -> None:
        """Rename `file` to `path`, which is only ever whole; `unsynced`: see `_make_folder`."""
        for attempt in range(_REPLACE_ATTEMPTS):
            try:
                _make_folder(path.parent, self._state, unsynced)
                file.replace(path)
            except (PermissionError, FileNotFoundError):
                # Windows: a reader has the object open. Elsewhere: a delete took the empty folder.
                if attempt + 1 == _REPLACE_ATTEMPTS or not file.exists():
                    raise
                time.sleep(_REPLACE_PAUSE_S)
            except (NotADirectoryError, FileExistsError, IsADirectoryError) as error:
                raise PortError(
                    f"{path} cannot be written: part of its key is an object itself, which a "
                    "folder store cannot hold; choose another key"
                ) from error
            else:
                return

    def _remove_empty_folders(self, folder: Path) -> None:
        while folder != self._bucket_folder:
            try:
                folder.rmdir()
            except OSError:  # not empty, or another delete was here first
                return
            folder = folder.parent


def _etag(body: bytes) -> str:
    return hashlib.md5(body, usedforsecurity=False).hexdigest()


def _make_folder(folder: Path, state: Path, unsynced: set[Path] | None = None) -> None:
    """Make a folder and those above it, each entered durably in its parent; private from `state` down.

    Where `unsynced` is given, the parents join it: the caller makes them durable, all at once.
    """
    if folder.is_dir():
        return
    _make_folder(folder.parent, state, unsynced)
    folder.mkdir(mode=mode_of(folder, state), exist_ok=True)
    if unsynced is None:
        _sync_folder(folder.parent)
    else:
        unsynced.add(folder.parent)


def _sync(path: Path, flags: int) -> None:
    descriptor = os.open(path, flags)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _sync_folder(folder: Path) -> None:
    if os.name != "nt":  # Windows cannot open a folder
        _sync(folder, os.O_RDONLY)


def _sync_file(file: Path) -> None:
    _sync(file, os.O_RDWR if os.name == "nt" else os.O_RDONLY)


def _copy_durably(source: Path, target: Path) -> None:
    with source.open("rb") as reader, target.open("wb") as writer:
        shutil.copyfileobj(reader, writer, _COPY_CHUNK_BYTES)
        writer.flush()
        os.fsync(writer.fileno())
