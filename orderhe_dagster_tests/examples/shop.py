"""A small shop and examples of its models, for the tests of the reader and of the runner."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.examples.problems import ExamplesError
from orderhe_dagster.examples.reader import Example, read_examples
from orderhe_dagster.examples.runner import Verdict, run_examples
from orderhe_dagster.resources.build import build_memory_warehouse
from orderhe_dagster_tests.catalog.folders import read, write
from orderhe_dagster_tests.shops import SALES

ODDITIES = """\
-- A column of each type.
create table oddities (
    oddity_id int primary key,
    is_odd bit(1),
    code decimal(6, 2),
    weight double,
    seen_at datetime(6),
    words varchar(50),
    bytes varbinary(10),
    state enum('new', 'old') not null
);
"""
COPIES = """\
-- The same.
-- @grain oddity_id
select
    oddities.oddity_id::integer as oddity_id,
    oddities.is_odd,
    oddities.code,
    oddities.weight,
    oddities.seen_at,
    oddities.words,
    oddities.bytes,
    oddities.state
from warehouse.oddities;
"""
SHARES = """\
-- A hundred among so many.
select
    oddities.oddity_id::integer as oddity_id,
    (100 / oddities.oddity_id)::integer as part
from warehouse.oddities;
"""
DEAR = """\
-- Sales of some worth, for further work.
select
    sales.sold_on::date as sold_on,
    sales.price::decimal(12, 3) as price
from warehouse.sales
where sales.price > 5;
"""
DEAR_DAYS = """\
-- Days with dear sales.
-- @grain sold_on
select
    dear_sales.sold_on::date as sold_on,
    count(*)::bigint as sale_count
from warehouse.dear_sales
group by dear_sales.sold_on;
"""
BY_PRICE = """\
-- Days by what came in, best first.
select
    takings.sold_on::date as sold_on,
    takings.price_total::decimal(38, 3) as price_total
from mart.takings
order by takings.price_total desc, takings.sold_on;
"""
FILES = {
    **SALES,
    "raw/oddities.sql": ODDITIES,
    "mart/copies.sql": COPIES,
    "mart/shares.sql": SHARES,
    "warehouse/dear_sales.sql": DEAR,
    "mart/dear_days.sql": DEAR_DAYS,
    "export/days.sql": BY_PRICE,
}


@pytest.fixture(scope="session")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Catalogue:
    """The shop's catalogue; examples are written into its folder by the tests."""
    return read(tmp_path_factory.mktemp("shop"), FILES)


def examples(shop: Catalogue, text: str, name: str = "mart/takings") -> list[Example]:
    """The examples of a file with this text, which is the only one."""
    file = f"examples/{name}.md"
    write(Path(shop.root), {file: text})
    try:
        return read_examples(shop)
    finally:
        (Path(shop.root) / file).unlink()


def problems(shop: Catalogue, text: str, name: str = "mart/takings") -> list[str]:
    """What is wrong with such a file, without its name."""
    with pytest.raises(ExamplesError) as caught:
        examples(shop, text, name)
    return [str(one).removeprefix(f"examples/{name}.md:") for one in caught.value.problems]


def verdicts(shop: Catalogue, text: str, name: str = "mart/takings") -> list[Verdict]:
    """How the examples of such a file go."""
    with build_memory_warehouse() as session:
        return list(run_examples(shop, examples(shop, text, name), session))
