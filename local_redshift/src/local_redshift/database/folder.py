"""A folder as the store of COPY and UNLOAD: `s3://bucket/key` is its file `bucket/key`. Knows no SQL.

An OSError of a file passes: `storage.Access` makes it the statement's error. Links that lead out of a
bucket are not followed.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from local_redshift.database.storage import NoSuchBucket, Resolver, bucket_and_key
from local_redshift.errors import refuse


def folder_store(folder: str | Path) -> Resolver:
    """The resolver of addresses in a folder, whose folders are the buckets; a bucket is made by hand."""
    store = _Folder(Path(folder))
    return Resolver(
        store.read, store.local_path, store.list, store.put, store.delete, folders=(store.folder,)
    )


class _Folder:
    def __init__(self, folder: Path) -> None:
        self.folder = folder.resolve()  # at once: the program may go to another folder later

    def read(self, address: str) -> bytes:
        return Path(self.local_path(address)).read_bytes()

    def local_path(self, address: str) -> str:
        file = self._file(address)
        if not file.is_file() or not _is_in(self._root_of(address), file):
            raise FileNotFoundError(address)
        file.open("rb").close()  # one that cannot be read is told here, with its address
        return str(file)

    def list(self, prefix: str) -> Sequence[tuple[str, int]]:
        bucket, _ = bucket_and_key(prefix)
        root = self._bucket(bucket)
        files = ((path, path.relative_to(root).as_posix()) for path in root.rglob("*"))
        objects = (
            (f"s3://{bucket}/{key}", path)
            for path, key in files
            if path.is_file() and _is_in(root, path)
        )
        return sorted(
            (address, path.stat().st_size)
            for address, path in objects
            if address.startswith(prefix)
        )

    def put(self, address: str, file: Path) -> None:
        target = self._own_file(address)
        target.parent.mkdir(parents=True, exist_ok=True)
        # Beside the buckets, so that half a file is no object.
        number, aside = tempfile.mkstemp(prefix=".put-", dir=self.folder)
        os.close(number)
        try:
            shutil.copyfile(file, aside)
            Path(aside).replace(target)
        finally:
            Path(aside).unlink(missing_ok=True)

    def delete(self, addresses: Sequence[str]) -> None:
        for address in addresses:
            self._own_file(address).unlink(missing_ok=True)

    def _own_file(self, address: str) -> Path:
        """The file of an address that may be written; OSError where a link leads out of its bucket."""
        file = self._file(address)
        if not _is_in(self._root_of(address), file):
            raise PermissionError(errno.EACCES, "a link leads out of the bucket")
        return file

    def _root_of(self, address: str) -> Path:
        return self._bucket(bucket_and_key(address)[0])

    def _bucket(self, name: str) -> Path:
        root = self.folder / name
        # A link to another bucket would be that one, under a name that other roles may reach.
        if name in (".", "..") or not root.is_dir() or Path(os.path.realpath(root)) != root:
            raise NoSuchBucket(f"a bucket is a folder of {self.folder}: make {name!r} there")
        return root

    def _file(self, address: str) -> Path:
        bucket, key = bucket_and_key(address)
        if {"", ".", ".."} & set(key.split("/")):
            raise refuse(f"the key {key[:200]!r} in a folder", "name folders and files plainly")
        return self._bucket(bucket) / key


def _is_in(bucket: Path, path: Path) -> bool:
    """Whether it lies in the bucket, links followed."""
    return Path(os.path.realpath(path)).is_relative_to(bucket)
