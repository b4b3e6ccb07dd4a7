"""The rows of a result as pages of JSON: small results in memory, large ones in a file until they go."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from local_redshift.data_api.faults import Limits
from local_redshift.errors import RedshiftError

_IN_MEMORY = 16 * 1024  # bytes of a result


class Pages:
    """A result: its columns' metadata, and its rows, cut as answers can hold them."""

    def __init__(self, columns: Sequence[dict[str, Any]], limits: Limits, file: Path) -> None:
        self.columns, self.rows, self.bytes = list(columns), 0, 0
        self._limits, self.file = limits, file
        self._open: list[str] = []
        self._open_bytes = 0
        self._kept: list[bytes] = []
        self._places: list[tuple[int, int]] = []  # where each page stands in the file

    def add(self, fields: list[dict[str, Any]]) -> None:
        """One row more. RedshiftError where it is too large, or with it the result."""
        text = json.dumps(fields, ensure_ascii=False, separators=(",", ":"))
        size = len(text.encode("utf-8"))
        limits = self._limits
        if size > limits.row_bytes:
            raise RedshiftError(
                "54000",
                f"Packet for query is too large: a row of {size} bytes; the Data API gives rows of at "
                f"most {limits.row_bytes}",
            )
        self.bytes += size
        if self.bytes > limits.result_bytes:
            raise RedshiftError(
                "54000",
                "Database response exceeded size limit: the Data API gives results of at most "
                f"{limits.result_bytes} bytes",
            )
        if self._open_bytes + size > limits.page_bytes or len(self._open) >= limits.page_rows:
            self._turn()
        self._open.append(text)
        self._open_bytes += size
        self.rows += 1

    def end(self) -> None:
        """That was all."""
        if self._open or not self._kept + self._places:
            self._turn()

    def _turn(self) -> None:
        page = f"[{','.join(self._open)}]".encode()
        self._open, self._open_bytes = [], 0
        if not self._places and self.bytes <= _IN_MEMORY:
            self._kept.append(page)
            return
        with self.file.open("ab") as file:
            for one in (*self._kept, page):
                self._places.append((file.tell(), len(one)))
                file.write(one)
        self._kept = []

    @property
    def count(self) -> int:
        """How many pages there are: one at least."""
        return len(self._kept) or len(self._places)

    def page(self, number: int) -> list[Any]:
        """The records of a page."""
        if self._kept:
            body = self._kept[number]
        else:
            at, size = self._places[number]
            with self.file.open("rb") as file:
                file.seek(at)
                body = file.read(size)
        records: list[Any] = json.loads(body)
        return records

    def drop(self) -> None:
        """Nobody asks for it any more."""
        self._kept, self._places = [], []
        self.file.unlink(missing_ok=True)
