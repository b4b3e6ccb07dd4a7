"""`orderhe import` as it is typed: contract and map guessed from a file, then the same file loaded."""

from __future__ import annotations

import io
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from orderhe_dagster.catalog.reader import read_catalogue
from orderhe_dagster.cli import main
from orderhe_dagster.intake.importing.column_map import shipped_map, shipped_maps
from orderhe_dagster.resources.laptop.embedded_source import EmbeddedSource
from orderhe_dagster_tests.intake.importing.people import (
    FRENCH,
    GERMAN,
    HEADER,
    KOREAN,
    german,
    text_of,
    workbook,
)


class Desk:
    """A folder without contracts, and the command line in it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        (folder / "sql").mkdir()
        self.environ = {
            "ORDERHE_SQL": str(folder / "sql"),
            "ORDERHE_HOME": str(folder / "home"),
            "ORDERHE_SHOP": "external",
        }

    def type(self, *words: str) -> Result:
        return CliRunner().invoke(
            main, ["import", *words], env=self.environ, catch_exceptions=False
        )

    def put(self, name: str, body: str | bytes) -> str:
        file = self.folder / name
        file.write_bytes(body.encode() if isinstance(body, str) else body)
        return str(file)

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        source = EmbeddedSource(path=str(self.folder / "home" / "shop.duckdb"))
        with source.writing() as transaction:
            found = transaction.fetch(f'select * from "{table}" order by 1')
        return [tuple(row.values()) for row in found.to_pylist()]

    def sql(self, name: str) -> str:
        return (self.folder / "sql" / "raw" / name).read_text("utf-8")


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def loaded_after_guess(desk: Desk, *words: str) -> str:
    """Type the command with --guess, then without; what the first printed."""
    guessed = desk.type("--guess", *words)
    assert guessed.exit_code == 0, guessed.output
    done = desk.type(*words)
    assert done.exit_code == 0, done.output
    assert "rows loaded" in done.output
    return guessed.output


@pytest.mark.parametrize(
    ("name", "body", "rows"),
    [
        ("orders.xlsx", workbook(KOREAN, before=[["주문 목록"], []]), KOREAN),
        ("orders.csv", text_of(KOREAN).encode("cp949"), KOREAN),
        ("orders.csv", german(GERMAN).encode("cp1252"), GERMAN),
        ("orders.tsv", ("\ufeff" + text_of(FRENCH, "\t")).encode("utf-16-le"), FRENCH),
    ],
)
def test_what_is_guessed_of_a_file_takes_the_file(
    desk: Desk, name: str, body: bytes, rows: list[Any]
) -> None:
    told = loaded_after_guess(desk, desk.put(name, body))
    assert "primary key order_no; @partition ordered_at" in told
    assert desk.rows("orders") == rows
    (table,) = read_catalogue(desk.folder / "sql").layer("raw")
    declared = {column.name: column.type.declared for column in table.columns}
    assert declared["amount"] == "decimal(13, 2)"
    assert declared["quantity"] == "int"
    assert declared["ordered_at"] == "datetime"
    assert not table.column("amount").nullable


@pytest.mark.parametrize("label", ["합계", "Total"])
def test_a_total_at_the_end_is_no_row_of_the_guess(desk: Desk, label: str) -> None:
    rows: list[list[Any]] = [
        ["1001", datetime(2026, 3, 1), 2, 500],
        ["1002", datetime(2026, 3, 2), 1, 250],
    ]
    rows.append([label, None, None, 750])
    body = workbook([], behind=rows, header=["주문번호", "판매일자", "수량", "판매금액"])
    told = loaded_after_guess(desk, desk.put("sales.xlsx", body))
    assert "1 total row at the end passed over, 2 rows" in told
    assert "primary key order_no; @partition sold_on" in told
    assert [row[-1] for row in desk.rows("sales")] == [500, 250]


def test_letters_before_a_number_are_a_name_unless_they_are_a_currency(desk: Desk) -> None:
    text = "no,sku,amount,unit\n1,SKU-2,EUR 5,TOP-1\n2,SKU-1,EUR 7,TOP-2\n"
    told = loaded_after_guess(desk, desk.put("stock.csv", text))
    assert "EUR taken off the amounts" in told
    assert desk.rows("stock") == [(1, "SKU-2", 5, "TOP-1"), (2, "SKU-1", 7, "TOP-2")]


def test_types_are_of_all_values(desk: Desk) -> None:
    text = (
        "Zip,Serial No.,Size,Weight,Seen,Day,Flag,2nd,비고,할인\n"
        '06236,9007199254740993,"1,5",0.125,2026-03-01 10:00:00.25,01/03/2026,yes,,,x\n'
        "1,2,2,3,2026-03-02 10:00:00,13/03/2026,no,7,메모,\n"
    ).replace('"1,5"', "1.5")
    told = loaded_after_guess(desk, desk.put("Stock 2026.csv", text))
    assert "primary key serial_no; @partition day" in told
    assert desk.rows("stock") == [
        ("06236", 9007199254740993, Decimal("1.50"), Decimal("0.125"),
         datetime(2026, 3, 1, 10, 0, 0, 250000), datetime(2026, 3, 1).date(), "yes", None, "", "x"),
        ("1", 2, Decimal(2), Decimal(3), datetime(2026, 3, 2, 10), datetime(2026, 3, 13).date(),
         "no", 7, "메모", ""),
    ]  # fmt: skip
    contract = desk.sql("stock.sql")
    for line in (
        "`zip` varchar(10) not null comment 'Zip'",
        "`serial_no` bigint not null",
        "`size` decimal(10, 2) not null",
        "`weight` decimal(11, 3) not null",
        "`seen` datetime(2) not null",
        "`day` date not null",
        "`c_2nd` int comment '2nd'",
        "`column_9` varchar(10) comment '비고'",
    ):
        assert line in contract, contract
    assert "비고 = column_9" in desk.sql("stock.map")


SHOPIFY = (
    "Name,Email,Financial Status,Paid at,Currency,Total,Created at,Lineitem quantity,Lineitem name,"
    "Lineitem price,Id,Tags\n"
    "#1001,a@x,paid,2026-11-01 12:00:05 +0900,KRW,30000.00,2026-11-01 23:00:00 +0900,1,Shirt,10000.00,5551,\n"
    "#1001,a@x,,,,,2026-11-01 23:00:00 +0900,2,Hat,10000.00,,\n"
    "#1002,b@x,paid,2026-11-02 00:00:00 -0500,KRW,9000.00,2026-11-01 23:30:00 -0500,1,Cap,9000.00,5552,vip\n"
)


def test_an_export_of_shopify_becomes_lines_with_the_fields_of_their_order(desk: Desk) -> None:
    told = loaded_after_guess(
        desk, "--map", "shopify", "raw/order_lines", desk.put("orders_export_1.csv", SHOPIFY)
    )
    assert "primary key order_no, line_no; @partition order_date" in told
    assert "1 line given the fields of the order's first line" in told
    names = ["order_no", "line_no", "total", "ordered_at", "order_date", "product_name", "order_id"]
    source = EmbeddedSource(path=str(desk.folder / "home" / "shop.duckdb"))
    with source.writing() as transaction:
        found = transaction.fetch(f"select {', '.join(names)} from order_lines order by 1, 2")
    first = (Decimal(30000), datetime(2026, 11, 1, 23), datetime(2026, 11, 1).date())
    assert [tuple(row.values()) for row in found.to_pylist()] == [
        ("#1001", 1, *first, "Shirt", 5551),
        ("#1001", 2, *first, "Hat", 5551),
        ("#1002", 1, Decimal(9000), datetime(2026, 11, 2, 13, 30), datetime(2026, 11, 2).date(),
         "Cap", 5552),
    ]  # fmt: skip
    # Without --map, the map beside the contract is found by itself.
    again = desk.type("raw/order_lines", str(desk.folder / "orders_export_1.csv"))
    assert again.exit_code == 1
    assert "holds it already" in again.output


def test_a_contract_that_is_there_is_not_written_over(desk: Desk) -> None:
    file = desk.put("orders.csv", text_of(KOREAN))
    assert desk.type("--guess", file).exit_code == 0
    before = desk.sql("orders.sql")
    again = desk.type("--guess", file)
    assert again.exit_code == 1
    assert "is there already; import into it without --guess" in again.output
    assert desk.sql("orders.sql") == before


@pytest.mark.parametrize(
    ("name", "body", "says", "cure"),
    [
        ("주문.csv", text_of(KOREAN), "makes no name of a table", ("raw/orders",)),
        (
            "orders.csv",
            "no,day\n1,01/02/2026\n2,02/03/2026\n",
            "--dates dmy",
            ("--dates", "dmy"),
        ),
        ("orders.csv", 'no,sum\n1,"1,230"\n2,560\n', "--decimal .", ("--decimal", ".")),
        (
            "sales.csv",
            '번호,공급가\n1,"1,230"\n2,560\n',
            "column 공급가: '1,230'",
            ("--decimal", "."),
        ),
        ("orders.csv", "no;sum\n1;1.230\n2;4.500\n", "--decimal ,", ("--decimal", ",")),
        ("orders.csv", 'no,sum\n1,"1,230"\n2,"1,234,560"\n', None, ()),
    ],
)
def test_a_guess_asks_what_an_import_would_ask(
    desk: Desk, name: str, body: str, says: str | None, cure: tuple[str, ...]
) -> None:
    file = desk.put(name, body)
    first = desk.type("--guess", file)
    if says is not None:
        assert first.exit_code == 1, first.output
        assert says in first.output
        first = desk.type("--guess", *cure, file)
    assert first.exit_code == 0, first.output
    words = [word for word in cure if word.startswith("raw/")]
    done = desk.type(*words, file)
    assert done.exit_code == 0, done.output


def test_the_folder_of_the_demo_is_not_guessed_into(desk: Desk) -> None:
    del desk.environ["ORDERHE_SQL"]
    del desk.environ["ORDERHE_SHOP"]
    result = desk.type("--guess", desk.put("orders.csv", text_of(KOREAN)))
    assert result.exit_code == 1
    assert "demo shop's own folder" in result.output


def test_a_python_file_is_run_only_where_that_is_said(desk: Desk) -> None:
    assert desk.type("--guess", desk.put("orders.csv", text_of(KOREAN))).exit_code == 0
    mark = desk.folder / "it_ran"
    row = dict(zip(HEADER, ["A-9", "Kim", 1, 1, "2026-11-01 12:00:00", "x"], strict=True))
    file = desk.put("orders.py", f"open({str(mark)!r}, 'w').close()\norders = [{row}]\n")
    refused = desk.type(file)
    assert refused.exit_code == 1
    assert "--run-python" in refused.output
    assert not mark.exists()
    done = desk.type("--run-python", file)
    assert done.exit_code == 0, done.output
    assert mark.exists()
    assert "Python, which was run, 1 row" in done.output


def test_help_says_that_python_is_run() -> None:
    text = " ".join(CliRunner().invoke(main, ["import", "--help"]).output.split())
    assert "A Python file is run, with all that it does, and only with --run-python." in text
    assert "[TABLE] FILE" in text


@pytest.mark.parametrize("name", shipped_maps())
def test_a_map_that_ships_names_every_column_once(name: str) -> None:
    mapped = shipped_map(name)
    assert len(mapped.entries) > 25
    assert mapped.order
    assert mapped.lines
    seen: set[str] = set()
    for entry in mapped.entries:
        assert entry.may_miss
        assert not seen.intersection(entry.targets), entry
        seen.update(entry.targets)
    dated = [entry for entry in mapped.entries if entry.is_day]
    assert [entry.targets[0] for entry in dated] == ["order_date"]


def test_the_lines_of_an_order_of_cafe24_are_rows(desk: Desk) -> None:
    body = io.StringIO()
    body.write(
        "주문번호,품목별 주문번호,주문일시,주문자명,주문상품명(옵션포함),수량,판매가,총 결제금액\n"
    )
    for at in range(2):
        body.write(f"20261101-0000001,20261101-0000001-0{at + 1},2026-11-01 12:30,홍길동,")
        body.write('셔츠,1,"12,500","1,025,000"\n')
    file = desk.put("orders.csv", body.getvalue().encode("cp949"))
    guessed = desk.type("--guess", "--map", "cafe24", "raw/order_lines", file)
    assert guessed.exit_code == 0, guessed.output
    assert "cp949 (EUC-KR)" in guessed.output
    assert desk.type("raw/order_lines", file).exit_code == 0
    (first, second) = desk.rows("order_lines")
    assert first[:3] == ("20261101-0000001", "20261101-0000001-01", datetime(2026, 11, 1, 12, 30))
    assert Decimal(12500) in first
    assert second[1] == "20261101-0000001-02"
