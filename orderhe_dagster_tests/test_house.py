"""The house's own rules, read from the code: arrows, circles, docstrings, lazy imports.

Modules are found, not listed, so that a new room is held to the rules at once.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = "orderhe_dagster"
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

MAY_IMPORT: dict[str, set[str]] = {
    "errors": set(),
    "catalog": set(),
    "ports": {"catalog"},
    "settings": {"ports", "catalog"},
    "runs": {"settings"},
    "history": {"runs", "settings"},
    "rendering": {"ports", "catalog"},
    "doctor": {"settings", "ports", "catalog"},
    "examples": {"rendering", "catalog"},
    "shop": {"settings", "ports", "catalog"},
    "resources": {"settings", "ports", "catalog"},
    "intake": {"settings", "ports", "catalog"},
    "road": {"rendering", "settings", "ports", "catalog"},
    "proof": {"road", "rendering", "ports", "catalog"},
    "dashboard": {"proof", "road", "rendering", "ports", "catalog"},
    "assets": {
        *("dashboard", "doctor", "proof", "road", "shop", "rendering", "settings", "ports"),
        "catalog",
    },
    "definitions": {"assets", "intake", "resources", "shop", "settings", "ports", "catalog"},
    "commands": {
        *("definitions", "assets", "dashboard", "doctor", "proof", "road", "intake", "resources"),
        "shop",
        *("examples", "rendering", "runs", "settings", "ports", "catalog"),
    },
    "cli": {"commands", "doctor", "rendering", "settings", "catalog"},
}
"""Room -> the rooms that it may import; itself and `errors` always. From the bottom to the top."""
MAY_KNOW_DAGSTER = {"runs", "history", "assets", "definitions", "commands"}
"""The other rooms know no Dagster, neither by themselves nor through what they import."""
FOR_ALL = {f"{PACKAGE}.resources.build", f"{PACKAGE}.resources.laptop.local_redshift"}
"""Of `resources`, what others may ask: the choice of the adapters, and what is not installed."""
Graph = dict[str, set[str]]
"""Module -> all that it imports, at any time, for types alone as well."""


def modules() -> list[Path]:
    """The package's own; what a team adds to it in `defs` follows their rules."""
    theirs = ROOT / PACKAGE / "defs"
    return sorted(path for path in (ROOT / PACKAGE).rglob("*.py") if theirs not in path.parents)


def dotted(path: Path, root: Path = ROOT) -> str:
    parts = path.relative_to(root).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(module: str) -> str:
    return module.split(".")[1] if "." in module else PACKAGE


@cache
def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def imports(source: ast.Module, names: set[str]) -> set[str]:
    """What a module imports, with full names; `names` are the modules that there are."""
    result: set[str] = set()
    for node in ast.walk(source):
        if isinstance(node, ast.Import):
            result |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"line {node.lineno}: import by the full name"
            base = node.module or ""
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                result.add(submodule if submodule in names else base)
    return result


def graph_of(sources: Mapping[str, ast.Module]) -> Graph:
    return {name: imports(source, set(sources)) for name, source in sources.items()}


@cache
def house() -> Graph:
    return graph_of({dotted(path): tree(path) for path in modules()})


# -- the rules: what breaks them ------------------------------------------------------------------


def beyond_their_arrows(graph: Graph) -> dict[str, list[str]]:
    """Imports of rooms that a room may not know, and rooms that no rule knows."""
    wrong = {}
    for name, imported in graph.items():
        if name == PACKAGE:
            continue
        rooms = {room(other) for other in imported if other.startswith(f"{PACKAGE}.")}
        beyond = rooms - MAY_IMPORT.get(room(name), set()) - {room(name), "errors"}
        if room(name) not in MAY_IMPORT:
            beyond |= {f"(no rule for the room {room(name)})"}
        if beyond:
            wrong[name] = sorted(beyond)
    return wrong


def circles(graph: Graph) -> list[str]:
    """Modules that import one another in a circle, by whatever way, as the first circle runs."""
    own = {name: (imported & graph.keys()) - {name} for name, imported in graph.items()}
    try:
        TopologicalSorter(own).prepare()
    except CycleError as error:
        return list(reversed(error.args[1]))
    return []


def circles_of_rooms(graph: Graph) -> list[str]:
    """Rooms that import one another in a circle."""
    rooms: Graph = {}
    for name, imported in graph.items():
        others = {room(other) for other in imported if other.startswith(f"{PACKAGE}.")}
        rooms.setdefault(room(name), set()).update(others - {room(name)})
    return circles(rooms)


def that_know_dagster(graph: Graph) -> list[str]:
    """Modules outside of the rooms for it that import Dagster."""
    return sorted(
        name
        for name, imported in graph.items()
        if room(name) not in MAY_KNOW_DAGSTER
        and any(other.startswith("dagster") for other in imported)
    )


