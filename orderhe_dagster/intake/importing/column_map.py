"""Which column of a file is which of the table: the text of `--map` and of `raw/<table>.map`.

Nothing is read from a file of rows here, and no value is judged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from importlib import resources
from pathlib import Path

from orderhe_dagster.intake.files.layout import clean_name
from orderhe_dagster.intake.importing.hints import Hints, WrongHint

PASSED_OVER = "-"
OPTIONS = ("encoding", "sheet", "member", "separator", "decimal", "dates", "null")
DIRECTIVES = ("order", "line", "line_number")
"""The keys of a map: flags of the command line, and how the lines of an order are told."""
_PART = re.compile(r"""\s*("(?:[^"]|"")*"|'(?:[^']|'')*'|[^"'=|,\n][^=|,\n]*?)\s*(?=[=|,]|$)""")
_ENTRY = re.compile(
    r"""((?:"(?:[^"]|"")*"|'(?:[^']|'')*'|[^,"'])+)"""
)  # up to a comma that is not quoted
_DAY = re.compile(r"(.*?)\s*\(day\)")


@dataclass(frozen=True)
class Entry:
    """One line of a map: names in the file, of which the first that is there counts; names in the table."""

    sources: tuple[str, ...]
    targets: tuple[str, ...]
    fixed: str | None = None  # a value instead of a column of the file
    is_day: bool = False  # the shop's day of a moment
    may_miss: bool = False  # of a map that ships: file or table may have no such column

    @property
    def passes_over(self) -> bool:
        """Whether the column of the file is left out."""
        return self.targets == (PASSED_OVER,)


@dataclass(frozen=True)
class ColumnMap:
    """A whole map. `origin` is what messages call it."""

    origin: str = ""
    entries: tuple[Entry, ...] = ()
    hints: Hints = field(default_factory=Hints)
    order: tuple[str, ...] = ()  # the column that the lines of one order share
    lines: tuple[str, ...] = ()  # columns that belong to the line, not to the order
    line_number: tuple[str, ...] = ()  # columns of the table that count the lines of an order
    passes_rest: bool = False  # columns of the file that nothing is said of are left out

    def __bool__(self) -> bool:
        return bool(self.entries or self.order or self.passes_rest)


def shipped_maps() -> list[str]:
    """The names of the maps that come with the product."""
    folder = resources.files("orderhe_dagster.intake.importing") / "maps"
    return sorted(one.name[:-4] for one in folder.iterdir() if one.name.endswith(".map"))


def shipped_map(name: str) -> ColumnMap:
    """The map of a shop system's export."""
    file = resources.files("orderhe_dagster.intake.importing") / "maps" / f"{name}.map"
    read = read_map(file.read_text("utf-8"), f"the map {name}")
    entries = tuple(replace(entry, may_miss=True) for entry in read.entries)
    return replace(read, entries=entries, passes_rest=True)


def chosen_map(asked: Sequence[str], beside: Path | None) -> ColumnMap:
    """The map of the flags, those that come later first; without any, that beside the contract."""
    if not asked:
        if beside is None or not beside.is_file():
            return ColumnMap()
        return _read_file(beside)
    maps = [_asked(one) for one in reversed(asked)]
    whole = maps[0]
    for more in maps[1:]:
        taken = {source for entry in whole.entries for source in entry.sources}
        targets = {target for entry in whole.entries for target in entry.targets} - {PASSED_OVER}
        kept = [
            entry
            for entry in more.entries
            if not taken.intersection(entry.sources) and not targets.intersection(entry.targets)
        ]
        whole = ColumnMap(
            f"{more.origin} and {whole.origin}",
            (*whole.entries, *kept),
            whole.hints.over(more.hints),
            whole.order or more.order,
            whole.lines or more.lines,
            whole.line_number or more.line_number,
            whole.passes_rest or more.passes_rest,
        )
    return whole


def _read_file(file: Path) -> ColumnMap:
    try:
        text = file.read_text("utf-8-sig")
    except UnicodeDecodeError:
        raise WrongHint(f"{file} is not UTF-8; save the file as UTF-8") from None
    return read_map(text, str(file))


