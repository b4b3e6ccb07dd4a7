"""Write, audit, publish: staged rows that break a claim are held back with their day, all others loaded."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import WHOLE
from orderhe_dagster.catalog.table import Table, TableRef
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.proof.check_results import HELD_BACK, check_results
from orderhe_dagster.proof.staging import Stage
from orderhe_dagster.road.held_back import Refusal
from orderhe_dagster.road.loads import LoadError, load
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.road.systems import Systems
from orderhe_dagster_tests.shops import TestShop

DAYS = ("2026-01-01", "2026-01-05")
FIVE = Window.of(date(2026, 1, 1), date(2026, 1, 5))
CONTRACTS = {
    "raw/slips.sql": """
-- Slips, which ought to be numbered once.
-- @partition day
-- @cursor changed_at
-- @grain shop, number
-- @pii mail
create table slips (
    id int not null primary key,
    shop varchar(10) not null,
    number int,
    day date not null,
    mail varchar(40),
    price int not null,
    state enum('open', 'paid') not null,
    changed_at datetime(6) not null
);
""",
    "raw/people.sql": """
-- Who buys; nobody ought to be there twice.
-- @cursor changed_at
-- @grain mail
-- @pii mail
create table people (
    id int not null primary key,
    mail varchar(40),
    changed_at datetime(6) not null
);
""",
}
MARTS = {
    "mart/takings.sql": """
-- What came in, by day.
-- @partition day
-- @grain day
select
    slips.day::date as day, -- The day
    sum(slips.price)::bigint as total -- What came in
from warehouse.slips
group by slips.day;
""",
    "mart/totals.sql": """
-- What came in altogether.
-- @grain kind
select
    'all'::varchar(3) as kind, -- All
    sum(slips.price)::bigint as total -- What came in
