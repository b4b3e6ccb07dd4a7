"""The converter of the Online Retail example: what it writes, what it refuses, and that it fits."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import sys
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[1]
DATA = ROOT.parent / "shared" / "data" / "online_retail"
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINES = [
    "536365,85123A,WHITE HEART ,6,12/1/2010 8:26,2.55,17850.0,United Kingdom",
    '536366,85123a,"LAMP, ""RED""",1,12/1/2010 8:28,1.1,,United Kingdom',
    "C536379,85123A,CREAM HEART,-1,12/13/2010 9:41,2.55,14527,France",
    "536380,85123A,WHITE HEART ,1,12/13/2010 9:41,0.001,14527,United Kingdom",
    "536414,22139,,56,12/13/2010 11:52,0,,United Kingdom",
    "536415,22139,,-1,12/13/2010 11:52,0.0,,United Kingdom",
]


@pytest.fixture(scope="module")
def converter() -> Iterator[ModuleType]:
    """The example's script as a module; it lies outside the package."""
    path = ROOT / "examples" / "online_retail" / "convert.py"
    spec = importlib.util.spec_from_file_location("online_retail_convert", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    yield module
    del sys.modules[spec.name]


def written(folder: Path, lines: Sequence[str], header: str = HEADER) -> Path:
    path = folder / "Online Retail.csv"
    path.write_text("\n".join([header, *lines]) + "\n", "utf-8")
    return path


def table(path: Path) -> list[list[str]]:
    with gzip.open(path, "rt", encoding="utf-8", newline="") as text:
        return list(csv.reader(text))


def test_lines_become_three_tables(converter: ModuleType, tmp_path: Path) -> None:
    made = converter.convert(written(tmp_path, LINES), tmp_path / "data")
    assert (made.customers, made.products, made.orders) == (2, 3, 6)
    assert table(tmp_path / "data" / "orders.csv.gz")[1:] == [
        ["1", "536365", "17850", "85123A", "2010-12-01 08:26:00", "6", "2.55", "15.30"],
        ["2", "536366", r"\N", "85123a", "2010-12-01 08:28:00", "1", "1.1", "1.1"],
        ["3", "C536379", "14527", "85123A", "2010-12-13 09:41:00", "-1", "2.55", "-2.55"],
        ["4", "536380", "14527", "85123A", "2010-12-13 09:41:00", "1", "0.001", "0.001"],
        ["5", "536414", r"\N", "22139", "2010-12-13 11:52:00", "56", "0", "0"],
        ["6", "536415", r"\N", "22139", "2010-12-13 11:52:00", "-1", "0.0", "0.0"],
    ]
    assert table(tmp_path / "data" / "customers.csv.gz")[1:] == [
        ["17850", "United Kingdom", "2010-12-01 08:26:00"],
        ["14527", "France", "2010-12-13 09:41:00"],
    ]
    assert table(tmp_path / "data" / "products.csv.gz")[1:] == [
        ["85123A", "WHITE HEART "],
        ["85123a", 'LAMP, "RED"'],
        ["22139", r"\N"],
    ]


def test_the_same_file_gives_the_same_bytes(converter: ModuleType, tmp_path: Path) -> None:
    source = written(tmp_path, LINES)
    for name in ("one", "two"):
        converter.convert(source, tmp_path / name)
    for file in ("customers", "products", "orders"):
        one, two = ((tmp_path / name / f"{file}.csv.gz").read_bytes() for name in ("one", "two"))
        assert one == two


@pytest.mark.parametrize(
    ("written_as", "expected"),
    [
        (["2010-12-01 08:26", "2010-12-13 08:26:00.0"], "2010-12-01 08:26:00"),
        (["12/1/2010 8:26", "12/13/2010 8:26"], "2010-12-01 08:26:00"),
        (["01/12/2010 08:26", "13/12/10 08:26"], "2010-12-01 08:26:00"),
    ],
    ids=["iso", "month first", "day first"],
)
def test_days_and_months_are_told_apart_by_the_whole_file(
    converter: ModuleType, tmp_path: Path, written_as: list[str], expected: str
) -> None:
    lines = [f"1,A,text,1,{moment},1.00,,UK" for moment in written_as]
    converter.convert(written(tmp_path, lines), tmp_path)
    first, second = (row[4] for row in table(tmp_path / "orders.csv.gz")[1:])
    assert (first, second[:10]) == (expected, "2010-12-13")


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",A,t,1,2010-12-01 08:26,1,,UK", "line 3, InvoiceNo '': a line needs one"),
        ("1,A,t,1.5,2010-12-01 08:26,1,,UK", "Quantity '1.5': not a whole number"),
        ("1,A,t,1,2010-12-01 08:26,0.0005,,UK", "UnitPrice '0.0005': more than 3 decimals"),
        ("1,A,t,1,2010-12-01 08:26,nan,,UK", "UnitPrice 'nan': not a price"),
        ("1,A,t,1,2010-12-01 08:26,1,x1,UK", "CustomerID 'x1': not a whole number"),
        ("1,A,t,1,2010-13-01 08:26,1,,UK", "no moment of the calendar"),
        ("1,A,t,1,yesterday,1,,UK", "InvoiceDate 'yesterday': not like"),
        ("1,A,t,1,12/1/2010 8:26,1,,UK", "no line tells whether days or months come first"),
        ("1,A,t", "line 3: 3 fields"),
    ],
)
def test_a_wrong_line_is_named_and_nothing_is_written(
    converter: ModuleType, tmp_path: Path, line: str, says: str
) -> None:
    source = written(tmp_path, ["1,A,t,1,2010-12-01 08:26,1,,UK", line])
    with pytest.raises(converter.ConversionError) as raised:
        converter.convert(source, tmp_path / "data")
    assert says in str(raised.value)
    assert not (tmp_path / "data").exists() or not list((tmp_path / "data").iterdir())


