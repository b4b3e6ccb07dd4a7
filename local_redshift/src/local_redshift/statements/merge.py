"""MERGE, by Amazon's rules: an equijoin, both WHEN clauses or REMOVE DUPLICATES, one match a row."""

from __future__ import annotations

from typing import Any

from local_redshift.compile.protocol import only
from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import name, quote, string
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements.dml import TWICE, Changes
from local_redshift.values.casts import comparable
from local_redshift.values.catalog import Column, Relation
from local_redshift.values.scope import Scope

_SINGLE = "MERGE statement with a single WHEN clause is not enabled."


class Merges(Changes):
    """Translates MERGE to DuckDB statements: first a query that fails where a row matches twice."""

    def merge(self, words: Words) -> list[str]:
        """The statements of one MERGE. RedshiftError 0A000 for forms that Redshift does not have."""
        sql, simple = words.sql, False
        if [word.lower for word in words.words[-2:]] == ["remove", "duplicates"]:
            simple = True  # sqlglot needs a WHEN
            sql = f"{sql[: words.words[-2].start]} when matched then delete"
        node = parse(sql)
        only(node, "this", "using", "on", "whens")
        if node.args["this"].args.get("alias"):
            raise RedshiftError("42601", "syntax error: the target of MERGE takes no alias")
        table, scope, target = self._target(node.args["this"])
        origin = self._source(node.args["using"], table, scope)
        keys = self._keys(node.args["on"], scope)
        on = self.compiler.test(node.args["on"], scope)
        whens = node.args["whens"].expressions
        checks = [self._once(scope, f"{target} JOIN {origin} ON {on}")]
        if simple:
            return [*checks, *self._simple(table, scope, origin, target, on, keys)]
        for when in whens:
            if when.args.get("condition") is not None or when.args.get("source"):
                raise refuse("a condition on WHEN in MERGE", "Redshift has none: filter the source")
        if len(whens) < 2:
            raise RedshiftError("0A000", _SINGLE)
        if [bool(when.args["matched"]) for when in whens] != [True, False]:
            raise RedshiftError(
                "42601", "syntax error: MERGE takes one WHEN MATCHED, then one WHEN NOT MATCHED"
            )
        matched = self._matched(whens[0].args["then"], table, scope)
        missing = self._missing(whens[1].args["then"], table, scope)
        text = f"MERGE INTO {target} USING {origin} ON {on}"
        return [
            *checks,
            f"{text} WHEN MATCHED THEN {matched} WHEN NOT MATCHED THEN {missing}",
        ]

    def _source(self, node: Any, table: Relation, scope: Scope) -> str:
        from sqlglot import exp

        for one in node.find_all(exp.Table):
            schema = one.args.get("db")
            found = self.catalog.find(
                str(schema.name).lower() if schema else None, str(one.name).lower()
            )
            if found is not None and str(found) == str(table):
                said = (
                    "cannot be the same table" if one is node else "cannot reference target table"
                )
                raise RedshiftError(
                    "0A000", f"Source view/subquery in Merge statement {said}: {table}"
                )
        text = self.compiler.source(node, scope)
        if node.key == "subquery" and node.args.get("alias") is None:
            raise RedshiftError("42601", "syntax error: a subquery in MERGE needs an alias")
        return text

    def _keys(self, on: Any, scope: Scope) -> list[str]:
        """The source's columns, as they are compared: ON may hold nothing but their equalities."""
        node, found = on.unnest(), list[str]()
        parts = list(node.flatten()) if node.key == "and" else [node]
        for part in (part.unnest() for part in parts):
            sides = [part.this, part.expression] if part.key == "eq" else []
            values = [self.compiler.value(one, scope) for one in sides if one.key == "column"]
            owner = f"{quote(scope.sources[0].alias)}."
            if len(values) != 2 or sum(value.sql.startswith(owner) for value in values) != 1:
                raise refuse(
                    f"{part.sql('redshift')[:60]} in the ON of MERGE",
                    "compare a column of the target with a column of the source by =",
                )
            source = values[1] if values[0].sql.startswith(owner) else values[0]
            found.append(comparable(source, source.type))
        return found

    def _once(self, scope: Scope, joined: str) -> str:
        """The query that fails where a row of the target matches several of the source."""
        row = f"{quote(scope.sources[0].alias)}.rowid"
        failing = raising("XX000", string(TWICE))
        return f"SELECT CASE WHEN count(*) > count(DISTINCT {row}) THEN {failing} END FROM {joined}"

    def _matched(self, then: Any, table: Relation, scope: Scope) -> str:
        if then.key == "var" and str(then.name).lower() == "delete":
            return "DELETE"
        if then.key != "update":
            raise refuse(f"{then.sql('redshift')[:60]} in MERGE", "update or delete what matches")
        return f"UPDATE SET {', '.join(self._sets(then.expressions, table, scope))}"

    def _missing(self, then: Any, table: Relation, scope: Scope) -> str:
        if then.key != "insert":
            raise refuse(f"{then.sql('redshift')[:60]} in MERGE", "insert what does not match")
        columns: list[Column] = list(table.columns)
        given = then.args.get("expression")
        if given:
            columns = [self._column(table, name(one.this)) for one in then.this.expressions]
            items = given.expressions if given.key == "tuple" else [given.unnest()]
        else:
            items = then.this.expressions[0].expressions
        inside = Scope({}, None, scope.sources[1:])  # the target has no row here
        self._width(len(items), columns, bool(given))
        self._check_identity(table, columns[: len(items)])
        made = [
            self.compiler.assign(self.compiler.value(item, inside), column.type, column.name)
            for item, column in zip(items, columns, strict=False)
        ]
        listed = ", ".join(quote(column.name) for column in columns[: len(items)])
        return f"INSERT ({listed}) VALUES ({', '.join(made)})"

    def _simple(
        self,
        table: Relation,
        scope: Scope,
        origin: str,
        target: str,
        on: str,
        keys: list[str],
    ) -> list[str]:
        """REMOVE DUPLICATES: every row of the source once, in place of the rows that it matches."""
        source = scope.sources[1]
        if len(source.columns) != len(table.columns):
            raise RedshiftError(
                "42601",
                f"MERGE with REMOVE DUPLICATES needs as many columns in the source as in {table}",
            )
        self._check_identity(table, list(table.columns))
        # Of several source rows with one new key nobody says how many are kept.
        words = string(
            "the local Redshift has no rule for several rows of the source with one key in MERGE … "
            "REMOVE DUPLICATES; make them one row first"
        )
        known = " AND ".join(f"{key} IS NOT NULL" for key in keys)
        double = (
            f"SELECT CASE WHEN count(*) > 0 THEN {raising('0A000', words)} END FROM "
            f"(SELECT 1 FROM {origin} WHERE {known} GROUP BY {', '.join(keys)} HAVING count(*) > 1)"
        )
        made = ", ".join(
            self.compiler.assign(source.value(label), column.type, column.name)
            for (label, _), column in zip(source.columns, table.columns, strict=True)
        )
        names = ", ".join(quote(column.name) for column in table.columns)
        return [
            double,
            f"DELETE FROM {target} USING {origin} WHERE {on}",
            f"INSERT INTO {table.sql} ({names}) SELECT {made} FROM {origin}",
        ]
