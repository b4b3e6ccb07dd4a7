"""The records of CSV and delimited files: lines, quotes, escapes, compression. No columns, no types.

A file is read line by line, so its size does not matter; a record is at most 4 MB.
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from local_redshift.copy.text_values import Unfit
from local_redshift.database.load_errors import blocked
from local_redshift.errors import refuse

MAX_RECORD_BYTES = 4 * 1024 * 1024
_CODECS = {"utf8": "utf-8", "utf16": "utf-16", "utf16le": "utf-16-le", "utf16be": "utf-16-be"}
Fields = list["str | None"]
"""The fields of a record; None where the file says NULL."""


@dataclass(frozen=True)
class Record:
    """A record: the line on which it begins (from 1), its text, and its fields or why it has none."""

    line: int
    raw: str
    fields: Fields
    unfit: Unfit | None = None
    replaced: bool = False  # ACCEPTINVCHARS put characters in


def read_records(file: str, address: str, options: Mapping[str, Any]) -> Iterator[Record]:
    """The records of a local file, behind its header lines, in order."""
    split = _csv_splitter(options) if "csv" in options else _text_splitter(options)
    skip = options.get("ignoreheader", 0)
    for line, raw in _joined(file, address, options):
        if line <= skip:
            continue
        text, replaced, unfit = _decoded(raw, options)
        if text == "" and options.get("ignoreblanklines"):
            continue
        try:
            fields = [] if unfit else split(text)
        except Unfit as error:
            fields, unfit = [], error
        yield Record(line, text, fields, unfit, replaced)


def _lines(file: str, address: str, options: Mapping[str, Any]) -> Iterator[bytes]:
    """Lines as bytes of UTF-8 (or what was meant as such), with their ends."""
    import pyarrow as pa

    codec = next((name for name in ("gzip", "bzip2", "zstd") if options.get(name)), None)
    encoding = options.get("encoding", "utf8")
    with ExitStack() as stack:
        stream: Any = stack.enter_context(Path(file).open("rb"))
        if codec:
            name = "bz2" if codec == "bzip2" else codec
            stream = stack.enter_context(pa.CompressedInputStream(stream, name))
        if encoding != "utf8":
            yield from _recoded(stream, address, _CODECS[encoding])
            return
        held = b""
        while True:
            try:
                chunk = stream.read(1 << 20)
            except OSError as error:
                raise blocked(
                    f"Unable to decompress {codec}", 9999, f"S3 key being read : {address}: {error}"
                ) from None
            if not chunk:
                break
            held += chunk
            *whole, held = held.split(b"\n")
            for line in whole:
                yield line + b"\n"
            if len(held) > MAX_RECORD_BYTES:
                raise _too_large(address)
        if held:
            yield held


def _recoded(stream: Any, address: str, codec: str) -> Iterator[bytes]:
    """Lines of another encoding as UTF-8."""
    text = io.TextIOWrapper(stream, codec, newline="\n")
    try:
        while line := text.readline(MAX_RECORD_BYTES):
            yield line.removeprefix("\ufeff").encode("utf-8")
    except UnicodeError:
        raise blocked(
            "The encoding of the file is not that of the COPY command", 1221,
            f"S3 key being read : {address}",
        ) from None  # fmt: skip
    finally:
        text.detach()


def _joined(file: str, address: str, options: Mapping[str, Any]) -> Iterator[tuple[int, bytes]]:
    """Whole records without their ends: lines are joined where a quote or an escape goes on."""
    goes_on = _goes_on(options)
    held, began, joined = b"", 1, False
    for number, line in enumerate(_lines(file, address, options), 1):
        if number == 1:
            line = line.removeprefix(b"\xef\xbb\xbf")  # noqa: PLW2901 - a mark, not text
        held, began = (held + line, began) if joined else (line, number)
        joined = number > options.get("ignoreheader", 0) and goes_on(held)
        if len(held) > MAX_RECORD_BYTES:
            raise _too_large(address)
        if not joined:
            yield began, _without_end(held)
    if joined:
        yield began, _without_end(held)


def _too_large(address: str) -> Exception:
    return blocked(
        "The row is larger than the 4 MB that COPY can load", 1216,
        f"S3 key being read : {address}",
    )  # fmt: skip


def _without_end(line: bytes) -> bytes:
    return line[:-2] if line.endswith(b"\r\n") else line[:-1] if line.endswith(b"\n") else line


def _goes_on(options: Mapping[str, Any]) -> Callable[[bytes], bool]:
    if "csv" in options:
        quote = (options.get("quote") or options["csv"]).encode()
        return lambda held: held.count(quote) % 2 == 1
    if options.get("escape"):
        tail = re.compile(rb"(?<!\\)(?:\\\\)*\\\r?\n\Z")
        return lambda held: tail.search(held) is not None
    return lambda held: False


def _decoded(raw: bytes, options: Mapping[str, Any]) -> tuple[str, bool, Unfit | None]:
    if b"\0" in raw and options.get("null") != "\0":
        raise refuse("a NUL byte in a text file", r"remove it, or write null as '\0'")
    try:
        return raw.decode("utf-8"), False, None
    except UnicodeDecodeError as error:
        replacement = options.get("acceptinvchars")
        if replacement is not None:
            return _replaced(raw, replacement), True, None
        bad = raw[error.start : error.end].hex(" ")
        reason = (
            "String contains invalid or unsupported UTF8 codepoints. "
            f"Bad UTF8 hex sequence: {bad} (error 3)"
        )
        return raw.decode("utf-8", "replace"), False, Unfit(1220, reason)


def _replaced(raw: bytes, replacement: str) -> str:
    """Every byte that is no UTF-8 as the replacement: as long in bytes as before."""
    parts, rest = [], raw
    while rest:
        try:
            parts.append(rest.decode("utf-8"))
            break
        except UnicodeDecodeError as error:
            parts.append(rest[: error.start].decode("utf-8"))
            parts.append(replacement * (error.end - error.start))
            rest = rest[error.end :]
    return "".join(parts)


def _null_of(options: Mapping[str, Any]) -> str:
    return str(options.get("null", "\\N"))


def _csv_splitter(options: Mapping[str, Any]) -> Callable[[str], Fields]:
    delimiter = options.get("delimiter", ",")
    quote = options.get("quote") or options["csv"]
    null = _null_of(options)
    empty_is_null = bool(options.get("emptyasnull"))
    blank = "[ \t]" if delimiter not in " \t" else f"[{' ' if delimiter != ' ' else chr(9)}]"
    q, d = re.escape(quote), re.escape(delimiter)
    field = re.compile(
        rf"{blank}*{q}((?:[^{q}]|{q}{q})*){q}{blank}*(?={d}|\Z)|([^{q}{d}]*)(?={d}|\Z)"
    )

    def split(text: str) -> Fields:
        if quote not in text:
            return [None if piece == null else piece for piece in text.split(delimiter)]
        fields: Fields = []
        at = 0
        while True:
            match = field.match(text, at)
            if match is None:
                raise Unfit(1214, "Invalid quote formatting for CSV")
            quoted = match[1]
            if quoted is None:
                fields.append(None if match[2] == null else match[2])
            else:
                value = quoted.replace(quote + quote, quote)
                if value == null or (value == "" and empty_is_null):
                    raise refuse(
                        "a quoted field that would be NULL without its quotes (is it a text?)",
                        "write NULL without quotes, and choose a null as that no value has",
                    )
                fields.append(value)
            if match.end() == len(text):
                return fields
            at = match.end() + 1

    return split


def _text_splitter(options: Mapping[str, Any]) -> Callable[[str], Fields]:
    delimiter = options.get("delimiter", "|")
    null = _null_of(options)
    if options.get("removequotes"):
        return _unquoting(delimiter, null, bool(options.get("escape")))
    if options.get("escape"):
        return _escaped(delimiter, null)
    return lambda text: [None if piece == null else piece for piece in text.split(delimiter)]


def _escaped(delimiter: str, null: str) -> Callable[[str], Fields]:
    d = re.escape(delimiter)
    piece = re.compile(rf"((?:[^\\{d}]|\\.)*)(?={d}|\Z)", re.DOTALL)

    def split(text: str) -> Fields:
        fields: Fields = []
        at = 0
        while True:
            match = piece.match(text, at)
            if match is None:
                raise Unfit(1214, "Delimiter not found: a backslash at the end of the line")
            fields.append(_plain(match[1], null))
            if match.end() == len(text):
                return fields
            at = match.end() + 1

    return split


def _plain(raw: str, null: str) -> str | None:
    if raw == null or (null == "\\N" and raw == "\\\\N"):
        return None
    return re.sub(r"\\(.)", r"\1", raw, flags=re.DOTALL) if "\\" in raw else raw


def _unquoting(delimiter: str, null: str, escape: bool) -> Callable[[str], Fields]:
    """REMOVEQUOTES: a field between two quotes of one kind is what stands between them."""
    d = re.escape(delimiter)
    one = r"\\." if escape else r"(?!)"
    quoted = re.compile(
        rf"(?:\"((?:[^\"\\]|{one}{'' if escape else '|' + chr(92) * 2})*)\""
        rf"|'((?:[^'\\]|{one}{'' if escape else '|' + chr(92) * 2})*)')(?={d}|\Z)",
        re.DOTALL,
    )
    bare = re.compile(
        rf"((?:[^\\{d}]|{one}{'' if escape else '|' + chr(92) * 2})*)(?={d}|\Z)", re.DOTALL
    )

    def split(text: str) -> Fields:
        fields: Fields = []
        at = 0
        while True:
            match = quoted.match(text, at)
            if match is None and text[at : at + 1] in ("'", '"'):
                raise Unfit(1214, "Delimiter not found: a quotation mark has no partner")
            match = match or bare.match(text, at)
            if match is None:
                raise Unfit(1214, "Delimiter not found")
            raw = next(group for group in match.groups() if group is not None)
            fields.append(_plain(raw, null) if escape else None if raw == null else raw)
            if match.end() == len(text):
                return fields
            at = match.end() + 1

    return split
