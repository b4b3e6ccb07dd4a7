"""Writes the contracts of an existing MySQL schema into a folder, by its tables and what they hold.

What is chosen by is `choose`, `links` and `selection`; what is said of it is `report`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

from orderhe_dagster.catalog import day_links
from orderhe_dagster.catalog.column_names import spelling_of
from orderhe_dagster.catalog.contract import source_name_of
from orderhe_dagster.catalog.day_links import ARROW
from orderhe_dagster.catalog.errors import Problem, Problems
from orderhe_dagster.catalog.header import Entry, as_written, on_one_line, read_header, unquoted
from orderhe_dagster.catalog.mysql_projection import FAULTS
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.errors import counted
from orderhe_dagster.intake.adopt.choose import (
    NONE,
    Choice,
    Seen,
    cursor_of,
    maybe_days,
    moves_by_itself,
    partition_of,
)
from orderhe_dagster.intake.adopt.contract_text import Refused, Written, contract_of
from orderhe_dagster.intake.adopt.links import LEAST_MATCHING, candidates, through_parents
from orderhe_dagster.intake.adopt.names import fallen_together, names_of
from orderhe_dagster.intake.adopt.selection import (
    AdoptError,
    check_map,
    chosen,
    patterns_of,
    the_table,
)
from orderhe_dagster.ports.source import ListedTable, LookAsked, Source, TableLook

Outcome = Literal["written", "unchanged", "kept", "refused"]
Ask = Callable[[str, str], str]
"""Asks somebody: the question, and what is taken where only Enter is pressed."""
SECONDS = 60.0
"""How long the values of all tables are looked at."""
MANY_TABLES = 20
"""So many tables are asked about where there is somebody to ask."""
MOST_QUESTIONS = 3  # about which column cuts a table into days
_BY_PARTITION = "by --partition"
_MADE_NULL = "ze"  # faults of which nothing is lost where they become NULL


@dataclass(frozen=True)
class Asked:
    """What was asked for besides the folder: which tables, their names, their columns.

    `partitions` and `cursors`: table -> column, a way to a parent's, or `none`.
    """

    only: tuple[str, ...] = ()
    names: Mapping[str, str] = field(default_factory=dict)
    partitions: Mapping[str, str] = field(default_factory=dict)
    cursors: Mapping[str, str] = field(default_factory=dict)
    force: bool = False
    seconds: float = SECONDS
    rows_a_night: int = 1_000_000  # that the proof reads of the source


@dataclass(frozen=True)
class Adopted:
    """What became of one table: `name` is ours, `source_name` the shop's.

    `nulls`: values, by column, that the contract has become NULL; `apart`: what goes to quarantine.
    """

    name: str
    source_name: str
    outcome: Outcome
    rows: int  # as the server estimates
    key: tuple[str, ...] = ()
    partition: Choice = NONE
    cursor: Choice = NONE
    left_out: tuple[str, ...] = ()
    columns_left_out: tuple[str, ...] = ()
    nulls: Mapping[str, int] = field(default_factory=dict)
    apart: tuple[str, ...] = ()
    looked_at: int = 0
    is_sample: bool = False
    problem: str = ""


@dataclass(frozen=True)
class Adoption:
    """What became of a schema. `nights`: until the proof comes round; `alike`: names that fall together."""

    where: str
    tables: Sequence[Adopted]
    nights: int
    not_chosen: int = 0
    alike: Sequence[str] = ()


def adopt(source: Source, folder: Path, asked: Asked, ask: Ask | None = None) -> Adoption:
    """Write `raw/<name>.sql` for the tables of the source into `folder`, and tell what was done.

    A file that is there stays, unless `force`. `ask`: there is somebody who can be asked. AdoptError.
    """
    listed = source.list_tables()
    if not listed:
        raise AdoptError(f"{source.identity} has no tables that this user may read")
    raw = folder / "raw"
    names = _names(listed, raw, asked)
    wanted = {*_wanted(listed, names, asked, ask)}
    beside = _taken(raw).keys() - wanted  # they have contracts already, and may be parents
    shown = source.describe([table for table in listed if table.name in wanted | beside])
    texts, refused = _contracts(shown, names)
    described = [table for table in shown if table.name in wanted]
    seen = _seen(source, described, texts, asked)
    parents = _parents(raw, [table for table in shown if table.name in beside], texts)
    cursors = {name: cursor_of(one) for name, one in seen.items()}
    cursors |= _by_flags(asked.cursors, seen, names, "--cursor")
    days = _days(source, seen, parents, cursors, asked, names, ask)
    nights = max(1, -(-sum(one.rows for one in seen.values()) // max(asked.rows_a_night, 1)))
    results = []
    for table in described:
        ours = names[table.name]
        if table.name in refused:
            why = (refused[table.name],)
            results.append(Adopted(ours, table.name, "refused", table.rows, left_out=why))
            continue
        result = _result(seen[table.name], texts[table.name], days[ours], cursors[table.name])
        text = _text(texts[table.name], result, nights)
        results.append(replace(result, outcome=_write(raw / f"{ours}.sql", text, asked.force)))
    alike = fallen_together({one.source_name: one.name for one in results})
    return Adoption(source.identity, results, nights, len(listed) - len(described), alike)


def _names(listed: Sequence[ListedTable], raw: Path, asked: Asked) -> dict[str, str]:
    """Our name of every table: by --map, by the contracts that are there, else derived."""
    taken = {name: ours for name, ours in _taken(raw).items() if ours not in asked.names.values()}
    names = names_of([table.name for table in listed], {**taken, **asked.names})
    check_map(asked.names, names)
    return names


def _wanted(
    listed: Sequence[ListedTable], names: Mapping[str, str], asked: Asked, ask: Ask | None
) -> list[str]:
    """The source's names of the tables that are adopted."""
    patterns = patterns_of(asked.only)
    if not patterns and ask is not None and len(listed) > MANY_TABLES:
        while True:
            question = (
                f"{len(listed)} tables: all, or which? (names or patterns, as in orders,*product*)"
            )
            patterns = patterns_of([ask(question, "all")])
            if patterns in ((), ("all",)):
                patterns = ()
            try:
                return chosen(names, patterns)
            except AdoptError as error:
                ask(f"{error}. Enter to answer again", "")
    return chosen(names, patterns)


