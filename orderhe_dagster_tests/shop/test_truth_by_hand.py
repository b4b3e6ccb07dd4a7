"""The truth ledger on shops so small that the answers are written out by hand."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import pytest

from orderhe_dagster.shop import truth
from orderhe_dagster_tests.shop.by_hand import SIGNUP, HandMadeShop, Order, days_of

FEB = date(2026, 2, 1)


def feb(day: int) -> date:
    """A day of February 2026, or of the months around it."""
    return FEB + timedelta(days=day - 1)


def values(rows: list[dict[str, Any]], *names: str) -> list[tuple[Any, ...]]:
    """The rows as tuples, without their names; of some columns, or of all."""
    return [tuple(row[name] for name in names or row) for row in rows]


SALES = HandMadeShop(
    [
        (feb(0), 1, 10, 1, 1_000, "cancelled"),
        (feb(1), 1, 10, 2, 1_000, "delivered"),
        (feb(1), 1, 11, 1, 501, "paid"),
        (feb(1), 2, 11, 3, 500, "returned"),
        (feb(2), 2, 10, 1, 70, "cancelled"),
        (feb(2), 3, 10, 9, 999, "deleted"),
        (feb(28), 2, 12, 1, 400, "shipped"),
    ]
)


def test_a_month_has_its_days_customers_and_amounts() -> None:
    assert truth.monthly_sales(SALES, days_of(SALES)) == [
        {
            "order_month": date(2026, 1, 1),
            "day_count": 1,
            "order_count": 1,
            "customer_count": 1,
            "units_sold": 1,
            "gross_amount": 1_000,
            "cancelled_amount": 1_000,
            "returned_amount": 0,
            "net_amount": 0,
            "average_order_amount": None,
        },
        {
            "order_month": date(2026, 2, 1),
            "day_count": 3,
            "order_count": 5,
            "customer_count": 2,
            "units_sold": 8,
            "gross_amount": 4_471,
            "cancelled_amount": 70,
            "returned_amount": 1_500,
            "net_amount": 2_901,
            "average_order_amount": 967,
        },
    ]


@pytest.mark.parametrize(("prices", "average"), [((1, 2), 2), ((1, 1, 2), 1), ((1, 2, 2), 2)])
def test_an_average_is_rounded_half_up(prices: tuple[int, ...], average: int) -> None:
    shop = HandMadeShop((feb(3), 1, 10, 1, price, "paid") for price in prices)
    (month,) = truth.monthly_sales(shop, [feb(3)])
    assert month["average_order_amount"] == average


def test_a_category_is_counted_by_day() -> None:
    found = truth.category_sales(SALES, days_of(SALES))
    assert ", ".join(found[0]) == (
        "order_date, category, order_count, customer_count, units_sold, gross_amount, net_amount"
    )
    assert values(found) == [
        (feb(0), "Even", 1, 1, 1, 1_000, 0),
        (feb(1), "Even", 1, 1, 2, 2_000, 2_000),
        (feb(1), "Odd", 2, 2, 4, 2_001, 501),
        (feb(2), "Even", 1, 1, 1, 70, 0),
        (feb(28), "Even", 1, 1, 1, 400, 400),
    ]


def test_the_funnel_counts_how_far_the_orders_have_come() -> None:
    statuses = ["paid", "paid", "shipped", "delivered", "delivered", "returned", "cancelled"]
    shop = HandMadeShop([(feb(9), 1, 10, 1, 5, status) for status in [*statuses, "deleted"]])
    assert truth.order_funnel(shop, [feb(9)]) == [
        {
            "order_date": feb(9),
            "placed_count": 7,
            "waiting_count": 2,
            "shipped_count": 4,
            "delivered_count": 3,
            "returned_count": 1,
            "cancelled_count": 1,
        }
    ]


def test_a_customer_is_new_on_the_day_of_the_first_kept_order() -> None:
    shop = HandMadeShop(
        [
            (feb(1), 1, 10, 1, 5, "cancelled"),  # not yet a customer
            (feb(2), 1, 10, 1, 5, "paid"),
            (feb(2), 1, 10, 1, 5, "paid"),
            (feb(2), 2, 10, 1, 5, "paid"),
            (feb(3), 1, 10, 1, 5, "paid"),
            (feb(3), 1, 10, 1, 5, "returned"),
            (feb(3), 2, 10, 1, 5, "paid"),
            (feb(3), 2, 10, 1, 5, "paid"),
            (feb(3), 3, 10, 1, 5, "paid"),
            (feb(4), 4, 10, 1, 5, "cancelled"),
        ]
    )
    found = truth.daily_customers(shop, days_of(shop))
    assert ", ".join(found[0]) == (
        "order_date, new_customer_count, returning_customer_count, first_order_count,"
        " repeat_order_count"
    )
    assert values(found) == [(feb(2), 2, 0, 3, 0), (feb(3), 1, 2, 1, 3)]


def test_a_customer_is_scored_among_those_who_bought() -> None:
    shop = HandMadeShop(
        [
            (feb(1), 1, 10, 1, 700, "paid"),
            (feb(2), 2, 10, 1, 100, "delivered"),
            (feb(3), 3, 10, 1, 100, "paid"),
            (feb(5), 2, 10, 1, 300, "paid"),
            (feb(5), 4, 10, 1, 50, "paid"),
            (feb(6), 5, 10, 1, 999, "returned"),
        ],
        customers=[9],
    )
    found = truth.customer_value(shop, days_of(shop))
    assert ", ".join(found[0]) == (
        "customer_id, signup_date, first_order_date, last_order_date, recency_days, frequency,"
        " monetary_amount, recency_score, frequency_score, monetary_score, segment"
    )
    none = (SIGNUP, None, None, None, 0, 0, None, None, None, "prospect")
    # Four have bought: ranks 1, 2, 3, 4 are scores 1, 2, 3, 4.
    assert values(found) == [
        (1, SIGNUP, feb(1), feb(1), 5, 1, 700, 1, 1, 4, "lost"),
        (2, SIGNUP, feb(2), feb(5), 1, 2, 400, 3, 4, 3, "loyal"),
        (3, SIGNUP, feb(3), feb(3), 3, 1, 100, 2, 1, 2, "sleeping"),
        (4, SIGNUP, feb(5), feb(5), 1, 1, 50, 3, 1, 1, "promising"),
        (5, *none),
        (9, *none),
    ]


def ladder(visits: dict[int, int]) -> HandMadeShop:
    """Five customers whose recency scores are their numbers; each with so many orders on that day."""
    return HandMadeShop(
        (feb(number), number, 10, 1, 5, "paid")
        for number, orders in visits.items()
        for _ in range(orders)
    )


@pytest.mark.parametrize(
    ("visits", "segments"),
    [
        ({1: 1, 2: 1, 3: 1, 4: 1, 5: 1}, ["lost", "sleeping", "promising", "new", "new"]),
        ({1: 5, 2: 4, 3: 3, 4: 2, 5: 1}, ["at_risk", "at_risk", "promising", "promising", "new"]),
        ({1: 2, 2: 1, 3: 5, 4: 4, 5: 3}, ["lost", "sleeping", "loyal", "champion", "promising"]),
    ],
)
def test_a_segment_is_the_first_that_holds(visits: dict[int, int], segments: list[str]) -> None:
    shop = ladder(visits)
    found = truth.customer_value(shop, days_of(shop))
    assert [row["recency_score"] for row in found] == [1, 2, 3, 4, 5]
    assert [row["segment"] for row in found] == segments


def test_a_segment_adds_up_its_customers() -> None:
    shop = ladder({1: 1, 2: 1, 3: 1, 4: 1, 5: 2, 6: 1})
    shop.accounts.update((70, 71))
    found = truth.customer_segments(shop, days_of(shop))
    assert ", ".join(found[0]) == (
        "segment, customer_count, order_count, net_amount, average_recency_days"
    )
    # Recency scores 1, 1, 2, 3, 4, 5; who ordered twice has a frequency score of 5.
    assert values(found) == [
        ("champion", 1, 2, 10, 1),
        ("lost", 2, 2, 10, 5),  # 4.5 days
        ("new", 1, 1, 5, 0),
        ("promising", 1, 1, 5, 2),
        ("prospect", 2, 0, 0, None),
        ("sleeping", 1, 1, 5, 3),
    ]


def test_a_cohort_is_followed_by_month() -> None:
    january, february, april = date(2026, 1, 31), date(2026, 2, 1), date(2026, 4, 30)
    shop = HandMadeShop(
        [
            *((january, number, 10, 1, 5, "paid") for number in range(1, 9)),
            (january, 20, 10, 1, 5, "cancelled"),
            (february, 1, 10, 1, 5, "paid"),
            (february, 1, 11, 1, 5, "paid"),
            (february, 2, 10, 1, 5, "returned"),
            (february, 20, 10, 1, 5, "paid"),
            *((april, number, 10, 1, 5, "paid") for number in (1, 2, 3)),
        ]
    )
    found = truth.cohort_retention(shop, days_of(shop))
    assert ", ".join(found[0]) == (
        "cohort_month, month_number, cohort_size, customer_count, retained_pct"
    )
    assert values(found) == [
        (date(2026, 1, 1), 0, 8, 8, Decimal("100.00")),
        (date(2026, 1, 1), 1, 8, 1, Decimal("12.50")),
        (date(2026, 1, 1), 3, 8, 3, Decimal("37.50")),
        (february, 0, 1, 1, Decimal("100.00")),
    ]


def test_a_share_of_customers_is_rounded_half_up() -> None:
    shop = HandMadeShop(
        [
            *((feb(0), number, 10, 1, 5, "paid") for number in range(160)),
            (feb(1), 7, 10, 1, 5, "paid"),  # 1 in 160 is 0.625 per cent
        ]
    )
    found = truth.cohort_retention(shop, days_of(shop))
    assert [row["retained_pct"] for row in found] == [Decimal("100.00"), Decimal("0.63")]


def test_a_pair_is_two_products_in_the_baskets_of_a_customer_and_day() -> None:
    def basket(day: date, customer: int, *products: int) -> list[Order]:
        return [(day, customer, product, 1, 5, "paid") for product in products]

    shop = HandMadeShop(
        [
            *basket(feb(1), 1, 10, 11, 12),
            *basket(feb(2), 1, 11, 10, 10),  # twice the same is once in the basket
            *basket(feb(2), 2, 10, 12),
            *basket(feb(3), 3, 12),
            *basket(feb(3), 1, 13),
            *basket(feb(4), 2, 13),
            *basket(feb(4), 3, 10),
            (feb(3), 3, 11, 1, 5, "cancelled"),
        ]
    )
    found = truth.product_pairs(shop, days_of(shop))
    assert ", ".join(found[0]) == (
        "product_id, other_product_id, product_name, other_product_name, basket_count,"
        " customer_count, product_basket_count, other_basket_count, lift"
    )
    assert values(found) == [
        (10, 11, "Thing 10", "Thing 11", 2, 1, 4, 2, Decimal("1.75")),  # 2 x 7 / (4 x 2)
        (10, 12, "Thing 10", "Thing 12", 2, 2, 4, 3, Decimal("1.17")),  # 2 x 7 / (4 x 3)
    ]


def test_a_price_lasts_until_a_selling_day_has_another() -> None:
    shop = HandMadeShop(
        [
            (feb(1), 1, 10, 1, 800, "paid"),
            (feb(1), 2, 10, 2, 900, "paid"),  # the lower price is the day's
            (feb(4), 2, 10, 1, 800, "cancelled"),
            (feb(5), 1, 10, 1, 799, "paid"),
            (feb(6), 1, 10, 5, 800, "returned"),
            (feb(8), 1, 10, 1, 0, "paid"),
            (feb(9), 1, 10, 1, 5, "paid"),
            (feb(3), 1, 11, 1, 5, "paid"),
            (feb(9), 1, 10, 7, 1, "deleted"),
        ]
    )
    found = truth.price_history(shop, days_of(shop))
    assert ", ".join(found[0]) == (
        "product_id, product_name, category, valid_from, valid_to, unit_price,"
        " previous_unit_price, price_change, price_change_pct, order_count, units_sold"
    )
    ten = (10, "Thing 10", "Even")
    assert values(found) == [
        (*ten, feb(1), feb(4), 800, None, None, None, 3, 4),
        (*ten, feb(5), feb(5), 799, 800, -1, Decimal("-0.13"), 1, 1),  # -0.125
        (*ten, feb(6), feb(6), 800, 799, 1, Decimal("0.13"), 1, 5),
        (*ten, feb(8), feb(8), 0, 800, -800, Decimal("-100.00"), 1, 1),
        (*ten, feb(9), feb(9), 5, 0, 5, None, 1, 1),
        (11, "Thing 11", "Odd", feb(3), feb(3), 5, None, None, None, 1, 1),
    ]


def test_recent_sales_end_with_the_latest_day_that_has_an_order() -> None:
    shop = HandMadeShop(
        [
            (feb(-32), 1, 10, 1, 1, "paid"),
            (feb(-31), 1, 10, 1, 20, "paid"),
            (feb(-2), 1, 10, 1, 300, "paid"),
            (feb(-1), 1, 10, 1, 4_000, "paid"),
            (feb(27), 1, 10, 1, 70_000, "returned"),
            (feb(27), 1, 10, 1, 50_000, "paid"),
            (feb(28), 1, 10, 1, 600_000, "cancelled"),
            (feb(29), 1, 10, 1, 7, "deleted"),
            (feb(-40), 1, 11, 1, 8, "paid"),
        ]
    )
    found = truth.product_sales(shop, days_of(shop))
    names = ("net_amount", "recent_net_amount", "previous_net_amount")
    assert list(found[0])[-2:] == ["recent_net_amount", "previous_net_amount"]
    assert values(found, *names) == [(54_321, 54_000, 320), (8, 0, 0)]
