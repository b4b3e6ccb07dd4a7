"""The Dagster UI as its users use it: in a browser, over the home that `orderhe run` uses too."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

import pytest

from orderhe_dagster.rendering.masking import MASK
from orderhe_dagster.settings.project import today
from orderhe_dagster_tests.servers.chromium import program, watched
from orderhe_dagster_tests.servers.dagster_ui import dagster_ui
from orderhe_dagster_tests.shops import OWN_SQL, TestShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

DAYS = 30
SEOUL = "Asia/Seoul"
ROAD = "raw/*,backup/*,warehouse/*,mart/daily_sales,mart/customer_value"
CLAIM = "everybody_wants_newsletters"
FAILS = """
-- Nobody has turned the newsletters down.
select customer_id, email, accepts_marketing from warehouse.customers where accepts_marketing = 0;
"""
PATIENCE_MS = 90_000  # a run's process starts slowly on a busy machine


@dataclass
class UI:
    """The UI at `address`, and the shop whose home it shows."""

    address: str
    shop: TestShop
    refused: str  # a run that was

    @contextmanager
    def page(self, browser: Browser, path: str) -> Iterator[Page]:
        """A page of the UI; what it loads comes from the UI alone."""
        view = {"width": 1600, "height": 1400}
        with watched(browser, self.address + path, viewport=view) as seen:
            seen.page.set_default_timeout(PATIENCE_MS)
            yield seen.page
            elsewhere = {
                url for url in seen.requests if not url.startswith((self.address, "data:", "blob:"))
            }
            assert elsewhere == set()

    def count(self, table: str) -> int:
        return int(self.shop.rows(f"select count(*) from {table}")[0][0])


@pytest.fixture(scope="module")
def ui(tmp_path_factory: pytest.TempPathFactory) -> Iterator[UI]:
    """The demo's shop: 30 days of history, two of them run, and a check of customers that failed.

    It is asked for before `chromium`: Dagster cannot run assets beside Playwright's event loop.
    """
    program()
    folder = tmp_path_factory.mktemp("ui")
    shutil.copytree(OWN_SQL, folder / "sql")
    now = today(SEOUL)
    environ = {
        "ORDERHE_SQL": str(folder / "sql"),
        "ORDERHE_SHOP": "simulated",
        "ORDERHE_START_DATE": str(now - timedelta(days=DAYS)),
        "ORDERHE_TIME_ZONE": SEOUL,
    }
    shop = TestShop(folder, environ)
    shop.create()
    first, last = (str(now - timedelta(days=days)) for days in (2, 1))
    assert shop.run(ROAD, first, last).succeeded
    shop.write({f"checks/warehouse/customers__{CLAIM}.sql": FAILS})
    (failure,) = shop.run("warehouse/customers").failures
    assert failure.startswith(f"warehouse/customers: 1 check failed ({CLAIM}), so nothing")
    waits = shop.run("mart/customer_value")
    assert not waits.succeeded, "its rows were found wrong by another run"
    with dagster_ui(shop) as address:
        yield UI(address, shop, waits.run_id)


def test_the_graph_goes_from_the_shop_to_the_exports(ui: UI, chromium: Browser) -> None:
    with ui.page(chromium, "/asset-groups") as page:
        groups = page.locator("svg foreignObject")
        groups.nth(4).wait_for(state="attached")
        places = {
            str(groups.nth(number).text_content()): _left(groups.nth(number))
            for number in range(groups.count())
        }
    assert sorted(places, key=lambda name: places[name]) == [
        *("raw", "backup", "warehouse", "mart", "export")
    ]


def _left(locator: Any) -> float:
    box = locator.bounding_box()
    assert box is not None
    return float(box["x"])


def test_an_asset_tells_what_it_is_and_shows_its_rows(ui: UI, chromium: Browser) -> None:
    ((revenue,),) = ui.shop.rows(
        "select net_amount from mart.daily_sales order by order_date desc limit 1"
    )
    with ui.page(chromium, "/assets/mart/daily_sales") as page:
        page.get_by_text("Row count").first.wait_for()
        page.get_by_role("cell", name=str(revenue), exact=True).first.wait_for()  # the preview
        for text in (
            "What was sold on each day.",
            "Amount less cancelled and returned orders, in won",
            "Fails if more than 26 hours since last materialization",
        ):
            page.get_by_text(text).first.wait_for(state="attached")
        row = page.locator("tr").filter(has=page.get_by_text("sql", exact=True))
        row.get_by_text("[Show Markdown]").click()
        page.locator("code").filter(has_text="select * from warehouse.orders").wait_for()


def test_a_failed_check_shows_its_rows_and_no_personal_data(ui: UI, chromium: Browser) -> None:
    ((wrong,),) = ui.shop.rows(
        "select count(*) from warehouse.customers where accepts_marketing = 0"
    )
    mails = {row[0] for row in ui.shop.rows("select email from warehouse.customers")}
    path = f"/assets/warehouse/customers?view=checks&checkDetail={CLAIM}"
    with ui.page(chromium, path) as page:
        page.get_by_text(f"{wrong:,} rows break it: Nobody has turned").first.wait_for()
        page.get_by_text("[Show Markdown]").first.click()
        page.get_by_text(f"and {wrong - 20:,} more").wait_for()
        cells = page.locator("table td").all_inner_texts()
        html = page.content()
    assert cells.count(MASK) == 20
    assert not any(mail in html for mail in mails)


@pytest.mark.parametrize("job", ["daily", "answers", "prove"])
def test_a_launchpad_needs_no_typing(ui: UI, chromium: Browser, job: str) -> None:
    path = f"/locations/orderhe_dagster/jobs/{job}/playground"
    with ui.page(chromium, path) as page:
        page.get_by_text("No errors").wait_for()
        page.get_by_text("No missing config").wait_for()
        choose_a_partition(page)
        page.locator("button:enabled", has_text="Launch Run").wait_for()


def choose_a_partition(page: Page) -> None:
    """Take the first of the list. Opened before the partitions are there, it closes when they come."""
    from playwright.sync_api import TimeoutError

    first = page.locator("[role=menuitem]:not([disabled]), [role=option]").first
    for patience_ms in (10_000, 20_000, 60_000):
        page.get_by_placeholder("Partition").click()
        try:
            first.click(timeout=patience_ms)
        except TimeoutError:
            page.keyboard.press("Escape")
        else:
            return
    raise AssertionError("the list of partitions never had one")


def test_thirty_days_launched_in_the_ui_are_one_run(ui: UI, chromium: Browser) -> None:
    import dagster as dg

    from orderhe_dagster.settings.home import use_home

    daily = quote('key:"*/orders" or key:"mart/daily_sales"', safe="")
    with ui.page(chromium, f"/asset-groups~{daily}") as page:
        page.get_by_role("button").filter(has_text="Materialize all").click()
        page.get_by_role("button", name="All", exact=True).click()
        page.get_by_text(f"{DAYS} partitions").first.wait_for()
        page.get_by_role("button", name="Launch backfill").click()
        page.get_by_text("View", exact=True).click()
        page.get_by_text("100% completed").nth(3).wait_for()
    with dg.DagsterInstance.from_config(str(use_home(ui.shop.settings).dagster)) as instance:
        runs = [run for run in instance.get_runs() if "dagster/backfill" in run.tags]
    assert [run.status for run in runs] == [dg.DagsterRunStatus.SUCCESS]
    assert ui.count("mart.daily_sales") == DAYS


def test_a_click_materializes_a_mart(ui: UI, chromium: Browser) -> None:
    with ui.page(chromium, "/assets/mart/monthly_sales") as page:
        page.get_by_role("button").filter(has_text="Materialize").first.click()
        page.get_by_text("View", exact=True).click()  # of "Launched run …"
        page.get_by_text("Success", exact=True).first.wait_for()
    with ui.page(chromium, "/assets/mart/monthly_sales") as page:
        title = page.get_by_text("Row count", exact=True).first
        title.wait_for()
        shown = title.locator("xpath=..").inner_text()
    months = ui.count("mart.monthly_sales")
    assert months in (1, 2)
    assert shown.split()[-1] == str(months)


def test_a_mart_of_failed_rows_says_in_the_ui_why_it_waits(ui: UI, chromium: Browser) -> None:
    with ui.page(chromium, f"/runs/{ui.refused}") as page:
        page.get_by_text(f"warehouse/customers failed its check {CLAIM}").first.wait_for()
