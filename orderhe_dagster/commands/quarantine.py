"""`orderhe quarantine`: the rows that could not be carried, shown, and read again once they are mended.

What stands there and stood there is told by `road.quarantine`; the reading again is a run like any other.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from typing import IO, TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import WHOLE, Segment, days_of
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.commands.selection import raw_tables
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.ports.warehouse import Session
    from orderhe_dagster.road.index_objects import Entry
    from orderhe_dagster.road.quarantine import Apart, Reading

Say = Callable[[str], None]
_VALUES = 3  # of a reason that are shown
_KEYS_AT_ONCE = 500  # that a statement asks for
_MOST_KEYS = 20_000  # that are looked up in the warehouse


@dataclass(frozen=True)
class Asked:
    """Of which tables (none: all) and days (None: all of it), and in what form it is shown.

    `each`: row by row; else by column and reason. `past`: what stood there and does no more.
    """

    tables: Sequence[str] = ()
    window: Window | None = None
    each: bool = False
    past: bool = False
    form: str = "table"


@dataclass
class Found:
    """What was found of one table; `nulled` counts the values that `@bad_values` made NULL, by column."""

    table: Table
    apart: Apart
    has_backup: bool = True
    nulled: Counter[str] = field(default_factory=Counter)

    @property
    def name(self) -> str:
        """The table's name."""
        return self.table.name

    @property
    def rows(self) -> int:
        """How many rows it has."""
        return self.apart.counts.total()


def show(settings: Settings, asked: Asked, out: IO[str], say: Say) -> bool:
    """Print what stands in quarantine; whether all of it could be read. OrderheError.

    `out` takes the rows, and of a table for people the sentences too; of other forms `say` does.
    """
    from orderhe_dagster.rendering.csv_files import cell
    from orderhe_dagster.rendering.printing import print_result, table

    found, problems = _look(settings, asked)
    result = _each_row(settings, found, asked) if asked.each else _by_reason(settings, found, asked)
    if asked.form != "table":
        if asked.form == "csv":  # spreadsheets open it: keys are the shop's own texts
            result.rows = [[cell(value) for value in row] for row in result.rows]
        print_result(result.of_warehouse(), asked.form, out)
    elif result.rows:
        out.write(f"{table(result.columns, result.rows)}\n")
    for line in _sentences(found, asked):
        say(line)
    for line in problems:
        say(f"error: {line}")
    return not problems


def replay(settings: Settings, asked: Asked, say: Say) -> bool:
    """Read the segments that have rows in quarantine again and load them, in one run; whether it succeeded.

    What of the rows came back and what still stands apart is said. OrderheError.
    """
    from orderhe_dagster.commands.prove import last_loaded
    from orderhe_dagster.commands.run import launch
    from orderhe_dagster.road.remedies import segments_text

    before, problems = _look(settings, asked)
    held = [one for one in before if one.rows]
    for line in problems:
        say(f"note: {line}")
    if not held:
        for line in _sentences(before, asked):
            say(line)
        return not problems
    for one in held:
        say(
            f"{one.name}: {counted(one.rows, 'row')} in quarantine; read again: "
            f"{segments_text(one.apart.counts)}"
        )
    days = sorted(day for one in held for day in days_of(one.apart.counts))
    names = [one.name for one in held]
    outcome = launch(
        settings,
        ",".join(f'key:"{layer}/{name}"+' for name in names for layer in ("backup", "warehouse")),
        Window(days[0], days[-1] + ONE_DAY) if days else last_loaded(settings),
        replayed=names,
    )
    for line in outcome.lines():
        say(line)
    after, problems = _look(settings, asked)
    now = {one.name: one for one in after}
    for one in held:
        for line in _came_of_it(settings, one, now[one.name]):
            say(line)
    for line in problems:
        say(f"error: {line}")
    return outcome.succeeded and not problems


# What is there -----------------------------------------------------------------------------------


