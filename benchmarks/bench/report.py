"""The figures for people: the terminal's table, the documents' tables, the picture. Nothing is measured.

    python -m benchmarks.bench.report       write the documents' tables anew from docs/performance.json

A document says where a table stands: between `<!-- bench: NAME -->` and `<!-- bench: end -->`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.bench.figures import (
    EQUAL,
    Report,
    Result,
    Scenario,
    from_json,
    median,
    ratio,
    spread,
)

DOCS = Path(__file__).resolve().parents[2] / "docs"
FIGURES = DOCS / "performance.json"
DOCUMENTS = (DOCS / "performance.md", DOCS / "scale.md")
PICTURE = DOCS / "pictures" / "performance.svg"
_PLACE = re.compile(r"(<!-- bench: ([\w-]+) -->\n).*?(<!-- bench: end -->)", re.DOTALL)
_NOTHING = "–"
SAMPLED_S = 0.2
"""Snapshots are looked for some seven times a second: shorter ones are not told apart."""


def table(scenario: Scenario) -> str:
    """The scenario as a table for a terminal."""
    heads, rows = _cells(scenario)
    lines = [f"\n{scenario.title} ({_size(scenario)})"]
    if scenario.failed:
        return "\n".join([*lines, f"  FAILED: {scenario.failed}"])
    widths = [max(map(len, column)) for column in zip(heads, *rows, strict=True)]
    for row in (heads, *rows):
        cells = [
            cell.ljust(width) if place == 0 else cell.rjust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  " + "  ".join(cells).rstrip())
    lines += [f"  {one.name}: not run: {one.missing}" for one in scenario.results if one.missing]
    lines += [
        f"  {one.name}: {one.content}" for one in scenario.results if one.content not in ("", EQUAL)
    ]
    return "\n".join(lines)


def markdown(scenario: Scenario) -> str:
    """The scenario as a table for a document."""
    if scenario.failed:
        return f"Not measured: {scenario.failed}\n"
    heads, rows = _cells(scenario)
    size, rounds = _size(scenario), _rounds(scenario)
    lines = [
        f"{size}, {scenario.made_on}; medians of {rounds}, in brackets the least and the most.",
        "",
        f"| {' | '.join(heads)} |",
        f"|{'|'.join(['---', *['---:'] * (len(heads) - 1)])}|",
        *(f"| {' | '.join(row)} |" for row in rows),
    ]
    missing = [f"- {one.name}: not run: {one.missing}" for one in scenario.results if one.missing]
    return "\n".join([*lines, *(["", *missing] if missing else [])]) + "\n"


def does(scenario: Scenario) -> str:
    """What each contestant of a scenario does and does not do, as a list for a document."""
    return "".join(f"- {one.name}: {one.does}.\n" for one in scenario.results if one.does)


def on(report: Report) -> str:
    """The machine and the versions, for a document."""
    machine = ", ".join(f"{name} {value}" for name, value in report.machine.items())
    versions = ", ".join(f"{name} {value}" for name, value in report.versions.items())
    return f"{machine}.\n\n{versions}.\n"


_HEADLINES = (
    (
        "load",
        "ours, bare, folder",
        "floor: DuckDB, a file a day",
        "The work of a first load, every row proven, takes {work} times that of DuckDB alone, {cpu} in CPU.",
    ),
    (
        "load",
        "ours, Dagster, folder",
        "dlt in Dagster",
        "As a whole process under Dagster it takes {wall} times as long as dlt inside a Dagster asset.",
    ),
    (
        "load",
        "ours, bare, no digest",
        "floor: DuckDB, a file a day",
        "Without the digest of every column, by rows and exact sums, it would be {work} times, {cpu} in CPU.",
    ),
    (
        "night",
        "ours, nothing changed, without the night's proof",
        "bare Dagster",
        "A night without changes costs {process} times the CPU of empty assets and checks, its proof apart.",
    ),
    (
        "night",
        "ours, nothing changed",
        "bare Dagster",
        "With that proof, which the budget bounds, it is {process} times.",
    ),
    (
        "marts",
        "ours, bare, no digest",
        "by hand: delete and insert",
        "Rebuilding all marts takes {work} times their SQL by hand, {cpu} in CPU, digests and claims apart.",
    ),
)


def headline(report: Report) -> str:
    """The figures that matter most, as sentences; those that were measured."""
    told = []
    for name, ours, other, sentence in _HEADLINES:
        scenario = report.scenario(name)
        own, reference = _of(scenario, ours), _of(scenario, other)
        if scenario is None or own is None or reference is None:
            continue
        text = sentence.format(
            work=_times(ratio(own.own("work_s"), reference.own("work_s"))),
            cpu=_times(ratio(own.own("work_cpu_s"), reference.own("work_cpu_s"))),
            wall=_times(ratio(own.wall_s, reference.wall_s)),
            process=_times(ratio(own.client_cpu_s, reference.client_cpu_s)),
        )
        told.append(f"- {text} ({_size(scenario)})")
    return "\n".join(told or ["Not measured yet."]) + "\n"


def _of(scenario: Scenario | None, name: str) -> Result | None:
    """The contestant whose name begins so, if it was run."""
    results = scenario.results if scenario else []
    return next((one for one in results if one.name.startswith(name) and one.samples), None)


def is_wrong(scenario: Scenario) -> bool:
    """Whether something failed, or a copy was not what the source holds."""
    return bool(scenario.failed) or any(
        one.content not in ("", EQUAL) or one.missing.startswith("failed")
        for one in scenario.results
    )


def document(text: str, report: Report) -> str:
    """A document with its tables written anew; KeyError where the figures lack one.

    The places are the names of scenarios, `NAME-does`, `machine` and `headline`.
    """

    def written(place: re.Match[str]) -> str:
        name = place[2]
        return f"{place[1]}{_text_of(name, report)}{place[3]}"

    return _PLACE.sub(written, text)


def _text_of(name: str, report: Report) -> str:
    if name == "machine":
        return on(report)
    if name == "headline":
        return headline(report)
    scenario = report.scenario(name.removesuffix("-does"))
    if scenario is None:
        return "Not measured yet.\n"
    return does(scenario) if name.endswith("-does") else markdown(scenario)


def picture(scenario: Scenario) -> str:
    """The medians of a scenario as bars, wall and CPU, as an SVG."""
    import vl_convert

    bars = [
        {"who": one.name, "what": what, "seconds": value}
        for one in scenario.results
        for what, value in (
            ("wall", median(one.wall_s)),
            ("CPU, client", median(one.client_cpu_s)),
            ("CPU, source", median(one.server_cpu_s("source"))),
        )
        if value is not None
    ]
    chart: dict[str, Any] = {
        "$schema": "https://vega.github.io/schema/vega-lite/v5.json",
        "title": f"{scenario.title}, {scenario.rows:,} orders on {scenario.days} days",
        "background": "white",
        "width": 560,
        "height": {"step": 9},
        "data": {"values": bars},
        "mark": "bar",
        "encoding": {
            "y": {
                "field": "who",
                "type": "nominal",
                "sort": [one.name for one in scenario.results],
                "title": None,
                "axis": {"labelLimit": 260},
            },
            "x": {"field": "seconds", "type": "quantitative", "title": "seconds"},
            "yOffset": {"field": "what", "sort": ["wall", "CPU, client", "CPU, source"]},
            "color": {
                "field": "what",
                "sort": ["wall", "CPU, client", "CPU, source"],
                "title": None,
            },
        },
    }
    return str(vl_convert.vegalite_to_svg(chart))


_Column = tuple[str, Callable[[Result], Sequence[float]], str]
_COLUMNS: tuple[_Column, ...] = (
    ("wall s", lambda one: one.wall_s, "spread"),
    ("work s", lambda one: one.own("work_s"), "plain"),
    ("client CPU s", lambda one: one.client_cpu_s, "plain"),
    ("work CPU s", lambda one: one.own("work_cpu_s"), "plain"),
    ("source CPU s", lambda one: one.server_cpu_s("source"), "plain"),
    ("warehouse CPU s", lambda one: one.server_cpu_s("warehouse"), "plain"),
    ("S3 CPU s", lambda one: one.server_cpu_s("s3"), "plain"),
    ("peak MB", lambda one: one.peak_mb, "whole"),
    ("longest query s", lambda one: _known(one, "longest_query_s"), "plain"),
    ("longest snapshot s", lambda one: _known(one, "longest_snapshot_s"), "sampled"),
    ("others' cores", lambda one: [sample.others_cores for sample in one.samples], "plain"),
)
_COMPARED: tuple[tuple[str, Callable[[Result], Sequence[float]]], ...] = (
    ("times wall", lambda one: one.wall_s),
    ("times CPU", lambda one: one.client_cpu_s),
    ("times work", lambda one: one.own("work_s")),
    ("times work CPU", lambda one: one.own("work_cpu_s")),
    ("times source CPU", lambda one: one.server_cpu_s("source")),
)
"""What is told as so many times the reference's."""
_OF_THE_SOURCE = ("source CPU s", "longest query s", "longest snapshot s")


