"""Eight ways in which such a road is often built wrong; each must turn a test red.

`python -m orderhe_dagster_tests.faults.broken` (`make broken`) breaks the road in one way after another,
as a plugin of pytest, and runs the tests that are there for it. A variant that stays green is a hole.
"""

from __future__ import annotations

import argparse
import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster_tests.reliability.results import record_suite

VARIABLE = "BROKEN_VARIANT"
ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "reliability.md"
_FAULTS = "orderhe_dagster_tests/faults/"
_SHORT = f"{_FAULTS}test_faults.py"
_ROAD = "orderhe_dagster_tests/road/test_road.py"


@dataclass(frozen=True)
class Variant:
    """What is broken, in words; what breaks it in this process; the tests that must fail of it."""

    what: str
    apply: Callable[[], None]
    tests: Sequence[str]


def _no_transaction() -> None:
    """Each statement of a load is committed by itself."""
    from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedSession
    from orderhe_dagster.resources.redshift.warehouse import RedshiftSession

    def one_by_one(self: Any, statements: Sequence[str]) -> list[Any]:
        return [self.execute(sql) for sql in statements if not sql.startswith("lock table")]

    EmbeddedSession.transaction = one_by_one  # type: ignore[method-assign]
    RedshiftSession.transaction = one_by_one  # type: ignore[method-assign]


def _prefix_listing() -> None:
    """What is loaded of a day is whatever lies below its name."""
    from orderhe_dagster.catalog import ddl
    from orderhe_dagster.road import backups, loads

    def stage(session: Any, step: Any, records: Any, store: Any, warehouse: Any) -> None:
        table = step.table
        columns = ", ".join(map(ddl.quoted, table.column_names))
        session.execute(ddl.redshift_stage(table, loads.STAGE))
        for segment, record in records.items():
            if record.parts:
                address = store.url(f"{backups.prefix(table.name, segment)}/x")[:-1]
                parts = [key for key, _ in store.listing(backups.prefix(table.name, segment) + "/")]
                for part in (key for key in parts if key.endswith(".parquet")):
                    session.execute(
                        f"copy {loads.STAGE} ({columns}) from"
                        f" '{address}{part.split('/', 3)[3]}'"
                        f" {warehouse.copy_authorization} format as parquet"
                    )

    loads.stage = stage


def _watermark() -> None:
    """Only what is later than the last look is read: no deletion, nothing that commits late."""
    from orderhe_dagster.road import extracts

    touches = extracts.fingerprints

    def later_alone(step: Any, known: Any, source: Any) -> Any:
        fresh = touches(step, known, source)
        for segment, record in known.items():
            there = fresh.get(segment)
            if there is None or there.cursor_sum <= record.touch.cursor_sum:
                fresh[segment] = record.touch
        return fresh

    extracts.fingerprints = later_alone


def _no_part_hash() -> None:
    """An object that is there is believed."""
    from orderhe_dagster.ports.store import Store
    from orderhe_dagster.road import extracts, loads, source_proof

    def sound(store: Store, records: Sequence[Any]) -> dict[Any, bool]:
        return {record.segment: True for record in records}

    for module in (extracts, loads, source_proof):
        module.soundness = sound  # type: ignore[attr-defined]
        module.objects_wrong = lambda store, record: []  # type: ignore[attr-defined]


def _float_sums() -> None:
    """Amounts are added up as floating numbers."""
    from orderhe_dagster.catalog import measure

    exact = measure.measure_select

    def inexact(table: Any, relation: str, dialect: Any, **options: Any) -> str:
        double = "double precision" if dialect == "redshift" else "double"
        return re.sub(
            r"sum\(([^()]+)\) as sum_",
            rf"sum(cast(\1 as {double})) as sum_",
            exact(table, relation, dialect, **options),
        )

    measure.measure_select = inexact


def _utf8mb3() -> None:
    """MySQL is spoken to in its old `utf8`, of three bytes a character."""
    import pymysql

    connect = pymysql.connect

    def old(*arguments: Any, **options: Any) -> Any:
        return connect(*arguments, **{**options, "charset": "utf8"})

    pymysql.connect = old


def _blind_append() -> None:
    """A commit without an answer is done again, and the rows are only added."""
    from orderhe_dagster.ports.errors import CommitUnknown
    from orderhe_dagster.road import loads

    attempt, statements = loads._attempt, loads.load_statements

    def insertion(step: Any, records: Any) -> list[str]:
        return [
            sql for sql in statements(step, records) if sql.startswith('insert into warehouse."')
        ]

    def blindly(*arguments: Any) -> Any:
        try:
            return attempt(*arguments)
        except CommitUnknown:
            loads.load_statements = insertion
            loads._records = lambda step, held, current: dict(current)
            return attempt(*arguments)

    loads._is_committed = lambda *_: False
    loads._attempt = blindly


