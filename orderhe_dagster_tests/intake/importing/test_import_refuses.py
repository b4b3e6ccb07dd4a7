"""Files that are wrong: each wrong thing is told by file, line, column and value; nothing loaded."""

from __future__ import annotations

import gzip
import re

import pytest

from orderhe_dagster.intake.importing import ImportProblems
from orderhe_dagster_tests.intake.importing.desk import COMPUTED, GOOD, HEADER, Desk, refused


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("rows = []", ["no list named lines"]),
        ("lines = [1]", ["line 1", "no object"]),
        ("1 / 0", ["ZeroDivisionError"]),
        (
            "lines = [{'shop': b'x', 'number': 1}]",
            ["line 1", "shop", "bytes", "sold_at", "missing"],
        ),
        (
            COMPUTED,
            ["row 2", "price", "0.001"],
        ),
    ],
)
def test_a_python_module_that_is_wrong(desk: Desk, text: str, words: list[str]) -> None:
    refused(desk, text, *words, name="rows.py")


@pytest.mark.parametrize(
    ("header", "words"),
    [
        ("shop,number,sold_at", ["line 1", "column price", "missing"]),
        ("shop,number,sold_at,prize", ["line 1", "column prize", "did you mean price"]),
        ("shop,number,sold_at,price,price", ["line 1", "column price", "twice"]),
        ("", ["line 2", "should name the columns"]),
    ],
)
def test_a_wrong_header(desk: Desk, header: str, words: list[str]) -> None:
    refused(desk, f"{header}\n{GOOD}", *words)


def test_an_empty_file(desk: Desk) -> None:
    refused(desk, "", "empty", "line 1")


@pytest.mark.parametrize(
    ("row", "column", "shown", "says"),
    [
        ("kr,x,2026-03-01 00:00:00,1", "number", "'x'", "no whole number"),
        ("kr,1.0,2026-03-01 00:00:00,1", "number", "'1.0'", "no whole number"),
        ("kr,,2026-03-01 00:00:00,1", "number", "''", "needs a value in every row; fill it in"),
        ("kr,2147483648,2026-03-01 00:00:00,1", "number", "'2147483648'", "out of range for int"),
        ("kr,9" + "9" * 60 + ",2026-03-01 00:00:00,1", "number", "'999", "out of range"),
        (r"kr,\N,2026-03-01 00:00:00,1", "number", "no value", "NOT NULL"),
        ("kr,1,2026-02-30 00:00:00,1", "sold_at", "'2026-02-30 00:00:00'", "calendar"),
        ("kr,1,0000-00-00 00:00:00,1", "sold_at", "'0000-", "calendar"),
        ("kr,1,03/01/2026,1", "sold_at", "'03/01/2026'", "YYYY-MM-DD"),
        ("kr,1,2026-03-01,1", "sold_at", "'2026-03-01'", "HH:MM:SS"),
        ("kr,1,2026-03-01 24:00:00,1", "sold_at", "'2026-03-01 24:00:00'", "calendar"),
        ("kr,1,2026-03-01 00:00:00.0001,1", "sold_at", ".0001'", "digits of a second"),
        ("kr,1,2026-03-01 00:00:00+25:00,1", "sold_at", "+25:00'", "offset"),
        ("kr,1,2026-03-01 00:00:00,1.005", "price", "'1.005'", "2 digits after the point"),
        ("kr,1,2026-03-01 00:00:00,1000000", "price", "'1000000'", "too large for decimal(8, 2)"),
        ("kr,1,2026-03-01 00:00:00,1e3", "price", "'1e3'", "plain digits"),
        ('kr,1,2026-03-01 00:00:00,"1,000"', "price", "'1,000'", "plain digits"),
        ("korea,1,2026-03-01 00:00:00,1", "shop", "'korea'", "5 characters long"),
    ],
)
def test_a_wrong_value_is_told_with_file_line_column_and_value(
    desk: Desk, row: str, column: str, shown: str, says: str
) -> None:
    report = refused(
        desk,
        f"{HEADER}\nok,1,2026-03-01 00:00:00,1\n{row}\n",
        f"lines.csv, line 3, column {column}: ",
        says,
    )
    assert shown in report.splitlines()[0]
    assert len(report.splitlines()) == 2, report


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("state", "gone", "'gone': not one of new, done"),
        ("state", r"\N", "NOT NULL"),
        ("small", "256", "0 to 255"),
        ("small", "-1", "0 to 255"),
        ("ratio", "nan", "no number"),
        ("ratio", "1e999", "too large"),
        ("first_day", "2026-13-01", "calendar"),
        ("first_day", "0999-01-01", "out of range"),
        ("mail", "x" * 21, "•••: 21 characters long; varchar(20) takes 20"),
    ],
)
def test_a_wrong_value_of_other_columns(desk: Desk, column: str, value: str, says: str) -> None:
    refused(
        desk, f"{HEADER},{column}\n{GOOD.strip()},{value}\n", f"line 2, column {column}: ", says
    )


def test_lines_are_those_of_the_file_where_texts_hold_newlines(desk: Desk) -> None:
    text = (
        f'{HEADER},mail\n\nkr,1,2026-03-01 00:00:00,1,"a\nb\r\nc"\nkr,x,2026-03-01 00:00:00,1,d\n'
    )
    refused(desk, text, "line 6, column number")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("kr,1,2026-03-01 00:00:00", "3 values where the header names 4 columns: too few"),
        ("kr,1,2026-03-01 00:00:00,1,", "5 values where the header names 4 columns: too many"),
        ('kr,1,2026-03-01 00:00:00,"1', "no CSV"),
        ('kr,1,2026-03-01 00:00:00,"1"2', "no CSV"),
    ],
)
def test_a_ragged_or_broken_row(desk: Desk, row: str, says: str) -> None:
    refused(desk, f"{HEADER}\n{GOOD}{row}\n", "line 3", says)


