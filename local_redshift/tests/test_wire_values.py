"""Every type over the wire, both ways, in binary and in text: by the driver, and byte by byte."""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone
from decimal import Context, Decimal, localcontext
from typing import Any

import pytest

from local_redshift.testing.server import Redshift, serving
from tests.raw import SYNC, Raw, bind, error, execute, parse, rows

# The driver reckons binary decimals in the caller's context, and days before 1613 by another calendar.
EXACT = Context(prec=60)
KST = timezone(timedelta(hours=9))
# Type of the column, and values that must come back as they were sent.
VALUES: list[tuple[str, list[Any]]] = [
    ("boolean", [True, False]),
    ("smallint", [0, 1, -1, 32767, -32768]),
    ("integer", [0, 2147483647, -2147483648]),
    ("bigint", [0, 9223372036854775807, -9223372036854775808]),
    ("double precision", [0.0, 0.1, -1.5, 1e308, 5e-324, 1 / 3, 123456789.123456]),
    ("decimal(18,2)", [Decimal("0.00"), Decimal("-0.01"), Decimal("9999999999999999.99")]),
    ("decimal(38,0)", [Decimal(10**38 - 1), Decimal(-(10**38) + 1)]),
    ("decimal(38,37)", [Decimal("9." + "9" * 37), Decimal("-1E-37")]),
    ("decimal(19,4)", [Decimal("922337203685477.5808")]),
    ("date", [date(2026, 11, 22), date(1700, 2, 28), date(9999, 12, 31), date(1970, 1, 1)]),
    ("timestamp", [datetime(2026, 11, 22, 23, 59, 59, 999999), datetime(1999, 12, 31), datetime(1, 1, 1)]),
    ("timestamptz", [datetime(2026, 11, 22, 8, 30, tzinfo=KST), datetime(1960, 1, 1, tzinfo=KST)]),
    (
        "varchar(200)",
        [
            *("", " ", "it's", "한국어 é 😀", "back\\slash", "\\'", "\\", "%s $1 ; -- /*", "'; drop table x"),
            *("tab\tand\nline", "null", "NULL", "\\N", "\ue000\\\ue001", "x" * 200),
        ],
    ),
]  # fmt: skip


@pytest.fixture(scope="module")
def plain() -> Iterator[Redshift]:
    with serving() as served:
        yield served


@pytest.fixture(scope="module", params=[0, 1, 2])
def connection(plain: Redshift, request: pytest.FixtureRequest) -> Iterator[Any]:
    with plain.connect(client_protocol_version=request.param) as made:
        made.autocommit = True
        yield made


@pytest.mark.parametrize(("type_", "values"), VALUES, ids=[type_ for type_, _ in VALUES])
def test_values_come_back_as_they_were_sent(connection: Any, type_: str, values: list[Any]) -> None:
    cursor = connection.cursor()
    cursor.execute(f"create temp table sent (place integer, value {type_})")
    try:
        for place, value in enumerate([*values, None]):
            cursor.execute("insert into sent values (%s, %s)", (place, value))
        with localcontext(EXACT):
            cursor.execute("select value from sent order by place")
        found = [row[0] for row in cursor.fetchall()]
        assert found == [*values, None]
        assert [type(value) for value in found[:-1]] == [type(value) for value in values]
        # The same values in one statement, and as conditions.
        cursor.execute(
            f"insert into sent values {', '.join(['(-1, %s)'] * len(values))}", tuple(values)
        )
        for value in values:
            cursor.execute(f"select count(*) from sent where value = cast(%s as {type_})", (value,))
            assert cursor.fetchone()[0] >= 2
    finally:
        cursor.execute("drop table sent")


