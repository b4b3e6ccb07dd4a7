"""docs/dashboard.md says of every export what the page reads of it."""

from __future__ import annotations

import re
from pathlib import Path

from orderhe_dagster.dashboard import panels

PAGE = Path(__file__).parents[2] / "docs" / "dashboard.md"


def test_the_document_names_every_export_and_column_that_is_read() -> None:
    lines = [line for line in PAGE.read_text("utf-8").splitlines() if line.startswith("| `")]
    documented = []
    for line in lines:
        name, needs, takes = (re.findall("`([^`]+)`", cell) for cell in line.split("|")[1:4])
        documented.append((*name, needs, takes))
    assert documented == [(p.name, [*p.needs], [*p.takes]) for p in panels.PANELS.values()]


def test_the_document_tells_how_many_rows_are_shown() -> None:
    text = " ".join(PAGE.read_text("utf-8").split())
    assert f"the {panels.PRODUCTS} that sold most" in text
    assert f"the {panels.FALLING} of the rest that lost most" in text
    assert f"of pairs, the {panels.PAIRS} most frequent and the {panels.ABOVE_CHANCE}" in text
    assert f"the {panels.PRICES} biggest changes of the last {panels.PRICE_DAYS} days" in text
