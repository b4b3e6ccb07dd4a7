"""What a run tells of differences: nothing that a kill could take away, and nothing that is not so."""

from __future__ import annotations

from datetime import date

import pytest

from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit, builds, loads
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
