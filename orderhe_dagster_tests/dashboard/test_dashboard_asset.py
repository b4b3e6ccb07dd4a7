"""The dashboard as an asset: figures are the marts', no person reaches it, a failure keeps the old page."""

from __future__ import annotations

import json
import os
import re
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dagster as dg
import pytest

from orderhe_dagster.dashboard.figures import figures
from orderhe_dagster.dashboard.page import render, vega_bundle
from orderhe_dagster.dashboard.panels import PANELS
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.proof.check_results import AGREES, CheckResult, check_results, record
from orderhe_dagster.settings import home
from orderhe_dagster_tests.servers.chromium import watched
from orderhe_dagster_tests.shops import TestShop

if TYPE_CHECKING:
    from playwright.sync_api import Browser

FIRST, LAST = date(2026, 1, 28), date(2026, 2, 3)
SHOWN_ROWS = {"product_sales": 50, "product_pairs": 50, "price_history": 50}
KEY = dg.AssetKey(["export", "dashboard"])

TAKINGS = {
    "mart/daily_sales.sql": """
-- What came in, by day.
-- @grain order_date
select
    sales.sold_on::date as order_date, -- The day
    count(*)::bigint as order_count, -- How many sales
    sum(sales.price)::decimal(38, 3) as net_amount -- Their prices
from warehouse.sales
group by sales.sold_on;
""",
    "export/daily_sales.sql": """
-- For the owner's dashboard.
select
    daily_sales.order_date::date as order_date, -- The day
    daily_sales.order_count::bigint as order_count, -- Sales
    daily_sales.net_amount::decimal(38, 3) as net_amount -- Prices
from mart.daily_sales
order by daily_sales.order_date;
""",
}
"""What the shop of `SALES` needs for a dashboard of one panel."""


def page_of(shop: TestShop) -> Path:
    return home.home_of(shop.settings).dashboard / "index.html"


def payload_of(shop: TestShop) -> dict[str, Any]:
    text = page_of(shop).read_text("utf-8")
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text)
    payload: dict[str, Any] = json.loads(data)
    return payload


def in_json(value: Any) -> Any:
    """A value of the warehouse as the payload has it."""
    if isinstance(value, Decimal):
        return float(value)
    return value.isoformat() if isinstance(value, date) else value


def keep(shop: TestShop, *results: CheckResult) -> None:
    """Put results among those that the warehouse keeps; the others stay."""
    with shop.warehouse.session("results of checks") as session:
        claims = {result.claim for result in (*check_results(session), *results)}
        record(session, results[0].table_name, results, claims)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The project's own shop, a week of it through every layer."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")  # what the run sets is undone
        folder = tmp_path_factory.mktemp("lived")
        shop = TestShop(folder, {"ORDERHE_START_DATE": FIRST.isoformat()})
        shop.create()
        outcome = shop.run("*", FIRST.isoformat(), LAST.isoformat())
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks
    return shop


def test_the_page_tells_what_the_marts_hold(lived: TestShop) -> None:
    exports = payload_of(lived)["exports"]
    assert set(exports) == set(PANELS)
    for name, columns in exports.items():
        asked = ", ".join(columns)
        rows = [tuple(map(in_json, row)) for row in lived.rows(f"select {asked} from mart.{name}")]
        shown = list(zip(*columns.values(), strict=True))
        assert shown or name == "product_pairs"  # a week may have none
        if name in SHOWN_ROWS:
            assert len(shown) <= SHOWN_ROWS[name]
            assert set(shown) <= set(rows), name
        else:
            assert sorted(map(str, shown)) == sorted(map(str, rows)), name


