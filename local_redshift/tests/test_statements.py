"""Redshift's statements, one by one: each gives its documented answer or is refused, and none a wrong one."""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from local_redshift.errors import RedshiftError
from local_redshift.session.engine import Engine
from local_redshift.testing.missing import missing
from tests.buckets import Bucket
from tests.statement_files import Case, cases, shown, tables

RIGHT = 436
"""At least so many of the cases are answered; the others are refused, and marked so in their files."""


class Parts(Bucket):
    """A bucket with one part of Parquet, its manifest, and a CSV file."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        part, content = folder / "part.parquet", b"a,b\n1,x\n2,y\n"
        pq.write_table(pa.table({"a": pa.array([1, 2], pa.int32()), "b": ["x", "y"]}), part)
        entry = {
            "url": "s3://b/part.parquet",
            "mandatory": True,
            "meta": {"content_length": part.stat().st_size},
        }
        (folder / "m.manifest").write_text(json.dumps({"entries": [entry]}))
        (folder / "csv").mkdir()
        (folder / "csv" / "part.csv.gz").write_bytes(gzip.compress(content))


@pytest.fixture(scope="module")
def bucket(tmp_path_factory: pytest.TempPathFactory) -> Bucket:
    return Parts(tmp_path_factory.mktemp("bucket"))


def opened(bucket: Bucket) -> Engine:
    """An engine with the tables that every case starts with."""
    engine = Engine(resolver=bucket.resolver)
    for statement in tables():
        engine.execute(statement)
    return engine


@pytest.fixture(scope="module")
def reading(bucket: Bucket) -> Iterator[Engine]:
    """For the cases that only read."""
    with opened(bucket) as engine:
        yield engine


def judge(case: Case, engine: Engine) -> str:
    """`right` or `refused`; AssertionError where the answer is another one."""
    try:
        for statement in case.statements:
            found = engine.execute(statement)
    except RedshiftError as error:
        if error.code == "0A000" and not case.error.startswith("0A000"):
            assert case.refused or case.later, f"refused: {error.message}"
            return "refused"
        given = f"{error.code} {error.message}"
        assert case.error, given
        assert given.startswith(case.error)
        return "right"
    assert not case.refused, f"what is not certain is answered: {found.rows}"
    assert not case.error, f"{case.error} expected, not {found.rows}"
    rows, wanted = [shown(row) for row in found.rows], case.rows
    if "order by" not in case.statements[-1]:
        rows, wanted = sorted(rows), sorted(wanted)
    assert rows == wanted
    if case.types:
        assert ", ".join(found.types) == case.types
    return "right"


OUTCOMES: Counter[str] = Counter()


@pytest.mark.parametrize("case", cases(), ids=lambda case: f"{case.file}: {case.title}")
def test_statement_is_answered_as_redshift_does_or_refused(
    case: Case, bucket: Bucket, reading: Engine
) -> None:
    if len(case.statements) == 1 and case.sql.startswith(("select", "with")):
        OUTCOMES[judge(case, reading)] += 1
        return
    with opened(bucket) as engine:
        OUTCOMES[judge(case, engine)] += 1


def test_enough_statements_are_answered() -> None:
    if sum(OUTCOMES.values()) < len(cases()):
        says = "only some of the statements ran: pick this whole file"
        missing(says)
    assert OUTCOMES["right"] >= RIGHT, OUTCOMES


def test_every_case_says_what_is_expected_and_why() -> None:
    titles = Counter((case.file, case.title) for case in cases())
    assert [title for title, count in titles.items() if count > 1] == []
    for case in cases():
        expected = bool(case.rows) + bool(case.error) + case.refused
        assert expected == 1, f"{case.file}: {case.title}"
        assert case.statements, case.title
        assert case.source, case.title
