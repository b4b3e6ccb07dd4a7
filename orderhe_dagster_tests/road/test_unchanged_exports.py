"""An export whose inputs did not change is not written again; anything else about it is noticed."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import dagster as dg
import pytest

from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.ports.warehouse import Result, Take, Warehouse
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.road.export_records import Exported, ExportRecord
from orderhe_dagster.road.exports import Export, export
from orderhe_dagster.settings.home import home_of, use_home
from orderhe_dagster_tests.shops import TestShop, sales_shop

DETAILS = """
-- Every sale, for whoever counts.
-- @grain shop_no, sale_no
select
    sales.shop_no::integer as shop_no, -- Shop
    sales.sale_no::bigint as sale_no, -- Number
    repeat('가', 400)::varchar(2000) as padding -- So that there are parts
from warehouse.sales
order by sales.shop_no, sales.sale_no;
"""
CLOCK = """
-- Every day, and when it was asked.
-- @grain sold_on
select
    takings.sold_on::date as sold_on, -- The day
    datediff(day, takings.sold_on, current_date)::integer as age -- How long ago
from mart.takings
order by takings.sold_on;
"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """A shop that was run once."""
    shop = sales_shop(tmp_path_factory.mktemp("filled") / "shop")
    shop.write({"export/details.sql": DETAILS, "export/ages.sql": CLOCK})
    outcome = shop.run("*", "2026-01-01", "2026-01-05")
    assert outcome.succeeded, outcome.lines()
    return shop


@pytest.fixture
def shop(filled: TestShop, tmp_path: Path) -> TestShop:
    """A copy of it."""
    return filled.copy(tmp_path / "shop")


def export_of(shop: TestShop, name: str, part_bytes: int = 1_500) -> Export:
    home = home_of(shop.settings)
    files = ExportFiles(shop.folder / "out", name)
    record = ExportRecord(shop.folder / "records" / f"{name}.json", files, home.scratch)
    table = shop.catalogue.get(TableRef("export", name))
    return Export(table, record, part_bytes)


def passed() -> None:
    """Every check did."""


def written(wanted: Export, warehouse: Warehouse) -> Exported:
    outcome = export(wanted, warehouse, passed)
    assert outcome.is_new
    return outcome.exported


def left(wanted: Export, warehouse: Warehouse) -> Exported:
    outcome = export(wanted, warehouse, passed)
    assert not outcome.is_new
    return outcome.exported


def test_nothing_is_read_or_written_when_nothing_has_changed(shop: TestShop) -> None:
    wanted = export_of(shop, "details")
    first = written(wanted, shop.warehouse)
    assert (first.rows, first.parts) == (4, 4)
    before = {path: path.stat() for path in wanted.files.folder.rglob("*")}
    again = left(wanted, shop.warehouse)
    assert again.confirmed_at >= first.confirmed_at
    assert replace(again, confirmed_at=first.confirmed_at) == first
    assert {path: path.stat() for path in wanted.files.folder.rglob("*")} == before


def truncated(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def other_byte(path: Path) -> None:
    """Another content of the same size, and of the same time as far as that can be set."""
    data, at = path.read_bytes(), path.stat()
    path.write_bytes(data[:-2] + b"X\n")
    os.utime(path, ns=(at.st_atime_ns, at.st_mtime_ns))


def added(path: Path) -> None:
    (path.parent / "details-another.csv").write_bytes(b"a\n1\n")


@pytest.mark.parametrize("damage", [Path.unlink, truncated, other_byte])
@pytest.mark.parametrize("which", ["details.csv", "details.schema.json", "part"])
def test_files_that_were_touched_are_written_again(
    shop: TestShop, which: str, damage: Callable[[Path], None]
) -> None:
    wanted = export_of(shop, "details")
    written(wanted, shop.warehouse)
    files = wanted.files
    path = sorted(files.parts.iterdir())[1] if which == "part" else files.folder / which
    good = path.read_bytes()
    damage(path)
    written(wanted, shop.warehouse)
    assert path.read_bytes() == good
    left(wanted, shop.warehouse)


def test_a_part_that_nobody_wrote_is_gone(shop: TestShop) -> None:
    wanted = export_of(shop, "details")
    written(wanted, shop.warehouse)
    added(wanted.files.parts / "any")
    written(wanted, shop.warehouse)
    assert len(list(wanted.files.parts.iterdir())) == 4


def test_a_record_with_an_altered_byte_counts_for_none(shop: TestShop) -> None:
    wanted = export_of(shop, "details")
    written(wanted, shop.warehouse)
    body = wanted.record.path.read_text("utf-8")
    altered = body.replace('"rows": ', '"rows": 1', 1)
    assert altered != body
    wanted.record.path.write_text(altered, "utf-8")
    written(wanted, shop.warehouse)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"content": 1}', '{"files": 3}', "null"])
def test_a_record_that_cannot_be_read_counts_for_none(shop: TestShop, text: str) -> None:
    wanted = export_of(shop, "details")
    written(wanted, shop.warehouse)
    wanted.record.path.write_text(text, "utf-8")
    written(wanted, shop.warehouse)
    left(wanted, shop.warehouse)


def test_another_select_another_size_of_parts_or_another_writer_write_again(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = export_of(shop, "details")
    written(wanted, shop.warehouse)
    other = replace(wanted, part_bytes=2_500)
    assert written(other, shop.warehouse).parts == 2
    text = DETAILS.replace("repeat('가', 400)", "repeat('나', 400)")
    shop.write({"export/details.sql": text})
    again = replace(other, table=shop.catalogue.get(TableRef("export", "details")))
    written(again, shop.warehouse)
    left(again, shop.warehouse)
    monkeypatch.setattr("orderhe_dagster.road.exports._writer", lambda: "another")
    written(again, shop.warehouse)


def test_rows_that_were_loaded_or_built_since_are_written(shop: TestShop) -> None:
    details, takings = export_of(shop, "details"), export_of(shop, "takings")
    written(details, shop.warehouse)
    before = written(takings, shop.warehouse)
    shop.change(
        "insert into sales values (9, 9, 'ann', date '2026-01-02', 1.000, 'paid',"
        " timestamp '2026-01-05 10:00:00')"
    )
    assert shop.run("backup/sales,warehouse/sales", "2026-01-02", "2026-01-02").succeeded
    assert written(details, shop.warehouse).rows == 5
    left(takings, shop.warehouse)
    assert shop.run("mart/takings", "2026-01-02", "2026-01-02").succeeded
    after = written(takings, shop.warehouse)
    assert after.content != before.content
    assert b"\n2026-01-02,8.000\n" in takings.files.csv.read_bytes()


def test_a_select_that_reads_the_clock_is_written_each_time(shop: TestShop) -> None:
    wanted = export_of(shop, "ages")
    assert written(wanted, shop.warehouse).content is None
    assert written(wanted, shop.warehouse).content is None


def test_a_failed_check_stops_it_though_nothing_has_changed(shop: TestShop) -> None:
    wanted = export_of(shop, "details")
    written(wanted, shop.warehouse)

    def failed() -> None:
        raise RuntimeError("a check")

    with pytest.raises(RuntimeError, match="a check"):
        export(wanted, shop.warehouse, failed)


class Between(Warehouse):
    """A warehouse into which something is loaded while an export reads it."""

    def __init__(self, inner: Warehouse, load: Callable[[], None]) -> None:
        self._inner, self._load = inner, load

    identity = property(lambda self: self._inner.identity)
    copy_authorization = property(lambda self: self._inner.copy_authorization)

    def session(self, label: str, *, read_only: bool = False):  # type: ignore[no-untyped-def]
        return self._inner.session(label, read_only=read_only)

    def stream(self, sql: str, take: Take, label: str = "query") -> Result:
        result = self._inner.stream(sql, take, label)
        self._load()
        return result


def test_what_was_loaded_while_it_was_read_is_written_next_time(shop: TestShop) -> None:
    wanted = export_of(shop, "details")

    def load() -> None:
        outcome = shop.run("warehouse/sales", "2026-01-02", "2026-01-02")
        assert outcome.succeeded, outcome.lines()

    shop.change(
        "insert into sales values (9, 9, 'ann', date '2026-01-02', 1.000, 'paid',"
        " timestamp '2026-01-05 10:00:00')"
    )
    assert shop.run("backup/sales", "2026-01-02", "2026-01-02").succeeded
    during = written(wanted, Between(shop.warehouse, load))
    assert (during.rows, during.content) == (4, None)
    assert written(wanted, shop.warehouse).rows == 5
    left(wanted, shop.warehouse)


def test_dagster_shows_an_unchanged_export_with_its_figures_and_its_version(
    shop: TestShop,
) -> None:
    assert shop.run("export/*").succeeded
    assert shop.run("export/*").succeeded
    folder = use_home(shop.settings).dagster
    key = dg.AssetKey(["export", "takings"])
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        records = instance.fetch_materializations(key, limit=2).records
        now, before = (record.asset_materialization for record in records)
    assert now is not None and before is not None
    assert "unchanged_since" in now.metadata
    assert now.tags is not None and before.tags is not None
    version = "dagster/data_version"
    assert now.tags[version] == before.tags[version]
    kept = ("dagster/row_count", "bytes", "parts", "preview", "file", "dagster/column_lineage")
    assert {name: now.metadata[name] for name in kept} == {
        name: before.metadata[name] for name in kept
    }
    clock = dg.AssetKey(["export", "ages"])
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        (latest,) = instance.fetch_materializations(clock, limit=1).records
    assert latest.asset_materialization is not None
    assert "unchanged_since" not in latest.asset_materialization.metadata
