"""Every example of the project's own models, each a test under its title."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orderhe_dagster.catalog.errors import Problems
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.examples.document import read_document
from orderhe_dagster.examples.reader import Example, example_files, read_examples
from orderhe_dagster.examples.report import lines_of
from orderhe_dagster.examples.runner import Session, Verdict, run_examples
from orderhe_dagster.resources import build_private_warehouse

SQL = Path(__file__).parents[2] / "sql"
TITLES = [  # read as text alone, so that collecting the tests reads no SQL
    (file.path, written.title)
    for file in example_files(SQL)
    for written in read_document(file.path, file.text, Problems())
]


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return read_catalogue(SQL)


@pytest.fixture(scope="module")
def examples(catalogue: Catalogue) -> dict[tuple[str, str], Example]:
    return {(one.path, one.title): one for one in read_examples(catalogue)}


@pytest.fixture(scope="module")
def session() -> Iterator[Session]:
    with build_private_warehouse() as made:
        yield made


@pytest.fixture(scope="module")
def verdicts(
    catalogue: Catalogue, examples: dict[tuple[str, str], Example], session: Session
) -> dict[tuple[str, str], Verdict]:
    """All of them on one warehouse, as `orderhe test` runs them."""
    found = run_examples(catalogue, examples.values(), session)
    return {(verdict.example.path, verdict.example.title): verdict for verdict in found}


@pytest.mark.parametrize("asked", TITLES, ids=lambda asked: f"{asked[0]}: {asked[1]}")
def test_example(asked: tuple[str, str], verdicts: dict[tuple[str, str], Verdict]) -> None:
    verdict = verdicts[asked]
    assert verdict.passed, "\n".join(lines_of(verdict))


def test_nothing_is_left_of_an_example(
    verdicts: dict[tuple[str, str], Verdict], session: Session
) -> None:
    used = {one.table.read_as for verdict in verdicts.values() for one in verdict.example.given}
    left = {str(ref): session.execute(f"select count(*) from {ref}").rows for ref in used}
    assert left == {str(ref): [(0,)] for ref in used}


def test_every_mart_has_two_examples_or_more(catalogue: Catalogue) -> None:
    counted = {
        table.name: sum(path == f"examples/mart/{table.name}.md" for path, _ in TITLES)
        for table in catalogue.layer("mart")
    }
    assert {name: number for name, number in counted.items() if number < 2} == {}
