"""What a restore of the warehouse costs beside the first load of the same rows, on the demo's shop.

    python benchmarks/restore.py [--years 1] [--rounds 3]

The shop is made in a folder of its own and backed up once. Then, in one process and in turns, each into an
empty warehouse: the load's own share of a first run (COPY, the transaction, the load proof, and the claims
that are judged on the stage), by the functions that the road uses; and `orderhe restore warehouse`'s part of
tables (the SHA-256 of every object, the load, the proof of what lies in the table then, the index). Besides:
the restore of the same backups into an embedded source. Seconds and CPU seconds; medians of the rounds.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
import uuid
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from orderhe_dagster.settings.config import Settings

TARGET = 1.2
"""So many times the first load's share a restore may take."""


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """The seconds that something takes, by the clock and of the CPU."""
    began, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began, time.process_time() - cpu


def main() -> None:
    """Make the shop, measure, print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--years", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    for name in [name for name in os.environ if name.startswith("ORDERHE_")]:
        del os.environ[name]
    with tempfile.TemporaryDirectory(prefix="orderhe-restore-") as folder:
        first = date.today() - timedelta(days=365 * given.years)
        os.environ |= {"ORDERHE_HOME": folder, "ORDERHE_START_DATE": str(first)}
        bench = Bench(Path(folder))
        loaded, restored, source = [], [], []
        for _ in range(given.rounds):
            loaded.append(timed(bench.load))
            restored.append(timed(bench.restore))
            source.append(timed(bench.restore_source))
        for what, times in (
            ("first load of all tables", loaded),
            ("restore of all tables", restored),
            ("restore into a source", source),
        ):
            wall, cpu = (statistics.median(side) for side in zip(*times, strict=True))
            print(f"{what:28}{wall:7.2f} s {cpu:7.2f} CPU s")
        wall, cpu = (
            statistics.median(
                one[side] / other[side] for one, other in zip(restored, loaded, strict=True)
            )
            for side in (0, 1)
        )
        print(f"{'restore : first load':28}{wall:7.2f}   {cpu:7.2f}        (at most {TARGET})")


class Bench:
    """A shop that was backed up once, and an empty warehouse each time that something is measured."""

    def __init__(self, folder: Path) -> None:
        from orderhe_dagster.commands.create import create_all
        from orderhe_dagster.commands.days import whole_days
        from orderhe_dagster.commands.run import launch
        from orderhe_dagster.resources.build import build_store
        from orderhe_dagster.settings.config import load_settings
        from orderhe_dagster.settings.project import read_catalogue

        self.settings = load_settings(cwd=folder)
        create_all(self.settings)
        self.window = whole_days(self.settings)
        assert launch(self.settings, "raw/*,backup/*", self.window).succeeded
        self.store, self.catalogue = build_store(self.settings), read_catalogue(self.settings)

    def load(self) -> None:
        """What a run's load assets do, without Dagster."""
        from orderhe_dagster.proof.staging import Stage
        from orderhe_dagster.resources.build import build_warehouse
        from orderhe_dagster.road import loads
        from orderhe_dagster.road.step import Step

        warehouse = build_warehouse(self._emptied(), 1.0)
        for table in self.catalogue.layer("raw"):
            window = self.window if table.partition else None
            step = Step(table, window, uuid.uuid4().hex, self.window)
            loads.load(step, self.store, warehouse, judge=Stage(self.catalogue, step.run_id))
        self._closed()

    def restore(self) -> None:
        """What `orderhe restore warehouse` does before it builds the models."""
        from orderhe_dagster.proof.staging import Stage
        from orderhe_dagster.resources.build import build_warehouse
        from orderhe_dagster.road import restores
        from orderhe_dagster.road.points import Point, choose

        warehouse = build_warehouse(self._emptied(), 1.0)
        run_id = f"restore-{uuid.uuid4()}"
        choices = [
            choose(table, None, self.window, run_id, self.store, Point())
            for table in self.catalogue.layer("raw")
        ]
        assert not restores.require_sound(choices, self.store, "")
        for choice in choices:
            restores.restore(choice, self.store, warehouse, Stage(self.catalogue, run_id))
        self._closed()

    def restore_source(self) -> None:
        """What `orderhe restore source` does into an empty file."""
        from orderhe_dagster.resources.build import build_scratch_source
        from orderhe_dagster.road import source_restores
        from orderhe_dagster.road.points import Point, choose

        choices = [
            choose(table, None, self.window, "restore", self.store, Point())
            for table in self.catalogue.layer("raw")
        ]
        with tempfile.TemporaryDirectory(dir=self.settings.home) as folder:
            source = build_scratch_source(self.settings, Path(folder))
            source_restores.restore(choices, source, self.store, Path(folder) / "parts")

    def _emptied(self) -> Settings:
        self._closed()
        for file in self.settings.home.glob("warehouse.duckdb*"):
            file.unlink()
        return self.settings

    def _closed(self) -> None:
        from orderhe_dagster.resources.build import close_idle

        close_idle()


if __name__ == "__main__":
    main()
