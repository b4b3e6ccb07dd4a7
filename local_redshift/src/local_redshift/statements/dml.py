"""INSERT, UPDATE and DELETE: Redshift's tree to DuckDB statements. MERGE: `merge`."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from local_redshift.compile.ctes import with_clause
from local_redshift.compile.protocol import Compiler, only
from local_redshift.compile.sources import tables
from local_redshift.errors import RedshiftError, raising, refuse
from local_redshift.read.dialect import name, quote, string
from local_redshift.transactions.commands import Command
from local_redshift.transactions.locks import Mode
from local_redshift.values.catalog import Catalog, Column, Relation
from local_redshift.values.scope import Cte, Scope, Source
from local_redshift.values.value import Value

_INSERT_FLAGS = ("is_function", "stored", "by_name", "exists", "partition", "settings", "source")

TWICE = "Found multiple matches to update the same tuple."


@dataclass(frozen=True)
class Writer:
    """What a change of rows is compiled with: the relations there are, and the compiler of it all."""

    catalog: Catalog
    compiler: Compiler


# -- insert ----------------------------------------------------------------------------------------


def insert(writer: Writer, node: Any) -> list[Command]:
    """INSERT INTO … VALUES or a query; values are assigned, text must fit in bytes."""
    only(node, "this", "expression", "default", *_INSERT_FLAGS)
    target, named = node.this, None
    if target.key == "schema":
        target, named = target.this, [name(column) for column in target.expressions]
    table = _table(writer, target)
    columns = [column_of(table, column) for column in named] if named else list(table.columns)
    if len({column.name for column in columns}) < len(columns):
        raise RedshiftError("42701", f"a column is named twice in the insert into {table}")
    given = node.args.get("expression")
    if node.args.get("default") and given is None and named is None:
        rest = "DEFAULT VALUES"
    elif given is None:
        raise refuse("insert without values or a query", "name the values")
    else:
        rows = _rows if given.key == "values" else _query_rows
        text, width = rows(writer, given, columns, named is not None, table)
        rest = f"({', '.join(quote(column.name) for column in columns[:width])}) {text}"
    text = f"INSERT INTO {table.sql} {rest}"
    return [Command(text, writer.compiler.uses, table, Mode.APPEND)]


def check_width(given: int, columns: list[Column], strict: bool) -> int:
    """How many columns so many expressions fill; `strict`: all that are named."""
    if given > len(columns):
        raise RedshiftError("42601", "INSERT has more expressions than target columns")
    if strict and given < len(columns):
        raise RedshiftError("42601", "INSERT has more target columns than expressions")
    return given


def check_identity(table: Relation, columns: list[Column]) -> None:
    """A column that is GENERATED ALWAYS, as IDENTITY is, takes no value."""
    fixed = table.attributes.get("identity", {})
    for column in columns:
        if fixed.get(column.name, {}).get("always"):
            raise RedshiftError(
                "0A000", f"cannot set an identity column to a value: {column.name} of {table}"
            )


def _rows(
    writer: Writer, values: Any, columns: list[Column], strict: bool, table: Relation
) -> tuple[str, int]:
    """VALUES, each of them assigned to its column; and how many columns they fill."""
    rows: list[str] = []
    if len(values.expressions) > 1 and _queries(values):
        raise RedshiftError(
            "0A000", "subqueries in VALUES of several rows are not supported: insert by select"
        )
    width, scope, compiler = 0, Scope({}), writer.compiler
    for row in values.expressions:
        items = row.expressions if row.key == "tuple" else [row]
        if rows and len(items) != width:
            raise RedshiftError("42601", "VALUES lists must all be the same length")
        width = check_width(len(items), columns, strict)
        texts = []
        for item, column in zip(items, columns, strict=False):
            if item.key == "var" and str(item.name).lower() == "default":
                texts.append("DEFAULT")
                continue
            check_identity(table, [column])
            value = compiler.value(item, scope)
            texts.append(compiler.assign(value, column.type, column.name))
        rows.append(f"({', '.join(texts)})")
    return f"VALUES {', '.join(rows)}", width


def _query_rows(
    writer: Writer, node: Any, columns: list[Column], strict: bool, table: Relation
) -> tuple[str, int]:
    """A query, its columns assigned to the table's; and how many there are."""
    query = writer.compiler.query(node, None, {})
    width = check_width(len(query.columns), columns, strict)
    inner = [f"c{place}" for place in range(width)]
    listed = ", ".join(
        writer.compiler.assign(Value(f'"_q"."{c}"', given), column.type, column.name)
        for c, (_, given), column in zip(inner, query.columns, columns, strict=False)
    )
    check_identity(table, columns[:width])
    return f'SELECT {listed} FROM ({query.sql}) AS "_q"({", ".join(inner)})', width


# -- delete and update -----------------------------------------------------------------------------


def delete(writer: Writer, node: Any) -> list[Command]:
    """[WITH …] DELETE [FROM] … [USING …] [WHERE …]."""
    only(node, "this", "tables", "using", "where", "with_")
    target = node.args.get("this")
    if not target:  # DELETE without FROM
        target, *more = node.args.get("tables") or [None]
        if target is None or more or node.args.get("using"):
            raise RedshiftError("42601", "syntax error: DELETE with USING needs FROM")
    elif node.args.get("tables"):
        raise refuse("a delete of several tables", "delete from one after the other")
    heading, ctes = with_clause(writer.compiler, node, None, {})
    table, scope, text = target_of(writer, target, ctes)
    text = f"{heading}DELETE FROM {text}"
    using = [_joined(writer, item, scope) for item in node.args.get("using") or []]
    if using:
        text += f" USING {', '.join(using)}"
    text += _where(writer, node, scope)
    needs = ("select",) if node.args.get("where") else ()
    return [Command(text, writer.compiler.uses, table, Mode.WRITE, needs=needs)]


