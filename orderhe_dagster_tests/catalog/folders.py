"""Small folders of SQL for the tests of the catalogue."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.errors import CatalogueError
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue

ORDERS = """\
-- Orders.
-- @partition order_date
-- @pii note
create table orders (
    order_id bigint not null comment 'Number',
    customer_id int,
    order_date date not null,
    amount decimal(12, 2) not null,
    status enum('paid', 'sent') not null,
    note varchar(100),
    placed_at datetime not null,
    primary key (order_id)
);
"""
CUSTOMERS = """\
-- People.
-- @pii email
create table customers (
    customer_id int primary key,
    email varchar(50) not null,
    city varchar(20)
);
"""
PAYMENTS = """\
-- Payments, by the moment they came in.
-- @partition paid_at
create table payments (
    payment_id int primary key,
    order_id bigint not null,
    paid_at datetime(3) not null,
    amount int not null
);
"""
EVENTS = """\
-- Events, in UTC.
-- @partition happened_at
create table events (event_id int primary key, happened_at timestamp not null);
"""
SHOP = {
    "raw/orders.sql": ORDERS,
    "raw/customers.sql": CUSTOMERS,
    "raw/payments.sql": PAYMENTS,
    "raw/events.sql": EVENTS,
}


def write(folder: Path, files: dict[str, str]) -> Path:
    """Write the files under `folder`."""
    for path, text in files.items():
        file = folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(text.encode())
    return folder


def read(folder: Path, files: dict[str, str]) -> Catalogue:
    """The catalogue of the files."""
    return read_catalogue(write(folder, files))


def refused(folder: Path, files: dict[str, str]) -> list[str]:
    """What is wrong with the files, one text a problem."""
    with pytest.raises(CatalogueError) as caught:
        read(folder, files)
    assert str(folder) in str(caught.value)
    return [str(problem) for problem in caught.value.problems]
