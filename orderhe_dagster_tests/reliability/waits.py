"""A plugin of pytest that notes what the run came to, as the suite `waits`."""

from __future__ import annotations

from typing import Any

from orderhe_dagster_tests.reliability.results import record_suite


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """At the end, in the process that has all reports."""
    stats = terminalreporter.stats
    passed, bad = (
        sum(len(stats.get(n, ())) for n in names) for names in (("passed",), ("failed", "error"))
    )
    record_suite("waits", "tests of waits and ends", passed + bad, bad, 0.0)
