"""`orderhe restore source`: an empty database has the shop's rows again, all of them or none."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from orderhe_dagster.ports.source import Source
from orderhe_dagster.resources.build import build_named_source, close_idle
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.settings.config import MySQLSettings, SettingsError
from orderhe_dagster.settings.databases import mysql_of
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.road.test_restore import flip, lose_source, orderhe, restore
from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB
from orderhe_dagster_tests.shops import TestShop, shop_of

NAMES = ("buyers", "sales")
DAYS = ("2026-01-01", "2026-01-05")


def rows_of(source: Source, names: tuple[str, ...] = NAMES) -> dict[str, list[tuple[Any, ...]]]:
    with source.writing() as transaction:
        return {
            name: sorted(
                (tuple(row.values()) for row in transaction.fetch(f"select * from {name}").to_pylist()),
                key=repr,
            )
            for name in names
        }  # fmt: skip


def file_of(path: Path) -> EmbeddedSource:
    close_idle()
    return EmbeddedSource(str(path))


def test_a_lost_source_is_made_again_and_goes_on(ran_shop: TestShop) -> None:
    before = rows_of(ran_shop.source)
    lose_source(ran_shop)
    said = restore(ran_shop, "source")
    assert "sales: 4 rows, 5 days equal to the backups" in said
    assert "duckdb:shop.duckdb: restored and proven equal to the backups: buyers, sales." in said
    assert rows_of(ran_shop.source) == before
    assert "Source, backup and warehouse agree" in ran_shop.paste(said)
    loaded = "select table_name, segment, version from warehouse._loads order by 1, 2"
    held = ran_shop.rows(loaded)
    assert ran_shop.run("*", *DAYS).succeeded
    assert ran_shop.rows(loaded) == held


def test_rows_that_are_there_are_never_written_over(ran_shop: TestShop) -> None:
    before = rows_of(ran_shop.source)
    said = restore(ran_shop, "source", code=1)
    assert "buyers has 2 rows in duckdb:shop.duckdb, and a restore never writes over rows" in said
    said = restore(ran_shop, "source", "--table", "sales", "--from", "2026-01-02", code=1)
    assert "sales 2026-01-02 has 1 row in duckdb:shop.duckdb" in said
    assert rows_of(ran_shop.source) == before


def test_a_day_that_was_deleted_comes_back_alone(ran_shop: TestShop) -> None:
    before = rows_of(ran_shop.source)
    ran_shop.change("delete from sales where sold_on = date '2026-01-01'")
    said = restore(ran_shop, "source", "--table", "sales", "--from", "2026-01-01")
    assert "sales: 2 rows, 1 day equal to the backups" in said
    assert rows_of(ran_shop.source) == before


def test_an_older_state_becomes_a_database_of_its_own(ran_shop: TestShop, tmp_path: Path) -> None:
    moment, before = datetime.now(timezone.utc).isoformat(), rows_of(ran_shop.source)
    ran_shop.change(
        "update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2"
    )
    assert ran_shop.run("*", *DAYS).succeeded
    now, file = rows_of(ran_shop.source), tmp_path / "then.duckdb"
    restore(ran_shop, "source", "--into", f"duckdb:{file}", "--as-of", moment)
    assert rows_of(file_of(file)) == before != now
    assert rows_of(ran_shop.source) == now
    assert ran_shop.record("sales", "2026-01-02").generation == 2, "the backups are as they were"
    one = tmp_path / "one.duckdb"
    restore(ran_shop, "source", "--into", f"duckdb:{one}", "--table", "buyers")
    assert rows_of(file_of(one), ("buyers",)) == {"buyers": before["buyers"]}


def test_a_damaged_part_is_named_and_nothing_is_made(ran_shop: TestShop, tmp_path: Path) -> None:
    (part,) = ran_shop.record("sales", "2026-01-04").parts
    flip(ran_shop, part.key, 77)
    file = tmp_path / "new.duckdb"
    said = restore(ran_shop, "source", "--into", f"duckdb:{file}", code=1)
    assert f"sales 2026-01-04: s3://orderhe/{part.key}: it is not as it was written" in said
    assert not file.exists()
    restore(ran_shop, "source", "--into", f"duckdb:{file}", "--table", "buyers")


def test_what_would_not_be_equal_is_rolled_back(
    ran_shop: TestShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from orderhe_dagster.resources.laptop import embedded_source

    put = embedded_source.insert_files

    def losing(connection: Any, table: Any, paths: Any) -> int:
        rows = put(connection, table, paths)
        connection.execute(
            f"delete from {table.name} where rowid = (select min(rowid) from {table.name})"
        )
        return rows

    file = tmp_path / "new.duckdb"
    with monkeypatch.context() as patch:
        patch.setattr(embedded_source, "insert_files", losing)
        said = restore(ran_shop, "source", "--into", f"duckdb:{file}", code=1)
    assert "would not be what the backups have, in 1 segment: all: 1 row, not 2" in said
    assert "all of it was rolled back" in said
    assert rows_of(file_of(file)) == {"buyers": [], "sales": []}
    restore(ran_shop, "source", "--into", f"duckdb:{file}")
    assert rows_of(file_of(file)) == rows_of(ran_shop.source)


def test_another_table_of_that_name_is_not_filled(ran_shop: TestShop, tmp_path: Path) -> None:
    file = tmp_path / "other.duckdb"
    restore(ran_shop, "source", "--into", f"duckdb:{file}", "--table", "buyers")
    with file_of(file).writing() as transaction:
        transaction.execute("drop table buyers")
        transaction.execute("create table buyers (buyer_code integer)")
    said = restore(ran_shop, "source", "--into", f"duckdb:{file}", "--table", "buyers", code=1)
    assert "buyers in duckdb:other.duckdb is another table than raw/buyers.sql says" in said


def test_a_simulated_shop_is_told_what_to_do(tmp_path: Path) -> None:
    start = date.today() - timedelta(days=2)
    shop = TestShop(
        tmp_path, {"ORDERHE_START_DATE": start.isoformat(), "ORDERHE_SHOP": "simulated"}
    )
    shop.create()
    assert shop.run(
        "backup/*,raw/*", start.isoformat(), (start + timedelta(days=1)).isoformat()
    ).succeeded
    said = restore(shop, "source", code=1)
    assert "this shop is simulated" in said
    file = tmp_path / "copy.duckdb"
    assert "restored and proven" in restore(shop, "source", "--into", f"duckdb:{file}")
    assert file.stat().st_mode & 0o077 == 0  # it holds customers
    names = ("customers", "products", "orders")
    assert rows_of(file_of(file), names) == rows_of(shop.source, names)
    # What it says is right: the days are made again, the same.
    before = rows_of(shop.source, names)
    lose_source(shop)
    shop.paste(said)
    assert rows_of(shop.source, names) == before


@pytest.fixture(scope="module")
def real_shop(systems: Systems, tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The small shop on MariaDB, S3 and the wire server, after a run of all its days."""
    folder = tmp_path_factory.mktemp("real") / "shop"
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
        shop = shops.sales_shop(folder, systems.environ(ALL, folder / "home"))
        outcome = shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    return shop


