"""Making days happen in a shop's database, in the caller's transaction. Nothing is opened here.

A database is ours only if it carries the marker table, which `mark` creates in an empty shop and
which holds one row for every day made. The SQL is the small part that MySQL and DuckDB read alike.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.shop.draws import Ints, distinct
from orderhe_dagster.shop.marker import MARKER, NotOurShopError, is_marked
from orderhe_dagster.shop.model import HORIZON_DAYS, RULES, Shop

if TYPE_CHECKING:
    import pyarrow as pa

    from orderhe_dagster.catalog.table import Table
    from orderhe_dagster.ports.source import SourceTransaction

CHUNK_DAYS = 31
_CHUNK_ROWS = 200_000
_ORDERS_A_DAY = 500  # of a shop of scale 1
_BATCH_ROWS = 1_000

Progress = Callable[[int, int], None]
"""Called with (days done, days in all)."""

_Item = TypeVar("_Item")


@dataclass(frozen=True)
class DayCounts:
    """What making days changed: rows new, and in `rewritten_days` earlier days whose orders moved on."""

    days: int = 0
    orders: int = 0
    customers: int = 0
    products: int = 0
    rewritten_days: int = 0


def made_days(shop: Shop, transaction: SourceTransaction) -> list[date]:
    """List the days made so far, sorted. NotOurShopError without the marker or with another shop's."""
    if not is_marked(transaction):
        raise NotOurShopError(
            f"no table {MARKER}: the simulation writes only to a shop that it was asked to make."
            " Run `orderhe create` on an empty database, or set ORDERHE_SHOP=external"
        )
    rows = transaction.fetch(f"select day, seed, scale, time_zone, rules from {MARKER}").to_pylist()
    for row in rows:
        for what, ours in _identity(shop).items():
            if row[what] != ours:
                raise NotOurShopError(
                    f"{row['day']} was made with {what} {row[what]}, not {ours}: one shop has one"
                    f" {what}. Go on with {row[what]}, or start in an empty database"
                )
    return sorted(row["day"] for row in rows)


def make_days(
    shop: Shop,
    transaction: SourceTransaction,
    tables: Mapping[str, Table],
    days: Sequence[date],
    progress: Progress | None = None,
) -> DayCounts:
    """Make the days happen in the database; days made before change nothing.

    Writes new customers, products and orders, and brings those of earlier days up to the new clock.
    `tables` are the contracts by name. Everything happens in the one transaction of the caller;
    memory does not grow with the number of days. NotOurShopError as `made_days`.
    """
    if is_marked(transaction):
        _take_turns(transaction)
    known_days = made_days(shop, transaction)
    known = set(known_days)
    new = sorted(set(days) - known)
    if not new:
        return DayCounts()
    clock = max(new + known_days)
    customers = _ids(transaction, tables["customers"], "customer_id")
    products = _ids(transaction, tables["products"], "product_id")
    rewritten = 0
    if known_days and clock > known_days[-1]:
        _update(
            transaction,
            tables["customers"],
            shop.customers(shop.changed_customers(customers, known_days[-1], clock), clock).select(
                ["customer_id", "city", "address", "accepts_marketing", "updated_at"]
            ),
        )
        _update(
            transaction,
            tables["products"],
            shop.products(shop.changed_products(products, known_days[-1], clock), clock).select(
                ["product_id", "unit_price", "is_active", "updated_at"]
            ),
        )
        rewritten = _move_on(shop, transaction, tables["orders"], known_days, clock)
    counts = {"orders": 0, "customers": 0, "products": 0}
    done = 0
    for fresh in _ahead(_fresh_rows(shop, new, clock, customers, products)):
        for name, rows in fresh.rows.items():
            counts[name] += rows.num_rows
            if rows.num_rows:
                transaction.append(tables[name], rows)
        _remember(shop, transaction, fresh.days)
        done += len(fresh.days)
        if progress is not None:
            progress(done, len(new))
    return DayCounts(days=len(new), rewritten_days=rewritten, **counts)


class _Fresh(NamedTuple):
    """The rows that some days bring, by table, parents first."""

    days: Sequence[date]
    rows: Mapping[str, pa.Table]


def _fresh_rows(
    shop: Shop, days: Sequence[date], clock: date, customers: Ints, products: Ints
) -> Iterator[_Fresh]:
    """What the days bring, some days at a time; the ids are those that are there already."""
    for _, chunk in _chunks(days, _chunk_days(shop)):
        facts = shop.facts(chunk)
        new_customers = _missing(shop.customer_ids(chunk, facts), customers)
        new_products = _missing(shop.product_ids(chunk, facts), products)
        rows = {
            "customers": shop.customers(new_customers, clock),
            "products": shop.products(new_products, clock),
            "orders": shop.orders(chunk, clock, facts),
        }
        yield _Fresh(chunk, rows)
        customers = distinct(customers, new_customers)
        products = distinct(products, new_products)


