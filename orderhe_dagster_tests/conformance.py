"""`make conformance`: asks the Redshift of ORDERHE_REDSHIFT_* what the local Redshift's tests expect.

The connection is the platform's own, by password or by IAM.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from local_redshift.errors import RedshiftError
from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.ports.warehouse import Warehouse

ROOT = Path(__file__).resolve().parents[1]
if str(ROOT / "local_redshift") not in sys.path:  # where pytest has put it already
    sys.path.append(str(ROOT / "local_redshift"))

from tests.conformance import Answer, Execute, run  # noqa: E402


@contextmanager
def executing(warehouse: Warehouse) -> Iterator[tuple[Execute, str]]:
    """What executes statements on a session of the warehouse, and where that is."""
    with warehouse.session("conformance") as session:

        def execute(sql: str) -> Answer:
            try:
                result = session.execute(sql)
            except StatementError as error:
                raise RedshiftError(error.code, error.message) from None
            return Answer(result.rows, result.types)

        yield execute, warehouse.identity


def main() -> int:
    """Ask the warehouse of the settings."""
    from orderhe_dagster.resources.build import build_warehouse
    from orderhe_dagster.settings.config import load_settings

    return run(lambda: executing(build_warehouse(load_settings())))


if __name__ == "__main__":
    sys.exit(main())
