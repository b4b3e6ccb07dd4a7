"""The `orderhe` command: what a person types, sees and gets back."""

from __future__ import annotations

import json
import re
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from local_redshift.testing.server import Redshift
from orderhe_dagster.cli import main
from orderhe_dagster.settings.project import today
from orderhe_dagster_tests.servers.redshift import variables_of
from orderhe_dagster_tests.shops import SALES, TestShop

ZONE = "Asia/Seoul"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder of one's own."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def orderhe(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(main, list(words), env=dict(environ), catch_exceptions=False)


def of_shop(shop: TestShop) -> dict[str, str]:
    return {"ORDERHE_HOME": str(shop.folder / "home"), **shop.environ}


@pytest.mark.parametrize(
    "verb",
    [
        "create",
        "adopt",
        "demo",
        "dev",
        "simulate",
        "import",
        "run",
        "test",
        "query",
        "quarantine",
        "warehouse",
        "warehouse serve",
        "",
    ],
)
def test_help_says_what_a_verb_does(folder: Path, verb: str) -> None:
    result = orderhe(*verb.split(), "--help")
    assert result.exit_code == 0
    assert len(result.output.splitlines()) > 5
    assert not list(folder.iterdir()), "help makes nothing"


def test_a_bad_setting_stops_every_verb_and_all_are_named(folder: Path) -> None:
    result = orderhe("create", ORDERHE_TIME_ZONE="Asia/Soul", ORDERHE_SED="1")
    assert result.exit_code == 1
    assert "Asia/Seoul" in result.output
    assert "ORDERHE_SED" in result.output
    assert "Traceback" not in result.output


def test_a_wrong_file_is_named_with_its_line(folder: Path) -> None:
    (folder / "sql/mart").mkdir(parents=True)
    (folder / "sql/mart/a.sql").write_text("-- x\n-- @graain b\nselect 1::int as b")
    result = orderhe("run", "*", ORDERHE_SQL=str(folder / "sql"))
    assert result.exit_code == 1
    assert "mart/a.sql:2" in result.output
    assert "@grain" in result.output


def test_query_prints_rows_in_three_forms(sales_shop: TestShop) -> None:
    environ = of_shop(sales_shop)
    assert (
        orderhe("run", "*", "--from", "2026-01-01", "--to", "2026-01-04", **environ).exit_code == 0
    )
    ask = "select sold_on, price_total from mart.takings order by sold_on limit 1"
    assert "(1 row)" in orderhe("query", ask, **environ).stdout
    assert orderhe("query", ask, "--format", "csv", **environ).stdout == (
        "sold_on,price_total\n2026-01-01,10.625\n"
    )
    assert json.loads(orderhe("query", ask, "--format", "json", **environ).stdout) == {
        "sold_on": "2026-01-01",
        "price_total": "10.625",
    }


@pytest.mark.parametrize(
    "ask",
    [
        "-- how many?\nselect count(*) as n from warehouse.buyers",
        "--how many?\nselect count(*) as n from warehouse.buyers",
        "-- n = ?\nselect count(*) as n from warehouse.buyers",
        "/* how many? */ select count(*) as n from warehouse.buyers -- all",
    ],
)
def test_a_query_may_begin_with_a_comment(sales_shop: TestShop, ask: str) -> None:
    with sales_shop.warehouse.session("a test") as session:
        session.execute("create table warehouse.buyers (code varchar(10))")
    result = orderhe("query", ask, "--format", "csv", **of_shop(sales_shop))
    assert result.stdout == "n\n0\n", result.output


def test_a_misspelt_option_of_query_is_still_one(sales_shop: TestShop) -> None:
    result = orderhe("query", "--formt=csv", "select 1", **of_shop(sales_shop))
    assert result.exit_code == 2
    assert "--format" in result.stderr


def test_query_names_what_is_not_there(sales_shop: TestShop) -> None:
    result = orderhe("query", "select * from warehouse.nothing", **of_shop(sales_shop))
    assert result.exit_code == 1
    assert result.stderr == 'error: relation "warehouse.nothing" does not exist\n'
    bare = orderhe("query", "select * from takings", **of_shop(sales_shop))
    assert "did you mean mart.takings?" in bare.stderr
    unmade = orderhe("query", "select * from mart.takings", **of_shop(sales_shop))
    assert "materialize it first: orderhe run mart/takings" in unmade.stderr


