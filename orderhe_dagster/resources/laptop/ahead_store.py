"""A Store as it will be: what is written lies in a folder of this machine, all else is another store's.

For plans and rehearsals: the other store is read and never written. It promises less than the port: it is for
one user, and who else writes meanwhile is not kept apart.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from orderhe_dagster.ports.errors import PreconditionFailed
from orderhe_dagster.ports.store import Listed, Object, Store
from orderhe_dagster.resources.laptop.folder_store import FolderStore


@dataclass(frozen=True)
class AheadStore(Store):
    """`base` with what `own`, which has the same addresses, holds over it."""

    base: Store
    own: FolderStore
    _gone: set[str] = field(default_factory=set)

    @property
    def requests_at_once(self) -> int:
        """As many as the other takes."""
        return self.base.requests_at_once

    def create(self) -> None:
        """There is nothing to make."""

    def url(self, key: str) -> str:
        """The address that the object will have."""
        return self.base.url(key)

    def get(self, key: str) -> Object | None:
        """The object as it will be."""
        if key in self._gone:
            return None
        return self.own.get(key) or self.base.get(key)

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        """Write an object aside."""
        if if_none_match or if_match is not None:
            current = self.get(key)
            etag = current.etag if current else None
            if etag != if_match:
                raise PreconditionFailed(f"{self.url(key)} has the etag {etag}, not {if_match}")
        self._gone.discard(key)
        return self.own.put(key, body)

    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        """Store each local file aside."""
        given = list(files)
        self._gone.difference_update(key for key, _ in given)
        self.own.upload(given)

    def sizes(self, keys: Sequence[str]) -> list[int | None]:
        """The size in bytes of each object."""
        own, others = self.own.sizes(keys), self.base.sizes(keys)
        return [
            None if key in self._gone else other if mine is None else mine
            for key, mine, other in zip(keys, own, others, strict=True)
        ]

    def hashes(self, keys: Sequence[str]) -> list[str | None]:
        """The sha256 (hex) of each object."""
        mine = {key for key in keys if self._is_own(key)}
        others = [key for key in keys if key not in mine]
        hashes = dict(zip(others, self.base.hashes(others), strict=True))
        hashes |= dict(zip(mine, self.own.hashes([*mine]), strict=True))
        return [None if key in self._gone else hashes[key] for key in keys]

    def listing(self, prefix: str) -> Sequence[tuple[str, int]]:
        """The keys that begin with `prefix`, and their sizes."""
        return [(one.key, one.size) for one in self.inventory(prefix)]

    def inventory(self, prefix: str) -> Sequence[Listed]:
        """The objects whose keys begin with `prefix`."""
        listed = {one.key: one for one in self.base.inventory(prefix)}
        listed |= {one.key: one for one in self.own.inventory(prefix)}
        return [listed[key] for key in sorted(listed) if key not in self._gone]

    def download(self, key: str, path: Path) -> None:
        """Copy an object to a local file."""
        (self.own if self._is_own(key) else self.base).download(key, path)

    def delete(self, keys: Iterable[str]) -> None:
        """Take objects away, here alone."""
        for key in keys:
            self._gone.add(key)
            self.own.delete([key])

    def _is_own(self, key: str) -> bool:
        return self.own.sizes([key]) != [None]
