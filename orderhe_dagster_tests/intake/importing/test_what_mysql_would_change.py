"""What MySQL refuses or would change in silence is refused here; the rest comes out as it went in."""

from __future__ import annotations

import json
from decimal import Decimal

import pytest

from orderhe_dagster_tests.intake.importing.desk import Desk, refused


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("made", "24", "four digits"),
        ("made", "1850", "1901 to 2155"),
        ("made", "2156", "1901 to 2155"),
        ("clock", "12:00:00.5", "keeps (0)"),
        ("fine", "12:00:00.1234", "keeps (3)"),
        ("fine", "838:59:59.9", "838:59:59"),
        ("clock", "839:00:00", "838:59:59"),
        ("clock", "-00:00:00", "no sign"),
        ("tags", "zzz", "a, b, it's"),
        ("tags", '"b,a"', "'a,b'"),
        ("tags", '"a,a"', "'a'"),
        ("code", "'ab   '", "blanks at the end"),
        ("four", "00ff", "fill up"),
        ("ratio", "1e-400", "too small"),
        ("small", "1e-60", "too small"),
        ("shape", "Infinity", "Infinity"),
        ("shape", '"{""a"": NaN}"', "NaN"),
        ("shape", r'"""\ud800"""', "surrogate"),
        ("shape", r'"{""\udfff"": 1}"', "surrogate"),
        ("shape", '"{""a"": 1, ""a"": 2}"', "a is given twice"),
        ("shape", "1e999", "too large"),
        ("shape", "9" * 5000, "too large"),
        ("shape", "[" * 101 + "]" * 101, "100 levels"),
        ("shape", "[" * 5000 + "]" * 5000, "100 levels"),
    ],
)
def test_a_value_that_mysql_does_not_keep(desk: Desk, column: str, value: str, says: str) -> None:
    value = value.strip("'")
    refused(
        desk, f"id,{column}\n1,{value}\n", f"line 2, column {column}: ", says,
        name="rare.csv", table="rare",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value", "kept"),
    [
        ("made", "0000", 0),
        ("made", "1901", 1901),
        ("clock", "838:59:59.000", "838:59:59"),
        ("fine", "-01:02:03.5", "-01:02:03.500"),
        ("tags", '"a,it\'s"', "a,it's"),
        ("tags", "", ""),
        ("code", " ab", " ab"),
        ("four", "00ff00ff", b"\x00\xff\x00\xff"),
        ("ratio", "0e-400", 0.0),
        ("shape", r'"{""b"": 1.50,  ""a"": ""\ud83d\ude00""}"', r'{"b": 1.50,  "a": "\ud83d\ude00"}'),
        ("shape", "[" * 100 + "]" * 100, "[" * 100 + "]" * 100),
    ],
)  # fmt: skip
def test_a_value_that_mysql_keeps(desk: Desk, column: str, value: str, kept: object) -> None:
    desk.put(f"id,{column}\n1,{value}\n", "rare.csv", "rare")
    assert desk.rows("rare", f'id, "{column}"') == [{"id": 1, column: kept}]


@pytest.mark.parametrize(
    "text",
    ['{"a": 1.50, "b": [0.10, 2E+3],  "c": 12345678901234567890}', "1.50", '"5"', "true", "[ ]"],
)
def test_a_json_column_keeps_the_text_that_stands_in_a_json_line(desk: Desk, text: str) -> None:
    desk.put(f'{{ "shape" :{text} , "id": 1}}\n{{"id": 2, "shape": null}}', "rare.jsonl", "rare")
    assert [row["shape"] for row in desk.rows("rare", "id, shape")] == [text, None]


def test_a_json_column_takes_python_values_to_the_last_digit(desk: Desk) -> None:
    text = (
        "from decimal import Decimal\n"
        "rare = [{'id': 1, 'shape': {'a': Decimal('1.50'), 'b': (0.1, True, None, '한\"')}},\n"
        "    {'id': 2, 'shape': '5'}]\n"
    )
    desk.put(text, "rare.py", "rare")
    first, second = (row["shape"] for row in desk.rows("rare", "id, shape"))
    assert first == '{"a": 1.50, "b": [0.1, true, null, "한\\""]}'
    assert json.loads(first, parse_float=Decimal)["a"] == Decimal("1.50")
    assert second == '"5"', "a text is a JSON text"


def test_a_text_that_holds_an_object_or_array_is_that(desk: Desk) -> None:
    desk.put('{"id": 1, "shape": "{\\"a\\": 1.50}"}', "rare.jsonl", "rare")
    desk.put(
        "rare = [{'id': 2, 'shape': '[1, 2]'}, {'id': 3, 'shape': '[1, 2'}]", "rare.py", "rare"
    )
    assert [row["shape"] for row in desk.rows("rare", "id, shape")] == [
        '{"a": 1.50}',
        "[1, 2]",
        '"[1, 2"',
    ]


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("{'a': object}", "type has no form in JSON"),
        ("{'a': {1, 2}}", "set has no form in JSON"),
        ("{1: 2}", "write them as texts"),
        ("{'a': float('nan')}", "JSON cannot hold"),
        ("[10 ** 5000]", "JSON cannot hold"),
        ("'\\ud800'", "UTF-8"),
    ],
)
def test_a_python_value_that_json_does_not_hold(desk: Desk, value: str, says: str) -> None:
    text = f"rare = [\n    {{'id': 1, 'shape': {value}}},\n]\n"
    refused(desk, text, "line 2, column shape: ", says, name="rare.py", table="rare")


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("rare.jsonl", '{"id": 1, "shape": {"a": NaN}}', ["line 1, column shape", "NaN"]),
        ("rare.jsonl", '{"id": 1, "shape": {"a": 1, "a": 2}}', ["line 1", "twice"]),
        ("rare.jsonl", f'{{}}\n{{"shape": {"[" * 200_000}}}', ["line 2", "nested"]),
        ("rare.jsonl", f'{{"shape": {"[" * 500 + "]" * 500}}}', ["line 1", "100 levels"]),
        ("rare.jsonl", f'{{"id": {"9" * 5000}}}', ["line 1"]),
        ("rare.jsonl", '{"id": 1, "ratio": 1e99999999999999999999999}', ["line 1", "too long"]),
        ("rare.jsonl", '{"id": 1e5000000}', ["line 1, column id", "digits"]),
        ("rare.py", "rare = [\n{'id': 10 ** 5000}]", ["line 2, column id", "out of range"]),
        ("rare.py", "from decimal import Decimal\nrare = [{'id': Decimal('sNaN')}]", ["column id"]),
        ("rare.py", "a = 1\nraise SystemExit(3)", ["line 2", "SystemExit: 3"]),
        ("rare.py", "def f():\n    raise GeneratorExit\n\nf()", ["line 2", "GeneratorExit"]),
        ("rare.py", "a = 1\nb = = 2", ["line 2", "SyntaxError"]),
    ],
)
def test_what_used_to_end_in_a_traceback_is_a_problem_of_a_line(
    desk: Desk, name: str, text: str, words: list[str]
) -> None:
    refused(desk, text, *words, name=name, table="rare")
