"""Names with the database or pg_catalog before them, as clients write them, made plain in the tree.

`dev.mart.sales` is `mart.sales`, `pg_catalog.version()` is `version()`. Other databases are refused.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from local_redshift.errors import refuse
from local_redshift.read.dialect import DATABASE, folded

if TYPE_CHECKING:
    from sqlglot import exp

_TABLE_FUNCTIONS = ("pg_get_late_binding_view_cols",)


def plain(tree: exp.Expression) -> exp.Expression:
    """The tree with every name as short as it can be."""
    from sqlglot import exp

    for node in list(tree.find_all(exp.Table, exp.Column)):
        database = node.args.get("catalog")
        if database is not None:
            if folded(database.name) != DATABASE:
                raise refuse("a name of another database", "leave the database out")
            node.set("catalog", None)
        if isinstance(node, exp.Table):
            _function(node)
    for text in list(tree.find_all(exp.ByteString)):
        text.replace(exp.Literal.string(str(text.this)))  # `forms` refused those with escapes
    for dot in list(tree.find_all(exp.Dot)):
        called = dot.expression
        if isinstance(called, exp.Func) and str(dot.this.name).lower() == "pg_catalog":
            dot.replace(called)
    return tree


def _function(table: Any) -> None:
    """A function of the catalogue in FROM, its columns listed with types: a view of that name."""
    from sqlglot import exp

    called = table.this
    if not isinstance(called, exp.Anonymous) or called.expressions:
        return
    if str(called.this).lower() not in _TABLE_FUNCTIONS:
        return
    table.set("this", exp.to_identifier(str(called.this).lower()))
    alias = table.args.get("alias")
    if alias is not None:
        columns = alias.args.get("columns") or []
        alias.set(
            "columns", [getattr(c, "this", c) if c.key == "columndef" else c for c in columns]
        )
