"""A parent deleted under the GDPR: the database changes its children unseen, and the next run follows."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from orderhe_dagster_tests.intake.adopt.strange import on, run
from orderhe_dagster_tests.servers.mariadb import MariaDB
from orderhe_dagster_tests.shops import TestShop, shop_of

MOVES = "datetime(6) not null default current_timestamp(6) on update current_timestamp(6)"
PARENT = "foreign key (person_id) references people (id) on delete set null"
SCHEMA = (
    f"create table people (id int primary key, mail varchar(40), changed_at {MOVES})",
    f"""create table orders (id int primary key, person_id int, day date not null, total int not null,
        changed_at {MOVES}, {PARENT})""",
    f"create table homes (id int primary key, person_id int, changed_at {MOVES}, {PARENT})",
    "insert into people (id, mail) values (1, 'a@b'), (2, 'c@d')",
    """insert into orders (id, person_id, day, total) values (1, 1, '2026-01-02', 10),
        (2, 2, '2026-06-10', 20), (3, 2, '2026-06-12', 30), (4, null, '2026-06-12', 40)""",
    "insert into homes (id, person_id) values (1, 1), (2, 2)",
)
FILES = {
    "raw/people.sql": """
-- Who buys.
-- @cursor changed_at
-- @pii mail
create table people (
    id int not null primary key,
    mail varchar(40),
    changed_at datetime(6) not null
);
""",
    "raw/orders.sql": """
-- What they buy.
-- @partition day
-- @cursor changed_at
create table orders (
    id int not null primary key,
    person_id int,
    day date not null,
    total int not null,
    changed_at datetime(6) not null,
    foreign key (person_id) references people (id)
);
""",
    "raw/homes.sql": """
-- Where they live.
-- @cursor changed_at
create table homes (
    id int not null primary key,
    person_id int,
    changed_at datetime(6) not null,
    foreign key (person_id) references people (id)
);
""",
    "mart/takings.sql": """
-- What came in, by day.
-- @partition day
-- @grain day
select
    orders.day::date as day, -- The day
    sum(orders.total)::bigint as total, -- What came in
    count(orders.person_id)::bigint as known_count -- Of whom we know
