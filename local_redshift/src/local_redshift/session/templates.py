"""Queries that were compiled before, but for names in their literals and the clock's time. Runs nothing.

Clients ask the same of one table after another: `… where table_name = 'mart.sales'`. Parsing and
compiling such a text takes longer than running it. So its shape is compiled with stand-ins where such
names and the time are, twice, with others each time: where nothing else differs between the two, a
stand-in is only carried along, and any name may take its place.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from local_redshift.errors import RedshiftError
from local_redshift.functions.times import fixed
from local_redshift.values.arguments import Context
from local_redshift.values.catalog import Relation
from local_redshift.values.scope import Query
from local_redshift.values.uses import Uses

KEPT = 512
_LONGEST = 10_000  # characters of a statement that is worth it
_NAME = re.compile(r"'([a-z_][a-z0-9_]*\.[a-z_][a-z0-9_]*(?: [a-z]+)?)'")
"""A literal that is a table's name: no rule reads more in it than a text."""
_STAND_IN = "stand_in.{}"
_NOW = datetime(2001, 2, 3, 4, 5, 6, 700_001, timezone.utc)
_BEGAN = datetime(2001, 2, 3, 4, 5, 6, 700_002, timezone.utc)
_LATER = timedelta(days=5000, hours=1, minutes=1, seconds=1, microseconds=10)
_OF_SESSION = {"process_id", "last_copy_count", "last_query_id", "last_copy_id", "catalog"}


@dataclass(frozen=True)
class Times:
    """When a statement began, and its transaction."""

    now: datetime
    began: datetime

    @property
    def texts(self) -> tuple[str, ...]:
        """All that a compiled text may hold of them, none a part of a later one."""
        return tuple(
            fixed(*at).sql for at in ((self.began, True), (self.now, True), (self.now, False))
        )


@dataclass(frozen=True)
class NotingContext(Context):
    """A context that notes whether it was asked for more of the session than who it is and the time."""

    asked: tuple[set[str], ...] = ()

    def __getattribute__(self, name: str) -> Any:
        if name in _OF_SESSION:
            for names in object.__getattribute__(self, "asked"):
                names.add(name)
        return object.__getattribute__(self, name)


@dataclass(frozen=True)
class Compiled:
    """What a text was compiled to, and the tables that it names. None: not by tables alone."""

    query: Query
    tables: Sequence[tuple[str | None, str, Relation]] | None


@dataclass(frozen=True)
class _Template:
    """A query with stand-ins, and the tables as they were when it was compiled."""

    query: Query
    tables: Sequence[tuple[str | None, str, Relation]]


Compile = Callable[[str, Times], Compiled]
Find = Callable[[str | None, str], Relation | None]


_Known = Literal["seen", "unfit"]


class Templates:
    """The queries of a process that are known by their shapes, the ones used last. Any thread may ask."""

    def __init__(self) -> None:
        self._known: OrderedDict[object, _Template | _Known] = OrderedDict()
        self._lock = threading.Lock()

    def query(
        self, sql: str, whose: object, times: Times, find: Find, compile_: Compile
    ) -> Query | None:
        """The compiled query of a text; None where it is to be compiled by itself.

        `whose`: what else of a session it depends on. `find` says what a table's name means now.
        """
        if len(sql) > _LONGEST or "stand_in" in sql or sql[:7].lower() != "select ":
            return None
        names = list(dict.fromkeys(_NAME.findall(sql)))
        places = {name: place for place, name in enumerate(names)}
        shape = _NAME.sub(lambda name: f"'{_STAND_IN.format(places[name[1]])}'", sql)
        key = (shape, whose)
        with self._lock:
            known = self._known.pop(key, None)
            self._known[key] = known or "seen"
            while len(self._known) > KEPT:
                self._known.popitem(last=False)
        if known is None or known == "unfit":  # a text that comes once is compiled once
            return None
        if not isinstance(known, _Template) or any(
            find(schema, name) is not relation for schema, name, relation in known.tables
        ):
            known = self._made(shape, compile_) or "unfit"
            with self._lock:
                self._known[key] = known
        return _filled(known.query, names, times) if isinstance(known, _Template) else None

    def _made(self, shape: str, compile_: Compile) -> _Template | None:
        """The template of a shape; None where it is none: what fails, is told by the text itself."""
        one, other = Times(_NOW, _BEGAN), Times(_NOW + _LATER, _BEGAN + _LATER)
        longer = shape.replace(_STAND_IN.format(""), _STAND_IN.format("of_the_other_"))
        try:
            first, second = compile_(shape, one), compile_(longer, other)
        except RedshiftError:
            return None
        if first.tables is None or second.tables is None:
            return None
        there = zip(one.texts, other.texts, strict=True)
        text = first.query.sql
        for before, after in there:
            text = text.replace(before, after)
        text = text.replace(_STAND_IN.format(""), _STAND_IN.format("of_the_other_"))
        if text != second.query.sql or _shown(first.query) != _shown(second.query):
            return None
        return _Template(first.query, first.tables)


def _shown(query: Query) -> object:
    uses = query.uses
    columns = [(name, str(type_), type_.doubt) for name, type_ in query.columns]
    return columns, sorted(uses.tables), sorted(uses.udfs)


def _filled(query: Query, names: Sequence[str], times: Times) -> Query:
    """A query with what its stand-ins stand for. In one pass: no name is looked at again."""
    texts = dict(zip(Times(_NOW, _BEGAN).texts, times.texts, strict=True))
    texts |= {f"'{_STAND_IN.format(place)}'": f"'{name}'" for place, name in enumerate(names)}
    pattern = re.compile("|".join(map(re.escape, texts)))
    sql = pattern.sub(lambda there: texts[there[0]], query.sql)
    return replace(query, sql=sql, uses=Uses(query.uses.tables, query.uses.udfs))


TEMPLATES = Templates()
"""What the sessions of this process have compiled."""
