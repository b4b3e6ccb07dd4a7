"""The table of contents: reads the catalogue, takes resources, lists the rooms.

`dagster dev -w workspace.yaml`, `dagster asset materialize -m orderhe_dagster.definitions`,
`dg launch` and `orderhe run` all come in by this door. Nothing is computed here.
"""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from datetime import date
from functools import partial
from typing import TYPE_CHECKING, Any

import dagster as dg

from orderhe_dagster.settings.config import Settings

if TYPE_CHECKING:
    from orderhe_dagster.catalog.table import Catalogue


@dg.definitions
def defs() -> dg.Definitions:
    """The code location, from the environment's settings.

    For one asset, Dagster's own commands ask for it seven times: what is as before is not built again.
    """
    from orderhe_dagster.assets.own import has_own
    from orderhe_dagster.settings.config import load_settings
    from orderhe_dagster.settings.project import read_catalogue

    settings = load_settings()
    catalogue = read_catalogue(settings)
    inputs = (settings, catalogue, _first_day(settings, catalogue))
    if _latest and _latest[0][0] == inputs and not has_own():
        return _latest[0][1]
    built = build_definitions(settings)
    _latest[:] = [(inputs, built)]
    return built


_latest: list[tuple[tuple[Settings, Catalogue, date], dg.Definitions]] = []
"""What was built last, and from what."""


def build_definitions(
    settings: Settings, resources: Mapping[str, Any] | None = None
) -> dg.Definitions:
    """Everything Dagster is told: `resources` replaces the ones that the settings choose.

    A team's own, in `orderhe_dagster/defs`, are among them. Raises CatalogueError where a file of
    `settings.sql` is wrong, OwnDefinitionsError where one of theirs is.
    """
    warnings.filterwarnings("ignore", category=dg.BetaWarning)
    warnings.filterwarnings("ignore", category=dg.PreviewWarning)

    from orderhe_dagster.assets.alerts import alerts_of, build_alerts
    from orderhe_dagster.assets.automation import build_automation
    from orderhe_dagster.assets.backup import build_backup_assets
    from orderhe_dagster.assets.calendar import Calendar
    from orderhe_dagster.assets.checks import build_checks
    from orderhe_dagster.assets.common import with_kinds
    from orderhe_dagster.assets.export import build_export_assets
    from orderhe_dagster.assets.janitor import build_janitor
    from orderhe_dagster.assets.models import build_model_assets
    from orderhe_dagster.assets.own import with_own
    from orderhe_dagster.assets.pages import build_dashboard_assets, build_lineage_asset
    from orderhe_dagster.assets.policy import Policy
    from orderhe_dagster.assets.raw import build_raw_assets
    from orderhe_dagster.assets.restore_drill import build_drill
    from orderhe_dagster.assets.warehouse import build_warehouse_assets
    from orderhe_dagster.resources.build import (
        build_parquet_query,
        build_resources,
        build_scratch_source,
        send_alert,
    )
    from orderhe_dagster.settings.home import currency, home_of
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.shop.simulation import simulation_of

    catalogue = read_catalogue(settings)
    state = home_of(settings)
    calendar = Calendar(_first_day(settings, catalogue), settings.time_zone)
    policy = Policy.of(settings)
    parquet = build_parquet_query(settings)
    automation = build_automation(catalogue, settings.time_zone)
    janitor, janitor_schedule = build_janitor(catalogue, settings)
    drill, drill_schedule = build_drill(
        catalogue, calendar, state.scratch, partial(build_scratch_source, settings), parquet
    )
    assets = [
        *build_raw_assets(catalogue, calendar, simulation_of(settings, catalogue)),
        *build_backup_assets(catalogue, calendar, state.scratch, policy, parquet),
        *build_warehouse_assets(catalogue, calendar, policy),
        *build_model_assets(catalogue, calendar, policy),
        *build_export_assets(catalogue, calendar, state, settings.export_max_mb),
        *build_dashboard_assets(catalogue, calendar, state, currency(settings)),
        build_lineage_asset(catalogue, state),
    ]
    ours = dg.Definitions(
        assets=with_kinds(assets, catalogue, settings),
        asset_checks=build_checks(catalogue, calendar, state.scratch, policy, parquet),
        jobs=[*automation.jobs, drill, janitor],
        schedules=[*automation.schedules, drill_schedule, janitor_schedule],
        sensors=[*automation.sensors, *build_alerts(alerts_of(settings, send_alert))],
        resources=resources or build_resources(settings),
        executor=dg.in_process_executor,
    )
    return with_own(ours, catalogue)


def _first_day(settings: Settings, catalogue: Catalogue) -> date:
    """The first day of the shop's history; a source that cannot be asked does not keep the UI closed."""
    from orderhe_dagster.intake.first_day import first_day_if_known
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings.project import first_day, today

    now = today(settings.time_zone)
    return first_day(settings, lambda: first_day_if_known(catalogue, build_source(settings), now))
