"""The lineage page as an asset: of every shop, without data, and always of the files as they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.errors import CatalogueError
from orderhe_dagster_tests.shops import SALES, TestShop


def shown(page: Path) -> dict[str, Any]:
    (data,) = re.findall(r'id="data">(.*?)</script>', page.read_text("utf-8"))
    tables: dict[str, Any] = json.loads(data)
    return tables


def test_any_shop_has_a_page_that_follows_its_files(tmp_path: Path) -> None:
    shop = TestShop(tmp_path, {"ORDERHE_SQL": str(tmp_path / "sql")})
    shop.write(SALES)
    assert shop.run("export/lineage").succeeded  # nothing was created: it needs no database
    path = tmp_path / "home" / "dashboard" / "lineage.html"
    before = shown(path)
    assert before["dashboard"] is False, "no dashboard is drawn of this shop"
    assert "mart.takings" in {table["id"] for table in before["tables"]}
    written, text = path.stat(), path.read_bytes()
    assert shop.run("export/lineage").succeeded
    assert path.stat() == written, "a page that is the same was written again"
    path.write_text("damaged", "utf-8")
    assert shop.run("export/lineage").succeeded
    assert path.read_bytes() == text
    (tmp_path / "sql" / "mart" / "buyer_totals.sql").unlink()
    assert shop.run("export/lineage").succeeded
    gone = {table["id"] for table in before["tables"]}
    gone -= {table["id"] for table in shown(path)["tables"]}
    assert gone == {"mart.buyer_totals"}
    assert [tables.name for tables in path.parent.iterdir()] == ["lineage.html"]


def test_no_file_takes_the_pages_name(tmp_path: Path) -> None:
    shop = TestShop(tmp_path, {"ORDERHE_SQL": str(tmp_path / "sql")})
    shop.write({**SALES, "export/lineage.sql": SALES["export/takings.sql"]})
    with pytest.raises(CatalogueError, match="export/lineage is the page that draws where columns"):
        assert shop.catalogue
