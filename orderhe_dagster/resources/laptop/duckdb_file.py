"""What can be wrong with a DuckDB file, and what to do about it. Nothing is read from its tables."""

from __future__ import annotations

from pathlib import Path

_HEADERS_BYTES = 3 * 4096  # written one by one when a file is made
_MAGIC_AT, _MAGIC = 8, b"DUCK"


def is_stillborn(file: Path) -> bool:
    """Whether the process that was making the file died before DuckDB had written its headers.

    Such a file never held a row, and DuckDB refuses to open it for ever.
    """
    try:
        with file.open("rb") as opened:
            head = opened.read(_HEADERS_BYTES)
    except FileNotFoundError:
        return False
    whole = len(head) == _HEADERS_BYTES
    return not whole and (not head or head[_MAGIC_AT : _MAGIC_AT + len(_MAGIC)] == _MAGIC)


def remove_stillborn(file: Path) -> None:
    """Remove a stillborn file, so that it is made again. Whoever calls holds the file's lock alone."""
    if is_stillborn(file):
        file.unlink()


def remedy(file: Path, message: str, rebuild: str) -> str:
    """An engine's input or output error, with the file and what to do. `rebuild`: how to make it again."""
    first = message.splitlines()[0].rstrip(".!")
    if "set lock on file" in first.lower():  # not any "lock": a damaged file tells of its blocks
        return (
            f"{file} cannot be opened: {first}. Another program has it open (a DuckDB client, say): "
            "close it there and run this again"
        )
    return (
        f"{file} cannot be read or written: {first}. If its disk is full, free space and run this "
        f"again. If the file is damaged, move it away; {rebuild}"
    )
