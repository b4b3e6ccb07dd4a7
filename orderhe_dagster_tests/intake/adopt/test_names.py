"""What we call the tables of a source: legal, readable, and the same whatever else is adopted."""

from __future__ import annotations

import random

import pytest

from orderhe_dagster.catalog.reader import NAME
from orderhe_dagster.intake.adopt.names import derived, fallen_together, names_of

DERIVED = {
    "orders": "orders",
    "a__b_": "a__b_",
    "order": "order",
    "Customer": "customer",
    "ORDERS": "orders",
    "customer-addresses": "customer_addresses",
    "SalesOrderDetail": "sales_order_detail",
    "HTTPLog2Day": "http_log2_day",
    "PS_OrderItems": "ps_order_items",
    "Order Details": "order_details",
    "a.b`c$": "a_b_c",
    "_log": "log",
    "2026": "t_2026",
    "3d models": "t_3d_models",
    "Straße": "strasse",
    "Łódź_ÅÆØ": "lodz_aaeo",
    "가격표": "gagyeogpyo",
    "주문": "jumun",
    "고객_주소": "gogaeg_juso",
    "Щука": "shchuka",
    "объект": "obekt",
    "Ωmega": "omega",
    "ことり": "kotori",
    "٣ x²": "t_3_x2",
    "訂單": "table_600eee",
    "訂單items": "items_f2e934",
    "☃": "table_516433",
    "$$$": "table_493592",
    "x" * 64: "x" * 64,
    "X" * 64: "x" * 64,
    "고객" * 32: "gogaeggogaeggogaeggogaeggogaeggogaeggogaeggogaeggogaeggog_b06049",
}


@pytest.mark.parametrize("name", DERIVED)
def test_a_name_is_derived(name: str) -> None:
    assert derived(name) == DERIVED[name]
    assert NAME.fullmatch(derived(name))


def test_names_that_fall_together_are_told_apart_by_themselves_alone() -> None:
    three = names_of(["CUSTOMER", "Customer", "customer"])
    assert three == {
        "CUSTOMER": "customer_8df6bc",
        "Customer": "customer_bf3763",
        "customer": "customer",
    }
    assert names_of(["Customer", "other", "CUSTOMER"]) == {
        "CUSTOMER": "customer_8df6bc",
        "Customer": "customer_bf3763",
        "other": "other",
    }
    (told,) = fallen_together({**three, "other": "other"})
    assert told.startswith("'CUSTOMER', 'Customer', 'customer' would all be customer: ")
    assert "'Customer' is customer_bf3763" in told


def test_what_has_a_name_keeps_it() -> None:
    """A table that comes later takes no name away, not even the one that would be its own."""
    taken = {"Customer": "customer", "gone": "kunde", "Mine": "any_name"}
    assert names_of(["customer", "Customer", "Kunde", "Mine"], taken) == {
        "customer": "customer_b6c458",
        "Customer": "customer",
        "Kunde": "kunde_d1da7f",
        "Mine": "any_name",
    }


def test_a_marked_name_that_a_table_has_gets_a_longer_mark() -> None:
    names = names_of(["Customer", "customer", "customer_bf3763"])
    assert names["customer_bf3763"] == "customer_bf3763"
    assert names["Customer"].startswith("customer_bf3763")
    assert len(set(names.values())) == 3


def test_any_names_of_mysql_get_legal_and_distinct_ones_in_any_order() -> None:
    draw = random.Random(20261130)
    signs = [*"aAbB_-.$ 0`'é한字\n", "ß", "\u0301", "\uffff"]
    names = {
        "".join(draw.choices(signs, k=draw.choice((1, 2, 3, 64)))).strip() for _ in range(3000)
    }
    names -= {""}
    first = names_of(sorted(names))
    assert all(NAME.fullmatch(name) for name in first.values())
    assert len(set(first.values())) == len(names) > 1500
    mixed = sorted(names)
    draw.shuffle(mixed)
    assert names_of(mixed) == first
    assert names_of(mixed, dict(list(first.items())[::2])) == first
