"""Queries of a shape that was compiled before: they say the same as if each were compiled by itself."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest

from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError
from local_redshift.session import templates
from local_redshift.session.engine import Engine, connect
from local_redshift.session.templates import Templates

NAMES = ("mart.a", "mart.other_sales", "warehouse.orders", "warehouse.orders holds")


@pytest.fixture
def session(monkeypatch: pytest.MonkeyPatch) -> Iterator[Engine]:
    """A session with a ledger, in which nothing has been compiled yet."""
    monkeypatch.setattr("local_redshift.session.engine.TEMPLATES", Templates())
    with Database() as database, connect(database) as session:
        session.execute("create table loads (name varchar(40), rows bigint, at timestamp)")
        for number, name in enumerate(NAMES):
            session.execute(
                f"insert into loads values ('{name}', {number}, '2026-01-0{number + 1}')"
            )
        yield session


@pytest.fixture
def parsed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The queries that were read and compiled by themselves, or as the shape of others."""
    texts: list[str] = []
    compiled, template = Engine.compiled, Engine._template

    def noting(self: Engine, sql: str) -> object:
        texts.append(sql)
        return compiled(self, sql)

    def noting_shape(self: Engine, sql: str, times: templates.Times) -> object:
        texts.append(sql)
        return template(self, sql, times)

    monkeypatch.setattr(Engine, "compiled", noting)
    monkeypatch.setattr(Engine, "_template", noting_shape)
    return texts


def test_a_shape_is_compiled_once_whatever_name_it_asks_for(
    session: Engine, parsed: list[str]
) -> None:
    sql = "select rows from loads where name = '{}' and at < getdate()"
    for _ in range(3):
        for number, name in enumerate(NAMES):
            assert session.execute(sql.format(name)).rows == [(number,)]
    assert session.execute(sql.format("mart.none")).rows == []
    assert parsed == [
        sql.format(NAMES[0]),
        sql.format("stand_in.0"),
        sql.format("stand_in.of_the_other_0"),
    ]


@pytest.mark.parametrize(
    "sql",
    [
        "select '{}' as name",  # its type is as long as it is
        "select name, '{}' as other from loads",
        "select len('{}')",
        "select upper('{}') || 'x', rows from loads order by 2",
        "select count(*) from loads where name in ('{}', 'mart.a')",
        "select count(*) from loads where name > '{}'",
        "select count(*) from loads where name like '{}'",
        "select count(*) from loads where name ~ '{}'",
        "select case when name = '{}' then rows else -1 end as one from loads order by 1",
        "select 'it''s ''{}'' there' as text",
        "select rows as \"'{}'\" from loads order by 1",
        "select rows from loads order by 1 -- '{}'",
        "select max(rows), '{}'::varchar(50) as name from loads",
        "select cast('{}' as varchar(3)) as name",
        "select md5('{}') as digest",
        "select nvl(null, '{}') as name",
        "select name from loads where name = '{}' union all select 'mart.a' order by 1",
    ],
)
def test_an_answer_is_that_of_the_text_compiled_by_itself(session: Engine, sql: str) -> None:
    expected = {name: session.compiled(sql.format(name)) for name in NAMES}
    for _ in range(2):
        for name in NAMES:
            text = sql.format(name)
            result = session.execute(text)
            types = tuple(str(type_) for _, type_ in expected[name].columns)
            assert (result.columns, result.types) == (
                tuple(label for label, _ in expected[name].columns),
                types,
            )
            known = session._known(text)
            if known is not None:
                assert known.sql == expected[name].sql
                assert known.uses.tables == expected[name].uses.tables


@pytest.mark.parametrize(
    "sql",
    [
        "select cast('{}' as int)",
        "select 'mart.a'::date",
        "select nothing('{}')",
        "select x from {}",
    ],
)
def test_errors_are_those_of_the_text(session: Engine, sql: str) -> None:
    texts = set()
    for _ in range(3):
        with pytest.raises(RedshiftError) as raised:
            session.execute(sql.format("mart.a"))
        texts.add((raised.value.code, str(raised.value)))
    assert len(texts) == 1
    assert "stand_in" not in texts.pop()[1]


def test_the_clock_is_read_each_time_and_stands_still_in_a_transaction(
    session: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = [datetime(2026, 1, day, 4, 5, 6, 7) for day in range(1, 32)]
    clock = iter(times)
    monkeypatch.setattr("local_redshift.session.engine._now", lambda: next(clock))
    sql = "select getdate() as at, current_date as today, 'mart.a' as name"
    seen = [session.execute(sql).rows[0] for _ in range(4)]
    assert len({row[0] for row in seen}) == 4
    assert all(row[0].date() == row[1] and row[0].microsecond == 0 for row in seen)
    session.execute("begin")
    moments = {
        session.execute("select sysdate as at, 'mart.a' as name").rows[0][0] for _ in range(4)
    }
    assert len(moments) == 1


def test_a_table_that_is_made_otherwise_is_looked_at_again(session: Engine) -> None:
    sql = "select * from loads where name = 'mart.a'"
    for _ in range(3):
        assert session.execute(sql).columns == ("name", "rows", "at")
    session.execute("alter table loads add column more int")
    assert session.execute(sql).columns == ("name", "rows", "at", "more")
    session.execute("create temp table loads (name varchar(40))")
    for _ in range(3):
        assert session.execute(sql).columns == ("name",)
    session.execute("drop table loads")
    assert session.execute(sql).columns == ("name", "rows", "at", "more")
    session.execute("drop table loads")
    with pytest.raises(RedshiftError, match="does not exist"):
        session.execute(sql)


def test_what_is_the_sessions_own_is_never_anothers(session: Engine) -> None:
    session.execute("create view seen as select * from loads")
    asked = (
        "select pg_backend_pid() as pid",
        "select count(*) from seen where name = 'mart.a'",
        "select count(*) from pg_class where relname = 'mart.a'",
    )
    for sql in asked:
        for _ in range(3):
            session.execute(sql)
        assert session._known(sql) is None
    with connect(session.database) as other:
        mine, theirs = (one.execute(asked[0]).rows[0][0] for one in (session, other))
        assert mine != theirs


def test_the_search_path_decides_what_a_name_means(session: Engine) -> None:
    session.execute("create schema other")
    session.execute("create table other.loads (name varchar(40))")
    sql = "select * from loads where name = 'mart.a'"
    for _ in range(3):
        assert len(session.execute(sql).columns) == 3
    session.execute("set search_path to other")
    for _ in range(3):
        assert len(session.execute(sql).columns) == 1


def test_only_so_many_are_kept(session: Engine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(templates, "KEPT", 3)
    kept = Templates()
    monkeypatch.setattr("local_redshift.session.engine.TEMPLATES", kept)
    for number in range(9):
        for _ in range(3):
            assert session.execute(f"select {number} as n").rows == [(number,)]
    assert len(kept._known) == 3
