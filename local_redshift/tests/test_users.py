"""Users who may less: what GRANT and REVOKE come to, who owns what, who comes in, what nobody may see."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import redshift_connector

from local_redshift.database.database import Database
from local_redshift.database.folder import folder_store
from local_redshift.errors import RedshiftError
from local_redshift.read.secrets import without_secrets
from local_redshift.session.engine import Engine, connect
from local_redshift.testing.server import Redshift
from tests.test_wire_clients import not_connected

PASSWORD = "Abc$$12345x".replace("$$", "_")


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A database with a mart of two tables and a view, and users who have nothing yet."""
    (tmp_path / "s3" / "shop" / "backup" / "orders").mkdir(parents=True)
    (tmp_path / "s3" / "shop" / "backup" / "orders" / "part.csv").write_text("1\n")
    with Database(resolver=folder_store(tmp_path / "s3")) as database, connect(database) as owner:
        for statement in (
            "create schema mart",
            "create schema warehouse",
            "create table mart.sales (day date, total int)",
            "insert into mart.sales values ('2026-01-01', 5)",
            "create table mart.other (a int)",
            "create table warehouse.orders (id int)",
            "insert into warehouse.orders values (1)",
            "create view mart.best as select id from warehouse.orders",
            "create view mart.late as select id from warehouse.orders with no schema binding",
            f"create user bi password '{PASSWORD}'",
            f"create user loader password '{PASSWORD}'",
            f"create user chief password '{PASSWORD}' createuser",
            "create group readers with user bi",
            "create role reading",
        ):
            owner.execute(statement)
        yield database


@contextmanager
def as_user(database: Database, name: str = "admin") -> Iterator[Engine]:
    with connect(database, user=name) as session:
        yield session


def owner(database: Database, *statements: str) -> None:
    with as_user(database) as session:
        for statement in statements:
            session.execute(statement)


def denied(database: Database, user: str, sql: str) -> str:
    """What a user is told who may not do that."""
    with as_user(database, user) as session:
        with pytest.raises(RedshiftError) as raised:
            session.execute(sql)
        assert raised.value.code == "42501", raised.value
        return raised.value.message


def test_a_user_may_nothing_at_first(database: Database) -> None:
    for sql in ("select * from mart.sales", "select * from mart.nothing", "delete from mart.sales"):
        assert denied(database, "bi", sql) == "permission denied for schema mart"
    assert denied(database, "bi", "create schema mine") == "permission denied for database dev"
    owner(database, "grant usage on schema mart to bi")
    for sql in (
        "select * from mart.sales",
        "insert into mart.sales values ('2026-01-02', 1)",
        "update mart.sales set total = 0",
        "delete from mart.sales",
        "truncate mart.sales",
        "lock table mart.sales",
        "copy mart.sales from 's3://shop/backup/orders/part.csv' iam_role default csv",
        "unload ('select * from mart.sales') to 's3://shop/out/' iam_role default",
        "grant select on mart.sales to loader",
    ):
        assert denied(database, "bi", sql) == "permission denied for relation sales", sql
    for sql in (
        "drop table mart.sales",
        "alter table mart.sales add column a int",
        "alter table mart.sales owner to bi",
        "comment on table mart.sales is 'mine'",
    ):
        assert denied(database, "bi", sql) == "must be owner of relation sales", sql
    for sql in (
        "create table mart.mine (a int)",
        "select 1 as a into mart.mine",
        "create view mart.mine as select 1 as a",
        "grant usage on schema mart to loader",
    ):
        assert denied(database, "bi", sql) == "permission denied for schema mart", sql
    assert denied(database, "bi", "drop schema mart cascade") == "must be owner of schema mart"
    with as_user(database, "bi") as session:
        session.execute("create temp table own as select 1 as a")
        session.execute("insert into own values (2)")
        session.execute("create table public.here as select sum(a) as a from own")
        assert session.execute("select a from here").rows == [(3,)]