def update(writer: Writer, node: Any) -> list[Command]:
    """UPDATE … SET … [FROM …] [WHERE …]: before it, a query that fails where a row matches twice."""
    only(node, "this", "expressions", "from_", "where", "with_")
    heading, ctes = with_clause(writer.compiler, node, None, {})
    table, scope, text = target_of(writer, node.this, ctes)
    origin = node.args.get("from_")
    source = "" if origin is None else _joined(writer, origin.this, scope)
    sets = assignments(writer, node.expressions, table, scope)
    where = _where(writer, node, scope)
    from_ = f" FROM {source}" if source else ""
    change = f"{heading}UPDATE {text} SET {', '.join(sets)}{from_}{where}"
    needs = ("select",) if _looks(node) else ()
    commands = [Command(change, writer.compiler.uses, table, Mode.WRITE, needs=needs)]
    if source:
        once = match_once(scope, _twice(writer, table))
        check = f"{heading}SELECT {once} FROM {text}, {source}{where}"
        commands.insert(0, Command(check, writer.compiler.uses))
    return commands


def _looks(node: Any) -> bool:
    """Whether an UPDATE reads: it has a condition, or computes a new value of a column's."""
    from sqlglot import exp

    new = [item.expression for item in node.expressions if not _is_default(item.expression)]
    return bool(node.args.get("where")) or any(value.find(exp.Column) for value in new)


def _twice(writer: Writer, table: Relation) -> str:
    """The error where several rows of FROM match one row of the table."""
    if writer.catalog.settings.values.get("error_on_nondeterministic_update") == "true":
        return raising("XX000", string(TWICE))
    return raising(
        "0A000",
        string(
            f"the local Redshift has no rule for several rows of FROM that match one row of "
            f"{table}: which one Redshift takes is not determined; make them one row first"
        ),
    )


def match_once(scope: Scope, failing: str) -> str:
    """The expression that fails where a row of the target, the first source, is there twice."""
    row = f"{quote(scope.sources[0].alias)}.rowid"
    return f"CASE WHEN count(*) > count(DISTINCT {row}) THEN {failing} END"


def assignments(writer: Writer, items: list[Any], table: Relation, scope: Scope) -> list[str]:
    """What SET assigns, as DuckDB text."""
    sets, seen = [], set()
    for item in items:
        if item.key != "eq" or item.this.key != "column" or item.this.args.get("table"):
            raise refuse(f"{item.sql('redshift')[:60]} in SET", "write column = expression")
        column = column_of(table, name(item.this.this))
        if column.name in seen:
            raise RedshiftError("42601", f'column "{column.name}" is set twice')
        seen.add(column.name)
        check_identity(table, [column])
        text = "DEFAULT"
        if not _is_default(item.expression):
            value = writer.compiler.value(item.expression, scope)
            text = writer.compiler.assign(value, column.type, column.name)
        sets.append(f"{quote(column.name)} = {text}")
    return sets


def _joined(writer: Writer, node: Any, scope: Scope) -> str:
    """A table of USING or FROM with what is joined to it."""
    joins, node = node.args.get("joins") or [], node.copy()
    node.set("joins", None)
    scope.group = len(scope.sources)  # ON does not see the table that is changed
    text = tables(writer.compiler, node, joins, scope)
    if any(join.args.get("side") for join in joins):
        raise RedshiftError("0A000", "Target table must be part of an equijoin predicate")
    return text


def _where(writer: Writer, node: Any, scope: Scope) -> str:
    where = node.args.get("where")
    return "" if where is None else f" WHERE {writer.compiler.test(where.this, scope)}"


# -- the table that is changed ---------------------------------------------------------------------


def target_of(
    writer: Writer, node: Any, ctes: dict[str, Cte] | None = None
) -> tuple[Relation, Scope, str]:
    """The table whose rows change: it, a scope that begins with it, and its text under its alias."""
    table = _table(writer, node)
    writer.compiler.uses.add(writer.catalog.reading(table))
    alias = node.args.get("alias")
    called = name(alias.this) if alias else table.name
    source = Source(called, table.shape, None if alias else table.schema)
    return table, Scope(ctes or {}, None, [source]), f"{table.sql} AS {quote(called)}"


def _table(writer: Writer, node: Any) -> Relation:
    if node.key != "table":
        raise refuse(f"{node.sql('redshift')[:60]} as the table to change")
    only(node, "this", "db", "alias")
    schema = node.args.get("db")
    return writer.catalog.table(str(schema.name).lower() if schema else None, name(node.this))


def column_of(table: Relation, wanted: str) -> Column:
    """A column by name; RedshiftError 42703 where there is none."""
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


CHANGES: dict[str, Callable[[Writer, Any], list[Command]]] = {
    "insert": insert,
    "update": update,
    "delete": delete,
}
"""By the kind of the tree."""
