"""What the signatures say is seen is made to happen, by the adapters themselves, and named by its cause."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from local_redshift.testing.server import Redshift
from orderhe_dagster.doctor.explain import recognised
from orderhe_dagster.doctor.signatures.table import SIGNATURES
from orderhe_dagster.ports.errors import Symptom
from orderhe_dagster_tests.doctor import reproduced_mysql, reproduced_redshift, reproduced_s3
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.servers.s3 import S3Server

FOUND_BY_CHECKS = "aws", "home"
"""Systems whose signatures are found by checks, not told by errors: `test_walk`, `test_cloud`."""


def check(name: str, symptom: Symptom) -> None:
    found, _ = recognised(symptom)
    assert found is not None, symptom
    assert found.name == name, symptom


@pytest.mark.parametrize("name", reproduced_mysql.HAPPENS)
def test_of_mysql(name: str, mariadb: MariaDB, shop_database: str) -> None:
    bench = reproduced_mysql.Bench(mariadb, shop_database)
    check(name, reproduced_mysql.HAPPENS[name](bench))


@pytest.mark.parametrize("name", reproduced_redshift.HAPPENS)
def test_of_redshift(name: str, redshift: Redshift, mariadb: MariaDB, tmp_path: Path) -> None:
    bench = reproduced_redshift.Bench(redshift, mariadb, tmp_path)
    check(name, reproduced_redshift.HAPPENS[name](bench))


@pytest.mark.parametrize("name", reproduced_s3.HAPPENS)
def test_of_s3(name: str, s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    check(name, reproduced_s3.HAPPENS[name](reproduced_s3.Bench(s3_server, monkeypatch)))


def test_what_is_said_to_be_seen_is_made_to_happen_here() -> None:
    happens: set[str] = set()
    some: dict[str, Callable[..., Symptom]]
    for some in map(
        dict, (reproduced_mysql.HAPPENS, reproduced_redshift.HAPPENS, reproduced_s3.HAPPENS)
    ):
        happens |= set(some)
    seen = {
        one.name
        for one in SIGNATURES
        if one.system not in FOUND_BY_CHECKS
        and any(example.source.startswith("seen") for example in one.examples)
    }
    assert seen - happens == set()
    assert happens <= {one.name for one in SIGNATURES}
    assert len(happens) >= 60
