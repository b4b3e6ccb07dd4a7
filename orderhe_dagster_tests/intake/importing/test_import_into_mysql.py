"""Imports and the simulation on a real server: the same files, the same reports, the same rows."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.mysql.source import MySQLSource
from orderhe_dagster.shop.simulation import Simulation, SimulationError
from orderhe_dagster_tests.intake.importing.desk import GOOD, HEADER, Desk, refused
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source
from orderhe_dagster_tests.shops import OWN_SQL

SEOUL = "Asia/Seoul"
RARE = [
    "id,made,clock,fine,tags,code,four,ratio,small,shape",
    '1,2155,-838:59:59,12:34:56.789,"a,b",한글,61626364,1e-300,0.5,"{""a"": [1]}"',
    r"2,1901,838:59:59,-00:00:00.001,it's,a,00ff0001,-1.5,3.4e38,null",
    r"3,\N,\N,\N,\N,\N,\N,\N,\N,\N",
]


@pytest.fixture
def source(mariadb: MariaDB, shop_database: str) -> MySQLSource:
    found: MySQLSource = mysql_source(mariadb, shop_database)
    return found


@pytest.fixture
def desk(source: MySQLSource, tmp_path: Path) -> Desk:
    return Desk(tmp_path / "mysql", source)


def test_a_file_is_loaded_once_and_its_rows_are_named_if_it_comes_again(desk: Desk) -> None:
    more = "us,2,2026-03-02 10:00:00.125,0.01\n"
    assert desk.put(f"{HEADER}\n{GOOD}{more}").rows == 2
    assert [(row["shop"], row["number"], row["state"]) for row in desk.rows()] == [
        ("kr", 1, "new"),
        ("us", 2, "new"),
    ]
    report = refused(
        desk, f"{HEADER}\n{GOOD}{more}", "raw.lines holds it already", name="again.csv"
    )
    assert "lines 2" in report or "line 2" in report


def test_a_bad_row_keeps_all_rows_out(desk: Desk) -> None:
    refused(desk, f"{HEADER}\n{GOOD}us,2,2026-02-30 00:00:00,1\n", "sold_at", "line 3")


def test_the_same_rows_are_held_as_on_the_laptop(desk: Desk, tmp_path: Path) -> None:
    """What MySQL is particular about arrives as the embedded source has it, by measure and by row."""
    laptop = Desk(tmp_path / "laptop")
    body = "\n".join(RARE) + "\n"
    for each in (desk, laptop):
        assert each.put(body, "rare.csv", "rare").rows == 3
        each.put("key,group\nfrom,1\n키,\\N\n", "order.csv", "order")
    for name in ("rare", "order"):
        measures = [each.source.measure(each.tables[name], None) for each in (desk, laptop)]
        assert measures[0] == measures[1], name
    assert desk.rows("order") == laptop.rows("order")


def test_a_simulated_shop_is_the_laptops(source: MySQLSource, tmp_path: Path) -> None:
    """A few days, then more, so that orders move on: MySQL holds what the embedded source holds."""
    catalogue = read_catalogue(OWN_SQL).in_zone(SEOUL)
    simulation = Simulation(catalogue, seed=3, time_zone=SEOUL)
    laptop = EmbeddedSource(path=str(tmp_path / "shop.duckdb"))
    for each in (source, laptop):
        simulation.prepare(each)
        for days in ([date(2026, 3, 1), date(2026, 3, 2)], [date(2026, 3, 4)]):
            simulation.make(each, days)
    assert simulation.make(source, [date(2026, 3, 2)]).days == 0
    window = Window(date(2026, 3, 1), date(2026, 3, 5))
    for table in catalogue.layer("raw"):
        span = window if table.partition else None
        assert source.measure(table, span) == laptop.measure(table, span), table.ref


def test_the_simulation_writes_into_no_shop_of_others(
    source: MySQLSource, mariadb: MariaDB, shop_database: str
) -> None:
    catalogue = read_catalogue(OWN_SQL)
    source.create(catalogue.layer("raw"))
    mariadb.run(
        f"insert into {shop_database}.products (product_id, sku, product_name, category, brand, "
        "unit_price, launched_date, created_at, updated_at) "
        "values (1, 'a', 'a', 'a', 'a', 1, now(), now(), now())"
    )
    simulation = Simulation(catalogue, seed=1, time_zone=SEOUL)
    for attempt in (simulation.prepare, lambda one: simulation.make(one, [date(2026, 3, 1)])):
        with pytest.raises(SimulationError, match=f"{shop_database}.*ORDERHE_SHOP=external"):
            attempt(source)
    found: list[Any] = mariadb.run(f"select count(*) from {shop_database}.orders")
    assert found == [(0,)]
