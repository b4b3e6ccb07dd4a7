"""Damages for the drill: drawn from a seed, each knows what it did. Whether it was found, `verdicts` asks.

Of a night's damages no two touch one row, and a segment is damaged in one of the systems only: what one
of them hides of another is not what is drilled here.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Literal

from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Segment
from orderhe_dagster.road import index
from orderhe_dagster_tests.drill.shop import (
    FAR,
    IDENTITY,
    MAKERS,
    WHOLE_MAKERS,
    DrillShop,
    day_of,
    inserts,
    literal,
)

System = Literal["source", "backup", "warehouse", "mart"]
SYSTEMS: tuple[System, ...] = ("source", "backup", "warehouse", "mart")
MOST_ROWS = 15
"""So many rows of a segment are damaged in a night: all of them are to be named."""
_STATES = ("open", "paid", "sent")
_HOURS = (-9, -5, 1, 9)
_NULLABLE = {
    "orders": (
        *("weight", "paid_at", "wanted_on", "coupon", "note", "country", "token", "stamp"),
        *("lasts", "extra"),
    ),
    "visits": ("page", "seconds", "agent"),
    "products": ("price", "listed_at"),
    "labels": ("words", "color"),
}
_VALUES = {
    "orders": (
        *(
            "customer_no",
            "amount",
            "weight",
            "placed_at",
            "paid_at",
            "wanted_on",
            "coupon",
            "state",
        ),
        *("is_gift", "note", "country", "token", "stamp", "lasts", "extra"),
    ),
    "visits": ("page", "seconds", "agent"),
    "products": ("title", "price", "listed_at"),
    "labels": ("words", "color"),
}
_MOMENTS = {"orders": ("placed_at", "paid_at"), "visits": ("seen_at",), "products": ("listed_at",)}
_TEXTS = {
    "orders": ("coupon", "note"),
    "visits": ("page", "agent"),
    "products": ("title",),
    "labels": ("words", "color"),
}
Row = Mapping[str, Any]


@dataclass(frozen=True)
class Damage:
    """One damage: `segments` are where it shows, `names` what the ledger has to say of each.

    `columns` are told too, where the table has a key. `followed`: the source's rows are more or fewer,
    which is no alarm; they are to be read again.
    """

    system: System
    kind: str
    table: str
    segments: tuple[Segment, ...]
    names: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    statements: tuple[str, ...] = ()
    objects: tuple[tuple[str, bytes | None], ...] = ()  # key, what lies there now
    followed: bool = False

    def __str__(self) -> str:
        where = f"{self.system} {self.table} {', '.join(map(str, self.segments))}"
        what = "; ".join([*self.statements, *(key for key, _ in self.objects)])
        return f"{self.kind} in {where}: {what}"

    def inflict(self, shop: DrillShop) -> None:
        """Do it, by another hand than the product's."""
        store = shop.shop.store
        for key, body in self.objects:
            if body is None:
                store.delete([key])
            else:
                store.put(key, body)
        if self.system == "source":
            shop.shop.change(*self.statements)
        elif self.statements:
            with shop.shop.warehouse.session("another client") as session:
                for statement in self.statements:
                    session.execute(statement)


