from __future__ import annotations

import io
import json
from datetime import date
from decimal import Decimal

from orderhe_dagster.ports.warehouse import Result
from orderhe_dagster.rendering.printing import print_result

FOUND = Result(
    ("name", "n", "total", "day"),
    ("varchar", "integer", "decimal", "date"),
    [("밥", 1, Decimal("10.50"), date(2026, 1, 2)), ("x\ny", None, Decimal("-2"), None)],
)


def printed(form: str, result: Result = FOUND) -> str:
    out = io.StringIO()
    print_result(result, form, out)
    return out.getvalue()


def test_a_table_lines_up_when_hangul_is_wide() -> None:
    assert printed("table").splitlines() == [
        "name  n  total  day",
        "----  -  -----  ----------",
        "밥    1  10.50  2026-01-02",
        "x⏎y         -2",
        "(2 rows)",
    ]


def test_no_value_commands_the_terminal() -> None:
    told = printed("table", Result(("name",), ("varchar",), [("a\x1b[2J\r\tb\x7f\x9b1m",)]))
    assert told.splitlines()[2] == "a␛[2J␍␉b␡\\x9b1m"


def test_csv_is_exact_when_a_program_reads_it() -> None:
    assert printed("csv") == 'name,n,total,day\n밥,1,10.50,2026-01-02\n"x\ny",,-2,\n'


def test_json_has_one_object_a_line() -> None:
    rows = [json.loads(line) for line in printed("json").splitlines()]
    assert rows[0] == {"name": "밥", "n": 1, "total": "10.50", "day": "2026-01-02"}
    assert rows[1]["n"] is None


def test_a_count_is_said_when_there_are_no_rows() -> None:
    assert printed("table", Result(row_count=3)) == "3 rows\n"
    assert printed("table", Result()) == "done\n"
