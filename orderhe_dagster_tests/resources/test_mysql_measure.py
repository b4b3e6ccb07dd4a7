"""The measuring SQL of the three dialects gives one answer to the same rows, on a real server."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster_tests.contracts.sources import DAY, TYPES, ZONED, fill, tables
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

MORE = TYPES.replace(
    "primary key (id)",
    """a_year year,
    a_clock time,
    a_fine_clock time(6),
    a_set set('a', 'b', 'it''s'),
    a_json json,
    a_padded int(8) zerofill,
    a_small_decimal decimal(3, 3),
    a_char char(5),
    a_long varchar(7000),
    a_longer varchar(7000),
    a_latin varchar(20) character set latin1,
    a_fraction datetime(3),
    a_binary binary(4),
    a_blob blob,
    a_mediumblob mediumblob,
    a_longblob longblob,
    primary key (id)""",
)
VALUES: dict[str, list[Any]] = {
    "a_bit": [True, False, None],
    "a_tiny": [-128, 0, 127],
    "a_small": [-(2**15), 2**15 - 1, 0],
    "a_medium": [0, 2**24 - 1, None],
    "an_int": [-(2**31), 2**31 - 1, None],
    "an_unsigned": [2**32 - 1, 0, 1],
    "a_big": [-(2**63), 2**63 - 1, None],
    "a_big_unsigned": [Decimal(2**64 - 1), Decimal(2**63), None],
    "a_decimal": [Decimal("-1234567890123456789012345678.0123456789"), Decimal("0E-10"), None],
    "a_date": [date(1000, 1, 1), date(9999, 12, 31), date(2028, 2, 29)],
    "a_datetime": [datetime.max, datetime(1000, 1, 1), datetime(2026, 1, 1, 0, 0, 0, 1)],
    "a_whole_second": [datetime(2026, 2, 28, 23, 59, 59), datetime(9999, 12, 31), None],
    "a_timestamp": [datetime(2038, 1, 19, 3, 14, 7), datetime(1970, 1, 1, 0, 0, 1), None],
    "a_text": ["🙂 '\"\\\n\t|!N\r\n", "", "a  "],
    "an_enum": ["한", "a", None],
    "some_bytes": [b"\x00\xff|!N\\'", b"", None],
    "a_year": [0, 1901, 2155],
    "a_clock": ["-838:59:59", "00:00:00", "838:59:59"],
    "a_fine_clock": ["00:00:00.000001", "-00:00:00.500000", "12:34:56.789000"],
    "a_set": ["a,b,it's", "", None],
    "a_json": ['{"a": "|!"}', "[1, 2]", None],
    "a_padded": [7, 0, 99999999],
    "a_small_decimal": [Decimal("0.123"), Decimal("-0.999"), Decimal("0.000")],
    "a_char": ["한글", "", "a|!b"],
    "a_long": ["한" * 7000, "", "|"],
    "a_longer": [None, "!" * 7000, "a"],
    "a_latin": ["Zoë|!", "ÿ", ""],
    "a_binary": [b"a\0\0\0", b"\xff\xfe\x00\x01", None],
    "a_blob": [bytes(range(256)) * 200, b"", bytes(65_534) + b"\x01"],
    "a_mediumblob": [b"\xab" * 32_000, None, b"\xab" * 32_001],
    "a_longblob": [bytes(1_024_000), b"", b"\xcd" * 100_000],
    "a_fraction": [datetime(2026, 1, 1, 0, 0, 0, 1000), datetime(2026, 1, 1), None],
}


def rows() -> list[dict[str, Any]]:
    return [
        {"id": number, "on_day": DAY, **{name: found[number] for name, found in VALUES.items()}}
        for number in range(3)
    ]


@pytest.fixture
def mysql(mariadb: MariaDB, shop_database: str) -> MySQLSource:
    source: MySQLSource = mysql_source(mariadb, shop_database)
    return source


def test_every_type_is_measured_alike(mysql: MySQLSource, tmp_path: Path) -> None:
    """Column by column, so that a difference has a name; then the whole, and what is extracted."""
    table = tables(tmp_path, types=MORE)["types"]
    given = {"id", "on_day", "a_float", "a_double"}
    assert set(VALUES) | given == set(table.column_names)
    embedded = EmbeddedSource(path=str(tmp_path / "shop.duckdb"))
    for source in (mysql, embedded):
        source.create([table])
        fill(source, table, rows())
    window = Window.of(DAY)
    for name in VALUES:
        columns = tuple(c for c in table.columns if c.name in ("id", "on_day", name))
        one = replace(table, columns=columns)
        there, here = (each.measure(one, window) for each in (mysql, embedded))
        assert there == here, name
    whole = mysql.measure(table, window)
    assert whole == embedded.measure(table, window)
    for way in ("scanner", "arrow"):
        source = MySQLSource(replace(mysql.settings, extract=way))
        found = source.extract(table, window, tmp_path / way)
        assert found.measures == whole, way


@pytest.mark.parametrize("zone", ["America/New_York", "Europe/London", "Asia/Seoul", "UTC"])
def test_an_instant_falls_on_the_shops_day_through_changes_of_the_clock(
    mysql: MySQLSource, tmp_path: Path, zone: str
) -> None:
    seouls = tables(tmp_path, zoned=ZONED.format(name="zoned", type="timestamp"))["zoned"]
    table = replace(seouls, time_zone=zone)
    mysql.create([table])
    begin = datetime(2026, 1, 1)
    moments = [begin + timedelta(hours=5 * step, minutes=step) for step in range(1700)]
    moments += [datetime(1988, 5, 8, 14, 59, 59), datetime(2037, 11, 1, 4)]
    fill(mysql, table, [{"id": number, "moment": moment} for number, moment in enumerate(moments)])
    days = Counter(
        moment.replace(tzinfo=timezone.utc).astimezone(ZoneInfo(zone)).date() for moment in moments
    )
    window = Window(date(1970, 1, 2), date(2038, 1, 1))
    found = mysql.touches(table, window)
    assert {segment.day: touch.rows for segment, touch in found.items()} == days


def test_a_zone_of_the_servers_own_changes_nothing(
    mysql: MySQLSource, mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    """The server's zone is +09:00 and its character set latin1; the rows are in UTC and utf8mb4."""
    table = tables(tmp_path, zoned=ZONED.format(name="zoned", type="timestamp"))["zoned"]
    mysql.create([table])
    fill(mysql, table, [{"id": 1, "moment": datetime(2026, 3, 1)}])
    ((moment, seconds),) = mariadb.run(
        f"select cast(moment as char), unix_timestamp(moment) from {shop_database}.zoned"
    )
    assert (moment, int(seconds)) == ("2026-03-01 09:00:00", 1772323200)
