"""A daily mart refreshed by the rows that changed is the mart that is built whole, after any change."""

from __future__ import annotations

import random
from datetime import date, timedelta
from pathlib import Path

import pytest

from orderhe_dagster_tests.shops import TestShop, shop_of

FIRST = date(2026, 1, 1)
DAYS = [(FIRST + timedelta(days=number)).isoformat() for number in range(6)]
LINES = "select * from warehouse.lines"
MARTS = {
    "inner_join": """
select lines.id::integer as id, lines.sold_on::date as sold_on, items.name::varchar(20) as name
from warehouse.lines inner join warehouse.items on lines.item = items.item
""",
    "left_join": """
select lines.id::integer as id, lines.sold_on::date as sold_on, items.kind::varchar(20) as kind
from warehouse.lines left join warehouse.items on lines.item = items.item and items.kind <> 'b'
""",
    "missing": """
select lines.id::integer as id, lines.sold_on::date as sold_on
from warehouse.lines left join warehouse.items on lines.item = items.item where items.item is null
""",
    "by_another_column": """
select lines.id::integer as id, lines.sold_on::date as sold_on, items.item::integer as item
from warehouse.lines inner join warehouse.items on lines.code = items.kind
""",
    "counted": """
with kept as (select item, maker from warehouse.items where kind = 'a' and name <> 'none')
select lines.sold_on::date as sold_on, kept.maker::integer as maker, count(*)::bigint as many
from warehouse.lines inner join kept on lines.item = kept.item group by lines.sold_on, kept.maker
""",
    "in_a_chain": """
select lines.id::integer as id, lines.sold_on::date as sold_on, makers.town::varchar(20) as town
from warehouse.lines inner join warehouse.items on lines.item = items.item
left join warehouse.makers on items.maker = makers.maker
""",
}
WHOLE = """
select lines.code::varchar(20) as code, count(*)::bigint as many from warehouse.lines group by lines.code
"""
FILES = {
    "raw/lines.sql": """-- @partition sold_on
-- @cursor updated_at
create table lines (
    id int not null, sold_on date not null, item int, code varchar(20), updated_at datetime(6) not null,
    note varchar(20),
    primary key (id)
);
""",
    "raw/items.sql": """create table items (
    item int not null, name varchar(20), kind varchar(20), maker int, note varchar(20), primary key (item)
);
""",
    "raw/makers.sql": "create table makers (maker int not null, town varchar(20), primary key (maker));\n",
    **{f"mart/{name}.sql": f"-- @partition sold_on{sql};\n" for name, sql in MARTS.items()},
    "mart/whole.sql": f"{WHOLE.strip()};\n",
}
NOW = "timestamp '2026-01-07 00:00:00'"


