"""Whether a copy of a table holds what the source holds: rows, an exact sum of every column, rows a day.

Also a program for a DuckDB file, run by the Python that wrote it: `content.py FILE RELATION COLUMNS DAY`.
Texts count by the first eight hexadecimal digits of their MD5, times by their microseconds.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Any

Columns = Mapping[str, str]
"""Name -> "number", "date", "time" or "text"."""
Ask = Callable[[str], Sequence[Sequence[Any]]]
"""Runs a select; gives its rows."""
Content = dict[str, Any]

_VALUES: Mapping[str, Mapping[str, str]] = {
    "mysql": {
        "number": "{0}",
        "date": "to_days({0}) - 719528",
        "time": "timestampdiff(microsecond, '1970-01-01 00:00:00', {0})",
        "text": "cast(conv(left(md5(cast({0} as char character set utf8mb4)), 8), 16, 10) as signed)",
    },
    "duckdb": {
        "number": "{0}::bigint",
        "date": "datediff('day', date '1970-01-01', {0}::date)",
        "time": "epoch_us({0})",
        "text": "('0x' || left(md5({0}::varchar), 8))::bigint",
    },
    "redshift": {
        "number": "{0}::bigint",
        "date": "datediff(day, date '1970-01-01', {0})",
        "time": "datediff(us, timestamp '1970-01-01 00:00:00', {0})",
        "text": "strtol(left(md5({0}), 8), 16)",
    },
}
_SUM = {
    "mysql": "cast(sum({0}) as char)",
    "duckdb": "sum({0})::varchar",
    "redshift": "sum({0}::decimal(38, 0))::varchar",
}


def content(ask: Ask, dialect: str, relation: str, columns: Columns, day: str) -> Content:
    """What a relation holds: `rows`, `sums` and `counts` by column, `days` with their rows."""
    counts = ", ".join(f"count({name})" for name in columns)
    sums = ", ".join(
        _SUM[dialect].format(_VALUES[dialect][kind].format(name)) for name, kind in columns.items()
    )
    (total,) = ask(f"select count(*), {counts}, {sums} from {relation}")
    by_day = ask(
        f"select {_VALUES[dialect]['date'].format(day)}, count(*) from {relation} group by 1 order by 1"
    )
    many = len(columns)
    return {
        "rows": int(total[0]),
        "counts": dict(zip(columns, map(int, total[1 : 1 + many]), strict=True)),
        "sums": dict(zip(columns, map(_whole, total[1 + many :]), strict=True)),
        "days": {str(int(number)): int(rows) for number, rows in by_day},
    }


def differences(there: Content, expected: Content) -> list[str]:
    """How a copy differs from what it should hold; nothing: it is equal."""
    if there["rows"] != expected["rows"]:
        return [f"{there['rows']:,} rows, not {expected['rows']:,}"]
    wrong = [
        f"{column}: {what} {there[what][column]}, not {value}"
        for what in ("counts", "sums")
        for column, value in expected[what].items()
        if there[what][column] != value
    ]
    if there["days"] != expected["days"]:
        unlike = {
            day
            for day in {*there["days"], *expected["days"]}
            if there["days"].get(day) != expected["days"].get(day)
        }
        wrong.append(f"{len(unlike)} days have other numbers of rows")
    return wrong


def _whole(text: Any) -> str:
    return "" if text is None else str(text).partition(".")[0]


def main(file: str, relation: str, columns: str, day: str) -> None:
    """Print the content of a relation of a DuckDB file, or of Parquet files (FILE is "")."""
    import duckdb

    with duckdb.connect(file or ":memory:", read_only=bool(file)) as connection:
        found = content(
            lambda sql: connection.execute(sql).fetchall(),
            "duckdb",
            relation,
            json.loads(columns),
            day,
        )
    print("BENCH " + json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
