"""What docs/bi.md tells people to run, run: its Python on an export, its SQL on the local Redshift."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from local_redshift.session.engine import Engine
from orderhe_dagster.catalog.cache import load_catalogue
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.settings.config import OWN_SQL
from orderhe_dagster_tests.csv_files import write_csv

PAGE = (Path(__file__).resolve().parents[1] / "docs/bi.md").read_text("utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def test_pandas_reads_an_export_by_its_schema(tmp_path: Path) -> None:
    (script,) = blocks("python")
    catalogue = load_catalogue(OWN_SQL, tmp_path / "cache")
    (table,) = [table for table in catalogue.layer("export") if table.name == "daily_sales"]
    (tmp_path / "aside").mkdir()
    row = ["2026-11-22", *range(1, len(table.columns))]
    whole = write_csv(tmp_path / "aside/daily_sales.csv", table.column_names, [row])
    ExportFiles(tmp_path / ".orderhe/exports", "daily_sales").publish(whole, table)
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    found = dict(line.split() for line in done.stdout.splitlines() if not line.startswith("dtype"))
    assert found.pop("order_date").startswith("datetime64")
    assert set(found.values()) == {"int64"}


def test_the_statements_for_a_bi_user_are_redshift_s() -> None:
    (script,) = blocks("sql")
    with Engine() as engine:
        engine.execute("create schema mart")
        engine.execute("create user loader password 'Secret0123'")
        for statement in filter(str.strip, script.split(";")):
            engine.execute(statement)


def test_the_default_of_the_parts_is_below_every_limit_that_is_listed() -> None:
    from orderhe_dagster.settings.config import Settings

    told = re.findall(r"\| (\d+) MB", PAGE)
    assert len(told) == 2
    assert min(map(int, told)) >= Settings.export_max_mb
