"""DROP of tables, views and schemas, and what depends on them. CREATE: `ddl`; ALTER: `alter`."""

from __future__ import annotations

from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.read.words import Words
from local_redshift.statements import principals
from local_redshift.statements.columns import ColumnReader
from local_redshift.values.catalog import DATABASE, Relation


class Drops(ColumnReader):
    """Reads one DROP after its first word and gives the DuckDB statements it means."""

    def drop(self, words: Words) -> list[str]:
        """DROP TABLE, VIEW, MATERIALIZED VIEW, SCHEMA, USER, GROUP or ROLE."""
        if words.take("schema"):
            return self._drop_schema(words)
        if any(words.peek(kind) for kind in ("user", "group", "role")):
            return principals.drop(words, self.catalog)
        kind = "table"
        if words.take("materialized", "view"):
            kind = "materialized view"
        elif words.take("view"):
            kind = "view"
        elif not words.take("table"):
            raise refuse(
                f"drop {words.next().text}", "there are drop table, view, materialized view, schema"
            )
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
            if relation.kind != kind:
                raise RedshiftError(
                    "42809", f'"{relation.name}" is a {relation.kind}: use drop {relation.kind}'
                )
            statements += self.dropped(relation, cascade, {str(other) for other in doomed})
        return list(dict.fromkeys(statements))

    def dropped(self, relation: Relation, cascade: bool, doomed: set[str]) -> list[str]:
        """The statements that drop a relation, and with `cascade` the views that read it."""
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
            statements += self.dropped(self.catalog.relations[schema, name], True, doomed)
        statements.append(f"DROP {'VIEW' if relation.is_view else 'TABLE'} {relation.sql}")
        for identity in relation.attributes.get("identity", {}).values():
            statements.append(f"DROP SEQUENCE {identity['sequence']}")
        return statements

    def _drop_schema(self, words: Words) -> list[str]:
        lenient = words.take("if", "exists")
        schemas = [words.name()]
        while words.take(","):
            schemas.append(words.name())
        cascade = words.take("cascade")
        words.take("restrict")
        words.end()
        return [text for schema in schemas for text in self._schema(schema, lenient, cascade)]

    def _schema(self, schema: str, lenient: bool, cascade: bool) -> list[str]:
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
        dropped = [text for r in inside for text in self.dropped(r, True, doomed)]
        return [*dict.fromkeys(dropped), f"DROP SCHEMA {quote(DATABASE)}.{quote(schema)} CASCADE"]
