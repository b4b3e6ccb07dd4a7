"""A shop for plans, and what a run of it really did, read from its ledgers: no figure of the run's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from orderhe_dagster.road import index
from orderhe_dagster.settings.project import today
from orderhe_dagster_tests.shops import TestShop, shop_of

_FIRST = today("Asia/Seoul") - timedelta(days=8)
DAYS = [(_FIRST + timedelta(days=number)).isoformat() for number in range(8)]
"""All the days of the shop's history; of the last two there is no sale."""
FILES = {
    "raw/buyers.sql": """
-- @cursor changed_at
create table buyers (
    buyer int not null, town varchar(20), mail varchar(20), changed_at datetime(6) not null,
    primary key (buyer)
);
""",
    "raw/sales.sql": """
-- @partition sold_on
-- @cursor changed_at
create table sales (
    sale int not null, buyer int, sold_on date not null, price decimal(12,2) not null,
    state varchar(10) not null, note varchar(20), changed_at datetime(6) not null,
    primary key (sale)
);
""",
    "mart/takings.sql": """
-- @partition sold_on
-- @grain sold_on
select
    sales.sold_on::date as sold_on,
    sum(case when sales.state <> 'gone' then sales.price end)::decimal(38, 2) as price_total
from warehouse.sales
group by sales.sold_on;
""",
    "mart/town_sales.sql": """
-- @partition sold_on
select
    sales.sold_on::date as sold_on, buyers.town::varchar(20) as town, count(*)::bigint as sale_count
from warehouse.sales
inner join warehouse.buyers on sales.buyer = buyers.buyer
group by sales.sold_on, buyers.town;
""",
    "mart/best_days.sql": """
-- @grain sold_on
select takings.sold_on::date as sold_on, takings.price_total::decimal(38, 2) as price_total
from mart.takings
where takings.price_total > 100;
""",
    "mart/buyer_totals.sql": """
-- @grain buyer
select sales.buyer::integer as buyer, sum(sales.price)::decimal(38, 2) as price_total
from warehouse.sales
group by sales.buyer;
""",
    "export/takings.sql": """
select takings.sold_on::date as sold_on, takings.price_total::decimal(38, 2) as price_total
from mart.takings
order by takings.sold_on;
""",
    "export/best_days.sql": """
select best_days.sold_on::date as sold_on, best_days.price_total::decimal(38, 2) as price_total
from mart.best_days
order by best_days.sold_on;
""",
}
AT = "timestamp '2026-01-08 00:00:00'"
LATER = "timestamp '2026-01-09 00:00:00'"


def sale(number: int, day: str, price: str = "10.00", buyer: int | str = "null") -> str:
    """The statement that sells."""
    values = f"{number}, {buyer}, date '{day}', {price}, 'open', 'x', {AT}"
    return f"insert into sales values ({values})"


def planned_shop(folder: Path, environ: Mapping[str, str] | None = None) -> TestShop:
    """A shop with six days of sales, two a day, of six buyers; created and not run."""
    more = environ or {}
    shop = shop_of(folder, FILES, ORDERHE_SHOP="external", ORDERHE_START_DATE=DAYS[0], **more)
    shop.create()
    shop.change(
        *(f"insert into buyers values ({n}, 'town {n % 2}', 'm{n}', {AT})" for n in range(6)),
        *(
            sale(10 * place + n, day, f"{60 + place}.00", (2 * place + n) % 6)
            for place, day in enumerate(DAYS[:6])
            for n in (1, 2)
        ),
    )
    return shop


@dataclass(frozen=True)
class Done:
    """What a run did: the segments by asset, the rows it loaded, the Parquet files it wrote."""

    segments: Mapping[str, set[str]]
    rows: Mapping[str, int]
    files: Mapping[str, int]


def done(shop: TestShop, run_id: str, stamps: Mapping[str, int]) -> Done:
    """What the ledgers say that the run of that id did; `stamps`: when exports were written before it."""
    segments: dict[str, set[str]] = {}
    rows: dict[str, int] = {}
    files: dict[str, int] = {}
    for table in shop.catalogue.layer("raw"):
        asset = f"backup/{table.name}"
        for segment, record in index.read(shop.store, table.name).records.items():
            if record.run_id == run_id:
                segments.setdefault(asset, set()).add(segment.text)
                rows[asset] = rows.get(asset, 0) + record.measure.rows
                files[asset] = files.get(asset, 0) + len(record.parts)
    loads = "select table_name, segment, row_count, generation from warehouse._loads"
    for name, segment, count, generation in shop.rows(f"{loads} where run_id = '{run_id}'"):
        asset = name.replace(".", "/")
        segments.setdefault(asset, set()).add(segment)
        if generation:
            rows[asset] = rows.get(asset, 0) + count
    for name, stamp in written(shop).items():
        if stamps.get(name) != stamp:
            segments[f"export/{name}"] = {"all"}
    return Done(segments, rows, files)


def written(shop: TestShop) -> dict[str, int]:
    """When each export's file was written."""
    return {path.stem: path.stat().st_ctime_ns for path in (shop.home / "exports").glob("*.csv")}
