"""dlt: MySQL to a DuckDB file by way of Parquet, with the backend that it recommends for speed.

`dlt_road.py WHAT FOLDER [DAY]`: `first` replaces the table, `day DAY` merges the rows of a day by key,
`dagster` is `first` inside a Dagster asset. BENCH_SOURCE names the source, BENCH_RETURN_TYPE how connectorx
hands rows on. Run by the Python of `requirements.lock`.
"""

from __future__ import annotations

import os
import sys
import time
from datetime import date
from typing import Any

DATABASE = "dlt.duckdb"
COLUMNS_KEY = "order_id"


def carry(folder: str, day: str = "") -> None:
    """Extract, normalize and load."""
    import dlt
    from dlt.sources.sql_database import sql_table

    url = os.environ["BENCH_SOURCE"]
    options: dict[str, Any] = {}
    if day:

        def of_day(query: Any, table: Any) -> Any:
            return query.where(table.c.order_date == date.fromisoformat(day))

        options = {"query_adapter_callback": of_day, "primary_key": COLUMNS_KEY}
    rows = sql_table(
        url.replace("mysql://", "mysql+pymysql://"),
        table="orders",
        backend="connectorx",
        reflection_level="full",
        backend_kwargs={"conn": url, "return_type": os.environ["BENCH_RETURN_TYPE"]},
        **options,
    )
    pipeline = dlt.pipeline(
        "bench", destination=dlt.destinations.duckdb(f"{folder}/{DATABASE}"), dataset_name="raw"
    )
    pipeline.extract(
        rows, loader_file_format="parquet", write_disposition="merge" if day else "replace"
    )
    pipeline.normalize()
    pipeline.load(raise_on_failed_jobs=True)


def in_dagster(folder: str) -> None:
    """The same as an asset, materialized in this process on an instance that stays."""
    import dagster as dg

    @dg.asset
    def orders() -> None:
        carry(folder)

    with dg.DagsterInstance.get() as instance:
        assert dg.materialize([orders], instance=instance).success


def main(what: str, folder: str, day: str = "") -> None:
    """Do it, and say how long it took beyond the imports of this program."""
    began = time.perf_counter()
    if what == "dagster":
        in_dagster(folder)
    else:
        carry(folder, day)
    print(f'BENCH {{"work_s": {time.perf_counter() - began}}}')


if __name__ == "__main__":
    main(*sys.argv[1:])
