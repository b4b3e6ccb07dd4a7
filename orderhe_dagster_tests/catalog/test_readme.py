"""`sql/README.md` says what the reader does: the same keys, the same types, examples that are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderhe_dagster.catalog.header import KEYS
from orderhe_dagster.catalog.reader import CHECKED, FOLDERS
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster_tests.catalog.folders import read, refused

README = Path(__file__).resolve().parents[2] / "sql" / "README.md"


@pytest.fixture(scope="module")
def text() -> str:
    return README.read_text(encoding="utf-8")


def rows(text: str, first: str) -> list[list[str]]:
    """The cells of the table whose heading row begins with `first`."""
    block = text[text.index(f"\n| {first} |") + 1 :].split("\n\n", maxsplit=1)[0]
    cells = (line.strip("| ").split(" | ") for line in block.split("\n")[2:])
    return [[cell.strip() for cell in row] for row in cells]


def test_every_key_is_documented_and_only_those(text: str) -> None:
    assert {row[0].strip("`@") for row in rows(text, "key")} == set(KEYS)
    assert set(re.findall(r"@([a-z_]+)", text)) - {"key"} == set(KEYS)


def test_every_folder_is_documented(text: str) -> None:
    folders = [row[0].strip("`").rstrip("/") for row in rows(text, "folder")]
    assert folders == [*FOLDERS, "checks/<layer>"]
    assert set(CHECKED) < set(FOLDERS)


def test_every_example_is_read(text: str, tmp_path: Path) -> None:
    examples = dict(re.findall(r"\*\*(\S+)\*\*\n```sql\n(.*?)```", text, re.DOTALL))
    assert len(examples) == text.count("```sql")
    catalogue = read(tmp_path, examples)
    assert {table.path for table in catalogue.tables} | {c.path for c in catalogue.checks} == set(
        examples
    )
    mart = catalogue.get(TableRef("mart", "daily_payments"))
    assert mart.partition == "paid_date"
    assert catalogue.layer("export")[0].column("method").description == "How it was paid"


def test_types_become_what_the_table_says(text: str, tmp_path: Path) -> None:
    checked = 0
    for left, right in rows(text, "MySQL"):
        for names, target in zip(left.split("; "), right.split("; "), strict=True):
            (wanted, *_) = re.findall(r"`([a-z ]+)", target)
            for name in re.findall(r"`([^`]+)`", names):
                declared = {"enum": "enum('a')", "set": "set('a')"}.get(name, name)
                declared = declared.replace("(p, s)", "(9, 2)").replace("(n)", "(9)")
                column = (
                    read(tmp_path, {"raw/x.sql": f"create table x (c {declared})"})
                    .tables[0]
                    .columns[0]
                )
                assert {"double": "double precision"}.get(
                    column.type.kind, column.type.kind
                ) == wanted
                checked += 1
    assert checked > 20


@pytest.mark.parametrize("declared", ["point", "vector(3)", "geometry"])
def test_refused_types_are_refused(declared: str, tmp_path: Path) -> None:
    (problem,) = refused(tmp_path, {"raw/x.sql": f"create table x (c {declared})"})
    assert "leave the column out" in problem
