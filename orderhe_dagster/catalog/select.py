"""A file of one select: parsed, judged by the rules every select obeys, and read into columns.

Contracts are read in `contract`; what ties files together (order, cycles, names) is in `reader`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.column_lineage import Query
from orderhe_dagster.catalog.errors import Problem, Problems, TypeRefused
from orderhe_dagster.catalog.header import Header
from orderhe_dagster.catalog.inference import may_be_null, plain_column, type_of_all
from orderhe_dagster.catalog.origins import Origin
from orderhe_dagster.catalog.result_types import DATE_PART
from orderhe_dagster.catalog.syntax import line_of
from orderhe_dagster.catalog.table import Column, ColumnRef, Table, TableRef
from orderhe_dagster.catalog.tokens import Word, single_statement, tokenize
from orderhe_dagster.catalog.unsupported_syntax import check_supported

if TYPE_CHECKING:
    from sqlglot import exp

_REFUSED_SCHEMAS = {
    "raw": "raw tables live in MySQL; their rows are read from warehouse.{name}",
    "backup": "backups are files; their rows are read from warehouse.{name}",
    "export": "exports are files for others; read the mart they come from",
}
_TRAILING_COMMENT = re.compile(r"[ \t]*,?[ \t]*(?:--[ \t]*(.*)|/\*(.*?)\*/[ \t]*,?[ \t]*$)")


@dataclass(frozen=True)
class Select:
    """A parsed select. `dependencies` maps each table it reads to the line that first names it."""

    path: str
    ref: TableRef
    body: str
    words: tuple[Word, ...]
    expression: exp.Query
    header: Header
    dependencies: Mapping[TableRef, int]


def parse_select(path: str, ref: TableRef, text: str, header: Header, problems: Problems) -> Select:
    """Parse one select and find the tables it reads. What cannot be parsed at all raises Problem."""
    from sqlglot import exp, parse_one
    from sqlglot.errors import ParseError

    body, words = single_statement(path, text, tokenize(path, text, "redshift"), "select")
    try:
        tree = parse_one(body, dialect="redshift")
    except ParseError as error:
        raise _unparsable(path, error, words) from None
    if not isinstance(tree, exp.Query) or isinstance(tree, exp.Subquery):
        raise Problem(
            path, words[0].line, "a select is expected: with … select …, without brackets"
        )
    if any(word.upper in ("DATE_PART", "DATEPART") for word in words):
        for node in tree.find_all(exp.Extract):
            node.meta[DATE_PART] = True
    wrong = Problems()
    check_supported(path, tree, wrong)
    dependencies = {} if wrong.items else _dependencies(path, tree, wrong)
    if wrong.items:  # nothing more can be said of a select that cannot be followed
        problems.items += wrong.items[:-1]
        raise wrong.items[-1]
    return Select(path, ref, body, tuple(words), tree, header, dependencies)


def _unparsable(path: str, error: Exception, words: list[Word]) -> Problem:
    details = getattr(error, "errors", None) or [{}]
    detail = details[0]
    reason = str(detail.get("description") or error)
    reason = re.sub(r"<class '(?:\w+\.)*(\w+)'>", r"\1", reason).partition(" but got <Token")[0]
    near = detail.get("highlight") or ""
    line = detail.get("line") or 1
    if "SENTINEL" in str(detail.get("description")):
        line = words[-1].line
    return Problem(path, line, f"cannot be read as Redshift SQL near {near!r}: {reason}")


def _dependencies(path: str, tree: exp.Query, problems: Problems) -> dict[TableRef, int]:
    from sqlglot import exp
    from sqlglot.optimizer.scope import traverse_scope

    lines: dict[TableRef, int] = {}
    for scope in traverse_scope(tree):
        for _, source in scope.selected_sources.values():
            if not isinstance(source, exp.Table):
                continue
            line, schema, name = line_of(source), source.db.lower(), source.name.lower()
            if source.catalog:
                problems.add(
                    path, line, f"{source.sql()}: leave the database out, write {schema}.{name}"
                )
            elif not schema:
                problems.add(
                    path,
                    line,
                    f"table {name!r} has no schema: write warehouse.{name} or mart.{name}",
                )
            elif schema in _REFUSED_SCHEMAS:
                reason = _REFUSED_SCHEMAS[schema].format(name=name)
                problems.add(path, line, f"{schema}.{name} cannot be read here: {reason}")
            elif schema not in ("warehouse", "mart"):
                problems.add(
                    path, line, f"there is no schema {schema!r}: tables are warehouse.… or mart.…"
                )
            else:
                ref = TableRef("warehouse" if schema == "warehouse" else "mart", name)
                lines[ref] = min(line, lines.get(ref, line))
    return lines


def resolve_select(
    select: Select, tables: Mapping[TableRef, Table], problems: Problems
) -> tuple[Table, Query] | None:
    """The Table of a parsed select, given the tables it reads; None when a problem stands in the way."""
    path, expression = select.path, select.expression
    before = len(problems.items)
    starred = [p for branch in _branches(expression) for p in branch.selects if p.is_star]
    for star in starred:
        line = line_of(star)
        problems.add(
            path, line, "select * in the final select: list the columns, each with its type"
        )
    if starred:
        return None
    query = Query(path, expression, tables)
    if not query.check_names(problems):
        return None
    lineage = query.lineage()
    columns = _columns(select, query, problems)
    if len(problems.items) > before:
        return None
    columns = _personal(select, query, columns, tables, problems)
    table = Table(
        ref=select.ref,
        path=path,
        sql=select.body,
        code_version="",
        description=select.header.description,
        columns=tuple(columns),
        depends_on=tuple(sorted(select.dependencies, key=str)),
        lineage={name: tuple(sorted(refs, key=_order)) for name, refs in lineage.items()},
    )
    return table, query


def _columns(select: Select, query: Query, problems: Problems) -> list[Column]:
    """The output columns; those without a name of their own or without a type are problems."""
    places = _places(select, problems)
    columns: list[Column] = []
    seen: dict[str, int] = {}
    for number, (name, origins) in enumerate(query.outputs(query.root)):
        line, comment = places[number] if number < len(places) else (1, "")
        if not name:
            message = f"output column {number + 1} has no name: write … as name"
            problems.add(select.path, line, message)
        elif name in seen:
            message = f"column {name!r} stands twice, first on line {seen[name]}"
            problems.add(select.path, line, message)
        else:
            seen[name] = line
            try:
                column = _column(query, name, origins)
            except TypeRefused as error:
                problems.add(select.path, line, str(error))
            else:
                described = comment or column.description
                columns.append(replace(column, description=described, line=line))
    return columns


def _column(query: Query, name: str, origins: tuple[Origin, ...]) -> Column:
    """An output column by what it is made of, with the description of the column that it is."""
    try:
        kind = type_of_all(query, origins)
    except TypeRefused as error:
        raise TypeRefused(f"column {name!r}: {error}") from None
    if kind is None:
        raise TypeRefused(
            f"column {name!r} has no type that is known here: add a cast on its line, like …::integer "
            "or …::decimal(18, 2)"
        )
    origin = plain_column(query, origins[0]) if len(origins) == 1 else None
    same = origin.table.column(origin.name) if origin else None
    return Column(
        name,
        kind,
        description=same.description if same else "",
        nullable=any(may_be_null(query, part) for part in origins),
        values=same.values if same and kind.kind == "varchar" else (),
    )


def _personal(
    select: Select,
    query: Query,
    columns: list[Column],
    tables: Mapping[TableRef, Table],
    problems: Problems,
) -> list[Column]:
    """Mark the columns that carry personal data; in marts and exports they are problems."""
    marked: list[Column] = []
    reached = query.lineage(personal=True)
    for column in columns:
        sources = [
            ref
            for ref in sorted(reached[column.name], key=_order)
            if tables[ref.table].column(ref.column).pii
        ]
        if sources and select.ref.layer in ("mart", "export"):
            named = ", ".join(f"{ref.table}.{ref.column}" for ref in sources)
            problems.add(
                select.path,
                column.line,
                f"column {column.name!r} shows personal data ({named}, marked @pii): leave it out, "
                "or only count() it",
            )
        marked.append(replace(column, pii=bool(sources)))
    return marked


def _order(ref: ColumnRef) -> tuple[str, str]:
    return str(ref.table), ref.column


def _branches(expression: exp.Query) -> list[exp.Query]:
    """The selects whose rows are the result: one, or every part of a union."""
    from sqlglot import exp

    if isinstance(expression, exp.SetOperation):
        return [*_branches(expression.left), *_branches(expression.right)]
    if isinstance(expression, exp.Subquery):
        return _branches(expression.this)
    return [expression]


def _places(select: Select, problems: Problems) -> list[tuple[int, str]]:
    """The line and the trailing comment of every column of the final select (the first of a union)."""
    words, depth = select.words, 0
    start = None
    for number, word in enumerate(words):
        depth += (word.upper == "(") - (word.upper == ")")
        if depth == 0 and word.upper == "SELECT":
            start = number + 1
            break
    if start is None:
        raise Problem(
            select.path, words[0].line, "write the final select without brackets around it"
        )
    places: list[tuple[int, str]] = []
    last: Word | None = None
    for word in words[start:]:
        depth += (word.upper == "(") - (word.upper == ")")
        ends = depth == 0 and word.upper in (",", "FROM", "UNION", "INTERSECT", "EXCEPT", "MINUS")
        if not ends:
            last = word
            continue
        if last is None:
            problems.add(select.path, word.line, f"a column is expected before {word.text!r}")
        else:
            places.append((last.line, _comment_behind(select.body, last)))
        last = None
        if word.upper != ",":
            return places
    if last is None:
        problems.add(select.path, words[-1].line, "a column is expected behind the last comma")
    else:
        places.append((last.line, _comment_behind(select.body, last)))
    return places


def _comment_behind(text: str, word: Word) -> str:
    end = text.find("\n", word.stop)
    match = _TRAILING_COMMENT.match(text[word.stop : end if end >= 0 else len(text)])
    return (match[1] or match[2] or "").strip() if match else ""
