"""The notebook of examples/ runs from a clean state, and gives what is committed with it."""

from __future__ import annotations

import ast
import base64
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

from orderhe_dagster_tests.long_tests import IS_LONG
from orderhe_dagster_tests.notebooks import WALKTHROUGH, cleaned
from orderhe_dagster_tests.notebooks import executed as executed_notebook
from orderhe_dagster_tests.road.systems import ALL, Systems

PNG = b"\x89PNG\r\n\x1a\n"


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


def code_cells(node: Any) -> list[Any]:
    return [cell for cell in node.cells if cell.cell_type == "code"]


def shown(cell: Any) -> list[tuple[Any, ...]]:
    """What a cell's outputs show, but for pixels (fonts are the machine's) and how many checks there are."""
    found: list[tuple[Any, ...]] = []
    for output in cell.outputs:
        if output.output_type == "stream":
            found.append((output.name, re.sub(r"\d+ checks? passed", "checks passed", output.text)))
        else:
            texts = {kind: data for kind, data in output.data.items() if kind != "image/png"}
            found.append((output.output_type, sorted(output.data), texts))
    return found


@pytest.fixture(scope="module")
def committed() -> Any:
    return read(WALKTHROUGH)


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The notebook as it comes out of a kernel of its own; settings around it are not its."""
    into = tmp_path_factory.mktemp("walkthrough") / "executed.ipynb"
    done = subprocess.run(
        [sys.executable, "-m", "orderhe_dagster_tests.notebooks", "--into", str(into)],
        cwd=WALKTHROUGH.parents[1],
        env={**os.environ, "ORDERHE_NO_SUCH_SETTING": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return read(into)


def test_it_runs_and_shows_what_is_committed(executed: Any, committed: Any) -> None:
    assert [cell.source for cell in executed.cells] == [cell.source for cell in committed.cells]
    again = "it shows something else than what is committed: see why, then `make notebook`"
    for ours, theirs in zip(code_cells(executed), code_cells(committed), strict=True):
        assert shown(ours) == shown(theirs), f"cell {ours.id}: {again}"


def test_it_complains_of_nothing_and_names_no_machine(committed: Any) -> None:
    places = re.compile(r"/tmp|/home|/Users|site-packages|127\.0\.0\.1:\d")
    for cell in code_cells(committed):
        for output in cell.outputs:
            assert output.get("name") != "stderr", f"cell {cell.id}: {output.get('text')}"
        assert not places.search(str(shown(cell))), f"cell {cell.id}"


def test_it_is_committed_as_it_was_run_once_from_the_top(committed: Any) -> None:
    counts = [cell.execution_count for cell in code_cells(committed)]
    assert counts == list(range(1, len(counts) + 1))
    assert cleaned(read(WALKTHROUGH)) == committed
    pictures = [
        (output.data["image/png"], output.metadata["image/png"]["alt"])
        for cell in code_cells(committed)
        for output in cell.outputs
        if "image/png" in output.get("data", {})
    ]
    assert len(pictures) >= 3
    assert all(base64.b64decode(picture).startswith(PNG) and told for picture, told in pictures)


def test_it_takes_public_names_only(committed: Any) -> None:
    tree = ast.parse("\n".join(cell.source for cell in code_cells(committed)))
    imported = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    assert any((node.module or "").startswith("orderhe_dagster.") for node in imported)
    names = [alias.name for node in imported for alias in node.names]
    names += [node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)]
    assert [name for name in names if name.startswith("_")] == []


def test_what_it_points_to_is_there(committed: Any, project: Path) -> None:
    text = "\n".join(cell.source for cell in committed.cells if cell.cell_type == "markdown")
    links = [link for link in re.findall(r"\]\(([^)#\s]+)", text) if "://" not in link]
    assert links
    assert [link for link in links if not (WALKTHROUGH.parent / link).exists()] == []
    targets = re.findall(r"^([a-z]+):", (project / "Makefile").read_text("utf-8"), re.M)
    made = re.findall(r"`make ([a-z]+)`", text)
    assert made
    assert set(made) <= set(targets)


@pytest.mark.skipif(
    not IS_LONG, reason="a minute: LONG_TESTS=1 make test ARGS='-k by_the_switches'"
)
def test_it_runs_on_real_systems_by_the_switches_alone(
    systems: Systems, tmp_path: Path, committed: Any
) -> None:
    """On MySQL, S3 and Redshift every cell shows what it shows on a laptop, but for the systems' names."""
    environ = systems.environ(ALL, tmp_path / "home")
    del environ["ORDERHE_HOME"]
    environ |= {name: text for name, text in os.environ.items() if name.startswith("AWS_")}
    node = executed_notebook(WALKTHROUGH, tmp_path, environ)
    by_id = {cell.id: shown(cell) for cell in code_cells(committed)}
    (named,) = [cell for cell in code_cells(node) if shown(cell) != by_id[cell.id]]
    assert "('mysql', 's3', 'redshift')" in str(shown(named))
