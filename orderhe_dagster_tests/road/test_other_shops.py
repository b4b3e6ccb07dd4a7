"""Other shops' folders through the whole road: names, keys, types, days and selects unlike the demo's.

What is expected is computed here from the rows that were imported, in plain Python.
"""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timezone
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from orderhe_dagster.commands.import_file import Asked, import_into
from orderhe_dagster.proof.claims import claims_of
from orderhe_dagster.rendering.printing import print_result
from orderhe_dagster_tests.shops import TestShop, shop_of


def import_rows(shop: TestShop, table: str, rows: Sequence[Mapping[str, Any]], form: str) -> None:
    """Write rows as a CSV with CR LF, as JSON lines or as a Python module, and import the file."""
    file = shop.folder / f"{table}.{form}"
    if form == "csv":
        out = io.StringIO(newline="")
        writer = csv.writer(out, quoting=csv.QUOTE_ALL)
        writer.writerow(rows[0])
        for row in rows:
            writer.writerow(["\\N" if value is None else value for value in row.values()])
        file.write_bytes(b"\xef\xbb\xbf" + out.getvalue().encode())
    elif form == "jsonl":
        lines = (json.dumps(row, ensure_ascii=False, default=str) for row in rows)
        file.write_text("\n".join(lines), "utf-8")
    else:
        head = "import datetime\nfrom decimal import Decimal\n"
        file.write_text(f"{head}{table} = {list(rows)!r}\n", "utf-8")
    import_into(shop.settings, f"raw/{table}", file, asked=Asked(run_python=form == "py"))


def printed(shop: TestShop, sql: str) -> list[list[str]]:
    """The rows as `orderhe query --format csv` prints them, without the header."""
    out = io.StringIO(newline="")
    print_result(shop.warehouse.query(sql), "csv", out)
    return list(csv.reader(io.StringIO(out.getvalue(), newline="")))[1:]


BOOKS = {
    "raw/order.sql": """
-- Orders of books.
-- @partition date
-- @pii user
CREATE TABLE `order` (
  `group` varchar(20) NOT NULL COMMENT 'with -- dashes',
  `select` int unsigned NOT NULL,
  `user` varchar(30),
  `date` date NOT NULL,
  `from` decimal(38,10),
  `Größe €` enum('a,b','it''s','back\\\\slash'),
  `parent group` varchar(20),
  `parent select` int unsigned,
  PRIMARY KEY (`group`,`select`),
  UNIQUE KEY `u` (`date`,`select`,`group`),
  CONSTRAINT `self` FOREIGN KEY (`parent group`,`parent select`) REFERENCES `order` (`group`,`select`),
  CONSTRAINT `who` FOREIGN KEY (`user`) REFERENCES `user` (`name`) ON UPDATE CASCADE
) ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COMMENT='x';
""".replace("\n", "\r\n"),
    "raw/user.sql": """
create table `user` (
  name varchar(30) not null primary key,
  best_group varchar(20),
  best_select int unsigned,
  foreign key (best_group, best_select) references `order` (`group`, `select`)
);
""",
    "raw/stage.sql": "create table stage (id int primary key, held int);\n",
    "mart/group.sql": """
-- @grain "group"
select
    rtrim("group")::varchar(80) as "group",
    count(*)::bigint as "order",
    sum(coalesce("from", 0))::decimal(38, 10) as "sum"
from warehouse."order"
group by rtrim("group");
""",
    "mart/daily.sql": """
-- @partition day
-- @grain day
select o."date" as day, count(*)::bigint as n, max("select")::bigint as top_select
from warehouse."order" as o
group by o."date";
""",
    "export/group.sql": """
select "group", "order", "sum" from mart."group" order by "order" desc, "group";
""",
}


def _order(group: str, number: int, user: str | None, day: int, amount: str) -> dict[str, Any]:
    return {
        "group": group,
        "select": number,
        "user": user,
        "date": date(2026, 3, day),
        "from": Decimal(amount),
        "Größe €": "back\\slash",
        "parent group": "g1",
        "parent select": 1,
    }


