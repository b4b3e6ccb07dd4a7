"""`sql/README.md` says what the reader does: the same keys, the same types, examples that are read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderhe_dagster.catalog.header import KEYS
from orderhe_dagster.catalog.reader import CHECKED, FOLDERS
from orderhe_dagster.catalog.table import Column, TableRef
from orderhe_dagster.catalog.types import redshift_type
from orderhe_dagster.examples.document import FORMS
from orderhe_dagster.examples.problems import FOLDER as EXAMPLES
from orderhe_dagster.examples.reader import read_examples
from orderhe_dagster.examples.runner import run_examples
from orderhe_dagster.examples.values import counted_value, plain_value, read_value
from orderhe_dagster.intake.importing.column_map import DIRECTIVES, OPTIONS
from orderhe_dagster.resources.build import build_memory_warehouse
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
    maps = text[text.index("### Maps") : text.index("## Selects")]
    assert set(re.findall(r"@([a-z_]+)", text.replace(maps, ""))) - {"key"} == set(KEYS)
    assert set(re.findall(r"@([a-z_]+)", maps)) == {*OPTIONS, *DIRECTIVES}


def test_every_folder_is_documented(text: str) -> None:
    folders = [row[0].strip("`").rstrip("/") for row in rows(text, "folder")]
    assert folders == [*FOLDERS, "checks/<layer>", f"{EXAMPLES}/<layer>"]
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


def files(text: str) -> dict[str, str]:
    """The files that the page shows, by name."""
    return dict(re.findall(r"\*\*(\S+)\*\*\n```(?:sql|markdown)\n(.*?)```", text, re.DOTALL))


def test_the_examples_of_models_that_it_shows_pass(text: str, tmp_path: Path) -> None:
    catalogue = read(tmp_path, files(text))
    examples = read_examples(catalogue)
    with build_memory_warehouse() as session:
        verdicts = list(run_examples(catalogue, examples, session))
    assert [verdict for verdict in verdicts if not verdict.passed] == []
    assert [len(verdict.example.expected) for verdict in verdicts] == [2, 0]


def test_the_lines_of_an_example_are_the_ones_that_are_read(text: str) -> None:
    documented = {re.sub(r"\w+\.\w+", "<layer>.<table>", row[0]) for row in rows(text, "line")}
    assert documented == set(re.findall(r"`[^`]+`", FORMS))


def test_cells_are_read_as_the_table_says(text: str) -> None:
    table = rows(text, "type")
    for types, cells, left_out in table:
        for declared in re.findall(r"`([^`]+)`", types):
            name, *digits = re.findall(
                r"[a-z]+(?: precision)?|\d+", declared.replace("p, s", "9, 2")
            )
            digits = ["9"] if "(n)" in declared else [one for one in digits if one.isdigit()]
            column = Column("c", redshift_type(name, digits), nullable=False)
            for cell in re.findall(r"`([^`]+)`", cells):
                assert type(read_value(column, cell)) is type(plain_value(column))
            assert plain_value(column) == read_value(column, left_out.split("`")[1])
    assert len(table) == 8
    day = Column("c", redshift_type("date"))
    assert counted_value(day, 1) == read_value(day, "2000-01-02")
