"""The conformance run, against the wire server: it judges, records, and leaves nothing behind."""

from __future__ import annotations

from dataclasses import replace

from local_redshift.testing.server import Redshift
from orderhe_dagster_tests.conformance import report
from orderhe_dagster_tests.contracts.warehouses import over_the_wire
from tests.statement_files import cases

FEW = ("numbers", "changes")


def test_run_judges_records_and_leaves_nothing(redshift: Redshift) -> None:
    warehouse = over_the_wire(redshift)
    chosen = [case for case in cases() if case.file in FEW]
    right = next(case for case in chosen if case.rows)
    wrong = replace(right, title="made wrong", rows=["'never'"])
    told = report(warehouse, [*chosen, wrong])
    by_title = {answer["case"]: answer for answer in told["answers"]}
    assert by_title[f"{right.file}: {right.title}"]["outcome"] == "agrees"
    assert by_title[f"{right.file}: made wrong"]["outcome"] == "differs"
    assert told["outcomes"].pop("differs") == 1, [
        answer for answer in told["answers"] if answer["outcome"] == "differs"
    ]
    assert told["outcomes"]["agrees"] > 20
    assert "Redshift" in told["server"]
    left = warehouse.query("select count(*) from pg_namespace where nspname like 'conformance%'")
    assert left.rows == [(0,)]
