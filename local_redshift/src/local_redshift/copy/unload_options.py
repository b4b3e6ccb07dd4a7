"""UNLOAD's text: the query, where its rows go, and every option by name. Nothing is written here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from local_redshift.copy.options import (
    as_character,
    as_text,
    authorization,
    flag,
    on_off,
)
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words

MEGABYTE = 1 << 20
_LARGEST_FILE = 6.2 * 1024  # megabytes


@dataclass(frozen=True)
class Unload:
    """An UNLOAD as read. `role` None: the default role."""

    select: str
    address: str
    format: str  # text, csv or parquet
    role: str | None
    options: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, option: str) -> Any:
        return self.options.get(option)

    @property
    def extension(self) -> str:
        """What the names of the files end with."""
        if self["extension"]:
            return f".{self['extension']}"
        if self.format == "parquet":
            return ".parquet"
        return next((end for name, end in _ENDS.items() if self[name]), "")


_ENDS = {"gzip": ".gz", "bzip2": ".bz2", "zstd": ".zst"}


def _manifest(words: Words) -> Any:
    return "verbose" if words.take("verbose") else "plain"


def _encrypted(words: Words) -> Any:
    """Without a key of its own it is what UNLOAD does anyway: the store's encryption."""
    return "auto" if words.take("auto") else "sse"


def _partition(words: Words) -> Any:
    words.expect("by")
    names = words.names()
    return names, words.take("include")


def _size(words: Words) -> Any:
    words.take("as")
    word = words.next()
    if word.kind != "number":
        words.at -= 1
        raise words.error("a number expected")
    size = Decimal(word.text)
    if words.take("gb"):
        return float(size * 1024)
    words.take("mb")
    return float(size)


OPTIONS: dict[str, Callable[[Words], Any]] = {
    "addquotes": flag,
    "allowoverwrite": flag,
    "bzip2": flag,
    "cleanpath": flag,
    "delimiter": as_character,
    "encrypted": _encrypted,
    "escape": flag,
    "extension": as_text,
    "gzip": flag,
    "header": flag,
    "manifest": _manifest,
    "maxfilesize": _size,
    "null": as_text,
    "parallel": on_off,
    "partition": _partition,
    "region": as_text,
    "rowgroupsize": _size,
    "zstd": flag,
}
_REFUSED = ("fixedwidth", "json", "kms_key_id", "master_symmetric_key")
_NOT_PARQUET = (
    "delimiter", "addquotes", "escape", "null", "header", "gzip", "bzip2", "zstd",
)  # fmt: skip
_EXCLUDING = (
    ("allowoverwrite", "cleanpath"), ("gzip", "bzip2"), ("gzip", "zstd"), ("bzip2", "zstd"),
)  # fmt: skip


def read_unload(words: Words) -> Unload:
    """UNLOAD's text after the word itself."""
    words.expect("(")
    select = _select(words)
    words.expect(")")
    words.expect("to")
    address = words.string()
    if not address.startswith("s3://"):
        raise refuse(f"UNLOAD to {address[:200]!r}", "give an address s3://bucket/prefix")
    format_, role = "text", ""
    options: dict[str, Any] = {}
    while not words.done:
        named = authorization(words)
        if named == "keys":
            raise refuse("keys written into SQL", "write iam_role default or iam_role 'arn:…'")
        if named is not None:
            role = named
        elif words.take("format"):
            words.take("as")
            format_ = _format(words)
        elif words.peek("parquet") or words.peek("csv"):
            format_ = _format(words)
        else:
            _option(words, options)
    _check(format_, options)
    if not role:
        raise RedshiftError("XX000", "CREDENTIALS argument is required but not supplied")
    return Unload(select, address, format_, None if role == "default" else role, options)


def _select(words: Words) -> str:
    r"""The query, in which `''` and `\'` are one quote."""
    word = words.next()
    if word.kind != "string":
        words.at -= 1
        raise words.error("a query in single quotes expected")
    if word.text.startswith("$$"):
        return word.text[2:-2]
    return word.text[1:-1].replace("\\'", "'").replace("''", "'").replace("\\\\", "\\")


def _format(words: Words) -> str:
    for name in ("parquet", "csv"):
        if words.take(name):
            return name
    if words.take("text"):
        return "text"
    word = words.next()
    words.at -= 1
    if word.lower in _REFUSED:
        raise refuse(
            f"UNLOAD of the format {word.text}", "there are parquet, csv and delimited text"
        )
    raise words.error("a format expected")


def _option(words: Words, options: dict[str, Any]) -> None:
    word = words.next()
    if word.lower in _REFUSED:
        raise refuse(
            f"UNLOAD with {word.text}", "leave it out; the store encrypts by its own settings"
        )
    if word.lower not in OPTIONS:
        words.at -= 1
        raise words.error("an option of UNLOAD expected")
    if word.lower in options:
        raise RedshiftError(
            "42601", f"conflicting or redundant options: {word.lower} is given twice"
        )
    options[word.lower] = OPTIONS[word.lower](words)


def _check(format_: str, options: dict[str, Any]) -> None:
    for one, other in _EXCLUDING:
        if one in options and other in options:
            raise RedshiftError("0A000", f"{other.upper()} is not supported with {one.upper()}")
    if format_ == "parquet":
        for name in _NOT_PARQUET:
            if name in options:
                word = "NULL AS" if name == "null" else name.upper()
                raise RedshiftError("0A000", f"{word} is not supported for UNLOAD to PARQUET")
    elif "rowgroupsize" in options:
        raise RedshiftError("0A000", "ROWGROUPSIZE is only supported for UNLOAD to PARQUET")
    if format_ == "csv":
        for name in ("addquotes", "escape"):
            if name in options:
                raise RedshiftError("0A000", f"{name.upper()} option is not supported with CSV")
    _check_sizes(options)


def _check_sizes(options: dict[str, Any]) -> None:
    size = options.get("maxfilesize")
    if size is not None and not 5 <= size <= _LARGEST_FILE:
        raise RedshiftError("22023", "MAXFILESIZE must be between 5 MB and 6.2 GB")
    rows = options.get("rowgroupsize")
    if rows is not None and not 32 <= rows <= 128:
        raise RedshiftError("22023", "ROWGROUPSIZE must be between 32 MB and 128 MB")
