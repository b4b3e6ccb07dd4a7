"""`guess`: a file, read four times, into a contract and a map beside it. Nothing is loaded.

First of which kinds the values of each column can be, then how they are written, then how large they are.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from orderhe_dagster.catalog.contract import read_contract
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.errors import CatalogueError, Problem, Problems
from orderhe_dagster.catalog.header import Header
from orderhe_dagster.catalog.reader import NAME, read_files
from orderhe_dagster.catalog.sql_files import SqlFile
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.errors import counted
from orderhe_dagster.intake.files.layout import clean_name
from orderhe_dagster.intake.files.refusals import Unreadable
from orderhe_dagster.intake.guess.values_seen import Kinds, Sizes
from orderhe_dagster.intake.importing.column_map import ColumnMap, shipped_map, shipped_maps
from orderhe_dagster.intake.importing.csv_rows import Passed, row_chunks
from orderhe_dagster.intake.importing.habits import Habits, Survey
from orderhe_dagster.intake.importing.hints import Hints, WrongHint
from orderhe_dagster.intake.importing.plan import Plan, plain
from orderhe_dagster.intake.importing.problems import Findings
from orderhe_dagster.intake.importing.recognise import recognise, told_of
from orderhe_dagster.intake.importing.source_file import Chunk, Damaged, SourceFile
from orderhe_dagster.settings.scratch import scratch_folder

_KEY_NAMES = re.compile(r"(^|_)(id|no|number|code|key|nr|num|uuid|sku)($|_)|번호|코드")
_WHEN = re.compile(
    r"(order|sale|sold|created|placed|paid|invoice)?_?(date|day|at|on|time)$|^(date|day|when|moment)"
)

_KOREAN = {
    **{"회원번호": "member_no", "고객번호": "customer_no", "고객명": "customer_name"},
    **{"판매일": "sold_on", "판매일자": "sold_on", "판매일시": "sold_at", "전표번호": "slip_no"},
    **{"주문일": "order_date", "주문일자": "order_date", "판매금액": "amount", "금액": "amount"},
    **{"합계금액": "total_amount", "단가": "unit_price", "판매수량": "quantity"},
    **{"상품코드": "product_code", "상품번호": "product_no", "카테고리": "category"},
}
"""What headers of sheets mean that no shop system's map has."""


@dataclass(frozen=True)
class _Column:
    """A column of the contract to be: where it stands in the file, and what it is called in both."""

    at: int
    name: str
    source: str
    is_day: bool = False


def guess(
    file: Path,
    name: str,
    folder: Path,
    hints: Hints,
    mapped: ColumnMap,
    *,
    zone: str,
    scratch: Path,
) -> list[str]:
    """Write `raw/<name>.sql` and `raw/<name>.map` into `folder`; the lines that tell of it.

    Raises ImportProblems where the file cannot be read without being told more, WrongHint where there is
    a contract of that name already.
    """
    contract, beside = folder / "raw" / f"{name}.sql", folder / "raw" / f"{name}.map"
    if not NAME.fullmatch(name):
        raise WrongHint(
            f"{name} is no name of a table: lower-case letters, digits and _, a letter first; give one: "
            f"orderhe import --guess raw/orders {file}"
        )
    for there in (contract, beside):
        if there.exists():
            raise WrongHint(
                f"{there} is there already; import into it without --guess, or give the table another "
                f"name: orderhe import --guess raw/{name}_2 {file}"
            )
    hints = hints.over(mapped.hints)
    findings = Findings(file.name)
    with scratch_folder(scratch, label=f"guess of {file.name}") as aside:
        try:
            source = recognise(file, hints, _like_names(mapped), aside / "recognised")
        except Unreadable as error:
            findings.unit = error.unit
            findings.add(error.line, "", None, str(error))
            findings.stop_if_any()
            raise
        if source.kind == "json" or not source.layout.header:
            message = (
                "no rows below a header, from which alone a contract is guessed; write "
                f"raw/{name}.sql by hand"
            )
            findings.add(0, "", None, message)
            findings.stop_if_any()
        findings.unit = "row" if source.sheet else "line"
        guessing = _Guessing(source, mapped, hints, zone, findings, file.name)
        text, map_text, told = guessing.written(name)
    _verified(name, text)
    contract.parent.mkdir(parents=True, exist_ok=True)
    contract.write_text(text, "utf-8", newline="\n")
    beside.write_text(map_text, "utf-8", newline="\n")
    return [*told, f"written: {contract} and {beside}", *_advice(guessing)]


