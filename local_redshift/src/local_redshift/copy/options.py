"""COPY's text: the table, its columns, where the files are, and every option by name. Nothing is loaded.

An option that has no rule here, or that Redshift does not take with the format, is refused by name.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from local_redshift.database.load_errors import blocked
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.words import Words
from local_redshift.values.catalog import Catalog, Column, Relation


@dataclass(frozen=True)
class Copy:
    """A COPY as read. `role` None: the default role; `options`: the values of those that were given."""

    table: Relation
    columns: tuple[Column, ...]
    address: str
    format: str  # text, csv, json or parquet
    role: str | None
    options: dict[str, Any] = field(default_factory=dict)

    def __getitem__(self, option: str) -> Any:
        return self.options.get(option)


Reader = Callable[[Words], Any]


def flag(words: Words) -> Any:
    """An option without a value."""
    return True


def as_text(words: Words) -> Any:
    """[AS] and a text."""
    words.take("as")
    return literal(words)


def as_character(words: Words) -> Any:
    """[AS] and a single character."""
    words.take("as")
    return character(words)


def _number(words: Words) -> Any:
    words.take("as")
    word = words.next()
    if not word.text.isdigit():
        words.at -= 1
        raise words.error("a whole number expected")
    return int(word.text)


def on_off(words: Words) -> Any:
    """ON, TRUE, OFF, FALSE or nothing, which is on."""
    if words.take("off") or words.take("false"):
        return False
    _ = words.take("on") or words.take("true")
    return True


def _compupdate(words: Words) -> Any:
    return "preset" if words.take("preset") else on_off(words)


def _invalid_characters(words: Words) -> Any:
    words.take("as")
    if words.done or words.words[words.at].kind != "string":
        return "?"
    return character(words)


def _csv(words: Words) -> Any:
    return as_character(words) if words.take("quote") else '"'


def _encoding(words: Words) -> Any:
    words.take("as")
    word = words.next()
    encoding = (word.text.strip("'") if word.kind == "string" else word.text).lower()
    if encoding not in ("utf8", "utf16", "utf16le", "utf16be"):
        raise refuse(f"encoding {encoding[:40]}", "there are utf8, utf16, utf16le and utf16be")
    return encoding


def literal(words: Words) -> str:
    r"""A string, in which Redshift reads `\\` as `\`; other backslashes stay as they are."""
    word = words.next()
    if word.kind != "string":
        words.at -= 1
        raise words.error("a string in single quotes expected")
    if word.text.startswith("$$"):
        return word.text[2:-2]
    return word.text[1:-1].replace("''", "'").replace("\\\\", "\\")


def character(words: Words) -> str:
    r"""One ASCII character: itself, `\t`, or an octal number as `\001`."""
    sign = literal(words)
    if sign == "\\t":
        return "\t"
    if re.fullmatch(r"\\[0-7]{3}", sign):
        sign = chr(int(sign[1:], 8))
    if len(sign) != 1 or not sign.isascii() or sign in "\r\n\0":
        words.at -= 1
        raise words.error("one ASCII character expected")
    return sign


def _null(words: Words) -> Any:
    words.take("as")
    text = literal(words)
    if text in ("\\0", "\\000"):
        return "\0"
    if "\\" in text and text != "\\N":
        raise refuse(f"null as {text!r}", r"write '\N', '\0' or a text without backslashes")
    return text


OPTIONS: dict[str, Reader] = {
    "acceptanydate": flag,
    "acceptinvchars": _invalid_characters,
    "blanksasnull": flag,
    "bzip2": flag,
    "comprows": _number,
    "compupdate": _compupdate,
    "csv": _csv,
    "dateformat": as_text,
    "delimiter": as_character,
    "emptyasnull": flag,
    "encoding": _encoding,
    "escape": flag,
    "explicit_ids": flag,
    "fillrecord": flag,
    "gzip": flag,
    "ignoreallerrors": flag,
    "ignoreblanklines": flag,
    "ignoreheader": _number,
    "manifest": flag,
    "maxerror": _number,
    "noload": flag,
    "null": _null,
    "quote": as_character,
    "region": as_text,
    "removequotes": flag,
    "roundec": flag,
    "serializetojson": flag,
    "statupdate": on_off,
    "timeformat": as_text,
    "trimblanks": flag,
    "truncatecolumns": flag,
    "zstd": flag,
}
WITH_PARQUET = frozenset(
    ("fillrecord", "manifest", "statupdate", "explicit_ids", "serializetojson", "acceptinvchars")
)
"""What Amazon lists as allowed with columnar formats, beside authorization."""
_EXCLUDING = (
    ("csv", "removequotes"), ("csv", "escape"), ("csv", "fixedwidth"),
    ("maxerror", "ignoreallerrors"), ("gzip", "bzip2"), ("gzip", "zstd"), ("bzip2", "zstd"),
)  # fmt: skip
_OTHER_FORMATS = (
    "avro",
    "fixedwidth",
    "json",
    "orc",
    "shapefile",
    "lzop",
    "rcfile",
    "sequencefile",
)
_OTHERS = ("auto", "encrypted", "job", "master_symmetric_key", "readratio", "ssh")
"""Further options of Amazon's list r_COPY-alphabetical-parm-list."""
_KEYS = ("access_key_id", "secret_access_key", "session_token", "credentials")
_NO_KEYS = "COPY from this file format only accepts IAM_ROLE credentials."


def read_copy(words: Words, catalog: Catalog) -> Copy:
    """COPY's text after the word itself."""
    schema, name = words.table()
    table = catalog.find(schema, name)
    if table is None or table.is_view:
        raise RedshiftError("XX000", f"Cannot COPY into nonexistent table {name}")
    listed = words.names() if words.peek("(") else None
    words.expect("from")
    if words.peek("stdin"):
        raise refuse("COPY from the client", "put the rows on S3, as Redshift wants it")
    address = words.string()
    if not address.startswith("s3://"):
        raise refuse(f"COPY from {address[:200]!r}", "give an address s3://bucket/key")
    format_, roles, options = _clauses(words)
    _check(format_, options)
    role = _role(format_, roles)
    columns = _columns(table, listed, "explicit_ids" in options)
    return Copy(table, columns, address, format_, None if role == "default" else role, options)


def _clauses(words: Words) -> tuple[str, list[str], dict[str, Any]]:
    """Format, authorizations and options, which stand in any order."""
    format_, roles = "text", []
    options: dict[str, Any] = {}
    while not words.done:
        role = authorization(words)
        if role is not None:
            roles.append(role)
        elif words.take("format"):
            words.take("as")
            format_ = _format(words, options)
        elif words.peek("parquet") or words.peek("csv"):
            format_ = _format(words, options)
        else:
            _option(words, options)
    return format_, roles, options


def _role(format_: str, roles: list[str]) -> str:
    """The last role of these authorizations; keys are refused, each format in its own words."""
    keys = "keys" in roles
    role = next((one for one in reversed(roles) if one != "keys"), "")
    if format_ == "parquet" and (keys or not role):
        raise blocked(_NO_KEYS, 8001, "iam_role")
    if keys:
        raise refuse("keys written into SQL", "write iam_role default or iam_role 'arn:…'")
    if not role:
        raise RedshiftError("XX000", "CREDENTIALS argument is required but not supplied")
    return role


def authorization(words: Words) -> str | None:
    """A role's ARN, `default`, or `keys`, if an authorization is next. The keys are not kept."""
    if words.take("iam_role"):
        if words.take("default"):
            return "default"
        arn = words.string()
        if arn.lower() != "default" and not re.fullmatch(r"arn:aws[\w-]*:iam::\d*:role/\S+", arn):
            raise refuse("that iam_role", "write default or 'arn:aws:iam::<account>:role/<name>'")
        return arn
    start = words.at
    words.take("with")
    if not any(words.peek(key) for key in _KEYS):
        words.at = start
        return None
    word = words.next()
    words.take("as")
    value = words.string()
    if word.lower == "credentials" and (role := re.fullmatch(r"aws_iam_role=(\S+)", value)):
        return role[1]
    return "keys"


def _format(words: Words, options: dict[str, Any]) -> str:
    if words.take("parquet"):
        return "parquet"
    if words.take("csv"):
        options["csv"] = _csv(words)
        return "csv"
    word = words.next()
    words.at -= 1
    if word.lower in _OTHER_FORMATS:
        raise refuse(f"COPY of the format {word.text}", "there are parquet, csv and delimited text")
    raise words.error("a format expected")


def _option(words: Words, options: dict[str, Any]) -> None:
    word = words.next()
    name = word.lower
    if name in _OTHER_FORMATS:
        raise refuse(f"COPY with {word.text}", "there are parquet, csv and delimited text")
    if name in _OTHERS:
        raise refuse(f"COPY with {word.text}", "load files that lie on S3 as they are to be read")
    if name not in OPTIONS:
        words.at -= 1
        raise words.error("an option of COPY expected")
    if name in options:
        raise RedshiftError("42601", f"conflicting or redundant options: {name} is given twice")
    options[name] = OPTIONS[name](words)


def _check(format_: str, options: dict[str, Any]) -> None:
    for one, other in _EXCLUDING:
        if one in options and other in options:
            raise RedshiftError(
                "0A000", f"{other.upper()} option is not supported with {one.upper()}"
            )
    if format_ == "parquet":
        for name in options:
            if name not in WITH_PARQUET:
                raise RedshiftError(
                    "0A000", f"{name.upper()} argument is not supported for PARQUET based COPY"
                )
        if "acceptinvchars" in options:
            raise refuse("acceptinvchars with parquet", "write valid UTF-8 into the files")
    elif "quote" in options and format_ != "csv":
        raise RedshiftError("0A000", "QUOTE is only supported with CSV")
    elif "serializetojson" in options:
        raise RedshiftError("0A000", "SERIALIZETOJSON is only supported for columnar formats")
    if not 0 <= options.get("maxerror", 0) <= 100_000:
        raise RedshiftError("22023", "MAXERROR must be between 0 and 100000")


def _columns(table: Relation, names: list[str] | None, explicit: bool) -> tuple[Column, ...]:
    """The columns that the files hold: without a list all but identities, with EXPLICIT_IDS all."""
    identities = table.attributes.get("identity", {})
    if names is None:
        return tuple(c for c in table.columns if explicit or c.name not in identities)
    fixed = [name for name in names if identities.get(name, {}).get("always")]
    if fixed and not explicit:
        raise RedshiftError(
            "0A000", f"cannot set an identity column to a value: {fixed[0]}: write EXPLICIT_IDS"
        )
    known = {column.name: column for column in table.columns}
    for name in names:
        if name not in known:
            raise RedshiftError("42703", f'column "{name}" of relation "{table}" does not exist')
    if len(set(names)) < len(names):
        raise RedshiftError("42701", "a column is named twice in the list of columns")
    return tuple(known[name] for name in names)
