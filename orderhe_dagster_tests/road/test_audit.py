"""The audit of a warehouse that was filled before is read as it was written."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from pathlib import Path
from typing import cast

import pytest

from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.ports.warehouse import Result, Session
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import audit
from orderhe_dagster_tests.shops import TestShop

ROWS = [
    ("warehouse.sales", "2026-01-01", "1:run-1"),
    ("warehouse.sales", "2026-01-02", "2:run-7"),
    ("warehouse.products", "all", "1:run-1"),
]
"""Table, segment and version, as they lie in warehouses."""


def test_an_audit_of_before_is_read_by_segment_and_holds(tmp_path: Path) -> None:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store)
    names = ["warehouse.sales", "warehouse.products", "warehouse.none"]
    rest = "1, 'run', 2, '17', '', '2026-01-03 00:00:00', '2026-01-03 00:00:01'"
    values = ", ".join(f"('{name}', '{text}', '{version}', {rest})" for name, text, version in ROWS)
    with warehouse.session("test") as session:
        audit.prepare(session)
        session.execute(f"insert into warehouse._loads values {values}")
        held = audit.read(session, names)
        assert {name: sorted(segments) for name, segments in held.items()} == {
            "warehouse.sales": [Segment("2026-01-01"), Segment("2026-01-02")],
            "warehouse.products": [WHOLE],
            "warehouse.none": [],
        }
        assert held["warehouse.sales"][Segment("2026-01-02")].version == "2:run-7"
        for statement in audit.unchanged(held):
            session.execute(statement)
        audit.dispute(session, "warehouse.products", [WHOLE], "run-9")
        assert audit.read(session, names)["warehouse.products"][WHOLE].version == (
            "disputed by run-9"
        )
        with pytest.raises(StatementError, match=r"warehouse\.products was loaded meanwhile"):
            session.transaction(audit.unchanged(held))


def test_findings_of_any_length_are_kept(tmp_path: Path) -> None:
    """All of them, in statements of a size that any service takes; a detail as far as its column goes."""
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store)
    days = [Segment(f"2026-01-{day:02d}") for day in range(1, 31)]
    with warehouse.session("findings") as session:
        audit.prepare(session)
        audit.note_findings(
            session, "mart.x", [(day, "altered", "밥 \\ 'x' " * 1_000) for day in days], "run"
        )
        rows = session.execute(
            f"select segment, detail, octet_length(detail) from {audit.FINDINGS} order by segment"
        ).rows
    assert [segment for segment, *_ in rows] == [str(day) for day in days]
    for _, detail, size in rows:
        assert detail.startswith("밥 \\ 'x' 밥")
        assert size <= 16_000
    short = "밥" * 6_000
    with warehouse.session("findings") as session:
        audit.note_findings(session, "mart.y", [(WHOLE, "altered", short)], "run")
        ((kept,),) = session.execute(
            f"select detail from {audit.FINDINGS} where table_name = 'mart.y'"
        ).rows
    assert kept == "밥" * 5_332 + "…"


@pytest.mark.parametrize("table", ["_loads", "_findings", "_checks", "_judged", "_tables"])
def test_an_audit_table_that_a_hand_dropped_is_filled_again(ran_shop: TestShop, table: str) -> None:
    rows = ran_shop.rows("select * from warehouse.sales order by 1, 2")
    with ran_shop.warehouse.session("a hand") as session:
        session.execute(f"drop table warehouse.{table}")
        session.execute("update warehouse.sales set price = 9 where sale_no = 3")
    for _ in range(2):
        outcome = ran_shop.run("*")
        assert outcome.succeeded, outcome.lines()
    assert ran_shop.rows("select * from warehouse.sales order by 1, 2") == rows


def test_rows_are_inserted_by_statements_that_the_data_api_takes() -> None:
    rows = [f"({number}, '{'밥' * (number % 300)}')" for number in range(1_000)]
    statements = audit.inserts("t (a, b)", iter(rows))
    assert len(statements) > 3
    assert all(len(one.encode("utf-8")) <= 100_000 for one in statements)
    heads = [one.partition(" values ") for one in statements]
    assert {head for head, _, _ in heads} == {"insert into t (a, b)"}
    assert ", ".join(rest for _, _, rest in heads) == ", ".join(rows)
    assert audit.inserts("t", []) == []


def test_what_was_proven_is_noted_by_statements_that_the_data_api_takes(tmp_path: Path) -> None:
    """Ten years by day, all proven in one run."""
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store)
    days = [Segment.of(date(2016, 1, 1) + timedelta(days=n)) for n in range(3_650)]
    versions = dict.fromkeys(days, f"1:{'0' * 36}")
    rest = "1, 'run', 2, '17', '', '2026-01-03 00:00:00', '2026-01-03 00:00:01'"
    longest = 0
    with warehouse.session("test") as session:
        audit.prepare(session)
        rows = (f"('mart.x', '{day}', '{version}', {rest})" for day, version in versions.items())
        for statement in audit.inserts(audit.LOADS, rows):
            session.execute(statement)
        execute = session.execute

        class Measured:
            def execute(self, sql: str) -> Result:
                nonlocal longest
                longest = max(longest, len(sql.encode("utf-8")))
                return execute(sql)

        audit.note_proven(cast("Session", Measured()), "mart.x", versions | {days[0]: "2:other"})
        left = session.execute(f"select segment from {audit.LOADS} where proven_at is null").rows
    assert left == [(str(days[0]),)]
    assert 0 < longest <= 100_000


def test_two_runs_may_take_an_older_warehouse_over_at_once(tmp_path: Path) -> None:
    """The second one has seen the fences among the marts, and they are gone when its turn comes."""
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "w.duckdb"), store=store)
    with warehouse.session("older") as session:
        audit.prepare(session)
        session.execute("create schema mart")
        session.execute("create table mart._fence_takings (held integer)")
        session.execute(f"update {audit.TABLES} set definition = '3' where table_name = '_ledger'")
        transaction, others = session.transaction, []

        class Overtaken:
            execute = staticmethod(session.execute)

            def transaction(self, statements: Sequence[str]) -> list[Result]:
                if not others:
                    others.append(1)
                    audit.prepare(session)
                return transaction(statements)

        audit.prepare(cast("Session", Overtaken()))
        fences = session.execute(
            "select table_name from svv_tables where table_schema = 'mart'"
        ).rows
        form = f"select definition from {audit.TABLES} where table_name = '_ledger'"
        assert (fences, session.execute(form).rows) == ([], [("4",)])
