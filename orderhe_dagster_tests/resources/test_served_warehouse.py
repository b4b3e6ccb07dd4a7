"""The warehouse's file as a database of many sessions: its store, its lock, what it leaves behind."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import connect
from orderhe_dagster.ports.errors import LockTimeout, PortError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.laptop.served_warehouse import served_database
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.servers.s3 import S3Server


def stored(store: Store, folder: Path) -> str:
    """The address of a CSV object with two rows."""
    store.create()
    file = folder / "rows.csv"
    file.write_text("1,one\n2,two\n")
    store.upload([("loads/rows.csv", file)])
    return store.url("loads/rows.csv")


@pytest.mark.parametrize("kind", ["folder", "s3"])
def test_what_copy_fetched_does_not_stay_until_the_server_stops(
    tmp_path: Path, s3: S3Server, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(scratch))
    store: Store = FolderStore(root=str(tmp_path / "s3"), bucket="b", prefix="")
    if kind == "s3":
        store = S3Store(S3Settings(bucket=s3.bucket_name(), endpoint_url=s3.url))
    address = stored(store, tmp_path)
    with served_database(tmp_path / "w.duckdb", store, "somewhere") as database:
        session = connect(database, user="admin")
        session.execute("create table rows (id integer, name varchar(9))")
        for _ in range(3):
            session.execute(f"copy rows from '{address}' iam_role default csv")
            assert [path for path in scratch.rglob("*") if path.is_file()] == []
        with pytest.raises(RedshiftError):
            session.execute(f"copy rows (id) from '{address}' iam_role default csv")
        assert [path for path in scratch.rglob("*") if path.is_file()] == []
        assert session.execute("select count(*) from rows").rows == [(6,)]
    assert list(scratch.iterdir()) == []


def test_others_are_told_where_to_go_and_a_damaged_file_what_to_do(tmp_path: Path) -> None:
    file = tmp_path / "w.duckdb"
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b", prefix="")
    with (
        served_database(file, store, "127.0.0.1:5439"),
        pytest.raises(LockTimeout, match=r"ORDERHE_WAREHOUSE=redshift .* 127.0.0.1:5439"),
        served_database(file, store, "elsewhere"),
    ):
        raise AssertionError
    file.write_bytes(b"x" * 20_000)
    with pytest.raises(PortError, match="move it away"), served_database(file, store, "here"):
        raise AssertionError
