"""Rows that cannot be carried are set aside and told by name; all others pass, in the same statement."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from orderhe_dagster.catalog.days import Window
from orderhe_dagster.catalog.segments import OUTSIDE, WHOLE, Outside, Segment, days_of, segments_of
from orderhe_dagster.catalog.table import Table
from orderhe_dagster.ports.errors import PortError
from orderhe_dagster.ports.measures import OutsideRows
from orderhe_dagster.ports.source import Extract, Source
from orderhe_dagster.resources.extract.duckdb_extract import LONG_ROWS_A_GROUP
from orderhe_dagster.resources.extract.parquet_query import parquet_query
from orderhe_dagster.resources.laptop.embedded_warehouse import EmbeddedWarehouse
from orderhe_dagster.resources.laptop.folder_store import FolderStore
from orderhe_dagster.resources.mysql.fetch import batches
from orderhe_dagster.road.backups import BackupError
from orderhe_dagster.road.extracts import Road, back_up
from orderhe_dagster.road.step import Step
from orderhe_dagster_tests.catalog.folders import read
from orderhe_dagster_tests.intake.adopt.strange import run
from orderhe_dagster_tests.servers.mariadb import MariaDB, mysql_source

CONTRACT = """\
-- Visits, as an old application wrote them.
-- @partition day
-- @cursor changed_at
-- @pii mail{keys}
create table visits (
    id int not null primary key,
    mail varchar(40),
    day date not null,
    born date,
    left_on datetime,
    note mediumtext,
    changed_at datetime(3)
);
"""
ROWS = """(1, 'a@b', '2026-02-27', '1990-01-02', null, 'fine', '2026-03-01'),
(2, 'a@b', '2026-02-27', '0000-00-00', null, 'no birthday', '2026-03-01'),
(3, 'a\\0b', '2026-02-27', '1980-00-00', '2026-02-30', 'three faults', '2026-03-02'),
(4, null, '2026-02-28', null, null, repeat('x', 65536), '2026-03-03'),
(5, null, '2026-02-30', null, null, 'a day that is none', '2026-03-04'),
(6, null, '2026-03-01', null, null, 'fine too', '0000-00-00')"""
WINDOW = Window.of(date(2026, 2, 27), date(2026, 3, 1))
FEBRUARY = (Segment("2026-02-27"), Segment("2026-02-28"))
MARCH = Segment("2026-03-01")


@pytest.fixture(params=["scanner", "arrow"])
def source(request: pytest.FixtureRequest, mariadb: MariaDB, shop_database: str) -> Source:
    found: Source = mysql_source(mariadb, shop_database, extract=request.param, read_timeout=60)
    return found


def visits(folder: Path, source: Source, mariadb: MariaDB, keys: str = "") -> Table:
    """The table with its rows, written as no strict server would take them."""
    import pymysql

    catalogue = read(folder, {"raw/visits.sql": CONTRACT.format(keys=keys)})
    table = catalogue.in_zone("Asia/Seoul").tables[0]
    source.create([table])
    with (
        pymysql.connect(
            unix_socket=str(mariadb.folder / "s"),
            user="root",
            database=source.identity.rpartition("/")[2],
            autocommit=True,
            init_command="set sql_mode = 'ALLOW_INVALID_DATES'",
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"insert into visits values {ROWS}")
    return table


def ids(extract: Extract) -> dict[Segment, list[int]]:
    return {
        segment: sorted(n for part in parts for n in pq.read_table(part)["id"].to_pylist())
        for segment, parts in extract.parts.items()
    }


def quarantined(extract: Extract, segment: Segment) -> list[dict[str, Any]]:
    return [
        json.loads(line)
        for file in extract.quarantine.get(segment, ())
        for line in file.read_text("utf-8").splitlines()
    ]


def test_faulty_rows_are_set_aside_by_day(source: Source, mariadb: MariaDB, tmp_path: Path) -> None:
    table = visits(tmp_path, source, mariadb)
    found = source.extract(table, WINDOW, tmp_path / "out")
    first, second = FEBRUARY
    assert ids(found) == {first: [1]}
    assert found.quarantined == {first: 2, second: 2, MARCH: 1}
    assert {day: m.rows for day, m in found.measures.items()} == {
        first: 1,
        second: 0,
        MARCH: 0,
    }
    assert quarantined(found, first) == [
        {"id": 2, "quarantined_because": "born 0000-00-00 is no real day"},
        {
            "id": 3,
            "quarantined_because": "mail holds the character 0x00, which Redshift takes in no text; "
            "born 1980-00-00 is no real day; left_on 2026-02-30 is no real day",
        },
    ]
    assert [row["id"] for row in quarantined(found, second)] == [4, 5]
    files = [file.suffix for file in (tmp_path / "out").rglob("*") if file.is_file()]
    assert ".jsonl" in files


def test_what_is_carried_is_what_the_source_measures(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    table = visits(tmp_path, source, mariadb, "\n-- @bad_values born null, changed_at null")
    found = source.extract(table, WINDOW, tmp_path / "out")
    assert source.measure(table, WINDOW) == found.measures
    assert source.touches(table, WINDOW) == found.touches
    assert {day: touch.rows for day, touch in found.touches.items()} == {
        day: found.measures[day].rows + found.quarantined.get(day, 0) for day in segments_of(WINDOW)
    }
    first, _ = FEBRUARY
    assert ids(found) == {first: [1, 2], MARCH: [6]}
    assert found.nulled == {first: {"born": 1}, MARCH: {"changed_at": 1}}
    (row,) = [r for part in found.parts[MARCH] for r in pq.read_table(part).to_pylist()]
    assert row["changed_at"] is None


def test_policy_fail_stops_and_leaves_nothing(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    table = visits(tmp_path, source, mariadb, "\n-- @bad_values born fail")
    with pytest.raises(PortError) as caught:
        source.extract(table, WINDOW, tmp_path / "out")
    assert "born 0000-00-00 is no real day (1 row)" in str(caught.value)
    assert "a\0b" not in str(caught.value)
    assert not (tmp_path / "out").exists()


def test_a_table_without_days_is_split_too(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    table = visits(tmp_path, source, mariadb)
    whole = read(
        tmp_path / "whole",
        {
            "raw/visits.sql": table.sql.replace("-- @partition day\n", "").replace(
                "\n    mail", "\n mail"
            )
        },
    ).tables[0]
    found = source.extract(whole, None, tmp_path / "out")
    assert ids(found) == {WHOLE: [1]}
    assert found.quarantined == {WHOLE: 5}
    assert [row["id"] for row in quarantined(found, WHOLE)] == [2, 3, 4, 5, 6]
    assert found.touches == source.touches(whole, None)


def test_rows_without_a_day_are_not_passed_over(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    """The contract says not null, the table does not: such a row is in no window."""
    table = visits(tmp_path, source, mariadb)
    database = source.identity.rpartition("/")[2]
    mariadb.run(f"alter table {database}.visits modify day date null")
    assert sum(touch.rows for touch in source.touches(table, WINDOW).values()) == 6
    mariadb.run(f"insert into {database}.visits (id) values (7)")
    for reading in (
        lambda: source.extract(table, WINDOW, tmp_path / "out"),
        lambda: source.touches(table, WINDOW),
    ):
        with pytest.raises(PortError, match=r"1 row in .* without day, which is not null in raw/"):
            reading()


@pytest.mark.parametrize("declared", ["date", "datetime", "timestamp"])
def test_days_that_are_none_lie_outside(
    source: Source, mariadb: MariaDB, tmp_path: Path, declared: str
) -> None:
    """Zero dates stand before every day; a day that is none within the window counts to the one before."""
    text = CONTRACT.format(keys="").replace("day date not null", f"day {declared} not null")
    table = read(tmp_path, {"raw/visits.sql": text}).in_zone("Asia/Seoul").tables[0]
    source.create([table])
    no_days = {1: "0000-00-00"} if declared == "timestamp" else {1: "0000-00-00", 2: "2026-02-00"}
    listed = no_days | {3: "2026-02-27", 4: "1999-01-01", 5: "2030-01-01"}
    rows = ", ".join(f"({id_}, '{day}', '2026-03-01')" for id_, day in listed.items())
    database = source.identity.rpartition("/")[2]
    run(mariadb, database, [f"insert into visits (id, day, changed_at) values {rows}"])
    outside = Outside.of(WINDOW)
    found = source.extract(table, outside, tmp_path / "out")
    assert ids(found) == {OUTSIDE: [4, 5]}
    assert found.quarantined == {OUTSIDE: len(no_days)}
    told = [row["quarantined_because"] for row in quarantined(found, OUTSIDE)]
    assert told == [f"day {day} is no real day" for day in no_days.values()]
    assert found.measures == source.measure(table, outside)
    assert found.touches == source.touches(table, outside)
    assert found.touches[OUTSIDE].rows == len(no_days) + 2
    # `day is null` is true of a zero date in MySQL: it is counted once all the same.
    assert source.outside(table, outside) == OutsideRows(0, len(no_days) + 1, 1)
    real = {date(1999, 1, 1): 1, WINDOW.start: 1, date(2030, 1, 1): 1}
    before = {} if declared == "timestamp" else {date(2026, 1, 31): 1}  # of 2026-02-00
    assert source.calendar(table) == real | before


def test_rows_without_a_day_are_carried_where_the_contract_has_them(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    visits(tmp_path, source, mariadb)
    text = CONTRACT.format(keys="").replace("day date not null", "day date")
    table = read(tmp_path / "now", {"raw/visits.sql": text}).in_zone("Asia/Seoul").tables[0]
    database = source.identity.rpartition("/")[2]
    mariadb.run(f"alter table {database}.visits modify day date null")
    new = "insert into visits (id, born) values (7, null), (8, '0000-00-00')"
    run(mariadb, database, [new])
    outside = Outside.of(WINDOW)
    found = source.extract(table, outside, tmp_path / "out")
    assert ids(found) == {OUTSIDE: [7]}
    (told,) = quarantined(found, OUTSIDE)
    assert told == {"id": 8, "quarantined_because": "born 0000-00-00 is no real day"}
    assert found.measures == source.measure(table, outside)
    assert found.touches == source.touches(table, outside)
    assert source.outside(table, outside) == OutsideRows(undated=2)


@pytest.mark.parametrize("declared", ["date", "datetime", "timestamp"])
def test_rows_whose_day_is_none_are_outside_where_it_becomes_null(
    source: Source, mariadb: MariaDB, tmp_path: Path, declared: str
) -> None:
    """Zero dates, and days that MySQL sorts between real ones, of a column that is not null."""
    text = CONTRACT.format(keys="\n-- @bad_values day null")
    text = text.replace("day date not null", f"day {declared} not null")
    table = read(tmp_path, {"raw/visits.sql": text}).in_zone("Asia/Seoul").tables[0]
    assert table.column("day").nullable
    assert table.column("day").required
    source.create([table])
    no_days = {1: "0000-00-00"} if declared == "timestamp" else {1: "0000-00-00", 2: "2026-02-30"}
    listed = no_days | {3: "2026-02-28", 4: "1999-01-01", 5: "2030-01-01"}
    rows = ", ".join(f"({id_}, '{day}', '2026-03-01')" for id_, day in listed.items())
    database = source.identity.rpartition("/")[2]
    run(mariadb, database, [f"insert into visits (id, day, changed_at) values {rows}"])
    outside = Outside.of(WINDOW)
    found = source.extract(table, outside, tmp_path / "outside")
    assert ids(found) == {OUTSIDE: sorted([4, 5, *no_days])}
    assert (found.quarantined, found.nulled) == ({}, {OUTSIDE: {"day": len(no_days)}})
    days = source.extract(table, WINDOW, tmp_path / "days")
    assert ids(days) == {FEBRUARY[1]: [3]}
    for scope, extract in ((outside, found), (WINDOW, days)):
        assert extract.measures == source.measure(table, scope)
        assert extract.measures == source.measure(table, scope, extract.measures)
        assert extract.touches == source.touches(table, scope)
    assert source.outside(table, outside) == OutsideRows(len(no_days), 1, 1)
    assert source.calendar(table) == {
        date(1999, 1, 1): 1,
        date(2026, 2, 28): 1,
        date(2030, 1, 1): 1,
    }


def test_a_child_of_a_row_whose_day_becomes_null_is_outside_with_it(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    """Days that MySQL sorts between real ones tell a child no day either."""
    text = CONTRACT.format(keys="\n-- @bad_values day null")
    text = text.replace("day date not null", "day datetime not null")
    lines = (
        "-- @partition visit_id -> visits.day\n"
        "create table notes (note_id int not null, visit_id int, primary key (note_id))"
    )
    read_anew = read(tmp_path, {"raw/visits.sql": text, "raw/notes.sql": lines})
    tables = {table.name: table for table in read_anew.in_zone("Asia/Seoul").tables}
    source.create([*tables.values()])
    notes = tables["notes"]
    database = source.identity.rpartition("/")[2]
    days = {1: "0000-00-00", 2: "2026-02-30", 3: "2026-02-28"}
    visits = ", ".join(f"({id_}, '{day}', '2026-03-01')" for id_, day in days.items())
    statements = [
        f"insert into visits (id, day, changed_at) values {visits}",
        "insert into notes values (1, 1), (2, 2), (3, 3), (4, 99), (5, null)",
    ]
    run(mariadb, database, statements)

    for scope, keys in (
        (Outside.of(WINDOW), {OUTSIDE: [1, 2, 4, 5]}),
        (WINDOW, {FEBRUARY[1]: [3]}),
    ):
        extract = source.extract(notes, scope, tmp_path / f"notes {scope}")
        parts = {segment: parts for segment, parts in extract.parts.items() if parts}
        read_keys = {
            segment: sorted(r["note_id"] for p in part for r in pq.read_table(p).to_pylist())
            for segment, part in parts.items()
        }
        assert read_keys == keys
        assert extract.measures == source.measure(notes, scope)
        assert extract.touches == source.touches(notes, scope)
    assert source.outside(notes, Outside.of(WINDOW)) == OutsideRows(4, 0, 0)


def test_what_becomes_null_need_not_be_nullable_in_the_source(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    """The contract's `not null` is what the source promises: nothing differs, and NULL is not written."""
    text = CONTRACT.format(keys="\n-- @bad_values born null, note null")
    text = text.replace("born date", "born date not null").replace(
        "mediumtext", "mediumtext not null"
    )
    table = read(tmp_path, {"raw/visits.sql": text}).in_zone("Asia/Seoul").tables[0]
    source.create([table])
    assert [change for change in source.drift(table) if change.column in ("born", "note")] == []
    values = "(1, '2026-02-28', 0, 'a', null), (2, '2026-02-28', '2026-02-03', 'a\\0', null)"
    database = source.identity.rpartition("/")[2]
    run(
        mariadb, database, [f"insert into visits (id, day, born, note, changed_at) values {values}"]
    )
    found = source.extract(table, WINDOW, tmp_path / "out")
    rows = [r for part in found.parts[FEBRUARY[1]] for r in pq.read_table(part).to_pylist()]
    assert sorted((row["id"], row["born"], row["note"]) for row in rows) == [
        (1, None, "a"),
        (2, date(2026, 2, 3), None),
    ]
    assert found.nulled == {FEBRUARY[1]: {"born": 1, "note": 1}}
    assert found.measures == source.measure(table, WINDOW, found.measures)
    wrong = pa.table({"id": [3], "day": [date(2026, 2, 28)], "born": [None], "note": ["a"]})
    with (
        pytest.raises(PortError, match=r"born.*NULL in a NOT NULL column"),
        source.writing() as writing,
    ):
        writing.append(table, wrong)


