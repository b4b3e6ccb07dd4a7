"""`orderhe warehouse serve`: what it prints, who may come in, how it ends, what it leaves."""

from __future__ import annotations

import json
import logging
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import redshift_connector
from click.testing import CliRunner

from local_redshift.testing.missing import missing
from local_redshift.testing.server import serving
from orderhe_dagster.cli import main
from orderhe_dagster.commands import serve as warehouse_server
from orderhe_dagster.commands.serve import Serving
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.ports.errors import LockTimeout
from orderhe_dagster.rendering.progress import show_progress
from orderhe_dagster.resources.build import build_warehouse
from orderhe_dagster.settings.config import Settings, load_settings
from orderhe_dagster_tests.servers.s3 import use

ROOT = Path(__file__).resolve().parents[2]


def exported(line: str) -> dict[str, str]:
    """The variable that a line sets, but for the password."""
    found = re.fullmatch(r"export (\w+)='(.*)'", line.rstrip("\n"))
    return {found[1]: found[2]} if found else {}


@contextmanager
def process(home: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, str]]]:
    """The command in a process of its own, and the variables that it printed."""
    command = [sys.executable, "-m", "orderhe_dagster.cli", "warehouse", "serve", "--port", "0"]
    environ = {**os.environ, "ORDERHE_HOME": str(home), "PYTHONPATH": str(ROOT)}
    environ["PYTHONUNBUFFERED"] = "1"
    started = subprocess.Popen(
        [*command, *options], stdout=subprocess.PIPE, text=True, env=environ, cwd=home.parent
    )
    assert started.stdout is not None
    try:
        told: dict[str, str] = {}
        for line in started.stdout:
            told |= exported(line)
            if "ORDERHE_REDSHIFT_PASSWORD=" in line:
                break
        yield started, told
    finally:
        started.kill()
        started.wait()
        started.stdout.close()


def connect(told: dict[str, str], password: str) -> Any:
    prefix = "ORDERHE_REDSHIFT_"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", told[f"{prefix}SSL_CA"])
        return redshift_connector.connect(
            host=told[f"{prefix}HOST"],
            port=int(told[f"{prefix}PORT"]),
            user=told[f"{prefix}USER"],
            database=told[f"{prefix}DATABASE"],
            password=password,
            sslmode="verify-full",
            timeout=60,
        )


def test_served_shared_stopped_and_whole(tmp_path: Path) -> None:
    home = tmp_path / "home"
    settings = load_settings({"ORDERHE_HOME": str(home)}, tmp_path)
    with process(home) as (server, told):
        assert told["ORDERHE_WAREHOUSE"] == "redshift"
        password_file = home / "redshift" / "password"
        assert stat.S_IMODE(password_file.stat().st_mode) == 0o600
        connection = connect(told, password_file.read_text().strip())
        cursor = connection.cursor()
        cursor.execute("create table kept (a integer)")
        cursor.execute("insert into kept values (1)")
        connection.commit()
        cursor.execute("insert into kept values (2)")
        # Another process is told whose it is and what to do, and does not wait for long.
        port = told["ORDERHE_REDSHIFT_PORT"]
        with (
            pytest.raises(LockTimeout, match=r"serve, .*ORDERHE_WAREHOUSE=redshift"),
            build_warehouse(settings).session("a test"),
        ):
            raise AssertionError(port)
        server.terminate()
        assert server.wait(timeout=30) == 0
        connection._usock.close()
    with build_warehouse(settings).session("a test") as session:
        assert list(session.execute("select a from kept").rows) == [(1,)]


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_either_signal_stops_it_in_good_order(tmp_path: Path, how: signal.Signals) -> None:
    settings = load_settings({"ORDERHE_HOME": str(tmp_path)}, tmp_path)
    before = signal.getsignal(how)
    said: list[str] = []

    def say(line: str) -> None:
        said.append(line)
        if "ORDERHE_REDSHIFT_PASSWORD=" in line:  # the last line before it waits
            signal.raise_signal(how)

    warehouse_server.serve(settings, Serving(port=0), say)
    assert said[-1].startswith("stopping")
    assert signal.getsignal(how) is before
    with build_warehouse(settings).session("the lock is free again"):
        pass


