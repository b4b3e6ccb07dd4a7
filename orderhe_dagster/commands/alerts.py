"""What `orderhe alerts` does: tell people what is wrong now, or try whether they can be told."""

from __future__ import annotations

from collections.abc import Iterator

from orderhe_dagster.ports.errors import NotSent
from orderhe_dagster.settings.config import Settings

NOBODY = (
    "Nobody is told: ORDERHE_ALERTS is not set. Give it the addresses that shall be, in .env; the "
    "forms are in docs/alerts.md."
)


def open_incidents(settings: Settings) -> Iterator[str]:
    """Look at what is wrong, tell whom it concerns what is new, and give all of it for a terminal.

    NotSent, when all is given, where an address could not be reached.
    """
    from orderhe_dagster.assets.alerts import alerts_of, seen, shop_of, tell
    from orderhe_dagster.commands.run import history
    from orderhe_dagster.definitions import build_definitions
    from orderhe_dagster.rendering.alerts import open_lines
    from orderhe_dagster.resources.build import send_alert
    from orderhe_dagster.settings import home

    state = home.use_home(settings)
    alerts = alerts_of(settings, send_alert)
    repository = build_definitions(settings).get_repository_def()
    with history(state.dagster) as instance:
        yield from open_lines(
            seen(instance, repository, shop_of(settings)).incidents.values(), settings.time_zone
        )
        if alerts is None:
            yield NOBODY
        else:
            tell(alerts, instance, repository)


def try_addresses(settings: Settings) -> Iterator[str]:
    """Send a message to every address, and say how each went. NotSent where one failed, or is missing."""
    from orderhe_dagster.assets.alerts import alerts_of
    from orderhe_dagster.resources.build import send_alert

    alerts = alerts_of(settings, send_alert)
    if alerts is None:
        raise NotSent(NOBODY)
    failed = []
    for number, address in enumerate(alerts.addresses(), 1):
        scheme = address.partition("://")[0]
        try:
            send_alert(address, f"{alerts.shop}: a trial", "Alerts of this shop come here.")
            yield f"address {number}, {scheme}://…: sent"
        except NotSent as error:
            failed.append(f"address {number}: {error}")
    if failed:
        raise NotSent("\n".join(failed))
