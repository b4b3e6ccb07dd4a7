"""Which column would cut an adopted table into days, and which tells that a row changed. Guesses only.

By the names of table and columns, their types and indexes, and what was seen of their values. A table
that has no day of its own may have its parent's: `links`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.intake.adopt.words import is_event, nouns_of, singular, words_of
from orderhe_dagster.ports.source import ColumnLook, TableLook

LEAST_DAYS = 30
"""A table that tells of no events and spans fewer days is read whole."""
SMALL_ROWS = 5_000
"""Up to so many rows, a table that tells of no events and has no cursor is read whole."""
_MOST_UNDATED, _SOME_UNDATED, _LIKE = 0.5, 0.05, 0.9
_TIME_WORDS = frozenset(
    (
        *("at", "on", "date", "day", "time", "datetime", "ts", "dt", "gmt", "utc", "timestamp"),
        *("moment", "dtm", "dttm", "ymd", "일시", "일자", "날짜"),
    )
)
_HAPPENED = frozenset(
    (
        *("order", "ordered", "placed", "sold", "sale", "purchase", "purchased", "booked"),
        *("happened", "occurred", "event", "visited", "transaction", "issued", "posted"),
        *("주문", "주문일", "주문일시", "주문일자", "판매일", "판매일시", "거래일", "거래일시"),
    )
)
_CREATED = frozenset(
    (
        *("created", "create", "creation", "added", "add", "inserted", "insert", "logged", "log"),
        *("registered", "submitted", "entered", "sent", "received"),
        *("reg", "regdate", "regdt", "ins", "crt", "cre"),
        *("등록일", "등록일시", "생성일", "생성일시", "작성일", "작성일시", "가입일", "가입일시"),
    )
)
_CHANGED = frozenset(
    (
        *("updated", "update", "upd", "modified", "modif", "mod", "modify", "changed", "change"),
        *("chg", "edited", "modification", "moddate", "upddate", "수정일", "수정일시", "변경일시"),
    )
)
_NOT_WHEN = re.compile(
    r"(updat|modif|chang|edit|delet|birth|expir|valid|deliver|ship|start|cancel|refund|publish|availab)\w*"
    r"|upd|mod|chg|born|dob|until|due|end|ends|ended|last|next|read|seen|special|from|to"
)
_UNCALLED = 9  # the rank of a name that does not say when a row came to be


@dataclass(frozen=True)
class Choice:
    """What a key of the header says, a column or a way to one, and why; or nothing, and why not.

    `costs`: what it costs, and by which statement it would cost less. `others` could be meant as well.
    """

    column: str | None
    why: str
    costs: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


NONE = Choice(None, "")
NO_CURSOR = "no column moves when a row changes"


@dataclass(frozen=True)
class Seen:
    """A table as it is judged: its contract without header, its look, its rows, its indexed columns."""

    table: Table
    rows: int
    look: TableLook = field(default_factory=TableLook)
    indexed: Collection[str] = ()  # first columns of indexes

    @property
    def source_name(self) -> str:
        """What the shop calls it."""
        return self.table.source_name

    @property
    def is_event(self) -> bool:
        """Whether the table's name says that its rows happened once, on a day."""
        return is_event(self.source_name)

    def of(self, name: str) -> ColumnLook:
        """What was seen of a column."""
        return self.look.columns.get(name, ColumnLook())

    def undated(self, name: str) -> int:
        """How many of the rows that were looked at have no day in the column."""
        return self.of(name).nulls + self.of(name).faults.get("z", 0)

    def days(self, name: str) -> int:
        """How many days lie between the first and the last that were seen, both counted."""
        seen = self.of(name)
        return (seen.last - seen.first).days + 1 if seen.first and seen.last else 0


