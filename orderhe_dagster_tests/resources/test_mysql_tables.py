"""Which tables of the contracts a server has already: by capitals or not, as it tells them apart."""

from __future__ import annotations

from typing import Any

import pytest

from orderhe_dagster.resources.mysql import tables


class Server:
    """A cursor on a server that keeps names as `lower_case_table_names` says, with two tables."""

    def __init__(self, folds: int) -> None:
        self._answers: dict[str, list[tuple[Any, ...]]] = {
            "select @@lower_case_table_names": [(folds,)],
            "show tables": [("Orders",), ("straße",)],
        }
        self._rows: list[tuple[Any, ...]] = []

    def execute(self, sql: str) -> None:
        self._rows = self._answers[sql]

    def fetchall(self) -> list[tuple[Any, ...]]:
        return self._rows


@pytest.mark.parametrize(
    ("folds", "there", "missing"),
    [
        (0, ["Orders", "straße"], ["orders", "ORDERS", "Straße"]),
        (1, ["Orders", "orders", "ORDERS", "Straße"], ["order"]),
        (2, ["Orders", "orders"], ["customers"]),
    ],
)
def test_a_table_is_there_by_the_names_that_the_server_takes_for_its(
    folds: int, there: list[str], missing: list[str]
) -> None:
    found = tables._there(Server(folds))
    assert all(name in found for name in there)
    assert not any(name in found for name in missing)
