"""The files of an export: the schema beside the CSV, its parts, and what a process that dies leaves."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.rendering.csv_files import csv_file
from orderhe_dagster.rendering.table_schema import table_schema
from orderhe_dagster.road.export_files import PACKAGE, ExportFiles, describe_folder
from orderhe_dagster.settings.config import OWN_SQL
from orderhe_dagster_tests.shops import sales_shop

RAW = """-- Sales of the shop.
create table sales (
    sale_no bigint not null primary key comment 'Number of the sale',
    state enum('open', '=paid') comment 'Where it stands',
    price decimal(10, 2) not null comment 'What it cost',
    sold_at datetime(3) comment 'When'
);
"""
EXPORT = """-- Every sale.
-- @grain sale_no
select
    sales.sale_no::bigint as sale_no, -- Number of the sale
    sales.state::varchar(20) as state, -- Where it stands
    sales.price::decimal(10, 2) as price, -- What it cost
    sales.sold_at::timestamp as sold_at -- When
from warehouse.sales;
"""
FEWER = EXPORT.replace("    sales.price::decimal(10, 2) as price, -- What it cost\n", "")


def catalogue_of(folder: Path, export: str = EXPORT) -> Catalogue:
    for layer, text in (("raw", RAW), ("export", export)):
        (folder / layer).mkdir(parents=True, exist_ok=True)
        (folder / layer / "sales.sql").write_text(text, "utf-8")
    return load_catalogue(folder, folder / "cache")


@pytest.fixture
def table(tmp_path: Path) -> Table:
    return catalogue_of(tmp_path / "sql").layer("export")[0]


def published(
    place: ExportFiles, table: Table, rows: int, aside: Path, part_bytes: int = 1_000
) -> int:
    """Export so many rows, whose values say how many there are."""
    aside.mkdir(parents=True)
    path = aside / place.csv.name
    with csv_file(path, table.column_names, part_bytes) as file:
        file.add([[number, f"of {rows}", *table.column_names[2:]] for number in range(rows)])
        whole = file.written(path)
    return place.publish(whole, table)


def test_the_schema_says_what_the_catalogue_says(table: Table) -> None:
    schema = table_schema(table)
    assert schema["$schema"] == "https://datapackage.org/profiles/2.0/tableschema.json"
    assert schema["primaryKey"] == ["sale_no"]
    assert schema["missingValues"] == [""]
    assert schema["fields"] == [
        {
            "name": "sale_no", "type": "integer", "description": "Number of the sale",
            "redshiftType": "bigint", "constraints": {"required": True, "unique": True},
        },
        {
            "name": "state", "type": "string", "description": "Where it stands",
            "redshiftType": "varchar(20)", "constraints": {"enum": ["open", "'=paid"]},
        },
        {
            "name": "price", "type": "number", "description": "What it cost",
            "redshiftType": "decimal(10, 2)", "constraints": {"required": True},
        },
        {
            "name": "sold_at", "type": "datetime", "format": "any", "description": "When",
            "redshiftType": "timestamp",
        },
    ]  # fmt: skip


def test_every_export_of_the_project_is_described(tmp_path: Path) -> None:
    catalogue = load_catalogue(OWN_SQL, tmp_path / "cache")
    for table in catalogue.layer("export"):
        schema = table_schema(table)
        assert [field["name"] for field in schema["fields"]] == list(table.column_names)
        assert all(field["description"] for field in schema["fields"]), table.name
        assert schema["primaryKey"], table.name


def test_the_folder_s_descriptor_lists_the_exports_that_are_there(tmp_path: Path) -> None:
    catalogue = catalogue_of(tmp_path / "sql")
    (table,) = catalogue.layer("export")
    folder, scratch = tmp_path / "exports", tmp_path / "scratch"
    published(ExportFiles(folder, table.name), table, 3, tmp_path / "aside")
    describe_folder(catalogue, folder, scratch)
    package = json.loads((folder / PACKAGE).read_text("utf-8"))
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    (resource,) = package["resources"]
    assert (resource["name"], resource["type"]) == ("sales", "table")
    assert (folder / resource["path"]).is_file()
    assert json.loads((folder / resource["schema"]).read_text("utf-8")) == table_schema(table)
    before = (folder / PACKAGE).stat().st_mtime_ns
    describe_folder(catalogue, folder, scratch)
    assert (folder / PACKAGE).stat().st_mtime_ns == before


def test_parts_of_a_larger_export_before_are_gone(table: Table, tmp_path: Path) -> None:
    place = ExportFiles(tmp_path / "exports", table.name)
    many = published(place, table, 200, tmp_path / "1")
    assert many > 2
    assert len(list(place.parts.iterdir())) == many
    fewer = published(place, table, 100, tmp_path / "2")
    assert 1 < fewer < many
    assert len(list(place.parts.iterdir())) == fewer
    assert published(place, table, 3, tmp_path / "3") == 0
    assert not place.parts.exists()
    assert problems(place) == []


class Killed(BaseException):
    """Stands for the end of the process: nothing of ours catches it."""


@pytest.fixture
def fuse(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, int]]:
    """Ends publish() before step `at` of those that change the folder."""
    state = {"at": 0, "steps": 0}

    def counting(real: Any) -> Any:
        def step(*args: Any, **named: Any) -> Any:
            state["steps"] += 1
            if state["steps"] == state["at"]:
                raise Killed
            return real(*args, **named)

        return step

    for name in ("rename", "replace", "unlink"):
        monkeypatch.setattr(Path, name, counting(getattr(Path, name)))
    yield state


def problems(place: ExportFiles) -> list[str]:
    """What a reader could be misled by: a schema or parts that are not the CSV's."""
    misleading = []
    with place.csv.open(encoding="utf-8", newline="") as file:
        rows = list(csv.reader(file))
    if place.schema.exists():
        schema = json.loads(place.schema.read_text("utf-8"))
        if [field["name"] for field in schema["fields"]] != rows[0]:
            misleading.append("the schema is another CSV's")
    if place.parts.exists():
        again = [rows[0]]
        for part in sorted(place.parts.iterdir()):
            with part.open(encoding="utf-8", newline="") as file:
                header, *more = csv.reader(file)
            again += more
            if header != rows[0]:
                misleading.append(f"{part.name} has other columns")
        if again != rows:
            misleading.append("the parts are another CSV's")
    return misleading