GRANTS: list[tuple[str, str]] = [
    ("select", "select total from mart.sales"),
    ("insert", "insert into mart.sales values ('2026-01-02', 1)"),
    ("update", "update mart.sales set total = 1"),
    ("delete", "delete from mart.sales"),
    ("truncate", "truncate mart.sales"),
    ("drop", "drop table mart.sales"),
    ("alter", "alter table mart.sales add column more int"),
    ("update", "lock table mart.sales"),
    ("insert", "copy mart.other from 's3://shop/backup/orders/part.csv' iam_role default csv"),
]


@pytest.mark.parametrize(("privilege", "sql"), GRANTS)
def test_a_privilege_is_what_it_says_until_it_is_revoked(
    database: Database, privilege: str, sql: str
) -> None:
    owner(database, "grant usage on schema mart to bi")
    denied(database, "bi", sql)
    grant = f"{privilege} on mart.sales, mart.other"
    owner(database, f"grant {grant} to bi", f"revoke {grant} from bi")
    denied(database, "bi", sql)
    owner(database, f"grant {grant} to bi")
    with as_user(database, "bi") as session:
        session.execute(sql)
        if privilege in ("update", "delete") and sql.startswith(privilege):
            denied(database, "bi", f"{sql} where total = 1")
    if privilege != "drop":
        others = [other for _, other in GRANTS if GRANTS.index((_, other)) < 6 and _ != privilege]
        for other in others:
            denied(database, "bi", other)


@pytest.mark.parametrize("to", ["bi", "group readers", "role reading", "public"])
def test_a_right_comes_by_oneself_a_group_a_role_or_to_everybody(
    database: Database, to: str
) -> None:
    denied(database, "bi", "select * from mart.sales")
    owner(
        database,
        "create role above",
        "grant role reading to role above",
        "grant role above to bi",
        f"grant usage on schema mart to {to}",
        f"grant select on all tables in schema mart to {to}",
    )
    with as_user(database, "bi") as session:
        assert session.execute("select total from mart.sales").rows == [(5,)]
        assert session.execute("select id from mart.best").rows == [(1,)], "by the view's own right"
    if to != "public":
        denied(database, "loader", "select * from mart.sales")
    gone = {
        "group readers": "alter group readers drop user bi",
        "role reading": "revoke role above from bi",
    }
    owner(database, gone.get(to, f"revoke usage on schema mart from {to}"))
    denied(database, "bi", "select * from mart.sales")


def test_a_query_that_was_compiled_before_asks_again(database: Database) -> None:
    """The same text, several times, by the same session: its right goes meanwhile."""
    owner(
        database, "grant usage on schema mart to bi", "grant select on mart.sales to role reading"
    )
    owner(database, "grant role reading to bi")
    with as_user(database, "bi") as session:
        for _ in range(4):
            session.execute("select total from mart.sales")
        owner(database, "revoke role reading from bi")
        with pytest.raises(RedshiftError, match="permission denied for relation sales"):
            session.execute("select total from mart.sales")


@pytest.mark.parametrize("ending", ["", " with no schema binding"])
def test_a_view_reads_what_its_owner_may_at_that_moment(database: Database, ending: str) -> None:
    owner(
        database,
        "grant usage on schema warehouse, mart to loader",
        "grant create on schema mart to loader",
        "grant usage on schema mart to bi",
        "grant select on warehouse.orders to loader",
    )
    with as_user(database, "loader") as session:
        session.execute(f"create view mart.own as select id from warehouse.orders{ending}")
        if not ending:
            session.execute("create view mart.upper as select id from mart.own")
            session.execute("create materialized view mart.copied as select id from mart.own")
        session.execute("grant select on mart.own to bi")
    with as_user(database, "bi") as session:
        assert session.execute("select id from mart.own").rows == [(1,)]
        owner(database, "revoke select on warehouse.orders from loader")
        with pytest.raises(RedshiftError, match="permission denied for relation orders"):
            session.execute("select id from mart.own")
    above = ["select * from mart.upper", "refresh materialized view mart.copied"]
    for sql in ["select * from mart.own", *above * (not ending)]:
        assert denied(database, "loader", sql) == "permission denied for relation orders"
    owner(database, "grant select on warehouse.orders to bi")
    assert denied(database, "bi", "select * from mart.own").endswith("relation orders")
    owner(database, "alter table mart.own owner to chief")
    with as_user(database, "bi") as session:
        assert session.execute("select id from mart.own").rows == [(1,)], "a superuser's now"
    owner(database, "revoke select on mart.own from bi")
    assert denied(database, "bi", "select * from mart.own") == "permission denied for relation own"


