"""Commands that mend, with the days and names in them: they work when pasted. Nothing is run here."""

from __future__ import annotations

from collections.abc import Iterable

from orderhe_dagster.catalog.segments import Segment, days_of
from orderhe_dagster.errors import counted


def run_command(selection: str, segments: Iterable[Segment] = ()) -> str:
    """`orderhe run` of some assets for the days among `segments`; without any, for the last day."""
    days = sorted(days_of(segments))
    span = f" --from {days[0]} --to {days[-1]}" if days else ""
    quoted = f"'{selection}'" if set(selection) & set("*,+ ") else selection
    return f"orderhe run {quoted}{span}"


def all_command(layer: str, table: str, segments: Iterable[Segment] = ()) -> str:
    """The command that runs a model or export with all that it needs: a star is every step before it."""
    return run_command(f"*{layer}/{table}", segments)


def again_command(table: str, segments: Iterable[Segment] = ()) -> str:
    """The command that backs some segments of a raw table up and loads them, once more."""
    return run_command(f"backup/{table},warehouse/{table}", segments)


def quarantine_command(table: str, segments: Iterable[Segment] = (), option: str = "") -> str:
    """The command that shows what of a raw table stands in quarantine; of its days, where all are days."""
    wanted = set(segments)
    days = sorted(days_of(wanted))
    span = f" --from {days[0]} --to {days[-1]}" if days and len(days) == len(wanted) else ""
    return f"orderhe quarantine {table}{option and f' {option}'}{span}"


def replay_command(table: str, segments: Iterable[Segment] = ()) -> str:
    """The command that reads the segments that have rows in quarantine again, and loads them."""
    return quarantine_command(table, segments, "--replay")


def segments_text(segments: Iterable[Segment]) -> str:
    """Segments for a person: how many, and the first."""
    ordered = sorted(set(segments))
    if len(ordered) == 1:
        return str(ordered[0])
    return f"{counted(len(ordered), 'segment')}, the first {ordered[0]}"
