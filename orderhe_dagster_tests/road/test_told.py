"""What a run tells of differences: nothing that a kill could take away, and nothing that is not so."""

from __future__ import annotations

import json
from datetime import date

import pytest

from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit, builds, index, index_objects, loads
from orderhe_dagster.road.seals import sealed
from orderhe_dagster_tests.shops import TestShop


def test_findings_are_kept_before_they_are_mended(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran_shop.run("*").succeeded
    with ran_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse.sales set price = 9 where sale_no = 3")
        session.execute("update mart.takings set sale_count = 9 where sold_on = '2026-01-01'")
    order = list[str]()

    def after_kept(session: Session, name: str, *arguments: object) -> None:
        kept = f"select distinct kind from warehouse._findings where table_name = '{name}'"
        order.extend(f"{kind} of {name}" for (kind,) in session.execute(kept).rows)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    real = audit.note_findings

    def note(session: Session, name: str, *rest: object) -> None:
        real(session, name, *rest)  # type: ignore[arg-type]
        after_kept(session, name)

    monkeypatch.setattr(audit, "note_findings", note)
    with monkeypatch.context() as patch:
        patch.setattr(loads, "load_statements", killed)
        with pytest.raises(KeyboardInterrupt):
            ran_shop.run("warehouse/sales")
    with monkeypatch.context() as patch:
        patch.setattr(builds, "_statements", killed)
        with pytest.raises(KeyboardInterrupt):
            ran_shop.run("mart/takings")
    assert order == ["wrong of warehouse.sales", "altered of mart.takings"]
    assert ran_shop.run("*").succeeded


def test_rows_that_were_outside_and_are_a_days_now_are_altered_by_nobody(
    ran_shop: TestShop,
) -> None:
    """Another first day: the days of before are outside, and then no more."""
    assert ran_shop.run("*").succeeded
    for first in ("2026-01-03", "2026-01-01"):
        ran_shop.environ["ORDERHE_START_DATE"] = first
        for _ in range(2):
            outcome = ran_shop.run("*")
            assert outcome.succeeded, outcome.lines()
            assert not [text for text in outcome.warned_checks if "nothing_differed" in text]
        days = ran_shop.rows("select min(sold_on) from mart.takings")
        assert days >= [(date.fromisoformat(first),)], "what is outside is in no mart by day"
    assert ran_shop.rows("select sum(sale_count) from mart.takings") == [(4,)]
    assert ran_shop.rows("select count(*) from warehouse.sales") == [(4,)]
    assert ran_shop.rows("select count(*) from warehouse._findings") == [(0,)]


def test_a_floating_value_that_changed_is_no_damage(ran_shop: TestShop) -> None:
    """No digest sees it: the table is read every night, and other bytes are all that tells."""
    table = (
        "create table weights (\n    w_id int not null,\n    kg double,\n    primary key (w_id)\n);"
    )
    ran_shop.write({"raw/weights.sql": f"-- Weights.\n{table}\n"})
    ran_shop.create()
    ran_shop.change("insert into weights values (1, 1.5)")
    assert ran_shop.run("*").succeeded
    ran_shop.change("update weights set kg = 1.75")
    outcome = ran_shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert not outcome.warned_checks
    assert ran_shop.rows("select kg from warehouse.weights") == [(1.75,)]
    ran_shop.store.delete([part.key for part in ran_shop.record("weights", "all").parts])
    (text,) = ran_shop.run("*").warned_checks
    assert "1 segment damaged in the backup" in text


def test_a_proof_of_a_day_to_come_keeps_no_segment_from_its_turn(ran_shop: TestShop) -> None:
    assert ran_shop.run("*").succeeded
    root = ran_shop.store.get(index_objects.root_key("sales"))
    assert root is not None
    body = json.loads(root.body)
    body["proven"] = [[*run[:2], *["2099-01-01T00:00:00+00:00"] * 2] for run in body["proven"]]
    ran_shop.store.put(index_objects.root_key("sales"), sealed(body))
    with ran_shop.warehouse.session("a hand") as session:
        session.execute("update warehouse._loads set proven_at = '2099-01-01'")
        held = audit.read(session, ["warehouse.sales"])["warehouse.sales"]
    assert {loaded.proven_at for loaded in held.values()} == {None}
    assert not any(one.source for one in index.read(ran_shop.store, "sales").proven.values())
    assert ran_shop.run("*").succeeded
    never = "select never_proven from warehouse._checks where table_name = 'warehouse.sales'"
    assert ran_shop.rows(f"{never} and never_proven is not null") == [(0,)]
