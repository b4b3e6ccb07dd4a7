"""The marts of customers: who is new, what each is worth, who comes back. No name, no address."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

import numpy as np

from orderhe_dagster.shop.draws import Ints
from orderhe_dagster.shop.model import Shop
from orderhe_dagster.shop.truth.groups import (
    Rows,
    as_rows,
    dates,
    distinct_counts,
    first_days,
    grouped,
    highest,
    hundredths,
    lowest,
    month_of,
    rounded,
    sums,
)
from orderhe_dagster.shop.truth.ledger import Ledger, ledger_of

_FIFTHS = 5


def daily_customers(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.daily_customers` after these days were made."""
    ledger = _kept(shop, days)
    _, by_customer = grouped(ledger.facts.customer_id)
    first = lowest(by_customer, ledger.facts.day)[by_customer]
    (day, _), visit = grouped(ledger.facts.day, ledger.facts.customer_id)
    (each_day,), of_visit = grouped(day)
    (_,), of_order = grouped(ledger.facts.day)
    new_visit = lowest(visit, first) == day
    new_order = first == ledger.facts.day
    return as_rows(
        order_date=dates(each_day),
        new_customer_count=sums(of_visit, new_visit),
        returning_customer_count=sums(of_visit, ~new_visit),
        first_order_count=sums(of_order, new_order),
        repeat_order_count=sums(of_order, ~new_order),
    )


def customer_value(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.customer_value` after these days were made."""
    everybody = ledger_of(shop, days)
    ledger = everybody.where(everybody.kept)
    (customer,), group = grouped(ledger.facts.customer_id)
    first, last = lowest(group, ledger.facts.day), highest(group, ledger.facts.day)
    frequency, monetary = np.bincount(group), sums(group, ledger.amount)
    bought = as_rows(
        customer_id=customer,
        first_order_date=dates(first),
        last_order_date=dates(last),
        recency_days=everybody.latest_day - last if len(last) else last,
        frequency=frequency,
        monetary_amount=monetary,
        recency_score=_scores(last),
        frequency_score=_scores(frequency),
        monetary_score=_scores(monetary),
    )
    known = {row["customer_id"]: row for row in bought}
    ids = shop.customer_ids(days)
    signup = everybody.customer_texts(ids, "signup_date")["signup_date"]
    rows = []
    for number, opened in zip(ids.tolist(), signup, strict=True):
        row = {
            "customer_id": number,
            "signup_date": opened,
            "first_order_date": None,
            "last_order_date": None,
            "recency_days": None,
            "frequency": 0,
            "monetary_amount": 0,
            "recency_score": None,
            "frequency_score": None,
            "monetary_score": None,
        } | known.get(number, {})
        rows.append({**row, "segment": _segment(row)})
    return rows


def customer_segments(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.customer_segments` after these days were made."""
    members: dict[str, Rows] = defaultdict(list)
    for row in customer_value(shop, days):
        members[row["segment"]].append(row)
    result = []
    for segment, rows in sorted(members.items()):
        recency = [row["recency_days"] for row in rows if row["recency_days"] is not None]
        result.append(
            {
                "segment": segment,
                "customer_count": len(rows),
                "order_count": sum(row["frequency"] for row in rows),
                "net_amount": sum(row["monetary_amount"] for row in rows),
                "average_recency_days": rounded(sum(recency), len(recency)) if recency else None,
            }
        )
    return result


def cohort_retention(shop: Shop, days: Sequence[date]) -> Rows:
    """The rows of `mart.cohort_retention` after these days were made."""
    ledger = _kept(shop, days)
    customers, month = ledger.facts.customer_id, month_of(ledger.facts.day)
    _, by_customer = grouped(customers)
    joined = lowest(by_customer, month)[by_customer]
    (cohort, number), group = grouped(joined, month - joined)
    count = distinct_counts(group, customers)
    (each,), of_order = grouped(joined)
    sizes = dict(zip(each.tolist(), distinct_counts(of_order, customers).tolist(), strict=True))
    size = [sizes[month] for month in cohort.tolist()]
    return as_rows(
        cohort_month=first_days(cohort),
        month_number=number,
        cohort_size=size,
        customer_count=count,
        retained_pct=[
            hundredths(100 * kept, of) for kept, of in zip(count.tolist(), size, strict=True)
        ],
    )


def _kept(shop: Shop, days: Sequence[date]) -> Ledger:
    ledger = ledger_of(shop, days)
    return ledger.where(ledger.kept)


def _scores(values: Ints) -> Ints:
    """From 1 to 5, by how many have less; equal values share the lower score."""
    before = np.searchsorted(np.sort(values), values, side="left")
    return 1 + before.astype(np.int64) * _FIFTHS // max(len(values), 1)


def _segment(customer: dict[str, Any]) -> str:
    """What kind of customer it is: the first that holds."""
    if not customer["frequency"]:
        return "prospect"
    recency, frequency = customer["recency_score"], customer["frequency_score"]
    if frequency >= 4:
        return "champion" if recency >= 4 else "loyal" if recency == 3 else "at_risk"
    if recency >= 4 and customer["frequency"] == 1:
        return "new"
    if recency >= 3:
        return "promising"
    return "sleeping" if recency == 2 else "lost"
