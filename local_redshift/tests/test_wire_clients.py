"""The local Redshift through real, unmodified clients: redshift-connector, psql and pandas."""

from __future__ import annotations

import gc
import os
import shutil
import ssl
import subprocess
import threading
import warnings
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import Authority
from local_redshift.testing.missing import missing
from local_redshift.testing.server import PASSWORD, Redshift, serving
from tests.raw import SYNC, Raw, bind, error, execute, framed, parse


@pytest.fixture(scope="module")
def shared(redshift_authority: Authority) -> Iterator[Redshift]:
    """A server with TLS for the tests of this file; each makes tables of its own names."""
    with serving(authority=redshift_authority) as served:
        yield served


@pytest.fixture
def connection(shared: Redshift) -> Iterator[Any]:
    with shared.connect() as made:
        yield made


def failed(cursor: Any, sql: str, *values: Any) -> dict[str, str]:
    """What the driver says of a statement that fails."""
    import redshift_connector

    with pytest.raises(redshift_connector.Error) as caught:
        cursor.execute(sql, values or None)
    found: dict[str, str] = caught.value.args[0]
    return found


# -- redshift-connector ------------------------------------------------------------------------


def test_the_driver_reads_what_it_wrote_and_rolls_back(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("create table orders (id integer not null, note varchar(20))")
    cursor.execute("insert into orders values (%s, %s), (%s, %s)", (1, "it's", 2, None))
    assert cursor.rowcount == 2
    connection.commit()
    cursor.execute("delete from orders where id = %s", (1,))
    assert cursor.rowcount == 1
    connection.rollback()
    cursor.execute("select id, note from orders order by id")
    assert cursor.fetchall() == ([1, "it's"], [2, None])
    assert [column[0] for column in cursor.description] == ["id", "note"]
    cursor.executemany("insert into orders values (%s, %s)", [(n, f"n{n}") for n in range(3, 40)])
    cursor.execute("select count(*) as n from orders where note like 'n%%'", ())
    assert cursor.fetchone() == [37]


def test_errors_reach_the_driver_with_code_and_words(connection: Any) -> None:
    cursor = connection.cursor()
    connection.autocommit = True
    cursor.execute("create table strict (id integer not null, name varchar(3))")
    assert failed(cursor, "select * from missing")["C"] == "42P01"
    assert failed(cursor, "select nothing from strict")["C"] == "42703"
    assert failed(cursor, "selec 1")["C"] in ("42601", "0A000")
    assert failed(cursor, "insert into strict values (null, 'a')")["C"] == "23502"
    assert failed(cursor, "insert into strict values (1, 'four')")["C"] == "22001"
    assert failed(cursor, "insert into strict values (%s, %s)", 1, "four")["C"] == "22001"
    assert failed(cursor, "select 1 where %s = 1", "one")["M"]
    assert failed(cursor, "create table strict (id integer)")["C"] == "42P07"
    assert failed(cursor, "select 1; select 2")["C"] == "42601"
    for said in (failed(cursor, "select 1 as a from missing"),):
        assert said["S"] == "ERROR"
    cursor.execute("select 1 as fine")
    assert cursor.fetchone() == [1]


def test_a_failed_transaction_must_be_rolled_back(connection: Any) -> None:
    cursor = connection.cursor()
    failed(cursor, "select * from missing")
    assert failed(cursor, "select 1")["C"] == "25P02"
    connection.rollback()
    cursor.execute("select 1 as fine")
    assert cursor.fetchone() == [1]


def test_changing_definitions_under_the_drivers_cache_of_statements(connection: Any) -> None:
    cursor = connection.cursor()
    for type_, value in (("integer", 5), ("varchar(9)", "five"), ("date", None)):
        cursor.execute("drop table if exists recast")
        cursor.execute(f"create table recast (a {type_})")
        cursor.execute("insert into recast values (%s)", (value,))
        cursor.execute("select a from recast")
        assert cursor.fetchone() == [value]
    connection.commit()


def test_two_connections_see_what_was_committed(shared: Redshift) -> None:
    with shared.connect() as one, shared.connect() as two:
        writer, reader = one.cursor(), two.cursor()
        writer.execute("create table seen (a integer)")
        one.commit()
        writer.execute("insert into seen values (1)")
        two.autocommit = True
        reader.execute("select count(*) from seen")
        assert reader.fetchone() == [0]
        one.commit()
        reader.execute("select count(*) from seen")
        assert reader.fetchone() == [1]


def test_a_char_has_its_blanks_and_its_type(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("select 'ab'::char(4) as a, 'ab'::char(4) || '' as b")
    assert [column[:2] for column in cursor.description] == [("a", 1042), ("b", 1043)]
    assert cursor.fetchall() == (["ab  ", "ab"],)
    connection.rollback()


def test_a_cursor_of_the_server_is_fetched_from(connection: Any) -> None:
    cursor = connection.cursor()
    cursor.execute("declare numbers cursor for select 1 as n union all select 2 order by n")
    cursor.execute("fetch forward 5 from numbers")
    assert [column[0] for column in cursor.description] == ["n"]
    assert cursor.fetchall() == ([1], [2])
    connection.rollback()


# Method of the driver's cursor, its arguments: the columns at these places of its rows.
METADATA: list[tuple[str, dict[str, Any], tuple[int, ...], list[tuple[Any, ...]]]] = [
    ("get_catalogs", {}, (0,), [("dev",)]),
    ("get_schemas", {"schema_pattern": "sho%"}, (0, 1), [("shop", "dev")]),
    ("get_tables", {"schema_pattern": "shop"}, (2, 3, 4), [
        ("lines", "TABLE", "Lines"), ("names", "VIEW", None),
    ]),
    ("get_tables", {"schema_pattern": "shop", "types": ["VIEW"]}, (2,), [("names",)]),
    ("get_columns", {"schema_pattern": "shop", "tablename_pattern": "lin%"}, (3, 5, 6, 10, 11, 16), [
        ("id", "int4", 10, 0, None, 1), ("name", "varchar", 20, 1, "In full", 2),
        ("total", "numeric", 12, 1, None, 3),
    ]),
    ("get_columns", {"schema_pattern": "shop", "columnname_pattern": "na_e"}, (2, 3), [
        ("lines", "name"), ("names", "name"),
    ]),
    ("get_primary_keys", {"schema": "shop", "table": "lines"}, (3, 4, 5), [("id", 1, "lines_pkey")]),
    ("get_imported_keys", {"schema": "shop", "table": "lines"}, (0,), []),
    ("get_exported_keys", {"schema": "shop", "table": "lines"}, (0,), []),
    ("get_best_row_identifier", {"schema": "shop", "table": "lines", "scope": 1, "nullable": True},
     (1, 3), [("id", "int4")]),
    ("get_table_privileges", {"schema_pattern": "shop", "table_name_pattern": "lines"}, (3, 4, 5), [
        ("admin", "reader", "SELECT"),
    ]),
    ("get_column_privileges", {"schema": "shop", "table": "lines"}, (0,), []),
    ("get_procedures", {"schema_pattern": "shop"}, (0,), []),
    ("get_procedure_columns", {"schema_pattern": "shop"}, (0,), []),
    ("get_functions", {"schema_pattern": "shop"}, (0,), []),
    ("get_function_columns", {"schema_pattern": "shop"}, (0,), []),
]  # fmt: skip


def test_the_driver_lists_what_there_is(shared: Redshift) -> None:
    with shared.connect() as connection:
        connection.autocommit = True
        cursor = connection.cursor()
        for sql in (
            "create schema shop",
            (
                "create table shop.lines (id int, name varchar(20), total decimal(12,2), "
                "primary key (id))"
            ),
            "create view shop.names as select name from shop.lines",
            "comment on table shop.lines is 'Lines'",
            "comment on column shop.lines.name is 'In full'",
            "create user reader password 'Abcd1234'",
            "grant select on shop.lines to reader",
        ):
            cursor.execute(sql)
        for method, arguments, places, expected in METADATA:
            found = getattr(cursor, method)(**arguments)
            assert [tuple(row[at] for at in places) for row in found] == expected, method
        for method in ("get_tables", "get_columns", "get_primary_keys", "get_functions"):
            getattr(cursor, method)()


def test_pandas_reads_a_query(connection: Any) -> None:
    import pandas as pd

    sql = "select 1 as id, 1.50::decimal(9,2) as price, null::varchar(9) as note union all "
    sql += "select 2, 2.25, 'x' order by 1"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # pandas has tested SQLAlchemy only
        frame = pd.read_sql(sql, connection)
    assert frame["id"].tolist() == [1, 2]
    assert frame["price"].tolist() == [Decimal("1.50"), Decimal("2.25")]
    cursor = connection.cursor()
    cursor.execute(sql)
    notes = cursor.fetch_dataframe()["note"]
    # What is missing is None or NaN, by the version of pandas.
    assert notes.isna().tolist() == [True, False]
    assert notes[1] == "x"


# -- TLS and passwords -------------------------------------------------------------------------


def not_connected(served: Redshift, **arguments: Any) -> Any:
    """The error of a client that does not come in."""
    import redshift_connector

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)  # the driver leaves its socket open
        with pytest.raises(redshift_connector.Error) as caught:
            served.connect(**arguments)
        found = caught.value.with_traceback(None)
        del caught
        gc.collect()
    return found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "wrong"}, 'password authentication failed for user "admin"'),
        ({"user": "nobody"}, 'password authentication failed for user "nobody"'),
        ({"database": "prod"}, 'database "prod" does not exist'),
        ({"ssl": False}, "SSL off"),
    ],
)
def test_who_may_not_come_in_is_told_why(
    shared: Redshift, wrong: dict[str, Any], says: str
) -> None:
    assert says in str(not_connected(shared, **wrong))