def test_a_name_that_is_nearly_right_gets_one_remedy(
    sales_shop: TestShop, redshift: Redshift
) -> None:
    served = {**of_shop(sales_shop), **variables_of(redshift), "ORDERHE_WAREHOUSE": "redshift"}
    assert orderhe("query", "create schema mart", **served).exit_code == 0
    near = orderhe("query", "select * from mart.takins", **served).stderr
    assert near == 'error: relation "mart.takins" does not exist; did you mean mart.takings?\n'
    nothing = orderhe("query", "select * from mart.zzz", **served).stderr
    assert "orderhe create" in nothing


def test_query_of_an_empty_warehouse_says_what_fills_it(folder: Path) -> None:
    result = orderhe("query", "select * from mart.daily_sales", ORDERHE_HOME=str(folder / "home"))
    assert result.exit_code == 1
    assert result.stderr.startswith('error: schema "mart" does not exist: this warehouse is empty.')
    assert "`orderhe demo` fills it" in result.stderr
    assert "`orderhe restore warehouse` from backups that are there" in result.stderr


def test_the_list_of_commands_is_not_cut_off() -> None:
    assert "..." not in orderhe("--help").stdout.partition("Commands:")[2]


def test_run_names_the_nearest_asset(sales_shop: TestShop) -> None:
    result = orderhe("run", "mart/taking", **of_shop(sales_shop))
    assert result.exit_code == 1
    assert "did you mean mart/takings" in result.stderr


def test_run_takes_a_layer_as_a_pattern(sales_shop: TestShop) -> None:
    environ = of_shop(sales_shop)
    assert orderhe("run", "backup/*", "--from", "2026-01-01", **environ).exit_code == 0
    both = orderhe("run", "warehouse/*, mart/*", "--from", "2026-01-01", **environ)
    assert "4 assets materialized" in both.stdout


@pytest.mark.parametrize(
    "asked", ["mart/takings or mart/buyer_totals", "(mart/takings", "a b", "status:x", ","]
)
def test_a_selection_that_cannot_be_read_is_told_as_such(sales_shop: TestShop, asked: str) -> None:
    result = orderhe("run", asked, **of_shop(sales_shop))
    assert result.exit_code == 1
    assert f"the selection {asked!r} cannot be read" in result.stderr
    assert 'key:"mart/' in result.stderr
    assert "Traceback" not in result.output


@pytest.mark.parametrize("days_ahead", [0, 1, 400])
@pytest.mark.parametrize("verb", [("demo",), ("run", "*"), ("run", "backup/sales")])
def test_a_history_without_a_whole_day_is_told_with_the_remedy(
    sales_shop: TestShop, verb: tuple[str, ...], days_ahead: int
) -> None:
    first = today(ZONE) + timedelta(days=days_ahead)
    environ = of_shop(sales_shop) | {"ORDERHE_START_DATE": first.isoformat()}
    result = orderhe(*verb, **environ)
    assert result.exit_code == 1, result.output
    assert f"history begins on {first}, and no day of it is over yet" in result.stderr
    yesterday = today(ZONE) - timedelta(days=1)
    assert f"Set ORDERHE_START_DATE to {yesterday} or earlier" in result.stderr


def test_a_day_that_is_not_over_is_not_remembered_as_the_first(sales_shop: TestShop) -> None:
    environ = of_shop(sales_shop)
    del environ["ORDERHE_START_DATE"]
    result = orderhe("run", "*", "--from", today(ZONE).isoformat(), **environ)
    assert result.exit_code == 1
    assert "is not over yet" in result.stderr
    remembered = (sales_shop.folder / "home/start_date").read_text("utf-8").split()[0]
    assert remembered == "2026-01-01", "the first day of its rows"


def test_run_refuses_raw_tables_that_others_fill(sales_shop: TestShop) -> None:
    result = orderhe("run", "raw/sales", "--from", "2026-01-01", **of_shop(sales_shop))
    assert result.exit_code == 1
    assert "orderhe import" in result.stderr


