"""Children that are cut by their parent's day equal a whole copy of them, whatever becomes of the parents.

A seeded history of a shop: rows come, change, move and go, parents late and without a day. After each step
every child is backed up and loaded as the road does it, once cut by day and once whole.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import WHOLE
from orderhe_dagster.catalog.table import TableRef
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.proof import agreement
from orderhe_dagster.resources.build import build_parquet_query
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.road import backups, points, source_restores
from orderhe_dagster.road.extracts import BackedUp, Road, back_up
from orderhe_dagster.road.findings import Finding
from orderhe_dagster.road.guards import Rules
from orderhe_dagster.road.leftover import leftover
from orderhe_dagster.road.loads import load
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.contracts.sources import SOURCES
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.shops import TestShop, shop_of

FIRST = date(2026, 1, 1)
HISTORY = Window(FIRST, FIRST + timedelta(days=5))
DAYS = [*HISTORY]
TODAY = HISTORY.end
ORDERS = """-- @partition ordered_at
create table orders (order_id int not null primary key, ordered_at datetime null, state varchar(9));
"""
ITEMS = """{partition}-- @cursor changed_at
create table order_items (
    item_id int not null primary key, order_id int, sku varchar(20), quantity int not null,
    changed_at datetime(6) not null, key items_order (order_id)
);
"""
TAGS = """{partition}
create table order_tags (order_id int, label varchar(20), key tags_order (order_id));
"""
CHOICES = """{partition}
create table item_choices (
    choice_id int not null primary key, item_id int not null, text varchar(40), key choices_item (item_id)
);
"""
WAYS = {
    "order_items": (ITEMS, "order_id -> orders.ordered_at"),
    "order_tags": (TAGS, "order_id -> orders.ordered_at"),
    "item_choices": (CHOICES, "item_id -> order_items.order_id -> orders.ordered_at"),
}
CHILDREN = [*WAYS]
FOLLOWED = Rules(may_be_empty=True)
"""A shop so small may lose all rows of a table."""


def contracts(is_cut: bool) -> dict[str, str]:
    texts = {
        f"raw/{name}.sql": text.format(partition=f"-- @partition {way}\n" if is_cut else "")
        for name, (text, way) in WAYS.items()
    }
    return {"raw/orders.sql": ORDERS, **texts}


@dataclass
class Truth:
    """The shop as it should be, by plain dictionaries: what no engine has a part in."""

    orders: dict[int, datetime | None] = field(default_factory=dict)
    items: dict[int, tuple[int | None, str, int]] = field(default_factory=dict)
    tags: list[tuple[int | None, str]] = field(default_factory=list)
    choices: dict[int, tuple[int, str]] = field(default_factory=dict)

    def day_of(self, order: int | None) -> date | None:
        moment = None if order is None else self.orders.get(order)
        return moment and moment.date()

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        """What a copy has: its key's columns, and the day of each row; not the rows of today."""
        made: list[tuple[Any, ...]] = []
        if table == "order_items":
            made = [
                (n, order, sku, many, self.day_of(order))
                for n, (order, sku, many) in self.items.items()
            ]
        elif table == "order_tags":
            made = [(order, tag, self.day_of(order)) for order, tag in self.tags]
        else:
            for number, (item, text) in self.choices.items():
                order = self.items[item][0] if item in self.items else None
                made.append((number, item, text, self.day_of(order)))
        return [row for row in made if row[-1] != TODAY]


SELECTED = {
    "order_items": "item_id, order_id, sku, quantity",
    "order_tags": "order_id, label",
    "item_choices": "choice_id, item_id, text",
}


