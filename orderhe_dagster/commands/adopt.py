"""`orderhe adopt`: contracts of a MySQL that is there, new or anew. What is written: `intake.adopt`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings


def adopt_schema(settings: Settings, folder: Path | None, *, force: bool = False) -> list[str]:
    """Write contracts of the tables that the MySQL has; say what was done. LaunchError, PortError."""
    from orderhe_dagster.intake.adopt.adopter import adopt, report
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.config import OWN_SQL

    target = folder or settings.sql
    if target.resolve() == OWN_SQL:
        raise LaunchError(
            f"{target} is the demo shop's own folder: name another, as in `orderhe adopt ~/shop/sql`, and "
            "set ORDERHE_SQL to it afterwards"
        )
    tables = build_source(settings).list_tables()
    if not tables:
        raise LaunchError(
            f"{build_source(settings).identity} has no tables that this user may read"
        )
    return list(report(adopt(tables, target, force=force), target))


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
    listed = {table.name: table.text for table in source.list_tables()}
    lines: list[str] = []
    differ: list[str] = []
    written: list[str] = []
    chosen = _chosen(read_catalogue(settings).layer("raw"), names)
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
