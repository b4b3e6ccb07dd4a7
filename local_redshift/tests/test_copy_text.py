"""COPY of CSV and delimited text: what each option makes of a file, and what is a load error."""

from __future__ import annotations

import bz2
import gzip
import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine
from tests.buckets import Bucket


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path)


@pytest.fixture
def engine(bucket: Bucket) -> Iterator[Engine]:
    with Engine(resolver=bucket.resolver) as made:
        made.execute("create table t (id integer, name varchar(8), price decimal(8,2))")
        yield made


def test_a_char_is_loaded_without_its_blanks_and_of_single_bytes(
    engine: Engine, bucket: Bucket
) -> None:
    engine.execute("create table c (a char(3), b varchar(3))")
    bucket.write("f", b"x  |x  \nabc|a\n")
    engine.execute("copy c from 's3://b/f' iam_role default")
    assert engine.execute("select a, a || '|', len(b) from c order by a").rows == [
        ("abc", "abc|", 1), ("x  ", "x|", 3),
    ]  # fmt: skip
    bucket.write("f", "é|a")
    with pytest.raises(RedshiftError, match="code 1215"):
        engine.execute("copy c from 's3://b/f' iam_role default")


def copy(engine: Engine, options: str = "", key: str = "f", columns: str = "") -> Any:
    return engine.execute(f"copy t {columns} from 's3://b/{key}' iam_role default {options}")


def rows(engine: Engine) -> Any:
    return engine.execute("select * from t order by id, name").rows


D, DAY = Decimal, date(2024, 2, 29)
# Title: options, the file, the rows that it gives.
GOOD: dict[str, tuple[str, str, list[tuple[Any, ...]]]] = {
    "the default is |, \\N and nothing else": (
        "", "1|a b|1.50\n2|\\N|\n3||\\N\n", [(1, "a b", D("1.50")), (2, None, None), (3, "", None)],
    ),
    "the last line needs no end": ("", "1|a|1\n2|b|2", [(1, "a", D(1)), (2, "b", D(2))]),
    "lines of Windows": ("csv", "1,a,1\r\n2,b,2\r\n", [(1, "a", D(1)), (2, "b", D(2))]),
    "decimals are cut": (
        "", "1|a|20.259\n2|b|-20.259",
        [(1, "a", D("20.25")), (2, "b", D("-20.25"))],
    ),
    "decimals are rounded by roundec": ("roundec", "1|a|20.259", [(1, "a", D("20.26"))]),
    "delimiter": ("delimiter as ';'", "1;a|;2", [(1, "a|", D(2))]),
    "tab": ("delimiter '\\t'", "1\ta\t2", [(1, "a", D(2))]),
    "octal delimiter": ("delimiter '\\001'", "1\x01a\x012", [(1, "a", D(2))]),
    "csv": ("csv", '1,"a, ""b""",2\n', [(1, 'a, "b"', D(2))]),
    "csv over lines": ("csv", '1,"a\n\nb",2\n2,c,3', [(1, "a\n\nb", D(2)), (2, "c", D(3))]),
    "csv with blanks around quotes": ("csv", '1 , "a" ,2'.replace("1 ", "1"), [(1, "a", D(2))]),
    "csv with another quote": (
        "csv quote as '%'", '1,%a,%%%,2\n2,"b",3',
        [(1, "a,%", D(2)), (2, '"b"', D(3))],
    ),
    "csv with another delimiter": ("format as csv delimiter '|'", '1|"a|b"|2', [(1, "a|b", D(2))]),
    "headers": ("ignoreheader 2", "x|y\nz\n1|a|2", [(1, "a", D(2))]),
    "blank lines": ("ignoreblanklines", "\n1|a|2\n\n\n2|b|3\n", [(1, "a", D(2)), (2, "b", D(3))]),
    "null as a text": ("null as 'NULL'", "1|NULL|2\n2|\\N|3", [(1, None, D(2)), (2, "\\N", D(3))]),
    "null as nothing": ("null as ''", "1||2", [(1, None, D(2))]),
    "emptyasnull": ("csv emptyasnull", "1,,2", [(1, None, D(2))]),
    "blanks stay": ("", "1|  |2", [(1, "  ", D(2))]),
    "blanksasnull": ("blanksasnull", "1|  |  ", [(1, None, None)]),
    "trimblanks": ("trimblanks", "1| a  |2", [(1, " a", D(2))]),
    "truncatecolumns by bytes": ("truncatecolumns", "1|한글한글|2", [(1, "한글", D(2))]),
    "fillrecord": ("fillrecord", "1|a\n2", [(1, "a", None), (2, "", None)]),
    "fillrecord with emptyasnull": ("fillrecord emptyasnull", "2", [(2, None, None)]),
    "escape": (
        "escape", "1|a\\|\\\\\\\nb|2\n2|\\N|3\n3|\\\\N|3",
        [(1, "a|\\\nb", D(2)), (2, None, D(3)), (3, None, D(3))],
    ),
    "without escape a backslash is one": ("", "1|a\\b|2", [(1, "a\\b", D(2))]),
    "removequotes": (
        "removequotes", "1|'a|b'|\"2\"\n2|a'b|3",
        [(1, "a|b", D(2)), (2, "a'b", D(3))],
    ),
    "removequotes with escape": ("removequotes escape", "1|'it\\'s'|2", [(1, "it's", D(2))]),
    "what has no effect here": ("compupdate off statupdate on", "1|a|2", [(1, "a", D(2))]),
    "a mark of UTF-8": ("csv", "\ufeff1,a,2", [(1, "a", D(2))]),
    "an empty file": ("", "", []),
}  # fmt: skip


