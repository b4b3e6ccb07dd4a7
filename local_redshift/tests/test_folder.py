"""A folder as the store: what it reaches, and what a file system cannot do, as a statement's error."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

import local_redshift
from local_redshift import Database, NoSuchBucket, RedshiftError, Resolver, connect, folder_store
from local_redshift.database.storage import Role
from local_redshift.session.engine import Engine
from local_redshift.testing.server import serving


@pytest.fixture
def store(tmp_path: Path) -> Path:
    """The folder of a store with the bucket `b`."""
    (tmp_path / "s3" / "b").mkdir(parents=True)
    (tmp_path / "s3" / "b" / "one.csv").write_text("1\n")
    return tmp_path / "s3"


@pytest.fixture
def session(store: Path) -> Iterator[Engine]:
    with Database(resolver=folder_store(store)) as database, connect(database) as engine:
        engine.execute("create table t (a integer)")
        yield engine


def unload(key: str) -> str:
    return f"unload ('select 1 as a') to 's3://b/{key}' iam_role default parallel off"


@pytest.mark.parametrize(
    ("key", "words"),
    [
        ("one.csv/below-", "Not a directory|File exists"),
        ("folder/", "Is a directory"),
        ("long" * 80, "File name too long"),
        ("deep/" * 1000, "File name too long"),
    ],
    ids=["below a file", "a folder", "a long name", "a long path"],
)
def test_what_the_file_system_cannot_is_the_statement_s_error(
    session: Engine, store: Path, key: str, words: str
) -> None:
    (store / "b" / "folder" / "000").mkdir(parents=True)
    with pytest.raises(RedshiftError, match=f"S3ServiceException:({words}),Status 500") as error:
        session.execute(unload(key))
    assert error.value.code == "XX000"
    assert f"S3 key being written : s3://b/{key}000" in error.value.detail
    assert session.execute("select 1").rows == [(1,)]
    assert [path.name for path in store.iterdir()] == ["b"], "half a file"


def test_a_client_keeps_its_connection(store: Path) -> None:
    import redshift_connector

    with serving(resolver=folder_store(store)) as served, closing(served.connect()) as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        with pytest.raises(redshift_connector.ProgrammingError, match=r"b/one[.]csv/below-000"):
            cursor.execute(unload("one.csv/below-"))
        cursor.execute("select 1")
        assert cursor.fetchall() == ([1],)


FAILURES = [
    FileExistsError(errno.EEXIST, "File exists"),
    IsADirectoryError(errno.EISDIR, "Is a directory"),
    NotADirectoryError(errno.ENOTDIR, "Not a directory"),
    PermissionError(errno.EACCES, "Permission denied"),
    OSError(errno.ENAMETOOLONG, "File name too long"),
    OSError(errno.ENOSPC, "No space left on device"),
    OSError("without a number"),
]
STATEMENTS = {
    "read": "copy t from 's3://b/one.csv' iam_role default csv manifest",
    "local_path": "copy t from 's3://b/one.csv' iam_role default csv",
    "list": "copy t from 's3://b/one.csv' iam_role default csv",
    "put": unload("new-"),
    "delete": "unload ('select 1 as a') to 's3://b/' iam_role default cleanpath",
}


@pytest.mark.parametrize("failure", FAILURES, ids=lambda failure: type(failure).__name__)
@pytest.mark.parametrize("function", STATEMENTS)
def test_whatever_a_store_raises_names_the_key(
    store: Path, function: str, failure: OSError
) -> None:
    def fails(*arguments: Any) -> Any:
        raise failure

    there = folder_store(store)
    functions = {
        name: getattr(there, name) for name in ("read", "local_path", "list", "put", "delete")
    }
    with (
        Database(resolver=Resolver(**{**functions, function: fails})) as database,
        connect(database) as engine,
    ):
        engine.execute("create table t (a integer)")
        with pytest.raises(RedshiftError) as error:
            engine.execute(STATEMENTS[function])
        assert f"S3ServiceException:{failure.strerror or 'OSError'},Status 500" in str(error.value)
        assert ": s3://b/" in error.value.detail
        assert engine.execute("select 1").rows == [(1,)]


def test_links_out_of_the_store_are_not_followed(session: Engine, store: Path) -> None:
    outside = store.parent / "outside"
    outside.mkdir()
    (outside / "secret.csv").write_text("7\n")
    (store / "b" / "folder").symlink_to(outside)
    (store / "b" / "file.csv").symlink_to(outside / "secret.csv")
    (store / "b" / "inside.csv").symlink_to("one.csv")
    (store / "bucket").symlink_to(outside)
    files = folder_store(store)
    for key in ("folder/secret.csv", "file.csv"):
        for reach in (files.read, files.local_path):
            with pytest.raises(FileNotFoundError):
                reach(f"s3://b/{key}")
    for address in ("s3://bucket/secret.csv", "s3://bucket/"):
        with pytest.raises(NoSuchBucket, match="'bucket'"):
            files.list(address)
    assert files.list("s3://b/") == [("s3://b/inside.csv", 2), ("s3://b/one.csv", 2)]
    assert files.read("s3://b/inside.csv") == b"1\n"
    with pytest.raises(RedshiftError, match="a link leads out of the bucket"):
        session.execute(unload("folder/"))
    with pytest.raises(PermissionError):
        files.delete(["s3://b/folder/secret.csv"])
    assert [path.name for path in outside.iterdir()] == ["secret.csv"]


def test_links_into_another_bucket_are_not_followed(session: Engine, store: Path) -> None:
    """A role that may read one bucket would read the other by it."""
    (store / "secret").mkdir()
    (store / "secret" / "keys.csv").write_text("7\n")
    (store / "b" / "link.csv").symlink_to(store / "secret" / "keys.csv")
    (store / "b" / "folder").symlink_to(store / "secret")
    (store / "alias").symlink_to(store / "secret")
    files = folder_store(store)
    assert files.list("s3://b/") == [("s3://b/one.csv", 2)]
    for key in ("link.csv", "folder/keys.csv"):
        with pytest.raises(FileNotFoundError):
            files.read(f"s3://b/{key}")
        with pytest.raises(RedshiftError, match="prefix"):
            session.execute(f"copy t from 's3://b/{key}' iam_role default csv")
        with pytest.raises(PermissionError):
            files.delete([f"s3://b/{key}"])
    with pytest.raises(NoSuchBucket, match="'alias'"):
        files.list("s3://alias/")
    assert files.read("s3://secret/keys.csv") == b"7\n"


def test_a_relative_folder_stays_the_one_it_was(
    store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(store.parent)
    files = local_redshift.folder_store("s3")
    monkeypatch.chdir(os.sep)
    assert files.read("s3://b/one.csv") == b"1\n"


def test_what_is_kept_is_kept_in_whatever_case() -> None:
    """A disk that knows no case has one folder for both."""
    role = Role("default", everything=True, kept=("s3://shop/backup/",))
    for key in ("backup/orders/x", "Backup/orders/x", "BACKUP/x"):
        assert not role.may("put", "shop", key)
        assert not role.may("delete", "shop", key)
        assert role.may("get", "shop", key)
    assert role.may("put", "shop", "backups/x")
    assert role.may("put", "other", "backup/x")
