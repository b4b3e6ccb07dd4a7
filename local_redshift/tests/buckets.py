"""Objects of `s3://b/` as files of a folder, with every ability of a store. Cases are the tests' beside."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from local_redshift.database.storage import NoSuchBucket, Resolver


class Bucket:
    """The bucket `b`, whose objects lie in `folder`; another bucket is not there."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.regions = {"b": ""}

    @property
    def resolver(self) -> Resolver:
        return Resolver(
            self.read, self.local_path, self.list, self.put, self.delete, self.region, "eu-west-1"
        )

    def local_path(self, address: str) -> str:
        file = self._file(address)
        if not file.is_file():
            raise FileNotFoundError(address)
        return str(file)

    def read(self, address: str) -> bytes:
        return Path(self.local_path(address)).read_bytes()

    def list(self, prefix: str) -> Sequence[tuple[str, int]]:
        self._file(prefix)
        files = (file for file in self.folder.rglob("*") if file.is_file())
        found = [
            (f"s3://b/{f.relative_to(self.folder).as_posix()}", f.stat().st_size) for f in files
        ]
        return [(address, size) for address, size in found if address.startswith(prefix)]

    def put(self, address: str, file: Path) -> None:
        target = self._file(address)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(file, target)  # as a store may

    def delete(self, addresses: Sequence[str]) -> None:
        for address in addresses:
            self._file(address).unlink()

    def region(self, bucket: str) -> str:
        return self.regions.get(bucket, "")

    def write(self, key: str, body: str | bytes) -> None:
        """Put an object there."""
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(body.encode() if isinstance(body, str) else body)

    @property
    def objects(self) -> list[str]:
        """The keys there are."""
        return sorted(address.removeprefix("s3://b/") for address, _ in self.list("s3://b/"))

    def text(self, key: str) -> str:
        """An object as text."""
        return (self.folder / key).read_text("utf-8")

    def _file(self, address: str) -> Path:
        if not address.startswith("s3://b/"):
            raise NoSuchBucket("there is the bucket b only")
        return self.folder / address.removeprefix("s3://b/")
