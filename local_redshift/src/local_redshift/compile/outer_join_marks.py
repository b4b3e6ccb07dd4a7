"""Outer joins written with (+) in WHERE, by Amazon's rules for them. Joins in FROM: `sources`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local_redshift.compile.protocol import Compiler
from local_redshift.errors import RedshiftError, refuse
from local_redshift.values.scope import Scope

_REMEDY = "write left join … on …"


def has_marks(node: Any) -> bool:
    """Whether a select joins by (+)."""
    where = node.args.get("where")
    return where is not None and bool(_marked(where))


def marked_joins(compiler: Compiler, node: Any, scope: Scope) -> tuple[str, Any]:
    """FROM's text with the joins that WHERE marks, and the condition that is left for WHERE."""
    joins = node.args.get("joins") or []
    if any(one is None or _written_out(one) for one in (node.args.get("from_"), *joins)):
        raise RedshiftError(
            "0A000", "the outer join operator (+) cannot stand beside joins in FROM"
        )
    texts = {}
    for one in [node.args["from_"].this, *(join.this for join in joins)]:
        text = compiler.source(one, scope)
        texts[scope.sources[-1].alias] = text
    marked = _Marked()
    for condition in _conditions(node.args["where"].this):
        marked.take(condition, scope)
    marked.check(scope)
    return f" FROM {_joined(compiler, texts, marked, scope)}", _all_of(marked.rest)


@dataclass
class _Marked:
    """The conditions of WHERE: those that join a table, by its alias, and the others."""

    joining: dict[str, list[Any]] = field(default_factory=dict)
    partners: dict[str, set[str]] = field(default_factory=dict)
    rest: list[Any] = field(default_factory=list)

    def take(self, condition: Any, scope: Scope) -> None:
        """Put a condition to the table that it joins, or to the others."""
        marked = {_alias_of(column, scope) for column in _marked(condition)}
        if not marked:
            self.rest.append(condition)
            return
        if _mixed(condition):
            raise RedshiftError(
                "0A000", "Outer join operator (+) not allowed in operand of OR or IN."
            )
        if "" in marked:
            raise refuse("(+) on a column of the query around", _REMEDY)
        if len(marked) > 1:
            raise refuse("(+) on two tables in one condition", _REMEDY)
        (table,) = marked
        aliases = {id(column): _alias_of(column, scope) for column in _columns(condition)}
        if any(
            aliases[id(column)] == table and not column.args.get("join_mark")
            for column in _columns(condition)
        ):
            raise refuse("a condition with (+) on some columns of a table only", _REMEDY)
        self.joining.setdefault(table, []).append(_unmarked(condition))
        self.partners.setdefault(table, set()).update(set(aliases.values()) - {table})

    def check(self, scope: Scope) -> None:
        """Each table is joined to one other, by all the conditions between the two."""
        for table, others in self.partners.items():
            if len(others) > 1:
                raise RedshiftError(
                    "0A000", "A table may be outer joined to at most one other table."
                )
            if not others:
                raise refuse(f"(+) that joins {table} to no other table", _REMEDY)
            pair = {table, *others}
            for condition in self.rest:
                if pair <= {_alias_of(column, scope) for column in _columns(condition)}:
                    raise refuse(
                        f"conditions with and without (+) between {' and '.join(sorted(pair))}, "
                        "which Amazon Redshift joins as an inner join, without a warning",
                        "mark all of them, or " + _REMEDY,
                    )


def _joined(compiler: Compiler, texts: dict[str, str], marked: _Marked, scope: Scope) -> str:
    """The tables that nothing joins, then the others, each after the one that it is joined to."""
    text = " CROSS JOIN ".join(texts[alias] for alias in texts if alias not in marked.joining)
    done = set(texts) - set(marked.joining)
    while len(done) < len(texts):
        ready = [
            alias
            for alias in marked.joining
            if alias not in done and marked.partners[alias] <= done
        ]
        if not ready:
            raise refuse("tables that are outer joined to one another in a ring", _REMEDY)
        for alias in ready:
            tests = " AND ".join(compiler.test(part, scope) for part in marked.joining[alias])
            text += f" LEFT JOIN {texts[alias]} ON {tests}"
            done.add(alias)
    return text


def _alias_of(column: Any, scope: Scope) -> str:
    """The source that a column of this query belongs to; '' for one of a query around."""
    table = column.args.get("table")
    if table is not None:
        alias = str(table.name).lower()
        return alias if any(one.alias == alias for one in scope.sources) else ""
    word = str(column.name).lower()
    aliases = [one.alias for one in scope.sources if one.has(word)]
    if len(aliases) > 1:
        raise RedshiftError("42702", f'column reference "{word}" is ambiguous')
    return aliases[0] if aliases else ""


def _written_out(join: Any) -> bool:
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


def _conditions(node: Any) -> list[Any]:
    """The conditions that AND joins."""
    node = node.unnest()
    if node.key != "and":
        return [node]
    return [condition for part in node.flatten() for condition in _conditions(part)]


def _mixed(condition: Any) -> bool:
    from sqlglot import exp

    return condition.find(exp.Or, exp.In, exp.Subquery, exp.Select) is not None


def _unmarked(condition: Any) -> Any:
    plain = condition.copy()
    for column in _columns(plain):
        column.set("join_mark", None)
    return plain


def _all_of(conditions: list[Any]) -> Any:
    from sqlglot import exp

    return exp.and_(*conditions, copy=False) if conditions else None
