"""What a team adds in Python or YAML, in `orderhe_dagster/defs`: found, loaded, merged with ours.

Nothing is loaded where nothing was added. What is wrong there is told with the file it is in.
"""

from __future__ import annotations

import importlib
import re
import traceback
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

import dagster as dg

from orderhe_dagster.errors import OrderheError

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Catalogue

PACKAGE = "orderhe_dagster.defs"
"""Where `dg scaffold defs` writes; pyproject.toml says the same."""
_RUN_A_DAY = "varying BackfillPolicies"  # as Dagster warns of it
SUFFIXES = (".py", ".yaml", ".yml")


class OwnDefinitionsError(OrderheError):
    """A file of the team's own definitions is wrong, or takes a name of ours. The text names it."""


def with_own(ours: dg.Definitions, catalogue: Catalogue) -> dg.Definitions:
    """Our definitions and those of `PACKAGE`, which may use our resources. OwnDefinitionsError."""
    package = importlib.import_module(PACKAGE)
    files = own_files(package)
    if not files:
        return ours
    own = _Own(package, files)
    own.refuse_collisions(ours, catalogue)
    return own.merged_with(ours)


def has_own() -> bool:
    """Whether a team has added anything."""
    return bool(own_files(importlib.import_module(PACKAGE)))


def shop_days() -> dg.DailyPartitionsDefinition:
    """The shop's days, which our assets are cut by: for a team's own that go by them too."""
    from orderhe_dagster.assets.calendar import Calendar
    from orderhe_dagster.settings.config import load_settings
    from orderhe_dagster.settings.project import first_day

    settings = load_settings()
    return Calendar(first_day(settings), settings.time_zone).partitions


def own_files(package: ModuleType) -> list[Path]:
    """The files of a package that may define something: Python and YAML, but for its own head."""
    assert package.__file__ is not None
    head = Path(package.__file__)
    return [
        path
        for path in sorted(head.parent.rglob("*"))
        if path.suffix in SUFFIXES
        and path != head
        and not any(part.startswith(".") for part in path.relative_to(head.parent).parts)
    ]


class _Own:
    """The definitions of a package, and which file says what."""

    def __init__(self, package: ModuleType, files: list[Path]) -> None:
        assert package.__file__ is not None
        self.folder, self.files = Path(package.__file__).parent, files
        self.tree = dg.ComponentTree.from_module(package, self.folder.parents[1])
        try:
            # The folder, not the tree's root: there Dagster imports every component that is
            # installed, for a page of the UI, which costs more than all of ours.
            self.definitions = self.tree.build_defs_at_path(self.folder)
        except Exception as error:
            raise OwnDefinitionsError(f"{self._place_of(error)}: {_reason(error)}") from error

    def refuse_collisions(self, ours: dg.Definitions, catalogue: Catalogue) -> None:
        """Raise OwnDefinitionsError where a name is ours already: Dagster says neither where nor whose."""
        taken = set(_names(ours))
        for kind, name in _names(self.definitions):
            if (kind, name) not in taken:
                continue
            file = self._file_of(kind, name)
            if kind == "executor":
                raise OwnDefinitionsError(
                    f"{file} sets the executor of {name}, and so does this shop: give yours to a job of yours"
                )
            raise OwnDefinitionsError(
                f"{file} defines the {kind} {name}, and so does {_owner(kind, name, catalogue)}: "
                "give yours another name"
            )

    def merged_with(self, ours: dg.Definitions) -> dg.Definitions:
        """All that there is. OwnDefinitionsError where theirs do not fit among ours."""
        both = dg.Definitions.merge(
            ours, self.definitions, dg.Definitions(component_tree=self.tree)
        )
        try:
            _put_together(both)
        except dg.DagsterError as error:
            raise OwnDefinitionsError(f"{self._unfit(ours, error)}: {_reason(error)}") from error
        return both

    def _unfit(self, ours: dg.Definitions, error: dg.DagsterError) -> Path:
        """The file that by itself fails among ours in the same way; else the folder."""
        for file, theirs in self._by_file():
            try:
                _put_together(dg.Definitions.merge(ours, theirs))
            except dg.DagsterError as alone:
                if _reason(alone)[:80] == _reason(error)[:80]:  # before it names what else is there
                    return file
        return self.folder

    def _file_of(self, kind: str, name: str) -> Path:
        """The file that defines something; a component is known by what configures it."""
        for file, theirs in self._by_file():
            if (kind, name) in _names(theirs):
                return file
        return self.folder

    def _by_file(self) -> Iterator[tuple[Path, dg.Definitions]]:
        """What each file defines that is a place of the tree; code of a component is none."""
        places = {
            getattr(place, "file_path", None)
            for place, _ in self.tree.find_root_decl().iterate_loc_component_decl_pairs()
        }
        for file in self.files:
            if _component(file) in places - {self.folder}:
                yield file, self.tree.build_defs_at_path(_component(file))

    def _place_of(self, error: BaseException) -> str:
        """Where an error comes from: a file, and its line where Python knows it; else the folder."""
        for cause in _causes(error):
            if isinstance(cause, SyntaxError) and cause.filename:
                return f"{cause.filename}, line {cause.lineno}"
            for frame in reversed(traceback.extract_tb(cause.__traceback__)):
                if Path(frame.filename) in self.files:
                    return f"{frame.filename}, line {frame.lineno}"
            for file in self.files:
                if marked := re.search(rf"{re.escape(str(file))}:(\d+) - ", str(cause)):
                    return f"{file}, line {marked[1]}"
        return str(next(self._failing(), self.folder))

    def _failing(self) -> Iterator[Path]:
        """The files that fail by themselves when they are read, then those that fail when built."""
        for step in (self._read, self._build):
            for file in sorted(self.files, key=lambda path: -len(path.parts)):
                try:
                    step(_component(file))
                except Exception:
                    yield file

    def _read(self, place: Path) -> None:
        from dagster.components.core.decl import build_filesystem_component_decl_from_context
        from dagster.components.core.defs_module import ComponentPath

        context = self.tree.decl_load_context.for_component_loc(ComponentPath.from_path(place))
        build_filesystem_component_decl_from_context(context)

    def _build(self, place: Path) -> None:
        self.tree.build_defs_at_path(place)


