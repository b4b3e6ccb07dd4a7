"""The beginner's way: pandas reads the table whole, writes Parquet, and puts the frame into DuckDB.

`pandas_road.py FOLDER`; BENCH_SOURCE names the source, BENCH_LAST_DAY the last day that it reads. Run by
the Python of `requirements.lock`.
"""

from __future__ import annotations

import os
import sys

DATABASE = "pandas.duckdb"


def main(folder: str) -> None:
    """Carry the table."""
    import duckdb
    import pandas as pd
    import sqlalchemy as sa

    url = os.environ["BENCH_SOURCE"].replace("mysql://", "mysql+pymysql://")
    last = os.environ.get("BENCH_LAST_DAY", "9999-12-31")
    select = f"select * from orders where order_date <= '{last}'"
    frame = pd.read_sql(select, sa.create_engine(f"{url}?charset=utf8mb4"))
    frame.to_parquet(f"{folder}/orders.parquet", compression="zstd")
    with duckdb.connect(f"{folder}/{DATABASE}") as connection:
        connection.register("frame", frame)
        connection.execute("create or replace table orders as from frame")


if __name__ == "__main__":
    main(*sys.argv[1:])
