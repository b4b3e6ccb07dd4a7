"""docs/reliability.md from results: `python -m orderhe_dagster_tests.reliability.page` (`make reliability`).

Results of the long suites are summed up into docs/reliability.json, which is committed: of each suite
those of the last commit that it was run on. The page's table is made of that and of `promises`.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from orderhe_dagster_tests.reliability.promises import PROMISES, Attack
from orderhe_dagster_tests.reliability.results import RESULTS, ROOT, Result, read

PAGE = ROOT / "docs" / "reliability.md"
SUMMARY = ROOT / "docs" / "reliability.json"
BEGIN, END = "<!-- attacks: begin -->", "<!-- attacks: end -->"
DASH = "–"


@dataclass(frozen=True)
class Sum:
    """What one attack of a suite came to on one commit. `met`: so many came to pass in time."""

    suite: str
    attack: str
    count: int
    met: int
    bad: int
    seeds: str
    commit: str
    date: str


def sums(results: Iterable[Result]) -> list[Sum]:
    """By attack, the results of each suite on the last commit it was run on. A seed counts once."""
    by_suite: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        by_suite[result.suite].append(result)
    found = []
    for suite, all_of in by_suite.items():
        last = [one for one in all_of if one.commit == all_of[-1].commit]
        by_attack: dict[str, dict[int | None, Result]] = defaultdict(dict)
        for one in last:
            by_attack[one.attack][one.seed] = one
        for attack, by_seed in by_attack.items():
            some = list(by_seed.values())
            found.append(
                Sum(
                    suite,
                    attack,
                    sum(one.count for one in some),
                    sum(one.count if one.met is None else one.met for one in some),
                    sum(one.bad for one in some),
                    ranges(seed for seed in by_seed if seed is not None),
                    all_of[-1].commit,
                    max(one.at for one in some)[:10],
                )
            )
    return sorted(found, key=lambda one: (one.suite, one.attack))


def ranges(numbers: Iterable[int]) -> str:
    """Numbers as people write them: 1, 3–5."""
    parts: list[list[int]] = []
    for number in sorted(numbers):
        if parts and number == parts[-1][1] + 1:
            parts[-1][1] = number
        else:
            parts.append([number, number])
    return ", ".join(f"{a}{DASH}{b}" if b > a else str(a) for a, b in parts)


def merged(old: Sequence[Sum], new: Sequence[Sum]) -> list[Sum]:
    """The new sums, and the old ones of suites that were not run again."""
    again = {one.suite for one in new}
    kept = [one for one in old if one.suite not in again]
    return sorted([*kept, *new], key=lambda one: (one.suite, one.attack))


def read_summary(file: Path = SUMMARY) -> list[Sum]:
    """What is committed."""
    return [Sum(**one) for one in json.loads(file.read_text("utf-8"))]


def part(summary: Sequence[Sum]) -> str:
    """The generated part of the page."""
    rows = []
    for promise in PROMISES:
        for number, attack in enumerate(promise.attacks):
            text = promise.text if number == 0 else ""
            rows.append(
                f"| {text} | {attack.what} | {_forms(attack)} | {_counted(attack, summary)} |"
            )
    head = ["| promise | attack | short form; long form | attacks: bad | seeds | on |"]
    chaos = [one for one in summary if one.suite == "chaos"]
    listed = [
        f"| {one.attack} | {one.count} | {one.met} | {one.bad} | {one.seeds} |" for one in chaos
    ]
    note = (
        f"Chaos, attack by attack{_where(chaos)}. An attack that is due after the run was over did not "
        "come to pass; the run is judged all the same."
    )
    detail = [
        "",
        note,
        "",
        "| attack | played | came to pass | bad | seeds |",
        "|---|---|---|---|---|",
        *listed,
    ]
    return "\n".join([*head, "|---|---|---|---|---|---|", *rows, *(detail if chaos else [])])


def of_attack(attack: Attack, summary: Iterable[Sum]) -> list[Sum]:
    """The sums that count an attack."""
    return [
        one
        for one in summary
        if one.suite == attack.suite and (not attack.names or one.attack in attack.names)
    ]


def _forms(attack: Attack) -> str:
    tests = ", ".join(f"`{name}`" for name in attack.tests)
    return f"{tests}; `{attack.target}`" if attack.target else tests


def _counted(attack: Attack, summary: Iterable[Sum]) -> str:
    found = of_attack(attack, summary)
    if not found:
        return " | ".join([DASH] * 3)
    seeds = sorted({int(n) for one in found for n in _numbers(one.seeds)})
    span = f"{seeds[0]}{DASH}{seeds[-1]}" if len(seeds) > 1 else "".join(map(str, seeds))
    # What did not come to pass in time was no attack.
    count, bad = sum(one.met for one in found), sum(one.bad for one in found)
    at = ", ".join(sorted({f"{one.date} `{one.commit}`" for one in found}))
    return f"{count:,}: {bad:,} | {span or DASH} | {at}"


def _numbers(text: str) -> list[str]:
    return text.replace(",", " ").replace(DASH, " ").split()


def _where(some: Sequence[Sum]) -> str:
    return ", on " + ", ".join(sorted({f"`{one.commit}`" for one in some})) if some else ""


def written(page: str, summary: Sequence[Sum]) -> str:
    """The page with its part made anew."""
    before, _, rest = page.partition(BEGIN)
    return f"{before}{BEGIN}\n{part(summary)}\n{END}{rest.partition(END)[2]}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Sum the results up and write the page; 1 where a result was bad."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args(arguments)
    summary = merged(read_summary(), sums(read(given.results)))
    lines = ",\n".join(json.dumps(asdict(one), ensure_ascii=False) for one in summary)
    SUMMARY.write_text(f"[\n{lines}\n]\n" if lines else "[]\n", "utf-8")
    PAGE.write_text(written(PAGE.read_text("utf-8"), summary), "utf-8")
    bad = sum(one.bad for one in summary)
    print(f"{sum(one.count for one in summary):,} attacks, {bad} bad; {PAGE.name} is written")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
