"""What a model is built from, as fingerprints: which days lag behind, and whether a table does at all.

The build itself is in `builds`; what the warehouse says it holds is read by `audit`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from orderhe_dagster.catalog.segments import WHOLE, Segment
from orderhe_dagster.catalog.table import Catalogue, Table, TableRef
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.warehouse import Session
from orderhe_dagster.road import audit, parents
from orderhe_dagster.road.audit import Loaded
from orderhe_dagster.road.column_versions import ColumnVersions
from orderhe_dagster.road.load_sql import PUT_ASIDE
from orderhe_dagster.road.parents import Coming, Known, digest
from orderhe_dagster.road.remedies import again_command, all_command


class BuildError(PortError):
    """A model cannot be built. Names the table and the next action."""


def missing(table: Table, message: str, segments: Iterable[Segment] = ()) -> BuildError:
    """That something a model or export is made from is not there, and the command that makes all of it."""
    needs = ", ".join(f"{ref.layer}/{ref.name}" for ref in table.depends_on)
    return BuildError(
        f"{message}. {table.layer}/{table.name} is built from {needs}; with all that it needs: "
        f"{all_command(table.layer, table.name, segments)}"
    )


class Inputs:
    """The fingerprints of what each day of a model is built from.

    An upstream without days counts by the columns that the select reads: its next snapshot mostly
    differs elsewhere, and nothing is built again for that. For a model with days only the days count
    that its changed rows reach (`parents`). The audit, `held`, was read before: whoever finds it
    unchanged later knows that the rows are, too.

    `coming`: the tables without days that will have been written by the time that is asked about. Of them
    nothing is read: the rows are not there yet.
    """

    def __init__(
        self,
        session: Session,
        catalogue: Catalogue,
        table: Table,
        held: Mapping[str, Mapping[Segment, Loaded]],
        coming: Mapping[TableRef, Coming] | None = None,
    ) -> None:
        self._session, self._catalogue = session, catalogue
        self._table, self._held, self._coming = table, held, coming or {}
        self._select = table.without_comments
        self._daily = {
            str(ref): bool(catalogue.get(ref).partition and table.partition)
            for ref in table.depends_on
        }
        self.days = _common_days([held[name] for name, daily in self._daily.items() if daily])
        self._loaded = {
            str(ref): parents.columns_read(table, ref)
            for ref in table.depends_on
            if catalogue.get(ref).layer == "raw"
        }
        self._whole = {  # an upstream read as a whole counts with all its segments
            name: digest(f"{s}={self._content(name, row)}" for s, row in sorted(held[name].items()))
            for name, daily in self._daily.items()
            if not daily
        }
        self.before = parents.known_before(session, table)
        self.parents = {
            ref: self._coming[ref].known(self._whole[str(ref)], self.before.get(str(ref)))
            if ref in self._coming
            else parents.known_now(
                session,
                catalogue.get(ref),
                parents.columns_read(table, ref),
                self._whole[str(ref)],
                self.before.get(str(ref)),
            )
            for ref in table.depends_on
            if catalogue.get(ref).partition is None and held[str(ref)]
        }
        self._reached: set[Segment] = set()
        self._follow(self.parents)

    def look_closely(self) -> None:
        """Read the parents as they are, whatever their versions: a build must know what it reads."""
        moved = {}
        for ref, now in self.parents.items():
            if now is self.before.get(str(ref)) and ref not in self._coming:
                again = parents.read_again(
                    self._session,
                    self._catalogue.get(ref),
                    parents.columns_read(self._table, ref),
                    now,
                )
                if again != now:
                    moved[ref] = again
        self.parents |= moved
        self._follow(moved)

    def _follow(self, moved: Mapping[TableRef, Known]) -> None:
        """Take in what these parents are now."""
        for ref, now in moved.items():
            before = self.before.get(str(ref))
            if not self._table.partition:
                self._whole[str(ref)] = now.content
            elif before is None or before.content != now.content:
                days = self._reached_by(ref, before) if before else None
                self._reached |= self.days if days is None else self.days & {*days}
        if self._table.partition:
            self._whole = {}

    def _reached_by(self, ref: TableRef, before: Known) -> Collection[Segment] | None:
        if ref in self._coming:
            return self._coming[ref].days
        return parents.reached_days(self._session, self._catalogue, self._table, ref, before)

    @property
    def daily_upstreams(self) -> list[str]:
        """The tables that are read by day, as SQL calls them."""
        return [name for name, daily in self._daily.items() if daily]

    def of(self, segment: Segment) -> str:
        """The fingerprint of one segment's inputs, the select's own text included, but no comments."""
        return self._of(segment, self._select)

    def _of(self, segment: Segment, select: str) -> str:
        versions = []
        for name, daily in sorted(self._daily.items()):
            row = self._held[name].get(segment) if daily else None
            content = self._content(name, row) if row else self._whole.get(name, "")
            versions.append(f"{name}={content}")
        return digest([select, *versions])

    def _content(self, name: str, row: Loaded) -> str:
        """What the warehouse holds of a segment, of a loaded table by the columns that are read.

        Rows that were altered and put right count as others.
        """
        if name not in self._loaded or row.version.startswith(PUT_ASIDE):
            return row.version
        known = ColumnVersions.of(row.column_versions, row.version)
        return f"{known.seen_by(self._loaded[name])}@{row.inputs}"

    def changed(self, segment: Segment) -> bool:
        """Whether the segment was never built, or from other inputs than there are now."""
        built = self._held[str(self._table.ref)].get(segment)
        if built is None or segment in self._reached:
            return True
        # Earlier versions took the file with its comments.
        by_file = self._table.code_version
        return built.inputs not in (self.of(segment), self._of(segment, by_file))

    def require_ready(self, segments: Collection[Segment]) -> None:
        """Raise BuildError where an upstream lacks a day, or is known not to agree with its source."""
        for name, daily in sorted(self._daily.items()):
            asset = name.replace(".", "/")
            if not self._held[name] and segments:
                raise missing(self._table, f"{asset} was never materialized", segments)
            wanted = segments if daily else list(self._held[name])
            absent = sorted(segment for segment in wanted if segment not in self._held[name])
            if absent:
                raise BuildError(
                    f"{self._table.ref} needs {asset} of "
                    f"{counted(len(absent), 'day that was', 'days that were')} never loaded, the first "
                    f"{absent[0]}. With all that it needs: "
                    f"{all_command(self._table.layer, self._table.name, absent)}"
                )
            disputed = sorted(
                segment
                for segment in wanted
                if self._held[name][segment].version.startswith(audit.DISPUTED)
            )
            if disputed:
                raise BuildError(
                    f"{asset} was found not to agree with its source on "
                    f"{counted(len(disputed), 'day')}, the first {disputed[0]}. "
                    f"Back it up and load it again, and see its checks: "
                    f"{again_command(name.partition('.')[2], disputed)}"
                )


def _common_days(upstreams: Sequence[Mapping[Segment, Loaded]]) -> set[Segment]:
    """The days that every daily upstream has."""
    if not upstreams:
        return set()
    common = set.intersection(*(set(segments) for segments in upstreams))
    return {segment for segment in common if segment.day is not None}


def lagging(session: Session, catalogue: Catalogue, refs: Iterable[TableRef]) -> list[TableRef]:
    """Of these tables, the models that do not stand on what the warehouse holds now, or were never built.

    A model that lags makes all that is built from it lag. Loaded tables never do.
    """
    wanted = [*refs]
    names = {str(ref) for ref in _with_upstreams(catalogue, wanted)}
    held = audit.read(session, sorted(names))
    known: dict[TableRef, bool] = {}
    return [ref for ref in wanted if _lags(session, catalogue, ref, held, known)]


def _with_upstreams(catalogue: Catalogue, refs: Iterable[TableRef]) -> set[TableRef]:
    """The models among these tables, and all that they are built from."""
    everything: set[TableRef] = set()
    for ref in refs:
        if catalogue.get(ref).layer != "raw":
            upstream = catalogue.get(ref).depends_on
            everything |= {ref, *upstream, *_with_upstreams(catalogue, upstream)}
    return everything


def _lags(
    session: Session,
    catalogue: Catalogue,
    ref: TableRef,
    held: Mapping[str, Mapping[Segment, Loaded]],
    known: dict[TableRef, bool],
) -> bool:
    table = catalogue.get(ref)
    if table.layer == "raw":
        return False
    if ref not in known:
        inputs = Inputs(session, catalogue, table, held)
        segments = inputs.days if table.partition else {WHOLE}
        known[ref] = (
            not held[str(ref)]
            or any(inputs.changed(segment) for segment in segments)
            or any(_lags(session, catalogue, on, held, known) for on in table.depends_on)
        )
    return known[ref]


def stands_on(catalogue: Catalogue, ref: TableRef, upstream: TableRef) -> bool:
    """Whether a table is built from another, at however many removes."""
    return any(
        read == upstream or stands_on(catalogue, read, upstream)
        for read in catalogue.get(ref).depends_on
    )