ORDERS = [
    _order("g1", 1, "ann ", 1, "1234567890123456789012345678.0123456789"),
    _order("g1 ", 1, "éa🎈", 3, "-0.0000000001"),
    _order("G1", 4294967295, '앤, "A"', 3, "0"),
    _order("그룹", 1, None, 1, "9876543210987654321098765432.1"),
]


def test_reserved_words_text_keys_and_parents_in_a_circle_pass(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "shop", BOOKS)
    users = [
        {"name": name, "best_group": "g1", "best_select": 1}
        for name in ("ann ", "Ann", "éa🎈", '앤, "A"')
    ]
    import_rows(shop, "user", users, "csv")
    import_rows(shop, "order", ORDERS, "py")
    import_rows(shop, "stage", [{"id": 1, "held": None}], "jsonl")
    # A day alone first: the parent of its rows lies on a day that was not read yet. The day after
    # has a key that differs from one of that day in a blank at its end only.
    for first, last in (("2026-03-03", None), ("2026-03-01", "2026-03-02")):
        outcome = shop.run("*", first, last)
        assert outcome.succeeded, outcome.lines()
    assert sorted(printed(shop, 'select * from warehouse."order"')) == sorted(
        [
            ["" if value is None else str(value) for value in row.values()]
            for row in [{**row, "from": f"{row['from']:.10f}"} for row in ORDERS]
        ]
    )
    assert printed(shop, "select * from mart.daily order by day") == [
        ["2026-03-01", "2", "1"],
        ["2026-03-03", "2", "4294967295"],
    ]
    exported = (shop.folder / "home/exports/group.csv").read_text("utf-8").splitlines()
    assert exported[0] == "group,order,sum"
    totals: dict[str, list[Any]] = {}  # the mart passes over blanks at the end
    for order in ORDERS:
        totals.setdefault(order["group"].rstrip(), []).append(order["from"])
    with localcontext() as digits:
        digits.prec = 40
        expected = [
            f"{name},{len(each_day)},{sum(each_day):.10f}" for name, each_day in totals.items()
        ]
    assert sorted(exported[1:]) == sorted(expected)


TICKETS = {
    "raw/ticket.sql": """
-- @partition sold_at
create table ticket (
  venue varchar(20) not null, seat smallint unsigned not null,
  sold_at timestamp not null default current_timestamp, price decimal(8,2) not null,
  primary key (venue, seat)
);
""",
    "raw/scan.sql": """
-- @partition scanned_at
create table scan (
  venue varchar(20) not null, seat smallint unsigned not null,
  scanned_at datetime(3) not null, warmth double, raw_bytes varbinary(4),
  foreign key (venue, seat) references ticket (venue, seat)
);
""",
    "warehouse/sold.sql": """
-- @partition sold_at
select t.venue, t.seat, t.sold_at, t.price from warehouse.ticket as t;
""",
    "mart/takings.sql": """
-- @grain day
select
    convert_timezone('UTC', 'America/New_York', s.sold_at)::date as day,
    count(*)::bigint as n,
    sum(s.price)::decimal(20, 2) as takings
from warehouse.sold as s
group by 1;
""",
    "mart/each_day.sql": """
-- @partition day
-- @grain day, what
with scans as (
    select cast(scanned_at as date) as day, count(*) as n from warehouse.scan group by 1
),
early as (
    select cast(scanned_at as date) as day, count(*) as n
    from warehouse.scan where extract(hour from scanned_at) < 12 group by 1
)
select day, 'scan'::varchar(10) as what, n::bigint as n from scans
union all
select day, 'early'::varchar(10) as what, n::bigint as n from early;
""",
    "mart/running.sql": """
-- @grain day
with days as (select * from mart.takings)
select
    days.day,
    sum(days.n) over (order by days.day rows unbounded preceding)::bigint as so_far,
    (select max(t.takings) from mart.takings as t)::decimal(20, 2) as highest
from days;
""",
}
NEW_YORK = ZoneInfo("America/New_York")
SOLD = [  # UTC, around the end of summer time on 2025-11-02: that day has 25 hours
    "2025-11-01 03:59:59",
    "2025-11-01 04:00:00",
    "2025-11-02 03:59:59",
    "2025-11-02 04:00:00",
    "2025-11-02 05:30:00",
    "2025-11-02 06:30:00",
    "2025-11-03 04:59:59",
    "2025-11-03 05:00:00",
]


