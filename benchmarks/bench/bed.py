"""The bench's own servers and folders: a MariaDB, an S3 server, the local Redshift on its wire.

Nothing is measured here. Everything lies in one folder, and is gone when the block ends.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.bench import content, processes, shop
from benchmarks.bench.processes import Command

if TYPE_CHECKING:
    from orderhe_dagster_tests.servers.mariadb import MariaDB

ROOT = Path(__file__).resolve().parents[2]
READER, PASSWORD = "bench", "bench"
"""Whoever reads the shop: with `select` and `show view` alone."""
COLUMNS: Mapping[str, str] = {
    **dict.fromkeys(("order_id", "customer_id", "product_id", "quantity"), "number"),
    **dict.fromkeys(("unit_price", "amount"), "number"),
    "order_date": "date",
    **dict.fromkeys(("status", "channel", "delivery_note"), "text"),
    **dict.fromkeys(("created_at", "updated_at"), "time"),
}
"""The columns of `orders`, and what each counts as when contents are compared."""
_OPTIONS = (
    "--innodb-buffer-pool-size={pool}M",
    "--innodb-log-file-size=512M",
    "--max-connections=200",
)


@dataclass
class Bed:
    """Where a shop lies, and what runs beside it."""

    folder: Path
    server: MariaDB
    database: str
    orders: int
    days: int
    rows: dict[str, int] = field(default_factory=dict)
    columns: Mapping[str, str] = field(default_factory=lambda: COLUMNS)
    _contents: dict[str, content.Content] = field(default_factory=dict)

    @property
    def last(self) -> date:
        """The shop's last day."""
        return shop.yesterday()

    @property
    def first(self) -> date:
        """The shop's first day."""
        return self.last - timedelta(days=self.days - 1)

    @property
    def servers(self) -> dict[str, int]:
        """The process whose CPU is the source's."""
        return {"source": self.server.pid}

    @property
    def url(self) -> str:
        """Where others find the source."""
        return f"mysql://{READER}:{PASSWORD}@{self.server.host}:{self.server.port}/{self.database}"

    def content(self, where: str = "") -> content.Content:
        """What `orders` holds now, by the source itself; `where`: of some rows alone."""
        if where not in self._contents:
            rows = f"{self.database}.orders"
            if where:
                rows = f"(select * from {rows} where {where}) as some"
            self._contents[where] = content.content(
                self.ask, "mysql", rows, self.columns, "order_date"
            )
        return self._contents[where]

    def ask(self, sql: str) -> list[tuple[object, ...]]:
        """Ask the source, as root."""
        return self.server.run(sql)

    def touch(self, day: date) -> None:
        """Change the rows of a day, as the shop's own application would."""
        self.server.run(
            f"update {self.database}.orders set amount = amount + unit_price, quantity = quantity + 1, "
            f"updated_at = updated_at + interval 1 second where order_date = '{day}'"
        )
        self._contents.clear()

    def home(self, name: str) -> Path:
        """A folder of its own, empty."""
        path = self.folder / name
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir(parents=True)
        return path


def environment(**more: str) -> dict[str, str]:
    """The variables of a process of the bench: none of the platform's but those given, bytecode cached."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("ORDERHE_", "AWS_", "DAGSTER_"))
    }
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    return {**kept, "PYTHONPATH": str(ROOT), "DO_NOT_TRACK": "1", **more}


@contextmanager
def made(orders: int, days: int, sql: Path = shop.CONTRACTS) -> Iterator[Bed]:
    """A shop of that size on a MariaDB of its own, for the block."""
    from orderhe_dagster_tests.servers.mariadb import running

    pool = max(256, min(4_096, orders // 1_500))
    options = [option.format(pool=pool) for option in _OPTIONS]
    with (
        running(tls=False, options=options) as server,
        tempfile.TemporaryDirectory(prefix="orderhe-bench-") as folder,
        server.database() as database,
    ):
        server.run(f"create user {READER} identified by '{PASSWORD}'")
        server.run(f"grant select, show view on `shop\\_%`.* to {READER}")
        bed = Bed(Path(folder), server, database, orders, days)
        if orders:
            fill(bed, sql)
        yield bed


def fill(bed: Bed, sql: Path) -> None:
    """Make the shop's rows, in a process of their own."""
    words = [
        *(sys.executable, "-m", "benchmarks.bench.shop"),
        *(str(bed.server.folder / "s"), bed.database),
        *("--orders", str(bed.orders), "--days", str(bed.days), "--sql", str(sql)),
    ]
    _, lines = processes.run(Command(words, environment(), ROOT))
    told = processes.said(lines)
    bed.rows = {name: int(told[name]) for name in shop.TABLES}


