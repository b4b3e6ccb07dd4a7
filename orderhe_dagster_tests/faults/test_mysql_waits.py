"""A MySQL that stands still, is silent or drips: each request ends by itself, says why, and heals.

Real servers: a MariaDB that is stopped before, in the middle of and after each kind of request.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, nullcontext
from datetime import date, timedelta
from itertools import product
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.cli import main
from orderhe_dagster.ports.errors import CommitUnknown, PortError
from orderhe_dagster.resources.mysql import extract as mysql_extract
from orderhe_dagster.resources.mysql.connection import connect
from orderhe_dagster.resources.mysql.errors import mysql_error
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster_tests.contracts.sources import tables
from orderhe_dagster_tests.long_tests import cases
from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB, mysql_source, running
from orderhe_dagster_tests.servers.proxy import FaultProxy, fault_proxy
from orderhe_dagster_tests.servers.standstill import ended, silent_peer, stand_still, stopped
from orderhe_dagster_tests.shops import sales_shop

ROWS, DAYS = 60_000, 3
FIRST = date(2026, 3, 1)
WINDOW = Window(FIRST, FIRST + timedelta(days=DAYS))
EVENTS = """
-- @partition on_day
create table events (id int not null, on_day date not null, body varchar(200) not null, primary key (id));
"""
MIDDLE = 2_000_000  # bytes: what is left is more than a kernel holds for a server that is stopped
LIMITS = {"connect_timeout": 1, "read_timeout": 1, "write_timeout": 1}
GREETING = r"greeting was not complete within 1 s\) \(2003\).*ORDERHE_MYSQL_CONNECT_TIMEOUT"
SILENT = r"Lost connection.*ing came for 1 s\).*ORDERHE_MYSQL_READ_TIMEOUT"


class Source(MySQLSource):
    """Waits for nothing before it tries again."""

    def _wait(self, seconds: float) -> None:
        pass


@pytest.fixture(scope="module")
def server() -> Iterator[MariaDB]:
    """A server of this module alone: it is stopped."""
    with running() as made:
        yield made


@pytest.fixture(scope="module")
def database(server: MariaDB) -> Iterator[str]:
    with server.database() as name:
        server.run(
            f"create table {name}.events (id int not null primary key, on_day date not null, "
            "body varchar(200) not null)"
        )
        server.run(
            f"insert into {name}.events select seq, date '2026-03-01' + interval seq % {DAYS} day, "
            f"repeat(md5(seq), 6) from {name}.seq_1_to_{ROWS}"
        )
        yield name


@pytest.fixture
def proxy(server: MariaDB) -> Iterator[FaultProxy]:
    with fault_proxy(server.port) as made:
        yield made


@pytest.fixture
def events(tmp_path: Path) -> Table:
    return tables(tmp_path, events=EVENTS)["events"]


Request = Callable[[Source, Table, Path], Any]


def log_in(source: Source, table: Table, folder: Path) -> None:
    connect(source.settings).close()


def attach(source: Source, table: Table, folder: Path) -> None:
    """DuckDB's scanner connects, and nobody before it."""
    import duckdb

    try:
        with mysql_extract.by_scanner(source.settings, "select 1") as (engine, relation):
            engine.execute(f"from {relation}").fetchall()
    except duckdb.Error as error:
        raise mysql_error(error, source.settings.where, source.settings.user) from None


def compare(source: Source, table: Table, folder: Path) -> None:
    assert source.drift(table) == []


def measure(source: Source, table: Table, folder: Path) -> None:
    assert sum(one.rows for one in source.measure(table, WINDOW).values()) == ROWS


def extract(source: Source, table: Table, folder: Path) -> None:
    result = source.extract(table, WINDOW, folder / "out")
    assert sum(one.rows for one in result.measures.values()) == ROWS


def write(source: Source, table: Table, folder: Path) -> None:
    with source.writing() as transaction:
        transaction.execute("update events set body = body where id = 1")


REQUESTS: dict[str, tuple[Request, dict[str, Any], str]] = {
    "log in": (log_in, {}, GREETING),
    "attach": (attach, {"extract": "scanner"}, GREETING),
    "compare": (compare, {}, GREETING),
    "measure": (measure, {}, GREETING),
    "extract by scanner": (extract, {"extract": "scanner"}, GREETING),
    "extract by arrow": (extract, {"extract": "arrow"}, GREETING),
    "write": (write, {}, GREETING),
}
"""Each kind of request, and what is said where the server stands still before it."""


