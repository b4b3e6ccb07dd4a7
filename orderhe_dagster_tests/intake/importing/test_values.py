"""The two ways to read a column, as a whole and text by text, must agree on every text."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from orderhe_dagster.catalog.table import Column, ColumnType
from orderhe_dagster.intake.importing import values
from orderhe_dagster.intake.importing.values import arrow_type, convert

KINDS = {
    "tinyint unsigned": ColumnType("smallint", declared="tinyint unsigned"),
    "int": ColumnType("integer", declared="int"),
    "bigint": ColumnType("bigint", declared="bigint"),
    "bigint unsigned": ColumnType("decimal", precision=20, declared="bigint unsigned"),
    "decimal": ColumnType("decimal", precision=8, scale=2, declared="decimal(8, 2)"),
    "unsigned decimal": ColumnType(
        "decimal", precision=3, scale=3, declared="decimal(3, 3) unsigned"
    ),
    "date": ColumnType("date", declared="date"),
    "datetime": ColumnType("timestamp", fraction=0, declared="datetime"),
    "datetime(6)": ColumnType("timestamp", fraction=6, declared="datetime(6)"),
    "timestamp": ColumnType("timestamp", fraction=3, instant=True, declared="timestamp(3)"),
    "varchar": ColumnType("varchar", length=12, declared="varchar(3)"),
    "text": ColumnType("varchar", length=5, declared="text"),
}
numbers = st.from_regex(r"-?[0-9]{0,21}(\.[0-9]{0,4})?", fullmatch=True)
dates = st.from_regex(r"[0-9]{4}-[01][0-9]-[0-3][0-9]", fullmatch=True)
moments = st.builds(
    "{}{}{}{}".format,
    dates | st.dates().map(str),
    st.sampled_from(" T"),
    st.from_regex(r"[0-2][0-9]:[0-6][0-9]:[0-6][0-9]", fullmatch=True),
    st.from_regex(r"(\.[0-9]{1,7})?", fullmatch=True),
)
texts = st.text(st.characters(codec="utf-8"), max_size=6)
anything = st.none() | numbers | dates | moments | texts


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
@settings(max_examples=60, deadline=None, database=None)
@given(text=anything)
@example(text="12345678901234567890")
@example(text="999999.99")
@example(text="0.999")
@example(text="2026-02-29")
@example(text="2026-01-01 23:59:60")
@example(text="9999-12-31 23:59:59.999999")
@example(text="0000-01-01 00:00:00")
@example(text="0000-01-01")
@example(text="1\n")
@example(text="２０２６-01-01")
def test_a_text_is_the_same_alone_and_in_a_column(kind: ColumnType, text: str | None) -> None:
    column = Column("c", kind)
    array = pa.array([text], pa.string())
    whole = values._as_a_whole(kind, array)
    one_by_one = pa.array([text, "\N{SNOWMAN} is no value of any kind here"], pa.string())
    slow, wrong = convert(column, one_by_one)
    assert wrong[-1][0] == 1, "the second text forces the slow way"
    assert slow.type == arrow_type(kind)
    if whole is not None:
        assert [row for row, _ in wrong] == [1]
        assert whole[0].as_py() == slow[0].as_py()
