"""`orderhe create`: what is missing of tables, bucket and schemas is made. Rows come by other verbs."""

from __future__ import annotations

from collections.abc import Callable

from orderhe_dagster.doctor.explain import explain
from orderhe_dagster.errors import OrderheError, counted
from orderhe_dagster.settings.config import Settings


class Walls(OrderheError):
    """Several of source, store and warehouse cannot be reached: each with its reason and its cure."""

    def __init__(self, errors: dict[str, OrderheError]) -> None:
        texts = [f"{counted(len(errors), 'wall')} on the road:"]
        for place, error in errors.items():
            why = explain(error)
            texts.append(f"{place}: {error}" + (f"\n{why.text()}" if why else ""))
        texts.append("What could be made was made. All of the road: orderhe doctor")
        super().__init__("\n\n".join(texts))


def create_all(settings: Settings) -> list[str]:
    """Create raw tables, bucket and warehouse schemas where they are missing; say where they are.

    All three are tried, whatever becomes of the others. OrderheError; Walls where several fail.
    """
    from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
    from orderhe_dagster.road import audit
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.shop.simulation import simulation_of

    state = home.prepare_home(settings)
    catalogue = read_catalogue(settings)
    source, store = build_source(settings), build_store(settings)
    warehouse = build_warehouse(settings)

    def create_source() -> None:
        simulation = simulation_of(settings, catalogue)
        if simulation is None:
            source.create(catalogue.layer("raw"))
        else:
            simulation.prepare(source)

    def create_warehouse() -> None:
        with warehouse.session("orderhe create") as session:
            audit.prepare(session)
            for layer in ("warehouse", "mart"):
                session.execute(f"create schema if not exists {layer}")

    _all({"source": create_source, "store": store.create, "warehouse": create_warehouse})
    tables = ", ".join(table.source_name for table in catalogue.layer("raw"))
    return [
        f"source     {source.identity}: {tables}",
        f"store      {store.url('backup')}",
        f"warehouse  {warehouse.identity}: schemas warehouse, mart",
        *(f"note       {line}" for line in home.advice(state)),
    ]


def _all(steps: dict[str, Callable[[], None]]) -> None:
    """Every step, and then what went wrong: one error as it is, several together."""
    errors: dict[str, OrderheError] = {}
    for place, step in steps.items():
        try:
            step()
        except OrderheError as error:
            errors[place] = error
    if len(errors) == 1:
        raise next(iter(errors.values()))
    if errors:
        raise Walls(errors)
