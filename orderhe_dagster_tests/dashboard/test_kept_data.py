"""What the page got from the exports is kept: read again when a file or the reader is another, else not."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard import kept_data
from orderhe_dagster.dashboard.export_reader import ExportError
from orderhe_dagster.dashboard.kept_data import KeptData
from orderhe_dagster.dashboard.panels import PANELS
from orderhe_dagster.dashboard.payload import read_data
from orderhe_dagster_tests.csv_files import write_csv
from orderhe_dagster_tests.shops import OWN_SQL


@pytest.fixture(scope="module")
def own() -> Catalogue:
    return read_catalogue(OWN_SQL)


@pytest.fixture
def folder(own: Catalogue, tmp_path: Path) -> Path:
    """A folder of exports that hold two rows each, prices among them."""
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, panel in PANELS.items():
        columns = panel.columns(own.get(next(t.ref for t in own.layer("export") if t.name == name)))
        values = {"day": "2026-01-0{}", "number": "{}.5", "text": "가{}", "name": "00{}"}
        rows = [[values[sort].format(row) for sort in columns.values()] for row in (1, 2)]
        write_csv(folder / f"{name}.csv", list(columns), rows)
    return folder


@pytest.fixture
def kept(tmp_path: Path) -> KeptData:
    return KeptData(tmp_path / "cache" / "dashboard.json", tmp_path)


def unread(*given: Any) -> Any:
    raise AssertionError("the exports are read again")


def test_what_is_kept_is_what_was_read(
    own: Catalogue, folder: Path, kept: KeptData, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, since = kept.read(own, folder)
    assert since is None
    assert first == read_data(own, folder)
    assert first.price_changes is not None
    monkeypatch.setattr(kept_data, "read_data", unread)
    again, since = kept.read(own, folder)
    assert again == first
    assert since is not None


def test_exports_are_as_fresh_as_they_were_last_confirmed(
    own: Catalogue, folder: Path, kept: KeptData
) -> None:
    kept.read(own, folder)
    later = datetime(2100, 1, 1, tzinfo=timezone.utc)
    data, since = kept.read(own, folder, lambda name: later)
    assert since is not None
    assert {row.at for row in data.written.values()} == {datetime(2100, 1, 1)}
    assert data.written["daily_sales"].last_day == "2026-01-02"


def written_again(path: Path) -> None:
    path.write_bytes(path.read_bytes())


def touched(path: Path) -> None:
    os.utime(path)


@pytest.mark.parametrize("change", [written_again, touched, Path.unlink])
def test_a_file_that_is_another_is_read_again(
    own: Catalogue, folder: Path, kept: KeptData, change: Callable[[Path], None]
) -> None:
    kept.read(own, folder)
    change(folder / "order_funnel.csv")
    data, since = kept.read(own, folder)
    assert since is None
    assert ("order_funnel" in data.exports) == (folder / "order_funnel.csv").exists()
    assert kept.read(own, folder)[1] is not None


def test_another_reader_reads_again(
    own: Catalogue, folder: Path, kept: KeptData, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept.read(own, folder)
    monkeypatch.setattr(kept_data, "_readers", lambda: "another")
    assert kept.read(own, folder)[1] is None


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '{"key": 1}'])
def test_what_cannot_be_read_counts_for_nothing(
    own: Catalogue, folder: Path, kept: KeptData, text: str
) -> None:
    first, _ = kept.read(own, folder)
    kept.path.write_text(text, "utf-8")
    assert kept.read(own, folder) == (first, None)


def test_no_altered_figure_is_shown(own: Catalogue, folder: Path, kept: KeptData) -> None:
    first, _ = kept.read(own, folder)
    body = kept.path.read_text("utf-8")
    place = next(match.start() for match in re.finditer(r"(?<=[ \[])1(?=[,.\]])", body))
    kept.path.write_text(f"{body[:place]}7{body[place + 1 :]}", "utf-8")
    assert kept.read(own, folder) == (first, None)


def test_nothing_is_kept_of_a_file_that_was_put_there_meanwhile(
    own: Catalogue, folder: Path, kept: KeptData, monkeypatch: pytest.MonkeyPatch
) -> None:
    def then_touched(*given: Any) -> Any:
        data = read_data(*given)
        touched(folder / "order_funnel.csv")
        return data

    monkeypatch.setattr(kept_data, "read_data", then_touched)
    kept.read(own, folder)
    assert not kept.path.exists()


def test_an_export_that_is_damaged_is_told_each_time(
    own: Catalogue, folder: Path, kept: KeptData
) -> None:
    kept.read(own, folder)
    (folder / "daily_sales.csv").write_text("order_date\n", "utf-8")
    for _ in range(2):
        with pytest.raises(ExportError, match="has no column"):
            kept.read(own, folder)
