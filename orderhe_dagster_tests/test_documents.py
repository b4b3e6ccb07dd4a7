"""What the project says of itself is true: README, documents, Makefile, locked lists, CI.

Files and names are found, not listed, so that a new one is held to the rules at once.
"""

from __future__ import annotations

import re
import subprocess
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@cache
def tracked() -> tuple[Path, ...]:
    """The files of the project: git's, or all but the ignored where there is no git."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(path for name in listed.split("\0") if name and (path := ROOT / name).is_file())


def test_no_file_names_a_registry_or_a_machine() -> None:
    # Written in pieces, so that this file is not its own finding.
    hosts = r"(pypi|python" + r"hosted|registry\.npm" + r"js|deb\.deb" + r"ian)\.(org|com)"
    places = r"(?<![\w.>-])/(root|work|farm)/[a-z.]|/tmp/" + r"(lab|bash_jobs|briefs)"
    forbidden = re.compile(f"{hosts}|{places}")
    wrong = []
    for path in tracked():
        try:
            text = path.read_text("utf-8")
        except UnicodeDecodeError:
            continue  # not text: a picture, a Parquet file
        wrong += [
            f"{path.relative_to(ROOT)}:{number}: {found[0]}"
            for number, line in enumerate(text.splitlines(), 1)
            if (found := forbidden.search(line))
        ]
    assert wrong == []


LOCKS = ("requirements.lock", "requirements-production.lock", "requirements-dev.lock")


@pytest.mark.parametrize("name", LOCKS)
def test_locked_lists_hold_names_versions_and_hashes_only(name: str) -> None:
    lines = (ROOT / name).read_text("utf-8").splitlines()
    entry = re.compile(r"[a-z0-9._-]+==[^\s;]+( ; [^\\]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [
        line for line in lines if not entry.fullmatch(line) and not digest.fullmatch(line)
    ] == []
    # pip builds the project itself without a network, with what is in the list.
    assert any(line.startswith("setuptools==") for line in lines)


@pytest.mark.parametrize(("fewer", "more"), [*pairwise(LOCKS)])
def test_a_longer_list_agrees_with_the_shorter(fewer: str, more: str) -> None:
    def pins(name: str) -> set[str]:
        # Without the markers: what more is installed may need a package on more machines.
        lines = (ROOT / name).read_text("utf-8").splitlines()
        return {line.split()[0] for line in lines if "==" in line and line[0] != " "}

    assert pins(fewer) - pins(more) == set()


@pytest.mark.parametrize("name", LOCKS)
def test_locked_lists_cover_both_projects_and_neither_of_them(name: str) -> None:
    """The local Redshift is in no registry: whoever takes its name there must not be installed."""
    lines = (ROOT / name).read_text("utf-8").splitlines()
    locked = {line.partition("==")[0] for line in lines if "==" in line and line[0] != " "}
    assert {one for one in locked if normal(one) in ("local-redshift", "orderhe-dagster")} == set()
    for project in ("", "local_redshift/"):
        text = (ROOT / f"{project}pyproject.toml").read_text("utf-8")
        needed = declared(text, "dependencies")
        if name == "requirements-dev.lock":
            needed |= declared(text, "dev")
        if name != "requirements.lock" and not project:
            needed |= declared(text, "production")
        assert len(needed) >= 5
        assert needed - locked == set(), (
            f"make lock: {name} lacks what {project}pyproject.toml asks"
        )
        assert "local-redshift" not in needed


def normal(name: str) -> str:
    """A distribution's name as registries compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def declared(text: str, key: str) -> set[str]:
    """The distributions that a pyproject.toml lists under a key."""
    listed = re.search(rf"^{key} = \[[^\n]*\n(.*?)^\]", text, re.MULTILINE | re.DOTALL)
    assert listed is not None
    return {normal(one) for one in re.findall(r'^  "([\w.-]+)', listed[1], re.MULTILINE)}


def targets() -> set[str]:
    return set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.M))


def recipe(target: str) -> str:
    """What make would run for a target."""
    command = ["make", "--dry-run", "--always-make", target]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_make_alone_lists_every_target() -> None:
    listed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert set(re.findall(r"^  ([a-z]+) ", listed, re.M)) == targets()
    wanted = ["setup", "demo", "dev", "test", "check", "lint", "fmt", "clean", "lock"]
    assert set(wanted) <= targets()


def test_check_runs_ruff_mypy_and_the_rules_and_ci_runs_it() -> None:
    check = recipe("check")
    for tool in (
        "ruff check .",
        "ruff format --check .",
        "bin/mypy",
        "test_house.py",
        "test_documents.py",
    ):
        assert tool in check
    ci = (ROOT / ".ci" / "run").read_text("utf-8").splitlines()
    assert {"make check", "make test"} <= set(ci)


def documents() -> list[Path]:
    return [path for path in tracked() if path.suffix == ".md"]


def test_documents_name_only_targets_and_verbs_that_exist() -> None:
    from orderhe_dagster.cli import main

    wrong = []
    for path in documents():
        text = path.read_text("utf-8")
        # Commands stand in code: between backticks, or on an indented or fenced line.
        code = re.findall(r"`([^`\n]+)`", text) + re.findall(r"^(?: {4}|\$ )?(.+)$", text, re.M)
        for line in code:
            for made in re.findall(r"^make ((?:[a-z]+ ?)+)", line):
                wrong += [f"{path.name}: make {t}" for t in made.split() if t not in targets()]
            for verb in re.findall(r"^(?:\.venv/bin/)?orderhe ([a-z]+)", line):
                if verb not in main.commands:
                    wrong.append(f"{path.name}: orderhe {verb}")
    assert wrong == []


def test_documents_link_to_files_that_exist() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {link}"
        for path in documents()
        for link in re.findall(r"\]\(([^)#\s]+)", path.read_text("utf-8"))
        if "://" not in link and not (path.parent / link).exists()
    ]
    assert wrong == []


def test_documents_name_only_modules_that_exist() -> None:
    """`resources/s3/store.py` as the documents write it: from the root, or from a package's folder."""
    bases = [
        *(ROOT, ROOT / "orderhe_dagster", ROOT / "orderhe_dagster_tests"),
        ROOT / "local_redshift" / "src" / "local_redshift",
    ]
    wrong = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in documents()
        for name in re.findall(r"`((?:[a-z0-9_]+/)+[a-z0-9_]+\.py)`", path.read_text("utf-8"))
        if not any((base / name).exists() for base in bases)
    ]
    assert wrong == []


def test_readme_names_the_two_commands_and_every_verb() -> None:
    from orderhe_dagster.cli import main

    readme = (ROOT / "README.md").read_text("utf-8")
    assert "make demo" in readme
    assert "make test" in readme
    assert [verb for verb in main.commands if f"orderhe {verb}" not in readme] == []
