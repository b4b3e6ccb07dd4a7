"""The files of `deploy/`, held by linters, schemas and rules where no container engine is."""

from __future__ import annotations

import json
import re
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import pytest
import yaml

from local_redshift.testing.missing import missing
from orderhe_dagster_tests.deploy import recipes
from orderhe_dagster_tests.deploy.recipes import DEPLOY, ROLES, ROOT, UNITS

SCRIPTS = Path(sys.executable).parent
SECRET = re.compile(r"(?i)password|secret|token|private.?key|access.?key|credential")
EXPOSURE = 20
"""The highest that `systemd-analyze security` may say of a unit, in tenths; 96 is what a bare unit gets."""


def run(*command: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*map(str, command)], capture_output=True, text=True, check=False)


def test_the_dockerfile_passes_the_linter() -> None:
    done = run(SCRIPTS / "hadolint", "--format", "json", DEPLOY / "Dockerfile")
    assert json.loads(done.stdout) == []


def test_the_linter_would_find_what_is_wrong(tmp_path: Path) -> None:
    text = (DEPLOY / "Dockerfile").read_text("utf-8")
    wrong = re.sub(r"^FROM \S+", "FROM python:latest", text, flags=re.MULTILINE)
    (tmp_path / "Dockerfile").write_text(wrong + "USER root\n", "utf-8")
    done = run(SCRIPTS / "hadolint", "--format", "json", tmp_path / "Dockerfile")
    assert {one["code"] for one in json.loads(done.stdout)} >= {"DL3007", "DL3002"}


def test_the_image_is_of_nobody_and_of_locked_hashed_lists() -> None:
    steps = recipes.instructions()
    (base,) = [text for name, text in steps if name == "FROM"]
    assert re.fullmatch(r"python:3\.1[0-4]-slim-\w+", base), "a tag that names version and system"
    uid = [text for name, text in steps if name == "USER"][-1].split(":")[0]
    assert uid.isdigit(), "by number: who looks at the image sees that it is not root"
    assert int(uid) >= 10_000
    after = steps[[name for name, _ in steps].index("USER") :]
    assert [name for name, _ in after if name in ("RUN", "COPY", "ADD", "USER")] == ["USER"]
    installs = [text for name, text in steps if name == "RUN" and "pip install" in text]
    assert "--require-hashes -r requirements-production.lock" in installs[0]
    assert all("--no-deps" in text and "--no-cache-dir" in text for text in installs)
    assert "--no-build-isolation --editable ./local_redshift --editable ." in installs[1]
    assert {name for name, _ in steps} >= {"HEALTHCHECK", "VOLUME", "CMD", "WORKDIR"}
    start = recipes.image()
    volume = dict(steps)["VOLUME"]
    assert start.environ["DAGSTER_HOME"] == f"{volume}/dagster"
    assert start.environ["ORDERHE_HOME"] == volume


def test_no_layer_holds_a_secret_and_nothing_else_reaches_the_engine() -> None:
    for name, text in recipes.instructions():
        assert name not in ("ADD", "ARG", "ONBUILD"), text
        if name == "ENV":
            assert SECRET.search(text) is None, text
    copied = [
        source
        for name, text in recipes.instructions()
        if name == "COPY"
        for source in [word for word in text.split() if not word.startswith("--")][:-1]
    ]
    rules = (DEPLOY / "Dockerfile.dockerignore").read_text("utf-8").splitlines()
    rules = [rule for rule in rules if rule and rule[0] != "#"]
    sent = [rule[1:] for rule in rules if rule[0] == "!"]
    assert rules[0] == "*"
    assert sorted(sent) == sorted(source.removeprefix("./") for source in copied)
    assert all((ROOT / source).exists() for source in copied)
    assert "**/.env" in rules


def test_what_is_copied_is_all_that_an_installation_needs() -> None:
    """setup.py and pyproject.toml name files; the package finds sql/ beside itself."""
    copied = " ".join(text for name, text in recipes.instructions() if name == "COPY")
    text = (ROOT / "pyproject.toml").read_text("utf-8")
    named = re.findall(r'^(?:readme|license-files) = \[?"([^"]+)"', text, re.MULTILINE)
    assert named
    assert {*named, "pyproject.toml", "setup.py", "sql", "orderhe_dagster"} <= set(copied.split())


def test_the_compose_file_keeps_the_schema() -> None:
    schema = ("--builtin-schema", "vendor.compose-spec")
    done = run(SCRIPTS / "check-jsonschema", *schema, DEPLOY / "compose.yaml")
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_compose_file_opens_nothing_and_holds_no_secret() -> None:
    text = (DEPLOY / "compose.yaml").read_text("utf-8")
    services = recipes.compose()["services"]
    assert set(services) == {*ROLES, "postgres"}
    ports = [port for service in services.values() for port in service.get("ports", [])]
    assert ports == ["127.0.0.1:3000:3000"]
    for name, service in services.items():
        assert service["restart"] == "unless-stopped", name
        assert service["healthcheck"]["test"][0] == "CMD", name
        assert service["cap_drop"] == ["ALL"], name
        assert "no-new-privileges:true" in service["security_opt"], name
        assert not {"privileged", "network_mode", "user", "pid"} & set(service), name
        for variable in service["environment"]:
            assert not SECRET.search(variable) or variable.endswith("_FILE"), variable
        assert re.fullmatch(r"\S+:\S+", service["image"]), name
    assert not re.search(r"://\w+:\w+@", text)
    (secret,) = recipes.compose()["secrets"].values()
    assert set(secret) == {"file"}
    ignored = (ROOT / ".gitignore").read_text("utf-8").splitlines()
    assert f"deploy/{secret['file'].split('/')[0]}/" in ignored


