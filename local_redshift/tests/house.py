"""The house of `local_redshift`, read from its code: rooms, imports, docstrings. The rules: `test_house`.

`python -m tests.house` in the project's folder writes the table of docs/rooms.md again.
"""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[1]
PACKAGE = PROJECT / "src" / "local_redshift"
PAGE = PROJECT / "docs" / "rooms.md"
ROOMS = (
    *("errors", "read", "values", "functions", "compile", "transactions", "database"),
    *("copy", "views", "statements", "session", "wire", "data_api", "serve", "testing"),
)
"""A staircase: each room imports itself and those before it. The package's own door stands above all."""
PACKAGES = {"cryptography", "duckdb", "numpy", "pyarrow", "sqlglot"}
"""What is imported beside the standard library and the house itself: the project's dependencies."""
OF_TESTS = {"pytest", "redshift_connector"}
"""What the room `testing` imports, too."""
HEAVY = {*PACKAGES, *OF_TESTS, "boto3", "botocore", "dagster", "orderhe_dagster", "pandas"} - {
    "pytest"
}
"""What only a function that needs it may import."""


@dataclass(frozen=True)
class House:
    """A package in a folder: its modules by their full names, found, not listed."""

    folder: Path

    @property
    def modules(self) -> dict[str, Path]:
        """Every module, `package.room.module`."""
        return {self._dotted(path): path for path in sorted(self.folder.rglob("*.py"))}

    def _dotted(self, path: Path) -> str:
        parts = path.relative_to(self.folder.parent).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    def room(self, module: str) -> str:
        """The room of a module; "" is the package itself, its door and its command."""
        room = module.partition(".")[2].partition(".")[0]
        return "" if room == "__main__" else room

    def imports(self) -> dict[str, set[str]]:
        """What each module imports, for types only and inside functions, too."""
        modules = self.modules
        return {name: _imports(path, set(modules)) for name, path in modules.items()}

    def climbing(self, rooms: tuple[str, ...] = ROOMS) -> list[str]:
        """The imports of a room that stands after, or of one that `rooms` does not name."""
        steps = {room: place for place, room in enumerate((*rooms, ""))}
        wrong = []
        for name, imported in self.imports().items():
            for other in sorted(imported & set(self.modules)):
                here, there = self.room(name), self.room(other)
                if here not in steps or there not in steps:
                    wrong.append(f"{name} -> {other}: a room that has no place in ROOMS")
                elif steps[there] > steps[here]:
                    wrong.append(f"{name} -> {other}")
        return wrong

    def circle(self) -> list[str]:
        """Modules that import one another in a circle; none: []."""
        modules = set(self.modules)
        graph = {name: (found & modules) - {name} for name, found in self.imports().items()}
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            return list(reversed(error.args[1]))
        return []

    def strangers(self) -> list[str]:
        """The imports of what is not listed, and those whose names only a run would tell.

        The door alone (`__init__`) imports by name.
        """
        own = {self.folder.name, *sys.stdlib_module_names, *PACKAGES}
        wrong = []
        for name, imported in self.imports().items():
            known = own | OF_TESTS if self.room(name) == "testing" else own
            strange = sorted(one for one in imported if one.partition(".")[0] not in known)
            wrong += [f"{name} -> {other}" for other in strange]
        for name, path in self.modules.items():
            if path.name != "__init__.py":
                wrong += [f"{name} -> {call}" for call in _imports_by_name(path)]
        return wrong

    def undocumented(self) -> list[str]:
        """Modules and public things without a docstring."""
        missing = []
        for name, path in self.modules.items():
            tree = ast.parse(path.read_text("utf-8"))
            missing += [] if ast.get_docstring(tree) else [name]
            classes = [one for one in tree.body if isinstance(one, ast.ClassDef)]
            for owner in [tree, *(one for one in classes if not one.name.startswith("_"))]:
                missing += [f"{name}:{one.lineno} {one.name}" for one in _silent(owner)]
        return missing

    def readers_of_the_environment(self) -> list[str]:
        """Modules that name `environ` or `getenv`."""
        words = re.compile(r"\b(environ|getenv)\b")
        return [
            name for name, path in self.modules.items() if words.search(path.read_text("utf-8"))
        ]

    def table(self, rooms: tuple[str, ...] = ROOMS) -> str:
        """Rooms and modules, each with the first sentence of its docstring, in Markdown."""
        lines = ["| room | module | holds |", "|---|---|---|"]
        for room in rooms:
            inside = {name: path for name, path in self.modules.items() if self.room(name) == room}
            for name, path in inside.items():
                shown = "" if path.stem == "__init__" else f"`{path.name}`"
                head = f"**{room}**" if name.count(".") == 1 else ""
                lines.append(f"| {head} | {shown} | {_sentence(path)} |")
        return "\n".join(lines)


def _imports(path: Path, modules: set[str]) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: import by the full name"
            base = node.module or ""
            for alias in node.names:
                submodule = f"{base}.{alias.name}"
                names.add(submodule if submodule in modules else base)
    return names


_BY_NAME = {"__import__", "import_module"}


def _imports_by_name(path: Path) -> list[str]:
    """Where `import_module` or `__import__` is named, called or not."""
    places = []
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        names: list[str] = []
        if isinstance(node, ast.Name):
            names = [node.id]
        elif isinstance(node, ast.Attribute):
            names = [node.attr]
        elif isinstance(node, ast.ImportFrom):
            names = [alias.name for alias in node.names]
        places += [f"{name} in line {node.lineno}" for name in names if name in _BY_NAME]
    return places


def _silent(owner: ast.Module | ast.ClassDef) -> list[ast.FunctionDef | ast.ClassDef]:
    return [
        node
        for node in owner.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and not node.name.startswith("_")
        and not ast.get_docstring(node)
        and not any("overload" in ast.unparse(one) for one in node.decorator_list)
    ]


def _sentence(path: Path) -> str:
    text = ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""
    paragraph = " ".join(text.partition("\n\n")[0].split())
    return re.split(r"(?<=\.) ", paragraph, maxsplit=1)[0].replace("|", r"\|")


_IMPORT_ALL = """
import importlib, json, sys
heavy, names = json.loads(sys.argv[1])
opened = []
def watch(event, args):
    writes = event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+")
    if writes or event in ("sqlite3.connect", "socket.connect", "socket.bind", "subprocess.Popen"):
        opened.append([event, str(args[0])])
sys.addaudithook(watch)
loaded, before = {}, set()
for name in names:
    importlib.import_module(name)
    here = {module.partition(".")[0] for module in sys.modules} & set(heavy)
    if here - before:
        loaded[name] = sorted(here - before)
        before |= here
print(json.dumps([loaded, opened]))
"""


def import_all(
    names: list[str], heavy: set[str], path: Path | None = None
) -> tuple[dict[str, list[str]], list[list[str]]]:
    """Import modules in a process of their own: who loaded something heavy, and what was opened."""
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}  # or Python itself would write
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", _IMPORT_ALL, json.dumps([sorted(heavy), names])],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded, opened = json.loads(done.stdout)
    return loaded, opened


_TABLE = re.compile(r"\| room \| module \|.*?(?=\n\n|\Z)", re.DOTALL)


def listed(page: str) -> str:
    """The table of rooms that a page has."""
    found = _TABLE.search(page)
    return found[0].rstrip() if found else ""


def main() -> None:
    """Write the table of the page again."""
    page = PAGE.read_text("utf-8")
    table = House(PACKAGE).table()
    PAGE.write_text(_TABLE.sub(lambda _: table, page.rstrip("\n")) + "\n", "utf-8")


if __name__ == "__main__":
    main()