def _asked(text: str) -> ColumnMap:
    if text in shipped_maps():
        return shipped_map(text)
    if "=" in text:
        entries = [part.strip() for part in _ENTRY.findall(text) if part.strip()]
        return read_map("\n".join(entries), "--map")
    file = Path(text)
    if file.is_file():
        return _read_file(file)
    raise WrongHint(
        f"--map {text}: neither a map that ships ({', '.join(shipped_maps())}), nor a file, nor pairs "
        "like 'Name in the file=column, Notes=-'"
    )


def read_map(text: str, origin: str) -> ColumnMap:
    """Read a map; WrongHint names the line that cannot be followed."""
    entries: list[Entry] = []
    options: dict[str, str | tuple[str, ...]] = {}
    directives: dict[str, tuple[str, ...]] = {}
    passes_rest = False
    for number, line in enumerate(text.splitlines(), 1):
        body = line.strip()
        where = origin if origin == "--map" else f"{origin}, line {number}"
        if not body or body.startswith("--"):
            continue
        if body.startswith("@"):
            key, _, value = body[1:].partition(" ")
            value = value.strip()
            if key in DIRECTIVES and value:
                names = tuple(_name(part) for part in re.split(r"[|,]", value))
                directives[key] = (*directives.get(key, ()), *names)
            elif key == "null" and value:
                options["null"] = (*options.get("null", ()), _unquoted(value))
            elif key in OPTIONS and value:
                options[key] = _unquoted(value)
            else:
                known = ", ".join(f"@{one}" for one in (*OPTIONS, *DIRECTIVES))
                raise WrongHint(f"{where}: @{key} is not known, or has no value; there are {known}")
            continue
        if re.fullmatch(r"\*\s*=\s*-", body):
            passes_rest = True
            continue
        entries.append(_entry(body, where))
    _refuse_twice(entries, origin)
    return ColumnMap(
        origin,
        tuple(entries),
        Hints(**options),  # type: ignore[arg-type]
        directives.get("order", ()),
        directives.get("line", ()),
        directives.get("line_number", ()),
        passes_rest,
    )


def _entry(body: str, where: str) -> Entry:
    left, at = _parts(body, 0)
    if not left or at >= len(body) or body[at] != "=":
        raise WrongHint(
            f"{where}: {body!r} is no pair; write 'Name in the file = column', 'Name = -' to pass it "
            "over, or \"'KRW' = currency\" for a value that is always the same"
        )
    right, end = _parts(body, at + 1)
    if not right or end < len(body):
        raise WrongHint(f"{where}: {body!r} names no column behind the =; write 'Name = column'")
    day = _DAY.fullmatch(right[-1])
    targets = tuple(_unquoted(part) for part in ([*right[:-1], day[1]] if day else right))
    if left[0].startswith("'"):
        return Entry((), targets, fixed=_unquoted(left[0]))
    return Entry(tuple(_name(part) for part in left), targets, is_day=day is not None)


def _parts(body: str, at: int) -> tuple[list[str], int]:
    """The names up to the next = or the end, between which | stands."""
    parts: list[str] = []
    while match := _PART.match(body, at):
        parts.append(match[1].strip())
        at = match.end()
        if at >= len(body) or body[at] != "|":
            break
        at += 1
    return parts, at


def _unquoted(text: str) -> str:
    text = text.strip()
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1].replace(text[0] * 2, text[0])
    return text


def _name(text: str) -> str:
    return clean_name(_unquoted(text))


def _refuse_twice(entries: Sequence[Entry], origin: str) -> None:
    targets: list[str] = []
    for entry in entries:
        if entry.passes_over:
            continue
        twice = [target for target in entry.targets if target in targets]
        if twice and len(entry.targets) == 1:
            raise WrongHint(
                f"{origin}: column {twice[0]} is given twice; name the columns of the file that it may "
                f"come from in one line: 'A | B = {twice[0]}'"
            )
        targets += entry.targets