def test_the_three_are_one_home_and_one_host() -> None:
    """By both a run is known whose process was killed; the daemon would see none otherwise."""
    services = [recipes.compose()["services"][role] for role in ROLES]
    for key in ("hostname", "volumes", "configs", "image", "environment", "init"):
        assert len({json.dumps(service[key]) for service in services}) == 1, key
    home = recipes.image().environ["ORDERHE_HOME"]
    assert f"state:{home}" in services[0]["volumes"]
    (settings,) = services[0]["configs"]
    assert settings["target"] == f"{home}/dagster/dagster.yaml"
    assert recipes.compose()["configs"][settings["source"]] == {"file": "dagster.yaml"}


def test_the_code_location_is_found_where_it_listens() -> None:
    (place,) = yaml.safe_load((DEPLOY / "workspace.yaml").read_text("utf-8"))["load_from"]
    assert place["grpc_server"]["host"] == {"env": "CODE_HOST"}
    assert place["grpc_server"]["port"] == {"env": "CODE_PORT"}
    for role in ROLES:
        environ = recipes.by_compose(role).environ
        assert environ["CODE_HOST"] == "code"
        assert environ["CODE_PORT"] == environ["DAGSTER_GRPC_PORT"]
    listens = recipes.by_systemd("code").environ
    for role in ("daemon", "webserver"):
        environ = recipes.by_systemd(role).environ
        assert (environ["CODE_HOST"], environ["CODE_PORT"]) == (
            *(listens["DAGSTER_GRPC_HOST"], listens["DAGSTER_GRPC_PORT"]),
        )


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_starts_what_a_container_does(role: str, tmp_path: Path) -> None:
    places = recipes.places(tmp_path / "shop", tmp_path / "home")
    container = recipes.by_compose(role).at(places, {})
    ours = recipes.by_systemd(role).at(places, {})
    assert [Path(ours.command[0]).name, *ours.command[1:]] == [*container.command]
    assert ours.folder == container.folder
    for name in ("ORDERHE_HOME", "DAGSTER_HOME"):
        assert ours.environ[name] == container.environ[name]
    assert Path(ours.command[0]).is_file()


@pytest.mark.parametrize("role", ROLES)
def test_a_unit_is_hardened_and_holds_no_secret(role: str) -> None:
    settings = recipes.unit(role)
    assert settings["User"] == ["orderhe"]
    wanted = {"NoNewPrivileges": "yes", "ProtectSystem": "strict", "ProtectHome": "yes"}
    assert {name: settings[name][-1] for name in wanted} == wanted
    assert settings["Restart"] == ["always"]
    assert settings["StateDirectory"] == ["orderhe"]
    assert settings["CapabilityBoundingSet"] == [""]
    for line in settings["Environment"]:
        assert not re.search(r"(?i)password=|secret|token", line), line
    listens = [line for line in settings["Environment"] if re.search("_HOST=", line)]
    assert all(re.search(r"_HOST=(127\.0\.0\.1|/run/)|PGHOST=/run/", line) for line in listens)


@pytest.fixture
def units(tmp_path: Path) -> Sequence[Path]:
    """The units with this environment in the machine's place: systemd looks whether the program is there."""
    if which("systemd-analyze") is None:
        missing("systemd-analyze is not there: apt install systemd")
    written = []
    for unit in UNITS.values():
        text = unit.read_text("utf-8").replace("/opt/orderhe_dagster/.venv/bin/", f"{SCRIPTS}/")
        written.append(tmp_path / unit.name)
        written[-1].write_text(text, "utf-8")
    return written


def test_systemd_takes_the_units(units: Sequence[Path]) -> None:
    done = run("systemd-analyze", "verify", "--man=no", *units)
    assert done.returncode == 0, done.stderr
    ours = [line for line in done.stderr.splitlines() if "orderhe" in line]
    assert ours == []


def test_systemd_finds_the_units_little_exposed(units: Sequence[Path]) -> None:
    options = ("--offline=true", f"--threshold={EXPOSURE}", "--no-pager")
    for unit in units:
        done = run("systemd-analyze", "security", *options, unit)
        assert done.returncode == 0, done.stdout[-500:] + done.stderr


def test_nothing_of_it_can_be_written_to_by_all() -> None:
    for path in DEPLOY.rglob("*"):
        assert not path.stat().st_mode & stat.S_IWOTH, path
