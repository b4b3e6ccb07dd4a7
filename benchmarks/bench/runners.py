"""How each contestant is started: its command, the servers beside it, and how its result is compared.

What is measured beside what is `scenarios`' business.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path

from benchmarks.bench import bed, content, processes, shop
from benchmarks.bench.bed import ROOT, Bed, Systems, environment
from benchmarks.bench.processes import Command
from orderhe_dagster_tests.servers.mariadb import OWNER

CONTESTANTS = ROOT / "benchmarks" / "contestants"
ROAD = "backup/orders,warehouse/orders"
_OFF = {
    "RUNTIME__DLTHUB_TELEMETRY": "false",
    "DISABLE_TELEMETRY": "true",
    "INGESTR_DISABLE_TELEMETRY": "true",
    "RIVET_NO_TELEMETRY": "1",
}
"""Nothing of anybody's run is told to anybody."""
_CHUNK = {"DATA_WRITER__BUFFER_MAX_ITEMS": "200000"}


@dataclass(frozen=True)
class Ready:
    """A contestant about to run: `content` asks, after the run, what its result holds."""

    command: Command
    servers: Mapping[str, int] = field(default_factory=dict)
    content: Callable[[], content.Content] | None = None


MakeReady = Callable[[], AbstractContextManager[Ready]]
"""Makes everything new for one run of a contestant, and takes it away afterwards."""


@dataclass(frozen=True)
class Contestant:
    """Who runs, and what it does and does not do.

    `where`: the rows of `orders` that it carries; "": all. `missing`: why it cannot be run here.
    """

    name: str
    ready: MakeReady
    does: str = ""
    where: str = ""
    missing: str = ""


def orderhe(systems: Systems, *words: str) -> Command:
    """A command of the platform, as people give it."""
    return Command([sys.executable, "-m", "orderhe_dagster.cli", *words], systems.environ, ROOT)


def worker(systems: Systems, verb: str) -> Command:
    """The road as functions: see `ours`."""
    words = [sys.executable, "-W", "ignore", "-m", "benchmarks.bench.ours", verb]
    return Command(words, systems.environ, ROOT)


def days_of(bench: Bed) -> tuple[str, str, str, str]:
    """The options that name all of the shop's days."""
    return ("--from", bench.first.isoformat(), "--to", bench.last.isoformat())


Place = Callable[..., AbstractContextManager[Systems]]


def on_fresh_systems(
    bench: Bed, place: Place, command: Callable[[Systems], Command], name: str, **more: str
) -> MakeReady:
    """Our road on new systems: an empty store, an empty warehouse, a home of its own."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        home = bench.home(name)
        with place(bench, home, **more) as systems:
            yield Ready(
                command(systems),
                {**bench.servers, **systems.servers},
                lambda: _told(worker(systems, "content")),
            )
        shutil.rmtree(home, ignore_errors=True)

    return ready


def on_kept_systems(
    bench: Bed,
    systems: Systems,
    command: Command,
    before: Callable[[], None] = lambda: None,
    compare: bool = True,
) -> MakeReady:
    """Our road on systems that stay as the last run left them; `before` each run something is done."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        before()
        yield Ready(
            command,
            {**bench.servers, **systems.servers},
            (lambda: _told(worker(systems, "content"))) if compare else None,
        )

    return ready


def floor(
    bench: Bed, what: str, name: str, kept: bool = False, before: Callable[[], None] = lambda: None
) -> MakeReady:
    """DuckDB alone: see `floor`. `kept`: over what the last run left."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        before()
        folder = bench.folder / name if kept else bench.home(name)
        words = [sys.executable, "-m", "benchmarks.bench.floor", what, str(folder)]
        if what == "day":
            words.append(bench.last.isoformat())
        source = {
            "host": bench.server.host,
            "port": str(bench.server.port),
            "database": bench.database,
            "user": bed.READER,
            "password": bed.PASSWORD,
        }
        yield Ready(
            Command(words, environment(BENCH_SOURCE=json.dumps(source)), ROOT),
            bench.servers,
            lambda: of_file(bench, Path(sys.executable), folder / "floor.duckdb", "orders"),
        )

    return ready


def client(bench: Bed) -> MakeReady:
    """MariaDB's own client, which reads all rows as text and keeps none."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        words = [
            *("mariadb", "--no-defaults", "--quick", "-BN", "--skip-ssl"),
            *("-h", bench.server.host, "-P", str(bench.server.port)),
            *("-u", bed.READER, f"-p{bed.PASSWORD}"),
            *(bench.database, "-e", "select * from orders"),
        ]
        yield Ready(Command(words, environment(), ROOT, quiet=True), bench.servers)

    return ready


