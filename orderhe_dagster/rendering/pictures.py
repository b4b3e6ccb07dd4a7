"""The picture of a mart that its @plot asks for: the SQL of its points, and an SVG in Markdown.

Small, since Dagster keeps it in its event log: few points, short numbers, no text for screen readers
within (the Markdown's text tells what it shows). Where it is attached is `assets.models`'s.
"""

from __future__ import annotations

import base64
import re
from collections import defaultdict
from collections.abc import Sequence
from datetime import date
from typing import Any

from orderhe_dagster.catalog import ddl
from orderhe_dagster.catalog.header_keys import TIMES
from orderhe_dagster.catalog.table import Plot, Table

MOST_POINTS, MOST_BARS, MOST_KINDS = 400, 30, 8
OTHERS = "others"
UNNAMED = "(empty)"
LARGEST = 30_000
"""Bytes of Markdown at most: it is stored once for each materialization."""

_UNSEEN = re.compile(
    r' (?:class="[^"]*"|pointer-events="none"|opacity="1"|stroke-width="1"|aria-hidden="true")'
)
"""Attributes that change nothing of how an SVG image looks: classes without a style, defaults."""
_NOTHING = re.compile(r'<path d="(?:M0,0h0v0h0Z)?"(?: display="none")?/>')

Point = tuple[Any, float, str]
"""Where across, how far up, and which kind."""


class PictureError(Exception):
    """There is no picture: nothing to draw, or too much to keep."""


def points_sql(table: Table, plot: Plot) -> str:
    """The select of the points to draw: the latest by time, or the highest. One more than are drawn."""
    x, y = ddl.quoted(plot.x), ddl.quoted(plot.y)
    keys = [x, *([ddl.quoted(plot.by)] if plot.by else [])]
    order = "across desc" if _over_time(table, plot) else "up desc, across"
    return (
        f"select {x} as across, sum({y}) as up{f', {keys[1]} as kind' if plot.by else ''} "
        f"from {ddl.qualified(table.ref)} where {x} is not null and {y} is not null "
        f"group by {', '.join(keys)} order by {order} limit {MOST_POINTS + 1}"
    )


def picture(table: Table, plot: Plot, rows: Sequence[Sequence[Any]]) -> str:
    """The picture of what `points_sql` found, as Markdown. PictureError where none can be drawn."""
    points = [(row[0], float(row[1]), str(row[2] or UNNAMED) if plot.by else "") for row in rows]
    timely, cut = _over_time(table, plot), len(rows) > MOST_POINTS
    if cut and plot.by and not timely:  # a bar would be as long as what was read of its kinds
        raise PictureError(f"there are more than {MOST_POINTS} pairs of {plot.x} and {plot.by}")
    points = _latest(points) if timely else _highest(points)
    if not points:
        raise PictureError(
            f"one {plot.x} has more than {MOST_POINTS} of {plot.by}"
            if cut
            else "there are no rows to draw"
        )
    svg = _svg(plot, _few_kinds(points), timely)
    encoded = base64.b64encode(svg.encode()).decode()
    text = f"![{_alternative_text(plot, points, timely)}](data:image/svg+xml;base64,{encoded})"
    if len(text) > LARGEST:
        raise PictureError(f"it takes {len(text):,} bytes, more than the {LARGEST:,} that are kept")
    return text


def _over_time(table: Table, plot: Plot) -> bool:
    return table.column(plot.x).type.kind in TIMES


def _latest(points: Sequence[Point]) -> list[Point]:
    """Whole days only: where there were more points, the earliest day may lack some."""
    if len(points) <= MOST_POINTS:
        return list(points)
    return [point for point in points if point[0] != points[-1][0]]


def _highest(points: Sequence[Point]) -> list[Point]:
    totals: dict[Any, float] = defaultdict(float)
    for across, up, _ in points:
        totals[across] += up
    kept = sorted(totals, key=lambda across: -totals[across])[:MOST_BARS]
    return [point for point in points if point[0] in kept]


def _few_kinds(points: Sequence[Point]) -> list[Point]:
    """The largest kinds by name, the rest of each place added up."""
    totals: dict[str, float] = defaultdict(float)
    for _, up, kind in points:
        totals[kind] += abs(up)
    if len(totals) <= MOST_KINDS:
        return list(points)
    kept = sorted(totals, key=lambda kind: -totals[kind])[: MOST_KINDS - 1]
    sums: dict[tuple[Any, str], float] = defaultdict(float)
    for across, up, kind in points:
        sums[across, kind if kind in kept else OTHERS] += up
    return [(across, up, kind) for (across, kind), up in sums.items()]


def _alternative_text(plot: Plot, points: Sequence[Point], timely: bool) -> str:
    """What the picture shows, for who cannot see it; no mark that Markdown would read."""
    name = f"{plot.y} by {plot.x}" + (f" and {plot.by}" if plot.by else "")
    if timely:
        days = sorted(_moment(across) for across, _, _ in points)
        name += f", {days[0]} to {days[-1]}"
    return re.sub(r"([\\\[\]!`*_<>])", r"\\\1", name)


def _moment(value: Any) -> str:
    """A date, or a timestamp to the second, as text."""
    return value.isoformat()[:19] if isinstance(value, date) else str(value)


def _svg(plot: Plot, points: Sequence[Point], timely: bool) -> str:
    import vl_convert

    try:
        svg: str = vl_convert.vegalite_to_svg(_chart(plot, points, timely))
    except BaseException as error:
        if (
            type(error).__name__ != "PanicException"
        ):  # of Rust: no Exception, and of no public class
            raise
        raise RuntimeError(f"the picture's engine broke down: {error}") from error
    svg = re.sub(r' (?:d|transform)="[^"]*"', lambda it: re.sub(r"(\.\d)\d+", r"\1", it[0]), svg)
    return _NOTHING.sub("", _UNSEEN.sub("", svg))


def _chart(plot: Plot, points: Sequence[Point], timely: bool) -> dict[str, Any]:
    """The picture in Vega-Lite's words."""
    scale = {
        "format": "~s",
        "labelExpr": "replace(datum.label, 'G', 'B')",
    }  # billions, as money is told
    up = {"field": "up", "type": "quantitative", "title": plot.y, "axis": scale}
    across: dict[str, Any] = {"field": "across", "title": None}
    if timely:
        across |= {"type": "temporal", "scale": {"type": "utc"}, "axis": {"grid": False}}
        mark: dict[str, Any] = {"type": "area" if plot.by else "line"}
        mark |= {} if plot.by else {"strokeWidth": 1.5, "point": len(points) <= 40}
        encoding = {"x": across, "y": up}
    else:
        across |= {"type": "nominal", "sort": "-x", "axis": {"labelLimit": 200}}
        mark = {"type": "bar"}
        encoding = {"x": up, "y": across}
    if plot.by:
        encoding["color"] = {"field": "kind", "type": "nominal", "title": plot.by}
    values = [
        {"across": _moment(at), "up": height, **({"kind": kind} if plot.by else {})}
        for at, height, kind in points
    ]
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "width": 700,
        "height": 220 if timely else {"step": 20},
        "autosize": {"type": "fit-x", "contains": "padding"},
        "background": "white",
        "padding": 8,
        "config": {"aria": False, "font": "sans-serif", "view": {"stroke": None}},
        "data": {"values": values},
        "mark": mark,
        "encoding": encoding,
    }