def _like_names(mapped: ColumnMap) -> Callable[[Sequence[str]], int]:
    """Without a table, only what the map names is known."""
    names = {plain(source) for entry in mapped.entries for source in entry.sources}
    return lambda row: len({plain(clean_name(cell)) for cell in row if cell} & names)


class _Guessing:
    """One file on its way to a contract."""

    def __init__(
        self,
        source: SourceFile,
        mapped: ColumnMap,
        hints: Hints,
        zone: str,
        findings: Findings,
        file: str,
    ) -> None:
        self.source, self.mapped, self.hints, self.zone = source, mapped, hints, zone
        self.findings, self.file = findings, file
        self.header = [clean_name(name) for name in source.layout.header]
        self.columns = self._columns()
        findings.called = {column.name: column.source for column in self.columns}
        self.passed = Passed()
        self.filled = frozenset[int]()  # places that only a total at the end may leave empty
        self.habits: Habits | None = None
        self.partition: str | None = None
        self.key: tuple[str, ...] = ()

    def _columns(self) -> list[_Column]:
        """Every column of the file under a name that a contract can have."""
        places = {name: at for at, name in reversed(list(enumerate(self.header))) if name}
        columns: list[_Column] = []
        taken: set[str] = set()
        named = set[int]()
        for entry in self.mapped.entries:
            at = next((places[one] for one in entry.sources if one in places), None)
            if at is None:
                continue
            named.add(at)
            if not entry.passes_over and entry.targets[0] not in taken:
                taken.add(entry.targets[0])
                columns.append(_Column(at, entry.targets[0], self.header[at], entry.is_day))
        if not self.mapped.passes_rest:
            for at, name in enumerate(self.header):
                if at not in named and name:
                    short = _short(name, at)
                    number = 2
                    unique = short
                    while unique in taken:
                        unique, number = f"{short}_{number}", number + 1
                    taken.add(unique)
                    columns.append(_Column(at, unique, name))
        return sorted(columns, key=lambda column: (column.at, column.is_day))

    def written(self, name: str) -> tuple[str, str, list[str]]:
        """The texts of contract and map, and the line of what was recognised."""
        provisional = self._kinds(name)
        rows, sizes = self._sizes(name, provisional)
        text = self._contract(name, sizes)
        notes = self.habits.notes if self.habits else ()
        plan = self._plan()
        told = told_of(self.source, plan, self.passed, notes, rows)
        return text, self._map(name), [f"{self.file}: {told}"]

    def _plan(self) -> Plan:
        places = {name: at for at, name in reversed(list(enumerate(self.header))) if name}
        order = next((places[one] for one in self.mapped.order if one in places), None)
        lines = frozenset(places[one] for one in self.mapped.lines if one in places)
        used = {column.at for column in self.columns}
        return Plan(
            tuple(self.header),
            tuple((column.at, column.name) for column in self.columns),
            days=frozenset(column.name for column in self.columns if column.is_day),
            passed_over=tuple(
                name for at, name in enumerate(self.header) if name and at not in used
            ),
            nameless=tuple(at for at, name in enumerate(self.header) if not name),
            order=order,
            line_places=lines,
            line_number=self._line_number() if order is not None else None,
            of_lines=order is not None,
            filled=self.filled,
        )

    def _line_number(self) -> str | None:
        names = {column.name for column in self.columns}
        wanted = self.mapped.line_number[:1]
        return wanted[0] if wanted and wanted[0] not in names else None

    def _chunks(self, table: Table) -> Iterator[Chunk]:
        self.passed = Passed()
        try:
            yield from row_chunks(table, self.source, self._plan(), self.findings, self.passed)
        except Damaged as error:
            self.findings.add(error.line, "", None, str(error))
        self.findings.stop_if_any()

    def _kinds(self, name: str) -> dict[str, str]:
        """A type for each column that takes all its values, until their sizes are known."""
        texts = _provisional(name, dict.fromkeys(self._names(), "longtext"), self.zone)
        self.filled = self._filled(texts)
        kinds = {column: Kinds(column) for column in self._names()}
        for chunk in self._chunks(texts):
            for called, text in chunk.columns.items():
                kinds[called].add(text)
        types = {called: seen.provisional for called, seen in kinds.items()}
        for column in self.columns:
            if column.is_day and types[column.name] in {"datetime(6)", "date"}:
                types[column.name] = "date"
        return types

    def _filled(self, texts: Table) -> frozenset[int]:
        """The places of columns with a value in every row, the last one apart: a total is known by them."""
        empty: dict[str, int] = dict.fromkeys(self._names(), 0)
        last: dict[str, bool] = {}
        for chunk in self._chunks(texts):
            for column, text in chunk.columns.items():
                missing = [not (value or "").strip() for value in text.to_pylist()]
                empty[column] += sum(missing)
                last[column] = missing[-1]
        return frozenset(c.at for c in self.columns if empty[c.name] <= last.get(c.name, False))

    def _names(self) -> list[str]:
        number = self._plan().line_number
        return [column.name for column in self.columns] + ([number] if number else [])

    def _sizes(self, name: str, types: dict[str, str]) -> tuple[int, dict[str, Sizes]]:
        """How the values are written, told or asked; then how large they are."""
        table = _provisional(name, types, self.zone)
        days = frozenset(column.name for column in self.columns if column.is_day)
        survey = Survey(table, self.hints, self.source.layout.separator, days)
        for chunk in self._chunks(table):
            survey.add(chunk)
        self.habits = survey.habits(self.findings)
        self.findings.stop_if_any()
        sizes = {column: Sizes(types[column]) for column in types}
        rows = 0
        for chunk in self._chunks(table):
            rows += len(chunk.lines)
            for column, text in chunk.columns.items():
                sizes[column].add(self.habits.rewritten(column, text))
        for column, seen in sizes.items():
            if seen.misfits:  # written in more than one way: carried as the text that it is
                types[column] = "longtext"
        if any(seen.misfits for seen in sizes.values()):
            return self._sizes(name, types)
        return rows, sizes

    def _contract(self, name: str, sizes: dict[str, Sizes]) -> str:
        number = self._plan().line_number
        self.key = self._chosen_key(sizes, number)
        types = {column: seen.declared() for column, seen in sizes.items()}
        self.partition = self._chosen_partition(types, sizes)
        lines = []
        sources = {column.name: column.source for column in self.columns}
        for column, seen in sizes.items():
            null = "" if seen.nullable() and column not in self.key else " not null"
            source = sources.get(column, "which line of its order it is").replace("'", "''")
            lines.append(f"    {quoted(column, 'mysql')} {types[column]}{null} comment '{source}'")
        if self.key:
            listed = ", ".join(quoted(column, "mysql") for column in self.key)
            lines.append(f"    primary key ({listed})")
        header = [f"-- Guessed from {self.file}; look over types, key and days."]
        if self.partition:
            header.append(f"-- @partition {self.partition}")
        body = ",\n".join(lines)
        return "\n".join([*header, f"create table {quoted(name, 'mysql')} (", f"{body}\n);", ""])

    def _chosen_key(self, sizes: dict[str, Sizes], number: str | None) -> tuple[str, ...]:
        if number is not None:
            order = self._plan().order
            named = next((c.name for c in self.columns if c.at == order), None)
            return (named, number) if named else ()
        unique = [
            column
            for column, seen in sizes.items()
            if seen.unique() and seen.declared().startswith(("int", "bigint", "varchar"))
        ]
        called = [column for column in unique if _KEY_NAMES.search(column)]
        # A text that happens to differ in every row (an e-mail address, a note) is no key by that.
        return tuple((called or [column for column in unique if column == self._names()[0]])[:1])

    def _chosen_partition(self, types: dict[str, str], sizes: dict[str, Sizes]) -> str | None:
        dated = [
            column
            for column, kind in types.items()
            if kind.startswith("date") and not sizes[column].nullable()
        ]
        called = [column for column in dated if _WHEN.search(column)]
        days = [column for column in called if types[column] == "date"]
        return next(iter([*days, *called, *dated]), None)

    def _map(self, name: str) -> str:
        lines = [f"-- Which column of the file is which of raw/{name}.sql. See sql/README.md."]
        for option in ("encoding", "sheet", "member", "separator", "decimal", "dates"):
            if value := getattr(self.hints, option):
                lines.append(f"@{option} {'tab' if value == chr(9) else value}")
        lines += [f"@null {value}" for value in self.hints.null]
        for key in ("order", "line", "line_number"):
            names = {"order": self.mapped.order, "line": self.mapped.lines}.get(
                key, self.mapped.line_number[:1]
            )
            lines += [f"@{key} {_written(one)}" for one in names]
        lines += [
            f"{_written(column.source)} = {column.name}{' (day)' if column.is_day else ''}"
            for column in self.columns
        ]
        if self.mapped.passes_rest:
            lines.append("* = -")
        lines += [
            f"{_written(source)} = -"
            for entry in self.mapped.entries
            if entry.passes_over
            for source in entry.sources
            if source in self.header
        ]
        return "\n".join([*lines, ""])