def contestants_python(name: str) -> Path:
    """The interpreter of a contestants' environment; `make bench` makes it."""
    folder = Path(os.environ.get("BENCH_CONTESTANTS", ROOT / ".orderhe" / "bench"))
    return folder / name / "bin" / "python"


def why_missing(*paths: Path) -> str:
    """Why a contestant cannot be run: it is not installed. "": it can."""
    gone = [path for path in paths if not path.exists()]
    return f"not installed ({gone[0].name}): `make bench` does" if gone else ""


def program(
    bench: Bed,
    python: Path,
    script: str,
    words: Callable[[Path], list[str]],
    database: str,
    relation: str,
    kept: bool = False,
    before: Callable[[Path], None] = lambda _: None,
    **more: str,
) -> MakeReady:
    """A contestant's program by its own Python; its result is a relation of a DuckDB file."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        name = f"{script.partition('.')[0]}{'-kept' if kept else ''}"
        folder = bench.folder / name if kept else bench.home(name)
        folder.mkdir(exist_ok=True)
        before(folder)
        given = environment(
            **_OFF,
            **_CHUNK,
            BENCH_SOURCE=bench.url,
            HOME=str(folder),
            DLT_DATA_DIR=str(folder / "dlt"),
            DAGSTER_HOME=str(_dagster_home(folder)),
            **more,
        )
        given["PATH"] = f"{python.parent}{os.pathsep}{given['PATH']}"
        command = Command([str(python), str(CONTESTANTS / script), *words(folder)], given, folder)
        yield Ready(
            command, bench.servers, lambda: of_file(bench, python, folder / database, relation)
        )

    return ready


def ingestr(bench: Bed) -> MakeReady:
    """The road of ingestr, with its fastest backend."""
    python = contestants_python("ingestr")

    @contextmanager
    def ready() -> Iterator[Ready]:
        folder = bench.home("ingestr")
        words = [
            *(str(python.with_name("ingestr")), "ingest", "--yes", "--progress", "log"),
            *("--source-uri", bench.url.replace("mysql://", "mysql+pymysql://")),
            *("--source-table", f"{bench.database}.orders"),
            *("--dest-uri", f"duckdb:///{folder}/ingestr.duckdb", "--dest-table", "raw.orders"),
            *("--sql-backend", "connectorx", "--loader-file-format", "parquet"),
            *("--page-size", "200000"),
        ]
        given = environment(**_OFF, HOME=str(folder), DLT_DATA_DIR=str(folder / "dlt"))
        yield Ready(
            Command(words, given, folder),
            bench.servers,
            lambda: of_file(bench, python, folder / "ingestr.duckdb", "raw.orders"),
        )

    return ready


def rivet(bench: Bed) -> MakeReady:
    """The extract of rivet, as its own scaffold has it, and a load of its files by DuckDB."""
    python = contestants_python("requirements")
    tool = str(python.with_name("rivet"))

    def scaffold(folder: Path) -> None:
        words = [tool, "init", "--source", bench.url, "--table", "orders", "-o", "rivet.yaml"]
        given = environment(**_OFF, HOME=str(folder))
        done = subprocess.run(
            words, cwd=folder, env=given, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise processes.RunError(f"rivet init: {done.stdout}{done.stderr}")

    def words(folder: Path) -> list[str]:
        pattern = "**/*.parquet"
        return [str(folder), pattern, tool, "run", "--config", "rivet.yaml", "--no-notify"]

    return program(
        bench,
        python,
        "load_parquet.py",
        words,
        "loaded.duckdb",
        "orders",
        before=scaffold,
        DATABASE_URL=bench.url,
    )


def dlt(
    bench: Bed,
    what: str,
    return_type: str,
    kept: bool = False,
    before: Callable[[], None] | None = None,
) -> MakeReady:
    """The road of dlt with connectorx; `return_type` arrow or arrow_stream."""

    def words(folder: Path) -> list[str]:
        return [what, str(folder), *([bench.last.isoformat()] if what == "day" else [])]

    return program(
        bench,
        contestants_python("requirements"),
        "dlt_road.py",
        words,
        "dlt.duckdb",
        "raw.orders",
        kept=kept,
        before=lambda _: before() if before else None,
        BENCH_RETURN_TYPE=return_type,
    )


def pandas(bench: Bed, last: date | None) -> MakeReady:
    """The beginner's way, of the rows up to a day; None: of all."""
    return program(
        bench,
        contestants_python("requirements"),
        "pandas_road.py",
        lambda folder: [str(folder)],
        "pandas.duckdb",
        "orders",
        BENCH_LAST_DAY=(last or date.max).isoformat(),
    )


