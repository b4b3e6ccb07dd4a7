"""Whether a night found, named and mended what was damaged. Rows are compared by none of the product's ways.

The ledger (`warehouse._findings`) is what is asked: in it all is said, where a line for a person says
the first of it.
"""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal
from typing import Any

import pyarrow.parquet as pq

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.ddl import qualified
from orderhe_dagster.catalog.segments import Segment, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.commands.run import Outcome
from orderhe_dagster.ports.errors import UNDEFINED_TABLE, StatementError
from orderhe_dagster.proof.agreement import prove
from orderhe_dagster.road import backups, index
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.drill.damages import Damage, kinds
from orderhe_dagster_tests.drill.shop import DrillShop, day_of

Told = dict[tuple[str, Segment], list[str]]
_CHECKS_FAILED = re.compile(r": \d+ checks? failed \(")
_KINDS = {"source": "silent", "backup": "damaged", "warehouse": "wrong", "mart": "altered"}


@dataclass
class Verdict:
    """What became of one damage."""

    damage: Damage
    found_in: int | None = None  # the night
    named: bool = False
    mended: bool = False

    @property
    def text(self) -> str:
        """What is wanting, for a person; '' where nothing is."""
        wanting = [
            word
            for word, there in (
                ("not found", self.found_in is not None),
                ("not named", self.named),
                ("not mended", self.mended),
            )
            if not there
        ]
        return f"{', '.join(wanting)}: {self.damage}" if wanting else ""


@dataclass
class Drill:
    """What several nights came to."""

    verdicts: list[Verdict] = field(default_factory=list)
    alarms: list[str] = field(default_factory=list)
    """Findings of what nobody had damaged."""
    wrong: list[str] = field(default_factory=list)
    """Whatever else is not as it must be: runs that failed, copies that differ."""

    @property
    def problems(self) -> list[str]:
        """All that is wrong; empty where all was found, named and mended, and nothing else told."""
        return [*filter(None, (one.text for one in self.verdicts)), *self.alarms, *self.wrong]

    def table(self) -> Iterator[str]:
        """Made, found, named, mended, by system and kind."""
        yield f"{'system':<10} {'kind':<12} {'made':>6} {'found':>6} {'named':>6} {'mended':>7}"
        for system, kind in kinds():
            some = [
                one
                for one in self.verdicts
                if (one.damage.system, one.damage.kind) == (system, kind)
            ]
            yield _line(system, kind, some)
        yield _line("all", "", self.verdicts)


def _line(system: str, kind: str, some: Sequence[Verdict]) -> str:
    found = sum(one.found_in is not None for one in some)
    named, mended = sum(one.named for one in some), sum(one.mended for one in some)
    return f"{system:<10} {kind:<12} {len(some):>6} {found:>6} {named:>6} {mended:>7}"


# Found and named ---------------------------------------------------------------------------------


def told_by(shop: DrillShop, outcome: Outcome) -> Told:
    """What a run noted in the ledger, by asset and segment."""
    rows = shop.shop.rows(
        "select table_name, segment, kind, detail from warehouse._findings "
        f"where run_id like '{outcome.run_id}%'"
    )
    told: Told = {}
    for name, segment, kind, detail in rows:
        told.setdefault((name, Segment(segment)), []).append(f"{kind}: {detail}")
    return told


def look(
    shop: DrillShop, night: int, outcome: Outcome, drill: Drill, *, may_fail: bool = False
) -> None:
    """Note which damages this night's run has found, and what it told that nobody had done.

    `may_fail`: checks may fail of what has not had its turn yet.
    """
    failures = [text for text in outcome.failures if not (may_fail and _CHECKS_FAILED.search(text))]
    drill.wrong += [f"night {night}: {text}" for text in failures]
    told = told_by(shop, outcome)
    open_ones = [one for one in drill.verdicts if one.found_in is None]
    asked = {name for name, _ in told}
    if told and not any("nothing_differed" in text for text in outcome.warned_checks):
        drill.wrong.append(f"night {night}: no check warned of what is in the ledger")
    mine = {(_asset(one.damage), segment) for one in open_ones for segment in one.damage.segments}
    drill.alarms += [
        f"night {night}: alarm where nothing was done: {name} {segment}: {'; '.join(texts)}"
        for (name, segment), texts in told.items()
        if (name, segment) not in mine
    ]
    records = {name: index.read(shop.shop.store, name).records for name in _raw_names(shop)}
    for one in open_ones:
        damage, asset = one.damage, _asset(one.damage)
        if damage.followed:
            fresh = [records[damage.table].get(segment) for segment in damage.segments]
            if all(record and record.run_id.startswith(outcome.run_id) for record in fresh):
                one.found_in, one.named = night, True
            continue
        texts = [told.get((asset, segment), []) for segment in damage.segments]
        kind = _told_as(damage)
        if asset in asked and all(any(t.startswith(kind) for t in some) for some in texts):
            one.found_in = night
            one.named = all(_is_named(damage, shop, " ".join(some)) for some in texts)


