"""`orderhe plan`: what a run of a selection would do, step by step, and why. Looks: `plan_report`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue, Table
from orderhe_dagster.commands.days import check_over, earlier_first_day, yesterday
from orderhe_dagster.commands.selection import by_day, selected_keys
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Result, Session, Warehouse
from orderhe_dagster.road.audit import UNDEFINED_SCHEMA
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.home import Home, first_day, home_of

if TYPE_CHECKING:
    import dagster as dg

    from orderhe_dagster.assets.policy import Policy
    from orderhe_dagster.commands.rehearsal import Rehearsal
    from orderhe_dagster.road.guards import Rules
    from orderhe_dagster.road.plans import Outlook, Planned, Remembering
    from orderhe_dagster.road.step import Step

_LABEL = "orderhe plan"


@dataclass
class RunPlan:
    """What a run would do. `steps` are in the order in which they would be done; `window`: its days."""

    selection: str
    window: Window | None
    made_at: datetime
    steps: list[Planned] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def stops(self) -> list[Planned]:
        """The steps that would end with an error."""
        return [step for step in self.steps if step.stops]


@dataclass(frozen=True)
class Asked:
    """What a run would be allowed: see `run.launch`."""

    may_be_empty: bool = False
    accept: Collection[str] = ()


def make_plan(
    settings: Settings,
    selection: str,
    window: Window | None = None,
    asked: Asked | None = None,
    *,
    is_quick: bool = False,
) -> RunPlan:
    """Plan a run of `selection` for the days of `window`, which are as `launch` has them.

    Source, store and warehouse are read and nothing of them is changed. What hangs on rows that nobody can
    know yet is rehearsed on a copy, where the warehouse is this machine's and not much is to be read; but
    not where `is_quick`. LaunchError; PortError where one of them cannot be asked.
    """
    from orderhe_dagster.assets.calendar import Calendar
    from orderhe_dagster.assets.policy import Policy
    from orderhe_dagster.definitions import build_definitions
    from orderhe_dagster.resources.build import LINGER_S, build_source, close_idle
    from orderhe_dagster.settings.project import read_catalogue

    settings = _with_first_day(settings, window)
    definitions = build_definitions(settings)
    keys = selected_keys(definitions, selection)
    if not by_day(settings, definitions, keys):
        window = None
    elif window is None:
        window = yesterday(settings)
    plan = RunPlan(selection, window, datetime.now(timezone.utc).replace(microsecond=0))
    assert settings.start_date is not None  # it was settled above
    try:
        with ExitStack() as stack:
            planner = _Planner(
                settings,
                read_catalogue(settings),
                build_source(settings, LINGER_S),
                _store(settings, stack),
                _warehouse(settings, stack),
                Policy.of(settings),
                _tags(asked or Asked()),
                Calendar(settings.start_date, settings.time_zone).history(),
                plan,
            )
            planner.go(definitions, keys)
            if is_quick or not any(step.perhaps for step in plan.steps):
                return plan
            planner.rehearse(definitions)
    finally:
        close_idle()
    return plan


def _with_first_day(settings: Settings, window: Window | None) -> Settings:
    """The settings with the first day that a run would give the shop; nothing is remembered."""
    from orderhe_dagster.intake.first_day import first_day_if_known
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.project import read_catalogue, today, year_ago

    known = first_day(settings)
    if known is None and settings.shop == "external":
        now = today(settings.time_zone)
        known = first_day_if_known(read_catalogue(settings), build_source(settings), now)
    if window is not None:
        check_over(settings, window)
        known = earlier_first_day(settings, known, window) or known
    return replace(settings, start_date=known or year_ago(settings.time_zone))


def _store(settings: Settings, stack: ExitStack) -> Store:
    """The store, read alone: what the run's own functions would write of an index lies aside, and goes."""
    import tempfile

    from orderhe_dagster.resources.build import build_ahead, build_store

    aside = stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhe-plan-"))
    return build_ahead(settings, build_store(settings), Path(aside))


def _warehouse(settings: Settings, stack: ExitStack) -> Warehouse:
    """The warehouse; where its file is not there yet, an empty one that is gone afterwards."""
    import tempfile

    from orderhe_dagster.resources.build import LINGER_S, build_warehouse, close_idle

    if settings.warehouse == "embedded" and not home_of(settings).warehouse.exists():
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="orderhe-plan-")))
        stack.callback(close_idle)
        settings = replace(settings, home=folder)
    return build_warehouse(settings, LINGER_S)


