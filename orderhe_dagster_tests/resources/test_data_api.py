"""The adapter of the Data API on the local Redshift's: as the driver's, what is lost, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import botocore.exceptions as aws
import pytest

from local_redshift.data_api.faults import Limits
from local_redshift.data_api.operations import WORKGROUP
from local_redshift.data_api.server import DataApi
from local_redshift.database.database import Database
from local_redshift.testing import data_api
from local_redshift.testing.server import Redshift
from orderhe_dagster.doctor.explain import explain
from orderhe_dagster.ports.errors import CommitUnknown, ConnectionLost, PortError, StatementError
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.resources.build import build_store, build_warehouse
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.redshift import data_client
from orderhe_dagster.resources.redshift.data_api import (
    KEPT_ALIVE_S,
    MOST_BYTES,
    MOST_STATEMENTS,
    DataApiWarehouse,
)
from orderhe_dagster.resources.redshift.data_client import DataClient
from orderhe_dagster.resources.redshift.data_errors import (
    SessionGone,
    code_of_message,
    failed_statement,
    request_error,
)
from orderhe_dagster.settings.config import RedshiftSettings, load_settings
from orderhe_dagster_tests.contracts.warehouses import (
    CREDENTIALS,
    by_the_data_api,
    counted_at_once,
    over_the_wire,
)
from orderhe_dagster_tests.servers.s3 import use
from orderhe_dagster_tests.servers.standstill import silent_peer
from orderhe_dagster_tests.shops import TestShop, sales_shop

Members = Mapping[str, Any]
Fault = Callable[[str, Callable[[], Any]], Any]


@pytest.fixture
def api(monkeypatch: pytest.MonkeyPatch) -> Iterator[DataApi]:
    use(monkeypatch, CREDENTIALS)
    with Database() as database, data_api.asked(database) as made:
        yield made


@pytest.fixture
def made(api: DataApi) -> DataApiWarehouse:
    return by_the_data_api(api)


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits before a request is sent again."""
    monkeypatch.setattr(data_client, "pause", lambda attempt: None)


def meeting(monkeypatch: pytest.MonkeyPatch, fault: Fault) -> None:
    """Have each request meet a fault, which is given its operation and what sends it."""
    called = DataClient._called

    def faulty(client: DataClient, operation: str, members: Members) -> Any:
        return fault(operation, lambda: called(client, operation, members))

    monkeypatch.setattr(DataClient, "_called", faulty)


def lost() -> Exception:
    return aws.ConnectionClosedError(endpoint_url="https://redshift-data.example")


def refused(code: str, message: str, operation: str = "ExecuteStatement", status: int = 400) -> Any:
    """An exception of the service's."""
    answer: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status},
    }
    return aws.ClientError(answer, operation)


# -- as by the driver ------------------------------------------------------------------------------

VALUES = """
select true as a, 1::smallint as b, 2::int as c, 3::bigint as d, 0.1::real as e, '1e-300'::float8 as f,
  -0.25::float8 as g, -1.50::decimal(38, 10) as h, 'x ''밥'' | '::varchar(20) as i, ''::varchar(3) as j,
  date '0001-01-01' as k, timestamp '2026-02-28 23:59:59.999999' as l, timestamp '1969-12-31 00:00:00' as m,
  '2026-02-28 23:59:59.5'::timestamp::timestamptz as n, json_parse('{"a": [1, null]}') as o,
  from_hex('00ff') as p, null::decimal(5, 2) as q, 'bare' as r, null as s
"""


def test_values_and_types_are_those_of_the_driver(
    redshift: Redshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, CREDENTIALS)
    by_the_driver = over_the_wire(redshift).query(VALUES)
    with data_api.asked(redshift.database) as api:
        asked = by_the_data_api(api).query(VALUES)
    assert asked.columns == by_the_driver.columns
    assert list(asked.rows) == list(by_the_driver.rows)
    assert [type(one) for one in asked.rows[0]] == [type(one) for one in by_the_driver.rows[0]]
    named = zip(asked.types, by_the_driver.types, strict=True)
    assert [(mine, theirs) for mine, theirs in named if mine != theirs] == []


