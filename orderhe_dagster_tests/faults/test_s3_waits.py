"""An S3 that stands still, is silent or drips: each request ends by itself, says why, and heals.

The tests' server in a process of its own, stopped before, in the middle of and after each kind of request.
"""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import pytest

from local_redshift.testing.certificates import LOOPBACK, Authority
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.s3 import bucket as s3_bucket
from orderhe_dagster.resources.s3 import writes as s3_writes
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.long_tests import IS_LONG, cases
from orderhe_dagster_tests.servers import s3 as servers
from orderhe_dagster_tests.servers.proxy import FaultProxy, fault_proxy
from orderhe_dagster_tests.servers.s3 import S3Server
from orderhe_dagster_tests.servers.standstill import ended, silent_peer, stand_still, stopped
from orderhe_dagster_tests.shops import TestShop

LATE = (
    r"cannot [\w ]+ s3://.*: https?://127.* does not answer in time: 1 s are given to each try "
    r"\(ORDERHE_S3_READ_TIMEOUT\), and none begins after 2 s \(ORDERHE_S3_TIMEOUT\)"
)
LARGE = bytes(range(256)) * 4_000  # a million bytes
TIMES, MIDDLE = 20, 300_000
"""An object that no kernel holds whole, and where it is broken off."""


@pytest.fixture(scope="module", params=["tls", *(["plain"] if IS_LONG else [])])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[S3Server]:
    """A server of this module alone: it is stopped."""
    if request.param == "plain":
        with servers.running() as made:
            yield made
        return
    authority = Authority(tmp_path_factory.mktemp("s3-tls"))
    with servers.running(*authority.sign(*LOOPBACK), str(authority.file)) as made:
        yield made


@pytest.fixture
def sure(server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """A store with a small object and a large one, and all the time there is."""
    credentials = {**server.environ, **({"AWS_CA_BUNDLE": server.ca} if server.ca else {})}
    servers.use(monkeypatch, credentials)
    monkeypatch.setattr(s3_writes, "PART_BYTES", 5 << 20)
    monkeypatch.setattr(s3_bucket, "pause", lambda _: None)
    store = S3Store(S3Settings(bucket=server.bucket_name(), endpoint_url=server.url))
    store.create()
    store.put("small", b"1")
    store.put("large", LARGE)
    return store


@pytest.fixture
def proxy(server: S3Server) -> Iterator[FaultProxy]:
    with fault_proxy(int(server.url.rpartition(":")[2])) as made:
        yield made


def hasty(sure: S3Store, port: int | None = None) -> S3Store:
    """The same store with hardly any time."""
    url = sure.settings.endpoint_url
    if port is not None:
        url = f"{url.rpartition(':')[0]}:{port}"
    limits: dict[str, Any] = {"connect_timeout": 1, "read_timeout": 1, "timeout": 2}
    return S3Store(replace(sure.settings, endpoint_url=url, **limits), max_attempts=3)


def put(store: S3Store, folder: Path) -> None:
    store.put("new", b"2", if_none_match=True)
    assert store.get("new") is not None
    store.delete(["new"])


def get(store: S3Store, folder: Path) -> None:
    answer = store.get("large")
    assert answer is not None
    assert answer.body in (LARGE, LARGE * TIMES)


def download(store: S3Store, folder: Path) -> None:
    store.download("large", folder / "copy")
    assert (folder / "copy").read_bytes() in (LARGE, LARGE * TIMES)
    (folder / "copy").unlink()


def look(store: S3Store, folder: Path) -> None:
    assert store.sizes(["small", "large"]) == [1, len(LARGE)]


def listing(store: S3Store, folder: Path) -> None:
    assert {key for key, _ in store.listing("")} >= {"small", "large"}


def upload(store: S3Store, folder: Path) -> None:
    _upload(store, folder, 1_000)


def upload_in_parts(store: S3Store, folder: Path) -> None:
    _upload(store, folder, 11 << 20)


def _upload(store: S3Store, folder: Path, size: int) -> None:
    file = folder / "file"
    file.write_bytes(os.urandom(size))
    try:
        store.upload([("uploaded", file)])
        assert store.sizes(["uploaded"]) == [size]
    finally:
        file.unlink()


def delete(store: S3Store, folder: Path) -> None:
    store.delete(["gone", "gone too"])


def create(store: S3Store, folder: Path) -> None:
    store.create()


REQUESTS: dict[str, Callable[[S3Store, Path], None]] = {
    "put": put,
    "get": get,
    "download": download,
    "look": look,
    "listing": listing,
    "upload": upload,
    "upload in parts": upload_in_parts,
    "delete": delete,
    "create": create,
}


def attack(request: str, store: S3Store, folder: Path) -> None:
    """The request must end with its cause and cure, and leave nothing lying."""
    with pytest.raises(PortError, match=LATE):
        ended(lambda: REQUESTS[request](store, folder))
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("peer", "request_"),
    cases(
        product(("stopped", "silent", "drips"), REQUESTS),
        [*product(["stopped"], REQUESTS), ("silent", "get"), ("drips", "upload")],
    ),
)
def test_a_server_that_stands_still_before_a_request_is_not_waited_for(
    server: S3Server, sure: S3Store, proxy: FaultProxy, tmp_path: Path, request_: str, peer: str
) -> None:
    with ExitStack() as stack:
        port: int | None = None
        if peer == "stopped":
            stack.enter_context(stopped(server.pid))
        elif peer == "silent":
            port = stack.enter_context(silent_peer())
        else:
            port = proxy.port
            for _ in range(200):
                proxy.arm("drip", 0)
        if peer == "stopped" or server.ca == "":
            attack(request_, hasty(sure, port), tmp_path)
        else:  # TLS does not begin: the same for each
            with pytest.raises(PortError, match=r"does not answer|TLS connection to .* broke off"):
                ended(lambda: REQUESTS[request_](hasty(sure, port), tmp_path))
    REQUESTS[request_](sure, tmp_path)


