"""Values at the edges of every type of MySQL and MariaDB, and what becomes of them. Written by hand.

What comes out is told apart from our own code: it is the oracle of the tests.
"""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Any

VALUES: dict[str, tuple[str, str, Any]] = {
    # title: type, value as SQL, what comes out
    "tinyint(1) is no boolean": ("tinyint(1)", "7", 7),
    "least tinyint": ("tinyint", "-128", -128),
    "smallint unsigned": ("smallint unsigned", "65535", 65535),
    "mediumint": ("mediumint", "-8388608", -8388608),
    "int unsigned": ("int unsigned", "4294967295", 4294967295),
    "least bigint": ("bigint", "-9223372036854775808", -9223372036854775808),
    "decimal with fractions alone": ("decimal(37,37)", "-0." + "9" * 37, Decimal("-0." + "9" * 37)),
    "decimal of 38 digits": ("decimal(38,0)", "9" * 38, Decimal("9" * 38)),
    "unsigned": ("bigint unsigned", "18446744073709551615", Decimal(18446744073709551615)),
    "zerofill": ("int(8) unsigned zerofill", "42", 42),
    "zerofill decimal": ("decimal(10,2) zerofill", "1.5", Decimal("1.50")),
    "bit(1)": ("bit(1)", "b'1'", 1),
    "bit(9)": ("bit(9)", "b'100000001'", 257),
    "bit(64)": ("bit(64)", "18446744073709551615", Decimal(18446744073709551615)),
    "year": ("year", "2155", 2155),
    "year zero": ("year", "0", 0),
    "time": ("time(6)", "'-838:59:58.999999'", "-838:59:58.999999"),
    "time without a fraction": ("time", "'838:59:59'", "838:59:59"),
    "float has nine digits": ("float", "1.2345678", 1.2345677614212036),
    "float of 2^24": ("float", "16777215", 16777215.0),
    "double": ("double", "0.1", 0.1),
    "least double": ("double", "5e-324", 5e-324),
    "double(10,2)": ("double(10,2)", "0.13", 0.13),
    "wide decimal": ("decimal(65,30)", "12345678.5", Decimal("12345678.5")),
    "wide decimal, negative": (
        "decimal(65,0)",
        "-" + "9" * 38,
        Decimal("-" + "9" * 38),
    ),
    "date": ("date", "'9999-12-31'", date(9999, 12, 31)),
    "first date": ("date", "'0001-01-01'", date(1, 1, 1)),
    "leap day": ("date", "'2024-02-29'", date(2024, 2, 29)),
    "datetime": (
        "datetime(6)",
        "'9999-12-31 23:59:59.999999'",
        datetime(9999, 12, 31, 23, 59, 59, 999999),
    ),
    "timestamp": (
        "timestamp(3) null",
        "'2026-01-01 00:00:00.125'",
        datetime(2026, 1, 1, 0, 0, 0, 125000),
    ),
    "enum": ("enum('a','b''c')", "'b''c'", "b'c"),
    "enum whose value is empty": ("enum('a','')", "''", ""),
    "set": ("set('x','y')", "'y,x'", "x,y"),
    "empty set": ("set('x','y')", "''", ""),
    "json": ("json", '\'{"a": "\\\\u0000"}\'', '{"a": "\\u0000"}'),
    "emoji": ("varchar(5)", "'😀'", "😀"),
    "latin1": ("varchar(5) character set latin1", "'€é'", "€é"),
    "utf16": ("varchar(5) character set utf16", "'a한'", "a한"),
    "collation by bytes": ("varchar(5) collate utf8mb4_bin", "'é한😀'", "é한😀"),
    "latin1 by bytes": ("text character set latin1 collate latin1_bin", "'€é'", "€é"),
    "enum by bytes": ("enum('é','\\\\x') collate utf8mb4_bin", "'é'", "é"),
    "trailing blanks": ("varchar(5)", "'a  '", "a  "),
    "empty": ("varchar(5)", "''", ""),
    "char drops its blanks": ("char(5)", "'a  '", "a"),
    "longtext": ("longtext", "repeat('x', 65535)", "x" * 65535),
    "mediumblob, in hexadecimal": ("mediumblob", "x'00ff'", "00FF"),
    "binary": ("binary(3)", "'a'", b"a\x00\x00"),
    "uuid": (
        "uuid",
        "'123E4567-e89b-12d3-a456-426655440000'",
        "123e4567-e89b-12d3-a456-426655440000",
    ),
    "inet4": ("inet4", "'255.255.255.255'", "255.255.255.255"),
    "inet6": ("inet6", "'::ffff:255.255.255.255'", "::ffff:255.255.255.255"),
    "generated": ("int as (id * 2) stored", "default", 2),
}


FAULTS: dict[str, tuple[str, str, str]] = {
    # title: type, value as SQL, what is told
    "zero date": ("date", "'0000-00-00'", "c 0000-00-00 is no real day"),
    "no day": ("date", "'2026-02-00'", "c 2026-02-00 is no real day"),
    "no month": ("datetime", "'2026-00-10 12:00'", "c 2026-00-10 is no real day"),
    "30 February": ("datetime(6)", "'2026-02-30'", "c 2026-02-30 is no real day"),
    "29 February of no leap year": ("date", "'2100-02-29'", "c 2100-02-29 is no real day"),
    "year 0": ("date", "'0000-01-01'", "c 0000-01-01 is no real day"),
    "zero timestamp": ("timestamp null", "0", "c 0000-00-00 is no real day"),
    "zero byte": ("varchar(5)", "'a\\0'", "c holds the character 0x00"),
    "zero byte of utf16": ("char(5) character set utf16", "'\\0a'", "c holds the character 0x00"),
    "long text": ("longtext", "repeat('x', 65536)", "c is longer"),
    "long in bytes": ("text character set latin1", "repeat('é', 32768)", "c is longer"),
    "wide varchar": ("varchar(60000) character set latin1", "repeat('é', 32768)", "c is longer"),
    "long blob": ("longblob", "repeat('x', 1024001)", "c is longer"),
    "39 digits": ("decimal(65,30)", "100000000", "c has more digits"),
    "no value of the enum": ("enum('a','b')", "'zz'", "c is the empty value"),
}
