"""What `deploy/` starts, read out of its files: commands and variables, where they lie in an image or on
a machine, and the same with this checkout, this environment and a test's folders in their places.
"""

from __future__ import annotations

import re
import shlex
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
ROLES = ("code", "daemon", "webserver")
UNITS = {role: DEPLOY / "systemd" / f"orderhe-{role}.service" for role in ROLES}


@dataclass(frozen=True)
class Start:
    """A process: its command, its variables, its working folder, and how one asks whether it is well."""

    command: Sequence[str]
    environ: Mapping[str, str]
    folder: str
    health: Sequence[str] = field(default=())

    def at(self, places: Mapping[str, str], variables: Mapping[str, str]) -> Start:
        """The same with other places, the longest first, and other values of variables that it has."""

        def moved(text: str) -> str:
            for place in sorted(places, key=len, reverse=True):
                text = re.sub(rf"(?<![\w.]){re.escape(place)}(?=[/:]|$)", places[place], text)
            return text

        return Start(
            [moved(word) for word in self.command],
            {name: variables.get(name, moved(text)) for name, text in self.environ.items()},
            moved(self.folder),
            [moved(word) for word in self.health],
        )


def compose() -> dict[str, Any]:
    """compose.yaml, its anchors and merges resolved."""
    parsed: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text("utf-8"))
    return parsed


def instructions() -> list[tuple[str, str]]:
    """The Dockerfile's instructions in their order, with what follows each; lines that go on are joined."""
    text = re.sub(r"^\s*#.*\n", "", (DEPLOY / "Dockerfile").read_text("utf-8"), flags=re.MULTILINE)
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    return [(line.split()[0], line.split(maxsplit=1)[1]) for line in lines if line.strip()]


def image() -> Start:
    """What the image starts where nobody says otherwise."""
    last = dict(instructions())
    environ: dict[str, str] = {}
    for name, text in instructions():
        if name == "ENV":
            environ |= dict(pair.split("=", 1) for pair in shlex.split(text))
    _, _, health = last["HEALTHCHECK"].partition("CMD ")
    return Start(yaml.safe_load(last["CMD"]), environ, last["WORKDIR"], yaml.safe_load(health))


def by_compose(role: str) -> Start:
    """A service of compose.yaml, on what the image has."""
    service = compose()["services"][role]
    environ = {**image().environ, **service["environment"]}
    test = service["healthcheck"]["test"]
    assert test[0] == "CMD", test
    return Start(service["command"], environ, image().folder, test[1:])


def unit(role: str) -> dict[str, list[str]]:
    """The settings of a systemd unit, each with its values in order."""
    settings: dict[str, list[str]] = {}
    for line in UNITS[role].read_text("utf-8").splitlines():
        if line and line[0] not in "#[":
            name, _, value = line.partition("=")
            settings.setdefault(name, []).append(value)
    return settings


def by_systemd(role: str) -> Start:
    """A unit's command and variables."""
    settings = unit(role)
    pairs = [pair for line in settings["Environment"] for pair in shlex.split(line)]
    (command,), (folder,) = settings["ExecStart"], settings["WorkingDirectory"]
    return Start(shlex.split(command), dict(pair.split("=", 1) for pair in pairs), folder)


def places(shop: Path, home: Path) -> dict[str, str]:
    """Where what the recipes name lies in a test."""
    scripts = str(Path(sys.executable).parent)
    return {
        **{"/app": str(ROOT), "/app/.venv/bin": scripts, "/shop": str(shop)},
        **{"/opt/orderhe_dagster": str(ROOT), "/opt/orderhe_dagster/.venv/bin": scripts},
        **{"/etc/orderhe": str(shop), "/var/lib/orderhe": str(home)},
        "/run/secrets/postgres_password": str(shop / "postgres_password"),
    }


def with_section(text: str, name: str) -> str:
    """A YAML file with a section of it no comment any more."""
    section = re.search(rf"^# {name}:\n(?:#   .*\n)+", text, re.MULTILINE)
    assert section is not None, name
    return text.replace(section[0], re.sub("^# ", "", section[0], flags=re.MULTILINE))
