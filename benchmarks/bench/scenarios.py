"""What is measured beside what. How a contestant is started is `runners`', how it is shown `report`'s."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path

from benchmarks.bench import bed, content, gentle, processes, runners, shop
from benchmarks.bench.bed import Bed, Systems
from benchmarks.bench.figures import EQUAL, Result, Scenario
from benchmarks.bench.processes import RunError
from benchmarks.bench.runners import ROAD, Contestant, MakeReady

EXPORTS = bed.ROOT / "sql" / "export"
_MOST_FOR_PANDAS = 1_000_000
PROVEN = "proven: rows, sums and a digest of every column; SHA-256 of parts; generations; audit"
PROVEN_BY_SUMS = "rows, exact sums, SHA-256 of parts; generations; audit; for this comparison alone"
NO_PROOF = "no proof, no generations"


@dataclass
class Bench:
    """The shop, how often everything is run, and where is told what happens."""

    bed: Bed
    rounds: int
    say: Callable[[str], None]
    quick: bool = False
    filled: Path | None = None
    _assets: dict[str, int] = field(default_factory=dict)

    def assets(self) -> tuple[int, int]:
        """How many assets and checks a run of everything has."""
        if not self._assets:
            with bed.laptop(self.bed, self.bed.home("assets")) as systems:
                _, lines = processes.run(runners.worker(systems, "assets"))
            self._assets = processes.said(lines)
        return self._assets["assets"], self._assets["checks"]


def compare(bench: Bench, scenario: Scenario, contestants: Sequence[Contestant]) -> Scenario:
    """Run all contestants in turn, several times, and compare what each result holds with the source.

    Who fails is told of, and the others go on.
    """
    results = {
        one.name: Result(one.name, does=one.does, missing=one.missing) for one in contestants
    }
    scenario.results += results.values()
    for number in range(bench.rounds):
        for one in contestants:
            result = results[one.name]
            if result.missing:
                continue
            try:
                _measure(bench, one, result)
            except (RunError, OSError, ValueError, KeyError) as error:
                result.missing = f"failed: {_last_line(error)}"
                bench.say(f"{scenario.name}: {one.name} failed: {error}")
                continue
            took = result.samples[-1]
            bench.say(
                f"{scenario.name}, round {number + 1}: {one.name}: {took.wall_s:.2f} s, "
                f"{took.client_cpu_s:.2f} CPU s, {took.peak_mb:.0f} MB"
                f"{f', {result.content}' if result.content else ''}"
            )
    return scenario


def _measure(bench: Bench, one: Contestant, result: Result) -> None:
    with one.ready() as ready:
        with gentle.watched(bench.bed.server) as gentleness:
            sample, _ = processes.run(ready.command, ready.servers)
        result.samples.append(
            replace(
                sample,
                longest_query_s=gentleness.longest_query_s,
                longest_snapshot_s=gentleness.longest_snapshot_s,
            )
        )
        if ready.content is not None:
            there = ready.content()
            result.rows = there["rows"]
            wrong = content.differences(there, bench.bed.content(one.where))
            found = f"differs: {'; '.join(wrong)}" if wrong else EQUAL
            if result.content in ("", EQUAL):
                result.content = found


def _last_line(error: Exception) -> str:
    lines = [line.strip() for line in str(error).splitlines() if any(map(str.isalpha, line))]
    told = [line for line in lines if "error" in line.lower()] or lines
    return told[-1][:200] if told else type(error).__name__


# A first load -------------------------------------------------------------------------------------


def load(bench: Bench) -> Scenario:
    """All rows for the first time: floors, our road bare and whole, and its peers."""
    shop, days = bench.bed, runners.days_of(bench.bed)
    fresh = partial(runners.on_fresh_systems, shop)
    whole = lambda systems: runners.orderhe(systems, "run", ROAD, *days)  # noqa: E731
    bare = lambda systems: runners.worker(systems, "load")  # noqa: E731
    sums = lambda systems: runners.worker(systems, "sums")  # noqa: E731
    python = runners.contestants_python
    peers = runners.why_missing(python("requirements"))
    contestants = [
        Contestant("floor: DuckDB, a file a day", runners.floor(shop, "first", "floor"), NO_PROOF),
        Contestant(
            "floor: mariadb --quick to nowhere",
            runners.client(shop),
            "reads alone",
            missing="" if shutil.which("mariadb") else "the client is not installed",
        ),
        Contestant("ours, bare, no digest", fresh(bed.laptop, sums, "sums"), PROVEN_BY_SUMS),
        Contestant("ours, bare, folder", fresh(bed.laptop, bare, "bare"), PROVEN),
        Contestant("ours, Dagster, folder", fresh(bed.laptop, whole, "whole"), PROVEN),
        Contestant("ours, bare, S3 and wire", fresh(bed.served, bare, "bare-s3"), PROVEN),
        Contestant("ours, Dagster, S3 and wire", fresh(bed.served, whole, "whole-s3"), PROVEN),
        Contestant(
            "dlt, connectorx stream",
            runners.dlt(shop, "first", "arrow_stream"),
            f"{NO_PROOF}; a load id",
            missing=peers,
        ),
        Contestant(
            "dlt, connectorx",
            runners.dlt(shop, "first", "arrow"),
            f"{NO_PROOF}; a load id",
            missing=peers,
        ),
        Contestant(
            "dlt in Dagster",
            runners.dlt(shop, "dagster", "arrow_stream"),
            f"{NO_PROOF}; one materialization, no days",
            missing=peers,
        ),
        Contestant(
            "ingestr, connectorx",
            runners.ingestr(shop),
            NO_PROOF,
            missing=runners.why_missing(python("ingestr").with_name("ingestr")),
        ),
        Contestant(
            "rivet, then DuckDB",
            runners.rivet(shop),
            "a manifest with checksums of files; no load here, no proof",
            missing=runners.why_missing(python("requirements").with_name("rivet")),
        ),
        _pandas(shop, peers),
    ]
    title = "A first load of `orders`: MySQL to Parquet to the warehouse"
    return compare(bench, _scenario(bench, "load", title, contestants[0].name), contestants)


def _pandas(shop: Bed, missing: str) -> Contestant:
    """The way of pandas, on as many days as it can hold: its memory grows with the rows."""
    last, name = None, "pandas"
    if shop.rows["orders"] > _MOST_FOR_PANDAS:
        last = _days_holding(shop, _MOST_FOR_PANDAS)
        name = f"pandas, the first {(last - shop.first).days + 1} days alone"
    where = f"order_date <= '{last}'" if last else ""
    ready = runners.pandas(shop, last)
    return Contestant(name, ready, f"{NO_PROOF}; all in memory", where, missing)


def _days_holding(shop: Bed, rows: int) -> date:
    """The last of the first days that hold no more rows than that."""
    total, last = 0, shop.first
    for number, many in sorted((int(day), many) for day, many in shop.content()["days"].items()):
        total += many
        if total > rows:
            break
        last = date(1970, 1, 1) + timedelta(days=number)
    return last


def backfill(bench: Bench) -> Scenario:
    """What it costs that a year is 365 days, each on its own: beside the same rows as one piece."""
    shop = bench.bed
    pieces = _contracts_without_days(shop.home("one-piece-sql"))
    fresh = partial(runners.on_fresh_systems, shop)
    bare = lambda systems: runners.worker(systems, "load")  # noqa: E731
    days = runners.days_of(shop)
    whole = lambda systems: runners.orderhe(systems, "run", ROAD, *days)  # noqa: E731
    contestants = [
        Contestant(
            "one piece, folder", fresh(bed.laptop, bare, "piece", ORDERHE_SQL=str(pieces)), PROVEN
        ),
        Contestant("by day, folder", fresh(bed.laptop, bare, "by-day"), PROVEN),
        Contestant("by day, Dagster, folder", fresh(bed.laptop, whole, "by-day-whole"), PROVEN),
        Contestant(
            "one piece, S3 and wire",
            fresh(bed.served, bare, "piece-s3", ORDERHE_SQL=str(pieces)),
            PROVEN,
        ),
        Contestant("by day, S3 and wire", fresh(bed.served, bare, "by-day-s3"), PROVEN),
        Contestant("floor, one piece", runners.floor(shop, "one-piece", "floor-piece"), NO_PROOF),
        Contestant("floor, a file a day", runners.floor(shop, "first", "floor-days"), NO_PROOF),
    ]
    title = "A backfill of all days as one run, beside the same rows as one piece"
    return compare(bench, _scenario(bench, "backfill", title, "one piece, folder"), contestants)


def _contracts_without_days(folder: Path) -> Path:
    """A shop's folder of the raw contracts alone, `orders` not cut by days."""
    (folder / "raw").mkdir()
    for file in shop.CONTRACTS.glob("*.sql"):
        text = file.read_text("utf-8").replace("-- @partition order_date\n", "")
        (folder / "raw" / file.name).write_text(text, "utf-8")
    return folder


