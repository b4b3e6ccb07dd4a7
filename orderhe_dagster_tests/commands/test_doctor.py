"""`orderhe doctor`: what a person types and reads, and that nothing secret is in it."""

from __future__ import annotations

import json
import logging
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from local_redshift.testing.server import Redshift
from orderhe_dagster.cli import main
from orderhe_dagster.commands.create import create_all
from orderhe_dagster.commands.doctor import Asked, _history, report, run_doctor
from orderhe_dagster.doctor.walk import Found, Outcome, Status
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.resources.redshift.warehouse import RedshiftWarehouse
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster.settings.home import prepare_home
from orderhe_dagster_tests.doctor.clouds import SilentCloud
from orderhe_dagster_tests.doctor.peers import network, peer, says
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.servers.s3 import use

NEEDLE = "needle-in-no-output"
RDS = "shop.abc123def456.eu-west-1.rds.amazonaws.com"
SERVERLESS = "shop.123456789012.eu-west-1.redshift-serverless.amazonaws.com"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own, without credentials of AWS."""
    monkeypatch.chdir(tmp_path)
    use(monkeypatch, {})
    return tmp_path


def orderhe(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(main, ["doctor", *words], env=environ, catch_exceptions=False)


AWS = {
    "ORDERHE_PROFILE": "aws",
    "ORDERHE_STORE": "folder",
    "ORDERHE_MYSQL_HOST": RDS,
    "ORDERHE_MYSQL_USER": "etl",
    "ORDERHE_MYSQL_PASSWORD": NEEDLE,
    "ORDERHE_MYSQL_DATABASE": "shop",
    "ORDERHE_REDSHIFT_HOST": SERVERLESS,
    "ORDERHE_REDSHIFT_USER": "loader",
    "ORDERHE_REDSHIFT_PASSWORD": NEEDLE,
}


def walked(patch: pytest.MonkeyPatch, asked: Asked, opens: OSError | None) -> tuple[bool, str]:
    """The doctor in a network of a probe, and with an AWS that says nothing."""
    for name, value in AWS.items():
        patch.setenv(name, value)
    lines: list[str] = []
    passed = run_doctor(asked, lines.append, cloud=SilentCloud(), probe=network(opens=opens))
    return passed, "\n".join(lines)


def test_on_a_laptop_all_is_well(folder: Path) -> None:
    result = orderhe()
    assert result.exit_code == 0, result.output
    assert "The road is passable" in result.output
    assert "FAILED" not in result.output
    assert list(folder.iterdir()) == [], "a look makes neither a database nor a folder"
    assert CliRunner().invoke(main, ["create"]).exit_code == 0
    after = orderhe()
    assert after.exit_code == 0, after.output
    assert "duckdb:shop.duckdb: 3 tables" in after.output


def test_two_walls_at_once_are_both_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    passed, output = walked(monkeypatch, Asked(), TimeoutError("timed out"))
    assert not passed
    assert "Nothing lets this machine in" in output
    assert "The workgroup cannot be reached from here" in output
    assert output.splitlines()[-1].startswith("2 walls on the road:")
    assert NEEDLE not in output


def test_without_permissions_all_of_aws_is_unknown(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ORDERHE_REDSHIFT_IAM_ROLE", "arn:aws:iam::123456789012:role/copy")
    _, output = walked(monkeypatch, Asked(as_json=True), TimeoutError("timed out"))
    rows = {(one["road"], one["check"]): one["status"] for one in json.loads(output)}
    asked = {name: status for name, status in rows.items() if name[1].endswith("(AWS)")}
    assert asked.pop(("Redshift", "role's rights (AWS)")) == "skipped", "the store is a folder"
    assert asked.pop(("Redshift", "region (AWS)")) == "skipped"
    assert set(asked.values()) == {"unknown"}
    assert len(asked) == 5


def test_what_was_not_looked_at_is_not_called_passable() -> None:
    def last(*statuses: Status) -> str:
        outcomes = [Outcome("r", "c", Found(status, "")) for status in statuses]
        return list(report(outcomes))[-1]

    assert last("ok", "skipped") == "The road is passable: 1 ok, 0 failed, 1 skipped."
    assert last("ok", "not asked") == "No wall was met: 1 ok, 0 failed, 1 not asked."
    assert last("ok", "unknown") == "No wall was met: 1 ok, 0 failed, 1 unknown."


def test_a_history_that_cannot_be_read_is_unknown(folder: Path) -> None:
    settings = load_settings()
    folder_of_dagster = prepare_home(settings).instance.parent
    for name in ("history/runs.db", "schedules/schedules.db"):
        file = folder_of_dagster / name
        file.parent.mkdir()
        file.write_bytes(b"no database" * 100)
    assert "file is not a database" in _history(settings, ()).error


def test_json_says_what_the_table_says(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, output = walked(monkeypatch, Asked(as_json=True), TimeoutError("timed out"))
    rows = json.loads(output)
    assert NEEDLE not in output
    (wall,) = [one for one in rows if (one["road"], one["check"]) == ("MySQL", "TCP")]
    assert wall["status"] == "failed"
    (why,) = wall["explanations"]
    assert why["signature"] == "mysql-no-inbound-rule"
    assert why["page"] == "docs/doctor.md#mysql-no-inbound-rule"
    assert why["fix"].startswith("aws ec2 authorize-security-group-ingress")


def test_wrong_settings_are_rows_of_their_own(folder: Path) -> None:
    result = orderhe("--json", ORDERHE_SOURCE="mysql", ORDERHE_MYSQL_HOST="", ORDERHE_SED="1")
    assert result.exit_code == 1
    failed = [one["check"] for one in json.loads(result.output) if one["status"] == "failed"]
    assert set(failed) == {
        *("ORDERHE_MYSQL_HOST", "ORDERHE_MYSQL_USER", "ORDERHE_MYSQL_DATABASE", "ORDERHE_SED"),
    }


def test_nothing_is_sent_to_redshift_without_sql(
    folder: Path, redshift: Redshift, monkeypatch: pytest.MonkeyPatch
) -> None:
    environ = {"ORDERHE_WAREHOUSE": "redshift", **variables_of(redshift)}

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("a session was opened")

    with monkeypatch.context() as patch:
        patch.setattr(RedshiftWarehouse, "session", refuse)
        result = orderhe(**environ)
    rows = [line for line in result.output.splitlines() if line.startswith("Redshift")]
    assert sum("not asked" in line for line in rows) == 3
    assert any("TLS" in line and "verified" in line for line in rows)
    asked = orderhe("--sql", **environ)
    assert "not asked" not in asked.output
    # The test's server has a store of its own.
    assert "Redshift reads another store than the one that backups are written to" in asked.output


def test_servers_whose_settings_were_exchanged_are_known_by_how_they_answer(
    folder: Path, redshift: Redshift, mariadb: MariaDB
) -> None:
    result = orderhe(
        **{
            **AWS,
            **variables_of(redshift),
            "ORDERHE_MYSQL_HOST": "127.0.0.1",
            "ORDERHE_MYSQL_PORT": str(redshift.port),
            "ORDERHE_MYSQL_CONNECT_TIMEOUT": "1",
            "ORDERHE_REDSHIFT_PORT": str(mariadb.port),
        }
    )
    assert "The MySQL settings name a Redshift" in result.output
    assert "The Redshift settings name a MySQL" in result.output
    assert "SSLMODE=disable" not in result.output
    assert NEEDLE not in result.output


def test_files_and_modes_are_mended_after_asking(folder: Path) -> None:
    env, home = folder / ".env", folder / ".orderhe"
    env.write_text(f"ORDERHE_MYSQL_PASSWORD={NEEDLE}\nORDERHE_PROFILE=local\n", "utf-8")
    env.chmod(0o644)
    home.mkdir(mode=0o755)
    refused = CliRunner().invoke(main, ["doctor", "--fix"], input="n\nn\n")
    assert refused.exit_code == 1
    assert env.stat().st_mode & 0o777 == 0o644
    agreed = CliRunner().invoke(main, ["doctor", "--fix"], input="y\ny\n")
    assert agreed.exit_code == 0, agreed.output
    assert f"mended: chmod 600 {env}" in agreed.output
    assert env.stat().st_mode & 0o777 == 0o600
    assert home.stat().st_mode & 0o777 == 0o700
    assert NEEDLE not in refused.output + agreed.output


def test_fix_mends_without_asking_where_that_is_said(folder: Path) -> None:
    home = folder / ".orderhe"
    home.mkdir(mode=0o755)
    assert orderhe("--fix", "--yes", "--json").exit_code == 0
    assert home.stat().st_mode & 0o777 == 0o700
    assert orderhe("--yes").exit_code == 2
    assert orderhe("--fix", "--json").exit_code == 2


def test_a_wrong_folder_of_sql_is_told(folder: Path) -> None:
    (folder / "sql/mart").mkdir(parents=True)
    (folder / "sql/mart/a.sql").write_text("-- x\n-- @graain b\nselect 1::int as b")
    result = orderhe(ORDERHE_SQL=str(folder / "sql"))
    assert result.exit_code == 1
    assert "mart/a.sql:2" in result.output


def test_create_names_all_walls_and_makes_what_can_be_made(
    folder: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with peer(says(b"N", waits=True)) as port:
        given = {
            **AWS,
            "ORDERHE_MYSQL_HOST": "127.0.0.1",
            "ORDERHE_MYSQL_PORT": "1",
            "ORDERHE_REDSHIFT_HOST": "127.0.0.1",
            "ORDERHE_REDSHIFT_PORT": str(port),
        }
        settings = load_settings(given, folder)
        with pytest.raises(OrderheError) as caught:
            create_all(settings)
    told = str(caught.value)
    assert told.startswith("2 walls on the road:")
    assert "No MySQL runs on this machine" in told
    assert "What answers speaks no TLS, so it is no Redshift" in told
    assert "docs/doctor.md#mysql-not-started-here" in told
    assert NEEDLE not in told + caplog.text
    assert (settings.home / "s3" / settings.s3.bucket).is_dir() or (settings.home / "s3").is_dir()


def test_a_verb_that_fails_says_why_and_what_mends_it(folder: Path) -> None:
    result = CliRunner().invoke(
        main,
        ["create"],
        env={**AWS, "ORDERHE_WAREHOUSE": "embedded", "ORDERHE_MYSQL_HOST": "127.0.0.1",
             "ORDERHE_MYSQL_PORT": "1", "ORDERHE_REDSHIFT_HOST": ""},
    )  # fmt: skip
    assert result.exit_code == 1
    assert "error: mysql://127.0.0.1:1/shop" in result.output
    assert "docs/doctor.md#mysql-not-started-here" in result.output
