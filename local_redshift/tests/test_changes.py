"""Changes of rows: defaults, WITH, joins in FROM and USING, and MERGE with the rows of Amazon's page."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine

TABLES = (
    "create table t (a int default 7, b varchar(5), c decimal(5,2) not null default 1)",
    "create table target (id int, name varchar(10))",
    "create table source (id int, name varchar(10))",
    "insert into target values (101, 'Bob'), (102, 'John'), (103, 'Susan')",
    "insert into source values (102, 'Tony'), (103, 'Alice'), (104, 'Bill')",
)
ON = "merge into target using source on target.id = source.id "
INSERT = "when not matched then insert values (source.id, source.name)"
UPDATE = "when matched then update set id = source.id, name = source.name "


@pytest.fixture
def shop() -> Iterator[Engine]:
    """An engine with the tables above."""
    with Engine() as made:
        for statement in TABLES:
            made.execute(statement)
        yield made


def rows(engine: Engine, table: str = "target") -> list[tuple[Any, ...]]:
    return list(engine.execute(f"select * from {table} order by 1, 2").rows)


def test_defaults_are_inserted_and_set(shop: Engine) -> None:
    shop.execute("insert into t default values")
    shop.execute("insert into t values (default, 'x'), (2, default)")
    shop.execute("insert into t (b, c) values ('y', default)")
    shop.execute("update t set a = default, c = 2.5 where a = 2")
    one = Decimal("1.00")
    assert rows(shop, "t") == [
        (7, "x", one), (7, "y", one), (7, None, one), (7, None, Decimal("2.50")),
    ]  # fmt: skip


def test_a_missing_default_of_a_column_that_is_not_null_is_an_error(shop: Engine) -> None:
    shop.execute("create table strict (a int not null, b int)")
    for statement in (
        "insert into strict default values",
        "insert into strict values (default, 1)",
    ):
        with pytest.raises(RedshiftError) as raised:
            shop.execute(statement)
        assert raised.value.code == "23502"


def test_delete_needs_no_from(shop: Engine) -> None:
    assert shop.execute("delete target where id = 101").tag == "DELETE 1"
    assert shop.execute("delete target").row_count == 2


def test_with_stands_before_update_and_delete(shop: Engine) -> None:
    change = "with q(i) as (select 102) update target set name = 'new' from q where target.id = q.i"
    assert shop.execute(change).tag == "UPDATE 1"
    gone = "with q as (select id from source) delete from target where id in (select id from q)"
    assert shop.execute(gone).tag == "DELETE 2"
    assert rows(shop) == [(101, "Bob")]


def test_from_and_using_take_joins(shop: Engine) -> None:
    joined = "source s join target other on s.id = other.id"
    shop.execute(f"update target set name = s.name from {joined} where target.id = s.id")
    assert rows(shop) == [(101, "Bob"), (102, "Tony"), (103, "Alice")]
    shop.execute(f"delete from target using {joined} where target.id = s.id and s.id = 103")
    assert rows(shop) == [(101, "Bob"), (102, "Tony")]


def test_merge_updates_what_matches_and_inserts_what_does_not(shop: Engine) -> None:
    assert shop.execute(ON + UPDATE + INSERT).tag == "MERGE"
    assert rows(shop) == [(101, "Bob"), (102, "Tony"), (103, "Alice"), (104, "Bill")]
    shop.execute("insert into source values (105, 'David')")
    shop.execute(ON + "when matched then delete " + INSERT)
    assert rows(shop) == [(101, "Bob"), (105, "David")]


def test_merge_takes_a_query_an_alias_and_names_of_columns(shop: Engine) -> None:
    shop.execute("insert into source values (102, 'Tony'), (105, 'D')")
    shop.execute(
        "merge into public.target using (select id, name from source group by 1, 2) as q "
        "on q.id = target.id when matched then update set name = left(target.name, 4) || q.name "
        "when not matched then insert (name, id) values (upper(q.name), q.id)"
    )
    assert rows(shop) == [
        (101, "Bob"), (102, "JohnTony"), (103, "SusaAlice"), (104, "BILL"), (105, "D"),
    ]  # fmt: skip


def test_merge_inserts_every_row_that_matches_none(shop: Engine) -> None:
    shop.execute("insert into source values (104, 'Bill'), (null, 'nobody')")
    shop.execute(ON + UPDATE + INSERT)
    assert rows(shop)[3:] == [(104, "Bill"), (104, "Bill"), (None, "nobody")]


def test_merge_compares_texts_without_blanks_at_their_end(shop: Engine) -> None:
    shop.execute("update source set name = 'Bob  ' where id = 104")
    shop.execute(
        "merge into target using source on target.name = source.name when matched then delete "
        + INSERT
    )
    assert rows(shop) == [(102, "John"), (102, "Tony"), (103, "Alice"), (103, "Susan")]


@pytest.mark.parametrize("matched", [UPDATE, "when matched then delete "])
def test_merge_of_a_row_that_matches_twice_fails_whole(shop: Engine, matched: str) -> None:
    shop.execute("insert into source values (102, 'Tom')")
    with pytest.raises(RedshiftError, match=r"Found multiple matches to update the same tuple\."):
        shop.execute(ON + matched + INSERT)
    assert rows(shop) == [(101, "Bob"), (102, "John"), (103, "Susan")]


def test_remove_duplicates_keeps_one_row_of_those_that_match(shop: Engine) -> None:
    for table in ("target", "source"):
        shop.execute(f"delete from {table}")
    shop.execute(
        "insert into target values (30, 'Tony'), (30, 'Daisy'), (11, 'Alice'), (23, 'Bill'), "
        "(23, 'Nikki')"
    )
    shop.execute("insert into source values (23, 'David'), (22, 'Clarence')")
    shop.execute(ON + "remove duplicates")
    assert rows(shop) == [
        (11, "Alice"), (22, "Clarence"), (23, "David"), (30, "Daisy"), (30, "Tony"),
    ]  # fmt: skip


REJECTED = {
    ON + "when matched then delete": ("0A000", "a single WHEN clause is not enabled."),
    ON + INSERT: ("0A000", "a single WHEN clause is not enabled."),
    ON + "when matched and source.id = 1 then delete " + INSERT: ("0A000", "condition on WHEN"),
    ON + INSERT + " when matched then delete": ("42601", "one WHEN MATCHED, then"),
    ON.replace("=", ">") + "remove duplicates": ("0A000", "by ="),
    ON.strip() + " and source.id = 102 remove duplicates": ("0A000", "by ="),
    "merge into target using target on target.id = target.id remove duplicates": (
        "0A000", "same table",
    ),
    "merge into target using (select id, name from target) q on target.id = q.id remove duplicates":
        ("0A000", "cannot reference target table"),
    "merge into target x using source on x.id = source.id remove duplicates": ("42601", "alias"),
    "merge into target using t on target.id = t.a remove duplicates": ("42601", "as many columns"),
    "merge into nowhere using source on nowhere.id = source.id remove duplicates": (
        "42P01", "nowhere",
    ),
    ON + "when matched then update set target.name = 'x' " + INSERT: ("0A000", "in SET"),
    ON + UPDATE + "when not matched then insert values (target.id)": ("42P01", "target"),
    ON + UPDATE + "when not matched then insert values (1, 'a', 2)": ("42601", "more expressions"),
    "update target set name = s.name from source s left join t on s.id = t.a where target.id = s.id":
        ("0A000", "equijoin"),
    "insert into t values ((select 1)), (2)": ("0A000", "subqueries"),
    "delete target using source where target.id = source.id": ("42601", ""),
}  # fmt: skip


@pytest.mark.parametrize("sql", REJECTED)
def test_rejected_or_refused_by_name(shop: Engine, sql: str) -> None:
    code, text = REJECTED[sql]
    with pytest.raises(RedshiftError) as raised:
        shop.execute(sql)
    assert (raised.value.code, text in raised.value.message) == (code, True), raised.value.message
    assert rows(shop) == [(101, "Bob"), (102, "John"), (103, "Susan")]


def test_remove_duplicates_of_a_source_with_one_key_twice_is_refused(shop: Engine) -> None:
    shop.execute("insert into source values (104, 'x')")
    with pytest.raises(RedshiftError, match="one key"):
        shop.execute(ON + "remove duplicates")
