"""Certificates and passwords that a server makes for itself."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest

from local_redshift.wire.certificates import (
    Certificates,
    CertificatesError,
    own_certificates,
    own_password,
)


def test_certificates_are_kept_while_they_are_good(tmp_path: Path) -> None:
    first = own_certificates(tmp_path, "127.0.0.1")
    assert stat.S_IMODE(first.key.stat().st_mode) == 0o600
    before = first.ca.read_bytes()
    assert own_certificates(tmp_path, "localhost").ca.read_bytes() == before
    assert own_certificates(tmp_path, "192.0.2.7").ca.read_bytes() != before  # another name
    before = first.ca.read_bytes()
    first.certificate.write_text("cut")
    assert own_certificates(tmp_path, "192.0.2.7").ca.read_bytes() != before
    first.context()


@pytest.mark.parametrize("name", ["ca", "certificate", "key"])
def test_what_is_cut_short_is_made_anew(tmp_path: Path, name: str) -> None:
    file: Path = getattr(own_certificates(tmp_path, "127.0.0.1"), name)
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])
    own_certificates(tmp_path, "127.0.0.1").context()


def test_a_password_is_made_once_and_never_empty(tmp_path: Path) -> None:
    file = tmp_path / "own" / "password"
    made = own_password(file)
    assert len(made) > 20
    assert own_password(file) == made
    for body in (b"\n", b"\xff\n"):
        file.write_bytes(body)
        with pytest.raises(CertificatesError, match="holds no password"):
            own_password(file)


def test_what_is_no_certificate_is_told_with_the_remedy(tmp_path: Path) -> None:
    pem = tmp_path / "c.pem"
    pem.write_text("no certificate")
    with pytest.raises(CertificatesError, match=r"cannot be used for TLS: .* or leave both out"):
        Certificates(pem, pem, pem).context()
