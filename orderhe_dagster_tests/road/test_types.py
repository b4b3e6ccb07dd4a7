"""Every type of MySQL at its edges, through extract, Parquet and COPY: exact, or in quarantine by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orderhe_dagster.road.quarantine_report import report_quarantine
from orderhe_dagster_tests.catalog.torture import FAULTS, VALUES
from orderhe_dagster_tests.intake.adopt.strange import on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop

GOOD = {f"v{n}": case for n, case in enumerate(VALUES.values())}
BAD = {f"f{n}": case for n, case in enumerate(FAULTS.values())}


@pytest.fixture(params=["scanner", "arrow"])
def shop(
    request: pytest.FixtureRequest, mariadb: MariaDB, shop_database: str, tmp_path: Path
) -> TestShop:
    """A shop with one table: row 1 holds every value, row 2 none, and each further row one fault."""
    sql = tmp_path / "shop" / "sql"
    sql.mkdir(parents=True)
    shop = TestShop(
        tmp_path / "shop",
        {"ORDERHE_SQL": str(sql), "ORDERHE_START_DATE": "2026-01-01"},
    )
    on(shop, mariadb, shop_database)
    shop.environ["ORDERHE_MYSQL_EXTRACT"] = request.param
    columns = [f"{name} {kind}" for name, (kind, *_) in (GOOD | BAD).items()]
    body = ",\n    ".join(["id int primary key", *columns])
    # Without bytes in the row: MySQL's row has 65,535 at most, of which a long text takes ten.
    shop.write({"raw/edges.sql": f"-- Edges.\ncreate table edges (\n    {body}\n)"})
    shop.create()
    given = [name for name, (_, value, _) in GOOD.items() if value != "default"]
    values = ", ".join(GOOD[name][1] for name in given)
    faulty = [
        f"insert into edges (id, {name}) values ({number}, {case[1]})"
        for number, (name, case) in enumerate(BAD.items(), 3)
    ]
    first = f"insert into edges (id, {', '.join(given)}) values (1, {values})"
    run(mariadb, shop_database, [first, "insert into edges (id) values (2)", *faulty])
    return shop


def wanted(case: tuple[str, str, Any]) -> Any:
    kind, _, value = case
    return bytes.fromhex(value) if kind == "mediumblob" else value


def test_values_arrive_exactly_or_stand_in_quarantine(shop: TestShop) -> None:
    outcome = shop.run("*")
    # The proof is among the checks: source = backup = warehouse.
    (failed,) = outcome.failed_checks
    assert f"few_rows_in_quarantine: too many for figures: all ({len(FAULTS)} of" in failed
    names = ", ".join(GOOD)
    first, second = shop.rows(f"select {names} from warehouse.edges order by id")
    for title, name, value_read in zip(VALUES, GOOD, first, strict=True):
        assert value_read == wanted(GOOD[name]), title
    assert [value for value in second if value is not None] == [4]  # the computed one

    record = shop.record("edges", "all")
    assert (record.measure.rows, record.quarantined) == (2, len(FAULTS))
    assert record.touch.rows == 2 + len(FAULTS)
    (table,) = (one for one in shop.catalogue.layer("raw") if one.name == "edges")
    report = report_quarantine(shop.store, table, [record])
    assert report.sentence().startswith(
        f"{len(FAULTS)} rows could not be carried"
    )  # it has no days
    because = {row["id"]: row["quarantined_because"] for row in report.first}
    for number, (name, case) in enumerate(BAD.items(), 3):
        assert because[number].startswith(case[2].replace("c ", f"{name} ", 1))


def test_the_check_lists_what_stands_in_quarantine(shop: TestShop) -> None:
    outcome = shop.run("backup/edges")
    assert outcome.succeeded, outcome.lines()
    (said,) = [text for text in outcome.warned_checks if f"{len(FAULTS)} rows" in text]
    name, case = next(iter(BAD.items()))
    assert f"{case[2].replace('c ', f'{name} ', 1)}" in said
    assert "(1)" in said and "the first: id = 3; id = 4; id = 5" in said and "docs/types.md" in said
    with dg.DagsterInstance.from_config(str(shop.settings.home / "dagster")) as instance:
        event = instance.get_latest_materialization_event(dg.AssetKey(["backup", "edges"]))
    assert event is not None
    materialization = event.asset_materialization
    assert materialization is not None
    assert materialization.metadata["rows_in_quarantine"].value == len(FAULTS)
    before = shop.run("backup/edges")  # the same rows: the generation stays
    assert before.succeeded
    record = shop.record("edges", "all")
    assert record.generation == 1