# Afterwards ---------------------------------------------------------------------------------------


def increment(bench: Bench) -> Scenario:
    """One day of rows has changed; the rest is there."""
    shop = bench.bed
    change = lambda: shop.touch(shop.last)  # noqa: E731
    home = _with_orders(bench)
    peers = runners.why_missing(runners.contestants_python("requirements"))
    with bed.laptop(shop, home) as systems, _s3_with_orders(bench) as remote:
        _filled_floor(shop)
        if not peers:
            _filled_dlt(shop)
        contestants = [
            Contestant(
                "floor: DuckDB", runners.floor(shop, "day", "floor-kept", True, change), NO_PROOF
            ),
            Contestant(
                "ours, bare, folder",
                runners.on_kept_systems(shop, systems, runners.worker(systems, "day"), change),
                PROVEN,
            ),
            Contestant(
                "ours, Dagster, folder",
                runners.on_kept_systems(
                    shop, systems, runners.orderhe(systems, "run", ROAD), change
                ),
                PROVEN,
            ),
            Contestant(
                "ours, Dagster, S3 and wire",
                runners.on_kept_systems(shop, remote, runners.orderhe(remote, "run", ROAD), change),
                PROVEN,
            ),
            Contestant(
                "dlt, merge",
                runners.dlt(shop, "day", "arrow_stream", True, change),
                f"{NO_PROOF}; looks for no other change",
                missing=peers,
            ),
        ]
        title = "One day of `orders` has changed"
        return compare(bench, _scenario(bench, "increment", title, "floor: DuckDB"), contestants)


