"""docs/your-shop.md has what `orderhe adopt` and `orderhe start` print of the Laravel shop, to the letter."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from orderhe_dagster_tests.intake.shops_of_others.every import SHOPS
from orderhe_dagster_tests.intake.shops_of_others.walk import begun
from orderhe_dagster_tests.servers.mariadb import MariaDB


def test_the_page_prints_what_is_printed(
    mariadb: MariaDB,
    shop_database: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    project: Path,
) -> None:
    page = (project / "docs" / "your-shop.md").read_text("utf-8")
    walk = begun(SHOPS["laravel"], mariadb, shop_database, tmp_path / "my-shop", monkeypatch)
    for verb in ("adopt", "start"):
        said = walk.type(verb).replace(f"{tmp_path}/my-shop/home", "my-shop/state")
        said = said.replace(f"{tmp_path}/my-shop", "my-shop")
        said = re.sub(r"mysql://\S+/\w+", "mysql://db.example.com/shop", said)
        shown = "\n".join(f"    {line}".rstrip() for line in said.splitlines())
        assert f"    $ orderhe {verb}\n{shown}\n" in page, shown


def test_the_page_names_every_shop_that_is_walked_through(project: Path) -> None:
    page = (project / "docs" / "your-shop.md").read_text("utf-8").lower()
    assert [name for name in SHOPS if f"\n| {name}" not in page] == []
