"""The keys of a header put onto a Table: every column they name must be there. No SQL is parsed here."""

from __future__ import annotations

from dataclasses import replace

from orderhe_dagster.catalog.column_names import spelling_of
from orderhe_dagster.catalog.day_links import is_link
from orderhe_dagster.catalog.errors import Problem, Problems, close_to, listing
from orderhe_dagster.catalog.header import Header, freshness, owner, parts_of, unquoted
from orderhe_dagster.catalog.table import (
    BAD_VALUES,
    DAY_COLUMN,
    BadValues,
    Column,
    Plot,
    Table,
)

SINGLE = ("partition", "cursor", "distkey")  # keys that name one column
NUMBERS = ("smallint", "integer", "bigint", "decimal", "real", "double")
TIMES = ("date", "timestamp")


def apply_keys(table: Table, header: Header, problems: Problems) -> Table:
    """The table with its partition, cursor, grain, keys, owner, freshness and @pii columns."""
    spelling = spelling_of(table.columns)
    columns_of: dict[str, tuple[str, ...]] = {}
    for key in ("partition", "cursor", "grain", "distkey", "sortkey", "pii"):
        entry = header.entry(key)
        if entry is None or (key == "partition" and is_link(entry)):
            continue  # the way to a parent is read when all contracts are
        names: list[str] = []
        for name in entry.names:
            spelt = spelling.get(name.lower())
            if spelt is None:
                hint = close_to(name.lower(), spelling)
                problems.add(
                    table.path, entry.line, f"@{key} names {name!r}, no column of {table.ref}{hint}"
                )
            elif spelt in names:
                problems.add(table.path, entry.line, f"@{key} names {name!r} twice")
            else:
                names.append(spelt)
        if key in SINGLE and len(entry.names) > 1:
            problems.add(table.path, entry.line, f"@{key} takes one column, found {entry.value!r}")
        columns_of[key] = tuple(names)
    personal = columns_of.get("pii", ())
    if personal and table.layer in ("mart", "export"):
        problems.add(
            table.path,
            header.entries["pii"].line,
            f"@pii in {table.layer}: personal data stays in the warehouse; leave the column out",
        )
    result = replace(
        table,
        partition=next(iter(columns_of.get("partition", ())), None),
        cursor=next(iter(columns_of.get("cursor", ())), None),
        grain=columns_of.get("grain", table.grain),
        unique=_unique(table, columns_of.get("grain")),
        distkey=next(iter(columns_of.get("distkey", ())), None),
        sortkey=columns_of.get("sortkey", ()),
        owner=problems.attempt(lambda: owner(table.path, header)),
        freshness=problems.attempt(lambda: freshness(table.path, header)),
        plot=_plot(table, header, problems),
        leave_out=_left_out(table, header, problems),
        columns=tuple(
            replace(column, pii=True) if column.name in personal else column
            for column in table.columns
        ),
    )
    result = replace(result, columns=_with_policies(result, header, problems))
    for key in ("partition", "cursor"):
        problems.attempt(lambda key=key: _check_time(result, header, key))  # type: ignore[misc]
    if table.layer != "raw" and is_link(header.entry("partition")):
        problems.add(
            table.path,
            header.entries["partition"].line,
            f"@partition in {table.layer}: only a contract is cut by the day of a parent; name a column "
            f"of this select, such as one that is made of the parent's {DAY_COLUMN}",
        )
    return result


def _left_out(table: Table, header: Header, problems: Problems) -> tuple[str, ...]:
    """The columns of @leave_out: the shop's table may have them, the contract does not."""
    entry = header.entry("leave_out")
    if entry is None:
        return ()
    if table.layer != "raw":
        problems.add(
            table.path,
            entry.line,
            f"@leave_out in {table.layer}: only a contract leaves columns out",
        )
    there = spelling_of(table.columns)
    for name in entry.names:
        if name.lower() in there:
            problems.add(
                table.path,
                entry.line,
                f"@leave_out names {name!r}, which {table.ref} has: take out one of the two",
            )
    return entry.names