def _with_orders(bench: Bench) -> Path:
    """A home with `orders` loaded."""
    home = bench.bed.home("orders-home")
    with bed.laptop(bench.bed, home) as systems:
        _do(runners.orderhe(systems, "run", ROAD, *runners.days_of(bench.bed)))
    return home


@contextmanager
def _s3_with_orders(bench: Bench) -> Iterator[Systems]:
    with bed.served(bench.bed, bench.bed.home("orders-s3")) as systems:
        _do(runners.orderhe(systems, "run", ROAD, *runners.days_of(bench.bed)))
        yield systems


def _filled_floor(shop: Bed) -> None:
    shop.home("floor-kept")
    with runners.floor(shop, "first", "floor-kept", kept=True)() as ready:
        _do(ready.command)


def _filled_dlt(shop: Bed) -> None:
    with runners.dlt(shop, "first", "arrow_stream", kept=True)() as ready:
        shutil.rmtree(ready.command.folder)
        ready.command.folder.mkdir()
        _do(ready.command)


def night(bench: Bench) -> Scenario:
    """`run '*'` of yesterday: nothing has changed, or one day has; beside bare Dagster."""
    shop = bench.bed
    assets, checks = bench.assets()
    home = _filled(bench)
    with (
        bed.laptop(shop, home) as systems,
        bed.laptop(shop, home, ORDERHE_PROOF_ROWS="1") as apart,
    ):
        run = runners.orderhe(systems, "run", "*")
        _do(run)  # what the first night after a load settles, is not of every night
        unproven = runners.orderhe(apart, "run", "*")
        change = lambda: shop.touch(shop.last)  # noqa: E731
        kept = partial(runners.on_kept_systems, shop)
        contestants = [
            Contestant(
                f"bare Dagster: {assets} empty assets, {checks} checks",
                runners.bare_dagster(shop, assets, checks),
                "nothing but Dagster",
            ),
            Contestant("ours, nothing changed", kept(systems, run), PROVEN),
            Contestant(
                "ours, nothing changed, without the night's proof",
                kept(apart, unproven),
                "one segment of each table proven, the longest unproven",
            ),
            Contestant("ours, one day changed", kept(systems, run, change), PROVEN),
            Contestant(
                "ours, one day changed, without the night's proof",
                kept(apart, unproven, change),
                "what was loaded and built, and one segment of each table more",
            ),
            Contestant(
                "by hand: the marts that must be whole, as SQL",
                _on_copy(shop, home, lambda systems: runners.worker(systems, "whole")),
                "delete and insert, no proof",
            ),
        ]
        title = "A night: every asset, for yesterday"
        return compare(bench, _scenario(bench, "night", title, contestants[0].name), contestants)