def partition_of(seen: Seen, cursor: Choice = NONE) -> Choice:
    """The table's own column to cut it into days by."""
    reasons: list[str] = []
    fit: list[tuple[tuple[object, ...], str]] = []
    for column in seen.table.columns:
        if column.type.kind not in ("date", "timestamp"):
            continue
        if any(map(_NOT_WHEN.fullmatch, _words(column.name, seen.table))):
            continue
        rank = rank_of(column.name, seen.table)
        if why_not := _why_not(seen, column, rank):
            reasons.append(why_not)
        else:
            fit.append((_place(seen, column.name, rank), column.name))
    if not fit:
        why = "; ".join(reasons) or "no date or time that tells when a row came to be"
        return Choice(None, why, tuple(_days_of_other_types(seen)))
    fit.sort()
    name = fit[0][1]
    alike = tuple(other for place, other in fit[1:] if place[:3] == fit[0][0][:3])
    moves = cursor.column and not (seen.look.rows and seen.undated(cursor.column) >= seen.look.rows)
    if not (seen.is_event or moves) and seen.rows <= SMALL_ROWS:
        why = f"of {counted(seen.rows, 'row')}: all of them are read every night, so no change is missed"
        return Choice(None, why, others=(name, *alike))
    return Choice(name, _why(seen, name), tuple(_costs(seen, name)), alike)


def cursor_of(seen: Seen) -> Choice:
    """The column that MySQL moves whenever a row changes; else one that the shop's application moves."""
    moments = [column for column in seen.table.columns if column.type.kind == "timestamp"]
    for column in moments:
        if _moves(seen.table, column):
            return Choice(column.name, "on update current_timestamp")
    for column in moments:
        words = {*_words(column.name, seen.table), "last"} - _TIME_WORDS
        if words & _CHANGED and words <= {*_CHANGED, "last"}:
            return Choice(column.name, "moved by the shop's application", (add_cursor(seen),))
    return Choice(None, NO_CURSOR, (add_cursor(seen),))


def moves_by_itself(cursor: Choice) -> bool:
    """Whether MySQL moves the cursor with every change."""
    return cursor.column is not None and not cursor.costs


def add_cursor(seen: Seen) -> str:
    """The statement that gives the table a column which moves with every change."""
    taken = {column.name.lower() for column in seen.table.columns}
    name = next(
        name for name in ("updated_at", "row_changed_at", "_row_changed_at") if name not in taken
    )
    return (
        f"alter table {quoted(seen.source_name, 'mysql')} add column {name} timestamp(6) not null "
        "default current_timestamp(6) on update current_timestamp(6)"
    )


def rank_of(name: str, table: Table) -> int:
    """How surely a column's name says when a row came to be: 0 most; 9 not at all."""
    words = _words(name, table)
    told = words - _TIME_WORDS
    if not words & _TIME_WORDS and not told & (_CREATED | _HAPPENED):
        return _UNCALLED
    if not told:
        is_day = bool(words & {"date", "day", "on"}) or words != set(words_of(name))
        return 0 if is_day else 2
    if told <= _HAPPENED:
        return 0
    if told <= _HAPPENED | _CREATED:
        return 1
    return 3 if told == {"paid"} else _UNCALLED


def maybe_days(table: Table) -> list[str]:
    """The texts and numbers whose names say that they are days, to be looked at."""
    return [
        column.name
        for column in table.columns
        if column.type.kind in ("varchar", "integer", "bigint")
        and not column.values
        and column.type.length <= 1020
        and rank_of(column.name, table) < 3
    ]


def _days_of_other_types(seen: Seen) -> Iterator[str]:
    """The texts and numbers that look like days, with the statement that makes a date of them."""
    for name in maybe_days(seen.table):
        column, look, there = seen.table.column(name), seen.of(name), quoted(name, "mysql")
        least = max((seen.look.rows - look.nulls) * _LIKE, 1)
        value, what = f"cast({there} as date)", "written like days"
        if look.like_seconds >= least:
            value, what = f"'1970-01-01' + interval {there} second", "like Unix time"
        elif look.like_days < least:
            continue
        new = quoted(f"{name}_day"[:64], "mysql")
        yield (
            f"{name} is {column.type.declared}, its values {what}, by which no table is cut; it is, by "
            "`orderhe adopt --force` after this: alter table "
            f"{quoted(seen.source_name, 'mysql')} add column {new} date generated always as ({value}) stored"
        )