def url_of(server: MariaDB, database: str) -> str:
    account = f"{OWNER.user}:{quote(OWNER.password, safe='')}"
    return f"mysql://{account}@{server.host}:{server.port}/{database}?ssl_ca={quote(server.ca)}"


def test_mysql_from_s3_to_a_new_database_and_to_the_shops_own(
    real_shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    before, url = rows_of(real_shop.source), url_of(mariadb, shop_database)
    said = restore(real_shop, "source", "--into", url)
    assert OWNER.password not in said
    assert rows_of(build_named_source(real_shop.settings, url)) == before
    assert "buyers has 2 rows in mysql://" in restore(real_shop, "source", "--into", url, code=1)
    real_shop.change("delete from sales", "delete from buyers")
    said = restore(real_shop, "source")
    assert rows_of(real_shop.source) == before
    assert "Source, backup and warehouse agree" in real_shop.paste(said)


def test_the_rights_that_the_page_asks_for_are_enough(
    ran_shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    mariadb.run("create user 'restorer'@'%' identified by 'secret' require ssl")
    try:
        rights = "select, show view, create, references, insert"
        mariadb.run(f"grant {rights} on {shop_database}.* to 'restorer'@'%'")
        where = f"{mariadb.host}:{mariadb.port}/{shop_database}?ssl_ca={quote(mariadb.ca)}"
        said = restore(ran_shop, "source", "--into", f"mysql://restorer:secret@{where}")
        assert "restored and proven equal" in said and "secret" not in said
    finally:
        mariadb.run("drop user 'restorer'@'%'")


def test_the_wire_warehouse_is_made_again_from_s3(real_shop: TestShop) -> None:
    names = ("warehouse.buyers", "warehouse.sales", "mart.takings", "mart.buyer_totals")

    def held() -> list[Any]:
        ledger = "select table_name, segment, row_count, digest from warehouse._loads order by 1, 2"
        rows = [sorted(real_shop.rows(f"select * from {name}"), key=repr) for name in names]
        return [rows, real_shop.rows(ledger)]

    before = held()
    with real_shop.warehouse.session("a hand") as session:
        session.execute("drop schema warehouse cascade")
        session.execute("drop schema mart cascade")
    assert "proven equal to the backups" in restore(real_shop, "warehouse")
    assert held() == before
    assert "byte for byte" in restore(real_shop, "--check")
    drilled = restore(real_shop, "--drill", "--seed", "4")
    assert "equal to the backups" in drilled and "NOT" not in drilled
    assert "The certificate holds." in restore(real_shop, "--verify", "latest")
    assert held() == before


def test_a_trigger_that_changes_rows_is_found_and_all_is_rolled_back(
    real_shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    url = url_of(mariadb, shop_database)
    target = build_named_source(real_shop.settings, url)
    target.create(real_shop.catalogue.layer("raw"))
    mariadb.run(
        f"create trigger {shop_database}.cheaper before insert on {shop_database}.sales "
        "for each row set new.price = new.price / 2"
    )
    said = restore(real_shop, "source", "--into", url, code=1)
    assert "would not be what the backups have" in said and "A trigger" in said
    assert rows_of(target) == {"buyers": [], "sales": []}


def test_what_no_backup_has_is_said(systems: Systems, mariadb: MariaDB, tmp_path: Path) -> None:
    visits = """
-- Visits, as an old application wrote them.
-- @bad_values born null
create table visits (id int not null primary key, born date, note text);
"""
    folder = tmp_path / "shop"
    environ = systems.environ(frozenset({"mysql"}), folder / "home")
    shop = shop_of(folder, {"raw/visits.sql": visits}, **environ)
    shop.create()
    database = environ["ORDERHE_MYSQL_DATABASE"]
    mariadb.run("set sql_mode = ''")
    rows = "(1, '2000-01-01', 'a'), (2, '0000-00-00', 'b'), (3, null, concat('x', char(0)))"
    mariadb.run(f"set statement sql_mode = '' for insert into {database}.visits values {rows}")
    assert shop.run("backup/visits").succeeded
    file = tmp_path / "copy.duckdb"
    said = restore(shop, "source", "--into", f"duckdb:{file}")
    assert "not in the backups: 1 row that could not be carried (quarantine)" in said
    assert "quarantine-00000.jsonl" in said and "born: 1 value NULL here" in said
    assert rows_of(file_of(file), ("visits",))["visits"] == [
        (1, date(2000, 1, 1), "a"),
        (2, None, "b"),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("postgres://me@host/shop", "must say server and database"),
        ("mysql://me@host", "must say server and database"),
        ("mysql://host/shop", "must name a user"),
        ("mysql://me:secret@host:x/shop", "cannot be read"),
        ("mysql://me@host/shop?tls=no", "behind \\? may stand"),
    ],
)
def test_a_database_that_cannot_be_read_is_refused(text: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as caught:
        mysql_of(text, MySQLSettings())
    assert "secret" not in str(caught.value)


def test_a_database_is_read_with_what_the_settings_say_besides() -> None:
    usual = MySQLSettings(user="me", connect_timeout=3)
    named = mysql_of("mysql://b%40c:p%3Aw@host:33/my%20shop?sslmode=disable", usual)
    assert (named.user, named.password.reveal()) == ("b@c", "p:w")
    assert (named.where, named.sslmode, named.connect_timeout) == ("host:33/my shop", "disable", 3)
    assert mysql_of("mysql://host/shop", usual).user == "me"


def test_into_is_for_a_source(ran_shop: TestShop) -> None:
    done = orderhe(ran_shop, "restore", "warehouse", "--into", "duckdb:x")
    assert done.exit_code == 2 and "--into is not for warehouse" in done.output
