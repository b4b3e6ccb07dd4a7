"""`orderhe adopt`: contracts of a MySQL that is there, new or anew. What is written: `intake.adopt`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.intake.adopt.adopter import Ask, Asked


def adopt_schema(
    settings: Settings, folder: Path | None, asked: Asked | None = None, ask: Ask | None = None
) -> list[str]:
    """Write contracts of the tables that the MySQL has; what to print of it. All of it goes into a file.

    `ask`: there is somebody who can be asked. LaunchError, AdoptError, PortError.
    """
    from orderhe_dagster.assets.policy import Policy
    from orderhe_dagster.intake.adopt.adopter import Asked, adopt
    from orderhe_dagster.intake.adopt.report import WHOLE_FILE, screen, whole
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.config import OWN_SQL

    target = folder or settings.sql
    if target.resolve() == OWN_SQL:
        raise LaunchError(
            f"{target} is the demo shop's own folder: name another, as in `orderhe adopt ~/shop/sql`, and "
            "set ORDERHE_SQL to it afterwards"
        )
    wanted = replace(asked or Asked(), rows_a_night=Policy.of(settings).source.rows)
    adoption = adopt(build_source(settings), target, wanted, ask)
    target.mkdir(parents=True, exist_ok=True)
    text = "\n".join([*whole(adoption), ""])
    (target / WHOLE_FILE).write_text(text, "utf-8", newline="\n")
    return list(screen(adoption, target, settings.sql))


def asked_for(
    only: Sequence[str],
    names_file: Path | None,
    partitions: Mapping[str, str],
    cursors: Mapping[str, str],
    *,
    force: bool,
    seconds: float,
) -> Asked:
    """What options ask for; the names of `names_file` are read. AdoptError."""
    from orderhe_dagster.intake.adopt.adopter import Asked
    from orderhe_dagster.intake.adopt.selection import read_map

    names = read_map(names_file) if names_file else {}
    return Asked(tuple(only), names, partitions, cursors, force, seconds)


def update_contracts(
    settings: Settings, names: Sequence[str], *, write: bool = False
) -> tuple[list[str], bool]:
    """Show how contracts differ from the MySQL's tables, and write them anew if asked to.

    `names` are tables of the catalogue, all of them where there are none. Returns the lines to print,
    and whether contracts differ that were not written. LaunchError, PortError.
    """
    import difflib

    from orderhe_dagster.catalog.drift import sentence
    from orderhe_dagster.catalog.reader import named_in_source
    from orderhe_dagster.intake.adopt.update import updated
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.project import read_catalogue

    source = build_source(settings)
    chosen = _chosen(read_catalogue(settings).layer("raw"), names)
    there = {table.name: table for table in source.list_tables()}
    found = [named_in_source(table.source_name, there) for table in chosen]
    wanted = {one.name for one in found if one is not None}
    listed = {
        one.name: one.text
        for one in source.describe([t for t in there.values() if t.name in wanted])
    }
    lines: list[str] = []
    differ: list[str] = []
    written: list[str] = []
    for table in chosen:
        changes = source.drift(table)
        file = settings.sql / table.path
        text = file.read_text("utf-8")
        new, read_anew = updated(
            table, text, named_in_source(table.source_name, listed) or "", changes
        )
        before, after = text.splitlines(), new.splitlines()
        lines += difflib.unified_diff(
            *(before, after, f"a/{table.path}", f"b/{table.path}"), lineterm=""
        )
        for change in changes if new == text else source.drift(read_anew):
            lines.append(f"left as it is: {sentence(change, table, source.identity)}")
        if new == text:
            continue
        differ.append(table.name)
        if write:
            file.write_text(new, "utf-8", newline="\n")
            written.append(table.name)
    lines.append(_summary(len(chosen), differ, written, settings.sql))
    return lines, differ != written


def _chosen(tables: Sequence[Table], names: Sequence[str]) -> Sequence[Table]:
    by_name = {table.name: table for table in tables}
    wanted = [name.removeprefix("raw/") for name in names]
    unknown = [name for name in wanted if name not in by_name]
    if unknown:
        raise LaunchError(
            f"there is no contract of {', '.join(unknown)}: there are {', '.join(sorted(by_name))}. "
            "`orderhe adopt` writes the contracts of new tables."
        )
    return [by_name[name] for name in wanted] if wanted else tables


def _summary(count: int, differ: Sequence[str], written: Sequence[str], folder: Path) -> str:
    if not differ:
        return f"{counted(count, 'contract')} compared: all are as their tables are"
    if written:
        return (
            f"written to {folder / 'raw'}: {', '.join(written)}. The next run reads all days of them again "
            "and alters their warehouse tables (docs/schema-changes.md)."
        )
    return (
        f"{', '.join(differ)}: nothing was written. `orderhe adopt --update {' '.join(differ)} --write` "
        "writes the lines above."
    )