def _words(name: str, table: Table) -> set[str]:
    """The words of a column's name but those of its table's: `post_date` of posts is a `date`.

    So is `od_date` of a table most of whose columns begin with `od`.
    """
    words, own = words_of(name), {*nouns_of(table.source_name)}
    if words and words[0] == _prefix(table):
        words = words[1:]
    rest = {word for word in words if singular(word) not in own}
    return rest if rest & _TIME_WORDS or rest & (_CREATED | _CHANGED) else set(words)


def _prefix(table: Table) -> str:
    """The word that most columns of a table begin with, such as `od` or `post`; '': there is none."""
    first = Counter(words[0] for name in table.column_names if len(words := words_of(name)) > 1)
    word, count = next(iter(first.most_common(1)), ("", 0))
    return word if count * 2 > len(table.columns) and count > 2 else ""


def _place(seen: Seen, name: str, rank: int) -> tuple[object, ...]:
    """Where a column stands among those that would do: the first is taken."""
    undated, rows = seen.undated(name), max(seen.look.rows, 1)
    is_utc = bool({"gmt", "utc"} & {*words_of(name)})
    return (
        undated > rows * _SOME_UNDATED,
        rank,
        is_utc,
        undated > 0,
        name not in seen.indexed,
        -seen.days(name),
    )


def _why_not(seen: Seen, column: Column, rank: int) -> str:
    """Why a column does not cut the table into days; '' where it may."""
    name, rows, undated = column.name, seen.look.rows, seen.undated(column.name)
    if not rows:
        is_called = seen.is_event and rank < _UNCALLED
        return "" if is_called else f"{name}: {seen.look.problem or 'there are no rows yet'}"
    if undated > rows * _MOST_UNDATED:
        return f"{name} has no day in {undated:,} of {counted(rows, 'row')}"
    days = seen.days(name)
    if days < LEAST_DAYS and not (seen.is_event and rank < _UNCALLED):
        return f"{name} spans {counted(days, 'day')}"
    if rank < _UNCALLED:
        return ""
    if name not in seen.indexed:
        return f"{name} has no index, and no name that says when a row came to be"
    return f"{name} may be empty" if undated or column.nullable else ""


def _why(seen: Seen, name: str) -> str:
    column = seen.table.column(name)
    null = "may be null" if column.nullable else "not null"
    index = "indexed" if name in seen.indexed else "no index"
    days = seen.days(name)
    spans = f"spans {days:,} days" if days else "no rows yet: by its name"
    return f"{null}, {index}, {spans}"


def _costs(seen: Seen, name: str) -> Iterator[str]:
    if name not in seen.indexed and seen.rows:
        index = quoted(f"{nouns_of(seen.source_name)[-1]}_{name}"[:64], "mysql")
        yield (
            f"no index on it: every night reads all {seen.rows:,} rows to find a day's; create index "
            f"{index} on {quoted(seen.source_name, 'mysql')} "
            f"({quoted(seen.table.source_column(name), 'mysql')})"
        )
    if undated := seen.undated(name):
        of = f" of the {seen.look.rows:,} looked at" if seen.look.is_sample else ""
        yield f"{counted(undated, 'row')}{of} without a day in it, in the segment `outside`"
    column = seen.table.column(name)
    if {"gmt", "utc"} & {*words_of(name)} and not column.type.instant:
        yield (
            f"in UTC by its name, while a {column.type.declared} counts as the shop's own time: an hour "
            "around midnight is on the day beside"
        )


def _moves(table: Table, column: Column) -> bool:
    line = table.sql.split("\n")[column.line - 1]
    # Comments end a column's line; a word in one is no option.
    return (
        re.search(r"\bON UPDATE (CURRENT_TIMESTAMP|NOW)\b", line.split(" COMMENT ")[0], re.I)
        is not None
    )
