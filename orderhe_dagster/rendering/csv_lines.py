"""Rows to the lines of a CSV file as an expression of DuckDB's SQL: to the byte as `csv_files` has them.

Nothing is run here: who has a DuckDB with the rows in it does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the start of a formula; the last four are = + - @ at full width."""
_QUOTE = "'\"'"
_QUOTED = (",", '"', "\n", "\r")
"""What a cell is put into quotation marks for."""


def line_expression(columns: Sequence[tuple[str, str]]) -> str | None:
    """A row's line with its end, over columns given as SQL and with their Redshift types.

    None where a type is among them whose text Python and DuckDB might write differently.
    """
    cells = []
    for column, type_ in columns:
        name, _, size = type_.rstrip(")").partition("(")
        write = _CELLS.get(name)
        if write is not None:
            cells.append(write(column))
        elif name == "decimal" and size:
            cells.append(_decimal(column, size))
        else:
            return None
    if len(cells) == 1:  # a line with nothing in it would be no row
        cells = [f"coalesce(nullif({cells[0]}, ''), '\"\"')"]
    separated = ", ',', ".join(cells)  # concat takes NULL for nothing, as a cell does
    return f"concat({separated}, chr(10))"


def _plain(column: str) -> str:
    return f"cast({column} as varchar)"


def _text(column: str) -> str:
    """Guarded against formulas, and quoted where it holds what cells are parted by.

    No list of IN: DuckDB would join with it, and a join does not keep the order of the rows.
    """
    text = _plain(column)
    formula = f"{text} <> '' and contains({_literal(''.join(FORMULA_STARTS))}, left({text}, 1))"
    guarded = f"case when {formula} then '''' || {text} else {text} end"
    special = " or ".join(f"contains({text}, {_literal(sign)})" for sign in _QUOTED)
    return (
        f"case when {special} then {_QUOTE} || replace({guarded}, {_QUOTE}, '\"\"') || {_QUOTE}"
        f" else {guarded} end"
    )


def _decimal(column: str, size: str) -> str:
    """With a digit before the point, where the type has room for none."""
    digits, _, scale = size.partition(",")
    if digits != scale:
        return _plain(column)
    return _plain(f"cast({column} as decimal({int(digits) + 1}, {scale}))")


def _float(column: str) -> str:
    """With all the digits of a double: what a real is to Python. No number has no sign there."""
    number = f"cast({column} as double)"
    return f"case when isnan({number}) then 'nan' else {_plain(number)} end"


def _timestamp(column: str) -> str:
    """Six digits of a second that is not whole, none of one that is; of years that Python knows."""
    text = _plain(column)
    whole = f"epoch_us({column}) % 1000000 = 0"
    other = f"{column} < timestamp '0001-01-01' or {column} >= timestamp '10000-01-01'"
    return f"case when {whole} or {other} then {text} else rpad({text}, 26, '0') end"


def _moment(column: str) -> str:
    return f"{_timestamp(column)} || '+00:00'"


def _bytes(column: str) -> str:
    return f"lower(hex({column}))"


def _literal(text: str) -> str:
    """A text as SQL; line ends by their numbers, so that no statement has them in a literal."""
    signs = [f"chr({ord(sign)})" if sign < " " else f"'{sign}'" for sign in text]
    return f"({' || '.join(signs)})"


_CELLS: dict[str, Callable[[str], str]] = {
    **dict.fromkeys(("boolean", "smallint", "integer", "bigint", "date"), _plain),
    **dict.fromkeys(("varchar", "text", "super", "unknown"), _text),
    **dict.fromkeys(("real", "double"), _float),
    "timestamp": _timestamp,
    "timestamptz": _moment,
    "varbyte": _bytes,
}
"""By Redshift's name of a type, without its size."""
