"""How rows enter the embedded source: exactly, or not at all, as a strict MySQL takes them.

Here a batch is looked over before it is inserted, and what was wrong is put into words. The rules are
`column_rules`'; files, locks and transactions belong to `embedded_source`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.ddl import quoted
from orderhe_dagster.catalog.table import Column, Table
from orderhe_dagster.catalog.types import duckdb_text
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.insert.column_rules import Rule, rules_of

if TYPE_CHECKING:
    import duckdb
    import pyarrow as pa

MASK = "•••"
_ABOUT_NAMES = ("Catalog Error", "Binder Error", "Parser Error")


def insert(connection: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table) -> None:
    """Insert a batch by column name. PortError names table, column, key and value (personal data masked)."""
    import duckdb

    connection.register("__rows", rows)
    try:
        columns = looked_over(connection, table, rows)
        names = ", ".join(quoted(column.name) for column in columns)
        connection.execute(
            f"insert into {quoted(table.name)} ({names}) select {typed(columns)} from __rows"
        )
    except duckdb.ConstraintException as error:
        raise PortError(constraint_text(table, str(error))) from None
    except duckdb.Error as error:
        raise PortError(f"{table.ref}: the rows were not taken: {safe_text(str(error))}") from None
    finally:
        connection.unregister("__rows")


def looked_over(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table
) -> Sequence[Column]:
    """The columns that a batch brings, after every row was judged; the batch is registered as `__rows`."""
    columns = _columns(table, rows)
    rules = [rule for column in columns for rule in rules_of(table, column, rows)]
    _look_over(connection, table, columns, rules)
    return columns


def typed(columns: Sequence[Column]) -> str:
    """The columns of a batch in the contract's types, as a list of SQL."""
    return ", ".join(
        f"cast({quoted(column.name)} as {duckdb_text(column.type)}) as {quoted(column.name)}"
        for column in columns
    )


def constraint_text(table: Table, message: str) -> str:
    """DuckDB's word on a broken constraint, in the terms of the contract."""
    found = re.search(r'Duplicate key "(.*)" violates', message, re.DOTALL)
    if not found:
        return f"{table.ref}: the rows were not taken: {safe_text(message)}"
    for key in sorted({table.grain, *table.unique}, key=len, reverse=True):
        values = re.fullmatch(
            ", ".join(f"{re.escape(name)}: (.*)" for name in key), found.group(1), re.DOTALL
        )
        if key and values:
            shown = ", ".join(
                f"{name} {shown_value(table.column(name), value)}"
                for name, value in zip(key, values.groups(), strict=True)
            )
            return (
                f"{table.ref}: a duplicate key, {shown}: a row with it is there already, or the "
                "rows hold it twice; change the key or leave the row out"
            )
    return f"{table.ref}: a duplicate key; change it or leave the row out"


def safe_text(message: str) -> str:
    """An engine's message without the values it quotes: they may be personal data.

    What is said of names is left as it is. Elsewhere everything from the first quotation mark to
    the last goes, since a value may hold such marks itself.
    """
    said = message.rpartition("\n\nLINE ")[0] or message  # the statement follows
    if not said.startswith(_ABOUT_NAMES):
        said = re.sub(r"""['"].*['"]""", MASK, said, flags=re.DOTALL)
        said = re.sub(r"(string|value) [-\d.e+]+", rf"\1 {MASK}", said)
    return said.split("\n\n", 1)[0].strip()


def shown_value(column: Column, value: object) -> str:
    """A value as an error shows it: masked where it is personal, shortened where it is long."""
    if value is None:
        return "NULL"
    if column.pii:
        return MASK
    text = repr(value) if column.type.kind == "varchar" else str(value)
    return text if len(text) <= 80 else f"{text[:77]}..."


def _columns(table: Table, rows: pa.Table) -> Sequence[Column]:
    """The contract's columns that the batch brings; PortError for strangers and for what lacks."""
    given = list(rows.column_names)
    strangers = sorted({name for name in given if name not in table.column_names})
    twice = sorted({name for name in given if given.count(name) > 1})
    lacking = [
        column.name
        for column in table.columns
        if column.name not in given and not column.nullable and column.default is None
    ]
    for names, says in (
        (strangers, f"no such column in the contract ({table.path})"),
        (twice, "the column is given twice"),
        (lacking, "the column has no value and no default; give it one"),
    ):
        if names:
            raise PortError(f"{table.ref}.{', '.join(names)}: {says}")
    return [column for column in table.columns if column.name in given]


def _look_over(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[Column],
    rules: Sequence[Rule],
) -> None:
    if not rules:
        return
    counts = connection.execute(
        "select "
        + ", ".join(f"count(*) filter (where {rule.wrong})" for rule in rules)
        + " from __rows"
    ).fetchone()
    assert counts is not None
    given = {column.name for column in columns}
    key = [table.column(name) for name in table.grain if name in given]
    for rule, count in zip(rules, counts, strict=True):
        if not count:
            continue
        shown = [rule.column, *(column for column in key if column != rule.column)]
        first = connection.execute(
            f"select {', '.join(f'cast({quoted(c.name)} as varchar)' for c in shown)} "
            f"from __rows where {rule.wrong} limit 1"
        ).fetchone()
        assert first is not None
        value, *at = (shown_value(column, text) for column, text in zip(shown, first, strict=True))
        where = ", ".join(
            f"{column.name} {text}" for column, text in zip(shown[1:], at, strict=True)
        )
        raise PortError(
            f"{table.ref}.{rule.column.name}: {rule.says}; {value}"
            + (f" at {where}" if where else "")
            + (f", and {count - 1} more rows" if count > 1 else "")
        )
