"""S3 over a bad network and a busy server: the right answer or an error, never a wrong object."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.resources.s3 import bucket as s3_bucket
from orderhe_dagster.resources.s3 import writes as s3_writes
from orderhe_dagster.resources.s3.store import S3Store
from orderhe_dagster.settings.config import S3Settings
from orderhe_dagster_tests.servers import http_faults as faults
from orderhe_dagster_tests.servers.http_faults import FaultyProxy
from orderhe_dagster_tests.servers.s3 import S3Server


@pytest.fixture
def proxy(s3: S3Server) -> Iterator[FaultyProxy]:
    with faults.before(s3.url) as made:
        yield made


@pytest.fixture
def sure(s3: S3Server) -> S3Store:
    """The store, on a good network."""
    store = S3Store(S3Settings(bucket=s3.bucket_name(), endpoint_url=s3.url))
    store.create()
    return store


@pytest.fixture
def store(proxy: FaultyProxy, sure: S3Store, monkeypatch: pytest.MonkeyPatch) -> S3Store:
    """The same store through the proxy."""
    monkeypatch.setattr(s3_bucket, "pause", lambda _: None)
    monkeypatch.setattr(s3_writes, "pause", lambda _: None)
    return S3Store(
        S3Settings(bucket=sure.settings.bucket, endpoint_url=proxy.url, read_timeout=1.0),
        max_attempts=2,
    )


def test_a_conditional_write_whose_answer_was_lost_is_our_own(
    proxy: FaultyProxy, store: S3Store, sure: S3Store
) -> None:
    proxy.faults.append(faults.loses_the_answer)
    first = store.put("k", b"1", if_none_match=True)
    assert proxy.methods() == ["PUT", "PUT", "HEAD"], "the second was refused because of the first"
    proxy.faults.append(faults.loses_the_answer)
    second = store.put("k", b"2", if_match=first)
    found = sure.get("k")
    assert found is not None
    assert (found.body, found.etag) == (b"2", second)


def test_a_write_is_our_own_though_every_answer_was_lost(
    proxy: FaultyProxy, store: S3Store, sure: S3Store
) -> None:
    proxy.faults.extend([faults.loses_the_answer, faults.loses_the_answer])
    assert store.put("k", b"1", if_none_match=True) == hashlib.md5(b"1").hexdigest()
    proxy.faults.extend([faults.loses_the_answer, faults.answers(500, "InternalError")])
    assert store.put("k", b"2") == hashlib.md5(b"2").hexdigest()


def test_the_same_bytes_of_another_writer_are_not_ours(
    proxy: FaultyProxy, store: S3Store, sure: S3Store
) -> None:
    sure.put("k", b"1")
    proxy.faults.append(faults.loses_the_answer)
    with pytest.raises(PreconditionFailed, match="is there already"):
        store.put("k", b"1", if_none_match=True)


def test_a_write_that_never_arrived_is_an_error(
    proxy: FaultyProxy, store: S3Store, sure: S3Store
) -> None:
    proxy.faults.extend([faults.resets_the_request] * 2)
    with pytest.raises(PortError, match=r"cannot write s3://.*/k: http://127.* does not answer"):
        store.put("k", b"1" * 100_000, if_none_match=True)
    assert sure.get("k") is None


def test_conflicts_are_tried_again_but_not_for_ever(
    proxy: FaultyProxy, store: S3Store, sure: S3Store
) -> None:
    conflict = faults.answers(409, "ConditionalRequestConflict")
    proxy.faults.extend([conflict] * 3)
    etag = store.put("k", b"1", if_none_match=True)
    assert proxy.methods() == ["PUT"] * 4
    proxy.faults.extend([conflict] * 100)
    with pytest.raises(PortError, match="others kept writing it"):
        store.put("k", b"2", if_match=etag)
    assert 10 < len(proxy.requests) < 20
    proxy.faults.clear()
    found = sure.get("k")
    assert found is not None
    assert found.body == b"1"


def test_slow_down_is_borne_and_then_told(proxy: FaultyProxy, store: S3Store) -> None:
    busy = faults.answers(503, "SlowDown")
    proxy.faults.append(busy)
    store.put("k", b"1")
    proxy.faults.extend([busy] * 2)
    with pytest.raises(PortError, match="asks for fewer requests"):
        store.get("k")


@pytest.mark.parametrize("fault", [faults.cuts_the_answer(5000), faults.flips_a_bit])
def test_a_body_that_came_cut_or_altered_is_read_again(
    proxy: FaultyProxy, store: S3Store, sure: S3Store, fault: faults.Fault, tmp_path: Path
) -> None:
    body = os.urandom(200_000)
    sure.put("k", body)
    proxy.faults.extend([fault] * 2)
    found = store.get("k")
    assert found is not None
    assert found.body == body
    proxy.faults.append(fault)
    store.download("k", tmp_path / "copy")
    assert (tmp_path / "copy").read_bytes() == body


@pytest.mark.parametrize(
    ("fault", "says"),
    [(faults.cuts_the_answer(5000), "does not answer"), (faults.flips_a_bit, "is damaged")],
)
def test_a_body_that_never_comes_whole_is_an_error(
    proxy: FaultyProxy,
    store: S3Store,
    sure: S3Store,
    fault: faults.Fault,
    says: str,
    tmp_path: Path,
) -> None:
    sure.put("orders/k", os.urandom(200_000))
    for read in (
        lambda: store.get("orders/k"),
        lambda: store.download("orders/k", tmp_path / "copy"),
    ):
        proxy.faults.extend([fault] * 20)
        with pytest.raises(PortError, match=f"orders/k.*{says}"):
            read()
        proxy.faults.clear()
    assert list(tmp_path.iterdir()) == [], "nothing is left lying"


def test_a_stalled_answer_ends_at_the_timeout(proxy: FaultyProxy, store: S3Store) -> None:
    quick = replace(store, settings=replace(store.settings, read_timeout=0.2))
    proxy.faults.extend([faults.stalls] * 2)
    with pytest.raises(PortError, match="does not answer"):
        quick.get("k")


def test_a_part_whose_connection_breaks_is_sent_again(
    proxy: FaultyProxy,
    store: S3Store,
    sure: S3Store,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(s3_writes, "PART_BYTES", 5 << 20)
    file = tmp_path / "large"
    file.write_bytes(os.urandom((5 << 20) + 1000))
    proxy.faults.extend([faults.passes, faults.resets_the_request, faults.loses_the_answer])
    # Parts go side by side: both faults may meet the same one.
    replace(store, max_attempts=4).upload([("large", file)])
    assert sure.hashes(["large"]) == [hashlib.sha256(file.read_bytes()).hexdigest()]


def test_an_upload_that_fails_leaves_nothing(
    proxy: FaultyProxy,
    store: S3Store,
    sure: S3Store,
    s3: S3Server,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(s3_writes, "PART_BYTES", 5 << 20)
    file = tmp_path / "large"
    file.write_bytes(os.urandom((5 << 20) + 1000))
    proxy.faults.append(faults.passes)
    proxy.faults.extend([faults.answers(503, "SlowDown")] * 4)
    with pytest.raises(PortError, match=r"cannot upload s3://.*/large: .*fewer requests"):
        store.upload([("large", file)])
    assert sure.sizes(["large"]) == [None]
    assert s3.client().list_multipart_uploads(Bucket=sure.settings.bucket).get("Uploads", []) == []
