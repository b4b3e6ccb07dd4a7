"""Writing to MySQL beyond what every source promises: rights, DDL, keys, transactions in each other's way."""

from __future__ import annotations

import threading
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.mysql.errors import MySQLCommitUnknown, MySQLError, mysql_error
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster.resources.mysql.tables import OURS, create_text, parents_first
from orderhe_dagster.shop.marker import MARKER
from orderhe_dagster_tests.contracts.sources import (
    DAY,
    SALES,
    SEGMENT,
    count,
    fill,
    rows_of,
    sale,
    tables,
)
from orderhe_dagster_tests.servers.mariadb import READER, MariaDB, mysql_source
from orderhe_dagster_tests.servers.proxy import fault_proxy

FAMILY = {
    "child": """create table child (id int primary key, parent_id int not null,
        foreign key (parent_id) references parent (id))""",
    "parent": "create table parent (id int primary key) comment 'a (bracket' -- and a remark",
}


@pytest.fixture
def source(mariadb: MariaDB, shop_database: str) -> MySQLSource:
    found: MySQLSource = mysql_source(mariadb, shop_database)
    return found


@pytest.fixture
def sales(source: MySQLSource, tmp_path: Path) -> Table:
    table = tables(tmp_path, sales=SALES)["sales"]
    source.create([table])
    return table


def test_the_database_and_parents_are_made_first_in_innodb_and_utf8mb4(
    mariadb: MariaDB, tmp_path: Path
) -> None:
    family = tables(tmp_path, **FAMILY)
    source = mysql_source(mariadb, "shop_made_anew")
    try:
        source.create([family["child"], family["parent"]])
        source.create([family["child"], family["parent"]])
        made = mariadb.run(
            "select table_name, engine, table_collation from information_schema.tables "
            "where table_schema = 'shop_made_anew' order by 1"
        )
        assert [(name, engine, str(kind)[:8]) for name, engine, kind in made] == [
            ("child", "InnoDB", "utf8mb4_"),
            ("parent", "InnoDB", "utf8mb4_"),
        ]
        with pytest.raises(PortError, match=r"raw\.child.*FOREIGN KEY.*oad the parent table first"):
            fill(source, family["child"], [{"id": 1, "parent_id": 7}])
    finally:
        mariadb.run("drop database if exists shop_made_anew")


def test_what_a_contract_says_of_engine_and_characters_stays(tmp_path: Path) -> None:
    text = "create table t (id int, note varchar(5) character set latin1) engine = MyISAM {}"
    found = tables(tmp_path, t=text.format("collate utf8mb4_bin"))["t"]
    assert create_text(found) == found.sql
    found = tables(tmp_path, t=text.format(""))["t"]
    assert create_text(found).splitlines()[-1] == "default charset=utf8mb4"


def test_tables_that_name_each_other_are_all_made(tmp_path: Path) -> None:
    circle = "create table {} (id int primary key, foreign key (id) references {} (id))"
    found = tables(tmp_path, a=circle.format("a", "b"), b=circle.format("b", "a"))
    assert {table.name for table in parents_first(list(found.values()))} == {"a", "b"}


def test_who_only_reads_is_told_what_is_lacking(
    mariadb: MariaDB, shop_database: str, sales: Table, tmp_path: Path
) -> None:
    reader = mysql_source(mariadb, shop_database, READER)
    assert reader.measure(sales, Window.of(DAY))[SEGMENT].rows == 0
    with pytest.raises(PortError, match=rf"1142.*`grant insert on .*to {READER.user}"):
        fill(reader, sales, [sale(1)])
    other = tables(tmp_path / "more", other="create table other (id int)")["other"]
    with pytest.raises(PortError, match=r"raw\.other.*1142.*`grant create, references on "):
        reader.create([other])
    with pytest.raises(PortError, match=r"1044.*create database|1044"):
        mysql_source(mariadb, "nowhere", READER).create([other])


def test_a_table_that_others_have_not_is_no_reason_to_make_one(
    mariadb: MariaDB, shop_database: str, sales: Table, tmp_path: Path
) -> None:
    """Other tables in the database: it is somebody's shop. The simulation's own is ours."""
    source = mysql_source(mariadb, shop_database)
    near = tables(tmp_path / "near", sale="create table sale (id int primary key)")["sale"]
    far = tables(tmp_path / "far", memos="create table memos (id int primary key)")["memos"]
    for table, words in ((near, "did you mean sales?"), (far, "there are sales")):
        with pytest.raises(PortError, match=r"1146|orderhe adopt") as caught:
            source.measure(table, None)
        assert words in str(caught.value)
        assert "orderhe create" not in str(caught.value)
    assert OURS == MARKER
    mariadb.run(f"create table `{shop_database}`.{OURS} (day date)")
    with pytest.raises(PortError, match="orderhe create"):
        source.measure(far, None)


@pytest.mark.parametrize(
    ("denied", "rights"),
    [
        ("SELECT", "select, show view"),
        ("SHOW VIEW", "select, show view"),
        ("CREATE", "create, references"),
        ("DELETE", "delete"),
        ("INSERT, UPDATE", "insert, update"),
    ],
)
def test_a_denied_command_asks_for_its_own_right(denied: str, rights: str) -> None:
    error = Exception(1142, f"{denied} command denied to user 'me'@'h' for table `s`.`t`")
    said = str(mysql_error(error, "h:3306/s", "me"))
    assert f"`grant {rights} on s.* to me`" in said, said


