"""`orderhe simulate`: days of the simulated shop. What happens on a day: `shop`."""

from __future__ import annotations

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.commands.days import LaunchError, check_within_history
from orderhe_dagster.errors import counted
from orderhe_dagster.settings.config import Settings


def simulate_days(settings: Settings, window: Window, scale: float | None = None) -> str:
    """Make the days of `window` in the simulated shop; say what changed. SimulationError, LaunchError.

    `scale`: how many times as many orders a day as the demo has; None: as the shop was begun.
    """
    import logging

    from orderhe_dagster.rendering.progress import reporter
    from orderhe_dagster.resources.build import build_source
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.shop.simulation import simulation_of

    catalogue = read_catalogue(settings)
    simulation = simulation_of(settings, catalogue)
    if simulation is None:
        raise LaunchError(
            "this shop is not simulated: its tables are filled by others. "
            "Use `orderhe import`, or set ORDERHE_SHOP=simulated with the project's own sql folder."
        )
    home.prepare_home(settings)
    check_within_history(settings, window)
    report = reporter(logging.getLogger("orderhe.simulate"), "simulate", "days")
    counts = simulation.make(build_source(settings), list(window), report, scale)
    before = len(window) - counts.days
    return (
        f"{counted(counts.days, 'day')} made, {before:,} made before: {counts.orders:,} orders, "
        f"{counts.customers:,} new customers, {counts.products:,} new products; "
        f"orders of {counts.rewritten_days:,} earlier days moved on"
    )
