"""The two ways in which an extract's rows come out of MySQL, both as a relation for DuckDB to read.

scanner: DuckDB's own extension asks MySQL, for the columns as they are, or, where a row has a value that
cannot be carried, by one query that MySQL projects. arrow: pymysql asks the latter, and hands on batches
of texts. What is written, and where, is `duckdb_extract`'s.
"""

from __future__ import annotations

import importlib.resources
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.catalog import mysql_plain, mysql_projection
from orderhe_dagster.catalog.ddl import quoted, quoted_names, string
from orderhe_dagster.catalog.measure import day_expression
from orderhe_dagster.catalog.mysql_plain import Plain
from orderhe_dagster.catalog.segments import Scope, uncut
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.extract.duckdb_extract import day_name, unused_name, where_of
from orderhe_dagster.resources.extract.engine import Options
from orderhe_dagster.resources.extract.faulty_rows import SOUND, faults_name
from orderhe_dagster.resources.mysql.connection import ca_file, close, password
from orderhe_dagster.resources.mysql.fetch import batches
from orderhe_dagster.resources.mysql.timeout import Silence, close_on_interrupt, close_on_silence
from orderhe_dagster.settings.config import MySQLSettings
from orderhe_dagster.settings.interrupts import interruptible, raise_if_interrupted

if TYPE_CHECKING:
    import duckdb

EXTENSION = "duckdb_extension_mysql_scanner"
_SETTINGS = {
    "mysql_tinyint1_as_boolean": "false",  # 7 would be true
    "mysql_bit1_as_boolean": "false",
    "mysql_session_time_zone": "'+00:00'",
    "mysql_aggregate_pushdown_enabled": "false",  # a bug of 1.5.5
    "mysql_query_timeout_enabled": "false",  # a hint that would end a long extract
    "mysql_sql_buffer_result": "false",
    "mysql_pool_size": "1",
    "mysql_pool_enable_reaper_thread": "false",
}
FAULTY = "a row that is not carried as it is"
"""What DuckDB says of a read of columns as they are that meets a fault."""
_MODES = {"disable": "disabled", "verify-ca": "verify_ca", "verify-full": "verify_identity"}


def mysql_select(table: Table, scope: Scope, hint: str = "") -> str:
    """MySQL's query for the rows of an extract: the columns as they are carried, and the day."""
    columns = [
        f"{sql} as {quoted(name, 'mysql')}" for name, sql in mysql_projection.expressions(table)
    ]
    text = f"from {mysql_projection.rows(table, hint)}"
    if uncut(scope) is None:
        day = mysql_projection.shop_day(table)
        columns.append(f"{day} as {quoted(day_name(table), 'mysql')}")
    if where := where_of(table, scope, "mysql"):
        text += f" where {where}"
    if code_name(table):
        code = f"coalesce({mysql_projection.fault_code(table)}, '{SOUND}')"
        columns.append(f"{code} as {quoted(faults_name(table), 'mysql')}")
    return f"select {', '.join(columns)} {text}"


def plain_select(table: Table, scope: Scope, columns: Sequence[Plain], hint: str = "") -> str:
    """MySQL's query for the same rows with the columns as they are; `plain_rows` reads its answer."""
    items = [f"{one.sql} as {quoted(one.column.name, 'mysql')}" for one in columns]
    if mysql_plain.silent(table):
        name = quoted(_nulls_name(table), "mysql")
        items.append(f"{mysql_plain.nulls(table)} as {name}")
    if uncut(scope) is None and table.column(table.partition or "").type.instant:
        day = quoted(day_name(table), "mysql")
        items.append(f"{mysql_projection.shop_day(table)} as {day}")
    text = f"select {', '.join(items)} from {mysql_projection.rows(table, hint)}"
    where = where_of(table, scope, "mysql")
    return f"{text} where {where}" if where else text


def plain_rows(
    engine: duckdb.DuckDBPyConnection,
    table: Table,
    scope: Scope,
    columns: Sequence[Plain],
    relation: str,
) -> str | None:
    """The rows of `plain_select` for DuckDB to write, which stop at one with a fault.

    None where a column arrives in a type that it is not carried by as it is.
    """
    described = engine.execute(f"describe select * from {relation}").fetchall()
    arrived = {str(name): str(type_) for name, type_, *_ in described}
    items: list[str] = []
    for one in columns:
        text = one.text(arrived[one.column.name])
        if text is None:
            return None
        items.append(f"{text} as {quoted(one.column.name)}")
    others = ", ".join(quoted(name) for name in arrived if name not in table.column_names)
    rows = f"(select {', '.join(items)}{', ' if others else ''}{others} from {relation})"
    kept = quoted_names(table.column_names)
    if uncut(scope) is None:
        day = quoted(day_name(table))
        of_row = day if day_name(table) in arrived else day_expression(table, "duckdb")
        kept += f", {of_row} as {day}"
    text = f"select {kept} from {rows}"
    if wrong := " or ".join(mysql_plain.faults(table, _nulls_name(table))):
        stop = f"cast(error({string(FAULTY)}) as boolean)"
        text += f" where case when {wrong} then {stop} else true end"
    return f"({text})"


def _nulls_name(table: Table) -> str:
    return unused_name(table, "__nulls")


def code_name(table: Table) -> str | None:
    """The column of `mysql_select` that tells what is wrong with a row; None where nothing can be."""
    return faults_name(table) if mysql_projection.fault_code(table) else None


def unpacked(table: Table, relation: str) -> str:
    """The relation of `mysql_select`'s rows with the bytes that came as hexadecimal text."""
    columns = ", ".join(
        f"unhex(cast({quoted(column.name)} as varchar)) as {quoted(column.name)}"
        for column in table.columns
        if mysql_projection.in_hex(column)
    )
    return f"(select * replace ({columns}) from {relation})" if columns else relation


