"""Who buys: accounts by the day they were opened, what changes in them, their rows. No orders.

Customer ids rise with the day of signing up. A part of those who sign up on a day come back, a few
of them often. Names and addresses are Faker's, asked once a person; the rest is NumPy's.
"""

from __future__ import annotations

from functools import lru_cache
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from orderhe_dagster.shop.calendar import MEMORY_DAYS, Calendar, instants
from orderhe_dagster.shop.draws import Floats, Ints, Keys, Table, keys, uniform, whole
from orderhe_dagster.shop.words import KOREAN_MAIL_NAMES, MAIL_DOMAINS

if TYPE_CHECKING:
    import pyarrow as pa

NEVER = np.int64(2**62)
"""The day, or the instant, of what does not happen."""

_ASKING = Lock()  # Faker's generators have a state: one person at a time, whatever the thread
_KOREAN_SHARE = 0.86
_RETURNING_SHARE = 0.45
_FIRST_ORDER_SHARE = 0.85
# How long ago somebody who comes back signed up: many are new, the rest stay for years.
_AGES = Table(
    0.40 * np.exp(-np.arange(MEMORY_DAYS) / 45.0) / 45.0
    + 0.60 * np.exp(-np.arange(MEMORY_DAYS) / 420.0) / 420.0
)
# Busy at lunch and late in the evening: the weight of each hour of the local day.
_MORNING = (3.0, 1.6, 0.9, 0.6, 0.5, 0.7, 1.3, 2.5, 4.0, 5.3, 6.2, 6.4)
_AFTERNOON = (6.8, 5.9, 5.2, 5.1, 5.0, 5.0, 5.2, 5.9, 7.1, 8.2, 7.4, 5.2)
HOURS = Table([*_MORNING, *_AFTERNOON])


class _Person(NamedTuple):
    """What Faker says of a person: the e-mail's local part has no number yet."""

    name: str
    handle: str
    city: str
    address: str
    next_city: str
    next_address: str


@lru_cache(maxsize=4)
def _faker(locale: str, weighted: bool = False) -> Any:
    from faker import Factory

    # Only what is asked for is loaded; an even choice is several times cheaper than a weighted one.
    providers = ["faker.providers.person", "faker.providers.address"]
    return Factory.create(locale, providers, use_weighting=weighted)


def _korean_name(fake: Any) -> tuple[str, str]:
    weighted = _faker("ko_KR", weighted=True)  # one in ten is a Kim
    weighted.random = fake.random
    family = weighted.last_name()
    return family + fake.first_name(), KOREAN_MAIL_NAMES.get(family, "user")


def _korean_place(fake: Any) -> tuple[str, str]:
    chance = fake.random.random
    if chance() < 0.55:
        city, part = fake.metropolitan_city(), fake.borough()
    else:
        city, part = fake.province(), fake.city()
    address = f"{city} {part} {fake.road_name()}{fake.road_suffix()} {1 + int(chance() * 180)}"
    if chance() < 0.5:
        address += (
            f", {101 + int(chance() * 30)}동 {1 + int(chance() * 25)}0{1 + int(chance() * 6)}호"
        )
    return city, address


def _american_name(fake: Any) -> tuple[str, str]:
    name = f"{fake.first_name()} {fake.last_name()}"
    return name, name.replace(" ", ".").lower()


def _american_place(fake: Any) -> tuple[str, str]:
    city = fake.city()
    line = f"{fake.building_number()} {fake.street_name()}"
    return city, f"{line}\n{city}, {fake.state_abbr()} {fake.postcode()}"


@lru_cache(maxsize=1 << 16)
def _person(key: int, korean: bool, moves: bool) -> _Person:
    with _ASKING:
        fake = _faker("ko_KR" if korean else "en_US")
        fake.seed_instance(key)
        name, handle = (_korean_name if korean else _american_name)(fake)
        place = _korean_place if korean else _american_place
        city, address = place(fake)
        next_city, next_address = place(fake) if moves else (city, address)
    return _Person(name, handle, city, address, next_city, next_address)


