"""Tables that no shop has whole and any may have a part of: made by a seed, as SQL of MariaDB.

Every type with its variants, every kind of legal name for tables and columns, keys, computed columns,
comments, defaults, versions of rows, engines, partitions; rows with the values at the edges of each type,
and with such as cannot be carried. Nothing here knows what becomes of them.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeVar

from orderhe_dagster_tests.catalog.torture import FAULTS, VALUES

_Item = TypeVar("_Item")

Cases = tuple[str, Sequence[str]]
"""A type, and values of it as SQL."""

_NUMBERS: tuple[Cases, ...] = (
    ("bool", ("0", "1", "-128")),
    ("tinyint(3)", ("127",)),
    ("tinyint unsigned", ("255",)),
    ("tinyint(4) unsigned zerofill", ("7",)),
    ("smallint", ("-32768", "32767")),
    ("mediumint unsigned", ("16777215",)),
    ("int", ("-2147483648", "2147483647")),
    ("int(5)", ("0", "123456")),
    ("bigint", ("9223372036854775807", "0")),
    ("bigint(20) unsigned zerofill", ("1", "18446744073709551615")),
    ("decimal", ("-9999999999", "0")),
    ("decimal(0)", ("1",)),
    ("decimal(10,2)", ("0.01", "-99999999.99")),
    ("numeric(5,5)", ("0.99999", "-0.00001")),
    ("fixed(12,4) unsigned", ("99999999.9999",)),
    ("decimal(38,37)", ("-9.1234567890123456789012345678901234567",)),
    ("decimal(65,0)", ("-" + "9" * 65, "5")),
    ("decimal(65,37)", ("1.5", "9" * 28)),
    ("decimal(65,38)", ("1.5",)),  # no type of Redshift holds it
    ("float", ("0.1", "-3.402823e38", "1.17549e-38", "-0e0")),
    ("float unsigned", ("16777217",)),
    ("float(7,3)", ("1234.567",)),
    ("float(53)", ("0.1",)),
    ("real", ("1e308",)),
    ("double precision", ("-1.7976931348623157e308", "2.2250738585072014e-308", "-0e0")),
    ("double(15,4) unsigned", ("12345678901.1234",)),
    ("double zerofill", ("1.5",)),
    ("bit", ("b'0'", "b'1'")),
    ("bit(8)", ("b'11111111'",)),
    ("bit(63)", ("9223372036854775807",)),
)
_TIMES: tuple[Cases, ...] = (
    ("date", ("'1000-01-01'", "'0000-00-00'", "'2026-02-31'", "'2026-00-00'")),
    ("datetime", ("'2026-01-31 23:59:59'", "'0000-00-00 00:00:00'")),
    ("datetime(3)", ("'1999-12-31 23:59:59.999'",)),
    ("datetime(6)", ("'0001-01-01 00:00:00.000001'", "'2026-11-31 12:00:00'")),
    ("timestamp null", ("'1970-01-01 00:00:01'", "'2038-01-19 03:14:07'")),
    ("timestamp(6) null", ("'2026-03-29 01:59:59.999999'", "0")),
    ("time", ("'-838:59:59'", "'00:00:00'", "'23:59:59'")),
    ("time(3)", ("'-00:00:00.001'", "'838:59:59.999'")),
    ("year", ("1901", "2155", "0")),
    ("year(4)", ("1970",)),
)
_TEXTS: tuple[Cases, ...] = (
    ("char", ("'x'", "''")),
    ("char(0)", ("''",)),
    ("char(255)", ("repeat('한', 255)", "'\\\\'")),
    ("nchar(3)", ("'é'",)),
    ("varchar(1)", ("'😀'", "'\\''")),
    ("varchar(255)", ("' lead'", "'tab\\tline\\nret\\rend'", "'\\0'", "'!|!N\\\\N\"'")),
    ("national varchar(20)", ("'ñ'",)),
    ("varchar(2000) collate utf8mb4_bin", ("repeat('😀', 2000)",)),
    ("tinytext", ("repeat('x', 255)",)),
    ("text", ("repeat('é', 32767)", "'a|b\"c'")),
    ("mediumtext", ("repeat('x', 65535)", "repeat('x', 65536)")),
    ("longtext", ("'NULL'", "repeat('한', 21846)")),
    ("varchar(10) character set latin1", ("'€ÿ'",)),
    ("varchar(10) character set cp1251 collate cp1251_bin", ("'Жук'",)),
    ("varchar(10) character set euckr", ("'한글'",)),
    ("varchar(10) character set sjis", ("'表示'",)),
    ("varchar(10) character set gbk", ("'订单'",)),
    ("varchar(10) character set big5", ("'訂單'",)),
    ("varchar(10) character set ucs2", ("'a한'",)),
    ("varchar(10) character set utf32", ("'😀'",)),
    ("varchar(10) character set utf8mb3", ("'한'",)),
    ("varchar(10) character set ascii", ("'~'",)),
    ("varchar(10) character set binary", ("'\\0\\xff'",)),
    ("text compressed", ("repeat('abc', 1000)",)),
    ("enum('a')", ("'a'", "'nil'")),
    ("enum('x,y','it''s','\\\\','한','')", ("'x,y'", "'it''s'", "'\\\\'", "''", "0")),
    ("enum('a','A') collate utf8mb4_bin", ("'A'",)),
    ("enum('small','SMALL ') character set latin1 collate latin1_general_cs", ("'SMALL'",)),
    ("set('x')", ("'x'", "''")),
    ("set('a','b c','it''s','한')", ("'a,한'", "'it''s,b c'")),
    (f"set({','.join(f'{chr(39)}m{n}{chr(39)}' for n in range(64))})", ("'m63,m0'",)),
    ("json", ("'{}'", "'[1, null, \"한\"]'", "'\"\\\\u0000\"'")),
    ("uuid", ("'00000000-0000-0000-0000-000000000000'",)),
    ("inet4", ("'0.0.0.0'",)),
    ("inet6", ("'::'", "'2001:db8::ff00:42:8329'")),
)
_BYTES: tuple[Cases, ...] = (
    ("binary", ("x'00'", "x'ff'")),
    ("binary(16)", ("'abc'",)),
    ("varbinary(0)", ("''",)),
    ("varbinary(100)", ("x'00ff0a0d22'", "''")),
    ("tinyblob", ("x'00'",)),
    ("blob", ("repeat(x'00', 65535)", "''")),
    ("mediumblob", ("x'00'", "repeat('x', 70000)")),
    ("longblob", ("''", "repeat(x'ff', 1024001)")),
    ("blob compressed", ("repeat('x', 1000)",)),
)
_PLACES: tuple[Cases, ...] = tuple(
    (kind, (f"ST_GeomFromText('{text}')",))
    for kind, text in (
        ("geometry", "POINT(1 1)"),
        ("point", "POINT(1 2)"),
        ("linestring", "LINESTRING(0 0,1 1)"),
        ("polygon", "POLYGON((0 0,1 0,1 1,0 0))"),
        ("multipoint", "MULTIPOINT(0 0,1 1)"),
        ("geometrycollection", "GEOMETRYCOLLECTION(POINT(1 1))"),
    )
)


def _of_torture() -> Iterator[Cases]:
    """The values of the oracle that is written by hand, faults and all."""
    for kind, value, _ in VALUES.values():
        if value != "default":
            yield kind, (value,)
    for kind, value, _ in FAULTS.values():
        yield kind, (value, "default", "default")


_WIDE: Cases = next(kind for kind in _of_torture() if "60000" in kind[0])
TYPES: tuple[Cases, ...] = (*_NUMBERS, *_TIMES, *_TEXTS, *_BYTES, *_PLACES, *_of_torture())

TABLE_NAMES = (
    *("orders", "Customer", "ORDERS", "SalesOrderDetail", "customer-addresses", "ps_order.items"),
    *("Straße", "주문", "고객 주소", "заказы", "訂單", "Größe_é", "カート", "☃", "İstanbul", "ñ"),
    *("2026", "2fast", "1e5", "0x1F", "$", "a$b", "_hidden", "__rows", "_loads", "pg_class"),
    *("two words", " leading", "tab\there", "line\nbreak", "back`tick", "``", 'dou"ble', "it's"),
    *("back\\slash", "slash/es", "..", "a.b.c", "a,b", "semi;colon", "--", "/*x*/", "#", "(x)"),
    *(
        "*",
        "%",
        "%s",
        "{x}",
        "{{x}}",
        "[0]",
        "?",
        "@v",
        ":p",
        "=",
        "a=b",
        "&amp;",
        "<b>",
        "!N",
        "|",
    ),
    *("select", "order", "group", "table", "user", "end", "tag", "raw", "backup", "con", "nul"),
    *("x" * 64, "X" * 64, "가" * 46, "é" * 64, "a" * 63 + "-", "CamelCase" * 7, "á́"),
    *("\u007f", "\u0001", "\u200b", "\ufeffbom", "\uffee", "ﬁ", "Ⅷ", "٣", "ſ", "ǅ"),
    *("orderhe", "index", "current", "all", "outside", "null", "NULL", "true", "None", "warehouse"),
)
COLUMN_NAMES = (
    *("Id2", "Name", "ORDER", "select", "from", "group by", "two words", " lead", "a.b", "a,b"),
    *("back`tick", 'dou"ble', '"quoted"', "it's", "back\\slash", "slash/", "tab\tx", "line\nx"),
    *("주문번호", "Größe", "é", "訂單", "☃", "İ", "ß", "2nd", "2026", "1e5", "$", "_x", "__day"),
    *(
        "__nulls",
        "__faults",
        "__day=1",
        "__key",
        "oid",
        "xmin",
        "ctid",
        "tableoid",
        "rowid",
        "_day",
    ),
    *(
        "x" * 64,
        "가" * 42 + "x",
        "가" * 43,
        "訂" * 64,
        "%s",
        "%",
        "{x}",
        "@v0",
        ":p",
        "?",
        "*",
        "--",
    ),
    *(
        "/* */",
        "#",
        ";",
        "(",
        ")",
        "=",
        "a=b",
        "null",
        "true",
        "current_date",
        "user",
        "tag",
        "end",
    ),
    *(
        "quarantined_because",
        "run_id",
        "day",
        "segment",
        "model",
        "column",
        "key",
        "check",
        "\u0001",
    ),
)
_COMMENTS = ("it''s", "-- x", '/* x */ ; \\\\ `b` "c"', "@pii y", "한 ☃ 😀", "on update now()", "")
_OPTIONS = (
    *("engine=InnoDB", "engine=MyISAM", "engine=InnoDB row_format=compressed"),
    *(
        "default charset=latin1",
        "default charset=utf8mb4 collate=utf8mb4_unicode_ci",
        "stats_persistent=1",
    ),
    *(
        "comment='it''s -- a /* table */ @partition x'",
        "auto_increment=7",
        "comment='-- # @pii id'",
        "engine=InnoDB",
    ),
)


@dataclass
class Made:
    """A table: its name, the statement that makes it, and those that fill it."""

    name: str
    create: str
    rows: list[str] = field(default_factory=list)


def quoted(name: str) -> str:
    """A name in MySQL's backticks."""
    return "`" + name.replace("`", "``") + "`"


