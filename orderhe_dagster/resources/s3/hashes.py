"""SHA-256 of S3's objects: what is sent with one, and what the server's answer says of it. No request here.

S3 computes the SHA-256 of an object that comes in one piece, compares it with the one that was sent
and gives it back. Of one that comes in parts it knows the SHA-256 of the parts' SHA-256 only. Such an
object carries both as metadata, computed in one reading of the file: as long as the server's own is
the one noted there, the whole object's is true too.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SHA256 = "orderhe-sha256"
PARTS = "orderhe-parts"
WRITE = "orderhe-write"
"""Names of metadata: the object's SHA-256 (hex), that of its parts (as S3 writes it), who wrote it."""
_CHUNK_BYTES = 1 << 20


@dataclass(frozen=True)
class Hashed:
    """A file's size in bytes, its SHA-256 (hex), and S3's of it in parts (`<base64>-<parts>`)."""

    size: int
    sha256: str
    parts: str


def hash_file(path: Path, part_bytes: int) -> Hashed:
    """Read a file once for all of them."""
    whole, of_parts = hashlib.sha256(), hashlib.sha256()
    size = count = 0
    with path.open("rb") as file:
        while True:
            part, left = hashlib.sha256(), part_bytes
            while left and (chunk := file.read(min(left, _CHUNK_BYTES))):
                whole.update(chunk)
                part.update(chunk)
                left -= len(chunk)
            if left == part_bytes:
                break
            of_parts.update(part.digest())
            size, count = size + part_bytes - left, count + 1
    return Hashed(size, whole.hexdigest(), f"{_base64(of_parts.digest())}-{count}")


def checksum(sha256: str) -> str:
    """A SHA-256 in hex as S3 writes it."""
    return _base64(bytes.fromhex(sha256))


def known_sha256(answer: Mapping[str, Any]) -> str | None:
    """The object's SHA-256 (hex) that the server answers for; None where it has none of the whole."""
    checksum: str | None = answer.get("ChecksumSHA256")
    if checksum is None:
        return None
    metadata: Mapping[str, str] = answer.get("Metadata", {})
    # Not every server writes the number of parts behind it.
    if checksum.partition("-")[0] == metadata.get(PARTS, "").partition("-")[0]:
        return metadata.get(SHA256)
    if "-" in checksum or answer.get("ChecksumType") == "COMPOSITE":
        return None
    return base64.b64decode(checksum).hex()


def _base64(digest: bytes) -> str:
    return base64.b64encode(digest).decode()