def test_a_server_of_another_authority_is_not_trusted(shared: Redshift, tmp_path: Path) -> None:
    other = Authority(tmp_path, "another CA")
    told = Redshift(shared.server, shared.database, str(other.file))
    assert isinstance(not_connected(told).args[1], ssl.SSLCertVerificationError)


def test_the_name_in_the_certificate_counts(
    shared: Redshift, redshift_authority: Authority
) -> None:
    with serving(authority=redshift_authority, host="127.0.0.2") as elsewhere:
        told = Redshift(elsewhere.server, elsewhere.database, shared.ca, host="127.0.0.2")
        assert isinstance(not_connected(told).args[1], ssl.SSLCertVerificationError)
        told.connect(sslmode="verify-ca").close()


def test_beyond_this_machine_nobody_listens_without_tls_and_a_password() -> None:
    with pytest.raises(ValueError, match="needs TLS"), serving(host="0.0.0.0"):
        pass


# -- limits and cancelling ---------------------------------------------------------------------

SLOW = "select count(*) from range_of a cross join range_of b cross join range_of c"


@pytest.fixture
def slow(shared: Redshift) -> str:
    """A query that would run for hours."""
    with admitted(shared) as client:
        client.query("create table if not exists range_of (n bigint)")
        client.query("insert into range_of values " + ", ".join(f"({n})" for n in range(2000)))
        for _ in range(3):
            client.query("insert into range_of select * from range_of")
    return SLOW + " where a.n * b.n + c.n = -1"


