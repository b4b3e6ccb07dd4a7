"""Settings: the only reader of the environment. What a setting does is decided where it is used.

Settings are `ORDERHE_*` variables; a `.env` file in the working folder is read too, and real
variables win over it. An empty value counts as not set, and is named where one is needed. Everything
wrong is reported at once, in one `SettingsError` (a ValueError) that names the good names and values.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from datetime import date
from pathlib import Path
from typing import Any, Literal

from orderhe_dagster.errors import OrderheError
from orderhe_dagster.settings import parsers as values
from orderhe_dagster.settings.secret import NO_SECRET, Secret

PREFIX = "ORDERHE_"
OWN_SQL = Path(__file__).resolve().parents[2] / "sql"
"""The project's own `sql/` folder, beside the package."""


class SettingsError(OrderheError, ValueError):
    """One or more settings are wrong; `problems` has a sentence for each."""

    def __init__(self, problems: tuple[str, ...]) -> None:
        self.problems = problems
        many = f"{len(problems)} settings are wrong" if len(problems) > 1 else "a setting is wrong"
        lines = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"{many} (every name is in .env.example):\n{lines}")


@dataclass(frozen=True)
class MySQLSettings:
    """Where the shop's MySQL is, and how it is spoken to. Timeouts are in seconds.

    `sslmode`: verify-full (chain and host name), verify-ca (chain), disable (no TLS at all).
    `ssl_ca`: a file of CA certificates; "": the machine's own. `secret_arn`: the password is asked of AWS's
    Secrets Manager. `extract`: DuckDB's scanner, or Arrow through pymysql where the scanner cannot be had.
    """

    host: str = ""
    port: int = 3306
    user: str = ""
    password: Secret = field(default=NO_SECRET, repr=False, compare=False)
    secret_arn: str = ""
    database: str = ""
    sslmode: Literal["verify-full", "verify-ca", "disable"] = "verify-full"
    ssl_ca: str = ""
    compression: Literal["off", "on"] = "off"
    extract: Literal["scanner", "arrow"] = "scanner"
    connect_timeout: int = 10
    read_timeout: int = 600
    write_timeout: int = 60

    @property
    def where(self) -> str:
        """Host, port and database, without secrets."""
        return f"{self.host}:{self.port}/{self.database}"


@dataclass(frozen=True)
class S3Settings:
    """Where the store's objects are. Credentials and region are AWS's own variables.

    A folder store has bucket and prefix too; `prefix` has no slash at either end. `endpoint_url`:
    another server than Amazon's. `sse`: how S3 encrypts what is written; "": as the bucket has it.
    Timeouts are in seconds: to connect; without a byte of an answer; `timeout`: after which no
    request is tried again.
    """

    bucket: str = "orderhe"
    prefix: str = ""
    endpoint_url: str = ""
    sse: Literal["", "AES256", "aws:kms"] = ""
    kms_key_id: str = ""
    connect_timeout: float = 10
    read_timeout: float = 60
    timeout: float = 300


@dataclass(frozen=True)
class RedshiftSettings:
    """Where the Redshift is. `auth`: a password, or temporary credentials by IAM.

    IAM and the Data API need the `workgroup` (Serverless) or `cluster`, and AWS's own credentials and
    region. `secret_arn`: a user of the database whose password Secrets Manager keeps. `endpoint_url` is the
    Data API's: another server than Amazon's. `ssl_ca`: a file of CA certificates besides Amazon's.
    Timeouts are in seconds.
    """

    host: str = ""
    port: int = 5439
    user: str = ""
    password: Secret = field(default=NO_SECRET, repr=False, compare=False)
    database: str = "dev"
    auth: Literal["password", "iam"] = "password"
    workgroup: str = ""
    cluster: str = ""
    secret_arn: str = ""
    endpoint_url: str = ""
    iam_role: str = "default"
    sslmode: Literal["verify-full", "verify-ca", "disable"] = "verify-full"
    ssl_ca: str = ""
    connect_timeout: int = 15
    statement_timeout: int = 3600

    @property
    def where(self) -> str:
        """Host, port and database, without secrets."""
        return f"{self.host or self.workgroup or self.cluster}:{self.port}/{self.database}"


MEMORY_MB = 200
"""What a DuckDB holds of its own where no setting says otherwise."""


