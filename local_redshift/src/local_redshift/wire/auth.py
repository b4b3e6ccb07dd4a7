"""Passwords on the wire: the server's side of SCRAM-SHA-256 and of Redshift's SHA-256 digest. Pure.

Neither sends the password. SCRAM (RFC 5802, 7677) is for `psql` and its like; the digest is what a real
workgroup asks Amazon's drivers for. redshift-connector cannot read a standard offer of SCRAM.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import os
import struct

from local_redshift.database.passwords import ITERATIONS, Verifier
from local_redshift.wire.messages import Body, ProtocolError

SASL, SASL_CONTINUE, SASL_FINAL, DIGEST = 10, 11, 12, 13
MECHANISM = "SCRAM-SHA-256"


def _hmac(key: bytes, text: bytes) -> bytes:
    return hmac.new(key, text, "sha256").digest()


class Scram:
    """One exchange: `first` answers the client's first message, `final` its proof.

    An unknown user runs the same exchange against a verifier that nothing opens, with a salt of its own.
    """

    def __init__(self, verifier: Verifier | None, salt: bytes) -> None:
        self._known = verifier is not None
        self._verifier = verifier or Verifier(salt, os.urandom(32), b"", b"")
        self._header = self._nonce = self._so_far = ""

    def first(self, body: bytes) -> bytes:
        """The challenge to a SASLInitialResponse. ProtocolError: not one of ours."""
        fields = Body(body)
        if fields.text() != MECHANISM:
            raise ProtocolError(f"SASL mechanism: {MECHANISM} expected")
        message = _ascii(fields.take(fields.int32()))
        fields.end()
        channel, _, bare = message.partition(",,")
        parts = _attributes(bare)
        if channel not in ("n", "y") or not parts.get("r"):
            raise ProtocolError("malformed SCRAM message")
        self._header, self._nonce = f"{channel},,", parts["r"] + _base64(os.urandom(18))
        salt = _base64(self._verifier.salt)
        challenge = f"r={self._nonce},s={salt},i={ITERATIONS}"
        self._so_far = f"{bare},{challenge}"
        return challenge.encode()

    def final(self, body: bytes) -> bytes | None:
        """The server's own signature when the proof is right, None when it is not."""
        message = _ascii(body)
        without, _, proof = message.rpartition(",p=")
        parts = _attributes(without)
        if parts.get("c") != _base64(self._header.encode()) or parts.get("r") != self._nonce:
            raise ProtocolError("malformed SCRAM message")
        signed = f"{self._so_far},{without}".encode()
        signature = _hmac(self._verifier.stored_key, signed)
        try:
            given = base64.b64decode(proof, validate=True)
        except binascii.Error:
            raise ProtocolError("malformed SCRAM proof") from None
        key = bytes(one ^ two for one, two in zip(given, signature, strict=False))
        right = hmac.compare_digest(hashlib.sha256(key).digest(), self._verifier.stored_key)
        if not (right and self._known):
            return None
        return f"v={_base64(_hmac(self._verifier.server_key, signed))}".encode()


class Digest:
    """Redshift's own exchange: SHA-256 of (SHA-256 of password and salt), both nonces after it."""

    def __init__(self, verifier: Verifier | None, salt: bytes) -> None:
        self._verifier, self._nonce = verifier, os.urandom(16)
        self._salt = verifier.salt if verifier else salt

    def challenge(self) -> bytes:
        """Algorithm 0 (SHA-256), the salt, the server's nonce."""
        parts = [struct.pack("!I", 0)]
        parts += [struct.pack("!I", len(part)) + part for part in (self._salt, self._nonce)]
        return b"".join(parts)

    def right(self, body: bytes) -> bool:
        """Whether the answer proves the password."""
        fields = Body(body)
        given = fields.take(fields.int32())
        nonce = fields.take(fields.int32())
        fields.end()
        known = self._verifier.digest if self._verifier else b""
        wanted = hashlib.sha256(known + self._nonce + nonce).digest()
        return hmac.compare_digest(given, wanted) and self._verifier is not None


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def _ascii(data: bytes) -> str:
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        raise ProtocolError("malformed SCRAM message") from None


def _attributes(message: str) -> dict[str, str]:
    pairs = (part.partition("=") for part in message.split(","))
    return {name: value for name, _, value in pairs}
