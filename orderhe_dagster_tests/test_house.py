"""The house's own rules, read from the code: arrows, docstrings, sizes, lazy imports.

Modules are found, not listed, so that a new room is held to the rules at once.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "orderhe_dagster"
LONGEST, LONGEST_TEST = 320, 480  # lines; a test file may hold a table of cases
HEAVY = {
    "boto3",
    "botocore",
    "duckdb",
    "faker",
    "pandas",
    "pyarrow",
    "pymysql",
    "redshift_connector",
    "sqlglot",
}
DRIVERS = {"boto3", "botocore", "duckdb", "pymysql", "redshift_connector"}
NO_DAGSTER = ("catalog", "config", "shop", "examples")
"""Rooms that know no Dagster, neither by themselves nor through what they import."""

# Room -> rooms it may import (itself and `errors`, which imports nothing, always).
MAY_IMPORT = {
    "catalog": {"catalog"},
    "config": {"config", "config_values"},
    "shop": {"shop", "catalog"},
    "examples": {"examples", "catalog", "printing"},
    "resources": {"resources", "catalog", "config", "home"},
    "history": {"resources"},
    "home": {"config", "resources", "history"},
}
UPPER = {
    *("definitions", "automation", "checks", "assets"),
    *("cli", "demo", "launch", "asked", "setup_road", "warehouse_server"),
}
"""What stands above the road: nothing below may import it."""

RESOURCES = f"{PACKAGE}.resources"
FOR_ALL = {f"{RESOURCES}.{name}" for name in ("ports", "interrupts", "locks", "scratch")}
"""Of `resources`, what any room may import: the promises, and who waits for whom on this machine."""
CHOOSERS = {
    f"{PACKAGE}.{name}" for name in ("definitions", "demo", "setup_road", "warehouse_server")
}
"""Who may ask `resources` itself for the adapters that the settings choose."""
BEYOND = {RESOURCES: {"config", "home"}}
"""Modules of `resources` that need more than ports and catalogue: who chooses."""


def modules() -> list[Path]:
    return sorted((ROOT / PACKAGE).rglob("*.py"))


def dotted(path: Path) -> str:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else PACKAGE


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def for_types_only(node: ast.AST) -> bool:
    """True for `if TYPE_CHECKING:`."""
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def statements(node: ast.AST, functions: bool) -> Iterator[ast.AST]:
    """The nodes that run: when a module is imported, or (`functions`) ever."""
    for child in ast.iter_child_nodes(node):
        if for_types_only(child):
            continue
        if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) and not functions:
            continue
        yield child
        yield from statements(child, functions)


def imports(path: Path, functions: bool = True) -> set[str]:
    """The modules that a file imports, with full names."""
    names = {dotted(module) for module in modules()}
    found: set[str] = set()
    for node in statements(tree(path), functions):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by the full name"
            base = node.module or ""
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                found.add(submodule if submodule in names else base)
    return found


def inner(path: Path) -> set[str]:
    """The rooms of the package that a file imports, at any time."""
    return {room(name) for name in imports(path) if name.startswith(f"{PACKAGE}.")}


@pytest.mark.parametrize("name", sorted(MAY_IMPORT))
def test_rooms_import_only_what_lies_below(name: str) -> None:
    allowed = MAY_IMPORT[name] | {name, "errors"}
    wrong = {
        dotted(path): sorted(inner(path) - allowed)
        for path in modules()
        if room(dotted(path)) == name and inner(path) - allowed
    }
    assert wrong == {}, f"{name} may import {sorted(allowed)} only"


def test_nothing_of_the_road_imports_what_stands_above_it() -> None:
    wrong = {
        dotted(path): sorted(inner(path) & (UPPER - {room(dotted(path))}))
        for path in modules()
        if room(dotted(path)) not in UPPER and inner(path) & (UPPER - {room(dotted(path))})
    }
    assert wrong == {}


def test_only_resources_knows_its_adapters() -> None:
    """An asset that imported one would run on the laptop alone."""
    wrong = {}
    for path in modules():
        name = dotted(path)
        if room(name) == "resources":
            continue
        taken = {found for found in imports(path) if f"{found}.".startswith(f"{RESOURCES}.")}
        taken -= FOR_ALL | ({RESOURCES} if name in CHOOSERS else set())
        if taken:
            wrong[name] = sorted(taken)
    assert wrong == {}, "take the port; its adapter is chosen by the settings"


def test_adapters_know_ports_and_catalogue_only() -> None:
    """The settings are read where the choice is made; the stand-in has one adapter."""
    wrong = {}
    for path in modules():
        name = dotted(path)
        if room(name) != "resources":
            continue
        beyond = inner(path) - {"resources", "catalog", "errors"} - BEYOND.get(name, set())
        if beyond:
            wrong[name] = sorted(beyond)
    assert wrong == {}


def test_only_the_adapters_import_drivers() -> None:
    wrong = {
        dotted(path): sorted(found)
        for path in modules()
        if room(dotted(path)) != "resources"
        and (found := {name.split(".")[0] for name in imports(path)} & DRIVERS)
    }
    assert wrong == {}


def test_only_config_reads_the_environment() -> None:
    """Others may write what Dagster reads (DAGSTER_*), or hand the environment to a child."""
    reading = re.compile(r"environ\[['\"]ORDERHE|environ\.get\(|getenv\(|environ\.items\(")
    wrong = [
        f"{dotted(path)}: {line.strip()}"
        for path in modules()
        if dotted(path) != f"{PACKAGE}.config"
        for line in path.read_text("utf-8").splitlines()
        if reading.search(line)
    ]
    assert wrong == []


IMPORT_ALL = """
import importlib, json, sys
heavy, ready, names = json.loads(sys.argv[1])
for name in ready:
    importlib.import_module(name)
