"""`orderhe prove`: what differs is found on any day, named by key and column, and mended.

Damage is done by other hands: SQL in the source and the warehouse, bytes in the store.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from orderhe_dagster.catalog.segments import Segment
from orderhe_dagster.cli import main
from orderhe_dagster.commands import prove as command
from orderhe_dagster.commands.days import LaunchError
from orderhe_dagster.commands.prove import prove
from orderhe_dagster.proof.agreement import Difference
from orderhe_dagster.proof.report import Report, lines, verdict
from orderhe_dagster.road import audit, index
from orderhe_dagster.road.index_objects import Proven
from orderhe_dagster_tests import shops
from orderhe_dagster_tests.road.systems import ALL, Systems
from orderhe_dagster_tests.shops import TestShop

FIRST, LAST = "2026-01-01", "2026-01-05"
STALE = (
    "update sales set price = 11, changed_at = timestamp '2026-02-01 00:00:00' where shop_no = 2"
)
SILENT = "update sales set price = 11 where shop_no = 2"
PUT_RIGHT = "update warehouse.sales set price = 0.125 where shop_no = 2"
OF_BUYERS = "update buyers set mail = 'new@example.com' where buyer_code = 'ann'"


def sabotage(shop: TestShop, *statements: str) -> None:
    """What another client does to the warehouse."""
    with shop.warehouse.session("another client") as session:
        for statement in statements:
            session.execute(statement)


def part(shop: TestShop, table: str, segment: str) -> Path:
    """The file of a backup's first part."""
    key = shop.record(table, segment).parts[0].key
    (path,) = (shop.home / "s3").rglob(key)
    return path


def differences(report: Report) -> list[tuple[str, str, str]]:
    """Table or model, segment and severity of each."""
    return [(name, str(one.segment), one.severity) for name, one in report.differing()]


def only(report: Report) -> Difference:
    ((_, difference),) = report.differing()
    return difference


def rows_of(difference: Difference) -> list[str]:
    return [*difference.sentences(20)]


def words(*arguments: str, shop: TestShop, code: int = 0) -> str:
    """What the verb prints."""
    done = CliRunner().invoke(
        main,
        ["prove", *arguments],
        env={**shop.environ, "ORDERHE_HOME": str(shop.home), "COLUMNS": "300"},
    )
    assert done.exit_code == code, done.output
    return done.output


def mended(shop: TestShop, report: Report) -> None:
    """Paste the command that the report names, and see that nothing differs then."""
    (remedy,) = report.remedies
    printed = shop.paste(remedy)
    for name, segment, severity in differences(report):
        assert f"mended {name} {segment} ({severity})" in printed
    assert "still different" not in printed
    again = prove(shop.settings)
    assert again.agrees, differences(again)


def test_all_of_a_shop_agrees_after_its_run(ran_shop: TestShop) -> None:
    printed = words(shop=ran_shop)
    assert "Source, backup and warehouse agree on" in printed
    assert "all there are, of buyers, sales." in printed
    assert (
        "As they were built: 4 segments, all there are, of" not in printed
    )  # five days, one whole
    assert "mart/buyer_totals" in printed
    assert "mart/takings" in printed
    assert "DIFFER" not in printed
    assert "sales: all 5 segments proven, the oldest proof of" in printed


def test_what_was_proven_is_in_both_halves_of_the_ledger(ran_shop: TestShop) -> None:
    prove(ran_shop.settings, ["sales"])
    known = index.read(ran_shop.store, "sales")
    assert set(known.proven) >= {Segment(f"2026-01-0{day}") for day in range(1, 6)}
    unproven = ran_shop.rows(
        "select count(*) from warehouse._loads where table_name = 'warehouse.sales'"
        " and proven_at is null"
    )
    assert unproven == [(0,)]


