"""A newcomer's way with a shop of another system: his commands, as he types them, and what he sees then."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orderhe_dagster.catalog.table import Table
from orderhe_dagster.cli import main
from orderhe_dagster.settings import project
from orderhe_dagster_tests.intake.adopt.strange import on
from orderhe_dagster_tests.intake.shops_of_others.history import TODAY
from orderhe_dagster_tests.intake.shops_of_others.shop import OtherShop, ask, load
from orderhe_dagster_tests.servers.mariadb import READER, MariaDB
from orderhe_dagster_tests.shops import TestShop

_DATA = re.compile(r'<script type="application/json" id="data">(.*?)</script>')


class _Pinned(datetime):
    """A clock that stands: the tests' histories have fixed days."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> _Pinned:
        return cls(TODAY.year, TODAY.month, TODAY.day, 4, tzinfo=tz)


@dataclass
class Walk:
    """A shop of another system in a MariaDB, an empty folder for its SQL, and what was typed and printed."""

    other: OtherShop
    server: MariaDB
    database: str
    shop: TestShop
    typed: list[str] = field(default_factory=list)
    printed: dict[str, str] = field(default_factory=dict)
    """What each verb said last."""

    def type(self, command: str) -> str:
        """Run a command as it is typed behind `orderhe`; it must succeed. What it prints."""
        environ = {**self.shop.environ, "ORDERHE_HOME": str(self.shop.home)}
        words = shlex.split(command)
        done = CliRunner().invoke(main, words, env=environ, catch_exceptions=False)
        assert done.exit_code == 0, f"orderhe {command}:\n{done.output}"
        self.typed.append(command)
        self.printed[words[0]] = done.output
        return done.output

    @property
    def answers(self) -> int:
        """How many choices were made by flags, in all that was typed."""
        return sum(word.startswith("--") for line in self.typed for word in shlex.split(line))

    def source_counts(self) -> Mapping[str, int]:
        """How many rows each table has in the shop's own database, by its name there."""
        names = ask(
            self.server,
            self.database,
            "select table_name from information_schema.tables where table_schema = database()",
        )
        every = " union all ".join(
            f"select '{name}', count(*) from `{name.replace('`', '``')}`" for (name,) in names
        )
        return dict(ask(self.server, self.database, every))

    def warehouse_counts(self, tables: Sequence[Table]) -> Mapping[str, int]:
        """How many rows tables have in the warehouse, by their names in the shop's database."""
        every = " union all ".join(
            f"select '{table.name}', count(*) from warehouse.\"{table.name}\"" for table in tables
        )
        counts = dict(self.shop.rows(every))
        return {table.source_name: counts[table.name] for table in tables}

    def mart(self, name: str) -> list[dict[str, Any]]:
        """The rows of a mart."""
        table = next(t for t in self.shop.catalogue.layer("mart") if t.name == name)
        columns = ", ".join(f'"{column}"' for column in table.column_names)
        rows = self.shop.rows(f'select {columns} from mart."{name}"')
        return [dict(zip(table.column_names, row, strict=True)) for row in rows]

    @property
    def marts(self) -> Sequence[str]:
        """The names of the marts that the shop has."""
        return [table.name for table in self.shop.catalogue.layer("mart")]

    def dashboard(self) -> dict[str, Any]:
        """The data that the dashboard draws."""
        page = (self.shop.home / "dashboard" / "index.html").read_text("utf-8")
        (data,) = _DATA.findall(page)
        drawn: dict[str, Any] = json.loads(data)
        return drawn


def begun(
    other: OtherShop,
    server: MariaDB,
    database: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> Walk:
    """The shop as a newcomer has it: its rows in its MySQL, the settings that lead there, nothing else."""
    monkeypatch.setattr(project, "datetime", _Pinned)
    load(other, server, database)
    sql = folder / "sql"
    sql.mkdir(parents=True)
    shop = TestShop(folder, {"ORDERHE_SQL": str(sql)})
    on(shop, server, database)
    shop.environ |= {  # who may only read
        "ORDERHE_MYSQL_USER": READER.user,
        "ORDERHE_MYSQL_PASSWORD": READER.password,
    }
    return Walk(other, server, database, shop)