def _no_fence() -> None:
    """Nobody keeps a slower run from loading what it read before."""
    from orderhe_dagster.road import loads

    statements = loads.load_statements

    def unfenced(step: Any, records: Any) -> list[str]:
        _fence, _superseded, *others = statements(step, records)
        return others

    loads.load_statements = unfenced


VARIANTS: Mapping[str, Variant] = {
    "no_transaction": Variant(
        "statements of a load committed one by one", _no_transaction, [_SHORT]
    ),
    "prefix_listing": Variant(
        "what lies below a prefix is loaded, not what a record names",
        _prefix_listing,
        [f"{_ROAD}::test_a_later_run_mends_days_touched_since_their_backup"],
    ),
    "watermark": Variant(
        "only rows later than the last look are read",
        _watermark,
        [f"{_ROAD}::test_a_later_run_mends_days_touched_since_their_backup"],
    ),
    "no_part_hash": Variant(
        "objects are believed without their SHA-256",
        _no_part_hash,
        [f"{_FAULTS}test_damage.py", "orderhe_dagster_tests/road/test_told.py"],
    ),
    "float_sums": Variant(
        "sums as floating numbers", _float_sums, ["orderhe_dagster_tests/catalog/test_measure.py"]
    ),
    "utf8mb3": Variant(
        "MySQL's old utf8", _utf8mb3, ["orderhe_dagster_tests/resources/test_mysql_writing.py"]
    ),
    "blind_append": Variant(
        "an unknown commit is repeated, its rows appended",
        _blind_append,
        [f"{_FAULTS}test_redshift_connections.py"],
    ),
    "no_fence": Variant(
        "no fence and no look at newer generations",
        _no_fence,
        ["orderhe_dagster_tests/resources/test_redshift.py"],
    ),
}


def apply() -> None:
    """Break this process as its environment says, if it says so."""
    name = os.environ.get(VARIABLE)
    if name:
        VARIANTS[name].apply()


def pytest_configure(config: Any) -> None:
    """As a plugin: before any test is imported."""
    apply()


def run(name: str) -> tuple[bool, str]:
    """Run the tests of a variant, broken; whether one turned red, and which did."""
    words = [
        "-p",
        "orderhe_dagster_tests.faults.broken",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
    ]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pytest", "-q", "-x", *words, *VARIANTS[name].tests],
        cwd=ROOT,
        env={**os.environ, VARIABLE: name},
        capture_output=True,
        text=True,
        check=False,
    )
    failed = re.search(r"^FAILED (\S+)", done.stdout, re.MULTILINE)
    if done.returncode == 1 and failed:
        return True, failed[1]
    return False, done.stdout[-2000:] + done.stderr[-2000:]


def main() -> int:
    """Break the road in each way, or in those that are named; 0 where each turned a test red."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("names", nargs="*", choices=[*VARIANTS, []], metavar="VARIANT")
    parser.add_argument("--write", action="store_true", help=f"write the list into {PAGE.name}")
    given = parser.parse_args()
    red: dict[str, str] = {}
    began, names = time.monotonic(), given.names or [*VARIANTS]
    for name in names:
        is_red, told = run(name)
        if is_red:
            red[name] = told
        print(f"{'red' if is_red else 'GREEN'} {name} ({VARIANTS[name].what}): {told}", flush=True)
    if given.write and red.keys() == VARIANTS.keys():
        PAGE.write_text(written(PAGE.read_text("utf-8"), red), "utf-8")
    green = len(names) - len(red)
    record_suite("broken", "the road, broken", len(names), green, time.monotonic() - began)
    return 1 if green else 0


def written(page: str, red: Mapping[str, str]) -> str:
    """The page with the list of the variants, and the test that each turned red."""
    rows = [f"| {VARIANTS[name].what} | `{told.split('/', 1)[1]}` |" for name, told in red.items()]
    listed = "\n".join(["| the road, broken so | turns this test red |", "|---|---|", *rows])
    begin, end = (f"<!-- broken: {word} -->" for word in ("begin", "end"))
    before, _, rest = page.partition(begin)
    return f"{before}{begin}\n{listed}\n{end}{rest.partition(end)[2]}"


if __name__ == "__main__":
    sys.exit(main())
