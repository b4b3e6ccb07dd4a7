"""What a full disk, a torn file or a lost object leads to: a plain error that names it, and a way out."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.cli import main
from orderhe_dagster.commands.run import LaunchError
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster_tests.shops import TestShop

DAY = "2026-01-01"
ROAD = "backup/sales,warehouse/sales"


def part_of(shop: TestShop) -> str:
    return shop.record("sales", DAY).parts[0].key


def lose_part(shop: TestShop) -> None:
    shop.store.delete([part_of(shop)])


def flip_part(shop: TestShop) -> None:
    stored = shop.store.get(part_of(shop))
    assert stored is not None
    body = stored.body
    shop.store.put(part_of(shop), body[:40] + bytes([body[40] ^ 0xFF]) + body[41:])


def lose_manifest(shop: TestShop) -> None:
    shop.store.delete([shop.record("sales", DAY).manifest])


def test_a_lost_manifest_is_written_again_from_the_record(ran_shop: TestShop) -> None:
    """The record names every part with its size and hash: the manifest is only COPY's form of it."""
    lose_manifest(ran_shop)
    ran_shop.hold_older("warehouse.sales", DAY)
    assert ran_shop.run("warehouse/sales", DAY).succeeded
    assert ran_shop.record("sales", DAY).generation == 1


@pytest.mark.parametrize("damage", [lose_part, flip_part])
def test_a_damaged_backup_stops_the_load_and_is_mended_by_what_the_error_says(
    ran_shop: TestShop, damage: Callable[[TestShop], None]
) -> None:
    damage(ran_shop)
    ran_shop.hold_older("warehouse.sales", DAY)
    outcome = ran_shop.run("warehouse/sales", DAY)
    assert not outcome.succeeded
    assert f"sales' --from {DAY} --to {DAY}" in outcome.failures[0]
    assert "Nothing was changed" in outcome.failures[0]
    ran_shop.paste(outcome.failures[0])
    assert ran_shop.record("sales", DAY).generation == 2


@pytest.mark.parametrize("size", [0, 4096, 8192])
def test_a_warehouse_file_whose_making_was_cut_short_is_made_again(
    sales_shop: TestShop, size: int
) -> None:
    file = sales_shop.settings.home / "warehouse.duckdb"
    os.truncate(file, size)
    assert sales_shop.warehouse.query("select 1 as one").scalar() == 1


def test_a_shop_file_whose_making_was_cut_short_is_made_again(tmp_path: Path) -> None:
    file = tmp_path / "shop.duckdb"
    source = EmbeddedSource(path=str(file))
    source.create([])
    os.truncate(file, 4096)
    source.create([])
    with source.writing() as transaction:
        assert transaction.fetch("select 1 as one").to_pylist() == [{"one": 1}]


@pytest.mark.parametrize("text", ["hello" * 4000, "hello"])
def test_a_file_that_is_no_database_is_named_and_kept(sales_shop: TestShop, text: str) -> None:
    file = sales_shop.settings.home / "warehouse.duckdb"
    file.write_text(text)
    with pytest.raises(
        PortError, match=r"warehouse\.duckdb cannot be read or written.*move it away"
    ):
        sales_shop.warehouse.query("select 1")
    assert file.read_text() == text


def test_a_torn_warehouse_is_named_and_built_anew_from_the_backups(sales_shop: TestShop) -> None:
    assert sales_shop.run(ROAD, DAY).succeeded
    file = sales_shop.settings.home / "warehouse.duckdb"
    os.truncate(file, file.stat().st_size // 2)
    outcome = sales_shop.run("warehouse/sales", DAY)
    assert not outcome.succeeded
    assert f"{file} cannot be read or written" in outcome.failures[0]
    assert "move it away" in outcome.failures[0]
    file.unlink()
    assert sales_shop.run("warehouse/sales", DAY).succeeded
    assert sales_shop.rows("select count(*) from warehouse.sales") == [(2,)]


def test_a_broken_history_is_named_and_begun_anew(sales_shop: TestShop) -> None:
    assert sales_shop.run("backup/sales", DAY).succeeded
    history = sales_shop.settings.home / "dagster" / "history"
    for file in history.rglob("*.db"):
        file.write_text("no database" * 1000)
    with pytest.raises(LaunchError, match=r"run history in .* move .*history away"):
        sales_shop.run("backup/sales", DAY)
    history.rename(history.with_name("broken"))
    assert sales_shop.run("backup/sales", DAY).succeeded


def test_what_the_machine_refuses_is_told_by_file_and_without_a_traceback(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "exports").write_text("a file where a folder belongs")
    done = CliRunner().invoke(main, ["create"], env={"ORDERHE_HOME": str(home)})
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {home / 'exports'}: File exists. Put it right, or move")
