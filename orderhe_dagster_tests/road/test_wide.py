"""A table of a thousand columns, on the embedded systems and on all three real ones, down the whole road."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.cli import main
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.road.systems import ALL, LAPTOP, Systems
from orderhe_dagster_tests.shops import TestShop, shop_of

COLUMNS = 1_000 if IS_LONG else 100  # InnoDB has 1,017 at most
KINDS = {
    "int": "7",
    "varchar(12) character set latin1": "'a|b'",
    "decimal(9,2)": "1.50",
    "date": "'2026-01-01'",
    "datetime(3)": "'2026-01-01 10:00:00.5'",
    "tinyint(1)": "1",
    "double": "0.25",
    "int unsigned not null": "4000000000",
}
NAMES = {
    f"c{number}": kind for number, kind in zip(range(COLUMNS), [*KINDS] * COLUMNS, strict=False)
}
SUMMED = [name for name, kind in NAMES.items() if kind.startswith("int")]
DAYS = ("2026-01-01", "2026-01-03")
MART = f"""-- Totals by day.
-- @partition day
-- @grain day
select
    {", ".join(["wide.day::date as day", *(f"sum(wide.{n})::decimal(38, 0) as total_{n}" for n in SUMMED)])}
from warehouse.wide
group by wide.day;
"""


def contract(columns: dict[str, str]) -> str:
    """A `create table` of these columns, with what the road needs of each table."""
    lines = [
        *("id int not null", "day date not null", "changed_at datetime(6) not null"),
        *(f"{name} {kind}" for name, kind in columns.items()),
        *("primary key (id)", "key (day)", "key (changed_at)"),
    ]
    return "create table wide (\n    " + ",\n    ".join(lines) + "\n)"


def row(number: int, day: str) -> str:
    moment = f"'{day} 10:00:00'"
    values = ", ".join(KINDS[kind] for kind in NAMES.values())
    return f"insert into wide values ({number}, '{day}', {moment}, {values})"


def ran(shop: TestShop, selection: str = "*") -> None:
    outcome = shop.run(selection, *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert not outcome.failed_checks


@pytest.mark.parametrize("way", cases(["laptop", "all"], ["all"]))
def test_a_wide_table_goes_down_the_road(way: str, systems: Systems, tmp_path: Path) -> None:
    environ = systems.environ(ALL if way == "all" else LAPTOP, tmp_path / "shop" / "home")
    header = "-- Wide.\n-- @partition day\n-- @cursor changed_at\n"
    files = {"raw/wide.sql": header + contract(NAMES) + ";\n", "mart/totals.sql": MART}
    shop = shop_of(tmp_path / "shop", files, ORDERHE_START_DATE=DAYS[0], **environ)
    shop.create()
    shop.change(row(1, "2026-01-01"), row(2, "2026-01-02"))
    if way == "all":
        adopted(shop)
    ran(shop)
    names = ", ".join(NAMES)
    first, second = shop.rows(f"select {names} from warehouse.wide order by id")
    assert first == second
    assert first[:3] == (7, "a|b", Decimal("1.50"))
    assert shop.rows(f"select day, total_{SUMMED[-1]} from mart.totals order by day") != []

    # An edit that leaves the cursor: found, told by its rows, mended.
    shop.change("update wide set c1 = 'edited' where id = 2")
    outcome = shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert any("c1" in text for text in outcome.warned_checks), outcome.warned_checks
    assert shop.rows("select c1 from warehouse.wide order by id") == [("a|b",), ("edited",)]

    # A column more in the contract and the shop.
    more = NAMES | {"one_more": "int"}
    shop.write({"raw/wide.sql": header + contract(more) + ";\n"})
    shop.change("alter table wide add column one_more int")
    ran(shop)
    assert shop.rows("select one_more from warehouse.wide") == [(None,), (None,)]

    restored = CliRunner().invoke(main, ["restore", "warehouse"], env=environ_of(shop))
    assert restored.exit_code == 0, restored.output
    proven = CliRunner().invoke(main, ["prove", "wide"], env=environ_of(shop))
    assert proven.exit_code == 0, proven.output


def adopted(shop: TestShop) -> None:
    """Adopt finds the same columns."""
    folder = shop.folder / "adopted"
    words = [
        "adopt",
        str(folder),
        "--yes",
        "--partition",
        "wide=day",
        "--cursor",
        "wide=changed_at",
    ]
    done = CliRunner().invoke(main, words, env=environ_of(shop))
    assert done.exit_code == 0, done.output
    (table,) = load_catalogue(folder).layer("raw")
    assert table.column_names == ("id", "day", "changed_at", *NAMES)


def environ_of(shop: TestShop) -> dict[str, str]:
    return {**shop.environ, "ORDERHE_HOME": str(shop.home)}
