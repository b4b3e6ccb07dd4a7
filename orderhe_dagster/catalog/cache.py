"""The catalogue kept as JSON beside the work, so that a warm load parses no SQL and never imports sqlglot.

The file's name is a hash of everything that could change the answer: every SQL file's path and
bytes, the reader's own source, sqlglot's version. Nothing is ever invalid; other input, other file. Its
first line is the SHA-256 of the rest: a byte that was altered on the disk is a miss, not another table.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from collections.abc import Iterable, Iterator, Sequence
from datetime import timedelta
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from orderhe_dagster.catalog.day_links import named_steps, with_day
from orderhe_dagster.catalog.table import (
    BadValues,
    Catalogue,
    Check,
    Column,
    ColumnRef,
    ColumnType,
    ForeignKey,
    Layer,
    ParentLink,
    Plot,
    Table,
    TableRef,
)

if TYPE_CHECKING:
    from orderhe_dagster.catalog.sql_files import SqlFile

KEPT = 8  # newest cache files that stay


def load_catalogue(folder: Path, cache_folder: Path | None = None) -> Catalogue:
    """The catalogue of `folder`, from the cache where it is there, else read and put there.

    CatalogueError as `read_catalogue`; only a folder without problems is kept. A cache that cannot
    be read or written costs time, never the answer.
    """
    from orderhe_dagster.catalog.sql_files import find_files

    files = find_files(folder)
    if cache_folder is None:
        return _read(folder, files)
    kept = cache_folder / f"catalogue-{_key(files)}.json"
    try:
        return decode(str(folder), json.loads(_whole(kept.read_bytes())))
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        catalogue = _read(folder, files)  # any fault of the cache is a miss
    with contextlib.suppress(OSError):
        _write(kept, encode(catalogue))
    return catalogue


def _read(folder: Path, files: Sequence[SqlFile]) -> Catalogue:
    from orderhe_dagster.catalog.reader import read_files

    return read_files(str(folder), files)


def _key(files: Iterable[SqlFile]) -> str:
    digest = hashlib.sha256(version("sqlglot").encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes())
    for file in files:
        path = file.path.encode()
        digest.update(b"%d %d " % (len(path), len(file.body)) + path + file.body)
    return digest.hexdigest()[:32]


def _whole(text: bytes) -> bytes:
    """What was written behind its SHA-256. ValueError: it is other bytes."""
    digest, _, body = text.partition(b"\n")
    if hashlib.sha256(body).hexdigest().encode() != digest:
        raise ValueError("its bytes are not what was written")
    return body


def _write(kept: Path, value: Any) -> None:
    """Write aside and rename, so that no reader ever sees half a file; old ones are dropped."""
    for folder in (kept.parent.parent, kept.parent):  # the state folder is its owner's alone
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    aside = kept.with_name(f".{kept.name}.{os.getpid()}.{uuid.uuid4().hex[:8]}")
    try:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
        aside.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
        aside.replace(kept)
    finally:
        aside.unlink(missing_ok=True)
    others = sorted(kept.parent.glob("catalogue-*.json"), key=lambda file: file.stat().st_mtime)
    for old in others[:-KEPT]:
        old.unlink(missing_ok=True)


def encode(catalogue: Catalogue) -> dict[str, Any]:
    """The catalogue as plain JSON values; the name of its folder is left out."""
    return {
        "tables": [_encode_table(table) for table in catalogue.tables],
        "checks": [
            [
                *check.table.path,
                check.claim,
                check.path,
                check.sql,
                check.description,
                check.personal,
                [ref.path for ref in check.reads],
                check.is_steady,
            ]
            for check in catalogue.checks
        ],
    }


def decode(root: str, value: dict[str, Any]) -> Catalogue:
    """What `encode` made, as a catalogue of the folder `root`."""
    return Catalogue(
        root,
        tuple(_with_days(value["tables"])),
        tuple(
            Check(
                _ref(layer, name),
                claim,
                path,
                sql,
                description,
                tuple(personal),
                tuple(_ref(*ref) for ref in reads),
                steady,
            )
            for layer, name, claim, path, sql, description, personal, reads, steady in value[
                "checks"
            ]
        ),
    )


def _encode_table(table: Table) -> dict[str, Any]:
    return {
        **{name: getattr(table, name) for name in _PLAIN},
        **{name: getattr(table, name) for name in _LISTS},
        "ref": table.ref.path,
        "columns": [
            [
                *(getattr(column, name) for name in _COLUMN),
                *(getattr(column.type, name) for name in _TYPE),
            ]
            for column in table.columns
        ],
        "unique": table.unique,
        "foreign_keys": [[fk.columns, fk.parent, fk.parent_columns] for fk in table.foreign_keys],
        "freshness": None if table.freshness is None else table.freshness.total_seconds(),
        "plot": table.plot and [table.plot.x, table.plot.y, table.plot.by],
        "depends_on": [ref.path for ref in table.depends_on],
        "lineage": {
            name: [[*ref.table.path, ref.column] for ref in refs]
            for name, refs in table.lineage.items()
        },
        "reads": [[*ref.table.path, ref.column] for ref in table.reads],
        "day_through": named_steps(table),
        "links": [[link.parent.path, link.child.path, link.columns] for link in table.links],
    }


_PLAIN = (
    "path",
    "sql",
    "code_version",
    "description",
    "partition",
    "cursor",
    "distkey",
    "owner",
    "is_steady",
    "source_name",
)
_LISTS = ("grain", "sortkey", "leave_out")
_COLUMN = (
    *("name", "description", "nullable", "pii", "default"),
    *("generated", "bad_values", "line", "is_added", "promised", "source_name", "values"),
)
_TYPE = ("kind", "precision", "scale", "length", "fraction", "instant", "declared")


def _with_days(values: Sequence[dict[str, Any]]) -> Iterator[Table]:
    """The tables; those that are cut by a parent's day with the way to it."""
    tables = [_decode_table(value) for value in values]
    contracts = {table.name: table for table in tables if table.layer == "raw"}
    for table, value in zip(tables, values, strict=True):
        steps = value["day_through"]
        yield with_day(table, [(c, contracts[n], k, t) for c, n, k, t in steps]) if steps else table


