"""An export's files and how they are put in place: CSV, schema, parts, descriptor. No rows are read here.

They are written aside, then renamed in an order that keeps two promises, whenever the process dies:
a schema that is there describes the CSV that is there, and parts that are there are the CSV's.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.rendering.csv_files import Written, write_parts
from orderhe_dagster.rendering.table_schema import data_package, json_text, table_schema
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.scratch import scratch_folder

PACKAGE = "datapackage.json"


@dataclass(frozen=True)
class ExportFiles:
    """Where the files of one export lie."""

    folder: Path
    name: str

    @property
    def csv(self) -> Path:
        """All rows."""
        return self.folder / f"{self.name}.csv"

    @property
    def schema(self) -> Path:
        """What the columns are."""
        return self.folder / f"{self.name}.schema.json"

    @property
    def parts(self) -> Path:
        """The folder with the rows in parts, there only where the CSV is larger than one."""
        return self.folder / f"{self.name}.parts"

    def publish(self, whole: Written, table: Table, cut: Path | None = None) -> int:
        """Put `whole`, its parts and the schema of `table` in place; return how many parts there are.

        `whole` lies in a working folder of the same disk, which is used up, as is `cut`, the folder of
        its parts where it was cut already. Whoever calls holds the export's lock.
        """
        aside = whole.path.parent
        folder = cut or aside / "parts"
        parts = [*cut.iterdir()] if cut else write_parts(whole, folder)
        wanted = json_text(table_schema(table))
        (aside / "schema").write_text(wanted, "utf-8")
        self.folder.mkdir(parents=True, exist_ok=True)
        if self.parts.exists():
            self.parts.rename(aside / "parts before")
        same = self.schema.is_file() and self.schema.read_bytes() == wanted.encode("utf-8")
        if not same:
            self.schema.unlink(missing_ok=True)
        whole.path.replace(self.csv)
        if not same:
            (aside / "schema").replace(self.schema)
        if parts:
            folder.rename(self.parts)
        return len(parts)

    def copy_to(self, folder: Path) -> None:
        """Put copies of the files into another folder, with the same two promises. Hold the export's lock."""
        folder.mkdir(parents=True, exist_ok=True)
        there = ExportFiles(folder, self.name)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".orderhe-") as name:
            aside = Path(name)
            shutil.copyfile(self.csv, aside / "csv")
            shutil.copyfile(self.schema, aside / "schema")
            if self.parts.is_dir():
                shutil.copytree(self.parts, aside / "parts")
            if there.parts.exists():
                there.parts.rename(aside / "parts before")
            there.schema.unlink(missing_ok=True)
            (aside / "csv").replace(there.csv)
            (aside / "schema").replace(there.schema)
            if self.parts.is_dir():
                (aside / "parts").rename(there.parts)


def describe_copies(tables: Iterable[Table], folder: Path) -> None:
    """Write the `datapackage.json` of a folder with copies of these exports."""
    text = json_text(data_package(sorted(tables, key=lambda table: table.name)))
    with tempfile.TemporaryDirectory(dir=folder, prefix=".orderhe-") as aside:
        (Path(aside) / PACKAGE).write_text(text, "utf-8")
        (Path(aside) / PACKAGE).replace(folder / PACKAGE)


def describe_folder(catalogue: Catalogue, folder: Path, scratch: Path) -> None:
    """Write the folder's `datapackage.json`: the exports of the catalogue whose files are there."""
    with file_lock(scratch / "export-package", label="the descriptor of the exports"):
        there = [
            table
            for table in catalogue.layer("export")
            if ExportFiles(folder, table.name).csv.is_file()
        ]
        wanted = json_text(data_package(sorted(there, key=lambda table: table.name)))
        path = folder / PACKAGE
        if path.is_file() and path.read_bytes() == wanted.encode("utf-8"):
            return
        with scratch_folder(scratch, label="the descriptor of the exports") as aside:
            (aside / PACKAGE).write_text(wanted, "utf-8")
            (aside / PACKAGE).replace(path)
