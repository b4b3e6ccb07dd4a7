"""Runs a notebook from a clean state, in an empty folder, and keeps what of its outputs is the notebook's.

`make notebook` writes the outputs into examples/walkthrough.ipynb; its test compares them. What a notebook
says is not written here.
"""

from __future__ import annotations

import argparse
import os
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
WALKTHROUGH = ROOT / "examples" / "walkthrough.ipynb"
LIMIT_S = 600
_METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}
"""Of the notebook's metadata: versions are of the machine that ran it."""


def executed(notebook: Path, folder: Path, switches: Mapping[str, str] | None = None) -> Any:
    """The notebook with the outputs that it has when it runs in `folder`, in a kernel of this Python.

    CellExecutionError names the cell that fails. Settings of the caller's environment are not seen, but
    for the variables of `switches`.
    """
    import nbformat
    from nbclient import NotebookClient
    from traitlets.config import Config

    node = nbformat.read(notebook, as_version=4)
    for cell in node.cells:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    # Sockets in the folder, not ports: nobody else on this machine can speak to the kernel.
    sockets = {"transport": "ipc", "connection_file": str(folder / "kernel.json")}
    client = NotebookClient(
        node,
        kernel_name="python3",
        timeout=LIMIT_S,
        resources={"metadata": {"path": str(folder)}},
        config=Config(ConnectionFileMixin=sockets, KernelManager={"shutdown_wait_time": LIMIT_S}),
    )
    return cleaned(client.execute(env=_environment(folder) | dict(switches or {})))


def cleaned(node: Any) -> Any:
    """Without what is of one run or one machine: times of the cells, versions."""
    node.metadata = _METADATA
    for cell in node.cells:
        cell.metadata.pop("execution", None)
    return node


def write(node: Any, file: Path) -> None:
    """Write a notebook as it is committed."""
    import nbformat

    nbformat.validate(node)
    nbformat.write(node, file)


def _environment(folder: Path) -> dict[str, str]:
    """What the kernel sees: the package of this checkout, and nobody's settings or profile."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ORDERHE_", "DAGSTER_", "IPYTHON", "PYTHON", "AWS_"))
    }
    return {
        **kept,
        "PYTHONPATH": str(ROOT),
        "IPYTHONDIR": str(folder / ".ipython"),
        "TMPDIR": str(folder),
        "DAGSTER_DISABLE_TELEMETRY": "yes",
    }


def main() -> None:
    """Run the walkthrough and write it with its outputs."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--into", type=Path, default=WALKTHROUGH, help="The file that is written.")
    into = parser.parse_args().into
    with tempfile.TemporaryDirectory(prefix="notebook-") as folder:
        node = executed(WALKTHROUGH, Path(folder))
        left = [path.name for path in Path(folder).glob("walkthrough-*")]
        if left:
            raise SystemExit(f"the kernel has stopped, but its folder is still there: {left}")
        write(node, into)


if __name__ == "__main__":
    main()
