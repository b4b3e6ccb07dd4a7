"""What adopt sees of the values in a MariaDB, how long it looks, and that each cure which it prints works."""

from __future__ import annotations

import re
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.catalog.segments import Outside
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.cli import main
from orderhe_dagster.commands.adopt import adopt_schema
from orderhe_dagster.intake.adopt.adopter import Asked
from orderhe_dagster.intake.adopt.report import WHOLE_FILE
from orderhe_dagster.intake.adopt.selection import AdoptError
from orderhe_dagster.ports.source import ColumnLook, LookAsked, Reference, TableLook
from orderhe_dagster.resources.mysql import survey
from orderhe_dagster.settings.config import Settings, load_settings
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.intake.adopt.strange import on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source
from orderhe_dagster_tests.shops import TestShop

VISITS = """create table Visits (
    id int primary key, happened_on datetime not null, note varchar(90), mood enum('good', 'bad') not null,
    stamp int, written varchar(20)
)"""
FILL = """insert into Visits
    select seq, if(seq % 10, '2026-01-01' + interval seq hour, 0), if(seq % 20, null, concat('a', char(0))),
        if(seq % 25, 'good', ''), 1760000000 + seq, '2026-01-02' from seq_1_to_{}"""
SHOP = (
    """create table oc_order (order_id int primary key, date_added datetime not null,
        invoice_date datetime not null default '0000-00-00', total decimal(12,2))""",
    "create table oc_order_product (order_product_id int primary key, order_id int, product_id int)",
    "create table oc_product (product_id int primary key, date_added datetime not null, name text)",
    """create table `Old Invoices` (
        id int primary key, invoice_date varchar(20), order_date int, posted int, issued varchar(8))""",
    "create view latest as select * from oc_order",
    """insert into oc_order select seq, if(seq > 97, 0, '2026-01-01' + interval seq day),
        if(seq > 3, 0, '2026-03-01'), 9.5 from seq_1_to_100""",
    "insert into oc_order_product select seq, 1 + seq % 100, seq % 7 from seq_1_to_300",
    "insert into oc_product select seq, '2026-01-01' + interval seq * 9 day, 'x' from seq_0_to_6",
    """insert into `Old Invoices` select seq, '2026-02-03 10:00', 1760000000 + seq * 86400,
        20260200 + seq, concat('2026020', seq) from seq_1_to_9""",
)


