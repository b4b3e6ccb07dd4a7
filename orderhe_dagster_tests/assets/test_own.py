"""What a team adds in Python and YAML: merged with ours, fed by our resources, named where it is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from orderhe_dagster.assets import own
from orderhe_dagster.assets.own import OwnDefinitionsError
from orderhe_dagster.commands.selection import LaunchError
from orderhe_dagster.definitions import build_definitions
from orderhe_dagster_tests.shops import SALES, TestShop
from orderhe_dagster_tests.walked import blocks_of

# Dagster's own use of what Pydantic has put on its way out.
pytestmark = pytest.mark.filterwarnings("ignore:`parse_obj_as`:DeprecationWarning")
PAGE = Path(__file__).resolve().parents[2] / "docs" / "running.md"
Added = Callable[[Mapping[str, str]], Path]

REPORT = """
import dagster as dg


@dg.asset(key=["team", "best"], deps=[["mart", "takings"]], required_resource_keys={"warehouse"})
def best(context):
    rows = context.resources.warehouse.query("select max(price_total) from mart.takings").rows
    return dg.MaterializeResult(metadata={"best": str(rows[0][0])})
"""
MONTHLY = """
import dagster as dg


@dg.asset(key=["team", "monthly"], partitions_def=dg.MonthlyPartitionsDefinition("2026-01-01"))
def monthly(): ...
"""
COMPONENT = """
type: dagster.FunctionComponent

attributes:
  execution:
    fn: .counted.code.count
  assets:
    - key: team/counted
      deps: [mart/takings]
"""
CODE = """
import dagster as dg


def count(context, warehouse: dg.ResourceParam[object]):
    ((rows,),) = warehouse.query("select count(*) from mart.takings").rows
    return dg.MaterializeResult(metadata={"days": int(rows)})
"""
NIGHTLY = """
import dagster as dg


@dg.schedule(cron_schedule="0 6 * * *", target=["team/best"])
def mornings(context):
    return dg.RunRequest()


@dg.sensor(target=["team/best"])
def watch(context):
    return dg.SkipReason("nothing is there")
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> TestShop:
    """The files of a shop; no table of it is made."""
    folder = tmp_path_factory.mktemp("shop")
    environ = {"ORDERHE_SQL": str(folder / "sql"), "ORDERHE_START_DATE": "2026-01-01"}
    shop = TestShop(folder, environ)
    shop.write(SALES)
    return shop


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Added:
    """Put files of a team into a package that stands for `orderhe_dagster.defs`; returns its folder."""
    package = f"team_{abs(hash(tmp_path))}"  # Python remembers modules by name
    folder = tmp_path / package
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(own, "PACKAGE", package)

    def add(files: Mapping[str, str]) -> Path:
        for name, text in files.items():
            path = folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.lstrip("\n"), "utf-8")
        return folder

    return add


def keys_of(definitions: dg.Definitions) -> set[str]:
    graph = definitions.resolve_asset_graph()
    return {key.to_user_string() for key in graph.get_all_asset_keys()}


def keys_of_job(definitions: dg.Definitions, name: str) -> set[str]:
    layer = definitions.resolve_job_def(name).asset_layer
    return {key.to_user_string() for key in layer.executable_asset_keys}


def test_the_folder_of_the_package_defines_nothing_by_itself() -> None:
    import orderhe_dagster.defs

    assert orderhe_dagster.defs.__name__ == own.PACKAGE
    assert set(vars(orderhe_dagster.defs)) <= set(vars(orderhe_dagster)) | {"__warningregistry__"}


def test_nothing_is_loaded_where_nothing_was_added(
    shop: TestShop, added: Added, monkeypatch: pytest.MonkeyPatch
) -> None:
    added({"notes.md": "", "__pycache__/old.pyc": "", ".hidden/a.py": "1 / 0"})
    monkeypatch.delattr(own, "_Own")
    assert "mart/takings" in keys_of(build_definitions(shop.settings))


