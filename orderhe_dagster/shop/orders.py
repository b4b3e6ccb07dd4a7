"""What happens to the orders of a day, from first to last, and what is visible of it at a clock.

The facts of a day are fixed once and for all by the seed and the day; the clock only decides how
much of them shows. No customer's or product's row is made here.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from orderhe_dagster.shop.assortment import Assortment
from orderhe_dagster.shop.calendar import Calendar, date_of, instants, midnight
from orderhe_dagster.shop.draws import Floats, Ints, Keys, Table, keys, uniform, whole
from orderhe_dagster.shop.people import HOURS, NEVER, People
from orderhe_dagster.shop.words import NOTES

if TYPE_CHECKING:
    import pyarrow as pa
    from numpy.typing import NDArray

CHANNELS = ("web", "app", "phone")
STATUSES = ("paid", "shipped", "delivered", "cancelled", "returned")

# The longest that each step may take, in days.
_CANCEL_DAYS, _SHIP_DAYS, _DELIVER_DAYS, _RETURN_DAYS = 2, 4, 4, 14
_LATE_DAYS, _DELETE_DAYS = 6, 25
HORIZON_DAYS = max(_SHIP_DAYS + _DELIVER_DAYS + _RETURN_DAYS, _LATE_DAYS, _DELETE_DAYS)
"""Nothing changes in an order later than this many days after its order date."""

MOST_ORDERS_A_DAY = 999_999

_QUANTITIES = (1, 2, 3, 4, 5, 6, 8, 10, 12, 20)
_QUANTITY = Table([0.68, 0.17, 0.06, 0.03, 0.02, 0.015, 0.01, 0.01, 0.004, 0.001])
_DEAR_WON = 150_000  # of what costs more nobody buys a dozen
_CHANNEL = Table([0.37, 0.55, 0.08])
_SHIP_AFTER = Table([0.62, 0.26, 0.09, 0.03])
_DELIVER_AFTER = Table([0.66, 0.24, 0.07, 0.03])
_NOTE_SHARE = 0.32
_NOTE_NUMBERS = 40


@dataclass(frozen=True)
class OrderFacts:
    """The orders of some days, one an element. Days since 1970-01-01; instants in UTC microseconds.

    An event that does not happen stands at NEVER. `entered_at` is when the row came to be: later
    than `created_at` for orders that arrive late. `note` is an index into `note_texts()`, -1: none.
    """

    order_id: Ints
    day: Ints
    customer_id: Ints
    product_id: Ints
    quantity: Ints
    unit_price: Ints
    channel: Ints
    note: Ints
    created_at: Ints
    entered_at: Ints
    shipped_at: Ints
    delivered_at: Ints
    returned_at: Ints
    cancelled_at: Ints
    deleted_at: Ints

    def __len__(self) -> int:
        return len(self.order_id)

    def where(self, kept: NDArray[np.bool_]) -> OrderFacts:
        """Keep the orders for which `kept` is true."""
        return OrderFacts(*(getattr(self, each.name)[kept] for each in fields(self)))


@dataclass(frozen=True)
class World:
    """What the orders of one shop are drawn from."""

    seed: int
    calendar: Calendar
    people: People
    assortment: Assortment
    time_zone: str


def order_facts(world: World, days: Ints) -> OrderFacts:
    """Draw all that ever happens to the orders of these days (sorted, each once), by order_id."""
    calendar, people, time_zone = world.calendar, world.people, world.time_zone
    count = calendar.orders[calendar.at(days)]
    if len(count) and count.max() > MOST_ORDERS_A_DAY:
        busiest = date_of(int(days[count.argmax()]))
        raise ValueError(f"{busiest} has {count.max()} orders: choose a smaller scale")
    day = np.repeat(days, count)
    number = np.arange(len(day)) - np.repeat(np.cumsum(count) - count, count)
    random = keys(world.seed, "order", day, number)
    newcomer = number < np.repeat(people.first_orders(days), count)
    customer = people.returning(day, random)
    joined = calendar.first_customer[calendar.at(day)] + number
    customer[newcomer] = joined[newcomer]
    moment = HOURS.position(uniform(random, "time")) / 24.0
    # Nobody orders before the account is opened.
    opened = people.signup_fraction(joined[newcomer])
    moment[newcomer] = opened + (1.0 - opened) * 0.5 * uniform(random[newcomer], "soon")
    created = instants(day, moment, time_zone)
    # Numbers rise with the time of the day: created_at orders days and moments alike.
    order = np.argsort(created, kind="stable")
    random, customer, created, moment = (
        random[order],
        customer[order],
        created[order],
        moment[order],
    )
    product = world.assortment.sold(day, uniform(random, "product"))
    unit_price = world.assortment.price(product, day)
    quantity = np.array(_QUANTITIES)[_QUANTITY.pick(uniform(random, "quantity"))]
    channel = _CHANNEL.pick(uniform(random, "channel"))
    note = whole(random, "note text", 0, len(NOTES) * _NOTE_NUMBERS - 1)
    return OrderFacts(
        order_id=_order_ids(days, count, number),
        day=day,
        customer_id=customer,
        product_id=product,
        quantity=np.where(unit_price < _DEAR_WON, quantity, np.minimum(quantity, 2)),
        unit_price=unit_price,
        channel=channel,
        note=np.where(uniform(random, "note") < _NOTE_SHARE, note, -1),
        created_at=created,
        **_fate(_Placed(random, day, moment, created, channel), time_zone),
    )


def _order_ids(days: Ints, count: Ints, number: Ints) -> Ints:
    """Put the date and a number within it together: 20261121000001 is the first order of 2026-11-21."""
    stamps = [int(date_of(day).strftime("%Y%m%d")) * 1_000_000 for day in days.tolist()]
    return np.repeat(np.array(stamps, dtype=np.int64), count) + number + 1


class _Placed(NamedTuple):
    random: Keys
    day: Ints
    moment: Floats  # how far into the day, in [0, 1)
    created: Ints
    channel: Ints


def _fate(placed: _Placed, time_zone: str) -> dict[str, Ints]:
    """Draw the instants of all that happens after an order was placed."""
    random, day, moment, created, channel = placed

    def at(chosen: NDArray[np.bool_], days: Ints, stream: str, opens: float, closes: float) -> Ints:
        result = np.full(len(days), NEVER, dtype=np.int64)
        moments = opens / 24.0 + uniform(random[chosen], stream) * ((closes - opens) / 24.0)
        result[chosen] = instants(days[chosen], moments, time_zone)
        return result

    cancels = uniform(random, "cancels") < 0.045
    cancel_after = whole(random, "cancel after", 0, _CANCEL_DAYS)
    cancelled = at(cancels, day + cancel_after, "cancel time", 0, 24)
    at_once = cancels & (cancel_after == 0)
    rest = moment[at_once] + (1.0 - moment[at_once]) * uniform(random[at_once], "cancel time")
    cancelled[at_once] = np.maximum(instants(day[at_once], rest, time_zone), created[at_once])
    ships = day + 1 + _SHIP_AFTER.pick(uniform(random, "ship after"))
    arrives = ships + 1 + _DELIVER_AFTER.pick(uniform(random, "deliver after"))
    returns = ~cancels & (uniform(random, "returns") < 0.038)
    back = arrives + whole(random, "return after", 1, _RETURN_DAYS)
    late = uniform(random, "late") < np.where(channel == CHANNELS.index("phone"), 0.12, 0.003)
    deleted = uniform(random, "deleted") < 0.002
    entry = at(late, day + whole(random, "late by", 1, _LATE_DAYS), "late time", 8, 20)
    return {
        "entered_at": np.where(late, entry, created),
        "shipped_at": at(~cancels, ships, "ship time", 8, 19),
        "delivered_at": at(~cancels, arrives, "deliver time", 8, 22),
        "returned_at": at(returns, back, "return time", 8, 20),
        "cancelled_at": cancelled,
        "deleted_at": at(deleted, day + whole(random, "delete after", 1, _DELETE_DAYS), "d", 3, 4),
    }


@lru_cache(maxsize=1)
def note_texts() -> tuple[str, ...]:
    """Every delivery note there is; `OrderFacts.note` is an index into it."""
    return tuple(
        text.replace("{n}", str(number * 37 % 900 + 100))
        for text in NOTES
        for number in range(_NOTE_NUMBERS)
    )


@dataclass(frozen=True)
class Visible:
    """What shows of some orders at a clock: is the row there, its status, its last change."""

    present: NDArray[np.bool_]
    status: Ints
    updated_at: Ints


def visible(facts: OrderFacts, clock: int, time_zone: str) -> Visible:
    """Tell what shows at the end of day `clock`."""
    end = midnight(clock + 1, time_zone)
    status = np.zeros(len(facts), dtype=np.int64)
    updated = facts.entered_at.copy()
    # In the order of events: a later one hides the ones before.
    for name in STATUSES[1:]:
        event = getattr(facts, f"{name}_at")
        happened = event < end
        status[happened] = STATUSES.index(name)
        np.maximum(updated, event, out=updated, where=happened)
    return Visible((facts.entered_at < end) & (facts.deleted_at >= end), status, updated)


def order_rows(facts: OrderFacts, clock: int, time_zone: str) -> pa.Table:
    """Make the contract's rows that show at the end of day `clock`, columns in its order."""
    import pyarrow as pa

    seen = visible(facts, clock, time_zone)
    kept = facts.where(seen.present)

    def text(options: Any, index: Ints) -> pa.Array:
        return pa.array(options, pa.string()).take(pa.array(index, mask=index < 0))

    return pa.table(
        {
            "order_id": pa.array(kept.order_id),
            "customer_id": pa.array(kept.customer_id.astype(np.int32)),
            "product_id": pa.array(kept.product_id.astype(np.int32)),
            "order_date": pa.array(kept.day.astype(np.int32), pa.date32()),
            "quantity": pa.array(kept.quantity.astype(np.int16)),
            "unit_price": pa.array(kept.unit_price.astype(np.int32)),
            "amount": pa.array((kept.quantity * kept.unit_price).astype(np.int32)),
            "status": text(STATUSES, seen.status[seen.present]),
            "channel": text(CHANNELS, kept.channel),
            "delivery_note": text(note_texts(), kept.note),
            "created_at": pa.array(kept.created_at, pa.timestamp("us")),
            "updated_at": pa.array(seen.updated_at[seen.present], pa.timestamp("us")),
        }
    )
