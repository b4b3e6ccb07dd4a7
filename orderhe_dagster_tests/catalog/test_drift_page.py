"""docs/schema-changes.md names every kind of difference, with the effect that `catalog.drift` gives it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

from orderhe_dagster.catalog.drift import Effect, Kind
from orderhe_dagster_tests.contracts.test_source_drift import CASES

PAGE = Path(__file__).resolve().parents[2] / "docs" / "schema-changes.md"


def test_the_page_names_every_kind_and_the_cases_have_its_effects() -> None:
    rows = re.findall(
        r"^\| `([^`]+)`[^|]*\| (\w+) \| (.+) \|$", PAGE.read_text("utf-8"), re.MULTILINE
    )
    assert [kind for kind, _, _ in rows] == list(get_args(Kind))
    seen = {(kind, effect) for _, _, wanted, _ in CASES.values() for kind, _, effect in wanted}
    for kind, effect, why in rows:
        assert effect in get_args(Effect)
        effects = {one for name, one in seen if name == kind} - {effect}
        assert all(other.removesuffix("s") in why for other in effects), kind
    tried = {kind for kind, _ in seen}
    assert set(get_args(Kind)) - tried == {"foreign key"}, "which has a test of its own"
