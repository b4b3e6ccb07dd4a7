"""A large export with days is written month by month: all rows once, and only the months that changed."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.ports.warehouse import Lines, Result
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.road.export_records import ExportRecord
from orderhe_dagster.road.exports import Export, Outcome, export
from orderhe_dagster.settings.home import home_of
from orderhe_dagster_tests.shops import TestShop, sales_shop

DETAILS = """
-- Every sale.
-- @partition sold_on
-- @grain shop_no, sale_no
select
    sales.shop_no::integer as shop_no, -- Shop
    sales.sale_no::bigint as sale_no, -- Number
    sales.sold_on::date as sold_on, -- The day
    sales.price::decimal(12, 3) as price, -- What it cost
    repeat('가', 100)::varchar(400) as padding -- So that there are parts
from warehouse.sales
order by sales.sold_on, sales.shop_no, sales.sale_no;
"""


def sale(number: int, day: str, price: int = 1) -> str:
    return (
        f"insert into sales values (5, {number}, null, date '{day}', {price}.000, 'paid',"
        f" timestamp '{day} 10:00:00')"
    )


@dataclass(frozen=True)
class Counting(EmbeddedWarehouse):
    """The shop's warehouse, which notes what of each select stands after its own WHERE."""

    selects: list[str] = field(default_factory=list)
    after: list[Callable[[], None]] = field(
        default_factory=list
    )  # run once, after the first select

    def write(self, sql: str, lines: Lines, label: str = "query", about: int = 0) -> Result:
        self.selects.append(sql.rpartition(" where ")[2])
        result = super().write(sql, lines, label, about)
        if self.after:
            self.after.pop()()
        return result


@dataclass
class Place:
    """A shop with three months of sales, its export, and what was asked of its warehouse."""

    shop: TestShop
    wanted: Export
    warehouse: Counting

    def run(self) -> Outcome:
        self.warehouse.selects.clear()
        return export(self.wanted, self.warehouse, lambda: None)

    def parts(self) -> dict[str, bytes]:
        folder = self.wanted.files.parts
        return {path.name: path.read_bytes() for path in folder.iterdir()}

    def load(self, first: str, last: str, *statements: str) -> None:
        self.shop.change(*statements)
        outcome = self.shop.run("backup/sales,warehouse/sales", first, last)
        assert outcome.succeeded, outcome.lines()

    def check(self) -> list[list[str]]:
        """The rows, after a look that whole and parts are the select's."""
        files = self.wanted.files
        result = self.warehouse.query(self.wanted.table.sql)
        with files.csv.open(encoding="utf-8", newline="") as file:
            header, *rows = csv.reader(file)
        assert header == list(result.columns)
        assert [tuple(row) for row in rows] == [tuple(map(str, row)) for row in result.rows]
        again: list[list[str]] = []
        for part in sorted(files.parts.iterdir()) if files.parts.exists() else ():
            with part.open(encoding="utf-8", newline="") as file:
                of_part, *more = csv.reader(file)
            assert of_part == header
            again += more
        assert again in (rows, [])
        return rows


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    shop = sales_shop(
        tmp_path_factory.mktemp("filled") / "shop", {"ORDERHE_START_DATE": "2025-11-20"}
    )
    shop.write({"export/details.sql": DETAILS})
    shop.change(sale(1, "2025-11-20"), sale(2, "2025-11-30"), sale(3, "2025-12-31"))
    outcome = shop.run("backup/sales,warehouse/sales,backup/buyers,warehouse/buyers",
                       "2025-11-20", "2026-01-05")  # fmt: skip
    assert outcome.succeeded, outcome.lines()
    return shop


@pytest.fixture
def place(filled: TestShop, tmp_path: Path) -> Place:
    shop = filled.copy(tmp_path / "shop")
    home = home_of(shop.settings)
    files = ExportFiles(shop.folder / "out", "details")
    record = ExportRecord(shop.folder / "records" / "details.json", files, home.scratch)
    table = shop.catalogue.get(TableRef("export", "details"))
    warehouse = Counting(str(home.warehouse), store=shop.store)
    return Place(shop, Export(table, record, 500, by_months=1), warehouse)


def test_every_row_is_in_the_file_and_in_a_part_of_its_month(place: Place) -> None:
    outcome = place.run()
    assert outcome.months == ["0000-earlier", "2025-11", "2025-12", "2026-01", "later"]
    assert outcome.exported.rows == len(place.check()) == 7
    assert len(place.warehouse.selects) == 5
    months = [name.removeprefix("details-")[:7] for name in sorted(place.parts())]
    assert months == ["2025-11"] * 2 + ["2025-12"] + ["2026-01"] * 4
    assert not place.run().is_new
    assert place.warehouse.selects == []


