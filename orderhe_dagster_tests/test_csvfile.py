from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orderhe_dagster.csvfile import write_csv


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_values_are_plain_when_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "rows.csv"
    row = [
        "가나 🎁",
        'a "b"\nc',
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5),
        Decimal("1E+3"),
        True,
        None,
    ]
    assert write_csv(path, list("abcdefg"), [row]) == 1
    assert read(path) == [
        list("abcdefg"),
        ["가나 🎁", 'a "b"\nc', "2026-01-02", "2026-01-02 03:04:05", "1000", "true", ""],
    ]


FULL_WIDTH = ["\uff1d1+1", "\uff0b1", "\uff0d1", "\uff20sum"]


@pytest.mark.parametrize(
    "formula", ["=1+1", "+1", "-1+cmd", "@sum", "\t=1", "\r=1", "\n=1", *FULL_WIDTH]
)
def test_a_formula_is_text_when_a_spreadsheet_opens_it(tmp_path: Path, formula: str) -> None:
    write_csv(tmp_path / "rows.csv", [formula, "b"], [[formula, -5]])
    assert read(tmp_path / "rows.csv") == [["'" + formula, "b"], ["'" + formula, "-5"]]


def test_the_file_before_stays_when_writing_fails(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    write_csv(path, ["a"], [[1]])

    def failing() -> Iterator[list[int]]:
        yield [2]
        raise RuntimeError("gone")

    with pytest.raises(RuntimeError, match="gone"):
        write_csv(path, ["a"], failing())
    assert read(path) == [["a"], ["1"]]
    assert [found.name for found in tmp_path.iterdir()] == ["rows.csv"]
