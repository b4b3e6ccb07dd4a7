"""What the files say of tables and columns stands in the warehouse, and costs nothing once it does."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import Authority
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.warehouse import Result, Session, Take, Warehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import audit, comments
from orderhe_dagster.road.reshape import prepare_loaded_table
from orderhe_dagster_tests.contracts.sources import tables
from orderhe_dagster_tests.contracts.warehouses import WAREHOUSES
from orderhe_dagster_tests.shops import TestShop

HARD = "it''s 100 % \\\\ of \"all\": :name ? %s $1; -- “말” 🙂"
COMMENTS = (
    "select a.attname, d.description from pg_description d join pg_class c on c.oid = d.objoid"
    " left join pg_attribute a on a.attrelid = c.oid and a.attnum = d.objsubid"
    " where c.relname = '{}' order by 1"
)


class Told(Warehouse):
    """A warehouse that writes down what it is asked."""

    def __init__(self, warehouse: Warehouse) -> None:
        self._warehouse, self.asked = warehouse, list[str]()

    @property
    def identity(self) -> str:
        return self._warehouse.identity

    @property
    def copy_authorization(self) -> str:
        return self._warehouse.copy_authorization

    @contextmanager
    def session(self, label: str, *, read_only: bool = False) -> Iterator[Session]:
        with self._warehouse.session(label, read_only=read_only) as session:
            yield _ToldSession(session, self.asked)

    def comments(self) -> list[str]:
        """Which things were given a comment since the last time."""
        made = [sql for sql in self.asked if sql.startswith("comment on ")]
        self.asked.clear()
        return [re.split(" is ", sql)[0].removeprefix("comment on ") for sql in made]


class _ToldSession:
    def __init__(self, session: Session, asked: list[str]) -> None:
        self._session, self._asked = session, asked

    def execute(self, sql: str) -> Result:
        self._asked.append(sql)
        return self._session.execute(sql)

    def stream(self, sql: str, take: Take) -> Result:
        return self._session.stream(sql, take)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        assert len(statements) <= 40 and sum(map(len, statements)) < 100_000
        self._asked += statements
        return self._session.transaction(statements)


@pytest.fixture(params=WAREHOUSES)
def warehouse(
    request: pytest.FixtureRequest, tmp_path: Path, redshift_authority: Authority
) -> Iterator[Told]:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    with WAREHOUSES[request.param](tmp_path, store, redshift_authority) as made:
        yield Told(made)


def paid(
    folder: Path, id_text: str = "", note_text: str = "", more: int = 0, head: str = "Paid."
) -> Table:
    """A contract with these descriptions; `more` columns are there to fill transactions."""
    columns = [
        f"id int not null comment '{id_text}'",
        f"`two words` varchar(5) comment '{note_text}'",
        *(f"c{number} int comment 'the column {number}'" for number in range(more)),
    ]
    text = f"-- {head}\n-- @pii two words\ncreate table paid ({', '.join(columns)});"
    return tables(folder, paid=text)["paid"]


def described(warehouse: Warehouse) -> dict[Any, str]:
    return {row[0]: row[1] for row in warehouse.query(COMMENTS.format("paid")).rows}


def keep(warehouse: Told, table: Table, **how: bool) -> list[str]:
    """Prepare and describe a table as a load does; which things were given a comment."""
    with warehouse.session("prepare") as session:
        audit.prepare(session)
        prepared = prepare_loaded_table(session, table)
    warehouse.asked.clear()
    comments.keep(warehouse, table, prepared.comments, **how)
    return warehouse.comments()


def test_what_the_file_says_stands_in_the_warehouse_and_follows_it(
    warehouse: Told, tmp_path: Path
) -> None:
    first = paid(tmp_path / "a", HARD, "a note", more=45)
    assert len(keep(warehouse, first)) == 48
    texts = described(warehouse)
    plain = HARD.replace("''", "'").replace("\\\\", "\N{SET MINUS}")
    assert (texts[None], texts["id"], texts["c44"]) == ("Paid.", plain, "the column 44")
    assert texts["two words"] == "a note (personal data)"

    warehouse.asked.clear()
    with warehouse.session("prepare") as session:
        comments.keep(warehouse, first, prepare_loaded_table(session, first).comments)
    assert warehouse.comments() == []

    changed = paid(tmp_path / "b", "the number", "a note", more=45)
    assert keep(warehouse, changed) == ['column "warehouse"."paid"."id"']
    assert described(warehouse) == {**texts, "id": "the number"}
    assert keep(warehouse, changed) == []


def test_nothing_is_asked_where_nothing_is_described_anew(warehouse: Told, tmp_path: Path) -> None:
    table = paid(tmp_path / "a", "one", "two")
    keep(warehouse, table)
    with warehouse.session("prepare") as session:
        prepared = prepare_loaded_table(session, table)
    warehouse.asked.clear()
    comments.keep(warehouse, table, prepared.comments)
    assert warehouse.asked == []


def test_what_is_no_longer_said_goes_and_another_hands_comment_stays(
    warehouse: Told, tmp_path: Path
) -> None:
    keep(warehouse, paid(tmp_path / "a", "one", "two"))
    with warehouse.session("hand") as session:
        session.execute("comment on column warehouse.paid.id is 'by hand'")
    silent = paid(tmp_path / "b", "", "two", more=1)  # its table is altered for the new column
    assert keep(warehouse, silent) == ['column "warehouse"."paid"."c0"']
    assert described(warehouse)["id"] == "by hand"

    said = paid(tmp_path / "c", "one", "two", more=1, head="Paid again.")
    keep(warehouse, said)
    assert sorted(keep(warehouse, paid(tmp_path / "d", "", "two", more=1, head=""))) == [
        'column "warehouse"."paid"."id"',
        'table "warehouse"."paid"',
    ]
    assert {*described(warehouse)} == {"two words", "c0"}


def test_a_run_that_believes_nothing_puts_a_changed_comment_right(
    warehouse: Told, tmp_path: Path
) -> None:
    table = paid(tmp_path / "a", "one", "two")
    keep(warehouse, table)
    with warehouse.session("hand") as session:
        session.execute("comment on column warehouse.paid.id is 'by hand'")
    assert keep(warehouse, table) == []
    assert keep(warehouse, table, look=True) == ['column "warehouse"."paid"."id"']
    assert described(warehouse)["id"] == "one"


def test_a_table_made_anew_is_described_anew(warehouse: Told, tmp_path: Path) -> None:
    table = paid(tmp_path / "a", "one", "two")
    keep(warehouse, table)
    with warehouse.session("hand") as session:
        session.execute("drop table warehouse.paid")
    assert len(keep(warehouse, table)) == 3
    assert described(warehouse) == {None: "Paid.", "id": "one", "two words": "two (personal data)"}


def test_a_long_description_is_cut_at_a_character(tmp_path: Path) -> None:
    table = paid(tmp_path / "a", "가" * 3_000)
    text = comments.wanted(table)["id"]
    assert text == "가" * 2_665 + "…" and len(text.encode()) <= 8_000


def test_a_reader_who_holds_the_table_is_not_waited_for(
    tmp_path: Path,
    redshift_authority: Authority,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    table = paid(tmp_path / "a", "one", "two")
    monkeypatch.setattr(comments, "_PATIENCE_S", 0.2)
    with WAREHOUSES["redshift"](tmp_path, store, redshift_authority) as made:
        warehouse = Told(made)
        with warehouse.session("prepare") as session:
            audit.prepare(session)
            prepare_loaded_table(session, table)
        with warehouse.session("a BI tool") as reader, caplog.at_level(logging.WARNING):
            reader.execute("begin")
            reader.execute("select count(*) from warehouse.paid")
            comments.keep(warehouse, table, None)
            assert "the next run tries again" in caplog.text and "invalid" not in caplog.text
            reader.execute("rollback")
        assert described(made) == {}
        keep(warehouse, table)
        assert described(made)["id"] == "one"


def test_a_run_describes_its_tables_and_a_comment_more_makes_no_table_anew(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    folder = tmp_path / "shop"
    shop = TestShop(folder, {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_SHOP": "external"})
    counts = "-- Counts.\nselect\n    orders.id::int as id -- which one\nfrom warehouse.orders;"
    shop.write(
        {
            "raw/orders.sql": "-- Orders.\ncreate table orders (id int primary key comment 'number');",
            "mart/counts.sql": counts,
        }
    )
    shop.create()
    shop.change("insert into orders values (1), (2)")
    assert shop.run("*").succeeded
    assert shop.rows(COMMENTS.format("orders")) == [("id", "number"), (None, "Orders.")]
    assert shop.rows(COMMENTS.format("counts")) == [("id", "which one"), (None, "Counts.")]

    built = (
        "select version, run_id, loaded_at from warehouse._loads where table_name = 'mart.counts'"
    )
    before = shop.rows(built)
    shop.write({"mart/counts.sql": counts.replace("which one", "the one")})
    assert shop.run("*").succeeded
    assert shop.rows(COMMENTS.format("counts"))[0] == ("id", "the one")
    assert shop.rows(built) == before

    shop.write({"mart/counts.sql": counts.replace("orders.id::int", "(orders.id + 1)::int")})
    assert shop.run("*").succeeded
    assert shop.rows("select min(id), max(id) from mart.counts") == [(2, 3)]
