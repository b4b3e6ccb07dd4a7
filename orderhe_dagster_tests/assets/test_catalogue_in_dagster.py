"""What the SQL files say, as Dagster shows it: the graph, a new mart, a run's metadata, observations."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import dagster as dg
import pytest

from orderhe_dagster.commands import run
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster.settings import home
from orderhe_dagster.settings.config import Settings, load_settings
from orderhe_dagster_tests.shops import OWN_SQL, SALES, TestShop

FIRST, LAST = "2026-01-15", "2026-01-16"

GRAPH = """
backup/customers         daily:no  parquet       <- backup/orders raw/customers
backup/orders            daily:yes parquet       <- raw/orders
backup/products          daily:no  parquet       <- backup/orders raw/products
export/category_sales    daily:no  csv           <- mart/category_sales
export/cohort_retention  daily:no  csv           <- mart/cohort_retention
export/customer_segments daily:no  csv           <- mart/customer_segments
export/customer_value    daily:no  csv           <- mart/customer_value
export/daily_customers   daily:no  csv           <- mart/daily_customers
export/daily_sales       daily:no  csv           <- mart/daily_sales
export/dashboard         daily:no  html          <- export/category_sales export/cohort_retention \
export/customer_segments export/daily_customers export/daily_sales \
export/order_funnel export/price_history export/product_pairs export/product_sales
export/lineage           daily:no  html          <-
export/monthly_sales     daily:no  csv           <- mart/monthly_sales
export/order_details     daily:no  csv           <- mart/order_details
export/order_funnel      daily:no  csv           <- mart/order_funnel
export/price_history     daily:no  csv           <- mart/price_history
export/product_pairs     daily:no  csv           <- mart/product_pairs
export/product_sales     daily:no  csv           <- mart/product_sales
mart/category_sales      daily:yes duckdb,sql    <- warehouse/orders warehouse/products
mart/cohort_retention    daily:no  duckdb,sql    <- warehouse/orders
mart/customer_segments   daily:no  duckdb,sql    <- mart/customer_value
mart/customer_value      daily:no  duckdb,sql    <- warehouse/customers warehouse/orders
mart/daily_customers     daily:no  duckdb,sql    <- warehouse/orders
mart/daily_sales         daily:yes duckdb,sql    <- warehouse/orders
mart/monthly_sales       daily:no  duckdb,sql    <- warehouse/orders
mart/order_details       daily:yes duckdb,sql    <- warehouse/customers warehouse/orders warehouse/products
mart/order_funnel        daily:yes duckdb,sql    <- warehouse/orders
mart/price_history       daily:no  duckdb,sql    <- warehouse/orders warehouse/products
mart/product_pairs       daily:no  duckdb,sql    <- warehouse/orders warehouse/products
mart/product_sales       daily:no  duckdb,sql    <- mart/order_details
raw/customers            daily:no  duckdb        <- raw/orders
raw/orders               daily:yes duckdb        <-
raw/products             daily:no  duckdb        <- raw/orders
warehouse/customers      daily:no  duckdb        <- backup/customers
warehouse/orders         daily:yes duckdb        <- backup/orders
warehouse/products       daily:no  duckdb        <- backup/products
"""

CHECKS = """
backup/customers: contract_matches_source nothing_quarantined
backup/orders: contract_matches_source nothing_left_out nothing_quarantined usual_volume
backup/products: contract_matches_source nothing_quarantined
mart/category_sales: adds_up_to_the_day grain_is_unique required_columns_are_filled
mart/cohort_retention: grain_is_unique month_zero_retains_everybody required_columns_are_filled
    sizes_are_first_buyers
mart/customer_segments: add_up_to_all_customers are_those_of_customer_value grain_is_unique
    required_columns_are_filled
mart/customer_value: amounts_add_up_to_net_sales grain_is_unique holds_every_customer
    required_columns_are_filled scores_are_of_buyers
mart/daily_customers: everybody_is_new_once grain_is_unique kept_orders_are_the_days
    required_columns_are_filled
mart/daily_sales: grain_is_unique net_is_gross_less_losses required_columns_are_filled
mart/monthly_sales: days_add_up grain_is_unique required_columns_are_filled
mart/order_details: channel_is_accepted customer_locale_is_accepted grain_is_unique
    holds_every_order required_columns_are_filled status_is_accepted
mart/order_funnel: every_order_stands_somewhere grain_is_unique holds_every_order_of_the_day
    required_columns_are_filled
