"""The demo's shop, a few days of it, on each real system alone and on all: what comes out is the laptop's."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner

from orderhe_dagster.cli import main
from orderhe_dagster.commands.demo import run_demo
from orderhe_dagster_tests.long_tests import cases
from orderhe_dagster_tests.road.systems import LAPTOP, WAYS, Systems
from orderhe_dagster_tests.shops import TestShop
from orderhe_dagster_tests.walked import difference, outputs_of

README = Path(__file__).resolve().parents[2] / "README.md"
DAYS = 2


@pytest.fixture(autouse=True, scope="module")
def dagster_home() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:  # running sets Dagster's home
        patch.setenv("DAGSTER_HOME", "")
        patch.setenv("DAGSTER_DISABLE_TELEMETRY", "yes")
        yield


def shop_of(systems: Systems, turned: frozenset[str], folder: Path) -> TestShop:
    folder.mkdir(parents=True, exist_ok=True)
    start = date.today() - timedelta(days=DAYS)
    environ = systems.environ(
        turned,
        folder / "home",
        ORDERHE_START_DATE=start.isoformat(),
        ORDERHE_SHOP="simulated",
    )
    return TestShop(folder, environ)


def demo(shop: TestShop) -> list[str]:
    lines: list[str] = []
    assert run_demo(shop.settings, lines.append), "\n".join(lines)
    return lines


def exports(shop: TestShop) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (shop.folder / "home/exports").glob("*.csv")}


@pytest.fixture(scope="module")
def shown(systems: Systems, tmp_path_factory: pytest.TempPathFactory) -> tuple[TestShop, list[str]]:
    """The laptop's shop after its demo, and what that said."""
    shop = shop_of(systems, LAPTOP, tmp_path_factory.mktemp("laptop"))
    return shop, demo(shop)


@pytest.fixture(scope="module")
def laptop(shown: tuple[TestShop, list[str]]) -> TestShop:
    return shown[0]


@pytest.mark.parametrize("way", cases(WAYS, ["mysql", "all"]))
def test_the_demo_gives_what_the_laptop_gives(
    systems: Systems, laptop: TestShop, tmp_path: Path, way: str
) -> None:
    shop = shop_of(systems, WAYS[way], tmp_path)
    lines = demo(shop)
    assert "Source, backup and warehouse agree on every table and day." in lines
    assert exports(shop) == exports(laptop)
    assert exports(shop)


def blurred(text: str) -> str:
    """Digests are other ones on other days; of a number, `difference` compares that it is one."""
    return re.sub(r"\b[0-9a-f]{8}\b", "1", text)


def test_the_readme_shows_what_the_demo_says(shown: tuple[TestShop, list[str]]) -> None:
    shop, lines = shown
    commands = outputs_of(README)
    home = str((shop.folder / "home").resolve())
    printed = "\n".join(lines).replace(home, ".orderhe")
    printed = re.sub(r"(?m)^(  the .{20})\S+ (dev|query)", r"\1.venv/bin/orderhe \2", printed)
    differs = difference(blurred(commands["make demo"]), blurred(printed), measured=True)
    assert not differs, differs


def test_the_readmes_commands_print_what_it_shows(
    laptop: TestShop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(laptop.folder)
    tried = 0
    for command, shown in outputs_of(README).items():
        program, *arguments = shlex.split(command)
        if program == ".venv/bin/orderhe":
            done = CliRunner().invoke(main, arguments, env=laptop.environ)
            differs = difference(shown, done.output, measured="query" in arguments)
            assert not differs, differs
            tried += 1
    assert tried == 2
