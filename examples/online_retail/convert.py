"""Cuts the file that UCI offers as "Online Retail" into the three CSV files that this shop imports.

One file of invoice lines becomes customers, products and orders. Nothing is loaded here: `orderhe
import` does that. Needs only Python; a workbook (.xlsx) also needs the package openpyxl.

    python convert.py "Online Retail.xlsx" --into data
"""

from __future__ import annotations

import argparse
import csv
import gzip
import importlib
import io
import re
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

COLUMNS = (
    "InvoiceNo",
    "StockCode",
    "Description",
    "Quantity",
    "InvoiceDate",
    "UnitPrice",
    "CustomerID",
    "Country",
)
NULL = r"\N"
PRICE_DECIMALS = 3
PRICE_DIGITS = 9  # before the point, as the contract of orders has it

_SLASHED = re.compile(r"(\d{1,2})/(\d{1,2})/(\d{4}|\d{2}) (\d{1,2}):(\d{2})(?::(\d{2}))?")
_ISO = re.compile(r"\d{4}-\d{2}-\d{2}[ T]\d{2}:\d{2}(:\d{2}(\.0+)?)?")
_LAST_MONTH = 12

Row = tuple[int, dict[str, str]]  # the line of the file, 1-based, and its fields


class ConversionError(Exception):
    """The file cannot be converted. The text names file, line and column, and what to do."""


@dataclass
class Made:
    """What a conversion wrote: rows by table."""

    customers: int = 0
    products: int = 0
    orders: int = 0


def convert(source: Path, folder: Path, encoding: str = "utf-8-sig") -> Made:
    r"""Write customers.csv.gz, products.csv.gz and orders.csv.gz into `folder`, all of them or none.

    orders: one row a line of the file, numbered from 1 (order_id), in the file's order; amount is
    quantity x unit_price, exactly. customers: in the order of their first line, with its country
    and time; lines without a customer make none. products: in the order of their first line; the
    description is the text most of its lines have (the earliest where two are as frequent), blanks
    kept, \N where no line has one. Raises ConversionError.
    """
    months_first = _months_first(source, encoding)
    customers: dict[str, tuple[str, str]] = {}
    texts: dict[str, Counter[str]] = {}
    with _Files(folder) as files:
        header = (
            "order_id source_order_no customer_id product_id order_date quantity unit_price amount"
        )
        orders = files.writer("orders", header.split())
        number = 0
        for number, (line, row) in enumerate(_rows(source, encoding), start=1):
            where = _Where(source, line, row)
            invoice, code = where.filled("InvoiceNo"), where.filled("StockCode")
            customer = where.customer()
            moment = where.moment(months_first)
            quantity, price = where.whole("Quantity"), where.price()
            described = texts.setdefault(code, Counter())
            if row["Description"]:
                described[row["Description"]] += 1
            if customer is not None:
                customers.setdefault(customer, (row["Country"], moment))
            amount = quantity * price + 0  # plus zero: -1 x 0.00 is 0.00, not -0.00
            money = f"{price:f}", f"{amount:f}"
            orders.writerow([number, invoice, customer or NULL, code, moment, quantity, *money])
        writer = files.writer("customers", ["customer_id", "country_first_seen", "first_seen_at"])
        writer.writerows([key, *values] for key, values in customers.items())
        writer = files.writer("products", ["product_id", "description"])
        # most_common keeps the order of first sight among equals
        writer.writerows(
            [code, found.most_common(1)[0][0] if found else NULL] for code, found in texts.items()
        )
        files.finish()
    return Made(len(customers), len(texts), number)


@dataclass
class _Where:
    """One line of the file: its fields as values, or an error that names the place."""

    source: Path
    line: int
    row: dict[str, str]

    def error(self, column: str, says: str) -> ConversionError:
        value = self.row[column]
        return ConversionError(
            f"{self.source.name}, line {self.line}, {column} {value!r}: {says}; correct the file"
        )

    def filled(self, column: str) -> str:
        if not self.row[column]:
            raise self.error(column, "a line needs one")
        return self.row[column]

    def whole(self, column: str) -> int:
        found = re.fullmatch(r"(-?\d{1,9})(\.0+)?", self.row[column])
        if not found:
            raise self.error(column, "not a whole number")
        return int(found[1])

    def price(self) -> Decimal:
        try:
            price = Decimal(self.row["UnitPrice"])
        except InvalidOperation:
            raise self.error("UnitPrice", "not a number") from None
        if not price.is_finite() or abs(price) >= 10**PRICE_DIGITS:
            raise self.error("UnitPrice", "not a price")
        if round(price, PRICE_DECIMALS) != price:
            raise self.error("UnitPrice", f"more than {PRICE_DECIMALS} decimals")
        return price

    def customer(self) -> str | None:
        return str(self.whole("CustomerID")) if self.row["CustomerID"] else None

    def moment(self, months_first: bool) -> str:
        """YYYY-MM-DD HH:MM:SS, as the shop's clock showed it."""
        text = self.row["InvoiceDate"]
        try:
            if _ISO.fullmatch(text):
                return str(datetime.fromisoformat(text.partition(".")[0]))
            found = _SLASHED.fullmatch(text)
            if found:
                one, two, year, hour, minute = map(int, found.groups()[:5])
                month, day = (one, two) if months_first else (two, one)
                year += 2000 if len(found[3]) == len("11") else 0
                return str(datetime(year, month, day, hour, minute, int(found[6] or 0)))
        except ValueError:
            raise self.error("InvoiceDate", "no moment of the calendar") from None
        raise self.error("InvoiceDate", "not like 2010-12-01 08:26 or 12/1/2010 8:26")