def test_nobody_gives_a_view_to_one_who_may_more(database: Database) -> None:
    owner(database, "grant usage, create on schema mart to bi", "grant select on mart.other to bi")
    with as_user(database, "bi") as session:
        session.execute("create view mart.own as select a from mart.other with no schema binding")
        for name in ("chief", "loader"):
            with pytest.raises(RedshiftError, match="must be superuser to change owner") as raised:
                session.execute(f"alter table mart.own owner to {name}")
            assert raised.value.code == "42501"
        session.execute("alter table mart.own owner to bi")
    owner(database, "revoke select on mart.other from bi")
    assert denied(database, "bi", "select * from mart.own").endswith("relation other")


def test_what_computes_a_new_value_reads(database: Database) -> None:
    owner(
        database,
        "grant usage on schema mart to bi",
        "grant update, insert on mart.sales to bi",
        "grant select on mart.other to bi",
    )
    merge = (
        "merge into mart.sales using mart.other on sales.total = other.a"
        " when matched then update set day = '2026-01-09'"
        " when not matched then insert values ('2026-01-08', a)"
    )
    told = "permission denied for relation sales"
    assert denied(database, "bi", "update mart.sales set total = total + 1") == told
    assert denied(database, "bi", merge) == told
    owner(database, "grant select on mart.sales to bi", "insert into mart.other values (5), (6)")
    with as_user(database, "bi") as session:
        session.execute(merge)
        session.execute("update mart.sales set total = total + 1")
        rows = session.execute("select day::varchar, total from mart.sales order by 2").rows
        assert rows == [("2026-01-09", 6), ("2026-01-08", 7)]
    owner(database, "revoke insert on mart.sales from bi")
    assert denied(database, "bi", merge) == told


def test_a_grant_waits_for_writers_and_for_no_reader(database: Database) -> None:
    owner(database, "grant usage on schema mart to bi", "grant select, insert on mart.sales to bi")
    with as_user(database, "bi") as reader, as_user(database) as session:
        reader.execute("begin")
        reader.execute("select total from mart.sales")
        session.execute("set statement_timeout to 2000")
        session.execute("grant update on mart.sales to loader")
        session.execute("revoke select on mart.sales from bi")
        reader.execute("insert into mart.sales values ('2026-01-02', 1)")
        session.execute("set statement_timeout to 50")
        with pytest.raises(RedshiftError, match=r"statement.timeout") as waited:
            session.execute("revoke insert on mart.sales from bi")
        assert waited.value.code == "57014"
        reader.execute("commit")
        assert session.execute("select count(*) from mart.sales").rows == [(2,)]
    denied(database, "bi", "select total from mart.sales")


def test_whose_it_is_may_do_everything_with_it(database: Database) -> None:
    owner(
        database, "grant create on database dev to loader", "grant usage on schema mart to loader"
    )
    with as_user(database, "loader") as session:
        session.execute("create schema load")
        session.execute("create table load.t (a int)")
        session.execute("insert into load.t values (1)")
        session.execute("alter table load.t add column b int")
        session.execute("grant usage on schema load to bi")
        session.execute("grant select on load.t to bi with grant option")
        session.execute("create or replace view load.v as select a from load.t")
        session.execute("grant select on load.v to bi")
        session.execute("create or replace view load.v as select a, 1 as more from load.t")
    with as_user(database, "bi") as session:
        assert session.execute("select a from load.t").rows == [(1,)]
        assert session.execute("select * from load.v").rows == [(1, 1)], (
            "a new text keeps the rights"
        )
        session.execute("grant select on load.t to group readers")
    assert denied(database, "bi", "grant delete on load.t to loader") == (
        "permission denied for relation t"
    )
    with as_user(database, "loader") as session:
        session.execute("drop schema load cascade")
    with as_user(database, "chief") as session:
        session.execute("drop table mart.other")


