"""UNLOAD: a query's rows as files below a prefix, several at once, with their manifest.

The text is read by `unload_options`; lines are made by `unload_text`, files by `unload_files`.
"""

from __future__ import annotations

import json
import re
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local_redshift.copy.unload_files import Writer, open_writer
from local_redshift.copy.unload_options import MEGABYTE, Unload, read_unload
from local_redshift.copy.unload_text import texts
from local_redshift.database.load_errors import blocked
from local_redshift.database.load_log import Load, now
from local_redshift.database.results import Notice, Row, Rows
from local_redshift.database.session import Session, permit_role
from local_redshift.database.storage import Access
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.values.scope import Columns

SLICES = 2
"""How many files are written side by side: whoever reads them must not count on one."""
_MOST_PARTITIONS = 400
_BATCH_ROWS, _STEP_ROWS = 10_000, 250
_NO_PARTITION = "__HIVE_DEFAULT_PARTITION__"
_KEYS = frozenset(
    ("smallint", "integer", "bigint", "decimal", "real", "boolean", "char", "varchar", "date",
     "timestamp")
)  # fmt: skip


def run_unload(session: Session, words: Words, sql: str) -> Rows:
    """UNLOAD, after the word itself."""
    unload = read_unload(words)
    log, number = session.database.loads, session.entry.query_id if session.entry else 0
    load = log.begin(
        Load(
            number, session.user, session.process_id, "unload", "", unload.address,
            unload.format, now(),
        )
    )  # fmt: skip
    with log.keeping(load):
        _unload(session, unload, load)
    message = f"UNLOAD completed, {load.rows} record(s) unloaded successfully."
    return Rows(row_count=load.rows, tag="UNLOAD", notices=(Notice("INFO", "00000", message),))


def _unload(session: Session, unload: Unload, load: Load) -> None:
    query = session.compiled(_query(unload.select))
    if chars := [name for name, type_ in query.columns if type_.kind == "char"]:
        raise refuse(f"UNLOAD of the char column {chars[0]}", "cast it to varchar(n)")
    permit_role(session, unload.role, "unload")
    role = session.database.roles.assume(unload.role, session.user)
    access = Access(session.database.resolver, role, unload["region"] or "")
    prefix = unload.address
    if unload["partition"] and not prefix.endswith("/"):
        prefix += "/"
    there = _objects_there(unload, access, prefix)
    layout = _Layout(unload, query.columns, prefix)
    with (
        tempfile.TemporaryDirectory(prefix="local-redshift-unload-") as folder,
        ExitStack() as stack,
    ):
        files = _Files(unload, layout, Path(folder))
        stack.callback(files.close)
        stream = session.query(query)
        while rows := stream.fetch(_BATCH_ROWS):
            files.write(rows)
        files.close()
        written = files.written
        load.rows = sum(file.rows for file in written)
        load.files = len(written)
        load.file_bytes = sum(file.path.stat().st_size for file in written)
        load.addresses = tuple(file.address for file in written)
        manifest = json.dumps(
            _manifest(unload, layout, written), indent=1
        )  # a store may move files
        if unload["cleanpath"]:
            access.delete(_replaced(there, written, bool(unload["partition"])))
        for file in written:
            access.put(file.address, file.path)
        if unload["manifest"] and written:
            path = Path(folder) / "manifest"
            path.write_text(manifest, "utf-8")
            access.put(f"{prefix}manifest", path)


def _objects_there(unload: Unload, access: Access, prefix: str) -> list[str]:
    """The objects below the prefix; there may be some only where they may be replaced."""
    there = [address for address, _ in access.list(prefix)]
    if there and not (unload["allowoverwrite"] or unload["cleanpath"]):
        raise blocked(
            "Specified unload destination on S3 is not empty. Consider using a different bucket / "
            "prefix, manually removing the target files in S3, or using the ALLOWOVERWRITE option.",
            8001, f"S3 prefix: {prefix}, {len(there)} object(s) there",
        )  # fmt: skip
    return there


def _query(text: str) -> str:
    """The query, if it is one; its outer LIMIT is Redshift's error."""
    words = Words(text)
    first = words.next().lower
    if first not in ("select", "with", "("):
        raise RedshiftError("42601", f'syntax error in the query of UNLOAD at or near "{first}"')
    tree = parse(text)
    if tree.args.get("limit") is not None:
        raise RedshiftError(
            "0A000",
            "Limit clause is not supported in the outer SELECT of UNLOAD",
            hint="put the limit into a subquery",
        )
    return text


def _replaced(there: list[str], files: Sequence[_File], partitioned: bool) -> list[str]:
    """What CLEANPATH removes: of partitions only those that get new files."""
    if not partitioned:
        return there
    folders = {file.address.rpartition("/")[0] + "/" for file in files}
    return [address for address in there if any(address.startswith(f) for f in folders)]


