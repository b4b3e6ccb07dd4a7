"""The real systems of the road, each for itself or all: servers, accounts, the settings that choose them.

Fixture: `systems` gives a shop's settings by the switches that are turned. What runs on them is the tests'.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from local_redshift.testing.certificates import LOOPBACK, Authority
from local_redshift.testing.server import serving
from orderhe_dagster.resources.build import build_store
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.s3.policy import policy
from orderhe_dagster.settings.config import Settings, load_settings
from orderhe_dagster_tests.servers.mariadb import OWNER, MariaDB
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.servers.s3 import S3Server, running, use

LAPTOP: frozenset[str] = frozenset()
ALL = frozenset({"mysql", "s3", "redshift"})
WAYS = {
    "s3": frozenset({"s3"}),
    "mysql": frozenset({"mysql"}),
    "redshift": frozenset({"redshift"}),
    "all": ALL,
}


class Systems:
    """What is started lives as long as the test (or module) does; every server speaks TLS."""

    def __init__(
        self,
        folder: Path,
        wanted: Callable[[str], object],
        patch: pytest.MonkeyPatch,
        stack: ExitStack,
    ) -> None:
        self._folder, self._wanted, self._patch, self._stack = folder, wanted, patch, stack

    def environ(self, turned: frozenset[str], home: Path, **more: str) -> dict[str, str]:
        """The ORDERHE_* variables of a shop whose `turned` switches name real systems."""
        given = {"ORDERHE_HOME": str(home), **more}
        if "mysql" in turned:
            given |= self._mysql()
        if "s3" in turned:
            given |= self._s3()
        if "redshift" in turned:
            given |= self._redshift(given, home)
        return given

    def _mysql(self) -> dict[str, str]:
        server = self._wanted("mariadb")
        assert isinstance(server, MariaDB)
        fields = {
            "HOST": server.host,
            "PORT": str(server.port),
            "USER": OWNER.user,
            "PASSWORD": OWNER.password,
            "DATABASE": self._stack.enter_context(server.database()),
            "SSL_CA": server.ca,
        }
        named = {f"ORDERHE_MYSQL_{name}": value for name, value in fields.items()}
        return {"ORDERHE_SOURCE": "mysql", **named}

    def _s3(self) -> dict[str, str]:
        server = self._wanted("s3_with_tls")
        assert isinstance(server, S3Server)
        bucket = server.bucket_name()
        # The shop's own rights are the least that the documentation asks for.
        rights = server.user(bucket, policy(bucket, "shops/one", creates=True))
        use(self._patch, {**rights, "AWS_CA_BUNDLE": server.ca})
        return {
            "ORDERHE_STORE": "s3",
            "ORDERHE_S3_BUCKET": bucket,
            "ORDERHE_S3_PREFIX": "shops/one",
            "ORDERHE_S3_ENDPOINT_URL": server.url,
        }

    def _redshift(self, given: dict[str, str], home: Path) -> dict[str, str]:
        authority = Authority(self._folder / "redshift-tls")
        store = build_store(_settings(given, home))
        reach = resolver(store, self._stack)
        served = self._stack.enter_context(serving(authority=authority, resolver=reach))
        return {"ORDERHE_WAREHOUSE": "redshift", **variables_of(served)}


def _settings(environ: dict[str, str], home: Path) -> Settings:
    return load_settings(environ, home.parent)


@pytest.fixture(scope="session")
def s3_with_tls(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """An S3 with a certificate of a CA of its own."""
    authority = Authority(tmp_path_factory.mktemp("s3-tls"))
    certificate, key = authority.sign(*LOOPBACK)
    with running(certificate, key, str(authority.file)) as server:
        yield server


@pytest.fixture(scope="module")
def systems(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Systems]:
    """Real systems for a module: what a test starts stays for the next."""
    with pytest.MonkeyPatch.context() as patch, ExitStack() as stack:
        folder = tmp_path_factory.mktemp("systems")
        yield Systems(folder, request.getfixturevalue, patch, stack)
