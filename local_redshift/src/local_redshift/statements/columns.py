"""Columns in DDL: types, nulls, defaults, keys. Which statement they stand in: `ddl`, `alter`."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any
from uuid import uuid4

from local_redshift.compile.protocol import Compiler
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote, string
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.values.catalog import Catalog, Column, path
from local_redshift.values.client_types import format_type
from local_redshift.values.scope import Query, Scope
from local_redshift.values.types import UNSUPPORTED, Type, certain, parse_type
from local_redshift.values.uses import Uses

_ENCODINGS_TEXT = """
    az64 auto bytedict delta delta32k lzo mostly8 mostly16 mostly32 raw runlength text255 text32k
    zstd
"""
ENCODINGS = frozenset(_ENCODINGS_TEXT.split())
_WITHOUT_EFFECT = (
    ("sortkey", "auto"),
    ("sortkey", "none"),
    ("backup", "yes"),
    ("backup", "no"),
    ("encode", "auto"),
)
Attributes = dict[str, Any]


@dataclass(frozen=True)
class Reader:
    """What a definition is read with: the relations there are, and compilers of queries.

    `compiler(True)` compiles what is kept, such as a default: the clock is read when it runs.
    """

    catalog: Catalog
    compiler: Callable[[bool], Compiler]


def place(reader: Reader, words: Words, temporary: bool) -> tuple[str | None, str]:
    """The schema and name under which something new is made."""
    schema, name = words.table()
    if temporary or name.startswith("#"):
        if schema is not None:
            raise RedshiftError("42P16", "temporary tables cannot specify a schema name")
        return None, name
    schema = schema or reader.catalog.search_path[0]
    if schema not in reader.catalog.schemas:
        raise RedshiftError("3F000", f'schema "{schema}" does not exist')
    return schema, name


def _references(reader: Reader, words: Words) -> None:
    words.expect("references")
    reader.catalog.table(*words.table())
    if words.peek("("):
        words.names()


def read_type(words: Words) -> Type:
    """The name of a type, of one word or several."""
    text = words.next().lower
    if text == "double":
        words.expect("precision")
    elif text in ("character", "binary") and words.take("varying"):
        text += " varying"
    if words.peek("("):
        text += f"({words.brackets()})"
    if text in ("timestamp", "time") and (words.peek("with") or words.peek("without")):
        text += f" {words.next().lower} time zone"
        words.expect("time", "zone")
    return parse_type(text)


def _supported(words: Words, column: str) -> Type:
    """The type of a column; Redshift's own words where it is one of PostgreSQL's that it has not."""
    text = "".join(word.text for word in words.words[words.at : words.at + 1]).lower()
    known = None
    if text not in UNSUPPORTED:
        known = read_type(words)
    else:
        words.at += 1
        text = "bit varying" if text == "varbit" or words.take("varying") else text
        if words.peek("("):
            words.brackets()
    array = words.take("[")
    if array:
        while not words.done and not words.peek(",") and not words.peek(")"):
            words.at += 1
    if known is not None and not array:
        return known
    shown = format_type(known).partition("(")[0] if known is not None else text
    raise RedshiftError(
        "0A000", f'Column "{column}" has unsupported type "{shown}{"[]" if array else ""}".'
    )


def read_column(reader: Reader, words: Words, attributes: Attributes, table: str) -> Column:
    """A column's definition; what it says of the table goes into the table's attributes."""
    name = words.name()
    column = Column(name, _supported(words, f"{table}.{name}"))
    while not words.done and not words.peek(",") and not words.peek(")"):
        if words.take("not", "null"):
            column = replace(column, nullable=False)
        elif words.take("null"):
            pass
        elif words.take("default"):
            column = replace(column, default=_default(reader, words, column, attributes))
        elif words.take("encode"):
            read_encoding(words)
        elif words.take("distkey"):
            attributes["distkey"] = name
        elif words.take("sortkey"):
            attributes.setdefault("sortkey", []).append(name)
        elif words.peek("identity") or words.peek("generated"):
            column = _identity(words, column, attributes)
        elif words.take("primary", "key"):
            column = replace(column, nullable=False)
            _keep(attributes, f"{table}_pkey", "primary key", [name])
        elif words.take("unique"):
            _keep(attributes, f"{table}_{name}_key", "unique", [name])
        elif words.peek("references"):
            _references(reader, words)
            _keep(attributes, f"{table}_{name}_fkey", "foreign key", [name])
        else:
            raise refuse(f"{words.next().text} on the column {name}", "leave it out")
    return column


def read_encoding(words: Words) -> None:
    """The name of an encoding; there are none here."""
    if words.next().lower not in ENCODINGS:
        words.at -= 1
        raise words.error("an encoding expected")


def _identity(words: Words, column: Column, attributes: Attributes) -> Column:
    """IDENTITY (seed, step), or GENERATED BY DEFAULT AS IDENTITY: numbers from a sequence."""
    always = not words.take("generated", "by", "default", "as")
    if words.peek("identity") and not words.peek("identity", "("):
        raise refuse("an identity without its numbers", "write identity (1, 1)")
    words.expect("identity", "(")
    numbers = [_whole_number(words)]
    words.expect(",")
    numbers.append(_whole_number(words))
    words.expect(")")
    seed, step = numbers
    if column.type.kind not in ("integer", "bigint"):
        raise RedshiftError("42601", f"an identity column must be int or bigint: {column.name}")
    if attributes.get("identity") or step == 0:
        raise refuse(f"the identity column {column.name}", "a table has one, its step is not 0")
    if column.default is not None:
        raise RedshiftError("42601", f"{column.name} cannot have a default and be an identity")
    sequence = path("main", f"identity_{uuid4().hex}")
    attributes["identity"] = {
        column.name: {"seed": seed, "step": step, "always": always, "sequence": sequence}
    }
    _note_udfs(attributes, Uses())
    return replace(column, nullable=False, default=f"nextval({string(sequence)})")


def _whole_number(words: Words) -> int:
    sign = -1 if words.take("-") else 1
    word = words.next()
    if not word.text.isdigit():
        words.at -= 1
        raise words.error("a whole number expected")
    return sign * int(word.text)


def read_constraint(reader: Reader, words: Words, attributes: Attributes, table: str) -> None:
    """A key of the table: Redshift does not enforce it, so it is kept and no more."""
    called = words.name() if words.take("constraint") else ""
    if words.take("primary", "key"):
        kind, named = "primary key", words.names()
        called = called or f"{table}_pkey"
    elif words.take("unique"):
        kind, named = "unique", words.names()
        called = called or f"{table}_{'_'.join(named)}_key"
    elif words.take("foreign", "key"):
        kind, named = "foreign key", words.names()
        _references(reader, words)
        called = called or f"{table}_{'_'.join(named)}_fkey"
    else:
        raise refuse("a check constraint", "Redshift has none")
    _keep(attributes, called, kind, named)


def _default(reader: Reader, words: Words, column: Column, attributes: Attributes) -> str:
    start, depth = words.at, 0
    stops = {",", ")", "not", "null", "encode", "distkey", "sortkey", "primary", "unique"}
    while not words.done:
        word = words.words[words.at].lower
        if depth == 0 and words.at > start and word in stops:
            break
        depth += {"(": 1, ")": -1}.get(word, 0)
        words.at += 1
    inside = words.words[start : words.at]
    text = words.sql[inside[0].start : inside[-1].end] if inside else ""
    compiler = reader.compiler(True)
    value = compiler.value(parse(f"select {text}").expressions[0], Scope({}))
    text = compiler.assign(value, column.type, column.name)
    _note_udfs(attributes, compiler.uses)
    return text


def _note_udfs(attributes: Attributes, uses: Uses) -> None:
    """A default is a text that is kept: what it calls must be known wherever it is computed."""
    attributes["udfs"] = sorted({*attributes.get("udfs", ()), *uses.udfs})


def _keep(attributes: Attributes, called: str, kind: str, columns: list[str]) -> None:
    known = attributes.setdefault("constraints", [])
    if kind == "primary key" and any(one[1] == kind for one in known):
        raise RedshiftError("42P16", "multiple primary keys for a table are not allowed")
    if any(one[0] == called for one in known):
        raise RedshiftError("42710", f'constraint "{called}" already exists')
    known.append([called, kind, columns])


def definition(column: Column) -> str:
    """A column as DuckDB's CREATE TABLE has it."""
    text = f"{quote(column.name)} {column.type.carrier}"
    if column.default is not None:
        text += f" DEFAULT {column.default}"
    return text if column.nullable else f"{text} NOT NULL"


