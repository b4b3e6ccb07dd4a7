"""Whether the long forms of tests run too, as `make waits` and `make retail` have it."""

from __future__ import annotations

import os
from collections.abc import Iterable
from typing import Any

IS_LONG = bool(os.environ.get("LONG_TESTS"))


def cases(of_all: Iterable[Any], short: Iterable[Any]) -> list[Any]:
    """The cases of a test: all of them, or in the short form these, each of which must be one of all."""
    every, few = [*of_all], [*short]
    assert all(one in every for one in few), f"{few} are not all of {every}"
    return every if IS_LONG else few
