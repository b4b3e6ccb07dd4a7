"""Passwords of the database's users: what may be one, and what is kept of it. Proving it: `wire.auth`."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import unicodedata
from dataclasses import dataclass, field

from local_redshift.errors import RedshiftError, refuse

ITERATIONS = 4096
_LEAST, _MOST = 8, 64


@dataclass(frozen=True)
class Verifier:
    """What the server keeps of a password: enough to check a proof, not to make one."""

    salt: bytes
    stored_key: bytes
    server_key: bytes
    digest: bytes = field(repr=False)

    @classmethod
    def of(cls, password: str, salt: bytes = b"") -> Verifier:
        """A verifier with that salt, or one of its own."""
        salt, plain = salt or os.urandom(16), unicodedata.normalize("NFKC", password).encode()
        salted = hashlib.pbkdf2_hmac("sha256", plain, salt, ITERATIONS)
        client_key = hmac.new(salted, b"Client Key", "sha256").digest()
        digest = hashlib.sha256(password.encode() + salt).digest()
        stored_key = hashlib.sha256(client_key).digest()
        server_key = hmac.new(salted, b"Server Key", "sha256").digest()
        return cls(salt, stored_key, server_key, digest)

    @property
    def kept(self) -> str:
        """As a text, to be written down."""
        parts = (self.salt, self.stored_key, self.server_key, self.digest)
        return json.dumps([part.hex() for part in parts])

    @classmethod
    def read(cls, kept: str) -> Verifier:
        """The verifier that was written down."""
        return cls(*map(bytes.fromhex, json.loads(kept)))


def salt_of(user: str, key: str) -> bytes:
    """The salt of a user who is not there: always the same, so that it is not told from those who are."""
    return hmac.new(key.encode(), user.encode("utf-8", "surrogateescape"), "sha256").digest()[:16]


def checked(password: str) -> str:
    """The password, where Redshift would take it. RedshiftError; hashes are refused by ours."""
    if password.startswith(("md5", "sha256|")):
        raise refuse("a password that is given as its hash", "give the password")
    if not _LEAST <= len(password) <= _MOST:
        raise RedshiftError(
            "22023", f"password must be between {_LEAST} and {_MOST} characters in length"
        )
    kinds = {
        "one lowercase letter": str.islower,
        "one uppercase letter": str.isupper,
        "one number": str.isdigit,
    }
    for kind, is_one in kinds.items():
        if not any(map(is_one, password)):
            raise RedshiftError("22023", f"password must contain at least {kind}")
    if any(not 33 <= ord(sign) <= 126 or sign in "'\"\\/@ " for sign in password):
        raise RedshiftError(
            "22023",
            "password must be of ASCII signs, without ' \" \\ / @ and blanks",
        )
    return password