def attack(
    request: str, source_of: Callable[..., Source], table: Table, folder: Path, expected: str
) -> None:
    """The request must end with this error, and leave nothing lying."""
    work, more, _ = REQUESTS[request]
    with pytest.raises(PortError, match=expected) as caught:
        ended(lambda: work(source_of(**more), table, folder))
    assert "mysql://127.0.0.1:" in str(caught.value), "the address is named"
    assert not (folder / "out").exists()


def heals(request: str, source_of: Callable[..., Source], table: Table, folder: Path) -> None:
    """One rerun."""
    work, more, _ = REQUESTS[request]
    work(source_of(**{**more, "connect_timeout": 30, "read_timeout": 60}), table, folder)


def sources(server: MariaDB, database: str, port: int | None = None) -> Callable[..., Source]:
    def source_of(**more: Any) -> Source:
        given = {**LIMITS, **({} if port is None else {"port": port}), **more}
        return Source(mysql_source(server, database, **given).settings)

    return source_of


@pytest.mark.parametrize(
    ("peer", "request_"),
    cases(
        product(("stopped", "silent", "drips"), REQUESTS),
        [*product(["stopped"], REQUESTS), ("silent", "extract by scanner"), ("drips", "log in")],
    ),
)
def test_a_server_that_stands_still_before_a_request_is_not_waited_for(
    server: MariaDB, database: str, proxy: FaultProxy, events: Table, tmp_path: Path, request_: str,
    peer: str,
) -> None:  # fmt: skip
    with ExitStack() as stack:
        port = server.port
        if peer == "silent":
            port = stack.enter_context(silent_peer())
        elif peer == "drips":
            port = proxy.port
            for _ in range(3):
                proxy.arm("drip", 0)
        still: AbstractContextManager[None] = nullcontext()
        if peer == "stopped":
            still = stopped(server.pid)
        with still:
            attack(
                request_,
                sources(server, database, port),
                events,
                tmp_path,
                REQUESTS[request_][2],
            )
    heals(request_, sources(server, database), events, tmp_path)


IN_THE_MIDDLE = {
    "log in": 1_000,
    "compare": 2_500,
    "measure": 3_400,
    "extract by scanner": MIDDLE,
    "extract by arrow": MIDDLE,
}
"""After how many bytes of the server's, greeting and TLS among them, a request is under way."""


@pytest.mark.parametrize("request_", IN_THE_MIDDLE)
def test_a_server_that_is_stopped_in_the_middle_is_not_waited_for(
    server: MariaDB, database: str, proxy: FaultProxy, events: Table, tmp_path: Path, request_: str
) -> None:  # fmt: skip
    """Reading is tried again, so that in the end it is the greeting that nobody completes."""
    proxy.arm(lambda: stand_still(server.pid), IN_THE_MIDDLE[request_])
    try:
        attack(request_, sources(server, database, proxy.port), events, tmp_path, GREETING)
        assert proxy.faults == [], "it was stopped"
    finally:
        os.kill(server.pid, signal.SIGCONT)
    heals(request_, sources(server, database), events, tmp_path)


def test_a_server_that_is_stopped_while_it_is_written_to_loses_the_transaction(
    server: MariaDB, database: str, proxy: FaultProxy
) -> None:
    proxy.arm(lambda: stand_still(server.pid), 5_500)
    source = sources(server, database, proxy.port)()
    try:
        with pytest.raises(PortError, match=SILENT):
            ended(lambda: _long_write(source))
    finally:
        os.kill(server.pid, signal.SIGCONT)
    _long_write(sources(server, database)(connect_timeout=30, read_timeout=60))


def _long_write(source: Source) -> None:
    with source.writing() as transaction:
        for _ in range(200):
            transaction.execute("update events set body = body where id = 1")


@pytest.mark.parametrize("extract_by", ["scanner", "arrow"])
@pytest.mark.parametrize("fault", ["stall", "drip"])
def test_an_extract_whose_rows_stop_or_drip_begins_again(
    server: MariaDB, database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str, fault: Any,
) -> None:  # fmt: skip
    proxy.arm(fault, MIDDLE)
    source = sources(server, database, proxy.port)(extract=extract_by)
    ended(lambda: extract(source, events, tmp_path))
    assert proxy.faults == []


