"""Every kind of file of a home, damaged: is it healed, or named with a command that works?

    python -m orderhe_dagster_tests.faults.own_files [--kind TEXT] [--seed 1]

A small shop with two generations, exports, a page, a certificate and a server's files. Of each kind one file
is removed, cut to half, emptied, or gets one byte altered; beforehand, the shop's own application wrote a
row of another day. Then a person runs the day, starts Dagster's UI, proves, looks at the backups, verifies
the certificate, serves the warehouse; and does what a command that stops says. In the end all rows,
files and figures must be those of a shop that nobody damaged: never silently wrong. Ends with code 1 where
that is not so.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from orderhe_dagster.cli import main as cli
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.rendering.printing import markdown_table
from orderhe_dagster.road import index
from orderhe_dagster_tests.reliability.results import record_suite
from orderhe_dagster_tests.shops import SALES, TestShop, fill

PAGE = {
    "export/daily_sales.sql": """
-- For the page.
select
    takings.sold_on::date as order_date, -- The day
    takings.sale_count::bigint as order_count, -- How many
    takings.price_total::decimal(38, 3) as net_amount -- Prices
from mart.takings
order by takings.sold_on;
""",
}
ENV = "ORDERHE_SQL=sql\nORDERHE_HOME=home\nORDERHE_SHOP=external\nORDERHE_TIME_ZONE=Asia/Seoul\n"
SEGMENT = r"s3/orderhe/backup/\w+/(?:all|outside|[\d-]+)"
KINDS: Mapping[str, str] = {
    "settings: .env": r"\.env",
    "shop's first day": r"home/start_date",
    "embedded shop": r"home/shop\.duckdb",
    "embedded warehouse": r"home/warehouse\.duckdb",
    "index: its root": r"home/s3/orderhe/backup/\w+/index\.json",
    "index: a part": r"home/s3/orderhe/backup/\w+/index/[^/]+\.json",
    "record of a generation": rf"home/{SEGMENT}/generations/\d+\.json",
    "part of a backup": rf"home/{SEGMENT}/[^/]+/part-\d+\.parquet",
    "manifest of a backup": rf"home/{SEGMENT}/[^/]+/manifest\.json",
    "manifest of a load": r"home/s3/orderhe/backup/\w+/loads/[^/]+\.json",
    "archive of an import": r"home/s3/orderhe/import.*",
    "certificate of a drill": r"home/s3/orderhe/restore/drills/.*",
    "export": r"home/exports/[^/]+\.csv",
    "export: its schema": r"home/exports/[^/]+\.schema\.json",
    "exports: their descriptor": r"home/exports/datapackage\.json",
    "export: its record": r"home/cache/exports/[^/]+\.json",
    "page": r"home/dashboard/[^/]+\.html",
    "page: kept figures": r"home/cache/dashboard\.json",
    "page: drawing library": r"home/cache/vega-[^/]+\.js",
    "last plan, last run": r"home/cache/(?:plan|last_run)\.json",
    "contracts as read": r"home/cache/catalogue-[^/]+\.json",
    "janitor's stamp": r"home/cache/janitor",
    "Dagster: dagster.yaml": r"home/dagster/dagster\.yaml",
    "Dagster: workspace.yaml": r"home/dagster/workspace\.yaml",
    "Dagster: runs": r"home/dagster/history/runs\.db",
    "Dagster: events": r"home/dagster/history/runs/index\.db",
    "Dagster: log of a run": r"home/dagster/history/runs/[0-9a-f-]{36}\.db",
    "Dagster: schedules": r"home/dagster/schedules/schedules\.db",
    "server: certificate": r"home/redshift/(?:ca|server)\.pem",
    "server: key": r"home/redshift/server\.key",
    "server: password": r"home/redshift/password",
    "lock": r"home/.*\.(?:lock|queue)|home/s3/\.locks/.*|home/scratch/.*",
}
"""What lies in the folder of a shop, by the path's form. A file of no kind fails the experiment."""
OF_SQL = re.compile(r"sql/.*")
WHOLE = ("settings", "embedded", "Dagster")
"""Beginnings of kinds of which all days need the one file there is: it may stop every day, by name."""
ROWS = (
    "select * from warehouse.sales order by 1, 2",
    "select * from warehouse.buyers order by 1",
    "select * from mart.takings order by 1",
    "select * from mart.buyer_totals order by 1",
)
NEW = (
    "insert into sales values"
    " (9, 9, 'ann', date '2026-01-03', 3.000, 'paid', timestamp '2026-01-09 10:00:00')"
)


