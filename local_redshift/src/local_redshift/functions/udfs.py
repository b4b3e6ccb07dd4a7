"""User-defined functions: in Python, for what DuckDB's own would answer otherwise than Redshift.

What they compute is beside (`udf_formats`, `udf_hashes`, `udf_json`); the rules that call them are in
`functions` and its neighbours. A database learns them when the first statement comes that uses one.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

from local_redshift.values.uses import Uses

_PREFIX = "rs_"
Udf = tuple[Callable[..., Any], str, str]
"""A function, the DuckDB types of its arguments (by blanks), and that of its result."""


@cache
def udfs() -> dict[str, Udf]:
    """All of them, by name."""
    from local_redshift.functions import udf_formats, udf_hashes, udf_json

    return {**udf_formats.UDFS, **udf_hashes.UDFS, **udf_json.UDFS}


def udf(uses: Uses, name: str, *arguments: str) -> str:
    """The DuckDB text of a call, noted in what uses it; where an argument is NULL, so is the result."""
    uses.udfs.add(name)
    return f"{_PREFIX}{name}({', '.join(arguments)})"


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with NULL for any NULL."""

    @wraps(function)  # DuckDB asks for its parameters
    def strict(*given: Any) -> Any:
        return None if any(value is None for value in given) else function(*given)

    return strict


def register(connection: Any) -> None:
    """Make them known to a DuckDB database, once."""
    for name, (function, arguments, result) in udfs().items():
        connection.create_function(
            f"{_PREFIX}{name}",
            _strict(function),
            arguments.split(),
            result,
            null_handling="special",  # they may give NULL
        )