def test_reals_have_their_own_size(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("select cast('0.1' as real) as small, cast('-3e38' as real) as large")
    small, large = cursor.fetchone()
    assert struct.pack("!ff", small, large) == struct.pack("!ff", 0.1, -3e38)


def test_values_that_are_no_numbers(connection: Any) -> None:
    cursor = connection.cursor()
    for value in (math.inf, -math.inf, math.nan):
        try:
            cursor.execute("select cast(%s as double precision) as x", (value,))
        except Exception as error:
            assert error.args[0]["C"] in ("0A000", "22P02", "22003"), error.args
        else:
            assert str(cursor.fetchone()[0]) == str(value)


def test_a_decimal_is_described_before_its_digits_are_known(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("select %s as a", (Decimal("12345.678"),))
    assert cursor.fetchone()[0] == Decimal("12345.678")
    cursor.execute("select cast(%s as decimal(38,20)) as a", (Decimal("1.00000000000000000001"),))
    assert cursor.fetchone()[0] == Decimal("1.00000000000000000001")
    with pytest.raises(Exception, match="cast the parameter to decimal"):
        cursor.execute("select %s as a", (Decimal("1.00000000000000000001"),))


def test_parameters_of_types_without_a_rule_are_refused_by_name(connection: Any) -> None:
    cursor = connection.cursor()
    for value in (timedelta(days=1), [1, 2]):
        with pytest.raises(Exception, match="has no rule for a parameter of OID"):
            cursor.execute("select %s as a", (value,))


@pytest.mark.parametrize(
    ("oid", "raw", "cast", "text"),
    [
        (16, b"\1", "boolean", b"t"),
        (21, struct.pack("!h", -7), "smallint", b"-7"),
        (23, struct.pack("!i", 2**31 - 1), "integer", b"2147483647"),
        (20, struct.pack("!q", -(2**63)), "bigint", b"-9223372036854775808"),
        (700, struct.pack("!f", 1.5), "real", b"1.5"),
        (701, struct.pack("!d", 0.1), "double precision", b"0.1"),
        (1082, struct.pack("!i", 1), "date", b"2000-01-02"),
        (1114, struct.pack("!q", 1_500_000), "timestamp", b"2000-01-01 00:00:01.5"),
        (1184, struct.pack("!q", 0), "timestamptz", b"2000-01-01 00:00:00+00"),
        (1043, "é".encode(), "varchar(9)", "é".encode()),
        (25, b"text", "varchar(9)", b"text"),
    ],
)
def test_binary_parameters_and_results(
    plain: Redshift, oid: int, raw: bytes, cast: str, text: bytes
) -> None:
    with Raw(plain.port) as client:
        client.enter()
        asked = parse(f"select cast($1 as {cast}) as x", oids=(oid,))
        for code, wanted in ((0, text), (1, raw)):
            bound = bind((raw,), formats=(1,), results=(code,))
            assert rows(client.ask(asked, bound, execute(), SYNC)) == [(wanted,)]
        if oid != 1184:  # a zone in a text is not read yet
            assert rows(client.ask(asked, bind((text,)), execute(), SYNC)) == [(text,)]
        # NULL of the type.
        assert rows(client.ask(asked, bind((None,)), execute(), SYNC)) == [(None,)]


@pytest.mark.parametrize(
    ("oid", "code", "raw", "state"),
    [
        (23, 1, b"\1", "22P03"),
        (16, 1, b"\7", "22P03"),
        (1114, 1, struct.pack("!q", 2**63 - 1), "22P03"),
        (1082, 1, struct.pack("!i", 2**31 - 1), "22P03"),
        (1700, 0, b"twelve", "22P02"),
        (1700, 0, b"NaN", "22P02"),
        (1700, 0, b"1e999999999", "22003"),
        (1700, 0, b"1e-999999999", "22003"),
        (1700, 1, b"\0\0", "0A000"),
        (1043, 0, b"\xff", "22021"),
        (705, 0, b"a\0b", "22021"),
        (600, 0, b"(1,2)", "0A000"),
    ],
)
def test_bytes_that_are_no_value_of_the_type(
    plain: Redshift, oid: int, code: int, raw: bytes, state: str
) -> None:
    with Raw(plain.port) as client:
        client.enter()
        bound = bind((raw,), formats=(code,))
        found = client.ask(parse("select $1 as x", oids=(oid,)), bound, execute(), SYNC)
        assert error(found)["C"] == state
        assert rows(client.query("select 1")) == [(b"1",)]


def test_numbers_keep_their_digits_in_text(plain: Redshift) -> None:
    with Raw(plain.port) as client:
        client.enter()
        found = client.query("select 1.10::decimal(5,2), -0.001::decimal(38,3), 0::decimal(9,0)")
        assert rows(found) == [(b"1.10", b"-0.001", b"0")]


def test_a_row_description_has_redshifts_additions_from_version_1_on(plain: Redshift) -> None:
    sizes = []
    for version in ("0", "1", "2"):
        with Raw(plain.port) as client:
            client.enter(client_protocol_version=version)
            found = dict(client.query("select 1::decimal(12,3) as abc"))["T"]
            sizes.append(len(found))
            assert struct.unpack("!ihi", found[12:22])[2] == ((12 << 16) | 3) + 4
    # schema, table, column and catalogue with their zero bytes, and two bytes of flags
    assert [size - sizes[0] for size in sizes] == [0, 4 + 3 + 2, 4 + 3 + 2]


@pytest.mark.parametrize(("digits", "shown"), [("0", b"0.3"), ("2", b"0.30000000000000004")])
def test_floats_in_text_have_as_many_digits_as_the_session_wants(
    plain: Redshift, digits: str, shown: bytes
) -> None:
    with Raw(plain.port) as client:
        client.enter(extra_float_digits=digits)
        found = client.query("select 0.1::float8 + 0.2::float8 as x, 0.1::real as y")
        assert rows(found)[0][0] == shown
        assert rows(found)[0][1] == b"0.1"
