"""The rules of the house: a staircase of rooms, no circle, no stranger, everything says what it is.

Modules are found, not listed, so that a new one is held to the rules at once; and each rule is seen to
fail on a small house of its own.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import (
    HEAVY,
    OF_TESTS,
    PACKAGE,
    PACKAGES,
    PAGE,
    PROJECT,
    ROOMS,
    House,
    import_all,
    listed,
)

HOUSE = House(PACKAGE)


def of_tests(module: str) -> bool:
    """A help for tests: pytest, and the certificates of the tests."""
    return HOUSE.room(module) == "testing"


def test_each_room_imports_only_those_before_it() -> None:
    assert HOUSE.climbing() == []


def test_every_room_is_there() -> None:
    assert {HOUSE.room(name) for name in HOUSE.modules} - {""} == set(ROOMS)


def test_no_modules_import_one_another_in_a_circle() -> None:
    assert HOUSE.circle() == []


def test_nothing_imports_more_than_the_standard_library_and_what_the_project_depends_on() -> None:
    assert HOUSE.strangers() == []


def test_what_may_be_imported_is_what_the_project_depends_on() -> None:
    text = (PROJECT / "pyproject.toml").read_text("utf-8")
    needed = re.search(r"^dependencies = \[\n(.*?)^\]", text, re.DOTALL | re.MULTILINE)
    assert needed is not None
    assert set(re.findall(r'^  "([a-z_-]+)', needed[1], re.MULTILINE)) == PACKAGES


def test_importing_any_module_opens_nothing_and_loads_nothing_heavy() -> None:
    loaded, opened = import_all([name for name in HOUSE.modules if not of_tests(name)], HEAVY)
    assert loaded == {}, "import it inside the function that needs it"
    assert opened == []


def test_nothing_reads_the_environment() -> None:
    assert [name for name in HOUSE.readers_of_the_environment() if not of_tests(name)] == []


def test_everything_public_says_what_it_is() -> None:
    assert HOUSE.undocumented() == []


def test_the_page_of_rooms_lists_every_module_as_it_describes_itself() -> None:
    page = listed(PAGE.read_text("utf-8"))
    assert page == HOUSE.table(), f"python -m tests.house in {PROJECT.name}/ writes it again"


def test_ruff_refuses_a_function_of_more_than_fifteen_branches(tmp_path: Path) -> None:
    pytest.importorskip("ruff", reason="ruff is not installed")

    def refused(branches: int) -> bool:
        body = "".join(f"    if n == {n}:\n        n += 1\n" for n in range(branches))
        source = f"def grown(n: int) -> int:\n{body}    return n\n"
        done = subprocess.run(
            [sys.executable, "-m", "ruff", "check", "--no-cache", "--select", "C901",
             "--stdin-filename", str(PACKAGE / "grown.py"), "-"],
            input=source, capture_output=True, text=True, cwd=PROJECT, check=False,
        )  # fmt: skip
        assert done.returncode in (0, 1), done.stderr
        return "C901" in done.stdout

    assert (refused(14), refused(15)) == (False, True)


# -- a small house, and what is wrong with it ------------------------------------------------------

SMALL = {
    "__init__.py": '"""A door."""\n',
    "low/__init__.py": '"""The lower room."""\n',
    "low/words.py": '"""Words. No meaning."""\n\n\ndef read() -> None:\n    """Read."""\n',
    "high/__init__.py": '"""The upper room."""\n',
    "high/query.py": '"""Queries."""\n\nfrom small.low.words import read\n',
    "high/other.py": '"""Others."""\n\nfrom small.high import query\n',
}
STEPS = ("low", "high")


@pytest.fixture
def small(tmp_path: Path) -> Callable[..., House]:
    """The small house with these files changed, by what is written at their ends."""

    def built(**more: str) -> House:
        for name, text in SMALL.items():
            path = tmp_path / "small" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text + more.get(path.stem, ""), "utf-8")
        return House(tmp_path / "small")

    return built


TYPE_ONLY = (
    "\nfrom typing import TYPE_CHECKING\n\nif TYPE_CHECKING:\n    from small.high import query\n"
)
DEFERRED = "\n\ndef _later() -> None:\n    from small.high.query import read\n"


def test_a_house_in_order_has_nothing_wrong(small: Callable[..., House]) -> None:
    house = small()
    assert house.climbing(STEPS) == house.circle() == house.strangers() == []
    assert house.undocumented() == house.readers_of_the_environment() == []
    assert import_all(list(house.modules), HEAVY, house.folder.parent) == ({}, [])
    assert house.table(STEPS).splitlines()[2:] == [
        "| **low** |  | The lower room. |",
        "|  | `words.py` | Words. |",
        "| **high** |  | The upper room. |",
        "|  | `other.py` | Others. |",
        "|  | `query.py` | Queries. |",
    ]


@pytest.mark.parametrize("planted", ["from small.high import query\n", TYPE_ONLY, DEFERRED])
def test_an_import_of_a_room_above_is_seen(small: Callable[..., House], planted: str) -> None:
    assert small(words=planted).climbing(STEPS) == ["small.low.words -> small.high.query"]


def test_a_room_without_a_place_is_seen(small: Callable[..., House]) -> None:
    assert "a room that has no place" in small().climbing(("low",))[0]


@pytest.mark.parametrize("planted", ["from small.high import other\n", DEFERRED])
def test_a_circle_is_seen(small: Callable[..., House], planted: str) -> None:
    """In one room, or over two."""
    where = "words" if planted is DEFERRED else "query"
    circle = small(**{where: planted}).circle()
    assert circle[0] == circle[-1]
    assert "small.high.query" in circle


@pytest.mark.parametrize(
    "name",
    ["boto3", "botocore", "dagster", "orderhe_dagster", "pandas", "click", *sorted(OF_TESTS)],
)
def test_a_stranger_is_seen(small: Callable[..., House], name: str) -> None:
    house = small(query=f"\n\ndef _run() -> None:\n    from {name}.inside import thing\n")
    assert house.strangers() == [f"small.high.query -> {name}.inside"]
    assert small(query=f"import {name}\n").strangers() == [f"small.high.query -> {name}"]


@pytest.mark.parametrize(
    ("planted", "name"),
    [
        ("import importlib\n\nimportlib.import_module('dagster')\n", "import_module"),
        ("from importlib import import_module as bring\n\nbring('dagster')\n", "import_module"),
        ("__import__('dagster')\n", "__import__"),
        ("import builtins\n\nbring = builtins.__import__\n", "__import__"),
    ],
)
def test_an_import_by_name_is_seen(small: Callable[..., House], planted: str, name: str) -> None:
    (seen,) = small(query=planted).strangers()
    assert seen.startswith(f"small.high.query -> {name} in line ")


def test_what_is_allowed_is_no_stranger(small: Callable[..., House]) -> None:
    allowed = "".join(f"import {name}\n" for name in sorted({"json", *PACKAGES}))
    house = small(query=allowed, __init__="\nfrom importlib import import_module\n")
    (house.folder / "testing").mkdir()
    (house.folder / "testing" / "helps.py").write_text('"""Helps."""\n\nimport pytest\n', "utf-8")
    assert house.strangers() == []


def test_a_heavy_import_and_an_opened_file_are_seen(small: Callable[..., House]) -> None:
    planted = "import sqlglot\n\nopen('/dev/null', 'w').close()\n"
    house = small(words=planted)
    loaded, opened = import_all(list(house.modules), HEAVY, house.folder.parent)
    # The first who imports it, in the order of names.
    assert loaded == {"small.high.other": ["sqlglot"]}
    assert opened == [["open", "/dev/null"]]


@pytest.mark.parametrize(
    "planted", ["import os\n\nHOME = os.environ['HOME']\n", "getenv('HOME')\n"]
)
def test_a_reader_of_the_environment_is_seen(small: Callable[..., House], planted: str) -> None:
    assert small(words=planted).readers_of_the_environment() == ["small.low.words"]


def test_what_does_not_say_what_it_is_is_seen(small: Callable[..., House]) -> None:
    planted = (
        "\n\nclass Thing:\n    def does(self) -> None: ...\n\n    def _own(self) -> None: ...\n"
    )
    missing = small(query=planted).undocumented()
    assert [one.split()[-1] for one in missing] == ["Thing", "does"]
    (small().folder / "low" / "bare.py").write_text("", "utf-8")
    assert small().undocumented() == ["small.low.bare"]


def test_a_module_that_the_page_does_not_list_is_seen(small: Callable[..., House]) -> None:
    page = f"# Rooms\n\n{small().table(STEPS)}\n\nThe end.\n"
    assert listed(page) == small().table(STEPS)
    (small().folder / "low" / "new.py").write_text('"""A new one."""\n', "utf-8")
    assert listed(page) != small().table(STEPS)
