"""docs/types.md says of every type what the code does, and of no type something else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderhe_dagster.catalog import mysql_projection
from orderhe_dagster.catalog.mysql_types import names
from orderhe_dagster.catalog.table import BAD_VALUES
from orderhe_dagster.catalog.types import arrow_text, arrow_type, duckdb_text, redshift_text
from orderhe_dagster_tests.catalog.folders import read, refused

PAGE = Path(__file__).parents[2] / "docs" / "types.md"
SAYS = {
    "a day that is none": "z",
    "the character 0x00": "t",
    "too long": "l",
    "more than 38 digits": "d",
    "the empty value of an enum": "e",
}


@pytest.fixture(scope="module")
def page() -> str:
    return PAGE.read_text("utf-8")


def rows(page: str, first: str) -> list[list[str]]:
    block = page[page.index(f"\n| {first} |") + 1 :].split("\n\n", maxsplit=1)[0]
    return [
        [cell.strip() for cell in line.strip("|").split("|")] for line in block.splitlines()[2:]
    ]


def ticked(text: str) -> list[str]:
    return re.findall(r"`([^`]+)`", text)


def test_every_type_becomes_what_the_table_says(page: str, tmp_path: Path) -> None:
    declared = [(name, *cells) for left, *cells in rows(page, "MySQL") for name in ticked(left)]
    columns = ",\n".join(f" c{n} {name}" for n, (name, *_) in enumerate(declared))
    table = read(tmp_path, {"raw/x.sql": f"create table x (\n{columns}\n)"}).tables[0]
    code = mysql_projection.fault_code(table) or ""
    for number, (name, redshift, duckdb, arrow, faults) in enumerate(declared):
        kind = table.columns[number].type
        found = [redshift_text(kind), duckdb_text(kind), arrow_text(kind)]
        assert found == [*ticked(redshift), *ticked(duckdb), *ticked(arrow)], name
        assert str(arrow_type(kind)) == arrow_text(kind)
        wanted = {SAYS[text] for text in faults.split("; ") if text}
        assert set(re.findall(rf"'{number}([a-z])'", code)) == wanted, name


def test_every_name_of_a_type_is_on_the_page(page: str, tmp_path: Path) -> None:
    carried = {name for left, *_ in rows(page, "MySQL") for name in ticked(left)}
    paragraph = page[page.index("\nRefused, each") :].split("\n\n", maxsplit=1)[0]
    left_out = set(ticked(paragraph))
    for declared in sorted(left_out):
        (problem,) = refused(tmp_path / declared, {"raw/x.sql": f"create table x (c {declared})"})
        assert f"'c' is {declared}: " in problem
    known = {
        re.sub(r"\(.*|\b(unsigned|zerofill)\b", "", name).strip() for name in carried | left_out
    }
    assert known == names()


def test_policies_and_faults_are_those_there_are(page: str) -> None:
    assert {ticked(row[0])[0] for row in rows(page, "policy")} == set(BAD_VALUES)
    assert len(rows(page, "what")) == len(mysql_projection.FAULTS) == len(SAYS)
