"""A Store as the local Redshift's COPY and UNLOAD reach it: addresses instead of keys. No SQL here.

A folder's files are read where they lie; what is fetched from afar lives in a scratch folder.
"""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.local_redshift import require_local_redshift

if TYPE_CHECKING:
    from local_redshift.database.storage import Resolver


def resolver(store: Store, stack: ExitStack) -> Resolver:
    """The resolver of COPY's and UNLOAD's addresses in `store`; `stack` removes what was fetched."""
    require_local_redshift()
    from local_redshift.database.storage import Resolver

    access = _StoreAccess(store, stack)
    return Resolver(
        access.read,
        access.local_path,
        access.list,
        access.put,
        access.delete,
        release=access.release,
    )


class _StoreAccess:
    def __init__(self, store: Store, stack: ExitStack) -> None:
        self._store, self._stack = store, stack
        self._folder: Path | None = None
        self._fetched = 0
        self._turn = threading.Lock()  # sessions of one server share this
        self._mine = threading.local()  # what the statement of each thread fetched

    def read(self, address: str) -> bytes:
        """The bytes at an address; FileNotFoundError where there are none."""
        with _as_statement_error(address):
            stored = self._store.get(self._key(address))
        if stored is None:
            raise FileNotFoundError(address)
        return stored.body

    def local_path(self, address: str) -> str:
        """A local file with the bytes at an address; FileNotFoundError where there are none."""
        key = self._key(address)
        if isinstance(self._store, FolderStore):
            path = self._store.path_of(address)
            if not path.is_file():
                raise FileNotFoundError(address)
            return str(path)
        path = self._scratch()
        with _as_statement_error(address):
            try:
                self._store.download(key, path)
            except PortError:
                if self._store.sizes([key]) == [None]:
                    raise FileNotFoundError(address) from None
                raise
        return str(path)

    def list(self, prefix: str) -> Sequence[tuple[str, int]]:
        """The addresses that begin with `prefix`, and their sizes."""
        with _as_statement_error(prefix):
            objects = self._store.listing(self._key(prefix))
        return [(self._store.url(key), size) for key, size in objects]

    def put(self, address: str, file: Path) -> None:
        """Store a local file at an address."""
        with _as_statement_error(address):
            self._store.upload([(self._key(address), file)])

    def delete(self, addresses: Sequence[str]) -> None:
        """Remove what is stored at the addresses."""
        with _as_statement_error(addresses[0]):
            self._store.delete([self._key(address) for address in addresses])

    def _scratch(self) -> Path:
        with self._turn:
            if self._folder is None:
                temporary = tempfile.TemporaryDirectory(prefix="orderhe-copy-")
                self._folder = Path(self._stack.enter_context(temporary))
            self._fetched += 1
            path = self._folder / f"part-{self._fetched:05d}"
        self._mine.paths = [*getattr(self._mine, "paths", ()), path]
        return path

    def release(self) -> None:
        """Remove what this thread's statement fetched: a server would fill the disk with it."""
        paths, self._mine.paths = getattr(self._mine, "paths", ()), ()
        for path in paths:
            path.unlink(missing_ok=True)

    def _key(self, address: str) -> str:
        from local_redshift.database.storage import NoSuchBucket

        prefix = self._store.url("k")[:-1]
        if not address.startswith(prefix):
            raise NoSuchBucket(
                f"the store of this warehouse holds {prefix}… only. If `orderhe warehouse serve` "
                "serves it, restart that with the ORDERHE_STORE and ORDERHE_S3_* settings of its "
                "clients (and AWS_* ones, for s3)"
            )
        return address[len(prefix) :]


@contextmanager
def _as_statement_error(address: str) -> Iterator[None]:
    """What the store cannot do is an error of the statement, as on Redshift."""
    from local_redshift.database.load_errors import blocked

    try:
        yield
    except PortError as error:
        raise blocked(f"S3ServiceException: {error}", 8001, f"S3 key: {address}") from error
