"""COPY of Parquet: what is loaded, and every way in which Redshift would not load it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_redshift.database.storage import Resolver
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

SCHEMA = pa.schema(
    [
        ("id", pa.int64()),
        ("small", pa.int16()),
        ("name", pa.string()),
        ("price", pa.decimal128(12, 2)),
        ("day", pa.date32()),
        ("at", pa.timestamp("us")),
        ("rate", pa.float64()),
        ("ok", pa.bool_()),
        ("bits", pa.binary()),
    ]
)
TABLE = (
    "create table t (id bigint not null, small smallint, name varchar(5), price decimal(12,2), "
    "day date, at timestamp, rate float8, ok boolean, bits varbyte(3))"
)
ROW = {
    "id": 1, "small": 2, "name": "한a", "price": Decimal("1.50"), "day": date(2024, 2, 29),
    "at": datetime(2024, 2, 29, 1, 2, 3, 4), "rate": 0.1, "ok": True, "bits": b"\x00\x01",
}  # fmt: skip
COPY = "copy t from 's3://b/m' iam_role default format as parquet manifest"


class Bucket:
    """Objects of `s3://b/` as files of a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def local_path(self, address: str) -> str:
        file = self.folder / address.removeprefix("s3://b/")
        if not file.is_file():
            raise FileNotFoundError(address)
        return str(file)

    def read(self, address: str) -> bytes:
        return Path(self.local_path(address)).read_bytes()

    def list(self, prefix: str) -> list[tuple[str, int]]:
        files = ((f"s3://b/{file.name}", file.stat().st_size) for file in self.folder.iterdir())
        return [(address, size) for address, size in files if address.startswith(prefix)]

    @property
    def resolver(self) -> Resolver:
        return Resolver(self.read, self.local_path, self.list)

    def part(self, name: str, rows: list[dict[str, Any]], schema: pa.Schema = SCHEMA) -> None:
        pq.write_table(pa.Table.from_pylist(rows, schema), self.folder / name)

    def manifest(self, *names: str, **changes: Any) -> None:
        entries = [
            {
                "url": f"s3://b/{name}",
                "mandatory": True,
                "meta": {"content_length": (self.folder / name).stat().st_size},
                **changes,
            }
            for name in names
        ]
        (self.folder / "m").write_text(json.dumps({"entries": entries}))


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    return Bucket(tmp_path)


@pytest.fixture
def engine(bucket: Bucket) -> Iterator[Engine]:
    with Engine(resolver=bucket.resolver) as made:
        made.execute(TABLE)
        yield made


def test_every_type_is_loaded_exactly(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [ROW, {**ROW, "id": 2, "name": None, "bits": None}])
    bucket.manifest("p0")
    assert engine.execute(COPY).row_count == 2
    assert engine.execute("select * from t where id = 1").rows == [tuple(ROW.values())]
    assert engine.execute("select pg_last_copy_count()").rows == [(2,)]


def test_parts_are_loaded_together_and_twice_when_named_twice(
    engine: Engine, bucket: Bucket
) -> None:
    names = [f"p{number}" for number in range(40)]
    for number, name in enumerate(names):
        bucket.part(name, [{**ROW, "id": number}])
    bucket.manifest(*names, "p0")
    assert engine.execute(COPY).row_count == 41


def test_columns_are_matched_by_place_not_by_name(engine: Engine, bucket: Bucket) -> None:
    renamed = pa.schema([pa.field(f"x{place}", field.type) for place, field in enumerate(SCHEMA)])
    bucket.part("p0", [dict(zip(renamed.names, ROW.values(), strict=True))], renamed)
    bucket.manifest("p0")
    engine.execute(COPY)
    assert engine.execute("select name from t").rows == [("한a",)]


def test_column_list_gives_the_order_and_leaves_the_others_null(
    engine: Engine, bucket: Bucket
) -> None:
    schema = pa.schema([("name", pa.string()), ("id", pa.int64())])
    bucket.part("p0", [{"name": "a", "id": 7}], schema)
    bucket.manifest("p0")
    engine.execute(COPY.replace("copy t", 'copy public.t ("name", "id")'))
    assert engine.execute("select id, name, small from t").rows == [(7, "a", None)]


def test_one_object_is_loaded_without_a_manifest(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [ROW])
    engine.execute(
        "copy t from 's3://b/p0' iam_role 'arn:aws:iam::1:role/r' parquet statupdate off"
    )
    assert engine.execute("select count(*) from t").rows == [(1,)]


