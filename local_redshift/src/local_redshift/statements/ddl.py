"""CREATE of schemas and tables; their attributes go to the catalog. Views: `views`; users: `principals`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import folded, quote
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements import principals
from local_redshift.statements.columns import Attributes, check_names, definition
from local_redshift.statements.views import Views
from local_redshift.values.catalog import DATABASE, Column, Relation, comment


class Definitions(Views):
    """Reads one DDL statement after its first word and gives the DuckDB statements it means."""

    # -- create ------------------------------------------------------------------------------------

    def create(self, words: Words) -> list[str]:
        """CREATE SCHEMA, TABLE, VIEW, MATERIALIZED VIEW, USER, GROUP or ROLE."""
        if words.take("schema"):
            return self._schema(words)
        if words.peek("view") or words.peek("or", "replace", "view"):
            return self.view(words)
        if words.take("materialized", "view"):
            return self.materialized(words)
        if any(words.peek(kind) for kind in ("user", "group", "role")):
            return principals.create(words, self.catalog)
        words.take("local")
        temporary = words.take("temp") or words.take("temporary")
        if words.take("table"):
            return self._table(words, temporary)
        what = " ".join(word.text for word in words.words[:3])
        raise refuse(
            f"the statement {what}", "see local_redshift/docs/reference.md for what can be created"
        )

    def _schema(self, words: Words) -> list[str]:
        lenient = words.take("if", "not", "exists")
        schema = words.name()
        if words.take("authorization"):
            principals.check_principal(self.catalog, "user", words.name())
        if words.take("quota"):
            raise refuse("a quota of a schema", "leave it out")
        words.end()
        if schema in self.catalog.schemas:
            if lenient:
                return []
            raise RedshiftError("42P06", f'Schema "{schema}" already exists')
        if schema in ("main", "information_schema", "temp") or schema.startswith("pg_"):
            raise RedshiftError("42939", f'unacceptable schema name "{schema}"')
        return [f"CREATE SCHEMA {quote(DATABASE)}.{quote(schema)}"]

    def into(self, sql: str) -> list[str]:
        """SELECT … INTO [TEMP] [TABLE] name: CREATE TABLE AS in another order."""
        tree: Any = parse(sql)
        first = tree
        while first.key in ("union", "except", "intersect"):
            first = first.this
        into = first.args.get("into")
        if into is None or into.this.args.get("alias"):
            raise RedshiftError("42601", "syntax error at or near INTO: it follows the select list")
        first.set("into", None)
        schema, name = into.this.args.get("db"), folded(str(into.this.name))
        if into.args.get("temporary") or name.startswith("#"):
            if schema is not None:
                raise RedshiftError("42P16", "temporary tables cannot specify a schema name")
            place = None
        else:
            place = folded(str(schema.name)) if schema else self.catalog.search_path[0]
            if place not in self.catalog.schemas:
                raise RedshiftError("3F000", f'schema "{place}" does not exist')
        if (place, name) in self.catalog.relations:
            raise RedshiftError("42P07", f'Relation "{name}" already exists')
        query = self.selected(tree, [])
        columns = tuple(Column(label, type_) for label, type_ in query.columns)
        check_names(name, columns)
        return _made(Relation(place, name, columns), query.sql)

    def _table(self, words: Words, temporary: bool) -> list[str]:
        lenient = words.take("if", "not", "exists")
        schema, name = self._place(words, temporary)
        there = self.catalog.relations.get((schema, name))
        if there is not None and not lenient:
            raise RedshiftError("42P07", f'Relation "{name}" already exists')
        columns: list[Column] = []
        attributes: Attributes = {}
        named: list[str] = []
        if words.peek("(", "like"):
            columns = self._like(words, attributes)
            if not words.done:
                raise words.error("a table LIKE another takes its keys, and no attributes")
        elif [word.lower for word in words.words[words.at + 2 : words.at + 3]] in ([","], [")"]):
            named = words.names()
        elif words.take("("):
            self._columns(words, columns, attributes, name)
        self.attributes(words, attributes)
        query = None
        if named or not columns:
            words.expect("as")
            query = self.selected(parse(words.rest()), named)
            columns = [Column(label, type_) for label, type_ in query.columns]
        words.end()
        check_names(name, columns)
        primary = [one[2] for one in attributes.get("constraints", []) if one[1] == "primary key"]
        columns = [
            replace(c, nullable=False) if any(c.name in key for key in primary) else c
            for c in columns
        ]
        keys = [key for one in attributes.get("constraints", []) for key in one[2]]
        for key in (attributes.get("distkey"), *attributes.get("sortkey", []), *keys):
            if key is not None and key not in [column.name for column in columns]:
                raise RedshiftError(
                    "42703", f'column "{key}" named in key does not exist in {name}'
                )
        if there is not None:
            return []
        table = Relation(schema, name, tuple(columns), False, attributes)
        statements = _made(table, query.sql if query is not None else "")
        for one in attributes.get("identity", {}).values():
            statements.insert(
                0, f"CREATE SEQUENCE {one['sequence']} START {one['seed']} INCREMENT {one['step']}"
            )
        return statements

    def _like(self, words: Words, attributes: Attributes) -> list[Column]:
        """LIKE: columns, NOT NULL and the table's keys of distribution and order; no constraints."""
        words.expect("(", "like")
        source = self.catalog.get(*words.table())
        if source.attributes.get("identity"):
            raise refuse(f"a table like {source}, which has an identity", "list the columns")
        defaults = words.take("including", "defaults")
        words.take("excluding", "defaults")
        words.expect(")")
        for word in ("diststyle", "distkey", "sortkey", "interleaved"):
            if word in source.attributes:
                attributes[word] = source.attributes[word]
        return [c if defaults else replace(c, default=None) for c in source.columns]

    def _columns(
        self, words: Words, columns: list[Column], attributes: Attributes, table: str
    ) -> None:
        while True:
            if any(
                words.peek(word) for word in ("primary", "foreign", "unique", "constraint", "check")
            ):
                self._constraint(words, attributes, table)
            else:
                columns.append(self._column(words, attributes, table))
            if not words.take(","):
                break
        words.expect(")")


def _made(table: Relation, query: str) -> list[str]:
    """The statements that make a table, and fill it by the DuckDB text of a query."""
    word = "CREATE TEMP TABLE" if table.schema is None else "CREATE TABLE"
    made = ", ".join(map(definition, table.columns))
    statements = [f"{word} {table.sql} ({made})", comment(table)]
    return [*statements, f"INSERT INTO {table.sql} {query}"] if query else statements