ERRORS = [
    "select * from nowhere",
    "select * from nowhere.t",
    "select b from t",
    "select x.b from t as x",
    "select (1",
    "select a / 0 from t",
    "select 'x'::int from t where a = 1",
    "select text::int from t",
    "insert into t (a) values (null)",
    "insert into t values (1, 'more than ten bytes')",
    "insert into t (a) values (5000000000)",
    "create table t (a int)",
    "create schema public",
    "alter table t add column a int",
    "alter table t drop column nothing",
    "create user admin password 'Abcdefg1'",
    "drop user nobody",
    "drop table nowhere",
    "drop table t",
    "select soundex('a')",
    "vacuum nowhere",
    "copy t from 's3://nowhere/x' iam_role default csv",
    "copy nowhere from 's3://nowhere/x' iam_role default csv",
    "select a, count(*) from t",
    "-- nothing",
    "set nothing to 1",
]


def test_errors_have_the_words_and_codes_of_the_driver(
    redshift: Redshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    use(monkeypatch, CREDENTIALS)

    def told(session: Session, sql: str) -> tuple[str, str]:
        with pytest.raises(StatementError) as raised:
            session.execute(sql)
        assert raised.value.statement == sql
        return raised.value.message, raised.value.code

    with (
        data_api.asked(redshift.database) as api,
        over_the_wire(redshift).session("driver") as driver,
        by_the_data_api(api).session("asked") as asked,
    ):
        driver.execute("create table t (a int not null, text varchar(10))")
        driver.execute("create view v as select a from t")
        driver.execute("insert into t values (1, 'x')")
        different = [
            (sql, mine, theirs)
            for sql in ERRORS
            if (mine := told(asked, sql)) != (theirs := told(driver, sql))
        ]
        assert different == []
        for session in (driver, asked):
            session.execute("begin")
            told(session, "select 1 / 0 from t")
        assert told(asked, "select 1") == told(driver, "select 1")


def test_a_flat_error_of_a_compute_node_is_read_too() -> None:
    """As other programs have shown it: one line, and the number of the error behind it."""
    flat = (
        "ERROR: Spectrum Scan Error Detail: ----------------------------------------------- error: "
        "Spectrum Scan Error code: 15007 context: File 'https://s3.example/x.parquet' has an incompatible"
        " Parquet s query: 146667179 location: dory_util.cpp:1777 process: worker_thread [pid=30296] "
        "----------------------------------------------- [ErrorId: 1-68f7ff75-672e60d16356d0f719974665]"
    )
    error = failed_statement(flat, "copy t …", RedshiftSettings())
    assert isinstance(error, StatementError)
    assert error.message == (
        "Spectrum Scan Error: File 'https://s3.example/x.parquet' has an incompatible Parquet s"
    )
    assert isinstance(
        failed_statement("Connection reset", "select 1", RedshiftSettings()), ConnectionLost
    )


@pytest.mark.parametrize(
    "message",
    [
        'Invalid digit: "relation "x" does not exist"',
        "value 'schema \"x\" does not exist' is wrong",
        "what: syntax error",
    ],
)
def test_a_value_in_the_midst_of_a_message_makes_no_code_of_it(message: str) -> None:
    """By its code a message passes as one about names, whose words are not masked."""
    assert code_of_message(message) == "XX000"


# -- sessions and transactions ---------------------------------------------------------------------


def test_the_label_is_found_in_the_history_of_queries(made: DataApiWarehouse) -> None:
    with made.session("load warehouse/orders run 0a1b") as session:
        session.execute("select 'found me'")
    found = made.query(
        "select query_label from sys_query_history where query_text like '%found me%'"
        " and query_text not like '%sys_query_history%'"
    )
    assert ("load warehouse/orders run 0a1b",) in found.rows


@pytest.mark.parametrize("too_much", ["statements", "bytes"])
def test_what_is_too_much_for_a_batch_is_one_transaction_all_the_same(
    made: DataApiWarehouse, too_much: str
) -> None:
    many = MOST_STATEMENTS + 1 if too_much == "statements" else 2
    length = 1 if too_much == "statements" else 60_000
    rows = [f"insert into t values ({n}, '{'x' * length}')" for n in range(many)]
    with made.session("many") as session:
        session.execute("create table t (a int, b varchar(max))")
        with pytest.raises(StatementError, match="division by zero") as raised:
            session.transaction([*rows, "insert into t select 1 / 0, 'x'"])
        assert raised.value.statement.startswith("insert into t select 1 / 0")
        assert session.execute("select count(*) from t").scalar() == 0
        assert [one.row_count for one in session.transaction(rows)] == [1] * many
        assert session.execute("select count(*) from t").scalar() == many


def test_a_transaction_in_the_way_of_another_is_repeated(made: DataApiWarehouse) -> None:
    assert counted_at_once(replace(made, attempts=100), adders=3, times=3) == 9


def test_a_statement_that_takes_too_long_is_ended_by_the_server(api: DataApi) -> None:
    made = by_the_data_api(api, statement_timeout=1)
    with made.session("holds") as holder, made.session("waits") as waiter:
        holder.execute("create table t (a int)")
        holder.execute("begin")
        holder.execute("lock table t")
        with pytest.raises(StatementError) as raised:
            waiter.execute("insert into t values (2)")
        assert raised.value.code == "57014"
        holder.execute("commit")
        assert waiter.execute("insert into t values (3)").row_count == 1


def test_a_session_that_ended_meanwhile_is_a_lost_connection(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    use(monkeypatch, CREDENTIALS)
    now = [1_800_000_000.0]
    with Database() as database, data_api.asked(database, clock=lambda: now[0]) as api:
        made = by_the_data_api(api)
        with made.session("forgotten") as session:
            session.execute("create temp table mine (a int)")
            now[0] += 2_000
            api.statements.sweep()
            for ask in (
                lambda: session.execute("select 1"),
                lambda: session.transaction(["insert into mine values (1)"]),
            ):
                with pytest.raises(ConnectionLost, match="temporary tables with it") as raised:
                    ask()
                assert not isinstance(raised.value, CommitUnknown), "it was not taken in"
        assert made.query("select 1").scalar() == 1


def test_sessions_are_ended_and_do_not_wait_for_their_time(
    api: DataApi, made: DataApiWarehouse
) -> None:
    for _ in range(3):
        with made.session("short") as session:
            session.execute("begin")
            session.execute("create table t (a int)")
    api.statements.settle()
    assert [one for one in api.statements.sessions if not one.closed] == []
    assert made.query("select 1").scalar() == 1


# -- what is lost on the way -----------------------------------------------------------------------


def test_a_transaction_whose_answer_is_lost_is_looked_up_and_never_run_twice(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with made.session("make") as session:
        session.execute("create table t (a int)")
        answers = iter([True, True])

        def fault(operation: str, send: Callable[[], Any]) -> Any:
            answer = send()
            if operation == "batch_execute_statement" and next(answers, False):
                raise lost()
            return answer

        meeting(monkeypatch, fault)
        (result,) = session.transaction(["insert into t values (1)"])
        assert result.row_count == 1
    assert made.query("select count(*) from t").scalar() == 1


@pytest.mark.parametrize("operation", ["batch_execute_statement", "describe_statement"])
def test_a_transaction_that_nobody_knows_of_may_have_been_committed(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    """The road asks its audit then."""
    with made.session("make") as session:
        session.execute("create table t (a int)")

        def fault(asked: str, send: Callable[[], Any]) -> Any:
            answer = send()
            if asked == operation:
                raise lost()
            return answer

        with monkeypatch.context() as patch:
            meeting(patch, fault)
            with pytest.raises(CommitUnknown, match="Whether the transaction was") as raised:
                session.transaction(["insert into t values (1)"])
        assert explained(raised.value) == "data-unreached"
    assert made.query("select count(*) from t").scalar() == 1


def explained(error: PortError) -> str:
    """The doctor's name for what an error came from."""
    why = explain(error)
    assert why is not None
    return why.name


EXPIRED = ("ExpiredTokenException", "The security token included in the request is expired")
NO_SESSION = ("ValidationException", "Session is not available")


@pytest.mark.parametrize("refusal", [EXPIRED, NO_SESSION], ids=["expired", "no session"])
def test_a_refusal_after_a_lost_answer_says_nothing_of_the_transaction(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch, refusal: tuple[str, str]
) -> None:
    with made.session("make") as session:
        session.execute("create table t (a int)")
        asked: list[str] = []

        def fault(operation: str, send: Callable[[], Any]) -> Any:
            if operation != "batch_execute_statement":
                return send()
            asked.append(operation)
            if len(asked) > 1:
                raise refused(*refusal)
            send()
            raise lost()

        with monkeypatch.context() as patch:
            meeting(patch, fault)
            with pytest.raises(CommitUnknown, match="Asked again:"):
                session.transaction(["insert into t values (1)"])
        assert len(asked) == 2
    assert made.query("select count(*) from t").scalar() == 1


@pytest.mark.parametrize("count", [1, MOST_STATEMENTS + 1], ids=["batch", "one by one"])
def test_credentials_that_expire_while_it_commits_leave_it_unknown(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch, count: int
) -> None:
    with made.session("make") as session:
        session.execute("create table t (a int)")
        submitted: list[str] = []
        at_the_commit = 1 if count == 1 else count + 2

        def fault(operation: str, send: Callable[[], Any]) -> Any:
            if operation == "describe_statement" and len(submitted) == at_the_commit:
                raise refused(*EXPIRED, operation="DescribeStatement")
            submitted.extend([operation] * operation.endswith("execute_statement"))
            return send()

        with monkeypatch.context() as patch:
            meeting(patch, fault)
            with pytest.raises(CommitUnknown, match="ExpiredToken") as raised:
                session.transaction(["insert into t values (1)"] * count)
        assert explained(raised.value) == "data-no-credentials", "why is told all the same"
    assert made.query("select count(*) from t").scalar() == count


def test_a_session_that_is_gone_when_asked_again_by_the_client_itself_may_have_run_it() -> None:
    error = refused(*NO_SESSION)
    once = request_error(error, RedshiftSettings(workgroup="w"), "run it", "select 1")
    assert isinstance(once, SessionGone)
    error.response["ResponseMetadata"]["RetryAttempts"] = 1
    again = request_error(error, RedshiftSettings(workgroup="w"), "run it", "select 1")
    assert isinstance(again, ConnectionLost)
    assert not isinstance(again, SessionGone)


def test_a_statement_whose_answer_is_lost_for_good_is_a_lost_connection(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with made.session("make") as session:

        def fault(asked: str, send: Callable[[], Any]) -> Any:
            raise lost()

        with monkeypatch.context() as patch:
            meeting(patch, fault)
            with pytest.raises(
                ConnectionLost, match="no answer from redshift-data://local/dev when"
            ):
                session.execute("select 1")


@pytest.mark.parametrize("stage", ["submitted", "awaited"])
def test_what_nobody_waits_for_any_more_is_cancelled(
    api: DataApi, made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch, stage: str
) -> None:
    """As when Dagster ends a run: the statement would go on, and do what nobody asks for any more."""
    monkeypatch.setattr(data_client, "_WAIT_S", 1)
    with made.session("holds") as holder, made.session("waits") as waiter:
        holder.execute("create table t (a int)")
        holder.execute("begin")
        holder.execute("lock table t")
        at = "execute_statement" if stage == "submitted" else "describe_statement"
        stops = iter([True])

        def fault(asked: str, send: Callable[[], Any]) -> Any:
            answer = send()
            if asked == at and next(stops, False):
                raise KeyboardInterrupt
            return answer

        meeting(monkeypatch, fault)
        with pytest.raises(KeyboardInterrupt):
            waiter.execute("insert into t values (1)")
        api.statements.settle()
        holder.execute("commit")
    assert made.query("select count(*) from t").scalar() == 0


def test_a_page_that_does_not_come_is_no_short_result(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    with made.session("make") as session:

        def fault(asked: str, send: Callable[[], Any]) -> Any:
            answer = send()
            if asked == "get_statement_result":
                answer["Records"] = answer["Records"][1:]
            return answer

        meeting(monkeypatch, fault)
        with pytest.raises(ConnectionLost, match="gave 0 of 1 rows"):
            session.execute("select 1")


def test_a_service_that_is_busy_is_asked_again(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    busy = ["ActiveStatementsExceededException", "ThrottlingException"]
    left = [*busy]

    def fault(asked: str, send: Callable[[], Any]) -> Any:
        if left and asked == "execute_statement":
            raise refused(left.pop(), "Active statements exceeded the allowed quota (500).")
        return send()

    meeting(monkeypatch, fault)
    assert made.query("select 1").scalar() == 1
    left += busy * 10
    with pytest.raises(PortError, match=r"went on saying so.*fewer runs at once .*quota \(500\)"):
        made.query("select 1")


def test_a_silent_service_is_not_waited_for(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"_TRIES": 1, "_LOST_ROUNDS": 0, "_WAIT_S": 1}.items():
        monkeypatch.setattr(data_client, name, value)
    with silent_peer() as port:
        settings = replace(
            made.settings, endpoint_url=f"http://127.0.0.1:{port}", connect_timeout=1
        )
        with pytest.raises(ConnectionLost, match="no answer from redshift-data://local/dev"):
            DataApiWarehouse(settings).query("select 1")


# -- who is asked, and who may ask -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "members"),
    [
        ({"workgroup": "shop", "user": "passed over"}, {"WorkgroupName": "shop"}),
        ({"cluster": "shop", "user": "loader"}, {"ClusterIdentifier": "shop", "DbUser": "loader"}),
        ({"cluster": "shop", "user": "x", "secret_arn": "arn:s"},
         {"ClusterIdentifier": "shop", "SecretArn": "arn:s"}),
        ({"workgroup": "shop", "secret_arn": "arn:s"}, {"WorkgroupName": "shop", "SecretArn": "arn:s"}),
    ],
)  # fmt: skip
def test_the_warehouse_and_its_user_are_named_in_a_request(
    given: dict[str, str], members: dict[str, str]
) -> None:
    settings = RedshiftSettings(**given)  # type: ignore[arg-type]
    assert DataClient(settings).warehouse == {"Database": "dev", **members}


@pytest.mark.parametrize(
    ("error", "told"),
    [
        (refused("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized to perform: "
                 "redshift-serverless:GetCredentials on resource: x"),
         r'GetCredentials is not allowed\. Add this .*"Action": "redshift-serverless:GetC.*docs/redshift.md'),
        (refused("AccessDeniedException", "no", "DescribeStatement"),
         r'"Action": "redshift-data:DescribeStatement", "Resource": "\*"'),
        (refused("ExpiredTokenException", "expired"), "AWS's credentials are not right, or have expired"),
        (refused("ValidationException", "Redshift endpoint doesn't exist in this region."),
         "See ORDERHE_REDSHIFT_WORKGROUP.* and AWS_DEFAULT_REGION"),
        (refused("InternalServerException", "oh", status=500), "did not manage to"),
        (refused("ValidationException", "cannot read the secret"), "ORDERHE_REDSHIFT_SECRET_ARN"),
        (aws.NoCredentialsError(), "AWS's credentials are missing"),
        (aws.NoRegionError(), "Set AWS_DEFAULT_REGION"),
        (aws.EndpointConnectionError(endpoint_url="https://redshift-data.eu-west-1.amazonaws.com"),
         "let HTTPS out"),
    ],
)  # fmt: skip
def test_a_refused_request_names_the_remedy(
    made: DataApiWarehouse, monkeypatch: pytest.MonkeyPatch, error: Exception, told: str
) -> None:
    def fault(asked: str, send: Callable[[], Any]) -> Any:
        raise error

    meeting(monkeypatch, fault)
    with pytest.raises(PortError, match=told), made.session("x"):
        raise AssertionError("opened")


def test_a_login_to_a_cluster_is_allowed_by_user_and_database() -> None:
    error = refused(
        "AccessDeniedException", "not authorized to perform: redshift:GetClusterCredentials"
    )
    told = str(
        request_error(error, RedshiftSettings(cluster="c", user="etl"), "run it", "select 1")
    )
    assert '"arn:aws:redshift:REGION:ACCOUNT:dbuser:c/etl"' in told
    assert '"arn:aws:redshift:REGION:ACCOUNT:dbname:c/dev"' in told


@pytest.mark.parametrize(
    ("credentials", "told"),
    [
        ({}, "AWS's credentials are missing"),
        ({**CREDENTIALS, "AWS_SECRET_ACCESS_KEY": "other"}, "InvalidSignatureException"),
        ({**CREDENTIALS, "AWS_ACCESS_KEY_ID": "other"}, "UnrecognizedClientException"),
    ],
)
def test_wrong_credentials_are_told(
    made: DataApiWarehouse,
    monkeypatch: pytest.MonkeyPatch,
    credentials: dict[str, str],
    told: str,
) -> None:
    use(monkeypatch, credentials)
    with pytest.raises(PortError, match=told), made.session("x"):
        raise AssertionError("opened")


def test_a_statement_larger_than_the_service_takes_is_told(made: DataApiWarehouse) -> None:
    with pytest.raises(StatementError, match="a statement has 102400 at most") as raised:
        made.query(f"select '{'x' * 103_000}'")
    assert raised.value.code == "54000"


def test_settings_choose_it(api: DataApi, tmp_path: Path) -> None:
    given = {
        "ORDERHE_WAREHOUSE": "data_api",
        "ORDERHE_REDSHIFT_WORKGROUP": WORKGROUP,
        "ORDERHE_REDSHIFT_ENDPOINT_URL": api.url,
    }
    chosen = build_warehouse(load_settings(given, tmp_path))
    assert chosen.query("select 1").scalar() == 1
    assert chosen.identity == "redshift-data://local/dev"


# -- the whole road --------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestShop]:
    """The sales shop with its warehouse behind the Data API."""
    use(monkeypatch, CREDENTIALS)
    home = {"ORDERHE_HOME": str(tmp_path / "shop" / "home")}
    with ExitStack() as stack:
        reach = resolver(build_store(load_settings(home, tmp_path)), stack)
        database = stack.enter_context(Database(tmp_path / "w.duckdb", resolver=reach))
        served = stack.enter_context(data_api.asked(database))
        switches = {
            "ORDERHE_WAREHOUSE": "data_api",
            "ORDERHE_REDSHIFT_WORKGROUP": WORKGROUP,
            "ORDERHE_REDSHIFT_ENDPOINT_URL": served.url,
        }
        yield sales_shop(tmp_path / "shop", switches)


def test_the_whole_road_runs_by_the_data_api(shop: TestShop) -> None:
    days = ("2026-01-01", "2026-01-04")
    assert shop.run("*", *days).succeeded
    takings = "select sold_on::varchar(10), price_total::float8 from mart.takings order by 1"
    assert shop.rows(takings) == [
        ("2026-01-01", 10.625),
        ("2026-01-02", 7.0),
        ("2026-01-04", 99999999.999),
    ]
    exported = (shop.home / "exports" / "takings.csv").read_text("utf-8")
    assert exported.splitlines()[1:] == [
        "2026-01-01,10.625",
        "2026-01-02,7.000",
        "2026-01-04,99999999.999",
    ]
    shop.change("update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2")
    with shop.warehouse.session("somebody") as session:
        session.execute("update warehouse.sales set price = 1 where sale_no = 3")
    assert shop.run("*", *days, prove_all=True).succeeded
    assert shop.rows(takings)[1:] == [("2026-01-02", 8.0), ("2026-01-04", 99999999.999)]
    assert shop.rows("select price::float8 from warehouse.sales where sale_no = 3") == [
        (99999999.999,)
    ]


def test_a_load_whose_commit_is_not_answered_is_found_in_the_audit(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert shop.run("backup/*", "2026-01-01", "2026-01-04").succeeded
    lost_once: list[str] = []
    called = DataClient._called

    def faulty(client: DataClient, operation: str, members: Members) -> Any:
        answer = called(client, operation, members)
        texts = members.get("Sqls", ())
        if lost_once and lost_once[0] == members.get("ClientToken"):
            raise lost()
        if not lost_once and any("insert into warehouse" in sql for sql in texts):
            lost_once.append(members["ClientToken"])
            raise lost()
        return answer

    monkeypatch.setattr(DataClient, "_called", faulty)
    assert shop.run("warehouse/*", "2026-01-01", "2026-01-04").succeeded
    assert lost_once
    monkeypatch.undo()
    use(monkeypatch, CREDENTIALS)
    assert shop.rows("select count(*) from warehouse.sales") == [(4,)]
    runs = shop.rows(
        "select count(distinct run_id) from warehouse._loads where table_name like 'warehouse.%'"
    )
    assert runs == [(1,)]


def test_the_limits_of_the_adapter_are_not_above_the_service_s() -> None:
    assert Limits().batch_statements >= MOST_STATEMENTS
    assert Limits().statement_bytes >= MOST_BYTES
    assert Limits().keep_alive_s >= KEPT_ALIVE_S
