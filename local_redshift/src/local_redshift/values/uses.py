"""What a DuckDB text needs beside itself: the tables it reads, the functions in Python it calls."""

from __future__ import annotations

from collections.abc import Iterable

EVERY = "*"
"""Stands for every function in Python: of a text that was kept before its own were noted."""


class Uses:
    """The tables that are read, as `schema.table`, and the functions in Python that are called, by name.

    One of these is filled while a statement is compiled, and its queries carry it. Rules write texts out
    of texts in hundreds of places: a set on each value would have to be merged in all of them, and one
    place forgotten is a lock that is not taken. So what writes a table's name or a call of such a
    function puts it here, there is no other way to write either, and nothing is merged. What is
    compiled and then not used counts, too: a table is locked that need not be, never the reverse.
    """

    __slots__ = ("tables", "udfs")

    def __init__(self, tables: Iterable[str] = (), udfs: Iterable[str] = ()) -> None:
        self.tables, self.udfs = set(tables), set(udfs)

    def add(self, other: Uses) -> None:
        """Whoever is written with the other's text needs what it needs."""
        self.tables |= other.tables
        self.udfs |= other.udfs

    def __repr__(self) -> str:
        return f"Uses({sorted(self.tables)}, {sorted(self.udfs)})"