@pytest.mark.parametrize("extract_by", ["scanner", "arrow"])
def test_an_extract_whose_rows_drip_every_time_says_so(
    server: MariaDB, database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str,
) -> None:  # fmt: skip
    """Through TLS, a record that is never whole looks like nothing at all."""
    for _ in range(3):
        proxy.arm("drip", MIDDLE)
    request = f"extract by {extract_by}"
    attack(
        request,
        sources(server, database, proxy.port),
        events,
        tmp_path,
        r"extract raw\.events: .*" + SILENT,
    )
    heals(request, sources(server, database), events, tmp_path)


def test_a_server_that_is_stopped_after_a_request_fails_the_next_one(
    server: MariaDB, database: str
) -> None:
    """In one transaction: what was done before is rolled back, and the commit is told as unknown."""
    source = sources(server, database)()
    still = ExitStack()
    with still:

        def lose(last: str) -> None:
            with source.writing() as transaction:
                transaction.execute("update events set body = 'lost' where id = 1")
                still.enter_context(stopped(server.pid))
                if last:
                    transaction.execute(last)

        with pytest.raises(PortError, match=SILENT) as caught:
            ended(lambda: lose("update events set body = 'lost' where id = 2"))
        assert not isinstance(caught.value, CommitUnknown)
    with still, pytest.raises(CommitUnknown, match=r"nothing came for 1 s.*is not known"):
        ended(lambda: lose(""))
    still.close()
    ((body,),) = server.run(f"select body from {database}.events where id = 2")
    assert body != "lost"


def variables(server: MariaDB, database: str, **more: str) -> dict[str, str]:
    """The variables of a shop whose rows are in the server."""
    return {
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": server.host,
        "ORDERHE_MYSQL_PORT": str(server.port),
        "ORDERHE_MYSQL_USER": OWNER.user,
        "ORDERHE_MYSQL_PASSWORD": OWNER.password,
        "ORDERHE_MYSQL_DATABASE": database,
        "ORDERHE_MYSQL_SSL_CA": server.ca,
        **more,
    }


def test_create_ends_where_the_peer_takes_the_connection_and_is_silent(
    server: MariaDB, tmp_path: Path
) -> None:
    with silent_peer() as port:
        told = variables(server, "shop_x", ORDERHE_MYSQL_PORT=str(port))
        told |= {"ORDERHE_MYSQL_CONNECT_TIMEOUT": "1", "ORDERHE_HOME": str(tmp_path)}
        result = ended(lambda: CliRunner().invoke(main, ["create"], env=told))
    assert result.exit_code == 1
    assert f"mysql://127.0.0.1:{port}/shop_x" in result.output
    assert "ORDERHE_MYSQL_CONNECT_TIMEOUT" in result.output


@pytest.mark.parametrize("call", cases(["drift", "extract", "measure"], ["extract"]))
def test_a_run_ends_whose_source_stands_still_and_one_rerun_heals_it(
    server: MariaDB, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    monkeypatch.setattr(MySQLSource, "_wait", lambda *_: None)
    with server.database() as name, ExitStack() as still:
        usual = variables(server, name)
        shop = sales_shop(tmp_path / "shop", usual)
        does, calls = getattr(MySQLSource, call), [call]

        def stopping(source: MySQLSource, *arguments: Any, **named: Any) -> Any:
            if calls:
                calls.clear()
                still.enter_context(stopped(server.pid))
            return does(source, *arguments, **named)

        monkeypatch.setattr(MySQLSource, call, stopping)
        own = dict(shop.environ)
        shop.environ |= {f"ORDERHE_MYSQL_{name.upper()}": str(s) for name, s in LIMITS.items()}
        outcome = ended(lambda: shop.run("*", "2026-01-01", "2026-01-04"))
        assert calls == []
        assert not outcome.succeeded
        assert "ORDERHE_MYSQL_CONNECT_TIMEOUT" in outcome.failures[0]
        still.close()
        shop.environ = own
        assert shop.run("*", "2026-01-01", "2026-01-04").succeeded
        assert shop.rows("select count(*) from warehouse.sales") == [(4,)]