def _seen(
    source: Source,
    described: Sequence[ListedTable],
    texts: Mapping[str, Written],
    asked: Asked,
) -> dict[str, Seen]:
    """The tables that have a contract, with what their rows hold; by the source's names."""
    there = [table for table in described if table.name in texts]
    looks = source.survey(
        [
            LookAsked(
                texts[table.name].table,
                table.rows,
                maybe_days(texts[table.name].table),
            )
            for table in there
        ],
        asked.seconds,
    )
    result = {}
    for table in there:
        read = texts[table.name].table
        look = looks.get(read.name, TableLook(problem="nothing was asked of it"))
        rows = table.rows if look.is_sample or look.problem else look.rows
        ours = spelling_of(read.columns)
        indexed = frozenset(ours.get(name.lower(), name) for name in table.indexed)
        result[table.name] = Seen(read, rows, look, indexed)
    return result


def _parents(
    raw: Path, tables: Sequence[ListedTable], texts: Mapping[str, Written]
) -> list[tuple[Seen, Choice]]:
    """The tables that have a contract already and are not adopted now, and what it cuts them by."""
    result = []
    for table in tables:
        if table.name in texts:
            read = texts[table.name].table
            text = (raw / f"{read.name}.sql").read_text("utf-8")
            entry = read_header(read.path, text, Problems()).entry("partition")
            value = entry.value if entry is not None and ARROW not in entry.value else ""
            seen = Seen(read, table.rows, indexed=table.indexed)
            result.append((seen, Choice(unquoted(value) or None, "by its contract")))
    return result


def _days(
    source: Source,
    seen: Mapping[str, Seen],
    parents: Sequence[tuple[Seen, Choice]],
    cursors: Mapping[str, Choice],
    asked: Asked,
    names: Mapping[str, str],
    ask: Ask | None,
) -> dict[str, Choice]:
    """What cuts each table into days, by our name: its own column, or the way to its parent's."""
    own = {name: partition_of(one, cursors[name]) for name, one in seen.items()}
    given = _by_flags(asked.partitions, seen, names, "--partition")
    own |= given
    if ask is not None:
        _ask_days(seen, own, given, ask)
    days = {names[name]: choice for name, choice in own.items()}
    all_days = {one.table.name: choice for one, choice in parents} | days
    tables = [*seen.values(), *(one for one, _ in parents)]
    free = [one for name, one in seen.items() if name not in given]
    links = [link for link in candidates(tables, all_days) if any(link.child is o for o in free)]
    open_links = [link for link in links if not link.is_declared]
    shares = source.matching([link.reference for link in open_links]) if open_links else []
    fit = {
        id(link)
        for link, share in zip(open_links, shares, strict=True)
        if share is not None and share >= LEAST_MATCHING
    }
    links = [link for link in links if link.is_declared or id(link) in fit]
    days |= through_parents(tables, all_days, links)
    contracts = {one.table.name: one.table for one in tables}
    return {name: _read_through(days[name], name, contracts) for name in days}


