"""What people see of personal data: masked rows, a database's words without values."""

from __future__ import annotations

import pytest

from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.rendering.masking import MASK, hiding_values, masked, without_values
from orderhe_dagster_tests.shops import TestShop


def test_rows_are_masked_by_name_in_any_capitals_and_by_place() -> None:
    rows = masked(("id", "Mail", "upper"), [(1, "a@b.c", "ANN"), (2, None, "BOB")], {"mail"}, (2,))
    assert rows == [(1, MASK, MASK), (2, None, MASK)]


@pytest.mark.parametrize(
    ("said", "told"),
    [
        (
            'invalid input syntax for type date: "Ann"',
            f"invalid input syntax for type date: {MASK}",
        ),
        ("Value 'Ann \"A\"\n\nLee', Pos 0", f"Value {MASK}, Pos {MASK}"),
        ("Overflow: 01012345678 into INT32", f"Overflow: {MASK} into INT32"),
        ("the day 1990-12-31 is out of range", f"the day {MASK} is out of range"),
    ],
)
def test_a_databases_words_lose_what_they_quote(said: str, told: str) -> None:
    assert without_values(said) == told


def test_words_about_names_stay_and_others_point_at_the_query() -> None:
    about_names = pytest.raises(StatementError, match=r'^relation "mart.x" does not exist$')
    with about_names, hiding_values(True):
        raise StatementError('relation "mart.x" does not exist', "42P01")
    with pytest.raises(StatementError, match="orderhe query") as hidden, hiding_values(True):
        raise StatementError('invalid input: "Ann"', "22P02", "select 1")
    assert "Ann" not in str(hidden.value)
    assert (hidden.value.code, hidden.value.statement) == ("22P02", "select 1")
    assert hidden.value.__cause__ is None
    with pytest.raises(StatementError, match="Ann"), hiding_values(False):
        raise StatementError('invalid input: "Ann"', "22P02")


def test_a_check_knows_which_of_its_columns_are_personal(sales_shop: TestShop) -> None:
    sales_shop.write(
        {
            "checks/warehouse/buyers__known.sql": """
-- Under another name, inside of other texts, counted, and by way of a subquery.
with known as (
    select buyers.buyer_code, buyers.mail as contact from warehouse.buyers
)

select
    known.buyer_code,
    known.contact,
    upper('to ' || known.contact),
    count(known.contact) as many
from known
group by known.buyer_code, known.contact;
"""
        }
    )
    for _ in ("read", "from the cache"):
        found = {check.claim: check.personal for check in sales_shop.catalogue.checks}
        assert found == {"known": (1, 2), "prices_are_positive": ()}