from warehouse.slips;
""",
}
SOUND = (
    "insert into people values (1, 'a@b', timestamp '2026-01-01 00:00:00')",
    """insert into slips values
    (1, 'a', 1, date '2026-01-01', 'a@b', 10, 'open', timestamp '2026-01-01 10:00:00'),
    (2, 'a', 2, date '2026-01-02', 'a@b', 20, 'paid', timestamp '2026-01-01 10:00:00'),
    (3, 'a', 3, date '2026-01-04', 'a@b', 30, 'paid', timestamp '2026-01-01 10:00:00')""",
)
TWICE = (
    "insert into slips values"
    " (4, 'a', 9, date '2026-01-02', 'a@b', 40, 'paid', timestamp '2026-01-06 10:00:00'),"
    " (5, 'a', 9, date '2026-01-04', 'a@b', 50, 'paid', timestamp '2026-01-06 10:00:00'),"
    " (6, 'b', 9, date '2026-01-05', 'a@b', 60, 'paid', timestamp '2026-01-06 10:00:00')"
)
MENDED = "update slips set number = 10, changed_at = timestamp '2026-01-07 00:00:00' where id = 5"
BY_DAY = "select day, total from mart.takings order by day"
IDS = "select id from warehouse.slips order by id"


def slips_shop(systems: Systems, folder: Path, *turned: str) -> TestShop:
    """A shop of numbered slips; MySQL does not know that they are to be numbered once."""
    (folder / "sql").mkdir(parents=True)
    own = {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_START_DATE": "2026-01-01"}
    environ = systems.environ(frozenset({"mysql", *turned}), folder / "home")
    made = TestShop(folder, {**own, **environ})
    made.write({**CONTRACTS, **MARTS})
    made.create()
    made.change(*SOUND)
    return made


@pytest.fixture(params=["embedded", "redshift"])
def shop(request: pytest.FixtureRequest, tmp_path: Path, systems: Systems) -> TestShop:
    """It after a run of all, its warehouse in a file and behind the wire."""
    turned = {request.param} - {"embedded"}
    made = slips_shop(systems, tmp_path / "shop", *turned)
    outcome = made.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    return made


@pytest.fixture
def new(tmp_path: Path, systems: Systems) -> TestShop:
    """It with its warehouse in a file, not run."""
    return slips_shop(systems, tmp_path / "shop")


def held_back(shop: TestShop, table: str = "warehouse.slips") -> list[tuple[bool, int]]:
    with shop.warehouse.session("a test", read_only=True) as session:
        results = check_results(session, shop.catalogue)
    return [
        (one.passed, one.wrong_rows)
        for one in results
        if (one.table_name, one.claim) == (table, HELD_BACK)
    ]


def test_days_that_break_a_claim_are_held_back_and_all_others_loaded(shop: TestShop) -> None:
    marts = [*shop.rows(BY_DAY), *shop.rows("select * from mart.totals")]
    assert held_back(shop) == []
    shop.change(TWICE)
    outcome = shop.run("*", *DAYS)
    assert not outcome.succeeded
    (failure,) = outcome.failures
    for words in (
        "warehouse/slips [",
        "1 row breaks grain_is_unique (No two rows have the same shop, number) in 2 segments",
        "the first 2026-01-02: shop = a, number = 9",
        "Held back: the warehouse keeps what it had of 2 segments, the first 2026-01-02",
        "or raw/slips.sql where it promises too much",
    ):
        assert words in failure
    assert failure.endswith(
        "orderhe run 'backup/slips,warehouse/slips' --from 2026-01-02 --to 2026-01-04"
    )
    assert shop.rows(IDS) == [(1,), (2,), (3,), (6,)]
    assert [*shop.rows(BY_DAY), *shop.rows("select * from mart.totals")] == marts
    assert held_back(shop) == [(False, 1)]
    for mart, days in (("mart/takings", DAYS), ("mart/totals", ())):
        (later,) = shop.run(mart, *days).failures
        assert "warehouse/slips failed its check nothing_held_back" in later
        assert "1 row is held back" in later
        assert later.endswith("--from 2026-01-02 --to 2026-01-04")
    shop.change(MENDED)
    assert shop.paste(later)
    assert held_back(shop) == [(True, 0)]
    assert shop.rows(IDS) == [(1,), (2,), (3,), (4,), (5,), (6,)]
    assert shop.run("mart/*", *DAYS).succeeded
    assert shop.rows("select total from mart.totals") == [(210,)]


def test_the_next_good_run_mends_it(new: TestShop) -> None:
    assert new.run("*", *DAYS).succeeded
    new.change(TWICE)
    assert not new.run("*", *DAYS).succeeded
    assert not new.run("*", *DAYS).succeeded, "it is held back every night, and told"
    new.change(MENDED)
    outcome = new.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert [total for _, total in new.rows(BY_DAY)] == [10, 60, 80, 60]


def test_a_first_load_of_nothing_but_wrong_rows_leaves_an_empty_table(new: TestShop) -> None:
    new.change("update slips set number = null")
    outcome = new.run("*", *DAYS)
    (failure,) = outcome.failures
    assert "3 rows break required_columns_are_filled" in failure
    assert "shop = a, number = NULL" in failure
    assert "in 3 segments, the first 2026-01-01" in failure
    assert new.rows(IDS) == []
    assert not new.run("mart/totals").succeeded
    new.change("update slips set number = id, changed_at = timestamp '2026-01-08 00:00:00'")
    assert new.run("*", *DAYS).succeeded
    assert new.rows("select total from mart.totals") == [(60,)]


def test_a_table_without_days_stays_as_it_was_and_its_personal_data_is_masked(
    new: TestShop,
) -> None:
    assert new.run("*", *DAYS).succeeded
    new.change("insert into people values (2, 'a@b', timestamp '2026-01-06 00:00:00')")
    outcome = new.run("backup/people,warehouse/people")
    (failure,) = outcome.failures
    assert (
        "1 row breaks grain_is_unique (No two rows have the same mail) in all: mail = •••."
        in failure
    )
    assert failure.endswith("orderhe run 'backup/people,warehouse/people'")
    assert "a@b" not in failure
    assert new.rows("select id from warehouse.people") == [(1,)]
    assert held_back(new, "warehouse.people") == [(False, 1)]
    new.change("update people set mail = 'c@d' where id = 2")
    new.paste(failure)
    assert new.rows("select id from warehouse.people order by id") == [(1,), (2,)]


@pytest.mark.parametrize("is_cut", [True, False])
def test_what_the_rows_tell_by_themselves_is_judged_on_the_stage(
    new: TestShop, is_cut: bool
) -> None:
    table = new.catalogue.get(TableRef("raw", "slips"))
    table = table if is_cut else replace(table, partition=None)
    step = Step(table, FIVE if is_cut else None, "a test", FIVE)
    rows = """('a', 1, '2026-01-01', 'a@b', 1, 'open'), ('a', 1, '2026-01-02', 'c@d', 1, 'lost'),
        ('a', null, '2026-01-02', 'c@d', null, 'paid'), ('a ', 1, '2025-12-31', null, 1, 'it''s')"""
    with new.warehouse.session("a test") as session:
        session.execute(ddl.redshift_stage(table, "_some"))
        session.execute(f"insert into _some (shop, number, day, mail, price, state) values {rows}")
        session.execute("update _some set id = number, changed_at = '2026-01-09'")
        refusals = Stage(new.catalogue, "a test").refusals(session, step, "_some")
    found = {one.claim: (one.rows, {str(s) for s in one.segments}, one.shown) for one in refusals}
    if not is_cut:
        found = {claim: (rows, {"all"}, shown) for claim, (rows, _, shown) in found.items()}
        assert {segment for one in refusals for segment in one.segments} == {WHOLE}
    first, second, outside = (
        ("2026-01-01", "2026-01-02", "outside") if is_cut else ("all", "all", "all")
    )
    assert found["grain_is_unique"] == (1, {first, second}, ["shop = a, number = 1"])
    assert found["required_columns_are_filled"][:2] == (1, {second})
    assert "number = NULL" in found["required_columns_are_filled"][2][0]
    assert found["state_is_accepted"][:2] == (2, {second, outside})
    assert "shop = a, number = 1, state = lost" in found["state_is_accepted"][2]


class Killed(Stage):
    """Ends the load where it has just kept what is held back."""

    def keep(self, session: Session, table: Table, refusals: Sequence[Refusal]) -> None:
        super().keep(session, table, refusals)
        raise InterruptedError


def test_a_load_that_is_killed_has_kept_what_it_holds_back(new: TestShop) -> None:
    assert new.run("*", *DAYS).succeeded
    new.change(TWICE)
    assert new.run("backup/slips", *DAYS).succeeded
    step = Step(new.catalogue.get(TableRef("warehouse", "slips")), FIVE, "killed", FIVE)
    killed = Killed(new.catalogue, "killed")
    with pytest.raises(InterruptedError):
        load(step, new.store, new.warehouse, judge=killed)
    assert new.rows(IDS) == [(1,), (2,), (3,)]
    assert held_back(new) == [(False, 1)]
    with pytest.raises(LoadError, match="Held back"):
        load(step, new.store, new.warehouse, judge=Stage(new.catalogue, "again"))
    (failure,) = new.run("mart/totals").failures
    assert "nothing_held_back" in failure


def test_rows_outside_of_the_days_are_held_back_as_one(new: TestShop) -> None:
    old = TWICE.replace("2026-01-02", "1999-01-01").replace("2026-01-04", "1999-02-02")
    assert new.run("*", *DAYS).succeeded
    new.change(old)
    (failure,) = new.run("*", *DAYS).failures
    assert "in outside: shop = a, number = 9" in failure
    assert new.rows(IDS) == [(1,), (2,), (3,), (6,)]
    new.change(MENDED)
    assert new.run("*", *DAYS).succeeded
    assert len(new.rows(IDS)) == 6