def of_file(bench: Bed, python: Path, file: Path, relation: str) -> content.Content:
    """What a relation of a DuckDB file holds, by the Python that wrote it."""
    script = str(ROOT / "benchmarks" / "bench" / "content.py")
    words = [
        str(python),
        script,
        str(file),
        relation,
        json.dumps(dict(bench.columns)),
        "order_date",
    ]
    return _told(Command(words, environment(), file.parent))


def bare_dagster(bench: Bed, assets: int, checks: int) -> MakeReady:
    """As many empty assets and checks, by Dagster's own command on its own storage."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        folder = bench.folder / "bare-dagster"  # it stays: the first run makes the storage
        folder.mkdir(exist_ok=True)
        given = environment(
            DAGSTER_HOME=str(_dagster_home(folder)),
            BENCH_ASSETS=str(assets),
            BENCH_CHECKS=str(checks),
            BENCH_DAYS=str(bench.days),
        )
        words = [
            *(sys.executable, "-W", "ignore", "-m", "dagster", "asset", "materialize"),
            *("-m", "benchmarks.bench.empty_assets", "--select", "*"),
            *("--partition", bench.last.isoformat()),
        ]
        yield Ready(Command(words, given, ROOT))

    return ready


def simulating(bench: Bed, embedded: bool) -> MakeReady:
    """`orderhe simulate --scale` of the bench's own shop, into an empty database."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        home = bench.home("simulated")
        scale = shop.shop_of(bench.orders, bench.days, bench.last)[0].scale
        with bench.server.database() as database:
            given = bed.source_variables(replace(bench, database=database), home)
            if embedded:
                given = {name: value for name, value in given.items() if "_MYSQL_" not in name}
                given |= {"ORDERHE_SOURCE": "embedded"}
            else:
                given |= {
                    "ORDERHE_MYSQL_USER": OWNER.user,
                    "ORDERHE_MYSQL_PASSWORD": OWNER.password,
                }
            systems = Systems("simulated", environment(**given, ORDERHE_SHOP="simulated"))
            processes.run(orderhe(systems, "create"))
            yield Ready(
                orderhe(systems, "simulate", *days_of(bench), "--scale", repr(scale)),
                {} if embedded else bench.servers,
                (lambda: of_file(bench, Path(sys.executable), home / "shop.duckdb", "orders"))
                if embedded
                else (lambda: of_database(bench, database)),
            )

    return ready


def bulk_load(bench: Bed, files: Path) -> MakeReady:
    """The server's own bulk load of the shop's rows, from files that lie there."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        with bench.server.database() as database:
            words = [sys.executable, "-m", "benchmarks.bench.shop"]
            words += [str(bench.server.folder / "s"), database, "--files", str(files)]
            yield Ready(
                Command(words, environment(), ROOT),
                bench.servers,
                lambda: of_database(bench, database),
            )

    return ready


def bulk_insert(bench: Bed, files: Path) -> MakeReady:
    """The insert of DuckDB of the same rows, from Parquet files, into tables with the same keys."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        home = bench.home("inserted")
        given = bed.source_variables(bench, home)
        given = {name: value for name, value in given.items() if "_MYSQL_" not in name}
        given |= {"ORDERHE_SOURCE": "embedded", "ORDERHE_SHOP": "simulated"}
        systems = Systems("inserted", environment(**given))
        processes.run(orderhe(systems, "create"))
        words = [sys.executable, "-m", "benchmarks.bench.floor", "insert", str(home), str(files)]
        yield Ready(
            Command(words, systems.environ, ROOT),
            {},
            lambda: of_file(bench, Path(sys.executable), home / "shop.duckdb", "orders"),
        )

    return ready


def of_database(bench: Bed, database: str) -> content.Content:
    """What `orders` of another database of the server holds."""
    return content.content(bench.ask, "mysql", f"{database}.orders", bench.columns, "order_date")


def plain(command: Command, servers: Mapping[str, int] | None = None) -> MakeReady:
    """A command whose result is not compared."""

    @contextmanager
    def ready() -> Iterator[Ready]:
        yield Ready(command, servers or {})

    return ready


def _told(command: Command) -> content.Content:
    _, lines = processes.run(command)
    return processes.said(lines)


def _dagster_home(folder: Path) -> Path:
    home = folder / "dagster"
    home.mkdir(parents=True, exist_ok=True)
    (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n", "utf-8")
    return home
