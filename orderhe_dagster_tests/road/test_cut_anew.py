"""A table that is cut into days, or no more: what the ledger knows of the old cut stands in nobody's way."""

from __future__ import annotations

import pytest

from orderhe_dagster.catalog.segments import WHOLE
from orderhe_dagster.road import index
from orderhe_dagster_tests.shops import TestShop


@pytest.mark.parametrize(
    ("table", "files", "of"),
    [
        ("sales", ("raw/sales.sql", "mart/takings.sql"), ("-- @partition sold_on\n", "")),
        ("buyers", ("raw/buyers.sql",), ("-- @cursor", "-- @partition changed_at\n-- @cursor")),
    ],
)
def test_a_table_that_is_cut_anew_is_backed_up_and_loaded(
    ran_shop: TestShop, table: str, files: tuple[str, ...], of: tuple[str, str]
) -> None:
    assert ran_shop.run("*").succeeded
    for name in files:
        path = ran_shop.folder / "sql" / name
        path.write_text(path.read_text("utf-8").replace(*of), "utf-8")
    rows = ran_shop.rows(f"select * from warehouse.{table} order by 1, 2")
    outcome = ran_shop.run("*")
    assert not outcome.succeeded
    assert "was made in another shape" in outcome.failures[0]
    with ran_shop.warehouse.session("as the message says") as session:
        session.execute(f"drop table warehouse.{table}")
        for ledger in ("_tables", "_loads"):
            where = f"table_name = 'warehouse.{table}'"
            session.execute(f"delete from warehouse.{ledger} where {where}")
    for _ in range(2):
        outcome = ran_shop.run("*")
        assert outcome.succeeded, outcome.lines()
        assert not outcome.warned_checks
    assert ran_shop.rows(f"select * from warehouse.{table} order by 1, 2") == rows
    never = f"select never_proven from warehouse._checks where table_name = 'warehouse.{table}'"
    assert ran_shop.rows(f"{never} and never_proven is not null") == [(0,)]
    assert WHOLE in index.read(ran_shop.store, table).entries
