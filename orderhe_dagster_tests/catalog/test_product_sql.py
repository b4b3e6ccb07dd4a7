"""The SQL that this product sends: the DDL it derives and every select of its own sql/ folder."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from local_redshift.session.engine import Engine
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.reader import read_catalogue

SQL = Path(__file__).parents[2] / "sql"
CATALOGUE = read_catalogue(SQL)
ROWS = (
    """insert into warehouse.customers (customer_id, full_name, email, locale, city, address,
        signup_date, accepts_marketing, created_at, updated_at) values
        (1, 'Kim', 'k@example.com', 'ko_KR', '서울', 'A', '2024-01-01', 1, '2024-01-01', '2024-01-01'),
        (2, 'Lee', 'l@example.com', 'en_US', 'Boston', 'B', '2024-01-02', 0, '2024-01-02', '2024-01-02')""",
    """insert into warehouse.products (product_id, sku, product_name, category, brand, unit_price,
        is_active, launched_date, created_at, updated_at) values
        (7, 'S7', '커피 ☕', 'food', 'b', 1000, 1, '2024-01-01', '2024-01-01', '2024-01-01'),
        (8, 'S8', 'Mug', 'kitchen', 'c', 500, 1, '2024-01-01', '2024-01-01', '2024-01-01')""",
    """insert into warehouse.orders (order_id, customer_id, product_id, order_date, quantity, unit_price,
        amount, status, channel, created_at, updated_at) values
        (1, 1, 7, '2024-02-01', 2, 1000, 2000, 'paid', 'web', '2024-02-01 01:02:03.5', '2024-02-01'),
        (2, 1, 7, '2024-02-01', 1, 1000, 1000, 'cancelled', 'app', '2024-02-01', '2024-02-02'),
        (3, 2, 7, '2024-02-02', 3, 900, 2700, 'returned', 'web', '2024-02-02', '2024-02-05'),
        (4, 1, 7, '2024-02-03', 1, 1000, 1000, 'paid', 'web', '2024-02-03', '2024-02-03'),
        (5, 1, 8, '2024-02-03', 1, 500, 500, 'paid', 'web', '2024-02-03', '2024-02-03'),
        (6, 2, 8, '2024-02-03', 2, 500, 1000, 'shipped', 'phone', '2024-02-03', '2024-02-04'),
        (7, 2, 7, '2024-02-03', 1, 1000, 1000, 'delivered', 'phone', '2024-02-03', '2024-02-05')""",
)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as made:
        for schema in ("warehouse", "mart"):
            made.execute(f"create schema {schema}")
        for table in CATALOGUE.tables:
            if table.layer in ("raw", "warehouse", "mart"):
                made.execute(ddl.redshift_create(table))
        for statement in ROWS:
            made.execute(statement)
        for table in CATALOGUE.layer("mart"):
            made.execute(f"insert into {ddl.qualified(table.ref)}\n{table.sql}")
        yield made


@pytest.mark.parametrize("table", CATALOGUE.layer("export"), ids=lambda table: table.name)
def test_every_export_runs_with_the_columns_and_types_of_its_file(
    table: object, engine: Engine
) -> None:
    from orderhe_dagster.catalog.table import Table
    from orderhe_dagster.catalog.types import redshift_text

    assert isinstance(table, Table)
    result = engine.execute(table.sql)
    assert result.columns == table.column_names
    wanted = tuple(redshift_text(column.type).replace(", ", ",") for column in table.columns)
    assert result.types == wanted
    assert len(result.rows) >= 1


@pytest.mark.parametrize("check", CATALOGUE.checks, ids=lambda check: check.claim)
def test_every_check_runs_and_finds_nothing_wrong(check: object, engine: Engine) -> None:
    from orderhe_dagster.catalog.table import Check

    assert isinstance(check, Check)
    assert engine.execute(check.sql).rows == []


def test_daily_sales_are_right(engine: Engine) -> None:
    rows = engine.execute("select * from mart.daily_sales order by order_date").rows
    assert [row[1:] for row in rows] == [
        (2, 1, 3, 3000, 1000, 0, 2000),
        (1, 1, 3, 2700, 0, 2700, 0),
        (4, 2, 5, 3500, 0, 0, 3500),
    ]


def test_digest_of_rows_is_a_sum_of_60_bits(engine: Engine) -> None:
    from hashlib import md5

    digest = "cast(strtol(left(md5(order_id || '|' || status), 15), 16) as decimal(38,0))"
    sql = f"select sum({digest}) from warehouse.orders"
    texts = ("1|paid", "2|cancelled", "3|returned", "4|paid", "5|paid", "6|shipped", "7|delivered")
    wanted = sum(int(md5(text.encode()).hexdigest()[:15], 16) for text in texts)
    assert int(engine.execute(sql).rows[0][0]) == wanted