class History:
    """Changes of a shop by chance, made in the source and in the truth alike."""

    def __init__(self, seed: int, source: Source) -> None:
        self.dice, self.source, self.truth = random.Random(seed), source, Truth()
        self.clock, self.numbers = 0, 0
        self.statements: list[str] = []

    def step(self, changes: int) -> None:
        """So many changes, in one transaction of the source."""
        self.statements = []
        for _ in range(changes):
            self.dice.choice(KINDS)(self)
        with self.source.writing() as transaction:
            for statement in self.statements:
                transaction.execute(statement)

    def do(self, statement: str) -> None:
        self.statements.append(statement)

    def number(self) -> int:
        self.numbers += 1
        return self.numbers

    def stamp(self) -> str:
        self.clock += 1
        return f"timestamp '2026-02-01 00:00:00.{self.clock:06}'"

    def moment(self) -> datetime | None:
        """Mostly of the shop's days; some have none, some lie before, today, or far ahead."""
        day = self.dice.choice([*DAYS * 3, None, date(1999, 1, 2), TODAY, date(2062, 1, 1)])
        return (
            None if day is None else datetime(day.year, day.month, day.day, self.dice.randrange(24))
        )

    def order(self) -> int | None:
        """Some order, there or not."""
        known = [*self.truth.orders]
        return self.dice.choice([*known * 2, self.numbers + 3, None])

    def item(self) -> int:
        return self.dice.choice([*self.truth.items, self.numbers + 5])

    def new_order(self, number: int | None = None) -> None:
        number, moment = number or self.number(), self.moment()
        if number not in self.truth.orders:
            self.truth.orders[number] = moment
            self.do(f"insert into orders values ({number}, {literal(moment)}, 'new')")

    def late_parent(self) -> None:
        """The order that lines are waiting for."""
        waiting = [o for o, *_ in self.truth.items.values() if o and o not in self.truth.orders]
        self.new_order(self.dice.choice(waiting) if waiting else None)

    def new_items(self) -> None:
        order = self.order()
        for _ in range(self.dice.randrange(1, 4)):
            number, many = self.number(), self.dice.randrange(9)
            self.truth.items[number] = (order, f"sku {many}", many)
            self.do(
                f"insert into order_items values ({number}, {literal(order)}, 'sku {many}', {many},"
                f" {self.stamp()})"
            )

    def new_tags(self) -> None:
        order, tag = self.order(), f"t{self.dice.randrange(3)}"
        for _ in range(self.dice.randrange(1, 3)):  # equal rows, too: the table has no key
            self.truth.tags.append((order, tag))
            self.do(f"insert into order_tags values ({literal(order)}, '{tag}')")

    def new_choice(self) -> None:
        number, item = self.number(), self.item()
        self.truth.choices[number] = (item, "red")
        self.do(f"insert into item_choices values ({number}, {item}, 'red')")

    def move_order(self) -> None:
        if self.truth.orders:
            number, moment = self.dice.choice([*self.truth.orders]), self.moment()
            self.truth.orders[number] = moment
            self.do(f"update orders set ordered_at = {literal(moment)} where order_id = {number}")

    def swap_orders(self) -> None:
        """Two orders change days: their days keep as many rows where they have as many lines."""
        if len(self.truth.orders) > 1:
            one, other = self.dice.sample([*self.truth.orders], 2)
            orders = self.truth.orders
            orders[one], orders[other] = orders[other], orders[one]
            for number in (one, other):
                self.do(
                    f"update orders set ordered_at = {literal(orders[number])}"
                    f" where order_id = {number}"
                )

    def drop_order(self) -> None:
        """An order goes; its lines stay."""
        if self.truth.orders:
            number = self.dice.choice([*self.truth.orders])
            del self.truth.orders[number]
            self.do(f"delete from orders where order_id = {number}")

    def edit_item(self) -> None:
        if self.truth.items:
            number = self.dice.choice([*self.truth.items])
            order, sku, many = self.truth.items[number]
            self.truth.items[number] = (order, sku, many + 1)
            self.do(
                f"update order_items set quantity = {many + 1}, changed_at = {self.stamp()}"
                f" where item_id = {number}"
            )

    def move_item(self) -> None:
        """A line gets another order; its choices go with it."""
        if self.truth.items:
            number, order = self.dice.choice([*self.truth.items]), self.order()
            _, sku, many = self.truth.items[number]
            self.truth.items[number] = (order, sku, many)
            self.do(
                f"update order_items set order_id = {literal(order)}, changed_at = {self.stamp()}"
                f" where item_id = {number}"
            )

    def edit_choice(self) -> None:
        """Nothing tells of it: the table has no cursor."""
        if self.truth.choices:
            number = self.dice.choice([*self.truth.choices])
            text = f"blue {self.clock} {self.dice.randrange(99)}"
            self.truth.choices[number] = (self.truth.choices[number][0], text)
            self.do(f"update item_choices set text = '{text}' where choice_id = {number}")

    def drop_rows(self) -> None:
        if self.truth.items:
            number = self.dice.choice([*self.truth.items])
            del self.truth.items[number]
            self.do(f"delete from order_items where item_id = {number}")
        if self.truth.choices:
            number = self.dice.choice([*self.truth.choices])
            del self.truth.choices[number]
            self.do(f"delete from item_choices where choice_id = {number}")
        if self.truth.tags:
            order = self.dice.choice(self.truth.tags)[0]
            self.truth.tags = [one for one in self.truth.tags if one[0] != order]
            where = "is null" if order is None else f"= {order}"
            self.do(f"delete from order_tags where order_id {where}")


