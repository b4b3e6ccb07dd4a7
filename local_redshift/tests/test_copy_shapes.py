"""COPY of Parquet whose files differ, and of tables with identities: what fills the columns."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pyarrow as pa
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
        made.execute("create table t (id bigint, name varchar(10) default 'none', at timestamp)")
        yield made


def part(bucket: Bucket, key: str, columns: dict[str, list[Any]], **options: Any) -> None:
    (bucket.folder / key).parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table(columns), bucket.folder / key, **options)


IDS = {"id": pa.array([1], pa.int64())}
NAMED = {**IDS, "name": ["a"]}


def test_fillrecord_leaves_the_last_columns_null(engine: Engine, bucket: Bucket) -> None:
    part(bucket, "p/1", IDS)
    part(bucket, "p/2", {"other": pa.array([2], pa.int64()), "label": ["b"]})
    with pytest.raises(RedshiftError, match="Unmatched number of columns"):
        engine.execute("copy t from 's3://b/p/' iam_role default parquet")
    engine.execute("copy t from 's3://b/p/' iam_role default parquet fillrecord")
    assert engine.execute("select * from t order by id").rows == [
        (1, None, None), (2, "b", None),
    ]  # fmt: skip


def test_column_list_leaves_the_others_their_defaults(engine: Engine, bucket: Bucket) -> None:
    part(bucket, "p", IDS)
    engine.execute("copy t (id) from 's3://b/p' iam_role default parquet")
    assert engine.execute("select id, name from t").rows == [(1, "none")]


def test_old_timestamps_are_read(engine: Engine, bucket: Bucket) -> None:
    at = datetime(1969, 7, 20, 20, 17, 40)
    part(
        bucket, "p", {**NAMED, "at": pa.array([at], pa.timestamp("us"))},
        use_deprecated_int96_timestamps=True,
    )  # fmt: skip
    engine.execute("copy t from 's3://b/p' iam_role default parquet")
    assert engine.execute("select at from t").rows == [(at,)]


def test_rows_beyond_4_mb_are_not_loaded(engine: Engine, bucket: Bucket) -> None:
    wide = ", ".join(f"c{place} varchar(max)" for place in range(65))
    engine.execute(f"create table w ({wide})")
    part(bucket, "ok", {f"c{place}": ["x" * 60000] for place in range(65)})
    engine.execute("copy w from 's3://b/ok' iam_role default parquet")
    part(bucket, "p", {f"c{place}": ["x" * 65535] for place in range(65)})
    with pytest.raises(RedshiftError, match="a row is larger than the 4 MB"):
        engine.execute("copy w from 's3://b/p' iam_role default parquet")
    bucket.write("t", "|".join(["x" * 65535] * 65))
    with pytest.raises(RedshiftError, match="larger than the 4 MB"):
        engine.execute("copy w from 's3://b/t' iam_role default")


def test_identities_are_numbered_unless_explicit(engine: Engine, bucket: Bucket) -> None:
    engine.execute("create table n (id bigint identity(1, 1), name varchar(5))")
    bucket.write("f", "a\nb\n")
    bucket.write("g", "70|c\n")
    engine.execute("copy n from 's3://b/f' iam_role default")
    with pytest.raises(RedshiftError, match="write EXPLICIT_IDS"):
        engine.execute("copy n (id, name) from 's3://b/g' iam_role default")
    engine.execute("copy n from 's3://b/g' iam_role default explicit_ids")
    rows = engine.execute("select id, name from n order by name").rows
    assert [name for _, name in rows] == ["a", "b", "c"]
    assert rows[2] == (70, "c")
    assert len({number for number, _ in rows}) == 3


def test_manifest_of_several_shapes_is_one_statement(engine: Engine, bucket: Bucket) -> None:
    part(bucket, "p1", NAMED | {"at": pa.array([None], pa.timestamp("us"))})
    part(
        bucket,
        "p2",
        {"a": pa.array([2], pa.int64()), "b": ["b"], "c": pa.array([None], pa.timestamp("ms"))},
    )
    entries = [
        {"url": f"s3://b/{key}", "meta": {"content_length": (bucket.folder / key).stat().st_size}}
        for key in ("p1", "p2", "p2")
    ]  # fmt: skip
    bucket.write("m", json.dumps({"entries": entries}))
    assert engine.execute("copy t from 's3://b/m' iam_role default parquet manifest").row_count == 3


def test_super_is_refused_by_name(engine: Engine, bucket: Bucket) -> None:
    engine.execute("create table s (doc super)")
    part(bucket, "p", {"doc": ['{"a": 1}']})
    bucket.write("f", '{"a": 1}')
    for options in ("parquet serializetojson", "delimiter '|'"):
        with pytest.raises(RedshiftError, match="super"):
            engine.execute(
                f"copy s from 's3://b/{'p' if 'p' in options[:1] else 'f'}' iam_role default {options}"
            )