def test_only_the_month_of_a_changed_day_is_read_again(place: Place) -> None:
    place.run()
    before = place.parts()
    place.load("2025-12-15", "2025-12-15", sale(9, "2025-12-15", 77))
    outcome = place.run()
    assert outcome.months == ["2025-12"]
    (select,) = place.warehouse.selects
    assert "cast('2025-12-01' as date)" in select
    assert ["5", "9", "2025-12-15", "77.000"] in [row[:4] for row in place.check()]
    after = place.parts()
    others = {name for name in before if "2025-12" not in name}
    assert {name: after[name] for name in others} == {name: before[name] for name in others}
    assert not place.run().is_new


def test_a_new_month_is_added_and_an_emptied_one_is_gone(place: Place) -> None:
    place.run()
    gone = "delete from sales where sale_no = 3 and shop_no = 5"
    place.load("2025-12-01", "2026-02-03", sale(9, "2026-02-03"), gone)
    assert place.run().months[-2:] == ["2026-02", "later"]
    assert {row[2][:7] for row in place.check()} == {"2025-11", "2026-01", "2026-02"}
    assert not any("2025-12" in name for name in place.parts())


def test_rows_far_away_stand_in_order(place: Place) -> None:
    place.load("2026-01-05", "2026-01-05", sale(9, "2031-05-05"), sale(10, "1999-05-05"))
    place.run()
    days = [row[2] for row in place.check()]
    assert (days[0], days[-1]) == ("1999-05-05", "2031-05-05")
    assert days == sorted(days)
    assert len(days) == 9


@pytest.mark.parametrize(
    "order, by_months",
    [
        ("sales.sold_on, sales.price desc, sales.sale_no desc", True),
        ("sold_on asc nulls last, 4 desc, sale_no", True),
        ("3, price * -1, length(sales.state), sales.shop_no + 0, sales.sale_no", True),
        ("sales.sold_on desc, sales.shop_no, sales.sale_no", False),
        ("sales.sold_on nulls first, sales.shop_no, sales.sale_no", False),
        ("sales.shop_no, sales.sold_on, sales.sale_no", False),
        ("sales.price desc, sales.sale_no desc, sales.shop_no", False),
    ],
)
def test_the_selects_own_order_is_kept(place: Place, order: str, by_months: bool) -> None:
    own = "order by sales.sold_on, sales.shop_no, sales.sale_no"
    place.shop.write({"export/details.sql": DETAILS.replace(own, f"order by {order}")})
    table = place.shop.catalogue.get(TableRef("export", "details"))
    place.wanted = replace(place.wanted, table=table)
    assert bool(place.run().months) is by_months
    assert place.check()


def test_months_that_were_read_while_something_was_loaded_make_no_whole(place: Place) -> None:
    """The sale moves from the month that is read last to the one that was read first."""

    def move() -> None:
        place.load(
            "2025-11-30", "2026-01-04",
            "update sales set sold_on = date '2025-11-30' where sale_no = 3 and shop_no = 1",
        )  # fmt: skip

    place.warehouse.after.append(move)
    outcome = place.run()
    assert (outcome.months, outcome.exported.content) == ((), None)
    assert len(place.check()) == 7
    assert "2025-11-30" in [row[2] for row in place.check() if row[:2] == ["1", "3"]]
    assert len(place.run().months) == 5
    place.check()


def damaged(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


@pytest.mark.parametrize("damage", [damaged, Path.unlink])
def test_a_part_that_was_touched_is_read_again_with_its_month(
    place: Place, damage: Callable[[Path], None]
) -> None:
    place.run()
    before = place.parts()
    damage(next(path for path in place.wanted.files.parts.iterdir() if "2025-12" in path.name))
    assert place.run().months == ["2025-12"]
    assert place.parts() == before
    place.check()


@pytest.mark.parametrize("damage", [damaged, Path.unlink])
def test_a_whole_that_was_touched_is_joined_anew(
    place: Place, damage: Callable[[Path], None]
) -> None:
    place.run()
    damage(place.wanted.files.csv)
    outcome = place.run()
    assert (outcome.is_new, outcome.months) == (True, [])
    assert place.warehouse.selects == []
    place.check()


def test_a_small_export_has_no_parts_and_is_written_whole(place: Place) -> None:
    place.wanted = replace(place.wanted, part_bytes=100_000)
    assert place.run().exported.parts == 0
    place.check()
    assert not place.wanted.files.parts.exists()
    place.wanted = replace(place.wanted, by_months=1_000)
    assert place.run().months == ()
    assert len(place.warehouse.selects) == 1
    place.check()


def test_another_text_writes_every_month(place: Place) -> None:
    place.run()
    text = DETAILS.replace("repeat('가', 100)", "repeat('나', 100)")
    place.shop.write({"export/details.sql": text})
    table = place.shop.catalogue.get(TableRef("export", "details"))
    place.wanted = replace(place.wanted, table=table)
    assert len(place.run().months) == 5
    place.check()


def test_links_that_a_disk_has_not_are_copies(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_links(*given: object) -> None:
        raise OSError("not supported")

    monkeypatch.setattr("os.link", no_links)
    place.run()
    place.load("2025-12-15", "2025-12-15", sale(9, "2025-12-15"))
    assert place.run().months == ["2025-12"]
    place.check()
    assert not place.run().is_new