def test_of_some_days_no_more_is_said_than_was_looked_at(ran_shop: TestShop) -> None:
    sabotage(ran_shop, "update warehouse.sales set price = 1 where shop_no = 2")  # on the first day
    report = prove(ran_shop.settings, ["raw/sales"], shops.days("2026-01-02", "2026-01-04"))
    assert report.agrees
    assert verdict(report) == (
        "Source, backup and warehouse agree on 3 segments of 2026-01-02...2026-01-04 of sales. "
        "Other days, and rows outside of the days, were not looked at."
    )
    assert not prove(ran_shop.settings, ["sales"]).agrees


@pytest.mark.parametrize("name", ["sales", "raw/sales", "backup/sales", "warehouse/sales"])
def test_a_table_goes_by_the_names_of_its_assets(ran_shop: TestShop, name: str) -> None:
    report = prove(ran_shop.settings, [name, "mart/takings"])
    assert [proof.asset for proof in report.proofs] == ["sales", "mart/takings"]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("sale", "there is no table or model 'sale'; did you mean sales"),
        ("mart/taking", "did you mean mart/takings"),
        ("zzz", "there are backup/buyers, .*mart/takings|there are .*mart/takings, raw/buyers"),
        ("export/takings", "has no proof of its own; prove mart/takings"),
        ("takings", ""),
    ],
)
def test_an_unknown_name_is_told_with_the_nearest(
    ran_shop: TestShop, name: str, message: str
) -> None:
    if not message:
        assert prove(ran_shop.settings, [name]).models[0].asset == "mart/takings"
        return
    with pytest.raises(LaunchError, match=message):
        prove(ran_shop.settings, [name])


def test_days_that_the_shop_has_not_are_refused(ran_shop: TestShop) -> None:
    with pytest.raises(LaunchError, match="2025-12-31 is before 2026-01-01, the first day"):
        prove(ran_shop.settings, ["sales"], shops.days("2025-12-31", FIRST))
    with pytest.raises(LaunchError, match="is not over yet"):
        prove(ran_shop.settings, ["sales"], shops.days(FIRST, "2100-01-01"))


def test_a_change_that_moved_its_cursor_is_stale(ran_shop: TestShop) -> None:
    ran_shop.change(STALE)
    report = prove(ran_shop.settings)
    assert differences(report) == [("sales", FIRST, "stale")]
    assert only(report).copy == "source"
    assert rows_of(only(report)) == [
        (
            "shop_no 2, sale_no 1: price 11.000 in the source, 0.125 in the backup; "
            "changed_at 2026-02-01 00:00:00 in the source, 2026-01-01 11:00:00 in the backup"
        )
    ]
    (remedy,) = report.remedies
    assert remedy.startswith("All of it is stale: the next daily run brings it.")
    mended(ran_shop, report)


def test_a_change_that_did_not_is_silent(ran_shop: TestShop) -> None:
    ran_shop.change(SILENT)
    report = prove(ran_shop.settings)
    assert differences(report) == [("sales", FIRST, "silent")]
    assert rows_of(only(report)) == [
        "shop_no 2, sale_no 1: price 11.000 in the source, 0.125 in the backup"
    ]
    mended(ran_shop, report)
    totals = "select price_total from mart.takings where sold_on = '2026-01-01'"
    assert [str(total) for (total,) in ran_shop.rows(totals)] == ["21.500"]


WAREHOUSE = {
    "altered": (
        "update warehouse.sales set price = 99 where shop_no = 2",
        "shop_no 2, sale_no 1: price 0.125 in the backup, 99.000 in the warehouse",
    ),
    "dropped": (
        "delete from warehouse.sales where shop_no = 2",
        "shop_no 2, sale_no 1: only in the backup",
    ),
    "added": (
        (
            "insert into warehouse.sales select 7, 7, buyer_code, sold_on, price, state, changed_at"
            " from warehouse.sales where shop_no = 2"
        ),
        "shop_no 7, sale_no 7: only in the warehouse",
    ),
}


