"""Messages to people by apprise: e-mail, Slack, webhooks and more. What they say is not here."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from orderhe_dagster.ports.errors import NotSent

_LIMITS = {"cto": "10", "rto": "30"}
"""Seconds to connect, and without an answer, where the address names none."""


def send(address: str, title: str, text: str) -> None:
    """Hand a message over to one address. NotSent, which names the address without its secrets."""
    with warnings.catch_warnings():  # of modules that it imports where they are there still
        warnings.simplefilter("ignore", DeprecationWarning)
        import apprise

        service = apprise.Apprise.instantiate(_limited(address), suppress_exceptions=True)
    if service is None:
        scheme = address.partition("://")[0]
        raise NotSent(
            f"ORDERHE_ALERTS has an address {scheme}://… that apprise cannot read: see "
            f"docs/alerts.md for the forms, and put it right"
        )
    where = str(service.url(privacy=True)).partition("?")[0]  # type: ignore[no-untyped-call]
    with _words() as words:
        sent = service.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
    if not sent:
        why = f": {words[-1]}" if words else ""
        raise NotSent(
            f"no message could be sent to {where}{why}. Put that address of ORDERHE_ALERTS or its server "
            "right, and try it: orderhe alerts --test"
        )


def _limited(address: str) -> str:
    """The address, with limits to how long its server is waited for."""
    more = "&".join(
        f"{name}={value}" for name, value in _LIMITS.items() if f"{name}=" not in address
    )
    return f"{address}{'&' if '?' in address else '?'}{more}" if more else address


@contextmanager
def _words() -> Iterator[list[str]]:
    """What apprise logs of a failure, which is all that it says of one; nothing goes anywhere else."""
    words: list[str] = []

    class Kept(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            words.append(record.getMessage().splitlines()[0][:200])

    logger, handler = logging.getLogger("apprise"), Kept(logging.WARNING)
    passed_on = logger.propagate
    logger.addHandler(handler)
    logger.propagate = False
    try:
        yield words
    finally:
        logger.removeHandler(handler)
        logger.propagate = passed_on
