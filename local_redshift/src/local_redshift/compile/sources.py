"""FROM: where a query's columns come from, and joins. WITH: `ctes`; (+) in WHERE: `outer_join_marks`."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local_redshift.compile import pivots
from local_redshift.compile.aliases import renamed
from local_redshift.compile.ctes import with_clause
from local_redshift.compile.protocol import Compiler, SourceRule, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions.udfs import udf
from local_redshift.read.dialect import name, quote
from local_redshift.values.casts import comparable
from local_redshift.values.scope import Columns, Scope, Source, listed_names
from local_redshift.values.types import unify
from local_redshift.values.value import Value


def from_clause(compiler: Compiler, node: Any, scope: Scope) -> str:
    """FROM of a query, '' where it has none: adds what stands there to the scope."""
    clause = node.args.get("from_")
    if clause is None:
        if node.args.get("joins"):
            raise RedshiftError("42601", "a join needs FROM")
        return ""
    return f" FROM {tables(compiler, clause.this, node.args.get('joins') or [], scope)}"


def tables(compiler: Compiler, first: Any, joins: list[Any], scope: Scope) -> str:
    """A table and what is joined to it: adds them to the scope and gives their text."""
    text = compiler.source(first, scope)
    for join in joins:
        text += _join(compiler, join, scope)
    return text


# -- what stands in FROM ---------------------------------------------------------------------------


def _table(compiler: Compiler, node: Any, scope: Scope) -> str:
    if node.args.get("joins"):
        raise refuse("a join here", "write the joins in one row, or in brackets")
    if node.args.get("pivots"):
        return pivots.turned(compiler, node, scope)
    if node.this.key == "anonymous" and str(node.this.this).lower() in _FUNCTIONS:
        return _function(compiler, node, scope)
    if node.this.key != "identifier":
        raise refuse(f"{node.sql('redshift')[:60]} in FROM", "select from tables and subqueries")
    only(node, "this", "db", "alias")
    table, schema = name(node.this), node.args.get("db")
    alias = node.args.get("alias")
    if schema is None and table in scope.ctes:
        cte = scope.ctes[table]
        text, names = quote(cte.inside), list(cte.listed)
        source = _under(alias, table, cte.columns)
    else:
        schema = str(schema.name).lower() if schema else None
        relation = compiler.lookup(schema, table)
        compiler.uses.add(relation.uses)
        text, names = relation.sql, [column for column, _ in relation.columns]
        source = _under(alias, table, relation.columns, schema)
        if table.startswith("pg_") and schema in (None, "pg_catalog"):
            source = replace(source, hidden="oid")
    scope.add(source)
    if names == [column for column, _ in source.columns]:
        return f"{text} AS {quote(source.alias)}"
    return f"{text} AS {quote(source.alias)}({', '.join(map(quote, listed_names(source.columns)))})"


_FUNCTIONS = ("current_database", "current_schema", "current_user", "version", "pg_backend_pid")
"""Functions of the session, each of which stands in FROM for a table of one row, as drivers ask."""


def _function(compiler: Compiler, node: Any, scope: Scope) -> str:
    only(node, "this", "alias")
    value = compiler.value(node.this, scope)
    source = _under(node.args.get("alias"), value.label, ((value.label, value.type),))
    scope.add(source)
    ((column, _),) = source.columns
    return f"(SELECT {value.sql}) AS {quote(source.alias)}({quote(column)})"


def _subquery(compiler: Compiler, node: Any, scope: Scope) -> str:
    if node.this.key == "table":
        return _bracketed(compiler, node, scope)
    if node.args.get("joins"):
        raise refuse("a join here", "write the joins in one row, or in brackets")
    if node.args.get("pivots"):
        return pivots.turned(compiler, node, scope)
    only(node, "this", "alias", "with_")
    alias = node.args.get("alias")
    heading, ctes = with_clause(compiler, node, scope.parent, scope.ctes)
    query = compiler.query(node.this, scope.parent and Scope({}, scope.parent), ctes)
    # Without an alias the columns have no table's name: one that nobody can write.
    source = _under(alias, f"\x01{len(scope.sources)}", query.columns)
    scope.add(source)
    names = ", ".join(map(quote, listed_names(source.columns)))
    return f"({heading}{query.sql}) AS {quote(source.alias)}({names})"


def _bracketed(compiler: Compiler, node: Any, scope: Scope) -> str:
    """Joins in brackets: their ON sees nothing of what stands before."""
    only(node, "this")
    first, joins = node.this.copy(), node.this.args.get("joins") or []
    if not joins:
        raise RedshiftError("42601", "syntax error: a table alone in brackets")
    first.set("joins", None)
    before, scope.group = scope.group, len(scope.sources)
    text = tables(compiler, first, joins, scope)
    scope.group = before
    return f"({text})"


def _elements(compiler: Compiler, node: Any, scope: Scope) -> str:
    """The elements of an array in a super column: `from t, t.items as item`."""
    only(node, "expressions", "alias")
    arrays, alias = node.expressions, node.args.get("alias")
    names = [name(column) for column in alias.args.get("columns") or []] if alias else []
    if len(arrays) != 1 or len(names) != 1:
        raise refuse(f"{node.sql('redshift')[:60]} in FROM", "write t.items as item")
    value = compiler.value(arrays[0], scope)
    if value.type.kind != "super":
        raise refuse(f"{value.type} in FROM", "only arrays of a super have elements")
    (called,) = names
    scope.add(Source(called, ((called, value.type),)))
    inside = f"SELECT unnest({udf(compiler.uses, 'super_elements', value.sql)})"
    return f"LATERAL ({inside}) AS {quote(called)}({quote(called)})"


def _under(alias: Any, table: str, columns: Columns, schema: str | None = None) -> Source:
    """A source under its alias, or under the table's own name."""
    if alias is None:
        return Source(table, columns, schema)
    only(alias, "this", "columns")
    called = name(alias.this)
    return Source(called, renamed(columns, alias, called))


