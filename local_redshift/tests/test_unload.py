"""UNLOAD: what its files hold and how they are named, what it refuses, and that COPY reads it back."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import date, datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
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
        made.execute("create table t (id integer, name varchar(20), price decimal(8,2))")
        made.execute("insert into t values (1, 'a|b', 1.5), (2, 'say \"x\"', null), (3, null, -2)")
        yield made


ALL = "select id, name, price from t order by id"


def unload(engine: Engine, options: str, query: str = ALL, to: str = "o/") -> Any:
    quoted = query.replace("'", "''")
    return engine.execute(f"unload ('{quoted}') to 's3://b/{to}' iam_role default {options}")


# Title: options, the one file that is written without slices, and its text.
FILES = {
    "delimited": ("", "1|a|b|1.50\n2|say \"x\"|\n3||-2.00\n", "000"),
    "another delimiter": ("delimiter ';'", '1;a|b;1.50\n2;say "x";\n', "000"),
    "escape": ("escape", '1|a\\|b|1.50\n2|say "x"|\n', "000"),
    "addquotes": ("addquotes", '"1"|"a|b"|"1.50"\n', "000"),
    "addquotes with escape": ("addquotes escape", '"1"|"a\\|b"|"1.50"\n"2"|"say \\"x\\""|\n', "000"),
    "csv": ("csv", '1,a|b,1.50\n2,"say ""x""",\n3,,-2.00\n', "000"),
    "csv with another delimiter": ("format as csv delimiter as '|'", '1|"a|b"|1.50\n', "000"),
    "null as": ("csv null as '\\N'", "3,\\N,-2.00\n", "000"),
    "header": ("header delimiter ','", "id,name,price\n1,a|b,1.50\n", "000"),
    "extension": ("csv extension 'csv'", "1,a|b,1.50\n", "000.csv"),
}  # fmt: skip


@pytest.mark.parametrize("title", FILES)
def test_text_is_written_as_the_options_say(title: str, engine: Engine, bucket: Bucket) -> None:
    options, text, name = FILES[title]
    found = unload(engine, f"parallel off {options}")
    assert found.notices[0].message == "UNLOAD completed, 3 record(s) unloaded successfully."
    assert bucket.objects == [f"o/{name}"]
    assert text in bucket.text(f"o/{name}")


def test_rows_go_to_several_files_side_by_side(engine: Engine, bucket: Bucket) -> None:
    unload(engine, "csv gzip", to="o/sales_")
    assert bucket.objects == ["o/sales_0000_part_00.gz", "o/sales_0001_part_00.gz"]
    texts = [gzip.decompress((bucket.folder / key).read_bytes()).decode() for key in bucket.objects]
    assert sorted("".join(texts).splitlines())[0] == "1,a|b,1.50"
    assert sum(len(text.splitlines()) for text in texts) == 3


def test_no_rows_write_no_file(engine: Engine, bucket: Bucket) -> None:
    found = unload(engine, "csv manifest", "select id from t where id > 9")
    assert "UNLOAD completed, 0 record(s)" in found.notices[0].message
    assert bucket.objects == []


def test_manifest_names_the_files(engine: Engine, bucket: Bucket) -> None:
    unload(engine, "parallel off manifest", to="o/a_")
    size = (bucket.folder / "o/a_000").stat().st_size
    entry = {"url": "s3://b/o/a_000", "meta": {"content_length": size}}
    assert json.loads(bucket.text("o/a_manifest")) == {"entries": [entry]}
    unload(engine, "parallel off header manifest verbose", to="o/v_")
    told = json.loads(bucket.text("o/v_manifest"))
    assert told["entries"][0]["meta"]["record_count"] == 4  # the header counts
    assert told["meta"]["record_count"] == 4
    assert told["schema"]["elements"][1] == {
        "name": "name", "type": {"base": "character varying", "max_length": 20},
    }  # fmt: skip
    assert told["author"]["name"] == "Amazon Redshift"