def _cells(scenario: Scenario) -> tuple[list[str], list[list[str]]]:
    """The heads and the rows of a table; columns that nobody has are left out."""
    shown = [column for column in _COLUMNS if any(map(column[1], scenario.results))]
    if not any(one.server_cpu_s("source") for one in scenario.results):
        shown = [column for column in shown if column[0] not in _OF_THE_SOURCE]
    reference = scenario.result(scenario.reference)
    heads = ["", *(head for head, _, _ in shown)]
    compared = [one for one in _COMPARED if reference and any(map(one[1], scenario.results))]
    heads += [head for head, _ in compared]
    heads.append("content")
    rows = []
    for one in scenario.results:
        row = [one.name, *(_shown(read(one), form) for _, read, form in shown)]
        if reference:
            row += [_times(ratio(read(one), read(reference))) for _, read in compared]
        rows.append([*row, _content(one)])
    return heads, rows


def _known(one: Result, name: str) -> list[float]:
    values = [getattr(sample, name) for sample in one.samples if "source" in sample.servers_cpu_s]
    return [value for value in values if value is not None]


def _shown(values: Sequence[float], form: str) -> str:
    middle, ends = median(values), spread(values)
    if middle is None or ends is None:
        return _NOTHING
    if form == "sampled" and middle < SAMPLED_S:
        return f"< {SAMPLED_S}"
    if form == "whole":
        return f"{middle:,.0f}"
    if form == "spread" and len(values) > 1:
        return f"{_number(middle)} ({_number(ends[0])}–{_number(ends[1])})"
    return _number(middle)


def _number(value: float) -> str:
    return f"{value:.2f}" if value < 10 else f"{value:.1f}"


def _times(value: float | None) -> str:
    return _NOTHING if value is None else f"{value:.2f}"


def _content(one: Result) -> str:
    if one.missing:
        return "not run" if not one.missing.startswith("failed") else "failed"
    return (one.content if one.content in ("", EQUAL) else "DIFFERS") or _NOTHING


def _size(scenario: Scenario) -> str:
    if not scenario.rows:
        return "sizes as named"
    return f"{scenario.rows:,} orders on {scenario.days:,} days"


def _rounds(scenario: Scenario) -> str:
    most = max((len(one.samples) for one in scenario.results), default=0)
    return "one run" if most == 1 else f"{most} runs"


def main() -> None:
    """Write the documents and the picture anew from the figures that are kept."""
    report = from_json(FIGURES.read_text("utf-8"))
    for path in DOCUMENTS:
        path.write_text(document(path.read_text("utf-8"), report), "utf-8")
    if scenario := report.scenario("load"):
        PICTURE.write_text(picture(scenario), "utf-8")


if __name__ == "__main__":
    main()