def corpus(seed: int, count: int) -> list[Made]:
    """So many tables, the names that are written above first; the same for the same seed."""
    draw = random.Random(seed)
    names = list(_names(draw, count))
    types, columns = _in_turn(draw, TYPES), _in_turn(draw, COLUMN_NAMES)
    return [_table(draw, number, name, types, columns) for number, name in enumerate(names)]


def _names(draw: random.Random, count: int) -> Iterator[str]:
    """Names of tables, no two alike in capitals as the server has it; some differ in these alone."""
    used: set[str] = set()
    pools = ["abcABC_", "aZ09-. $", "가나다Ω éß", "訂單x`'\"\\"]
    given = iter(draw.sample(TABLE_NAMES, len(TABLE_NAMES)))
    while len(used) < count:
        name = next(given, None)
        if name is None:
            signs = draw.choice(pools)
            name = "".join(draw.choices(signs, k=draw.randint(1, 20))).rstrip() or "n"
            if draw.random() < 0.2:
                name = draw.choice(sorted(used)).swapcase()[:64]
        if name not in used:
            used.add(name)
            yield name


def _in_turn(draw: random.Random, items: Sequence[_Item]) -> Iterator[_Item]:
    """All of the items, again and again, each time in another order."""
    while True:
        yield from draw.sample(items, len(items))