@dataclass(frozen=True)
class Settings:
    """Every setting, checked. Paths are absolute.

    `start_date` is the shop's first day where ORDERHE_START_DATE fixes it, `currency` that of its amounts
    where ORDERHE_CURRENCY says so; None: see `home`. A daily run
    proves `proof_rows` of each layer (0: by the source), for `proof_seconds` of a server's time; a table
    or a day that lost more than `most_lost` percent of its rows is not followed. `memory_mb`: what each
    DuckDB that this process opens holds; more than that goes to the disk. Of each segment's backups stay
    `keep_generations` and the first of each month, of Dagster's history `keep_run_days`, of what no
    record names `keep_orphan_hours`. `lock_timeout`: how many seconds a file of this machine may be
    another process's. `alerts`: who is told of what is wrong, with blanks between; NO_SECRET: nobody.
    """

    home: Path
    sql: Path
    shop: Literal["simulated", "external"]
    profile: Literal["local", "aws"] = "local"
    source: Literal["embedded", "mysql"] = "embedded"
    store: Literal["folder", "s3"] = "folder"
    warehouse: Literal["embedded", "redshift", "data_api"] = "embedded"
    start_date: date | None = None
    time_zone: str = "Asia/Seoul"
    currency: str | None = None
    seed: int = 1
    export_max_mb: int = 50
    proof_rows: int = 0
    proof_seconds: int = 30
    most_lost: int = 50
    memory_mb: int = MEMORY_MB
    keep_generations: int = 14
    keep_run_days: int = 30
    keep_orphan_hours: int = 24
    lock_timeout: int = 120
    alerts: Secret = field(default=NO_SECRET, repr=False, compare=False)
    s3: S3Settings = field(default_factory=S3Settings)
    mysql: MySQLSettings = field(default_factory=MySQLSettings)
    redshift: RedshiftSettings = field(default_factory=RedshiftSettings)


SWITCHES: Mapping[str, Mapping[str, str]] = {
    "local": {"source": "embedded", "store": "folder", "warehouse": "embedded"},
    "aws": {"source": "mysql", "store": "s3", "warehouse": "redshift"},
}
"""What each profile sets the three switches to, where they are not set themselves."""
_GROUPS: Mapping[
    str, tuple[str, tuple[str, ...], type[MySQLSettings | S3Settings | RedshiftSettings]]
] = {
    "MYSQL_": ("source", ("mysql",), MySQLSettings),
    "S3_": ("store", ("s3",), S3Settings),
    "REDSHIFT_": ("warehouse", ("redshift", "data_api"), RedshiftSettings),
}
_OF_EVERY_STORE = {("S3_", "bucket"), ("S3_", "prefix")}
_SECRETS = ("ORDERHE_MYSQL_PASSWORD", "ORDERHE_REDSHIFT_PASSWORD", "ORDERHE_ALERTS")


def load_settings(
    environ: Mapping[str, str] | None = None, cwd: Path | None = None, *, makes_sql: bool = False
) -> Settings:
    """Read the settings from `environ` (default: the process's) and from `cwd`/.env.

    Relative paths count from `cwd` (default: the working folder). `makes_sql`: the folder of ORDERHE_SQL
    need not be there yet. Raises SettingsError.
    """
    base = (cwd or Path.cwd()).resolve()
    problems: list[str] = []
    given = _given(environ, base, problems)
    for name in sorted(set(given) - set(VARIABLES)):
        problems.append(f"{name} is not a setting{values.nearest(name, VARIABLES)}")
    parsed: dict[str, Any] = {}
    for name, parse in VARIABLES.items():
        text = given.get(name, "")
        if parse is not values.text:
            text = text.strip()
        is_made = makes_sql and parse is values.existing_folder
        try:
            parsed[name] = (values.folder if is_made else parse)(text, base) if text else None
        except ValueError as error:
            problems.append(f"{name}: {error}")
    for name in _SECRETS:
        if parsed.get(name):
            parsed[name] = _secret(name, environ, base, given)
    switches = _switches(parsed)
    problems += _unused(parsed, switches)
    problems += _missing(parsed, switches, given)
    if not given.get("ORDERHE_SQL") and not OWN_SQL.is_dir():
        problems.append("ORDERHE_SQL is not set, and no sql folder lies beside the package: set it")
    if problems:
        raise SettingsError(tuple(problems))
    return _settings(parsed, base, switches)