@pytest.mark.parametrize("title", GOOD)
def test_options_make_of_a_file_what_amazon_says(
    title: str, engine: Engine, bucket: Bucket
) -> None:
    options, body, expected = GOOD[title]
    bucket.write("f", body)
    assert copy(engine, options).row_count == len(expected)
    assert rows(engine) == expected


def test_invalid_characters_are_replaced_as_long_as_they_were(
    engine: Engine, bucket: Bucket
) -> None:
    bucket.write("f", b"1|a\xe2\x28b|2\n2|ok|3\n")
    found = copy(engine, "acceptinvchars as '^'")
    assert rows(engine) == [(1, "a^(b", Decimal(2)), (2, "ok", Decimal(3))]
    assert "1 record(s) had invalid characters replaced" in found.notices[-1].message


# Title: options, the file, the code of the load error, its line and its column.
BAD: dict[str, tuple[str, str | bytes, int, int, str]] = {
    "text in a number": ("", "1|a|2\nx|a|2", 1207, 2, "id"),
    "blank in a number": ("", "1 |a|2", 1207, 1, "id"),
    "number too large": ("", "2147483648|a|2", 1222, 1, "id"),
    "no decimal": ("", "1|a|1,5", 1209, 1, "price"),
    "decimal too large": ("", "1|a|1000000", 1204, 1, "price"),
    "text too long": ("", "1|한글한|2", 1204, 1, "name"),
    "too few fields": ("", "1|a", 1214, 1, ""),
    "too many fields": ("", "1|a|2|", 1202, 1, ""),
    "no UTF-8": ("", b"1|a\xff|2", 1220, 1, ""),
    "a quote within a field of csv": ("csv", '1,a"b",2', 1214, 1, ""),
    "a quote without a partner": ("removequotes", "1|'a|2", 1214, 1, ""),
    "a line behind a joined one": ("csv", '1,"a\nb",2\nx,a,2', 1207, 3, "id"),
}


@pytest.mark.parametrize("title", BAD)
def test_row_that_does_not_fit_is_a_load_error(title: str, engine: Engine, bucket: Bucket) -> None:
    options, body, code, line, column = BAD[title]
    bucket.write("f", body)
    with pytest.raises(RedshiftError, match=r"Load into table 't' failed\.  Check") as caught:
        copy(engine, options)
    assert caught.value.code == "XX000"
    assert f"s3://b/f, line {line}" in caught.value.detail
    (failed,) = engine.database.loads.errors
    assert (failed.row.code, failed.row.line, failed.row.column) == (code, line, column)
    assert rows(engine) == []


def test_null_in_a_not_null_column_is_a_load_error(engine: Engine, bucket: Bucket) -> None:
    engine.execute("create table n (id integer not null, name varchar(5))")
    bucket.write("f", "1|a\n|b\n")
    with pytest.raises(RedshiftError, match="column id: code 1213"):
        engine.execute("copy n from 's3://b/f' iam_role default")


