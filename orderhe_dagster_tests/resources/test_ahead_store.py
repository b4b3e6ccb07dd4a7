"""AheadStore: what is written to it is read from it, and the store below is as it was."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from orderhe_dagster.ports.errors import PreconditionFailed
from orderhe_dagster.resources.laptop.ahead_store import AheadStore
from orderhe_dagster.resources.laptop.folder_store import FolderStore

KEYS = ["t/a", "t/b", "t/c", "t/d"]


def test_the_store_below_is_read_and_never_written(tmp_path: Path) -> None:
    base = FolderStore(str(tmp_path / "base"), bucket="shop")
    for key in KEYS[:3]:
        base.put(key, key.encode())
    ahead = AheadStore(base, FolderStore(str(tmp_path / "own"), bucket="shop"))
    before = {key: base.get(key) for key in KEYS}

    etag = ahead.put("t/a", b"new", if_match=before["t/a"].etag if before["t/a"] else None)
    ahead.delete(["t/b"])
    (tmp_path / "file").write_bytes(b"uploaded")
    ahead.upload([("t/d", tmp_path / "file")])
    with pytest.raises(PreconditionFailed):
        ahead.put("t/c", b"", if_none_match=True)
    with pytest.raises(PreconditionFailed):
        ahead.put("t/a", b"", if_match="another")
    ahead.put("t/a", b"newer", if_match=etag)

    bodies = [b"newer", None, b"t/c", b"uploaded"]
    assert [found.body if found else None for found in ahead.get_many(KEYS)] == bodies
    assert ahead.sizes(KEYS) == [body if body is None else len(body) for body in bodies]
    assert ahead.hashes(KEYS) == [body and hashlib.sha256(body).hexdigest() for body in bodies]
    assert ahead.listing("t/") == [("t/a", 5), ("t/c", 3), ("t/d", 8)]
    for key, body in (("t/a", b"newer"), ("t/c", b"t/c")):
        ahead.download(key, tmp_path / "copy")
        assert (tmp_path / "copy").read_bytes() == body
    assert ahead.url("t/a") == base.url("t/a")
    ahead.put("t/b", b"again", if_none_match=True)
    assert ahead.sizes(["t/b"]) == [5]
    assert {key: base.get(key) for key in KEYS} == before