def test_parquet_is_written_as_redshift_writes_it(engine: Engine, bucket: Bucket) -> None:
    unload(
        engine,
        "parquet parallel off",
        "select id, price, '2024-02-29 01:02:03'::timestamp as at from t",
    )
    file = pq.ParquetFile(bucket.folder / "o/000.parquet")
    assert [column.physical_type for column in file.schema] == [
        "INT32",
        "FIXED_LEN_BYTE_ARRAY",
        "INT96",
    ]
    assert [column.max_definition_level for column in file.schema] == [1, 1, 1]
    assert file.metadata.row_group(0).column(0).compression == "SNAPPY"


def test_partitions_are_folders_and_their_column_leaves_the_files(
    engine: Engine, bucket: Bucket
) -> None:
    query = "select id, case when id < 3 then 'x' end as kind, price from t"
    unload(engine, "parquet partition by (kind)", query, "o")
    assert [key.rpartition("/")[0] for key in bucket.objects] == [
        "o/kind=__HIVE_DEFAULT_PARTITION__", "o/kind=x",
    ]  # fmt: skip
    (key,) = [key for key in bucket.objects if "kind=x" in key]
    assert pq.read_table(bucket.folder / key, partitioning=None).column_names == ["id", "price"]
    unload(engine, "csv partition by (kind, price) include", query, "i/")
    assert bucket.text("i/kind=x/price=1.50/0000_part_00") == "1,x,1.50\n"


def test_large_files_are_parted(engine: Engine, bucket: Bucket) -> None:
    numbers = " cross join ".join(f"(select 1 as x union all select 2) as a{n}" for n in range(15))
    query = f"select repeat('x', 400) as pad from {numbers}"
    unload(engine, "parallel off maxfilesize 5 mb", query)
    assert bucket.objects == ["o/000", "o/001", "o/002"]
    assert sum((bucket.folder / key).stat().st_size for key in bucket.objects) == 401 * 2**15


def test_destination_must_be_empty_or_named_so(engine: Engine, bucket: Bucket) -> None:
    bucket.write("o/000", "old")
    bucket.write("o/other", "old")
    with pytest.raises(RedshiftError, match="Specified unload destination on S3 is not empty"):
        unload(engine, "parallel off")
    assert bucket.objects == ["o/000", "o/other"]
    unload(engine, "parallel off allowoverwrite")
    assert bucket.text("o/000").startswith("1|")
    assert bucket.text("o/other") == "old"
    unload(engine, "cleanpath csv")
    assert bucket.objects == ["o/0000_part_00", "o/0001_part_00"]


def test_cleanpath_touches_only_the_partitions_that_are_written(
    engine: Engine, bucket: Bucket
) -> None:
    for key in ("o/id=1/old", "o/id=9/old"):
        bucket.write(key, "old")
    unload(engine, "csv partition by (id) cleanpath", "select id, name from t where id = 1")
    assert bucket.objects == ["o/id=1/0000_part_00", "o/id=9/old"]


REFUSED = {
    ("csv", "select id from t limit 1"): "Limit clause is not supported",
    ("csv", "select top 1 id from t"): "Limit clause is not supported",
    ("csv", "delete from t"): "in the query of UNLOAD",
    ("csv addquotes", ALL): "ADDQUOTES option is not supported with CSV",
    ("parquet gzip", ALL): "GZIP is not supported for UNLOAD to PARQUET",
    ("parquet null as ''", ALL): "NULL AS is not supported",
    ("allowoverwrite cleanpath", ALL): "CLEANPATH is not supported with ALLOWOVERWRITE",
    ("maxfilesize 4", ALL): "between 5 MB and 6.2 GB",
    ("encrypted kms_key_id 'k'", ALL): "UNLOAD with kms_key_id",
    ("fixedwidth 'a:1'", ALL): "UNLOAD with fixedwidth",
    ("partition by (nothing)", ALL): "is not in the query",
    ("partition by (id)", "select id from t"): "a column that is not in PARTITION BY",
    ("csv partition by (name)", ALL): "other signs than letters",
    ("csv", "select 0.1::float8 + 0.2::float8 as x"): "may lose some",
    ("parquet", "select md5('a') as x, 'a'::varbyte(2) as y"): "no rule|varbyte",
    ("nonsense", ALL): "an option of UNLOAD expected",
}


