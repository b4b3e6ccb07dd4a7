"""The rows of a table that is cut by its parent's day, as a relation of the source: one statement.

Where a row has its own day, the table itself is the relation. How MySQL's values are carried is
`mysql_projection`'s; which parents there are, `day_links` says.
"""

from __future__ import annotations

from dataclasses import replace

from orderhe_dagster.catalog.ddl import Dialect, quoted
from orderhe_dagster.catalog.drift import charsets
from orderhe_dagster.catalog.table import MOMENT_COLUMN, DayStep, Table

_PARENT = "_parent_"


def parent_aliases(table: Table) -> list[str]:
    """What the parents are called beside the child, in order: by its own name, one could hide the child."""
    prefix = _PARENT
    while table.source_name.lower().startswith(prefix):
        prefix = f"_{prefix}"
    return [f"{prefix}{number}" for number in range(1, len(table.day_through) + 1)]


def own_rows(table: Table, dialect: Dialect, hint: str = "") -> str:
    """The table itself, or where columns are called otherwise here, its rows by our names.

    A database takes such a select into the statement around it. `hint` follows the table's name.
    """
    own = quoted(table.source_name, dialect)
    columns = table.in_source.columns
    if all(column.name == column.source_name for column in columns):
        return f"{own}{hint}"
    listed = ", ".join(
        f"{quoted(column.source_name, dialect)} as {quoted(column.name, dialect)}"
        for column in columns
    )
    return f"(select {listed} from {own}{hint}) as {own}"


def with_moment(table: Table, dialect: Dialect, hint: str = "") -> str:
    """The rows of a child with `MOMENT_COLUMN`, the column of the parent that tells their day.

    Each row once, with or without a parent: parents are named by keys that are unique. `hint` follows the
    child's name.
    """
    own, through = quoted(table.source_name, dialect), table.day_through
    columns = [
        f"{own}.{quoted(column.source_name, dialect)} as {quoted(column.name, dialect)}"
        for column in table.in_source.columns
    ]
    text, here, child = f"{own}{hint}", own, table
    for name, step in zip(parent_aliases(table), through, strict=True):
        alias = quoted(name, dialect)
        key = quoted(step.parent.source_column(step.key), dialect)
        column = f"{here}.{quoted(child.source_column(step.column), dialect)}"
        if dialect == "mysql":
            column = _as_the_key_is(column, child, step)
        text += (
            f" left join {quoted(step.parent.source_name, dialect)} as {alias} on"
            f" {alias}.{key} = {column}"
        )
        here, child = alias, step.parent
    told = quoted(child.source_column(child.partition), dialect)
    columns.append(f"{here}.{told} as {quoted(MOMENT_COLUMN, dialect)}")
    return f"(select {', '.join(columns)} from {text})"


def _as_the_key_is(column: str, table: Table, step: DayStep) -> str:
    """The column that names a parent, in the character set and collation of the parent's key.

    MySQL compares texts of two collations by neither; by the key's own it can use the key's index. What a
    contract does not name is the server's, as `show create table` has it: the default of the character set.
    """
    if step.parent.column(step.key).type.kind != "varchar":
        return column
    mine = charsets(table.sql).get(table.source_column(step.column).lower(), ("", ""))
    key = step.parent.source_column(step.key).lower()
    charset, collation = charsets(step.parent.sql).get(key, ("", ""))
    if not charset or mine == (charset, collation):
        return column
    text = f"convert({column} using {charset})"
    return f"{text} collate {collation}" if collation else text


def of_moment(table: Table) -> Table:
    """The last parent as a child's rows have it: one column, `MOMENT_COLUMN`, which tells the day."""
    parent = table.day_through[-1].parent
    column = replace(parent.column(str(parent.partition)), name=MOMENT_COLUMN)
    return replace(parent, columns=(column,), partition=MOMENT_COLUMN)
