"""Needles: unmistakable values in every @pii column, looked for wherever they must not come.

Personal data may be in the source, the backups and the warehouse layer. It may not be in marts,
exports, run history, logs, previews, check results or error messages, whatever goes wrong.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from orderhe_dagster.commands.import_file import import_into
from orderhe_dagster.errors import OrderheError
from orderhe_dagster_tests.shops import OWN_SQL, TestShop

NEEDLES = {
    "full_name": "Zorblax Kim",
    "email": "zorblax.mail@example.com",
    "phone": "010-6666-ZORBLAX",
    "birth_date": "1903-02-07",
    "address": "Zorblax Street 7",
    "delivery_note": "ring twice at zorblax's",
}
"""A value for each @pii column of the demo's contracts."""

SIGNS = ("zorblax", "1903-02-07", "1903, 2, 7")
"""What a needle is known by, in lower case, however it is quoted, cut or escaped."""

HARMLESS = "Haystack City"
"""A value that is not personal: whoever looks finds it, so that finding no needle says something."""

DAYS = ("2026-03-01", "2026-03-03")


@dataclass
class Output:
    """What the runs of the shop said, beyond the files they left."""

    texts: list[str] = field(default_factory=list)


def customer(number: int, **values: str) -> str:
    """A row to insert; a number at the end keeps unique columns unique."""
    row = {name: f"{NEEDLES[name]}" for name in ("full_name", "phone", "birth_date", "address")}
    row |= {"email": f"{number}.{NEEDLES['email']}"} | values
    texts = ", ".join(
        "'" + row[name].replace("'", "''") + "'"
        for name in ("full_name", "email", "phone", "birth_date")
    )
    return (
        f"({number}, {texts}, 'ko_KR', '{HARMLESS}', '{row['address']}', date '2026-02-01', true,"
        " timestamp '2026-02-01 00:00:00', timestamp '2026-02-01 00:00:00')"
    )


def order(number: int, customer_id: int, day: str) -> str:
    note = NEEDLES["delivery_note"].replace("'", "''")
    return (
        f"({number}, {customer_id}, 1, date '{day}', 2, 500, 1000, 'paid', 'web', '{note}',"
        f" timestamp '{day} 01:00:00', timestamp '{day} 01:00:00')"
    )


@pytest.fixture
def shop(tmp_path: Path) -> TestShop:
    """The demo's tables, filled by others, with needles in every personal column."""
    shutil.copytree(OWN_SQL, tmp_path / "sql")
    environ = {"ORDERHE_SQL": str(tmp_path / "sql"), "ORDERHE_START_DATE": DAYS[0]}
    shop = TestShop(tmp_path, environ)
    shop.create()
    personal = {c.name for t in shop.catalogue.layer("raw") for c in t.columns if c.pii}
    assert personal == set(NEEDLES), "a needle for each personal column, please"
    shop.change(
        "insert into products values (1, 'S1', 'Comb', 'Bath', 'Combo', 500, null, true,"
        " date '2026-01-01', timestamp '2026-01-01 00:00:00', timestamp '2026-01-01 00:00:00')",
        f"insert into customers values {customer(1)}, {customer(2)}",
        f"insert into orders values {order(1, 1, DAYS[0])}, {order(2, 2, DAYS[1])}",
    )
    return shop


