"""`orderhe doctor`: the whole road walked, every wall named with its cure. What is checked is `doctor`'s."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.doctor.explain import of_name
from orderhe_dagster.doctor.home_road import History, home_road
from orderhe_dagster.doctor.mysql_road import local_source_road, mysql_road
from orderhe_dagster.doctor.probe import Probe
from orderhe_dagster.doctor.store_road import store_road, unmade_store_road
from orderhe_dagster.doctor.walk import Found, Outcome, Road, ok, skipped
from orderhe_dagster.doctor.warehouse_road import local_road, warehouse_road
from orderhe_dagster.errors import OrderheError, counted
from orderhe_dagster.settings.config import PREFIX, Settings, SettingsError, load_settings
from orderhe_dagster.settings.home import home_of, use_home

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Table
    from orderhe_dagster.ports.cloud import Cloud

_PATIENCE_S, _STATEMENT_S = 10, 60
Say = Callable[[str], None]
_MARKS = {
    "ok": "ok",
    "failed": "FAILED",
    "unknown": "unknown",
    "skipped": "-",
    "not asked": "not asked",
}


@dataclass(frozen=True)
class Asked:
    """What a person asks for: statements to Redshift, JSON, mending (after `agree` says yes).

    `note` is told what is looked at: a place that does not answer is waited for.
    """

    sql: bool = False
    as_json: bool = False
    fix: bool = False
    agree: Callable[[str], bool] = lambda _: False
    note: Say = lambda _: None


def run_doctor(
    asked: Asked, say: Say, *, cloud: Cloud | None = None, probe: Probe | None = None
) -> bool:
    """Walk the road and say what was found; whether nothing failed. `cloud`, `probe`: not the real ones."""
    outcomes: list[Outcome] = []
    try:
        settings = load_settings()
    except SettingsError as error:
        outcomes = list(_of_settings(error))
    else:
        outcomes = list(walk(settings, asked.sql, cloud, probe, asked.note))
    if asked.fix:
        outcomes = _mended(outcomes, asked.agree, say if not asked.as_json else lambda _: None)
    if asked.as_json:
        say(json.dumps([outcome.record() for outcome in outcomes], ensure_ascii=False, indent=2))
    else:
        for line in report(outcomes):
            say(line)
    return not any(outcome.found.status == "failed" for outcome in outcomes)


def walk(
    settings: Settings,
    asks: bool,
    cloud: Cloud | None = None,
    probe: Probe | None = None,
    note: Say = lambda _: None,
) -> Iterator[Outcome]:
    """Every check of every road; what one comes to keeps none of another road from being looked at."""
    from orderhe_dagster.resources.build import build_cloud

    logging.getLogger("botocore").setLevel(logging.ERROR)
    yield Outcome("settings", "settings", ok(_switches(settings)))
    tables, marts, problem = _catalogue(settings)
    if problem:
        yield Outcome("settings", "sql", Found("failed", problem))
    for road in _roads(settings, tables, marts, cloud or build_cloud(), probe or Probe(), asks):
        note(f"looking at {road.name} …")
        yield from road.walk()


def _of_settings(error: SettingsError) -> Iterator[Outcome]:
    """Each wrong setting in a row of its own, and what mends all of them; there is no road without them."""
    names = [problem.split()[0].rstrip(":") for problem in error.problems]
    lines = "\n".join(dict.fromkeys(f"{name}=<…>" for name in names if name.startswith(PREFIX)))
    many = f"{counted(len(names), 'setting')} above: without them there is no road"
    facts = {"problem": many, "lines": lines or "<NAME>=<value>"}
    for number, (name, problem) in enumerate(zip(names, error.problems, strict=True), 1):
        why = (of_name("settings-wrong", facts),) if number == len(names) else ()
        yield Outcome("settings", name, Found("failed", problem, why))
    yield Outcome("settings", "the road", skipped("the settings come first"))


def _switches(settings: Settings) -> str:
    return f"source {settings.source}, store {settings.store}, warehouse {settings.warehouse}"


def _catalogue(settings: Settings) -> tuple[Sequence[Table], Sequence[Table], str]:
    """Raw tables and marts; what is wrong with the SQL, if something is."""
    from orderhe_dagster.catalog.errors import CatalogueError
    from orderhe_dagster.settings.project import read_catalogue

    try:
        # A look makes no state folder: there is a cache where a command that keeps something was run.
        catalogue = read_catalogue(settings, cached=home_of(settings).folder.is_dir())
    except (CatalogueError, OrderheError) as error:
        return (), (), str(error)
    return catalogue.layer("raw"), catalogue.layer("mart"), ""


def _roads(
    settings: Settings,
    tables: Sequence[Table],
    marts: Sequence[Table],
    cloud: Cloud,
    probe: Probe,
    asks: bool,
) -> Iterator[Road]:
    from orderhe_dagster.resources.build import build_source, build_store, build_warehouse

    settings = _impatient(settings)
    home, source = home_of(settings), build_source(settings)
    if settings.source == "mysql":
        yield mysql_road(settings.mysql, source, tables, cloud, probe)
    else:
        yield local_source_road(source, home.shop, tables)
    store, warehouse = build_store(settings), build_warehouse(settings)
    if settings.store == "folder" and not home.store.exists():
        yield unmade_store_road()
    else:
        yield store_road(settings.s3, store, cloud, is_s3=settings.store == "s3")
    if settings.warehouse == "embedded":
        yield local_road(warehouse, home.warehouse, marts)
    else:
        yield warehouse_road(settings, store, warehouse, marts, cloud, probe, asks=asks)
    yield home_road(
        home,
        Path.cwd() / ".env",
        cache(lambda: _history(settings, tables)),
        runs_by_itself=settings.shop == "external",
    )


def _impatient(settings: Settings) -> Settings:
    """The same settings, but that nothing is waited for as long as a run would wait."""
    s3, mysql, redshift = settings.s3, settings.mysql, settings.redshift
    return replace(
        settings,
        s3=replace(
            s3,
            connect_timeout=min(s3.connect_timeout, _PATIENCE_S),
            read_timeout=min(s3.read_timeout, _PATIENCE_S),
            timeout=min(s3.timeout, 2 * _PATIENCE_S),
        ),
        mysql=replace(mysql, read_timeout=min(mysql.read_timeout, _STATEMENT_S)),
        redshift=replace(redshift, statement_timeout=min(redshift.statement_timeout, _STATEMENT_S)),
        lock_timeout=min(settings.lock_timeout, _STATEMENT_S),
    )


def _history(settings: Settings, tables: Sequence[Table]) -> History:
    """What Dagster knows; its import takes a second or two, so it comes last."""
    import dagster as dg
    from dagster._core.definitions.run_request import InstigatorType
    from dagster._core.scheduler.instigation import InstigatorStatus
    from sqlalchemy.exc import SQLAlchemyError

    try:
        use_home(settings)
        with dg.DagsterInstance.get() as instance:
            states = instance.all_instigator_state(instigator_type=InstigatorType.SCHEDULE)
            schedules = {"daily_schedule": False} | {
                state.instigator_name: state.status == InstigatorStatus.RUNNING for state in states
            }
            made: dict[str, datetime | None] = {}
            for table in tables:
                key = dg.AssetKey(["backup", table.name])
                event = instance.get_latest_materialization_event(key)
                moment = datetime.fromtimestamp(event.timestamp, timezone.utc) if event else None
                made[f"backup/{table.name}"] = moment
            return History(schedules, made)
    except (dg.DagsterError, OrderheError, OSError, SQLAlchemyError) as error:
        words = next(iter(str(error).splitlines()), type(error).__name__)
        return History(error=f"Dagster's history could not be asked: {words}")


# -- what a person reads ----------------------------------------------------------------------------


def report(outcomes: Sequence[Outcome]) -> Iterator[str]:
    """The table, then every failure with its cause and cure, then a line that sums up."""
    from orderhe_dagster.rendering.printing import table

    rows = [
        (one.road, one.check, _MARKS[one.found.status], _short(one.found.text))
        for one in outcomes
        if not (one.found.status == "skipped" and one.check.endswith("(AWS)"))
    ]
    yield table(("road", "check", "", "what was found"), rows)
    told: set[str] = set()
    for one in outcomes:
        whole = _short(one.found.text) == one.found.text and not one.found.explanations
        if one.found.status != "failed" or whole:
            continue
        yield ""
        yield f"{one.road}, {one.check}: {one.found.text}"
        for why in one.found.explanations:
            text = why.text()
            if text in told:
                yield f"  {why.title}: as above"
                continue
            told.add(text)
            yield f"  {why.title}"
            yield from (f"    {line}" for line in why.lines())
    yield ""
    yield _sum(outcomes)


def _short(text: str) -> str:
    line = text.split("\n", 1)[0]
    return line if len(line) <= 90 else line[:89] + "…"


def _sum(outcomes: Sequence[Outcome]) -> str:
    counts = dict.fromkeys(_MARKS, 0)
    for one in outcomes:
        counts[one.found.status] += 1
    parts = [f"{counts['ok']} ok", f"{counts['failed']} failed"]
    parts += [f"{number} {status}" for status, number in list(counts.items())[2:] if number]
    if not counts["failed"]:
        unseen = counts["unknown"] + counts["not asked"]
        word = "No wall was met" if unseen else "The road is passable"
        return f"{word}: {', '.join(parts)}."
    return f"{counted(counts['failed'], 'wall')} on the road: {', '.join(parts)}."


def _mended(outcomes: Sequence[Outcome], agree: Callable[[str], bool], say: Say) -> list[Outcome]:
    """The outcomes, those of files and modes mended where that was agreed to."""
    mended: list[Outcome] = []
    for one in outcomes:
        mends = one.found.mends
        if mends is None or not agree(one.found.will):
            mended.append(one)
            continue
        try:
            mends()
        except OSError as error:
            problem = f"{one.found.will} failed: {error.strerror or error}"
            mended.append(Outcome(one.road, one.check, Found("failed", problem)))
            continue
        say(f"mended: {one.found.will}")
        mended.append(Outcome(one.road, one.check, ok(f"mended: {one.found.will}")))
    return mended
