"""docs/reference.md names every function there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

from local_redshift.functions.aggregates import WINDOWS
from local_redshift.functions.registry import RULES

PAGE = Path(__file__).parents[1] / "docs" / "reference.md"
OWN_SYNTAX = {
    "case", "current_date", "extract", "grouping", "grouping_id", "position", "sysdate", "trim", "try_cast",
}  # fmt: skip


def test_page_lists_exactly_the_functions_there_are() -> None:
    section = PAGE.read_text("utf-8").split("## Functions")[1].split("A pattern (")[0]
    listed: set[str] = set()
    titles = ("Text", "Numbers", "Choices", "Time", "JSON", "Catalogue", "Session", "Aggregates")
    for title in (*titles, "Windows"):
        text = re.search(rf"^{title}: (.*?)\.(?:\s|$)", section, re.MULTILINE | re.DOTALL)
        assert text, title
        names = re.sub(r"\(.*?\)|the aggregates", "", text[1], flags=re.DOTALL)
        listed |= {name for name in re.split(r"[,\s]+", names) if name}
    assert listed == {*RULES, *WINDOWS, *OWN_SYNTAX}
