"""How rows enter the embedded source: exactly, or not at all, as a strict MySQL takes them.

Here a batch is judged before it is inserted, and what is wrong is put into words. The rules are
`column_rules`'; files, locks and transactions belong to `embedded_source`.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.ddl import quoted, string
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
        columns = checked_columns(connection, table, rows)
        names = ", ".join(quoted(column.source_name) for column in columns)
        connection.execute(
            f"insert into {quoted(table.source_name)} ({names}) select {cast_list(columns)} from __rows"
        )
    except duckdb.ConstraintException as error:
        raise PortError(constraint_text(table, str(error))) from None
    except duckdb.Error as error:
        raise PortError(f"{table.ref}: the rows were not taken: {safe_text(str(error))}") from None
    finally:
        connection.unregister("__rows")


def insert_files(connection: duckdb.DuckDBPyConnection, table: Table, paths: Sequence[Path]) -> int:
    """Insert the rows of Parquet parts that an extract has written; how many. PortError as `insert`."""
    import duckdb

    columns = written_columns(table)
    names = ", ".join(quoted(column.source_name) for column in columns)
    rows = f"select {cast_list(columns)} from {parquet_relation(paths)}"
    try:
        result = connection.execute(
            f"insert into {quoted(table.source_name)} ({names}) {rows}"
        ).fetchone()
    except duckdb.ConstraintException as error:
        raise PortError(constraint_text(table, str(error))) from None
    return int(result[0]) if result else 0


def written_columns(table: Table) -> list[Column]:
    """The columns that are written: what the database computes itself is left to it."""
    return [column for column in table.columns if not column.generated]


def parquet_relation(paths: Sequence[Path]) -> str:
    """Parquet files as one relation of DuckDB's SQL."""
    files = ", ".join(string(path.as_posix()) for path in paths)
    return f"read_parquet([{files}], hive_partitioning = false)"


def checked_columns(
    connection: duckdb.DuckDBPyConnection, table: Table, rows: pa.Table
) -> Sequence[Column]:
    """The columns that a batch brings, after every row was judged; the batch is registered as `__rows`."""
    columns = _columns(table, rows)
    rules = [rule for column in columns for rule in rules_of(table, column, rows)]
    _check_rows(connection, table, columns, rules)
    return columns


def cast_list(columns: Sequence[Column]) -> str:
    """The columns of a batch in the contract's types, as a list of SQL."""
    return ", ".join(
        f"cast({quoted(column.name)} as {duckdb_text(column.type)}) as {quoted(column.name)}"
        for column in columns
    )


def constraint_text(table: Table, message: str) -> str:
    """DuckDB's word on a broken constraint, in the terms of the contract."""
    match = re.search(r'[Dd]uplicate key "(.*)"(?: violates|\n|$)', message, re.DOTALL)
    if not match:
        return f"{table.ref}: the rows were not taken: {safe_text(message)}"
    keys = sorted({table.grain, *table.unique} - {()}, key=len, reverse=True)
    for key in keys:
        names = ", ".join(f"{re.escape(table.source_column(name))}: (.*)" for name in key)
        values = re.fullmatch(names, match.group(1), re.DOTALL)
        if values is None and len(keys) == 1:  # of rows of one transaction it names no columns
            values = re.fullmatch(", ".join("(.*)" for _ in key), match.group(1), re.DOTALL)
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
    text = message.rpartition("\n\nLINE ")[0] or message  # the statement follows
    if not text.startswith(_ABOUT_NAMES):
        text = re.sub(r"""['"].*['"]""", MASK, text, flags=re.DOTALL)
        text = re.sub(r"(string|value) [-\d.e+]+", rf"\1 {MASK}", text)
    return text.split("\n\n", 1)[0].strip()


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
        if column.name not in given and column.required and column.default is None
    ]
    for names, reason in (
        (strangers, f"no such column in the contract ({table.path})"),
        (twice, "the column is given twice"),
        (lacking, "the column has no value and no default; give it one"),
    ):
        if names:
            raise PortError(f"{table.ref}.{', '.join(names)}: {reason}")
    return [column for column in table.columns if column.name in given]


def _check_rows(
    connection: duckdb.DuckDBPyConnection,
    table: Table,
    columns: Sequence[Column],
    rules: Sequence[Rule],
) -> None:
    """PortError for the first rule that rows break, with one of them and how many there are."""
    if not rules:
        return
    counts = connection.execute(
        "select "
        + ", ".join(f"count(*) filter (where {rule.wrong})" for rule in rules)
        + " from __rows"
    ).fetchone()
    assert counts is not None
    for rule, count in zip(rules, counts, strict=True):
        if count:
            value, where = _first_wrong(connection, table, columns, rule)
            raise PortError(
                f"{table.ref}.{rule.column.name}: {rule.message}; {value}"
                + (f" at {where}" if where else "")
                + (f", and {count - 1} more rows" if count > 1 else "")
            )


def _first_wrong(
    connection: duckdb.DuckDBPyConnection, table: Table, columns: Sequence[Column], rule: Rule
) -> tuple[str, str]:
    """The value of a row that breaks the rule, and the row's key, as an error shows them."""
    given = {column.name for column in columns}
    key = [table.column(name) for name in table.grain if name in given]
    shown = [rule.column, *(column for column in key if column != rule.column)]
    row = connection.execute(
        f"select {', '.join(f'cast({quoted(c.name)} as varchar)' for c in shown)} "
        f"from __rows where {rule.wrong} limit 1"
    ).fetchone()
    assert row is not None
    texts = [shown_value(column, text) for column, text in zip(shown, row, strict=True)]
    where = [f"{column.name} {text}" for column, text in zip(shown, texts, strict=True)]
    return texts[0], ", ".join(where[1:])
