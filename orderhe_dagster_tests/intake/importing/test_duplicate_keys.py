"""Keys of a file: what is a duplicate, what only MySQL would take for one, and at what cost."""

from __future__ import annotations

import logging
import tracemalloc

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.intake.importing import ImportProblems
from orderhe_dagster.intake.importing.collation import folded_columns
from orderhe_dagster_tests.intake.importing.desk import GOOD, HEADER, Desk, refused

AT = "2026-03-01 00:00:00"


def test_neighbours_in_the_file_are_two_keys_and_a_warning(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "orderhe"):
        done = desk.put(f"{HEADER}\nkr,1,{AT},1\nus,1,{AT},1\nKŔ,1,{AT},1\n")
    assert done.rows == 3
    (said,) = caplog.messages
    for word in ("lines.csv", "line 2 and line 4", "'kr, 1'", "'KŔ, 1'", "declare shop"):
        assert word in said
    assert "collate utf8mb4_bin" in said


def test_neighbours_in_the_table_are_a_warning_without_personal_data(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.put(f"{HEADER},mail\nkr,1,{AT},1,me@shop\n")
    with caplog.at_level(logging.WARNING, "orderhe"):
        desk.put(f"{HEADER},mail\nkr,2,{AT},1,ME@shop\n", "more.csv")
    (said,) = caplog.messages
    assert "more.csv, line 2" in said
    assert "raw.lines holds" in said
    assert "shop," not in said.lower().replace("raw/lines.sql", "")
    assert "@shop" not in said.lower()


def test_keys_that_differ_in_more_than_capitals_are_no_neighbours(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "orderhe"):
        desk.put(f"{HEADER}\nkr,1,{AT},1\nKR,2,{AT},1\n가,1,{AT},1\n각,1,{AT},1\n")
    assert caplog.messages == []


@pytest.mark.parametrize(
    ("definition", "options", "folded"),
    [
        ("varchar(9) not null", "", True),
        ("varchar(9) character set utf8mb4 collate utf8mb4_bin not null", "", False),
        ("varchar(9) collate utf8mb4_0900_as_cs not null", "", False),
        ("varchar(9) collate utf8mb4_0900_ai_ci not null", "collate=utf8mb4_bin", True),
        ("varchar(9) not null", "engine=InnoDB collate=utf8mb4_bin", False),
        ("varchar(9) binary not null", "", False),
        ("varchar(9) not null comment 'not, collate utf8mb4_bin'", "", True),
        ("int not null", "", False),
        ("enum('a', 'A') not null", "", False),
    ],
)
def test_a_contract_says_by_its_collation_how_keys_are_compared(
    desk: Desk, definition: str, options: str, folded: bool
) -> None:
    (desk.home / "sql" / "raw" / "other.sql").write_text(
        "-- Others, collate utf8mb4_bin.\ncreate table other (\n    a int,\n"
        f"    `code` {definition},\n    b varchar(2) collate utf8mb4_bin,\n"
        f"    primary key (`code`)\n) {options};\n"
    )
    (table,) = (t for t in read_catalogue(desk.home / "sql").layer("raw") if t.name == "other")
    assert folded_columns(table, ("code",)) == (("code",) if folded else ())


def test_duplicates_on_one_line_of_a_python_file_are_found(desk: Desk) -> None:
    row = f"{{'shop': 'k', 'number': 1, 'sold_at': '{AT}', 'price': 1}}"
    refused(desk, f"lines = [{row}, {row}]", "line 1 has it too", name="rows.py")


def test_a_file_of_nothing_but_duplicates_is_counted_to_the_last(desk: Desk) -> None:
    good = "".join(f"kr,{number},{AT},1\n" for number in range(40_000))
    desk.put(f"{HEADER}\n{good}")
    with pytest.raises(ImportProblems) as caught:
        desk.put(f"{HEADER}\nus,1,{AT},1\n{good}", "again.csv")
    assert caught.value.count == 40_000
    assert [problem.line for problem in caught.value.problems] == list(range(3, 23))
    twice = refused(desk, f"{HEADER}\n{good}{good}", "line 40002", "line 2 has it", name="two.csv")
    assert "and 39,980 more" in twice


def test_one_duplicate_does_not_bring_all_keys_into_memory(desk: Desk) -> None:
    rows = "".join(f"kr,{number},{AT},1\n" for number in range(100_000))
    desk.put(f"{HEADER}\nus,1,{AT},1\n", "first.csv")  # loads what is loaded once
    file = desk.home / "lines.csv"
    file.write_text(f"{HEADER}\n{rows}{GOOD}")
    tracemalloc.start()
    try:
        with pytest.raises(ImportProblems, match="line 100002"):
            desk.take(file)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 24e6, f"{peak / 1e6:.0f} MB"
