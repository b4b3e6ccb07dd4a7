"""Which key columns MySQL compares without capitals and accents, and about how. For warnings only.

The embedded source compares bytes. The folding here is Unicode's, which is near MySQL's
utf8mb4_0900_ai_ci and not the same.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog.table import Table

if TYPE_CHECKING:
    import pyarrow as pa


def folded_columns(table: Table, names: Sequence[str]) -> tuple[str, ...]:
    """Those of the columns that hold free text under a collation which does not compare bytes."""
    return tuple(
        name
        for name in names
        if table.column(name).type.kind == "varchar"
        and not table.column(name).values
        and not _compares_bytes(table, name)
    )


def folded_text(text: pa.ChunkedArray) -> Any:
    """The texts without capitals, accents and compatibility forms."""
    import pyarrow.compute as pc

    apart = pc.utf8_normalize(text, "NFKD")
    return pc.utf8_lower(pc.replace_substring_regex(apart, r"\p{M}+", ""))


def _compares_bytes(table: Table, name: str) -> bool:
    """Whether the contract gives the column, or else the table, a `_bin` or `_cs` collation."""
    sql = re.sub(r"--[^\n]*|/\*.*?\*/|'(?:[^'\\]|''|\\.)*'", "''", table.sql, flags=re.DOTALL)
    definition = re.search(
        rf"[(,]\s*(?:''\s*)*`?{re.escape(name)}`?\s+((?:\([^()]*\)|[^(),])*)", sql, re.IGNORECASE
    )
    for part in (definition[1] if definition else "", sql.rpartition(")")[2]):
        match = re.search(r"\bcollate\s*=?\s*`?(\w+)|\b(binary)\b", part, re.IGNORECASE)
        if match:
            collation = (match[1] or match[2]).lower()
            return collation == "binary" or collation.endswith(("_bin", "_cs"))
    return False
