"""Certificates and passwords that a server makes for itself. Who may come in with them: `handshake`.

The CA's key is thrown away once it has signed: nobody can sign a second server with it.
"""

from __future__ import annotations

import ipaddress
import os
import secrets
import ssl
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from cryptography import x509

_VALID = timedelta(days=397)  # some clients take no certificate that lasts longer
_RENEW = timedelta(days=7)
_LOOPBACK = ("localhost", "127.0.0.1")


class CertificatesError(Exception):
    """A file of a certificate, key or password is not what it should be; the text says what to do."""


@dataclass(frozen=True)
class Certificates:
    """PEM files: the CA that clients trust, the server's certificate and its key."""

    ca: Path
    certificate: Path
    key: Path

    def context(self) -> ssl.SSLContext:
        """The server's side of TLS. CertificatesError: the files are not what they should be."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        try:
            context.load_cert_chain(self.certificate, self.key)
        except OSError as error:
            raise CertificatesError(
                f"{self.certificate} and {self.key} cannot be used for TLS: {error}. Give a PEM "
                "certificate and its unencrypted key, or leave both out to have some made"
            ) from None
        return context


def own_certificates(folder: Path, host: str) -> Certificates:
    """Certificates in `folder` for `host` and the loopback: those there, or new ones.

    New ones are made where there are none or damaged ones, where they end within a week or are for other
    hosts.
    """
    files = Certificates(folder / "ca.pem", folder / "server.pem", folder / "server.key")
    names = (*_LOOPBACK, *({host} - set(_LOOPBACK) - {"0.0.0.0", "::"}))
    if not _good(files, names):
        folder.mkdir(parents=True, exist_ok=True)
        _make(files, names)
    return files


def own_password(file: Path) -> str:
    """The password in `file`; made once, for its owner alone. CertificatesError: there is none in it."""
    try:
        password = file.read_text("utf-8").strip("\r\n")
    except UnicodeDecodeError:
        password = ""
    except FileNotFoundError:
        file.parent.mkdir(parents=True, exist_ok=True)
        password = secrets.token_urlsafe(24)
        _write_private(file, f"{password}\n".encode())
    if not password:
        raise CertificatesError(f"{file} holds no password: write one into it, or remove it")
    return password


def _write_private(file: Path, data: bytes) -> None:
    """Write a file that only its owner may read, from its first byte on."""
    aside = file.with_name(f"{file.name}.{os.getpid()}.tmp")
    aside.unlink(missing_ok=True)
    try:
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:
            opened.write(data)
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)


def _good(files: Certificates, names: tuple[str, ...]) -> bool:
    from cryptography import x509

    try:
        certificate = x509.load_pem_x509_certificate(files.certificate.read_bytes())
        authority = x509.load_pem_x509_certificate(files.ca.read_bytes())
        certificate.verify_directly_issued_by(authority)
        authority.verify_directly_issued_by(authority)
        files.context()
    except Exception:  # not there, cut short, altered, of another pair: made anew either way
        return False
    shown = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    lasting = certificate.not_valid_after_utc - datetime.now(timezone.utc) > _RENEW
    return lasting and set(map(_name, names)) <= set(shown)


def _name(name: str) -> x509.GeneralName:
    from cryptography import x509

    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _make(files: Certificates, names: tuple[str, ...]) -> None:
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])

    now = datetime.now(timezone.utc)
    issuer_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    issuer = named("the local Redshift, CA of this folder")

    def begun(
        subject: x509.Name, public: ec.EllipticCurvePublicKey, *, signs: bool
    ) -> x509.CertificateBuilder:
        usage = dict.fromkeys(
            (
                *("content_commitment", "key_encipherment", "data_encipherment"),
                *("key_agreement", "encipher_only", "decipher_only"),
            ),
            False,
        )
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(public)
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - timedelta(hours=1))
            .not_valid_after(now + _VALID)
            .add_extension(x509.BasicConstraints(signs, 0 if signs else None), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(public), critical=False)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=not signs, key_cert_sign=signs, crl_sign=signs, **usage
                ),
                critical=True,
            )
        )

    authority = begun(issuer, issuer_key.public_key(), signs=True).sign(issuer_key, hashes.SHA256())
    by = x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key())
    certificate = (
        begun(named(names[0]), key.public_key(), signs=False)
        .add_extension(by, critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName(list(map(_name, names))), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    _write_private(files.key, private)
    files.certificate.write_bytes(certificate.public_bytes(pem))
    files.ca.write_bytes(authority.public_bytes(pem))
