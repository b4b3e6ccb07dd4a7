"""How the text of a setting is read: one function a sort of value. Which settings there are is `config`'s.

Each takes the text and the folder that relative paths count from, and raises ValueError saying what
would be right.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path


def nearest(name: str, good: Mapping[str, object] | tuple[str, ...]) -> str:
    """`; did you mean …?`, or all the good names where none is near."""
    import difflib

    near = difflib.get_close_matches(name, list(good), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(good)}"


def text(text: str, _base: Path) -> str:
    """The text as it stands."""
    return text


def addresses(text: str, _base: Path) -> str:
    """Addresses like mailto://… with blanks between. What is wrong is told without them: they are secret."""
    for number, address in enumerate(text.split(), 1):
        if not re.match(r"[A-Za-z][A-Za-z0-9+.-]*://\S", address):
            raise ValueError(f"address {number} is not of the form mailtos://… or slack://…")
    return text


def one_of(*good: str) -> Callable[[str, Path], str]:
    """One of a few words."""

    def parse(text: str, _base: Path) -> str:
        if text not in good:
            raise ValueError(f"{text!r} is not known{nearest(text, good)}")
        return text

    return parse


def integer(low: int, high: int) -> Callable[[str, Path], int]:
    """A whole number from `low` to `high`."""

    def parse(text: str, _base: Path) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def day(text: str, _base: Path) -> date:
    """A date like 2025-01-31."""
    try:
        if len(text) != len("2025-01-31"):  # newer Pythons also read other forms
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date like 2025-01-31") from None


def folder(text: str, base: Path) -> Path:
    """A folder, which need not be there yet."""
    try:
        path = Path(os.path.normpath(base / Path(text).expanduser()))
    except RuntimeError:
        raise ValueError(f"{text!r} names a home folder that is not known") from None
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file, not a folder")
    return path


def existing_folder(text: str, base: Path) -> Path:
    """A folder that is there."""
    path = folder(text, base)
    if not path.is_dir():
        raise ValueError(
            f"there is no folder {path}: make it (mkdir -p), or let `orderhe adopt <folder>` make it, "
            "with the contracts of a MySQL's tables"
        )
    return path


def currency(text: str, _base: Path) -> str:
    """A currency by its code of ISO 4217. Which codes there are is not known here."""
    if not (len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()):
        raise ValueError(f"{text!r} is not three capital letters like KRW, EUR or USD (ISO 4217)")
    return text


def time_zone(text: str, _base: Path) -> str:
    """A time zone by its name."""
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        import difflib

        near = difflib.get_close_matches(text, zoneinfo.available_timezones(), n=3)
        hint = ", ".join(near) or "Asia/Seoul or Europe/London"
        raise ValueError(f"{text!r} is not a time zone; they are named like {hint}") from None
    return text


def bucket(text: str, _base: Path) -> str:
    """The name of a bucket of S3."""
    import re

    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text) or ".." in text:
        raise ValueError(
            f"{text!r} is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens"
        )
    return text


def prefix(text: str, _base: Path) -> str:
    """What comes before the keys of a bucket, without slashes at its ends."""
    parts = text.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in text:
        raise ValueError(f"{text!r} is not a prefix like shops/demo")
    return "/".join(parts)


def host(text: str, _base: Path) -> str:
    """A server's name or IP address, without port, database or anything else."""
    import ipaddress
    import re

    try:
        ipaddress.ip_address(text)
    except ValueError:
        pass
    else:
        return text
    if re.fullmatch(r"[\w.-]+", text):
        return text
    # Whoever pastes an address may have pasted a password with it: the host alone is shown.
    bare = re.split(r"[:/?]", text.rpartition("//")[2].rpartition("@")[2], maxsplit=1)[0]
    shown = f": {bare}" if re.fullmatch(r"[\w.-]+", bare) else ""
    raise ValueError(
        f"give the host's name alone{shown}; port, database, user and password are settings of "
        "their own"
    )


def url(text: str, _base: Path) -> str:
    """An address of http or https, without credentials in it: it is shown to people."""
    from urllib.parse import urlsplit

    if not text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} does not begin with http:// or https://")
    try:
        parts = urlsplit(text)
        host, _port = parts.hostname, parts.port  # reading the port is what finds it wrong
    except ValueError:
        raise ValueError("its host or port is wrong; it is like http://localhost:9000") from None
    if "@" in parts.netloc:
        raise ValueError("no user and password in it: they are AWS's own variables, see docs/s3.md")
    if not host or parts.query or parts.fragment:
        raise ValueError(f"{text!r} is not an address like http://localhost:9000")
    return text.rstrip("/")


def existing_file(text: str, base: Path) -> str:
    """A file that is there; given as an absolute path."""
    path = Path(os.path.normpath(base / Path(text).expanduser()))
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return str(path)


def iam_role(text: str, _base: Path) -> str:
    """`default`, or the ARN of a role: it is written into SQL, so nothing else is taken."""
    import re

    if text != "default" and not re.fullmatch(
        r"arn:aws[a-z-]*:iam::[0-9]{12}:role/[\w+=,.@/-]+", text
    ):
        raise ValueError(
            f"{text!r} is neither default nor like arn:aws:iam::123456789012:role/copy"
        )
    return text


def secret_arn(text: str, _base: Path) -> str:
    """The ARN of a secret of Secrets Manager: where a user and a password are, never they themselves."""
    import re

    if not re.fullmatch(
        r"arn:aws[a-z-]*:secretsmanager:[\w-]+:[0-9]{12}:secret:[\w+=,.@/!-]+", text
    ):
        raise ValueError(
            "it is not like arn:aws:secretsmanager:eu-west-1:123456789012:secret:redshift-loader"
        )
    return text