@pytest.fixture
def shop(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> TestShop:
    """A shop with the habits of the MySQL 5 era, and no contract yet."""
    sql = tmp_path / "shop" / "sql"
    made = TestShop(tmp_path / "shop", {"ORDERHE_SQL": str(sql)})
    on(made, mariadb, shop_database)
    run(mariadb, shop_database, SHOP)
    return made


def adopt(shop: TestShop, asked: Asked | None = None) -> str:
    screen = adopt_schema(settings_of(shop), None, asked or Asked(force=True))
    return "\n".join([*screen, (shop.folder / "sql" / WHOLE_FILE).read_text("utf-8")])


def settings_of(shop: TestShop) -> Settings:
    """The shop's settings before there is a folder."""
    environ = {"ORDERHE_HOME": str(shop.home), **shop.environ}
    return load_settings(environ, shop.folder, makes_sql=True)


def tables_of(shop: TestShop) -> dict[str, Table]:
    return {table.name: table for table in shop.catalogue.tables}


# The look at the values ----------------------------------------------------------------------------


@pytest.fixture
def visits(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> Table:
    """A table of 100 visits, some of whose values cannot be carried."""
    run(mariadb, shop_database, [VISITS, FILL.format(100)])
    return read(tmp_path, {"raw/visits.sql": f"-- V.\n{VISITS}"}).tables[0]


def look(
    mariadb: MariaDB, database: str, table: Table, seconds: float = 60, rows: int = 100
) -> TableLook:
    source = mysql_source(mariadb, database)
    asked = LookAsked(table, rows, ("stamp", "written"))
    found: dict[str, TableLook] = source.survey([asked], seconds)
    return found["visits"]


def test_what_cannot_be_carried_is_counted(
    mariadb: MariaDB, shop_database: str, visits: Table
) -> None:
    found = look(mariadb, shop_database, visits)
    assert (found.rows, found.is_sample, found.problem) == (100, False, "")
    assert found.columns == {
        "happened_on": ColumnLook(0, {"z": 10}, date(2026, 1, 1), date(2026, 1, 5)),
        "note": ColumnLook(95, {"t": 5}),
        "mood": ColumnLook(0, {"e": 4}),
        "stamp": ColumnLook(like_seconds=100),
        "written": ColumnLook(like_days=100),
    }


def test_a_large_table_is_looked_at_by_both_ends(
    mariadb: MariaDB, shop_database: str, visits: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "WHOLE_ROWS", 50)
    monkeypatch.setattr(survey, "_SMALL_ROWS", 50)
    monkeypatch.setattr(survey, "_SAMPLE_ROWS", 10)
    found = look(mariadb, shop_database, visits)
    assert (found.rows, found.is_sample) == (20, True)
    days = found.columns["happened_on"]
    assert (days.first, days.last) == (date(2026, 1, 1), date(2026, 1, 5))
    assert days.faults == {"z": 2}
    assert found.columns["mood"].faults == {"e": 1}


def test_a_look_that_takes_too_long_is_cut_short_by_the_server(
    mariadb: MariaDB, shop_database: str, visits: Table, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(survey, "_STATEMENT_S", 0.001)
    run(mariadb, shop_database, ["truncate Visits", FILL.format(30_000)])
    found = look(mariadb, shop_database, visits, rows=30_000)
    assert (found.rows, found.is_sample) == (20_000, True)
    monkeypatch.setattr(survey, "_SAMPLE_S", 0.0001)
    blind = look(mariadb, shop_database, visits, rows=30_000)
    assert (blind.rows, blind.problem) == (0, "it takes too long to look at its rows")
    late = look(mariadb, shop_database, visits, seconds=0)
    assert late.problem == "the time for looking was over before it"


def test_one_table_that_cannot_be_looked_at_keeps_none_else_from_it(
    mariadb: MariaDB, shop_database: str, visits: Table, tmp_path: Path
) -> None:
    gone = read(tmp_path / "x", {"raw/gone.sql": "-- G.\ncreate table gone (id int)"}).tables[0]
    source = mysql_source(mariadb, shop_database)
    found = source.survey([LookAsked(gone, 5), LookAsked(visits, 5)], 60)
    assert found["gone"].problem == "MySQL's error 1146 stopped the look at it"
    assert found["visits"].rows == 100
    lost = Reference(gone, "id", visits, "id")
    assert source.matching([lost, Reference(visits, "stamp", visits, "id")]) == [None, 0.0]


# What is written, and its cures --------------------------------------------------------------------


def test_an_old_shop_is_written_as_it_is(shop: TestShop) -> None:
    told = adopt(shop)
    tables = tables_of(shop)
    orders = tables["oc_order"]
    assert (orders.partition, orders.cursor) == ("date_added", None)
    assert {c.name for c in orders.columns if c.promised} == {"date_added", "invoice_date"}
    assert "within about 1 night" in orders.description
    assert tables["oc_order_product"].day_text == "order_id -> oc_order.date_added"
    assert tables["oc_product"].partition is None
    assert tables["old_invoices"].partition is None
    for text in (
        "oc_order: 3 rows without a day in it, in the segment `outside`",
        "no real days become NULL and are counted: oc_order.date_added (3), oc_order.invoice_date (97)",
        "old_invoices: invoice_date is varchar(20), its values written like days",
        "old_invoices: order_date is int(11), its values like Unix time",
        "oc_product: @partition none (of 7 rows: all of them are read every night",
        "no contract: 1 view",
        "latest: no contract: it is a view, no table",
        "Next:\n  orderhe start\n  orderhe run '*'",
    ):
        assert text in told, told
    extract = shop.source.outside(orders, Outside(date(2026, 1, 2), date(2026, 4, 30)))
    assert (extract.undated, extract.before) == (3, 0)


def test_every_statement_that_is_printed_helps(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    told = adopt(shop)
    statements = re.findall(r"(?:create index|alter table) [^;\n]*", told)
    assert len({*statements}) == 8, statements
    run(mariadb, shop_database, [*dict.fromkeys(statements)])
    again = adopt(shop)
    tables = tables_of(shop)
    assert tables["oc_order"].cursor == "updated_at"
    assert tables["old_invoices"].partition is not None
    left = re.findall(r"(?:create index|alter table) [^;\n]*", again)
    assert [text for text in left if "`Old Invoices`" not in text] == []


def test_flags_answer_every_question(shop: TestShop, tmp_path: Path) -> None:
    names = tmp_path / "map.txt"
    names.write_text("Old Invoices = invoices\noc_order = orders\n", "utf-8")
    words = [
        "--only",
        "*order*,old*",
        "--map",
        str(names),
        "--partition",
        "orders=invoice_date",
    ]
    words += ["--partition", "oc_order_product=none", "--cursor", "invoices=order_date"]
    environ = {**shop.environ, "ORDERHE_HOME": str(shop.home)}
    done = CliRunner().invoke(main, ["adopt", *words], env=environ, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    tables = tables_of(shop)
    assert sorted(tables) == ["invoices", "oc_order_product", "orders"]
    assert (tables["orders"].partition, tables["orders"].source_name) == (
        "invoice_date",
        "oc_order",
    )
    assert tables["oc_order_product"].partition is None
    assert tables["invoices"].cursor == "order_date"
    assert "; 2 tables not chosen" in done.output
    assert f"3 of 3 contracts written to {shop.folder / 'sql' / 'raw'}" in done.output


def test_tables_may_be_adopted_one_after_the_other(shop: TestShop) -> None:
    """What has a contract already is a parent all the same, and stays as it is."""
    adopt(shop, Asked(only=("oc_order",)))
    parent = shop.folder / "sql" / "raw" / "oc_order.sql"
    parent.write_text(f"-- Mine.\n{parent.read_text('utf-8')}", "utf-8")
    before = parent.read_bytes()
    told = adopt(shop, Asked(only=("oc_order_product",)))
    assert "1 of 1 contracts written" in told
    assert tables_of(shop)["oc_order_product"].day_text == "order_id -> oc_order.date_added"
    assert parent.read_bytes() == before


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (Asked(only=("order",)), r"--only order: .*did you mean oc_order"),
        (
            Asked(names={"oc_orders": "x"}),
            r"--map: no table is called 'oc_orders'; did you mean oc_order",
        ),
        (
            Asked(partitions={"oc_order": "day"}),
            "oc_order has no such column: it has order_id, date_added",
        ),
        (Asked(partitions={"zz": "day"}), "--partition: no table is called 'zz'"),
        (
            Asked(only=("oc_product",), partitions={"oc_order": "date_added"}),
            "--partition oc_order: the table is not adopted",
        ),
        (
            Asked(partitions={"oc_order_product": "order_id -> oc_order.total"}),
            "--partition oc_order_product: .*which has no day",
        ),
    ],
)
def test_what_cannot_be_meant_is_said_before_anything_is_written(
    shop: TestShop, asked: Asked, told: str
) -> None:
    with pytest.raises(AdoptError, match=told):
        adopt_schema(settings_of(shop), None, asked)
    assert not (shop.folder / "sql" / "raw").exists()


def test_only_what_is_unsure_is_asked(
    shop: TestShop, mariadb: MariaDB, shop_database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(mariadb, shop_database, ["alter table oc_order add created datetime default '2026-01-01'"])
    run(mariadb, shop_database, ["update oc_order set created = date_added where order_id < 98"])
    monkeypatch.setattr("orderhe_dagster.intake.adopt.adopter.MANY_TABLES", 3)
    answers = iter(["oc_order, ordres", "", "*order*", "bad", "created"])
    questions: list[tuple[str, str]] = []

    def ask(question: str, guess: str) -> str:
        questions.append((question, guess))
        return next(answers)

    adopt_schema(settings_of(shop), None, None, ask)
    assert [guess for _, guess in questions] == ["all", "", "all", "created", "created"]
    assert "5 tables: all, or which?" in questions[0][0]
    assert "--only ordres: no table is called so; did you mean oc_order" in questions[1][0]
    assert questions[3][0] == (
        "oc_order: which column tells the day of a row? (created, date_added, none)"
    )
    assert sorted(tables_of(shop)) == ["oc_order", "oc_order_product"]
    questions.clear()
    adopt_schema(settings_of(shop), None, Asked(only=("oc_product",)), ask)
    assert questions == []