def that_know_adapters(graph: Graph) -> dict[str, list[str]]:
    """Modules that know one adapter, and so would run on one system alone."""
    wrong = {}
    for name, imported in graph.items():
        adapters = {other for other in imported if other.startswith(f"{PACKAGE}.resources.")}
        if room(name) != "resources" and adapters - FOR_ALL:
            wrong[name] = sorted(adapters - FOR_ALL)
    return wrong


def that_import_drivers(graph: Graph) -> dict[str, list[str]]:
    """Modules outside of `resources` that import a driver."""
    return {
        name: sorted(drivers)
        for name, imported in graph.items()
        if room(name) != "resources"
        and (drivers := {other.split(".")[0] for other in imported} & DRIVERS)
    }


RULES: tuple[Callable[[Graph], object], ...] = (
    beyond_their_arrows,
    circles,
    circles_of_rooms,
    that_know_dagster,
    that_know_adapters,
    that_import_drivers,
)


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_the_rule(rule: Callable[[Graph], object]) -> None:
    assert not rule(house()), rule.__doc__


@pytest.mark.parametrize(
    ("rule", "module", "line"),
    [
        (beyond_their_arrows, "road.loads", "from orderhe_dagster.proof import claims"),
        (beyond_their_arrows, "attic.box", "import os"),
        (circles, "ports.store", "def f():\n    from orderhe_dagster.road import loads"),
        (circles, "ports.store", "if TYPE_CHECKING:\n    from orderhe_dagster.road import loads"),
        (circles_of_rooms, "ports.box", "from orderhe_dagster.road import loads"),
        (that_know_dagster, "ports.store", "def f():\n    import dagster as dg"),
        (that_know_adapters, "road.loads", "from orderhe_dagster.resources.s3 import store"),
        (that_import_drivers, "road.loads", "def f():\n    import duckdb"),
    ],
)
def test_one_forbidden_import_breaks_the_rule(
    rule: Callable[[Graph], object], module: str, line: str
) -> None:
    small = {
        "ports.store": "",
        "road.loads": "from orderhe_dagster.ports import store",
        "proof.claims": "from orderhe_dagster.road import loads",
        "resources.s3.store": "from orderhe_dagster.ports import store\nimport boto3",
    }

    def read(texts: Mapping[str, str]) -> Graph:
        return graph_of({f"{PACKAGE}.{name}": ast.parse(text) for name, text in texts.items()})

    assert not rule(read(small))
    assert rule(read({**small, module: f"{small.get(module, '')}\n{line}"}))


def test_only_config_reads_the_environment() -> None:
    """Others may write what Dagster reads (DAGSTER_*), or hand the environment to a child."""
    reading = re.compile(r"environ\[['\"]ORDERHE|environ\.get\(|getenv\(|environ\.items\(")
    wrong = [
        f"{dotted(path)}: {line.strip()}"
        for path in modules()
        if dotted(path) != f"{PACKAGE}.settings.config"
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


def test_the_lower_rooms_do_not_load_dagster() -> None:
    names = [dotted(path) for path in modules() if room(dotted(path)) not in MAY_KNOW_DAGSTER]
    assert len({room(name) for name in names}) > 10
    loaded, _ = import_all(names, {"dagster"})
    assert loaded == {}


VERBS = """
import sys
from click.testing import CliRunner
from orderhe_dagster.cli import main

def run(code, *words):
    done = CliRunner().invoke(main, list(words))
    assert done.exit_code == code, (words, done.output, done.exception)
    assert "dagster" not in sys.modules, words

run(0, "--help")
run(0, "create")
run(0, "create")
run(0, "query", "select 1")
run(1, "query", "select nothing from nowhere")
run(0, "simulate", "--from", "2026-01-01")
run(1, "import", "raw/orders", "nowhere.csv")
open("products.csv", "w").write("product_id,product_name\\n1,\\\\N\\n")
run(1, "import", "raw/products", "products.csv")
run(1, "adopt")
run(1, "adopt", "elsewhere")
run(0, "test", "mart/daily_sales")
run(1, "prove")
run(1, "prove", "orders", "--report", "prove.json")
run(2, "run")
run(1, "warehouse", "serve", "--insecure", "--host", "0.0.0.0")
"""


def test_verbs_that_launch_nothing_run_without_dagster(tmp_path: Path) -> None:
    environ = {**os.environ, "ORDERHE_HOME": str(tmp_path), "ORDERHE_START_DATE": "2026-01-01"}
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", VERBS],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**environ, "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_the_rules_name_rooms_that_there_are() -> None:
    rooms = {room(name) for name in house()} - {PACKAGE}
    assert set(MAY_IMPORT) == rooms
    assert MAY_KNOW_DAGSTER | set().union(*MAY_IMPORT.values()) <= rooms


def test_the_root_of_the_package_is_a_short_list() -> None:
    folder = ROOT / PACKAGE
    rooms = [path for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"]
    assert len(list(folder.glob("*.py"))) <= 5
    assert len(rooms) <= 16


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
