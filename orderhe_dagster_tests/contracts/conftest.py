"""Each test of a source runs on every implementation."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.source import Source
from orderhe_dagster_tests.contracts.sources import SALES, SOURCES, tables


@pytest.fixture(params=SOURCES)
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return SOURCES[request.param](tmp_path, request.getfixturevalue)


@pytest.fixture
def sales(source: Source, tmp_path: Path) -> Table:
    table = tables(tmp_path, sales=SALES)["sales"]
    source.create([table])
    return table
