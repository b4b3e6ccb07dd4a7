"""MERGE, by Amazon's rules: an equijoin, both WHEN clauses or REMOVE DUPLICATES, one match a row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local_redshift.compile.protocol import only
from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import name, quote, string
from local_redshift.read.syntax import parse
from local_redshift.read.words import Words
from local_redshift.statements.dml import (
    TWICE,
    Writer,
    assignments,
    check_identity,
    check_width,
    column_of,
    match_once,
    target_of,
)
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.casts import comparable
from local_redshift.values.catalog import Column, Relation
from local_redshift.values.scope import Scope

_SINGLE = "MERGE statement with a single WHEN clause is not enabled."


@dataclass(frozen=True)
class _Merge:
    """The parts of a MERGE: its target first in the scope, then its source; texts as DuckDB has them."""

    table: Relation
    scope: Scope
    target: str
    source: str
    on: str
    keys: list[str]


def merge(writer: Writer, words: Words) -> list[Command]:
    """The statements of one MERGE: first a query that fails where a row matches twice.

    RedshiftError 0A000 for forms that Redshift does not have.
    """
    sql, simple = words.sql, False
    if [word.lower for word in words.words[-2:]] == ["remove", "duplicates"]:
        simple = True  # sqlglot needs a WHEN
        sql = f"{sql[: words.words[-2].start]} when matched then delete"
    node: Any = parse(sql)
    only(node, "this", "using", "on", "whens")
    parts = _parts(writer, node)
    once = match_once(parts.scope, raising("XX000", string(TWICE)))
    check = f"SELECT {once} FROM {parts.target} JOIN {parts.source} ON {parts.on}"
    commands = [Command(check, writer.compiler.uses)]
    if simple:
        return commands + _remove_duplicates(writer, parts)
    matched, missing = _whens(node.args["whens"].expressions)
    then = _matched(writer, matched, parts)
    otherwise = _missing(writer, missing, parts)
    text = (
        f"MERGE INTO {parts.target} USING {parts.source} ON {parts.on} "
        f"WHEN MATCHED THEN {then} WHEN NOT MATCHED THEN {otherwise}"
    )
    needs = ("select", "insert", then.split(None, 1)[0].lower())
    return [*commands, Command(text, writer.compiler.uses, parts.table, Mode.WRITE, needs=needs)]


def _parts(writer: Writer, node: Any) -> _Merge:
    if node.args["this"].args.get("alias"):
        raise RedshiftError("42601", "syntax error: the target of MERGE takes no alias")
    table, scope, target = target_of(writer, node.args["this"])
    source = _source(writer, node.args["using"], table, scope)
    keys = _keys(writer, node.args["on"], scope)
    on = writer.compiler.test(node.args["on"], scope)
    return _Merge(table, scope, target, source, on, keys)


def _whens(whens: list[Any]) -> tuple[Any, Any]:
    """What is done where a row matches, and where none does."""
    for when in whens:
        if when.args.get("condition") is not None or when.args.get("source"):
            raise refuse("a condition on WHEN in MERGE", "Redshift has none: filter the source")
    if len(whens) < 2:
        raise RedshiftError("0A000", _SINGLE)
    if [bool(when.args["matched"]) for when in whens] != [True, False]:
        raise RedshiftError(
            "42601", "syntax error: MERGE takes one WHEN MATCHED, then one WHEN NOT MATCHED"
        )
    return whens[0].args["then"], whens[1].args["then"]


def _source(writer: Writer, node: Any, table: Relation, scope: Scope) -> str:
    from sqlglot import exp

    for one in node.find_all(exp.Table):
        schema = one.args.get("db")
        relation = writer.catalog.find(
            str(schema.name).lower() if schema else None, str(one.name).lower()
        )
        if relation is not None and str(relation) == str(table):
            what = "cannot be the same table" if one is node else "cannot reference target table"
            raise RedshiftError("0A000", f"Source view/subquery in Merge statement {what}: {table}")
    text = writer.compiler.source(node, scope)
    if node.key == "subquery" and node.args.get("alias") is None:
        raise RedshiftError("42601", "syntax error: a subquery in MERGE needs an alias")
    return text


def _keys(writer: Writer, on: Any, scope: Scope) -> list[str]:
    """The source's columns, as they are compared: ON may hold nothing but their equalities."""
    node, keys = on.unnest(), list[str]()
    parts = list(node.flatten()) if node.key == "and" else [node]
    for part in (part.unnest() for part in parts):
        sides = [part.this, part.expression] if part.key == "eq" else []
        values = [writer.compiler.value(one, scope) for one in sides if one.key == "column"]
        owner = f"{quote(scope.sources[0].alias)}."
        if len(values) != 2 or sum(value.sql.startswith(owner) for value in values) != 1:
            raise refuse(
                f"{part.sql('redshift')[:60]} in the ON of MERGE",
                "compare a column of the target with a column of the source by =",
            )
        source = values[1] if values[0].sql.startswith(owner) else values[0]
        keys.append(comparable(source, source.type))
    return keys