@pytest.mark.parametrize("request_", ["get", "download"])
@pytest.mark.parametrize("fault", ["stop", "drip"])
def test_a_body_that_stops_or_drips_on_the_way_is_not_waited_for(
    server: S3Server, sure: S3Store, proxy: FaultProxy, tmp_path: Path, request_: str, fault: Any
) -> None:
    sure.put("large", LARGE * TIMES)
    for _ in range(20):
        stop = fault == "stop"
        proxy.arm((lambda: stand_still(server.pid)) if stop else fault, MIDDLE)
    try:
        attack(request_, hasty(sure, proxy.port), tmp_path)
        assert len(proxy.faults) < 20
    finally:
        os.kill(server.pid, signal.SIGCONT)
    proxy.faults.clear()
    REQUESTS[request_](sure, tmp_path)


def test_a_body_that_is_altered_on_the_way_is_read_again_and_then_told(
    server: S3Server, sure: S3Store, proxy: FaultProxy, tmp_path: Path
) -> None:
    """By TLS, which ends the connection within the body; without it by the SHA-256 of the bytes."""
    sure.put("large", LARGE * TIMES)
    store = hasty(sure, proxy.port)
    store = replace(store, settings=replace(store.settings, timeout=60))
    proxy.arm("flip", MIDDLE)
    get(store, tmp_path)
    assert proxy.faults == []
    for _ in range(10_000):  # each block of each connection from there on
        proxy.arm("flip", MIDDLE)
    said = (
        r"broke off.*altered on the way" if server.ca else "is damaged: its bytes have the sha256"
    )
    with pytest.raises(PortError, match=said):
        get(store, tmp_path)
    proxy.faults.clear()
    get(store, tmp_path)


def test_a_body_that_drips_once_is_read_again(
    sure: S3Store, proxy: FaultProxy, tmp_path: Path
) -> None:
    proxy.arm("drip", MIDDLE)
    store = hasty(sure, proxy.port)
    get(replace(store, settings=replace(store.settings, timeout=60)), tmp_path)
    assert proxy.faults == []