def _written(name: str) -> str:
    """A name of a header as a map takes it."""
    if re.search(r"[,=|\"']|^[@#*-]|\(day\)$", name):
        doubled = name.replace('"', '""')
        return f'"{doubled}"'
    return name


def _short(name: str, at: int) -> str:
    """A name for a column: the header's in lower case, or what a shipped map calls it."""
    for shipped in shipped_maps():
        for entry in shipped_map(shipped).entries:
            if not name.isascii() and name in entry.sources:
                return entry.targets[0]
    if name.replace(" ", "") in _KOREAN:
        return _KOREAN[name.replace(" ", "")]
    short = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_") if name.isascii() else ""
    if not short:
        return f"column_{at + 1}"
    return (short if short[0].isalpha() else f"c_{short}")[:64]


def _provisional(name: str, types: dict[str, str], zone: str) -> Table:
    from dataclasses import replace

    listed = ",\n".join(f"{quoted(column, 'mysql')} {kind}" for column, kind in types.items())
    text = f"create table {quoted(name, 'mysql')} (\n{listed}\n)"
    problems = Problems()
    table = read_contract(f"raw/{name}.sql", name, text, Header("", {}), problems)
    if problems.items:
        raise WrongHint("; ".join(problem.message for problem in problems.items))
    return replace(table, time_zone=zone)


def _verified(name: str, text: str) -> None:
    try:
        read_files("the guess", [SqlFile(f"raw/{name}.sql", text.encode())])
    except (CatalogueError, Problem) as error:
        raise WrongHint(
            f"no contract can be guessed of this file: {error}; write raw/{name}.sql by hand"
        ) from None


def _advice(guessing: _Guessing) -> Sequence[str]:
    key = ", ".join(guessing.key) or "none, since no column that looks like one is unique"
    days = guessing.partition or "none"
    return [
        f"guessed of {counted(len(guessing._names()), 'column')}: primary key {key}; @partition {days}",
        "Look them over: no column was marked @pii, and types are those of this file's values.",
    ]