def _table(
    draw: random.Random, number: int, name: str, types: Iterator[Cases], names: Iterator[str]
) -> Made:
    columns: dict[str, Cases] = {}
    for column, kind in zip(names, types, strict=False):
        if is_wide := kind == _WIDE:
            columns.clear()  # a row has 65,535 bytes
        columns[column] = kind
        if is_wide or len(columns) == 3 + number % 7:
            break
    key = draw.choice(("Id", "id", "no", "ID")) if number % 9 else ""
    lines = [f"{quoted(key)} int unsigned not null auto_increment primary key"] if key else []
    lines += [_column(draw, column, *kind) for column, kind in columns.items()]
    # A file of the name `nul` is called otherwise, and MariaDB looks for it in vain as a parent.
    is_plain = any(kind in (*_PLACES, _WIDE) for kind in columns.values()) or name == "nul"
    shape = _Shape() if is_plain else _shape(number, name, key)
    body = ",\n  ".join([*lines, *shape.items])
    text = f"create table {quoted(name)} (\n  {body}\n) {draw.choice(_OPTIONS)} {shape.behind}"
    made = Made(name, text.rstrip())
    for row in range(0 if number % 7 == 3 else draw.randint(1, 6)):
        made.rows.append(_insert(draw, name, columns | shape.columns, row))
    return made


