"""Small shops for tests: a folder of SQL, a home of its own, and verbs to fill, run and ask it."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from click.testing import CliRunner

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.cli import main
from orderhe_dagster.commands.run import Outcome, launch
from orderhe_dagster.ports.source import Source
from orderhe_dagster.ports.store import Store
from orderhe_dagster.ports.warehouse import Warehouse
from orderhe_dagster.resources.build import build_source, build_store, build_warehouse
from orderhe_dagster.road import index
from orderhe_dagster.road.backups import Record
from orderhe_dagster.settings.config import Settings, load_settings

OWN_SQL = Path(__file__).parents[1] / "sql"

SALES = {
    "raw/buyers.sql": """
-- Who buys.
-- @cursor changed_at
-- @pii mail
create table buyers (
    buyer_code varchar(10) not null comment 'Code',
    mail varchar(100) comment 'Address',
    changed_at datetime(6) not null,
    primary key (buyer_code)
);
""",
    "raw/sales.sql": """
-- What was sold.
-- @partition sold_on
-- @cursor changed_at
create table sales (
    shop_no int not null,
    sale_no bigint not null comment 'Running number of the shop',
    buyer_code varchar(10) comment 'Who bought',
    sold_on date not null,
    price decimal(12,3) not null,
    state enum('open', 'paid') not null,
    changed_at datetime(6) not null,
    primary key (shop_no, sale_no),
    foreign key (buyer_code) references buyers (buyer_code)
);
""",
    "mart/takings.sql": """
-- What came in, by day.
-- @partition sold_on
-- @grain sold_on
select
    sales.sold_on::date as sold_on, -- The day
    count(*)::bigint as sale_count, -- How many sales
    sum(sales.price)::decimal(38, 3) as price_total -- Their prices
from warehouse.sales
group by sales.sold_on;
""",
    "mart/buyer_totals.sql": """
-- What each buyer paid.
-- @grain buyer_code
select
    sales.buyer_code::varchar(40) as buyer_code, -- Code
    sum(sales.price)::decimal(38, 3) as price_total -- Sum
from warehouse.sales
inner join warehouse.buyers on sales.buyer_code = buyers.buyer_code
group by sales.buyer_code;
""",
    "export/takings.sql": """
-- For the owner.
select
    takings.sold_on::date as sold_on, -- The day
    takings.price_total::decimal(38, 3) as price_total -- Prices
from mart.takings
order by takings.sold_on;
""",
    "checks/warehouse/sales__prices_are_positive.sql": """
-- Nothing is sold for less than nothing.
select shop_no, sale_no, price from warehouse.sales where price < 0;
""",
}
"""A shop unlike the demo's: a composite key, a text key, decimals, an optional parent."""


@dataclass
class TestShop:
    """A shop in a folder of its own."""

    __test__ = False

    folder: Path
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return load_settings(
            {"ORDERHE_HOME": str(self.folder / "home"), **self.environ}, self.folder
        )

    @property
    def source(self) -> Source:
        return build_source(self.settings)

    @property
    def store(self) -> Store:
        return build_store(self.settings)

    @property
    def warehouse(self) -> Warehouse:
        return build_warehouse(self.settings)

    @property
    def catalogue(self) -> Catalogue:
        from orderhe_dagster.settings.project import read_catalogue

        return read_catalogue(self.settings)

    def write(self, files: Mapping[str, str]) -> None:
        """Write files of the shop's sql folder."""
        for name, text in files.items():
            path = self.folder / "sql" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip("\n"), "utf-8")

    def copy(self, folder: Path) -> TestShop:
        """A copy of the shop, its sql and its home, at `folder`."""
        shutil.copytree(self.folder, folder)
        old, new = str(self.folder), str(folder)
        return TestShop(folder, {name: v.replace(old, new) for name, v in self.environ.items()})

    def create(self) -> None:
        from orderhe_dagster.commands.create import create_all

        create_all(self.settings)

    def change(self, *statements: str) -> None:
        """Change the source, as the shop's own application would."""
        with self.source.writing() as transaction:
            for statement in statements:
                transaction.execute(statement)

    def run(
        self,
        selection: str,
        first: str | None = None,
        last: str | None = None,
        *,
        may_be_empty: bool = False,
        accept: Collection[str] = (),
        prove_all: bool = False,
    ) -> Outcome:
        window = None if first is None else days(first, last)
        return launch(
            self.settings,
            selection,
            window,
            may_be_empty=may_be_empty,
            accept=accept,
            prove_all=prove_all,
        )

    def paste(self, text: str) -> str:
        """Run the first command that a text names, as a person would who pastes it; what it prints."""
        found = re.search(r"orderhe ((?:'[^']*'|[\w./*=_-]+|\s+)+)", text)
        assert found is not None, text
        words = shlex.split(found[1])
        done = CliRunner().invoke(main, words, env={**self.environ, "ORDERHE_HOME": str(self.home)})
        assert done.exit_code == 0, f"orderhe {found[1]}: {done.output}"
        return done.output

    @property
    def home(self) -> Path:
        return self.folder / "home"

    def record(self, table: str, segment: str) -> Record:
        """What the index says of a segment."""
        return index.read(self.store, table).records[Segment(segment)]

    def hold_older(self, name: str, segment: str) -> None:
        """Have the warehouse's audit say of a segment of a table that another version of it is there."""
        with self.warehouse.session("a warehouse that was left behind") as session:
            session.execute(
                f"update warehouse._loads set version = 'older', inputs = 'older'"
                f" where table_name = '{name}' and segment = '{segment}'"
            )

    def rows(self, sql: str) -> list[tuple[Any, ...]]:
        """Ask the warehouse."""
        return [tuple(row) for row in self.warehouse.query(sql).rows]


def days(first: str, last: str | None = None) -> Window:
    """Days, given as ISO texts; both are in."""
    return Window.of(date.fromisoformat(first), date.fromisoformat(last or first))


def shop_of(folder: Path, files: Mapping[str, str], **environ: str) -> TestShop:
    """A shop of these files, not created; its switches are `environ`."""
    (folder / "sql").mkdir(parents=True)
    shop = TestShop(folder, {"ORDERHE_SQL": str(folder / "sql"), **environ})
    shop.write(files)
    return shop


def sales_shop(folder: Path, environ: Mapping[str, str] | None = None) -> TestShop:
    """The shop of `SALES` with three days of rows, created but not run; `environ` are its switches."""
    (folder / "sql").mkdir(parents=True)
    own = {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_START_DATE": "2026-01-01"}
    shop = TestShop(folder, {**own, **(environ or {})})
    shop.write(SALES)
    shop.create()
    fill(shop)
    return shop


def fill(shop: TestShop) -> None:
    """The three days of rows of the shop of `SALES`."""
    shop.change(
        "insert into buyers values ('ann', 'ann@example.com', timestamp '2026-01-01 00:00:00'),"
        " ('밥', null, timestamp '2026-01-01 00:00:00')",
        "insert into sales values"
        " (1, 1, 'ann', date '2026-01-01', 10.500, 'paid', timestamp '2026-01-01 10:00:00'),"
        " (2, 1, 'ann', date '2026-01-01', 0.125, 'open', timestamp '2026-01-01 11:00:00'),"
        " (1, 2, null, date '2026-01-02', 7.000, 'paid', timestamp '2026-01-02 10:00:00'),"
        " (1, 3, '밥', date '2026-01-04', 99999999.999, 'paid', timestamp '2026-01-04 10:00:00')",
    )
