"""How MySQL goes through rows that are counted and summed: by which index, or by none. None is read here."""

from __future__ import annotations

import logging
from typing import Any

from orderhe_dagster.catalog import mysql_projection
from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.source_rows import parent_aliases
from orderhe_dagster.catalog.table import Table

logger = logging.getLogger("orderhe.mysql")

_WORTH_AN_INDEX = 1_000_000  # rows that are gone through
_MANY_PARENTS = 0.2  # of all, by the server's estimate


def hint(cursor: Any, table: Table, select: str, where: str | None) -> str:
    """What is to follow the table's name in `select`, which reads the rows of `where` by groups.

    To give them in order, MySQL takes the index of their days and looks each row up by its key, which
    costs many times what all the rows do one after another. Where it would not do so for the rows alone,
    it is told not to. An index that has all the columns is never refused.
    """
    if _reads_an_index_alone(cursor, table, select):
        return ""
    if table.day_through:
        return child_hint(cursor, table, select)
    whole = f"select * from {mysql_projection.rows(table)}{f' where {where}' if where else ''}"
    plan = _plan(cursor, table, whole)
    return " use index ()" if str(plan.get("type")).lower() == "all" else ""


def child_hint(cursor: Any, table: Table, select: str) -> str:
    """The same of a child that is joined with its parents: where these are many, it is gone through first.

    Few parents find their rows by the child's index. Each of many would be a lookup or two, in no order that
    the disk knows, where all the rows one after another and their parents by their keys are quicker.
    """
    plans = _plans(cursor, select)
    parents = dict(zip(parent_aliases(table), table.day_through, strict=True))
    name = str(plans[0].get("table")) if plans else ""
    if name not in parents:
        return ""
    first = parents[name].parent
    all_of = _plans(cursor, f"select * from {quoted(first.source_name, 'mysql')}")
    found, there = (int(one[0].get("rows") or 0) for one in (plans, all_of))
    return " use index ()" if found > there * _MANY_PARENTS else ""


def propose_index(cursor: Any, table: Table, select: str, rows: int) -> None:
    """Say which index would spare a fingerprint of many rows the scan of the table."""
    if rows < _WORTH_AN_INDEX or table.partition is None or table.cursor is None:
        return
    if table.day_through:  # what it needs is looked at by the doctor
        return
    if _reads_an_index_alone(cursor, table, select):
        return
    columns = dict.fromkeys(map(table.source_column, (table.partition, table.cursor)))
    listed = ", ".join(quoted(name, "mysql") for name in columns)
    name = quoted(f"{table.source_name}_{'_'.join(columns)}"[:64], "mysql")
    logger.info(
        "%s: the fingerprints of %s rows were read from the table itself; with an index they cost less: "
        "create index %s on %s (%s)",
        *(table.ref, f"{rows:,}", name, quoted(table.source_name, "mysql"), listed),
    )


def _reads_an_index_alone(cursor: Any, table: Table, select: str) -> bool:
    extra = str(_plan(cursor, table, select).get("extra"))
    return "using index" in (part.strip().lower() for part in extra.split(";"))


def _plan(cursor: Any, table: Table, select: str) -> dict[str, Any]:
    """MySQL's plan for the table in a select; nothing where it is not in it."""
    plans = _plans(cursor, select)
    own = [plan for plan in plans if str(plan.get("table")).lower() == table.source_name.lower()]
    return own[0] if own else {}


def _plans(cursor: Any, select: str) -> list[dict[str, Any]]:
    """MySQL's plan for each table of a select, in the order in which they are read."""
    cursor.execute(f"explain {select}")
    names = [str(field[0]).lower() for field in cursor.description]
    return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