@pytest.mark.parametrize("kind", WAREHOUSE)
def test_a_row_of_the_warehouse_is_named_by_key(ran_shop: TestShop, kind: str) -> None:
    statement, row = WAREHOUSE[kind]
    sabotage(ran_shop, statement)
    report = prove(ran_shop.settings)
    assert differences(report) == [("sales", FIRST, "wrong")]
    assert only(report).copy == "warehouse"
    assert rows_of(only(report)) == [row]
    mended(ran_shop, report)


def test_a_table_that_is_gone_is_wrong_and_comes_back(ran_shop: TestShop) -> None:
    sabotage(ran_shop, "drop table warehouse.sales")
    report = prove(ran_shop.settings, ["sales"])
    days = [FIRST, "2026-01-02", "2026-01-04"]
    assert differences(report) == [("sales", day, "wrong") for day in days]
    assert rows_of(report.tables[0].differences[0]) == ["warehouse.sales is not there"]
    mended(ran_shop, report)


@pytest.mark.parametrize("kind", ["truncated", "deleted"])
def test_a_damaged_part_is_named_by_its_address(ran_shop: TestShop, kind: str) -> None:
    file = part(ran_shop, "sales", FIRST)
    if kind == "deleted":
        file.unlink()
    else:
        file.write_bytes(file.read_bytes()[:-10])
    sabotage(ran_shop, "delete from warehouse.sales where shop_no = 2")
    report = prove(ran_shop.settings)
    of_backup, of_warehouse = report.tables[1].differences
    assert (of_backup.severity, of_backup.copy) == ("wrong", "backup")
    assert f"/{ran_shop.record('sales', FIRST).parts[0].key} is not" in of_backup.text
    assert of_warehouse.copy == "warehouse"
    assert rows_of(of_warehouse) == [
        "no rows are named: the backup that they would be held against is damaged"
    ]
    assert report.tables[1].agreement.backup != report.tables[1].agreement.source
    mended(ran_shop, report)


def test_a_row_of_a_mart_that_was_altered_is_named_and_built_again(ran_shop: TestShop) -> None:
    sabotage(
        ran_shop,
        "update mart.takings set price_total = 0 where sold_on = '2026-01-02'",
        "delete from mart.buyer_totals where buyer_code = 'ann'",
    )
    report = prove(ran_shop.settings)
    assert differences(report) == [
        ("mart/takings", "2026-01-02", "wrong"),
        ("mart/buyer_totals", "all", "wrong"),
    ] or differences(report) == [
        ("mart/buyer_totals", "all", "wrong"),
        ("mart/takings", "2026-01-02", "wrong"),
    ]
    shown = {name: rows_of(one) for name, one in report.differing()}
    assert shown == {
        "mart/takings": ["sold_on 2026-01-02: price_total 7.000 in the select, 0.000 in the mart"],
        "mart/buyer_totals": ["buyer_code 'ann': only in the select"],
    }
    mended(ran_shop, report)


def test_rows_of_days_that_a_mart_never_built_are_wrong(ran_shop: TestShop) -> None:
    sabotage(ran_shop, "insert into mart.takings values (date '2025-01-01', 1, 1)")
    report = prove(ran_shop.settings, ["mart/takings"])
    assert differences(report) == [("mart/takings", "outside", "wrong")]
    assert only(report).text == "1 row of days that were never built"
    mended(ran_shop, report)


def test_a_mart_that_lags_behind_its_tables_is_stale(ran_shop: TestShop) -> None:
    ran_shop.change(STALE)
    assert ran_shop.run("backup/sales,warehouse/sales", FIRST).succeeded
    report = prove(ran_shop.settings)
    assert sorted(differences(report)) == [
        ("mart/buyer_totals", "all", "stale"),
        ("mart/takings", FIRST, "stale"),
    ]
    mended(ran_shop, report)