@pytest.mark.parametrize("infile", [1, 0])
def test_what_became_null_is_put_back_as_the_source_takes_it(
    source: Source, mariadb: MariaDB, tmp_path: Path, infile: int
) -> None:
    """No day and no value of an enum as they were; for a text that is lost, the table must take NULL."""
    contract = (
        "-- @bad_values state null, name null, born null\ncreate table people (id int primary key, "
        "state enum('a','b') not null, name varchar(20) not null, born date not null)"
    )
    (people,) = read(tmp_path, {"raw/people.sql": contract}).tables
    source.create([people])
    database = source.identity.rpartition("/")[2]
    run(
        mariadb,
        database,
        ["insert ignore into people values (1, 'none', 'x\0y', 0), (2, 'a', 'b', '2026-03-01')"],
    )
    found = source.extract(people, None, tmp_path / "out")
    assert found.nulled == {WHOLE: {"state": 1, "name": 1, "born": 1}}
    run(mariadb, database, ["delete from people"])
    mariadb.run(f"set global local_infile = {infile}")
    try:
        with (
            pytest.raises(
                PortError, match=r"name is NULL in 1 row of the backup.*: alter"
            ) as caught,
            source.writing() as transaction,
        ):
            transaction.append_files(people, found.parts[WHOLE])
        run(mariadb, database, [str(caught.value).rpartition(": ")[2]])
        assert [change for change in source.drift(people) if change.stops] == []
        with source.writing() as transaction:
            assert transaction.append_files(people, found.parts[WHOLE]) == 2
            assert transaction.measure(people, None) == found.measures
            wanted = (
                "select concat(state + 0, born) as told, @@sql_mode as mode from people order by id"
            )
            told = transaction.fetch(wanted).to_pylist()
    finally:
        mariadb.run("set global local_infile = 1")
    assert [row["told"] for row in told] == ["00000-00-00", "12026-03-01"]
    assert "STRICT" in told[0]["mode"], "the tables that follow are held to it"