def _chunk_days(shop: Shop) -> int:
    """So many days at a time that memory holds their rows, however large the shop."""
    return max(1, min(CHUNK_DAYS, int(_CHUNK_ROWS / (_ORDERS_A_DAY * shop.scale))))


def _ahead(items: Iterator[_Fresh]) -> Iterator[_Fresh]:
    """The items; each is made, in a thread of its own, while the one before is written.

    The database is another process, or another thread's work: making rows costs no time then.
    """
    with ThreadPoolExecutor(1) as pool:
        upcoming = pool.submit(next, items, None)
        while (item := upcoming.result()) is not None:
            upcoming = pool.submit(next, items, None)
            yield item


def made_scale(transaction: SourceTransaction) -> float | None:
    """The scale that the days made so far were made with; None where there is none yet."""
    if not is_marked(transaction):
        return None
    _take_turns(transaction)
    (row,) = transaction.fetch(f"select max(scale) as scale from {MARKER}").to_pylist()
    return row["scale"]  # type: ignore[no-any-return]


def _take_turns(transaction: SourceTransaction) -> None:
    """First of all, so that of two writers in MySQL the second waits, and then sees what the first did."""
    transaction.execute(f"update {MARKER} set seed = seed")


def _identity(shop: Shop) -> dict[str, Any]:
    """Name what must be the same for every day of one shop, by the marker's columns."""
    return {
        "seed": shop.seed,
        "scale": float(shop.scale),
        "time_zone": shop.time_zone,
        "rules": RULES,
    }


def _remember(shop: Shop, transaction: SourceTransaction, days: Sequence[date]) -> None:
    rows = ", ".join(
        f"('{day}', {shop.seed}, {float(shop.scale)!r}, '{shop.time_zone}', {RULES})"
        for day in days
    )
    transaction.execute(f"insert into {MARKER} (day, seed, scale, time_zone, rules) values {rows}")


def _ids(transaction: SourceTransaction, table: Table, column: str) -> Ints:
    ids = transaction.fetch(f"select {column} from {quoted(table.source_name)}").column(column)
    return distinct(np.asarray(ids.to_numpy(), dtype=np.int64))


def _missing(ids: Ints, known: Ints) -> Ints:
    """Pick those of the ids that are not among the known, which are sorted."""
    if not len(known):
        return ids
    place = np.minimum(np.searchsorted(known, ids), len(known) - 1)
    result: Ints = ids[known[place] != ids]
    return result


def _move_on(
    shop: Shop,
    transaction: SourceTransaction,
    table: Table,
    known_days: Sequence[date],
    clock: date,
) -> int:
    """Bring orders not settled at the old clock up to the new one; count the days that changed."""
    settled = known_days[-1] - timedelta(days=HORIZON_DAYS)
    count = 0
    for _, chunk in _chunks([day for day in known_days if day > settled], CHUNK_DAYS):
        old_ids, fresh = shop.changed_orders(chunk, known_days[-1], clock)
        for _, batch in _chunks(old_ids.tolist(), _BATCH_ROWS):
            ids = ", ".join(map(str, batch))
            transaction.execute(
                f"delete from {quoted(table.source_name)} where order_id in ({ids})"
            )
        if fresh.num_rows:
            transaction.append(table, fresh)
        stamps = {number // 1_000_000 for number in old_ids.tolist()}
        stamps |= {number // 1_000_000 for number in fresh.column("order_id").to_pylist()}
        count += len(stamps)
    return count


def _update(transaction: SourceTransaction, table: Table, rows: pa.Table) -> None:
    """Set every column but the first, the key, of the rows with these keys.

    Not delete and insert: orders point at these rows.
    """
    key, *columns = rows.column_names
    for start in range(0, rows.num_rows, _BATCH_ROWS):
        values = rows.slice(start, _BATCH_ROWS).to_pydict()
        sets = []
        for column in columns:
            cases = " ".join(
                f"when {number} then {_literal(value)}"
                for number, value in zip(values[key], values[column], strict=True)
            )
            sets.append(f"{column} = case {key} {cases} end")
        ids = ", ".join(map(str, values[key]))
        name = quoted(table.source_name)
        transaction.execute(f"update {name} set {', '.join(sets)} where {key} in ({ids})")


def _literal(value: Any) -> str:
    """Write a value so that MySQL and DuckDB read it alike: backslashes they do not, so none may be."""
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        if "\\" in value:
            raise ValueError(
                f"{value!r} holds a backslash, which MySQL and DuckDB read differently"
            )
        return "'" + value.replace("'", "''") + "'"
    return f"timestamp '{value}'"


def _chunks(items: Sequence[_Item], size: int) -> Iterator[tuple[int, Sequence[_Item]]]:
    """Consecutive slices, each with the number of items up to its end."""
    for start in range(0, len(items), size):
        chunk = items[start : start + size]
        yield start + len(chunk), chunk
