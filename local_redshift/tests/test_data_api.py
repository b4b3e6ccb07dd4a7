"""The Data API: who may ask, what it gives, what it refuses, sessions, batches, and what is left."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any
from urllib.parse import urlsplit

import pytest

from local_redshift.data_api.faults import Limits
from local_redshift.data_api.server import DataApi
from local_redshift.data_api.signature import Key
from local_redshift.data_api.statements import error_text
from local_redshift.database.database import Database
from local_redshift.errors import RedshiftError, block
from local_redshift.session.engine import connect
from local_redshift.testing.data_api import asked
from tests.asking import HERE, Client, Refusal, signed

SMALL = Limits(
    statement_bytes=2_000,
    batch_statements=3,
    sessions=2,
    result_bytes=100_000,
    row_bytes=1_000,
    page_rows=10,
    page_bytes=2_000,
    retention_s=100.0,
    token_s=50.0,
)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def api(clock: Clock) -> Iterator[DataApi]:
    with Database() as database, asked(database, limits=SMALL, clock=clock) as api:
        yield api


@pytest.fixture
def client(api: DataApi) -> Client:
    return Client(api.url)


NUMBERS = (
    "with recursive n (i) as (select 1::bigint union all select i + 1 from n where i < {}) "
    "select i from n order by i"
)


def test_a_result_has_columns_typed_fields_and_pages(client: Client) -> None:
    run = client.run(
        "select 1::smallint as a, true as b, 0.5::float8 as c, -0.25::float8 as d, -1.50::decimal(12, 2)"
        " as e, 'x''밥'::varchar(9) as f, null::date as g, date '2026-01-31' as h,"
        " timestamp '2026-01-31 10:00:00.250' as i"
    )
    assert (run["Status"], run["HasResultSet"], run["ResultRows"]) == ("FINISHED", True, 1)
    page = client("GetStatementResult", Id=run["Id"])
    assert page["Records"] == [[
        {"longValue": 1}, {"booleanValue": True}, {"doubleValue": 0.5}, {"doubleValue": -0.25},
        {"stringValue": "-1.50"}, {"stringValue": "x'밥"}, {"isNull": True},
        {"stringValue": "2026-01-31"}, {"stringValue": "2026-01-31 10:00:00.25"},
    ]]  # fmt: skip
    assert [
        (one["name"], one["typeName"], one["precision"], one["scale"])
        for one in page["ColumnMetadata"]
    ] == [
        ("a", "int2", 0, 0), ("b", "bool", 0, 0), ("c", "float8", 0, 0), ("d", "float8", 0, 0),
        ("e", "numeric", 12, 2), ("f", "varchar", 9, 0), ("g", "date", 0, 0), ("h", "date", 0, 0),
        ("i", "timestamp", 0, 0),
    ]  # fmt: skip
    many = client.run(NUMBERS.format(95))
    first = client("GetStatementResult", Id=many["Id"])
    assert (len(first["Records"]), first["TotalNumRows"]) == (10, 95)
    assert client.rows(many["Id"]) == [[i] for i in range(1, 96)]
    with pytest.raises(Refusal, match="NextToken is invalid"):
        client("GetStatementResult", Id=many["Id"], NextToken="page 1")
    others = client("GetStatementResult", Id=client.run(NUMBERS.format(95))["Id"])
    with pytest.raises(Refusal, match="NextToken is invalid"):
        client("GetStatementResult", Id=many["Id"], NextToken=others["NextToken"])
    none = client.run("select 1 as one where 1 = 0")
    assert (none["HasResultSet"], client.rows(none["Id"])) == (True, [])


def test_a_large_result_lies_in_a_file_until_it_is_forgotten(
    client: Client, api: DataApi, clock: Clock
) -> None:
    wide = NUMBERS.format(150).replace("select i from", "select i, repeat('x', 500) as t from")
    run = client.run(wide)
    assert [row[0] for row in client.rows(run["Id"])] == [*range(1, 151)]
    (kept,) = (part.pages for part in api.statements.find(client.key, run["Id"]).parts)
    assert kept is not None
    assert kept.file.stat().st_size >= kept.bytes > 75_000
    clock.now += 101
    with pytest.raises(Refusal, match="Query does not exist") as refused:
        client("DescribeStatement", Id=run["Id"])
    assert not kept.file.exists()
    assert (refused.value.name, refused.value.status) == ("ResourceNotFoundException", 400)


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("select * from nowhere", 'ERROR: relation "nowhere" does not exist [ErrorId: 1-'),
        ("select repeat('x', 2000)", "ERROR: Packet for query is too large: a row of "),
        (
            NUMBERS.format(200).replace("select i from", "select i, repeat('x', 900) as t from"),
            "ERROR: Database response exceeded size limit",
        ),
        ("-- nothing", "ERROR: the statement is empty"),
    ],
)
def test_a_statement_that_fails_has_its_words_and_no_result(
    client: Client, sql: str, error: str
) -> None:
    run = client.run(sql)
    assert (run["Status"], run["HasResultSet"]) == ("FAILED", False)
    assert run["Error"].startswith(error)
    with pytest.raises(Refusal, match="Query does not have result"):
        client("GetStatementResult", Id=run["Id"])
    assert client.run("select 1")["Status"] == "FINISHED"


def test_the_words_of_an_error_hold_its_detail_and_no_code() -> None:
    error = RedshiftError("XX000", "Invalid digit", block("Invalid digit", 1207, "wrong: 2"))
    text = error_text(error, "d9b6c0c9-0747-4bf4-b142-e8883122f766")
    assert text.startswith("ERROR: Invalid digit\n  Detail: \n  -----")
    assert "context:   wrong: 2\n" in text
    assert text.endswith("[ErrorId: 1-d9b6c0c9-07474bf4b142e8883122f766]")
    assert "XX000" not in text


def test_a_batch_is_one_transaction(client: Client) -> None:
    client.run("create table t (a int)")
    done = client.run("insert into t values (1), (2)", "select sum(a) from t")
    parts = done["SubStatements"]
    assert [(part["Status"], part["ResultRows"]) for part in parts] == [
        ("FINISHED", 2),
        ("FINISHED", 1),
    ]
    assert client.rows(f"{done['Id']}:2") == [[3]]
    with pytest.raises(Refusal, match="can only be retrieved with sub-statement id"):
        client("GetStatementResult", Id=done["Id"])
    with pytest.raises(Refusal, match="Query does not have result"):
        client("GetStatementResult", Id=f"{done['Id']}:1")
    with pytest.raises(Refusal, match="Query does not exist"):
        client("GetStatementResult", Id=f"{done['Id']}:3")
    failed = client.run("insert into t values (3)", "select 1 / 0 from t", "select 1")
    assert [part["Status"] for part in failed["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert failed["Error"] == failed["SubStatements"][1]["Error"]
    assert client.rows(client.run("select count(*) from t")["Id"]) == [[2]]
    alone = {"ExecutionMode": "AUTO_COMMIT"}
    client.run(
        "insert into t values (3)", "select 1 / 0 from t", "insert into t values (4)", **alone
    )
    assert client.rows(client.run("select count(*) from t")["Id"]) == [[4]]


@pytest.mark.parametrize("word", ["commit", "/* x */ END;", "rollback work"])
def test_a_batch_that_is_a_transaction_ends_at_its_end(client: Client, word: str) -> None:
    """Else half of it stays where the rest fails."""
    client.run("create table t (a int)")
    sqls = ["insert into t values (1)", word, "select 1 / 0"]
    id_ = client("BatchExecuteStatement", Sqls=sqls, **HERE)["Id"]
    over = client("DescribeStatement", Id=id_, WaitTimeSeconds=30)
    assert "in a batch that is a transaction" in over["Error"]
    assert [one["Status"] for one in over["SubStatements"]] == ["FINISHED", "FAILED", "ABORTED"]
    assert client.rows(client.run("select count(*) from t")["Id"]) == [[0]]
    sqls = ["begin", *sqls[:1], "commit"]
    id_ = client("BatchExecuteStatement", Sqls=sqls, ExecutionMode="AUTO_COMMIT", **HERE)["Id"]
    assert client("DescribeStatement", Id=id_, WaitTimeSeconds=30)["Status"] == "FINISHED"


def test_truncate_in_a_batch_commits_what_came_before_it(client: Client) -> None:
    client.run("create table t (a int)")
    client.run("create table u (a int)")
    over = client.run("insert into u values (1)", "truncate t", "insert into t values (1 / 0)")
    assert [one["Status"] for one in over["SubStatements"]] == ["FINISHED", "FINISHED", "FAILED"]
    assert client.rows(client.run("select count(*) from u")["Id"]) == [[1]]
    over = client.run("truncate u", "insert into t values (1)", "select 1 / 0")
    assert client.rows(client.run("select count(*) from t")["Id"]) == [[0]], "another transaction"


@pytest.mark.parametrize("mode", ["TRANSACTION", "AUTO_COMMIT"])
def test_what_had_not_begun_is_aborted_when_a_batch_is_cancelled(client: Client, mode: str) -> None:
    client.run("create table t (a int)")
    session = client.run("begin", SessionKeepAliveSeconds=60)["SessionId"]
    client.run("lock table t", SessionId=session)
    sqls = ["insert into t values (1)", "select 1", "select 2"]
    id_ = client("BatchExecuteStatement", Sqls=sqls, ExecutionMode=mode, **HERE)["Id"]
    client("CancelStatement", Id=id_)
    over = client("DescribeStatement", Id=id_, WaitTimeSeconds=30)
    assert [one["Status"] for one in over["SubStatements"]] == ["ABORTED"] * 3


def test_a_session_keeps_its_tables_until_its_time_is_over(
    client: Client, api: DataApi, clock: Clock
) -> None:
    session = {"SessionId": client.run("select 1", SessionKeepAliveSeconds=60)["SessionId"]}
    client.run("create temp table mine (a int)", **session)
    client.run("begin", **session)
    client.run("insert into mine values (1)", **session)
    assert client.run("select * from mine")["Status"] == "FAILED"
    clock.now += 59
    assert client.rows(client.run("select a from mine", **session)["Id"]) == [[1]]
    clock.now += 61
    api.statements.sweep()
    with pytest.raises(Refusal, match="'Session is not available'"):
        client.run("select 1", **session)
    with pytest.raises(Refusal, match=r"Session with Id: .* is invalid"):
        client.run("select 1", SessionId="d9b6c0c9-0747-4bf4-b142-e8883122f766")
    other = client.run("select 1", SessionKeepAliveSeconds=60)["SessionId"]
    client.run("select 2", SessionId=other, SessionKeepAliveSeconds=0)
    with pytest.raises(Refusal, match="Session is not available"):
        client.run("select 3", SessionId=other)


def test_there_are_so_many_sessions_and_each_runs_one_statement_at_a_time(
    client: Client, api: DataApi
) -> None:
    client.run("create table t (a int)")
    one, two = (client.run("select 1", SessionKeepAliveSeconds=60)["SessionId"] for _ in range(2))
    with pytest.raises(Refusal, match=r"allowed quota \(2\)") as refused:
        client.run("select 1", SessionKeepAliveSeconds=60)
    assert refused.value.name == "ActiveSessionsExceededException"
    client.run("begin", SessionId=one)
    client.run("lock table t", SessionId=one)
    waits = client("ExecuteStatement", Sql="insert into t values (1)", SessionId=two)
    assert waits["Status"] in ("SUBMITTED", "STARTED")
    with pytest.raises(Refusal, match="Session is not available"):
        client("ExecuteStatement", Sql="select 1", SessionId=two)
    assert client("CancelStatement", Id=waits["Id"]) == {"Status": True}
    over = client("DescribeStatement", Id=waits["Id"])
    assert (over["Status"], over["Error"]) == ("ABORTED", "Query cancelled on user's request")
    with pytest.raises(Refusal, match="already in ABORTED state with ID: "):
        client("CancelStatement", Id=waits["Id"])
    client.run("commit", SessionId=one)
    assert client.run("insert into t values (2)", SessionId=two)["ResultRows"] == 1


def test_so_many_statements_run_at_once(clock: Clock) -> None:
    limits = Limits(active_statements=1)
    with Database() as database, asked(database, limits=limits, clock=clock) as api:
        client = Client(api.url)
        client.run("create table t (a int)")
        holder = client.run("begin", "lock table t", SessionKeepAliveSeconds=60)
        assert holder["Status"] == "FINISHED"  # committed, and so unlocked
        session = {"SessionId": holder["SessionId"]}
        client.run("begin", **session)
        client.run("lock table t", **session)
        waits = client("ExecuteStatement", Sql="select * from t", **HERE)
        with pytest.raises(Refusal, match=r"Active statements exceeded the allowed quota \(1\)"):
            client("ExecuteStatement", Sql="select 1", **HERE)
        client("CancelStatement", Id=waits["Id"])
        assert client.run("select 1")["Status"] == "FINISHED"


def test_the_same_token_is_the_same_request(client: Client, clock: Clock) -> None:
    client.run("create table t (a int)")
    request = {"Sql": "insert into t values (1)", "ClientToken": "once", **HERE}
    ids: list[str] = []

    def send() -> None:
        ids.append(client("ExecuteStatement", **request)["Id"])

    threads = [threading.Thread(target=send) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({*ids}) == 1
    client("DescribeStatement", Id=ids[0], WaitTimeSeconds=30)
    assert client.rows(client.run("select count(*) from t")["Id"]) == [[1]]
    with pytest.raises(Refusal, match="ClientToken was used before"):
        client("ExecuteStatement", **{**request, "Sql": "insert into t values (2)"})
    clock.now += 61
    assert client("ExecuteStatement", **request)["Id"] not in ids


@pytest.mark.parametrize(
    ("operation", "members", "told"),
    [
        ("ExecuteStatement", {"Sql": "x" * 2_001, **HERE}, "Query text is too large: 2001 bytes"),
        ("ExecuteStatement", {"Sql": " ", **HERE}, "SQL statement is empty"),
        ("ExecuteStatement", {**HERE}, "Value at 'sql' failed to satisfy constraint"),
        ("ExecuteStatement", {"Sql": "select 1", "Database": "dev"}, "either ClusterIdentifier or"),
        ("ExecuteStatement", {"Sql": "select 1", **HERE, "WorkgroupName": "other"},
         "Redshift endpoint doesn't exist in this region."),
        ("ExecuteStatement", {"Sql": "select 1", "WorkgroupName": "local"}, "Database is required"),
        ("ExecuteStatement", {"Sql": "select 1", **HERE, "SessionId": "d" * 8 + "-1111" * 3 + "-" + "1" * 12},
         "can't be given with SessionId"),
        ("ExecuteStatement", {"Sql": "select :a", **HERE, "Parameters": [{"name": "a", "value": "1"}]},
         "no rule for Parameters"),
        ("ExecuteStatement", {"Sql": "select 1", **HERE, "ResultFormat": "CSV"}, "as JSON"),
        ("ExecuteStatement", {"Sql": "select 1", **HERE, "Sort": "x"}, "the member Sort"),
        ("ExecuteStatement", {"Sql": "select 1", **HERE, "WaitTimeSeconds": 31},
         "'waitTimeSeconds' failed to satisfy constraint: Member must have value less than or equal to 30"),
        ("ExecuteStatement", {"Sql": "select 1", **HERE, "SessionKeepAliveSeconds": 86_401},
         "less than or equal to 86400"),
        ("BatchExecuteStatement", {"Sqls": ["select 1"] * 4, **HERE},
         "'sqls' failed to satisfy constraint: Member must have length less than or equal to 3"),
        ("BatchExecuteStatement", {"Sqls": [], **HERE}, "greater than or equal to 1"),
        ("DescribeStatement", {"Id": "x"}, "Value at 'id' failed to satisfy constraint"),
        ("ExecuteStatement", {"Sql": "select '\ud800'", **HERE}, "the SQL is no Unicode text"),
        ("ListDatabases", {**HERE}, "no Data API operation ListDatabases; there are "),
    ],
)  # fmt: skip
def test_a_request_that_is_wrong_is_refused_by_what_is_wrong(
    client: Client, operation: str, members: dict[str, Any], told: str
) -> None:
    with pytest.raises(Refusal) as refused:
        client(operation, **members)
    assert told in refused.value.message
    assert refused.value.status == 400


def test_another_database_is_not_there(client: Client) -> None:
    run = client.run("select 1", SessionKeepAliveSeconds=0)
    assert run["Status"] == "FINISHED"
    id_ = client("ExecuteStatement", Sql="select 1", WorkgroupName="local", Database="prod")["Id"]
    over = client("DescribeStatement", Id=id_, WaitTimeSeconds=30)
    assert over["Error"].startswith('FATAL: database "prod" does not exist')


def test_only_who_signs_with_a_key_may_ask(api: DataApi) -> None:
    client = Client(api.url)

    def refused(by: Client, **headers: str) -> tuple[int, str]:
        status, answer = by.send("ExecuteStatement", {"Sql": "select 1", **HERE}, **headers)
        return status, answer["__type"]

    assert refused(client, Authorization="") == (403, "MissingAuthenticationTokenException")
    assert refused(client, Authorization="Basic x") == (403, "IncompleteSignatureException")
    assert refused(Client(api.url, key="nobody")) == (403, "UnrecognizedClientException")
    assert refused(Client(api.url, secret="of yesterday")) == (403, "InvalidSignatureException")
    assert refused(client, **{"X-Amz-Target": "RedshiftData.CancelStatement"}) == (
        403,
        "InvalidSignatureException",
    )
    host, body = urlsplit(api.url).netloc, b"{}"
    late = datetime.now(timezone.utc) - timedelta(minutes=6)
    old = signed(host, "RedshiftData.ExecuteStatement", body, client.key, client.secret, late)
    status, answer = client.send("ExecuteStatement", body, **old)
    assert (status, answer["Message"].partition(":")[0]) == (403, "Signature expired")
    assert client.send("ExecuteStatement", b"no json")[1]["__type"] == "SerializationException"


def test_a_statement_is_its_own_users(api: DataApi) -> None:
    mine = Client(api.url).run("select 1")
    with pytest.raises(Exception, match="Query does not exist"):
        api.statements.find("somebody", mine["Id"])


def test_a_user_that_was_dropped_does_not_become_its_own_superuser() -> None:
    with Database() as database, connect(database) as owner:
        owner.execute("create table t (a int)")
        owner.execute("create user reader password 'Abcdefg1'")
        with DataApi(database, {"reader": Key("reader", "secret")}) as api:
            reader = Client(api.url, "reader", "secret")
            denied = "permission denied for relation t"
            assert denied in reader.run("select * from t")["Error"]
            owner.execute("drop user reader")
            assert denied in reader.run("select * from t")["Error"]


def test_to_listen_beyond_this_machine_takes_tls() -> None:
    with Database() as database, pytest.raises(ValueError, match="needs TLS"):
        DataApi(database, {}, host="0.0.0.0")


def test_closing_cancels_what_runs_and_leaves_nothing(clock: Clock) -> None:
    before = {*threading.enumerate()}
    with Database() as database:
        with asked(database, clock=clock) as api:
            client = Client(api.url)
            client.run("create table t (a int)")
            session = {"SessionId": client.run("select 1", SessionKeepAliveSeconds=60)["SessionId"]}
            client.run("begin", **session)
            client.run("insert into t values (1)", **session)
            client.run("lock table t", **session)
            waits = client("ExecuteStatement", Sql="select * from t", **HERE)
            assert waits["Status"] in ("SUBMITTED", "STARTED")
        assert database.sessions == []
        assert [one for one in threading.enumerate() if one not in before and one.is_alive()] == []


def test_of_too_many_statements_the_oldest_are_forgotten(clock: Clock) -> None:
    limits = Limits(kept_statements=6)
    with Database() as database, asked(database, limits=limits, clock=clock) as api:
        client = Client(api.url)
        request = {"Sql": "create table t (a int)", "ClientToken": "once", **HERE}
        first = client("ExecuteStatement", **request, WaitTimeSeconds=30)["Id"]
        ids = [client.run("select 1")["Id"] for _ in range(6)]
        with pytest.raises(Refusal, match="Query does not exist"):
            client("DescribeStatement", Id=first)
        with pytest.raises(Refusal, match="Query does not exist"):
            client("ExecuteStatement", **request)  # it is not run again
        assert client.rows(ids[-1]) == [[1]]
