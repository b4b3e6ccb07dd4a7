"""The road to the backups' store, bucket or folder: list, write, write conditionally, read, remove."""

from __future__ import annotations

import secrets
from dataclasses import replace

from orderhe_dagster.doctor.explain import of_name
from orderhe_dagster.doctor.walk import Check, Found, Road, failed, failure, ok, skipped
from orderhe_dagster.ports.cloud import Cloud
from orderhe_dagster.ports.errors import PortError, PreconditionFailed
from orderhe_dagster.ports.store import Store
from orderhe_dagster.settings.config import S3Settings

_MAY_NOT_LIST = "s3-denied-bucket"
PROBES = "backup/_doctor"
"""Below it lie objects that are tried, and removed at once: Redshift's role may read there, too."""


def store_road(settings: S3Settings, store: Store, cloud: Cloud, *, is_s3: bool) -> Road:
    """The checks of a store, in their order."""
    probe = _Probe(store)
    checks: list[Check] = [
        Check("bucket", probe.list),
        Check("write", probe.write),
        Check("conditional write", lambda: probe.write_again(settings), needs=("write",)),
        Check("read", probe.read, needs=("write",)),
        Check("remove", probe.remove, needs=("write",)),
    ]
    if is_s3 and not settings.endpoint_url:
        checks.append(Check("caller (AWS)", lambda: _caller(cloud), needs=()))
    return Road("S3" if is_s3 else "store", checks)


def unmade_store_road() -> Road:
    """The road to a folder that is not there yet: a probe would make it, and a look makes nothing."""
    return Road(
        "store", [Check("bucket", lambda: skipped("there is none yet: `orderhe create` makes it"))]
    )


class _Probe:
    """An object of its own, from its writing to its removal."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._key = f"{PROBES}/{secrets.token_hex(8)}/probe"
        self._body = secrets.token_bytes(64)

    def list(self) -> Found:
        try:
            self._store.listing(f"{PROBES}/")
        except PortError as error:
            found = failure(error)
            # Who may not list may write all the same: that is looked at, too.
            return replace(found, stops=[one.name for one in found.explanations] != [_MAY_NOT_LIST])
        return ok(self._store.url(PROBES).removesuffix(f"/{PROBES}"))

    def write(self) -> Found:
        self._store.put(self._key, self._body, if_none_match=True)
        return ok("an object was written")

    def write_again(self, settings: S3Settings) -> Found:
        """A second write that must not pass."""
        try:
            self._store.put(self._key, b"another", if_none_match=True)
        except PreconditionFailed:
            return ok("a write that had to fail failed")
        facts = {"endpoint": settings.endpoint_url or "Amazon's S3", "bucket": settings.bucket}
        return failed(
            "a write that had to fail passed: the server ignores If-None-Match",
            of_name("s3-no-conditional-writes", facts),
        )

    def read(self) -> Found:
        stored = self._store.get(self._key)
        if stored is None or stored.body != self._body:
            return Found(
                "failed", "what was written is not what comes back: another program is at it"
            )
        return ok("it came back as it was written")

    def remove(self) -> Found:
        self._store.delete([self._key])
        return ok("it was removed")


def _caller(cloud: Cloud) -> Found:
    arn = cloud.caller()
    if arn.endswith(":root"):
        return failed(f"root user: {arn}", of_name("root-credentials", {"caller": arn}))
    return ok(arn)


def removed(store: Store, key: str) -> str:
    """Remove what a probe has left; why that was not possible, if it was not."""
    try:
        store.delete([key])
    except PortError as error:
        return str(error)
    return ""
