"""INSERT, UPDATE and DELETE: Redshift's tree to one DuckDB statement."""

from __future__ import annotations

from typing import Any

from local_redshift.compile.ctes import with_clause
from local_redshift.compile.protocol import Compiler, only
from local_redshift.compile.sources import tables
from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import name, quote, string
from local_redshift.values.catalog import Catalog, Column, Relation
from local_redshift.values.scope import Cte, Scope, Source
from local_redshift.values.value import Value

_INSERT_FLAGS = ("is_function", "stored", "by_name", "exists", "partition", "settings", "source")


TWICE = "Found multiple matches to update the same tuple."


class Changes:
    """Translates the statements that change rows."""

    def __init__(self, catalog: Catalog, compiler: Compiler) -> None:
        self.catalog, self.compiler = catalog, compiler

    def insert(self, node: Any) -> list[str]:
        """INSERT INTO … VALUES or a query; values are assigned, text must fit in bytes."""
        only(node, "this", "expression", "default", *_INSERT_FLAGS)
        target, named = node.this, None
        if target.key == "schema":
            target, named = target.this, [name(column) for column in target.expressions]
        table = self._table(target)
        columns = (
            [self._column(table, column) for column in named] if named else list(table.columns)
        )
        if len({column.name for column in columns}) < len(columns):
            raise RedshiftError("42701", f"a column is named twice in the insert into {table}")
        given = node.args.get("expression")
        if node.args.get("default") and given is None and named is None:
            return [f"INSERT INTO {table.sql} DEFAULT VALUES"]
        if given is None:
            raise refuse("insert without values or a query", "name the values")
        if given.key == "values":
            rows, width = self._rows(given, columns, named is not None, table)
        else:
            rows, width = self._query(given, columns, named is not None)
            self._check_identity(table, columns[:width])
        listed = ", ".join(quote(column.name) for column in columns[:width])
        return [f"INSERT INTO {table.sql} ({listed}) {rows}"]

    def _width(self, given: int, columns: list[Column], strict: bool) -> int:
        if given > len(columns):
            raise RedshiftError("42601", "INSERT has more expressions than target columns")
        if strict and given < len(columns):
            raise RedshiftError("42601", "INSERT has more target columns than expressions")
        return given

    def _check_identity(self, table: Relation, columns: list[Column]) -> None:
        """A column that is GENERATED ALWAYS, as IDENTITY is, takes no value."""
        fixed = table.attributes.get("identity", {})
        for column in columns:
            if fixed.get(column.name, {}).get("always"):
                raise RedshiftError(
                    "0A000", f"cannot set an identity column to a value: {column.name} of {table}"
                )

    def _rows(
        self, values: Any, columns: list[Column], strict: bool, table: Relation
    ) -> tuple[str, int]:
        rows: list[str] = []
        if len(values.expressions) > 1 and _queries(values):
            raise RedshiftError(
                "0A000", "subqueries in VALUES of several rows are not supported: insert by select"
            )
        width, scope = 0, Scope({})
        for row in values.expressions:
            items = row.expressions if row.key == "tuple" else [row]
            if rows and len(items) != width:
                raise RedshiftError("42601", "VALUES lists must all be the same length")
            width = self._width(len(items), columns, strict)
            made = []
            for item, column in zip(items, columns, strict=False):
                if item.key == "var" and str(item.name).lower() == "default":
                    made.append("DEFAULT")
                    continue
                self._check_identity(table, [column])
                value = self.compiler.value(item, scope)
                made.append(self.compiler.assign(value, column.type, column.name))
            rows.append(f"({', '.join(made)})")
        return f"VALUES {', '.join(rows)}", width

    def _query(self, node: Any, columns: list[Column], strict: bool) -> tuple[str, int]:
        query = self.compiler.query(node, None, {})
        width = self._width(len(query.columns), columns, strict)
        inner = [f"c{place}" for place in range(width)]
        made = ", ".join(
            self.compiler.assign(Value(f'"_q"."{c}"', given), column.type, column.name)
            for c, (_, given), column in zip(inner, query.columns, columns, strict=False)
        )
        return f'SELECT {made} FROM ({query.sql}) AS "_q"({", ".join(inner)})', width

    def delete(self, node: Any) -> list[str]:
        """[WITH …] DELETE [FROM] … [USING …] [WHERE …]."""
        only(node, "this", "tables", "using", "where", "with_")
        target = node.args.get("this")
        if not target:  # DELETE without FROM
            target, *more = node.args.get("tables") or [None]
            if target is None or more or node.args.get("using"):
                raise RedshiftError("42601", "syntax error: DELETE with USING needs FROM")
        elif node.args.get("tables"):
            raise refuse("a delete of several tables", "delete from one after the other")
        heading, ctes = with_clause(self.compiler, node, None, {})
        _, scope, text = self._target(target, ctes)
        text = f"{heading}DELETE FROM {text}"
        using = [self._tables(item, scope) for item in node.args.get("using") or []]
        if using:
            text += f" USING {', '.join(using)}"
        return [text + self._where(node, scope)]

    def _tables(self, node: Any, scope: Scope) -> str:
        """A table of USING or FROM with what is joined to it."""
        joins, node = node.args.get("joins") or [], node.copy()
        node.set("joins", None)
        scope.group = len(scope.sources)  # ON does not see the table that is changed
        text = tables(self.compiler, node, joins, scope)
        if any(join.args.get("side") for join in joins):
            raise RedshiftError("0A000", "Target table must be part of an equijoin predicate")
        return text

    def update(self, node: Any) -> list[str]:
        """UPDATE … SET … [FROM …] [WHERE …]: before it, a query that fails where a row matches twice."""
        only(node, "this", "expressions", "from_", "where", "with_")
        heading, ctes = with_clause(self.compiler, node, None, {})
        table, scope, text = self._target(node.this, ctes)
        origin = node.args.get("from_")
        source = "" if origin is None else f" FROM {self._tables(origin.this, scope)}"
        sets = self._sets(node.expressions, table, scope)
        where = self._where(node, scope)
        change = f"{heading}UPDATE {text} SET {', '.join(sets)}{source}{where}"
        if not source:
            return [change]
        told = self.catalog.settings.values.get("error_on_nondeterministic_update") == "true"
        failing = (
            raising("XX000", string(TWICE))
            if told
            else raising(
                "0A000",
                string(
                    f"the local Redshift has no rule for several rows of FROM that match one row of "
                    f"{table}: which one Redshift takes is not determined; make them one row first"
                ),
            )
        )
        row = f"{quote(scope.sources[0].alias)}.rowid"
        once = f"CASE WHEN count(*) > count(DISTINCT {row}) THEN {failing} END"
        tables = f"{text}, {source.removeprefix(' FROM ')}"
        return [f"{heading}SELECT {once} FROM {tables}{where}", change]

    def _sets(self, items: list[Any], table: Relation, scope: Scope) -> list[str]:
        """What SET assigns, as DuckDB text."""
        sets, seen = [], set()
        for item in items:
            if item.key != "eq" or item.this.key != "column" or item.this.args.get("table"):
                raise refuse(f"{item.sql('redshift')[:60]} in SET", "write column = expression")
            column = self._column(table, name(item.this.this))
            if column.name in seen:
                raise RedshiftError("42601", f'column "{column.name}" is set twice')
            seen.add(column.name)
            self._check_identity(table, [column])
            if _is_default(item.expression):
                made = "DEFAULT"
            else:
                made = self.compiler.assign(
                    self.compiler.value(item.expression, scope), column.type, column.name
                )
            sets.append(f"{quote(column.name)} = {made}")
        return sets

    def _where(self, node: Any, scope: Scope) -> str:
        where = node.args.get("where")
        return "" if where is None else f" WHERE {self.compiler.test(where.this, scope)}"

    def _table(self, node: Any) -> Relation:
        if node.key != "table":
            raise refuse(f"{node.sql('redshift')[:60]} as the table to change")
        only(node, "this", "db", "alias")
        schema = node.args.get("db")
        return self.catalog.table(str(schema.name).lower() if schema else None, name(node.this))

    def _target(self, node: Any, ctes: dict[str, Cte] | None = None) -> tuple[Relation, Scope, str]:
        table = self._table(node)
        alias = node.args.get("alias")
        called = name(alias.this) if alias else table.name
        scope = Scope(
            ctes or {}, None, [Source(called, table.shape, None if alias else table.schema)]
        )
        return table, scope, f"{table.sql} AS {quote(called)}"

    def _column(self, table: Relation, wanted: str) -> Column:
        for column in table.columns:
            if column.name == wanted:
                return column
        raise RedshiftError("42703", f'column "{wanted}" of relation "{table}" does not exist')


def _is_default(node: Any) -> bool:
    return bool(
        node.key == "column"
        and node.this.key == "identifier"
        and not node.this.args.get("quoted")
        and not node.args.get("table")
        and str(node.name).lower() == "default"
    )


def _queries(node: Any) -> bool:
    from sqlglot import exp

    return node.find(exp.Select) is not None
