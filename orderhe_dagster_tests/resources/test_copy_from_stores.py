"""COPY and UNLOAD over the project's own stores: a folder, and S3 on moto's server."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import connect
from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.servers.s3 import S3Server


@pytest.fixture(params=["folder", "s3"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Store:
    made: Store
    if request.param == "folder":
        made = FolderStore(root=str(tmp_path / "s3"), bucket="shop", prefix="pre")
    else:
        server: S3Server = request.getfixturevalue("s3")
        made = S3Store(
            S3Settings(bucket=server.bucket_name(), prefix="pre", endpoint_url=server.url)
        )
    made.create()
    return made


@pytest.fixture
def database(store: Store) -> Iterator[Database]:
    with ExitStack() as stack, Database(resolver=resolver(store, stack)) as made:
        yield made


def test_listing_gives_what_begins_so(store: Store) -> None:
    for key in ("a/x1", "a/x2/y", "a/z", "b"):
        store.put(key, b"12")
    assert list(store.listing("a/x")) == [("a/x1", 2), ("a/x2/y", 2)]
    assert [key for key, _ in store.listing("")] == ["a/x1", "a/x2/y", "a/z", "b"]
    assert list(store.listing("nothing/")) == []


@pytest.mark.parametrize("options", ["csv gzip", "parquet", "parquet manifest", "escape zstd"])
def test_what_is_unloaded_is_copied_back(options: str, store: Store, database: Database) -> None:
    session = connect(database)
    session.execute("create table a (id integer, name varchar(20), price decimal(8,2))")
    session.execute("create table z (like a)")
    session.execute("insert into a values (1, 'a,|', 1.5), (2, '한글', -2), (3, 'x', null)")
    session.execute(
        f"unload ('select * from a') to '{store.url('out/a_')}' iam_role default {options}"
    )
    with pytest.raises(RedshiftError, match="is not empty"):
        session.execute(f"unload ('select * from a') to '{store.url('out/a_')}' iam_role default")
    key = "out/a_manifest" if "manifest" in options else "out/a_"
    session.execute(f"copy z from '{store.url(key)}' iam_role default {options}")
    assert session.execute("select * from z except select * from a").rows == []
    assert session.execute("select count(*) from z").rows == [(3,)]
    session.execute(
        f"unload ('select * from a where id < 2') to '{store.url('out/a_')}' iam_role default cleanpath"
    )
    assert [key for key, _ in store.listing("out/")] == ["out/a_0000_part_00"]


def test_what_the_store_has_not_is_told_as_redshift_does(store: Store, database: Database) -> None:
    session = connect(database)
    session.execute("create table a (id integer)")
    with pytest.raises(RedshiftError, match="S3 prefix 'pre/gone' does not exist"):
        session.execute(f"copy a from '{store.url('gone')}' iam_role default")
    with pytest.raises(RedshiftError, match=r"Problem reading manifest file.*NoSuchKey"):
        session.execute(f"copy a from '{store.url('gone')}' iam_role default manifest")
    with pytest.raises(RedshiftError, match=r"NoSuchBucket.* the store of this warehouse holds"):
        session.execute("copy a from 's3://elsewhere/x' iam_role default")
