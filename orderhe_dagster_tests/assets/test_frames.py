"""A table as a pandas frame: exact, typed, and held to what its file says."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pytest

from orderhe_dagster.assets.frames import FrameError, read_frame
from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster_tests.shops import TestShop

ROW = "7, 1, null, '2026-03-01', 12.345, 'paid', '2026-03-01 10:00:00'"


@pytest.fixture
def shop(sales_shop: TestShop, monkeypatch: pytest.MonkeyPatch) -> TestShop:
    """The sales shop, whose settings are the environment's, with a sale in its warehouse."""
    monkeypatch.setenv("ORDERHE_HOME", str(sales_shop.settings.home))
    monkeypatch.setenv("ORDERHE_SQL", str(sales_shop.settings.sql))
    table = sales_shop.catalogue.get(TableRef("raw", "sales"))
    write(sales_shop, ddl.redshift_create(table))
    write(sales_shop, f"insert into warehouse.sales values ({ROW})")
    return sales_shop


def write(shop: TestShop, statement: str) -> None:
    with shop.warehouse.session("test") as session:
        session.execute(statement)


def test_rows_come_exact_and_typed_in_the_order_of_the_file(shop: TestShop) -> None:
    frame = read_frame(shop.warehouse, "warehouse/sales")
    assert list(frame.columns) == [
        *("shop_no", "sale_no", "buyer_code", "sold_on", "price", "state", "changed_at")
    ]
    (row,) = frame.to_dict("records")
    assert row["price"] == Decimal("12.345")
    assert row["sold_on"] == pd.Timestamp("2026-03-01")
    assert pd.isna(row["buyer_code"])
    assert str(frame.dtypes["sale_no"]) == "Int64"


def test_a_table_without_rows_has_its_columns_all_the_same(shop: TestShop) -> None:
    write(shop, "delete from warehouse.sales")
    frame = read_frame(shop.warehouse, "warehouse/sales")
    assert len(frame) == 0
    assert str(frame.dtypes["sold_on"]) == "datetime64[us]"


def test_rows_that_break_the_contract_are_no_frame(shop: TestShop) -> None:
    write(shop, f"insert into warehouse.sales values ({ROW.replace('paid', 'lost')})")
    with pytest.raises(FrameError, match=r"warehouse/sales: 1 row breaks the constraint of state"):
        read_frame(shop.warehouse, "warehouse/sales")


def test_an_unknown_table_is_told_those_there_are(shop: TestShop) -> None:
    with pytest.raises(FrameError, match=r"'mart/nothing' is no table.*warehouse/sales"):
        read_frame(shop.warehouse, "mart/nothing")
