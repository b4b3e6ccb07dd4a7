"""`orderhe quarantine`: what stands apart by reason and row, since when, and how it comes back."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner, Result

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.cli import main
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import Measure, Touch
from orderhe_dagster.rendering.masking import MASK
from orderhe_dagster.road import index
from orderhe_dagster.road.backups import Part, Record
from orderhe_dagster.road.index import Change
from orderhe_dagster_tests.intake.adopt.strange import on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop, shop_of

FIRST, SECOND = "2026-01-01", "2026-01-02"
VISITS = {
    "raw/visits.sql": """
-- Who came in.
-- @partition day
-- @cursor changed_at
-- @bad_values note null
create table visits (
    id int not null primary key,
    day date not null,
    born date,
    note text,
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
ZERO, NONE = "born 0000-00-00 is no real day", "born 2026-02-30 is no real day"
NUL = "note holds the character 0x00, which Redshift takes in no text"


def orderhe(shop: TestShop, *words: str) -> Result:
    environ = {**shop.environ, "ORDERHE_HOME": str(shop.home)}
    return CliRunner().invoke(main, list(words), env=environ, catch_exceptions=False)


def of_json(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


# What earlier readings left --------------------------------------------------------------------


@pytest.fixture
def read_shop(tmp_path: Path) -> TestShop:
    """A shop whose backups are given reading by reading, without a source."""
    shop = shop_of(tmp_path / "shop", VISITS, ORDERHE_START_DATE=FIRST, ORDERHE_SHOP="external")
    shop.store.create()
    return shop


def reading(shop: TestShop, at: int, **days: Mapping[int, str]) -> None:
    """A backup of some days, made at that day of January: id -> why, of its rows in quarantine."""
    records = []
    for name, rows in days.items():
        day = Segment(name.removeprefix("d").replace("_", "-"))
        lines = [json.dumps({"id": one, "quarantined_because": why}) for one, why in rows.items()]
        body = "".join(f"{line}\n" for line in lines).encode()
        key = f"backup/visits/{day}/run-{at}/quarantine-00000.jsonl"
        shop.store.put(key, body)
        part = Part(key, len(body), hashlib.sha256(body).hexdigest())
        moment = datetime(2026, 1, at, 3, tzinfo=timezone.utc)
        record = Record(
            table="visits",
            segment=day,
            generation=0,
            run_id=f"run-{at}",
            manifest="",
            measure=Measure(10 - len(rows)),
            touch=Touch(10),
            parts=(),
            schema="s",
            source="test",
            snapshot_at=moment,
            verified_at=moment,
            quarantined=len(rows),
        )
        records.append(replace(record, quarantine=(part,)) if rows else record)
    index.commit(shop.store, "visits", Change(fresh=records))


def test_rows_are_told_by_reason_with_the_reading_that_set_them_apart(read_shop: TestShop) -> None:
    reading(read_shop, 3, d2026_01_01={7: ZERO}, d2026_01_02={8: f"{NUL}; {NONE}"})
    reading(read_shop, 4, d2026_01_01={7: ZERO, 9: NONE})
    by_reason = of_json(orderhe(read_shop, "quarantine", "visits", "--format", "json"))
    assert [(row["column"], row["rows"], row["days"], row["values"]) for row in by_reason] == [
        ("born", 3, 2, "2026-02-30, 0000-00-00"),
        ("note", 1, 1, ""),
    ]
    assert [(row["first_day"], row["last_day"]) for row in by_reason] == [
        (FIRST, SECOND),
        (SECOND, SECOND),
    ]
    assert {(row["since"], row["generation"]) for row in by_reason} == {
        ("2026-01-03 12:00:00+09:00", 1)
    }
    each = of_json(orderhe(read_shop, "quarantine", "--rows", "--format", "json"))
    assert [(row["key"]["id"], row["day"], row["generation"], row["run_id"]) for row in each] == [
        (7, FIRST, 1, "run-3"),
        (9, FIRST, 2, "run-4"),
        (8, SECOND, 1, "run-3"),
    ]
    some = orderhe(read_shop, "quarantine", "visits", "--from", SECOND, "--rows", "--format", "csv")
    header, row = csv.reader(io.StringIO(some.stdout))
    assert dict(zip(header, row, strict=True))["key"] == "id = 8"
    assert dict(zip(header, row, strict=True))["reason"] == f"{NUL}; {NONE}"
    shown = orderhe(read_shop, "quarantine").stdout
    assert "visits: 3 rows of 2 days in quarantine" in shown
    span = f"--from {FIRST} --to {SECOND}"
    assert f"each of them: orderhe quarantine visits --rows {span}" in shown
    assert f"then: orderhe quarantine visits --replay {span}" in shown


def test_what_came_back_is_known_as_long_as_its_generations_are_kept(read_shop: TestShop) -> None:
    reading(read_shop, 3, d2026_01_01={7: ZERO, 9: NONE})
    reading(read_shop, 4, d2026_01_01={9: NONE})
    reading(read_shop, 5, d2026_01_01={})
    assert orderhe(read_shop, "quarantine").stdout == "nothing is in quarantine: visits\n"
    each = of_json(orderhe(read_shop, "quarantine", "--history", "--rows", "--format", "json"))
    assert [(row["key"]["id"], row["generation"], row["until_generation"]) for row in each] == [
        (7, 1, 2),
        (9, 1, 3),
    ]
    (group,) = of_json(orderhe(read_shop, "quarantine", "--history", "--format", "json"))
    assert (group["rows"], group["until"]) == (2, "2026-01-05 12:00:00+09:00")
    read_shop.store.delete(["backup/visits/2026-01-01/run-3/quarantine-00000.jsonl"])
    lost = orderhe(read_shop, "quarantine", "--history", "--rows")
    assert lost.exit_code == 1
    assert "run-3/quarantine-00000.jsonl is not there: it is of generation 1" in lost.stdout
    assert "id = 9" in lost.stdout and "id = 7" not in lost.stdout


def test_what_the_contract_calls_personal_later_is_masked_in_what_was_written_before(
    read_shop: TestShop,
) -> None:
    reading(read_shop, 3, d2026_01_01={7: f"{ZERO}; {NUL}", 9: NONE})
    reading(read_shop, 4, d2026_01_01={7: f"{ZERO}; {NUL}"})
    assert "id = 7" in orderhe(read_shop, "quarantine", "--rows").stdout
    text = VISITS["raw/visits.sql"].replace("-- @partition", "-- @pii id, born\n-- @partition")
    read_shop.write({"raw/visits.sql": text})
    (row,) = of_json(orderhe(read_shop, "quarantine", "--rows", "--format", "json"))
    assert row["key"] == {"id": MASK}
    assert row["reason"] == f"born is no real day; {NUL}"
    (row,) = of_json(orderhe(read_shop, "quarantine", "--history", "--rows", "--format", "json"))
    assert (row["key"], row["reason"]) == ({"id": MASK}, "born is no real day")
    by_reason = of_json(orderhe(read_shop, "quarantine", "--format", "json"))
    assert {one["values"] for one in by_reason} == {""}


def test_a_replay_of_what_cannot_be_read_is_no_success(
    read_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unread(*_: Any) -> Any:
        raise PortError("the index cannot be read")

    monkeypatch.setattr(index, "read", unread)
    done = orderhe(read_shop, "quarantine", "--replay")
    assert (done.exit_code, done.stdout) == (1, "note: the index cannot be read\n")


def test_a_table_without_days_or_backup_and_a_wrong_name_are_told(read_shop: TestShop) -> None:
    assert orderhe(read_shop, "quarantine").stdout == "no backup yet: visits\n"
    wrong = orderhe(read_shop, "quarantine", "visit")
    assert (wrong.exit_code, "did you mean visits?" in wrong.stderr) == (1, True)
    assert orderhe(read_shop, "quarantine", "--replay", "--rows").exit_code == 2


# How rows come back ----------------------------------------------------------------------------


@pytest.fixture
def shop(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> TestShop:
    """A shop of two days of ten visits on a MySQL that takes what it should not."""
    made = shop_of(tmp_path / "shop", VISITS, ORDERHE_START_DATE=FIRST)
    on(made, mariadb, shop_database)
    made.create()
    row = "insert into visits select seq, '2026-01-0{0}', null, null, '2026-01-01' from seq_{0}01_to_{0}10"
    run(mariadb, shop_database, [row.format(day) for day in (1, 2)])
    return made


def metadata(shop: TestShop, day: str) -> Mapping[str, Any]:
    """What the last materialization of a day's backup shows."""
    with dg.DagsterInstance.from_config(str(shop.home / "dagster")) as instance:
        key = dg.AssetKey(["backup", "visits"])
        (record,) = instance.fetch_materializations(
            dg.AssetRecordsFilter(key, asset_partitions=[day]), limit=1
        ).records
    assert record.asset_materialization is not None
    shown = record.asset_materialization.metadata
    return {name: value.value for name, value in shown.items()}


def test_rows_come_back_when_the_cause_is_mended_though_no_cursor_moved(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    faulty = "update visits set born = '0000-00-00' where id in (101, 102, 103)"
    run(mariadb, shop_database, [faulty])
    outcome = shop.run("*", FIRST, SECOND)
    (warned,) = [text for text in outcome.warned_checks if "nothing_quarantined" in text]
    days = f"--from {FIRST} --to {FIRST}"
    assert f"then: orderhe quarantine visits --replay {days}" in warned
    assert warned.endswith(f"each row: orderhe quarantine visits --rows {days}")
    assert metadata(shop, FIRST)["rows_in_quarantine"] == 3
    assert metadata(shop, SECOND)["rows_in_quarantine"] == 0
    assert metadata(shop, SECOND)["table_rows_in_quarantine"] == 3

    run(
        mariadb,
        shop_database,
        [
            "update visits set born = '2000-01-01' where id = 101",
            "delete from visits where id = 102",
            "update visits set note = 'nobody told' where id = 201",  # no reading of that day is due
        ],
    )
    said = shop.paste(warned)
    assert (
        "visits: of 3 rows in quarantine before: 1 came back into the warehouse; 1 in neither: "
        "gone from the shop's database, or not loaded; 1 row still in quarantine"
    ) in said
    assert "1: born is no real day (0000-00-00)" in said
    assert metadata(shop, FIRST)["days_read"] == 1
    assert shop.record("visits", SECOND).generation == 1
    assert shop.rows("select visit_count from mart.visit_days order by day") == [(8,), (10,)]

    text = VISITS["raw/visits.sql"].replace("note null", "note null, born null")
    shop.write({"raw/visits.sql": text})
    said = orderhe(shop, "quarantine", "--replay").stdout
    assert "of 1 row in quarantine before: 1 came back into the warehouse; none" in said
    assert shop.rows("select visit_count from mart.visit_days order by day") == [(9,), (10,)]
    assert orderhe(shop, "quarantine", "--replay").stdout.splitlines() == [
        "visits: 1 value of born became NULL, as @bad_values says",
        "nothing is in quarantine: visits",
    ]
    history = of_json(orderhe(shop, "quarantine", "--history", "--rows", "--format", "json"))
    assert [(row["key"]["id"], row["until_generation"]) for row in history] == [
        (101, 2),
        (102, 2),
        (103, 3),
    ]


def test_a_damaged_list_of_rows_stops_no_run_and_is_written_anew(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, ["update visits set born = '0000-00-00' where id = 101"])
    assert shop.run("*", FIRST, SECOND).succeeded
    (part,) = shop.record("visits", FIRST).quarantine
    shop.store.put(part.key, b'{"id": 999, "quarantined_because": "by hand"}\n')
    found = orderhe(shop, "quarantine")
    assert found.exit_code == 1
    assert f"{part.key} is not as it was written (SHA-256)" in found.stdout
    outcome = shop.run("backup/visits", SECOND)
    assert outcome.succeeded
    (warned,) = [text for text in outcome.warned_checks if "nothing_quarantined" in text]
    assert part.key in warned and "--replay" in warned
    assert "1 row still in quarantine" in shop.paste(found.stdout.partition("error: ")[2])
    assert orderhe(shop, "quarantine").exit_code == 0
    assert shop.rows("select count(*) from warehouse.visits where day = date '2026-01-01'") == [
        (9,)
    ]
