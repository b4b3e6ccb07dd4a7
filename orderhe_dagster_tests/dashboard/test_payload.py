"""What the page is told when files are missing, are short of days, or are in another order."""

from __future__ import annotations

import os
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard.export_reader import ExportError
from orderhe_dagster.dashboard.panels import PANELS
from orderhe_dagster.dashboard.payload import Data, build_payload, read_data
from orderhe_dagster_tests.csv_files import write_csv
from orderhe_dagster_tests.shops import OWN_SQL


@pytest.fixture(scope="module")
def own() -> Catalogue:
    return read_catalogue(OWN_SQL)


def write_days(folder: Path, *days: str | None) -> None:
    """Daily sales of those days, in that order, all figures being 1."""
    panel = PANELS["daily_sales"]
    columns = [*panel.needs, *panel.takes]
    rows = [[day, *[1] * (len(columns) - 1)] for day in days]
    write_csv(folder / "daily_sales.csv", columns, rows)


def test_an_export_that_was_never_written_is_left_out(own: Catalogue, tmp_path: Path) -> None:
    write_days(tmp_path, "2026-01-03", "2026-01-01")
    data = read_data(own, tmp_path)
    assert list(data.exports) == ["daily_sales"]
    assert data.exports["daily_sales"]["order_date"] == ["2026-01-01", "2026-01-03"]
    assert (data.first_day, data.last_day) == ("2026-01-01", "2026-01-03")
    assert len(data.left_out) == len(PANELS) - 1
    reason = f"{tmp_path / 'order_funnel.csv'} is not there: materialize export/order_funnel"
    assert reason in data.left_out


def test_an_export_is_as_fresh_as_it_was_last_found_to_be_unchanged(
    own: Catalogue, tmp_path: Path
) -> None:
    write_days(tmp_path, "2026-01-01")
    path = tmp_path / "daily_sales.csv"
    os.utime(path, (0, 0))
    assert read_data(own, tmp_path).written["daily_sales"].at == datetime(1970, 1, 1)
    confirmed = datetime(2026, 1, 5, 9, tzinfo=timezone(timedelta(hours=9)))
    data = read_data(own, tmp_path, {"daily_sales": confirmed}.get)
    assert data.written["daily_sales"].at == datetime(2026, 1, 5)
    os.utime(path)
    data = read_data(own, tmp_path, {"daily_sales": confirmed}.get)
    assert data.written["daily_sales"].at > datetime(2026, 1, 5)


def test_without_any_export_the_remedies_are_told(own: Catalogue, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="no export to draw the dashboard from") as error:
        read_data(own, tmp_path)
    assert "materialize export/daily_sales" in str(error.value)


def test_rows_without_a_day_are_left_out_and_counted(own: Catalogue, tmp_path: Path) -> None:
    write_days(tmp_path, None, "2026-01-01", None)
    data = read_data(own, tmp_path)
    assert data.exports["daily_sales"]["order_count"] == [1]
    assert f"2 of the rows of {tmp_path / 'daily_sales.csv'} have no day, so they are left out" in (
        data.left_out
    )


def test_an_export_without_rows_has_no_days(own: Catalogue, tmp_path: Path) -> None:
    write_days(tmp_path)
    data = read_data(own, tmp_path)
    assert (data.first_day, data.last_day) == (None, None)
    assert data.exports["daily_sales"]["net_amount"] == []


def test_moments_are_told_in_utc() -> None:
    seoul = timezone(timedelta(hours=9))
    payload = build_payload(
        Data({}),
        {"layers": []},
        time_zone="Asia/Seoul",
        currency="KRW",
        made_at=datetime(2026, 1, 2, 8, 0, 0, 999, tzinfo=seoul),
        lineage=False,
    )
    assert payload["made_at"] == "2026-01-01T23:00:00Z"
    assert payload["layers"] == []
