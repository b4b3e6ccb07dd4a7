"""Files that are refused: one sentence names the cause and a cure, and the cure is followed.

A cure that is a flag is taken from the message and pasted; one that is a deed is done to the file.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import shlex
import zipfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.intake.importing import Hints, ImportProblems, WrongHint, chosen_map
from orderhe_dagster_tests.intake.importing.desk import Counter
from orderhe_dagster_tests.intake.importing.people import (
    ASCII,
    HEADER,
    KOREAN,
    Row,
    gzipped,
    rows_of,
    text_of,
    workbook,
    zipped,
)

CSV = text_of(ASCII)
OLD = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600
JARGON = re.compile(
    r"codec|decode|Traceback|Error\b|field larger|NoneType|utf_8|0x[0-9a-f]{3,}|<class|Errno|surrogate"
)
"""Words of the language that this is written in, and no words of the person."""


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    return Counter(tmp_path_factory.mktemp("cures"))


@dataclass(frozen=True)
class Refusal:
    """A file that is refused. `flag`: of those in the message, the one that is pasted; or `repair`."""

    body: bytes | str
    says: tuple[str, ...]
    flag: str = ""
    repair: Callable[[], bytes | str] | None = None
    rows: list[Row] | None = None
    name: str = "orders.csv"
    hints: Hints = Hints()  # noqa: RUF009
    maps: tuple[str, ...] = ()


def orders(*lines: str) -> str:
    """A file of these lines below the header."""
    return "\n".join([",".join(HEADER), *lines, ""])


def order(amount: str = "1", when: datetime = datetime(2026, 11, 1, 12)) -> list[Row]:
    """One order."""
    return [("A-0", "Kim", 1, Decimal(amount), when, "x")]


GOOD = "A-0,Kim,1,1,2026-11-01 12:00:00,x"
KIM = order()
KIM_OBJECT = dict(zip(HEADER, ["A-0", "Kim", 1, 1, "2026-11-01 12:00:00", "x"], strict=True))


def saved() -> str:
    """The data, saved in a way that is read."""
    return orders(GOOD)


def with_password(body: bytes) -> bytes:
    """A zip whose member has a password."""
    packed = bytearray(zipped({"o.csv": body}))
    packed[6] |= 1
    packed[packed.index(b"PK\x01\x02") + 8] |= 1
    return bytes(packed)


def with_formula(value: str) -> bytes:
    """A workbook in which a formula stands, with or without what it comes to."""
    packed = workbook(KIM, change=lambda sheet: sheet.__setitem__("C2", "=1+0"))
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(packed)) as old, zipfile.ZipFile(out, "w") as new:
        for name in old.namelist():
            text = old.read(name)
            if name.endswith("sheet1.xml"):
                assert b"<f>1+0</f>" in text
                text = re.sub(rb"<f>1\+0</f><v ?/?>(</v>)?", value.encode(), text)
            new.writestr(name, text)
    return out.getvalue()


def merged(sheet: Any) -> None:
    """Merge two cells among the rows."""
    sheet.merge_cells("B2:B3")


TAKA = text_of(rows_of(["타카", "Lee", "Park"], ["", "", ""])).encode("cp949")
TAKA_ROWS = rows_of(["타카", "Lee", "Park"], ["", "", ""])
MANY = orders(*(f"B-{at:04},Kim,1,1,2026-11-01 12:00:00,x" for at in range(5_000)))
SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Fulfillment Status,Currency,Subtotal,Total,Created at\n"
    "A-0,a@x,paid,,,KRW,1,1,2026-11-01 12:00:00 +0900\n"
)
HTML = "<html><head><meta charset=utf-8></head><body><table><tr><td>order_no</td></tr></table>"

CASES: dict[str, Refusal] = {
    # Encodings.
    "two letters of cp949": Refusal(
        TAKA, ("line 2", "'타카' in cp949"), "--encoding cp949", rows=TAKA_ROWS
    ),
    "cp949 once in 5,000 rows": Refusal(
        (MANY + "C-1,타카,1,1,2026-11-01 12:00:00,x\n").encode("cp949"),
        ("line 5002", "'타카' in cp949"),
        "--encoding cp949",
    ),
    "a name of one syllable": Refusal(
        orders("A-0,김,1,1,2026-11-01 12:00:00,x").encode("cp949"),
        ("line 2", "encoding is not certain"),
        "--encoding cp949",
        rows=[("A-0", "김", 1, Decimal(1), datetime(2026, 11, 1, 12), "x")],
    ),
    "one accent of a Windows file": Refusal(
        orders("A-0,Crème,1,1,2026-11-01 12:00:00,x").encode("cp1252"),
        ("'Crème' in cp1252", "'Crčme' in cp1250"),
        "--encoding cp1252",
        rows=[("A-0", "Crème", 1, Decimal(1), datetime(2026, 11, 1, 12), "x")],
    ),
    "a sign that may be a letter": Refusal(
        orders("A-0,NESCAFÉ™,1,1,2026-11-01 12:00:00,x").encode("cp1252"),
        ("'NESCAFÉ™' in cp1252", "'NESCAFə' in UTF-8"),
        "--encoding cp1252",
        rows=[("A-0", "NESCAFÉ™", 1, Decimal(1), datetime(2026, 11, 1, 12), "x")],
    ),
    "cp949 with a broken character": Refusal(
        text_of(KOREAN).encode("cp949") + b"A-9,\xff\xff,1,1,2026-11-01 12:00:00,x\n",
        ("line 5", "cp949 (EUC-KR)", "save the whole file as UTF-8"),
        repair=lambda: text_of(KOREAN),
        rows=KOREAN,
    ),
    "an encoding that it is not": Refusal(
        text_of(KOREAN).encode("cp949"),
        ("line 2", "no UTF-8", "leave --encoding out"),
        repair=lambda: text_of(KOREAN).encode("cp949"),
        rows=KOREAN,
        hints=Hints(encoding="utf-8"),
    ),
    "an encoding that is none": Refusal(
        text_of(KOREAN).encode("cp949"),
        ("--encoding ks is no encoding", "cp949"),
        repair=lambda: text_of(KOREAN),
        rows=KOREAN,
        hints=Hints(encoding="ks"),
    ),
    # Packings and formats.
    "a zip of two": Refusal(
        zipped({"2026 11.csv": CSV.encode(), "read me.txt": b"hello"}),
        ("2 files", "2026 11.csv, read me.txt"),
        "--member '2026 11.csv'",
        rows=ASCII,
    ),
    "a member that is not there": Refusal(
        zipped({"a.csv": b"x"}),
        ("no file 'b.csv'", "a.csv"),
        repair=lambda: zipped({"b.csv": saved().encode()}),
        rows=KIM,
        hints=Hints(member="b.csv"),
    ),
    "a zip with a password": Refusal(
        with_password(CSV.encode()), ("password", "unpack"), repair=lambda: CSV, rows=ASCII
    ),
    "a zip cut short": Refusal(
        zipped({"o.csv": CSV.encode()})[:-30],
        ("zip", "damaged or cut short", "fetch"),
        repair=lambda: zipped({"o.csv": CSV.encode()}),
        rows=ASCII,
    ),
    "an empty zip": Refusal(zipped({}), ("empty",), repair=saved, rows=KIM),
    "a gzip cut short": Refusal(
        gzipped(CSV)[:-9], ("cut short", "fetch"), repair=lambda: gzipped(CSV), rows=ASCII
    ),
    "a gzip with other bytes": Refusal(
        gzip.compress(CSV.encode())[:-8] + b"\0" * 8,
        ("damaged", "fetch"),
        repair=lambda: gzipped(CSV),
        rows=ASCII,
    ),
    "an old workbook": Refusal(
        OLD,
        (".xls", "save the sheet as .xlsx"),
        repair=lambda: workbook(KIM),
        rows=KIM,
        name="orders.xls",
    ),
    "a workbook with a password": Refusal(
        OLD + "EncryptedPackage".encode("utf-16-le"),
        ("password", "save it without"),
        repair=lambda: workbook(KIM),
        rows=KIM,
        name="orders.xlsx",
    ),
    "an OpenDocument sheet": Refusal(
        zipped({"mimetype": b"application/vnd.oasis", "content.xml": b"<x/>"}),
        (".ods", "save the sheet as .xlsx or as CSV UTF-8"),
        repair=lambda: workbook(KIM),
        rows=KIM,
        name="orders.ods",
    ),
    "a binary workbook": Refusal(
        zipped({"xl/workbook.bin": b"x"}), (".xlsb",), repair=lambda: workbook(KIM), rows=KIM
    ),
    "a page of HTML": Refusal(
        HTML, ("HTML", "save the sheet"), repair=lambda: workbook(KIM), rows=KIM, name="orders.xls"
    ),
    "XML": Refusal("<?xml version='1.0'?><a/>", ("XML",), repair=saved, rows=KIM),
    "a PDF": Refusal(b"%PDF-1.7 ...", ("PDF", "as CSV"), repair=saved, rows=KIM),
    "Parquet": Refusal(b"PAR1....", ("Parquet", "duckdb"), repair=saved, rows=KIM),
    "a 7z archive": Refusal(b"7z\xbc\xaf\x27\x1c..", ("7z", "unpack"), repair=saved, rows=KIM),
    "a tar archive": Refusal(
        gzip.compress(b"orders.csv".ljust(257, b"\0") + b"ustar" + b"\0" * 250),
        ("tar archive", "unpack"),
        repair=saved,
        rows=KIM,
        name="orders.tar.gz",
    ),
    "a last row that was cut": Refusal(
        orders(GOOD) + "A-1 \n", ("line 3", "too few"), repair=saved, rows=KIM
    ),
    "a JSON array": Refusal(
        json.dumps([{"order_no": "A-0"}]),
        ("one JSON array", "jq -c '.[]'"),
        repair=saved,
        rows=KIM,
        name="orders.json",
    ),
    "a workbook cut short": Refusal(
        workbook(KIM)[:-50], ("damaged",), repair=lambda: workbook(KIM), rows=KIM
    ),
    "a sheet that is not there": Refusal(
        workbook(KIM),
        ("no sheet 'June'", "Orders"),
        repair=lambda: workbook(KIM, sheets=("June",)),
        rows=KIM,
        hints=Hints(sheet="June"),
    ),
    "merged cells": Refusal(
        workbook(ASCII, change=merged), ("row 2", "merged"), repair=lambda: CSV, rows=ASCII
    ),
    "a formula that was never computed": Refusal(
        with_formula("<f>1+0</f><v></v>"),
        ("cell C2", "never computed", "save"),
        repair=lambda: with_formula("<f>1+0</f><v>1</v>"),
        rows=KIM,
    ),
    "an error in a cell": Refusal(
        workbook(KIM, change=lambda sheet: sheet.__setitem__("D2", "#DIV/0!")),
        ("cell D2", "#DIV/0!", "formula"),
        repair=lambda: workbook(KIM),
        rows=KIM,
    ),
    "a number of 16 digits in a workbook": Refusal(
        workbook(KIM, change=lambda sheet: sheet.__setitem__("A2", 2026110100000012)),
        ("cell A2", "15 digits", "as text"),
        repair=lambda: workbook(KIM),
        rows=KIM,
    ),
    # Layout.
    "no header": Refusal(
        f"{GOOD}\n{GOOD}\n", ("line 1", "should name the columns"), repair=saved, rows=KIM
    ),
    "nothing at all": Refusal("", ("empty", "name the columns"), repair=saved, rows=KIM),
    "a quote that stays open": Refusal(
        orders(GOOD, 'A-1,"Lee,1,1,2026-11-01 12:00:00,x', GOOD),
        ("line 3", "a quote that is not closed"),
        repair=saved,
        rows=KIM,
    ),
    "a value below no name": Refusal(
        orders(GOOD + ",stray").replace("note\n", "note,\n"),
        ("line 2", "column 7", "no name"),
        "--map '#7=-'",
        rows=KIM,
    ),
    "a row that is too short": Refusal(
        orders(GOOD, "A-1,Lee,1", GOOD.replace("A-0", "A-2")),
        ("line 3", "3 values where the header names 6 columns"),
        repair=saved,
        rows=KIM,
    ),
    "a name twice": Refusal(
        orders(GOOD + ",y").replace("note\n", "note,note\n"),
        ("column note", "named twice"),
        repair=saved,
        rows=KIM,
    ),
    # Columns.
    "a column that the table has not": Refusal(
        orders(GOOD + ",t").replace("note\n", "note,Tags\n"),
        ("column Tags", "no such column"),
        "--map 'Tags=-'",
        rows=KIM,
    ),
    "two columns that are one": Refusal(
        orders(GOOD + ",A-7").replace("note\n", "note,Order No\n"),
        ("column Order No", "another column of the file is order_no already"),
        "--map 'Order No=-'",
        rows=KIM,
    ),
    "data below no header, with a name among them": Refusal(
        orders(GOOD, "A-1,note,1,1,2026-11-01 12:00:00,x").partition("\n")[2],
        ("line 1", "should name the columns"),
        repair=saved,
        rows=KIM,
    ),
    "a name that is nearly right": Refusal(
        orders(GOOD).replace("customer", "custommer"),
        ("did you mean customer?",),
        "--map 'custommer=customer'",
        rows=KIM,
    ),
    "an export of Shopify": Refusal(
        SHOPIFY, ("no columns Name, Email", "export of shopify"), "--map shopify"
    ),
    "a column that is not there": Refusal(
        "order_no,amount,ordered_at\nA-0,1,2026-11-01 12:00:00\n",
        ("column customer", "missing"),
        "--map \"'VALUE'=customer\"",
        rows=[("A-0", "VALUE", None, Decimal(1), datetime(2026, 11, 1, 12), None)],
    ),
    "a name in JSON that the table has not": Refusal(
        "\n".join(json.dumps({**KIM_OBJECT, "order_no": f"A-{at}", "Tags": 1}) for at in range(3)),
        ("line 1, column Tags", "no such column"),
        "--map 'Tags=-'",
        rows=[(f"A-{at}", *KIM[0][1:]) for at in range(3)],
        name="orders.jsonl",
    ),
    "nothing where a value must be": Refusal(
        orders("A-0,Kim,1,,2026-11-01 12:00:00,x"),
        ("line 2, column amount: ''", "needs a value in every row; fill it in"),
        repair=saved,
        rows=KIM,
    ),
    "a map that names what is not there": Refusal(
        orders(GOOD),
        ("column Nme", "there are"),
        repair=saved,
        rows=None,
        maps=("Nme=order_no",),
    ),
    # Values.
    "one thousand, or one": Refusal(
        orders('A-0,Kim,1,"1,230",2026-11-01 12:00:00,x'),
        ("line 2, column amount: '1,230'", "1230", "1.230"),
        "--decimal .",
        rows=order("1230"),
    ),
    "one, or one thousand": Refusal(
        orders('A-0,Kim,1,"1,230",2026-11-01 12:00:00,x'),
        ("--decimal ,",),
        "--decimal ,",
        rows=order("1.23"),
    ),
    "points among semicolons": Refusal(
        orders("A-0,Kim,1,1.230,2026-11-01 12:00:00,x").replace(",", ";"),
        ("line 2, column amount: '1.230'",),
        "--decimal ,",
        rows=order("1230"),
    ),
    # No program writes three digits into decimal(12, 2): a spreadsheet's 1,230 in German may be meant.
    "points among tabs": Refusal(
        orders("A-0,Kim,1,1.230,2026-11-01 12:00:00,x").replace(",", "\t"),
        ("line 2, column amount: '1.230'", "1230"),
        "--decimal ,",
        rows=order("1230"),
    ),
    "three digits among commas": Refusal(
        orders("A-0,Kim,1,1.230,2026-11-01 12:00:00,x"),
        ("line 2, column amount: '1.230'", "1230"),
        "--decimal .",
        rows=order("1.23"),
    ),
    "both signs": Refusal(
        orders(GOOD, 'A-1,Lee,1,"1,5",2026-11-01 12:00:00,x', "A-2,Lee,1,1.5,2026-11-01 12:00:00,x"),
        ("line 4, column amount: '1.5'", "line 3", "write both with the same"),
        repair=saved,
        rows=KIM,
    ),
    "two currencies": Refusal(
        orders("A-0,Kim,1,$5,2026-11-01 12:00:00,x", "A-1,Kim,1,€5,2026-11-01 12:00:00,x"),
        ("line 3, column amount", "€", "line 2", "$"),
        repair=saved,
        rows=KIM,
    ),
    "March, or January": Refusal(
        orders("A-0,Kim,1,1,01/03/2026 12:00,x"),
        ("line 2, column ordered_at: '01/03/2026 12:00'", "--dates mdy"),
        "--dates dmy",
        rows=order(when=datetime(2026, 3, 1, 12)),
    ),
    "January, or March": Refusal(
        orders("A-0,Kim,1,1,01/03/2026 12:00,x"),
        ("--dates dmy",),
        "--dates mdy",
        rows=order(when=datetime(2026, 1, 3, 12)),
    ),
    "both orders": Refusal(
        orders("A-0,Kim,1,1,13/03/2026 12:00,x", "A-1,Kim,1,1,03/13/2026 12:00,x"),
        ("line 3, column ordered_at", "line 2", "YYYY-MM-DD"),
        repair=saved,
        rows=KIM,
    ),
    "a day without a time": Refusal(
        orders("A-0,Kim,1,1,2026-11-01,x"),
        ("line 2, column ordered_at: '2026-11-01'", "(day)"),
        repair=lambda: orders("A-0,Kim,1,1,2026-11-01 12:00:00,x"),
        rows=KIM,
    ),
    "a word among numbers": Refusal(
        orders("A-0,Kim,1,free,2026-11-01 12:00:00,x"),
        ("line 2, column amount: 'free'", "plain digits"),
        repair=saved,
        rows=KIM,
    ),
    "a time zone's letters": Refusal(
        orders("A-0,Kim,1,1,2026-11-01 12:00:00 KST,x"),
        ("column ordered_at", "YYYY-MM-DD HH:MM:SS"),
        repair=saved,
        rows=KIM,
    ),
    # Python.
    "a Python file": Refusal(
        f"orders = [{KIM_OBJECT}]",
        ("is run when it is imported", "trust"),
        "--run-python",
        rows=KIM,
        name="orders.py",
    ),
}  # fmt: skip


def refusal_of(counter: Counter, case: Refusal) -> str:
    """The report of a file that is refused."""
    with pytest.raises((ImportProblems, WrongHint)) as caught:
        counter.load(case.body, case.name, hints=case.hints, mapped=chosen_map(case.maps, None))
    return str(caught.value)


def pasted(flag: str) -> tuple[Hints, Any]:
    """A flag of the command line as `orderhe import` reads it."""
    name, *value = shlex.split(flag)
    maps = value if name == "--map" else []
    key = name.lstrip("-").replace("-", "_")
    more = {} if maps else {key: value[0] if value else True}
    return Hints(**more), chosen_map(maps, None)  # type: ignore[arg-type]


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_refusal_names_the_cause_and_a_cure_that_works(counter: Counter, case: Refusal) -> None:
    report = refusal_of(counter, case)
    assert [words for words in case.says if words not in report] == [], report
    assert not JARGON.search(report), report
    told = [line for line in report.splitlines() if "missing: raw.orders" not in line]
    assert len(told) <= 3, report
    assert "Nothing was loaded." in report or case.maps, report
    if case.repair is None:
        assert case.flag in report, report
        hints, mapped = pasted(case.flag)
        if case.flag == "--map shopify":
            again = refusal_of(counter, Refusal(case.body, (), maps=("shopify",)))
            assert "column customer: missing" in again, "what the export has not is all that lacks"
            return
        loaded, _ = counter.load(case.body, case.name, hints=hints, mapped=mapped)
    else:
        loaded, _ = counter.load(case.repair(), case.name, hints=_after(case))
    if case.rows is not None:
        assert loaded == case.rows


def _after(case: Refusal) -> Hints:
    """The hints that still hold after the repair: not an encoding that was wrong."""
    return Hints() if case.hints.encoding else case.hints


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 45


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Name order_no", "is no pair; write 'Name in the file = column'"),
        ("@decmal ,", "line 1: @decmal is not known"),
        ("A = order_no\nB = order_no", "column order_no is given twice"),
        ("Name =", "names no column behind the ="),
        ("@decimal ;", "--decimal takes the sign before the fraction"),
    ],
)
def test_a_map_that_cannot_be_followed_names_its_line(tmp_path: Path, text: str, says: str) -> None:
    beside = tmp_path / "orders.map"
    beside.write_text(text, "utf-8")
    with pytest.raises(WrongHint, match=re.escape(says)):
        chosen_map([], beside)


def test_a_map_that_is_no_map_names_those_that_ship() -> None:
    with pytest.raises(WrongHint, match="cafe24, shopify, woocommerce"):
        chosen_map(["magento"], None)


def test_a_gzip_called_as_a_workbook_is_read_by_its_bytes(counter: Counter) -> None:
    out = io.StringIO()
    csv.writer(out).writerow(HEADER)
    rows, told = counter.load(gzipped(CSV), "orders.xlsx")
    assert rows == ASCII
    assert "gzip, CSV" in told