def test_assets_components_schedules_and_sensors_are_merged(shop: TestShop, added: Added) -> None:
    added(
        {
            "report.py": REPORT,
            "more/monthly.py": MONTHLY,
            "more/nightly.py": NIGHTLY,
            "counted/defs.yaml": COMPONENT,
            "counted/code.py": CODE,
        }
    )
    both = build_definitions(shop.settings)
    assert {"team/best", "team/monthly", "team/counted", "mart/takings"} <= keys_of(both)
    graph = both.resolve_asset_graph()
    for name in ("best", "counted"):
        assert graph.get(dg.AssetKey(["team", name])).parent_keys == {
            dg.AssetKey(["mart", "takings"])
        }
    repository = both.get_repository_def()
    assert {"daily_schedule", "restore_drill_schedule", "janitor_schedule", "mornings"} == {
        one.name for one in repository.schedule_defs
    }
    assert "watch" in {one.name for one in repository.sensor_defs}
    assert repository.get_component_tree() is not None, "the UI lists the components"


def test_our_jobs_run_ours_and_those_of_a_team_that_ask_for_it(
    shop: TestShop, added: Added
) -> None:
    before = build_definitions(shop.settings)
    added({"monthly.py": MONTHLY, "report.py": REPORT.replace("deps=", 'group_name="mart", deps=')})
    after = build_definitions(shop.settings)
    for name in ("daily", "answers"):
        assert keys_of_job(after, name) - keys_of_job(before, name) == {"team/best"}
    ours = {key.to_user_string() for key in before.resolve_asset_graph().executable_asset_keys}
    raw = {"raw/buyers", "raw/sales"}  # filled by others: observed, not run
    assert keys_of_job(before, "daily") == ours - raw


def test_a_teams_assets_run_on_our_resources(sales_shop: TestShop, added: Added) -> None:
    check = """
@dg.asset_check(asset=["team", "best"], blocking=True)
def is_more():
    return dg.AssetCheckResult(passed=False, description="it is less")
"""
    code = {"counted/defs.yaml": COMPONENT, "counted/code.py": CODE}
    added({"report.py": REPORT + check, "monthly.py": MONTHLY, **code})
    assert sales_shop.run("backup/*,warehouse/*,mart/*", "2026-01-01", "2026-01-04").succeeded
    counted = sales_shop.run("team/counted")
    assert counted.succeeded
    assert counted.assets == ["team/counted"]
    best = sales_shop.run("team/best")
    assert best.failed_checks == ["team/best: is_more: it is less"]
    (failure,) = best.failures
    assert failure.startswith(
        "team/best: 1 check failed (is_more), so nothing is built from it. Mend"
    )
    with pytest.raises(
        LaunchError, match=r"^team/monthly: cut otherwise.* not key:\"team/monthly\"'"
    ):
        sales_shop.run("*", "2026-01-01", "2026-01-04")
    assert sales_shop.run('team/counted,key:"mart/takings"', "2026-01-01").succeeded

    from orderhe_dagster.settings import home

    with dg.DagsterInstance.from_config(
        str(home.use_home(sales_shop.settings).dagster)
    ) as instance:
        told = {}
        for name in ("best", "counted"):
            event = instance.get_latest_materialization_event(dg.AssetKey(["team", name]))
            assert event is not None
            assert event.asset_materialization is not None
            told |= {k: v.value for k, v in event.asset_materialization.metadata.items()}
    assert told == {"best": "99999999.999", "days": 3}


