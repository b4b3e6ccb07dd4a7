"""The `.sql` files of a folder and their bytes. What they say is read elsewhere."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from orderhe_dagster.catalog.errors import Problem


@dataclass(frozen=True)
class SqlFile:
    """One file: its path relative to the folder (forward slashes) and its bytes."""

    path: str
    body: bytes

    @property
    def code_version(self) -> str:
        """12 hex digits of the sha256 of the bytes."""
        return hashlib.sha256(self.body).hexdigest()[:12]

    @property
    def text(self) -> str:
        """The file as text: UTF-8, with or without a mark, lines ended by LF."""
        try:
            text = self.body.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self.body.count(b"\n", 0, error.start) + 1
            raise Problem(self.path, line, "not UTF-8; save the file as UTF-8") from None
        return text.replace("\r\n", "\n")


def find_files(folder: Path) -> list[SqlFile]:
    """Every `*.sql` file under `folder`, sorted by path; hidden files and folders are passed over."""
    files: list[SqlFile] = []
    for root, subfolders, names in os.walk(folder):
        subfolders[:] = [name for name in subfolders if not name.startswith(".")]
        for name in names:
            if name.lower().endswith(".sql") and not name.startswith("."):
                file = Path(root, name)
                files.append(SqlFile(file.relative_to(folder).as_posix(), file.read_bytes()))
    return sorted(files, key=lambda file: file.path)
