"""CREATE: Redshift's text to DuckDB statements, its attributes to the catalog. ALTER, DROP: `alter`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from orderhe_dagster.redshift_standin.catalog import DATABASE, Column, Relation, comment
from orderhe_dagster.redshift_standin.columns import (
    Attributes,
    ColumnReader,
    check_names,
    definition,
)
from orderhe_dagster.redshift_standin.dialect import quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.forms import parse
from orderhe_dagster.redshift_standin.scope import Query
from orderhe_dagster.redshift_standin.types import certain
from orderhe_dagster.redshift_standin.words import Words


class Definitions(ColumnReader):
    """Reads one DDL statement after its first word and gives the DuckDB statements it means."""

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
        check_names(name, columns)
        keys = (*attributes.get("sortkey", []), *attributes.pop("keys", []))
        for key in (attributes.get("distkey"), *keys):
            if key is not None and key not in [column.name for column in columns]:
                raise RedshiftError(
                    "42703", f'column "{key}" named in key does not exist in {name}'
                )
        if there is not None:
            return []
        table = Relation(schema, name, tuple(columns), False, attributes)
        made = ", ".join(map(definition, columns))
        word = "CREATE TEMP TABLE" if temporary else "CREATE TABLE"
        statements = [f"{word} {table.sql} ({made})", comment(table)]
        if query is not None:
            statements.append(f"INSERT INTO {table.sql} {query.sql}")
        return statements

    def _as(self, words: Words) -> Query:
        query = self.translator(False).query(parse(words.rest()), None, {})
        for label, type_ in query.columns:
            certain(type_, f"{label}:")
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
                attributes.setdefault("keys", []).extend(self._constraint(words))
            else:
                columns.append(self._column(words, attributes))
            if not words.take(","):
                break
        words.expect(")")

    def _constraint(self, words: Words) -> list[str]:
        """A key of the table: Redshift does not enforce it, so it is read and left. Its columns."""
        if words.take("constraint"):
            words.name()
        if words.take("primary", "key") or words.take("unique"):
            return words.names()
        if words.take("foreign", "key"):
            named = words.names()
            self._references(words)
            return named
        raise refuse("a check constraint", "Redshift has none")

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
        check_names(name, columns)
        for column in columns:
            certain(column.type, f"{column.name}:")
        view = Relation(schema, name, tuple(columns), True, {"reads": sorted(reads)})
        listed = ", ".join(quote(label) for label in labels)
        return [f"CREATE OR REPLACE VIEW {view.sql}({listed}) AS {query.sql}", comment(view)]
