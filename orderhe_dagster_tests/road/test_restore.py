"""`orderhe restore warehouse`: the backups alone make the warehouse again, or say why they do not."""

from __future__ import annotations

import random
import re
import shutil
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.cli import main
from orderhe_dagster.resources.build import close_idle
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import index, janitor, loads, restores
from orderhe_dagster.road.retention import Retention
from orderhe_dagster_tests.faults import flips
from orderhe_dagster_tests.shops import TestShop

TABLES = ("warehouse.buyers", "warehouse.sales", "mart.takings", "mart.buyer_totals")


def orderhe(shop: TestShop, *words: str, **environ: str) -> Result:
    """Run the command as a person would."""
    close_idle()
    given = {**shop.environ, "ORDERHE_HOME": str(shop.home), **environ}
    return CliRunner().invoke(main, words, env=given, catch_exceptions=False)


def restore(shop: TestShop, *words: str, code: int = 0, **environ: str) -> str:
    done = orderhe(shop, "restore", *words, **environ)
    assert done.exit_code == code, done.output
    return done.output


def contents(shop: TestShop) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the warehouse, and what its ledger says of them."""
    rows = {name: sorted(shop.rows(f"select * from {name}"), key=repr) for name in TABLES}
    ledger = "select table_name, segment, row_count, digest from warehouse._loads order by 1, 2"
    return {**rows, "ledger": shop.rows(ledger)}


def lose_warehouse(shop: TestShop) -> None:
    close_idle()
    shop.settings.home.joinpath("warehouse.duckdb").unlink()


def lose_source(shop: TestShop) -> None:
    close_idle()
    shop.settings.home.joinpath("shop.duckdb").unlink()


def test_a_lost_warehouse_is_made_again_without_the_source(ran_shop: TestShop) -> None:
    before = contents(ran_shop)
    lose_source(ran_shop)
    lose_warehouse(ran_shop)
    said = restore(ran_shop, "warehouse")
    assert "Restored and proven equal to the backups: buyers, sales." in said
    assert contents(ran_shop) == before
    never = "select count(*) from warehouse._loads where table_name = 'warehouse.sales' and proven_at is null"
    assert ran_shop.rows(never) == [(0,)], "a day that was restored is not noted as proven"
    assert not ran_shop.settings.home.joinpath("shop.duckdb").exists()


def test_a_whole_warehouse_is_measured_and_left_alone(ran_shop: TestShop) -> None:
    loaded = "select table_name, segment, version, loaded_at from warehouse._loads order by 1, 2"
    before = ran_shop.rows(loaded)
    said = restore(ran_shop, "warehouse")
    assert "as loaded, and equal to the backups" in said and "as it was built" in said
    assert ran_shop.rows(loaded) == before


def test_altered_rows_of_tables_and_marts_are_put_right(ran_shop: TestShop) -> None:
    before = contents(ran_shop)
    with ran_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse.sales set price = 1 where sale_no = 2")
        session.execute("delete from mart.takings where sold_on = '2026-01-01'")
        session.execute("update mart.buyer_totals set price_total = 0")
    said = restore(ran_shop, "warehouse")
    assert "2026-01-02: the warehouse had" in said
    assert contents(ran_shop) == before


def test_one_table_or_some_days_alone_are_restored(ran_shop: TestShop) -> None:
    lose_warehouse(ran_shop)
    said = restore(ran_shop, "warehouse", "--table", "sales", "--from", "2026-01-02")
    assert "sales: 1 row of 1 day restored" in said
    assert ran_shop.rows("select sold_on::varchar, count(*) from warehouse.sales group by 1") == [
        ("2026-01-02", 1)
    ]
    assert restore(ran_shop, "warehouse", "--table", "raw/buyers")
    assert ran_shop.rows("select count(*) from warehouse.buyers") == [(2,)]
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    assert ran_shop.rows("select count(*) from warehouse.sales") == [(4,)]


def test_an_older_state_becomes_current_and_is_restored(ran_shop: TestShop) -> None:
    moment = datetime.now(timezone.utc).isoformat()
    before = contents(ran_shop)
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06 00:00:00' where sale_no = 2",
        "insert into sales values"
        " (9, 9, 'ann', date '2026-01-03', 5, 'open', timestamp '2026-01-06 00:00:00')",
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    after = contents(ran_shop)
    assert after != before
    said = restore(ran_shop, "warehouse", "--as-of", moment)
    assert "2 of them not as they count now" in said and "older state" in said
    assert "1 day had no backup at that moment" in said  # the day that had no row then
    now = contents(ran_shop)
    assert {name: now[name] for name in TABLES} == {name: before[name] for name in TABLES}
    record = ran_shop.record("sales", "2026-01-02")
    assert record.generation == 3 and record.run_id.startswith("restore-")
    assert [part.key for part in record.parts] == [
        part.key for part in generation(ran_shop, "sales", "2026-01-02", 1).parts
    ]
    # The source is what it is: the next daily run brings what it has.
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    again = contents(ran_shop)
    assert {name: again[name] for name in TABLES} == {name: after[name] for name in TABLES}


def generation(shop: TestShop, table: str, segment: str, number: int) -> Any:
    from orderhe_dagster.road import backups

    record = backups.read_generation(shop.store, table, Segment(segment), number)
    assert record is not None
    return record


def test_a_generation_is_restored_by_its_number(ran_shop: TestShop) -> None:
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    of_day = ("--table", "sales", "--from", "2026-01-02")
    price = "select price::varchar from warehouse.sales where sold_on = '2026-01-02'"
    restore(ran_shop, "warehouse", *of_day, "--generation", "1")
    assert ran_shop.rows(price) == [("7.000",)]
    restore(ran_shop, "warehouse", *of_day, "--generation", "2")
    assert ran_shop.rows(price) == [("8.000",)]
    assert ran_shop.record("sales", "2026-01-02").generation == 4


def test_a_moment_whose_state_is_not_kept_any_more_is_refused(ran_shop: TestShop) -> None:
    """Never taken for the state before, which is still there: another month's first."""
    moments = [datetime.now(timezone.utc)]
    for price in (21, 22, 23):
        ran_shop.change(
            f"update sales set price = {price}, changed_at = changed_at + interval 1 second"
            " where sale_no = 2"
        )
        assert ran_shop.run("backup/sales,warehouse/sales", "2026-01-02").succeeded
        moments.append(datetime.now(timezone.utc))
    soon = datetime.now(timezone.utc) + timedelta(days=2)
    planned = janitor.plan(ran_shop.store, "sales", Retention(1), janitor.Keeping(), soon)
    assert planned.expired == {Segment("2026-01-02"): {2, 3}}
    janitor.sweep(ran_shop.store, planned)
    index.forget()
    before = contents(ran_shop)
    of_sales = ("warehouse", "--table", "sales", "--as-of")
    for moment in moments[1:3]:
        said = restore(ran_shop, *of_sales, moment.isoformat(), code=1)
        assert "what counted of sales 2026-01-02, at" in said and "not kept any more" in said
        assert contents(ran_shop) == before
    named = re.findall(r"--as-of (\S+) \((before|after)\)", said)
    price = "select price::varchar from warehouse.sales where sale_no = 2"
    assert {when for _, when in named} == {"before", "after"}
    for moment_named, when in named:
        restore(ran_shop, *of_sales, moment_named)
        assert ran_shop.rows(price) == [("7.000",) if when == "before" else ("23.000",)]
    of_day = ("--table", "sales", "--from", "2026-01-02", "--to", "2026-01-02")
    said = restore(ran_shop, "warehouse", *of_day, "--generation", "2", code=1)
    assert "does not have, or not any more, a generation 2 that counted" in said


