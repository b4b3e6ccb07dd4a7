"""`orderhe adopt --update`: a contract brought up to its table, all that its owner wrote kept."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from orderhe_dagster.cli import main
from orderhe_dagster.commands.adopt import update_contracts
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.intake.adopt.update import NotUpdated
from orderhe_dagster_tests.intake.adopt.strange import on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop

ORDERS = """\
-- What was ordered.
-- One row an order.
-- @partition day
-- @cursor updated_at
-- @pii mail, phone
-- @bad_values phone null, day fail
create table orders (
    -- ids first
    id int not null comment 'Number of the order',  -- ours
    Day date not null,
    price decimal(10,2) not null comment 'In won, , -- really' , -- what was paid
    state enum('new', 'gone') not null default 'new',
    -- who
    mail varchar(20) comment 'of the buyer', /* may
    be NULL */
    phone varchar(20),
    note text,
    updated_at datetime(6) not null,
    primary key (id),
    key by_mail (mail, phone), # an index
    unique key (phone)
) engine=InnoDB -- the end
;
"""


@pytest.fixture
def shop(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> TestShop:
    """A shop whose MySQL table was made from its contract."""
    made = TestShop(
        tmp_path / "shop",
        {"ORDERHE_SQL": str(tmp_path / "shop" / "sql"), "ORDERHE_START_DATE": "2026-01-01"},
    )
    made.write({"raw/orders.sql": ORDERS})
    on(made, mariadb, shop_database)
    made.create()
    return made


def text_of(shop: TestShop) -> str:
    return (shop.folder / "sql/raw/orders.sql").read_text("utf-8")


def orderhe(shop: TestShop, *words: str) -> Result:
    environ = {"ORDERHE_HOME": str(shop.folder / "home"), **shop.environ}
    return CliRunner().invoke(main, ["adopt", *words], env=environ, catch_exceptions=False)


# Title: what is altered in the shop, the lines that go, the lines that come.
CASES = {
    "added in the middle": (
        "alter table orders add coupon varchar(20) not null default '' comment 'x' after price",
        [],
        ["    coupon varchar(20) DEFAULT '' COMMENT 'x',"],
    ),
    "added first and last": (
        "alter table orders add shop_no int first, add `no text` int",
        [],
        ["    shop_no int(11) DEFAULT NULL,", "    `no text` int(11) DEFAULT NULL,"],
    ),
    "dropped": (
        "alter table orders drop column phone",
        [
            "-- @pii mail, phone",
            "-- @bad_values phone null, day fail",
            "    phone varchar(20),",
            "    key by_mail (mail, phone), # an index",
            "    unique key (phone)",
            "    primary key (id),",
        ],
        ["-- @pii mail", "-- @bad_values day fail", "    primary key (id)"],
    ),
    "renamed": (
        "alter table orders change mail `e-mail` varchar(20)",
        [
            "-- @pii mail, phone",
            "    mail varchar(20) comment 'of the buyer', /* may",
            "    key by_mail (mail, phone), # an index",
        ],
        [
            "-- @pii `e-mail`, phone",
            "    `e-mail` varchar(20) comment 'of the buyer', /* may",
            "    key by_mail (`e-mail`, phone), # an index",
        ],
    ),
    "widened, and null allowed": (
        "alter table orders modify price decimal(12,2)",
        ["    price decimal(10,2) not null comment 'In won, , -- really' , -- what was paid"],
        ["    price decimal(12,2) comment 'In won, , -- really' , -- what was paid"],
    ),
    "enum": (
        "alter table orders modify state enum('it''s \\\\ paid','new') not null",
        ["    state enum('new', 'gone') not null default 'new',"],
        ["    state enum('new', 'gone', 'it''s \\\\ paid') not null default 'new',"],
    ),
    "primary key": (
        "alter table orders drop primary key, add primary key (id, day)",
        ["    primary key (id),", "    unique key (phone)"],
        ["    unique key (phone),", "    PRIMARY KEY (`id`,`Day`)"],
    ),
    "a type that no contract has": (
        "alter table orders add place point, add area polygon",
        [],
        ["-- @leave_out place, area"],
    ),
}


@pytest.mark.parametrize("title", CASES)
def test_only_what_changed_is_written_anew(
    shop: TestShop, mariadb: MariaDB, shop_database: str, title: str
) -> None:
    alter, gone, come = CASES[title]
    run(mariadb, shop_database, [alter])
    shown = orderhe(shop, "--update", "orders")
    assert shown.exit_code == 1, shown.output
    assert text_of(shop) == ORDERS, "shown is not written"
    lines = shown.output.splitlines()
    assert lines[:2] == ["--- a/raw/orders.sql", "+++ b/raw/orders.sql"]
    minus = [line[1:] for line in lines if line.startswith("-") and line[1] != "-"]
    plus = [line[1:] for line in lines if line.startswith("+") and line[1] != "+"]
    minus += [line[1:] for line in lines if line.startswith("--- @")]
    assert sorted(minus) == sorted(gone)
    assert sorted(plus) == sorted(come)
    assert "`orderhe adopt --update orders --write`" in lines[-1]
    written = orderhe(shop, "--update", "--write")
    assert written.exit_code == 0, written.output
    assert text_of(shop) != ORDERS
    (table,) = shop.catalogue.layer("raw")
    left = [change for change in shop.source.drift(table) if change.effect != "noted"]
    assert left == []
    again = orderhe(shop, "--update")
    assert again.exit_code == 0
    assert again.output.splitlines()[-1] == "1 contract compared: all are as their tables are"


def test_what_cannot_be_lost_is_left_as_it_is(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, ["alter table orders modify note varchar(9) not null after id"])
    lines, differs = update_contracts(shop.settings, [])
    assert not differs
    assert [line.split(": ")[1].split(" ")[0] for line in lines[:-1]] == ["orders.note"] * 2 + [
        "orders"
    ]
    assert text_of(shop) == ORDERS


def test_a_partition_that_is_gone_is_not_guessed(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, ["alter table orders drop column day"])
    with pytest.raises(NotUpdated, match=r"orders: raw/orders\.sql .*@partition names 'day'"):
        update_contracts(shop.settings, ["orders"])


def test_a_type_that_is_not_carried_is_told(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, ["alter table orders modify note point"])
    with pytest.raises(NotUpdated, match=r"orders: .*'note' is point: a spatial type"):
        update_contracts(shop.settings, [])


def test_a_column_is_added_to_a_contract_of_one_line(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    shop.write({"raw/orders.sql": "create table orders (id int primary key not null, note text);"})
    alter = "alter table orders drop primary key, drop key by_mail, modify id int"
    run(mariadb, shop_database, [alter, "alter table orders modify mail varchar(9) first"])
    lines, _ = update_contracts(shop.settings, ["raw/orders"], write=True)
    assert text_of(shop) == (
        "create table orders (mail varchar(9) DEFAULT NULL, id int, Day date,"
        " price decimal(10,2) COMMENT 'In won, , -- really',"
        " state enum('new','gone') DEFAULT 'new', phone varchar(20) DEFAULT NULL, note text,"
        " updated_at datetime(6));"
    ), lines


def test_table_and_columns_may_be_called_otherwise_in_the_shop(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    text = "create table `Old Orders` (id int primary key, ` lead` int, xmin int)"
    shop.write({"raw/orders.sql": f"-- @leave_out `a, b`\n{text};\n"})
    alter = "alter table `Old Orders` modify ` lead` bigint, modify xmin point, add `a, b` int"
    run(mariadb, shop_database, [text, alter])
    with pytest.raises(NotUpdated, match=r"column 'xmin' is point: a spatial type"):
        update_contracts(shop.settings, [])
    run(mariadb, shop_database, ["alter table `Old Orders` drop xmin, add `c, d` polygon"])
    lines, differs = update_contracts(shop.settings, ["orders"], write=True)
    assert not differs, lines
    assert text_of(shop) == (
        "-- @leave_out `a, b`, `c, d`\n"
        "create table `Old Orders` (id int primary key, ` lead` bigint(20));\n"
    )
    assert update_contracts(shop.settings, [])[0] == [
        "1 contract compared: all are as their tables are"
    ]


def test_a_table_that_has_no_contract_is_named(shop: TestShop) -> None:
    with pytest.raises(LaunchError, match=r"no contract of lost: there are orders"):
        update_contracts(shop.settings, ["lost"])


@pytest.mark.parametrize("words", [["a", "b"], ["--write"], ["--update", "--force"]])
def test_words_that_do_not_go_together_are_refused(shop: TestShop, words: list[str]) -> None:
    assert orderhe(shop, *words).exit_code == 2
