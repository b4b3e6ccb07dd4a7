"""A run rehearsed on a copy of this machine's warehouse: what a plan cannot know by looking. Nothing is kept.

Which rows a load changes in which column, and whether a mart that is built again comes out as it was, is told
by doing it. So the run's own functions do it, in a scratch folder, of what the plan has found to be due.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.errors import OrderheError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.proof.judgement import Judge
from orderhe_dagster.proof.staging import Stage
from orderhe_dagster.resources.build import build_parquet_query, build_rehearsal, close_idle
from orderhe_dagster.road import audit, index, loads
from orderhe_dagster.road.builds import build
from orderhe_dagster.road.export_records import record_of
from orderhe_dagster.road.exports import Export, content_of
from orderhe_dagster.road.extracts import Road, back_up
from orderhe_dagster.road.index import Change
from orderhe_dagster.road.plans import MOST_MEASURED, RUN, Planned
from orderhe_dagster.road.step import Step
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.home import home_of
from orderhe_dagster.settings.scratch import scratch_folder

if TYPE_CHECKING:
    from orderhe_dagster.assets.policy import Policy

MOST_BYTES = 4_000_000_000
"""A larger file is not copied for a plan."""


def is_affordable(settings: Settings, steps: Sequence[Planned]) -> bool:
    """Whether the warehouse is a file of this machine, and neither it nor what is to be read is much."""
    if settings.warehouse != "embedded":
        return False
    rows = sum(step.rows for step in steps if step.asset.startswith("backup/"))
    file = home_of(settings).warehouse
    return rows <= MOST_MEASURED and file.exists() and file.stat().st_size <= MOST_BYTES


class Rehearsal:
    """The systems as the run leaves them, step by step."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        source: Source,
        store: Store,
        policy: Policy,
        tags: Mapping[str, str],
    ) -> None:
        self._settings, self._catalogue = settings, catalogue
        self._source, self._real, self._policy, self._tags = source, store, policy, tags
        self._scratch = home_of(settings).scratch
        self._identity = ""
        self._road: Road

    @contextmanager
    def prepared(self, identity: str) -> Iterator[None]:
        """Copy what is to be worked on; `identity` is the real warehouse's, which exports name."""
        self._identity = identity
        with scratch_folder(self._scratch, label="orderhe plan") as folder:
            store, warehouse = build_rehearsal(self._settings, self._real, folder)
            query = build_parquet_query(self._settings)
            self._road = Road(self._source, store, warehouse, folder / "work", query)
            try:
                yield
            finally:
                close_idle()

    def go(self, layer: str, name: str, planned: Planned, step_of: Callable[[Table], Step]) -> None:
        """Do one step, and note in `planned` what it came to."""
        tables = {table.ref.path: table for table in self._catalogue.tables}
        raw = tables.get(("raw", name))
        try:
            if layer == "backup" and raw is not None:
                self._back_up(planned, step_of(raw))
            elif layer == "warehouse" and raw is not None:
                self._load(planned, step_of(raw))
            elif layer == "export":
                self._export(planned, tables[(layer, name)], step_of(tables[(layer, name)]))
            elif layer in ("warehouse", "mart"):
                self._build(planned, step_of(tables[(layer, name)]))
        except OrderheError as error:
            planned.stops = str(error)
            planned.does, planned.perhaps = {}, {}

    def _back_up(self, planned: Planned, step: Step) -> None:
        """Bring what gets a generation, and nothing else: the plan has looked at all of it already."""
        if planned.empty:
            index.commit(self._road.store, step.table.name, Change(fresh=planned.empty))
        if not planned.new:
            return
        rules = self._policy.of_source(self._tags)
        new = replace(step, chosen=tuple(sorted(planned.new)))
        done = back_up(new, self._road, rules)
        records = [done.records[segment] for segment in planned.new]
        planned.new = {s for s in planned.new & done.written if done.records[s].generation}
        planned.files = sum(len(record.parts) for record in records)
        planned.size = sum(part.size for record in records for part in record.parts)

    def _load(self, planned: Planned, step: Step) -> None:
        if not planned.does:
            return
        rules = self._policy.of_copies(self._tags)
        judge = Stage(self._catalogue, step.run_id)
        loads.load(step, self._road.store, self._road.warehouse, rules, judge)
        held = self._held([f"warehouse.{step.table.name}"])[f"warehouse.{step.table.name}"]
        brought = {segment: one.rows for segment, one in held.items() if one.run_id == RUN}
        planned.does = _kept(planned, brought)
        planned.rows = sum(brought.values())

    def _build(self, planned: Planned, step: Step) -> None:
        judge = Judge(self._catalogue, step.history, self._source, self._road.store, step.run_id)
        passed = partial(judge.require_passed, table=step.table)
        rules = self._policy.of_copies(self._tags)
        built = build(step, self._catalogue, self._road.warehouse, passed, rules)
        planned.does, planned.perhaps = _kept(planned, built.rows), {}
        planned.rows, planned.is_about = built.total, False

    def _export(self, planned: Planned, table: Table, step: Step) -> None:
        judge = Judge(self._catalogue, step.history, self._source, self._road.store, step.run_id)
        judge.require_passed_of(self._road.warehouse, table, planned.asset)
        record = record_of(home_of(self._settings), table.name)
        wanted = Export(table, record, self._settings.export_max_mb * 1_000_000)
        held = self._held(sorted(map(str, table.depends_on)))
        there, content = record.there(), content_of(wanted, self._identity, held)
        is_kept = there is not None and content is not None and content == there.content
        planned.does, planned.perhaps = ({} if is_kept else _kept(planned, [Segment("all")])), {}

    def _held(self, names: Sequence[str]) -> dict[str, dict[Segment, audit.Loaded]]:
        with self._road.warehouse.session("orderhe plan", read_only=True) as session:
            return audit.read(session, names)


def _kept(planned: Planned, segments: Iterable[Segment]) -> dict[Segment, str]:
    """The segments that it came to, each with why."""
    why = {
        segment: text.removeprefix("if ")
        for segment, text in (planned.perhaps | planned.does).items()
    }
    return {segment: why.get(segment, "what it reads will be new") for segment in sorted(segments)}
