"""Streams of what a shape makes of each row: the same rows in the same order, the same errors."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from local_redshift.database.results import Stream
from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

MANY = 50_000


@pytest.fixture
def numbers() -> Iterator[Engine]:
    """A session with the table `numbers` of the columns n and text."""
    with Engine() as session:
        session.execute("create table numbers (n integer, text varchar(20))")
        session.connection.execute(
            f"insert into dev.public.numbers select i, 'n' || i from range({MANY}) t(i)"
        )
        yield session


def joined(columns: Sequence[tuple[str, str]], source: str) -> str:
    """The values of a row, with stars between them."""
    return f"select concat_ws('*', {', '.join(name for name, _ in columns)}) from {source}"


def lines(stream: Stream) -> list[str]:
    assert stream.shaped
    return [line for (array,) in stream for line in array.to_pylist()]


def test_what_a_shape_makes_comes_in_the_order_of_the_rows(numbers: Engine) -> None:
    seen: list[tuple[str, str]] = []

    def shape(columns: Sequence[tuple[str, str]], source: str) -> str:
        seen.extend(columns)
        return joined(columns, source)

    stream = numbers.stream("select n, text from numbers order by n desc", shape)
    assert (stream.columns, stream.types) == (("n", "text"), ("integer", "varchar(20)"))
    assert lines(stream) == [f"{n}*n{n}" for n in reversed(range(MANY))]
    assert [type_ for _, type_ in seen] == ["integer", "varchar(20)"]
    assert numbers.state == "idle"
    log = numbers.execute("select returned_rows from sys_query_history order by query_id desc")
    assert log.rows[1] == (MANY,)


def test_rows_come_as_they_are_where_there_is_no_shape_for_them(numbers: Engine) -> None:
    stream = numbers.stream(
        "select n from numbers where n < 2 order by n", lambda columns, source: None
    )
    assert not stream.shaped
    assert list(stream) == [(0,), (1,)]
    assert numbers.stream("delete from numbers where n = 0", joined).head.row_count == 1


def test_a_moment_with_a_zone_is_in_utc(numbers: Engine) -> None:
    sql = "select ('2026-01-02 03:04:05'::timestamp at time zone 'Asia/Seoul') as at"
    assert lines(numbers.stream(sql, joined)) == ["2026-01-01 18:04:05"]


@pytest.mark.parametrize("bad", [0, 10, MANY - 1])
def test_a_row_that_cannot_be_computed_is_the_same_error(numbers: Engine, bad: int) -> None:
    sql = f"select case when n = {bad} then text else '1' end::integer as x from numbers order by n"
    with pytest.raises(RedshiftError) as by_rows:
        numbers.execute(sql)
    with pytest.raises(RedshiftError) as shaped:
        list(numbers.stream(sql, joined))
    assert (shaped.value.code, str(shaped.value)) == (by_rows.value.code, str(by_rows.value))
    assert numbers.state == "idle"
    assert numbers.execute("select 1").rows == [(1,)]


def test_an_error_of_a_shape_fails_the_transaction_and_names_itself(numbers: Engine) -> None:
    numbers.execute("begin")
    with pytest.raises(RedshiftError, match="nothing_like_it"):
        list(
            numbers.stream(
                "select n from numbers", lambda columns, source: "select nothing_like_it(1)"
            )
        )
    assert numbers.state == "failed"
    numbers.execute("rollback")


def test_what_is_left_is_kept_when_the_session_goes_on(numbers: Engine) -> None:
    stream = numbers.stream("select n from numbers order by n", joined)
    ((first,),) = stream.fetch(1)
    assert numbers.execute("select count(*) from numbers").rows == [(MANY,)]
    rest = [line for (array,) in stream for line in array.to_pylist()]
    assert [*first.to_pylist(), *rest] == [str(n) for n in range(MANY)]


def test_a_time_limit_ends_it_in_its_own_words(numbers: Engine) -> None:
    numbers.execute("set statement_timeout to 100")
    endless = "select a.n from numbers a, numbers b, numbers c where (a.n + b.n + c.n) % 7 = 8"
    with pytest.raises(RedshiftError) as raised:
        list(numbers.stream(endless, joined))
    assert (raised.value.code, raised.value.detail) == ("57014", "statement_timeout is 100 ms")


def test_types_that_duckdb_has_otherwise_are_refused_as_ever(
    numbers: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    from dataclasses import replace

    from local_redshift.values.types import BIGINT

    compiled = numbers.compiled

    def wrongly(sql: str) -> object:
        query = compiled(sql)
        return replace(query, columns=tuple((name, BIGINT) for name, _ in query.columns))

    monkeypatch.setattr(numbers, "compiled", wrongly)
    with pytest.raises(RedshiftError, match="refused rather than wrong"):
        numbers.stream("select n as once from numbers", joined)
