"""`orderhe adopt`: the contracts of a MySQL that is there already. What is written: `intake.adopt`."""

from __future__ import annotations

from pathlib import Path

from orderhe_dagster.commands.days import LaunchError
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
