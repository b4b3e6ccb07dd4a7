"""What the long suites came to: one line of JSON for each attack, appended to a file that stays."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / ".orderhe" / "chaos" / "results.jsonl"
CHANGED = "+"
"""How a commit ends since which something was changed."""


@dataclass(frozen=True)
class Result:
    """So many attacks of one kind on one commit, `bad` of which did harm. `met`: so many came to pass."""

    suite: str
    attack: str
    count: int
    bad: int
    seconds: float
    seed: int | None = None
    met: int | None = None
    problems: list[str] = field(default_factory=list)
    scenario: dict[str, Any] = field(default_factory=dict)
    commit: str = ""
    at: str = ""


def record(result: Result, file: Path = RESULTS) -> None:
    """Append it, with the commit and the moment."""
    told = asdict(result)
    told["commit"] = told["commit"] or commit()
    told["at"] = f"{datetime.now(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
    line = json.dumps(
        {k: v for k, v in told.items() if v not in (None, [], {})}, ensure_ascii=False
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8") as lines:
        lines.write(line + "\n")


def record_suite(
    suite: str, attack: str, count: int, bad: int, seconds: float, seed: int | None = None
) -> None:
    """What a whole suite came to, where a target of make asks for it (`RECORD_RESULTS`)."""
    if count and os.environ.get("RECORD_RESULTS"):
        record(Result(suite, attack, count, bad, round(seconds, 1), seed))


def read(file: Path = RESULTS) -> Iterator[Result]:
    """The results, in the order they came. A line that a kill cut short is passed over, and told."""
    if not file.exists():
        return
    for number, line in enumerate(file.read_text("utf-8").splitlines(), 1):
        try:
            yield Result(**json.loads(line))
        except ValueError:
            print(f"{file}: line {number} is cut short", file=sys.stderr)


def commit() -> str:
    """The commit that is checked out, and whether something was changed since; "": there is no git."""
    try:
        head = _git("rev-parse", "--short=10", "HEAD")
        return head + (CHANGED if _git("status", "--porcelain", "--untracked-files=no") else "")
    except (OSError, subprocess.CalledProcessError):
        return ""


def _git(*words: str) -> str:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True)
    return done.stdout.strip()
