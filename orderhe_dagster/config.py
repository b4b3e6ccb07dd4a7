"""Settings: the only reader of the environment. What a setting does is decided where it is used.

Settings are `ORDERHE_*` variables; a `.env` file in the working folder is read too, and real
variables win over it. An empty value counts as not set. Everything wrong is reported at once, in
one `SettingsError` (a ValueError) that names the good names and values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

PREFIX = "ORDERHE_"
OWN_SQL = Path(__file__).resolve().parents[1] / "sql"
"""The project's own `sql/` folder, beside the package."""
_SERVERS = {"MYSQL": "MySQL", "REDSHIFT": "Redshift", "S3": "S3"}


class SettingsError(ValueError):
    """One or more settings are wrong; `problems` has a sentence for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        many = f"{len(problems)} settings are wrong" if len(problems) > 1 else "a setting is wrong"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{many} (every name is in .env.example):\n{lines}")


@dataclass(frozen=True)
class MySQLSettings:
    """Where the shop's MySQL is. This version runs on the laptop only: the defaults alone are taken."""

    host: str = ""
    port: int = 3306
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    ssl_ca: str = ""


@dataclass(frozen=True)
class RedshiftSettings:
    """Where the Redshift is. This version runs on the laptop only: the defaults alone are taken."""

    host: str = ""
    port: int = 5439
    user: str = ""
    password: str = field(default="", repr=False)
    database: str = ""
    iam_role: str = "default"
    sslmode: str = "verify-full"


@dataclass(frozen=True)
class Settings:
    """Every setting, checked. Paths are absolute; `s3_prefix` has no slash at either end.

    `start_date` is the shop's first day where ORDERHE_START_DATE fixes it; None: see `home`.
    """

    home: Path
    sql: Path
    shop: Literal["simulated", "external"]
    profile: Literal["local"] = "local"
    source: Literal["embedded"] = "embedded"
    store: Literal["folder"] = "folder"
    warehouse: Literal["embedded"] = "embedded"
    start_date: date | None = None
    time_zone: str = "Asia/Seoul"
    seed: int = 1
    s3_bucket: str = "orderhe"
    s3_prefix: str = ""
    s3_endpoint_url: str = ""
    mysql: MySQLSettings = field(default_factory=MySQLSettings)
    redshift: RedshiftSettings = field(default_factory=RedshiftSettings)


def load_settings(environ: Mapping[str, str] | None = None, cwd: Path | None = None) -> Settings:
    """Read the settings from `environ` (default: the process's) and from `cwd`/.env.

    Relative paths count from `cwd` (default: the working folder). Raises SettingsError.
    """
    base = (cwd or Path.cwd()).resolve()
    problems: list[str] = []
    given = _dotenv(base / ".env", problems)
    given |= {
        name: value
        for name, value in (os.environ if environ is None else environ).items()
        if name.startswith(PREFIX)
    }
    for name in sorted(set(given) - set(VARIABLES)):
        problems.append(f"{name} is not a setting{_nearest(name, VARIABLES)}")
    found: dict[str, Any] = {}
    for name, parse in VARIABLES.items():
        text = given.get(name, "")
        if parse is not _text:
            text = text.strip()
        try:
            found[name] = parse(text, base) if text else None
        except ValueError as error:
            problems.append(f"{name}: {error}")
    problems += _elsewhere(found)
    if not given.get("ORDERHE_SQL") and not OWN_SQL.is_dir():
        problems.append("ORDERHE_SQL is not set, and no sql folder lies beside the package: set it")
    if problems:
        raise SettingsError(tuple(problems))
    return _settings(found, base)


def _elsewhere(found: Mapping[str, Any]) -> list[str]:
    """What would be passed over in silence: settings that name a server which nothing here reaches."""
    defaults: dict[str, object] = {"ORDERHE_S3_ENDPOINT_URL": ""}
    for prefix, group in (("MYSQL_", MySQLSettings), ("REDSHIFT_", RedshiftSettings)):
        defaults |= {f"{PREFIX}{prefix}{f.name.upper()}": f.default for f in fields(group)}
    return [
        f"{name}: this version runs on the laptop only and reaches no {_SERVERS[name.split('_')[1]]}: "
        "take this setting out"
        for name, default in defaults.items()
        if found.get(name) not in (None, default)
    ]


def _settings(found: Mapping[str, Any], base: Path) -> Settings:
    """Put the checked values in their places; what is not given keeps its default."""

    def group(prefix: str, *names: str) -> dict[str, Any]:
        values = {name: found[f"{PREFIX}{prefix}{name.upper()}"] for name in names}
        return {name: value for name, value in values.items() if value is not None}

    mysql = group("MYSQL_", "host", "port", "user", "password", "database", "ssl_ca")
    redshift = group(
        "REDSHIFT_", "host", "port", "user", "password", "database", "iam_role", "sslmode"
    )
    sql: Path = found["ORDERHE_SQL"] or OWN_SQL
    # The switches have one good value in this version, so the embedded source is a given here.
    simulated = sql.resolve() == OWN_SQL
    return Settings(
        home=found["ORDERHE_HOME"] or base / ".orderhe",
        sql=sql,
        shop=found["ORDERHE_SHOP"] or ("simulated" if simulated else "external"),
        mysql=MySQLSettings(**mysql),
        redshift=RedshiftSettings(**redshift),
        **group("", "profile", "source", "store", "warehouse", "start_date", "time_zone", "seed"),
        **group("", "s3_bucket", "s3_prefix", "s3_endpoint_url"),
    )


