"""The last plan and the last run, kept beside each other: what was planned, done and billed.

They lie in the home's cache, and nothing depends on them. How a plan is made is `plan`'s.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from orderhe_dagster.commands.costs import Prices, charged, usd_of
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.folders import make_private
from orderhe_dagster.settings.home import home_of

if TYPE_CHECKING:
    from orderhe_dagster.commands.run import Outcome

FORMAT = 1
_FIGURES = {
    "backup": ("segments_written", "rows_read", "files_written", "bytes_written"),
    "warehouse": ("segments_loaded", "rows_loaded", "", ""),
    "mart": ("segments_built", "rows_built", "", ""),
    "export": ("files_written", "dagster/row_count", "files_written", "bytes"),
}
"""By layer: the metadata that has the partitions, rows, files and bytes of what a step did."""
_NAMES = ("partitions", "rows", "files", "bytes")


def keep_plan(settings: Settings, body: Mapping[str, Any]) -> None:
    """Keep a plan for the run that it is of."""
    _write(_plan_file(settings), {"format": FORMAT, "plan": body})


def beside_the_plan(settings: Settings, outcome: Outcome) -> list[str]:
    """Keep what a run did; what to print of it beside what was planned, where it was."""
    plan = _read(_plan_file(settings)).get("plan")
    run = _run(outcome)
    is_of_it = plan is not None and (plan["selection"], plan["days"]) == (
        run["selection"],
        run["days"],
    )
    _write(_run_file(settings), {"format": FORMAT, "run": run, "plan": plan if is_of_it else None})
    if plan is None or not is_of_it:
        return []
    _plan_file(settings).unlink(missing_ok=True)  # the next run is of another state
    differs = [line for line in _compared(plan, run) if line[-1]]
    if not differs:
        return ["as planned: partitions, rows and files of every step (orderhe plan --last)"]
    return [
        "other than planned (orderhe plan --last): "
        + "; ".join(f"{a}: {d}" for a, *_, d in differs)
    ]


def last_run(settings: Settings, form: str) -> list[str]:
    """The last run beside its plan, and what it was billed. LaunchError: there is none."""
    from orderhe_dagster.rendering.printing import table
    from orderhe_dagster.resources.build import build_warehouse

    kept = _read(_run_file(settings))
    if "run" not in kept:
        raise LaunchError(
            "no run is known here yet, or it was another version's. Plan one and run it: "
            "orderhe plan '*'; then: orderhe run '*'"
        )
    run, plan, prices = kept["run"], kept["plan"], Prices.read()
    began, ended = (datetime.fromisoformat(run[name]) for name in ("began", "ended"))
    seconds = (ended - began).total_seconds()
    rpu_seconds, why = None, "the warehouse is this machine's: nothing is billed"
    if settings.warehouse != "embedded":
        rpu_seconds, why = charged(build_warehouse(settings), began, ended)
    if form == "json":
        billed = {"seconds": seconds, "charged_rpu_seconds": rpu_seconds, "why_not": why}
        return [json.dumps({"run": run, "plan": plan, **billed}, ensure_ascii=False, indent=1)]
    days = run["days"]
    span = f" for {'...'.join(dict.fromkeys(days))}" if days else ""
    lines = [f"run of '{run['selection']}'{span}: {run['began'][:19]} UTC, {seconds:.1f} s"]
    if plan is None:
        lines.append("it was not planned; what it did:")
    columns = ("step", *(f"{name} {of}" for name in _NAMES[:3] for of in ("planned", "done")), "")
    compared = _compared(plan or {"steps": []}, run)
    busy = [line for line in compared if not _is_idle(line)]
    if busy:
        lines.append(table(columns, [_shown(line) for line in busy], right=range(1, 7)))
    if idle := [line[0] for line in compared if _is_idle(line)]:
        which = ", ".join(idle) if busy else f"all {len(idle)} steps"
        lines.append(f"{'nothing planned, ' if plan else ''}nothing done: {which}")
    return [*lines, *_requests(plan, run), *_billed(plan, rpu_seconds, why, seconds, prices)]


def _requests(plan: Mapping[str, Any] | None, run: Mapping[str, Any]) -> Iterator[str]:
    """S3's requests, where the store was S3."""
    made = run["requests"]
    if not made:
        return
    text = ", ".join(f"{many:,} {kind}" for kind, many in sorted(made.items()))
    cost = plan["cost"] if plan else None
    planned = f"~{cost['put_requests']:,} PUT, ~{cost['get_requests']:,} GET; " if cost else ""
    yield f"S3       {planned}sent {text} (what COPY reads, Redshift sends)"