KINDS: list[Callable[[History], None]] = [
    *[History.new_order, History.new_items] * 3,
    *[History.new_tags, History.new_choice, History.late_parent, History.move_order] * 2,
    *(History.swap_orders, History.drop_order, History.edit_item, History.move_item),
    *(History.edit_choice, History.drop_rows),
]


def literal(value: object) -> str:
    if isinstance(value, datetime):
        return f"timestamp '{value}'"
    return "null" if value is None else str(value)


@dataclass
class Copies:
    """A store and a warehouse of their own, and the contracts by which they are filled from one source."""

    shop: TestShop
    source: Source

    def __post_init__(self) -> None:
        self.tables = {table.name: table for table in self.shop.catalogue.layer("raw")}
        self.store: Store = self.shop.store
        self.warehouse: Warehouse = self.shop.warehouse
        self.store.create()
        self.runs = 0

    def step(self, name: str) -> Step:
        table = self.tables[name]
        return Step(table, HISTORY if table.partition else None, f"run-{self.runs}", HISTORY)

    def follow(self, name: str) -> tuple[list[str], list[Finding]]:
        """Back a table up and load it, as a daily run does; what it wrote, and found without being told."""
        done = self.backed_up(name)
        load(self.step(name), self.store, self.warehouse)
        return sorted(segment.text for segment in done.written), done.findings

    def backed_up(self, name: str) -> BackedUp:
        self.runs += 1
        parquet = build_parquet_query(self.shop.settings)
        road = Road(self.source, self.store, self.warehouse, self.shop.folder / "scratch", parquet)
        return back_up(self.step(name), road, FOLLOWED)

    def proof(self, name: str) -> agreement.Agreement:
        step = self.step(name)
        return agreement.prove(step, step.cut, self.source, self.store, self.warehouse)

    def rows(self, day: str = "") -> dict[str, list[tuple[Any, ...]]]:
        """The rows of each child."""
        with self.warehouse.session("the copies", read_only=True) as session:
            return {
                name: ordered(session.execute(f"select {columns}{day} from warehouse.{name}").rows)
                for name, columns in SELECTED.items()
            }


