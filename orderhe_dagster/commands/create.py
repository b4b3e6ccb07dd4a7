"""The verbs around the road: create what is missing, make days, load files, ask the warehouse."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.selection import LaunchError, within_history
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.ports.source import Result

_SAY_ROWS = 250_000


def create_all(settings: Settings) -> list[str]:
    """Create raw tables, bucket and warehouse schemas where they are missing; say where they are."""
    from orderhe_dagster.definitions import read_catalogue, simulation_of
    from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
    from orderhe_dagster.road import audit
    from orderhe_dagster.settings import home

    home.prepare_home(settings)
    catalogue = read_catalogue(settings)
    source, store = build_source(settings), build_store(settings)
    warehouse = build_warehouse(settings)
    simulation = simulation_of(settings, catalogue)
    if simulation is None:
        source.create(catalogue.layer("raw"))
    else:
        simulation.prepare(source)
    store.create()
    with warehouse.session("orderhe create") as session:
        audit.prepare(session)
        for layer in ("warehouse", "mart"):
            session.execute(f"create schema if not exists {layer}")
    tables = ", ".join(table.name for table in catalogue.layer("raw"))
    return [
        f"source     {source.identity}: {tables}",
        f"store      {store.url('backup')}",
        f"warehouse  {warehouse.identity}: schemas warehouse, mart",
    ]


def adopt_schema(settings: Settings, folder: Path | None, *, force: bool = False) -> list[str]:
    """Write contracts of the tables that the MySQL has; say what was done. LaunchError, PortError."""
    from orderhe_dagster.intake.adopt.adopter import adopt, report
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.config import OWN_SQL

    target = folder or settings.sql
    if target.resolve() == OWN_SQL:
        raise LaunchError(
            f"{target} is the demo shop's own folder: name another, as in `orderhe adopt ~/shop/sql`, and "
            "set ORDERHE_SQL to it afterwards"
        )
    found = build_source(settings).found_tables()
    if not found:
        raise LaunchError(
            f"{build_source(settings).identity} has no tables that this user may read"
        )
    return list(report(adopt(found, target, force=force), target))


def simulate_days(settings: Settings, window: Window) -> str:
    """Make the days of `window` in the simulated shop; say what changed. SimulationError, LaunchError."""
    import logging

    from orderhe_dagster.definitions import read_catalogue, simulation_of
    from orderhe_dagster.rendering.progress import reporter
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings import home

    catalogue = read_catalogue(settings)
    simulation = simulation_of(settings, catalogue)
    if simulation is None:
        raise LaunchError(
            "this shop is not simulated: its tables are filled by others. "
            "Use `orderhe import`, or set ORDERHE_SHOP=simulated with the project's own sql folder."
        )
    home.prepare_home(settings)
    within_history(settings, window)
    report = reporter(logging.getLogger("orderhe.simulate"), "simulate", "days")
    made = simulation.make(build_source(settings), list(window), report)
    return (
        f"{counted(made.days, 'day')} made, {len(window) - made.days:,} made before: {made.orders:,} orders, "
        f"{made.customers:,} new customers, {made.products:,} new products; "
        f"orders of {made.rewritten_days:,} earlier days moved on"
    )


def import_into(settings: Settings, name: str, file: Path, *, force: bool = False) -> str:
    """Load a file into a raw table, all of it or nothing; say what was loaded.

    Raises ImportProblems, LaunchError.
    """
    import logging

    if file.suffix and not file.exists():
        raise LaunchError(f"there is no file {file.absolute()}")

    from orderhe_dagster.definitions import read_catalogue
    from orderhe_dagster.intake.importing import import_file
    from orderhe_dagster.resources.build import build_source, build_store
    from orderhe_dagster.settings import home

    catalogue = read_catalogue(settings)
    table = raw_table(catalogue, name)
    home.prepare_home(settings)
    source, store = build_source(settings), build_store(settings)
    source.create(catalogue.layer("raw"))
    store.create()
    log = logging.getLogger("orderhe.import")

    told = 0

    def report(rows: int) -> None:
        nonlocal told
        if rows // _SAY_ROWS > told:
            told = rows // _SAY_ROWS
            log.info("raw/%s: %s rows read", table.name, f"{rows:,}")

    done = import_file(
        table,
        file,
        source,
        store,
        report,
        time_zone=settings.time_zone,
        scratch=home.home_of(settings).scratch,
        force=force,
    )
    if done.first_day is not None and settings.start_date is None:
        within_history(settings, Window.of(done.first_day))
    days = f", days {done.first_day} to {done.last_day}" if done.first_day else ""
    kept = store.url(done.archive_key)
    return f"raw/{table.name}: {counted(done.rows, 'row')} loaded{days}; the file is kept as {kept}"


def ask(settings: Settings, sql: str) -> Result:
    """Run one Redshift statement; what surely only reads runs beside other readers.

    StatementError; of a relation that is not there it tells the nearest name, and of an empty
    warehouse what fills it.
    """
    from orderhe_dagster.catalog.syntax import is_reading
    from orderhe_dagster.definitions import read_catalogue
    from orderhe_dagster.ports.source import UNDEFINED_TABLE, StatementError
    from orderhe_dagster.resources.build import build_warehouse

    warehouse = build_warehouse(settings)
    try:
        with warehouse.session("orderhe query", read_only=is_reading(sql)) as session:
            return session.execute(sql)
    except StatementError as error:
        if error.message in _NO_SCHEMA_OF_OURS:
            raise StatementError(f"{error.message}{_EMPTY}", error.code, sql) from error
        if error.code != UNDEFINED_TABLE:
            raise
        known = [str(table.read_as) for table in read_catalogue(settings).tables]
        near = _nearest_relation(error.message, [name for name in known if "export." not in name])
        raise StatementError(f"{error.message}{near}", error.code, sql) from error


def try_examples(settings: Settings, names: Sequence[str], say: Callable[[str], None]) -> bool:
    """Run the examples of the tables that are named, or of all; say how each went. Whether all passed.

    Raises ExamplesError, UnknownModel. Models without an example are told of, and are no fault.
    """
    from orderhe_dagster.catalog.cache import load_catalogue
    from orderhe_dagster.examples.reader import read_examples, tables_named
    from orderhe_dagster.examples.report import lines_of, summary
    from orderhe_dagster.examples.runner import run_examples
    from orderhe_dagster.resources.build import build_private_warehouse
    from orderhe_dagster.settings import home

    catalogue = load_catalogue(settings.sql, home.home_of(settings).cache)
    tables = tables_named(catalogue, names)
    examples = [one for one in read_examples(catalogue) if one.table in tables]
    verdicts = []
    with build_private_warehouse() as session:
        for verdict in run_examples(catalogue, examples, session):
            verdicts.append(verdict)
            for line in lines_of(verdict):
                say(line)
    for line in summary(verdicts, tables):
        say(line)
    return all(verdict.passed for verdict in verdicts)


_NO_SCHEMA_OF_OURS = [f'schema "{name}" does not exist' for name in ("warehouse", "mart")]
_EMPTY = (
    ": this warehouse is empty. `orderhe demo` fills it with a simulated shop, `orderhe run '*'` with "
    "yours; ORDERHE_HOME says where a state lies"
)


def _nearest_relation(message: str, known: list[str]) -> str:
    import difflib
    import re

    asked = re.search(r'relation "(.+)" does not exist', message)
    if asked is None:
        return ""
    bare = asked[1].rpartition(".")[2]
    alike = difflib.get_close_matches(bare, {name.rpartition(".")[2] for name in known}, n=2)
    near = [name for name in known if name.rpartition(".")[2] in (bare, *alike)]
    if asked[1] in near:  # it is a table of this shop, but nothing made it yet
        return f"; materialize it first: orderhe run {asked[1].replace('.', '/')}"
    return f"; did you mean {' or '.join(near)}?" if near else ""


def raw_table(catalogue: Catalogue, name: str) -> Table:
    """The contract called `raw/<table>` or `<table>`. LaunchError names the ones there are."""
    bare = name.removeprefix("raw/").removeprefix("raw.")
    for table in catalogue.layer("raw"):
        if table.name == bare:
            return table
    known = ", ".join(f"raw/{table.name}" for table in catalogue.layer("raw"))
    raise LaunchError(f"there is no raw table {name!r}; there are {known}")