class People:
    """The customers of one shop."""

    def __init__(self, seed: int, calendar: Calendar, time_zone: str) -> None:
        self._seed, self._calendar, self._time_zone = seed, calendar, time_zone

    def joined(self, days: Ints) -> Ints:
        """Everybody who signed up on these days, sorted."""
        at = self._calendar.at(days)
        count = self._calendar.signups[at]
        first = np.repeat(self._calendar.first_customer[at], count)
        return first + np.arange(len(first)) - np.repeat(np.cumsum(count) - count, count)

    def first_orders(self, days: Ints) -> Ints:
        """How many of those who sign up on each day order on that day: the first of them by id."""
        at = self._calendar.at(days)
        wish = np.rint(self._calendar.signups[at] * _FIRST_ORDER_SHARE).astype(np.int64)
        result: Ints = np.minimum(wish, self._calendar.orders[at])
        return result

    def returning(self, days: Ints, random: Keys) -> Ints:
        """For each key a customer who signed up before that key's day and comes back on it."""
        then = self._calendar.at(days) - 1 - _AGES.pick(uniform(random, "age"))
        signups = self._calendar.signups[then]
        chance = uniform(random, "loyalty")
        # The square favours the loyal few; turning the list hides who they are.
        rank = (chance * chance * _RETURNING_SHARE * signups).astype(np.int64)
        place = (rank + then * 7) % np.maximum(signups, 1)
        latest = self._calendar.first_customer[self._calendar.at(days)] - 1
        result: Ints = np.minimum(self._calendar.first_customer[then] + place, latest)
        return result

    def signup_day(self, customers: Ints) -> Ints:
        """Tell the day each account was opened."""
        first = self._calendar.first_customer
        return (
            np.searchsorted(first, customers, side="right").astype(np.int64)
            - 1
            + self._calendar.start
        )

    def signup_fraction(self, customers: Ints) -> Floats:
        """How far into that day it was opened, in [0, 1)."""
        random = keys(self._seed, "customer", customers)
        result: Floats = HOURS.position(uniform(random, "signup time")) / 24.0
        return result

    def changes(self, customers: Ints) -> tuple[Ints, Ints]:
        """Tell the days on which each moves house and flips the newsletter switch, or NEVER."""
        random = keys(self._seed, "customer", customers)
        signup = self.signup_day(customers)
        moves = signup + whole(random, "move after", 40, 2400)
        switches = signup + whole(random, "switch after", 5, 900)
        return (
            np.where(uniform(random, "moves") < 0.15, moves, NEVER),
            np.where(uniform(random, "switches") < 0.22, switches, NEVER),
        )

    def rows(self, customers: Ints, clock: int) -> pa.Table:
        """Make the contract's rows of these customers at the end of day `clock`, columns in its order."""
        import pyarrow as pa

        random = keys(self._seed, "customer", customers)
        korean = uniform(random, "locale") < _KOREAN_SHARE
        signup = self.signup_day(customers)
        moves, switches = self.changes(customers)
        moved, switched = moves <= clock, switches <= clock
        persons = [
            _person(*each)
            for each in zip(random.tolist(), korean.tolist(), (moves < NEVER).tolist(), strict=True)
        ]
        created = instants(signup, self.signup_fraction(customers), self._time_zone)
        hour = HOURS.position(uniform(random, "change time")) / 24.0
        latest = np.maximum(np.where(moved, moves, signup), np.where(switched, switches, signup))
        updated = np.where(latest > signup, instants(latest, hour, self._time_zone), created)
        domain = whole(random, "mail", 0, len(MAIL_DOMAINS) - 1).tolist()
        numbers = customers.tolist()
        birth = signup - whole(random, "age", 15 * 365, 75 * 365)
        texts = zip(persons, moved.tolist(), strict=True)
        places = [
            (each.next_city, each.next_address) if gone else (each.city, each.address)
            for each, gone in texts
        ]
        return pa.table(
            {
                "customer_id": pa.array(customers, pa.int32()),
                "full_name": pa.array([each.name for each in persons], pa.string()),
                "email": pa.array(
                    [
                        f"{each.handle}.{number}@{MAIL_DOMAINS[index]}"
                        for each, number, index in zip(persons, numbers, domain, strict=True)
                    ],
                    pa.string(),
                ),
                "phone": pa.array(
                    [
                        f"010-{first}-{last}"
                        for first, last in zip(
                            whole(random, "phone 1", 2000, 9999).tolist(),
                            whole(random, "phone 2", 1000, 9999).tolist(),
                            strict=True,
                        )
                    ],
                    pa.string(),
                    mask=uniform(random, "phone") < 0.06,
                ),
                "birth_date": pa.array(
                    birth.astype(np.int32), pa.date32(), mask=uniform(random, "birth") < 0.25
                ),
                "locale": pa.array(np.where(korean, "ko_KR", "en_US").tolist(), pa.string()),
                "city": pa.array([city for city, _ in places], pa.string()),
                "address": pa.array([address for _, address in places], pa.string()),
                "signup_date": pa.array(signup.astype(np.int32), pa.date32()),
                "accepts_marketing": pa.array(
                    ((uniform(random, "marketing") < 0.4) != switched).astype(np.int8), pa.int8()
                ),
                "created_at": pa.array(created, pa.timestamp("us")),
                "updated_at": pa.array(updated, pa.timestamp("us")),
            }
        )
