"""What becomes of each column of a file: the header held against the table and its map. No rows here."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.intake.files.layout import clean_name
from orderhe_dagster.intake.importing.column_map import (
    ColumnMap,
    Entry,
    shipped_map,
    shipped_maps,
)
from orderhe_dagster.intake.importing.problems import Findings

_FEW = 2
_LIKE_SHIPPED = 6


@dataclass(frozen=True)
class Plan:
    """Where the table's columns stand in a row of the file."""

    header: tuple[str, ...]
    columns: tuple[tuple[int, str], ...]  # (place in the row, column of the table)
    fixed: tuple[tuple[str, str], ...] = ()
    days: frozenset[str] = frozenset()  # columns that take the day of a moment
    passed_over: tuple[str, ...] = ()
    nameless: tuple[int, ...] = ()  # places without a name, which must be empty in every row
    order: int | None = None  # the place that the lines of one order share
    line_places: frozenset[int] = frozenset()
    line_number: str | None = None
    of_lines: bool = False  # the table has a row for each line of an order
    filled: frozenset[int] = (
        frozenset()
    )  # places with a value in every row, where no contract says it

    @property
    def width(self) -> int:
        """How many cells a row has."""
        return len(self.header)


@dataclass
class _Drawn:
    """A plan while it is drawn."""

    columns: list[tuple[int, str]] = field(default_factory=list)
    fixed: list[tuple[str, str]] = field(default_factory=list)
    days: set[str] = field(default_factory=set)
    used: set[int] = field(default_factory=set)
    passed: list[int] = field(default_factory=list)

    def taken(self) -> set[str]:
        return {name for _, name in self.columns} | {name for name, _ in self.fixed}


def known_names(table: Table, mapped: ColumnMap) -> Callable[[Sequence[str]], int]:
    """How many of a row's cells are names that the table or the map has."""
    names = {*map(plain, table.column_names)}
    names.update(plain(source) for entry in mapped.entries for source in entry.sources)

    def count(row: Sequence[str]) -> int:
        return len({plain(clean_name(cell)) for cell in row if cell} & names)

    return count


def plain(name: str) -> str:
    """A name without what people write differently: capitals, blanks, `_`, `-` and `.`."""
    return re.sub(r"[\s_.\-]+", "_", name.casefold()).strip("_")


def plan_of(
    table: Table, header: Sequence[str], mapped: ColumnMap, findings: Findings, line: int
) -> Plan:
    """The plan of a file with this header. ImportProblems where it does not fit the table."""
    names = [clean_name(name) for name in header]
    _refuse_no_header(table, names, mapped, findings, line)
    drawn = _Drawn()
    places = {name: at for at, name in reversed(list(enumerate(names))) if name}
    loose = {plain(name): at for at, name in reversed(list(enumerate(names))) if name}
    for entry in mapped.entries:
        _place(entry, table, places, loose, drawn, findings, mapped, len(names))
    spelling = _spelling(table)
    unknown: list[str] = []
    for at, name in enumerate(names):
        if at in drawn.used or not name:
            continue
        target = name if name in table.column_names else spelling.get(plain(name))
        if name in names[:at] and not (mapped.passes_rest and target is None):
            findings.add(line, name, None, "the column is named twice; give one another name")
        elif target is not None and target not in drawn.taken():
            drawn.columns.append((at, target))
        elif mapped.passes_rest:
            drawn.passed.append(at)
        elif target is not None:
            message = (
                f"another column of the file is {target} already; --map '{_shell(name)}=-' passes this "
                "one over"
            )
            findings.add(line, visible(name), None, message)
        else:
            unknown.append(name)
    order = _where(mapped.order, places, loose)
    of_order = _where_all(mapped.lines, places, loose)
    number = next((name for name in mapped.line_number if name in table.column_names), None)
    if order is None or number in drawn.taken():
        number = None
    _tell_unknown(table, names, unknown, findings, line)
    _tell_misfits(table, drawn.taken() | ({number} if number else set()), findings, line)
    findings.stop_if_any()
    of_lines = number is not None or any(at in of_order for at, _ in drawn.columns)
    return Plan(
        tuple(names),
        tuple(sorted(drawn.columns)),
        tuple(drawn.fixed),
        frozenset(drawn.days),
        tuple(names[at] for at in sorted(drawn.passed)),
        tuple(at for at, name in enumerate(names) if not name and at not in drawn.used),
        order,
        of_order,
        number,
        of_lines,
    )


def _place(
    entry: Entry,
    table: Table,
    places: dict[str, int],
    loose: dict[str, int],
    drawn: _Drawn,
    findings: Findings,
    mapped: ColumnMap,
    width: int,
) -> None:
    """Follow one line of the map."""
    at = _where(entry.sources, places, loose)
    if at is None and entry.sources and (place := re.fullmatch(r"#([0-9]+)", entry.sources[0])):
        at = int(place[1]) - 1 if 0 < int(place[1]) <= width else None
    if entry.passes_over:
        if at is not None:
            drawn.used.add(at)
            drawn.passed.append(at)
        return
    known = {name.lower(): name for name in table.column_names}
    target = next((known[name.lower()] for name in entry.targets if name.lower() in known), None)
    if target is None:
        if not entry.may_miss:
            hint = near(entry.targets[0], table)
            findings.add(
                0,
                entry.targets[0],
                None,
                f"{table.ref} has no such column; {hint} ({mapped.origin})",
            )
        return
    if entry.fixed is not None:
        drawn.fixed.append((target, entry.fixed))
        return
    if at is None:
        if not entry.may_miss and len(entry.sources) == 1:
            alike = difflib.get_close_matches(entry.sources[0], [*places], 1)
            hint = f"did you mean {alike[0]!r}?" if alike else f"there are {', '.join(places)}"
            message = f"the file has no such column, which {mapped.origin} names; {hint}"
            findings.add(0, entry.sources[0], None, message)
        return
    if target in drawn.taken():
        return
    drawn.used.add(at)
    drawn.columns.append((at, target))
    if entry.is_day:
        drawn.days.add(target)


