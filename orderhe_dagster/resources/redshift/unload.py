"""A select's rows by way of the store: UNLOAD writes Parquet, and a DuckDB of ours makes lines of it.

The driver makes a Python object of every value, the warehouse and DuckDB do not. Whether the way is
worth it is the warehouses' to say.
"""

from __future__ import annotations

import json
import logging
import re
import secrets
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

from orderhe_dagster.ports.errors import PortError, StatementError
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Lines, Result, Session

log = logging.getLogger("orderhe.redshift")
PREFIX = "unload"
"""Where in the store the files lie, for as long as they are read."""
UNLOADED = 100_000
"""From so many rows on, the driver's 10 s of CPU a million outweigh the round trip by the store."""
_ROWS = "rows_"
_MOST_MB = 256
"""The size of a file: one of them is on this machine at a time."""
_LINES = 2_048
_ABANDONED = timedelta(days=1)
_STAMP = "%Y%m%dT%H%M%SZ"
_NOT_ALLOWED = re.compile(
    r"S3ServiceException|access ?denied|not (associated|authorized)|default IAM role|unauthorized|assumerole",
    re.IGNORECASE,
)
_NOT_SUPPORTED = "0A000"
_NUMBERED = {"smallint": "smallint", "integer": "integer", "bigint": "bigint"}
_CASTS = {
    **_NUMBERED,
    **{"boolean": "boolean", "real": "float", "double": "double", "date": "date"},
    **dict.fromkeys(("timestamp", "timestamptz"), "timestamp"),
    **dict.fromkeys(("varchar", "text"), "varchar"),
}
"""The types that UNLOAD writes to Parquet as they are, and what they are to DuckDB."""


def written(session: Session, sql: str, lines: Lines, name: str, way: Unload | None) -> Result:
    """A select's rows, written into lines: by this way where it is open, else row by row."""
    result = way.write(session, sql, lines, name) if way is not None else None
    return session.stream(sql, lines.add) if result is None else result


@dataclass(frozen=True)
class Unload:
    """A way through `store`, which COPY and UNLOAD reach by `authorization`."""

    store: Store
    authorization: str

    def write(self, session: Session, sql: str, lines: Lines, name: str) -> Result | None:
        """Write a select's rows into `lines`; None where this way is not open, and nothing was written.

        `name` is what the rows are of. StatementError where the select itself fails.
        """
        shape = session.execute(f"select * from (\n{sql}\n) as shape where false")
        columns = [(f"c{place}", type_) for place, type_ in enumerate(shape.types)]
        casts = [_cast(*column) for column in columns]
        if None in casts or "$$" in sql or lines.select(columns, "rows") is None:
            return None
        self._remove_abandoned()
        folder = f"{PREFIX}/{datetime.now(timezone.utc):{_STAMP}}-{secrets.token_hex(4)}"
        with self._removing(folder):
            if not self._unload(session, sql, folder, name):
                return None
            count = self._read(folder, columns, ", ".join(map(str, casts)), lines)
        return Result(shape.columns, shape.types, row_count=count)

    def _unload(self, session: Session, sql: str, folder: str, name: str) -> bool:
        """Whether the warehouse wrote the files; it may lack the right, or refuse such a select."""
        address = self.store.url(f"{folder}/{_ROWS}")
        # In series, or the order of the rows would be lost between the files.
        statement = (
            f"unload ($$\n{sql}\n$$) to '{address}' {self.authorization} format parquet"
            f" manifest verbose parallel off maxfilesize {_MOST_MB} mb"
        )
        try:
            session.execute(statement)
        except StatementError as error:
            if _NOT_ALLOWED.search(error.message):
                log.warning(
                    "%s is read row by row, which takes longer: UNLOAD to %s is not allowed (%s). Let "
                    "ORDERHE_REDSHIFT_IAM_ROLE write there, and the user assume it for unload: "
                    "docs/redshift.md has the statements.",
                    name,
                    f"{self.store.url(PREFIX)}/",
                    error.message.partition(" (ORDERHE_")[0],
                )
                return False
            if error.code == _NOT_SUPPORTED:
                log.info("%s is read row by row: %s", name, error.message)
                return False
            raise
        return True

    def _read(
        self, folder: str, columns: Sequence[tuple[str, str]], casts: str, lines: Lines
    ) -> int:
        """Write the rows of the files, in the order of the manifest; return how many there were."""
        manifest = self.store.get(f"{folder}/{_ROWS}manifest")
        if manifest is None:  # there is no row, so there is no file
            return 0
        listed = json.loads(manifest.body)
        names = ", ".join(name for name, _ in columns)
        count = 0
        with (
            _duckdb() as connection,
            tempfile.TemporaryDirectory(prefix="orderhe-unload-") as local,
        ):
            for entry in listed["entries"]:
                path = Path(local) / "rows.parquet"
                self.store.download(f"{folder}/{entry['url'].rpartition('/')[2]}", path)
                # A file's own names are not asked for: two columns may have the same.
                rows = f"(select {casts} from read_parquet('{path}') as f({names})) as r({names})"
                select = lines.select(columns, rows)
                for batch in connection.execute(select).to_arrow_reader(_LINES):
                    lines.add_lines(batch.column(0))
                    count += batch.num_rows
                path.unlink()
        if count != listed["meta"]["record_count"]:
            raise PortError(
                f"UNLOAD wrote {listed['meta']['record_count']:,} rows to {self.store.url(folder)}, and "
                f"{count:,} were read there. Run it again; other hands may have changed the files."
            )
        return count

    @contextmanager
    def _removing(self, folder: str) -> Iterator[None]:
        """Remove the files after the block, however it ends."""
        try:
            yield
        finally:
            self._remove(f"{folder}/")

    def _remove_abandoned(self) -> None:
        """Remove what processes left that were killed a day ago or more."""
        self._remove(f"{PREFIX}/", datetime.now(timezone.utc) - _ABANDONED)

    def _remove(self, prefix: str, before: datetime | None = None) -> None:
        """Remove the objects of a prefix, or only those begun before. What cannot be removed is told."""
        try:
            keys = [key for key, _ in self.store.listing(prefix)]
            self.store.delete([key for key in keys if before is None or _begun(key) < before])
        except PortError as error:
            log.warning(
                "what UNLOAD wrote to %s may be left there: %s",
                self.store.url(prefix.rstrip("/")),
                error,
            )


def _begun(key: str) -> datetime:
    """When the unload began that wrote an object: its folder's name says it."""
    stamp = key.split("/")[1].partition("-")[0]
    try:
        return datetime.strptime(stamp, _STAMP).replace(tzinfo=timezone.utc)
    except ValueError:  # nothing of ours
        return datetime.max.replace(tzinfo=timezone.utc)


def _cast(column: str, type_: str) -> str | None:
    """A column of the file as what it was in the warehouse; None where Parquet may not hold that."""
    name = type_.partition("(")[0]
    if name == "decimal":
        return f"cast({column} as {type_})" if "(" in type_ else None
    return f"cast({column} as {_CASTS[name]})" if name in _CASTS else None


@contextmanager
def _duckdb() -> Iterator[Any]:
    import duckdb

    connection = duckdb.connect()
    try:
        yield connection
    finally:
        connection.close()
