"""Checksums and numbers in other bases, in Python. Called by DuckDB only."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from functools import cache

from local_redshift.errors import failure

_CASTAGNOLI = 0x82F63B78  # the polynomial of CRC-32C, its bits reversed
_PRIME, _ALL = 0x100000001B3, 2**64 - 1  # of FNV-1a in 64 bits


@cache
def _table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        value = byte
        for _ in range(8):
            value = (value >> 1) ^ (_CASTAGNOLI if value & 1 else 0)
        table.append(value)
    return tuple(table)


def crc32(text: str) -> str:
    """CRC-32C of the bytes, as 8 hexadecimal digits in small letters."""
    value, table = 0xFFFFFFFF, _table()
    for byte in text.encode("utf-8"):
        value = (value >> 8) ^ table[(value ^ byte) & 0xFF]
    return f"{value ^ 0xFFFFFFFF:08x}"


def fnv_hash(text: str, size: int, seed: int) -> int:
    """FNV-1a of the bytes, from a seed; `size`: the text is an integer of so many bytes, the low first."""
    data = int(text).to_bytes(size, "little", signed=True) if size else text.encode("utf-8")
    value = seed & _ALL
    for byte in data:
        value = ((value ^ byte) * _PRIME) & _ALL
    return value - 2**64 if value >= 2**63 else value


def sha2(text: str, bits: int) -> str:
    """SHA-2 of so many bits, as hexadecimal digits in small letters."""
    return hashlib.new(f"sha{bits}", text.encode("utf-8")).hexdigest()


def strtol(text: str, base: int) -> int:
    """STRTOL: blanks, a sign, 0x before base 16; an empty text is 0, a wrong digit an error."""
    shape = re.fullmatch(r"\s*([+-]?)(0[xX])?([0-9a-zA-Z]*)", text)
    if text == "":
        return 0
    try:
        if shape is None or (shape[2] and base != 16):
            raise ValueError
        value = int(shape[3], base) * (-1 if shape[1] == "-" else 1)
    except ValueError:
        raise failure(
            "22023", f"The input {text} is not valid to be converted to base {base}"
        ) from None
    if not -(2**63) <= value < 2**63:
        raise failure("22003", f"value out of range: strtol of {len(text)} digits is no bigint")
    return value


UDFS: dict[str, tuple[Callable[..., object], str, str]] = {
    "crc32": (crc32, "VARCHAR", "VARCHAR"),
    "fnv_hash": (fnv_hash, "VARCHAR INTEGER BIGINT", "BIGINT"),
    "sha2": (sha2, "VARCHAR INTEGER", "VARCHAR"),
    "strtol": (strtol, "VARCHAR INTEGER", "BIGINT"),
}