def test_a_generation_that_the_janitor_takes_meanwhile_is_not_restored(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for price in (31, 32):
        ran_shop.change(
            f"update sales set price = {price}, changed_at = changed_at + interval 1 second"
            " where sale_no = 2"
        )
        assert ran_shop.run("backup/sales,warehouse/sales", "2026-01-02").succeeded
    before, version = contents(ran_shop), ran_shop.record("sales", "2026-01-02")
    soon = datetime.now(timezone.utc) + timedelta(days=2)
    whole = restores.require_sound

    def looked_at(*given: Any) -> Any:
        result = whole(*given)
        keeping = janitor.Keeping()
        janitor.sweep(
            ran_shop.store, janitor.plan(ran_shop.store, "sales", Retention(1), keeping, soon)
        )
        return result

    monkeypatch.setattr(restores, "require_sound", looked_at)
    of_day = ("--table", "sales", "--from", "2026-01-02", "--to", "2026-01-02")
    said = restore(ran_shop, "warehouse", *of_day, "--generation", "2", code=1)
    assert "sales 2026-01-02: generation 2 had its time, and the janitor took it" in said
    assert contents(ran_shop) == before
    record = ran_shop.record("sales", "2026-01-02")
    assert record.measure == version.measure and record.parts == version.parts
    assert ran_shop.run("*", "2026-01-01", "2026-01-05", prove_all=True).succeeded


def test_a_copy_of_the_store_restores_another_warehouse(ran_shop: TestShop) -> None:
    before = contents(ran_shop)
    store = ran_shop.store
    assert isinstance(store, FolderStore)
    bucket = Path(store.root) / store.bucket
    other = ran_shop.folder / "other"
    shutil.copytree(bucket, other / "s3" / "copied" / "of" / "yesterday")
    shutil.rmtree(ran_shop.home)
    environ = {"ORDERHE_S3_BUCKET": "copied", "ORDERHE_S3_PREFIX": "of/yesterday"}
    copied = TestShop(ran_shop.folder, {**ran_shop.environ, **environ, "ORDERHE_HOME": str(other)})
    copied.environ.pop("ORDERHE_START_DATE")
    done = CliRunner().invoke(main, ["restore", "warehouse"], env=copied.environ)
    assert done.exit_code == 0, done.output
    assert contents(copied) == before
    checked = CliRunner().invoke(main, ["restore", "--check"], env=copied.environ)
    assert checked.exit_code == 0, checked.output


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--table", "sale"), "there is no table 'sale' with backups; did you mean sales? Models"),
        (("--generation", "1"), "name one table, as in --table buyers --generation 1"),
        (("--table", "sales", "--generation", "1"), "name the days with --from and --to"),
        (("--as-of", "yesterday"), "is no moment like 2026-11-01T03:00"),
        (("--as-of", "2999-01-01"), "has not come yet"),
        (
            ("--table", "sales", "--from", "2026-01-02", "--generation", "7"),
            "sales 2026-01-02 never had a generation 7 that counted; there are 1. Nothing was changed.",
        ),
        (("--from", "2999-01-01"), "2999-01-01 is not over yet"),
        (("--table", "sales", "--from", "2025-12-31"), "no backup of sales for 1 day of 2025-12-31"),
        (("--table", "buyers", "--from", "2026-01-02"), "buyers: without days; leave out --from"),
        (
            ("--table", "buyers", "--table", "sales", "--from", "2026-01-02"),
            "buyers: without days; leave out --from and --to, or name tables that have days",
        ),
        (("--table", "buyers", "--as-of", "2026-01-01"), "buyers had no backup yet at 2026-01-01"),
    ],
)  # fmt: skip
def test_a_wrong_use_is_refused_with_the_next_step(
    ran_shop: TestShop, words: tuple[str, ...], message: str
) -> None:
    before = contents(ran_shop)
    said = restore(ran_shop, "warehouse", *words, code=1)
    assert message in said
    assert contents(ran_shop) == before