@pytest.mark.parametrize("rows", [(200, 150), (3, 150), (150, 3), (150, 150)])
@pytest.mark.parametrize("columns", ["the same", "fewer"])
def test_a_reader_is_never_misled_when_the_process_dies_between_two_files(
    table: Table, tmp_path: Path, rows: tuple[int, int], columns: str, fuse: dict[str, int]
) -> None:
    after = table
    if columns == "fewer":
        after = catalogue_of(tmp_path / "fewer", FEWER).layer("export")[0]
    finished, at = False, 0
    while not finished:
        at += 1
        place = ExportFiles(tmp_path / f"exports-{at}", table.name)
        fuse["at"] = 0
        published(place, table, rows[0], tmp_path / f"{at}-before")
        fuse["at"], fuse["steps"] = at, 0
        try:
            published(place, after, rows[1], tmp_path / f"{at}-killed")
            finished = True
        except Killed:
            assert problems(place) == []
        fuse["at"] = 0
        published(place, after, rows[1], tmp_path / f"{at}-again")
        assert problems(place) == []
        assert place.schema.is_file()
        assert place.parts.exists() == (rows[1] > 100)
        names = {place.csv, place.schema} | ({place.parts} if place.parts.exists() else set())
        assert set(place.folder.iterdir()) == names
    assert at > 1


WIDE = """
-- More than a tool takes at once.
-- @grain one_no, two_no
select
    one.sale_no::bigint as one_no, -- One sale
    two.sale_no::bigint as two_no, -- Another
    repeat('가', 20000)::varchar(60000) as first_text, -- Long
    repeat('나', 20000)::varchar(60000) as other_text -- Long, too
from warehouse.sales as one
cross join warehouse.sales as two
order by one.sale_no, two.sale_no;
"""


def test_an_export_beyond_the_setting_lies_there_in_parts_too(tmp_path: Path) -> None:
    shop = sales_shop(tmp_path / "shop", {"ORDERHE_EXPORT_MAX_MB": "1"})
    shop.write({"export/wide.sql": WIDE})
    outcome = shop.run("*", "2026-01-01", "2026-01-05")
    assert outcome.succeeded, outcome.lines()
    place = ExportFiles(shop.settings.home / "exports", "wide")
    assert problems(place) == []
    sizes = [part.stat().st_size for part in place.parts.iterdir()]
    assert len(sizes) > 1
    assert max(sizes) <= 1_000_000 < place.csv.stat().st_size
    package = json.loads((place.folder / PACKAGE).read_text("utf-8"))
    assert [misleading["name"] for misleading in package["resources"]] == ["takings", "wide"]
    assert not ExportFiles(place.folder, "takings").parts.exists()
    assert json.loads(place.schema.read_text("utf-8"))["primaryKey"] == ["one_no", "two_no"]
