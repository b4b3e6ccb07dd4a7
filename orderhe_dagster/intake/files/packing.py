"""What a file is packed in: gzip, zip, a workbook. Told by its bytes, whatever its name ends in.

What is no table at all (a PDF, a picture, a page of HTML called .xls) is refused by its name.
"""

from __future__ import annotations

import gzip
import re
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import Literal

from orderhe_dagster.errors import counted
from orderhe_dagster.intake.files.encodings import BLOCK_BYTES
from orderhe_dagster.intake.files.refusals import Unreadable

Content = Literal["text", "json", "workbook"]

_OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"  # OLE: .xls, and whatever has a password
_SAVE_AS = "open it in a spreadsheet program and save the sheet as .xlsx or as CSV UTF-8"
_NO_TABLE: tuple[tuple[bytes, str, str], ...] = (
    (b"%PDF", "a PDF document", "export the data as CSV where the document came from"),
    (b"PAR1", "a Parquet file", "write it as CSV: duckdb -c \"copy 'it.parquet' to 'it.csv'\""),
    (b"SQLite format 3\0", "a SQLite database", "export the table as CSV"),
    (b"\x89PNG", "a picture", "export the data as CSV"),
    (b"\xff\xd8\xff", "a picture", "export the data as CSV"),
    (b"GIF8", "a picture", "export the data as CSV"),
    (b"BZh", "packed by bzip2", "unpack it (bunzip2) and import what comes out"),
    (b"\xfd7zXZ\0", "packed by xz", "unpack it (unxz) and import what comes out"),
    (b"\x28\xb5\x2f\xfd", "packed by zstd", "unpack it (unzstd) and import what comes out"),
    (b"7z\xbc\xaf\x27\x1c", "a 7z archive", "unpack it and import what comes out"),
    (b"Rar!", "a RAR archive", "unpack it and import what comes out"),
    (b"{\\rtf", "an RTF document", "save its table as CSV"),
)
_INSIDE = {
    "xl/workbook.bin": ("a binary workbook (.xlsb)", _SAVE_AS),
    "word/document.xml": ("a Word document", "copy its table into a sheet and save that as .xlsx"),
    "content.xml": ("an OpenDocument file (.ods)", _SAVE_AS),
    "Index/Document.iwa": ("a Numbers document", "export it as CSV or .xlsx in Numbers"),
}


@dataclass(frozen=True)
class Unpacked:
    """The file that is to be read. `name` is its own, inside an archive if it was in one."""

    path: Path
    name: str
    content: Content
    packings: tuple[str, ...] = ()  # as messages call them, the outermost first
    damage: str | None = None  # of gzip: why it breaks off; what came out is read up to there


def unpack(path: Path, aside: Path, member: str | None = None) -> Unpacked:
    """What is in a file, unpacked into the folder `aside` where it is packed. Unreadable says why not."""
    aside.mkdir(exist_ok=True)
    found = Unpacked(path, path.name, "text")
    for depth in range(3):
        with found.path.open("rb") as file:
            head = file.read(4096)
        if head.startswith(b"\x1f\x8b"):
            found = _gunzipped(found, aside / f"{depth}")
        elif head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
            found = _unzipped(found, aside / f"{depth}", member)
            if found.content == "workbook":
                return found
        else:
            break
    if member and not any("zip" in packing for packing in found.packings):
        raise Unreadable("--member names a file inside a zip, and this is none; leave it out")
    _refuse_what_is_no_table(found.path)
    return replace(found, content=_content(found))


def _gunzipped(found: Unpacked, target: Path) -> Unpacked:
    damage = None
    with gzip.open(found.path, "rb") as packed, target.open("wb") as plain:
        try:
            while part := packed.read1(BLOCK_BYTES):
                plain.write(part)
        except EOFError:
            damage = "it ends too early"
        except (gzip.BadGzipFile, zlib.error):
            damage = "its bytes are not those that were packed"
    name = found.name[:-3] if found.name.lower().endswith(".gz") else found.name
    return replace(found, path=target, name=name, packings=(*found.packings, "gzip"), damage=damage)