@dataclass(frozen=True)
class Systems:
    """A store and a warehouse: the variables that name them, and the servers whose CPU counts."""

    name: str
    environ: Mapping[str, str]
    servers: Mapping[str, int] = field(default_factory=dict)


def source_variables(bed: Bed, home: Path) -> dict[str, str]:
    """What names the source, the home and the shop's first day for the platform."""
    return {
        "ORDERHE_HOME": str(home),
        "ORDERHE_START_DATE": bed.first.isoformat(),
        "ORDERHE_SOURCE": "mysql",
        "ORDERHE_MYSQL_HOST": bed.server.host,
        "ORDERHE_MYSQL_PORT": str(bed.server.port),
        "ORDERHE_MYSQL_USER": READER,
        "ORDERHE_MYSQL_PASSWORD": PASSWORD,
        "ORDERHE_MYSQL_DATABASE": bed.database,
        "ORDERHE_MYSQL_SSLMODE": "disable",
        "ORDERHE_STORE": "folder",
        "ORDERHE_WAREHOUSE": "embedded",
    }


@contextmanager
def laptop(bed: Bed, home: Path, **more: str) -> Iterator[Systems]:
    """Folder and embedded warehouse in `home`."""
    yield Systems("folder", environment(**source_variables(bed, home), **more))


@contextmanager
def served(bed: Bed, home: Path, **more: str) -> Iterator[Systems]:
    """An S3 server and the local Redshift on its wire, each a process of its own for the block."""
    from orderhe_dagster_tests.servers import s3

    with s3.running() as store:
        bucket = store.bucket_name("bench")
        store.client().create_bucket(Bucket=bucket)
        variables = {
            **source_variables(bed, home),
            **s3.NOWHERE,
            **store.environ,
            "ORDERHE_STORE": "s3",
            "ORDERHE_S3_BUCKET": bucket,
            "ORDERHE_S3_ENDPOINT_URL": store.url,
            **more,
        }
        with _redshift(environment(**variables), home / "warehouse") as (pid, reached):
            given = {**variables, **reached, "ORDERHE_WAREHOUSE": "redshift"}
            servers = {"warehouse": pid, "s3": store.pid}
            yield Systems("s3 + wire", environment(**given), servers)


@contextmanager
def _redshift(environ: Mapping[str, str], home: Path) -> Iterator[tuple[int, dict[str, str]]]:
    """The local Redshift on a free port: its process, and the variables that reach it."""
    words = [sys.executable, "-m", "orderhe_dagster.cli", "warehouse", "serve"]
    process = subprocess.Popen(
        [*words, "--port", "0", "--insecure"],
        env={**environ, "ORDERHE_HOME": str(home), "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    told: list[str] = []
    try:
        for line in process.stdout:
            told.append(line)
            if "ORDERHE_REDSHIFT_PASSWORD=" in line:
                break
        reached = {
            name: value.strip().strip("'")
            for name, _, value in (
                line.removeprefix("export ").partition("=") for line in told if "export " in line
            )
        }
        assert "ORDERHE_REDSHIFT_PORT" in reached, f"the warehouse is not served:\n{''.join(told)}"
        password = (home / "redshift" / "password").read_text("utf-8").strip()
        yield process.pid, {**reached, "ORDERHE_REDSHIFT_PASSWORD": password}
    finally:
        process.terminate()
        process.wait()
        process.stdout.close()
