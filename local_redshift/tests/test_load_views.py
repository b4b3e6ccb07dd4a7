"""What the system views tell of loads, and what roles, regions and buckets refuse."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from local_redshift.database.database import Database
from local_redshift.database.storage import Grant, Role, Roles
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine, connect
from tests.buckets import Bucket

ACCOUNT = "arn:aws:iam::123456789012:role"
READ = Grant("b", "in/", ("get",))
ROLES = Roles(
    (
        Role(f"{ACCOUNT}/loader", (Grant("b", "in/", ("get", "list")),)),
        Role(f"{ACCOUNT}/blind", (READ,)),
        Role(f"{ACCOUNT}/unloader", (Grant("b", "out/", ("list", "put")),)),
        Role(f"{ACCOUNT}/elsewhere", (Grant("other"),)),
        Role(f"{ACCOUNT}/detached", (READ,), attached=False),
        Role(f"{ACCOUNT}/untrusting", (READ,), trusted=False),
    ),
    default=f"{ACCOUNT}/loader",
)


@pytest.fixture
def bucket(tmp_path: Path) -> Bucket:
    made = Bucket(tmp_path)
    made.write("in/f", "1|a\n")
    made.write("in/bad", "1|a\nx|b\n")
    made.write("in/m", '{"entries": [{"url": "s3://b/in/f"}]}')
    made.write("secret/f", "1|a\n")
    return made


@pytest.fixture
def database(bucket: Bucket) -> Iterator[Database]:
    with Database(resolver=bucket.resolver, roles=ROLES) as made:
        yield made


@pytest.fixture
def engine(database: Database) -> Engine:
    made = connect(database)
    made.execute("create table t (id integer, name varchar(5))")
    return made


def copy(engine: Engine, key: str, role: str = "default", options: str = "") -> Any:
    named = role if role == "default" else f"'{ACCOUNT}/{role}'"
    return engine.execute(f"copy t from 's3://b/{key}' iam_role {named} {options}")


def test_views_tell_of_loads_and_their_errors(engine: Engine, database: Database) -> None:
    copy(engine, "in/f")
    engine.execute("begin")
    with pytest.raises(RedshiftError):
        copy(engine, "in/bad")
    engine.execute("rollback")
    other = connect(database)
    assert other.execute(
        "select file_name, line_number, column_name, column_type, error_code, error_message "
        "from sys_load_error_detail"
    ).rows == [
        ("s3://b/in/bad", 2, "id", "int4", 1207, "Invalid digit, Value 'x', Pos 0, Type: Integer")
    ]
    assert other.execute(
        "select raw_line, raw_field_value, err_code from stl_load_errors"
    ).rows == [("x|b", "x", 1207)]
    assert other.execute(
        "select status, table_name, loaded_rows, error_count from sys_load_history order by query_id"
    ).rows == [("completed", "t", 1, 0), ("failed", "t", 0, 1)]
    assert other.execute("select filename from stl_load_commits").rows == [("s3://b/in/f",)]
    assert other.execute("select pg_last_copy_id()").rows == [(-1,)]
    (query,) = engine.execute("select pg_last_copy_id()").rows
    assert other.execute("select min(query_id) from sys_load_history").rows == [query]


def test_views_tell_of_unloads(engine: Engine) -> None:
    copy(engine, "in/f")
    role = f"'{ACCOUNT}/unloader'"
    engine.execute(f"unload ('select * from t') to 's3://b/out/x_' iam_role {role} csv")
    assert engine.execute("select path from stl_unload_log").rows == [
        ("s3://b/out/x_0000_part_00",)
    ]
    assert engine.execute("select unloaded_rows, status from sys_unload_history").rows == [
        (1, "completed")
    ]


# Title: the key, the role, options, what the error says and its number.
DENIED = {
    "not attached": ("in/f", "detached", "", "error type : 138, message : The requested role", 30000),
    "unknown": ("in/f", "nobody", "", "is not associated to cluster", 30000),
    "no trust": ("in/f", "untrusting", "", "error type : 135, message : Not authorized", 30000),
    "another bucket": ("in/f", "elsewhere", "", "Access Denied,Status 403", 8001),
    "another prefix": ("secret/f", "loader", "", "Access Denied,Status 403", 8001),
    "no list": ("in/f", "blind", "", "Access Denied,Status 403", 8001),
    "a missing prefix": ("in/gone", "loader", "", "S3 prefix 'in/gone' does not exist", 8001),
    "a missing manifest": (
        "in/gone", "loader", "manifest",
        "Problem reading manifest file - S3ServiceException:The specified key does not exist", 8001,
    ),
    "a missing manifest without list": ("in/gone", "blind", "manifest", "Access Denied", 8001),
    "a manifest without get": ("secret/m", "loader", "manifest", "requires full path of an S3", 8001),
}  # fmt: skip


@pytest.mark.parametrize("title", DENIED)
def test_role_may_what_it_was_granted(title: str, engine: Engine) -> None:
    key, role, options, words, number = DENIED[title]
    with pytest.raises(RedshiftError, match=words) as caught:
        copy(engine, key, role, options)
    assert caught.value.code == "XX000"
    assert f"code:      {number}" in caught.value.detail
    assert "context:   " in caught.value.detail


def test_reading_by_manifest_needs_no_list(engine: Engine) -> None:
    assert copy(engine, "in/m", "blind", "manifest").row_count == 1


def test_default_role_is_the_one_that_is_named(engine: Engine, bucket: Bucket) -> None:
    assert copy(engine, "in/f").row_count == 1
    with (
        Database(resolver=bucket.resolver, roles=Roles(())) as bare,
        pytest.raises(RedshiftError, match="default IAM role is not set"),
    ):
        session = connect(bare)
        session.execute("create table t (id integer, name varchar(5))")
        copy(session, "in/f")


def test_unload_needs_put(engine: Engine, bucket: Bucket) -> None:
    for role in ("loader", "elsewhere"):
        with pytest.raises(RedshiftError, match="Access Denied,Status 403"):
            engine.execute(
                f"unload ('select 1 as a') to 's3://b/in/new_' iam_role '{ACCOUNT}/{role}'"
            )
    assert not [key for key in bucket.objects if "new_" in key]


def test_bucket_of_another_region_must_be_named_so(engine: Engine, bucket: Bucket) -> None:
    bucket.regions["b"] = "us-west-2"
    with pytest.raises(RedshiftError, match="must be addressed using the specified endpoint"):
        copy(engine, "in/f")
    assert copy(engine, "in/f", options="region 'us-west-2'").row_count == 1


def test_bucket_that_is_not_there(bucket: Bucket) -> None:
    with Engine(resolver=bucket.resolver) as engine:
        engine.execute("create table t (id integer)")
        with pytest.raises(RedshiftError, match="The specified bucket does not exist,Status 404"):
            engine.execute("copy t from 's3://nowhere/f' iam_role default")
