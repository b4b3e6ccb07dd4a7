"""What happened in a small shop, in no system's words: people, goods, orders. No table is known here."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Literal

FIRST = date(2026, 9, 1)
LAST = date(2026, 11, 14)
TODAY = date(2026, 11, 15)
"""The day the tests take for today: a history of fixed days would grow with the calendar else."""

AHEAD = timedelta(hours=9)
"""What the shop's clock is ahead of UTC."""

State = Literal["unfinished", "waiting", "paid", "shipped", "delivered", "cancelled", "refunded"]
STATES: dict[State, int] = {
    "unfinished": 5,
    "waiting": 8,
    "paid": 15,
    "shipped": 17,
    "delivered": 40,
    "cancelled": 10,
    "refunded": 5,
}
"""How often, in a hundred, an order stands where."""

CATEGORIES = ("Kitchen", "Büro & Papier", "생활용품", "Garden 🌱")
_GOODS = (
    ("Kettle 1.7 L", 0, "39.90"),
    ("Messer „Solingen“ 20 cm", 0, "64.50"),
    ("Plate, set of 6", 0, "29.00"),
    ("도자기 찻잔", 0, "12.34"),
    ("Füller M", 1, "18.75"),
    ("Notizbuch A5; liniert", 1, "4.99"),
    ('Clip "100"', 1, "1.05"),
    ("수건 🛁 3장", 2, "21.00"),
    ("세제 (리필)", 2, "7.77"),
    ("비누", 2, "2.50"),
    ("Spade", 3, "33.33"),
    ("Seeds\tmixed", 3, "0.95"),
    ("Hose 25 m", 3, "27.20"),
    ("Never bought", 3, "999.00"),
)
_FIRST_NAMES = (
    "Anna",
    "민준",
    "José",
    "Zoë",
    "서연",
    "O'Neill",
    "Łukasz",
    "지우",
    "Mia",
    "李雷",
    "Emoji😀",
    "Ben",
)
_LAST_NAMES = ("Müller", "김", "García", "van der Berg", "이", "Smith-Jones", "박", "Nowak")


@dataclass(frozen=True)
class Good:
    """A thing that is sold; `price` with tax."""

    number: int
    sku: str
    name: str
    category: int
    price: Decimal


@dataclass(frozen=True)
class Person:
    """Somebody who buys; a guest has no account."""

    number: int
    first_name: str
    last_name: str
    email: str
    since: datetime
    is_guest: bool


@dataclass(frozen=True)
class Line:
    """So many of a good; `amount` with tax, before the order's discount."""

    good: Good
    quantity: int

    @property
    def amount(self) -> Decimal:
        """What it costs."""
        return self.good.price * self.quantity


@dataclass(frozen=True)
class Order:
    """An order as it stands now; `at` by the shop's own clock (+09:00)."""

    number: int
    at: datetime
    person: Person
    state: State
    lines: Sequence[Line]
    shipping: Decimal
    discount: Decimal

    @property
    def goods(self) -> Decimal:
        """What its lines cost."""
        return sum((line.amount for line in self.lines), Decimal(0))

    @property
    def total(self) -> Decimal:
        """What is to be paid, tax and delivery in it."""
        return self.goods + self.shipping - self.discount

    @property
    def utc(self) -> datetime:
        """When it was placed, in UTC."""
        return in_utc(self.at)

    def later(self, state: State, hours: int) -> datetime | None:
        """When it came to a state, by its number; None where it never did."""
        reached = ("waiting", "paid", "shipped", "delivered")
        if self.state in ("unfinished", "cancelled") or state not in reached:
            return None
        now = "delivered" if self.state == "refunded" else self.state
        if reached.index(now) < reached.index(state):
            return None
        after = timedelta(hours=hours * reached.index(state), minutes=self.number % 60)
        return min(self.at + after, datetime(LAST.year, LAST.month, LAST.day, 23, 59, 59))


def in_utc(moment: datetime) -> datetime:
    """A moment by the shop's clock, in UTC."""
    return moment - AHEAD


@dataclass(frozen=True)
class History:
    """People, goods and orders; orders by time."""

    people: Sequence[Person]
    goods: Sequence[Good]
    orders: Sequence[Order]


def happened(seed: str, *, orders: int = 90, people: int = 26, guests: int = 6) -> History:
    """A history of its seed: with days without any order, nights, whole months, and one who buys most."""
    dice = random.Random(seed)
    goods = [
        Good(n, f"SKU-{n:03}", name, category, Decimal(price))
        for n, (name, category, price) in enumerate(_GOODS, 1)
    ]
    persons = [
        Person(
            n,
            dice.choice(_FIRST_NAMES),
            dice.choice(_LAST_NAMES),
            f"person{n}@example.{dice.choice(('com', 'org', 'kr'))}",
            _moment(dice, FIRST - timedelta(days=200), 230),
            n > people - guests,
        )
        for n in range(1, people + 1)
    ]
    idle = {FIRST + timedelta(days=n) for n in dice.sample(range((LAST - FIRST).days), 9)}
    moments: list[datetime] = [datetime(2026, 9, 1, 0, 0, 1), datetime(2026, 11, 14, 23, 59, 59)]
    while len(moments) < orders:
        moment = _moment(dice, FIRST, (LAST - FIRST).days + 1)
        if moment.date() not in idle:
            moments.append(moment)
    return History(
        persons,
        goods,
        [_order(dice, n, at, persons, goods) for n, at in enumerate(sorted(moments), 1)],
    )


def _moment(dice: random.Random, first: date, days: int) -> datetime:
    begin = datetime(first.year, first.month, first.day)
    return begin + timedelta(days=dice.randrange(days), seconds=dice.randrange(86400))


def _order(
    dice: random.Random, number: int, at: datetime, people: Sequence[Person], goods: Sequence[Good]
) -> Order:
    # The first of the people come again and again; the last good is never bought.
    person = people[min(dice.randrange(len(people)), dice.randrange(len(people)))]
    kinds = dice.sample(goods[:-1], dice.choice((1, 1, 1, 2, 2, 3)))
    lines = [Line(good, dice.choice((1, 1, 1, 2, 3, 10))) for good in kinds]
    (state,) = dice.choices([*STATES], [*STATES.values()])
    shipping = Decimal(dice.choice(("0", "4.90", "4.90", "12.00")))
    discount = Decimal(dice.choice(("0", "0", "0", "0.50")))
    return Order(number, at, person, state, lines, shipping, discount)
