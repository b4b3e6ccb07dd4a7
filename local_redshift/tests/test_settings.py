"""Settings of a session, grants, and SELECT INTO."""

from __future__ import annotations

import pytest

from local_redshift.session.engine import Engine
from tests.test_definitions import rejected
from tests.test_engine import count


def shown(engine: Engine, name: str) -> str:
    """What SHOW says."""
    return str(engine.execute(f"show {name}").rows[0][0])


# -- settings --------------------------------------------------------------------------------------


def test_defaults_are_those_of_amazons_pages(engine: Engine) -> None:
    found = engine.execute("show query_group")
    assert (found.columns, found.rows) == (("query_group",), [("unset",)])
    assert shown(engine, "search_path") == '"$user", public'
    assert shown(engine, "statement_timeout") == "0"
    assert shown(engine, "time zone") == shown(engine, "timezone") == "UTC"
    every = engine.execute("show all")
    assert every.columns == ("name", "setting")
    assert ("datestyle", "ISO, MDY") in every.rows


def test_what_is_set_is_shown_and_reset(engine: Engine) -> None:
    engine.execute("set query_group to '6 p.m.'")
    engine.execute("set statement_timeout = 60000")
    engine.execute("set session my_app.user_id to 'ann'")
    assert [shown(engine, name) for name in ("query_group", "statement_timeout")] == [
        "6 p.m.", "60000",
    ]  # fmt: skip
    assert shown(engine, "my_app.user_id") == "ann"
    engine.execute("reset query_group")
    engine.execute("set statement_timeout to default")
    assert [shown(engine, name) for name in ("query_group", "statement_timeout")] == ["unset", "0"]
    engine.execute("reset all")


def test_search_path_says_where_names_are_looked_for(engine: Engine) -> None:
    engine.execute("create schema enterprise")
    engine.execute("set search_path to '$user', enterprise, public")
    assert shown(engine, "search_path") == '"$user", enterprise, public'
    engine.execute("create table frontier (c1 int)")
    assert count(engine, "enterprise.frontier") == 0
    engine.execute("reset search_path")
    rejected(engine, "select * from frontier", "42P01", "frontier")


def test_what_a_transaction_set_is_taken_back_with_it(engine: Engine) -> None:
    engine.execute("create schema other")
    engine.execute("set query_group to 'before'")
    engine.execute("begin")
    engine.execute("set query_group to 'inside'")
    engine.execute("set search_path to other")
    engine.execute("rollback")
    assert shown(engine, "query_group") == "before"
    assert count(engine) == 3
    engine.execute("begin")
    engine.execute("set local query_group to 'local'")
    engine.execute("set statement_timeout to 5000")
    assert shown(engine, "query_group") == "local"
    engine.execute("commit")
    assert [shown(engine, name) for name in ("query_group", "statement_timeout")] == [
        "before", "5000",
    ]  # fmt: skip


def test_settings_that_change_answers_are_refused(engine: Engine) -> None:
    for sql, text in (
        ("set enable_case_sensitive_identifier to true", "case"),
        ("set timezone to 'Asia/Seoul'", "convert_timezone"),
        ("set datestyle to 'SQL, DMY'", "ISO, MDY"),
        ("set extra_float_digits to 2", "keep 0"),
        ("set nothing to 1", "setting nothing"),
        ("show nothing", "setting nothing"),
        ("show table pairs", "show table pairs"),
    ):
        rejected(engine, sql, "0A000", text)
    engine.execute("set enable_case_sensitive_identifier to false")
    engine.execute("set datestyle to iso")
    rejected(engine, "set statement_timeout to soon", "22023", "statement_timeout")
    rejected(engine, "show my_app.user_id", "42704", "my_app.user_id")


def test_an_update_that_is_not_determined_says_so_where_it_is_asked_to(engine: Engine) -> None:
    change = "update pairs set name = 'x' from (select 1 as id union all select 1) s where pairs.id = s.id"
    rejected(engine, change, "0A000", "not determined")
    engine.execute("set error_on_nondeterministic_update to true")
    rejected(engine, change, "XX000", "Found multiple matches to update the same tuple.")


# -- grants ----------------------------------------------------------------------------------------

GRANTS = (
    "grant usage, create on schema public to group readers",
    "grant all privileges on table pairs, sales to bob with grant option, public",
    "grant select on all tables in schema public to role etl",
    "grant create, temp on database dev to bob",
    "grant role etl to bob with admin option",
    "grant role etl to role etl",
    "revoke grant option for select on pairs from bob cascade",
    "revoke role etl from bob",
    "alter default privileges in schema public grant select on tables to group readers",
    "alter default privileges for user bob revoke insert on tables from group readers",
)


def test_grants_are_read_and_their_names_must_exist(engine: Engine) -> None:
    for sql in ("create user bob password disable", "create group readers", "create role etl"):
        engine.execute(sql)
    for sql in GRANTS:
        engine.execute(sql)
    for sql, code, text in (
        ("grant usage on pairs to bob", "0LP01", "usage"),
        ("grant select on schema public to bob", "0LP01", "select"),
        ("grant usage on schema nowhere to bob", "3F000", "nowhere"),
        ("grant role nobody to bob", "42704", "nobody"),
        ("grant create on database other to bob", "3D000", "other"),
        ("grant execute on function f(int) to bob", "0A000", "the privilege execute"),
        ("grant usage on language sql to bob", "0A000", "language"),
        ("grant select (id, name), update (id) on pairs to bob", "0A000", "columns"),
        ("grant select on pairs to group bob", "42704", "bob"),
        ("alter default privileges grant usage on tables to bob", "0LP01", "usage"),
    ):
        rejected(engine, sql, code, text)


# -- select into -----------------------------------------------------------------------------------


def test_select_into_makes_a_table(engine: Engine) -> None:
    assert engine.execute("select id, name || '!' as loud into made from pairs").tag == "SELECT"
    found = engine.execute("select * from made order by 1, 2")
    assert (found.columns, found.types) == (("id", "loud"), ("integer", "varchar(6)"))
    engine.execute("with q as (select 1 as one) select one into temp table mine from q")
    engine.execute("select id into #other from pairs union select 7")
    assert (count(engine, "made"), count(engine, "mine"), count(engine, "#other")) == (3, 1, 3)
    schema = engine.execute("select table_schema from svv_tables where table_name = 'mine'").rows
    assert [str(name).startswith("pg_temp_") for (name,) in schema] == [True]


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("select id into sales from pairs", "42P07"),
        ("select id into nowhere.t from pairs", "3F000"),
        ("select 1, 2 into t", "42701"),  # both columns have the name of those without one
        ("select (select id into t from pairs)", "0A000"),
    ],
)
def test_select_into_that_is_rejected(engine: Engine, sql: str, code: str) -> None:
    rejected(engine, sql, code, "")