# -- joins -----------------------------------------------------------------------------------------


def _join(compiler: Compiler, join: Any, scope: Scope) -> str:
    """A comma, or JOIN with its ON, its USING, or neither: the text that follows what stands before."""
    side, on, using = _kind_of(join), join.args.get("on"), join.args.get("using")
    natural = bool(join.args.get("method"))
    if on is None and not (using or side or natural or join.args.get("kind")):  # a comma
        scope.group = len(scope.sources)
        return f", {compiler.source(join.this, scope)}"
    before = scope.sources[scope.group :]
    text = compiler.source(join.this, scope)
    word = f"{side} JOIN" if side else "INNER JOIN"
    if on is not None and not natural:
        return f" {word} {text} ON {compiler.test(on, scope.joined(bool(side)))}"
    shared = _shared(join, before, scope) if natural else [name(column) for column in using or []]
    if not shared:
        return f" {_cross(join, side, natural)} {text}"
    tests = [_equal(column, side, before, scope) for column in shared]
    return f" {word} {text} ON {' AND '.join(tests)}"


def _kind_of(join: Any) -> str:
    """LEFT, RIGHT, FULL or '' of a join that there is; another one is refused."""
    only(join, "this", "side", "kind", "on", "using", "method")
    side, kind = str(join.args.get("side") or ""), str(join.args.get("kind") or "")
    method = str(join.args.get("method") or "")
    if kind not in ("", "INNER", "OUTER", "CROSS") or side not in ("", "LEFT", "RIGHT", "FULL"):
        raise refuse(f"the join {side} {kind}".strip())
    if method not in ("", "NATURAL"):
        raise refuse(f"the join {method}", "join with on")
    return side


def _shared(join: Any, before: list[Source], scope: Scope) -> list[str]:
    """The columns of a natural join, in the order of the left side."""
    written = join.args.get("on") is not None or join.args.get("using")
    if written or join.args.get("kind") == "CROSS":
        raise RedshiftError("42601", "a natural join takes neither ON nor USING nor CROSS")
    left = [*scope.merged, *(column for source in before for column, _ in source.columns)]
    return [column for column in dict.fromkeys(left) if scope.sources[-1].has(column)]


def _cross(join: Any, side: str, natural: bool) -> str:
    """CROSS JOIN, written out or as a natural join without common columns."""
    if not natural and (side or join.args.get("kind") != "CROSS"):
        raise RedshiftError("42601", "a join needs ON or USING")
    if side:
        raise refuse(f"a natural {side.lower()} join without common columns", "join with on")
    return "CROSS JOIN"


def _equal(column: str, side: str, before: list[Source], scope: Scope) -> str:
    """The test that USING makes of a column's name; the column stands once from now on."""
    left = Scope({}, None, before, dict(scope.merged)).column(column)
    right = scope.sources[-1].value(column) if scope.sources[-1].has(column) else None
    if right is None:
        raise RedshiftError("42703", f'column "{column}" of USING is not in both tables')
    common = unify((left.type, right.type), "using")
    if common != left.type or common != right.type:
        raise refuse(f"USING ({column}) of {left.type} and {right.type}", "write ON")
    sql = {"RIGHT": right.sql, "FULL": f"coalesce({left.sql}, {right.sql})"}.get(side, left.sql)
    scope.merged[column] = Value(sql, common, column)
    return f"({comparable(left, common)} = {comparable(right, common)})"


SOURCES: dict[str, SourceRule] = {"table": _table, "subquery": _subquery, "unnest": _elements}
