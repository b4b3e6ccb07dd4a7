"""What the containers of dagster.yaml are given: settings, Dagster's own, the folder; no ECS is needed."""

from __future__ import annotations

import stat
import subprocess
import sys
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import yaml

from orderhe_dagster.settings import dagster_yaml
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.infra import templates
from orderhe_dagster_tests.infra.moto_stacks import Account
from orderhe_dagster_tests.infra.policy import listed

BUNDLE = "-----BEGIN CERTIFICATE-----\nmade up\n-----END CERTIFICATE-----\n"


@pytest.fixture(scope="module")
def containers() -> Mapping[str, Mapping[str, Any]]:
    """The containers of both tasks by name, as the template comes to with a shop in a prefix."""
    stack = templates.resolved({"bucket": {"Prefix": "one", "BucketName": "my-shop"}})["dagster"]
    return {
        one["Name"]: one
        for task in ("ServerTask", "RunTask")
        for one in stack.resources[task]["Properties"]["ContainerDefinitions"]
    }


def environment(container: Mapping[str, Any]) -> dict[str, str]:
    return {one["Name"]: one["Value"] for one in container["Environment"]}


class _Bundle(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("content-length", str(len(BUNDLE)))
        self.end_headers()
        self.wfile.write(BUNDLE.encode())

    def log_message(self, format: str, *args: Any) -> None:
        return


@pytest.fixture
def home(containers: Mapping[str, Mapping[str, Any]], tmp_path: Path) -> Path:
    """The shared folder after the first container has run, twice."""
    settings = containers["settings"]
    assert settings["Command"][:2] == ["python", "-c"]
    for _ in range(2):
        with HTTPServer(("127.0.0.1", 0), _Bundle) as server:
            thread = Thread(target=server.handle_request)
            thread.start()
            more = {
                "ORDERHE_HOME": str(tmp_path),
                "CERTIFICATES": f"http://127.0.0.1:{server.server_address[1]}/",
            }
            command = [sys.executable, *settings["Command"][1:]]
            subprocess.run(command, env={**environment(settings), **more}, check=True, cwd="/")
            thread.join(10)
    return tmp_path


def test_the_first_container_writes_what_the_others_read(home: Path) -> None:
    names = {path.relative_to(home).as_posix() for path in home.rglob("*") if path.is_file()}
    assert names == {".env", "dagster/dagster.yaml", "global-bundle.pem"}
    assert all(stat.S_IMODE((home / name).stat().st_mode) == 0o600 for name in names)
    assert (home / "global-bundle.pem").read_text("ascii") == BUNDLE


def test_the_settings_are_those_of_the_stacks(home: Path) -> None:
    env = home / ".env"
    text = env.read_text("utf-8")
    assert "PASSWORD" not in text
    env.write_text(text.replace("/var/lib/orderhe", str(home)), "utf-8")
    found = load_settings({}, home)
    assert (found.store, found.source, found.warehouse) == ("s3", "mysql", "data_api")
    assert (found.s3.bucket, found.s3.prefix) == ("my-shop", "one")
    assert (found.mysql.user, found.mysql.database) == ("orderhe", "shop")
    assert found.mysql.secret_arn.startswith("arn:aws:")
    assert found.redshift.workgroup == "orderhe"
    assert ":role/" in found.redshift.iam_role


def test_the_dagster_yaml_is_as_runs_need_it(home: Path) -> None:
    path = home / "dagster" / "dagster.yaml"
    text = path.read_text("utf-8")
    dagster_yaml.check(path, text)
    assert dagster_yaml.advice(path, text) == []
    parsed = yaml.safe_load(text)
    assert parsed["storage"]["custom"]["class"] == "PostgresHistory"
    assert parsed["compute_logs"]["config"]["prefix"] == "one/compute-logs"
    assert "password" not in text.lower()


def test_dagster_takes_the_launcher_and_the_logs(
    home: Path, new_account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both are made as an instance makes them, of the section's own config, against moto."""
    from dagster._config import process_config
    from dagster._core.instance.config import dagster_instance_config_schema
    from dagster_aws.ecs import EcsRunLauncher
    from dagster_aws.s3.compute_log_manager import S3ComputeLogManager

    ecs = new_account.client("ecs")
    made = ecs.register_task_definition(
        family="run", containerDefinitions=[{"name": "run", "image": "orderhe:1", "memory": 512}]
    )["taskDefinition"]["taskDefinitionArn"]
    monkeypatch.setenv("RUN_TASK_DEFINITION", made)
    parsed = yaml.safe_load((home / "dagster" / "dagster.yaml").read_text("utf-8"))
    config = process_config(dagster_instance_config_schema(), parsed)
    assert config.success, config.errors
    config = process_config(EcsRunLauncher.config_type(), parsed["run_launcher"]["config"])
    assert config.success, config.errors
    launcher: EcsRunLauncher[Any] = EcsRunLauncher(**config.value)
    assert launcher.task_definition == made
    assert launcher.secrets_tags == [], "no secrets are looked for by their tags"
    config = process_config(S3ComputeLogManager.config_type(), parsed["compute_logs"]["config"])
    assert config.success, config.errors


def test_the_page_and_the_code_listen_within_their_task_alone(
    containers: Mapping[str, Mapping[str, Any]],
) -> None:
    assert environment(containers["webserver"])["DAGSTER_WEBSERVER_HOST"] == "127.0.0.1"
    assert environment(containers["code"])["DAGSTER_GRPC_HOST"] == "127.0.0.1"
    for name in ("webserver", "daemon"):
        assert environment(containers[name])["CODE_HOST"] == "127.0.0.1"


def test_every_container_but_the_first_reaches_the_history(
    containers: Mapping[str, Mapping[str, Any]],
) -> None:
    wanted = {"PGHOST", "PGPORT", "PGDATABASE", "PGUSER", "PGSSLMODE", "PGSSLROOTCERT"}
    for name in ("code", "webserver", "daemon", "run"):
        container = containers[name]
        assert wanted <= set(environment(container)), name
        assert environment(container)["PGSSLMODE"] == "verify-full"
        (secret,) = container["Secrets"]
        assert secret["Name"] == "PGPASSWORD"
        assert secret["ValueFrom"].endswith(":password::")
        assert container["MountPoints"] == [
            {"SourceVolume": "home", "ContainerPath": "/var/lib/orderhe"}
        ]
        # Settings are read of the .env in the folder that a process works in.
        assert container["WorkingDirectory"] == "/var/lib/orderhe"


def test_who_is_told_comes_of_a_secret_and_to_the_code_location_alone() -> None:
    arn = "arn:aws:secretsmanager:eu-west-1:123456789012:secret:alerts-a1b2c3"
    stack = templates.resolved({"dagster": {"AlertsSecretArn": arn}})["dagster"]
    told = [
        (one["Name"], secret["ValueFrom"])
        for task in ("ServerTask", "RunTask")
        for one in stack.resources[task]["Properties"]["ContainerDefinitions"]
        for secret in one.get("Secrets", [])
        if secret["Name"] == "ORDERHE_ALERTS"
    ]
    assert told == [("code", arn)]
    statements = stack.resources["StartRole"]["Properties"]["Policies"][0]["PolicyDocument"][
        "Statement"
    ]
    assert arn in next(one["Resource"] for one in statements if one["Sid"] == "Password")


def test_a_run_may_not_start_runs() -> None:
    """What a run's role may do is what the pipeline needs; tasks are the server's alone."""
    stack = templates.resolved()["dagster"]
    run, server = (stack.resources[name]["Properties"] for name in ("RunRole", "ServerRole"))
    assert actions(run) == {"ecs:DescribeTaskDefinition"}, (
        "the launcher is made, and starts nothing"
    )
    assert run["ManagedPolicyArns"] == server["ManagedPolicyArns"]
    assert {"ecs:RunTask", "iam:PassRole"} <= actions(server)


def actions(role: Mapping[str, Any]) -> set[str]:
    """What a role's own policies allow."""
    return {
        action
        for policy in role["Policies"]
        for statement in policy["PolicyDocument"]["Statement"]
        for action in listed(statement["Action"])
    }


def test_the_server_may_start_the_runs_that_its_launcher_starts(
    containers: Mapping[str, Mapping[str, Any]],
) -> None:
    stack = templates.resolved()["dagster"]
    family = stack.resources["RunTask"]["Properties"]["Family"]
    (start,) = [
        one
        for one in stack.resources["ServerRole"]["Properties"]["Policies"][0]["PolicyDocument"][
            "Statement"
        ]
        if one["Action"] == "ecs:RunTask"
    ]
    assert start["Resource"].endswith(f":task-definition/{family}:*")
    for name in ("code", "webserver", "daemon", "run"):  # each of them makes the launcher
        assert environment(containers[name])["RUN_TASK_DEFINITION"] == family


def test_it_starts_nothing_until_it_is_told() -> None:
    stopped = templates.resolved()["dagster"].resources["Service"]["Properties"]
    started = templates.resolved({"dagster": {"IsRunning": "yes"}})["dagster"]
    assert stopped["DesiredCount"] == 0
    assert started.resources["Service"]["Properties"]["DesiredCount"] == 1
