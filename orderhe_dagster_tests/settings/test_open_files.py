"""Extracts of many days where few files may be open, as on macOS. Limits are set in a child process."""

from __future__ import annotations

import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.settings.open_files import RESERVE
from orderhe_dagster_tests.contracts.sources import DAY, fill, tables

pytest.importorskip("resource", reason="Windows has no such limit")

VISITS = """
-- @partition seen_on
create table visits (id int not null, seen_on date not null, primary key (id));
"""
EXTRACT = """
import json, resource, sys
from datetime import date
from pathlib import Path
from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource

home, soft, hard, first, days = json.loads(sys.argv[1])
resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
(table,) = read_catalogue(Path(home) / "sql").layer("raw")
first = date.fromisoformat(first)
window = Window(first, date.fromordinal(first.toordinal() + days))
found = EmbeddedSource(path=f"{home}/shop.duckdb").extract(table, window, Path(home) / "out")
print(json.dumps([
    [measure.rows for measure in found.measures.values()],
    [len(parts) for parts in found.parts.values()],
    resource.getrlimit(resource.RLIMIT_NOFILE),
]))
"""


@pytest.mark.parametrize(
    ("days", "soft", "hard", "left"),
    [(300, 256, 4096, 300 + RESERVE), (300, 256, 256, 256), (1200, 256, 1024, 1024)],
    ids=["raised as far as needed", "not to be raised", "raised, yet not far enough"],
)
def test_many_days_are_extracted_whatever_the_limit_of_open_files(
    tmp_path: Path, days: int, soft: int, hard: int, left: int
) -> None:
    table = tables(tmp_path, visits=VISITS)["visits"]
    source = EmbeddedSource(path=str(tmp_path / "shop.duckdb"), lock_timeout_s=30)
    source.create([table])
    rows = [{"id": id_, "seen_on": DAY + timedelta(id_ % days)} for id_ in range(2 * days)]
    fill(source, table, rows)
    asked = json.dumps([str(tmp_path), soft, hard, DAY.isoformat(), days])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", EXTRACT, asked],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    # On a slow machine DuckDB draws a bar first: `python -c` looks like a person to it.
    counted, parts, limits = json.loads(done.stdout.splitlines()[-1])
    assert counted == [2] * days
    assert limits == [left, hard]
    if left > days:
        assert parts == [1] * days, "no file was closed early"
