"""Which statements are taken for reading: those may run beside others."""

from __future__ import annotations

import pytest

from orderhe_dagster.catalog.syntax import is_reading


@pytest.mark.parametrize(
    ("sql", "reads"),
    [
        ("select 1", True),
        ("  (SELECT 1) union (select 2)", True),
        ("with a as (select 1) select * from a", True),
        ("-- delete from t\nselect 1", True),
        ("/* insert into t */ /* more */ show all", True),
        ("select 'into', \"into\" from t -- into", True),
        ("select a into b from t", False),
        ("with a as (select 1 as x) select x Into kept from a", False),
        ("-- select\ndelete from t", False),
        ("/* select */ insert into t select 1", False),
        ("selected", False),
        ("select 'open", False),
        ("-- nothing", False),
        ("", False),
    ],
)
def test_reading_is_told_from_writing(sql: str, reads: bool) -> None:
    assert is_reading(sql) is reads
