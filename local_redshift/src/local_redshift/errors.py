"""The one error of the local Redshift. No Dagster, no port: adapters translate it."""

from __future__ import annotations

import re


class RedshiftError(Exception):
    """A statement failed as it would on Redshift, or the local Redshift has no rule for it.

    `code` is an SQLSTATE; `0A000` with "the local Redshift has no rule" means refused, not wrong.
    `detail` and `hint` are the further fields (D, H) that Redshift sends beside its message.
    """

    def __init__(self, code: str, message: str, detail: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.code, self.message, self.detail, self.hint = code, message, detail, hint

    def __str__(self) -> str:
        if context := _CONTEXT.search(self.detail):
            return f'{self.message}: "{context[1]}"'
        return f"{self.message}; {self.detail}" if self.detail else self.message


_CONTEXT = re.compile(r"^  context:   (.*?)\n  query:", re.MULTILINE | re.DOTALL)


def block(message: str, code: int, context: str) -> str:
    """The detail of an error of a compute node, as Redshift lays it out; `context` is what it met."""
    rule = "-" * 47
    lines = f"  error:  {message}\n  code:      {code}\n  context:   {context}\n  query:     0\n"
    return f"\n  {rule}\n{lines}  location:  local\n  process:   local\n  {rule}\n"


def refuse(
    construct: str, action: str = "write it another way, or run it on Amazon Redshift"
) -> RedshiftError:
    """The error for a construct without a rule: names it and what to do instead."""
    return RedshiftError("0A000", f"the local Redshift has no rule for {construct}; {action}")


_MARK = re.compile(r"RS([0-9A-Z]{5}):(.*?)(?:\n\nAt:|$)", re.DOTALL)
_MISSING_NULL = re.compile(r"NOT NULL constraint failed: (?:.*\.)?(\S+)")


def raising(code: str, message: str) -> str:
    """The DuckDB expression that fails with this code; `message` is SQL text yielding the words."""
    return f"error('RS{code}:' || {message})"


_OVERFLOW = re.compile(r"(Casting value|with value) .*out of range")


def failure(code: str, message: str) -> ValueError:
    """What a function in Python raises: `from_duckdb` finds the code and the words in it again."""
    return ValueError(f"RS{code}:{message}")


def translated(error: BaseException, failures: type[Exception]) -> BaseException:
    """The error that a session tells; `failures` is DuckDB's. What is nobody's stays as it is."""
    if isinstance(error, RecursionError):
        return _too_deep()
    return from_duckdb(error) if isinstance(error, failures) else error


def _too_deep() -> RedshiftError:
    """Amazon names no such limit: it is the local Redshift's, or DuckDB's, own."""
    return refuse(
        "brackets, calls or subqueries this deep inside one another",
        "name inner parts in WITH, or run it on Amazon Redshift",
    )


CONFLICT = "could not complete because of conflict with concurrent transaction"
"""What Redshift says when definitions changed under a statement."""
_CHANGED = re.compile("altered|dropped|write-write conflict|conflict", re.IGNORECASE)
_SPACE = re.compile(
    r"No space left|File too large|disk full|Could not (write|truncate)|Cannot write", re.IGNORECASE
)


_BAD_INTEGER = re.compile(
    r'invalid input syntax for type (smallint|integer|bigint): "(.*)"\Z', re.DOTALL
)
_INTEGERS = {"smallint": "Short", "integer": "Integer", "bigint": "Long"}


def _bad_integer(message: str) -> RedshiftError | None:
    """A text of a row that is no integer, as a compute node tells it; its whole text is in the detail."""
    match = _BAD_INTEGER.match(message)
    if match is None:
        return None
    text = match[2]
    digits = re.match(r"\s*[-+]?\d*\s*", text, re.ASCII)
    place = digits.end() if digits else 0
    digit = f"Invalid digit, Value '{text[place : place + 1]}', Pos {place}"
    words = f"{digit}, Type: {_INTEGERS[match[1]]}"
    return RedshiftError("XX000", words, block(words, 1207, text))


_UNGROUPED = re.compile(r'column "([^"]*)" must appear in the GROUP BY clause')
_MISUSED = (
    ("calls cannot be nested", "aggregate function calls may not have nested aggregate or window"),
    ("WHERE clause cannot contain aggregates", "aggregates not allowed in WHERE clause"),
    ("WHERE clause cannot contain window", "window functions not allowed in WHERE clause"),
    ("GROUP BY clause cannot contain aggregates", "aggregates not allowed in GROUP BY clause"),
)


def _misused(message: str) -> RedshiftError | None:
    """An aggregate or an ungrouped column where it cannot stand, in the words of Redshift's planner."""
    if ungrouped := _UNGROUPED.search(message):
        words = "must appear in the GROUP BY clause or be used in an aggregate function"
        return RedshiftError("42803", f'column "{ungrouped[1]}" {words}')
    for theirs, words in _MISUSED:
        if theirs in message:
            return RedshiftError("42803", words)
    return RedshiftError("42803", message) if "GROUP BY" in message else None


def from_duckdb(error: Exception) -> RedshiftError:  # noqa: PLR0911 - one return a kind
    """What Redshift would say where DuckDB says `error`."""
    text = str(error)
    kind = type(error).__name__
    if marked := _MARK.search(text):
        return _bad_integer(marked[2]) or RedshiftError(marked[1], marked[2].strip())
    first = text.split("\n\n", maxsplit=1)[0].split("\nLINE ", maxsplit=1)[0].strip()
    if "Max expression depth" in first:
        return _too_deep()
    if _SPACE.search(text):
        return RedshiftError("53100", f"Disk Full: {first}", hint="free space and run it again")
    if kind == "InterruptException":
        return RedshiftError("57014", "Query cancelled on user's request")
    if kind == "ConstraintException":
        if missing := _MISSING_NULL.search(text):
            return RedshiftError("23502", f"Cannot insert a NULL value into column {missing[1]}")
        return RedshiftError("23000", first)
    if kind == "OutOfRangeException":
        return RedshiftError("22003", f"Overflow: {first}")
    if kind == "ConversionException" and _OVERFLOW.search(first):
        words = (
            "Numeric data overflow (result precision): a number does not fit the type of its cast"
        )
        return RedshiftError("22003", words)
    if kind == "ConversionException":
        return RedshiftError("22P02", first)
    if kind == "TransactionException":
        if "Conflict on" in text:
            return RedshiftError("XX000", "1023", f"Serializable isolation violation: {first}")
        if _CHANGED.search(text):
            return RedshiftError("XX000", CONFLICT, first)
        return RedshiftError("XX000", first)
    return _misused(first) or RedshiftError("XX000", first)