def test_errors_quote_no_value(engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "secret@example.com|a|2")
    with pytest.raises(RedshiftError) as caught:
        copy(engine)
    assert "secret" not in str(caught.value) + caught.value.hint
    assert "Invalid digit" in str(caught.value)


def test_maxerror_loads_the_rest_until_there_are_so_many(engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "1|a|2\nx|a|2\ny|a|2\n4|a|2\n")
    with pytest.raises(RedshiftError):
        copy(engine, "maxerror 2")
    found = copy(engine, "maxerror as 3")
    assert found.row_count == 2
    assert "2 record(s) could not be loaded" in found.notices[-1].message
    assert [row[0] for row in rows(engine)] == [1, 4]
    assert copy(engine, "ignoreallerrors").row_count == 2


def test_load_errors_outlive_the_transaction(engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "x|a|2")
    engine.execute("begin")
    with pytest.raises(RedshiftError):
        copy(engine)
    engine.execute("rollback")
    assert len(engine.database.loads.errors) == 1


def test_noload_judges_and_loads_nothing(engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "1|a|2")
    assert copy(engine, "noload").row_count == 0
    assert rows(engine) == []
    bucket.write("f", "x|a|2")
    with pytest.raises(RedshiftError):
        copy(engine, "noload")


TYPES = (
    "create table t2 (b boolean, s smallint, l bigint, r real, d float8, day date, at timestamp, "
    "zone timestamptz, bits varbyte(4))"
)


def test_every_type_is_read(engine: Engine, bucket: Bucket) -> None:
    engine.execute(TYPES)
    bucket.write(
        "f", "t|-5|9223372036854775807|1.5|1e300|2024-02-29|2024-02-29 23:59:59.123456|"
        "2024-02-29 23:59:59+02:00|00ff\n" + "|" * 8 + "\n",
    )  # fmt: skip
    engine.execute("copy t2 from 's3://b/f' iam_role default")
    assert engine.execute("select * from t2 where b").rows == [
        (
            True, -5, 2**63 - 1, 1.5, 1e300, date(2024, 2, 29),
            datetime(2024, 2, 29, 23, 59, 59, 123456),
            datetime(2024, 2, 29, 21, 59, 59, tzinfo=timezone.utc), b"\x00\xff",
        )
    ]  # fmt: skip
    assert engine.execute("select * from t2 where b is null").rows == [(None,) * 9]


# Options, the text of a date, of a timestamp, and what they are.
MOMENTS: list[tuple[str, str, str, date | None, datetime]] = [
    (
        "dateformat 'auto' timeformat 'auto'", "20240229", "2024-02-29T01:02:03Z",
        DAY, datetime(2024, 2, 29, 1, 2, 3),
    ),
    (
        "dateformat 'auto' timeformat 'auto'", "02/29/2024", "2024-02-29",
        DAY, datetime(2024, 2, 29),
    ),
    (
        "dateformat 'DD.MM.YYYY' timeformat 'MM/DD/YYYY HH12:MI PM'", "29.02.2024",
        "02/29/2024 12:05 AM", DAY, datetime(2024, 2, 29, 0, 5),
    ),
    (
        "dateformat as 'MON-DD-YYYY' timeformat 'epochsecs'", "Feb-29-2024", "1709168523",
        DAY, datetime(2024, 2, 29, 1, 2, 3),
    ),
    (
        "timeformat as 'epochmillisecs'", "2024-02-29", "1709168523004",
        DAY, datetime(2024, 2, 29, 1, 2, 3, 4000),
    ),
    (
        "dateformat 'YYYY-MM-DD' acceptanydate", "00/00/00", "2024-02-29 01:02:03",
        None, datetime(2024, 2, 29, 1, 2, 3),
    ),
]  # fmt: skip


@pytest.mark.parametrize(("options", "day", "at", "is_day", "is_at"), MOMENTS)
def test_formats_of_dates_and_times(
    options: str,
    day: str,
    at: str,
    is_day: date | None,
    is_at: datetime,
    engine: Engine,
    bucket: Bucket,
) -> None:
    engine.execute("create table m (day date, at timestamp)")
    bucket.write("f", f"{day}|{at}")
    engine.execute(f"copy m from 's3://b/f' iam_role default {options}")
    assert engine.execute("select * from m").rows == [(is_day, is_at)]