def _put_together(definitions: dg.Definitions) -> None:
    """Let Dagster resolve everything, which it keeps: this is no work twice."""
    with warnings.catch_warnings():
        # It would make a run for each day of what is one run for a range.
        warnings.filterwarnings("error", f".*{_RUN_A_DAY}", UserWarning)
        definitions.get_repository_def()


def _component(file: Path) -> Path:
    """What Dagster calls the file's place: a YAML file configures its folder."""
    return file if file.suffix == ".py" else file.parent


def _names(definitions: dg.Definitions) -> Iterator[tuple[str, str]]:
    """What there may be only one of, as kind and name."""
    yield from _asset_names(definitions)
    yield from (("job", job.name) for job in definitions.jobs or ())
    yield from (("schedule", schedule.name) for schedule in definitions.schedules or ())
    yield from (("sensor", sensor.name) for sensor in definitions.sensors or ())
    yield from (("resource", name) for name in definitions.resources or {})
    if definitions.executor is not None:
        yield "executor", "every run"


def _asset_names(definitions: dg.Definitions) -> Iterator[tuple[str, str]]:
    """The assets and their checks, as kind and name."""
    for asset in definitions.assets or ():
        if isinstance(asset, dg.AssetsDefinition):
            yield from (("asset", key.to_user_string()) for key in asset.keys)
            yield from _checks(asset)
        elif isinstance(asset, (dg.AssetSpec, dg.SourceAsset)):
            yield "asset", asset.key.to_user_string()
    for checks in definitions.asset_checks or ():
        yield from _checks(checks)


def _checks(asset: dg.AssetsDefinition) -> Iterator[tuple[str, str]]:
    for key in asset.check_keys:
        yield "check", f"{key.name} of {key.asset_key.to_user_string()}"


def _owner(kind: str, name: str, catalogue: Catalogue) -> str:
    """Whose a name is: a file of the SQL folder where there is one."""
    layer, _, bare = name.rpartition("/")
    for table in catalogue.tables if kind == "asset" else ():
        if table.name == bare and layer in (table.layer, table.read_as.layer, "backup"):
            return f"{table.path} of the SQL folder"
    return "this shop"


def _causes(error: BaseException) -> list[BaseException]:
    """An error and what it came from, the innermost first."""
    causes = [error]
    while (cause := causes[0].__cause__) is not None:
        causes.insert(0, cause)
    return causes


def _reason(error: BaseException) -> str:
    """What went wrong; of a value in YAML what Dagster writes below it, without its own frames."""
    innermost = _causes(error)[0]
    if _RUN_A_DAY in str(innermost):
        return (
            "what is cut by days and in one of our groups has a range of them as one run: give yours "
            "backfill_policy=dg.BackfillPolicy.single_run()"
        )
    marked = re.search(r"^ *\| +\^ (.+)$", str(innermost), re.M)
    return marked[1] if marked else f"{type(innermost).__name__}: {innermost}"
