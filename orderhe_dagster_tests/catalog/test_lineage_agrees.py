"""The own walk over scopes finds what `sqlglot.lineage` finds, on every file of the demo."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster_tests.catalog.folders import SHOP, write

ROOT = Path(__file__).resolve().parents[2]
TRICKY = (
    "with a as (select o.*, c.city from warehouse.orders as o left join warehouse.customers as c "
    "on o.customer_id = c.customer_id), "
    "b as (select order_id, sum(amount) over (partition by city) as s from a), "
    "u as (select order_id as id, s from b union all select payment_id, amount from warehouse.payments) "
    "select u.id::int as id, (u.s * 2)::int as s, "
    "(select max(event_id) from warehouse.events)::int as e from u"
)


def expected(catalogue: Catalogue, table: Table, column: str) -> set[str]:
    from sqlglot import exp
    from sqlglot.lineage import lineage

    schema: dict[str, dict[str, dict[str, str]]] = {}
    for ref in table.depends_on:
        upstream = catalogue.get(ref)
        schema.setdefault(ref.layer, {})[ref.name] = dict.fromkeys(upstream.column_names, "int")
    root = lineage(column, table.sql, schema=schema, dialect="redshift")
    return {
        f"{node.source.db}.{node.source.name}.{node.name.split('.')[-1]}"
        for node in root.walk()
        if isinstance(node.source, exp.Table) and not node.downstream
    }


def compare(catalogue: Catalogue, table: Table) -> None:
    for column in table.column_names:
        found = {f"{ref.table}.{ref.column}" for ref in table.lineage[column]}
        assert found == expected(catalogue, table, column), column


@pytest.mark.parametrize(
    "path",
    sorted(
        file.relative_to(ROOT / "sql").as_posix()
        for layer in ("warehouse", "mart", "export")
        for file in (ROOT / "sql" / layer).glob("*.sql")
    ),
)
def test_lineage_of_a_demo_file(path: str) -> None:
    catalogue = read_catalogue(ROOT / "sql")
    (table,) = (table for table in catalogue.tables if table.path == path)
    compare(catalogue, table)


def test_lineage_of_a_tricky_file(tmp_path: Path) -> None:
    catalogue = read_catalogue(write(tmp_path, {**SHOP, "mart/m.sql": TRICKY}))
    compare(catalogue, catalogue.layer("mart")[0])
