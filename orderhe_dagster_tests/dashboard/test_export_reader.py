"""The exports' files read back: what `csvfile` writes is what the page is told."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.dashboard.export_reader import ExportError, read_export
from orderhe_dagster.dashboard.panels import Sort
from orderhe_dagster_tests.csv_files import write_csv


def read_back(path: Path, value: Any, sort: Sort) -> Any:
    write_csv(path, ["more", "wanted"], [["=1", value]])
    (row,) = read_export(path, {"wanted": sort})
    return row["wanted"]


@pytest.mark.parametrize(
    ("written", "sort", "wanted"),
    [
        (date(2026, 1, 31), "day", "2026-01-31"),
        (12345678901234, "number", 12345678901234),
        (-3, "number", -3),
        (Decimal("-12.50"), "number", -12.5),
        (Decimal("1E+3"), "number", 1000),
        (0.1, "number", 0.1),
        (None, "number", None),
        (None, "text", None),
        ("가방 \u2028 </script> 🎁", "text", "가방 \u2028 </script> 🎁"),
        ('one, "two"\nthree\r', "text", 'one, "two"\nthree\r'),
        ("=cmd()", "text", "=cmd()"),
        ("-20% tea", "text", "-20% tea"),
        ("\uff0b tea", "text", "\uff0b tea"),
        ("'tis the season", "text", "'tis the season"),
        ("'", "text", "'"),
        (17, "name", 17),
        ("007", "name", "007"),
        ("+7", "name", "+7"),
        ("85123A", "name", "85123A"),
    ],
)
def test_a_value_comes_back_when_its_cell_is_read(
    tmp_path: Path, written: Any, sort: Sort, wanted: Any
) -> None:
    value_read = read_back(tmp_path / "rows.csv", written, sort)
    assert (value_read, type(value_read)) == (wanted, type(wanted))


@pytest.mark.parametrize(
    ("value", "sort", "message"),
    [
        ("abc", "number", "line 2, wanted: not a number"),
        (float("nan"), "number", "line 2, wanted: not a finite number"),
        ("31.1.2026", "day", "line 2, wanted: not a date like 2026-01-31"),
    ],
)
def test_a_wrong_value_is_told_with_its_place(
    tmp_path: Path, value: Any, sort: Sort, message: str
) -> None:
    path = tmp_path / "daily_sales.csv"
    with pytest.raises(ExportError) as error:
        read_back(path, value, sort)
    assert f"{path}, {message}: materialize export/daily_sales again" in str(error.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "has no column day"),
        ("other\n1\n", "has no column day"),
        ("day,more\n2026-01-01\n", "line 2: 1 cells, where the header has 2"),
        ('day\n"2026', "unexpected end of data"),
        ("day\n\udcff\n", "can't decode byte"),
    ],
)
def test_a_damaged_file_is_told_with_the_remedy(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "daily_sales.csv"
    path.write_text(text, "utf-8", errors="surrogateescape")
    with pytest.raises(ExportError) as error:
        read_export(path, {"day": "day"})
    assert message in str(error.value)
    assert "materialize export/daily_sales again" in str(error.value)


def test_columns_are_found_by_name_wherever_they_stand(tmp_path: Path) -> None:
    write_csv(tmp_path / "a.csv", ["b", "a"], [[1, "x"], [None, None]])
    rows = read_export(tmp_path / "a.csv", {"a": "text", "b": "number"})
    assert rows == [{"a": "x", "b": 1}, {"a": None, "b": None}]