def test_a_mart_that_was_built_from_altered_rows_is_wrong(ran_shop: TestShop) -> None:
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    ran_shop.hold_older("mart.takings", FIRST)
    assert ran_shop.run("mart/takings", FIRST).succeeded
    report = prove(ran_shop.settings)
    assert differences(report) == [("sales", FIRST, "wrong")], "what is built from it is not blamed"
    assert not any(model.computed_again for model in report.models)
    sabotage(ran_shop, PUT_RIGHT)
    report = prove(ran_shop.settings)
    assert differences(report) == [("mart/takings", FIRST, "wrong")]
    assert rows_of(only(report)) == [
        "sold_on 2026-01-01: price_total 10.625 in the select, 109.500 in the mart"
    ]
    mended(ran_shop, report)
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    ran_shop.hold_older("mart.buyer_totals", "all")
    assert ran_shop.run("mart/buyer_totals").succeeded
    sabotage(ran_shop, PUT_RIGHT)
    report = prove(ran_shop.settings)
    assert differences(report) == [("mart/buyer_totals", "all", "wrong")]
    mended(ran_shop, report)
    assert prove(ran_shop.settings, [], shops.days(FIRST, LAST)).models[1].computed_again


@pytest.mark.parametrize("days", [(), (FIRST,)])
def test_what_was_built_from_altered_rows_is_built_again_when_they_are_put_right(
    ran_shop: TestShop, days: tuple[str, ...]
) -> None:
    assert ran_shop.run("*").succeeded
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    assert ran_shop.run("mart/*", FIRST).succeeded
    outcome = ran_shop.run("backup/*,warehouse/*", *days)
    (warning,) = outcome.warned_checks
    assert "price 0.125 in the backup, 99.000 in the warehouse" in warning
    lagging = [("mart/buyer_totals", "all", "stale"), ("mart/takings", FIRST, "stale")]
    assert sorted(differences(prove(ran_shop.settings))) == lagging
    assert ran_shop.run("backup/*,warehouse/*", *days).succeeded, "the same rows once more"
    assert sorted(differences(prove(ran_shop.settings))) == lagging
    assert ran_shop.run("mart/*").succeeded
    assert prove(ran_shop.settings).agrees
    totals = "select price_total from mart.takings where sold_on = '2026-01-01'"
    assert [str(total) for (total,) in ran_shop.rows(totals)] == ["10.625"]


def test_a_select_that_moves_with_the_clock_is_not_asked_again(ran_shop: TestShop) -> None:
    text = """
    -- How many days ago.
    -- @grain sold_on
    select
        takings.sold_on::date as sold_on, -- The day
        datediff(day, takings.sold_on, current_date)::bigint as ago -- Days
    from mart.takings;
    """
    ran_shop.write({"mart/ages.sql": "\n".join(line[4:] for line in text.splitlines())})
    assert ran_shop.run("mart/ages").succeeded
    report = prove(ran_shop.settings)
    assert [one.asset for one in report.models if not one.computed_again] == ["mart/ages"]
    assert verdict(report).endswith(
        "The selects of 2 models give the same rows again; those of mart/ages were not asked."
    )


def test_a_mart_whose_table_is_gone_is_wrong_on_every_day(ran_shop: TestShop) -> None:
    sabotage(ran_shop, "drop table mart.takings")
    report = prove(ran_shop.settings, ["mart/takings"])
    assert {one.text for _, one in report.differing()} == {"its table is gone"}
    assert len(differences(report)) == 5
    mended(ran_shop, report)


def test_rows_outside_of_the_days_are_proven_like_a_day(ran_shop: TestShop) -> None:
    ran_shop.change(
        "insert into sales values (9, 9, null, date '2025-06-01', 5, 'open',"
        " timestamp '2026-01-01 00:00:00')"
    )
    report = prove(ran_shop.settings, ["sales"])
    assert differences(report) == [("sales", "outside", "stale")]
    mended(ran_shop, report)
    sabotage(ran_shop, "update warehouse.sales set price = 6 where shop_no = 9")
    assert prove(ran_shop.settings, ["sales"], shops.days(FIRST, LAST)).agrees
    report = prove(ran_shop.settings)
    assert differences(report) == [("sales", "outside", "wrong")]
    assert rows_of(only(report)) == [
        "shop_no 9, sale_no 9: price 5.000 in the backup, 6.000 in the warehouse"
    ]
    mended(ran_shop, report)