class _Layout:
    """Which columns are written, and by which the files are parted."""

    def __init__(self, unload: Unload, columns: Columns, prefix: str) -> None:
        self.columns, self.prefix = columns, prefix
        names = [name for name, _ in columns]
        keys, include = unload["partition"] or ([], False)
        for name in keys:
            if name not in names:
                raise RedshiftError("42703", f'column "{name}" of PARTITION BY is not in the query')
            kind = columns[names.index(name)][1].kind
            if kind not in _KEYS:
                raise RedshiftError(
                    "0A000", f"PARTITION BY of {name}: {kind} can be no partition key"
                )
        self.keys = [(name, names.index(name)) for name in keys]
        out = set() if include else {place for _, place in self.keys}
        self.kept = [place for place in range(len(names)) if place not in out]
        if not self.kept:
            raise RedshiftError("0A000", "UNLOAD needs a column that is not in PARTITION BY")
        self.written = tuple(columns[place] for place in self.kept)
        self._texts = [texts(name, columns[place][1]) for name, place in self.keys]

    def folder(self, row: Row) -> str:
        """`a=1/b=2/`, from the row's values."""
        path = ""
        for (name, place), text in zip(self.keys, self._texts, strict=True):
            value = _NO_PARTITION if row[place] is None else text(row[place])
            if not re.fullmatch(r"[\w.-]+", value, re.ASCII):
                raise refuse(
                    f"a value of {name} as a partition that holds other signs than letters, digits, "
                    "dots and dashes",
                    "part by a column of plain values",
                )
            path += f"{name}={value}/"
        return path


@dataclass
class _File:
    """A file that was written: where it goes, where it is, its rows (a header line counts)."""

    address: str
    path: Path
    rows: int = 0
    lines: int = 0


@dataclass
class _Share:
    """What one slice writes of one partition: its files one after another."""

    folder: str
    slice: int
    part: int = -1
    writer: Writer | None = None
    step: int = 0  # the most bytes that were written at once so far
    rows: list[Row] = field(default_factory=list)


class _Files:
    """The files being written; rows go round the slices, or to the one of their partition."""

    def __init__(self, unload: Unload, layout: _Layout, folder: Path) -> None:
        self._unload, self._layout, self._folder = unload, layout, folder
        self._most_bytes = (unload["maxfilesize"] or 6.2 * 1024) * MEGABYTE
        self._shares: dict[tuple[str, int], _Share] = {}
        self._slices = 1 if unload["parallel"] is False else SLICES
        self._count = 0
        self.written: list[_File] = []

    def write(self, rows: Sequence[Row]) -> None:
        """Put a batch of rows where they belong."""
        for share, row in self._shared(rows):
            share.rows.append(row)
        for share in self._shares.values():
            if share.rows:
                self._flush(share)

    def close(self) -> None:
        """End every file."""
        for share in self._shares.values():
            self._end(share)

    def _shared(self, rows: Sequence[Row]) -> Iterator[tuple[_Share, Row]]:
        layout = self._layout
        for row in rows:
            folder = layout.folder(row) if layout.keys else ""
            at = 0 if layout.keys else self._count % self._slices
            self._count += 1
            share = self._shares.get((folder, at))
            if share is None:
                if len(self._shares) >= _MOST_PARTITIONS:
                    raise refuse(
                        f"UNLOAD into more than {_MOST_PARTITIONS} partitions",
                        "unload a part at a time",
                    )
                number = len(self._shares) % self._slices if layout.keys else at
                share = self._shares[folder, at] = _Share(folder, number)
            yield share, tuple(row[place] for place in layout.kept)

    def _flush(self, share: _Share) -> None:
        rows, share.rows = share.rows, []
        step = len(rows) if self._unload.format == "parquet" else _STEP_ROWS
        for start in range(0, len(rows), step):
            some = rows[start : start + step]
            if share.writer is not None and share.writer.size + share.step > self._most_bytes:
                self._end(share)
            if share.writer is None:
                share.writer = self._opened(share)
            before = share.writer.size
            share.writer.write(some)
            share.step = max(share.step, share.writer.size - before)

    def _opened(self, share: _Share) -> Writer:
        share.part += 1
        name = f"{share.slice:04d}_part_{share.part:02d}"
        if self._unload["parallel"] is False:
            name = f"{share.part:03d}"
        address = f"{self._layout.prefix}{share.folder}{name}{self._unload.extension}"
        file = _File(address, self._folder / f"{len(self.written):06d}")
        self.written.append(file)
        return open_writer(self._unload, self._layout.written, file.path, file)

    def _end(self, share: _Share) -> None:
        writer, share.writer = share.writer, None
        if writer is not None:
            writer.close()


def _manifest(unload: Unload, layout: _Layout, files: Sequence[_File]) -> dict[str, Any]:
    verbose = unload["manifest"] == "verbose"
    entries: list[dict[str, Any]] = []
    for file in files:
        meta = {"content_length": file.path.stat().st_size}
        if verbose:
            meta["record_count"] = file.lines
        entries.append({"url": file.address, "meta": meta})
    if not verbose:
        return {"entries": entries}
    return {
        "entries": entries,
        "schema": {"elements": [_element(*column) for column in layout.written]},
        "meta": {
            "content_length": sum(entry["meta"]["content_length"] for entry in entries),
            "record_count": sum(file.lines for file in files),
        },
        "author": {"name": "Amazon Redshift", "version": "1.0.0"},
    }


def _element(name: str, type_: Any) -> dict[str, Any]:
    base = _BASES.get(type_.kind, type_.kind)
    shown: dict[str, Any] = {"base": base}
    if type_.kind == "decimal":
        shown |= {"precision": type_.precision, "scale": type_.scale}
    elif type_.length:
        shown |= {"max_length": type_.length}
    return {"name": name, "type": shown}


_BASES = {
    "varchar": "character varying", "char": "character", "decimal": "numeric",
    "double": "double precision", "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
}  # fmt: skip