def _decode_table(value: dict[str, Any]) -> Table:
    seconds = value["freshness"]
    fields: dict[str, Any] = {name: value[name] for name in _PLAIN}
    fields.update((name, tuple(value[name])) for name in _LISTS)
    return Table(
        **fields,
        ref=_ref(*value["ref"]),
        columns=tuple(_decode_column(*column) for column in value["columns"]),
        unique=tuple(map(tuple, value["unique"])),
        foreign_keys=tuple(
            ForeignKey(tuple(columns), parent, tuple(parent_columns))
            for columns, parent, parent_columns in value["foreign_keys"]
        ),
        freshness=None if seconds is None else timedelta(seconds=seconds),
        plot=value["plot"] and Plot(*value["plot"]),
        depends_on=tuple(_ref(*ref) for ref in value["depends_on"]),
        lineage={
            name: tuple(ColumnRef(_ref(layer, table), column) for layer, table, column in refs)
            for name, refs in value["lineage"].items()
        },
        reads=tuple(
            ColumnRef(_ref(layer, table), column) for layer, table, column in value["reads"]
        ),
        links=tuple(
            ParentLink(
                _ref(*parent), _ref(*child), tuple((mine, theirs) for mine, theirs in columns)
            )
            for parent, child, columns in value["links"]
        ),
    )


def _decode_column(
    name: str,
    description: str,
    nullable: bool,
    pii: bool,
    default: str | None,
    generated: bool,
    bad_values: BadValues,
    line: int,
    is_added: bool,
    promised: bool,
    source_name: str,
    values: list[str],
    *kind: Any,
) -> Column:
    return Column(
        name,
        ColumnType(*kind),
        description,
        nullable,
        pii,
        tuple(values),
        default,
        generated,
        bad_values,
        line,
        is_added,
        promised,
        source_name,
    )


def _ref(layer: str, name: str) -> TableRef:
    return TableRef(cast("Layer", layer), name)
