"""What a key of a store may be: the same on a folder and on S3. Nothing is opened here."""

from __future__ import annotations

from orderhe_dagster.ports.errors import PortError


def split_key(text: str, what: str, *, empty: bool = False, parts: int | None = None) -> list[str]:
    """The names between the slashes; PortError where one could lead out of the folder."""
    if empty and not text:
        return []
    names = text.split("/")
    wrong = any(name in {"", ".", ".."} or "\\" in name or "\0" in name for name in names)
    drive = ":" in names[0]
    if wrong or drive or (parts is not None and len(names) != parts) or names[0] == ".locks":
        raise PortError(
            f"{text!r} cannot be a {what} of the store: write plain names with single slashes "
            "between them; no leading slash, no '.', '..', backslash, drive or NUL"
        )
    return names