def source(bench: Bench) -> Scenario:
    """What the road asks of the source, each by itself, beside a plain select of the same rows."""
    made = bench.bed
    with bed.laptop(made, made.home("source")) as systems:
        contestants = [
            Contestant(
                "select * by mariadb --quick",
                runners.client(made),
                "reads alone",
                missing="" if shutil.which("mariadb") else "the client is not installed",
            ),
            *(
                Contestant(name, runners.plain(runners.worker(systems, verb), made.servers), does)
                for name, verb, does in (
                    (
                        "fingerprints",
                        "touches",
                        "rows and the cursor's sum of every day, once a run",
                    ),
                    ("extract", "extract", "every row, to a Parquet file a day"),
                    (
                        "source proof",
                        "measure",
                        "rows, sums and a digest of every column of every day",
                    ),
                )
            ),
        ]
        title = "What is asked of the source"
        return compare(bench, _scenario(bench, "source", title, contestants[0].name), contestants)


def proof(bench: Bench) -> Scenario:
    """`orderhe prove`: source, backup and warehouse, every day."""
    shop = bench.bed
    with bed.laptop(shop, _filled(bench)) as systems:
        _do(runners.orderhe(systems, "run", "*"))  # what others changed since would be told
        contestants = [
            Contestant(
                "prove orders, all days",
                runners.on_kept_systems(shop, systems, runners.orderhe(systems, "prove", "orders")),
                "rows, sums and a digest of every column of every day, in each system by itself",
            ),
            Contestant(
                "prove everything",
                runners.on_kept_systems(shop, systems, runners.orderhe(systems, "prove")),
                "all tables, and all models",
            ),
        ]
        title = "Proving all that is there"
        return compare(bench, _scenario(bench, "proof", title), contestants)


def marts(bench: Bench) -> Scenario:
    """All marts for the first time, beside their SQL by hand."""
    shop, days = bench.bed, runners.days_of(bench.bed)
    loaded = shop.home("loaded")
    with bed.laptop(shop, loaded) as systems:
        _do(runners.orderhe(systems, "run", "group:backup,group:warehouse", *days))
    contestants = [
        Contestant(
            "by hand: delete and insert",
            _on_copy(shop, loaded, lambda systems: runners.worker(systems, "marts")),
            "the same SQL as the engine translates it; no versions, no checks",
        ),
        Contestant(
            "ours, bare, no digest",
            _on_copy(shop, loaded, lambda systems: runners.worker(systems, "undigested")),
            "versions by day, one transaction a mart; for this comparison alone",
        ),
        Contestant(
            "ours, bare",
            _on_copy(shop, loaded, lambda systems: runners.worker(systems, "build")),
            "versions and a digest by day, one transaction a mart; no checks",
        ),
        Contestant(
            "ours, Dagster",
            _on_copy(shop, loaded, lambda s: runners.orderhe(s, "run", "group:mart", *days)),
            "versions, digests, findings, checks",
        ),
    ]
    title = "All marts rebuilt"
    return compare(bench, _scenario(bench, "marts", title, contestants[0].name), contestants)


def exports(bench: Bench) -> Scenario:
    """All exports for the first time, beside DuckDB's own writer."""
    shop, days = bench.bed, runners.days_of(bench.bed)
    built = shop.home("built")
    files = ",".join(f"export/{file.stem}" for file in sorted(EXPORTS.glob("*.sql")))
    with bed.laptop(shop, built) as systems:
        chosen = "group:backup,group:warehouse,group:mart"
        _do(runners.orderhe(systems, "run", chosen, *days))
    contestants = [
        Contestant(
            "DuckDB's own CSV writer",
            _on_copy(shop, built, lambda systems: runners.worker(systems, "exports")),
            "no guard against formulas, no parts, no description",
        ),
        Contestant(
            "ours, Dagster",
            _on_copy(shop, built, lambda s: runners.orderhe(s, "run", files)),
            "guarded, in parts, described, swapped in whole",
        ),
    ]
    title = "All exports written"
    return compare(bench, _scenario(bench, "exports", title, contestants[0].name), contestants)


def dashboard(bench: Bench) -> Scenario:
    """The pages drawn from the exports."""
    with bed.laptop(bench.bed, _filled(bench)) as systems:
        run = runners.orderhe(systems, "run", "export/dashboard,export/lineage")
        contestants = [Contestant("ours, Dagster", runners.plain(run), "both pages")]
        scenario = _scenario(bench, "dashboard", "The dashboard drawn")
        return compare(bench, scenario, contestants)


