"""A schema that nobody made for us is adopted, made anew from its contracts elsewhere, and carried."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.commands.adopt import adopt_schema
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.intake.adopt.adopter import Ask, Asked
from orderhe_dagster.intake.adopt.report import WHOLE_FILE
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster_tests.intake.adopt.strange import ORDER, ROWS, SCHEMA, on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop

ADOPTED = [
    *("addresses", "customers", "group", "log_lines", "members", "order_lines", "orders", "shapes"),
    *("staff", "visits", "weird_name"),
]


@pytest.fixture
def old_shop(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> TestShop:
    """A shop whose MySQL holds the strange schema, and no contract yet."""
    shop = TestShop(
        tmp_path / "shop",
        {"ORDERHE_SQL": str(tmp_path / "shop" / "sql"), "ORDERHE_START_DATE": "2026-01-01"},
    )
    (tmp_path / "shop" / "sql").mkdir(parents=True)
    on(shop, mariadb, shop_database)
    run(mariadb, shop_database, [*(SCHEMA[n] for n in ORDER), *ROWS, "analyze table visits"])
    return shop


def adopt(shop: TestShop, asked: Asked | None = None, ask: Ask | None = None) -> str:
    """What the screen says, and all that the file says."""
    screen = adopt_schema(shop.settings, None, asked, ask)
    return "\n".join([*screen, whole(shop)])


def whole(shop: TestShop) -> str:
    return (shop.folder / "sql" / WHOLE_FILE).read_text("utf-8")


def test_a_strange_schema_is_adopted_with_reasons(old_shop: TestShop) -> None:
    told = adopt(old_shop)
    raw = old_shop.folder / "sql" / "raw"
    assert sorted(file.stem for file in raw.iterdir()) == ADOPTED
    for line in (
        "members: so we call the shop's table 'Members'",
        "weird_name: so we call the shop's table 'weird name'",
        "recent: no contract: it is a view, no table",
        "only_shapes: no contract: none of its columns can be carried",
        "customers: left out: column 'place' is point: a spatial type is not carried",
        "customers: left out: UNIQUE KEY `email_begins` (`email`(10))",
        "customers: @partition created_at (not null, indexed, spans 74 days); @cursor updated_at",
        "orders: @partition order_date (not null, indexed, spans 60 days); @cursor modified",
        "order_lines: left out: FULLTEXT KEY",
        "order_lines: @partition order_no -> orders.order_date (no day of its own: that of its row in orders",
        "staff: @partition none (no date or time that tells when a row came to be)",
        "visits: left_at: what is no real day or no known word becomes NULL: 2 values",
        "no real days become NULL and are counted: visits.left_at (2)",
        "log_lines: without a primary key",
        "shapes: left out: SPATIAL KEY",
        "11 of 13 contracts written",
    ):
        assert line in told, told
    (visits,) = (line.split() for line in told.splitlines() if line.startswith("visits  "))
    assert visits == ["visits", "4", "id", "day", "none", "written"]


def test_what_was_written_says_what_the_table_is(old_shop: TestShop) -> None:
    adopt(old_shop)
    tables = {table.name: table for table in old_shop.catalogue.tables}
    customers = tables["customers"]
    assert (customers.partition, customers.cursor) == ("created_at", "updated_at")
    assert customers.grain == ("id",)
    assert customers.unique == (("email",),)
    assert customers.column("email").description == 'it\'s; -- "a" \\ `b`'
    assert customers.column("display-name").generated
    assert "place" not in customers.column_names
    assert customers.leave_out == ("place",)
    assert [change for change in old_shop.source.drift(customers) if change.effect != "noted"] == []
    visits = tables["visits"].column("left_at")
    assert (visits.bad_values, visits.nullable, visits.required) == ("null", True, True)
    assert tables["order_lines"].day_text == "order_no -> orders.order_date"
    assert "No column moves when a row changes" in tables["visits"].description
    assert tables["orders"].foreign_keys[0].parent == "customers"
    assert tables["members"].source_name == "Members"
    assert tables["weird_name"].source_name == "weird name"
    assert tables["addresses"].foreign_keys[0].parent == "members"
    assert tables["group"].column_names == ("order", "from`to", "two words", "Größe")
    assert tables["group"].unique == (("from`to", "two words"),)
    assert tables["order_lines"].grain == ("order_no", "line")
    assert "AUTO_INCREMENT=" not in customers.sql


def test_adopting_again_changes_nothing(old_shop: TestShop, mariadb: MariaDB) -> None:
    adopt(old_shop)
    raw = old_shop.folder / "sql" / "raw"
    before = {file.name: file.read_bytes() for file in raw.iterdir()}
    assert "0 of 13 contracts written" in adopt(old_shop)
    mine = "-- Mine.\ncreate table staff (id int primary key);\n"
    (raw / "staff.sql").write_text(mine, "utf-8")
    assert "staff: the file differs and was left as it is" in adopt(old_shop)
    assert (raw / "staff.sql").read_text("utf-8") == mine
    assert "1 of 13 contracts written" in adopt(old_shop, Asked(force=True))
    assert {file.name: file.read_bytes() for file in raw.iterdir()} == before


def test_the_demo_folder_and_the_embedded_source_are_refused(tmp_path: Path) -> None:
    shop = TestShop(tmp_path)
    with pytest.raises(LaunchError, match="demo shop's own folder"):
        adopt_schema(shop.settings, None)
    with pytest.raises(PortError, match="ORDERHE_SOURCE=mysql"):
        adopt_schema(shop.settings, tmp_path / "sql")


def test_the_road_runs_on_what_was_adopted(
    old_shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    """Made anew elsewhere from the contracts alone, filled with the same rows, and carried."""
    adopt(old_shop)
    tables = {table.name: table for table in old_shop.catalogue.tables}
    with mariadb.database() as other:
        on(old_shop, mariadb, other)
        old_shop.create()
        copies = ["set foreign_key_checks = 0"]
        for table in tables.values():
            name = table.source_name
            columns = ", ".join(
                "`" + column.name.replace("`", "``") + "`"
                for column in table.in_source.columns
                if not column.generated
            )
            copies.append(
                f"insert into `{name}` ({columns}) select {columns} from {shop_database}.`{name}`"
            )
        run(mariadb, other, copies)
        outcome = old_shop.run("*", "2026-01-01", "2026-04-01")
        assert outcome.succeeded, outcome.lines()
        found = old_shop.rows(
            'select order_no, "select", total_with_tax, status from warehouse.orders order by 1'
        )
        assert [tuple(map(str, row)) for row in found] == [
            ("A-1", f"1.5{'0' * 29}", "11.275", ""),
            ("A-2", "None", "3.300", "new"),
        ]
        left = old_shop.rows("select id, left_at from warehouse.visits order by 1")
        assert [(row[0], row[1] is None) for row in left[:3]] == [(1, True), (2, False), (3, True)]
        assert old_shop.rows(
            'select "display-name", rights from warehouse.customers order by 1'
        ) == [
            ("#100", 5),
            ("#101", 5),
        ]
        assert old_shop.rows("select count(*) from warehouse.log_lines") == [(2,)]
