"""Many rows in quarantine stop the figures: blocked in its run and later, told by day and reason."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timezone
from pathlib import Path

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.proof.check_results import check_results
from orderhe_dagster.proof.quarantine_limit import FEW_IN_QUARANTINE, excess
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import index
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.loads import load
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.intake.adopt.strange import on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop, shop_of

DAYS = ("2026-01-01", "2026-01-02")
WINDOW = Window.of(date(2026, 1, 1), date(2026, 1, 2))
VISITS = {
    "raw/visits.sql": """
-- Who came in.
-- @partition day
-- @cursor changed_at
create table visits (
    id int not null primary key,
    day date not null,
    born date,
    changed_at datetime(6) not null
);
""",
    "mart/visit_days.sql": """
-- How many came in.
-- @partition day
-- @grain day
select
    visits.day::date as day, -- The day
    count(*)::bigint as visit_count -- How many
from warehouse.visits
group by visits.day;
""",
}
SOUND = "insert into visits select seq, '2026-01-0{0}', null, '2026-01-01' from seq_{0}01_to_{0}10"
FAULTY = "update visits set born = '0000-00-00' where id between {} and {}"
LATER = (
    "update visits set born = '0000-00-00', changed_at = '2026-01-05' where id between 201 and 204"
)
MENDED = "update visits set born = null, changed_at = '2026-02-02' where born = 0"


@pytest.fixture
def shop(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> TestShop:
    """A shop of two days of ten visits."""
    made = shop_of(tmp_path / "shop", VISITS, ORDERHE_START_DATE="2026-01-01")
    on(made, mariadb, shop_database)
    made.create()
    run(mariadb, shop_database, [SOUND.format(day) for day in (1, 2)])
    return made


def kept(shop: TestShop) -> tuple[bool, int]:
    with shop.warehouse.session("a test", read_only=True) as session:
        results = check_results(session, shop.catalogue)
    (result,) = (one for one in results if one.claim == FEW_IN_QUARANTINE)
    assert result.blocks == (not result.passed)
    return result.passed, result.wrong_rows


def test_a_day_with_many_rows_in_quarantine_stops_what_is_built_on_it(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, [FAULTY.format(107, 110)])
    outcome = shop.run("*", *DAYS)
    assert not outcome.succeeded
    (failed,) = outcome.failed_checks
    for words in (
        "warehouse/visits: few_rows_in_quarantine: ",
        "2026-01-01 (4 of 10 rows)",
        "born 0000-00-00 is no real day (4)",
        "id = 107; id = 108",
        "see @bad_values for raw/visits.sql",
        "orderhe quarantine visits --replay --from 2026-01-01 --to 2026-01-01",
        "each row: orderhe quarantine visits --rows --from 2026-01-01 --to 2026-01-01",
    ):
        assert words in failed
    (failure,) = outcome.failures
    assert "--from 2026-01-01 --to 2026-01-01; the wrong rows are shown by" in failure
    assert any("nothing_quarantined" in text for text in outcome.warned_checks)
    assert shop.rows("select day, count(*) from warehouse.visits group by 1 order by 1") == [
        (date(2026, 1, 1), 6),
        (date(2026, 1, 2), 10),
    ]
    assert kept(shop) == (False, 4)
    (later,) = shop.run("mart/visit_days", *DAYS).failures
    assert "warehouse/visits failed its check few_rows_in_quarantine" in later
    assert "4 rows are in quarantine" in later
    assert later.endswith("--from 2026-01-01 --to 2026-01-01")
    run(mariadb, shop_database, [MENDED])
    shop.paste(later)
    assert kept(shop) == (True, 0)
    assert shop.run("mart/visit_days", *DAYS).succeeded
    assert shop.rows("select visit_count from mart.visit_days") == [(10,), (10,)]


def test_single_rows_in_quarantine_are_told_and_passed_over(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, [FAULTY.format(108, 110)])
    outcome = shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    assert any("nothing_quarantined" in text for text in outcome.warned_checks)
    assert kept(shop) == (True, 0)


def test_a_shop_whose_every_row_is_in_quarantine_ends_red(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, ["delete from visits where id > 102", FAULTY.format(101, 102)])
    outcome = shop.run("*", *DAYS)
    (failed,) = outcome.failed_checks
    assert "all of its rows are in quarantine: 2026-01-01 (2 of 2 rows)" in failed
    assert not shop.run("mart/visit_days", *DAYS).succeeded
    run(mariadb, shop_database, [MENDED])
    shop.paste(failed)
    assert shop.run("mart/visit_days", *DAYS).succeeded


def test_the_line_that_is_printed_carries_what_an_old_shop_holds(
    mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> None:
    """Zero dates in a column that is not null, as of each order that has no invoice yet."""
    visits = VISITS["raw/visits.sql"].replace("born date,", "born date not null,")
    shop = shop_of(tmp_path / "shop", {"raw/visits.sql": visits}, ORDERHE_START_DATE="2026-01-01")
    on(shop, mariadb, shop_database)
    shop.create()
    old = SOUND.replace("null", "if(seq % 5, '0000-00-00', '1990-01-01')")
    run(mariadb, shop_database, [old.format(day) for day in (1, 2)])
    (failed,) = shop.run("*", *DAYS).failed_checks
    line = failed.partition("(`")[2].partition("` at the end of its header")[0]
    assert line == "-- @bad_values born null"
    shop.write({"raw/visits.sql": visits.replace("create", f"{line}\ncreate")})
    assert "16 came back into the warehouse" in shop.paste(failed)
    born = "select born, count(*) from warehouse.visits group by 1 order by 1"
    assert shop.rows(born) == [(date(1990, 1, 1), 4), (None, 16)]
    assert shop.record("visits", DAYS[0]).nulled == {"born": 8}
    with mariadb.database() as other:
        on(shop, mariadb, other)
        shop.paste("orderhe restore source")
        zeros = f"select sum(born = 0), count(*) from {other}.visits"
        assert mariadb.run(zeros) == [(16, 20)]


def test_a_run_that_was_killed_before_its_checks_does_not_hide_them(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    assert shop.run("*", *DAYS).succeeded
    run(mariadb, shop_database, [LATER])
    assert shop.run("backup/visits", *DAYS).succeeded
    table = shop.catalogue.get(TableRef("warehouse", "visits"))
    load(Step(table, WINDOW, "killed", WINDOW), shop.store, shop.warehouse)
    assert kept(shop) == (True, 0), "of other rows"
    (failure,) = shop.run("mart/visit_days", *DAYS).failures
    assert "few_rows_in_quarantine" in failure
    assert kept(shop) == (False, 4)


def record(segment: str, rows: int, apart: int) -> Record:
    at = datetime(2026, 1, 3, tzinfo=timezone.utc)
    return Record(
        table="visits",
        segment=Segment(segment),
        generation=0,
        run_id="a-run",
        manifest="",
        measure=Measure(rows - apart),
        touch=Touch(rows),
        parts=(),
        schema="s",
        source="test",
        snapshot_at=at,
        verified_at=at,
        quarantined=apart,
    )


@pytest.mark.parametrize(
    ("segments", "over"),
    [
        ({"2026-01-01": (10, 3), "outside": (9, 0)}, []),
        ({"2026-01-01": (10, 4), "2026-01-02": (400, 4)}, ["2026-01-01"]),
        ({"2026-01-01": (399, 4), "2026-01-02": (10, 0)}, ["2026-01-01"]),
        ({"2026-01-01": (1000, 10), "2026-01-02": (1000, 11)}, ["2026-01-02"]),
        ({"outside": (4, 4), "2026-01-01": (1, 0)}, ["outside"]),
        ({"outside": (3, 3), "2026-01-01": (0, 0)}, ["outside"]),
        ({"2026-01-01": (1, 1), "2026-01-02": (1, 1)}, ["2026-01-01", "2026-01-02"]),
        ({"2026-01-01": (1, 1), "2026-01-02": (9, 0)}, ["2026-01-01"]),
        ({"2026-01-01": (5, 3), "2026-01-02": (6, 3)}, ["2026-01-01"]),
        ({"2026-01-01": (0, 0)}, []),
        ({"2025-12-31": (9, 9), "all": (9, 9), "2026-01-01": (9, 0)}, []),
    ],
)
def test_more_than_a_hundredth_and_more_than_three(
    tmp_path: Path, segments: Mapping[str, tuple[int, int]], over: list[str]
) -> None:
    """Segments that the table, as it is cut now, does not have are passed over."""
    table = read(tmp_path / "sql", VISITS).get(TableRef("raw", "visits"))
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    store.create()
    records = [record(segment, *counts) for segment, counts in segments.items()]
    index.commit(store, "visits", Change(fresh=records))
    found = excess(table, WINDOW, store)
    assert [str(segment) for segment in found.segments] == over
    assert found.is_all == (bool(over) and over == [s for s, (rows, _) in segments.items() if rows])
    whole = replace(table, partition=None)
    assert [str(s) for s in excess(whole, WINDOW, store).segments] == ["all"] * ("all" in segments)