def test_days_are_the_shops_when_the_clock_changes(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "shop", TICKETS, ORDERHE_TIME_ZONE="America/New_York")
    tickets = [
        {"venue": "Großes 🎻", "seat": seat, "sold_at": at, "price": f"{seat}.50"}
        for seat, at in enumerate(SOLD)
    ]
    scans = [
        {
            "venue": "Großes 🎻",
            "seat": seat,
            "scanned_at": f"2025-11-0{1 + seat % 3} {seat * 3:02d}:00:00.00{seat}",
            "warmth": seat / 3,
            "raw_bytes": "00ff",
        }
        for seat in range(8)
    ]
    import_rows(shop, "ticket", tickets, "jsonl")
    import_rows(shop, "scan", scans, "csv")
    for first, last in (("2025-11-01", "2025-11-03"), ("2025-10-31", None)):
        outcome = shop.run("*", first, last)
        assert outcome.succeeded, outcome.lines()
    sold: dict[str, list[Decimal]] = {}
    for ticket in tickets:
        moment = datetime.fromisoformat(str(ticket["sold_at"])).replace(tzinfo=timezone.utc)
        day = str(moment.astimezone(NEW_YORK).date())
        sold.setdefault(day, []).append(Decimal(str(ticket["price"])))
    days = sorted(sold)
    assert days == ["2025-10-31", "2025-11-01", "2025-11-02", "2025-11-03"]
    assert printed(shop, "select * from mart.takings order by day") == [
        [day, str(len(sold[day])), str(sum(sold[day]))] for day in days
    ]
    segments = "select segment, row_count from warehouse._loads where table_name = 'warehouse.sold'"
    assert dict(printed(shop, segments)) == {day: str(len(sold[day])) for day in days}
    scanned = Counter((str(scan["scanned_at"])[:10], "scan") for scan in scans)
    scanned.update((str(scan["scanned_at"])[:10], "early") for scan in scans[:4])
    each_day = printed(shop, "select day, what, n from mart.each_day")
    assert {(day, what): int(n) for day, what, n in each_day} == dict(scanned)
    assert printed(shop, "select so_far, highest from mart.running order by day desc limit 1") == [
        ["8", str(max(sum(prices) for prices in sold.values()))]
    ]

    # No cursor and no digest tells of this change: only the bytes of the backup do.
    shop.change("update scan set warmth = 99.5 where seat = 1")
    assert shop.run("*", "2025-11-02").succeeded
    assert printed(shop, "select warmth from warehouse.scan where seat = 1") == [["99.5"]]


TYPES = """
create table types (
  id bigint unsigned not null primary key, flag tinyint(1), big bigint, y year, b bit(1), tm time(3),
  longest decimal(38,0), ratio decimal(5,5), x double, dt datetime(3), ts timestamp(6) null,
  c char(5), v varchar(200), vb varbinary(16), t text, e enum('a,b','it''s','"q"',''),
  s set('x','y z','한'), j json
);
"""
EDGES: list[dict[str, Any]] = [
    {
        "id": 2**64 - 1,
        "flag": 7,
        "big": -(2**63),
        "y": 2155,
        "b": 1,
        "tm": "-838:59:59.000",
        "longest": Decimal("9" * 38),
        "ratio": Decimal("-0.99999"),
        "x": 1.7976931348623157e308,
        "dt": "9999-12-31 23:59:59.999000",
        "ts": "2038-01-19 03:14:07.999999",
        "c": "한글🎈é",
        "v": "a\"b'c,d;\n\r\n\\N e\\ z|!",
        "vb": "0001ff",
        "t": "line\rline\u2028",
        "e": "it's",
        "s": "x,한",
        "j": '{"a": [1, "🎈"]}',
    },
    {
        "id": 0,
        "flag": -1,
        "big": 2**63 - 1,
        "y": 1901,
        "b": 0,
        "tm": "00:00:00.001",
        "longest": Decimal("9" * 38),
        "ratio": Decimal("0.00001"),
        "x": 5e-324,
        "dt": "1000-01-01 00:00:00",
        "ts": "1970-01-01 00:00:01",
        "c": "",
        "v": "  =1+1\t ",
        "vb": "",
        "t": "NULL",
        "e": "",
        "s": "",
        "j": "[null]",
    },
]
EDGES.append({**dict.fromkeys(EDGES[0]), "id": 1})