def ordered(rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
    return sorted(map(tuple, rows), key=repr)


@contextmanager
def copies(folder: Path, source: Source) -> Iterator[tuple[Copies, Copies]]:
    """Copies that are cut by the parent's day, and whole ones."""
    made = [
        Copies(shop_of(folder / name, contracts(is_cut=name == "cut")), source)
        for name in ("cut", "whole")
    ]
    source.create([*made[0].tables.values()])
    yield made[0], made[1]


@pytest.fixture(params=cases(SOURCES, ["embedded", "mysql"]))
def source(request: pytest.FixtureRequest, tmp_path: Path) -> Source:
    return SOURCES[request.param](tmp_path, request.getfixturevalue)


@pytest.mark.parametrize("seed", cases(range(20), [3]))
def test_a_child_by_day_equals_a_whole_copy(source: Source, tmp_path: Path, seed: int) -> None:
    history = History(seed, source)
    with copies(tmp_path, source) as (cut, whole):
        for number in range(6 if IS_LONG else 2):
            history.step(30 if number == 0 else 9)
            for name in CHILDREN:
                _, found_by_proof = cut.follow(name)
                if name != "item_choices":  # whose texts change without a cursor
                    assert not found_by_proof, "the fingerprints tell of every change"
                whole.follow(name)
            by_day, as_a_whole = cut.rows(", _day"), whole.rows()
            for name in CHILDREN:
                wanted = ordered(history.truth.rows(name))
                assert by_day[name] == wanted, (seed, number, name)
                own = [row[:-1] for row in wanted]
                # The whole copy has the rows of today besides.
                assert [row for row in as_a_whole[name] if row in own] == own
                found = cut.proof(name)
                assert found.agrees, (seed, number, name, found.differences)
                assert found.source.rows == len(wanted)
        for name in CHILDREN:
            done = cut.backed_up(name)
            assert not done.written, "of what has not changed there is nothing to be done"


@pytest.fixture
def lines(tmp_path: Path) -> Iterator[tuple[Copies, Source]]:
    """Three orders of three days with a line each, one line of no order; backed up by day."""
    source = SOURCES["embedded"](tmp_path, lambda _: None)
    with copies(tmp_path, source) as (cut, _), source.writing() as transaction:
        for number, day in enumerate(DAYS[:3], 1):
            transaction.execute(
                f"insert into orders values ({number}, timestamp '{day} 09:00:00', 'new')"
            )
            transaction.execute(line(number, number))
        transaction.execute(line(9, 77))
    cut.backed_up("order_items")
    yield cut, source


def line(number: int, order: int) -> str:
    return f"insert into order_items values ({number}, {order}, 'sku', 1, timestamp '2026-01-09 00:00:00')"


def choices(cut: Copies, *names: str, window: Window | None = None) -> list[points.Choice]:
    now = points.Point()
    return [
        points.choose(cut.tables[name], window, HISTORY, "restore", cut.store, now)
        for name in names
    ]


def restored(cut: Copies, target: Source, chosen: Sequence[points.Choice]) -> None:
    parquet = build_parquet_query(cut.shop.settings)
    source_restores.restore(chosen, target, cut.store, cut.shop.folder / "parts", parquet)


def line_numbers(source: Source) -> list[int]:
    with source.writing() as transaction:
        found = transaction.fetch("select item_id from order_items order by 1")
    return list(found.column(0).to_pylist())


def test_children_go_back_into_a_source_whatever_day_their_parents_have_there(
    lines: tuple[Copies, Source], tmp_path: Path
) -> None:
    cut, source = lines
    alone, both = (EmbeddedSource(str(tmp_path / f"{name}.duckdb")) for name in ("alone", "both"))
    restored(cut, alone, choices(cut, "order_items"))
    assert line_numbers(alone) == [1, 2, 3, 9]
    with pytest.raises(PortError, match="order_items has 4 rows"):
        restored(cut, alone, choices(cut, "order_items"))
    # The order moved between the two backups of one night.
    with source.writing() as transaction:
        transaction.execute("update orders set ordered_at = timestamp '2026-01-05 00:00:00'")
    cut.backed_up("orders")
    restored(cut, both, choices(cut, "orders", "order_items"))
    assert line_numbers(both) == [1, 2, 3, 9]


def test_lost_days_come_back_and_lines_without_a_parent_are_told(
    lines: tuple[Copies, Source],
) -> None:
    cut, source = lines
    step, days = cut.step("order_items"), Window(DAYS[0], DAYS[2])
    left = leftover(step, source, [])
    assert (left.outside.undated, left.outside.total) == (1, 1)
    assert "no parent by `@partition order_id -> orders.ordered_at`" in left.sentence(step)
    with source.writing() as transaction:
        transaction.execute("delete from order_items where item_id = 1")
    with pytest.raises(PortError, match=f"order_items {DAYS[1]} has 1 row"):
        restored(cut, source, choices(cut, "order_items", window=days))
    with source.writing() as transaction:
        transaction.execute("delete from order_items where item_id = 2")
    restored(cut, source, choices(cut, "order_items", window=days))
    assert line_numbers(source) == [1, 2, 3, 9]
    assert not cut.backed_up("order_items").written, "the same rows are the same generation"


def test_a_wrong_day_is_found_and_put_right(lines: tuple[Copies, Source]) -> None:
    cut, _ = lines
    cut.follow("order_items")
    with cut.warehouse.session("a hand") as session:
        session.execute(
            "update warehouse.order_items set _day = date '2026-01-02' where item_id = 1"
        )
    found = cut.proof("order_items")
    assert {str(one.segment): one.severity for one in found.differences} == {
        **{str(DAYS[0]): "wrong"},
        str(DAYS[1]): "wrong",
    }
    assert [one.kind for one in cut.follow("order_items")[1]] == []
    assert cut.proof("order_items").agrees, "the load measures what it loaded"


def test_another_way_to_the_day_is_read_again(tmp_path: Path) -> None:
    catalogue = shop_of(tmp_path / "shop", contracts(is_cut=True)).catalogue
    own = catalogue.get(TableRef("raw", "order_items"))
    (step,) = own.day_through
    other = replace(own, day_through=(replace(step, column="item_id"),))
    assert backups.schema_fingerprint(own) != backups.schema_fingerprint(other)
    assert backups.schema_fingerprint(own.in_source) != backups.schema_fingerprint(own)


MART = """-- @partition order_date
select
    orders.ordered_at::date as order_date, -- The day
    count(distinct orders.order_id)::bigint as orders, -- Orders with lines
    sum(items.quantity)::bigint as pieces -- Pieces of all lines
from warehouse.orders
inner join warehouse.order_items as items
    on items.order_id = orders.order_id and items._day = orders.ordered_at::date
group by orders.ordered_at::date;
"""
LINES_A_DAY = """-- @partition order_date
select _day as order_date, count(*)::bigint as lines from warehouse.order_items group by _day;
"""


def test_daily_marts_over_children_follow_their_parents(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", "")
    raw = {f"raw/{name}.sql" for name in ("orders", "order_items")}
    files = {name: text for name, text in contracts(is_cut=True).items() if name in raw}
    files |= {"mart/pieces.sql": MART, "mart/lines.sql": LINES_A_DAY}
    shop = shop_of(tmp_path / "shop", files, ORDERHE_SHOP="external", ORDERHE_START_DATE=str(FIRST))
    shop.create()
    shop.change(
        *(
            f"insert into orders values ({n}, timestamp '{DAYS[n - 1]} 10:00:00', 'new')"
            for n in (1, 2, 3)
        ),
        *(line(number, order) for number, order in enumerate((1, 1, 2, 3, 4), 1)),
    )
    first, last = str(DAYS[0]), str(DAYS[-1])
    outcome = shop.run("*", first, last)
    assert outcome.succeeded, outcome.lines()
    pieces, lines = ("select * from mart.pieces order by 1", "select * from mart.lines order by 1")
    assert shop.rows(pieces) == [(DAYS[0], 1, 2), (DAYS[1], 1, 1), (DAYS[2], 1, 1)]
    (warned,) = outcome.warned_checks
    assert "backup/order_items: nothing_left_out" in warned
    shop.change(
        f"update orders set ordered_at = timestamp '{DAYS[3]} 10:00:00' where order_id = 1",
        f"insert into orders values (4, timestamp '{DAYS[1]} 11:00:00', 'late')",
    )
    outcome = shop.run("*", last)
    assert outcome.succeeded, outcome.lines()
    assert shop.rows(pieces) == [(DAYS[1], 2, 2), (DAYS[2], 1, 1), (DAYS[3], 1, 2)]
    assert shop.rows(lines) == [(DAYS[1], 2), (DAYS[2], 1), (DAYS[3], 2)]
    assert not outcome.warned_checks


def test_a_whole_table_is_read_again_only_where_its_rows_are_others(tmp_path: Path) -> None:
    """With a cursor, its count and the cursor's sum tell; without one, the digest in the source does."""
    source = SOURCES["embedded"](tmp_path, lambda _: None)
    with copies(tmp_path, source) as (_, whole), source.writing() as transaction:
        transaction.execute(line(1, 1))
        transaction.execute("insert into item_choices values (1, 1, 'red'), (2, 1, 'blue')")
    names = ["order_items", "item_choices"]
    assert [len(whole.backed_up(name).written) for name in names] == [1, 1]
    assert [whole.backed_up(name).written for name in names] == [set(), set()], (
        "read, and found the same"
    )
    assert [whole.backed_up(name).read for name in names] == [set(), set()], "not read any more"
    with source.writing() as transaction:
        transaction.execute("update order_items set changed_at = timestamp '2026-01-10 00:00:00'")
        transaction.execute("update item_choices set text = 'green' where choice_id = 1")
    told, silent = map(whole.backed_up, names)
    assert (told.written, told.findings) == ({WHOLE}, [])
    assert (silent.written, [one.kind for one in silent.findings]) == ({WHOLE}, ["silent"])
