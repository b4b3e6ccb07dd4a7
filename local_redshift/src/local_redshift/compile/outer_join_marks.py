"""Outer joins written with (+) in WHERE, by Amazon's rules for them. Joins in FROM: `sources`."""

from __future__ import annotations

from typing import Any

from local_redshift.compile.grouping import Groups
from local_redshift.errors import RedshiftError, refuse
from local_redshift.values.scope import Scope

_REMEDY = "write left join … on …"


class Marks(Groups):
    """Turns FROM and WHERE with (+) into outer joins."""

    def _origin(self, node: Any, scope: Scope) -> tuple[str, Any]:
        """FROM's text, and the condition that is left for WHERE."""
        where = node.args.get("where")
        if where is None or not _marked(where):
            return self._from(node, scope), where and where.this
        joins = node.args.get("joins") or []
        given = [node.args.get("from_"), *joins]
        if any(one is None or _written(one) for one in given):
            raise RedshiftError(
                "0A000", "the outer join operator (+) cannot stand beside joins in FROM"
            )
        texts = {}
        for one in [node.args["from_"].this, *(join.this for join in joins)]:
            text = self.source(one, scope)
            texts[scope.sources[-1].alias] = text
        outer: dict[str, list[Any]] = {}
        partners: dict[str, set[str]] = {}
        rest: list[Any] = []
        for part in _parts(where.this):
            marked = {self._alias_of(column, scope) for column in _marked(part)}
            if not marked:
                rest.append(part)
                continue
            if _mixed(part):
                raise RedshiftError(
                    "0A000", "Outer join operator (+) not allowed in operand of OR or IN."
                )
            if "" in marked:
                raise refuse("(+) on a column of the query around", _REMEDY)
            if len(marked) > 1:
                raise refuse("(+) on two tables in one condition", _REMEDY)
            (table,) = marked
            others = {self._alias_of(column, scope) for column in _columns(part)} - {table}
            if any(
                not column.args.get("join_mark")
                for column in _columns(part)
                if self._alias_of(column, scope) == table
            ):
                raise refuse("a condition with (+) on some columns of a table only", _REMEDY)
            outer.setdefault(table, []).append(_bare(part))
            partners.setdefault(table, set()).update(others)
        self._check(partners, rest, scope)
        text = " CROSS JOIN ".join(texts[alias] for alias in texts if alias not in outer)
        done = set(texts) - set(outer)
        while len(done) < len(texts):
            ready = [alias for alias in outer if alias not in done and partners[alias] <= done]
            if not ready:
                raise refuse("tables that are outer joined to one another in a ring", _REMEDY)
            for alias in ready:
                tests = " AND ".join(self.test(part, scope) for part in outer[alias])
                text += f" LEFT JOIN {texts[alias]} ON {tests}"
                done.add(alias)
        return f" FROM {text}", _all_of(rest)

    def _check(self, partners: dict[str, set[str]], rest: list[Any], scope: Scope) -> None:
        for table, others in partners.items():
            if len(others) > 1:
                raise RedshiftError(
                    "0A000", "A table may be outer joined to at most one other table."
                )
            if not others:
                raise refuse(f"(+) that joins {table} to no other table", _REMEDY)
            both = {table, *others}
            for part in rest:
                used = {self._alias_of(column, scope) for column in _columns(part)}
                if both <= used:
                    raise refuse(
                        f"conditions with and without (+) between {' and '.join(sorted(both))}, "
                        "which Amazon Redshift joins as an inner join, without a warning",
                        "mark all of them, or " + _REMEDY,
                    )

    def _alias_of(self, column: Any, scope: Scope) -> str:
        """The source that a column of this query belongs to; '' for one of a query around."""
        table = column.args.get("table")
        if table is not None:
            alias = str(table.name).lower()
            return alias if any(one.alias == alias for one in scope.sources) else ""
        word = str(column.name).lower()
        found = [one.alias for one in scope.sources if one.has(word)]
        if len(found) > 1:
            raise RedshiftError("42702", f'column reference "{word}" is ambiguous')
        return found[0] if found else ""


def _written(join: Any) -> bool:
    """Whether FROM, or a comma in it, holds a join that is written out, in brackets or not."""
    bracketed = join.this.key == "subquery" and join.this.this.key == "table"
    return bracketed or any(join.args.get(key) for key in ("on", "using", "side", "kind", "method"))


def _columns(node: Any) -> list[Any]:
    from sqlglot import exp

    return list(node.find_all(exp.Column))


def _marked(node: Any) -> list[Any]:
    """The columns with (+), those of subqueries not among them."""
    from sqlglot import exp

    home = node if isinstance(node, exp.Where) else node.find_ancestor(exp.Where)
    return [
        column
        for column in _columns(node)
        if column.args.get("join_mark") and column.find_ancestor(exp.Where) is home
    ]


def _parts(node: Any) -> list[Any]:
    """The conditions that AND joins."""
    node = node.unnest()
    return [part for one in node.flatten() for part in _parts(one)] if node.key == "and" else [node]


def _mixed(part: Any) -> bool:
    from sqlglot import exp

    return part.find(exp.Or, exp.In, exp.Subquery, exp.Select) is not None


def _bare(part: Any) -> Any:
    made = part.copy()
    for column in _columns(made):
        column.set("join_mark", None)
    return made


def _all_of(parts: list[Any]) -> Any:
    from sqlglot import exp

    return exp.and_(*parts, copy=False) if parts else None