def _with_policies(table: Table, header: Header, problems: Problems) -> tuple[Column, ...]:
    """The columns with the policies of @bad_values: `shipped_at null, born_on fail`."""
    entry = header.entry("bad_values")
    if entry is None:
        return table.columns

    def wrong(text: str) -> None:
        problems.add(table.path, entry.line, f"@bad_values {text}")

    if table.layer != "raw":
        wrong(f"in {table.layer}: only a contract has it, for what its MySQL table may hold")
        return table.columns
    spelling = spelling_of(table.columns)
    chosen: dict[str, BadValues] = {}
    for part in parts_of(entry.value):
        written, _, word = part.strip().rpartition(" ")
        policy = next((known for known in BAD_VALUES if known == word), None)
        name = spelling.get(unquoted(written).lower())
        if policy is None:
            wrong(f"{part.strip()!r}: write a column and {listing(BAD_VALUES)}, as in born_on null")
        elif name is None:
            wrong(
                f"names {written.strip()!r}, no column of {table.ref}{close_to(written.lower(), spelling)}"
            )
        elif name in chosen:
            wrong(f"names {name!r} twice")
        elif policy == "null" and name in table.grain:
            wrong(
                f"{name} null: it is of the key, by which rows are told apart; write quarantine or fail"
            )
        else:
            chosen[name] = policy
    return tuple(
        _with_policy(column, chosen[column.name]) if column.name in chosen else column
        for column in table.columns
    )


def _with_policy(column: Column, policy: BadValues) -> Column:
    """The column with the policy; with `null` it may be NULL here, whatever the source promises."""
    is_promise = policy == "null" and column.required
    return replace(
        column,
        bad_values=policy,
        nullable=column.nullable or is_promise,
        promised=is_promise,
    )


def _unique(table: Table, grain: tuple[str, ...] | None) -> tuple[tuple[str, ...], ...]:
    """The further unique keys: with a @grain of its own, a contract's primary key is one of them."""
    if grain is None or not table.grain or set(grain) == set(table.grain):
        return table.unique
    return (table.grain, *table.unique)


def _check_time(table: Table, header: Header, key: str) -> None:
    """A partition column is a date or a time; a cursor can be summed up."""
    name = table.partition if key == "partition" else table.cursor
    if name is None:
        return
    column, line = table.column(name), header.entries[key].line
    if column.type.kind not in ("date", "timestamp") and key == "partition":
        raise Problem(
            table.path,
            line,
            f"@partition {name}: a {column.type.declared} has no day; "
            "name a date, datetime or timestamp column",
        )
    if column.type.kind not in ("timestamp", "date", "smallint", "integer", "bigint", "decimal"):
        raise Problem(
            table.path,
            line,
            f"@cursor {name}: a {column.type.declared} does not count up; name a time or a number",
        )


def _plot(table: Table, header: Header, problems: Problems) -> Plot | None:
    """The picture that a mart's @plot asks for; how it is drawn is not known here."""
    entry = header.entry("plot")
    if entry is None:
        return None

    def wrong(text: str) -> Problem:
        return Problem(table.path, entry.line, f"@plot {text}")

    def read() -> Plot:
        if table.layer != "mart":
            raise wrong(f"in {table.layer}: only a mart is drawn")
        if len(entry.names) not in (2, 3):
            raise wrong(
                f"{entry.value!r}: write a date or text, a number, and at most one text that tells "
                "lines apart, as in order_date, net_amount, category"
            )
        columns = [_column(name) for name in entry.names]
        if len({column.name for column in columns}) < len(columns):
            raise wrong(f"{entry.value!r} names a column twice")
        across, up, *by = columns
        if across.type.kind not in (*TIMES, "varchar"):
            raise wrong(
                f"{across.name}: a {across.type.kind} is neither a date, timestamp nor text"
            )
        if up.type.kind not in NUMBERS:
            raise wrong(f"{up.name}: a {up.type.kind} is no number")
        if by and by[0].type.kind != "varchar":
            raise wrong(f"{by[0].name}: a {by[0].type.kind} is no text to tell lines apart by")
        return Plot(across.name, up.name, by[0].name if by else None)

    spelling = {column.name.lower(): column for column in table.columns}

    def _column(name: str) -> Column:
        if name.lower() not in spelling:
            raise wrong(
                f"names {name!r}, no column of {table.ref}{close_to(name.lower(), spelling)}"
            )
        return spelling[name.lower()]

    return problems.attempt(read)
