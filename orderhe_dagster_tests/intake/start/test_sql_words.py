"""Pieces of SQL about a contract's columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.intake.start.sql_words import day_of
from orderhe_dagster_tests.intake.start.shops import write

LOCAL = "convert_timezone('UTC', 'Asia/Seoul', o.{})::date"


@pytest.mark.parametrize(
    ("column", "sql"),
    [
        ("created_at timestamp null", LOCAL.format("created_at")),
        ("date_created_gmt datetime", LOCAL.format("date_created_gmt")),
        ("placedUtc datetime(3)", LOCAL.format("placedutc")),
        ("date_created datetime", "o.date_created::date"),
        ("gmt_day date", "o.gmt_day"),
    ],
)
def test_a_moment_in_utc_counts_on_the_day_of_the_shop(
    column: str, sql: str, tmp_path: Path
) -> None:
    text = f"create table orders (id int primary key, {column});\n"
    (table,) = read_catalogue(write(tmp_path, {"raw/orders.sql": text})).layer("raw")
    day = table.columns[1]
    assert day_of("o", day, "Asia/Seoul").lower() == sql.lower()
    assert "convert_timezone" not in day_of("o", day, "UTC")