def _tags(asked: Asked) -> dict[str, str]:
    from orderhe_dagster.road.guards import ACCEPT_TAG, MAY_BE_EMPTY_TAG

    return {
        **({MAY_BE_EMPTY_TAG: "true"} if asked.may_be_empty else {}),
        **({ACCEPT_TAG: ",".join(sorted(asked.accept))} if asked.accept else {}),
    }


def _of_an_empty_source(plan: RunPlan, settings: Settings) -> list[str]:
    """What to be told of a source without any row: a run of it would be green all the same."""
    backups = [step for step in plan.steps if step.asset.startswith("backup/")]
    are_empty = [
        step.does and {record.segment for record in step.empty} >= step.does.keys()
        for step in backups
    ]
    if plan.notes or not backups or not all(are_empty):
        return []
    names = ", ".join(step.asset.partition("/")[2] for step in backups)
    database = "ORDERHE_MYSQL_DATABASE" if settings.source == "mysql" else ""
    return [
        f"there is no row in the source yet ({names}): what is made of it will be empty. "
        "To fill it: orderhe import --help"
        + (f"; or is another {database} meant?" if database else "")
    ]


def _key(asset: str) -> dg.AssetKey:
    import dagster as dg

    return dg.AssetKey(asset.split("/"))


class _Planner:
    """Goes through the steps of a run in their order, each on what those before it leave behind."""

    def __init__(
        self,
        settings: Settings,
        catalogue: Catalogue,
        source: Source,
        store: Store,
        warehouse: Warehouse,
        policy: Policy,
        tags: Mapping[str, str],
        history: Window,
        plan: RunPlan,
    ) -> None:
        from orderhe_dagster.road.plans import Outlook, Remembering

        self._settings, self._catalogue = settings, catalogue
        self._source, self._store, self._warehouse = source, store, warehouse
        self._policy, self._tags, self._history, self._plan = policy, tags, history, plan
        self._state: Home = home_of(settings)
        self._outlook: Outlook = Outlook()
        self._memory: dict[str, Result | Exception] = {}
        self._remembering = Remembering

    def go(self, definitions: dg.Definitions, keys: set[dg.AssetKey]) -> None:
        """Plan every step; what hangs on one that stops waits for it."""
        graph = definitions.resolve_asset_graph()
        stopped: dict[dg.AssetKey, str] = {}
        for key in graph.toposorted_asset_keys:
            if key not in keys:
                continue
            held_up = next((stopped[up] for up in graph.get(key).parent_keys if up in stopped), "")
            step = self._planned("/".join(key.path), held_up)
            if step is None:
                continue
            if step.stops or step.waits:
                stopped[key] = step.waits or step.asset
            self._plan.steps.append(step)
        self._plan.notes += _of_an_empty_source(self._plan, self._settings)

    def _planned(self, asset: str, held_up: str) -> Planned | None:
        from orderhe_dagster.road.backups import BackupError
        from orderhe_dagster.road.inputs import BuildError
        from orderhe_dagster.road.loads import LoadError
        from orderhe_dagster.road.plans import Planned
        from orderhe_dagster.road.reshape import DefinitionError

        if held_up:
            return Planned(asset, waits=held_up)
        make = self._maker(asset)
        if make is None:
            return None
        try:
            return make()
        except (BackupError, LoadError, BuildError, DefinitionError) as error:
            return Planned(asset, stops=str(error))

    def _maker(self, asset: str) -> Callable[[], Planned] | None:
        """What plans an asset; None of those that are not of the road: pages, and a team's own."""
        layer, _, name = asset.partition("/")
        tables: dict[str, Table] = {t.name: t for t in self._catalogue.layer("raw")}
        if layer in ("raw", "backup") or (layer == "warehouse" and name in tables):
            ways = {"raw": self._simulation, "backup": self._backup, "warehouse": self._load}
            table = tables.get(name)
            return None if table is None else lambda: ways[layer](table)
        exports = {t.name: t for t in self._catalogue.layer("export")}
        if layer == "export":
            wanted = exports.get(name)
            return None if wanted is None else lambda: self._export(wanted)
        if layer not in ("warehouse", "mart"):
            return None
        model = next((t for t in self._catalogue.tables if t.ref.path == (layer, name)), None)
        return None if model is None else lambda: self._build(model)

    def _step(self, table: Table) -> Step:
        from orderhe_dagster.road.plans import RUN
        from orderhe_dagster.road.step import Step

        return Step(table, self._plan.window if table.partition else None, RUN, self._history)

    def _simulation(self, table: Table) -> Planned:
        """Which days a simulated shop is yet to have: what follows is planned without their rows."""
        from orderhe_dagster.road.plans import Planned

        planned = Planned(f"raw/{table.name}", is_about=True)
        window = self._plan.window
        if not table.partition or window is None:
            return planned
        there = self._source.touches(table, window)
        days = [segment for day in window if (segment := Segment.of(day)) not in there]
        planned.does = dict.fromkeys(days, "has not happened yet in the simulated shop")
        if days:
            text = (
                f"{counted(len(days), 'day')} of the simulated shop happen first: their rows are in no "
                f"figure here. To plan with them: orderhe simulate --from {days[0]} --to {days[-1]}"
            )
            self._plan.notes.append(text)
        return planned

    @cached_property
    def _totals(self) -> dict[str, int]:
        from orderhe_dagster.road import index

        return index.totals(self._store, [one.name for one in self._catalogue.layer("raw")])

    def _backup(self, table: Table) -> Planned:
        from orderhe_dagster.road.plans import plan_backup

        rules: Rules = self._policy.of_source(self._tags)
        share = rules.budget.share(self._totals, table.name)
        return plan_backup(
            self._step(table),
            self._source,
            self._store,
            self._warehouse,
            replace(rules, budget=share),
            self._outlook,
        )

    def _load(self, table: Table) -> Planned:
        from orderhe_dagster.road.plans import plan_load

        with self._session() as session:
            rules = self._policy.of_copies(self._tags)
            return plan_load(self._step(table), self._store, session, rules, self._outlook)

    def _build(self, table: Table) -> Planned:
        from orderhe_dagster.road.plans import plan_build

        with self._session() as session:
            rules = self._policy.of_copies(self._tags)
            planned = plan_build(self._step(table), self._catalogue, session, rules, self._outlook)
            return self._refused(planned, table, session)

    def _export(self, table: Table) -> Planned:
        from orderhe_dagster.road.export_records import record_of
        from orderhe_dagster.road.exports import Export
        from orderhe_dagster.road.plans import plan_export

        size = self._settings.export_max_mb * 1_000_000
        wanted = Export(table, record_of(self._state, table.name), size)
        with self._session() as session:
            identity = self._warehouse.identity
            planned = plan_export(wanted, self._catalogue, identity, session, self._outlook)
            return self._refused(planned, table, session)

    def _refused(self, planned: Planned, table: Table, session: Session) -> Planned:
        """The same, or why nothing is built: a check of what is read has failed, and stands.

        Where the run loads or builds something, checks are judged anew, and nobody knows what comes of it.
        """
        from orderhe_dagster.proof.check_results import FailedCheckError, refuse_failed

        written = (step for step in self._plan.steps if not step.asset.startswith("backup/"))
        if any(step.does or step.perhaps for step in written):
            return planned
        try:
            refuse_failed(session, self._catalogue, table, lambda ref, names: ())
        except FailedCheckError as error:
            planned.does, planned.perhaps, planned.stops = {}, {}, str(error)
        except StatementError as error:
            if error.code not in (UNDEFINED_TABLE, UNDEFINED_SCHEMA):
                raise  # else nothing was ever judged
        return planned

    def rehearse(self, definitions: dg.Definitions) -> None:
        """Find out by doing it, on a copy, what of models and exports is open; not where it is much."""
        from orderhe_dagster.commands.rehearsal import Rehearsal, is_affordable

        if not is_affordable(self._settings, self._plan.steps):
            return
        rehearsal = Rehearsal(
            self._settings, self._catalogue, self._source, self._store, self._policy, self._tags
        )
        open_ = {step.asset: {**step.perhaps} for step in self._plan.steps}
        try:
            self._rehearse(rehearsal, definitions)
        except OSError as error:  # no room for a copy: what is open stays so
            for step in self._plan.steps:
                step.perhaps |= {
                    s: why for s, why in open_[step.asset].items() if s not in step.does
                }
            self._plan.notes.append(f"nothing was rehearsed: {error.strerror or error}")

    def _rehearse(self, rehearsal: Rehearsal, definitions: dg.Definitions) -> None:
        with rehearsal.prepared(self._warehouse.identity):
            stopped: set[str] = set()
            graph = definitions.resolve_asset_graph()
            for step in self._plan.steps:
                ups = graph.get(_key(step.asset)).parent_keys
                step.waits = next((n for up in ups if (n := "/".join(up.path)) in stopped), "")
                if step.stops or step.waits:
                    stopped.add(step.asset)
                    continue
                layer, _, name = step.asset.partition("/")
                rehearsal.go(layer, name, step, self._step)
                if step.stops:
                    stopped.add(step.asset)

    @contextmanager
    def _session(self) -> Iterator[Remembering]:
        """A session for a step, which is asked nothing that another was asked before."""
        with self._warehouse.session(_LABEL, read_only=True) as session:
            yield self._remembering(session, self._memory)
