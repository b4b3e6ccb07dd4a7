"""A night of many small tables of which nothing has changed, beside what Dagster takes for as many steps.

Ours is `orderhe run '*'` in this process on the embedded systems, or with `--mysql` from a MariaDB of its own
on the loopback; Dagster's is a run of the same assets and checks with empty bodies, and the same history
storage. CPU seconds (user and system) of this process, the second run of each. Run:
`python -m benchmarks.many [--tables 245] [--mysql]`.
"""

from __future__ import annotations

import argparse
import os
import resource
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import dagster as dg

_DAY = "2026-01-{:02}"
_COLUMNS = """    id int not null,
    name varchar(40),
    price decimal(10,2),
    changed_at datetime(6) not null,
    primary key (id)"""


def cpu_s() -> float:
    """The CPU seconds of this process so far."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return used.ru_utime + used.ru_stime


def write_shop(folder: Path, tables: int) -> list[str]:
    """Contracts of so many tables without days, and the statements that fill every other one."""
    (folder / "raw").mkdir(parents=True)
    statements = []
    for number in range(tables):
        name = f"t{number:03}"
        text = f"-- Table {number}.\n-- @cursor changed_at\ncreate table {name} (\n{_COLUMNS}\n);\n"
        (folder / "raw" / f"{name}.sql").write_text(text, "utf-8")
        if number % 2:
            row = "1, 'one', 1.50, timestamp '2026-01-01 10:00:00'"
            statements.append(f"insert into {name} values ({row})")
    return statements


def emptied(definitions: dg.Definitions) -> dg.Definitions:
    """The same assets and checks, with bodies that do nothing."""
    assets: list[Any] = []
    checks: list[Any] = []
    for one in definitions.assets or ():
        if isinstance(one, dg.AssetsDefinition):
            assets.append(_empty_asset(one))
    for check in definitions.asset_checks or ():
        if isinstance(check, dg.AssetChecksDefinition):
            checks.append(_empty_checks(check))
    return dg.Definitions(assets=assets, asset_checks=checks, executor=dg.in_process_executor)


def _empty_asset(one: dg.AssetsDefinition) -> dg.AssetsDefinition:
    specs, name = list(one.specs), one.node_def.name
    if not one.is_executable or one.execution_type.name == "OBSERVATION":

        def observe() -> Iterator[dg.ObserveResult]:
            for spec in specs:
                yield dg.ObserveResult(spec.key, metadata={"rows": 0})

        decorate = dg.multi_observable_source_asset(specs=specs, name=name)
        return cast("dg.AssetsDefinition", decorate(observe))

    @dg.multi_asset(specs=specs, name=name, check_specs=list(one.check_specs))
    def empty() -> Iterator[Any]:
        for spec in specs:
            yield dg.MaterializeResult(spec.key, metadata={"rows": 0})
        for check in one.check_specs:
            yield dg.AssetCheckResult(passed=True, asset_key=check.asset_key, check_name=check.name)

    return empty


def _empty_checks(check: dg.AssetChecksDefinition) -> dg.AssetChecksDefinition:
    specs = list(check.check_specs)

    @dg.multi_asset_check(specs=specs, name=check.node_def.name)
    def empty() -> Iterator[dg.AssetCheckResult]:
        for one in specs:
            yield dg.AssetCheckResult(passed=True, asset_key=one.asset_key, check_name=one.name)

    return empty


def dagsters_own(folder: Path, definitions: dg.Definitions) -> float:
    """The CPU seconds of a run of the emptied definitions, the second one."""
    from orderhe_dagster.commands.run import history
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.config import load_settings

    state = home.use_home(load_settings({"ORDERHE_HOME": str(folder / "empty")}, folder))
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    spent = 0.0
    for _ in range(2):
        began = cpu_s()
        job = emptied(definitions).resolve_implicit_global_asset_job_def()
        with history(state.dagster) as instance:
            result = job.execute_in_process(instance=instance, run_config=quiet)
        assert result.success
        spent = cpu_s() - began
    return spent


def mysql_variables(opened: ExitStack) -> dict[str, str]:
    """The settings of a MariaDB that runs until `opened` is closed."""
    from orderhe_dagster_tests.servers.mariadb import OWNER, running

    server = opened.enter_context(running(tls=False))
    database = opened.enter_context(server.database())
    return {
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": server.host,
        "ORDERHE_MYSQL_PORT": str(server.port),
        "ORDERHE_MYSQL_DATABASE": database,
        "ORDERHE_MYSQL_USER": OWNER.user,
        "ORDERHE_MYSQL_PASSWORD": OWNER.password,
        "ORDERHE_MYSQL_SSLMODE": "disable",
    }


def main() -> None:
    """Print what a table takes: in all, of Dagster's own, and of ours beyond."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--tables", type=int, default=245)
    parser.add_argument("--mysql", action="store_true", help="from a MariaDB")
    asked = parser.parse_args()
    tables = asked.tables
    for name in [name for name in os.environ if name.startswith("ORDERHE_")]:
        del os.environ[name]
    warnings.filterwarnings("ignore")

    from orderhe_dagster.commands.create import create_all
    from orderhe_dagster.commands.run import launch
    from orderhe_dagster.definitions import build_definitions
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.config import load_settings

    with tempfile.TemporaryDirectory() as text, ExitStack() as opened:
        folder = Path(text)
        statements = write_shop(folder / "sql", tables)
        variables = {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_HOME": str(folder / "home")}
        if asked.mysql:
            variables |= mysql_variables(opened)
        settings = load_settings({**variables, "ORDERHE_START_DATE": _DAY.format(1)}, folder)
        create_all(settings)
        with build_source(settings).writing() as transaction:
            for statement in statements:
                transaction.execute(statement)
        first = cpu_s()
        assert launch(settings, "*").succeeded
        second = cpu_s()
        assert launch(settings, "*").succeeded
        ours = cpu_s() - second
        theirs = dagsters_own(folder, build_definitions(settings))
    print(f"{tables} tables, CPU seconds: first night {second - first:.1f}, unchanged {ours:.1f};")
    print(f"Dagster's own {theirs:.1f}; beyond it {(ours - theirs) / tables:.3f} a table")


if __name__ == "__main__":
    main()