def test_policy_fail_stops_what_lies_outside_too(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    table = visits(tmp_path, source, mariadb, "\n-- @bad_values day fail")
    database = source.identity.rpartition("/")[2]
    run(mariadb, database, ["insert into visits (id, day) values (7, '0000-00-00')"])
    with pytest.raises(PortError, match=r"rows outside of the shop's days hold .*day 0000-00-00"):
        source.extract(table, Outside.of(WINDOW), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def road_of(tmp_path: Path, source: Source, store: FolderStore) -> Road:
    warehouse = EmbeddedWarehouse(path=str(tmp_path / "warehouse.duckdb"), store=store)
    return Road(source, store, warehouse, tmp_path / "scratch", parquet_query)


def test_a_table_of_faulty_rows_alone_is_not_called_empty(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    text = "create table days (id int primary key, day date)"
    table = read(tmp_path, {"raw/days.sql": text}).tables[0]
    source.create([table])
    database = source.identity.rpartition("/")[2]
    mariadb.run(f"insert into {database}.days values (1, '2026-01-01')")
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    store.create()
    road = road_of(tmp_path, source, store)
    back_up(Step(table, None, "one", WINDOW), road)
    run(mariadb, database, ["update days set day = '2026-02-30'"])
    with pytest.raises(BackupError, match="has 1 row in the source, and none that can be carried"):
        back_up(Step(table, None, "two", WINDOW), road)


def test_long_rows_are_written_few_at_a_time(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    """What is gathered before it is written is held in memory: by default, 122,880 rows."""
    table = visits(tmp_path, source, mariadb)
    database = source.identity.rpartition("/")[2]
    many = (
        "insert into visits (id, day, note, changed_at) "
        "select seq, '2026-02-27', 'a', '2026-03-01' from seq_10_to_9000"
    )
    run(mariadb, database, [many])
    found = source.extract(table, WINDOW, tmp_path / "out")
    (part,) = found.parts[FEBRUARY[0]]
    read_back = pq.ParquetFile(part).metadata
    assert read_back.num_rows == 8_992
    groups = [read_back.row_group(n).num_rows for n in range(read_back.num_row_groups)]
    assert max(groups) <= 2 * LONG_ROWS_A_GROUP, groups


class LongRows:
    """A cursor over texts of 100,000 characters, that notes how many are asked for at once."""

    def __init__(self) -> None:
        self.left, self.asked = 2_000, list[int]()

    def fetchmany(self, most: int) -> list[tuple[str]]:
        self.asked.append(most)
        taken = min(most, self.left)
        self.left -= taken
        return [("x" * 100_000,)] * taken


def test_long_rows_are_fetched_few_at_a_time() -> None:
    cursor = LongRows()
    schema = pa.schema([("note", pa.string())])
    rows = [batch.num_rows for batch in batches(cursor, schema, lambda error: None)]
    assert sum(rows) == 2_000
    assert max(cursor.asked[1:]) < 200


def test_personal_keys_are_masked(source: Source, mariadb: MariaDB, tmp_path: Path) -> None:
    table = visits(tmp_path, source, mariadb, ", id, born")
    found = source.extract(table, Window.of(date(2026, 2, 27)), tmp_path / "out")
    assert quarantined(found, FEBRUARY[0])[0] == {
        "id": "•••",
        "quarantined_because": "born is no real day",
    }


def test_many_parts_of_a_day_become_one(source: Source, mariadb: MariaDB, tmp_path: Path) -> None:
    import pymysql

    names = [f"c{n}" for n in range(5)]
    text = f"-- Many.\n-- @bad_values {', '.join(f'{name} null' for name in names)}\n"
    columns = ", ".join(f"{name} date" for name in names)
    table = read(
        tmp_path, {"raw/many.sql": f"{text}create table many (id int primary key, {columns})"}
    ).tables[0]
    source.create([table])
    rows = ", ".join(
        f"({n}, {', '.join('0' if n >> bit & 1 else 'null' for bit in range(5))})"
        for n in range(32)
    )
    with (
        pymysql.connect(
            unix_socket=str(mariadb.folder / "s"),
            user="root",
            database=source.identity.rpartition("/")[2],
            autocommit=True,
            init_command="set sql_mode = ''",
        ) as connection,
        connection.cursor() as cursor,
    ):
        cursor.execute(f"insert into many values {rows}")
    found = source.extract(table, None, tmp_path / "out")
    assert [part.name for part in found.parts[WHOLE]] == ["part-00000.parquet"]
    assert ids(found) == {WHOLE: list(range(32))}
    assert found.nulled == {WHOLE: dict.fromkeys(names, 16)}


def test_a_mended_row_comes_back_with_the_next_backup(
    source: Source, mariadb: MariaDB, tmp_path: Path
) -> None:
    """Its day is read again though nobody asks for it: the fingerprint counts quarantined rows too."""
    table = visits(tmp_path, source, mariadb)
    store = FolderStore(root=str(tmp_path / "s3"), bucket="b")
    store.create()
    first, second = FEBRUARY

    def again(segment: Segment) -> dict[Segment, tuple[int, int]]:
        done = back_up(
            Step(table, Window.of(*days_of([segment])), f"run-{len(runs)}", WINDOW),
            road_of(tmp_path, source, store),
        )
        runs.append(sorted(done.written))
        return {d: (r.measure.rows, r.quarantined) for d, r in done.records.items()}

    runs: list[list[Segment]] = []
    assert again(first) == {first: (1, 2)}
    assert again(first) == {first: (1, 2)}
    with source.writing() as transaction:
        transaction.execute(
            "update visits set born = null, changed_at = timestamp '2026-03-05 00:00:00' where id = 2"
        )
    assert again(second) == {first: (2, 1), second: (0, 2)}
    assert runs == [[first], [], [first, second]]
