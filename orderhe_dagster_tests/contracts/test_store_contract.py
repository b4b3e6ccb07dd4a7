"""What every Store promises, with attacks. An implementation joins by one line in STORES."""

from __future__ import annotations

import hashlib
import json
import os
import re
import signal
import sys
import threading
import urllib.error
import urllib.request
import warnings
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta, timezone
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest

from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.ports.store import Store, Upload
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.s3.policy import policy
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.servers.s3 import S3Server, use


def folder(request: pytest.FixtureRequest) -> Store:
    home: Path = request.getfixturevalue("tmp_path")
    return FolderStore(root=str(home / "s3"), bucket="shop-backup", prefix="a/b")


def s3(request: pytest.FixtureRequest) -> Store:
    """With the rights that the documentation asks for, and no more."""
    server: S3Server = request.getfixturevalue("s3_server")
    bucket = server.bucket_name()
    only = policy(bucket, "a/b", creates=True)
    use(request.getfixturevalue("monkeypatch"), server.user(bucket, only))
    return S3Store(S3Settings(bucket=bucket, prefix="a/b", endpoint_url=server.url))


STORES: dict[str, Callable[[pytest.FixtureRequest], Store]] = {"folder": folder, "s3": s3}
needs_fork = pytest.mark.skipif(sys.platform == "win32", reason="processes are forked")


@pytest.fixture(params=STORES)
def store(request: pytest.FixtureRequest) -> Store:
    store = STORES[request.param](request)
    store.create()
    return store


