"""What a run mends by itself, and where it stops and asks: each command that it prints is pasted."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Callable

import pytest

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.commands.run import Outcome
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.road import index
from orderhe_dagster_tests.shops import TestShop

ROWS = "select count(*) from warehouse.sales"
STATE = "select * from warehouse.sales order by shop_no, sale_no"


def add_sales(shop: TestShop, day: str, rows: int) -> None:
    values = ", ".join(
        f"(7, {day.replace('-', '')}{number:03d}, null, date '{day}', 5, 'paid', timestamp '{day} 12:00:00')"
        for number in range(rows)
    )
    shop.change(f"insert into sales values {values}")


@pytest.fixture
def busy_shop(ran_shop: TestShop) -> TestShop:
    """The shop of `SALES` with forty days of thirty rows besides, all of its past known and proven."""
    for month, days in ((2, 28), (3, 12)):
        for day in range(1, days + 1):
            add_sales(ran_shop, f"2026-{month:02d}-{day:02d}", 30)
    outcome = ran_shop.run("*")
    assert outcome.succeeded, outcome.lines()
    return ran_shop


def stopped(shop: TestShop, reason: str) -> Outcome:
    """A daily run that stops for a reason, and changes nothing."""
    before = shop.rows(STATE)
    outcome = shop.run("*")
    assert not outcome.succeeded
    assert f"--accept {reason}" in outcome.failures[0]
    assert "Nothing was changed" in outcome.failures[0]
    assert shop.rows(STATE) == before
    return outcome


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (
            "delete from sales where sold_on = date '2026-02-10'",
            "table sales has|sales 2026-02-10 has 0",
        ),
        (
            "delete from sales where sold_on >= date '2026-02-02' and shop_no = 7",
            "table sales has 34 rows",
        ),
    ],
)
def test_lost_rows_are_followed_only_when_a_person_says_so(
    busy_shop: TestShop, change: str, text: str
) -> None:
    busy_shop.change(change)
    outcome = stopped(busy_shop, "fewer_rows")
    assert any(part in outcome.failures[0] for part in text.split("|"))
    printed = busy_shop.paste(outcome.failures[0])
    assert "with most rows gone from the source" in printed, "what was accepted leaves a trace"
    assert busy_shop.rows("select count(*) from warehouse._findings where kind = 'fewer'") != [(0,)]
    with busy_shop.source.writing() as transaction:
        left = transaction.fetch("select count(*) as n from sales").to_pylist()[0]["n"]
    assert busy_shop.rows(ROWS) == [(left,)]
    assert busy_shop.run("*").succeeded


def test_few_lost_rows_are_followed_as_they_are(busy_shop: TestShop) -> None:
    busy_shop.change("delete from sales where sold_on = date '2026-02-10' and sale_no % 2 = 0")
    outcome = busy_shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks, "their number tells of it"


def lose_bucket(shop: TestShop) -> None:
    shutil.rmtree(shop.home / "s3" / "orderhe")


def lose_index(shop: TestShop) -> None:
    """With all that it could be made anew of: of what was loaded, nobody knows the objects."""
    listed = [key for key, _ in shop.store.listing("backup/sales/")]
    shop.store.delete([key for key in listed if key.endswith(".json") and "manifest" not in key])
    index.forget()


@pytest.mark.parametrize("lose", [lose_bucket, lose_index])
def test_a_lost_bucket_is_filled_again_from_the_source_when_a_person_says_so(
    busy_shop: TestShop, lose: Callable[[TestShop], None]
) -> None:
    before = busy_shop.rows(STATE)
    lose(busy_shop)
    outcome = stopped(busy_shop, "lost_backups")
    assert "Is it another bucket, prefix or ORDERHE_HOME than before?" in outcome.failures[0]
    assert "the warehouse has loaded 1,204 rows" in outcome.failures[0]
    busy_shop.paste(outcome.failures[0])
    assert busy_shop.rows(STATE) == before
    again = busy_shop.run("*")
    assert again.succeeded, again.lines()
    assert not again.warned_checks
    record = busy_shop.record("sales", "2026-02-10")
    assert record.generation == 2, "the numbers go on: the warehouse takes no older one for newer"
    assert busy_shop.store.sizes([part.key for part in record.parts]) != [None]


def parts(shop: TestShop) -> list[str]:
    records = index.read(shop.store, "sales").records
    return [part.key for record in records.values() for part in record.parts]


def test_single_lost_parts_are_filled_again_by_the_night(busy_shop: TestShop) -> None:
    keys = parts(busy_shop)[5:9]
    busy_shop.store.delete(keys)
    outcome = busy_shop.run("*")
    assert outcome.succeeded, outcome.lines()
    (text,) = outcome.warned_checks
    assert "4 segments damaged in the backup; read again" in text
    found = busy_shop.rows("select kind, count(*) from warehouse._findings group by kind")
    assert found == [("damaged", 4)]
    assert None not in busy_shop.store.sizes(parts(busy_shop))
    assert not busy_shop.run("*").warned_checks


def test_many_lost_parts_stop_the_night(busy_shop: TestShop) -> None:
    busy_shop.store.delete(parts(busy_shop)[5:12])
    outcome = stopped(busy_shop, "lost_backups")
    assert "of 7 segments among 43 that were looked at, the first 2026-02-03" in outcome.failures[0]
    busy_shop.paste(outcome.failures[0])
    assert None not in busy_shop.store.sizes(parts(busy_shop))
    assert busy_shop.run("*").succeeded


def test_another_server_is_asked_about_once(
    busy_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedSource, "server", lambda self: "blue")
    outcome = stopped(busy_shop, "other_server")
    assert "now blue (duckdb:shop.duckdb) answers" in outcome.failures[0]
    busy_shop.change("update sales set price = 6 where sale_no = 20260210003")
    with busy_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse._loads set proven_at = getdate()")
    printed = busy_shop.paste(outcome.failures[0])
    assert "price 6.000 in the source, 5.000 in the backup" in printed, "all of it is proven anew"
    assert busy_shop.run("*").succeeded
    assert index.read(busy_shop.store, "sales").origin.server == "blue"


@pytest.mark.parametrize(
    "damage",
    [
        ("drop table warehouse.sales", "drop table mart.takings"),
        (
            "alter table warehouse.sales drop column state",
            "alter table mart.takings drop column sale_count",
        ),
    ],
)
def test_a_table_that_a_hand_dropped_or_cut_comes_back_whole(
    busy_shop: TestShop, damage: tuple[str, ...]
) -> None:
    before = busy_shop.rows(STATE), busy_shop.rows("select * from mart.takings order by 1")
    with busy_shop.warehouse.session("a hand") as session:
        for statement in damage:
            session.execute(statement)
    outcome = busy_shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert (
        busy_shop.rows(STATE),
        busy_shop.rows("select * from mart.takings order by 1"),
    ) == before
    assert any("mart/takings: nothing_differed" in text for text in outcome.warned_checks)
    assert Segment("2026-02-10") in index.read(busy_shop.store, "sales").records


def test_a_change_of_a_table_without_a_cursor_is_told_and_no_alarm(sales_shop: TestShop) -> None:
    contract = (sales_shop.folder / "sql/raw/sales.sql").read_text("utf-8")
    sales_shop.write({"raw/sales.sql": contract.replace("-- @cursor changed_at\n", "")})
    assert sales_shop.run("*").succeeded
    sales_shop.change("update sales set price = 8 where sale_no = 2")
    outcome = sales_shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks
    ((name, segment, detail),) = sales_shop.rows(
        "select table_name, segment, detail from warehouse._findings"
    )
    assert (name, segment) == ("backup.sales", "2026-01-02")
    assert "shop_no 1, sale_no 2: price 8.000 in the source, 7.000 in the backup" in detail
    assert sales_shop.rows("select price_total from mart.takings where sold_on = '2026-01-02'")[
        0
    ] == (8,)


def test_a_few_lost_parts_of_many_are_no_reason_to_stop_under_a_small_budget(
    busy_shop: TestShop,
) -> None:
    keys = parts(busy_shop)
    busy_shop.store.delete(keys[:4])
    busy_shop.environ["ORDERHE_PROOF_ROWS"] = "60"
    with busy_shop.warehouse.session("the turn of the first days") as session:
        session.execute("select 1 as one")
    outcome = busy_shop.run("*")
    assert outcome.succeeded, outcome.lines()


def test_a_table_may_be_cut_by_days_later_and_whole_again(sales_shop: TestShop) -> None:
    contract = (sales_shop.folder / "sql/raw/sales.sql").read_text("utf-8")
    mart = (sales_shop.folder / "sql/mart/takings.sql").read_text("utf-8")
    whole = {
        "raw/sales.sql": contract.replace("-- @partition sold_on\n", ""),
        "mart/takings.sql": mart.replace("-- @partition sold_on\n", ""),
    }
    for files in (whole, {"raw/sales.sql": contract, "mart/takings.sql": mart}, whole):
        sales_shop.write(files)
        assert sales_shop.run("backup/sales").succeeded
        outcome = sales_shop.run("*")
        if not outcome.succeeded:  # the warehouse's table is laid out otherwise: as the error says
            assert "drop table" in outcome.failures[0], outcome.lines()
            for command in re.findall(r"orderhe query [^;]+(?=;)", outcome.failures[0]):
                with sales_shop.warehouse.session("as the error says") as session:
                    session.execute(shlex.split(command)[2])
            outcome = sales_shop.run("*")
        assert outcome.succeeded, outcome.lines()
        assert sales_shop.rows(ROWS) == [(4,)]
        assert not sales_shop.run("*").warned_checks
