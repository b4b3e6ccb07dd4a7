"""Examples are run on the local Redshift; what differs is shown cell by cell."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from orderhe_dagster.catalog.errors import Problems
from orderhe_dagster.catalog.table import Catalogue, Column, ColumnType
from orderhe_dagster.cli import main
from orderhe_dagster.examples.document import read_document
from orderhe_dagster.examples.report import lines_of, shown_value
from orderhe_dagster.examples.values import read_value
from orderhe_dagster_tests.catalog.folders import write
from orderhe_dagster_tests.examples.shop import FILES, shop, verdicts

__all__ = ["shop"]

GIVEN = """\
Given warehouse.sales:

| sold_on    | price |
|------------|------:|
| 2026-01-01 |    10 |
| 2026-01-01 | 0.125 |
| 2026-01-02 |     7 |
"""


def example(*rows: str, given: str = GIVEN, title: str = "One") -> str:
    """An example whose expected rows are these, the names first."""
    first, *others = rows
    rule = "|" + "---|" * (first.count("|") - 1)
    return "\n".join([f"## {title}", "", given, "Expect:", "", first, rule, *others, ""])


def said(shop: Catalogue, text: str, name: str = "mart/takings") -> list[str]:
    """What is printed of the only example, blanks run together."""
    (verdict,) = verdicts(shop, text, name)
    return [" ".join(line.split()) for line in lines_of(verdict)]


RIGHT = (
    "| sold_on | sale_count | price_total |",
    "| 2026-01-02 | 1 | 7 |",
    "| 2026-01-01 | 2 | 10.125 |",
)


def test_rows_of_a_mart_are_a_set(shop: Catalogue) -> None:
    assert said(shop, example(*RIGHT)) == ["passed mart/takings: One"]


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        (
            (RIGHT[0], "| 2026-01-01 | 3 | 10.124 |", RIGHT[1]),
            [
                "sold_on column expected found",
                "---------- ----------- -------- ------",
                "2026-01-01 sale_count 3 2",
                "2026-01-01 price_total 10.124 10.125",
            ],
        ),
        (
            (RIGHT[0], RIGHT[1]),
            [
                "unexpected: there, and not expected:",
                "sold_on sale_count price_total",
                "---------- ---------- -----------",
                "2026-01-01 2 10.125",
            ],
        ),
        (
            (*RIGHT, "| 2026-01-03 | 0 | 0.5 |"),
            [
                "missing: expected, and not there:",
                "sold_on sale_count price_total",
                "---------- ---------- -----------",
                "2026-01-03 0 0.5",
            ],
        ),
        (
            ("| sale_count |", "| 2 |", "| 2 |"),
            [
                *("missing: expected, and not there:", "sale_count", "----------", "2"),
                *("unexpected: there, and not expected:", "sale_count", "----------", "1"),
            ],
        ),
    ],
    ids=["cells", "unexpected", "missing", "without the grain"],
)
def test_a_wrong_expectation_differs(
    shop: Catalogue, rows: tuple[str, ...], told: list[str]
) -> None:
    head, *lines = said(shop, example(*rows))
    assert head == "differs mart/takings: One (examples/mart/takings.md:1)"
    assert lines == told


def test_a_row_that_comes_twice_is_expected_twice(shop: Catalogue) -> None:
    given = GIVEN.replace("2026-01-02", "2026-01-03 |     1 |\n| 2026-01-02")
    (verdict,) = verdicts(shop, example("| sale_count |", "| 1 |", "| 2 |", given=given))
    assert verdict.difference is not None
    assert verdict.difference.unexpected == ((1,),)


def test_rows_of_an_export_have_an_order(shop: Catalogue) -> None:
    right = ("| price_total |", "| 10.125 |", "| 7 |")
    assert said(shop, example(*right), "export/days") == ["passed export/days: One"]
    _, *lines = said(shop, example(right[0], right[2], right[1]), "export/days")
    assert lines == [
        "the rows are right, their order is not; they come as:",
        *("price_total", "-----------", "10.125", "7.000"),
    ]


def test_a_model_between_is_built_unless_it_is_given(shop: Catalogue) -> None:
    """The one example holds on what the mart makes of sales, the other on the mart as it is given."""
    takings = "Given mart.takings:\n\n| price_total |\n|---|\n| 1.5 |\n| 2.5 |\n"
    own = example("| price_total |", "| 2.5 |", "| 1.5 |", given=takings, title="Two")
    both = example("| price_total |", "| 10.125 |", "| 7 |") + own
    assert [verdict.passed for verdict in verdicts(shop, both, "export/days")] == [True, True]


def test_a_model_of_the_warehouse_is_built_and_given_like_any(shop: Catalogue) -> None:
    dear = example("| sold_on | price |", "| 2026-01-01 | 10 |", "| 2026-01-02 | 7 |")
    assert said(shop, dear, "warehouse/dear_sales") == ["passed warehouse/dear_sales: One"]
    days = example("| sold_on | sale_count |", "| 2026-01-01 | 1 |", "| 2026-01-02 | 1 |")
    given = "Given warehouse.dear_sales:\n\n| sold_on |\n|---|\n| 2026-01-05 |\n"
    days += example("| sale_count |", "| 1 |", given=given, title="Two")
    assert [one.passed for one in verdicts(shop, days, "mart/dear_days")] == [True, True]


def test_what_the_warehouse_refuses_fails_its_example_alone(shop: Catalogue) -> None:
    rows = "Given warehouse.oddities:\n\n| oddity_id |\n|---|\n| {} |\n"
    text = example("| part |", "| 1 |", given=rows.format(0), title="Nothing to share")
    text += example("| part |", "| 25 |", given=rows.format(4))
    failed, passed = verdicts(shop, text, "mart/shares")
    assert (failed.passed, passed.passed) == (False, True)
    head, told = lines_of(failed)
    assert head.startswith("failed   mart/shares: Nothing to share (examples/mart/shares.md:1)")
    assert "mart.shares: " in told
    assert "zero" in told


def test_values_of_every_type_arrive_as_they_are_written(shop: Catalogue) -> None:
    names = "| oddity_id | is_odd | code | weight | seen_at | words | bytes | state |"
    rows = [
        names,
        r"| 1 | true | -0.5 | 0.1 | 2026-01-02 03:04:05.000006 | it's \| C:\\new 밥 | 00ff | old |",
        "| 2 | false | 9999.99 | -1e300 | 1999-12-31 | '' | null | new |",
        "| 3 | null | null | null | null | null | null | new |",
        "| 4 | null | null | null | null | 'null' | null | new |",
    ]
    rule = "|" + "---|" * 8
    given = "\n".join(["Given warehouse.oddities:", "", rows[0], rule, *rows[1:], ""])
    assert said(shop, example(*rows, given=given), "mart/copies") == ["passed mart/copies: One"]


@given(st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Zl", "Zp"]), max_size=12))
def test_a_text_that_is_shown_is_read_again(value: str) -> None:
    column = Column("words", ColumnType("varchar", length=99))
    written = shown_value(value).replace("\\", "\\\\").replace("|", "\\|")
    document = f"## One\n\nExpect:\n\n| words |\n|---|\n| {written} |\n"
    (one,) = read_document("x.md", document, Problems())
    assert read_value(column, one.expected.grid.rows[0][0]) == value


def test_the_verb_tells_each_and_fails_on_a_difference(tmp_path: Path) -> None:
    wrong = example(RIGHT[0], title="Wrong").replace("Expect:\n", "Expect no rows.\n")
    wrong = wrong.split("Expect no rows.")[0] + "Expect no rows.\n"
    sql = write(tmp_path / "sql", {**FILES, "examples/mart/takings.md": example(*RIGHT)})
    environ = {"ORDERHE_SQL": str(sql), "ORDERHE_HOME": str(tmp_path / "home")}

    def orderhe(*words: str) -> tuple[int, str]:
        result = CliRunner().invoke(main, ["test", *words], env=environ, catch_exceptions=False)
        return result.exit_code, result.output

    status, output = orderhe()
    assert status == 0
    assert output.splitlines() == [
        "passed   mart/takings: One",
        "1 of 1 examples of 1 table passed",
        (
            "without examples: warehouse/dear_sales, mart/buyer_totals, mart/copies, mart/dear_days, "
            "mart/shares, export/days, export/takings"
        ),
    ]
    write(sql, {"examples/mart/takings.md": example(*RIGHT) + wrong})
    status, output = orderhe("mart.takings")
    assert status == 1
    assert "differs  mart/takings: Wrong" in output
    assert "1 of 2 examples of 1 table passed" in output
    assert orderhe("mart/copies") == (0, "without examples: mart/copies\n")
    status, output = orderhe("mart/taking")
    assert status == 1
    assert "did you mean mart/takings" in output
    write(sql, {"examples/mart/takings.md": "## Empty\n"})
    status, output = orderhe("mart/copies")
    assert status == 1
    assert "examples/mart/takings.md:1: example 'Empty' expects nothing" in output
