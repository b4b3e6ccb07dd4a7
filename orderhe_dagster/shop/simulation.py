"""Days of the simulated shop, made in a source. What happens on a day is `shop`'s to say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date

from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source
from orderhe_dagster.settings.config import Settings

Progress = Callable[[int, int], None]
"""Called with (days done, days in all)."""


class SimulationError(PortError):
    """The shop cannot be simulated here: the database is somebody's real one, or has another seed."""


@dataclass(frozen=True)
class Simulated:
    """What a call of `make` changed: days and rows that are new, earlier days whose orders moved on."""

    days: int
    orders: int
    customers: int
    products: int
    rewritten_days: int


@dataclass(frozen=True)
class Simulation:
    """The demo shop of one seed, for the contracts of `catalogue`.

    `creates`: an empty source is made the shop's on the first day, as the laptop's own file may be;
    elsewhere a person says so with `orderhe create`.
    """

    catalogue: Catalogue
    seed: int
    time_zone: str
    creates: bool = False

    def prepare(self, source: Source) -> None:
        """Create the tables and mark them as ours. SimulationError where they hold others' rows."""
        from orderhe_dagster.shop.marker import TABLES, NotOurShopError, mark

        source.create(self.catalogue.layer("raw"))
        names = {table.name: table.source_name for table in self.catalogue.layer("raw")}
        try:
            with source.writing() as transaction:
                mark(transaction, [names.get(name, name) for name in TABLES])
        except NotOurShopError as error:
            raise SimulationError(f"{source.identity}: {error}") from error

    def make(
        self,
        source: Source,
        days: Sequence[date],
        progress: Progress | None = None,
        scale: float | None = None,
    ) -> Simulated:
        """Make the days happen, in one transaction; days made before change nothing. SimulationError.

        `scale`: how many times the demo's orders a day has; None: as the shop was begun, 1 if it was not.
        """
        from orderhe_dagster.shop import simulate
        from orderhe_dagster.shop.marker import NotOurShopError
        from orderhe_dagster.shop.model import Shop

        if self.creates:
            self.prepare(source)
        tables = {table.name: table for table in self.catalogue.layer("raw")}
        try:
            with source.writing() as transaction:
                begun = simulate.made_scale(transaction) if scale is None else scale
                scale = 1.0 if begun is None else begun
                shop = Shop(seed=self.seed, scale=scale, time_zone=self.time_zone)
                counts = simulate.make_days(shop, transaction, tables, days, progress)
        except NotOurShopError as error:
            raise SimulationError(f"{source.identity}: {error}") from error
        return Simulated(
            counts.days, counts.orders, counts.customers, counts.products, counts.rewritten_days
        )


def simulation_of(settings: Settings, catalogue: Catalogue) -> Simulation | None:
    """The simulation that fills the raw tables, or None where others fill them."""
    if settings.shop != "simulated":
        return None
    return Simulation(
        catalogue, settings.seed, settings.time_zone, creates=settings.source == "embedded"
    )