@pytest.mark.parametrize(
    ("day", "code"),
    [("2024-02-30", 1205), ("2024-00-10", 1205), ("29.02.2024", 1205), ("2024-2", 1205)],
)
def test_other_dates_are_load_errors(day: str, code: int, engine: Engine, bucket: Bucket) -> None:
    engine.execute("create table m (day date, at timestamp)")
    bucket.write("f", f"{day}|2024-01-01 00:00:00")
    with pytest.raises(RedshiftError, match=f"column day: code {code}"):
        engine.execute("copy m from 's3://b/f' iam_role default")


def test_compressed_files_and_other_encodings(engine: Engine, bucket: Bucket) -> None:
    body = b"1|a|2\n2|b|3\n"
    bucket.write("g", gzip.compress(body))
    bucket.write("z", bytes(pa.compress(body, codec="zstd", asbytes=True)))
    bucket.write("q", bz2.compress(body))
    bucket.write("u", "1|한|2\n".encode("utf-16"))
    for key, options in (("g", "gzip"), ("z", "zstd"), ("q", "bzip2"), ("u", "encoding utf16")):
        copy(engine, options, key)
    assert engine.execute("select count(*) from t").rows == [(7,)]
    with pytest.raises(RedshiftError):
        copy(engine, "gzip", "u")


def test_prefix_takes_all_that_begins_so_and_a_manifest_what_it_names(
    engine: Engine, bucket: Bucket
) -> None:
    for number, key in enumerate(("d/x1", "d/x2", "d/y")):
        bucket.write(key, f"{number}|a|1\n")
    assert copy(engine, key="d/x").row_count == 2
    entries = [{"url": "s3://b/d/y"}, {"url": "s3://b/d/y"}, {"url": "s3://b/d/gone"}]
    bucket.write("m", json.dumps({"entries": entries}))
    assert copy(engine, "manifest", "m").row_count == 2
    with pytest.raises(RedshiftError, match="The specified S3 prefix 'no' does not exist"):
        copy(engine, key="no")


def test_column_list_orders_the_fields(engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "a|1\n")
    copy(engine, columns="(name, id)")
    assert rows(engine) == [(1, "a", None)]


REFUSED = {
    "fixedwidth 'a:1'": "COPY with fixedwidth",
    "format as avro 'auto'": "the format avro",
    "json 'auto'": "COPY with json",
    "lzop": "COPY with lzop",
    "null as '\\n'": "null as",
    "dateformat 'YYYY-Q'": "no part 'Q'",
    "encoding latin1": "encoding latin1",
    "csv removequotes": "REMOVEQUOTES option is not supported with CSV",
    "gzip zstd": "ZSTD option is not supported with GZIP",
    "maxerror 5 maxerror 6": "given twice",
    "maxerror 100001": "between 0 and 100000",
    "quote '%'": "QUOTE is only supported with CSV",
    "delimiter ';;'": "one ASCII character",
    "nonsense": "an option of COPY expected",
}


@pytest.mark.parametrize("options", REFUSED)
def test_what_has_no_rule_is_refused_by_name(options: str, engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "1|a|2")
    engine.execute("create table m (day date)")
    with pytest.raises(RedshiftError, match=REFUSED[options]):
        engine.execute(f"copy m from 's3://b/f' iam_role default {options}")


def test_keys_in_the_text_are_refused_and_not_repeated(engine: Engine, bucket: Bucket) -> None:
    bucket.write("f", "1|a|2")
    for words in (
        "access_key_id 'AKIAHIDDEN' secret_access_key 'hidden'",
        "with credentials as 'aws_access_key_id=AKIAHIDDEN;aws_secret_access_key=hidden'",
    ):
        with pytest.raises(RedshiftError, match="keys written into SQL; write iam_role") as caught:
            engine.execute(f"copy t from 's3://b/f' {words}")
        assert "hidden" not in str(caught.value).lower()
        with pytest.raises(RedshiftError, match="only accepts IAM_ROLE credentials"):
            engine.execute(f"copy t from 's3://b/f' {words} parquet")
    with pytest.raises(RedshiftError, match="CREDENTIALS argument is required"):
        engine.execute("copy t from 's3://b/f' csv")
    role = "credentials 'aws_iam_role=arn:aws:iam::123456789012:role/loader'"
    engine.execute(f"copy t from 's3://b/f' {role}")
    assert engine.execute("select pg_last_copy_count()").rows == [(1,)]
