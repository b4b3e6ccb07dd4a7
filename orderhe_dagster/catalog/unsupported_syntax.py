"""The syntax of a select that is not supported, wherever it stands. Names and types are judged elsewhere.

What is refused here either runs in no client as it stands, or could not be followed column by column.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.column_names import NAME_BYTES
from orderhe_dagster.catalog.errors import Problem, Problems
from orderhe_dagster.catalog.syntax import is_query, line_of

if TYPE_CHECKING:
    from sqlglot import exp


def check_supported(path: str, tree: exp.Query, problems: Problems) -> None:
    """Note everything in a select that is not supported."""
    for node in tree.walk():
        reason = _reason(node)
        if reason is not None:
            problems.items.append(Problem(path, line_of(node), reason))
    for line, alias in _repeated_names(tree):
        problems.add(path, line, f"two tables are called {alias!r} here: give each its own name")


def _reason(  # noqa: PLR0911 (a table of rules, one a kind of syntax)
    node: exp.Expr,
) -> str | None:
    """Why a node is refused; None where it may stand."""
    from sqlglot import exp

    unread = (exp.Into, exp.Lock, exp.Lateral, exp.Unnest, exp.Values, exp.Pivot)
    if isinstance(node, unread):
        return f"{node.key.upper()} is not read here; write a plain select"
    if isinstance(node, (exp.DML, exp.DDL)) and not isinstance(node, exp.Query):
        return f"{node.key.upper()} changes tables; a file only selects"
    if isinstance(node, (exp.Parameter, exp.Placeholder, exp.SessionParameter)):
        text = node.sql(dialect="redshift")
        return f"{text} is a parameter, which nobody fills in: write the value"
    if isinstance(node, exp.Identifier) and len(node.name.encode()) > NAME_BYTES:
        return f"the name {node.name[:20]!r}… is longer than {NAME_BYTES} bytes: Redshift cuts it"
    if isinstance(node, exp.Select) and not node.expressions:
        return "this select has no columns: list them behind select"
    nested = isinstance(node, exp.Table) and node.args.get("joins")
    bracketed = isinstance(node, exp.Table) and isinstance(node.parent, exp.Subquery)
    if nested or bracketed:
        return "joins in brackets or inside one another are not read: write one join after another"
    if isinstance(node, exp.Join):
        return _join_reason(node)
    return None


def _join_reason(join: exp.Join) -> str | None:
    if join.args.get("method"):
        method = str(join.args["method"]).lower()
        return f"a {method} join is not read: write on … or using (…), which name the columns"
    if join.args.get("kind") in ("SEMI", "ANTI"):
        return "Redshift has no such join: write where exists (…) or where not exists (…)"
    condition = join.args.get("on")
    if condition is not None and is_query(condition.unnest()):
        return "a join on nothing but a subquery is not read: move it into where"
    return None


def _repeated_names(tree: exp.Query) -> Iterator[tuple[int, str]]:
    """The names that stand twice in one from, or in one with."""
    from sqlglot import exp

    for node in tree.find_all(exp.With):
        names: set[str] = set()
        for cte in node.expressions:
            if cte.alias.lower() in names:
                yield line_of(cte), cte.alias.lower()
            names.add(cte.alias.lower())
    for select in tree.find_all(exp.Select):
        first = select.args.get("from_") or select.args.get("from")
        seen: set[str] = set()
        for node in [first, *(select.args.get("joins") or ())]:
            alias = node.this.alias_or_name.lower() if node is not None else ""
            if alias and alias in seen:
                yield line_of(node.this), alias
            seen.add(alias)