@pytest.mark.parametrize(("options", "query"), REFUSED)
def test_what_redshift_or_the_local_one_does_not_unload(
    options: str, query: str, engine: Engine, bucket: Bucket
) -> None:
    with pytest.raises(RedshiftError, match=REFUSED[options, query]):
        unload(engine, options, query)
    assert bucket.objects == []


def test_unload_in_a_failed_transaction_fails_it(engine: Engine, bucket: Bucket) -> None:
    engine.execute("begin")
    with pytest.raises(RedshiftError):
        unload(engine, "csv", "select nothing from t")
    with pytest.raises(RedshiftError, match="aborted"):
        engine.execute("select 1")
    engine.execute("rollback")
    unload(engine, "csv")


# Kind: what UNLOAD is told, what COPY is told; texts with every sign that needs care.
ROADS = {
    "text": ("escape null as '@'", "escape null as '@'"),
    "quoted": ("addquotes escape null as '@'", "removequotes escape null as '@'"),
    "csv": ("csv null as '@' gzip", "csv null as '@' gzip"),
    "zstd": ("delimiter '\\t' escape null as '@' zstd", "delimiter '\\t' escape null as '@' zstd"),
    "manifest": ("csv null as '@' manifest", "csv null as '@' manifest"),
    "parquet": ("parquet", "parquet"),
    "parquet by its manifest": ("parquet manifest", "parquet manifest"),
}
EDGES: list[tuple[Any, ...]] = [
    (
        1, -32768, -(2**31), -(2**63), Decimal("-999999999999999999999999999999.12345678"), 1.5, 1e300,
        True, date(1, 1, 1), datetime(1900, 1, 1, 0, 0, 0, 1), "", "",
    ),
    (
        2, 32767, 2**31 - 1, 2**63 - 1, Decimal("0.00000001"), -0.25, -2.5e-300, False,
        date(9999, 12, 31), datetime(2262, 4, 11, 23, 47, 16), "한글 🙂 '\"|,\\;\t", "a\nb\\\r\n",
    ),
    (3, *(None,) * 11),
]  # fmt: skip
TABLE = (
    "(id integer, s smallint, i integer, l bigint, d decimal(38,8), r real, f float8, b boolean, "
    "day date, at timestamp, name varchar(60), note varchar(20))"
)


@pytest.mark.parametrize("road", ROADS)
def test_what_is_unloaded_is_copied_back_equal(road: str, engine: Engine, bucket: Bucket) -> None:
    out, back = ROADS[road]
    engine.execute(f"create table a {TABLE}")
    engine.execute("create table z (like a)")
    engine.connection.executemany(
        f"insert into {engine.catalog.table(None, 'a').sql} values ({', '.join('?' * 12)})", EDGES
    )
    unload(engine, out, "select * from a order by id", "r/x_")
    found = engine.execute(
        f"copy z from 's3://b/r/x_{'manifest' if 'manifest' in back else ''}' iam_role default {back}"
    )
    assert found.row_count == 3
    assert engine.execute("select * from z order by id").rows == EDGES


def test_zoned_moments_and_bytes_come_back_by_text(engine: Engine, bucket: Bucket) -> None:
    engine.execute("create table a (at timestamptz, bits varbyte(4))")
    engine.execute("create table z (like a)")
    bucket.write("in", "2024-02-29 23:59:59.5-08:00|00ff1a\n")
    engine.execute("copy a from 's3://b/in' iam_role default")
    unload(engine, "csv parallel off", "select * from a")
    assert bucket.text("o/000") == "2024-03-01 07:59:59.5+00,00ff1a\n"
    engine.execute("copy z from 's3://b/o/' iam_role default csv")
    assert engine.execute("select * from z").rows == [
        (datetime(2024, 3, 1, 7, 59, 59, 500000, timezone.utc), b"\x00\xff\x1a")
    ]
