"""How a plan looks: for a person, as JSON, and beside what its run came to. What is planned: `plan`."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from orderhe_dagster.catalog.days import Window, windows
from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.commands.costs import Cost, Prices, capacity_of, cost_of, traps
from orderhe_dagster.commands.plan import Asked, RunPlan, make_plan
from orderhe_dagster.commands.plan_kept import keep_plan
from orderhe_dagster.ports.cloud import Cloud
from orderhe_dagster.rendering.printing import table
from orderhe_dagster.road.plans import Planned
from orderhe_dagster.settings.config import Settings

_RANGES = 3
_VERBS = {
    "raw": "simulate",
    "backup": "read",
    "warehouse": "load",
    "mart": "build",
    "export": "write",
}


def plan_run(
    settings: Settings,
    selection: str,
    window: Window | None,
    allow_empty: bool,
    accept: Collection[str],
    form: str,
    rpu: int | None,
    *,
    is_quick: bool = False,
    cloud: Cloud | None = None,
) -> tuple[list[str], bool]:
    """Plan a run and keep the plan for beside it; what to print, and whether the run would stop.

    `cloud` is not the real one, where it is given.
    """
    from orderhe_dagster.resources.build import build_cloud

    prices = Prices.read()
    asked = Asked(may_be_empty=allow_empty, accept=accept)
    plan = make_plan(settings, selection, window, asked, is_quick=is_quick)
    capacity = capacity_of(settings, rpu, prices, cloud or build_cloud())
    cost = cost_of(plan.steps, capacity, prices)
    body = as_json(plan, cost, prices)
    keep_plan(settings, body)
    if form == "json":
        return [json.dumps(body, ensure_ascii=False, indent=1)], bool(plan.stops)
    return [*report(plan, cost, prices, settings.warehouse)], bool(plan.stops)


def report(plan: RunPlan, cost: Cost, prices: Prices, warehouse: str) -> Iterator[str]:
    """The plan for a person, line by line; `warehouse` is the setting."""
    days = f" for {plan.window}" if plan.window else ""
    yield f"plan of '{plan.selection}'{days}: what a run would do. Nothing was changed."
    if not plan.steps:
        yield "nothing of that is planned: pages are not, and assets of a team's own"
        return
    busy = [step for step in plan.steps if not step.does_nothing]
    idle = [step.asset for step in plan.steps if step.does_nothing]
    if busy:
        yield ""
        columns = ("step", "", "partitions", "new", "rows", "files", "bytes")
        yield table(columns, [_row(step) for step in busy], right=range(2, 7))
        yield ""
    for step in busy:
        yield from _why(step)
    if idle:
        names = ", ".join(idle) if busy else f"all {len(idle)} steps"
        yield f"nothing to do: {names}"
    yield from (f"note: {note}" for note in plan.notes)
    yield ""
    yield from _money(cost, prices, warehouse)


def _row(step: Planned) -> tuple[str, ...]:
    layer = step.asset.partition("/")[0]
    verb = _VERBS[layer] if not step.gets or layer != "warehouse" else "load"
    if step.stops or step.waits:
        return (step.asset, "STOPS" if step.stops else "waits", *5 * ("",))
    about = "~" if step.is_about else ""
    partitions = f"{len(step.does):,}"
    if step.perhaps:
        partitions += f"..{len(step.does) + len(step.perhaps):,}"
    new = f"{len(step.new):,}" if layer == "backup" else ""
    rows = f"{about}{step.rows:,}" if step.rows or not step.is_about else ""
    files = f"{step.files:,}" if step.files else ""
    size = f"~{_bytes(step.size)}" if step.size else ""
    return step.asset, verb, partitions, new, rows, files, size


def _why(step: Planned) -> Iterator[str]:
    """The reasons, each with its segments; what is done to the table; what else there is to say."""
    yield step.asset
    for segments, why in _by_reason(step.does):
        yield f"  {segments}: {why}"
    for segments, why in _by_reason(step.perhaps):
        yield f"  perhaps {segments}: {why}"
    yield from (f"  DDL: {statement}" for statement in step.ddl)
    yield from (f"  note: {note}" for note in step.notes)
    if step.stops:
        yield f"  stops: {step.stops}"
    if step.waits:
        yield f"  waits: {step.waits} stops"


def _by_reason(segments: Mapping[Segment, str]) -> Iterator[tuple[str, str]]:
    """The segments of each reason; figures are told where it is one alone."""
    groups: dict[str, list[Segment]] = {}
    for segment, why in segments.items():
        groups.setdefault(why.partition(":")[0], []).append(segment)
    for head, of in groups.items():
        yield ranges(of), segments[of[0]] if len(of) == 1 else head


def ranges(segments: Iterable[Segment]) -> str:
    """Segments for a person: days in a row as one, and how many, where they are several."""
    given = sorted(segments)
    days = days_of(given)
    texts = [str(window) for window in windows(days)]
    more = len(texts) - _RANGES
    shown = texts[:_RANGES] + ([f"and {more} more"] if more > 0 else [])
    names = {"all": "the whole", "outside": "outside of the days"}
    shown += [names[segment.text] for segment in given if segment.day is None]
    text = ", ".join(shown)
    return f"{text} ({len(days):,} days)" if len(days) > 1 else text


def _money(cost: Cost, prices: Prices, warehouse: str) -> Iterator[str]:
    here = warehouse == "embedded"
    yield "money" + (", if this were on AWS (here nothing is billed)" if here else "")
    items = (
        (
            "Redshift Serverless",
            f"~{cost.billed_s} s x {cost.capacity.rpu} RPU = {cost.rpu_seconds:,} RPU-seconds",
            f"${cost.usd_compute:.4f}",
        ),
        ("S3 requests", f"~{cost.puts:,} PUT, ~{cost.gets:,} GET", f"${cost.usd_requests:.4f}"),
        ("S3 storage", f"~{_bytes(cost.size)} more", f"${cost.usd_storage_month:.4f} a month"),
    )
    width = max(len(what) for _, what, _ in items)
    yield from (f"  {name:19}  {what:{width}}  {usd}" for name, what, usd in items)
    yield (
        f"  prices of {prices.written}, {prices.region}: ${prices.usd['rpu_hour']} an RPU-hour; recalled, "
        f"not read again: {', '.join(prices.recalled)}"
    )
    yield (
        f"  assumed: all of it one burst of ~{cost.burst_s:.0f} s, {prices.minimum_s} s at least, at "
        f"{cost.capacity.rpu} RPU{', as AWS says' if cost.capacity.is_told else '; --rpu says another'}"
    )
    if not here:
        yield f"  this plan has asked the warehouse, too: {prices.minimum_s} s were billed for it"
    yield "traps"
    yield from (f"  {trap}" for trap in traps(cost.capacity, prices, is_serverless=not here))


def _bytes(size: int) -> str:
    """A size for a person."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 1000:
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return f"{value:.1f} TB"


