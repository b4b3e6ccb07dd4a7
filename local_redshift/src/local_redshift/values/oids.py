"""The numbers that stand for schemas, tables and types in the system views. No catalogue is read here."""

from __future__ import annotations

import zlib

_FIRST, _MANY = 100_000, 900_000_000


SYSTEM_CATALOGS = ("pg_class", "pg_namespace", "pg_type", "pg_proc", "pg_constraint", "pg_attrdef")
"""The system's own tables that clients name as `'pg_class'::regclass`."""


def oid(*names: str) -> int:
    """The number of what has this name: the same in every session, as long as the name is."""
    return _FIRST + zlib.crc32("\0".join(names).encode("utf-8")) % _MANY
