"""`orderhe prove`: hold every copy of tables and models against one another, and mend what differs.

How a table is proven is in `proof`; what a report looks like, too.
"""

from __future__ import annotations

import logging
import uuid
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import ONE_DAY, Window
from orderhe_dagster.catalog.segments import OUTSIDE, Segment, days_of
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.days import LaunchError, check_over, settle_first_day, whole_days
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.proof.agreement import Difference
    from orderhe_dagster.proof.models import ModelProof
    from orderhe_dagster.proof.report import Repair, Report, TableProof
    from orderhe_dagster.road.extracts import Road

Say = Callable[[str], None]
_FORMS = (".md", ".json")
log = logging.getLogger("orderhe.prove")


def run_prove(
    settings: Settings,
    names: Sequence[str],
    window: Window | None,
    say: Say,
    *,
    repair: bool = False,
    file: Path | None = None,
) -> bool:
    """Prove, say what came of it, mend where that is asked for; whether all agrees in the end.

    LaunchError where a name, the days or the report's file cannot be used: before anything is measured.
    """
    from orderhe_dagster.proof.report import lines, repair_lines

    check_report(file)
    report = prove(settings, names, window)
    for line in lines(report):
        say(line)
    if repair and any(report.differing()):
        report.repair = mend(settings, report)
        for line in repair_lines(report.repair):
            say(line)
    if file is not None:
        write_report(report, file)
        say(f"the report is {file}")
    if report.repair is not None:
        return report.repair.succeeded and not report.repair.left and not report.unproven
    return report.agrees


def prove(settings: Settings, names: Sequence[str] = (), window: Window | None = None) -> Report:
    """Prove tables and models, whatever that costs: all of them where none is named.

    All segments of each, or those of the days of `window`; what has no days is proven whole. A table
    whose backups cannot be read stops no other. BackupError where it is the only one that was named.
    """
    from orderhe_dagster.proof.report import Report
    from orderhe_dagster.settings.project import read_catalogue

    catalogue = read_catalogue(settings)
    tables, models = _chosen(catalogue, names)
    road = _road(settings)
    settle_first_day(settings)
    history = whole_days(settings)
    if window is not None:
        check_over(settings, window)
        if window.start < history.start:
            raise LaunchError(
                f"{window.start} is before {history.start}, the first day of this shop's history: what "
                "came before is proven as `outside`, without --from"
            )
    report = Report(datetime.now(timezone.utc), window)
    report.tables, report.unproven = _prove_tables(tables, window, history, road)
    report.models = _prove_models(catalogue, models, window, road, _settled(report.tables))
    report.remedies = list(_remedies(catalogue, report))
    return report


def _road(settings: Settings) -> Road:
    from orderhe_dagster.resources.build import (
        build_parquet_query,
        build_source,
        build_store,
        build_warehouse,
    )
    from orderhe_dagster.road.extracts import Road
    from orderhe_dagster.settings.home import home_of

    return Road(
        build_source(settings),
        build_store(settings),
        build_warehouse(settings),
        home_of(settings).scratch,
        build_parquet_query(settings),
    )


def _prove_tables(
    tables: Sequence[Table], window: Window | None, history: Window, road: Road
) -> tuple[list[TableProof], dict[str, str]]:
    """Prove raw tables; those that could not be, and why, by their names."""
    from orderhe_dagster.road.backups import BackupError

    proofs, unproven = [], {}
    for table in tables:
        try:
            proofs.append(_prove_table(table, window, history, road))
        except BackupError as error:
            if len(tables) == 1:
                raise
            unproven[table.name] = str(error)
    return proofs, unproven


def _prove_table(
    table: Table,
    window: Window | None,
    history: Window,
    road: Road,
    only: Collection[Segment] = (),
) -> TableProof:
    """Prove a raw table; `only` some of its segments, where any are named."""
    from orderhe_dagster.proof import agreement
    from orderhe_dagster.proof.ages import ages
    from orderhe_dagster.proof.differing_rows import name_rows
    from orderhe_dagster.proof.report import TableProof
    from orderhe_dagster.road.guards import check_index, check_server, taken_over
    from orderhe_dagster.road.step import Step

    days = (window or history) if table.partition else None
    step = Step(table, days, f"prove-{uuid.uuid4()}", history)
    known = taken_over(step, road.store, road.warehouse)
    check_index(step, known, road.store, road.warehouse)
    check_server(step, known, road.source)
    segments = only or (step.segments if window else step.cut)
    found = agreement.prove(step, segments, road.source, road.store, road.warehouse)
    if found.differences:
        name_rows(step, found, road)
    log.info(
        "%s: %s looked at%s",
        table.name,
        counted(len(segments), "segment"),
        _so_far(found.differences),
    )
    return TableProof(table, found, ages(step, road.store, road.warehouse))


def _settled(tables: Iterable[TableProof]) -> set[str]:
    """The tables that the warehouse holds as they were loaded: what stands on them can be computed again."""
    return {
        str(one.table.read_as)
        for one in tables
        if not any(difference.copy != "source" for difference in one.differences)
    }


