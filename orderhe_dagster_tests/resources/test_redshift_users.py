"""Users who may less: the pipeline as docs/redshift.md has it, a reader of marts as docs/bi.md has it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from local_redshift.session.engine import connect
from local_redshift.testing import server as wire
from local_redshift.testing.certificates import Authority
from orderhe_dagster.doctor.explain import explain
from orderhe_dagster.ports.errors import StatementError
from orderhe_dagster.resources.build import build_store, build_warehouse
from orderhe_dagster.resources.laptop.store_resolver import resolver
from orderhe_dagster.resources.redshift.errors import shown
from orderhe_dagster.settings.config import load_settings
from orderhe_dagster_tests.contracts.warehouses import over_the_wire
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.shops import TestShop, sales_shop

DOCS = Path(__file__).resolve().parents[2] / "docs"
ARN = "arn:aws:iam::123456789012:role/shop-copy"
PASSWORD = "A-long-one-0f-y0ur-own"
DAYS = ("2026-01-01", "2026-01-04")


def statements(page: str, first: str) -> list[str]:
    """The statements of the block of SQL on a page that begins so, with a password where one is left open."""
    blocks = re.findall(r"^```sql\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.M | re.S)
    (block,) = [one for one in blocks if one.startswith(first)]
    block = re.sub(r"--.*", "", block.replace("password '…'", f"password '{PASSWORD}'"))
    return [text for text in map(str.strip, block.split(";")) if text]


@dataclass
class Served:
    """A shop whose warehouse is served to users."""

    server: wire.Redshift
    shop: TestShop

    def told(self, user: str, sql: str) -> str:
        """What a user is told who may not do that."""
        warehouse = over_the_wire(self.server, user=user, password=_secret())
        with pytest.raises(StatementError) as raised:
            warehouse.query(sql)
        assert raised.value.code == "42501"
        return raised.value.message

    def asked(self, user: str, sql: str) -> list[tuple[object, ...]]:
        """What a user is answered."""
        warehouse = over_the_wire(self.server, user=user, password=_secret())
        return [tuple(row) for row in warehouse.query(sql).rows]


def _secret() -> object:
    from orderhe_dagster.settings.secret import Secret

    return Secret.of(PASSWORD)


@pytest.fixture(scope="module")
def served(
    tmp_path_factory: pytest.TempPathFactory, redshift_authority: Authority
) -> Iterator[Served]:
    """The sales shop, run by the user of docs/redshift.md; then the user of docs/bi.md is made."""
    tmp_path = tmp_path_factory.mktemp("served")
    home = {"ORDERHE_HOME": str(tmp_path / "shop" / "home")}
    with ExitStack() as stack:
        reach = resolver(build_store(load_settings(home, tmp_path)), stack)
        server = stack.enter_context(
            wire.serving(tmp_path / "w.duckdb", authority=redshift_authority, resolver=reach)
        )
        with connect(server.database) as owner:
            for statement in statements("redshift.md", "create user loader"):
                owner.execute(statement)
        switches = {
            **variables_of(server),
            "ORDERHE_WAREHOUSE": "redshift",
            "ORDERHE_REDSHIFT_USER": "loader",
            "ORDERHE_REDSHIFT_PASSWORD": PASSWORD,
            "ORDERHE_REDSHIFT_IAM_ROLE": ARN,
        }
        shop = sales_shop(tmp_path / "shop", switches)
        assert shop.run("backup/*,warehouse/*,mart/takings", *DAYS).succeeded
        with connect(server.database) as owner:
            for statement in statements("bi.md", "create user bi"):
                owner.execute(statement)
        yield Served(server, shop)


def test_the_reader_of_marts_reads_marts_and_nothing_else(served: Served) -> None:
    assert served.asked("bi", "select count(*) from mart.takings") == [(3,)]
    seen = "select table_schema, table_name from svv_tables where table_schema <> 'public'"
    assert served.asked("bi", seen) == [("mart", "takings")]
    for sql in (
        "select * from warehouse.sales",
        "select * from warehouse._loads",
        "select mail from warehouse.buyers",
    ):
        assert served.told("bi", sql).startswith("permission denied for schema warehouse")
    for sql in (
        "insert into mart.takings select * from mart.takings",
        "delete from mart.takings",
        "update mart.takings set sale_count = 0",
        "truncate mart.takings",
    ):
        assert served.told("bi", sql).startswith("permission denied for relation takings")
    assert served.told("bi", "drop table mart.takings").startswith("must be owner")
    # A mart that is made later is read, too.
    assert served.shop.run("mart/buyer_totals", *DAYS).succeeded
    assert served.asked("bi", "select count(*) from mart.buyer_totals") == [(2,)]


def test_nobody_but_the_pipeline_names_a_role(served: Served) -> None:
    backups = f"{served.shop.store.url('backup')}/"
    there = sorted(key for key, _ in served.shop.store.listing("backup/"))
    unload = f"unload ($$ select 1 as a $$) to '{backups}' iam_role '{ARN}' cleanpath"
    assert 'does not have ASSUMEROLE permission on IAM role "arn:' in served.told("bi", unload)
    assert sorted(key for key, _ in served.shop.store.listing("backup/")) == there


def test_the_served_warehouse_lets_nobody_write_the_backups(tmp_path: Path) -> None:
    """Not the administrator either, unless a file of roles says otherwise."""
    from orderhe_dagster.commands.serve import Serving, serving_database

    settings = load_settings({"ORDERHE_HOME": str(tmp_path / "home")}, tmp_path)
    store = build_store(settings)
    store.create()
    kept = ("backup/orders/part", "imports/orders/a.csv", "restore/drills/x", "shops/two/Backup/a")
    for key in kept:
        store.put(key, b"rows")
    said: list[str] = []
    with serving_database(settings, Serving(port=0, insecure=True), said.append) as port:
        password = (tmp_path / "home" / "redshift" / "password").read_text("utf-8").strip()
        client = {
            "ORDERHE_WAREHOUSE": "redshift",
            "ORDERHE_REDSHIFT_HOST": "127.0.0.1",
            "ORDERHE_REDSHIFT_PORT": str(port),
            "ORDERHE_REDSHIFT_USER": "admin",
            "ORDERHE_REDSHIFT_PASSWORD": password,
            "ORDERHE_REDSHIFT_SSLMODE": "disable",
        }
        warehouse = build_warehouse(load_settings(client, tmp_path))
        with warehouse.session("a client") as session:
            ways = [(key.rpartition("/")[0], "cleanpath") for key in kept]
            for prefix, way in (*ways, ("backup", "allowoverwrite"), ("shops", "cleanpath")):
                with pytest.raises(StatementError, match="Access Denied"):
                    session.execute(
                        f"unload ('select 1 as a') to '{store.url(prefix)}/' iam_role default {way}"
                    )
            session.execute(
                f"unload ('select 1 as a') to '{store.url('elsewhere')}/' iam_role default"
            )
            for sql in (f"create user bi password '{PASSWORD}'", "create table t (a varchar)"):
                session.execute(sql)
            session.execute("grant select, insert on t to bi")
        reader = build_warehouse(
            load_settings(
                {**client, "ORDERHE_REDSHIFT_USER": "bi", "ORDERHE_REDSHIFT_PASSWORD": PASSWORD},
                tmp_path,
            )
        )
        copy = f"copy t from '{store.url('backup/orders/part')}' iam_role default csv"
        with pytest.raises(StatementError, match="does not have ASSUMEROLE") as refused:
            reader.query(copy)
        why = explain(refused.value)
        assert why is not None
        with warehouse.session("the administrator") as session:
            session.execute(why.command)
        with reader.session("a reader who may") as session:
            session.execute(copy)
    for key in kept:
        stored = store.get(key)
        assert stored is not None
        assert stored.body == b"rows"
    assert [key for key, _ in store.listing("elsewhere/")] != []


@pytest.mark.parametrize(
    "sql",
    [
        "create user bi password $$Needle_1$$",
        "create user bi password 'Needle_1'",
        "alter user bi with password /* so */ $$Needle_1",
    ],
)
def test_a_password_is_not_shown_with_its_statement(sql: str) -> None:
    assert "Needle" not in shown(sql)
    assert "user bi" in shown(sql)
