"""ALTER TABLE and DROP. CREATE: `ddl`."""

from __future__ import annotations

from dataclasses import replace

from orderhe_dagster.redshift_standin.catalog import DATABASE, Column, Relation, comment
from orderhe_dagster.redshift_standin.columns import ColumnReader, check_names, definition
from orderhe_dagster.redshift_standin.dialect import quote
from orderhe_dagster.redshift_standin.errors import RedshiftError, refuse
from orderhe_dagster.redshift_standin.words import Words


class Alterations(ColumnReader):
    """Reads one ALTER or DROP after its first word and gives the DuckDB statements it means."""

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
        check_names(table.name, columns)
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
        check_names(table.name, columns)
        text = f"ALTER TABLE {table.sql} ADD COLUMN {definition(column)}"
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
