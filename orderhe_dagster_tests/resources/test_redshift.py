"""The Redshift adapter on the local Redshift's wire server: retries, timeouts, labels, racing builds."""

from __future__ import annotations

import socket
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from local_redshift.testing import server as wire
from local_redshift.testing.certificates import Authority
from local_redshift.testing.server import Redshift
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.ports.errors import PortError, StatementError
from orderhe_dagster.ports.warehouse import Result, Session
from orderhe_dagster.resources.build import build_store, build_warehouse
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.road import audit, builds, loads
from orderhe_dagster.road.backups import Record
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.contracts.warehouses import counted_at_once, over_the_wire
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.shops import TestShop, sales_shop


def test_a_transaction_in_the_way_of_another_is_repeated(redshift: Redshift) -> None:
    made = replace(over_the_wire(redshift), attempts=100)
    assert counted_at_once(made, adders=4, times=5) == 20


@pytest.mark.skipif(not hasattr(socket, "TCP_USER_TIMEOUT"), reason="the system has no such limit")
def test_what_is_sent_in_vain_is_waited_for_as_long_as_silence(redshift: Redshift) -> None:
    with over_the_wire(redshift).session("x") as session:
        opened = session._connection._usock
        assert opened.gettimeout() == pytest.approx(3_600 + 15, abs=60), "no query is cut short"
        assert opened.getsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT) == 120_000