# Damage ------------------------------------------------------------------------------------------


def removed(path: Path, draw: random.Random) -> None:
    """Not there."""
    path.unlink()


def half(path: Path, draw: random.Random) -> None:
    """Cut short."""
    os.truncate(path, path.stat().st_size // 2)


def emptied(path: Path, draw: random.Random) -> None:
    """Nothing in it."""
    os.truncate(path, 0)


def flipped(path: Path, draw: random.Random) -> None:
    """One byte is another."""
    body = bytearray(path.read_bytes())
    if body:
        body[draw.randrange(len(body))] ^= draw.randint(1, 255)
    path.write_bytes(body)


DAMAGES: Mapping[str, Callable[[Path, random.Random], None]] = {
    one.__name__: one for one in (removed, half, emptied, flipped)
}


# What a person does ------------------------------------------------------------------------------


@dataclass
class Said:
    """What a verb printed, and how it ended; `broke`: an error that nobody worded."""

    words: str
    text: str
    failed: bool
    broke: str = ""


def orderhe(shop: TestShop, words: str) -> Said:
    """Run a verb in the shop's folder, as in a process of its own."""
    from orderhe_dagster.resources.build import close_idle

    index.forget()
    environ = {} if isinstance(shop, _At) else {**shop.environ, "ORDERHE_HOME": str(shop.home)}
    with _in(shop.folder):
        done = CliRunner().invoke(cli, shlex.split(words), env=environ)
    close_idle()
    broke = ""
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        broke = "".join(traceback.format_exception(done.exception))
    elif "Traceback" in done.output:
        broke = done.output
    return Said(words, done.output, done.exit_code != 0, broke)


def served(shop: TestShop) -> Said:
    """`orderhe warehouse serve`, until it serves; and `orderhe dev`, until Dagster would be started."""
    from orderhe_dagster.commands.dev import ready
    from orderhe_dagster.commands.serve import Serving, serving_database

    lines: list[str] = []

    def serve() -> None:
        with serving_database(shop.settings, Serving(port=0), lines.append):
            pass

    def start() -> None:
        ready(shop.settings)

    said = Said("warehouse serve, dev", "", False)
    for work in (start, serve):
        try:
            with _in(shop.folder):
                work()
        except Exception as error:
            said.failed = True
            lines.append(str(error))
            if not isinstance(error, OrderheError) and type(error).__name__ != "SettingsError":
                said.broke += traceback.format_exc()
    said.text = "\n".join(lines)
    return said


@contextmanager
def _in(folder: Path) -> Iterator[None]:
    before = Path.cwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


# What must be there in the end -------------------------------------------------------------------


def state(shop: TestShop) -> dict[str, Any]:
    """Rows, files and figures of a shop, without moments."""
    said: dict[str, Any] = {sql: shop.rows(sql) for sql in ROWS}
    for file in sorted((shop.home / "exports").iterdir()):
        if file.suffix in (".csv", ".json"):
            said[file.name] = file.read_text("utf-8")
    page = shop.home / "dashboard" / "index.html"
    if page.exists():
        shown = re.search(r'(.*id="data">)(.*?)</script>', page.read_text("utf-8"), re.DOTALL)
        assert shown is not None
        said["page"], said["script"] = json.loads(shown[2])["exports"], shown[1]
    return said


# The experiment ----------------------------------------------------------------------------------


@dataclass
class Scene:
    """A shop that was used, and what it is like after a run of a row that is new.

    `run`: what a person runs; `looks`: what looks for damage beside it. Without any, nothing is served.
    """

    shop: TestShop
    wanted: dict[str, Any]
    run: str = "run '*'"
    looks: Sequence[str] = ("prove", "restore --check", "restore --verify latest")

    def look(self, shop: TestShop) -> list[Said]:
        """Start what is served, and do what looks for damage."""
        if not self.looks:
            return []
        return [served(shop), *(orderhe(shop, words) for words in self.looks)]


def prepare(root: Path) -> Scene:
    """Make the scene in `root`."""
    folder = root / "shop"
    (folder / "sql").mkdir(parents=True)
    (folder / ".env").write_text(ENV)
    shop = _At(folder)
    shop.write({**SALES, **PAGE})
    shop.create()
    fill(shop)
    buyers = folder / "buyers.csv"
    buyers.write_text("buyer_code,mail,changed_at\nbea,,2026-01-02 00:00:00\n")
    for words in ("import raw/buyers buyers.csv", "run '*' --from 2026-01-01 --to 2026-01-05"):
        _must(orderhe(shop, words))
    buyers.unlink()
    shop.change("update sales set price = 8, changed_at = timestamp '2026-01-06' where sale_no = 2")
    for words in ("run '*'", "restore --drill --seed 1"):
        _must(orderhe(shop, words))
    _must(served(shop))
    return Scene(shop, undamaged(shop, root / "undamaged", "run '*'"))


def undamaged(shop: TestShop, folder: Path, words: str) -> dict[str, Any]:
    """What a shop is like after a run of the new row, where nobody has damaged it."""
    same = shop.copy(folder)
    same.change(NEW)
    _must(orderhe(same, words))
    return state(same)


class _At(TestShop):
    """A shop whose settings all stand in the .env of its folder."""

    @property
    def settings(self) -> Any:
        from orderhe_dagster.settings.config import load_settings

        return load_settings({}, self.folder)

    def copy(self, folder: Path) -> TestShop:
        super().copy(folder)
        return _At(folder)


def _must(said: Said) -> None:
    assert not said.failed and not said.broke, (said.words, said.text, said.broke)


def kinds(shop: TestShop) -> dict[str, list[Path]]:
    """The files of each kind, by their paths in the shop's folder. AssertionError: one is of no kind."""
    found: dict[str, list[Path]] = {}
    strangers = []
    for path in sorted(shop.folder.rglob("*")):
        name = path.relative_to(shop.folder).as_posix()
        if not path.is_file() or OF_SQL.fullmatch(name):
            continue
        kind = next((kind for kind, form in KINDS.items() if re.fullmatch(form, name)), None)
        if kind is None:
            strangers.append(name)
        else:
            found.setdefault(kind, []).append(path.relative_to(shop.folder))
    assert not strangers, f"files of no kind: {strangers}"
    return found


@dataclass(frozen=True)
class Outcome:
    """What became of one damaged file: `wrong` says why it is not good, '' where it is."""

    kind: str
    damage: str
    path: str
    verdict: str
    wrong: str = ""


def attempt(scene: Scene, folder: Path, kind: str, path: Path, damage: str, seed: int) -> Outcome:
    """Damage one file of a copy of the scene, do what a person does, and judge."""
    shop = scene.shop.copy(folder)
    shop.change(NEW)
    DAMAGES[damage](shop.folder / path, random.Random(f"{seed} {path} {damage}"))
    damaged = b"" if damage == "removed" else (shop.folder / path).read_bytes()
    first = orderhe(shop, scene.run)
    said = [first]
    wrong = []
    if first.failed and not kind.startswith(WHOLE) and not _has_new_row(shop):
        wrong.append("all days stopped")
    said += scene.look(shop)
    named = [one for one in said if _names(one.text, shop, path)]
    mended = list(_mend(shop, path, said))
    said += mended
    if any(one.failed for one in said):
        if kind == "embedded shop" and not _has_new_row(shop):
            shop.change(NEW)  # no backup had it yet: its own application writes it again
        said.append(orderhe(shop, scene.run))
        again = scene.look(shop)
        failing = [one for one in [said[-1], *again] if one.failed and not _is_of_the_past(one)]
        if failing:
            texts = " // ".join(f"{one.words}: {one.text[-800:]}" for one in failing)
            wrong.append(f"still failing: {texts}")
    broke = [one for one in said if one.broke]
    if broke:
        wrong.insert(0, f"traceback of {broke[0].words}: {broke[0].broke[-1500:]}")
    stopped = any(one.failed for one in said)
    if stopped and not named:
        wrong.append("not named: " + "; ".join(one.text[-600:] for one in said if one.failed))
    if not broke:
        now = state(shop)
        differs = [name for name, value in scene.wanted.items() if now.get(name) != value]
        if differs:
            wrong.append(f"silently wrong: {differs}")
    target = shop.folder / path
    is_damaged = target.exists() and target.read_bytes() == damaged
    is_damaged |= damage == "removed" and not target.exists()
    verdict = "does no harm" if is_damaged else "healed"
    if stopped:
        verdict = "named, and mended as it says"
    elif named:
        verdict = "healed, and told"
    return Outcome(kind, damage, path.as_posix(), verdict, "\n  ".join(wrong))


def _is_of_the_past(said: Said) -> bool:
    """Whether all that a look still finds is an object of a generation that counts no more."""
    if said.words == "restore --check":
        return "1 object of the backups not as written" in said.text and PAST in said.text
    return (
        said.words == "restore --verify latest"
        and "is not the object that was restored" in said.text
    )


PAST = "which counts no more"


def _has_new_row(shop: TestShop) -> bool:
    try:
        return bool(shop.rows("select 1 from warehouse.sales where shop_no = 9"))
    except OrderheError:
        return False


def _names(text: str, shop: TestShop, path: Path) -> bool:
    """Whether a text tells of the file: by its path, or as an object of the store."""
    name = path.as_posix()
    return any(
        one in text
        for one in (str(shop.folder / path), name, name.removeprefix("home/s3/orderhe/"))
    )


def _mend(shop: TestShop, path: Path, said: Sequence[Said]) -> Iterator[Said]:
    """Do what those that failed say: move the file away, run their commands."""
    text = "\n".join(one.text for one in said if one.failed)
    if not text:
        return
    for line in re.findall(r"(?:^|[:;] |`)mv ((?:'[^']*'|\S)+) ((?:'[^']*'|[^\s`;,])+)", text):
        old, new = (Path(shlex.split(one)[0]) for one in line)
        if (shop.folder / old).exists():
            (shop.folder / old).rename(shop.folder / new)
    target = shop.folder / path
    if (
        re.search(r"move (?:it|the object|the file) away|remove it", text, re.IGNORECASE)
        and target.exists()
    ):
        target.rename(shop.folder / "away")
    if path.name == ".env":
        target.write_text(ENV)
    if path.name == "start_date":
        target.write_text("2026-01-01\n")
    for words in dict.fromkeys(_commands(text)):
        yield orderhe(shop, words)


def _commands(text: str) -> Iterator[str]:
    """The commands that a text prints, but those that only look, and those that ask for a choice."""
    for words in re.findall(r"orderhe ((?:'[^']*'|[\w./*=_-]+|[ ](?=[\w'-]))+)", text):
        verb = words.split()[0]
        if verb in ("run", "restore", "quarantine") and "--accept" not in words:
            yield words.strip()


def experiment(
    scene: Scene, root: Path, chosen: Sequence[tuple[str, str]] = (), kind: str = "", seed: int = 1
) -> list[Outcome]:
    """Damage a file of each kind in each way, or just those that are `chosen`."""
    draw = random.Random(seed)
    outcomes = []
    for name, paths in kinds(scene.shop).items():
        for damage in DAMAGES:
            path = draw.choice(paths)
            if (chosen and (name, damage) not in chosen) or not re.search(kind, name):
                continue
            folder = root / f"{len(outcomes):03d}"
            one = attempt(scene, folder, name, path, damage, seed)
            outcomes.append(one)
            print("BAD" if one.wrong else "ok ", name, damage, one.path, one.verdict, flush=True)
            if one.wrong:
                print(f"  {one.wrong}", flush=True)
    return outcomes


def table(outcomes: Sequence[Outcome]) -> str:
    """What became of each kind, as Markdown."""
    rows = []
    for kind in dict.fromkeys(one.kind for one in outcomes):
        cells = {
            one.damage: "BAD" if one.wrong else one.verdict for one in outcomes if one.kind == kind
        }
        rows.append([kind, *(cells.get(damage, "") for damage in DAMAGES)])
    return markdown_table(["kind of file", *DAMAGES], rows)


def main() -> int:
    """Make the shop, damage, print."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--kind", default="", help="Kinds whose name this expression is found in.")
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    for name in [name for name in os.environ if name.startswith(("ORDERHE_", "DAGSTER_"))]:
        del os.environ[name]
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="orderhe-own-files-") as folder:
        root = Path(folder)
        scene = prepare(root)
        outcomes = experiment(scene, root, (), given.kind, given.seed)
    bad = [one for one in outcomes if one.wrong]
    took = time.monotonic() - began
    record_suite("own_files", "damaged files", len(outcomes), len(bad), took, given.seed)
    print(table(outcomes))
    print(
        f"{len(outcomes)} damaged files (seed {given.seed}): {len(outcomes) - len(bad)} as wanted"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
