"""Faults of the shop's MySQL in the middle of the work: a named error or a right repetition, never half."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import ConnectionLost
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster.settings.interrupts import raise_if_interrupted, remember_interrupts
from orderhe_dagster_tests.contracts.sources import tables
from orderhe_dagster_tests.servers.mariadb import READER, MariaDB, mysql_source, running
from orderhe_dagster_tests.servers.proxy import FaultProxy, fault_proxy

ROWS, DAYS = 20_000, 3
FIRST = date(2026, 3, 1)
WINDOW = Window(FIRST, FIRST + timedelta(days=DAYS))
EVENTS = """
-- @partition on_day
create table events (id int not null, on_day date not null, body varchar(200) not null, primary key (id));
"""
MIDDLE = ROWS * 100  # bytes: half of the table


class Source(MySQLSource):
    """Waits for nothing before it tries again."""

    def _wait(self, seconds: float) -> None:
        pass


@pytest.fixture(params=["scanner", "arrow"])
def extract_by(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def events_database(mariadb: MariaDB) -> Iterator[str]:
    with mariadb.database() as name:
        fill(mariadb, name)
        yield name


@pytest.fixture
def events(tmp_path: Path) -> Table:
    return tables(tmp_path, events=EVENTS)["events"]


@pytest.fixture
def proxy(mariadb: MariaDB) -> Iterator[FaultProxy]:
    with fault_proxy(mariadb.port) as found:
        yield found


def fill(server: MariaDB, database: str) -> None:
    server.run(
        f"create table {database}.events (id int not null primary key, on_day date not null, "
        "body varchar(200) not null)"
    )
    server.run(
        f"insert into {database}.events select seq, date '2026-03-01' + interval seq % {DAYS} day, "
        f"repeat(md5(seq), 6) from {database}.seq_1_to_{ROWS}"
    )


def source_of(server: MariaDB, database: str, **more: Any) -> Source:
    return Source(mysql_source(server, database, READER, **more).settings)


def extracted(source: Source, table: Table, folder: Path) -> int:
    """The rows of an extract that came whole."""
    found = source.extract(table, WINDOW, folder)
    assert found.measures == source.measure(table, WINDOW)
    return sum(measure.rows for measure in found.measures.values())


@pytest.mark.parametrize("fault", ["rst", "fin"])
def test_an_extract_begins_again_when_its_connection_breaks(
    mariadb: MariaDB, events_database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str, fault: Any,
) -> None:  # fmt: skip
    source = source_of(mariadb, events_database, port=proxy.port, extract=extract_by)
    proxy.arm(fault, MIDDLE)
    proxy.arm(fault, MIDDLE)
    assert extracted(source, events, tmp_path / "out") == ROWS
    assert not proxy.faults


def test_an_extract_gives_up_after_its_third_attempt(
    mariadb: MariaDB, events_database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str,
) -> None:  # fmt: skip
    source = source_of(mariadb, events_database, port=proxy.port, extract=extract_by)
    for _ in range(4):
        proxy.arm("rst", MIDDLE)
    with pytest.raises(ConnectionLost, match=r"extract raw\.events: .*server went away") as caught:
        source.extract(events, WINDOW, tmp_path / "out")
    assert "select" not in str(caught.value)
    assert len(proxy.faults) == 1
    assert not (tmp_path / "out").exists()


def test_a_server_that_falls_silent_is_not_waited_for(
    mariadb: MariaDB, events_database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str,
) -> None:  # fmt: skip
    source = source_of(
        mariadb, events_database, port=proxy.port, extract=extract_by, read_timeout=1
    )
    proxy.arm("stall", MIDDLE)
    assert extracted(source, events, tmp_path / "out") == ROWS


def test_a_query_that_somebody_ends_is_run_again(
    mariadb: MariaDB, events_database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str,
) -> None:  # fmt: skip
    def kill_all() -> None:
        for (number,) in mariadb.run(
            "select id from information_schema.processlist where user = %s and command <> 'Sleep'",
            READER.user,
        ):
            mariadb.run(f"kill {number}")

    source = source_of(mariadb, events_database, port=proxy.port, extract=extract_by)
    proxy.arm(kill_all, MIDDLE)
    assert extracted(source, events, tmp_path / "out") == ROWS


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_ends_an_extract(
    mariadb: MariaDB, events_database: str, proxy: FaultProxy, events: Table, tmp_path: Path,
    extract_by: str,
) -> None:  # fmt: skip
    source = source_of(mariadb, events_database, port=proxy.port, extract=extract_by)
    proxy.arm(lambda: os.kill(os.getpid(), signal.SIGINT), MIDDLE)
    with pytest.raises(KeyboardInterrupt), remember_interrupts():
        source.extract(events, WINDOW, tmp_path / "out")
        raise_if_interrupted()  # had it come too late to end anything
    assert not (tmp_path / "out").exists()


def test_a_server_that_crashes_and_comes_back_is_read_anew(events: Table, tmp_path: Path) -> None:
    with (
        running(options=["--innodb-flush-log-at-trx-commit=1"]) as server,
        server.database() as database,
        fault_proxy(server.port) as proxy,
    ):
        fill(server, database)

        class Restarting(Source):
            def _wait(self, seconds: float) -> None:
                server.start()

        source = Restarting(source_of(server, database, port=proxy.port).settings)
        proxy.arm(server.kill, MIDDLE)
        assert extracted(source, events, tmp_path / "out") == ROWS
