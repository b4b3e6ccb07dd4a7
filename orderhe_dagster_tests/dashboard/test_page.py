"""The page in a browser: what it shows, in both languages and schemes, on a desk and on a phone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from orderhe_dagster.dashboard import page as parts
from orderhe_dagster_tests.dashboard.payloads import LAST, payload
from orderhe_dagster_tests.servers.chromium import Watched, chromium, violations, watched

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["chromium"]
LANGUAGES = {"ko": "ko-KR", "en": "en-GB"}
WORDS = {
    language: json.loads((parts.PAGE / "words" / f"{language}.json").read_text("utf-8"))
    for language in LANGUAGES
}


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    return payload()


@pytest.fixture(scope="module")
def vega(tmp_path_factory: pytest.TempPathFactory) -> str:
    return parts.vega_bundle(tmp_path_factory.mktemp("vega"))


@pytest.fixture(scope="module")
def written(data: dict[str, Any], vega: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "index.html"
    path.write_text(parts.render(data, vega), "utf-8")
    return path


@pytest.fixture(scope="module")
def opened(chromium: Browser, written: Path) -> Iterator[Watched]:
    """The page in English at 1440 pixels, for the tests that only click; each begins with its range."""
    with watched(
        chromium, written, locale="en-GB", viewport={"width": 1440, "height": 900}
    ) as seen:
        drawn(seen.page)
        yield seen
        assert seen.complaints == []
        assert seen.requests == [written.as_uri()]


def drawn(page: Page) -> None:
    """Wait until every chart is drawn."""
    page.evaluate("window.orderhe.drawn()")


def again(seen: Watched) -> None:
    """Load the page again, at the address that it has by now."""
    seen.page.reload()
    drawn(seen.page)
    seen.requests.pop()


def choose(page: Page, value: str) -> None:
    """Choose one of the radio buttons: a range, a language, a scheme, an order of products."""
    page.locator(f"input[type=radio][value='{value}']").check()
    drawn(page)


def unfold(page: Page, name: str) -> None:
    """Open a panel's table of figures."""
    page.locator(f"#{name} summary").click()
    page.locator(f"#{name} details tbody").wait_for()


def text(page: Page, where: str = "body") -> str:
    return page.locator(where).inner_text()


