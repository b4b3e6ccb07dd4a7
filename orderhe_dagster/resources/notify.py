"""Messages to people by apprise: e-mail, Slack, webhooks and more. What they say is not here."""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import unquote

from orderhe_dagster.ports.errors import NotSent

_LIMITS = {"cto": "10", "rto": "30", "overflow": "split"}
"""Seconds to connect, and without an answer, where the address names none. What is longer than a service
takes, 2,000 letters of Discord's, goes in parts: else it would refuse it each time."""
_OF_HOSTS = {"mailto", "mailtos", "json", "jsons", "xml", "xmls", "form", "forms"}
"""Of these the host is no secret. Of others, a topic or a token stands in its place."""
_SECRET_LENGTH = 6


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
    with _words() as words:
        try:
            sent = service.notify(body=text, title=title, body_format=apprise.NotifyFormat.TEXT)
        except Exception as error:  # of any of a hundred services, whose words may hold the address
            sent, words[:] = False, [type(error).__name__]
    if not sent:
        where = _where(service, address)
        why = f": {_without_secrets(words[-1], address, service).rstrip('.')}" if words else ""
        raise NotSent(
            f"no message could be sent to {where}{why}. Put that address of ORDERHE_ALERTS or its server "
            "right, and try it: orderhe alerts --test"
        )


def _where(service: Any, address: str) -> str:
    """The address without all that may be secret of it: its path is, of a webhook."""
    scheme = address.partition("://")[0]
    if scheme.lower() not in _OF_HOSTS:
        return f"{scheme}://…"
    port = f":{service.port}" if service.port else ""
    return f"{scheme}://{service.host}{port}/…"


def _without_secrets(words: str, address: str, service: Any) -> str:
    """Words of apprise's, without the parts of the address that they quote."""
    scheme, _, rest = address.partition("://")
    parts = {unquote(part) for part in re.split(r"[/:@?&=#,;\s]+", rest)}
    if scheme.lower() in _OF_HOSTS:
        parts -= {service.host}
    for part in sorted(parts, key=len, reverse=True):
        if len(part) >= _SECRET_LENGTH:
            words = words.replace(part, "…")
    return words


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