def test_a_moment_that_a_refusal_names_is_one(ran_shop: TestShop) -> None:
    said = restore(ran_shop, "warehouse", "--as-of", "2026-01-01T00:00", code=1)
    moment = said.rpartition("--as-of ")[2].strip()
    assert "Restored" in restore(ran_shop, "warehouse", "--table", "buyers", "--as-of", moment)


def test_a_table_without_backup_is_named(sales_shop: TestShop) -> None:
    said = restore(sales_shop, "warehouse", code=1)
    assert "buyers has no backup: s3://orderhe/backup/buyers/index.json is not there" in said


def test_a_generation_that_is_gone_is_named(ran_shop: TestShop) -> None:
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    ran_shop.store.delete(["backup/sales/2026-01-02/generations/1.json"])
    of_day = ("--table", "sales", "--from", "2026-01-02")
    said = restore(ran_shop, "warehouse", *of_day, "--generation", "1", code=1)
    assert "generation 1 of sales 2026-01-02 is gone: s3://orderhe/backup/sales" in said
    assert "--generation 2" in said


def test_a_damaged_part_is_refused_and_the_sound_generation_named(ran_shop: TestShop) -> None:
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    (part,) = ran_shop.record("sales", "2026-01-02").parts
    flip(ran_shop, part.key, 100)
    lose_warehouse(ran_shop)
    said = restore(ran_shop, "warehouse", code=1)
    assert f"sales 2026-01-02: s3://orderhe/{part.key}: it is not as it was written" in said
    assert (
        "orderhe run backup/sales,warehouse/sales --from 2026-01-02 --to 2026-01-02"
        in said.replace("'", "")
    )
    assert "Nothing was changed" in said and not (ran_shop.home / "warehouse.duckdb").exists()
    older = "--table sales --from 2026-01-02 --to 2026-01-02 --generation 1"
    assert f"orderhe restore warehouse {older}" in said
    assert "1 row of 1 day restored" in restore(ran_shop, "warehouse", *older.split())