def test_missing_columns_and_other_encodings_are_named(
    converter: ModuleType, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    source = written(tmp_path, LINES, HEADER.replace("StockCode", "Code"))
    assert converter.main([str(source), "--into", str(tmp_path)]) == 1
    assert "line 1: no column StockCode" in capsys.readouterr().err
    source.write_bytes(f"{HEADER}\n1,A,Voucher £40,1,2010-12-01 08:26,1,,UK\n".encode("cp1252"))
    assert converter.main([str(source), "--into", str(tmp_path)]) == 1
    assert "--encoding cp1252" in capsys.readouterr().err
    assert converter.main([str(source), "--into", str(tmp_path), "--encoding", "cp1252"]) == 0
    assert table(tmp_path / "products.csv.gz")[1] == ["A", "Voucher £40"]


def test_a_workbook_without_openpyxl_says_what_to_do(
    converter: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openpyxl", None)
    source = tmp_path / "Online Retail.xlsx"
    source.write_bytes(b"PK")
    with pytest.raises(converter.ConversionError, match="save its sheet as CSV UTF-8"):
        converter.convert(source, tmp_path)


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (None, ""),
        (17850.0, "17850"),
        (536365, "536365"),
        (2.55, "2.55"),
        (datetime(2010, 12, 1, 8, 26), "2010-12-01 08:26:00"),
        (" A ", " A "),
    ],
)
def test_cells_of_a_workbook_become_the_texts_of_a_csv(
    converter: ModuleType, cell: object, text: str
) -> None:
    assert converter.cell_text(cell) == text


@pytest.mark.skipif(not DATA.is_dir(), reason="the Online Retail data is not beside this checkout")
def test_the_shared_files_come_out_of_their_own_join(converter: ModuleType, tmp_path: Path) -> None:
    orders = []
    with gzip.open(DATA / "orders.csv.gz", "rt", encoding="utf-8", newline="") as text:
        orders = list(islice(csv.reader(text), 1, 20001))
    customers = {row[0]: row for row in table(DATA / "customers.csv.gz")[1:]}
    products = {row[0]: row for row in table(DATA / "products.csv.gz")[1:]}
    source = tmp_path / "Online Retail.csv"
    with source.open("w", encoding="utf-8", newline="") as out:
        writer = csv.writer(out)
        writer.writerow(HEADER.split(","))
        for _, invoice, customer, code, moment, quantity, price, _ in orders:
            known = customers.get(customer)
            described = products[code][1]
            writer.writerow(
                [
                    invoice,
                    code,
                    "" if described == r"\N" else described,
                    quantity,
                    moment,
                    price,
                    customer if known else "",
                    known[1] if known else "United Kingdom",
                ]
            )
    made = converter.convert(source, tmp_path)
    for row in orders:
        if row[7] == "-0.0":
            row[7] = "0.0"
    assert table(tmp_path / "orders.csv.gz")[1:] == orders
    seen = {row[2] for row in orders} - {r"\N"}
    assert table(tmp_path / "customers.csv.gz")[1:] == [
        row for row in customers.values() if row[0] in seen
    ]
    sold = {row[3] for row in orders}
    assert table(tmp_path / "products.csv.gz")[1:] == [
        row for row in products.values() if row[0] in sold
    ]
    assert made.orders == len(orders)