def _given(environ: Mapping[str, str] | None, base: Path, problems: list[str]) -> dict[str, str]:
    """Every ORDERHE_* text that is given now: of `base`/.env, and of `environ`, which wins."""
    variables = os.environ if environ is None else environ
    own = {name: value for name, value in variables.items() if name.startswith(PREFIX)}
    return _dotenv(base / ".env", problems) | own


def _secret(
    name: str, environ: Mapping[str, str] | None, base: Path, given: Mapping[str, str]
) -> Secret:
    """A password as it is given at the moment it is asked for: it may have been rotated since.

    It goes to the server that the settings named when they were read, and to no other.
    """
    group = name.removesuffix("PASSWORD")

    def others(texts: Mapping[str, str]) -> dict[str, str]:
        return {key: text for key, text in texts.items() if key.startswith(group) and key != name}

    server = others(given)

    def ask() -> str:
        problems: list[str] = []
        now = _given(environ, base, problems)
        if not problems and others(now) != server:
            problems.append(
                f"{group}* has changed since the settings were read, so the password may be another "
                "server's or user's: reload the code location, or start this again"
            )
        if not problems and not now.get(name):
            problems.append(
                f"{name} is not set any more: set it again, as a variable or in {base / '.env'}"
            )
        if problems:
            raise SettingsError(tuple(problems))
        return now[name]

    return Secret(ask)


def _switches(parsed: Mapping[str, Any]) -> dict[str, str]:
    """Where each of source, store and warehouse is: as set, or as the profile has it."""
    by_profile = SWITCHES[parsed.get("ORDERHE_PROFILE") or "local"]
    return {name: parsed.get(PREFIX + name.upper()) or by_profile[name] for name in by_profile}


def _unused(parsed: Mapping[str, Any], switches: Mapping[str, str]) -> list[str]:
    """Settings of a server that nothing will reach, where no switch says that this is meant."""
    if parsed.get("ORDERHE_PROFILE"):
        return []
    return [
        f"{PREFIX}{group}{f.name.upper()} is set, but ORDERHE_{switch.upper()} is {switches[switch]}: "
        f"set ORDERHE_{switch.upper()}={wanted[0]} (or ORDERHE_PROFILE), or take the setting out"
        for group, (switch, wanted, shape) in _GROUPS.items()
        if switches[switch] not in wanted and not parsed.get(PREFIX + switch.upper())
        for f in fields(shape)
        if (group, f.name) not in _OF_EVERY_STORE
        and parsed.get(f"{PREFIX}{group}{f.name.upper()}") not in (None, f.default)
    ]


def _missing(
    parsed: Mapping[str, Any], switches: Mapping[str, str], given: Mapping[str, str]
) -> list[str]:
    """What a chosen server cannot be reached without."""
    needed: list[tuple[str, str]] = []
    if switches["source"] == "mysql":
        needed += [("MYSQL_HOST", "mysql"), ("MYSQL_USER", "mysql"), ("MYSQL_DATABASE", "mysql")]
    if switches["warehouse"] == "redshift":
        if parsed.get("ORDERHE_REDSHIFT_AUTH") == "iam":
            if not (
                parsed.get("ORDERHE_REDSHIFT_WORKGROUP") or parsed.get("ORDERHE_REDSHIFT_CLUSTER")
            ):
                needed.append(("REDSHIFT_WORKGROUP", "redshift with IAM"))
            elif not parsed.get("ORDERHE_REDSHIFT_WORKGROUP"):
                needed.append(("REDSHIFT_USER", "a cluster with IAM"))
        else:
            needed += [("REDSHIFT_HOST", "redshift"), ("REDSHIFT_USER", "redshift")]
            if not parsed.get("ORDERHE_REDSHIFT_SECRET_ARN"):
                needed.append(("REDSHIFT_PASSWORD", "redshift"))
    needed += _of_the_data_api(parsed) if switches["warehouse"] == "data_api" else []
    if switches["store"] == "s3":
        needed.append(("S3_BUCKET", "s3"))
    problems = [
        f"{PREFIX}{name} is {'empty' if PREFIX + name in given else 'not set'}: {use} cannot be "
        "reached without it"
        for name, use in needed
        if not parsed.get(PREFIX + name)
        # A wrong value is told by itself; it need not be called missing too.
        and not given.get(PREFIX + name, "").strip()
    ]
    problems += [
        f"{PREFIX}{group}PASSWORD and {PREFIX}{group}SECRET_ARN are both set: one of them is out of date, so "
        "take it out"
        for group in ("MYSQL_", "REDSHIFT_")
        if parsed.get(f"{PREFIX}{group}PASSWORD") and parsed.get(f"{PREFIX}{group}SECRET_ARN")
    ]
    if parsed.get("ORDERHE_S3_KMS_KEY_ID") and parsed.get("ORDERHE_S3_SSE") != "aws:kms":
        problems.append("ORDERHE_S3_KMS_KEY_ID needs ORDERHE_S3_SSE=aws:kms")
    return problems


