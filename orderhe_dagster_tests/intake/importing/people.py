"""Files as people have them, made here: one shop's orders in many formats, encodings and habits."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

CONTRACT = """
-- Orders.
-- @partition ordered_at
create table orders (
    order_no varchar(40) not null,
    customer varchar(60) not null,
    quantity int,
    amount decimal(12, 2) not null,
    ordered_at datetime not null,
    note varchar(200),
    picture mediumblob,
    primary key (order_no)
);
"""
HEADER = ("order_no", "customer", "quantity", "amount", "ordered_at", "note")
Row = tuple[str, str, int | None, Decimal, datetime, str | None]

_WHEN = [datetime(2026, 11, 1, 12), datetime(2026, 11, 2, 23, 59, 59), datetime(2026, 11, 13, 7)]


def rows_of(names: Sequence[str], notes: Sequence[str]) -> list[Row]:
    """Three orders of these people."""
    amounts = [Decimal("1234.50"), Decimal("-0.01"), Decimal("999999999.99")]
    return [(f"A-{at}", names[at], at + 1, amounts[at], _WHEN[at], notes[at]) for at in range(3)]


ASCII = rows_of(["Kim, Min", 'Lee "Bo"', "Park"], ["", "fragile", "call first"])
KOREAN = rows_of(
    ["홍길동", "김영희", "박서준"], ["서울특별시 강남구 문 앞에", "부재시 경비실", "파란색 티셔츠"]
)
JAPANESE = rows_of(["佐藤花子", "鈴木一郎", "高橋"], ["東京都渋谷区", "大阪府大阪市", "黒のシャツ"])
CHINESE = rows_of(["张伟", "王芳", "李娜"], ["北京市朝阳区", "红色衬衫", "请尽快发货"])
FRENCH = rows_of(["Hélène", "Noël", "Françoise"], ["crème brûlée", "à côté", "déjà payé"])
GERMAN = rows_of(["Müller", "Größmann", "Jäger"], ["Straße", "für Köln", "schöne Grüße"])
POLISH = rows_of(["Łukasz", "Wójcik", "Zając"], ["ul. Świętokrzyska", "Łódź", "proszę dzwonić"])


def text_of(
    rows: Sequence[Row],
    separator: str = ",",
    *,
    header: Sequence[str] = HEADER,
    amount: str = "{:.2f}",
    when: str = "%Y-%m-%d %H:%M:%S",
    end: str = "\n",
    quoting: Any = csv.QUOTE_MINIMAL,
    quote: str = '"',
) -> str:
    """The rows as CSV. `amount` and `when` are how a number and a moment are written."""
    out = io.StringIO(newline="")
    writer = csv.writer(
        out, delimiter=separator, lineterminator=end, quoting=quoting, quotechar=quote
    )
    writer.writerow(header)
    for number, customer, quantity, value, moment, note in rows:
        written = amount.format(value)
        cells = [number, customer, quantity, written, moment.strftime(when), note]
        writer.writerow([r"\N" if cell is None else cell for cell in cells])
    return out.getvalue()


def german(rows: Sequence[Row]) -> str:
    """The rows as a spreadsheet of continental Europe saves them."""
    swap = str.maketrans(",.", ".,")
    lines = text_of(rows, ";", amount="{:,.2f}").split("\n")
    kept = [lines[0]]
    for line in lines[1:-1]:
        cells = line.split(";")
        cells[3] = cells[3].translate(swap)
        kept.append(";".join(cells))
    return "\n".join([*kept, ""])


def zipped(files: dict[str, bytes]) -> bytes:
    """A zip of these files."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, body in files.items():
            archive.writestr(name, body)
    return out.getvalue()


def gzipped(text: str) -> bytes:
    """The text in gzip."""
    return gzip.compress(text.encode())


def workbook(
    rows: Sequence[Row],
    *,
    before: Sequence[Sequence[Any]] = (),
    behind: Sequence[Sequence[Any]] = (),
    sheets: Sequence[str] = ("Orders",),
    at: int = 0,
    header: Sequence[str] = HEADER,
    change: Any = None,
) -> bytes:
    """The rows as a workbook, on the sheet number `at`."""
    import openpyxl

    book = openpyxl.Workbook()
    book.remove(book.active)
    for number, name in enumerate(sheets):
        sheet = book.create_sheet(name)
        if number != at:
            sheet.append(["nothing", "of interest"])
            continue
        for row in [*before, list(header)]:
            sheet.append(list(row))
        for number_, customer, quantity, value, moment, note in rows:
            sheet.append([number_, customer, quantity, float(value), moment, note])
        for row in behind:
            sheet.append(list(row))
        if change:
            change(sheet)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()