def _told_as(damage: Damage) -> str:
    """The kind of finding that the damage is to be told as."""
    if (damage.system, damage.kind) == ("warehouse", "table gone"):
        return "gone: "
    return f"{_KINDS[damage.system]}: "


def _asset(damage: Damage) -> str:
    return f"{'backup' if damage.system == 'source' else damage.system}.{damage.table}"


def _places(damage: Damage) -> list[str]:
    """The assets that a damage may have spoilt: what is in the source is carried on."""
    after = [f"warehouse.{damage.table}"] if damage.system == "source" else []
    return [_asset(damage), *after]


def _raw_names(shop: DrillShop) -> list[str]:
    return [table.name for table in shop.shop.catalogue.layer("raw")]


def _is_named(damage: Damage, shop: DrillShop, text: str) -> bool:
    """Whether a text names the rows, or the objects, and the columns where there is a key."""
    has_key = any(
        table.name == damage.table and table.grain for table in shop.shop.catalogue.tables
    )
    for name in damage.names:
        whole = re.search(rf"(?<!\w){re.escape(name)}(?!\w)([^;]*(?:; \w+ [^:;]*)*)", text)
        if whole is None:
            return False
        if has_key and not all(re.search(rf"\b{c}\b", whole[1]) for c in damage.columns):
            return False
    return True


# Mended ------------------------------------------------------------------------------------------


def check_mended(shop: DrillShop, drill: Drill, *, by_proof: bool = False) -> None:
    """Hold the systems against each other, and note which damages are gone.

    `by_proof`: also by the product's own proof, which keeps in the ledger what it proved.
    """
    unequal: dict[str, set[Segment]] = {}
    source = {table.name: _source_rows(shop, table) for table in shop.shop.catalogue.layer("raw")}
    for table in shop.shop.catalogue.layer("raw"):
        wanted = _by_segment(shop, table, source[table.name], of_source=True)
        copies = {"backup": _backup_rows(shop, table), "warehouse": _warehouse_rows(shop, table)}
        for name, rows in copies.items():
            there = _by_segment(shop, table, rows)
            differing = {s for s in {*wanted, *there} if wanted.get(s) != there.get(s)}
            unequal.setdefault(f"{name}.{table.name}", set()).update(differing)
        unequal[f"backup.{table.name}"] |= _without_manifest(shop, table)
        if by_proof:
            drill.wrong += _disagreements(shop, table)
    for table in shop.shop.catalogue.layer("mart"):
        unequal[f"mart.{table.name}"] = _unlike_their_select(shop, table)
    known = {
        (p, s) for one in drill.verdicts for p in _places(one.damage) for s in one.damage.segments
    }
    for asset, segments in unequal.items():
        drill.wrong += [
            f"{asset} {segment} is not what it must be, and nothing was done to it"
            for segment in sorted(segments)
            if (asset, segment) not in known
        ]
    for one in drill.verdicts:
        one.mended = not any(unequal[p] & {*one.damage.segments} for p in _places(one.damage))
    drill.wrong += _wrong_exports(shop)


def _disagreements(shop: DrillShop, table: Table) -> Iterator[str]:
    history = Window.of(shop.history[0], shop.history[-1])
    step = Step(table, history if table.partition else None, "drill", history)
    segments = step.cut if table.partition else segments_of(None)
    agreed = prove(step, segments, shop.shop.source, shop.shop.store, shop.shop.warehouse)
    yield from (f"{table.name} {difference}" for difference in agreed.differences)


def _canonical(value: Any) -> Any:
    if isinstance(value, bool | int | Decimal):
        return Decimal(value).normalize()
    return bytes(value) if isinstance(value, bytearray | memoryview) else value


def _rows(lists: Iterable[Iterable[Any]]) -> list[tuple[Any, ...]]:
    return [tuple(map(_canonical, row)) for row in lists]


