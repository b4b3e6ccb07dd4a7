"""Lines made by DuckDB against those made row by row: any table gives the same bytes and the same parts."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from local_redshift.session.engine import Engine
from orderhe_dagster.rendering.csv_files import Written, csv_file
from orderhe_dagster.rendering.csv_lines import lines_select
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedSession

HOSTILE = st.text(
    st.sampled_from("=+-@\t\r\n\uff1d\uff0b\uff0d\uff20,\"' a\\#;|가é\u0301🎁0."), max_size=12
)
TEXTS = st.one_of(HOSTILE, st.text(st.characters(exclude_categories=["Cs"]), max_size=12))
MOMENTS = st.one_of(
    st.datetimes(min_value=datetime(1, 1, 1), max_value=datetime(9999, 12, 31)),
    st.datetimes(min_value=datetime(1, 1, 1)).map(lambda at: at.replace(microsecond=0)),
    st.datetimes().map(lambda at: at.replace(microsecond=at.microsecond // 1000 * 1000)),
)


def whole(bits: int) -> st.SearchStrategy[int]:
    return st.integers(-(1 << bits - 1), (1 << bits - 1) - 1)


def exact(digits: int, scale: int) -> st.SearchStrategy[Decimal]:
    most = 10**digits - 1
    return st.integers(-most, most).map(lambda number: Decimal(number).scaleb(-scale))


TYPES: dict[str, st.SearchStrategy[Any]] = {
    "boolean": st.booleans(),
    "smallint": whole(16),
    "integer": whole(32),
    "bigint": whole(64),
    "decimal(18,0)": exact(18, 0),
    "decimal(12,2)": exact(12, 2),
    "decimal(3,3)": exact(3, 3),
    "decimal(37,37)": st.sampled_from([Decimal("0.5"), Decimal("-0.25"), Decimal(0)]),
    "real": st.floats(width=32),
    "double precision": st.floats(),
    "date": st.dates(),
    "timestamp": MOMENTS,
    "timestamptz": MOMENTS.map(lambda at: at.replace(tzinfo=timezone.utc)),
    "varchar(60)": TEXTS,
    "varchar(max)": TEXTS,
    "varbyte(20)": st.binary(max_size=12),
}


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with Engine() as engine:
        columns = ", ".join(f"c{place} {type_}" for place, type_ in enumerate(TYPES))
        engine.execute(f"create table every (n integer, {columns})")
        yield engine


def fill(engine: Engine, rows: Sequence[Sequence[Any]]) -> None:
    engine.execute("delete from every")
    marks = ", ".join("?" * (len(TYPES) + 1))
    if rows:
        numbered = [[number, *row] for number, row in enumerate(rows)]
        engine.connection.executemany(f"insert into dev.public.every values ({marks})", numbered)


class ByRows(EmbeddedSession):
    """The same engine, for a driver that gives rows alone."""

    def write(self, sql: str, lines: Any) -> Any:
        return self.stream(sql, lines.add)


def written(session: EmbeddedSession, sql: str, path: Path, part_bytes: int) -> Written:
    with csv_file(path, ["=a", "b"], part_bytes) as file:
        result = session.write(sql, file)
        whole = file.written(path)
    assert result.row_count == whole.rows
    return whole


def same(engine: Engine, sql: str, folder: Path, part_bytes: int = sys.maxsize) -> bytes:
    """What both ways write, after a look that it is the same."""
    made = written(EmbeddedSession(engine), sql, folder / "lines.csv", part_bytes)
    one_by_one = written(ByRows(engine), sql, folder / "rows.csv", part_bytes)
    data = made.path.read_bytes()
    assert data == one_by_one.path.read_bytes()
    assert (made.rows, made.size, made.edges) == (
        one_by_one.rows, one_by_one.size, one_by_one.edges,
    )  # fmt: skip
    return data


ROWS = st.lists(st.tuples(*(st.none() | values for values in TYPES.values())), max_size=4)


@settings(max_examples=150, deadline=None)
@given(rows=ROWS, part_bytes=st.sampled_from([1, 300, 1_000, sys.maxsize]))
def test_any_table_is_the_same_bytes_by_lines_and_by_rows(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, rows: list[Any], part_bytes: int
) -> None:
    fill(engine, rows)
    folder = tmp_path_factory.mktemp("csv")
    names = ", ".join(f"c{place}" for place in range(len(TYPES)))
    data = same(engine, f"select {names} from every order by n", folder, part_bytes)
    assert data.startswith(b"'=a,b\n")


@settings(max_examples=100, deadline=None)
@given(texts=st.lists(st.none() | HOSTILE, max_size=6))
def test_a_single_column_is_the_same_bytes(
    engine: Engine, tmp_path_factory: pytest.TempPathFactory, texts: list[str | None]
) -> None:
    place = list(TYPES).index("varchar(60)")
    fill(engine, [[text if at == place else None for at in range(len(TYPES))] for text in texts])
    same(engine, f"select c{place} from every order by n", tmp_path_factory.mktemp("csv"))


FLOATS = [0.0, -0.0, 1.0, 1e15, 1e16, 1e17, 1e22, 1e-4, 1e-5, 123456789.123, 5e-324, 1.7e308]


@pytest.mark.parametrize("type_", ["real", "double precision"])
def test_floats_are_as_python_has_them(engine: Engine, tmp_path: Path, type_: str) -> None:
    place = list(TYPES).index(type_)
    numbers = [number for number in FLOATS if type_ != "real" or number < 1e38]
    fill(engine, [[n if at == place else None for at in range(len(TYPES))] for n in numbers])
    assert b"\n1.0\n" in same(engine, f"select c{place} from every order by n", tmp_path)


@pytest.mark.parametrize(
    "column",
    [
        "null",
        "'=a literal'",
        'json_parse(\'{"a": [1, "=x"]}\')',
        "1.50",
    ],
)
def test_what_no_table_holds_is_the_same_bytes(engine: Engine, tmp_path: Path, column: str) -> None:
    same(engine, f"select {column} as a, 1 as b", tmp_path)


def test_rows_keep_the_order_of_the_select(tmp_path: Path) -> None:
    """More rows than threads take at once: what DuckDB computes of each must not part from their order."""
    with Engine() as engine:
        engine.execute("create table many (n integer, name varchar(30))")
        engine.connection.execute(
            "insert into dev.public.many select (i * 7919) % 300000, '=' || i from range(300000) t(i)"
        )
        data = same(engine, "select n, name from many order by n desc", tmp_path, 1_000_000)
    numbers = [int(line.split(b",")[0]) for line in data.splitlines()[1:]]
    assert numbers == sorted(numbers, reverse=True)


def test_types_without_a_certain_text_are_taken_row_by_row() -> None:
    assert lines_select([("c0", "integer"), ("c1", "timetz")], "t") is None
    assert lines_select([("c0", "decimal")], "t") is None
    assert lines_select([("c0", "char(3)")], "t") is None
    assert lines_select([("c0", "varchar(3)")], "t") is not None