opened = []
sys.addaudithook(lambda event, args: opened.append([event, str(args[0])]) if event in
    ("sqlite3.connect", "socket.connect", "socket.bind", "subprocess.Popen") else None)
loaded = {}
before = set()
for name in names:
    importlib.import_module(name)
    found = {module.split(".")[0] for module in sys.modules} & set(heavy)
    if found - before:
        loaded[name] = sorted(found - before)
        before |= found
print(json.dumps([loaded, opened]))
"""


def import_all(
    names: list[str], heavy: set[str], ready: tuple[str, ...] = ()
) -> tuple[dict[str, list[str]], list[list[str]]]:
    """Import modules in a process of their own: who loaded something heavy, what was opened.

    What the modules in `ready` open while they are imported themselves is not counted.
    """
    asked = json.dumps([sorted(heavy), ready, names])
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", IMPORT_ALL, asked],
        capture_output=True,
        text=True,
        cwd=ROOT,
        # A wrong setting: whoever reads the environment while being imported, fails.
        env={**os.environ, "ORDERHE_NO_SUCH_SETTING": "1"},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded, opened = json.loads(done.stdout)
    return loaded, opened


def test_importing_any_module_opens_nothing_and_loads_no_heavy_driver() -> None:
    # Dagster asks the machine what it is with a process; that is its own affair.
    loaded, opened = import_all([dotted(path) for path in modules()], HEAVY, ready=("dagster",))
    assert loaded == {}, "import it inside the function that needs it"
    assert opened == []


@pytest.mark.parametrize("name", NO_DAGSTER)
def test_rooms_that_know_no_dagster_do_not_load_it(name: str) -> None:
    names = [dotted(path) for path in modules() if room(dotted(path)) == name]
    assert names
    loaded, _ = import_all(names, {"dagster"})
    assert loaded == {}


@pytest.mark.parametrize("path", modules(), ids=dotted)
def test_everything_public_says_what_it_is(path: Path) -> None:
    missing = [] if ast.get_docstring(tree(path)) else [f"{path.name}: the module itself"]
    owners: list[ast.Module | ast.ClassDef] = [tree(path)]
    owners += [node for node in tree(path).body if isinstance(node, ast.ClassDef)]
    for owner in owners:
        if isinstance(owner, ast.ClassDef) and owner.name.startswith("_"):
            continue
        for node in owner.body:
            documented = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
            if isinstance(node, documented) and not node.name.startswith("_"):
                overload = any("overload" in ast.unparse(d) for d in node.decorator_list)
                if not overload and not ast.get_docstring(node):
                    missing.append(f"{path.name}:{node.lineno}: {node.name}")
    assert missing == []


def test_rooms_are_small() -> None:
    sizes = {
        str(path.relative_to(ROOT)): len(path.read_text("utf-8").splitlines())
        for folder in (PACKAGE, f"{PACKAGE}_tests", "benchmarks", "examples")
        for path in sorted((ROOT / folder).rglob("*.py"))
    }
    limits = {name: LONGEST_TEST if "_tests/" in name else LONGEST for name in sizes}
    assert {name: size for name, size in sizes.items() if size > limits[name]} == {}
