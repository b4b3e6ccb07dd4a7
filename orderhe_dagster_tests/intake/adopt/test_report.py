"""The screen that `orderhe adopt` ends with: one screen for any number of tables, the gravest first."""

from __future__ import annotations

import shlex
from pathlib import Path

from orderhe_dagster.intake.adopt.adopter import Adopted, Adoption
from orderhe_dagster.intake.adopt.choose import Choice
from orderhe_dagster.intake.adopt.report import screen, whole

COSTS = (
    "no index on it: a scan; create index `x` on `y` (`z`)",
    "3 rows without a day in `outside`",
)
MOVED = Choice("u", "moved by the shop's application", ("alter table `y` add column u timestamp",))


def table(number: int) -> Adopted:
    """One of many tables, each of which has everything that can be said of one."""
    return Adopted(
        *(f"table_{number}", f"Table{number}", "kept" if number % 2 else "written", number * 1000),
        partition=Choice("day", "not null", COSTS, ("other",))
        if number % 3
        else Choice(None, "", COSTS),
        cursor=MOVED,
        left_out=("column 'a' is point: a spatial type is not carried",),
        columns_left_out=("a",),
        nulls={"b": number, "c": 0},
        apart=(f"table_{number}.d holds the character 0x00 in {number} rows",),
        problem="it takes too long" if number % 5 == 0 else "",
    )


ALL = Adoption(
    "mysql://127.0.0.1:3306/shop",
    [
        *map(table, range(250)),
        *(
            Adopted(f"v{n}", f"v{n}", "refused", 0, left_out=("it is a view, no table",))
            for n in range(9)
        ),
    ],
    nights=7,
    not_chosen=12,
    alike=("'A', 'a' would all be a: 'A' is a_1, 'a' is a",),
)


def test_a_screen_has_24_lines_whatever_there_is(tmp_path: Path) -> None:
    lines = list(screen(ALL, tmp_path / "my shop", tmp_path / "other"))
    assert len(lines) <= 24, "\n".join(lines)
    text = "\n".join(lines)
    for words in (
        "125 of 259 contracts written to",
        "125 left as they are (--force writes them anew)",
        (
            "166 by day, 84 whole every night; no contract: 9 views; 250 columns left out; 12 tables "
            "not chosen"
        ),
        "table_249  249,000      whole       u",
        "would go to quarantine: table_249.d holds the character 0x00",
        "and 246 more",
        "no real days become NULL and are counted: table_249.b (249)",
        "not looked at: table_245 (it takes too long)",
        "of the largest: create index `x` on `y` (`z`)",
        "within about 7 nights: table_248, table_247",
        "the same night with: alter table `y` add column u timestamp",
        str(tmp_path / "my shop" / "adopted.txt"),
        f"export ORDERHE_SQL={shlex.quote(str(tmp_path / 'my shop'))}",
    ):
        assert words in text, text
    assert [line.strip() for line in lines[-2:]] == ["orderhe start", "orderhe run '*'"]


def test_all_of_it_names_every_table(tmp_path: Path) -> None:
    text = "\n".join(whole(ALL))
    for one in ALL.tables:
        assert f"\n{one.name}  " in text
        assert f"\n{one.source_name if one.outcome == 'refused' else one.name}: " in text
    assert "table_5: its values were not looked at: it takes too long" in text
    assert "table_1: the file differs and was left as it is; --force writes it anew" in text
    assert "table_2: left out: column 'a' is point" in text


def test_a_small_shop_has_a_small_screen(tmp_path: Path) -> None:
    one = Adopted(
        "orders", "orders", "written", 9, ("id",), Choice("day", ""), Choice("u", "moves")
    )
    lines = list(screen(Adoption("mysql://h/d", [one], 1), tmp_path, tmp_path))
    assert len(lines) == 10
    assert not [line for line in lines if "export" in line or "proof" in line]