def test_what_is_printed_is_what_a_client_s_shell_needs(tmp_path: Path) -> None:
    home = tmp_path / "the $HOME of 'ann'"
    settings = load_settings({"ORDERHE_HOME": str(home)}, tmp_path)
    said: list[str] = []
    with warehouse_server.serving_database(settings, Serving(port=0), said.append) as port:
        password = (home / "redshift" / "password").read_text().strip()
        shell = subprocess.run(
            ["sh", "-eu"],
            input="\n".join([*said, "env -0"]),
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        assert shell.stderr == ""
        told = dict(pair.split("=", 1) for pair in shell.stdout.split("\0") if "=" in pair)
        assert told["ORDERHE_REDSHIFT_PASSWORD"] == password
        client = load_settings(told, tmp_path)
        assert any("s3://orderhe/ (ORDERHE_STORE=folder)" in line for line in said)
        assert client.redshift.port == port
        assert password not in "".join(said)
        with build_warehouse(client).session("a test") as session:
            assert list(session.execute("select 1 as one").rows) == [(1,)]
        with (
            pytest.raises(LockTimeout, match=r"127\.0\.0\.1 at a free port") as locked,
            build_warehouse(settings).session("another process"),
        ):
            pass
        assert ":0" not in str(locked.value)


def test_the_lines_for_the_data_api_are_what_its_client_needs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = load_settings({"ORDERHE_HOME": str(tmp_path / "home")}, tmp_path)
    said: list[str] = []
    asked = Serving(port=0, data_api=0)
    with warehouse_server.serving_database(settings, asked, said.append):
        script = "\n".join([*said, "env -0"])
        ran = subprocess.run(
            ["sh", "-eu"],
            input=script,
            env={"PATH": os.environ["PATH"]},
            capture_output=True,
            text=True,
            check=True,
        )
        told = dict(pair.split("=", 1) for pair in ran.stdout.split("\0") if "=" in pair)
        use(monkeypatch, {name: told[name] for name in told if name.startswith("AWS_")})
        warehouse = build_warehouse(load_settings(told, tmp_path))
        assert warehouse.identity == "redshift-data://local/dev"
        assert list(warehouse.query("select 1 as one").rows) == [(1,)]
        assert told["AWS_SECRET_ACCESS_KEY"] not in "".join(said)


@pytest.mark.parametrize(("language", "command"), [("python", sys.executable), ("sh", "sh")])
def test_the_document_s_clients_connect(tmp_path: Path, language: str, command: str) -> None:
    if language == "sh" and shutil.which("psql") is None:
        says = "psql is not installed: apt install postgresql-client"
        missing(says)
    text = (ROOT / "docs" / "warehouse-server.md").read_text("utf-8")
    found = re.search(rf"```{language}\n(.*?)```", text, re.DOTALL)
    assert found is not None
    settings = load_settings({}, tmp_path)
    with warehouse_server.serving_database(settings, Serving(port=0), print) as port:
        ran = subprocess.run(
            [command, "-"] if language == "python" else [command, "-eu"],
            input=found[1].replace("5439", str(port)),
            check=False,
            cwd=tmp_path,
            capture_output=True,
            text=True,
        )
    assert ran.returncode == 0, ran.stderr
    assert "one" in ran.stdout
    assert "1" in ran.stdout


def refused(settings: Settings, asked: Serving) -> str:
    """Why the server does not start."""
    with (
        pytest.raises(OrderheError) as error,
        warehouse_server.serving_database(settings, asked, print),
    ):
        raise AssertionError(asked)
    return str(error.value)


def test_what_cannot_be_served_is_told_with_the_remedy(tmp_path: Path) -> None:
    settings = load_settings({"ORDERHE_HOME": str(tmp_path / "home")}, tmp_path)
    with serving() as other:
        assert "choose another --port" in refused(settings, Serving(port=other.port))
    pem = tmp_path / "c.pem"
    assert "belong together" in refused(settings, Serving(port=0, certificate=pem))
    pem.write_text("no certificate")
    broken = Serving(port=0, certificate=pem, key=pem)
    assert "cannot be used for TLS" in refused(settings, broken)
    empty = tmp_path / "password"
    empty.write_text("\n")
    assert "holds no password" in refused(settings, Serving(port=0, password_file=empty))
    everywhere = Serving(port=0, host="0.0.0.0", insecure=True)
    assert "--insecure serves this machine only" in refused(settings, everywhere)
    with build_warehouse(settings).session("the lock is free again"):
        pass


def test_what_the_local_redshift_logs_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    with show_progress():
        logging.getLogger("local_redshift").warning("it could not serve a client")
    assert "it could not serve a client" in capsys.readouterr().err


def test_help_names_the_options() -> None:
    output = CliRunner().invoke(main, ["warehouse", "serve", "--help"]).output
    assert re.search(r"--insecure\s+Without TLS", output)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("{", "line 1 is no JSON"),
        ('{"roles": [{"arn": "shop-copy"}]}', "arn is 'shop-copy'"),
        ('{"role": []}', "the key 'role'; there are default, roles"),
        ("\udcff{}", "is no UTF-8 text: byte 1"),
    ],
)
def test_a_wrong_file_of_roles_is_named_with_an_example(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "roles.json"
    file.write_text(text, "utf-8", errors="surrogateescape")
    environ = {"ORDERHE_HOME": str(tmp_path / "home")}
    done = CliRunner().invoke(main, ["warehouse", "serve", "--roles", str(file)], env=environ)
    assert done.exit_code == 1
    assert str(file) in done.output
    assert told in done.output
    assert "It is written like this" in done.output


def test_a_role_that_may_not_read_the_bucket_is_denied_as_on_aws(tmp_path: Path) -> None:
    arn = "arn:aws:iam::123456789012:role/shop-copy"
    roles = tmp_path / "roles.json"
    grants = [{"bucket": "another-shop", "actions": ["get", "list"]}]
    roles.write_text(json.dumps({"default": arn, "roles": [{"arn": arn, "grants": grants}]}))
    home = tmp_path / "home"
    with process(home, "--roles", str(roles), "--isolation", "serializable") as (_, told):
        password = (home / "redshift" / "password").read_text("utf-8").strip()
        with closing(connect(told, password)) as connection:
            connection.autocommit = True
            cursor = connection.cursor()
            cursor.execute("create table t (a int)")
            for role, words in (
                ("default", "Access Denied,Status 403"),
                ("'arn:aws:iam::123456789012:role/other'", "is not associated to cluster"),
            ):
                with pytest.raises(redshift_connector.ProgrammingError, match=words):
                    cursor.execute(
                        f"copy t from 's3://orderhe/backup/x' iam_role {role} format as parquet"
                    )


def test_a_port_that_is_taken_is_told_with_its_owner(tmp_path: Path) -> None:
    settings = load_settings({"ORDERHE_HOME": str(tmp_path)}, tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        who = rf"process {os.getpid()} \(.*\)" if sys.platform == "linux" else "somebody"
        with pytest.raises(
            OrderheError,
            match=rf"{who} listens on 127.0.0.1:{port} already.*orderhe warehouse serve --port {port + 1}",
        ):
            warehouse_server.serve(settings, Serving(port=port), lambda _: None)
