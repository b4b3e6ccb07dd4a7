"""CPU seconds that the code location costs beyond `import dagster`, in processes of their own.

Cold: the catalogue is read from the SQL files; warm: from the cache that the cold load left. The
figures are medians, interpreter start and `import dagster` taken off. Run: `python benchmarks/load.py`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

DAGSTER = "import dagster"
LOCATION = """
import dagster
from orderhe_dagster.definitions import defs
defs().get_repository_def()
"""
REPORT = "\nimport time; print(time.process_time())"
TARGET = 0.5


def cpu_seconds(code: str, home: Path) -> float:
    """User and system seconds of a new interpreter that runs the code, its start included."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("ORDERHE_")}
    environ |= {"ORDERHE_HOME": str(home), "ORDERHE_START_DATE": "2025-01-01"}
    done = subprocess.run(
        [sys.executable, "-c", code + REPORT],
        env=environ,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.split()[-1])


def main() -> None:
    """Print the medians and whether the warm one keeps to the target."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--times", type=int, default=5, help="how often each is measured")
    times: int = parser.parse_args().times
    base, cold, warm = [], [], []
    with tempfile.TemporaryDirectory(prefix="orderhe-load-") as folder:
        home = Path(folder) / "home"
        for _ in range(times):
            base.append(cpu_seconds(DAGSTER, home))
            shutil.rmtree(home, ignore_errors=True)
            cold.append(cpu_seconds(LOCATION, home))
            warm.append(cpu_seconds(LOCATION, home))
    start = statistics.median(base)
    print(f"start and import dagster  {start:.2f} CPU s")
    for name, found in (("cold", cold), ("warm", warm)):
        beyond = [value - first for value, first in zip(found, base, strict=True)]
        print(f"code location, {name}       +{statistics.median(beyond):.2f} CPU s")
    print(f"target, warm              +{TARGET:.2f} CPU s")


if __name__ == "__main__":
    main()
