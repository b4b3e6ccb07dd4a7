"""Columns in DDL: types, nulls, defaults, keys. Which statement they stand in: `ddl`, `alter`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orderhe_dagster.redshift_standin.casts import assign
from orderhe_dagster.redshift_standin.catalog import Catalog, Column
from orderhe_dagster.redshift_standin.dialect import quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.forms import parse
from orderhe_dagster.redshift_standin.scope import Scope
from orderhe_dagster.redshift_standin.translate import Translator
from orderhe_dagster.redshift_standin.types import Type, parse_type
from orderhe_dagster.redshift_standin.words import Words

_ENCODINGS_TEXT = """
    az64 auto bytedict delta delta32k lzo mostly8 mostly16 mostly32 raw runlength text255 text32k
    zstd
"""
_ENCODINGS = frozenset(_ENCODINGS_TEXT.split())
Attributes = dict[str, Any]


class ColumnReader:
    """Reads a column's definition. `translator(True)` translates what is kept, such as a default."""

    def __init__(self, catalog: Catalog, translator: Callable[[bool], Translator]) -> None:
        self.catalog, self.translator = catalog, translator

    def _references(self, words: Words) -> None:
        words.expect("references")
        self.catalog.table(*words.table())
        if words.peek("("):
            words.names()

    def _type(self, words: Words) -> Type:
        text = words.next().lower
        if text in ("double", "character", "binary"):
            text += f" {words.next().lower}"
        if words.peek("("):
            text += f"({words.brackets()})"
        if text == "timestamp" and (words.peek("with") or words.peek("without")):
            text += f" {words.next().lower} time zone"
            words.expect("time", "zone")
        return parse_type(text)

    def _column(self, words: Words, attributes: Attributes) -> Column:
        name = words.name()
        column = Column(name, self._type(words))
        while not words.done and not words.peek(",") and not words.peek(")"):
            if words.take("not", "null"):
                column = replace(column, nullable=False)
            elif words.take("null"):
                pass
            elif words.take("default"):
                column = replace(column, default=self._default(words, column))
            elif words.take("encode"):
                if words.next().lower not in _ENCODINGS:
                    words.at -= 1
                    raise words.error("an encoding expected")
            elif words.take("distkey"):
                attributes["distkey"] = name
            elif words.take("sortkey"):
                attributes.setdefault("sortkey", []).append(name)
            elif words.take("primary", "key"):
                column = replace(column, nullable=False)
            elif words.take("unique"):
                pass
            elif words.peek("references"):
                self._references(words)
            else:
                raise refuse(f"{words.next().text} on the column {name}", "leave it out")
        return column

    def _default(self, words: Words, column: Column) -> str:
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
        value = self.translator(True).value(parse(f"select {text}").expressions[0], Scope({}))
        return assign(value, column.type, column.name)


def definition(column: Column) -> str:
    """A column as DuckDB's CREATE TABLE has it."""
    text = f"{quote(column.name)} {column.type.carrier}"
    if column.default is not None:
        text += f" DEFAULT {column.default}"
    return text if column.nullable else f"{text} NOT NULL"


def check_names(table: str, columns: Any) -> None:
    """A table has columns, and each name once. RedshiftError 42701."""
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise RedshiftError("42701", f'column "{name}" specified more than once in {table}')
    if not names:
        raise RedshiftError("42601", f"{table} has no columns")
