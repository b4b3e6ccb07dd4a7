"""The file under an import: its bytes as lines, their faults, and what a chunk of it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from orderhe_dagster.intake.files.encodings import Encoding
from orderhe_dagster.intake.files.layout import Layout

if TYPE_CHECKING:
    import pyarrow as pa

CHUNK_ROWS = 32_768
_NUL_MARK = "\udc00"  # for NUL, which csv of Python 3.10 does not read; escapes begin at dc80


@dataclass(frozen=True)
class Chunk:
    """Rows as text: one array of strings a column (NULL where there is no value), all of a length."""

    columns: dict[str, pa.Array]
    lines: Sequence[int]  # of the file, where each row begins


@dataclass(frozen=True)
class SourceFile:
    """A file as it was recognised: unpacked, its encoding and its layout known."""

    path: Path
    kind: Literal["rows", "json"]
    encoding: Encoding
    layout: Layout = Layout()  # noqa: RUF009  (frozen itself)
    sheet: str | None = None  # of a workbook: `path` holds its rows then
    packings: tuple[str, ...] = ()
    damage: str | None = None


class Damaged(Exception):
    """A gzip file that cannot be unpacked to its end. `line`: where it breaks off."""

    def __init__(self, good: int, reason: str) -> None:
        self.line = good + 1
        whole = f"line {good} is the last that came out whole" if good else "no line came out whole"
        super().__init__(
            f"the gzip file is damaged or cut short ({reason}): {whole}; fetch the file again"
        )


@contextmanager
def open_lines(path: Path, damage: str | None = None) -> Iterator[Lines]:
    """The lines of a file of UTF-8. `damage`: why what it was packed in breaks off at its end."""
    with path.open("rb") as raw:
        yield Lines(raw, damage)


class Lines:
    """The lines of a file as text. `unclean`: a byte since it was last set to False was no text."""

    def __init__(self, file: Iterable[bytes], damage: str | None = None) -> None:
        self.file, self.damage, self.unclean = file, damage, False

    def numbered(self) -> Iterator[tuple[int, bytes]]:
        """(number from 1, bytes) of each line. Damaged where the rest cannot be unpacked."""
        number = 0
        for number, line in enumerate(self.file, 1):
            if self.damage and not line.endswith(b"\n"):
                raise Damaged(number - 1, self.damage)
            yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if self.damage:
            raise Damaged(number, self.damage)

    def __iter__(self) -> Iterator[str]:
        for _, body in self.numbered():
            if b"\0" in body:
                self.unclean = True
                yield body.decode("utf-8", "surrogateescape").replace("\0", _NUL_MARK)
                continue
            try:
                yield body.decode("utf-8")
            except UnicodeDecodeError:
                self.unclean = True
                yield body.decode("utf-8", "surrogateescape")


def fault_of(text: str) -> str | None:
    """What is wrong with the characters of a text."""
    if _NUL_MARK in text or "\0" in text:
        return "a NUL character; take it out"
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return "bytes that are no UTF-8; write the cell anew, or save the file as UTF-8"
    return None
