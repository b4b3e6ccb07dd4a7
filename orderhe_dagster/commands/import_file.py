"""`orderhe import`: a file into a raw table. How it is judged and loaded: `intake.importing`."""

from __future__ import annotations

from pathlib import Path

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.days import LaunchError, check_within_history, settle_first_day
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

_REPORTED_ROWS = 250_000


def import_into(settings: Settings, name: str, file: Path, *, force: bool = False) -> str:
    """Load a file into a raw table, all of it or nothing; say what was loaded.

    Raises ImportProblems, LaunchError.
    """
    import logging

    if file.suffix and not file.exists():
        raise LaunchError(f"there is no file {file.absolute()}")

    from orderhe_dagster.intake.importing import import_file
    from orderhe_dagster.resources.build import build_source, build_store
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import read_catalogue

    catalogue = read_catalogue(settings)
    table = raw_table(catalogue, name)
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
    )
    if settings.shop == "external":
        settle_first_day(settings, anew=True)
    elif imported.first_day is not None and settings.start_date is None:
        check_within_history(settings, Window.of(imported.first_day))
    days = f", days {imported.first_day} to {imported.last_day}" if imported.first_day else ""
    kept = store.url(imported.archive_key)
    return f"raw/{table.name}: {counted(imported.rows, 'row')} loaded{days}; the file is kept as {kept}"


def raw_table(catalogue: Catalogue, name: str) -> Table:
    """The contract called `raw/<table>` or `<table>`. LaunchError names the ones there are."""
    bare = name.removeprefix("raw/").removeprefix("raw.")
    for table in catalogue.layer("raw"):
        if table.name == bare:
            return table
    known = ", ".join(f"raw/{table.name}" for table in catalogue.layer("raw"))
    raise LaunchError(f"there is no raw table {name!r}; there are {known}")