@pytest.mark.parametrize("request_", cases(REQUESTS, ["put", "listing", "upload in parts"]))
def test_a_server_that_is_stopped_after_a_request_fails_the_next(
    server: S3Server, sure: S3Store, tmp_path: Path, request_: str
) -> None:
    store = hasty(sure)
    assert store.get("small") is not None
    with stopped(server.pid):
        attack(request_, store, tmp_path)
    REQUESTS[request_](sure, tmp_path)


@pytest.mark.parametrize("calls", cases([1, 2, 3], [2]))
def test_an_upload_in_parts_whose_server_is_stopped_on_the_way_leaves_nothing_named(
    server: S3Server, sure: S3Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """Before its first part, its second, and before the parts are put together."""
    from orderhe_dagster.resources.s3 import client as s3_client

    begins, asked = s3_client._Tries.begins, list[str]()

    def stopping(tries: Any, request: Any, **more: Any) -> None:
        asked.append(request.url)
        if len(asked) == calls + 1:
            stand_still(server.pid)
        begins(tries, request, **more)

    monkeypatch.setattr(s3_client._Tries, "begins", stopping)
    s3_client.forget_clients()
    try:
        attack("upload in parts", hasty(sure), tmp_path)
    finally:
        os.kill(server.pid, signal.SIGCONT)
    assert sure.sizes(["uploaded"]) == [None]
    upload_in_parts(sure, tmp_path)


def test_a_server_that_hangs_up_after_it_said_to_go_on_is_not_asked_for_ever(
    sure: S3Store, tmp_path: Path
) -> None:
    """AWS's client goes on to read headers until an empty line, and the end has none."""
    if sure.settings.endpoint_url.startswith("https"):
        return
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def answer() -> None:
            with suppress(OSError):
                while True:
                    client, _ = listener.accept()
                    with client:
                        client.recv(65_536)
                        client.sendall(b"HTTP/1.1 100 Continue\r\n")
                        client.shutdown(socket.SHUT_WR)
                        client.recv(65_536)

        thread = threading.Thread(target=answer, daemon=True)
        thread.start()
        with pytest.raises(PortError, match="does not answer"):
            ended(lambda: hasty(sure, listener.getsockname()[1]).put("k", b"1"))
        listener.shutdown(socket.SHUT_RDWR)
        thread.join(10)


@pytest.mark.parametrize("call", cases(["upload", "put", "get"], ["put"]))
def test_a_run_ends_whose_store_stands_still_and_one_rerun_heals_it(
    server: S3Server,
    sure: S3Store,
    sales_shop: TestShop,
    monkeypatch: pytest.MonkeyPatch,
    call: str,
) -> None:
    usual = {
        **sales_shop.environ,
        "ORDERHE_STORE": "s3",
        "ORDERHE_S3_BUCKET": server.bucket_name(),
        "ORDERHE_S3_ENDPOINT_URL": server.url,
    }
    sales_shop.environ = usual
    sales_shop.create()
    still, does = ExitStack(), getattr(S3Store, call)
    calls = [call]

    def stopping(store: S3Store, *arguments: Any, **named: Any) -> Any:
        if calls:
            calls.clear()
            still.enter_context(stopped(server.pid))
        return does(store, *arguments, **named)

    monkeypatch.setattr(S3Store, call, stopping)
    sales_shop.environ = {
        **usual,
        "ORDERHE_S3_CONNECT_TIMEOUT": "1",
        "ORDERHE_S3_READ_TIMEOUT": "1",
        "ORDERHE_S3_TIMEOUT": "2",
    }
    with still:
        outcome = ended(lambda: sales_shop.run("*", "2026-01-01", "2026-01-04"))
        assert calls == []
        assert not outcome.succeeded
        assert "ORDERHE_S3_READ_TIMEOUT" in outcome.failures[0]
    sales_shop.environ = usual
    assert sales_shop.run("*", "2026-01-01", "2026-01-04").succeeded
    assert sales_shop.rows("select count(*) from warehouse.sales") == [(4,)]
