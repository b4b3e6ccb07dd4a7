"""`orderhe query`: one statement against the warehouse. How its rows are printed: `rendering.printing`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.ports.warehouse import Result

_NO_SCHEMA_OF_OURS = [f'schema "{name}" does not exist' for name in ("warehouse", "mart")]
_EMPTY = (
    ": this warehouse is empty. `orderhe demo` fills it with a simulated shop, `orderhe run '*'` with "
    "yours, `orderhe restore warehouse` from backups that are there; ORDERHE_HOME says where a state lies"
)


def run_query(settings: Settings, sql: str) -> Result:
    """Run one Redshift statement; what surely only reads runs beside other readers.

    StatementError; of a relation that is not there it tells the nearest name, and of an empty
    warehouse what fills it.
    """
    from orderhe_dagster.catalog.syntax import is_reading
    from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
    from orderhe_dagster.resources.build import build_warehouse
    from orderhe_dagster.settings.project import read_catalogue

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
        if near:  # that is the remedy: the one for any relation that is missing is not told, too
            raise StatementError(f"{error.message}{near}", error.code, sql) from None
        raise


def _nearest_relation(message: str, known: list[str]) -> str:
    import difflib
    import re

    match = re.search(r'relation "(.+)" does not exist', message)
    if match is None:
        return ""
    bare = match[1].rpartition(".")[2]
    alike = difflib.get_close_matches(bare, {name.rpartition(".")[2] for name in known}, n=2)
    near = [name for name in known if name.rpartition(".")[2] in (bare, *alike)]
    if match[1] in near:  # it is a table of this shop, but nothing made it yet
        return f"; materialize it first: orderhe run {match[1].replace('.', '/')}"
    return f"; did you mean {' or '.join(near)}?" if near else ""