@pytest.fixture(scope="module")
def as_it_ran(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """Lines of six days: each item stands in those of two days; one is of an item that is not there."""
    shop = shop_of(tmp_path_factory.mktemp("ran"), FILES, ORDERHE_SHOP="external")
    shop.create()
    lines = [(10 * at + n, day, at // 2 * 2 + n) for at, day in enumerate(DAYS) for n in (0, 1)]
    shop.change(
        *(
            f"insert into lines values ({number}, date '{day}', {item}, '{'ab'[item % 2]}', {NOW}, 'x')"
            for number, day, item in [*lines, (99, DAYS[5], 77)]
        ),
        *(f"insert into items values ({n}, 'name {n}', 'a', {n % 2}, 'x')" for n in range(6)),
        *(f"insert into makers values ({n}, 'town {n}')" for n in range(2)),
    )
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        assert shop.run("*", DAYS[0], DAYS[5]).succeeded
    return shop


@pytest.fixture
def shop(as_it_ran: TestShop, tmp_path: Path) -> TestShop:
    """A copy of it: that run costs more than the tests."""
    return as_it_ran.copy(tmp_path / "shop")


def built(shop: TestShop, run_id: str, mart: str) -> list[str]:
    """The days of a mart that a run built."""
    rows = shop.rows(
        f"select segment from warehouse._loads where table_name = 'mart.{mart}'"
        f" and run_id = '{run_id}' order by segment"
    )
    return [segment for (segment,) in rows]


def assert_whole(shop: TestShop) -> None:
    """Every mart has just the rows that its select gives."""
    for mart, sql in MARTS.items():
        there = shop.rows(
            f"select * from mart.{mart} order by 1, 2, 3" if mart != "missing" else MISSING
        )
        order = "order by 1, 2, 3" if mart != "missing" else "order by 1, 2"
        assert there == shop.rows(f"{sql} {order}"), mart


MISSING = "select * from mart.missing order by 1, 2"


def refreshed(shop: TestShop, *statements: str) -> dict[str, list[str]]:
    """The days of each mart that a run builds after these changes; all of it is right then."""
    shop.change(*statements)
    outcome = shop.run("*", DAYS[5])
    assert outcome.succeeded, outcome.lines()
    assert_whole(shop)
    whole = "order by 1 nulls first"
    assert shop.rows(f"select * from mart.whole {whole}") == shop.rows(f"{WHOLE} {whole}")
    days = {mart: built(shop, outcome.run_id, mart) for mart in (*MARTS, "whole")}
    return {mart: some for mart, some in days.items() if some}


def test_nothing_is_built_where_nothing_changed(shop: TestShop) -> None:
    assert refreshed(shop) == {}


def test_a_column_that_no_mart_reads_builds_nothing(shop: TestShop) -> None:
    assert refreshed(shop, "update items set note = 'y'") == {}


def test_a_column_of_the_days_that_no_mart_reads_builds_nothing(shop: TestShop) -> None:
    later = "updated_at = timestamp '2026-02-01 00:00:00'"
    assert refreshed(shop, f"update lines set note = 'y', {later} where id = 10") == {}
    assert refreshed(shop, f"update lines set note = 'y ', {later} where id = 20") == {}
    assert shop.rows("select note from warehouse.lines where id in (10, 20) order by id") == [
        ("y",),
        ("y ",),
    ]


def test_a_column_of_the_days_builds_the_marts_that_read_it(shop: TestShop) -> None:
    at = "updated_at = timestamp '2026-02-0{} 00:00:00'"
    changed = refreshed(shop, f"update lines set code = 'z', {at.format(1)} where id = 10")
    assert changed == {"by_another_column": [DAYS[1]], "whole": ["all"]}
    changed = refreshed(shop, f"update lines set item = 5, {at.format(2)} where id = 10")
    assert (
        changed.keys() == {*MARTS} - {"missing", "by_another_column"} | {"missing"} & changed.keys()
    )
    gone = refreshed(shop, "delete from lines where id = 10")
    assert gone["whole"] == ["all"]


def test_a_name_builds_the_days_that_have_it(shop: TestShop) -> None:
    two = [DAYS[0], DAYS[1]]
    changed = refreshed(shop, "update items set name = 'new' where item = 1")
    assert changed == {"inner_join": two, "counted": two}


def test_a_row_that_goes_and_comes_back_builds_them_twice(shop: TestShop) -> None:
    two = [DAYS[2], DAYS[3]]
    gone = refreshed(shop, "delete from items where item = 2")
    assert gone == {
        **dict.fromkeys(("inner_join", "left_join", "missing", "counted"), two),
        **dict.fromkeys(("by_another_column", "in_a_chain"), gone["by_another_column"]),
        "in_a_chain": two,
    }
    again = refreshed(shop, "insert into items values (2, 'name 2', 'a', 0, 'x')")
    assert again.keys() == gone.keys()
    assert again["left_join"] == two


def test_a_left_join_begins_to_match(shop: TestShop) -> None:
    changed = refreshed(shop, "insert into items values (77, 'late', 'c', 0, 'x')")
    assert changed["left_join"] == changed["missing"] == changed["inner_join"] == [DAYS[5]]


def test_a_key_that_moves_builds_the_days_of_both(shop: TestShop) -> None:
    changed = refreshed(shop, "update items set kind = 'b' where item = 0")
    assert changed["by_another_column"] == DAYS  # old a and new b stand in all of them
    assert changed["left_join"] == changed["counted"] == [DAYS[0], DAYS[1]]


def test_a_table_at_two_removes_builds_every_day(shop: TestShop) -> None:
    assert refreshed(shop, "update makers set town = 'new' where maker = 0") == {"in_a_chain": DAYS}


def test_a_blank_at_the_end_is_a_change_too(shop: TestShop) -> None:
    two = [DAYS[2], DAYS[3]]
    changed = refreshed(shop, "insert into items values (50, 'blank ', 'c', 0, 'x')")
    assert "inner_join" not in changed, "no line has it"
    assert refreshed(shop, "update items set name = 'name 2 ' where item = 2")["inner_join"] == two
    assert refreshed(shop, "update items set name = 'name 2' where item = 2")["inner_join"] == two


def hand(shop: TestShop, *statements: str) -> None:
    with shop.warehouse.session("a hand") as session:
        for statement in statements:
            session.execute(statement)


def test_what_was_built_of_altered_rows_is_built_again_when_the_table_was_lost(
    shop: TestShop,
) -> None:
    hand(shop, "update warehouse.lines set code = 'WRONG' where id = 0")
    shop.hold_older("mart.whole", "all")
    assert shop.run("mart/whole").succeeded
    assert ("WRONG",) in shop.rows("select code from mart.whole")
    hand(shop, "drop table warehouse.lines")
    assert refreshed(shop)["whole"] == ["all"]


def test_a_mart_of_altered_rows_is_built_again_by_a_run_that_believes_nothing(
    shop: TestShop,
) -> None:
    hand(shop, "update warehouse.items set name = 'WRONG' where item = 1")
    shop.hold_older("mart.inner_join", DAYS[0])
    assert shop.run("mart/inner_join", DAYS[0]).succeeded
    hand(shop, "update warehouse.items set name = 'name 1' where item = 1")
    shop.hold_older("mart.inner_join", DAYS[1])
    assert shop.run("*", DAYS[5], prove_all=True).succeeded
    assert_whole(shop)


def test_a_model_that_is_made_anew_keeps_no_version_of_rows_that_nobody_looked_at(
    shop: TestShop,
) -> None:
    shop.write({"mart/upon.sql": "select whole.code::varchar(20) as code from mart.whole;\n"})
    hand(shop, "update mart.whole set code = 'WRONG' where code = 'a'")
    assert shop.run("mart/upon").succeeded
    wider = WHOLE.strip().replace("varchar(20)", "varchar(30)")
    shop.write({"mart/whole.sql": f"{wider};\n"})
    assert shop.run("*", DAYS[5]).succeeded
    assert ("WRONG",) not in shop.rows("select code from mart.upon")


def test_what_is_kept_of_a_parent_is_not_believed_when_it_was_altered(shop: TestShop) -> None:
    with shop.warehouse.session("a hand") as session:
        session.execute(
            "delete from warehouse._read_mart_inner_join__warehouse_items where item = 1"
        )
    changed = refreshed(shop, "update items set name = 'new' where item = 5")
    assert changed["inner_join"] == DAYS
    assert changed["counted"] == [DAYS[4], DAYS[5]]


def test_rows_that_a_hand_altered_and_a_run_mended_are_followed_back(shop: TestShop) -> None:
    with shop.warehouse.session("a hand") as session:
        session.execute("update warehouse.items set name = 'wrong' where item = 1")
    shop.change(f"insert into lines values (100, date '{DAYS[0]}', 3, 'a', {NOW}, null)")
    assert shop.run("backup/lines,warehouse/lines,mart/inner_join", DAYS[0]).succeeded
    assert ("wrong",) in shop.rows("select name from mart.inner_join")
    refreshed(shop)
    assert ("wrong",) not in shop.rows("select name from mart.inner_join")


@pytest.mark.parametrize("seed", range(3))
def test_any_changes_come_to_the_same(shop: TestShop, seed: int) -> None:
    dice = random.Random(seed)
    for night in range(4):
        statements = []
        for _ in range(dice.randrange(1, 4)):
            item, other = dice.randrange(8), dice.randrange(8)
            day, at = dice.choice(DAYS), f"timestamp '2026-02-{night + 1:02} 00:00:00'"
            statements.append(
                dice.choice(
                    [
                        f"delete from items where item = {item}",
                        f"update items set name = 'n{night}', maker = {other % 3} where item = {item}",
                        f"update items set kind = '{dice.choice('abc')}' where item = {item}",
                        (
                            f"insert into items select {item}, 'new', 'a', 1, 'x' where not exists"
                            f" (select 1 from items where item = {item})"
                        ),
                        f"update lines set item = {other}, updated_at = {at} where item = {item}",
                        f"update lines set sold_on = date '{day}', updated_at = {at} where item = {item}",
                        f"delete from lines where item = {item} and sold_on = date '{day}'",
                        (
                            f"insert into lines values ({1000 + 100 * night + dice.randrange(10**6)},"
                            f" date '{day}', {item}, '{dice.choice('abc')}', {at}, null)"
                        ),
                        f"update makers set town = 't{night}' where maker = {item % 2}",
                    ]
                )
            )
        refreshed(shop, *statements)