def test_tables_that_come_later_have_the_default_privileges(database: Database) -> None:
    owner(
        database,
        "grant usage on schema mart to bi",
        "grant create, usage on schema mart to loader",
        "alter default privileges for user loader in schema mart grant select on tables to bi",
        "create table mart.of_another (a int)",
    )
    with as_user(database, "loader") as session:
        session.execute("create table mart.newest (a int)")
    with as_user(database, "bi") as session:
        session.execute("select a from mart.newest")
    denied(database, "bi", "select a from mart.of_another")
    owner(
        database,
        "alter default privileges for user loader in schema mart revoke select on tables from bi",
    )
    with as_user(database, "loader") as session:
        session.execute("create table mart.newer (a int)")
    denied(database, "bi", "select a from mart.newer")


def test_rights_go_with_their_table_and_are_rolled_back(database: Database) -> None:
    owner(database, "grant usage on schema mart to bi", "grant select on mart.sales to bi")
    owner(database, "alter table mart.sales rename to sold", "create table mart.sales (a int)")
    with as_user(database, "bi") as session:
        assert session.execute("select total from mart.sold").rows == [(5,)]
    denied(database, "bi", "select * from mart.sales")
    owner(database, "begin", "grant select on mart.sales to bi", "rollback")
    denied(database, "bi", "select * from mart.sales")


def test_who_is_dropped_while_connected_has_no_more_rights_by_it(redshift: Redshift) -> None:
    with connect(redshift.database) as session:
        session.execute("create table t (a int)")
        session.execute(f"create user bi password '{PASSWORD}'")
        with redshift.connect(user="bi", password=PASSWORD) as early:
            with connect(redshift.database, user="bi") as inside:
                inside.execute("select 1")
                session.execute("drop user bi")
                with pytest.raises(RedshiftError, match="permission denied for relation t"):
                    inside.execute("select a from t")
            cursor = early.cursor()
            with pytest.raises(redshift_connector.Error, match="permission denied for relation t"):
                cursor.execute("select a from t")


def test_temporary_tables_may_be_taken_from_everybody(database: Database) -> None:
    owner(database, "revoke temp on database dev from public")
    told = denied(database, "bi", "create temp table mine (a int)")
    assert told == 'permission denied to create temporary tables in database "dev"'
    owner(database, "create temp table mine (a int)")


def test_nobody_sees_the_rows_that_others_could_not_load(
    database: Database, tmp_path: Path
) -> None:
    (tmp_path / "s3" / "shop" / "bad.csv").write_text("secret\n")
    with as_user(database) as session, pytest.raises(RedshiftError, match="failed"):
        session.execute("copy mart.other from 's3://shop/bad.csv' iam_role default csv")
    for view in ("stl_load_errors", "sys_load_error_detail", "sys_load_history"):
        with as_user(database, "bi") as session:
            assert session.execute(f"select * from {view}").rows == []
        with as_user(database) as session:
            assert len(session.execute(f"select * from {view}").rows) == 1


def test_rights_outlive_the_database(tmp_path: Path) -> None:
    with Database(tmp_path / "w.duckdb") as database:
        owner(database, f"create user bi password '{PASSWORD}'", "create table t (a int)")
        owner(database, "grant select on t to bi", "revoke create on schema public from public")
    with Database(tmp_path / "w.duckdb") as database:
        with as_user(database, "bi") as session:
            session.execute("select a from t")
        assert (
            denied(database, "bi", "create table u (a int)")
            == "permission denied for schema public"
        )


def test_what_is_granted_is_shown(database: Database) -> None:
    owner(database, "grant usage on schema mart to bi", "grant select, insert on mart.sales to bi")
    owner(database, "grant select on mart.sales to group readers, public")
    shown = (
        "select relation_name, privilege_type, identity_name, identity_type, admin_option"
        " from svv_relation_privileges order by 2, 3"
    )
    with as_user(database) as session:
        assert session.execute(shown).rows == [
            ("sales", "INSERT", "bi", "user", False),
            ("sales", "SELECT", "bi", "user", False),
            ("sales", "SELECT", "public", "public", False),
            ("sales", "SELECT", "readers", "group", False),
        ]
    for view in ("svv_tables", "information_schema.tables"):
        seen = (
            f"select table_name from {view} where table_schema in ('mart', 'warehouse') order by 1"
        )
        with as_user(database, "bi") as session:
            assert session.execute(seen).rows == [("sales",)]
        with as_user(database) as session:
            assert len(session.execute(seen).rows) == 5
    with as_user(database, "bi") as session:
        users = session.execute("select usename, usesuper from pg_user order by 1").rows
        assert users == [("bi", False), ("chief", True), ("loader", False)]


