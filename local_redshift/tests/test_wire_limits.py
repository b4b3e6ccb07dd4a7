"""What the server does when the system has nothing left, and when a client does not read its answer."""

from __future__ import annotations

import errno
import os
import socket
from contextlib import ExitStack
from typing import Any

import pytest

from local_redshift.session.engine import TimeLimit
from local_redshift.testing.server import serving
from tests.raw import Raw, framed

TLS_WANTED = b"\0\0\0\x08\x04\xd2\x16\x2f"


def test_a_server_that_ran_out_of_files_goes_on_listening(monkeypatch: pytest.MonkeyPatch) -> None:
    accept, failures = socket.socket.accept, [errno.EMFILE, errno.ECONNABORTED]

    def failing(listener: socket.socket) -> Any:
        if failures:
            number = failures.pop()
            raise OSError(number, os.strerror(number))
        return accept(listener)

    with serving() as served:
        monkeypatch.setattr(socket.socket, "accept", failing)
        for _ in range(3):  # the first wakes the `accept` that waits already
            with Raw(served.port) as client:
                client.send(TLS_WANTED)
                assert client.take(1) == b"N"
        assert failures == []


def test_who_waits_at_the_door_keeps_nobody_out() -> None:
    with serving(sessions=2) as served, ExitStack() as stack:
        waiting = [stack.enter_context(Raw(served.port)) for _ in range(70)]
        newcomer = stack.enter_context(Raw(served.port))
        assert newcomer.enter().query("select 1")[-1] == ("Z", b"I")
        assert waiting[0].message() == ("", b""), "the oldest went"
        waiting[-1].send(TLS_WANTED)
        assert waiting[-1].take(1) == b"N", "the youngest did not"


def test_cancelling_again_and_again_what_nobody_reads_shuts_nobody_out() -> None:
    with serving(sessions=2) as served, Raw(served.port) as client:
        client.enter()
        client.query("create table t (n int)")
        client.query("insert into t values " + ", ".join(["(1)"] * 1000))
        # Sent in one go with the first byte, and more than the system keeps for who does not read.
        client.send(framed("Q", b"select repeat('x', 60000) from t\0"))
        assert client.take(1) == b"T"
        process, secret = client.key
        for _ in range(60):  # more than may be at the door
            with Raw(served.port) as other:
                request = (80877102, process, secret)
                other.send(b"\0\0\0\x10", *(number.to_bytes(4, "big") for number in request))
                assert other.message() == ("", b"")
        with Raw(served.port) as other:
            assert other.enter().query("select 1")[-1] == ("Z", b"I")


def test_a_time_limit_strikes_until_the_statement_is_over() -> None:
    # An interrupt between two steps of a statement is lost: one alone might let it run for ever.
    struck: list[int] = []
    limit = TimeLimit(lambda: struck.append(len(struck)))
    limit.start(1)
    with limit.watching():
        while len(struck) < 3:
            pass
    assert limit.expired
    before = len(struck)
    limit.start(60_000)
    with limit.watching():
        assert not limit.expired
    assert len(struck) == before
