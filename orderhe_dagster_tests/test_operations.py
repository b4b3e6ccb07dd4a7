"""docs/operations.md is held to the code: what it says is said, and its commands are commands."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import click
import dagster as dg
import pytest

from orderhe_dagster.cli import main
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.doctor.signatures.table import SIGNATURES
from orderhe_dagster.road.guards import REASONS
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.doctor.aws import OF_THE_LINE_ALONE, parsed

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "operations.md"
TEXT = PAGE.read_text("utf-8")
CODE = re.compile(r"`([^`\n]+)`")
FENCED = re.compile(r"^```sh\n(.*?)^```$", re.M | re.S)


def tables() -> Iterator[list[list[str]]]:
    """The tables of the page, each a list of rows of cells, the header first."""
    for block in re.findall(r"(?:^\|.*\n)+", TEXT, re.M):
        rows = [line.strip().strip("|").split(" | ") for line in block.splitlines()]
        yield [[cell.strip() for cell in row] for row in rows if not set(row[0]) <= set("-| ")]


def firsts(header: str) -> list[str]:
    """The first cells of all tables with this word at the head of the first column."""
    return [row[0] for table in tables() if table[0][0] == header for row in table[1:]]


def commands(program: str) -> list[str]:
    """What the page gives to be pasted, of one program."""
    listed = [line for block in FENCED.findall(TEXT) for line in block.splitlines()]
    found = [*listed, *CODE.findall(FENCED.sub("", TEXT))]
    return sorted({line for line in found if line.startswith(f"{program} ")})


@pytest.fixture
def definitions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dg.Definitions:
    monkeypatch.setenv("ORDERHE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("ORDERHE_START_DATE", "2026-11-01")
    monkeypatch.setenv("ORDERHE_ALERTS", "jsons://hooks.example.com/shop")
    return build_definitions(load_settings())


def test_every_check_schedule_and_sensor_of_the_demo_is_told_of(
    definitions: dg.Definitions,
) -> None:
    checks = {key.name for key in definitions.resolve_asset_graph().asset_check_keys}
    told = {name for cell in firsts("check") for name in CODE.findall(cell)}
    assert checks - told == set(), "say in docs/operations.md what they mean and what to do"
    assert told - checks == set(), "there are no such checks"
    repository = definitions.get_repository_def()
    runs = {one.name for one in (*repository.schedule_defs, *repository.sensor_defs)}
    told = {name for cell in firsts("what") for name in CODE.findall(cell)}
    assert runs - told == set()
    assert told - runs == set()


def test_every_reason_to_stop_is_told_of() -> None:
    words = [row[1] for table in tables() if table[0][1] == "the word" for row in table[1:]]
    assert {word.strip("`") for word in words} == {*REASONS, "--allow-empty"}
    for row in (row for table in tables() if table[0][1] == "the word" for row in table[1:]):
        word = row[1].strip("`")
        assert f"--accept {word}`" in row[2] or f"{word}`" in row[2]


@pytest.mark.parametrize("line", commands("orderhe"))
def test_a_command_of_the_page_is_one(line: str) -> None:
    """It is read as the shell and click would; nothing is run."""
    words = shlex.split(line)[1:]
    command: click.Command = main
    context = click.Context(main, info_name="orderhe")
    while isinstance(command, click.Group) and words:
        name, found, words = command.resolve_command(context, words)
        assert found is not None
        context = click.Context(found, info_name=name, parent=context)
        command = found
    command.make_context(context.info_name, words, parent=context.parent)


@pytest.mark.parametrize("line", commands("aws"))
def test_a_command_to_aws_is_one(line: str) -> None:
    if tuple(line.split()[1:3]) in OF_THE_LINE_ALONE:
        return
    service, operation, _ = parsed(re.sub(r"<[^>]+>", "1", line))
    assert service
    assert operation


@cache
def said() -> str:
    """Every text that the program can print, and every one that a signature knows of others."""
    texts = [example.text for one in SIGNATURES for example in one.examples]
    for path in (ROOT / "orderhe_dagster").rglob("*.py"):
        nodes = [*ast.walk(ast.parse(path.read_text("utf-8")))]
        documentation = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
        texts += [
            node.value
            for node in nodes
            if isinstance(node, ast.Constant)
            and isinstance(node.value, str)
            and id(node) not in documentation
        ]
    return "\n".join(texts).lower()


def phrases() -> list[str]:
    return sorted({one for cell in firsts("it says") for one in re.findall(r"\*([^*]+)\*", cell)})


@pytest.mark.parametrize("phrase", phrases())
def test_what_the_page_says_is_said_is_said(phrase: str) -> None:
    for part in phrase.split("…"):
        assert part.strip().lower() in said()


def test_the_page_quotes_enough_to_be_found_by() -> None:
    assert len(phrases()) > 60
    assert len(commands("orderhe")) > 30


def anchors(page: Path) -> set[str]:
    """Where links may lead to on a page: its headings, and what is named."""
    text = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.M | re.S)
    headings = re.findall(r"^#+ (.+)$", text, re.M)
    slugs = {re.sub(r"[^\w\- ]", "", one.lower()).strip().replace(" ", "-") for one in headings}
    return slugs | set(re.findall(r'<a id="([^"]+)">', text))


def test_its_links_lead_to_what_there_is() -> None:
    for link in re.findall(r"\]\(([^)\s]+)\)", TEXT):
        name, _, anchor = link.partition("#")
        page = PAGE.parent / name if name else PAGE
        assert page.exists(), link
        assert not anchor or anchor in anchors(page), link
