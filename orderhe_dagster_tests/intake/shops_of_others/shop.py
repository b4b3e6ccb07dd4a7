"""What a shop of another system is for the tests, and its rows into a MariaDB. No system is known here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

from orderhe_dagster_tests.intake.shops_of_others.history import History, Order, happened
from orderhe_dagster_tests.servers.mariadb import MariaDB

SCHEMAS = Path(__file__).parent / "schemas"
ZERO = "0000-00-00 00:00:00"
"""What MySQL 5 wrote where nothing was known."""
TAX = Decimal("0.19")

Rows = dict[str, list[dict[str, Any]]]
"""Rows by table; a column that a row has not is left to the table's default."""


@dataclass(frozen=True)
class OtherShop:
    """A shop of another system: its tables, its rows, and two plain selects on them that say what is what.

    `orders_sql` gives order key, day, amount, state and customer key (NULL: a guest) of what is an order;
    `lines_sql` gives order key, product key, pieces and amount. Keys are texts; both are for MySQL.
    """

    name: str
    rows: Callable[[History], Rows]
    orders_sql: str
    lines_sql: str
    currency: str
    habits: str
    """What its tables do that others' do not, in a line."""
    is_order: Callable[[Order], bool] = field(default=lambda order: True)

    @property
    def history(self) -> History:
        """What happened in it."""
        return happened(self.name)

    @property
    def statements(self) -> list[str]:
        """Its `create table` statements."""
        text = (SCHEMAS / f"{self.name}.sql").read_text("utf-8")
        return [part for part in text.split(";\n") if part.strip()]


def load(shop: OtherShop, server: MariaDB, database: str) -> None:
    """Create the shop's tables in a database and write its rows, as an old server took them."""
    with closing(connect(server, database)) as connection, connection.cursor() as cursor:
        for statement in shop.statements:
            cursor.execute(statement)
        for table, rows in shop.rows(shop.history).items():
            for columns, values in _alike(rows).items():
                names = ", ".join(f"`{name}`" for name in columns)
                marks = ", ".join(["%s"] * len(columns))
                cursor.executemany(f"insert into `{table}` ({names}) values ({marks})", values)


def ask(server: MariaDB, database: str, sql: str) -> list[tuple[Any, ...]]:
    """The rows of a select, moments by the shop's clock (+09:00)."""
    with closing(connect(server, database)) as connection, connection.cursor() as cursor:
        cursor.execute("set time_zone = '+09:00'")
        cursor.execute(sql)
        return list(cursor.fetchall())


def connect(server: MariaDB, database: str) -> Any:
    """A connection of root's that minds nothing, as the systems' own do; moments in UTC."""
    import pymysql

    return pymysql.connect(
        unix_socket=str(server.folder / "s"),
        user="root",
        database=database,
        charset="utf8mb4",
        autocommit=True,
        init_command="set sql_mode = 'NO_AUTO_VALUE_ON_ZERO', time_zone = '+00:00'",
    )


def _alike(rows: Sequence[Mapping[str, Any]]) -> dict[tuple[str, ...], list[list[Any]]]:
    """Rows by the columns they have."""
    kinds: dict[tuple[str, ...], list[list[Any]]] = {}
    for row in rows:
        kinds.setdefault(tuple(row), []).append([*row.values()])
    return kinds


def net(gross: Decimal, places: int = 6) -> Decimal:
    """An amount without its tax."""
    return (gross / (1 + TAX)).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def or_zero(moment: datetime | None) -> datetime | str:
    """A moment, or MySQL's zero where there is none."""
    return moment or ZERO
