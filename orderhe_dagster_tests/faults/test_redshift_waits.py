"""A Redshift that stands still, is silent or drips: each request ends by itself, says why, and heals.

The local Redshift in a process of its own, stopped before, in the middle of and after each kind of request.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.ports.errors import CommitUnknown, ConnectionLost, PortError
from orderhe_dagster.resources.redshift.warehouse import RedshiftSession, RedshiftWarehouse
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.servers.proxy import FaultProxy, fault_proxy
from orderhe_dagster_tests.servers.redshift import Process, in_a_process
from orderhe_dagster_tests.servers.standstill import ended, silent_peer, stand_still, stopped
from orderhe_dagster_tests.shops import TestShop

LIMITS = {"ORDERHE_REDSHIFT_CONNECT_TIMEOUT": "1", "ORDERHE_REDSHIFT_STATEMENT_TIMEOUT": "2"}
PATIENT = {"ORDERHE_REDSHIFT_CONNECT_TIMEOUT": "60", "ORDERHE_REDSHIFT_STATEMENT_TIMEOUT": "60"}
NOT_LET_IN = r"redshift://127\.0\.0\.1:\d+/dev takes connections, but did not let us in within 1 s"
ANSWER = (
    "(nothing came for|the answer was not complete after|what was sent was not taken within) 3 s"
)
"""As long as a statement may run, and as connecting may take."""
LOST = rf"while it ran .*{ANSWER} from redshift://127.*STATEMENT_TIMEOUT \(2 s\).*CONNECT_TIMEOUT"
DIGITS = " union all ".join(f"select {digit} as d" for digit in range(10))
ROWS = 20_000
MANY = f"""
with digits as ({DIGITS})
select a.d, b.d, c.d, e.d, f.d, repeat('a text of some length', 20) from digits as a cross join digits as b
cross join digits as c cross join digits as e cross join digits as f where f.d < 2
"""
MIDDLE = 300_000  # bytes of eight million: more than a kernel holds for a server that is stopped


@pytest.fixture(scope="module", params=["tls", *(["plain"] if IS_LONG else [])])
def server(request: pytest.FixtureRequest, tmp_path_factory: Any) -> Iterator[Process]:
    options = ["--insecure"] if request.param == "plain" else []
    with in_a_process(tmp_path_factory.mktemp("redshift"), *options) as made:
        yield made


@pytest.fixture
def proxy(server: Process) -> Iterator[FaultProxy]:
    with fault_proxy(server.port) as made:
        yield made


def warehouse(server: Process, port: int | None = None, **more: str) -> RedshiftWarehouse:
    variables = {**server.variables, **LIMITS, **more, "ORDERHE_WAREHOUSE": "redshift"}
    if port is not None:
        variables["ORDERHE_REDSHIFT_PORT"] = str(port)
    return RedshiftWarehouse(load_settings(variables, Path("/")).redshift)


def ask(session: RedshiftSession) -> None:
    assert session.execute("select 2").scalar() == 2


def stream(session: RedshiftSession) -> None:
    rows: list[Any] = []
    session.stream(MANY, rows.extend)
    assert len(rows) == ROWS


def write(session: RedshiftSession) -> None:
    session.transaction(["create table if not exists t (a int)", "insert into t values (1)"])


REQUESTS: dict[str, Callable[[RedshiftSession], None]] = {
    "ask": ask,
    "stream": stream,
    "write": write,
}


@pytest.mark.parametrize("peer", ["stopped", "silent", "drips"])
def test_a_server_that_stands_still_is_not_waited_for_to_connect(
    server: Process, proxy: FaultProxy, peer: str
) -> None:
    with ExitStack() as stack:
        port = proxy.port if peer == "drips" else server.port
        if peer == "stopped":
            stack.enter_context(stopped(server.pid))
        elif peer == "silent":
            port = stack.enter_context(silent_peer())
        else:
            proxy.arm("drip", 0)
        made = warehouse(server, port)
        with pytest.raises(PortError, match=NOT_LET_IN), made.session("x"):
            raise AssertionError("nobody let us in")
    assert warehouse(server, **PATIENT).query("select 1").scalar() == 1


@pytest.mark.parametrize("after", [0, 20, 300], ids=["first answer", "on the way", "nearly in"])
def test_a_server_that_is_stopped_while_it_lets_us_in_is_not_waited_for(
    server: Process, proxy: FaultProxy, after: int
) -> None:
    proxy.arm(lambda: stand_still(server.pid), after)
    try:
        with pytest.raises(PortError, match=NOT_LET_IN):
            ended(lambda: warehouse(server, proxy.port).query("select 1"))
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert warehouse(server, proxy.port, **PATIENT).query("select 1").scalar() == 1


@pytest.mark.parametrize(
    ("earlier", "request_"), [("ask", "stream"), ("stream", "write"), ("write", "ask")]
)
def test_a_server_that_is_stopped_after_one_request_fails_the_next(
    server: Process, earlier: str, request_: str
) -> None:
    def lose(still: ExitStack) -> None:
        with warehouse(server).session("x") as session:
            REQUESTS[earlier](session)
            still.enter_context(stopped(server.pid))
            REQUESTS[request_](session)

    with ExitStack() as still, pytest.raises(ConnectionLost, match=LOST) as caught:
        ended(lambda: lose(still))
    assert not isinstance(caught.value, CommitUnknown)
    with warehouse(server, **PATIENT).session("x") as session:
        REQUESTS[request_](session)


@pytest.mark.parametrize("fault", ["stop", "drip"])
def test_an_answer_that_stops_or_drips_on_the_way_is_given_up(
    server: Process, proxy: FaultProxy, fault: Any
) -> None:
    stop = fault == "stop"
    proxy.arm((lambda: stand_still(server.pid)) if stop else fault, MIDDLE)
    try:
        with (
            pytest.raises(ConnectionLost, match=LOST),
            warehouse(server, proxy.port).session("x") as session,
        ):
            ended(lambda: stream(session))
        assert proxy.faults == []
    finally:
        os.kill(server.pid, signal.SIGCONT)
    with warehouse(server, **PATIENT).session("x") as session:
        stream(session)


def test_a_statement_that_nobody_takes_is_given_up(server: Process) -> None:
    def lose(still: ExitStack) -> None:
        with warehouse(server).session("x") as session:
            still.enter_context(stopped(server.pid))
            session.execute(f"select length('{'x' * 12_000_000}')")

    with ExitStack() as still, pytest.raises(ConnectionLost, match=LOST):
        ended(lambda: lose(still))


def test_a_commit_that_nobody_answers_is_told_as_unknown(
    server: Process, monkeypatch: pytest.MonkeyPatch
) -> None:
    with warehouse(server, **PATIENT).session("x") as session:
        session.execute("create table if not exists t (a int)")
    still = ExitStack()
    run = RedshiftSession._run

    def stopping(session: RedshiftSession, sql: str, *more: Any) -> Any:
        if sql == "commit":
            still.enter_context(stopped(server.pid))
        return run(session, sql, *more)

    monkeypatch.setattr(RedshiftSession, "_run", stopping)
    with (
        still,
        pytest.raises(CommitUnknown, match=ANSWER),
        warehouse(server).session("x") as session,
    ):
        ended(lambda: session.transaction(["insert into t values (7)"]))


@pytest.mark.parametrize("sign", cases(["copy", "commit", "insert into warehouse"], ["commit"]))
def test_a_run_ends_whose_warehouse_stands_still_and_one_rerun_heals_it(
    ran_shop: TestShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, sign: str
) -> None:
    (tmp_path / "server").mkdir()
    store = tmp_path / "shop" / "home" / "s3"
    with in_a_process(tmp_path / "server", "--insecure", "--store", str(store)) as server:
        usual = {**ran_shop.environ, **server.variables, "ORDERHE_WAREHOUSE": "redshift"}
        ran_shop.environ = {**usual, **PATIENT}
        ran_shop.create()
        still, run = ExitStack(), RedshiftSession._run
        stops = [sign]

        def stopping(session: RedshiftSession, sql: str, *more: Any) -> Any:
            if stops and sql.lower().startswith(stops[0]):
                still.enter_context(stopped(server.pid))
                stops.clear()
            return run(session, sql, *more)

        monkeypatch.setattr(RedshiftSession, "_run", stopping)
        ran_shop.environ = {**usual, **LIMITS, "ORDERHE_REDSHIFT_STATEMENT_TIMEOUT": "5"}
        with still:
            outcome = ended(lambda: ran_shop.run("warehouse/*", "2026-01-01", "2026-01-04"))
            assert stops == []
            assert not outcome.succeeded
            assert "redshift://127.0.0.1" in outcome.failures[0]
            assert "ORDERHE_REDSHIFT_CONNECT_TIMEOUT" in outcome.failures[0]
        ran_shop.environ = {**usual, **PATIENT}
        assert ran_shop.run("*", "2026-01-01", "2026-01-04").succeeded
        assert ran_shop.rows(
            "select count(*), count(distinct sale_no * 10 + shop_no) from warehouse.sales"
        ) == [(4, 4)]
