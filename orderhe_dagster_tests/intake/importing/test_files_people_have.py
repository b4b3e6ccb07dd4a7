"""Files as people have them: each is loaded exactly, and told; what cannot be sure is in `test_cures`."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from orderhe_dagster.intake.importing import Hints, ImportProblems, chosen_map
from orderhe_dagster.intake.importing.column_map import read_map
from orderhe_dagster_tests.intake.importing import people
from orderhe_dagster_tests.intake.importing.desk import Counter
from orderhe_dagster_tests.intake.importing.people import (
    ASCII,
    CHINESE,
    FRENCH,
    GERMAN,
    HEADER,
    JAPANESE,
    KOREAN,
    POLISH,
    Row,
    german,
    gzipped,
    text_of,
    workbook,
    zipped,
)
from orderhe_dagster_tests.walked import blocks_of

CSV = text_of(ASCII)
HEX = "00ff" * 70_000
OBJECT = json.dumps(
    dict(zip(HEADER, ["A-0", "Kim", 1, "1", "2026-11-01T12:00:00+0900", "x"], strict=True))
)


@pytest.fixture(scope="module")
def counter(tmp_path_factory: pytest.TempPathFactory) -> Counter:
    return Counter(tmp_path_factory.mktemp("people"))


@dataclass(frozen=True)
class Case:
    """A file, the rows that must be loaded, and words of the line that tells what it was."""

    body: bytes | str
    rows: list[Row] | None = None
    told: tuple[str, ...] = ()
    name: str = "orders.csv"
    hints: Hints = Hints()  # noqa: RUF009
    maps: tuple[str, ...] = ()


def one(amount: str = "1", when: str = "2026-11-01 12:00:00", quantity: str = "1") -> str:
    """A file of one order, written so."""
    out = io.StringIO(newline="")
    csv.writer(out).writerows([HEADER, ["A-0", "Kim", quantity, amount, when, "x"]])
    return out.getvalue()


def order(
    amount: str = "1", when: datetime = datetime(2026, 11, 1, 12), quantity: int | None = 1
) -> list[Row]:
    """The order of `one`."""
    return [("A-0", "Kim", quantity, Decimal(amount), when, "x")]


def days(first: str, second: str) -> str:
    """A file of two orders on days that are written so."""
    lines = [",".join(HEADER), f"A-0,Kim,1,1,{first},x", f"A-1,Kim,1,1,{second},x", ""]
    return "\n".join(lines)


def zeros(sheet: Any) -> None:
    """Make the order's number a figure that is shown in five digits."""
    sheet["A2"] = 42
    sheet["A2"].number_format = "00000"


TWO_DAYS: list[Row] = [
    ("A-0", "Kim", 1, Decimal(1), datetime(2026, 3, 1, 9, 5), "x"),
    ("A-1", "Kim", 1, Decimal(1), datetime(2026, 3, 25, 21, 5), "x"),
]


def renamed_member(body: bytes) -> bytes:
    """A zip whose member's name is written as Korean Windows writes it."""
    packed = zipped({"XXXX.csv": body})
    return packed.replace(b"XXXX.csv", "주문".encode("cp949") + b".csv")