def _months_first(source: Path, encoding: str) -> bool:
    """Whether 12/1/2010 is the first of December: told by the days after the twelfth in the file."""
    if source.suffix.lower() == ".xlsx":
        return False  # a workbook holds dates, not texts
    seen = {"first": 0, "second": 0}  # the line on which that part is above twelve
    slashed = False
    for line, row in _rows(source, encoding):
        found = _SLASHED.fullmatch(row["InvoiceDate"])
        if found:
            slashed = True
            for part, text in (("first", found[1]), ("second", found[2])):
                if int(text) > _LAST_MONTH and not seen[part]:
                    seen[part] = line
    if slashed and bool(seen["first"]) == bool(seen["second"]):
        says = (
            f"lines {seen['first']} and {seen['second']} are written in two ways"
            if seen["first"]
            else "no line tells whether days or months come first"
        )
        raise ConversionError(
            f"{source.name}, InvoiceDate: {says}; write the dates like 2010-12-01 08:26"
        )
    return bool(seen["second"])


def _rows(source: Path, encoding: str) -> Iterator[Row]:
    """The lines of a CSV file or of a workbook's first sheet, every field as text."""
    if not source.is_file():
        raise ConversionError(f"there is no file {source}; name the one that UCI offers")
    if source.suffix.lower() == ".xlsx":
        yield from _named(source, _workbook(source))
        return
    with source.open(encoding=encoding, newline="") as text:
        reader = csv.reader(text)
        try:
            yield from _named(source, ((reader.line_num, cells) for cells in reader))
        except UnicodeDecodeError:
            raise ConversionError(
                f"{source.name}, after line {reader.line_num}: not {encoding} text; "
                "try --encoding cp1252, or save the sheet as CSV UTF-8"
            ) from None


def _named(source: Path, lines: Iterable[tuple[int, Sequence[str]]]) -> Iterator[Row]:
    places: list[int] = []
    for line, cells in lines:
        if not places:
            missing = [name for name in COLUMNS if name not in cells]
            if missing:
                raise ConversionError(
                    f"{source.name}, line {line}: no column {', '.join(missing)}; "
                    f"the first line names {', '.join(COLUMNS)}, in any order"
                )
            places = [cells.index(name) for name in COLUMNS]
        elif any(cells):
            if len(cells) <= max(places):
                raise ConversionError(
                    f"{source.name}, line {line}: {len(cells)} fields, fewer than the first line; "
                    "correct the file"
                )
            yield line, dict(zip(COLUMNS, (cells[place] for place in places), strict=True))
    if not places:
        raise ConversionError(f"{source.name} is empty; download it again")


def _workbook(source: Path) -> Iterator[tuple[int, Sequence[str]]]:
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError:
        raise ConversionError(
            f"{source.name} is a workbook, which needs the Python package openpyxl: install it, "
            "or open the file and save its sheet as CSV UTF-8, then convert that"
        ) from None
    book = openpyxl.load_workbook(source, read_only=True, data_only=True)
    try:
        for line, cells in enumerate(book.worksheets[0].iter_rows(values_only=True), start=1):
            yield line, [cell_text(cell) for cell in cells]
    finally:
        book.close()


def cell_text(cell: Any) -> str:
    """A workbook's cell as the CSV would have it: 17850.0 as 17850, a time as YYYY-MM-DD HH:MM:SS."""
    if cell is None:
        return ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell)


class _Files:
    """Gzipped CSV files of a folder, put in place together at the end and left nowhere on an error."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.targets: list[Path] = []
        self._stack = ExitStack()

    def __enter__(self) -> _Files:
        self.folder.mkdir(parents=True, exist_ok=True)
        return self

    def writer(self, table: str, header: Sequence[str]) -> Any:
        target = self.folder / f"{table}.csv.gz"
        self.targets.append(target)
        raw = self._stack.enter_context(_aside(target).open("wb"))
        # No name and no time inside: the same input gives the same bytes.
        packed = self._stack.enter_context(gzip.GzipFile("", "wb", 6, raw, mtime=0))
        text = self._stack.enter_context(io.TextIOWrapper(packed, "utf-8", newline=""))
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(header)
        return writer

    def finish(self) -> None:
        self._stack.close()
        for target in self.targets:
            _aside(target).replace(target)

    def __exit__(self, *_: object) -> None:
        self._stack.close()
        for target in self.targets:
            _aside(target).unlink(missing_ok=True)


def _aside(target: Path) -> Path:
    return target.with_name(target.name + ".part")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 where the file cannot be converted."""
    parser = argparse.ArgumentParser(
        description="Cut UCI's Online Retail file into three CSV files."
    )
    parser.add_argument("file", type=Path, help="Online Retail.xlsx, or its sheet saved as CSV")
    parser.add_argument("--into", type=Path, default=Path("data"), help="folder (default: data)")
    parser.add_argument("--encoding", default="utf-8-sig", help="of a CSV (default: UTF-8)")
    options = parser.parse_args(arguments)
    try:
        made = convert(options.file, options.into, options.encoding)
    except ConversionError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(
        f"{made.customers:,} customers, {made.products:,} products, {made.orders:,} order lines "
        f"in {options.into}"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
