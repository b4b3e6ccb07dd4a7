"""The warehouse's table after its contract has changed: what is altered, made anew, or refused."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import Authority
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.ports.warehouse import Result, Session, Take, Warehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.road import audit
from orderhe_dagster.road.reshape import (
    DefinitionError,
    Plan,
    grant_statements,
    plan_of,
    prepare_loaded_table,
)
from orderhe_dagster_tests.contracts.sources import tables
from orderhe_dagster_tests.contracts.warehouses import WAREHOUSES

BEFORE = "id int not null, small smallint, price decimal(10,2) not null, note varchar(5), `two words` date"
ROW = "insert into warehouse.paid values (1, 7, 1.25, 'abc', '2026-01-02'), (2, null, -3.5, null, null)"
ROWS = [(1, 7, Decimal("1.25"), "abc", "2026-01-02"), (2, None, Decimal("-3.50"), None, "None")]


def contract(folder: Path, columns: str, header: str = "-- Paid.") -> Table:
    return tables(folder, paid=f"{header}\ncreate table paid ({columns});")["paid"]


@pytest.fixture(params=WAREHOUSES)
def warehouse(
    request: pytest.FixtureRequest, tmp_path: Path, redshift_authority: Authority
) -> Iterator[Warehouse]:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    with WAREHOUSES[request.param](tmp_path, store, redshift_authority) as made:
        yield made


def prepare(warehouse: Warehouse, table: Table) -> None:
    with warehouse.session("prepare") as session:
        audit.prepare(session)
        prepare_loaded_table(session, table)


@pytest.fixture
def paid(warehouse: Warehouse, tmp_path: Path) -> Table:
    """The table of `BEFORE` in the warehouse, with two rows."""
    table = contract(tmp_path / "before", BEFORE)
    prepare(warehouse, table)
    with warehouse.session("fill") as session:
        session.execute(ROW)
    return table


# Title: the columns of the contract now; how the table gets there.
CASES: dict[str, tuple[str, str]] = {
    "nothing": (BEFORE, ""),
    "added at the end": (f"{BEFORE}, more int", "alter"),
    "added anywhere": (f"first int, {BEFORE.replace(', note', ', `a b` text, note')}", "alter"),
    "re-ordered": (
        "price decimal(10,2) not null, id int not null, note varchar(5), `two words` date, small smallint",
        "alter",
    ),
    "text longer": (BEFORE.replace("varchar(5)", "varchar(50)"), "alter"),
    "text longer, and a column": (f"more int, {BEFORE.replace('varchar(5)', 'text')}", "alter"),
    "integer wider": (BEFORE.replace("id int", "id bigint"), "anew"),
    "small integer wider": (BEFORE.replace("small smallint", "small bigint unsigned"), "anew"),
    "more digits": (BEFORE.replace("decimal(10,2)", "decimal(14,4)"), "anew"),
    "null allowed": (BEFORE.replace("id int not null", "id int"), "anew"),
    "all at once": (
        "id bigint, price decimal(14,4), small int, more text, note varchar(99), `two words` date",
        "anew",
    ),
}
REFUSED: dict[str, tuple[str, str]] = {
    "dropped": (
        BEFORE.replace("small smallint, ", ""),
        "it has small smallint, which the contract",
    ),
    "renamed": (BEFORE.replace("small", "tiny"), "it has small smallint"),
    "integer narrower": (
        BEFORE.replace("id int", "id smallint"),
        "it has id integer not null, the contract id smallint not null",
    ),
    "text shorter": (BEFORE.replace("varchar(5)", "varchar(4)"), "it has note varchar(20)"),
    "fewer digits": (BEFORE.replace("10,2", "9,2"), "it has price decimal(10, 2) not null"),
    "fewer before the point": (BEFORE.replace("10,2", "10,3"), "the contract price decimal(10, 3)"),
    "too few for an integer": (
        BEFORE.replace("small smallint", "small decimal(4)"),
        "small smallint",
    ),
    "re-typed": (
        BEFORE.replace("`two words` date", "`two words` datetime"),
        "it has two words date",
    ),
    "null refused": (
        BEFORE.replace("note varchar(5)", "note varchar(5) not null"),
        "note varchar(20)",
    ),
    "added, not null": (f"{BEFORE}, more int not null", "take `not null` out"),
}


@pytest.mark.parametrize("title", CASES)
def test_rows_stay_when_the_columns_change(
    warehouse: Warehouse, paid: Table, tmp_path: Path, title: str
) -> None:
    columns, way = CASES[title]
    now = contract(tmp_path / "now", columns)
    plan = plan_of(audit.definition(paid), now)
    assert (plan.refused, plan.made_anew) == ((), way == "anew")
    for _ in range(2):
        prepare(warehouse, now)
    selected = 'select id, small, price, note, "two words" from warehouse.paid order by id'
    rows = [(*row[:4], str(row[4])) for row in warehouse.query(selected).rows]
    assert rows == ROWS
    shape = {
        str(name): (str(kind), null == "NO", length)
        for name, kind, null, length in warehouse.query(
            "select column_name, data_type, is_nullable, character_maximum_length from svv_columns"
            " where table_schema = 'warehouse' and table_name = 'paid'"
        ).rows
    }
    fresh = contract(tmp_path / "fresh", columns)
    with warehouse.session("compare") as session:
        assert audit.stored_definition(session, "warehouse.paid") == audit.definition(fresh)
    assert set(shape) == set(now.column_names)
    assert {name for name in shape if shape[name][1]} == {
        column.name for column in now.columns if not column.nullable
    }
    assert shape["note"][2] == now.column("note").type.length
    new = set(now.column_names) - set(paid.column_names)
    for name in new:
        assert warehouse.query(f'select count("{name}") from warehouse.paid').scalar() == 0


@pytest.mark.parametrize("title", REFUSED)
def test_what_could_lose_rows_stops_with_both_sides(tmp_path: Path, title: str) -> None:
    columns, told = REFUSED[title]
    plan = plan_of(
        audit.definition(contract(tmp_path / "a", BEFORE)), contract(tmp_path / "b", columns)
    )
    assert told in "; ".join(plan.refused)


def test_another_layout_stops(tmp_path: Path) -> None:
    before = contract(tmp_path / "a", "id int, day date not null")
    now = contract(tmp_path / "b", "id int, day date not null", "-- @partition day")
    plan = plan_of(audit.definition(before), now)
    assert plan == Plan(refused=("it is laid out by partition None, distkey None, sortkey ()",))


def test_a_refusal_changes_nothing_and_its_commands_make_the_table_anew(
    warehouse: Warehouse, paid: Table, tmp_path: Path
) -> None:
    now = contract(tmp_path / "now", REFUSED["integer narrower"][0])
    with pytest.raises(
        DefinitionError, match=r"warehouse\.paid was made .*raw/paid\.sql"
    ) as caught:
        prepare(warehouse, now)
    assert warehouse.query("select count(*) from warehouse.paid").scalar() == 2
    commands = str(caught.value).partition("from the source: ")[2].split("; ")
    pasted = [shlex.split(command) for command in commands]
    assert pasted[-1][:3] == ["orderhe", "run", "backup/paid,warehouse/paid"]
    with warehouse.session("as told") as session:
        for _, verb, sql in pasted[:-1]:
            assert verb == "query"
            session.execute(sql)
    prepare(warehouse, now)
    assert warehouse.query("select count(*) from warehouse.paid").scalar() == 0


@dataclass
class _Killed:
    """A session whose process dies before its `left`-th further call."""

    session: Session
    left: int
    log: list[str] = field(default_factory=list)

    def execute(self, sql: str) -> Result:
        self._count(sql)
        return self.session.execute(sql)

    def stream(self, sql: str, take: Take) -> Result:
        self._count(sql)
        return self.session.stream(sql, take)

    def transaction(self, statements: Sequence[str]) -> list[Result]:
        self._count("; ".join(statements))
        return self.session.transaction(statements)

    def _count(self, sql: str) -> None:
        if not self.left:
            raise KeyboardInterrupt
        self.left -= 1
        self.log.append(sql)


@pytest.mark.parametrize("title", ["text longer, and a column", "all at once"])
def test_a_run_that_is_killed_between_statements_is_taken_up(
    warehouse: Warehouse, tmp_path: Path, title: str
) -> None:
    columns, _ = CASES[title]
    before = contract(tmp_path / "before", BEFORE)
    now = contract(tmp_path / "now", columns.replace("varchar(99)", "varchar(99), b varchar(9)"))
    whole = 0
    for calls in range(20):
        with warehouse.session("begin") as session:
            audit.prepare(session)
            session.execute("drop table if exists warehouse.paid")
            session.execute("delete from warehouse._tables")
            prepare_loaded_table(session, before)
            session.execute(ROW)
        with warehouse.session("killed") as session:
            try:
                prepare_loaded_table(_Killed(session, calls), now)
                whole += 1
            except KeyboardInterrupt:
                pass
        assert warehouse.query("select sum(id), count(*) from warehouse.paid").rows[0] == (3, 2)
        prepare(warehouse, now)
        rows = warehouse.query("select id, small, price, note from warehouse.paid order by id").rows
        assert [tuple(row) for row in rows] == [row[:4] for row in ROWS]
        if whole:
            break
    assert whole, "the last was not killed"


def test_comments_stay_and_late_binding_views_read_on(
    warehouse: Warehouse, paid: Table, tmp_path: Path
) -> None:
    with warehouse.session("hang") as session:
        session.execute("comment on table warehouse.paid is 'it''s ours'")
        session.execute("comment on column warehouse.paid.note is 'by hand'")
        session.execute(
            "create view warehouse.seen as select id from warehouse.paid with no schema binding"
        )
    prepare(warehouse, contract(tmp_path / "now", CASES["integer wider"][0]))
    comments = warehouse.query("select description from pg_description order by 1").rows
    assert [tuple(row) for row in comments] == [("by hand",), ("it's ours",)]
    assert warehouse.query("select sum(id) from warehouse.seen").scalar() == 3


def test_a_view_that_stands_on_the_table_is_named(
    warehouse: Warehouse, paid: Table, tmp_path: Path
) -> None:
    with warehouse.session("hang") as session:
        session.execute("create view warehouse.bound as select id, note from warehouse.paid")
    for title in ("integer wider", "text longer"):
        with pytest.raises(DefinitionError, match=r"warehouse\.bound.*no schema binding"):
            prepare(warehouse, contract(tmp_path / "now", CASES[title][0]))
        assert warehouse.query("select count(*) from warehouse.bound").scalar() == 2


def test_readers_see_no_gap(tmp_path: Path, redshift_authority: Authority) -> None:
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    with WAREHOUSES["redshift"](tmp_path, store, redshift_authority) as served:
        prepare(served, contract(tmp_path / "before", BEFORE))
        with served.session("fill") as session:
            session.execute(ROW)
        seen: list[Any] = []
        done, begun = threading.Event(), threading.Event()

        def read() -> None:
            with served.session("reader", read_only=True) as session:
                while not done.is_set():
                    try:
                        seen.append(session.execute("select count(*) from warehouse.paid").scalar())
                    except StatementError as error:
                        seen.append(error.message)
                    begun.set()

        reader = threading.Thread(target=read)
        reader.start()
        begun.wait(60)
        for title in ("more digits", "all at once"):
            prepare(served, contract(tmp_path / title, CASES[title][0]))
        done.set()
        reader.join(60)
    assert set(seen) == {2}


def test_grants_are_given_again() -> None:
    rows = [
        ("SELECT", "bi", "user", False),
        ("select", "lead", "user", True),
        ("INSERT", "load ers", "group", False),
        ("SELECT", 'r"1', "role", False),
        ("SELECT", "public", "public", False),
        ("RULE", "bi", "user", False),
    ]
    assert grant_statements('"warehouse"."paid"', rows) == [
        'grant select on table "warehouse"."paid" to "bi"',
        'grant select on table "warehouse"."paid" to "lead" with grant option',
        'grant insert on table "warehouse"."paid" to group "load ers"',
        'grant select on table "warehouse"."paid" to role "r""1"',
        'grant select on table "warehouse"."paid" to public',
    ]
