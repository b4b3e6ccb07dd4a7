"""What the commands that launch nothing cost, beside an import of the libraries that they need.

Each is run in turn with the import, in processes of their own, with bytecode cached for both sides; the CPU
seconds (user and system) are the system's. Run: `python benchmarks/commands.py [--runs 7]`.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import tempfile

IMPORTS = ("-c", "import duckdb, sqlglot, click, rich")
COMMANDS: dict[str, tuple[tuple[str, ...], float | None]] = {
    "orderhe --help": (("--help",), None),
    "orderhe create": (("create",), 2.5),
    'orderhe query "select 1"': (("query", "select 1"), 2.5),
    "orderhe test mart/daily_sales": (("test", "mart/daily_sales"), None),
}
"""What is run, and how many times the cost of the imports it may have."""


def cpu_s(arguments: tuple[str, ...], environ: dict[str, str]) -> float:
    """The CPU seconds of one process of this Python."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, *arguments]
    subprocess.run(command, env=environ, stdout=subprocess.DEVNULL, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)


def main() -> None:
    """Print a line for each command: its median, that of the imports, and the median ratio."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHE_")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as home:
        environ = {**kept, "ORDERHE_HOME": home}
        for name, (words, limit) in COMMANDS.items():
            command = ("-m", "orderhe_dagster.cli", *words)
            cpu_s(command, environ)  # the home is made, and all is compiled
            pairs = [(cpu_s(command, environ), cpu_s(IMPORTS, environ)) for _ in range(runs)]
            ours, theirs = (statistics.median(side) for side in zip(*pairs, strict=True))
            ratio = statistics.median(own / other for own, other in pairs)
            bound = "" if limit is None else f"  (at most {limit})"
            print(f"{name:32}{ours:7.3f} s  imports {theirs:.3f} s  ratio {ratio:.2f}{bound}")


if __name__ == "__main__":
    main()