def _matched(writer: Writer, then: Any, parts: _Merge) -> str:
    if then.key == "var" and str(then.name).lower() == "delete":
        return "DELETE"
    if then.key != "update":
        raise refuse(f"{then.sql('redshift')[:60]} in MERGE", "update or delete what matches")
    sets = assignments(writer, then.expressions, parts.table, parts.scope)
    return f"UPDATE SET {', '.join(sets)}"


def _missing(writer: Writer, then: Any, parts: _Merge) -> str:
    table = parts.table
    if then.key != "insert":
        raise refuse(f"{then.sql('redshift')[:60]} in MERGE", "insert what does not match")
    columns: list[Column] = list(table.columns)
    given = then.args.get("expression")
    if given:
        columns = [column_of(table, name(one.this)) for one in then.this.expressions]
        items = given.expressions if given.key == "tuple" else [given.unnest()]
    else:
        items = then.this.expressions[0].expressions
    inside = Scope({}, None, parts.scope.sources[1:])  # the target has no row here
    check_width(len(items), columns, bool(given))
    check_identity(table, columns[: len(items)])
    values = [
        writer.compiler.assign(writer.compiler.value(item, inside), column.type, column.name)
        for item, column in zip(items, columns, strict=False)
    ]
    listed = ", ".join(quote(column.name) for column in columns[: len(items)])
    return f"INSERT ({listed}) VALUES ({', '.join(values)})"


def _remove_duplicates(writer: Writer, parts: _Merge) -> list[Command]:
    """REMOVE DUPLICATES: every row of the source once, in place of the rows that it matches."""
    table, source, uses = parts.table, parts.scope.sources[1], writer.compiler.uses
    if len(source.columns) != len(table.columns):
        raise RedshiftError(
            "42601",
            f"MERGE with REMOVE DUPLICATES needs as many columns in the source as in {table}",
        )
    check_identity(table, list(table.columns))
    # Of several source rows with one new key nobody says how many are kept.
    words = string(
        "the local Redshift has no rule for several rows of the source with one key in MERGE … "
        "REMOVE DUPLICATES; make them one row first"
    )
    known = " AND ".join(f"{key} IS NOT NULL" for key in parts.keys)
    double = (
        f"SELECT CASE WHEN count(*) > 0 THEN {raising('0A000', words)} END FROM "
        f"(SELECT 1 FROM {parts.source} WHERE {known} GROUP BY {', '.join(parts.keys)} HAVING count(*) > 1)"
    )
    values = ", ".join(
        writer.compiler.assign(source.value(label), column.type, column.name)
        for (label, _), column in zip(source.columns, table.columns, strict=True)
    )
    names = ", ".join(quote(column.name) for column in table.columns)
    gone = f"DELETE FROM {parts.target} USING {parts.source} WHERE {parts.on}"
    put = f"INSERT INTO {table.sql} ({names}) SELECT {values} FROM {parts.source}"
    return [
        Command(double, uses),
        Command(gone, uses, table, Mode.WRITE, needs=("select",)),
        Command(put, uses, table, Mode.APPEND),
    ]