def _unzipped(found: Unpacked, target: Path, member: str | None) -> Unpacked:
    try:
        with zipfile.ZipFile(found.path) as archive:
            names = {_name_of(info): info for info in archive.infolist() if not info.is_dir()}
            if "xl/workbook.xml" in names:
                return replace(found, content="workbook")
            for name, (what, cure) in _INSIDE.items():
                if name in names:
                    raise Unreadable(f"the file is {what}, which is not read; {cure}")
            files = [name for name in names if _is_file(name)]
            chosen = _chosen(files, member)
            info = names[chosen]
            if info.flag_bits & 1:
                raise Unreadable(
                    "the zip has a password; unpack it with the password and import what comes out"
                )
            with archive.open(info) as packed, target.open("wb") as plain:
                while part := packed.read(BLOCK_BYTES):
                    plain.write(part)
    except (zipfile.BadZipFile, zlib.error, EOFError):
        raise Unreadable(
            "the zip file is damaged or cut short; fetch the file again from where it came"
        ) from None
    except NotImplementedError:
        raise Unreadable(
            "the zip is packed in a way that is not read; unpack it and import what comes out"
        ) from None
    return replace(
        found,
        path=target,
        name=PurePosixPath(chosen).name,
        packings=(*found.packings, f"zip ({chosen})"),
    )


def _name_of(info: zipfile.ZipInfo) -> str:
    """The name of a member: in UTF-8 where it is marked so, else as Korean Windows writes it."""
    if info.flag_bits & 0x800:
        return info.filename
    try:
        raw = info.filename.encode("cp437")
    except UnicodeEncodeError:
        return info.filename
    for encoding in ("utf-8", "cp949"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return info.filename


def _is_file(name: str) -> bool:
    """Not what systems put beside the files."""
    parts = PurePosixPath(name).parts
    hidden = any(part == "__MACOSX" or re.match(r"\.[^.]", part) for part in parts)
    return not hidden and parts[-1].lower() not in {"thumbs.db", "desktop.ini"}


def _chosen(files: Sequence[str], member: str | None) -> str:
    if member is not None:
        if member in files:
            return member
        alike = [name for name in files if PurePosixPath(name).name == member]
        if len(alike) == 1:
            return alike[0]
        raise Unreadable(f"the zip has no file {member!r}; name one by --member: {_listed(files)}")
    if not files:
        raise Unreadable("the zip is empty; fetch the file again from where it came")
    if len(files) > 1:
        raise Unreadable(
            f"the zip holds {counted(len(files), 'file')}; name one by --member {_quoted(files[0])}: "
            f"{_listed(files)}"
        )
    return files[0]


def _listed(files: Sequence[str]) -> str:
    shown = ", ".join(files[:8])
    return shown if len(files) <= 8 else f"{shown} and {len(files) - 8} more"


def _quoted(name: str) -> str:
    import shlex

    return shlex.quote(name)


def _refuse_what_is_no_table(path: Path) -> None:
    with path.open("rb") as file:
        head = file.read(1 << 16)
    if head.startswith(_OLD):
        if "EncryptedPackage".encode("utf-16-le") in head + _tail(path):
            raise Unreadable(
                "the workbook is protected by a password; save it without one and import it again"
            )
        raise Unreadable(f"the file is an old workbook (.xls), which is not read; {_SAVE_AS}")
    for start, what, cure in _NO_TABLE:
        if head.startswith(start):
            raise Unreadable(f"the file is {what}, which is not read; {cure}")
    if head[257:262] == b"ustar":
        raise Unreadable("the file is a tar archive; unpack it (tar -xf) and import what comes out")
    text = head.lstrip(b"\xef\xbb\xbf \t\r\n")[:400].lower()
    if text.startswith((b"<html", b"<!doctype html", b"<table", b"<meta", b"<style", b"<head")):
        raise Unreadable(f"the file is a page of HTML, whatever its name says; {_SAVE_AS}")
    if text.startswith(b"<?xml"):
        raise Unreadable(f"the file is XML, which is not read; {_SAVE_AS}")


def _tail(path: Path) -> bytes:
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - (1 << 16)))
        return file.read()


def _content(found: Unpacked) -> Content:
    ending = PurePosixPath(found.name).suffix.lower()
    if ending in {".jsonl", ".ndjson"}:
        return "json"
    with found.path.open("rb") as file:
        head = file.read(4096).lstrip(b"\xef\xbb\xbf \t\r\n")
    if head.startswith(b"["):
        rest = head[1:].lstrip()
        if ending == ".json" or rest.startswith(b"{"):
            raise Unreadable(
                "the file is one JSON array; write one object a line: jq -c '.[]' FILE > FILE.jsonl"
            )
    if head.startswith(b"{") and (ending == ".json" or head[1:].lstrip().startswith(b'"')):
        return "json"
    return "text"