def test_outside_and_a_day_are_mended_by_one_run(ran_shop: TestShop) -> None:
    ran_shop.change(
        "insert into sales values (9, 9, null, date '2025-06-01', 5, 'open',"
        " timestamp '2026-01-01 00:00:00')"
    )
    assert ran_shop.run("*", LAST).succeeded
    sabotage(ran_shop, "update warehouse.sales set price = 6 where shop_no in (2, 9)")
    report = prove(ran_shop.settings)
    assert differences(report) == [("sales", FIRST, "wrong"), ("sales", "outside", "wrong")]
    mended(ran_shop, report)


def test_personal_data_is_masked_wherever_a_row_is_shown(
    ran_shop: TestShop, tmp_path: Path
) -> None:
    ran_shop.change(OF_BUYERS)
    sabotage(ran_shop, "update warehouse.buyers set mail = 'other@example.com' where mail is null")
    report = prove(ran_shop.settings)
    assert differences(report) == [("buyers", "all", "silent"), ("buyers", "all", "wrong")]
    silent, wrong = report.tables[0].differences
    assert rows_of(silent) == ["buyer_code 'ann': mail ••• in the source, ••• in the backup"]
    assert rows_of(wrong) == ["buyer_code '밥': mail NULL in the backup, ••• in the warehouse"]
    printed = words("--report", str(tmp_path / "r.json"), shop=ran_shop, code=1)
    printed += words("--report", str(tmp_path / "r.md"), shop=ran_shop, code=1)
    printed += (tmp_path / "r.json").read_text("utf-8") + (tmp_path / "r.md").read_text("utf-8")
    assert "•••" in printed
    assert "example.com" not in printed
    mended(ran_shop, report)


def test_a_segment_that_differs_counts_as_never_proven(ran_shop: TestShop) -> None:
    assert prove(ran_shop.settings).agrees
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    report = prove(ran_shop.settings, ["sales"])
    first = Segment(FIRST)
    known = index.read(ran_shop.store, "sales")
    assert known.proven.get(first, Proven()) == Proven()
    assert Segment("2026-01-02") in known.proven
    with ran_shop.warehouse.session("look") as session:
        held = audit.read(session, ["warehouse.sales"])["warehouse.sales"]
    assert held[first].proven_at is None
    assert held[Segment("2026-01-02")].proven_at is not None
    assert report.tables[0].ages.never == 1
    assert "1 of 5 segments not proven" in "\n".join(lines(report))