def admitted(served: Redshift) -> Raw:
    """A plain client of a server with TLS."""
    client = Raw(served.port)
    client.send(b"\0\0\0\x08\x04\xd2\x16\x2f")
    assert client.take(1) == b"S"
    context = ssl.create_default_context(cafile=served.ca)
    client.socket = context.wrap_socket(client.socket, server_hostname="localhost")
    return client.enter()


def test_a_cancel_request_with_the_right_key_ends_the_statement(
    shared: Redshift, slow: str
) -> None:
    with admitted(shared) as client:
        process, secret = client.key
        client.send(framed("Q", b"begin\0"))
        client.until_ready()
        client.send(framed("Q", slow.encode() + b"\0"))
        # A wrong key does nothing; the right one is sent until it met the statement.
        done = threading.Event()

        def cancel() -> None:
            request = [80877102, process, secret ^ 1]
            while not done.is_set():
                with Raw(shared.port) as other:
                    other.send(b"\0\0\0\x10", *(number.to_bytes(4, "big") for number in request))
                    assert other.message() == ("", b"")
                request[2] = secret

        thread = threading.Thread(target=cancel)
        thread.start()
        found = client.until_ready()
        done.set()
        thread.join()
        assert error(found)["C"] == "57014"
        assert found[-1] == ("Z", b"E")
        client.query("rollback")
        assert client.query("select 1")[-1] == ("Z", b"I")


def test_a_statement_that_takes_too_long_is_ended(shared: Redshift, slow: str) -> None:
    with admitted(shared) as client:
        client.query("set statement_timeout to 200")
        found = client.query(slow)
        assert error(found)["C"] == "57014"
        assert client.query("select 1")[-1] == ("Z", b"I")