def _source_rows(shop: DrillShop, table: Table) -> list[tuple[Any, ...]]:
    """Every row of the source: what Arrow has no type for as text."""
    columns = ", ".join(
        f"cast({column.name} as char) as {column.name}"
        if column.type.declared.lower().startswith(("time", "json", "enum"))
        and column.type.kind == "varchar"
        else column.name
        for column in table.columns
    )
    with shop.shop.source.writing() as transaction:
        return _rows(
            row.values()
            for row in transaction.fetch(f"select {columns} from {table.name}").to_pylist()
        )


def _warehouse_rows(shop: DrillShop, table: Table) -> list[tuple[Any, ...]]:
    columns = ", ".join(table.column_names)
    places = {n for n, column in enumerate(table.columns) if column.type.kind == "varbyte"}
    return _rows(
        [  # the driver gives bytes as their hexadecimal digits
            bytes.fromhex(value) if n in places and isinstance(value, str) else value
            for n, value in enumerate(row)
        ]
        for row in _there(shop, f"select {columns} from {qualified(table.read_as)}")
    )


def _backup_rows(shop: DrillShop, table: Table) -> list[tuple[Any, ...]]:
    """Every row of every part that counts; none of a part that is not as it was written."""
    store = shop.shop.store
    records = index.read(store, table.name).records.values()
    parts = [part for record in records for part in record.parts]
    rows: list[tuple[Any, ...]] = []
    for part, stored in zip(parts, store.get_many([part.key for part in parts]), strict=True):
        if stored is None or hashlib.sha256(stored.body).hexdigest() != part.sha256:
            continue  # what that segment lacks is seen by its rows
        content = pq.read_table(io.BytesIO(stored.body), columns=list(table.column_names))
        rows += _rows(row.values() for row in content.to_pylist())
    return rows


def _without_manifest(shop: DrillShop, table: Table) -> set[Segment]:
    store = shop.shop.store
    records = [r for r in index.read(store, table.name).records.values() if r.parts]
    stored = store.get_many([record.manifest for record in records])
    return {
        record.segment
        for record, manifest in zip(records, stored, strict=True)
        if manifest is None or manifest.body != backups.manifest_body(store, record.parts)
    }


def _there(shop: DrillShop, sql: str) -> Sequence[Sequence[Any]]:
    """The rows of a select; none where its table was dropped."""
    try:
        return shop.shop.rows(sql)
    except StatementError as error:
        if error.code != UNDEFINED_TABLE:
            raise
        return []


def _by_segment(
    shop: DrillShop, table: Table, rows: Iterable[tuple[Any, ...]], *, of_source: bool = False
) -> dict[Segment, Counter[tuple[Any, ...]]]:
    """Rows by the segment they are of; the source's rows of today are of none."""
    place = table.column_names.index(table.partition) if table.partition else None
    days, cut = set(shop.history), {}
    for row in rows:
        day = day_of(row[place], shop.zone) if place is not None else None
        if of_source and day is not None and day == _today(shop):
            continue
        segment = (
            Segment("all")
            if place is None
            else Segment.of(day)
            if day in days
            else Segment("outside")
        )
        cut.setdefault(segment, Counter())[row] += 1
    return cut


def _today(shop: DrillShop) -> date:
    return date.fromordinal(shop.first.toordinal() + shop.days)


def _unlike_their_select(shop: DrillShop, table: Table) -> set[Segment]:
    """The segments of a mart that are not what its select gives now."""
    columns = ", ".join(table.column_names)
    built = _rows(_there(shop, f"select {columns} from {qualified(table.ref)}"))
    wanted = _rows(shop.shop.rows(table.sql))
    place = table.column_names.index(table.partition) if table.partition else None
    if place is not None:  # a mart by day has the days that are
        wanted = [row for row in wanted if row[place] in set(shop.history)]
    sides = [_by_segment(shop, table, rows) for rows in (built, wanted)]
    return {s for s in {*sides[0], *sides[1]} if sides[0].get(s) != sides[1].get(s)}


def _wrong_exports(shop: DrillShop) -> Iterator[str]:
    for table in shop.shop.catalogue.layer("export"):
        path = shop.shop.settings.home / "exports" / f"{table.name}.csv"
        with path.open(encoding="utf-8", newline="") as file:
            exported = [tuple(row) for row in csv.reader(file)][1:]
        wanted = [
            tuple("" if value is None else str(value) for value in row)
            for row in shop.shop.rows(table.sql)
        ]
        if exported != wanted:
            yield f"the export {table.name} is not what its select gives"


def alarms(outcome: Outcome) -> list[str]:
    """What a run of an untouched night told, but for rows outside of the days: to be nothing."""
    told = [text for text in outcome.warned_checks if "nothing_left_out" not in text]
    return [*outcome.failures, *outcome.failed_checks, *told]