def test_a_transaction_passes_that_eight_others_were_in_the_way_of(
    redshift: Redshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In a serializable database, of the loads that end together one wins each round."""
    made = over_the_wire(redshift)
    with made.session("make") as session:
        session.execute("create table held (a int)")
        run, lost = session._run, iter(range(8))

        def refused(sql: str) -> Result:
            found = run(sql)
            if sql.startswith("insert") and next(lost, None) is not None:
                raise StatementError("1023: Serializable isolation violation", "XX000", sql)
            return found

        monkeypatch.setattr(session, "_run", refused)
        monkeypatch.setattr("orderhe_dagster.resources.redshift.repeating._LONGEST_WAIT_S", 0.0)
        session.transaction(["insert into held values (1)"])
    assert made.query("select a from held").rows == [(1,)]


@pytest.mark.parametrize("sql", ["", " ", "-- nothing"])
def test_a_text_without_a_statement_is_no_lost_connection(redshift: Redshift, sql: str) -> None:
    with over_the_wire(redshift).session("x") as session:
        with pytest.raises(StatementError, match="no statement in this text"):
            session.execute(sql)
        assert session.execute("select 1").scalar() == 1


def test_a_conflict_is_told_when_the_attempts_are_used_up(redshift: Redshift) -> None:
    made = replace(over_the_wire(redshift), attempts=1)
    with made.session("one") as one, made.session("two") as two:
        one.execute("create table counted (id int, held int)")
        one.execute("insert into counted values (1, 0)")
        one.execute("begin")
        assert one.execute("select held from counted").scalar() == 0
        two.execute("update counted set held = 1")
        with pytest.raises(StatementError, match=r"1023.*isolation violation"):
            one.execute("update counted set held = held + 1 where id = 1")
        one.execute("rollback")


def test_a_statement_that_takes_too_long_is_ended_by_the_server(redshift: Redshift) -> None:
    made = over_the_wire(redshift, statement_timeout=1)
    with made.session("holds") as holder, made.session("waits") as waiter:
        holder.execute("create table t (a int)")
        holder.execute("begin")
        holder.execute("lock table t")
        with pytest.raises(StatementError) as raised:
            waiter.execute("insert into t values (2)")
        assert raised.value.code == "57014"
        holder.execute("commit")
        assert waiter.execute("insert into t values (3)").row_count == 1


def test_the_label_is_found_in_the_history_of_queries(redshift: Redshift) -> None:
    made = over_the_wire(redshift)
    with made.session("load warehouse/orders run 0a1b") as session:
        session.execute("select 'found me'")
    found = made.query(
        "select query_label from sys_query_history where query_text like '%found me%'"
        " and query_text not like '%sys_query_history%'"
    )
    assert ("load warehouse/orders run 0a1b",) in [tuple(row) for row in found.rows]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"ssl_ca": ""}, "certificate is not to be trusted"),
        ({"host": "localhost.localdomain", "sslmode": "verify-full"}, "redshift://localhost"),
        ({"sslmode": "disable", "ssl_ca": ""}, "set ORDERHE_REDSHIFT_SSLMODE=verify-full"),
        ({"user": "nobody"}, "ORDERHE_REDSHIFT_USER.*redshift/password of its ORDERHE_HOME"),
        ({"database": "nowhere"}, "ORDERHE_REDSHIFT_DATABASE"),
    ],
)
def test_a_refused_connection_names_the_setting(
    redshift: Redshift, changed: dict[str, str], told: str
) -> None:
    made = over_the_wire(redshift, **changed)
    with pytest.raises(PortError, match=told), made.session("x"):
        raise AssertionError("connected")


def test_a_password_that_was_rotated_is_taken_at_the_next_connect(
    redshift: Redshift, tmp_path: Path
) -> None:
    """By the warehouse of a process that goes on running, as a code server does."""
    environ = {**variables_of(redshift), "ORDERHE_WAREHOUSE": "redshift"}
    right = environ["ORDERHE_REDSHIFT_PASSWORD"]
    environ["ORDERHE_REDSHIFT_PASSWORD"] = "of yesterday"
    made = build_warehouse(load_settings(environ, tmp_path))
    with pytest.raises(PortError, match="ORDERHE_REDSHIFT_PASSWORD"), made.session("x"):
        raise AssertionError("connected")
    environ["ORDERHE_REDSHIFT_PASSWORD"] = right
    assert made.query("select 1").scalar() == 1
    assert right not in repr(made)


@pytest.fixture
def shop(tmp_path: Path, redshift_authority: Authority) -> Iterator[TestShop]:
    """The sales shop with its warehouse on the wire."""
    home = {"ORDERHE_HOME": str(tmp_path / "shop" / "home")}
    with ExitStack() as stack:
        reach = resolver(build_store(load_settings(home, tmp_path)), stack)
        server = stack.enter_context(
            wire.serving(tmp_path / "w.duckdb", authority=redshift_authority, resolver=reach)
        )
        switches = {"ORDERHE_WAREHOUSE": "redshift", **variables_of(server)}
        yield sales_shop(tmp_path / "shop", switches)


def test_a_model_whose_upstream_is_loaded_while_it_is_planned_is_planned_again(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for layer in ("backup/*", "warehouse/*"):
        assert shop.run(layer, "2026-01-01", "2026-01-04").succeeded
    stored, looks = audit.stored_definition, []

    def meanwhile(session: Session, name: str) -> str | None:
        """Between the look at the audit and the fence, another run loads a day."""
        looks.append(name)
        if len(looks) == 1:
            shop.change(
                "update sales set price = 1.000, changed_at = timestamp '2026-02-01 00:00:00'"
            )
            assert shop.run("backup/*", "2026-01-01", "2026-01-04").succeeded
            assert shop.run("warehouse/*", "2026-01-01", "2026-01-04").succeeded
        return stored(session, name)

    monkeypatch.setattr(builds.audit, "stored_definition", meanwhile)
    assert shop.run("mart/takings", "2026-01-01", "2026-01-04").succeeded
    monkeypatch.undo()
    assert shop.rows("select sum(price_total) from mart.takings") == [(4,)]
    inputs = "select count(distinct inputs) from warehouse._loads where table_name = 'mart.takings'"
    before = shop.rows(inputs)
    assert shop.run("mart/takings", "2026-01-01", "2026-01-04").succeeded
    assert shop.rows(inputs) == before


def test_a_load_that_was_overtaken_leaves_what_is_newer(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has staged a generation; before its transaction begins, another run loads the next one."""
    for layer in ("backup/*", "warehouse/buyers"):
        assert shop.run(layer, "2026-01-01", "2026-01-04").succeeded
    check, staged = loads._check_stage, []

    def overtaken(session: Session, step: Step, records: Mapping[Segment, Record]) -> None:
        check(session, step, records)
        staged.append({record.generation for record in records.values()})
        if len(staged) == 1:
            shop.change(
                "update sales set price = 1.000, changed_at = timestamp '2026-02-01 00:00:00'"
            )
            for layer in ("backup/sales", "warehouse/sales"):
                assert shop.run(layer, "2026-01-01", "2026-01-04").succeeded

    monkeypatch.setattr(loads, "_check_stage", overtaken)
    assert shop.run("warehouse/sales", "2026-01-01", "2026-01-04").succeeded
    assert staged[:2] == [{0, 1}, {0, 2}]  # 0: a day that never had a row
    assert shop.rows("select distinct price from warehouse.sales") == [(1,)]
    held = "select distinct generation from warehouse._loads where table_name = 'warehouse.sales'"
    assert (2,) in shop.rows(f"{held} and row_count > 0")
    assert (1,) not in shop.rows(f"{held} and row_count > 0")


def test_a_view_on_a_model_whose_columns_change_is_named(shop: TestShop) -> None:
    for layer in ("backup/*", "warehouse/*", "mart/takings"):
        assert shop.run(layer, "2026-01-01", "2026-01-04").succeeded
    with shop.warehouse.session("owner") as session:
        session.execute("create view public.best as select * from mart.takings")
    text = (shop.folder / "sql" / "mart" / "takings.sql").read_text("utf-8")
    shop.write({"mart/takings.sql": text.replace("sale_count", "sales_made")})
    outcome = shop.run("mart/takings", "2026-01-01", "2026-01-04")
    assert not outcome.succeeded
    assert "views stand on it" in " ".join(outcome.lines())
    with shop.warehouse.session("owner") as session:
        session.execute("drop view public.best")
    assert shop.run("mart/takings", "2026-01-01", "2026-01-04").succeeded


def test_a_server_that_reaches_another_store_is_to_be_restarted_with_this_one(
    tmp_path: Path, redshift_authority: Authority
) -> None:
    served = build_store(load_settings({"ORDERHE_HOME": str(tmp_path / "served")}, tmp_path))
    with (
        ExitStack() as stack,
        wire.serving(authority=redshift_authority, resolver=resolver(served, stack)) as server,
    ):
        other = {"ORDERHE_WAREHOUSE": "redshift", "ORDERHE_S3_BUCKET": "elsewhere"}
        shop = sales_shop(tmp_path / "shop", {**other, **variables_of(server)})
        assert shop.run("backup/*", "2026-01-01", "2026-01-04").succeeded
        told = " ".join(shop.run("warehouse/*", "2026-01-01", "2026-01-04").lines())
    assert f"holds {served.url('k')[:-1]}… only" in told
    assert "restart that with the ORDERHE_STORE and ORDERHE_S3_* settings" in told
    assert "materialize backup" not in told