def _billed(
    plan: Mapping[str, Any] | None,
    rpu_seconds: int | None,
    why: str,
    seconds: float,
    prices: Prices,
) -> Iterator[str]:
    cost = plan["cost"] if plan else None
    if cost:
        usd = usd_of(cost["rpu_seconds"], prices)
        yield f"planned  {cost['rpu_seconds']:,} RPU-seconds, ${usd:.4f} (prices of {prices.written})"
    if rpu_seconds is None:
        yield f"measured {seconds:.1f} s of the whole run; {why}"
    else:
        usd = usd_of(rpu_seconds, prices)
        yield f"charged  {rpu_seconds:,} RPU-seconds, ${usd:.4f} (SYS_SERVERLESS_USAGE)"


def _is_idle(line: tuple[str, dict[str, Any], dict[str, Any], str]) -> bool:
    """Whether nothing was planned of a step, and nothing done."""
    _, planned, done, differs = line
    return not (differs or planned.get("partitions") or done.get("partitions"))


def _shown(line: tuple[str, dict[str, Any], dict[str, Any], str]) -> tuple[str, ...]:
    asset, planned, done, differs = line
    cells = [_cell(of.get(name)) for name in _NAMES[:3] for of in (planned, done)]
    return (asset, *cells, "differs" if differs else "")


def _cell(value: object) -> str:
    return f"{value:,}" if isinstance(value, int) else str(value or "")


def _compared(
    plan: Mapping[str, Any], run: Mapping[str, Any]
) -> list[tuple[str, dict[str, Any], dict[str, Any], str]]:
    """Step by step: what was planned, what was done, and what of it differs that was told exactly."""
    planned = {step["asset"]: _of_plan(step) for step in plan["steps"]}
    exact = {step["asset"]: _told_exactly(step) for step in plan["steps"]}
    lines = []
    for asset in dict.fromkeys([*planned, *run["steps"]]):
        mine, theirs = planned.get(asset, {}), run["steps"].get(asset, {})
        if asset.startswith("raw/") or not (mine or theirs):
            continue
        differs = [
            f"{theirs.get(name, 0):,} {name}, {mine[name]:,} planned"
            for name in exact.get(asset, ())
            if theirs.get(name, 0) != mine[name]
        ]
        lines.append((asset, mine, theirs, ", ".join(differs)))
    return lines


def _of_plan(step: Mapping[str, Any]) -> dict[str, Any]:
    many = len(step["new"] if step["asset"].startswith("backup/") else step["does"])
    most = many + len(step["perhaps"])
    figures: dict[str, Any] = {
        "partitions": many if most == many else f"{many}..{most}",
        "rows": f"~{step['rows']:,}" if step["rows_are_about"] else step["rows"],
        "files": step["files"],
    }
    if step["asset"].startswith(("mart/", "warehouse/")):
        figures.pop("files")  # those that are read are counted where they are written
    if step["rows_are_about"] and not step["rows"]:
        figures.pop("rows")  # nobody knows
    return figures


def _told_exactly(step: Mapping[str, Any]) -> tuple[str, ...]:
    """What of a step was told exactly: nothing that hangs on what turns out, no rows that are about."""
    if step["stops"] or step["waits_for"] or step["perhaps"]:
        return ()
    if step["asset"].startswith("export/"):
        return ("partitions",)
    names = ("partitions", "files") if step["asset"].startswith("backup/") else ("partitions",)
    return names if step["rows_are_about"] else (*names, "rows")


def _run(outcome: Outcome) -> dict[str, Any]:
    """What a run did, as it is kept."""
    assert outcome.began is not None
    assert outcome.ended is not None
    window = outcome.window
    steps: dict[str, dict[str, float]] = {}
    for asset, numbers in outcome.figures.items():
        names = _FIGURES.get(asset.partition("/")[0])
        if names is not None and names[0] in numbers:
            pairs = zip(_NAMES, names, strict=True)
            steps[asset] = {name: numbers[of] for name, of in pairs if of in numbers}
    return {
        "id": outcome.run_id,
        "succeeded": outcome.succeeded,
        "selection": outcome.selection,
        "days": [str(min(window)), str(max(window))] if window else None,
        "began": outcome.began.isoformat(),
        "ended": outcome.ended.isoformat(),
        "steps": steps,
        "requests": dict(outcome.requests),
    }


def _plan_file(settings: Settings) -> Path:
    return home_of(settings).cache / "plan.json"


def _run_file(settings: Settings) -> Path:
    return home_of(settings).cache / "last_run.json"


def _read(path: Path) -> dict[str, Any]:
    """What is kept there; nothing where there is none, it is damaged, or of another form."""
    try:
        sha256, _, body = path.read_bytes().partition(b"\n")
        if sha256.decode("ascii") != hashlib.sha256(body).hexdigest():
            return {}
    except (OSError, ValueError):
        return {}
    kept: dict[str, Any] = json.loads(body)
    return kept if kept.get("format") == FORMAT else {}


def _write(path: Path, body: Mapping[str, Any]) -> None:
    make_private(path.parent)
    aside = path.with_suffix(".new")
    text = json.dumps(body, ensure_ascii=False).encode("utf-8")
    aside.write_bytes(hashlib.sha256(text).hexdigest().encode("ascii") + b"\n" + text)
    aside.replace(path)
