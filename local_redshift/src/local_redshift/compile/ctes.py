"""WITH, recursive or not: named queries before a query. FROM: `sources`; select lists: `queries`."""

from __future__ import annotations

from typing import Any

from local_redshift.compile.aliases import renamed
from local_redshift.compile.protocol import Compiler, only
from local_redshift.errors import RedshiftError, refuse
from local_redshift.functions.aggregates import AGGREGATES
from local_redshift.read.dialect import name, quote
from local_redshift.values.scope import Columns, Cte, Scope, listed_names

_TWO_PARTS = "write it as: name(columns) as (select … union all select … from name …)"
_MEMBER = ("group", "having", "qualify", "distinct", "order", "limit", "offset", "with_")


def with_clause(
    compiler: Compiler, node: Any, parent: Scope | None, ctes: dict[str, Cte]
) -> tuple[str, dict[str, Cte]]:
    """WITH before a query or a change of rows: its text, and the queries that can be named then."""
    clause = node.args.get("with_")
    if clause is None:
        return "", ctes
    only(clause, "expressions", "recursive")
    recursive = bool(clause.args.get("recursive"))
    if recursive and _inside(clause):
        raise RedshiftError("0A000", "WITH RECURSIVE clause in a subquery is not supported")
    ctes, parts, seen = dict(ctes), [], set[str]()
    for cte in clause.expressions:
        only(cte, "this", "alias")
        called = name(cte.args["alias"].this)
        if called in seen:
            raise RedshiftError("42712", f'WITH query name "{called}" specified more than once')
        seen.add(called)
        # The name is made its own, so that a table or an outer query of that name is never meant.
        inside = f"{called}_{len(ctes)}"
        if recursive and _mentions(cte.this, called):
            text, ctes[called] = _recursive(compiler, cte, called, inside, ctes)
        else:
            query = compiler.query(cte.this, parent and Scope({}, parent), ctes)
            columns = renamed(query.columns, cte.args["alias"], called)
            ctes[called] = Cte(inside, tuple(listed_names(columns)), columns)
            text = query.sql
        listed = ", ".join(map(quote, ctes[called].listed))
        parts.append(f"{quote(inside)}({listed}) AS ({text})")
    word = "WITH RECURSIVE" if recursive else "WITH"
    return f"{word} {', '.join(parts)} ", ctes


def _recursive(
    compiler: Compiler, cte: Any, called: str, inside: str, ctes: dict[str, Cte]
) -> tuple[str, Cte]:
    """A query that names itself: its first part says what types the columns have."""
    alias = cte.args["alias"]
    first, member = _parts(cte, called)
    seed = compiler.query(first, None, ctes)
    if len(alias.args["columns"]) != len(seed.columns):
        raise RedshiftError(
            "42601",
            f'recursive query "{called}" must name each of its {len(seed.columns)} columns',
        )
    columns = renamed(seed.columns, alias, called)
    recursive = Cte(inside, tuple(listed_names(columns)), columns, recursive=True)
    step = compiler.query(member, None, {**ctes, called: recursive})
    _check_types(columns, step.columns, called)
    return f"({seed.sql}) UNION ALL ({step.sql})", recursive


def _parts(cte: Any, called: str) -> tuple[Any, Any]:
    """The two parts of a recursive query, where it has the form that is read."""
    union, alias = cte.this, cte.args["alias"]
    if not alias.args.get("columns"):
        raise RedshiftError(
            "42601", f'recursive query "{called}" needs a list of columns: {called}(a, b)'
        )
    if union.key != "union" or union.args.get("distinct"):
        raise RedshiftError("0A000", f'recursive query "{called}" must be UNION ALL: {_TWO_PARTS}')
    only(union, "this", "expression", "distinct")
    first, member = union.this.unnest(), union.expression.unnest()
    if first.key != "select" or member.key != "select" or _mentions(first, called):
        raise refuse(f"this form of the recursive query {called}", _TWO_PARTS)
    _check_member(member, called)
    return first, member


def _check_types(columns: Columns, step: Columns, called: str) -> None:
    """Both parts give columns of the same types, that are certain."""
    if len(step) != len(columns):
        raise RedshiftError("42601", "each UNION query must have the same number of columns")
    for (column, one), (_, two) in zip(columns, step, strict=True):
        if one != two or one.doubt or two.doubt:
            raise refuse(
                f"the recursive column {called}.{column}, {_shown(one)} in the first part and "
                f"{_shown(two)} in the second",
                "cast both to one type",
            )


def _shown(type_: Any) -> str:
    return f"an untyped {type_.doubt}" if type_.doubt in ("literal", "null") else str(type_)


def _inside(clause: Any) -> bool:
    """Whether a WITH stands in a subquery."""
    from sqlglot import exp

    return clause.find_ancestor(exp.Subquery, exp.CTE, exp.Exists, exp.In) is not None


def _mentions(node: Any, called: str) -> int:
    """How often a query reads the table of that name, without a schema."""
    from sqlglot import exp

    return sum(
        1
        for table in node.find_all(exp.Table)
        if str(table.name).lower() == called and not table.args.get("db")
    )


def _check_member(member: Any, called: str) -> None:
    """The second part reads the query once, in its own FROM, and does nothing but select and join."""
    from sqlglot import exp

    for part in _MEMBER:
        if member.args.get(part):
            word = part.strip("_").upper()
            raise RedshiftError("0A000", f'{word} in a recursive query "{called}" is not supported')
    joins, origin = member.args.get("joins") or [], member.args.get("from_")
    own = [origin.this, *(join.this for join in joins)] if origin else []
    direct = sum(1 for one in own if one.key == "table" and _mentions(one, called))
    if direct != 1 or _mentions(member, called) != 1:
        raise refuse(
            f"a recursive query that does not read {called} once, in the FROM of its second part",
            _TWO_PARTS,
        )
    if any(join.args.get("side") for join in joins) or member.find(exp.Window):
        raise refuse(f"an outer join or a window in the recursive query {called}", _TWO_PARTS)
    if any(str(call.this).lower() in AGGREGATES for call in member.find_all(exp.Anonymous)):
        raise RedshiftError(
            "42803", f'an aggregate in the recursive query "{called}" is not supported'
        )
