"""The value of @plot, checked against the columns it names. How a picture is drawn is not known here."""

from __future__ import annotations

from orderhe_dagster.catalog.errors import Problem, Problems, close_to
from orderhe_dagster.catalog.header import Header
from orderhe_dagster.catalog.table import Column, Plot, Table

NUMBERS = ("smallint", "integer", "bigint", "decimal", "real", "double")
TIMES = ("date", "timestamp")


def read_plot(table: Table, header: Header, problems: Problems) -> Plot | None:
    """The picture that a mart's header asks for; what is wrong with it goes to `problems`."""
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
