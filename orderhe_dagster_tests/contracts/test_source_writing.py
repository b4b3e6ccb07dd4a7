"""What every Source promises of writing: as strict as MySQL, all or nothing, one at a time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.source import Source
from orderhe_dagster_tests.contracts.sources import (
    DAY,
    SALES,
    SEGMENT,
    ZONED,
    count,
    fill,
    rows_of,
    sale,
    tables,
)


def test_an_append_may_leave_out_what_has_a_default(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1)])
    with source.writing() as transaction:
        row = transaction.fetch("select state, small, note from sales").to_pylist()
    assert row == [{"state": "new", "small": 0, "note": None}]


def test_a_transaction_tells_the_tables_there_are(source: Source, sales: Table) -> None:
    with source.writing() as transaction:
        assert "sales" in transaction.table_names()
        transaction.execute("create table mine (id int not null primary key)")
        assert "mine" in transaction.table_names()


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"amount": Decimal("12345678901.00")}, ["amount", "12345678901.00", "number 2"]),
        ({"amount": Decimal("1.005")}, ["amount", "exactly", "1.005"]),
        ({"amount": 0.1 + 0.2}, ["amount", "exactly"]),
        ({"amount": "ten"}, ["amount", "string"]),
        ({"amount": None}, ["amount", "NOT NULL"]),
        ({"small": 128}, ["small", "-128 to 127", "128"]),
        ({"number": 2**31}, ["number", "2147483648"]),
        ({"state": "gone"}, ["state", "new, done", "gone"]),
        ({"state": "New"}, ["state", "New"]),
        ({"region": "123456789"}, ["region", "8 characters"]),
        ({"note": "sechs!"}, ["note", "5 characters", "•••"]),
        ({"updated_at": datetime(2026, 1, 1, 0, 0, 0, 1)}, ["updated_at", "3 digits"]),
        ({"updated_at": datetime(999, 1, 1)}, ["updated_at", "out of range"]),
        ({"unknown": 1}, ["unknown", "no such column"]),
        ({"number": 1}, ["duplicate key", "region 'kr'", "number 1"]),
        ({"mail": "1@shop"}, ["duplicate key", "mail •••"]),
    ],
)
def test_a_strict_database_refuses(
    source: Source, sales: Table, change: dict[str, Any], words: list[str]
) -> None:
    fill(source, sales, [sale(1)])
    with pytest.raises(PortError) as caught:
        fill(source, sales, [{**sale(2), **change}])
    text = str(caught.value)
    assert [word for word in ["raw.sales", *words] if word not in text] == [], text
    assert "sechs!" not in text
    assert "1@shop" not in text
    assert count(source) == 1


def test_a_missing_column_without_default_is_named(source: Source, sales: Table) -> None:
    rows = rows_of([sale(1)]).drop_columns(["amount"])
    with pytest.raises(PortError, match=r"raw\.sales\.amount"), source.writing() as transaction:
        transaction.append(sales, rows)


def test_characters_are_counted_and_not_bytes(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1, note="한글이름🙂")])
    assert count(source) == 1


def test_a_zoned_moment_enters_an_instant_in_utc_and_no_wall_clock(
    source: Source, sales: Table, tmp_path: Path
) -> None:
    table = tables(tmp_path, zoned=ZONED.format(name="zoned", type="timestamp"))["zoned"]
    source.create([table])
    nine = datetime(2026, 3, 1, 9, tzinfo=timezone(timedelta(hours=9)))
    fill(source, table, [{"id": 1, "moment": nine}])
    with source.writing() as transaction:
        assert transaction.fetch("select moment from zoned")["moment"][0].as_py() == datetime(
            2026, 3, 1
        )
    with pytest.raises(PortError, match="updated_at"):
        fill(source, sales, [sale(1, updated_at=nine)])


def test_a_transaction_is_all_or_nothing(source: Source, sales: Table) -> None:
    with pytest.raises(ZeroDivisionError), source.writing() as transaction:
        transaction.append(sales, rows_of([sale(1)]))
        transaction.execute("delete from sales where number = 7")
        raise ZeroDivisionError
    assert count(source) == 0


def test_rows_may_be_replaced_inside_one_transaction(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(number) for number in range(100)])
    with source.writing() as transaction:
        for _ in range(2):
            transaction.execute("delete from sales where number >= 50")
            transaction.append(sales, rows_of([sale(number) for number in range(50, 120)]))
    assert count(source) == 120


def test_a_statement_that_fails_is_shown_without_values(source: Source, sales: Table) -> None:
    fill(source, sales, [sale(1)])
    with pytest.raises(PortError) as caught, source.writing() as transaction:
        transaction.execute("update sales set number = cast(mail as int)")
    assert "update sales" in str(caught.value)
    assert "1@shop" not in str(caught.value)


def test_writers_and_readers_take_turns(source: Source, sales: Table, tmp_path: Path) -> None:
    """Each write puts in two rows that belong together: no reader may see one alone."""
    errors: list[BaseException] = []
    seen: list[int] = []

    def write(who: int) -> None:
        for number in range(5):
            rows = [sale(1000 * who + 2 * number + which) for which in (0, 1)]
            fill(source, sales, rows)

    def read(who: int) -> None:
        for number in range(5):
            extract = source.extract(sales, Window.of(DAY), tmp_path / f"{who}-{number}")
            seen.append(extract.measures[SEGMENT].rows)

    def guarded(work: Callable[[int], None], who: int) -> None:
        try:
            work(who)
        except BaseException as error:
            errors.append(error)

    threads = [
        threading.Thread(target=guarded, args=(work, who))
        for who in (1, 2)
        for work in (write, read)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert errors == []
    assert len(seen) == 10
    assert all(rows % 2 == 0 for rows in seen)
    assert count(source) == 20


def test_a_shop_that_is_not_there_is_named_with_the_remedy(source: Source, tmp_path: Path) -> None:
    table = tables(tmp_path, sales=SALES)["sales"]
    with pytest.raises(PortError, match="orderhe create"):
        source.touches(table, Window.of(DAY))
