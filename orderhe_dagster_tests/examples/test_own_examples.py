"""Every example of the project's own shops, each a test under its title."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.errors import Problems
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.examples.document import read_document
from orderhe_dagster.examples.reader import example_files, read_examples
from orderhe_dagster.examples.report import lines_of
from orderhe_dagster.examples.runner import Verdict, run_examples
from orderhe_dagster.resources.build import build_memory_warehouse

ROOT = Path(__file__).parents[2]
SHOPS = {
    path.relative_to(ROOT).as_posix(): path
    for path in [ROOT / "sql", *sorted(ROOT.glob("examples/*/sql"))]
}
TITLES = [  # read as text alone, so that collecting the tests reads no SQL
    (shop, file.path, written.title)
    for shop, folder in SHOPS.items()
    for file in example_files(folder)
    for written in read_document(file.path, file.text, Problems())
]


@pytest.fixture(scope="module")
def verdicts() -> dict[tuple[str, str, str], Verdict]:
    """All of a shop on one warehouse, as `orderhe test` runs them."""
    found = {}
    for shop, folder in SHOPS.items():
        catalogue = read_catalogue(folder)
        with build_memory_warehouse() as session:
            for verdict in run_examples(catalogue, read_examples(catalogue), session):
                found[shop, verdict.example.path, verdict.example.title] = verdict
    return found


@pytest.mark.parametrize("asked", TITLES, ids=lambda asked: ": ".join(asked[1:]))
def test_example(
    asked: tuple[str, str, str], verdicts: dict[tuple[str, str, str], Verdict]
) -> None:
    verdict = verdicts[asked]
    assert verdict.passed, "\n".join(lines_of(verdict))


@pytest.mark.parametrize("shop", SHOPS)
def test_nothing_is_left_of_an_example(shop: str) -> None:
    catalogue = read_catalogue(SHOPS[shop])
    examples = {one.table.ref: one for one in read_examples(catalogue)}.values()
    with build_memory_warehouse() as session:
        assert all(verdict.passed for verdict in run_examples(catalogue, examples, session))
        for ref in {one.table.read_as for example in examples for one in example.given}:
            assert session.execute(f"select count(*) from {ref}").rows == [(0,)], ref


def test_every_mart_has_two_examples_or_more() -> None:
    shown = [path for shop, path, _ in TITLES if shop == "sql"]
    marts = [file.stem for file in SHOPS["sql"].glob("mart/*.sql")]
    counted = {name: shown.count(f"examples/mart/{name}.md") for name in marts}
    assert {name: number for name, number in counted.items() if number < 2} == {}
