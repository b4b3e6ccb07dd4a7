"""What an export's files were made from, so that none is written twice. Nothing is exported here.

A record lies beside no export but in a folder of its own, is written last and whole, and is believed
only where the files are still those that were written: none of them was touched since.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timezone
from pathlib import Path

from orderhe_dagster.rendering.csv_files import Written
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.settings.home import Home
from orderhe_dagster.settings.scratch import scratch_folder

Stamp = tuple[int, int, int]
"""A file's size, and when its content and its place were last changed (ns)."""


def record_of(state: Home, name: str) -> ExportRecord:
    """The record of the export of that name."""
    files = ExportFiles(state.exports, name)
    return ExportRecord(state.cache / "exports" / f"{name}.json", files, state.scratch)


@dataclass(frozen=True)
class Exported:
    """An export as it was written: from what (None: nobody can say), when (UTC), and its figures.

    `confirmed_at` is when it was last looked at, and was what would have been written.
    """

    content: str | None
    at: datetime
    confirmed_at: datetime
    rows: int
    size: int
    parts: int


@dataclass(frozen=True)
class ExportRecord:
    """The record of one export's files, at `path`. Whoever writes it holds the export's lock."""

    path: Path
    files: ExportFiles
    scratch: Path

    def kept(self, content: str | None) -> Exported | None:
        """What was written from this content, if that is what lies there now; noted as confirmed."""
        exported = self.there()
        if exported is None or content is None or exported.content != content:
            return None
        exported = replace(exported, confirmed_at=_now())
        self._write(exported)
        return exported

    def there(self) -> Exported | None:
        """What was written last; None where nothing is known of the files that lie there now."""
        try:
            kept = json.loads(self.path.read_text("utf-8"))
            stamps = {name: tuple(stamp) for name, stamp in kept.pop("files").items()}
            times = {name: datetime.fromisoformat(kept[name]) for name in ("at", "confirmed_at")}
            exported = Exported(**{**kept, **times})
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None  # there is none, or one of another form
        return exported if stamps == self._stamps() else None

    def keep(self, content: str | None, whole: Written, parts: int) -> Exported:
        """Note what the files that lie there now were made from. None: they are written each time."""
        exported = Exported(content, _now(), _now(), whole.rows, whole.size, parts)
        self._write(exported)
        return exported

    def _write(self, exported: Exported) -> None:
        times = {"at": exported.at.isoformat(), "confirmed_at": exported.confirmed_at.isoformat()}
        kept = {**asdict(exported), **times, "files": self._stamps()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(self.scratch, label=f"the record of {self.files.csv.name}") as aside:
            (aside / "record").write_text(json.dumps(kept, indent=1), "utf-8")
            (aside / "record").replace(self.path)

    def _stamps(self) -> dict[str, Stamp]:
        return {
            path.relative_to(self.files.folder).as_posix(): (
                (at := path.stat()).st_size,
                at.st_mtime_ns,
                at.st_ctime_ns,
            )
            for path in self._there()
        }

    def _there(self) -> Iterator[Path]:
        """The export's files that are there."""
        files = self.files
        yield from (path for path in (files.csv, files.schema) if path.is_file())
        if files.parts.is_dir():
            yield from files.parts.iterdir()


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)