def _dotenv(path: Path, problems: list[str]) -> dict[str, str]:
    """Read the ORDERHE_* lines of a .env file as they stand: `$` means nothing in a password."""
    if not path.is_file():
        return {}
    import io

    from dotenv.parser import parse_stream

    found: dict[str, str] = {}
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        problems.append(f"{path} is not UTF-8 text: byte {error.start + 1}; save it as UTF-8")
        return found
    for binding in parse_stream(io.StringIO(text)):
        where = f"{path}, line {binding.original.line}"
        if binding.error:
            problems.append(f"{where} is not NAME=value")
        elif binding.key and binding.key.startswith(PREFIX):
            if binding.value is None:
                problems.append(f"{binding.key} has no = in {where}")
            found[binding.key] = binding.value or ""
    return found


def _nearest(name: str, good: Mapping[str, object] | tuple[str, ...]) -> str:
    """`; did you mean …?`, or all the good names where none is near."""
    import difflib

    near = difflib.get_close_matches(name, list(good), n=1, cutoff=0.7)
    return f"; did you mean {near[0]}?" if near else f"; there are {', '.join(good)}"


def _text(text: str, _base: Path) -> str:
    return text


def _one_of(*good: str) -> Callable[[str, Path], str]:
    def parse(text: str, _base: Path) -> str:
        if text not in good:
            raise ValueError(f"{text!r} is not known{_nearest(text, good)}")
        return text

    return parse


def _switch(here: str, *elsewhere: str) -> Callable[[str, Path], str]:
    """Read a choice of which this version has only the laptop's."""

    def parse(text: str, base: Path) -> str:
        if text in elsewhere:
            raise ValueError(f"this version runs on the laptop only: use {here}, not {text}")
        return _one_of(here)(text, base)

    return parse


def _integer(low: int, high: int) -> Callable[[str, Path], int]:
    def parse(text: str, _base: Path) -> int:
        if not (text.isascii() and text.isdigit() and low <= int(text) <= high):
            raise ValueError(f"{text!r} is not a whole number from {low} to {high}")
        return int(text)

    return parse


def _date(text: str, _base: Path) -> date:
    try:
        if len(text) != len("2025-01-31"):  # newer Pythons also read other forms
            raise ValueError
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError(f"{text!r} is not a date like 2025-01-31") from None


def _folder(text: str, base: Path) -> Path:
    try:
        path = Path(os.path.normpath(base / Path(text).expanduser()))
    except RuntimeError:
        raise ValueError(f"{text!r} names a home folder that is not known") from None
    if path.exists() and not path.is_dir():
        raise ValueError(f"{path} is a file, not a folder")
    return path


def _existing_folder(text: str, base: Path) -> Path:
    path = _folder(text, base)
    if not path.is_dir():
        raise ValueError(f"there is no folder {path}")
    return path


def _time_zone(text: str, _base: Path) -> str:
    import zoneinfo

    try:
        zoneinfo.ZoneInfo(text)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        import difflib

        near = difflib.get_close_matches(text, zoneinfo.available_timezones(), n=3)
        hint = ", ".join(near) or "Asia/Seoul or Europe/London"
        raise ValueError(f"{text!r} is not a time zone; they are named like {hint}") from None
    return text


def _bucket(text: str, _base: Path) -> str:
    import re

    if not re.fullmatch(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", text) or ".." in text:
        raise ValueError(
            f"{text!r} is not a bucket's name: 3 to 63 lower-case letters, digits, dots and hyphens"
        )
    return text


def _prefix(text: str, _base: Path) -> str:
    parts = text.strip("/").split("/")
    if any(part in ("", ".", "..") for part in parts) or "\\" in text:
        raise ValueError(f"{text!r} is not a prefix like shops/demo")
    return "/".join(parts)


def _url(text: str, _base: Path) -> str:
    if not text.startswith(("http://", "https://")):
        raise ValueError(f"{text!r} does not begin with http:// or https://")
    return text.rstrip("/")


VARIABLES: Mapping[str, Callable[[str, Path], object]] = {
    "ORDERHE_PROFILE": _switch("local", "aws"),
    "ORDERHE_SOURCE": _switch("embedded", "mysql"),
    "ORDERHE_STORE": _switch("folder", "s3"),
    "ORDERHE_WAREHOUSE": _switch("embedded", "redshift", "data_api"),
    "ORDERHE_HOME": _folder,
    "ORDERHE_SQL": _existing_folder,
    "ORDERHE_SHOP": _one_of("simulated", "external"),
    "ORDERHE_START_DATE": _date,
    "ORDERHE_TIME_ZONE": _time_zone,
    "ORDERHE_SEED": _integer(0, 2**63 - 1),
    "ORDERHE_S3_BUCKET": _bucket,
    "ORDERHE_S3_PREFIX": _prefix,
    "ORDERHE_S3_ENDPOINT_URL": _url,
    "ORDERHE_MYSQL_HOST": _text,
    "ORDERHE_MYSQL_PORT": _integer(1, 65535),
    "ORDERHE_MYSQL_USER": _text,
    "ORDERHE_MYSQL_PASSWORD": _text,
    "ORDERHE_MYSQL_DATABASE": _text,
    "ORDERHE_MYSQL_SSL_CA": _text,
    "ORDERHE_REDSHIFT_HOST": _text,
    "ORDERHE_REDSHIFT_PORT": _integer(1, 65535),
    "ORDERHE_REDSHIFT_USER": _text,
    "ORDERHE_REDSHIFT_PASSWORD": _text,
    "ORDERHE_REDSHIFT_DATABASE": _text,
    "ORDERHE_REDSHIFT_IAM_ROLE": _text,
    "ORDERHE_REDSHIFT_SSLMODE": _one_of("verify-full", "verify-ca", "disable"),
}
"""Every setting's name and how its text is read; .env.example documents exactly these."""