def test_closing_the_server_ends_what_runs(shared: Redshift) -> None:
    with serving() as served, Raw(served.port) as client:
        client.enter()
        client.query("create table range_of as select 1::bigint as n")
        for _ in range(13):
            client.query("insert into range_of select n + 1 from range_of")
        client.query("begin; insert into range_of values (0)")
        client.send(framed("Q", f"{SLOW} where a.n * b.n + c.n = -1".encode() + b"\0"))
        served.server.close()
        assert served.database.sessions == []


def test_more_sessions_than_the_limit_are_refused_and_told() -> None:
    with serving(sessions=2) as served:
        with Raw(served.port).enter(), Raw(served.port).enter(), Raw(served.port) as third:
            third.enter()
            assert error(third.greeting)["C"] == "53300"
        with served.connect() as again:
            again.cursor().execute("select 1")


def test_who_does_not_come_in_in_time_is_dropped() -> None:
    with serving(handshake_s=0.3) as served, Raw(served.port) as client:
        client.send(b"\0")
        assert client.message() == ("", b"")
        with served.connect() as other:
            other.cursor().execute("select 1")


def test_a_large_result_is_not_held_in_memory(shared: Redshift) -> None:
    """What the client has not read yet waits in the query, not in the server."""
    with admitted(shared) as client:
        client.query("create table if not exists wide as select 1 as n")
        for _ in range(10):
            client.query("insert into wide select * from wide")
        client.query("begin")
        sql = "select repeat('x', 1000) as x from wide a cross join wide b"  # 1 GB
        before = _resident_bytes()
        client.send(parse(sql), bind(), execute(), SYNC)
        assert client.take(200_000).startswith(b"1")
        assert _resident_bytes() - before < 700e6


def _resident_bytes() -> int:
    """What this process, the server among it, holds in memory; 0 where the system does not say."""
    resident = Path("/proc/self/statm")
    if not resident.exists():
        return 0
    return int(resident.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


# -- psql --------------------------------------------------------------------------------------


def psql(served: Redshift, *commands: str, script: str = "") -> subprocess.CompletedProcess[str]:
    """psql with commands, or a script on its standard input."""
    if shutil.which("psql") is None:
        says = "psql is not installed: apt install postgresql-client"
        missing(says)
    words = [word for command in commands for word in ("-c", command)]
    return subprocess.run(
        ["psql", "-X", "-At", *words],
        env=served.psql_environment,
        input=script,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def test_psql_runs_a_script_with_transactions(shared: Redshift) -> None:
    script = """
        create table by_psql (id integer, note varchar(20), price decimal(9,2), at timestamp);
        begin;
        insert into by_psql values (1, 'one; two', 1.5, '2026-11-22 10:00:00');
        commit;
        begin; insert into by_psql values (2, null, null, null); rollback;
        select * from by_psql;
        select nothing;
    """
    done = psql(shared, script=script)
    assert "1|one; two|1.50|2026-11-22 10:00:00" in done.stdout.splitlines()
    assert 'ERROR:  column "nothing" does not exist' in done.stderr


def test_psql_is_told_of_a_wrong_password_and_of_a_wrong_authority(
    shared: Redshift, tmp_path: Path
) -> None:
    wrong = Redshift(shared.server, shared.database, shared.ca, password="wrong")
    done = psql(wrong, "select 1")
    assert done.returncode == 2
    assert 'password authentication failed for user "admin"' in done.stderr
    other = Authority(tmp_path, "another CA")
    done = psql(Redshift(shared.server, shared.database, str(other.file)), "select 1")
    assert "certificate verify failed" in done.stderr
    assert PASSWORD not in done.stderr


def test_psql_lists_schemas_tables_and_views(shared: Redshift) -> None:
    made = "create schema listed; create table listed.t (id int);"
    view = "create view listed.v as select id from listed.t;"
    done = psql(shared, script=f"{made}{view}\n\\dn\n\\dt listed.*\n\\dv listed.*\n")
    assert done.returncode == 0, done.stderr
    assert "listed|admin" in done.stdout
    assert done.stdout.splitlines()[-2:] == ["listed|t|table|admin", "listed|v|view|admin"]
    done = psql(shared, "\\d listed.t")  # asks for columns that Redshift's catalogue has not
    assert done.returncode != 0
    assert "no rule" in done.stderr


def test_psql_shows_version_and_settings(shared: Redshift) -> None:
    done = psql(
        shared,
        "select version()",
        "select current_database()",
        "select current_schema()",
        "set query_group to 'x'",
    )
    assert "Redshift" in done.stdout
    assert {"dev", "public"} <= set(done.stdout.splitlines())
    assert done.returncode == 0, done.stderr