def test_a_blank_line_of_a_file_with_one_column_is_not_guessed_at(desk: Desk) -> None:
    refused(desk, "key\na\n\n", "line 3, column key", 'write ""', name="o.csv", table="order")
    assert desk.put('key\na\n""\n', "order.csv", "order").rows == 2
    assert [row["key"] for row in desk.rows("order")] == ["", "a"]


def test_bytes_that_are_no_text(desk: Desk) -> None:
    text = (
        f"{HEADER},mail\n".encode()
        + b"kr,1,2026-03-01 00:00:00,1,\xff\n"
        + b"k\0,2,2026-03-01 00:00:00,1,a\n"
    )
    report = refused(
        desk,
        text,
        "line 2, column mail: •••: bytes that are no UTF-8",
        "line 3, column shop",
        "NUL",
    )
    assert len(report.splitlines()) == 3


def test_duplicates_in_the_file_name_both_lines(desk: Desk) -> None:
    rows = "".join(f"kr,{number},2026-03-01 00:00:00,1\n" for number in (1, 2, 1, 3, 1))
    report = refused(
        desk,
        f"{HEADER}\n{rows}",
        "line 4",
        "kr, 1",
        "duplicate primary key",
        "line 2 has it too",
        "line 6",
    )
    assert len(report.splitlines()) == 3


def test_duplicates_of_a_unique_key_and_of_the_table(desk: Desk) -> None:
    desk.put(f"{HEADER},mail\nkr,1,2026-03-01 00:00:00,1,me@shop\n")
    rows = [(2, "me@shop"), (1, r"\N"), (3, r"\N")]
    text = "".join(f"kr,{number},2026-03-01 00:00:00,1,{mail}\n" for number, mail in rows)
    text = f"{HEADER},mail\n{text}"
    report = refused(
        desk,
        text,
        "line 3",
        "column shop, number: 'kr, 1': a duplicate primary key: raw.lines holds it already",
        name="b.csv",
    )
    assert "line 2, column mail: •••: a duplicate unique key: raw.lines holds it already" in report
    assert "me@shop" not in report
    assert len(report.splitlines()) == 3


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("2026-01-01 00:00:00,a,{,1,", "no JSON text"),
        ("2026-01-01 00:00:00,a,[],2,", "neither 0 nor 1"),
        ("2026-01-01 00:00:00,a,[],0,xyz", "hexadecimal"),
        ("2026-01-01 00:00:00,a,[],0,0011223344", "5 bytes long"),
        ("2038-01-20 00:00:00,a,[],0,", "out of range for timestamp"),
        ("1970-01-01 00:00:00+00:01,a,[],0,", "out of range for timestamp"),
    ],
)
def test_wrong_values_of_rarer_types(desk: Desk, row: str, says: str) -> None:
    refused(
        desk, f"moment,body,shape,flag,raw\n{row}\n", "line 2", says, name="e.csv", table="events"
    )


def test_twenty_problems_are_shown_and_the_rest_counted(desk: Desk) -> None:
    rows = "".join(f"kr,{number},2026-03-01 00:00:00,x\n" for number in range(40_000))
    with pytest.raises(ImportProblems) as caught:
        desk.put(f"{HEADER}\n{rows}")
    assert (len(caught.value.problems), caught.value.count) == (20, 40_000)
    assert [problem.line for problem in caught.value.problems] == list(range(2, 22))
    assert "and 39,980 more" in str(caught.value)
    assert "Nothing was loaded" in str(caught.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[1]\n", ["line 1", "no object"]),
        ("{}\n{\n", ["line 2", "no JSON"]),
        ('{"shop": 1}', ["line 1, column shop", "write it as a text", "column price", "missing"]),
        ('{"nope": 1}', ["line 1, column nope", "no such column"]),
        ('{"shop": "a", "shop": "b"}', ["twice"]),
        ('{"shop": "a\\u0000"}', ["line 1, column shop", "NUL"]),
        ('{"shop": "\\ud800"}', ["line 1, column shop", "UTF-8"]),
        ('{"shop": {}}', ["line 1, column shop", "dict"]),
        ('{"price": NaN}', ["line 1, column price", "float"]),
        (b'{"shop": "\xff"}', ["line 1", "UTF-8"]),
    ],
)
def test_wrong_json(desk: Desk, text: str | bytes, words: list[str]) -> None:
    refused(desk, text, *words, name="lines.jsonl")


def test_a_file_that_cannot_be_read(desk: Desk) -> None:
    refused(desk, "x", "lines.xlsx", "no such column", name="lines.xlsx")
    whole = gzip.compress(f"{HEADER}\n{GOOD}".encode())
    refused(desk, whole[:-6], "cut short", name="cut.csv.gz")
    refused(desk, b"no gzip", "line 1", "no such column", name="not.csv.gz")
    refused(desk, whole[:4], "damaged", "line 1:", name="short.csv.gz")
    rows = "".join(f"kr,{number},2026-03-01 00:00:00,1\n" for number in range(60_000))
    many = gzip.compress(f"{HEADER}\n{rows}".encode())
    report = refused(desk, many[: len(many) // 2], "came out whole", name="half.csv.gz")
    found = re.search(r"line ([\d]+): .*line ([\d]+) is the last", report)
    assert found, report
    assert 10_000 < int(found[2]) == int(found[1]) - 1 < 60_000
    with pytest.raises(ImportProblems, match="no such file"):
        desk.take(desk.home / "nowhere.csv")
