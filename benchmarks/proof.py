"""What proving costs on the demo's shop: of an unchanged past, of a load, and of a night.

    python benchmarks/proof.py [--years 1] [--rounds 3]

The shop is made in a folder of its own and carried through every layer once. Then, in one process and in
turns: the three halves of the proof of all that is there, by the functions that the road uses (the source's
digest; the SHA-256 of the backup's objects; the warehouse's digest); a load of all days with the time that
its own proof takes (counts, exact sums and digests of stage and table); counts and sums alone beside it;
and `run '*'` of one day with the proof of everything and with a proof of one row, whose difference is
what the proof adds to a night. CPU seconds of this process, its threads included; medians of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path


def cpu_s(work: Callable[[], object]) -> float:
    """The CPU seconds that something takes."""
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Make the shop, measure, print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("ORDERHE_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="orderhe-proof-") as folder:
        first = date.today() - timedelta(days=365 * given.years)
        os.environ |= {"ORDERHE_HOME": folder, "ORDERHE_START_DATE": str(first)}
        bench = Bench(Path(folder), given.rounds)
        proof_of_all(bench)
        proof_of_a_load(bench)
        night(bench)


class Bench:
    """A shop that was carried through every layer once, and what is measured on it."""

    def __init__(self, folder: Path, rounds: int) -> None:
        from orderhe_dagster.commands.create import create_all
        from orderhe_dagster.commands.days import whole_days
        from orderhe_dagster.commands.run import launch
        from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
        from orderhe_dagster.road import index
        from orderhe_dagster.road.step import Step
        from orderhe_dagster.settings.config import load_settings
        from orderhe_dagster.settings.project import read_catalogue

        self.rounds, self.settings = rounds, load_settings(cwd=folder)
        create_all(self.settings)
        window = whole_days(self.settings)
        assert launch(self.settings, "*", window).succeeded
        self.source = build_source(self.settings)
        self.store = build_store(self.settings)
        self.warehouse = build_warehouse(self.settings)
        contracts = {table.name: table for table in read_catalogue(self.settings).layer("raw")}
        self.step = Step(contracts["orders"], window, "a benchmark", window)
        self.records = index.read(self.store, "orders").records
        self.rows = sum(record.measure.rows for record in self.records.values())
        print(f"orders: {self.rows:,} rows on {len(window):,} days")

    def line(self, what: str, work: Callable[[], object]) -> float:
        """Measure something, print its median, and give it."""
        return self.printed(what, [cpu_s(work) for _ in range(self.rounds)])

    def printed(self, what: str, seconds: list[float]) -> float:
        """Print the median of what was measured, and give it."""
        median = statistics.median(seconds)
        print(f"  {what:58}{median:8.2f} CPU s  {median / self.rows * 1e6:6.2f} a million rows")
        return median

    def of_warehouse(self) -> None:
        """Measure all rows in the warehouse."""
        from orderhe_dagster.catalog import ddl
        from orderhe_dagster.road.measures import measures

        table = self.step.table
        with self.warehouse.session("measure", read_only=True) as session:
            relation = ddl.qualified(table.read_as)
            measures(session, table, relation, self.records, self.step.outside_of_days)

    def sums_alone(self) -> None:
        """Count and sum all rows in the warehouse, without a digest."""
        from orderhe_dagster.catalog import ddl, measure

        table = self.step.table
        select = measure.measure_select(
            table, ddl.qualified(table.read_as), "redshift", by_day=True
        )
        head, _, tail = select.rpartition(measure.digest_expression(table, "redshift"))
        with self.warehouse.session("sums", read_only=True) as session:
            session.execute(f"{head}0{tail}")

    def hash_objects(self) -> None:
        """Read the backup's objects and hash them."""
        from orderhe_dagster.road.source_proof import soundness

        assert all(soundness(self.store, [*self.records.values()]).values())


def proof_of_all(bench: Bench) -> None:
    """What the three halves cost."""
    print("the proof of all that is there")
    source = lambda: bench.source.measure(bench.step.table, bench.step.window)  # noqa: E731
    parts = [
        bench.line("source: rows, sums, digest", source),
        bench.line("backup: SHA-256 of its objects", bench.hash_objects),
        bench.line("warehouse: rows, sums, digest", bench.of_warehouse),
    ]
    print(f"  {'together':58}{sum(parts):8.2f} CPU s")


def proof_of_a_load(bench: Bench) -> None:
    """What share of a load its own proof has."""
    from orderhe_dagster.road import loads

    print("a load of all days")
    checks: list[float] = []
    check = loads._check_stage

    def timed(*arguments: object) -> None:
        checks.append(cpu_s(lambda: check(*arguments)))  # type: ignore[arg-type]

    loads._check_stage = timed
    try:
        total = bench.line(
            "the load, its proof with it",
            lambda: loads.load(bench.step, bench.store, bench.warehouse),
        )
    finally:
        loads._check_stage = check
    digests = bench.printed("of it: the stage's rows, sums and digests", checks)
    bare = bench.line("rows and sums alone, without digests", bench.sums_alone)
    hashed = bench.line("SHA-256 of the objects", bench.hash_objects)
    light = bare + hashed
    print(
        f"  share of rows, sums and SHA-256 in such a load: {light / (total - digests + light):.0%}"
    )
    print(f"  share with digests of the stage, as it is: {digests / total:.0%}")


def night(bench: Bench) -> None:
    """What the proof of all the past adds to a night."""
    from orderhe_dagster.commands.run import launch

    print("a night: run '*' of one day, nothing changed")
    with_proof, without = list[float](), list[float]()
    for _ in range(bench.rounds):
        for limit, seconds in ((10**9, with_proof), (1, without)):
            settings = replace(bench.settings, proof_rows=limit)
            seconds.append(cpu_s(lambda settings=settings: launch(settings, "*")))  # type: ignore[misc]
    all_of = bench.printed("with the proof of all there is", with_proof)
    one = bench.printed("with a proof of one row", without)
    print(f"  {'the proof of all the past adds':58}{all_of - one:8.2f} CPU s")


if __name__ == "__main__":
    main()
