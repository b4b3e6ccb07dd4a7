"""The shop of the damage drill: many days of few rows, every type of column. What damages it, is not here.

`orders` has a key and a cursor, `visits` neither, and its day is that of an instant; `products` and
`labels` have no days, `labels` nothing at all. Some rows of `orders` and `visits` are of no day of the
history.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from orderhe_dagster.settings.project import today
from orderhe_dagster_tests.shops import TestShop

FILES = {
    "raw/orders.sql": """
-- What was ordered: every type of column.
-- @partition ordered_on
-- @cursor updated_at
create table orders (
    order_id bigint unsigned not null,
    ordered_on date,
    customer_no int not null,
    amount decimal(12,2) not null,
    weight decimal(20,6),
    placed_at datetime(6) not null,
    paid_at timestamp null,
    wanted_on date,
    coupon varchar(30),
    state enum('open', 'paid', 'sent') not null,
    is_gift tinyint(1) not null,
    note text,
    country char(2),
    token varbinary(16),
    stamp binary(4),
    lasts time,
    extra json,
    updated_at datetime(6) not null,
    primary key (order_id)
);
""",
    "raw/visits.sql": """
-- Who looked: no key, no cursor, and the day is that of an instant in the shop's zone.
-- @partition seen_at
create table visits (
    visit_no int not null,
    seen_at timestamp null,
    page varchar(40),
    seconds smallint unsigned,
    agent text
);
""",
    "raw/products.sql": """
-- What is sold.
create table products (
    sku char(8) not null,
    title varchar(60) not null,
    price decimal(10,3),
    listed_at timestamp null,
    primary key (sku)
);
""",
    "raw/labels.sql": """
-- Neither days nor a key nor a cursor.
create table labels (
    label_no int not null,
    words varchar(60),
    color varchar(10)
);
""",
    "mart/daily_orders.sql": """
-- Orders by day and state.
-- @partition ordered_on
-- @grain ordered_on, state
select
    orders.ordered_on::date as ordered_on, -- The day
    orders.state::varchar(16) as state, -- How far
    count(*)::bigint as order_count, -- How many
    sum(orders.amount)::decimal(38, 2) as amount -- Their amounts
from warehouse.orders
group by orders.ordered_on, orders.state;
""",
    "mart/customers.sql": """
-- What each customer ordered.
-- @grain customer_no
select
    orders.customer_no::integer as customer_no, -- Who
    count(*)::bigint as order_count, -- How many
    sum(orders.amount)::decimal(38, 2) as amount -- Their amounts
from warehouse.orders
group by orders.customer_no;
""",
    "export/daily_orders.sql": """
-- For the owner.
select
    daily_orders.ordered_on::date as ordered_on, -- The day
    daily_orders.state::varchar(16) as state, -- How far
    daily_orders.order_count::bigint as order_count, -- How many
    daily_orders.amount::decimal(38, 2) as amount -- Their amounts
from mart.daily_orders
order by daily_orders.ordered_on, daily_orders.state;
""",
}
IDENTITY = {
    "orders": "order_id",
    "visits": "visit_no",
    "products": "sku",
    "labels": "label_no",
}
"""The column by which a row of each raw table is known, declared as its key or not."""
DAYS = 330
FAR = date(2037, 1, 1)
"""A day after today that a MySQL TIMESTAMP may have."""
_STATES = ("open", "paid", "sent")
_WORDS = ("blue", "Green", "red Box", "a|b!c", "Žluť", "밥 한 공기", "it's", "Tea  pot", "x%_y")


@dataclass
class DrillShop:
    """The shop, the day that is today in it, and how many days it has had."""

    shop: TestShop
    first: date
    days: int
    numbers: dict[str, int] = field(default_factory=dict)  # the highest by table

    def copy(self, folder: Path) -> DrillShop:
        """A copy at `folder`."""
        return replace(self, shop=self.shop.copy(folder), numbers=dict(self.numbers))

    @property
    def zone(self) -> ZoneInfo:
        """The zone that the shop's days are of."""
        return ZoneInfo(self.shop.settings.time_zone)

    @property
    def history(self) -> list[date]:
        """Every day that is over."""
        return [self.first + timedelta(days=n) for n in range(self.days)]

    def next_number(self, table: str) -> int:
        """A number that no row of the table has had."""
        self.numbers[table] += 1
        return self.numbers[table]


def drill_shop(
    folder: Path, rng: random.Random, days: int = DAYS, environ: Mapping[str, str] | None = None
) -> DrillShop:
    """The shop in `folder`, created and filled but not run."""
    (folder / "sql").mkdir(parents=True)
    shop = TestShop(folder, {"ORDERHE_SQL": str(folder / "sql"), **(environ or {})})
    first = today(shop.settings.time_zone) - timedelta(days=days)
    shop.environ["ORDERHE_START_DATE"] = str(first)
    shop.write(FILES)
    shop.create()
    drilled = DrillShop(shop, first, days)
    rows = {
        "orders": list(_orders(drilled, rng)),
        "visits": list(_visits(drilled, rng)),
        "products": list(_products(rng)),
        "labels": list(_labels(rng)),
    }
    for table, some in rows.items():
        drilled.numbers[table] = len(some)
        shop.change(*inserts(table, some, from_hex="unhex"))
    return drilled


