"""docs/architecture.md: its chart is the catalogue's, its rooms are the tree's."""

from __future__ import annotations

from pathlib import Path

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue, Table, TableRef
from orderhe_dagster_tests import rooms
from orderhe_dagster_tests.walked import blocks_of

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "architecture.md"


def place(catalogue: Catalogue, table: Table) -> str:
    """The box of a table: a contract's rows are read from the warehouse."""
    return f"{table.read_as.layer}_{table.name}"


def chart(catalogue: Catalogue) -> str:
    """The catalogue as a Mermaid chart: contracts, then what is modelled, and the arrows between."""
    lines = ["```mermaid", "flowchart LR"]
    lines += ['    subgraph loaded["raw → backup → warehouse"]']
    lines += [f"        warehouse_{t.name}[{t.name}]" for t in catalogue.layer("raw")]
    lines += ["    end", "    subgraph marts[mart]"]
    models = [*catalogue.layer("warehouse"), *catalogue.layer("mart")]
    lines += [f"        {place(catalogue, table)}[{table.name}]" for table in models]
    lines += ["    end"]
    lines += [
        f"    {place(catalogue, catalogue.get(ref))} --> {place(catalogue, table)}"
        for table in models
        for ref in table.depends_on
    ]
    return "\n".join([*lines, "```"])


def test_the_chart_of_the_page_is_the_catalogues() -> None:
    drawn = chart(read_catalogue(ROOT / "sql"))
    assert drawn in PAGE.read_text("utf-8"), f"put this into {PAGE.name}:\n\n{drawn}\n"


def test_the_page_lists_every_room_and_module_that_there_is() -> None:
    listed = PAGE.read_text("utf-8").partition(rooms.BEGIN)[2].partition(rooms.END)[0]
    assert listed == rooms.listing(), "run `make rooms`"
    missing = [line for line in listed.splitlines() if line.endswith(("|  |", "`** "))]
    assert missing == [], "a module without a docstring"


def test_each_mart_has_an_export_of_its_name() -> None:
    catalogue = read_catalogue(ROOT / "sql")
    exports = {table.name for table in catalogue.layer("export")}
    assert {table.name for table in catalogue.layer("mart")} <= exports


def test_the_mart_of_contributing_is_read_as_it_stands(tmp_path: Path) -> None:
    import shutil

    (block,) = [
        block for block in blocks_of(ROOT / "CONTRIBUTING.md") if "@grain city" in block.text
    ]
    shutil.copytree(ROOT / "sql", tmp_path / "sql")
    (tmp_path / "sql/mart/city_sales.sql").write_text(block.text, "utf-8")
    added = read_catalogue(tmp_path / "sql").get(TableRef("mart", "city_sales"))
    assert added.column_names == ("city", "order_count", "net_amount")
    assert all(column.description for column in added.columns)
