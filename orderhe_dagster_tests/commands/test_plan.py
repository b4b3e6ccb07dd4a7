"""`orderhe plan`: what it says before a run is what the ledgers say after it, and it changes nothing."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.cli import main
from orderhe_dagster.commands.plan import RunPlan, make_plan
from orderhe_dagster_tests.commands.planned import (
    DAYS,
    FILES,
    LATER,
    Done,
    done,
    planned_shop,
    sale,
    written,
)
from orderhe_dagster_tests.long_tests import cases
from orderhe_dagster_tests.shops import OWN_SQL, TestShop, days, shop_of


@pytest.fixture(scope="module")
def as_it_ran(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The shop after a run of all of its days."""
    shop = planned_shop(tmp_path_factory.mktemp("ran") / "shop")
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        assert shop.run("*").succeeded
    return shop


@pytest.fixture
def shop(as_it_ran: TestShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> TestShop:
    """A copy of it: that run costs more than the tests."""
    monkeypatch.setenv("DAGSTER_HOME", "")
    return as_it_ran.copy(tmp_path / "shop")


@dataclass(frozen=True)
class State:
    """How a shop comes to stand, drawn by a seed, and for which days it is run then."""

    make: Callable[[TestShop, random.Random], None]
    first: str | None = None  # a daily run
    last: str | None = None
    keeps_exports: bool = False


def a_sale(drawn: random.Random) -> int:
    return 10 * drawn.randrange(6) + drawn.choice((1, 2))


def hand(shop: TestShop, sql: str) -> None:
    with shop.warehouse.session("a hand") as session:
        session.execute(sql)


def nothing(shop: TestShop, drawn: random.Random) -> None:
    """All is as it was."""


def a_day_changed(shop: TestShop, drawn: random.Random) -> None:
    price = drawn.randrange(70, 80)
    shop.change(
        f"update sales set price = {price}, changed_at = {LATER} where sale = {a_sale(drawn)}"
    )


def a_column_that_few_read(shop: TestShop, drawn: random.Random) -> None:
    name = drawn.choice(("note", "state"))
    shop.change(f"update sales set {name} = 'y', changed_at = {LATER} where sale = {a_sale(drawn)}")


def late_rows(shop: TestShop, drawn: random.Random) -> None:
    shop.change(sale(900, drawn.choice(DAYS[:5]), "20.00", drawn.randrange(6)))


def rows_deleted(shop: TestShop, drawn: random.Random) -> None:
    shop.change(f"delete from sales where sale = {a_sale(drawn)}")


def a_row_moves_to_another_day(shop: TestShop, drawn: random.Random) -> None:
    day = drawn.choice(DAYS[:2])
    shop.change(f"update sales set sold_on = date '{day}', changed_at = {LATER} where sale = 41")


def a_mart_says_otherwise(shop: TestShop, drawn: random.Random) -> None:
    text = FILES["mart/takings.sql"]
    shop.write({"mart/takings.sql": text.replace("'gone'", drawn.choice(("'open'", "'lost'")))})


def a_column_more(shop: TestShop, drawn: random.Random) -> None:
    shop.change("alter table sales add column extra int")
    text = FILES["raw/sales.sql"]
    shop.write({"raw/sales.sql": text.replace("note varchar(20),", "note varchar(20), extra int,")})


def part_of(shop: TestShop, day: str) -> Path:
    """The Parquet part of a day's sales."""
    part = shop.record("sales", day).parts[0]
    (path,) = (shop.home / "s3").rglob(part.key.partition("/")[2])
    return path


def a_backup_damaged(shop: TestShop, drawn: random.Random) -> None:
    path = part_of(shop, drawn.choice(DAYS[:6]))
    if drawn.random() < 0.5:
        path.unlink()
    else:
        path.write_bytes(b"no parquet")


def the_warehouse_altered(shop: TestShop, drawn: random.Random) -> None:
    hand(shop, f"update warehouse.sales set price = 1 where sale = {a_sale(drawn)}")


def a_mart_altered(shop: TestShop, drawn: random.Random) -> None:
    hand(
        shop,
        f"update mart.takings set price_total = 1 where sold_on = '{drawn.choice(DAYS[:6])}'",
    )


def a_buyer_moves(shop: TestShop, drawn: random.Random) -> None:
    shop.change(f"update buyers set town = 'new', changed_at = {LATER} where buyer = 1")


def a_table_dropped(shop: TestShop, drawn: random.Random) -> None:
    hand(shop, f"drop table {drawn.choice(('warehouse.sales', 'mart.takings'))}")


def an_index_damaged(shop: TestShop, drawn: random.Random) -> None:
    a_day_changed(shop, drawn)
    (root,) = (shop.home / "s3").rglob("backup/sales/index.json")
    root.write_bytes(root.read_bytes()[: drawn.randrange(1, 200)])


STATES = {
    "nothing": State(nothing, keeps_exports=True),
    "a day changed": State(a_day_changed),
    "a column that few read": State(a_column_that_few_read, keeps_exports=True),
    "late rows": State(late_rows),
    "rows deleted": State(rows_deleted),
    "a row moves to another day": State(a_row_moves_to_another_day),
    "a mart says otherwise": State(a_mart_says_otherwise),
    "a column more": State(a_column_more),
    "a backup damaged": State(a_backup_damaged),
    "the warehouse altered": State(the_warehouse_altered),
    "a mart altered": State(a_mart_altered),
    "a buyer moves": State(a_buyer_moves),
    "a table dropped": State(a_table_dropped),
    "an index damaged": State(an_index_damaged),
    "days asked for again": State(nothing, DAYS[0], DAYS[3], keeps_exports=True),
}


OPEN = {
    "a column that few read": {
        *("mart/takings", "mart/town_sales", "mart/buyer_totals", "mart/best_days"),
        *("export/takings", "export/best_days"),
    },
    "a buyer moves": {"mart/town_sales"},
}
"""What a quick plan leaves open of some states."""
SHORT = [
    name
    for name in STATES
    if name
    not in (
        "a row moves to another day",
        "a mart altered",
        "a table dropped",
        "days asked for again",
        "a column that few read",
        "an index damaged",
    )
]
"""Nine in the short form; a first run, skipped days and quarantine have tests of their own."""


def assert_agrees(plan: RunPlan, did: Done, read: dict[str, float]) -> None:
    """Partitions, rows and files of the plan are those of the run, step by step."""
    for step in plan.steps:
        assert not step.perhaps, step
        layer = step.asset.partition("/")[0]
        told = step.new if layer == "backup" else step.does
        assert {s.text for s in told} == did.segments.get(step.asset, set()), step.asset
        if layer == "backup":
            assert step.files == did.files.get(step.asset, 0), step.asset
            assert step.rows == read[step.asset], step.asset
        if layer == "warehouse":
            assert step.rows == did.rows.get(step.asset, 0), step.asset
    assert {step.asset for step in plan.steps} >= did.segments.keys()


def assert_holds(quick: RunPlan, did: Done) -> None:
    """What is certain was done, and nothing that was not told as certain or open."""
    for step in quick.steps:
        sure = step.new if step.asset.startswith("backup/") else step.does
        there = did.segments.get(step.asset, set())
        assert {s.text for s in sure} <= there <= {s.text for s in (*sure, *step.perhaps)}


def planned_and_run(
    shop: TestShop, first: str | None = None, last: str | None = None
) -> tuple[RunPlan, Done, dict[str, float]]:
    """The plan of a run, and then the run: what it did, and how many rows each backup read."""
    plan = make_plan(shop.settings, "*", days(first, last) if first else None)
    stamps = written(shop)
    outcome = shop.run("*", first, last)
    assert outcome.succeeded, outcome.lines()
    read = {asset: of["rows_read"] for asset, of in outcome.figures.items() if "rows_read" in of}
    return plan, done(shop, outcome.run_id, stamps), read


@pytest.mark.parametrize("name", cases(STATES, SHORT))
@pytest.mark.parametrize("seed", cases(range(4), [1]))
def test_the_run_does_what_was_planned(shop: TestShop, name: str, seed: int) -> None:
    state = STATES[name]
    state.make(shop, random.Random(f"{name} {seed}"))
    if state.keeps_exports:
        assert shop.run("export/*").succeeded  # a copy's files are others than were written
    quick = make_plan(shop.settings, "*", is_quick=True) if name in OPEN else None
    plan, did, read = planned_and_run(shop, state.first, state.last)
    assert_agrees(plan, did, read)
    if quick:
        assert_holds(quick, did)
        assert {step.asset for step in quick.steps if step.perhaps} == OPEN[name]
    assert bool(did.segments) == (state.make is not nothing)


def test_a_first_run_and_one_after_skipped_days_do_what_was_planned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    shop = planned_shop(tmp_path / "shop")
    (shop.home / "warehouse.duckdb").unlink()
    plan, did, read = planned_and_run(shop, DAYS[0], DAYS[1])
    assert_agrees(plan, did, read)
    assert {text for step in plan.steps for text in step.does.values()} >= {
        "never backed up",
        "never loaded",
        "never built",
    }
    shop.change(f"update sales set price = 70, changed_at = {LATER} where sale = 1")
    plan, did, read = planned_and_run(shop)
    assert_agrees(plan, did, read)
    assert did.segments["backup/sales"] == {DAYS[0], *DAYS[2:6]}
    assert did.segments["warehouse/sales"] == {DAYS[0], *DAYS[2:], "outside"}, "empty ones, too"


def contents(shop: TestShop) -> dict[str, bytes]:
    """Every file of the home but locks, Dagster's history and what can be made again."""
    return {
        path.relative_to(shop.home).as_posix(): path.read_bytes()
        for path in shop.home.rglob("*")
        if path.is_file()
        and path.suffix not in (".lock", ".queue")
        and path.relative_to(shop.home).parts[0] not in ("cache", "dagster")
    }


def plan_of(shop: TestShop, *words: str) -> tuple[int, str]:
    """What the command prints, and its code."""
    environ = {**shop.environ, "ORDERHE_HOME": str(shop.home)}
    result = CliRunner().invoke(main, ["plan", *words], env=environ)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def test_a_plan_changes_nothing(shop: TestShop) -> None:
    shop.change(sale(900, DAYS[0], "20.00", 3))
    part_of(shop, DAYS[4]).write_bytes(b"no parquet")
    before = contents(shop)
    code, text = plan_of(shop, "*")
    assert code == 0
    assert "its backup is damaged or lost" in text
    assert contents(shop) == before


def test_a_plan_as_json_has_every_partition_and_why(shop: TestShop) -> None:
    late_rows(shop, random.Random(2))
    code, text = plan_of(shop, "*", "--format", "json", "--rpu", "4")
    plan = json.loads(text)
    assert code == 0
    steps = {step["asset"]: step for step in plan["steps"]}
    ((day, why),) = steps["backup/sales"]["does"].items()
    assert why == "changed in the source: 3 rows, 2 before"
    assert steps["warehouse/sales"]["does"] == {day: "a new backup is made of it first"}
    assert steps["warehouse/sales"]["rows"] == 3
    assert (plan["cost"]["rpu"], plan["cost"]["rpu_seconds"]) == (4, 240)
    assert plan["cost"]["prices_written"]
    assert plan["days"] == [DAYS[-1], DAYS[-1]]


def test_a_plan_says_what_would_stop_the_run(shop: TestShop) -> None:
    shop.change("delete from sales")
    code, text = plan_of(shop, "*")
    assert code == 1
    assert "stops: table sales has no row in the source" in text
    assert "orderhe run 'backup/sales,warehouse/sales' --allow-empty" in text
    assert "waits: backup/sales stops" in text
    code, text = plan_of(shop, "*", "--allow-empty")
    assert code == 0, text
    assert "STOPS" not in text


def test_a_check_that_has_failed_stops_what_reads_its_table(shop: TestShop) -> None:
    shop.write({"checks/mart/takings__none.sql": "select sold_on from mart.takings;"})
    assert not shop.run("mart/takings").succeeded
    code, text = plan_of(shop, "*")
    assert code == 1
    assert "mart/best_days" in text
    assert "Nothing is built on wrong rows" in text
    stopped = shop.run("*")
    assert "mart/takings" in stopped.figures
    assert "mart/best_days" not in stopped.figures


def test_what_is_not_there_stops_what_reads_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    fresh = planned_shop(tmp_path / "shop")
    for asset in ("mart/buyer_totals", "export/takings"):
        code, text = plan_of(fresh, asset)
        assert code == 1, asset
        assert "stops: " in text
        assert "orderhe run '" in text
        outcome = fresh.run(asset)
        assert not outcome.succeeded, asset


def test_rows_that_break_a_claim_stop_what_is_built_from_them(shop: TestShop) -> None:
    shop.write(
        {"checks/mart/takings__low.sql": "select 1 from mart.takings where price_total > 900;"}
    )
    shop.change(f"update sales set price = 950, changed_at = {LATER} where sale = 11")
    plan = make_plan(shop.settings, "*")
    stops = {step.asset for step in plan.steps if step.stops}
    assert stops == {"mart/best_days", "export/takings"}
    outcome = shop.run("*")
    assert not outcome.succeeded
    assert not outcome.figures.keys() & {*stops, "export/best_days"}


def test_days_that_the_simulation_has_yet_to_make_are_told(tmp_path: Path) -> None:
    more = {"ORDERHE_SHOP": "simulated", "ORDERHE_START_DATE": DAYS[0]}
    simulated = TestShop(tmp_path, {"ORDERHE_SQL": str(OWN_SQL), **more})
    simulated.create()
    code, text = plan_of(simulated, "raw/orders,backup/orders")
    assert code == 0
    assert f"To plan with them: orderhe simulate --from {DAYS[-1]} --to {DAYS[-1]}" in text
    simulated.paste(text.partition("To plan with them: ")[2].partition("\n")[0])
    assert "simulated shop happen first" not in plan_of(simulated, "raw/orders,backup/orders")[1]


def test_a_source_without_any_row_is_told(tmp_path: Path) -> None:
    empty = shop_of(tmp_path, FILES, ORDERHE_START_DATE=DAYS[0])
    empty.create()
    code, text = plan_of(empty, "*")
    assert code == 0
    assert "note: there is no row in the source yet (" in text
    empty.change(sale(950, DAYS[0], "1.00", 1))
    assert "no row in the source" not in plan_of(empty, "*")[1]


def test_what_a_person_asks_wrongly_is_told(shop: TestShop) -> None:
    assert plan_of(shop)[0] == plan_of(shop, "*", "--last")[0] == 2
    code, text = plan_of(shop, "mart/takngs")
    assert code == 1
    assert "did you mean mart/takings" in text
    code, text = plan_of(shop, "export/lineage")
    assert (code, len(text.splitlines())) == (0, 2)
    assert "nothing of that is planned: pages are not" in text
    code, text = plan_of(shop, "--last")
    assert code == 1
    assert "no run is known here yet" in text
    assert "orderhe run '*'" in text


def test_the_run_is_told_beside_its_plan(shop: TestShop) -> None:
    environ = {**shop.environ, "ORDERHE_HOME": str(shop.home)}

    def run() -> str:
        words = ["run", "*"]
        return CliRunner().invoke(main, words, env=environ).output

    late_rows(shop, random.Random(3))
    plan_of(shop, "*")
    assert "as planned: partitions, rows and files of every step" in run()
    code, text = plan_of(shop, "--last")
    assert code == 0
    (line,) = [line for line in text.splitlines() if line.startswith("backup/sales")]
    assert line.split() == ["backup/sales", *"113311"]
    assert "measured " in text
    assert "nothing is billed" in text

    plan_of(shop, "*")
    assert "as planned" in run()
    code, text = plan_of(shop, "--last")
    assert (code, text.splitlines()[1]) == (0, "nothing planned, nothing done: all 10 steps")

    plan_of(shop, "*")
    shop.change(sale(950, DAYS[0], "1.00", 1))
    assert (
        "other than planned (orderhe plan --last): backup/sales: 1 partitions, 0 planned" in run()
    )
    assert not (shop.home / "cache" / "plan.json").exists(), "the next run is of another state"
