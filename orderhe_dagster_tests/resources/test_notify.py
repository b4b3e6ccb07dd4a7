"""How an address is told of a message: in parts where it is long, and of a failure without its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import pytest
import requests

from orderhe_dagster.ports.errors import NotSent
from orderhe_dagster.resources.notify import send

SECRET = "quite-secret-0815"


class Answer:
    """What a service answers that has taken a message."""

    status_code = 204
    content = b""
    headers: ClassVar[Mapping[str, str]] = {}


def unreachable(*_: object, **__: object) -> None:
    raise requests.ConnectionError(SECRET)


def broken(*_: object, **__: object) -> None:
    raise ValueError(SECRET)


@pytest.mark.parametrize(
    ("address", "shown"),
    [
        (f"json://127.0.0.1:1/{SECRET}", "json://127.0.0.1:1/…"),
        (f"jsons://{SECRET}@hooks.example.com/shop", "jsons://hooks.example.com/…"),
        (f"ntfy://{SECRET}", "ntfy://…"),
        (f"discord://4174216298/{SECRET}-JHMHI8qBe7bk2ZwO5U711o3dV_js", "discord://…"),
        (f"tgram://123456789:abcdefg_hijklmnop/{SECRET}", "tgram://…"),
    ],
)
@pytest.mark.parametrize("trouble", [unreachable, broken])
def test_no_part_of_an_address_is_told(
    address: str, shown: str, trouble: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "post", trouble)
    monkeypatch.setattr(requests.Session, "request", trouble)
    with pytest.raises(NotSent) as raised:
        send(address, "title", "text")
    assert f"could be sent to {shown}: " in str(raised.value)
    assert SECRET not in str(raised.value)


def test_a_message_longer_than_a_service_takes_goes_in_parts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent: list[str] = []

    def post(*_: object, data: str, **__: object) -> Answer:
        sent.append(data)
        return Answer()

    monkeypatch.setattr(requests, "post", post)
    monkeypatch.setattr("apprise.plugins.base.NotifyBase.throttle", lambda *_, **__: None)
    send("discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js", "title", "word " * 1_000)
    assert len(sent) >= 3
    assert max(len(data) for data in sent) < 2_500
