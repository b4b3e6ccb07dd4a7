"""A selection that leaves out what it needs is told which command has all of it, and that command works."""

from __future__ import annotations

import pytest

from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster_tests.shops import TestShop

DAY = "2026-01-02"
WITH_ITS_NEEDS = {
    "+mart/takings": "orderhe run '*mart/takings' --from 2026-01-02 --to 2026-01-02",
    "+mart/takings,+mart/buyer_totals": (
        "orderhe run '*mart/buyer_totals,*mart/takings' --from 2026-01-02 --to 2026-01-02"
    ),
    "warehouse/sales": "orderhe run '*warehouse/sales' --from 2026-01-02 --to 2026-01-02",
    "warehouse/buyers": "orderhe run '*warehouse/buyers'",
}


def test_a_plus_leaves_the_backups_out_and_a_star_does_not(sales_shop: TestShop) -> None:
    for selection, command in WITH_ITS_NEEDS.items():
        with pytest.raises(LaunchError) as caught:
            sales_shop.run(selection, DAY)
        assert str(caught.value).endswith(f"With all that it needs: {command}"), selection
    with pytest.raises(LaunchError, match="buyers has no backup, and"):
        sales_shop.run("+mart/buyer_totals,backup/sales", DAY)
    sales_shop.paste(WITH_ITS_NEEDS["+mart/takings"])
    assert sales_shop.rows("select sold_on::varchar(10) from mart.takings") == [(DAY,)]
    assert sales_shop.run("+mart/takings", DAY).succeeded


def test_what_was_never_made_is_not_taken_for_empty(sales_shop: TestShop) -> None:
    whole = sales_shop.run("mart/buyer_totals").failures
    assert "warehouse/buyers was never materialized" in whole[0]
    assert whole[0].endswith("orderhe run '*mart/buyer_totals'")
    written = sales_shop.run("export/takings").failures
    assert written[0].endswith("orderhe run '*export/takings'")
    sales_shop.paste(whole[0])
    assert sales_shop.rows("select count(*) from mart.buyer_totals") != [(0,)]