def test_a_project_of_a_teams_own_merges_ours(
    shop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    (block,) = [block for block in blocks_of(PAGE) if "build_definitions" in block.text]
    for name, value in {**shop.environ, "ORDERHE_HOME": str(shop.settings.home)}.items():
        monkeypatch.setenv(name, value)
    module: dict[str, Any] = {}
    exec(block.text, module)
    assert {"report", "mart/takings"} <= keys_of(module["defs"]())


def test_an_asset_of_a_team_may_be_cut_by_the_shops_days(
    shop: TestShop, added: Added, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {**shop.environ, "ORDERHE_HOME": str(shop.settings.home)}.items():
        monkeypatch.setenv(name, value)
    head = "from orderhe_dagster.assets.own import shop_days\n"
    options = ", partitions_def=shop_days(), group_name='mart'"
    once = ", backfill_policy=dg.BackfillPolicy.single_run()"
    folder = added({"daily.py": head + asset("team/daily", options + once)})
    assert "team/daily" in keys_of_job(build_definitions(shop.settings), "daily")
    added({"each.py": head + asset("team/each", options)})
    with pytest.raises(
        OwnDefinitionsError, match=r"a range of them as one run: give yours"
    ) as told:
        build_definitions(shop.settings)
    assert str(told.value).startswith(f"{folder / 'each.py'}: ")


def asset(key: str, options: str = "") -> str:
    return f"import dagster as dg\n@dg.asset(key={key.split('/')}{options})\ndef mine(): ...\n"


def definitions(options: str) -> str:
    return f"import dagster as dg\ndefs = dg.Definitions({options})\n"


SCHEDULE = (
    'import dagster as dg\n@dg.schedule(cron_schedule="@daily", target=["team/x"], name="{}")\n'
)
CHECK = 'import dagster as dg\n@dg.asset_check(asset=["mart", "takings"], name="{}")\n'
TAKEN = {
    "a mart": (
        asset("mart/takings"),
        r"the asset mart/takings, and so does mart/takings.sql of the SQL folder: give yours another",
    ),
    "a table of the road": (asset("backup/sales"), "backup/sales, and so does raw/sales.sql of"),
    "a page": (asset("export/lineage"), "the asset export/lineage, and so does this shop"),
    "a check": (
        CHECK.format("grain_is_unique") + "def mine(): ...\n",
        "the check grain_is_unique of mart/takings, and so does this shop",
    ),
    "a job": (
        "import dagster as dg\n@dg.job\ndef daily(): ...\n",
        "the job daily, and so does this",
    ),
    "a schedule": (
        SCHEDULE.format("daily_schedule") + "def mine(context): ...\n",
        "the schedule daily_schedule, and so does this shop",
    ),
    "a resource": (
        definitions("resources={'store': 1}"),
        "the resource store, and so does this shop",
    ),
    "the executor": (
        definitions("executor=dg.multiprocess_executor"),
        "the executor of every run, and so does this shop: give yours to a job of yours",
    ),
}


@pytest.mark.parametrize("name", TAKEN)
def test_a_name_of_ours_is_refused_with_both_places(
    name: str, shop: TestShop, added: Added
) -> None:
    text, told = TAKEN[name]
    folder = added({"fine.py": REPORT, "more/mine.py": text})
    with pytest.raises(OwnDefinitionsError, match=told) as caught:
        build_definitions(shop.settings)
    assert str(caught.value).startswith(f"{folder / 'more' / 'mine.py'} ")


WRONG = {
    "Python that fails": ("mine.py", "x = 1\n1 / 0\n", ", line 2: ZeroDivisionError: division by"),
    "Python that cannot be read": ("mine.py", "x = 1\ndef f(:\n", ", line 2: SyntaxError: "),
    "an import": ("mine.py", "import no_such\n", ", line 1: ModuleNotFoundError: No module named"),
    "YAML that cannot be read": (
        *("more/defs.yaml", "type: dagster.FunctionComponent\nattributes: [\n"),
        r": ParserError: while parsing(.|\n)*line 3",
    ),
    "a component that is not there": (
        *("more/defs.yaml", "type: dagster.FunctionComponentX\n"),
        r": DagsterUnresolvableSymbolError: Module `dagster` has no attribute `FunctionComponentX`",
    ),
    "a component without what it needs": (
        *("more/defs.yaml", "type: dagster.FunctionComponent\nattributes: {}\n"),
        r": ValidationError: (.|\n)*execution\n  Field required",
    ),
    "a function that is not there": (
        *("more/defs.yaml", COMPONENT.lstrip().replace(".counted", ".nowhere")),
        r", line 5: ModuleNotFoundError: No module named 'team_\d+\.nowhere'$",
    ),
    "a resource that is not there": (
        *("mine.py", asset("team/x", ", required_resource_keys={'lake'}")),
        r": DagsterInvalidDefinitionError: resource with key 'lake' required by op",
    ),
    "other days in one of our groups": (
        *("mine.py", MONTHLY.lstrip().replace("key=", 'group_name="mart", key=')),
        r": DagsterInvalidDefinitionError: Selected assets must have the same partitions def",
    ),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_told_with_its_file(name: str, shop: TestShop, added: Added) -> None:
    file, text, told = WRONG[name]
    folder = added({"fine.py": REPORT, file: text})
    with pytest.raises(OwnDefinitionsError, match=told) as caught:
        build_definitions(shop.settings)
    assert str(caught.value).startswith(str(folder / file))