def test_nobody_sees_the_statements_of_others(database: Database) -> None:
    with as_user(database, "bi") as session:
        session.execute("select 'mine'")
        for view, column in (("sys_query_history", "query_text"), ("stl_query", "querytxt")):
            texts = {text for (text,) in session.execute(f"select {column} from {view}").rows}
            assert "select 'mine'" in texts
            assert not any("create table" in text for text in texts)
    owner(
        database,
        "create view public.log as select querytxt from pg_catalog.stl_query with no schema binding",
        "grant select on public.log to bi",
    )
    with as_user(database, "bi") as session:
        texts = {text for (text,) in session.execute("select querytxt from public.log").rows}
        assert not any("create table" in text for text in texts), "nor through a superuser's view"


# -- UNLOAD, COPY, roles ---------------------------------------------------------------------------

ROLE = "arn:aws:iam::123456789012:role/shop-copy"


def test_only_who_may_assume_a_role_unloads(database: Database, tmp_path: Path) -> None:
    owner(database, "grant usage on schema mart to bi", "grant select, insert on mart.sales to bi")
    owner(database, "grant select, insert on mart.other to bi")
    unload = (
        "unload ($$ select total from mart.sales $$) to 's3://shop/backup/orders/'"
        " iam_role default cleanpath"
    )
    copy = f"copy mart.other from 's3://shop/backup/orders/part.csv' iam_role '{ROLE}' csv"
    owner(database, "revoke assumerole on all from public for all")
    assert denied(database, "bi", unload) == (
        'User bi does not have ASSUMEROLE permission on IAM role "default" for UNLOAD'
    )
    assert denied(database, "bi", copy) == (
        f'User bi does not have ASSUMEROLE permission on IAM role "{ROLE}" for COPY'
    )
    assert (tmp_path / "s3" / "shop" / "backup" / "orders" / "part.csv").is_file()
    owner(database, f"grant assumerole on '{ROLE}' to bi for copy")
    with as_user(database, "bi") as session:
        session.execute(copy)
    denied(database, "bi", unload.replace("default", f"'{ROLE}'"))
    owner(database, copy, unload)
    assert not (tmp_path / "s3" / "shop" / "backup" / "orders" / "part.csv").exists(), "it may all"


# -- coming in -------------------------------------------------------------------------------------


def login(redshift: Redshift, user: str, password: str) -> list[tuple[object, ...]]:
    """What a client of that name reads of itself, by Amazon's driver."""
    with redshift.connect(user=user, password=password) as connection:
        cursor = connection.cursor()
        cursor.execute("select current_user, count(*) from t")
        return [tuple(row) for row in cursor.fetchall()]


def test_a_user_comes_in_by_its_password_and_no_other(redshift: Redshift) -> None:
    with connect(redshift.database) as session:
        session.execute("create table t (a int)")
        session.execute(f"create user bi password $${PASSWORD}$$")
        session.execute("grant select on t to bi")
        session.execute("create user nobody password disable")
    assert login(redshift, "bi", PASSWORD) == [("bi", 0)]
    for user, password in (("bi", "Wrong12345"), ("nobody", ""), ("nobody", PASSWORD)):
        assert "password authentication failed" in str(
            not_connected(redshift, user=user, password=password)
        )
    with connect(redshift.database, user="bi") as session:
        session.execute("alter user bi password 'Other12345'")
        with pytest.raises(RedshiftError, match="must be superuser to alter users"):
            session.execute("alter user bi createuser")
    assert login(redshift, "bi", "Other12345") == [("bi", 0)]
    with connect(redshift.database) as session:
        session.execute("revoke select on t from bi")
        session.execute("drop user bi")
    told = not_connected(redshift, user="bi", password="Other12345")
    assert "password authentication failed" in str(told)


