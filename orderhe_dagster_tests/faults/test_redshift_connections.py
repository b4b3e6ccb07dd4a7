"""Connections to Redshift that break at the worst moments: what was committed counts once.

A proxy of a few lines stands between the production driver and the local Redshift, reads what the
driver sends, and cuts the connection before or after a COMMIT has arrived.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from local_redshift.testing import server as wire
from orderhe_dagster.ports.errors import CommitUnknown, ConnectionLost
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.resources.build import build_store, build_warehouse
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.servers.proxy import FaultProxy, fault_proxy
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.shops import TestShop

TAKINGS = "select sold_on, sale_count, price_total from mart.takings order by 1"


@dataclass
class Cutter:
    """A TCP proxy. `sign`: what it waits for in what clients send; `before`: cut before it arrives.

    `times`: how many connections are cut; afterwards all pass.
    """

    port: int
    to: int
    sign: bytes = b""
    before: bool = True
    times: int = 0
    passing: int = 0  # signs that pass before the first cut
    cut: int = 0
    _listener: socket.socket = field(default_factory=socket.socket, repr=False)
    _dropping: bool = False
    _answered: threading.Event = field(default_factory=threading.Event, repr=False)

    def serve(self) -> None:
        """Accept until the listener is closed."""
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                server = socket.create_connection(("127.0.0.1", self.to), timeout=60)
                threads = [
                    threading.Thread(target=self._up, args=(client, server), daemon=True),
                    threading.Thread(target=self._down, args=(client, server), daemon=True),
                ]
                for thread in threads:
                    thread.start()

    def _up(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError), client, server:
            while data := client.recv(1 << 16):
                if self.times <= self.cut or self.sign not in data.lower():
                    server.sendall(data)
                    continue
                if self.passing:
                    self.passing -= 1
                    server.sendall(data)
                    continue
                self.cut += 1
                if not self.before:
                    # The driver sends a statement to be parsed first, then to be run.
                    server.sendall(data)
                    run = client.recv(1 << 16)
                    self._answered.clear()
                    self._dropping = True
                    server.sendall(run)
                    assert self._answered.wait(60), "the server did not answer"
                    self._dropping = False
                for side in (client, server):
                    side.shutdown(socket.SHUT_RDWR)
                return

    def _down(self, client: socket.socket, server: socket.socket) -> None:
        with suppress(OSError):
            while data := server.recv(1 << 16):
                if self._dropping:
                    self._answered.set()
                    return
                client.sendall(data)


@contextmanager
def cutting(to: int) -> Iterator[Cutter]:
    listener = socket.create_server(("127.0.0.1", 0))
    cutter = Cutter(listener.getsockname()[1], to, _listener=listener)
    thread = threading.Thread(target=cutter.serve)
    thread.start()
    try:
        yield cutter
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join(10)


@pytest.fixture
def shop(ran_shop: TestShop, tmp_path: Path) -> Iterator[tuple[TestShop, Cutter]]:
    """The sales shop, backed up, with an empty warehouse behind the proxy."""
    home = {"ORDERHE_HOME": str(tmp_path / "shop" / "home")}
    with ExitStack() as stack:
        reach = resolver(build_store(load_settings(home, tmp_path)), stack)
        server = stack.enter_context(wire.serving(tmp_path / "w.duckdb", resolver=reach))
        cutter = stack.enter_context(cutting(server.port))
        ran_shop.environ |= {
            **variables_of(server),
            "ORDERHE_WAREHOUSE": "redshift",
            "ORDERHE_REDSHIFT_PORT": str(cutter.port),
        }
        ran_shop.create()
        yield ran_shop, cutter


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
@pytest.mark.parametrize("passing", [0, 1, 2], ids=["made", "loaded", "made second"])
def test_a_connection_cut_at_the_commit_of_a_load_loses_and_doubles_nothing(
    shop: tuple[TestShop, Cutter], before: bool, passing: int
) -> None:
    made, cutter = shop
    cutter.sign, cutter.before, cutter.times, cutter.passing = b"commit\0", before, 1, passing
    assert made.run("warehouse/*", "2026-01-01", "2026-01-04").succeeded
    assert cutter.cut == 1
    assert made.rows(
        "select count(*), count(distinct sale_no * 10 + shop_no) from warehouse.sales"
    ) == [(4, 4)]


@pytest.mark.parametrize("before", [True, False], ids=["before", "after"])
def test_a_connection_cut_at_the_commit_of_a_build_is_made_good(
    shop: tuple[TestShop, Cutter], before: bool
) -> None:
    made, cutter = shop
    assert made.run("warehouse/*", "2026-01-01", "2026-01-04").succeeded
    cutter.sign, cutter.before, cutter.times = b"commit\0", before, 1
    assert made.run("mart/takings", "2026-01-01", "2026-01-04").succeeded
    assert cutter.cut == 1
    assert len(made.rows(TAKINGS)) == 3


def test_a_connection_cut_in_the_middle_of_a_load_is_made_good(
    shop: tuple[TestShop, Cutter],
) -> None:
    made, cutter = shop
    cutter.sign, cutter.times = b"delete from warehouse", 1
    assert made.run("warehouse/*", "2026-01-01", "2026-01-04").succeeded
    assert cutter.cut == 1
    assert made.rows("select count(*) from warehouse.sales") == [(4,)]


def test_a_connection_cut_while_its_session_is_set_up_is_made_good(
    shop: tuple[TestShop, Cutter],
) -> None:
    made, cutter = shop
    cutter.sign, cutter.times = b"set query_group", 1
    assert made.run("warehouse/sales", "2026-01-01", "2026-01-04").succeeded
    assert cutter.cut == 1
    cutter.times = 2
    with pytest.raises(ConnectionLost, match="the connection to Redshift was lost"):
        made.rows("select 1")


def test_a_warehouse_that_cuts_every_time_fails_the_run_and_one_rerun_mends_it(
    shop: tuple[TestShop, Cutter],
) -> None:
    made, cutter = shop
    cutter.sign, cutter.times = b"delete from warehouse", 100
    assert not made.run("warehouse/sales", "2026-01-01", "2026-01-04").succeeded
    cutter.times = 0
    assert made.run("*", "2026-01-01", "2026-01-04").succeeded
    assert made.rows("select count(*) from warehouse.sales") == [(4,)]
    assert len(made.rows(TAKINGS)) == 3


def test_a_commit_without_an_answer_is_told_apart(shop: tuple[TestShop, Cutter]) -> None:
    made, cutter = shop
    with made.warehouse.session("make") as session:
        session.execute("create table t (a int)")
    cutter.sign, cutter.before, cutter.times = b"commit\0", False, 1
    with pytest.raises(CommitUnknown, match="not known"), made.warehouse.session("x") as session:
        session.transaction(["insert into t values (1)"])
    cutter.sign, cutter.before, cutter.times = b"insert into t", True, 2
    with pytest.raises(ConnectionLost) as raised, made.warehouse.session("x") as session:
        session.transaction(["insert into t values (2)"])
    assert not isinstance(raised.value, CommitUnknown)
    assert made.rows("select a from t") == [(1,)]


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[tuple[Warehouse, FaultProxy]]:
    """An empty warehouse without TLS behind a proxy."""
    with wire.serving() as server, fault_proxy(server.port) as proxy:
        environ = {**variables_of(server), "ORDERHE_WAREHOUSE": "redshift"}
        environ["ORDERHE_REDSHIFT_PORT"] = str(proxy.port)
        yield build_warehouse(load_settings(environ, tmp_path)), proxy


@pytest.mark.parametrize("after", [20_000, 50_000, 90_000])
def test_a_connection_that_ends_in_the_middle_of_an_answer_is_lost(
    lines: tuple[Warehouse, FaultProxy], after: int
) -> None:
    warehouse, proxy = lines
    proxy.arm("fin", after)
    with pytest.raises(ConnectionLost, match="closed in the middle of an answer"):
        warehouse.query(" union all ".join(["select repeat('x', 1000)"] * 200))
    assert proxy.faults == []


def test_an_answer_that_nobody_can_read_is_a_lost_connection(
    lines: tuple[Warehouse, FaultProxy],
) -> None:
    warehouse, _ = lines
    with warehouse.session("x") as session:
        # As if a bit of a message's code were flipped.
        del session._connection.message_types[b"D"]
        lost = r"no message of Redshift's.*SSLMODE=verify-full"
        with pytest.raises(ConnectionLost, match=lost):
            session.execute("select 1")
