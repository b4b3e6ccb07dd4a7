"""CREATE, ALTER and DROP: Redshift's text to DuckDB statements, its attributes to the catalog."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from orderhe_dagster.redshift_standin.casts import Value, assign
from orderhe_dagster.redshift_standin.catalog import DATABASE, Catalog, Column, Relation, comment
from orderhe_dagster.redshift_standin.dialect import parse, quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.scope import Query, Scope
from orderhe_dagster.redshift_standin.translate import Translator
from orderhe_dagster.redshift_standin.types import Type, parse_type
from orderhe_dagster.redshift_standin.words import Words

_ENCODINGS_TEXT = """
    az64 auto bytedict delta delta32k lzo mostly8 mostly16 mostly32 raw runlength text255 text32k
    zstd
"""
_ENCODINGS = frozenset(_ENCODINGS_TEXT.split())
Attributes = dict[str, Any]


class Definitions:
    """Reads one DDL statement after its first word and gives the DuckDB statements it means."""

    def __init__(self, catalog: Catalog, translator: Callable[[bool], Translator]) -> None:
        self.catalog, self.translator = catalog, translator

    # -- create ------------------------------------------------------------------------------------

    def create(self, words: Words) -> list[str]:
        """CREATE SCHEMA, TABLE or VIEW."""
        if words.take("schema"):
            return self._schema(words)
        if words.peek("view") or words.peek("or", "replace", "view"):
            return self._view(words)
        words.take("local")
        temporary = words.take("temp") or words.take("temporary")
        if words.take("table"):
            return self._table(words, temporary)
        what = " ".join(word.text for word in words.words[:3])
        raise refuse(f"the statement {what}", "there are create schema, table and view")

    def _schema(self, words: Words) -> list[str]:
        lenient = words.take("if", "not", "exists")
        schema = words.name()
        if words.take("authorization"):
            words.name()
        words.end()
        if schema in self.catalog.schemas:
            if lenient:
                return []
            raise RedshiftError("42P06", f'Schema "{schema}" already exists')
        if schema in ("main", "information_schema", "temp") or schema.startswith("pg_"):
            raise RedshiftError("42939", f'unacceptable schema name "{schema}"')
        return [f"CREATE SCHEMA {quote(DATABASE)}.{quote(schema)}"]

    def _place(self, words: Words, temporary: bool) -> tuple[str | None, str]:
        """The schema and name under which something new is made."""
        schema, name = words.table()
        if temporary:
            if schema is not None:
                raise RedshiftError("42P16", "temporary tables cannot specify a schema name")
            return None, name
        schema = schema or self.catalog.search_path[0]
        if schema not in self.catalog.schemas:
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
        return schema, name

    def _table(self, words: Words, temporary: bool) -> list[str]:
        lenient = words.take("if", "not", "exists")
        schema, name = self._place(words, temporary)
        there = self.catalog.relations.get((schema, name))
        if there is not None and not lenient:
            raise RedshiftError("42P07", f'Relation "{name}" already exists')
        columns: list[Column] = []
        attributes: Attributes = {}
        if words.peek("(", "like"):
            columns = self._like(words)
        elif words.peek("(") and not words.peek("(", "select") and not words.peek("(", "with"):
            words.expect("(")
            self._columns(words, columns, attributes)
        self._attributes(words, attributes)
        query = self._as(words) if words.take("as") else None
        words.end()
        if query is not None:
            if columns:
                raise refuse("create table (columns) as select", "name the columns in the select")
            columns = [Column(label, type_) for label, type_ in query.columns]
        _distinct(name, columns)
        for key in (attributes.get("distkey"), *attributes.get("sortkey", [])):
            if key is not None and key not in [column.name for column in columns]:
                raise RedshiftError(
                    "42703", f'column "{key}" named in key does not exist in {name}'
                )
        if there is not None:
            return []
        table = Relation(schema, name, tuple(columns), False, attributes)
        made = ", ".join(map(_definition, columns))
        word = "CREATE TEMP TABLE" if temporary else "CREATE TABLE"
        statements = [f"{word} {table.sql} ({made})", comment(table)]
        if query is not None:
            statements.append(f"INSERT INTO {table.sql} {query.sql}")
        return statements

    def _as(self, words: Words) -> Query:
        query = self.translator(False).query(parse(words.rest()), None, {})
        for label, _ in query.columns:
            if label == "?column?":
                raise RedshiftError(
                    "42601", "a column of create table as needs a name: add an alias"
                )
        return query

    def _like(self, words: Words) -> list[Column]:
        words.expect("(", "like")
        source = self.catalog.get(*words.table())
        defaults = words.take("including", "defaults")
        words.take("excluding", "defaults")
        words.expect(")")
        return [c if defaults else replace(c, default=None) for c in source.columns]

    def _columns(self, words: Words, columns: list[Column], attributes: Attributes) -> None:
        while True:
            if any(
                words.peek(word) for word in ("primary", "foreign", "unique", "constraint", "check")
            ):
                self._constraint(words)
            else:
                columns.append(self._column(words, attributes))
            if not words.take(","):
                break
        words.expect(")")

    def _constraint(self, words: Words) -> None:
        """A key of the table: Redshift does not enforce it, so it is read and left."""
        if words.take("constraint"):
            words.name()
        if words.take("primary", "key") or words.take("unique"):
            words.names()
        elif words.take("foreign", "key"):
            words.names()
            self._references(words)
        else:
            raise refuse("a check constraint", "Redshift has none")

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

    def _attributes(self, words: Words, attributes: Attributes) -> None:
        while not words.done and not words.peek("as"):
            if words.take("diststyle"):
                style = words.next().lower
                if style not in ("even", "all", "key", "auto"):
                    raise words.error("even, all, key or auto expected")
                attributes["diststyle"] = style
            elif words.take("distkey"):
                (attributes["distkey"],) = words.names()
            elif (
                words.take("sortkey", "auto")
                or words.take("sortkey", "none")
                or words.take("backup", "yes")
                or words.take("backup", "no")
            ):
                pass
            elif (
                words.take("compound", "sortkey")
                or words.take("sortkey")
                or words.take("interleaved", "sortkey")
            ):
                attributes["sortkey"] = words.names()
            elif words.take("encode", "auto"):
                pass
            else:
                raise words.error("a table attribute expected")
        if attributes.get("diststyle") == "key" and "distkey" not in attributes:
            raise RedshiftError("42601", "DISTSTYLE KEY needs a DISTKEY")
        if "distkey" in attributes and attributes.get("diststyle", "key") != "key":
            raise RedshiftError("42601", "DISTKEY goes with DISTSTYLE KEY only")

    def _view(self, words: Words) -> list[str]:
        replaced = words.take("or", "replace")
        words.expect("view")
        schema, name = self._place(words, False)
        there = self.catalog.relations.get((schema, name))
        if there is not None and not (replaced and there.is_view):
            raise RedshiftError("42P07", f'Relation "{name}" already exists')
        named = words.names() if words.peek("(") else []
        words.expect("as")
        text = words.rest()
        bound = Words(text)
        if [word.lower for word in bound.words[-4:]] == ["with", "no", "schema", "binding"]:
            raise refuse("a view with no schema binding", "leave it out: the tables are there")
        translator = self.translator(True)
        reads: set[str] = set()
        inner = translator.lookup

        def noting(at: str | None, table: str) -> Any:
            found = self.catalog.find(at, table)
            if found is None or found.schema is None:
                raise refuse(f"a view over {table}", "read a table that is there and not temporary")
            reads.add(str(found))
            return inner(at, table)

        translator.lookup = noting
        query = translator.query(parse(text), None, {})
        labels = [*named, *(label for label, _ in query.columns)][: len(query.columns)]
        columns = [
            Column(label, type_) for label, (_, type_) in zip(labels, query.columns, strict=True)
        ]
        _distinct(name, columns)
        view = Relation(schema, name, tuple(columns), True, {"reads": sorted(reads)})
        listed = ", ".join(quote(label) for label in labels)
        return [f"CREATE OR REPLACE VIEW {view.sql}({listed}) AS {query.sql}", comment(view)]

    # -- drop --------------------------------------------------------------------------------------

    def drop(self, words: Words) -> list[str]:
        """DROP TABLE, VIEW or SCHEMA."""
        if words.take("schema"):
            return self._drop_schema(words)
        is_view = words.peek("view")
        if not (words.take("table") or words.take("view")):
            raise refuse(f"drop {words.next().text}", "there are drop table, view and schema")
        lenient = words.take("if", "exists")
        wanted = [words.table()]
        while words.take(","):
            wanted.append(words.table())
        cascade = words.take("cascade")
        words.take("restrict")
        words.end()
        found = [
            self.catalog.find(*place) if lenient else self.catalog.get(*place) for place in wanted
        ]
        doomed = [relation for relation in found if relation is not None]
        statements: list[str] = []
        for relation in doomed:
            if relation.is_view != is_view:
                word = "view" if relation.is_view else "table"
                raise RedshiftError("42809", f'"{relation.name}" is a {word}: use drop {word}')
            statements += self._drop(relation, cascade, {str(other) for other in doomed})
        return list(dict.fromkeys(statements))

    def _drop(self, relation: Relation, cascade: bool, doomed: set[str]) -> list[str]:
        statements = []
        for view in self.catalog.views_on(relation):
            if view in doomed:
                continue
            if not cascade:
                raise RedshiftError(
                    "2BP01",
                    f"cannot drop {relation} because view {view} depends on it; "
                    "use drop … cascade to drop it too",
                )
            schema, name = view.split(".", 1)
            statements += self._drop(self.catalog.relations[schema, name], True, doomed)
        return [*statements, f"DROP {'VIEW' if relation.is_view else 'TABLE'} {relation.sql}"]

    def _drop_schema(self, words: Words) -> list[str]:
        lenient = words.take("if", "exists")
        schema = words.name()
        cascade = words.take("cascade")
        words.take("restrict")
        words.end()
        if schema not in self.catalog.schemas:
            if lenient:
                return []
            raise RedshiftError("3F000", f'schema "{schema}" does not exist')
        inside = [r for r in self.catalog.relations.values() if r.schema == schema]
        if inside and not cascade:
            raise RedshiftError(
                "2BP01", f"cannot drop schema {schema} because {inside[0]} is in it; use cascade"
            )
        doomed = {str(relation) for relation in inside}
        dropped = [text for r in inside for text in self._drop(r, True, doomed)]
        return [*dict.fromkeys(dropped), f"DROP SCHEMA {quote(DATABASE)}.{quote(schema)} CASCADE"]

    # -- alter -------------------------------------------------------------------------------------

    def alter(self, words: Words) -> list[str]:
        """ALTER TABLE: add, drop and rename columns, rename the table, widen a varchar."""
        if not words.take("table"):
            raise refuse(f"alter {words.next().text}", "there is alter table")
        table = self.catalog.table(*words.table())
        if views := self.catalog.views_on(table):
            raise RedshiftError(
                "2BP01", f"cannot alter {table} because view {views[0]} depends on it"
            )
        if words.take("rename", "to"):
            new = words.name()
            words.end()
            if (table.schema, new) in self.catalog.relations:
                raise RedshiftError("42P07", f'Relation "{new}" already exists')
            return [f"ALTER TABLE {table.sql} RENAME TO {quote(new)}"]
        if words.take("rename", "column"):
            return self._rename_column(words, table)
        if words.take("add"):
            return self._add_column(words, table)
        if words.take("drop"):
            return self._drop_column(words, table)
        if words.take("alter", "column"):
            return self._widen(words, table)
        raise refuse(
            f"alter table … {words.rest()[:40]}", "there are add, drop, rename and alter column"
        )

    def _known(self, table: Relation, name: str) -> Column:
        for column in table.columns:
            if column.name == name:
                return column
        raise RedshiftError("42703", f'column "{name}" of relation "{table}" does not exist')

    def _rename_column(self, words: Words, table: Relation) -> list[str]:
        old = self._known(table, words.name())
        words.expect("to")
        new = words.name()
        words.end()
        columns = [replace(c, name=new) if c is old else c for c in table.columns]
        _distinct(table.name, columns)
        attributes = dict(table.attributes)
        if attributes.get("distkey") == old.name:
            attributes["distkey"] = new
        if "sortkey" in attributes:
            attributes["sortkey"] = [new if k == old.name else k for k in attributes["sortkey"]]
        changed = replace(table, columns=tuple(columns), attributes=attributes)
        text = f"ALTER TABLE {table.sql} RENAME COLUMN {quote(old.name)} TO {quote(new)}"
        return [text, comment(changed)]

    def _add_column(self, words: Words, table: Relation) -> list[str]:
        words.take("column")
        column = self._column(words, {})
        words.end()
        if not column.nullable and column.default is None:
            raise RedshiftError(
                "42601", f'column "{column.name}" cannot be not null without a default'
            )
        if not column.nullable:
            raise refuse("add column … not null", "make the table anew: insert into it by select")
        columns = (*table.columns, column)
        _distinct(table.name, columns)
        text = f"ALTER TABLE {table.sql} ADD COLUMN {_definition(column)}"
        return [text, comment(replace(table, columns=columns))]

    def _drop_column(self, words: Words, table: Relation) -> list[str]:
        words.take("column")
        column = self._known(table, words.name())
        words.take("restrict")
        words.end()
        if column.name in (table.attributes.get("distkey"), *table.attributes.get("sortkey", [])):
            raise RedshiftError("0A000", f"cannot drop distkey or sortkey column {column.name}")
        left = tuple(other for other in table.columns if other is not column)
        if not left:
            raise RedshiftError("0A000", f"cannot drop the only column of {table}")
        text = f"ALTER TABLE {table.sql} DROP COLUMN {quote(column.name)}"
        return [text, comment(replace(table, columns=left))]

    def _widen(self, words: Words, table: Relation) -> list[str]:
        column = self._known(table, words.name())
        if not words.take("type"):
            raise refuse(f"alter column … {words.rest()[:40]}", "only the type can be altered")
        type_ = self._type(words)
        words.end()
        if column.type.kind != "varchar" or type_.kind != "varchar":
            raise RedshiftError("0A000", "only the length of a varchar column can be altered")
        if type_.length < column.type.length:
            raise refuse("a varchar made shorter", "make the table anew")
        columns = tuple(replace(c, type=type_) if c is column else c for c in table.columns)
        return [comment(replace(table, columns=columns))]


def _definition(column: Column) -> str:
    text = f"{quote(column.name)} {column.type.carrier}"
    if column.default is not None:
        text += f" DEFAULT {column.default}"
    return text if column.nullable else f"{text} NOT NULL"


def _distinct(table: str, columns: Any) -> None:
    names = [column.name for column in columns]
    for name in names:
        if names.count(name) > 1:
            raise RedshiftError("42701", f'column "{name}" specified more than once in {table}')
    if not names:
        raise RedshiftError("42601", f"{table} has no columns")


__all__ = ["Definitions", "Value"]
