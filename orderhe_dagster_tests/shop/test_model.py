"""The state of the shop at a clock: what shows, when, and that nothing but seed, day and clock matters."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orderhe_dagster.shop.calendar import number_of
from orderhe_dagster.shop.model import HORIZON_DAYS, Shop
from orderhe_dagster.shop.orders import STATUSES, OrderFacts, visible

START = date(2026, 9, 1)
DAYS = [START + timedelta(days=number) for number in range(60)]
END = DAYS[-1]
SETTLED = END + timedelta(days=HORIZON_DAYS)
SHOP = Shop(seed=5, scale=1.0)
SMALL = Shop(seed=5, scale=0.03)


@pytest.fixture(scope="module")
def facts() -> OrderFacts:
    return SHOP.facts(DAYS)


@pytest.fixture(scope="module")
def settled(facts: OrderFacts) -> pa.Table:
    return SHOP.orders(DAYS, SETTLED, facts)


def test_the_columns_are_the_contracts(settled: pa.Table) -> None:
    assert settled.column_names == [
        "order_id",
        "customer_id",
        "product_id",
        "order_date",
        "quantity",
        "unit_price",
        "amount",
        "status",
        "channel",
        "delivery_note",
        "created_at",
        "updated_at",
    ]
    required = [name for name in settled.column_names if name != "delivery_note"]
    assert all(settled.column(name).null_count == 0 for name in required)


@given(st.sets(st.integers(0, 59), min_size=1, max_size=8), st.integers(0, 90))
@settings(max_examples=25, deadline=None)
def test_a_day_is_the_same_alone_and_among_others(numbers: set[int], later: int) -> None:
    days = [DAYS[number] for number in numbers]
    clock = max(days) + timedelta(days=later)
    together = SMALL.orders(days, clock)
    alone = pa.concat_tables([SMALL.orders([day], clock) for day in sorted(days)])
    assert together.equals(alone)


def test_order_of_days_and_repetition_do_not_matter() -> None:
    assert SMALL.orders(DAYS[::-1] + DAYS[:5], END).equals(SMALL.orders(DAYS, END))


def test_a_fresh_shop_of_the_same_seed_is_the_same_and_of_another_is_not() -> None:
    same, other = Shop(seed=5, scale=0.03), Shop(seed=6, scale=0.03)
    ids = SMALL.customer_ids(DAYS)
    assert same.orders(DAYS, END).equals(SMALL.orders(DAYS, END))
    assert same.customers(ids, END).equals(SMALL.customers(ids, END))
    assert not other.orders(DAYS, END).equals(SMALL.orders(DAYS, END))


def test_order_ids_are_unique_and_rise_with_time(facts: OrderFacts) -> None:
    assert np.all(np.diff(facts.order_id) > 0)
    assert np.all(np.diff(facts.created_at) >= 0)
    assert facts.order_id[0] == 20260901_000001


def test_amounts_are_quantity_times_price(settled: pa.Table) -> None:
    columns = {
        name: settled.column(name).to_numpy() for name in ("quantity", "unit_price", "amount")
    }
    product = columns["quantity"].astype(np.int64) * columns["unit_price"]
    assert np.array_equal(product, columns["amount"])
    assert columns["quantity"].min() >= 1
    assert columns["unit_price"].min() >= 10


@pytest.mark.parametrize("time_zone", ["Asia/Seoul", "America/New_York", "UTC"])
def test_created_at_lies_in_the_local_day(time_zone: str) -> None:
    days = [date(2026, 11, 1), date(2026, 3, 8)]  # the clocks change in New York
    shop = Shop(seed=5, scale=0.3, time_zone=time_zone)
    for row in shop.orders(days, END + timedelta(days=60)).to_pylist():
        instant = row["created_at"].replace(tzinfo=timezone.utc)
        assert instant.astimezone(ZoneInfo(time_zone)).date() == row["order_date"]


def test_nothing_shows_before_it_happens(facts: OrderFacts) -> None:
    for clock in (START, START + timedelta(days=9), END):
        end = datetime.combine(
            clock + timedelta(days=1), datetime.min.time(), ZoneInfo("Asia/Seoul")
        )
        rows = SHOP.orders([day for day in DAYS if day <= clock], clock)
        latest = max(rows.column("updated_at").to_pylist()).replace(tzinfo=timezone.utc)
        assert latest < end


def test_status_only_moves_forward_and_takes_updated_at_along(facts: OrderFacts) -> None:
    allowed = {
        "paid": {"paid", "shipped", "delivered", "cancelled", "returned"},
        "shipped": {"shipped", "delivered", "returned"},
        "delivered": {"delivered", "returned"},
        "cancelled": {"cancelled"},
        "returned": {"returned"},
    }
    before = visible(facts, number_of(START), "Asia/Seoul")
    seen = set()
    for step in range(1, len(DAYS) + HORIZON_DAYS):
        after = visible(facts, number_of(START) + step, "Asia/Seoul")
        both = before.present & after.present
        pairs = set(zip(before.status[both].tolist(), after.status[both].tolist(), strict=True))
        seen |= {(STATUSES[old], STATUSES[new]) for old, new in pairs}
        moved = both & (before.status != after.status)
        assert np.all(after.updated_at[moved] > before.updated_at[moved])
        assert np.array_equal(after.updated_at[both & ~moved], before.updated_at[both & ~moved])
        before = after
    assert all(new in allowed[old] for old, new in seen)
    assert {("paid", "shipped"), ("shipped", "delivered"), ("delivered", "returned")} <= seen
    assert ("paid", "cancelled") in seen


def test_all_statuses_and_channels_occur(settled: pa.Table) -> None:
    assert set(settled.column("status").to_pylist()) == {"delivered", "cancelled", "returned"}
    assert set(SHOP.orders(DAYS, END).column("status").to_pylist()) == set(STATUSES)
    assert set(settled.column("channel").to_pylist()) == {"web", "app", "phone"}


def test_late_orders_come_days_after_their_date(facts: OrderFacts) -> None:
    late = facts.entered_at > facts.created_at
    assert 0.002 < late.mean() < 0.03
    at_once = visible(facts, number_of(START), "Asia/Seoul")
    first_day = facts.day == number_of(START)
    assert not at_once.present[late & first_day].any()
    week_later = visible(facts, number_of(START) + 7, "Asia/Seoul")
    kept = late & first_day & ~(facts.deleted_at < 2**62)
    assert kept.any()
    assert week_later.present[kept].all()
    assert np.all(week_later.updated_at[kept] >= facts.entered_at[kept])


def test_a_few_orders_are_deleted_and_stay_so(facts: OrderFacts) -> None:
    gone = facts.deleted_at < 2**62
    assert 0.0005 < gone.mean() < 0.005
    ids = set(SHOP.orders(DAYS, SETTLED, facts).column("order_id").to_pylist())
    assert not ids & set(facts.order_id[gone].tolist())
    shown = visible(facts, int(facts.day[gone][0]), "Asia/Seoul")
    assert shown.present[gone][0] or facts.entered_at[gone][0] > facts.created_at[gone][0]


def test_nothing_changes_after_the_horizon(facts: OrderFacts) -> None:
    rows = SHOP.orders(DAYS, SETTLED, facts)
    assert rows.equals(SHOP.orders(DAYS, SETTLED + timedelta(days=400), facts))
    assert not rows.equals(SHOP.orders(DAYS, END, facts))


def test_changed_orders_carry_one_clock_to_the_next() -> None:
    days = DAYS[:30]
    old, new = days[-1], days[-1] + timedelta(days=3)
    gone, fresh = SHOP.changed_orders(days, old, new)
    rows = {row["order_id"]: row for row in SHOP.orders(days, old).to_pylist()}
    for number in gone.tolist():
        del rows[number]
    rows |= {row["order_id"]: row for row in fresh.to_pylist()}
    assert [rows[number] for number in sorted(rows)] == SHOP.orders(days, new).to_pylist()
    assert 0 < len(gone) < len(rows) / 2


def test_texts_are_awkward(settled: pa.Table) -> None:
    notes = settled.column("delivery_note")
    assert 0.6 < notes.null_count / len(notes) < 0.75
    texts = set(notes.to_pylist()) - {None}
    for wanted in ("🔔", "문", "'", '"', "\n", "\r\n", "\t", "\\", "❤️‍🔥"):
        assert any(wanted in text for text in texts), wanted
    assert "" in texts
    assert max(map(len, texts)) == 500
    assert max(len(text.encode()) for text in texts) == 2000


@pytest.mark.parametrize(("argument", "value"), [("scale", 0.0), ("scale", 1e6), ("seed", 2**63)])
def test_a_shop_beyond_its_bounds_is_refused(argument: str, value: float) -> None:
    with pytest.raises(ValueError, match=f"{argument} .*choose"):
        Shop(**{argument: value})  # type: ignore[arg-type]


def test_a_day_with_more_orders_than_numbers_is_refused() -> None:
    with pytest.raises(ValueError, match=r"2026-11-11 has .* orders: choose a smaller scale"):
        _crowded().facts([date(2026, 11, 11)])


def _crowded() -> Shop:
    shop = Shop(scale=1.0)
    shop._calendar.orders[number_of(date(2026, 11, 11)) - shop._calendar.start] = 1_000_000
    return shop


def test_no_days_are_no_rows() -> None:
    assert SHOP.orders([], END).num_rows == 0
    assert len(SHOP.customer_ids([])) == 0
    assert len(SHOP.product_ids([])) == 0
    assert SHOP.customers(np.zeros(0, dtype=np.int64), END).num_rows == 0
    assert SHOP.products(np.zeros(0, dtype=np.int64), END).num_rows == 0


def test_the_smallest_shop_on_its_first_day_has_customers() -> None:
    shop = Shop(scale=0.001)
    days = [date(2000, 1, 1) + timedelta(days=number) for number in range(60)]
    facts = shop.facts(days)
    assert len(facts) > 0
    assert shop.customers(shop.customer_ids(days), days[-1]).num_rows > 0