mart/price_history: adds_up_to_product_sales grain_is_unique required_columns_are_filled
    spans_follow_one_another
mart/product_pairs: grain_is_unique required_columns_are_filled share_no_more_than_each_has
    stand_once
mart/product_sales: adds_up_to_daily_sales grain_is_unique required_columns_are_filled
warehouse/customers: agrees_with_source_and_backup email_is_unique few_rows_in_quarantine
    grain_is_unique locale_is_accepted required_columns_are_filled
warehouse/orders: agrees_with_source_and_backup amount_is_quantity_times_price channel_is_accepted
    customer_id_is_in_customers few_rows_in_quarantine grain_is_unique product_id_is_in_products
    required_columns_are_filled status_is_accepted
warehouse/products: agrees_with_source_and_backup few_rows_in_quarantine grain_is_unique
    required_columns_are_filled sku_is_unique
"""

DEPARTMENT_SALES = """
-- What each department sells.
-- One row a department; for the people who choose what is put on the shelves.
-- @grain category
-- @owner team:merchandising
-- @freshness 3d
with orders as (
    select * from warehouse.orders
),

products as (
    select * from warehouse.products
)

select
    products.category::varchar(160) as category, -- Department
    count(*)::bigint as order_count, -- Orders placed
    sum(orders.amount)::bigint as gross_amount, -- Amount of all orders, in won
    max(products.unit_price)::integer as dearest_price -- Price of the dearest product sold, in won
from orders
inner join products on orders.product_id = products.product_id
group by products.category;
"""

CATEGORY_CHECK = """
-- No department sells for nothing.
select category, gross_amount from mart.department_sales where gross_amount <= 0;
"""


def settings_of(folder: Path, **environ: str) -> Settings:
    given = {"ORDERHE_HOME": str(folder / "home"), "ORDERHE_START_DATE": FIRST, **environ}
    return load_settings(given, folder)


def words(text: str) -> dict[str, list[str]]:
    """`asset: check check`, lines that begin with a blank going on from the one before."""
    lines = text.strip().replace("\n    ", " ").splitlines()
    return {line.split(":")[0]: line.split(":")[1].split() for line in lines}


# ---- the demo's graph


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> dg.Definitions:
    return build_definitions(settings_of(tmp_path_factory.mktemp("demo")))


def test_the_graph_is_what_the_files_say(demo: dg.Definitions) -> None:
    graph = demo.resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys(), key=dg.AssetKey.to_user_string):
        node = graph.get(key)
        assert node.group_name == key.path[0]
        parents = sorted(parent.to_user_string() for parent in node.parent_keys)
        daily = "yes" if node.is_partitioned else "no"
        name, kinds = key.to_user_string(), ",".join(sorted(node.kinds))
        lines.append(f"{name:24} daily:{daily:3} {kinds:13} <- {' '.join(parents)}".rstrip())
    assert lines == GRAPH.strip().splitlines()


def test_kinds_are_those_of_the_systems_that_the_settings_name(tmp_path: Path) -> None:
    servers = {
        **{"ORDERHE_PROFILE": "aws", "ORDERHE_START_DATE": "2026-01-01"},
        **{"ORDERHE_MYSQL_HOST": "127.0.0.1", "ORDERHE_MYSQL_USER": "u"},
        **{"ORDERHE_MYSQL_DATABASE": "shop", "ORDERHE_S3_BUCKET": "shop-backups"},
        **{"ORDERHE_REDSHIFT_HOST": "127.0.0.1", "ORDERHE_REDSHIFT_USER": "u"},
        "ORDERHE_REDSHIFT_PASSWORD": "p",
    }
    graph = build_definitions(settings_of(tmp_path, **servers)).resolve_asset_graph()
    kinds = {
        "/".join(key.path): graph.get(key).kinds
        for key in graph.get_all_asset_keys()
        if key.path[1] in ("orders", "daily_sales")
    }
    assert kinds == {
        **{"raw/orders": {"mysql"}, "backup/orders": {"parquet", "s3"}},
        **{"warehouse/orders": {"redshift"}, "mart/daily_sales": {"redshift", "sql"}},
        "export/daily_sales": {"csv"},
    }


def test_marts_follow_a_load_by_hand_and_ask_for_nothing_after_a_whole_run(
    ran_shop: TestShop,
) -> None:
    """As Dagster's automation sensor would have it, where that is switched on."""
    now = datetime(2026, 1, 6, 12, tzinfo=ZoneInfo(ran_shop.settings.time_zone))
    definitions = build_definitions(ran_shop.settings)
    with run.history(home.use_home(ran_shop.settings).dagster) as instance:

        def requested(cursor: Any) -> tuple[set[str], Any]:
            result = dg.evaluate_automation_conditions(
                definitions, instance, cursor=cursor, evaluation_time=now
            )
            keys = definitions.resolve_asset_graph().get_all_asset_keys()
            return {
                key.to_user_string() for key in keys if result.get_num_requested(key)
            }, result.cursor

        _, cursor = requested(None)
        assert ran_shop.run("*", "2026-01-05").succeeded
        wanted, cursor = requested(cursor)
        assert wanted == set()
        assert ran_shop.run("backup/sales,warehouse/sales", "2026-01-05").succeeded
        wanted, cursor = requested(cursor)
        assert {"mart/takings", "mart/buyer_totals"} <= wanted
        assert not any(name.startswith(("raw", "backup", "warehouse")) for name in wanted)


