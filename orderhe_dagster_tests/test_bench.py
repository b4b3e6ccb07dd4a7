"""The bench's own logic, and a tiny run of it end to end. What things cost is not asserted anywhere."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.bench import bed, content, gentle, processes, report, runners, scenarios
from benchmarks.bench.__main__ import SCENARIOS
from benchmarks.bench.bed import Bed
from benchmarks.bench.figures import (
    EQUAL,
    Report,
    Result,
    Sample,
    Scenario,
    from_json,
    median,
    merged,
    ratio,
    spread,
    to_json,
)
from benchmarks.bench.runners import Contestant
from orderhe_dagster_tests.servers import mariadb

ROOT = Path(__file__).resolve().parents[1]
LOCKS = sorted((ROOT / "benchmarks" / "contestants").glob("*.lock"))


def sample(wall: float, cpu: float = 1.0, **more: float) -> Sample:
    return Sample(wall, cpu, 100.0, {"source": 0.5}, more, 0.25, 0.1)


def first_load() -> Scenario:
    floor = Result("floor", [sample(2.0, 1.0, work_s=1.0), sample(4.0, 3.0, work_s=3.0)], EQUAL)
    ours = Result(
        "ours", [sample(6.0, 4.0, work_s=5.0), sample(12.0, 4.0, work_s=3.0)], EQUAL, "all"
    )
    other = Result("other", missing="not installed (x)")
    return Scenario(
        "load", "A load", "floor", [floor, ours, other], made_on="2026-11-30", rows=9, days=3
    )


# Figures ------------------------------------------------------------------------------------------


def test_the_median_and_the_spread_are_of_all_runs() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 2.0]) == 3.0
    assert spread([3.0, 1.0, 2.0]) == (1.0, 3.0)
    assert median([]) is None
    assert spread([]) is None


def test_a_ratio_is_of_medians_and_there_is_none_of_nothing() -> None:
    assert ratio([6.0, 12.0], [2.0, 4.0]) == 3.0
    assert ratio([], [1.0]) is None
    assert ratio([1.0], []) is None
    assert ratio([1.0], [0.0]) is None


def test_figures_come_back_from_json_as_they_were() -> None:
    given = Report({"cores": "2"}, {"dagster": "1"}, [first_load()])
    assert from_json(to_json(given)) == given
    assert json.loads(to_json(given))["scenarios"][0]["results"][0]["samples"][0]["wall_s"] == 2.0


def test_scenarios_measured_again_replace_those_of_before_and_no_others() -> None:
    before = Report(
        {"cores": "1"}, {"a": "1", "b": "1"}, [Scenario("load", "old"), Scenario("night", "kept")]
    )
    now = Report({"cores": "2"}, {"b": "2"}, [Scenario("proof", "new"), Scenario("load", "new")])
    found = merged(before, now)
    assert [(one.name, one.title) for one in found.scenarios] == [
        ("load", "new"),
        ("night", "kept"),
        ("proof", "new"),
    ]
    assert (found.machine, found.versions) == ({"cores": "2"}, {"a": "1", "b": "2"})


# Tables -------------------------------------------------------------------------------------------


def test_the_table_has_medians_ends_and_ratios_and_says_who_was_not_run() -> None:
    lines = report.table(first_load()).splitlines()
    assert lines[1] == "A load (9 orders on 3 days)"
    ours = next(line for line in lines if line.startswith("  ours"))
    assert re.split(r" {2,}", ours.strip()) == [
        *("ours", "9.00 (6.00–12.0)", "4.00", "4.00", "0.50", "100", "0.25", "< 0.2", "0.00"),
        *("3.00", "2.00", "2.00", "1.00", EQUAL),
    ]
    assert "  other: not run: not installed (x)" in lines


def test_the_table_names_a_copy_that_differs_and_a_scenario_that_failed() -> None:
    scenario = first_load()
    scenario.results[1].content = "differs: 8 rows, not 9"
    assert "  ours: differs: 8 rows, not 9" in report.table(scenario)
    assert report.is_wrong(scenario)
    assert not report.is_wrong(first_load())
    failed = Scenario("night", "A night", failed="no server")
    assert "FAILED: no server" in report.table(failed)
    assert report.is_wrong(failed)


def test_a_document_gets_its_tables_and_keeps_its_words() -> None:
    text = (
        "Words.\n<!-- bench: load -->\nold\n<!-- bench: end -->\nMore.\n"
        "<!-- bench: load-does -->\n<!-- bench: end -->\n<!-- bench: night -->\n<!-- bench: end -->\n"
    )
    found = report.document(text, Report(scenarios=[first_load()]))
    assert found.startswith("Words.\n<!-- bench: load -->\n9 orders on 3 days, 2026-11-30")
    assert "\n| ours | 9.00 (6.00–12.0) |" in found
    assert "- other: not run: not installed (x)" in found
    assert "<!-- bench: load-does -->\n- ours: all.\n<!-- bench: end -->" in found
    assert found.endswith("<!-- bench: night -->\nNot measured yet.\n<!-- bench: end -->\n")
    assert report.document(found, Report(scenarios=[first_load()])) == found


@pytest.mark.parametrize("path", report.DOCUMENTS, ids=lambda path: path.name)
def test_the_documents_say_what_was_measured(path: Path) -> None:
    figures = from_json(report.FIGURES.read_text("utf-8"))
    text = path.read_text("utf-8")
    assert report.document(text, figures) == text, "python -m benchmarks.bench.report"
    places = set(re.findall(r"<!-- bench: ([\w-]+) -->", text)) - {"end", "machine", "headline"}
    assert {name.removesuffix("-does") for name in places} <= set(SCENARIOS)


def test_every_scenario_has_a_place_in_a_document() -> None:
    text = "".join(path.read_text("utf-8") for path in report.DOCUMENTS)
    assert [name for name in SCENARIOS if f"<!-- bench: {name} -->" not in text] == []


def test_the_picture_is_an_svg_with_everybody_who_was_run() -> None:
    drawn = report.picture(first_load())
    assert drawn.startswith("<svg")
    assert "ours" in drawn


# Processes ----------------------------------------------------------------------------------------


def command(code: str, tmp_path: Path) -> processes.Command:
    return processes.Command([sys.executable, "-c", code], bed.environment(), tmp_path)


def test_a_process_tells_what_it_measured_and_what_it_held(tmp_path: Path) -> None:
    code = 'b = bytearray(200_000_000)\nprint(\'BENCH {"work_s": 1.5, "days": {}}\')'
    found, lines = processes.run(command(code, tmp_path))
    assert found.own == {"work_s": 1.5}
    assert processes.said(lines) == {"work_s": 1.5, "days": {}}
    assert 190 < found.peak_mb < 400


def test_the_peak_is_not_that_of_whoever_measures(tmp_path: Path) -> None:
    held = bytearray(300_000_000)
    found, _ = processes.run(command("pass", tmp_path))
    assert len(held) > 0
    assert found.peak_mb < 100


def test_a_process_that_fails_is_named_with_the_end_of_what_it_printed(tmp_path: Path) -> None:
    with pytest.raises(processes.RunError, match=r"(?s)ended with 3: .*the reason"):
        processes.run(command("print('the reason'); raise SystemExit(3)", tmp_path))


def test_a_process_that_takes_too_long_is_ended(tmp_path: Path) -> None:
    endless = replace(command("import time\nwhile True: time.sleep(60)", tmp_path), limit_s=0.5)
    with pytest.raises(processes.RunError, match="ended with -9"):
        processes.run(endless)


def test_the_longest_statement_is_of_others_than_the_watcher() -> None:
    log = [
        "# User@Host: root[root] @ localhost []",
        "# Query_time: 9.000000  Lock_time: 0.000000",
        "select 1;",
        "# User@Host: bench[bench] @  [127.0.0.1]",
        "# Query_time: 0.250000  Lock_time: 0.000000",
        "# User@Host: bench[bench] @  [127.0.0.1]",
        "# Query_time: 1.500000  Lock_time: 0.000000",
    ]
    assert gentle.longest(iter(log)) == 1.5
    assert gentle.longest(iter([])) == 0.0


# Contents -----------------------------------------------------------------------------------------


def test_contents_that_differ_are_told_by_column_and_days() -> None:
    one: content.Content = {"rows": 2, "counts": {"a": 2}, "sums": {"a": "7"}, "days": {"1": 2}}
    assert content.differences(one, one) == []
    assert content.differences({**one, "rows": 3}, one) == ["3 rows, not 2"]
    assert content.differences({**one, "sums": {"a": "8"}}, one) == ["a: sums 8, not 7"]
    assert content.differences({**one, "days": {"1": 1, "2": 1}}, one) == [
        "2 days have other numbers of rows"
    ]


@pytest.fixture(scope="module")
def shop() -> Iterator[Bed]:
    mariadb.needed()
    with bed.made(2_000, 20) as made:
        yield made


def test_a_tiny_run_carries_the_same_rows_and_tells_of_it(shop: Bed) -> None:
    said: list[str] = []
    bench = scenarios.Bench(shop, 1, said.append)

    @contextmanager
    def fails() -> Iterator[runners.Ready]:
        yield runners.Ready(command("raise SystemExit('no such road')", shop.folder))

    @contextmanager
    def comes_too_late() -> Iterator[runners.Ready]:
        with runners.floor(shop, "first", "late")() as ready:

            def changed() -> content.Content:
                assert ready.content is not None
                found = ready.content()
                shop.touch(shop.last)
                return found

            yield replace(ready, content=changed)

    contestants = [
        Contestant("floor", runners.floor(shop, "first", "floor"), "nothing"),
        Contestant(
            "ours",
            runners.on_fresh_systems(
                shop, bed.laptop, lambda systems: runners.worker(systems, "load"), "ours"
            ),
        ),
        Contestant("fails", fails),
        Contestant("not here", fails, missing="not installed (x)"),
        Contestant("late", comes_too_late),
        Contestant("last", runners.floor(shop, "one-piece", "floor")),
    ]
    found = scenarios.compare(bench, Scenario("load", "Tiny", "floor"), contestants)
    by_name = {one.name: one for one in found.results}
    rows = shop.rows["orders"]
    for name in ("floor", "ours", "last"):
        assert (by_name[name].content, by_name[name].rows) == (EQUAL, rows), name
    ours = by_name["ours"].samples[0]
    assert {"work_s", "work_cpu_s", "backup_s", "load_s", "segments"} <= ours.own.keys()
    assert "source" in ours.servers_cpu_s
    assert ours.longest_query_s is not None
    assert by_name["fails"].missing == "failed: no such road"
    assert by_name["not here"].missing == "not installed (x)"
    assert by_name["late"].content.startswith("differs: quantity: sums ")
    assert report.is_wrong(found)
    assert any("fails failed" in line for line in said)


def test_texts_and_times_of_every_kind_count_alike_in_source_and_copy(shop: Bed) -> None:
    """The simulation's texts are awkward on purpose: quotes, newlines, emoji, words that look like NULL."""
    there = shop.content()
    assert there["rows"] == shop.rows["orders"]
    assert 0 < there["counts"]["delivery_note"] < there["rows"]
    assert sum(there["days"].values()) == there["rows"]
    assert len(there["days"]) == 20


# What is installed for it -------------------------------------------------------------------------


@pytest.mark.parametrize("path", LOCKS, ids=lambda path: path.name)
def test_the_contestants_lists_are_locked_and_hold_what_is_asked(path: Path) -> None:
    lines = path.read_text("utf-8").splitlines()
    entry = re.compile(r"[a-z0-9._-]+==[^\s;]+( ; [^\\]+)? \\")
    digest = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")
    assert [one for one in lines if not entry.fullmatch(one) and not digest.fullmatch(one)] == []
    locked = {line.partition("==")[0] for line in lines if "==" in line}
    wanted = path.with_suffix(".in").read_text("utf-8").splitlines()
    names = {re.split(r"[\[=<>]", line)[0] for line in wanted if not line.startswith("#")}
    assert names - locked == set()
    assert len(LOCKS) == 2
