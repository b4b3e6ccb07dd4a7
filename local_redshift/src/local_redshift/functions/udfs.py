"""Functions in Python that DuckDB calls by name: for what its own would answer otherwise than Redshift.

What they compute is beside (`udf_formats`, `udf_hashes`, `udf_json`); the rules that write
calls of them are in `functions` and its neighbours. Their names begin with `rs_`, so a text shows
whether it needs them.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, wraps
from typing import Any

PREFIX = "rs_"
Native = tuple[Callable[..., Any], str, str]
"""A function, the DuckDB types of its arguments (by blanks), and that of its result."""


@cache
def natives() -> dict[str, Native]:
    """All of them, by name."""
    from local_redshift.functions import udf_formats, udf_hashes, udf_json

    return {**udf_formats.NATIVES, **udf_hashes.NATIVES, **udf_json.NATIVES}


def native(name: str, *arguments: str) -> str:
    """The DuckDB text of a call; where an argument is NULL, so is the result."""
    return f"{PREFIX}{name}({', '.join(arguments)})"


def _strict(function: Callable[..., Any]) -> Callable[..., Any]:
    """The function, with NULL for any NULL."""

    @wraps(function)  # DuckDB asks for its parameters
    def made(*given: Any) -> Any:
        return None if any(value is None for value in given) else function(*given)

    return made


def register(connection: Any) -> None:
    """Make them known to a DuckDB database, once."""
    for name, (function, arguments, result) in natives().items():
        connection.create_function(
            f"{PREFIX}{name}",
            _strict(function),
            arguments.split(),
            result,
            null_handling="special",  # they may give NULL
        )
