"""The home's dagster.yaml and workspace.yaml: the texts that are written once, what ours needs of theirs.

Pure text: `home` reads and writes the files. They are the user's: another storage, compute logs, run
launchers, limits and retention are as good as ours. YAML is parsed only where a text is not ours.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from orderhe_dagster.errors import OrderheError

TEXT = """\
# Written once by orderhe, and yours from now on: nothing overwrites it. Storage, compute logs, run
# launcher, limits and retention are free; python_logs is needed. Where this file is moved away, a
# new one is written. Paths follow DAGSTER_HOME.
storage:
  custom:
    module: orderhe_dagster.history
    class: History
    config:
      base_dir:
        env: DAGSTER_HOME
# One machine, one writer per file: two runs at once keep it busy, more only wait for one another.
# The embedded databases are guarded by file locks, which a killed process cannot leave behind, so
# no pool has a limit here.
concurrency:
  runs:
    max_concurrent_runs: 2
  pools:
    granularity: op
python_logs:
  managed_python_loggers: [orderhe]
  python_log_level: INFO
# Dagster's own, but that it sees when a run's process was killed; run_monitoring then ends the run.
run_launcher:
  module: orderhe_dagster.runs
  class: Launcher
run_monitoring:
  enabled: true
  free_slots_after_run_end_seconds: 60
retention:
  schedule:
    purge_after_days: 30
  sensor:
    purge_after_days: 7
telemetry:
  enabled: false
nux:
  enabled: false
"""
WORKSPACE = """\
# Written once by orderhe, and yours from now on; the checkout's workspace.yaml says the same.
load_from:
  - python_module:
      module_name: orderhe_dagster.definitions
      location_name: orderhe_dagster
"""
EARLIER = {
    "59068f9988318e8e7ee9eaaee86d984f2fab894bd05d5910f0949796db1e902a",
    "7e4693e36d6cdbfeb6ff15e9f8a0a016e76701beeaa0feff8938ec791aa71415",
    "4b36d3283ee0f37bbe6b3b02b51033dd190d9487b49d36d1a6bdeca11f245e68",
}
"""SHA-256 of the texts that said of themselves that changes are overwritten."""


class DagsterYamlError(OrderheError):
    """The home's dagster.yaml lacks what ours needs. The text names file, key and remedy."""


def is_earlier(text: str) -> bool:
    """Whether a text was written by an earlier version, and by nobody since."""
    import hashlib

    return hashlib.sha256(text.encode()).hexdigest() in EARLIER


def check(path: Path, text: str) -> None:
    """Raise DagsterYamlError where the dagster.yaml at `path` lacks what ours needs.

    Needed is only what nobody would miss until it is too late: the lines that a run logs (which days
    it read, what it left out) reach Dagster's history and UI by `python_logs` alone.
    """
    if text == TEXT:
        return
    parsed = _parsed(path, text)
    for name, section in parsed.items():
        if section is None:
            raise DagsterYamlError(
                f"{path}: {name} has nothing below it, which Dagster cannot read: take it out"
            )
    logs = _section(path, parsed, "python_logs")
    loggers = logs.get("managed_python_loggers")
    if not isinstance(loggers, list) or not {"orderhe", "root"} & set(map(str, loggers)):
        raise _lacking(path, "python_logs.managed_python_loggers does not name orderhe")
    if logs.get("python_log_level") is None:
        raise _lacking(path, "python_logs.python_log_level is not set, so WARNING")


def check_workspace(path: Path, text: str) -> None:
    """Raise DagsterYamlError where the workspace.yaml at `path` names no code: the page would be empty."""
    if text != WORKSPACE and not _parsed(path, text).get("load_from"):
        raise DagsterYamlError(
            f"{path}: load_from names no code, so nothing would be shown. {_ANEW}"
        )


def advice(path: Path, text: str) -> list[str]:
    """What works otherwise than with our text, where the user may not have meant it. DagsterYamlError."""
    if text == TEXT:
        return []
    parsed = _parsed(path, text)
    lines = []
    if not _section(path, parsed, "run_monitoring").get("enabled"):
        lines.append(
            f"{path}: run_monitoring is not enabled, so a run whose process was killed stays `started` "
            "and keeps its place among the runs at once"
        )
    elif not parsed.get("run_launcher"):
        lines.append(
            f"{path}: run_launcher is not set, and Dagster's own does not see that a run's process was "
            "killed: the run stays `started` until another begins. Put in: run_launcher: {module: "
            "orderhe_dagster.runs, class: Launcher}"
        )
    if "enabled" not in _section(path, parsed, "telemetry"):
        lines.append(
            f"{path}: telemetry.enabled is not set, so Dagster sends statistics of its use"
        )
    return lines


def _parsed(path: Path, text: str) -> Mapping[str, Any]:
    import yaml

    try:
        parsed = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = f", line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise DagsterYamlError(f"{path}{line}: not YAML: {error.problem}. {_ANEW}") from error
    except yaml.YAMLError as error:
        raise DagsterYamlError(f"{path}: not YAML: {error}. {_ANEW}") from error
    if parsed is None:
        return {}
    if not isinstance(parsed, dict):
        raise DagsterYamlError(f"{path}: not a mapping of sections to settings. {_ANEW}")
    return parsed


def _section(path: Path, parsed: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = parsed.get(name)
    if section is None:
        return {}
    if not isinstance(section, dict):
        raise DagsterYamlError(f"{path}: {name} is not a mapping of settings. {_ANEW}")
    return section


_ANEW = "Put it right, or move the file away: a new one is written"


def _lacking(path: Path, problem: str) -> DagsterYamlError:
    return DagsterYamlError(
        f"{path}: {problem}: the lines that a run logs would reach neither Dagster's history nor its UI. "
        "Put these into it:\n\n"
        "python_logs:\n  managed_python_loggers: [orderhe]\n  python_log_level: INFO\n\n"
        "(with your own loggers and level), or move the file away: a new one is written"
    )
