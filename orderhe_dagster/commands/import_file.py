"""`orderhe import`: a file into a raw table. How it is judged and loaded: `intake.importing`.

Which contract a file would have, is in `intake.guess`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.days import LaunchError, check_within_history, settle_first_day
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.intake.importing import Hints

_REPORTED_ROWS = 250_000


@dataclass(frozen=True)
class Asked:
    """The flags of `orderhe import` that tell of the file."""

    maps: tuple[str, ...] = ()
    encoding: str | None = None
    separator: str | None = None
    decimal: str | None = None
    dates: str | None = None
    null: tuple[str, ...] = ()
    sheet: str | None = None
    member: str | None = None
    run_python: bool = False

    def hints(self) -> Hints:
        """As the import takes them."""
        from dataclasses import asdict

        from orderhe_dagster.intake.importing import Hints

        return Hints(**{name: value for name, value in asdict(self).items() if name != "maps"})


def import_into(
    settings: Settings,
    name: str | None,
    file: Path,
    *,
    force: bool = False,
    asked: Asked | None = None,
) -> str:
    """Load a file into a raw table, all of it or nothing; say what it was and what was loaded.

    Without `name`, the table is called as the file. Raises ImportProblems, LaunchError, WrongHint.
    """
    import logging

    asked = asked or Asked()
    is_module = asked.run_python and re.fullmatch(r"[^\W\d]\w*(\.[^\W\d]\w*)*", str(file))
    if file.suffix and not file.exists() and not is_module:
        raise LaunchError(f"there is no file {file.absolute()}")

    from orderhe_dagster.intake.importing import chosen_map, import_file
    from orderhe_dagster.resources.build import build_source, build_store
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import read_catalogue

    catalogue = read_catalogue(settings)
    table = raw_table(catalogue, name or table_named_as(file))
    mapped = chosen_map(asked.maps, settings.sql / "raw" / f"{table.name}.map")
    home.prepare_home(settings)
    source, store = build_source(settings), build_store(settings)
    source.create(catalogue.layer("raw"))
    store.create()
    log = logging.getLogger("orderhe.import")

    reported = 0

    def report(rows: int) -> None:
        nonlocal reported
        if rows // _REPORTED_ROWS > reported:
            reported = rows // _REPORTED_ROWS
            log.info("raw/%s: %s rows read", table.name, f"{rows:,}")

    imported = import_file(
        table,
        file,
        source,
        store,
        report,
        scratch=home.home_of(settings).scratch,
        force=force,
        hints=asked.hints(),
        mapped=mapped,
    )
    if settings.shop == "external":
        settle_first_day(settings, anew=True)
    elif imported.first_day is not None and settings.start_date is None:
        check_within_history(settings, Window.of(imported.first_day))
    days = f", days {imported.first_day} to {imported.last_day}" if imported.first_day else ""
    kept = store.url(imported.archive_key)
    loaded = f"raw/{table.name}: {counted(imported.rows, 'row')} loaded{days}; the file is kept as {kept}"
    return f"{imported.recognised}\n{loaded}"


def guess_contract(settings: Settings, name: str | None, file: Path, asked: Asked) -> str:
    """Write the contract and the map that a file shows; say what was written and what was guessed."""
    from orderhe_dagster.intake.guess import guess
    from orderhe_dagster.intake.importing import chosen_map
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.config import OWN_SQL

    if not file.is_file():
        raise LaunchError(f"there is no file {file.absolute()}")
    if settings.sql.resolve() == OWN_SQL:
        raise LaunchError(
            f"{settings.sql} is the demo shop's own folder: set ORDERHE_SQL to a folder of your shop, as in "
            "`mkdir -p my-shop/sql; export ORDERHE_SQL=my-shop/sql`, and repeat"
        )
    table = (name or table_named_as(file)).removeprefix("raw/").removeprefix("raw.")
    home.prepare_home(settings)
    told = guess(
        file,
        table,
        settings.sql,
        asked.hints(),
        chosen_map(asked.maps, None),
        zone=settings.time_zone,
        scratch=home.home_of(settings).scratch,
    )
    given = f"raw/{table} " if table != _plain_name(file) else ""
    return "\n".join([*told, f"To load it: orderhe import {given}{file}"])


def table_named_as(file: Path) -> str:
    """The table that a file is called after. LaunchError where its name makes none."""
    name = _plain_name(file)
    if not name:
        raise LaunchError(
            f"the name of {file.name} makes no name of a table; say which it is: "
            f"orderhe import raw/orders {file}"
        )
    return name


def _plain_name(file: Path) -> str:
    stem = re.sub(r"(\.(csv|tsv|txt|xlsx|jsonl|ndjson|json|py|gz|zip))+$", "", file.name.lower())
    return re.sub(r"[^a-z0-9]+", "_", stem).strip("_0123456789") if stem.isascii() else ""


def raw_table(catalogue: Catalogue, name: str) -> Table:
    """The contract called `raw/<table>` or `<table>`. LaunchError names the ones there are."""
    bare = name.removeprefix("raw/").removeprefix("raw.")
    for table in catalogue.layer("raw"):
        if table.name == bare:
            return table
    known = ", ".join(f"raw/{table.name}" for table in catalogue.layer("raw"))
    raise LaunchError(f"there is no raw table {name!r}; there are {known}")