from warehouse.orders
group by orders.day;
""",
}
GONE = "delete from people where id = 2"
NEVER_SET_NULL = ("set foreign_key_checks = 0", GONE)
ORDERS = "select id, person_id from warehouse.orders order by id"
FOLLOWED = [(1, 1), (2, None), (3, None), (4, None)]


@pytest.fixture
def shop(mariadb: MariaDB, shop_database: str, tmp_path: Path) -> TestShop:
    """A shop whose database keeps its foreign keys, after the run of a night."""
    made = shop_of(tmp_path / "shop", FILES, ORDERHE_START_DATE="2026-01-01")
    on(made, mariadb, shop_database)
    run(mariadb, shop_database, SCHEMA)
    made.create()
    outcome = made.run("*")
    assert outcome.succeeded, outcome.lines()
    return made


def silent(shop: TestShop) -> list[tuple[str, str]]:
    """What was found to have changed unseen: table and segment."""
    sql = "select table_name, segment from warehouse._findings where kind = 'silent' order by 1, 2"
    return [(str(table), str(segment)) for table, segment in shop.rows(sql)]


@pytest.mark.parametrize("day", [None, "2026-02-01"])
def test_the_next_run_follows_what_the_database_did_to_the_children(
    shop: TestShop, mariadb: MariaDB, shop_database: str, day: str | None
) -> None:
    """Beyond the budget of the proof by turns, and in a run that is of one old day."""
    shop.environ["ORDERHE_PROOF_ROWS"] = "1"
    before = shop.rows("select id, changed_at from warehouse.orders order by id")
    run(mariadb, shop_database, [GONE])
    outcome = shop.run("*", day)
    assert outcome.succeeded, outcome.lines()
    assert shop.rows(ORDERS) == FOLLOWED
    assert shop.rows("select id, changed_at from warehouse.orders order by id") == before, "unseen"
    days = ["2026-06-10", "2026-06-12"]
    assert [found for found in silent(shop) if found[0] == "backup.orders"] == [
        ("backup.orders", day) for day in days
    ]
    told = silent(shop)
    again = shop.run("*", day)
    assert again.succeeded, again.lines()
    assert silent(shop) == told
    assert shop.rows("select known_count from mart.takings where day = '2026-06-10'") == [(0,)]
    assert all(shop.record("orders", day).generation == 2 for day in days)


def test_the_check_says_what_it_has_read_again(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    import dagster as dg

    shop.environ["ORDERHE_PROOF_ROWS"] = "1"
    run(mariadb, shop_database, [GONE])
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    with dg.DagsterInstance.from_config(str(shop.settings.home / "dagster")) as instance:
        (record,) = instance.event_log_storage.get_asset_check_execution_history(
            dg.AssetCheckKey(dg.AssetKey(["warehouse", "orders"]), "person_id_is_in_people"), 1
        )
    assert record.event is not None
    event = record.event.dagster_event
    assert event is not None
    text = event.asset_check_evaluation_data.description
    assert text is not None
    for words in (
        "holds for every row; 2 rows had no parent, so 2 segments, the first 2026-06-10, was read again",
        "changed in the source without its cursor: 2026-06-10: the source has",
        "id 2: person_id",
    ):
        assert words in text, text


def test_a_budget_that_holds_all_follows_before_anything_fails(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, [GONE])
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    assert shop.rows(ORDERS) == FOLLOWED
    assert any("nothing_differed" in text for text in outcome.warned_checks)


def test_a_child_that_is_read_as_a_whole_is_read_again_too(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, [GONE])
    outcome = shop.run("backup/people,warehouse/people,warehouse/homes")
    assert outcome.succeeded, outcome.lines()
    assert shop.rows("select id, person_id from warehouse.homes order by id") == [(1, 1), (2, None)]
    assert silent(shop) == [("backup.homes", "all")]


def test_a_parent_that_is_missing_for_good_fails_with_the_days_to_bring_again(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    run(mariadb, shop_database, NEVER_SET_NULL)
    outcome = shop.run("*")
    failed = {text.split(": ")[0] for text in outcome.failed_checks}
    assert failed == {"warehouse/orders", "warehouse/homes"}
    (text,) = (text for text in outcome.failed_checks if text.startswith("warehouse/orders"))
    assert "person_id_is_in_people: 2 rows break it" in text
    assert "was read again first: the source has them still" in text
    assert silent(shop) == []
    (failure,) = (text for text in outcome.failures if text.startswith("warehouse/orders"))
    command = "'backup/orders,warehouse/orders' --from 2026-06-10 --to 2026-06-12"
    mend = "Mend the rows of orders in the shop's database (or the claim in sql/checks), then:"
    assert f"{mend} orderhe run {command};" in failure
    (later,) = shop.run("mart/takings", "2026-06-10", "2026-06-12").failures
    assert later.endswith(f"{mend} orderhe run {command}")
    for table in ("orders", "homes"):
        run(mariadb, shop_database, [f"update {table} set person_id = null where person_id = 2"])
    shop.paste(later)
    assert shop.rows(ORDERS) == FOLLOWED
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    wanted = [(date(2026, 6, 12), 70, 0)]
    assert shop.rows("select * from mart.takings where day = '2026-06-12'") == wanted


def test_rows_outside_of_the_days_are_read_again_too(
    shop: TestShop, mariadb: MariaDB, shop_database: str
) -> None:
    old = "insert into orders (id, person_id, day, total) values (5, 2, '1999-01-01', 50)"
    run(mariadb, shop_database, [old])
    assert shop.run("*").succeeded
    shop.environ["ORDERHE_PROOF_ROWS"] = "1"
    run(mariadb, shop_database, [GONE])
    outcome = shop.run("*", "2026-02-01")
    assert outcome.succeeded, outcome.lines()
    assert shop.rows(ORDERS) == [*FOLLOWED, (5, None)]
    assert ("backup.orders", "outside") in silent(shop)
