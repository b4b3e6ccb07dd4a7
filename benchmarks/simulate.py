"""CPU seconds the simulation spends on a number of orders, the database left out.

Everything `orderhe simulate` computes is computed: days, people, products, Arrow tables; the rows
are counted and dropped where a database would take them. Run: `python benchmarks/simulate.py`.
"""

from __future__ import annotations

import argparse
import resource
import time
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pyarrow as pa

from orderhe_dagster.catalog.table import Table, TableRef
from orderhe_dagster.shop import simulate
from orderhe_dagster.shop.model import Shop

if TYPE_CHECKING:
    from collections.abc import Sequence

LAST_DAY = date(2026, 11, 21)
MOST_ORDERS = 5_000_000


class Nowhere:
    """A transaction on a marked, empty shop that keeps nothing but counts."""

    def __init__(self) -> None:
        self.rows: dict[str, int] = {}

    def execute(self, sql: str) -> None:
        """Pass over the statement."""

    def table_names(self) -> list[str]:
        """Answer that the marker is there."""
        return [simulate.MARKER]

    def fetch(self, sql: str) -> pa.Table:
        """Answer that no row is there."""
        columns = sql.removeprefix("select ").split(" from ")[0].split(", ")
        return pa.table({column: pa.array([], pa.int64()) for column in columns})

    def append(self, table: Table, rows: pa.Table) -> None:
        """Count the rows."""
        self.rows[table.name] = self.rows.get(table.name, 0) + rows.num_rows


def days_for(shop: Shop, orders: int) -> Sequence[date]:
    """As many days up to LAST_DAY as hold at least so many orders."""
    days: list[date] = []
    found = 0
    while found < orders:
        last = days[0] if days else LAST_DAY + timedelta(days=1)
        chunk = [last - timedelta(days=back) for back in range(91, 0, -1)]
        found += len(shop.facts(chunk))
        days = chunk + days
    return days


def main() -> None:
    """Print orders, people, CPU seconds and the peak of memory."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--orders", type=int, default=1_000_000, help="how many, at least")
    parser.add_argument(
        "--scale", type=float, default=1.0, help="size of the shop: more orders a day"
    )
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    if not 1 <= options.orders <= MOST_ORDERS:
        parser.error(f"--orders: choose from 1 to {MOST_ORDERS}")
    shop = Shop(seed=options.seed, scale=options.scale)
    days = days_for(shop, options.orders)
    tables = {
        name: Table(TableRef("raw", name), f"raw/{name}.sql", "", "", "", ())
        for name in ("customers", "products", "orders")
    }
    nowhere = Nowhere()
    start = time.process_time()
    simulate.make_days(shop, nowhere, tables, days)
    spent = time.process_time() - start
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    counts = ", ".join(f"{count:,} {name}" for name, count in nowhere.rows.items())
    print(f"{len(days)} days, {counts}: {spent:.2f} CPU s, peak {peak_mb:.0f} MB")


if __name__ == "__main__":
    main()