def _prove_models(
    catalogue: Catalogue,
    models: Sequence[Table],
    window: Window | None,
    road: Road,
    settled: set[str],
) -> list[ModelProof]:
    """Prove models, upstream first; those without a difference are settled for the next."""
    from orderhe_dagster.proof.models import prove_model

    proofs = []
    for table in models:
        proof = prove_model(catalogue, table, window, road.warehouse, settled)
        log.info(
            "%s: %s looked at%s",
            proof.asset,
            counted(proof.segments, "segment"),
            _so_far(proof.differences),
        )
        if proof.computed_again and proof.agrees:
            settled = {*settled, str(table.ref)}
        proofs.append(proof)
    return proofs


def _so_far(differences: Sequence[Difference]) -> str:
    return f", {counted(len(differences), 'difference')}" if differences else ""


# Names -------------------------------------------------------------------------------------------


def _chosen(catalogue: Catalogue, names: Sequence[str]) -> tuple[list[Table], list[Table]]:
    """The raw tables and the models that these names are of, in the catalogue's order."""
    raw = catalogue.layer("raw")
    models = (*catalogue.layer("warehouse"), *catalogue.layer("mart"))
    if not names:
        return [*raw], [*models]
    called: dict[str, list[Table]] = {}
    for table in raw:
        for layer in ("raw", "backup", "warehouse"):
            called.setdefault(f"{layer}/{table.name}", []).append(table)
        called.setdefault(table.name, []).append(table)
    for table in models:
        called.setdefault(f"{table.layer}/{table.name}", []).append(table)
        called.setdefault(table.name, []).append(table)
    wanted = {id(_called(catalogue, name, called)) for name in names}
    return [t for t in raw if id(t) in wanted], [t for t in models if id(t) in wanted]


def _called(catalogue: Catalogue, name: str, called: dict[str, list[Table]]) -> Table:
    import difflib

    there = called.get(name) or called.get(name.replace(".", "/", 1), [])
    if len(there) == 1:
        return there[0]
    if there:
        both = " and ".join(f"{table.layer}/{table.name}" for table in there)
        raise LaunchError(f"{name} is {both}: name one of them with its layer")
    exports = {f"export/{table.name}" for table in catalogue.layer("export")}
    if name in exports:
        raise LaunchError(
            f"{name} is made anew from its marts by every run and has no proof of its own; prove "
            + ", ".join(f"{ref.layer}/{ref.name}" for ref in _export(catalogue, name).depends_on)
        )
    near = difflib.get_close_matches(name, sorted(called), n=3)
    known = sorted({f"{t.layer}/{t.name}" for tables in called.values() for t in tables})
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(known)}"
    raise LaunchError(f"there is no table or model {name!r}; {hint}")


def _export(catalogue: Catalogue, name: str) -> Table:
    bare = name.rpartition("/")[2]
    return next(table for table in catalogue.layer("export") if table.name == bare)


# What to do --------------------------------------------------------------------------------------


def _remedies(catalogue: Catalogue, report: Report) -> Iterable[str]:
    """What to do about differences, as commands that work when they are pasted."""
    from orderhe_dagster.road.inputs import stands_on

    segments = [difference.segment for _, difference in report.differing()]
    if not segments:
        return
    # What only computing again shows, does so only beside the proof of all that it is built from.
    others = [one.table for one in report.models if one.was_built_of_others]
    names = [
        proof.asset
        for proof in report.proofs
        if proof.differences
        or any(stands_on(catalogue, table.ref, proof.table.read_as) for table in others)
    ]
    days = sorted(days_of(segments))
    is_whole = OUTSIDE in segments or not days or any(not table.partition for table in others)
    span = "" if is_whole else f" --from {days[0]} --to {days[-1]}"
    command = f"orderhe prove {' '.join(names)}{span} --repair"
    if all(difference.severity == "stale" for _, difference in report.differing()):
        yield f"All of it is stale: the next daily run brings it. At once: {command}"
    else:
        yield f"To mend it, and what is built from it: {command}"


def mend(settings: Settings, report: Report) -> Repair:
    """Bring again what differs, and what follows from it, in one run; prove it again, note what was done.

    Days from the first that differs to the last are asked for. Where whole tables or what lies outside
    of the days differ, the run proves every segment of those tables besides.
    """
    from orderhe_dagster.commands.run import launch
    from orderhe_dagster.proof.report import Repair

    differing = [difference.segment for _, difference in report.differing()]
    days = sorted(days_of(differing))
    _note_other_inputs(settings, report)
    outcome = launch(
        settings,
        selection_of(report),
        Window(days[0], days[-1] + ONE_DAY) if days else last_loaded(settings),
        prove_all=any(segment.day is None for segment in differing),
    )
    again = _prove_again(settings, report)
    left = {(name, str(one.segment)) for name, one in again}
    before = [(name, str(one.segment), one.severity) for name, one in report.differing()]
    mended = sorted({one for one in before if one[:2] not in left})
    _note_mended(settings, report, mended, outcome.run_id)
    still = sorted({(name, str(one.segment), str(one.severity)) for name, one in again})
    return Repair(outcome.run_id, outcome.succeeded, outcome.lines(), mended, still)