def test_the_figures_are_those_of_the_marts(lived: TestShop) -> None:
    payload = payload_of(lived)
    assert (payload["first_day"], payload["last_day"]) == (FIRST.isoformat(), LAST.isoformat())
    shown = figures(payload["exports"], payload["first_day"], payload["last_day"])
    counted = (
        "count(*), sum(case when status in ('cancelled', 'returned') then 0 else amount end),"
        " sum(case when status in ('cancelled', 'returned') then 0 else 1 end),"
        " sum(case when status = 'returned' then 1 else 0 end),"
        " sum(case when status in ('delivered', 'returned') then 1 else 0 end)"
    )
    ((orders, revenue, kept, returned, arrived),) = lived.rows(
        f"select {counted} from warehouse.orders"
    )
    assert (shown.orders, shown.revenue) == (orders, revenue)
    assert shown.average_order == float(revenue) / kept
    assert shown.return_rate == (returned / arrived if arrived else None)
    ((buyers,),) = lived.rows(
        "select count(*) from (select customer_id, min(order_date) as first_on from warehouse.orders"
        " where status not in ('cancelled', 'returned') group by customer_id) as firsts"
        " inner join warehouse.orders on orders.customer_id = firsts.customer_id"
        " and orders.order_date = firsts.first_on and status not in ('cancelled', 'returned')"
    )
    assert shown.repeat_rate == (kept - buyers) / kept


def test_no_person_reaches_the_page(lived: TestShop) -> None:
    text = page_of(lived).read_text("utf-8")
    personal = [
        (table.name, column.name)
        for table in lived.catalogue.layer("raw")
        for column in table.columns
        if column.pii
    ]
    assert len(personal) > 3
    for table, column in personal:
        values = lived.rows(f"select distinct {column} from warehouse.{table} limit 300")
        shown = [value for (value,) in values if value and f'"{value}"' in text]
        assert shown == [], f"{table}.{column}"
    payload = json.dumps(payload_of(lived))
    assert "customer_id" not in payload
    assert "order_id" not in payload


def test_the_page_says_how_fresh_the_tables_are(lived: TestShop) -> None:
    payload = payload_of(lived)
    assert (payload["currency"], payload["time_zone"]) == ("KRW", "Asia/Seoul")
    drawn_at = datetime.fromisoformat(payload["made_at"].replace("Z", "+00:00"))
    rows = {row["asset"]: row for row in payload["freshness"]}
    not_shown = {table.name for table in lived.catalogue.layer("export")} - set(PANELS)
    assert set(rows) == {"/".join(t.read_as.path) for t in lived.catalogue.tables} - {
        f"export/{name}" for name in not_shown
    }
    funnel = rows["export/order_funnel"]
    assert (funnel["limit_hours"], funnel["last_day"]) == (26, LAST.isoformat())
    assert payload["behind"] == []
    sales = rows["mart/daily_sales"]
    assert (sales["limit_hours"], sales["last_day"]) == (26, LAST.isoformat())
    assert rows["warehouse/customers"]["last_day"] is None
    for row in rows.values():
        built = datetime.fromisoformat(row["built_at"].replace("Z", "+00:00"))
        assert timedelta(0) <= drawn_at - built < timedelta(hours=1)


def test_the_page_says_that_the_layers_agree(lived: TestShop) -> None:
    payload = payload_of(lived)
    layers = {row["table"]: row for row in payload["layers"]}
    assert set(layers) == {table.name for table in lived.catalogue.layer("raw")}
    for name, row in layers.items():
        many = lived.rows(f"select count(*) from warehouse.{name}")[0][0]
        assert (row["agrees"], row["only_stale"]) == (True, False)
        assert [row[f"{copy}_rows"] for copy in ("source", "backup", "warehouse")] == [many] * 3
        assert row["segments"] == (7 if name == "orders" else 1)
        assert (row["never_proven"], row["outside_rows"]) == (0, 0)
        assert row["oldest_proof"] <= row["proved_at"]
        assert row["proved_at"] < payload["made_at"]
    assert payload["checks"]["failed"] == []
    assert payload["checks"]["passed"] > 20
    assert payload["lineage"] is True


