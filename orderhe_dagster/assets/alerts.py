"""The sensor that tells people what is wrong, and the same for a run that no daemon watches over.

What is wrong is `incidents`' to say. What was told is kept in Dagster's own storage, so that a
daemon and every run, on whichever machine, tell of an incident once.
"""

from __future__ import annotations

import hashlib
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from pathlib import Path

import dagster as dg

from orderhe_dagster.assets.incidents import look
from orderhe_dagster.errors import counted
from orderhe_dagster.ports.errors import NotSent
from orderhe_dagster.rendering.alerts import Told
from orderhe_dagster.settings.config import Settings
from orderhe_dagster.settings.home import home_of
from orderhe_dagster.settings.locks import file_lock
from orderhe_dagster.settings.secret import NO_SECRET

SENSOR = "alerts"
_EVERY_S = 60


@dataclass(frozen=True)
class Alerts:
    """Who is told, and how. `addresses` are asked for at each time: they are secret and may be rotated.

    `send` takes an address, a title and a text, and raises NotSent. `shop` is what a message's title
    begins with; `lock` keeps two processes of this machine from telling the same at once.
    """

    addresses: Callable[[], Sequence[str]]
    send: Callable[[str, str, str], None]
    shop: str
    time_zone: str
    lock: Path


def seen(instance: dg.DagsterInstance, repository: dg.RepositoryDefinition, shop: str) -> Told:
    """How things stand now, and what is known from before; nobody is told, and nothing kept.

    Where nobody ever was told, of failed runs those of the last day are seen.
    """
    key = _kept(shop)
    told = Told.read(instance.daemon_cursor_storage.get_cursor_values({key}).get(key))
    look(instance, repository, told, datetime.now(timezone.utc))
    return told


def tell(alerts: Alerts, instance: dg.DagsterInstance, repository: dg.RepositoryDefinition) -> Told:
    """Look at how things stand and tell every address what it has not been told; give what is open.

    NotSent where an address could not be reached: the others were told, and that one is tried again
    the next time.
    """
    storage, key = instance.daemon_cursor_storage, _kept(alerts.shop)
    with file_lock(alerts.lock, label="alerts"):
        told = seen(instance, repository, alerts.shop)
        problems = []
        marks = {_mark(address): address for address in alerts.addresses()}
        told.addresses = {mark: told.addresses.get(mark, {}) for mark in marks}
        for mark, address in marks.items():
            message = told.news(mark, alerts.shop, alerts.time_zone)
            try:
                if message is not None:
                    alerts.send(address, message.title, message.text)
                    told.note(mark)
                    storage.set_cursor_values({key: told.text()})  # whatever the next one does
            except NotSent as error:
                problems.append(str(error))
        storage.set_cursor_values({key: told.text()})
    if problems:
        raise NotSent("; ".join(problems))
    return told


def alerts_of(settings: Settings, send: Callable[[str, str, str], None]) -> Alerts | None:
    """Whom the settings name; None where that is nobody."""
    if settings.alerts is NO_SECRET:
        return None
    state = home_of(settings)
    return Alerts(
        addresses=lambda: settings.alerts.reveal().split(),
        send=send,
        shop=shop_of(settings),
        time_zone=settings.time_zone,
        lock=state.scratch / "alerts",
    )


def shop_of(settings: Settings) -> str:
    """What tells one shop's messages from another's."""
    if settings.source == "mysql":
        return f"orderhe {settings.mysql.where}"
    return f"orderhe {socket.gethostname()}:{settings.home}"


def _kept(shop: str) -> str:
    """The key by which Dagster's storage, which several shops may share, keeps what was told."""
    return f"orderhe/alerts {shop}"


def build_alerts(alerts: Alerts | None) -> list[dg.SensorDefinition]:
    """The sensor, on by itself; none where nobody is to be told."""
    if alerts is None:
        return []

    @dg.sensor(
        name=SENSOR,
        minimum_interval_seconds=_EVERY_S,
        default_status=dg.DefaultSensorStatus.RUNNING,
        description="Tells the addresses of ORDERHE_ALERTS what is wrong: once when a problem begins, "
        "and once when it has ended. See docs/alerts.md.",
    )
    def alerts_sensor(context: dg.SensorEvaluationContext) -> dg.SkipReason:
        repository = context.repository_def
        if repository is None:
            raise dg.DagsterInvariantViolationError("a sensor is evaluated without its repository")
        told = tell(alerts, context.instance, repository)
        return dg.SkipReason(f"{counted(len(told.incidents), 'problem is', 'problems are')} open")

    return [alerts_sensor]


def _mark(address: str) -> str:
    """What an address is known by where it is not to be read."""
    return hashlib.sha256(address.encode()).hexdigest()[:16]
