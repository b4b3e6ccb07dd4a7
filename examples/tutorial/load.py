"""Step 4 of docs/tutorial.md: the same rows loaded in four ways, and what each takes.

INSERT row by row, INSERT of many rows a statement, COPY of a CSV file, COPY of a Parquet file.
"""

import io
import os
import random
import time
from collections.abc import Callable

import pandas as pd
import redshift_connector
from redshift_connector import Cursor

from orderhe_dagster.ports.store import Store
from orderhe_dagster.resources.build import build_store
from orderhe_dagster.settings.config import load_settings

ROWS = 2_000
COLUMNS = ["order_id", "order_date", "product_id", "quantity", "amount"]


def made_up_orders() -> pd.DataFrame:
    """The same orders every time."""
    chance = random.Random(1)
    return pd.DataFrame(
        {
            "order_id": range(1, ROWS + 1),
            "order_date": pd.to_datetime("2026-11-01").date(),
            "product_id": [chance.randint(1, 300) for _ in range(ROWS)],
            "quantity": [chance.randint(1, 5) for _ in range(ROWS)],
            "amount": [chance.randint(10, 900) * 100 for _ in range(ROWS)],
        }
    ).astype({"order_id": "int64", "product_id": "int32", "quantity": "int32", "amount": "int64"})


def insert_row_by_row(cursor: Cursor, orders: pd.DataFrame, store: Store) -> None:
    """One statement a row: what most programs do first."""
    sql = "insert into lesson.orders values (%s, %s, %s, %s, %s)"
    for row in orders.itertuples(index=False):
        cursor.execute(sql, tuple(row))


def insert_many_rows(cursor: Cursor, orders: pd.DataFrame, store: Store) -> None:
    """A thousand rows a statement."""
    for start in range(0, len(orders), 1_000):
        some = orders[start : start + 1_000]
        values = ", ".join(
            f"({row.order_id}, '{row.order_date}', {row.product_id}, {row.quantity}, {row.amount})"
            for row in some.itertuples(index=False)
        )
        cursor.execute(f"insert into lesson.orders values {values}")


def copy_csv(cursor: Cursor, orders: pd.DataFrame, store: Store) -> None:
    """Put a CSV file into the bucket; let the warehouse fetch it."""
    store.put("lesson/orders.csv", orders.to_csv(index=False).encode())
    url = store.url("lesson/orders.csv")
    cursor.execute(f"copy lesson.orders from '{url}' iam_role default csv ignoreheader 1")


def copy_parquet(cursor: Cursor, orders: pd.DataFrame, store: Store) -> None:
    """The same with Parquet, whose types leave nothing to read wrongly."""
    body = io.BytesIO()
    orders.to_parquet(body, index=False)
    store.put("lesson/orders.parquet", body.getvalue())
    url = store.url("lesson/orders.parquet")
    cursor.execute(f"copy lesson.orders from '{url}' iam_role default format parquet")


WAYS: dict[str, Callable[[Cursor, pd.DataFrame, Store], None]] = {
    "INSERT, a row a statement": insert_row_by_row,
    "INSERT, 1,000 rows a statement": insert_many_rows,
    "COPY of CSV": copy_csv,
    "COPY of Parquet": copy_parquet,
}


def main() -> None:
    """Load the rows in each way into the emptied table, and say how long it took."""
    if not {"ORDERHE_REDSHIFT_HOST", "SSL_CERT_FILE"} <= set(os.environ):
        raise SystemExit(
            "This terminal does not know the server yet: do step 2 of the tutorial here"
        )
    orders, store = made_up_orders(), build_store(load_settings())
    setting = {
        name: os.environ[f"ORDERHE_REDSHIFT_{name.upper()}"]
        for name in ("host", "port", "user", "password", "database")
    }
    arguments = {**setting, "port": int(setting["port"])}
    print(f"{'way':<32}{'rows':>7}{'seconds':>9}{'rows a second':>15}")
    with redshift_connector.connect(**arguments, ssl=True, sslmode="verify-full") as connection:
        for way, load in WAYS.items():
            with connection.cursor() as cursor:
                cursor.execute("delete from lesson.orders")
                connection.commit()
                began = time.perf_counter()
                load(cursor, orders, store)
                connection.commit()  # one transaction: all rows are there, or none
                seconds = time.perf_counter() - began
                cursor.execute("select count(*), sum(amount) from lesson.orders")
                rows, amount = cursor.fetchone()
                if (rows, amount) != (len(orders), int(orders["amount"].sum())):
                    raise SystemExit(f"{way}: {rows} rows of {len(orders)} arrived")
            print(f"{way:<32}{rows:>7,}{seconds:>9.2f}{rows / seconds:>15,.0f}")


if __name__ == "__main__":
    main()
