"""Which tables checks wait for: those that they read, unless both would wait for ever."""

from __future__ import annotations

from pathlib import Path

from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.catalog.dependencies import check_dependencies
from orderhe_dagster.catalog.reader import read_catalogue

RAW = "create table lines (id int not null, primary key (id));"


def mart(upstream: str) -> str:
    name = upstream.partition(".")[2]
    return f"select {name}.id::integer as id from {upstream};"


def check(*tables: str) -> str:
    return " union all ".join(f"select id from {table} where id < 0" for table in tables) + ";"


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in {"raw/lines.sql": RAW, **files}.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, "utf-8")
    return path


def waits(path: Path, files: dict[str, str]) -> dict[str, list[str]]:
    found = check_dependencies(read_catalogue(folder(path, files)))
    return {str(table): [str(ref) for ref in refs] for table, refs in found.items()}


def test_checks_wait_for_the_tables_they_read_besides_their_own(tmp_path: Path) -> None:
    files = {
        "mart/a.sql": mart("warehouse.lines"),
        "mart/b.sql": mart("warehouse.lines"),
        "checks/mart/a__is_b.sql": check("mart.a", "mart.b", "warehouse.lines"),
        "checks/mart/b__is_small.sql": check("mart.b"),
    }
    assert waits(tmp_path, files) == {"mart.a": ["mart.b", "warehouse.lines"]}


def test_checks_do_not_wait_for_what_is_built_after_them(tmp_path: Path) -> None:
    files = {
        "mart/a.sql": mart("warehouse.lines"),
        "mart/b.sql": mart("mart.a"),
        "checks/mart/a__is_b.sql": check("mart.a", "mart.b"),
        "checks/mart/b__is_a.sql": check("mart.a", "mart.b"),
    }
    assert waits(tmp_path, files) == {"mart.a": [], "mart.b": ["mart.a"]}


def test_checks_that_would_wait_in_a_circle_do_not_all_wait(tmp_path: Path) -> None:
    files = {
        "mart/a.sql": mart("warehouse.lines"),
        "mart/b.sql": mart("mart.c"),
        "mart/c.sql": mart("warehouse.lines"),
        "mart/d.sql": mart("mart.a"),
        "checks/mart/a__is_b.sql": check("mart.b"),  # b waits for the checks of c
        "checks/mart/c__is_d.sql": check("mart.d"),  # d waits for the checks of a
    }
    assert waits(tmp_path, files) == {"mart.a": ["mart.b"], "mart.c": []}


def test_checks_of_two_tables_that_read_each_other_do_not_both_wait(tmp_path: Path) -> None:
    files = {
        "mart/a.sql": mart("warehouse.lines"),
        "mart/b.sql": mart("warehouse.lines"),
        "checks/mart/a__is_b.sql": check("mart.b"),
        "checks/mart/b__is_a.sql": check("mart.a"),
    }
    assert waits(tmp_path, files) == {"mart.a": ["mart.b"], "mart.b": []}


def test_a_parent_is_not_checked_after_its_children_which_wait_for_it(tmp_path: Path) -> None:
    files = {
        "raw/parts.sql": "create table parts (id int not null, line_id int, primary key (id),"
        " foreign key (line_id) references lines (id));",
        "checks/warehouse/lines__have_parts.sql": check("warehouse.lines", "warehouse.parts"),
        "checks/warehouse/parts__have_lines.sql": check("warehouse.lines", "warehouse.parts"),
    }
    assert waits(tmp_path, files) == {"warehouse.lines": [], "warehouse.parts": ["warehouse.lines"]}


def test_what_a_check_reads_survives_the_cache(tmp_path: Path) -> None:
    files = {
        "mart/a.sql": mart("warehouse.lines"),
        "checks/mart/a__is_whole.sql": check("mart.a", "warehouse.lines"),
    }
    path = folder(tmp_path / "sql", files)
    read = load_catalogue(path, tmp_path / "cache")
    assert [str(ref) for ref in read.checks[0].reads] == ["warehouse.lines"]
    assert load_catalogue(path, tmp_path / "cache") == read