def test_days_begin_with_the_shop_in_its_time_zone(demo: dg.Definitions) -> None:
    graph = demo.resolve_asset_graph()
    actual = {node.partitions_def for node in graph.asset_nodes if node.is_partitioned}
    (days,) = actual
    assert isinstance(days, dg.DailyPartitionsDefinition)
    assert (days.get_first_partition_key(), days.timezone) == (FIRST, "Asia/Seoul")


def test_the_checks_are_what_the_files_promise(demo: dg.Definitions) -> None:
    actual: dict[str, list[str]] = {}
    graph = demo.resolve_asset_graph()
    for key in sorted(graph.asset_check_keys, key=str):
        actual.setdefault(key.asset_key.to_user_string(), []).append(key.name)
        warns = key.asset_key.path[0] == "backup" or key.name == "nothing_differed"
        assert graph.get(key).blocking == (not warns)
    for names in actual.values():  # of every asset that is proven by turns
        names.remove("nothing_differed")
    assert {asset: sorted(names) for asset, names in actual.items()} == words(CHECKS)


def test_jobs_are_few_and_named(demo: dg.Definitions) -> None:
    jobs = {job.name for job in demo.resolve_all_job_defs() if not job.name.startswith("__")}
    assert jobs == {"daily", "answers", "page", "prove", "restore_drill", "janitor"}
    assert [schedule.name for schedule in demo.schedules or ()] == [
        "daily_schedule",
        "restore_drill_schedule",
        "janitor_schedule",
    ]
    (sensor,) = demo.sensors or ()
    assert (sensor.name, sensor.default_status) == (
        "page_after_failure",
        dg.DefaultSensorStatus.RUNNING,
    )


def test_a_daily_run_that_fails_has_the_dashboard_drawn_anew(demo: dg.Definitions) -> None:
    """Its own step never comes: what it is made of has failed."""
    repository = demo.get_repository_def()
    sensor = repository.get_sensor_def("page_after_failure")
    with dg.DagsterInstance.ephemeral() as instance:
        for name in ("page", "daily"):
            run = instance.create_run_for_job(repository.get_job(name))
            # The sensor begins with what happens after it was first asked.
            first = dg.build_sensor_context(instance=instance, repository_def=repository)
            cursor = sensor.evaluate_tick(first).cursor
            instance.report_run_failed(run)
            then = dg.build_sensor_context(
                instance=instance, cursor=cursor, repository_def=repository
            )
            asked = sensor.evaluate_tick(then).run_requests or []
            wanted = [run.run_id] if name == "daily" else []
            assert [request.run_key for request in asked] == wanted
    assert [target.job_name for target in sensor.targets] == ["page"]
    assert repository.get_job("page").asset_layer.executable_asset_keys == {
        dg.AssetKey(["export", "dashboard"])
    }


@pytest.mark.filterwarnings(  # Dagster's own schedules still use it
    "ignore:Function `JobDefinition.run_request_for_partition`:DeprecationWarning"
)
def test_the_schedule_asks_for_yesterday_after_the_shops_midnight(demo: dg.Definitions) -> None:
    schedule = demo.resolve_schedule_def("daily_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 0 * * *", "Asia/Seoul")
    tick = datetime(2026, 1, 20, 0, 30, tzinfo=ZoneInfo("Asia/Seoul"))
    with dg.DagsterInstance.ephemeral() as instance:
        context = dg.build_schedule_context(
            instance=instance,
            repository_def=demo.get_repository_def(),
            scheduled_execution_time=tick,
        )
        requests = schedule.evaluate_tick(context).run_requests
    assert [request.partition_key for request in requests or ()] == ["2026-01-19"]


