"""`orderhe create`: what is missing of tables, bucket and schemas is made. Rows come by other verbs."""

from __future__ import annotations

from orderhe_dagster.settings.config import Settings


def create_all(settings: Settings) -> list[str]:
    """Create raw tables, bucket and warehouse schemas where they are missing; say where they are."""
    from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
    from orderhe_dagster.road import audit
    from orderhe_dagster.settings import home
    from orderhe_dagster.settings.project import read_catalogue
    from orderhe_dagster.shop.simulation import simulation_of

    state = home.prepare_home(settings)
    catalogue = read_catalogue(settings)
    source, store = build_source(settings), build_store(settings)
    warehouse = build_warehouse(settings)
    simulation = simulation_of(settings, catalogue)
    if simulation is None:
        source.create(catalogue.layer("raw"))
    else:
        simulation.prepare(source)
    store.create()
    with warehouse.session("orderhe create") as session:
        audit.prepare(session)
        for layer in ("warehouse", "mart"):
            session.execute(f"create schema if not exists {layer}")
    tables = ", ".join(table.name for table in catalogue.layer("raw"))
    return [
        f"source     {source.identity}: {tables}",
        f"store      {store.url('backup')}",
        f"warehouse  {warehouse.identity}: schemas warehouse, mart",
        *(f"note       {line}" for line in home.advice(state)),
    ]
