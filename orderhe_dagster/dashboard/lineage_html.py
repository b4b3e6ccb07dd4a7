"""The page that draws the column lineage of a catalogue: what it shows, and its one file of HTML.

From the catalogue alone: no row of any table is read. How it looks and moves is in `lineage_page/`.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from orderhe_dagster.catalog.table import LAYERS, Catalogue, Column, Layer, Table, TableRef
from orderhe_dagster.catalog.types import arrow_text, redshift_text
from orderhe_dagster.dashboard.page import content_hash, embedded_json, fill

PAGE = Path(__file__).parent / "lineage_page"
_SCRIPTS = ("graph.js", "words.js", "cards.js", "lines.js", "details.js", "start.js")
_CARRIED: tuple[Layer, ...] = ("raw", "backup", "warehouse")
"""The layers through which a contract's columns are carried as they are."""


@dataclass(frozen=True)
class _Stage:
    """A table as one layer shows it: a contract is shown in three."""

    layer: Layer
    table: Table

    @property
    def ref(self) -> TableRef:
        return TableRef(self.layer, self.table.name)

    @property
    def upstream(self) -> tuple[TableRef, ...]:
        if self.table.layer != "raw":
            return self.table.depends_on
        place = _CARRIED.index(self.layer)
        return (TableRef(_CARRIED[place - 1], self.table.name),) if place else ()


def lineage_page(catalogue: Catalogue, *, dashboard: bool = False) -> str:
    """The page as HTML text: one file that asks nothing of any network.

    `dashboard` says that an index.html lies beside it, to link to.
    """
    style = _text("style.css")
    script = "\n".join(map(_text, _SCRIPTS))
    parts = {
        "style_hash": content_hash(style),
        "script_hash": content_hash(script),
        "style": style,
        "words": embedded_json(json.loads(_text("words.json"))),
        "data": embedded_json({"dashboard": dashboard, "tables": lineage_data(catalogue)}),
        "script": script,
    }
    return fill(_text("lineage.html"), parts)


def _text(name: str) -> str:
    return (PAGE / name).read_text("utf-8")


def lineage_data(catalogue: Catalogue) -> list[dict[str, Any]]:
    """Every table of every layer with its columns and where each comes from, as plain values.

    Upstream layers first; within a layer, tables that read the same stand together. A column made
    of no column (`count(*)`) comes from the rows of the tables that are read: their bare names.
    """
    return [_table(stage) for stage in _ordered(_stages(catalogue))]


def _stages(catalogue: Catalogue) -> list[_Stage]:
    stages = []
    for layer in LAYERS:
        carried = catalogue.layer("raw") if layer in _CARRIED else ()
        stages += [_Stage(layer, table) for table in carried]
        if layer != "raw":
            stages += [_Stage(layer, table) for table in catalogue.layer(layer)]
    return stages


def _ordered(stages: Sequence[_Stage]) -> list[_Stage]:
    """Each layer's tables by the mean place of what they read, so that few lines cross."""
    places: dict[TableRef, float] = {}
    ordered: list[_Stage] = []
    for layer in LAYERS:
        here = [stage for stage in stages if stage.layer == layer]
        for number, stage in enumerate(here):  # the catalogue names what is read first
            known = [places[ref] for ref in stage.upstream if ref in places]
            places[stage.ref] = sum(known) / len(known) if known else float(number)
        here.sort(key=lambda stage: places[stage.ref])
        places |= {stage.ref: float(number) for number, stage in enumerate(here)}
        ordered += here
    return ordered


def _table(stage: _Stage) -> dict[str, Any]:
    table = stage.table
    own = stage.layer == table.layer  # else a layer that carries a contract
    return {
        "id": str(stage.ref),
        "layer": stage.layer,
        "name": table.name,
        "description": table.description,
        "file": table.path,
        "sql": table.sql if own else "",
        "grain": list(table.grain),
        "partition": table.partition,
        "owner": table.owner,
        "freshness_hours": table.freshness and table.freshness.total_seconds() / 3600,
        "reads": [str(ref) for ref in stage.upstream],
        "columns": [
            _column(stage, column, own)
            for column in (table.in_source if stage.layer == "raw" else table).columns
        ],
    }


def _column(stage: _Stage, column: Column, own: bool) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": _type(stage.layer, column),
        "description": column.description,
        "nullable": column.nullable,
        "personal": column.pii,
        "line": column.line if own else 0,
        "from": _upstream(stage, column.name),
    }


def _type(layer: Layer, column: Column) -> str:
    """The type as the layer's own engine calls it; a CSV file has what Redshift gave."""
    if layer == "raw":
        return column.type.declared
    return arrow_text(column.type) if layer == "backup" else redshift_text(column.type)


def _upstream(stage: _Stage, name: str) -> list[str]:
    if stage.layer == "backup" and stage.table.column(name).is_added:
        parent = stage.table.day_through[-1].parent
        return [f"{parent.ref}.{parent.partition}"]
    if stage.table.layer == "raw":
        return [f"{ref}.{name}" for ref in stage.upstream]
    columns = [f"{ref.table}.{ref.column}" for ref in stage.table.lineage.get(name, ())]
    return columns or [str(ref) for ref in stage.upstream]