def test_a_shop_without_days_is_asked_after_its_own_midnight_too(tmp_path: Path) -> None:
    (tmp_path / "sql/raw").mkdir(parents=True)
    (tmp_path / "sql/raw/shelves.sql").write_text("create table shelves (id int primary key);")
    settings = settings_of(tmp_path, ORDERHE_SQL="sql", ORDERHE_TIME_ZONE="America/Lima")
    schedule = build_definitions(settings).resolve_schedule_def("daily_schedule")
    assert (schedule.cron_schedule, schedule.execution_timezone) == ("30 0 * * *", "America/Lima")


# ---- a new mart is a new file


def own_shop(folder: Path, **environ: str) -> TestShop:
    """A shop with a copy of the project's sql and one mart more."""
    shutil.copytree(OWN_SQL, folder / "sql")
    shop = TestShop(
        folder,
        {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_START_DATE": FIRST, **environ},
    )
    shop.write(
        {
            "mart/department_sales.sql": DEPARTMENT_SALES,
            "checks/mart/department_sales__nothing_is_free.sql": CATEGORY_CHECK,
        }
    )
    return shop


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The shop with the new mart, two days of it run through every layer at once."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("DAGSTER_HOME", "")  # what the run sets is undone
        shop = own_shop(tmp_path_factory.mktemp("lived"), ORDERHE_SHOP="simulated")
        shop.create()
        outcome = shop.run("*", FIRST, LAST)
    assert outcome.succeeded, outcome.lines()
    return shop


@pytest.fixture
def history(lived: TestShop) -> Iterator[dg.DagsterInstance]:
    """What Dagster remembers of the run."""
    folder = home.use_home(lived.settings).dagster
    with dg.DagsterInstance.from_config(str(folder)) as instance:
        yield instance


MART = dg.AssetKey(["mart", "department_sales"])


def test_a_new_file_is_a_new_asset_with_all_it_says(lived: TestShop) -> None:
    definitions = build_definitions(lived.settings)
    graph = definitions.resolve_asset_graph()
    node = graph.get(MART)
    assert {key.to_user_string() for key in node.parent_keys} == {
        "warehouse/orders",
        "warehouse/products",
    }
    assert node.description is not None
    assert node.description.startswith("What each department sells.")
    assert "shelves" in node.description
    assert "@grain" not in node.description
    assert (node.group_name, node.kinds, node.owners) == (
        "mart",
        {"duckdb", "sql"},
        ["team:merchandising"],
    )
    assert not node.is_partitioned
    assert node.freshness_policy == dg.FreshnessPolicy.time_window(fail_window=timedelta(days=3))
    checks = {key.name for key in graph.asset_check_keys if key.asset_key == MART}
    promised = {"required_columns_are_filled", "grain_is_unique", "nothing_is_free"}
    assert checks == {*promised, "nothing_differed"}

    schema = node.metadata["dagster/column_schema"]
    assert [(column.name, column.type, column.description) for column in schema.columns] == [
        ("category", "varchar(160)", "Department"),
        ("order_count", "bigint", "Orders placed"),
        ("gross_amount", "bigint", "Amount of all orders, in won"),
        ("dearest_price", "integer", "Price of the dearest product sold, in won"),
    ]
    file = str(lived.folder / "sql/mart/department_sales.sql")
    assert "from warehouse.orders" in node.metadata["sql"].value
    (reference,) = node.metadata["dagster/code_references"].code_references
    assert reference.file_path == file


def test_the_code_version_changes_with_the_file_and_with_nothing_else(tmp_path: Path) -> None:
    shop = own_shop(tmp_path)

    def versions() -> Mapping[str, Any]:
        graph = build_definitions(shop.settings).resolve_asset_graph()
        return {node.key.to_user_string(): node.code_version for node in graph.asset_nodes}

    before = versions()
    changed = DEPARTMENT_SALES.replace("count(*)", "count(distinct orders.order_id)")
    shop.write({"mart/department_sales.sql": changed})
    after = versions()
    changed_keys = {key for key in after if after[key] != before[key]}
    assert changed_keys == {"mart/department_sales", "export/lineage"}, "the page draws every file"


# ---- what a run says


def newest(
    history: dg.DagsterInstance, key: dg.AssetKey, day: str | None = None
) -> Mapping[str, Any]:
    """The metadata of the latest materialization, of a day where one is named."""
    records = history.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=key, asset_partitions=[day] if day else None), limit=1
    ).records
    materialization = records[0].asset_materialization
    assert materialization is not None
    return {name: value.value for name, value in materialization.metadata.items()}


