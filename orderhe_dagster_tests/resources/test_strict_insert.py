"""What the embedded source refuses of a batch because MySQL would refuse it, or change it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource

CONTRACT = """
-- What MySQL is particular about.
create table rare (
    id int not null,
    made year,
    clock time,
    fine time(3),
    tags set('a', 'b'),
    code char(5),
    four binary(4),
    shape json,
    primary key (id)
);
"""


def append(home: Path, column: str, value: Any) -> list[Any]:
    """Append one row to a new table; its value as it comes out."""
    (home / "sql" / "raw").mkdir(parents=True)
    (home / "sql" / "raw" / "rare.sql").write_text(CONTRACT)
    tables = read_catalogue(home / "sql").layer("raw")
    source = EmbeddedSource(path=str(home / "shop.duckdb"))
    source.create(tables)
    with source.writing() as transaction:
        transaction.append(tables[0], pa.table({"id": [1], column: [value]}))
    with source.writing() as transaction:
        found = transaction.fetch(f"select {column} from rare")
    return list(found[column].to_pylist())


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("made", 24), ("made", 1900), ("clock", "12:00:00.5"), ("clock", "noon"),
        ("fine", "838:59:59.9"), ("fine", "839:00:00"), ("fine", "12:00:00.1234"), ("tags", "zzz"),
        ("tags", "b,a"), ("tags", "a,a"), ("code", "ab "), ("four", b"ab"), ("shape", "{"),
        ("shape", "NaN"), ("shape", '{"a": -Infinity}'), ("shape", "[1, ]"),
    ],
)  # fmt: skip
def test_a_value_that_mysql_does_not_keep_is_refused(
    tmp_path: Path, column: str, value: Any
) -> None:
    with pytest.raises(PortError, match=f"raw.rare.{column}: .* at id 1"):
        append(tmp_path, column, value)


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("made", 0), ("made", 2155), ("clock", "-838:59:59"), ("fine", "838:59:59.000"),
        ("fine", "01:02:03"), ("tags", "a,b"), ("tags", ""), ("code", "ab"), ("four", b"abcd"),
        ("shape", '{"a": 1.50}'), ("shape", '{"nan": "a\\"inf,]"}'), ("shape", None), ("tags", None),
    ],
)  # fmt: skip
def test_a_value_that_mysql_keeps_comes_out_as_it_went_in(
    tmp_path: Path, column: str, value: Any
) -> None:
    assert append(tmp_path, column, value) == [value]
