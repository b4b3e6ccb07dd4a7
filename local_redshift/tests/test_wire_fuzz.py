"""Random, cut short, oversized and out of order: one connection may end by it, the server never."""

from __future__ import annotations

import random
import socket
import struct
from collections.abc import Iterator

import pytest

from local_redshift.testing.server import Redshift, serving
from tests import raw
from tests.raw import Raw, bind, execute, framed, parse, rows, text

CASES = 120
KNOWN = set("RSKZTDCE123ntsIN")


@pytest.fixture(scope="module")
def served() -> Iterator[Redshift]:
    with serving(sessions=10) as made:
        yield made
        with made.connect() as connection:  # after everything, it still serves
            connection.cursor().execute("select 1")


def answers(client: Raw) -> list[raw.Message]:
    """All that the server still says to a client that sends no more."""
    client.socket.shutdown(socket.SHUT_WR)
    found = []
    try:
        while (message := client.message())[0]:
            found.append(message)
    except ConnectionResetError:  # it left what it had not read
        pass
    return found


def sound(found: list[raw.Message]) -> None:
    """Every message is one of the protocol's, every error has its fields, none is our own bug."""
    for code, body in found:
        assert code in KNOWN, (code, body)
        if code == "E":
            fields = {part[:1]: part[1:] for part in body.split(b"\0") if part}
            assert {b"S", b"C", b"M"} <= set(fields)
            assert b"internal error" not in fields[b"M"], fields


def of_a_session(chance: random.Random) -> bytes:
    """A message that a session may send, in any order, some of them broken."""
    sql = chance.choice(
        [
            *("select 1 as a", "select $1 as a", "begin", "commit", "rollback", "", ";", "'", "$$"),
            *("select $1 + $2", "create temp table t (a integer)", "insert into t values ($1)"),
            *("select * from t", "(((((", "select * from nope", "/*", "\ufffd\u0000"[:1], "drop t"),
        ]
    )
    name = chance.choice(["", "", "a", "b"])
    values = tuple(
        chance.choice([None, b"1", b"x", b"\xff", chance.randbytes(4)])
        for _ in range(chance.randint(0, 3))
    )
    message = chance.choice(
        [
            *(parse(sql, name, tuple(chance.choices([0, 20, 21, 23, 705, 1700, -1], k=2))),) * 3,
            *(bind(values, name=name, portal=chance.choice(["", "p"]), results=(1,)),) * 3,
            *(execute(chance.randint(-1, 3), chance.choice(["", "p"])),) * 3,
            framed("Q", text(sql)),
            *(framed(chance.choice("DC"), chance.choice([b"S", b"P", b"?"]) + text(name)),) * 2,
            *(raw.SYNC,) * 3,
            raw.FLUSH,
            framed(chance.choice("dcfF"), chance.randbytes(3)),
            framed(chance.choice("BPEDCQ"), chance.randbytes(chance.randint(0, 40))),
        ]
    )
    if chance.random() < 0.1:  # a bit of it is wrong
        place = chance.randrange(5, len(message)) if len(message) > 5 else 0
        message = message[:place] + chance.randbytes(1) + message[place + 1 :]
    return message


@pytest.mark.parametrize("part", range(4))
def test_sessions_survive_messages_in_any_order(served: Redshift, part: int) -> None:
    for case in range(CASES // 4):
        chance = random.Random(part * 1000 + case)
        with Raw(served.port) as client:
            client.enter()
            assert client.greeting[-1] == ("Z", b"I")
            messages = [of_a_session(chance) for _ in range(chance.randint(1, 25))]
            data = b"".join(messages)
            if chance.random() < 0.3:  # and then the client is gone
                data = data[: chance.randrange(len(data))]
            client.send(data)
            sound(answers(client))


def test_strangers_at_the_door_are_turned_away(served: Redshift) -> None:
    for case in range(CASES):
        chance = random.Random(case)
        whole = raw.startup(user="admin", database="dev", driver_version="x")
        data = chance.choice(
            [
                chance.randbytes(chance.randint(1, 60)),
                struct.pack("!i", chance.choice([-1, 0, 4, 7, 8, 9, 10_001, 2**31 - 1])) + whole,
                whole[: chance.randrange(len(whole))],
                whole + framed(chance.choice("pdQXH"), chance.randbytes(chance.randint(0, 60))),
                whole + b"d" + struct.pack("!i", chance.choice([-5, 3, 2**31 - 1])),
                b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
                struct.pack("!ii", 8, 80877103) * chance.randint(1, 5) + chance.randbytes(9),
                struct.pack("!iiii", 16, 80877102, 1, 2),
                struct.pack("!iiI", 12, 80877102, 1),
                struct.pack("!ii", 8, 131072),
            ]
        )
        with Raw(served.port) as client:
            client.send(data)
            if not data.startswith(struct.pack("!ii", 8, 80877103)):  # answered by a bare letter
                sound(answers(client))


@pytest.mark.parametrize("length", [-1, 0, 3, 64 * 1024 * 1024 + 1, 2**31 - 1])
def test_a_length_out_of_bounds_ends_the_connection_unread(served: Redshift, length: int) -> None:
    with Raw(served.port) as client:
        client.enter()
        client.send(b"Q" + struct.pack("!i", length))
        assert raw.error([client.message()])["C"] == "08P01"
        assert client.message() == ("", b"")
    with Raw(served.port) as client:
        assert rows(client.enter().query("select 1")) == [(b"1",)]


def test_an_unknown_message_ends_the_connection(served: Redshift) -> None:
    with Raw(served.port) as client:
        client.enter()
        client.send(framed("y"))
        found = raw.error([client.message()])
        assert (found["S"], found["C"]) == ("FATAL", "08P01")


def test_a_client_that_leaves_without_reading_is_forgotten(served: Redshift) -> None:
    for _ in range(15):  # more than there are sessions
        with Raw(served.port) as client:
            client.enter()
            many = ", ".join(f"{n} as c{n}" for n in range(500))
            client.send(framed("Q", text(f"select {many}")) * 3)
