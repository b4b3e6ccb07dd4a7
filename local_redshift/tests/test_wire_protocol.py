"""What the server answers to each message, seen by a client that is written from the protocol."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from local_redshift.session.engine import Engine
from local_redshift.testing.server import Redshift, serving
from tests import raw
from tests.raw import (
    FLUSH,
    SYNC,
    TERMINATE,
    Raw,
    bind,
    codes,
    error,
    execute,
    framed,
    parse,
    rows,
    text,
)


@pytest.fixture(scope="module")
def plain() -> Iterator[Redshift]:
    """A server without TLS, for tests that leave no table behind or one of their own name."""
    with serving() as served:
        yield served


@pytest.fixture
def client(plain: Redshift) -> Iterator[Raw]:
    with Raw(plain.port) as made:
        yield made.enter()


DESCRIBE = framed("D", b"S" + text(""))
DESCRIBE_PORTAL = framed("D", b"P" + text(""))


def tags(messages: list[raw.Message]) -> list[str]:
    return [body[:-1].decode() for code, body in messages if code == "C"]


def state(messages: list[raw.Message]) -> str:
    assert messages[-1][0] == "Z"
    return messages[-1][1].decode()


# -- coming in ---------------------------------------------------------------------------------


def test_the_greeting_tells_what_the_driver_needs(client: Raw) -> None:
    assert client.parameters["server_version"] == "8.0.2"
    assert client.parameters["client_encoding"] == "UNICODE"
    assert "server_protocol_version" not in client.parameters  # not asked for


@pytest.mark.parametrize("named", ["UTF8", "utf-8", "UNICODE"])
def test_the_encoding_is_told_by_the_client_s_own_word(plain: Redshift, named: str) -> None:
    with Raw(plain.port) as client:
        client.enter(client_encoding=named)
        assert client.parameters["client_encoding"] == named


@pytest.mark.parametrize(("asked", "given"), [("0", "0"), ("1", "1"), ("2", "2"), ("7", "2")])
def test_the_protocol_version_is_the_highest_that_both_know(
    plain: Redshift, asked: str, given: str
) -> None:
    with Raw(plain.port) as client:
        client.enter(client_protocol_version=asked)
        assert client.parameters["server_protocol_version"] == given


@pytest.mark.parametrize(
    ("parameters", "code"),
    [
        ({"user": "admin", "database": "dev", "no_such": "1"}, "42704"),
        ({"database": "dev"}, "28000"),
        ({"user": "admin", "client_encoding": "LATIN1"}, "22023"),
        ({"user": "admin", "client_protocol_version": "two"}, "22023"),
    ],
)
def test_a_startup_that_cannot_be_served_is_told_why(
    plain: Redshift, parameters: dict[str, str], code: str
) -> None:
    with Raw(plain.port) as client:
        client.send(raw.startup(**parameters))
        found = error([client.message()])
        assert (found["S"], found["C"]) == ("FATAL", code)
        assert client.message() == ("", b"")


def test_another_database_does_not_exist(plain: Redshift) -> None:
    with Raw(plain.port) as client:
        client.enter(database="prod")
        assert error(client.greeting)["C"] == "3D000"


def test_who_is_unknown_is_asked_for_a_password_like_all(plain: Redshift) -> None:
    with Raw(plain.port) as client:
        client.enter(user="nobody")
        found = error(client.greeting)
        assert (found["C"], found["S"]) == ("28000", "FATAL")
        assert found["M"] == 'password authentication failed for user "nobody"'


def salt(port: int, user: str) -> bytes:
    """The salt that a client of that name is given, by Redshift's digest."""
    with Raw(port) as client:
        client.send(raw.startup(user=user, database="dev", driver_version="x"))
        return client.message()[1][12:28]


def test_the_salt_tells_nobody_who_is_there(tmp_path: Path) -> None:
    file = tmp_path / "a"
    with serving(file) as served:
        unknown = salt(served.port, "nobody")
        assert unknown == salt(served.port, "nobody") != salt(served.port, "somebody")
        assert salt(served.port, "admin") == salt(served.port, "admin")
        with Engine(database=served.database) as engine:
            engine.execute("create user bi password 'Abcd1234'")
        known = salt(served.port, "bi")
        assert unknown == salt(served.port, "nobody")
    with serving(file) as served:  # nor who was there before
        assert (unknown, known) == (salt(served.port, "nobody"), salt(served.port, "bi"))


def test_a_wrong_password_is_refused_as_redshift_words_it(plain: Redshift) -> None:
    with Raw(plain.port) as client:
        client.send(raw.startup(user="admin", database="dev", driver_version="x"))
        client.message()
        client.send(framed("d", struct.pack("!i", 32) + bytes(32) + struct.pack("!i", 1) + b"n"))
        found = error([client.message()])
        assert found["C"] == "28000"
        assert found["M"] == 'password authentication failed for user "admin"'


def test_without_tls_an_ssl_request_is_answered_no(plain: Redshift) -> None:
    with Raw(plain.port) as client:
        client.send(struct.pack("!ii", 8, 80877103))
        assert client.take(1) == b"N"
        client.enter()


