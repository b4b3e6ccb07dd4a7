"""Writes the contracts of an existing MySQL schema into a folder, and tells what it did and left out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from orderhe_dagster.catalog.contract import source_name_of
from orderhe_dagster.catalog.header import as_written
from orderhe_dagster.intake.adopt.choose import NONE, Choice, cursor_of, partition_of
from orderhe_dagster.intake.adopt.contract_text import Refused, Written, contract_of
from orderhe_dagster.intake.adopt.names import fallen_together, names_of
from orderhe_dagster.ports.source import ListedTable

Outcome = Literal["written", "unchanged", "kept", "refused"]


@dataclass(frozen=True)
class Adopted:
    """What became of one table: `name` is ours, `source_name` the shop's."""

    name: str
    source_name: str
    outcome: Outcome
    rows: int  # as the server estimates
    key: tuple[str, ...] = ()
    partition: Choice = NONE
    cursor: Choice = NONE
    left_out: tuple[str, ...] = ()


def adopt(tables: Sequence[ListedTable], folder: Path, *, force: bool = False) -> list[Adopted]:
    """Write `raw/<table>.sql` for each table into `folder`. A file that is there stays, unless `force`."""
    results: list[Adopted] = []
    raw = folder / "raw"
    names = names_of([table.name for table in tables], _taken(raw))
    texts, refused = _contracts(tables, names)
    for table in tables:
        if table.name in refused:
            results.append(
                Adopted(
                    *(names[table.name], table.name, "refused", table.rows),
                    left_out=(refused[table.name],),
                )
            )
            continue
        written = texts[table.name]
        partition, cursor = partition_of(written.table, table.spans), cursor_of(written.table)
        text = _text(written, partition, cursor)
        file = raw / f"{names[table.name]}.sql"
        there = file.read_text("utf-8") if file.exists() else None
        outcome: Outcome = "unchanged" if there == text else "written" if there is None else "kept"
        if outcome == "written" or (outcome == "kept" and force):
            raw.mkdir(parents=True, exist_ok=True)
            file.write_text(text, "utf-8", newline="\n")
            outcome = "written"
        results.append(
            Adopted(
                *(names[table.name], table.name, outcome, table.rows, written.table.grain),
                partition=partition,
                cursor=cursor,
                left_out=written.left_out,
            )
        )
    return results


def report(results: Sequence[Adopted], folder: Path) -> Iterator[str]:
    """What `orderhe adopt` prints: a table of the tables, then what was left out and why."""
    heads = ("table", "rows, about", "primary key", "@partition", "@cursor", "contract")
    rows = [
        (
            adopted.name,
            f"{adopted.rows:,}",
            ", ".join(adopted.key) or "none",
            adopted.partition.column or "whole",
            adopted.cursor.column or "none",
            adopted.outcome,
        )
        for adopted in results
    ]
    widths = [max(len(row[n]) for row in (heads, *rows)) for n in range(len(heads))]
    for row in (heads, *rows):
        yield "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
    for adopted in results:
        yield from _notes(adopted)
    yield from fallen_together({adopted.source_name: adopted.name for adopted in results})
    kept = [adopted.name for adopted in results if adopted.outcome == "kept"]
    if kept:
        yield f"{', '.join(kept)}: the file differs and was left as it is; --force writes it anew"
    written = sum(adopted.outcome == "written" for adopted in results)
    yield f"{written} of {len(results)} contracts written to {folder / 'raw'}"
    yield "Look them over: no column was marked @pii, and @partition and @cursor are guesses."


def _notes(adopted: Adopted) -> Iterator[str]:
    if adopted.outcome == "refused":
        yield f"{adopted.source_name}: no contract: {adopted.left_out[0]}"
        return
    if adopted.name != adopted.source_name:
        yield f"{adopted.name}: so we call the shop's table {adopted.source_name!r}"
    choices = (("@partition", adopted.partition), ("@cursor", adopted.cursor))
    yield f"{adopted.name}: " + "; ".join(
        f"{key} {choice.column or 'none'} ({choice.why})" for key, choice in choices
    )
    if not adopted.key:
        yield f"{adopted.name}: without a primary key, two equal rows cannot be told apart"
    for text in adopted.left_out:
        yield f"{adopted.name}: left out: {text}"


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


def _text(written: Written, partition: Choice, cursor: Choice) -> str:
    keys = [("partition", partition.column), ("cursor", cursor.column)]
    header = [f"-- @{key} {as_written(name)}" for key, name in keys if name]
    if written.columns_left_out:
        header.append(f"-- @leave_out {', '.join(map(as_written, written.columns_left_out))}")
    return "\n".join([*header, f"{written.body};", ""])
