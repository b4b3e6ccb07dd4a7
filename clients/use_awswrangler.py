"""awswrangler: a frame by COPY into a table, appended and overwritten, and back by UNLOAD and by SQL."""

from __future__ import annotations

import os
from datetime import date, datetime
from decimal import Decimal

import awswrangler as wr
import pandas as pd
import redshift_connector

FRAME = pd.DataFrame(
    {
        "id": pd.array([1, 2, 3], dtype="Int64"),
        "name": ["a", "한글", None],
        "price": [Decimal("1.50"), Decimal("-2.00"), None],
        "day": [date(2024, 2, 29), date(1999, 12, 31), None],
        "at": [datetime(2024, 2, 29, 1, 2, 3), datetime(2000, 1, 1), None],
        "is_new": pd.array([True, False, None], dtype="boolean"),
        "rate": [0.5, 1e300, None],
    }
)


def main() -> None:
    """Say each step that works; the first that does not raises."""
    path = f"s3://{os.environ['CLIENT_BUCKET']}/wrangler"
    role = "arn:aws:iam::123456789012:role/loader"
    with redshift_connector.connect(
        host=os.environ["CLIENT_HOST"],
        port=int(os.environ["CLIENT_PORT"]),
        user=os.environ["CLIENT_USER"],
        password=os.environ["CLIENT_PASSWORD"],
        database=os.environ["CLIENT_DATABASE"],
        sslmode="verify-full",
    ) as connection:
        for mode in ("overwrite", "append", "upsert"):
            wr.redshift.copy(
                df=FRAME,
                path=f"{path}/{mode}/",
                con=connection,
                table="frame",
                schema="public",
                iam_role=role,
                mode=mode,
                primary_keys=["id"] if mode == "upsert" else None,
            )
            found = wr.redshift.read_sql_query("select count(*) as n from frame", con=connection)
            print(f"copy, {mode}: {found['n'][0]} rows", flush=True)
        wr.redshift.copy(
            df=FRAME, path=f"{path}/again/", con=connection, table="frame", schema="public",
            iam_role=role, mode="overwrite", overwrite_method="delete",
        )  # fmt: skip
        back = wr.redshift.unload(
            sql="select * from frame order by id",
            path=f"{path}/out/",
            con=connection,
            iam_role=role,
        ).sort_values("id")
        assert back["name"].tolist()[:2] == FRAME["name"].tolist()[:2], back
        assert back["price"].tolist()[:2] == FRAME["price"].tolist()[:2], back
        print(f"unload: {len(back)} rows, {list(back.dtypes.astype(str))}", flush=True)
        files = wr.redshift.unload_to_files(
            sql="select id, day from frame where day is not null",
            path=f"{path}/parts/",
            con=connection,
            iam_role=role,
            partition_cols=["day"],
        )
        print(f"unload_to_files by day: {files}", flush=True)
        wr.redshift.to_sql(
            df=FRAME[["id", "name"]],
            con=connection,
            table="small",
            schema="public",
            mode="overwrite",
        )
        found = wr.redshift.read_sql_table("small", con=connection, schema="public")
        assert len(found) == 3
        print("to_sql and read_sql_table: 3 rows", flush=True)


if __name__ == "__main__":
    main()