def test_the_next_night_looks_first_at_what_was_found(
    ran_shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert ran_shop.run("*").succeeded
    assert prove(ran_shop.settings).agrees
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    assert not prove(ran_shop.settings, ["sales"]).agrees
    ran_shop.environ["ORDERHE_PROOF_ROWS"] = "1"  # one segment a night
    assert ran_shop.run("*").succeeded
    assert prove(ran_shop.settings, ["sales"]).agrees


def test_a_shop_that_never_ran_is_told_and_brought(sales_shop: TestShop) -> None:
    report = prove(sales_shop.settings, ["sales"])
    assert {severity for _, _, severity in differences(report)} == {"stale"}
    assert only_texts(report)[0].startswith("no backup, but 2 rows in the source and 0")
    whole = prove(sales_shop.settings)
    assert ("mart/buyer_totals", "all", "stale") in differences(whole)
    mended(sales_shop, whole)


def only_texts(report: Report) -> list[str]:
    return [one.text for _, one in report.differing()]


def test_a_repair_stops_where_a_run_would_copy_a_loss(ran_shop: TestShop) -> None:
    ran_shop.change("delete from sales")
    printed = words("sales", "--repair", shop=ran_shop, code=1)
    assert "table sales has no row in the source, where its backups have 4" in printed
    assert "Nothing was changed" in printed
    assert "still different: sales 2026-01-01 (stale)" in printed
    assert ran_shop.rows("select count(*) from warehouse.sales") == [(4,)]


def test_what_was_mended_is_in_the_ledger(ran_shop: TestShop) -> None:
    ran_shop.change(SILENT)
    words("sales", "--repair", shop=ran_shop)
    kept = ran_shop.rows(
        "select table_name, segment, kind, detail from warehouse._findings where kind = 'silent'"
    )
    assert {row[:3] for row in kept} == {("backup.sales", FIRST, "silent")}
    assert any("shop_no 2, sale_no 1: price 11.000 in the source" in row[3] for row in kept)


def test_a_table_whose_index_is_damaged_stops_no_other(ran_shop: TestShop, tmp_path: Path) -> None:
    sabotage(ran_shop, "update mart.takings set price_total = 1 where sold_on = '2026-01-02'")
    (path,) = ran_shop.home.glob("s3/**/backup/buyers/index.json")
    path.write_text(path.read_text()[:-40])
    file = tmp_path / "report.json"
    told = words("--report", str(file), shop=ran_shop, code=1)
    assert "NOT PROVEN buyers: " in told
    assert "backup/buyers/index.json" in told
    assert "DIFFERENT" in told
    assert "mart/takings 2026-01-02" in told
    report = json.loads(file.read_text())
    assert [*report["unproven"]] == ["buyers"]
    assert not report["agrees"]
    # Without a difference it is no agreement either; and named alone it is an error.
    told = words("sales", "buyers", shop=ran_shop, code=1)
    assert "NOT PROVEN: buyers. Source, backup and warehouse agree on" in told
    assert "error: " in words("buyers", shop=ran_shop, code=1)


def test_what_is_printed_names_what_to_do(ran_shop: TestShop) -> None:
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    printed = words(shop=ran_shop, code=1)
    assert f"wrong sales {FIRST}: the warehouse has sum of price" in printed
    assert "    shop_no 2, sale_no 1: price 0.125 in the backup, 99.000 in the warehouse" in printed
    assert "DIFFERENT: 1 segment of sales." in printed
    assert f"orderhe prove sales --from {FIRST} --to {FIRST} --repair" in printed
    shop_again = words("sales", shop=ran_shop, code=1)
    assert "agree on" not in shop_again


def test_a_report_for_programs_has_stable_keys(ran_shop: TestShop, tmp_path: Path) -> None:
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    file = tmp_path / "report.json"
    words("--report", str(file), shop=ran_shop, code=1)
    body: dict[str, Any] = json.loads(file.read_text("utf-8"))
    assert [*body] == [
        *("format", "proven_at", "from", "to", "agrees", "tables", "unproven"),
        *("remedies", "repair"),
    ]
    assert (body["agrees"], body["from"], body["repair"]) == (False, None, None)
    by_name = {table["table"]: table for table in body["tables"]}
    assert by_name["mart/takings"]["kind"] == "model"
    sales = by_name["sales"]
    assert [*sales] == ["table", "kind", "figures", "segments", "ages", "differences"]
    assert sales["figures"]["source"]["rows"] == 4
    assert sales["figures"]["source"]["sums"]["price"] == "100000017.624"
    assert sales["figures"]["warehouse"] != sales["figures"]["backup"]
    assert [*sales["ages"]] == ["segments", "never_proven", "oldest_proof"]
    (difference,) = sales["differences"]
    assert [*difference] == ["segment", "severity", "copy", "text", "rows", "no_rows"]
    assert difference["rows"]["shown"] == [
        {
            "kind": "changed",
            "key": {"shop_no": 2, "sale_no": 1},
            "columns": ["price"],
            "left": {"price": "0.125"},
            "right": {"price": "99.000"},
            "left_count": 1,
            "right_count": 1,
        }
    ]
    assert list(tmp_path.iterdir()) == [file, ran_shop.folder] or file in tmp_path.iterdir()
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_a_report_for_people_is_markdown_and_tells_of_the_repair(
    ran_shop: TestShop, tmp_path: Path
) -> None:
    sabotage(ran_shop, "update warehouse.sales set price = 99 where shop_no = 2")
    file = tmp_path / "report.md"
    printed = words("sales", "--repair", "--report", str(file), shop=ran_shop)
    assert f"the report is {file}" in printed
    body = file.read_text("utf-8")
    assert body.startswith("# Proof\n")
    assert "## sales\n" in body
    assert f"### sales {FIRST}: wrong" in body
    assert "| shop_no 2, sale_no 1 | price 0.125 in the backup, 99.000 in the warehouse |" in body
    assert f"- mended sales {FIRST} (wrong)" in body


@pytest.mark.parametrize(
    ("name", "message"),
    [("report.txt", r"in \.md \(for people\) or \.json"), ("none/r.md", "there is no folder")],
)
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_measured(
    ran_shop: TestShop,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    name: str,
    message: str,
) -> None:
    monkeypatch.setattr(command, "prove", None)
    with pytest.raises(LaunchError, match=message):
        command.run_prove(ran_shop.settings, (), None, print, file=tmp_path / name)


def test_a_report_is_written_whole_or_not_at_all(
    ran_shop: TestShop, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.md"
    file.write_text("as it was")
    report = prove(ran_shop.settings)

    def full(self: Path, text: str, encoding: str) -> int:
        self.write_bytes(text.encode(encoding)[:10])
        raise OSError("no space left")

    monkeypatch.setattr(Path, "write_text", full)
    with pytest.raises(OSError, match="no space"):
        command.write_report(report, file)
    assert file.read_text("utf-8") == "as it was"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]


def test_the_job_proves_all_of_the_past_on_whichever_day(ran_shop: TestShop) -> None:
    import dagster as dg

    from orderhe_dagster.definitions import build_definitions
    from orderhe_dagster.settings.home import use_home

    sabotage(
        ran_shop,
        "update warehouse.sales set price = 99 where shop_no = 2",
        "update mart.takings set price_total = 0 where sold_on = '2026-01-04'",
    )
    definitions = build_definitions(ran_shop.settings)
    job = definitions.resolve_job_def("prove")
    assert "whatever that costs" in (job.description or "")
    with dg.DagsterInstance.from_config(str(use_home(ran_shop.settings).dagster)) as instance:
        result = job.execute_in_process(instance=instance, partition_key="2026-01-02")
    assert result.success
    found = {
        "/".join(check.asset_key.path): check.description or ""
        for check in result.get_asset_check_evaluations()
        if check.check_name == "nothing_differed" and not check.passed
    }
    assert set(found) == {"warehouse/sales", "mart/takings"}
    assert (
        "shop_no 2, sale_no 1: price 0.125 in the backup, 99.000 in the warehouse"
        in (found["warehouse/sales"])
    )
    assert prove(ran_shop.settings).agrees


def test_differences_are_found_and_mended_on_the_real_systems(
    systems: Systems, tmp_path: Path
) -> None:
    environ = systems.environ(ALL, tmp_path / "shop/home")
    shop = shops.sales_shop(tmp_path / "shop", environ)
    assert shop.run("*", FIRST, LAST).succeeded
    assert prove(shop.settings).agrees
    shop.change(SILENT)
    sabotage(shop, "delete from warehouse.sales where shop_no = 1 and sale_no = 3")
    sabotage(shop, "update mart.takings set sale_count = 9 where sold_on = '2026-01-02'")
    report = prove(shop.settings)
    assert differences(report) == [
        ("sales", FIRST, "silent"),
        ("sales", "2026-01-04", "wrong"),
        ("mart/takings", "2026-01-02", "wrong"),
    ]
    assert [rows_of(one) for _, one in report.differing()] == [
        ["shop_no 2, sale_no 1: price 11.000 in the source, 0.125 in the backup"],
        ["shop_no 1, sale_no 3: only in the backup"],
        ["sold_on 2026-01-02: sale_count 1 in the select, 9 in the mart"],
    ]
    mended(shop, report)
