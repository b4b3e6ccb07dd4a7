"""A second process that polls the warehouse over the wire, past the network, whatever happens to the run."""

from __future__ import annotations

import os
import select
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from orderhe_dagster_tests.chaos.processes import Child, begin
from orderhe_dagster_tests.chaos.source import ROWS, Row, Versions, texts
from orderhe_dagster_tests.shops import TestShop

SALES = ROWS.format("warehouse.sales")
TAKINGS = "select sold_on, sale_count, price_total from mart.takings order by 1"
_EVERY_S = 0.2
_AFTER_S = 0.3  # a server that is not there is left alone for so long
_NOT_THERE = ("42P01", "3F000")


@dataclass
class Seen:
    """What was there of each table, one state after the other; what could not be read."""

    sales: list[list[Row]] = field(default_factory=list)
    takings: list[list[Row]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)

    def look(self, session: Any) -> None:
        """Note what is there now. The same twice in a row is noted once."""
        from orderhe_dagster.ports.errors import StatementError

        for states, sql in ((self.sales, SALES), (self.takings, TAKINGS)):
            try:
                rows = [texts(row) for row in session.execute(sql).rows]
            except StatementError as error:
                if error.code in _NOT_THERE:
                    continue
                raise
            if not states or states[-1] != rows:
                states.append(rows)

    def torn(self, states: Path, *, may_lack: bool) -> list[str]:
        """What of it is between two states of the source."""
        versions = Versions.of(states)
        problems = versions.torn(self.sales, may_lack=may_lack)
        for rows in self.takings:
            problems += versions.torn_takings(rows)
        return [f"a reader saw: {text}" for text in problems]


@dataclass
class Reader:
    """A reader at work."""

    child: Child
    stop_it: int

    def stop(self) -> Seen:
        """What it saw."""
        os.write(self.stop_it, b".")
        result, status = self.child.result()
        os.close(self.stop_it)
        assert status == 0, f"the reader ended with {status}; see above"
        sales, takings = (
            [[tuple(row) for row in rows] for rows in result[name]] for name in ("sales", "takings")
        )
        return Seen(sales, takings, result["errors"])


def reader(shop: TestShop) -> Reader:
    """Begin to read."""
    stopped, stop_it = os.pipe()
    child = begin(lambda: asdict(_read_on(shop, stopped)), 600)
    os.close(stopped)
    return Reader(child, stop_it)


def _read_on(shop: TestShop, stopped: int) -> Seen:
    from orderhe_dagster.ports.errors import PortError, StatementError

    seen, wait_s = Seen(), 0.0
    while not select.select([stopped], [], [], wait_s)[0]:
        try:
            with shop.warehouse.session("a reader", read_only=True) as session:
                wait_s = _EVERY_S
                while not select.select([stopped], [], [], wait_s)[0]:
                    seen.look(session)
                return seen
        except StatementError as error:
            seen.errors.append(str(error))
        except PortError:  # the server is not there, or does not answer
            pass
        wait_s = _AFTER_S
    return seen


def look_once(shop: TestShop) -> Seen:
    """What is there now; PortError where nobody tells."""
    seen = Seen()
    with shop.warehouse.session("a look", read_only=True) as session:
        seen.look(session)
    return seen