def test_part_that_is_not_mandatory_may_be_missing(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [ROW])
    bucket.part("p1", [ROW])
    bucket.manifest("p0", "p1", mandatory=False)
    (bucket.folder / "p1").unlink()
    assert engine.execute(COPY).row_count == 1


def changed(name: str, type_: pa.DataType) -> pa.Schema:
    at = SCHEMA.get_field_index(name)
    return SCHEMA.set(at, pa.field(name, type_))


WRONG_SCHEMAS = {
    "bigint from int32": changed("id", pa.int32()),
    "smallint from int64": changed("small", pa.int64()),
    "decimal from double": changed("price", pa.float64()),
    "decimal of another scale": changed("price", pa.decimal128(12, 3)),
    "date from timestamp": changed("day", pa.timestamp("us")),
    "timestamp in nanoseconds": changed("at", pa.timestamp("ns")),
    "double from float": changed("rate", pa.float32()),
    "text from binary": changed("name", pa.binary()),
    "bigint from unsigned": changed("id", pa.uint64()),
    "a list": changed("name", pa.list_(pa.string())),
}


@pytest.mark.parametrize("title", WRONG_SCHEMAS)
def test_other_physical_types_are_not_loaded(title: str, engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [], WRONG_SCHEMAS[title])
    bucket.manifest("p0")
    with pytest.raises(
        RedshiftError, match=r"Spectrum Scan Error; code: 15007; .*(incompatible|Unmatched)"
    ):
        engine.execute(COPY)


def test_another_number_of_columns_is_not_loaded(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [ROW])
    bucket.part("p1", [], pa.schema(list(SCHEMA)[:-1]))
    bucket.manifest("p0", "p1")
    with pytest.raises(
        RedshiftError, match=r"Table columns: 9, Data columns: 8, File name: s3://b/p1"
    ):
        engine.execute(COPY)
    assert engine.execute("select count(*) from t").rows == [(0,)]


def test_text_longer_than_the_column_in_bytes_is_not_loaded(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [{**ROW, "name": "한글"}])
    bucket.manifest("p0")
    with pytest.raises(RedshiftError, match=r"data column name is longer .* Table: 5, Data: 6"):
        engine.execute(COPY)


def test_null_in_a_not_null_column_is_not_loaded(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [{**ROW, "id": None}])
    bucket.manifest("p0")
    with pytest.raises(RedshiftError, match="NULL value into column id"):
        engine.execute(COPY)


WRONG_ENTRIES: dict[str, tuple[dict[str, Any], str]] = {
    "a size that is not exact": ({"meta": {"content_length": 5}}, "the manifest says 5 bytes"),
    "no size": ({"meta": {}}, "does not have 'meta' key"),
    "a missing part": ({"url": "s3://b/gone"}, r"NoSuchKey; .*s3://b/gone"),
    "no full address": ({"url": "p0"}, "requires full path"),
}


@pytest.mark.parametrize("title", WRONG_ENTRIES)
def test_manifest_must_be_exact(title: str, engine: Engine, bucket: Bucket) -> None:
    changes, words = WRONG_ENTRIES[title]
    bucket.part("p0", [ROW])
    bucket.manifest("p0", **changes)
    with pytest.raises(RedshiftError, match=words):
        engine.execute(COPY)


def test_what_is_no_manifest_and_no_parquet_is_said(engine: Engine, bucket: Bucket) -> None:
    (bucket.folder / "m").write_text("[]")
    with pytest.raises(RedshiftError, match="no JSON with entries"):
        engine.execute(COPY)
    (bucket.folder / "p0").write_text("id,name")
    bucket.manifest("p0")
    with pytest.raises(RedshiftError, match="not a Parquet file"):
        engine.execute(COPY)
    (bucket.folder / "m").write_text('{"entries": ["s3://b/p0"]}')
    with pytest.raises(RedshiftError, match="not an object"):
        engine.execute(COPY)
    (bucket.folder / "m").write_text('{"entries": {"url": "s3://b/p0"}}')
    with pytest.raises(RedshiftError, match="no list"):
        engine.execute(COPY)
    (bucket.folder / "m").write_text('{"entries": []}')
    with pytest.raises(RedshiftError, match="empty manifest"):
        engine.execute(COPY)


def test_failed_copy_in_a_transaction_fails_it(engine: Engine, bucket: Bucket) -> None:
    bucket.part("p0", [{**ROW, "name": "too long"}])
    bucket.manifest("p0")
    engine.execute("begin")
    with pytest.raises(RedshiftError):
        engine.execute(COPY)
    with pytest.raises(RedshiftError, match="aborted"):
        engine.execute("select 1")
