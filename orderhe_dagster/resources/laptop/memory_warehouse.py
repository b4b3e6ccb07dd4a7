"""The local Redshift in memory, for one user and one purpose: nothing of it is kept.

It promises less than the port `Warehouse`, and so loads no Dagster: who tries out a select waits for it.
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


class PrivateWarehouseError(OrderheError):
    """A statement failed. The text is what Redshift says of it."""


class PrivateSession:
    """The only session there is."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def execute(self, sql: str) -> Rows:
        """Run one Redshift statement. PrivateWarehouseError: a transaction it stands in has failed."""
        from local_redshift.errors import RedshiftError

        try:
            with interruptible(self._engine.interrupt):
                return self._engine.execute(sql)
        except RedshiftError as error:
            raise PrivateWarehouseError(str(error)) from error


@contextmanager
def private_session() -> Iterator[PrivateSession]:
    """An empty warehouse for the block."""
    require_local_redshift()
    from local_redshift.session.engine import Engine

    with Engine() as engine:
        yield PrivateSession(engine)