@pytest.mark.parametrize(
    ("password", "told"),
    [
        ("Ab1", "between 8 and 64"),
        ("ABCDEFG1", "one lowercase letter"),
        ("abcdefg1", "one uppercase letter"),
        ("Abcdefgh", "one number"),
        ("Abcdefg 1", "ASCII signs"),
        ("md5153c434b4b77c89e6b94f12c5393af5b", "given as its hash"),
    ],
)
def test_a_password_is_one_that_redshift_takes(password: str, told: str) -> None:
    with Engine() as engine, pytest.raises(RedshiftError, match=told) as raised:
        engine.execute(f"create user bi password '{password}'")
    assert password not in str(raised.value)


def test_users_are_made_and_dropped_by_superusers(database: Database) -> None:
    for sql in (
        f"create user x password '{PASSWORD}'",
        "create group x",
        "create role x",
        "drop user loader",
        "alter group readers add user loader",
        "grant role reading to bi",
        "alter user loader password 'Abc12345'",
    ):
        assert denied(database, "bi", sql).startswith("permission denied: must be superuser to ")
    owner(database, "grant select on mart.sales to loader")
    with as_user(database, "chief") as session:
        with pytest.raises(RedshiftError, match="has a privilege on some object") as raised:
            session.execute("drop user loader")
        assert raised.value.code == "55006"
        session.execute("revoke select on mart.sales from loader")
        session.execute("drop user loader")


# -- secrets ---------------------------------------------------------------------------------------

NEEDLE = "Needle_12345"
WRITTEN: list[Callable[[str], str]] = [
    lambda secret: f"create user x password '{secret}'",
    lambda secret: f"create user x password $${secret}$$",
    lambda secret: f"create user x password /* it's */ -- so\n $${secret}$$",
    lambda secret: f"alter user admin with PASSWORD\t'{secret}'",
    lambda secret: f"create user x password '{secret}",
    lambda secret: f"create user x password $${secret}",
    lambda secret: f"create user x password '{secret}\\\\'",
    lambda secret: f"create user x password '{secret}' password $${secret}$$",
    lambda secret: f"copy t from 's3://a/b' credentials 'aws_secret_access_key={secret}' csv",
    lambda secret: (
        f"copy t from 's3://a/b' access_key_id $${secret}$$ secret_access_key as '{secret}'"
    ),
    # Written wrongly, as people do.
    lambda secret: f'create user x password "{secret}"',
    lambda secret: f"create user x password {secret}",
    lambda secret: f"create user x password = '{secret}' createuser",
    lambda secret: f"create user x with password ('{secret}')",
    lambda secret: f"create user x identified by '{secret}'",
    lambda secret: f"alter user x set password to '{secret}'",
    lambda secret: f"create user x password U&'{secret}'",
    lambda secret: f"create user x password 'a' '{secret}'",
    lambda secret: f"copy t from 's3://a/b' access_key_id 'a' secret_access_key {secret} csv",
]


@pytest.mark.parametrize("write", WRITTEN)
def test_a_secret_is_in_no_log_and_no_error(write: Callable[[str], str]) -> None:
    with Engine() as engine:
        error = ""
        try:
            engine.execute(write(NEEDLE))
        except RedshiftError as raised:
            error = f"{raised} {raised.detail} {raised.hint}"
        assert NEEDLE not in error
        for view in ("sys_query_history", "stl_query", "svl_qlog"):
            for row in engine.execute(f"select * from {view}").rows:
                assert NEEDLE not in str(row)
        entry = engine.database.log.entries[0]
        assert "'***'" in entry.text
        assert NEEDLE not in entry.text + entry.error


def test_what_is_no_secret_stays_in_the_log() -> None:
    for sql in (
        "copy t (password, id) from 's3://b/k' iam_role default",
        "select password, 'x' from t where password = 'abc'",
        "create user x password disable createdb",
    ):
        assert without_secrets(sql) == sql
    masked = without_secrets("create user x password 'Abcdefg1' createuser in group g")
    assert masked == "create user x password '***' createuser in group g"


def test_many_comments_behind_the_word_are_read_once() -> None:
    """Read in two ways each, they would take a server's whole time for hours."""
    for begin in ("select", "create user x"):
        sql = f"{begin} password {'/**/' * 2_000}x"
        assert without_secrets(sql).startswith(f"{begin} password ")