def test_the_page_names_the_exports_that_are_older_than_their_marts(lived: TestShop) -> None:
    csv = home.home_of(lived.settings).exports / "order_funnel.csv"
    at = csv.stat().st_mtime
    os.utime(csv, (at - 7200, at - 7200))  # the mart was built again, and not exported
    lived.change("update products set brand = 'Other', updated_at = updated_at + interval 1 second")
    try:
        assert lived.run("backup/products,warehouse/products").succeeded
        assert lived.run("export/dashboard").succeeded
        payload = payload_of(lived)
    finally:
        assert lived.run("mart/*,export/*", LAST.isoformat()).succeeded
    of_products = ["product_sales"]  # it reads the brand
    assert sorted(payload["behind"]) == sorted(
        f"export/{n}" for n in ("order_funnel", *of_products)
    )
    assert payload_of(lived)["behind"] == []


def test_a_proof_of_nothing_has_shown_nothing(lived: TestShop) -> None:
    proof = CheckResult(
        table_name="warehouse.orders",
        claim=AGREES,
        passed=True,
        wrong_rows=0,
        checked_at=datetime.now(timezone.utc),
        run_id="x",
        days=0,
    )
    keep(lived, proof)
    try:
        assert lived.run("export/dashboard").succeeded
        (layer,) = (one for one in payload_of(lived)["layers"] if one["table"] == "orders")
    finally:
        keep(
            lived,
            replace(proof, days=7, segments_held=7, never_proven=0, oldest_proof=proof.checked_at),
        )
    assert (layer["agrees"], layer["oldest_proof"]) == (None, None), "nothing was compared"


def test_the_page_warns_of_failed_checks(lived: TestShop) -> None:
    at = datetime(2026, 2, 4, 1, 2, 3, tzinfo=timezone.utc)
    name, claim = "mart.customer_value", "grain_is_unique"
    result = CheckResult(
        table_name=name, claim=claim, passed=False, wrong_rows=3, checked_at=at, run_id="x"
    )
    forgotten = replace(result, claim="no_longer_in_the_files")
    keep(lived, result, forgotten)
    try:
        assert lived.run("export/dashboard").succeeded
        (payload,) = payload_of(lived)["checks"]["failed"]
    finally:
        keep(lived, replace(result, passed=True, wrong_rows=0))
    assert payload == {
        "table": name,
        "claim": claim,
        "wrong_rows": 3,
        "only_stale": False,
        "checked_at": "2026-02-04T01:02:03Z",
    }


def test_dagster_shows_where_the_page_is_and_its_figures(lived: TestShop) -> None:
    folder = home.use_home(lived.settings).dagster
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        event = instance.get_latest_materialization_event(KEY)
    assert event is not None
    assert event.asset_materialization is not None
    metadata = {name: value.value for name, value in event.asset_materialization.metadata.items()}
    path = page_of(lived)
    assert metadata["dagster/uri"] == path.as_uri()
    assert metadata["days"] == f"{FIRST}...{LAST}"
    head, _, week, whole = metadata["preview"].splitlines()
    assert head == "| range | revenue | orders | average order | repeat rate | return rate |"
    revenue = lived.rows("select sum(net_amount) from mart.daily_sales")[0][0]
    assert week.startswith(f"| last 7 days | {revenue:,} |")
    assert whole.startswith(f"| all days | {revenue:,} |")


def test_the_page_stays_when_drawing_it_fails(lived: TestShop) -> None:
    before = page_of(lived).read_bytes()
    csv = home.home_of(lived.settings).exports / "daily_sales.csv"
    good = csv.read_bytes()
    try:
        csv.write_bytes(good.replace(b"net_amount", b"net", 1))
        outcome = lived.run("export/dashboard")
    finally:
        csv.write_bytes(good)
    assert not outcome.succeeded
    payload = (
        f"export/dashboard: {csv} has no column net_amount: materialize export/daily_sales again"
    )
    assert outcome.failures == [payload]
    assert page_of(lived).read_bytes() == before
    assert {path.name for path in page_of(lived).parent.iterdir()} == {"index.html", "lineage.html"}
    again = lived.run("export/dashboard")
    assert again.succeeded, again.lines()
    assert page_of(lived).read_bytes() != before


