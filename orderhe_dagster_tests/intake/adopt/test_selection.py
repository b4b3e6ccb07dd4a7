"""Which tables are adopted by `--only`, and what `--map` calls them; what cannot be meant names what can."""

from __future__ import annotations

from pathlib import Path

import pytest

from orderhe_dagster.intake.adopt.selection import (
    AdoptError,
    check_map,
    chosen,
    patterns_of,
    read_map,
    the_table,
)

NAMES = {
    "Orders": "orders",
    "oc_Product": "oc_product",
    "oc_product-special": "oc_product_special",
    "users": "users",
}


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ((), [*NAMES]),
        (("orders,USERS",), ["Orders", "users"]),
        (("*product*",), ["oc_Product", "oc_product-special"]),
        (("OC_PRODUCT_special",), ["oc_product-special"]),
        (("orders", " users , "), ["Orders", "users"]),
        (("!*product*",), ["Orders", "users"]),
        (("*product*,!*-*",), ["oc_Product"]),
        (("o?ders",), ["Orders"]),
    ],
)
def test_patterns_mean_either_name_in_any_case(words: tuple[str, ...], names: list[str]) -> None:
    assert chosen(NAMES, patterns_of(words)) == names


def test_a_pattern_that_means_nothing_is_told_with_what_is_near() -> None:
    with pytest.raises(AdoptError, match=r"--only ordres: .*did you mean Orders\?"):
        chosen(NAMES, ["users", "ordres"])
    with pytest.raises(AdoptError, match="there are Orders, oc_Product, oc_product-special, users"):
        chosen(NAMES, ["zzz"])
    with pytest.raises(AdoptError, match="leaves no table"):
        chosen(NAMES, ["users", "!users"])
    assert the_table("ORDERS", NAMES, "--partition") == "Orders"
    with pytest.raises(
        AdoptError, match=r"--partition: no table is called 'user'; did you mean users"
    ):
        the_table("user", NAMES, "--partition")


def test_a_map_is_lines_or_csv(tmp_path: Path) -> None:
    file = tmp_path / "map.txt"
    file.write_text("# ours\n\nOrders = sales\noc_product-special=specials\n", "utf-8")
    assert read_map(file) == {"Orders": "sales", "oc_product-special": "specials"}
    file.write_text('\ufeffsource,name\n"a, b",ab\nOrders,sales\n', "utf-8")
    assert read_map(file) == {"a, b": "ab", "Orders": "sales"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Orders\n", "map.txt:1: write `source name = our name`"),
        ("Orders = \n", "map.txt:1: write `source name = our name`"),
        ("Orders = Sales\n", "'Sales' is no name for a file of sql/raw"),
        ("Orders = sales\nusers = sales\n", "map.txt:2: users or sales stands twice"),
    ],
)
def test_a_map_with_a_fault_names_its_line(tmp_path: Path, text: str, told: str) -> None:
    file = tmp_path / "map.txt"
    file.write_text(text, "utf-8")
    with pytest.raises(AdoptError) as caught:
        read_map(file)
    assert told in str(caught.value)
    with pytest.raises(AdoptError, match="cannot be read as UTF-8"):
        read_map(tmp_path / "nowhere.txt")


def test_a_map_of_tables_that_are_not_there_or_of_a_name_that_is_taken() -> None:
    with pytest.raises(AdoptError, match=r"no table is called 'order'; did you mean Orders\?"):
        check_map({"order": "sales"}, NAMES)
    with pytest.raises(AdoptError, match="users is the name of users too"):
        check_map({"Orders": "users"}, NAMES)
    check_map({"Orders": "sales"}, NAMES)
