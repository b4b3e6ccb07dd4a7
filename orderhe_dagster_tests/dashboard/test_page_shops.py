"""The page of other shops: less data, none, other money, long and hostile texts, something wrong."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orderhe_dagster.dashboard import page as parts
from orderhe_dagster.dashboard.figures import figures
from orderhe_dagster_tests.dashboard.payloads import only_days, payload
from orderhe_dagster_tests.dashboard.test_page import unfold
from orderhe_dagster_tests.servers.chromium import Watched, chromium, violations, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser

__all__ = ["chromium"]

Data = dict[str, Any]
HOSTILE = "</script><img src=x onerror=window.broken=1>{{data}}"
NO_WORDS = re.compile(r".*(?:NaN|undefined|null|Infinity|\[object|(?<!\{)\{\w+\}(?!\})).*")
LONG = "Things for the house, the garden and whatever else does not fit elsewhere " * 3


@pytest.fixture(scope="module")
def vega(tmp_path_factory: pytest.TempPathFactory) -> str:
    return parts.vega_bundle(tmp_path_factory.mktemp("vega"))


Show = Callable[..., "Watched"]


@pytest.fixture
def show(chromium: Browser, vega: str, tmp_path: Path) -> Any:
    """Open a page drawn from some data on a phone; at the end it has not complained."""
    from contextlib import ExitStack

    with ExitStack() as stack:
        seen: list[Watched] = []

        def opened(data: Data, fragment: str = "") -> Watched:
            path = tmp_path / f"{len(seen)}.html"
            path.write_text(parts.render(data, vega), "utf-8")
            context = {"locale": "en-GB", "viewport": {"width": 390, "height": 800}}
            seen.append(stack.enter_context(watched(chromium, path.as_uri() + fragment, **context)))
            page = seen[-1].page
            page.evaluate("window.orderhe.drawn()")
            assert page.evaluate("document.documentElement.scrollWidth") <= 390
            shown = page.locator("body").inner_text()
            assert NO_WORDS.findall(shown) == []
            return seen[-1]

        yield opened
        assert [complaint for each in seen for complaint in each.complaints] == []


def without(data: Data, *kept: str) -> Data:
    return {**data, "exports": {name: data["exports"][name] for name in kept}}


def changed(data: Data, export: str, **columns: Any) -> Data:
    """The data with some columns of an export computed anew from their values."""
    taken = {**data["exports"][export]}
    for name, new in columns.items():
        taken[name] = [new(value) for value in taken[name]]
    return {**data, "exports": {**data["exports"], export: taken}}


def test_a_shop_with_daily_sales_alone(show: Show) -> None:
    """What is not there leaves no gap; a period before of nothing is new, not a division by zero."""
    data = only_days(without(payload(), "daily_sales"), 14)
    data["exports"]["daily_sales"]["net_amount"][:7] = [0] * 7
    data |= {"layers": [], "freshness": [], "checks": {"passed": 0, "failed": []}}
    page = show(data, "#range=7").page
    assert page.locator(".card").count() == 2
    assert page.locator(".panel").count() == 1
    assert "new" in page.locator("#figure-revenue .change").inner_text()
    assert page.locator("#trust").is_hidden()
    assert page.evaluate("orderhe.figures('2026-11-15', '2026-11-21').average_order") is None


def test_a_shop_without_daily_sales_says_what_is_missing(show: Show) -> None:
    data = without(payload(), "product_sales", "cohort_retention")
    page = show({**data, "first_day": None, "last_day": None}).page
    assert "There are no daily sales yet" in page.locator("#warnings").inner_text()
    assert page.locator("#products").is_visible()
    assert page.locator("#figures").is_hidden()
    assert violations(page) == []
    nothing = show({**data, "exports": {}, "first_day": None, "last_day": None, "layers": []}).page
    assert nothing.locator(".panel").count() == 0


def test_a_shop_of_one_day(show: Show) -> None:
    page = show(only_days(payload(), 1)).page
    assert "no earlier period" in page.locator("#range-text").inner_text()
    assert "2026" in page.locator("#made").inner_text()
    assert page.locator(".card").count() == 5


def test_money_with_decimals_and_a_day_that_lost_some(show: Show) -> None:
    data = changed(payload(), "daily_sales", net_amount=lambda value: round(value / 1300, 2))
    data["currency"] = "USD"
    data["exports"]["daily_sales"]["net_amount"][-3:] = [10.5, -250.25, 0.1]
    page = show(data, "#from=2026-11-19&to=2026-11-21").page
    assert "−$239.65" in page.locator("#figure-revenue").inner_text().replace("-", "−")
    assert "down" in page.locator("#figure-revenue").inner_text()


def test_texts_are_texts_however_long_or_hostile(show: Show) -> None:
    data = changed(
        payload(),
        "category_sales",
        category=lambda name: {"뷰티": HOSTILE, "도서": LONG, "식품": None}.get(name, name),
    )
    data = changed(data, "product_sales", product_name=lambda name: HOSTILE + name)
    page = show(data).page
    unfold(page, "categories")
    assert HOSTILE in page.locator("#categories").inner_text()
    assert "(without a name)" in page.locator("#categories").inner_text()
    assert page.locator("img").count() == 0
    assert page.evaluate("window.broken") is None
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_more_categories_than_fit_are_one_bar(show: Show) -> None:
    names = iter(range(10_000))
    page = show(
        changed(payload(), "category_sales", category=lambda _: f"C{next(names) % 20}")
    ).page
    assert "9 others" in page.locator("#categories .chart").inner_text()
    unfold(page, "categories")
    assert page.locator("#categories tbody tr").count() == 20


def test_what_is_wrong_stands_at_the_top(show: Show) -> None:
    data = payload()
    wrong = {"table": "mart.daily_sales", "claim": "amounts_add_up", "wrong_rows": 3}
    data["checks"]["failed"] = [{**wrong, "checked_at": "2026-11-21T21:00:00Z"}]
    data["layers"][0] |= {"agrees": False, "warehouse_rows": 7}
    data["layers"][1] |= dict.fromkeys(
        ("agrees", "source_rows", "proved_at", "segments", "never_proven", "oldest_proof")
    )
    data["freshness"][0] |= {"built_at": "2026-11-19T00:00:00Z"}
    data["freshness"][1] |= {"built_at": None, "last_day": None}
    data["layers"][2] |= {"agrees": False, "only_stale": True}
    data["behind"] = ["export/order_funnel"]
    page = show(data).page
    text = page.locator("#warnings").inner_text()
    assert "export/order_funnel is older than what it is made of" in text
    assert "mart.daily_sales: “amounts_add_up” does not hold: 3 rows are wrong" in text
    assert "221,661 rows in the source, 221,661 in the backup, 7 in the warehouse" in text
    assert "mart/daily_sales was last built 19 Nov 2026, 09:00" in text  # the shop's time
    assert "has changed since it was backed up: products" in text
    trust = page.locator("#trust").inner_text()
    assert "They differ for orders" in trust
    assert "1 of 32 checks does not hold" in trust
    assert page.locator("main > section:visible").first.get_attribute("id") == "warnings"
    assert violations(page) == []


def ending(data: Data, export: str, days: int) -> Data:
    """The data with an export that lacks so many of the last days."""
    taken = data["exports"][export]
    kept = sorted(set(taken["order_date"]))[:-days]
    rows = [at for at, day in enumerate(taken["order_date"]) if day in kept]
    cut = {name: [values[at] for at in rows] for name, values in taken.items()}
    return {**data, "exports": {**data["exports"], export: cut}}


@pytest.mark.parametrize("export", ["order_funnel", "category_sales", "daily_customers"])
def test_an_export_that_is_older_than_the_sales_is_told(show: Show, export: str) -> None:
    text = show(ending(payload(), export, 5)).page.locator("#warnings").inner_text()
    assert f"{export} ends on 16 Nov 2026, while the sales go on to 21 Nov 2026" in text


def test_days_whose_orders_were_all_cancelled_leave_nothing_out(show: Show) -> None:
    data = ending(payload(), "daily_customers", 1)
    funnel = data["exports"]["order_funnel"]
    funnel["cancelled_count"][-1], funnel["returned_count"][-1] = funnel["placed_count"][-1], 0
    assert "ends on" not in show(data).page.locator("#warnings").inner_text()


def test_a_falling_return_rate_is_no_good_news_yet(show: Show) -> None:
    """Of the latest orders, fewer have come back so far than will."""
    page = show(payload(), "#range=30").page
    assert "down" in page.locator("#figure-return_rate .change").inner_text()
    assert page.locator("#figure-return_rate .change.even").count() == 1


def test_a_shop_that_tells_of_no_delivery_has_the_steps_that_it_tells(show: Show) -> None:
    data = payload()
    exports = data["exports"]
    for step in ("waiting", "shipped", "delivered", "returned"):
        del exports["order_funnel"][f"{step}_count"]
    sales = exports["daily_sales"]
    del sales["returned_amount"]
    sales["net_amount"] = [10 for _ in sales["net_amount"]]
    page = show(data, "#range=all").page
    assert page.locator("#figure-return_rate").count() == 0
    assert page.locator("#figure-revenue .exact").inner_text() == "cancelled left out"
    unfold(page, "funnel")
    assert page.locator("#funnel tbody tr th").all_inner_texts() == ["Placed", "Cancelled"]
    assert "of the orders were cancelled" in page.locator("#funnel").inner_text()
    shown = page.evaluate(f"orderhe.figures('{data['first_day']}', '{data['last_day']}')")
    assert shown == vars(figures(exports, data["first_day"], data["last_day"]))
    assert shown["return_rate"] is None
    assert shown["average_order"] > 0


def test_an_address_can_ask_for_no_language_that_is_none(show: Show) -> None:
    for name in ("toString", "__proto__", "xx"):
        page = show(payload(), f"#lang={name}").page
        assert page.locator("h1").inner_text() == "How the shop is doing"


def test_a_warehouse_in_which_nothing_was_built_is_not_called_in_time(show: Show) -> None:
    data = payload()
    data["freshness"] = [{**each, "built_at": None, "last_day": None} for each in data["freshness"]]
    trust = show(data).page.locator("#trust").inner_text()
    assert "No table was built in this warehouse yet." in trust
    assert "Nothing was late" not in trust


def test_a_shop_that_is_well_says_so(show: Show) -> None:
    data = payload()
    page = show(data).page
    trust = page.locator("#trust").inner_text()
    assert "All three agree on all there is; the oldest proof is of 21 Nov 2026, 06:20." in trust
    assert "All 31 checks hold." in trust
    assert page.locator(".warning").count() == 0
    assert "In the last 60 days: 1,204 up, 977 down." in page.locator("#prices").inner_text()
    assert page.locator("footer a").is_hidden()
    linked = show({**data, "lineage": True}).page
    assert linked.locator("footer a").is_visible()


def test_a_proof_of_one_day_is_not_told_as_one_of_all(show: Show) -> None:
    data = payload()
    data["layers"][0] |= {"never_proven": 300, "outside_rows": 12}
    page = show(data).page
    text = page.locator("#trust").inner_text()
    assert (
        "parts never compared: 300. Of the others, the oldest proof is of 21 Nov 2026, 06:20"
        in text
    )
    assert "65 of 365" in text
    assert "All three agree on all there is" not in text
    assert "after today): orders (12)." in text


def test_three_years_are_drawn_by_the_month(show: Show) -> None:
    page = show(payload(3), "#range=all").page
    unfold(page, "revenue")
    assert page.locator("#revenue tbody tr").count() == 37
    assert "Pale bars are not whole months." in page.locator("#revenue").inner_text()
    assert "The latest 13 months are shown." in page.locator("#retention").inner_text()