@pytest.fixture
def output(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> Iterator[Output]:
    """Texts to look through; logs and what was printed join them when they are looked through."""
    with caplog.at_level("DEBUG"):
        yield Output()


def assert_nothing_leaked(
    shop: TestShop, output: Output, caplog: pytest.LogCaptureFixture, out: str
) -> None:
    """Find no needle in what was said, printed and logged, nor in any file outside the layers."""
    for text in (*output.texts, caplog.text, out):
        assert_clean(text, text)
    home = shop.folder / "home"
    files = [
        path
        for path in home.rglob("*")
        if path.is_file() and home / "s3" not in path.parents and path.suffix != ".duckdb"
    ]
    assert {"dagster", "cache"} <= {path.relative_to(home).parts[0] for path in files}
    for path in files:
        assert_clean(path.read_bytes().decode("utf-8", "replace"), str(path))


def history_of(shop: TestShop) -> str:
    """All that Dagster wrote down."""
    files = [path for path in (shop.folder / "home/dagster").rglob("*") if path.is_file()]
    text = b"".join(path.read_bytes() for path in files).decode("utf-8", "replace")
    return text.replace("\\u2022", "•")


def assert_clean(text: str, where: str) -> None:
    lower = text.lower()
    for sign in SIGNS:
        place = lower.find(sign)
        assert place < 0, f"{sign!r} in {where[:3000]}: …{text[max(0, place - 300) : place + 100]}…"


def test_no_needle_leaves_the_warehouse_when_all_goes_well(
    shop: TestShop,
    output: Output,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    outcome = shop.run("*", *DAYS)
    assert outcome.succeeded, outcome.lines()
    output.texts += outcome.lines()
    assert_nothing_leaked(shop, output, caplog, "".join(capfd.readouterr()))
    for table in shop.catalogue.layer("mart"):
        assert_clean(str(shop.rows(f"select * from mart.{table.name}")), table.name)

    assert NEEDLES["full_name"] in str(shop.rows("select * from warehouse.customers"))
    assert NEEDLES["delivery_note"] in str(shop.rows("select * from warehouse.orders"))
    assert HARMLESS in history_of(shop), "previews are looked through"


CHECKS = {
    "checks/warehouse/customers__nobody_lives_far.sql": """
-- Names under other names, and inside of other texts.
select
    customers.customer_id,
    upper(customers.full_name) as shouted,
    customers.email as contact,
    'born ' || customers.birth_date::varchar(20) as born,
    lower(customers.phone),
    customers.city
from warehouse.customers;
""",
    "checks/warehouse/orders__nobody_rings.sql": """
-- Every column as it is.
select * from warehouse.orders;
""",
}


def test_no_needle_is_shown_when_checks_fail(
    shop: TestShop,
    output: Output,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    shop.write(CHECKS)
    shop.change(f"insert into orders values {order(3, 99, DAYS[1])}")
    first = shop.run("*", *DAYS)
    assert not first.succeeded
    (shop.folder / "sql/checks/warehouse/customers__nobody_lives_far.sql").unlink()
    second = shop.run("warehouse/orders", *DAYS)
    assert not second.succeeded
    failed = " ".join([*first.failed_checks, *second.failed_checks])
    for claim in ("nobody_lives_far", "nobody_rings", "customer_id_is_in_customers"):
        assert claim in failed, failed
    output.texts += [*first.lines(), *second.lines()]
    assert "•••" in history_of(shop), "wrong rows are shown, masked"
    assert_nothing_leaked(shop, output, caplog, "".join(capfd.readouterr()))


def test_no_needle_is_told_when_an_import_is_refused(
    shop: TestShop,
    output: Output,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    header = (
        "customer_id,full_name,email,phone,birth_date,locale,city,address,signup_date,"
        "accepts_marketing,created_at,updated_at"
    )
    rest = "2026-02-01,1,2026-02-01 00:00:00,2026-02-01 00:00:00"
    good = (
        "Zorblax Kim",
        "3.zorblax@example.com",
        "010",
        "2000-01-01",
        "ko_KR",
        "Seoul",
        "Zorblax 7",
    )
    rows = {
        "too long": (good[0] * 50, *good[1:]),
        "no date": (*good[:3], "7 zorblax 1903", *good[4:]),
        "an enum": (*good[:4], "xx_XX", *good[5:]),
        "missing": ("\\N", *good[1:]),
        "there already": (good[0], f"1.{NEEDLES['email']}", *good[2:]),
    }
    for name, row in rows.items():
        file = shop.folder / "customers.csv"
        file.write_text(f"{header}\n7,{','.join(row)},{rest}\n", "utf-8")
        with pytest.raises(OrderheError) as refused:
            import_into(shop.settings, "raw/customers", file)
        assert "customers" in str(refused.value), name
        output.texts.append(str(refused.value))
    twice = shop.folder / "twice.csv"
    lines = [f"{number},{','.join(good)},{rest}" for number in (8, 9)]
    twice.write_text("\n".join([header, *lines, ""]), "utf-8")
    with pytest.raises(OrderheError) as refused:
        import_into(shop.settings, "raw/customers", twice)
    output.texts.append(str(refused.value))
    out = "".join(capfd.readouterr())
    for text in (*output.texts, caplog.text, out):
        assert_clean(text, text)


def test_no_needle_is_told_when_a_table_cannot_be_read_or_built(
    shop: TestShop,
    output: Output,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> None:
    shop.write(
        {
            "warehouse/callers.sql": """
-- Phone numbers as numbers, which they are not.
select
    customers.customer_id::integer as customer_id, -- Who
    customers.phone::bigint as phone_number -- A number
from warehouse.customers;
""",
            "checks/warehouse/customers__names_are_days.sql": """
-- A check that cannot be run.
select customers.customer_id from warehouse.customers where customers.full_name::date > '2026-01-01';
""",
        }
    )
    contract = shop.folder / "sql/raw/customers.sql"
    text = contract.read_text("utf-8")
    contract.write_text(text.replace("full_name varchar(100)", "full_name varchar(2)"), "utf-8")
    # Without its checks the shop's table does not tell how long a name may be: COPY meets it.
    shop.change(
        "create table bare as select * from customers",
        "drop table customers",
        "alter table bare rename to customers",
    )
    narrowed = shop.run("backup/customers,warehouse/customers")
    assert any("COPY" in text for text in narrowed.failures), narrowed.failures
    contract.write_text(text, "utf-8")
    with shop.warehouse.session("test") as session:
        session.execute("drop table warehouse.customers")
        session.execute("delete from warehouse._tables where table_name = 'warehouse.customers'")
    unread = shop.run("*", *DAYS)
    (shop.folder / "sql/checks/warehouse/customers__names_are_days.sql").unlink()
    unbuilt = shop.run("warehouse/callers")
    shop.change(
        "alter table customers alter birth_date type varchar",
        "update customers set birth_date = 'zorblax day'",
    )
    unread_again = shop.run("backup/customers")
    for outcome in (narrowed, unread, unbuilt, unread_again):
        assert not outcome.succeeded
        output.texts += outcome.lines()
    assert_nothing_leaked(shop, output, caplog, "".join(capfd.readouterr()))
