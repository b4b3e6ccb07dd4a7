"""What a file is, before any cell is judged: packing, encoding, layout, and how a line tells it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

from orderhe_dagster.errors import counted
from orderhe_dagster.intake.files.encodings import UTF_8, Encoding, encoding_of, label_of
from orderhe_dagster.intake.files.layout import (
    SEPARATORS,
    head_of,
    open_text,
    sheet_layout,
    text_layout,
    widen_cells,
)
from orderhe_dagster.intake.files.packing import unpack
from orderhe_dagster.intake.files.refusals import Unreadable
from orderhe_dagster.intake.files.workbook import SheetRows, read_sheet, told
from orderhe_dagster.intake.importing.csv_rows import Passed
from orderhe_dagster.intake.importing.hints import Hints
from orderhe_dagster.intake.importing.plan import Plan
from orderhe_dagster.intake.importing.source_file import SourceFile

_PLAIN = Encoding(UTF_8, True)


def recognise(
    path: Path, hints: Hints, known: Callable[[Sequence[str]], int], aside: Path
) -> SourceFile:
    """The file as it is read. `known`: how many of a row's cells are names of columns. Unreadable."""
    widen_cells()
    aside.mkdir(exist_ok=True)
    unpacked = unpack(path, aside / "unpacked", hints.member)
    if unpacked.content == "workbook":
        return _workbook(unpacked.path, unpacked.packings, hints, known, aside)
    if hints.sheet:
        raise Unreadable("--sheet names a sheet of a workbook, and this is none; leave it out")
    is_json = unpacked.content == "json"
    encoding = encoding_of(unpacked.path, hints.encoding, is_unicode=is_json)
    if is_json:
        plain = unpacked.path
        if not encoding.is_plain:
            plain = aside / "plain.jsonl"
            with (
                open_text(unpacked.path, encoding) as text,
                plain.open("w", encoding=UTF_8, errors="surrogateescape", newline="") as file,
            ):
                while part := text.read(1 << 20):
                    file.write(part)
        return SourceFile(
            plain, "json", encoding, packings=unpacked.packings, damage=unpacked.damage
        )
    if unpacked.damage and not encoding.is_plain:
        raise Unreadable(
            f"the gzip file is damaged or cut short ({unpacked.damage}); fetch the file again"
        )
    head = head_of(unpacked.path, encoding).replace("\0", "")
    layout = text_layout(head, known, hints.separator)
    return SourceFile(
        unpacked.path,
        "rows",
        encoding,
        layout,
        packings=unpacked.packings,
        damage=unpacked.damage,
    )


def _workbook(
    path: Path,
    packings: tuple[str, ...],
    hints: Hints,
    known: Callable[[Sequence[str]], int],
    aside: Path,
) -> SourceFile:
    written = aside / "sheet.jsonl"
    title, names, merged = read_sheet(path, hints.sheet, written)
    layout = sheet_layout(SheetRows(written), known)
    within = [row for row in merged if row > layout.header_line]
    if within:
        raise Unreadable(
            f"cells of sheet {title!r} are merged, so that only the first of them holds the value; "
            "take the merging off in a spreadsheet program, fill the cells and save",
            within[0],
            "row",
        )
    return SourceFile(path=written, kind="rows", encoding=_PLAIN, layout=layout,
                      sheet=told(title, names), packings=packings)  # fmt: skip


def is_plain(source: SourceFile) -> bool:
    """Whether nothing of the file is out of the ordinary, so that a report need not say what it is."""
    layout = source.layout
    return (
        source.encoding.name == UTF_8
        and source.sheet is None
        and source.damage is None
        and (source.kind == "json" or (layout.separator, layout.quote) == (",", '"'))
        and layout.header_line == 1
    )


def told_of(
    source: SourceFile, plan: Plan | None, passed: Passed, habits: Sequence[str], rows: int | None
) -> str:
    """The line that says what was recognised, without the file's name."""
    layout = source.layout
    what = "workbook" if source.sheet else "JSON lines" if source.kind == "json" else "CSV"
    packed = "".join(f"{packing}, " for packing in source.packings)
    parts = [f"{packed}{what}"]
    if source.sheet:
        parts.append(source.sheet)
    else:
        parts[0] += f" in {label_of(source.encoding.name)}"
    if what == "CSV" and len(layout.header) != 1:
        words = SEPARATORS.get(layout.separator, repr(layout.separator))
        parts.append(f"separated by {words}")
        parts += ["cells in single quotes"] if layout.quote == "'" else []
    parts += ['cells without the ="" around them'] if layout.is_wrapped else []
    parts += habits
    if layout.titles:
        parts.append(f"{counted(layout.titles, 'title row')} passed over")
    if passed.totals:
        parts.append(f"{counted(passed.totals, 'total row')} at the end passed over")
    if plan and plan.passed_over:
        shown = ", ".join(plan.passed_over[:5]) + (", …" if len(plan.passed_over) > 5 else "")
        parts.append(f"{counted(len(plan.passed_over), 'column')} passed over ({shown})")
    if passed.filled_lines:
        lines = counted(passed.filled_lines, "line")
        parts.append(f"{lines} given the fields of the order's first line")
    if passed.further_lines:
        lines = counted(passed.further_lines, "further line")
        parts.append(f"{lines} of orders passed over")
    if rows is not None:
        parts.append(counted(rows, "row"))
    return ", ".join(parts)