def _look(settings: Settings, asked: Asked) -> tuple[list[Found], list[str]]:
    """What stands in quarantine, or stood, by table; and what could not be read."""
    from orderhe_dagster.ports.errors import PortError
    from orderhe_dagster.resources.build import build_store
    from orderhe_dagster.road import index, quarantine
    from orderhe_dagster.settings.project import read_catalogue

    store = build_store(settings)
    tables = raw_tables(read_catalogue(settings), asked.tables)
    if asked.window is not None:
        whole = [table.name for table in tables if not table.partition]
        if asked.tables and whole:
            raise LaunchError(f"{', '.join(whole)}: without days; leave out --from and --to")
        tables = [table for table in tables if table.partition]
    found, problems = list[Found](), list[str]()
    for table in tables:
        try:
            known = index.read(store, table.name)
        except PortError as error:
            problems.append(str(error))
            continue
        entries = _own(settings, table, known.entries, asked.window)
        apart = (quarantine.gone if asked.past else quarantine.standing)(store, table, entries)
        problems += apart.problems
        nulled = Counter[str]()
        for entry in entries.values():
            nulled.update(entry.record.nulled)
        found.append(Found(table, apart, bool(known.entries), nulled))
    return found, problems


def _own(
    settings: Settings, table: Table, entries: Mapping[Segment, Entry], window: Window | None
) -> dict[Segment, Entry]:
    """The segments that the table has as it is cut now, and that are asked for."""
    from orderhe_dagster.settings import home

    first = home.first_day(settings)

    def is_own(segment: Segment) -> bool:
        if not table.partition:
            return segment == WHOLE
        day = segment.day
        if day is None:
            return segment != WHOLE and window is None
        return (first is None or day >= first) and (window is None or day in window)

    return {segment: entry for segment, entry in entries.items() if is_own(segment)}


# How it is shown ---------------------------------------------------------------------------------


@dataclass
class _Rows:
    columns: tuple[str, ...]
    rows: list[list[Any]]

    def of_warehouse(self) -> Any:
        """As what prints the rows of a statement takes them."""
        from orderhe_dagster.ports.warehouse import Result

        return Result(self.columns, (), [tuple(row) for row in self.rows])


def _by_reason(settings: Settings, found: Sequence[Found], asked: Asked) -> _Rows:
    from orderhe_dagster.road.quarantine import grouped

    zone = ZoneInfo(settings.time_zone)
    names = ("table", "column", "reason", "values", "rows", "days", "first_day", "last_day")
    names += ("since", "generation", *(("until", "until_generation") if asked.past else ()))
    rows = []
    for one in found:
        for group in grouped(one.table, one.apart.rows):
            segments = sorted(group.segments)
            values = [value for value, _ in group.values.most_common(_VALUES)]
            more = len(group.values) - len(values)
            shown = ", ".join([*values, *([f"{more:,} more"] if more else [])])
            row: list[Any] = [one.name, group.column, group.reason, shown, group.rows]
            row += [len(segments), str(segments[0]), str(segments[-1])]
            row += _of_reading(group.since, zone)[:2]
            row += _of_reading(group.until, zone)[:2] if asked.past else []
            rows.append(row)
    return _Rows(names, rows)


def _each_row(settings: Settings, found: Sequence[Found], asked: Asked) -> _Rows:
    zone = ZoneInfo(settings.time_zone)
    ends = ("until", "until_generation", "until_run_id") if asked.past else ()
    names = ("table", "day", "key", "reason", "since", "generation", "run_id", *ends)
    rows = []
    for one in found:
        for row in one.apart.rows:
            key = dict(row.key) if asked.form == "json" else row.key_text
            shown: list[Any] = [one.name, str(row.segment), key, row.why]
            shown += _of_reading(row.since, zone)
            shown += _of_reading(row.until, zone) if asked.past else []
            rows.append(shown)
    return _Rows(names, rows)


def _of_reading(reading: Reading | None, zone: ZoneInfo) -> list[Any]:
    if reading is None:
        return [None, None, None]
    at: datetime = reading.at.astimezone(zone).replace(microsecond=0)
    return [at, reading.generation, reading.run_id]


def _sentences(found: Sequence[Found], asked: Asked) -> Iterator[str]:
    """What stands there in sentences, and the commands that go on from here."""
    from orderhe_dagster.proof.quarantine_limit import mend_quarantined
    from orderhe_dagster.road.remedies import quarantine_command, replay_command

    none = [one.name for one in found if one.has_backup and not one.rows]
    for one in found:
        if not one.rows:
            continue
        rows, days = counted(one.rows, "row"), counted(len(one.apart.counts), "day")
        where = f" of {days}" if one.table.partition else ""
        if asked.past:
            yield f"{one.name}: {rows}{where} stood in quarantine before, and no more"
            continue
        yield f"{one.name}: {rows}{where} in quarantine"
        segments = one.apart.counts
        if not asked.each:
            yield f"  each of them: {quarantine_command(one.name, segments, '--rows')}"
        mend = mend_quarantined(one.table, {row.why for row in one.apart.rows})
        yield f"  {mend}; then: {replay_command(one.name, segments)}"
    for one in found:
        for column, many in sorted(one.nulled.items()):
            if not asked.past:
                yield f"{one.name}: {counted(many, 'value')} of {column} became NULL, as @bad_values says"
    if none:
        what = "stood in quarantine before" if asked.past else "is in quarantine"
        yield f"nothing {what}: {', '.join(none)}"
    if lacking := [one.name for one in found if not one.has_backup]:
        yield f"no backup yet: {', '.join(lacking)}"