def test_ddl_after_rows_is_refused_before_it_commits_them(
    source: MySQLSource, sales: Table
) -> None:
    with pytest.raises(PortError, match="a transaction of its own"), source.writing() as writer:
        writer.append(sales, rows_of([sale(1)]))
        writer.execute("create table more (id int)")
    assert count(source) == 0


def test_ddl_before_rows_leaves_them_all_or_nothing(source: MySQLSource, sales: Table) -> None:
    with pytest.raises(ZeroDivisionError), source.writing() as writer:
        writer.execute("create table if not exists more (id int)")
        writer.append(sales, rows_of([sale(1)]))
        raise ZeroDivisionError
    assert count(source) == 0


def test_text_arrives_as_it_is(source: MySQLSource, tmp_path: Path) -> None:
    table = tables(tmp_path, t="create table t (id int primary key, a text, b blob)")["t"]
    source.create([table])
    texts = ["\\", "\\'", "''", '"`', "%s %(x)s", "\0\n\r\t\x1a", "🙂한", "--", "/*", ";"]
    rows = [{"id": n, "a": text, "b": text.encode()} for n, text in enumerate(texts)]
    fill(source, table, rows)
    with source.writing() as writer:
        assert writer.fetch("select id, a, b from t order by id").to_pylist() == rows
        # As DuckDB reads it: a backslash is itself, || joins, a name stands in double quotes.
        said = writer.fetch('select \'a\\\' || "id" as joined from "t" where id = 0')
        assert said.to_pylist() == [{"joined": "a\\0"}]


def test_a_key_that_differs_in_capitals_is_a_duplicate_and_shown(
    source: MySQLSource, sales: Table
) -> None:
    fill(source, sales, [sale(1)])
    with pytest.raises(PortError, match=r"duplicate key, region 'KR', number 1: "):
        fill(source, sales, [sale(1, region="KR", mail="x@shop")])


def test_many_rows_are_more_than_one_statement(source: MySQLSource, tmp_path: Path) -> None:
    table = tables(tmp_path, t="create table t (id int primary key, a text)")["t"]
    source.create([table])
    rows = pa.table({"id": pa.array(range(4000), pa.int32()), "a": ["한" * 700] * 4000})
    with source.writing() as writer:
        writer.append(table, rows)
        found = writer.fetch("select count(*) as n, min(length(a)) as bytes from t").to_pylist()
    assert found == [{"n": 4000, "bytes": 2100}]


def test_of_two_that_wait_for_each_other_one_is_named_a_deadlock(
    source: MySQLSource, sales: Table
) -> None:
    fill(source, sales, [sale(1), sale(2)])
    both = threading.Barrier(2, timeout=30)
    said: list[BaseException | None] = []

    def change(first: int, second: int) -> None:
        try:
            with source.writing() as writer:
                writer.execute(f"update sales set small = 1 where number = {first}")
                both.wait()
                writer.execute(f"update sales set small = 2 where number = {second}")
        except BaseException as error:
            said.append(error)

    # By the primary key, or each would wait at the first row already.
    threads = [threading.Thread(target=change, args=pair) for pair in ((1, 2), (2, 1))]
    with source.writing() as writer:
        writer.execute("create unique index by_number on sales (number)")
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    (error,) = said
    assert isinstance(error, MySQLError)
    assert error.code == 1213
    assert "run this again" in str(error)


def test_a_lock_that_is_held_too_long_is_named(
    source: MySQLSource, sales: Table, mariadb: MariaDB
) -> None:
    fill(source, sales, [sale(1)])
    with source.writing() as holder:
        holder.execute("update sales set small = 1")
        with (
            pytest.raises(PortError, match=r"1205.*Another transaction"),
            source.writing() as other,
        ):
            other.execute("set session innodb_lock_wait_timeout = 1")
            other.execute("update sales set small = 2")


def test_a_commit_that_nobody_answers_is_told_as_unknown(
    mariadb: MariaDB, shop_database: str, source: MySQLSource, sales: Table
) -> None:
    with fault_proxy(mariadb.port) as proxy:
        far = mysql_source(mariadb, shop_database, port=proxy.port)
        with pytest.raises(MySQLCommitUnknown, match="not known"), far.writing() as writer:
            writer.append(sales, rows_of([sale(1)]))
            proxy.arm("rst", 1)  # the answer to the commit
    assert count(source) == 1, "it had happened"


def test_a_writers_connection_that_breaks_leaves_nothing(
    mariadb: MariaDB, shop_database: str, source: MySQLSource, sales: Table
) -> None:
    with fault_proxy(mariadb.port) as proxy:
        far = mysql_source(mariadb, shop_database, port=proxy.port)
        with (
            pytest.raises(PortError, match=r"raw\.sales: .*run this again"),
            far.writing() as writer,
        ):
            writer.append(sales, rows_of([sale(1)]))
            proxy.arm("rst", 1)
            writer.append(sales, rows_of([sale(2, DAY + timedelta(1))]))
    assert count(source) == 0
