"""The table by which a database is known to be the simulation's. Days are made in `simulate`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.ddl import quoted

if TYPE_CHECKING:
    from orderhe_dagster.ports.source import SourceTransaction

MARKER = "orderhe_simulation"
TABLES = ("customers", "products", "orders")


class NotOurShopError(Exception):
    """The database is not a shop that this simulation made: it must not be written to."""


def mark(transaction: SourceTransaction, names: Sequence[str] = TABLES) -> None:
    """Make an empty shop ours: create the marker. A shop already marked stays as it is.

    The tables that are filled must be there, by these `names`. NotOurShopError when one of them holds
    rows: it is somebody's.
    """
    if is_marked(transaction):
        return
    for name in names:
        if transaction.fetch(f"select 1 as one from {quoted(name)} limit 1").num_rows:
            raise NotOurShopError(
                f"table {name} already holds rows that the simulation did not make: choose an empty"
                " database, or leave this shop to its own application (ORDERHE_SHOP=external)"
            )
    transaction.execute(
        f"create table if not exists {MARKER} (day date not null primary key, seed bigint not null,"
        " scale double not null, time_zone varchar(64) not null, rules int not null)"
    )


def is_marked(transaction: SourceTransaction) -> bool:
    """Whether the marker is there."""
    return MARKER in {name.lower() for name in transaction.table_names()}