def check_names(table: str, columns: Sequence[Column]) -> None:
    """A table has columns, and each name once. RedshiftError 42701."""
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise RedshiftError("42701", f'column "{name}" specified more than once in {table}')
    if not names:
        raise RedshiftError("42601", f"{table} has no columns")


def check_keys(table: str, columns: Sequence[Column], attributes: Attributes) -> None:
    """What a key names is a column. RedshiftError 42703."""
    names = {column.name for column in columns}
    constrained = [key for one in attributes.get("constraints", []) for key in one[2]]
    for key in (attributes.get("distkey"), *attributes.get("sortkey", []), *constrained):
        if key is not None and key not in names:
            raise RedshiftError("42703", f'column "{key}" named in key does not exist in {table}')


def read_attributes(words: Words, attributes: Attributes) -> None:
    """What stands behind the columns: distribution, order, backup, encoding."""
    while not words.done and not words.peek("as") and not words.peek("auto", "refresh"):
        if words.take("diststyle"):
            style = words.next().lower
            if style not in ("even", "all", "key", "auto"):
                raise words.error("even, all, key or auto expected")
            attributes["diststyle"] = style
        elif words.take("distkey"):
            (attributes["distkey"],) = _keys(words)
        elif any(words.take(*form) for form in _WITHOUT_EFFECT):
            pass
        elif words.take("compound", "sortkey") or words.take("sortkey"):
            attributes["sortkey"] = _keys(words)
        elif words.take("interleaved", "sortkey"):
            attributes["sortkey"] = _keys(words)
            attributes["interleaved"] = True
        else:
            raise words.error("a table attribute expected")
    if attributes.get("diststyle") == "key" and "distkey" not in attributes:
        raise RedshiftError("42601", "DISTSTYLE KEY needs a DISTKEY")
    if "distkey" in attributes and attributes.get("diststyle", "key") != "key":
        raise RedshiftError("42601", "DISTKEY goes with DISTSTYLE KEY only")