def flip(shop: TestShop, key: str, place: int) -> None:
    """Alter one byte of an object."""
    body = bytearray(shop.store.get(key).body)  # type: ignore[union-attr]
    body[place % len(body)] ^= 1 << (place % 8)
    shop.store.put(key, bytes(body))


@pytest.mark.parametrize("seed", range(3))
def test_one_altered_byte_in_any_object_is_found_and_named(ran_shop: TestShop, seed: int) -> None:
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    assert "as they were written, byte for byte" in restore(ran_shop, "--check")
    draw = random.Random(seed)
    for key in flips.objects(ran_shop.store, ["buyers", "sales"]):
        body = flips.flip(ran_shop.store, key, draw)
        said = restore(ran_shop, "--check", code=1)
        assert flips.is_named(key, said.splitlines()), (key, said)
        ran_shop.store.put(key, body)
    assert "as they were written, byte for byte" in restore(ran_shop, "--check")


def test_a_damaged_object_of_an_earlier_generation_is_not_to_be_read_again(
    ran_shop: TestShop,
) -> None:
    segment = "2026-01-02"
    (part,) = [
        key
        for key in flips.objects(ran_shop.store, ["sales"])
        if f"/{segment}/" in key and key.endswith(".parquet")
    ]
    flip(ran_shop, part, 500)
    said = restore(ran_shop, "--check", code=1)
    assert part in said
    again = f"orderhe run 'backup/sales,warehouse/sales' --from {segment} --to {segment}"
    assert again in said
    assert ran_shop.run("backup/sales,warehouse/sales", segment, segment).succeeded
    said = restore(ran_shop, "--check", code=1)
    assert part in said
    assert "It is of generation 1, which counts no more: no run needs it" in said
    assert again not in said
    assert "1 object of the backups not as written" in said