@dataclass
class Damager:
    """Draws damages of a shop as it stands: of rows that are there."""

    shop: DrillShop
    rng: random.Random
    rows: dict[str, list[Row]] = field(default_factory=dict)
    _taken: dict[tuple[str, Segment], str] = field(default_factory=dict)
    _touched: set[tuple[str, Any]] = field(default_factory=set)
    _counts: dict[tuple[str, Segment], int] = field(default_factory=dict)
    _objects: dict[str, int] = field(default_factory=dict)

    def night(self, count: int) -> list[Damage]:
        """Damages for one night, every kind of every system as often as any other."""
        self._look()
        kinds = [(system, kind) for system in SYSTEMS for kind in KINDS[system]]
        self.rng.shuffle(kinds)
        damages: list[Damage] = []
        misses = 0
        while len(damages) < count and misses < 50 * count:
            system, kind = kinds[(len(damages) + misses) % len(kinds)]
            damage = KINDS[system][kind](self, system)
            if damage is None:
                misses += 1
                continue
            damages.append(damage)
        return damages

    def _look(self) -> None:
        """The rows as they are; what was damaged before is free again."""
        self._taken, self._touched, self._counts, self._objects = {}, set(), {}, {}
        with self.shop.shop.source.writing() as transaction:
            for table, identity in IDENTITY.items():
                rows = transaction.fetch(f"select * from {table} order by {identity}").to_pylist()
                self.rows[table] = [dict(row) for row in rows]
        names = (
            ("daily_orders", "ordered_on, state, order_count, amount"),
            (
                "customers",
                "customer_no, order_count, amount",
            ),
        )
        for mart, columns in names:
            rows = self.shop.shop.rows(f"select {columns} from mart.{mart} order by 1, 2")
            split = columns.split(", ")
            self.rows[mart] = [dict(zip(split, row, strict=True)) for row in rows]

    @property
    def most_objects(self) -> int:
        """So many segments of a table lose objects in a night: of more than a tenth, a run stops and asks."""
        return max(3, self.shop.days // 15)

    # Places -----------------------------------------------------------------------------------

    def segment(self, table: str, day: date | datetime | None, system: System) -> Segment | None:
        """Where a row of that day is; None: it is of today, which no copy has yet."""
        if table in WHOLE_MAKERS:
            return WHOLE
        day = day_of(day, self.shop.zone)
        if day is None or day < self.shop.first:
            return OUTSIDE
        after = self.shop.first + timedelta(days=self.shop.days)
        if day < after:
            return Segment.of(day)
        return None if day == after and system == "source" else OUTSIDE

    def of_row(self, table: str, row: Row, system: System) -> Segment | None:
        """Where a row is."""
        return self.segment(table, row.get(PARTITION.get(table, "")), system)

    def take(self, table: str, row: Any, segments: Sequence[Segment | None], owner: str) -> bool:
        """Claim a row and its segments; False where another damage has them."""
        there = [segment for segment in segments if segment is not None]
        most = MOST_ROWS if owner != "backup" else 1
        if not there or (table, row) in self._touched:
            return False
        for segment in there:
            is_mine = self._taken.get((table, segment), owner) == owner
            # Of a day, one: what is done to another row of it may move its fingerprint.
            alone = segment.day is not None and (table, segment) in self._taken
            if not is_mine or alone or self._counts.get((table, segment), 0) >= most:
                return False
        for segment in there:
            self._taken[table, segment] = owner
            self._counts[table, segment] = self._counts.get((table, segment), 0) + 1
        self._touched.add((table, row))
        return True

    def any_row(self, table: str) -> Row:
        """One of the rows of the table: as likely of outside as of a day of its own."""
        rows = self.rows[table]
        if table in MAKERS and self.rng.random() < 0.08:
            rows = [row for row in rows if self.of_row(table, row, "warehouse") == OUTSIDE] or rows
        return self.rng.choice(rows)

    def any_table(self, names: Sequence[str] = tuple(IDENTITY)) -> str:
        """A raw table, those with days more often."""
        return self.rng.choice([name for name in names for _ in range(4 if name in MAKERS else 1)])


PARTITION = {"orders": "ordered_on", "visits": "seen_at", "daily_orders": "ordered_on"}
_FROM_HEX = {"source": "unhex", "warehouse": "from_hex", "mart": "from_hex"}


def _relation(system: System, table: str) -> str:
    return table if system == "source" else f"{system}.{table}"


def _name(table: str, row: Row) -> str:
    value = row[IDENTITY[table]]
    return (
        f"{IDENTITY[table]} {value!r}" if isinstance(value, str) else f"{IDENTITY[table]} {value}"
    )


def _where(table: str, row: Row) -> str:
    return f"{IDENTITY[table]} = {literal(row[IDENTITY[table]], '')}"


# Values ------------------------------------------------------------------------------------------


def _flipped(column: str, value: Any, rng: random.Random) -> Any:
    """Another value, as near to it as can be."""
    if column in _NEAR:
        return _NEAR[column](value, rng)
    return next(near(value) for kind, near in _NEAR_KIND.items() if isinstance(value, kind))


_NEAR: dict[str, Callable[[Any, random.Random], Any]] = {
    "state": lambda value, rng: rng.choice([state for state in _STATES if state != value]),
    "is_gift": lambda value, _: 1 - int(value),
    "lasts": lambda value, _: value[:-1] + ("8" if value[-1] == "7" else "7"),
    "extra": lambda value, _: value.replace('{"n": ', '{"n": 1'),
    "placed_at": lambda value, _: value + timedelta(microseconds=1),
}
_NEAR_KIND: dict[type, Callable[[Any], Any]] = {
    int: lambda value: value + 1,
    Decimal: lambda value: value + Decimal(1).scaleb(value.as_tuple().exponent),
    datetime: lambda value: value + timedelta(seconds=1),
    date: lambda value: value + timedelta(days=1),
    bytes: lambda value: bytes([value[0] ^ 1]) + value[1:],
    str: lambda value: value[:-1] + ("x" if value[-1:] != "x" else "y"),
}


def _updated(
    damager: Damager, system: System, kind: str, table: str, row: Row, column: str, value: Any
) -> Damage | None:
    """A damage that gives one value of a row another."""
    if value == row[column]:
        return None
    before = damager.of_row(table, row, system)
    after = damager.of_row(table, {**row, column: value}, system)
    moved = before != after
    segments = tuple(s for s in dict.fromkeys([before, after]) if s is not None)
    if before is None or not damager.take(
        table, row[IDENTITY[table]], segments, f"{system}{' rows' * moved}"
    ):
        return None
    given = literal(value, _FROM_HEX[system])
    statement = (
        f"update {_relation(system, table)} set {column} = {given} where {_where(table, row)}"
    )
    names = (_name(table, row),)
    followed = moved and system == "source"
    columns = () if moved else (column,)
    return Damage(system, kind, table, segments, names, columns, (statement,), (), followed)


def flip(damager: Damager, system: System) -> Damage | None:
    """One value is another."""
    table = damager.any_table()
    row, column = damager.any_row(table), damager.rng.choice(_VALUES[table])
    if row[column] is None:
        return None
    value = _flipped(column, row[column], damager.rng)
    return _updated(damager, system, "flip", table, row, column, value)


def shift(damager: Damager, system: System) -> Damage | None:
    """A moment is read as if it were of another time zone."""
    table = damager.any_table(tuple(_MOMENTS))
    row, column = damager.any_row(table), damager.rng.choice(_MOMENTS[table])
    if row[column] is None:
        return None
    value = row[column] + timedelta(hours=damager.rng.choice(_HOURS))
    return _updated(damager, system, "shift", table, row, column, value)


def recase(damager: Damager, system: System) -> Damage | None:
    """A text has its capitals changed."""
    table = damager.any_table()
    row, column = damager.any_row(table), damager.rng.choice(_TEXTS[table])
    if row[column] is None:
        return None
    return _updated(damager, system, "recase", table, row, column, row[column].swapcase())


def blank(damager: Damager, system: System) -> Damage | None:
    """A value is gone: NULL, empty, or with a blank behind it; a row may lose its day."""
    table, rng = damager.any_table(), damager.rng
    row = damager.any_row(table)
    if table in MAKERS and rng.random() < 0.1:
        return _updated(damager, system, "blank", table, row, PARTITION[table], None)
    if rng.random() < 0.5:
        return _updated(damager, system, "blank", table, row, rng.choice(_NULLABLE[table]), None)
    column = rng.choice(_TEXTS[table])
    value = rng.choice(["", (row[column] or "") + " "])
    return _updated(damager, system, "blank", table, row, column, value)


def swap(damager: Damager, system: System) -> Damage | None:
    """Two rows of one segment have each the value of the other: count and sums are as they were."""
    table = damager.any_table()
    first, column = damager.any_row(table), damager.rng.choice(_VALUES[table])
    segment = damager.of_row(table, first, system)
    others = [
        row
        for row in damager.rows[table]
        if damager.of_row(table, row, system) == segment and row[column] != first[column]
    ]
    if segment is None or not others:
        return None
    second = damager.rng.choice(others)
    identity, key = IDENTITY[table], (table, second[IDENTITY[table]])
    if key in damager._touched or not damager.take(table, first[identity], [segment], system):
        return None
    damager._touched.add(key)
    statements = tuple(
        f"update {_relation(system, table)} set {column} = "
        f"{literal(source[column], _FROM_HEX[system])} where {_where(table, target)}"
        for source, target in ((first, second), (second, first))
    )
    names = (_name(table, first), _name(table, second))
    return Damage(system, "swap", table, (segment,), names, (column,), statements)


# Rows --------------------------------------------------------------------------------------------


def drop(damager: Damager, system: System) -> Damage | None:
    """A row is gone."""
    table = damager.any_table()
    row = damager.any_row(table)
    segment = damager.of_row(table, row, system)
    if segment is None or not damager.take(
        table, row[IDENTITY[table]], [segment], f"{system} rows"
    ):
        return None
    statement = f"delete from {_relation(system, table)} where {_where(table, row)}"
    names, followed = (_name(table, row),), system == "source"
    return Damage(system, "drop", table, (segment,), names, (), (statement,), (), followed)


def duplicate(damager: Damager, system: System) -> Damage | None:
    """A row is there twice; in the source, where no key forbids it."""
    table = damager.any_table(("visits", "labels") if system == "source" else tuple(IDENTITY))
    row = damager.any_row(table)
    segment = damager.of_row(table, row, system)
    if segment is None or not damager.take(
        table, row[IDENTITY[table]], [segment], f"{system} rows"
    ):
        return None
    relation = _relation(system, table)
    statement = f"insert into {relation} select * from {relation} where {_where(table, row)}"
    names, followed = (_name(table, row),), system == "source"
    return Damage(system, "duplicate", table, (segment,), names, (), (statement,), (), followed)


def add(damager: Damager, system: System) -> Damage | None:
    """A row that never was; also on a day without any, and on none."""
    table, rng = damager.any_table(), damager.rng
    days: list[date | None] = [*damager.shop.history]
    day = rng.choice([*days, *[None] * 10, *[FAR] * 5, *[date(2001, 2, 3)] * 5])
    number = damager.shop.next_number(table)
    values = (
        MAKERS[table](number, day, rng, damager.shop.zone)
        if table in MAKERS
        else WHOLE_MAKERS[table](number, rng)
    )
    segment = damager.segment(table, day, system)
    identity = values[0]
    if segment is None or not damager.take(table, identity, [segment], f"{system} rows"):
        return None
    (statement,) = inserts(_relation(system, table), [values], from_hex=_FROM_HEX[system])
    names, followed = (_name(table, {IDENTITY[table]: identity}),), system == "source"
    return Damage(system, "add", table, (segment,), names, (), (statement,), (), followed)


def table_gone(damager: Damager, system: System) -> Damage | None:
    """The whole table is dropped."""
    table = "products" if system == "warehouse" else "customers"
    if not damager.take(table, None, [WHOLE], f"{system} table"):
        return None
    statement = f"drop table {system}.{table}"
    return Damage(system, "table gone", table, (WHOLE,), (), (), (statement,))


# Objects -----------------------------------------------------------------------------------------


def _of_object(
    kind: str, change: Callable[[Damager, bytes, str], bytes | None], *, manifest: bool = False
) -> Callable[[Damager, System], Damage | None]:
    """A kind of damage of the objects of one generation: `change` says what lies there then."""

    def damage(damager: Damager, system: System) -> Damage | None:
        table = damager.any_table()
        store = damager.shop.shop.store
        records = index.read(store, table).records
        segment = damager.rng.choice(sorted(records))
        record = records[segment]
        if not record.parts or damager._objects.get(table, 0) >= damager.most_objects:
            return None
        if not damager.take(table, record.manifest, [segment], system):
            return None
        damager._objects[table] = damager._objects.get(table, 0) + 1
        objects = []
        keys = [record.manifest] if manifest else [part.key for part in record.parts]
        for key in keys:
            stored = store.get(key)
            assert stored is not None, key
            objects.append((key, change(damager, stored.body, table)))
        if kind == "all gone":
            objects.append((record.manifest, None))
        names = tuple(store.url(key) for key in keys)
        return Damage(system, kind, table, (segment,), names, objects=tuple(objects))

    return damage


def _other_rows(damager: Damager, body: bytes, table: str) -> bytes:
    """The bytes of a part of another segment."""
    store = damager.shop.shop.store
    records = [record for record in index.read(store, table).records.values() if record.parts]
    others = [part for record in records for part in record.parts]
    stored = store.get(damager.rng.choice(others).key)
    assert stored is not None
    return stored.body if stored.body != body else body[:-9]


def _flipped_byte(damager: Damager, body: bytes, table: str) -> bytes:
    place = damager.rng.randrange(len(body))
    return body[:place] + bytes([body[place] ^ 0x10]) + body[place + 1 :]


# Marts -------------------------------------------------------------------------------------------


def _mart_row(damager: Damager) -> tuple[str, Row, Segment] | None:
    mart = damager.rng.choice(["daily_orders"] * 4 + ["customers"])
    rows = damager.rows[mart]
    if mart == "daily_orders":
        rows = [row for row in rows if damager.of_row(mart, row, "mart") != OUTSIDE]
    row = damager.rng.choice(rows)
    segment = WHOLE if mart == "customers" else damager.of_row(mart, row, "mart")
    identity = tuple(row[name] for name in _GRAIN[mart])
    if segment is None or not damager.take(mart, identity, [segment], "mart rows"):
        return None
    return mart, row, segment


_GRAIN = {"daily_orders": ("ordered_on", "state"), "customers": ("customer_no",)}


def _mart_damage(
    kind: str, mart: str, row: Row, segment: Segment, statement: str, columns: tuple[str, ...] = ()
) -> Damage:
    grain = {name: row[name] for name in _GRAIN[mart]}
    where = " and ".join(f"{name} = {literal(value, '')}" for name, value in grain.items())
    name = ", ".join(
        f"{key} {value!r}" if isinstance(value, str) else f"{key} {value}"
        for key, value in grain.items()
    )
    text = statement.format(mart=f"mart.{mart}", where=where)
    return Damage("mart", kind, mart, (segment,), (name,), columns, (text,))


def mart_altered(damager: Damager, system: System) -> Damage | None:
    """A figure of a mart is another."""
    if (place := _mart_row(damager)) is None:
        return None
    column = damager.rng.choice(["order_count", "amount"])
    value = damager.rng.choice(["0", f"{column} + 1"]) if place[1][column] else f"{column} + 1"
    return _mart_damage(
        "flip", *place, f"update {{mart}} set {column} = {value} where {{where}}", (column,)
    )


def mart_dropped(damager: Damager, system: System) -> Damage | None:
    """A row of a mart is gone."""
    if (place := _mart_row(damager)) is None:
        return None
    return _mart_damage("drop", *place, "delete from {mart} where {where}")


def mart_doubled(damager: Damager, system: System) -> Damage | None:
    """A row of a mart is there twice."""
    if (place := _mart_row(damager)) is None:
        return None
    text = "insert into {mart} select * from {mart} where {where}"
    return _mart_damage("duplicate", *place, text)


def mart_stray(damager: Damager, system: System) -> Damage | None:
    """A mart by day has a row of a day that the shop never had, or of none."""
    if not damager.take("daily_orders", damager.rng.random(), [OUTSIDE], "mart rows"):
        return None
    day = damager.rng.choice(
        ["null", "'2037-02-03'", f"'{damager.shop.first - timedelta(days=3)}'"]
    )
    text = f"insert into mart.daily_orders values ({day}, 'open', 7, 7.00)"
    return Damage("mart", "add", "daily_orders", (OUTSIDE,), (), (), (text,))


_DRAW = Callable[[Damager, System], "Damage | None"]
_OF_ROWS: dict[str, _DRAW] = {
    "flip": flip,
    "shift": shift,
    "recase": recase,
    "blank": blank,
    "swap": swap,
    "drop": drop,
    "duplicate": duplicate,
    "add": add,
}
KINDS: dict[System, dict[str, _DRAW]] = {
    "source": _OF_ROWS,
    "backup": {
        "truncated": _of_object("truncated", lambda _, body, __: body[: len(body) // 2]),
        "flipped": _of_object("flipped", _flipped_byte),
        "deleted": _of_object("deleted", lambda *_: None),
        "other rows": _of_object("other rows", _other_rows),
        "all gone": _of_object("all gone", lambda *_: None),
        "no manifest": _of_object("no manifest", lambda *_: None, manifest=True),
    },
    "warehouse": {**_OF_ROWS, "table gone": table_gone},
    "mart": {
        "flip": mart_altered,
        "drop": mart_dropped,
        "duplicate": mart_doubled,
        "add": mart_stray,
        "table gone": table_gone,
    },
}
"""What may be done to each system, by the name of the kind."""


def kinds() -> Iterator[tuple[System, str]]:
    """Every kind of every system."""
    for system in SYSTEMS:
        for kind in KINDS[system]:
            yield system, kind
