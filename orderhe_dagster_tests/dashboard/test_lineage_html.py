"""What the lineage page is told: every table of every layer, each column with where it comes from."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.dashboard.lineage_html import PAGE, lineage_data, lineage_page
from orderhe_dagster_tests.catalog.folders import SHOP, read
from orderhe_dagster_tests.shops import OWN_SQL

PEOPLE = {
    **SHOP,
    "warehouse/homes.sql": """\
-- Where people live.
select customers.customer_id, customers.email, customers.city from warehouse.customers;
""",
    "mart/cities.sql": """\
-- People by city </script><script>alert(1)</script>
-- @grain city
select
    homes.city, -- City & more
    count(*)::bigint as people_count,
    count(distinct homes.email)::bigint as mail_count
from warehouse.homes
group by homes.city;
""",
    "export/cities.sql": "select cities.city, cities.people_count from mart.cities;",
}


def by_id(tables: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {table["id"]: table for table in tables}


def sources(tables: list[dict[str, Any]]) -> dict[str, list[str]]:
    return {
        f"{table['id']}.{column['name']}": column["from"]
        for table in tables
        for column in table["columns"]
    }


def test_contracts_are_carried_through_three_layers(tmp_path: Path) -> None:
    tables = lineage_data(read(tmp_path, PEOPLE))
    origins = sources(tables)
    assert origins["raw.customers.email"] == []
    assert origins["backup.customers.email"] == ["raw.customers.email"]
    assert origins["warehouse.customers.email"] == ["backup.customers.email"]
    assert origins["warehouse.homes.email"] == ["warehouse.customers.email"]
    columns = {
        layer: {column["name"]: column for column in by_id(tables)[f"{layer}.orders"]["columns"]}
        for layer in ("raw", "backup", "warehouse")
    }
    types = [columns[layer]["amount"]["type"] for layer in columns]
    assert types == ["decimal(12, 2)", "decimal128(12, 2)", "decimal(12, 2)"]
    assert [columns[layer]["note"]["personal"] for layer in columns] == [True] * 3


def test_a_column_made_of_no_column_comes_from_rows(tmp_path: Path) -> None:
    origins = sources(lineage_data(read(tmp_path, PEOPLE)))
    assert origins["mart.cities.people_count"] == ["warehouse.homes"]
    assert origins["mart.cities.mail_count"] == ["warehouse.homes.email"]
    assert origins["export.cities.people_count"] == ["mart.cities.people_count"]


def test_the_projects_own_lineage_is_the_catalogues() -> None:
    catalogue = read_catalogue(OWN_SQL)
    tables = lineage_data(catalogue)
    origins = sources(tables)
    for table in catalogue.tables:
        for name, refs in table.lineage.items():
            wanted = [f"{ref.table}.{ref.column}" for ref in refs]
            assert origins[f"{table.ref}.{name}"] == wanted or not wanted
    known = {*by_id(tables), *origins}
    assert {source for each in origins.values() for source in each} <= known
    layers = [table["layer"] for table in tables]
    assert layers == sorted(layers, key=["raw", "backup", "warehouse", "mart", "export"].index)


def test_personal_data_is_not_marked_beyond_the_warehouse(tmp_path: Path) -> None:
    marked = {
        f"{table['id']}.{column['name']}"
        for table in lineage_data(read(tmp_path, PEOPLE))
        for column in table["columns"]
        if column["personal"] and table["name"] in ("customers", "homes", "cities")
    }
    assert marked == {
        "raw.customers.email",
        "backup.customers.email",
        "warehouse.customers.email",
        "warehouse.homes.email",
    }


def test_no_text_of_a_file_leaves_the_data(tmp_path: Path) -> None:
    page = lineage_page(read(tmp_path, PEOPLE))
    assert "<script>alert" not in page
    assert page.count("</script>") == 3
    (data,) = re.findall(r'id="data">(.*?)</script>', page)
    cities = by_id(json.loads(data)["tables"])["mart.cities"]
    assert cities["description"] == "People by city </script><script>alert(1)</script>"


def test_both_languages_have_every_word_that_is_used() -> None:
    words = json.loads((PAGE / "words.json").read_text("utf-8"))
    assert words["en"].keys() == words["ko"].keys()
    for name, text in words["en"].items():
        places = re.findall(r"\{\w+\}", text)
        assert sorted(places) == sorted(re.findall(r"\{\w+\}", words["ko"][name])), name
    texts = [each.read_text("utf-8") for each in PAGE.iterdir() if each.name != "words.json"]
    used = set(re.findall(r'"([a-z_]+)"', " ".join(texts)))
    used |= {f"{layer}_is" for layer in ("raw", "backup", "warehouse", "mart", "export")}
    used |= {"upstream_none", "downstream_none"}
    assert words["en"].keys() - used == set()