def _column(draw: random.Random, name: str, kind: str, values: Sequence[str]) -> str:
    words = [quoted(name), kind]
    chance = draw.random()
    if chance < 0.2 and " null" not in kind and kind != "json":
        words.append("not null")
    elif chance < 0.3 and kind in _WITH_DEFAULT:
        words.append(f"default {values[0]}")
    elif chance > 0.9:
        words.append("invisible")
    if draw.random() < 0.4:
        words.append(f"comment '{draw.choice(_COMMENTS)}'")
    return " ".join(words)


_WITH_DEFAULT = ("int", "date", "datetime", "varchar(1)", "decimal(10,2)", "year", "bool", "bit(8)")


@dataclass(frozen=True)
class _Shape:
    """What a table may have besides: items between the brackets, words behind them, columns to fill."""

    items: Sequence[str] = ()
    behind: str = ""
    columns: dict[str, Cases] = field(default_factory=dict)


_MOMENTS = ("'2020-01-05 10:00:00'", "'2020-02-20 23:30:00'", "'1999-01-01'", "'2020-02-20'")


def _shape(number: int, name: str, key: str) -> _Shape:
    """In turn; what needs a key is left away without one."""
    own = quoted(key)
    by_key = [
        _Shape(
            [
                "`by user` int unsigned",
                f"constraint `f {number}` foreign key (`by user`) references {quoted(name)} ({own})",
            ]
        ),
        _Shape(behind=f"partition by hash ({own}) partitions 3" if len(name) < 40 else ""),
    ]
    others = [
        _Shape(),
        _Shape(
            ["`made at` timestamp not null default current_timestamp", "key `by day` (`made at`)"],
            columns={"made at": ("timestamp", _MOMENTS)},
        ),
        _Shape(
            [
                "bought datetime(6) not null, key (bought)",
                "c datetime default now() on update now()",
            ],
            columns={"bought": ("datetime(6)", (*_MOMENTS, "'0000-00-00'"))},
        ),
        _Shape(["n int default 21", "`c s` bigint as (n * 2) persistent", "key (n)"]),
        _Shape(["n char(3) default 'é'", "`c v` varchar(200) as (concat('#', n)) virtual"]),
        _Shape(["check (1 = 1)", "constraint `a ``c` check (0 = 0)"]),
        _Shape(behind="with system versioning"),
        _Shape(
            [
                "`row s` timestamp(6) generated always as row start",
                "`row e` timestamp(6) generated always as row end",
                "period for system_time (`row s`, `row e`)",
            ],
            "with system versioning",
        ),
        _Shape(
            [
                "d1 date not null default '2020-01-01', d2 date not null default '2020-02-02'",
                "period for `p p` (d1, d2)",
            ]
        ),
        _Shape(["`k 1` int", "`k 2` varchar(9)", "unique key `u k` (`k 1`, `k 2`(3))"]),
        _Shape(
            [
                "`k 1` int",
                "`k 2` varchar(9)",
                "unique key `u, k` (`k 1`, `k 2`)",
                "key (`k 2` desc)",
            ]
        ),
        _Shape(["words varchar(50)", "fulltext key (words)"]),
        _Shape(["hashed varchar(1500), unique key `long one` (hashed)"]),
    ]
    shapes: list[_Shape] = [*(by_key if key else ()), *others]
    return shapes[number % len(shapes)]


def _insert(draw: random.Random, name: str, columns: Mapping[str, Cases], row: int) -> str:
    values: dict[str, str] = {}
    for column, (_, cases) in columns.items():
        if row == 0 or draw.random() < 0.85:
            values[column] = draw.choice(cases)
    listed = ", ".join(map(quoted, values))
    return f"insert into {quoted(name)} ({listed}) values ({', '.join(values.values())})"