def definitions(bench: Bench) -> Scenario:
    """What it takes to open the code location, and one mart by Dagster's own command."""
    shop = bench.bed
    with bed.laptop(shop, _filled(bench)) as systems:
        words = [sys.executable, "-W", "ignore", "-m", "dagster", "asset", "materialize"]
        words += ["-m", "orderhe_dagster.definitions", "--select", "mart/daily_sales"]
        words += ["--partition", shop.last.isoformat()]
        contestants = [
            Contestant(
                "import dagster",
                runners.plain(run_python(systems, "import dagster")),
                "an empty process",
            ),
            Contestant(
                "the code location", runners.plain(runners.worker(systems, "location")), "loaded"
            ),
            Contestant(
                "bare Dagster: one empty asset",
                runners.bare_dagster(shop, 1, 0),
                "dagster asset materialize",
            ),
            Contestant(
                "ours: one mart",
                runners.plain(processes.Command(words, systems.environ, bed.ROOT)),
                "dagster asset materialize of mart/daily_sales",
            ),
        ]
        title = "The code location, and one asset by Dagster's own command"
        return compare(bench, _scenario(bench, "definitions", title, "import dagster"), contestants)


def run_python(systems: Systems, code: str) -> processes.Command:
    """A process of this Python that runs some code."""
    return processes.Command([sys.executable, "-c", code], systems.environ, bed.ROOT)


def simulate(bench: Bench) -> Scenario:
    """`orderhe simulate --scale`, beside the bulk load of the same rows by server and by DuckDB."""
    made = bench.bed
    files = made.home("files")
    files.chmod(0o777)  # the server writes there
    files.parent.chmod(0o755)
    shop.dump(str(made.server.folder / "s"), made.database, files)
    _as_parquet(made, files)
    contestants = [
        Contestant("MariaDB: LOAD DATA", runners.bulk_load(made, files), "rows that lie in files"),
        Contestant(
            "ours, into MariaDB", runners.simulating(made, embedded=False), "makes the rows, too"
        ),
        Contestant("DuckDB: insert", runners.bulk_insert(made, files), "rows that lie in Parquet"),
        Contestant(
            "ours, embedded", runners.simulating(made, embedded=True), "makes the rows, too"
        ),
    ]
    title = "A shop simulated: customers, products and orders"
    return compare(bench, _scenario(bench, "simulate", title, contestants[0].name), contestants)


def _as_parquet(made: Bed, files: Path) -> None:
    """The shop's tables as Parquet files, by a process of their own."""
    with runners.floor(made, "first", "parquet")() as ready:
        words = [sys.executable, "-m", "benchmarks.bench.floor", "dump", str(files)]
        _do(replace(ready.command, words=words))


# Pieces -------------------------------------------------------------------------------------------


def _filled(bench: Bench) -> Path:
    """A home with everything: made once, then used by all scenarios that need it."""
    if bench.filled is None:
        home = bench.bed.home("everything")
        with bed.laptop(bench.bed, home) as systems:
            bench.say("everything is loaded and built once")
            _do(runners.orderhe(systems, "run", "*", *runners.days_of(bench.bed)))
        bench.filled = home
    return bench.filled


def _on_copy(shop: Bed, home: Path, command: Callable[[Systems], processes.Command]) -> MakeReady:
    """Each run on a copy of a home, so that all begin alike."""

    @contextmanager
    def ready() -> Iterator[runners.Ready]:
        copy = shop.folder / "copy"
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(home, copy)
        with bed.laptop(shop, copy) as systems:
            yield runners.Ready(command(systems))
        shutil.rmtree(copy)

    return ready


def _do(command: processes.Command) -> None:
    processes.run(command)


def _scenario(bench: Bench, name: str, title: str, reference: str = "") -> Scenario:
    return Scenario(
        name,
        title,
        reference,
        made_on=date.today().isoformat(),
        rows=bench.bed.rows.get("orders", 0),
        days=bench.bed.days,
    )


SCENARIOS: dict[str, Callable[[Bench], Scenario]] = {
    "load": load,
    "increment": increment,
    "night": night,
    "backfill": backfill,
    "source": source,
    "proof": proof,
    "marts": marts,
    "exports": exports,
    "dashboard": dashboard,
    "definitions": definitions,
    "simulate": simulate,
}
"""All scenarios by name, in the order in which they are run."""