def _of_the_data_api(parsed: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What the Data API cannot be asked without, and is not given."""
    if parsed.get("ORDERHE_REDSHIFT_WORKGROUP"):
        return []
    if not parsed.get("ORDERHE_REDSHIFT_CLUSTER"):
        return [("REDSHIFT_WORKGROUP", "data_api")]
    if parsed.get("ORDERHE_REDSHIFT_SECRET_ARN"):
        return []
    return [("REDSHIFT_USER", "a cluster by data_api, without a REDSHIFT_SECRET_ARN,")]


def _settings(parsed: Mapping[str, Any], base: Path, switches: Mapping[str, str]) -> Settings:
    """Put the checked values in their places; what is not given keeps its default."""

    def group(prefix: str, names: list[str]) -> dict[str, Any]:
        given = {name: parsed[f"{PREFIX}{prefix}{name.upper()}"] for name in names}
        return {name: value for name, value in given.items() if value is not None}

    def of(prefix: str, shape: type[Any]) -> Any:
        return shape(**group(prefix, [f.name for f in fields(shape)]))

    sql: Path = parsed["ORDERHE_SQL"] or OWN_SQL
    simulated = sql.resolve() == OWN_SQL and switches["source"] == "embedded"
    return Settings(
        home=parsed["ORDERHE_HOME"] or base / ".orderhe",
        sql=sql,
        shop=parsed["ORDERHE_SHOP"] or ("simulated" if simulated else "external"),
        s3=of("S3_", S3Settings),
        mysql=of("MYSQL_", MySQLSettings),
        redshift=of("REDSHIFT_", RedshiftSettings),
        **group("", ["profile"]),
        **dict[str, Any](switches),
        **group("", _OF_THE_SHOP),
    )


def _dotenv(path: Path, problems: list[str]) -> dict[str, str]:
    """Read the ORDERHE_* lines of a .env file as they stand: `$` means nothing in a password."""
    if not path.is_file():
        return {}
    import io

    from dotenv.parser import parse_stream

    variables: dict[str, str] = {}
    try:
        text = path.read_text("utf-8-sig")
    except OSError as error:
        problems.append(f"{path} cannot be read: {error.strerror or error}. Let this user read it")
        return variables
    except UnicodeDecodeError as error:
        problems.append(f"{path} is not UTF-8 text: byte {error.start + 1}; save it as UTF-8")
        return variables
    for binding in parse_stream(io.StringIO(text)):
        where = f"{path}, line {binding.original.line}"
        if binding.error:
            problems.append(f"{where} is not NAME=value")
        elif binding.key and binding.key.startswith(PREFIX):
            if binding.value is None:
                problems.append(f"{binding.key} has no = in {where}")
            variables[binding.key] = binding.value or ""
    return variables


_OF_THE_SHOP = [
    *("start_date", "time_zone", "currency", "seed", "export_max_mb"),
    *("keep_generations", "keep_run_days", "keep_orphan_hours"),
    *("proof_rows", "proof_seconds", "most_lost", "memory_mb", "lock_timeout", "alerts"),
]
_TIMEOUT = values.integer(1, 86_400)
_SSLMODE = values.one_of("verify-full", "verify-ca", "disable")
VARIABLES: Mapping[str, Callable[[str, Path], object]] = {
    "ORDERHE_PROFILE": values.one_of("local", "aws"),
    "ORDERHE_SOURCE": values.one_of("embedded", "mysql"),
    "ORDERHE_STORE": values.one_of("folder", "s3"),
    "ORDERHE_WAREHOUSE": values.one_of("embedded", "redshift", "data_api"),
    "ORDERHE_HOME": values.folder,
    "ORDERHE_SQL": values.existing_folder,
    "ORDERHE_SHOP": values.one_of("simulated", "external"),
    "ORDERHE_START_DATE": values.day,
    "ORDERHE_TIME_ZONE": values.time_zone,
    "ORDERHE_CURRENCY": values.currency,
    "ORDERHE_SEED": values.integer(0, 2**63 - 1),
    "ORDERHE_EXPORT_MAX_MB": values.integer(1, 1_000_000),
    "ORDERHE_PROOF_ROWS": values.integer(1, 10**12),
    "ORDERHE_PROOF_SECONDS": _TIMEOUT,
    "ORDERHE_MOST_LOST": values.integer(1, 100),
    "ORDERHE_MEMORY_MB": values.integer(100, 10_000_000),
    "ORDERHE_KEEP_GENERATIONS": values.integer(1, 1_000_000),
    "ORDERHE_KEEP_RUN_DAYS": values.integer(1, 100_000),
    "ORDERHE_KEEP_ORPHAN_HOURS": values.integer(1, 100_000),
    "ORDERHE_LOCK_TIMEOUT": _TIMEOUT,
    "ORDERHE_ALERTS": values.addresses,
    "ORDERHE_S3_BUCKET": values.bucket,
    "ORDERHE_S3_PREFIX": values.prefix,
    "ORDERHE_S3_ENDPOINT_URL": values.url,
    "ORDERHE_S3_SSE": values.one_of("AES256", "aws:kms"),
    "ORDERHE_S3_KMS_KEY_ID": values.text,
    "ORDERHE_S3_CONNECT_TIMEOUT": _TIMEOUT,
    "ORDERHE_S3_READ_TIMEOUT": _TIMEOUT,
    "ORDERHE_S3_TIMEOUT": _TIMEOUT,
    "ORDERHE_MYSQL_HOST": values.host,
    "ORDERHE_MYSQL_PORT": values.integer(1, 65535),
    "ORDERHE_MYSQL_USER": values.text,
    "ORDERHE_MYSQL_PASSWORD": values.text,
    "ORDERHE_MYSQL_SECRET_ARN": values.secret_arn,
    "ORDERHE_MYSQL_DATABASE": values.text,
    "ORDERHE_MYSQL_SSLMODE": _SSLMODE,
    "ORDERHE_MYSQL_SSL_CA": values.existing_file,
    "ORDERHE_MYSQL_COMPRESSION": values.one_of("off", "on"),
    "ORDERHE_MYSQL_EXTRACT": values.one_of("scanner", "arrow"),
    "ORDERHE_MYSQL_CONNECT_TIMEOUT": _TIMEOUT,
    "ORDERHE_MYSQL_READ_TIMEOUT": _TIMEOUT,
    "ORDERHE_MYSQL_WRITE_TIMEOUT": _TIMEOUT,
    "ORDERHE_REDSHIFT_HOST": values.host,
    "ORDERHE_REDSHIFT_PORT": values.integer(1, 65535),
    "ORDERHE_REDSHIFT_USER": values.text,
    "ORDERHE_REDSHIFT_PASSWORD": values.text,
    "ORDERHE_REDSHIFT_DATABASE": values.text,
    "ORDERHE_REDSHIFT_AUTH": values.one_of("password", "iam"),
    "ORDERHE_REDSHIFT_WORKGROUP": values.text,
    "ORDERHE_REDSHIFT_CLUSTER": values.text,
    "ORDERHE_REDSHIFT_SECRET_ARN": values.secret_arn,
    "ORDERHE_REDSHIFT_ENDPOINT_URL": values.url,
    "ORDERHE_REDSHIFT_IAM_ROLE": values.iam_role,
    "ORDERHE_REDSHIFT_SSLMODE": _SSLMODE,
    "ORDERHE_REDSHIFT_SSL_CA": values.existing_file,
    "ORDERHE_REDSHIFT_CONNECT_TIMEOUT": _TIMEOUT,
    "ORDERHE_REDSHIFT_STATEMENT_TIMEOUT": _TIMEOUT,
}
"""Every setting's name and how its text is read; .env.example documents exactly these."""
