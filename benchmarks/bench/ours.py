"""Our road called as functions, without Dagster: a program that says what each half of the work took.

    python -m benchmarks.bench.ours load       back up and load `orders`, every day that is over
    python -m benchmarks.bench.ours sums       the same without digests and claims: rows and sums are left
    python -m benchmarks.bench.ours day        load, for the last day that is over
    python -m benchmarks.bench.ours touches    the source's fingerprints of every day, and nothing else
    python -m benchmarks.bench.ours extract    every day to Parquet files, and nothing else
    python -m benchmarks.bench.ours measure    the source's own proof of every day, and nothing else
    python -m benchmarks.bench.ours content    what the warehouse holds of `orders`
    python -m benchmarks.bench.ours assets     how many assets and checks a run of everything has
    python -m benchmarks.bench.ours location   loads the code location: its seconds beyond imports
    python -m benchmarks.bench.ours marts      rebuilds all marts by hand: delete and insert
    python -m benchmarks.bench.ours whole      the same, of the marts without days alone
    python -m benchmarks.bench.ours build      rebuilds all marts by the road, without Dagster and claims
    python -m benchmarks.bench.ours undigested the same without digests
    python -m benchmarks.bench.ours exports    writes all exports by DuckDB's own CSV writer

The settings are the environment's; BENCH_COLUMNS says what `orders` has where it is not the demo's.
*Work* is the time from the call of the road's first function, its fingerprints included, to the
committed row of the audit.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from benchmarks.bench import content
from benchmarks.bench.bed import COLUMNS

if TYPE_CHECKING:
    from orderhe_dagster.settings.config import Settings


def _settings() -> Settings:
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.config import load_settings

    settings = load_settings()
    home.prepare_home(settings)
    return settings


def _carry(last_day: bool, claims: bool = True) -> dict[str, float]:
    from orderhe_dagster.assets.policy import Policy
    from orderhe_dagster.catalog.days import ONE_DAY, Window
    from orderhe_dagster.commands.days import whole_days
    from orderhe_dagster.commands.prove import _road
    from orderhe_dagster.proof.staging import Stage
    from orderhe_dagster.road.extracts import back_up
    from orderhe_dagster.road.loads import load
    from orderhe_dagster.road.step import Step
    from orderhe_dagster.settings.project import read_catalogue

    settings = _settings()
    catalogue, road, history = read_catalogue(settings), _road(settings), whole_days(settings)
    (table,) = [one for one in catalogue.layer("raw") if one.name == "orders"]
    window = Window(history.end - ONE_DAY, history.end) if last_day else history
    step = Step(table, window if table.partition else None, uuid.uuid4().hex, history)
    rules = Policy.of(settings)
    started, cpu = time.perf_counter(), time.process_time()
    done = back_up(step, road, rules.of_source({}))
    between = time.perf_counter()
    judge = Stage(catalogue, step.run_id) if claims else None
    load(step, road.store, road.warehouse, rules.of_copies({}), judge)
    ended, used = time.perf_counter(), time.process_time() - cpu
    return {
        "work_s": ended - started,
        "work_cpu_s": used,
        "backup_s": between - started,
        "load_s": ended - between,
        "segments": len(done.read),
    }


def _carry_by_sums() -> dict[str, float]:
    """What the digest of every column costs: no setting takes it out, for no later proof could do without."""
    from orderhe_dagster.catalog import measure

    measure.digest_expression = lambda table, dialect: "0"
    return _carry(last_day=False, claims=False)


def _of_source(what: str) -> dict[str, float]:
    """One of the three things that the road asks of the source, for every day."""
    from orderhe_dagster.commands.days import whole_days
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.settings.scratch import scratch_folder

    settings = _settings()
    source, window = build_source(settings), whole_days(settings)
    (table,) = [one for one in read_catalogue(settings).layer("raw") if one.name == "orders"]
    with scratch_folder(home_of(settings).scratch, label="bench") as folder:
        started, cpu = time.perf_counter(), time.process_time()
        if what == "touches":
            source.touches(table, window)
        elif what == "extract":
            source.extract(table, window, folder / "out")
        else:
            source.measure(table, window)
        return _since(started, cpu)


def _content() -> dict[str, Any]:
    from orderhe_dagster.resources.build import build_warehouse

    warehouse = build_warehouse(_settings())
    columns = json.loads(os.environ.get("BENCH_COLUMNS", "null")) or COLUMNS
    return content.content(
        lambda sql: warehouse.query(sql).rows, "redshift", "warehouse.orders", columns, "order_date"
    )


def _assets() -> dict[str, int]:
    from orderhe_dagster.definitions import build_definitions

    definitions = build_definitions(_settings())
    graph = definitions.resolve_asset_graph()
    return {
        "assets": len(graph.materializable_asset_keys),
        "checks": len(graph.asset_check_keys),
    }


def _location() -> dict[str, float]:
    began = time.process_time()
    import dagster

    imported = time.process_time()
    from orderhe_dagster.definitions import defs

    loaded = defs()
    assert isinstance(loaded, dagster.Definitions)
    loaded.get_repository_def()
    return {"dagster_cpu_s": imported - began, "work_cpu_s": time.process_time() - imported}


def _marts(whole: bool = False) -> dict[str, float]:
    """Every mart as delete and insert in one transaction, by the SQL that the engine makes of its select.

    `whole`: only those without days, which a night builds whole where one of their columns has changed.
    """
    from local_redshift.session.engine import Engine
    from orderhe_dagster.catalog import ddl
    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.project import read_catalogue

    settings = _settings()
    marts = read_catalogue(settings).layer("mart")
    statements: list[str] = []
    with Engine(home_of(settings).warehouse) as engine:
        engine.execute("create schema if not exists mart")
        for table in marts:  # a mart may read another: it must be there to be compiled
            there = ddl.qualified(table.ref)
            if not engine.execute(
                f"select 1 from svv_tables where table_schema = 'mart' and table_name = '{table.name}'"
            ).rows:
                engine.execute(
                    f"create table {there} as select * from ({table.sql}\n) as m limit 0"
                )
            columns = ", ".join(table.column_names)
            select = engine.compiled(table.sql).sql
            insert = f"insert into dev.{there} ({columns}) {select}"
            if not (whole and table.partition):
                statements.append(f"begin; delete from dev.{there}; {insert}; commit")
        started, cpu = time.perf_counter(), time.process_time()
        for statement in statements:
            engine.connection.execute(statement)
        return _since(started, cpu)


def _build(digests: bool = True) -> dict[str, float]:
    """Every mart by the road's own function: what Dagster and the claims cost is not in it."""
    from orderhe_dagster.catalog import measure
    from orderhe_dagster.commands.days import whole_days
    from orderhe_dagster.resources.build import build_warehouse, close_idle
    from orderhe_dagster.road.builds import build
    from orderhe_dagster.road.step import Step
    from orderhe_dagster.settings.project import read_catalogue

    if not digests:
        measure.digest_expression = lambda table, dialect: "0"
    settings = _settings()
    catalogue, history = read_catalogue(settings), whole_days(settings)
    warehouse = build_warehouse(settings)
    started, cpu = time.perf_counter(), time.process_time()
    for table in catalogue.layer("mart"):
        window = history if table.partition else None
        step = Step(table, window, uuid.uuid4().hex, history)
        build(step, catalogue, warehouse, lambda session: None)
    close_idle()
    return _since(started, cpu)


