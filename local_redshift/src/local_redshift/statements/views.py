"""CREATE VIEW, late-binding or not, and materialized views. Tables: `ddl`; DROP: `drops`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from local_redshift.compile.protocol import Compiler, Lookup
from local_redshift.errors import RedshiftError, refuse
from local_redshift.read.dialect import quote
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements.columns import (
    Attributes,
    ColumnReader,
    check_names,
    definition,
)
from local_redshift.values.catalog import Catalog, Column, Relation, comment
from local_redshift.values.scope import Columns, Query
from local_redshift.values.types import certain

_UNBOUND = ["with", "no", "schema", "binding"]
_MISSING = ("42P01", "3F000", "42703")  # a table, a schema, a column that is not there yet


class Views(ColumnReader):
    """Reads CREATE VIEW and what table attributes stand in definitions."""

    def view(self, words: Words) -> list[str]:
        """CREATE [OR REPLACE] VIEW … AS … [WITH NO SCHEMA BINDING]."""
        replaced = words.take("or", "replace")
        words.expect("view")
        schema, name = self._place(words, False)
        there = self.catalog.relations.get((schema, name))
        if there is not None and not (replaced and there.kind == "view"):
            raise RedshiftError("42P07", f'Relation "{name}" already exists')
        named = words.names() if words.peek("(") else []
        words.expect("as")
        if [word.lower for word in words.words[-4:]] == _UNBOUND:
            start, end = words.words[words.at].start, words.words[-5].end
            return self._late(schema, name, words.sql[start:end], named, there)
        query, reads = self._reading(words.rest())
        columns = _columns(query, named)
        check_names(name, columns)
        if there is not None:
            self._same_shape(there, columns)
        view = Relation(schema, name, tuple(columns), True, {"reads": reads})
        listed = ", ".join(quote(column.name) for column in columns)
        return [f"CREATE OR REPLACE VIEW {view.sql}({listed}) AS {query.sql}", comment(view)]

    def _same_shape(self, there: Relation, columns: list[Column]) -> None:
        """A view that others read is replaced by one with the same columns only."""
        shape = [(column.name, column.type) for column in columns]
        if self.catalog.views_on(there) and list(there.shape) != shape:
            raise RedshiftError(
                "42P16", f"cannot change the columns of {there}, which other views read"
            )

    def _reading(self, text: str) -> tuple[Query, list[str]]:
        """The translated query of a view, which is kept, and the relations that it reads."""
        compiler = self.compiler(True)
        reads: set[str] = set()
        inner = compiler.lookup

        def noting(at: str | None, table: str) -> Any:
            found = self.catalog.find(at, table)
            if found is None or found.schema is None or "unbound" in found.attributes:
                raise refuse(
                    f"a view over {table}",
                    "read a table or view that is there, and neither temporary nor late-binding",
                )
            reads.add(str(found))
            return inner(at, table)

        compiler.lookup = noting
        return compiler.query(parse(text), None, {}), sorted(reads)

    def _late(
        self, schema: str | None, name: str, text: str, named: list[str], there: Relation | None
    ) -> list[str]:
        """WITH NO SCHEMA BINDING: the text is kept, and read when the view is."""
        from sqlglot import exp

        tree = parse(text)
        ctes = {str(cte.alias).lower() for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            if not table.args.get("db") and str(table.name).lower() not in ctes:
                raise RedshiftError(
                    "0A000",
                    "All the relation names inside should be qualified when creating VIEW WITH NO "
                    f"SCHEMA BINDING: {table.name}",
                )
        if there is not None and self.catalog.views_on(there):
            raise refuse(f"a late-binding {there}, which other views read", "drop them first")
        try:  # what has no rule is told now, what is missing when the view is used
            query = self.compiler(True).query(tree, None, {})
            check_names(name, _columns(query, named))
        except RedshiftError as error:
            if error.code not in _MISSING:
                raise
        view = Relation(schema, name, (), True, {"unbound": text, "named": named})
        return [f'CREATE OR REPLACE VIEW {view.sql}("\x01") AS SELECT 1', comment(view)]

    def materialized(self, words: Words) -> list[str]:
        """CREATE MATERIALIZED VIEW: a table that keeps its query, until it is refreshed."""
        schema, name = self._place(words, False)
        if (schema, name) in self.catalog.relations:
            raise RedshiftError("42P07", f'Relation "{name}" already exists')
        named = words.names() if words.peek("(") else []
        attributes: Attributes = {}
        self.attributes(words, attributes)
        if words.take("auto", "refresh"):
            attributes["auto_refresh"] = words.peek("yes")
            if not (words.take("yes") or words.take("no")):
                raise words.error("yes or no expected")
        words.expect("as")
        query, reads = self._reading(words.rest())
        columns = _columns(query, named)
        check_names(name, columns)
        for key in (attributes.get("distkey"), *attributes.get("sortkey", [])):
            if key is not None and key not in [column.name for column in columns]:
                raise RedshiftError(
                    "42703", f'column "{key}" named in key does not exist in {name}'
                )
        attributes |= {"materialized": query.sql, "reads": reads}
        table = Relation(schema, name, tuple(columns), False, attributes)
        made = ", ".join(map(definition, columns))
        return [f"CREATE TABLE {table.sql} ({made})", comment(table), *refreshed(table)[1:]]

    def selected(self, tree: Any, named: list[str]) -> Query:
        """The query of CREATE TABLE AS: each column has a name and a type that are certain."""
        query = self.compiler(False).query(tree, None, {})
        return Query(query.sql, tuple((c.name, c.type) for c in _columns(query, named)))

    def attributes(self, words: Words, attributes: Attributes) -> None:
        """What stands behind the columns: distribution, order, backup, encoding."""
        while not words.done and not words.peek("as") and not words.peek("auto", "refresh"):
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
            elif words.take("compound", "sortkey") or words.take("sortkey"):
                attributes["sortkey"] = words.names()
            elif words.take("interleaved", "sortkey"):
                attributes["sortkey"] = words.names()
                attributes["interleaved"] = True
            elif words.take("encode", "auto"):
                pass
            else:
                raise words.error("a table attribute expected")
        if attributes.get("diststyle") == "key" and "distkey" not in attributes:
            raise RedshiftError("42601", "DISTSTYLE KEY needs a DISTKEY")
        if "distkey" in attributes and attributes.get("diststyle", "key") != "key":
            raise RedshiftError("42601", "DISTKEY goes with DISTSTYLE KEY only")


def _columns(query: Query, named: list[str]) -> list[Column]:
    """The columns that a query gives to a table or view, under the names that were given."""
    if len(named) > len(query.columns):
        raise RedshiftError("42601", "more names of columns are given than the query has columns")
    labels = [*named, *(label for label, _ in query.columns[len(named) :])]
    columns = []
    for label, (_, type_) in zip(labels, query.columns, strict=True):
        certain(type_, f"{label}:")
        if label == "?column?":
            raise RedshiftError("42601", "a column without a name: add an alias")
        columns.append(Column(label, type_))
    return columns


def refreshed(relation: Relation) -> list[str]:
    """The statements that fill a materialized view anew."""
    if relation.kind != "materialized view":
        raise RedshiftError("42809", f'"{relation}" is not a materialized view')
    query = relation.attributes["materialized"]
    return [f"DELETE FROM {relation.sql}", f"INSERT INTO {relation.sql} {query}"]


def lookup(catalog: Catalog, compiler: Callable[[], Compiler]) -> Lookup:
    """`Catalog.lookup`, where a late-binding view is its query, translated against what is there now."""

    def looked_up(schema: str | None, name: str) -> tuple[str, Columns]:
        found = catalog.find(schema, name)
        if found is None or "unbound" not in found.attributes:
            return catalog.lookup(schema, name)
        query = compiler().query(parse(found.attributes["unbound"]), None, {})
        columns = tuple((c.name, c.type) for c in _columns(query, found.attributes["named"]))
        check_names(name, [Column(*column) for column in columns])
        listed = ", ".join(quote(column) for column, _ in columns)
        return f'(SELECT * FROM ({query.sql}) AS "_l"({listed}))', columns

    return looked_up
