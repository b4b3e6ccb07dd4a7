"""Pieces of SQL about a contract's columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.intake.start.sql_words import day_of, number_type, sum_type
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


@pytest.mark.parametrize(
    ("column", "number", "total"),
    [
        ("total int", "bigint", "bigint"),
        ("total decimal(10,2)", "decimal(18, 2)", "decimal(26, 2)"),
        ("total decimal(26,8)", "decimal(26, 8)", "decimal(32, 8)"),
        # As Prisma has it. One taken off another must fit into 38 digits, too.
        ("total decimal(65,30)", "decimal(18, 8)", "decimal(32, 8)"),
        ("total_cents int", "decimal(18, 2)", "decimal(26, 2)"),
        ("total_percent int", "bigint", "bigint"),
        ("total double", "decimal(18, 4)", "decimal(28, 4)"),
    ],
)
def test_sums_of_amounts_have_room(column: str, number: str, total: str, tmp_path: Path) -> None:
    text = f"create table orders (id int primary key, {column});\n"
    (table,) = read_catalogue(write(tmp_path, {"raw/orders.sql": text})).layer("raw")
    assert (number_type(table.columns[1]), sum_type(table.columns[1])) == (number, total)