def _read_through(choice: Choice, name: str, contracts: Mapping[str, Table]) -> Choice:
    """The choice, if it is a way to a parent that the reader takes. AdoptError where it was asked for."""
    if choice.column is None or ARROW not in choice.column:
        return choice
    try:
        day_links.through_parents(contracts[name], Entry(choice.column, 1), contracts)
    except Problem as problem:
        if choice.why == _BY_PARTITION:
            raise AdoptError(f"--partition {name}: {problem.message}") from None
        return Choice(None, problem.message)
    return choice


def _ask_days(
    seen: Mapping[str, Seen],
    own: dict[str, Choice],
    given: Mapping[str, Choice],
    ask: Ask,
) -> None:
    """Ask about the largest tables that several columns could cut into days."""
    unsure = [name for name in own if own[name].column and own[name].others and name not in given]
    for name in sorted(unsure, key=lambda name: -seen[name].rows)[:MOST_QUESTIONS]:
        choice = own[name]
        allowed = [str(choice.column), *choice.others, "none"]
        question = f"{name}: which column tells the day of a row? ({', '.join(allowed)})"
        answer = ""
        while answer not in allowed:
            answer = ask(question, str(choice.column)).strip()
        own[name] = replace(choice, others=())
        if answer != choice.column:
            own[name] = _said(seen[name], "" if answer == "none" else answer, "as answered")


def _said(seen: Seen, column: str, why: str) -> Choice:
    """A choice that somebody made, with what it costs."""
    if not column:
        return Choice(None, why)
    found = partition_of(replace(seen, table=replace(seen.table, columns=_alone(seen, column))))
    return Choice(column, why, found.costs)


def _alone(seen: Seen, name: str) -> tuple[Column, ...]:
    return tuple(column for column in seen.table.columns if column.name == name)


def _by_flags(
    given: Mapping[str, str], seen: Mapping[str, Seen], names: Mapping[str, str], option: str
) -> dict[str, Choice]:
    """What options say of tables, by the source's names. AdoptError where one names no table or column."""
    result = {}
    for word, value in given.items():
        name = the_table(word, names, option)
        if name not in seen:
            raise AdoptError(f"{option} {word}: the table is not adopted (see --only)")
        one, why = seen[name], f"by {option}"
        if value == "none" or (ARROW in value and option == "--partition"):
            result[name] = Choice(None if value == "none" else value, why)
            continue
        spelling = {column.name.lower(): column.name for column in one.table.columns}
        if value.lower() not in spelling:
            raise AdoptError(
                f"{option} {word}={value}: {name} has no such column: it has {', '.join(spelling.values())}"
            )
        column = spelling[value.lower()]
        result[name] = _said(one, column, why) if option == "--partition" else Choice(column, why)
    return result


def _result(seen: Seen, written: Written, partition: Choice, cursor: Choice) -> Adopted:
    """What becomes of a table whose contract can be written."""
    nulls: dict[str, int] = {}
    apart: list[str] = []
    of = f" of the {seen.look.rows:,} looked at" if seen.look.is_sample else ""
    for column in written.table.columns:
        faults = seen.of(column.name).faults
        may_be_null = column.name not in written.table.grain
        made_null = sum(faults.get(letter, 0) for letter in _MADE_NULL) if may_be_null else 0
        is_day = column.name == partition.column  # of which it costs something, see `without_day`
        if made_null or (may_be_null and not is_day and _is_zero_by_default(column)):
            nulls[column.name] = made_null
        apart += [
            f"{written.table.name}.{column.name} {FAULTS[letter]} in {counted(count, 'row')}{of}"
            for letter, count in faults.items()
            if not (may_be_null and letter in _MADE_NULL)
        ]
    return Adopted(
        *(written.table.name, seen.source_name, "written", seen.rows, written.table.grain),
        partition=partition,
        cursor=cursor,
        left_out=written.left_out,
        columns_left_out=written.columns_left_out,
        nulls=nulls,
        apart=tuple(apart),
        looked_at=seen.look.rows,
        is_sample=seen.look.is_sample,
        problem=seen.look.problem,
    )