def test_the_page_stays_when_an_export_fails(lived: TestShop) -> None:
    before = page_of(lived).read_bytes()
    at = datetime.now(timezone.utc)
    result = CheckResult(
        table_name="mart.daily_sales",
        claim="grain_is_unique",
        passed=False,
        wrong_rows=1,
        checked_at=at,
        run_id="x",
    )
    keep(lived, result)
    try:
        outcome = lived.run("export/daily_sales,export/dashboard")
    finally:
        keep(lived, replace(result, passed=True, wrong_rows=0))
    assert not outcome.succeeded
    assert len(outcome.failures) == 1, "the dashboard was not tried"
    assert page_of(lived).read_bytes() == before


# ---- other shops


def test_a_shop_without_such_exports_has_no_dashboard(sales_shop: TestShop) -> None:
    keys = build_definitions(sales_shop.settings).resolve_asset_graph().get_all_asset_keys()
    assert KEY not in keys


def test_a_shop_with_one_such_export_has_a_page_of_it(sales_shop: TestShop) -> None:
    sales_shop.environ |= {"ORDERHE_CURRENCY": "EUR", "ORDERHE_TIME_ZONE": "Europe/Paris"}
    sales_shop.write(TAKINGS)
    assert sales_shop.run("*", "2026-01-01", "2026-01-04").succeeded
    payload = payload_of(sales_shop)
    assert (payload["currency"], payload["time_zone"]) == ("EUR", "Europe/Paris")
    assert payload["exports"] == {
        "daily_sales": {
            "order_date": ["2026-01-01", "2026-01-02", "2026-01-04"],
            "order_count": [2, 1, 1],
            "net_amount": [10.625, 7.0, 99999999.999],
        }
    }


def test_drawing_without_an_export_names_the_next_action(sales_shop: TestShop) -> None:
    sales_shop.write(TAKINGS)
    outcome = sales_shop.run("export/dashboard")
    assert not outcome.succeeded
    (failure,) = outcome.failures
    assert "materialize export/daily_sales" in failure
    assert not page_of(sales_shop).exists()


# ---- last, since Playwright's event loop stays: no run can be started beside it


def test_the_browser_computes_the_same_figures_and_asks_no_network(
    lived: TestShop, chromium: Browser
) -> None:
    payload = payload_of(lived)
    with watched(chromium, page_of(lived)) as seen:
        seen.page.wait_for_function("window.orderhe")
        for days in (0, 3, 6):
            first, last = (FIRST + timedelta(days=days)).isoformat(), LAST.isoformat()
            shown = seen.page.evaluate(f"orderhe.figures('{first}', '{last}')")
            assert shown == vars(figures(payload["exports"], first, last))
        seen.page.wait_for_selector("svg")
    assert seen.requests == [page_of(lived).as_uri()]
    assert seen.complaints == []


def test_a_text_that_looks_like_markup_stays_a_text(
    lived: TestShop, chromium: Browser, tmp_path: Path
) -> None:
    hostile = "</script><img src=x onerror=alert(1)><!-- & {{vega}}"
    payload = payload_of(lived)
    categories = payload["exports"]["category_sales"]
    categories["category"] = [hostile + name for name in categories["category"]]
    path = tmp_path / "index.html"
    bundle = vega_bundle(home.home_of(lived.settings).cache)
    path.write_text(render(payload, bundle), "utf-8")
    with watched(chromium, path) as seen:
        seen.page.wait_for_function("window.orderhe")
        seen.page.evaluate("orderhe.drawn()")
        assert hostile in seen.page.locator("#panels").text_content()
        assert seen.page.locator("img[src=x]").count() == 0
    assert seen.requests == [path.as_uri()]
    assert seen.complaints == []