CASES: dict[str, Case] = {
    # Encodings.
    "plain": Case(CSV, ASCII, ("CSV in UTF-8, separated by commas, 3 rows",)),
    "utf-8": Case(text_of(KOREAN), KOREAN, ("CSV in UTF-8,",)),
    "utf-8 of France": Case(text_of(FRENCH), FRENCH, ("CSV in UTF-8,",)),
    "utf-8 with a mark": Case(
        "\ufeff" + text_of(KOREAN), KOREAN, ("UTF-8 with a byte order mark",)
    ),
    "utf-16 le": Case(("\ufeff" + text_of(KOREAN)).encode("utf-16-le"), KOREAN, ("UTF-16",)),
    "utf-16 be": Case(("\ufeff" + text_of(KOREAN)).encode("utf-16-be"), KOREAN, ("UTF-16",)),
    "utf-16 le, no mark": Case(text_of(KOREAN).encode("utf-16-le"), KOREAN, ("little endian",)),
    "utf-16 be, no mark": Case(text_of(ASCII).encode("utf-16-be"), ASCII, ("big endian",)),
    "utf-16 of a spreadsheet": Case(
        ("\ufeff" + text_of(JAPANESE, "\t", end="\r\n")).encode("utf-16-le"),
        JAPANESE,
        ("UTF-16, separated by tabs",),
        "orders.txt",
    ),
    "cp949": Case(text_of(KOREAN).encode("cp949"), KOREAN, ("cp949 (EUC-KR)",)),
    "cp949, rare syllables": Case(
        text_of(people.rows_of(["펲시", "뷁", "똠방각하"], ["배송 완료", "결제 취소", "없음"])).encode(
            "cp949"
        ),
        people.rows_of(["펲시", "뷁", "똠방각하"], ["배송 완료", "결제 취소", "없음"]),
        ("cp949",),
    ),
    "shift-jis": Case(text_of(JAPANESE).encode("cp932"), JAPANESE, ("cp932 (Shift-JIS)",)),
    "gbk": Case(text_of(CHINESE).encode("gbk"), CHINESE, ("gb18030 (GBK)",)),
    "gb18030": Case(text_of(CHINESE).encode("gb18030"), CHINESE, ("gb18030 (GBK)",)),
    "cp1252": Case(text_of(FRENCH).encode("cp1252"), FRENCH, ("cp1252",)),
    "latin-1": Case(text_of(GERMAN).encode("latin-1"), GERMAN, ("cp1252",)),
    "cp1250": Case(text_of(POLISH).encode("cp1250"), POLISH, ("cp1250",)),
    "as told": Case(
        text_of(KOREAN).encode("cp949"), KOREAN, ("cp949",), hints=Hints(encoding="euc-kr")
    ),
    # Packings.
    "gzip": Case(gzipped(CSV), ASCII, ("gzip, CSV",), "orders.csv.gz"),
    "gzip called csv": Case(gzipped(CSV), ASCII, ("gzip, CSV",)),
    "plain called gz": Case(CSV, ASCII, ("CSV in UTF-8",), "orders.csv.gz"),
    "zip": Case(zipped({"o.csv": CSV.encode()}), ASCII, ("zip (o.csv), CSV",), "orders.zip"),
    "zip called csv": Case(zipped({"o.csv": CSV.encode()}), ASCII, ("zip (o.csv)",)),
    "zip called gz": Case(zipped({"o.csv": CSV.encode()}), ASCII, ("zip",), "orders.csv.gz"),
    "gzip in a zip": Case(
        zipped({"o.csv.gz": gzipped(CSV)}), ASCII, ("zip (o.csv.gz), gzip",), "o.zip"
    ),
    "zip of a Mac": Case(
        zipped({"o.csv": CSV.encode(), "__MACOSX/._o.csv": b"x", ".DS_Store": b"x"}), ASCII
    ),
    "zip of Korean Windows": Case(
        renamed_member(text_of(KOREAN).encode("cp949")), KOREAN, ("zip (주문.csv), CSV in cp949",)
    ),
    "member of a zip": Case(
        zipped({"a.csv": b"x", "b/o.csv": CSV.encode()}), ASCII, hints=Hints(member="o.csv")
    ),
    # Workbooks.
    "xlsx": Case(workbook(KOREAN), KOREAN, ("workbook, sheet 'Orders'",), "orders.xlsx"),
    "xlsx called csv": Case(workbook(ASCII[1:]), ASCII[1:], ("workbook",)),
    "xlsx in a zip": Case(zipped({"o.xlsx": workbook(KOREAN)}), KOREAN, ("zip (o.xlsx), workbook",)),
    "xlsx with titles and totals": Case(
        workbook(
            KOREAN, before=[["주문 목록"], [], ["기간", "11월"]], behind=[[], ["합계", None, 6, 1.5]]
        ),
        KOREAN,
        ("2 title rows passed over", "1 total row at the end passed over"),
        "orders.xlsx",
    ),
    "figures that are shown with zeros": Case(
        workbook(order(), change=zeros),
        [("00042", *order()[0][1:])],
    ),
    "another sheet": Case(
        workbook(KOREAN, sheets=("Cover", "주문"), at=1),
        KOREAN,
        ("sheet '주문' (1 other sheet not read: --sheet)",),
        "orders.xlsx",
        Hints(sheet="주문"),
    ),
    # Layout.
    "semicolons": Case(text_of(ASCII, ";"), ASCII, ("separated by semicolons",)),
    "tabs": Case(text_of(ASCII, "\t"), ASCII, ("separated by tabs",), "orders.tsv"),
    "pipes": Case(text_of(ASCII, "|"), ASCII, ("separated by pipes",)),
    "another sign": Case(text_of(ASCII, "~"), ASCII, hints=Hints(separator="~")),
    "single quotes": Case(
        text_of(ASCII[2:], quoting=csv.QUOTE_ALL, quote="'"), ASCII[2:], ("single quotes",)
    ),
    "all quoted": Case(text_of(ASCII, quoting=csv.QUOTE_ALL), ASCII),
    "sep=;": Case("sep=;\r\n" + text_of(ASCII, ";"), ASCII, ("semicolons",)),
    "sep=, in utf-16": Case(("\ufeffsep=,\n" + text_of(KOREAN)).encode("utf-16-le"), KOREAN),
    "CR alone": Case(text_of(KOREAN, end="\r"), KOREAN),
    "CR alone, cp949": Case(text_of(KOREAN, end="\r").encode("cp949"), KOREAN, ("cp949",)),
    "CR LF": Case(text_of(ASCII, end="\r\n"), ASCII),
    "CR and LF": Case(
        text_of(ASCII[:2], end="\r") + text_of(ASCII[2:]).partition("\n")[2], ASCII
    ),
    "blank lines first": Case("\n\n" + CSV, ASCII),
    "a title": Case("주문 내역\n" + text_of(KOREAN), KOREAN, ("1 title row passed over",)),
    "titles in columns": Case(
        f"Export of 2026-11-30,,,,,\nShop:,Kim's,,,,\n\n{CSV}", ASCII, ("2 title rows",)
    ),
    "columns without a name at the end": Case(
        "".join(f"{line},,\n" for line in text_of(ASCII[1:]).splitlines()), ASCII[1:]
    ),
    "blank lines at the end": Case(CSV + "\n\n\n", ASCII),
    "a total": Case(CSV + "Total,,6,1000001234.48,,\n", ASCII, ("1 total row at the end passed over",)),
    "a total of its own width": Case(CSV + "\n합계,6\n", ASCII, ("1 total row at the end passed over",)),
    "totals and a remark": Case(
        CSV + "합계 3건,,6,1,,\n\nExported by Kim on 2026-11-30\n",
        ASCII,
        ("2 total rows at the end",),
    ),
    "a remark below a sheet": Case(
        workbook(ASCII[1:], behind=[[], ["Exported: 2026-11-30"]]), ASCII[1:], ("1 total row",)
    ),
    "texts kept from a spreadsheet": Case(
        one().replace("A-0", '"=""A-0"""'), order(), ('cells without the ="" around them',)
    ),
    "names in other capitals": Case(
        text_of(ASCII, header=["Order No", "CUSTOMER", "Quantity", "amount ", "Ordered-At", "note"]),
        ASCII,
    ),
    # Numbers.
    "decimal comma": Case(german(ASCII), ASCII, ("semicolons, decimal comma",)),
    "decimal comma among commas": Case(
        one("1,5"), order("1.5"), ("separated by commas, decimal comma",)
    ),
    "thousands": Case(text_of(ASCII, amount="{:,.2f}"), ASCII, ("decimal point",)),
    "thousands of whole numbers": Case(one("1", quantity="12,500"), order(quantity=12500)),
    "thousands by blanks": Case(one("1 234 567,89"), order("1234567.89")),
    "thousands by thin blanks": Case(one("1\u202f234,5"), order("1234.5")),
    "thousands by apostrophes": Case(one("1'234.50"), order("1234.5")),
    "lakhs": Case(one("12,34,567.50"), order("1234567.5")),
    "won in front": Case(one("₩1,234,500"), order("1234500"), ("₩ taken off",)),
    "won behind": Case(one("1,234,500원"), order("1234500")),
    "euro": Case(one("1.234,50 €"), order("1234.5"), ("decimal comma", "€ taken off")),
    "dollars": Case(one("US$ 1,234.50"), order("1234.5")),
    "a currency's code": Case(one("KRW 12.5"), order("12.5")),
    "in brackets": Case(one("(1,234.50)"), order("-1234.5")),
    "minus behind": Case(one("12.50-"), order("-12.5")),
    "a typographic minus": Case(one("−12.50"), order("-12.5")),
    "decimal sign as told": Case(one("1,230"), order("1230"), hints=Hints(decimal=".")),
    "the other as told": Case(one("1,230"), order("1.23"), hints=Hints(decimal=",")),
    # Days and moments.
    "day first": Case(
        days("01/03/2026 09:05", "25/03/2026 21:05"), TWO_DAYS, ("dates as day, month, year",)
    ),
    "month first": Case(
        days("3/1/2026 9:05 AM", "3/25/2026 9:05 PM"), TWO_DAYS, ("dates as month, day, year",)
    ),
    "points": Case(days("01.03.2026 09:05", "25.03.2026 21:05"), TWO_DAYS),
    "dates as told": Case(
        days("01/03/2026 09:05", "25-03-2026 21:05:00"), TWO_DAYS, hints=Hints(dates="dmy")
    ),
    "slashes": Case(days("2026/3/1 9:05", "2026/03/25 21:05"), TWO_DAYS),
    "Korean": Case(days("2026년 3월 1일 오전 9:05", "2026. 3. 25. 오후 9:05"), TWO_DAYS),
    "Chinese": Case(days("2026年3月1日 09:05", "2026年3月25日 21:05"), TWO_DAYS),
    "words": Case(days("1 Mar 2026 09:05", '"March 25, 2026 9:05 PM"'), TWO_DAYS),
    "T and no seconds": Case(days("2026-03-01T09:05", "2026-03-25T21:05:00.000"), TWO_DAYS),
    "an offset": Case(
        days("2026-03-01 09:05:00 +0900", "2026-03-25T21:05:00+09:00"),
        TWO_DAYS,
        ("moments with an offset turned into Asia/Seoul",),
    ),
    "other offsets": Case(days("2026-03-01T00:05:00Z", "2026-03-25 04:05:00 -0800"), TWO_DAYS),
    # No value.
    "NULL": Case(
        f"{','.join(HEADER)}\nA-0,Kim,NULL,1,2026-11-01 12:00:00,NULL\n",
        [("A-0", "Kim", None, Decimal(1), datetime(2026, 11, 1, 12), None)],
        ("'NULL' taken as no value",),
    ),
    "nothing where nothing may be": Case(one(quantity=""), order(quantity=None)),
    "n/a": Case(one(quantity="N/A"), order(quantity=None), ("'N/A' taken as no value",)),
    "a text that stands for nothing": Case(
        one().replace(",x", ",none given"),
        [(*order()[0][:5], None)],
        hints=Hints(null=("none given",)),
    ),
    # Maps.
    "a map": Case(
        text_of(ASCII, header=["Name", "Buyer", "Qty", "Total, paid", "Created at", "Memo"]),
        ASCII,
        maps=(
            'Name=order_no, Buyer=customer, Qty=quantity, "Total, paid"=amount',
            "Created at=ordered_at, Memo=note",
        ),
    ),
    "a map with a fixed value, and passing over": Case(
        "Name,Total,Created at,Tags\nA-0,1,2026-11-01 12:00:00,t\n",
        [("A-0", "Kim", None, Decimal(1), datetime(2026, 11, 1, 12), None)],
        ("1 column passed over (Tags)",),
        maps=("Name=order_no, Total=amount, Created at=ordered_at, 'Kim'=customer, *=-",),
    ),
    "midnight of a day": Case(
        one(when="2026-11-01"),
        order(when=datetime(2026, 11, 1)),
        maps=("ordered_at=ordered_at (day)",),
    ),
    # JSON.
    "json lines called json": Case(OBJECT, order(), ("JSON lines in UTF-8",), "orders.json"),
    "json lines in utf-16, in a zip": Case(
        zipped({"o.jsonl": f"\ufeff{OBJECT}\n".encode("utf-16-le")}),
        order(),
        ("zip (o.jsonl), JSON lines in UTF-16",),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_a_file_is_loaded_exactly_and_told(counter: Counter, case: Case) -> None:
    rows, told = counter.load(
        case.body, case.name, hints=case.hints, mapped=chosen_map(case.maps, None)
    )
    assert rows == case.rows
    assert [words for words in case.told if words not in told] == [], told
    assert told.startswith(f"{case.name}: ")
    assert "\n" not in told


def test_there_are_enough_of_them() -> None:
    assert len(CASES) >= 60


def test_a_cell_of_the_length_of_a_mediumblob(counter: Counter) -> None:
    text = f"{','.join(HEADER)},picture\nA-0,Kim,1,1,2026-11-01 12:00:00,x,{HEX}\n"
    counter.load(text, columns="picture")
    assert counter.last[0]["picture"] == bytes.fromhex(HEX)


TORTURE = (
    'a "quoted", cell', "two\nlines", "CR\r\nLF", "tab\there", " blanks ", "'single'", "=1+1", "a;b|c",
    "0123", "1e5", "한글, 漢字 かな", "🙂👨‍👩‍👧", "é\u0301", "\u00a0", "back\\slash", '"', ",", "NULL!", "٣",
)  # fmt: skip


@pytest.mark.parametrize("packing", ["csv", "utf-16", "tabs", "gzip", "zip", "xlsx", "jsonl"])
def test_texts_of_any_kind_come_back_as_they_were(counter: Counter, packing: str) -> None:
    moment = datetime(2026, 11, 1, 12)
    rows: list[Row] = [
        (f"A-{at:02}", text, at, Decimal(at), moment, text) for at, text in enumerate(TORTURE)
    ]
    text = text_of(rows)
    body: dict[str, Callable[[], bytes]] = {
        "csv": text.encode,
        "utf-16": lambda: text.encode("utf-16"),
        "tabs": lambda: text_of(rows, "\t").encode(),
        "gzip": lambda: gzipped(text),
        "zip": lambda: zipped({"o.csv": text.encode()}),
        "xlsx": lambda: workbook(rows, change=as_texts),
        "jsonl": lambda: "\n".join(
            json.dumps(dict(zip(HEADER, (*row[:3], str(row[3]), str(row[4]), row[5]), strict=True)))
            for row in rows
        ).encode(),
    }
    name = "orders.jsonl" if packing == "jsonl" else "orders.csv"
    loaded, _ = counter.load(body[packing](), name)
    if packing == "xlsx":  # XML knows one end of line
        loaded = [tuple(_one_end(cell) for cell in row) for row in loaded]  # type: ignore[misc]
        rows = [tuple(_one_end(cell) for cell in row) for row in rows]  # type: ignore[misc]
    assert loaded == rows


def as_texts(sheet: Any) -> None:
    """Keep a text that begins with = from being a formula."""
    for row in sheet.iter_rows():
        for cell in row:
            if cell.data_type == "f":
                cell.data_type = "s"


def _one_end(cell: Any) -> Any:
    return cell.replace("\r\n", "\n") if isinstance(cell, str) else cell


def test_lines_of_one_order_are_rows_of_lines_or_of_orders(counter: Counter) -> None:
    text = (
        "Name,Billing Name,Total,Created at,Lineitem quantity,Lineitem name\n"
        "#1,Kim,30.00,2026-11-01 12:00:00 +0900,1,Shirt\n"
        "#1,,,2026-11-01 12:00:00 +0900,2,Hat\n"
        "#2,Lee,5.00,2026-11-02 12:00:00 +0900,1,Sock\n"
    )
    order = "Billing Name=customer, Lineitem quantity=-, Lineitem name=-"
    rows, told = counter.load(text, mapped=chosen_map(["shopify", order], None))
    assert [(row[0], row[1], row[3]) for row in rows] == [
        ("#1", "Kim", Decimal(30)),
        ("#2", "Lee", Decimal(5)),
    ]
    assert "1 further line of orders passed over" in told
    lines = "Billing Name=customer, Lineitem name=note"
    with pytest.raises(ImportProblems, match=r"line 3.*line 2 has it too"):
        counter.load(text, mapped=chosen_map(["shopify", lines], None))


def test_a_map_beside_the_contract_is_taken_by_itself(tmp_path: Path) -> None:
    beside = tmp_path / "orders.map"
    beside.write_text("-- ours\n@decimal ,\nName = order_no\n* = -\n", "utf-8")
    mapped = chosen_map([], beside)
    assert mapped.hints == Hints(decimal=",")
    assert (mapped.entries[0].targets, mapped.passes_rest) == (("order_no",), True)
    assert not chosen_map([], tmp_path / "none.map")


def test_the_map_of_the_grammar_is_read_as_it_stands() -> None:
    page = Path(__file__).resolve().parents[3] / "sql" / "README.md"
    (block,) = [block for block in blocks_of(page) if "@line_number" in block.text]
    mapped = read_map(block.text, "the grammar")
    assert mapped.passes_rest
    assert mapped.hints.decimal == ","
    assert (mapped.order, mapped.line_number) == (("Name",), ("line_no",))
    assert mapped.lines == ("Lineitem name", "Lineitem quantity")
    entries = {entry.targets[0]: entry for entry in mapped.entries if not entry.passes_over}
    assert entries["amount"].sources == ("Order Total", "Total")
    assert entries["order_date"].is_day
    assert entries["currency"].fixed == "KRW"
    assert [entry.sources for entry in mapped.entries if entry.passes_over] == [("#7",), ("Notes",)]


def test_the_encoding_of_a_file_is_decided_by_all_of_it(counter: Counter) -> None:
    """The words that decide may stand behind a first megabyte of ASCII."""
    wide = "x" * 190
    plain = "".join(f"B-{at},Kim,1,1,2026-11-01 12:00:00,{wide}\n" for at in range(5_000))
    _, behind = text_of(KOREAN).encode("cp949").split(b"\n", 1)
    body = f"{','.join(HEADER)}\n{plain}".encode() + behind
    assert len(body) > 1 << 20
    rows, told = counter.load(body)
    assert "cp949" in told
    assert [row for row in rows if row[0].startswith("A")] == KOREAN