def test_every_type_arrives_as_it_was_when_its_values_are_at_the_edge(tmp_path: Path) -> None:
    shop = shop_of(tmp_path / "shop", {"raw/types.sql": TYPES})
    rows = []
    for place, form in enumerate(("csv", "jsonl", "py")):
        given = [{**row, "id": abs(row["id"] - 10 * place)} for row in EDGES]
        import_rows(shop, "types", given, form)
        rows += given
    outcome = shop.run("*")
    assert outcome.succeeded, outcome.lines()
    wanted = [
        [
            "" if value is None else ["false", "true"][value] if name == "b" else str(value)
            for name, value in row.items()
        ]
        for row in rows
    ]
    assert sorted(printed(shop, "select * from warehouse.types")) == sorted(wanted)


def test_rows_outside_of_the_days_are_carried_and_told_with_the_command(tmp_path: Path) -> None:
    contract = "-- @partition d\ncreate table t (k int primary key, d date not null);\n"
    shop = shop_of(tmp_path / "shop", {"raw/t.sql": contract}, ORDERHE_START_DATE="2026-01-02")
    days = ["2026-01-01", "2026-01-02", "2999-01-01"]
    import_rows(shop, "t", [{"k": k, "d": day} for k, day in enumerate(days)], "jsonl")
    outcome = shop.run("*", "2026-01-02", "2026-01-03")
    assert outcome.succeeded
    (text,) = outcome.warned_checks  # once a table, also of a range
    assert f"warning {text}" in outcome.lines()
    assert (
        "backup/t: nothing_left_out: 2 rows outside of the shop's days (1 before 2026-01-02, the first day, "
        "1 after today)"
    ) in text
    assert "orderhe run '*' --from 2026-01-01 --to 2026-01-01" in text
    assert printed(shop, "select k from warehouse.t order by k") == [["0"], ["1"], ["2"]]
    assert shop.record("t", "outside").measure.rows == 2
    shop.environ["ORDERHE_START_DATE"] = "2026-01-01"  # as the text says
    shop.paste(text)
    assert shop.record("t", "outside").measure.rows == 1
    assert shop.record("t", "2026-01-01").measure.rows == 1
    assert printed(shop, "select k from warehouse.t order by k") == [["0"], ["1"], ["2"]]


def test_names_of_checks_are_dagsters_and_differ_when_columns_have_any_name(tmp_path: Path) -> None:
    contract = """
create table t (
    `grain` int, `한 글` int, `한_글` int, e enum('x'),
    primary key (e), unique key (`grain`), unique key (`한 글`), unique key (`한_글`)
);
"""
    check = "select 1 as one from warehouse.t where e is null;\n"
    files = {"raw/t.sql": contract, "checks/warehouse/t__e_is_accepted.sql": check}
    catalogue = shop_of(tmp_path / "shop", files).catalogue
    names = [claim.name for claim in claims_of(catalogue, catalogue.layer("raw")[0], "warehouse")]
    assert all(name.isascii() and name.replace("_", "").isalnum() for name in names)
    assert len(names) == len(set(names)) == 7