def test_a_failed_load_leaves_warehouse_and_backups_as_they_were(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(timezone.utc).isoformat()
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    before, record = contents(ran_shop), ran_shop.record("sales", "2026-01-02")

    def broken(*_: Any) -> list[str]:
        return ["select 1 / 0"]

    with monkeypatch.context() as patch:
        patch.setattr(loads, "load_statements", broken)
        said = restore(ran_shop, "warehouse", "--as-of", moment, code=1)
    assert "FAILED sales" in said and "The backups of sales count again as they did before." in said
    assert contents(ran_shop) == before
    now = ran_shop.record("sales", "2026-01-02")
    assert now.parts == record.parts and now.generation == 4
    assert "Restored" in restore(ran_shop, "warehouse", "--as-of", moment)


def test_a_dry_run_changes_nothing(ran_shop: TestShop) -> None:
    lose_warehouse(ran_shop)
    said = restore(ran_shop, "warehouse", "--dry-run")
    assert "Nothing was changed: this was a dry run" in said
    assert not (ran_shop.home / "warehouse.duckdb").exists()


def test_the_demos_shop_is_the_same_after_it_lost_source_and_warehouse(tmp_path: Path) -> None:
    first = date.today() - timedelta(days=30)
    shop = TestShop(
        tmp_path, {"ORDERHE_START_DATE": first.isoformat(), "ORDERHE_SHOP": "simulated"}
    )
    shop.create()
    outcome = shop.run("*", first.isoformat(), (date.today() - timedelta(days=1)).isoformat())
    assert outcome.succeeded, outcome.lines()
    ledger = "select table_name, segment, row_count, digest from warehouse._loads order by 1, 2"
    before = shop.rows(ledger)
    lose_source(shop)
    lose_warehouse(shop)
    said = restore(shop, "warehouse")
    assert "Restored and proven equal to the backups: customers, products, orders." in said
    assert shop.rows(ledger) == before
    names = [f"{t.layer}/{t.name}" for t in shop.catalogue.layer("mart")]
    proven = orderhe(shop, "prove", *names)
    assert proven.exit_code == 0, proven.output


def test_an_older_copy_of_the_store_says_how_to_go_on(ran_shop: TestShop) -> None:
    before, store = contents(ran_shop), ran_shop.store
    assert isinstance(store, FolderStore)
    shutil.copytree(Path(store.root) / store.bucket, Path(store.root) / "older")
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    older = {"ORDERHE_S3_BUCKET": "older"}
    said = restore(ran_shop, "warehouse", code=1, **older)
    assert "holds newer backups of 1 day (the first 2026-01-02)" in said
    assert "buyers: all of it: as loaded" in said  # each table for itself
    forget = re.search(r'orderhe query "([^"]+)"', said)
    assert forget is not None
    assert orderhe(ran_shop, "query", forget[1], **older).exit_code == 0
    restore(ran_shop, "warehouse", **older)
    assert contents(ran_shop)["warehouse.sales"] == before["warehouse.sales"]


def test_a_run_that_backs_up_meanwhile_wins_and_nothing_is_restored(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = datetime.now(timezone.utc).isoformat()
    change = (
        "update sales set price = {}, changed_at = timestamp '2026-01-0{}' where sale_no in (1, 2)"
    )
    ran_shop.change(change.format(8, 6))
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    commit, others = restores.index.commit, []

    def overtaken(store: Any, table: str, asked: Any) -> Any:
        if not others and asked.fresh:
            others.append(table)
            ran_shop.change(change.format(9, 7))
            assert ran_shop.run("backup/sales", "2026-01-02").succeeded
        return commit(store, table, asked)

    with monkeypatch.context() as patch:
        patch.setattr(restores.index, "commit", overtaken)
        said = restore(ran_shop, "warehouse", "--as-of", moment, code=1)
    assert "another run backed it up meanwhile" in said
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    assert ran_shop.rows(
        "select distinct price::varchar from warehouse.sales where sale_no < 3"
    ) == [("9.000",)]


def test_a_row_that_moved_is_there_once_and_both_days_are_told(
    ran_shop: TestShop, tmp_path: Path
) -> None:
    ran_shop.change(
        "update sales set sold_on = date '2026-01-03', changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    of_day = ("--table", "sales", "--from", "2026-01-02", "--generation", "1")
    said = restore(ran_shop, "warehouse", *of_day)
    assert "rows of 2026-01-03, stood on these days then" in said
    count = "select sold_on::varchar from warehouse.sales where shop_no = 1 and sale_no = 2"
    assert ran_shop.rows(count) == [("2026-01-02",)]
    said = restore(ran_shop, "warehouse", code=1)
    assert "sales 2026-01-02: rows of it stand in the backup of another day too" in said
    assert ran_shop.rows(count) == [("2026-01-03",)]
    said = restore(ran_shop, "source", "--into", f"duckdb:{tmp_path / 'x.duckdb'}", code=1)
    assert "a duplicate key, shop_no 1, sale_no 2" in said and "all of it was rolled back" in said
    assert ran_shop.run("*", "2026-01-01", "2026-01-05").succeeded
    assert ran_shop.rows(count) == [("2026-01-03",)]
    assert "Restored and proven" in restore(ran_shop, "warehouse")
