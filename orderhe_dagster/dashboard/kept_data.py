"""The exports as the page got them last, kept so that none is read again that nobody has changed.

How they are read is `payload`'s; when a page is drawn, `assets`'.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.dashboard import export_reader, panels, payload
from orderhe_dagster.dashboard.page import replace_text
from orderhe_dagster.dashboard.panels import readable
from orderhe_dagster.dashboard.payload import Confirmed, Data, never, read_data, written_at
from orderhe_dagster.dashboard.state import Freshness
from orderhe_dagster.rendering import csv_files
from orderhe_dagster.road.seals import check_seal, sealed

_READERS = (payload, panels, export_reader, csv_files)
"""The modules that decide on what is taken from an export's file."""


@dataclass(frozen=True)
class KeptData:
    """What the exports of a folder gave when they were read, in the file `path`; it grows in `aside`."""

    path: Path
    aside: Path

    def read(
        self, catalogue: Catalogue, folder: Path, confirmed_at: Confirmed = never
    ) -> tuple[Data, datetime | None]:
        """The exports as `read_data` gives them, and since when (UTC) they are these; None: read now."""
        key = _key(catalogue, folder)
        kept = self._kept(key)
        if kept is not None:
            data, since = kept
            with suppress(FileNotFoundError):  # it was there a moment ago: read what there is
                return replace(data, written=_fresh(data, folder, confirmed_at)), since
        data = read_data(catalogue, folder, confirmed_at)
        if key == _key(catalogue, folder):  # else a file was put there meanwhile
            self._keep(key, data)
        return data, None

    def _kept(self, key: str) -> tuple[Data, datetime] | None:
        try:
            body = self.path.read_bytes()
            kept = json.loads(body)
            check_seal(kept, body)
            if kept["key"] != key:
                return None
            last_days = kept["data"].pop("written")
            written = {name: Freshness(datetime.min, day) for name, day in last_days.items()}
            return Data(**kept["data"], written=written), datetime.fromisoformat(kept["since"])
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None  # there is none, or one of another form: the exports are read

    def _keep(self, key: str, data: Data) -> None:
        since = datetime.now(timezone.utc).replace(microsecond=0)
        kept = {"key": key, "since": since.isoformat(), "data": _plain(data)}
        replace_text(self.path, sealed(kept).decode(), self.aside)


def _fresh(data: Data, folder: Path, confirmed_at: Confirmed) -> dict[str, Freshness]:
    return {
        name: replace(row, at=written_at(folder, name, confirmed_at))
        for name, row in data.written.items()
    }


def _plain(data: Data) -> Mapping[str, Any]:
    return {
        "exports": data.exports,
        "first_day": data.first_day,
        "last_day": data.last_day,
        "price_changes": data.price_changes,
        "left_out": list(data.left_out),
        "written": {name: row.last_day for name, row in data.written.items()},
    }


def _key(catalogue: Catalogue, folder: Path) -> str:
    """What the exports are read from, as a digest: the files as they are now, and what reads them."""
    lines = [str(folder), _readers(), *(table.code_version for table in catalogue.layer("export"))]
    for name in sorted(readable(catalogue)):
        try:
            at = (folder / f"{name}.csv").stat()
        except FileNotFoundError:
            lines.append(name)
        else:
            lines.append(f"{name} {at.st_size} {at.st_mtime_ns} {at.st_ctime_ns}")
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


@cache
def _readers() -> str:
    digest = hashlib.sha256()
    for module in _READERS:
        digest.update(Path(str(module.__file__)).read_bytes())
    return digest.hexdigest()
