"""The laptop's state folder: where things lie, Dagster's home, the shop's first day. No tables.

`prepare_home` may be called by any number of processes at once, any number of times.
"""

from __future__ import annotations

import hashlib
import os
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from orderhe_dagster.settings import dagster_yaml
from orderhe_dagster.settings.config import Settings, SettingsError
from orderhe_dagster.settings.folders import make_private


@dataclass(frozen=True)
class Home:
    """Where the laptop's state lies. Making one touches nothing."""

    folder: Path

    @property
    def shop(self) -> Path:
        """The embedded source: a DuckDB file."""
        return self.folder / "shop.duckdb"

    @property
    def warehouse(self) -> Path:
        """The embedded warehouse: a DuckDB file."""
        return self.folder / "warehouse.duckdb"

    @property
    def server(self) -> Path:
        """Certificates and password of `orderhe warehouse serve`."""
        return self.folder / "redshift"

    @property
    def store(self) -> Path:
        """The folder store: `<bucket>/<prefix>/<key>` below it."""
        return self.folder / "s3"

    @property
    def exports(self) -> Path:
        """The CSV files that BI sees."""
        return self.folder / "exports"

    @property
    def dashboard(self) -> Path:
        """The pages for a browser: `index.html`, `lineage.html`."""
        return self.folder / "dashboard"

    @property
    def cache(self) -> Path:
        """What can be made again at any time, such as the parsed catalogue."""
        return self.folder / "cache"

    @property
    def scratch(self) -> Path:
        """Working folders of living processes; those of dead ones are removed."""
        return self.folder / "scratch"

    @property
    def dagster(self) -> Path:
        """DAGSTER_HOME: dagster.yaml, run history, logs."""
        return self.folder / "dagster"

    @property
    def instance(self) -> Path:
        """What Dagster calls an instance's settings: written once, then the user's."""
        return self.dagster / "dagster.yaml"

    @property
    def currency(self) -> Path:
        """The file that remembers the currency of the shop's amounts."""
        return self.folder / "currency"

    @property
    def start_date(self) -> Path:
        """The file that remembers the shop's first day."""
        return self.folder / "start_date"


def home_of(settings: Settings) -> Home:
    """Name the home of these settings; nothing is made."""
    return Home(settings.home)


def prepare_home(settings: Settings) -> Home:
    """Make the folders, for this user alone, and dagster.yaml where they are not there yet. DagsterYamlError.

    The history's tables are made by `history.History` when Dagster first opens it.
    """
    home = home_of(settings)
    for folder in (home.dagster, home.store, home.exports, home.cache):
        make_private(folder, home.folder)
    dagster_yaml.check(home.instance, write_once(home.instance, dagster_yaml.TEXT))
    return home


def advice(home: Home) -> list[str]:
    """What a prepared home's dagster.yaml may not have been meant to change; often nothing."""
    return dagster_yaml.advice(home.instance, home.instance.read_text("utf-8"))


def use_home(settings: Settings) -> Home:
    """`prepare_home`, and let Dagster in this process and its children use it."""
    home = prepare_home(settings)
    os.environ["DAGSTER_HOME"] = str(home.dagster)
    return home


def first_day(settings: Settings) -> date | None:
    """Tell the shop's first day: ORDERHE_START_DATE, else the remembered one, else None."""
    return settings.start_date or remembered_start(home_of(settings))


def remembered_start(home: Home) -> date | None:
    """Read the first day that was remembered, None where none was. SettingsError: not a date.

    It stands there twice, each time with a digest of it: a digit that was altered is no other day. What a
    person has written needs none.
    """
    try:
        text = home.start_date.read_bytes().decode("utf-8", "replace")
    except FileNotFoundError:
        return None
    for line in text.splitlines():
        day, _, digest = line.strip().partition(" ")
        if digest in ("", _day_digest(day)):
            with suppress(ValueError):
                return date.fromisoformat(day)
    if not text:  # cut short as it was written: nobody has said it
        return None
    problem = (
        f"{home.start_date} holds {text[:40].strip()!r}, not a date like 2025-01-31 as it was written: "
        "write the shop's first day into it, or set ORDERHE_START_DATE"
    )
    raise SettingsError((problem,))


def remember_start(home: Home, day: date) -> date:
    """Remember the shop's first day and return it. It only moves earlier: no day is lost."""
    from orderhe_dagster.settings.locks import file_lock

    with file_lock(home.start_date, label="remembering the shop's first day"):
        known = remembered_start(home)
        if known is not None and known <= day:
            return known
        _write(home.start_date, f"{day.isoformat()} {_day_digest(day.isoformat())}\n" * 2)
        return day


DEFAULT_CURRENCY = "KRW"


def currency(settings: Settings) -> str:
    """Tell the currency of the shop's amounts: ORDERHE_CURRENCY, else the remembered one, else won."""
    if settings.currency is not None:
        return settings.currency
    try:
        text = home_of(settings).currency.read_text("utf-8").strip()
    except (FileNotFoundError, UnicodeDecodeError):
        return DEFAULT_CURRENCY
    is_code = len(text) == 3 and text.isascii() and text.isalpha() and text.isupper()
    return text if is_code else DEFAULT_CURRENCY


def remember_currency(home: Home, code: str) -> None:
    """Remember the currency of the shop's amounts."""
    _write(home.currency, f"{code}\n")


def _day_digest(day: str) -> str:
    return hashlib.sha256(day.encode()).hexdigest()[:16]


def write_once(path: Path, text: str) -> str:
    """Write a file that is the user's from then on, and return what it says.

    What an earlier version wrote, and nobody changed since, is written anew.
    """
    try:
        there = path.read_text("utf-8")
    except FileNotFoundError:
        there = None
    except UnicodeDecodeError as error:
        problem = (
            f"{path} is not UTF-8 text: byte {error.start + 1}; save it as UTF-8, or move the file away: a "
            "new one is written"
        )
        raise dagster_yaml.DagsterYamlError(problem) from error
    if there is None or (there != text and dagster_yaml.is_earlier(there)):
        _write(path, text)
        return text
    return there


def _write(path: Path, text: str) -> None:
    """Replace a small file whole, whoever else writes or reads it."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    try:
        aside.write_text(text, "utf-8")
        aside.replace(path)
    finally:
        aside.unlink(missing_ok=True)
