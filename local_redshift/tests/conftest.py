"""A local Redshift in memory with a few rows: shared by the tests beside."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from local_redshift.session.engine import Engine
from local_redshift.testing.server import redshift, redshift_authority

__all__ = ["redshift", "redshift_authority"]  # fixtures

ROWS = (
    """create table sales (
        order_id bigint not null, customer_id integer, status varchar(20), total decimal(12,2),
        placed_at timestamp, seen_at timestamptz, country varchar(10), note varchar(100),
        quantity integer, sold_on date, rate float8, is_gift boolean, small smallint)""",
    """insert into sales values
        (1, 10, 'paid', 10.50, '2024-01-31 10:15:30', '2024-01-31 10:15:30'::timestamp::timestamptz,
         'FR', 'a', 7, '2024-01-31', '0.5', true, 3),
        (2, 10, 'paid', 20.25, '2024-02-29 23:59:59', '2024-02-29 23:59:59'::timestamp::timestamptz,
         'FR', null, 2, '2024-02-29', '1.5', false, 4),
        (3, 11, 'new', 5.00, '2024-12-31 00:00:01', '2024-12-31 00:00:01'::timestamp::timestamptz,
         'DE', 'b', 3, '2024-12-31', '2.5', true, 5),
        (4, null, 'refund', null, null, null, null, 'c', null, null, null, null, null)""",
    "create table later (like sales)",
    "insert into later select * from sales where order_id >= 3",
    "create table pairs (id integer, name varchar(5))",
    "insert into pairs values (1, 'a'), (1, 'b'), (2, 'a ')",
)


@pytest.fixture
def engine() -> Iterator[Engine]:
    """An engine with `sales` (4 rows), `later` (the last 2) and `pairs` (3) in schema public."""
    with Engine() as made:
        for statement in ROWS:
            made.execute(statement)
        yield made


@pytest.fixture(scope="module")
def reading() -> Iterator[Engine]:
    """The same, shared by tests that only read."""
    with Engine() as made:
        for statement in ROWS:
            made.execute(statement)
        yield made
