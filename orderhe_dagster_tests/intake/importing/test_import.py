"""Files into raw tables: what is taken, and what an import leaves behind."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest

from orderhe_dagster.intake.importing import ImportProblems
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster_tests.intake.importing.desk import GOOD, HEADER, Desk, refused


def test_a_good_csv_is_loaded_and_archived(desk: Desk) -> None:
    text = (
        "number,shop,price,sold_at,mail,state,small,ratio,first_day\n"
        '7,kr,-10.5,2026-03-01T23:59:59.999,"a, ""b""\n🙂",done,255,1e-7,2024-02-29\n'
        r"8,kr,999999.99,2026-02-28 00:00:00,\N,new,\N,\N,\N" + "\n"
        r"9,kr,0,2026-02-28 00:00:00,,new,0,-3,1000-01-01" + "\n\n"
    )
    done = desk.put(text)
    assert (done.rows, done.first_day, done.last_day) == (3, date(2026, 2, 28), date(2026, 3, 1))
    assert done.sha256 == hashlib.sha256(text.encode()).hexdigest()
    assert done.archive_key == f"imports/lines/{done.sha256}-lines.csv"
    archived = desk.store.get(done.archive_key)
    assert archived is not None
    assert archived.body == text.encode()
    assert (desk.home / "lines.csv").exists(), "the original stays"
    assert desk.rows()[0] == {
        "shop": "kr", "number": 7, "sold_at": datetime(2026, 3, 1, 23, 59, 59, 999000),
        "price": Decimal("-10.50"), "state": "done", "mail": 'a, "b"\n🙂', "small": 255,
        "ratio": 1e-7, "first_day": date(2024, 2, 29),
    }  # fmt: skip
    assert [row["mail"] for row in desk.rows()[1:]] == [None, ""], r"\N is NULL, nothing is empty"


def test_columns_with_defaults_and_nullable_ones_may_be_left_out(desk: Desk) -> None:
    desk.put(f"\ufeff{HEADER}\r\n{GOOD}".replace("\n", "\r\n").replace("\r\r", "\r"))
    (row,) = desk.rows()
    assert (row["state"], row["mail"], row["small"]) == ("new", None, None)


def test_an_import_appends(desk: Desk) -> None:
    desk.put(f"{HEADER}\n{GOOD}")
    desk.put(f"{HEADER}\nkr,2,2026-03-01 00:00:00,1\n", "more.csv")
    assert [row["number"] for row in desk.rows()] == [1, 2]


def test_gzip_and_progress(desk: Desk) -> None:
    told: list[int] = []
    rows = "".join(f"kr,{number},2026-03-01 00:00:00,1.00\n" for number in range(70_000))
    packed = gzip.compress(f"{HEADER}\n{rows}".encode())
    assert desk.put(packed, "lines.csv.gz", progress=told.append).rows == 70_000
    assert told == [32_768, 65_536, 70_000]


def test_a_file_that_changes_meanwhile_is_taken_as_it_was_at_first(desk: Desk) -> None:
    rows = "".join(f"kr,{number},2026-03-01 00:00:00,1.00\n" for number in range(70_000))
    text = f"{HEADER}\n{rows}".encode()
    file = desk.home / "lines.csv"
    done = desk.put(
        text, progress=lambda told: file.write_bytes(text.replace(b"kr", b"us")) and None
    )
    assert done.sha256 == hashlib.sha256(text).hexdigest()
    archived = desk.store.get(done.archive_key)
    assert archived is not None
    assert archived.body == text
    assert {row["shop"] for row in desk.rows()} == {"kr"}
    assert not [found for found in (desk.home / "scratch").iterdir() if found.is_dir()]


def test_a_python_file_that_changes_meanwhile_is_not_taken(desk: Desk) -> None:
    row = {"shop": "kr", "number": 1, "sold_at": "2026-03-01 00:00:00", "price": 1}
    text = f"import pathlib; pathlib.Path(__file__).write_text('changed')\nlines = [{row}]\n"
    refused(desk, text, "changed while it was read", name="lines.py")


def test_a_moment_with_an_offset_is_the_shops_wall_clock(desk: Desk) -> None:
    rows = "kr,1,2026-03-01 00:00:00Z,1\nkr,2,2026-11-01 12:00:00 +0900,1\nkr,3,2026-11-01 12:00:00,1\n"
    done = desk.put(f"{HEADER}\n{rows}")
    assert [row["sold_at"] for row in desk.rows()] == [
        datetime(2026, 3, 1, 9),
        datetime(2026, 11, 1, 12),
        datetime(2026, 11, 1, 12),
    ]
    assert "moments with an offset turned into Asia/Seoul" in done.recognised


def test_json_lines(desk: Desk) -> None:
    rows = [
        {"shop": "kr", "number": 1, "sold_at": "2026-03-01 00:00:00", "price": 0.1, "ratio": 2},
        {
            "shop": "kr",
            "number": "2",
            "sold_at": "2026-03-02 00:00:00",
            "price": "1.20",
            "mail": "한",
        },
    ]
    done = desk.put("\n\n".join(json.dumps(row) for row in rows), "lines.jsonl")
    assert done.rows == 2
    found = [(row["price"], row["ratio"], row["mail"]) for row in desk.rows()]
    assert found == [(Decimal("0.10"), 2.0, None), (Decimal("1.20"), None, "한")]


def test_json_numbers_are_never_rounded_by_a_float(desk: Desk) -> None:
    row = '{"shop": "kr", "number": 1, "sold_at": "2026-03-01 00:00:00", "price": 123456.789}'
    refused(desk, row, "line 1", "price", "123456.789", "2 digits", name="lines.ndjson")


def test_a_python_module(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    text = (
        "from datetime import datetime\nfrom decimal import Decimal\nanything = object()\n"
        "lines = [\n"
        "    {'shop': 'kr', 'number': 1, 'sold_at': datetime(2026, 3, 1, 5), 'price': Decimal('1.5')},\n"
        "    {'shop': 'kr', 'number': 2, 'sold_at': '2026-03-02 00:00:00', 'price': 3},\n]\n"
    )
    (desk.home / "shop_rows_for_test.py").write_text(text)
    done = desk.take(desk.home / "shop_rows_for_test.py")
    assert (done.rows, done.first_day, done.last_day) == (2, date(2026, 3, 1), date(2026, 3, 2))
    monkeypatch.syspath_prepend(str(desk.home))
    with pytest.raises(ImportProblems) as caught:
        desk.take("shop_rows_for_test")
    assert "shop_rows_for_test.py, line 5, column shop, number: " in str(caught.value)


def test_a_header_alone_is_no_rows(desk: Desk) -> None:
    done = desk.put(f"{HEADER}\n")
    assert (done.rows, done.first_day, done.last_day) == (0, None, None)


def test_the_same_file_twice_is_refused_by_its_keys(desk: Desk) -> None:
    desk.put(f"{HEADER}\n{GOOD}")
    refused(desk, f"{HEADER}\n{GOOD}", "line 2", "duplicate primary key")


def test_a_table_without_a_key_takes_a_file_once_unless_forced(desk: Desk) -> None:
    text = 'moment,body,shape,flag,raw\n2026-02-28T15:00:00Z,a,"{""a"": 1}",1,00ff\n'
    text += "2026-02-28 23:00:00+09:00,,[],0,\n"
    done = desk.put(text, "events.csv", "events")
    assert (done.rows, done.first_day, done.last_day) == (2, date(2026, 2, 28), date(2026, 3, 1))
    assert [row["moment"] for row in desk.rows("events")] == [
        datetime(2026, 2, 28, 14),
        datetime(2026, 2, 28, 15),
    ]
    assert [row["raw"] for row in desk.rows("events")] == [b"", b"\x00\xff"]
    refused(
        desk, text, "imported into raw.events before", "--force", name="copy.csv", table="events"
    )
    assert desk.put(text, "events.csv", "events", force=True).archive_key == done.archive_key
    assert len(desk.rows("events")) == 4


def test_names_that_sql_uses_itself(desk: Desk) -> None:
    desk.put("key,group\na,1\n", "order.csv", "order")
    refused(
        desk,
        "key,group\na,2\n",
        "column key: 'a'",
        "raw.order holds it",
        name="o.csv",
        table="order",
    )


def test_a_store_that_fails_takes_the_rows_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FolderStore, files: Any) -> None:
        raise PortError("the store is full")

    monkeypatch.setattr(FolderStore, "upload", broken)
    with pytest.raises(PortError, match="full"):
        desk.put(f"{HEADER}\n{GOOD}")
    assert desk.rows() == []
