"""A shop's database in memory, with keys enforced: just enough of a source for the simulation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import duckdb

from orderhe_dagster.catalog.table import Table, TableRef

if TYPE_CHECKING:
    import pyarrow as pa

TABLES = {
    name: Table(TableRef("raw", name), f"raw/{name}.sql", "", "", "", ())
    for name in ("customers", "products", "orders")
}

DDL = """
create table customers (
    customer_id int primary key, full_name varchar not null, email varchar not null unique,
    phone varchar, birth_date date, locale varchar not null, city varchar not null,
    address varchar not null, signup_date date not null, accepts_marketing tinyint not null,
    created_at timestamp not null, updated_at timestamp not null
);
create table products (
    product_id int primary key, sku varchar not null unique, product_name varchar not null,
    category varchar not null, brand varchar not null, unit_price int not null,
    description varchar, is_active tinyint not null, launched_date date not null,
    created_at timestamp not null, updated_at timestamp not null
);
create table orders (
    order_id bigint primary key,
    customer_id int not null references customers (customer_id),
    product_id int not null references products (product_id), order_date date not null,
    quantity smallint not null, unit_price int not null, amount int not null,
    status varchar not null, channel varchar not null, delivery_note varchar,
    created_at timestamp not null, updated_at timestamp not null
);
"""


@dataclass
class Database:
    """A `SourceTransaction` that stays open: begin and commit are the test's business."""

    connection: duckdb.DuckDBPyConnection
    statements: list[str] = field(default_factory=list)

    def execute(self, sql: str) -> None:
        self.statements.append(sql)
        self.connection.execute(sql)

    def fetch(self, sql: str) -> pa.Table:
        return self.connection.execute(sql).to_arrow_table()

    def table_names(self) -> list[str]:
        return [name for (name,) in self.connection.execute("show tables").fetchall()]

    def append(self, table: Table, rows: pa.Table) -> None:
        self.connection.register("incoming", rows)
        self.connection.execute(f"insert into {table.name} by name select * from incoming")
        self.connection.unregister("incoming")

    def rows(self, name: str) -> list[tuple[object, ...]]:
        return self.connection.execute(f"select * from {name} order by 1").fetchall()


def empty_shop() -> Database:
    """The three tables, empty and not marked."""
    connection = duckdb.connect(":memory:", config={"threads": 1})
    connection.execute(DDL)
    return Database(connection)
