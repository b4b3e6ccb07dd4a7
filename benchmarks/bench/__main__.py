"""`make bench`: measure the scenarios that are asked for, print tables, keep the figures.

python -m benchmarks.bench [--only load,night] [--quick] [--json FILE] [--picture FILE]
"""

from __future__ import annotations

import argparse
import compileall
import platform
import sys
import time
import traceback
from datetime import date
from importlib.metadata import version
from pathlib import Path

from benchmarks.bench import bed, report, runners, scale, scenarios
from benchmarks.bench.figures import Report, Scenario, from_json, merged, to_json
from benchmarks.bench.scenarios import Bench

SCENARIOS = {**scenarios.SCENARIOS, **scale.SCENARIOS}
_LIBRARIES = ("dagster", "duckdb", "duckdb-extension-mysql-scanner", "sqlglot", "pyarrow")
_PEERS = ("dlt", "connectorx", "ingestr", "rivet-cli", "pandas", "duckdb")


def main() -> None:
    """Run the bench; ends with 1 where a scenario or a contestant failed, or a copy differed."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--rows", type=int, help="orders of the shop, about (5,000,000)")
    parser.add_argument("--days", type=int, default=365)
    parser.add_argument("--rounds", type=int, help="how often each is run (3)")
    parser.add_argument("--quick", action="store_true", help="300,000 orders, two rounds")
    parser.add_argument("--only", default="", help=f"some of {', '.join(SCENARIOS)}")
    parser.add_argument("--json", type=Path, help="keep the figures in FILE, those of before too")
    parser.add_argument("--picture", type=Path, help="draw the first load as an SVG")
    given = parser.parse_args()
    names = [name for name in given.only.split(",") if name] or [*SCENARIOS]
    if unknown := {*names} - {*SCENARIOS}:
        parser.error(f"--only: there is no {', '.join(sorted(unknown))}: {', '.join(SCENARIOS)}")
    rows, rounds = (300_000, 2) if given.quick else (5_000_000, 3)
    rows, rounds = given.rows or rows, given.rounds or rounds
    compile_all()
    done: list[Scenario] = []
    if not {*names} - {*scale.SCENARIOS}:
        rows = 0  # they make shops of their own
    say(f"a shop of about {rows:,} orders on {given.days} days is made")
    with bed.made(rows, given.days) as made:
        say(", ".join(f"{many:,} {name}" for name, many in made.rows.items()))
        bench = Bench(made, rounds, say, quick=given.quick)
        for name in names:
            done.append(tried(name, bench))
            print(report.table(done[-1]), flush=True)
            if given.json:  # at once: a long run that is interrupted keeps what it has
                keep(given.json, done)
    if given.picture and (scenario := Report(scenarios=done).scenario("load")):
        given.picture.write_text(report.picture(scenario), "utf-8")
    sys.exit(1 if any(map(report.is_wrong, done)) else 0)


def keep(file: Path, done: list[Scenario]) -> None:
    """Write the figures, in place of those of the same scenarios that are in the file."""
    found = Report(machine(), versions(), done)
    if file.exists():
        found = merged(from_json(file.read_text("utf-8")), found)
    file.write_text(to_json(found), "utf-8")


def tried(name: str, bench: Bench) -> Scenario:
    """A scenario; where it fails, that is what it tells, and the others go on."""
    try:
        return SCENARIOS[name](bench)
    except Exception as error:
        traceback.print_exc()
        shown = str(error).strip().splitlines()
        return Scenario(
            name,
            name,
            failed=shown[-1] if shown else type(error).__name__,
            made_on=date.today().isoformat(),
        )


def say(text: str) -> None:
    """Tell whoever waits what happens."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def compile_all() -> None:
    """Compile what will be imported, so that no run is measured with it."""
    for folder in ("orderhe_dagster", "local_redshift", "benchmarks"):
        compileall.compile_dir(bed.ROOT / folder, quiet=2)
    for path in sys.path:
        if path.endswith("site-packages"):
            compileall.compile_dir(path, quiet=2, workers=0)


def machine() -> dict[str, str]:
    """What the figures were taken on."""
    processors = Path("/proc/cpuinfo").read_text("utf-8")
    model = processors.partition("model name")[2].partition("\n")[0].lstrip("\t: ")
    memory = Path("/proc/meminfo").read_text("utf-8").split()[1]
    import os

    return {
        "processor": model or platform.machine(),
        "cores": str(os.cpu_count()),
        "memory": f"{int(memory) / 1024**2:.0f} GB",
        "system": platform.system(),
        "python": platform.python_version(),
    }


def versions() -> dict[str, str]:
    """The versions of what was run."""
    found = {name: version(name) for name in _LIBRARIES}
    for environment in ("requirements", "ingestr"):
        python = runners.contestants_python(environment)
        for folder in python.parents[1].glob("lib/python*/site-packages"):
            for name in _PEERS:
                for info in folder.glob(f"{name.replace('-', '_')}-*.dist-info"):
                    found[f"{environment}: {name}"] = info.name.split("-")[1].removesuffix(".dist")
    return found


if __name__ == "__main__":
    main()
