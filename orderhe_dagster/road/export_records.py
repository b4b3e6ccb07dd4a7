"""What an export's files were made from, so that none is written twice. Nothing is exported here.

A record lies beside no export but in a folder of its own, is written last and whole, and is believed
only where the files are still those that were written: none of them was touched since. It carries its own
SHA-256.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, astuple, dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path

from orderhe_dagster.rendering.csv_files import Written
from orderhe_dagster.road.export_files import ExportFiles
from orderhe_dagster.road.seals import FIELD, check_seal, sealed
from orderhe_dagster.settings.home import Home
from orderhe_dagster.settings.scratch import scratch_folder

Stamp = tuple[int, int, int]
"""A file's size, and when its content and its place were last changed (ns)."""


def record_of(state: Home, name: str) -> ExportRecord:
    """The record of the export of that name."""
    files = ExportFiles(state.exports, name)
    return ExportRecord(state.cache / "exports" / f"{name}.json", files, state.scratch)


@dataclass(frozen=True)
class MonthFiles:
    """A month of an export that is written by months: from what, how many rows, the names of its parts."""

    content: str
    rows: int
    parts: tuple[str, ...]


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
    months: Mapping[str, MonthFiles] = field(default_factory=dict)


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
        exported, stamps = self._read()
        return exported if stamps == self._stamps() else None

    def months_there(self) -> dict[str, MonthFiles]:
        """The months that were written last, but for those of which a part was touched since."""
        exported, before = self._read()
        if exported is None:
            return {}
        folder, now = self.files.parts.name, self._stamps()
        names = {
            name: [f"{folder}/{part}" for part in month.parts]
            for name, month in exported.months.items()
        }
        return {
            name: month
            for name, month in exported.months.items()
            if all(part in now and now[part] == before.get(part) for part in names[name])
        }

    def _read(self) -> tuple[Exported | None, dict[str, Stamp]]:
        try:
            body = self.path.read_bytes()
            kept = json.loads(body)
            check_seal(kept, body)
            kept.pop(FIELD, None)
            stamps: dict[str, Stamp] = {name: tuple(at) for name, at in kept.pop("files").items()}
            times = {name: datetime.fromisoformat(kept[name]) for name in ("at", "confirmed_at")}
            months = {
                name: MonthFiles(content, rows, tuple(parts))
                for name, (content, rows, parts) in kept["months"].items()
            }
            return Exported(**{**kept, **times, "months": months}), stamps
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            return None, {}  # there is none, or one of another form

    def keep(
        self,
        content: str | None,
        whole: Written,
        parts: int,
        months: Mapping[str, MonthFiles] | None = None,
    ) -> Exported:
        """Note what the files that lie there now were made from. None: they are written each time."""
        now = _now()
        exported = Exported(content, now, now, whole.rows, whole.size, parts, months or {})
        self._write(exported)
        return exported

    def _write(self, exported: Exported) -> None:
        times = {"at": exported.at.isoformat(), "confirmed_at": exported.confirmed_at.isoformat()}
        months = {name: astuple(month) for name, month in exported.months.items()}
        kept = {**asdict(exported), **times, "months": months, "files": self._stamps()}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with scratch_folder(self.scratch, label=f"the record of {self.files.csv.name}") as aside:
            (aside / "record").write_bytes(sealed(kept, indent=1))
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
