from __future__ import annotations

import csv
import errno
import os
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.rendering.csv_files import CsvFile, Written, join, write_parts
from orderhe_dagster_tests.csv_files import write_csv


def read(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file))


def test_values_are_plain_when_written(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    row = [
        "가나 🎁",
        'a "b"\nc',
        date(2026, 1, 2),
        datetime(2026, 1, 2, 3, 4, 5),
        Decimal("1E+3"),
        True,
        None,
    ]
    written = write_csv(path, list("abcdefg"), [row])
    assert (written.rows, written.size) == (1, path.stat().st_size)
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


ROWS = [[number, "한 줄\nand, one" * (number % 7)] for number in range(500)]


@pytest.mark.parametrize("most", [60, 100, 1_000, 20_000])
def test_parts_hold_every_row_whole_and_in_order(tmp_path: Path, most: int) -> None:
    whole = write_csv(tmp_path / "rows.csv", ["n", "t"], ROWS, most)
    parts = write_parts(whole, tmp_path / "parts")
    assert sorted(parts) == parts == sorted((tmp_path / "parts").iterdir())
    read_again = [row for part in parts for row in read(part)[1:]]
    assert read_again == [[str(number), text] for number, text in ROWS]
    for part in parts:
        rows = read(part)
        assert rows[0] == ["n", "t"]
        assert part.stat().st_size <= most or len(rows) == 2  # a row alone is never cut
    assert sum(part.stat().st_size - len("n,t\n") for part in parts) + 4 == whole.size


def refusing(*given: object, **named: object) -> int:
    raise OSError(errno.EXDEV, "not on this disk")


def copying_little(source: int, target: int, many: int, offset_src: int) -> int:
    """What a kernel may do: fewer bytes than asked for."""
    return os.write(target, os.pread(source, min(many, 7), offset_src))


@pytest.mark.parametrize("kernel", [None, refusing, copying_little, lambda *a, **n: 0])
def test_parts_are_the_same_whatever_the_kernel_can_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kernel: Any
) -> None:
    whole = write_csv(tmp_path / "rows.csv", ["n", "t"], ROWS, 1_000)
    parts = [path.read_bytes() for path in write_parts(whole, tmp_path / "parts")]
    if kernel is None:
        monkeypatch.delattr(os, "copy_file_range", raising=False)
    else:
        monkeypatch.setattr(os, "copy_file_range", kernel, raising=False)
    again = write_parts(whole, tmp_path / "again")
    assert [path.read_bytes() for path in again] == parts
    assert join(again, ["n", "t"], tmp_path / "joined.csv") == whole.size
    assert (tmp_path / "joined.csv").read_bytes() == whole.path.read_bytes()


def test_no_parts_when_one_holds_it_all(tmp_path: Path) -> None:
    whole = write_csv(tmp_path / "rows.csv", ["n", "t"], ROWS)
    assert write_parts(whole, tmp_path / "parts") == []
    exact = write_csv(tmp_path / "exact.csv", ["n", "t"], ROWS, whole.size)
    assert write_parts(exact, tmp_path / "parts") == []
    assert len(write_parts(replaced(tmp_path, whole.size - 1), tmp_path / "parts")) == 2


def replaced(folder: Path, most: int) -> Written:
    return write_csv(folder / "less.csv", ["n", "t"], ROWS, most)


def test_no_parts_when_there_are_no_rows(tmp_path: Path) -> None:
    whole = write_csv(tmp_path / "rows.csv", ["a name that is long"], [], 10)
    assert (whole.rows, whole.edges) == (0, (whole.size,))
    assert write_parts(whole, tmp_path / "parts") == []


def test_a_part_has_no_more_rows_than_a_sheet(tmp_path: Path) -> None:
    path = tmp_path / "rows.csv"
    with path.open("wb") as stream:
        file = CsvFile(stream, ["n"], part_bytes=1_000_000, part_rows=200)
        file.add([[number] for number in range(500)])
        parts = write_parts(file.written(path), tmp_path / "parts")
    assert [len(read(part)) for part in parts] == [201, 201, 101]


def test_parts_of_two_exports_have_other_names(tmp_path: Path) -> None:
    names = []
    for folder, rows in (("a", ROWS), ("b", ROWS[::-1]), ("c", ROWS)):
        (tmp_path / folder).mkdir()
        whole = write_csv(tmp_path / folder / "rows.csv", ["n", "t"], rows, 1_000)
        names.append({path.name for path in write_parts(whole, tmp_path / folder / "parts")})
    assert not names[0] & names[1]
    assert names[0] == names[2]
    assert all(name.startswith("rows-") and name.endswith(".csv") for name in names[0])
