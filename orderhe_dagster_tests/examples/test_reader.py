"""Examples are read strictly: what is wrong is named with its line, and with the good names."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from pathlib import Path

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.catalog.table import Catalogue
from orderhe_dagster.examples.problems import ExamplesError, UnknownModel
from orderhe_dagster.examples.reader import models_named, read_examples
from orderhe_dagster_tests.catalog.folders import write
from orderhe_dagster_tests.examples.shop import FILES, examples, problems, shop

__all__ = ["shop"]

GIVEN = "Given warehouse.sales:\n\n| sold_on | price |\n|---|---|\n| 2026-01-01 | 5 |\n"
EXPECT = "Expect:\n\n| sale_count |\n|---|\n| 1 |\n"
WHOLE = f"## One\n\n{GIVEN}\n{EXPECT}"


def test_an_example_is_read_with_the_columns_its_tables_need(shop: Catalogue) -> None:
    (one,) = examples(shop, f"# Takings\n\nWhat comes in.\n\n{WHOLE}")
    assert (one.name, one.path, one.line) == (
        "mart/takings: One",
        "examples/mart/takings.md",
        5,
    )
    (sales,) = one.given
    assert [column.name for column in sales.columns] == [
        *("sold_on", "price"),
        *("shop_no", "sale_no", "state", "changed_at"),  # the nullable buyer_code is left out
    ]
    key = (1, 1)
    assert sales.rows == ((date(2026, 1, 1), Decimal(5), *key, "open", datetime(2000, 1, 1)),)
    assert [column.name for column in one.columns] == ["sale_count"]
    assert one.expected == ((1,),)


def test_what_is_given_before_the_first_title_is_given_to_all_that_do_not_give_it(
    shop: Catalogue,
) -> None:
    own = WHOLE.replace("## One", "## Own").replace("| 5 |", "| 6 |")
    none = "## None\n\nGiven no rows of warehouse.sales.\n\nExpect no rows.\n"
    text = f"{GIVEN}\n## Common\n\n{EXPECT}\n{own}\n{none}"
    common, mine, empty = examples(shop, text)
    assert [one.given[0].rows[0][1] for one in (common, mine)] == [Decimal(5), Decimal(6)]
    assert empty.given[0].rows == empty.expected == ()


def test_prose_code_and_comments_are_passed_over(shop: Catalogue) -> None:
    text = WHOLE.replace(
        "Expect:",
        "### Why\n\nIt is so | or not.\n\n```sql\n| a |\n## b\nExpect nothing\n```\n\nExpect:",
    )
    assert len(examples(shop, text)) == 1
    assert len(examples(shop, text.replace("\n", "\r\n"))) == 1


CELLS = [
    ("is_odd", "true", True),
    ("is_odd", "null", None),
    ("code", "-12.5", Decimal("-12.50")),
    ("weight", "1e-3", 0.001),
    ("seen_at", "2026-01-02", datetime(2026, 1, 2)),
    ("seen_at", "2026-01-02 03:04", datetime(2026, 1, 2, 3, 4)),
    ("seen_at", "2026-01-02 03:04:05.06", datetime(2026, 1, 2, 3, 4, 5, 60_000)),
    ("words", "밥 a", "밥 a"),
    ("words", "''", ""),
    ("words", "'null'", "null"),
    ("words", "' it''s '", " it's "),
    ("words", "it's", "it's"),
    ("words", r"a\|b \\ c\d", r"a|b \ c\d"),
    ("bytes", "00ff", b"\x00\xff"),
    ("state", "old", "old"),
]


@pytest.mark.parametrize(("column", "cell", "value"), CELLS)
def test_a_cell_is_a_value_of_its_column(
    shop: Catalogue, column: str, cell: str, value: object
) -> None:
    text = f"## One\n\nExpect:\n\n| {column} |\n|---|\n| {cell} |\n"
    (one,) = examples(shop, text, "mart/copies")
    assert one.expected == ((value,),)
    assert type(one.expected[0][0]) is type(value)


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        ("is_odd", "1", "'1' is no boolean: write it like true or false, or null"),
        (
            "oddity_id",
            "1,000",
            "'1,000' is no integer: write it like 12000 or -5, without separators",
        ),
        ("oddity_id", "3000000000", "3000000000 is beyond what integer holds"),
        ("oddity_id", "null", "null is not accepted"),
        ("code", "1.005", "1.005 is beyond what decimal(6, 2) holds"),
        ("code", "10000", "10000 is beyond what decimal(6, 2) holds"),
        ("code", "1e2", "'1e2' is no decimal(6, 2)"),
        ("weight", "heavy", "'heavy' is no double precision"),
        ("seen_at", "2026-02-30 10:00", "is no moment of the calendar"),
        ("seen_at", "yesterday", "'yesterday' is no timestamp"),
        ("words", "", "an empty cell says nothing: write null, or '' for an empty text"),
        ("words", "'it's'", "'it's' ends like no text in quotes: write 'it''s' or it's"),
        ("bytes", "xy", "'xy' is no varbyte(10)"),
        ("bytes", "00" * 11, "has more bytes than varbyte(10) holds"),
        ("state", "Old", "'Old' is not accepted: write new or old"),
    ],
)
def test_a_cell_that_is_none_is_told_with_how_one_looks(
    shop: Catalogue, column: str, cell: str, told: str
) -> None:
    text = f"## One\n\nGiven warehouse.oddities:\n\n| {column} |\n|---|\n| {cell} |\n\nExpect no rows.\n"
    (problem,) = problems(shop, text, "mart/copies")
    assert problem.startswith(f"7: column {column}: ")
    assert told in problem


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("# Takings\n", "no example in it: each begins with its title"),
        (f"## One\n\n{GIVEN}", "1: example 'One' expects nothing"),
        (f"{WHOLE}\n{EXPECT}", "1: example 'One' is expected twice"),
        (f"{WHOLE}\n{WHOLE}", "15: the title 'One' is that of line 1: give it its own"),
        (f"##\n\n{WHOLE}".replace("##\n", "## #\n"), "1: an example has a title: what it shows"),
        (f"{EXPECT}\n{WHOLE}", "1: what is expected stands under the title of an example"),
        (f"{WHOLE}\n{GIVEN}", "15: warehouse.sales is given twice: write its rows together"),
        (
            WHOLE.replace("Expect:", "Expect"),
            "9: a line that begins with Given or Expect is one of",
        ),
        (WHOLE.replace("Expect:\n", ""), "10: a table follows a line that says what it is: one of"),
        (WHOLE.replace("Expect:", "Expect:\n\nRows."), "9: no table follows `Expect:`"),
        (WHOLE + "\nGiven mart.takings:", "15: no table follows `Given mart.takings:`"),
        (WHOLE.replace("|---|---|", "| a | b |"), "6: under the names stands a line such as"),
        (WHOLE.replace("| 5 |", "| 5 | 6 |"), "7: 3 cells, but 2 columns are named"),
        (WHOLE.replace("| 5 |", "| 5"), "7: a row of a table begins and ends with |"),
        (WHOLE.replace("| 5 |", r"| 5 \|"), "7: a row of a table begins and ends with |"),
        (WHOLE.replace("| price", "| sold_on"), "5: a column is named once: sold_on"),
        (WHOLE.replace("| 1 |\n", ""), "11: no row in this table; say so:"),
        (
            WHOLE.replace("price", "prize"),
            "5: warehouse.sales has no column 'prize'; did you mean price?",
        ),
        (
            WHOLE.replace("sale_count", "n"),
            "has no column 'n'; it has sold_on, sale_count, price_total",
        ),
        (
            WHOLE.replace("warehouse.sales", "warehouse.sale"),
            "3: mart.takings reads no warehouse.sale; did you mean warehouse.sales?",
        ),
        (
            WHOLE.replace("warehouse.sales", "mart.takings"),
            "3: mart.takings reads no mart.takings; it reads warehouse.sales",
        ),
        (
            WHOLE.replace("| sold_on | price |", "| shop_no | sale_no |").replace(
                "| 2026-01-01 | 5 |", "| 1 | 2 |\n| 1 | 3 |\n| 1 | 2 |"
            ),
            "9: the same shop_no, sale_no as line 7; rows of warehouse.sales differ in it",
        ),
    ],
)
def test_what_is_wrong_is_named_with_its_line(shop: Catalogue, text: str, told: str) -> None:
    found = problems(shop, text)
    assert any(told in problem for problem in found), found
    assert len(found) <= 2, "one mistake is not told many times"


def test_everything_wrong_is_told_at_once(shop: Catalogue) -> None:
    text = WHOLE.replace("| 2026-01-01 | 5 |", "| 1.1.26 | 5 |\n| 2026-01-02 | many |")
    assert [problem.partition(":")[0] for problem in problems(shop, text)] == ["7", "8"]


def test_a_table_that_nothing_reads_is_given_in_vain(shop: Catalogue) -> None:
    takings = "Given mart.takings:\n\n| price_total |\n|---|\n| 5 |\n"
    text = f"## One\n\n{GIVEN}\n{takings}\nExpect no rows.\n"
    (problem,) = problems(shop, text, "export/takings")
    assert problem.startswith("3: warehouse.sales is given in vain: mart.takings is given too")
    (problem,) = problems(shop, f"{GIVEN}\n{text.replace(GIVEN, '')}", "export/takings")
    assert problem == "1: no example reads warehouse.sales"
    other = "\n## Two\n\nExpect no rows.\n"
    one, two = examples(shop, f"{GIVEN}\n{text.replace(GIVEN, '')}{other}", "export/takings")
    assert [str(given.table.read_as) for given in one.given] == ["mart.takings"]
    assert [str(given.table.read_as) for given in two.given] == ["warehouse.sales"]


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("examples/mart/taking.md", "there is no table mart/taking.sql; did you mean takings?"),
        ("examples/raw/sales.md", "examples lie in examples/warehouse/<table>.md"),
        ("examples/takings.md", "nowhere else"),
        ("examples/mart/takings.txt", "nowhere else"),
    ],
)
def test_a_file_that_is_nobodys_is_told(tmp_path: Path, path: str, told: str) -> None:
    catalogue = read_catalogue(write(tmp_path, {**FILES, path: WHOLE}))
    with pytest.raises(ExamplesError) as caught:
        read_examples(catalogue)
    assert path in str(caught.value)
    assert told in str(caught.value)


def test_examples_change_nothing_of_the_catalogue(tmp_path: Path) -> None:
    before = read_catalogue(write(tmp_path, FILES))
    assert read_examples(before) == []
    write(tmp_path, {"examples/mart/takings.md": WHOLE, "examples/mart/.takings.md.swp": "x"})
    assert read_catalogue(tmp_path) == before
    assert len(read_examples(before)) == 1


def test_models_are_named_by_key_by_table_or_by_layer(shop: Catalogue) -> None:
    def named(*names: str) -> list[str]:
        return [str(table.ref) for table in models_named(shop, names)]

    assert named("mart/takings") == named("mart.takings") == ["mart.takings"]
    assert set(named("export/*", "mart/takings")) == {
        *("export.days", "export.takings", "mart.takings")
    }
    assert len(named()) == 8
    with pytest.raises(UnknownModel, match=r"'mart/taking'; did you mean mart/takings"):
        named("mart/taking")
