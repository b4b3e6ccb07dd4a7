"""Which reader a file needs, by the ending of its name. What the text in it means is not judged here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.intake.importing.csv_rows import csv_chunks
from orderhe_dagster.intake.importing.object_rows import json_rows, module_rows, object_chunks
from orderhe_dagster.intake.importing.problems import Findings, ImportProblems
from orderhe_dagster.intake.importing.source_file import Chunk, Damaged


def read_chunks(
    table: Table, path: Path, findings: Findings, module: str | None = None
) -> Iterator[Chunk]:
    """The rows of a CSV or JSON lines file, plain or gzipped, or of a Python file, in chunks.

    `module` is the dotted name by which the Python file is imported; None: it is run by itself.
    What is wrong with the shape of the file goes to `findings`; rows concerned are left out.
    ImportProblems where the header is wrong: no row can be read then.
    """
    try:
        yield from _rows(table, path, findings, module)
    except Damaged as error:
        findings.add(error.line, "", None, str(error))


def _rows(table: Table, path: Path, findings: Findings, module: str | None) -> Iterator[Chunk]:
    names = [suffix.lower() for suffix in path.suffixes]
    ending = names[-2] if names[-1:] == [".gz"] and len(names) > 1 else (names or [""])[-1]
    if ending == ".csv":
        return csv_chunks(table, path, findings)
    if ending in {".jsonl", ".ndjson"}:
        return object_chunks(table, json_rows(table, path), json_rows(table, path), findings)
    if ending == ".py":
        rows = module_rows(table, path, module, findings)
        return object_chunks(table, iter(rows), iter(rows), findings)
    message = (
        "its name ends in none of .csv, .csv.gz, .jsonl, .jsonl.gz, .ndjson, .ndjson.gz and .py; "
        "convert it to one of them"
    )
    findings.add(1, "", None, message)
    raise ImportProblems(findings.problems, findings.count)
