"""Resources that count what they do to the outside, and end the process at the Nth of these boundaries."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.segments import Scope
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.source import Extract
from orderhe_dagster.ports.warehouse import Result
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedSession, EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.home import home_of


@dataclass
class Fuse:
    """Sends `signal` to this process at boundary number `at` (0: never), or the first with those words.

    `does` is done there instead; `beside` at every boundary before that, with its number.
    """

    at: int | str = 0
    signal: int = int(signal.SIGTERM)
    passed: list[str] = field(default_factory=list)
    does: Callable[[], None] | None = None
    beside: Callable[[int], None] | None = None
    _turn: threading.Lock = field(default_factory=threading.Lock)

    def reach(self, name: str) -> None:
        with self._turn:  # a store's writes may come from several threads
            self.passed.append(name)
            number = len(self.passed)
            is_due = self.at == number or (isinstance(self.at, str) and self.at in name)
            if is_due:
                self.at = 0
        if self.beside is not None:
            self.beside(number)
        if is_due:
            self.does() if self.does is not None else os.kill(os.getpid(), self.signal)


FUSE = Fuse()
"""The fuse of this process; a forked process sets its own."""


def light(at: int | str, by: int) -> Fuse:
    """End this process by signal `by` at boundary `at`; renamed files count too."""
    FUSE.at, FUSE.signal = at, by

    def hook(event: str, args: tuple[Any, ...]) -> None:
        if event == "os.rename":
            FUSE.reach(f"rename to {Path(str(args[1])).name}")

    sys.addaudithook(hook)
    return FUSE


def fused_resources(settings: Settings) -> dict[str, Any]:
    """The embedded resources of `settings`, wired to the fuse."""
    home = home_of(settings)
    given = settings.s3
    store = FusedStore(root=str(home.store), bucket=given.bucket, prefix=given.prefix)
    return {
        "source": FusedSource(path=str(home.shop)),
        "store": store,
        "warehouse": FusedWarehouse(path=str(home.warehouse), store=store),
    }


class FusedStore(FolderStore):
    """Boundaries: before and after each object is written."""

    def put(
        self, key: str, body: bytes, *, if_none_match: bool = False, if_match: str | None = None
    ) -> str:
        FUSE.reach(f"before put {key}")
        etag = super().put(key, body, if_none_match=if_none_match, if_match=if_match)
        FUSE.reach(f"after put {key}")
        return etag

    def upload(self, files: Iterable[tuple[str, Path]]) -> None:
        def counted() -> Iterator[tuple[str, Path]]:
            for key, file in files:
                FUSE.reach(f"before upload {key}")
                yield key, file

        super().upload(counted())
        FUSE.reach("after upload")


class FusedSource(EmbeddedSource):
    """Boundaries: before and after an extract."""

    def extract(self, table: Table, scope: Scope, folder: Path) -> Extract:
        FUSE.reach(f"before extract {table.name}")
        found = super().extract(table, scope, folder)
        FUSE.reach(f"after extract {table.name}")
        return found


class FusedSession(EmbeddedSession):
    """Boundaries: before each statement that may change something, and after each commit."""

    def execute(self, sql: str) -> Result:
        FUSE.reach(f"before {' '.join(sql.split())[:60]}")
        return super().execute(sql)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        found = super().transaction(statements)
        FUSE.reach("after commit")
        return found


class FusedWarehouse(EmbeddedWarehouse):
    """Boundaries: opening a session, and what a writing session does."""

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[EmbeddedSession]:
        FUSE.reach(f"before session {label.split(' run ', maxsplit=1)[0]}")
        with super().session(label, read_only=read_only) as found:
            yield found if read_only else FusedSession(found._engine)
