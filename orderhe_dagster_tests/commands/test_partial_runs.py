"""A selection that leaves out what it needs is told which command has all of it, and that command works."""

from __future__ import annotations

import pytest

from orderhe_dagster.commands.backed_up import check_backed_up
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.commands.selection import by_day, selected_keys
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster_tests.shops import TestShop, days

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
    settings = sales_shop.settings
    definitions = build_definitions(settings)
    for selection, command in WITH_ITS_NEEDS.items():
        keys = selected_keys(definitions, selection)
        window = days(DAY) if by_day(settings, definitions, keys) else None
        with pytest.raises(LaunchError) as caught:
            check_backed_up(
                definitions, keys, selection, window, sales_shop.catalogue, sales_shop.store
            )
        assert str(caught.value).endswith(f"With all that it needs: {command}"), selection
    with pytest.raises(LaunchError, match="buyers has no backup, and"):
        sales_shop.run("+mart/buyer_totals,backup/sales", DAY)
    sales_shop.paste(WITH_ITS_NEEDS["+mart/takings"])
    assert sales_shop.rows("select sold_on::varchar(10) from mart.takings") == [(DAY,)]


def test_what_was_never_made_is_not_taken_for_empty(sales_shop: TestShop) -> None:
    failures = sales_shop.run("mart/buyer_totals,export/takings", DAY).failures
    (whole,) = (text for text in failures if "mart/buyer_totals" in text)
    (written,) = (text for text in failures if "export/takings" in text)
    assert "warehouse/buyers was never materialized" in whole
    assert whole.endswith("orderhe run '*mart/buyer_totals'")
    assert written.endswith("orderhe run '*export/takings'")
