"""What fails in an asset carries its cause and its cure into Dagster's UI."""

from __future__ import annotations

import dagster as dg
import pytest

from orderhe_dagster.assets.common import failing_clearly
from orderhe_dagster.commands.run import Outcome
from orderhe_dagster.doctor.signatures.table import BY_NAME
from orderhe_dagster.ports.errors import PortError, Symptom


def failed(error: Exception) -> dg.Failure:
    with pytest.raises(dg.Failure) as caught, failing_clearly("warehouse/orders", None):
        raise error
    return caught.value


def test_a_failure_shows_cause_fix_and_page() -> None:
    example = BY_NAME["copy-denied"].examples[0]
    error = PortError("COPY of the backup failed")
    error.symptom = Symptom("redshift", example.text, example.code, example.facts)
    failure = failed(error)
    assert failure.description is not None
    assert failure.description.startswith("warehouse/orders: COPY of the backup failed")
    assert "aws iam put-role-policy --role-name shop-copy" in failure.description
    shown = {name: value.value for name, value in failure.metadata.items()}
    assert shown["cause"] == "Redshift's role may not read the bucket"
    assert str(shown["fix"]).startswith("```sh\naws iam put-role-policy")
    assert shown["page"] == "docs/doctor.md#copy-denied"


def test_what_several_fail_by_is_explained_once() -> None:
    outcome = Outcome("r", False, failures=["a: no\n\nbecause\nfix", "b: no\n\nbecause\nfix", "c"])
    assert outcome.lines()[:3] == [
        "FAILED a: no\n\nbecause\nfix",
        "FAILED b: no (the same reason as above)",
        "FAILED c",
    ]


def test_a_failure_that_nothing_is_known_of_is_as_it_was() -> None:
    failure = failed(PortError("something"))
    assert failure.description == "warehouse/orders: something"
    assert failure.metadata == {}
