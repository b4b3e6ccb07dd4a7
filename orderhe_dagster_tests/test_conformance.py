"""The conformance run by the platform's own connection; what it judges and records: local_redshift/tests."""

from __future__ import annotations

from local_redshift.testing.server import Redshift
from orderhe_dagster_tests.conformance import executing
from orderhe_dagster_tests.contracts.warehouses import over_the_wire
from tests.conformance import report
from tests.statement_files import cases


def test_run_asks_by_the_platform_s_connection(redshift: Redshift) -> None:
    warehouse = over_the_wire(redshift)
    chosen = [case for case in cases() if case.file == "numbers"]
    with executing(warehouse) as (execute, server):
        result = report(execute, server, chosen)
    assert result["warehouse"] == warehouse.identity
    assert result["outcomes"]["agrees"] > 10
    assert "differs" not in result["outcomes"]
