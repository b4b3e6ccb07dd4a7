"""Contracts of shops unlike the demo's are read as MySQL means them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from orderhe_dagster.catalog.mysql_types import characters, integer_range
from orderhe_dagster.catalog.table import Catalogue, Column, ForeignKey, Table, TableRef
from orderhe_dagster_tests.catalog.folders import read, refused

DUMPED = """\
CREATE TABLE `order` (
  `key` varchar(20) CHARACTER SET latin1 COLLATE latin1_bin NOT NULL DEFAULT 'a''b, c' COMMENT '열쇠; "키"',
  `Group` int(10) unsigned zerofill NOT NULL AUTO_INCREMENT,
  `select` text COLLATE utf8mb4_unicode_ci,
  `주문일` datetime(3) NOT NULL DEFAULT CURRENT_TIMESTAMP(3) ON UPDATE CURRENT_TIMESTAMP(3),
  `seen` timestamp NULL DEFAULT NULL,
  `price` decimal(10,2) unsigned NOT NULL DEFAULT '0.00',
  `neg` int DEFAULT -1,
  `uid` char(36) DEFAULT (uuid()) /*!80023 INVISIBLE */,
  `total` int CHECK (`total` > 0),
  `intro` varchar(9) DEFAULT _latin1'é',
  `flag` bit(1) DEFAULT b'0' CHECK (`flag` in (0,1)),
  `kind` enum('a','b''c','한글') COLLATE utf8mb4_bin DEFAULT 'a',
  PRIMARY KEY (`KEY`,`group`) USING BTREE,
  UNIQUE KEY `u` (`uid`,`neg` DESC),
  KEY `k` (`select`(10)),
  FULLTEXT KEY `f` (`select`),
  CONSTRAINT `self` FOREIGN KEY (`neg`) REFERENCES `order` (`Group`) ON DELETE SET NULL ON UPDATE NO ACTION,
  CONSTRAINT `c` CHECK ((`neg` > -5))
) ENGINE=InnoDB AUTO_INCREMENT=5 DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_0900_ai_ci COMMENT='주문'
/*!50100 PARTITION BY HASH (`Group`) */;
"""


def contract(folder: Path, text: str, name: str = "x") -> Table:
    return read(folder, {f"raw/{name}.sql": text}).tables[0]


def column(folder: Path, text: str) -> Column:
    return contract(folder, f"create table x (\n c {text}\n)").columns[0]


def test_dump_of_mysql_is_read_whole(tmp_path: Path) -> None:
    table = contract(tmp_path, DUMPED, "order")
    assert table.column_names == (
        *("key", "Group", "select", "주문일", "seen", "price"),
        *("neg", "uid", "total", "intro", "flag", "kind"),
    )
    assert table.grain == ("key", "Group"), "names are spelt as the columns are"
    assert table.unique == (("uid", "neg"),)
    assert table.foreign_keys == (ForeignKey(("neg",), "order", ("Group",)),)
    assert table.description == "주문"
    assert table.column("key").description == '열쇠; "키"'
    assert [c.name for c in table.columns if not c.nullable] == ["key", "Group", "주문일", "price"]
    assert table.column("kind").values == ("a", "b'c", "한글")
    assert table.column("주문일").line == 5
    defaults = {c.name: c.default for c in table.columns if c.default is not None}
    assert defaults == {
        "key": "'a''b, c'",
        "주문일": "CURRENT_TIMESTAMP(3)",
        "seen": "NULL",
        "price": "'0.00'",
        "neg": "-1",
        "uid": "(uuid())",
        "intro": "_latin1'é'",
        "flag": "b'0'",
        "kind": "'a'",
    }
    assert table.column("Group").type.declared == "int(10) unsigned zerofill"


TYPES = {
    # declared: kind, precision, scale, length
    "tinyint(1)": ("smallint", 0, 0, 0),
    "bool": ("smallint", 0, 0, 0),
    "tinyint unsigned": ("smallint", 0, 0, 0),
    "smallint": ("smallint", 0, 0, 0),
    "smallint unsigned": ("integer", 0, 0, 0),
    "mediumint": ("integer", 0, 0, 0),
    "mediumint unsigned": ("integer", 0, 0, 0),
    "INTEGER(11)": ("integer", 0, 0, 0),
    "int unsigned": ("bigint", 0, 0, 0),
    "int zerofill": ("bigint", 0, 0, 0),
    "bigint": ("bigint", 0, 0, 0),
    "bigint unsigned": ("decimal", 20, 0, 0),
    "serial": ("decimal", 20, 0, 0),
    "decimal": ("decimal", 10, 0, 0),
    "dec(5)": ("decimal", 5, 0, 0),
    "numeric(38,10)": ("decimal", 38, 10, 0),
    "float": ("real", 0, 0, 0),
    "float(53)": ("double", 0, 0, 0),
    "float(7,4)": ("real", 0, 0, 0),
    "double precision": ("double", 0, 0, 0),
    "real": ("double", 0, 0, 0),
    "char": ("varchar", 0, 0, 4),
    "char(3)": ("varchar", 0, 0, 12),
    "national varchar(3)": ("varchar", 0, 0, 12),
    "character varying(5)": ("varchar", 0, 0, 20),
    "varchar(20000)": ("varchar", 0, 0, 65535),
    "tinytext": ("varchar", 0, 0, 1020),
    "text": ("varchar", 0, 0, 65535),
    "json": ("varchar", 0, 0, 65535),
    "enum('가나','b')": ("varchar", 0, 0, 8),
    "set('a','bc')": ("varchar", 0, 0, 16),
    "date": ("date", 0, 0, 0),
    "time(6)": ("varchar", 0, 0, 17),
    "year": ("smallint", 0, 0, 0),
    "bit": ("boolean", 0, 0, 0),
    "varbinary(16)": ("varbyte", 0, 0, 16),
    "blob": ("varbyte", 0, 0, 65535),
}


@pytest.mark.parametrize("declared", TYPES)
def test_type_is_carried_without_narrowing(declared: str, tmp_path: Path) -> None:
    kind = column(tmp_path, f"{declared} comment 'x'").type
    assert (kind.kind, kind.precision, kind.scale, kind.length) == TYPES[declared]
    assert kind.declared == declared


@pytest.mark.parametrize(
    ("declared", "fraction", "instant"),
    [("datetime", 0, False), ("datetime(3)", 3, False), ("timestamp(6)", 6, True)],
)
def test_times_keep_their_fraction_and_meaning(
    declared: str, fraction: int, instant: bool, tmp_path: Path
) -> None:
    kind = column(tmp_path, declared).type
    assert (kind.kind, kind.fraction, kind.instant) == ("timestamp", fraction, instant)


def test_shop_without_keys_or_partition_is_read(tmp_path: Path) -> None:
    table = contract(tmp_path, "# A log.\ncreate table x (line text)")
    assert (table.grain, table.partition, table.description) == ((), None, "A log.")


def test_header_speaks_for_the_table(tmp_path: Path) -> None:
    text = (
        "/* 주문.\n * 하루 한 줄. */\n-- @partition Day\n-- @cursor moved_at\n-- @grain `Day`, n\n"
        "-- @distkey n\n-- @sortkey day, n\n-- @owner a@b.co\n-- @freshness 90m\n-- @pii who\n"
        "create table x (day date not null, n int not null, moved_at datetime, who text,"
        " primary key (n));"
    )
    table = contract(tmp_path, text.replace("\n", "\r\n"))
    assert table.description == "주문.\n하루 한 줄."
    assert (table.partition, table.cursor, table.grain) == ("day", "moved_at", ("day", "n"))
    assert (table.distkey, table.sortkey, table.owner) == ("n", ("day", "n"), "a@b.co")
    assert table.freshness == timedelta(minutes=90)
    assert [c.name for c in table.columns if c.pii] == ["who"]
    assert table.sql.endswith("primary key (n))")


def test_primary_key_stays_a_key_beside_another_grain(tmp_path: Path) -> None:
    text = "-- @grain a, b\ncreate table x (id int primary key, a int not null, b int not null)"
    table = contract(tmp_path, text)
    assert (table.grain, table.unique) == (("a", "b"), (("id",),))


@pytest.mark.parametrize(
    ("declared", "length", "bounds"),
    [
        ("national varchar(3)", 3, None),
        ("char", 1, None),
        ("text", None, None),
        ("varbinary(3)", None, None),
        ("tinyint(1)", None, (-128, 127)),
        ("mediumint unsigned", None, (0, 2**24 - 1)),
        ("integer(3) zerofill", None, (0, 2**32 - 1)),
        ("serial", None, (0, 2**64 - 1)),
        ("decimal(3)", None, None),
    ],
)
def test_limits_are_those_of_the_contract(
    declared: str, length: int | None, bounds: tuple[int, int] | None, tmp_path: Path
) -> None:
    kind = column(tmp_path, declared).type
    assert (characters(kind), integer_range(kind)) == (length, bounds)


def test_parents_come_before_children_even_where_they_go_round(tmp_path: Path) -> None:
    catalogue = read(
        tmp_path,
        {
            "raw/a.sql": "create table a (id int primary key, b int references b(id))",
            "raw/b.sql": "create table b (id int primary key, c int, foreign key (c) references c(id))",
            "raw/c.sql": "create table c (id int primary key, self int references c(id))",
            "raw/y.sql": "create table y (id int primary key, z int references z(id))",
            "raw/z.sql": "create table z (id int primary key, y int references y(id))",
        },
    )
    assert [t.name for t in catalogue.tables] == ["c", "b", "a", "z", "y"]


@pytest.mark.parametrize(
    "name",
    ["Customer", "ps_orders-2", "2026", "from``to", "two words", "a.b$", "주문", "order", "x\ny"],
)
def test_the_source_may_call_a_table_as_it_likes(name: str, tmp_path: Path) -> None:
    files = {
        "raw/ours.sql": f"-- Ours.\ncreate table `{name}` (id int primary key)",
        "raw/child.sql": f"create table child (a int, foreign key (a) references `{name}` (id))",
        "mart/m.sql": "select id::int as id from warehouse.ours",
    }
    tables = {table.name: table for table in read(tmp_path, files).tables}
    assert tables["ours"].source_name == name.replace("``", "`")
    assert str(tables["ours"].ref) == "raw.ours"
    assert tables["child"].source_name == "child"
    assert tables["child"].foreign_keys == (ForeignKey(("a",), "ours", ("id",)),)
    assert tables["m"].source_name == "m"


def test_names_that_differ_in_capitals_are_two_tables(tmp_path: Path) -> None:
    """As on Linux; a reference in small letters, as other systems print it, is to the only one."""
    files = {
        "raw/a.sql": "create table Orders (id int primary key)",
        "raw/b.sql": "create table orders (id int primary key)",
        "raw/c.sql": "create table Staff (id int primary key, foreign key (id) references orders (id))",
        "raw/d.sql": "create table d (id int, foreign key (id) references staff (id))",
    }
    tables = {table.name: table for table in read(tmp_path, files).tables}
    assert tables["c"].foreign_keys[0].parent == "b"
    assert tables["d"].foreign_keys[0].parent == "c"


def test_demo_reads(project: Path) -> None:
    from orderhe_dagster.catalog.reader import read_catalogue

    catalogue: Catalogue = read_catalogue(project / "sql")
    assert [t.name for t in catalogue.layer("raw")] == ["customers", "products", "orders"]
    daily = catalogue.get(TableRef("mart", "daily_sales"))
    assert daily.partition == "order_date"
    assert daily.column("net_amount").description.startswith("Amount less cancelled")
    assert all(c.description for table in catalogue.tables for c in table.columns)
    assert not [c for t in catalogue.layer("mart") for c in t.columns if c.pii]


REFUSED = {
    "decimal(38,38)": "37 digits behind the point",
    "decimal(x)": "'x' must be a whole number",
    "varbinary(70000)": "from 0 to 65535",
    "char(256)": "from 0 to 255",
    "datetime(7)": "from 0 to 6",
    "time(7)": "from 0 to 6",
    "enum()": "its values are missing",
    "set()": "its values are missing",
    "enum('a','b','a ')": "value 'a' stands twice",
    "enum('a','A')": "MySQL takes 'a' and 'A' for one value",
    "set('e','é')": "MySQL takes 'e' and 'é' for one value",
    "timestamp(6) generated always as row start": "kept by MariaDB",
}


@pytest.mark.parametrize("declared", REFUSED)
def test_what_mysql_cannot_hold_is_refused(declared: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, {"raw/x.sql": f"create table x (\n c {declared}\n)"})
    assert problem.startswith("raw/x.sql:2: ")
    assert REFUSED[declared] in problem


def test_values_alike_are_told_apart_by_a_collation(tmp_path: Path) -> None:
    found = column(tmp_path, "enum('a','A') character set utf8mb4 collate utf8mb4_bin")
    assert found.values == ("a", "A")