def inserts(relation: str, rows: Sequence[Sequence[Any]], *, from_hex: str) -> Iterator[str]:
    """Statements that insert whole rows; `from_hex` is what the dialect calls its function."""
    for start in range(0, len(rows), 200):
        some = rows[start : start + 200]
        values = ",\n".join(
            f"({', '.join(literal(value, from_hex) for value in row)})" for row in some
        )
        yield f"insert into {relation} values {values}"


def literal(value: Any, from_hex: str) -> str:
    """A value as SQL that MySQL, DuckDB and Redshift read alike."""
    if value is None:
        return "null"
    if isinstance(value, bytes):
        return f"{from_hex}('{value.hex()}')"
    if isinstance(value, bool | int | Decimal):
        return str(value)
    return "'" + str(value).replace("'", "''") + "'"


def _days_of_rows(
    shop: DrillShop, rng: random.Random, each: int, empty: float
) -> Iterator[date | None]:
    """The days of the rows of a table: a share has none; then those of no day of the history."""
    for day in shop.history:
        if rng.random() < empty:
            continue
        yield from [day] * rng.randint(each - 1, each + 1)
    yield from [None] * 4
    yield from (shop.first - timedelta(days=rng.randint(1, 900)) for _ in range(4))
    yield from (FAR + timedelta(days=n) for n in range(4))


def _moment(rng: random.Random, day: date, microseconds: bool = True) -> datetime:
    second = datetime(day.year, day.month, day.day) + timedelta(seconds=rng.randrange(86_400))
    return second + timedelta(microseconds=rng.randrange(1_000_000) if microseconds else 0)


def instant(local: datetime, zone: ZoneInfo) -> datetime:
    """A moment of the shop's wall clock as the database keeps it: in UTC."""
    return local.replace(tzinfo=zone).astimezone(timezone.utc).replace(tzinfo=None)


def day_of(value: date | datetime | None, zone: ZoneInfo) -> date | None:
    """The shop's day of a date, or of an instant."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=timezone.utc).astimezone(zone).date()
    return value


def _orders(shop: DrillShop, rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, day in enumerate(_days_of_rows(shop, rng, 4, 0.05), 1):
        yield order(number, day, rng, shop.zone)


def order(number: int, day: date | None, rng: random.Random, zone: ZoneInfo) -> tuple[Any, ...]:
    """A row of `orders`."""
    about = day or date(2026, 1, 1)
    placed = _moment(rng, about)
    return (
        number,
        day,
        rng.randint(1, 60),
        Decimal(rng.randint(100, 99_999)) / 100,
        rng.choice([None, Decimal(rng.randint(-(10**9), 10**12)) / 10**6]),
        placed,
        rng.choice([None, _moment(rng, about, microseconds=False)]),
        rng.choice([None, about + timedelta(days=rng.randint(1, 9))]),
        rng.choice([None, "", *_WORDS]),
        rng.choice(_STATES),
        rng.randint(0, 1),
        rng.choice([None, f"{rng.choice(_WORDS)} {number}"]),
        rng.choice([None, "KR", "cz", "De"]),
        rng.choice([None, rng.randbytes(rng.randint(1, 16))]),
        rng.choice([None, rng.randbytes(4)]),
        rng.choice([None, f"{rng.randint(0, 99):02d}:{rng.randint(0, 59):02d}:07"]),
        rng.choice([None, f'{{"n": {number}, "w": "{rng.choice(_WORDS[:3])}"}}']),
        placed + timedelta(hours=1),
    )


def _visits(shop: DrillShop, rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for number, day in enumerate(_days_of_rows(shop, rng, 3, 0.6), 1):
        yield visit(number, day, rng, shop.zone)


def visit(number: int, day: date | None, rng: random.Random, zone: ZoneInfo) -> tuple[Any, ...]:
    """A row of `visits`."""
    return (
        number,
        instant(_moment(rng, day, microseconds=False), zone) if day else None,
        rng.choice([None, "/", "/Cart", "/buy now"]),
        rng.choice([None, rng.randint(0, 900)]),
        rng.choice([None, *_WORDS]),
    )


def _products(rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, 121):
        yield product(number, rng)


def product(number: int, rng: random.Random) -> tuple[Any, ...]:
    """A row of `products`."""
    listed = _moment(rng, date(2025, 1, 1) + timedelta(days=number), microseconds=False)
    price = Decimal(rng.randint(1, 10**7)) / 1000
    return f"SKU{number:05d}", rng.choice(_WORDS), rng.choice([None, price]), listed


def _labels(rng: random.Random) -> Iterator[tuple[Any, ...]]:
    for number in range(1, 81):
        yield label(number, rng)


def label(number: int, rng: random.Random) -> tuple[Any, ...]:
    """A row of `labels`."""
    return number, rng.choice([None, "", *_WORDS]), rng.choice([None, "Red", "blue"])


MAKERS = {"orders": order, "visits": visit}
"""What makes a row of a table with days: its number, its day, the draws, the shop's zone."""
WHOLE_MAKERS = {"products": product, "labels": label}