# -- simple queries ----------------------------------------------------------------------------


def test_a_simple_query_answers_in_text(client: Raw) -> None:
    found = client.query("select 1 as a, null::integer as b, 'x' as c;")
    assert codes(found) == "TDCZ"
    assert rows(found) == [(b"1", None, b"x")]
    assert tags(found) == ["SELECT"]
    assert state(found) == "I"


@pytest.mark.parametrize("sql", ["", " ; ;", "-- nothing\n"])
def test_an_empty_query_is_answered_as_such(client: Raw, sql: str) -> None:
    assert codes(client.query(sql)) == "IZ"


def test_several_statements_of_one_query_are_one_transaction(client: Raw) -> None:
    client.query("create table together (a integer)")
    found = client.query("insert into together values (1); insert into together values ('x')")
    assert codes(found) == "CEZ"
    assert state(found) == "I"
    assert rows(client.query("select count(*) from together")) == [(b"0",)]
    found = client.query("insert into together values (1); select count(*) from together")
    assert codes(found) == "CTDCZ"
    assert rows(found) == [(b"1",)]
    # A block that the client opens holds what stood before it, and stays open.
    found = client.query("insert into together values (2); begin; insert into together values (3)")
    assert state(found) == "T"
    client.query("rollback")
    assert rows(client.query("select count(*) from together")) == [(b"1",)]
    # What is committed in between stays, whatever comes after.
    found = client.query(
        "begin; insert into together values (2); commit; insert into together values ('x')"
    )
    assert (codes(found), state(found)) == ("CCCEZ", "I")
    assert rows(client.query("select count(*) from together")) == [(b"2",)]


def test_a_semicolon_in_quotes_ends_nothing(client: Raw) -> None:
    assert rows(client.query("select ';' as a, 1 as \";\" -- ;")) == [(b";", b"1")]


def test_a_failed_transaction_refuses_all_but_its_end(client: Raw) -> None:
    assert state(client.query("begin")) == "T"
    assert state(client.query("select * from no_such_table")) == "E"
    found = client.query("select 1")
    assert (error(found)["C"], state(found)) == ("25P02", "E")
    found = client.query("commit")
    assert (tags(found), state(found)) == (["ROLLBACK"], "I")


def test_a_statement_of_more_than_16_mb_is_refused(client: Raw) -> None:
    found = client.query(f"select '{'x' * (16 * 1024 * 1024)}'")
    assert error(found)["C"] == "54000"
    assert rows(client.query("select 1")) == [(b"1",)]


def test_command_tags_are_those_of_redshift(client: Raw) -> None:
    client.query("drop table if exists tagged")
    found = client.query(
        "create table tagged (a integer); insert into tagged values (1), (2); "
        "update tagged set a = 3 where a = 2; delete from tagged where a = 3; select * from tagged"
    )
    assert tags(found) == ["CREATE TABLE", "INSERT 0 2", "UPDATE 1", "DELETE 1", "SELECT"]


# -- the extended protocol ---------------------------------------------------------------------


def test_a_statement_is_prepared_described_bound_and_run(client: Raw) -> None:
    found = client.ask(parse("select $1 + 1 as more", oids=(23,)), DESCRIBE, SYNC)
    assert codes(found) == "1tTZ"
    assert dict(found)["t"] == struct.pack("!hi", 1, 23)
    found = client.ask(bind((struct.pack("!i", 41),), formats=(1,), results=(1,)), execute(), SYNC)
    assert codes(found) == "2DCZ"
    assert rows(found) == [(struct.pack("!i", 42),)]
    found = client.ask(bind((b"1",), results=(0,)), execute(), SYNC)
    assert rows(found) == [(b"2",)]


def test_a_parameter_without_a_type_is_an_untyped_literal(client: Raw) -> None:
    found = client.ask(parse("select 1 where 7 = $2 and 'b' = $1"), DESCRIBE, SYNC)
    assert dict(found)["t"] == struct.pack("!hii", 2, 705, 705)
    assert rows(client.ask(bind((b"b", b"7")), execute(), SYNC)) == [(b"1",)]


def test_places_in_quotes_and_comments_are_no_parameters(client: Raw) -> None:
    sql = "select '$1' as a, $1 as \"$2\" /* $3 */ -- $4"
    found = client.ask(parse(sql, oids=(23,)), bind((b"5",)), execute(), SYNC)
    assert rows(found) == [(b"$1", b"5")]


def test_several_statements_cannot_be_prepared_as_one(client: Raw) -> None:
    found = client.ask(parse("select 1; select 2"), SYNC)
    assert error(found)["M"] == "cannot insert multiple commands into a prepared statement"


def test_an_empty_statement_can_be_prepared(client: Raw) -> None:
    found = client.ask(parse(""), DESCRIBE, bind(), execute(), SYNC)
    assert codes(found) == "1tn2IZ"