def fork(work: Callable[[], None]) -> int:
    """Run `work` in a child process; exit status 1 when it raises. Gives its id."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # other threads: none is used after
        child = os.fork()
    if child:
        return child
    status = 1
    try:
        work()
        status = 0
    finally:
        os._exit(status)


def join(children: list[int]) -> list[int]:
    return [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]


def race(*works: Callable[[], None]) -> None:
    """Run the works side by side in threads that start together; raise what one of them raised."""
    gate = threading.Barrier(len(works))
    errors: list[BaseException] = []

    def run(work: Callable[[], None]) -> None:
        try:
            gate.wait(30)
            work()
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=run, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    if errors:
        raise errors[0]


def test_get_returns_what_put_wrote(store: Store) -> None:
    etag = store.put("orders/current.json", b"\x00\xffbytes")
    stored = store.get("orders/current.json")
    assert stored is not None
    assert (stored.body, stored.etag) == (b"\x00\xffbytes", etag)
    assert etag == hashlib.md5(b"\x00\xffbytes").hexdigest()


def test_get_is_none_where_there_is_no_object(store: Store) -> None:
    store.put("orders/day/part", b"1")
    assert store.get("orders/nothing") is None
    assert store.get("orders/day") is None, "a prefix is no object"
    assert store.get("orders/day/part/below") is None


def test_get_many_keeps_the_order(store: Store) -> None:
    store.put("b", b"2")
    store.put("a", b"1")
    assert [one and one.body for one in store.get_many(["a", "x", "b"])] == [b"1", None, b"2"]


def test_url_names_bucket_prefix_and_key(store: Store) -> None:
    stored = re.fullmatch(
        r"s3://(\S+)/a/b/orders/한글 part\.parquet", store.url("orders/한글 part.parquet")
    )
    assert stored is not None
    assert stored[1].startswith("shop-backup")


def test_put_over_an_object_replaces_it(store: Store) -> None:
    first = store.put("k", b"first")
    second = store.put("k", b"second")
    assert first != second
    stored = store.get("k")
    assert stored is not None
    assert stored.body == b"second"


def test_create_twice_keeps_the_objects(store: Store) -> None:
    store.put("k", b"1")
    store.create()
    assert store.get("k") is not None


def test_if_none_match_refuses_an_object_that_is_there(store: Store) -> None:
    store.put("k", b"first", if_none_match=True)
    with pytest.raises(PreconditionFailed, match="k"):
        store.put("k", b"second", if_none_match=True)
    stored = store.get("k")
    assert stored is not None
    assert stored.body == b"first"


def test_if_match_refuses_another_etag_and_nothing_at_all(store: Store) -> None:
    with pytest.raises(PreconditionFailed):
        store.put("k", b"x", if_match="0" * 32)
    old = store.put("k", b"1")
    new = store.put("k", b"2", if_match=old)
    with pytest.raises(PreconditionFailed, match=old):
        store.put("k", b"3", if_match=old)
    assert store.put("k", b"3", if_match=new) != new


def test_sizes_are_exact_or_none(store: Store) -> None:
    store.put("empty", b"")
    store.put("five", b"12345")
    assert store.sizes(["five", "none", "empty"]) == [5, None, 0]


def test_upload_stores_every_file(store: Store, tmp_path: Path) -> None:
    files = []
    for number in range(20):
        file = tmp_path / f"{number}.bin"
        file.write_bytes(bytes([number]) * 1000)
        files.append((f"run/{number % 3}/part-{number:05d}", file))
    store.upload(files)
    for number, (key, _) in enumerate(files):
        stored = store.get(key)
        assert stored is not None
        assert stored.body == bytes([number]) * 1000


def test_download_gives_the_bytes_or_names_what_is_missing(store: Store, tmp_path: Path) -> None:
    store.put("x/y", b"body")
    store.download("x/y", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == b"body"
    with pytest.raises(PortError, match="x/z"):
        store.download("x/z", tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_delete_removes_and_passes_over_what_is_not_there(store: Store) -> None:
    store.put("a/b/c", b"1")
    store.put("a/d", b"2")
    store.delete(["a/b/c", "nothing", "a/b/c"])
    assert store.sizes(["a/b/c", "a/d"]) == [None, 1]
    store.put("a/b", b"a key may be where a prefix was")
    assert store.sizes(["a/b"]) == [31]


@pytest.mark.parametrize(
    "key", ["../x", "a/../../x", "/etc/x", "a//b", ".", "a/", "", "a\\..\\b", "a\0b"]
)
def test_a_key_that_could_lead_elsewhere_is_refused(store: Store, key: str, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"1")
    for attempt in (
        lambda: store.put(key, b"1"),
        lambda: store.get(key),
        lambda: store.url(key),
        lambda: store.sizes([key]),
        lambda: store.upload([(key, file)]),
        lambda: store.delete([key]),
        lambda: store.download(key, tmp_path / "out"),
    ):
        with pytest.raises(PortError, match="key"):
            attempt()


def test_threads_racing_to_create_have_one_winner(store: Store) -> None:
    for round_ in range(10):
        wins: list[int] = []

        def create(who: int, key: str = f"gen/{round_}.json", wins: list[int] = wins) -> None:
            try:
                store.put(key, str(who).encode(), if_none_match=True)
            except PreconditionFailed:
                return
            wins.append(who)

        race(*(partial(create, who) for who in range(6)))
        stored = store.get(f"gen/{round_}.json")
        assert stored is not None
        assert [stored.body] == [str(who).encode() for who in wins]


@needs_fork
def test_processes_racing_to_create_have_one_winner(store: Store) -> None:
    def contend() -> None:
        for round_ in range(20):
            try:
                store.put(f"gen/{round_}", str(os.getpid()).encode(), if_none_match=True)
            except PreconditionFailed:
                continue
            store.put(f"won/{round_}/{os.getpid()}", b"")

    children = [fork(contend) for _ in range(6)]
    assert join(children) == [0] * 6
    for round_ in range(20):
        stored = store.get(f"gen/{round_}")
        assert stored is not None
        winners = store.sizes([f"won/{round_}/{child}" for child in children])
        assert winners.count(0) == 1
        assert int(stored.body) == children[winners.index(0)]


@needs_fork
def test_increments_by_if_match_lose_nothing(store: Store) -> None:
    store.put("counter", b"0")

    def increment() -> None:
        for _ in range(40):
            while True:
                current = store.get("counter")
                assert current is not None
                try:
                    store.put("counter", str(int(current.body) + 1).encode(), if_match=current.etag)
                except PreconditionFailed:
                    continue
                break

    assert join([fork(increment) for _ in range(4)]) == [0] * 4
    stored = store.get("counter")
    assert stored is not None
    assert stored.body == b"160"


@needs_fork
def test_readers_never_see_a_torn_object(store: Store) -> None:
    def body(number: int) -> bytes:
        return json.dumps(
            {"n": number, "pad": str(number % 10) * (5000 + 977 * (number % 60))}
        ).encode()

    store.put("k", body(0))

    def write() -> None:
        for number in range(1, 60):
            store.put("k", body(number))

    writer = fork(write)
    last = reads = 0
    while os.waitpid(writer, os.WNOHANG) == (0, 0):
        stored = store.get("k")
        assert stored is not None
        number = json.loads(stored.body)["n"]
        assert stored.body == body(number)
        assert number >= last, "an older object came back"
        last, reads = number, reads + 1
    assert reads > 10


@needs_fork
def test_a_writer_killed_at_work_leaves_an_object_whole(store: Store, tmp_path: Path) -> None:
    bodies = {bytes([letter]) * 300_000 for letter in b"abc"}
    store.put("k", b"a" * 300_000)

    def write(started: int) -> None:
        for count in range(1_000_000):
            if count == 3:
                os.write(started, b".")
            store.put("k", bytes(b"abc"[count % 3 : count % 3 + 1]) * 300_000)

    for _ in range(8):
        reader, writer = os.pipe()
        child = fork(partial(write, writer))
        assert os.read(reader, 1) == b"."
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        os.close(reader)
        os.close(writer)
        stored = store.get("k")
        assert stored is not None
        assert stored.body in bodies
        store.put("k", b"a" * 300_000, if_match=stored.etag)  # and the lock is free again


def test_an_inventory_tells_size_and_time_of_what_lies_below_a_prefix(store: Store) -> None:
    begun = datetime.now(timezone.utc) - timedelta(seconds=2)  # S3 tells whole seconds
    for key, body in (("backup/a/1", b"one"), ("backup/ab", b"four"), ("other/1", b"")):
        store.put(key, body)
    listed = store.inventory("backup/a")
    assert [(one.key, one.size) for one in listed] == [("backup/a/1", 3), ("backup/ab", 4)]
    assert all(begun <= one.modified_at <= datetime.now(timezone.utc) for one in listed)
    assert store.inventory("nothing/") == []
    assert [*store.unfinished_uploads("backup/")] == []
    with suppress(PortError):  # what is not there is passed over, or told
        store.abort([Upload("backup/a/1", "none", begun)])


def test_an_upload_that_was_never_finished_is_found_and_given_up(
    request: pytest.FixtureRequest,
) -> None:
    store = s3(request)
    store.create()
    assert isinstance(store, S3Store)
    with store._bucket.client("begin an upload") as client:
        place = store._bucket.place("backup/orders/2026-01-01/r/part-00000.parquet")
        client.create_multipart_upload(Bucket=store.settings.bucket, Key=place)
    (upload,) = store.unfinished_uploads("backup/orders/")
    assert upload.key == "backup/orders/2026-01-01/r/part-00000.parquet"
    assert [*store.unfinished_uploads("backup/customers/")] == []
    store.abort([upload])
    assert [*store.unfinished_uploads("backup/orders/")] == []
    store.abort([upload])


def opened(url: str) -> tuple[int, bytes, str]:
    """What an address gives whoever has it: the status, the body, what it is said to be."""
    try:
        with urllib.request.urlopen(url, timeout=30) as answer:
            return answer.status, answer.read(), answer.headers["Content-Type"]
    except urllib.error.HTTPError as error:
        return error.code, b"", ""


def test_a_link_opens_one_object_for_anybody_until_it_ends(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = "published/until-20261207T000000Z-ab/한글 page.html"
    store.put(key, b"<p>page</p>")
    store.put("backup/secret", b"rows")
    link = store.link(key, timedelta(hours=1), "text/html; charset=utf-8")
    if isinstance(store, FolderStore):
        assert link is None, "a folder has no links"
        return
    assert link is not None and link.sooner == ""
    assert timedelta(minutes=59) < link.until - datetime.now(timezone.utc) <= timedelta(hours=1)
    assert opened(link.url) == (200, b"<p>page</p>", "text/html; charset=utf-8")
    plain = link.url.partition("?")[0]
    assert opened(plain)[0] == 403, "the bucket is not public"
    other = quote("published/until-20261207T000000Z-ab/한글 page.html")
    assert other in link.url
    assert opened(link.url.replace(other, "backup/secret"))[0] == 403
    signature = re.search(r"X-Amz-Signature=([0-9a-f]+)", link.url)
    assert signature is not None
    turned = signature[1][:-1] + ("0" if signature[1][-1] != "0" else "1")
    assert opened(link.url.replace(signature[1], turned))[0] == 403
    assert opened(link.url.replace("X-Amz-Expires=3600", "X-Amz-Expires=604800"))[0] == 403
    ago = datetime.now(timezone.utc).replace(tzinfo=None) - timedelta(hours=2)
    with monkeypatch.context() as patch:
        patch.setattr("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: ago)
        with pytest.raises(PortError, match=r"cannot make a link to s3://"):
            store.link(key, timedelta(hours=1))


def test_a_link_to_nothing_or_for_too_long_is_refused(store: Store) -> None:
    if isinstance(store, FolderStore):
        assert store.link("nothing", timedelta(hours=1)) is None
        return
    store.put("there", b"1")
    with pytest.raises(PortError, match="NoSuchKey"):
        store.link("nothing", timedelta(hours=1))
    with pytest.raises(PortError, match="7 days"):
        store.link("there", timedelta(days=7, seconds=1))