def expected(data: dict[str, Any], first: date, last: date) -> dict[str, float]:
    """The figures at the top, summed from the exports."""

    def total(export: str, *columns: str) -> int:
        taken = data["exports"][export]
        rows = [at for at, day in enumerate(taken["order_date"]) if str(first) <= day <= str(last)]
        return sum(taken[column][at] for column in columns for at in rows)

    revenue = total("daily_sales", "net_amount")
    lost = total("order_funnel", "cancelled_count", "returned_count")
    repeated = total("daily_customers", "repeat_order_count")
    arrived = total("order_funnel", "delivered_count")
    return {
        "revenue": revenue,
        "orders": total("daily_sales", "order_count"),
        "average_order": revenue / (total("order_funnel", "placed_count") - lost),
        "repeat_rate": repeated / (repeated + total("daily_customers", "first_order_count")),
        "return_rate": total("order_funnel", "returned_count") / arrived,
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_is_whole_readable_and_alone_on_every_screen(
    chromium: Browser, written: Path, language: str
) -> None:
    """No error, no request but the page, nothing that axe minds, nothing wider than the screen."""
    with watched(chromium, written, locale=LANGUAGES[language], color_scheme="light") as seen:
        page = seen.page
        drawn(page)
        assert page.locator("html").get_attribute("lang") == language
        assert page.locator(".chart svg").count() == 5
        for width in (1440, 390):
            page.set_viewport_size({"width": width, "height": 900})
            for scheme in ("light", "dark"):
                page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
                assert violations(page) == [], f"{width} {scheme}"
            assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert seen.complaints == []
        assert seen.requests == [written.as_uri()]


def test_figures_are_the_sums_of_the_exports(opened: Watched, data: dict[str, Any]) -> None:
    first = date.fromisoformat(data["first_day"])
    for begin, end in (
        (first, LAST),
        (LAST, LAST),
        (LAST - timedelta(days=40), LAST - timedelta(days=10)),
    ):
        if begin == end:
            continue
        shown = opened.page.evaluate(f"window.orderhe.figures('{begin}', '{end}')")
        assert shown == pytest.approx(expected(data, begin, end))


@pytest.mark.parametrize(
    ("value", "days"), [("7", 7), ("30", 30), ("90", 90), ("year", 365), ("all", 365)]
)
def test_a_range_changes_figures_charts_and_words(
    opened: Watched, data: dict[str, Any], value: str, days: int
) -> None:
    page = opened.page
    choose(page, "all" if value != "all" else "7")
    charts = page.locator(".chart").all_inner_texts(), page.locator("#figure-orders").inner_text()
    choose(page, value)
    first = LAST - timedelta(days=days - 1)
    figures = expected(data, first, LAST)
    assert f"{figures['orders']:,}" in text(page, "#figure-orders")
    assert f"{figures['revenue']:,}" in text(page, "#figure-revenue")
    assert f"{figures['return_rate']:.1%}" in text(page, "#figure-return_rate")
    assert f"({days} days)" in text(page, "#range-text")
    assert page.input_value("#from") == str(first)
    changed = (
        page.locator(".chart").all_inner_texts(),
        page.locator("#figure-orders").inner_text(),
    )
    assert (changed != charts) == (value != "year")  # a year is all there is
    earlier = first - timedelta(days=days)
    compared = str(earlier) >= data["first_day"]
    assert ("compared with" in text(page, "#range-text")) == compared
    if compared:
        before = expected(data, earlier, first - timedelta(days=1))
        growth = figures["orders"] / before["orders"] - 1
        way = "up" if growth > 0 else "down"
        assert f"{way} {abs(growth):.1%}" in text(page, "#figure-orders")
        assert f"before: {before['orders']:,}" in text(page, "#figure-orders")


def test_two_days_choose_a_range_and_stay_in_the_address(opened: Watched) -> None:
    page = opened.page
    page.fill("#from", "2026-03-01")
    page.fill("#to", "2026-03-31")
    assert "1–31 Mar 2026 (31 days)" in text(page, "#range-text").replace(" – ", "–")
    assert page.locator("#presets input:checked").count() == 0
    assert "from=2026-03-01&to=2026-03-31" in page.evaluate("location.hash")
    page.fill("#from", "2026-05-01")  # after the last day, which follows
    assert (page.input_value("#from"), page.input_value("#to")) == ("2026-05-01", "2026-05-01")
    again(opened)
    assert page.input_value("#to") == "2026-05-01"
    choose(page, "30")


def test_tables_hold_what_the_charts_show(opened: Watched, data: dict[str, Any]) -> None:
    page = opened.page
    choose(page, "7")
    for name in ("revenue", "categories", "funnel", "customers", "segments"):
        unfold(page, name)
    assert violations(page) == []
    rows = page.locator("#revenue details tbody tr").all_inner_texts()
    shown = [f"₩{amount:,}" for amount in data["exports"]["daily_sales"]["net_amount"][-7:]]
    assert [amount in row for amount, row in zip(shown, rows, strict=True)] == [True] * 7
    assert page.locator("#categories details tbody tr").count() == 9
    label = page.locator("#revenue .chart").get_attribute("aria-label") or ""
    assert text(page, "#revenue .summary") in label
    choose(page, "30")
    page.locator("#revenue details[open] tbody tr").nth(29).wait_for()


def test_products_rise_and_fall(opened: Watched) -> None:
    page = opened.page
    choose(page, "falling")
    changes = page.locator("#products tbody .change").all_inner_texts()
    assert changes
    assert all("down" in each for each in changes)
    choose(page, "rising")
    assert not any(
        "down" in each for each in page.locator("#products tbody .change").all_inner_texts()
    )
    choose(page, "best")
    page.locator("#products button.more").click()
    assert page.locator("#products tbody tr").count() == 50


def test_the_keyboard_reaches_everything_and_shows_where_it_is(opened: Watched) -> None:
    page = opened.page
    again(opened)
    seen: list[str] = []
    for _ in range(80):
        page.keyboard.press("Tab")
        at = page.evaluate(
            """() => {
                const found = document.activeElement;
                const drawn = found.matches("input[type=radio]") ? found.nextElementSibling : found;
                if (found !== document.body && getComputedStyle(drawn).outlineStyle === "none")
                    return "hidden: " + found.outerHTML.slice(0, 120);
                return found.id || found.name || found.localName;
            }"""
        )
        if at == "body":
            break
        seen.append(at)
    assert not [each for each in seen if each.startswith("hidden")]
    assert seen[0] == "a"
    assert {
        "language",
        "scheme",
        "range",
        "from",
        "to",
        "summary",
        "button",
        "products-order",
    } <= set(seen)
    page.locator("#presets input:checked").focus()
    before = text(page, "#range-text")
    page.keyboard.press("ArrowRight")
    drawn(page)
    assert text(page, "#range-text") != before
    page.locator(".skip").focus()
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_language_switch_changes_every_word_and_is_remembered(opened: Watched) -> None:
    page = opened.page
    choose(page, "30")
    again(opened)
    english = set(text(page).splitlines())
    choose(page, "ko")
    korean = set(text(page).splitlines())
    fixed = [words for words in WORDS["en"].values() if "{" not in words and words]
    assert [words for words in fixed if words in korean and words not in WORDS["ko"].values()] == []
    assert len(english & set(fixed)) > 30
    assert "lang=ko" in page.evaluate("location.hash")
    assert page.evaluate("document.activeElement.value") == "ko"
    again(opened)
    assert page.title() == WORDS["ko"]["title"]
    choose(page, "en")
    assert set(text(page).splitlines()) == english


def test_the_scheme_can_be_chosen(opened: Watched) -> None:
    page = opened.page
    ground = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(ground)
    choose(page, "dark")
    assert page.evaluate(ground) != light
    assert "scheme=dark" in page.evaluate("location.hash")
    choose(page, "auto")
    assert page.evaluate(ground) == light


def test_paper_gets_the_light_scheme_and_no_buttons(opened: Watched) -> None:
    page = opened.page
    choose(page, "dark")
    page.emulate_media(media="print")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(24, 32, 43)"
    assert page.locator(".switches").is_hidden()
    assert page.locator("#presets").is_hidden()
    assert page.locator("#range-text").is_visible()
    page.emulate_media(media="screen")
    choose(page, "auto")