def as_json(plan: RunPlan, cost: Cost, prices: Prices) -> dict[str, Any]:
    """The plan for programs: every segment with its reason."""
    window = plan.window
    return {
        "selection": plan.selection,
        "days": [str(day) for day in (min(window), max(window))] if window else None,
        "made_at": plan.made_at.isoformat(),
        "steps": [_step(step) for step in plan.steps],
        "notes": plan.notes,
        "cost": {
            "rpu": cost.capacity.rpu,
            "usage_limits": cost.capacity.limits,
            "billed_seconds": cost.billed_s,
            "rpu_seconds": cost.rpu_seconds,
            "put_requests": cost.puts,
            "get_requests": cost.gets,
            "bytes_stored": cost.size,
            "usd_compute": round(cost.usd_compute, 6),
            "usd_requests": round(cost.usd_requests, 6),
            "usd_storage_month": round(cost.usd_storage_month, 6),
            "prices_written": prices.written,
            "region": prices.region,
            "recalled": list(prices.recalled),
            "assumed": prices.assumed,
        },
    }


def _step(step: Planned) -> dict[str, Any]:
    return {
        "asset": step.asset,
        "does": {segment.text: why for segment, why in step.does.items()},
        "perhaps": {segment.text: why for segment, why in step.perhaps.items()},
        "new": sorted(segment.text for segment in step.new),
        "rows": step.rows,
        "rows_are_about": step.is_about,
        "files": step.files,
        "bytes_about": step.size,
        "ddl": step.ddl,
        "notes": step.notes,
        "stops": step.stops,
        "waits_for": step.waits,
    }