def _exports() -> dict[str, float]:
    """Every export by DuckDB's own writer of CSV, from the warehouse's file."""
    import tempfile

    import duckdb

    from orderhe_dagster.settings.home import home_of
    from orderhe_dagster.settings.project import read_catalogue

    settings = _settings()
    exports = read_catalogue(settings).layer("export")
    with (
        tempfile.TemporaryDirectory(dir=home_of(settings).folder) as folder,
        duckdb.connect(str(home_of(settings).warehouse), read_only=True) as connection,
    ):
        started, cpu = time.perf_counter(), time.process_time()
        for table in exports:
            file = f"{folder}/{table.name}.csv"
            connection.execute(f"copy ({table.sql}\n) to '{file}' (format csv, header)")
        return _since(started, cpu)


def _since(started: float, cpu: float) -> dict[str, float]:
    return {"work_s": time.perf_counter() - started, "work_cpu_s": time.process_time() - cpu}


VERBS: dict[str, Callable[[], dict[str, Any]]] = {
    "load": lambda: _carry(last_day=False),
    "sums": _carry_by_sums,
    "day": lambda: _carry(last_day=True),
    "touches": lambda: _of_source("touches"),
    "extract": lambda: _of_source("extract"),
    "measure": lambda: _of_source("measure"),
    "content": _content,
    "assets": _assets,
    "location": _location,
    "marts": _marts,
    "whole": lambda: _marts(whole=True),
    "build": _build,
    "undigested": lambda: _build(digests=False),
    "exports": _exports,
}


def main(verb: str) -> None:
    """Do it, and print what it measured."""
    print("BENCH " + json.dumps(VERBS[verb]()))


if __name__ == "__main__":
    main(*sys.argv[1:])