def _where(names: Sequence[str], places: dict[str, int], loose: dict[str, int]) -> int | None:
    for name in names:
        at = places.get(name, loose.get(plain(name)))
        if at is not None:
            return at
    return None


def _where_all(
    names: Sequence[str], places: dict[str, int], loose: dict[str, int]
) -> frozenset[int]:
    found = (places.get(name, loose.get(plain(name))) for name in names)
    return frozenset(at for at in found if at is not None)


def _spelling(table: Table) -> dict[str, str]:
    """The table's columns by their plain names, where one stands for one column."""
    names = [plain(name) for name in table.column_names]
    return {
        short: name
        for short, name in zip(names, table.column_names, strict=True)
        if names.count(short) == 1
    }


def near(name: str, table: Table, *, cure: bool = False) -> str:
    """The nearest column, or all there are; with `cure`, the flag that makes a map of it."""
    spelling = {column.lower(): column for column in table.column_names}
    close = difflib.get_close_matches(name.lower(), spelling, 1)
    if close:
        target = spelling[close[0]]
        flag = f" --map '{_shell(name)}={target}' says so" if cure else ""
        return f"did you mean {target}?{flag}"
    flag = f"; --map '{_shell(name)}=-' passes it over" if cure else ""
    return f"there are {', '.join(table.column_names)}{flag}"


def _refuse_no_header(
    table: Table, names: Sequence[str], mapped: ColumnMap, findings: Findings, line: int
) -> None:
    """Refuse a first row that is data: none of its cells is a known name, and some are figures."""
    if len(names) < 2 or mapped or known_names(table, mapped)(names):
        return
    if any(name[:1].isdigit() for name in names):
        shown = ", ".join(map(visible, names[:4])) + (", …" if len(names) > 4 else "")
        message = (
            f"this line should name the columns, and holds {shown}; put a line of names above it, such "
            f"as {','.join(table.column_names[:4])}"
        )
        findings.add(line, "", None, message)
        findings.stop_if_any()


def _tell_unknown(
    table: Table, names: Sequence[str], unknown: Sequence[str], findings: Findings, line: int
) -> None:
    """Each strange name by itself where they are few; otherwise all of them in one sentence."""
    if len(unknown) <= _FEW:
        for name in unknown:
            message = f"{table.ref} has no such column; {near(name, table, cure=True)}"
            findings.add(line, visible(name), None, message)
        return
    shown = ", ".join(map(visible, unknown[:6])) + (", …" if len(unknown) > 6 else "")
    for shipped in shipped_maps():
        sources = {source for entry in shipped_map(shipped).entries for source in entry.sources}
        if len(sources.intersection(names)) >= _LIKE_SHIPPED:
            cure = f"they look like an export of {shipped}: --map {shipped}"
            break
    else:
        pair = f"{_shell(unknown[0])}={table.column_names[0]}"
        cure = (
            f"say which are which by --map '{pair}, *=-' (*=- passes the others over), or in a file "
            f"raw/{table.name}.map beside the contract"
        )
    findings.add(line, "", None, f"{table.ref} has no columns {shown} ({len(unknown)}); {cure}")


def _tell_misfits(table: Table, taken: set[str], findings: Findings, line: int) -> None:
    lacking = misfits(table, taken)
    if len(lacking) > _FEW and findings.count:
        names = ", ".join(column.name for column, _ in lacking)
        message = f"missing: {table.ref} needs a value of {names} in every row; add or map them"
        findings.add(line, "", None, message)
        return
    for column, reason in lacking:
        findings.add(line, column, None, reason)


def misfits(table: Table, names: Sequence[str] | set[str]) -> list[tuple[Column, str]]:
    """The columns that a file with these must have, or must not have, and why."""
    problems = []
    for column in table.columns:
        if column.generated and column.name in names:
            problems.append((column, "MySQL computes this column itself; leave it out of the file"))
        needed = column.required and not column.generated and column.default is None
        if needed and column.name not in names:
            cure = f"add it, or give all rows one value: --map \"'VALUE'={column.name}\""
            problems.append((column, f"missing: {table.ref} needs a value in every row; {cure}"))
    return problems


def visible(text: str) -> str:
    """A faulty text as it can be shown: what is no character is a question mark."""
    return text.encode("utf-8", "replace").decode("utf-8").replace("\0", "?")


def _shell(name: str) -> str:
    """A name of a header inside the quotes of `--map '…'`."""
    text = visible(name)
    quoted = f'"{text}"' if re.search(r"[,=|\"]", text) else text
    return quoted.replace("'", "'\\''")