def test_a_new_mart_is_filled_and_its_lineage_told(
    lived: TestShop, history: dg.DagsterInstance
) -> None:
    expected = lived.rows(
        "select category, count(*), sum(amount) from mart.order_details group by category order by 1"
    )
    rows = lived.rows("select * from mart.department_sales order by category")
    assert [row[:3] for row in rows] == [(name, many, int(won)) for name, many, won in expected]
    assert len(rows) > 3

    metadata = newest(history, MART)
    assert metadata["dagster/row_count"] == len(rows)
    assert metadata["dagster/uri"].endswith("#mart.department_sales")
    lineage = {
        name: {(dep.asset_key.to_user_string(), dep.column_name) for dep in deps}
        for name, deps in metadata["dagster/column_lineage"].deps_by_column.items()
    }
    assert lineage == {
        "category": {("warehouse/products", "category")},
        "order_count": set(),
        "gross_amount": {("warehouse/orders", "amount")},
        "dearest_price": {("warehouse/products", "unit_price")},
    }
    head, _, *shown = metadata["preview"].splitlines()
    assert head == "| category | order_count | gross_amount | dearest_price |"
    assert len(shown) == min(5, len(rows))


def test_previews_show_rows_without_personal_data(history: dg.DagsterInstance) -> None:
    head, _, *rows = newest(history, dg.AssetKey(["warehouse", "customers"]))[
        "preview"
    ].splitlines()
    names = [name.strip() for name in head.strip("|").split("|")]
    shown = dict(zip(names, [cell.strip() for cell in rows[0].strip("|").split("|")], strict=True))
    assert (shown["full_name"], shown["email"], shown["address"]) == ("•••", "•••", "•••")
    assert shown["customer_id"].isdigit()
    assert shown["locale"] in ("ko_KR", "en_US")


@pytest.mark.parametrize(
    "name", ["raw/orders", "backup/orders", "warehouse/orders", "mart/daily_sales"]
)
def test_each_day_of_a_range_has_figures_of_its_own(
    lived: TestShop, history: dg.DagsterInstance, name: str
) -> None:
    orders = dict(
        lived.rows("select order_date::varchar(10), count(*) from warehouse.orders group by 1")
    )
    assert orders[FIRST] != orders[LAST]
    expected = dict.fromkeys(orders, 1) if name.startswith("mart") else orders
    key = dg.AssetKey(name.split("/"))
    actual = {
        day: newest(history, key, day)["dagster/partition_row_count"] for day in (FIRST, LAST)
    }
    assert actual == expected


# ---- tables that others fill


def test_tables_of_others_are_observed_and_never_made(sales_shop: TestShop) -> None:
    home.use_home(sales_shop.settings)
    definitions = build_definitions(sales_shop.settings)
    graph = definitions.resolve_asset_graph()
    raw = [dg.AssetKey(["raw", name]) for name in ("buyers", "sales")]
    for key in raw:
        assert graph.get(key).is_observable
        assert not graph.get(key).is_materializable
    job = definitions.resolve_implicit_global_asset_job_def()
    with dg.DagsterInstance.ephemeral() as instance:
        result = job.execute_in_process(instance=instance, asset_selection=raw)
        assert result.success
        metadata = {}
        for key in raw:
            (record,) = instance.fetch_observations(key, limit=5).records
            observation = record.asset_observation
            assert observation is not None
            metadata[key.path[-1]] = observation.metadata["dagster/row_count"].value
    assert metadata == {"buyers": 2, "sales": 4}


def test_tables_of_others_are_one_piece_and_their_age_is_judged_by_the_backup(
    sales_shop: TestShop,
) -> None:
    sales_shop.write(
        {
            "raw/sales.sql": SALES["raw/sales.sql"].replace(
                "-- @cursor", "-- @freshness 26h\n-- @cursor"
            )
        }
    )
    graph = build_definitions(sales_shop.settings).resolve_asset_graph()
    raw, backup = (graph.get(dg.AssetKey([layer, "sales"])) for layer in ("raw", "backup"))
    assert not raw.is_partitioned, "an observation speaks of the whole table"
    assert raw.freshness_policy is None, "Dagster would judge it by materializations alone"
    assert backup.is_partitioned
    assert backup.freshness_policy == dg.FreshnessPolicy.time_window(
        fail_window=timedelta(hours=26)
    )
