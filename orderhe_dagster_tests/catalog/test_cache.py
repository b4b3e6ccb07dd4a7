"""A cached catalogue is the catalogue, costs no sqlglot, and never outlives a change."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.catalog.errors import CatalogueError
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster_tests.catalog.folders import SHOP, write

MARTS = {
    "mart/m.sql": "-- @freshness 26h\nselect order_date, order_id from warehouse.orders",
    "checks/mart/m__c.sql": "-- Claim.\nselect 1 from mart.m where order_id < 0",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write(tmp_path / "sql", {**SHOP, **MARTS})


def test_warm_load_equals_the_reading(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cold = load_catalogue(folder, cache)
    assert len(list(cache.iterdir())) == 1, "nothing is left aside"
    assert load_catalogue(folder, cache) == cold == read_catalogue(folder)


def test_warm_load_of_the_demo_equals_the_reading(project: Path, tmp_path: Path) -> None:
    assert load_catalogue(project / "sql", tmp_path) == load_catalogue(project / "sql", tmp_path)
    assert load_catalogue(project / "sql", tmp_path) == read_catalogue(project / "sql")


def test_warm_load_imports_no_parser(folder: Path, tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path;"
        "from orderhe_dagster.catalog.cache import load_catalogue;"
        "tables = load_catalogue(Path(sys.argv[1]), Path(sys.argv[2])).tables;"
        "print(len(tables), sorted({'sqlglot', 'duckdb', 'dagster'} & set(sys.modules)))"
    )
    answers = [
        subprocess.run(
            [sys.executable, "-c", program, str(folder), str(tmp_path / "cache")],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()
        for _ in range(2)
    ]
    assert answers == ["5 ['sqlglot']", "5 []"]


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"tables": [{}], "checks": []}', b"null"])
def test_broken_cache_is_a_miss_and_is_mended(content: bytes, folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    good = load_catalogue(folder, cache)
    (kept,) = cache.iterdir()
    kept.write_bytes(content)
    assert load_catalogue(folder, cache) == good
    assert kept.read_bytes() != content


def test_an_altered_byte_is_a_miss_and_no_other_table(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    cold = load_catalogue(folder, cache)
    (kept,) = cache.iterdir()
    body = kept.read_bytes()
    kept.write_bytes(body.replace(b"order_id < 0", b"order_id < 9"))
    assert load_catalogue(folder, cache) == cold
    assert kept.read_bytes() == body


def test_cache_that_cannot_be_written_costs_nothing_else(folder: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    assert load_catalogue(folder, blocked / "cache") == read_catalogue(folder)


def test_every_byte_and_name_counts(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    before = load_catalogue(folder, cache)
    mart = folder / "mart/m.sql"
    mart.write_text(mart.read_text().replace("26h", "27h"))
    changed = load_catalogue(folder, cache)
    assert changed.layer("mart")[0].freshness != before.layer("mart")[0].freshness
    mart.rename(folder / "mart/n.sql")
    (folder / "checks/mart/m__c.sql").unlink()
    assert [t.name for t in load_catalogue(folder, cache).layer("mart")] == ["n"]


def test_folder_with_problems_is_told_every_time(folder: Path, tmp_path: Path) -> None:
    (folder / "mart/m.sql").write_text("select * from warehouse.orders")
    for _ in range(2):
        with pytest.raises(CatalogueError, match=r"mart/m\.sql:1"):
            load_catalogue(folder, tmp_path / "cache")
    assert not (tmp_path / "cache").exists()


def test_old_files_are_dropped(folder: Path, tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    for hours in range(1, 12):
        (folder / "mart/m.sql").write_text(
            f"-- @freshness {hours}h\nselect order_id from warehouse.orders"
        )
        load_catalogue(folder, cache)
    assert len(list(cache.iterdir())) == 8