def _is_zero_by_default(column: Column) -> bool:
    is_time = column.type.kind in ("date", "timestamp")
    return is_time and (column.default or "").startswith(("'0000-", "'0'", "0"))


def _write(file: Path, text: str, force: bool) -> Outcome:
    """Write a contract where there is none; one that says something else is kept, unless `force`."""
    there = file.read_text("utf-8") if file.exists() else None
    if there is not None and _said_in(there) == _said_in(text):
        return "unchanged"
    if there is not None and not force:
        return "kept"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, "utf-8", newline="\n")
    return "written"


def _said_in(text: str) -> list[str]:
    """The lines of a contract without its prose, which has figures that change."""
    lines = text.splitlines()
    return [line for line in lines if not line.startswith("--") or line.startswith("-- @")]


def _taken(raw: Path) -> dict[str, str]:
    """What the contracts that are there already call the tables of the source."""
    taken: dict[str, str] = {}
    for file in sorted(raw.glob("*.sql")):
        name = source_name_of(file.name, file.read_text("utf-8"))
        if name is not None:
            taken.setdefault(name, file.stem)
    return taken


def _contracts(
    tables: Sequence[ListedTable], names: Mapping[str, str]
) -> tuple[dict[str, Written], dict[str, str]]:
    """The contracts by the source's names, and why a table has none.

    Foreign keys to a table without one are left out.
    """
    refused: dict[str, str] = {}
    while True:
        parents = {table.name for table in tables if table.name not in refused}
        texts: dict[str, Written] = {}
        before = len(refused)
        for table in tables:
            if table.name in refused:
                continue
            try:
                if table.refused:
                    raise Refused(table.refused)
                texts[table.name] = contract_of(names[table.name], table.name, table.text, parents)
            except Refused as error:
                refused[table.name] = str(error)
        if len(refused) == before:
            return texts, refused


def _text(written: Written, adopted: Adopted, nights: int) -> str:
    keys = [
        ("partition", _key_text(adopted.partition)),
        ("cursor", _key_text(adopted.cursor)),
        ("leave_out", ", ".join(map(on_one_line, written.columns_left_out))),
        ("bad_values", ", ".join(f"{as_written(name)} null" for name in adopted.nulls)),
    ]
    header = [
        *_prose(written, adopted, nights),
        *(f"-- @{key} {text}" for key, text in keys if text),
    ]
    return "\n".join([*header, f"{written.body};", ""])


def _key_text(choice: Choice) -> str:
    if choice.column is None or ARROW in choice.column:
        return choice.column or ""
    return as_written(choice.column)


def _prose(written: Written, adopted: Adopted, nights: int) -> Iterator[str]:
    """What a reader of the contract should know; the table's own comment stands before it."""
    notes = []
    if adopted.partition.column and not moves_by_itself(adopted.cursor):
        notes.append(f"{late_change(adopted.cursor, nights)} (docs/proof.md).")
    promised = [n for n in adopted.nulls if written.table.column(n).required]
    if promised:
        notes.append(
            f"{', '.join(map(as_written, promised))}: not null in the shop, where 0000-00-00 stands for "
            "none; NULL here."
        )
    if notes:
        own = " ".join(written.table.description.split())
        is_like_a_key = own.lstrip("-# ").startswith("@")
        yield from (f"-- {'Comment: ' * is_like_a_key}{text}" for text in [own] if own)
        yield from (f"-- {note}" for note in notes)


def late_change(cursor: Choice, nights: int) -> str:
    """What follows where MySQL itself moves no column with every change, in one sentence."""
    why, what = "No column moves when a row changes", "a late change"
    if cursor.column:
        why = f"{as_written(cursor.column)} is moved by the shop's application, not by MySQL"
        what = "a change that leaves it"
    return (
        f"{why}: {what} on an old day is seen by the proof, within about {counted(nights, 'night')}"
    )