def test_run_refuses_a_day_that_is_not_over(sales_shop: TestShop) -> None:
    result = orderhe("run", "*", "--from", today(ZONE).isoformat(), **of_shop(sales_shop))
    assert result.exit_code == 1
    assert str(today(ZONE) - timedelta(days=1)) in result.stderr


def test_run_refuses_days_before_a_fixed_start(sales_shop: TestShop) -> None:
    result = orderhe(
        "run", "*", "--from", "2025-12-31", "--to", "2026-01-02", **of_shop(sales_shop)
    )
    assert result.exit_code == 1
    assert "ORDERHE_START_DATE=2026-01-01" in result.stderr


def test_a_file_is_imported_and_carried_to_the_marts(folder: Path) -> None:
    for name, text in SALES.items():
        path = folder / "sql" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.lstrip("\n"), "utf-8")
    (folder / "sales.csv").write_text(
        "shop_no,sale_no,buyer_code,sold_on,price,state,changed_at\n"
        "1,1,\\N,2026-02-03,2.500,paid,2026-02-03 10:00:00\n",
        "utf-8",
    )
    environ = {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_HOME": str(folder / "home")}
    result = orderhe("import", "raw/sales", "sales.csv", **environ)
    assert result.exit_code == 0, result.output
    assert "1 row loaded, days 2026-02-03 to 2026-02-03" in result.stdout
    again = orderhe("import", "raw/sales", "sales.csv", **environ)
    assert again.exit_code == 1
    assert "sales.csv, line 2" in again.stderr
    assert "Nothing was loaded" in again.stderr
    assert (
        orderhe("run", "*", "--from", "2026-02-01", "--to", "2026-02-04", **environ).exit_code == 0
    )
    exported = (folder / "home/exports/takings.csv").read_text("utf-8")
    assert exported == "sold_on,price_total\n2026-02-03,2.500\n"


def test_simulate_refuses_a_shop_that_others_fill(sales_shop: TestShop) -> None:
    result = orderhe("simulate", "--from", "2026-01-01", **of_shop(sales_shop))
    assert result.exit_code == 1
    assert "not simulated" in result.stderr


def test_a_shop_that_was_begun_larger_goes_on_so(folder: Path) -> None:
    home = {"ORDERHE_HOME": str(folder / "home"), "ORDERHE_START_DATE": "2026-03-01"}
    first = orderhe("simulate", "--from", "2026-03-01", "--scale", "3", **home)
    assert first.exit_code == 0, first.output
    assert 1_000 < orders_made(first.output) < 2_000
    again = orderhe("simulate", "--from", "2026-03-02", **home)
    assert again.exit_code == 0, again.output
    assert 1_000 < orders_made(again.output) < 2_000
    other = orderhe("simulate", "--from", "2026-03-03", "--scale", "2", **home)
    assert other.exit_code == 1
    assert "2026-03-01 was made with scale 3.0, not 2.0" in other.stderr
    assert orderhe("simulate", "--from", "2026-03-03", "--scale", "501", **home).exit_code == 2


def orders_made(output: str) -> int:
    told = re.search(r"([\d,]+) orders", output)
    assert told is not None, output
    return int(told[1].replace(",", ""))


def test_a_simulated_shop_begins_a_year_ago_when_nothing_was_said(folder: Path) -> None:
    first = today(ZONE) - timedelta(days=2)
    result = orderhe("simulate", "--from", first.isoformat(), ORDERHE_HOME=str(folder / "home"))
    assert result.exit_code == 0, result.output
    assert "1 day made" in result.stdout
    remembered = date.fromisoformat((folder / "home/start_date").read_text().split()[0])
    assert remembered == today(ZONE) - timedelta(days=365)
    earlier = (remembered - timedelta(days=1)).isoformat()
    refused = orderhe("simulate", "--from", earlier, ORDERHE_HOME=str(folder / "home"))
    assert refused.exit_code == 1
    assert f"ORDERHE_START_DATE={earlier}" in refused.stderr
