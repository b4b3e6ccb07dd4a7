"""The lineage page in a browser: what is chosen, followed, found and read aloud, at two widths."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.sync_api import expect

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.dashboard.lineage_html import lineage_page
from orderhe_dagster.dashboard.page import render
from orderhe_dagster_tests.servers.chromium import chromium, violations, watched
from orderhe_dagster_tests.shops import OWN_SQL

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

__all__ = ["chromium"]
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}
NET = "mart.daily_sales.net_amount"
expect.set_options(timeout=30_000)
"""The page is drawn anew a moment after its address has changed: a bound, not an expectation."""


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "lineage.html"
    path.write_text(lineage_page(read_catalogue(OWN_SQL), dashboard=True), "utf-8")
    return path


def at(page_file: Path, place: str = "") -> str:
    return f"{page_file.as_uri()}#{place}"


def marked(page: Page, part: str) -> set[str]:
    """The nodes on the path: self, up or down."""
    marked_ids: list[str] = page.eval_on_selector_all(
        f"#stages [data-node].{part}", "all => all.map(each => each.dataset.node)"
    )
    return set(marked_ids)


@pytest.mark.parametrize(
    ("place", "locale", "viewport", "scheme"),
    [
        ("", "en-US", WIDE, "light"),
        ("", "ko-KR", NARROW, "dark"),
        (NET, "ko-KR", WIDE, "dark"),
        (NET, "en-US", NARROW, "light"),
        ("raw.customers.email", "en-US", WIDE, "dark"),
        ("mart.order_details", "en-US", WIDE, "light"),
        ("mart.order_details", "ko-KR", NARROW, "light"),
    ],
)
def test_the_page_is_whole_and_everybody_can_read_it(
    chromium: Browser, page_file: Path, place: str, locale: str, viewport: Any, scheme: Any
) -> None:
    with watched(
        chromium, at(page_file, place), viewport=viewport, color_scheme=scheme, locale=locale
    ) as seen:
        assert seen.page.locator("h1").inner_text() in ("Column lineage", "컬럼 계보")
        assert violations(seen.page) == []
        wide = "document.documentElement.scrollWidth > document.documentElement.clientWidth"
        assert seen.page.evaluate(wide) is False
        assert seen.complaints == []
        assert seen.requests == [page_file.as_uri()]


@pytest.mark.parametrize("name", ["toString", "__proto__", "xx"])
def test_an_address_can_ask_for_no_language_that_is_none(
    chromium: Browser, page_file: Path, name: str
) -> None:
    with watched(chromium, at(page_file, f"lang={name}"), locale="en-GB") as seen:
        assert seen.page.locator("h1").inner_text() == "Column lineage"
        assert seen.complaints == []


def test_a_column_shows_its_path_and_nothing_beside_it(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file), viewport=WIDE, locale="en-US") as seen:
        page = seen.page
        page.get_by_role("button", name="daily_sales: 8 columns").first.click()
        page.locator(f'#stages [data-node="{NET}"] a').click()
        expect(page).to_have_url(at(page_file, NET))
        expect(page.locator("#lines path.up")).to_have_count(6)
        assert marked(page, "self") == {NET}
        carried = {
            f"{layer}.orders.{name}"
            for layer in ("raw", "backup", "warehouse")
            for name in ("amount", "status")
        }
        assert marked(page, "up") == carried
        assert marked(page, "down") == {"export.daily_sales.net_amount"}
        expect(page.locator("#lines path.down")).to_have_count(1)
        expect(page.locator("#stages article")).to_have_count(5)
        text = page.locator("#chosen").inner_text()
        assert "Amount less cancelled and returned orders, in won" in text
        assert "sum(case when orders.status in ('cancelled', 'returned')" in text
        page.go_back()
        expect(page.locator("#chosen")).to_be_hidden()
        assert page.locator("#stages article").count() > 10
        assert seen.complaints == []


def test_lines_join_the_rows_they_are_of(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file, "mart.daily_sales.order_date"), viewport=WIDE) as seen:
        ends = seen.page.eval_on_selector_all(
            "#lines path.down",
            """all => all.map(line => {
                const end = line.getPointAtLength(0), box = line.ownerSVGElement.getBoundingClientRect();
                const at = document.elementFromPoint(box.x + end.x - 3, box.y + end.y);
                return at.closest("[data-node]").dataset.node;
            })""",
        )
        assert ends == ["mart.daily_sales.order_date"]


def test_a_count_comes_from_rows(chromium: Browser, page_file: Path) -> None:
    with watched(
        chromium, at(page_file, "mart.daily_sales.order_count"), viewport=WIDE, locale="en-US"
    ) as seen:
        assert marked(seen.page, "up") == {"raw.orders", "backup.orders", "warehouse.orders"}
        assert "it counts rows of warehouse.orders" in seen.page.locator("#chosen").inner_text()


def test_personal_data_ends_before_the_marts(chromium: Browser, page_file: Path) -> None:
    with watched(
        chromium, at(page_file, "raw.customers.email"), viewport=WIDE, locale="en-US"
    ) as seen:
        ends = seen.page.locator(".stage .none").all_inner_texts()
        assert ends == ["Personal data ends before here."] * 2
        assert "no mart and no export shows it" in seen.page.locator("#chosen").inner_text()


def test_a_hidden_layer_is_passed_through(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file, NET), viewport=WIDE, locale="en-US") as seen:
        page = seen.page
        page.get_by_role("button", name="Backup", exact=True).click()
        expect(page).to_have_url(at(page_file, f"{NET}&hide=backup"))
        expect(page.locator("#stages section")).to_have_count(4)
        expect(page.locator("#lines path.up")).to_have_count(4)


def test_a_keyboard_finds_follows_and_leaves(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file), viewport=WIDE, locale="en-US") as seen:
        page = seen.page
        press = page.keyboard.press
        node = "document.activeElement.closest('[data-node]').dataset.node"
        press("/")
        page.keyboard.type("net amount daily")
        assert page.locator("#found a .name").all_inner_texts()[:1] == [NET]
        assert "found" in page.locator("#found-count").inner_text()
        press("Tab")
        press("Enter")
        expect(page).to_have_url(at(page_file, NET))
        expect(page.locator("#lines path.up")).to_have_count(6)
        page.locator(f'#stages [data-node="{NET}"] a').focus()
        press("ArrowLeft")
        assert page.evaluate(node) in ("warehouse.orders.amount", "warehouse.orders.status")
        press("ArrowLeft")
        assert page.evaluate(node).startswith("backup.orders.")
        press("Enter")
        expect(page).to_have_url(re.compile(re.escape(at(page_file, "backup.orders."))))
        expect(page.locator("#chosen")).to_contain_text("Column of backup.orders")
        assert page.evaluate(node).startswith("backup.orders."), "the keyboard stays where it was"
        press("Escape")
        expect(page).to_have_url(at(page_file))


def test_the_narrow_page_is_lists(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file, NET), viewport=NARROW, locale="en-US") as seen:
        page = seen.page
        assert page.locator("#graph").is_hidden()
        trees = page.locator("#chosen > .tree")
        assert trees.nth(0).locator("a").all_inner_texts() == [
            f"{layer}.orders.{name}"
            for name in ("amount", "status")
            for layer in ("warehouse", "backup", "raw")
        ]
        trees.nth(1).locator("a").first.click()
        expect(page).to_have_url(at(page_file, "export.daily_sales.net_amount"))


def test_language_and_colours_stay_in_the_address(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file, NET), viewport=WIDE, locale="en-US") as seen:
        page = seen.page
        page.get_by_role("button", name="한국어").click()
        expect(page.locator("html")).to_have_attribute("lang", "ko")
        expect(page).to_have_title("컬럼 계보")
        page.get_by_role("button", name="어둡게").click()
        expect(page).to_have_url(at(page_file, f"{NET}&lang=ko&scheme=dark"))
        page.reload()
        assert page.locator("#chosen h3").all_inner_texts() == ["어디에서 오나", "어디에 쓰이나"]
        assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 22, 26)"


def test_what_is_not_there_is_said(chromium: Browser, page_file: Path) -> None:
    with watched(chromium, at(page_file, "mart.nothing"), locale="en-US") as seen:
        assert seen.page.locator("#told").inner_text() == "There is no mart.nothing here."
        assert seen.complaints == []


def test_the_dashboard_and_this_page_lead_to_one_another(
    chromium: Browser, page_file: Path
) -> None:
    text = {"made_at": "2026-11-21T21:31:00Z", "exports": {}, "layers": [], "freshness": []}
    text |= {"checks": {"passed": 0, "failed": []}, "lineage": True}
    page_file.with_name("index.html").write_text(render(text, ""), "utf-8")
    with watched(chromium, at(page_file, f"{NET}&lang=ko&scheme=dark"), viewport=WIDE) as seen:
        seen.page.locator("#dashboard").click()
        back = seen.page.get_by_role("link", name="각 컬럼이 어디에서 왔는지 보기")
        back.click()
        expect(seen.page).to_have_url(at(page_file, "lang=ko&scheme=dark"))
        expect(seen.page).to_have_title("컬럼 계보")
        assert seen.complaints == []


def test_a_page_without_a_dashboard_beside_it_links_to_none(
    chromium: Browser, tmp_path: Path
) -> None:
    path = tmp_path / "lineage.html"
    path.write_text(lineage_page(read_catalogue(OWN_SQL)), "utf-8")
    with watched(chromium, path) as seen:
        assert seen.page.locator("#dashboard").is_hidden()
