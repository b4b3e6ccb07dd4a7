"""How cost grows: with rows, with days, with tables, with columns. Shops of their own are made for it.

Each shop is made, measured and dropped; one run of each, since it is the growth that tells.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from benchmarks.bench import bed, processes, runners
from benchmarks.bench.bed import Bed
from benchmarks.bench.figures import Scenario
from benchmarks.bench.runners import ROAD, Contestant
from benchmarks.bench.scenarios import NO_PROOF, PROVEN, Bench, compare

_FEW_ROWS = 20
_WIDE_ROWS = 200_000
_WIDE_DAYS = 60


@dataclass(frozen=True)
class Sizes:
    """What is measured: rows at 365 days, days at one number of rows, tables, columns."""

    rows: Sequence[int] = (1_000_000, 5_000_000, 20_000_000)
    days: Sequence[int] = (60, 365, 1_095)
    rows_of_days: int = 1_000_000
    tables: Sequence[int] = (3, 50, 245)
    columns: Sequence[int] = (12, 50, 200)
    wide_rows: int = _WIDE_ROWS


QUICK = Sizes((50_000, 200_000), (60, 365), 50_000, (3, 20), (12, 50), 20_000)


def rows(bench: Bench) -> Scenario:
    """More orders on as many days."""
    scenario = _scenario("scale-rows", "Growth with the rows, on 365 days")
    for orders in _sizes(bench).rows:
        _orders(bench, scenario, orders, 365, f"{orders:,} orders")
    return scenario


def days(bench: Bench) -> Scenario:
    """As many orders on more days."""
    sizes = _sizes(bench)
    title = f"Growth with the days, of {sizes.rows_of_days:,} orders"
    scenario = _scenario("scale-days", title)
    for many in sizes.days:
        _orders(bench, scenario, sizes.rows_of_days, many, f"{many:,} days")
    return scenario


def _orders(bench: Bench, scenario: Scenario, orders: int, many: int, size: str) -> None:
    """First load, a day that has changed, and nothing changed, of one size."""
    bench.say(f"{scenario.name}: a shop of {size} is made")
    with bed.made(orders, many) as made:
        days_of, fresh = runners.days_of(made), partial(runners.on_fresh_systems, made)
        inner = Bench(made, 1, bench.say)
        run = runners.orderhe
        first = [
            Contestant(f"{size}: floor", runners.floor(made, "first", "floor"), NO_PROOF),
            Contestant(
                f"{size}: ours, bare, first load",
                fresh(bed.laptop, lambda systems: runners.worker(systems, "load"), "bare"),
                PROVEN,
            ),
        ]
        compare(inner, scenario, first)
        home = made.home("kept")
        with bed.laptop(made, home) as systems:
            kept = partial(runners.on_kept_systems, made, systems)
            nights = [
                Contestant(
                    f"{size}: ours, Dagster, first load", kept(run(systems, "run", ROAD, *days_of))
                ),
                Contestant(
                    f"{size}: one day changed",
                    kept(run(systems, "run", ROAD), lambda: made.touch(made.last)),
                ),
                Contestant(f"{size}: nothing changed", kept(run(systems, "run", ROAD))),
            ]
            compare(inner, scenario, nights)


def tables(bench: Bench) -> Scenario:
    """More tables of hardly any rows: what a table costs by itself."""
    scenario = _scenario("scale-tables", f"Growth with the tables, of {_FEW_ROWS} rows each")
    for many in _sizes(bench).tables:
        bench.say(f"{scenario.name}: a shop of {many} tables is made")
        with _small_tables(many) as (made, sql):
            inner = Bench(made, 1, bench.say)
            home = made.home("tables")
            with bed.laptop(made, home, ORDERHE_SQL=str(sql)) as systems:
                _, lines = processes.run(runners.worker(systems, "assets"))
                told = processes.said(lines)
                run = runners.orderhe(systems, "run", "*")
                kept = partial(runners.on_kept_systems, made, systems, compare=False)
                bare = runners.bare_dagster(made, told["assets"], told["checks"])
                size = f"{many} tables"
                contestants = [
                    Contestant(f"{size}: first run of everything", kept(run)),
                    Contestant(f"{size}: nothing changed", kept(run)),
                    Contestant(f"{size}: nothing changed, again", kept(run)),
                    Contestant(
                        f"{size}: bare Dagster, {told['assets']} assets, {told['checks']} checks",
                        bare,
                    ),
                ]
                compare(inner, scenario, contestants)
    return scenario


@contextmanager
def _small_tables(many: int) -> Iterator[tuple[Bed, Path]]:
    """A shop of so many tables, every other one cut by days."""
    with bed.made(0, 30) as made, tempfile.TemporaryDirectory(prefix="orderhe-bench-") as folder:
        sql = Path(folder)
        (sql / "raw").mkdir()
        for number in range(many):
            name = f"things_{number:03}"
            table = (
                f"create table {name} (\n    thing_id int not null,\n    made_on date not null,\n"
                "    amount decimal(12,2) not null,\n    note varchar(100),\n"
                "    updated_at datetime(6) not null,\n    primary key (thing_id),\n"
                "    key (made_on)\n)"
            )
            head = "-- @partition made_on\n" if number % 2 else ""
            text = f"-- Things of kind {number}.\n{head}-- @cursor updated_at\n{table};\n"
            (sql / "raw" / f"{name}.sql").write_text(text, "utf-8")
            there = f"{made.database}.{name}"
            made.ask(table.replace(f"table {name}", f"table {there}"))
            made.ask(
                f"insert into {there} select seq, date '{made.last}' - interval seq % 30 day, "
                f"seq * 1.25, concat('thing ', seq), timestamp '{made.last} 01:00:00' "
                f"from {made.database}.seq_1_to_{_FEW_ROWS}"
            )
        yield made, sql


def columns(bench: Bench) -> Scenario:
    """Wider rows."""
    sizes = _sizes(bench)
    title = f"Growth with the columns, of {sizes.wide_rows:,} rows on {_WIDE_DAYS} days"
    scenario = _scenario("scale-columns", title)
    for many in sizes.columns:
        bench.say(f"{scenario.name}: a table of {many} columns is made")
        with _wide_table(many, sizes.wide_rows) as (made, sql):
            size = f"{many} columns"
            load = runners.on_fresh_systems(
                made,
                bed.laptop,
                lambda systems: runners.worker(systems, "load"),
                "wide",
                ORDERHE_SQL=str(sql),
                BENCH_COLUMNS=json.dumps(dict(made.columns)),
            )
            floor = runners.floor(made, "first", "floor")
            contestants = [
                Contestant(f"{size}: floor", floor, NO_PROOF),
                Contestant(f"{size}: ours, bare, first load", load, PROVEN),
            ]
            compare(Bench(made, 1, bench.say), scenario, contestants)
    return scenario


_KINDS = (
    ("number", "int not null", "seq * {n} % 100003"),
    ("text", "varchar(40)", "if(seq % 7 = 0, null, concat('text ', seq * {n} % 9973))"),
    ("number", "decimal(12,0) not null", "seq * {n} % 1000003"),
    (
        "time",
        "datetime(6) not null",
        "timestamp '2026-01-01 00:00:00' + interval seq * {n} microsecond",
    ),
)


@contextmanager
def _wide_table(many: int, rows_: int) -> Iterator[tuple[Bed, Path]]:
    """A table `orders` of so many columns."""
    with (
        bed.made(0, _WIDE_DAYS) as made,
        tempfile.TemporaryDirectory(prefix="orderhe-bench-") as folder,
    ):
        parts = {"order_id": ("number", "bigint not null", "seq")}
        day = f"date '{made.last}' - interval seq % {_WIDE_DAYS} day"
        parts["order_date"] = ("date", "date not null", day)
        for number in range(many - 2):
            kind, type_, value = _KINDS[number % len(_KINDS)]
            parts[f"c{number:03}"] = (kind, type_, value.format(n=number + 1))
        made.columns = {name: kind for name, (kind, _, _) in parts.items()}
        lines = [f"    {name} {type_}" for name, (_, type_, _) in parts.items()]
        listed = ",\n".join([*lines, "    primary key (order_id)", "    key (order_date)"])
        sql = Path(folder)
        (sql / "raw").mkdir()
        text = f"-- A wide table.\n-- @partition order_date\ncreate table orders (\n{listed}\n);\n"
        (sql / "raw" / "orders.sql").write_text(text, "utf-8")
        # Two hundred columns could be longer than a page; these rows are not.
        made.ask("set global innodb_strict_mode = 0")
        made.ask(f"create table {made.database}.orders (\n{listed}\n)")
        values = ", ".join(value for _, _, value in parts.values())
        made.ask(
            f"insert into {made.database}.orders select {values} "
            f"from {made.database}.seq_1_to_{rows_}"
        )
        made.rows = {"orders": rows_}
        yield made, sql


def _sizes(bench: Bench) -> Sizes:
    return QUICK if bench.quick else Sizes()


def _scenario(name: str, title: str) -> Scenario:
    return Scenario(name, title, made_on=date.today().isoformat())


SCENARIOS = {
    "scale-rows": rows,
    "scale-days": days,
    "scale-tables": tables,
    "scale-columns": columns,
}
