"""The local Redshift in memory, for one user and one purpose: nothing of it is kept.

It promises less than the port `Warehouse`: it is made for trying out a select.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from orderhe_dagster.errors import OrderheError
from orderhe_dagster.resources.laptop.local_redshift import require_local_redshift
from orderhe_dagster.settings.interrupts import interruptible

if TYPE_CHECKING:
    from local_redshift.session.engine import Engine, Rows


class MemoryWarehouseError(OrderheError):
    """A statement failed. The text is what Redshift says of it."""


class MemorySession:
    """The only session there is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, sql: str) -> Rows:
        """Run one Redshift statement. MemoryWarehouseError: a transaction it stands in has failed."""
        from local_redshift.errors import RedshiftError

        try:
            with interruptible(self._engine.interrupt):
                return self._engine.execute(sql)
        except RedshiftError as error:
            raise MemoryWarehouseError(str(error)) from error


@contextmanager
def memory_session() -> Iterator[MemorySession]:
    """An empty warehouse for the block."""
    require_local_redshift()
    from local_redshift.session.engine import Engine

    with Engine() as engine:
        yield MemorySession(engine)
