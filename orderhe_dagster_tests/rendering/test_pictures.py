"""Pictures of marts: what is drawn of which rows, how large, and on which materialization."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any
from xml.etree import ElementTree

import dagster as dg
import pytest

from orderhe_dagster.catalog.table import Column, ColumnType, Plot, Table, TableRef
from orderhe_dagster.rendering.pictures import (
    LARGEST,
    MOST_BARS,
    MOST_POINTS,
    PictureError,
    picture,
    points_sql,
)
from orderhe_dagster.settings import home
from orderhe_dagster_tests.shops import SALES, TestShop, sales_shop

TABLE = Table(
    ref=TableRef("mart", "days"),
    path="mart/days.sql",
    sql="",
    code_version="",
    description="",
    columns=(
        Column("day", ColumnType("date")),
        Column("moment", ColumnType("timestamp")),
        Column("kind", ColumnType("varchar", length=20)),
        Column("amount", ColumnType("bigint")),
    ),
)
LINE, BARS = Plot("day", "amount"), Plot("kind", "amount")
AREAS = Plot("day", "amount", "kind")
DAY = date(2026, 1, 1)


def drawn(text: str) -> tuple[str, ElementTree.Element]:
    """What the Markdown tells and the image it holds."""
    match = re.fullmatch(r"!\[(.*)\]\(data:image/svg\+xml;base64,([\w+/=]+)\)", text)
    assert match
    return match[1], ElementTree.fromstring(base64.b64decode(match[2]))


def texts(image: ElementTree.Element) -> set[str]:
    return {element.text or "" for element in image.iter("{http://www.w3.org/2000/svg}text")}


def latest(days: int, kinds: int = 1) -> list[tuple[Any, ...]]:
    """Rows as the warehouse gives them: the latest day first."""
    return [
        (DAY - timedelta(days=day), Decimal(10**7 * day % 7919 * 1000 + kind), f"kind {kind:02}")
        for day in range(days)
        for kind in range(kinds)
    ]


def test_a_line_tells_what_it_shows() -> None:
    told, image = drawn(picture(TABLE, LINE, latest(365)))
    assert told == "amount by day, 2025-01-02 to 2026-01-01"
    lines = [path.get("d", "").count("L") for path in image.iter() if path.get("d")]
    assert max(lines) == 364
    assert "amount" in texts(image)
    assert texts(image) & {"7M", "8M"}


def test_a_day_is_the_day_it_is_wherever_it_is_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Los_Angeles")
    _, image = drawn(picture(TABLE, LINE, [(date(2026, 3, 2), 1, ""), (date(2026, 3, 1), 2, "")]))
    assert "March" in texts(image)
    assert not texts(image) & {"February", "Sat 28"}
    told, _ = drawn(picture(TABLE, Plot("moment", "amount"), [(datetime(2026, 3, 2, 23, 59), 1)]))
    assert told == "amount by moment, 2026-03-02T23:59:00 to 2026-03-02T23:59:00"


def test_bars_are_the_highest() -> None:
    rows = [(f"kind {number:02}", 1000 - number) for number in range(MOST_POINTS)]
    _, image = drawn(picture(TABLE, BARS, rows))
    assert {text for text in texts(image) if "kind" in text} == {
        f"kind {number:02}" for number in range(MOST_BARS)
    }


def test_kinds_beyond_the_largest_are_added_up() -> None:
    told, image = drawn(picture(TABLE, AREAS, latest(20, kinds=12)))
    assert told == "amount by day and kind, 2025-12-13 to 2026-01-01"
    assert {text for text in texts(image) if text.startswith(("kind ", "others"))} == {
        *(f"kind {number:02}" for number in range(5, 12)),
        "others",
    }


def test_a_day_of_which_points_may_be_missing_is_left_out() -> None:
    rows = latest(60, kinds=7)[: MOST_POINTS + 1]
    told, _ = drawn(picture(TABLE, AREAS, rows))
    first = DAY - timedelta(days=MOST_POINTS // 7 - 1)
    assert told == f"amount by day and kind, {first} to 2026-01-01"


@pytest.mark.parametrize(
    ("plot", "rows"),
    [
        (LINE, latest(MOST_POINTS)),
        (AREAS, latest(50, kinds=8)),
        (AREAS, latest(10, kinds=40)),
        (BARS, [("x" * 60 + str(n), Decimal("123456789.12345") * n) for n in range(MOST_POINTS)]),
    ],
)
def test_the_fullest_picture_is_small(plot: Plot, rows: Sequence[Sequence[Any]]) -> None:
    assert len(picture(TABLE, plot, rows)) < LARGEST


def test_no_text_leaves_the_image_or_the_markdown() -> None:
    names = "a](http://x) **b** <script>"
    table = replace(TABLE, columns=(Column(names, ColumnType("date")), *TABLE.columns))
    text = picture(table, Plot(names, "amount"), [(DAY, 1)])
    assert text.startswith(r"![amount by a\](http://x) \*\*b\*\* \<script\>, 2026-01-01")
    _, image = drawn(picture(TABLE, BARS, [("</text><script>", 1), (None, 2)]))
    assert "</text><script>" in texts(image)


def test_nothing_is_no_picture() -> None:
    with pytest.raises(PictureError, match="no rows"):
        picture(TABLE, LINE, [])


def test_bars_of_which_parts_may_be_missing_are_not_drawn() -> None:
    """401 pairs are read, the highest: added up, each bar would lack its small kinds."""
    table = replace(TABLE, columns=(*TABLE.columns, Column("shelf", ColumnType("varchar"))))
    rows = [(f"kind {number % 5}", 1000 - number, f"{number}") for number in range(MOST_POINTS + 1)]
    pairs = Plot("kind", "amount", "shelf")
    with pytest.raises(PictureError, match="more than 400 pairs of kind and shelf"):
        picture(table, pairs, rows)
    drawn(picture(table, pairs, rows[:MOST_POINTS]))
    with pytest.raises(PictureError, match="one day has more than 400 of kind"):
        picture(TABLE, AREAS, [(DAY, 1, f"{number}") for number in range(MOST_POINTS + 1)])


# ---- on a run

TAKINGS = SALES["mart/takings.sql"].replace(
    "-- @grain sold_on", "-- @grain sold_on\n-- @plot sold_on, price_total"
)
TOTALS = SALES["mart/buyer_totals.sql"].replace(
    "-- @grain buyer_code", "-- @grain buyer_code\n-- @plot buyer_code, price_total"
)


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    made = sales_shop(tmp_path_factory.mktemp("pictures"))
    made.write({"mart/takings.sql": TAKINGS, "mart/buyer_totals.sql": TOTALS})
    assert made.run("*", "2026-01-01", "2026-01-04").succeeded
    return made


@pytest.fixture
def history(shop: TestShop) -> Iterator[dg.DagsterInstance]:
    folder = home.use_home(shop.settings).dagster
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


def pictures(history: dg.DagsterInstance, mart: str) -> dict[str | None, str]:
    """The picture of each materialization that has one, by day."""
    key = dg.AssetKey(["mart", mart])
    records = history.fetch_materializations(key, limit=100).records
    found = [record.asset_materialization for record in records]
    assert all(found)
    return {
        each.partition: str(each.metadata["plot"].value)
        for each in found
        if each and "plot" in each.metadata
    }


def test_a_range_of_days_keeps_one_picture(history: dg.DagsterInstance) -> None:
    records = history.fetch_materializations(dg.AssetKey(["mart", "takings"]), limit=100).records
    assert len(records) == 4
    (found,) = pictures(history, "takings").items()
    assert found[0] == "2026-01-04"
    assert drawn(found[1])[0] == r"price\_total by sold\_on, 2026-01-01 to 2026-01-04"


def test_a_mart_without_days_keeps_its_picture(history: dg.DagsterInstance) -> None:
    ((day, text),) = pictures(history, "buyer_totals").items()
    assert day is None
    assert {"ann", "밥"} <= texts(drawn(text)[1])


def test_the_points_are_the_marts_rows(shop: TestShop) -> None:
    (takings,) = (table for table in shop.catalogue.layer("mart") if table.name == "takings")
    assert takings.plot
    assert shop.rows(points_sql(takings, takings.plot)) == shop.rows(
        "select sold_on, price_total from mart.takings order by sold_on desc"
    )


class PanicException(BaseException):
    """As Rust's faults come to Python: no Exception."""


@pytest.mark.parametrize(
    ("fault", "told"),
    [
        (ValueError("no font"), "no font"),
        (PanicException("oh"), "the picture's engine broke down: oh"),
    ],
)
def test_a_mart_is_built_though_its_picture_fails(
    shop: TestShop,
    history: dg.DagsterInstance,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fault: BaseException,
    told: str,
) -> None:
    def broken(spec: object) -> str:
        raise fault

    monkeypatch.setattr("vl_convert.vegalite_to_svg", broken)
    before = len(history.get_run_records())
    shop.hold_older("mart.takings", "2026-01-04")
    assert shop.run("mart/takings", "2026-01-01", "2026-01-04").succeeded
    assert len(history.get_run_records()) == before + 1
    assert f"mart/takings: its picture failed: {told}" in caplog.text
    assert len(pictures(history, "takings")) == 1, "the one of the run before"