def _note_other_inputs(settings: Settings, report: Report) -> None:
    """Have the segments built again that are as they were built, but of rows which were altered then."""
    from orderhe_dagster.resources.build import build_warehouse
    from orderhe_dagster.road import audit

    wrong = {
        str(model.table.ref): [one.segment for one in model.of_other_rows]
        for model in report.models
        if model.was_built_of_others
    }
    if not wrong:
        return
    with build_warehouse(settings).session("models of altered rows") as session:
        for name, segments in wrong.items():
            audit.note_other_inputs(session, name, segments)


def last_loaded(settings: Settings) -> Window | None:
    """The last day that the warehouse holds of every table with days; None where there is none.

    A repair of what has no days may have models by day after it: they are asked for that one.
    """
    from orderhe_dagster.resources.build import build_warehouse
    from orderhe_dagster.road import audit
    from orderhe_dagster.settings.project import read_catalogue

    cut = [str(t.read_as) for t in read_catalogue(settings).layer("raw") if t.partition]
    if not cut:
        return None
    with build_warehouse(settings).session("the last day that is loaded") as session:
        audit.prepare(session)
        held = audit.read(session, cut).values()
    common = set[date].intersection(*(set(days_of(segments)) for segments in held))
    return Window.of(max(common)) if common else None


def selection_of(report: Report) -> str:
    """The assets that a repair brings again: of what differs, and all that follow from them."""
    tables = [one.table.name for one in report.tables if one.differences]
    keys = [f'key:"{layer}/{name}"+' for name in tables for layer in ("backup", "warehouse")]
    keys += [f'key:"{one.asset}"+' for one in report.models if one.differences]
    return ",".join(keys)


def _prove_again(settings: Settings, report: Report) -> list[tuple[str, Difference]]:
    """What differs still: of the segments that did, and of the models that stand on their tables."""
    from orderhe_dagster.road.inputs import stands_on
    from orderhe_dagster.settings.project import read_catalogue

    catalogue, road, history = read_catalogue(settings), _road(settings), whole_days(settings)
    tables: list[TableProof] = []
    for one in report.tables:
        segments = sorted({difference.segment for difference in one.differences})
        again = _prove_table(one.table, None, history, road, segments) if segments else one
        tables.append(again)
    mended = [one.table.read_as for one in report.proofs if one.differences]
    models = [
        table
        for table in (*catalogue.layer("warehouse"), *catalogue.layer("mart"))
        if table.ref in mended or any(stands_on(catalogue, table.ref, ref) for ref in mended)
    ]
    settled = _settled(tables) | {
        str(one.table.ref)
        for one in report.models
        if one.computed_again and one.agrees and one.table not in models
    }
    proofs: list[TableProof | ModelProof] = [*tables]
    proofs += _prove_models(catalogue, models, report.window, road, settled)
    return [(one.asset, difference) for one in proofs for difference in one.differences]


def _note_mended(
    settings: Settings, report: Report, mended: Sequence[tuple[str, str, str]], run_id: str
) -> None:
    """Keep in the ledger what differed and was mended, but for what the run has noted itself."""
    from orderhe_dagster.resources.build import build_warehouse
    from orderhe_dagster.road import audit

    with build_warehouse(settings).session("note what was mended") as session:
        noted = session.execute(
            f"select table_name, segment from {audit.FINDINGS} where run_id = {audit.literal(run_id)}"
        )
        by_run = {tuple(row) for row in noted.rows}
        for proof in report.proofs:
            ref = proof.table.read_as
            names = {str(ref), f"backup.{ref.name}"} if proof.table.layer == "raw" else {str(ref)}
            rows = [
                (one.segment, one.severity, "; ".join([one.text, *one.sentences(5)]))
                for one in proof.differences
                if (proof.asset, str(one.segment), one.severity) in mended
                and not any((name, str(one.segment)) in by_run for name in names)
            ]
            audit.note_findings(session, str(proof.table.read_as), rows, run_id)


# The report's file -------------------------------------------------------------------------------


def check_report(file: Path | None) -> None:
    """See that a report can be written there. LaunchError."""
    if file is None:
        return
    if file.suffix not in _FORMS:
        raise LaunchError(
            f"the report {file} would be of no form that there is: let its name end in "
            f"{' (for people) or '.join(_FORMS)} (for programs)"
        )
    if not file.absolute().parent.is_dir():
        raise LaunchError(f"there is no folder {file.absolute().parent} for the report; make it")


def write_report(report: Report, file: Path) -> None:
    """Write the report, whole or not at all."""
    import os

    from orderhe_dagster.proof.report import encoded, markdown

    body = encoded(report) if file.suffix == ".json" else markdown(report)
    aside = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        aside.write_text(body, "utf-8")
        aside.replace(file)
    finally:
        aside.unlink(missing_ok=True)
