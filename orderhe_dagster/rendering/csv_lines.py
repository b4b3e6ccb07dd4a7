"""Rows to the lines of a CSV file as a select of DuckDB's: to the byte as `csv_files` has them.

Nothing is run here: who has a DuckDB with the rows in it does that.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What spreadsheets take for the start of a formula; the last four are = + - @ at full width."""
_SPECIAL = (",", '"', "\n", "\r")
"""What a cell is put into quotation marks for."""
_QUOTE, _APOSTROPHE = "chr(34)", "chr(39)"
_PLAIN_STARTS = (("'A'", "chr(65281)"), ("'0'", "'='"))
"""From which text to which none begins as a formula does: nearly all, and two comparisons tell."""


def lines_select(columns: Sequence[tuple[str, str]], source: str) -> str | None:
    """A select of the lines of `source`, with their ends, in its order: what may stand after FROM.

    Its columns are given as SQL, with their Redshift types. None where a type is among them whose
    text Python and DuckDB might write differently.
    """
    texts, quoted, unquoted = [], [], []
    for column, type_ in columns:
        if type_.partition("(")[0] in _TEXTS:
            texts.append(_plain(column))
            quoted.append(_quoted(_plain(column)))
            unquoted.append(_guarded(_plain(column)))
            continue
        cell = _cell(column, type_)
        if cell is None:
            return None
        quoted.append(cell)
        unquoted.append(cell)
    if not texts:
        return f"select {_line(quoted)} from {source}"
    # Of all texts of a row at once it is asked whether one is to be quoted: few rows have any.
    line = f"case when {_special('_texts')} then {_line(quoted)} else {_line(unquoted)} end"
    return f"select {line} from (select *, concat({', '.join(texts)}) as _texts from {source})"


def _line(cells: list[str]) -> str:
    if len(cells) == 1:  # a line with nothing in it would be no row
        cells = [f"coalesce(nullif({cells[0]}, ''), '\"\"')"]
    separated = ", ',', ".join(cells)  # concat takes NULL for nothing, as a cell does
    return f"concat({separated}, chr(10))"


def _special(text: str) -> str:
    """No list of IN, here and below: DuckDB would join with it, and a join loses the order of the rows."""
    return " or ".join(f"contains({text}, {_literal(sign)})" for sign in _SPECIAL)


def _guarded(text: str) -> str:
    plain = " or ".join(f"({text} >= {low} and {text} < {high})" for low, high in _PLAIN_STARTS)
    formula = f"{text} <> '' and contains({_literal(''.join(FORMULA_STARTS))}, left({text}, 1))"
    return (
        f"case when {plain} then {text} when {formula} then {_APOSTROPHE} || {text} else {text} end"
    )


def _quoted(text: str) -> str:
    inside = f"replace({_guarded(text)}, {_QUOTE}, {_QUOTE} || {_QUOTE})"
    return f"case when {_special(text)} then {_QUOTE} || {inside} || {_QUOTE} else {_guarded(text)} end"


def _cell(column: str, type_: str) -> str | None:
    """The text of a value that needs no marks; None where it is not certain."""
    name, _, size = type_.rstrip(")").partition("(")
    if name == "decimal" and size:
        return _decimal(column, size)
    write = _CELLS.get(name)
    return write and write(column)


def _plain(column: str) -> str:
    return f"cast({column} as varchar)"


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
    **dict.fromkeys(("real", "double"), _float),
    "timestamp": _timestamp,
    "timestamptz": _moment,
    "varbyte": _bytes,
}
_TEXTS = frozenset(("varchar", "text", "super", "unknown"))
"""By Redshift's names of the types, without their sizes."""