def test_a_row_limit_suspends_the_portal_and_goes_on(client: Raw) -> None:
    client.query("begin")
    client.ask(parse("select 1 as a union all select 2 union all select 3 order by 1"), SYNC)
    found = client.ask(bind(portal="p"), execute(2, "p"), SYNC)
    assert (codes(found), rows(found)) == ("2DDsZ", [(b"1",), (b"2",)])
    assert rows(client.query("select 9 as other")) == [(b"9",)]  # in between
    found = client.ask(execute(2, "p"), SYNC)
    assert (codes(found), rows(found)) == ("DCZ", [(b"3",)])
    client.query("rollback")
    assert error(client.ask(execute(2, "p"), SYNC))["C"] == "34000"


def test_after_an_error_everything_is_skipped_up_to_sync(client: Raw) -> None:
    found = client.ask(
        parse("select * from no_such_table"), DESCRIBE, bind(), execute(), FLUSH, SYNC
    )
    assert codes(found) == "EZ"
    assert error(found)["C"] == "42P01"
    assert codes(client.ask(parse("select 1"), bind(), execute(), SYNC)) == "12DCZ"


def test_flush_sends_what_there_is(client: Raw) -> None:
    client.send(parse("select 1"), FLUSH)
    assert client.message()[0] == "1"
    client.send(bind(), execute(), FLUSH)
    assert [client.message()[0] for _ in range(3)] == ["2", "D", "C"]


def test_names_of_statements_and_portals_are_kept_and_closed(client: Raw) -> None:
    client.ask(parse("select 1", name="one"), SYNC)
    assert error(client.ask(parse("select 2", name="one"), SYNC))["C"] == "42P05"
    close = framed("C", b"S" + text("one"))
    assert codes(client.ask(close, parse("select 2", name="one"), SYNC)) == "31Z"
    assert codes(client.ask(framed("C", b"S" + text("never made")), SYNC)) == "3Z"
    assert error(client.ask(bind(name="nobody"), SYNC))["C"] == "26000"
    assert error(client.ask(execute(portal="nobody"), SYNC))["C"] == "34000"
    client.query("begin")
    both = client.ask(bind(name="one", portal="p"), bind(name="one", portal="p"), SYNC)
    assert error(both)["C"] == "42P03"


def test_a_table_that_changed_under_a_prepared_statement_is_told(client: Raw) -> None:
    client.query("create table changing (a integer)")
    client.query("insert into changing values (1)")
    client.ask(parse("select * from changing", name="c"), framed("D", b"S" + text("c")), SYNC)
    client.query("drop table changing; create table changing (a varchar(5))")
    found = client.ask(bind(name="c", results=(1,)), execute(), SYNC)
    assert error(found)["M"] == "cached plan must not change result type"


@pytest.mark.parametrize(
    ("body", "says"),
    [
        (b"", "invalid string in message"),
        (text("", "") + struct.pack("!hhh", 0, 1, 0), "insufficient data left in message"),
        (text("", "") + struct.pack("!hhi", 0, 1, 50) + b"short", "insufficient data"),
        (text("", "") + struct.pack("!hhhh", 1, 9, 0, 0), "unsupported format code"),
        (text("", "") + struct.pack("!hhh", 0, 0, 0) + b"more", "invalid message format"),
    ],
)
def test_a_message_that_cannot_be_read_is_an_error_and_no_more(
    client: Raw, body: bytes, says: str
) -> None:
    client.ask(parse("select 1"), SYNC)
    found = client.ask(framed("B", body), execute(), SYNC)
    assert codes(found) == "EZ"
    assert error(found)["C"] == "08P01"
    assert says in error(found)["M"]


def test_the_number_of_values_must_be_that_of_the_parameters(client: Raw) -> None:
    found = client.ask(parse("select $1", oids=(23,)), bind((b"1", b"2")), SYNC)
    assert "supplies 2 parameters" in error(found)["M"]
    assert error(client.ask(parse("select $1 + $0"), SYNC))["C"] == "42P02"


def test_the_function_call_protocol_is_refused(client: Raw) -> None:
    found = client.ask(framed("F", bytes(8)))
    assert (codes(found), error(found)["C"]) == ("EZ", "0A000")


def test_copy_from_the_client_is_refused_and_its_data_passed_over(client: Raw) -> None:
    client.query("create table copied (a integer)")
    found = client.query("copy copied from stdin")
    assert (codes(found), error(found)["C"]) == ("EZ", "0A000")
    client.send(framed("d", b"1\n"), framed("c"))
    assert rows(client.query("select 1")) == [(b"1",)]


def test_terminate_ends_the_connection(client: Raw) -> None:
    client.send(TERMINATE)
    assert client.message() == ("", b"")


def test_a_client_that_goes_away_leaves_no_transaction(plain: Redshift) -> None:
    with Raw(plain.port) as client:
        client.enter().query("create table left_open (a integer)")
        client.query("begin; insert into left_open values (1)")
    with Raw(plain.port) as client:
        client.enter()
        assert rows(client.query("select count(*) from left_open")) == [(b"0",)]
        assert codes(client.query("drop table left_open")) == "CZ"
