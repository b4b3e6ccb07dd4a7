"""A desk at which files are imported: a shop with odd tables, a store, a folder."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.intake.importing import Hints, Imported, ImportProblems, import_file
from orderhe_dagster.ports.source import Source
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster.resources.laptop.folder_store import FolderStore

CONTRACTS = {
    "lines": """
-- Lines.
-- @partition sold_at
-- @pii mail
create table `lines` (
    shop varchar(4) not null,
    number int not null,
    sold_at datetime(3) not null,
    price decimal(8, 2) not null,
    state enum('new', 'done') not null default 'new',
    mail varchar(20),
    small tinyint unsigned,
    ratio double,
    first_day date,
    primary key (shop, number),
    unique key lines_mail (mail)
);
""",
    "events": """
-- Without a key.
-- @partition moment
create table events (moment timestamp not null, body text, shape json, flag bit(1), raw varbinary(4));
""",
    "order": """
-- Reserved words.
create table `order` (`key` varchar(5) not null, `group` int, primary key (`key`));
""",
    "rare": """
-- What MySQL is particular about.
create table rare (
    id int not null,
    made year,
    clock time,
    fine time(3),
    tags set('a', 'b', 'it''s'),
    code char(5),
    four binary(4),
    ratio double,
    small float,
    shape json,
    primary key (id)
);
""",
}
COMPUTED = """
day = '2026-03-01 00:00:00'
lines = [{'shop': 'k', 'number': n, 'sold_at': day, 'price': n / 1000} for n in (10, 1)]
"""
HEADER = "shop,number,sold_at,price"
GOOD = "kr,1,2026-03-01 00:00:00,10.50\n"


class Desk:
    """A shop, a store, and a folder to put files in."""

    def __init__(self, home: Path, source: Source | None = None) -> None:
        (home / "sql" / "raw").mkdir(parents=True)
        for name, text in CONTRACTS.items():
            (home / "sql" / "raw" / f"{name}.sql").write_text(text, "utf-8")
        found = read_catalogue(home / "sql").in_zone("Asia/Seoul").layer("raw")
        self.home = home
        self.tables = {table.name: table for table in found}
        self.source = source or EmbeddedSource(path=str(home / "shop.duckdb"))
        self.source.create(found)
        self.store = FolderStore(root=str(home / "s3"), bucket="shop")
        self.store.create()

    def put(
        self, text: str | bytes, name: str = "lines.csv", table: str = "lines", **more: Any
    ) -> Imported:
        file = self.home / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.take(file, table, **more)

    def take(self, file: Path | str, table: str = "lines", **more: Any) -> Imported:
        more.setdefault("scratch", self.home / "scratch")
        if not str(file).endswith((".csv", ".gz", ".jsonl")):
            more.setdefault("hints", Hints(run_python=True))
        return import_file(self.tables[table], file, self.source, self.store, **more)

    def rows(self, table: str = "lines", columns: str = "*") -> list[dict[str, Any]]:
        with self.source.writing() as transaction:
            return list(
                transaction.fetch(f'select {columns} from "{table}" order by 1, 2').to_pylist()
            )


def refused(
    desk: Desk, text: str | bytes, *words: str, name: str = "lines.csv", table: str = "lines"
) -> str:
    """Import a bad file; its report, which holds every word, while the table holds what it held."""
    before = desk.rows(table)
    with pytest.raises(ImportProblems) as caught:
        desk.put(text, name, table)
    report = str(caught.value)
    assert [word for word in words if word not in report] == [], report
    assert desk.rows(table) == before
    return report


class Counter:
    """A desk for the orders of `people`: each file is loaded into an empty table."""

    def __init__(self, home: Path) -> None:
        from orderhe_dagster_tests.intake.importing.people import CONTRACT

        (home / "sql" / "raw").mkdir(parents=True)
        (home / "sql" / "raw" / "orders.sql").write_text(CONTRACT, "utf-8")
        (self.table,) = read_catalogue(home / "sql").in_zone("Asia/Seoul").layer("raw")
        self.home = home
        self.source = EmbeddedSource(path=str(home / "shop.duckdb"))
        self.source.create([self.table])
        self.store = FolderStore(root=str(home / "s3"), bucket="shop")
        self.store.create()
        self.last: list[dict[str, Any]] = []

    def load(
        self, body: str | bytes, name: str = "orders.csv", *, columns: str = "*", **more: Any
    ) -> tuple[list[Any], str]:
        """The rows that came of a file, without the picture, and what it was. They are taken out again."""
        file = self.home / name
        file.write_bytes(body.encode() if isinstance(body, str) else body)
        done = import_file(
            self.table, file, self.source, self.store, scratch=self.home / "scratch", **more
        )
        with self.source.writing() as transaction:
            self.last = transaction.fetch(f"select {columns} from orders order by 1").to_pylist()
            transaction.execute("delete from orders")
        rows = [tuple(row.values())[:6] for row in self.last]
        return rows, done.recognised