# What came of a replay ---------------------------------------------------------------------------


def _came_of_it(settings: Settings, before: Found, after: Found) -> Iterator[str]:
    """How many rows came back, and how many still stand apart and why."""
    from orderhe_dagster.road.quarantine import grouped
    from orderhe_dagster.road.remedies import quarantine_command

    still = after.rows
    texts = [f"{counted(still, 'row')} still in quarantine" if still else "none is any more"]
    keys = _keys(before, after)
    back = _loaded(settings, before.table, keys) if keys is not None else None
    if back is None:
        texts.insert(0, f"{max(before.rows - still, 0):,} set apart no more")
    else:
        texts.insert(0, f"{back:,} came back into the warehouse")
        if keys is not None and len(keys) > back:
            lost = len(keys) - back
            texts.insert(1, f"{lost:,} in neither: gone from the shop's database, or not loaded")
    rows = counted(before.rows, "row")
    yield f"{before.name}: of {rows} in quarantine before: {'; '.join(texts)}"
    for group in grouped(after.table, after.apart.rows):
        values = ", ".join(value for value, _ in group.values.most_common(_VALUES))
        told = f" ({values})" if values else ""
        yield f"  {group.rows:,}: {group.column} {group.reason}{told}"
    if still:
        yield f"  each of them: {quarantine_command(after.name, after.apart.counts, '--rows')}"


def _keys(before: Found, after: Found) -> list[Mapping[str, Any]] | None:
    """The keys of rows that stand apart no more; None where keys do not tell which rows they are."""
    table = before.table
    columns = {column.name: column for column in table.columns if column.name in table.grain}
    if not columns or not all(map(_is_told, columns.values())):
        return None
    rows = before.apart.rows
    if len(rows) != before.rows or len(rows) > _MOST_KEYS or len(after.apart.rows) != after.rows:
        return None
    if any(row.key.keys() != columns.keys() or None in row.key.values() for row in rows):
        return None
    still = {tuple(row.key.items()) for row in after.apart.rows}
    return [row.key for row in rows if tuple(row.key.items()) not in still]


def _is_told(column: Column) -> bool:
    """Whether the text of a key's column in a line of quarantine is its value."""
    return not column.pii and column.type.kind not in ("varbyte", "real", "double", "boolean")


def _loaded(settings: Settings, table: Table, keys: Sequence[Mapping[str, Any]]) -> int | None:
    """How many of these keys stand in the warehouse; None where it does not answer."""
    from orderhe_dagster.ports.errors import PortError
    from orderhe_dagster.resources.build import build_warehouse

    if not keys:
        return 0
    try:
        with build_warehouse(settings).session("rows that came back", read_only=True) as session:
            return sum(_count(session, table, some) for some in _pieces(keys))
    except PortError:
        return None


def _pieces(keys: Sequence[Mapping[str, Any]]) -> Iterator[list[Mapping[str, Any]]]:
    rest = iter(keys)
    while some := list(islice(rest, _KEYS_AT_ONCE)):
        yield some


def _count(session: Session, table: Table, keys: Sequence[Mapping[str, Any]]) -> int:
    from orderhe_dagster.catalog.ddl import qualified, quoted
    from orderhe_dagster.road.audit import expression

    def value(name: str, told: Any) -> str:
        kind = table.column(name).type.kind
        if kind in ("smallint", "integer", "bigint", "decimal"):
            return str(told)
        text = expression(str(told))
        return text if kind == "varchar" else f"cast({text} as {kind})"

    wanted = " or ".join(
        "(" + " and ".join(f"{quoted(n)} = {value(n, told)}" for n, told in key.items()) + ")"
        for key in keys
    )
    result = session.execute(f"select count(*) from {qualified(table.read_as)} where {wanted}")
    return int(result.scalar())
