"""The rota: every segment comes round, the longest unproven first, within the budget of a night."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, datetime, timedelta, timezone

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Outside, Segment, segments_of
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.road import index
from orderhe_dagster.road.guards import Rules
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.rota import Budget, Turn, choose, nights, oldest, scopes
from orderhe_dagster.road.source_proof import prove_backups
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.shops import TestShop

NOW = datetime(2026, 11, 30, tzinfo=timezone.utc)
DAYS = segments_of(Window(date(2026, 1, 1), date(2026, 1, 11)))


def turns(*rows: int) -> dict[Segment, Turn]:
    """Days of so many rows, never proven."""
    first = date(2026, 1, 1)
    return {Segment.of(first + timedelta(days=n)): Turn(some) for n, some in enumerate(rows)}


@pytest.mark.parametrize(
    "rows", [[4] * 30, [0, 9, 0, 1] * 8, [1_000, 1, 1, 1], [0] * 5, [3, 3, 3, 25]]
)
@pytest.mark.parametrize("budget", [1, 10, 29, 10_000])
def test_all_come_round_in_the_nights_that_are_told(rows: list[int], budget: int) -> None:
    waiting = turns(*rows)
    told = nights(waiting, Budget(budget))
    for night in range(told):
        for segment in choose(waiting, Budget(budget)):
            waiting[segment] = replace(waiting[segment], proven_at=NOW + timedelta(days=night))
    assert all(turn.proven_at for turn in waiting.values())


def test_the_longest_unproven_come_first() -> None:
    waiting = turns(5, 5, 5)
    first, second, third = waiting
    waiting[first] = Turn(5, NOW)
    waiting[third] = Turn(5, NOW - timedelta(days=1))
    assert choose(waiting, Budget(6)) == [second, third]
    assert choose(waiting, Budget(6, everything=True)) == [second, third, first]


def test_the_shares_of_all_tables_are_not_less_than_the_budget() -> None:
    rows = {"a": 10, "b": 11, "c": 12}
    budget = Budget(10)
    assert sum(budget.share(rows, name).rows for name in rows) >= 10
    for name, some in rows.items():
        assert nights(turns(*[1] * some), budget.share(rows, name)) <= 4


def test_all_come_round_in_as_many_nights_as_are_told() -> None:
    budget, proven = Budget(rows=35), dict[Segment, datetime | None]()
    turns = {day: Turn(10) for day in DAYS}
    many = nights(turns, budget)
    assert many == 3, "four days of ten rows a night: never fewer than the budget"
    for night in range(many):
        assert set(proven) != set(DAYS)
        for day in choose({d: Turn(10, proven.get(d)) for d in DAYS}, budget):
            proven[day] = NOW + timedelta(days=night)
    assert set(proven) == set(DAYS)


def test_a_segment_larger_than_the_budget_is_proven_alone() -> None:
    turns = {DAYS[0]: Turn(1_000), DAYS[1]: Turn(1_000, NOW), DAYS[2]: Turn(0)}
    assert choose(turns, Budget(rows=5)) == [DAYS[0]]
    assert choose({**turns, DAYS[0]: Turn(1_000, NOW)}, Budget(rows=5))[0] == DAYS[2]
    assert choose(turns, Budget(rows=5, everything=True)) == [DAYS[0], DAYS[2], DAYS[1]]


def test_a_budget_is_shared_by_the_rows_of_the_tables() -> None:
    rows = {"orders": 9_000, "customers": 900, "products": 100}
    assert Budget(10_000, 30.0).share(rows, "products").rows >= 100, "all fit: each is proven whole"
    assert Budget(1_000, 30.0).share(rows, "orders") == Budget(900, 27.0)
    assert Budget(1_000).share(rows, "none yet").rows == 0


def test_what_is_measured_at_once_is_cut_by_days_and_rows() -> None:
    outside = Outside(date(2026, 1, 1), date(2026, 2, 1))
    chosen = [*DAYS[:4], DAYS[6], OUTSIDE]
    rows = dict.fromkeys(DAYS, 10)
    assert scopes(chosen, rows, outside, 20) == [
        Window(date(2026, 1, 1), date(2026, 1, 3)),
        Window(date(2026, 1, 3), date(2026, 1, 5)),
        Window.of(date(2026, 1, 7)),
        outside,
    ]
    assert scopes([WHOLE], {}, outside, 1) == [None]


def test_the_age_of_proofs_counts_what_never_was() -> None:
    turns = [Turn(1, NOW), Turn(1), Turn(1, NOW - timedelta(days=3))]
    assert oldest(turns) == (1, NOW - timedelta(days=3))
    assert oldest([]) == (0, None)


def test_a_small_budget_finds_what_was_altered_within_the_nights_it_tells(
    ran_shop: TestShop, caplog: pytest.LogCaptureFixture
) -> None:
    ran_shop.environ["ORDERHE_PROOF_ROWS"] = "2"
    assert ran_shop.run("*").succeeded
    with ran_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse.sales set price = 1 where sale_no = 3")
        session.execute(
            "update warehouse._loads set proven_at = getdate() where segment = '2026-01-04'"
        )
    texts = list[str]()
    for _ in range(4):
        outcome = ran_shop.run("*")
        assert outcome.succeeded, outcome.lines()
        texts += outcome.warned_checks
    assert "segments proven beside; by turns, all of them in" in caplog.text
    assert len([text for text in texts if "warehouse/sales: nothing_differed" in text]) == 1
    assert "price 99999999.999 in the backup, 1.000 in the warehouse" in texts[0]


def test_a_source_whose_time_is_short_is_proven_whole_by_turns(ran_shop: TestShop) -> None:
    """Though all rows are within the budget, there is time for one piece a night."""
    known = index.read(ran_shop.store, "sales")
    history = Window(date(2026, 1, 1), date(2026, 1, 6))
    step = Step(ran_shop.catalogue.get(TableRef("warehouse", "sales")), history, "a run", history)
    rules = Rules(Budget(rows=100, seconds=0.0))
    proven = set[Segment]()
    for _ in DAYS:
        proof = prove_backups(step, known, (), ran_shop.source, ran_shop.store, rules)
        noted = {s: (record, seen) for s, (record, seen) in proof.proven.items() if seen.source}
        proven |= noted.keys()
        known = index.commit(ran_shop.store, "sales", Change(proven=noted))
    assert proven == known.entries.keys()
