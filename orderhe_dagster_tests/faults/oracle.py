"""What must be true of the sales shop, whatever happened to it: the same questions for every fault."""

from __future__ import annotations

import csv
import json
from datetime import date
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.proof.agreement import prove
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.shops import TestShop

FIRST, LAST = "2026-01-01", "2026-01-05"
WINDOW = Window.of(date.fromisoformat(FIRST), date.fromisoformat(LAST))
STATE = "select sold_on, count(*), sum(price) from {} group by sold_on order by sold_on"

CHANGES = (
    (  # a value, a row gone, a row on a day without any, a row that moves to another day
        (
            "update sales set price = 11.5, changed_at = timestamp '2026-01-06 00:00:00'"
            " where shop_no = 1 and sale_no = 1"
        ),
        "delete from sales where shop_no = 2 and sale_no = 1",
        (
            "insert into sales values"
            " (9, 9, null, date '2026-01-03', 1, 'open', timestamp '2026-01-06 00:00:01')"
        ),
        (
            "update sales set sold_on = date '2026-01-05', changed_at = timestamp '2026-01-06 00:00:02'"
            " where shop_no = 1 and sale_no = 2"
        ),
        "insert into buyers values ('cho', null, timestamp '2026-01-06 00:00:00')",
    ),
    (
        (
            "update sales set price = price + 1, changed_at = timestamp '2026-01-07 00:00:00'"
            " where shop_no = 1"
        ),
        (
            "insert into sales values"
            " (9, 10, 'ann', date '2026-01-01', 2, 'open', timestamp '2026-01-07 00:00:01')"
        ),
        "delete from sales where sale_no = 9",
        (
            "update sales set sold_on = date '2026-01-02', changed_at = timestamp '2026-01-07 00:00:02'"
            " where shop_no = 1 and sale_no = 2"
        ),
    ),
)
"""What the shop's own application does between runs: statements of the source."""


def source_rows(shop: TestShop, sql: str) -> list[tuple[str, ...]]:
    """Rows of the source, as text."""
    with shop.source.writing() as transaction:
        problems = transaction.fetch(sql)
    return texts(zip(*(column.to_pylist() for column in problems.columns), strict=True))


def texts(rows: Any) -> list[tuple[str, ...]]:
    return [tuple(str(value) for value in row) for row in rows]


def state_of_source(shop: TestShop) -> list[tuple[str, ...]]:
    """What a reader of the warehouse may see once the source has been carried over."""
    return source_rows(shop, STATE.format("sales"))


def seen(shop: TestShop, table: str) -> list[tuple[str, ...]]:
    """What a reader of the warehouse sees now; nothing where there is no table yet."""
    from orderhe_dagster.ports.errors import StatementError

    sql = (
        STATE.format("warehouse.sales")
        if table == "warehouse.sales"
        else "select sold_on, sale_count, price_total from mart.takings order by sold_on"
    )
    settings = shop.settings
    if settings.warehouse == "embedded" and not (settings.home / "warehouse.duckdb").exists():
        return []
    try:
        return texts(shop.rows(sql))
    except StatementError as error:
        if error.code in ("42P01", "3F000"):
            return []
        raise


def wrong(shop: TestShop, whole: bool, window: Window = WINDOW) -> list[str]:
    """What is not as it must be after a run of `window` that succeeded; `whole`: every asset was run."""
    problems: list[str] = []
    source, store, warehouse = shop.source, shop.store, shop.warehouse
    for table in shop.catalogue.layer("raw"):
        if table.partition or whole:
            step = Step(table, window if table.partition else None, "", window)
            agreed = prove(step, step.segments, source, store, warehouse)
            problems += [f"{table.name} {difference}" for difference in agreed.differences]
    expected = state_of_source(shop)
    for name in ("warehouse.sales", "mart.takings"):
        if seen(shop, name) != expected:
            problems.append(f"{name} is {seen(shop, name)}, the source {expected}")
    if whole:
        totals = "select buyer_code, sum(price) from {} where buyer_code is not null group by 1"
        there = texts(shop.rows("select * from mart.buyer_totals"))
        if sorted(there) != sorted(source_rows(shop, totals.format("sales"))):
            problems.append("mart.buyer_totals differs from the source")
        with (shop.settings.home / "exports/takings.csv").open(encoding="utf-8") as file:
            exported = [tuple(row) for row in csv.reader(file)][1:]
        if exported != [(day, total) for day, _, total in expected]:
            problems.append(f"the export has {exported}")
        schema = json.loads((shop.settings.home / "exports/takings.schema.json").read_text("utf-8"))
        if [field["name"] for field in schema["fields"]] != ["sold_on", "price_total"]:
            problems.append(f"the export's schema is {schema}")
    return problems + left_lying(shop.settings.home) + unfinished(shop)


def left_lying(home: Path) -> list[str]:
    """Files that no living process needs. Locks and their one file aside are few, and stay."""
    problems = list((home / "scratch").glob("*/*"))
    problems += [path for path in home.rglob("*.tmp") if ".locks" not in path.parts]
    problems += [
        path
        for path in (home / "exports").iterdir()
        if path.suffix != ".csv" and not path.name.endswith((".schema.json", "datapackage.json"))
    ]
    return [f"left lying: {path.relative_to(home)}" for path in problems]


def unfinished(shop: TestShop) -> list[str]:
    """Runs that the history shows as if they still ran."""
    import dagster as dg

    from orderhe_dagster.settings.home import use_home

    with dg.DagsterInstance.from_config(str(use_home(shop.settings).dagster)) as instance:
        return [f"run is {run.status.value}" for run in instance.get_runs() if not run.is_finished]


def generations(home: Path) -> dict[str, bytes]:
    """The immutable records of the folder store."""
    return {
        path.relative_to(home).as_posix(): path.read_bytes()
        for path in home.glob("s3/*/backup/*/*/generations/*.json")
    }


def generations_of(shop: TestShop) -> dict[str, str]:
    """The immutable records of any store, and when each was written."""
    return {
        listed.key: f"{listed.modified_at} {listed.size}"
        for listed in shop.store.inventory("backup/")
        if "/generations/" in listed.key
    }