@contextmanager
def by_scanner(
    settings: MySQLSettings, select: str, options: Options | None = None
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """A connection of DuckDB and the relation in it that runs `select` in MySQL when it is read."""
    # A second thread would have nothing to do but to wait for the one that MySQL answers.
    with _duckdb({**(options or {}), "threads": 1}) as connection:
        _load(connection)
        for name, value in _SETTINGS.items():
            connection.execute(f"set {name} = {value}")
        with (
            close_on_silence(settings.host, settings.port, settings.read_timeout) as silence,
            _named(silence, settings),
        ):
            with silence.connecting(settings.connect_timeout):
                _attach(connection, settings)
            yield connection, f"mysql_query('shop', {string(select)}, stream_results = true)"


@contextmanager
def _named(silence: Silence, settings: MySQLSettings) -> Iterator[None]:
    """Say in the scanner's error that it was we who broke its connection, and why."""
    import duckdb

    try:
        yield
    except duckdb.Error as error:
        if not silence.reason:
            raise
        lost = "Lost connection to MySQL server during query"
        if silence.is_connecting:
            lost = f"Can't connect to MySQL server on {settings.host!r}"
        raise duckdb.IOException(f"{lost} ({silence.reason})") from error


@contextmanager
def by_arrow(
    connection: Any, table: Table, scope: Scope, select: str, options: Options
) -> Iterator[tuple[duckdb.DuckDBPyConnection, str]]:
    """The same by pymysql's `connection` (values as texts): batches go by, none is kept."""
    import pyarrow as pa
    from pymysql.cursors import SSCursor

    code = code_name(table)
    names = [
        *table.column_names,
        *([] if uncut(scope) else [day_name(table)]),
        *([code] if code else []),
    ]
    binary = {
        column.name
        for column in table.columns
        if column.type.kind == "varbyte" and not mysql_projection.in_hex(column)
    }
    schema = pa.schema([(name, pa.binary() if name in binary else pa.string()) for name in names])
    errors: list[BaseException] = []
    cursor = connection.cursor(SSCursor)
    try:
        cursor.execute(select)
        reader = pa.RecordBatchReader.from_batches(schema, batches(cursor, schema, errors.append))
        with _duckdb(options) as engine, close_on_interrupt(connection):
            engine.register("__mysql", reader)
            try:
                yield engine, "__mysql"
            except Exception:
                raise_if_interrupted()  # which may be why the connection broke
                if errors:
                    raise errors[0] from None  # DuckDB would tell of it in words of its own
                raise
    finally:
        _abandon(connection, cursor)


def _abandon(connection: Any, cursor: Any) -> None:
    """Give the connection up with what it has not read: the driver would read it all to the end."""
    close(connection)
    if cursor._result is not None:
        cursor._result.unbuffered_active = False
        cursor._result.connection = None
    cursor.connection = None


@contextmanager
def _duckdb(options: Options) -> Iterator[duckdb.DuckDBPyConnection]:
    """An engine that keeps nothing, fetches no extension and writes into no home folder."""
    import duckdb

    config: Options = {
        **options,
        "autoinstall_known_extensions": "false",
        "autoload_known_extensions": "false",
        "allow_persistent_secrets": "false",
    }
    with closing(duckdb.connect(config=config)) as connection, interruptible(connection.interrupt):
        connection.execute("set TimeZone = 'UTC'")
        yield connection


def _load(connection: duckdb.DuckDBPyConnection) -> None:
    """Load the extension from its wheel; DuckDB verifies its signature."""
    import duckdb

    file = extension_file()
    try:
        connection.execute(f"load {string(str(file))}")
    except duckdb.Error as error:
        raise PortError(
            _no_extension(f"{file} is not loaded: {str(error).splitlines()[0]}")
        ) from None


def extension_file() -> Path:
    """Where the wheel keeps the extension for this DuckDB; PortError where it is not installed."""
    import duckdb

    name = f"extensions/v{duckdb.__version__}/mysql_scanner.duckdb_extension"
    try:
        file = Path(str(importlib.resources.files(EXTENSION))) / name
    except ModuleNotFoundError:
        raise PortError(_no_extension("it is not installed")) from None
    if not file.is_file():
        raise PortError(_no_extension(f"it is made for another DuckDB than {duckdb.__version__}"))
    return file


def _no_extension(why: str) -> str:
    return (
        f"DuckDB's MySQL extension cannot be used: {why}. Install the wheel "
        "duckdb-extension-mysql-scanner in DuckDB's own version, or set ORDERHE_MYSQL_EXTRACT=arrow, "
        "which is slower and needs no extension"
    )


def _attach(connection: duckdb.DuckDBPyConnection, settings: MySQLSettings) -> None:
    # A failed ATTACH prints what stands in it, so everything goes by a secret.
    given: dict[str, str] = {
        "host": settings.host,
        "port": str(settings.port),
        "user": settings.user,
        "password": password(settings),
        "database": settings.database,
        "ssl_mode": _MODES[settings.sslmode],
    }
    if settings.sslmode != "disable":
        # Without a file the extension would let a server on this machine pass unverified.
        given["ssl_ca"] = ca_file(settings)
    listed = ", ".join(f"{name} {string(value)}" for name, value in given.items())
    connection.execute(f"create temporary secret shop_access (type mysql, {listed})")
    compression = "required" if settings.compression == "on" else "disabled"
    connection.execute(
        f"attach 'compression={compression}' as shop (type mysql, read_only, secret shop_access)"
    )