def _keys(words: Words) -> list[Any]:
    """Names in brackets; before AS a column may be given by its place, see `name_keys`."""
    if words.peek("(") and words.words[words.at + 1 : words.at + 2]:
        places = words.words[words.at + 1 :: 2]
        count = next((at for at, word in enumerate(places) if not word.text.isdigit()), 0)
        if count and words.words[words.at + 2 * count].lower == ")":
            words.at += 2 * count + 1
            return [int(word.text) for word in places[:count]]
    return words.names()


def name_keys(attributes: Attributes, columns: Sequence[Column], of_query: bool) -> None:
    """Put names where the keys of a table made by a query were given by their places."""

    def named(key: Any) -> Any:
        if not isinstance(key, int):
            return key
        if not of_query or not 1 <= key <= len(columns):
            raise RedshiftError("42601", f"syntax error: {key} is not the place of a column")
        return columns[key - 1].name

    if "distkey" in attributes:
        attributes["distkey"] = named(attributes["distkey"])
    if "sortkey" in attributes:
        attributes["sortkey"] = [named(key) for key in attributes["sortkey"]]


def query_columns(query: Query, named: list[str]) -> list[Column]:
    """The columns that a query gives to a table or view, under the names that were given."""
    if len(named) > len(query.columns):
        raise RedshiftError("42601", "more names of columns are given than the query has columns")
    labels = [*named, *(label for label, _ in query.columns[len(named) :])]
    columns = []
    for label, (_, type_) in zip(labels, query.columns, strict=True):
        certain(type_, f"{label}:")
        if type_.doubt == "leader":
            raise refuse("current_timestamp in a table or view", "use getdate() or sysdate")
        columns.append(Column(label, type_))
    return columns
