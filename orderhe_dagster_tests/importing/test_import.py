"""Files into raw tables: what is taken, and how each wrong thing is told."""

from __future__ import annotations

import gzip
import hashlib
import json
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.importing import Imported, ImportProblems, import_file
from orderhe_dagster.resources.local_source import EmbeddedSource
from orderhe_dagster.resources.local_store import FolderStore
from orderhe_dagster.resources.ports import PortError

CONTRACTS = {
    "lines": """
-- Lines.
-- @partition sold_at
-- @pii mail
create table lines (
    shop varchar(4) not null,
    number int not null,
    sold_at datetime(3) not null,
    price decimal(8, 2) not null,
    state enum('new', 'done') not null default 'new',
    mail varchar(20),
    small tinyint unsigned,
    ratio double,
    first_day date,
    primary key (shop, number),
    unique key lines_mail (mail)
);
""",
    "events": """
-- Without a key.
-- @partition moment
create table events (moment timestamp not null, body text, shape json, flag bit(1), raw varbinary(4));
""",
    "order": """
-- Reserved words.
create table `order` (`key` varchar(5) not null, `group` int, primary key (`key`));
""",
}
COMPUTED = """
day = '2026-03-01 00:00:00'
lines = [{'shop': 'k', 'number': n, 'sold_at': day, 'price': n / 1000} for n in (10, 1)]
"""
HEADER = "shop,number,sold_at,price"
GOOD = "kr,1,2026-03-01 00:00:00,10.50\n"


class Desk:
    """A shop, a store, and a folder to put files in."""

    def __init__(self, home: Path) -> None:
        (home / "sql" / "raw").mkdir(parents=True)
        for name, text in CONTRACTS.items():
            (home / "sql" / "raw" / f"{name}.sql").write_text(text, "utf-8")
        found = read_catalogue(home / "sql").layer("raw")
        self.home = home
        self.tables = {table.name: table for table in found}
        self.source = EmbeddedSource(path=str(home / "shop.duckdb"))
        self.source.create(found)
        self.store = FolderStore(root=str(home / "s3"), bucket="shop")
        self.store.create()

    def put(
        self, text: str | bytes, name: str = "lines.csv", table: str = "lines", **more: Any
    ) -> Imported:
        file = self.home / name
        file.write_bytes(text.encode() if isinstance(text, str) else text)
        return self.take(file, table, **more)

    def take(self, file: Path | str, table: str = "lines", **more: Any) -> Imported:
        more.setdefault("time_zone", "Asia/Seoul")
        return import_file(self.tables[table], file, self.source, self.store, **more)

    def rows(self, table: str = "lines", columns: str = "*") -> list[dict[str, Any]]:
        with self.source.writing() as transaction:
            return list(
                transaction.fetch(f'select {columns} from "{table}" order by 1, 2').to_pylist()
            )


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def refused(
    desk: Desk, text: str | bytes, *words: str, name: str = "lines.csv", table: str = "lines"
) -> str:
    """Import a bad file; its report, which holds every word, while the table holds what it held."""
    before = desk.rows(table)
    with pytest.raises(ImportProblems) as caught:
        desk.put(text, name, table)
    report = str(caught.value)
    assert [word for word in words if word not in report] == [], report
    assert desk.rows(table) == before
    return report


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
    told: list[tuple[int, int]] = []
    rows = "".join(f"kr,{number},2026-03-01 00:00:00,1.00\n" for number in range(70_000))
    done = desk.put(
        gzip.compress(f"{HEADER}\n{rows}".encode()),
        "lines.csv.gz",
        progress=lambda rows, total: told.append((rows, total)),
    )
    assert done.rows == 70_000
    assert [rows for rows, _ in told] == [32_768, 65_536, 70_000]
    assert told[-1] == (70_000, 70_000)
    assert all(rows <= total for rows, total in told)


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
        ("", ["line 1"]),
    ],
)
def test_a_wrong_header(desk: Desk, header: str, words: list[str]) -> None:
    refused(desk, f"{header}\n{GOOD}", *words)


def test_an_empty_file(desk: Desk) -> None:
    refused(desk, "", "empty", "line 1")


def test_a_header_alone_is_no_rows(desk: Desk) -> None:
    done = desk.put(f"{HEADER}\n")
    assert (done.rows, done.first_day, done.last_day) == (0, None, None)


@pytest.mark.parametrize(
    ("row", "column", "shown", "says"),
    [
        ("kr,x,2026-03-01 00:00:00,1", "number", "'x'", "no whole number"),
        ("kr,1.0,2026-03-01 00:00:00,1", "number", "'1.0'", "no whole number"),
        ("kr,,2026-03-01 00:00:00,1", "number", "''", r"write \N"),
        ("kr,2147483648,2026-03-01 00:00:00,1", "number", "'2147483648'", "out of range for int"),
        ("kr,9" + "9" * 60 + ",2026-03-01 00:00:00,1", "number", "'999", "out of range"),
        (r"kr,\N,2026-03-01 00:00:00,1", "number", "no value", "NOT NULL"),
        ("kr,1,2026-02-30 00:00:00,1", "sold_at", "'2026-02-30 00:00:00'", "calendar"),
        ("kr,1,0000-00-00 00:00:00,1", "sold_at", "'0000-", "calendar"),
        ("kr,1,03/01/2026,1", "sold_at", "'03/01/2026'", "YYYY-MM-DD"),
        ("kr,1,2026-03-01,1", "sold_at", "'2026-03-01'", "HH:MM:SS"),
        ("kr,1,2026-03-01 24:00:00,1", "sold_at", "'2026-03-01 24:00:00'", "calendar"),
        ("kr,1,2026-03-01 00:00:00.0001,1", "sold_at", ".0001'", "digits of a second"),
        ("kr,1,2026-03-01 00:00:00Z,1", "sold_at", "Z'", "offset"),
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
    refused(desk, "x", "lines.xlsx", ".csv", name="lines.xlsx")
    whole = gzip.compress(f"{HEADER}\n{GOOD}".encode())
    refused(desk, whole[:-6], "cut short", name="cut.csv.gz")
    refused(desk, b"no gzip", "damaged", name="not.csv.gz")
    with pytest.raises(ImportProblems, match="no such file"):
        desk.take(desk.home / "nowhere.csv")


def test_a_store_that_fails_takes_the_rows_back(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(self: FolderStore, files: Any) -> None:
        raise PortError("the store is full")

    monkeypatch.setattr(FolderStore, "upload", broken)
    with pytest.raises(PortError, match="full"):
        desk.put(f"{HEADER}\n{GOOD}")
    assert desk.rows() == []
